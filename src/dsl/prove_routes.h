/*
 * prove_routes - the routes of one profile as conditions, in the order in which they win.
 *
 * A route's condition is kept as nodes in pre-order, each with its rail, so that it can be evaluated over an example
 * and put together anew without one of its terms. Ranks say who wins for certain: of two that match, the one of the
 * lower rank; within a rank confidences decide, and nothing is certain (decisions.md §2.6):
 *
 *   - strategy priority, no tiers: a rank for each priority. Strategy confidence, no tiers: all have one.
 *   - tiers: a rank for each. Untiered routes come behind them, ranked as without tiers: one of them wins only when no
 *     tier matches. With `untiered: first` they share the first rank, for a tier that matches makes confidences decide
 *     among them.
 *
 * Keeps the scope. One thread.
 */
#ifndef VSR_DSL_PROVE_ROUTES_H
#define VSR_DSL_PROVE_ROUTES_H

#include "dsl/prove_theory.h"

struct buf;

enum prove_state { PROVE_FALSE, PROVE_TRUE, PROVE_UNKNOWN };

enum { PROVE_NODE_NONE = -1 };

struct prove_node {
    const struct config_rule *rule;
    int32_t parent; /* PROVE_NODE_NONE: the root */
    uint32_t end;   /* behind its subtree; the first child follows it */
    uint32_t leaf;  /* of a leaf: index in the theory */
    struct rail rail;
    bool removed;
};

struct prove_route {
    const struct config_decision *config;
    struct prove_node *nodes; /* none: unconditional */
    size_t n_nodes;
    struct rail rail;
    size_t rank;
    int wins; /* literal: it matches, and none of a lower rank does */
};

struct prove_routes {
    struct theory_scope *scope;
    struct prove_route *items; /* in the order of the document */
    size_t n;
    size_t n_ranks;
    int *clear;         /* [n_ranks + 1]: no route of a lower rank matches */
    bool by_confidence; /* nothing but confidences decides */
};

void prove_routes_build(struct prove_routes *routes, struct theory_scope *scope);

/* Its condition over the states of leaves (enum prove_state, one byte each). */
enum prove_state prove_route_state(const struct prove_route *route, const uint8_t *states);
/* The same without the nodes that are marked as removed. */
enum prove_state prove_route_state_without(const struct prove_route *route, const uint8_t *states);
/*
 * The rail of the condition without the node `at`, which has a parent, and without the nodes removed before. With
 * `keep` the node is marked as removed.
 */
struct rail prove_route_without(struct prove_routes *routes, struct prove_route *route, uint32_t at, bool keep);

/* Whether both name the same models, asked in the same way. */
bool prove_same_models(const struct config_decision *a, const struct config_decision *b);
/* Whether choosing one is as good as choosing the other: the same models, asked in the same way. */
bool prove_same_outcome(const struct config_decision *a, const struct config_decision *b);

/* Kinds of requests, those first that are most telling. */
struct prove_circumstance {
    int literal;
    const char *text; /* " while a signal cannot be evaluated"; empty: nothing is odd about them */
};
enum { PROVE_CIRCUMSTANCES = 3 };
void prove_circumstances(const struct theory *theory, struct prove_circumstance ret_all[PROVE_CIRCUMSTANCES]);

/* Writes the states of all leaves in the solver's example. */
void prove_states(const struct theory *theory, uint8_t *states);
/* Whether what the solver says of each route in its example is what evaluating the conditions says. */
bool prove_states_agree(const struct prove_routes *routes, const uint8_t *states);

/* `keyword(a) true, domain(b) unknown, keyword(c) false`: the leaves of these routes, in an example. */
vsr_str prove_witness(struct arena *arena, const struct theory *theory, const struct prove_route *const *routes,
                      size_t n, const uint8_t *states);

#endif
