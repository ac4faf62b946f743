/*
 * Conditions that get in each other's way, as far as it shows without a proof (dsl.md §6.4): domains that overlap,
 * conditions that ask for two members of a partition, and routes that share a signal with nothing to keep them apart.
 * Where the route that wins asks for what the other one asks for and more, it is a cascade, not a conflict; told is
 * what may be an oversight, such as a general case above its special case. Everything is bounded: by CLAUSES_MAX ways
 * in which one condition can hold, and by the leaves that one check looks at.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/check_parts.h"
#include "dsl/clauses.h"
#include "dsl/domain_labels.h"

enum {
    BUDGET_LEAVES = 4000000,       /* looked at in one scope: some 0.2 s; the largest published profile takes 0.1 M */
    ROUTE_BUDGET_LEAVES = 1000000, /* of them for the clauses of one route: bounds the memory, too */
    MEMBERSHIPS_MAX = 16,          /* partitions that one signal is looked for in */
    EXAMPLES_MAX = 3,
    MESSAGE_LEN_MAX = 1024,
};

/* ---- domains */

static void check_category(const struct check_scope *scope, struct map *owners, const struct dsl_decl *decl,
                           vsr_str category, const struct dsl_at *at) {
    const struct dsl_decl *owner = map_get(owners, category);
    if (!owner)
        map_put(owners, category, (void *)decl);
    else if (owner != decl)
        CHECK_TELL(scope->c, WARNING, "W412", *at,
                   "SIGNAL domain %.*s: category \"%.*s\" belongs to domain \"%.*s\" too", VSR_FMT(decl->name.text),
                   VSR_FMT(category), VSR_FMT(owner->name.text));
}

/* A domain without categories stands for the one that it is called like. */
static void check_domains(const struct check_scope *scope) {
    struct map owners;
    map_init(&owners, scope->c->scratch);
    DSL_EACH(decl, scope->program, DSL_SIGNAL_DECL) {
        size_t n;
        const struct dsl_value *categories = dsl_check_items_of(&decl->fields, "mmlu_categories", &n);
        if (!str_eq_c(decl->type.text, "domain"))
            continue;
        scope->c->findings->decl = decl->at;
        for (size_t i = 0; i < n; i++)
            if (categories[i].kind == DSL_STRING)
                check_category(scope, &owners, decl, categories[i].text, &categories[i].at);
        if (n == 0 && domain_is_label(decl->name.text))
            check_category(scope, &owners, decl, decl->name.text, &decl->name.at);
    }
}

/* ---- leaves */

/* Leaves of one group can never match together. */
struct membership {
    uint32_t group;
    const struct dsl_decl *partition; /* NULL: of another kind */
    const struct membership *next;
};

struct leaf {
    uint32_t id;
    vsr_str type, name;
    const struct membership *groups;
    int64_t low, high; /* of context */
    bool is_context;
    bool shared; /* counts as shared: projections and contexts are meant to be */
};

struct conflicts {
    struct check_scope *scope;
    struct check *c;
    struct map ids;        /* key of a leaf -> struct leaf */
    struct map groups;     /* key of a group -> its number + 1 as struct membership */
    struct map partitions; /* "domain\0math" -> struct membership: those that it is a member of */
    struct leaf **leaves;  /* by id */
    size_t n_leaves, cap;
    size_t budget;
};

static bool spend(struct conflicts *k, size_t cost) {
    if (cost > k->budget)
        return false;
    k->budget -= cost;
    return true;
}

static uint32_t group_number(struct conflicts *k, const char *kind, vsr_str name) {
    vsr_str key = arena_printf(k->c->scratch, "%s%c%.*s", kind, '\0', VSR_FMT(name));
    struct membership *group = map_get(&k->groups, key);
    if (!group) {
        group = ARENA_NEW(k->c->scratch, struct membership);
        group->group = (uint32_t)k->groups.n;
        map_put(&k->groups, key, group);
    }
    return group->group;
}

static void join(struct conflicts *k, struct leaf *leaf, const char *kind, vsr_str name) {
    struct membership *membership = ARENA_NEW(k->c->scratch, struct membership);
    *membership = (struct membership){ group_number(k, kind, name), NULL, leaf->groups };
    leaf->groups = membership;
}

