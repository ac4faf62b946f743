SIGNAL keyword k { keywords: ["x"] }
PROJECTION score x { inputs: [{ type: "keyword", name: "k", weight: 1 }] }
PROJECTION score a { inputs: [{ type: "projection", name: "x", weight: 1 }, { type: "projection", name: "hot", weight: 1, value_source: "confidence" }] }
PROJECTION score b { inputs: [{ type: "projection", name: "a", weight: 1, value_source: "score" }] }
PROJECTION mapping m { source: "b" outputs: [{ name: "hot", gte: 0 }] }
