SIGNAL domain d {}
SIGNAL keyword k { keywords: ["x"] }
PROJECTION score unused { inputs: [{ type: "keyword", name: "k", weight: 1 }] }
SIGNAL language en {}
PROJECTION score s2 { inputs: [{ type: "keyword", name: "k", weight: 1 }] }
PROJECTION mapping m2 { source: "s2" outputs: [{ name: "a", lt: 0 }, { name: "b", gte: 0 }] }
PLUGIN p memory {}
ROUTE r { WHEN projection("a") MODEL m }
