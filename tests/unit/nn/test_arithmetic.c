#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "core/mem.h"
#include "nn/attention.h"
#include "nn/cpu.h"
#include "nn/kernels.h"
#include "nn/rope.h"
#include "nn/safetensors.h"
#include "test.h"

/* Single functions against an independent float64 implementation of them (tests/nn/README.md). */

struct values {
    struct arena *arena;
    struct safetensors file;
};

static struct values values_open(void) {
    struct values values = { .arena = arena_new(0, 0) };
    struct vsr_err err = VSR_ERR_NONE;
    char path[1024];
    snprintf(path, sizeof(path), "%s/tests/fixtures/nn/arithmetic/cases.safetensors", getenv("VSR_TEST_SOURCE"));
    CHECK_MSG(safetensors_open(values.arena, path, &values.file, &err) == 0, "%s", err.text);
    return values;
}

static const void *get(const struct values *values, const char *name, size_t *n) {
    const struct tensor *tensor = safetensors_find(&values->file, str_from_c(name));
    void *copy;
    CHECK_MSG(tensor != NULL, "%s", name);
    copy = arena_alloc(values->arena, tensor->len);
    memcpy(copy, tensor->data, tensor->len);
    if (n)
        *n = tensor->n;
    return copy;
}

static void near(const char *level, const char *name, const float *got, const float *want, size_t n, double tolerance) {
    for (size_t i = 0; i < n; i++)
        CHECK_MSG(fabs((double)got[i] - want[i]) <= tolerance * fmax(1, fabs((double)want[i])),
                  "%s: %s: number %zu is %.9g, not %.9g", level, name, i, (double)got[i], (double)want[i]);
}

/* ---- kernels */

static void activations(const struct values *values, const char *level) {
    static const struct {
        enum activation activation;
        const char *name;
    } all[] = { { ACTIVATION_GELU, "activation.gelu" },
                { ACTIVATION_GELU_TANH, "activation.gelu_tanh" },
                { ACTIVATION_QUICK_GELU, "activation.quick_gelu" },
                { ACTIVATION_SILU, "activation.silu" },
                { ACTIVATION_RELU, "activation.relu" },
                { ACTIVATION_TANH, "activation.tanh" } };
    size_t n;
    const float *x = get(values, "activation.x", &n);
    float *got = arena_alloc(values->arena, n * sizeof(float));
    struct rows_in in = { .type = ROWS_F32, .data = x, .stride = n };
    struct rows_out out = { .type = ROWS_F32, .data = got, .stride = n };
    for (size_t i = 0; i < VSR_COUNT(all); i++) {
        kernel_activate(all[i].activation, &in, &out, 1, n);
        near(level, all[i].name, got, get(values, all[i].name, NULL), n, 1e-6);
    }
    memcpy(got, x, n * sizeof(float));
    kernel_sigmoid(got, n);
    near(level, "activation.sigmoid", got, get(values, "activation.sigmoid", NULL), n, 1e-6);
}

