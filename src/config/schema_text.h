/*
 * schema_text - what a table row says, in words, for people: the reference page and `vsr config explain`.
 */
#ifndef VSR_CONFIG_SCHEMA_TEXT_H
#define VSR_CONFIG_SCHEMA_TEXT_H

#include "config/schema.h"

struct buf;

/*
 * What may be written: "integer, 1 to 65535", "one of `http`, `https`". `quote` stands around words that are written
 * literally.
 */
void schema_text_type(const struct field *field, const char *quote, struct buf *out);

/* What holds when nothing is written, or "required"; empty when that is nothing. */
vsr_str schema_text_default(const struct field *field);

/* Whether the field's value has tables of its own below it. */
bool schema_has_block(const struct field *field);

/* What stands between the field's name and the name of a key below it: nothing, [] or .NAME */
const char *schema_text_step(const struct field *field);

#endif
