#include "model/engine.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/clock.h"
#include "core/mem.h"
#include "model/builtin.h"
#include "model/engine_state.h"
#include "model/flight.h"
#include "model/model.h"
#include "model/tokenizer_pool.h"
#include "nn/backend.h"
#include "nn/embedder.h"
#include "nn/gemm.h"
#include "nn/head.h"
#include "nn/kernels.h"
#include "nn/pages.h"
#include "nn/runtime.h"
#include "nn/team.h"
#include "nn/vision.h"

enum {
    CALLS_MAX = 1024,
    BATCH_TOKENS = 4096,
    BATCH_CALLS = 64,
    BYTES_MAX = 256 << 20,
    CACHE_LEN = 64 << 20,
    TOKENS_OF_THREAD = 16, /* with fewer rows a product waits for its weights, and more threads would wait with it */
    SHORT_TOKENS = 64,
    SHORT_THREADS = 4,
};

/* What one inference thread works with; made by that thread, at its first batch. */
struct station {
    struct trunk_work *work;
    struct gemm_context *gemm; /* of heads and embedders */
    struct head_scratch *head;
    struct embedder_scratch *embedder;
    struct builtin_scratch *builtin; /* NULL until a built-in model ran */
    struct vision_scratch *vision;   /* NULL until a picture was read */
    struct pages ids, types, vectors;
    /* Of a batch: model by model, and starts of one model's inputs counted from its first. */
    struct flight *flights[SCHEDULER_BATCH_MAX];
    const struct encoder_adapter *adapters[SCHEDULER_BATCH_MAX];
    uint32_t starts[SCHEDULER_BATCH_MAX + 1], own_starts[SCHEDULER_BATCH_MAX + 1], skip[SCHEDULER_BATCH_MAX];
};

/* ---- a batch */

static void open_station(struct engine *engine, struct station *station) {
    if (station->work)
        return;
    station->work = trunk_work_new(engine->runtime);
    station->gemm = gemm_context_new(engine->runtime->gemm);
    station->head = head_scratch_new();
    station->embedder = embedder_scratch_new();
}

static void close_station(struct station *station) {
    trunk_work_free(station->work);
    gemm_context_free(station->gemm);
    head_scratch_free(station->head);
    embedder_scratch_free(station->embedder);
    builtin_scratch_free(station->builtin);
    vision_scratch_free(station->vision);
    pages_free(&station->ids);
    pages_free(&station->types);
    pages_free(&station->vectors);
    station->work = NULL; /* it is opened again by the next batch */
    station->gemm = NULL;
    station->head = NULL;
    station->embedder = NULL;
    station->builtin = NULL;
    station->vision = NULL;
}

/* Inputs of one model become neighbours; models and their inputs stay in the order in which they were asked. */
static void sort_flights(struct station *station, struct scheduler_job *const *jobs, size_t n) {
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        const struct model *model = flight_of(jobs[i])->input.model;
        bool seen = false;
        for (size_t k = 0; k < done && !seen; k++)
            seen = station->flights[k]->input.model == model;
        for (size_t k = i; k < n && !seen; k++)
            if (flight_of(jobs[k])->input.model == model)
                station->flights[done++] = flight_of(jobs[k]);
    }
}

/* Puts the inputs end to end. */
static int gather(struct station *station, size_t n, struct encoder_batch *ret, struct vsr_err *err) {
    size_t tokens = 0;
    bool adapted = false;
    int rc;
    for (size_t i = 0; i < n; i++)
        tokens += station->flights[i]->input.n_tokens;
    rc = pages_grow(&station->ids, tokens * sizeof(uint32_t), err);
    if (rc == 0)
        rc = pages_grow(&station->types, tokens, err);
    if (rc < 0)
        return rc;
    tokens = 0;
    for (size_t i = 0; i < n; i++) {
        const struct flight_input *input = &station->flights[i]->input;
        station->starts[i] = (uint32_t)tokens;
        station->skip[i] = input->skip;
        station->adapters[i] = model_adapter(input->model);
        adapted = adapted || station->adapters[i];
        memcpy((uint32_t *)station->ids.data + tokens, input->ids, input->n_tokens * sizeof(*input->ids));
        memcpy((uint8_t *)station->types.data + tokens, input->types, input->n_tokens);
        tokens += input->n_tokens;
    }
    station->starts[n] = (uint32_t)tokens;
    *ret = (struct encoder_batch){ .ids = station->ids.data,
                                   .types = station->types.data,
                                   .starts = station->starts,
                                   .n = n,
                                   .adapters = adapted ? station->adapters : NULL,
                                   .no_final_norm = station->flights[0]->input.no_exit_norm };
    return 0;
}

