#include "nn/gemm.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "nn/cpu.h"
#include "test.h"

enum { ROWS = 300 };

/* Repeatable numbers in (-1, 1). */
static float noise(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)((int32_t)(*state >> 32)) / 2147483648.0f;
}

static const struct {
    size_t out, in;
    bool bias;
} shapes[] = {
    { 48, 96, true },  { 100, 37, false }, { 384, 384, true },   { 1, 64, true },
    { 3, 768, false }, { 35, 100, true },  { 130, 1025, false }, { 512, 16, true },
};

/* A product: x as the matrix takes it, and what comes out. */
struct product {
    size_t out, in;
    enum precision precision;
    float *weights, *bias, *plain; /* plain: x as f32 */
    void *x;
    float *scales, *y;
    struct gemm *gemm;
};

static float *floats(size_t n) {
    float *values = aligned_alloc(64, (n * sizeof(float) + 127) / 64 * 64);
    assert_non_null(values);
    return values;
}

static size_t element_len(enum precision precision) {
    return precision == PRECISION_F32 ? 4 : precision == PRECISION_BF16 ? 2 : 1;
}

static void fill_row(struct product *p, size_t row) {
    float greatest = 0;
    for (size_t i = 0; i < p->in; i++) {
        float value = p->plain[row * p->in + i];
        greatest = fmaxf(greatest, fabsf(value));
        if (p->precision == PRECISION_F32)
            ((float *)p->x)[row * p->in + i] = value;
        else if (p->precision == PRECISION_BF16)
            ((uint16_t *)p->x)[row * p->in + i] = bf16_from_f32(value);
    }
    p->scales[row] = greatest / 127;
    for (size_t i = 0; p->precision == PRECISION_INT8 && i < p->in; i++)
        ((uint8_t *)p->x)[row * p->in + i] = (uint8_t)(lrintf(p->plain[row * p->in + i] / p->scales[row]) + 128);
}

static void product_begin(struct product *p, struct gemm_library *library, size_t shape, enum precision precision) {
    struct vsr_err err = VSR_ERR_NONE;
    uint64_t state = shape * 3 + 1;
    *p = (struct product){ .out = shapes[shape].out, .in = shapes[shape].in, .precision = precision };
    p->weights = floats(p->out * p->in);
    p->bias = floats(p->out);
    p->plain = floats(ROWS * p->in);
    p->x = floats(ROWS * p->in);
    p->scales = floats(ROWS);
    p->y = floats(ROWS * p->out);
    for (size_t i = 0; i < p->out * p->in; i++)
        p->weights[i] = noise(&state);
    for (size_t i = 0; i < p->out; i++)
        p->bias[i] = shapes[shape].bias ? noise(&state) : 0;
    for (size_t i = 0; i < ROWS * p->in; i++)
        p->plain[i] = noise(&state);
    for (size_t row = 0; row < ROWS; row++)
        fill_row(p, row);
    CHECK_MSG(gemm_new(library, p->weights, shapes[shape].bias ? p->bias : NULL, p->out, p->in, precision, &p->gemm,
                       &err) == 0,
              "%s", err.text);
}

static void product_end(struct product *p) {
    gemm_free(p->gemm);
    free(p->weights);
    free(p->bias);
    free(p->plain);
    free(p->x);
    free(p->scales);
    free(p->y);
}

static void run(const struct product *p, struct gemm_context *context, size_t from, size_t n, float *y) {
    struct vsr_err err = VSR_ERR_NONE;
    struct rows_in rows;
    const struct rows_out out = { .type = ROWS_F32, .data = y, .stride = p->out };
    const char *x = (const char *)p->x + from * p->in * element_len(p->precision);
    void *raw = floats(n * p->out);
    CHECK_MSG(gemm_run(p->gemm, context, x, p->scales + from, n, raw, &rows, &err) == 0, "%s", err.text);
    kernel_convert(&rows, &out, n, p->out);
    free(raw);
}

