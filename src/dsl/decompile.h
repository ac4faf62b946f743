/*
 * decompile - canonical text of a configuration's routing (dsl.md §7).
 *
 * Reads the YAML tree of a whole configuration or of a fragment. For what a program compiles to, the canonical text
 * compiles to the same again; and it is its own canonical text. Any thread.
 */
#ifndef VSR_DSL_DECOMPILE_H
#define VSR_DSL_DECOMPILE_H

#include "config/yaml_tree.h"

struct arena;
struct buf;
struct findings;
struct language;

/*
 * Appends the text. W501 tells each field that the language cannot say, E2xx what is no routing at all; findings point
 * into the YAML text. Aliases (operator spellings, plugin names) are written in their canonical form.
 */
void dsl_decompile(struct arena *arena, const struct language *language, const struct yaml_node *root,
                   struct findings *findings, struct buf *out);

#endif
