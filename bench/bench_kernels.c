/*
 * bench_kernels - the kernels of src/nn/ on one core, at each level of the processor: attention in GFLOP/s beside the
 * peak of f32 multiply-adds measured in the same run, the rest in GB/s read and written and nanoseconds a row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "nn/attention.h"
#include "nn/cpu.h"
#include "nn/kernels.h"
#include "nn/rope.h"

enum { BEST_OF = 5, TRY_NS = 10000000, ROWS = 128, WIDTH = 3072 };

static uint64_t cpu_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Best time of one call. Of the processor, not of the wall: others on the machine disturb less. */
static double seconds(void (*run)(void *), void *arg) {
    double best = 1e9;
    for (int k = 0; k < BEST_OF; k++) {
        uint64_t begin = cpu_ns(), now;
        size_t n = 0;
        do {
            run(arg);
            n++;
            now = cpu_ns();
        } while (now - begin < TRY_NS);
        if ((double)(now - begin) / (double)n < best)
            best = (double)(now - begin) / (double)n;
    }
    return best / 1e9;
}

/* ---- peak: chains of multiply-adds, enough of them to fill every unit */

enum { CHAINS = 12, PEAK_STEPS = 10000 };

#if defined(__x86_64__)
#define CHAINS_OF(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define DECLARE(k) x##k = zero,
#define STEP(k) FMA(x##k);
#define KEEP(k) __asm__ volatile("" ::"x"(x##k));
#define PEAK(name, attributes, type, lanes) \
    attributes static void name(void *arg) { \
        type zero = { 0 }, CHAINS_OF(DECLARE) last = zero; \
        for (int s = 0; s < PEAK_STEPS; s++) { \
            CHAINS_OF(STEP) \
        } \
        CHAINS_OF(KEEP) \
        *(double *)arg = 2.0 * CHAINS * PEAK_STEPS * (lanes); \
        (void)last; \
    }

#define FMA(x) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+x"(x) : "x"(zero))
PEAK(peak_avx512, __attribute__((target("avx512f"))), __m512, 16)
PEAK(peak_avx2, __attribute__((target("avx2,fma"))), __m256, 8)
#undef FMA
#define FMA(x) __asm__ volatile("addps %1, %0\n\tmulps %1, %0" : "+x"(x) : "x"(zero))
PEAK(peak_portable, , __m128, 4)
static void (*const peaks[])(void *) = { peak_portable, peak_avx2, peak_avx512 };
#endif

static double peak_flops(enum cpu_isa isa) {
#if defined(__x86_64__)
    double flops = 0, time = seconds(peaks[isa], &flops);
    return flops / time;
#else
    (void)isa;
    return 0;
#endif
}

/* ---- attention */

struct attention_case {
    const char *name;
    struct attention attention;
    struct attention_rows rows;
    struct attention_item *items;
    size_t n_items;
    void *scratch;
};

static void run_attention(void *arg) {
    struct attention_case *c = arg;
    for (size_t k = 0; k < c->n_items; k++)
        attention_run(&c->attention, &c->rows, &c->items[k], c->scratch);
}

/* Multiply-adds for keys in range, twice: scores and values. */
static double attention_flops(const struct attention *a, size_t length) {
    double pairs = 0;
    for (size_t i = 0; i < length; i++) {
        size_t low = a->window && i > a->window ? i - a->window : 0;
        size_t high = a->causal ? i + 1 : a->window && i + a->window + 1 < length ? i + a->window + 1 : length;
        pairs += (double)(high - low);
    }
    return 4.0 * pairs * (double)a->heads * (double)a->head_dim;
}

static void *allocate(size_t len) {
    void *data = aligned_alloc(64, (len + 63) / 64 * 64);
    if (!data)
        abort();
    return data;
}

static float *noise(size_t n) {
    float *x = allocate(n * sizeof(*x));
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525 + 1013904223;
        x[i] = (float)(int32_t)state / 2147483648.0f;
    }
    return x;
}

