#include <string.h>

#include "core/assert.h"
#include "nn/encoder_pass.h"
#include "nn/rope.h"
#include "nn/team.h"

/*
 * Rows go through everything between two attentions a block at a time, so that what one step writes is still in the
 * cache when the next one reads it.
 */
enum {
    BLOCK_STEP = 16,      /* blocks of several threads are multiples of it: fewer rows make poor products */
    ITEMS_OF_THREAD = 16, /* attention is handed out in about so many portions for each thread: some take longer */
};

/* ---- threads */

/* A part of the pass for one thread: a block of rows, or some items. */
typedef int pass_part(const struct pass *p, size_t index, size_t from, size_t n);

struct region {
    const struct pass *pass;
    pass_part *part;
    size_t index;   /* of the layer */
    size_t n, step; /* of rows or items, and in each part */
};

static int run_part(void *owner, size_t part, size_t member, struct vsr_err *err) {
    const struct region *r = owner;
    struct pass mine = *r->pass;
    size_t from = part * r->step;
    int rc;
    mine.err = err;
    rc = encoder_work_kit(mine.work, member, mine.encoder, &mine.room, &mine.kit, err);
    return rc < 0 ? rc : r->part(&mine, r->index, from, r->n - from < r->step ? r->n - from : r->step);
}

static int each_part(const struct pass *p, size_t index, size_t n, size_t step, pass_part *part) {
    struct region region = { p, part, index, n, step };
    return crew_run(p->work->crew, (n + step - 1) / step, run_part, &region, p->err);
}

/*
 * As many blocks as threads, or a multiple of that, and all about as long: each block reads all of the weights, so a
 * last one of a few rows would cost as much as a long one. A quarter more rows than suit the cache is the lesser evil.
 */
static size_t block_rows(const struct pass *p) {
    size_t most = gemm_rows(p->encoder->layers[0].linears[LINEAR_MLP_IN]); /* makes the widest rows */
    size_t longest = most + most / 4 < ENCODER_BLOCK_ROWS ? most + most / 4 : ENCODER_BLOCK_ROWS;
    size_t rounds = (p->n + p->threads * longest - 1) / (p->threads * longest), blocks = rounds * p->threads;
    size_t rows = ((p->n + blocks - 1) / blocks + BLOCK_STEP - 1) / BLOCK_STEP * BLOCK_STEP;
    return rows < ENCODER_BLOCK_ROWS ? rows : ENCODER_BLOCK_ROWS;
}

static int each_block(const struct pass *p, size_t index, pass_part *part) {
    return each_part(p, index, p->n, block_rows(p), part);
}

/* Rows [row, row + n) of the operand times a matrix, into `y` (of four bytes each). */
static int multiply(const struct pass *p, const struct gemm *gemm, const struct operand *operand, size_t row, size_t n,
                    void *y, struct rows_in *ret) {
    return gemm_run(gemm, p->kit->gemm, operand_row(p, operand, row, gemm_in(gemm)),
                    (const float *)operand->scales.data + row, n, y, ret, p->err);
}

/* ---- runs of rows */

/* Rows of a block that are of one run. Begin with `run` the first, `row` the block's and `n` 0. */
struct part {
    const struct run *run;
    size_t row, n;
};

static bool next_part(struct part *part, size_t end) {
    part->row += part->n;
    if (part->row >= end)
        return false;
    while (part->run->end <= part->row)
        part->run++;
    part->n = (part->run->end < end ? part->run->end : end) - part->row;
    return true;
}

static struct rows_in rows_from(const struct rows_in *rows, size_t skip) {
    struct rows_in rest = *rows;
    rest.data = (const char *)rows->data + skip * rows->stride * (rows->type == ROWS_BF16 ? 2 : 4);
    if (rows->row_scale)
        rest.row_scale = rows->row_scale + skip;
    return rest;
}

