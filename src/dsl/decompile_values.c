#include <inttypes.h>
#include <stdlib.h>

#include "config/schema_value.h"
#include "core/arena.h"
#include "dsl/decompile_parts.h"
#include "dsl/spelling.h"

/* ---- scalars */

static bool not_a(struct decompile *d, const struct field *field, const struct yaml_node *value, const char *what) {
    decompile_lost(d, value, "%s is not %s, so it cannot be said", field->name, what);
    return false;
}

static bool write_bool(struct decompile *d, const struct field *field, const struct yaml_node *value) {
    bool truth, old;
    if (value->kind != YAML_SCALAR || value->quoted || value_bool(value->text, &truth, &old) != VALUE_OK)
        return not_a(d, field, value, "true or false");
    buf_append_c(d->out, truth ? "true" : "false");
    return true;
}

static bool is_int(const struct yaml_node *value) {
    int64_t number;
    return value->kind == YAML_SCALAR && !value->quoted && value_int(value->text, &number) == VALUE_OK;
}

static bool write_int(struct decompile *d, const struct field *field, const struct yaml_node *value) {
    int64_t number;
    if (value->kind != YAML_SCALAR || value->quoted || value_int(value->text, &number) != VALUE_OK)
        return not_a(d, field, value, "an integer");
    buf_printf(d->out, "%" PRId64, number);
    return true;
}

static bool write_number(struct decompile *d, const struct field *field, const struct yaml_node *value) {
    double number;
    if (value->kind != YAML_SCALAR || value->quoted || value_number(value->text, &number) != VALUE_OK)
        return not_a(d, field, value, "a number");
    spell_number(d->out, number);
    return true;
}

static bool write_string(struct decompile *d, const struct field *field, const struct language_field *row,
                         const struct yaml_node *value) {
    if (value->kind != YAML_SCALAR)
        return not_a(d, field, value, "text");
    spell_string(d->out, row ? language_canonical(row, value->text) : value->text);
    return true;
}

/* ---- free form */

/* Text of YAML that no table describes: what a plain scalar is, YAML's core schema says. */
static void write_free_scalar(struct decompile *d, const struct yaml_node *value) {
    int64_t integer;
    double number;
    vsr_str text = value->text;
    if (value->quoted)
        spell_string(d->out, text);
    else if (str_eq_c(text, "true") || str_eq_c(text, "false"))
        buf_append(d->out, text);
    else if (value_int(text, &integer) == VALUE_OK && value_number(text, &number) == VALUE_OK &&
             (integer != 0 || text.ptr[0] != '-'))
        buf_printf(d->out, "%" PRId64, integer);
    else if (value_number(text, &number) == VALUE_OK)
        spell_number(d->out, number);
    else
        spell_string(d->out, text);
}

static void write_key(struct decompile *d, vsr_str key) {
    spell_name(d->out, key);
    buf_append_c(d->out, ": ");
}

struct pair {
    vsr_str key;
    const struct yaml_node *value;
};

static int compare_pairs(const void *a, const void *b) {
    const struct pair *one = a, *other = b;
    return str_cmp(one->key, other->key);
}

/* What a mapping says, sorted by key. */
static const struct pair *sorted_pairs(struct decompile *d, const struct yaml_node *mapping, size_t *ret_n) {
    struct pair *pairs = ARENA_ARRAY(d->arena, struct pair, mapping->n_items);
    *ret_n = 0;
    for (size_t i = 0; i < mapping->n_items; i++)
        if (!yaml_is_null(mapping->items[i]))
            pairs[(*ret_n)++] = (struct pair){ mapping->keys[i]->text, mapping->items[i] };
    if (*ret_n)
        qsort(pairs, *ret_n, sizeof(*pairs), compare_pairs);
    return pairs;
}

/* How the values of a free mapping or list are written. */
typedef bool write_entry(struct decompile *d, const void *context, vsr_str key, const struct yaml_node *value);