static vsr_str member_key(struct conflicts *k, vsr_str type, vsr_str name) {
    return arena_printf(k->c->scratch, "%.*s%c%.*s", VSR_FMT(type), '\0', VSR_FMT(name));
}

static void note_member(struct conflicts *k, const struct dsl_decl *partition, const char *type, vsr_str name) {
    vsr_str key = member_key(k, str_from_c(type), name);
    struct membership *membership;
    size_t n = 0;
    for (const struct membership *m = map_get(&k->partitions, key); m; m = m->next)
        n++;
    if (n >= MEMBERSHIPS_MAX)
        return;
    membership = ARENA_NEW(k->c->scratch, struct membership);
    *membership = (struct membership){ group_number(k, "partition", partition->name.text), partition,
                                       map_get(&k->partitions, key) };
    map_put(&k->partitions, key, membership);
}

static void note_partitions(struct conflicts *k) {
    const struct config_families *families = &k->c->language->parts->families;
    DSL_EACH(decl, k->scope->program, DSL_PARTITION) {
        size_t n;
        const struct dsl_value *members = dsl_check_items_of(&decl->fields, "members", &n);
        for (size_t i = 0; i < n; i++)
            for (size_t f = 0; f < families->n && members[i].kind == DSL_STRING; f++)
                if (families->items[f].partition_members)
                    note_member(k, decl, families->items[f].type, members[i].text);
    }
}

static void read_context(const struct conflicts *k, struct leaf *leaf) {
    const struct check_declared *declared = dsl_check_find(k->scope, leaf->type, leaf->name);
    const struct dsl_value *low = declared ? dsl_check_value_of(&declared->decl->fields, "min_tokens") : NULL;
    const struct dsl_value *high = declared ? dsl_check_value_of(&declared->decl->fields, "max_tokens") : NULL;
    leaf->is_context = true;
    if (!low || !schema_tokens(low->text, &leaf->low))
        leaf->low = 0;
    if (!high || !schema_tokens(high->text, &leaf->high) || leaf->high == 0)
        leaf->high = INT64_MAX;
}

/* What the leaf excludes: other outputs of its mapping, other languages, other levels, other members. */
static void describe(struct conflicts *k, struct leaf *leaf) {
    const struct config_family *family = dsl_check_family(k->c, leaf->type);
    leaf->groups = map_get(&k->partitions, member_key(k, leaf->type, leaf->name));
    leaf->shared = !str_eq_c(leaf->type, "projection") && !str_eq_c(leaf->type, "context");
    if (str_eq_c(leaf->type, "projection")) {
        const struct check_declared *output = map_get(&k->scope->outputs, leaf->name);
        /* multi_emit gives every output that fits */
        if (output && !str_eq_c(dsl_check_text_of(&output->decl->fields, "method"), "multi_emit"))
            join(k, leaf, "mapping", output->decl->name.text);
    } else if (str_eq_c(leaf->type, "language")) {
        join(k, leaf, "language", VSR_STR(""));
    } else if (str_eq_c(leaf->type, "context")) {
        read_context(k, leaf);
    } else if (family && family->levels) {
        vsr_str level;
        vsr_str rule = dsl_check_rule_of(leaf->name, &level);
        join(k, leaf, family->type, rule);
    }
}

/* Leaves that compare the same label with other bounds are others. */
static vsr_str leaf_key(struct conflicts *k, const struct dsl_expr *expr) {
    static const char *const bounds[] = { "gt", "gte", "lt", "lte" };
    struct arena *arena = k->c->scratch;
    vsr_str key = member_key(k, expr->type.text, expr->name.text);
    const struct dsl_value *predicate = dsl_check_value_of(&expr->fields, "predicate");
    if (expr->fields.n == 0)
        return key;
    key = arena_printf(arena, "%.*s%c%.*s", VSR_FMT(key), '\0', VSR_FMT(dsl_check_text_of(&expr->fields, "label")));
    for (size_t i = 0; predicate && predicate->kind == DSL_OBJECT && i < VSR_COUNT(bounds); i++) {
        double number;
        if (dsl_check_number_of(&predicate->fields, bounds[i], &number))
            key = arena_printf(arena, "%.*s%c%s%.17g", VSR_FMT(key), '\0', bounds[i], number);
    }
    return key;
}

