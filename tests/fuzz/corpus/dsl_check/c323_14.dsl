SIGNAL keyword k { keywords: ["x"] }
PROJECTION score s { inputs: [{ type: "keyword", name: "k", weight: 1 }] }
PROJECTION mapping m { source: "s" outputs: [{ name: "x", gte: 0 }] }
PROJECTION score a {
  inputs: [
    { type: "projection", name: "x", weight: 1 },
    { type: "projection", name: "t", weight: 1 },
    { type: "projection", name: "s", weight: 1, value_source: "raw" },
    { type: "projection", name: "y", weight: 1, value_source: "confidence" },
    { type: "projection", name: "x", weight: 1, value_source: "binary" }
  ]
}