/* In the order of the keys; what cannot be said is left out with its key. */
static bool write_map(struct decompile *d, const struct yaml_node *mapping, write_entry *write, const void *context) {
    size_t n;
    const struct pair *pairs = sorted_pairs(d, mapping, &n);
    bool first = true;
    buf_append_char(d->out, '{');
    for (size_t i = 0; i < n; i++) {
        size_t mark = d->out->len;
        buf_append_c(d->out, first ? " " : ", ");
        write_key(d, pairs[i].key);
        if (write(d, context, pairs[i].key, pairs[i].value))
            first = false;
        else
            d->out->len = mark;
    }
    buf_append_c(d->out, first ? "}" : " }");
    return true;
}

static bool write_list(struct decompile *d, const struct yaml_node *list, write_entry *write, const void *context) {
    bool first = true;
    buf_append_char(d->out, '[');
    for (size_t i = 0; i < list->n_items; i++) {
        size_t mark = d->out->len;
        if (!first)
            buf_append_c(d->out, ", ");
        if (write(d, context, VSR_STR(""), list->items[i]))
            first = false;
        else
            d->out->len = mark;
    }
    buf_append_char(d->out, ']');
    return true;
}

/* The context of free form whose scalars are all text; otherwise it has none. */
static const bool all_text = true;

static bool write_free(struct decompile *d, const void *context, vsr_str key, const struct yaml_node *value) {
    (void)key;
    if (yaml_is_null(value)) {
        decompile_lost(d, value, "a list cannot hold null");
        return false;
    }
    if (value->kind == YAML_MAPPING)
        return write_map(d, value, write_free, context);
    if (value->kind == YAML_SEQUENCE)
        return write_list(d, value, write_free, context);
    if (context)
        spell_string(d->out, value->text);
    else
        write_free_scalar(d, value);
    return true;
}

/* A scalar is text, whatever it looks like. */
static bool write_pair(struct decompile *d, const void *context, vsr_str key, const struct yaml_node *value) {
    return write_free(d, value->kind == YAML_SCALAR ? &all_text : context, key, value);
}

/* ---- what tables describe */

static bool write_typed(struct decompile *d, const struct field *field, const struct language_field *row,
                        const struct yaml_node *value, const struct yaml_node *object, const struct schema *schema);

/* A mapping that a table describes and no block of the language does. */
struct described {
    const struct schema *schema;
    const struct yaml_node *object;
};

/* Whether the value is what the field holds, so that it can be written as that. */
static bool fits(const struct field *field, const struct yaml_node *value) {
    bool truth, old;
    double number;
    switch (field->kind) {
    case FIELD_BOOL:
        return value->kind == YAML_SCALAR && !value->quoted && value_bool(value->text, &truth, &old) == VALUE_OK;
    case FIELD_INT:
        return is_int(value);
    case FIELD_NUMBER:
        return value->kind == YAML_SCALAR && !value->quoted && value_number(value->text, &number) == VALUE_OK;
    case FIELD_STRING:
    case FIELD_ENUM:
    case FIELD_DURATION:
    case FIELD_TOKENS:
        return value->kind == YAML_SCALAR;
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
    case FIELD_VARIANT:
    case FIELD_PAIRS:
        return value->kind == YAML_MAPPING;
    default:
        return false;
    }
}

/* Compiling takes anything here, and leaves it to loading to refuse it. */
static bool write_described(struct decompile *d, const void *context, vsr_str key, const struct yaml_node *value) {
    const struct described *described = context;
    const struct field *field = schema_field(described->schema, key);
    if (field && !(field->flags & FIELD_KEY) && fits(field, value))
        return write_typed(d, field, NULL, value, described->object, described->schema);
    return write_free(d, field && field->kind == FIELD_STRINGS ? &all_text : NULL, key, value);
}

static bool write_described_object(struct decompile *d, const struct schema *schema, const struct yaml_node *value) {
    struct described described = { schema, value };
    return write_map(d, value, write_described, &described);
}

/* What is left of a value may be a zero, though the value was none. */
static bool write_field(struct decompile *d, const struct decompile_fields *fields, const struct language_field *field,
                        const struct yaml_node *value) {
    struct yaml_node none = { .kind = value->kind };
    size_t mark = d->out->len;
    if (!write_typed(d, field->field, field, value, fields ? fields->inside : NULL,
                     fields ? fields->block->schema : NULL))
        return false;
    return value->kind == YAML_SCALAR || d->out->len - mark > sizeof("[]") - 1 || language_in_text(field, &none);
}

