/* Routes that share signals with nothing to keep them apart: W400. */
#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/check_leaves.h"
#include "dsl/clauses.h"

enum {
    ROUTE_BUDGET_LEAVES = 1000000, /* for the clauses of one route: bounds the memory, too */
    EXAMPLES_MAX = 3,
    MESSAGE_LEN_MAX = 1024,
};

/* ---- routes */

struct route {
    const struct dsl_decl *decl;
    struct clauses clauses;
    uint32_t *shared; /* leaves that match in some clause and count, sorted */
    size_t n_shared;
    int64_t tier, priority;
};

/* A route that answers to feedback lies over the others on purpose. */
static bool is_overlay(const struct check_conflicts *k, const struct clauses *clauses) {
    for (size_t i = 0; i < clauses->n; i++) {
        bool feedback = false;
        for (uint32_t y = 0; y < clauses->items[i].n_yes; y++)
            feedback |= str_eq_c(k->leaves[clauses->items[i].yes[y]]->type, "user_feedback");
        if (!feedback)
            return false;
    }
    return clauses->n > 0;
}

static int compare_ids(const void *a, const void *b) {
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return one < other ? -1 : one > other;
}

static void note_shared(const struct check_conflicts *k, struct route *route) {
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < route->clauses.n; i++)
        n += route->clauses.items[i].n_yes;
    route->shared = ARENA_ARRAY(k->c->scratch, uint32_t, n);
    n = 0;
    for (size_t i = 0; i < route->clauses.n; i++)
        for (uint32_t y = 0; y < route->clauses.items[i].n_yes; y++)
            if (k->leaves[route->clauses.items[i].yes[y]]->shared)
                route->shared[n++] = route->clauses.items[i].yes[y];
    if (n > 1)
        qsort(route->shared, n, sizeof(*route->shared), compare_ids);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || route->shared[kept - 1] != route->shared[i])
            route->shared[kept++] = route->shared[i];
    route->n_shared = kept;
}

static int64_t rank_of(const struct dsl_decl *decl, enum dsl_item_kind kind) {
    const struct dsl_item *item = dsl_item(&decl->body, kind);
    return item ? item->value.integer : 0;
}

static void hint_too_many(const struct check_conflicts *k, const struct dsl_decl *decl, const struct dsl_item *when) {
    CHECK_TELL(k->c, HINT, "W400", when->at,
               "route \"%.*s\" was not compared with others: its condition can hold in too many ways; vsr dsl prove "
               "can",
               VSR_FMT(decl->name.text));
}

static uint32_t leaf_id(void *data, const struct dsl_expr *expr) {
    return dsl_check_leaf(data, expr)->id;
}

/* Routes with conditions that are no overlays. */
static struct route *read_routes(struct check_conflicts *k, size_t *ret_n) {
    struct clause_theory theory = { leaf_id, dsl_check_exclude, k };
    struct arena *work = arena_new(1 << 16, 0);
    struct route *routes = ARENA_ARRAY(k->c->scratch, struct route, k->scope->program->n);
    size_t n = 0;
    DSL_EACH(decl, k->scope->program, DSL_ROUTE) {
        const struct dsl_item *when = dsl_item(&decl->body, DSL_ITEM_WHEN);
        struct route *route = &routes[n];
        size_t budget = k->budget < ROUTE_BUDGET_LEAVES ? k->budget : ROUTE_BUDGET_LEAVES, left = budget;
        if (!when)
            continue;
        *route = (struct route){ .decl = decl };
        route->clauses = clauses_of(k->c->scratch, work, &theory, when->when, &left);
        k->budget -= budget - left;
        k->c->findings->decl = decl->at;
        if (route->clauses.too_many) {
            hint_too_many(k, decl, when);
            continue;
        }
        if (is_overlay(k, &route->clauses))
            continue;
        note_shared(k, route);
        route->tier = rank_of(decl, DSL_ITEM_TIER);
        route->priority = rank_of(decl, DSL_ITEM_PRIORITY);
        n++;
    }
    arena_free(work);
    *ret_n = n;
    return routes;
}

/* ---- a special case above its general case is a cascade that needs no guard */

static bool has_all(const uint32_t *set, uint32_t n_set, const uint32_t *part, uint32_t n_part) {
    uint32_t i = 0;
    for (uint32_t p = 0; p < n_part; p++) {
        while (i < n_set && set[i] < part[p])
            i++;
        if (i == n_set || set[i] != part[p])
            return false;
    }
    return true;
}

static bool needs_all_of(const struct clause *special, const struct clause *general) {
    return has_all(special->yes, special->n_yes, general->yes, general->n_yes) &&
           has_all(special->no, special->n_no, general->no, general->n_no);
}

/* Whether the clause is what the route asks for, with something on top. */
static bool is_special_case(struct check_conflicts *k, const struct clause *clause, const struct route *of) {
    for (size_t i = 0; i < of->clauses.n; i++) {
        if (!dsl_check_spend(k, 1 + (size_t)clause->n_yes + clause->n_no))
            return false;
        if (needs_all_of(clause, &of->clauses.items[i]))
            return true;
    }
    return false;
}

