#include "test.h"

#include <math.h>

#include "core/arena.h"
#include "nn/encoder_config.h"
#include "nn/model_file.h"
#include "unit/nn/model_dir.h"

/* Bases without their closing brace, to which cases add members; a member that stands twice counts as the last. */
#define SIZES(hidden, layers, heads, intermediate, positions) \
    "\"vocab_size\":1000,\"hidden_size\":" #hidden ",\"num_hidden_layers\":" #layers \
    ",\"num_attention_heads\":" #heads ",\"intermediate_size\":" #intermediate \
    ",\"max_position_embeddings\":" #positions
#define BERT "{\"model_type\":\"bert\"," SIZES(384, 6, 12, 1536, 512)
#define ROBERTA "{\"model_type\":\"xlm-roberta\",\"pad_token_id\":1,\"type_vocab_size\":1," SIZES(384, 6, 12, 1536, 514)
#define MPNET "{\"model_type\":\"mpnet\",\"layer_norm_eps\":1e-5," SIZES(768, 12, 12, 3072, 514)
#define DEBERTA \
    "{\"model_type\":\"deberta-v2\",\"relative_attention\":true,\"position_buckets\":256,\"max_relative_positions\":-" \
    "1," \
    "\"pos_att_type\":\"P2C|c2p\",\"share_att_key\":true,\"norm_rel_ebd\":\"layer_norm\",\"position_biased_input\":" \
    "false," \
    "\"type_vocab_size\":0," SIZES(768, 12, 12, 3072, 512)
#define MODERNBERT "{\"model_type\":\"modernbert\"," SIZES(768, 22, 12, 1152, 8192)
#define QWEN \
    "{\"model_type\":\"qwen3\",\"num_key_value_heads\":8,\"head_dim\":128,\"rope_theta\":1000000," SIZES(1024, 28, 16, \
                                                                                                         3072, 32768)
#define GEMMA \
    "{\"model_type\":\"gemma3_text\",\"num_key_value_heads\":1,\"head_dim\":256,\"sliding_window\":512," \
    "\"use_bidirectional_attention\":true," SIZES(768, 24, 3, 1152, 2048)

static int read_text(struct arena *arena, const char *base, const char *more, struct encoder_config *c,
                     struct vsr_err *err) {
    vsr_str json = arena_printf(arena, "%s%s%s}", base, *more ? "," : "", more);
    return encoder_config_read(arena, json, c, err);
}

static struct arena *arena;
static struct encoder_config good(const char *base, const char *more) {
    struct encoder_config c;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(read_text(arena, base, more, &c, &err) == 0, "case \"%s\": %s", more, err.text);
    return c;
}

