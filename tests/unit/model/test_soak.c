#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "model/engine.h"
#include "model/model.h"
#include "nn/runtime.h"
#include "test.h"

/*
 * Long use: many clients, texts of all lengths, models that come and go; nothing is lost, wrong, or left in memory.
 * VSR_TEST_LONG=1 runs it at full length, else it is short and memory is not judged.
 */

enum {
    PATH_LEN = 512,
    CLIENTS = 32,
    TEXTS = 256,
    REQUESTS = 100000,
    REQUESTS_SHORT = 2000,
    STEPS = 10,           /* memory is looked at after each tenth */
    CACHE_LEN = 16384,    /* far less than the results of all texts: some are remembered, most are not */
    GROWTH_MAX = 3 << 20, /* the allocator keeps some for itself; a leak of 35 bytes a request is more */
    QUEUE = 8,
};

struct rig {
    struct nn_runtime *runtime;
    struct engine *engine;
};

static void rig_begin(struct rig *rig, const struct engine_options *options) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(engine_new(rig->runtime, options, &rig->engine, &err) == 0, "%s", err.text);
}

static void rig_end(struct rig *rig) {
    engine_free(rig->engine);
    nn_runtime_free(rig->runtime);
}

static struct model *open_fixture(struct nn_runtime *runtime, const char *name) {
    const struct model_options options = { .precision = PRECISION_F32 };
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model = NULL;
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), name);
    CHECK_MSG(model_open(runtime, str_from_c(path), &options, &model, &err) == 0, "%s: %s", name, err.text);
    return model;
}

static size_t resident(void) {
    unsigned long all = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file && fscanf(file, "%lu %lu", &all, &pages) == 2, "/proc/self/statm");
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Not by a short run; and sanitizers keep what was freed. */
static bool memory_is_judged(bool whole) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    static const bool sanitized = true;
#else
    static const bool sanitized = false;
#endif
    return whole && !sanitized;
}

/* ---- clients */

struct soak {
    struct rig rig;
    struct model *model;
    vsr_str texts[TEXTS];
    struct engine_call want[TEXTS];
    size_t n_requests;
    atomic_size_t next, answered, late, wrong;
    atomic_bool over;
};

/* One in a hundred comes too late; then it is told so, unless somebody else's run or memory had the answer. */
static void ask(struct soak *soak, size_t i) {
    size_t text = i % 4 == 0 ? i / 4 % 8 : i * 31 % TEXTS; /* some are asked again soon */
    struct engine_call call = { .model = soak->model,
                                .text = soak->texts[text],
                                .priority = (enum scheduler_priority)(i % PRIORITIES),
                                .deadline_ms = i % 100 == 99 ? 1 : 0 };
    struct vsr_err err = VSR_ERR_NONE;
    int rc = engine_run(soak->rig.engine, &call, 1, &err);
    if (rc == VSR_E_TIMEOUT && call.deadline_ms)
        atomic_fetch_add(&soak->late, 1);
    else if (rc == 0 && memcmp(call.result, soak->want[text].result, call.width * sizeof(float)) == 0)
        atomic_fetch_add(&soak->answered, 1);
    else
        atomic_fetch_add(&soak->wrong, 1);
    engine_call_done(&call);
}

static void *client_main(void *data) {
    struct soak *soak = data;
    for (size_t i; (i = atomic_fetch_add(&soak->next, 1)) < soak->n_requests;)
        ask(soak, i);
    return NULL;
}

/* Another model comes, is asked, and goes, all the time. */
static void *swapper_main(void *data) {
    struct soak *soak = data;
    while (!atomic_load(&soak->over)) {
        struct model *model = open_fixture(soak->rig.runtime, "bert-sequence");
        struct engine_call call = { .model = model, .text = VSR_STR("a text") };
        struct vsr_err err = VSR_ERR_NONE;
        if (engine_run(soak->rig.engine, &call, 1, &err) < 0)
            atomic_fetch_add(&soak->wrong, 1);
        engine_call_done(&call);
        model_unref(model);
        usleep(50000);
    }
    return NULL;
}

/* From 2 to 250 words that the fixtures' tokenizers know, no two texts alike. */
static vsr_str text_of(struct arena *arena, size_t i) {
    static const char words[][5] = { "baba", "duke", "fori", "gifu", "kena", "labi", "muko", "noru",
                                     "pife", "reni", "sabu", "tuka", "bure", "dofo", "finu", "gebe" };
    vsr_str text = arena_printf(arena, "%s %s", words[i % 16], words[i / 16 % 16]);
    for (size_t k = 0; k < i % 32 * 8; k++)
        text = arena_printf(arena, "%.*s %s", VSR_FMT(text), words[(i + k * (3 + i / 32)) % 16]);
    return text;
}

static void soak_begin(struct soak *soak, struct arena *arena) {
    soak->model = open_fixture(soak->rig.runtime, "bert-embed-mean");
    for (size_t i = 0; i < TEXTS; i++) {
        struct vsr_err err = VSR_ERR_NONE;
        soak->texts[i] = text_of(arena, i);
        soak->want[i] = (struct engine_call){ .model = soak->model, .text = soak->texts[i] };
        CHECK_MSG(engine_run(soak->rig.engine, &soak->want[i], 1, &err) == 0, "%s", err.text);
    }
}

/* Resident memory at each tenth of the way. */
static void watch(struct soak *soak, size_t bytes[static STEPS]) {
    for (size_t step = 0; step < STEPS; step++) {
        size_t until = (step + 1) * soak->n_requests / STEPS;
        while (atomic_load(&soak->answered) + atomic_load(&soak->late) + atomic_load(&soak->wrong) < until)
            usleep(1000);
        bytes[step] = resident();
    }
}

