MODEL a { param_size: "7B" loras: [{ name: "sql" }] }
ROUTE r {
  PRIORITY 3
  MODEL "a" (lora = "sql", weight = 2), "b" (reasoning = false)
  ALGORITHM confidence { threshold: 0.7 hybrid_weights: { logprob_weight: 0.6, margin_weight: 0.4 } on_error: "skip" }
}
