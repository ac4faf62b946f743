#include "nn/gemm_vnni.h"

#include <string.h>

#include "core/assert.h"
#include "nn/cpu.h"

#if defined(__x86_64__)
#include <immintrin.h>

/*
 * A tile is ROWS x PANEL sums in 24 registers, four vectors of weights and four bytes of a row, broadcast, beside them:
 * few instructions for each product, which counts where two threads share a core.
 */
enum {
    WIDTH = 16,
    ROWS = GEMM_VNNI_ROWS,
    VECTORS = 4,
    PANEL = VECTORS * WIDTH,
    STEP = GEMM_VNNI_STEP,
    STEP_LEN = PANEL * STEP,
    TURN = 4, /* steps */
};

bool gemm_vnni_serves(void) {
    return cpu_has_vnni() && !cpu_has_amx_int8();
}

size_t gemm_vnni_len(size_t out, size_t in) {
    return (out + PANEL - 1) / PANEL * in * PANEL;
}

void gemm_vnni_pack(const int8_t *weights, size_t out, size_t in, void *packed) {
    size_t panel_len = in * PANEL;
    memset(packed, 0, gemm_vnni_len(out, in));
    for (size_t channel = 0; channel < out; channel++) {
        int8_t *to = (int8_t *)packed + channel / PANEL * panel_len + channel % PANEL * STEP;
        for (size_t i = 0; i < in; i++)
            to[i / STEP * STEP_LEN + i % STEP] = weights[channel * in + i];
    }
}

/* ---- a tile */

struct tile {
    const uint8_t *x; /* of its first row */
    const int8_t *weights;
    const char *ahead; /* weights that will be used next, and how far to go there with each step */
    size_t ahead_len;
};

/* What becomes of 16 sums: (sum - compensation) * scale + bias, as nn/kernels.h has it. */
struct channels {
    __mmask16 mask;
    __m512i minus;
    __m512 scale, bias;
};

static struct channels channels_from(const struct gemm_vnni *m, size_t channel) {
    size_t n = channel < m->out ? m->out - channel : 0;
    __mmask16 mask = n < WIDTH ? (__mmask16)((1u << n) - 1) : 0xffff;
    return (struct channels){ mask, _mm512_maskz_loadu_epi32(mask, m->compensation + channel),
                              _mm512_maskz_loadu_ps(mask, m->scales + channel),
                              _mm512_maskz_loadu_ps(mask, m->bias + channel) };
}

/*
 * The loop of a tile. Compilers keep copies of so many sums in memory and move them about in registers, which costs a
 * quarter of the speed; hence the names of registers: sums in zmm0 to zmm23, row r's from 4 r on, weights in zmm24 to
 * zmm27, four bytes of a row in zmm28. Four steps make a turn, lest counting costs.
 */
#define ADD_ROW(a, b, c, d, x) \
    "vpbroadcastd " x ", %%zmm28\n\t" \
    "vpdpbusd %%zmm24, %%zmm28, %%zmm" #a "\n\t" \
    "vpdpbusd %%zmm25, %%zmm28, %%zmm" #b "\n\t" \
    "vpdpbusd %%zmm26, %%zmm28, %%zmm" #c "\n\t" \
    "vpdpbusd %%zmm27, %%zmm28, %%zmm" #d "\n\t"
