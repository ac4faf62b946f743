#include <pthread.h>
#include <string.h>

#include "model/engine.h"
#include "model/model.h"
#include "nn/runtime.h"
#include "nn/tensor_store.h"
#include "test.h"

/* Models that were tuned from one base, loaded beside each other. */

enum { PATH_LEN = 512, MODELS = 3, THREADS = 6, ROUNDS = 5 };

static const struct {
    const char *name, *base;
} models[MODELS] = {
    { "bert-embed-mean-lora-domain", "bert-embed-mean" },
    { "bert-embed-mean-lora-topic", "bert-embed-mean" },
    { "bert-embed-mean", NULL },
};

static struct model *open_model(struct nn_runtime *runtime, size_t index, enum precision precision) {
    struct model_options options = { .precision = precision };
    struct vsr_err err = VSR_ERR_NONE;
    struct model *model = NULL;
    const char *source = getenv("VSR_TEST_SOURCE");
    char path[PATH_LEN], base[PATH_LEN];
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn/%s", source, models[index].name);
    if (models[index].base) {
        snprintf(base, sizeof(base), "%s/tests/fixtures/nn/%s", source, models[index].base);
        options.base = str_from_c(base);
    }
    CHECK_MSG(model_open(runtime, str_from_c(path), &options, &model, &err) == 0, "%s: %s", models[index].name,
              err.text);
    return model;
}

struct answer {
    float numbers[64];
    size_t n;
};

static struct answer ask(struct engine *engine, struct model *model) {
    struct engine_call call = { .model = model, .text = VSR_STR("what is this text about") };
    struct answer answer = { .n = 0 };
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(engine_run(engine, &call, 1, &err) == 0, "%s", err.text);
    answer.n = call.n_rows * call.width;
    answer.n = answer.n < VSR_COUNT(answer.numbers) ? answer.n : VSR_COUNT(answer.numbers);
    memcpy(answer.numbers, call.result, answer.n * sizeof(float));
    engine_call_done(&call);
    return answer;
}

struct rig {
    struct nn_runtime *runtime;
    struct engine *engine;
};

static void rig_begin(struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(nn_runtime_new(&rig->runtime, &err) == 0, "%s", err.text);
    CHECK_MSG(engine_new(rig->runtime, &(struct engine_options){ .threads = 2, .cache_len_max = SIZE_MAX },
                         &rig->engine, &err) == 0,
              "%s", err.text);
}

static void rig_end(struct rig *rig) {
    engine_free(rig->engine);
    CHECK_INT(tensor_store_bytes(rig->runtime->tensors).held, 0, "nothing is left");
    nn_runtime_free(rig->runtime);
}

/* What each model gives, loaded alone. */
static void learn(enum precision precision, struct answer answers[static MODELS]) {
    for (size_t i = 0; i < MODELS; i++) {
        struct model *model;
        struct rig rig;
        rig_begin(&rig);
        model = open_model(rig.runtime, i, precision);
        CHECK_INT(model_bytes(model).shared, 0, "alone");
        answers[i] = ask(rig.engine, model);
        model_unref(model);
        rig_end(&rig);
    }
}

static void check_answer(struct rig *rig, struct model *model, const struct answer *want, const char *when) {
    struct answer got = ask(rig->engine, model);
    CHECK(got.n == want->n && memcmp(got.numbers, want->numbers, got.n * sizeof(float)) == 0, when);
}

/* ---- what is shared */

TEST(the_same_twice) {
    struct model *a, *b;
    struct rig rig;
    size_t held;
    rig_begin(&rig);
    a = open_model(rig.runtime, 2, PRECISION_F32);
    held = tensor_store_bytes(rig.runtime->tensors).held;
    b = open_model(rig.runtime, 2, PRECISION_F32);
    CHECK_INT(tensor_store_bytes(rig.runtime->tensors).held, held, "costs nothing");
    CHECK_INT(tensor_store_bytes(rig.runtime->tensors).spared, held, "all of it");
    CHECK_INT(model_bytes(b).shared, held, "and each says so");
    CHECK_INT(model_bytes(a).shared, held, "the first one too");
    CHECK(model_bytes(a).all > held, "what is its own");
    model_unref(a);
    CHECK_INT(model_bytes(b).shared, 0, "alone again");
    model_unref(b);
    rig_end(&rig);
}

/* What adapters leave alone is their base's, in every precision. */
TEST(adapters) {
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++) {
        struct model *loaded[MODELS];
        struct tensor_store_bytes bytes;
        size_t all = 0;
        struct rig rig;
        rig_begin(&rig);
        for (size_t i = 0; i < MODELS; i++)
            loaded[i] = open_model(rig.runtime, i, precision);
        bytes = tensor_store_bytes(rig.runtime->tensors);
        for (size_t i = 0; i < MODELS; i++) {
            struct model_bytes of = model_bytes(loaded[i]);
            CHECK_MSG(of.shared > 0 && of.shared < of.all, "%s: %zu of %zu", models[i].name, of.shared, of.all);
            all += of.all;
        }
        CHECK(bytes.spared > 0 && bytes.held + bytes.spared < all, "each part counts once");
        for (size_t i = 0; i < MODELS; i++)
            model_unref(loaded[i]);
        rig_end(&rig);
    }
}

/* ---- orders */

/* Opened in one order, freed in another, and right at every step. */
static void check_orders(struct rig *rig, const size_t *in, const size_t *out, const struct answer *want) {
    struct model *loaded[MODELS];
    for (size_t i = 0; i < MODELS; i++) {
        loaded[in[i]] = open_model(rig->runtime, in[i], PRECISION_F32);
        for (size_t k = 0; k <= i; k++)
            check_answer(rig, loaded[in[k]], &want[in[k]], "more were loaded");
    }
    for (size_t i = 0; i < MODELS; i++) {
        for (size_t k = i; k < MODELS; k++)
            check_answer(rig, loaded[out[k]], &want[out[k]], "others were freed");
        model_unref(loaded[out[i]]);
    }
}

TEST(orders) {
    static const size_t orders[][MODELS] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                             { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    struct answer want[MODELS];
    struct rig rig;
    learn(PRECISION_F32, want);
    rig_begin(&rig);
    for (size_t in = 0; in < VSR_COUNT(orders); in++)
        for (size_t out = 0; out < VSR_COUNT(orders); out++)
            check_orders(&rig, orders[in], orders[out], want);
    rig_end(&rig);
}

/* ---- threads */

struct loader {
    struct rig *rig;
    const struct answer *want;
    size_t index;
};

static void *loader_main(void *data) {
    struct loader *loader = data;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t i = (round + loader->index) % MODELS;
        struct model *model = open_model(loader->rig->runtime, i, PRECISION_BF16);
        check_answer(loader->rig, model, &loader->want[i], "among others");
        model_unref(model);
    }
    return NULL;
}

TEST(threads) {
    struct answer want[MODELS];
    struct loader loaders[THREADS];
    pthread_t ids[THREADS];
    struct rig rig;
    learn(PRECISION_BF16, want);
    rig_begin(&rig);
    for (size_t i = 0; i < THREADS; i++) {
        loaders[i] = (struct loader){ &rig, want, i };
        assert_int_equal(pthread_create(&ids[i], NULL, loader_main, &loaders[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(ids[i], NULL), 0);
    rig_end(&rig);
}

RUN_TESTS(T(the_same_twice), T(adapters), T(orders), T(threads))
