/*
 * prototypes - few vectors that stand for many examples, and how a text's vector fares beside them (signals.md §4.4).
 *
 * Arithmetic alone: no texts, no ownership. Products are summed in a fixed order, so every processor gives the same
 * numbers. Any thread.
 */
#ifndef VSR_SIGNAL_PROTOTYPES_H
#define VSR_SIGNAL_PROTOTYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_prototype_scoring;
struct similarity_scale;

/* The product of two vectors of `n` numbers. That of (a, b) is that of (b, a). */
float vector_dot(const float *a, const float *b, size_t n);

/* Brings a vector to length 1. False, and it is unchanged, when it is zero or not finite. */
bool vector_normalize(float *vector, size_t n);

/*
 * Chooses among `n` vectors of unit length, one after the other in `vectors`, and in the order that breaks ties: of
 * their texts. Groups of those that are alike, the biggest first, become their most central member; `max_prototypes` of
 * the biggest and closest groups stay. Writes their indexes to `ret_chosen`, room for `n`, and returns how many. Every
 * pair is compared once, and those of a group once more. `scale`, which may be NULL, says what cosines of the vectors
 * mean: `cluster_similarity_threshold` is a similarity as all thresholds are.
 */
size_t prototypes_choose(const float *vectors, size_t n, size_t dims, const struct similarity_scale *scale,
                         const struct config_prototype_scoring *scoring, uint32_t *ret_chosen);

struct prototypes_score {
    double score, best, support;
};

/* Of similarities, which it sorts: the greatest, the mean of the `top_m` greatest (0: all), and `best_weight` (within
 * [0, 1]) of one with the rest of the other. All 0 without any. */
struct prototypes_score prototypes_blend(float *similarities, size_t n, double best_weight, size_t top_m);

#endif
