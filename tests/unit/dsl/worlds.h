/*
 * worlds - random small policies, and every request that could matter to them, decided by the engine's own policy/.
 *
 * The signals are few and always the same. A world says what each of them reported; the worlds of a policy are all
 * combinations of what the signals that it reads can report. Nothing here is shared with the prover: leaves, trees,
 * scores and ranks are policy/'s, and what signals can report is written down once more, by hand.
 */
#ifndef VSR_TESTS_DSL_WORLDS_H
#define VSR_TESTS_DSL_WORLDS_H

#include <string.h>

#include "core/bits.h"
#include "policy/decision.h"
#include "policy/projection.h"
#include "proved.h"
#include "signal/families.h"
#include "signal/family.h"

#define WORLDS_SIGNALS \
    "    keywords: [{name: k, operator: OR, keywords: [x]}, {name: l, operator: OR, keywords: [y]}]\n" \
    "    context: [{name: c0, max_tokens: 100}, {name: c1, min_tokens: 50, max_tokens: 200}, {name: c2, min_tokens: " \
    "101}]\n" \
    "    metadata:\n" \
    "      - {name: mx, key: t, predicate: {equals: x}}\n" \
    "      - {name: mxy, key: t, predicate: {in: [x, y]}}\n" \
    "      - {name: me, key: t, predicate: {exists: true}}\n" \
    "    structure:\n" \
    "      - {name: s3, feature: {type: count, source: {type: regex, pattern: q}}, predicate: {gte: 3}}\n" \
    "      - {name: s1, feature: {type: exists, source: {type: regex, pattern: q}}}\n" \
    "    jailbreak: [{name: j}]\n" \
    "    domains: [{name: law}, {name: math}]\n" \
    "    complexity: [{name: x, hard: {candidates: [h]}, easy: {candidates: [e]}}]\n" \
    "    language: [{name: en}, {name: zh}]\n"

#define WORLDS_PROJECTIONS \
    "  projections:\n" \
    "    partitions: [{name: p, semantics: exclusive, members: [law, math], default: math}]\n" \
    "    scores:\n" \
    "      - {name: sc, method: weighted_sum, inputs: [{type: keyword, name: k, weight: 0.41}, {type: keyword, name: " \
    "l, " \
    "weight: 0.33}, {type: domain, name: law, weight: 0.27}, {type: context, name: c2, weight: -0.13, miss: 0.5}]}\n" \
    "      - {name: so, method: weighted_sum, inputs: [{type: keyword, name: k, weight: 0.1}, {type: keyword, name: " \
    "l, " \
    "weight: 0.2}, {type: context, name: c2, weight: 0.3}]}\n" \
    "    mappings:\n" \
    "      - {name: mo, source: so, method: threshold_bands, outputs: [{name: neg, lt: 0}, {name: tenth, gte: 0.1, " \
    "lt: " \
    "0.3}, {name: third, gte: 0.3, lte: 0.3}, {name: above, gte: 0.6}]}\n" \
    "      - {name: ma, source: sc, method: threshold_bands, outputs: [{name: low, lt: 0.3}, {name: mid, gte: 0.3, " \
    "lt: " \
    "0.6}, {name: high, gte: 0.7}]}\n"

/* Slots by name; values beside them where something is counted. */
static const char *const world_slots[] = {
    "keyword:k",         "keyword:l",      "context:c0",       "context:c1",        "context:c2",
    "metadata:mx",       "metadata:mxy",   "metadata:me",      "structure:s3",      "structure:s1",
    "jailbreak:j",       "domain:law",     "domain:math",      "complexity:x:easy", "complexity:x:medium",
    "complexity:x:hard", "language:en",    "language:zh",      "projection:low",    "projection:mid",
    "projection:high",   "projection:neg", "projection:tenth", "projection:third",  "projection:above"
};
enum { WORLD_SLOTS = VSR_COUNT(world_slots), WORLD_PROJECTIONS = 7 };

/* What one thing of the request can be. */
enum world_dim {
    DIM_K,
    DIM_L,
    DIM_TOKENS,
    DIM_METADATA,
    DIM_COUNT,
    DIM_JAILBREAK,
    DIM_DOMAIN,
    DIM_LEVEL,
    DIM_LANGUAGE,
    WORLD_DIMS
};
static const int world_choices[WORLD_DIMS] = { 3, 3, 4, 4, 6 * 4, 4, 11, 5, 11 };

struct worlds {
    struct arena *arena;
    struct policy_type types[CONFIG_FAMILIES_MAX + 1];
    struct policy_names names;
    struct policy_view view;
    uint64_t bits[5];
    double confidence[WORLD_SLOTS], value[WORLD_SLOTS];
    int choices[WORLD_DIMS];
    const struct config_families *families;
};

