/*
 * language - the blocks of the routing language: which fields they have, in which order, and when one is printed.
 *
 * What a field is (kind, range, choices, meaning) says the configuration's own table; the rows here only add what the
 * language itself decides: the order in canonical text and whether a zero is printed (dsl.md §4). A field that the
 * configuration has and no row names stands behind the named ones, in the table's order, so that nothing is lost.
 * Built once from the tables of all parts; immutable: any thread.
 */
#ifndef VSR_DSL_LANGUAGE_H
#define VSR_DSL_LANGUAGE_H

#include "config/schema.h"

struct arena;
struct config_parts;

/* When a field whose value is zero, false or empty is written, in YAML and in canonical text. */
enum block_zero {
    ZERO_OMITTED,
    ZERO_WRITTEN, /* written even when the program does not say it */
    ZERO_KEPT,    /* a zero that was said is kept: it differs from none */
    ZERO_LATER,   /* a zero that was said is printed among the extras behind the other fields (dsl.md §4.10) */
};

struct language_block;

struct language_field {
    vsr_str name; /* in both the language and YAML */
    enum block_zero zero;
    const struct field *field;          /* of the configuration: kind, range, choices, help; NULL: free form */
    const struct language_block *block; /* objects and lists of them; NULL: none, or free form */
};

/* How the fields of an object are ordered in canonical text. */
enum block_order { ORDER_ROWS, ORDER_SORTED };

struct language_block {
    vsr_str name;                        /* "keyword", "fusion" */
    vsr_str list;                        /* signals and projections: the list in YAML ("keywords", "role_bindings") */
    const struct schema *schema;         /* NULL: free form */
    const struct language_field *fields; /* in canonical order, without `name` where the declaration has it */
    size_t n_fields;
    const struct language_field *const *yaml; /* the same [n_fields], in YAML's order */
    enum block_order order;
    bool free_form; /* any key (backend_config, response_cache) */
};

enum language_kind { LANGUAGE_SIGNALS, LANGUAGE_ALGORITHMS, LANGUAGE_PLUGINS, LANGUAGE_KINDS };

struct language {
    /* By kind, in the order in which canonical text prints signals; algorithms and plugins by name. */
    const struct language_block *blocks[LANGUAGE_KINDS];
    size_t n_blocks[LANGUAGE_KINDS];
    const struct language_block *partition, *score, *mapping, *model, *entrypoint, *retention;
    const vsr_str *names[LANGUAGE_KINDS]; /* sorted, for messages and suggestions */
};

/* Lives in `arena`, keeps `parts`. */
const struct language *language_build(struct arena *arena, const struct config_parts *parts);

/* The block of that name; plugins also by their other spellings (`semantic-cache`). NULL: there is none. */
const struct language_block *language_find(const struct language *language, enum language_kind kind, vsr_str name);
const struct language_field *language_field(const struct language_block *block, vsr_str name);

/* Type of signal whose rules stand in the YAML list, or NULL. */
const struct language_block *language_list(const struct language *language, vsr_str list);

#endif
