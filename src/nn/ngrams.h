/*
 * ngrams - the part of a classifier that looks at runs of one, two and more tokens, whatever they mean.
 *
 * A linear model over what stands in a text, beside the heads that read vectors (nn/mixer_head.h). A single token is
 * its own feature; longer runs share a table of buckets by a hash:
 *
 *     of tokens t_i..t_{i+k-1}:  h = t_i; for j = 1..k-1: h = h * 0x9E3779B97F4A7C15 + t_{i+j} * 0xC2B2AE3D27D4EB4F + j
 *     feature = pieces + ((h ^ h >> 29) * 0xBF58476D1CE4E5B9 >> 20) mod buckets        (all modulo 2^64)
 *
 * Tokens may be common: a run of these alone is no feature, because how people talk says nothing of some questions.
 * Each distinct feature of a text counts once; logits get scale[c] * sum of weight[f][c] / sqrt(how many there are).
 * The sum is of whole numbers, so it does not depend on any order. Only the first NGRAMS_TOKENS_MAX tokens count, as in
 * training.
 */
#ifndef VSR_NN_NGRAMS_H
#define VSR_NN_NGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct mixer_file;
struct pages;

enum { NGRAMS_TOKENS_MAX = 1024, NGRAMS_ORDERS_MAX = 4, NGRAMS_ROWS_MAX = 1 << 22 };

/* Which features there are: two heads that agree in this share one text's. */
struct ngram_space {
    size_t pieces, buckets, orders; /* orders: the longest run; 0: there is no such thing */
    const int8_t *common;           /* [pieces] 0 or 1, in the file; NULL: no token is */
};

struct ngrams {
    struct ngram_space space;
    size_t classes;
    const int8_t *weight; /* [pieces + buckets][classes], in the file */
    const float *scale;   /* [classes] */
};

/* "ngram.weight", "ngram.scale" and perhaps "ngram.common" of a file whose bytes are kept. VSR_E_INVALID,
 * VSR_E_NOT_FOUND, VSR_E_LIMIT. */
int ngrams_read(struct mixer_file *file, size_t pieces, size_t classes, struct ngrams *ret) VSR_MUST_CHECK;

/* The distinct features of a text, in the order of their first place. They live in `room`, until it is used again.
 * VSR_E_NOMEM. */
int ngrams_find(const struct ngram_space *space, const uint32_t *ids, size_t n, struct pages *room,
                const uint32_t **ret_features, size_t *ret_n, struct vsr_err *err) VSR_MUST_CHECK;

/* Adds to `logits` [classes]. */
void ngrams_add(const struct ngrams *ngrams, const uint32_t *features, size_t n, float *logits);

#endif
