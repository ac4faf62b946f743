MODEL a { loras: [{ name: "sql" }, { name: "code" }] }
MODEL b {}
ROUTE r { MODEL a (lora = cod), b (lora = "sql"), a (lora = "sql") FOR v IN ["a" (lora = "x")] { MODEL v } }
