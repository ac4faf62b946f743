#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "nn/attention.h"
#include "nn/encoder_model.h"
#include "nn/gemm.h"
#include "nn/lora.h"
#include "nn/pages.h"
#include "nn/rope.h"
#include "nn/runtime.h"
#include "nn/tensor_store.h"
#include "nn/weights.h"

enum {
    MPNET_BUCKETS = 32,
    SHARED_LEN_MIN = 4096, /* of tables: a page, below it an own copy costs less */
};

/* While it is loaded. */
struct loader {
    struct encoder *encoder;
    struct lora *lora;
    struct vsr_err *err;
    bool replaced_only;   /* the encoder is a view: what the adapter leaves alone is there already */
    bool replaced;        /* the adapter replaces something that is no matrix */
    struct pages staging; /* one matrix in f32, grown to the largest */
    char name[WEIGHTS_NAME_LEN_MAX];
};

/* ---- names and small tensors */

static vsr_str name_of(struct loader *l, const char *prefix, size_t layer, const char *module, const char *end) {
    int n = 0;
    if (prefix)
        n = snprintf(l->name, sizeof(l->name), "%s%zu.", prefix, layer);
    VSR_ASSERT(n >= 0 && (size_t)n < sizeof(l->name));
    n += snprintf(l->name + n, sizeof(l->name) - (size_t)n, "%s%s", module, end);
    VSR_ASSERT((size_t)n < sizeof(l->name)); /* the parts are our own */
    return str_make(l->name, (size_t)n);
}

/* What has been copied is not read again. */
static void forget(struct loader *l, vsr_str name, struct weights_shape shape) {
    const struct tensor *tensor;
    if (weights_get(l->encoder->weights, WEIGHTS_TRUNK, name, shape, &tensor, NULL) == 0)
        weights_forget_pages(tensor);
}

/* In pages that the caller frees or hands on. */
static int load_pages(struct loader *l, vsr_str name, struct weights_shape shape, size_t n, struct pages *ret) {
    int rc = pages_new(n * sizeof(float), "a table in f32", ret, l->err);
    if (rc == 0)
        rc = lora_tensor(l->lora, l->encoder->weights, WEIGHTS_TRUNK, name, shape, ret->data, l->err);
    if (rc < 0)
        pages_free(ret);
    else
        forget(l, name, shape);
    return rc;
}

static size_t elements(const struct weights_shape *shape) {
    size_t n = 1;
    for (size_t i = 0; i < shape->n_dims; i++)
        n *= shape->dims[i];
    return n;
}

static int load_values(struct loader *l, vsr_str name, struct weights_shape shape, const float **ret) {
    size_t n = elements(&shape);
    struct pages pages;
    float *values;
    int rc;
    if (n * sizeof(float) >= SHARED_LEN_MIN) {
        rc = load_pages(l, name, shape, n, &pages);
        if (rc == 0)
            *ret = tensor_holding_table(l->encoder->holding, &pages, shape.dims[0], n / shape.dims[0]);
        return rc;
    }
    values = ARENA_ARRAY(l->encoder->arena, float, n);
    rc = lora_tensor(l->lora, l->encoder->weights, WEIGHTS_TRUNK, name, shape, values, l->err);
    if (rc == 0)
        *ret = values;
    return rc;
}

static bool has(struct loader *l, vsr_str name) {
    return weights_has(l->encoder->weights, WEIGHTS_TRUNK, name);
}

/* Whether the adapter has a weight or a bias of its own in place of this module's. */
static bool replaces(struct loader *l, const char *prefix, size_t layer, const char *module) {
    return l->lora && (lora_find_saved(l->lora, name_of(l, prefix, layer, module, ".weight")) ||
                       lora_find_saved(l->lora, name_of(l, prefix, layer, module, ".bias")));
}

/* For what is no matrix: whether it is to be read. */
static bool wanted(struct loader *l, const char *prefix, size_t layer, const char *module) {
    bool own = replaces(l, prefix, layer, module);
    l->replaced = l->replaced || own;
    return own || !l->replaced_only;
}

