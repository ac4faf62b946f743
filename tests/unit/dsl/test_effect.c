/* What a change of a policy does: small cases, and random pairs of policies in every world. */
#include "dsl/effect.h"

#include "worlds.h"

enum { ROUNDS = 300, ROUNDS_LONG = 10000, WORLDS_MAX = 4000 };

static void find(struct arena *arena, const char *before, const char *after, struct effects *effects) {
    struct prove_options options = { .families = dsl_parts()->families, .budget_ms = -1 };
    effects_find(arena, config_schema(arena, dsl_parts()), loaded(arena, proved_yaml(arena, before), "before.yaml"),
                 loaded(arena, proved_yaml(arena, after), "after.yaml"), &options, effects);
}

static vsr_str text_of(struct arena *arena, const struct effects *effects) {
    struct buf out;
    vsr_str text;
    buf_init(&out, PROVED_LEN_MAX);
    for (size_t i = 0; i < effects->n; i++)
        buf_printf(&out, "%.*s: %.*s {%.*s}\n", VSR_FMT(effects->items[i].profile),
                   VSR_FMT(effect_text(arena, &effects->items[i])), VSR_FMT(effects->items[i].witness));
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

#define SIGNALS \
    "  signals:\n    keywords: [{name: k, operator: OR, keywords: [x]}, {name: l, operator: OR, keywords: [y]}]\n" \
    "  decisions:\n"
#define ROUTE(name, priority, rules, model) \
    "    - {name: " name ", priority: " priority ", rules: " rules ", modelRefs: [{model: " model \
    ", use_reasoning: false}]}\n"
#define HANDLED(name, priority, rules, more) \
    "    - {name: " name ", priority: " priority ", rules: " rules ", " more \
    ", modelRefs: [{model: b, use_reasoning: false}]}\n"
#define COUNTED(bound) \
    "  signals: {structure: [{name: q, feature: {type: count, source: {type: keyword_set, keywords: [zap]}}, " \
    "predicate: " \
    "{" bound "}}]}\n  decisions:\n" ROUTE("r", "1", "{type: structure, name: q}", "a")
#define MAPPED(slope, bound, route_rules) \
    "  strategy: confidence\n  signals: {keywords: [{name: k, operator: OR, keywords: [x]}], domains: [{name: " \
    "law}]}\n" \
    "  projections:\n    scores: [{name: s, method: weighted_sum, inputs: [{type: keyword, name: k, weight: 1}]}]\n" \
    "    mappings: [{name: m, source: s, method: threshold_bands, calibration: {method: sigmoid_distance, " \
    "slope: " slope "}, outputs: [{name: hi, gte: " bound "}]}]\n  decisions:\n" ROUTE("r", "1", route_rules, "a") \
        ROUTE("s", "1", "{type: domain, name: law}", "b")
#define HI "{type: projection, name: hi}"
#define TWISTED(tiered) \
    "  untiered: first\n  signals:\n    keywords: [{name: k, operator: OR, keywords: [x]}, {name: l, operator: OR, " \
    "keywords: [y]}]\n  decisions:\n" ROUTE( \
        "r", "9", "{type: keyword, name: k}", \
        "a") "    - {name: s, priority: 1, modelRefs: [{model: b, use_reasoning: false}]}\n" \
             "    - {name: t, tier: 1, rules: " tiered ", modelRefs: [{model: b, use_reasoning: false}]}\n"
#define K "{type: keyword, name: k}"
#define L "{type: keyword, name: l}"

static const struct {
    const char *name, *before, *after, *want;
} cases[] = {
    { "the same", SIGNALS ROUTE("r", "1", K, "a"), SIGNALS ROUTE("r", "1", K, "a"), "" },
    { "written in another way",
      SIGNALS ROUTE("r", "1", "{operator: NOT, conditions: [{operator: AND, conditions: [" K ", " L "]}]}", "a"),
      SIGNALS ROUTE("r", "1",
                    "{operator: OR, conditions: [{operator: NOT, conditions: [" L "]}, {operator: NOT, conditions: [" K
                    "]}]}",
                    "a"),
      "" },
    { "another priority", SIGNALS ROUTE("r", "1", K, "a") ROUTE("s", "2", L, "b"),
      SIGNALS ROUTE("r", "3", K, "a") ROUTE("s", "2", L, "b"),
      "default: requests of \"s\" go to \"r\" {keyword(l) true, keyword(k) true}\n" },
    { "a priority that changes nothing", SIGNALS ROUTE("r", "1", K, "a") ROUTE("s", "2", L, "b"),
      SIGNALS ROUTE("r", "1", K, "a") ROUTE("s", "7", L, "b"), "" },
    { "a route that is gone", SIGNALS ROUTE("r", "1", K, "a") ROUTE("s", "2", L, "b"), SIGNALS ROUTE("r", "1", K, "a"),
      "default: requests of \"s\" go to no route {keyword(l) true}\n"
      "default: requests of \"s\" go to \"r\" {keyword(l) true, keyword(k) true}\n" },
    { "another model", SIGNALS ROUTE("r", "1", K, "a"), SIGNALS ROUTE("r", "1", K, "b"),
      "default: requests of \"r\" go to other models {keyword(k) true}\n" },
    { "another model of a route that nothing reaches", SIGNALS ROUTE("r", "1", K, "a") ROUTE("s", "2", K, "b"),
      SIGNALS ROUTE("r", "1", K, "b") ROUTE("s", "2", K, "b"), "" },
    { "a signal that means something else", SIGNALS ROUTE("r", "1", K, "a"),
      "  signals:\n    keywords: [{name: k, operator: OR, keywords: [z]}]\n  decisions:\n" ROUTE("r", "1", K, "a"),
      "default: requests of \"r\" go to no route {keyword(k) true, keyword(k) after the change false}\n"
      "default: requests of no route go to \"r\" {keyword(k) after the change true, keyword(k) false}\n" },

    { "a plugin more", SIGNALS ROUTE("r", "1", K, "a") ROUTE("s", "0", "{}", "b"),
      SIGNALS ROUTE("r", "1", K, "a") HANDLED("s", "0", "{}",
                                              "plugins: [{type: fast_response, configuration: {message: "
                                              "No}}]"),
      "default: requests of \"s\" are handled in another way (plugins) {keyword(k) false}\n" },
    { "a setting of the algorithm",
      SIGNALS HANDLED("r", "1", K,
                      "algorithm: {type: confidence, confidence: {threshold: "
                      "0.7}}"),
      SIGNALS HANDLED("r", "1", K, "algorithm: {type: confidence, confidence: {threshold: 0.1}}"),
      "default: requests of \"r\" are handled in another way (algorithm) {keyword(k) true}\n" },
    { "a default that is written out",
      SIGNALS HANDLED("r", "1", K, "algorithm: {type: confidence, confidence: {threshold: 0.7}}"),
      SIGNALS HANDLED("r", "1", K, "algorithm: {type: confidence, confidence: {threshold: 0.70, on_error: skip}}"),
      "" },
    { "a plugin of a route that nothing reaches", SIGNALS ROUTE("s", "2", K, "b") ROUTE("r", "1", K, "b"),
      SIGNALS ROUTE("s", "2", K, "b") HANDLED("r", "1", K,
                                              "plugins: [{type: fast_response, configuration: {message: "
                                              "No}}]"),
      "" },
    { "what is for readers", SIGNALS HANDLED("r", "1", K, "description: old"),
      SIGNALS HANDLED("r", "1", K, "description: new"), "" },
    { "counts that are the same, and signals that fail", COUNTED("gte: 3"), COUNTED("gt: 2"),
      "default: requests of no route go to \"r\" while a signal cannot be evaluated {structure(q) after the change "
      "true, structure(q) false}\n"
      "default: requests of \"r\" go to no route while a signal cannot be evaluated {structure(q) true, structure(q) "
      "after the change false}\n" },

    /* confidences */
    { "the same mapping", MAPPED("1", "0.5", HI), MAPPED("1", "0.5", HI), "" },
    { "a slope makes a band more sure", MAPPED("1", "0.5", HI), MAPPED("10", "0.5", HI),
      "default: \"r\" may have another confidence, which decides between routes of its rank {projection(hi) true, "
      "projection(hi) after the change true, domain(law) true}\n" },
    { "a bound that lets the same through", MAPPED("1", "0.5", HI), MAPPED("1", "0.4", HI),
      "default: \"r\" may have another confidence, which decides between routes of its rank {projection(hi) true, "
      "projection(hi) after the change true, domain(law) true}\n" },
    { "a slope that no route reads", MAPPED("1", "0.5", K), MAPPED("10", "0.5", K), "" },
    { "a tier that matches makes confidences decide", TWISTED(K), TWISTED(L),
      "default: \"r\" may win over routes of its rank in another order: whether a tier matches decides that "
      "{keyword(k) true, keyword(l) false}\n"
      "default: \"s\" may win over routes of its rank in another order: whether a tier matches decides that "
      "{keyword(k) true, keyword(l) false}\n" },
};

TEST(small_changes) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct effects effects;
        find(arena, cases[i].before, cases[i].after, &effects);
        CHECK_STR(text_of(arena, &effects), cases[i].want, cases[i].name);
        CHECK(effects.complete, cases[i].name);
        arena_free(arena);
    }
}