static struct leaf *leaf_of(struct conflicts *k, const struct dsl_expr *expr) {
    vsr_str key = leaf_key(k, expr);
    struct leaf *leaf = map_get(&k->ids, key);
    if (leaf)
        return leaf;
    leaf = ARENA_NEW(k->c->scratch, struct leaf);
    *leaf = (struct leaf){ .id = (uint32_t)k->n_leaves, .type = expr->type.text, .name = expr->name.text };
    describe(k, leaf);
    map_put(&k->ids, key, leaf);
    k->leaves = arena_grow(k->c->scratch, k->leaves, sizeof(*k->leaves), k->n_leaves, &k->cap);
    k->leaves[k->n_leaves++] = leaf;
    return leaf;
}

static uint32_t leaf_id(void *data, const struct dsl_expr *expr) {
    return leaf_of(data, expr)->id;
}

/* The group that both are in, or NULL. */
static const struct membership *common_group(const struct leaf *a, const struct leaf *b) {
    for (const struct membership *one = a->groups; one; one = one->next)
        for (const struct membership *other = b->groups; other; other = other->next)
            if (one->group == other->group)
                return one;
    return NULL;
}

static bool exclude(void *data, uint32_t one, uint32_t other) {
    const struct conflicts *k = data;
    const struct leaf *a = k->leaves[one], *b = k->leaves[other];
    if (one == other || str_eq(a->name, b->name))
        return false;
    if (a->is_context && b->is_context)
        return a->high < b->low || b->high < a->low;
    return common_group(a, b) != NULL;
}

/* ---- two members of a partition in one conjunction */

struct occurrence {
    const struct leaf *leaf;
    const struct dsl_expr *expr;
};

struct occurrences {
    struct occurrence *items;
    size_t n, cap;
};

struct conjunction {
    struct conflicts *k;
    vsr_str what; /* `route "r": ` */
    struct map told;
};

static const struct dsl_decl *common_partition(const struct leaf *a, const struct leaf *b) {
    for (const struct membership *one = a->groups; one; one = one->next)
        for (const struct membership *other = b->groups; other; other = other->next)
            if (one->partition && one->group == other->group)
                return one->partition;
    return NULL;
}

static void tell_impossible(struct conjunction *j, const struct occurrence *first, const struct occurrence *second) {
    struct check *c = j->k->c;
    const struct dsl_decl *partition = common_partition(first->leaf, second->leaf);
    uint32_t low = first->leaf->id < second->leaf->id ? first->leaf->id : second->leaf->id;
    uint32_t high = first->leaf->id + second->leaf->id - low;
    if (!partition || c->findings->n_of[FINDING_CONSTRAINT] > FINDINGS_MAX || /* no more are kept */
        str_eq(first->leaf->name, second->leaf->name) ||
        map_put(&j->told, arena_printf(c->scratch, "%" PRIu32 " %" PRIu32, low, high), j))
        return;
    CHECK_TELL(c, CONSTRAINT, "C402", second->expr->at,
               "%.*sWHEN requires %.*s(\"%.*s\") and %.*s(\"%.*s\"), which partition \"%.*s\" makes mutually exclusive",
               VSR_FMT(j->what), VSR_FMT(first->leaf->type), VSR_FMT(first->leaf->name), VSR_FMT(second->leaf->type),
               VSR_FMT(second->leaf->name), VSR_FMT(partition->name.text));
}

static bool is_member(const struct leaf *leaf) {
    for (const struct membership *m = leaf->groups; m; m = m->next)
        if (m->partition)
            return true;
    return false;
}

static void add_occurrence(struct conjunction *j, struct occurrences *list, const struct occurrence *occurrence) {
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].leaf == occurrence->leaf)
            return;
    list->items = arena_grow(j->k->c->scratch, list->items, sizeof(*list->items), list->n, &list->cap);
    list->items[list->n++] = *occurrence;
}

