#include <inttypes.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/utf8.h"
#include "dsl/format_parts.h"
#include "dsl/spelling.h"

enum { FLAT_LEN_MAX = DSL_FORMAT_COLUMNS * 4 };

/* ---- what fits on a line */

static size_t columns(vsr_str text) {
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return n;
}

/* Code points from the start of the last line. */
static size_t column(const struct format *f) {
    ptrdiff_t line = str_find_last_char(buf_str(f->out), '\n');
    return columns(str_sub(buf_str(f->out), (size_t)(line + 1), f->out->len));
}

bool format_fits(struct format *f, format_flat *flat, const void *node, const void *context, size_t reserve) {
    struct buf line;
    bool fits;
    buf_init(&line, FLAT_LEN_MAX);
    flat(f, node, context, &line);
    fits = !buf_failed(&line) && column(f) + columns(buf_str(&line)) + reserve <= DSL_FORMAT_COLUMNS;
    if (fits)
        buf_append(f->out, buf_str(&line));
    buf_done(&line);
    return fits;
}

/* ---- on one line */

/* A count of tokens is text: its digits are what was written. */
static bool is_count(const struct language_field *field) {
    return field && field->field->kind == FIELD_TOKENS;
}

static void flat_integer(const struct dsl_value *value, struct buf *out) {
    if (value->integer == 0 && value->text.len && value->text.ptr[0] == '-')
        buf_append_c(out, "-0");
    else
        buf_printf(out, "%" PRId64, value->integer);
}

static void flat_array(const struct format *f, const struct dsl_value *value, const struct language_field *field,
                       struct buf *out) {
    buf_append_char(out, '[');
    for (size_t i = 0; i < value->n_items && !buf_failed(out); i++) {
        buf_append_c(out, i ? ", " : "");
        format_flat_value(f, &value->items[i], field, out);
    }
    buf_append_char(out, ']');
}

static void flat_object(const struct format *f, const struct dsl_value *value, const struct language_field *field,
                        struct buf *out) {
    buf_append_char(out, '{');
    format_flat_fields(f, &value->fields, field ? field->block : NULL, " ", ": ", out);
    buf_append_c(out, value->fields.n ? " }" : "}");
}

void format_flat_value(const struct format *f, const void *node, const void *context, struct buf *out) {
    const struct dsl_value *value = node;
    const struct language_field *field = context;
    switch (value->kind) {
    case DSL_STRING:
        spell_string(out, value->text);
        break;
    case DSL_INT:
        if (is_count(field))
            buf_append(out, value->text);
        else
            flat_integer(value, out);
        break;
    case DSL_FLOAT:
        if (is_count(field))
            buf_append(out, value->text);
        else
            spell_number(out, value->number);
        break;
    case DSL_BOOL:
        buf_append_c(out, value->truth ? "true" : "false");
        break;
    case DSL_NULL:
        buf_append_c(out, "null");
        break;
    case DSL_ARRAY:
        flat_array(f, value, field, out);
        break;
    case DSL_OBJECT:
        flat_object(f, value, field, out);
        break;
    }
}

/* ---- fields */

static const struct language_field *field_of(const struct language_block *block, vsr_str name) {
    return block ? language_field(block, name) : NULL;
}

/* Where the block has the field; what it does not know stands behind, and options that belong to no block at all. */
static size_t rank_of(const struct language_block *block, vsr_str name) {
    const struct language_field *field = field_of(block, name);
    return field ? (size_t)(field - block->fields) : block ? block->n_fields : 0;
}

struct format_list format_fields(const struct format *f, const struct dsl_fields *fields,
                                 const struct language_block *block, int indent) {
    struct format_list list = { .n = fields->n, .open = fields->at.start + 1, .close = fields->at.end - 1 };
    list.indent = indent;
    list.units = ARENA_ARRAY(f->arena, struct format_unit, fields->n);
    for (size_t i = 0; i < fields->n; i++) {
        const struct dsl_field *field = &fields->items[i];
        list.units[i] = (struct format_unit){ .node = field,
                                              .context = field_of(block, field->key.text),
                                              .start = field->key.at.start,
                                              .body = field->value.at.start,
                                              .end = field->value.at.end,
                                              .rank = rank_of(block, field->key.text) };
    }
    return list;
}

struct ranked {
    const struct dsl_field *field;
    size_t rank;
};

static int compare_ranks(const void *a, const void *b) {
    const struct ranked *one = a, *other = b;
    if (one->rank != other->rank)
        return one->rank < other->rank ? -1 : 1;
    return one->field < other->field ? -1 : one->field > other->field;
}

