#include "dsl/prove_routes.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"

enum { WITNESS_FACTS_MAX = 24, WITNESS_LEN_MAX = 8192 };

/* ---- conditions */

struct route_builder {
    struct prove_routes *routes;
    struct prove_route *route;
    size_t cap;
};

static void add_node(struct route_builder *b, const struct config_rule *rule, int32_t parent) {
    struct theory_scope *scope = b->routes->scope;
    struct prove_route *route = b->route;
    size_t at = route->n_nodes;
    route->nodes = arena_grow(scope->theory->arena, route->nodes, sizeof(*route->nodes), route->n_nodes, &b->cap);
    route->nodes[route->n_nodes++] = (struct prove_node){ .rule = rule, .parent = parent };
    if (rule->type.len)
        route->nodes[at].leaf = theory_leaf(scope, rule, (enum config_on_unknown)route->config->on_unknown, false);
    else
        CONFIG_EACH(const struct config_rule, child, &rule->conditions)
    add_node(b, child, (int32_t)at);
    route->nodes[at].end = (uint32_t)route->n_nodes;
}

/* How a node's children count. A NOT of anything but one child never matches. */
enum node_kind { NODE_LEAF, NODE_AND, NODE_OR, NODE_NOT, NODE_NEVER };

static enum node_kind kind_of(const struct prove_node *node) {
    if (node->rule->type.len)
        return NODE_LEAF;
    if (node->rule->op == OPERATOR_AND)
        return NODE_AND;
    if (node->rule->op == OPERATOR_NOT)
        return node->rule->conditions.n == 1 ? NODE_NOT : NODE_NEVER;
    return NODE_OR;
}

/* From the rails of its children. In place of that of `changed` counts `*rail`; NULL: it is left out. */
static struct rail node_rail(const struct theory *theory, const struct prove_route *route, uint32_t at,
                             uint32_t changed, const struct rail *changed_rail) {
    const struct prove_node *node = &route->nodes[at];
    struct solver *solver = theory->solver;
    struct rail *rails = ARENA_ARRAY(theory->arena, struct rail, node->rule->conditions.n);
    struct rail rail = { -solver->yes, solver->yes };
    size_t n = 0;
    for (uint32_t child = at + 1; child < node->end; child = route->nodes[child].end)
        if (!route->nodes[child].removed && (child != changed || changed_rail))
            rails[n++] = child == changed ? *changed_rail : route->nodes[child].rail;
    switch (kind_of(node)) {
    case NODE_LEAF:
        rail = theory->leaves[node->leaf].rail;
        break;
    case NODE_AND:
        rail = rail_and(solver, rails, n);
        break;
    case NODE_OR:
        rail = rail_or(solver, rails, n);
        break;
    case NODE_NOT:
        rail = rail_not(rails[0]);
        break;
    case NODE_NEVER:
        break;
    }
    return node->rule->negated ? rail_not(rail) : rail;
}

/* Children stand behind their parents. */
static struct rail route_rail(const struct theory *theory, struct prove_route *route) {
    int yes = theory->solver->yes;
    for (size_t at = route->n_nodes; at > 0; at--)
        route->nodes[at - 1].rail = node_rail(theory, route, (uint32_t)at - 1, 0, NULL);
    return route->n_nodes ? route->nodes[0].rail : (struct rail){ yes, -yes };
}

struct rail prove_route_without(struct prove_routes *routes, struct prove_route *route, uint32_t at, bool keep) {
    const struct rail *changed = NULL;
    struct rail rail = { 0 };
    uint32_t child = at;
    for (int32_t up = route->nodes[at].parent; up != PROVE_NODE_NONE; up = route->nodes[up].parent) {
        rail = node_rail(routes->scope->theory, route, (uint32_t)up, child, changed);
        changed = &rail;
        child = (uint32_t)up;
        if (keep)
            route->nodes[up].rail = rail;
    }
    route->nodes[at].removed |= keep;
    return rail;
}

static enum prove_state negated(enum prove_state state) {
    return state == PROVE_TRUE ? PROVE_FALSE : state == PROVE_FALSE ? PROVE_TRUE : PROVE_UNKNOWN;
}

/* A condition over an example. */
struct evaluation {
    const struct prove_node *nodes;
    const uint8_t *states;
    bool without; /* what is marked as removed */
};

/* Of an AND `decisive` is FALSE, of an OR it is TRUE: one such child is enough. */
static enum prove_state children_state(const struct evaluation *e, uint32_t at, enum prove_state decisive);

