/*
 * word_signs - which tokens a text has, whatever they mean: a sum of random signs.
 *
 *     r_t = +1 or -1 in each of K places: the bits of SplitMix64 of t * K/64 + word, the lowest first   [K]
 *     l   = sum b_i r_i, b_i = weight of token i                                                        [K]
 *
 * A mean of learned vectors takes a guitar for a flute. The cosine of two such sums is, but for noise of about 1 /
 * sqrt(K), that of the texts as weighted sets of tokens (random projections: Johnson and Lindenstrauss 1984, with
 * signs: Achlioptas 2003); the signs are computed, so they take no room. Immutable: any thread.
 */
#ifndef VSR_NN_WORD_SIGNS_H
#define VSR_NN_WORD_SIGNS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct mixer_file;

enum { WORD_SIGNS_DIMS_MAX = 1024 };

struct word_signs {
    const float *weight; /* [V] */
    size_t dims;         /* K, a multiple of 64; 0: there is none */
    float share;         /* of the square of the length of a vector that it is a part of */
};

/*
 * "signs.weight" [n_words] with the metadata "signs.dims" and "signs.percent"; none where there is no such tensor. The
 * weights lie in the file's arena. VSR_E_INVALID names the tensor or the metadata and what was expected.
 */
int word_signs_read(struct mixer_file *file, size_t n_words, struct word_signs *ret) VSR_MUST_CHECK;

/* l of the tokens `ids` [n], to `ret` [dims]. Without tokens: zeros. */
void word_signs_sum(const struct word_signs *signs, const uint32_t *ids, size_t n, float *ret);

#endif
