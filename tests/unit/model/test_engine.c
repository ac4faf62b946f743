#include "model/engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/arena.h"
#include "core/clock.h"
#include "model/model.h"
#include "nn/runtime.h"
#include "test.h"

enum { PATH_LEN = 512, TEXTS = 40, CLIENTS = 10, ROUNDS = 30 };

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

static struct model *open_fixture(struct rig *rig, const char *name, enum precision precision) {
    const struct model_options options = { .precision = precision };
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model = NULL;
    char path[PATH_LEN];
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn/%s", getenv("VSR_TEST_SOURCE"), name);
    CHECK_MSG(model_open(rig->runtime, str_from_c(path), &options, &model, &err) == 0, "%s: %s", name, err.text);
    return model;
}

/* Texts of different lengths, none like another. */
static vsr_str text_of(struct arena *arena, size_t i) {
    vsr_str text = arena_printf(arena, "text %zu", i * 7919);
    for (size_t k = 0; k < i % 9; k++)
        text = arena_printf(arena, "%.*s and %zu more, %c", VSR_FMT(text), i * k, (char)('a' + (i + k) % 26));
    return text;
}

static void run_one(struct rig *rig, struct model *model, vsr_str text, struct engine_call *call) {
    struct vsr_err err = VSR_ERR_NONE;
    *call = (struct engine_call){ .model = model, .text = text, .priority = PRIORITY_ROUTING };
    CHECK_MSG(engine_run(rig->engine, call, 1, &err) == 0, "%s", err.text);
}

/* ---- results */

TEST(tasks) {
    static const struct {
        const char *name;
        enum model_task task;
        bool pair;
    } cases[] = {
        { "bert-sequence", MODEL_CLASSIFY, true },    { "bert-token", MODEL_TAG, false },
        { "bert-embed-mean", MODEL_EMBED, false },    { "modernbert-sequence-mean", MODEL_CLASSIFY, false },
        { "deberta-sequence", MODEL_CLASSIFY, true }, { "qwen3-embed", MODEL_EMBED, false },
        { "gemma-embed", MODEL_EMBED, false },        { "roberta-token", MODEL_TAG, false },
    };
    struct arena *arena = arena_new(0, 0);
    struct rig rig;
    rig_begin(&rig, &(struct engine_options){ .threads = 2 });
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct model *model = open_fixture(&rig, cases[i].name, PRECISION_F32);
        struct vsr_err err = VSR_ERR_NONE;
        struct engine_call call = {
            .model = model, .text = VSR_STR("some text"), .second = VSR_STR("another"), .is_pair = cases[i].pair
        };
        float sum = 0, squares = 0;
        CHECK_INT(model_task(model), cases[i].task, cases[i].name);
        CHECK_MSG(engine_run(rig.engine, &call, 1, &err) == 0, "%s: %s", cases[i].name, err.text);
        CHECK_INT(call.n_rows, cases[i].task == MODEL_TAG ? call.n_tokens : 1, cases[i].name);
        for (size_t k = 0; k < call.width; k++) {
            sum += call.result[k];
            squares += call.result[k] * call.result[k];
        }
        if (cases[i].task == MODEL_EMBED)
            CHECK_MSG(squares > 0.999F && squares < 1.001F, "%s: length %f", cases[i].name, (double)squares);
        else
            CHECK_MSG(sum > 0.999F && sum < 1.001F, "%s: probabilities sum to %f", cases[i].name, (double)sum);
        engine_call_done(&call);
        model_unref(model);
    }
    rig_end(&rig);
    arena_free(arena);
}

