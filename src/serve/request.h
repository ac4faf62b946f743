/*
 * request - one HTTP exchange on its way through the pipeline.
 *
 * Belongs to one worker for life. All of its memory is one arena plus a few buffers, kept and reused by the worker. It
 * pins the snapshot that was current at its first byte. Every field says which stage fills it.
 */
#ifndef VSR_SERVE_REQUEST_H
#define VSR_SERVE_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"
#include "net/client.h"
#include "net/http1.h"
#include "net/loop.h"
#include "provider/limit.h"
#include "provider/provider.h"
#include "provider/upstream_headers.h"
#include "route/route.h"
#include "serve/admission.h"
#include "serve/endpoints.h"
#include "serve/failover.h"
#include "serve/front.h"
#include "serve/identity.h"
#include "serve/relay.h"
#include "serve/snapshot.h"
#include "serve/telemetry.h"
#include "wire/chat_relay.h"
#include "wire/event_relay.h"
#include "wire/facts.h"
#include "wire/trace_context.h"

struct answer;
struct decoder;
struct embeddings;
struct encoder;
struct evidence_run;
struct images;
struct responses_exchange;
struct sidecar;
struct warnings;
struct worker;

enum {
    REQUEST_CHUNK_LEN = 16 << 10,
    REQUEST_KEEP_LEN_MAX = 32 << 10, /* a buffer that grew past it is given back when the request ends */
    REQUEST_ARENA_SPARE =
        16 << 20, /* of the arena, beside twice the largest body: tapes of ordinary JSON are far below */
    REQUEST_SUGGEST_LEN_MAX = 256,  /* a longer model name is not echoed whole */
    ANSWER_COPY_LEN_MAX = 4 << 20,  /* a larger buffered answer is relayed, but its usage is not read */
    TRANSLATED_LEN_MAX = 80 << 20,  /* of a request or an answer in another protocol than it came in */
    ERROR_COPY_LEN_MAX = 256 << 10, /* of a backend's error that is said again */
    STREAM_HIGH_WATER = 256 << 10,  /* bytes waiting for the client before the backend is paused */
    REQUEST_FIELDS_MAX = 8,         /* headers that stages add to the answer */
    REQUEST_STAGES_MAX = 24,
};

/* `x-vsr-response-path` (gateway.md 13.2). */
enum response_path {
    RESPONSE_USUAL, /* RESPONSE_ERROR of errors, RESPONSE_LOCAL of successes */
    RESPONSE_UPSTREAM,
    RESPONSE_ERROR,
    RESPONSE_RATE_LIMITED,
    RESPONSE_BLOCKED,
    RESPONSE_IMAGE,
    RESPONSE_LOCAL, /* health checks and catalogues: no such header */
};

/* An answer that vsr gives itself. */
struct reply {
    int status;
    vsr_str message;  /* of an error */
    const char *code; /* overrides the code that follows from the status; NULL: none */
    vsr_str param;
    vsr_str body; /* of a success */
    vsr_str content_type;
    struct http1_field extra; /* one more header; name.len 0: none */
    enum telemetry_reason reason;
    enum response_path path;
    const struct http1_head *upstream; /* whose end-to-end headers go along; NULL: nobody's */
};

/* What makes an attempt, of which a hedged request has two. */
struct attempt {
    struct client_call *call; /* NULL: there is none */
    const struct provider_endpoint *endpoint;
    enum protocol protocol;
    struct upstream_headers headers;
    struct outbound outbound;
};

struct request {
    struct request *prev, *next; /* in the worker's list of live requests, or `next` in its free list */
    struct worker *worker;
    struct arena *arena;
    struct snapshot *snapshot; /* pinned */
    struct front front;
    vsr_str client, client_cert; /* address, and subject of a verified certificate; where logs want them */
    size_t stage;                /* index in the stage table */
    bool running;                /* pipeline_run() is on the stack */
    bool resumed;                /* pipeline_resume() was called while it was */
    bool answered;               /* head sent or reply given */
    bool refused;                /* the front end answered itself (408, 413) and counted that */
    bool finished;               /* recorded; nothing else may happen */
    struct reply reply;
    struct http1_field fields[REQUEST_FIELDS_MAX]; /* of whatever answer comes: request_add_field() */
    size_t n_fields;
    uint64_t stage_began_ns;
    uint32_t stage_us[REQUEST_STAGES_MAX]; /* by stage, under debug */

    /* admit */
    const struct http1_head *head; /* valid until the exchange closes */
    const struct config_listener *listener;
    struct loop_task begin; /* of a detached request */
    enum endpoint_kind endpoint;
    enum protocol client_protocol;
    vsr_str resource_id;   /* of the path: `resp_...`, a model */
    vsr_str origin_target; /* path and query, as an endpoint is asked for it */
    vsr_str path;          /* without query and trailing slash */
    vsr_str request_id;
    uint64_t start_ns;    /* head complete */
    uint64_t received_ns; /* body complete */
    bool debug;           /* x-vsr-debug: true */
    bool skip;            /* x-vsr-skip-processing, where the deployment allows it */
    bool key_checked;     /* the listener checked the caller's authorization itself */
    struct trace_context trace;
    vsr_str listener_key; /* that it was let in with; empty: the listener has none */
    struct identity identity;

    /* limit */
    struct limit_ask limit_ask;
    struct limit_ticket ticket;
    struct limit_ticket beside; /* of another model that has a part in the answer */
    bool limit_waits;           /* an answer is under way */
    int64_t prompt_tokens;      /* estimated */
    uint64_t said_len, n_said;  /* bytes and pieces of the answer so far, where a decoder reads along */