/* ---- what signals inherit */

#define INHERITING(family, type, name) \
    "  signals: {" family "}\n  decisions:\n" ROUTE("r", "1", "{type: " type ", name: " name "}", "a")
#define MODULES(text) "global: {model_catalog: {modules: {" text "}}}\n"
#define MODALITY INHERITING("modality: [{name: DIFFUSION}]", "modality", "DIFFUSION")
#define DENSE \
    INHERITING( \
        "structure: [{name: d, feature: {type: count, source: {type: regex, pattern: q}}, predicate: {gte: 3}}]", \
        "structure", "d")
#define CONTEXT INHERITING("context: [{name: c, min_tokens: 100}]", "context", "c")
#define METADATA INHERITING("metadata: [{name: m, key: t, predicate: {equals: x}}]", "metadata", "m")

/* The same routing, and another `global`: whether requests of the route may go elsewhere. */
static const struct {
    const char *name, *routing, *before, *after;
    bool moves;
} inherited[] = {
    { "keywords of a module", MODALITY,
      MODULES("modality_detector: {enabled: true, method: keyword, keywords: [draw]}"),
      MODULES("modality_detector: {enabled: true, method: keyword, keywords: [paint]}"), true },
    { "the same keywords", MODALITY, MODULES("modality_detector: {enabled: true, method: keyword, keywords: [draw]}"),
      MODULES("modality_detector: {enabled: true, method: keyword, keywords: [draw]}"), false },
    { "a module of other signals", MODALITY, MODULES("classifier: {pii: {threshold: 0.5}}"),
      MODULES("classifier: {pii: {threshold: 0.6}}"), false },
    { "a threshold of a guard", INHERITING("jailbreak: [{name: j}]", "jailbreak", "j"),
      MODULES("prompt_guard: {threshold: 0.5}"), MODULES("prompt_guard: {threshold: 0.6}"), true },
    { "a threshold of domains", INHERITING("domains: [{name: law}]", "domain", "law"),
      MODULES("classifier: {domain: {threshold: 0.5}}"), MODULES("classifier: {domain: {threshold: 0.6}}"), true },
    { "a threshold of names and numbers", INHERITING("pii: [{name: p}]", "pii", "p"),
      MODULES("classifier: {pii: {threshold: 0.5}}"), MODULES("classifier: {pii: {threshold: 0.6}}"), true },
    { "a threshold of feedback", INHERITING("user_feedbacks: [{name: satisfied}]", "user_feedback", "satisfied"),
      MODULES("feedback_detector: {threshold: 0.5}"), MODULES("feedback_detector: {threshold: 0.6}"), true },
    { "what is compressed is measured anew", DENSE, MODULES("prompt_compression: {enabled: false, max_tokens: 100}"),
      MODULES("prompt_compression: {enabled: true, max_tokens: 100}"), true },
    { "how tokens are estimated", CONTEXT, "global: {router: {context_estimate: {structured_bytes_per_token: 2}}}\n",
      "global: {router: {context_estimate: {structured_bytes_per_token: 3}}}\n", true },
    { "metadata inherits nothing", METADATA, MODULES("prompt_compression: {enabled: false, max_tokens: 100}"),
      MODULES("prompt_compression: {enabled: true, max_tokens: 100}"), false },
    { "what routing does not read", DENSE, "global: {stores: {semantic_cache: {similarity_threshold: 0.7}}}\n",
      "global: {stores: {semantic_cache: {similarity_threshold: 0.8}}}\n", false },
};

