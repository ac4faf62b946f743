#include <string.h>

#include "core/assert.h"
#include "core/mem.h"
#include "nn/attention.h"
#include "nn/encoder_lanes.h"
#include "nn/encoder_model.h"
#include "nn/gemm.h"
#include "nn/pages.h"
#include "nn/rope.h"
#include "nn/runtime.h"
#include "nn/team.h"

/*
 * Rows go through everything between two attentions a block at a time, so that what one step writes is still in the
 * cache when the next one reads it.
 */
enum {
    BLOCK_ROWS = GEMM_ROWS_MAX,
    BLOCK_STEP = 16,      /* blocks are multiples of it: fewer rows make poor products */
    ITEMS_OF_THREAD = 16, /* attention is handed out in about so many portions for each thread: some take longer */
    ALIGN = 64,
};

/* Rows as the left side of a product, in the model's precision. */
struct operand {
    struct pages data, scales;
};

/* What a thread needs for a block of rows or an item of attention. */
struct kit {
    struct gemm_context *gemm;
    struct pages attention; /* scratch of one item */
    struct operand operand; /* the context as bytes, then what the activation made */
    struct pages product;   /* what a product left */
    struct pages sum;       /* the same in f32, where an adapter's product cannot be added to it */
    struct pages first;     /* what an adapter's first factor gave */
    struct pages narrow;    /* the same before it was made f32 */
};

struct encoder_work {
    struct nn_runtime *runtime;
    struct crew *crew;  /* whose threads run the next pass; NULL: the caller's alone */
    struct kit kit;     /* of the caller's thread; helpers have their own */
    struct pages items; /* of the batch: what attention is cut into */
    struct pages slots; /* DeBERTa: of distances up to slots_reach, as slots_buckets and slots_positions make them */
    size_t slots_reach;
    int64_t slots_buckets, slots_positions;
    struct pages hidden;    /* f32 [tokens][hidden]: the residual stream */
    struct operand input;   /* [tokens][hidden]: what the next projection reads */
    struct pages qkv;       /* f32 [tokens][qkv] */
    struct operand context; /* [tokens][heads * head_dim]: what attention made; f32 where the model's are bytes */
    struct pages positions; /* u32 [tokens] */
    struct pages types;     /* u32 [tokens] */
    /* Of a batch with adapters. */
    struct encoder_lanes lanes;
    struct pages runs;    /* struct run [sequences + 1] */
    struct pages answers; /* f32 [tokens][hidden]: what the lanes ended with, for each sequence */
};

/* Rows side by side that go through the layers as one model: the base, or one of its adapters. */
struct run {
    const struct encoder *view;                      /* norms and tables; matrices are the base's */
    const struct adapter_linear (*linears)[LINEARS]; /* what comes to the matrices' products; NULL: nothing */
    size_t row, end;
};

/* One pass. Each thread has a copy of it, with its own kit and error. */
struct pass {
    const struct encoder *encoder;
    struct encoder_work *work;
    struct kit *kit;
    const struct encoder_batch *asked;
    struct encoder_batch rows; /* what is computed: `asked`, or the lanes at this stage */
    const struct run *runs;
    struct run whole; /* the one run of a batch without adapters */
    size_t n;         /* tokens of `rows` */
    size_t layers, n_items;
    size_t attention_len; /* of scratch for an item */
    size_t first_max;     /* columns of the widest first factor of an adapter; 0: no adapters */
    size_t threads;       /* that there were for it last */
    struct vsr_err *err;
};

/* ---- work */

/* On the thread that will use it. */
static void kit_open(struct kit *kit, struct nn_runtime *runtime) {
    kit->gemm = gemm_context_new(runtime->gemm);
}

static void kit_close(struct kit *kit) {
    gemm_context_free(kit->gemm);
    pages_free(&kit->attention);
    pages_free(&kit->operand.data);
    pages_free(&kit->operand.scales);
    pages_free(&kit->product);
    pages_free(&kit->sum);
    pages_free(&kit->first);
    pages_free(&kit->narrow);
}

