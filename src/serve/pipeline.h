/*
 * pipeline - the life of a request, as one ordered table of stages.
 *
 * Every front end feeds it: pipeline_begin() when the head is complete, pipeline_body() and pipeline_body_end() as the
 * body comes, pipeline_drained() when the client has taken what was queued, pipeline_closed() when the exchange is
 * over, whoever ended it. Worker thread only.
 */
#ifndef VSR_SERVE_PIPELINE_H
#define VSR_SERVE_PIPELINE_H

#include <stdbool.h>

#include "core/str.h"

struct request;
struct http1_head;
struct config_listener;

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

/* What a stage waited for has come. The request may be gone afterwards. */
void pipeline_resume(struct request *request);

/* Answers with request->reply and ends; for failures outside a stage. */
void pipeline_fail(struct request *request);

#endif
