#include "serve/gateway.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/log.h"
#include "evidence/evidence.h"
#include "evidence/lane.h"
#include "mcp/hub.h"
#include "net/client.h"
#include "net/file_watch.h"
#include "net/loop.h"
#include "net/signal_watch.h"
#include "net/tls.h"
#include "provider/health.h"
#include "provider/limit.h"
#include "serve/admission.h"
#include "serve/endpoint_metrics.h"
#include "serve/gateway_state.h"
#include "serve/listeners.h"
#include "serve/metrics_socket.h"
#include "serve/model_service.h"
#include "serve/read_files.h"
#include "serve/responses_service.h"
#include "serve/snapshot.h"
#include "serve/stores.h"
#include "serve/token_metrics.h"
#include "serve/worker.h"

enum {
    DIAG_TEXT_LEN_MAX = 1 << 20,
    HEALTH_CONNECTIONS_MAX = 64,
    STATS_INTERVAL_MS = 1000,
};

static void log_diag(const struct diag *diag) {
    for (size_t i = 0; i < diag->n_items; i++) {
        const struct diag_item *item = &diag->items[i];
        LOG_AT(item->severity == DIAG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "configuration problem",
               LOG_C("code", item->code), LOG_S("file", diag_item_file(diag, item)),
               LOG_U("line", diag_item_line(item)), LOG_U("column", item->col), LOG_S("path", item->path),
               LOG_S("message", item->message), LOG_S("hint", item->hint));
    }
}

void gateway_print_diag(const struct gateway *gateway, struct diag *diag) {
    struct buf text;
    diag_sort(diag);
    if (log_is_json()) {
        log_diag(diag);
        return;
    }
    buf_init(&text, DIAG_TEXT_LEN_MAX);
    diag_print(diag, &text, gateway->options->colour);
    if (write(STDERR_FILENO, text.ptr, text.len) < 0) {
        /* Without a stderr there is nobody to tell. */
    }
    buf_done(&text);
}

/* Where answers and the like are kept, as the first generation says. */
static int open_stores(struct gateway *gateway, struct vsr_err *err) {
    int rc =
        stores_new(gateway->snapshot->doc, &gateway->options->load, gateway->telemetry->metrics, &gateway->stores, err);
    return rc < 0 ? rc : responses_service_new(stores_state_dir(gateway->stores), &gateway->responses_service, err);
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
            gateway_reload(gateway, true, NULL, NULL);
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
    return cores > GATEWAY_WORKERS_MAX ? GATEWAY_WORKERS_MAX : (size_t)cores;
}

