/*
 * words - a text as words, joined by single spaces, one code point per element.
 *
 * What stands between the words is forgotten, so a window of k consecutive words joined by single spaces is simply the
 * code points from the first one's start to the last one's end. Lives in the arena; read-only: any thread.
 */
#ifndef VSR_TEXT_WORDS_H
#define VSR_TEXT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum {
    WORDS_TEXT_LEN_MAX = 4 << 20, /* bytes; four of memory for each, and windows over all of it */
};

/* What a word is made of. */
enum words_kind {
    WORDS_PLAIN, /* letters and digits */
    WORDS_WIDE,  /* letters, digits, marks, `_` and `-` */
    WORDS_CJK,   /* CJK characters: one word is one run of them */
};

struct word {
    uint32_t start, end; /* code points [start, end) of `points` */
    uint32_t at;         /* where it begins in the text, in bytes */
};

struct words {
    uint32_t *points;
    size_t n_points;
    struct word *items;
    size_t n;
};

/* Letters are lower-cased with `lower`. Fails with VSR_E_LIMIT (the text is too long) or VSR_E_NOMEM. */
int words_split(struct arena *arena, vsr_str text, enum words_kind kind, bool lower, struct words *ret_words,
                struct vsr_err *err) VSR_MUST_CHECK;

#endif