static int read_norm(struct loader *l, const char *prefix, size_t layer, const char *module, size_t cols,
                     struct norm *ret) {
    int rc;
    vsr_str bias;
    ret->kind = l->encoder->names->norm;
    ret->eps = l->encoder->config.norm_eps;
    rc = load_values(l, name_of(l, prefix, layer, module, ".weight"), WEIGHTS_SHAPE(cols), &ret->gamma);
    if (rc < 0)
        return rc;
    bias = name_of(l, prefix, layer, module, ".bias");
    return has(l, bias) ? load_values(l, bias, WEIGHTS_SHAPE(cols), &ret->beta) : 0;
}

static int load_norm(struct loader *l, const char *prefix, size_t layer, const char *module, size_t cols,
                     struct norm *ret) {
    return module && wanted(l, prefix, layer, module) ? read_norm(l, prefix, layer, module, cols, ret) : 0;
}

static int load_table(struct loader *l, const char *module, size_t rows, struct embed_table *ret) {
    const float *values = NULL;
    int rc;
    if (!wanted(l, NULL, 0, module))
        return 0;
    rc =
        load_values(l, name_of(l, NULL, 0, module, ".weight"), WEIGHTS_SHAPE(rows, l->encoder->config.hidden), &values);
    *ret = (struct embed_table){ .dtype = DTYPE_F32, .data = values, .n_rows = rows };
    return rc;
}

/* ---- matrices */

static int stage(struct loader *l, size_t n) {
    if (l->staging.len >= n * sizeof(float))
        return 0;
    pages_free(&l->staging);
    return pages_new(n * sizeof(float), "a matrix in f32", &l->staging, l->err);
}

static void forget_matrix(struct loader *l, vsr_str module, size_t rows, size_t cols) {
    vsr_str name = str_make(l->name, module.len + strlen(".weight"));
    memcpy(l->name + module.len, ".weight", strlen(".weight")); /* the module stands before it */
    forget(l, name, WEIGHTS_SHAPE(rows, cols));
}

/* One part of a matrix and, where there is one, of its bias. */
static int load_part(struct loader *l, size_t layer, const char *module, size_t rows, size_t cols, float *weights,
                     float *bias, bool *ret_biased) {
    struct weights *from = l->encoder->weights;
    vsr_str name = name_of(l, l->encoder->names->layer, layer, module, "");
    int rc = lora_weight(l->lora, from, WEIGHTS_TRUNK, name, rows, cols, weights, l->err);
    if (rc < 0)
        return rc;
    *ret_biased = lora_has_bias(l->lora, from, WEIGHTS_TRUNK, name);
    if (*ret_biased)
        rc = lora_bias(l->lora, from, WEIGHTS_TRUNK, name, rows, bias, l->err);
    forget_matrix(l, name, rows, cols);
    return rc;
}

static int load_parts(struct loader *l, size_t layer, const char *const *modules, const struct linear_shape *shape,
                      size_t rows, bool *ret_biased) {
    float *weights = l->staging.data, *bias = weights + rows * shape->cols;
    size_t done = 0, n_biased = 0;
    for (size_t i = 0; i < shape->n; i++) {
        bool biased = false;
        int rc = load_part(l, layer, modules[i], shape->rows[i], shape->cols, weights + done * shape->cols, bias + done,
                           &biased);
        if (rc < 0)
            return rc;
        done += shape->rows[i];
        n_biased += biased;
    }
    if (n_biased != 0 && n_biased != shape->n)
        return err_set(l->err, VSR_E_INVALID, "layer %zu: only some of \"%s\" and its neighbours have a bias", layer,
                       modules[0]);
    *ret_biased = n_biased > 0;
    return 0;
}

static int load_linear(struct loader *l, size_t layer, enum linear linear) {
    struct encoder *encoder = l->encoder;
    struct linear_shape shape = encoder_linear_shape(&encoder->config, linear);
    size_t rows = 0;
    bool biased = false;
    float *weights;
    int rc;
    for (size_t i = 0; i < shape.n; i++)
        rows += shape.rows[i];
    rc = stage(l, rows * (shape.cols + 1));
    if (rc == 0)
        rc = load_parts(l, layer, encoder->names->linears[linear], &shape, rows, &biased);
    if (rc < 0)
        return rc;
    weights = l->staging.data;
    return tensor_holding_gemm(encoder->holding, encoder->runtime->gemm, weights,
                               biased ? weights + rows * shape.cols : NULL, rows, shape.cols, encoder->precision,
                               &encoder->layers[layer].linears[linear], l->err);
}

/* ---- DeBERTa's distances */

