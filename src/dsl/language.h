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

/*
 * When a field whose value is zero, false or empty is written. Where the configuration's default is not that zero, or
 * where being absent means something of its own, a zero that was said is never ZERO_OMITTED but ZERO_KEPT: leaving it
 * out would change what the program means.
 */
enum block_zero {
    ZERO_OMITTED,
    ZERO_WRITTEN, /* YAML: written even when the program does not say it, as what holds then (language_unsaid()).
                     Text: what holds then is written too, unless it is zero itself; a zero that was said is written
                     where it is not what holds by itself. */
    ZERO_KEPT,    /* a zero that was said is kept: it differs from none */
    ZERO_LATER,   /* the same; text: among the extras behind the other fields (dsl.md §4.10) */
    ZERO_DEFAULT, /* the configuration's default is not written, any other value is */
};

/* Where in YAML the fields of an algorithm stand. */
enum block_place {
    PLACE_INSIDE, /* in the block that is called like the algorithm */
    PLACE_BESIDE, /* beside `type` */
    PLACE_BOTH,
};

struct language_block;

struct language_field {
    vsr_str name; /* in the language, and in YAML but for options of model references: there it is field->name */
    enum block_zero zero;
    enum block_place place;             /* of algorithms; INSIDE elsewhere */
    const vsr_str (*words)[2];          /* other spellings and what they mean, ended by an empty one; NULL: none */
    bool extra;                         /* text: no row names it; in plugins it is printed among the extras */
    const struct field *field;          /* of the configuration: kind, range, choices, help; never NULL */
    const struct language_block *block; /* of objects, lists and maps of them; NULL: no object, or free form (PAIRS,
                                           NODE, VARIANT) */
};

/* How the fields of an object are ordered in canonical text. */
enum block_order { ORDER_ROWS, ORDER_SORTED };

struct language_block {
    vsr_str name;                        /* "keyword", "fusion"; nested ones: that of their table */
    vsr_str list;                        /* signals and projections: the list in YAML ("keywords", "role_bindings") */
    const struct schema *schema;         /* NULL: there is none (algorithm static) */
    const struct language_field *fields; /* in canonical order, without `name` where the declaration has it */
    size_t n_fields;
    const struct language_field *const *yaml; /* the same [n_fields], in YAML's order */
    enum block_order order;                   /* SORTED: `fields` are sorted by name, and so are free forms below */
    bool required;                            /* algorithms, plugins: YAML has a block even where nothing is in it */
};

enum language_kind { LANGUAGE_SIGNALS, LANGUAGE_ALGORITHMS, LANGUAGE_PLUGINS, LANGUAGE_KINDS };

struct language {
    /* By kind: signals in the order in which canonical text prints them, algorithms and plugins by name. */
    const struct language_block *const *blocks[LANGUAGE_KINDS];
    size_t n_blocks[LANGUAGE_KINDS];
    const vsr_str *names[LANGUAGE_KINDS];      /* [n_blocks], sorted, for messages and suggestions */
    const struct language_block *const *lists; /* signals in the order of their lists in YAML (dsl.md §8.1) */

    const struct language_block *partition, *score, *mapping, *model, *entrypoint, *retention;
    const struct language_block *routing; /* `strategy`, and what else a profile has that is no list of declarations */
    const struct language_block *leaf;    /* fields of a signal reference behind its name */
    const struct language_block *ref;     /* options of a model reference, of which text always has `reasoning`;
                                             `param_size` belongs to the card */
    const struct language_block *extra;   /* fields of decisions that are said with EXTRA */

    const struct config_parts *parts;
};

/* Lives in `arena`, keeps `parts`. */
const struct language *language_build(struct arena *arena, const struct config_parts *parts);

/* The block of that name; plugins also by their other spellings (`semantic-cache`, `fast-response`). NULL: none. */
const struct language_block *language_block(const struct language *language, enum language_kind kind, vsr_str name);
/* The field of that name, or NULL. */
const struct language_field *language_field(const struct language_block *block, vsr_str name);

/* Type of signal whose rules stand in the YAML list, or NULL. */
const struct language_block *language_list(const struct language *language, vsr_str list);

/* What holds when the field is absent, as YAML text: the configuration's default; empty: its zero. */
vsr_str language_unsaid(const struct language_field *field);

/* Whether it must be said: of some that YAML needs, YAML gets what holds unsaid. */
bool language_is_required(const struct language_field *field);
/* What holds unsaid, for people: "required", a value, or nothing. */
vsr_str language_default(const struct language_field *field);

/*
 * The configuration's spelling of a word that the language spells otherwise as well (`any` for `OR`), or that may be
 * written in any case (`Confidence`); others as is.
 */
vsr_str language_canonical(const struct language_field *field, vsr_str word);

/*
 * Whether the value, a node of YAML, is zero: nothing, false, the number 0, no text, no entry. NULL is zero. The text
 * `0` of a token count is not: it is written as it stands.
 */
bool language_is_zero(const struct language_field *field, const struct yaml_node *value);
/* Whether it is a number that is zero, of a field that YAML always has: minus zero is written 0 there, so that it is
 * the same as none. */
bool language_is_plain_zero(const struct language_field *field, const struct yaml_node *value);
/* Whether text and YAML have the field when it says `value`; NULL: nothing was said. EXTRA and ZERO_LATER included. */
bool language_in_text(const struct language_field *field, const struct yaml_node *value);
bool language_in_yaml(const struct language_field *field, const struct yaml_node *value);

#endif
