/*
 * pooling - learned queries that each look for something in the tokens of a text.
 *
 *     w = softmax over tokens i of query.x_i,   pooled = sum w_i x_i
 *
 * Any thread.
 */
#ifndef VSR_NN_POOLING_H
#define VSR_NN_POOLING_H

#include <stddef.h>

/*
 * Of `queries` [n_queries][width] over `rows` [n][width], to `ret` [n_queries][width]; zeros without rows. `scores`
 * [n_queries][n] is room; none of the four overlap.
 */
void pooling_run(const float *queries, size_t n_queries, const float *rows, size_t n, size_t width, float *scores,
                 float *ret);

#endif