static void bench_attention(const char *name, struct attention attention, size_t length, double peak) {
    size_t width = attention.heads * attention.head_dim, kv = attention.kv_heads * attention.head_dim,
           stride = width + 2 * kv;
    float *qkv = noise(length * stride), *out = allocate(length * width * sizeof(float));
    struct attention_case c = { .name = name, .attention = attention };
    uint32_t starts[2] = { 0, (uint32_t)length };
    double time, flops = attention_flops(&attention, length);
    c.rows = (struct attention_rows){
        qkv, qkv + width, qkv + width + kv, stride, stride, stride, { .type = ROWS_F32, .data = out, .stride = width }
    };
    c.n_items = attention_items(&attention, starts, 1, NULL);
    c.items = allocate(c.n_items * sizeof(*c.items));
    (void)attention_items(&attention, starts, 1, c.items);
    c.scratch = allocate(attention_scratch_len(&attention));
    time = seconds(run_attention, &c);
    printf("  %-34s %6zu tokens %10.1f us %8.1f GFLOP/s", name, length, time * 1e6, flops / time / 1e9);
    if (peak > 0)
        printf("  %3.0f %% of the peak", 100 * flops / time / peak);
    printf("\n");
    free(qkv);
    free(out);
    free(c.items);
    free(c.scratch);
}

static void bench_attentions(double peak) {
    static const struct {
        const char *name, *narrow;
        size_t heads, kv_heads, head_dim;
        bool causal;
        size_t window;
    } cases[] = {
        { "12 heads of 32, full", "- 16 bits", 12, 12, 32, false, 0 },
        { "12 heads of 64, full", "- 16 bits", 12, 12, 64, false, 0 },
        { "12 heads of 64, window 64", "- 16 bits", 12, 12, 64, false, 64 },
        { "16 on 8 heads of 128, causal", "- 16 bits", 16, 8, 128, true, 0 },
        { "3 on 1 heads of 256, window 256", "- 16 bits", 3, 1, 256, false, 256 },
    };
    static const size_t lengths[] = { 16, 128, 512, 2048 };
    for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
        struct attention a = { .heads = cases[k].heads,
                               .kv_heads = cases[k].kv_heads,
                               .head_dim = cases[k].head_dim,
                               .scale = 0.125f,
                               .causal = cases[k].causal,
                               .window = cases[k].window };
        for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths); l++)
            bench_attention(cases[k].name, a, lengths[l], peak);
        a.narrow = true;
        for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths) && cpu_has_vnni(); l++)
            bench_attention(cases[k].narrow, a, lengths[l], peak);
    }
}

/* DeBERTa's terms; the operations of the plain form are counted, so that the price of the terms shows. */
static void bench_positions(double peak) {
    enum { HEADS = 12, DIM = 64, REACH = 511 };
    static int32_t slot[2 * REACH + 1];
    float *keys = noise(512 * HEADS * DIM), *queries = noise(512 * HEADS * DIM);
    struct attention_positions positions = { 512, keys, queries, (size_t)HEADS * DIM, slot, REACH };
    struct attention a = {
        .heads = HEADS, .kv_heads = HEADS, .head_dim = DIM, .scale = 0.07f, .positions = &positions
    };
    attention_slots(256, 512, REACH, slot);
    bench_attention("12 heads of 64, DeBERTa's terms", a, 128, peak);
    bench_attention("12 heads of 64, DeBERTa's terms", a, 512, peak);
    free(keys);
    free(queries);
}

/* ---- rows */

static struct {
    float *x, *residual, *vector;
    void *y;
    float scales[ROWS];
    size_t width;
    struct rope *rope;
} data;

static struct rows_in source(void) {
    return (struct rows_in){ .type = ROWS_F32, .data = data.x, .stride = data.width };
}

static struct rows_out target(enum rows_type type) {
    return (struct rows_out){ .type = type, .data = data.y, .stride = data.width, .row_scale = data.scales };
}

#define ROW_CASE(name, code) \
    static void name(void *arg) { \
        struct rows_in in = source(); \
        struct rows_out f32 = target(ROWS_F32), bf16 = target(ROWS_BF16), u8 = target(ROWS_U8); \
        struct norm norm = { .kind = NORM_LAYER, .eps = 1e-5f, .gamma = data.vector, .beta = data.vector }; \
        (void)arg, (void)in, (void)f32, (void)bf16, (void)u8, (void)norm; \
        code; \
    }
