/*
 * tensor_store - what several models of a runtime hold alike, kept once: packed matrices, and tables in f32.
 *
 * Classifiers that were tuned from one base share its frozen layers; an adapter that is folded in changes some layers
 * and leaves the others as they were. Each part of a model asks for what it needs through a holding, which is one user
 * of everything in it, however often it asked; what no holding has any more is freed. Equal is what is made of the same
 * numbers: they are compared in f32, as they are handed over, by a keyed hash (nn/tensor_hash.h). So a file in bf16 and
 * one in f32 with the same numbers share, and a matrix in two precisions is two things.
 *
 * Two threads that load the same at the same time make it once: the second waits for the first.
 *
 * A store is for any thread; a holding is filled by one thread and then read by any. Things are immutable.
 */
#ifndef VSR_NN_TENSOR_STORE_H
#define VSR_NN_TENSOR_STORE_H

#include <stddef.h>

#include "core/err.h"
#include "nn/precision.h"

struct gemm;
struct gemm_library;
struct pages;
struct tensor_holding;
struct tensor_store;

struct tensor_store_bytes {
    size_t held;   /* in memory */
    size_t spared; /* would be there too if every model had its own */
};

struct tensor_holding_bytes {
    size_t all;
    size_t shared; /* of these, with other holdings, now */
    size_t first;  /* of these, what no holding was asked about before, since tensor_store_recount() */
};

struct tensor_store *tensor_store_new(void);
/* After all holdings. NULL is allowed. */
void tensor_store_free(struct tensor_store *store);
struct tensor_store_bytes tensor_store_bytes(struct tensor_store *store);

/* What the holdings have that are asked about from now on adds up, in `first`, to what they have together. One counts
 * at a time: who asks meanwhile takes away from the sum. */
void tensor_store_recount(struct tensor_store *store);

/* Keeps `store`. */
struct tensor_holding *tensor_holding_new(struct tensor_store *store);
/* NULL is allowed. */
void tensor_holding_free(struct tensor_holding *holding);
struct tensor_holding_bytes tensor_holding_bytes(struct tensor_holding *holding);

/* As gemm_new(): packs unless it is there. `*ret` lives as long as the holding. */
int tensor_holding_gemm(struct tensor_holding *holding, struct gemm_library *library, const float *weights,
                        const float *bias, size_t out, size_t in, enum precision precision, const struct gemm **ret,
                        struct vsr_err *err) VSR_MUST_CHECK;

/* Takes `values` [rows][cols], and gives what is to be read instead; it lives as long as the holding. */
const float *tensor_holding_table(struct tensor_holding *holding, struct pages *values, size_t rows, size_t cols);

#endif