/* What a part's adapter adds to the product of rows from `row` of `operand` on with a matrix: into `y`. */
static int add_factors(const struct pass *p, const struct part *part, const struct adapter_linear *linear,
                       const struct operand *operand, size_t row, float *y, size_t stride) {
    size_t cols = linear->first ? gemm_out(linear->first) : 0;
    struct rows_out out = { .type = ROWS_F32, .data = p->kit->first.data, .stride = cols };
    struct rows_in rows;
    bool direct = p->encoder->precision != PRECISION_INT8;
    int rc = 0;
    if (linear->first)
        rc =
            multiply(p, linear->first, operand, row, part->n, direct ? p->kit->first.data : p->kit->narrow.data, &rows);
    if (rc < 0)
        return rc;
    if (linear->first && !direct)
        kernel_convert(&rows, &out, part->n, cols);
    for (size_t i = 0; i < linear->n_parts; i++) {
        const struct adapter_part *a = &linear->parts[i];
        const struct low_rank product = { .x = (const float *)p->kit->first.data + a->from,
                                          .x_stride = cols,
                                          .factor = a->factor,
                                          .rank = a->rank,
                                          .bias = a->bias };
        kernel_add_low_rank(&product, y + a->column, stride, part->n, a->width);
    }
    return 0;
}

/*
 * `product` is what the base's matrix gave for a block that begins at `row`; `*ret` is the part's share of it, with
 * what its adapter adds. `operand` holds the block from row `from` on.
 */
static int take_part(const struct pass *p, const struct part *part, size_t index, enum linear linear,
                     const struct operand *operand, size_t from, size_t row, const struct rows_in *product,
                     struct rows_in *ret) {
    const struct adapter_linear *more = part->run->linears ? &part->run->linears[index][linear] : NULL;
    size_t skip = part->row - row, cols = product->stride;
    struct rows_out out = f32_out(&p->kit->sum, 0, cols);
    float *sums = f32_row(&p->kit->product, skip, cols);
    *ret = rows_from(product, skip);
    if (!more || more->n_parts == 0)
        return 0;
    if (product->type != ROWS_F32) {
        kernel_convert(ret, &out, part->n, cols);
        sums = out.data;
        *ret = f32_in(&p->kit->sum, 0, cols);
    }
    return add_factors(p, part, more, operand, from + skip, sums, cols);
}

/* ---- embeddings */

/*
 * From 0 in each sequence; RoBERTa's start behind its padding, and a padding token that somebody wrote stays at the
 * padding's place and is not counted.
 */
static void number_positions(const struct pass *p) {
    const struct encoder_config *config = &p->encoder->config;
    uint32_t *positions = p->work->positions.data;
    for (size_t s = 0; s < p->rows.n; s++) {
        uint32_t next = (uint32_t)config->position_first;
        for (size_t i = p->rows.starts[s]; i < p->rows.starts[s + 1]; i++) {
            bool padding = config->position_first > 0 && p->rows.ids[i] == config->pad_id;
            positions[i] = padding ? config->pad_id : next++;
        }
    }
}

static void widen_types(const struct pass *p) {
    uint32_t *types = p->work->types.data;
    for (size_t i = 0; i < p->n; i++)
        types[i] = p->rows.types ? p->rows.types[i] : 0;
}

/* Each patch as a token, and where it stands in the picture. */
static int embed_patches(const struct pass *p, size_t row, size_t n) {
    const struct encoder *encoder = p->encoder;
    size_t cols = encoder->config.hidden;
    const uint32_t *positions = (const uint32_t *)p->work->positions.data + row;
    const float *patches = p->asked->patches + row * encoder_patch_len(&encoder->config);
    float *hidden = f32_row(&p->work->hidden, row, cols);
    struct rows_in product; /* of f32: the rows as they are */
    int rc = gemm_run(encoder->patches, p->kit->gemm, patches, NULL, n, hidden, &product, p->err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        const struct rows_in place = { .type = ROWS_F32,
                                       .data = (const float *)encoder->embed.positions.data + positions[i] * cols,
                                       .stride = cols };
        kernel_add(&place, hidden + i * cols, cols, 1, cols);
    }
    return 0;
}