/* The rows of the table, normalised where the model says so; the same for all layers. The caller frees it. */
static int load_distances(struct loader *l, size_t rows, struct pages *ret) {
    const struct encoder_config *config = &l->encoder->config;
    struct norm norm = { .gamma = NULL };
    int rc = 0;
    if (config->deberta.norm_table)
        rc = read_norm(l, NULL, 0, "encoder.LayerNorm", config->hidden, &norm);
    if (rc == 0)
        rc = load_pages(l, name_of(l, NULL, 0, "encoder.rel_embeddings", ".weight"),
                        WEIGHTS_SHAPE(rows, config->hidden), rows * config->hidden, ret);
    if (rc == 0 && norm.gamma) {
        const struct rows_in in = { .type = ROWS_F32, .data = ret->data, .stride = config->hidden };
        const struct rows_out out = { .type = ROWS_F32, .data = ret->data, .stride = config->hidden };
        kernel_norm(&norm, &in, NULL, 0, false, &out, NULL, rows, config->hidden);
    }
    return rc;
}

static int project_distances(struct loader *l, struct gemm_context *context, size_t layer, const char *module,
                             const float *table, size_t rows, const float **ret) {
    size_t hidden = l->encoder->config.hidden;
    struct gemm *gemm = NULL;
    struct rows_in rows_of;
    struct pages result = { .data = NULL };
    float *weights;
    bool biased;
    int rc = stage(l, hidden * (hidden + 1));
    if (rc < 0)
        return rc;
    weights = l->staging.data;
    rc = load_part(l, layer, module, hidden, hidden, weights, weights + hidden * hidden, &biased);
    if (rc == 0)
        rc = gemm_new(l->encoder->runtime->gemm, weights, biased ? weights + hidden * hidden : NULL, hidden, hidden,
                      PRECISION_F32, &gemm, l->err);
    if (rc < 0)
        return rc;
    rc = pages_new(rows * hidden * sizeof(float), "distances", &result, l->err);
    if (rc == 0)
        rc = gemm_run(gemm, context, table, NULL, rows, result.data, &rows_of, l->err);
    gemm_free(gemm);
    if (rc == 0)
        *ret = tensor_holding_table(l->encoder->holding, &result, rows, hidden);
    pages_free(&result);
    return rc;
}

static bool adapts(struct loader *l, size_t layer, const char *module) {
    const char *prefix = l->encoder->names->layer;
    return replaces(l, prefix, layer, module) || lora_find(l->lora, name_of(l, prefix, layer, module, ""));
}

/* Keys and queries of the distances, for a layer. Where they are shared, the layer's own projections make them. */
static int load_layer_distances(struct loader *l, struct gemm_context *context, size_t layer, const float *table,
                                size_t rows, bool whole) {
    const struct deberta_config *deberta = &l->encoder->config.deberta;
    const char *const *parts = l->encoder->names->linears[LINEAR_QKV];
    struct encoder_layer *to = &l->encoder->layers[layer];
    const char *keys = deberta->share_keys ? parts[1] : "attention.self.pos_key_proj";
    const char *queries = deberta->share_keys ? parts[0] : "attention.self.pos_query_proj";
    int rc = 0;
    if (deberta->content_to_position && (whole || adapts(l, layer, keys)))
        rc = project_distances(l, context, layer, keys, table, rows, &to->distance_keys);
    if (rc == 0 && deberta->position_to_content && (whole || adapts(l, layer, queries)))
        rc = project_distances(l, context, layer, queries, table, rows, &to->distance_queries);
    return rc;
}

static int load_all_distances(struct loader *l) {
    struct encoder *encoder = l->encoder;
    const struct deberta_config *deberta = &encoder->config.deberta;
    size_t span = (size_t)(deberta->buckets > 0 ? deberta->buckets : deberta->positions);
    struct gemm_context *context;
    struct pages table = { .data = NULL };
    bool whole; /* all layers, not only those that are adapted */
    int rc = 0;
    if (encoder->config.family != ENCODER_DEBERTA || !(deberta->content_to_position || deberta->position_to_content))
        return 0;
    whole = wanted(l, NULL, 0, "encoder.rel_embeddings");
    whole = wanted(l, NULL, 0, "encoder.LayerNorm") || whole;
    rc = load_distances(l, 2 * span, &table);
    if (rc < 0)
        return rc;
    context = gemm_context_new(encoder->runtime->gemm);
    for (size_t i = 0; i < encoder->config.layers && rc == 0; i++)
        rc = load_layer_distances(l, context, i, table.data, 2 * span, whole);
    gemm_context_free(context);
    pages_free(&table);
    return rc;
}