TEST(signals_inherit_what_is_global) {
    for (size_t i = 0; i < VSR_COUNT(inherited); i++) {
        struct arena *arena = arena_new(0, 0);
        struct effects effects;
        find(arena, arena_printf(arena, "%s%s", inherited[i].routing, inherited[i].before).ptr,
             arena_printf(arena, "%s%s", inherited[i].routing, inherited[i].after).ptr, &effects);
        CHECK_INT(effects.n, inherited[i].moves ? 2 : 0, inherited[i].name);
        CHECK(effects.complete, inherited[i].name);
        arena_free(arena);
    }
}

/* ---- recipes */

#define RECIPES(list) "  decisions: []\nrecipes:\n" list
#define RECIPE(name) \
    "  - {name: " name ", routing: {decisions: [{name: r, modelRefs: [{model: a, use_reasoning: false}]}]}}\n"

TEST(confidences_in_a_recipe) {
    static const char recipe[] =
        "  decisions: []\nrecipes:\n  - name: one\n    routing:\n      strategy: confidence\n"
        "      signals: {keywords: [{name: k, operator: OR, keywords: [x]}, {name: l, operator: OR, keywords: [y]}]}\n"
        "      projections:\n        scores: [{name: s, method: weighted_sum, inputs: [{type: keyword, name: k, "
        "weight: "
        "1}]}]\n"
        "        mappings: [{name: m, source: s, method: threshold_bands, calibration: {method: sigmoid_distance, "
        "slope: %s}, outputs: [{name: hi, gte: 0.5}]}]\n      decisions:\n"
        "        - {name: r, rules: {type: projection, name: hi}, modelRefs: [{model: a, use_reasoning: false}]}\n"
        "        - {name: s, rules: {type: keyword, name: l}, modelRefs: [{model: b, use_reasoning: false}]}\n";
    struct arena *arena = arena_new(0, 0);
    struct effects effects;
    find(arena, arena_printf(arena, recipe, "1").ptr, arena_printf(arena, recipe, "2").ptr, &effects);
    CHECK_STR(text_of(arena, &effects),
              "one: \"r\" may have another confidence, which decides between routes of its rank {projection(hi) true, "
              "projection(hi) after the change true, keyword(l) true}\n",
              "recipe");
    arena_free(arena);
}