TEST(vectors_are_cut) {
    struct rig rig;
    struct model *model;
    struct engine_call calls[3];
    struct vsr_err err = VSR_ERR_NONE;
    float squares = 0, length = 0;
    size_t all;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    model = open_fixture(&rig, "modernbert-embed", PRECISION_F32);
    all = model_width(model);
    for (size_t i = 0; i < 3; i++)
        calls[i] = (struct engine_call){ .model = model, .text = VSR_STR("a text") };
    calls[1].dims = all / 2;
    calls[2].layers = 2;
    CHECK_MSG(engine_run(rig.engine, calls, 3, &err) == 0, "%s", err.text);
    CHECK_INT(calls[1].width, all / 2, "cut");
    for (size_t i = 0; i < all / 2; i++) {
        squares += calls[1].result[i] * calls[1].result[i];
        length += calls[0].result[i] * calls[0].result[i];
    }
    CHECK(squares > 0.999F && squares < 1.001F, "made to length 1 again");
    CHECK(length < 0.999F, "which it was not");
    CHECK(memcmp(calls[0].result, calls[2].result, all * sizeof(float)) != 0, "fewer layers give another vector");
    for (size_t i = 0; i < 3; i++)
        engine_call_done(&calls[i]);
    model_unref(model);
    rig_end(&rig);
}

/* The norm where a model is left is part of what is asked for: neither run together nor remembered for each other. */
TEST(exit_norms) {
    struct rig rig;
    struct model *model;
    struct engine_call calls[5];
    struct vsr_err err = VSR_ERR_NONE;
    size_t len;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    model = open_fixture(&rig, "modernbert-embed", PRECISION_F32);
    len = model_width(model) * sizeof(float);
    for (size_t i = 0; i < 5; i++)
        calls[i] = (struct engine_call){ .model = model, .text = VSR_STR("a text"), .layers = i < 3 ? 2 : 0 };
    calls[1].no_exit_norm = calls[2].no_exit_norm = calls[4].no_exit_norm = true;
    CHECK_MSG(engine_run(rig.engine, calls, 5, &err) == 0, "%s", err.text);
    CHECK(memcmp(calls[0].result, calls[1].result, len) != 0, "another vector");
    CHECK(memcmp(calls[1].result, calls[2].result, len) == 0, "the same way");
    CHECK(memcmp(calls[3].result, calls[4].result, len) == 0, "not left early");
    for (size_t i = 0; i < 5; i++)
        engine_call_done(&calls[i]);
    model_unref(model);
    rig_end(&rig);
}

/* More dimensions than there are, and layers of a model that is not left early, are all of them. */
TEST(more_than_there_is) {
    struct rig rig;
    struct model *model;
    struct engine_call calls[3];
    struct vsr_err err = VSR_ERR_NONE;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    model = open_fixture(&rig, "bert-embed-mean", PRECISION_F32);
    for (size_t i = 0; i < 3; i++)
        calls[i] = (struct engine_call){ .model = model, .text = VSR_STR("a text") };
    calls[1].dims = 5000;
    calls[2].layers = 1;
    CHECK_MSG(engine_run(rig.engine, calls, 3, &err) == 0, "%s", err.text);
    CHECK_INT(calls[0].cut.notes, 0, "nothing was asked for");
    CHECK_INT(calls[1].cut.notes, MATRYOSHKA_DIMS_NATIVE, "too many dimensions");
    CHECK_INT(calls[2].cut.notes, MATRYOSHKA_LAYERS_IGNORED, "not left early");
    for (size_t i = 0; i < 3; i++) {
        CHECK_INT(calls[i].width, model_width(model), "whole vectors");
        CHECK(memcmp(calls[i].result, calls[0].result, model_width(model) * sizeof(float)) == 0, "the same");
    }
    for (size_t i = 0; i < 3; i++)
        engine_call_done(&calls[i]);
    model_unref(model);
    rig_end(&rig);
}