/* ---- clauses of two routes */

/* What a clause of one route says, to be compared with clauses of another; marks are current when equal to `turn`. */
struct marks {
    uint64_t turn;
    uint64_t *yes, *no; /* by leaf */
    uint64_t *group;    /* by group */
    uint32_t *owner;    /* by group: the leaf in it */
    int64_t low, high;  /* of all contexts */
    uint64_t *wanted;   /* by leaf: both routes have it, and it has not been found yet */
    uint64_t n_pair;    /* value of `wanted` for the pair at hand */
};

static struct marks make_marks(const struct check_conflicts *k) {
    struct arena *scratch = k->c->scratch;
    return (struct marks){
        .yes = ARENA_ARRAY(scratch, uint64_t, k->n_leaves),
        .no = ARENA_ARRAY(scratch, uint64_t, k->n_leaves),
        .wanted = ARENA_ARRAY(scratch, uint64_t, k->n_leaves),
        .group = ARENA_ARRAY(scratch, uint64_t, k->groups.n),
        .owner = ARENA_ARRAY(scratch, uint32_t, k->groups.n),
    };
}

static void mark_clause(const struct check_conflicts *k, struct marks *m, const struct clause *clause) {
    m->turn++;
    m->low = 0;
    m->high = INT64_MAX;
    for (uint32_t i = 0; i < clause->n_yes; i++) {
        const struct check_leaf *leaf = k->leaves[clause->yes[i]];
        m->yes[leaf->id] = m->turn;
        for (const struct check_membership *g = leaf->groups; g; g = g->next) {
            m->group[g->group] = m->turn;
            m->owner[g->group] = leaf->id;
        }
        if (leaf->is_context && leaf->low > m->low)
            m->low = leaf->low;
        if (leaf->is_context && leaf->high < m->high)
            m->high = leaf->high;
    }
    for (uint32_t i = 0; i < clause->n_no; i++)
        m->no[clause->no[i]] = m->turn;
}

static bool is_compatible(const struct check_conflicts *k, const struct marks *m, const struct clause *clause) {
    int64_t low = m->low, high = m->high;
    for (uint32_t i = 0; i < clause->n_no; i++)
        if (m->yes[clause->no[i]] == m->turn)
            return false;
    for (uint32_t i = 0; i < clause->n_yes; i++) {
        const struct check_leaf *leaf = k->leaves[clause->yes[i]];
        if (m->no[leaf->id] == m->turn)
            return false;
        for (const struct check_membership *g = leaf->groups; g; g = g->next)
            if (m->group[g->group] == m->turn && !str_eq(k->leaves[m->owner[g->group]]->name, leaf->name))
                return false;
        if (leaf->is_context && leaf->low > low)
            low = leaf->low;
        if (leaf->is_context && leaf->high < high)
            high = leaf->high;
    }
    return low <= high;
}

static bool has_wanted(const struct marks *m, const struct clause *clause, bool marked) {
    for (uint32_t i = 0; i < clause->n_yes; i++)
        if (m->wanted[clause->yes[i]] == m->n_pair && (!marked || m->yes[clause->yes[i]] == m->turn))
            return true;
    return false;
}

/* Marks what both routes may need: returns how many. */
static size_t want_common(struct marks *m, const struct route *a, const struct route *b) {
    size_t n = 0;
    m->n_pair++;
    for (size_t i = 0, k = 0; i < a->n_shared && k < b->n_shared;) {
        if (a->shared[i] == b->shared[k]) {
            m->wanted[a->shared[i]] = m->n_pair;
            n++;
        }
        if (a->shared[i] <= b->shared[k])
            i++;
        else
            k++;
    }
    return n;
}

/*
 * Leaves that two clauses which can hold together both need. `cascade`: `a` wins for certain, so that its special cases
 * of `b` are meant. False: the budget is spent.
 */
static bool find_shared(struct check_conflicts *k, struct marks *m, const struct route *a, const struct route *b,
                        bool cascade, uint32_t *found, size_t *ret_n) {
    size_t n_left = want_common(m, a, b);
    *ret_n = 0;
    for (size_t i = 0; i < a->clauses.n && n_left; i++) {
        if (!has_wanted(m, &a->clauses.items[i], false) || (cascade && is_special_case(k, &a->clauses.items[i], b)))
            continue;
        mark_clause(k, m, &a->clauses.items[i]);
        for (size_t j = 0; j < b->clauses.n && n_left; j++) {
            const struct clause *clause = &b->clauses.items[j];
            if (!dsl_check_spend(k, 1 + (size_t)clause->n_yes + clause->n_no))
                return false;
            if (!has_wanted(m, clause, true) || !is_compatible(k, m, clause))
                continue;
            for (uint32_t y = 0; y < clause->n_yes; y++) {
                uint32_t id = clause->yes[y];
                if (m->wanted[id] != m->n_pair || m->yes[id] != m->turn)
                    continue;
                m->wanted[id] = 0;
                found[(*ret_n)++] = id;
                n_left--;
            }
        }
    }
    return true;
}

/* ---- the order of routes */

/* What the profile says of the order of its routes. */
struct order {
    bool untiered_first;
    bool by_confidence;
};

