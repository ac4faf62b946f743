/* Which routes match and win: W401, W402, W403, W407 and W408. */
#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/prove_parts.h"

enum {
    TIES_PER_ROUTE_MAX = 3, /* told of one route */
    SHADOWS_TOLD_MAX = 5,   /* names in one message */
    TEXT_LEN_MAX = 4096,
};

/* ---- W402, W403 */

static bool seen(const struct proof *proof, const struct prove_route *route, bool matching) {
    for (size_t i = 0; i < proof->n_pool && i < proof->pool_max; i++)
        if ((prove_route_state(route, proof->pool[i]) == PROVE_TRUE) == matching)
            return true;
    return false;
}

/* Whether the route can match, or fail to; from the pool when that shows it. */
static enum solver_answer can(struct proof *proof, const struct prove_route *route, bool matching) {
    int literal = matching ? route->rail.is : -route->rail.is;
    return seen(proof, route, matching) ? SOLVER_POSSIBLE : prove_ask(proof, &literal, 1);
}

static bool says_nothing(const struct prove_route *route) {
    const struct config_rule *root = route->config->rules;
    return route->n_nodes == 0 || (root->op == OPERATOR_AND && root->conditions.n == 0 && !root->negated);
}

enum prove_truth prove_truth(struct proof *proof, const struct prove_route *route) {
    vsr_str name = route->config->name;
    enum solver_answer answer;
    if (says_nothing(route))
        return PROVE_TRUTH_ALWAYS;
    answer = can(proof, route, true);
    if (answer == SOLVER_IMPOSSIBLE) {
        finding_add(proof->findings, FINDING_WARNING, "W402", prove_place_of_rule(route, route->config->rules),
                    "route \"%.*s\": WHEN is never true", VSR_FMT(name));
        return PROVE_TRUTH_NEVER;
    }
    if (answer == SOLVER_UNDECIDED)
        return PROVE_TRUTH_UNDECIDED;
    answer = can(proof, route, false);
    if (answer != SOLVER_IMPOSSIBLE)
        return answer == SOLVER_POSSIBLE ? PROVE_TRUTH_VARIES : PROVE_TRUTH_UNDECIDED;
    finding_add(proof->findings, FINDING_WARNING, "W403", prove_place_of_rule(route, route->config->rules),
                "route \"%.*s\": WHEN is always true; without it the route says that it takes every request",
                VSR_FMT(name));
    return PROVE_TRUTH_ALWAYS;
}

/* ---- W401 */

/* Of the routes of lower ranks, a smallest set without which some match would be left. */
static size_t find_shadows(struct proof *proof, const struct prove_route *route,
                           const struct prove_route **ret_shadows) {
    int *assumptions = ARENA_ARRAY(proof->arena, int, proof->routes.n + 1);
    size_t n = 0, n_kept = 0;
    assumptions[n++] = route->rail.is;
    for (size_t i = 0; i < proof->routes.n; i++)
        if (proof->routes.items[i].rank < route->rank) {
            ret_shadows[n - 1] = &proof->routes.items[i];
            assumptions[n++] = -proof->routes.items[i].rail.is;
        }
    if (solver_ask(&proof->solver, assumptions, n) != SOLVER_IMPOSSIBLE)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (solver_blamed(&proof->solver, assumptions[i])) {
            ret_shadows[n_kept++] = ret_shadows[i - 1];
            assumptions[n_kept] = assumptions[i];
        }
    for (size_t i = 0; i < n_kept;) { /* leave one out: is it still impossible? */
        int left_out = assumptions[i + 1];
        assumptions[i + 1] = assumptions[n_kept];
        if (solver_ask(&proof->solver, assumptions, n_kept) == SOLVER_IMPOSSIBLE) {
            memmove(&ret_shadows[i], &ret_shadows[i + 1], (n_kept - i - 1) * sizeof(*ret_shadows));
            for (size_t k = i; k + 1 < n_kept; k++)
                assumptions[k + 1] = -ret_shadows[k]->rail.is;
            n_kept--;
        } else {
            assumptions[i + 1] = left_out;
            i++;
        }
    }
    return n_kept;
}

