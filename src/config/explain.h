/*
 * explain - the documentation of one key, and what a document says about it.
 *
 * A path names keys from the top of the document: `routing.decisions[].priority`, with `[]` or without; `[coding]` and
 * `[3]` pick entries when values are asked for. In a map of blocks the name is a step of its own. Where a neighbour
 * chooses the table (`plugins[].configuration.message`), all tables that know the key are meant.
 */
#ifndef VSR_CONFIG_EXPLAIN_H
#define VSR_CONFIG_EXPLAIN_H

#include "config/schema.h"
#include "core/err.h"

struct arena;
struct buf;

enum {
    EXPLAIN_STEPS_MAX = 64,
    EXPLAIN_VALUES_MAX = 1000, /* shown of one document */
};

struct explain_style {
    const char *strong, *dim, *plain; /* what stands before such text, and after it; "" without colour */
};

/*
 * Writes what the tables below `schema` say about `path`; the empty path is the document itself. A path that leads
 * nowhere is VSR_E_NOT_FOUND, with a suggestion in `err`.
 */
int explain_key(const struct schema *schema, vsr_str path, const struct explain_style *style, struct buf *out,
                struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Writes the effective value of each place in `object`, a struct of `schema`, that `path` names, with its position.
 * `files`: the one that it was decoded from, and the second where there are two (diag.h). Returns how many there are.
 * Secrets are masked.
 */
size_t explain_values(const struct schema *schema, const void *object, vsr_str path, const vsr_str files[2],
                      const struct explain_style *style, struct buf *out);

#endif
