/* Compiled programs inside whole configurations: what is replaced, what stays, and that published profiles stay same.
 */
#include "config/yaml_edit.h"
#include "decompiled.h"
#include "loaded.h"
#include "texts.h"

#include "config/diff.h"

/* ---- profiles: the program that stands beside a configuration is its routing */

/*
 * What canonical form changes and means the same: cards are sorted, a single condition is put into an AND, a decision
 * without a condition says so, and what two algorithms do with errors stands in both places (dsl.md §4.9).
 */
static bool is_canonical(const struct config_change *change) {
    vsr_str one = VSR_STR("{operator: OR, conditions: [{"), all = VSR_STR("{operator: AND, conditions: [{");
    if (change->kind == CHANGE_ORDER)
        return str_ends(change->path, VSR_STR("modelCards"));
    if (str_ends(change->path, VSR_STR(".algorithm.on_error")))
        return change->before.len == 0;
    if (!str_ends(change->path, VSR_STR(".rules")))
        return false;
    if (change->before.len == 0)
        return str_eq_c(change->after, "{operator: AND}");
    return str_starts(change->before, one) && str_starts(change->after, all) &&
           str_eq(str_sub(change->before, one.len, change->before.len),
                  str_sub(change->after, all.len, change->after.len)) &&
           str_find(change->before, VSR_STR("}, {")) < 0;
}

static void check_same(struct arena *arena, vsr_str before, vsr_str after, const char *name) {
    struct config_changes changes;
    config_diff(config_schema(arena, dsl_parts()), loaded(arena, before, name), loaded(arena, after, name), arena,
                &changes);
    for (size_t i = 0; i < changes.n; i++)
        CHECK_MSG(is_canonical(&changes.items[i]), "%s: %.*s: %.*s -> %.*s", name, VSR_FMT(changes.items[i].path),
                  VSR_FMT(changes.items[i].before), VSR_FMT(changes.items[i].after));
}

TEST(profiles_stay_the_same) {
    if (!test_shared_dir())
        skip();
    for (size_t i = 0; i < VSR_COUNT(published_profiles); i++) {
        struct arena *arena = arena_new(0, 0);
        const char *name = published_profiles[i];
        vsr_str yaml = text_of_published(arena, name, "config.yaml");
        struct compiled c;
        struct yaml_node *base;
        compiled_make(&c, text_of_published(arena, name, "recipe.dsl"));
        CHECK_STR(compiled_findings(&c), "", name);
        base = yaml_parsed(arena, yaml);
        CHECK_INT(dsl_merge(arena, c.language, base, c.root), 0, "merged");
        check_same(arena, yaml, yaml_text(arena, base), name);
        compiled_done(&c);
        arena_free(arena);
    }
}

/* ---- what stays */

