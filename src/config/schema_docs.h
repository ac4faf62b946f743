/*
 * schema_docs - the reference page of configuration, in Markdown, made of the tables.
 *
 * One section for each block at the first place where it can stand; where it can stand again, a link leads there.
 */
#ifndef VSR_CONFIG_SCHEMA_DOCS_H
#define VSR_CONFIG_SCHEMA_DOCS_H

#include "config/schema.h"

struct arena;
struct buf;

/* Writes the sections of all blocks below `schema`. `arena` is for scratch. */
void schema_docs(const struct schema *schema, struct arena *arena, struct buf *out);

#endif
