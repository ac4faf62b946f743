#include "serve/worker.h"

#include <stdio.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/mem.h"
#include "evidence/lane.h"
#include "model/builtin.h"
#include "net/client.h"
#include "net/server.h"
#include "provider/limit.h"
#include "serve/admission.h"
#include "serve/extproc_server.h"
#include "serve/http_front.h"
#include "serve/listeners.h"
#include "serve/request.h"
#include "serve/run_front.h"
#include "store/response_store.h"

enum {
    STATS_INTERVAL_MS = 1000,
    CONNECT_TIMEOUT_MS = 10000, /* gateway.md 12.5 */
    POOL_IDLE_MS = 30000,
    ENDPOINT_CONNECTIONS_MAX = 8192, /* far above what one model server takes; bounds descriptors */
    ENDPOINT_PENDING_MAX = 1024,
    DNS_TTL_MS = 30000,
    TLS_LOG_MS = 10000, /* from one line about refused handshakes to the next */
};

static const struct client_limits client_limits = {
    .connect_timeout_ms = CONNECT_TIMEOUT_MS,
    .pool_idle_ms = POOL_IDLE_MS,
    .connections_max = ENDPOINT_CONNECTIONS_MAX,
    .pending_max = ENDPOINT_PENDING_MAX,
    .dns_ttl_ms = DNS_TTL_MS,
};

struct metric *worker_response_metric(struct worker *worker, int status) {
    char code[8];
    if (status < 0 || status >= WORKER_STATUS_MAX)
        status = 0;
    if (!worker->responses[status]) {
        (void)snprintf(code, sizeof(code), "%d", status); /* three digits fit */
        worker->responses[status] = metric_with(worker->telemetry->responses, &(vsr_str){ code, strlen(code) }, 1);
    }
    return worker->responses[status];
}

static struct metric *tls_failure_metric(const struct telemetry *telemetry, int code) {
    return telemetry->tls_failures[code == VSR_E_TIMEOUT  ? TELEMETRY_TLS_TIMEOUT
                                   : code == VSR_E_CLOSED ? TELEMETRY_TLS_CLOSED
                                                          : TELEMETRY_TLS_REFUSED];
}

/* Whoever reaches the socket can cause these, so that they are counted, and only some of them logged. Who connects and
 * leaves is a health check or a scanner: not logged at all. */
void worker_handshake_failed(struct worker *worker, vsr_str address, uint16_t port, vsr_str peer,
                             const struct vsr_err *err) {
    uint64_t now = loop_now_ms(worker->loop);
    metric_inc(tls_failure_metric(worker->telemetry, err->code));
    if (err->code != VSR_E_TLS)
        return;
    if (now < worker->tls_log_due_ms) {
        worker->tls_unlogged++;
        return;
    }
    LOG_WARN("TLS handshake refused", LOG_S("address", address), LOG_U("port", port), LOG_S("peer", peer),
             LOG_C("error", err->text), LOG_U("unlogged", worker->tls_unlogged));
    worker->tls_log_due_ms = now + TLS_LOG_MS;
    worker->tls_unlogged = 0;
}

/* Brings a number that only this thread can read to the registry. */
static void publish(struct metric *metric, double now, double *seen) {
    metric_add(metric, now - *seen);
    *seen = now;
}

static void publish_stats(void *data) {
    struct worker *worker = data;
    const struct telemetry *telemetry = worker->telemetry;
    struct server_stats server = server_stats(worker->server);
    publish(telemetry->connections, (double)server.connections, &worker->connections_seen);
    publish(telemetry->rejected, (double)server.rejected_total, &worker->rejected_seen);
    publish(telemetry->bytes_in, (double)server.bytes_in, &worker->bytes_in_seen);
    publish(telemetry->bytes_out, (double)server.bytes_out, &worker->bytes_out_seen);
    publish(telemetry->http2_connections, (double)server.http2_connections_total, &worker->http2_connections_seen);
    for (int i = 0; i < HTTP2_CAUSE_COUNT; i++)
        publish(telemetry->http2_goaways[i], (double)server.http2_goaways[i], &worker->http2_goaways_seen[i]);
    publish(telemetry->upstream_connections, (double)client_stats(worker->client).connections, &worker->upstream_seen);
    loop_timer_start(worker->loop, &worker->stats_timer, STATS_INTERVAL_MS, publish_stats, worker);
}

