/*
 * encoder_model - what a loaded encoder consists of. Internal to the encoder_*.c files.
 */
#ifndef VSR_NN_ENCODER_MODEL_H
#define VSR_NN_ENCODER_MODEL_H

#include "nn/encoder.h"
#include "nn/encoder_family.h"

struct arena;
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
    struct norm embedding_norm, final_norm;
    struct rope *rope_full, *rope_local; /* NULL: positions are not rotary */
    const float *relative;               /* MPNet: added to scores by distance, as attention.h takes it; NULL: none */
    struct encoder_layer *layers;
};

/* Columns of what LINEAR_QKV gives, and of what attention gives. */
static inline size_t encoder_qkv_cols(const struct encoder_config *config) {
    return (config->heads + 2 * config->kv_heads) * config->head_dim;
}
static inline size_t encoder_context_cols(const struct encoder_config *config) {
    return config->heads * config->head_dim;
}

#endif
