/*
 * check - what no table can see: names, references and derived values across the blocks of one document. Internal to
 * config/.
 *
 * One struct goes through all checks; each adds what later ones need. Names are hashed once. Everything wrong is
 * reported, nothing stops the others.
 */
#ifndef VSR_CONFIG_CHECK_H
#define VSR_CONFIG_CHECK_H

#include "config/config_index.h"
#include "config/document.h"
#include "config/env.h"
#include "config/load.h"

/* A signal rule or a mapping's output, and whether anything refers to it. */
struct check_name {
    const struct config_at *at;
    bool used;
    void *owner; /* output: its struct config_mapping; score: its struct config_score */
};

struct check {
    struct config_document *doc;
    const struct config_load_options *options;
    const struct env *env;
    struct arena *arena;   /* the document's */
    struct arena *scratch; /* ends with the load */
    struct diag *diag;
    struct config_index *index;
    struct map taken; /* every name that a request may ask for -> struct check_taken */
    /* The recipe at hand: */
    struct config_scope *scope;
    struct config_routing *routing;
    struct map rules[CONFIG_FAMILIES_MAX]; /* name -> struct check_name, by family */
    struct map scores, mappings, outputs;  /* name -> struct check_name */
};

/* What a model name already stands for. */
struct check_taken {
    vsr_str what; /* "a name of the automatic model" */
    struct diag_at at;
};

/* Claims a name that requests may ask for; reports one that already stands for something else. */
void check_take(struct check *c, vsr_str name, vsr_str what, struct diag_at at, vsr_str hint);

/* ---- shared by the checks */

/* Remembers `object` (with its `config_at` first) under `name`; reports a second one of the same name, with both
 * positions. */
struct check_name *check_unique(struct check *c, struct map *map, vsr_str name, const struct schema *schema,
                                const void *object, const char *kind);

/* "did you mean" out of a map's keys. */
vsr_str check_suggest(struct check *c, const struct map *map, vsr_str found);

/* Whether the field holds an environment reference that was left in place, so that its value is not known. */
bool check_is_open(const void *object, const char *field);

/* Whether the field has no text, also behind no reference. */
bool check_is_missing(const void *object, const char *field, vsr_str text);

/* http:// or https:// and a host. */
bool check_is_http_url(struct check *c, vsr_str url);

/* A key that is missing in a block that is missing too is looked for where something asked for it. */
struct diag_at check_placed(struct diag_at at, struct diag_at asked);

/* Reports what is missing or wrong of a tool server that is asked, at its own keys, else where it was asked for. */
void check_tool_server(struct check *c, const struct schema *schema, const void *object,
                       const struct config_tool_server *server, struct diag_at asked);

/* Place of one entry of a map of strings. */
struct diag_at check_pair_at(struct check *c, const void *object, const char *field, vsr_str key);

/* Index of the family of that type, CONFIG_PROJECTION, or CHECK_NO_FAMILY. Blanks and case do not count. */
enum { CHECK_NO_FAMILY = -2 };
int check_family(const struct check *c, vsr_str type);

/* Reports a type that is no family; the second does not take projections for one. */
void check_unknown_type(struct check *c, struct diag_at at, vsr_str type);
void check_unknown_family(struct check *c, struct diag_at at, vsr_str type);

/* Finds the rule, score or output that a leaf or an input names, marks it as used; reports one that is not declared. */
bool check_rule_name(struct check *c, struct diag_at at, int family, vsr_str name);
/* Reports a label that the rule does not have. */
bool check_label_name(struct check *c, struct diag_at at, int family, vsr_str rule, vsr_str label);
struct check_name *check_output_name(struct check *c, struct diag_at at, vsr_str name);

/* ---- the checks, in this order */

void check_listeners(struct check *c);
void check_models(struct check *c); /* cards, LoRAs, providers, endpoints, aliases; builds the index */
void check_authz(struct check *c);
void check_global(struct check *c);  /* what authz and names do not cover; derives values */
void check_catalog(struct check *c); /* its model catalogue */
void check_embedder(struct check *c, struct config_semantic *semantic);
void check_scopes(struct check *c); /* makes the recipes; the next four run for each */
void check_signals(struct check *c);
void check_projections(struct check *c);
void check_rule_trees(struct check *c); /* those inside signal rules */
void check_decisions(struct check *c);
void check_unused(struct check *c);
void check_ranks(struct check *c); /* of decisions without errors */
void check_entrypoints(struct check *c);
void check_side_files(struct check *c); /* reads what recipes use of knowledge bases, and tools; last */
/* For documents that are in order: what this build does not do of one recipe, and of all the rest. */
void check_scope_features(struct check *c);
void check_global_features(struct check *c);

/* ---- parts of a decision whose kinds the upper floors hand down; after its model references */

void check_algorithm(struct check *c, struct config_decision *decision);
void check_plugins(struct check *c, struct config_decision *decision);

/* ---- derived values */

/* Parses retry_on. */
void derive_reliability(struct check *c, struct config_reliability *reliability, size_t n_endpoints);
/* Where and how each endpoint of the model is reached. */
void derive_backends(struct check *c, struct config_provider_model *model);

/* Whether the text may be a key: a header can carry it, and no control character is in it, not even a tab. */
bool check_is_key(vsr_str key);

/* Whether the text may be the path of a request, with or without a query. */
bool check_is_path(vsr_str path);

#endif
