/*
 * encoder_pass - one forward pass: what encoder_stages.c finds out about it and encoder_layer.c computes.
 *
 * Internal to the encoder_*.c files. Nothing is allocated in a pass once there is room for its batch.
 */
#ifndef VSR_NN_ENCODER_PASS_H
#define VSR_NN_ENCODER_PASS_H

#include "nn/attention.h"
#include "nn/encoder_work.h"
#include "nn/kernels.h"

/* Rows side by side that go through the layers as one model: the base, or one of its adapters. */
struct run {
    const struct encoder *view;                      /* norms and tables; matrices are the base's */
    const struct adapter_linear (*linears)[LINEARS]; /* what comes to the matrices' products; NULL: nothing */
    size_t row, end;
};

/* One pass. Each thread has a copy of it, with its own kit and error. */
struct pass {
    const struct encoder *encoder;
    struct encoder_work *work;
    struct kit *kit;
    const struct encoder_batch *asked;
    struct encoder_batch rows; /* what is computed: `asked`, or the lanes at this stage */
    const struct run *runs;
    struct run whole; /* the one run of a batch without adapters */
    size_t n;         /* tokens of `rows` */
    size_t layers, n_items;
    struct kit_room room; /* of each thread */
    size_t threads;       /* that there were for it last */
    struct vsr_err *err;
};

/* ---- which rows there are, and whose: encoder_stages.c */

/* Checks the batch that is asked for, and makes room for everything. VSR_E_LIMIT, VSR_E_INVALID, VSR_E_NOMEM. */
int encoder_pass_prepare(struct pass *p) VSR_MUST_CHECK;

/* Before the embedding (0) and before layer i (1 + i). */
void encoder_pass_enter(struct pass *p, size_t stage);

/* For each sequence what its lane ended with: [tokens][hidden], the work's. */
const float *encoder_pass_answers(const struct pass *p);

/* ---- what happens to them: encoder_layer.c */

int encoder_pass_embed(const struct pass *p) VSR_MUST_CHECK;
int encoder_pass_layer(const struct pass *p, size_t index) VSR_MUST_CHECK;

/* Tables and slots of DeBERTa's distances; without tables where the layer has none. */
struct attention_positions encoder_pass_distances(const struct pass *p, const struct encoder_layer *layer);

/* ---- rows of arrays */

static inline float *f32_row(const struct pages *pages, size_t row, size_t cols) {
    return (float *)pages->data + row * cols;
}

static inline struct rows_in f32_in(const struct pages *pages, size_t row, size_t cols) {
    return (struct rows_in){ .type = ROWS_F32, .data = f32_row(pages, row, cols), .stride = cols };
}

static inline struct rows_out f32_out(const struct pages *pages, size_t row, size_t cols) {
    return (struct rows_out){ .type = ROWS_F32, .data = f32_row(pages, row, cols), .stride = cols };
}

static inline size_t operand_len(enum precision precision) {
    return precision == PRECISION_F32 ? sizeof(float) : precision == PRECISION_BF16 ? sizeof(uint16_t) : 1;
}

static inline void *operand_row(const struct pass *p, const struct operand *operand, size_t row, size_t cols) {
    return (char *)operand->data.data + row * cols * operand_len(p->encoder->precision);
}

static inline struct rows_out operand_out(const struct pass *p, const struct operand *operand, size_t row,
                                          size_t cols) {
    static const enum rows_type types[] = {
        [PRECISION_F32] = ROWS_F32, [PRECISION_BF16] = ROWS_BF16, [PRECISION_INT8] = ROWS_U8
    };
    return (struct rows_out){
        .type = types[p->encoder->precision],
        .data = operand_row(p, operand, row, cols),
        .stride = cols,
        .row_scale = (float *)operand->scales.data + row,
    };
}

#endif
