PLUGIN p memory { retrieval_limits: 3 }
ROUTE r { MODEL m PLUGIN p { auto_stores: true } PLUGIN tools { modes: "none" } }
