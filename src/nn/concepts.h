/*
 * concepts - what kinds of things a text is taken for, as numbers that texts are compared by.
 *
 *     f   = [pools over x; m]                                       (nn/pooling.h; x and m: nn/mixer.h)
 *     p_g = softmax of group g of out(gelu(hidden(f)))              subjects, corners of them, kinds of requests, ...
 *     k   = axes [sqrt(p_1); sqrt(p_2); ...]                                                                     [K]
 *
 * A mean of word vectors says what a text speaks of; which of a thousand known kinds of requests it resembles says also
 * what is wanted (explicit semantic analysis: Gabrilovich and Markovitch 2007). The scalar product of two square roots
 * of distributions is their affinity (Bhattacharyya 1943); `axes` are the leading directions, about the origin, of what
 * training texts have of it, with what each group counts. A text costs the pools and about a million multiplications,
 * whatever its length. Immutable: any thread.
 */
#ifndef VSR_NN_CONCEPTS_H
#define VSR_NN_CONCEPTS_H

#include <stddef.h>

#include "core/err.h"
#include "nn/mixer_file.h"

enum {
    CONCEPTS_GROUPS_MAX = 16,  /* four are in use; each costs a softmax */
    CONCEPTS_QUERIES_MAX = 64, /* as of a head (MIXER_QUERIES_MAX) */
    CONCEPTS_DIMS_MAX = 1024,  /* as of signs: bounds a vector */
};

struct concepts {
    size_t dims;          /* D of the tokens; 0: there are no concepts */
    const float *queries; /* [n_queries][D] */
    size_t n_queries;
    struct mixer_linear hidden, out, axes;
    size_t groups[CONCEPTS_GROUPS_MAX], n_groups; /* how many classes each has; out.out together */
    float share;                                  /* what k has of the square of the length of v */
};

/*
 * Tensors "concepts.query", "concepts.hidden", "concepts.out" and "concepts.axes" with the metadata "concepts.groups"
 * ("14,60,700") and "concepts.percent", for tokens of `dims` numbers; none where there is no "concepts.query". They lie
 * in the file's arena. VSR_E_INVALID, VSR_E_NOT_FOUND and VSR_E_LIMIT name the tensor or the metadata and what was
 * expected.
 */
int concepts_read(struct mixer_file *file, size_t dims, struct concepts *ret) VSR_MUST_CHECK;

/* K; 0: there are none. */
size_t concepts_dims(const struct concepts *concepts);
/* Floats that concepts_of() works in for a text of `n` tokens. */
size_t concepts_room(const struct concepts *concepts, size_t n);

/* k of tokens `x` [n][D] with mean `m` [D], to `ret` [K], not of unit length; zeros without tokens. */
void concepts_of(const struct concepts *concepts, const float *x, size_t n, const float *m, float *room, float *ret);

#endif