static uint64_t world_seed = 11;
static inline uint32_t world_below(uint32_t n) {
    world_seed = world_seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(world_seed >> 33) % n;
}

/* ---- names, for policy/ */

static inline const struct policy_type *world_type(void *data, vsr_str type, int family) {
    struct worlds *worlds = data;
    (void)type;
    return &worlds->types[family == CONFIG_PROJECTION ? CONFIG_FAMILIES_MAX : family];
}

static inline uint32_t world_slot(void *data, const struct policy_type *type, vsr_str name) {
    char key[128];
    (void)data;
    snprintf(key, sizeof(key), "%.*s:%.*s", VSR_FMT(type->name), VSR_FMT(name));
    for (uint32_t i = 0; i < WORLD_SLOTS; i++)
        if (strcmp(world_slots[i], key) == 0)
            return i;
    return POLICY_SLOT_NONE;
}

static inline void worlds_init(struct worlds *worlds, struct arena *arena) {
    size_t n;
    const struct signal_family *const *families = signal_families(&n);
    *worlds = (struct worlds){ .arena = arena, .families = &dsl_parts()->families };
    for (size_t i = 0; i < n; i++)
        worlds->types[i] = (struct policy_type){ str_from_c(families[i]->config.type), families[i]->on_unknown,
                                                 families[i]->never_unknown, families[i]->config.labels };
    worlds->types[CONFIG_FAMILIES_MAX] =
        (struct policy_type){ VSR_STR("projection"), ON_UNKNOWN_NO_MATCH, true, false };
    worlds->names = (struct policy_names){ .data = worlds, .type = world_type, .slot = world_slot };
    worlds->view = (struct policy_view){ .n_slots = WORLD_SLOTS,
                                         .evaluated = &worlds->bits[0],
                                         .matched = &worlds->bits[1],
                                         .unavailable = &worlds->bits[2],
                                         .has_confidence = &worlds->bits[3],
                                         .has_value = &worlds->bits[4],
                                         .confidence = worlds->confidence,
                                         .value = worlds->value };
}

/* ---- one world */

static inline uint32_t world_find(const char *name) {
    for (uint32_t i = 0; i < WORLD_SLOTS; i++)
        if (strcmp(world_slots[i], name) == 0)
            return i;
    fail_msg("no slot %s", name);
    return 0;
}

static inline void world_match(struct worlds *w, const char *name, bool matches) {
    bits_put(w->view.matched, world_find(name), matches);
}

static inline void world_fail(struct worlds *w, const char *name, bool fails) {
    bits_put(w->view.unavailable, world_find(name), fails);
}

static inline void world_value(struct worlds *w, const char *name, double value) {
    bits_add(w->view.has_value, world_find(name));
    w->value[world_find(name)] = value;
}

/* Eleven choices: one of the two matches and each may fail as well, or neither matches and one fails at least. */
static inline void world_pair(struct worlds *w, const char *a, const char *b, int choice) {
    int match = choice < 8 ? 1 + choice / 4 : 0, failed = choice < 8 ? choice % 4 : choice - 8 + 1;
    world_match(w, a, match == 1);
    world_match(w, b, match == 2);
    world_fail(w, a, failed & 1);
    world_fail(w, b, failed & 2);
}

static inline void world_set(struct worlds *w) {
    static const double tokens[] = { 75, 10, 150, 300 }, counts[] = { 0, 1, 2, 3, 4, 6 };
    static const char *const levels[] = { "complexity:x:easy", "complexity:x:medium", "complexity:x:hard" };
    const int *c = w->choices;
    double t = tokens[c[DIM_TOKENS]], count = counts[c[DIM_COUNT] / 4];
    int failed = c[DIM_COUNT] % 4;
    memset(w->bits, 0, sizeof(w->bits));
    w->bits[0] = (UINT64_C(1) << (WORLD_SLOTS - WORLD_PROJECTIONS)) - 1;
    world_match(w, "keyword:k", c[DIM_K] == 1);
    world_fail(w, "keyword:k", c[DIM_K] == 2);
    world_match(w, "keyword:l", c[DIM_L] == 1);
    world_fail(w, "keyword:l", c[DIM_L] == 2);
    world_match(w, "context:c0", t <= 100);
    world_match(w, "context:c1", t >= 50 && t <= 200);
    world_match(w, "context:c2", t >= 101);
    world_match(w, "metadata:mx", c[DIM_METADATA] == 1);
    world_match(w, "metadata:mxy", c[DIM_METADATA] == 1 || c[DIM_METADATA] == 2);
    world_match(w, "metadata:me", c[DIM_METADATA] != 0);
    world_match(w, "structure:s3", count >= 3 && !(failed & 1));
    world_fail(w, "structure:s3", failed & 1);
    world_match(w, "structure:s1", count > 0 && !(failed & 2));
    world_fail(w, "structure:s1", failed & 2);
    if (!(failed & 1))
        world_value(w, "structure:s3", count);
    if (!(failed & 2))
        world_value(w, "structure:s1", count > 0);
    world_match(w, "jailbreak:j", c[DIM_JAILBREAK] & 1);
    world_fail(w, "jailbreak:j", c[DIM_JAILBREAK] & 2);
    world_pair(w, "domain:law", "domain:math", c[DIM_DOMAIN]);
    for (int i = 0; i < 3; i++) { /* 3: no text; 4: failed */
        world_match(w, levels[i], c[DIM_LEVEL] == i);
        world_fail(w, levels[i], c[DIM_LEVEL] == 4);
    }
    world_pair(w, "language:en", "language:zh", c[DIM_LANGUAGE]);
}

