/*
 * attention - softmax(q k' * scale + bias) v over sequences of different lengths, without padding.
 *
 * Tokens of all sequences lie one after the other; attention never crosses from one to the next, and what a query sees
 * is a range of keys: all, those within a window, those before it, or both. Only keys in range are touched. The softmax
 * is made block by block with a running maximum and sum, so that memory does not grow with the length.
 *
 * The work is cut into items (a sequence, a key head with its query heads, some queries); one call does one item, on
 * any thread, with scratch of its own. How a sequence is cut depends on its length alone, so its result is the same to
 * the bit beside any others and with any number of threads. Sums are in f32; where bytes were multiplied before and
 * the processor is fast at it, within blocks in integers (nn/attention_vnni.h).
 */
#ifndef VSR_NN_ATTENTION_H
#define VSR_NN_ATTENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/kernels.h"

enum {
    ATTENTION_HEAD_DIM_MAX = 512,
    ATTENTION_GROUP_MAX = 64, /* query heads that share a key head */
    ATTENTION_SLOTS_MAX = 4096,
};

/*
 * DeBERTa's terms: with s = slot(i - j), a query i and a key j add q_i . keys[s] + k_j . queries[s] before scaling.
 * Only without window, causality and shared key heads. inference.md section 18.2.
 */
struct attention_positions {
    size_t n_slots;       /* twice the span */
    const float *keys;    /* [n_slots][stride], head h from column h * head_dim on; NULL: no such term */
    const float *queries; /* the same */
    size_t stride;
    const int32_t *slot; /* slot(i - j) at [reach + (j - i)], never rising from one to the next, below n_slots */
    size_t reach;        /* at least the longest sequence - 1 */
};

struct attention {
    size_t heads, kv_heads; /* query head h uses key head h / (heads / kv_heads) */
    size_t head_dim;
    float scale; /* above 0 */
    bool causal;
    size_t window; /* 0: none; else |i - j| <= window */
    /* Added after scaling: [heads][2 * relative_reach + 1], at [relative_reach + (j - i)]; NULL: nothing. */
    const float *relative;
    size_t relative_reach;                       /* at least the longest sequence - 1 */
    const struct attention_positions *positions; /* NULL: none */
    bool narrow;                                 /* integers of 16 bits will do, where they are faster */
};

/* Row t is token t; strides in elements; head h from column h * head_dim on. `out` as in kernels.h, f32 or bf16. */
struct attention_rows {
    const float *q, *k, *v;
    size_t q_stride, k_stride, v_stride;
    struct rows_out out;
};

struct attention_item {
    uint32_t first, length; /* the sequence's tokens */
    uint32_t kv_head;
    uint32_t begin, end; /* queries, counted from the sequence's start */
};

/*
 * Cuts sequences into items, in order. Sequence s is tokens starts[s] to starts[s + 1]; empty ones have no items.
 * Returns how many there are; `items` NULL only counts. Depends on heads, kv_heads and whether integers are used:
 * layers of one shape share the items.
 */
size_t attention_items(const struct attention *attention, const uint32_t *starts, size_t n_sequences,
                       struct attention_item *items);

/* At most this many, whatever the sequences are: for allocating once. */
size_t attention_items_max(const struct attention *attention, size_t n_tokens, size_t n_sequences);

/* Of the scratch that one call needs, 64-byte aligned; does not depend on the lengths. */
size_t attention_scratch_len(const struct attention *attention);

void attention_run(const struct attention *attention, const struct attention_rows *rows,
                   const struct attention_item *item, void *scratch);

/* MPNet's buckets, as `relative`: `table` is [32][heads], `ret` [heads][2 * reach + 1]. inference.md section 4.3. */
void attention_relative_from_buckets(const float *table, size_t heads, size_t reach, float *ret);

/*
 * DeBERTa's slots: `ret` [2 * reach + 1]. `buckets` 0: distances are not bucketed. The number of slots is twice
 * `buckets`, or twice `positions` without buckets.
 */
void attention_slots(size_t buckets, size_t positions, size_t reach, int32_t *ret);

#endif
