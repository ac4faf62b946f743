#include "nn/encoder_config.h"

#include <float.h>
#include <math.h>

#include "core/arena.h"
#include "nn/attention.h"
#include "nn/json_fields.h"
#include "nn/kernels.h"
#include "nn/rope_config.h"

/*
 * What the kernels bound by an assertion is bounded here by the same constants; the rest so that a table of any two
 * sizes, in bytes, stays far below 2^63.
 */
enum {
    VOCABULARY_MAX = 1 << 24,
    HEADS_MAX = 1024,
    CONTEXT_OF_HIDDEN_MAX = 8, /* heads * head_dim by hidden; of published models at most 2 */
    POSITIONS_MAX = 1 << 24,
    TOKEN_TYPES_MAX = 1 << 10,
    WINDOW_MAX = POSITIONS_MAX,
    LABEL_LEN_MAX = 256,
};
_Static_assert((int)ENCODER_HIDDEN_MAX <= (int)KERNELS_WIDTH_MAX, "rows of the stream go through the kernels");

struct reader {
    struct json_fields f;
    struct arena *arena;
    struct encoder_config *c;
};

/* ---- words with a meaning */

struct word {
    const char *name;
    int value;
};

static bool named(const struct word *words, size_t n, vsr_str name, int *ret_value) {
    for (size_t i = 0; i < n; i++) {
        if (!str_eq_c(name, words[i].name))
            continue;
        *ret_value = words[i].value;
        return true;
    }
    return false;
}

static int read_word(struct reader *r, const char *key, const struct word *words, size_t n, int fallback) {
    vsr_str name = fields_text(&r->f, 0, key, VSR_STR(""));
    int value = fallback;
    if (name.len > 0 && !named(words, n, name, &value))
        fields_wrong(&r->f, 0, key, "\"%.*s\" is not supported", VSR_FMT(str_sub(name, 0, 60)));
    return value;
}

static enum activation read_activation(struct reader *r, const char *key, enum activation fallback) {
    static const struct word words[] = {
        { "gelu", ACTIVATION_GELU },
        { "gelu_python", ACTIVATION_GELU },
        { "gelu_new", ACTIVATION_GELU_TANH },
        { "gelu_pytorch_tanh", ACTIVATION_GELU_TANH },
        { "gelu_fast", ACTIVATION_GELU_TANH },
        { "gelu_accurate", ACTIVATION_GELU_TANH },
        { "quick_gelu", ACTIVATION_QUICK_GELU },
        { "silu", ACTIVATION_SILU },
        { "swish", ACTIVATION_SILU },
        { "relu", ACTIVATION_RELU },
        { "tanh", ACTIVATION_TANH },
    };
    return (enum activation)read_word(r, key, words, VSR_COUNT(words), (int)fallback);
}

/* ---- what no family can do otherwise; HF's own defaults are the values that are accepted */

#define FAMILY(name) (1u << ENCODER_##name)
#define BERTS (FAMILY(BERT) | FAMILY(ROBERTA) | FAMILY(MPNET) | FAMILY(DEBERTA))
#define DECODERS (FAMILY(QWEN3) | FAMILY(GEMMA3))
#define ALL (BERTS | DECODERS | FAMILY(MODERNBERT))

enum demand { MUST_BE_FALSE, MUST_BE_TRUE, MUST_BE_EMPTY, MUST_BE_NUMBER, MUST_BE_WORD };

