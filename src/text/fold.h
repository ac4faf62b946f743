/*
 * fold - texts with the case of their letters taken away.
 *
 * Two foldings that differ in a few letters (ſ, ς, the Kelvin sign): simple case folding, and plain lower-casing. Both
 * map one code point to one, keep letters letters, and so keep word boundaries where they are. Results live in the
 * arena, or are the text itself where nothing changes. Without memory the result has a NULL pointer. Invalid UTF-8
 * passes through byte by byte.
 */
#ifndef VSR_TEXT_FOLD_H
#define VSR_TEXT_FOLD_H

#include "core/str.h"

struct arena;

enum fold_kind { FOLD_CASE, FOLD_LOWER };

/* Folds all letters. */
vsr_str fold_text(struct arena *arena, vsr_str text, enum fold_kind kind);

/* Folds letters outside ASCII only, for comparisons that ignore the case of ASCII anyway. Returns `text` itself when
 * none changes. */
vsr_str fold_non_ascii(struct arena *arena, vsr_str text, enum fold_kind kind);

#endif
