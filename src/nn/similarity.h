/*
 * similarity - what a cosine of a model's vectors means on the scale that thresholds are written for.
 *
 * Every embedder spreads its cosines in its own way: of one, unrelated texts have 0.6, of another 0.1. Policies are
 * written with thresholds of about 0.75 for "the same request in other words" and 0.5 for "may well be". A model whose
 * file says so has its cosines brought to that scale: by a line through points, which rises everywhere, so that no
 * order changes. Immutable: any thread.
 */
#ifndef VSR_NN_SIMILARITY_H
#define VSR_NN_SIMILARITY_H

#include <stddef.h>

#include "core/err.h"
#include "core/str.h"

enum { SIMILARITY_POINTS_MAX = 16 };

/* From -1 to 1 in both; before the first and behind the last point the line goes on to (-1, -1) and (1, 1). */
struct similarity_scale {
    size_t n; /* 0: cosines are as they are */
    double cosine[SIMILARITY_POINTS_MAX], similarity[SIMILARITY_POINTS_MAX];
};

/* "0.1:0.3 0.4:0.75": points by cosine, each COSINE:SIMILARITY. Empty: none. VSR_E_SYNTAX, VSR_E_INVALID, VSR_E_LIMIT.
 */
int similarity_scale_parse(vsr_str text, struct similarity_scale *ret, struct vsr_err *err) VSR_MUST_CHECK;

/* `scale` may be NULL. */
double similarity_of(const struct similarity_scale *scale, double cosine);
/* The cosine that has this similarity: the way back. */
double similarity_cosine(const struct similarity_scale *scale, double similarity);

#endif