TEST(refused) {
    struct rig rig;
    struct model *model, *layered, *classifier;
    struct engine_call call;
    struct vsr_err err = VSR_ERR_NONE;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    model = open_fixture(&rig, "bert-embed-mean", PRECISION_F32);
    layered = open_fixture(&rig, "modernbert-embed", PRECISION_F32);
    classifier = open_fixture(&rig, "bert-sequence", PRECISION_F32);
    call = (struct engine_call){ .model = model, .text = VSR_STR("x"), .second = VSR_STR("y"), .is_pair = true };
    CHECK_INT(engine_run(rig.engine, &call, 1, &err), VSR_E_INVALID, "a pair of an embedder");
    call = (struct engine_call){ .model = layered, .text = VSR_STR("x"), .layers = 50 };
    CHECK_INT(engine_run(rig.engine, &call, 1, &err), VSR_E_LIMIT, "too many layers");
    call = (struct engine_call){ .model = classifier, .text = VSR_STR("x"), .layers = 1 };
    CHECK_INT(engine_run(rig.engine, &call, 1, &err), VSR_E_INVALID, "layers of a classifier");
    call = (struct engine_call){ .model = model, .text = VSR_STR("x"), .deadline_ms = 1 };
    CHECK_INT(engine_run(rig.engine, &call, 1, &err), VSR_E_TIMEOUT, "too late");
    engine_call_done(&call);
    model_unref(classifier);
    model_unref(layered);
    model_unref(model);
    rig_end(&rig);
}

TEST(remembered) {
    struct rig rig;
    struct model *model, *again;
    struct engine_call first, second, other;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    model = open_fixture(&rig, "bert-sequence", PRECISION_F32);
    run_one(&rig, model, VSR_STR("the same text"), &first);
    run_one(&rig, model, VSR_STR("the same text"), &second);
    CHECK(!first.remembered && second.remembered, "asked once");
    CHECK(memcmp(first.result, second.result, first.width * sizeof(float)) == 0, "the same");
    again = open_fixture(&rig, "bert-sequence", PRECISION_F32);
    run_one(&rig, again, VSR_STR("the same text"), &other);
    CHECK(!other.remembered, "another load is another model");
    CHECK_INT(engine_stats(rig.engine).cache.hits, 1, "hits");
    engine_call_done(&first);
    engine_call_done(&second);
    engine_call_done(&other);
    model_unref(again);
    model_unref(model);
    rig_end(&rig);
}

/* ---- many clients */

struct client {
    struct rig *rig;
    struct model *models[3];
    float *const *want; /* [3 * TEXTS] */
    size_t index;
    bool same;
};

static void *client_main(void *data) {
    struct client *client = data;
    struct arena *arena = arena_new(0, 0);
    client->same = true;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t i = (round * 7 + client->index * 3) % TEXTS, m = (round + client->index) % 3;
        struct vsr_err err = VSR_ERR_NONE;
        struct engine_call call = { .model = client->models[m],
                                    .text = text_of(arena, i),
                                    .priority = (enum scheduler_priority)(round % PRIORITIES) };
        client->same &= engine_run(client->rig->engine, &call, 1, &err) == 0 &&
                        memcmp(call.result, client->want[m * TEXTS + i], call.n_rows * call.width * sizeof(float)) == 0;
        engine_call_done(&call);
    }
    arena_free(arena);
    return NULL;
}

/* Ten clients, three models, nothing remembered: to the bit what each text gives alone. */
TEST(many_clients) {
    static const char *const names[] = { "bert-sequence", "modernbert-token", "qwen3-embed" };
    struct arena *arena = arena_new(0, 0);
    struct client clients[CLIENTS];
    struct engine_call alone[3 * TEXTS];
    struct model *models[3];
    float *want[3 * TEXTS];
    pthread_t threads[CLIENTS];
    struct engine_stats stats;
    struct rig rig;
    rig_begin(&rig, &(struct engine_options){ .threads = 3, .cache_len_max = SIZE_MAX });
    for (size_t m = 0; m < 3; m++) {
        models[m] = open_fixture(&rig, names[m], (enum precision)m);
        for (size_t i = 0; i < TEXTS; i++) {
            run_one(&rig, models[m], text_of(arena, i), &alone[m * TEXTS + i]);
            want[m * TEXTS + i] = alone[m * TEXTS + i].result;
        }
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ &rig, { models[0], models[1], models[2] }, want, i, false };
        assert_int_equal(pthread_create(&threads[i], NULL, client_main, &clients[i]), 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        CHECK(clients[i].same, "the same to the bit");
    }
    stats = engine_stats(rig.engine);
    CHECK_INT(stats.queue.run + stats.shared, 3 * TEXTS + CLIENTS * ROUNDS, "each was run, or shared a run");
    for (size_t i = 0; i < 3 * TEXTS; i++)
        engine_call_done(&alone[i]);
    for (size_t m = 0; m < 3; m++)
        model_unref(models[m]);
    rig_end(&rig);
    arena_free(arena);
}