TEST(handling_in_a_recipe) {
    static const char recipe[] =
        "  decisions: []\nrecipes:\n  - name: one\n    routing:\n      decisions:\n"
        "        - {name: r, plugins: [{type: fast_response, configuration: {message: %s}}], modelRefs: [{model: a, "
        "use_reasoning: false}]}\n";
    struct arena *arena = arena_new(0, 0);
    struct effects effects;
    find(arena, arena_printf(arena, recipe, "No").ptr, arena_printf(arena, recipe, "Yes").ptr, &effects);
    CHECK_STR(text_of(arena, &effects), "one: requests of \"r\" are handled in another way (plugins) {any request}\n",
              "recipe");
    arena_free(arena);
}

TEST(profiles_come_and_go) {
    struct arena *arena = arena_new(0, 0);
    struct effects effects;
    find(arena, RECIPES(RECIPE("one") RECIPE("two")) "entrypoints: [{model_names: [m/x], recipe: one}]\n",
         RECIPES(RECIPE("two") RECIPE("three")) "entrypoints: [{model_names: [m/x], recipe: two}]\n", &effects);
    CHECK_STR(text_of(arena, &effects),
              "one: the profile is gone {}\n"
              "three: the profile is new {}\n"
              "one: a model name leads elsewhere (m/x: one -> two) {m/x: one -> two}\n",
              "profiles");
    arena_free(arena);
}

