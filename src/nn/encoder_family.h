/*
 * encoder_family - what tells the families of encoders apart: names and shapes of tensors, and where the norms stand.
 */
#ifndef VSR_NN_ENCODER_FAMILY_H
#define VSR_NN_ENCODER_FAMILY_H

#include <stdbool.h>

#include "nn/encoder_config.h"
#include "nn/kernels.h"

/* Of a layer. A family has some of them. */
enum norm_place {
    NORM_ATTENTION_IN,  /* of what attention reads */
    NORM_ATTENTION_OUT, /* of what attention gives; in a post-norm family of the sum with it */
    NORM_MLP_IN,
    NORM_MLP_OUT,
    NORM_PLACES,
};

enum linear {
    LINEAR_QKV, /* queries, keys and values, one below the other */
    LINEAR_ATTENTION_OUT,
    LINEAR_MLP_IN, /* with a gate: the activated half first */
    LINEAR_MLP_OUT,
    LINEARS,
};

enum { LINEAR_PARTS_MAX = 3 };

struct encoder_family_names {
    const char *embedding;      /* the table of tokens, or the map of patches; without ".weight" like all below */
    const char *embedding_norm; /* NULL: none */
    const char *positions, *types;
    const char *layer;                              /* what stands before its number */
    const char *linears[LINEARS][LINEAR_PARTS_MAX]; /* parts that become one matrix */
    const char *norms[NORM_PLACES];
    const char *query_norm, *key_norm; /* per head */
    const char *final_norm;
    enum norm_kind norm;
    bool post_norm; /* the norms behind attention and MLP are of the sum, not of the branch */
    bool gated;     /* MLP: act(first half) * second half */
    bool rotary;
};

const struct encoder_family_names *encoder_family_names(enum encoder_family family);

struct linear_shape {
    size_t rows[LINEAR_PARTS_MAX]; /* of each part */
    size_t n, cols;
};

struct linear_shape encoder_linear_shape(const struct encoder_config *config, enum linear linear);

#endif
