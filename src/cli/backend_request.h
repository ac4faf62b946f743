/*
 * backend_request - one exchange of the stand-in model server, while it lasts.
 *
 * Private to backend_request.c, which takes and gives back requests and knows the paths, backend_model.c, which answers
 * as a model, backend_reply.c and backend_stream.c, which send. Loop thread only.
 *
 * A call that sends may end the exchange: `closed` is then set, and the request is given back when the outermost
 * function between enter and leave returns.
 */
#ifndef VSR_CLI_BACKEND_REQUEST_H
#define VSR_CLI_BACKEND_REQUEST_H

#include "cli/backend.h"
#include "cli/backend_dialect.h"
#include "cli/backend_paths.h"
#include "core/buf.h"
#include "net/loop.h"

enum { BACKEND_REQUEST_ID_LEN = 32, BACKEND_FIELDS_MAX = 8 };

struct backend_request {
    struct backend_request *next_spare;
    struct backend_worker *worker;
    struct backend_listener *listener;
    struct exchange *exchange;
    const struct http1_head *head;
    enum backend_kind kind;
    const struct backend_dialect *dialect; /* also of errors */
    uint64_t id;
    char shown_id[BACKEND_REQUEST_ID_LEN];
    struct behaviour behaviour;
    bool bad_behaviour; /* the request's own header made no sense; `err` says why */
    struct vsr_err err;

    struct arena *arena;
    struct buf body, out;
    struct loop_timer timer;
    struct backend_answer answer;
    bool streaming;
    uint64_t started_ms; /* of the stream */
    uint64_t n_events;
    uint64_t n_sent; /* body bytes */

    unsigned busy; /* functions on the stack between enter and leave */
    bool closed;
    bool cut; /* ended by us on purpose */
};

/* ---- backend_request.c */

/* Whether it is for a model, and so can be told to misbehave. */
bool backend_request_is_model(const struct backend_request *request);
/* Around whatever an event or a timer begins. The request may be gone after leave. */
void backend_request_enter(struct backend_request *request);
void backend_request_leave(struct backend_request *request);
/* Of a timer: the answer that was waited with. */
void backend_request_resume(void *data);

/* ---- backend_reply.c */

/* Adds a field to `n` that are there, or all that every answer has. Returns how many there are now. */
size_t backend_reply_field(struct http1_field *fields, size_t n, const char *name, vsr_str value);
size_t backend_reply_fields(const struct backend_request *request, const char *type, struct http1_field *fields);
/* Sends a slice, up to the byte where the behaviour cuts. False when that was it. */
bool backend_reply_slice(struct backend_request *request, vsr_str bytes);

void backend_reply(struct backend_request *request, int status, const char *type, vsr_str body);
void backend_reply_json(struct backend_request *request); /* `out` */
void backend_reply_error(struct backend_request *request, int status, vsr_str message);
void backend_reply_refusal(struct backend_request *request, const struct backend_refusal *refusal);

/* ---- backend_stream.c */

void backend_stream_begin(struct backend_request *request);
/* Sends events as far as rate, client and text allow, and sees to it that it is called again. */
void backend_stream_go_on(struct backend_request *request);

/* ---- backend_model.c */

/* What the behaviour says, and then the answer; or the answer itself. */
void backend_model_begin(struct backend_request *request);
void backend_model_answer(struct backend_request *request);

#endif