/* ---- identical calls at the same time */

enum { CROWD = 24 };

/* Calls that are told one by one, behind a long one that keeps the only thread busy. */
struct crowd {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct engine_call busy, calls[CROWD];
    int rc[CROWD];
    size_t n_done, n_told[CROWD];
};

static void on_crowd_done(struct engine_call *call, int rc, const struct vsr_err *err) {
    struct crowd *crowd = call->owner;
    (void)err;
    pthread_mutex_lock(&crowd->mutex);
    if (call != &crowd->busy) {
        crowd->rc[call - crowd->calls] = rc;
        crowd->n_told[call - crowd->calls]++;
    }
    crowd->n_done++;
    pthread_cond_broadcast(&crowd->changed);
    pthread_mutex_unlock(&crowd->mutex);
}

static void crowd_call(struct rig *rig, struct crowd *crowd, struct engine_call *call, struct model *model,
                       vsr_str text) {
    struct vsr_err err = VSR_ERR_NONE;
    call->model = model;
    call->text = text;
    call->done = on_crowd_done;
    call->owner = crowd;
    CHECK_MSG(engine_submit(rig->engine, call, &err) == 0, "%s", err.text);
}

/* A text of very many tokens first, so that the others wait together. */
static void crowd_begin(struct rig *rig, struct crowd *crowd, struct arena *arena, struct model *model) {
    enum { LONG = 4000 };
    char *text = ARENA_ARRAY(arena, char, LONG);
    memset(crowd, 0, sizeof(*crowd));
    assert_int_equal(pthread_mutex_init(&crowd->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&crowd->changed, NULL), 0);
    for (size_t i = 0; i < LONG; i++)
        text[i] = i % 2 ? ' ' : (char)('a' + i / 2 % 26);
    crowd_call(rig, crowd, &crowd->busy, model, str_make(text, LONG));
}

static void crowd_wait(struct crowd *crowd, size_t n) {
    pthread_mutex_lock(&crowd->mutex);
    while (crowd->n_done < n)
        pthread_cond_wait(&crowd->changed, &crowd->mutex);
    pthread_mutex_unlock(&crowd->mutex);
}

static void crowd_end(struct crowd *crowd) {
    engine_call_done(&crowd->busy);
    for (size_t i = 0; i < CROWD; i++)
        engine_call_done(&crowd->calls[i]);
    pthread_cond_destroy(&crowd->changed);
    pthread_mutex_destroy(&crowd->mutex);
}

TEST(one_run_for_all) {
    struct arena *arena = arena_new(0, 0);
    struct engine_call alone;
    struct engine_stats stats;
    struct crowd crowd;
    struct model *model;
    struct rig rig;
    rig_begin(&rig, &(struct engine_options){ .threads = 1, .cache_len_max = SIZE_MAX });
    model = open_fixture(&rig, "modernbert-sequence-mean", PRECISION_F32);
    run_one(&rig, model, VSR_STR("what all of them ask"), &alone);
    crowd_begin(&rig, &crowd, arena, model);
    for (size_t i = 0; i < CROWD; i++)
        crowd_call(&rig, &crowd, &crowd.calls[i], model, VSR_STR("what all of them ask"));
    crowd_wait(&crowd, CROWD + 1);
    stats = engine_stats(rig.engine);
    CHECK_INT(stats.queue.run + stats.shared, CROWD + 2, "nothing twice, nothing missing");
    CHECK(stats.shared > 0, "shared");
    for (size_t i = 0; i < CROWD; i++) {
        CHECK(crowd.rc[i] == 0 && crowd.n_told[i] == 1, "told once");
        CHECK(memcmp(crowd.calls[i].result, alone.result, alone.width * sizeof(float)) == 0, "the one result");
    }
    crowd_end(&crowd);
    engine_call_done(&alone);
    model_unref(model);
    rig_end(&rig);
    arena_free(arena);
}

