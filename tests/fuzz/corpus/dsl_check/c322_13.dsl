SIGNAL domain d {}
PROJECTION partition p { semantics: "softmax_exclusive" members: ["math"] default: "math" }
SIGNAL domain math {}
PROJECTION partition q { semantics: "softmax_exclusive" temperature: 0 members: ["math"] default: "math" }
PROJECTION partition o { semantics: "softmax_exclusive" temperature: 0.1 members: ["math"] default: "math" }
PROJECTION partition n { semantics: "exclusive" members: ["math"] default: "math" }
