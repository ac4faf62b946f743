#include "dsl/prove_number.h"

#include <math.h>

#include "core/arena.h"

void number_init(struct number *number, struct solver *solver, bool whole, double least, double greatest) {
    *number = (struct number){ .solver = solver, .whole = whole, .least = least, .greatest = greatest };
}

static bool is_below(const struct number_cut *cut, double at, bool beyond) {
    return cut->at != at ? cut->at < at : cut->beyond < beyond;
}

/* Room at `index`, the new cut in it, tied to its neighbours. */
static int insert(struct number *number, size_t index, double at, bool beyond) {
    struct solver *solver = number->solver;
    int literal = solver_var(solver);
    number->cuts = arena_grow(solver->arena, number->cuts, sizeof(*number->cuts), number->n_cuts, &number->cap);
    for (size_t i = number->n_cuts++; i > index; i--)
        number->cuts[i] = number->cuts[i - 1];
    number->cuts[index] = (struct number_cut){ at, beyond, literal };
    if (index > 0)
        SOLVER_CLAUSE(solver, -literal, number->cuts[index - 1].literal);
    if (index + 1 < number->n_cuts)
        SOLVER_CLAUSE(solver, -number->cuts[index + 1].literal, literal);
    return literal;
}

int number_above(struct number *number, double at, bool beyond) {
    size_t low = 0, high = number->n_cuts;
    if (number->whole) {
        at = beyond ? floor(at) + 1 : ceil(at);
        beyond = false;
    }
    if (beyond ? at < number->least : at <= number->least)
        return number->solver->yes;
    if (beyond ? at >= number->greatest : at > number->greatest)
        return -number->solver->yes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_below(&number->cuts[middle], at, beyond))
            low = middle + 1;
        else
            high = middle;
    }
    if (low < number->n_cuts && number->cuts[low].at == at && number->cuts[low].beyond == beyond)
        return number->cuts[low].literal;
    return insert(number, low, at, beyond);
}

int number_within(struct number *number, int there, const struct bounds *bounds) {
    int all[5];
    size_t n = 0;
    all[n++] = there;
    if (bounds->set & BOUND_GT)
        all[n++] = number_above(number, bounds->gt, true);
    if (bounds->set & BOUND_GTE)
        all[n++] = number_above(number, bounds->gte, false);
    if (bounds->set & BOUND_LT)
        all[n++] = -number_above(number, bounds->lt, false);
    if (bounds->set & BOUND_LTE)
        all[n++] = -number_above(number, bounds->lte, true);
    return solver_and(number->solver, all, n);
}

void number_order(struct number *less, struct number *more) {
    for (size_t i = 0; i < less->n_cuts; i++) {
        int above = number_above(more, less->cuts[i].at, less->cuts[i].beyond);
        SOLVER_CLAUSE(less->solver, -less->cuts[i].literal, above);
    }
}

void number_cell(const struct number *number, const struct number_cut **ret_above,
                 const struct number_cut **ret_below) {
    *ret_above = *ret_below = NULL;
    for (size_t i = 0; i < number->n_cuts; i++) {
        if (!solver_holds(number->solver, number->cuts[i].literal)) {
            *ret_below = &number->cuts[i];
            return;
        }
        *ret_above = &number->cuts[i];
    }
}
