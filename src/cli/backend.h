/*
 * backend - the stand-in model server: its listeners, its workers, and what they share.
 *
 * Every worker listens on every address (SO_REUSEPORT) and answers on its own loop. Shared and mutable are only the
 * listeners' counters and behaviour, and the copy of the last request (backend_record.h).
 */
#ifndef VSR_CLI_BACKEND_H
#define VSR_CLI_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/backend_behaviour.h"
#include "core/str.h"
#include "net/http1.h"
#include "net/server.h"

struct backend_record;
struct backend_request;
struct backend_store;
struct loop;
struct server;
struct tls_server;

enum {
    BACKEND_LISTENERS_MAX = 64,
    BACKEND_WORKERS_MAX = 64,
    BACKEND_MODELS_MAX = 256,
    BACKEND_ADDRESS_LEN_MAX = 64,
    BACKEND_BODY_LEN_MAX = 64 << 20,
    BACKEND_OUT_LEN_MAX = 1 << 30, /* a whole answer of BEHAVIOUR_TOKENS_MAX tokens */
};

struct backend_listener {
    struct backend *backend;
    char host[BACKEND_ADDRESS_LEN_MAX]; /* without brackets */
    uint16_t port;                      /* 0 until the first worker has bound it, if it was 0 */
    char shown[BACKEND_ADDRESS_LEN_MAX + 8];

    _Atomic uint64_t n_requests;  /* for an answer of a model */
    _Atomic uint64_t n_completed; /* answered to the last byte */
    _Atomic uint64_t n_cancelled; /* the client went away; not: cut by a behaviour */

    pthread_mutex_t lock; /* guards `behaviour` */
    struct behaviour behaviour;
    _Atomic bool plain; /* the behaviour does nothing: no lock needed */
};

struct backend {
    vsr_str name;
    vsr_str models[BACKEND_MODELS_MAX];
    size_t n_models;
    struct behaviour behaviour; /* of the command's options */
    bool fixed;                 /* answers without reading the request */
    uint64_t seed;
    uint64_t created_s;
    struct tls_server *tls; /* NULL: plain */
    struct backend_listener listeners[BACKEND_LISTENERS_MAX];
    size_t n_listeners;
    struct backend_record *record;
    struct backend_store *store;
    vsr_str fixed_body;
    vsr_str models_body;
};

struct backend_worker {
    struct backend *backend;
    size_t index;
    pthread_t thread;
    struct loop *loop;
    struct server *server;
    struct backend_request *spare; /* answered requests, for the next ones */
    uint64_t n_answers;
    uint64_t random; /* splitmix64 state: the same seed gives the same failures */
};

/* What server_new() wants; `app` is the worker. */
extern const struct server_handler backend_handler;
/* Frees the worker's spare requests. */
void backend_worker_done(struct backend_worker *worker);

/* In [0, 1). Worker thread only. */
double backend_random(struct backend_worker *worker);

/* A copy of what the listener is told to do now. Any thread. */
struct behaviour backend_listener_behaviour(struct backend_listener *listener);
void backend_listener_set(struct backend_listener *listener, const struct behaviour *behaviour);
/* Writes `shown` from host and port. */
void backend_listener_show(struct backend_listener *listener);

#endif
