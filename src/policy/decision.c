#include "policy/decision.h"

#include <math.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/bits.h"

/* Differences below it are ties, so that the order of a summation cannot flip a winner. */
#define CONFIDENCE_UNITS 1e9

static int decision_cmp(const void *left, const void *right) {
    const struct policy_decision *a = left, *b = right;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    return str_cmp(a->config->name, b->config->name);
}

/* The first leaf that stands directly under an AND at the root, or is the root; else the first negated one. */
static struct policy_guard find_guard(const struct rule_set *rules, uint32_t root) {
    const struct rule_node *nodes = rules->nodes;
    struct policy_guard guard = { .leaf = POLICY_SLOT_NONE };
    if (nodes[root].op == RULE_LEAF)
        return (struct policy_guard){ nodes[root].leaf, RULE_FALSE };
    if (nodes[root].op != RULE_AND)
        return guard;
    for (uint32_t child = root + 1; child < nodes[root].end; child = nodes[child].end) {
        if (nodes[child].op == RULE_LEAF)
            return (struct policy_guard){ nodes[child].leaf, RULE_FALSE };
        if (guard.leaf == POLICY_SLOT_NONE && nodes[child].op == RULE_NOT && nodes[child + 1].op == RULE_LEAF)
            guard = (struct policy_guard){ nodes[child + 1].leaf, RULE_TRUE };
    }
    return guard;
}

struct policy *policy_build(struct arena *arena, const struct config_list *decisions,
                            const struct policy_options *options, const struct policy_names *names) {
    struct policy *policy = ARENA_NEW(arena, struct policy);
    const struct config_decision *configs = decisions->items;
    rule_set_init(&policy->rules, arena);
    policy->by_confidence = options->by_confidence;
    policy->untiered_first = options->untiered_first;
    policy->ordered = !options->by_confidence;
    policy->n_decisions = decisions->n;
    policy->decisions = ARENA_ARRAY(arena, struct policy_decision, decisions->n);
    for (size_t i = 0; i < decisions->n; i++) {
        policy->decisions[i] = (struct policy_decision){ &configs[i], configs[i].priority, configs[i].tier, 0 };
        policy->ordered &= configs[i].tier <= 0;
    }
    qsort(policy->decisions, decisions->n, sizeof(*policy->decisions), decision_cmp);
    policy->guards = ARENA_ARRAY(arena, struct policy_guard, decisions->n);
    for (size_t i = 0; i < decisions->n; i++) { /* trees lie in the order in which they are walked */
        const struct config_decision *config = policy->decisions[i].config;
        policy->decisions[i].root =
            rule_set_add(&policy->rules, config->rules, (enum config_on_unknown)config->on_unknown, names);
        policy->guards[i] = find_guard(&policy->rules, policy->decisions[i].root);
    }
    return policy;
}

/* ---- order */

struct match {
    const struct policy_decision *decision;
    double confidence;
};

/* The rounding stays in doubles: a proof compares infinite confidences too, which no integer holds. */
static int confidence_cmp(double a, double b) {
    double left = round(a * CONFIDENCE_UNITS), right = round(b * CONFIDENCE_UNITS);
    return (left < right) - (left > right);
}

static int priority_cmp(int64_t a, int64_t b) {
    return (a < b) - (a > b);
}

static int tier_cmp(int64_t a, int64_t b, bool untiered_first) {
    if (!untiered_first) {
        a = a > 0 ? a : INT64_MAX;
        b = b > 0 ? b : INT64_MAX;
    }
    return (a > b) - (a < b);
}

/* Negative when `a` wins over `b`. `tiered`: some match has a tier. */
static int match_cmp(const struct policy *policy, const struct match *a, const struct match *b, bool tiered) {
    int by_tier = tiered ? tier_cmp(a->decision->tier, b->decision->tier, policy->untiered_first) : 0;
    int by_confidence = confidence_cmp(a->confidence, b->confidence);
    int by_priority = priority_cmp(a->decision->priority, b->decision->priority);
    if (by_tier)
        return by_tier;
    if (tiered || policy->by_confidence)
        by_priority = by_confidence ? by_confidence : by_priority;
    else
        by_priority = by_priority ? by_priority : by_confidence;
    return by_priority ? by_priority : str_cmp(a->decision->config->name, b->decision->config->name);
}

bool policy_precedes(const struct policy *policy, size_t a, double confidence_a, size_t b, double confidence_b,
                     bool tiered) {
    struct match left = { &policy->decisions[a], confidence_a }, right = { &policy->decisions[b], confidence_b };
    return match_cmp(policy, &left, &right, tiered) < 0;
}

