/*
 * yaml_notes - the comments of a YAML text, tied to the nodes that they speak of.
 *
 * A comment is what begins with `#` between scalars. One on a line of its own belongs to the entry below it, unless it
 * is indented deeper: then it ends the entry above. One behind something belongs to the entry that began last before
 * it. An entry is a key of a mapping or an element of a list; what stands in brackets on one line has none. Empty lines
 * above entries are kept, too, as one each. The comments above the first entry belong to the document, but for those
 * that an empty line parts from them; so does what follows the last entry at the margin. They are notes of the root.
 *
 * Notes travel with their nodes (config/yaml_edit.h) and are written again by config/yaml_write.h.
 */
#ifndef VSR_CONFIG_YAML_NOTES_H
#define VSR_CONFIG_YAML_NOTES_H

#include "config/yaml_tree.h"

/* Lines with their `#`, without what is left of it; an empty one is an empty line. */
struct yaml_lines {
    vsr_str *items;
    size_t n, cap;
};

struct yaml_notes {
    struct yaml_lines before, after;
    vsr_str behind; /* on the same line; empty when there is none */
};

/*
 * Ties the comments of `text` to the nodes of the tree that was parsed from it. For a mapping's pair that is the key,
 * for a list's element the element. Comments point into `text`.
 */
void yaml_notes_attach(struct arena *arena, vsr_str text, const struct yaml_spans *spans, struct yaml_node *root);

/* The node's notes, made when there are none yet. */
struct yaml_notes *yaml_notes_of(struct arena *arena, struct yaml_node *node);

/* Adds a line, empty or with its `#`. An empty line is not repeated. */
void yaml_lines_add(struct arena *arena, struct yaml_lines *lines, vsr_str line);

/* Puts the notes of a node that goes away in front of those of another. */
void yaml_notes_give(struct arena *arena, struct yaml_node *from, struct yaml_node *to);

#endif
