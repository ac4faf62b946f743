/*
 * evidence - rules that only a model can judge: which of them are asked for, and what becomes of the answers.
 *
 * Internal to route/. One request, one thread.
 */
#ifndef VSR_ROUTE_EVIDENCE_H
#define VSR_ROUTE_EVIDENCE_H

#include "route/state.h"

#define EVIDENCE_TOO_LATE "the deadline for signals has passed"

/*
 * Judges those wanted rules of the family that need no model in this request, and asks the caller for the rest. Without
 * a caller who brings evidence, the rest is unavailable; behind the deadline it is too late.
 */
void evidence_ask(struct route_state *state, const struct route_family *family);

/* What was asked for and did not come is unavailable, or too late. Nothing is asked for any more. */
void evidence_close(struct route_state *state);

/* Fails what the family reports at `index`; a rule that blocks on errors matches then. */
void evidence_fail(struct route_state *state, const struct route_family *family, uint32_t index, enum signal_code code,
                   const char *reason);

/* Whether the request's deadline for signals has passed. */
bool evidence_too_late(const struct route_state *state);

#endif