static enum prove_state node_state(const struct evaluation *e, uint32_t at) {
    const struct prove_node *node = &e->nodes[at];
    enum prove_state state = PROVE_FALSE;
    switch (kind_of(node)) {
    case NODE_LEAF:
        state = (enum prove_state)e->states[node->leaf];
        break;
    case NODE_AND:
        state = children_state(e, at, PROVE_FALSE);
        break;
    case NODE_OR:
        state = children_state(e, at, PROVE_TRUE);
        break;
    case NODE_NOT:
        state = negated(node_state(e, at + 1));
        break;
    case NODE_NEVER:
        break;
    }
    return node->rule->negated ? negated(state) : state;
}

static enum prove_state children_state(const struct evaluation *e, uint32_t at, enum prove_state decisive) {
    enum prove_state result = negated(decisive);
    for (uint32_t child = at + 1; child < e->nodes[at].end; child = e->nodes[child].end) {
        enum prove_state state;
        if (e->without && e->nodes[child].removed)
            continue;
        state = node_state(e, child);
        if (state == decisive)
            return decisive;
        if (state == PROVE_UNKNOWN)
            result = PROVE_UNKNOWN;
    }
    return result;
}

static enum prove_state route_state(const struct prove_route *route, const uint8_t *states, bool without) {
    struct evaluation e = { route->nodes, states, without };
    return route->n_nodes ? node_state(&e, 0) : PROVE_TRUE;
}

enum prove_state prove_route_state(const struct prove_route *route, const uint8_t *states) {
    return route_state(route, states, false);
}

enum prove_state prove_route_state_without(const struct prove_route *route, const uint8_t *states) {
    return route_state(route, states, true);
}

/* ---- ranks */

struct ranked {
    size_t route;
    int64_t major, minor; /* the lowest first */
};

static int ranked_cmp(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    if (a->major != b->major)
        return a->major < b->major ? -1 : 1;
    if (a->minor != b->minor)
        return a->minor < b->minor ? -1 : 1;
    return a->route < b->route ? -1 : a->route > b->route;
}

/* The place of an untiered route among those without a tier. */
static int64_t minor_of(const struct prove_routes *routes, const struct config_decision *decision, bool tiered) {
    if (routes->by_confidence || (tiered && routes->scope->routing->untiered_first))
        return 0;
    return decision->priority == INT64_MIN ? INT64_MAX : -decision->priority;
}

static void rank(struct prove_routes *routes) {
    struct theory *theory = routes->scope->theory;
    struct ranked *order = ARENA_ARRAY(theory->arena, struct ranked, routes->n);
    bool tiered = false;
    for (size_t i = 0; i < routes->n; i++)
        tiered |= routes->items[i].config->tier > 0;
    for (size_t i = 0; i < routes->n; i++) {
        const struct config_decision *decision = routes->items[i].config;
        int64_t untiered = routes->scope->routing->untiered_first ? 0 : INT64_MAX;
        order[i] = (struct ranked){ i, decision->tier > 0 ? decision->tier : untiered, 0 };
        if (decision->tier <= 0)
            order[i].minor = minor_of(routes, decision, tiered);
    }
    qsort(order, routes->n, sizeof(*order), ranked_cmp);
    for (size_t i = 0; i < routes->n; i++) {
        bool new = i == 0 || order[i - 1].major != order[i].major || order[i - 1].minor != order[i].minor;
        routes->n_ranks += new;
        routes->items[order[i].route].rank = routes->n_ranks - 1;
    }
}

static void chain(struct prove_routes *routes) {
    struct theory *theory = routes->scope->theory;
    int *matches = ARENA_ARRAY(theory->arena, int, routes->n + 1);
    routes->clear = ARENA_ARRAY(theory->arena, int, routes->n_ranks + 1);
    routes->clear[0] = theory->solver->yes;
    for (size_t rank = 0; rank < routes->n_ranks; rank++) {
        size_t n = 0;
        for (size_t i = 0; i < routes->n; i++)
            if (routes->items[i].rank == rank)
                matches[n++] = -routes->items[i].rail.is;
        matches[n++] = routes->clear[rank];
        routes->clear[rank + 1] = solver_and(theory->solver, matches, n);
    }
    for (size_t i = 0; i < routes->n; i++)
        routes->items[i].wins =
            solver_and2(theory->solver, routes->items[i].rail.is, routes->clear[routes->items[i].rank]);
}

static bool is_unconditional(const struct config_rule *rule) {
    return !rule ||
           (rule->type.len == 0 && rule->name.len == 0 && rule->op == OPERATOR_NONE && rule->conditions.n == 0);
}

