/*
 * failover - another model of the decision answers when all endpoints of the chosen one failed (config.md 6.4).
 *
 * Only where the decision says `fallback: true`, only before a byte has reached the client, and only for failures that
 * another model may not have: no connection, or none free, a reset before the answer, 429, 5xx; and a prompt that is
 * too long, to a model with a larger window. Candidates are asked in the decision's order, each once, all within the
 * listener's timeout; those that could not do what is asked, or that the caller's budgets have no room for, are passed
 * over. The request starts again from what came in. A proxy in front calls its own backends: no failover there.
 */
#ifndef VSR_SERVE_FAILOVER_H
#define VSR_SERVE_FAILOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct config_model_ref;
struct http1_head;
struct provider_result;
struct request;

enum { FAILOVER_REFS_MAX = 64 }; /* candidates beyond are not tried */

/* Zero is a request whose first model is still being asked. */
struct failover {
    uint64_t tried;      /* bit i: ref i of the decision */
    vsr_str first_model; /* that the decision chose; empty: it still is */
    uint64_t began_ns;   /* when that was asked */
};

/*
 * After an attempt that failed and is not retried: makes the next candidate the selected model. False: none is left, or
 * the failure is not of that kind. The caller then dispatches anew, not from inside an event of the old call.
 */
bool failover_next(struct request *request, const struct provider_result *result);

/* Whether the body of this 400 or 413 is worth waiting for, because it may say that the prompt is too long. */
bool failover_may_follow(const struct request *request, const struct http1_head *head);
/* That body, read: as failover_next(), to a larger model. */
bool failover_of_context(struct request *request, vsr_str body);

/* Milliseconds that are left of the listener's timeout; the whole of it for the first model. */
uint64_t failover_time_left_ms(const struct request *request);

#endif
