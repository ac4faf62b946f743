/*
 * Proves that signals which could not be evaluated do not matter: whatever they had said, the same decision wins.
 *
 * Everything is computed once more with sets instead of values. A slot is *open* when it could have come out otherwise:
 * it failed, or it competes with one that failed. An open slot may match or not; its numbers lie anywhere between what
 * its family can give. Scores become intervals: a sum is monotone in every input, and so is rounding, so adding the
 * least values and the greatest in the same order bounds every sum that could have been computed. A mapping's output is
 * open where the interval reaches across its bounds. Rule trees have three values, and an open leaf has the third one
 * whatever `on_unknown` says; confidences are intervals again. The decision is proven when it is certain to match and
 * nothing that could match can come before it.
 *
 * The sets are larger than what can really happen (classes exclude each other, for one), so a proof may be missed; none
 * is given wrongly.
 */
#include <math.h>

#include "core/arena.h"
#include "core/assert.h"
#include "route/route.h"
#include "route/state.h"

struct range {
    double least, greatest;
};

/* What can become of a node. `confidence` holds whenever it matches. */
struct possible {
    enum rule_state state; /* FALSE, TRUE, or UNKNOWN: either */
    struct range confidence;
};

struct proof {
    const struct route_state *state;
    const struct route *route;
    uint64_t *open;       /* bit per slot */
    uint64_t *sure;       /* outputs that are surely emitted, though their confidence is open */
    struct range *scores; /* in compiled order */
};

static struct range exactly(double number) {
    return (struct range){ number, number };
}

static bool is_exact(struct range range) {
    return range.least == range.greatest;
}

static struct range hull(struct range a, struct range b) {
    return (struct range){ fmin(a.least, b.least), fmax(a.greatest, b.greatest) };
}

/* ---- which slots are open */

/* Rules compete in families that are evaluated as a whole: one that failed might have beaten the others. */
static void open_competitors(struct proof *proof, const struct route_family *family) {
    const struct signal_family *f = family->family;
    size_t end = family->first_slot + family->n_slots;
    if ((!f->all_or_nothing && !f->keeps_best) || bits_next(proof->open, family->first_slot, end) == end)
        return;
    for (uint32_t i = 0; i < family->n_slots; i++)
        if (!f->applies || f->applies(family->state, proof->state->request.facts, plan_rule_of(family, i)))
            bits_add(proof->open, family->first_slot + i);
}

static void open_failures(struct proof *proof) {
    for (size_t i = 0; i < proof->route->n_families; i++) {
        const struct route_family *family = &proof->route->families[i];
        for (uint32_t slot = family->first_slot; slot < family->first_slot + family->n_slots; slot++)
            if (bits_has(proof->state->results.unavailable, slot) || !bits_has(proof->state->results.evaluated, slot))
                bits_add(proof->open, slot);
        open_competitors(proof, family);
    }
}

/* An open member may win or lose against the others, and decides whether there is a default. */
static bool open_partition(struct proof *proof, const struct partition *partition) {
    bool any = false, grew = false;
    for (size_t i = 0; i < partition->n_members; i++)
        any |= bits_has(proof->open, partition->members[i]);
    for (size_t i = 0; i < partition->n_members && any; i++) {
        uint32_t slot = partition->members[i];
        if (bits_has(proof->open, slot) ||
            (slot != partition->fallback && !bits_has(proof->state->results.matched, slot)))
            continue;
        bits_add(proof->open, slot);
        grew = true;
    }
    return grew;
}

static void open_partitions(struct proof *proof) {
    const struct compete *compete = proof->route->compete;
    bool grew = true;
    while (grew) { /* partitions may share members */
        grew = false;
        for (size_t i = 0; i < compete->n_partitions; i++)
            grew |= open_partition(proof, &compete->partitions[i].partition);
    }
}

/* ---- leaves and trees */

static bool slot_open(const struct proof *proof, uint32_t slot) {
    return policy_slot_in(proof->open, slot);
}

static bool leaf_open(const struct proof *proof, const struct rule_leaf *leaf) {
    if (leaf->never)
        return false;
    for (size_t i = 0; i < leaf->n_alternates; i++)
        if (slot_open(proof, leaf->alternates[i]))
            return true;
    return slot_open(proof, leaf->slot) || slot_open(proof, leaf->value_slot);
}

