/*
 * tokens - a text as the words that BM25 compares (signals.md §9.1), before stop words and stemming.
 *
 * Case-folded; Latin letters without diacritics (é e, ø o, ł l, ß ss, æ ae, œ oe, ﬁ fi); maximal runs of letters and
 * digits, in which marks stay and from which an apostrophe between two letters is dropped. CJK characters form runs of
 * their own: a single one is a token, a longer run is its overlapping pairs.
 *
 *     struct tokens tokens;
 *     tokens_init(&tokens, text);
 *     while (tokens_next(&tokens)) { ... tokens.token ... }
 *
 * Allocates nothing. Any thread.
 */
#ifndef VSR_TEXT_TOKENS_H
#define VSR_TEXT_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum { TOKEN_LEN_MAX = 256 }; /* bytes; of longer words the rest is not compared */

struct tokens {
    vsr_str text;
    size_t pos;
    vsr_str token; /* the current one: in `room`, or in the text where it stands there as it is */
    bool plain;    /* it holds nothing but a-z */
    bool paired;   /* CJK: the current one was a pair, and `pos` is at its second character */
    char room[TOKEN_LEN_MAX];
};

/* Keeps `text`. */
void tokens_init(struct tokens *tokens, vsr_str text);

/* Moves to the next token; false at the end. The token is valid until the next call. */
bool tokens_next(struct tokens *tokens);

#endif