static const struct {
    const char *key;
    unsigned families;
    enum demand demand;
    double number;
    const char *word;
} demands[] = {
    { "is_decoder", ALL, MUST_BE_FALSE, 0, NULL },
    { "is_encoder_decoder", ALL, MUST_BE_FALSE, 0, NULL },
    { "add_cross_attention", ALL, MUST_BE_FALSE, 0, NULL },
    { "pruned_heads", ALL, MUST_BE_EMPTY, 0, NULL },
    { "quantization_config", ALL, MUST_BE_EMPTY, 0, NULL },
    { "partial_rotary_factor", ALL, MUST_BE_NUMBER, 1, NULL },
    { "position_embedding_type", FAMILY(BERT) | FAMILY(ROBERTA), MUST_BE_WORD, 0, "absolute" },
    { "relative_attention_num_buckets", FAMILY(MPNET), MUST_BE_NUMBER, 32, NULL },
    { "pad_token_id", FAMILY(MPNET), MUST_BE_NUMBER, 1, NULL }, /* positions are counted from it, whatever is said */
    { "relative_attention", FAMILY(DEBERTA), MUST_BE_TRUE, 0, NULL },
    { "conv_kernel_size", FAMILY(DEBERTA), MUST_BE_NUMBER, 0, NULL },
    { "attn_logit_softcapping", FAMILY(GEMMA3), MUST_BE_EMPTY, 0, NULL },
    { "final_logit_softcapping", FAMILY(GEMMA3), MUST_BE_EMPTY, 0, NULL },
    { "attention_bias", FAMILY(GEMMA3), MUST_BE_FALSE, 0, NULL },
    { "is_causal", FAMILY(QWEN3), MUST_BE_TRUE, 0, NULL },
    { "use_bidirectional_attention", FAMILY(QWEN3), MUST_BE_FALSE, 0, NULL },
};

/* 0 counts as empty: there are writers that say "none" so. */
static bool is_empty(const struct json_doc *doc, json_ref ref) {
    double number;
    switch (json_type_of(doc, ref)) {
    case JSON_NULL:
    case JSON_FALSE:
        return true;
    case JSON_ARRAY:
    case JSON_OBJECT:
        return json_first(doc, ref) == JSON_NONE;
    case JSON_NUMBER:
        return json_double(doc, ref, &number) && number == 0;
    default:
        return false;
    }
}

static void check_demand(struct reader *r, size_t i) {
    json_ref ref = fields_get(&r->f, 0, demands[i].key);
    const char *family = encoder_family_name(r->c->family);
    vsr_str raw;
    double number;
    if (ref == JSON_NONE)
        return;
    raw = str_sub(json_raw(&r->f.doc, ref), 0, 60);
    switch (demands[i].demand) {
    case MUST_BE_FALSE:
        if (fields_flag(&r->f, 0, demands[i].key, false))
            fields_wrong(&r->f, 0, demands[i].key, "true is not supported for %s", family);
        break;
    case MUST_BE_TRUE:
        if (!fields_flag(&r->f, 0, demands[i].key, true))
            fields_wrong(&r->f, 0, demands[i].key, "false is not supported for %s", family);
        break;
    case MUST_BE_EMPTY:
        if (!is_empty(&r->f.doc, ref))
            fields_wrong(&r->f, 0, demands[i].key, "%.*s is not supported for %s", VSR_FMT(raw), family);
        break;
    case MUST_BE_NUMBER:
        if (!json_double(&r->f.doc, ref, &number) || number != demands[i].number)
            fields_wrong(&r->f, 0, demands[i].key, "%.*s is not supported for %s, only %g", VSR_FMT(raw), family,
                         demands[i].number);
        break;
    case MUST_BE_WORD:
        if (!json_str_eq(&r->f.doc, ref, str_from_c(demands[i].word)))
            fields_wrong(&r->f, 0, demands[i].key, "%.*s is not supported for %s, only \"%s\"", VSR_FMT(raw), family,
                         demands[i].word);
        break;
    }
}

/* Models that come with code of their own say the model_type that they resemble most, and compute something else. */
static void check_own_code(struct reader *r) {
    json_ref map = fields_get(&r->f, 0, "auto_map");
    if (!json_is(&r->f.doc, map, JSON_OBJECT))
        return;
    for (json_ref key = json_first(&r->f.doc, map); key != JSON_NONE;) {
        json_ref value = json_next(&r->f.doc, map, key);
        if (str_starts(fields_text_of(&r->f, key), VSR_STR("AutoModel")))
            fields_wrong(&r->f, 0, "auto_map", "the model brings its own code (%.*s), which is not run",
                         VSR_FMT(str_sub(json_raw(&r->f.doc, value), 0, 60)));
        key = json_next(&r->f.doc, map, value);
    }
}

