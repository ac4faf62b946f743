/*
 * attention_walk - what every form of attention does alike: where an item's rows are, which keys its queries see, what
 * is fetched before it is needed, and parts of the scratch. How queries are cut into tiles is each form's own. For
 * attention.c, attention_body.h and attention_vnni.c alone.
 */
#ifndef VSR_NN_ATTENTION_WALK_H
#define VSR_NN_ATTENTION_WALK_H

#include "nn/attention_isa.h"

/*
 * What will be packed next: the next block's keys and values, or after the last block those of the next head, which
 * most likely is the next item. Rows lie far apart, which no processor foresees; asking for a few with each row of
 * scores hides the wait.
 */
struct attention_ahead {
    const float *k, *v, *q;
    size_t n_keys, n_queries, q_width;
    size_t step, n_steps;
};

struct attention_walk {
    const struct attention *attention;
    const struct attention_item *item;
    const float *q, *k, *v; /* first token of the sequence, first head of the group */
    size_t q_stride, k_stride, v_stride;
    size_t dim;
    size_t group;     /* query heads of this key head */
    size_t n_queries; /* per head */
    struct attention_ahead ahead;
};

static inline size_t attention_least(size_t a, size_t b) {
    return a < b ? a : b;
}

static inline size_t attention_most(size_t a, size_t b) {
    return a > b ? a : b;
}

static inline size_t attention_round_up(size_t n, size_t unit) {
    return (n + unit - 1) / unit * unit;
}

/* The next `len` bytes of the scratch, which start and end at a multiple of 64; with `base` NULL only counts. */
static inline void *attention_part(void *base, size_t *used, size_t len) {
    char *at = base ? (char *)base + *used : NULL;
    *used += attention_round_up(len, 64);
    return at;
}

static inline struct attention_walk attention_walk_of(const struct attention *attention,
                                                      const struct attention_rows *rows,
                                                      const struct attention_item *item) {
    size_t group = attention->heads / attention->kv_heads, dim = attention->head_dim;
    return (struct attention_walk){
        .attention = attention,
        .item = item,
        .q = rows->q + item->first * rows->q_stride + item->kv_head * group * dim,
        .k = rows->k + item->first * rows->k_stride + item->kv_head * dim,
        .v = rows->v + item->first * rows->v_stride + item->kv_head * dim,
        .q_stride = rows->q_stride,
        .k_stride = rows->k_stride,
        .v_stride = rows->v_stride,
        .dim = dim,
        .group = group,
        .n_queries = item->end - item->begin,
    };
}

/* Keys that queries `begin` to `end` of the sequence see, all of them or some. */
static inline void attention_visible(const struct attention_walk *w, size_t begin, size_t end, size_t *ret_low,
                                     size_t *ret_high) {
    size_t window = w->attention->window, length = w->item->length;
    *ret_low = window && begin > window ? begin - window : 0;
    if (w->attention->causal)
        *ret_high = end;
    else
        *ret_high = window ? attention_least(length, end + window) : length;
}

/* The block that ends at `end` is about to run, of keys `low` to `high`; blocks have at most `keys`. */
static inline void attention_plan(struct attention_walk *w, size_t end, size_t low, size_t high, size_t keys) {
    const struct attention_item *item = w->item;
    struct attention_ahead *ahead = &w->ahead;
    *ahead = (struct attention_ahead){ .n_steps = w->group * w->n_queries };
    if (end < high) {
        ahead->k = w->k + end * w->k_stride;
        ahead->v = w->v + end * w->v_stride;
        ahead->n_keys = attention_least(high - end, keys);
    } else if (item->kv_head + 1 < w->attention->kv_heads) {
        ahead->k = w->k + low * w->k_stride + w->dim;
        ahead->v = w->v + low * w->v_stride + w->dim;
        ahead->n_keys = attention_least(high - low, keys);
        ahead->q = w->q + item->begin * w->q_stride + w->group * w->dim;
        ahead->n_queries = w->n_queries;
        ahead->q_width = w->group * w->dim;
    }
}

static inline void attention_fetch_rows(const float *rows, size_t stride, size_t n, size_t width) {
    for (size_t r = 0; r < n; r++)
        for (size_t c = 0; c < width; c += 16)
            __builtin_prefetch(rows + r * stride + c, 0, 2);
}

/* Asks for what goes with `steps` rows of scores. */
static inline void attention_fetch(struct attention_walk *w, size_t steps) {
    struct attention_ahead *ahead = &w->ahead;
    size_t next = ahead->step + steps;
    size_t from = ahead->n_keys * ahead->step / ahead->n_steps, to = ahead->n_keys * next / ahead->n_steps;
    attention_fetch_rows(ahead->k + from * w->k_stride, w->k_stride, to - from, w->dim);
    attention_fetch_rows(ahead->v + from * w->v_stride, w->v_stride, to - from, w->dim);
    from = ahead->n_queries * ahead->step / ahead->n_steps;
    to = ahead->n_queries * next / ahead->n_steps;
    attention_fetch_rows(ahead->q + from * w->q_stride, w->q_stride, to - from, ahead->q_width);
    ahead->step = next;
}

#endif