/* Languages may also be none at all with nothing failing, which is the choice behind the others. */
static inline void world_set_any(struct worlds *w) {
    static const char *const names[] = { "language:en", "language:zh" };
    int language = w->choices[DIM_LANGUAGE];
    bool none = language == world_choices[DIM_LANGUAGE];
    w->choices[DIM_LANGUAGE] = none ? 0 : language;
    world_set(w);
    w->choices[DIM_LANGUAGE] = language;
    for (size_t i = 0; i < VSR_COUNT(names) && none; i++) {
        world_match(w, names[i], false);
        world_fail(w, names[i], false);
    }
}

/* ---- all worlds of a policy */

static inline int world_dim_of(vsr_str type, vsr_str name) {
    static const struct {
        const char *type;
        int dim;
    } dims[] = { { "context", DIM_TOKENS },      { "metadata", DIM_METADATA }, { "structure", DIM_COUNT },
                 { "jailbreak", DIM_JAILBREAK }, { "domain", DIM_DOMAIN },     { "complexity", DIM_LEVEL },
                 { "language", DIM_LANGUAGE } };
    if (str_eq_c(type, "keyword"))
        return str_eq_c(name, "k") ? DIM_K : DIM_L;
    for (size_t i = 0; i < VSR_COUNT(dims); i++)
        if (str_eq_c(type, dims[i].type))
            return dims[i].dim;
    return -1;
}

static inline void worlds_dims(const struct config_rule *rule, bool *dims) {
    if (rule->type.len && rule->family == CONFIG_PROJECTION)
        dims[DIM_K] = dims[DIM_L] = dims[DIM_DOMAIN] = dims[DIM_TOKENS] = true;
    else if (rule->type.len)
        dims[world_dim_of(rule->type, rule->name)] = true;
    CONFIG_EACH(const struct config_rule, child, &rule->conditions)
    worlds_dims(child, dims);
}

static inline void worlds_all_dims(const struct config_routing *routing, bool *dims) {
    CONFIG_EACH(const struct config_decision, decision, &routing->decisions)
    if (decision->rules)
        worlds_dims(decision->rules, dims);
}

static inline size_t worlds_over(const bool *dims) {
    size_t n = 1;
    for (int i = 0; i < WORLD_DIMS; i++)
        n *= dims[i] ? (size_t)world_choices[i] : 1;
    return n;
}

/* Steps to the next world over these dimensions; false behind the last. */
static inline bool worlds_next(struct worlds *w, const bool *dims) {
    for (int i = 0; i < WORLD_DIMS; i++) {
        int n = world_choices[i] + (i == DIM_LANGUAGE);
        if (!dims[i])
            continue;
        if (++w->choices[i] < n)
            return true;
        w->choices[i] = 0;
    }
    return false;
}

/* ---- one policy in all worlds */

enum { WORLD_ROUTES_MAX = 6 };

struct judged {
    const struct config_routing *routing;
    struct policy *policy;
    struct projections *projections;
    uint8_t *states;
    bool matches[WORLD_ROUTES_MAX], may_win[WORLD_ROUTES_MAX]; /* by place in the document */
};

static inline void judged_init(struct judged *judged, struct worlds *w, const struct config_routing *routing) {
    struct policy_options options = { .by_confidence = routing->strategy == STRATEGY_CONFIDENCE,
                                      .untiered_first = routing->untiered_first };
    struct vsr_err err = VSR_ERR_NONE;
    *judged = (struct judged){ .routing = routing };
    judged->policy = policy_build(w->arena, &routing->decisions, &options, &w->names);
    CHECK(projections_build(w->arena, &routing->projections, &w->names, &judged->projections, &err) == 0, "build");
    projections_close(judged->projections, w->arena, WORLD_SLOTS);
    judged->states = ARENA_ARRAY(w->arena, uint8_t, judged->policy->rules.n_leaves + 1);
}

static inline size_t judged_place(const struct judged *judged, size_t decision) {
    const struct config_decision *first = judged->routing->decisions.items;
    return (size_t)(judged->policy->decisions[decision].config - first);
}