static vsr_str names_of(struct proof *proof, const struct prove_route *const *routes, size_t n) {
    struct buf out;
    vsr_str text;
    size_t told = n > SHADOWS_TOLD_MAX ? SHADOWS_TOLD_MAX - 1 : n;
    buf_init(&out, TEXT_LEN_MAX);
    for (size_t i = 0; i < told; i++)
        buf_printf(&out, "%s\"%.*s\"", i == 0 ? "" : i + 1 == n ? " or " : ", ", VSR_FMT(routes[i]->config->name));
    if (told < n)
        buf_printf(&out, " or %zu others", n - told);
    text = arena_str(proof->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

bool prove_reached(struct proof *proof, const struct prove_route *route) {
    const struct prove_route **shadows = ARENA_ARRAY(proof->arena, const struct prove_route *, proof->routes.n + 1);
    struct finding *finding;
    vsr_str names;
    size_t n;
    if (prove_ask(proof, &route->wins, 1) != SOLVER_IMPOSSIBLE)
        return true;
    n = find_shadows(proof, route, shadows);
    if (n == 0)
        return true; /* undecided now */
    names = names_of(proof, shadows, n);
    finding = finding_add(proof->findings, FINDING_WARNING, "W401", prove_place_of(route->config->at.node),
                          "route \"%.*s\" is unreachable: every match is taken by %.*s", VSR_FMT(route->config->name),
                          VSR_FMT(names));
    if (prove_ask_gently(proof, &route->rail.is, 1) == SOLVER_POSSIBLE)
        prove_set_witness(proof, finding, &route, 1);
    return false;
}

/* ---- W408 */

void prove_uncaught(struct proof *proof) {
    const struct prove_route **all = ARENA_ARRAY(proof->arena, const struct prove_route *, proof->routes.n);
    const struct prove_routes *routes = &proof->routes;
    bool has_default = proof->doc->providers.defaults.default_model.len > 0;
    struct finding *finding;
    for (size_t i = 0; i < routes->n; i++)
        all[i] = &routes->items[i];
    if (routes->n == 0 || prove_ask_gently(proof, &routes->clear[routes->n_ranks], 1) != SOLVER_POSSIBLE)
        return;
    proof->findings->decl = (struct dsl_at){ 0 };
    finding =
        finding_add(proof->findings, FINDING_HINT, "W408", prove_place_of(routes->items[routes->n - 1].config->at.node),
                    "no route takes some requests%s%s; a route without WHEN, of the least rank, would take them",
                    proof->circumstance, has_default ? ", and the default model answers them" : "");
    prove_set_witness(proof, finding, all, routes->n);
}

/* ---- W407 */

static bool may_tie(const struct proof *proof, const struct prove_route *a, const struct prove_route *b) {
    return a->rank == b->rank && a->config->priority == b->config->priority &&
           !prove_same_outcome(a->config, b->config) && !proof->routes.by_confidence;
}

static struct finding *add_tie(struct proof *proof, const struct prove_route *a, const struct prove_route *b) {
    return finding_add(proof->findings, FINDING_WARNING, "W407", prove_place_of(b->config->at.node),
                       "routes \"%.*s\" and \"%.*s\" have the same %s and can both match%s: the confidence decides "
                       "between their models, then the name",
                       VSR_FMT(a->config->name), VSR_FMT(b->config->name),
                       b->config->tier > 0 ? "tier and priority" : "priority", proof->circumstance);
}

void prove_ties(struct proof *proof, const struct prove_route *route) {
    size_t index = (size_t)(route - proof->routes.items), told = 0;
    for (size_t i = 0; i < index && told < TIES_PER_ROUTE_MAX; i++) {
        const struct prove_route *pair[] = { &proof->routes.items[i], route };
        int both[] = { pair[0]->wins, route->wins };
        if (!may_tie(proof, pair[0], route) || prove_ask_gently(proof, both, 2) != SOLVER_POSSIBLE)
            continue;
        prove_set_witness(proof, add_tie(proof, pair[0], route), pair, 2);
        told++;
    }
}
