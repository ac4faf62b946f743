/* Programs to trees of YAML: the examples of the specification, what each construct becomes, errors with their places.
 */
#include "compiled.h"
#include "texts.h"

#include "config/load.h"
#include "dsl/domain_labels.h"

/* ---- examples: tests/fixtures/dsl/examples/NAME.dsl means what NAME.yaml says */

static const char *const examples[] = {
    "01_catch_all",   "02_keyword_leaf",  "03_precedence", "04_not_over_and",       "05_template",
    "06_projections", "07_decision_tree", "08_algorithm",  "09_loop_and_retention", "10_recipes",
};

TEST(examples_mean_what_they_say) {
    for (size_t i = 0; i < VSR_COUNT(examples); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str yaml = text_of_project(arena, "tests/fixtures/dsl/examples", examples[i], ".yaml");
        struct compiled c;
        struct yaml_node *want = yaml_parsed(arena, yaml);
        compiled_make(&c, text_of_project(arena, "tests/fixtures/dsl/examples", examples[i], ".dsl"));
        CHECK_STR(compiled_findings(&c), "", examples[i]);
        CHECK_MEANS(arena, c.root, want, examples[i]);
        CHECK_MEANS(arena, yaml_parsed(arena, yaml_text(arena, c.root)), c.root, examples[i]);
        compiled_done(&c);
        arena_free(arena);
    }
}

/* ---- one construct each; `routing` is what stands below that key */

#define MODELS "modelCards: [{name: m}]"
#define REFS "modelRefs: [{model: m}]"

