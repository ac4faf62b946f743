/*
 * errors - what could not be evaluated, gathered by family. Internal to route/.
 */
#ifndef VSR_ROUTE_ERRORS_H
#define VSR_ROUTE_ERRORS_H

#include "route/state.h"

struct route_error {
    const struct route_family *family;
    uint32_t slot;
    vsr_str
        name; /* of the rule; `*` when several were tried and all failed in the same way: `slot` is the first of them */
    size_t n; /* how many */
    const char *code, *reason; /* reason NULL: nothing more is known */
};

/* Calls fn for each failure, in the order of families and rules. */
void errors_each(const struct route_state *state, void (*fn)(void *data, const struct route_error *error), void *data);

#endif
