/*
 * clauses - the ways in which a condition can hold: its disjunctive normal form (dsl.md §6.4).
 *
 * A clause is a set of leaves that match and a set of leaves that do not. Clauses that contradict themselves are left
 * out, equal ones stand once. The form grows exponentially with the condition, so it has limits, beyond which there is
 * none. Leaves are numbers: whoever asks knows what they stand for. Any thread.
 */
#ifndef VSR_DSL_CLAUSES_H
#define VSR_DSL_CLAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct dsl_expr;

enum { CLAUSES_MAX = 4096, CLAUSES_LEAVES_MAX = 1 << 16 };

/* Sorted. */
struct clause {
    const uint32_t *yes, *no;
    uint32_t n_yes, n_no;
};

struct clauses {
    struct clause *items;
    size_t n;
    bool too_many; /* there are no items */
};

/* What is known of the leaves. */
struct clause_theory {
    /* The number of a leaf. Called once for each occurrence. */
    uint32_t (*leaf)(void *data, const struct dsl_expr *expr);
    /* Whether the two can never match together. */
    bool (*exclude)(void *data, uint32_t one, uint32_t other);
    void *data;
};

/* The result lives in `arena`, `work` is reset. `*budget`: leaves that may still be looked at; falls. */
struct clauses clauses_of(struct arena *arena, struct arena *work, const struct clause_theory *theory,
                          const struct dsl_expr *expr, size_t *budget);

#endif
