#include "route/compete.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/assert.h"
#include "route/state.h"
#include "signal/rule_checks.h"

/* ---- building */

static void build_partitions(struct compete *compete, struct arena *arena, struct route *route) {
    const struct config_list *configs = &route->routing->projections.partitions;
    compete->partitions = ARENA_ARRAY(arena, struct compete_partition, configs->n);
    CONFIG_EACH(const struct config_partition, config, configs) {
        struct compete_partition *out = &compete->partitions[compete->n_partitions];
        struct plan_member_finder finder = { route, config->family };
        out->config = config;
        if (!partition_build(arena, config, plan_find_member, &finder, &out->partition))
            continue;
        out->synthesized_slot = plan_beside_slot(route, out->partition.fallback, "synthesized", arena);
        compete->n_partitions++;
    }
}

static size_t count_trees(const struct route *route) {
    size_t n = 0;
    for (size_t i = 0; i < route->n_families; i++)
        n += route->families[i].family->config.tree ? route->families[i].n_slots : 0;
    return n;
}

/* Slots of rule `index`: those that the family says belong to it lie side by side. */
static void add_composer(struct compete *compete, const struct route_family *family, size_t index, uint32_t root) {
    struct compete_composer composer = { .root = root };
    for (uint32_t i = 0; i < family->n_slots; i++) {
        size_t rule = plan_rule_of(family, i);
        if (rule != index)
            continue;
        if (composer.n_slots == 0)
            composer.first_slot = family->first_slot + i;
        composer.n_slots++;
    }
    compete->composers[compete->n_composers++] = composer;
}

static void build_composers(struct compete *compete, struct arena *arena, const struct route *route,
                            const struct policy_names *names) {
    rule_set_init(&compete->rules, arena);
    compete->composers = ARENA_ARRAY(arena, struct compete_composer, count_trees(route));
    for (size_t i = 0; i < route->n_families; i++) {
        const struct route_family *family = &route->families[i];
        const struct config_family *config = &family->family->config;
        for (size_t k = 0; config->tree && k < family->rules->n; k++) {
            const void *rule = (const char *)family->rules->items + k * config->schema->size;
            const struct config_rule *tree = config->tree(rule);
            if (tree)
                add_composer(compete, family, k, rule_set_add(&compete->rules, tree, ON_UNKNOWN_UNKNOWN, names));
        }
    }
}

struct compete *compete_build(struct arena *arena, struct route *route, const struct policy_names *names) {
    struct compete *compete = ARENA_NEW(arena, struct compete);
    int64_t top_k = route->doc->global.model_catalog.embeddings.semantic.embedding_config.top_k;
    compete->top_k = top_k < 0 ? 1 : (size_t)top_k;
    build_partitions(compete, arena, route);
    build_composers(compete, arena, route, names);
    return compete;
}

void compete_close(struct compete *compete, struct arena *arena, size_t n_slots) {
    compete->members = ARENA_ARRAY(arena, uint64_t, BITS_WORDS(n_slots));
    for (size_t i = 0; i < compete->n_partitions; i++)
        for (size_t k = 0; k < compete->partitions[i].partition.n_members; k++)
            bits_add(compete->members, compete->partitions[i].partition.members[k]);
}

/* ---- what is needed */

static bool want(uint64_t *wanted, uint32_t slot) {
    if (slot == POLICY_SLOT_NONE || bits_has(wanted, slot))
        return false;
    bits_add(wanted, slot);
    return true;
}

static bool want_tree(const struct compete *compete, uint32_t root, uint64_t *wanted) {
    bool new = false;
    for (uint32_t at = root; at < compete->rules.nodes[root].end; at++) {
        const struct rule_node *node = &compete->rules.nodes[at];
        const struct rule_leaf *leaf = &compete->rules.leaves[node->leaf];
        if (node->op != RULE_LEAF)
            continue;
        new |= want(wanted, leaf->slot);
        for (size_t i = 0; i < leaf->n_alternates; i++)
            new |= want(wanted, leaf->alternates[i]);
    }
    return new;
}

bool compete_want(const struct compete *compete, uint64_t *wanted) {
    bool new = false;
    for (size_t i = 0; i < compete->n_composers; i++) {
        const struct compete_composer *composer = &compete->composers[i];
        size_t end = composer->first_slot + composer->n_slots;
        if (bits_next(wanted, composer->first_slot, end) < end)
            new |= want_tree(compete, composer->root, wanted);
    }
    return new;
}