/* Members that match wherever the condition holds in some way; tells of those that an AND puts together. */
static struct occurrences conjoin(struct conjunction *j, const struct dsl_expr *expr, bool denied) {
    struct occurrences all = { 0 };
    bool together = expr->kind == (denied ? DSL_OR : DSL_AND);
    if (expr->kind == DSL_SIGNAL) {
        struct occurrence self = { leaf_of(j->k, expr), expr };
        if (!denied && is_member(self.leaf))
            add_occurrence(j, &all, &self);
        return all;
    }
    for (size_t i = 0; i < expr->n_items; i++) {
        struct occurrences item = conjoin(j, expr->items[i], expr->kind == DSL_NOT ? !denied : denied);
        if (!spend(j->k, (all.n + 1) * item.n))
            return all;
        for (size_t b = 0; b < item.n; b++)
            for (size_t a = 0; together && a < all.n; a++)
                tell_impossible(j, &all.items[a], &item.items[b]);
        for (size_t b = 0; b < item.n; b++)
            add_occurrence(j, &all, &item.items[b]);
    }
    return all;
}

static void check_conjunction(struct conflicts *k, vsr_str what, const struct dsl_expr *when) {
    struct conjunction j = { .k = k, .what = what };
    map_init(&j.told, k->c->scratch);
    (void)conjoin(&j, when, false);
}

static void check_conjunctions(struct conflicts *k) {
    struct arena *scratch = k->c->scratch;
    for (size_t i = 0; i < k->scope->program->n; i++) {
        const struct dsl_decl *decl = &k->scope->program->decls[i];
        const struct dsl_item *when = decl->kind == DSL_ROUTE ? dsl_item(&decl->body, DSL_ITEM_WHEN) : NULL;
        k->c->findings->decl = decl->at;
        if (when)
            check_conjunction(k, arena_printf(scratch, "route \"%.*s\": ", VSR_FMT(decl->name.text)), when->when);
        for (size_t b = 0; decl->kind == DSL_TREE && b < decl->n_branches; b++)
            if (decl->branches[b].when)
                check_conjunction(k,
                                  arena_printf(scratch, "DECISION_TREE \"%.*s\" branch %zu: ", VSR_FMT(decl->name.text),
                                               b + 1),
                                  decl->branches[b].when);
    }
}

/* ---- routes that share signals */

struct route {
    const struct dsl_decl *decl;
    struct clauses clauses;
    uint32_t *shared; /* leaves that match in some clause and count, sorted */
    size_t n_shared;
    int64_t tier, priority;
};

