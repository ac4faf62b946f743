/* Programs to trees of YAML: the examples of the specification, what each construct becomes, errors with their places.
 */
#include "compiled.h"

#include <dirent.h>

enum { PATH_LEN = 1024 };

/* ---- examples: tests/fixtures/dsl/examples/NAME.dsl means what NAME.yaml says */

static vsr_str read_file(struct arena *arena, const char *folder, const char *name) {
    const char *source = getenv("VSR_TEST_SOURCE");
    enum { LEN_MAX = 1 << 20 };
    char path[PATH_LEN], *bytes = arena_alloc(arena, LEN_MAX);
    size_t len;
    FILE *file;
    snprintf(path, sizeof(path), "%s/tests/fixtures/dsl/%s/%s", source ? source : ".", folder, name);
    file = fopen(path, "rb");
    CHECK_MSG(file != NULL, "%s", path);
    len = fread(bytes, 1, LEN_MAX, file);
    fclose(file);
    return str_make(bytes, len);
}

static const char *const examples[] = {
    "01_catch_all",   "02_keyword_leaf",  "03_precedence", "04_not_over_and",       "05_template",
    "06_projections", "07_decision_tree", "08_algorithm",  "09_loop_and_retention", "10_recipes",
};

TEST(examples_mean_what_they_say) {
    for (size_t i = 0; i < VSR_COUNT(examples); i++) {
        struct arena *arena = arena_new(0, 0);
        char name[PATH_LEN];
        struct compiled c;
        struct yaml_node *want;
        snprintf(name, sizeof(name), "%s.dsl", examples[i]);
        compiled_make(&c, read_file(arena, "examples", name));
        snprintf(name, sizeof(name), "%s.yaml", examples[i]);
        want = yaml_parsed(arena, read_file(arena, "examples", name));
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

RUN_TESTS(T(examples_mean_what_they_say), T(constructs_become_yaml))