/* What the text says where the configuration says nothing, or a plain zero: `value`, or NULL. */
static const struct yaml_node *unsaid(struct decompile *d, const struct language_field *field,
                                      const struct yaml_node *value) {
    struct yaml_node *node = ARENA_NEW(d->arena, struct yaml_node);
    *node = (struct yaml_node){ .kind = YAML_SCALAR, .text = value ? VSR_STR("0") : language_unsaid(field) };
    return node;
}

/* A value that was told to be lost is none: the text says what it says of none. */
static bool write_value(struct decompile *d, const struct decompile_fields *fields, const struct language_field *field,
                        const struct yaml_node *value) {
    size_t mark = d->out->len;
    if (write_field(d, fields, field, value))
        return true;
    d->out->len = mark;
    return language_in_text(field, NULL) && write_field(d, fields, field, unsaid(d, field, NULL));
}

static bool write_object(struct decompile *d, const struct field *field, const struct language_field *row,
                         const struct yaml_node *value) {
    struct decompile_fields fields = { row ? row->block : NULL, value, NULL };
    bool first = true;
    if (value->kind != YAML_MAPPING)
        return not_a(d, field, value, "an object");
    if (!fields.block)
        return write_described_object(d, field->object, value);
    buf_append_char(d->out, '{');
    for (size_t i = 0; i < fields.block->n_fields; i++) {
        const struct language_field *inner = &fields.block->fields[i];
        const struct yaml_node *shown = decompile_shown(d, &fields, inner);
        size_t mark = d->out->len;
        if (!shown)
            continue;
        buf_append_c(d->out, first ? " " : ", ");
        write_key(d, inner->name);
        if (write_value(d, &fields, inner, shown))
            first = false;
        else
            d->out->len = mark;
    }
    buf_append_c(d->out, first ? "}" : " }");
    decompile_lost_keys(d, value, fields.block, NULL);
    return true;
}

struct entry {
    const struct field *field;
    const struct language_field *row;
};

static bool write_strings(struct decompile *d, const void *context, vsr_str key, const struct yaml_node *value);

/* One of a list or of a map. */
static bool write_item(struct decompile *d, const void *context, vsr_str key, const struct yaml_node *value) {
    const struct entry *entry = context;
    (void)key;
    switch (entry->field->kind) {
    case FIELD_INT_LIST:
        return write_int(d, entry->field, value);
    case FIELD_NUMBER_LIST:
    case FIELD_NUMBER_MAP:
        return write_number(d, entry->field, value);
    case FIELD_OBJECTS:
    case FIELD_OBJECT_MAP:
        return write_object(d, entry->field, entry->row, value);
    case FIELD_STRINGS:
        return write_string(d, entry->field, entry->row, value);
    default:
        return write_strings(d, context, key, value);
    }
}

static bool write_strings(struct decompile *d, const void *context, vsr_str key, const struct yaml_node *value) {
    const struct entry *entry = context;
    struct field strings = *entry->field;
    struct entry inner = { &strings, entry->row };
    (void)key;
    strings.kind = FIELD_STRINGS;
    if (value->kind != YAML_SEQUENCE)
        return not_a(d, entry->field, value, "a list of texts");
    return write_list(d, value, write_item, &inner);
}

/* A block whose table a sibling chooses. */
static bool write_variant(struct decompile *d, const struct field *field, const struct yaml_node *value,
                          const struct yaml_node *object, const struct schema *schema) {
    const struct field_variant *variant = object && schema ? schema_variant(schema, field, object) : NULL;
    if (value->kind != YAML_MAPPING)
        return not_a(d, field, value, "an object");
    return variant && variant->schema ? write_described_object(d, variant->schema, value)
                                      : write_free(d, NULL, VSR_STR(""), value);
}

