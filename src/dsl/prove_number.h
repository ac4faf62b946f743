/*
 * prove_number - a number that several conditions ask about, as truth values: for every bound that occurs, whether the
 * number is above it.
 *
 * Bounds are ordered, and whoever is above one is above all lower ones; nothing else is said about the number, so that
 * exactly those bands meet, contain or exclude each other that do so on the line. Whole numbers know that nothing lies
 * between 3 and 4.
 */
#ifndef VSR_DSL_PROVE_NUMBER_H
#define VSR_DSL_PROVE_NUMBER_H

#include "config/predicate.h"
#include "dsl/prove_solver.h"

/* `number >= at`, or with `beyond` `number > at`. */
struct number_cut {
    double at;
    bool beyond;
    int literal;
};

struct number {
    struct solver *solver;
    bool whole;
    double least, greatest; /* infinite: anything */
    struct number_cut *cuts;
    size_t n_cuts, cap;
};

void number_init(struct number *number, struct solver *solver, bool whole, double least, double greatest);

/* That it is above the cut. */
int number_above(struct number *number, double at, bool beyond);

/* That `there` holds, which says that there is a number at all, and that it keeps the bounds. */
int number_within(struct number *number, int there, const struct bounds *bounds);

/* After POSSIBLE: between which of its cuts it lies in the example. NULL: there is none on that side. */
void number_cell(const struct number *number, const struct number_cut **ret_above, const struct number_cut **ret_below);

/* `less` is never greater than `more`. To be said when all cuts of `less` are known. */
void number_order(struct number *less, struct number *more);

#endif