static int make_arena(void **state) {
    (void)state;
    arena = arena_new(0, 0);
    return 0;
}
static int free_arena(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

TEST(bert) {
    struct encoder_config c = good(BERT, "\"architectures\":[\"BertModel\"]");
    CHECK(c.family == ENCODER_BERT && c.task == TASK_NONE, "family");
    CHECK(c.hidden == 384 && c.layers == 6 && c.heads == 12 && c.kv_heads == 12 && c.head_dim == 32, "sizes");
    CHECK(c.positions == 512 && c.position_first == 0 && c.token_types == 2 && c.pad_id == 0, "tables");
    CHECK(c.norm_eps == 1e-12f && c.activation == ACTIVATION_GELU && c.pooler_activation == ACTIVATION_TANH,
          "defaults");
    CHECK(c.attention_scale == (float)(1 / sqrt(32)) && c.embedding_scale == 1 && !c.causal && c.window == 0,
          "attention");
    CHECK(c.layer_full[0] && c.layer_full[5], "full layers");
    CHECK(c.n_labels == 0 && c.labels == NULL && c.problem == PROBLEM_SINGLE_LABEL, "labels");
    CHECK_STR(str_from_c(encoder_family_name(c.family)), "bert", "name");
}

TEST(relatives_of_bert) {
    struct encoder_config c = good(ROBERTA, "\"layer_norm_eps\":1e-5");
    CHECK(c.family == ENCODER_ROBERTA && c.positions == 512 && c.position_first == 2 && c.token_types == 1, "roberta");
    CHECK(c.pad_id == 1 && c.norm_eps == 1e-5f, "roberta");
    c = good(ROBERTA, "\"pad_token_id\":3,\"max_position_embeddings\":20");
    CHECK(c.positions == 16 && c.position_first == 4, "another padding");
    c = good(MPNET, "\"architectures\":[\"MPNetForMaskedLM\"],\"relative_attention_num_buckets\":32");
    CHECK(c.positions == 512 && c.position_first == 2 && c.token_types == 0 && c.task == TASK_MASKED_LM, "mpnet");
}

TEST(deberta) {
    struct encoder_config c = good(DEBERTA, "\"architectures\":[\"DebertaV2ForSequenceClassification\"]");
    CHECK(c.family == ENCODER_DEBERTA && c.task == TASK_SEQUENCE && c.norm_eps == 1e-7f && c.token_types == 0,
          "family");
    CHECK(c.deberta.buckets == 256 && c.deberta.positions == 512, "distances");
    CHECK(c.deberta.content_to_position && c.deberta.position_to_content && c.deberta.share_keys, "terms");
    CHECK(c.deberta.norm_table && !c.deberta.biased_input, "tables");
    CHECK(c.attention_scale == (float)(1 / sqrt(3 * 64)), "scale");
    CHECK(c.pooler_activation == ACTIVATION_GELU, "pooler");
    c = good(DEBERTA, "\"pos_att_type\":[\"c2p\"],\"position_buckets\":-1,\"max_relative_positions\":100");
    CHECK(c.deberta.content_to_position && !c.deberta.position_to_content, "one term");
    CHECK(c.deberta.buckets == 0 && c.deberta.positions == 100, "no buckets");
    CHECK(c.attention_scale == (float)(1 / sqrt(2 * 64)), "scale of one term");
}

TEST(modernbert) {
    struct encoder_config c = good(MODERNBERT, "\"architectures\":[\"ModernBertForTokenClassification\"]");
    CHECK(c.family == ENCODER_MODERNBERT && c.task == TASK_TOKENS && c.head_dim == 64, "family");
    for (size_t i = 0; i < c.layers; i++)
        CHECK_INT(c.layer_full[i], i % 3 == 0, "every third layer");
    CHECK(c.window == 64 && c.norm_eps == 1e-5f, "window");
    CHECK(c.rope_full.theta == 160000 && c.rope_local.theta == 10000, "bases");
    CHECK(!c.rope_full.yarn && c.rope_full.factor == 1 && c.rope_full.attention_factor == 1, "plain rotation");
    CHECK(c.classifier_pooling == POOL_FIRST && c.classifier_activation == ACTIVATION_GELU, "head");
    CHECK(!c.attention_bias && !c.mlp_bias && !c.norm_bias, "no biases");
    c = good(MODERNBERT,
             "\"norm_eps\":1e-6,\"layer_norm_eps\":1e-12,\"classifier_pooling\":\"mean\",\"norm_bias\":true,"
             "\"global_attn_every_n_layers\":1,\"local_attention\":128");
    CHECK(c.norm_eps == 1e-6f && c.classifier_pooling == POOL_MEAN && c.norm_bias && c.window == 0, "other values");
}

/* Bases of ModernBERT by where they stand. */
static const struct {
    const char *more;
    double full, local;
} bases[] = {
    { "\"global_rope_theta\":5e4,\"local_rope_theta\":2e4", 5e4, 2e4 },
    { "\"global_rope_theta\":5e4", 5e4, 1e4 },
    { "\"global_rope_theta\":5e4,\"local_rope_theta\":null", 5e4, 5e4 },
    { "\"local_rope_theta\":null", 160000, 160000 },
    { "\"rope_parameters\":null,\"global_rope_theta\":5e4", 5e4, 1e4 },
    { "\"global_rope_theta\":5e4,\"rope_parameters\":{\"full_attention\":{\"rope_theta\":7e4,\"rope_type\":\"default\"}"
      ","
      "\"sliding_attention\":{\"rope_theta\":8e4}}",
      7e4, 8e4 },
    { "\"global_rope_theta\":5e4,\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"default\"},"
      "\"sliding_attention\":{\"rope_theta\":8e4}}",
      5e4, 8e4 },
};

TEST(modernbert_bases) {
    for (size_t i = 0; i < VSR_COUNT(bases); i++) {
        struct encoder_config c = good(MODERNBERT, bases[i].more);
        CHECK(c.rope_full.theta == bases[i].full, bases[i].more);
        CHECK(c.rope_local.theta == bases[i].local, bases[i].more);
    }
}

TEST(layer_types_win) {
    struct encoder_config c = good(
        MODERNBERT,
        "\"num_hidden_layers\":3,\"layer_types\":[\"sliding_attention\",\"full_attention\",\"sliding_attention\"]");
    CHECK(!c.layer_full[0] && c.layer_full[1] && !c.layer_full[2], "layers");
}

TEST(yarn) {
    struct encoder_config c = good(QWEN, "\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4,"
                                         "\"original_max_position_embeddings\":8192}");
    CHECK(c.rope_full.yarn && c.rope_full.factor == 4 && c.rope_full.original_positions == 8192, "given");
    CHECK(c.rope_full.beta_fast == 32 && c.rope_full.beta_slow == 1 && c.rope_full.truncate, "defaults");
    CHECK(fabs(c.rope_full.attention_factor - (0.1 * log(4) + 1)) < 1e-12, "gain");
    CHECK(c.rope_full.theta == 1e6, "base");
    c = good(QWEN, "\"rope_scaling\":{\"type\":\"yarn\",\"original_max_position_embeddings\":8192,\"truncate\":false,"
                   "\"mscale\":1,\"mscale_all_dim\":0.5}");
    CHECK(c.rope_full.factor == 4 && !c.rope_full.truncate, "factor by lengths");
    CHECK(fabs(c.rope_full.attention_factor - (0.1 * log(4) + 1) / (0.05 * log(4) + 1)) < 1e-12, "two gains");
    c = good(QWEN, "\"rope_scaling\":{\"type\":\"yarn\",\"factor\":2,\"attention_factor\":1.5}");
    CHECK(c.rope_full.original_positions == 32768 && c.rope_full.attention_factor == 1.5, "gain that is given");
    c = good(QWEN, "\"rope_scaling\":{\"type\":\"linear\",\"factor\":8}");
    CHECK(!c.rope_full.yarn && c.rope_full.factor == 8 && c.rope_full.attention_factor == 1, "linear");
    c = good(MODERNBERT,
             "\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"yarn\",\"factor\":4},\"sliding_attention\":{}}");
    CHECK(c.rope_full.yarn && !c.rope_local.yarn, "by kind of layer");
}

TEST(qwen3) {
    struct encoder_config c = good(QWEN, "\"architectures\":[\"Qwen3ForCausalLM\"]");
    CHECK(c.family == ENCODER_QWEN3 && c.task == TASK_CAUSAL_LM && c.causal, "family");
    CHECK(c.head_dim == 128 && c.kv_heads == 8 && c.activation == ACTIVATION_SILU && c.norm_eps == 1e-6f, "sizes");
    CHECK(c.attention_scale == (float)(1 / sqrt(128)) && c.window == 0 && c.rope_full.theta == 1e6, "attention");
    c = good(QWEN, "\"rope_parameters\":{\"rope_theta\":2e6,\"rope_type\":\"default\"}");
    CHECK(c.rope_full.theta == 2e6, "newer base");
    c = good(QWEN, "\"use_sliding_window\":true,\"sliding_window\":100,\"max_window_layers\":2");
    CHECK(c.window == 99 && c.layer_full[1] && !c.layer_full[2], "window");
    c = good(QWEN, "\"use_sliding_window\":false,\"sliding_window\":null,\"max_window_layers\":2");
    CHECK(c.window == 0 && c.layer_full[2], "no window");
    c = good(QWEN, "\"head_dim\":null");
    CHECK(c.head_dim == 64, "head by division");
}

TEST(gemma3) {
    struct encoder_config c = good(GEMMA, "\"architectures\":[\"Gemma3TextModel\"],\"_sliding_window_pattern\":6");
    CHECK(c.family == ENCODER_GEMMA3 && !c.causal && c.window == 256 && c.warning.len == 0, "family");
    for (size_t i = 0; i < c.layers; i++)
        CHECK_INT(c.layer_full[i], i % 6 == 5, "every sixth layer");
    CHECK(c.rope_full.theta == 1e6 && c.rope_local.theta == 1e4 && c.attention_scale == 1.0f / 16, "attention");
    CHECK(c.activation == ACTIVATION_GELU_TANH && c.embedding_scale == (float)sqrt(768), "arithmetic");
    c = good(GEMMA, "\"use_bidirectional_attention\":false,\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":8}");
    CHECK(c.causal && c.window == 511, "a language model");
    CHECK(c.rope_full.factor == 8 && c.rope_local.factor == 1, "scaling is for the full layers");
    c = good(GEMMA, "\"sliding_window\":257,\"query_pre_attn_scalar\":64");
    CHECK(c.window == 128 && c.warning.len > 0 && c.attention_scale == 0.125f, "odd window");
}

TEST(labels) {
    struct encoder_config c = good(BERT, "\"id2label\":{\"1\":\"b\",\"0\":\"a\",\"2\":3},\"num_labels\":3");
    CHECK_INT(c.n_labels, 3, "count");
    CHECK_STR(c.labels[0], "a", "by index");
    CHECK_STR(c.labels[2], "3", "a number");
    c = good(BERT, "\"id2label\":{\"0\":\"a\",\"2\":\"c\"}");
    CHECK(c.n_labels == 2 && c.labels == NULL, "gap");
    c = good(BERT, "\"num_labels\":7");
    CHECK(c.n_labels == 7 && c.labels == NULL, "no names");
    c = good(BERT, "\"id2label\":{\"0\":\"LABEL_0\"}");
    CHECK(c.problem == PROBLEM_REGRESSION, "one logit");
    c = good(BERT, "\"problem_type\":\"multi_label_classification\"");
    CHECK(c.problem == PROBLEM_MULTI_LABEL, "several");
}

static const struct {
    const char *name, *base, *more, *says;
} refused[] = {
    { "no family", "{\"x\":1", "", "model_type" },
    { "unknown family", "{\"model_type\":\"t5\"", "", "\"t5\" is not supported" },
    { "family is a number", "{\"model_type\":1", "", "expected a text" },
    { "no sizes", "{\"model_type\":\"bert\"", "", "vocab_size" },
    { "no layers", BERT, "\"num_hidden_layers\":0", "num_hidden_layers" },
    { "too many layers", BERT, "\"num_hidden_layers\":129", "num_hidden_layers" },
    { "huge", BERT, "\"hidden_size\":99999999999", "hidden_size" },
    { "negative", BERT, "\"intermediate_size\":-1", "intermediate_size" },
    { "fraction", BERT, "\"hidden_size\":384.5", "hidden_size" },
    { "text", BERT, "\"hidden_size\":\"384\"", "hidden_size" },
    { "heads do not divide", BERT, "\"num_attention_heads\":7", "does not divide" },
    { "activation", BERT, "\"hidden_act\":\"mish\"", "\"mish\"" },
    { "zero epsilon", BERT, "\"layer_norm_eps\":0", "layer_norm_eps" },
    { "decoder", BERT, "\"is_decoder\":true", "is_decoder" },
    { "cross attention", BERT, "\"add_cross_attention\":true", "add_cross_attention" },
    { "relative positions", BERT, "\"position_embedding_type\":\"relative_key\"", "position_embedding_type" },
    { "alibi", BERT, "\"position_embedding_type\":\"alibi\"", "position_embedding_type" },
    { "pruned", BERT, "\"pruned_heads\":{\"0\":[1]}", "pruned_heads" },
    { "quantised", BERT, "\"quantization_config\":{\"bits\":4}", "quantization_config" },
    { "own code", BERT, "\"auto_map\":{\"AutoConfig\":\"a.B\",\"AutoModel\":\"a.C\"}", "own code" },
    { "task", BERT, "\"architectures\":[\"BertForQuestionAnswering\"]", "BertForQuestionAnswering" },
    { "no task at all", BERT, "\"architectures\":[\"Bert\"]", "architectures" },
    { "problem", BERT, "\"problem_type\":\"ranking\"", "problem_type" },
    { "label index", BERT, "\"id2label\":{\"x\":\"a\"}", "id2label" },
    { "label is a list", BERT, "\"id2label\":{\"0\":[]}", "text" },
    { "no positions left", ROBERTA, "\"max_position_embeddings\":2", "max_position_embeddings" },
    { "mpnet buckets", MPNET, "\"relative_attention_num_buckets\":64", "relative_attention_num_buckets" },
    { "mpnet padding", MPNET, "\"pad_token_id\":0", "pad_token_id" },
    { "convolution", DEBERTA, "\"conv_kernel_size\":3", "conv_kernel_size" },
    { "absolute deberta", DEBERTA, "\"relative_attention\":false", "relative_attention" },
    { "embedding projection", DEBERTA, "\"embedding_size\":128", "embedding_size" },
    { "position term", DEBERTA, "\"pos_att_type\":\"c2p|p2p\"", "p2p" },
    { "norm of the table", DEBERTA, "\"norm_rel_ebd\":\"batch_norm\"", "norm_rel_ebd" },
    { "buckets past positions", DEBERTA, "\"position_buckets\":1024", "position_buckets" },
    { "odd buckets", DEBERTA, "\"position_buckets\":255", "position_buckets" },
    { "pooling", MODERNBERT, "\"classifier_pooling\":\"max\"", "classifier_pooling" },
    { "layer kinds", MODERNBERT, "\"num_hidden_layers\":1,\"layer_types\":[\"chunked_attention\"]",
      "chunked_attention" },
    { "number of layer kinds", MODERNBERT, "\"layer_types\":[\"full_attention\"]", "layer_types" },
    { "window of one", MODERNBERT, "\"local_attention\":1", "local_attention" },
    { "rotation", QWEN, "\"rope_scaling\":{\"rope_type\":\"llama3\"}", "llama3" },
    { "rotation of a kind", MODERNBERT,
      "\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"longrope\"},\"sliding_attention\":{}}", "longrope" },
    { "one rotation for two kinds", MODERNBERT, "\"rope_parameters\":{\"rope_theta\":1e4}", "full_attention" },
    { "unknown rotation key", QWEN, "\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":2,\"dance\":1}", "dance" },
    { "yarn without lengths", QWEN, "\"rope_scaling\":{\"rope_type\":\"yarn\"}", "factor" },
    { "linear without factor", QWEN, "\"rope_scaling\":{\"rope_type\":\"linear\"}", "factor" },
    { "part of a head", QWEN, "\"partial_rotary_factor\":0.5", "partial_rotary_factor" },
    { "base of one", QWEN, "\"rope_theta\":1", "rope_theta" },
    { "odd head", QWEN, "\"head_dim\":127", "odd" },
    { "wide heads", BERT, "\"hidden_size\":1026,\"num_attention_heads\":2", "513 dimensions" },
    { "wide heads by key", QWEN, "\"head_dim\":514", "head_dim" },
    { "no heads to share", QWEN, "\"num_attention_heads\":65,\"num_key_value_heads\":1,\"head_dim\":8", "65 heads" },
    { "wide feed-forward", BERT, "\"intermediate_size\":16385", "intermediate_size" },
    { "wide context", QWEN, "\"hidden_size\":16384,\"num_attention_heads\":136", "17408 dimensions" },
    { "context beside a narrow stream", QWEN, "\"hidden_size\":255", "2048 dimensions" },
    { "many buckets", DEBERTA, "\"position_buckets\":2050,\"max_position_embeddings\":4096", "position_buckets" },
    { "many distances", DEBERTA, "\"position_buckets\":-1,\"max_relative_positions\":2049", "max_relative_positions" },
    { "groups", QWEN, "\"num_key_value_heads\":3", "num_key_value_heads" },
    { "reward model of qwen", QWEN, "\"architectures\":[\"Qwen3ForRewardModel\"]", "architectures" },
    { "sliding without a window", QWEN, "\"use_sliding_window\":true,\"max_window_layers\":0", "sliding_window" },
    { "capped scores", GEMMA, "\"attn_logit_softcapping\":50.0", "attn_logit_softcapping" },
    { "gemma biases", GEMMA, "\"attention_bias\":true", "attention_bias" },
};

TEST(what_cannot_be_honoured) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++) {
        struct encoder_config c;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK(read_text(arena, refused[i].base, refused[i].more, &c, &err) < 0, refused[i].name);
        CHECK_ERR(err, refused[i].says, refused[i].name);
    }
}