static bool write_typed(struct decompile *d, const struct field *field, const struct language_field *row,
                        const struct yaml_node *value, const struct yaml_node *object, const struct schema *schema) {
    struct entry entry = { field, row };
    bool is_list = value->kind == YAML_SEQUENCE, is_map = value->kind == YAML_MAPPING;
    switch (field->kind) {
    case FIELD_BOOL:
        return write_bool(d, field, value);
    case FIELD_INT:
        return write_int(d, field, value);
    case FIELD_NUMBER:
        return write_number(d, field, value);
    case FIELD_INT_OR_AUTO:
        return is_int(value) ? write_int(d, field, value) : write_string(d, field, row, value);
    case FIELD_STRING:
    case FIELD_ENUM:
    case FIELD_DURATION:
    case FIELD_TOKENS:
        return write_string(d, field, row, value);
    case FIELD_STRINGS:
    case FIELD_STRING_LISTS:
    case FIELD_OBJECTS:
    case FIELD_INT_LIST:
    case FIELD_NUMBER_LIST:
        return is_list ? write_list(d, value, write_item, &entry) : not_a(d, field, value, "a list");
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        return write_object(d, field, row, value);
    case FIELD_OBJECT_MAP:
    case FIELD_NUMBER_MAP:
    case FIELD_STRINGS_MAP:
        return is_map ? write_map(d, value, write_item, &entry) : not_a(d, field, value, "an object");
    case FIELD_PAIRS:
        return is_map ? write_map(d, value, write_pair, NULL) : not_a(d, field, value, "an object");
    case FIELD_VARIANT:
        return write_variant(d, field, value, object, schema);
    case FIELD_NODE:
        return write_free(d, NULL, VSR_STR(""), value);
    }
    return false;
}

/* ---- fields */

const struct yaml_node *decompile_said(const struct decompile_fields *fields, const struct language_field *field) {
    vsr_str name = str_from_c(field->field->name);
    const struct yaml_node *value = NULL;
    if (field->place != PLACE_BESIDE && fields->inside)
        value = yaml_get(fields->inside, name);
    if (field->place != PLACE_INSIDE && fields->beside && yaml_is_null(value))
        value = yaml_get(fields->beside, name);
    return yaml_is_null(value) ? NULL : value;
}

const struct yaml_node *decompile_shown(struct decompile *d, const struct decompile_fields *fields,
                                        const struct language_field *field) {
    const struct yaml_node *value = decompile_said(fields, field);
    if (!language_in_text(field, value))
        return NULL;
    return value && !language_is_plain_zero(field, value) ? value : unsaid(d, field, value);
}

bool decompile_has_fields(struct decompile *d, const struct decompile_fields *fields) {
    for (size_t i = 0; i < fields->block->n_fields; i++)
        if (decompile_shown(d, fields, &fields->block->fields[i]))
            return true;
    return false;
}

void decompile_line(struct decompile *d, const struct decompile_fields *fields, const struct language_field *field,
                    const struct yaml_node *value, const char *indent) {
    size_t mark = d->out->len;
    buf_append_c(d->out, indent);
    write_key(d, field->name);
    if (write_value(d, fields, field, value))
        buf_append_char(d->out, '\n');
    else
        d->out->len = mark;
}

void decompile_lines(struct decompile *d, const struct decompile_fields *fields, const char *indent) {
    for (size_t i = 0; i < fields->block->n_fields; i++) {
        const struct yaml_node *value = decompile_shown(d, fields, &fields->block->fields[i]);
        if (value)
            decompile_line(d, fields, &fields->block->fields[i], value, indent);
    }
}

void decompile_inline(struct decompile *d, const struct language_field *field, const struct yaml_node *value,
                      const char *sign, bool *first) {
    size_t mark = d->out->len;
    if (!*first)
        buf_append_c(d->out, ", ");
    spell_name(d->out, field->name);
    buf_append_c(d->out, sign);
    if (write_value(d, NULL, field, value))
        *first = false;
    else
        d->out->len = mark;
}

/* ---- blocks of items */

static const char opening[] = " {\n";

size_t decompile_open(struct decompile *d) {
    size_t mark = d->out->len;
    buf_append_c(d->out, opening);
    return mark;
}

bool decompile_close(struct decompile *d, size_t mark) {
    bool any = d->out->len > mark + sizeof(opening) - 1;
    if (any)
        buf_append_c(d->out, "  }");
    else
        d->out->len = mark;
    return any;
}