static bool surely_matched(const struct proof *proof, const uint64_t *matched, uint32_t slot) {
    if (slot == POLICY_SLOT_NONE)
        return false;
    return bits_has(proof->open, slot) ? bits_has(proof->sure, slot) : bits_has(matched, slot);
}

/* State of a leaf some of whose slots are open. */
static enum rule_state open_leaf_state(const struct proof *proof, const struct rule_leaf *leaf,
                                       const uint64_t *matched) {
    if (leaf->has_bounds)
        return RULE_UNKNOWN;
    if (surely_matched(proof, matched, leaf->slot))
        return RULE_TRUE;
    for (size_t i = 0; i < leaf->n_alternates; i++)
        if (surely_matched(proof, matched, leaf->alternates[i]))
            return RULE_TRUE;
    return RULE_UNKNOWN;
}

static struct range open_confidence(const struct proof *proof, uint32_t slot) {
    const struct route_family *family = plan_family_at(proof->route, slot);
    bool wide = family && family->family->confidence_max > 1;
    if (slot == POLICY_SLOT_NONE)
        return exactly(1);
    if (bits_has(proof->sure, slot))
        return (struct range){ 0.5, 1 }; /* of a mapping, whatever the score */
    return (struct range){ family ? family->family->confidence_least : 0, wide ? family->family->confidence_max : 1 };
}

/* ---- composers */

static enum rule_state composer_state(const struct proof *proof, uint32_t at, const uint8_t *leaves) {
    return rule_state(&proof->route->compete->rules, at, leaves);
}

/* A composer that may hold or not opens its rule; one that surely does not closes it. */
static void settle_composers(struct proof *proof) {
    const struct compete *compete = proof->route->compete;
    const struct rule_set *rules = &compete->rules;
    size_t n_words = BITS_WORDS(proof->route->slots.n);
    uint64_t *matched = ARENA_ARRAY(proof->state->arena, uint64_t, n_words);
    uint8_t *leaves = ARENA_ARRAY(proof->state->arena, uint8_t, rules->n_leaves);
    struct policy_view view = proof->state->view;
    for (size_t w = 0; w < n_words; w++)
        matched[w] = proof->state->results.matched[w] | proof->state->compete.beaten[w];
    view.matched = matched;
    rule_leaf_states(rules, &view, leaves);
    for (size_t i = 0; i < rules->n_leaves; i++)
        if (leaf_open(proof, &rules->leaves[i]))
            leaves[i] = (uint8_t)open_leaf_state(proof, &rules->leaves[i], matched);
    for (size_t i = 0; i < compete->n_composers; i++) {
        const struct compete_composer *composer = &compete->composers[i];
        enum rule_state holds = composer_state(proof, composer->root, leaves);
        for (uint32_t k = 0; k < composer->n_slots && holds != RULE_TRUE; k++)
            bits_put(proof->open, composer->first_slot + k, holds != RULE_FALSE);
    }
}

/* ---- scores */

static struct range open_value(const struct proof *proof, uint32_t slot) {
    const struct route_family *family = plan_family_at(proof->route, slot);
    struct range values = { -INFINITY, INFINITY };
    if (family && (family->family->value_least != 0 || family->family->value_greatest != 0))
        values = (struct range){ family->family->value_least, family->family->value_greatest };
    return hull(values, exactly(0)); /* or none at all */
}

static struct range input_range(const struct proof *proof, const struct projection_input *input) {
    if (input->source == PROJECTION_SCORE)
        return proof->scores[input->score];
    if (!slot_open(proof, input->slot))
        return exactly(projection_input_value(input, &proof->state->view, proof->state->projections));
    switch (input->source) {
    case PROJECTION_BINARY:
        if (bits_has(proof->sure, input->slot))
            return exactly(input->config->match);
        return hull(exactly(input->config->match), exactly(input->config->miss));
    case PROJECTION_CONFIDENCE:
        if (bits_has(proof->sure, input->slot))
            return open_confidence(proof, input->slot);
        return hull(open_confidence(proof, input->slot), exactly(0));
    case PROJECTION_RAW:
    case PROJECTION_SCORE:
        break;
    }
    return open_value(proof, input->slot);
}

static struct range score_range(const struct proof *proof, const struct projection_score *score) {
    struct range total = exactly(0);
    for (size_t i = 0; i < score->n_inputs; i++) {
        double weight = score->inputs[i].config->weight;
        struct range value = input_range(proof, &score->inputs[i]);
        if (weight == 0) /* infinitely many times nothing */
            continue;
        total.least += weight * (weight > 0 ? value.least : value.greatest);
        total.greatest += weight * (weight > 0 ? value.greatest : value.least);
    }
    return total;
}