static int start_workers(struct gateway *gateway, struct listeners *listeners, struct vsr_err *err) {
    for (size_t i = 0; i < gateway->n_workers; i++) {
        const struct worker_options options = {
            .index = i,
            .snapshot = gateway->snapshot,
            .listeners = listeners,
            .telemetry = gateway->telemetry,
            .token_estimate = gateway->token_estimate,
            .models = gateway->models,
            .limits = gateway->limits,
            .responses = stores_responses(gateway->stores),
            .admission = gateway->admission,
            .responses_service = gateway->responses_service,
            .evidence = gateway->evidence,
            .extproc = &gateway->options->extproc,
            .extproc_seen = &gateway->extproc_seen,
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

static int open_data(struct gateway *gateway, struct vsr_err *err) {
    struct listeners *listeners = NULL;
    int rc = extproc_server_check(&gateway->options->extproc, err);
    if (rc == 0)
        rc = listeners_open(NULL, gateway->snapshot, gateway->n_workers, &listeners, err);
    if (rc == 0)
        rc = start_workers(gateway, listeners, err);
    listeners_free(listeners);
    return rc;
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

static void on_file_change(void *data) {
    struct gateway *gateway = data;
    if (!gateway->draining)
        gateway_reload(gateway, false, NULL, NULL);
}

/* A pipe has only one reading in it; there is nothing to come. */
static bool is_watchable(const char *file) {
    struct stat status;
    return stat(file, &status) != 0 || S_ISREG(status.st_mode);
}

/* Before the file is read, so that no change is missed. */
static int watch_file(struct gateway *gateway, struct vsr_err *err) {
    static const struct file_watch_options options = { .poll_ms = 0 };
    const char *file = gateway->options->config_file;
    vsr_str path = str_from_c(file ? file : "");
    int rc;
    if (!gateway->options->watch || !file || !is_watchable(file))
        return 0;
    gateway->watch = file_watch_new(gateway->loop, &options, on_file_change, gateway);
    rc = file_watch_set(gateway->watch, &path, 1, err);
    if (rc == 0 && file_watch_polls(gateway->watch))
        LOG_WARN("changes of the configuration cannot all be notified; it is looked at every few seconds",
                 LOG_S("file", path), LOG_I("interval_ms", FILE_WATCH_POLL_MS));
    return rc;
}

static void find_models(void *owner, struct engine **ret_engine, struct store **ret_store) {
    struct gateway *gateway = owner;
    *ret_engine = model_service_engine(gateway->models);
    *ret_store = model_service_store(gateway->models);
}

static int open_evidence(struct gateway *gateway, struct vsr_err *err) {
    const struct evidence_options options = {
        .models = find_models, .owner = gateway, .tls = gateway->tls, .metrics = gateway->telemetry->metrics
    };
    const struct mcp_place place = { gateway->loop, gateway->client, gateway->tls };
    struct evidence_lane_options lane = { .loop = gateway->loop, .client = gateway->client };
    int rc = mcp_hub_new(&place, &gateway->tools, err);
    lane.evidence = gateway->evidence = evidence_new(&options);
    evidence_set_tools(gateway->evidence, gateway->tools);
    return rc < 0 ? rc : evidence_lane_new(&lane, &gateway->lane, err);
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
    if (rc == 0)
        rc = open_evidence(gateway, err);
    if (rc == 0) {
        gateway->health = health_new(gateway->loop, gateway->client);
        rc = watch_signals(gateway, err);
    }
    if (rc == 0 && options->metrics_address.len)
        rc = metrics_socket_new(gateway->loop, gateway->telemetry->metrics, options->metrics_address,
                                options->metrics_port, &gateway->metrics_socket, err);
    return rc;
}

/* Gauges are added to: by what they have changed since the last time. */
static void publish_admission(struct gateway *gateway) {
    struct admission_counts now = admission_counts(gateway->admission), *seen = &gateway->admission_seen;
    metric_add(gateway->telemetry->admission_active, (double)now.active - (double)seen->active);
    metric_add(gateway->telemetry->admission_queued, (double)now.queued - (double)seen->queued);
    *seen = now;
}

static void publish_stats(void *data) {
    struct gateway *gateway = data;
    endpoint_metrics_publish(gateway->telemetry, gateway->snapshot->providers);
    token_metrics_publish(gateway->telemetry, gateway->token_estimate);
    model_service_publish(gateway->models);
    publish_admission(gateway);
    gateway_release_retired(gateway, false);
    loop_timer_start(gateway->loop, &gateway->stats_timer, STATS_INTERVAL_MS, publish_stats, gateway);
}

static void announce(const struct gateway *gateway) {
    const struct config_list *listeners = &gateway->snapshot->doc->listeners;
    for (size_t i = 0; i < listeners->n; i++) {
        const struct config_listener *listener = (const struct config_listener *)listeners->items + i;
        LOG_INFO("listening", LOG_S("listener", listener->name), LOG_S("address", listener->address),
                 LOG_I("port", listener->port), LOG_U("workers", gateway->n_workers));
    }
    if (gateway->options->extproc.address.len)
        LOG_INFO("listening for Envoy", LOG_S("address", gateway->options->extproc.address),
                 LOG_U("port", gateway->options->extproc.port),
                 LOG_B("tls", gateway->options->extproc.tls_dir != NULL));
}

static int serve(struct gateway *gateway, struct vsr_err *err) {
    int rc = open_control(gateway, err);
    if (rc == 0)
        rc = watch_file(gateway, err);
    if (rc == 0)
        rc = gateway_load(gateway, err);
    if (rc == 0)
        rc = open_stores(gateway, err);
    if (rc == 0 && gateway->options->on_start) {
        rc = gateway->options->on_start(gateway->options->data, gateway, err);
        gateway->started = rc == 0;
    }
    if (rc == 0)
        rc = open_data(gateway, err);
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
    if (gateway->started && gateway->options->on_stop)
        gateway->options->on_stop(gateway->options->data);
    reload_done(gateway);
    loop_timer_stop(&gateway->stats_timer);
    file_watch_free(gateway->watch);
    health_free(gateway->health);
    if (gateway->lane)
        gateway_release_retired(gateway, true);
    evidence_lane_free(gateway->lane);
    evidence_free(gateway->evidence);
    mcp_hub_free(gateway->tools);
    client_free(gateway->client);
    metrics_socket_free(gateway->metrics_socket);
    for (size_t i = 0; i < VSR_COUNT(gateway->signals); i++)
        signal_watch_free(gateway->signals[i]);
    loop_free(gateway->loop);
    snapshot_unref(gateway->snapshot);
    read_files_free(gateway->files);
    provider_registry_free(gateway->registry);
    limit_state_free(gateway->limits);
    admission_free(gateway->admission);
    tls_client_free(gateway->tls);
    token_estimate_free(gateway->token_estimate);
    responses_service_free(gateway->responses_service);
    stores_free(gateway->stores);
    model_service_free(gateway->models);
    telemetry_free(gateway->telemetry);
}

struct loop *gateway_loop(const struct gateway *gateway) {
    return gateway->loop;
}

struct snapshot *gateway_snapshot(const struct gateway *gateway) {
    return gateway->snapshot;
}

struct metrics *gateway_metrics(const struct gateway *gateway) {
    return gateway->telemetry->metrics;
}

struct evidence_lane *gateway_lane(const struct gateway *gateway) {
    return gateway->lane;
}

struct model_service *gateway_models(const struct gateway *gateway) {
    return gateway->models;
}

struct stores *gateway_stores(const struct gateway *gateway) {
    return gateway->stores;
}

bool gateway_draining(const struct gateway *gateway) {
    return gateway->draining;
}

bool gateway_ready(const struct gateway *gateway) {
    return !gateway->draining && model_service_ready(gateway->models);
}

int gateway_run(const struct gateway_options *options, struct vsr_err *err) {
    struct gateway gateway = { .options = options };
    int rc;
    (void)signal(SIGPIPE, SIG_IGN); /* a vanished peer is an error of write, not the end of the process */
    raise_descriptor_limit();
    reload_init(&gateway);
    gateway.n_workers = count_workers(options->workers);
    gateway.telemetry = telemetry_new();
    gateway.token_estimate = token_estimate_new();
    gateway.models = model_service_new(gateway.telemetry, options->models_dir ? options->models_dir : "models");
    gateway.registry = provider_registry_new();
    gateway.limits = limit_state_new();
    gateway.admission = admission_new();
    rc = serve(&gateway, err);
    close_all(&gateway);
    if (rc == 0)
        LOG_INFO("stopped");
    return rc;
}
