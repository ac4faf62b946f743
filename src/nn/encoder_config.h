/*
 * encoder_config - what a model's config.json says about its encoder, in one form for all families.
 *
 * A family is what differs in tensor names and in the order of operations; all sizes and switches are read from the
 * file. Values that vsr cannot honour are errors, never ignored. Sources: inference.md sections 4 and 5.
 */
#ifndef VSR_NN_ENCODER_CONFIG_H
#define VSR_NN_ENCODER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum {
    ENCODER_LAYERS_MAX = 128,
    ENCODER_HIDDEN_MAX = 16384,
    ENCODER_LABELS_MAX = 4096,
};

enum encoder_family {
    ENCODER_BERT,
    ENCODER_ROBERTA, /* and XLM-RoBERTa */
    ENCODER_MPNET,
    ENCODER_DEBERTA, /* DeBERTa-v2 and -v3 */
    ENCODER_MODERNBERT,
    ENCODER_QWEN3,
    ENCODER_GEMMA3,
    ENCODER_SIGLIP, /* of pictures: its tokens are patches. No config.json of its own says it: nn/multimodal.h */
};

enum activation {
    ACTIVATION_GELU,
    ACTIVATION_GELU_TANH,
    ACTIVATION_QUICK_GELU, /* x * sigmoid(1.702 x) */
    ACTIVATION_SILU,
    ACTIVATION_RELU,
    ACTIVATION_TANH,
};

/* The last part of `architectures[0]`. */
enum encoder_task { TASK_NONE, TASK_SEQUENCE, TASK_TOKENS, TASK_MASKED_LM, TASK_CAUSAL_LM };

enum classifier_pooling { POOL_FIRST, POOL_MEAN, POOL_LAST };

enum problem { PROBLEM_SINGLE_LABEL, PROBLEM_MULTI_LABEL, PROBLEM_REGRESSION };

/* Inverse frequencies are made of it, see rope.h. */
struct rope_config {
    double theta;
    double factor; /* inverse frequencies are divided by it; yarn: of some dimensions, see there. 1: plain */
    bool yarn;
    double original_positions, beta_fast, beta_slow; /* yarn only */
    double attention_factor; /* cosines and sines are multiplied by it; yarn: whatever it is made of; elsewhere 1 */
    bool truncate;           /* yarn only */
};

struct deberta_config {
    int64_t buckets;   /* 0: distances are not bucketed */
    int64_t positions; /* distances past it share the outermost bucket */
    bool content_to_position, position_to_content, share_keys, norm_table;
    bool biased_input;
};

struct encoder_config {
    enum encoder_family family;
    enum encoder_task task;
    size_t vocabulary, hidden, layers, heads, kv_heads, head_dim, intermediate;
    size_t positions; /* longest sequence the model was made for, in tokens that can be used */
    size_t
        position_first; /* index of the first token's row in the position table: RoBERTa and MPNet start past padding */
    size_t token_types; /* 0: none */
    size_t patch_side;  /* pixels of a patch that becomes a token; 0: tokens are words of the vocabulary */
    uint32_t pad_id;
    float norm_eps;
    enum activation activation;
    bool attention_bias, mlp_bias, norm_bias; /* ModernBERT and Qwen3; elsewhere all or none by family */
    bool causal;
    uint8_t layer_full[ENCODER_LAYERS_MAX]; /* 1: attends to everything; 0: within `window` */
    size_t window;                          /* |i - j| <= window in the other layers (causal: i - j); 0: all are full */
    struct rope_config rope_full, rope_local;
    float attention_scale; /* of q.k */
    float embedding_scale; /* Gemma: square root of hidden; elsewhere 1 */
    struct deberta_config deberta;
    /* Heads. */
    enum classifier_pooling classifier_pooling;
    enum activation classifier_activation, pooler_activation;
    enum problem problem;
    size_t n_labels;       /* 0: the file does not say; the classifier's rows do */
    const vsr_str *labels; /* [n_labels]; NULL: the file names none, or with gaps */
    vsr_str warning;       /* that the operator should see; empty: none */
};

/* From the text of a config.json; strings are copied to `arena`. VSR_E_INVALID says which key and what was expected. */
int encoder_config_read(struct arena *arena, vsr_str json, struct encoder_config *ret,
                        struct vsr_err *err) VSR_MUST_CHECK;

/* Numbers of a patch: all its red, then green and blue, row by row. */
enum { ENCODER_PATCH_COLOURS = 3 };
static inline size_t encoder_patch_len(const struct encoder_config *config) {
    return ENCODER_PATCH_COLOURS * config->patch_side * config->patch_side;
}

/* "bert", "roberta", "mpnet", "deberta", "modernbert", "qwen3", "gemma3", "siglip". */
const char *encoder_family_name(enum encoder_family family);
/* The trunk's embedding table, by which weights_probe() finds the prefix. */
vsr_str encoder_family_embedding(enum encoder_family family);

#endif
