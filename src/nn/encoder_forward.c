#include <string.h>

#include "core/assert.h"
#include "core/mem.h"
#include "nn/attention.h"
#include "nn/encoder_model.h"
#include "nn/gemm.h"
#include "nn/pages.h"
#include "nn/rope.h"
#include "nn/runtime.h"

/*
 * Rows go through everything between two attentions a block at a time, so that what one step writes is still in the
 * cache when the next one reads it.
 */
enum { BLOCK_ROWS = GEMM_ROWS_MAX, ALIGN = 64 };

/* Rows as the left side of a product, in the model's precision. */
struct operand {
    struct pages data, scales;
};

struct encoder_work {
    struct gemm_context *gemm;
    struct pages attention; /* scratch of one item */
    struct pages items;     /* of the batch: what attention is cut into */
    struct pages slots; /* DeBERTa: of distances up to slots_reach, as slots_buckets and slots_positions make them */
    size_t slots_reach;
    int64_t slots_buckets, slots_positions;
    struct pages hidden;    /* f32 [tokens][hidden]: the residual stream */
    struct operand input;   /* [tokens][hidden]: what the next projection reads */
    struct pages qkv;       /* f32 [tokens][qkv] */
    struct pages context;   /* f32 [tokens][heads * head_dim] */
    struct pages positions; /* u32 [tokens] */
    struct pages types;     /* u32 [tokens] */
    /* Of one block. */
    struct operand operand; /* the context, then what the activation made */
    struct pages product;   /* what a product left */
};

/* One pass. */
struct pass {
    const struct encoder *encoder;
    struct encoder_work *work;
    const struct encoder_batch *batch;
    size_t n; /* tokens */
    size_t layers, n_items;
    struct vsr_err *err;
};

/* ---- work */

struct encoder_work *encoder_work_new(struct nn_runtime *runtime) {
    struct encoder_work *work = MEM_NEW(struct encoder_work);
    work->gemm = gemm_context_new(runtime->gemm);
    return work;
}

void encoder_work_free(struct encoder_work *work) {
    if (!work)
        return;
    gemm_context_free(work->gemm);
    pages_free(&work->attention);
    pages_free(&work->items);
    pages_free(&work->slots);
    pages_free(&work->hidden);
    pages_free(&work->input.data);
    pages_free(&work->input.scales);
    pages_free(&work->qkv);
    pages_free(&work->context);
    pages_free(&work->positions);
    pages_free(&work->types);
    pages_free(&work->operand.data);
    pages_free(&work->operand.scales);
    pages_free(&work->product);
    mem_free(work);
}

static size_t max_size(size_t a, size_t b) {
    return a > b ? a : b;
}

static int grow(struct pages *pages, size_t rows, size_t cols, size_t len, struct vsr_err *err) {
    return pages_grow(pages, rows * cols * len + ALIGN, err);
}

static int grow_operand(struct operand *operand, size_t rows, size_t cols, struct vsr_err *err) {
    int rc = grow(&operand->data, rows, cols, sizeof(float), err); /* of the widest precision: work is for any model */
    return rc < 0 ? rc : grow(&operand->scales, rows, 1, sizeof(float), err);
}

static int work_grow(struct encoder_work *work, const struct encoder *encoder, size_t n, struct vsr_err *err) {
    const struct encoder_config *config = &encoder->config;
    size_t qkv = encoder_qkv_cols(config), context = encoder_context_cols(config);
    size_t wide = config->intermediate * (encoder->names->gated ? 2 : 1);
    int rc = grow(&work->hidden, n, config->hidden, sizeof(float), err);
    if (rc == 0)
        rc = grow_operand(&work->input, n, config->hidden, err);
    if (rc == 0)
        rc = grow(&work->qkv, n, qkv, sizeof(float), err);
    if (rc == 0)
        rc = grow(&work->context, n, context, sizeof(float), err);
    if (rc == 0)
        rc = grow(&work->positions, n, 1, sizeof(uint32_t), err);
    if (rc == 0)
        rc = grow(&work->types, n, 1, sizeof(uint32_t), err);
    if (rc == 0)
        rc = grow_operand(&work->operand, BLOCK_ROWS, max_size(context, config->intermediate), err);
    if (rc == 0)
        rc = grow(&work->product, BLOCK_ROWS, max_size(qkv, max_size(wide, config->hidden)), sizeof(float), err);
    return rc;
}

struct gemm_context *encoder_work_gemm(struct encoder_work *work) {
    return work->gemm;
}

/* ---- rows of arrays */

static float *f32_row(const struct pages *pages, size_t row, size_t cols) {
    return (float *)pages->data + row * cols;
}

