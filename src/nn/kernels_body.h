/*
 * kernels_body - the code behind kernels_isa.h, compiled by kernels_portable.c, kernels_avx2.c and kernels_avx512.c.
 */
#ifndef VSR_NN_KERNELS_BODY_H
#define VSR_NN_KERNELS_BODY_H

#include "nn/kernels_isa.h"
#include "nn/simd.h"

/* ---- reading and writing */

static void read_f32(const float *x, const float *bias, float *to, size_t width) {
    if (bias)
        LANES(width, vf_store(to + i, vf_add(vf_load(x + i, n), vf_load(bias + i, n)), n););
    else if (x != to && width)
        memmove(to, x, width * sizeof(*to));
}

static void read_bf16(const uint16_t *x, const float *bias, float *to, size_t width) {
    if (bias)
        LANES(width, vf_store(to + i, vf_add(vf_load_bf16(x + i, n), vf_load(bias + i, n)), n););
    else
        LANES(width, vf_store(to + i, vf_load_bf16(x + i, n), n););
}

static void read_s32(const struct rows_in *in, size_t row, size_t from, float *to, size_t width) {
    const int32_t *x = (const int32_t *)in->data + row * in->stride + from, *minus = in->compensation + from;
    const float *column_scale = in->column_scale + from, *bias = in->bias ? in->bias + from : NULL;
    vf row_scale = vf_set(in->row_scale[row]);
    if (bias)
        LANES(width, vf scale = vf_mul(row_scale, vf_load(column_scale + i, n));
              vf_store(to + i, vf_fma(vf_load_s32_minus(x + i, minus + i, n), scale, vf_load(bias + i, n)), n););
    else
        LANES(width, vf scale = vf_mul(row_scale, vf_load(column_scale + i, n));
              vf_store(to + i, vf_mul(vf_load_s32_minus(x + i, minus + i, n), scale), n););
}

static void body_read(const struct rows_in *in, size_t row, size_t from, float *to, size_t width) {
    const float *bias = in->bias ? in->bias + from : NULL;
    if (in->type == ROWS_F32)
        read_f32((const float *)in->data + row * in->stride + from, bias, to, width);
    else if (in->type == ROWS_BF16)
        read_bf16((const uint16_t *)in->data + row * in->stride + from, bias, to, width);
    else
        read_s32(in, row, from, to, width);
}

static void write_u8(uint8_t *to, float *ret_scale, const float *x, size_t width) {
    vf greatest = REDUCE_LANES(vf_max_nan, width, vf_max_nan(sum, vf_abs(vf_load(x + i, n)))), factor;
    float max = vf_top(greatest);
    float broken = vf_sum(vf_mul(greatest, vf_zero())); /* 0, or NaN where any of the numbers is NaN or infinite */
    if (!(max > 1e-30f) || broken != 0) {               /* NaN is unequal to everything */
        memset(to, 128, width);
        *ret_scale = 1.0f / 127 + broken;
        return;
    }
    *ret_scale = max / 127;
    factor = vf_set(127 / max);
    for (; width >= (size_t)4 * VW; x += 4 * VW, to += 4 * VW, width -= 4 * VW)
        vf_store_u8_four(to, vf_mul(vf_load(x, VW), factor), vf_mul(vf_load(x + VW, VW), factor),
                         vf_mul(vf_load(x + 2 * VW, VW), factor), vf_mul(vf_load(x + 3 * VW, VW), factor));
    LANES(width, vf_store_u8(to + i, vf_mul(vf_load(x + i, n), factor), n););
}

static void body_write(const struct rows_out *out, size_t row, const float *x, size_t width) {
    if (out->type == ROWS_F32) {
        float *to = (float *)out->data + row * out->stride;
        if (to != x && width)
            memmove(to, x, width * sizeof(*to));
    } else if (out->type == ROWS_BF16) {
        uint16_t *to = (uint16_t *)out->data + row * out->stride;
        LANES(width, vf_store_bf16(to + i, vf_load(x + i, n), n););
    } else {
        write_u8((uint8_t *)out->data + row * out->stride, out->row_scale + row, x, width);
    }
}

/* ---- activations */

#define ACTIVATIONS(X) \
    X(ACTIVATION_GELU, vf_gelu) \
    X(ACTIVATION_GELU_TANH, vf_gelu_tanh) \
    X(ACTIVATION_QUICK_GELU, vf_quick_gelu) \
    X(ACTIVATION_SILU, vf_silu) \
    X(ACTIVATION_RELU, vf_relu) \
    X(ACTIVATION_TANH, vf_tanh)

