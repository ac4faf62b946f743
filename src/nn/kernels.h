/*
 * kernels - what lies between the matrix products of an encoder: embeddings, norms, activations, conversions, pooling.
 *
 * All work on rows: tokens, or whole texts. A caller shares rows between threads by passing parts of the arrays. What a
 * row becomes depends on that row alone, to the bit: not on how many there are, on their place in memory, nor on the
 * thread; only on the processor's level (nn/cpu.h). Nothing is allocated, nothing need be aligned. Sums are in f32, in
 * a fixed order. A NaN or infinity in a row stays visible in what comes out: no kernel hides a broken number.
 *
 * A kernel reads rows in any form of `struct rows_in` and writes any form of `struct rows_out`, so that what a product
 * leaves behind (bias, scales, compensation) and what the next one takes (bf16, bytes) cost no pass of their own. Input
 * and output may be the same rows when both have numbers of four bytes, else they must not overlap.
 */
#ifndef VSR_NN_KERNELS_H
#define VSR_NN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/encoder_config.h"
#include "nn/precision.h"

/* Numbers in a row, after the halving of a GLU. A row in work lies on the stack. */
enum { KERNELS_WIDTH_MAX = 16384 };

enum rows_type {
    ROWS_F32,
    ROWS_BF16,
    ROWS_S32, /* input only: what a product of bytes with signed bytes left */
    ROWS_U8,  /* output only: round(x / scale) + 128 with scale = max |x| / 127 of the row */
};

/* Strides are in elements, from one row to the next. */
struct rows_in {
    enum rows_type type;
    const void *data;
    size_t stride;
    const float *bias; /* [width], added to each row; NULL: none */
    /* ROWS_S32: (x - compensation) * row_scale * column_scale, where compensation is 128 * the sum of the column's
     * weights */
    const int32_t *compensation; /* [width] */
    const float *column_scale;   /* [width] */
    const float *row_scale;      /* [rows] */
};

struct rows_out {
    enum rows_type type;
    void *data;
    size_t stride;
    /* ROWS_U8: [rows]. A row of zeros (to 1e-30) is all 128 with scale 1/127; one with NaN or infinity has scale NaN.
     */
    float *row_scale;
};

/* ---- conversions: biases and scales applied, types changed */

void kernel_convert(const struct rows_in *in, const struct rows_out *out, size_t n_rows, size_t width);

/* ---- activations */

/* Exact GELU is within 3e-7 * max(1, |x|), the others within a few units in the last place. */
void kernel_activate(enum activation activation, const struct rows_in *in, const struct rows_out *out, size_t n_rows,
                     size_t width);

/* Rows of `in` are [u | g] with `width` numbers each (bias and column vectors 2 * width): activation(u) * g. */
void kernel_activate_glu(enum activation activation, const struct rows_in *in, const struct rows_out *out,
                         size_t n_rows, size_t width);

/* ---- norms */

enum norm_kind {
    NORM_LAYER,       /* (x - mean) / sqrt(variance + eps) * gamma + beta */
    NORM_RMS,         /* x / sqrt(mean of squares + eps) * gamma */
    NORM_RMS_PLUS_ONE /* the same with 1 + gamma, as Gemma has it */
};

struct norm {
    enum norm_kind kind;
    float eps;
    const float *gamma; /* [width] */
    const float *beta;  /* [width]; NULL: none */
};

/*
 * out = norm(in + residual). `residual` (f32; NULL: none) is replaced by the sum when `keep_sum`. `also`, unless NULL,
 * is a second output of the same numbers: a post-norm encoder needs them in f32 for the residual and in the precision
 * of the next product. `out` or `also` may be `residual`'s rows.
 */
void kernel_norm(const struct norm *norm, const struct rows_in *in, float *residual, size_t residual_stride,
                 bool keep_sum, const struct rows_out *out, const struct rows_out *also, size_t n_rows, size_t width);