static const struct {
    const char *name, *source, *routing;
} constructs[] = {
    { "template and alias",
      "PLUGIN system-prompt fast_response { message: \"t\" }\n"
      "ROUTE r { MODEL m PLUGIN system-prompt PLUGIN router-replay { enabled: false } }",
      "{" MODELS ", decisions: [{name: r, rules: {operator: AND}, " REFS ", plugins: ["
      "{type: fast_response, configuration: {message: t}}, {type: router_replay, configuration: {enabled: "
      "false}}]}]}" },
    { "plugin without settings", "ROUTE r { MODEL m PLUGIN memory PLUGIN tools }",
      "{" MODELS ", decisions: [{name: r, rules: {operator: AND}, " REFS
      ", plugins: [{type: memory}, {type: tools, configuration: {}}]}]}" },
    { "old plugin name", "ROUTE r { MODEL m PLUGIN semantic-cache { similarity_threshold: 0.9 } }",
      "{" MODELS ", decisions: [{name: r, rules: {operator: AND}, " REFS
      ", plugins: [{type: response_cache, configuration: {similarity_threshold: 0.9}}]}]}" },
    { "words of operators",
      "SIGNAL keyword a { operator: \"any\" keywords: [x] } SIGNAL keyword b { operator: All keywords: [x] }",
      "{signals: {keywords: [{name: a, operator: OR, keywords: [x], case_sensitive: false},"
      "{name: b, operator: AND, keywords: [x], case_sensitive: false}]}}" },
    { "the last field counts", "SIGNAL domain d { description: \"a\" description: \"b\" }",
      "{signals: {domains: [{name: d, description: b}]}}" },
    { "fields of two EXTRA",
      "ROUTE r { MODEL m EXTRA { annotations: { a: \"1\" } } EXTRA { fallback: true annotations: { b: \"1\" } } }",
      "{" MODELS ", decisions: [{name: r, rules: {operator: AND}, " REFS
      ", annotations: {b: \"1\"}, fallback: true}]}" },
    { "null is absent", "SIGNAL domain d { description: null }", "{signals: {domains: [{name: d}]}}" },
    { "wrong kinds are skipped", "SIGNAL language l { threshold: \"x\" description: 3 unknown: 1 }",
      "{signals: {language: [{name: l}]}}" },
    { "numbers", "SIGNAL reask r { threshold: 1e-05 lookback_turns: 2.7 } SIGNAL language l { threshold: +0.50 }",
      "{signals: {reasks: [{name: r, threshold: 0.00001, lookback_turns: 2}], language: [{name: l, threshold: "
      "0.5}]}}" },
    { "token counts keep their text", "SIGNAL context c { min_tokens: 8000 max_tokens: \"1.5K\" }",
      "{signals: {context: [{name: c, min_tokens: '8000', max_tokens: 1.5K}]}}" },
    { "an embedding's defaults", "SIGNAL embedding e { candidates: [a] query_modality: text }",
      "{signals: {embeddings: [{name: e, threshold: 0, candidates: [a], aggregation_method: max}]}}" },
    { "a zero that counts", "SIGNAL complexity c { threshold: 0 hard: { candidates: [a] } easy: { candidates: [b] } }",
      "{signals: {complexity: [{name: c, threshold: 0, hard: {candidates: [a]}, easy: {candidates: [b]}}]}}" },
    { "lists of lists",
      "SIGNAL structure s { feature: { type: sequence, source: { type: sequence, sequences: [[a, b], [c, 1, d]] } } }",
      "{signals: {structure: [{name: s, feature: {type: sequence, source: {type: sequence, sequences: [[a, b], [c, "
      "d]]}}}]}}" },
    { "composer",
      "SIGNAL complexity c { hard: { candidates: [a] } easy: { candidates: [b] } composer: { operator: OR, "
      "conditions: [{ type: domain, name: law }, { operator: NOT, conditions: [{ type: keyword, name: k }] }] } }",
      "{signals: {complexity: [{name: c, threshold: 0.1, hard: {candidates: [a]}, easy: {candidates: [b]}, composer: "
      "{operator: OR, conditions: [{type: domain, name: law}, {operator: NOT, conditions: [{type: keyword, name: "
      "k}]}]}}]}}" },
    { "options of models",
      "MODEL b { param_size: \"70B\" }\nROUTE r { MODEL a (lora = x, effort = high, reasoning = true, weight = 0.5, "
      "param_size = \"7B\"), "
      "b (param_size = \"1B\") }",
      "{modelCards: [{name: a, param_size: 7B}, {name: b, param_size: 70B}], decisions: [{name: r, rules: {operator: "
      "AND}, modelRefs: ["
      "{model: a, lora_name: x, weight: 0.5, use_reasoning: true, reasoning_effort: high}, {model: b}]}]}" },
    { "LoRAs are no models of their own",
      "MODEL a { loras: [{ name: sql }, { description: \"nameless\" }] }\nROUTE r { MODEL sql }",
      "{modelCards: [{name: a, loras: [{name: sql}]}], decisions: [{name: r, rules: {operator: AND}, modelRefs: "
      "[{model: sql}]}]}" },
    { "loop adds what is missing",
      "ROUTE r { MODEL a, b (lora = x) FOR v IN [b, b (lora = x, reasoning = true), a] { MODEL v } }",
      "{modelCards: [{name: a}, {name: b}], decisions: [{name: r, rules: {operator: AND}, modelRefs: [{model: a}, "
      "{model: b, lora_name: x}, {model: b}],"
      "candidateIterations: [{variable: v, source: models, models: [{model: b}, {model: b, lora_name: x}, {model: a}], "
      "outputs: [{type: model, value: v}]}]}]}" },
    { "loop over candidates", "ROUTE r { MODEL m FOR v IN decision.candidates { MODEL v } FOR w IN [z] {} }",
      "{" MODELS ", decisions: [{name: r, rules: {operator: AND}, " REFS
      ", candidateIterations: [{variable: v, source: decision.candidates, outputs: [{type: model, value: v}]}, "
      "{variable: w, source: models, models: [{model: z}]}]}]}" },
    { "errors of both places",
      "ROUTE r { MODEL m ALGORITHM fusion { on_error: \"skip\" temperature: 0 analysis_models: [m] } }",
      "{" MODELS ", decisions: [{name: r, rules: {operator: AND}, " REFS
      ", algorithm: {type: fusion, fusion: {on_error: skip, temperature: 0, analysis_models: [m]}, on_error: "
      "skip}}]}" },
    { "an algorithm that says its block",
      "ROUTE r { MODEL m ALGORITHM prompt { on_error: fallback prompt: { model: m, instructions: \"i\", "
      "timeout_seconds: 3 } } }",
      "{" MODELS ", decisions: [{name: r, rules: {operator: AND}, " REFS
      ", algorithm: {type: prompt, on_error: fallback, prompt: {model: m, instructions: i, timeout_seconds: 3}}}]}" },
    { "an algorithm's outer error",
      "ROUTE r { MODEL m ALGORITHM latency_aware { tpot_percentile: 90 on_error: \"fail\" } }",
      "{" MODELS ", decisions: [{name: r, rules: {operator: AND}, " REFS
      ", algorithm: {type: latency_aware, latency_aware: {tpot_percentile: 90}, on_error: fail}}]}" },
    { "free forms",
      "ROUTE r { MODEL m PLUGIN rag { backend: milvus backend_config: { b: [1, { x: {} }, null], a: \"1\", c: null, a: "
      "true } } }",
      "{" MODELS ", decisions: [{name: r, rules: {operator: AND}, " REFS
      ", plugins: [{type: rag, configuration: {backend: milvus, backend_config: {b: [1, {x: {}}], a: true}}}]}]}" },
    { "what has no item of its own",
      "ROUTE r { MODEL m EXTRA { annotations: { owner: \"x\" } on_unknown: match } EXTRA { output_contract: \"short\" "
      "fallback: false } }",
      "{" MODELS ", decisions: [{name: r, output_contract: short, rules: {operator: AND}, " REFS
      ", annotations: {owner: x}, on_unknown: match, fallback: false}]}" },
    { "a leaf's fields",
      "SIGNAL classifier c { type: local labels: [x] } ROUTE r { WHEN classifier(c, label: x, predicate: { gte: 0 }, "
      "on_unknown: match) MODEL m }",
      "{" MODELS ", signals: {classifiers: [{name: c, type: local, labels: [x]}]}, decisions: [{name: r, rules: "
      "{operator: AND, conditions: ["
      "{type: classifier, name: c, label: x, predicate: {gte: 0}, on_unknown: match}]}, " REFS "}]}" },
    { "descriptions",
      "ROUTE a (description = \"h\") { MODEL m } ROUTE b (description = \"h\") { DESCRIPTION \"i\" MODEL m TIER 0 "
      "PRIORITY 0 }",
      "{" MODELS ", decisions: [{name: a, description: h, rules: {operator: AND}, " REFS
      "}, {name: b, description: i, rules: {operator: AND}, " REFS "}]}" },
    { "the last ROUTING", "ROUTING { strategy: priority untiered: first } ROUTING { strategy: \"confidence\" }",
      "{strategy: confidence}" },
    { "not not", "SIGNAL domain d {} ROUTE r { WHEN NOT NOT domain(d) MODEL m }",
      "{" MODELS ", signals: {domains: [{name: d}]}, decisions: [{name: r, rules: {operator: NOT, conditions: "
      "[{operator: NOT, conditions: ["
      "{type: domain, name: d}]}]}, " REFS "}]}" },
    { "two trees",
      "SIGNAL domain d {} DECISION_TREE t { IF domain(d) { MODEL m } ELSE { NAME n DESCRIPTION \"e\" MODEL m } }\n"
      "DECISION_TREE u { IF NOT domain(d) AND domain(d) { FOR v IN [m] { MODEL v } } ELSE IF domain(d) OR domain(d) { "
      "MODEL m } ELSE { MODEL m } }",
      "{" MODELS ", signals: {domains: [{name: d}]}, decisions: ["
      "{name: t__branch_01, priority: 1000000, rules: {operator: AND, conditions: [{type: domain, name: d}]}, " REFS
      "},"
      "{name: n, description: e, priority: 999999, rules: {operator: NOT, conditions: [{type: domain, name: d}]}, " REFS
      "},"
      "{name: u__branch_01, priority: 999000, rules: {operator: AND, conditions: [{operator: NOT, conditions: [{type: "
      "domain, name: d}]}, {type: domain, name: d}]}, " REFS
      ", candidateIterations: [{variable: v, source: models, models: [{model: m}], outputs: [{type: model, value: "
      "v}]}]},"
      "{name: u__branch_02, priority: 998999, rules: {operator: AND, conditions: [{operator: OR, conditions: [{type: "
      "domain, name: d}, {type: domain, name: d}]},"
      "{operator: NOT, conditions: [{operator: AND, conditions: [{operator: NOT, conditions: [{type: domain, name: "
      "d}]}, {type: domain, name: d}]}]}]}, " REFS "},"
      "{name: u__branch_03, priority: 998998, rules: {operator: AND, conditions: ["
      "{operator: NOT, conditions: [{operator: AND, conditions: [{operator: NOT, conditions: [{type: domain, name: "
      "d}]}, {type: domain, name: d}]}]},"
      "{operator: NOT, conditions: [{operator: OR, conditions: [{type: domain, name: d}, {type: domain, name: "
      "d}]}]}]}, " REFS "}]}" },
};