static void body_activate(enum activation activation, const float *x, float *y, size_t width) {
    switch (activation) {
#define X(name, function) \
    case name: \
        LANES(width, vf_store(y + i, function(vf_load(x + i, n)), n);); \
        break;
        ACTIVATIONS(X)
#undef X
    }
}

static void body_glu(enum activation activation, const float *u, const float *g, float *y, size_t width) {
    switch (activation) {
#define X(name, function) \
    case name: \
        LANES(width, vf_store(y + i, vf_mul(function(vf_load(u + i, n)), vf_load(g + i, n)), n);); \
        break;
        ACTIVATIONS(X)
#undef X
    }
}

/* ---- norms */

static float sum_of_squares(const float *x, size_t width) {
    return vf_sum(SUM_LANES(width, ({
                                vf v = vf_load(x + i, n);
                                vf_fma(v, v, sum);
                            })));
}

static void norm_layer(const struct norm *norm, const float *x, float *y, size_t width) {
    float mean = vf_sum(SUM_LANES(width, vf_add(sum, vf_load(x + i, n)))) / (float)width;
    vf center = vf_set(mean), factor;
    float squares = vf_sum(SUM_LANES(width, ({
                                         vf v = vf_cut(vf_sub(vf_load(x + i, n), center), n);
                                         vf_fma(v, v, sum);
                                     })));
    factor = vf_set(1 / sqrtf(squares / (float)width + norm->eps));
    if (norm->beta)
        LANES(width, vf v = vf_mul(vf_sub(vf_load(x + i, n), center), factor);
              vf_store(y + i, vf_fma(v, vf_load(norm->gamma + i, n), vf_load(norm->beta + i, n)), n););
    else
        LANES(width, vf v = vf_mul(vf_sub(vf_load(x + i, n), center), factor);
              vf_store(y + i, vf_mul(v, vf_load(norm->gamma + i, n)), n););
}

static void norm_rms(const struct norm *norm, const float *x, float *y, size_t width) {
    vf factor = vf_set(1 / sqrtf(sum_of_squares(x, width) / (float)width + norm->eps));
    vf more = vf_set(norm->kind == NORM_RMS_PLUS_ONE ? 1 : 0);
    LANES(width, vf v = vf_mul(vf_load(x + i, n), factor);
          vf_store(y + i, vf_mul(v, vf_add(more, vf_load(norm->gamma + i, n))), n););
}

static void body_norm(const struct norm *norm, const float *x, float *y, size_t width) {
    if (norm->kind == NORM_LAYER)
        norm_layer(norm, x, y, width);
    else
        norm_rms(norm, x, y, width);
}

static void body_add(const float *x, const float *y, float *sum, size_t width) {
    LANES(width, vf_store(sum + i, vf_add(vf_load(x + i, n), vf_load(y + i, n)), n););
}

static void body_rotate(const float *table, float *heads, size_t n_heads, size_t head_dim) {
    size_t half = head_dim / 2;
    for (size_t head = 0; head < n_heads; head++) {
        float *a = heads + head * head_dim, *b = a + half;
        LANES(half, vf x = vf_load(a + i, n), y = vf_load(b + i, n);
              vf cosine = vf_load(table + i, n), sine = vf_load(table + half + i, n);
              vf_store(a + i, vf_fnma(y, sine, vf_mul(x, cosine)), n);
              vf_store(b + i, vf_fma(x, sine, vf_mul(y, cosine)), n););
    }
}

/* ---- embeddings */

#define EMBED(load) \
    do { \
        if (add) \
            LANES(width, vf_store(out + i, vf_fma(load, factor, vf_load(out + i, n)), n);); \
        else \
            LANES(width, vf_store(out + i, vf_mul(load, factor), n);); \
    } while (0)

static void body_embed(const struct embed_table *table, size_t row, float scale, bool add, float *out, size_t width) {
    vf factor = vf_set(table->dtype == DTYPE_I8 ? scale * table->row_scale[row] : scale);
    const char *data = (const char *)table->data + row * width * dtype_len(table->dtype);
    if (table->dtype == DTYPE_F32)
        EMBED(vf_load((const float *)(const void *)data + i, n));
    else if (table->dtype == DTYPE_BF16)
        EMBED(vf_load_bf16((const uint16_t *)(const void *)data + i, n));
    else
        EMBED(vf_load_s8((const int8_t *)data + i, n));
}

/* ---- pooling */

