/*
 * decompile_parts - what the files of the decompiler share. Internal to dsl/.
 *
 * All of them append to `out`. A value that the language cannot say is told and left out with its field; everything
 * else of the configuration's routing is written.
 */
#ifndef VSR_DSL_DECOMPILE_PARTS_H
#define VSR_DSL_DECOMPILE_PARTS_H

#include "config/yaml_tree.h"
#include "core/buf.h"
#include "core/map.h"
#include "dsl/findings.h"
#include "dsl/language.h"

struct decompile {
    struct arena *arena;
    const struct language *language;
    struct findings *findings;
    struct buf *out;
    struct map cards; /* name -> const struct yaml_node of the model, also of one that is only referred to */
    vsr_str where;    /* the declaration at hand, for messages: `SIGNAL keyword urgent: ` */
};

/* ---- messages */

/* W501: what stands at `node` has no place in the text. */
void decompile_lost(struct decompile *d, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What is no routing at all. */
void decompile_wrong(struct decompile *d, const char *code, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* W501 for each key of the mapping that neither the block (NULL: none) nor `known` (NULL-terminated) has. */
void decompile_lost_keys(struct decompile *d, const struct yaml_node *mapping, const struct language_block *block,
                         const char *const *known);
/* The same of a mapping that holds what stands beside a block. */
void decompile_lost_beside(struct decompile *d, const struct yaml_node *mapping, const struct language_block *block,
                           const char *const *known);

/* ---- reading */

/* The list or mapping below that key; NULL when there is none, which is told where something else stands there. */
const struct yaml_node *decompile_list(struct decompile *d, const struct yaml_node *mapping, const char *key);
const struct yaml_node *decompile_mapping(struct decompile *d, const struct yaml_node *mapping, const char *key);
/* Whether it is a mapping, which is told otherwise. */
bool decompile_is_mapping(struct decompile *d, const struct yaml_node *node);
/* Text of a scalar, else empty. */
vsr_str decompile_text(const struct yaml_node *mapping, const char *key);

/* ---- values and fields (decompile_values.c) */

/* Where the fields of a block stand in YAML: beside what names it, or inside of a mapping of their own. NULL: none. */
struct decompile_fields {
    const struct language_block *block;
    const struct yaml_node *inside, *beside;
};

/* What YAML says of the field; NULL: nothing. */
const struct yaml_node *decompile_said(const struct decompile_fields *fields, const struct language_field *field);
/* The value that text has, which may hold without being said; NULL: text does not have the field. */
const struct yaml_node *decompile_shown(struct decompile *d, const struct decompile_fields *fields,
                                        const struct language_field *field);
/* Whether text has any. */
bool decompile_has_fields(struct decompile *d, const struct decompile_fields *fields);
/* One a line, at that indent. */
void decompile_lines(struct decompile *d, const struct decompile_fields *fields, const char *indent);
/* `indent``name`: `value` and a line's end; nothing when it cannot be said. */
void decompile_line(struct decompile *d, const struct decompile_fields *fields, const struct language_field *field,
                    const struct yaml_node *value, const char *indent);
/* In a list behind commas, but for the first, which `*first` tells; with `sign` between name and value. */
void decompile_inline(struct decompile *d, const struct language_field *field, const struct yaml_node *value,
                      const char *sign, bool *first);

/* Opens the braces of an item; what it returns goes to decompile_close(), which takes them away when nothing was
 * written between them. Whether there was. */
size_t decompile_open(struct decompile *d);
bool decompile_close(struct decompile *d, size_t mark);

/* ---- declarations */

/* The title of a section, with the name behind it; NULL text: without. */
void decompile_header(struct decompile *d, const char *title, vsr_str name);
void decompile_signals(struct decompile *d, const struct yaml_node *routing);
void decompile_projections(struct decompile *d, const struct yaml_node *routing);
/* Fills the table of cards: the catalogue, providers' models, and those that routes refer to. */
void decompile_find_cards(struct decompile *d, const struct yaml_node *root);
void decompile_models(struct decompile *d);

/* ---- routes */

/* The decisions, with the templates above them. */
void decompile_templates(struct decompile *d, const struct yaml_node *decisions);
void decompile_routes(struct decompile *d, const struct yaml_node *decisions);
/* A model of a loop's list: its name alone, or a reference. */
vsr_str decompile_loop_model(const struct yaml_node *entry);
/* The loop's list, whose models it makes those of the decision; NULL: it makes none. */
const struct yaml_node *decompile_given(const struct yaml_node *loop);
/* PLUGIN items of a decision. */
void decompile_plugins(struct decompile *d, const struct yaml_node *plugins);
/* The condition; nothing when it always holds. `before` is written in front of it. */
void decompile_condition(struct decompile *d, const struct yaml_node *rules, const char *before, const char *after);

#endif
