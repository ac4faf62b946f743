/* Canonical text of configurations: the published profiles byte for byte, and what each construct becomes. */
#include "decompiled.h"
#include "texts.h"

TEST(published_profiles_are_byte_for_byte) {
    if (!test_shared_dir())
        skip();
    for (size_t i = 0; i < VSR_COUNT(published_profiles); i++) {
        struct arena *arena = arena_new(0, 0);
        struct yaml_node *root = yaml_parsed(arena, text_of_published(arena, published_profiles[i], "config.yaml"));
        check_same_text(decompiled(arena, root, NULL), text_of_published(arena, published_profiles[i], "recipe.dsl"),
                        published_profiles[i]);
        arena_free(arena);
    }
}

/* ---- constructs: a route's rules or items in YAML, and the lines that they become */

static const struct {
    const char *name, *yaml, *want, *findings;
} routes[] = {
    { "no rules", "priority: 0", "  PRIORITY 0\n", "" },
    { "always", "rules: {operator: and, conditions: []}", "  PRIORITY 0\n", "" },
    { "one leaf", "rules: {operator: OR, conditions: [{type: domain, name: law}]}",
      "  PRIORITY 0\n  WHEN domain(\"law\")\n", "" },
    { "NOT over AND",
      "rules: {operator: NOT, conditions: [{operator: AND, conditions: [{type: a, name: x}, {type: b, name: y}]}]}",
      "  PRIORITY 0\n  WHEN NOT (a(\"x\") AND b(\"y\"))\n", "" },
    { "NOT over OR over AND",
      "rules: {operator: NOT, conditions: [{operator: or, conditions: [{operator: AND, conditions: [{type: a, name: "
      "x}, "
      "{type: b, name: y}]}, {type: c, name: z}]}]}",
      "  PRIORITY 0\n  WHEN NOT (a(\"x\") AND b(\"y\") OR c(\"z\"))\n", "" },
    { "groups of one and of the same operator",
      "rules: {operator: AND, conditions: [{operator: AND, conditions: [{type: a, name: x}, {operator: OR, conditions: "
      "[{operator: AND, conditions: [{type: b, name: y}]}]}]}, {type: c, name: z, not: true}]}",
      "  PRIORITY 0\n  WHEN a(\"x\") AND b(\"y\") AND NOT c(\"z\")\n", "" },
    { "no operator", "rules: {conditions: [{type: a, name: x}, {type: b, name: y}]}",
      "  PRIORITY 0\n  WHEN (a(\"x\") OR b(\"y\"))\n",
      "2:20: warning: ROUTE r: a group without an operator counts as OR [W501]\n" },
    { "leaves with fields",
      "rules: {type: classifier, name: tox, predicate: {gte: 0}, label: \"a\\\"b\", on_error: match}",
      "  PRIORITY 0\n  WHEN classifier(\"tox\", label: \"a\\\"b\", predicate: { gte: 0 }, on_error: \"match\")\n", "" },
    { "no such operator", "rules: {operator: XOR, conditions: [{type: a, name: x}]}", "  PRIORITY 0\n",
      "2:31: error: ROUTE r: operator \"XOR\" is none of AND, OR and NOT [E210]\n" },
    { "an empty group", "rules: {operator: OR, conditions: []}", "  PRIORITY 0\n",
      "2:20: error: ROUTE r: a group of conditions is empty [E210]\n" },
    { "references", "modelRefs: [{model: a, weight: 1.50, lora_name: x, use_reasoning: true}, {model: \"7b\"}]",
      "  PRIORITY 0\n  MODEL \"a\" (reasoning = true, lora = \"x\", weight = 1.5),\n        \"7b\" (reasoning = "
      "false)\n",
      "" },
    { "loops that cover the models",
      "modelRefs: [{model: a}], candidateIterations: [{variable: m-n, source: models, models: [a], outputs: [{type: "
      "model, value: m-n}]}]",
      "  PRIORITY 0\n  FOR m_n IN [\"a\" (reasoning = false)] {\n    MODEL m_n\n  }\n", "" },
    { "loops whose variable is a word of routes",
      "candidateIterations: [{variable: FOR, source: models, models: [a], outputs: [{type: model, value: FOR}]}], "
      "modelRefs: [{model: a}]",
      "  PRIORITY 0\n  FOR FOR IN [\"a\" (reasoning = false)] {\n    MODEL \"FOR\"\n  }\n", "" },
    { "loops over two of one name",
      "modelRefs: [{model: a}, {model: a}], candidateIterations: [{variable: m, source: models, models: [a, a], "
      "outputs: [{type: model, value: m}]}]",
      "  PRIORITY 0\n  MODEL \"a\" (reasoning = false),\n        \"a\" (reasoning = false)\n  FOR m IN [\"a\", "
      "\"a\"] {\n    MODEL m\n  }\n",
      "" },
    { "loops that do not",
      "modelRefs: [{model: a}], candidateIterations: [{variable: m, source: decision.candidates, outputs: []}]",
      "  PRIORITY 0\n  MODEL \"a\" (reasoning = false)\n  FOR m IN decision.candidates {\n  }\n", "" },
    { "algorithms",
      "algorithm: {type: fusion, on_error: skip, fusion: {temperature: 0, model: a, on_error: "
      "}}",
      "  PRIORITY 0\n  ALGORITHM fusion {\n    model: \"a\"\n    on_error: \"skip\"\n    temperature: 0\n  }\n", "" },
    { "two places that differ", "algorithm: {type: fusion, on_error: skip, fusion: {model: a, on_error: fail}}",
      "  PRIORITY 0\n  ALGORITHM fusion {\n    model: \"a\"\n    on_error: \"fail\"\n  }\n",
      "2:49: warning: ROUTE r: the language has one on_error, that of the block fusion [W501]\n" },
    { "blocks of other algorithms", "algorithm: {type: static, fusion: {model: a}}",
      "  PRIORITY 0\n  ALGORITHM static\n",
      "2:39: warning: ROUTE r: the language has no place for the field fusion [W501]\n" },
    { "extras of plugins",
      "plugins: [{type: router-replay, configuration: {enabled: false, max_records: 5, capture_request_body: true}}]",
      "  PRIORITY 0\n  PLUGIN router_replay {\n    max_records: 5\n    capture_request_body: true\n    enabled: "
      "false\n  }\n",
      "" },
    { "no such plugin", "plugins: [{type: nope}]", "  PRIORITY 0\n",
      "2:23: error: ROUTE r: unknown plugin type \"nope\" [E203]\n" },
    { "emissions", "emits: [{kind: retention, retention: {ttl_turns: 0, drop: false}}]",
      "  PRIORITY 0\n  EMIT retention {\n    drop: false\n    ttl_turns: 0\n  }\n", "" },
    { "what only EXTRA says", "annotations: {team a: 5, x: {b: yes, a: [1.0]}}, output_contract: \"# x\\n\"",
      "  PRIORITY 0\n  EXTRA {\n    output_contract: \"# x\\n\"\n    annotations: { \"team a\": \"5\", x: { a: [1], b: "
      "\"yes\" } }\n  }\n",
      "" },
    { "a type that is another word", "rules: {operator: AND, conditions: [{type: or, name: b}]}", "  PRIORITY 0\n",
      "2:49: error: ROUTE r: a condition needs a type of signal and a name [E201]\n" },
    { "what the language cannot say", "tier: x, nonsense: 1", "  PRIORITY 0\n",
      "2:19: warning: ROUTE r: tier is no integer [W501]\n"
      "2:22: warning: ROUTE r: the language has no place for the field nonsense [W501]\n" },
};

