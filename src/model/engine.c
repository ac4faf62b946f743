#include "model/engine.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "model/flight.h"
#include "model/model.h"
#include "nn/backend.h"
#include "nn/embedder.h"
#include "nn/gemm.h"
#include "nn/head.h"
#include "nn/kernels.h"
#include "nn/pages.h"
#include "nn/runtime.h"
#include "nn/team.h"
#include "text/tokenizer.h"
#include "text/window.h"

enum {
    CALLS_MAX = 1024,
    BATCH_TOKENS = 4096,
    BATCH_CALLS = 64,
    CACHE_LEN = 64 << 20,
    TOKENS_OF_THREAD = 16, /* with fewer rows a product waits for its weights, and more threads would wait with it */
    SHORT_TOKENS = 64,
    SHORT_THREADS = 4,
    SPARE_TOKENIZERS_MAX = 64,
    LONG_TEXT_ROOM_MIN = 8, /* tokens of a window that are the text's: fewer say nothing */
};

/* What one inference thread works with; made by that thread, at its first batch. */
struct station {
    struct trunk_work *work;
    struct gemm_context *gemm; /* of heads and embedders */
    struct head_scratch *head;
    struct embedder_scratch *embedder;
    struct pages ids, types, vectors;
    /* Of a batch: model by model, and starts of one model's inputs counted from its first. */
    struct flight *flights[SCHEDULER_BATCH_MAX];
    const struct encoder_adapter *adapters[SCHEDULER_BATCH_MAX];
    uint32_t starts[SCHEDULER_BATCH_MAX + 1], own_starts[SCHEDULER_BATCH_MAX + 1], skip[SCHEDULER_BATCH_MAX];
};

struct spare {
    struct spare *next;
    struct tokenizer_scratch *scratch;
};

struct engine {
    struct nn_runtime *runtime;
    struct scheduler *scheduler;
    struct team *team;
    size_t pass_threads;
    void (*on_batch)(void *owner, const struct engine_batch_seen *seen);
    void *owner;
    struct result_cache *cache;
    struct station *stations;
    size_t n_stations;
    pthread_mutex_t mutex; /* guards the spare tokenizers */
    struct spare *spares;
    size_t n_spares;
    pthread_mutex_t air; /* guards the rest, and what flight.h says; taken before the scheduler's and the cache's own */
    struct flight_table flights;
    uint64_t shared;
};

/* ---- tokenizers' scratch: one for each thread that tokenises at the same time */

static struct spare *take_spare(struct engine *engine) {
    struct spare *spare;
    (void)pthread_mutex_lock(&engine->mutex); /* fails only for a mutex that is none */
    spare = engine->spares;
    if (spare) {
        engine->spares = spare->next;
        engine->n_spares--;
    }
    (void)pthread_mutex_unlock(&engine->mutex);
    if (spare)
        return spare;
    spare = MEM_NEW(struct spare);
    spare->scratch = tokenizer_scratch_new();
    return spare;
}

static void free_spare(struct spare *spare) {
    tokenizer_scratch_free(spare->scratch);
    mem_free(spare);
}

static void give_spare(struct engine *engine, struct spare *spare) {
    bool full;
    (void)pthread_mutex_lock(&engine->mutex);
    full = engine->n_spares >= SPARE_TOKENIZERS_MAX;
    if (!full) {
        spare->next = engine->spares;
        engine->spares = spare;
        engine->n_spares++;
    }
    (void)pthread_mutex_unlock(&engine->mutex);
    if (full)
        free_spare(spare);
}

/* ---- a batch */

static struct flight *flight_of(const struct scheduler_job *job) {
    return job->owner;
}

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
    pages_free(&station->ids);
    pages_free(&station->types);
    pages_free(&station->vectors);
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
                                   .adapters = adapted ? station->adapters : NULL };
    return 0;
}

static bool all_finite(const float *numbers, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(numbers[i]))
            return false;
    return true;
}

static int fail_flight(struct flight *flight, int rc, const struct vsr_err *err) {
    flight->rc = rc;
    flight->err = MEM_NEW(struct vsr_err);
    *flight->err = *err;
    return rc;
}

