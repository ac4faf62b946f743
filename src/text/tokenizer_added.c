#include "text/tokenizer_added.h"

#include "core/arena.h"
#include "text/tokenizer_pattern.h"
#include "text/tokenizer_work.h"
#include "text/unicode.h"

void added_matcher_build(struct added_matcher *matcher, struct arena *arena, const struct added_token *tokens, size_t n,
                         bool normalized) {
    struct trie_key *keys;
    size_t n_keys = 0;
    *matcher = (struct added_matcher){ .tokens = tokens, .empty = true, .only_special = true };
    keys = ARENA_ARRAY(arena, struct trie_key, n);
    for (size_t i = 0; i < n; i++) {
        if (tokens[i].normalized != normalized || tokens[i].content.len == 0)
            continue;
        keys[n_keys++] = (struct trie_key){ tokens[i].content, (uint32_t)i };
        matcher->begins[(uint8_t)tokens[i].content.ptr[0]] = true;
        matcher->only_special &= tokens[i].special;
        matcher->empty = false;
    }
    if (n_keys)
        token_trie_build(&matcher->trie, arena, keys, n_keys);
}

/* The longest token at `at` that may be found. */
static const struct added_token *longest(const struct added_matcher *matcher, const struct token_text *text, size_t at,
                                         bool special, size_t *ret_end) {
    const struct added_token *found = NULL;
    uint32_t node = TRIE_ROOT;
    for (size_t i = at; i < text->len; i++) {
        uint32_t value;
        node = token_trie_step(&matcher->trie, node, (uint8_t)text->ptr[i]);
        if (node == TOKEN_NONE)
            break;
        value = token_trie_value(&matcher->trie, node);
        if (value != TOKEN_NONE && (special || !matcher->tokens[value].special)) {
            found = &matcher->tokens[value];
            *ret_end = i + 1;
        }
    }
    return found;
}

static size_t char_before(const struct token_text *text, size_t pos, uint32_t *ret_cp) {
    size_t at = pos, next;
    do
        at--;
    while (((uint8_t)text->ptr[at] & 0xC0) == 0x80);
    next = at;
    *ret_cp = token_decode(text->ptr, &next);
    return at;
}

static bool is_in_word(const struct token_text *text, size_t start, size_t end) {
    uint32_t cp;
    if (start > 0 && (char_before(text, start, &cp), token_is_word(cp)))
        return true;
    return end < text->len && token_is_word(token_decode(text->ptr, &end));
}

static void widen(const struct added_token *token, const struct token_text *text, size_t taken,
                  struct added_match *match) {
    while (token->lstrip && match->start > taken) {
        uint32_t cp;
        size_t at = char_before(text, match->start, &cp);
        if (!unicode_is_space(cp))
            break;
        match->start = at;
    }
    while (token->rstrip && match->end < text->len) {
        size_t next = match->end;
        if (!unicode_is_space(token_decode(text->ptr, &next)))
            break;
        match->end = next;
    }
}

bool added_matcher_find(const struct added_matcher *matcher, const struct token_text *text, bool special, size_t taken,
                        size_t *pos, struct added_match *ret) {
    if (matcher->empty || (matcher->only_special && !special))
        return false;
    for (size_t at = *pos; at < text->len; at++) {
        const struct added_token *token;
        size_t end = 0;
        if (!matcher->begins[(uint8_t)text->ptr[at]])
            continue;
        token = longest(matcher, text, at, special, &end);
        if (!token)
            continue;
        if (token->single_word && is_in_word(text, at, end)) {
            at = end - 1;
            continue;
        }
        *ret = (struct added_match){ at, end, token->id };
        widen(token, text, taken, ret);
        *pos = end;
        return true;
    }
    return false;
}
