/*
 * provider - logical models and the endpoints behind them, as one snapshot sees them.
 *
 * Built from a loaded document into the snapshot's arena and read-only afterwards, apart from two things: each worker's
 * own balancing state (only that worker touches it), and the endpoints' shared state, which lives in the registry and
 * outlasts the snapshot. Any thread, where a worker index is taken: the thread of that worker.
 *
 *     struct provider_call call;                                   one request to one model, over all its attempts
 *     provider_call_begin(&call, model, worker)
 *     while ((endpoint = provider_call_pick(&call, now_ms))) {     an attempt
 *         ... send; after a while, provider_call_hedge(), and provider_call_drop() of the one that loses ...
 *         provider_call_head(&call, status, now_ms);               the answer's head has come (optional, see there)
 *         provider_call_result(&call, result, now_ms);             the attempt is over
 *         if (!provider_call_retry(&call, result, now_ms, random, &delay_ms)) break;
 *         ... wait delay_ms ...
 *     }
 *     provider_call_end(&call, now_ms);                             always, once
 */
#ifndef VSR_PROVIDER_PROVIDER_H
#define VSR_PROVIDER_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/document.h"
#include "core/err.h"
#include "core/str.h"
#include "provider/registry.h"
#include "wire/protocol.h"

struct arena;
struct chat_reasoning;
struct client;
struct client_endpoint;
struct client_place;
struct client_proxy;
struct provider_set;
struct provider_worker; /* one worker's balancing state for one model */
struct tls_client;

enum {
    PROVIDER_ENDPOINTS_MAX = 256,  /* per model */
    PROVIDER_WEIGHT_MAX = 1000000, /* larger weights count as this, so that sums cannot overflow */
    PROVIDER_ATTEMPTS_MAX = 6,     /* retry_count is at most 5 */
    PROVIDER_WORKERS_MAX = 1024,
};

struct provider_endpoint {
    const struct config_backend_ref *ref; /* address, path, key, model id, dialect: all per endpoint */
    vsr_str id;                           /* `<model>_<name>` */
    uint32_t index;                       /* in the model's list */
    bool checked;                         /* its model has active health checks; else their verdict is ignored */
    struct endpoint_state *state;
    struct client_endpoint **pools; /* by worker; see provider_endpoint_pool() */
    struct tls_client *tls;         /* NULL: plain */
    struct client_proxy *proxy;     /* NULL: reached directly */
    size_t connections_max;         /* of one worker's pool; 0: as the client's limits say */
    size_t pending_max;
};

struct provider_model {
    vsr_str name;
    const struct config_provider_model *config;
    struct provider_endpoint *endpoints;
    size_t n_endpoints;     /* 0: the model cannot be called */
    vsr_str default_effort; /* default_reasoning_effort of the document; may be empty */
    struct model_state *state;
    struct provider_registry *registry;
    struct provider_worker *workers; /* [n_workers] */
    size_t n_workers;
};

struct provider_options {
    struct provider_registry *registry; /* kept */
    struct tls_client *tls;             /* kept; for endpoints that want TLS and say no more of it */
    /* Optional: the context of an endpoint that says more; NULL: `tls`. Kept as long as the set. */
    struct tls_client *(*tls_of)(const void *data, const struct config_backend_ref *ref);
    const void *tls_data;
    size_t n_workers; /* at least 1 */
    uint64_t seed;    /* of the random choices of least_request */
};

/*
 * Keeps `doc`. References into the registry are given back when `arena` is freed, which must come before
 * provider_registry_free(). 0 or VSR_E_INVALID.
 */
int provider_set_build(struct arena *arena, const struct config_document *doc, const struct provider_options *options,
                       struct provider_set **ret_set, struct vsr_err *err) VSR_MUST_CHECK;

/* What a model name stands for at dispatch. */
struct provider_target {
    struct provider_model *model;
    vsr_str lora; /* the LoRA's name when the name was one; it goes upstream as it is. Else empty */
};

/* Logical model or LoRA by name: false when neither. A hash lookup. */
bool provider_set_find(const struct provider_set *set, vsr_str name, struct provider_target *ret_target);

/* All models, in document order. */
size_t provider_set_count(const struct provider_set *set);
struct provider_model *provider_set_at(const struct provider_set *set, size_t index);

/* ---- one endpoint */

/* The JSON `model` to send: the LoRA's name, else the endpoint's id for the model, else the logical name. */
vsr_str provider_endpoint_model_id(const struct provider_model *model, const struct provider_endpoint *endpoint,
                                   vsr_str lora);

/*
 * Path and query to ask this endpoint in `protocol`. `target` is the client's own path and query when it asked in that
 * protocol, else empty: its part behind `/v1` is kept (a stored response's id, say), and on endpoints without a vendor
 * its query. The configured `chat_path` stands for what is asked in the endpoint's main protocol, chat or messages; the
 * other paths are its siblings. Borrows or lives in `arena`.
 */
vsr_str provider_endpoint_path(struct arena *arena, const struct provider_endpoint *endpoint, enum protocol protocol,
                               vsr_str target);

/* What this endpoint speaks: PROTOCOL_CHAT (and its siblings), PROTOCOL_MESSAGES or PROTOCOL_RESPONSES. */
enum protocol provider_endpoint_protocol(const struct provider_endpoint *endpoint);