    /* admission */
    struct admission_place place;

    struct embeddings *embeddings; /* made here; NULL: none */
    struct images *images;         /* being made; NULL: none */

    /* receive */
    struct buf body;
    size_t body_counted; /* bytes of it, and of what else is held, in worker->body_bytes */
    bool body_complete;

    /* parse */
    struct json_doc client_doc; /* of `body`, in the client's protocol */
    struct buf translated;      /* what original_body is a slice of, when it is no slice of `body` */
    /*
     * The request as Chat Completions, which signals read and routes are made of: the client's own bytes, or their
     * translation. Immutable, so that what is cached is known by what was asked.
     */
    vsr_str original_body;
    bool as_chat;                         /* there is one; endpoints that are not routed have only a model */
    struct json_doc doc;                  /* of original_body; the same as client_doc when nothing was translated */
    struct sidecar *sidecar;              /* messages: what the translation cannot say */
    struct warnings *warnings;            /* what translations lost; NULL: nothing was translated */
    struct responses_exchange *responses; /* NULL unless /v1/responses */
    struct request_facts facts;
    vsr_str team_id, tenant_id;          /* as facts.user_id */
    vsr_str session_id, conversation_id; /* gateway.md 13.4; conversation_id is of /v1/responses */

    /* resolve, signals, select */
    const struct model_name *name;
    struct route_state *route;
    struct evidence_run *evidence;       /* under way; NULL: nothing is asked */
    uint64_t evaluation_ns;              /* when it began */
    const struct route_outcome *outcome; /* NULL: not routed */
    const struct snapshot_decision *decision;
    const struct config_model_ref *model_ref; /* NULL: default model or pass-through */
    vsr_str selected_model;                   /* logical name that headers and metrics say */
    const char *algorithm;                    /* "single", "static", "default"; NULL on pass-through */
    bool reasoning;
    struct provider_target target;
    const struct snapshot_model *model;
    uint64_t routed_ns;

    /* dispatch */
    struct provider_call call;
    bool call_begun;
    struct client_call *upstream;
    struct loop_timer retry_timer;
    bool forwarded; /* the proxy in front calls the backend */
    enum protocol upstream_protocol;
    struct upstream_headers headers;
    struct outbound outbound;
    struct buf upstream_body;                 /* the edited body; empty: the client's bytes go as they are */
    const struct provider_endpoint *body_for; /* endpoint that upstream_body was written for */
    struct attempt hedge;                     /* beside the one that the fields above tell of */
    struct buf hedge_body;
    struct loop_timer hedge_timer;
    uint64_t attempt_ms; /* when the attempt began */
    struct failover failover;
    uint64_t dispatched_ns, first_byte_ns;

    /* relay */
    int upstream_status;
    bool streaming;
    bool close_delimited; /* only the end of the connection ends the answer, so a cut looks like an end */
    enum relay_cell cell;
    struct chat_relay relay;
    bool relay_begun;
    struct event_relay events;
    bool events_begun;
    struct loop_timer ping_timer;
    struct loop_timer end_timer;              /* since the last event: the backend may close its stream */
    const struct http1_head *translated_head; /* of the backend's answer, which the client gets in its own words */
    struct buf out;                           /* of the encoder, on its way to the client */
    size_t said_len_max;                      /* texts that whoever needs them wants collected; 0: none */
    struct decoder *decoder;                  /* of the backend's answer */
    struct encoder *encoder;                  /* of the client's */
    struct answer *said;                      /* what the answer says, as far as it is collected; in the arena */
    struct buf answer;                        /* copy of a buffered answer, for accounting */
    bool answer_too_long;
    bool upstream_paused;
    bool aborted; /* the answer did not come to its proper end */
};

/* A request of this worker, pinned to the snapshot. Never NULL. Worker thread only, like all that follows. */
struct request *request_new(struct worker *worker, struct snapshot *snapshot, struct front front);
/* Cancels what is under way, gives everything back. */
void request_free(struct request *request);

/* A head whose fields outlive the call that brought them, in the request's arena. */
const struct http1_head *request_copy_head(struct request *request, const struct http1_head *head);

/* The only field of that name, trimmed by the parser; nothing when there is none or more than one: with two of them,
 * one may be what the client made up. */
vsr_str request_single_field(const struct request *request, vsr_str name);

/*
 * One of vsr's own headers on whatever answer this request gets, in place of one of the same name. Keeps both texts.
 * Dropped past REQUEST_FIELDS_MAX, and once the answer's head has gone.
 */
void request_add_field(struct request *request, vsr_str name, vsr_str value);

/*
 * Counts `len` bytes that this request holds beside what is counted already, until it is freed, among those of all
 * requests of its worker. False: they would be too many, and request->reply says so (503).
 */
bool request_hold_bytes(struct request *request, size_t len);

/* Fills request->reply with the 404 for a model name that stands for nothing. */
void request_model_unknown(struct request *request, vsr_str name);
/* The same for a name that is there and not for this: `why` says what for, and what to ask instead. */
void request_model_unfit(struct request *request, vsr_str name, const char *why);

/* A body that cannot be what it should: 400, or 413 when it is past what may be held, with the text and place of `err`.
 */
void request_refuse_body(struct request *request, const struct vsr_err *err);

/* Fills request->reply with a 503 that asks the client to come again. `message` lives as long as the request. */
void request_overloaded(struct request *request, vsr_str message);

/* Shorthand of the stages: fills request->reply with an error. `message` lives as long as the request. */
void request_error(struct request *request, int status, enum telemetry_reason reason, const char *code,
                   vsr_str message);

#endif
