/*
 * language_rows - what the language decides about the fields of each block (dsl.md §4): rows of language.c.
 */
#ifndef VSR_DSL_LANGUAGE_ROWS_H
#define VSR_DSL_LANGUAGE_ROWS_H

#include "dsl/language.h"

struct language_rows;

struct language_row {
    const char *name;
    enum block_zero zero;
    enum block_place place;
    const struct language_rows *nested; /* NULL: sorted by name, every zero that was said is kept */
    const vsr_str (*words)[2];          /* other spellings and what they mean, ended by an empty one; NULL: none */
    const char *yaml;                   /* name of the configuration's field; NULL: the same */
};

struct language_rows {
    const char *name; /* signals: the type; algorithms and plugins: the same */
    const struct language_row *items;
    size_t n;
    enum block_order order;
    const char *const *yaml;   /* order of YAML, NULL-terminated, the rest behind; NULL: that of the configuration */
    const char *const *hidden; /* fields of the configuration that the block does not have; NULL: none */
};

struct language_row_set {
    const struct language_rows *items;
    size_t n;
};

/* Signals in the order of canonical text. */
extern const struct language_row_set language_signal_rows, language_algorithm_rows, language_plugin_rows;
/* Lists of signals in the order of YAML. NULL-terminated. */
extern const char *const language_signal_lists[];

extern const struct language_rows language_partition_rows, language_score_rows, language_mapping_rows,
    language_model_rows, language_entrypoint_rows, language_retention_rows, language_routing_rows, language_leaf_rows,
    language_ref_rows, language_extra_rows;

#endif