TEST(cancelling_one_leaves_the_others) {
    struct arena *arena = arena_new(0, 0);
    struct crowd crowd;
    struct model *model;
    size_t n_cancelled = 0;
    bool cancelled[CROWD];
    struct rig rig;
    rig_begin(&rig, &(struct engine_options){ .threads = 1, .cache_len_max = SIZE_MAX });
    model = open_fixture(&rig, "modernbert-sequence-mean", PRECISION_F32);
    crowd_begin(&rig, &crowd, arena, model);
    for (size_t i = 0; i < CROWD; i++)
        crowd_call(&rig, &crowd, &crowd.calls[i], model,
                   i < CROWD / 2 ? VSR_STR("text 1") : VSR_STR("text 22, and more"));
    for (size_t i = 0; i < CROWD; i++) { /* the first who asked, one between, and all of the other text */
        cancelled[i] = (i == 0 || i == 5 || i >= CROWD / 2) && engine_cancel(rig.engine, &crowd.calls[i]);
        n_cancelled += cancelled[i];
    }
    crowd_wait(&crowd, CROWD + 1 - n_cancelled);
    for (size_t i = 0; i < CROWD; i++) {
        CHECK_INT(crowd.n_told[i], cancelled[i] ? 0 : 1, "told once, or not at all");
        CHECK(cancelled[i] || crowd.rc[i] == 0, "the others have their result");
    }
    CHECK(!engine_cancel(rig.engine, &crowd.busy), "what is over is not cancelled");
    crowd_end(&crowd);
    model_unref(model);
    rig_end(&rig);
    arena_free(arena);
}

/* A flight takes the latest deadline of those who wait for it; and it holds the model. */
TEST(deadlines_of_a_crowd) {
    struct arena *arena = arena_new(0, 0);
    struct engine_stats stats;
    struct crowd crowd;
    struct model *model;
    struct rig rig;
    rig_begin(&rig, &(struct engine_options){ .threads = 1, .cache_len_max = SIZE_MAX });
    model = open_fixture(&rig, "modernbert-sequence-mean", PRECISION_F32);
    crowd_begin(&rig, &crowd, arena, model);
    for (size_t i = 0; i < CROWD; i++) {
        crowd.calls[i].deadline_ms = i == 3 ? 0 : i == 4 ? clock_mono_ms() + 3600000 : 1;
        crowd.calls[i].priority = i == 7 ? PRIORITY_SAFETY : PRIORITY_COMFORT;
        crowd_call(&rig, &crowd, &crowd.calls[i], model, i < 10 ? VSR_STR("text 1") : VSR_STR("text 22, and more"));
    }
    model_unref(model);
    crowd_wait(&crowd, CROWD + 1);
    stats = engine_stats(rig.engine);
    for (size_t i = 10; i < CROWD; i++)
        CHECK_INT(crowd.rc[i], VSR_E_TIMEOUT, "too late");
    for (size_t i = 3; i < 10; i++)
        CHECK_INT(crowd.rc[i], 0, "somebody had time");
    CHECK(stats.queue.expired > 0, "counted");
    crowd_end(&crowd);
    rig_end(&rig);
    arena_free(arena);
}

/* A long text alone takes all cores, or as many as it may, and says the same. */
TEST(a_long_text) {
    static const struct engine_options options[] = { { .threads = 1 },
                                                     { .threads = 2 },
                                                     { .threads = 4 },
                                                     { .threads = 3, .pass_threads = 1 },
                                                     { .threads = 4, .pass_threads = 2 } };
    struct arena *arena = arena_new(0, 0);
    vsr_str text = text_of(arena, 8);
    for (size_t k = 0; k < 4; k++)
        text = arena_printf(arena, "%.*s %.*s", VSR_FMT(text), VSR_FMT(text));
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++) {
        struct engine_call want;
        for (size_t i = 0; i < VSR_COUNT(options); i++) {
            struct engine_call call;
            struct model *model;
            struct rig rig;
            rig_begin(&rig, &options[i]);
            model = open_fixture(&rig, "modernbert-token", precision);
            run_one(&rig, model, text, &call);
            CHECK(call.n_tokens > 256, "long");
            if (i == 0)
                want = call;
            else
                CHECK(memcmp(call.result, want.result, call.n_rows * call.width * sizeof(float)) == 0, "the same");
            if (i > 0)
                engine_call_done(&call);
            model_unref(model);
            rig_end(&rig);
        }
        engine_call_done(&want);
    }
    arena_free(arena);
}

