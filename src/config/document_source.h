/*
 * document_source - the bytes of a document, from one file or two, and the tree that they stand for. Internal to
 * config/.
 *
 * A file in another notation than YAML (config/notation.h) says how to route; listeners, providers and settings are in
 * its base, a YAML file beside it. One thread per call.
 */
#ifndef VSR_CONFIG_DOCUMENT_SOURCE_H
#define VSR_CONFIG_DOCUMENT_SOURCE_H

#include "config/load.h"

struct yaml_node;

struct document_source {
    const struct config_notation *notation; /* NULL: `text` is YAML */
    vsr_str text;
    const char *base; /* resolved path of the base; NULL: there is none */
    vsr_str base_text;
    bool is_shared; /* others may read what can hold secrets */
};

/*
 * Reads `resolved`, which is `file` without links, and its base when its notation has one. Both are told to
 * options->on_file but for `resolved` itself. Fails with VSR_E_IO, and with VSR_E_INVALID when there is no base to
 * serve with.
 */
int document_source_read(struct arena *arena, const char *file, const char *resolved,
                         const struct config_load_options *options, struct document_source *ret_source,
                         struct diag *diag);

/* Parses, and puts both together. Copies what it needs of the texts. */
int document_source_tree(struct arena *arena, const struct document_source *source,
                         const struct config_load_options *options, struct yaml_node **ret_root, struct diag *diag);

/* "cannot open "x": No such file", of errno. Returns VSR_E_IO. */
int document_source_report(struct diag *diag, const char *what, const char *path);

#endif