static struct order order_of(const struct check_scope *scope) {
    struct order order = { 0 };
    DSL_EACH(decl, scope->program, DSL_ROUTING) {
        order.untiered_first = str_eq_c(dsl_text_of(&decl->fields, "untiered"), "first");
        order.by_confidence = str_eq_c(dsl_text_of(&decl->fields, "strategy"), "confidence");
    }
    return order;
}

/* Untiered routes come last, or first where the profile says so. */
static int64_t place_of(const struct route *route, bool untiered_first) {
    if (route->tier > 0)
        return route->tier;
    return untiered_first ? 0 : INT64_MAX;
}

static bool comes_first(const struct route *a, const struct route *b, bool untiered_first) {
    int64_t one = place_of(a, untiered_first), other = place_of(b, untiered_first);
    if (one != other)
        return one < other;
    if (a->priority != b->priority)
        return a->priority > b->priority;
    return str_cmp(a->decl->name.text, b->decl->name.text) <= 0;
}

/* Whether the first always wins where both match: elsewhere confidence decides. */
static bool is_certain(const struct route *first, const struct route *second, const struct order *order) {
    if (place_of(first, order->untiered_first) != place_of(second, order->untiered_first))
        return true;
    return first->tier == 0 && !order->by_confidence && first->priority != second->priority;
}

/* ---- telling */

static int compare_found(const void *a, const void *b) {
    const struct check_leaf *one = *(const struct check_leaf *const *)a, *other = *(const struct check_leaf *const *)b;
    int order = str_cmp(one->type, other->type);
    return order ? order : str_cmp(one->name, other->name);
}

/* `keyword=1, domain=2` and up to three of them. */
static void print_shared(const struct check_conflicts *k, const uint32_t *found, size_t n, struct buf *counts,
                         struct buf *examples) {
    const struct check_leaf **leaves = ARENA_ARRAY(k->c->scratch, const struct check_leaf *, n);
    for (size_t i = 0; i < n; i++)
        leaves[i] = k->leaves[found[i]];
    qsort((void *)leaves, n, sizeof(*leaves), compare_found);
    for (size_t i = 0, next; i < n; i = next) {
        for (next = i + 1; next < n && str_eq(leaves[next]->type, leaves[i]->type);)
            next++;
        buf_printf(counts, "%s%.*s=%zu", i ? ", " : "", VSR_FMT(leaves[i]->type), next - i);
    }
    for (size_t i = 0; i < n && i < EXAMPLES_MAX; i++)
        buf_printf(examples, "%s%.*s(\"%.*s\")", i ? ", " : "", VSR_FMT(leaves[i]->type), VSR_FMT(leaves[i]->name));
    if (n > EXAMPLES_MAX)
        buf_append_c(examples, ", ...");
}

static void tell_shared(const struct check_conflicts *k, const struct route *first, const struct route *second,
                        const uint32_t *found, size_t n) {
    struct buf counts, examples;
    if (k->c->findings->n_of[FINDING_WARNING] >= FINDINGS_MAX) {
        CHECK_TELL(k->c, WARNING, "W400", second->decl->at, "counted only");
        return;
    }
    buf_init(&counts, MESSAGE_LEN_MAX);
    buf_init(&examples, MESSAGE_LEN_MAX);
    print_shared(k, found, n, &counts, &examples);
    k->c->findings->decl = second->decl->at;
    CHECK_TELL(k->c, WARNING, "W400", second->decl->at,
               "routes \"%.*s\" and \"%.*s\" share %zu signal%s with no mutual exclusion guard (%.*s): %.*s",
               VSR_FMT(first->decl->name.text), VSR_FMT(second->decl->name.text), n, n == 1 ? "" : "s",
               VSR_FMT(buf_str(&counts)), VSR_FMT(buf_str(&examples)));
    buf_done(&counts);
    buf_done(&examples);
}

static void hint_spent(const struct check_conflicts *k, const struct dsl_decl *decl) {
    k->c->findings->decl = decl->at;
    CHECK_TELL(k->c, HINT, "W400", decl->at,
               "routes from \"%.*s\" on were not all compared with each other: there are too many ways in which they "
               "can hold; vsr dsl prove can",
               VSR_FMT(decl->name.text));
}

/* ---- all pairs */

void dsl_check_guards(struct check_conflicts *k) {
    struct order order = order_of(k->scope);
    size_t n, n_found;
    struct route *routes = read_routes(k, &n);
    struct marks marks = make_marks(k);
    uint32_t *found = ARENA_ARRAY(k->c->scratch, uint32_t, k->n_leaves);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            bool in_order = comes_first(&routes[i], &routes[j], order.untiered_first);
            const struct route *first = &routes[in_order ? i : j], *second = &routes[in_order ? j : i];
            if (!dsl_check_spend(k, 1 + first->n_shared + second->n_shared) ||
                !find_shared(k, &marks, first, second, is_certain(first, second, &order), found, &n_found)) {
                hint_spent(k, routes[i].decl);
                return;
            }
            if (n_found)
                tell_shared(k, first, second, found, n_found);
        }
    }
}