/* ---- one request */

void compete_begin(struct compete_state *compete, const struct route *route, struct arena *arena) {
    const struct compete *plan = route->compete;
    size_t n_words = BITS_WORDS(route->slots.n);
    compete->partitions = ARENA_ARRAY(arena, struct compete_result, plan->n_partitions);
    compete->composed = ARENA_ARRAY(arena, bool, plan->n_composers);
    compete->ranked = ARENA_ARRAY(arena, bool, route->n_families);
    compete->beaten = ARENA_ARRAY(arena, uint64_t, 2 * n_words);
    compete->synthesized = compete->beaten + n_words;
}

/* Matches by confidence, the highest first, then by name. */
struct ranked {
    uint32_t slot;
    double confidence;
    vsr_str name;
};

static int compare_ranked(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    if (a->confidence != b->confidence)
        return a->confidence > b->confidence ? -1 : 1;
    return str_cmp(a->name, b->name);
}

static struct ranked rank(const struct route_state *state, uint32_t slot) {
    bool measured = bits_has(state->results.has_confidence, slot);
    return (struct ranked){ slot, measured ? state->results.confidence[slot] : 0,
                            state->route->slots.items[slot].name };
}

static void remove_match(struct route_state *state, uint32_t slot) {
    bits_put(state->results.matched, slot, false);
    bits_put(state->results.has_confidence, slot, false);
}

/* ---- partitions */

static size_t matched_members(struct route_state *state, const struct partition *partition, struct ranked *ret) {
    size_t n = 0;
    for (size_t i = 0; i < partition->n_members; i++)
        if (bits_has(state->results.matched, partition->members[i]))
            ret[n++] = rank(state, partition->members[i]);
    qsort(ret, n, sizeof(*ret), compare_ranked);
    return n;
}

static bool all_evaluated(const struct route_state *state, const struct partition *partition) {
    for (size_t i = 0; i < partition->n_members; i++)
        if (!bits_has(state->results.evaluated, partition->members[i]))
            return false;
    return true;
}

static bool any_unavailable(const struct route_state *state, const struct partition *partition) {
    for (size_t i = 0; i < partition->n_members; i++)
        if (bits_has(state->results.unavailable, partition->members[i]))
            return true;
    return false;
}

/* Makes the results what the partition left of the matches. */
static void write_matches(struct route_state *state, const struct compete_partition *plan, const struct ranked *before,
                          size_t n_before, const struct partition_matches *after) {
    for (size_t i = 0; i < n_before; i++)
        remove_match(state, before[i].slot);
    for (size_t i = 0; i < after->n; i++) {
        signal_match(&state->results, after->items[i].rule, after->items[i].confidence);
        if (!after->items[i].has_confidence)
            bits_put(state->results.has_confidence, after->items[i].rule, false);
        if (!after->items[i].synthesized || bits_has(state->compete.synthesized, after->items[i].rule))
            continue;
        bits_add(state->compete.synthesized, after->items[i].rule);
        signal_value(&state->results, plan->synthesized_slot, 1);
    }
}

static bool any_contender(const struct route_state *state, const struct partition_matches *matches) {
    for (size_t i = 0; i < matches->n; i++)
        if (matches->items[i].has_confidence && !bits_has(state->compete.synthesized, matches->items[i].rule))
            return true;
    return false;
}

static void run_partition(struct route_state *state, const struct compete_partition *plan,
                          struct compete_result *result) {
    const struct partition *partition = &plan->partition;
    struct ranked *ranked = ARENA_ARRAY(state->arena, struct ranked, partition->n_members);
    struct partition_matches matches = { .n = matched_members(state, partition, ranked) };
    size_t n_before = matches.n;
    matches.items = ARENA_ARRAY(state->arena, struct partition_match, n_before + 1);
    for (size_t i = 0; i < n_before; i++)
        matches.items[i] =
            (struct partition_match){ .rule = ranked[i].slot,
                                      .confidence = ranked[i].confidence,
                                      .has_confidence = bits_has(state->results.has_confidence, ranked[i].slot),
                                      .synthesized = bits_has(state->compete.synthesized, ranked[i].slot) };
    if (!any_contender(state, &matches) && any_unavailable(state, partition))
        return;
    result->decided = partition_apply(partition, &matches, state->arena, &result->trace);
    write_matches(state, plan, ranked, n_before, &matches);
}