enum { POOL_COLUMNS = 4, POOL_ROWS = 64 }; /* vectors abreast; rows in one partial sum, so that long texts stay exact */

/* Sum of rows times weight 1 or (row + 1), or their maximum, for columns from `column` on. */
SIMD void pool_columns(enum pool_kind kind, const float *rows, size_t stride, size_t n_rows, size_t column,
                       size_t width, float *out) {
    vf total[POOL_COLUMNS], sum[POOL_COLUMNS], broken[POOL_COLUMNS];
    size_t lanes[POOL_COLUMNS], n_columns = 0;
    for (size_t at = column; at < width && n_columns < POOL_COLUMNS; at += VW, n_columns++)
        lanes[n_columns] = width - at < VW ? width - at : VW;
    for (size_t c = 0; c < n_columns; c++) {
        total[c] = kind == ROWS_MAX ? vf_load(rows + column + c * VW, lanes[c]) : vf_zero();
        broken[c] = vf_zero();
    }
    for (size_t begin = 0; begin < n_rows; begin += POOL_ROWS) {
        size_t end = begin + POOL_ROWS < n_rows ? begin + POOL_ROWS : n_rows;
        for (size_t c = 0; c < n_columns; c++)
            sum[c] = kind == ROWS_MAX ? total[c] : vf_zero();
        for (size_t r = begin; r < end; r++) {
            vf weight = vf_set((float)(r + 1));
            for (size_t c = 0; c < n_columns; c++) {
                vf x = vf_load(rows + r * stride + column + c * VW, lanes[c]);
                if (kind == ROWS_MAX) {
                    sum[c] = vf_max(sum[c], x);
                    broken[c] = vf_fma(x, vf_zero(), broken[c]); /* a maximum alone forgets NaN */
                } else {
                    sum[c] = kind == ROWS_WEIGHTED_MEAN ? vf_fma(weight, x, sum[c]) : vf_add(sum[c], x);
                }
            }
        }
        for (size_t c = 0; c < n_columns; c++)
            total[c] = kind == ROWS_MAX ? sum[c] : vf_add(total[c], sum[c]);
    }
    for (size_t c = 0; c < n_columns; c++)
        vf_store(out + column + c * VW, kind == ROWS_MAX ? vf_add(total[c], broken[c]) : total[c], lanes[c]);
}

static void body_pool(enum pool_kind kind, const float *rows, size_t stride, size_t n_rows, size_t width, float *out) {
    float count = (float)n_rows, divisor = count;
    if (kind == ROWS_FIRST || kind == ROWS_LAST) {
        memmove(out, rows + (kind == ROWS_LAST ? n_rows - 1 : 0) * stride, width * sizeof(*out));
        return;
    }
    for (size_t column = 0; column < width; column += (size_t)POOL_COLUMNS * VW)
        pool_columns(kind, rows, stride, n_rows, column, width, out);
    if (kind == ROWS_MAX)
        return;
    if (kind == ROWS_MEAN_SQRT)
        divisor = sqrtf(count);
    else if (kind == ROWS_WEIGHTED_MEAN)
        divisor = (float)((double)n_rows * (double)(n_rows + 1) / 2);
    LANES(width, vf_store(out + i, vf_div(vf_load(out + i, n), vf_set(divisor)), n););
}

static void body_normalize(const float *in, float *out, size_t width) {
    float length = sqrtf(sum_of_squares(in, width));
    vf divisor = vf_set(length < 1e-12f ? 1e-12f : length);
    LANES(width, vf_store(out + i, vf_div(vf_load(in + i, n), divisor), n););
}

/* ---- probabilities */

static void body_softmax(float *row, size_t width) {
    vf top = vf_set(-INFINITY), total;
    LANES(width, vf x = vf_load(row + i, n); top = vf_max(top, vf_keep(x, 0, n)););
    float max = vf_top(top);
    vf center = vf_set(max == -INFINITY ? 0 : max); /* all -inf: e^-inf = 0 */
    total = vf_zero();
    LANES(width, vf e = vf_cut(vf_exp(vf_sub(vf_load(row + i, n), center)), n); vf_store(row + i, e, n);
          total = vf_add(total, e););
    float sum = vf_sum(total);
    vf factor = vf_set(sum == 0 ? 0 : 1 / sum);
    LANES(width, vf_store(row + i, vf_mul(vf_load(row + i, n), factor), n););
}

static void body_sigmoid(float *row, size_t width) {
    LANES(width, vf_store(row + i, vf_sigmoid(vf_load(row + i, n)), n););
}

