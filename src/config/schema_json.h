/*
 * schema_json - the tables as a JSON Schema (draft 2020-12), for editors and other checkers.
 *
 * It says what one key can say: names, types, ranges, words, defaults, help. What holds between keys (references, sums,
 * exclusive keys) only loading knows. A validator sees a YAML document after parsing, so plain scalars of every type
 * stand for text, and null for an absent value. A reference to the environment may stand for any scalar.
 */
#ifndef VSR_CONFIG_SCHEMA_JSON_H
#define VSR_CONFIG_SCHEMA_JSON_H

#include "config/schema.h"

struct arena;
struct json_writer;

/* Writes the schema of documents that `schema` describes. `arena` is for scratch. */
void schema_json(const struct schema *schema, const char *title, struct arena *arena, struct json_writer *w);

#endif