static const struct {
    const char *name, *base, *program, *want;
} merges[] = {
    { "of references by model and LoRA",
      "routing: {decisions: [{name: r, modelRefs: [{model: m, reasoning_description: because}, {model: m, lora_name: "
      "z, "
      "reasoning_description: because z}]}]}",
      "ROUTE r { MODEL m (lora = z), m, n }",
      "routing: {modelCards: [{name: m}, {name: n}], decisions: [{name: r, rules: {operator: AND}, modelRefs: [{model: "
      "m, lora_name: z, reasoning_description: because z}, {model: m, reasoning_description: because}, {model: "
      "n}]}]}" },
    { "not what another algorithm said, nor what the program says otherwise",
      "routing: {decisions: [{name: r, algorithm: {type: confidence, on_error: skip, odd: 1}}, {name: s, algorithm: "
      "{type: fusion, on_error: skip, fusion: {on_error: fail, model: m}}}, {name: t, algorithm: {type: confidence, "
      "on_error: skip}}, {name: u, tier: 3, algorithm: {type: static, on_error: skip}}]}",
      "ROUTE r { ALGORITHM static } ROUTE s { ALGORITHM fusion { on_error: stop model: m } } ROUTE t { ALGORITHM "
      "confidence { threshold: 0.5 } } ROUTE u { ALGORITHM static }",
      "routing: {decisions: [{name: r, rules: {operator: AND}, algorithm: {type: static}}, {name: s, rules: {operator: "
      "AND}, algorithm: {type: fusion, fusion: {model: m, on_error: stop}, on_error: stop}}, {name: t, rules: "
      "{operator: AND}, algorithm: {type: confidence, confidence: {threshold: 0.5}, on_error: skip}}, {name: u, rules: "
      "{operator: AND}, algorithm: {type: static}}]}" },
    { "every field of EXTRA",
      "routing: {decisions: [{name: r, on_unknown: match, fallback: true, output_contract: c, output_contract_spec: "
      "{a: "
      "1}, adaptations: {mode: observe}, annotations: {a: b}}]}",
      "ROUTE r { PRIORITY 3 }",
      "routing: {decisions: [{name: r, priority: 3, rules: {operator: AND}, on_unknown: match, fallback: true, "
      "output_contract: c, output_contract_spec: {a: 1}, adaptations: {mode: observe}, annotations: {a: b}}]}" },
    { "of plugins by type, in their order, under each of its names",
      "routing: {decisions: [{name: r, plugins: [{type: semantic-cache, odd: 1}, {type: memory, odd: 2}, {type: "
      "memory, odd: 3}]}]}",
      "ROUTE r { PLUGIN memory { enabled: true } PLUGIN response_cache }",
      "routing: {decisions: [{name: r, rules: {operator: AND}, plugins: [{type: memory, configuration: {enabled: "
      "true}, "
      "odd: 2}, {type: response_cache, configuration: {}, odd: 1}]}]}" },
    { "the rest of the document, in order",
      "zoo: 1\nglobal: {a: 1}\nrouting: {decisions: []}\nalpha: 2\nversion: v0.3\nproviders: {x: 1}\n",
      "ROUTE r { MODEL m }",
      "version: v0.3\nproviders: {x: 1}\nrouting: {modelCards: [{name: m}], decisions: [{name: r, rules: {operator: "
      "AND}, modelRefs: [{model: m}]}]}\nglobal: {a: 1}\nalpha: 2\nzoo: 1\n" },
    { "a card for each model of the base, in order",
      "providers: {models: [{name: z}, {name: a}, {name: m}, {name: a}, {odd: 1}, {name: null}, x]}\nrouting: "
      "{modelCards: [{name: z, description: gone}]}\n",
      "ROUTE r { MODEL m }",
      "providers: {models: [{name: z}, {name: a}, {name: m}, {name: a}, {odd: 1}, {name: null}, x]}\nrouting: "
      "{modelCards: [{name: a}, {name: m}, {name: z}], decisions: [{name: r, rules: {operator: AND}, modelRefs: "
      "[{model: m}]}]}\n" },
    { "cards of the base's models where the program names none", "providers: {models: [{name: a}]}\n",
      "SIGNAL domain law {}",
      "providers: {models: [{name: a}]}\nrouting: {modelCards: [{name: a}], signals: {domains: [{name: law}]}}\n" },
    { "cards of the base's models where the program says nothing", "providers: {models: [{name: a}]}\n", "# nothing",
      "providers: {models: [{name: a}]}\nrouting: {modelCards: [{name: a}]}\n" },
    { "no cards for models that are no list, and no routing for none", "providers: {models: {name: a}}\nzoo: 1\n",
      "# nothing", "providers: {models: {name: a}}\nzoo: 1\n" },
    { "entrypoints and recipes go when the program has none",
      "version: v0.3\nrouting: {strategy: priority}\nentrypoints: [{model_names: [a], recipe: x}]\nrecipes: [{name: "
      "x}]\n",
      "SIGNAL domain law {}", "version: v0.3\nrouting: {signals: {domains: [{name: law}]}}\n" },
    { "routing goes too", "version: v0.3\nrouting: {strategy: priority}\n", "# nothing", "version: v0.3\n" },
    { "fields without words, by recipe and name",
      "routing:\n  decisions:\n  - {name: r, annotations: {a: b}, fallback: true, adaptations: {mode: observe}, "
      "modelRefs: "
      "[{model: m, reasoning_description: why}, {model: n}]}\n  - {name: gone, annotations: {c: d}}\n"
      "recipes:\n- {name: x, routing: {decisions: [{name: r, output_contract: short}]}}\n",
      "ROUTE r { MODEL m, n EXTRA { fallback: false } } RECIPE x { ROUTE r { MODEL m } ROUTE s { MODEL m } } RECIPE y "
      "{ ROUTE "
      "r { MODEL m } }",
      "routing: {modelCards: [{name: m}, {name: n}], decisions: [{name: r, rules: {operator: AND}, modelRefs: [{model: "
      "m, "
      "reasoning_description: why}, {model: n}], fallback: false, annotations: {a: b}, adaptations: {mode: "
      "observe}}]}\n"
      "recipes: [{name: x, routing: {decisions: [{name: r, rules: {operator: AND}, modelRefs: [{model: m}], "
      "output_contract: short}, {name: s, rules: {operator: AND}, modelRefs: [{model: m}]}]}},"
      "{name: y, routing: {decisions: [{name: r, rules: {operator: AND}, modelRefs: [{model: m}]}]}}]" },
};

