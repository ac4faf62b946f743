#include "nn/kernels.h"

#include "core/assert.h"
#include "nn/cpu.h"
#include "nn/kernels_isa.h"

static const struct kernels_isa *kernels(void) {
    switch (cpu_isa()) {
#if defined(__x86_64__)
    case CPU_AVX512:
        return &kernels_avx512;
    case CPU_AVX2:
        return &kernels_avx2;
#endif
    default:
        return &kernels_portable;
    }
}

/* The numbers of a row from column `from` on: where they lie if nothing has to be done to them, else in `buffer`. */
static const float *row_of(const struct kernels_isa *isa, const struct rows_in *in, size_t row, size_t from,
                           float *buffer, size_t width) {
    if (in->type == ROWS_F32 && !in->bias)
        return (const float *)in->data + row * in->stride + from;
    isa->read(in, row, from, buffer, width);
    return buffer;
}

/* Where to make a row's result: its place if that takes f32, else `buffer`, from which it is then written. */
static float *place_of(const struct rows_out *out, size_t row, float *buffer) {
    return out->type == ROWS_F32 ? (float *)out->data + row * out->stride : buffer;
}

void kernel_convert(const struct rows_in *in, const struct rows_out *out, size_t n_rows, size_t width) {
    const struct kernels_isa *isa = kernels();
    float buffer[KERNELS_WIDTH_MAX];
    VSR_ASSERT(width <= KERNELS_WIDTH_MAX || out->type == ROWS_F32);
    for (size_t row = 0; row < n_rows; row++)
        isa->write(out, row, row_of(isa, in, row, 0, place_of(out, row, buffer), width), width);
}

void kernel_activate(enum activation activation, const struct rows_in *in, const struct rows_out *out, size_t n_rows,
                     size_t width) {
    const struct kernels_isa *isa = kernels();
    float buffer[KERNELS_WIDTH_MAX];
    VSR_ASSERT(width <= KERNELS_WIDTH_MAX);
    for (size_t row = 0; row < n_rows; row++) {
        float *place = place_of(out, row, buffer);
        isa->activate(activation, row_of(isa, in, row, 0, place, width), place, width);
        isa->write(out, row, place, width);
    }
}

void kernel_activate_glu(enum activation activation, const struct rows_in *in, const struct rows_out *out,
                         size_t n_rows, size_t width) {
    const struct kernels_isa *isa = kernels();
    float buffer[KERNELS_WIDTH_MAX], gate[KERNELS_WIDTH_MAX];
    VSR_ASSERT(width <= KERNELS_WIDTH_MAX);
    for (size_t row = 0; row < n_rows; row++) {
        float *place = place_of(out, row, buffer);
        const float *g = row_of(isa, in, row, width, gate, width);
        isa->glu(activation, row_of(isa, in, row, 0, place, width), g, place, width);
        isa->write(out, row, place, width);
    }
}

void kernel_norm(const struct norm *norm, const struct rows_in *in, float *residual, size_t residual_stride,
                 bool keep_sum, const struct rows_out *out, const struct rows_out *also, size_t n_rows, size_t width) {
    const struct kernels_isa *isa = kernels();
    float buffer[KERNELS_WIDTH_MAX];
    VSR_ASSERT(width <= KERNELS_WIDTH_MAX);
    for (size_t row = 0; row < n_rows; row++) {
        const float *x = row_of(isa, in, row, 0, buffer, width);
        float *place;
        if (residual) {
            float *rest = residual + row * residual_stride, *sum = keep_sum ? rest : buffer;
            isa->add(x, rest, sum, width);
            x = sum;
        }
        place = place_of(out, row, buffer);
        isa->norm(norm, x, place, width);
        isa->write(out, row, place, width);
        if (also)
            isa->write(also, row, place, width);
    }
}