TEST(constructs_become_yaml) {
    for (size_t i = 0; i < VSR_COUNT(constructs); i++) {
        struct compiled c;
        const struct yaml_node *routing;
        compiled_make(&c, str_from_c(constructs[i].source));
        CHECK_INT(c.findings.n_of[FINDING_ERROR], 0, constructs[i].name);
        routing = yaml_get(c.root, VSR_STR("routing"));
        CHECK_MSG(routing != NULL, "%s", constructs[i].name);
        if (constructs[i].routing)
            CHECK_MEANS(c.arena, routing, yaml_parsed(c.arena, str_from_c(constructs[i].routing)), constructs[i].name);
        CHECK_MEANS(c.arena, yaml_parsed(c.arena, yaml_text(c.arena, c.root)), c.root, constructs[i].name);
        compiled_done(&c);
    }
}

/* ---- errors, with their places and fixes (dsl.md §14) */

static const struct {
    const char *name, *source, *want;
} errors[] = {
    { "E201: a type of signal", "SIGNAL foobar x {}\n",
      "1:8: error: unknown signal type \"foobar\". Supported signal types: authz, classifier, complexity, context, "
      "conversation, domain, embedding, event, fact_check, jailbreak, kb, keyword, language, metadata, modality, pii, "
      "preference, reask, structure, user_feedback [E201]\n" },
    { "E201: near one", "SIGNAL keywrd x {}\n",
      "1:8: error: unknown signal type \"keywrd\". Supported signal types: authz, classifier, complexity, context, "
      "conversation, domain, embedding, event, fact_check, jailbreak, kb, keyword, language, metadata, modality, pii, "
      "preference, reask, structure, user_feedback (fix: change to \"keyword\") [E201]\n" },
    { "E201: in a condition, once though a tree writes it twice",
      "DECISION_TREE t { IF projecton(\"a\") { MODEL m } ELSE { MODEL m } }",
      "1:22: error: unknown signal type \"projecton\". Supported signal types: authz, classifier, complexity, context, "
      "conversation, domain, embedding, event, fact_check, jailbreak, kb, keyword, language, metadata, modality, pii, "
      "preference, reask, structure, user_feedback, and projection (fix: change to \"projection\") [E201]\n" },
    { "E202: everything twice",
      "SIGNAL domain law {}\nSIGNAL keyword law { keywords: [x] }\nSIGNAL domain \"law\" {}\nMODEL m {}\nMODEL m {}\n"
      "ROUTE r { MODEL m }\nROUTE r { MODEL m }\nPLUGIN p tools {}\nPLUGIN p tools {}\n"
      "PROJECTION score s {}\nPROJECTION mapping s {}\nPROJECTION score s {}\nRECIPE x {}\nRECIPE x {}\nRECIPE default "
      "{}\n",
      "3:15: error: SIGNAL domain \"law\" is already declared at line 1 [E202]\n"
      "5:7: error: MODEL \"m\" is already declared at line 4 [E202]\n"
      "7:7: error: route \"r\" is already declared at line 6 [E202]\n"
      "9:8: error: PLUGIN \"p\" is already declared at line 8 [E202]\n"
      "12:18: error: PROJECTION score \"s\" is already declared at line 10 [E202]\n"
      "14:8: error: RECIPE \"x\" is already declared at line 13 [E202]\n"
      "15:8: error: RECIPE \"default\": the name stands for the top level; choose another one [E202]\n" },
    { "E202: scopes are apart",
      "SIGNAL domain law {}\nROUTE r { MODEL m }\nRECIPE x { SIGNAL domain law {} ROUTE r { MODEL m } }\n", "" },
    { "E202: names of branches", "DECISION_TREE t { IF domain(a) { NAME x MODEL m } ELSE { NAME x MODEL m } }",
      "1:63: error: route \"x\" is already declared at line 1 [E202]\n" },
    { "E202: names that branches get",
      "DECISION_TREE a { IF domain(a) { MODEL m } ELSE { MODEL m } }\n"
      "DECISION_TREE b { IF domain(a) { NAME a__branch_02 MODEL m } ELSE { MODEL m } }",
      "2:39: error: route \"a__branch_02\" is already declared at line 1 [E202]\n" },
    { "E202: names that branches get, in a recipe",
      "RECIPE x { DECISION_TREE a { IF domain(a) { MODEL m NAME a__branch_02 } ELSE { MODEL m } } }",
      "1:73: error: recipe \"x\": route \"a__branch_02\" is already declared at line 1 [E202]\n" },
    { "E203: a plugin", "ROUTE r { MODEL \"m\" PLUGIN system_promt { mode: \"insert\" } }\n",
      "1:28: error: unknown plugin type \"system_promt\"; not a template and not one of the 14 plugin types (fix: "
      "change to "
      "\"system_prompt\") [E203]\n" },
    { "E203: near a template", "PLUGIN guardrails tools {}\nROUTE r { MODEL m PLUGIN \"guardrail\" }\n",
      "2:26: error: unknown plugin type \"guardrail\"; not a template and not one of the 14 plugin types (fix: change "
      "to "
      "\"guardrails\") [E203]\n" },
    { "E203: a template's type, told once", "PLUGIN t toolz {}\nROUTE r { MODEL m PLUGIN t PLUGIN t }\n",
      "1:10: error: unknown plugin type \"toolz\"; not a template and not one of the 14 plugin types (fix: change to "
      "\"tools\") [E203]\n" },
    { "E203: templates of other scopes", "PLUGIN zzzzzzzz tools {}\nRECIPE x { ROUTE r { MODEL m PLUGIN zzzzzzzz } }\n",
      "2:37: error: recipe \"x\": unknown plugin type \"zzzzzzzz\"; not a template and not one of the 14 plugin types "
      "[E203]\n" },
    { "E204: an algorithm", "ROUTE r { MODEL \"m\" ALGORITHM confidnce }\n",
      "1:31: error: unknown algorithm type \"confidnce\". Supported types: automix, confidence, fusion, hybrid, "
      "kmeans, knn, "
      "latency_aware, mlp, multi_factor, prompt, ratings, remom, router_dc, static, svm, workflows (fix: change to "
      "\"confidence\") [E204]\n" },
    { "E205: a category", "SIGNAL domain cs { mmlu_categories: [\"computer_science\"] }\n",
      "1:38: error: SIGNAL domain cs: unsupported mmlu_categories value \"computer_science\" (fix: change to "
      "\"computer "
      "science\") [E205]\n" },
    { "E205: nearest, and none", "SIGNAL domain cs { mmlu_categories: [Laww, \"law\", zzzzzzzzzzzzzzzzzzz] }\n",
      "1:38: error: SIGNAL domain cs: unsupported mmlu_categories value \"Laww\" (fix: change to \"law\") [E205]\n"
      "1:51: error: SIGNAL domain cs: unsupported mmlu_categories value \"zzzzzzzzzzzzzzzzzzz\" [E205]\n" },
    { "E205: a softmax over names",
      "SIGNAL domain law {}\nSIGNAL domain mine {}\nSIGNAL domain own { mmlu_categories: [\"math\"] }\n"
      "PROJECTION partition p { semantics: \"softmax_exclusive\" temperature: 0.1 members: [\"law\", \"mine\", "
      "\"own\"] default: \"law\" }\n"
      "PROJECTION partition q { semantics: \"exclusive\" members: [\"mine\"] default: \"mine\" }\n",
      "4:91: error: PROJECTION partition p: domain \"mine\" is not a supported domain name; give it mmlu_categories "
      "[E205]\n" },
    { "E206: sequences",
      "SIGNAL structure s { feature: { type: \"sequence\", source: { type: \"regex\", pattern: \"x\" } } }\n",
      "1:39: error: structure \"s\": feature.type sequence requires feature.source.type sequence [E206]\n" },
    { "E206: structures",
      "SIGNAL structure a { feature: { type: count source: { type: regex pattern: \"  \" } } predicate: { gt: 1 gte: 1 "
      "} }\n"
      "SIGNAL structure b { feature: { type: exists source: { type: keyword_set keywords: [] } } predicate: { gt: 1 } "
      "}\n"
      "SIGNAL structure c { feature: { type: density source: { type: text_bytes } } predicate: { lt: 1 gte: 1 } }\n"
      "SIGNAL structure d { feature: { type: sequence source: { type: sequence sequences: [[a, b], [a]] } } predicate: "
      "{} }\n"
      "SIGNAL structure e { feature: { type: many source: { type: 1 } } }\n"
      "SIGNAL structure f {}\n",
      "1:61: error: structure \"a\": feature.source.type regex requires feature.source.pattern [E206]\n"
      "1:96: error: structure \"a\": predicate: gt and gte exclude each other [E206]\n"
      "2:62: error: structure \"b\": feature.source.type keyword_set requires feature.source.keywords [E206]\n"
      "2:102: error: structure \"b\": feature.type exists takes no predicate [E206]\n"
      "3:63: error: structure \"c\": feature.source.type text_bytes requires feature.type count [E206]\n"
      "3:89: error: structure \"c\": predicate: no number lies within these bounds [E206]\n"
      "4:93: error: structure \"d\": each of feature.source.sequences needs at least two markers [E206]\n"
      "4:113: error: structure \"d\": predicate needs at least one of gt, gte, lt and lte [E206]\n"
      "5:39: error: structure \"e\": feature.type must be one of exists, count, density, sequence, got \"many\" "
      "[E206]\n"
      "5:60: error: structure \"e\": feature.source.type must be one of regex, keyword_set, sequence, text_bytes "
      "[E206]\n"
      "6:1: error: structure \"f\": feature.type is required: one of exists, count, density, sequence [E206]\n"
      "6:1: error: structure \"f\": feature.source.type is required: one of regex, keyword_set, sequence, text_bytes "
      "[E206]\n" },
    { "E206: structures that are fine",
      "SIGNAL structure a { feature: { type: count source: { type: text_bytes } } predicate: { gte: 1 lte: 1 } }\n"
      "SIGNAL structure b { feature: { type: sequence source: { type: sequence sequences: [[a, b]] } } }\n"
      "SIGNAL conversation c { feature: { type: exists source: { type: message role: user } } }\n"
      "SIGNAL conversation d { feature: { type: count source: { type: tool_definition } } predicate: { gt: 0 } }\n",
      "" },
    { "E206: conversations",
      "SIGNAL conversation a { feature: { type: density source: { type: message role: boss } } }\n"
      "SIGNAL conversation b { feature: { type: exists source: { type: image_content role: user } } predicate: { gt: 0 "
      "} }\n",
      "1:42: error: conversation \"a\": feature.type must be one of count, exists, got \"density\" [E206]\n"
      "1:80: error: conversation \"a\": feature.source.role must be one of user, assistant, system, developer, tool, "
      "non_user, "
      "got \"boss\" [E206]\n"
      "2:85: error: conversation \"b\": feature.source.role goes with feature.source.type message only [E206]\n"
      "2:105: error: conversation \"b\": feature.type exists takes no predicate [E206]\n" },
    { "E207: a recipe", "ENTRYPOINT { model_names: [\"x\"] recipe: \"ghost\" }\nROUTE r { MODEL \"m\" }\n",
      "1:41: error: ENTRYPOINT references unknown recipe \"ghost\" [E207]\n" },
    { "E207: near one",
      "ENTRYPOINT { model_names: [\"x\"] recipe: fst }\nRECIPE fast {}\nENTRYPOINT { model_names: [\"y\"] recipe: "
      "default }\n",
      "1:41: error: ENTRYPOINT references unknown recipe \"fst\" (fix: change to \"fast\") [E207]\n" },
    { "E207: incomplete", "ENTRYPOINT { model_names: [] }\nENTRYPOINT { recipe: \"default\" }\n",
      "1:1: error: ENTRYPOINT requires recipe: \"default\" or the name of a RECIPE [E207]\n"
      "1:27: error: ENTRYPOINT requires model_names: a list of at least one name [E207]\n"
      "2:1: error: ENTRYPOINT requires model_names: a list of at least one name [E207]\n" },
    { "E208: remom",
      "ROUTE r { MODEL a (lora = x), b ALGORITHM remom { breadth_schedule: [2, 0, 1.5] synthesis_model: c } }\n"
      "ROUTE s { MODEL a (lora = x) ALGORITHM remom { synthesis_model: x } }\n",
      "1:73: error: route \"r\": ALGORITHM remom: each of breadth_schedule must be an integer of at least 1 [E208]\n"
      "1:76: error: route \"r\": ALGORITHM remom: each of breadth_schedule must be an integer of at least 1 [E208]\n"
      "1:98: error: route \"r\": ALGORITHM remom: synthesis_model \"c\" is none of the route's models [E208]\n"
      "2:40: error: route \"s\": ALGORITHM remom: breadth_schedule is required: a list of integers of at least 1 "
      "[E208]\n" },
    { "E209: a strategy that is none", "ROUTING { strategy: null }\nRECIPE x { ROUTING { strategy: null } }\n",
      "1:1: error: ROUTING requires strategy [E209]\n2:12: error: recipe \"x\": ROUTING requires strategy [E209]\n" },
    { "E209: a profile without a strategy", "ROUTING {}\nRECIPE x { ROUTING {} }\n",
      "1:1: error: ROUTING requires strategy [E209]\n2:12: error: recipe \"x\": ROUTING requires strategy [E209]\n" },
    { "E220: more than an integer holds", "ROUTE r { MODEL m EMIT retention { ttl_turns: 1e30 } }",
      "1:47: error: route \"r\": EMIT retention: ttl_turns must be an integer of at least 0 [E220]\n" },
    { "C301: options of what a loop gives",
      "ROUTE r { FOR m IN [\"a\" (weight = 2)] { MODEL m (weight = 3) MODEL \"b\" (lora = x) } }",
      "1:50: constraint: FOR m: MODEL m takes no option, so \"weight\" goes nowhere; give it in the list of models "
      "[C301]\n"
      "1:73: constraint: FOR m: MODEL b takes no option, so \"lora\" goes nowhere; give it in the list of models "
      "[C301]\n" },
    { "W106: sizes of models",
      "MODEL a { param_size: \"7B\" }\nROUTE r { MODEL a (param_size = \"8B\"), b (param_size = \"1\"), b (param_size "
      "= "
      "\"2\"), b (param_size = \"1\") }\nROUTE s { MODEL a (param_size = \"7B\") }",
      "2:33: warning: model \"a\": its declaration has the param_size \"7B\", which counts [W106]\n"
      "2:78: warning: model \"b\": param_size is given twice, at line 2 as \"1\"; the first one counts [W106]\n"
      "3:33: warning: model \"a\": param_size is given twice, at line 2 as \"8B\"; the first one counts [W106]\n" },
    { "E220: retention", "ROUTE r {\n  MODEL \"m\"\n  EMIT retention { drop: true, ttl_turns: 3 }\n}\n",
      "3:43: error: route \"r\": EMIT retention: drop=true conflicts with ttl_turns=3 [E220]\n" },
    { "E220: a kind", "ROUTE r { MODEL m EMIT retentoin {} }",
      "1:24: error: route \"r\": EMIT has no kind \"retentoin\"; there is retention (fix: change to \"retention\") "
      "[E220]\n" },
    { "E220: all else",
      "ROUTE r { MODEL m EMIT retention { drop: \"true\" ttl_turns: -1 keep_curent_model: true }\n"
      "EMIT retention {} }\nROUTE s { MODEL m EMIT retention { drop: true ttl_turns: 0 } }\n",
      "1:42: error: route \"r\": EMIT retention: drop must be true or false [E220]\n"
      "1:60: error: route \"r\": EMIT retention: ttl_turns must be an integer of at least 0 [E220]\n"
      "1:63: error: route \"r\": EMIT retention: unknown field \"keep_curent_model\" (fix: change to "
      "\"keep_current_model\") "
      "[E220]\n"
      "2:1: error: route \"r\": EMIT retention already stands at line 1 [E220]\n" },
};

