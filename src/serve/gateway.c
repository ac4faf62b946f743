#include "serve/gateway.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/log.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/signal_watch.h"
#include "net/tls.h"
#include "provider/health.h"
#include "serve/endpoint_metrics.h"
#include "serve/metrics_socket.h"
#include "serve/snapshot.h"
#include "serve/worker.h"

enum {
    WORKERS_MAX = 256,
    DIAG_TEXT_LEN_MAX = 1 << 20,
    HEALTH_CONNECTIONS_MAX = 64,
    STATS_INTERVAL_MS = 1000,
};

struct gateway {
    const struct gateway_options *options;
    struct loop *loop;
    struct telemetry *telemetry;
    struct token_estimate *token_estimate;
    struct provider_registry *registry;
    struct tls_client *tls;
    struct client *client; /* of the control thread: health checks */
    struct health *health;
    struct metrics_socket *metrics_socket;
    struct signal_watch *signals[3];
    struct snapshot *snapshot; /* one reference */
    struct worker *workers[WORKERS_MAX];
    size_t n_workers;
    size_t n_running; /* workers whose thread has not ended */
    uint64_t generation;
    bool draining;
    struct loop_timer stats_timer;
};

static void print_diag(const struct gateway *gateway, struct diag *diag) {
    struct buf text;
    buf_init(&text, DIAG_TEXT_LEN_MAX);
    diag_sort(diag);
    diag_print(diag, &text, gateway->options->colour);
    if (write(STDERR_FILENO, text.ptr, text.len) < 0) {
        /* Without a stderr there is nobody to tell. */
    }
    buf_done(&text);
}

static int load(struct gateway *gateway, struct snapshot **ret_snapshot, struct vsr_err *err) {
    const struct gateway_options *options = gateway->options;
    const struct snapshot_options snapshot = {
        .telemetry = gateway->telemetry,
        .registry = gateway->registry,
        .tls = gateway->tls,
        .load = options->load,
        .n_workers = gateway->n_workers,
        .generation = gateway->generation + 1,
    };
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    int rc;
    diag_init(&diag, arena, options->config_file ? str_from_c(options->config_file) : options->config_name);
    rc = snapshot_load(options->config_file, options->config_text, options->config_name, &snapshot, &diag, ret_snapshot,
                       err);
    print_diag(gateway, &diag);
    arena_free(arena);
    return rc;
}

static void publish(struct gateway *gateway, struct snapshot *snapshot) {
    struct snapshot *old = gateway->snapshot;
    VSR_ASSERT(snapshot != NULL);
    gateway->snapshot = snapshot;
    metric_add(gateway->telemetry->generation, (double)(snapshot->generation - gateway->generation));
    gateway->generation = snapshot->generation;
    health_watch(gateway->health, snapshot->providers);
    for (size_t i = 0; i < gateway->n_workers; i++) {
        if (gateway->workers[i])
            worker_publish(gateway->workers[i], snapshot);
    }
    snapshot_unref(old);
}

/* Sockets are opened at start; a generation that wants other ones cannot be served by this process. */
static bool same_sockets(const struct snapshot *a, const struct snapshot *b) {
    const struct config_list *listeners = &b->doc->listeners;
    if (a->doc->listeners.n != listeners->n)
        return false;
    for (size_t i = 0; i < listeners->n; i++) {
        const struct config_listener *listener = (const struct config_listener *)listeners->items + i;
        if (!snapshot_listener(a, listener->address, (uint16_t)listener->port))
            return false;
    }
    return true;
}

