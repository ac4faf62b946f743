SIGNAL keyword urgent { keywords: ["a" "b"] }
MODEL a { param_size "x" }
MODEL b {}
PROJECTION score s { inputs [] }
PROJECTION mapping m { source: "s" outputs: [{ name: "x", gte: 0 }] }
ROUTE lost { FOO }
ROUTE r { WHEN keyword("urgent") AND keyword("gone") MODEL a, b, c }
TEST t { "q" -> lost }