TEST(errors_say_where_and_what) {
    for (size_t i = 0; i < VSR_COUNT(errors); i++) {
        struct compiled c;
        compiled_make(&c, str_from_c(errors[i].source));
        CHECK_STR(compiled_findings(&c), errors[i].want, errors[i].name);
        CHECK(c.root != NULL, errors[i].name);
        compiled_done(&c);
    }
}

/* A fix that is applied leaves no error of its kind. */
TEST(fixes_mend) {
    for (size_t i = 0; i < VSR_COUNT(errors); i++) {
        struct compiled c, fixed;
        struct buf text;
        size_t n_fixes;
        compiled_make(&c, str_from_c(errors[i].source));
        buf_init(&text, COMPILED_LEN_MAX);
        n_fixes = findings_apply(&c.findings, str_from_c(errors[i].source), &text);
        compiled_make(&fixed, buf_str(&text));
        CHECK_INT(fixed.findings.n, c.findings.n - n_fixes, errors[i].name);
        compiled_done(&fixed);
        compiled_done(&c);
        buf_done(&text);
    }
}

/* The language knows the labels that the signal takes, and no other. */
TEST(domains_are_those_of_the_signal) {
    static const char *const words[] = { "biology",
                                         "business",
                                         "chemistry",
                                         "computer science",
                                         "economics",
                                         "engineering",
                                         "health",
                                         "history",
                                         "law",
                                         "math",
                                         "other",
                                         "philosophy",
                                         "physics",
                                         "psychology",
                                         "computer_science",
                                         "Law",
                                         "sports",
                                         "" };
    struct config_load_options options = { .parts = *dsl_parts(), .no_files = true };
    struct arena *arena = arena_new(0, 0);
    size_t n = 0;
    for (size_t i = 0; i < VSR_COUNT(words); i++) {
        const struct config_document *doc = NULL;
        struct diag diag;
        bool loads = config_load_text(arena,
                                      arena_printf(arena,
                                                   "version: v0.3\nrouting: {signals: {domains: [{name: d, "
                                                   "mmlu_categories: ['%s']}]}}\n",
                                                   words[i]),
                                      VSR_STR("t"), &options, &doc, &diag) == 0;
        CHECK_INT(domain_is_label(str_from_c(words[i])), loads, words[i]);
        n += loads;
    }
    CHECK_INT(n, 14, "labels");
    arena_free(arena);
}

