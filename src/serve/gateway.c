#include "serve/gateway.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "evidence/evidence.h"
#include "evidence/fill.h"
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
               LOG_C("code", item->code), LOG_S("file", diag->file), LOG_U("line", item->line),
               LOG_U("column", item->col), LOG_S("path", item->path), LOG_S("message", item->message),
               LOG_S("hint", item->hint));
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

struct snapshot_options gateway_snapshot_options(const struct gateway *gateway, struct read_files *files) {
    struct snapshot_options options = {
        .telemetry = gateway->telemetry,
        .registry = gateway->registry,
        .tls = gateway->tls,
        .evidence = gateway->evidence,
        .load = gateway->options->load,
        .extproc_tls_dir = gateway->options->extproc.address.len ? gateway->options->extproc.tls_dir : NULL,
        .n_workers = gateway->n_workers,
        .generation = gateway->generation + 1,
    };
    options.listens = true;
    options.load.on_file = read_files_note;
    options.load.on_file_data = files;
    return options;
}

/* ---- the files to watch */

/* Whether `path` has been watched for as long as the generation that serves has been there. */
static bool is_old(const struct gateway *gateway, vsr_str path) {
    for (size_t i = 0; gateway->files && i < read_files_count(gateway->files); i++)
        if (str_eq(read_files_path(gateway->files, i), path))
            return true;
    return false;
}

/* False when there are more than can be watched. */
static bool add_paths(const struct read_files *files, vsr_str *paths, size_t *n) {
    for (size_t i = 0; files && i < read_files_count(files); i++) {
        if (*n == FILE_WATCH_PATHS_MAX)
            return false;
        paths[(*n)++] = read_files_path(files, i);
    }
    return true;
}

void gateway_watch_files(struct gateway *gateway, const struct read_files *more) {
    vsr_str paths[FILE_WATCH_PATHS_MAX];
    struct vsr_err err = VSR_ERR_NONE;
    size_t n = 0;
    if (!gateway->watch)
        return;
    paths[n++] = str_from_c(gateway->options->config_file);
    if (!add_paths(gateway->files, paths, &n) || !add_paths(more, paths, &n))
        (void)err_set(&err, VSR_E_LIMIT, "there are more than %d", FILE_WATCH_PATHS_MAX);
    if (file_watch_set(gateway->watch, paths, n, &err) < 0 || err.code < 0)
        LOG_WARN("not all files of the configuration are watched", LOG_C("error", err.text));
}

/* ---- generations */

/* What changed between the reading of a file and the watch over it has to be looked for. */
static bool has_new_file(const struct gateway *gateway, const struct read_files *files) {
    for (size_t i = 0; i < read_files_count(files); i++)
        if (!is_old(gateway, read_files_path(files, i)))
            return true;
    return false;
}

static void replace_files(struct gateway *gateway, struct read_files *files) {
    bool has_new = gateway->watch && has_new_file(gateway, files);
    read_files_free(gateway->files);
    gateway->files = files;
    gateway_watch_files(gateway, NULL);
    if (has_new)
        gateway_reload(gateway, false, NULL, NULL);
}

/* Requests are served without models, too: what needs one is unavailable. The readiness knows. */
static void configure_models(struct gateway *gateway) {
    struct vsr_err err = VSR_ERR_NONE;
    if (model_service_configure(gateway->models, gateway->snapshot, &err) < 0)
        LOG_WARN("models cannot be loaded", LOG_C("error", err.text));
}

/* A former generation, until no dry run asks servers in its name. Each has a reference of its own, so there are no more
 * of them than dry runs under way, and generations whose requests or examples have not come to their end. */
struct retired_snapshot {
    struct retired_snapshot *next;
    struct snapshot *snapshot; /* one reference */
};

static void free_retired(struct gateway *gateway, struct retired_snapshot *retired) {
    for (size_t i = 0; i < retired->snapshot->n_recipes; i++)
        evidence_lane_forget(gateway->lane, retired->snapshot->recipes[i].evidence);
    snapshot_unref(retired->snapshot);
    mem_free(retired);
}