void prove_routes_build(struct prove_routes *routes, struct theory_scope *scope) {
    const struct config_decision *configs = scope->routing->decisions.items;
    *routes = (struct prove_routes){ .scope = scope, .n = scope->routing->decisions.n };
    routes->by_confidence = scope->routing->strategy == STRATEGY_CONFIDENCE;
    routes->items = ARENA_ARRAY(scope->theory->arena, struct prove_route, routes->n);
    for (size_t i = 0; i < routes->n; i++) {
        struct prove_route *route = &routes->items[i];
        struct route_builder b = { routes, route, 0 };
        route->config = &configs[i];
        if (!is_unconditional(configs[i].rules))
            add_node(&b, configs[i].rules, PROVE_NODE_NONE);
        route->rail = route_rail(scope->theory, route);
    }
    rank(routes);
    chain(routes);
}

/* ---- outcomes */

static bool same_refs(const struct config_model_ref *a, const struct config_model_ref *b) {
    return str_eq(a->model, b->model) && str_eq(a->lora_name, b->lora_name) && a->weight == b->weight &&
           a->use_reasoning == b->use_reasoning && str_eq(a->reasoning_effort, b->reasoning_effort);
}

bool prove_same_outcome(const struct config_decision *a, const struct config_decision *b) {
    return str_eq(config_decision_algorithm(a), config_decision_algorithm(b)) && prove_same_models(a, b);
}

bool prove_same_models(const struct config_decision *a, const struct config_decision *b) {
    const struct config_model_ref *left = a->model_refs.items, *right = b->model_refs.items;
    if (a->model_refs.n != b->model_refs.n)
        return false;
    for (size_t i = 0; i < a->model_refs.n; i++)
        if (!same_refs(&left[i], &right[i]))
            return false;
    return true;
}

/* ---- examples */

void prove_circumstances(const struct theory *theory, struct prove_circumstance ret_all[PROVE_CIRCUMSTANCES]) {
    ret_all[0] = (struct prove_circumstance){ theory->ordinary, "" };
    ret_all[1] = (struct prove_circumstance){ theory->text, " while a signal cannot be evaluated" };
    ret_all[2] = (struct prove_circumstance){ theory->solver->yes, " when there is no text" };
}

void prove_states(const struct theory *theory, uint8_t *states) {
    for (size_t i = 0; i < theory->n_leaves; i++) {
        struct rail rail = theory->leaves[i].rail;
        states[i] = solver_holds(theory->solver, rail.is)     ? PROVE_TRUE
                    : solver_holds(theory->solver, rail.not ) ? PROVE_FALSE
                                                              : PROVE_UNKNOWN;
    }
}

bool prove_states_agree(const struct prove_routes *routes, const uint8_t *states) {
    const struct solver *solver = routes->scope->theory->solver;
    for (size_t i = 0; i < routes->n; i++) {
        enum prove_state state = prove_route_state(&routes->items[i], states);
        if (solver_holds(solver, routes->items[i].rail.is) != (state == PROVE_TRUE) ||
            solver_holds(solver, routes->items[i].rail.not ) != (state == PROVE_FALSE))
            return false;
    }
    return true;
}

struct facts {
    struct buf out;
    size_t n, n_left_out;
};

static void add_fact(struct facts *facts, vsr_str text, const char *state) {
    if (facts->n++ >= WITNESS_FACTS_MAX)
        facts->n_left_out++;
    else
        buf_printf(&facts->out, "%s%.*s %s", facts->n > 1 ? ", " : "", VSR_FMT(text), state);
}

vsr_str prove_witness(struct arena *arena, const struct theory *theory, const struct prove_route *const *routes,
                      size_t n, const uint8_t *states) {
    static const enum prove_state order[] = { PROVE_TRUE, PROVE_UNKNOWN, PROVE_FALSE };
    static const char *const texts[] = { [PROVE_FALSE] = "false", [PROVE_TRUE] = "true", [PROVE_UNKNOWN] = "unknown" };
    uint8_t *told = ARENA_ARRAY(theory->arena, uint8_t, theory->n_leaves);
    struct facts facts = { .n = 0 };
    vsr_str text;
    buf_init(&facts.out, WITNESS_LEN_MAX);
    for (size_t pass = 0; pass < VSR_COUNT(order); pass++)
        for (size_t r = 0; r < n; r++)
            for (size_t i = 0; i < routes[r]->n_nodes; i++) {
                const struct prove_node *node = &routes[r]->nodes[i];
                if (!node->rule->type.len || told[node->leaf] || states[node->leaf] != order[pass])
                    continue;
                told[node->leaf] = 1;
                add_fact(&facts, theory->leaves[node->leaf].text, texts[order[pass]]);
            }
    if (facts.n_left_out)
        buf_printf(&facts.out, ", %zu more", facts.n_left_out);
    if (facts.n == 0)
        buf_append_c(&facts.out, "any request");
    text = arena_str(arena, buf_str(&facts.out));
    buf_done(&facts.out);
    return text;
}
