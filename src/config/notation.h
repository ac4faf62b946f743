/*
 * notation - another way than YAML to write the routing part of a document.
 *
 * The text becomes a tree with the keys `routing`, `entrypoints` and `recipes`, whose places are those of the text, and
 * is put into the tree of the rest of the document (the base). From then on it is a document like any other. The
 * descriptor is constant and handed down to config_load.
 */
#ifndef VSR_CONFIG_NOTATION_H
#define VSR_CONFIG_NOTATION_H

#include "config/document.h"
#include "config/yaml_tree.h"

struct config_notation {
    const char *suffix; /* of file names, with the dot */
    /* Fails with VSR_E_INVALID, having told errors in `diag`; else the tree lives in `arena`. Borrows `text`. */
    int (*read)(struct arena *arena, const struct config_parts *parts, vsr_str text, struct yaml_node **ret_root,
                struct diag *diag);
    /* Puts what was read into the base, which it changes. Fails as read() does; a problem of the base has no place. */
    int (*merge)(struct arena *arena, const struct config_parts *parts, struct yaml_node *base, struct yaml_node *read,
                 struct diag *diag);
};

#endif