static const char *many_names(struct arena *arena, int n, const char *name, const char *last) {
    struct buf out;
    const char *text;
    buf_init(&out, PROVED_LEN_MAX);
    buf_append_c(&out, RECIPES(RECIPE("one") RECIPE("two")) "entrypoints:\n  - {recipe: two, model_names: [m/two]}\n");
    buf_append_c(&out, "  - recipe: one\n    model_names:\n");
    for (int i = 0; i < n; i++)
        buf_printf(&out, "    - m/%d\n", i);
    buf_printf(&out, "    - %s\n  - {recipe: two, model_names: [%s]}\n", name, last);
    text = arena_str(arena, buf_str(&out)).ptr;
    buf_done(&out);
    return text;
}

/* So many that looking each one up in the list of all would take minutes. */
TEST(many_model_names) {
    enum { N = 200000 };
    struct arena *arena = arena_new(0, 0);
    struct prove_options options = { .families = dsl_parts()->families, .budget_ms = -1 };
    const struct schema *schema = config_schema(arena, dsl_parts());
    const struct config_document *before =
        loaded(arena, proved_yaml(arena, many_names(arena, N, "m/x", "m/y")), "before.yaml");
    const struct config_document *after =
        loaded(arena, proved_yaml(arena, many_names(arena, N, "m/y", "m/z")), "after.yaml");
    struct effects effects;
    effects_find(arena, schema, before, after, &options, &effects);
    CHECK_STR(text_of(arena, &effects),
              "one: a model name leads elsewhere (m/x: one -> none) {m/x: one -> none}\n"
              "two: a model name leads elsewhere (m/y: two -> one) {m/y: two -> one}\n"
              "two: a model name leads elsewhere (m/z: none -> two) {m/z: none -> two}\n",
              "names");
    arena_free(arena);
}

/* ---- random pairs */

struct pair {
    struct arena *arena;
    const struct config_document *docs[2];
    struct effects effects;
    struct judged judged[2];
    size_t n[2];
    bool seen[WORLD_ROUTES_MAX + 1]
             [WORLD_ROUTES_MAX + 1]; /* a request of the one may be one of the other; last: none */
};

static size_t place(const struct pair *pair, int side, const struct config_decision *decision) {
    const struct config_decision *first = pair->docs[side]->routing.decisions.items;
    return decision ? (size_t)(decision - first) : WORLD_ROUTES_MAX;
}

static bool wins(const struct pair *pair, int side, size_t route) {
    const struct judged *judged = &pair->judged[side];
    if (route < WORLD_ROUTES_MAX)
        return route < pair->n[side] && judged->may_win[route];
    for (size_t i = 0; i < pair->n[side]; i++)
        if (judged->may_win[i])
            return false;
    return true;
}

/* Routes are called by their places, so partners have the same. */
static bool differs(const struct pair *pair) {
    for (size_t i = 0; i < WORLD_ROUTES_MAX; i++)
        if (wins(pair, 0, i) != wins(pair, 1, i))
            return true;
    return false;
}

static bool is_told(const struct pair *pair) {
    for (size_t i = 0; i < pair->effects.n; i++) {
        const struct effect *effect = &pair->effects.items[i];
        if (effect->kind == EFFECT_ROUTE && wins(pair, 0, place(pair, 0, effect->before)) &&
            wins(pair, 1, place(pair, 1, effect->after)))
            return true;
    }
    return false;
}

static void look(struct pair *pair, struct worlds *w, const bool *dims) {
    memset(w->choices, 0, sizeof(w->choices));
    do {
        for (int side = 0; side < 2; side++) {
            world_set_any(w);
            judged_world(&pair->judged[side], w);
        }
        for (size_t i = 0; i <= WORLD_ROUTES_MAX; i++)
            for (size_t k = 0; k <= WORLD_ROUTES_MAX; k++)
                pair->seen[i][k] |= wins(pair, 0, i) && wins(pair, 1, k);
        CHECK_MSG(!differs(pair) || is_told(pair), "a change is not told:\n%.*s",
                  VSR_FMT(text_of(pair->arena, &pair->effects)));
    } while (worlds_next(w, dims));
}

