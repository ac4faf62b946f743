#include "dsl/clauses.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "dsl/tree.h"

struct list {
    struct clause *items;
    size_t n, cap;
};

struct expansion {
    struct arena *work;
    const struct clause_theory *theory;
    size_t *budget;
    bool too_many;
};

static bool spend(struct expansion *e, size_t n) {
    if (*e->budget < n)
        e->too_many = true;
    else
        *e->budget -= n;
    return !e->too_many;
}

/* ---- sets of leaves */

static int compare_leaves(const void *a, const void *b) {
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return one < other ? -1 : one > other;
}

/* Both are sorted. Returns the union's size. */
static uint32_t unite(const uint32_t *a, uint32_t n_a, const uint32_t *b, uint32_t n_b, uint32_t *out) {
    uint32_t i = 0, k = 0, n = 0;
    while (i < n_a || k < n_b) {
        uint32_t next = k == n_b || (i < n_a && a[i] <= b[k]) ? a[i] : b[k];
        i += i < n_a && a[i] == next;
        k += k < n_b && b[k] == next;
        out[n++] = next;
    }
    return n;
}

static bool meet(const uint32_t *a, uint32_t n_a, const uint32_t *b, uint32_t n_b) {
    for (uint32_t i = 0, k = 0; i < n_a && k < n_b;) {
        if (a[i] == b[k])
            return true;
        if (a[i] < b[k])
            i++;
        else
            k++;
    }
    return false;
}

static uint32_t unique(uint32_t *leaves, uint32_t n) {
    uint32_t kept = 0;
    if (n > 1)
        qsort(leaves, n, sizeof(*leaves), compare_leaves);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || leaves[kept - 1] != leaves[i])
            leaves[kept++] = leaves[i];
    return kept;
}

/* ---- clauses */

static bool holds_together(struct expansion *e, const struct clause *clause) {
    const struct clause_theory *theory = e->theory;
    if (meet(clause->yes, clause->n_yes, clause->no, clause->n_no))
        return false;
    for (uint32_t i = 0; i < clause->n_yes; i++) {
        if (!spend(e, i))
            return false;
        for (uint32_t k = 0; k < i; k++)
            if (theory->exclude(theory->data, clause->yes[k], clause->yes[i]))
                return false;
    }
    return true;
}

static int compare_sets(const uint32_t *a, uint32_t n_a, const uint32_t *b, uint32_t n_b) {
    for (uint32_t i = 0; i < n_a && i < n_b; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return n_a < n_b ? -1 : n_a > n_b;
}

static int compare_clauses(const void *a, const void *b) {
    const struct clause *one = a, *other = b;
    int order = compare_sets(one->yes, one->n_yes, other->yes, other->n_yes);
    return order ? order : compare_sets(one->no, one->n_no, other->no, other->n_no);
}

static void drop_equal(struct list *list) {
    size_t kept = 0;
    if (list->n > 1)
        qsort(list->items, list->n, sizeof(*list->items), compare_clauses);
    for (size_t i = 0; i < list->n; i++)
        if (kept == 0 || compare_clauses(&list->items[kept - 1], &list->items[i]) != 0)
            list->items[kept++] = list->items[i];
    list->n = kept;
}

static void push(struct expansion *e, struct list *list, const struct clause *clause) {
    list->items = arena_grow(e->work, list->items, sizeof(*list->items), list->n, &list->cap);
    list->items[list->n++] = *clause;
    if (list->n < (size_t)2 * CLAUSES_MAX)
        return;
    drop_equal(list);
    e->too_many |= list->n > CLAUSES_MAX;
}

static void finish(struct expansion *e, struct list *list) {
    drop_equal(list);
    e->too_many |= list->n > CLAUSES_MAX;
}

/* ---- expansion; `denied`: of the condition's negation */

static struct list expand(struct expansion *e, const struct dsl_expr *expr, bool denied);

/* A signal, or the negation of one. */
static const struct dsl_expr *literal_of(const struct dsl_expr *expr, bool *denied) {
    while (expr->kind == DSL_NOT) {
        expr = expr->items[0];
        *denied = !*denied;
    }
    return expr->kind == DSL_SIGNAL ? expr : NULL;
}

/* All that are literals, in one clause. */
static struct clause literals(struct expansion *e, struct dsl_expr *const *items, size_t n, bool denied) {
    uint32_t *yes = ARENA_ARRAY(e->work, uint32_t, n), *no = ARENA_ARRAY(e->work, uint32_t, n);
    struct clause clause = { .yes = yes, .no = no };
    for (size_t i = 0; i < n; i++) {
        bool is_no = denied;
        const struct dsl_expr *leaf = literal_of(items[i], &is_no);
        if (!leaf)
            continue;
        if (is_no)
            no[clause.n_no++] = e->theory->leaf(e->theory->data, leaf);
        else
            yes[clause.n_yes++] = e->theory->leaf(e->theory->data, leaf);
    }
    clause.n_yes = unique(yes, clause.n_yes);
    clause.n_no = unique(no, clause.n_no);
    return clause;
}

static void multiply_one(struct expansion *e, const struct clause *a, const struct clause *b, struct list *out) {
    size_t n = (size_t)a->n_yes + b->n_yes + a->n_no + b->n_no;
    struct clause clause = { 0 };
    uint32_t *yes, *no;
    if (!spend(e, n + 1))
        return;
    yes = ARENA_ARRAY(e->work, uint32_t, n + 1);
    clause.n_yes = unite(a->yes, a->n_yes, b->yes, b->n_yes, yes);
    no = yes + clause.n_yes;
    clause.n_no = unite(a->no, a->n_no, b->no, b->n_no, no);
    clause.yes = yes;
    clause.no = no;
    if (holds_together(e, &clause))
        push(e, out, &clause);
}

static struct list multiply(struct expansion *e, const struct list *a, const struct list *b) {
    struct list out = { 0 };
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n && !e->too_many; k++)
            multiply_one(e, &a->items[i], &b->items[k], &out);
    finish(e, &out);
    return out;
}