static bool all_finite(const float *numbers, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(numbers[i]))
            return false;
    return true;
}

/* Only this input fails when its numbers are none. */
static void keep_result(struct engine *engine, struct flight *flight, const float *rows) {
    const struct flight_input *input = &flight->input;
    size_t n = input->n_rows * input->width;
    struct vsr_err err = VSR_ERR_NONE;
    if (!all_finite(rows, n)) {
        int rc = err_set(&err, VSR_E_INTERNAL, "model %.*s: the result is not a number",
                         VSR_FMT(model_directory_of(input->model)));
        flight_fail(flight, rc, &err);
        return;
    }
    memcpy(flight->result, rows, n * sizeof(*rows));
    result_cache_put(engine->cache, flight->key, flight->result, n * sizeof(*rows));
}

static int classify(struct engine *engine, struct station *station, const struct model *model,
                    struct flight *const *flights, const struct encoder_batch *batch, const float *hidden,
                    struct vsr_err *err) {
    const struct head *head = model_head(model);
    const float *rows;
    size_t n = head_is_per_token(head) ? batch->starts[batch->n] : batch->n, width = head_classes(head);
    int rc = head_run(head, station->head, station->gemm, hidden, batch, &rows, err);
    if (rc == 0)
        rc = pages_grow(&station->vectors, n * width * sizeof(*rows), err);
    if (rc < 0)
        return rc;
    memcpy(station->vectors.data, rows, n * width * sizeof(*rows));
    head_probabilities(head, station->vectors.data, n);
    for (size_t i = 0; i < batch->n; i++)
        keep_result(engine, flights[i],
                    (const float *)station->vectors.data + (head_is_per_token(head) ? batch->starts[i] : i) * width);
    return 0;
}

/* Each vector is cut as it was asked for. */
static int embed(struct engine *engine, struct station *station, const struct model *model,
                 struct flight *const *flights, const struct encoder_batch *batch, const float *hidden,
                 const uint32_t *skip, struct vsr_err *err) {
    const struct embedder *embedder = model_embedder(model);
    size_t dims = embedder_dims(embedder);
    float *rows;
    int rc = pages_grow(&station->vectors, batch->n * dims * sizeof(*rows), err);
    if (rc < 0)
        return rc;
    rows = station->vectors.data;
    rc = embedder_run(embedder, station->embedder, station->gemm, hidden, batch, skip, 0, rows, err);
    for (size_t i = 0; i < batch->n && rc == 0; i++) {
        struct flight *flight = flights[i];
        if (flight->input.width < dims)
            kernel_normalize(rows + i * dims, rows + i * dims, flight->input.width);
        keep_result(engine, flight, rows + i * dims);
    }
    return rc;
}

/* Inputs [from, to) of the batch, which are of one model. */
static int answer(struct engine *engine, struct station *station, const struct encoder_batch *batch,
                  const float *hidden, size_t from, size_t to, struct vsr_err *err) {
    struct flight *const *flights = station->flights + from;
    const struct model *model = flights[0]->input.model;
    const struct encoder_batch own = { .starts = station->own_starts, .n = to - from };
    for (size_t i = from; i <= to; i++)
        station->own_starts[i - from] = batch->starts[i] - batch->starts[from];
    hidden += batch->starts[from] * model_config(model)->hidden;
    return model_task(model) == MODEL_EMBED
               ? embed(engine, station, model, flights, &own, hidden, station->skip + from, err)
               : classify(engine, station, model, flights, &own, hidden, err);
}

/* At most. */
static size_t threads_for(const struct engine *engine, size_t n_tokens) {
    size_t useful = n_tokens < 2 * TOKENS_OF_THREAD ? 1 : n_tokens / TOKENS_OF_THREAD;
    if (n_tokens < SHORT_TOKENS && useful > SHORT_THREADS)
        useful = SHORT_THREADS;
    return engine->pass_threads && engine->pass_threads < useful ? engine->pass_threads : useful;
}

