/*
 * long_text - what is done with a text of more tokens than a model takes at once.
 *
 *     truncate   its end is left out
 *     chunk      windows of equal length that overlap, each run by itself, and one answer made of theirs
 *     sample     a third of the room for its beginning, its middle and its end each; one run
 *
 * Template tokens, a prompt and the other text of a pair are in every window. One answer out of several is: of a
 * classifier the mean over the windows, each counting as much as it holds; or, when the caller says which classes are
 * a risk, the answer of the window where they weigh most, since harm in one place is harm. Of a tagger each token's
 * answer comes from the window where it is farthest from an edge; what is in all windows gets the mean, or with a risk
 * the answer of the window where it weighs least: a claim that one window supports is supported. Of an embedder the
 * mean, made to length 1 again. Pure functions: any thread.
 */
#ifndef VSR_MODEL_LONG_TEXT_H
#define VSR_MODEL_LONG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

#define LONG_TEXTS(X) X(TRUNCATE, "truncate") X(CHUNK, "chunk") X(SAMPLE, "sample")

enum long_text {
#define X(name, text) LONG_TEXT_##name,
    LONG_TEXTS(X)
#undef X
};

enum {
    LONG_TEXT_WINDOWS_MAX = 64, /* what is behind them is left out, and counted as dropped */
    LONG_TEXT_OVERLAP_MAX = 64, /* tokens that two neighbours share; a quarter of short windows */
};

bool long_text_named(vsr_str name, enum long_text *ret_long_text);

/* Tokens [from, from + n) of what is cut. */
struct long_window {
    size_t from, n;
};

/*
 * Windows of at most `room` tokens (more than 0) over `n`, in order; one when they fit. `*ret_covered` of the tokens
 * are in some window, which is all of them unless there are too many.
 */
size_t long_text_windows(size_t n, size_t room, struct long_window ret[static LONG_TEXT_WINDOWS_MAX],
                         size_t *ret_covered);

/* The window where token `at` is farthest from an edge that cuts text off; the first of equals. */
size_t long_text_nearest(const struct long_window *windows, size_t n, size_t at);

/* Writes to `ret` [width] the mean of `rows` [n][width], each counting as much as its window holds. */
void long_text_mean(const float *const *rows, const struct long_window *windows, size_t n, size_t width, float *ret);

/* The row in which the classes with `risk` [width] weigh most, or least; the first of equals. */
size_t long_text_extreme(const float *const *rows, size_t n, size_t width, const bool *risk, bool most);

#endif
