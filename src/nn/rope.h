/*
 * rope - rotary positions: tables of cosines and sines, and turning queries and keys by them.
 *
 * One table per kind of rotation, shared by all layers and models that ask a library for the same. Tables grow in
 * chunks of positions when a longer text comes, and never shrink; what is there stays where it is, so readers take no
 * lock. Any thread.
 *
 * Angles are made as `transformers` makes them, in f32: theta^(2i/d) rounded, its inverse rounded, the product with the
 * position rounded; cosine and sine are of that rounded angle. More exact angles would be other angles: by 1e-3 at
 * position 32767.
 */
#ifndef VSR_NN_ROPE_H
#define VSR_NN_ROPE_H

#include <stddef.h>

#include "core/err.h"
#include "nn/encoder_config.h"

struct rope;         /* lives as long as its library */
struct rope_library; /* the tables of a process */

enum { ROPE_POSITIONS_MAX = 1 << 17, ROPE_HEAD_DIM_MAX = 1024 };

struct rope_library *rope_library_new(void);
/* NULL is allowed. */
void rope_library_free(struct rope_library *library);

/* VSR_E_INVALID: head_dim odd, 0 or past ROPE_HEAD_DIM_MAX. Holds no positions yet. */
int rope_get(struct rope_library *library, const struct rope_config *config, size_t head_dim, struct rope **ret,
             struct vsr_err *err) VSR_MUST_CHECK;

/* Makes positions 0 to n_positions - 1. VSR_E_LIMIT, VSR_E_NOMEM. Costs one comparison when they are there. */
int rope_reserve(struct rope *rope, size_t n_positions, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Turns `n_heads` heads, side by side from `data` on, in each of `n_rows` rows; row r is position `first` + r, which
 * has been reserved. In place, the half-split form: number i of a head pairs with number i + head_dim / 2.
 */
void rope_apply(const struct rope *rope, size_t first, float *data, size_t stride, size_t n_rows, size_t n_heads);

/* [head_dim / 2], for tests and for people. */
const float *rope_inverse_frequencies(const struct rope *rope);

#endif