/* Who matches, and who may win: whoever no other match precedes whatever the confidences. */
static inline void judged_world(struct judged *judged, struct worlds *w) {
    const struct policy *policy = judged->policy;
    struct projection_result results[4] = { { 0 } };
    bool tiered = false;
    w->bits[0] &= (UINT64_C(1) << (WORLD_SLOTS - WORLD_PROJECTIONS)) - 1;
    for (int i = 0; i < WORLD_PROJECTIONS; i++)
        bits_put(w->view.matched, WORLD_SLOTS - 1 - i, false);
    projections_run(judged->projections, &w->view, results);
    rule_leaf_states(&policy->rules, &w->view, judged->states);
    for (size_t i = 0; i < policy->n_decisions; i++) {
        bool matches = rule_state(&policy->rules, policy->decisions[i].root, judged->states) == RULE_TRUE;
        judged->matches[judged_place(judged, i)] = matches;
        tiered |= matches && policy->decisions[i].tier > 0;
    }
    for (size_t i = 0; i < policy->n_decisions; i++) {
        bool may = judged->matches[judged_place(judged, i)];
        for (size_t k = 0; k < policy->n_decisions; k++) /* k has confidence 0, i has 1: k comes first for certain */
            if (k != i && judged->matches[judged_place(judged, k)])
                may &= !(policy_precedes(policy, k, 0, i, 1, tiered));
        judged->may_win[judged_place(judged, i)] = may;
    }
}

/* ---- random policies */

static inline void random_leaf(struct buf *out) {
    static const char *const types[] = { "keyword",    "keyword",    "context",    "context",    "context",
                                         "metadata",   "metadata",   "metadata",   "structure",  "structure",
                                         "jailbreak",  "domain",     "domain",     "complexity", "complexity",
                                         "complexity", "language",   "language",   "projection", "projection",
                                         "projection", "projection", "projection", "projection", "projection" };
    uint32_t i = world_below(VSR_COUNT(types));
    static const char *const settle[] = { "match", "no_match", "unknown" };
    vsr_str name = str_from_c(world_slots[i]);
    name = str_sub(name, (size_t)str_find_char(name, ':') + 1, name.len);
    buf_printf(out, "{type: %s, name: '%.*s'", types[i], VSR_FMT(name));
    if (world_below(4) == 0 && strcmp(types[i], "structure") == 0)
        buf_printf(out, ", predicate: {%s: %u}", world_below(2) ? "gte" : "lt", world_below(6));
    if (world_below(6) == 0)
        buf_printf(out, ", on_unknown: %s", settle[world_below(3)]);
    if (world_below(8) == 0)
        buf_append_c(out, ", not: true");
    buf_append_c(out, "}");
}

static inline void random_tree(struct buf *out, int *leaves, int depth) {
    uint32_t n = 2 + world_below(2);
    if (depth == 0 || *leaves <= 1 || world_below(3) == 0) {
        (*leaves)--;
        random_leaf(out);
        return;
    }
    if (world_below(4) == 0) {
        buf_append_c(out, "{operator: NOT, conditions: [");
        random_tree(out, leaves, depth - 1);
    } else {
        buf_printf(out, "{operator: %s, conditions: [", world_below(2) ? "AND" : "OR");
        for (uint32_t i = 0; i < n && (i == 0 || *leaves > 0); i++) {
            buf_append_c(out, i ? ", " : "");
            random_tree(out, leaves, depth - 1);
        }
    }
    buf_append_c(out, "]}");
}

/* A policy of two to four routes, with at most six leaves. */
static inline vsr_str random_policy(struct arena *arena) {
    uint32_t n = 2 + world_below(3), tiers = world_below(3);
    int leaves = 6;
    struct buf out;
    vsr_str text;
    buf_init(&out, PROVED_LEN_MAX);
    buf_printf(&out, "  strategy: %s\n", world_below(5) ? "priority" : "confidence");
    if (world_below(4) == 0)
        buf_append_c(&out, "  untiered: first\n");
    buf_append_c(&out, "  signals:\n" WORLDS_SIGNALS WORLDS_PROJECTIONS "  decisions:\n");
    for (uint32_t i = 0; i < n; i++) {
        buf_printf(&out, "    - {name: r%u, priority: %u, modelRefs: [{model: %s, use_reasoning: false}]", i,
                   world_below(3), world_below(2) ? "a" : "b");
        if (tiers == 0 && world_below(3))
            buf_printf(&out, ", tier: %u", 1 + world_below(2));
        if (world_below(6) == 0)
            buf_printf(&out, ", on_unknown: %s", world_below(2) ? "match" : "unknown");
        if (leaves > 0 && world_below(8)) {
            buf_append_c(&out, ", rules: ");
            random_tree(&out, &leaves, 3);
        }
        buf_append_c(&out, "}\n");
    }
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

#endif