/* Only this input fails when its numbers are none. */
static void keep_result(struct engine *engine, struct flight *flight, const float *rows) {
    const struct flight_input *input = &flight->input;
    size_t n = input->n_rows * input->width;
    struct vsr_err err = VSR_ERR_NONE;
    if (!all_finite(rows, n)) {
        int rc = err_set(&err, VSR_E_INTERNAL, "model %.*s: the result is not a number",
                         VSR_FMT(model_directory_of(input->model)));
        (void)fail_flight(flight, rc, &err);
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

static int run_jobs(struct engine *engine, struct scheduler_job *const *jobs, size_t n, size_t thread,
                    struct vsr_err *err) {
    struct station *station = &engine->stations[thread];
    struct encoder_batch batch;
    struct crew *crew;
    int rc;
    open_station(engine, station);
    sort_flights(station, jobs, n);
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
    if (!engine->on_batch)
        return rc;
    for (size_t i = 0; i < n; i++) {
        waited[i] = begun - flight_of(jobs[i])->asked_ns;
        seen.tokens += jobs[i]->tokens;
    }
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
    engine->on_batch = options->on_batch;
    engine->owner = options->owner;
    engine->n_stations = scheduler.threads;
    engine->stations = mem_alloc(engine->n_stations * sizeof(*engine->stations));
    engine->cache = result_cache_new(cache);
    (void)pthread_mutex_init(&engine->mutex, NULL); /* cannot fail with default attributes, nor can the other */
    (void)pthread_mutex_init(&engine->air, NULL);
    engine->pass_threads = options->pass_threads;
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
    while (engine->spares) {
        struct spare *spare = engine->spares;
        engine->spares = spare->next;
        free_spare(spare);
    }
    result_cache_free(engine->cache);
    (void)pthread_mutex_destroy(&engine->mutex);
    (void)pthread_mutex_destroy(&engine->air);
    mem_free(engine->stations);
    mem_free(engine);
}

/* ---- calls */

void engine_call_done(struct engine_call *call) {
    if (call->n_parts > 1)
        mem_free(call->parts);
    call->parts = NULL;
    call->n_parts = 0;
    mem_free(call->result);
    mem_free(call->ids);
    call->result = NULL;
    call->ids = call->starts = call->ends = NULL;
    call->types = call->sequences = NULL;
}

/* One allocation for all arrays. */
static void copy_tokens(struct engine_call *call, const struct encoding *encoding) {
    size_t n = encoding->n;
    call->n_tokens = n;
    call->n_dropped = encoding->n_dropped;
    call->ids = mem_alloc(n * (3 * sizeof(uint32_t) + 2));
    call->starts = call->ids + n;
    call->ends = call->starts + n;
    call->types = (uint8_t *)(call->ends + n);
    call->sequences = call->types + n;
    memcpy(call->ids, encoding->ids, n * sizeof(uint32_t));
    memcpy(call->starts, encoding->starts, n * sizeof(uint32_t));
    memcpy(call->ends, encoding->ends, n * sizeof(uint32_t));
    memcpy(call->types, encoding->types, n);
    memcpy(call->sequences, encoding->sequences, n);
}

static int tokenize(struct engine *engine, struct engine_call *call, struct vsr_err *err) {
    const struct tokenizer *tokenizer = model_tokenizer(call->model);
    size_t windows = call->long_text == LONG_TEXT_TRUNCATE ? 1 : LONG_TEXT_WINDOWS_MAX;
    const struct tokenizer_options options = { .tokens_max = windows * model_tokens_max(call->model),
                                               .truncation =
                                                   call->cut_first ? TOKENIZER_ONLY_FIRST : TOKENIZER_KEEP_START };
    struct spare *spare = take_spare(engine);
    struct encoding encoding;
    int rc = call->is_pair
                 ? tokenizer_encode_pair(tokenizer, spare->scratch, call->text, call->second, &options, &encoding, err)
                 : tokenizer_encode(tokenizer, spare->scratch, call->text, &options, &encoding, err);
    if (rc == 0 && encoding.n == 0)
        rc = err_set(err, VSR_E_INVALID, "the text has no tokens and the model adds none");
    if (rc == 0)
        copy_tokens(call, &encoding);
    give_spare(engine, spare);
    return rc;
}

static int check_call(const struct engine_call *call, struct vsr_err *err) {
    bool embeds = model_task(call->model) == MODEL_EMBED;
    if (embeds && call->is_pair)
        return err_set(err, VSR_E_INVALID, "an embedder takes one text, not a pair");
    if (!embeds && (call->layers || call->dims))
        return err_set(err, VSR_E_INVALID, "layers and dimensions are of embedders");
    if (call->layers > model_config(call->model)->layers)
        return err_set(err, VSR_E_LIMIT, "layer %zu, the model has %zu", call->layers,
                       model_config(call->model)->layers);
    if (call->dims > model_width(call->model))
        return err_set(err, VSR_E_LIMIT, "%zu dimensions, the model has %zu", call->dims, model_width(call->model));
    return 0;
}

/* ---- flights */

static void release(struct flight *dead[], size_t n) {
    for (size_t i = 0; i < n; i++)
        flight_free(dead[i]);
}

/* With `air` held. What is not needed any more is listed in `dead`, to be freed without it. */
static void leave(struct engine *engine, struct engine_part *part, struct flight *dead[], size_t *n_dead) {
    struct flight *flight = part->flight;
    if (!flight)
        return;
    part->flight = NULL;
    if (!flight->landed) {
        flight_detach(flight, part);
        if (!flight->parts && scheduler_cancel(engine->scheduler, &flight->job)) {
            flight_unlist(&engine->flights, flight);
            (void)flight_unref(flight); /* that was the scheduler's */
        }
    }
    if (flight_unref(flight))
        dead[(*n_dead)++] = flight;
}

static void leave_all(struct engine *engine, struct engine_call *call) {
    struct flight *dead[ENGINE_PARTS_MAX];
    size_t n_dead = 0;
    (void)pthread_mutex_lock(&engine->air); /* fails only for a mutex that is none */
    for (size_t i = 0; i < call->n_parts; i++)
        leave(engine, &call->parts[i], dead, &n_dead);
    (void)pthread_mutex_unlock(&engine->air);
    release(dead, n_dead);
}

/* ---- long texts */

/* The tokens that give way: of a pair the first text's, or the longer one's. False: they are not in one piece. */
static bool find_cut(struct engine_call *call) {
    size_t n[2] = { 0, 0 }, first[2] = { 0, 0 }, last[2] = { 0, 0 }, which;
    for (size_t i = 0; i < call->n_tokens; i++) {
        uint8_t sequence = call->sequences[i];
        if (sequence > 1 || (sequence == 0 && i < call->skip)) /* the template's, or a prompt's */
            continue;
        if (n[sequence]++ == 0)
            first[sequence] = i;
        last[sequence] = i;
    }
    which = call->is_pair && !call->cut_first && n[1] > n[0] ? 1 : 0;
    call->cut_from = first[which];
    call->n_cut = n[which];
    return n[which] > 0 && last[which] - first[which] + 1 == n[which];
}

/* Leaves out the tokens [from, to). */
static void drop_tokens(struct engine_call *call, size_t from, size_t to) {
    size_t behind = call->n_tokens - to;
    memmove(call->ids + from, call->ids + to, behind * sizeof(*call->ids));
    memmove(call->starts + from, call->starts + to, behind * sizeof(*call->starts));
    memmove(call->ends + from, call->ends + to, behind * sizeof(*call->ends));
    memmove(call->types + from, call->types + to, behind);
    memmove(call->sequences + from, call->sequences + to, behind);
    call->n_tokens -= to - from;
    call->n_cut -= to - from;
    call->n_dropped += to - from;
}

static void sample(struct engine_call *call, size_t room) {
    struct window_ranges ranges = window_ranges(call->n_cut, room);
    for (size_t i = ranges.n - 1; i > 0; i--) /* from the end, so that places hold */
        drop_tokens(call, call->cut_from + ranges.to[i - 1], call->cut_from + ranges.from[i]);
}

static void cut_windows(struct engine_call *call, size_t room) {
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    size_t covered, n = long_text_windows(call->n_cut, room, windows, &covered);
    drop_tokens(call, call->cut_from + covered, call->cut_from + call->n_cut);
    if (n == 1)
        return;
    call->parts = mem_alloc(n * sizeof(*call->parts));
    call->n_parts = n;
    for (size_t i = 0; i < n; i++)
        call->parts[i] = (struct engine_part){ .call = call, .window = windows[i] };
}

/* A text that is not too long is run as it is. */
static int fit(struct engine_call *call, struct vsr_err *err) {
    size_t most = model_tokens_max(call->model), fixed;
    if (call->n_tokens <= most)
        return 0;
    if (!find_cut(call))
        return err_set(err, VSR_E_LIMIT, "%zu tokens, the model takes %zu, and its template holds the text twice",
                       call->n_tokens, most);
    fixed = call->n_tokens - call->n_cut;
    if (fixed + LONG_TEXT_ROOM_MIN > most)
        return err_set(err, VSR_E_LIMIT, "%s of %zu tokens leaves no room for the text: the model takes %zu",
                       call->is_pair ? "the other text" : "the prompt", fixed, most);
    if (call->long_text == LONG_TEXT_SAMPLE)
        sample(call, most - fixed);
    else
        cut_windows(call, most - fixed);
    return 0;
}

/* Where token `at` of the call stands in a part. Those outside the cut are in all. */
static size_t place_in(const struct engine_call *call, const struct engine_part *part, size_t at) {
    if (at < call->cut_from)
        return at;
    if (at >= call->cut_from + call->n_cut)
        return at - call->n_cut + part->window.n;
    return at - part->window.from;
}

static void combine_rows(const struct engine_call *call, const float *const *rows, const struct long_window *windows,
                         bool most, float *ret) {
    if (call->risk)
        memcpy(ret, rows[long_text_extreme(rows, call->n_parts, call->width, call->risk, most)],
               call->width * sizeof(*ret));
    else
        long_text_mean(rows, windows, call->n_parts, call->width, ret);
}

static void combine_tags(struct engine_call *call, const struct long_window *windows) {
    const float *rows[LONG_TEXT_WINDOWS_MAX];
    for (size_t at = 0; at < call->n_tokens; at++) {
        float *row = call->result + at * call->width;
        bool inside = at >= call->cut_from && at < call->cut_from + call->n_cut;
        for (size_t i = 0; i < call->n_parts && !inside; i++)
            rows[i] = call->parts[i].flight->result + place_in(call, &call->parts[i], at) * call->width;
        if (inside) {
            const struct engine_part *part =
                &call->parts[long_text_nearest(windows, call->n_parts, at - call->cut_from)];
            memcpy(row, part->flight->result + place_in(call, part, at) * call->width, call->width * sizeof(*row));
        } else {
            combine_rows(call, rows, windows, false, row);
        }
    }
}

/* One answer of those of all parts, which are there. */
static void combine(struct engine_call *call) {
    const float *rows[LONG_TEXT_WINDOWS_MAX];
    struct long_window windows[LONG_TEXT_WINDOWS_MAX];
    if (call->n_parts == 1) {
        memcpy(call->result, call->parts[0].flight->result, call->n_rows * call->width * sizeof(*call->result));
        return;
    }
    for (size_t i = 0; i < call->n_parts; i++) {
        rows[i] = call->parts[i].flight->result;
        windows[i] = call->parts[i].window;
    }
    if (model_task(call->model) == MODEL_TAG)
        combine_tags(call, windows);
    else
        combine_rows(call, rows, windows, true, call->result);
    if (model_task(call->model) == MODEL_EMBED)
        kernel_normalize(call->result, call->result, call->width);
}

/* ---- waiting for flights */

/* All parts are there: the answer, or the first failure. */
static void finish(struct engine *engine, struct engine_call *call) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = 0;
    call->remembered = true;
    for (size_t i = 0; i < call->n_parts; i++) {
        const struct flight *flight = call->parts[i].flight;
        call->remembered &= flight->remembered;
        if (flight->rc < 0 && rc == 0) {
            rc = flight->rc;
            err = *flight->err;
        }
    }
    if (rc == 0)
        combine(call);
    leave_all(engine, call);
    call->done(call, rc, &err);
}

/* With `air` held: a part less to wait for. */
static void arrive(struct engine_part *part, struct engine_call **ended) {
    struct engine_call *call = part->call;
    if (--call->n_left > 0)
        return;
    call->ended = true;
    call->next = *ended;
    *ended = call;
}

/* With `air` held. Whoever joined while the job was being given up as too late may have more time. */
static bool fly_again(struct engine *engine, struct flight *flight) {
    uint64_t now_ms = clock_mono_ms(), latest = 0;
    bool endless = false;
    struct vsr_err err;
    for (const struct engine_part *part = flight->parts; part; part = part->next) {
        endless |= part->call->deadline_ms == 0;
        if (part->call->deadline_ms > latest)
            latest = part->call->deadline_ms;
    }
    if (!endless && latest <= now_ms)
        return false;
    flight->job.deadline_ms = endless ? 0 : latest;
    return scheduler_submit(engine->scheduler, &flight->job, &err) == 0;
}

static void on_landed(struct scheduler_job *job, int rc, const struct vsr_err *err) {
    struct flight *flight = flight_of(job);
    struct engine *engine = flight->engine;
    struct engine_call *ended = NULL;
    bool dead;
    (void)pthread_mutex_lock(&engine->air);
    if (rc == VSR_E_TIMEOUT && fly_again(engine, flight)) {
        (void)pthread_mutex_unlock(&engine->air);
        return;
    }
    if (rc < 0)
        (void)fail_flight(flight, rc, err);
    flight_unlist(&engine->flights, flight);
    flight->landed = true;
    while (flight->parts) {
        struct engine_part *part = flight->parts;
        flight_detach(flight, part);
        arrive(part, &ended);
    }
    dead = flight_unref(flight);
    (void)pthread_mutex_unlock(&engine->air);
    if (dead)
        flight_free(flight);
    while (ended) {
        struct engine_call *call = ended;
        ended = call->next;
        finish(engine, call);
    }
}

/* With `air` held. Takes the flight that has been made for a part, and lets the part wait for it or for its like. */
static int board(struct engine *engine, struct engine_part *part, struct flight *made, struct flight *dead[],
                 size_t *n_dead, struct vsr_err *err) {
    const struct engine_call *call = part->call;
    struct flight *flight = flight_find(&engine->flights, made->key);
    int rc;
    if (flight) {
        engine->shared++;
        scheduler_hurry(engine->scheduler, &flight->job, call->priority, call->deadline_ms);
        flight->n_refs++;
        flight_attach(flight, part);
        (void)flight_unref(made);
        dead[(*n_dead)++] = made;
        return 0;
    }
    made->remembered = made->landed = result_cache_get(engine->cache, made->key, made->result,
                                                       made->input.n_rows * made->input.width * sizeof(*made->result));
    if (made->landed) {
        part->flight = made;
        return 0;
    }
    made->engine = engine;
    made->asked_ns = clock_mono_ns();
    made->job = (struct scheduler_job){ .kind = model_kind(made->input.model, made->input.layers),
                                        .priority = call->priority,
                                        .tokens = made->input.n_tokens,
                                        .deadline_ms = call->deadline_ms,
                                        .done = on_landed,
                                        .owner = made };
    rc = scheduler_submit(engine->scheduler, &made->job, err);
    if (rc < 0) {
        (void)flight_unref(made);
        dead[(*n_dead)++] = made;
        return rc;
    }
    made->n_refs++; /* one is the scheduler's */
    flight_list(&engine->flights, made);
    flight_attach(made, part);
    return 0;
}

/* A flight copies its tokens, so that those of a window can be put together here first. */
static struct flight *make_flight(const struct engine_call *call, const struct engine_part *part, uint32_t *ids,
                                  uint8_t *types) {
    bool tags = model_task(call->model) == MODEL_TAG;
    struct flight_input input = {
        .model = call->model,
        .ids = call->ids,
        .types = call->types,
        .n_tokens = call->n_tokens,
        .width = call->width,
        .layers = call->layers == model_config(call->model)->layers ? 0 : call->layers,
        .skip = call->skip,
    };
    if (ids) { /* a window */
        size_t head = call->cut_from, n = part->window.n, tail = call->n_tokens - head - call->n_cut;
        memcpy(ids, call->ids, head * sizeof(*ids));
        memcpy(ids + head, call->ids + head + part->window.from, n * sizeof(*ids));
        memcpy(ids + head + n, call->ids + head + call->n_cut, tail * sizeof(*ids));
        memcpy(types, call->types, head);
        memcpy(types + head, call->types + head + part->window.from, n);
        memcpy(types + head + n, call->types + head + call->n_cut, tail);
        input.ids = ids;
        input.types = types;
        input.n_tokens = head + n + tail;
    }
    input.n_rows = tags ? input.n_tokens : 1;
    return flight_new(&input);
}

static void make_flights(const struct engine_call *call, struct flight *made[]) {
    size_t n = call->n_parts > 1 ? model_tokens_max(call->model) : 0;
    uint32_t *ids = n ? mem_alloc(n * (sizeof(*ids) + 1)) : NULL;
    for (size_t i = 0; i < call->n_parts; i++)
        made[i] = make_flight(call, &call->parts[i], ids, ids ? (uint8_t *)(ids + n) : NULL);
    mem_free(ids);
}

/* Tokens and all that is needed to run; nothing is left behind on failure. */
static int begin_call(struct engine *engine, struct engine_call *call, struct vsr_err *err) {
    int rc = check_call(call, err);
    call->result = NULL;
    call->ids = NULL;
    call->ended = false;
    call->parts = &call->only;
    call->n_parts = 1;
    call->only = (struct engine_part){ .call = call };
    if (rc == 0)
        rc = tokenize(engine, call, err);
    if (rc < 0)
        return rc;
    rc = fit(call, err);
    if (rc < 0) {
        engine_call_done(call);
        return rc;
    }
    call->n_rows = model_task(call->model) == MODEL_TAG ? call->n_tokens : 1;
    call->width = call->dims ? call->dims : model_width(call->model);
    call->result = mem_alloc(call->n_rows * call->width * sizeof(*call->result));
    return 0;
}

/* All parts or none. Tells whether the call is over already. */
static int board_all(struct engine *engine, struct engine_call *call, bool *ret_over, struct vsr_err *err) {
    struct flight *made[ENGINE_PARTS_MAX], *dead[2 * ENGINE_PARTS_MAX];
    size_t n = call->n_parts, n_dead = 0, i;
    int rc = 0;
    VSR_ASSERT(n <= ENGINE_PARTS_MAX);
    make_flights(call, made);
    call->n_left = n;
    (void)pthread_mutex_lock(&engine->air);
    for (i = 0; i < n && rc == 0; i++) {
        rc = board(engine, &call->parts[i], made[i], dead, &n_dead, err);
        if (rc == 0 && call->parts[i].flight->landed)
            call->n_left--;
    }
    for (size_t k = i; k < n; k++) {
        (void)flight_unref(made[k]);
        dead[n_dead++] = made[k];
    }
    for (size_t k = 0; k < n && rc < 0; k++)
        leave(engine, &call->parts[k], dead, &n_dead);
    *ret_over = rc == 0 && call->n_left == 0;
    call->ended = *ret_over;
    (void)pthread_mutex_unlock(&engine->air);
    release(dead, n_dead);
    return rc;
}

/* Calls that have begun, in order up to the first that cannot; nothing runs before all are there. */
static int board_together(struct engine *engine, struct engine_call *calls, size_t n, size_t *ret_n,
                          struct vsr_err *err) {
    bool over[ENGINE_TOGETHER_MAX];
    size_t done = 0;
    int rc = 0;
    VSR_ASSERT(n <= ENGINE_TOGETHER_MAX);
    scheduler_hold(engine->scheduler);
    while (done < n && (rc = board_all(engine, &calls[done], &over[done], err)) == 0)
        done++;
    scheduler_let_go(engine->scheduler);
    *ret_n = done;
    for (size_t i = 0; i < done; i++)
        if (over[i])
            finish(engine, &calls[i]);
    return rc;
}

/* In order up to the first that cannot. */
static int begin_calls(struct engine *engine, struct engine_call *calls, size_t n, size_t *ret_n, struct vsr_err *err) {
    int rc = 0;
    *ret_n = 0;
    while (*ret_n < n && (rc = begin_call(engine, &calls[*ret_n], err)) == 0)
        ++*ret_n;
    return rc;
}

int engine_submit_all(struct engine *engine, struct engine_call *calls, size_t n, size_t *ret_n, struct vsr_err *err) {
    struct vsr_err full = VSR_ERR_NONE;
    size_t begun;
    int rc = begin_calls(engine, calls, n, &begun, err);
    int boarded = board_together(engine, calls, begun, ret_n, &full);
    for (size_t i = *ret_n; i < begun; i++)
        engine_call_done(&calls[i]);
    if (boarded < 0)
        *err = full;
    return boarded < 0 ? boarded : rc;
}

int engine_submit(struct engine *engine, struct engine_call *call, struct vsr_err *err) {
    size_t n;
    return engine_submit_all(engine, call, 1, &n, err);
}

bool engine_cancel(struct engine *engine, struct engine_call *call) {
    struct flight *dead[ENGINE_PARTS_MAX];
    size_t n_dead = 0;
    bool cancelled;
    (void)pthread_mutex_lock(&engine->air);
    cancelled = !call->ended;
    call->ended = true;
    for (size_t i = 0; i < call->n_parts && cancelled; i++)
        leave(engine, &call->parts[i], dead, &n_dead);
    (void)pthread_mutex_unlock(&engine->air);
    release(dead, n_dead);
    return cancelled;
}

/* ---- calls that are waited for */

struct wait {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t left;
    size_t failed; /* index of the first call that did */
    struct vsr_err err;
    struct engine_call *calls;
};

static void on_waited_done(struct engine_call *call, int rc, const struct vsr_err *err) {
    struct wait *wait = call->owner;
    (void)pthread_mutex_lock(&wait->mutex); /* fails only for a mutex that is none */
    if (rc < 0 && (size_t)(call - wait->calls) < wait->failed) {
        wait->failed = (size_t)(call - wait->calls);
        wait->err = *err;
        wait->err.code = rc;
    }
    wait->left--;
    (void)pthread_cond_signal(&wait->changed);
    (void)pthread_mutex_unlock(&wait->mutex);
}

static void wait_until(struct wait *wait, size_t left) {
    (void)pthread_mutex_lock(&wait->mutex);
    while (wait->left > left)
        (void)pthread_cond_wait(&wait->changed, &wait->mutex);
    (void)pthread_mutex_unlock(&wait->mutex);
}

/* How many were waited for before. */
static size_t wait_for(struct wait *wait, size_t more) {
    size_t before;
    (void)pthread_mutex_lock(&wait->mutex);
    before = wait->left;
    wait->left += more;
    (void)pthread_mutex_unlock(&wait->mutex);
    return before;
}

/* A full queue is waited out while calls of ours are in it. */
static int board_waited(struct engine *engine, struct wait *wait, struct engine_call *calls, size_t n,
                        struct vsr_err *err) {
    for (size_t done = 0, boarded; done < n; done += boarded) {
        size_t before = wait_for(wait, n - done);
        int rc = board_together(engine, calls + done, n - done, &boarded, err);
        (void)wait_for(wait, boarded - (n - done)); /* less */
        if (rc == 0)
            return 0;
        if (rc != VSR_E_LIMIT || before + boarded == 0) {
            for (size_t i = done + boarded; i < n; i++)
                engine_call_done(&calls[i]);
            return rc;
        }
        wait_until(wait, before + boarded - 1);
    }
    return 0;
}

/* The calls before one that fails are run. */
static int submit_waited(struct engine *engine, struct wait *wait, struct engine_call *calls, size_t n,
                         struct vsr_err *err) {
    struct vsr_err full = VSR_ERR_NONE;
    size_t begun;
    int rc = begin_calls(engine, calls, n, &begun, err), boarded = board_waited(engine, wait, calls, begun, &full);
    if (boarded < 0)
        *err = full;
    return boarded < 0 ? boarded : rc;
}

int engine_run(struct engine *engine, struct engine_call *calls, size_t n, struct vsr_err *err) {
    struct wait wait = { .failed = n, .calls = calls };
    int rc = 0;
    (void)pthread_mutex_init(&wait.mutex, NULL); /* cannot fail with default attributes, nor can the other */
    (void)pthread_cond_init(&wait.changed, NULL);
    for (size_t i = 0; i < n; i++) { /* so that all may be freed, whichever are reached */
        calls[i].result = NULL;
        calls[i].ids = NULL;
        calls[i].n_parts = 0;
        calls[i].done = on_waited_done;
        calls[i].owner = &wait;
    }
    for (size_t i = 0; i < n && rc == 0; i += ENGINE_TOGETHER_MAX)
        rc = submit_waited(engine, &wait, calls + i, n - i < ENGINE_TOGETHER_MAX ? n - i : ENGINE_TOGETHER_MAX, err);
    wait_until(&wait, 0);
    if (rc == 0 && wait.failed < n) {
        rc = wait.err.code;
        *err = wait.err;
    }
    (void)pthread_cond_destroy(&wait.changed);
    (void)pthread_mutex_destroy(&wait.mutex);
    return rc;
}

struct engine_stats engine_stats(struct engine *engine) {
    struct engine_stats stats = { .queue = scheduler_stats(engine->scheduler),
                                  .cache = result_cache_stats(engine->cache) };
    (void)pthread_mutex_lock(&engine->air);
    stats.shared = engine->shared;
    (void)pthread_mutex_unlock(&engine->air);
    return stats;
}