static void check_soak(struct soak *soak, const size_t bytes[static STEPS], bool whole) {
    struct engine_stats stats = engine_stats(soak->rig.engine);
    CHECK_INT(atomic_load(&soak->wrong), 0, "none is wrong or failed");
    CHECK_INT(atomic_load(&soak->answered) + atomic_load(&soak->late), soak->n_requests, "none is lost");
    CHECK(atomic_load(&soak->answered) >= soak->n_requests / 100 * 99, "only those with a deadline were late");
    CHECK_INT(stats.queue.submitted, stats.queue.run + stats.queue.expired + stats.queue.cancelled, "each job ended");
    CHECK_INT(stats.queue.waiting + stats.queue.running, 0, "nothing is left in the queue");
    if (getenv("VSR_TEST_VERBOSE"))
        fprintf(stderr, "%zu run in %zu batches, %zu remembered, %zu shared\n", (size_t)stats.queue.run,
                (size_t)stats.queue.batches, (size_t)stats.cache.hits, (size_t)stats.shared);
    CHECK(stats.cache.hits > 0 && stats.queue.run > soak->n_requests / 20, "some were remembered, and many run");
    if (getenv("VSR_TEST_VERBOSE"))
        for (size_t step = 0; step < STEPS; step++)
            fprintf(stderr, "%zu of %d: %.1f MB\n", step + 1, STEPS, (double)bytes[step] / 1e6);
    if (memory_is_judged(whole))
        CHECK_MSG(bytes[STEPS - 1] <= bytes[0] + GROWTH_MAX, "memory grew from %zu to %zu bytes", bytes[0],
                  bytes[STEPS - 1]);
}

TEST(many_requests) {
    bool whole = getenv("VSR_TEST_LONG") != NULL;
    struct soak *soak = calloc(1, sizeof(*soak));
    struct arena *arena = arena_new(0, 0);
    pthread_t clients[CLIENTS], swapper;
    size_t bytes[STEPS];
    soak->n_requests = whole ? REQUESTS : REQUESTS_SHORT;
    rig_begin(&soak->rig, &(struct engine_options){ .cache_len_max = CACHE_LEN });
    soak_begin(soak, arena);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&clients[i], NULL, client_main, soak), 0);
    assert_int_equal(pthread_create(&swapper, NULL, swapper_main, soak), 0);
    watch(soak, bytes);
    for (size_t i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_join(clients[i], NULL), 0);
    atomic_store(&soak->over, true);
    assert_int_equal(pthread_join(swapper, NULL), 0);
    check_soak(soak, bytes, whole);
    for (size_t i = 0; i < TEXTS; i++)
        engine_call_done(&soak->want[i]);
    model_unref(soak->model);
    rig_end(&soak->rig);
    arena_free(arena);
    free(soak);
}

/* ---- a full queue */

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool entered, open;
    size_t n_done, n_right;
};

/* On the inference thread: holds it up. */
static void hold(struct engine_call *call, int rc, const struct vsr_err *err) {
    struct gate *gate = call->owner;
    (void)err;
    pthread_mutex_lock(&gate->mutex);
    gate->entered = true;
    gate->n_right += rc == 0;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->mutex);
    gate->n_done++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

static void submit(struct rig *rig, struct engine_call *call, int want, const char *name) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_INT(engine_submit(rig->engine, call, &err), want, name);
    if (want < 0)
        CHECK_MSG(strstr(err.text, "the inference queue is full: 8 jobs wait"), "%s: %s", name, err.text);
}

/* While the only thread is held up the queue fills, what comes then is told so at once, and the others are answered. */
TEST(a_full_queue_is_told) {
    struct gate gate = { .n_done = 0 };
    struct engine_call calls[QUEUE + 3];
    struct arena *arena = arena_new(0, 0);
    struct model *model;
    struct rig rig;
    pthread_mutex_init(&gate.mutex, NULL);
    pthread_cond_init(&gate.changed, NULL);
    rig_begin(&rig, &(struct engine_options){ .threads = 1, .calls_max = QUEUE, .cache_len_max = SIZE_MAX });
    model = open_fixture(rig.runtime, "bert-embed-mean");
    for (size_t i = 0; i < VSR_COUNT(calls); i++)
        calls[i] = (struct engine_call){ .model = model, .text = text_of(arena, i), .done = hold, .owner = &gate };
    submit(&rig, &calls[0], 0, "the first");
    pthread_mutex_lock(&gate.mutex);
    while (!gate.entered)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    for (size_t i = 1; i <= QUEUE; i++)
        submit(&rig, &calls[i], 0, "there is room");
    submit(&rig, &calls[QUEUE + 1], VSR_E_UNAVAILABLE, "one too many");
    submit(&rig, &calls[QUEUE + 2], VSR_E_UNAVAILABLE, "another");
    CHECK_INT(engine_stats(rig.engine).queue.refused, 2, "counted");
    pthread_mutex_lock(&gate.mutex);
    gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    while (gate.n_done < QUEUE + 1)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    CHECK_INT(gate.n_right, QUEUE + 1, "and all that were taken in are answered");
    engine_free(rig.engine); /* the thread has left the gate */
    rig.engine = NULL;
    for (size_t i = 0; i < VSR_COUNT(calls); i++)
        engine_call_done(&calls[i]);
    model_unref(model);
    rig_end(&rig);
    pthread_cond_destroy(&gate.changed);
    pthread_mutex_destroy(&gate.mutex);
    arena_free(arena);
}

RUN_TESTS(T(many_requests), T(a_full_queue_is_told))
