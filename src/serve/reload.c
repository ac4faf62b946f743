/*
 * reload - the transaction that brings a configuration into service; see gateway.h.
 *
 *     control thread                     load thread               workers
 *     gateway_reload()
 *       begin() ------------------------> run(): read, validate,
 *                                                build
 *       on_loaded() <---------------------
 *         listen, publish ---------------------------------------> worker_publish()
 *       on_taken(), for each worker <-----------------------------
 *         finish(): report, begin() for those who waited
 */
#include <pthread.h>

#include "config/file_hash.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "serve/gateway_state.h"
#include "serve/listeners.h"
#include "serve/read_files.h"
#include "serve/snapshot.h"
#include "serve/worker.h"

/* Somebody who wants the configuration as it is now. */
struct reload_request {
    struct reload_request *next;
    bool forced;
    void (*done)(void *data, const struct gateway_report *report);
    void *data;
};

/* One transaction. The load thread owns it between begin() and on_loaded(). */
struct reload_job {
    struct gateway *gateway;
    pthread_t thread;
    bool has_thread;
    bool forced;
    vsr_str serving_hash; /* lives as long as the generation that serves: longer than this job needs it */
    const struct read_files *serving_files; /* likewise */
    struct read_files *files;               /* what this load reads; NULL once they are the gateway's */
    struct snapshot_options snapshot_options;

    int rc;
    const char *stage; /* the one under way */
    bool unchanged;
    struct snapshot *snapshot; /* one reference, until it is published */
    struct arena *arena;       /* of `diag` */
    struct diag diag;
    bool has_diag;
    struct vsr_err err;

    struct listeners *listeners;
    size_t n_missing; /* workers that have not switched yet */
};

/* ---- load thread */

static int check_file(struct reload_job *job) {
    const char *file = job->gateway->options->config_file;
    char hash[FILE_HASH_LEN];
    int rc = file_hash(file, hash, &job->err);
    if (rc == 0)
        job->unchanged = !job->forced && str_eq(str_make(hash, sizeof(hash)), job->serving_hash) &&
                         read_files_unchanged(job->serving_files);
    return rc;
}

/* Sockets of the process itself stay where they were opened. The refused generation ends with the job: the problems lie
 * in its memory. */
static int check_process(struct reload_job *job) {
    const struct config_management_api *old = &job->gateway->snapshot->doc->global.services.management_api;
    const struct config_management_api *next = &job->snapshot->doc->global.services.management_api;
    if (str_eq(old->bind_address, next->bind_address) && old->port == next->port)
        return 0;
    diag_error(&job->diag, "E_RELOAD_UNSAFE", schema_at(next), VSR_STR("restart to move it"),
               "the management API is at %.*s:%lld and cannot move to %.*s:%lld while it runs",
               VSR_FMT(old->bind_address), (long long)old->port, VSR_FMT(next->bind_address), (long long)next->port);
    return err_set(&job->err, VSR_E_INVALID, "the configuration asks for what needs a restart");
}

static int load(struct reload_job *job) {
    const struct gateway_options *options = job->gateway->options;
    int rc;
    diag_init(&job->diag, job->arena, str_from_c(options->config_file ? options->config_file : ""));
    rc = snapshot_load(options->config_file, options->config_text, options->config_name, &job->snapshot_options,
                       &job->diag, &job->snapshot, &job->err);
    job->has_diag = true;
    if (rc == 0)
        rc = check_process(job);
    job->stage = job->diag.n_errors ? "validate" : "build";
    return rc;
}

static void on_loaded(void *data);

static void *run(void *data) {
    struct reload_job *job = data;
    job->stage = "read";
    if (job->gateway->options->config_file)
        job->rc = check_file(job);
    if (job->rc == 0 && !job->unchanged)
        job->rc = load(job);
    loop_post(job->gateway->loop, on_loaded, job->gateway);
    return NULL;
}

/* ---- the end of a transaction */

static void set_gauge(struct metric *metric, double value) {
    metric_add(metric, value - metric_value(metric));
}

/* The first problem stands for all of them. */
static void describe(struct reload_job *job) {
    const struct diag *diag = &job->diag;
    for (size_t i = 0; job->has_diag && i < diag->n_items; i++) {
        const struct diag_item *item = &diag->items[i];
        if (item->severity != DIAG_ERROR)
            continue;
        (void)err_set(&job->err, job->rc, "%.*s:%u:%u: %s%s%.*s: %.*s", VSR_FMT(diag_item_file(diag, item)),
                      diag_item_line(item), item->col, item->code, item->path.len ? " " : "", VSR_FMT(item->path),
                      VSR_FMT(item->message));
        if (diag->n_errors > 1)
            (void)err_wrap(&job->err, "%zu errors, the first at", diag->n_errors);
        return;
    }
}