/* ---- the use of generations */

/* NULL: it is new here. Nearly always the first one. */
static struct worker_generation **find_generation(struct worker *worker, const struct snapshot *snapshot) {
    struct worker_generation **link = &worker->generations;
    while (*link && (*link)->snapshot != snapshot)
        link = &(*link)->next;
    return link;
}

struct snapshot *worker_use(struct worker *worker, struct snapshot *snapshot) {
    struct worker_generation *generation = *find_generation(worker, snapshot);
    if (!generation) {
        generation = MEM_NEW(struct worker_generation);
        generation->snapshot = snapshot_ref(snapshot);
        generation->next = worker->generations;
        worker->generations = generation;
        if (worker->snapshot)
            provider_set_enter(snapshot->providers, worker->snapshot->providers, worker->index);
    }
    generation->n_users++;
    return snapshot;
}

void worker_unuse(struct worker *worker, struct snapshot *snapshot) {
    struct worker_generation **link, *generation;
    if (!snapshot)
        return;
    link = find_generation(worker, snapshot);
    generation = *link;
    VSR_ASSERT(generation && generation->n_users > 0);
    if (--generation->n_users > 0)
        return;
    *link = generation->next;
    provider_set_leave(snapshot->providers, worker->index);
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        evidence_lane_forget(worker->lane, snapshot->recipes[i].evidence);
    snapshot_unref(snapshot);
    mem_free(generation);
}

/* ---- listeners */

static void listener_free(struct worker_listener *listener) {
    struct worker_listener **link = &listener->worker->listeners;
    while (*link != listener)
        link = &(*link)->next;
    *link = listener->next;
    worker_unuse(listener->worker, listener->retired);
    mem_free(listener);
}

static void on_listener_gone(void *data) {
    listener_free(data);
}

/* What it is in that generation; NULL: nothing, or plain here and TLS there. */
static const struct config_listener *config_of(const struct snapshot *snapshot,
                                               const struct worker_listener *listener) {
    const struct config_listener *config = snapshot_listener(snapshot, str_from_c(listener->address), listener->port);
    return config && !config->tls == !listener->is_tls ? config : NULL;
}

/* Certificates may have been renewed. */
static void renew_tls(struct worker *worker) {
    for (struct worker_listener *listener = worker->listeners; listener; listener = listener->next)
        if (listener->is_tls && !listener->retired)
            server_set_tls(worker->server, listener,
                           snapshot_listener_tls(worker->snapshot, config_of(worker->snapshot, listener)));
}

/* Those that the generation to come no longer has. What they have begun is answered by the one that had them. */
static void retire_listeners(struct worker *worker, const struct snapshot *next) {
    for (struct worker_listener *listener = worker->listeners; listener; listener = listener->next) {
        if (listener->retired || config_of(next, listener))
            continue;
        listener->retired = worker_use(worker, worker->snapshot);
        server_retire(worker->server, listener, on_listener_gone, listener);
    }
}

static int adopt(struct worker *worker, const struct new_listener *fresh, struct vsr_err *err) {
    struct worker_listener *listener = MEM_NEW(struct worker_listener);
    struct tls_server *tls = snapshot_listener_tls(worker->snapshot, fresh->config);
    listener->worker = worker;
    listener->is_tls = tls != NULL;
    listener->port = fresh->port;
    (void)snprintf(listener->address, sizeof(listener->address), "%.*s", VSR_FMT(fresh->address)); /* an IP address */
    listener->next = worker->listeners;
    worker->listeners = listener;
    if (server_adopt(worker->server, &fresh->sockets[worker->index], tls, listener, err) == 0)
        return 0;
    listener_free(listener);
    return err_wrap(err, "listener on %.*s:%u", VSR_FMT(fresh->address), (unsigned)fresh->port);
}

