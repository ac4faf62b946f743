SIGNAL classifier t { type: "local" labels: ["toxic", "fine"] model_path: "m" }
ROUTE r {
  WHEN classifier("t", label: "fine", predicate: { gte: 0.5, lt: 0.5 })
    OR classifier("t", label: "fine", predicate: {})
    OR classifier("t", label: "fine", predicate: { gt: 0, gte: 0 })
    OR classifier("t", label: "fine", predicate: { lt: 0, lte: 0 })
    OR classifier("t", label: "fine", predicate: { gte: 0.5, lte: 0.5 })
  MODEL m
}
