/*
 * token - the routing language's words, with their places.
 *
 * The lexer reads a whole text once, in linear time, and never fails: what is no token becomes an ERROR token and a
 * finding, and reading goes on behind it. Comments are no tokens; they are listed beside them, for the formatter.
 * Columns count code points, from 1. Any thread.
 */
#ifndef VSR_DSL_TOKEN_H
#define VSR_DSL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;
struct findings;

enum {
    DSL_BYTES_MAX = 8 << 20,
    DSL_TOKENS_MAX = 1 << 21, /* one for every four bytes; ordinary programs have one for eight */
};

/* A stretch of the text. Everything that the language keeps has one. */
struct dsl_at {
    uint32_t start, end; /* bytes [start, end) */
    uint32_t line, col;  /* of `start`, from 1 */
};

enum token_kind {
    TOKEN_END, /* always the last one; at the end of the text, of no length */
    TOKEN_IDENT,
    TOKEN_STRING,
    TOKEN_INT,
    TOKEN_FLOAT,
    TOKEN_ARROW,
    TOKEN_PUNCTUATION, /* one of { } ( ) [ ] : , > = */
    TOKEN_ERROR,       /* told already */
};

struct token {
    enum token_kind kind;
    char punctuation; /* PUNCTUATION: which one */
    struct dsl_at at;
    vsr_str text; /* IDENT, INT, FLOAT: as written; STRING: what it says, in the arena or the source */
};

struct comment {
    struct dsl_at at; /* from `#` to the end of the line, without blanks there and CR */
    uint32_t before;  /* index of the token that follows it */
    bool own_line;    /* nothing stands before it on its line */
};

struct tokens {
    struct token *items;
    size_t n, cap;
    struct comment *comments;
    size_t n_comments, comments_cap;
    bool doubtful; /* some string may never have been closed: tokens_read_doubting() reads otherwise */
    size_t work;   /* bytes looked at: linear in the text */
};

/*
 * Reads `source`, which is borrowed as long as the tokens live. Findings: E102 lexical, E103 invalid UTF-8, W104
 * unknown escape. A text of more than DSL_BYTES_MAX or DSL_TOKENS_MAX is one finding (E106) and no tokens but END.
 *
 * Numbers fit: an INT int64, a FLOAT double. An integer past 64 bits is an error, unless it is a double as canonical
 * text writes it (1000000000000000000000 for 1e21): that is a FLOAT. A string that never ends is an ERROR to the end of
 * its line.
 */
void tokens_read(struct arena *arena, vsr_str source, struct tokens *ret_tokens, struct findings *findings);

/*
 * The same for a text that has mistakes. A string may hold breaks, so one that was never closed goes on to where the
 * next one begins, and from there inside and outside are swapped. What gives it away is text right behind its closing
 * quote: such a string of several lines is here an ERROR to the end of its line.
 */
void tokens_read_doubting(struct arena *arena, vsr_str source, struct tokens *ret_tokens, struct findings *findings);

static inline bool token_is(const struct token *token, char punctuation) {
    return token->kind == TOKEN_PUNCTUATION && token->punctuation == punctuation;
}

static inline bool token_is_word(const struct token *token, vsr_str word) {
    return token->kind == TOKEN_IDENT && str_eq(token->text, word);
}

#endif