/* ---- limits */

static vsr_str repeated(struct buf *out, const char *head, const char *each, size_t n, const char *tail) {
    buf_append_c(out, head);
    for (size_t i = 0; i < n; i++)
        buf_append_c(out, each);
    buf_append_c(out, tail);
    return buf_str(out);
}

static const struct {
    const char *name, *head, *each;
    size_t n;
    const char *tail, *want;
} limits[] = {
    { "as deep as YAML goes", "ROUTE r { MODEL m WHEN ", "NOT ", 27, "domain(a) }", "" },
    { "deeper", "ROUTE r { MODEL m WHEN ", "NOT ", 40, "domain(a) }",
      "nested too deeply: a configuration has at most 64 levels, of which each NOT and each group takes two [E105]" },
    { "branches", "DECISION_TREE t { IF domain(a) { MODEL m } ", "ELSE IF domain(a) { MODEL m } ", 298,
      "ELSE { MODEL m } }", "" },
    { "branches that are written out", "DECISION_TREE t { IF domain(a) { MODEL m } ", "ELSE IF domain(a) { MODEL m } ",
      998, "ELSE { MODEL m } }", "the program is too large: a configuration has at most 1000000 values [E106]" },
    { "too many values", "ROUTE r { MODEL m PLUGIN rag { backend: x backend_config: { a: [", "1,", YAML_NODES_MAX,
      "1] } } }", "the program is too large: a configuration has at most 1000000 values [E106]" },
};

