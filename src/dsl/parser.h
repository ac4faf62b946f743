/*
 * parser - the state of a parse, and what its parts (values, conditions, routes, declarations) share.
 *
 * Functions that read something return false once they have told a finding, or when a token stands there that was told
 * already; whoever reads a declaration then gives it up (parse.c). Results live in `arena`. One thread.
 */
#ifndef VSR_DSL_PARSER_H
#define VSR_DSL_PARSER_H

#include "dsl/tree.h"

struct finding;
struct findings;

/* Elements of a list while it is read; lists inside it stand on top. Taken off as an array of the right size. */
struct parse_stack {
    char *items;
    size_t n, cap;
};

struct parser {
    struct arena *arena;
    struct arena *scratch; /* stacks */
    vsr_str source;
    const struct token *tokens;
    size_t at;     /* token to read next */
    size_t braces; /* open before it */
    size_t depth;  /* of the value or condition being read */
    struct findings *findings;
    size_t errors_before; /* of other texts, or of the words */
    bool token_counts;    /* in a block whose fields may say 8K */
    size_t work;          /* tokens looked at */
    struct parse_stack values, fields, exprs, refs, items, branches, cases;
};

/* ---- words */

const struct token *parse_peek(const struct parser *p, size_t ahead);
void parse_advance(struct parser *p);
bool parse_at_sign(const struct parser *p, char sign);
bool parse_at_word(const struct parser *p, const char *word);
bool parse_expect_word(struct parser *p, const char *word, const char *expected);
/* Whether it stood there; then it is passed over. */
bool parse_accept(struct parser *p, char sign);
bool parse_expect(struct parser *p, char sign, const char *expected);
/* The place of a stretch that ends behind the last token read. */
struct dsl_at parse_whole(const struct parser *p, struct dsl_at start);

/* ---- mistakes */

/* E101 at the next token, always false. `expected` as in `integer` or `":"`. */
bool parse_unexpected(struct parser *p, const char *expected);
/* The same where one of `words` could stand: when the token is nearly one, a fix says so. */
bool parse_misspelled(struct parser *p, const char *expected, const char *const *words, size_t n);
struct finding *parse_error(struct parser *p, const char *code, struct dsl_at at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* E105 when something nests too deep. Every success needs a parse_leave(). */
bool parse_enter(struct parser *p);
void parse_leave(struct parser *p);

/* ---- lists */

void parse_push(struct parser *p, struct parse_stack *stack, const void *item, size_t size);
/* The elements above `base`, in the arena; NULL without any. */
void *parse_take(struct parser *p, struct parse_stack *stack, size_t base, size_t size, size_t *ret_n);

/* ---- parts */

/* An identifier or a string. */
bool parse_name(struct parser *p, const char *expected, struct dsl_name *ret);
bool parse_identifier(struct parser *p, const char *expected, struct dsl_name *ret);
bool parse_value(struct parser *p, struct dsl_value *ret);
/* `{ key: value ... }` */
bool parse_fields(struct parser *p, struct dsl_fields *ret);
/* The same up to the sign that closes them, which stays. */
bool parse_field_list(struct parser *p, char closer, struct dsl_fields *ret);
/* W105: the later of two fields of one name counts. */
void parse_override(struct parser *p, struct dsl_field *earlier, const struct dsl_field *later);
enum parse_commas { COMMAS_FREE, COMMAS_NEEDED };
/* `(key = value ...)` */
bool parse_options(struct parser *p, enum parse_commas commas, bool may_be_empty, struct dsl_fields *ret);
bool parse_expr(struct parser *p, struct dsl_expr **ret);
enum parse_body { BODY_ROUTE, BODY_BRANCH };
/* `{ items }` */
bool parse_body(struct parser *p, enum parse_body kind, struct dsl_body *ret);

#endif
