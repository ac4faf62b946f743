SIGNAL keyword k { keywords: ["x"] }
SIGNAL complexity c { hard: { candidates: ["a"] } easy: { candidates: ["b"] } }
ROUTE r { WHEN keyword("k") OR complexity("c:hard") MODEL m }
TEST t {
  "q" -> r { keyword: ["k", "l"], complexity: "c:easy", domain: "math", projection: ["p"] }
  "p" -> r { keyword: [3] }
}
