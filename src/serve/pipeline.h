/*
 * pipeline - the life of a request, as one ordered table of stages.
 *
 * Every front end feeds it: pipeline_begin() when the head is complete, pipeline_body() and pipeline_body_end() as the
 * body comes, pipeline_drained() when the client has taken what was queued, pipeline_closed() when the exchange is
 * over, whoever ended it. A backend's answer comes back through pipeline_upstream_*(), whether vsr's own client brings
 * it or a proxy (front.h). Worker thread only.
 */
#ifndef VSR_SERVE_PIPELINE_H
#define VSR_SERVE_PIPELINE_H

#include <stdbool.h>

#include "core/str.h"
#include "serve/front.h"

struct config_listener;
struct http1_head;
struct request;
struct snapshot;
struct vsr_err;
struct worker;

enum stage_result {
    STAGE_NEXT,  /* done; go on with the next stage */
    STAGE_WAIT,  /* something is under way; pipeline_resume() runs this stage again */
    STAGE_REPLY, /* request->reply holds an answer of our own */
    STAGE_FAIL,  /* request->reply holds an error */
    STAGE_DONE,  /* the answer is complete; the request may be gone */
};

/* The request's head is complete. `head` stays valid until the exchange closes. */
void pipeline_begin(struct request *request, const struct http1_head *head, const struct config_listener *listener);
void pipeline_body(struct request *request, vsr_str bytes);
void pipeline_body_end(struct request *request);
void pipeline_drained(struct request *request);
/* The exchange is over; frees the request. `completed` false: the client went away, or a limit broke the exchange. */
void pipeline_closed(struct request *request, bool completed);

/* The same when the front end answered by itself (a slow or oversized body) and has counted that. */
void pipeline_refused(struct request *request);

/*
 * A request that no connection carries. Copies `head` and `body`; both were read from a client before, so limits have
 * been checked. Stages run from the loop, never inside this call; `front` gets the answer and calls pipeline_closed()
 * behind it, or at any time to cancel the request. Never NULL.
 */
struct request *pipeline_begin_detached(struct worker *worker, struct snapshot *snapshot, struct front front,
                                        const struct config_listener *listener, const struct http1_head *head,
                                        vsr_str body);

/* ---- the backend's answer: one head, any number of slices, then end or error. The request may be gone after each. */

void pipeline_upstream_head(struct request *request, const struct http1_head *head);
void pipeline_upstream_body(struct request *request, vsr_str bytes);
void pipeline_upstream_end(struct request *request);
/* `connected`: the request had been written. `err` as client_events.on_error has it. */
void pipeline_upstream_error(struct request *request, const struct vsr_err *err, bool connected);

/* ---- for stages and what they wait for */

/* What a stage waited for has come. The request may be gone afterwards. */
void pipeline_resume(struct request *request);

/* Answers with request->reply and ends; for failures outside a stage. */
void pipeline_fail(struct request *request);
/* The same with a reply that is a success. */
void pipeline_reply(struct request *request);

#endif