static void consider(const struct policy *policy, struct match *best, struct match candidate, bool tiered) {
    if (!best->decision || match_cmp(policy, &candidate, best, tiered) < 0)
        *best = candidate;
}

/* ---- walking */

struct walk {
    const struct policy *policy;
    const uint8_t *states;
    const struct policy_view *view;
    uint64_t *blocking;
    bool blocked;
};

static void block(struct walk *walk, size_t decision) {
    walk->blocked = true;
    if (walk->blocking)
        bits_add(walk->blocking, decision);
}

/* Whether the decision matches; what is not final yet blocks. */
static bool try_decision(struct walk *walk, size_t index, struct match *ret_match) {
    const struct policy_decision *decision = &walk->policy->decisions[index];
    const struct policy_guard *guard = &walk->policy->guards[index];
    enum rule_state state;
    bool exact = true;
    if (guard->leaf != POLICY_SLOT_NONE && walk->states[guard->leaf] == guard->fatal)
        return false;
    state = rule_state(&walk->policy->rules, decision->root, walk->states);
    if (state == RULE_PENDING)
        block(walk, index);
    if (state != RULE_TRUE)
        return false;
    ret_match->decision = decision;
    ret_match->confidence = rule_confidence(&walk->policy->rules, decision->root, walk->states, walk->view, &exact);
    if (!exact)
        block(walk, index);
    return true;
}

static struct match walk_ordered(struct walk *walk) {
    const struct policy *policy = walk->policy;
    struct match best = { 0 };
    for (size_t i = 0; i < policy->n_decisions; i++) {
        struct match match;
        if (best.decision && policy->decisions[i].priority < best.decision->priority)
            break;
        if (try_decision(walk, i, &match))
            consider(policy, &best, match, false);
    }
    return best;
}

/* Once a tier has matched, what stands in a later one cannot win, whatever it turns out to be. */
static void unblock_later_tiers(struct walk *walk, const struct match *best) {
    const struct policy *policy = walk->policy;
    bool blocked = false;
    for (size_t i = bits_next(walk->blocking, 0, policy->n_decisions); i < policy->n_decisions;
         i = bits_next(walk->blocking, i + 1, policy->n_decisions)) {
        bool later = tier_cmp(policy->decisions[i].tier, best->decision->tier, policy->untiered_first) > 0;
        bits_put(walk->blocking, i, !later);
        blocked |= !later;
    }
    walk->blocked = blocked;
}

/* Whether tiers count depends on who matches, so two passes. */
static struct match walk_all(struct walk *walk) {
    const struct policy *policy = walk->policy;
    struct match best = { 0 }, best_tiered = { 0 };
    bool tiered = false;
    for (size_t i = 0; i < policy->n_decisions; i++) {
        struct match match;
        if (!try_decision(walk, i, &match))
            continue;
        tiered |= match.decision->tier > 0;
        consider(policy, &best, match, false);
        consider(policy, &best_tiered, match, true);
    }
    if (tiered && walk->blocked && walk->blocking)
        unblock_later_tiers(walk, &best_tiered);
    return tiered ? best_tiered : best;
}

bool policy_decide(const struct policy *policy, const uint8_t *states, const struct policy_view *view,
                   struct policy_verdict *ret_verdict, uint64_t *blocking) {
    struct walk walk = { .policy = policy, .states = states, .view = view, .blocking = blocking };
    struct match best = policy->ordered ? walk_ordered(&walk) : walk_all(&walk);
    *ret_verdict = (struct policy_verdict){ best.decision, best.confidence };
    return !walk.blocked;
}

void policy_slots(const struct policy *policy, size_t decision, uint64_t *slots) {
    const struct rule_set *rules = &policy->rules;
    uint32_t root = policy->decisions[decision].root;
    for (uint32_t at = root; at < rules->nodes[root].end; at++)
        if (rules->nodes[at].op == RULE_LEAF)
            rule_leaf_slots(&rules->leaves[rules->nodes[at].leaf], slots);
}

void policy_pending(const struct policy *policy, size_t decision, const uint8_t *states,
                    void (*fn)(void *data, const struct rule_leaf *leaf), void *data) {
    const struct rule_set *rules = &policy->rules;
    uint32_t root = policy->decisions[decision].root;
    for (uint32_t at = root; at < rules->nodes[root].end; at++)
        if (rules->nodes[at].op == RULE_LEAF && states[rules->nodes[at].leaf] == RULE_PENDING)
            fn(data, &rules->leaves[rules->nodes[at].leaf]);
}