/* A route that answers to feedback lies over the others on purpose. */
static bool is_overlay(const struct conflicts *k, const struct clauses *clauses) {
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

static void note_shared(const struct conflicts *k, struct route *route) {
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

static void hint_too_many(const struct conflicts *k, const struct dsl_decl *decl, const struct dsl_item *when) {
    CHECK_TELL(k->c, HINT, "W400", when->at,
               "route \"%.*s\" was not compared with others: its condition can hold in too many ways; vsr dsl prove "
               "can",
               VSR_FMT(decl->name.text));
}

/* Routes with conditions that are no overlays. */
static struct route *read_routes(struct conflicts *k, size_t *ret_n) {
    struct clause_theory theory = { leaf_id, exclude, k };
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
static bool is_special_case(struct conflicts *k, const struct clause *clause, const struct route *of) {
    for (size_t i = 0; i < of->clauses.n; i++) {
        if (!spend(k, 1 + (size_t)clause->n_yes + clause->n_no))
            return false;
        if (needs_all_of(clause, &of->clauses.items[i]))
            return true;
    }
    return false;
}

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

static void mark_clause(const struct conflicts *k, struct marks *m, const struct clause *clause) {
    m->turn++;
    m->low = 0;
    m->high = INT64_MAX;
    for (uint32_t i = 0; i < clause->n_yes; i++) {
        const struct leaf *leaf = k->leaves[clause->yes[i]];
        m->yes[leaf->id] = m->turn;
        for (const struct membership *g = leaf->groups; g; g = g->next) {
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

static bool is_compatible(const struct conflicts *k, const struct marks *m, const struct clause *clause) {
    int64_t low = m->low, high = m->high;
    for (uint32_t i = 0; i < clause->n_no; i++)
        if (m->yes[clause->no[i]] == m->turn)
            return false;
    for (uint32_t i = 0; i < clause->n_yes; i++) {
        const struct leaf *leaf = k->leaves[clause->yes[i]];
        if (m->no[leaf->id] == m->turn)
            return false;
        for (const struct membership *g = leaf->groups; g; g = g->next)
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
static bool find_shared(struct conflicts *k, struct marks *m, const struct route *a, const struct route *b,
                        bool cascade, uint32_t *found, size_t *ret_n) {
    size_t n_left = want_common(m, a, b);
    *ret_n = 0;
    for (size_t i = 0; i < a->clauses.n && n_left; i++) {
        if (!has_wanted(m, &a->clauses.items[i], false) || (cascade && is_special_case(k, &a->clauses.items[i], b)))
            continue;
        mark_clause(k, m, &a->clauses.items[i]);
        for (size_t j = 0; j < b->clauses.n && n_left; j++) {
            const struct clause *clause = &b->clauses.items[j];
            if (!spend(k, 1 + (size_t)clause->n_yes + clause->n_no))
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

static int compare_found(const void *a, const void *b) {
    const struct leaf *one = *(const struct leaf *const *)a, *other = *(const struct leaf *const *)b;
    int order = str_cmp(one->type, other->type);
    return order ? order : str_cmp(one->name, other->name);
}

/* `keyword=1, domain=2` and up to three of them. */
static void print_shared(const struct conflicts *k, const uint32_t *found, size_t n, struct buf *counts,
                         struct buf *examples) {
    const struct leaf **leaves = ARENA_ARRAY(k->c->scratch, const struct leaf *, n);
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

static void tell_shared(const struct conflicts *k, const struct route *first, const struct route *second,
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

/* What the profile says of the order of its routes. */
struct order {
    bool untiered_first;
    bool by_confidence;
};

/* Whether the first always wins where both match: elsewhere confidence decides. */
static bool is_certain(const struct route *first, const struct route *second, const struct order *order) {
    if (place_of(first, order->untiered_first) != place_of(second, order->untiered_first))
        return true;
    return first->tier == 0 && !order->by_confidence && first->priority != second->priority;
}

static struct order order_of(const struct check_scope *scope) {
    struct order order = { 0 };
    DSL_EACH(decl, scope->program, DSL_ROUTING) {
        order.untiered_first = str_eq_c(dsl_check_text_of(&decl->fields, "untiered"), "first");
        order.by_confidence = str_eq_c(dsl_check_text_of(&decl->fields, "strategy"), "confidence");
    }
    return order;
}

static struct marks make_marks(const struct conflicts *k) {
    struct arena *scratch = k->c->scratch;
    return (struct marks){
        .yes = ARENA_ARRAY(scratch, uint64_t, k->n_leaves),
        .no = ARENA_ARRAY(scratch, uint64_t, k->n_leaves),
        .wanted = ARENA_ARRAY(scratch, uint64_t, k->n_leaves),
        .group = ARENA_ARRAY(scratch, uint64_t, k->groups.n),
        .owner = ARENA_ARRAY(scratch, uint32_t, k->groups.n),
    };
}

static void hint_spent(const struct conflicts *k, const struct dsl_decl *decl) {
    k->c->findings->decl = decl->at;
    CHECK_TELL(k->c, HINT, "W400", decl->at,
               "routes from \"%.*s\" on were not all compared with each other: there are too many ways in which they "
               "can hold; vsr dsl prove can",
               VSR_FMT(decl->name.text));
}

static void check_pairs(struct conflicts *k) {
    struct order order = order_of(k->scope);
    size_t n, n_found;
    struct route *routes = read_routes(k, &n);
    struct marks marks = make_marks(k);
    uint32_t *found = ARENA_ARRAY(k->c->scratch, uint32_t, k->n_leaves);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            bool in_order = comes_first(&routes[i], &routes[j], order.untiered_first);
            const struct route *first = &routes[in_order ? i : j], *second = &routes[in_order ? j : i];
            if (!spend(k, 1 + first->n_shared + second->n_shared) ||
                !find_shared(k, &marks, first, second, is_certain(first, second, &order), found, &n_found)) {
                hint_spent(k, routes[i].decl);
                return;
            }
            if (n_found)
                tell_shared(k, first, second, found, n_found);
        }
    }
}

void dsl_check_conflicts(struct check_scope *scope) {
    struct conflicts k = { .scope = scope, .c = scope->c, .budget = BUDGET_LEAVES };
    map_init(&k.ids, scope->c->scratch);
    map_init(&k.groups, scope->c->scratch);
    map_init(&k.partitions, scope->c->scratch);
    check_domains(scope);
    note_partitions(&k);
    check_conjunctions(&k);
    check_pairs(&k);
}