static void softmax(const struct values *values, const char *level) {
    size_t n;
    const float *eighth = get(values, "softmax.x_eighth", &n);
    float *got = arena_alloc(values->arena, n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        got[i] = eighth[i] * 8;
    kernel_softmax(got, 37, n / 37, 37);
    near(level, "softmax.y", got, get(values, "softmax.y", NULL), n, 1e-6);
}

static void norms(const struct values *values, const char *level) {
    static const struct {
        const char *name;
        enum norm_kind kind;
        bool beta;
        float eps, times, plus;
        double tolerance;
    } all[] = { { "norm.layer", NORM_LAYER, true, 1e-5f, 1, 0, 2e-6 },
                { "norm.layer_without_bias", NORM_LAYER, false, 1e-5f, 1, 0, 2e-6 },
                { "norm.layer_of_x_plus_64", NORM_LAYER, true, 1e-5f, 1, 64, 5e-5 },
                { "norm.layer_of_x_over_1024", NORM_LAYER, true, 1e-5f, 1.0f / 1024, 0, 2e-6 },
                { "norm.rms", NORM_RMS, false, 1e-6f, 1, 0, 2e-6 },
                { "norm.rms_one_plus", NORM_RMS_PLUS_ONE, false, 1e-6f, 1, 0, 2e-6 } };
    size_t n, width;
    const float *x = get(values, "norm.x", &n), *gamma = get(values, "norm.gain", &width);
    float *changed = arena_alloc(values->arena, n * sizeof(float)),
          *got = arena_alloc(values->arena, n * sizeof(float));
    for (size_t i = 0; i < VSR_COUNT(all); i++) {
        struct norm norm = { all[i].kind, all[i].eps, gamma, all[i].beta ? get(values, "norm.bias", NULL) : NULL };
        struct rows_in in = { .type = ROWS_F32, .data = changed, .stride = width };
        struct rows_out out = { .type = ROWS_F32, .data = got, .stride = width };
        for (size_t k = 0; k < n; k++)
            changed[k] = x[k] * all[i].times + all[i].plus;
        kernel_norm(&norm, &in, NULL, 0, false, &out, NULL, n / width, width);
        near(level, all[i].name, got, get(values, all[i].name, NULL), n, all[i].tolerance);
    }
}

/* ---- attention */

static void attentions(const struct values *values, const char *level) {
    static const struct {
        const char *name;
        bool causal;
        size_t window;
    } all[] = { { "attention.full", false, 0 },
                { "attention.within4", false, 4 },
                { "attention.causal", true, 0 },
                { "attention.causal4", true, 3 } }; /* four keys: oneself and three before */
    size_t n;
    const float *q = get(values, "attention.q", &n), *k = get(values, "attention.k", NULL);
    const float *v = get(values, "attention.v", NULL);
    uint32_t starts[2] = { 0, (uint32_t)(n / 8) };
    float *got = arena_alloc(values->arena, n * sizeof(float));
    for (size_t i = 0; i < VSR_COUNT(all); i++) {
        struct attention attention = { .heads = 1,
                                       .kv_heads = 1,
                                       .head_dim = 8,
                                       .scale = 1 / sqrtf(8),
                                       .causal = all[i].causal,
                                       .window = all[i].window };
        struct attention_rows rows = { q, k, v, 8, 8, 8, { .type = ROWS_F32, .data = got, .stride = 8 } };
        size_t n_items = attention_items(&attention, starts, 1, NULL);
        struct attention_item *items = arena_alloc(values->arena, n_items * sizeof(*items));
        void *scratch = aligned_alloc(64, (attention_scratch_len(&attention) + 63) / 64 * 64);
        attention_items(&attention, starts, 1, items);
        for (size_t item = 0; item < n_items; item++)
            attention_run(&attention, &rows, &items[item], scratch);
        free(scratch);
        near(level, all[i].name, got, get(values, all[i].name, NULL), n, 2e-6);
    }
}

TEST(every_level_of_the_processor) {
    struct values values = values_open();
    for (int isa = 0; isa <= (int)cpu_isa_best(); isa++) {
        const char *level = cpu_isa_name((enum cpu_isa)isa);
        cpu_isa_limit((enum cpu_isa)isa);
        activations(&values, level);
        softmax(&values, level);
        norms(&values, level);
        attentions(&values, level);
    }
    cpu_isa_limit(CPU_ISAS_N - 1);
    arena_free(values.arena);
}

/* ---- positions */

struct turn {
    const char *name;
    size_t head_dim;
    struct rope_config config;
};

/* A head whose first half is ones and second half zeros becomes its position's cosines and sines. */
static void turn(const struct values *values, struct rope_library *library, const struct turn *turn) {
    size_t n, half = turn->head_dim / 2;
    const int32_t *positions = get(values, "rope.positions", &n);
    char name[96];
    const float *cosines, *sines;
    float head[256];
    struct rope *rope;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(rope_get(library, &turn->config, turn->head_dim, &rope, &err) == 0, "%s", err.text);
    CHECK_MSG(rope_reserve(rope, 32768, &err) == 0, "%s", err.text);
    snprintf(name, sizeof(name), "rope.%s.inverse", turn->name);
    near("inverse", name, rope_inverse_frequencies(rope), get(values, name, NULL), half, 1e-7);
    snprintf(name, sizeof(name), "rope.%s.cos", turn->name);
    cosines = get(values, name, NULL);
    snprintf(name, sizeof(name), "rope.%s.sin", turn->name);
    sines = get(values, name, NULL);
    for (size_t p = 0; p < n; p++) {
        /* An inverse that is off in its last place turns by that much more for each position. */
        double tolerance = 1e-6 + positions[p] * 6e-8;
        for (size_t i = 0; i < turn->head_dim; i++)
            head[i] = i < half ? 1 : 0;
        rope_apply(rope, (size_t)positions[p], head, turn->head_dim, 1, 1);
        near("cosine", turn->name, head, cosines + p * half, half, tolerance);
        near("sine", turn->name, head + half, sines + p * half, half, tolerance);
    }
}

TEST(rotary_positions) {
    static const struct turn all[] = {
        { "dim64.theta10000", 64, { .theta = 10000, .factor = 1, .attention_factor = 1 } },
        { "dim64.theta160000", 64, { .theta = 160000, .factor = 1, .attention_factor = 1 } },
        { "dim128.theta1000000", 128, { .theta = 1e6, .factor = 1, .attention_factor = 1 } },
        { "dim256.theta1000000.linear8", 256, { .theta = 1e6, .factor = 8, .attention_factor = 1 } },
        { "dim64.theta160000.yarn4x8192",
          64,
          { .theta = 160000,
            .yarn = true,
            .factor = 4,
            .original_positions = 8192,
            .beta_fast = 32,
            .beta_slow = 1,
            .attention_factor = 1.1386294361119891,
            .truncate = true } },
        { "dim128.theta1000000.yarn4x8192",
          128,
          { .theta = 1e6,
            .yarn = true,
            .factor = 4,
            .original_positions = 8192,
            .beta_fast = 32,
            .beta_slow = 1,
            .attention_factor = 1.1386294361119891,
            .truncate = true } },
    };
    struct values values = values_open();
    struct rope_library *library = rope_library_new();
    for (size_t i = 0; i < VSR_COUNT(all); i++)
        turn(&values, library, &all[i]);
    rope_library_free(library);
    arena_free(values.arena);
}

/* ---- distances */

TEST(buckets_by_distance) {
    static const struct {
        const char *name;
        size_t buckets, positions;
    } all[] = { { "deberta.bucket.256.512", 256, 512 },
                { "deberta.bucket.16.64", 16, 64 },
                { "deberta.bucket.0.512", 0, 512 } };
    enum { REACH = 1200 };
    struct values values = values_open();
    const int32_t *mpnet = get(&values, "mpnet.bucket", NULL);
    float table[32], relative[2 * REACH + 1];
    int32_t slots[2 * REACH + 1];
    for (size_t i = 0; i < 32; i++)
        table[i] = (float)i;
    attention_relative_from_buckets(table, 1, REACH, relative);
    for (size_t i = 0; i <= 2 * REACH; i++)
        CHECK_MSG(relative[i] == (float)mpnet[i], "distance %d: %g, not %d", (int)i - REACH, (double)relative[i],
                  mpnet[i]);
    for (size_t k = 0; k < VSR_COUNT(all); k++) {
        const int32_t *buckets = get(&values, all[k].name, NULL); /* of i - j, from -REACH on */
        int32_t span = (int32_t)(all[k].buckets ? all[k].buckets : all[k].positions);
        attention_slots(all[k].buckets, all[k].positions, REACH, slots);
        for (size_t i = 0; i <= 2 * REACH; i++) { /* at [REACH + (j - i)] */
            int32_t want = buckets[2 * REACH - i] + span;
            want = want < 0 ? 0 : want > 2 * span - 1 ? 2 * span - 1 : want;
            CHECK_MSG(slots[i] == want, "%s: %d: %d, not %d", all[k].name, REACH - (int)i, slots[i], want);
        }
    }
    arena_free(values.arena);
}

RUN_TESTS(T(every_level_of_the_processor), T(rotary_positions), T(buckets_by_distance))