static void reload(struct gateway *gateway) {
    struct snapshot *snapshot = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    int rc = load(gateway, &snapshot, &err);
    if (rc == 0 && !same_sockets(gateway->snapshot, snapshot)) {
        rc = err_set(&err, VSR_E_INVALID, "E_RELOAD_UNSAFE listeners: addresses and ports change only with a restart");
        snapshot_unref(snapshot);
    }
    if (rc < 0) {
        metric_inc(gateway->telemetry->reloads_failed);
        LOG_ERROR("reload failed; the running configuration stays", LOG_C("error", err.text),
                  LOG_U("generation", gateway->generation));
        return;
    }
    publish(gateway, snapshot);
    metric_inc(gateway->telemetry->reloads_ok);
    LOG_INFO("configuration reloaded", LOG_U("generation", gateway->generation));
}

static void worker_gone(void *data) {
    struct gateway *gateway = data;
    if (--gateway->n_running == 0)
        loop_stop(gateway->loop);
}

/* On the worker's thread. */
static void on_worker_exit(void *data) {
    struct gateway *gateway = data;
    loop_post(gateway->loop, worker_gone, gateway);
}

static void drain(struct gateway *gateway) {
    gateway->draining = true;
    metric_add(gateway->telemetry->ready, -1);
    for (size_t i = 0; i < gateway->n_workers; i++)
        worker_drain(gateway->workers[i], gateway->options->drain_ms);
}

static void cut(struct gateway *gateway) {
    for (size_t i = 0; i < gateway->n_workers; i++)
        worker_cut(gateway->workers[i]);
}

static void on_signal(void *data, int signum) {
    struct gateway *gateway = data;
    if (signum == SIGHUP) {
        if (!gateway->draining)
            reload(gateway);
    } else if (gateway->draining) {
        LOG_WARN("cutting what is still under way", LOG_I("signal", signum));
        cut(gateway);
    } else {
        LOG_INFO("draining", LOG_I("signal", signum), LOG_U("deadline_ms", gateway->options->drain_ms));
        drain(gateway);
    }
}

/* Every connection is a descriptor: take what the system allows. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            LOG_WARN("the limit of open files could not be raised", LOG_U("soft_limit", (uint64_t)limit.rlim_cur));
    }
}

static size_t count_workers(unsigned wanted) {
    long cores = wanted ? (long)wanted : sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1)
        cores = 1;
    return cores > WORKERS_MAX ? WORKERS_MAX : (size_t)cores;
}

/* Workers share their ports on purpose; another process must not be among those who share. */
static int probe_sockets(const struct gateway *gateway, struct vsr_err *err) {
    const struct config_list *listeners = &gateway->snapshot->doc->listeners;
    for (size_t i = 0; i < listeners->n; i++) {
        const struct config_listener *listener = (const struct config_listener *)listeners->items + i;
        int rc = server_probe(listener->address, (uint16_t)listener->port, err);
        if (rc < 0) {
            (void)err_wrap(err, "listener \"%.*s\" on %.*s:%u", VSR_FMT(listener->name), VSR_FMT(listener->address),
                           (unsigned)listener->port);
            return rc;
        }
    }
    return 0;
}

static int start_workers(struct gateway *gateway, struct vsr_err *err) {
    for (size_t i = 0; i < gateway->n_workers; i++) {
        const struct worker_options options = {
            .index = i,
            .snapshot = gateway->snapshot,
            .telemetry = gateway->telemetry,
            .token_estimate = gateway->token_estimate,
            .on_exit = on_worker_exit,
            .data = gateway,
        };
        int rc = worker_start(&options, &gateway->workers[i], err);
        if (rc < 0)
            return rc;
        gateway->n_running++;
    }
    return 0;
}