static bool has_rank_twist(const struct config_routing *routing) {
    bool tiered = false;
    CONFIG_EACH(const struct config_decision, decision, &routing->decisions)
    tiered |= decision->tier > 0;
    return tiered && routing->untiered_first;
}

static void compare_random(struct arena *arena, const char *before, const char *after) {
    struct pair pair = { .arena = arena };
    struct prove_options options = { .families = dsl_parts()->families, .budget_ms = -1 };
    bool dims[WORLD_DIMS] = { 0 };
    struct worlds w;
    pair.docs[0] = loaded(arena, proved_yaml(arena, before), "before.yaml");
    pair.docs[1] = loaded(arena, proved_yaml(arena, after), "after.yaml");
    worlds_init(&w, arena);
    for (int side = 0; side < 2; side++) {
        pair.n[side] = pair.docs[side]->routing.decisions.n;
        judged_init(&pair.judged[side], &w, &pair.docs[side]->routing);
        worlds_all_dims(&pair.docs[side]->routing, dims);
        if (has_rank_twist(&pair.docs[side]->routing))
            return;
    }
    if (worlds_over(dims) > WORLDS_MAX)
        return;
    effects_find(arena, config_schema(arena, dsl_parts()), pair.docs[0], pair.docs[1], &options, &pair.effects);
    CHECK(pair.effects.complete, "small policies are compared to the end");
    look(&pair, &w, dims);
    for (size_t i = 0; i < pair.effects.n; i++) {
        const struct effect *effect = &pair.effects.items[i];
        CHECK_MSG(pair.seen[place(&pair, 0, effect->before)][place(&pair, 1, effect->after)],
                  "no request shows effect %zu of\n%.*s", i, VSR_FMT(text_of(arena, &pair.effects)));
    }
}

TEST(random_changes) {
    int rounds = getenv("VSR_TEST_LONG") ? ROUNDS_LONG : ROUNDS;
    for (int round = 0; round < rounds; round++) {
        struct arena *arena = arena_new(0, 0);
        const char *before = random_policy(arena).ptr, *after = random_policy(arena).ptr;
        struct effects effects;
        compare_random(arena, before, after);
        find(arena, before, before, &effects);
        CHECK_MSG(effects.n == 0 && effects.complete, "a policy differs from itself:\n%.*s\n%s",
                  VSR_FMT(text_of(arena, &effects)), before);
        arena_free(arena);
    }
}

/* ---- published profiles */

TEST(profiles_do_not_differ_from_themselves) {
    static const char *const profiles[] = { "accuracy", "balance", "feedback", "privacy" };
    const char *shared = test_shared_dir();
    if (!shared)
        skip();
    for (size_t i = 0; i < VSR_COUNT(profiles); i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_load_options load = { .parts = *dsl_parts(), .keep_env = true, .no_files = true };
        struct prove_options options = { .families = dsl_parts()->families, .budget_ms = -1 };
        const struct config_document *docs[2] = { NULL, NULL };
        struct effects effects;
        struct diag diag;
        char path[1024];
        snprintf(path, sizeof(path), "%s/recipes/%s/config.yaml", shared, profiles[i]);
        for (int side = 0; side < 2; side++)
            CHECK(config_load_file(arena, path, &load, &docs[side], &diag) == 0, profiles[i]);
        effects_find(arena, config_schema(arena, dsl_parts()), docs[0], docs[1], &options, &effects);
        CHECK_STR(text_of(arena, &effects), "", profiles[i]);
        CHECK(effects.complete, profiles[i]);
        arena_free(arena);
    }
}

RUN_TESTS(T(small_changes), T(confidences_in_a_recipe), T(handling_in_a_recipe), T(signals_inherit_what_is_global),
          T(profiles_come_and_go), T(many_model_names), T(random_changes), T(profiles_do_not_differ_from_themselves))
