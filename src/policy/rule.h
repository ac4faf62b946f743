/*
 * rule - decision rule trees, compiled (decisions.md §2.2-2.5).
 *
 * All trees of a recipe share one table of distinct leaves and one array of nodes in pre-order. A request first gives
 * every leaf a state, then walks trees over these bytes. States are three-valued, and a fourth one stands for "not
 * evaluated yet" during staged evaluation: it blocks a verdict, like unknown, but no default settles it. Immutable once
 * built: any thread.
 */
#ifndef VSR_POLICY_RULE_H
#define VSR_POLICY_RULE_H

#include "config/predicate.h"
#include "core/map.h"
#include "policy/view.h"

struct arena;

enum { POLICY_DEPTH_MAX = 64 }; /* configuration allows 32, `not` doubles it */

enum rule_state { RULE_FALSE, RULE_TRUE, RULE_UNKNOWN, RULE_PENDING };

/* Text for traces: no_match, match, unknown, pending. */
const char *rule_state_text(enum rule_state state);

struct rule_leaf {
    vsr_str text;              /* "type:name[:label]" as written */
    vsr_str type, name, label; /* type folded */
    uint32_t slot;             /* match, failure */
    uint32_t value_slot;       /* what the predicate reads */
    const uint32_t *alternates;
    size_t n_alternates;
    bool never; /* cannot match, whatever the request */
    bool has_bounds;
    struct bounds bounds;
    bool never_unknown;
    enum config_on_unknown on_unknown; /* settled: MATCH, NO_MATCH or UNKNOWN */
};

enum rule_op { RULE_LEAF, RULE_AND, RULE_OR, RULE_NOT, RULE_NEVER, RULE_ALWAYS };

struct rule_node {
    uint32_t op;   /* enum rule_op */
    uint32_t leaf; /* LEAF: index */
    uint32_t end;  /* index behind the subtree; the first child follows the node itself */
};

struct rule_set {
    struct arena *arena; /* while building */
    struct rule_leaf *leaves;
    size_t n_leaves, leaves_cap;
    struct rule_node *nodes;
    size_t n_nodes, nodes_cap;
    struct map by_key;
};

void rule_set_init(struct rule_set *set, struct arena *arena);

/*
 * Compiles a tree; NULL is unconditional. `on_unknown` is the decision's. Returns the root's index. Keeps the strings
 * of `rule`.
 */
uint32_t rule_set_add(struct rule_set *set, const struct config_rule *rule, enum config_on_unknown on_unknown,
                      const struct policy_names *names);

/* Adds the slots that a leaf reads. */
void rule_leaf_slots(const struct rule_leaf *leaf, uint64_t *slots);

/* Gives every leaf its state (enum rule_state, one byte each). */
void rule_leaf_states(const struct rule_set *set, const struct policy_view *view, uint8_t *states);
/* Confidence of a leaf that is TRUE. */
double rule_leaf_confidence(const struct rule_leaf *leaf, const struct policy_view *view);

/* State of the tree at `root`. */
enum rule_state rule_state(const struct rule_set *set, uint32_t root, const uint8_t *states);

/*
 * Confidence of a node that is TRUE. *exact becomes false (and is left alone otherwise) when a pending leaf could still
 * change it or the matched rules.
 */
double rule_confidence(const struct rule_set *set, uint32_t node, const uint8_t *states, const struct policy_view *view,
                       bool *exact);

/* The leaves that made a TRUE node true, in order. Returns how many; writes at most `max`. */
size_t rule_matched(const struct rule_set *set, uint32_t node, const uint8_t *states, const struct policy_view *view,
                    uint32_t *ret_leaves, size_t max);

#endif
