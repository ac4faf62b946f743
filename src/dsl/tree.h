/*
 * tree - a program of the routing language as it was written (dsl.md §3).
 *
 * Everything has its place in the text, declarations stand in the order of the source, nothing is normalised: the same
 * tree serves checks, compiler, formatter and editors. Lives in an arena; immutable once parsed.
 */
#ifndef VSR_DSL_TREE_H
#define VSR_DSL_TREE_H

#include "dsl/token.h"

struct bounds;

enum { DSL_DEPTH_MAX = 64, DSL_DECLARATIONS_MAX = 100000 };

/* A name, quoted or not. Absent: at.line 0. */
struct dsl_name {
    vsr_str text;
    struct dsl_at at;
    bool quoted;
};

/* ---- values */

enum dsl_value_kind { DSL_STRING, DSL_INT, DSL_FLOAT, DSL_BOOL, DSL_NULL, DSL_ARRAY, DSL_OBJECT };

struct dsl_field;

/* Fields in the order of the text, repeated keys included: the last one counts. */
struct dsl_fields {
    struct dsl_field *items;
    size_t n;
    struct dsl_at at; /* with braces or parentheses; line 0: none were written */
};

struct dsl_value {
    enum dsl_value_kind kind;
    bool bare;       /* STRING: an identifier, or a count of tokens with its unit (8K); NULL: written `null` */
    bool truth;      /* BOOL */
    int64_t integer; /* INT */
    double number;   /* INT, FLOAT; -0 stays -0 */
    vsr_str text;    /* STRING: what it says; INT, FLOAT: as written */
    struct dsl_at at;
    struct dsl_value *items; /* ARRAY [n_items] */
    size_t n_items;
    struct dsl_fields fields; /* OBJECT */
};

static inline bool dsl_is_number(const struct dsl_value *value) {
    return value->kind == DSL_INT || value->kind == DSL_FLOAT;
}

struct dsl_field {
    struct dsl_name key;
    struct dsl_value value;
    bool overridden; /* a later field has the same key: this one counts for nothing */
};

/* The last field of that name, or NULL. */
const struct dsl_field *dsl_field(const struct dsl_fields *fields, vsr_str key);
/* Its value; NULL: there is none, or it is null. */
const struct dsl_value *dsl_value_of(const struct dsl_fields *fields, const char *key);
/* Its text when it is text, else empty. */
vsr_str dsl_text_of(const struct dsl_fields *fields, const char *key);
/* Whether it is a number, and which. */
bool dsl_number_of(const struct dsl_fields *fields, const char *key, double *ret);
/* gt, gte, lt and lte, those that are numbers (config/predicate.h). */
struct bounds dsl_bounds_of(const struct dsl_fields *fields);
/* A list's items; `*ret_n` 0 when it is none. */
const struct dsl_value *dsl_items_of(const struct dsl_fields *fields, const char *key, size_t *ret_n);

/* ---- conditions */

enum dsl_expr_kind { DSL_SIGNAL, DSL_AND, DSL_OR, DSL_NOT };

struct dsl_expr {
    enum dsl_expr_kind kind;
    bool parens;                /* stood in parentheses of its own */
    struct dsl_at at;           /* whole; its first token's line and column */
    struct dsl_name type, name; /* SIGNAL */
    struct dsl_fields fields;   /* SIGNAL */
    struct dsl_expr **items;    /* AND, OR: two or more, as they were chained; NOT: one */
    size_t n_items;
};

/* ---- routes */

struct dsl_model_ref {
    struct dsl_name model;
    struct dsl_fields options; /* (key = value, ...) */
};

struct dsl_model_list {
    struct dsl_model_ref *items;
    size_t n;
};

enum dsl_item_kind {
    DSL_ITEM_PRIORITY,
    DSL_ITEM_TIER,
    DSL_ITEM_WHEN,
    DSL_ITEM_DESCRIPTION,
    DSL_ITEM_NAME, /* of a branch */
    DSL_ITEM_MODEL,
    DSL_ITEM_ALGORITHM,
    DSL_ITEM_PLUGIN,
    DSL_ITEM_FOR,
    DSL_ITEM_EMIT,
    DSL_ITEM_EXTRA,
};

/* One entry of a route or branch, in the order of the text. */
struct dsl_item {
    enum dsl_item_kind kind;
    struct dsl_at at;              /* the keyword */
    struct dsl_at whole;           /* to the end of the item */
    struct dsl_value value;        /* PRIORITY, TIER, DESCRIPTION */
    struct dsl_name name;          /* NAME; ALGORITHM and EMIT: type; PLUGIN: template or type; FOR: variable */
    struct dsl_expr *when;         /* WHEN */
    struct dsl_model_list models;  /* MODEL; FOR: the listed ones */
    struct dsl_name source;        /* FOR over a name; absent: over a list */
    struct dsl_model_list outputs; /* FOR: its MODEL entries */
    struct dsl_fields fields;      /* ALGORITHM, PLUGIN, EMIT, EXTRA; at.line 0: no braces */
};

struct dsl_body {
    struct dsl_item *items;
    size_t n;
    struct dsl_at at; /* with braces */
};

/* The last item of that kind, or NULL. */
const struct dsl_item *dsl_item(const struct dsl_body *body, enum dsl_item_kind kind);

struct dsl_branch {
    struct dsl_at at;      /* IF or ELSE */
    struct dsl_expr *when; /* NULL: ELSE */
    struct dsl_body body;
};

struct dsl_test_case {
    struct dsl_name query; /* quoted */
    struct dsl_name route;
    struct dsl_fields facts; /* `{ keyword: ["urgent"] }` behind it; at.line 0: none */
};

/* ---- declarations */

enum dsl_decl_kind {
    DSL_ROUTING,
    DSL_ENTRYPOINT,
    DSL_RECIPE,
    DSL_SIGNAL_DECL,
    DSL_PARTITION,
    DSL_SCORE,
    DSL_MAPPING,
    DSL_ROUTE,
    DSL_TREE,
    DSL_MODEL,
    DSL_PLUGIN,
    DSL_TEST,
};

struct dsl_program;

struct dsl_decl {
    enum dsl_decl_kind kind;
    struct dsl_at at;     /* the keyword */
    struct dsl_at whole;  /* to the closing brace */
    struct dsl_name type; /* SIGNAL, PLUGIN */
    struct dsl_name name;
    struct dsl_fields options;   /* RECIPE, ROUTE: (key = value) */
    struct dsl_fields fields;    /* those that have fields */
    struct dsl_program *recipe;  /* RECIPE */
    struct dsl_body body;        /* ROUTE */
    struct dsl_branch *branches; /* TREE, the ELSE last */
    size_t n_branches;
    struct dsl_test_case *cases; /* TEST */
    size_t n_cases;
};

/* A file, or the inside of a RECIPE: a scope of names. */
struct dsl_program {
    struct dsl_decl *decls;
    size_t n;
};

/* The declarations of one kind: DSL_EACH(decl, program, DSL_ROUTE) { ... } */
#define DSL_EACH(decl, program, which) \
    for (const struct dsl_decl *decl = (program)->decls, *decl##_end = decl ? decl + (program)->n : NULL; \
         decl != decl##_end; decl++) \
        if (decl->kind == (which))

/* `SIGNAL`, `PROJECTION partition`: how the language calls it. */
const char *dsl_decl_keyword(enum dsl_decl_kind kind);

#endif
