/*
 * spelling - how values are spelled in canonical text (dsl.md §7.1): strings, names and numbers.
 *
 * What is printable is pinned to Unicode 15.0, so that canonical text does not move. Any thread.
 */
#ifndef VSR_DSL_SPELLING_H
#define VSR_DSL_SPELLING_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct buf;

/* Appends `text` (valid UTF-8) in quotes. */
void spell_string(struct buf *out, vsr_str text);
/* Bare where the whole of it is an identifier, else quoted. */
void spell_name(struct buf *out, vsr_str text);
/* The same for values, where `true`, `false` and `null` are no text. */
void spell_word(struct buf *out, vsr_str text);
bool spelling_is_identifier(vsr_str text);

/* Whether strings hold the code point as it is; the blank is the only space that they do. */
bool spelling_is_printable(uint32_t cp);

/* The fewest digits that read back to the same double, never with an exponent: 0.00001, 2, -0. Finite numbers only. */
void spell_number(struct buf *out, double value);

#endif