static int watch_signals(struct gateway *gateway, struct vsr_err *err) {
    static const int signals[] = { SIGHUP, SIGTERM, SIGINT };
    for (size_t i = 0; i < VSR_COUNT(signals); i++) {
        int rc = signal_watch_new(gateway->loop, signals[i], on_signal, gateway, &gateway->signals[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int open_control(struct gateway *gateway, struct vsr_err *err) {
    const struct gateway_options *options = gateway->options;
    const struct client_limits limits = { .connect_timeout_ms = 10000,
                                          .pool_idle_ms = 30000,
                                          .connections_max = HEALTH_CONNECTIONS_MAX,
                                          .pending_max = HEALTH_CONNECTIONS_MAX,
                                          .dns_ttl_ms = 30000 };
    const struct tls_client_options tls = { .insecure = false };
    int rc = loop_new(&gateway->loop, err);
    if (rc == 0)
        rc = tls_client_new(&tls, &gateway->tls, err);
    if (rc == 0)
        rc = client_new(gateway->loop, &limits, &gateway->client, err);
    if (rc == 0) {
        gateway->health = health_new(gateway->loop, gateway->client);
        rc = watch_signals(gateway, err);
    }
    if (rc == 0 && options->metrics_address.len)
        rc = metrics_socket_new(gateway->loop, gateway->telemetry->metrics, options->metrics_address,
                                options->metrics_port, &gateway->metrics_socket, err);
    return rc;
}

static void publish_stats(void *data) {
    struct gateway *gateway = data;
    endpoint_metrics_publish(gateway->telemetry, gateway->snapshot->providers);
    loop_timer_start(gateway->loop, &gateway->stats_timer, STATS_INTERVAL_MS, publish_stats, gateway);
}

static void announce(const struct gateway *gateway) {
    const struct config_list *listeners = &gateway->snapshot->doc->listeners;
    for (size_t i = 0; i < listeners->n; i++) {
        const struct config_listener *listener = (const struct config_listener *)listeners->items + i;
        LOG_INFO("listening", LOG_S("listener", listener->name), LOG_S("address", listener->address),
                 LOG_I("port", listener->port), LOG_U("workers", gateway->n_workers));
    }
}

static int serve(struct gateway *gateway, struct vsr_err *err) {
    struct snapshot *snapshot = NULL;
    int rc = open_control(gateway, err);
    if (rc == 0)
        rc = load(gateway, &snapshot, err);
    if (rc < 0)
        return rc;
    publish(gateway, snapshot);
    rc = probe_sockets(gateway, err);
    if (rc == 0)
        rc = start_workers(gateway, err);
    if (rc < 0)
        return rc;
    metric_add(gateway->telemetry->ready, 1);
    announce(gateway);
    publish_stats(gateway);
    loop_run(gateway->loop);
    return 0;
}

/* Ends what still runs, in the reverse order of what depends on what. */
static void close_all(struct gateway *gateway) {
    if (gateway->n_running) /* a later worker could not start */
        for (size_t i = 0; i < gateway->n_workers && gateway->workers[i]; i++)
            worker_cut(gateway->workers[i]);
    for (size_t i = 0; i < gateway->n_workers && gateway->workers[i]; i++)
        worker_join(gateway->workers[i]);
    loop_timer_stop(&gateway->stats_timer);
    health_free(gateway->health);
    client_free(gateway->client);
    metrics_socket_free(gateway->metrics_socket);
    for (size_t i = 0; i < VSR_COUNT(gateway->signals); i++)
        signal_watch_free(gateway->signals[i]);
    loop_free(gateway->loop);
    snapshot_unref(gateway->snapshot);
    provider_registry_free(gateway->registry);
    tls_client_free(gateway->tls);
    token_estimate_free(gateway->token_estimate);
    telemetry_free(gateway->telemetry);
}

int gateway_run(const struct gateway_options *options, struct vsr_err *err) {
    struct gateway gateway = { .options = options };
    int rc;
    (void)signal(SIGPIPE, SIG_IGN); /* a vanished peer is an error of write, not the end of the process */
    raise_descriptor_limit();
    gateway.n_workers = count_workers(options->workers);
    gateway.telemetry = telemetry_new();
    gateway.token_estimate = token_estimate_new();
    gateway.registry = provider_registry_new();
    rc = serve(&gateway, err);
    close_all(&gateway);
    if (rc == 0)
        LOG_INFO("stopped");
    return rc;
}
