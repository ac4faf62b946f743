/*
 * backend_schema - a value that a JSON Schema allows: what the stand-in model puts into the arguments of a call, and
 * what it answers where a structured answer was asked for.
 *
 * The same schema gives the same value. Strings are the names of their properties, numbers 1 or the least that is
 * allowed, arrays hold one item; of an enum, of alternatives and of types the first is taken. `$ref` is followed inside
 * the schema. Any thread.
 */
#ifndef VSR_CLI_BACKEND_SCHEMA_H
#define VSR_CLI_BACKEND_SCHEMA_H

#include "core/json.h"
#include "core/str.h"

struct arena;
struct json_writer;

enum {
    BACKEND_SCHEMA_DEPTH_MAX = 16,   /* deeper: null. A schema may refer to itself */
    BACKEND_SCHEMA_MEMBERS_MAX = 64, /* of one object */
    BACKEND_SCHEMA_NODES_MAX = 512,  /* of one value: references multiply */
};

/* Writes such a value. `schema` JSON_NONE: an empty object. */
void backend_schema_write(struct arena *arena, const struct json_doc *doc, json_ref schema, struct json_writer *w);

#endif
