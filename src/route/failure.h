/*
 * failure - rules that could not be evaluated, and the deadline that makes them so.
 *
 * Internal to route/. One request, one thread.
 */
#ifndef VSR_ROUTE_FAILURE_H
#define VSR_ROUTE_FAILURE_H

#include "route/state.h"

#define FAILURE_TOO_LATE "the deadline for signals has passed"

/* Fails what the family reports at `index`; a rule that blocks on errors matches then. `reason` is kept; NULL: nothing
 * more is known. */
void failure_set(struct route_state *state, const struct route_family *family, uint32_t index, enum signal_code code,
                 const char *reason);

/* Of a rule that nobody judged: there was no model, or it was too late. */
void failure_set_missing(struct route_state *state, const struct route_family *family, uint32_t index, bool late);

/* What a rule is that failed while it was evaluated: why, when it did not say, and a match when it blocks. */
void failure_settle(struct route_state *state, const struct route_family *family, uint32_t index);

/* Whether the request's deadline for signals has passed. */
bool failure_too_late(const struct route_state *state);

/* What a family may take: its own limit or what is left of the request's; 0 without either. */
int64_t failure_time_left(const struct route_state *state, const struct route_family *family);

#endif
