ROUTE r { MODEL m FOR v IN candidates { MODEL v } }
ROUTE s { FOR v IN decision.candidates { MODEL v } }
ROUTE t { MODEL m FOR v IN decision.candidates { MODEL w } }
ROUTE w { MODEL m FOR v IN decision.candidates { MODEL v } FOR w IN [m] {} }