static void check_demands(struct reader *r) {
    for (size_t i = 0; i < VSR_COUNT(demands); i++) {
        if (demands[i].families & 1u << r->c->family)
            check_demand(r, i);
    }
    check_own_code(r);
}

/* ---- parts that several families share */

static void read_sizes(struct reader *r) {
    struct encoder_config *c = r->c;
    c->vocabulary = fields_size(&r->f, 0, "vocab_size", FIELDS_REQUIRED, 1, VOCABULARY_MAX);
    c->hidden = fields_size(&r->f, 0, "hidden_size", FIELDS_REQUIRED, 1, ENCODER_HIDDEN_MAX);
    c->layers = fields_size(&r->f, 0, "num_hidden_layers", FIELDS_REQUIRED, 1, ENCODER_LAYERS_MAX);
    c->heads = fields_size(&r->f, 0, "num_attention_heads", FIELDS_REQUIRED, 1, HEADS_MAX);
    c->intermediate = fields_size(&r->f, 0, "intermediate_size", FIELDS_REQUIRED, 1, KERNELS_WIDTH_MAX);
    c->positions = fields_size(&r->f, 0, "max_position_embeddings", FIELDS_REQUIRED, 1, POSITIONS_MAX);
    c->kv_heads = c->heads;
    c->embedding_scale = 1;
    memset(c->layer_full, 1, c->layers);
}

/* `least`: below it the value would be no longer an epsilon but zero in f32. */
static float read_eps(struct reader *r, const char *key, double fallback) {
    return (float)fields_number(&r->f, 0, key, fallback, FLT_MIN, 0.1);
}

static void divide_heads(struct reader *r) {
    struct encoder_config *c = r->c;
    if (c->hidden % c->heads != 0)
        fields_wrong(&r->f, 0, "num_attention_heads", "%zu does not divide hidden_size %zu", c->heads, c->hidden);
    c->head_dim = c->hidden / c->heads;
}

static void set_attention_scale(struct encoder_config *c, double of) {
    c->attention_scale = (float)(1 / sqrt(of));
}

/* RoBERTa and MPNet count positions from behind the padding's. */
static void count_positions_past(struct reader *r, size_t pad) {
    struct encoder_config *c = r->c;
    c->position_first = pad + 1;
    if (c->positions <= c->position_first) {
        fields_wrong(&r->f, 0, "max_position_embeddings", "%zu leaves no position behind the padding's", c->positions);
        return;
    }
    c->positions -= c->position_first;
}

static void read_pad(struct reader *r, uint32_t fallback) {
    int64_t pad = fields_int(&r->f, 0, "pad_token_id", fallback, -1, VOCABULARY_MAX);
    r->c->pad_id = pad < 0 ? 0 : (uint32_t)pad; /* -1: none; sequences are never padded here */
}

/* Heads as attention can take them, whatever the keys were that they come from. */
static void check_heads(struct reader *r) {
    struct encoder_config *c = r->c;
    size_t context = c->heads * c->head_dim;
    if (c->head_dim > ATTENTION_HEAD_DIM_MAX)
        fields_wrong(&r->f, 0, "num_attention_heads", "a head has %zu dimensions, more than %d", c->head_dim,
                     ATTENTION_HEAD_DIM_MAX);
    if (c->heads / c->kv_heads > ATTENTION_GROUP_MAX)
        fields_wrong(&r->f, 0, "num_key_value_heads", "%zu heads share each, more than %d", c->heads / c->kv_heads,
                     ATTENTION_GROUP_MAX);
    if (context > KERNELS_WIDTH_MAX || context > CONTEXT_OF_HIDDEN_MAX * c->hidden)
        fields_wrong(&r->f, 0, "num_attention_heads",
                     "all heads together have %zu dimensions; expected at most %d, and at most %d times hidden_size",
                     context, KERNELS_WIDTH_MAX, CONTEXT_OF_HIDDEN_MAX);
}

/* ---- BERT and what came of it */

