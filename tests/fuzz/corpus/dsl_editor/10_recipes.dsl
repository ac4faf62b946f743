ROUTING { strategy: priority }
MODEL big {}
ENTRYPOINT { model_names: ["acme/fast"] recipe: "fast" }
ROUTE base { MODEL "big" }
RECIPE fast (description = "Low latency") {
  ROUTING { strategy: confidence }
  SIGNAL domain other {}
  ROUTE only { PRIORITY 1 WHEN domain("other") MODEL "big" ALGORITHM static }
}