/* ---- the whole */

static int load_layer(struct loader *l, size_t layer) {
    const struct encoder_family_names *names = l->encoder->names;
    const struct encoder_config *config = &l->encoder->config;
    struct encoder_layer *to = &l->encoder->layers[layer];
    int rc = 0;
    for (enum linear i = 0; i < LINEARS && rc == 0 && !l->replaced_only; i++)
        rc = load_linear(l, layer, i);
    for (enum norm_place i = 0; i < NORM_PLACES && rc == 0; i++) {
        /* The first layer of ModernBERT reads what the embedding's norm made. */
        if (config->family == ENCODER_MODERNBERT && layer == 0 && i == NORM_ATTENTION_IN)
            continue;
        rc = load_norm(l, names->layer, layer, names->norms[i], config->hidden, &to->norms[i]);
    }
    if (rc == 0)
        rc = load_norm(l, names->layer, layer, names->query_norm, config->head_dim, &to->query_norm);
    if (rc == 0)
        rc = load_norm(l, names->layer, layer, names->key_norm, config->head_dim, &to->key_norm);
    return rc;
}

static int load_words(struct loader *l) {
    struct encoder *encoder = l->encoder;
    const struct encoder_config *config = &encoder->config;
    const struct tensor *table;
    vsr_str name = name_of(l, NULL, 0, encoder->names->embedding, ".weight");
    int rc = weights_get(encoder->weights, WEIGHTS_TRUNK, name, WEIGHTS_SHAPE(config->vocabulary, config->hidden),
                         &table, l->err);
    if (rc < 0)
        return rc;
    encoder->embed.scale = config->embedding_scale;
    if (table->dtype != DTYPE_F32 && table->dtype != DTYPE_BF16)
        return load_table(l, encoder->names->embedding, config->vocabulary, &encoder->embed.words);
    /* Read where it lies: texts touch few of its rows. */
    encoder->embed.words = (struct embed_table){ table->dtype, table->data, config->vocabulary, NULL };
    return 0;
}

/* A convolution whose steps are as long as its window is a product. In f32: it is a hundredth of the work. */
static int load_patches(struct loader *l) {
    struct encoder *encoder = l->encoder;
    const struct encoder_config *config = &encoder->config;
    size_t side = config->patch_side, len = encoder_patch_len(config);
    const char *module = encoder->names->embedding;
    float *weights;
    int rc = stage(l, config->hidden * (len + 1));
    if (rc < 0)
        return rc;
    weights = l->staging.data;
    rc = weights_get_f32(encoder->weights, WEIGHTS_TRUNK, name_of(l, NULL, 0, module, ".weight"),
                         WEIGHTS_SHAPE(config->hidden, ENCODER_PATCH_COLOURS, side, side), weights, l->err);
    if (rc == 0)
        rc = weights_get_f32(encoder->weights, WEIGHTS_TRUNK, name_of(l, NULL, 0, module, ".bias"),
                             WEIGHTS_SHAPE(config->hidden), weights + config->hidden * len, l->err);
    if (rc < 0)
        return rc;
    return tensor_holding_gemm(encoder->holding, encoder->runtime->gemm, weights, weights + config->hidden * len,
                               config->hidden, len, PRECISION_F32, &encoder->patches, l->err);
}

static int load_embeddings(struct loader *l) {
    struct encoder *encoder = l->encoder;
    const struct encoder_config *config = &encoder->config;
    const struct encoder_family_names *names = encoder->names;
    bool positions = names->positions && (config->family != ENCODER_DEBERTA || config->deberta.biased_input);
    int rc = l->replaced_only ? 0 : config->patch_side ? load_patches(l) : load_words(l); /* no adapter replaces them */
    if (rc == 0 && positions)
        rc = load_table(l, names->positions, config->positions + config->position_first, &encoder->embed.positions);
    if (rc == 0 && names->types && config->token_types > 0)
        rc = load_table(l, names->types, config->token_types, &encoder->embed.types);
    if (rc == 0)
        rc = load_norm(l, NULL, 0, names->embedding_norm, config->hidden, &encoder->embedding_norm);
    if (rc == 0)
        rc = load_norm(l, NULL, 0, names->final_norm, config->hidden, &encoder->final_norm);
    return rc;
}