/* The error that a precision may make in a sum of `in` products of numbers below 1. */
static double tolerance(const struct product *p) {
    switch (p->precision) {
    case PRECISION_F32:
        return 3e-6 * sqrt((double)p->in);
    case PRECISION_BF16:
        return 6e-3 * sqrt((double)p->in);
    default: /* where products of bytes saturate, weights have a bit less */
        return 1.5e-2 * sqrt((double)p->in);
    }
}

static void check_values(const struct product *p) {
    double worst = 0;
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t i = 0; i < p->out; i++) {
            double want = p->bias[i];
            for (size_t k = 0; k < p->in; k++)
                want += (double)p->plain[row * p->in + k] * p->weights[i * p->in + k];
            worst = fmax(worst, fabs(want - p->y[row * p->out + i]));
        }
    }
    CHECK_MSG(worst <= tolerance(p), "%s %zux%zu: off by %g, allowed %g", precision_name(p->precision), p->out, p->in,
              worst, tolerance(p));
}

static void each_product(struct gemm_context *context, struct gemm_library *library,
                         void (*fn)(const struct product *p, struct gemm_context *context)) {
    for (size_t shape = 0; shape < VSR_COUNT(shapes); shape++) {
        for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++) {
            struct product product;
            product_begin(&product, library, shape, precision);
            fn(&product, context);
            product_end(&product);
        }
    }
}

static void with_library(void (*fn)(const struct product *p, struct gemm_context *context)) {
    struct vsr_err err = VSR_ERR_NONE;
    struct gemm_library *library;
    struct gemm_context *context;
    CHECK_MSG(gemm_library_new(&library, &err) == 0, "%s", err.text);
    context = gemm_context_new(library);
    each_product(context, library, fn);
    gemm_context_free(context);
    gemm_library_free(library);
}

static void multiply_all(const struct product *p, struct gemm_context *context) {
    run(p, context, 0, ROWS, p->y);
    check_values(p);
    CHECK(gemm_bytes(p->gemm) >= p->out * p->in * (p->precision == PRECISION_INT8 ? 1 : 2), "size");
    CHECK_INT(gemm_out(p->gemm), p->out, "out");
    CHECK_INT(gemm_in(p->gemm), p->in, "in");
    CHECK_INT(gemm_precision(p->gemm), p->precision, "precision");
}

TEST(values) {
    with_library(multiply_all);
}

/* To the bit: whatever rows stand beside it. */
static void multiply_parts(const struct product *p, struct gemm_context *context) {
    static const size_t parts[] = { 1, 2, 3, 7, 16, 31, 63, 64, 65, 100, 256, 299 };
    float *part = floats(ROWS * p->out);
    run(p, context, 0, ROWS, p->y);
    for (size_t i = 0; i < VSR_COUNT(parts); i++) {
        for (size_t from = 0; from + parts[i] <= ROWS; from += parts[i] + 11) {
            /* x must be aligned: the rows move to the start. */
            struct product moved = *p;
            size_t row_len = p->in * element_len(p->precision);
            moved.x = floats(ROWS * p->in);
            memcpy(moved.x, (const char *)p->x + from * row_len, parts[i] * row_len);
            moved.scales = p->scales + from;
            run(&moved, context, 0, parts[i], part);
            CHECK_MSG(memcmp(part, p->y + from * p->out, parts[i] * p->out * sizeof(float)) == 0,
                      "%s %zux%zu: rows %zu to %zu differ alone", precision_name(p->precision), p->out, p->in, from,
                      from + parts[i]);
            free(moved.x);
        }
    }
    free(part);
}

TEST(parts) {
    with_library(multiply_parts);
}

