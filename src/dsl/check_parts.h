/*
 * check_parts - what the files of the checks share. Internal to dsl/.
 *
 * Codes of the checks:
 *     W201 signal, output or score that is not declared     W202 default of a partition that is no member
 *     W204 route without a model     W205 unknown model     W206 unknown LoRA     W207 virtual model mapped twice
 *     W208 unknown label     W209 unknown route     W210 EMIT without effect     W220 (hint) declared and not used
 *     W303 plugin without effect
 *     C301 unknown field     C302 value of another kind     C303 level     C304 empty range     C305 missing field
 *     C306 none of the choices     C307 leaf that its type does not allow     C308 bounds     C310 value out of range
 *     C311 token counts the wrong way round     C312 a pattern that is none     C313 tree of a signal     C314 loop
 *     C315 test without a query     C316 a header that is none
 *     C320 cycle of scores     C321 source of a mapping     C322 partition     C323 input of a score     C324 output
 *     W400 no guard between routes     C402 impossible condition     W412 domains that overlap
 */
#ifndef VSR_DSL_CHECK_PARTS_H
#define VSR_DSL_CHECK_PARTS_H

#include "config/document.h"
#include "core/map.h"
#include "dsl/check.h"
#include "dsl/findings.h"
#include "dsl/language.h"
#include "dsl/tree.h"

struct check_model {
    const struct dsl_decl *decl; /* NULL: of the base configuration */
    struct map loras;            /* name -> anything */
    bool used;
};

struct check {
    struct arena *arena;   /* of what is told */
    struct arena *scratch; /* of everything else */
    const struct language *language;
    struct findings *findings;
    struct map models, loras; /* name -> struct check_model; no models: nothing is known of them, nothing is told */
    bool damaged;             /* syntax errors cost declarations: what is missing may stand there */
    bool unreadable;          /* some of it is not even tokens */
    struct map torn;          /* words that stand in damaged places */
    size_t pattern_bytes;     /* that were judged: check_texts.c */
};

/* Something with a name that others refer to. */
struct check_declared {
    const struct dsl_decl *decl;
    const struct dsl_value *output; /* of a mapping's output: its object */
    struct check_declared *mapping; /* of a mapping's output */
    vsr_str name;
    struct map *labels; /* of a classifier, by name; NULL: not asked for yet */
    bool used;
};

/* A file or a recipe. */
struct check_scope {
    struct check *c;
    const struct dsl_program *program;
    struct map types;                              /* of signals -> struct map: name -> struct check_declared */
    struct map outputs, scores, templates, routes; /* name -> struct check_declared */
    struct map mappings;                           /* the same */
};

/* ---- telling (check.c) */

/* Whether a declaration of that name may have been lost to a syntax error. */
bool dsl_check_may_be_lost(const struct check *c, vsr_str name);

/* Offers the nearest name of the map in place of `found`. */
void dsl_check_suggest(struct check *c, struct finding *finding, const struct dsl_name *found, const struct map *names);
void dsl_check_suggest_among(struct check *c, struct finding *finding, const struct dsl_name *found,
                             const vsr_str *names, size_t n);

/* The same among the types of signals and up to two more words; NULL: none. */
void dsl_check_suggest_type(struct check *c, struct finding *finding, const struct dsl_name *found, const char *more,
                            const char *another);

/* The name as a declaration writes it. */
vsr_str dsl_check_spelled(struct check *c, vsr_str name);

/* A text as a name, for suggestions. */
struct dsl_name dsl_check_name_of(const struct dsl_value *value);

#define CHECK_TELL(c, level, code, at, ...) finding_add((c)->findings, FINDING_##level, (code), (at), __VA_ARGS__)

/* ---- fields (check_fields.c) */

/* Kinds, choices and ranges of the fields of a block, and those that are missing: C301 to C310. */
struct check_block {
    vsr_str what; /* `SIGNAL keyword k`, `route "r": PLUGIN memory` */
    const struct language_block *block;
    const struct dsl_fields *fields;
    const struct dsl_fields *inherited; /* of a template; NULL: none */
    struct dsl_at at;                   /* of what is missing */
    const char *also;                   /* one more text that the language has here; NULL: none */
    bool partial;                       /* nothing need be there: a template, or another check tells */
    bool contract;                      /* choices are a contract that compiling tells (E206) */
    bool names_only;                    /* values are told elsewhere */
};
void dsl_check_block(struct check *c, const struct check_block *block);

/* C304, C308: gt, gte, lt, lte of a predicate or a band. `what`: `mapping "m": output "x"`. */
void dsl_check_bounds(struct check *c, vsr_str what, const struct dsl_fields *fields, const struct dsl_at *at);

/* ---- references (check_references.c) */

/*
 * The declared signal, or output for `projection`; tells at `at` when there is none. `label`: the name carries one, as
 * inputs of scores do.
 */
struct check_declared *dsl_check_signal(struct check_scope *scope, vsr_str type, const struct dsl_name *name,
                                        const struct dsl_at *at, bool label);
/* Without telling. */
struct check_declared *dsl_check_find(const struct check_scope *scope, vsr_str type, vsr_str name);
/* `rule` of `rule:level`. */
vsr_str dsl_check_rule_of(vsr_str name, vsr_str *ret_rest);
const struct config_family *dsl_check_family(const struct check *c, vsr_str type);
/* W208: whether the classifier has the label, which stands `at` there. */
void dsl_check_label(struct check *c, struct check_declared *classifier, vsr_str label, const struct dsl_name *at);
/* W205. `where`: put in front. */
void dsl_check_model_name(struct check *c, vsr_str where, const struct dsl_name *name);

/* ---- plugins (check_plugins.c) */

/* A route, or a branch of a tree. */
struct check_route {
    struct check_scope *scope;
    vsr_str what; /* `route "r": ` */
    const struct dsl_body *body;
};

void dsl_check_plugin(const struct check_route *route, const struct dsl_item *item);
/* Whether it has a plugin that answers by itself, and needs no model. */
bool dsl_check_answers_itself(const struct check_route *route);
void dsl_check_templates(const struct check_scope *scope);

/* ---- texts that other floors judge (check_texts.c): C312, C316. Nothing where nobody can. */

/* Of a keyword signal, if its method is regex. */
void dsl_check_keyword_patterns(struct check *c, vsr_str what, const struct dsl_fields *fields);
void dsl_check_structure_pattern(struct check *c, vsr_str what, const struct dsl_fields *fields);
/* Of header_mutation. */
void dsl_check_headers(struct check *c, vsr_str what, const struct dsl_fields *fields);

/* ---- declarations */

void dsl_check_routes(struct check_scope *scope);      /* check_routes.c */
void dsl_check_tests(struct check_scope *scope);       /* check_tests.c */
void dsl_check_signals(struct check_scope *scope);     /* check_signals.c */
void dsl_check_projections(struct check_scope *scope); /* check_projections.c */
void dsl_check_conflicts(struct check_scope *scope);   /* check_conflicts.c */

#endif