static void report_failure(struct reload_job *job) {
    struct gateway *gateway = job->gateway;
    describe(job);
    gateway_watch_files(gateway, job->files);
    metric_inc(gateway->telemetry->reloads_failed);
    set_gauge(gateway->telemetry->reload_success, 0);
    LOG_ERROR("config_reload_failed", LOG_C("stage", job->stage), LOG_C("error", job->err.text),
              LOG_U("generation", gateway->generation), LOG_C("effect", "the running configuration stays"));
}

static void report_success(struct reload_job *job) {
    struct gateway *gateway = job->gateway;
    bool had_failed = metric_value(gateway->telemetry->reload_success) == 0;
    metric_inc(job->unchanged ? gateway->telemetry->reloads_unchanged : gateway->telemetry->reloads_ok);
    set_gauge(gateway->telemetry->reload_success, 1);
    set_gauge(gateway->telemetry->reload_success_s, (double)clock_wall_ms() / 1000);
    if (job->unchanged && had_failed)
        LOG_INFO("the file is again the configuration that serves", LOG_U("generation", gateway->generation));
    else if (job->unchanged)
        LOG_DEBUG("configuration unchanged", LOG_U("generation", gateway->generation));
    else
        LOG_INFO("configuration reloaded", LOG_U("generation", gateway->generation),
                 LOG_S("hash", gateway->snapshot->doc->hash), LOG_S("base_hash", gateway->snapshot->doc->base_hash));
}

static void answer_all(struct reload_request *list, const struct gateway_report *report) {
    while (list) {
        struct reload_request *request = list;
        list = request->next;
        if (request->done)
            request->done(request->data, report);
        mem_free(request);
    }
}

static void begin(struct gateway *gateway);

static void job_free(struct reload_job *job) {
    listeners_free(job->listeners);
    snapshot_unref(job->snapshot);
    read_files_free(job->files);
    arena_free(job->arena);
    mem_free(job);
}

static void finish(struct reload_job *job) {
    struct gateway *gateway = job->gateway;
    struct reload_request *served = gateway->reload.served;
    struct gateway_report report = {
        .result = job->rc < 0      ? GATEWAY_RELOAD_FAILED
                  : job->unchanged ? GATEWAY_UNCHANGED
                                   : GATEWAY_RELOADED,
        .generation = gateway->generation,
        .diag = job->has_diag ? &job->diag : NULL,
    };
    if (job->rc < 0) {
        report_failure(job);
        report.stage = job->stage;
        report.err = &job->err;
    } else {
        report_success(job);
    }
    gateway->reload.served = NULL;
    answer_all(served, &report);
    gateway->reload.job = NULL;
    job_free(job);
    begin(gateway);
}

/* ---- publishing */

static void worker_took(void *data) {
    struct reload_job *job = data;
    if (--job->n_missing == 0)
        finish(job);
}

/* On the worker's thread. */
static void on_taken(void *data) {
    struct reload_job *job = data;
    loop_post(job->gateway->loop, worker_took, job);
}

static void log_listeners(const struct snapshot *old, const struct snapshot *next) {
    for (size_t i = 0; i < next->doc->listeners.n; i++) {
        const struct config_listener *listener = (const struct config_listener *)next->doc->listeners.items + i;
        if (!snapshot_listener(old, listener->address, (uint16_t)listener->port))
            LOG_INFO("listening", LOG_S("listener", listener->name), LOG_S("address", listener->address),
                     LOG_I("port", listener->port));
    }
    for (size_t i = 0; i < old->doc->listeners.n; i++) {
        const struct config_listener *listener = (const struct config_listener *)old->doc->listeners.items + i;
        if (!snapshot_listener(next, listener->address, (uint16_t)listener->port))
            LOG_INFO("no longer listening", LOG_S("listener", listener->name), LOG_S("address", listener->address),
                     LOG_I("port", listener->port));
    }
}