/* MPNet's, spread out over all distances that its table of positions allows. */
static int load_buckets(struct loader *l) {
    struct encoder *encoder = l->encoder;
    size_t heads = encoder->config.heads, reach = encoder->config.positions - 1;
    const float *table = NULL;
    struct pages relative = { .data = NULL };
    int rc;
    if (!wanted(l, NULL, 0, "encoder.relative_attention_bias"))
        return 0;
    rc = load_values(l, name_of(l, NULL, 0, "encoder.relative_attention_bias", ".weight"),
                     WEIGHTS_SHAPE(MPNET_BUCKETS, heads), &table);
    if (rc == 0)
        rc = pages_new(heads * (2 * reach + 1) * sizeof(float), "distances", &relative, l->err);
    if (rc < 0)
        return rc;
    attention_relative_from_buckets(table, heads, reach, relative.data);
    encoder->relative = tensor_holding_table(encoder->holding, &relative, heads, 2 * reach + 1);
    return 0;
}

static int find_ropes(struct loader *l) {
    struct encoder *encoder = l->encoder;
    const struct encoder_config *config = &encoder->config;
    int rc = rope_get(encoder->runtime->ropes, &config->rope_full, config->head_dim, &encoder->rope_full, l->err);
    if (rc == 0 && config->window > 0)
        rc = rope_get(encoder->runtime->ropes, &config->rope_local, config->head_dim, &encoder->rope_local, l->err);
    return rc;
}

/* All but the matrices where they are not wanted. */
static int load_trunk(struct loader *l) {
    struct encoder *encoder = l->encoder;
    int rc = load_embeddings(l);
    for (size_t i = 0; i < encoder->config.layers && rc == 0; i++)
        rc = load_layer(l, i);
    if (rc == 0)
        rc = load_all_distances(l);
    if (rc == 0 && encoder->config.family == ENCODER_MPNET)
        rc = load_buckets(l);
    return rc;
}

static int load_all(struct loader *l) {
    struct encoder *encoder = l->encoder;
    vsr_str embedding = name_of(l, NULL, 0, encoder->names->embedding, ".weight");
    int rc = weights_probe(encoder->weights, embedding, l->err);
    if (rc == 0)
        rc = load_trunk(l);
    if (rc == 0 && encoder->names->rotary)
        rc = find_ropes(l);
    return rc;
}

int encoder_load_view(struct encoder *view, struct lora *lora, bool *ret_replaced, struct vsr_err *err) {
    struct loader loader = { .encoder = view, .lora = lora, .err = err, .replaced_only = true };
    int rc = load_trunk(&loader);
    pages_free(&loader.staging);
    *ret_replaced = loader.replaced;
    return rc;
}

int nn_encoder_new(struct nn_runtime *runtime, const struct encoder_config *config, struct weights *weights,
                   struct lora *lora, enum precision precision, struct encoder **ret, struct vsr_err *err) {
    struct encoder *encoder = MEM_NEW(struct encoder);
    struct loader loader = { .encoder = encoder, .lora = lora, .err = err };
    int rc;
    encoder->config = *config;
    encoder->names = encoder_family_names(config->family);
    encoder->precision = precision;
    encoder->runtime = runtime;
    encoder->weights = weights_ref(weights);
    encoder->holding = tensor_holding_new(runtime->tensors);
    encoder->arena = arena_new(0, 0);
    encoder->layers = ARENA_ARRAY(encoder->arena, struct encoder_layer, config->layers);
    memset(encoder->layers, 0, config->layers * sizeof(*encoder->layers));
    rc = load_all(&loader);
    pages_free(&loader.staging);
    if (rc < 0) {
        nn_encoder_free(encoder);
        return rc;
    }
    *ret = encoder;
    return 0;
}

void nn_encoder_free(struct encoder *encoder) {
    if (!encoder)
        return;
    tensor_holding_free(encoder->holding);
    weights_unref(encoder->weights);
    arena_free(encoder->arena);
    mem_free(encoder);
}

const struct encoder_config *encoder_config(const struct encoder *encoder) {
    return &encoder->config;
}

struct tensor_holding_bytes encoder_bytes(const struct encoder *encoder) {
    struct tensor_holding_bytes bytes = tensor_holding_bytes(encoder->holding);
    bytes.all += arena_bytes(encoder->arena);
    return bytes;
}