static struct list all_of(struct expansion *e, struct dsl_expr *const *items, size_t n, bool denied) {
    struct list out = { 0 };
    struct clause base = literals(e, items, n, denied);
    if (holds_together(e, &base))
        push(e, &out, &base);
    for (size_t i = 0; i < n && !e->too_many; i++) {
        bool is_no = denied;
        struct list item;
        if (literal_of(items[i], &is_no))
            continue;
        item = expand(e, items[i], denied);
        if (!e->too_many)
            out = multiply(e, &out, &item);
    }
    return out;
}

static struct list any_of(struct expansion *e, struct dsl_expr *const *items, size_t n, bool denied) {
    struct list out = { 0 };
    for (size_t i = 0; i < n && !e->too_many; i++) {
        struct list item = expand(e, items[i], denied);
        for (size_t k = 0; k < item.n && !e->too_many; k++)
            push(e, &out, &item.items[k]);
    }
    finish(e, &out);
    return out;
}

static struct list expand(struct expansion *e, const struct dsl_expr *expr, bool denied) {
    struct list out = { 0 };
    struct dsl_expr *self = (struct dsl_expr *)expr;
    struct clause clause;
    if (!spend(e, 1))
        return out;
    switch (expr->kind) {
    case DSL_SIGNAL:
        clause = literals(e, &self, 1, denied);
        push(e, &out, &clause);
        return out;
    case DSL_NOT:
        return expand(e, expr->items[0], !denied);
    case DSL_AND:
        return denied ? any_of(e, expr->items, expr->n_items, true) : all_of(e, expr->items, expr->n_items, false);
    case DSL_OR:
        return denied ? all_of(e, expr->items, expr->n_items, true) : any_of(e, expr->items, expr->n_items, false);
    }
    return out;
}

/* ---- the result */

static struct clauses kept(struct arena *arena, const struct list *list, size_t n_leaves) {
    uint32_t *leaves = ARENA_ARRAY(arena, uint32_t, n_leaves);
    struct clauses out = { .items = ARENA_ARRAY(arena, struct clause, list->n), .n = list->n };
    for (size_t i = 0; i < list->n; i++) {
        const struct clause *from = &list->items[i];
        struct clause *to = &out.items[i];
        *to = *from;
        to->yes = leaves;
        if (from->n_yes)
            memcpy(leaves, from->yes, from->n_yes * sizeof(*leaves));
        leaves += from->n_yes;
        to->no = leaves;
        if (from->n_no)
            memcpy(leaves, from->no, from->n_no * sizeof(*leaves));
        leaves += from->n_no;
    }
    return out;
}

struct clauses clauses_of(struct arena *arena, struct arena *work, const struct clause_theory *theory,
                          const struct dsl_expr *expr, size_t *budget) {
    struct expansion e = { .work = work, .theory = theory, .budget = budget };
    struct clauses none = { .too_many = true }, out;
    struct list list = expand(&e, expr, false);
    size_t n_leaves = 0;
    for (size_t i = 0; i < list.n; i++)
        n_leaves += list.items[i].n_yes + list.items[i].n_no;
    out = e.too_many || n_leaves > CLAUSES_LEAVES_MAX ? none : kept(arena, &list, n_leaves);
    arena_reset(work);
    return out;
}