static void kit_free(void *kit) {
    kit_close(kit);
    mem_free(kit);
}

struct encoder_work *encoder_work_new(struct nn_runtime *runtime) {
    struct encoder_work *work = MEM_NEW(struct encoder_work);
    work->runtime = runtime;
    kit_open(&work->kit, runtime);
    return work;
}

void encoder_work_crew(struct encoder_work *work, struct crew *crew) {
    work->crew = crew;
}

void encoder_work_free(struct encoder_work *work) {
    if (!work)
        return;
    kit_close(&work->kit);
    pages_free(&work->items);
    pages_free(&work->slots);
    pages_free(&work->hidden);
    pages_free(&work->input.data);
    pages_free(&work->input.scales);
    pages_free(&work->qkv);
    pages_free(&work->context.data);
    pages_free(&work->context.scales);
    pages_free(&work->positions);
    pages_free(&work->types);
    encoder_lanes_done(&work->lanes);
    pages_free(&work->runs);
    pages_free(&work->answers);
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
    int rc = grow(&work->hidden, n, config->hidden, sizeof(float), err);
    if (rc == 0)
        rc = grow_operand(&work->input, n, config->hidden, err);
    if (rc == 0)
        rc = grow(&work->qkv, n, qkv, sizeof(float), err);
    if (rc == 0)
        rc = grow_operand(&work->context, n, context, err);
    if (rc == 0)
        rc = grow(&work->positions, n, 1, sizeof(uint32_t), err);
    if (rc == 0)
        rc = grow(&work->types, n, 1, sizeof(uint32_t), err);
    return rc;
}

/* What adapters need beside that; at most as many lanes as sequences. */
static int work_grow_adapters(struct encoder_work *work, const struct encoder *encoder,
                              const struct encoder_batch *batch, struct vsr_err *err) {
    int rc = grow(&work->runs, batch->n + 1, 1, sizeof(struct run), err);
    if (rc == 0 && !work->lanes.in_order)
        rc = grow(&work->answers, batch->starts[batch->n], encoder->config.hidden, sizeof(float), err);
    return rc;
}

/* For any block or item of the pass; a few comparisons when there is room. */
static int kit_grow(const struct pass *p, struct kit *kit) {
    const struct encoder_config *config = &p->encoder->config;
    size_t qkv = encoder_qkv_cols(config), context = encoder_context_cols(config), first = p->first_max;
    size_t wide = max_size(config->hidden, config->intermediate * (p->encoder->names->gated ? 2 : 1));
    bool sums_bytes = first > 0 && p->encoder->precision == PRECISION_INT8;
    int rc = pages_grow(&kit->attention, p->attention_len, p->err);
    if (rc == 0)
        rc = grow_operand(&kit->operand, BLOCK_ROWS, max_size(context, config->intermediate), p->err);
    if (rc == 0)
        rc = grow(&kit->product, BLOCK_ROWS, max_size(qkv, wide), sizeof(float), p->err);
    if (rc == 0 && first > 0)
        rc = grow(&kit->first, BLOCK_ROWS, first, sizeof(float), p->err);
    if (rc == 0 && sums_bytes)
        rc = grow(&kit->narrow, BLOCK_ROWS, first, sizeof(int32_t), p->err);
    if (rc == 0 && sums_bytes)
        rc = grow(&kit->sum, BLOCK_ROWS, wide, sizeof(float), p->err);
    return rc;
}

struct gemm_context *encoder_work_gemm(struct encoder_work *work) {
    return work->kit.gemm;
}

/* ---- threads */

