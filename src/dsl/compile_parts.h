/*
 * compile_parts - what the files of the compiler share. Internal to dsl/.
 */
#ifndef VSR_DSL_COMPILE_PARTS_H
#define VSR_DSL_COMPILE_PARTS_H

#include "config/yaml_tree.h"
#include "core/map.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/tree.h"

enum { COMPILE_SUGGEST_MAX = 2000 }; /* names that are compared with a mistake */

struct compile {
    struct arena *arena;
    const struct language *language;
    struct findings *findings;
    const struct dsl_program *program; /* all of it; its models are everyone's */
    struct map sizes;                  /* model name -> struct sized_model: `param_size` said at references */
    struct map models;                 /* names of models that are used -> const struct dsl_name */
    vsr_str names[LANGUAGE_KINDS];     /* of compile_names(); empty: not asked for yet */
    size_t n_denied;                   /* conditions of trees that were written once more, negated */
};

/* A template of plugins. Of its fields only those are kept that count, each once. */
struct compile_template {
    const struct language_block *block; /* NULL: its type is unknown, which has been told */
    struct dsl_fields fields;
};

/* A file or a recipe, with its templates. */
struct compile_scope {
    struct compile *c;
    const struct dsl_program *program;
    struct map templates; /* name -> struct compile_template */
    struct map domains;   /* name -> const struct dsl_decl of the signal */
};

/* ---- nodes (compile_values.c) */

struct yaml_node *compile_node(struct compile *c, enum yaml_kind kind, const struct dsl_at *at);
/* Text, written without quotes where YAML reads the same then. Borrows. */
struct yaml_node *compile_text(struct compile *c, vsr_str text, const struct dsl_at *at);
/* A plain word or number. Borrows. */
struct yaml_node *compile_plain(struct compile *c, vsr_str text, const struct dsl_at *at);
struct yaml_node *compile_int(struct compile *c, int64_t value, const struct dsl_at *at);
/* Appends the pair, the key at the place of `at`; nothing when `value` is NULL. */
void compile_put(struct compile *c, struct yaml_node *mapping, vsr_str key, const struct dsl_at *at,
                 struct yaml_node *value);
/* The same when there is something in it. */
void compile_put_filled(struct compile *c, struct yaml_node *mapping, const char *key, const struct dsl_at *at,
                        struct yaml_node *value);

/* ---- values and fields (compile_values.c) */

/* Any value as it stands. */
struct yaml_node *compile_free(struct compile *c, const struct dsl_value *value);
/* Those that count, sorted: keys of objects without a table have no order. */
const struct dsl_field **compile_sorted(struct compile *c, const struct dsl_fields *fields, size_t *ret_n);
/* Any value, every scalar as text: 5 and "5" are one. */
struct yaml_node *compile_texts(struct compile *c, const struct dsl_value *value);
/* An object whose scalars are text; what lies within its lists and objects is what it is. */
struct yaml_node *compile_pairs(struct compile *c, const struct dsl_value *value);
/*
 * An object whose table one of the block's other fields chooses (compile_variants.c). What does not fit the table stays
 * as it stands, for loading to refuse it.
 */
struct yaml_node *compile_variant(struct compile *c, const struct language_block *block,
                                  const struct language_field *field, const struct dsl_fields *fields,
                                  const struct dsl_value *value);

/* Where `fields` say something that YAML has, or YAML wants what holds unsaid: appends it. `at`: of what is unsaid. */
void compile_field(struct compile *c, const struct language_block *block, const struct language_field *field,
                   const struct dsl_fields *fields, const struct dsl_at *at, struct yaml_node *mapping);
/* All fields of the block at that place, in YAML's order. */
void compile_block(struct compile *c, const struct language_block *block, enum block_place place,
                   const struct dsl_fields *fields, const struct dsl_at *at, struct yaml_node *mapping);

/* The fields of both, the later ones win. */
struct dsl_fields compile_joined(struct compile *c, const struct dsl_fields *first, const struct dsl_fields *then);

/* The value's text when it is text, else empty. */
vsr_str compile_string(const struct dsl_fields *fields, const char *key);

/* ---- conditions (compile_rules.c) */

/* The rule tree of a decision; NULL `expr`: always. */
struct yaml_node *compile_rules(struct compile *c, const struct dsl_expr *expr, const struct dsl_at *at);
/* One condition inside a tree. */
struct yaml_node *compile_condition(struct compile *c, const struct dsl_expr *expr);
struct yaml_node *compile_not(struct compile *c, struct yaml_node *condition, const struct dsl_at *at);
/*
 * `own` and all of `others`; NULL `own`: there is none. A single condition that is no group is put into an AND, as
 * roots are.
 */
struct yaml_node *compile_all(struct compile *c, struct yaml_node *own, struct yaml_node *const *others,
                              size_t n_others, const struct dsl_at *at);

/* ---- routes (compile_routes.c) */

/* Decisions of the scope's routes and trees, in the order of the text. */
void compile_routes(struct compile_scope *scope, struct yaml_node *decisions);
void compile_templates(struct compile_scope *scope);

/* What a route says beside its condition (compile_items.c). */
struct compile_route {
    struct compile_scope *scope;
    vsr_str name;
    struct dsl_at at; /* of its keyword */
    const struct dsl_body *body;
};

struct yaml_node *compile_model_refs(const struct compile_route *route);
struct yaml_node *compile_algorithm(const struct compile_route *route, const struct yaml_node *refs);
struct yaml_node *compile_plugins(const struct compile_route *route);
struct yaml_node *compile_iterations(const struct compile_route *route);
struct yaml_node *compile_emits(const struct compile_route *route);

/* ---- errors */

/* E205, E206 (compile_contracts.c): what a signal or a partition must say of itself. */
void compile_check_signal(struct compile *c, const struct dsl_decl *decl);
void compile_check_partition(const struct compile_scope *scope, const struct dsl_decl *decl);
/* E208: the contract of remom. `refs`: the route's models. */
void compile_check_remom(struct compile *c, const struct compile_route *route, const struct dsl_item *item,
                         const struct yaml_node *refs);
/* What the route of a branch is called that says no NAME. */
vsr_str compile_branch_name(struct compile *c, const struct dsl_decl *tree, size_t index);
/* E202 (compile_names.c): what is declared twice, or must not be declared. */
void compile_check_names(struct compile *c, const struct dsl_program *program);

/* "authz, classifier, ...": names of one kind, for messages. */
vsr_str compile_names(struct compile *c, enum language_kind kind);
/* Offers the nearest of the names in place of `name`. */
void compile_suggest(struct compile *c, struct finding *finding, const struct dsl_name *name, const vsr_str *names,
                     size_t n);

#endif