static void read_bert(struct reader *r) {
    struct encoder_config *c = r->c;
    divide_heads(r);
    read_pad(r, c->family == ENCODER_BERT || c->family == ENCODER_DEBERTA ? 0 : 1);
    c->token_types = c->family == ENCODER_MPNET ? 0
                                                : fields_size(&r->f, 0, "type_vocab_size",
                                                              c->family == ENCODER_DEBERTA ? 0 : 2, 0, TOKEN_TYPES_MAX);
    c->norm_eps = read_eps(r, "layer_norm_eps", c->family == ENCODER_DEBERTA ? 1e-7 : 1e-12);
    c->activation = read_activation(r, "hidden_act", ACTIVATION_GELU);
    c->attention_bias = c->mlp_bias = c->norm_bias = true;
    c->classifier_activation = c->pooler_activation = ACTIVATION_TANH;
    set_attention_scale(c, (double)c->head_dim);
    if (c->family == ENCODER_ROBERTA)
        count_positions_past(r, c->pad_id);
    else if (c->family == ENCODER_MPNET)
        count_positions_past(r, 1);
}

static void add_position_term(struct reader *r, json_ref value, vsr_str term) {
    struct deberta_config *d = &r->c->deberta;
    if (str_eq_nocase(term, VSR_STR("c2p")))
        d->content_to_position = true;
    else if (str_eq_nocase(term, VSR_STR("p2c")))
        d->position_to_content = true;
    else
        fields_wrong_value(&r->f, value, "key \"pos_att_type\": \"%.*s\" is neither \"c2p\" nor \"p2c\"",
                           VSR_FMT(str_sub(term, 0, 60)));
}

static void read_position_terms(struct reader *r) {
    const struct json_doc *doc = &r->f.doc;
    json_ref ref = fields_get(&r->f, 0, "pos_att_type");
    if (ref == JSON_NONE)
        return;
    if (json_is(doc, ref, JSON_ARRAY)) {
        for (json_ref item = json_first(doc, ref); item != JSON_NONE; item = json_next(doc, ref, item))
            add_position_term(r, item, str_trim(fields_text_of(&r->f, item)));
        return;
    }
    for (vsr_str rest = fields_text(&r->f, 0, "pos_att_type", VSR_STR("")); rest.len > 0;)
        add_position_term(r, ref, str_trim(str_split(&rest, '|')));
}

static void read_norm_of_table(struct reader *r) {
    for (vsr_str rest = fields_text(&r->f, 0, "norm_rel_ebd", VSR_STR("none")); rest.len > 0;) {
        vsr_str word = str_trim(str_split(&rest, '|'));
        if (str_eq_nocase(word, VSR_STR("layer_norm")))
            r->c->deberta.norm_table = true;
        else if (!str_eq_nocase(word, VSR_STR("none")))
            fields_wrong(&r->f, 0, "norm_rel_ebd", "\"%.*s\" is not supported", VSR_FMT(str_sub(word, 0, 60)));
    }
}

static void must_equal(struct reader *r, const char *key, size_t value, const char *what) {
    size_t found = fields_size(&r->f, 0, key, value, 0, ENCODER_HIDDEN_MAX);
    if (found != value)
        fields_wrong(&r->f, 0, key, "%zu is not supported, only %s (%zu)", found, what, value);
}