/* Sums of bytes are exact: whoever makes them, and scales them as nn/kernels.h says, gets the same bits. */
TEST(bytes_of_other_levels) {
    struct vsr_err err = VSR_ERR_NONE;
    for (size_t shape = 0; shape < VSR_COUNT(shapes); shape++) {
        float *first = floats(ROWS * shapes[shape].out);
        for (int isa = CPU_ISAS_N - 1; isa >= 0; isa--) {
            struct gemm_library *library;
            struct gemm_context *context;
            struct product product;
            cpu_isa_limit((enum cpu_isa)isa);
            CHECK_MSG(gemm_library_new(&library, &err) == 0, "%s", err.text);
            cpu_isa_limit(CPU_ISAS_N - 1);
            context = gemm_context_new(library);
            product_begin(&product, library, shape, PRECISION_INT8);
            run(&product, context, 0, ROWS, isa == CPU_ISAS_N - 1 ? first : product.y);
            if (isa != CPU_ISAS_N - 1)
                CHECK_MSG(memcmp(first, product.y, ROWS * product.out * sizeof(float)) == 0, "%zux%zu: %s differs",
                          product.out, product.in, cpu_isa_name((enum cpu_isa)isa));
            product_end(&product);
            gemm_context_free(context);
            gemm_library_free(library);
        }
        free(first);
    }
}

struct job {
    const struct product *product;
    struct gemm_library *library;
    bool same;
};

static void *multiply_in_thread(void *data) {
    struct job *job = data;
    struct gemm_context *context = gemm_context_new(job->library);
    float *y = floats(ROWS * job->product->out);
    job->same = true;
    for (int i = 0; i < 20; i++) {
        run(job->product, context, 0, ROWS, y);
        job->same &= memcmp(y, job->product->y, ROWS * job->product->out * sizeof(float)) == 0;
    }
    free(y);
    gemm_context_free(context);
    return NULL;
}

TEST(threads) {
    enum { N = 4 };
    struct vsr_err err = VSR_ERR_NONE;
    struct gemm_library *library;
    struct gemm_context *context;
    struct product product;
    pthread_t threads[N];
    struct job jobs[N];
    CHECK_MSG(gemm_library_new(&library, &err) == 0, "%s", err.text);
    context = gemm_context_new(library);
    for (enum precision precision = PRECISION_F32; precision <= PRECISION_INT8; precision++) {
        product_begin(&product, library, 2, precision);
        run(&product, context, 0, ROWS, product.y);
        for (int i = 0; i < N; i++) {
            jobs[i] = (struct job){ &product, library, false };
            assert_int_equal(pthread_create(&threads[i], NULL, multiply_in_thread, &jobs[i]), 0);
        }
        for (int i = 0; i < N; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            CHECK(jobs[i].same, "the same in every thread");
        }
        product_end(&product);
    }
    gemm_context_free(context);
    gemm_library_free(library);
}

TEST(refused) {
    static const float weights[1] = { 1 };
    struct vsr_err err = VSR_ERR_NONE;
    struct gemm_library *library;
    struct gemm *gemm;
    CHECK_MSG(gemm_library_new(&library, &err) == 0, "%s", err.text);
    CHECK_INT(gemm_new(library, weights, NULL, 0, 1, PRECISION_F32, &gemm, &err), VSR_E_LIMIT, "no output");
    CHECK_INT(gemm_new(library, weights, NULL, 1, GEMM_SIDE_MAX + 1, PRECISION_F32, &gemm, &err), VSR_E_LIMIT, "long");
    gemm_library_free(library);
    gemm_library_free(NULL);
    gemm_free(NULL);
    gemm_context_free(NULL);
}

/* Bytes cannot say NaN: they would hide that the file is broken. */
TEST(weights_that_are_no_numbers) {
    static const float broken[] = { NAN, INFINITY, -INFINITY };
    struct gemm_library *library;
    CHECK(gemm_library_new(&library, NULL) == 0, "library");
    for (size_t i = 0; i < VSR_COUNT(broken); i++) {
        float weights[64] = { 1, 2, 3 };
        struct gemm *gemm = NULL;
        struct vsr_err err = VSR_ERR_NONE;
        weights[42] = broken[i];
        CHECK_INT(gemm_new(library, weights, NULL, 8, 8, PRECISION_INT8, &gemm, &err), VSR_E_INVALID, "broken");
        CHECK(strstr(err.text, "row 5") != NULL, err.text);
    }
    gemm_library_free(library);
}

RUN_TESTS(T(weights_that_are_no_numbers), T(values), T(parts), T(bytes_of_other_levels), T(threads), T(refused))
