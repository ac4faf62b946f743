#include "nn/tensor_store.h"

#include <pthread.h>
#include <string.h>

#include "nn/gemm.h"
#include "nn/pages.h"
#include "test.h"

enum { OUT = 48, IN = 64, THREADS = 8, ROUNDS = 200 };

struct rig {
    struct gemm_library *library;
    struct tensor_store *store;
    float weights[OUT * IN], bias[OUT];
};

static void rig_begin(struct rig *rig) {
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(gemm_library_new(&rig->library, &err) == 0, "%s", err.text);
    rig->store = tensor_store_new();
    for (size_t i = 0; i < OUT * IN; i++)
        rig->weights[i] = (float)(i % 31) - 15;
    for (size_t i = 0; i < OUT; i++)
        rig->bias[i] = (float)i;
}

static void rig_end(struct rig *rig) {
    tensor_store_free(rig->store);
    gemm_library_free(rig->library);
}

static const struct gemm *matrix(struct rig *rig, struct tensor_holding *holding, bool bias, size_t out, size_t in,
                                 enum precision precision) {
    struct vsr_err err = VSR_ERR_NONE;
    const struct gemm *gemm = NULL;
    CHECK_MSG(tensor_holding_gemm(holding, rig->library, rig->weights, bias ? rig->bias : NULL, out, in, precision,
                                  &gemm, &err) == 0,
              "%s", err.text);
    return gemm;
}

static const float *table(struct tensor_holding *holding, size_t rows, size_t cols, float first) {
    struct vsr_err err = VSR_ERR_NONE;
    struct pages pages;
    const float *values;
    CHECK_MSG(pages_new(rows * cols * sizeof(float), "a table", &pages, &err) == 0, "%s", err.text);
    for (size_t i = 0; i < rows * cols; i++)
        ((float *)pages.data)[i] = first + (float)i;
    values = tensor_holding_table(holding, &pages, rows, cols);
    CHECK(pages.data == NULL, "was taken");
    for (size_t i = 0; i < rows * cols; i++)
        CHECK(values[i] == first + (float)i, "the same numbers");
    return values;
}

static size_t held(const struct rig *rig) {
    return tensor_store_bytes(rig->store).held;
}

static size_t spared(const struct rig *rig) {
    return tensor_store_bytes(rig->store).spared;
}

/* What is equal is one thing, and what differs in anything is another. */
TEST(matrices) {
    struct rig rig;
    struct tensor_holding *a, *b;
    const struct gemm *first;
    size_t len;
    rig_begin(&rig);
    a = tensor_holding_new(rig.store);
    b = tensor_holding_new(rig.store);
    first = matrix(&rig, a, true, OUT, IN, PRECISION_F32);
    len = held(&rig);
    CHECK(len >= OUT * IN * sizeof(float), "packed");
    CHECK(matrix(&rig, b, true, OUT, IN, PRECISION_F32) == first, "shared");
    CHECK_INT(held(&rig), len, "kept once");
    CHECK_INT(spared(&rig), len, "spared once");
    CHECK(matrix(&rig, a, true, OUT, IN, PRECISION_F32) == first, "asked twice");
    CHECK_INT(spared(&rig), len, "by the same holding");
    CHECK_INT(tensor_holding_bytes(a).all, len, "all");
    CHECK_INT(tensor_holding_bytes(a).shared, len, "shared");
    CHECK(matrix(&rig, b, false, OUT, IN, PRECISION_F32) != first, "without the bias");
    CHECK(matrix(&rig, b, true, OUT, IN, PRECISION_BF16) != first, "another precision");
    CHECK(matrix(&rig, b, true, OUT, IN, PRECISION_INT8) != first, "a third one");
    CHECK(matrix(&rig, b, false, IN, OUT, PRECISION_F32) != matrix(&rig, b, false, OUT, IN, PRECISION_F32),
          "another shape");
    rig.bias[OUT - 1] += 1;
    CHECK(matrix(&rig, b, true, OUT, IN, PRECISION_F32) != first, "another bias");
    rig.bias[OUT - 1] -= 1;
    rig.weights[OUT * IN - 1] += 1;
    CHECK(matrix(&rig, b, true, OUT, IN, PRECISION_F32) != first, "other weights");
    CHECK_INT(tensor_holding_bytes(b).shared, len, "only the first is shared");
    tensor_holding_free(a);
    CHECK_INT(spared(&rig), 0, "nothing is shared any more");
    CHECK_INT(tensor_holding_bytes(b).shared, 0, "nor here");
    tensor_holding_free(b);
    CHECK_INT(held(&rig), 0, "all is gone");
    rig_end(&rig);
}