/* Whether no number of the range lies within the bounds. */
static bool never_holds(const struct config_mapping_output *output, struct range score) {
    struct bounds b = bounds_of_output(output);
    return ((b.set & BOUND_LT) && !(score.least < b.lt)) || ((b.set & BOUND_LTE) && !(score.least <= b.lte)) ||
           ((b.set & BOUND_GT) && !(score.greatest > b.gt)) || ((b.set & BOUND_GTE) && !(score.greatest >= b.gte));
}

/* Bounds enclose one interval, so what holds at both ends holds between them. */
static bool always_holds(const struct config_mapping_output *output, struct range score) {
    return mapping_output_holds(output, score.least) && mapping_output_holds(output, score.greatest);
}

/* Opens the outputs that the range leaves open. What is not open is as it was computed. */
static void open_outputs(struct proof *proof, const struct projection_mapping *mapping, struct range score) {
    const struct config_mapping_output *outputs = mapping->config->outputs.items;
    bool multi = mapping->config->method == 1, taken = false, contested = false;
    for (size_t i = 0; i < mapping->config->outputs.n; i++) {
        bool never = taken || never_holds(&outputs[i], score), always = !never && always_holds(&outputs[i], score);
        if (never)
            continue;
        if (mapping->slots[i] != POLICY_SLOT_NONE) {
            bits_add(proof->open, mapping->slots[i]);
            bits_put(proof->sure, mapping->slots[i], always && !contested);
        }
        contested |= !multi; /* an earlier output may be the one */
        taken |= always && !multi;
    }
}

static void run_scores(struct proof *proof) {
    const struct projections *projections = proof->route->projections;
    for (size_t i = 0; i < projections->n_scores; i++) {
        const struct projection_score *score = &projections->scores[i];
        proof->scores[i] = score_range(proof, score);
        for (size_t k = 0; k < score->n_mappings && !is_exact(proof->scores[i]); k++)
            open_outputs(proof, &score->mappings[k], proof->scores[i]);
    }
}

/* ---- decisions */

static struct possible possible_node(const struct proof *proof, uint32_t at);

static struct possible possible_leaf(const struct proof *proof, uint32_t index) {
    const struct rule_leaf *leaf = &proof->route->policy->rules.leaves[index];
    const struct policy_view *view = &proof->state->view;
    struct possible leaf_possible = { .state = (enum rule_state)proof->state->leaves[index] };
    if (leaf_open(proof, leaf)) {
        leaf_possible.state = open_leaf_state(proof, leaf, view->matched);
        leaf_possible.confidence = leaf->has_bounds ? exactly(1) : hull(open_confidence(proof, leaf->slot), exactly(1));
    } else if (leaf_possible.state == RULE_TRUE) {
        leaf_possible.confidence = exactly(rule_leaf_confidence(leaf, view));
    } else if (leaf_possible.state != RULE_FALSE) { /* nothing open explains it: say nothing */
        leaf_possible = (struct possible){ RULE_UNKNOWN, { -INFINITY, INFINITY } };
    }
    return leaf_possible;
}

static struct possible possible_and(const struct proof *proof, uint32_t at) {
    const struct rule_node *nodes = proof->route->policy->rules.nodes;
    struct possible all = { .state = RULE_TRUE };
    size_t n = 0;
    for (uint32_t child = at + 1; child < nodes[at].end; child = nodes[child].end, n++) {
        struct possible one = possible_node(proof, child);
        if (one.state == RULE_FALSE)
            return one;
        if (one.state == RULE_UNKNOWN)
            all.state = RULE_UNKNOWN;
        all.confidence.least += one.confidence.least;
        all.confidence.greatest += one.confidence.greatest;
    }
    if (n > 0) {
        all.confidence.least /= (double)n;
        all.confidence.greatest /= (double)n;
    }
    return all;
}