static void read_deberta(struct reader *r) {
    struct encoder_config *c = r->c;
    struct deberta_config *d = &c->deberta;
    read_bert(r);
    if (fields_get(&r->f, 0, "relative_attention") == JSON_NONE)
        fields_wrong(&r->f, 0, "relative_attention", "missing; only true is supported for deberta");
    d->buckets = fields_int(&r->f, 0, "position_buckets", -1, -1, POSITIONS_MAX);
    d->buckets = d->buckets < 0 ? 0 : d->buckets;
    d->positions = fields_int(&r->f, 0, "max_relative_positions", -1, -1, POSITIONS_MAX);
    d->positions = d->positions < 1 ? (int64_t)c->positions : d->positions;
    if ((d->buckets > 0 ? d->buckets : d->positions) > ATTENTION_SLOTS_MAX / 2)
        fields_wrong(&r->f, 0, d->buckets > 0 ? "position_buckets" : "max_relative_positions",
                     "expected at most %d distances to each side", ATTENTION_SLOTS_MAX / 2);
    /* Between the two the buckets' logarithm must grow. */
    if (d->buckets > 0 && (d->buckets < 4 || d->buckets % 2 != 0 || d->positions - 1 <= d->buckets / 2))
        fields_wrong(&r->f, 0, "position_buckets", "expected an even number from 4 to below %lld",
                     2 * ((long long)d->positions - 1));
    read_position_terms(r);
    read_norm_of_table(r);
    d->share_keys = fields_flag(&r->f, 0, "share_att_key", false);
    d->biased_input = fields_flag(&r->f, 0, "position_biased_input", true);
    must_equal(r, "embedding_size", c->hidden, "hidden_size");
    must_equal(r, "pooler_hidden_size", c->hidden, "hidden_size");
    must_equal(r, "attention_head_size", c->head_dim, "hidden_size / num_attention_heads");
    c->pooler_activation = c->classifier_activation = read_activation(r, "pooler_hidden_act", ACTIVATION_GELU);
    set_attention_scale(c, (double)c->head_dim * (1 + d->content_to_position + d->position_to_content));
}

/* ---- kinds of layers */

/* Layers that `layer_types` names; false when it is absent. */
static bool read_layer_types(struct reader *r) {
    const struct json_doc *doc = &r->f.doc;
    json_ref list = fields_typed(&r->f, 0, "layer_types", JSON_ARRAY);
    size_t i = 0;
    if (list == JSON_NONE)
        return false;
    if (json_count(doc, list) != r->c->layers) {
        fields_wrong(&r->f, 0, "layer_types", "names %zu layers of %zu", json_count(doc, list), r->c->layers);
        return true;
    }
    for (json_ref item = json_first(doc, list); item != JSON_NONE; item = json_next(doc, list, item)) {
        bool full = json_str_eq(doc, item, VSR_STR("full_attention"));
        if (!full && !json_str_eq(doc, item, VSR_STR("sliding_attention")))
            fields_wrong(&r->f, 0, "layer_types", "%.*s is neither \"full_attention\" nor \"sliding_attention\"",
                         VSR_FMT(str_sub(json_raw(doc, item), 0, 60)));
        r->c->layer_full[i++] = full;
    }
    return true;
}

static bool has_local_layers(const struct encoder_config *c) {
    return memchr(c->layer_full, 0, c->layers) != NULL;
}

static void check_rotation(struct reader *r) {
    struct encoder_config *c = r->c;
    if (c->head_dim % 2 != 0)
        fields_wrong_value(&r->f, 0, "a head has %zu dimensions: an odd number cannot be rotated", c->head_dim);
}

/* ---- ModernBERT */

static void read_modernbert_layers(struct reader *r) {
    struct encoder_config *c = r->c;
    size_t every = fields_size(&r->f, 0, "global_attn_every_n_layers", 3, 1, ENCODER_LAYERS_MAX);
    size_t total = fields_size(&r->f, 0, "local_attention", 128, 2, WINDOW_MAX);
    if (!read_layer_types(r)) {
        for (size_t i = 0; i < c->layers; i++)
            c->layer_full[i] = i % every == 0;
    }
    c->window = has_local_layers(c) ? total / 2 : 0;
}

/* A local base that is given but null is the global one; without the key it is 10000. */
static void read_modernbert_rope(struct reader *r) {
    struct encoder_config *c = r->c;
    double global = fields_number(&r->f, 0, "global_rope_theta", 160000, ROPE_THETA_MIN, ROPE_THETA_MAX), local = 10000;
    if (json_is(&r->f.doc, json_get(&r->f.doc, 0, VSR_STR("local_rope_theta")), JSON_NULL))
        local = global;
    local = fields_number(&r->f, 0, "local_rope_theta", local, ROPE_THETA_MIN, ROPE_THETA_MAX);
    rope_config_read(&r->f, "full_attention", global, c->positions, &c->rope_full);
    rope_config_read(&r->f, "sliding_attention", local, c->positions, &c->rope_local);
}