TEST(tables) {
    struct rig rig;
    struct tensor_holding *a, *b;
    const float *first;
    rig_begin(&rig);
    a = tensor_holding_new(rig.store);
    b = tensor_holding_new(rig.store);
    first = table(a, 4, 300, 1);
    CHECK(table(b, 4, 300, 1) == first, "shared");
    CHECK(table(b, 4, 300, 2) != first, "other numbers");
    CHECK(table(b, 300, 4, 1) != first, "another shape");
    tensor_holding_free(a);
    CHECK(first[7] == 8, "lives on");
    CHECK(table(b, 4, 300, 1) == first, "is still known");
    tensor_holding_free(b);
    CHECK_INT(held(&rig), 0, "all is gone");
    tensor_holding_free(NULL);
    tensor_store_free(NULL);
    rig_end(&rig);
}

/* What could not be made is not there afterwards. */
TEST(failures) {
    struct rig rig;
    struct tensor_holding *a;
    struct vsr_err err = VSR_ERR_NONE;
    const struct gemm *gemm;
    rig_begin(&rig);
    a = tensor_holding_new(rig.store);
    for (size_t i = 0; i < 2; i++)
        CHECK_INT(tensor_holding_gemm(a, rig.library, rig.weights, NULL, 0, IN, PRECISION_F32, &gemm, &err),
                  VSR_E_LIMIT, "no output");
    CHECK_INT(held(&rig), 0, "nothing");
    tensor_holding_free(a);
    rig_end(&rig);
}

/* ---- threads */

struct loader {
    struct rig *rig;
    size_t index;
    bool right;
};

/* Loads and frees, so that things come and go under the others. */
static void *loader_main(void *data) {
    struct loader *loader = data;
    loader->right = true;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct tensor_holding *holding = tensor_holding_new(loader->rig->store);
        struct vsr_err err = VSR_ERR_NONE;
        struct pages pages = { .data = NULL };
        const struct gemm *gemm = NULL;
        const float *values;
        loader->right &=
            tensor_holding_gemm(holding, loader->rig->library, loader->rig->weights, loader->rig->bias, OUT - round % 3,
                                IN, (enum precision)((round + loader->index) % 3), &gemm, &err) == 0 &&
            gemm_out(gemm) == OUT - round % 3 && pages_new(4096, "a table", &pages, &err) == 0;
        if (pages.data) {
            *(float *)pages.data = (float)(round % 5);
            values = tensor_holding_table(holding, &pages, 1, 1024);
            loader->right &= values[0] == (float)(round % 5);
        }
        tensor_holding_free(holding);
    }
    return NULL;
}

TEST(threads) {
    struct loader loaders[THREADS];
    pthread_t ids[THREADS];
    struct rig rig;
    rig_begin(&rig);
    for (size_t i = 0; i < THREADS; i++) {
        loaders[i] = (struct loader){ &rig, i, false };
        assert_int_equal(pthread_create(&ids[i], NULL, loader_main, &loaders[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(ids[i], NULL), 0);
        CHECK(loaders[i].right, "each got what it asked for");
    }
    CHECK_INT(held(&rig), 0, "all is gone");
    CHECK_INT(spared(&rig), 0, "and nothing shared");
    rig_end(&rig);
}

RUN_TESTS(T(matrices), T(tables), T(failures), T(threads))
