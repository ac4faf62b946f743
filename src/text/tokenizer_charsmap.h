/*
 * tokenizer_charsmap - SentencePiece's compiled normalisation rules: a double array of prefixes and a pool of
 * replacements.
 *
 * Comes from model files, so every index is checked on its way. Immutable: any thread.
 */
#ifndef VSR_TEXT_TOKENIZER_CHARSMAP_H
#define VSR_TEXT_TOKENIZER_CHARSMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

struct charsmap {
    const uint32_t *units;
    size_t n_units;
    vsr_str pool;          /* strings that end with NUL */
    bool ascii_plain[128]; /* the character begins no rule */
};

/* Copies `blob` into `arena`. VSR_E_INVALID when it is not one. */
int charsmap_read(struct arena *arena, vsr_str blob, struct charsmap *ret, struct vsr_err *err) VSR_MUST_CHECK;

/* The rule for the longest prefix of `text` that has one, or for the shortest. Returns the prefix's length, 0 without
 * one; it ends where a character does, and the replacement is valid UTF-8. */
size_t charsmap_longest(const struct charsmap *map, vsr_str text, vsr_str *ret_replacement);
size_t charsmap_shortest(const struct charsmap *map, vsr_str text, vsr_str *ret_replacement);

#endif