/* Values that say what is done anyway. */
static const struct {
    const char *base, *more;
} accepted[] = {
    { BERT, "\"position_embedding_type\":\"absolute\",\"is_decoder\":false,\"pruned_heads\":{},\"auto_map\":null" },
    { BERT, "\"auto_map\":{\"AutoConfig\":\"a.B\"},\"problem_type\":null,\"id2label\":null" },
    { BERT, "\"hidden_size\":384.0,\"hidden_act\":\"quick_gelu\"" },
    { QWEN, "\"architectures\":[\"Qwen3ForSequenceClassification\"]" },
    { GEMMA, "\"architectures\":[\"Gemma3TextForSequenceClassification\"]" },
    { DEBERTA, "\"conv_kernel_size\":0,\"embedding_size\":768,\"pooler_hidden_size\":768" },
    { MODERNBERT, "\"position_embedding_type\":\"sans_pos\"" },
    { QWEN, "\"rope_scaling\":null,\"attention_bias\":true" },
    /* At the limits. */
    { BERT, "\"hidden_size\":1024,\"num_attention_heads\":2,\"intermediate_size\":16384" },
    { QWEN, "\"num_attention_heads\":64,\"num_key_value_heads\":1,\"head_dim\":8" },
    { QWEN, "\"hidden_size\":16384,\"num_attention_heads\":128" },
    { QWEN, "\"hidden_size\":256,\"head_dim\":128" },
    { GEMMA, "\"head_dim\":512" },
    { DEBERTA, "\"position_buckets\":2048,\"max_position_embeddings\":4096" },
    { DEBERTA, "\"position_buckets\":-1,\"max_relative_positions\":2048" },
    { GEMMA, "\"attn_logit_softcapping\":null,\"final_logit_softcapping\":null,\"attention_bias\":false" },
};

TEST(what_says_nothing_new) {
    for (size_t i = 0; i < VSR_COUNT(accepted); i++)
        (void)good(accepted[i].base, accepted[i].more);
}

TEST(a_published_file) {
    const char *shared = test_shared_dir();
    struct encoder_config c;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str text;
    if (!shared)
        return;
    if (model_file_read(arena, str_from_c(shared), VSR_STR("data/tokenizers/bert-uncased/config.json"), &text, NULL) <
        0)
        return;
    CHECK_MSG(encoder_config_read(arena, text, &c, &err) == 0, "%s", err.text);
    CHECK(c.family == ENCODER_BERT && c.hidden == 384 && c.layers == 6 && c.vocabulary == 30522, "sizes");
}

#define A(name) cmocka_unit_test_setup_teardown(name, make_arena, free_arena)
RUN_TESTS(A(bert), A(relatives_of_bert), A(deberta), A(modernbert), A(modernbert_bases), A(layer_types_win), A(yarn),
          A(qwen3), A(gemma3), A(labels), A(what_cannot_be_honoured), A(what_says_nothing_new), A(a_published_file))