static void read_modernbert(struct reader *r) {
    static const struct word poolings[] = { { "cls", POOL_FIRST }, { "mean", POOL_MEAN } };
    struct encoder_config *c = r->c;
    divide_heads(r);
    read_pad(r, 50283);
    c->norm_eps = read_eps(r, "norm_eps", 1e-5);
    c->activation = read_activation(r, "hidden_activation", ACTIVATION_GELU);
    c->classifier_activation = read_activation(r, "classifier_activation", ACTIVATION_GELU);
    c->classifier_pooling =
        (enum classifier_pooling)read_word(r, "classifier_pooling", poolings, VSR_COUNT(poolings), POOL_FIRST);
    c->attention_bias = fields_flag(&r->f, 0, "attention_bias", false);
    c->mlp_bias = fields_flag(&r->f, 0, "mlp_bias", false);
    c->norm_bias = fields_flag(&r->f, 0, "norm_bias", false);
    read_modernbert_layers(r);
    read_modernbert_rope(r);
    check_rotation(r);
    set_attention_scale(c, (double)c->head_dim);
}

/* ---- decoders that embed */

static void read_decoder(struct reader *r, size_t head_dim) {
    struct encoder_config *c = r->c;
    c->head_dim = fields_size(&r->f, 0, "head_dim", head_dim, 1, ATTENTION_HEAD_DIM_MAX);
    c->kv_heads = fields_size(&r->f, 0, "num_key_value_heads", FIELDS_REQUIRED, 1, HEADS_MAX);
    if (c->heads % c->kv_heads != 0)
        fields_wrong(&r->f, 0, "num_key_value_heads", "%zu does not divide num_attention_heads %zu", c->kv_heads,
                     c->heads);
    c->norm_eps = read_eps(r, "rms_norm_eps", 1e-6);
    read_pad(r, 0);
    check_rotation(r);
}

/* What a causal layer sees is counted from itself backwards: j > i - sliding_window. */
static size_t read_window(struct reader *r, bool bidirectional) {
    size_t total = fields_size(&r->f, 0, "sliding_window", FIELDS_REQUIRED, 2, WINDOW_MAX);
    return bidirectional ? total / 2 : total - 1;
}

static void read_qwen3_layers(struct reader *r) {
    struct encoder_config *c = r->c;
    bool sliding = fields_flag(&r->f, 0, "use_sliding_window", false);
    if (!read_layer_types(r) && sliding) {
        size_t full = fields_size(&r->f, 0, "max_window_layers", 28, 0, POSITIONS_MAX);
        for (size_t i = 0; i < c->layers; i++)
            c->layer_full[i] = i < full;
    }
    c->window = has_local_layers(c) ? read_window(r, false) : 0;
}

static void read_qwen3(struct reader *r) {
    struct encoder_config *c = r->c;
    double theta = fields_number(&r->f, 0, "rope_theta", 10000, ROPE_THETA_MIN, ROPE_THETA_MAX);
    if (fields_get(&r->f, 0, "head_dim") == JSON_NONE)
        divide_heads(r);
    read_decoder(r, c->head_dim);
    c->causal = true;
    c->activation = read_activation(r, "hidden_act", ACTIVATION_SILU);
    c->attention_bias = fields_flag(&r->f, 0, "attention_bias", false);
    read_qwen3_layers(r);
    rope_config_read(&r->f, NULL, theta, c->positions, &c->rope_full);
    c->rope_local = c->rope_full;
    set_attention_scale(c, (double)c->head_dim);
}

static void read_gemma3_layers(struct reader *r, bool bidirectional) {
    struct encoder_config *c = r->c;
    size_t pattern = fields_size(&r->f, 0, "_sliding_window_pattern", 6, 1, ENCODER_LAYERS_MAX);
    pattern = fields_size(&r->f, 0, "sliding_window_pattern", pattern, 1, ENCODER_LAYERS_MAX);
    if (!read_layer_types(r)) {
        for (size_t i = 0; i < c->layers; i++)
            c->layer_full[i] = (i + 1) % pattern == 0;
    }
    if (!has_local_layers(c))
        return;
    c->window = read_window(r, bidirectional);
    if (bidirectional && fields_size(&r->f, 0, "sliding_window", 0, 0, WINDOW_MAX) % 2 != 0)
        c->warning = VSR_STR("sliding_window is odd: some re-saved models store the window halved already, and it is "
                             "halved again");
}