TEST(limits_hold) {
    for (size_t i = 0; i < VSR_COUNT(limits); i++) {
        struct compiled c;
        struct buf text;
        vsr_str got;
        buf_init(&text, COMPILED_LEN_MAX);
        compiled_make(&c, repeated(&text, limits[i].head, limits[i].each, limits[i].n, limits[i].tail));
        got = compiled_findings(&c);
        CHECK_MSG(got.len == 0 ? limits[i].want[0] == '\0'
                               : limits[i].want[0] && str_find(got, str_from_c(limits[i].want)) >= 0,
                  "%s: %.*s", limits[i].name, (int)(got.len < 200 ? got.len : 200), got.ptr);
        if (got.len == 0) /* what compiles can be read back */
            CHECK_MEANS(c.arena, yaml_parsed(c.arena, yaml_text(c.arena, c.root)), c.root, limits[i].name);
        compiled_done(&c);
        buf_done(&text);
    }
}

/* Names are compared with mistakes until the budget is spent; then mistakes are told without. */
TEST(suggestions_have_a_budget) {
    struct compiled c;
    struct buf text;
    const struct findings *f = &c.findings;
    buf_init(&text, COMPILED_LEN_MAX);
    for (int i = 0; i < 1900; i++)
        buf_printf(&text, "PLUGIN template_number_%d tools {}\n", i);
    buf_append_c(&text, "ROUTE r { MODEL m ");
    for (int i = 0; i < 900; i++)
        buf_printf(&text, "PLUGIN template_numbre_%d ", i);
    buf_append_c(&text, "}");
    compiled_make(&c, buf_str(&text));
    CHECK_INT(f->n, 900, "mistakes");
    CHECK(f->items[0].fix.new_text.len > 0, "the first one has a fix");
    CHECK(f->items[899].fix.new_text.len == 0, "the last one has none");
    CHECK(f->n_compared <= FINDINGS_COMPARED_MAX, "comparisons");
    compiled_done(&c);
    buf_done(&text);
}

