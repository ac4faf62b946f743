#include "serve/model_service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "config/global_inference.h"
#include "core/arena.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metrics.h"
#include "model/engine.h"
#include "model/model.h"
#include "model/store.h"
#include "model/wish.h"
#include "nn/runtime.h"
#include "serve/snapshot.h"
#include "serve/telemetry.h"

enum { MODEL_SERIES_MAX = 64, SERIES_KEPT = 64, MIB_SHIFT = 20 };

/* What a running process cannot change. */
struct fixed {
    int64_t threads, batch_tokens, queue_length, queue_mb, cache_mb, memory_mb;
};

struct model_service {
    struct telemetry *telemetry;
    struct arena *arena;
    struct model_places places;
    struct readiness *readiness;
    struct nn_runtime *runtime;
    struct engine *_Atomic engine;
    struct store *_Atomic store;
    struct fixed fixed;
    struct metric *batch_inputs, *batch_tokens, *queue_seconds;
    struct metric_family *run_seconds;
    pthread_mutex_t series_lock; /* guards the rest */
    struct {
        uint64_t serial; /* of the load whose series it is */
        struct metric *metric;
    } series[SERIES_KEPT];
};

/* ---- what is needed */

struct needed {
    const struct config_inference *inference;
    struct arena *arena;
    struct store_model *models;
    size_t n, cap;
};

static enum precision precision_of(const struct config_inference *inference, const struct config_inference_model *own) {
    int chosen = own && own->own_precision ? own->own_precision - 1 : inference->precision;
    switch ((enum config_inference_precision)chosen) {
    case INFERENCE_F32:
        return PRECISION_F32;
    case INFERENCE_BF16:
        return PRECISION_BF16;
    case INFERENCE_INT8:
        return PRECISION_INT8;
    case INFERENCE_AUTO:
        break;
    }
    return precision_default();
}

static enum long_text long_text_of(const struct config_inference *inference, const struct config_inference_model *own) {
    int chosen = own && own->own_long_text ? own->own_long_text - 1 : inference->long_text;
    return chosen == INFERENCE_TRUNCATE ? LONG_TEXT_TRUNCATE
           : chosen == INFERENCE_CHUNK  ? LONG_TEXT_CHUNK
                                        : LONG_TEXT_SAMPLE;
}

/* An embedder takes what it was made for, unless its own entry says less. */
static size_t tokens_of(const struct config_inference *inference, const struct config_inference_model *own,
                        const struct signal_model *model) {
    bool embeds = strcmp(model->type, "embedding") == 0 || strcmp(model->type, "semantic-similarity") == 0;
    if (own && own->max_tokens)
        return (size_t)own->max_tokens;
    return embeds ? 0 : (size_t)inference->max_tokens;
}

/* One spelling of what is meant: aliases, `models/`, `./` and slashes at the end make no difference. */
static vsr_str place_of(vsr_str path) {
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    while (str_starts(path, VSR_STR("./")))
        path = str_sub(path, 2, path.len);
    return wish_path(path);
}

/* Where it lies in the model's directory, as a bare name does, and a path that begins with the model, however that is
 * spelled. Labels are read from there only: empty for another place, which is told. */
static vsr_str labels_of(const struct signal_model *model) {
    vsr_str place = place_of(model->path), file = model->label_file;
    if (str_find_char(file, '/') < 0)
        return file;
    for (size_t i = 1; i + 1 < file.len; i++)
        if (file.ptr[i] == '/' && file.ptr[i + 1] != '/' && str_eq(place_of(str_sub(file, 0, i)), place))
            return str_sub(file, i + 1, file.len);
    LOG_WARN("a file of labels is not read, because it does not lie in the model's directory",
             LOG_S("model", model->path), LOG_S("file", file));
    return VSR_STR("");
}

static void add_needed(void *data, const struct signal_model *model) {
    struct needed *needed = data;
    const struct config_inference *inference = needed->inference;
    const struct config_inference_model *own = config_inference_model(inference, model->path);
    int load = own && own->own_load ? own->own_load - 1 : inference->load;
    for (size_t i = 0; i < needed->n; i++)
        if (str_eq(needed->models[i].name, model->path))
            return;
    needed->models = arena_grow(needed->arena, needed->models, sizeof(*needed->models), needed->n, &needed->cap);
    needed->models[needed->n++] = (struct store_model){
        .name = model->path,
        .type = str_from_c(model->type),
        .label_file = labels_of(model),
        .device = inference->device == DEVICE_CPU ? VSR_STR("cpu") : VSR_STR("auto"),
        .precision = precision_of(inference, own),
        .tokens_max = tokens_of(inference, own, model),
        .long_text = long_text_of(inference, own),
        .load = load == INFERENCE_EAGER ? STORE_EAGER : STORE_LAZY,
        .mandatory = own && own->mandatory,
    };
}