/* residual += norm(in), which is how Gemma ends a block. */
void kernel_norm_into(const struct norm *norm, const struct rows_in *in, float *residual, size_t residual_stride,
                      size_t n_rows, size_t width);

/* In place, each head by itself: `n_heads` heads of `head_dim` numbers lie side by side in each row. */
void kernel_norm_heads(const struct norm *norm, float *data, size_t stride, size_t n_rows, size_t n_heads,
                       size_t head_dim);

/* ---- positions */

/*
 * In place, each head by itself: (a, b) becomes (a cos - b sin, b cos + a sin), where a is the head's first half and b
 * its second. `table` [n_rows][head_dim] holds a row's cosines, then its sines. See nn/rope.h, which makes it.
 */
void kernel_rotate(const float *table, float *data, size_t stride, size_t n_rows, size_t n_heads, size_t head_dim);

/* ---- embeddings */

/* Rows of any alignment, as a mapped file has them. */
struct embed_table {
    enum dtype dtype; /* DTYPE_F32, DTYPE_BF16 or DTYPE_I8 */
    const void *data; /* [n_rows][width]; NULL: no such table */
    size_t n_rows;
    const float *row_scale; /* [n_rows], DTYPE_I8 only */
};

struct embed {
    struct embed_table words, positions, types;
    float scale; /* of the word's row */
};

/*
 * out[i] = words[ids[i]] * scale + positions[positions[i]] + types[types[i]]. `positions` and `types` are not read
 * where there is no such table; `types` NULL is type 0. Indexes are below n_rows: the caller has checked them.
 */
void kernel_embed(const struct embed *embed, const uint32_t *ids, const uint32_t *positions, const uint32_t *types,
                  float *out, size_t stride, size_t n_rows, size_t width);

/* ---- from token vectors to one vector */

enum pool_kind { ROWS_FIRST, ROWS_LAST, ROWS_MEAN, ROWS_MEAN_SQRT, ROWS_WEIGHTED_MEAN, ROWS_MAX };

/* One text's rows, at least one. `out` [width]. Mean of square-root length: sum / sqrt(n); weighted: weights 1 to n. */
void kernel_pool(enum pool_kind kind, const float *rows, size_t stride, size_t n_rows, size_t width, float *out);

/* out = in / max(length of in, 1e-12), over `width` numbers: pass a smaller width than the vector's to cut it first.
 * `out` may be `in`. */
void kernel_normalize(const float *in, float *out, size_t width);

/* ---- from logits to probabilities */

/* In place. A row of -inf becomes zeros; any NaN makes the row NaN. */
void kernel_softmax(float *data, size_t stride, size_t n_rows, size_t width);
void kernel_sigmoid(float *data, size_t width);

/* ---- sums */

/* to += from */
void kernel_add(const struct rows_in *from, float *to, size_t stride, size_t n_rows, size_t width);
float kernel_dot(const float *a, const float *b, size_t width);

/* ---- convolutions over tokens, each column by itself */

struct convolution {
    const float *taps;   /* [n_taps][width], n_taps odd: the middle one is for the row itself */
    size_t n_taps, step; /* rows from one tap to the next */
    const float *bias;   /* [width]; NULL: none */
};

/* `in` and `out`: [n_rows][width], not the same. Rows before the first and behind the last count as zeros. */
void kernel_convolve(const struct convolution *convolution, const float *in, float *out, size_t n_rows, size_t width);

/* ---- products of few columns, such as an adapter's second factor */

struct low_rank {
    const float *x; /* [rows][rank], rows x_stride apart */
    size_t x_stride;
    const float *factor; /* [rank][width] */
    size_t rank;         /* 0: only the bias */
    const float *bias;   /* [width]; NULL: none */
};

/* y += x factor + bias: each number is summed in the order of the rank, then the bias, then what was there. */
void kernel_add_low_rank(const struct low_rank *product, float *y, size_t stride, size_t n_rows, size_t width);

#endif
