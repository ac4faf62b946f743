SIGNAL keyword easy { operator: "OR" keywords: ["tl;dr"] }
SIGNAL context long { min_tokens: "8K" max_tokens: "256K" }
PROJECTION score load { inputs: [{ type: "context", name: "long", weight: 0.5 }, { type: "keyword", name: "easy", weight: -0.25, value_source: "confidence" }] }
PROJECTION mapping band { source: "load" outputs: [{ name: "light", lt: 0 }, { name: "heavy", gte: 0 }] }
ROUTE heavy { PRIORITY 9 WHEN projection("heavy") MODEL "big" }
ROUTE light { PRIORITY 1 MODEL "small" }