/* The default recipe is asked by its aliases, another one by an entrypoint. */
static bool is_reachable(const struct config_document *doc, const struct config_scope *scope) {
    if (scope == &doc->scopes[0])
        return true;
    CONFIG_EACH(const struct config_entrypoint, entrypoint, &doc->entrypoints)
    if (entrypoint->scope == scope)
        return true;
    return false;
}

size_t model_service_needed(const struct snapshot *snapshot, struct arena *arena, struct store_model **ret) {
    struct needed needed = { .inference = &snapshot->doc->global.model_catalog.inference, .arena = arena };
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        if (is_reachable(snapshot->doc, snapshot->recipes[i].scope))
            route_models(snapshot->recipes[i].route, add_needed, &needed);
    *ret = needed.models;
    return needed.n;
}

/* ---- life */

static void report(void *owner, vsr_str name, enum readiness_state state, vsr_str message) {
    (void)owner;
    if (state == MODEL_STATE_ABSENT || state == MODEL_STATE_FAILED)
        LOG_WARN("model unavailable", LOG_S("model", name), LOG_C("state", model_state_name(state)),
                 LOG_S("reason", message));
    else if (state == MODEL_STATE_READY && message.len > 0)
        LOG_WARN("model", LOG_S("model", name), LOG_C("state", model_state_name(state)), LOG_S("warning", message));
    else if (state == MODEL_STATE_READY || state == MODEL_STATE_LOADING)
        LOG_INFO("model", LOG_S("model", name), LOG_C("state", model_state_name(state)), LOG_S("message", message));
}

static vsr_str last_part(vsr_str path) {
    size_t start = path.len;
    while (start > 0 && path.ptr[start - 1] != '/')
        start--;
    return str_sub(path, start, path.len);
}

/* By the name that the configuration uses; of a model that it does not want any more, by the directory's. */
static struct metric *find_series(struct model_service *service, const struct model *model) {
    vsr_str directory = model_directory_of(model), label = last_part(directory);
    struct store *store = service->store;
    char name[READINESS_NAME_LEN];
    if (store && store_name_of(store, directory, name))
        label = str_from_c(name);
    return metric_with(service->run_seconds, &label, 1);
}

/* Once for each load, unless two loads fight for one place. */
static struct metric *series_of(struct model_service *service, const struct model *model) {
    uint64_t serial = model_serial(model);
    struct metric *metric;
    (void)pthread_mutex_lock(&service->series_lock); /* fails only for a mutex that is none */
    if (!service->series[serial % SERIES_KEPT].metric || service->series[serial % SERIES_KEPT].serial != serial) {
        service->series[serial % SERIES_KEPT].serial = serial;
        service->series[serial % SERIES_KEPT].metric = find_series(service, model);
    }
    metric = service->series[serial % SERIES_KEPT].metric;
    (void)pthread_mutex_unlock(&service->series_lock);
    return metric;
}

static void on_batch(void *owner, const struct engine_batch_seen *seen) {
    struct model_service *service = owner;
    metric_observe(service->batch_inputs, (double)seen->n);
    metric_observe(service->batch_tokens, (double)seen->tokens);
    metric_observe(series_of(service, seen->model), (double)seen->run_ns / 1e9);
    for (size_t i = 0; i < seen->n; i++)
        metric_observe(service->queue_seconds, (double)seen->waited_ns[i] / 1e9);
}

static void make_histograms(struct model_service *service) {
    static const char *const label_model[] = { "model" };
    static const double inputs[] = { 1, 2, 4, 8, 16, 32, 64 };
    static const double tokens[] = { 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768 };
    static const double seconds[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                      0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10 };
    struct metrics *metrics = service->telemetry->metrics;
    service->batch_inputs =
        metric_with(metrics_histogram(metrics, "vsr_inference_batch_size", "Texts that ran together.", NULL, 0, 1,
                                      inputs, VSR_COUNT(inputs)),
                    NULL, 0);
    service->batch_tokens =
        metric_with(metrics_histogram(metrics, "vsr_inference_batch_tokens", "Tokens that ran together.", NULL, 0, 1,
                                      tokens, VSR_COUNT(tokens)),
                    NULL, 0);
    service->queue_seconds =
        metric_with(metrics_histogram(metrics, "vsr_inference_queue_seconds", "Time that a text waited for a thread.",
                                      NULL, 0, 1, seconds, VSR_COUNT(seconds)),
                    NULL, 0);
    service->run_seconds = metrics_histogram(metrics, "vsr_inference_seconds",
                                             "Time that a batch ran, by the model as the configuration names it.",
                                             label_model, 1, MODEL_SERIES_MAX, seconds, VSR_COUNT(seconds));
}

