/*
 * answer - what goes back to the client: vsr's own replies and errors, and the headers that explain a route
 * (gateway.md 13.2).
 */
#ifndef VSR_SERVE_ANSWER_H
#define VSR_SERVE_ANSWER_H

#include "serve/request.h"

enum { ANSWER_FIELDS_MAX = 192 }; /* the backend's fields (128) and ours */

/* Sends request->reply as a success. The request may be gone afterwards. */
void answer_reply(struct request *request);
/* Sends request->reply as an error in the client's protocol. The request may be gone afterwards. */
void answer_error(struct request *request);

/*
 * Starts the answer that a backend gave: its end-to-end headers, then ours. `content_type` is of a body in other words
 * than the backend's; empty: its own bytes. `length` -1: unknown.
 */
void answer_upstream_head(struct request *request, const struct http1_head *head, int status, vsr_str content_type,
                          int64_t length);

/*
 * The fields that answer_upstream_head() would most likely say of an answer that is translated as a whole, for a front
 * end whose headers cannot wait for it. They live in the request's arena. Returns how many.
 */
size_t answer_preview(struct request *request, const struct http1_head *head, struct http1_field **ret_fields);

/* Starts a stream of our own. */
void answer_stream_head(struct request *request, vsr_str content_type);

#endif
