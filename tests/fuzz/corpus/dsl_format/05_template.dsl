PLUGIN guard system_prompt { enabled: true, system_prompt: "Be terse.", mode: "insert" }
ROUTE r { PRIORITY 1 MODEL "m" PLUGIN guard { mode: "replace" } }