struct model_service *model_service_new(struct telemetry *telemetry, const char *models_dir) {
    struct model_service *service = MEM_NEW(struct model_service);
    service->telemetry = telemetry;
    (void)pthread_mutex_init(&service->series_lock, NULL); /* cannot fail with default attributes */
    service->arena = arena_new(0, 0);
    service->places = model_places_make(service->arena, models_dir);
    service->readiness = readiness_new();
    readiness_set_phase(service->readiness, READINESS_SKIPPED, VSR_STR(""));
    return service;
}

void model_service_free(struct model_service *service) {
    struct store *store;
    if (!service)
        return;
    (void)pthread_mutex_lock(&service->series_lock);
    store = service->store;
    service->store = NULL; /* the engine's threads run until it is freed, and name models by it */
    (void)pthread_mutex_unlock(&service->series_lock);
    store_free(store);
    engine_free(service->engine);
    nn_runtime_free(service->runtime);
    readiness_free(service->readiness);
    (void)pthread_mutex_destroy(&service->series_lock);
    arena_free(service->arena);
    mem_free(service);
}

static struct fixed fixed_of(const struct config_inference *inference) {
    return (struct fixed){ inference->threads,  inference->batch_tokens, inference->queue_length,
                           inference->queue_mb, inference->cache_mb,     inference->memory_mb };
}

static int start(struct model_service *service, const struct config_inference *inference, struct vsr_err *err) {
    const struct engine_options engine_options = {
        .threads = (size_t)inference->threads,
        .calls_max = (size_t)inference->queue_length,
        .bytes_max = (size_t)inference->queue_mb << MIB_SHIFT,
        .tokens_max = (size_t)inference->batch_tokens,
        .cache_len_max = inference->cache_mb ? (size_t)inference->cache_mb << MIB_SHIFT : SIZE_MAX,
        .on_batch = on_batch,
        .owner = service,
    };
    struct store_options store_options = { .readiness = service->readiness,
                                           .places = service->places,
                                           .bytes_max = (uint64_t)inference->memory_mb << MIB_SHIFT,
                                           .report = report };
    struct engine *engine = NULL;
    struct store *store = NULL;
    int rc = nn_runtime_new(&service->runtime, err);
    make_histograms(service);
    if (rc == 0)
        rc = engine_new(service->runtime, &engine_options, &engine, err);
    store_options.runtime = service->runtime;
    store_options.engine = engine;
    if (rc == 0)
        rc = store_new(&store_options, &store, err);
    if (rc < 0) {
        engine_free(engine);
        nn_runtime_free(service->runtime);
        service->runtime = NULL;
        return rc;
    }
    service->fixed = fixed_of(inference);
    service->engine = engine;
    service->store = store;
    return 0;
}

static bool same_fixed(const struct fixed *a, const struct fixed *b) {
    return a->threads == b->threads && a->batch_tokens == b->batch_tokens && a->queue_length == b->queue_length &&
           a->queue_mb == b->queue_mb && a->cache_mb == b->cache_mb && a->memory_mb == b->memory_mb;
}

/* Nothing can be loaded: not ready, when that is more than a pity. */
static void show_failure(struct model_service *service, const struct store_model *models, size_t n,
                         const struct vsr_err *err) {
    size_t i = 0;
    while (i < n && !models[i].mandatory)
        i++;
    readiness_set_without_entry(service->readiness, i < n ? models[i].name : VSR_STR(""));
    readiness_set_phase(service->readiness, READINESS_FAILED, str_from_c(err->text));
}

static void give_up(void *data) {
    store_claim_free(data);
}

int model_service_configure(struct model_service *service, struct snapshot *snapshot, struct vsr_err *err) {
    const struct config_inference *inference = &snapshot->doc->global.model_catalog.inference;
    const struct fixed fixed = fixed_of(inference);
    struct arena *arena = arena_new(0, 0);
    struct store_model *models;
    size_t n = model_service_needed(snapshot, arena, &models);
    int rc = 0;
    if (n > 0 && !service->store)
        rc = start(service, inference, err);
    else if (service->store && !same_fixed(&fixed, &service->fixed))
        LOG_WARN("threads, queue, batches, cache and memory of inference change with a restart only");
    if (rc == 0 && service->store)
        rc = store_configure(service->store, models, n, err);
    if (rc < 0)
        show_failure(service, models, n, err);
    else
        readiness_set_without_entry(service->readiness, VSR_STR(""));
    if (rc == 0 && n > 0)
        arena_on_free(snapshot->arena, give_up, store_claim(service->store));
    arena_free(arena);
    return rc;
}

