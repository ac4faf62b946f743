/*
 * sentencepiece - a SentencePiece model file, and the normalisation that it carries.
 *
 * The file is a protocol buffer (ModelProto); the few fields that encoding needs are read by a reader of our own, which
 * takes any bytes. Ids and places are those of the SentencePiece library: a token's place ends where the next one's
 * begins, white space that was dropped included. Immutable once read: any thread.
 */
#ifndef VSR_TEXT_SENTENCEPIECE_H
#define VSR_TEXT_SENTENCEPIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "text/tokenizer_charsmap.h"
#include "text/tokenizer_trie.h"

struct arena;
struct token_text;
struct tokenizer_work;

struct sentencepiece {
    struct charsmap charsmap; /* n_units 0: none */
    bool add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces, whitespace_as_suffix;
    const struct token_trie *user_defined; /* kept as they are; NULL: none */
};

/* Replaces `*text` by its normal form in `work`. */
void sentencepiece_normalize(const struct sentencepiece *model, struct tokenizer_work *work, struct token_text *text);

#endif
