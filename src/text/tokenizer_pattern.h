/*
 * tokenizer_pattern - what texts are split at, found by scanners written by hand.
 *
 * Published tokenizers use few regular expressions. The large ones (GPT-2's, Qwen's and its kin) are recognised by
 * their exact text; the small ones are one character or class with a quantifier (` {2,}`, `\s+`, `[\r\n]`) and are read
 * by token_pattern_parse(). Anything else is an error that names the expression. No search goes back: each is one pass.
 * Immutable once made: any thread.
 */
#ifndef VSR_TEXT_TOKENIZER_PATTERN_H
#define VSR_TEXT_TOKENIZER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum {
    PATTERN_ITEMS_MAX = 64, /* members of a class in brackets */
};

enum token_pattern_kind {
    PATTERN_LITERAL, /* a string */
    PATTERN_RUN,     /* between `least` and `most` characters of a class */
    PATTERN_GPT2,
    PATTERN_QWEN,          /* `digits_max` number characters to a piece: 1 in Qwen, 3 in Llama 3 */
    PATTERN_WORD_OR_OTHER, /* \w+|[^\w\s]+ */
};

struct token_class {
    bool negated;
    bool space, word, digit;             /* \s, \w, \d */
    bool not_space, not_word, not_digit; /* \S, \W, \D */
    bool letter, number, punctuation;    /* \p{L}, \p{N}, \p{P} */
    bool bert_punctuation;               /* \p{P} and all of ASCII's symbols */
    size_t n_ranges;
    struct {
        uint32_t first, last;
    } ranges[PATTERN_ITEMS_MAX];
};

struct token_pattern {
    enum token_pattern_kind kind;
    vsr_str literal; /* not empty */
    struct token_class class;
    size_t least, most; /* least is at least 1 */
    size_t digits_max;
};

/* Reads a regular expression. VSR_E_INVALID names it. Keeps nothing of it. */
int token_pattern_parse(struct arena *arena, vsr_str expression, struct token_pattern *ret,
                        struct vsr_err *err) VSR_MUST_CHECK;

/* The first match at `from` or behind it in valid UTF-8; false when there is none. Matches are never empty. */
bool token_pattern_find(const struct token_pattern *pattern, vsr_str text, size_t from, size_t *ret_start,
                        size_t *ret_end);

bool token_class_has(const struct token_class *class, uint32_t cp);

/* \w: alphabetic, mark, decimal digit, connector or join control. */
bool token_is_word(uint32_t cp);
/* ASCII symbols and general category P. */
bool token_is_punctuation(uint32_t cp);

#endif