void kernel_norm_into(const struct norm *norm, const struct rows_in *in, float *residual, size_t residual_stride,
                      size_t n_rows, size_t width) {
    const struct kernels_isa *isa = kernels();
    float buffer[KERNELS_WIDTH_MAX];
    VSR_ASSERT(width <= KERNELS_WIDTH_MAX);
    for (size_t row = 0; row < n_rows; row++) {
        float *rest = residual + row * residual_stride;
        isa->norm(norm, row_of(isa, in, row, 0, buffer, width), buffer, width);
        isa->add(buffer, rest, rest, width);
    }
}

void kernel_norm_heads(const struct norm *norm, float *data, size_t stride, size_t n_rows, size_t n_heads,
                       size_t head_dim) {
    const struct kernels_isa *isa = kernels();
    for (size_t row = 0; row < n_rows; row++) {
        for (size_t head = 0; head < n_heads; head++) {
            float *x = data + row * stride + head * head_dim;
            isa->norm(norm, x, x, head_dim);
        }
    }
}

void kernel_rotate(const float *table, float *data, size_t stride, size_t n_rows, size_t n_heads, size_t head_dim) {
    const struct kernels_isa *isa = kernels();
    for (size_t row = 0; row < n_rows; row++)
        isa->rotate(table + row * head_dim, data + row * stride, n_heads, head_dim);
}

static void embed_from(const struct kernels_isa *isa, const struct embed_table *table, size_t row, float scale,
                       bool add, float *out, size_t width) {
    VSR_ASSERT(row < table->n_rows);
    isa->embed(table, row, scale, add, out, width);
}

void kernel_embed(const struct embed *embed, const uint32_t *ids, const uint32_t *positions, const uint32_t *types,
                  float *out, size_t stride, size_t n_rows, size_t width) {
    const struct kernels_isa *isa = kernels();
    for (size_t row = 0; row < n_rows; row++, out += stride) {
        embed_from(isa, &embed->words, ids[row], embed->scale, false, out, width);
        if (embed->positions.data)
            embed_from(isa, &embed->positions, positions[row], 1, true, out, width);
        if (embed->types.data)
            embed_from(isa, &embed->types, types ? types[row] : 0, 1, true, out, width);
    }
}

void kernel_pool(enum pool_kind kind, const float *rows, size_t stride, size_t n_rows, size_t width, float *out) {
    VSR_ASSERT(n_rows > 0);
    kernels()->pool(kind, rows, stride, n_rows, width, out);
}

void kernel_normalize(const float *in, float *out, size_t width) {
    kernels()->normalize(in, out, width);
}

void kernel_softmax(float *data, size_t stride, size_t n_rows, size_t width) {
    const struct kernels_isa *isa = kernels();
    for (size_t row = 0; row < n_rows; row++)
        isa->softmax(data + row * stride, width);
}

void kernel_sigmoid(float *data, size_t width) {
    kernels()->sigmoid(data, width);
}

void kernel_add(const struct rows_in *from, float *to, size_t stride, size_t n_rows, size_t width) {
    const struct kernels_isa *isa = kernels();
    float buffer[KERNELS_WIDTH_MAX];
    VSR_ASSERT(width <= KERNELS_WIDTH_MAX);
    for (size_t row = 0; row < n_rows; row++, to += stride)
        isa->add(row_of(isa, from, row, 0, buffer, width), to, to, width);
}

float kernel_dot(const float *a, const float *b, size_t width) {
    return kernels()->dot(a, b, width);
}

void kernel_convolve(const struct convolution *convolution, const float *in, float *out, size_t n_rows, size_t width) {
    const struct kernels_isa *isa = kernels();
    VSR_ASSERT(convolution->n_taps % 2 == 1);
    for (size_t row = 0; row < n_rows; row++)
        isa->convolve(convolution, in, row, n_rows, out + row * width, width);
}

void kernel_add_low_rank(const struct low_rank *product, float *y, size_t stride, size_t n_rows, size_t width) {
    kernels()->add_low_rank(product, y, stride, n_rows, width);
}
