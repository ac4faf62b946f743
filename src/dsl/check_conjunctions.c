/* Two members of a partition in one conjunction: C402. */
#include <inttypes.h>

#include "core/arena.h"
#include "dsl/check_leaves.h"

struct occurrence {
    const struct check_leaf *leaf;
    const struct dsl_expr *expr;
};

struct occurrences {
    struct occurrence *items;
    size_t n, cap;
};

struct conjunction {
    struct check_conflicts *k;
    vsr_str what; /* `route "r": ` */
    struct map told;
};

static void tell_impossible(struct conjunction *j, const struct occurrence *first, const struct occurrence *second) {
    struct check *c = j->k->c;
    const struct check_membership *common = dsl_check_common_group(first->leaf, second->leaf, true);
    uint32_t low = first->leaf->id < second->leaf->id ? first->leaf->id : second->leaf->id;
    uint32_t high = first->leaf->id + second->leaf->id - low;
    if (!common || c->findings->n_of[FINDING_CONSTRAINT] > FINDINGS_MAX || /* no more are kept */
        str_eq(first->leaf->name, second->leaf->name) ||
        map_put(&j->told, arena_printf(c->scratch, "%" PRIu32 " %" PRIu32, low, high), j))
        return;
    CHECK_TELL(c, CONSTRAINT, "C402", second->expr->at,
               "%.*sWHEN requires %.*s(\"%.*s\") and %.*s(\"%.*s\"), which partition \"%.*s\" makes mutually exclusive",
               VSR_FMT(j->what), VSR_FMT(first->leaf->type), VSR_FMT(first->leaf->name), VSR_FMT(second->leaf->type),
               VSR_FMT(second->leaf->name), VSR_FMT(common->partition->name.text));
}

static bool is_member(const struct check_leaf *leaf) {
    for (const struct check_membership *m = leaf->groups; m; m = m->next)
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
        struct occurrence self = { dsl_check_leaf(j->k, expr), expr };
        if (!denied && is_member(self.leaf))
            add_occurrence(j, &all, &self);
        return all;
    }
    for (size_t i = 0; i < expr->n_items; i++) {
        struct occurrences item = conjoin(j, expr->items[i], expr->kind == DSL_NOT ? !denied : denied);
        if (!dsl_check_spend(j->k, (all.n + 1) * item.n))
            return all;
        for (size_t b = 0; b < item.n; b++)
            for (size_t a = 0; together && a < all.n; a++)
                tell_impossible(j, &all.items[a], &item.items[b]);
        for (size_t b = 0; b < item.n; b++)
            add_occurrence(j, &all, &item.items[b]);
    }
    return all;
}

static void check_conjunction(struct check_conflicts *k, vsr_str what, const struct dsl_expr *when) {
    struct conjunction j = { .k = k, .what = what };
    map_init(&j.told, k->c->scratch);
    (void)conjoin(&j, when, false);
}

void dsl_check_conjunctions(struct check_conflicts *k) {
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