static void run_partitions(struct route_state *state) {
    const struct compete *plan = state->route->compete;
    for (size_t i = 0; i < plan->n_partitions; i++) {
        struct compete_result *result = &state->compete.partitions[i];
        if (result->done || !all_evaluated(state, &plan->partitions[i].partition))
            continue;
        result->done = true;
        run_partition(state, &plan->partitions[i], result);
    }
}

/* ---- composers */

static void apply_composer(struct route_state *state, const struct compete_composer *composer, enum rule_state holds) {
    for (uint32_t slot = composer->first_slot; slot < composer->first_slot + composer->n_slots; slot++) {
        if (holds == RULE_TRUE || !bits_has(state->results.evaluated, slot))
            continue;
        remove_match(state, slot);
        bits_put(state->results.has_value, slot, false); /* a level that does not count has no number either */
        if (holds == RULE_FALSE)
            bits_put(state->results.unavailable, slot, false);
        else if (!bits_has(state->results.unavailable, slot))
            signal_fail_because(&state->results, slot, SIGNAL_UNAVAILABLE, "its composer could not be evaluated");
    }
}

static void run_composers(struct route_state *state) {
    const struct compete *plan = state->route->compete;
    struct policy_view view = state->view;
    uint8_t *leaves = NULL;
    for (size_t i = 0; i < plan->n_composers; i++) {
        const struct compete_composer *composer = &plan->composers[i];
        size_t end = composer->first_slot + composer->n_slots;
        enum rule_state holds;
        if (state->compete.composed[i] || bits_next(state->results.evaluated, composer->first_slot, end) == end)
            continue;
        if (!leaves) { /* what loses against better rules still holds here (signals.md §3.4) */
            size_t n_words = BITS_WORDS(view.n_slots);
            view.matched = ARENA_ARRAY(state->arena, uint64_t, n_words);
            for (size_t w = 0; w < n_words; w++)
                view.matched[w] = state->results.matched[w] | state->compete.beaten[w];
            leaves = ARENA_ARRAY(state->arena, uint8_t, plan->rules.n_leaves);
            rule_leaf_states(&plan->rules, &view, leaves);
        }
        holds = rule_state(&plan->rules, composer->root, leaves);
        VSR_ASSERT(holds != RULE_PENDING); /* the plan runs the rule behind everything that its composer reads */
        state->compete.composed[i] = true;
        apply_composer(state, composer, holds);
    }
}

/* ---- the best of a family */

static void keep_best(struct route_state *state, const struct route_family *family) {
    size_t top_k = state->route->compete->top_k, n = 0, end = family->first_slot + family->n_slots;
    struct ranked *ranked = ARENA_ARRAY(state->arena, struct ranked, family->n_slots);
    for (size_t slot = bits_next(state->results.matched, family->first_slot, end); slot < end;
         slot = bits_next(state->results.matched, slot + 1, end))
        if (!bits_has(state->route->compete->members, slot))
            ranked[n++] = rank(state, (uint32_t)slot);
    if (top_k == 0 || n <= top_k)
        return;
    qsort(ranked, n, sizeof(*ranked), compare_ranked);
    for (size_t i = top_k; i < n; i++) {
        remove_match(state, ranked[i].slot);
        bits_add(state->compete.beaten, ranked[i].slot);
    }
}

static void run_ranking(struct route_state *state) {
    for (size_t i = 0; i < state->route->n_families; i++) {
        const struct route_family *family = &state->route->families[i];
        size_t end = family->first_slot + family->n_slots;
        if (!family->family->keeps_best || state->compete.ranked[i] ||
            bits_next(state->results.evaluated, family->first_slot, end) == end)
            continue;
        state->compete.ranked[i] = true;
        keep_best(state, family);
    }
}

void compete_run(struct route_state *state) {
    if (state->route->compete->n_partitions > 0)
        run_partitions(state);
    if (state->route->compete->n_composers > 0)
        run_composers(state);
    if (state->route->keeps_best)
        run_ranking(state);
}
