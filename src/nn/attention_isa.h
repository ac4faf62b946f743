/*
 * attention_isa - the part of attention that is compiled once for each level of cpu.h. For attention.c alone.
 */
#ifndef VSR_NN_ATTENTION_ISA_H
#define VSR_NN_ATTENTION_ISA_H

#include "nn/attention.h"

enum {
    ATTENTION_QUERIES = 128, /* query rows of an item, over all heads that share a key head */
    ATTENTION_KEYS = 128,    /* keys in a block of the running softmax */
    /* Sizes of the scratch that hold for every level: its tiles are at most this many rows, its panels this wide. */
    ATTENTION_TILE_MAX = 16,
    ATTENTION_PANEL_MAX = 32,
    /* Rows of the two position arrays are this much longer, lest they fall on the same lines of the cache. */
    ATTENTION_SLOTS_PAD = 48,
};

/* Parts of the scratch, all 64-byte aligned. */
struct attention_scratch {
    float *q;            /* [head][tile][head_dim][TILE]: queries as the left side of a product */
    float *k;            /* [panel][head_dim][PANEL]: keys as its right side */
    float *v;            /* [panel][KEYS][PANEL]: values, columns in panels */
    float *scores;       /* [TILE][KEYS] */
    float *sums;         /* [head][query][head_dim rounded up]: unscaled results */
    float *top, *weight; /* [head][query]: greatest score so far; sum of the exponentials */
    /* With positions only. */
    float *slot_panels; /* [panel][head_dim][PANEL] */
    float *query_slots; /* [query][n_slots + pad]: q . keys */
    float *key_slots;   /* [key of the block][n_slots + pad]: k . queries */
    float *key_tile;    /* [head_dim][TILE] */
};

typedef void attention_isa_run(const struct attention *attention, const struct attention_rows *rows,
                               const struct attention_item *item, const struct attention_scratch *scratch);

attention_isa_run attention_portable;
#if defined(__x86_64__)
attention_isa_run attention_avx2;
attention_isa_run attention_avx512;
#endif

#endif