TEST(routes_become_their_lines) {
    for (size_t i = 0; i < VSR_COUNT(routes); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str findings, text, got;
        vsr_str yaml = arena_printf(arena, "routing: {decisions: [\n  {name: r, %s}]}\n", routes[i].yaml);
        text = decompiled(arena, yaml_parsed(arena, yaml), &findings);
        got = str_sub(text, (size_t)str_find(text, VSR_STR("ROUTE r {\n")) + sizeof("ROUTE r {\n") - 1, text.len);
        CHECK_STR(str_sub(got, 0, got.len - 2), routes[i].want, routes[i].name);
        CHECK_STR(findings, routes[i].findings, routes[i].name);
        arena_free(arena);
    }
}

TEST(types_of_plugins_used_twice_have_a_template) {
    struct arena *arena = arena_new(0, 0);
    vsr_str text =
        decompiled(arena,
                   yaml_parsed(arena, VSR_STR("routing: {decisions: [{name: a, plugins: [{type: semantic-cache, "
                                              "configuration: {enabled: true}}, {type: memory}]}, {name: b, "
                                              "plugins: [{type: response_cache}]}]}")),
                   NULL);
    CHECK(str_find(text, VSR_STR("# PLUGINS\n")) > 0, "section");
    CHECK(str_find(text, VSR_STR("PLUGIN response_cache response_cache {}\n")) > 0, "used twice");
    CHECK(str_find(text, VSR_STR("PLUGIN memory memory")) < 0, "used once");
    arena_free(arena);
}

TEST(nothing_has_its_headers) {
    static const char *const texts[] = { "", "{}", "routing: {}", "version: v0.3" };
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        struct arena *arena = arena_new(0, 0);
        struct yaml_node *root =
            texts[i][0] ? yaml_parsed(arena, str_from_c(texts[i])) : ARENA_NEW(arena, struct yaml_node);
        vsr_str text = decompiled(arena, root, NULL);
        CHECK(str_find(text, VSR_STR("# SIGNALS\n")) > 0 && str_find(text, VSR_STR("# ROUTES\n")) > 0, texts[i]);
        CHECK(str_ends(text, VSR_STR("=\n")), texts[i]);
        arena_free(arena);
    }
}