static float body_dot(const float *a, const float *b, size_t width) {
    return vf_sum(SUM_LANES(width, vf_fma(vf_load(a + i, n), vf_load(b + i, n), sum)));
}

/* ---- convolutions */

static void body_convolve(const struct convolution *c, const float *in, size_t row, size_t n_rows, float *out,
                          size_t width) {
    size_t before = row / c->step, behind = (n_rows - 1 - row) / c->step, middle = c->n_taps / 2;
    size_t first = before < middle ? middle - before : 0;
    size_t last = behind < middle ? middle + behind : c->n_taps - 1;
    const float *from = in + (row - (middle - first) * c->step) * width;
    LANES(width, vf sum = c->bias ? vf_load(c->bias + i, n) : vf_zero(); const float *x = from + i;
          for (size_t k = first; k <= last; k++, x += c->step * width) sum =
              vf_fma(vf_load(c->taps + k * width + i, n), vf_load(x, n), sum);
          vf_store(out + i, sum, n););
}

/* ---- products of few columns */

/*
 * A tile of the result is summed in registers. Columns are the outer loop: a tile's columns of the factor then stay in
 * the nearest cache for all rows.
 */
enum { LOW_RANK_ROWS = 4, LOW_RANK_VECTORS = VW >= 16 ? 4 : 2 };

/* `n_rows` and `n_vectors` are known to the compiler; `n`: lanes of each vector. */
SIMD void low_rank_tile(const struct low_rank *p, size_t width, size_t row, size_t n_rows, size_t column,
                        size_t n_vectors, size_t n, float *y, size_t stride) {
    vf sums[LOW_RANK_ROWS][LOW_RANK_VECTORS];
    SIMD_UNROLL
    for (size_t i = 0; i < n_rows * n_vectors; i++)
        sums[i / n_vectors][i % n_vectors] = vf_zero();
    for (size_t k = 0; k < p->rank; k++) {
        vf factor[LOW_RANK_VECTORS];
        SIMD_UNROLL
        for (size_t v = 0; v < n_vectors; v++)
            factor[v] = vf_load(p->factor + k * width + column + v * VW, n);
        SIMD_UNROLL
        for (size_t r = 0; r < n_rows; r++) {
            vf x = vf_set(p->x[(row + r) * p->x_stride + k]);
            SIMD_UNROLL
            for (size_t v = 0; v < n_vectors; v++)
                sums[r][v] = vf_fma(x, factor[v], sums[r][v]);
        }
    }
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t v = 0; v < n_vectors; v++) {
            float *to = y + (row + r) * stride + column + v * VW;
            vf sum = sums[r][v];
            if (p->bias)
                sum = vf_add(sum, vf_load(p->bias + column + v * VW, n));
            vf_store(to, vf_add(vf_load(to, n), sum), n);
        }
    }
}

SIMD void low_rank_columns(const struct low_rank *p, size_t width, size_t column, size_t n_vectors, size_t n, float *y,
                           size_t stride, size_t n_rows) {
    size_t row = 0;
    for (; row + LOW_RANK_ROWS <= n_rows; row += LOW_RANK_ROWS)
        low_rank_tile(p, width, row, LOW_RANK_ROWS, column, n_vectors, n, y, stride);
    for (; row < n_rows; row++)
        low_rank_tile(p, width, row, 1, column, n_vectors, n, y, stride);
}

static void body_add_low_rank(const struct low_rank *p, float *y, size_t stride, size_t n_rows, size_t width) {
    size_t column = 0;
    for (; column + (size_t)LOW_RANK_VECTORS * VW <= width; column += (size_t)LOW_RANK_VECTORS * VW)
        low_rank_columns(p, width, column, LOW_RANK_VECTORS, VW, y, stride, n_rows);
    for (; column + VW <= width; column += VW)
        low_rank_columns(p, width, column, 1, VW, y, stride, n_rows);
    if (column < width)
        low_rank_columns(p, width, column, 1, width - column, y, stride, n_rows);
}

const struct kernels_isa SIMD_NAME(kernels) = {
    .read = body_read,
    .write = body_write,
    .activate = body_activate,
    .glu = body_glu,
    .norm = body_norm,
    .add = body_add,
    .rotate = body_rotate,
    .embed = body_embed,
    .pool = body_pool,
    .normalize = body_normalize,
    .softmax = body_softmax,
    .sigmoid = body_sigmoid,
    .dot = body_dot,
    .convolve = body_convolve,
    .add_low_rank = body_add_low_rank,
};

#endif
