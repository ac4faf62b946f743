/*
 * decision - which decision wins (decisions.md §2.6).
 *
 * Decisions are compiled once, in the order in which they can win. With strategy `priority` and no tiers the walk stops
 * behind the first priority that has a match; otherwise all are looked at. Immutable once built: any thread.
 */
#ifndef VSR_POLICY_DECISION_H
#define VSR_POLICY_DECISION_H

#include "policy/rule.h"

struct policy_decision {
    const struct config_decision *config;
    int64_t priority, tier;
    uint32_t root; /* in the rule set */
};

/*
 * A leaf that the decision cannot match without: in this state, the tree need not be walked. Most decisions fail most
 * requests here, and the guards of all of them lie side by side.
 */
struct policy_guard {
    uint32_t leaf;  /* POLICY_SLOT_NONE: none */
    uint32_t fatal; /* enum rule_state */
};

struct policy {
    struct rule_set rules;
    struct policy_decision *decisions; /* by priority, then name */
    struct policy_guard *guards;       /* per decision */
    size_t n_decisions;
    bool ordered;       /* strategy priority without tiers: the first match's priority decides */
    bool by_confidence; /* strategy confidence */
    bool untiered_first;
};

struct policy_options {
    bool by_confidence;
    bool untiered_first;
};

/* Compiles struct config_decision items, which it keeps. */
struct policy *policy_build(struct arena *arena, const struct config_list *decisions,
                            const struct policy_options *options, const struct policy_names *names);

struct policy_verdict {
    const struct policy_decision *winner; /* NULL: none matches */
    double confidence;
};

/*
 * Looks for the winner, given the leaves' states. Returns true and writes the verdict when nothing pending can change
 * it; else false, with the best so far as the verdict and the decisions that block marked in `blocking` (bit per
 * decision; may be NULL).
 */
bool policy_decide(const struct policy *policy, const uint8_t *states, const struct policy_view *view,
                   struct policy_verdict *ret_verdict, uint64_t *blocking);

/* Whether decision `a` comes before `b` when both match with these confidences. `tiered`: some match has a tier. */
bool policy_precedes(const struct policy *policy, size_t a, double confidence_a, size_t b, double confidence_b,
                     bool tiered);

/* Adds the slots that the decision's leaves read. */
void policy_slots(const struct policy *policy, size_t decision, uint64_t *slots);

/* Calls fn for each pending leaf of a decision. */
void policy_pending(const struct policy *policy, size_t decision, const uint8_t *states,
                    void (*fn)(void *data, const struct rule_leaf *leaf), void *data);

#endif
