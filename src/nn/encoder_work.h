/*
 * encoder_work - the memory of forward passes: what a pass needs of arrays, and what each of its threads needs.
 *
 * Grows to the largest batch and keeps it; for any model of the runtime. Internal to the encoder_*.c files; encoder.h
 * has what callers see. Rows of four-byte numbers lie one after the other, `cols` numbers in each.
 */
#ifndef VSR_NN_ENCODER_WORK_H
#define VSR_NN_ENCODER_WORK_H

#include "nn/encoder_lanes.h"
#include "nn/encoder_model.h"
#include "nn/gemm.h"
#include "nn/pages.h"

struct crew;

/* Rows as the left side of a product, in the model's precision. */
struct operand {
    struct pages data, scales;
};

/* What a thread needs for a block of rows or an item of attention. */
struct kit {
    struct gemm_context *gemm;
    struct pages attention; /* scratch of one item */
    struct operand operand; /* the context as bytes, then what the activation made */
    struct pages product;   /* what a product left */
    struct pages sum;       /* the same in f32, where an adapter's product cannot be added to it */
    struct pages first;     /* what an adapter's first factor gave */
    struct pages narrow;    /* the same before it was made f32 */
};

struct encoder_work {
    struct nn_runtime *runtime;
    struct crew *crew;  /* whose threads run the next pass; NULL: the caller's alone */
    struct kit kit;     /* of the caller's thread; helpers have their own */
    struct pages items; /* of the batch: what attention is cut into */
    struct pages slots; /* DeBERTa: of distances up to slots_reach, as slots_buckets and slots_positions make them */
    size_t slots_reach;
    int64_t slots_buckets, slots_positions;
    struct pages hidden;    /* f32 [tokens][hidden]: the residual stream */
    struct operand input;   /* [tokens][hidden]: what the next projection reads */
    struct pages qkv;       /* f32 [tokens][qkv] */
    struct operand context; /* [tokens][heads * head_dim]: what attention made; f32 where the model's are bytes */
    struct pages positions; /* u32 [tokens] */
    struct pages types;     /* u32 [tokens] */
    /* Of a batch with adapters. */
    struct encoder_lanes lanes;
    struct pages runs;    /* struct run [sequences + 1] */
    struct pages answers; /* f32 [tokens][hidden]: what the lanes ended with, for each sequence */
};

/* How much a thread of a pass needs beside what follows from the model. */
struct kit_room {
    size_t attention_len; /* of scratch for an item */
    size_t first_max;     /* columns of the widest first factor of an adapter; 0: no adapters */
};

/* Rows that a thread takes at once. */
enum { ENCODER_BLOCK_ROWS = GEMM_ROWS_MAX };

/* Room for a pass over `n` tokens. VSR_E_NOMEM. */
int encoder_work_grow(struct encoder_work *work, const struct encoder *encoder, size_t n,
                      struct vsr_err *err) VSR_MUST_CHECK;

/* The room for runs and answers of a batch whose lanes are planned. VSR_E_NOMEM. */
int encoder_work_grow_adapters(struct encoder_work *work, const struct encoder *encoder,
                               const struct encoder_batch *batch, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * What `member` of the crew works with, on its thread; room for any block or item of a pass, which costs a few
 * comparisons when there is some. VSR_E_NOMEM.
 */
int encoder_work_kit(struct encoder_work *work, size_t member, const struct encoder *encoder,
                     const struct kit_room *room, struct kit **ret, struct vsr_err *err) VSR_MUST_CHECK;

#endif
