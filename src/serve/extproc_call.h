/*
 * extproc_call - one stream of Envoy's external processing: the state that its two halves share.
 *
 *     WAITING --headers--> ASKING --forward()--> FORWARDED --answer's headers--> ANSWERING --end--> PASSING
 *                            |                                                       |
 *                            +------------ an answer of vsr's own ------------------ + ------------> OVER
 *
 * The pipeline's words (front.h) are only noted down when they come; extproc_settle() turns what is noted into
 * messages, at the end of each message's handling or, for what comes at another time, at the end of the loop's turn. So
 * nothing here depends on which call of the pipeline made the next one. Private to extproc_*.c; worker thread only.
 */
#ifndef VSR_SERVE_EXTPROC_CALL_H
#define VSR_SERVE_EXTPROC_CALL_H

#include "net/grpc_server.h"
#include "net/loop.h"
#include "serve/extproc_message.h"
#include "serve/front.h"
#include "serve/json_end.h"

struct extproc;
struct request;

enum {
    EXTPROC_GATHERED_LEN_MAX = 128 << 20, /* of an answer that is translated as a whole; twice the largest body */
    EXTPROC_CHUNKS_MAX = 1 << 20,         /* pieces of a request body that wait for their answers */
    EXTPROC_QUEUED_MAX = 1 << 20,         /* bytes that wait for Envoy before it is not heard any more */
};

enum extproc_state {
    EXTPROC_WAITING,   /* for the request's headers */
    EXTPROC_ASKING,    /* the pipeline has the request */
    EXTPROC_FORWARDED, /* the request is Envoy's */
    EXTPROC_ANSWERING, /* the backend's answer comes */
    EXTPROC_PASSING,   /* nothing is ours any more: each message is answered, and changes nothing */
    EXTPROC_WATCHING,  /* observability mode: nobody waits for answers */
    EXTPROC_OVER,      /* an immediate response was the last word */
};

struct extproc_call {
    struct extproc *extproc;
    struct grpc_stream *stream;
    struct request *request; /* NULL before its headers, and once it is closed */
    enum extproc_state state;
    bool in_message; /* extproc_settle() comes behind it anyway */
    bool closed;     /* the gRPC stream is gone: nothing can be sent */
    struct loop_task settling;
    struct loop_timer body_timer;

    /* What the filter said of itself. */
    bool has_config, body_unasked;
    enum extproc_mode request_mode, response_mode;

    /* The request. What it points to lives in request->arena. */
    struct http1_head *head;    /* as it came */
    struct http1_field *fields; /* those that Envoy has now */
    size_t n_fields;
    bool headers_owed, trailers_owed;
    bool no_body;       /* its headers were all */
    bool body_complete; /* the pipeline was told */
    size_t chunks_owed, n_chunks;
    struct json_end body_end;
    const struct outbound *outbound; /* NULL until forward() */

    /* The backend's answer. */
    struct http1_head *upstream;
    bool answer_headers_owed, answer_trailers_owed;
    size_t answer_chunks_owed;
    bool upstream_bare;     /* its headers were all */
    bool upstream_complete; /* the pipeline was told */
    bool late_head;         /* its headers were let pass, though the pipeline has not said its own */
    bool body_shown;        /* a piece of it has come */
    bool swallow;           /* PASSING: what of its body may still come is not for the client */
    vsr_str chunk;          /* the piece at hand, during its message */
    struct json_end answer_end;

    /* The pipeline's answer. */
    bool has_head, ended, aborted;
    int status;
    struct http1_field *answer_fields;
    size_t n_answer_fields;
    int64_t length;
    struct buf gathered;

    uint64_t message_ns; /* when the last message came; 0: it has been answered */
};

/* ---- extproc_front.c */

/* How the pipeline answers. */
struct front extproc_front(struct extproc_call *call);
/* The same of a request that is only watched. */
struct front extproc_watcher(struct extproc_call *call);
/* Turns what is noted into messages. The request may be gone afterwards. */
void extproc_settle(struct extproc_call *call);
/* Sends an answer. */
void extproc_send(struct extproc_call *call, const struct extproc_answer *answer);
/* Whether the answer is one that the client cannot get as the backend says it. */
bool extproc_translates(const struct extproc_call *call);
/* The pipeline's answer as an immediate response; the request is closed. */
void extproc_reply(struct extproc_call *call);
void extproc_close_request(struct extproc_call *call, bool completed);
/* Answers a message without a change; in duplex mode the body goes back as it came. */
void extproc_pass(struct extproc_call *call, const struct extproc_message *message);

/* ---- extproc_request.c: what Envoy says of the request, and what it is told to do with it */

void extproc_request_headers(struct extproc_call *call, const struct extproc_message *message);
void extproc_request_body(struct extproc_call *call, const struct extproc_message *message);
void extproc_request_trailers(struct extproc_call *call, const struct extproc_message *message);
/* The pipeline has dispatched it. */
void extproc_forward(struct extproc_call *call);

/* ---- extproc_answer.c: the same of the answer */

void extproc_answer_headers(struct extproc_call *call, const struct extproc_message *message);
void extproc_answer_body(struct extproc_call *call, const struct extproc_message *message);
void extproc_answer_trailers(struct extproc_call *call, const struct extproc_message *message);
void extproc_answer_settle(struct extproc_call *call);

#endif
