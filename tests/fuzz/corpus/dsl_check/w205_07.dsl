MODEL a {}
ROUTE r { MODEL a ALGORITHM fusion { model: "b" analysis_models: ["a", "c"] } }
ROUTE s { MODEL a ALGORITHM workflows { roles: [{ name: "x", models: ["d"], prompt: "p" }] final: { model: "e", prompt: "p" } planner: { model: "f" } } }
ROUTE t { MODEL a ALGORITHM prompt { prompt: { model: "g", instructions: "i" } } }