/* Those that nobody uses; with `all` every one, because no dry run is under way any more. */
static void release_retired(struct gateway *gateway, bool all) {
    VSR_ASSERT(!all || evidence_lane_is_idle(gateway->lane));
    for (struct retired_snapshot **link = &gateway->retired; *link;) {
        struct retired_snapshot *retired = *link;
        if (!all && !snapshot_is_last(retired->snapshot)) {
            link = &retired->next;
            continue;
        }
        *link = retired->next;
        free_retired(gateway, retired);
    }
}

static void retire(struct gateway *gateway, struct snapshot *snapshot) {
    struct retired_snapshot *retired;
    if (!snapshot)
        return;
    retired = MEM_NEW(struct retired_snapshot);
    retired->snapshot = snapshot;
    retired->next = gateway->retired;
    gateway->retired = retired;
}

static void release(void *data) {
    snapshot_unref(data);
}

/* Tool servers are ready when they are asked, and stay what they are through reloads that leave them alone. */
static void begin_tools(struct gateway *gateway) {
    const struct snapshot *snapshot = gateway->snapshot;
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        evidence_lane_begin(gateway->lane, snapshot->recipes[i].evidence);
}

/* Examples whose vectors take time. Until they are there, rules that need them are unavailable. */
static void fill_banks(struct gateway *gateway) {
    struct snapshot *snapshot = gateway->snapshot;
    struct arena *arena = arena_new(0, 0);
    struct evidence_binding **bindings = ARENA_ARRAY(arena, struct evidence_binding *, snapshot->n_recipes);
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        bindings[i] = snapshot->recipes[i].evidence;
    evidence_fill_later(gateway->evidence, bindings, snapshot->n_recipes, release, snapshot_ref(snapshot));
    arena_free(arena);
}

void gateway_adopt(struct gateway *gateway, struct snapshot *snapshot, struct read_files *files) {
    struct snapshot *old = gateway->snapshot;
    if (gateway->stores)
        stores_configure(gateway->stores, snapshot->doc);
    VSR_ASSERT(snapshot != NULL);
    gateway->snapshot = snapshot;
    metric_add(gateway->telemetry->generation, (double)(snapshot->generation - gateway->generation));
    gateway->generation = snapshot->generation;
    health_watch(gateway->health, snapshot->providers);
    replace_files(gateway, files);
    configure_models(gateway);
    begin_tools(gateway);
    fill_banks(gateway);
    retire(gateway, old);
    release_retired(gateway, false);
}

/* The first generation. */
static int load(struct gateway *gateway, struct vsr_err *err) {
    const struct gateway_options *options = gateway->options;
    struct read_files *files = read_files_new();
    const struct snapshot_options snapshot_options = gateway_snapshot_options(gateway, files);
    struct arena *arena = arena_new(0, 0);
    struct snapshot *snapshot = NULL;
    struct diag diag;
    int rc;
    diag_init(&diag, arena, options->config_file ? str_from_c(options->config_file) : options->config_name);
    rc = snapshot_load(options->config_file, options->config_text, options->config_name, &snapshot_options, &diag,
                       &snapshot, err);
    gateway_print_diag(gateway, &diag);
    arena_free(arena);
    if (rc < 0) {
        read_files_free(files);
        return rc;
    }
    gateway_adopt(gateway, snapshot, files);
    metric_add(gateway->telemetry->reload_success, 1);
    metric_add(gateway->telemetry->reload_success_s, (double)clock_wall_ms() / 1000);
    rc = stores_new(snapshot->doc, &options->load, gateway->telemetry->metrics, &gateway->stores, err);
    if (rc == 0)
        rc = responses_service_new(stores_state_dir(gateway->stores), &gateway->responses_service, err);
    return rc;
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
    release_retired(gateway, false);
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
        rc = load(gateway, err);
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
        release_retired(gateway, true);
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