/* What `member` of the crew works with. */
static int find_kit(const struct pass *p, size_t member, struct kit **ret) {
    struct crew_kit *slot;
    *ret = &p->work->kit;
    if (member > 0) {
        slot = crew_kit(p->work->crew, member);
        if (!slot->data) {
            slot->data = MEM_NEW(struct kit);
            slot->free = kit_free;
            kit_open(slot->data, p->work->runtime);
        }
        *ret = slot->data;
    }
    return kit_grow(p, *ret);
}

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
    rc = find_kit(&mine, member, &mine.kit);
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
    size_t longest = most + most / 4 < BLOCK_ROWS ? most + most / 4 : BLOCK_ROWS, share = p->threads * longest;
    size_t blocks = (p->n + share - 1) / share * p->threads, rows = (p->n + blocks - 1) / blocks;
    rows = (rows + BLOCK_STEP - 1) / BLOCK_STEP * BLOCK_STEP;
    return rows < BLOCK_ROWS ? rows : BLOCK_ROWS;
}

static int each_block(const struct pass *p, size_t index, pass_part *part) {
    return each_part(p, index, p->n, block_rows(p), part);
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
    return gemm_run(gemm, p->kit->gemm, operand_row(p, operand, row, gemm_in(gemm)),
                    (const float *)operand->scales.data + row, n, y, ret, p->err);
}

/* ---- what a batch may hold */

static int check_sequence(const struct pass *p, size_t s) {
    const struct encoder_config *config = &p->encoder->config;
    size_t n = p->asked->starts[s + 1] - p->asked->starts[s];
    if (p->encoder->embed.positions.data && n > config->positions)
        return err_set(p->err, VSR_E_LIMIT, "a sequence of %zu tokens, the model takes %zu", n, config->positions);
    return 0;
}

static int check_tokens(const struct pass *p) {
    const struct encoder_config *config = &p->encoder->config;
    for (size_t i = 0; i < p->asked->starts[p->asked->n]; i++)
        if (p->asked->ids[i] >= config->vocabulary)
            return err_set(p->err, VSR_E_LIMIT, "token %u, the vocabulary has %zu", p->asked->ids[i],
                           config->vocabulary);
    for (size_t i = 0; p->asked->types && p->encoder->embed.types.data && i < p->asked->starts[p->asked->n]; i++)
        if (p->asked->types[i] >= config->token_types)
            return err_set(p->err, VSR_E_LIMIT, "token type %u, the model has %zu", (unsigned)p->asked->types[i],
                           config->token_types);
    return 0;
}

static int check_adapter(const struct pass *p, size_t s) {
    const struct encoder_adapter *adapter = p->asked->adapters ? p->asked->adapters[s] : NULL;
    if (adapter && adapter->base != p->encoder)
        return err_set(p->err, VSR_E_INVALID, "sequence %zu has an adapter of another base", s);
    return 0;
}

