/*
 * worker - one thread with its event loop, listener sockets, connections, requests and outbound pools.
 *
 * What it shares with other workers is immutable (a snapshot, of which it holds one reference; a new one arrives by
 * message, together with the sockets that it needs) or made for sharing: metrics cells, endpoint states, the token
 * estimate. Only worker_start, worker_publish, worker_drain, worker_cut and worker_join may be called from other
 * threads.
 */
#ifndef VSR_SERVE_WORKER_H
#define VSR_SERVE_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/random.h"
#include "net/loop.h"
#include "serve/snapshot.h"
#include "serve/telemetry.h"
#include "wire/token_estimate.h"

struct client;
struct evidence;
struct evidence_lane;
struct admission;
struct builtin_scratch;
struct embeddings;
struct admission_lane;
struct extproc_options;
struct extproc_seen;
struct extproc_server;
struct limit_lane;
struct limit_state;
struct listeners;
struct model_service;
struct publication;
struct request;
struct response_store;
struct responses_service;
struct run;
struct server;
struct store_lane;
struct worker;

enum {
    WORKER_FREE_REQUESTS_MAX = 128,
    WORKER_BODY_BYTES_MAX = 1 << 30, /* of all requests together; past it 503 */
    WORKER_CONNECTIONS_MAX = 65536,  /* per worker; descriptors run out before */
    WORKER_STATUS_MAX = 600,
    WORKER_ADDRESS_LEN = 64, /* the longest IPv6 literal has 45 characters */
};

/* A data socket; the tag of its exchanges. */
struct worker_listener {
    struct worker_listener *next;
    struct worker *worker;
    struct snapshot *retired;         /* the last generation that had it, used; NULL while the current one has it */
    char address[WORKER_ADDRESS_LEN]; /* as configured, NUL-terminated */
    uint16_t port;
    bool is_tls;
};

/* A generation that this worker uses: for requests, for listeners, or for what is to come. */
struct worker_generation {
    struct worker_generation *next;
    struct snapshot *snapshot; /* one reference */
    size_t n_users;
};

struct worker {
    size_t index;
    pthread_t thread;
    struct loop *loop;
    struct server *server;
    struct extproc_server *extproc; /* NULL: off */
    struct client *client;
    struct evidence *evidence;
    struct evidence_lane *lane;
    struct snapshot *snapshot;             /* of further requests; used */
    struct worker_generation *generations; /* newest first */
    struct telemetry *telemetry;
    struct token_estimate *token_estimate;
    struct model_service *models;
    struct limit_lane *limits;
    struct builtin_scratch *embedder; /* made when /v1/embeddings is asked first */
    struct embeddings *embeddings;    /* ring of those that have texts left, from whose turn it is; NULL: none */
    struct loop_task embeddings_turn;
    struct store_lane *store; /* to the stored responses */
    struct admission_lane *admission;
    struct responses_service *responses_service;
    struct run *runs;               /* responses that run in the background here */
    size_t n_runs, n_runs_promised; /* promised: they begin when the store has their records */
    struct loop_timer runs_timer;   /* draining: how long they may go on */
    void (*on_runs_drained)(void *data);
    struct random random;
    bool draining;
    unsigned n_draining; /* servers that have not ended yet */
    uint64_t drain_ms;
    void (*on_exit)(void *data);
    void *exit_data;
    pthread_mutex_t lock; /* guards the three below: nothing may be posted to a loop that is gone */
    bool ended;
    struct publication *publications; /* not yet taken, oldest first */
    struct publication **publications_end;

    struct request *free_requests;
    size_t n_free_requests;
    size_t body_bytes;                 /* held in request bodies and in what was read from the store for them */
    struct worker_listener *listeners; /* retired ones too */

    /* Series that requests without a model count in, found once. */
    struct metric *errors[TELEMETRY_REASON_COUNT];
    struct metric *responses[WORKER_STATUS_MAX];
    struct loop_timer stats_timer;
    uint64_t tls_log_due_ms, tls_unlogged; /* refused handshakes: when the next may be logged, and how many were not */
    /* What this worker has added to the registry so far. */
    double connections_seen, upstream_seen, rejected_seen, bytes_in_seen, bytes_out_seen;
    double http2_connections_seen, http2_goaways_seen[HTTP2_CAUSE_COUNT];
};

struct worker_options {
    size_t index;
    struct snapshot *snapshot;             /* referenced */
    struct listeners *listeners;           /* its sockets; the worker takes its share before worker_start() returns */
    struct telemetry *telemetry;           /* kept */
    struct token_estimate *token_estimate; /* kept */
    struct model_service *models;          /* kept */
    struct limit_state *limits;            /* kept */
    struct response_store *responses;      /* kept */
    struct admission *admission;           /* kept */
    struct responses_service *responses_service; /* kept */
    struct evidence *evidence;                   /* kept */
    const struct extproc_options *extproc;       /* kept */
    struct extproc_seen *extproc_seen;           /* kept */
    /* Called on the worker's thread as its last act, once it had started. */
    void (*on_exit)(void *data);
    void *data;
};

/* Opens loop, sockets and pools, then starts the thread. On failure nothing remains. */
int worker_start(const struct worker_options *options, struct worker **ret_worker, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Any thread: a new generation with the sockets that are new in it. Takes a reference of its own; keeps `listeners`
 * until on_taken(data), which comes on the worker's thread when every further request of that worker is of this
 * generation, or on the caller's when the worker has ended.
 */
void worker_publish(struct worker *worker, struct snapshot *snapshot, struct listeners *listeners,
                    void (*on_taken)(void *data), void *data);
/* Any thread: stop accepting, let requests finish, end the thread at the latest after `drain_ms`. */
void worker_drain(struct worker *worker, uint64_t drain_ms);
/* Any thread: end the thread now, cutting what is under way. */
void worker_cut(struct worker *worker);
/* Waits for the thread and frees the worker. */
void worker_join(struct worker *worker);

/* ---- worker thread only */

/*
 * One more, one less user of a generation on this worker. The last one to go gives back the worker's pools to backends
 * that only this generation had, and its reference.
 */
struct snapshot *worker_use(struct worker *worker, struct snapshot *snapshot);
void worker_unuse(struct worker *worker, struct snapshot *snapshot); /* `snapshot` NULL is allowed */

struct metric *worker_response_metric(struct worker *worker, int status);
/* Counts, and says now and then, who could not connect to the TLS socket of that address. */
void worker_handshake_failed(struct worker *worker, vsr_str address, uint16_t port, vsr_str peer,
                             const struct vsr_err *err);

/* request.c: frees the requests kept for reuse. */
void request_pool_free(struct worker *worker);

#endif