/* One pass, and what each of its models makes of it. */
static int run_models(struct engine *engine, struct station *station, struct crew *crew,
                      const struct encoder_batch *batch, struct vsr_err *err) {
    const struct flight_input *first = &station->flights[0]->input;
    const float *hidden;
    int rc = trunk_forward(model_trunk(first->model), station->work, crew, batch, first->layers, &hidden, err);
    for (size_t from = 0, to; from < batch->n && rc == 0; from = to) {
        for (to = from + 1; to < batch->n && station->flights[to]->input.model == station->flights[from]->input.model;)
            to++;
        rc = answer(engine, station, batch, hidden, from, to, err);
    }
    return rc;
}

/* One after the other: a pass takes less than waking another thread for it. */
static int run_builtin(struct engine *engine, struct station *station, size_t n, struct vsr_err *err) {
    if (!station->builtin)
        station->builtin = builtin_scratch_new();
    for (size_t i = 0; i < n; i++) {
        struct flight *flight = station->flights[i];
        const struct flight_input *input = &flight->input;
        struct builtin_result result;
        int rc = builtin_run_tokens(station->builtin, model_builtin(input->model), input->ids, input->types,
                                    input->n_tokens, &result, err);
        if (rc < 0)
            return rc;
        if (input->width < model_width(input->model)) /* a vector that is cut */
            kernel_normalize(result.numbers, result.numbers, input->width);
        keep_result(engine, flight, result.numbers);
    }
    return 0;
}

/* The file is read and run on the same cores. */
static int run_picture_file(struct engine *engine, struct station *station, const struct vision *vision, vsr_str file,
                            float *ret, struct vsr_err *err) {
    struct crew *crew;
    int rc;
    (void)pthread_mutex_lock(&engine->picture); /* fails only for a mutex that is none */
    crew = crew_begin(engine->team, threads_for(engine, vision_tokens(vision)));
    rc = vision_prepare(vision, station->vision, file, err);
    (void)pthread_mutex_unlock(&engine->picture);
    if (rc == 0)
        rc = vision_run(vision, station->vision, station->work, crew, station->gemm, ret, err);
    crew_end(crew);
    return rc;
}

static int run_base64(struct engine *engine, struct station *station, const struct vision *vision, vsr_str text,
                      float *ret, struct vsr_err *err) {
    char *bytes = mem_try_realloc(NULL, base64_room(text.len));
    size_t len;
    int rc;
    if (!bytes)
        rc = err_set(err, VSR_E_NOMEM, "no memory for a picture of %zu bytes", text.len);
    else if (!base64_read(text, false, bytes, &len))
        rc = err_set(err, VSR_E_INVALID, "the picture is not base64");
    else
        rc = run_picture_file(engine, station, vision, str_make(bytes, len), ret, err);
    mem_free(bytes);
    return rc;
}

static int run_picture(struct engine *engine, struct station *station, struct flight *flight, struct vsr_err *err) {
    const struct flight_input *input = &flight->input;
    const struct vision *vision = model_vision(input->model);
    float *vector;
    int rc;
    open_station(engine, station);
    if (!station->vision)
        station->vision = vision_scratch_new();
    rc = pages_grow(&station->vectors, vision_dims(vision) * sizeof(*vector), err);
    if (rc < 0)
        return rc;
    vector = station->vectors.data;
    rc = input->is_base64 ? run_base64(engine, station, vision, input->picture, vector, err)
                          : run_picture_file(engine, station, vision, input->picture, vector, err);
    if (rc < 0)
        return rc;
    kernel_normalize(vector, vector, input->width);
    keep_result(engine, flight, vector);
    return 0;
}

static int run_jobs(struct engine *engine, struct scheduler_job *const *jobs, size_t n, size_t thread,
                    struct vsr_err *err) {
    struct station *station = &engine->stations[thread];
    struct encoder_batch batch;
    struct crew *crew;
    int rc;
    sort_flights(station, jobs, n);
    if (model_builtin(station->flights[0]->input.model))
        return run_builtin(engine, station, n, err);
    if (station->flights[0]->input.picture.len > 0) /* alone, as it is heavy */
        return run_picture(engine, station, station->flights[0], err);
    open_station(engine, station);
    rc = gather(station, n, &batch, err);
    if (rc < 0)
        return rc;
    crew = crew_begin(engine->team, threads_for(engine, batch.starts[n]));
    rc = run_models(engine, station, crew, &batch, err);
    crew_end(crew);
    return rc;
}

