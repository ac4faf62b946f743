#include "nn/encoder_family.h"

#include <stddef.h>

/* clang-format off */
#define BERT_MLP \
    [LINEAR_MLP_IN] = { "intermediate.dense" }, \
    [LINEAR_MLP_OUT] = { "output.dense" }
#define BERT_NAMES \
    .embedding = "embeddings.word_embeddings", .embedding_norm = "embeddings.LayerNorm", \
    .positions = "embeddings.position_embeddings", .types = "embeddings.token_type_embeddings", \
    .layer = "encoder.layer.", .norm = NORM_LAYER, .post_norm = true
#define GATED_NAMES \
    .embedding = "embed_tokens", .layer = "layers.", .final_norm = "norm", .gated = true, .rotary = true, \
    .linears = { \
        [LINEAR_QKV] = { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj" }, \
        [LINEAR_ATTENTION_OUT] = { "self_attn.o_proj" }, \
        [LINEAR_MLP_IN] = { "mlp.gate_proj", "mlp.up_proj" }, \
        [LINEAR_MLP_OUT] = { "mlp.down_proj" }, \
    }, \
    .query_norm = "self_attn.q_norm", .key_norm = "self_attn.k_norm"

static const struct encoder_family_names families[] = {
    [ENCODER_BERT] = {
        BERT_NAMES,
        .linears = {
            [LINEAR_QKV] = { "attention.self.query", "attention.self.key", "attention.self.value" },
            [LINEAR_ATTENTION_OUT] = { "attention.output.dense" },
            BERT_MLP,
        },
        .norms = { [NORM_ATTENTION_OUT] = "attention.output.LayerNorm", [NORM_MLP_OUT] = "output.LayerNorm" },
    },
    [ENCODER_ROBERTA] = {
        BERT_NAMES,
        .linears = {
            [LINEAR_QKV] = { "attention.self.query", "attention.self.key", "attention.self.value" },
            [LINEAR_ATTENTION_OUT] = { "attention.output.dense" },
            BERT_MLP,
        },
        .norms = { [NORM_ATTENTION_OUT] = "attention.output.LayerNorm", [NORM_MLP_OUT] = "output.LayerNorm" },
    },
    [ENCODER_MPNET] = {
        BERT_NAMES,
        .linears = {
            [LINEAR_QKV] = { "attention.attn.q", "attention.attn.k", "attention.attn.v" },
            [LINEAR_ATTENTION_OUT] = { "attention.attn.o" },
            BERT_MLP,
        },
        .norms = { [NORM_ATTENTION_OUT] = "attention.LayerNorm", [NORM_MLP_OUT] = "output.LayerNorm" },
    },
    [ENCODER_DEBERTA] = {
        BERT_NAMES,
        .linears = {
            [LINEAR_QKV] = { "attention.self.query_proj", "attention.self.key_proj", "attention.self.value_proj" },
            [LINEAR_ATTENTION_OUT] = { "attention.output.dense" },
            BERT_MLP,
        },
        .norms = { [NORM_ATTENTION_OUT] = "attention.output.LayerNorm", [NORM_MLP_OUT] = "output.LayerNorm" },
    },
    [ENCODER_MODERNBERT] = {
        .embedding = "embeddings.tok_embeddings", .embedding_norm = "embeddings.norm",
        .layer = "layers.", .norm = NORM_LAYER, .final_norm = "final_norm", .gated = true, .rotary = true,
        .linears = {
            [LINEAR_QKV] = { "attn.Wqkv" },
            [LINEAR_ATTENTION_OUT] = { "attn.Wo" },
            [LINEAR_MLP_IN] = { "mlp.Wi" },
            [LINEAR_MLP_OUT] = { "mlp.Wo" },
        },
        .norms = { [NORM_ATTENTION_IN] = "attn_norm", [NORM_MLP_IN] = "mlp_norm" },
    },
    [ENCODER_QWEN3] = {
        GATED_NAMES,
        .norm = NORM_RMS,
        .norms = { [NORM_ATTENTION_IN] = "input_layernorm", [NORM_MLP_IN] = "post_attention_layernorm" },
    },
    [ENCODER_GEMMA3] = {
        GATED_NAMES,
        .norm = NORM_RMS_PLUS_ONE,
        .norms = {
            [NORM_ATTENTION_IN] = "input_layernorm", [NORM_ATTENTION_OUT] = "post_attention_layernorm",
            [NORM_MLP_IN] = "pre_feedforward_layernorm", [NORM_MLP_OUT] = "post_feedforward_layernorm",
        },
    },
    [ENCODER_SIGLIP] = {
        .embedding = "embeddings.patch_embedding", .positions = "embeddings.position_embedding",
        .layer = "encoder.layers.", .norm = NORM_LAYER, .final_norm = "post_layernorm",
        .linears = {
            [LINEAR_QKV] = { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj" },
            [LINEAR_ATTENTION_OUT] = { "self_attn.out_proj" },
            [LINEAR_MLP_IN] = { "mlp.fc1" },
            [LINEAR_MLP_OUT] = { "mlp.fc2" },
        },
        .norms = { [NORM_ATTENTION_IN] = "layer_norm1", [NORM_MLP_IN] = "layer_norm2" },
    },
};
/* clang-format on */

const struct encoder_family_names *encoder_family_names(enum encoder_family family) {
    return &families[family];
}

struct linear_shape encoder_linear_shape(const struct encoder_config *config, enum linear linear) {
    const struct encoder_family_names *names = &families[config->family];
    size_t queries = config->heads * config->head_dim, keys = config->kv_heads * config->head_dim;
    bool parted = names->linears[linear][1] != NULL;
    switch (linear) {
    case LINEAR_QKV:
        if (parted)
            return (struct linear_shape){ { queries, keys, keys }, 3, config->hidden };
        return (struct linear_shape){ { queries + 2 * keys }, 1, config->hidden };
    case LINEAR_ATTENTION_OUT:
        return (struct linear_shape){ { config->hidden }, 1, queries };
    case LINEAR_MLP_IN:
        if (parted)
            return (struct linear_shape){ { config->intermediate, config->intermediate }, 2, config->hidden };
        return (struct linear_shape){ { config->intermediate * (names->gated ? 2 : 1) }, 1, config->hidden };
    default:
        return (struct linear_shape){ { config->hidden }, 1, config->intermediate };
    }
}