#define ADD_1(at) ADD_ROW(0, 1, 2, 3, at "(%[x])")
#define ADD_2(at) ADD_1(at) ADD_ROW(4, 5, 6, 7, at "(%[x], %[stride])")
#define ADD_3(at) ADD_2(at) ADD_ROW(8, 9, 10, 11, at "(%[x], %[stride], 2)")
#define ADD_4(at) ADD_3(at) ADD_ROW(12, 13, 14, 15, at "(%[x3])")
#define ADD_5(at) ADD_4(at) ADD_ROW(16, 17, 18, 19, at "(%[x3], %[stride])")
#define ADD_6(at) ADD_5(at) ADD_ROW(20, 21, 22, 23, at "(%[x3], %[stride], 2)")
/* Step i of a turn, for which the pointers stand still. */
#define STEP_AT(rows, i) \
    "vmovdqu64 " #i "*256(%[weights]), %%zmm24\n\t" \
    "vmovdqu64 " #i "*256+64(%[weights]), %%zmm25\n\t" \
    "vmovdqu64 " #i "*256+128(%[weights]), %%zmm26\n\t" \
    "vmovdqu64 " #i "*256+192(%[weights]), %%zmm27\n\t" ADD_##rows(#i "*4")
#define ADVANCE(steps) \
    "add $" #steps "*4, %[x]\n\t" \
    "add $" #steps "*4, %[x3]\n\t" \
    "add $" #steps "*256, %[weights]\n\t"

#define FOUR(each, a, b, c, d) each(a) each(b) each(c) each(d)
#define ZERO_SUM(i) "vpxord %%zmm" #i ", %%zmm" #i ", %%zmm" #i "\n\t"
#define STORE_SUM(i) "vmovdqa64 %%zmm" #i ", " #i "*64(%[sums])\n\t"
#define EACH_1(each) FOUR(each, 0, 1, 2, 3)
#define EACH_2(each) EACH_1(each) FOUR(each, 4, 5, 6, 7)
#define EACH_3(each) EACH_2(each) FOUR(each, 8, 9, 10, 11)
#define EACH_4(each) EACH_3(each) FOUR(each, 12, 13, 14, 15)
#define EACH_5(each) EACH_4(each) FOUR(each, 16, 17, 18, 19)
#define EACH_6(each) EACH_5(each) FOUR(each, 20, 21, 22, 23)

/* sums[r][channel] = products of row r, which begins `stride` bytes behind the one before. */
#define DEFINE_MULTIPLY(rows) \
    static void multiply_##rows(const struct tile *tile, size_t stride, int32_t *sums) { \
        const uint8_t *x = tile->x, *x3 = tile->x + (rows > 3 ? 3 * stride : 0); /* row 3, if there is one */ \
        const int8_t *weights = tile->weights; \
        const char *ahead = tile->ahead; \
        size_t turns = stride / STEP / TURN, steps = stride / STEP % TURN; \
        __asm__ volatile(EACH_##rows(ZERO_SUM) /* */ \
                         "test %[turns], %[turns]\n\t" \
                         "jz 2f\n" \
                         "1:\n\t" STEP_AT(rows, 0) STEP_AT(rows, 1) STEP_AT(rows, 2) STEP_AT(rows, 3) /* */ \
                         "prefetcht1 (%[ahead])\n\t" \
                         "prefetcht1 (%[ahead], %[ahead_len])\n\t" \
                         "prefetcht1 (%[ahead], %[ahead_len], 2)\n\t" \
                         "prefetcht1 (%[ahead], %[ahead_len3])\n\t" \
                         "lea (%[ahead], %[ahead_len], 4), %[ahead]\n\t" ADVANCE(4) /* */ \
                         "dec %[turns]\n\t" \
                         "jnz 1b\n" \
                         "2:\n\t" \
                         "test %[steps], %[steps]\n\t" \
                         "jz 4f\n" \
                         "3:\n\t" STEP_AT(rows, 0) ADVANCE(1) /* */ \
                         "dec %[steps]\n\t" \
                         "jnz 3b\n" \
                         "4:\n\t" EACH_##rows(STORE_SUM) \
                         : [turns] "+&r"(turns), [steps] "+&r"(steps), [x] "+&r"(x), [x3] "+&r"(x3), \
                           [weights] "+&r"(weights), [ahead] "+&r"(ahead) \
                         : [stride] "r"(stride), [ahead_len] "r"(tile->ahead_len), \
                           [ahead_len3] "r"(3 * tile->ahead_len), [sums] "r"(sums) \
                         : "memory", "cc", ALL_VECTORS); \
    }
