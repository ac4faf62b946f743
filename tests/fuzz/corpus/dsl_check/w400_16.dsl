SIGNAL keyword k { keywords: ["x"] }
SIGNAL domain d {}
SIGNAL language en {}
SIGNAL language de {}
SIGNAL context small { max_tokens: "999" }
SIGNAL context big { min_tokens: "1K" }
SIGNAL complexity c { hard: { candidates: ["a"] } easy: { candidates: ["b"] } }
ROUTE a { WHEN keyword("k") AND domain("d") MODEL m }
ROUTE b { WHEN keyword("k") AND NOT domain("d") AND language("en") MODEL m }
ROUTE c { WHEN keyword("k") AND NOT domain("d") AND language("de") AND context("small") MODEL m }
ROUTE d { WHEN keyword("k") AND language("de") AND context("big") AND NOT domain("d") AND complexity("c:hard") MODEL m }
ROUTE e { WHEN keyword("k") AND language("de") AND context("big") AND NOT domain("d") AND complexity("c:easy") MODEL m }
