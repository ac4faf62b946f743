#include <string.h>

#include "nn/encoder_pass.h"
#include "nn/rope.h"

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
    if ((config->patch_side > 0) != (p->asked->patches != NULL))
        return err_set(p->err, VSR_E_INVALID, "the model reads %s", config->patch_side ? "patches" : "words");
    if (p->asked->patches)
        return p->asked->adapters ? err_set(p->err, VSR_E_INVALID, "models of patches have no adapters") : 0;
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

/* ---- stages */

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

void encoder_pass_enter(struct pass *p, size_t stage) {
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

const float *encoder_pass_answers(const struct pass *p) {
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

/* ---- room */

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
        if (p->asked->adapters[s] && p->asked->adapters[s]->first_max > p->room.first_max)
            p->room.first_max = p->asked->adapters[s]->first_max;
    rc = encoder_lanes_plan(&work->lanes, p->asked, p->layers, p->err);
    if (rc == 0)
        rc = encoder_work_grow_adapters(work, p->encoder, p->asked, p->err);
    if (rc < 0)
        return rc;
    p->rows = encoder_lanes_batch(&work->lanes, work->lanes.n);
    p->runs = work->runs.data;
    p->n = p->rows.starts[p->rows.n];
    return 0;
}

static size_t longest_sequence(const struct pass *p) {
    size_t longest = 0;
    for (size_t s = 0; s < p->rows.n; s++) {
        size_t length = p->rows.starts[s + 1] - p->rows.starts[s];
        longest = length > longest ? length : longest;
    }
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
    const struct attention_positions distances = encoder_pass_distances(p, &p->encoder->layers[0]);
    struct attention attention = encoder_attention(p->encoder, 0);
    struct encoder_work *work = p->work;
    int rc;
    if (distances.keys || distances.queries)
        attention.positions = &distances;
    p->room.attention_len = attention_scratch_len(&attention);
    p->n_items = attention_items(&attention, p->rows.starts, p->rows.n, NULL);
    rc = pages_grow(&work->items, p->n_items * sizeof(struct attention_item), p->err);
    if (rc < 0)
        return rc;
    (void)attention_items(&attention, p->rows.starts, p->rows.n, work->items.data); /* as many as just counted */
    return p->encoder->config.family == ENCODER_DEBERTA ? prepare_slots(p) : 0;
}

int encoder_pass_prepare(struct pass *p) {
    int rc = check_batch(p);
    if (rc == 0)
        rc = check_tokens(p);
    if (rc == 0)
        rc = prepare_lanes(p);
    if (rc == 0)
        rc = encoder_work_grow(p->work, p->encoder, p->n, p->err);
    if (rc == 0)
        rc = prepare_ropes(p);
    return rc < 0 ? rc : prepare_attention(p);
}
