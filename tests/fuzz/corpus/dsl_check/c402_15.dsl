SIGNAL domain a {}
SIGNAL domain b {}
SIGNAL domain c {}
SIGNAL keyword k { keywords: ["x"] }
PROJECTION partition p { semantics: "exclusive" members: ["a", "b", "c"] default: "a" }
ROUTE r {
  WHEN (domain("a") OR keyword("k")) AND (domain("b") OR NOT domain("c")) AND domain("b")
  MODEL m
}
ROUTE s { WHEN NOT (NOT domain("a") OR NOT domain("c")) MODEL m }
ROUTE t { WHEN domain("a") OR domain("b") OR NOT (domain("a") AND domain("c")) AND keyword("k") MODEL m }
