/*
 * format_parts - what the files of the formatter share. Internal to dsl/.
 *
 * What stands on lines of its own is a unit: a declaration, an item, a field, an entry of a list that is broken.
 * Between two units of one container each comment belongs to one of them: behind the earlier one when it stands on the
 * line where that ends, else above the later one; what is left stands above the closing sign. Comments inside of a unit
 * that is written on one line move above it. So every comment is written once, and the next run finds it at the same
 * unit.
 */
#ifndef VSR_DSL_FORMAT_PARTS_H
#define VSR_DSL_FORMAT_PARTS_H

#include "core/buf.h"
#include "dsl/format.h"
#include "dsl/language.h"

struct arena;

struct format {
    struct arena *arena; /* of lists; gone when formatting ends */
    const struct language *language;
    const struct dsl_parsed *parsed;
    const struct dsl_program *scope; /* the file or the recipe at hand */
    struct buf *out;
};

struct format_unit {
    const void *node;
    const void *context; /* what the writer needs beside the node */
    uint32_t start, end;
    uint32_t body; /* comments in [start, body) stand above it; those behind are written with its parts */
    size_t rank;   /* place in the container; of equal ones the order of the text */
    bool last;     /* in the container, as it is written */
    /* found by format_attach() */
    uint32_t above; /* comments in [above, start) stand above it */
    const struct comment *behind;
};

typedef void format_write(struct format *f, const struct format_unit *unit, int indent);

struct format_list {
    struct format_unit *units;
    size_t n;
    uint32_t open, close; /* what lies between them */
    int indent;
    format_write *write;
    bool whole_file; /* no sign opens it */
    bool spaced;     /* an empty line between any two */
    const char *separator;
};

/* ---- comments (format_comments.c) */

/* Comments that lie in [from, to). */
size_t format_n_comments(const struct format *f, uint32_t from, uint32_t to);
void format_attach(const struct format *f, struct format_list *list);
/* The units, each on lines of its own, from behind the opening sign to the line of the closing one. */
void format_units(struct format *f, struct format_list *list);
/* Those of [from, to) on lines of their own. */
void format_above(struct format *f, uint32_t from, uint32_t to, int indent);
void format_behind(struct format *f, const struct format_unit *unit);
void format_indent(struct format *f, int indent);
/* Where the sign stands that opens a block: the first `{` at or behind that byte. */
uint32_t format_open(const struct format *f, uint32_t from);
/* Where that word stands, when it is the token before the one at that byte; else the byte. */
uint32_t format_with_word(const struct format *f, uint32_t from, vsr_str word);

/* ---- values (format_values.c) */

/* Writes what fits on the rest of the line less `reserve`, else nothing. */
typedef void format_flat(const struct format *f, const void *node, const void *context, struct buf *out);
bool format_fits(struct format *f, format_flat *flat, const void *node, const void *context, size_t reserve);

/* `context`: const struct language_field of the value, or NULL. `node`: const struct dsl_value. */
void format_flat_value(const struct format *f, const void *node, const void *context, struct buf *out);
void format_value(struct format *f, const struct dsl_value *value, const struct language_field *field, int indent);
/* The fields as units of a list, in the order of the block; NULL: of the text. */
struct format_list format_fields(const struct format *f, const struct dsl_fields *fields,
                                 const struct language_block *block, int indent);
/* `{`, the fields one a line, `}` at that indent. */
void format_block(struct format *f, const struct dsl_fields *fields, const struct language_block *block, int indent);
/* `(a = 1, b = 2)`, with a blank in front; nothing when there are none. `context`: const struct language_block. */
void format_flat_options(const struct format *f, const struct dsl_fields *options, const struct language_block *block,
                         struct buf *out);
/* `key: value, ...` */
void format_flat_fields(const struct format *f, const struct dsl_fields *fields, const struct language_block *block,
                        const char *before, const char *sign, struct buf *out);

/* ---- routes (format_routes.c) */

void format_body(struct format *f, const struct dsl_body *body, int indent);
/* `reserve`: columns of what follows on the line. */
void format_condition(struct format *f, const struct dsl_expr *expr, int indent, size_t reserve);

#endif
