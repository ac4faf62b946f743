/*
 * load - from a file or text to a checked document.
 *
 * The stages of config.md §1: bytes, YAML tree, canonical form, environment, typed decode, derived values, checks
 * across blocks. The first stage with errors ends the load, but reports all of its own. Reads the file and the
 * environment; otherwise pure. One thread per call.
 */
#ifndef VSR_CONFIG_LOAD_H
#define VSR_CONFIG_LOAD_H

#include "config/document.h"

struct config_notation;
struct yaml_node;

struct config_load_options {
    struct config_parts parts;
    /*
     * Optional: how routing is written in files with its suffix (config/notation.h). The rest of such a document is in
     * `base`, or else in a file beside it: NAME.yaml for NAME.dsl, or config.yaml; or nowhere, unless it is to serve.
     */
    const struct config_notation *notation;
    const char *base;
    bool strict_env; /* an unset variable without default is an error */
    bool keep_env;   /* no substitution, for read-only validation */
    bool serving;    /* what is not there yet, and unsafe to ignore, is an error */
    bool no_files;   /* no file beside the document is looked at, for read-only validation */
    /* Of config_load_tree(): path without links of the file that the tree was made from. NULL: of none, and no other
     * file is beside it. */
    const char *made_from;
    /* Environment lookup; NULL: getenv. Returns NULL when unset. */
    const char *(*env)(void *data, const char *name);
    void *env_data;
    /* Optional. Told of every file that is read beside the document with the hash of its bytes (config/file_hash.h),
     * and of every place where one was looked for in vain with an empty hash. Also when the load fails. */
    void (*on_file)(void *data, vsr_str path, vsr_str hash);
    void *on_file_data;
};

/*
 * `text` and `file`, which names it in messages, are copied. `diag` is initialised here and lives in `arena`. Returns 0
 * and writes *ret_doc when there is no error; warnings may remain in `diag`. The document lives in `arena`.
 */
int config_load_text(struct arena *arena, vsr_str text, vsr_str file, const struct config_load_options *options,
                     const struct config_document **ret_doc, struct diag *diag);
/*
 * The same for a tree that was made rather than read, which it takes: nodes are changed and kept. `file` names it in
 * messages.
 */
int config_load_tree(struct arena *arena, struct yaml_node *root, vsr_str file,
                     const struct config_load_options *options, const struct config_document **ret_doc,
                     struct diag *diag);
/* The same for a file, in whatever notation its name says; symbolic links are resolved first. */
int config_load_file(struct arena *arena, const char *file, const struct config_load_options *options,
                     const struct config_document **ret_doc, struct diag *diag);

/* Whether it is a mapping that says nothing but routing, and perhaps its version: no listener, no backend, no setting.
 */
bool config_is_routing_alone(const struct yaml_node *root);

/*
 * The base that config_load_file() takes for a file in another notation when none is named: the first beside it that
 * says more than routing, else the first; NULL: there is none. Lives in `arena`.
 */
const char *config_find_base(struct arena *arena, const char *file, const struct config_notation *notation);

/*
 * Completes a base into which a document in another notation was put: `routing` is there, if only empty; and one that
 * says nothing else, because it was empty or is what such a document was compiled to, is of this contract. False: it
 * says more, or is no mapping.
 */
bool config_complete_base(struct arena *arena, struct yaml_node *root);

#endif
