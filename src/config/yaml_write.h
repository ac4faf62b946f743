/*
 * yaml_write - a YAML tree as text that reads back as the same tree.
 *
 * Block style, two spaces a level. A scalar keeps the style it was written in as far as its text allows, and a list or
 * mapping in brackets stays so when it fits on a line and holds no comment. Text is quoted only where it has to be, or
 * was. Comments are written where config/yaml_notes.h tied them to nodes. Any thread.
 */
#ifndef VSR_CONFIG_YAML_WRITE_H
#define VSR_CONFIG_YAML_WRITE_H

#include "config/yaml_tree.h"

struct buf;

enum { YAML_WRITE_COLUMNS = 120 }; /* what is in brackets and longer is written as a block */

/* Appends the document; blocks at the top level have an empty line above them. */
void yaml_write(const struct yaml_node *root, struct buf *out);

#endif
