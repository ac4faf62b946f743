/*
 * kernels_isa - the part of kernels that is compiled once for each level of cpu.h: one row, or a piece of it, at a
 * time.
 *
 * For kernels.c alone. Rows that are `const float *` here are f32 without anything to apply.
 */
#ifndef VSR_NN_KERNELS_ISA_H
#define VSR_NN_KERNELS_ISA_H

#include "nn/kernels.h"

struct kernels_isa {
    /* `width` numbers of a row from column `from` on. */
    void (*read)(const struct rows_in *in, size_t row, size_t from, float *to, size_t width);
    void (*write)(const struct rows_out *out, size_t row, const float *x, size_t width);
    void (*activate)(enum activation activation, const float *x, float *y, size_t width);
    void (*glu)(enum activation activation, const float *u, const float *g, float *y, size_t width);
    void (*norm)(const struct norm *norm, const float *x, float *y, size_t width);
    void (*add)(const float *x, const float *y, float *sum, size_t width);
    void (*rotate)(const float *table, float *heads, size_t n_heads, size_t head_dim);
    /* out (+)= row * scale */
    void (*embed)(const struct embed_table *table, size_t row, float scale, bool add, float *out, size_t width);
    void (*pool)(enum pool_kind kind, const float *rows, size_t stride, size_t n_rows, size_t width, float *out);
    void (*normalize)(const float *in, float *out, size_t width);
    void (*softmax)(float *row, size_t width);
    void (*sigmoid)(float *row, size_t width);
    float (*dot)(const float *a, const float *b, size_t width);
    /* One row of the result. */
    void (*convolve)(const struct convolution *convolution, const float *in, size_t row, size_t n_rows, float *out,
                     size_t width);
    void (*add_low_rank)(const struct low_rank *product, float *y, size_t stride, size_t n_rows, size_t width);
};

extern const struct kernels_isa kernels_portable;
#if defined(__x86_64__)
extern const struct kernels_isa kernels_avx2;
extern const struct kernels_isa kernels_avx512;
#endif

#endif
