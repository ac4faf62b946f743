/*
 * env - environment references in the scalars of a document (config.md §3).
 *
 * `$NAME`, `${NAME}`, `${NAME:-text}` and `${NAME-text}` are replaced once, in values, never in keys; `$$` is a dollar.
 * The walk follows the schema, so that fields marked FIELD_VERBATIM keep their dollars. A replaced scalar is a new node
 * that remembers what was written: messages quote that, not the environment. Unset variables without a default are
 * warnings, or errors when `strict`.
 */
#ifndef VSR_CONFIG_ENV_H
#define VSR_CONFIG_ENV_H

#include "config/diag.h"
#include "config/schema.h"
#include "config/yaml_tree.h"

struct arena;

struct env {
    /* Value of a variable, NULL when unset. */
    const char *(*get)(void *data, const char *name);
    void *data;
    bool strict;
    bool keep; /* substitute nothing, mark the scalars that hold references */
};

/*
 * The value of one variable, named in the document at `at`. Empty when unset, which is reported; empty when `keep`.
 * Lives in `arena`.
 */
vsr_str env_value(const struct env *env, vsr_str name, struct diag_at at, struct arena *arena, struct diag *diag);

/* `$NAME`, `${NAME}`, `${NAME:-}` and nothing else: no default and no text around it that could be a secret itself. */
bool env_is_bare_reference(vsr_str text);

/*
 * Substitutes in the tree under `root`, which `schema` describes. Writes where a secret first stands in clear text
 * to `*ret_secret` (line 0: nowhere).
 */
void env_substitute(const struct env *env, const struct schema *schema, struct yaml_node *root, struct arena *arena,
                    struct diag *diag, struct diag_at *ret_secret);

#endif