static void read_gemma3(struct reader *r) {
    struct encoder_config *c = r->c;
    bool bidirectional = fields_flag(&r->f, 0, "use_bidirectional_attention", false);
    double full = fields_number(&r->f, 0, "rope_theta", 1e6, ROPE_THETA_MIN, ROPE_THETA_MAX);
    double local = fields_number(&r->f, 0, "rope_local_base_freq", 1e4, ROPE_THETA_MIN, ROPE_THETA_MAX);
    read_decoder(r, 256);
    c->causal = !bidirectional;
    /* The key of the first Gemma was hidden_act; where both stand, the newer one counts. */
    c->activation = read_activation(r, "hidden_activation", read_activation(r, "hidden_act", ACTIVATION_GELU_TANH));
    read_gemma3_layers(r, bidirectional);
    rope_config_read(&r->f, "full_attention", full, c->positions, &c->rope_full);
    rope_config_read_local(&r->f, "sliding_attention", local, c->positions, &c->rope_local);
    c->embedding_scale = (float)sqrt((double)c->hidden);
    set_attention_scale(c, fields_number(&r->f, 0, "query_pre_attn_scalar", 256, 1e-3, 1e6));
}

/* ---- families */

static const struct {
    const char *name, *embedding;
    void (*read)(struct reader *r);
} families[] = {
    [ENCODER_BERT] = { "bert", "embeddings.word_embeddings.weight", read_bert },
    [ENCODER_ROBERTA] = { "roberta", "embeddings.word_embeddings.weight", read_bert },
    [ENCODER_MPNET] = { "mpnet", "embeddings.word_embeddings.weight", read_bert },
    [ENCODER_DEBERTA] = { "deberta", "embeddings.word_embeddings.weight", read_deberta },
    [ENCODER_MODERNBERT] = { "modernbert", "embeddings.tok_embeddings.weight", read_modernbert },
    [ENCODER_QWEN3] = { "qwen3", "embed_tokens.weight", read_qwen3 },
    [ENCODER_GEMMA3] = { "gemma3", "embed_tokens.weight", read_gemma3 },
    [ENCODER_SIGLIP] = { "siglip", "embeddings.patch_embedding.weight", NULL },
};

static const struct word model_types[] = {
    { "bert", ENCODER_BERT },   { "roberta", ENCODER_ROBERTA },    { "xlm-roberta", ENCODER_ROBERTA },
    { "mpnet", ENCODER_MPNET }, { "deberta-v2", ENCODER_DEBERTA }, { "modernbert", ENCODER_MODERNBERT },
    { "qwen3", ENCODER_QWEN3 }, { "gemma3_text", ENCODER_GEMMA3 },
};

const char *encoder_family_name(enum encoder_family family) {
    return families[family].name;
}

vsr_str encoder_family_embedding(enum encoder_family family) {
    return str_from_c(families[family].embedding);
}

static void read_family(struct reader *r) {
    int family = ENCODER_BERT;
    if (fields_get(&r->f, 0, "model_type") == JSON_NONE)
        fields_wrong(&r->f, 0, "model_type",
                     "missing; expected bert, roberta, xlm-roberta, mpnet, deberta-v2, modernbert, "
                     "qwen3 or gemma3_text");
    family = read_word(r, "model_type", model_types, VSR_COUNT(model_types), family);
    r->c->family = (enum encoder_family)family;
}

/* ---- task and labels */