ROW_CASE(case_bias, in.bias = data.vector; kernel_convert(&in, &f32, ROWS, data.width))
ROW_CASE(case_bf16, kernel_convert(&in, &bf16, ROWS, data.width))
ROW_CASE(case_u8, kernel_convert(&in, &u8, ROWS, data.width))
ROW_CASE(case_norm, kernel_norm(&norm, &in, NULL, 0, false, &f32, NULL, ROWS, data.width))
ROW_CASE(case_norm_sum, kernel_norm(&norm, &in, data.residual, data.width, false, &f32, NULL, ROWS, data.width))
ROW_CASE(case_norm_u8, kernel_norm(&norm, &in, data.residual, data.width, false, &u8, NULL, ROWS, data.width))
ROW_CASE(case_rms, norm.kind = NORM_RMS; kernel_norm(&norm, &in, NULL, 0, false, &f32, NULL, ROWS, data.width))
ROW_CASE(case_gelu, kernel_activate(ACTIVATION_GELU, &in, &f32, ROWS, data.width))
ROW_CASE(case_gelu_u8, kernel_activate(ACTIVATION_GELU, &in, &u8, ROWS, data.width))
ROW_CASE(case_gelu_bf16, kernel_activate(ACTIVATION_GELU, &in, &bf16, ROWS, data.width))
ROW_CASE(case_gelu_tanh, kernel_activate(ACTIVATION_GELU_TANH, &in, &f32, ROWS, data.width))
ROW_CASE(case_silu, kernel_activate(ACTIVATION_SILU, &in, &f32, ROWS, data.width))
ROW_CASE(case_geglu, in.stride = 2 * data.width; kernel_activate_glu(ACTIVATION_GELU, &in, &f32, ROWS / 2, data.width))
ROW_CASE(case_rope, rope_apply(data.rope, 0, data.residual, data.width, ROWS, data.width / 64))
ROW_CASE(case_softmax, kernel_softmax(data.residual, data.width, ROWS, data.width))
ROW_CASE(case_pool, kernel_pool(ROWS_MEAN, data.x, data.width, ROWS, data.width, data.y))

/* bytes: read and written for one number; rows: of ROWS */
static const struct {
    const char *name;
    void (*run)(void *);
    size_t width;
    double bytes, rows;
} row_cases[] = {
    { "add bias", case_bias, 768, 8, ROWS },
    { "to bf16", case_bf16, 768, 6, ROWS },
    { "to bytes", case_u8, 768, 5, ROWS },
    { "LayerNorm", case_norm, 768, 8, ROWS },
    { "residual + LayerNorm", case_norm_sum, 768, 12, ROWS },
    { "residual + LayerNorm to bytes", case_norm_u8, 768, 9, ROWS },
    { "RMSNorm", case_rms, 768, 8, ROWS },
    { "GELU", case_gelu, 3072, 8, ROWS },
    { "GELU to bf16", case_gelu_bf16, 3072, 6, ROWS },
    { "GELU to bytes", case_gelu_u8, 3072, 5, ROWS },
    { "GELU by tanh", case_gelu_tanh, 3072, 8, ROWS },
    { "SiLU", case_silu, 3072, 8, ROWS },
    { "GELU * gate", case_geglu, 1152, 12, ROWS / 2 },
    { "rotation", case_rope, 768, 8, ROWS },
    { "softmax", case_softmax, 512, 8, ROWS },
    { "mean of rows", case_pool, 768, 4, ROWS },
};

static void bench_rows(void) {
    for (size_t k = 0; k < sizeof(row_cases) / sizeof(*row_cases); k++) {
        double time, numbers = row_cases[k].rows * (double)row_cases[k].width;
        data.width = row_cases[k].width;
        time = seconds(row_cases[k].run, NULL);
        printf("  %-34s %6zu wide %10.1f ns a row %8.3f ns a number %7.1f GB/s\n", row_cases[k].name, data.width,
               time * 1e9 / row_cases[k].rows, time * 1e9 / numbers, numbers * row_cases[k].bytes / time / 1e9);
    }
}

int main(void) {
    static const struct rope_config config = { .theta = 10000, .factor = 1, .attention_factor = 1 };
    struct rope_library *library = rope_library_new();
    struct vsr_err err = VSR_ERR_NONE;
    if (rope_get(library, &config, 64, &data.rope, &err) < 0 || rope_reserve(data.rope, ROWS, &err) < 0)
        abort();
    data.x = noise((size_t)ROWS * WIDTH);
    data.residual = noise((size_t)ROWS * WIDTH);
    data.vector = noise(WIDTH);
    data.y = allocate((size_t)ROWS * WIDTH * sizeof(float));
    for (int isa = (int)cpu_isa_best(); isa >= 0; isa--) {
        double peak = peak_flops((enum cpu_isa)isa);
        cpu_isa_limit((enum cpu_isa)isa);
        printf("%s: peak of f32 multiply-adds %.1f GFLOP/s\n", cpu_isa_name((enum cpu_isa)isa), peak / 1e9);
        bench_attentions(peak);
        bench_positions(peak);
        bench_rows();
    }
    rope_library_free(library);
    free(data.x);
    free(data.residual);
    free(data.vector);
    free(data.y);
    return 0;
}