/* Trees repeat what their branches say: a program of trees stays bounded. */
TEST(many_trees_are_told) {
    struct compiled c;
    struct buf text;
    buf_init(&text, COMPILED_LEN_MAX);
    for (int i = 0; i < 10; i++) {
        buf_printf(&text, "DECISION_TREE t%d { IF domain(a) { MODEL m } ", i);
        repeated(&text, "", "ELSE IF domain(a) { MODEL m } ", 900, "ELSE { MODEL m } }\n");
    }
    compiled_make(&c, buf_str(&text));
    CHECK_MSG(str_find(compiled_findings(&c), VSR_STR("[E106]")) >= 0, "%.*s", VSR_FMT(compiled_findings(&c)));
    compiled_done(&c);
    buf_done(&text);
}

/* ---- places: nodes point at what they were made of */

TEST(nodes_have_places) {
    static const char source[] = "ROUTE r {\n  PRIORITY 7\n  MODEL \"m\" (weight = 2)\n  WHEN keyword(\"k\")\n}\n";
    struct compiled c;
    const struct yaml_node *decision, *priority, *rule, *ref;
    compiled_make(&c, str_from_c(source));
    decision = yaml_get(yaml_get(c.root, VSR_STR("routing")), VSR_STR("decisions"))->items[0];
    priority = yaml_get(decision, VSR_STR("priority"));
    CHECK_INT(priority->line, 2, "priority");
    CHECK_INT(priority->col, 12, "priority");
    CHECK_STR(str_sub(str_from_c(source), priority->start, priority->end), "7", "bytes");
    CHECK_INT(yaml_get_key(decision, VSR_STR("priority"))->col, 3, "key");
    ref = yaml_get(decision, VSR_STR("modelRefs"))->items[0];
    CHECK_INT(yaml_get(ref, VSR_STR("weight"))->col, 23, "weight");
    rule = yaml_get(yaml_get(decision, VSR_STR("rules")), VSR_STR("conditions"))->items[0];
    CHECK_INT(rule->line, 4, "rule");
    CHECK_INT(yaml_get(rule, VSR_STR("name"))->col, 16, "name");
    compiled_done(&c);
}