struct readiness *model_service_readiness(struct model_service *service) {
    return service->readiness;
}

bool model_service_ready(struct model_service *service) {
    char missing[READINESS_NAME_LEN];
    return readiness_is_ready(service->readiness, missing);
}

struct store *model_service_store(struct model_service *service) {
    return service->store;
}

struct engine *model_service_engine(struct model_service *service) {
    return service->engine;
}

/* ---- metrics */

static void set(struct metric *metric, double value) {
    metric_add(metric, value - metric_value(metric));
}

static void gauge(const struct model_service *service, const char *name, const char *help, double value) {
    set(metric_with(metrics_gauge(service->telemetry->metrics, name, help, NULL, 0, 1), NULL, 0), value);
}

static void counter(const struct model_service *service, const char *name, const char *help, uint64_t value) {
    set(metric_with(metrics_counter(service->telemetry->metrics, name, help, NULL, 0, 1), NULL, 0), (double)value);
}

static void outcome(const struct model_service *service, const char *word, uint64_t value) {
    static const char *const label_outcome[] = { "outcome" };
    vsr_str label = str_from_c(word);
    set(metric_with(metrics_counter(service->telemetry->metrics, "vsr_inference_inputs_total",
                                    "Texts that models were asked about, by what became of them.", label_outcome, 1, 8),
                    &label, 1),
        (double)value);
}

static void models_by_state(const struct model_service *service, const char *word, size_t value) {
    static const char *const label_state[] = { "state" };
    vsr_str label = str_from_c(word);
    set(metric_with(metrics_gauge(service->telemetry->metrics, "vsr_models",
                                  "Models that the configuration needs, by state.", label_state, 1, 8),
                    &label, 1),
        (double)value);
}

struct tally {
    size_t n[MODEL_STATE_FAILED + 1];
};

static void tally_one(void *data, const struct readiness_view *view) {
    ((struct tally *)data)->n[view->state]++;
}

static void publish_models(struct model_service *service) {
    struct tally tally = { 0 };
    struct store_stats stats = store_stats(service->store);
    readiness_each(service->readiness, tally_one, &tally);
    for (size_t i = 0; i < VSR_COUNT(tally.n); i++)
        models_by_state(service, model_state_name((enum readiness_state)i), tally.n[i]);
    gauge(service, "vsr_models_bytes", "Weights in memory, what models share counted once.", (double)stats.bytes);
    counter(service, "vsr_model_loads_total", "Models that were loaded.", stats.loads);
    counter(service, "vsr_model_load_failures_total", "Models that could not be loaded.", stats.failures);
    counter(service, "vsr_model_unloads_total", "Models that made room for others.", stats.unloads);
}

void model_service_publish(struct model_service *service) {
    struct engine_stats stats;
    if (!service->store)
        return;
    publish_models(service);
    stats = engine_stats(service->engine);
    gauge(service, "vsr_inference_queue_depth", "Texts that wait for a thread.", (double)stats.queue.waiting);
    gauge(service, "vsr_inference_queue_bytes", "Memory that texts which wait or run hold, in bytes.",
          (double)stats.bytes);
    gauge(service, "vsr_inference_queue_bytes_max", "Memory that they may hold, in bytes.", (double)stats.bytes_max);
    gauge(service, "vsr_inference_running", "Texts that run now.", (double)stats.queue.running);
    outcome(service, "run", stats.queue.run);
    outcome(service, "refused", stats.queue.refused);
    outcome(service, "refused_memory", stats.refused_bytes);
    outcome(service, "expired", stats.queue.expired);
    outcome(service, "cancelled", stats.queue.cancelled);
    outcome(service, "shared", stats.shared);
    outcome(service, "remembered", stats.cache.hits);
    gauge(service, "vsr_inference_cache_bytes", "Results that are remembered, in bytes.", (double)stats.cache.bytes);
    gauge(service, "vsr_inference_cache_entries", "Results that are remembered.", (double)stats.cache.entries);
    counter(service, "vsr_inference_cache_evictions_total", "Results that made room for others.", stats.cache.evicted);
}
