/*
 * yaml_tree - a YAML document as a plain tree with source positions.
 *
 * libfyaml parses; the tree copies what configuration needs into an arena: kind, text, style and 1-based line and
 * column of every node. Anchors, aliases and merge keys are resolved (bounded), scalars stay text: the schema decides
 * what a plain scalar means. Other front ends (DSL, Kubernetes) build the same tree. Immutable once built, apart from
 * environment substitution.
 */
#ifndef VSR_CONFIG_YAML_TREE_H
#define VSR_CONFIG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct arena;
struct diag;

enum {
    YAML_BYTES_MAX = 16 << 20, /* config.md §2 */
    YAML_DEPTH_MAX = 64,
    YAML_NODES_MAX = 1000000, /* alias expansion included */
    /*
     * A document may be put together from two files (config/notation.h). Line n of the second one is line
     * YAML_SECOND_FILE + n: greater than any line that a first file can have, so that a place is still two numbers.
     */
    YAML_SECOND_FILE = 1 << 28,
};

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

/* How a scalar was written. */
enum yaml_style { YAML_PLAIN, YAML_SINGLE_QUOTED, YAML_DOUBLE_QUOTED, YAML_LITERAL, YAML_FOLDED };

struct yaml_notes; /* config/yaml_notes.h */

struct yaml_node {
    enum yaml_kind kind;
    bool quoted;              /* SCALAR: written with quotes or as a block, so never null, bool or number by itself */
    bool reference;           /* SCALAR: holds an environment reference that was left as it is (keep_env) */
    bool substituted;         /* SCALAR: environment references were replaced; `source` is what was written */
    bool flow;                /* SEQUENCE, MAPPING: written with brackets or braces */
    uint8_t style;            /* SCALAR: enum yaml_style */
    uint32_t line, col;       /* 1-based; an empty value has its key's position */
    uint32_t start, end;      /* bytes of the text that the node takes, without quotes; both 0 when it takes none */
    vsr_str text;             /* SCALAR: content */
    vsr_str source;           /* SCALAR: content as written, for messages that must not echo the environment */
    struct yaml_node **items; /* SEQUENCE: [n_items]; MAPPING: values [n_items] */
    struct yaml_node **keys;  /* MAPPING: key scalars [n_items] */
    size_t n_items;
    uint32_t cap;             /* room in `items` and `keys` of a node that was edited; 0: exactly `n_items` */
    struct yaml_notes *notes; /* comments around it; NULL unless they were asked for */
};

/*
 * A collection that is the target of an alias stands in the tree once for each use: walks see it again, but no more
 * than YAML_NODES_MAX nodes in all. Standard tags (!!str, !!int, ...) are accepted, others refused.
 *
 * Parses `text` (named `file` in messages) into `arena`. Problems go to `diag` with their codes (E_YAML, E_EMPTY,
 * E_DUP); on failure returns a negative VSR_E_* code and `*ret_root` is not written. Copies the text.
 */
int yaml_tree_parse(struct arena *arena, vsr_str text, struct yaml_node **ret_root, struct diag *diag);
/* The same, but anchors, aliases, merge keys and tags are errors (config.md §2: probes, recipe metadata). */
int yaml_tree_parse_plain(struct arena *arena, vsr_str text, struct yaml_node **ret_root, struct diag *diag);

/* Bytes of the text, from `start` up to `end`. */
struct yaml_span {
    uint32_t start, end;
};

/* What scalars take of the text, also those that are not part of the tree (merge keys), in the text's order. */
struct yaml_spans {
    struct yaml_span *items;
    size_t n, cap;
};

/* The same, and writes where the scalars are: what lies between them can hold comments. */
int yaml_tree_parse_spans(struct arena *arena, vsr_str text, struct yaml_node **ret_root, struct yaml_spans *ret_spans,
                          struct diag *diag);

/* Value of `key` in a mapping, or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *mapping, vsr_str key);
/* Key node of `key` in a mapping, or NULL. */
struct yaml_node *yaml_get_key(const struct yaml_node *mapping, vsr_str key);
/* Makes the places of a whole tree places of a document's second file. */
void yaml_tree_set_second_file(struct yaml_node *root);

/* Whether the node is absent for the schema: NULL, an empty plain scalar, `null` or `~`. */
bool yaml_is_null(const struct yaml_node *node);

#endif
