/*
 * gemm_vnni - products of bytes by AVX-512's VNNI instructions, for processors that have these and no AMX.
 *
 * oneDNN's kernels leave sums of 32 bits in memory, which somebody has to read again to scale them. Here they are
 * scaled before they leave the nearest cache, and a panel of weights comes from memory while the one before it is used:
 * scaled rows take about as long as oneDNN's sums alone, which `make bench-nn` prints beside each other. For gemm.c
 * alone.
 *
 * Weights are packed in panels of 64 channels, [in / 4][64][4], zeros past the last channel. Sums are exact. Read-only:
 * any thread.
 */
#ifndef VSR_NN_GEMM_VNNI_H
#define VSR_NN_GEMM_VNNI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether this processor should use it. Otherwise only the first function may be called. */
bool gemm_vnni_serves(void);

/* Bytes of the packed form. */
size_t gemm_vnni_len(size_t out, size_t in);

/* `weights`: [out][in]. */
void gemm_vnni_pack(const int8_t *weights, size_t out, size_t in, void *packed);

enum {
    GEMM_VNNI_STEP = 4, /* `in` is a multiple of this */
    GEMM_VNNI_ROWS = 6, /* best is a multiple of so many rows */
};

struct gemm_vnni {
    size_t out, in;
    const void *packed;
    /* [out] each. y = (sum - compensation) * row scale * scale + bias */
    const int32_t *compensation;
    const float *scales, *bias;
};

/* `x`: [n][in], `row_scales`: [n], `y`: [n][out]. */
void gemm_vnni_run(const struct gemm_vnni *matrix, const uint8_t *x, const float *row_scales, size_t n, float *y);

#endif