static int run_batch(void *owner, struct scheduler_job *const *jobs, size_t n, size_t thread, struct vsr_err *err) {
    struct engine *engine = owner;
    uint64_t begun = clock_mono_ns(), waited[SCHEDULER_BATCH_MAX];
    struct engine_batch_seen seen = { .model = flight_of(jobs[0])->input.model, .n = n, .waited_ns = waited };
    int rc = run_jobs(engine, jobs, n, thread, err);
    for (size_t i = 0; i < n; i++) {
        waited[i] = begun - flight_of(jobs[i])->asked_ns;
        seen.tokens += jobs[i]->tokens;
    }
    if (seen.tokens > engine->tokens_max) /* one long text shall not take its memory for good */
        close_station(&engine->stations[thread]);
    if (!engine->on_batch || rc < 0)
        return rc;
    seen.run_ns = clock_mono_ns() - begun;
    engine->on_batch(engine->owner, &seen);
    return rc;
}

/* ---- life */

size_t engine_threads_default(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > SCHEDULER_THREADS_MAX ? SCHEDULER_THREADS_MAX : (size_t)n;
}

int engine_new(struct nn_runtime *runtime, const struct engine_options *options, struct engine **ret,
               struct vsr_err *err) {
    struct engine *engine = MEM_NEW(struct engine);
    size_t cache = options->cache_len_max == SIZE_MAX ? 0 : options->cache_len_max ? options->cache_len_max : CACHE_LEN;
    const struct scheduler_options scheduler = {
        .threads = options->threads ? options->threads : engine_threads_default(),
        .jobs_max = options->calls_max ? options->calls_max : CALLS_MAX,
        .tokens_max = options->tokens_max ? options->tokens_max : BATCH_TOKENS,
        .batch_max = BATCH_CALLS,
        .run = run_batch,
        .owner = engine,
    };
    int rc;
    engine->runtime = runtime;
    engine->tokens_max = scheduler.tokens_max;
    engine->on_batch = options->on_batch;
    engine->owner = options->owner;
    engine->n_stations = scheduler.threads;
    engine->stations = mem_alloc(engine->n_stations * sizeof(*engine->stations));
    engine->cache = result_cache_new(cache);
    engine->tokenizers = tokenizer_pool_new();
    (void)pthread_mutex_init(&engine->air, NULL); /* cannot fail with default attributes, nor can the other */
    (void)pthread_mutex_init(&engine->picture, NULL);
    engine->pass_threads = options->pass_threads;
    engine->bytes_max = options->bytes_max ? options->bytes_max : BYTES_MAX;
    rc = team_new(scheduler.threads, &engine->team, err);
    if (rc == 0)
        rc = scheduler_new(&scheduler, &engine->scheduler, err);
    if (rc < 0) {
        engine_free(engine);
        return rc;
    }
    *ret = engine;
    return 0;
}

void engine_free(struct engine *engine) {
    if (!engine)
        return;
    scheduler_free(engine->scheduler);
    team_free(engine->team);
    for (size_t i = 0; i < engine->n_stations; i++)
        close_station(&engine->stations[i]);
    tokenizer_pool_free(engine->tokenizers);
    result_cache_free(engine->cache);
    (void)pthread_mutex_destroy(&engine->air);
    (void)pthread_mutex_destroy(&engine->picture);
    mem_free(engine->stations);
    mem_free(engine);
}

struct engine_stats engine_stats(struct engine *engine) {
    struct engine_stats stats = { .queue = scheduler_stats(engine->scheduler),
                                  .cache = result_cache_stats(engine->cache) };
    (void)pthread_mutex_lock(&engine->air);
    stats.shared = engine->shared;
    stats.bytes = engine->bytes;
    stats.bytes_max = engine->bytes_max;
    stats.refused_bytes = engine->refused_bytes;
    (void)pthread_mutex_unlock(&engine->air);
    return stats;
}