static struct rows_in f32_in(const struct pages *pages, size_t row, size_t cols) {
    return (struct rows_in){ .type = ROWS_F32, .data = f32_row(pages, row, cols), .stride = cols };
}

static struct rows_out f32_out(const struct pages *pages, size_t row, size_t cols) {
    return (struct rows_out){ .type = ROWS_F32, .data = f32_row(pages, row, cols), .stride = cols };
}

static size_t operand_len(enum precision precision) {
    return precision == PRECISION_F32 ? sizeof(float) : precision == PRECISION_BF16 ? sizeof(uint16_t) : 1;
}

static void *operand_row(const struct pass *p, const struct operand *operand, size_t row, size_t cols) {
    return (char *)operand->data.data + row * cols * operand_len(p->encoder->precision);
}

static struct rows_out operand_out(const struct pass *p, const struct operand *operand, size_t row, size_t cols) {
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

/* Rows [row, row + n) of the operand times a matrix, into `y` (of four bytes each). */
static int multiply(const struct pass *p, const struct gemm *gemm, const struct operand *operand, size_t row, size_t n,
                    void *y, struct rows_in *ret) {
    return gemm_run(gemm, p->work->gemm, operand_row(p, operand, row, gemm_in(gemm)),
                    (const float *)operand->scales.data + row, n, y, ret, p->err);
}

/* ---- what a batch may hold */

static int check_sequence(const struct pass *p, size_t s) {
    const struct encoder_config *config = &p->encoder->config;
    size_t n = p->batch->starts[s + 1] - p->batch->starts[s];
    if (p->encoder->embed.positions.data && n > config->positions)
        return err_set(p->err, VSR_E_LIMIT, "a sequence of %zu tokens, the model takes %zu", n, config->positions);
    return 0;
}

static int check_tokens(const struct pass *p) {
    const struct encoder_config *config = &p->encoder->config;
    for (size_t i = 0; i < p->n; i++)
        if (p->batch->ids[i] >= config->vocabulary)
            return err_set(p->err, VSR_E_LIMIT, "token %u, the vocabulary has %zu", p->batch->ids[i],
                           config->vocabulary);
    for (size_t i = 0; p->batch->types && p->encoder->embed.types.data && i < p->n; i++)
        if (p->batch->types[i] >= config->token_types)
            return err_set(p->err, VSR_E_LIMIT, "token type %u, the model has %zu", (unsigned)p->batch->types[i],
                           config->token_types);
    return 0;
}

/* Lengths; then the number of tokens is known. */
static int check_batch(const struct pass *p) {
    const struct encoder_batch *batch = p->batch;
    if (batch->n == 0 || batch->n > ENCODER_SEQUENCES_MAX || batch->starts[0] != 0)
        return err_set(p->err, VSR_E_LIMIT, "a batch is 1 to %d sequences", ENCODER_SEQUENCES_MAX);
    for (size_t s = 0; s < batch->n; s++) {
        int rc;
        if (batch->starts[s + 1] <= batch->starts[s] || batch->starts[s + 1] > ENCODER_BATCH_TOKENS_MAX)
            return err_set(p->err, VSR_E_LIMIT, "a sequence is not empty, and a batch at most %d tokens",
                           ENCODER_BATCH_TOKENS_MAX);
        rc = check_sequence(p, s);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- embeddings */

/*
 * From 0 in each sequence; RoBERTa's start behind its padding, and a padding token that somebody wrote stays at the
 * padding's place and is not counted.
 */
static void number_positions(const struct pass *p) {
    const struct encoder_config *config = &p->encoder->config;
    uint32_t *positions = p->work->positions.data;
    for (size_t s = 0; s < p->batch->n; s++) {
        uint32_t next = (uint32_t)config->position_first;
        for (size_t i = p->batch->starts[s]; i < p->batch->starts[s + 1]; i++) {
            bool padding = config->position_first > 0 && p->batch->ids[i] == config->pad_id;
            positions[i] = padding ? config->pad_id : next++;
        }
    }
}

static void widen_types(const struct pass *p) {
    uint32_t *types = p->work->types.data;
    for (size_t i = 0; i < p->n; i++)
        types[i] = p->batch->types ? p->batch->types[i] : 0;
}

static void embed_rows(const struct pass *p, size_t row, size_t n) {
    const struct encoder *encoder = p->encoder;
    struct encoder_work *work = p->work;
    size_t cols = encoder->config.hidden;
    const struct norm *norm = &encoder->embedding_norm;
    struct rows_in in = f32_in(&work->hidden, row, cols);
    struct rows_out out = f32_out(&work->hidden, row, cols), input = operand_out(p, &work->input, row, cols);
    kernel_embed(&encoder->embed, p->batch->ids + row, (const uint32_t *)work->positions.data + row,
                 (const uint32_t *)work->types.data + row, f32_row(&work->hidden, row, cols), cols, n, cols);
    if (norm->gamma)
        kernel_norm(norm, &in, NULL, 0, false, &out, NULL, n, cols);
    norm = &encoder->layers[0].norms[NORM_ATTENTION_IN];
    if (norm->gamma)
        kernel_norm(norm, &in, NULL, 0, false, &input, NULL, n, cols);
    else
        kernel_convert(&in, &input, n, cols);
}

/* ---- attention */

static int project_rows(const struct pass *p, const struct encoder_layer *layer, size_t row, size_t n) {
    struct encoder_work *work = p->work;
    size_t cols = encoder_qkv_cols(&p->encoder->config);
    struct rows_out out = f32_out(&work->qkv, row, cols);
    struct rows_in rows;
    bool direct = p->encoder->precision != PRECISION_INT8; /* then the product is f32 and lies where it should */
    int rc =
        multiply(p, layer->linears[LINEAR_QKV], &work->input, row, n, direct ? out.data : work->product.data, &rows);
    if (rc == 0 && !direct)
        kernel_convert(&rows, &out, n, cols);
    return rc;
}

static void norm_heads(const struct pass *p, const struct encoder_layer *layer, size_t row, size_t n) {
    const struct encoder_config *config = &p->encoder->config;
    size_t cols = encoder_qkv_cols(config);
    float *queries = f32_row(&p->work->qkv, row, cols), *keys = queries + config->heads * config->head_dim;
    if (layer->query_norm.gamma)
        kernel_norm_heads(&layer->query_norm, queries, cols, n, config->heads, config->head_dim);
    if (layer->key_norm.gamma)
        kernel_norm_heads(&layer->key_norm, keys, cols, n, config->kv_heads, config->head_dim);
}

/* Each token's queries and keys turn by its place in its sequence. */
static int turn(const struct pass *p, struct rope *rope) {
    const struct encoder_config *config = &p->encoder->config;
    size_t cols = encoder_qkv_cols(config);
    int rc = 0;
    for (size_t s = 0; s < p->batch->n && rc == 0; s++) {
        size_t first = p->batch->starts[s], n = p->batch->starts[s + 1] - first;
        rc = rope_reserve(rope, n, p->err);
        if (rc == 0)
            rope_apply(rope, 0, f32_row(&p->work->qkv, first, cols), cols, n, config->heads + config->kv_heads);
    }
    return rc;
}

static struct attention attention_of(const struct pass *p, size_t layer) {
    const struct encoder_config *config = &p->encoder->config;
    return (struct attention){
        .heads = config->heads,
        .kv_heads = config->kv_heads,
        .head_dim = config->head_dim,
        .scale = config->attention_scale,
        .causal = config->causal,
        .window = config->layer_full[layer] ? 0 : config->window,
        .relative = p->encoder->relative,
        .relative_reach = p->encoder->relative ? config->positions - 1 : 0,
    };
}

static struct attention_rows attention_rows_of(const struct pass *p) {
    const struct encoder_config *config = &p->encoder->config;
    size_t cols = encoder_qkv_cols(config), queries = config->heads * config->head_dim;
    float *qkv = p->work->qkv.data;
    return (struct attention_rows){
        .q = qkv,
        .k = qkv + queries,
        .v = qkv + queries + config->kv_heads * config->head_dim,
        .q_stride = cols,
        .k_stride = cols,
        .v_stride = cols,
        .out = f32_out(&p->work->context, 0, encoder_context_cols(config)),
    };
}

static struct attention_positions distances_of(const struct pass *p, const struct encoder_layer *layer) {
    const struct deberta_config *deberta = &p->encoder->config.deberta;
    return (struct attention_positions){
        .n_slots = 2 * (size_t)(deberta->buckets > 0 ? deberta->buckets : deberta->positions),
        .keys = layer->distance_keys,
        .queries = layer->distance_queries,
        .stride = p->encoder->config.hidden,
        .slot = p->work->slots.data,
        .reach = p->work->slots_reach,
    };
}

static int attend(const struct pass *p, const struct encoder_layer *layer, size_t index) {
    struct attention attention = attention_of(p, index);
    struct attention_rows rows = attention_rows_of(p);
    struct attention_positions distances = distances_of(p, layer);
    const struct attention_item *items = p->work->items.data;
    int rc = 0;
    if (layer->distance_keys || layer->distance_queries)
        attention.positions = &distances;
    if (p->encoder->names->rotary)
        rc = turn(p, attention.window ? p->encoder->rope_local : p->encoder->rope_full);
    for (size_t i = 0; i < p->n_items && rc == 0; i++)
        attention_run(&attention, &rows, &items[i], p->work->attention.data);
    return rc;
}

/* ---- what follows attention */

/* The branch joins the stream, and what comes next reads the stream through its norm. `out` takes that. */
static void join_rows(const struct pass *p, const struct norm *behind, const struct norm *before,
                      const struct rows_in *branch, size_t row, size_t n, const struct rows_out *out) {
    const struct encoder *encoder = p->encoder;
    size_t cols = encoder->config.hidden;
    float *hidden = f32_row(&p->work->hidden, row, cols);
    struct rows_in in = f32_in(&p->work->hidden, row, cols);
    struct rows_out stream = f32_out(&p->work->hidden, row, cols);
    if (encoder->names->post_norm) {
        kernel_norm(behind, branch, hidden, cols, false, &stream, out, n, cols);
        return;
    }
    if (!behind->gamma) {
        bool goes_on = out->data != hidden; /* else the last norm takes the stream's place */
        kernel_norm(before, branch, hidden, cols, goes_on, out, NULL, n, cols);
        return;
    }
    kernel_norm_into(behind, branch, hidden, cols, n, cols);
    kernel_norm(before, &in, NULL, 0, false, out, NULL, n, cols);
}

static int attention_out_rows(const struct pass *p, const struct encoder_layer *layer, size_t row, size_t n) {
    struct encoder_work *work = p->work;
    size_t context = encoder_context_cols(&p->encoder->config), cols = p->encoder->config.hidden;
    struct rows_in in = f32_in(&work->context, row, context), branch;
    struct rows_out operand = operand_out(p, &work->operand, 0, context), out = operand_out(p, &work->input, row, cols);
    int rc;
    kernel_convert(&in, &operand, n, context);
    rc = multiply(p, layer->linears[LINEAR_ATTENTION_OUT], &work->operand, 0, n, work->product.data, &branch);
    if (rc == 0)
        join_rows(p, &layer->norms[NORM_ATTENTION_OUT], &layer->norms[NORM_MLP_IN], &branch, row, n, &out);
    return rc;
}

/* `next`: the layer behind this one; NULL: this is the last of the pass. */
static void leave_layer(const struct pass *p, const struct encoder_layer *layer, const struct encoder_layer *next,
                        const struct rows_in *branch, size_t row, size_t n) {
    struct encoder_work *work = p->work;
    size_t cols = p->encoder->config.hidden;
    struct rows_out input = operand_out(p, &work->input, row, cols), hidden = f32_out(&work->hidden, row, cols);
    const struct norm *before = next ? &next->norms[NORM_ATTENTION_IN] : &p->encoder->final_norm;
    if (p->encoder->names->post_norm)
        join_rows(p, &layer->norms[NORM_MLP_OUT], NULL, branch, row, n, next ? &input : NULL);
    else
        join_rows(p, &layer->norms[NORM_MLP_OUT], before, branch, row, n, next ? &input : &hidden);
}

static int mlp_rows(const struct pass *p, const struct encoder_layer *layer, const struct encoder_layer *next,
                    size_t row, size_t n) {
    struct encoder_work *work = p->work;
    const struct encoder_config *config = &p->encoder->config;
    struct rows_out operand = operand_out(p, &work->operand, 0, config->intermediate);
    struct rows_in rows;
    int rc = multiply(p, layer->linears[LINEAR_MLP_IN], &work->input, row, n, work->product.data, &rows);
    if (rc < 0)
        return rc;
    if (p->encoder->names->gated)
        kernel_activate_glu(config->activation, &rows, &operand, n, config->intermediate);
    else
        kernel_activate(config->activation, &rows, &operand, n, config->intermediate);
    rc = multiply(p, layer->linears[LINEAR_MLP_OUT], &work->operand, 0, n, work->product.data, &rows);
    if (rc == 0)
        leave_layer(p, layer, next, &rows, row, n);
    return rc;
}

/* ---- the pass */

static int each_block(const struct pass *p, const struct encoder_layer *layer, const struct encoder_layer *next,
                      int (*fn)(const struct pass *p, const struct encoder_layer *layer,
                                const struct encoder_layer *next, size_t row, size_t n)) {
    int rc = 0;
    for (size_t row = 0; row < p->n && rc == 0; row += BLOCK_ROWS)
        rc = fn(p, layer, next, row, p->n - row < BLOCK_ROWS ? p->n - row : BLOCK_ROWS);
    return rc;
}

static int first_block(const struct pass *p, const struct encoder_layer *layer, const struct encoder_layer *next,
                       size_t row, size_t n) {
    (void)layer;
    (void)next;
    embed_rows(p, row, n);
    return 0;
}

static int block_before_attention(const struct pass *p, const struct encoder_layer *layer,
                                  const struct encoder_layer *next, size_t row, size_t n) {
    int rc = project_rows(p, layer, row, n);
    (void)next;
    if (rc == 0)
        norm_heads(p, layer, row, n);
    return rc;
}

static int block_behind_attention(const struct pass *p, const struct encoder_layer *layer,
                                  const struct encoder_layer *next, size_t row, size_t n) {
    int rc = attention_out_rows(p, layer, row, n);
    return rc < 0 ? rc : mlp_rows(p, layer, next, row, n);
}

static int run_layer(const struct pass *p, size_t index) {
    const struct encoder_layer *layer = &p->encoder->layers[index];
    const struct encoder_layer *next = index + 1 < p->layers ? layer + 1 : NULL;
    int rc = each_block(p, layer, next, block_before_attention);
    if (rc == 0)
        rc = attend(p, layer, index);
    if (rc == 0)
        rc = each_block(p, layer, next, block_behind_attention);
    return rc;
}

/* Slots of all distances in the batch; kept for the next one. */
static int prepare_slots(const struct pass *p) {
    const struct deberta_config *deberta = &p->encoder->config.deberta;
    struct encoder_work *work = p->work;
    size_t longest = 0;
    int rc;
    for (size_t s = 0; s < p->batch->n; s++)
        longest = max_size(longest, p->batch->starts[s + 1] - p->batch->starts[s]);
    if (work->slots_reach >= longest && work->slots_buckets == deberta->buckets &&
        work->slots_positions == deberta->positions)
        return 0;
    rc = pages_grow(&work->slots, (2 * longest + 1) * sizeof(int32_t), p->err);
    if (rc < 0)
        return rc;
    attention_slots((size_t)(deberta->buckets > 0 ? deberta->buckets : 0), (size_t)deberta->positions, longest,
                    work->slots.data);
    work->slots_reach = longest;
    work->slots_buckets = deberta->buckets;
    work->slots_positions = deberta->positions;
    return 0;
}

/* How attention is cut up is the same in all layers. */
static int prepare_attention(struct pass *p) {
    const struct attention_positions distances = distances_of(p, &p->encoder->layers[0]);
    struct attention attention = attention_of(p, 0);
    struct encoder_work *work = p->work;
    int rc;
    if (distances.keys || distances.queries)
        attention.positions = &distances;
    rc = pages_grow(&work->attention, attention_scratch_len(&attention), p->err);
    p->n_items = attention_items(&attention, p->batch->starts, p->batch->n, NULL);
    if (rc == 0)
        rc = pages_grow(&work->items, p->n_items * sizeof(struct attention_item), p->err);
    if (rc < 0)
        return rc;
    (void)attention_items(&attention, p->batch->starts, p->batch->n, work->items.data); /* as many as just counted */
    return p->encoder->config.family == ENCODER_DEBERTA ? prepare_slots(p) : 0;
}

static int run(const struct pass *p) {
    int rc;
    number_positions(p);
    widen_types(p);
    rc = each_block(p, NULL, NULL, first_block);
    for (size_t i = 0; i < p->layers && rc == 0; i++)
        rc = run_layer(p, i);
    return rc;
}

int encoder_forward(const struct encoder *encoder, struct encoder_work *work, const struct encoder_batch *batch,
                    size_t layers, const float **ret_hidden, struct vsr_err *err) {
    struct pass pass = { .encoder = encoder, .work = work, .batch = batch, .layers = layers, .err = err };
    int rc;
    if (layers > encoder->config.layers)
        return err_set(err, VSR_E_LIMIT, "layer %zu, the model has %zu", layers, encoder->config.layers);
    if (layers == 0)
        pass.layers = encoder->config.layers;
    rc = check_batch(&pass);
    if (rc < 0)
        return rc;
    pass.n = batch->starts[batch->n];
    rc = check_tokens(&pass);
    if (rc == 0)
        rc = work_grow(work, encoder, pass.n, err);
    if (rc == 0)
        rc = prepare_attention(&pass);
    if (rc == 0)
        rc = run(&pass);
    if (rc == 0)
        *ret_hidden = work->hidden.data;
    return rc;
}