/* More calls than may wait at once: a caller that waits for its own gets them all. */
TEST(a_full_queue) {
    struct arena *arena = arena_new(0, 0);
    struct engine_call calls[TEXTS];
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model;
    struct rig rig;
    rig_begin(&rig, &(struct engine_options){ .threads = 1, .calls_max = 3, .cache_len_max = SIZE_MAX });
    model = open_fixture(&rig, "bert-embed-mean", PRECISION_F32);
    for (size_t i = 0; i < TEXTS; i++)
        calls[i] = (struct engine_call){ .model = model, .text = text_of(arena, i) };
    CHECK_MSG(engine_run(rig.engine, calls, TEXTS, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < TEXTS; i++)
        engine_call_done(&calls[i]);
    model_unref(model);
    rig_end(&rig);
    arena_free(arena);
}

/* ---- memory that waiting calls hold */

/* Holds up the only inference thread: it is inside done() of `busy` until the gate opens. */
struct jam {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool inside, open;
    struct engine_call busy;
};

static void on_jam(struct engine_call *call, int rc, const struct vsr_err *err) {
    struct jam *jam = call->owner;
    (void)rc;
    (void)err;
    pthread_mutex_lock(&jam->mutex);
    jam->inside = true;
    pthread_cond_broadcast(&jam->changed);
    while (!jam->open)
        pthread_cond_wait(&jam->changed, &jam->mutex);
    pthread_mutex_unlock(&jam->mutex);
}

static void jam_begin(struct rig *rig, struct jam *jam, struct model *model) {
    struct vsr_err err = VSR_ERR_NONE;
    memset(jam, 0, sizeof(*jam));
    assert_int_equal(pthread_mutex_init(&jam->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&jam->changed, NULL), 0);
    jam->busy = (struct engine_call){ .model = model, .text = VSR_STR("in the way"), .done = on_jam, .owner = jam };
    CHECK_INT(engine_submit(rig->engine, &jam->busy, &err), 0, "in the way");
    pthread_mutex_lock(&jam->mutex);
    while (!jam->inside)
        pthread_cond_wait(&jam->changed, &jam->mutex);
    pthread_mutex_unlock(&jam->mutex);
}

static void jam_open(struct jam *jam) {
    pthread_mutex_lock(&jam->mutex);
    jam->open = true;
    pthread_cond_broadcast(&jam->changed);
    pthread_mutex_unlock(&jam->mutex);
}

static void jam_end(struct jam *jam) {
    engine_call_done(&jam->busy);
    pthread_cond_destroy(&jam->changed);
    pthread_mutex_destroy(&jam->mutex);
}

/* Submits calls of different texts until one is refused; returns how many were taken. */
static size_t fill(struct rig *rig, struct arena *arena, struct crowd *crowd, size_t from, struct model *model,
                   enum scheduler_priority priority, bool alike, struct vsr_err *err) {
    for (size_t i = from; i < CROWD; i++) {
        struct engine_call *call = &crowd->calls[i];
        vsr_str text = arena_printf(arena, "words that are counted, number %zu", alike ? CROWD : 100 + i);
        *call = (struct engine_call){
            .model = model, .text = text, .priority = priority, .done = on_crowd_done, .owner = crowd
        };
        if (engine_submit(rig->engine, call, err) < 0)
            return i - from;
    }
    return CROWD - from;
}

static size_t bytes_of_one(const char *name) {
    struct arena *arena = arena_new(0, 0);
    struct model *model;
    struct crowd crowd = { .n_done = 0 };
    struct vsr_err err = VSR_ERR_NONE;
    struct jam jam;
    struct rig rig;
    size_t bytes;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    model = open_fixture(&rig, name, PRECISION_F32);
    pthread_mutex_init(&crowd.mutex, NULL);
    pthread_cond_init(&crowd.changed, NULL);
    jam_begin(&rig, &jam, model);
    CHECK_INT(engine_stats(rig.engine).bytes, 0, "what is answered holds nothing");
    CHECK_INT(fill(&rig, arena, &crowd, CROWD - 1, model, PRIORITY_SAFETY, false, &err), 1, "taken");
    bytes = engine_stats(rig.engine).bytes;
    CHECK(engine_cancel(rig.engine, &crowd.calls[CROWD - 1]), "cancelled");
    CHECK_INT(engine_stats(rig.engine).bytes, 0, "given back");
    jam_open(&jam);
    model_unref(model);
    rig_end(&rig);
    jam_end(&jam);
    crowd_end(&crowd);
    arena_free(arena);
    return bytes;
}

/* However many may wait by their number, and whether they ask for the same or not. */
TEST(memory_of_those_who_wait) {
    enum { PLACES = 16 };
    struct arena *arena = arena_new(0, 0);
    size_t one = bytes_of_one("bert-token");
    for (size_t alike = 0; alike < 2; alike++) {
        const struct engine_options options = { .threads = 1, .bytes_max = PLACES * one + one / 2 };
        struct vsr_err err = VSR_ERR_NONE;
        struct crowd crowd = { .n_done = 0 };
        struct engine_stats stats;
        struct model *model;
        struct jam jam;
        struct rig rig;
        size_t n;
        pthread_mutex_init(&crowd.mutex, NULL);
        pthread_cond_init(&crowd.changed, NULL);
        rig_begin(&rig, &options);
        model = open_fixture(&rig, "bert-token", PRECISION_F32);
        jam_begin(&rig, &jam, model);
        n = fill(&rig, arena, &crowd, 0, model, PRIORITY_COMFORT, alike, &err);
        CHECK_INT(n, PLACES * 3 / 4, "two eighths are for the others");
        n += fill(&rig, arena, &crowd, n, model, PRIORITY_SAFETY, alike, &err);
        CHECK_INT(n, PLACES, "full");
        CHECK_INT(err.code, VSR_E_UNAVAILABLE, "full");
        CHECK_MSG(strstr(err.text, "bytes"), "%s", err.text);
        stats = engine_stats(rig.engine);
        CHECK(stats.bytes == PLACES * one && stats.bytes_max == options.bytes_max, "held");
        CHECK_INT(stats.refused_bytes, 2, "counted");
        crowd.calls[CROWD - 1] = (struct engine_call){ .text = VSR_STR("") };
        crowd_call(&rig, &crowd, &crowd.calls[CROWD - 1], model, VSR_STR("in the way"));
        CHECK_INT(crowd.n_told[CROWD - 1], 1, "what is remembered is answered");
        jam_open(&jam);
        crowd_wait(&crowd, PLACES + 1);
        for (size_t i = 0; i < PLACES; i++)
            CHECK(crowd.rc[i] == 0 && crowd.n_told[i] == 1, "answered");
        CHECK_INT(engine_stats(rig.engine).bytes, 0, "all given back");
        model_unref(model);
        rig_end(&rig);
        jam_end(&jam);
        crowd_end(&crowd);
    }
    arena_free(arena);
}

/* What is late gives its memory back though no thread is free; and who waits for his own calls gets them all. */
TEST(memory_comes_back) {
    struct arena *arena = arena_new(0, 0);
    struct engine_call calls[TEXTS], large = { .text = { NULL, 0 } };
    struct vsr_err err = VSR_ERR_NONE;
    struct crowd crowd = { .n_done = 0 };
    struct model *model;
    struct rig rig;
    struct jam jam;
    size_t one = bytes_of_one("bert-token");
    rig_begin(&rig, &(struct engine_options){ .threads = 1, .bytes_max = 6 * one, .cache_len_max = SIZE_MAX });
    model = open_fixture(&rig, "bert-token", PRECISION_F32);
    pthread_mutex_init(&crowd.mutex, NULL);
    pthread_cond_init(&crowd.changed, NULL);
    jam_begin(&rig, &jam, model);
    for (size_t i = 0; i < 6; i++) {
        crowd.calls[i].deadline_ms = clock_mono_ms() + 20 + i;
        crowd_call(&rig, &crowd, &crowd.calls[i], model, arena_printf(arena, "words that are counted, number %zu", i));
    }
    crowd_wait(&crowd, 6);
    for (size_t i = 0; i < 6; i++)
        CHECK_INT(crowd.rc[i], VSR_E_TIMEOUT, "late");
    CHECK_INT(engine_stats(rig.engine).bytes, 0, "given back");
    jam_open(&jam);
    large = (struct engine_call){ .model = model, .text = text_of(arena, 8), .long_text = LONG_TEXT_CHUNK };
    for (size_t k = 0; k < 6; k++)
        large.text = arena_printf(arena, "%.*s %.*s", VSR_FMT(large.text), VSR_FMT(large.text));
    CHECK_INT(engine_run(rig.engine, &large, 1, &err), VSR_E_LIMIT, "too large by itself");
    CHECK_MSG(strstr(err.text, "bytes"), "%s", err.text);
    for (size_t i = 0; i < TEXTS; i++)
        calls[i] = (struct engine_call){ .model = model, .text = text_of(arena, i % 4) };
    CHECK_MSG(engine_run(rig.engine, calls, TEXTS, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < TEXTS; i++)
        engine_call_done(&calls[i]);
    model_unref(model);
    rig_end(&rig);
    jam_end(&jam);
    crowd_end(&crowd);
    arena_free(arena);
}

/* One call is too late when a thread comes to it, and the next one is refused at once: the first error is the first. */
TEST(the_first_error) {
    struct vsr_err err = VSR_ERR_NONE;
    struct engine_call calls[2];
    struct model *model;
    struct rig rig;
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    model = open_fixture(&rig, "modernbert-embed", PRECISION_F32);
    calls[0] = (struct engine_call){ .model = model, .text = VSR_STR("text"), .deadline_ms = 1 };
    calls[1] = (struct engine_call){ .model = model, .text = VSR_STR("text"), .layers = SIZE_MAX };
    CHECK_INT(engine_run(rig.engine, calls, 2, &err), VSR_E_TIMEOUT, err.text);
    for (size_t i = 0; i < 2; i++)
        engine_call_done(&calls[i]);
    model_unref(model);
    rig_end(&rig);
}

/* ---- models that cannot be loaded */

TEST(broken) {
    const struct model_options options = { .precision = PRECISION_F32 };
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model;
    struct rig rig;
    char path[PATH_LEN];
    rig_begin(&rig, &(struct engine_options){ .threads = 1 });
    CHECK(model_open(rig.runtime, VSR_STR("/nowhere/at/all"), &options, &model, &err) < 0, "no directory");
    CHECK(strstr(err.text, "/nowhere/at/all"), err.text);
    snprintf(path, sizeof(path), "%s/tests/fixtures", getenv("VSR_TEST_SOURCE"));
    CHECK(model_open(rig.runtime, str_from_c(path), &options, &model, &err) < 0, "no model");
    CHECK(strstr(err.text, "config.json"), err.text);
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn/bert-sequence", getenv("VSR_TEST_SOURCE"));
    CHECK_INT(model_open(rig.runtime, str_from_c(path), &(struct model_options){ .device = VSR_STR("cuda:1") }, &model,
                         &err),
              VSR_E_UNAVAILABLE, "no such device");
    CHECK(strstr(err.text, "this build has no cuda, it has: cpu"), err.text);
    rig_end(&rig);
}

RUN_TESTS(T(tasks), T(vectors_are_cut), T(exit_norms), T(more_than_there_is), T(refused), T(remembered),
          T(many_clients), T(a_long_text), T(one_run_for_all), T(cancelling_one_leaves_the_others),
          T(deadlines_of_a_crowd), T(a_full_queue), T(the_first_error), T(broken), T(memory_of_those_who_wait),
          T(memory_comes_back))