static void read_task(struct reader *r) {
    static const struct word tasks[] = {
        { "SequenceClassification", TASK_SEQUENCE },
        { "TokenClassification", TASK_TOKENS },
        { "MaskedLM", TASK_MASKED_LM },
        { "PreTraining", TASK_MASKED_LM },
        { "CausalLM", TASK_CAUSAL_LM },
    };
    json_ref list = fields_typed(&r->f, 0, "architectures", JSON_ARRAY), first = json_at(&r->f.doc, list, 0);
    vsr_str name;
    ptrdiff_t at;
    int task = TASK_NONE;
    if (list == JSON_NONE || first == JSON_NONE)
        return;
    name = fields_text_of(&r->f, first);
    at = str_find(name, VSR_STR("For"));
    if (at < 0 && !str_ends(name, VSR_STR("Model")))
        fields_wrong(&r->f, 0, "architectures", "\"%.*s\" is not supported", VSR_FMT(str_sub(name, 0, 100)));
    if (at >= 0 && !named(tasks, VSR_COUNT(tasks), str_sub(name, (size_t)at + 3, name.len), &task))
        fields_wrong(&r->f, 0, "architectures", "\"%.*s\" is not supported", VSR_FMT(str_sub(name, 0, 100)));
    r->c->task = (enum encoder_task)task;
}

/* Numbers are taken as they are written. */
static vsr_str label_text(struct reader *r, json_ref value) {
    vsr_str text = json_is(&r->f.doc, value, JSON_NUMBER) ? json_raw(&r->f.doc, value) : fields_text_of(&r->f, value);
    if (text.len > LABEL_LEN_MAX)
        fields_wrong(&r->f, 0, "id2label", "a label is longer than %d bytes", LABEL_LEN_MAX);
    return arena_str(r->arena, text);
}

/* Indices past the number of entries mean gaps: then the names are of no use, and only their number counts. */
static void read_labels(struct reader *r) {
    const struct json_doc *doc = &r->f.doc;
    struct encoder_config *c = r->c;
    json_ref map = fields_typed(&r->f, 0, "id2label", JSON_OBJECT);
    size_t n = map == JSON_NONE ? 0 : json_count(doc, map), n_named = 0;
    vsr_str *labels;
    c->n_labels = n > 0 ? n : fields_size(&r->f, 0, "num_labels", 0, 0, ENCODER_LABELS_MAX);
    if (n > ENCODER_LABELS_MAX)
        fields_wrong(&r->f, 0, "id2label", "%zu labels, more than %d", n, ENCODER_LABELS_MAX);
    if (n == 0 || r->f.rc < 0)
        return;
    labels = ARENA_ARRAY(r->arena, vsr_str, n);
    for (json_ref key = json_first(doc, map); key != JSON_NONE && r->f.rc == 0;) {
        json_ref value = json_next(doc, map, key);
        uint64_t index;
        if (!str_to_u64(fields_text_of(&r->f, key), &index))
            fields_wrong(&r->f, 0, "id2label", "%.*s is no index", VSR_FMT(str_sub(json_raw(doc, key), 0, 60)));
        else if (index < n) {
            n_named += labels[index].ptr == NULL;
            labels[index] = label_text(r, value);
        }
        key = json_next(doc, map, value);
    }
    c->labels = n_named == n ? labels : NULL;
}

/* Without a word, one logit is a score, as HF infers it from the number of labels. */
static void read_problem(struct reader *r) {
    static const struct word problems[] = {
        { "regression", PROBLEM_REGRESSION },
        { "single_label_classification", PROBLEM_SINGLE_LABEL },
        { "multi_label_classification", PROBLEM_MULTI_LABEL },
    };
    enum problem fallback = r->c->n_labels == 1 ? PROBLEM_REGRESSION : PROBLEM_SINGLE_LABEL;
    r->c->problem = (enum problem)read_word(r, "problem_type", problems, VSR_COUNT(problems), (int)fallback);
}

int encoder_config_read(struct arena *arena, vsr_str json, struct encoder_config *ret, struct vsr_err *err) {
    struct encoder_config c = { .pooler_activation = ACTIVATION_TANH };
    struct reader r = { .arena = arena, .c = &c };
    int rc = fields_open(&r.f, json, err);
    if (rc == 0)
        read_family(&r);
    if (r.f.rc == 0) {
        check_demands(&r);
        read_sizes(&r);
    }
    if (r.f.rc == 0) {
        families[c.family].read(&r);
        check_heads(&r);
        read_task(&r);
        read_labels(&r);
        read_problem(&r);
    }
    rc = fields_end(&r.f);
    if (rc == 0)
        *ret = c;
    return rc;
}
