/*
 * yaml_edit - changes to a YAML tree: what normalisation and migration do before anything is decoded.
 *
 * Nodes that aliases share are changed for all who share them, so whoever edits freely copies the tree first
 * (yaml_copy). New nodes live in the arena given; those made for a purpose carry the position of the node they stand
 * for, so that messages still point into the source. One thread.
 */
#ifndef VSR_CONFIG_YAML_EDIT_H
#define VSR_CONFIG_YAML_EDIT_H

#include "config/yaml_tree.h"

/* An empty mapping or list, or a plain scalar, at the position of `at` (NULL: line 0). Copies `text`. */
struct yaml_node *yaml_new(struct arena *arena, enum yaml_kind kind, const struct yaml_node *at);
struct yaml_node *yaml_new_scalar(struct arena *arena, vsr_str text, const struct yaml_node *at);

/* A copy of the node alone: its children stay shared. */
struct yaml_node *yaml_clone(struct arena *arena, const struct yaml_node *node);
/* A copy of the whole tree in which nothing is shared. Notes (comments) move to the first copy of their node. */
struct yaml_node *yaml_copy(struct arena *arena, struct yaml_node *node);

/* Index of `key` in a mapping; -1 when it is not there or the node is no mapping. */
ptrdiff_t yaml_find(const struct yaml_node *mapping, vsr_str key);

/* Appends a pair, or an element. The caller knows that the key is not there yet. */
void yaml_append(struct arena *arena, struct yaml_node *mapping, struct yaml_node *key, struct yaml_node *value);
void yaml_push(struct arena *arena, struct yaml_node *list, struct yaml_node *item);

/* Removes the pair or element at `index`; the others keep their order. */
void yaml_remove(struct yaml_node *node, size_t index);

#endif