/* How reasoning is switched for this model on this endpoint. `effort` empty: the configured default, else medium; kept.
 */
void provider_endpoint_reasoning(const struct provider_model *model, const struct provider_endpoint *endpoint, bool on,
                                 vsr_str effort, struct chat_reasoning *ret_reasoning);

/* Where it is, for a pool. Borrows the set. */
struct client_place provider_endpoint_place(const struct provider_endpoint *endpoint);

/* This worker's connection pool to the endpoint, looked up in `client` once and remembered. That worker's thread only.
 */
struct client_endpoint *provider_endpoint_pool(const struct provider_endpoint *endpoint, size_t worker,
                                               struct client *client);

/*
 * This worker begins to use `next` after `now` (NULL: nothing): pools to endpoints that both have are shared, so that
 * their connections live on. That worker's thread only, like the next one.
 */
void provider_set_enter(const struct provider_set *next, const struct provider_set *now, size_t worker);
/* This worker has no more calls in `set` and begins none: gives its pools back. */
void provider_set_leave(const struct provider_set *set, size_t worker);

/* Whether it would be chosen now: not ejected, not unhealthy, not drained. For status pages. */
bool provider_endpoint_available(const struct provider_endpoint *endpoint);

/* ---- one call */

/* Which of the attempts of a call, where a second one runs beside the first. */
enum provider_attempt { PROVIDER_FIRST, PROVIDER_HEDGE };

enum provider_failure {
    PROVIDER_OK,        /* an answer came to its end; its status decides */
    PROVIDER_CONNECT,   /* refused, unreachable, no name, no TLS, connect timed out: nothing was sent */
    PROVIDER_RESET,     /* the connection died after the request was sent */
    PROVIDER_TIMEOUT,   /* sent, and silence */
    PROVIDER_GARBAGE,   /* the answer was no HTTP */
    PROVIDER_CANCELLED, /* we gave up: no verdict on the endpoint */
};

struct provider_result {
    enum provider_failure failure;
    int status; /* 0: no head has come */
    bool has_retry_after;
    uint64_t retry_after_ms; /* of the answer's Retry-After */
};

struct provider_call {
    struct provider_model *model;
    const struct provider_endpoint *endpoint; /* of the attempt under way; NULL between attempts */
    size_t worker;
    const struct provider_endpoint *hedge; /* of a second attempt beside it; NULL: none */
    uint32_t tried[PROVIDER_ATTEMPTS_MAX];
    uint32_t n_attempts;
    uint32_t n_hedged; /* of these, beside another one: they are no retries */
    bool begun;
    bool probe;    /* this attempt decides whether an ejected endpoint returns */
    bool panic;    /* chosen although nothing was available */
    bool judged;   /* the head has been reported */
    bool retrying; /* holds a unit of the model's retry budget */
};

/*
 * Starts accounting. `call` is the caller's memory and must be ended. VSR_E_LIMIT: `circuit.max_requests` calls to this
 * model are under way, where the document has a circuit, or retries or ejection are on; VSR_E_UNAVAILABLE: it has no
 * endpoint that may take traffic. `call` needs no end then, but may have one.
 */
int provider_call_begin(struct provider_call *call, struct provider_model *model, size_t worker) VSR_MUST_CHECK;

/*
 * Chooses the endpoint of the next attempt: one not tried yet, neither ejected nor unhealthy, by the model's policy;
 * else one tried before; when all are out, any (panic). NULL when attempts are used up or every endpoint is drained.
 */
const struct provider_endpoint *provider_call_pick(struct provider_call *call, uint64_t now_ms);

/*
 * The head of the answer has come. Judges the endpoint at once, so that a long stream does not keep the verdict open. A
 * later provider_call_result() then only adds what went wrong after the head.
 */
void provider_call_head(struct provider_call *call, int status, uint64_t now_ms);

/* The attempt is over. Updates load, counters and ejection. */
void provider_call_result(struct provider_call *call, const struct provider_result *result, uint64_t now_ms);

/*
 * Whether to try once more, after that result and before any byte has reached the client. Reserves a unit of the retry
 * budget. `random` is any random number (jitter). *ret_delay_ms is how long to wait first.
 */
bool provider_call_retry(struct provider_call *call, const struct provider_result *result, uint64_t now_ms,
                         uint64_t random, uint64_t *ret_delay_ms);

/*
 * A second attempt beside the one under way, which has not answered for `waited_ms`: the answer that begins first is
 * taken. False, for now or for good: the model does not hedge, it is too early, one is under way already, no other
 * endpoint is available that was not tried, the share of calls that may hedge is used up (`hedge.max_percent`), or the
 * retry budget is, of which it takes a unit. Which requests may run twice is the caller's to know.
 */
bool provider_call_hedge(struct provider_call *call, uint64_t waited_ms, uint64_t now_ms,
                         const struct provider_endpoint **ret_endpoint) VSR_MUST_CHECK;

/*
 * One of two attempts under way is over: it lost (`result` NULL: cancelled, no verdict), or failed while the other one
 * goes on. The other one is the call's only attempt from now on: its head, its result and retries are told as ever.
 */
void provider_call_drop(struct provider_call *call, enum provider_attempt which, const struct provider_result *result,
                        uint64_t now_ms);

/* Ends accounting; an attempt under way counts as cancelled. May be called twice. */
void provider_call_end(struct provider_call *call, uint64_t now_ms);

#endif
