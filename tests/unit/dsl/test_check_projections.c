/* Partitions, scores and mappings: C320 to C324. */
#include "checked.h"

static const struct checked_case cases[] = {
    { "C320: of itself", 0, "PROJECTION score a { inputs: [{ type: \"projection\", name: \"a\", weight: 1 }] }",
      "1:1: constraint: projection score dependency cycle: a -> a [C320]\n" },
    { "C320: through a mapping", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score x { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION score a { inputs: [{ type: \"projection\", name: \"x\", weight: 1 }, { type: \"projection\", name: "
      "\"hot\", weight: 1, value_source: \"confidence\" }] }\n"
      "PROJECTION score b { inputs: [{ type: \"projection\", name: \"a\", weight: 1, value_source: \"score\" }] }\n"
      "PROJECTION mapping m { source: \"b\" outputs: [{ name: \"hot\", gte: 0 }] }",
      "3:1: constraint: projection score dependency cycle: a -> b -> a [C320]\n" },
    { "C320: two", 0,
      "PROJECTION score a { inputs: [{ type: \"projection\", name: \"b\", weight: 1 }, { type: \"projection\", name: "
      "\"c\", weight: 1 }] }\n"
      "PROJECTION score b { inputs: [{ type: \"projection\", name: \"a\", weight: 1 }] }\n"
      "PROJECTION score c { inputs: [{ type: \"projection\", name: \"b\", weight: 1 }, { type: \"projection\", name: "
      "\"c\", weight: 1 }] }",
      "1:1: constraint: projection score dependency cycle: a -> b -> a [C320]\n"
      "3:1: constraint: projection score dependency cycle: c -> c [C320]\n" },
    { "chains are no cycles", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score c { inputs: [{ type: \"projection\", name: \"b\", weight: 1 }, { type: \"projection\", name: "
      "\"a\", weight: 1 }] }\n"
      "PROJECTION score b { inputs: [{ type: \"projection\", name: \"a\", weight: 1 }] }\n"
      "PROJECTION score a { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }",
      "" },
    { "C321: near", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score load { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION mapping m { source: \"laod\" outputs: [{ name: \"x\", gte: 0 }] }",
      "3:32: constraint: PROJECTION mapping m: source \"laod\" is not a declared score (fix: change to \"load\") "
      "[C321]\n" },
    { "C322: members of two types", 0,
      "SIGNAL domain d {}\n"
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL embedding e { threshold: 0.5 candidates: [\"x\"] }\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"d\", \"e\"] default: \"d\" }\n"
      "PROJECTION partition q { semantics: \"exclusive\" members: [\"k\", \"d\"] default: \"k\" }\n"
      "PROJECTION partition o { semantics: \"exclusive\" members: [\"k\"] default: \"k\" }",
      "4:58: constraint: PROJECTION partition p: members must be signals of one type, domain or embedding, got "
      "domain=[d], embedding=[e] [C322]\n"
      "5:58: constraint: PROJECTION partition q: members must be signals of one type, domain or embedding, got "
      "domain=[d], keyword=[k] [C322]\n"
      "6:58: constraint: PROJECTION partition o: members must be signals of one type, domain or embedding, got "
      "keyword=[k] [C322]\n" },
    { "C322: twice", 0,
      "SIGNAL domain d {}\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"d\", \"d\"] default: \"d\" }",
      "2:64: constraint: PROJECTION partition p: \"d\" is a member twice [C322]\n" },
    { "C322: temperature", 0,
      "SIGNAL domain d {}\n"
      "PROJECTION partition p { semantics: \"softmax_exclusive\" members: [\"math\"] default: \"math\" }\n"
      "SIGNAL domain math {}\n"
      "PROJECTION partition q { semantics: \"softmax_exclusive\" temperature: 0 members: [\"math\"] default: \"math\" "
      "}\n"
      "PROJECTION partition o { semantics: \"softmax_exclusive\" temperature: 0.1 members: [\"math\"] default: "
      "\"math\" }\n"
      "PROJECTION partition n { semantics: \"exclusive\" members: [\"math\"] default: \"math\" }",
      "2:1: constraint: PROJECTION partition p: softmax_exclusive needs a temperature greater than 0 (fix: add "
      "temperature: 0.1) [C322]\n"
      "4:70: constraint: PROJECTION partition q: softmax_exclusive needs a temperature greater than 0 (fix: set to "
      "0.1) [C322]\n" },
    { "W201: a member", 0,
      "SIGNAL domain math {}\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"math\", \"mth\"] default: \"math\" }",
      "2:67: warning: PROJECTION partition p: member \"mth\" is not defined. Add SIGNAL domain mth { ... } [W201]\n" },
    { "W201: a member that is near one that is no member yet", 0,
      "SIGNAL domain math {}\nSIGNAL domain law {}\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"law\", \"mth\"] default: \"law\" }",
      "3:66: warning: PROJECTION partition p: member \"mth\" is not defined. Add SIGNAL domain mth { ... } (fix: "
      "change to \"math\") [W201]\n" },
    { "W202: default", 0,
      "SIGNAL domain math {}\n"
      "SIGNAL domain law {}\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"math\", \"law\"] default: \"low\" }",
      "3:83: warning: PROJECTION partition p: default \"low\" is not a member (fix: change to \"law\") [W202]\n" },
    { "C323: inputs", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL classifier t { type: \"local\" labels: [\"toxic\", \"fine\"] model_path: \"m\" }\n"
      "PROJECTION score a {\n"
      "  inputs: [\n"
      "    { type: \"keywrd\", name: \"k\", weight: 1 },\n"
      "    { type: \"keyword\", weight: 1 },\n"
      "    { type: \"keyword\", name: \"\", weight: 1 },\n"
      "    { type: \"keyword\", name: \"k\", weight: 1, value_source: \"score\" },\n"
      "    { type: \"keyword\", name: \"k\", weight: 1, kb: \"x\" },\n"
      "    { type: \"classifier\", name: \"t\", weight: 1 },\n"
      "    { type: \"keyword\", name: \"kk\", weight: 1 },\n"
      "    { type: \"keyword\", name: \"k\", weight: 1, value_source: \"row\" }\n"
      "  ]\n"
      "}",
      "5:13: constraint: PROJECTION score a: unknown input type \"keywrd\"; it is a signal type, projection or "
      "kb_metric (fix: change to \"keyword\") [C323]\n"
      "6:5: constraint: PROJECTION score a: an input needs a name [C323]\n"
      "7:30: constraint: PROJECTION score a: an input needs a name [C323]\n"
      "8:60: constraint: PROJECTION score a: a signal has no score; use binary, confidence or raw [C323]\n"
      "9:5: constraint: PROJECTION score a: kb and metric belong to inputs of type kb_metric [C323]\n"
      "10:33: constraint: classifier \"t\" needs a label, as in t:label [C323]\n"
      "11:30: warning: signal keyword(\"kk\") is not defined. Add SIGNAL keyword kk { ... } (fix: change to \"k\") "
      "[W201]\n"
      "12:60: constraint: PROJECTION score a: inputs.value_source must be one of binary, confidence, raw, score, got "
      "\"row\" [C306]\n" },
    { "C323: inputs of projections", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score s { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION mapping m { source: \"s\" outputs: [{ name: \"x\", gte: 0 }] }\n"
      "PROJECTION score a {\n"
      "  inputs: [\n"
      "    { type: \"projection\", name: \"x\", weight: 1 },\n"
      "    { type: \"projection\", name: \"t\", weight: 1 },\n"
      "    { type: \"projection\", name: \"s\", weight: 1, value_source: \"raw\" },\n"
      "    { type: \"projection\", name: \"y\", weight: 1, value_source: \"confidence\" },\n"
      "    { type: \"projection\", name: \"x\", weight: 1, value_source: \"binary\" }\n"
      "  ]\n"
      "}",
      "6:33: constraint: PROJECTION score a: \"x\" is an output of a mapping, which needs value_source: \"confidence\" "
      "[C323]\n"
      "7:33: constraint: PROJECTION score a: input \"t\" is not a declared score (fix: change to \"s\") [C323]\n"
      "8:63: constraint: PROJECTION score a: a projection has no raw value; use score, confidence or binary [C323]\n"
      "9:33: warning: signal projection(\"y\") is not defined. Add an output y to a PROJECTION mapping (fix: change to "
      "\"x\") [W201]\n" },
    { "C323: metrics", 0,
      "PROJECTION score a {\n"
      "  inputs: [\n"
      "    { type: \"kb_metric\", kb: \"x\", weight: 1 },\n"
      "    { type: \"kb_metric\", kb: \"x\", metric: \"best_score\", name: \"x\", weight: 1 },\n"
      "    { type: \"kb_metric\", kb: \"x\", metric: \"best_score\", value_source: \"raw\", weight: 1 },\n"
      "    { type: \"kb_metric\", kb: \"x\", metric: \"best_score\", value_source: \"score\", weight: 1 }\n"
      "  ]\n"
      "}",
      "3:5: constraint: PROJECTION score a: an input of type kb_metric needs kb and metric [C323]\n"
      "4:63: constraint: PROJECTION score a: an input of type kb_metric has no name; use kb and metric [C323]\n"
      "5:71: constraint: PROJECTION score a: a kb_metric has a score and nothing else [C323]\n" },
    { "C323: none", 0, "PROJECTION score a { inputs: [] }",
      "1:30: constraint: PROJECTION score a: inputs must not be empty [C323]\n" },
    { "inputs of all kinds", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL classifier t { type: \"local\" labels: [\"toxic\", \"fine\"] model_path: \"m\" }\n"
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } easy: { candidates: [\"b\"] } }\n"
      "PROJECTION score s { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION score a { inputs: [{ type: \"classifier\", name: \"t:toxic\", weight: 1 }, { type: \"complexity\", "
      "name: \"c:hard\", weight: -1, value_source: \"raw\" }, { type: \"projection\", name: \"s\", weight: 0.5 }] }",
      "" },
    { "C324: outputs", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score s { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION mapping a { source: \"s\" outputs: [{ name: \"x\", lt: 0 }, { name: \"y\", gte: 0 }] }\n"
      "PROJECTION mapping b { source: \"s\" outputs: [{ name: \"y\", lt: 0 }, { name: \"z\", gte: 0 }] }\n"
      "PROJECTION mapping c { source: \"s\" outputs: [] }\n"
      "PROJECTION mapping d { source: \"s\" method: \"multi_emit\" outputs: [{ name: \"w\", lt: 0 }] }",
      "4:54: constraint: PROJECTION mapping b: output \"y\" is already declared at line 3 [C324]\n"
      "5:45: constraint: PROJECTION mapping c: outputs must not be empty [C324]\n"
      "6:66: constraint: PROJECTION mapping d: multi_emit needs at least two outputs [C324]\n" },
    { "C304, C308: bands", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score s { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION mapping a { source: \"s\" outputs: [{ name: \"x\", gte: 0.5, lt: 0.5 }, { name: \"y\" }, { name: "
      "\"z\", gt: 0, gte: 0 }, { name: \"w\", lt: 0, lte: 0 }, { name: \"v\", gt: 2, lte: 1 }, { name: \"u\", gte: 1, "
      "lte: 1 }] }",
      "3:46: constraint: PROJECTION mapping a: output \"x\" is empty: no number lies within these bounds [C304]\n"
      "3:80: constraint: PROJECTION mapping a: output \"y\" needs at least one of gt, gte, lt and lte [C308]\n"
      "3:95: constraint: PROJECTION mapping a: output \"z\": gt and gte exclude each other [C308]\n"
      "3:125: constraint: PROJECTION mapping a: output \"w\": lt and lte exclude each other [C308]\n"
      "3:155: constraint: PROJECTION mapping a: output \"v\" is empty: no number lies within these bounds [C304]\n" },
};

TEST(each_case_is_told) {
    checked_cases(cases, VSR_COUNT(cases));
}

RUN_TESTS(T(each_case_is_told))