static void embed_part(const struct pass *p, const struct encoder *view, size_t row, size_t n) {
    struct encoder_work *work = p->work;
    size_t cols = view->config.hidden;
    const struct norm *norm = &view->embedding_norm;
    struct rows_in in = f32_in(&work->hidden, row, cols);
    struct rows_out out = f32_out(&work->hidden, row, cols), input = operand_out(p, &work->input, row, cols);
    if (!view->patches)
        kernel_embed(&view->embed, p->rows.ids + row, (const uint32_t *)work->positions.data + row,
                     (const uint32_t *)work->types.data + row, f32_row(&work->hidden, row, cols), cols, n, cols);
    if (norm->gamma)
        kernel_norm(norm, &in, NULL, 0, false, &out, NULL, n, cols);
    norm = &view->layers[0].norms[NORM_ATTENTION_IN];
    if (norm->gamma)
        kernel_norm(norm, &in, NULL, 0, false, &input, NULL, n, cols);
    else
        kernel_convert(&in, &input, n, cols);
}

static int embed_rows(const struct pass *p, size_t index, size_t row, size_t n) {
    struct part part = { p->runs, row, 0 };
    int rc = p->encoder->patches ? embed_patches(p, row, n) : 0;
    (void)index;
    while (rc == 0 && next_part(&part, row + n))
        embed_part(p, part.run->view, part.row, part.n);
    return rc;
}

int encoder_pass_embed(const struct pass *p) {
    number_positions(p);
    widen_types(p);
    return each_block(p, 0, embed_rows);
}

/* ---- attention */

