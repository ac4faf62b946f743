/*
 * encoder_model - what a loaded encoder consists of. Internal to the encoder_*.c files.
 */
#ifndef VSR_NN_ENCODER_MODEL_H
#define VSR_NN_ENCODER_MODEL_H

#include "nn/encoder.h"
#include "nn/encoder_family.h"
#include "nn/pages.h"

struct arena;
struct attention;
struct gemm;
struct nn_runtime;
struct rope;
struct tensor_holding;

struct encoder_layer {
    const struct gemm *linears[LINEARS];
    struct norm norms[NORM_PLACES];   /* gamma NULL: there is none */
    struct norm query_norm, key_norm; /* per head */
    /* DeBERTa: the table of distances as the layer's keys and queries, [2 * span][hidden]; NULL: that term is absent.
     */
    const float *distance_keys, *distance_queries;
};

struct encoder {
    struct encoder_config config;
    const struct encoder_family_names *names;
    enum precision precision;
    struct nn_runtime *runtime;
    struct weights *weights;
    struct tensor_holding *holding; /* matrices and tables */
    struct arena *arena;            /* small norms */
    struct embed embed;
    const struct gemm *patches; /* what a patch is as a token; NULL: tokens are words */
    struct norm embedding_norm, final_norm;
    struct rope *rope_full, *rope_local; /* NULL: positions are not rotary */
    const float *relative;               /* MPNet: added to scores by distance, as attention.h takes it; NULL: none */
    struct encoder_layer *layers;
};

/* ---- adapters that run beside the base */

/* A number for the points of a pass: 0 is the embedding, 1 + i layer i. */
#define STAGE_NEVER SIZE_MAX

/* What an adapter adds to some columns of a product. */
struct adapter_part {
    size_t column, width;
    size_t from, rank;   /* columns of what the first factor gives; rank 0: only the bias */
    const float *factor; /* [rank][width]: B', scaled */
    const float *bias;   /* [width]; NULL: none */
};

struct adapter_linear {
    const struct gemm *first; /* A of all parts, one below the other; NULL: none has factors */
    struct adapter_part parts[LINEAR_PARTS_MAX];
    size_t n_parts; /* 0: the layer is the base's */
};

struct encoder_adapter {
    const struct encoder *base;
    struct encoder view; /* the base with the adapter's norms and tables; its matrices are the base's own */
    struct adapter_linear (*linears)[LINEARS]; /* [layers] */
    size_t stage;                              /* where it first differs from the base */
    size_t first_max;                          /* columns of the widest `first` */
    struct pages factors;
};

/*
 * Reads what `lora` replaces of norms and small tables, and what follows from it, into `view`: a copy of its base with
 * an arena, a holding, layers and weights of its own. `*ret_replaced`: there was something.
 */
int encoder_load_view(struct encoder *view, struct lora *lora, bool *ret_replaced, struct vsr_err *err) VSR_MUST_CHECK;

/* A layer's, less DeBERTa's terms; without these in integers where the model is of bytes. */
struct attention encoder_attention(const struct encoder *view, size_t layer);

/* ---- sizes */

/* Columns of what LINEAR_QKV gives, and of what attention gives. */
static inline size_t encoder_qkv_cols(const struct encoder_config *config) {
    return (config->heads + 2 * config->kv_heads) * config->head_dim;
}
static inline size_t encoder_context_cols(const struct encoder_config *config) {
    return config->heads * config->head_dim;
}

#endif
