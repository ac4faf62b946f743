/*
 * remote_state - clients and their calls, for the ways in which they ask. Private to evidence/.
 */
#ifndef VSR_EVIDENCE_REMOTE_STATE_H
#define VSR_EVIDENCE_REMOTE_STATE_H

#include "evidence/http_post.h"
#include "evidence/remote.h"
#include "net/loop.h"

struct http_embeddings;
struct http_format;
struct mcp_call;
struct mcp_desk;

/* How a kind of source is asked. */
struct remote_kind {
    enum evidence_kind gives;
    const struct http_format *format; /* NULL: it has a way of its own */
    void (*init)(struct remote_client *client);
    void (*start)(struct remote_call *call); /* also the next piece of a call about many texts */
};

struct remote_client {
    struct remote_host host;
    const struct signal_source *source;
    const struct remote_kind *kind;
    struct arena *arena;
    vsr_str name;
    const char *model;
    struct http_server server;
    struct http_post_options options; /* of a tool server: attempt_ms alone */
    struct mcp_desk *desk;            /* of a tool server; NULL: it cannot be asked, server.wrong says why */
    size_t dims;                      /* of the vectors asked for; 0: any */
    size_t dims_seen;                 /* of a tool's last vectors: how many texts go into one question */
    unsigned steps;                   /* after which the server did not refuse (http_format.h) */
    size_t n_calls;
};

struct remote_call {
    struct remote_client *client;
    struct remote_question question;
    remote_done_fn *done;
    void *owner;
    struct http_post *post;
    struct mcp_call *mcp;
    struct loop_task task; /* tells a failure that is known at once */
    struct evidence_answer answer;
    uint64_t start_ms;
    struct http_embeddings *reader; /* of the present answer */
    float *vectors;                 /* of the texts before `place` */
    size_t place, n_asked, dims;    /* asked now; of the vectors, 0: there are none yet */
    unsigned steps;
};

/* ---- remote.c */

/* Each ends the call; what is told is valid during `done`, or lies in the call's arena. */
void remote_finish(struct remote_call *call, const struct evidence_answer *answer);
void remote_fail(struct remote_call *call, enum signal_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* From inside remote_call_start(), where nothing may be told yet. `reason` is constant. */
void remote_fail_later(struct remote_call *call, enum signal_code code, const char *reason);

/* What is left of the time of the whole call; 0: nothing. UINT64_MAX: there is no limit. */
uint64_t remote_time_left(const struct remote_call *call);

/* Numbers and labels into the call's arena. */
void remote_keep_answer(struct remote_call *call, struct evidence_answer *answer);

/* Takes in the vectors of the next `n` texts, `dims` numbers each; ends the call with the last, else starts the next
 * piece. `model` and `version` are told with the last. */
void remote_keep_vectors(struct remote_call *call, const float *numbers, size_t n, size_t dims,
                         const struct evidence_answer *who);

/* ---- remote_tool.c */

void remote_init_classifier(struct remote_client *client);
void remote_init_embedder(struct remote_client *client);
void remote_ask_class(struct remote_call *call);
void remote_ask_embeddings(struct remote_call *call);

#endif
