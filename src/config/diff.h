/*
 * diff - what two documents say differently.
 *
 * Documents are compared as they were decoded, so that layout, comments, spelling of values and defaults that are
 * written out make no difference. Entries of a list are matched by their name (else model, type), wherever they stand;
 * a changed order is one change of its own. Recipes are matched by name, the default one wherever it is written. Rule
 * trees are compared as a whole. Secrets are compared and never shown.
 */
#ifndef VSR_CONFIG_DIFF_H
#define VSR_CONFIG_DIFF_H

#include "config/document.h"

struct arena;

enum change_kind {
    CHANGE_ADDED,
    CHANGE_REMOVED,
    CHANGE_VALUE,
    CHANGE_ORDER, /* the same entries */
};

struct config_change {
    enum change_kind kind;
    vsr_str recipe;        /* empty: it concerns the whole document */
    vsr_str path;          /* in the document that has it */
    vsr_str before, after; /* as YAML on one line; empty where there is none */
};

struct config_changes {
    struct config_change *items;
    size_t n, cap;
};

/* Compares two documents of one table, in its order. The changes live in `arena`, with texts of `a` and `b`. */
void config_diff(const struct schema *schema, const struct config_document *a, const struct config_document *b,
                 struct arena *arena, struct config_changes *ret_changes);

#endif