/* Lengths; then the number of tokens is known. */
static int check_batch(const struct pass *p) {
    const struct encoder_batch *batch = p->asked;
    if (batch->n == 0 || batch->n > ENCODER_SEQUENCES_MAX || batch->starts[0] != 0)
        return err_set(p->err, VSR_E_LIMIT, "a batch is 1 to %d sequences", ENCODER_SEQUENCES_MAX);
    for (size_t s = 0; s < batch->n; s++) {
        int rc;
        if (batch->starts[s + 1] <= batch->starts[s] || batch->starts[s + 1] > ENCODER_BATCH_TOKENS_MAX)
            return err_set(p->err, VSR_E_LIMIT, "a sequence is not empty, and a batch at most %d tokens",
                           ENCODER_BATCH_TOKENS_MAX);
        rc = check_sequence(p, s);
        if (rc == 0)
            rc = check_adapter(p, s);
        if (rc < 0)
            return rc;
    }
    return 0;
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

static void embed_part(const struct pass *p, const struct encoder *view, size_t row, size_t n) {
    struct encoder_work *work = p->work;
    size_t cols = view->config.hidden;
    const struct norm *norm = &view->embedding_norm;
    struct rows_in in = f32_in(&work->hidden, row, cols);
    struct rows_out out = f32_out(&work->hidden, row, cols), input = operand_out(p, &work->input, row, cols);
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
    (void)index;
    while (next_part(&part, row + n))
        embed_part(p, part.run->view, part.row, part.n);
    return 0;
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
        .narrow = view->precision == PRECISION_INT8,
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

/* The items of a run; `items` are those from it on, and the items behind it are returned. */
static const struct attention_item *attend_run(const struct pass *p, const struct run *run, size_t index,
                                               const struct attention_item *items, const struct attention_item *end) {
    const struct encoder_layer *layer = &run->view->layers[index];
    struct attention attention = encoder_attention(run->view, index);
    struct attention_rows rows = attention_rows_of(p);
    struct attention_positions distances = distances_of(p, layer);
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

/* ---- the pass */

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

static int run_layer(const struct pass *p, size_t index) {
    int rc = each_block(p, index, block_before_attention);
    if (rc == 0)
        rc = attend(p, index);
    return rc < 0 ? rc : each_block(p, index, block_behind_attention);
}

/* ---- stages: which rows there are, and whose */

static const uint32_t *lane_starts(const struct pass *p) {
    return p->work->lanes.starts.data;
}

/* The stream, and what the next projection reads, as they are in the lane that it copies. */
static void copy_lane(const struct pass *p, size_t lane) {
    struct encoder_work *work = p->work;
    const uint32_t *starts = lane_starts(p);
    size_t cols = p->encoder->config.hidden, n = starts[lane + 1] - starts[lane], to = starts[lane];
    size_t from = starts[encoder_lane(&work->lanes, lane)->origin];
    float *scales = work->input.scales.data;
    memcpy(f32_row(&work->hidden, to, cols), f32_row(&work->hidden, from, cols), n * cols * sizeof(float));
    memcpy(operand_row(p, &work->input, to, cols), operand_row(p, &work->input, from, cols),
           n * cols * operand_len(p->encoder->precision));
    memcpy(scales + to, scales + from, n * sizeof(*scales));
}

static void find_runs(const struct pass *p, size_t stage) {
    const uint32_t *starts = lane_starts(p);
    struct run *runs = p->work->runs.data;
    const struct encoder_adapter *last = NULL;
    size_t n = 0;
    for (size_t i = 0; i < p->rows.n; i++) {
        const struct encoder_lane *lane = encoder_lane(&p->work->lanes, i);
        const struct encoder_adapter *adapter = lane->stage <= stage ? lane->adapter : NULL;
        if (n > 0 && adapter == last) {
            runs[n - 1].end = starts[i + 1];
            continue;
        }
        runs[n++] = (struct run){ .view = adapter ? &adapter->view : p->encoder,
                                  .linears = adapter ? adapter->linears : NULL,
                                  .row = starts[i],
                                  .end = starts[i + 1] };
        last = adapter;
    }
}

static void enter_stage(struct pass *p, size_t stage) {
    size_t before = p->rows.n;
    const struct attention attention = encoder_attention(p->encoder, 0);
    if (!p->asked->adapters)
        return;
    p->rows = encoder_lanes_batch(&p->work->lanes, encoder_lanes_alive(&p->work->lanes, stage));
    p->n = p->rows.starts[p->rows.n];
    for (size_t i = before; stage > 0 && i < p->rows.n; i++)
        copy_lane(p, i);
    p->n_items = attention_items(&attention, p->rows.starts, p->rows.n, NULL); /* the first ones of all */
    find_runs(p, stage);
}

/* All lanes, so that room is made for them. */
static int prepare_lanes(struct pass *p) {
    struct encoder_work *work = p->work;
    int rc;
    p->rows = *p->asked;
    p->whole = (struct run){ .view = p->encoder, .row = 0, .end = p->rows.starts[p->rows.n] };
    p->runs = &p->whole;
    p->n = p->whole.end;
    if (!p->asked->adapters)
        return 0;
    for (size_t s = 0; s < p->asked->n; s++)
        p->first_max = max_size(p->first_max, p->asked->adapters[s] ? p->asked->adapters[s]->first_max : 0);
    rc = encoder_lanes_plan(&work->lanes, p->asked, p->layers, p->err);
    if (rc == 0)
        rc = work_grow_adapters(work, p->encoder, p->asked, p->err);
    if (rc < 0)
        return rc;
    p->rows = encoder_lanes_batch(&work->lanes, work->lanes.n);
    p->runs = work->runs.data;
    p->n = p->rows.starts[p->rows.n];
    return 0;
}

/* For each sequence what its lane ended with. */
static const float *collect(const struct pass *p) {
    struct encoder_work *work = p->work;
    const uint32_t *lane_of = work->lanes.of.data;
    size_t cols = p->encoder->config.hidden;
    if (!p->asked->adapters || work->lanes.in_order)
        return work->hidden.data;
    for (size_t s = 0; s < p->asked->n; s++) {
        size_t first = p->asked->starts[s], n = p->asked->starts[s + 1] - first;
        memcpy(f32_row(&work->answers, first, cols), f32_row(&work->hidden, lane_starts(p)[lane_of[s]], cols),
               n * cols * sizeof(float));
    }
    return work->answers.data;
}

/* ---- the whole */

static size_t longest_sequence(const struct pass *p) {
    size_t longest = 0;
    for (size_t s = 0; s < p->rows.n; s++)
        longest = max_size(longest, p->rows.starts[s + 1] - p->rows.starts[s]);
    return longest;
}

static int prepare_ropes(const struct pass *p) {
    const struct encoder *encoder = p->encoder;
    size_t longest = longest_sequence(p);
    int rc = encoder->names->rotary ? rope_reserve(encoder->rope_full, longest, p->err) : 0;
    return rc == 0 && encoder->names->rotary && encoder->rope_local ? rope_reserve(encoder->rope_local, longest, p->err)
                                                                    : rc;
}

/* Slots of all distances in the batch; kept for the next one. */
static int prepare_slots(const struct pass *p) {
    const struct deberta_config *deberta = &p->encoder->config.deberta;
    struct encoder_work *work = p->work;
    size_t longest = longest_sequence(p);
    int rc;
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
    struct attention attention = encoder_attention(p->encoder, 0);
    struct encoder_work *work = p->work;
    int rc;
    if (distances.keys || distances.queries)
        attention.positions = &distances;
    p->attention_len = attention_scratch_len(&attention);
    p->n_items = attention_items(&attention, p->rows.starts, p->rows.n, NULL);
    rc = pages_grow(&work->items, p->n_items * sizeof(struct attention_item), p->err);
    if (rc < 0)
        return rc;
    (void)attention_items(&attention, p->rows.starts, p->rows.n, work->items.data); /* as many as just counted */
    return p->encoder->config.family == ENCODER_DEBERTA ? prepare_slots(p) : 0;
}

static int run(struct pass *p) {
    int rc;
    enter_stage(p, 0);
    number_positions(p);
    widen_types(p);
    p->threads = crew_gather(p->work->crew);
    rc = each_block(p, 0, embed_rows);
    for (size_t i = 0; i < p->layers && rc == 0; i++) {
        enter_stage(p, 1 + i);
        p->threads = crew_gather(p->work->crew);
        rc = run_layer(p, i);
    }
    return rc;
}

int encoder_forward(const struct encoder *encoder, struct encoder_work *work, const struct encoder_batch *batch,
                    size_t layers, const float **ret_hidden, struct vsr_err *err) {
    struct pass pass = { .encoder = encoder, .work = work, .asked = batch, .layers = layers, .err = err };
    int rc;
    if (layers > encoder->config.layers)
        return err_set(err, VSR_E_LIMIT, "layer %zu, the model has %zu", layers, encoder->config.layers);
    if (layers == 0)
        pass.layers = encoder->config.layers;
    rc = check_batch(&pass);
    if (rc == 0)
        rc = check_tokens(&pass);
    if (rc == 0)
        rc = prepare_lanes(&pass);
    if (rc == 0)
        rc = work_grow(work, encoder, pass.n, err);
    if (rc == 0)
        rc = prepare_ropes(&pass);
    if (rc == 0)
        rc = prepare_attention(&pass);
    if (rc == 0)
        rc = run(&pass);
    if (rc == 0)
        *ret_hidden = collect(&pass);
    return rc;
}