static void publish(struct reload_job *job) {
    struct gateway *gateway = job->gateway;
    struct snapshot *snapshot = job->snapshot;
    job->snapshot = NULL;
    job->n_missing = gateway->n_workers;
    log_listeners(gateway->snapshot, snapshot);
    gateway_adopt(gateway, snapshot, job->files);
    job->files = NULL;
    for (size_t i = 0; i < gateway->n_workers; i++)
        worker_publish(gateway->workers[i], snapshot, job->listeners, on_taken, job);
}

static int prepare(struct reload_job *job) {
    struct gateway *gateway = job->gateway;
    if (job->rc < 0 || job->unchanged)
        return job->rc;
    if (gateway->draining) {
        job->stage = "publish";
        return err_set(&job->err, VSR_E_CANCELLED, "the process is about to end");
    }
    job->stage = "listen";
    return listeners_open(gateway->snapshot, job->snapshot, gateway->n_workers, &job->listeners, &job->err);
}

static void on_loaded(void *data) {
    struct gateway *gateway = data;
    struct reload_job *job = gateway->reload.job;
    (void)pthread_join(job->thread, NULL);
    job->has_thread = false;
    if (job->has_diag)
        gateway_print_diag(gateway, &job->diag);
    job->rc = prepare(job);
    if (job->rc < 0 || job->unchanged)
        finish(job);
    else
        publish(job);
}

/* ---- the beginning */

static struct reload_job *make_job(struct gateway *gateway) {
    struct reload_job *job = MEM_NEW(struct reload_job);
    job->gateway = gateway;
    job->arena = arena_new(0, 0);
    job->files = read_files_new();
    job->snapshot_options = gateway_snapshot_options(gateway, job->files);
    job->err = VSR_ERR_NONE;
    job->stage = "read";
    job->serving_hash = gateway->snapshot->doc->hash;
    job->serving_files = gateway->files;
    for (const struct reload_request *request = gateway->reload.served; request; request = request->next)
        job->forced |= request->forced;
    return job;
}

static struct reload_request *take_waiting(struct reload_state *reload) {
    struct reload_request *list;
    (void)pthread_mutex_lock(&reload->lock);
    list = reload->waiting;
    reload->waiting = NULL;
    reload->waiting_end = &reload->waiting;
    (void)pthread_mutex_unlock(&reload->lock);
    return list;
}

/* Nothing happens while a transaction runs, or when nobody waits for one. */
static void begin(struct gateway *gateway) {
    struct reload_state *reload = &gateway->reload;
    struct reload_job *job;
    if (reload->job)
        return;
    reload->served = take_waiting(reload);
    if (!reload->served)
        return;
    job = reload->job = make_job(gateway);
    if (pthread_create(&job->thread, NULL, run, job) == 0) {
        job->has_thread = true;
        return;
    }
    job->rc = err_set(&job->err, VSR_E_LIMIT, "no more threads");
    finish(job);
}

static void on_request(void *data) {
    begin(data);
}

void gateway_reload(struct gateway *gateway, bool forced, void (*done)(void *data, const struct gateway_report *report),
                    void *data) {
    struct reload_request *request = MEM_NEW(struct reload_request);
    *request = (struct reload_request){ .forced = forced, .done = done, .data = data };
    (void)pthread_mutex_lock(&gateway->reload.lock);
    *gateway->reload.waiting_end = request;
    gateway->reload.waiting_end = &request->next;
    (void)pthread_mutex_unlock(&gateway->reload.lock);
    loop_post(gateway->loop, on_request, gateway);
}

/* ---- life */

void reload_init(struct gateway *gateway) {
    (void)pthread_mutex_init(&gateway->reload.lock, NULL); /* default attributes cannot fail */
    gateway->reload.waiting_end = &gateway->reload.waiting;
}

void reload_done(struct gateway *gateway) {
    struct reload_job *job = gateway->reload.job;
    struct vsr_err err = VSR_ERR_NONE;
    struct gateway_report report = {
        .result = GATEWAY_RELOAD_FAILED, .generation = gateway->generation, .stage = "publish", .err = &err
    };
    (void)err_set(&err, VSR_E_CANCELLED, "the process has ended");
    if (job && job->has_thread)
        (void)pthread_join(job->thread, NULL);
    answer_all(gateway->reload.served, &report);
    answer_all(take_waiting(&gateway->reload), &report);
    gateway->reload.served = NULL;
    gateway->reload.job = NULL;
    if (job)
        job_free(job);
    (void)pthread_mutex_destroy(&gateway->reload.lock);
}