/* Bases that the language cannot say whole: their own program leaves them as they are. */
static const struct {
    const char *name, *decision;
} unsayable[] = {
    { "the outer of two places", "algorithm: {type: fusion, on_error: skip, fusion: {on_error: fail, model: m}}" },
    { "beside an algorithm", "algorithm: {type: confidence, on_error: skip, confidence: {confidence_method: margin}}" },
    { "a block of another algorithm", "algorithm: {type: static, fusion: {model: m}}" },
    { "keys that nobody knows",
      "weird: 3, plugins: [{type: memory, odd: 1, configuration: {enabled: true, odder: {a: 2}}}, {type: memory, "
      "configuration: {enabled: false, odder: {a: 3}}}], emits: [{kind: retention, odd: 1, retention: {drop: true, "
      "odder: 4}}]" },
    { "keys within a rule", "rules: {operator: AND, conditions: [{type: domain, name: x, odd: 1}], odder: 2}" },
    { "a loop over the candidates with a list",
      "candidateIterations: [{variable: m_n, source: decision.candidates, models: [{model: a, odd: 1}], outputs: "
      "[{type: model, value: a}]}]" },
    { "a loop whose models are none of the route's",
      "candidateIterations: [{variable: v, source: models, models: [a], outputs: [{type: model, value: v}]}]" },
    { "a loop that makes one more model",
      "modelRefs: [{model: b}], candidateIterations: [{variable: v, source: models, models: [b, a], outputs: [{type: "
      "model, value: v}]}]" },
    { "a variable that is no word", "candidateIterations: [{variable: 1x, source: models, models: [a], outputs: []}]" },
    { "references that differ by LoRA",
      "modelRefs: [{model: m, reasoning_description: because}, {model: m, lora_name: z, reasoning_description: \"z\"}, "
      "{model: m, lora_name: z, reasoning_description: again}]" },
    { "values of another kind", "tier: x, modelRefs: [{model: m, weight: \"1\"}]" },
    { "null in a list", "annotations: {a: [1, null, x]}" },
    { "types that a text loses", "annotations: {a: [1, 2.0, true, \"3\"], b: 2.0}" },
};