/* The best of those that match: at least the best of the certain ones, at most the best of all that may. */
static struct possible possible_or(const struct proof *proof, uint32_t at) {
    const struct rule_node *nodes = proof->route->policy->rules.nodes;
    struct possible any = { .state = RULE_FALSE };
    struct range certain = { -INFINITY, -INFINITY }, maybe = { INFINITY, -INFINITY };
    for (uint32_t child = at + 1; child < nodes[at].end; child = nodes[child].end) {
        struct possible one = possible_node(proof, child);
        if (one.state == RULE_FALSE)
            continue;
        maybe = hull(maybe, one.confidence);
        if (one.state == RULE_TRUE) {
            certain.least = fmax(certain.least, one.confidence.least);
            any.state = RULE_TRUE;
        } else if (any.state == RULE_FALSE) {
            any.state = RULE_UNKNOWN;
        }
    }
    any.confidence = maybe;
    if (any.state == RULE_TRUE)
        any.confidence.least = certain.least;
    return any;
}

static struct possible possible_node(const struct proof *proof, uint32_t at) {
    const struct rule_node *node = &proof->route->policy->rules.nodes[at];
    struct possible child;
    switch ((enum rule_op)node->op) {
    case RULE_LEAF:
        return possible_leaf(proof, node->leaf);
    case RULE_AND:
        return possible_and(proof, at);
    case RULE_OR:
        return possible_or(proof, at);
    case RULE_NOT:
        child = possible_node(proof, at + 1);
        child.state = child.state == RULE_TRUE ? RULE_FALSE : child.state == RULE_FALSE ? RULE_TRUE : RULE_UNKNOWN;
        child.confidence = exactly(1);
        return child;
    case RULE_NEVER:
        return (struct possible){ .state = RULE_FALSE };
    case RULE_ALWAYS:
        break;
    }
    return (struct possible){ .state = RULE_TRUE };
}

/* ---- the winner */

/* Whether `a` surely comes before `b` when both match, `tiered` or not. */
static bool surely_first(const struct policy *policy, size_t a, size_t b, const struct possible *possible,
                         bool tiered) {
    /* The order is monotone in both confidences: the worst of the one against the best of the other. */
    return policy_precedes(policy, a, possible[a].confidence.least, b, possible[b].confidence.greatest, tiered);
}

/* Whether the decision wins whatever comes out, in one of the two orders; the other holds under other matches. */
static bool wins(const struct proof *proof, size_t winner, const struct possible *possible, bool tiered) {
    const struct policy *policy = proof->route->policy;
    for (size_t i = 0; i < policy->n_decisions; i++) {
        if (i == winner || possible[i].state == RULE_FALSE)
            continue;
        if (!tiered && policy->decisions[i].tier > 0) /* then tiers would count */
            continue;
        if (!surely_first(policy, winner, i, possible, tiered))
            return false;
    }
    return true;
}

static bool prove_winner(const struct proof *proof, size_t winner, const struct possible *possible) {
    const struct policy *policy = proof->route->policy;
    bool tiers_possible = false, tiers_certain = false;
    if (possible[winner].state != RULE_TRUE)
        return false;
    for (size_t i = 0; i < policy->n_decisions; i++) {
        tiers_possible |= policy->decisions[i].tier > 0 && possible[i].state != RULE_FALSE;
        tiers_certain |= policy->decisions[i].tier > 0 && possible[i].state == RULE_TRUE;
    }
    if (tiers_possible && !wins(proof, winner, possible, true))
        return false;
    return tiers_certain || wins(proof, winner, possible, false);
}

bool route_independent(const struct route_state *state, const struct config_decision *expected) {
    const struct route *route = state->route;
    const struct policy *policy = route->policy;
    struct proof proof = { .state = state, .route = route };
    struct possible *possible;
    size_t winner = policy->n_decisions;
    bool none = true;
    VSR_ASSERT(state->done);
    if (state->skipped)
        return expected == NULL;
    if (!state->full)
        return false; /* what was left out is not known */
    proof.open = ARENA_ARRAY(state->arena, uint64_t, BITS_WORDS(route->slots.n));
    proof.sure = ARENA_ARRAY(state->arena, uint64_t, BITS_WORDS(route->slots.n));
    proof.scores = ARENA_ARRAY(state->arena, struct range, route->projections->n_scores);
    open_failures(&proof);
    open_partitions(&proof);
    settle_composers(&proof);
    run_scores(&proof);
    possible = ARENA_ARRAY(state->arena, struct possible, policy->n_decisions);
    for (size_t i = 0; i < policy->n_decisions; i++) {
        possible[i] = possible_node(&proof, policy->decisions[i].root);
        none &= possible[i].state == RULE_FALSE;
        if (policy->decisions[i].config == expected)
            winner = i;
    }
    if (!expected)
        return none;
    return winner < policy->n_decisions && prove_winner(&proof, winner, possible);
}