static int project_rows(const struct pass *p, size_t index, size_t row, size_t n) {
    struct encoder_work *work = p->work;
    size_t cols = encoder_qkv_cols(&p->encoder->config);
    struct rows_out out = f32_out(&work->qkv, row, cols);
    struct rows_in rows;
    struct part part = { p->runs, row, 0 };
    int rc = multiply(p, p->encoder->layers[index].linears[LINEAR_QKV], &work->input, row, n, out.data, &rows);
    if (rc == 0 && rows.type != ROWS_F32)
        kernel_convert(&rows, &out, n, cols);
    while (rc == 0 && next_part(&part, row + n)) {
        if (part.run->linears)
            rc = add_factors(p, &part, &part.run->linears[index][LINEAR_QKV], &work->input, part.row,
                             f32_row(&work->qkv, part.row, cols), cols);
    }
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

static size_t sequence_of(const struct pass *p, size_t row) {
    size_t low = 0, high = p->rows.n;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (p->rows.starts[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Each token's queries and keys turn by its place in its sequence. */
static void turn(const struct pass *p, size_t index, size_t row, size_t n) {
    const struct encoder_config *config = &p->encoder->config;
    bool near = !config->layer_full[index] && config->window;
    const struct rope *rope = near ? p->encoder->rope_local : p->encoder->rope_full;
    size_t cols = encoder_qkv_cols(config), end = row + n;
    for (size_t s = sequence_of(p, row); row < end; s++) {
        size_t stop = p->rows.starts[s + 1] < end ? p->rows.starts[s + 1] : end;
        rope_apply(rope, row - p->rows.starts[s], f32_row(&p->work->qkv, row, cols), cols, stop - row,
                   config->heads + config->kv_heads);
        row = stop;
    }
}

struct attention encoder_attention(const struct encoder *view, size_t layer) {
    const struct encoder_config *config = &view->config;
    return (struct attention){
        .heads = config->heads,
        .kv_heads = config->kv_heads,
        .head_dim = config->head_dim,
        .scale = config->attention_scale,
        .causal = config->causal,
        .window = config->layer_full[layer] ? 0 : config->window,
        .relative = view->relative,
        .relative_reach = view->relative ? config->positions - 1 : 0,
        .narrow = view->precision == PRECISION_INT8 && config->family != ENCODER_DEBERTA,
    };
}

/* A row of bytes needs its greatest number first, which no head knows. */
static struct rows_out context_out(const struct pass *p) {
    size_t cols = encoder_context_cols(&p->encoder->config);
    if (p->encoder->precision == PRECISION_INT8)
        return f32_out(&p->work->context.data, 0, cols);
    return operand_out(p, &p->work->context, 0, cols);
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
        .out = context_out(p),
    };
}

struct attention_positions encoder_pass_distances(const struct pass *p, const struct encoder_layer *layer) {
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

/* The items of a run; `items` are those from it on, and the items behind it are returned. */
static const struct attention_item *attend_run(const struct pass *p, const struct run *run, size_t index,
                                               const struct attention_item *items, const struct attention_item *end) {
    const struct encoder_layer *layer = &run->view->layers[index];
    struct attention attention = encoder_attention(run->view, index);
    struct attention_rows rows = attention_rows_of(p);
    struct attention_positions distances = encoder_pass_distances(p, layer);
    if (layer->distance_keys || layer->distance_queries)
        attention.positions = &distances;
    for (; items < end && items->first < run->end; items++)
        attention_run(&attention, &rows, items, p->kit->attention.data);
    return items;
}

static int attend_items(const struct pass *p, size_t index, size_t from, size_t n) {
    const struct attention_item *items = (const struct attention_item *)p->work->items.data + from, *end = items + n;
    const struct run *run = p->runs;
    while (items < end) {
        while (items->first >= run->end)
            run++;
        items = attend_run(p, run, index, items, end);
    }
    return 0;
}

static int attend(const struct pass *p, size_t index) {
    size_t portions = p->threads == 1 ? 1 : p->threads * ITEMS_OF_THREAD;
    return each_part(p, index, p->n_items, (p->n_items + portions - 1) / portions, attend_items);
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

/* What attention made of rows [row, row + n), for a product: from row `*ret_row` of the operand on. */
static const struct operand *context_operand(const struct pass *p, size_t row, size_t n, size_t *ret_row) {
    size_t cols = encoder_context_cols(&p->encoder->config);
    struct rows_in in = f32_in(&p->work->context.data, row, cols);
    struct rows_out out = operand_out(p, &p->kit->operand, 0, cols);
    *ret_row = row;
    if (p->encoder->precision != PRECISION_INT8)
        return &p->work->context;
    *ret_row = 0;
    kernel_convert(&in, &out, n, cols);
    return &p->kit->operand;
}

static int attention_out_rows(const struct pass *p, size_t index, size_t row, size_t n) {
    struct encoder_work *work = p->work;
    size_t cols = p->encoder->config.hidden, from;
    const struct operand *context = context_operand(p, row, n, &from);
    struct rows_in product, branch;
    struct part part = { p->runs, row, 0 };
    int rc = multiply(p, p->encoder->layers[index].linears[LINEAR_ATTENTION_OUT], context, from, n,
                      p->kit->product.data, &product);
    while (rc == 0 && next_part(&part, row + n)) {
        const struct encoder_layer *layer = &part.run->view->layers[index];
        struct rows_out out = operand_out(p, &work->input, part.row, cols);
        rc = take_part(p, &part, index, LINEAR_ATTENTION_OUT, context, from, row, &product, &branch);
        if (rc == 0)
            join_rows(p, &layer->norms[NORM_ATTENTION_OUT], &layer->norms[NORM_MLP_IN], &branch, part.row, part.n,
                      &out);
    }
    return rc;
}

/* The branch joins the stream, and nothing reads it any more but the caller. */
static void end_rows(const struct pass *p, const struct norm *behind, const struct rows_in *branch, size_t row,
                     size_t n) {
    size_t cols = p->encoder->config.hidden;
    float *hidden = f32_row(&p->work->hidden, row, cols);
    if (behind->gamma)
        kernel_norm_into(behind, branch, hidden, cols, n, cols);
    else
        kernel_add(branch, hidden, cols, n, cols);
}

static void leave_layer(const struct pass *p, const struct part *part, size_t index, const struct rows_in *branch) {
    struct encoder_work *work = p->work;
    const struct encoder *view = part->run->view;
    const struct encoder_layer *layer = &view->layers[index];
    bool last = index + 1 == p->layers;
    size_t cols = view->config.hidden, row = part->row;
    struct rows_out input = operand_out(p, &work->input, row, cols), hidden = f32_out(&work->hidden, row, cols);
    const struct norm *before = last ? &view->final_norm : &layer[1].norms[NORM_ATTENTION_IN];
    if (p->encoder->names->post_norm)
        join_rows(p, &layer->norms[NORM_MLP_OUT], NULL, branch, row, part->n, last ? NULL : &input);
    else if (last && p->asked->no_final_norm)
        end_rows(p, &layer->norms[NORM_MLP_OUT], branch, row, part->n);
    else
        join_rows(p, &layer->norms[NORM_MLP_OUT], before, branch, row, part->n, last ? &hidden : &input);
}

static int mlp_in_rows(const struct pass *p, size_t index, size_t row, size_t n) {
    struct encoder_work *work = p->work;
    const struct encoder_config *config = &p->encoder->config;
    struct part part = { p->runs, row, 0 };
    struct rows_in product, rows;
    int rc = multiply(p, p->encoder->layers[index].linears[LINEAR_MLP_IN], &work->input, row, n, p->kit->product.data,
                      &product);
    while (rc == 0 && next_part(&part, row + n)) {
        struct rows_out operand = operand_out(p, &p->kit->operand, part.row - row, config->intermediate);
        rc = take_part(p, &part, index, LINEAR_MLP_IN, &work->input, row, row, &product, &rows);
        if (rc < 0)
            return rc;
        if (p->encoder->names->gated)
            kernel_activate_glu(config->activation, &rows, &operand, part.n, config->intermediate);
        else
            kernel_activate(config->activation, &rows, &operand, part.n, config->intermediate);
    }
    return rc;
}

static int mlp_out_rows(const struct pass *p, size_t index, size_t row, size_t n) {
    struct part part = { p->runs, row, 0 };
    struct rows_in product, branch;
    int rc = multiply(p, p->encoder->layers[index].linears[LINEAR_MLP_OUT], &p->kit->operand, 0, n,
                      p->kit->product.data, &product);
    while (rc == 0 && next_part(&part, row + n)) {
        rc = take_part(p, &part, index, LINEAR_MLP_OUT, &p->kit->operand, 0, row, &product, &branch);
        if (rc == 0)
            leave_layer(p, &part, index, &branch);
    }
    return rc;
}

/* ---- the layer */

static int block_before_attention(const struct pass *p, size_t index, size_t row, size_t n) {
    struct part part = { p->runs, row, 0 };
    int rc = project_rows(p, index, row, n);
    while (rc == 0 && next_part(&part, row + n))
        norm_heads(p, &part.run->view->layers[index], part.row, part.n);
    if (rc == 0 && p->encoder->names->rotary)
        turn(p, index, row, n);
    return rc;
}

static int block_behind_attention(const struct pass *p, size_t index, size_t row, size_t n) {
    int rc = attention_out_rows(p, index, row, n);
    if (rc == 0)
        rc = mlp_in_rows(p, index, row, n);
    return rc < 0 ? rc : mlp_out_rows(p, index, row, n);
}

int encoder_pass_layer(const struct pass *p, size_t index) {
    int rc = each_block(p, index, block_before_attention);
    if (rc == 0)
        rc = attend(p, index);
    return rc < 0 ? rc : each_block(p, index, block_behind_attention);
}