/* ---- limits of trees (dsl.md §4.8) */

/* `n` trees of one branch and ELSE, or one tree of `n` branches with ELSE. */
static vsr_str trees_text(struct arena *arena, size_t n, bool one) {
    struct buf out;
    vsr_str text;
    buf_init(&out, COMPILED_LEN_MAX);
    buf_append_c(&out, one ? "DECISION_TREE t { IF domain(d) { MODEL m } " : "");
    for (size_t i = one ? 2 : 0; i < n; i++)
        buf_printf(&out,
                   one ? "ELSE IF domain(d%zu) { MODEL m } "
                       : "DECISION_TREE t%zu { IF domain(d) { MODEL m } ELSE { MODEL m } }\n",
                   i);
    buf_append_c(&out, one ? "ELSE { MODEL m } }" : "");
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

TEST(trees_have_as_many_branches_as_fit_their_priorities) {
    static const struct {
        size_t n;
        bool one;
        const char *code; /* NULL: all is well */
    } forests[] = {
        { 300, true, NULL },    { 1000, true, "E106" }, /* no more than their conditions, each of which is denied below
                                                         */
        { 1001, true, "E111" }, { 1000, false, NULL },  { 1001, false, "E111" },
    };
    for (size_t i = 0; i < VSR_COUNT(forests); i++) {
        struct arena *arena = arena_new(0, 0);
        struct compiled c;
        compiled_make(&c, trees_text(arena, forests[i].n, forests[i].one));
        CHECK_INT(c.findings.n_of[FINDING_ERROR], forests[i].code ? 1 : 0, forests[i].one ? "branches" : "trees");
        if (forests[i].code)
            CHECK_STR(str_from_c(c.findings.items[0].code), forests[i].code, "code");
        compiled_done(&c);
        arena_free(arena);
    }
}

RUN_TESTS(T(trees_have_as_many_branches_as_fit_their_priorities), T(suggestions_have_a_budget),
          T(examples_mean_what_they_say), T(constructs_become_yaml), T(errors_say_where_and_what), T(fixes_mend),
          T(domains_are_those_of_the_signal), T(limits_hold), T(many_trees_are_told), T(nodes_have_places))