static int adopt_listeners(struct worker *worker, const struct listeners *listeners, struct vsr_err *err) {
    for (size_t i = 0; i < listeners->n; i++) {
        int rc = adopt(worker, &listeners->items[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- generations */

/* On its way from the control thread to the worker. */
struct publication {
    struct publication *next;
    struct snapshot *snapshot; /* referenced */
    struct listeners *listeners;
    void (*on_taken)(void *data);
    void *data;
};

static struct publication *next_publication(struct worker *worker) {
    struct publication *publication;
    (void)pthread_mutex_lock(&worker->lock);
    publication = worker->publications;
    if (publication)
        worker->publications = publication->next;
    if (!worker->publications)
        worker->publications_end = &worker->publications;
    (void)pthread_mutex_unlock(&worker->lock);
    return publication;
}

static void publication_free(struct publication *publication) {
    publication->on_taken(publication->data);
    snapshot_unref(publication->snapshot);
    mem_free(publication);
}

/* A socket that this worker cannot watch is left to the others, which listen on the same address. */
static void take(struct worker *worker, struct publication *publication) {
    struct server_limits limits = http_front_limits(publication->snapshot);
    struct vsr_err err = VSR_ERR_NONE;
    struct snapshot *old = worker->snapshot;
    retire_listeners(worker, publication->snapshot);
    worker->snapshot = worker_use(worker, publication->snapshot);
    worker_unuse(worker, old);
    server_set_limits(worker->server, &limits);
    renew_tls(worker);
    if (worker->extproc)
        extproc_server_refresh(worker->extproc);
    if (adopt_listeners(worker, publication->listeners, &err) < 0)
        LOG_ERROR("a worker cannot listen", LOG_U("worker", worker->index), LOG_C("error", err.text));
}

static void on_publish(void *data) {
    struct worker *worker = data;
    struct publication *publication = next_publication(worker);
    take(worker, publication);
    publication_free(publication);
}

static void close_all(struct worker *worker) {
    (void)pthread_mutex_lock(&worker->lock);
    worker->ended = true;
    (void)pthread_mutex_unlock(&worker->lock);
    for (struct publication *late; (late = next_publication(worker));)
        publication_free(late);
    server_free(worker->server);
    extproc_server_free(worker->extproc);
    runs_end(worker);
    while (worker->listeners)
        listener_free(worker->listeners);
    worker_unuse(worker, worker->snapshot);
    VSR_ASSERT(!worker->generations);
    evidence_lane_free(worker->lane);
    store_lane_free(worker->store);
    client_free(worker->client);
    request_pool_free(worker);
    limit_lane_free(worker->limits);
    builtin_scratch_free(worker->embedder);
    admission_lane_free(worker->admission);
    loop_timer_stop(&worker->stats_timer);
    loop_free(worker->loop);
}

static int open_lane(struct worker *worker, struct vsr_err *err) {
    const struct evidence_lane_options options = { .evidence = worker->evidence,
                                                   .loop = worker->loop,
                                                   .client = worker->client };
    return evidence_lane_new(&options, &worker->lane, err);
}

static int open_extproc(struct worker *worker, const struct worker_options *options, struct vsr_err *err) {
    if (options->extproc->address.len == 0)
        return 0;
    return extproc_server_new(worker, options->extproc, options->extproc_seen, &worker->extproc, err);
}

static int open_all(struct worker *worker, const struct worker_options *options, struct vsr_err *err) {
    struct server_limits limits = http_front_limits(worker->snapshot);
    int rc = loop_new(&worker->loop, err);
    if (rc == 0)
        rc = server_new(worker->loop, &http_front_handler, worker, &limits, &worker->server, err);
    if (rc == 0)
        rc = client_new(worker->loop, &client_limits, &worker->client, err);
    if (rc == 0)
        rc = open_lane(worker, err);
    if (rc == 0) {
        worker->limits = limit_lane_new(options->limits, worker->loop);
        worker->admission = admission_lane_new(options->admission, worker->loop);
    }
    if (rc == 0)
        rc = store_lane_new(options->responses, worker->loop, &worker->store, err);
    if (rc == 0)
        rc = adopt_listeners(worker, options->listeners, err);
    if (rc == 0)
        rc = open_extproc(worker, options, err);
    return rc;
}

/* What the starter waits for: everything is open, or the reason why not. */
struct start {
    struct worker *worker;
    const struct worker_options *options;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool is_done;
    int rc;
    struct vsr_err err;
};

static void *worker_main(void *data) {
    struct start *start = data;
    struct worker *worker = start->worker;
    int rc = open_all(worker, start->options, &start->err);
    (void)pthread_mutex_lock(&start->lock);
    start->rc = rc;
    start->is_done = true;
    (void)pthread_cond_signal(&start->done);
    (void)pthread_mutex_unlock(&start->lock); /* `start` may be gone from here on */
    if (rc == 0) {
        publish_stats(worker);
        loop_run(worker->loop);
    }
    close_all(worker);
    if (rc == 0)
        worker->on_exit(worker->exit_data);
    return NULL;
}

int worker_start(const struct worker_options *options, struct worker **ret_worker, struct vsr_err *err) {
    struct worker *worker = MEM_NEW(struct worker);
    struct start start = { .worker = worker, .options = options, .err = VSR_ERR_NONE };
    (void)pthread_mutex_init(&start.lock, NULL); /* default attributes cannot fail */
    (void)pthread_cond_init(&start.done, NULL);
    (void)pthread_mutex_init(&worker->lock, NULL);
    worker->publications_end = &worker->publications;
    worker->index = options->index;
    worker->telemetry = options->telemetry;
    worker->token_estimate = options->token_estimate;
    worker->models = options->models;
    worker->evidence = options->evidence;
    worker->responses_service = options->responses_service;
    worker->on_exit = options->on_exit;
    worker->exit_data = options->data;
    worker->snapshot = worker_use(worker, options->snapshot);
    random_init(&worker->random);
    telemetry_model_errors(worker->telemetry, VSR_STR("unknown"), worker->errors);
    if (pthread_create(&worker->thread, NULL, worker_main, &start) != 0) {
        worker_unuse(worker, worker->snapshot);
        mem_free(worker);
        return err_set(err, VSR_E_LIMIT, "no more threads");
    }
    (void)pthread_mutex_lock(&start.lock);
    while (!start.is_done)
        (void)pthread_cond_wait(&start.done, &start.lock);
    (void)pthread_mutex_unlock(&start.lock);
    (void)pthread_cond_destroy(&start.done);
    (void)pthread_mutex_destroy(&start.lock);
    if (start.rc < 0) {
        if (err)
            *err = start.err;
        (void)pthread_join(worker->thread, NULL);
        mem_free(worker);
        return start.rc;
    }
    *ret_worker = worker;
    return 0;
}

/* From other threads. Nothing happens when the worker's loop is gone. */
static void post(struct worker *worker, void (*fn)(void *data), void *data) {
    (void)pthread_mutex_lock(&worker->lock);
    if (!worker->ended)
        loop_post(worker->loop, fn, data);
    (void)pthread_mutex_unlock(&worker->lock);
}

void worker_publish(struct worker *worker, struct snapshot *snapshot, struct listeners *listeners,
                    void (*on_taken)(void *data), void *data) {
    struct publication *publication = MEM_NEW(struct publication);
    bool alive;
    *publication = (struct publication){
        .snapshot = snapshot_ref(snapshot),
        .listeners = listeners,
        .on_taken = on_taken,
        .data = data,
    };
    (void)pthread_mutex_lock(&worker->lock);
    alive = !worker->ended;
    if (alive) {
        *worker->publications_end = publication;
        worker->publications_end = &publication->next;
        loop_post(worker->loop, on_publish, worker);
    }
    (void)pthread_mutex_unlock(&worker->lock);
    if (!alive)
        publication_free(publication);
}

static void on_drained(void *data) {
    struct worker *worker = data;
    if (--worker->n_draining == 0)
        loop_stop(worker->loop);
}

static void on_drain(void *data) {
    struct worker *worker = data;
    if (worker->draining)
        return;
    worker->draining = true;
    worker->n_draining = worker->extproc ? 3 : 2;
    if (worker->extproc)
        extproc_server_drain(worker->extproc, worker->drain_ms, on_drained, worker);
    server_drain(worker->server, worker->drain_ms, on_drained, worker);
    runs_drain(worker, worker->drain_ms, on_drained);
}

void worker_drain(struct worker *worker, uint64_t drain_ms) {
    worker->drain_ms = drain_ms;
    post(worker, on_drain, worker);
}

static void on_cut(void *data) {
    struct worker *worker = data;
    loop_stop(worker->loop);
}

void worker_cut(struct worker *worker) {
    post(worker, on_cut, worker);
}

void worker_join(struct worker *worker) {
    (void)pthread_join(worker->thread, NULL);
    (void)pthread_mutex_destroy(&worker->lock);
    mem_free(worker);
}