TEST(own_programs_change_nothing) {
    for (size_t i = 0; i < VSR_COUNT(unsayable); i++) {
        struct arena *arena = arena_new(0, 0);
        vsr_str yaml = arena_printf(arena,
                                    "routing: {modelCards: [{name: a}, {name: b}, {name: m}], signals: {domains: "
                                    "[{name: x, odd: 1}], odd: [{name: y}]}, decisions: [{name: r, priority: 5, %s}]}\n"
                                    "recipes: [{name: p, odd: 1, routing: {decisions: [{name: r, priority: 6, %s}]}}]",
                                    unsayable[i].decision, unsayable[i].decision);
        struct yaml_node *base = yaml_parsed(arena, yaml), *want = yaml_parsed(arena, yaml);
        vsr_str lost;
        struct compiled c;
        compiled_make(&c, decompiled(arena, base, &lost));
        CHECK_STR(compiled_findings(&c), "", unsayable[i].name);
        CHECK_INT(dsl_merge(arena, c.language, base, c.root), 0, "merged");
        for (size_t k = 0; k < 2; k++) {
            struct yaml_node *profile = yaml_get(base, VSR_STR("routing"));
            struct yaml_node *decision;
            ptrdiff_t rules;
            if (k == 1)
                profile = yaml_get(yaml_get(base, VSR_STR("recipes"))->items[0], VSR_STR("routing"));
            decision = yaml_get(profile, VSR_STR("decisions"))->items[0];
            rules = yaml_find(decision, VSR_STR("rules"));
            if (rules >= 0 && decision->items[rules]->n_items == 1) /* one that always holds is said */
                yaml_remove(decision, (size_t)rules);
        }
        CHECK_MEANS(arena, base, want, unsayable[i].name);
        compiled_done(&c);
        arena_free(arena);
    }
}

TEST(what_would_be_lost_is_refused) {
    struct arena *arena = arena_new(0, 0);
    struct compiled c;
    struct yaml_node *base;
    struct buf yaml;
    buf_init(&yaml, DSL_BYTES_MAX + 200);
    buf_append_c(&yaml, "routing: {decisions: [{name: r, annotations: {a: b}, description: \"");
    for (size_t i = 0; i < DSL_BYTES_MAX; i++)
        buf_append_char(&yaml, 'x');
    buf_append_c(&yaml, "\"}]}\n");
    base = yaml_parsed(arena, buf_str(&yaml));
    compiled_make(&c, VSR_STR("ROUTE r { MODEL m }"));
    CHECK_INT(dsl_merge(arena, c.language, base, c.root), VSR_E_LIMIT, "a base of more than a program may have");
    CHECK(base->n_items == 1 && yaml_get(base->items[0], VSR_STR("decisions")), "the base is as it was");
    compiled_done(&c);
    buf_done(&yaml);
    arena_free(arena);
}

TEST(numbers_keep_their_spelling) {
    struct arena *arena = arena_new(0, 0);
    struct yaml_node *base =
        yaml_parsed(arena, VSR_STR("routing: {decisions: [{name: r, annotations: {a: [2.0, 0x10]}}]}"));
    struct compiled c;
    compiled_make(&c, decompiled(arena, base, NULL));
    CHECK_INT(dsl_merge(arena, c.language, base, c.root), 0, "merged");
    CHECK(str_find(yaml_text(arena, base), VSR_STR("2.0")) > 0, "a float");
    CHECK(str_find(yaml_text(arena, base), VSR_STR("0x10")) > 0, "an integer");
    compiled_done(&c);
    arena_free(arena);
}

static bool same_keys(const struct yaml_node *a, const struct yaml_node *b) {
    for (size_t i = 0; i < a->n_items; i++)
        if (!str_eq(a->keys[i]->text, b->keys[i]->text))
            return false;
    return true;
}

TEST(what_is_not_said_stays) {
    for (size_t i = 0; i < VSR_COUNT(merges); i++) {
        struct compiled c;
        struct yaml_node *base, *want;
        compiled_make(&c, str_from_c(merges[i].program));
        CHECK_STR(compiled_findings(&c), "", merges[i].name);
        base = yaml_parsed(c.arena, str_from_c(merges[i].base));
        want = yaml_parsed(c.arena, str_from_c(merges[i].want));
        CHECK_INT(dsl_merge(c.arena, c.language, base, c.root), 0, "merged");
        CHECK_MEANS(c.arena, base, want, merges[i].name);
        CHECK(same_keys(base, want), merges[i].name);
        compiled_done(&c);
    }
}

RUN_TESTS(T(profiles_stay_the_same), T(what_is_not_said_stays), T(own_programs_change_nothing),
          T(what_would_be_lost_is_refused), T(numbers_keep_their_spelling))
