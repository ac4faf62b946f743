/*
 * verdicts - evidence as verdicts: for which rules somebody else says what became of them.
 *
 * Internal to route/. One request, one thread.
 */
#ifndef VSR_ROUTE_VERDICTS_H
#define VSR_ROUTE_VERDICTS_H

#include "route/state.h"

/* Asks for the family's wanted rules that are not evaluated; without anybody who brings verdicts they fail. */
void verdicts_ask(struct route_state *state, const struct route_family *family);

/* What was asked for and did not come is unavailable, or too late. Nothing is asked for any more. */
void verdicts_close(struct route_state *state);

#endif
