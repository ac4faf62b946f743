#include "nn/gemm_vnni.h"

#include <string.h>

#include "core/assert.h"
#include "nn/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
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
    STEP_LEN = PANEL * STEP
};

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

/* Leaf 7: AVX-512 VNNI in ECX, AMX for bytes in EDX. Not every compiler has names for both. */
bool gemm_vnni_serves(void) {
    enum { VNNI = 1u << 11, AMX_INT8 = 1u << 25 };
    unsigned a, b, c, d;
    return cpu_isa() >= CPU_AVX512 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & VNNI) && !(d & AMX_INT8);
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

INLINE struct channels channels_from(const struct gemm_vnni *m, size_t channel) {
    size_t n = channel < m->out ? m->out - channel : 0;
    __mmask16 mask = n < WIDTH ? (__mmask16)((1u << n) - 1) : 0xffff;
    return (struct channels){ mask, _mm512_maskz_loadu_epi32(mask, m->compensation + channel),
                              _mm512_maskz_loadu_ps(mask, m->scales + channel),
                              _mm512_maskz_loadu_ps(mask, m->bias + channel) };
}

INLINE void finish(const struct channels *c, __m512i sums, float row_scale, float *y) {
    __m512 value = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums, c->minus));
    __m512 scale = _mm512_mul_ps(_mm512_set1_ps(row_scale), c->scale);
    _mm512_mask_storeu_ps(y, c->mask, _mm512_fmadd_ps(value, scale, c->bias));
}

INLINE __m512i broadcast(const uint8_t *x) {
    int32_t four;
    memcpy(&four, x, sizeof(four));
    return _mm512_set1_epi32(four);
}

/* The compilers' own function for it makes them keep copies of the sums in memory. */
INLINE void add_products(__m512i *sums, __m512i x, __m512i weights) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(*sums) : "v"(x), "v"(weights));
}

INLINE void run_tile(size_t rows, const struct gemm_vnni *m, const struct tile *tile, size_t channel,
                     const float *row_scales, float *y) {
    __m512i sums[ROWS][VECTORS];
    const int8_t *weights = tile->weights;
    const char *ahead = tile->ahead;
    UNROLL
    for (size_t r = 0; r < rows; r++)
        for (size_t v = 0; v < VECTORS; v++)
            sums[r][v] = _mm512_setzero_si512();
    for (size_t at = 0; at < m->in; at += STEP, weights += STEP_LEN, ahead += tile->ahead_len) {
        __m512i columns[VECTORS];
        UNROLL
        for (size_t v = 0; v < VECTORS; v++)
            columns[v] = _mm512_loadu_si512(weights + v * WIDTH * STEP);
        _mm_prefetch(ahead, _MM_HINT_T1);
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            __m512i x = broadcast(tile->x + r * m->in + at);
            UNROLL
            for (size_t v = 0; v < VECTORS; v++)
                add_products(&sums[r][v], x, columns[v]);
        }
    }
    UNROLL
    for (size_t v = 0; v < VECTORS; v++) {
        struct channels channels = channels_from(m, channel + v * WIDTH);
        UNROLL
        for (size_t r = 0; r < rows; r++)
            finish(&channels, sums[r][v], row_scales[r], y + r * m->out + v * WIDTH);
    }
}

#define TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)

static void run_rows(size_t rows, const struct gemm_vnni *m, const struct tile *tile, size_t channel,
                     const float *row_scales, float *y) {
    switch (rows) {
#define X(n) \
    case n: \
        run_tile(n, m, tile, channel, row_scales, y); \
        break;
        TILE_ROWS(X)
#undef X
    }
}

/* ---- all of it */

/* Tiles differ by one row at most. The panel after this one is fetched a part with each. */
static void run_panel(const struct gemm_vnni *m, const uint8_t *x, const float *row_scales, size_t n, size_t panel,
                      float *y) {
    size_t panel_len = m->in * PANEL, tiles = (n + ROWS - 1) / ROWS;
    const int8_t *weights = (const int8_t *)m->packed + panel * panel_len;
    bool last = (panel + 1) * PANEL >= m->out;
    for (size_t t = 0; t < tiles; t++) {
        size_t row = n * t / tiles, end = n * (t + 1) / tiles;
        struct tile tile = { .x = x + row * m->in, .weights = weights };
        tile.ahead = (const char *)weights + (last ? 0 : panel_len + panel_len * t / tiles);
        tile.ahead_len = last ? 0 : STEP_LEN / tiles;
        run_rows(end - row, m, &tile, panel * PANEL, row_scales + row, y + row * m->out + panel * PANEL);
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