/* ---- what is told of whole configurations */

static const struct {
    const char *name, *yaml, *text, *findings; /* `text`: a part of it */
} wholes[] = {
    { "a recipe called default", "recipes: [{name: default, routing: {}}]", "RECIPE default {\n",
      "1:11: error: in the language, default is the name of the profile that belongs to no RECIPE [E202]\n" },
    { "a model twice", "routing: {modelCards: [{name: m, modality: a}, {name: m, modality: b}]}",
      "MODEL m {\n  modality: \"a\"\n}\n", "1:48: error: the model m is declared twice [E202]\n" },
    { "a LoRA without a name", "routing: {modelCards: [{name: m, loras: [{description: d}, {name: l}]}]}",
      "MODEL m {\n  loras: [\n    { name: \"l\" }\n  ]\n}\n",
      "1:42: warning: MODEL m: a LoRA without a name is none [W501]\n" },
    { "only LoRAs without a name", "routing: {modelCards: [{name: m, loras: [{description: d}]}]}", "MODEL m {\n}\n",
      "1:42: warning: MODEL m: a LoRA without a name is none [W501]\n" },
    { "a loop over a list and the candidates",
      "routing: {decisions: [{name: r, modelRefs: [{model: a}], candidateIterations: [{variable: v, source: "
      "decision.candidates, models: [a], outputs: []}]}]}",
      "  FOR v IN [\"a\"] {\n  }\n", "1:80: warning: ROUTE r: a loop over a list has the source models [W501]\n" },
    { "models of providers, of routes, of recipes",
      "providers: {models: [{name: p}, {name: c}]}\nrouting: {modelCards: [{name: c, modality: x, loras: [{name: "
      "l}]}], "
      "decisions: [{name: r, modelRefs: [{model: b}, {model: l}]}]}\n"
      "recipes: [{name: x, routing: {decisions: [{name: r, modelRefs: [{model: a}]}]}}]",
      "MODEL a {\n}\n\nMODEL b {\n}\n\nMODEL c {\n  loras: [\n    { name: \"l\" }\n  ]\n  modality: \"x\"\n}\n\n"
      "MODEL p {\n}\n\n#",
      "" },
    { "settings alone", "global: {}", "# SIGNALS\n", "" },
    { "nothing", "{}", "# SIGNALS\n", "" },
    { "no configuration", "foo: bar\nsignals: []", "",
      "1:1: error: this is no configuration: expected routing, entrypoints or recipes, or version, listeners, "
      "providers or global [E210]\n" },
};

TEST(whole_configurations) {
    for (size_t i = 0; i < VSR_COUNT(wholes); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str findings;
        vsr_str text = decompiled(arena, yaml_parsed(arena, str_from_c(wholes[i].yaml)), &findings);
        CHECK_MSG(str_find(text, str_from_c(wholes[i].text)) >= 0, "case \"%s\": got\n%.*s", wholes[i].name,
                  VSR_FMT(text));
        CHECK_STR(findings, wholes[i].findings, wholes[i].name);
        arena_free(arena);
    }
}

TEST(text_that_no_program_holds_is_told) {
    struct arena *arena = arena_new(0, 0);
    char *long_text = ARENA_ARRAY(arena, char, DSL_BYTES_MAX);
    struct yaml_node *root = yaml_parsed(arena, VSR_STR("routing: {signals: {domains: [{name: d, description: x}]}}"));
    struct yaml_node *signals = yaml_get(yaml_get(root, VSR_STR("routing")), VSR_STR("signals"));
    struct yaml_node *description = yaml_get(yaml_get(signals, VSR_STR("domains"))->items[0], VSR_STR("description"));
    size_t rest = decompiled(arena, root, NULL).len - 1;
    vsr_str findings;
    memset(long_text, 'x', DSL_BYTES_MAX);
    description->text = str_make(long_text, DSL_BYTES_MAX - rest);
    CHECK_INT(decompiled(arena, root, NULL).len, DSL_BYTES_MAX, "as long as can be");
    description->text.len++;
    (void)decompiled(arena, root, &findings);
    CHECK_STR(findings, "1:1: error: the text is 8388609 bytes long, and the language reads at most 8388608 [E106]\n",
              "longer");
    arena_free(arena);
}

RUN_TESTS(T(whole_configurations), T(text_that_no_program_holds_is_told), T(published_profiles_are_byte_for_byte),
          T(routes_become_their_lines), T(types_of_plugins_used_twice_have_a_template), T(nothing_has_its_headers))
