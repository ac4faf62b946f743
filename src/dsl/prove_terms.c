/* Terms that can be left out of a condition: W409. */
#include <stdlib.h>

#include "core/arena.h"
#include "dsl/prove_parts.h"

bool prove_is_turned(const struct prove_route *route, int32_t at) {
    bool turned = false;
    for (; at != PROVE_NODE_NONE; at = route->nodes[at].parent)
        turned ^= route->nodes[at].rule->negated ^
                  (!route->nodes[at].rule->type.len && route->nodes[at].rule->op == OPERATOR_NOT);
    return turned;
}

static size_t count_left(const struct prove_route *route, int32_t parent) {
    size_t n = 0;
    for (uint32_t child = (uint32_t)parent + 1; child < route->nodes[parent].end; child = route->nodes[child].end)
        n += !route->nodes[child].removed;
    return n;
}

/* An example in which the route matches with the term and not without, or the other way round. */
static bool pool_tells(struct proof *proof, struct prove_route *route, struct prove_node *node) {
    for (size_t i = 0; i < proof->n_pool && i < proof->pool_max; i++) {
        enum prove_state with, without;
        with = prove_route_state(route, proof->pool[i]);
        node->removed = true;
        without = prove_route_state_without(route, proof->pool[i]);
        node->removed = false;
        if ((with == PROVE_TRUE) != (without == PROVE_TRUE))
            return true;
    }
    return false;
}

/*
 * Without a child an AND can only be true more often, and an OR less often; so one direction is asked. `with` is the
 * condition as it stands, without the terms that are removed already.
 */
static bool is_redundant(struct proof *proof, struct prove_route *route, uint32_t at) {
    struct prove_node *node = &route->nodes[at];
    bool grows = (route->nodes[node->parent].rule->op == OPERATOR_AND) != prove_is_turned(route, node->parent);
    struct rail without;
    int question[2];
    if (pool_tells(proof, route, node))
        return false;
    without = prove_route_without(&proof->routes, route, at, false);
    question[0] = grows ? without.is : -without.is;
    question[1] = grows ? -route->rail.is : route->rail.is;
    return prove_ask(proof, question, 2) == SOLVER_IMPOSSIBLE;
}

static bool is_within_removed(const struct prove_route *route, uint32_t at) {
    for (int32_t up = (int32_t)at; up != PROVE_NODE_NONE; up = route->nodes[up].parent)
        if (route->nodes[up].removed)
            return true;
    return false;
}

/* What a DECISION_TREE adds to a branch, that none before it holds, stands before it. */
static bool is_written_elsewhere(const struct prove_route *route, const struct prove_node *node) {
    const struct yaml_node *term = node->rule->at.node, *whole = route->config->at.node;
    return term && whole && term->start < whole->start;
}

static vsr_str term_text(struct proof *proof, const struct prove_node *node) {
    const struct config_rule *rule = node->rule;
    const char *before = rule->negated ? "NOT " : "";
    if (rule->type.len)
        return arena_printf(proof->arena, "%s%.*s", before, VSR_FMT(proof->theory.leaves[node->leaf].text));
    if (rule->op == OPERATOR_NOT && rule->conditions.n == 1 && node[1].rule->type.len)
        return arena_printf(proof->arena, "%sNOT %.*s", before, VSR_FMT(proof->theory.leaves[node[1].leaf].text));
    if (rule->op == OPERATOR_NOT)
        return arena_printf(proof->arena, "%sthis NOT", before);
    return arena_printf(proof->arena, "%sthis %s of %zu terms", before, rule->op == OPERATOR_AND ? "AND" : "OR",
                        rule->conditions.n);
}

/* A term that may be left out, and how much there is of it. */
struct term {
    uint32_t at, size;
};

static int term_cmp(const void *left, const void *right) {
    const struct term *a = left, *b = right;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* The largest first: of `a AND (a OR b)` it is the OR that says nothing. */
static size_t find_terms(struct proof *proof, const struct prove_route *route, struct term **ret_terms) {
    struct term *terms = ARENA_ARRAY(proof->arena, struct term, route->n_nodes);
    size_t n = 0;
    for (uint32_t at = 1; at < route->n_nodes; at++)
        if (route->nodes[route->nodes[at].parent].rule->op != OPERATOR_NOT)
            terms[n++] = (struct term){ at, route->nodes[at].end - at };
    qsort(terms, n, sizeof(*terms), term_cmp);
    *ret_terms = terms;
    return n;
}

void prove_terms(struct proof *proof, struct prove_route *route) {
    struct term *terms;
    size_t n = find_terms(proof, route, &terms);
    for (size_t i = 0; i < n && !solver_is_over(&proof->solver); i++) {
        struct prove_node *node = &route->nodes[terms[i].at];
        vsr_str text;
        if (count_left(route, node->parent) < 2 || is_written_elsewhere(route, node) ||
            is_within_removed(route, terms[i].at) || !is_redundant(proof, route, terms[i].at))
            continue;
        (void)prove_route_without(&proof->routes, route, terms[i].at, true);
        text = term_text(proof, node);
        finding_add(proof->findings, FINDING_HINT, "W409", prove_place_of_rule(route, node->rule),
                    "route \"%.*s\": %.*s can be left out; WHEN is true for the same requests without it",
                    VSR_FMT(route->config->name), VSR_FMT(text));
    }
    for (uint32_t at = 0; at < route->n_nodes; at++)
        route->nodes[at].removed = false;
}
