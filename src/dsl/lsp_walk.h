/*
 * lsp_walk - which blocks are open at a place, also in a program that does not parse: it is being written.
 *
 * The words before the place are read by a small automaton. A keyword of a declaration at the start of a line closes
 * all blocks, so that a brace that is missing costs one declaration. Keeps language, document and tokens. Internal to
 * dsl/.
 */
#ifndef VSR_DSL_LSP_WALK_H
#define VSR_DSL_LSP_WALK_H

#include "dsl/lsp_parts.h"

enum lsp_frame_kind {
    LSP_FRAME_PROGRAM, /* declarations */
    LSP_FRAME_BODY,    /* of a route, a branch, a FOR */
    LSP_FRAME_TREE,
    LSP_FRAME_TEST,
    LSP_FRAME_FIELDS,  /* key: value, key = value */
    LSP_FRAME_LIST,    /* values of `field` */
    LSP_FRAME_GROUP,   /* parentheses of a condition */
    LSP_FRAME_LEAF,    /* parentheses of a signal */
    LSP_FRAME_MODELS,  /* brackets of a FOR */
    LSP_FRAME_UNKNOWN, /* no rule says what is in it */
};

enum lsp_field_state { LSP_STATE_KEY, LSP_STATE_COLON, LSP_STATE_VALUE };

struct lsp_frame {
    enum lsp_frame_kind kind;
    const struct token *opened;
    const struct token *head;     /* keyword of the item; NULL: a new one begins */
    const struct token *words[2]; /* behind it */
    size_t n_words;
    const struct token *last;
    bool operand; /* GROUP, and conditions of items: a signal comes next */
    bool listing; /* of models: one comes next */
    enum lsp_field_state state;
    const struct token *key;
    const struct language_block *block;
    const struct language_field *field;
    vsr_str type;             /* LEAF: of the signal; FIELDS: what the field `type` said */
    const struct token *decl; /* keyword of the declaration it is in */
};

enum { LSP_FRAMES_MAX = 2 * DSL_DEPTH_MAX + 8 };

struct lsp_walk {
    const struct language *language;
    const struct lsp_document *document;
    struct lsp_frame frames[LSP_FRAMES_MAX];
    size_t n;
    size_t lost;                /* frames above the last one that are not kept */
    const struct token *recipe; /* keyword of the recipe around it */
};

/* Of what stands before the place, one token after the other. */
void lsp_walk_init(struct lsp_walk *walk, const struct language *language, const struct lsp_document *document);
void lsp_walk_take(struct lsp_walk *walk, const struct token *token);

/* Whether it is a declaration at the start of a line, which closes whatever is open. */
bool lsp_walk_restarts(const struct lsp_walk *walk, const struct token *token);
/* The innermost block. */
struct lsp_frame *lsp_walk_top(struct lsp_walk *walk);
/* The file, or the recipe around the place. */
const struct dsl_program *lsp_walk_scope(const struct lsp_walk *walk);
/* What the token that stands there is, or, NULL, could be (lsp_context.c). */
void lsp_walk_context(struct lsp_walk *walk, const struct token *here, struct lsp_context *ret);
/* Behind the keyword; empty: not so many. */
vsr_str lsp_frame_word(const struct lsp_frame *frame, size_t i);

/* ---- words */

/* A `token` that is NULL is no word. */
bool lsp_is_word(const struct token *token, const char *word);
bool lsp_is_declaration(const struct token *token);
bool lsp_is_item(const struct token *token);
bool lsp_is_operator(const struct token *token);

#endif