#define ALL_VECTORS \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
        "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", \
        "xmm25", "xmm26", "xmm27", "xmm28"
#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)

_Static_assert(STEP == 4 && VECTORS == 4 && ROWS == 6 && TURN == 4, "the loop is written for these");
TILE_ROWS(DEFINE_MULTIPLY)

typedef void multiply_tile(const struct tile *tile, size_t stride, int32_t *sums);

#define NAME(rows) multiply_##rows,
static multiply_tile *const multiply[] = { TILE_ROWS(NAME) };
#undef NAME

/* Everything that a row does not change stays in registers. */
static void finish(size_t rows, const struct channels *channels, const int32_t *sums, const float *row_scales, float *y,
                   size_t stride) {
    const __m512i minus = channels->minus;
    const __m512 scales = channels->scale, bias = channels->bias;
    const __mmask16 mask = channels->mask;
    for (size_t r = 0; r < rows; r++) {
        __m512 value = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_load_si512(sums + r * PANEL), minus));
        __m512 scale = _mm512_mul_ps(_mm512_set1_ps(row_scales[r]), scales);
        _mm512_mask_storeu_ps(y + r * stride, mask, _mm512_fmadd_ps(value, scale, bias));
    }
}

static void run_tile(size_t rows, const struct gemm_vnni *m, const struct tile *tile,
                     const struct channels channels[VECTORS], const float *row_scales, float *y) {
    _Alignas(64) int32_t sums[ROWS * PANEL];
    multiply[rows - 1](tile, m->in, sums);
    for (size_t v = 0; v < VECTORS; v++)
        finish(rows, &channels[v], sums + v * WIDTH, row_scales, y + v * WIDTH, m->out);
}

/* ---- all of it */

/* Tiles differ by one row at most. The panel after this one is fetched a part with each. */
static void run_panel(const struct gemm_vnni *m, const uint8_t *x, const float *row_scales, size_t n, size_t panel,
                      float *y) {
    size_t panel_len = m->in * PANEL, tiles = (n + ROWS - 1) / ROWS;
    const int8_t *weights = (const int8_t *)m->packed + panel * panel_len;
    bool last = (panel + 1) * PANEL >= m->out;
    struct channels channels[VECTORS];
    for (size_t v = 0; v < VECTORS; v++)
        channels[v] = channels_from(m, panel * PANEL + v * WIDTH);
    for (size_t t = 0; t < tiles; t++) {
        size_t row = n * t / tiles, end = n * (t + 1) / tiles;
        struct tile tile = { .x = x + row * m->in, .weights = weights };
        tile.ahead = (const char *)weights + (last ? 0 : panel_len + panel_len * t / tiles);
        tile.ahead_len = last ? 0 : STEP_LEN / tiles;
        run_tile(end - row, m, &tile, channels, row_scales + row, y + row * m->out + panel * PANEL);
    }
}

void gemm_vnni_run(const struct gemm_vnni *matrix, const uint8_t *x, const float *row_scales, size_t n, float *y) {
    for (size_t panel = 0; panel * PANEL < matrix->out; panel++)
        run_panel(matrix, x, row_scales, n, panel, y);
}

#else

bool gemm_vnni_serves(void) {
    return false;
}

size_t gemm_vnni_len(size_t out, size_t in) {
    return out * in;
}

void gemm_vnni_pack(const int8_t *weights, size_t out, size_t in, void *packed) {
    memcpy(packed, weights, out * in);
}

void gemm_vnni_run(const struct gemm_vnni *matrix, const uint8_t *x, const float *row_scales, size_t n, float *y) {
    (void)matrix;
    (void)x;
    (void)row_scales;
    (void)n;
    (void)y;
    VSR_ASSERT(gemm_vnni_serves());
}

#endif
