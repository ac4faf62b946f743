SIGNAL classifier tox { type: "local" labels: ["toxic", "fine"] }
ROUTE r {
  PRIORITY 2
  WHEN classifier("tox", label: "toxic", predicate: { gte: 0.8 }, on_error: "no_match")
  FOR m IN ["a", "b" (lora = "x")] { MODEL m }
  EMIT retention { ttl_turns: 3, keep_current_model: false }
}
