/*
 * tokenizer_wordpiece - the longest pieces of a vocabulary from left to right; a word that they do not cover is
 * unknown.
 *
 * Also word level: the whole word or unknown. Immutable once built: any thread.
 */
#ifndef VSR_TEXT_TOKENIZER_WORDPIECE_H
#define VSR_TEXT_TOKENIZER_WORDPIECE_H

#include <stddef.h>
#include <stdint.h>

#include "text/tokenizer_trie.h"

struct token_text;
struct tokenizer_work;

enum { WORDPIECE_CHARS_DEFAULT = 100 };

struct wordpiece {
    struct token_trie starts;    /* pieces that begin a word */
    struct token_trie continues; /* what stands behind the prefix `##` of the others */
    uint32_t unk;
    uint32_t chars_max; /* a longer word is unknown */
};

/* Appends the tokens of the word at bytes [start, end) of `text`. */
void wordpiece_encode(const struct wordpiece *model, struct tokenizer_work *work, const struct token_text *text,
                      size_t start, size_t end);

struct word_level {
    struct token_trie words;
    uint32_t unk; /* TOKEN_NONE: unknown words vanish */
};

void word_level_encode(const struct word_level *model, struct tokenizer_work *work, const struct token_text *text,
                       size_t start, size_t end);

#endif