static const struct ranked *sorted(const struct format *f, const struct dsl_fields *fields,
                                   const struct language_block *block) {
    struct ranked *order = ARENA_ARRAY(f->arena, struct ranked, fields->n);
    for (size_t i = 0; i < fields->n; i++)
        order[i] = (struct ranked){ &fields->items[i], rank_of(block, fields->items[i].key.text) };
    if (fields->n)
        qsort(order, fields->n, sizeof(*order), compare_ranks);
    return order;
}

void format_flat_fields(const struct format *f, const struct dsl_fields *fields, const struct language_block *block,
                        const char *before, const char *sign, struct buf *out) {
    struct arena_mark mark = arena_mark(f->arena);
    const struct ranked *order = sorted(f, fields, block);
    for (size_t i = 0; i < fields->n && !buf_failed(out); i++) {
        buf_append_c(out, i ? ", " : before);
        spell_name(out, order[i].field->key.text);
        buf_append_c(out, sign);
        format_flat_value(f, &order[i].field->value, field_of(block, order[i].field->key.text), out);
    }
    arena_rewind(f->arena, mark);
}

void format_flat_options(const struct format *f, const struct dsl_fields *options, const struct language_block *block,
                         struct buf *out) {
    if (options->n == 0)
        return;
    buf_append_c(out, " (");
    format_flat_fields(f, options, block, "", " = ", out);
    buf_append_char(out, ')');
}

/* ---- on several lines */

static void write_item(struct format *f, const struct format_unit *unit, int indent) {
    format_value(f, unit->node, unit->context, indent);
}

static void write_field(struct format *f, const struct format_unit *unit, int indent) {
    const struct dsl_field *field = unit->node;
    spell_name(f->out, field->key.text);
    buf_append_c(f->out, ": ");
    format_value(f, &field->value, unit->context, indent);
}

static void broken_array(struct format *f, const struct dsl_value *value, const struct language_field *field,
                         int indent) {
    struct format_list list = { .n = value->n_items, .open = value->at.start + 1, .close = value->at.end - 1 };
    list.indent = indent + 2;
    list.write = write_item;
    list.separator = ",";
    list.units = ARENA_ARRAY(f->arena, struct format_unit, value->n_items);
    for (size_t i = 0; i < value->n_items; i++) {
        const struct dsl_value *item = &value->items[i];
        list.units[i] = (struct format_unit){
            .node = item, .context = field, .start = item->at.start, .body = item->at.start, .end = item->at.end
        };
    }
    buf_append_char(f->out, '[');
    format_units(f, &list);
    format_indent(f, indent);
    buf_append_char(f->out, ']');
}

static void broken_object(struct format *f, const struct dsl_fields *fields, const struct language_block *block,
                          int indent) {
    struct format_list list = format_fields(f, fields, block, indent + 2);
    list.write = write_field;
    buf_append_char(f->out, '{');
    format_units(f, &list);
    format_indent(f, indent);
    buf_append_char(f->out, '}');
}

/* The adapters of a model stand one a line, as canonical text has them. */
static bool is_broken_always(const struct language_field *field, const struct dsl_value *value) {
    return field && value->kind == DSL_ARRAY && value->n_items > 0 && str_eq_c(field->name, "loras");
}

void format_value(struct format *f, const struct dsl_value *value, const struct language_field *field, int indent) {
    struct arena_mark mark = arena_mark(f->arena);
    bool holds = value->kind == DSL_ARRAY || value->kind == DSL_OBJECT;
    size_t n = value->kind == DSL_ARRAY ? value->n_items : value->fields.n;
    size_t n_comments = holds ? format_n_comments(f, value->at.start, value->at.end) : 0;
    if (!holds || (n == 0 && n_comments == 0))
        format_flat_value(f, value, field, f->out);
    else if (n_comments > 0 || is_broken_always(field, value) || !format_fits(f, format_flat_value, value, field, 1)) {
        if (value->kind == DSL_ARRAY)
            broken_array(f, value, field, indent);
        else
            broken_object(f, &value->fields, field ? field->block : NULL, indent);
    }
    arena_rewind(f->arena, mark);
}

void format_block(struct format *f, const struct dsl_fields *fields, const struct language_block *block, int indent) {
    struct arena_mark mark = arena_mark(f->arena);
    broken_object(f, fields, block, indent);
    arena_rewind(f->arena, mark);
}
