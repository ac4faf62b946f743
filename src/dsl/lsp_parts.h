/*
 * lsp_parts - what the files of the language server share. Internal to dsl/.
 */
#ifndef VSR_DSL_LSP_PARTS_H
#define VSR_DSL_LSP_PARTS_H

#include "core/json.h"
#include "core/json_write.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/lsp.h"
#include "dsl/parse.h"
#include "dsl/prove.h"

/* ---- documents (lsp_document.c) */

enum lsp_encoding { LSP_UTF16, LSP_UTF8, LSP_UTF32 };

/* A byte and where the editor sees it, from 0. */
struct lsp_place {
    uint32_t byte, line, character;
};

struct lsp_document {
    char *uri; /* NUL-terminated */
    size_t uri_len;
    int64_t version;
    bool has_version;
    char *text; /* UTF-8 */
    size_t len;
    bool unsettled; /* its findings are not published yet */

    /* Of the text as it is; NULL arena: not looked at yet. */
    struct arena *arena;
    enum lsp_encoding encoding;
    uint32_t *lines; /* where each begins */
    size_t n_lines;
    struct lsp_place last; /* found last: places are mostly asked for in order */
    struct dsl_parsed parsed;
    struct findings findings;
    bool has_syntax_errors;
    struct yaml_node *compiled;

    bool proved; /* or it was given up */
    struct findings proofs;
};

static inline vsr_str lsp_text(const struct lsp_document *document) {
    return str_make(document->text, document->len);
}

struct lsp_documents {
    struct lsp_document *items[LSP_DOCUMENTS_MAX];
    size_t n;
    size_t len; /* of all texts */
};

/* NULL: none of that name. */
struct lsp_document *lsp_document_find(const struct lsp_documents *documents, vsr_str uri);
/* Opens it, or gives it another text. NULL: too many, too much, or no memory. */
struct lsp_document *lsp_document_open(struct lsp_documents *documents, vsr_str uri, vsr_str text);
void lsp_document_close(struct lsp_documents *documents, struct lsp_document *document);
/* Replaces bytes [start, end). False: too much, or no memory; the text is as it was. */
bool lsp_document_edit(struct lsp_documents *documents, struct lsp_document *document, size_t start, size_t end,
                       vsr_str text);

/* Parses and checks, unless that was done. `base`: NULL: none. */
void lsp_document_look(struct lsp_document *document, const struct language *language, const struct yaml_node *base);
/* What was found out does not hold any more. */
void lsp_document_forget(struct lsp_document *document);
/* Of a document that was looked at: fills `proofs`; nothing for programs that cannot be proved as they are. */
void lsp_document_prove(struct lsp_document *document, const struct language *language, const struct yaml_node *base,
                        const struct prove_options *options);

/* Places outside of the text are moved to the nearest one inside. */
uint32_t lsp_byte_of(struct lsp_document *document, enum lsp_encoding encoding, uint64_t line, uint64_t character);
struct lsp_place lsp_place_of(struct lsp_document *document, enum lsp_encoding encoding, uint32_t byte);

/* ---- where one stands (lsp_context.c) */

/* What a word is, or what could be written. */
enum lsp_role {
    ROLE_NONE,
    ROLE_DECLARATION, /* keyword of a declaration */
    ROLE_ITEM,        /* keyword in a route or branch */
    ROLE_BRANCH,      /* IF, ELSE */
    ROLE_OPERATOR,    /* AND, OR behind a condition */
    ROLE_PROJECTION,  /* partition, score, mapping */
    ROLE_NAME,        /* name of what is being declared */
    ROLE_SIGNAL_TYPE, /* in a declaration */
    ROLE_CONDITION,   /* type of a signal in a condition */
    ROLE_SIGNAL,      /* name of a signal of type `type`; without one: of any */
    ROLE_MODEL,
    ROLE_ALGORITHM,
    ROLE_PLUGIN_TYPE,
    ROLE_PLUGIN, /* template or type */
    ROLE_EMIT,
    ROLE_FIELD, /* name of a field of `block` */
    ROLE_VALUE, /* of `field` */
    ROLE_SCORE,
    ROLE_ROUTE,
    ROLE_RECIPE,
};

struct lsp_context {
    enum lsp_role role;
    const struct dsl_program *program;  /* the scope: the file, or the recipe around it */
    bool in_recipe;                     /* what a recipe cannot have is not offered */
    bool in_branch;                     /* of a decision tree */
    vsr_str type;                       /* SIGNAL */
    const struct language_block *block; /* FIELD; NULL: any name */
    const struct language_field *field; /* VALUE; NULL: nothing is known */
    const struct token *opened;         /* FIELD: what opened the block */
    bool option;                        /* FIELD: `=` stands behind it */
    bool strategy;                      /* FIELD: of a recipe, which has two options */
};

/*
 * What the token at index `n` is, or, where `tokens` ends there, could be. `document`: whose scopes count. Linear in
 * the tokens before.
 */
void lsp_context_at(const struct lsp_document *document, const struct language *language, const struct tokens *tokens,
                    size_t n, struct lsp_context *ret);

/* The token that stands at the byte, or ends there; its index, or n of the tokens. */
size_t lsp_token_at(const struct tokens *tokens, uint32_t byte);

/* ---- names (lsp_names.c) */

struct lsp_declared {
    const struct dsl_decl *decl; /* NULL: nothing was found */
    struct dsl_at name;          /* of the name */
    struct dsl_at whole;
};

/* What the word `name` in that context means. */
struct lsp_declared lsp_declared(const struct lsp_document *document, const struct lsp_context *context, vsr_str name);

/* The outputs of a mapping. */
const struct dsl_value *lsp_outputs(const struct dsl_decl *mapping, size_t *ret_n);
/* The text of the field `name`, NULL: none. */
const struct dsl_value *lsp_output_name(const struct dsl_value *output);

/* All keywords of a role that stand where `context` says, for completion; NULL-terminated. */
const char *const *lsp_keywords(const struct lsp_context *context);

/* ---- answers */

struct lsp_query {
    struct arena *arena; /* for this message only */
    const struct language *language;
    const struct yaml_node *base;  /* NULL: none is known */
    struct lsp_document *document; /* looked at */
    enum lsp_encoding encoding;
    bool plain;         /* the editor shows no Markdown */
    uint32_t byte, end; /* the place, or the stretch, that was asked about */
    struct json_writer *w;
};

/* The member "range". */
void lsp_write_range_member(struct lsp_query *query, const char *name, uint32_t start, uint32_t end);
/* A whole TextEdit. */
void lsp_write_edit(struct lsp_query *query, uint32_t start, uint32_t end, vsr_str text);
void lsp_write_member(struct json_writer *w, const char *name, vsr_str text);

/* Each writes the whole `result`. */
void lsp_hover(struct lsp_query *query);      /* lsp_hover.c */
void lsp_definition(struct lsp_query *query); /* lsp_hover.c */
void lsp_completion(struct lsp_query *query); /* lsp_completion.c */
void lsp_symbols(struct lsp_query *query);    /* lsp_answers.c */
void lsp_formatting(struct lsp_query *query); /* lsp_answers.c */
/* `only`: array of the kinds that are wanted, JSON_NONE: all. */
void lsp_actions(struct lsp_query *query, const struct json_doc *doc, json_ref only); /* lsp_answers.c */
/* The array `diagnostics`. */
void lsp_diagnostics(struct lsp_query *query); /* lsp_answers.c */

/* What a field may say, in Markdown or plain. */
void lsp_field_text(const struct language_field *field, bool plain, struct buf *out); /* lsp_hover.c */

#endif
