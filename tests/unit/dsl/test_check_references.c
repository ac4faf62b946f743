/* What is referred to and is not there, models, loops, plugins without effect, what nothing uses: W2xx, W303; leaves
 * and tests. */
#include "checked.h"

static const struct checked_case cases[] = {
    { "W201: near and far", 0,
      "SIGNAL keyword urgent { keywords: [\"x\"] }\n"
      "ROUTE r {\n"
      "  WHEN keyword(\"urgnt\") AND NOT (domain(law) OR keyword(\"zzzzzzzzzz\"))\n"
      "  MODEL m\n"
      "}",
      "3:8: warning: signal keyword(\"urgnt\") is not defined. Add SIGNAL keyword urgnt { ... } (fix: change to "
      "\"urgent\") [W201]\n"
      "3:34: warning: signal domain(\"law\") is not defined. Add SIGNAL domain law { ... } [W201]\n"
      "3:49: warning: signal keyword(\"zzzzzzzzzz\") is not defined. Add SIGNAL keyword zzzzzzzzzz { ... } [W201]\n" },
    { "W201: quoted where it must be", 0,
      "SIGNAL domain \"computer science\" {}\n"
      "ROUTE r { WHEN domain(computer_science) MODEL m }",
      "2:16: warning: signal domain(\"computer_science\") is not defined. Add SIGNAL domain computer_science { ... } "
      "(fix: change to \"computer science\") [W201]\n" },
    { "W201: outputs", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score s { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION mapping b { source: \"s\" outputs: [{ name: \"low\", lt: 0.5 }, { name: \"high\", gte: 0.5 }] }\n"
      "ROUTE r { WHEN projection(\"hihg\") OR projection(\"low\") OR projection(\"b\") MODEL m }",
      "4:16: warning: signal projection(\"hihg\") is not defined. Add an output hihg to a PROJECTION mapping (fix: "
      "change to \"high\") [W201]\n"
      "4:59: warning: signal projection(\"b\") is not defined. Add an output b to a PROJECTION mapping [W201]\n" },
    { "W201: the rule of a level", 0,
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } easy: { candidates: [\"b\"] } }\n"
      "ROUTE r { WHEN complexity(\"d:hard\") OR complexity(\"c:hard\") MODEL m }",
      "2:16: warning: signal complexity(\"d:hard\") is not defined. Add SIGNAL complexity d { ... } [W201]\n" },
    { "W201: a branch", 0,
      "DECISION_TREE t { IF NOT domain(\"d\") { MODEL m } ELSE IF keyword(\"k\") { MODEL m } ELSE { MODEL m } }",
      "1:26: warning: signal domain(\"d\") is not defined. Add SIGNAL domain d { ... } [W201]\n"
      "1:58: warning: signal keyword(\"k\") is not defined. Add SIGNAL keyword k { ... } [W201]\n" },
    { "W201: facts of a test", 0,
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } easy: { candidates: [\"b\"] } }\n"
      "ROUTE r { WHEN keyword(\"k\") OR complexity(\"c:hard\") MODEL m }\n"
      "TEST t {\n"
      "  \"q\" -> r { keyword: [\"k\", \"l\"], complexity: \"c:easy\", domain: \"math\", projection: [\"p\"] }\n"
      "  \"p\" -> r { keyword: [3] }\n"
      "}",
      "5:29: warning: signal keyword(\"l\") is not defined. Add SIGNAL keyword l { ... } (fix: change to \"k\") "
      "[W201]\n"
      "5:65: warning: signal domain(\"math\") is not defined. Add SIGNAL domain math { ... } [W201]\n"
      "5:86: warning: signal projection(\"p\") is not defined. Add an output p to a PROJECTION mapping [W201]\n"
      "6:24: constraint: TEST t: keyword should be the name of a signal, or a list of names [C302]\n" },
    { "W201: a tree of a signal", 0,
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } easy: { candidates: [\"b\"] } composer: { type: "
      "\"keyword\", name: \"k\" } }",
      "1:114: warning: signal keyword(\"k\") is not defined. Add SIGNAL keyword k { ... } [W201]\n" },
    { "a role stands for its bindings", 0,
      "SIGNAL authz admins { role: \"admin\" subjects: [{ kind: \"Group\", name: \"g\" }] }\n"
      "ROUTE r { WHEN authz(\"admin\") OR authz(\"admins\") MODEL m }",
      "" },
    { "C303: levels", 0,
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } easy: { candidates: [\"b\"] } }\n"
      "ROUTE r { WHEN complexity(\"c\") OR complexity(\"c:medum\") OR complexity(\"c:medium\") MODEL m }",
      "2:27: constraint: complexity(\"c\") needs a level: one of c:hard, c:medium, c:easy [C303]\n"
      "2:46: constraint: complexity(\"c:medum\") needs a level: one of c:hard, c:medium, c:easy [C303]\n" },
    { "C307: leaves of classifiers", 0,
      "SIGNAL classifier t { type: \"local\" labels: [\"toxic\", \"fine\"] model_path: \"m\" }\n"
      "ROUTE r { WHEN classifier(\"t\") OR classifier(\"t\", label: \"toxic\") OR classifier(\"t\", predicate: { gte: "
      "0.5 }) MODEL m }",
      "2:27: constraint: classifier(\"t\") needs a label and a predicate [C307]\n"
      "2:46: constraint: classifier(\"t\") needs a predicate, as in predicate: { gte: 0.5 } [C307]\n"
      "2:81: constraint: classifier(\"t\") needs a label [C307]\n" },
    { "C307: leaves of others", 0,
      "SIGNAL domain d {}\n"
      "ROUTE r { WHEN domain(\"d\", label: \"x\") OR domain(\"d\", on_error: \"match\") OR domain(\"d\", on_unknown: "
      "match) MODEL m }",
      "2:35: constraint: domain(\"d\") takes no label: only a classifier has labels [C307]\n"
      "2:55: constraint: domain(\"d\") takes no on_error: only a classifier has it; use on_unknown [C307]\n" },
    { "a leaf of a classifier", 0,
      "SIGNAL classifier t { type: \"local\" labels: [\"toxic\", \"fine\"] model_path: \"m\" }\n"
      "ROUTE r { WHEN classifier(\"t\", label: \"toxic\", predicate: { gt: 0.5, lte: 1 }, on_error: \"match\") MODEL m "
      "}",
      "" },
    { "W208: labels", 0,
      "SIGNAL classifier t { type: \"local\" labels: [\"toxic\", \"fine\"] model_path: \"m\" }\n"
      "ROUTE r { WHEN classifier(\"t\", label: \"toxik\", predicate: { gte: 0.5 }) MODEL m }\n"
      "PROJECTION score s { inputs: [{ type: \"classifier\", name: \"t:fin\", weight: 1 }, { type: \"classifier\", "
      "name: \"t:fine\", weight: 1 }] }",
      "2:39: warning: SIGNAL classifier t has no label \"toxik\" (fix: change to \"toxic\") [W208]\n"
      "3:59: warning: SIGNAL classifier t has no label \"fin\" [W208]\n" },
    { "C304, C308: predicates", 0,
      "SIGNAL classifier t { type: \"local\" labels: [\"toxic\", \"fine\"] model_path: \"m\" }\n"
      "ROUTE r {\n"
      "  WHEN classifier(\"t\", label: \"fine\", predicate: { gte: 0.5, lt: 0.5 })\n"
      "    OR classifier(\"t\", label: \"fine\", predicate: {})\n"
      "    OR classifier(\"t\", label: \"fine\", predicate: { gt: 0, gte: 0 })\n"
      "    OR classifier(\"t\", label: \"fine\", predicate: { lt: 0, lte: 0 })\n"
      "    OR classifier(\"t\", label: \"fine\", predicate: { gte: 0.5, lte: 0.5 })\n"
      "  MODEL m\n"
      "}",
      "3:50: constraint: classifier(\"t\"): predicate is empty: no number lies within these bounds [C304]\n"
      "4:50: constraint: classifier(\"t\"): predicate needs at least one of gt, gte, lt and lte [C308]\n"
      "5:50: constraint: classifier(\"t\"): predicate: gt and gte exclude each other [C308]\n"
      "6:50: constraint: classifier(\"t\"): predicate: lt and lte exclude each other [C308]\n" },
    { "W204: no model", 0,
      "ROUTE r {}\n"
      "ROUTE s { MODEL m }\n"
      "ROUTE t { FOR v IN [m] { MODEL v } }\n"
      "ROUTE u { FOR v IN [m] {} }\n"
      "ROUTE v { FOR v IN [m] { MODEL m } }\n"
      "ROUTE w { PLUGIN fast_response { message: \"x\" } }",
      "1:1: warning: route \"r\" has no model. Add MODEL \"<name>\" [W204]\n"
      "4:1: warning: route \"u\" has no model. Add MODEL \"<name>\" [W204]\n"
      "5:1: warning: route \"v\" has no model. Add MODEL \"<name>\" [W204]\n"
      "5:32: constraint: route \"v\": FOR v: MODEL must name the variable, got \"m\" (fix: change to \"v\") [C314]\n" },
    { "W205: models", CHECKED_TOP,
      "MODEL small { loras: [{ name: \"sql\" }] }\n"
      "ROUTE r { MODEL \"smal\", sql, small, other FOR v IN [smll] { MODEL v } }\n"
      "DECISION_TREE t { IF domain(\"d\") { MODEL mystery } ELSE { MODEL small } }\n"
      "SIGNAL domain d {}",
      "2:17: warning: model \"smal\" is not declared. Add MODEL smal { ... } (fix: change to \"small\") [W205]\n"
      "2:37: warning: model \"other\" is not declared. Add MODEL other { ... } [W205]\n"
      "2:53: warning: model \"smll\" is not declared. Add MODEL smll { ... } (fix: change to \"small\") [W205]\n"
      "3:1: error: DECISION_TREE and ROUTE cannot coexist in one program [E112]\n"
      "3:42: warning: model \"mystery\" is not declared. Add MODEL mystery { ... } [W205]\n" },
    { "without a catalogue models are free", 0,
      "ROUTE r { MODEL \"a\" (lora = \"x\"), b ALGORITHM fusion { model: \"c\" analysis_models: [\"d\"] } }", "" },
    { "W205: models of algorithms", CHECKED_TOP,
      "MODEL a {}\n"
      "ROUTE r { MODEL a ALGORITHM fusion { model: \"b\" analysis_models: [\"a\", \"c\"] } }\n"
      "ROUTE s { MODEL a ALGORITHM workflows { roles: [{ name: \"x\", models: [\"d\"], prompt: \"p\" }] final: { "
      "model: \"e\", prompt: \"p\" } planner: { model: \"f\" } } }\n"
      "ROUTE t { MODEL a ALGORITHM prompt { prompt: { model: \"g\", instructions: \"i\" } } }",
      "2:45: warning: route \"r\": ALGORITHM fusion: model \"b\" is not declared. Add MODEL b { ... } (fix: change to "
      "\"a\") [W205]\n"
      "2:72: warning: route \"r\": ALGORITHM fusion: model \"c\" is not declared. Add MODEL c { ... } (fix: change to "
      "\"a\") [W205]\n"
      "3:71: warning: route \"s\": ALGORITHM workflows: model \"d\" is not declared. Add MODEL d { ... } (fix: change "
      "to \"a\") [W205]\n"
      "3:108: warning: route \"s\": ALGORITHM workflows: model \"e\" is not declared. Add MODEL e { ... } (fix: change "
      "to \"a\") [W205]\n"
      "3:145: warning: route \"s\": ALGORITHM workflows: model \"f\" is not declared. Add MODEL f { ... } (fix: change "
      "to \"a\") [W205]\n"
      "4:55: warning: route \"t\": ALGORITHM prompt: model \"g\" is not declared. Add MODEL g { ... } (fix: change to "
      "\"a\") [W205]\n" },
    { "W205: models of scores", CHECKED_TOP,
      "MODEL a {}\n"
      "SIGNAL domain d { model_scores: [{ model: \"a\", score: 0.5 }, { model: \"bb\", score: 0.5 }] }",
      "2:71: warning: SIGNAL domain d: model \"bb\" is not declared. Add MODEL bb { ... } [W205]\n" },
    { "W205: the catalogue of the file holds in recipes", CHECKED_TOP,
      "MODEL a {}\n"
      "RECIPE x {\n"
      "  ROUTE r { MODEL b }\n"
      "}",
      "3:19: warning: recipe \"x\": model \"b\" is not declared. Add MODEL b { ... } (fix: change to \"a\") [W205]\n" },
    { "W206: adapters", CHECKED_TOP,
      "MODEL a { loras: [{ name: \"sql\" }, { name: \"code\" }] }\n"
      "MODEL b {}\n"
      "ROUTE r { MODEL a (lora = cod), b (lora = \"sql\"), a (lora = \"sql\") FOR v IN [\"a\" (lora = \"x\")] { MODEL "
      "v } }",
      "3:17: warning: LoRA \"cod\" is not declared for model \"a\" (fix: change to \"code\") [W206]\n"
      "3:33: warning: LoRA \"sql\": model \"b\" declares no LoRA adapters [W206]\n"
      "3:78: warning: LoRA \"x\" is not declared for model \"a\" [W206]\n" },
    { "W207: virtual models", CHECKED_TOP,
      "ENTRYPOINT { model_names: [\"x\", \"y\"] recipe: \"default\" }\n"
      "ENTRYPOINT { model_names: [\"y\", \"z\", \"z\"] recipe: \"default\" }",
      "2:28: warning: ENTRYPOINT: model \"y\" is already mapped at line 1 [W207]\n"
      "2:38: warning: ENTRYPOINT: model \"z\" is already mapped at line 2 [W207]\n" },
    { "W209: routes of tests", 0,
      "ROUTE urgent { MODEL m }\n"
      "DECISION_TREE t { IF domain(\"d\") { NAME \"first\" MODEL m } ELSE { MODEL m } }\n"
      "SIGNAL domain d {}\n"
      "TEST x {\n"
      "  \"a\" -> urgnt\n"
      "  \"b\" -> first\n"
      "  \"c\" -> t__branch_02\n"
      "  \"d\" -> t__branch_01\n"
      "}",
      "2:1: error: DECISION_TREE and ROUTE cannot coexist in one program [E112]\n"
      "5:3: warning: TEST x: route \"urgnt\" is not defined (fix: change to \"urgent\") [W209]\n"
      "8:3: warning: TEST x: route \"t__branch_01\" is not defined (fix: change to \"t__branch_02\") [W209]\n" },
    { "C315: a query", 0,
      "ROUTE r { MODEL m }\n"
      "TEST t { \"  \" -> r }",
      "2:10: constraint: TEST t: the query must not be empty [C315]\n" },
    { "W210: emits", 0,
      "ROUTE r { MODEL m EMIT retention {} }\n"
      "ROUTE s { MODEL m EMIT retention { ttl_turns: 0 } }\n"
      "ROUTE t { MODEL m EMIT retention { ttl_turns: 0, drop: false } }\n"
      "ROUTE u { MODEL m EMIT retention { keep_current_model: true } }",
      "1:19: warning: route \"r\": EMIT retention has no effect: it says nothing [W210]\n"
      "2:47: warning: route \"s\": EMIT retention: ttl_turns=0 keeps nothing; say drop: true if that is meant "
      "[W210]\n" },
    { "C314: loops", 0,
      "ROUTE r { MODEL m FOR v IN candidates { MODEL v } }\n"
      "ROUTE s { FOR v IN decision.candidates { MODEL v } }\n"
      "ROUTE t { MODEL m FOR v IN decision.candidates { MODEL w } }\n"
      "ROUTE w { MODEL m FOR v IN decision.candidates { MODEL v } FOR w IN [m] {} }",
      "1:28: constraint: route \"r\": FOR v: source must be decision.candidates or a list of models, got "
      "\"candidates\" [C314]\n"
      "2:1: warning: route \"s\" has no model. Add MODEL \"<name>\" [W204]\n"
      "2:20: constraint: route \"s\": FOR v: decision.candidates needs a MODEL in the same route [C314]\n"
      "3:56: constraint: route \"t\": FOR v: MODEL must name the variable, got \"w\" (fix: change to \"v\") [C314]\n" },
    { "W303: plugins without effect", 0,
      "PLUGIN p system_prompt { system_prompt: \"x\" }\n"
      "ROUTE r { MODEL m PLUGIN system_prompt PLUGIN header_mutation { add: [] } PLUGIN request_params { "
      "strip_unknown: false } }\n"
      "ROUTE s { MODEL m PLUGIN p PLUGIN memory PLUGIN header_mutation { delete: [\"x\"] } PLUGIN request_params { "
      "max_n: 1 } }\n"
      "ROUTE t { MODEL m PLUGIN system_prompt { enabled: false } }",
      "2:26: warning: route \"r\": PLUGIN system_prompt has no effect: it says nothing of system_prompt [W303]\n"
      "2:47: warning: route \"r\": PLUGIN header_mutation has no effect: it says nothing of add, update, delete "
      "[W303]\n"
      "2:82: warning: route \"r\": PLUGIN request_params has no effect: it says nothing of blocked_params, "
      "max_tokens_limit, max_n, strip_unknown [W303]\n" },
    { "W220: what nothing uses", CHECKED_HINTS,
      "SIGNAL domain d {}\n"
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "PROJECTION score unused { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "SIGNAL language en {}\n"
      "PROJECTION score s2 { inputs: [{ type: \"keyword\", name: \"k\", weight: 1 }] }\n"
      "PROJECTION mapping m2 { source: \"s2\" outputs: [{ name: \"a\", lt: 0 }, { name: \"b\", gte: 0 }] }\n"
      "PLUGIN p memory {}\n"
      "ROUTE r { WHEN projection(\"a\") MODEL m }",
      "1:15: hint: SIGNAL domain d is not used [W220]\n"
      "3:18: hint: PROJECTION score unused is not used [W220]\n"
      "4:17: hint: SIGNAL language en is not used [W220]\n"
      "7:8: hint: PLUGIN p is not used [W220]\n" },
    { "W220: roles", CHECKED_HINTS,
      "SIGNAL authz admins { role: \"admin\" subjects: [{ kind: \"Group\", name: \"g\" }] }\n"
      "ROUTE r { MODEL m }",
      "1:14: hint: SIGNAL authz admins is not used [W220]\n" },
    { "W220: models", CHECKED_TOP | CHECKED_HINTS,
      "MODEL a {}\n"
      "MODEL b { loras: [{ name: \"x\" }] }\n"
      "MODEL c {}\n"
      "ROUTE r { MODEL x }\n"
      "RECIPE y { ROUTE r { MODEL c } }",
      "1:7: hint: MODEL a is used by no route [W220]\n" },
    { "W220: partitions and trees use", CHECKED_HINTS,
      "SIGNAL domain d {}\n"
      "SIGNAL keyword k { keywords: [\"x\"] }\n"
      "SIGNAL complexity c { hard: { candidates: [\"a\"] } composer: { type: \"keyword\", name: \"k\" } easy: { "
      "candidates: [\"b\"] } }\n"
      "PROJECTION partition p { semantics: \"exclusive\" members: [\"d\"] default: \"d\" }\n"
      "ROUTE r { WHEN complexity(\"c:hard\") MODEL m }",
      "" },
    { "recipes see nothing of the file", CHECKED_TOP,
      "SIGNAL domain d {}\n"
      "ROUTE r { WHEN domain(\"d\") MODEL m }\n"
      "RECIPE x {\n"
      "  ROUTE s { WHEN domain(\"d\") MODEL m PLUGIN p }\n"
      "}\n"
      "PLUGIN p memory {}",
      "4:18: warning: recipe \"x\": signal domain(\"d\") is not defined. Add SIGNAL domain d { ... } [W201]\n"
      "4:45: error: recipe \"x\": unknown plugin type \"p\"; not a template and not one of the 14 plugin types "
      "[E203]\n" },
    { "what a mistake costs is not told again", CHECKED_TOP | CHECKED_HINTS,
      "SIGNAL keyword urgent { keywords: [\"a\" \"b\"] }\n"
      "MODEL a { param_size \"x\" }\n"
      "MODEL b {}\n"
      "PROJECTION score s { inputs [] }\n"
      "PROJECTION mapping m { source: \"s\" outputs: [{ name: \"x\", gte: 0 }] }\n"
      "ROUTE lost { FOO }\n"
      "ROUTE r { WHEN keyword(\"urgent\") AND keyword(\"gone\") MODEL a, b, c }\n"
      "TEST t { \"q\" -> lost }",
      "1:40: error: unexpected \"b\" (expected \",\" or \"]\") [E101]\n"
      "2:22: error: unexpected \"x\" (expected \":\") [E101]\n"
      "4:29: error: unexpected \"[\" (expected \":\") [E101]\n"
      "6:14: error: unexpected \"FOO\" (expected route item or \"}\") [E101]\n"
      "7:38: warning: signal keyword(\"gone\") is not defined. Add SIGNAL keyword gone { ... } [W201]\n"
      "7:66: warning: model \"c\" is not declared. Add MODEL c { ... } (fix: change to \"b\") [W205]\n" },
    { "what a mistake in a recipe costs", CHECKED_TOP | CHECKED_HINTS,
      "RECIPE x {\n"
      "  SIGNAL keyword urgent { keywords: [\"a\" \"b\"] }\n"
      "  ROUTE r { WHEN keyword(\"urgent\") AND keyword(\"gone\") MODEL m }\n"
      "}",
      "2:42: error: unexpected \"b\" (expected \",\" or \"]\") [E101]\n"
      "3:40: warning: recipe \"x\": signal keyword(\"gone\") is not defined. Add SIGNAL keyword gone { ... } "
      "[W201]\n" },
    { "a string that never ends may hide anything", CHECKED_TOP,
      "SIGNAL keyword \"urgent { keywords: [\"a\"] }\n"
      "ROUTE r { WHEN keyword(\"urgent\") MODEL m }",
      "1:38: error: unexpected \"a\" (expected \"{\") [E101]\n"
      "1:39: error: unterminated string [E102]\n" },
};

TEST(each_case_is_told) {
    checked_cases(cases, VSR_COUNT(cases));
}

/* ---- what the base configuration knows counts as declared */

static const struct {
    const char *name, *base, *source, *want;
} bases[] = {
    { "cards and providers",
      "routing: {modelCards: [{name: big, loras: [{name: sql}]}, {}, 3]}\nproviders: {models: [{name: small}]}",
      "ROUTE r { MODEL big (lora = sql), big (lora = sqp), small, sql, smal }",
      "1:35: warning: LoRA \"sqp\" is not declared for model \"big\" (fix: change to \"sql\") [W206]\n"
      "1:65: warning: model \"smal\" is not declared. Add MODEL smal { ... } (fix: change to \"small\") [W205]\n" },
    { "with what the program declares", "providers: {models: [{name: small}]}",
      "MODEL own {} ROUTE r { MODEL own, small, neither }",
      "1:42: warning: model \"neither\" is not declared. Add MODEL neither { ... } [W205]\n" },
    { "no models", "listeners: []", "ROUTE r { MODEL anything }", "" },
    { "no mapping", "[]", "ROUTE r { MODEL anything }", "" },
    { "odd blocks", "routing: 3\nproviders: {models: {name: x}}", "ROUTE r { MODEL anything }", "" },
};

TEST(models_of_the_base_are_known) {
    for (size_t i = 0; i < VSR_COUNT(bases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct compiled c;
        checked_make(&c, str_from_c(bases[i].source), yaml_parsed(arena, str_from_c(bases[i].base)));
        CHECK_STR(compiled_shown(&c, true), bases[i].want, bases[i].name);
        compiled_done(&c);
        arena_free(arena);
    }
}

RUN_TESTS(T(each_case_is_told), T(models_of_the_base_are_known))
