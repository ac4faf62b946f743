/*
 * tokenizer_added - the added tokens of a tokenizer: found in a text before, and after, it is normalised.
 *
 * Of the tokens that begin at a place the longest counts, and the leftmost place first. Special ones are found only
 * where the caller says that they are meant. A trie walk from each place where one may begin; contents are short.
 * Immutable once built: any thread.
 */
#ifndef VSR_TEXT_TOKENIZER_ADDED_H
#define VSR_TEXT_TOKENIZER_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "text/tokenizer_trie.h"

struct arena;
struct token_text;

enum {
    ADDED_TOKENS_MAX = 65536,
    ADDED_CONTENT_LEN_MAX = 512, /* bounds what a place in a text costs */
};

struct added_token {
    uint32_t id;
    vsr_str content; /* what is looked for; never empty */
    bool single_word, lstrip, rstrip, normalized, special;
};

struct added_matcher {
    const struct added_token *tokens;
    struct token_trie trie; /* value: index of a token */
    bool begins[256];       /* some token begins with this byte */
    bool empty, only_special;
};

struct added_match {
    size_t start, end; /* with the white space that the token takes along */
    uint32_t id;
};

/* Over those of `tokens`, which it keeps, whose `normalized` is as given. */
void added_matcher_build(struct added_matcher *matcher, struct arena *arena, const struct added_token *tokens, size_t n,
                         bool normalized);

/*
 * The first match at `*pos` or behind it; what an earlier one took ends at `taken`. Moves `*pos` to where the search
 * goes on, which is the end of the token's own text: white space that a token takes along may be a token too. False
 * when there is none.
 */
bool added_matcher_find(const struct added_matcher *matcher, const struct token_text *text, bool special, size_t taken,
                        size_t *pos, struct added_match *ret);

#endif
