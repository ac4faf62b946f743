/*
 * side_files - the files that a document names: manifests of knowledge bases, the database of tools (config.md §14).
 *
 * A relative path is looked for in the state directory (only `knowledge_bases/...`), beside the document, below
 * $VSR_CONFIG_ASSET_ROOT and in the program's own installation; the first that exists counts. What is built in comes
 * after all of them (config/kb_builtin.h). Texts are parsed strictly and within the limits below. What is read lives in
 * the arena it was read into and is immutable: any thread. Reading blocks.
 */
#ifndef VSR_CONFIG_SIDE_FILES_H
#define VSR_CONFIG_SIDE_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/map.h"
#include "core/str.h"

struct arena;

enum {
    SIDE_FILE_LEN_MAX = 16 << 20,  /* like a document */
    SIDE_FILE_PATH_LEN_MAX = 4096, /* of a path as written; the system's own limit is about this */
    SIDE_FILE_CANDIDATES_MAX = 4,
    KB_LABELS_MAX = 4096,
    KB_EXEMPLARS_MAX = 4096, /* per label */
    KB_EXEMPLAR_LEN_MAX = 65536,
    TOOLS_MAX = 16384,
    TOOL_TAGS_MAX = 256,
};

/* ---- finding */

/* Where relative paths begin; an empty one is not looked into. */
struct side_file_roots {
    vsr_str state_dir; /* only for paths below `knowledge_bases/` */
    vsr_str base_dir;
    vsr_str asset_root;
    vsr_str install_dir; /* the installation's `config` folder */
};

/*
 * Writes where `path` may be, in order of preference, to `candidates`; an absolute path is its only candidate. Returns
 * how many. They live in `arena`.
 */
size_t side_file_candidates(const struct side_file_roots *roots, vsr_str path, struct arena *arena,
                            vsr_str candidates[SIDE_FILE_CANDIDATES_MAX]);

/* The `config` folder of the installation that the running program belongs to; empty when it cannot be told. */
vsr_str side_file_install_dir(struct arena *arena);

/*
 * Reads the first candidate that exists into `arena`; which one is written to `*ret_file`. Fails with VSR_E_NOT_FOUND,
 * VSR_E_LIMIT (longer than SIDE_FILE_LEN_MAX) or VSR_E_IO.
 */
int side_file_read(const vsr_str *candidates, size_t n, struct arena *arena, vsr_str *ret_file, vsr_str *ret_text,
                   struct vsr_err *err) VSR_MUST_CHECK;

/* ---- knowledge bases: {version?, description?, labels: {name: {description?, exemplars: [text, ...]}}} */

struct config_kb_label {
    vsr_str name, description;
    vsr_str *exemplars;
    size_t n_exemplars; /* at least 1 */
};

struct config_kb_manifest {
    vsr_str file; /* empty after parsing alone */
    vsr_str version, description;
    struct config_kb_label *labels; /* in document order */
    size_t n_labels;                /* at least 1 */
    struct map by_name;             /* name -> struct config_kb_label */
};

/* The result lives in `arena`, `text` is not needed longer. VSR_E_SYNTAX, VSR_E_INVALID or VSR_E_LIMIT, with a place.
 */
int kb_manifest_parse(struct arena *arena, vsr_str text, struct config_kb_manifest **ret_manifest,
                      struct vsr_err *err) VSR_MUST_CHECK;

/* NULL: no such label. */
const struct config_kb_label *config_kb_label(const struct config_kb_manifest *manifest, vsr_str name);

/* ---- tools: [{tool: {type: "function", function: {name, ...}}, description?, category?, tags?}] */

struct config_tool {
    vsr_str name;        /* of the function, unique */
    vsr_str description; /* for retrieval; that of the function when there is none */
    vsr_str category;
    vsr_str *tags;
    size_t n_tags;
    vsr_str json; /* the object `tool`, as it goes to a model */
};

struct config_tools_db {
    vsr_str file; /* empty after parsing alone */
    struct config_tool *tools;
    size_t n_tools;
};

int tools_db_parse(struct arena *arena, vsr_str text, struct config_tools_db **ret_db,
                   struct vsr_err *err) VSR_MUST_CHECK;

#endif
