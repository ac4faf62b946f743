#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "config/yaml_edit.h"
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/compile_parts.h"
#include "dsl/spelling.h"

enum { NUMBER_LEN_MAX = 512 }; /* the smallest double has some 340 digits when it is laid out */

/* ---- nodes */

struct yaml_node *compile_node(struct compile *c, enum yaml_kind kind, const struct dsl_at *at) {
    struct yaml_node *node = ARENA_NEW(c->arena, struct yaml_node);
    *node = (struct yaml_node){ .kind = kind, .line = at->line, .col = at->col, .start = at->start, .end = at->end };
    return node;
}

struct yaml_node *compile_plain(struct compile *c, vsr_str text, const struct dsl_at *at) {
    struct yaml_node *node = compile_node(c, YAML_SCALAR, at);
    node->text = text;
    return node;
}

struct yaml_node *compile_text(struct compile *c, vsr_str text, const struct dsl_at *at) {
    struct yaml_node *node = compile_plain(c, text, at);
    node->quoted = true;
    node->style = str_find_char(text, '\n') >= 0 ? YAML_LITERAL : YAML_PLAIN;
    return node;
}

struct yaml_node *compile_int(struct compile *c, int64_t value, const struct dsl_at *at) {
    return compile_plain(c, arena_printf(c->arena, "%" PRId64, value), at);
}

static struct yaml_node *number(struct compile *c, double value, const struct dsl_at *at) {
    struct yaml_node *node;
    struct buf text;
    buf_init(&text, NUMBER_LEN_MAX);
    spell_number(&text, value);
    node = compile_plain(c, arena_str(c->arena, buf_str(&text)), at);
    buf_done(&text);
    return node;
}

void compile_put(struct compile *c, struct yaml_node *mapping, vsr_str key, const struct dsl_at *at,
                 struct yaml_node *value) {
    if (value)
        yaml_append(c->arena, mapping, compile_plain(c, key, at), value);
}

void compile_put_filled(struct compile *c, struct yaml_node *mapping, const char *key, const struct dsl_at *at,
                        struct yaml_node *value) {
    if (value && value->n_items > 0)
        compile_put(c, mapping, str_from_c(key), at, value);
}

/* ---- any value */

static struct yaml_node *object(struct compile *c, const struct language_field *field, const struct dsl_value *value);

static int compare_keys(const void *a, const void *b) {
    const struct dsl_field *const *one = a, *const *other = b;
    return str_cmp((*one)->key.text, (*other)->key.text);
}

const struct dsl_field **compile_sorted(struct compile *c, const struct dsl_fields *fields, size_t *ret_n) {
    const struct dsl_field **sorted = ARENA_ARRAY(c->arena, const struct dsl_field *, fields->n);
    size_t n = 0;
    for (size_t i = 0; i < fields->n; i++)
        if (!fields->items[i].overridden)
            sorted[n++] = &fields->items[i];
    if (n)
        qsort((void *)sorted, n, sizeof(struct dsl_field *), compare_keys);
    *ret_n = n;
    return sorted;
}

/* The fields of an object whose keys are not those of a table. */
static struct yaml_node *keyed(struct compile *c, const struct language_field *field, const struct dsl_value *value) {
    struct yaml_node *node = compile_node(c, YAML_MAPPING, &value->at);
    size_t n;
    const struct dsl_field **sorted = compile_sorted(c, &value->fields, &n);
    for (size_t i = 0; i < n; i++) {
        struct yaml_node *got = field ? object(c, field, &sorted[i]->value) : compile_free(c, &sorted[i]->value);
        if (got)
            yaml_append(c->arena, node, compile_text(c, sorted[i]->key.text, &sorted[i]->key.at), got);
    }
    return node;
}

static struct yaml_node *free_array(struct compile *c, const struct dsl_value *value) {
    struct yaml_node *node = compile_node(c, YAML_SEQUENCE, &value->at);
    for (size_t i = 0; i < value->n_items; i++) {
        struct yaml_node *item = compile_free(c, &value->items[i]);
        if (item)
            yaml_push(c->arena, node, item);
    }
    return node;
}

struct yaml_node *compile_free(struct compile *c, const struct dsl_value *value) {
    switch (value->kind) {
    case DSL_STRING:
        return compile_text(c, value->text, &value->at);
    case DSL_INT: /* minus zero is no integer */
        return value->integer == 0 && signbit(value->number) ? number(c, value->number, &value->at)
                                                             : compile_int(c, value->integer, &value->at);
    case DSL_FLOAT:
        return number(c, value->number, &value->at);
    case DSL_BOOL:
        return compile_plain(c, value->truth ? VSR_STR("true") : VSR_STR("false"), &value->at);
    case DSL_ARRAY:
        return free_array(c, value);
    case DSL_OBJECT:
        return keyed(c, NULL, value);
    case DSL_NULL:
        break;
    }
    return NULL;
}

/* ---- values of one kind */

static struct yaml_node *object(struct compile *c, const struct language_field *field, const struct dsl_value *value) {
    struct yaml_node *node;
    if (value->kind != DSL_OBJECT)
        return field->block->schema && field->block->schema->shorthand ? compile_free(c, value) : NULL;
    node = compile_node(c, YAML_MAPPING, &value->at);
    compile_block(c, field->block, PLACE_INSIDE, &value->fields, &value->at, node);
    return node;
}

static struct yaml_node *integer(struct compile *c, const struct dsl_value *value) {
    if (value->kind == DSL_INT)
        return compile_int(c, value->integer, &value->at);
    if (value->kind == DSL_FLOAT && fabs(value->number) < 0x1p63)
        return compile_int(c, (int64_t)value->number, &value->at);
    return NULL;
}

static struct yaml_node *string(struct compile *c, const struct language_field *field, const struct dsl_value *value) {
    return value->kind == DSL_STRING ? compile_text(c, language_canonical(field, value->text), &value->at) : NULL;
}

/* A count keeps its text: 8K is no number. */
static struct yaml_node *token_count(struct compile *c, const struct dsl_value *value) {
    bool fits = value->kind == DSL_STRING || dsl_is_number(value);
    return fits ? compile_text(c, value->text, &value->at) : NULL;
}

static struct yaml_node *item(struct compile *c, const struct language_field *field, const struct dsl_value *value);

static struct yaml_node *list(struct compile *c, const struct language_field *field, const struct dsl_value *value) {
    struct yaml_node *node;
    if (value->kind != DSL_ARRAY)
        return NULL;
    node = compile_node(c, YAML_SEQUENCE, &value->at);
    for (size_t i = 0; i < value->n_items; i++) {
        struct yaml_node *entry = item(c, field, &value->items[i]);
        if (entry)
            yaml_push(c->arena, node, entry);
    }
    return node;
}

static struct yaml_node *strings(struct compile *c, const struct dsl_value *value) {
    struct yaml_node *node;
    if (value->kind != DSL_ARRAY)
        return NULL;
    node = compile_node(c, YAML_SEQUENCE, &value->at);
    for (size_t i = 0; i < value->n_items; i++)
        if (value->items[i].kind == DSL_STRING)
            yaml_push(c->arena, node, compile_text(c, value->items[i].text, &value->items[i].at));
    return node;
}

/* One of a list. */
static struct yaml_node *item(struct compile *c, const struct language_field *field, const struct dsl_value *value) {
    switch (field->field->kind) {
    case FIELD_STRINGS:
        return string(c, field, value);
    case FIELD_STRING_LISTS:
        return strings(c, value);
    case FIELD_OBJECTS:
        return object(c, field, value);
    case FIELD_INT_LIST:
        return integer(c, value);
    case FIELD_NUMBER_LIST:
        return dsl_is_number(value) ? number(c, value->number, &value->at) : NULL;
    default:
        return NULL;
    }
}

/* What the field takes of the value; NULL: it is not of its kind, or null. */
static struct yaml_node *value_of_field(struct compile *c, const struct language_field *field,
                                        const struct dsl_value *value) {
    bool is_object = value->kind == DSL_OBJECT;
    switch (field->field->kind) {
    case FIELD_BOOL:
        return value->kind == DSL_BOOL ? compile_free(c, value) : NULL;
    case FIELD_INT:
        return integer(c, value);
    case FIELD_INT_OR_AUTO:
        return value->kind == DSL_STRING ? string(c, field, value) : integer(c, value);
    case FIELD_NUMBER:
        return dsl_is_number(value) ? number(c, value->number, &value->at) : NULL;
    case FIELD_STRING:
    case FIELD_ENUM:
    case FIELD_DURATION:
        return string(c, field, value);
    case FIELD_TOKENS:
        return token_count(c, value);
    case FIELD_STRINGS:
    case FIELD_STRING_LISTS:
    case FIELD_OBJECTS:
    case FIELD_INT_LIST:
    case FIELD_NUMBER_LIST:
        return list(c, field, value);
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        return object(c, field, value);
    case FIELD_OBJECT_MAP:
        return is_object ? keyed(c, field, value) : NULL;
    case FIELD_PAIRS:
        return is_object ? compile_pairs(c, value) : NULL;
    case FIELD_NUMBER_MAP:
    case FIELD_STRINGS_MAP:
    case FIELD_VARIANT: /* unless compile_variant() knows more */
        return is_object ? compile_free(c, value) : NULL;
    case FIELD_NODE:
        return compile_free(c, value);
    }
    return NULL;
}

/* ---- fields */

static struct yaml_node *unsaid(struct compile *c, const struct language_field *field, const struct dsl_at *at) {
    vsr_str text = language_unsaid(field);
    if (text.len)
        return compile_plain(c, text, at);
    switch (field->field->kind) {
    case FIELD_BOOL:
        return compile_plain(c, VSR_STR("false"), at);
    case FIELD_INT:
    case FIELD_NUMBER:
        return compile_plain(c, VSR_STR("0"), at);
    case FIELD_STRINGS:
    case FIELD_STRING_LISTS:
    case FIELD_OBJECTS:
        return compile_node(c, YAML_SEQUENCE, at);
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        return compile_node(c, YAML_MAPPING, at);
    default:
        return compile_text(c, VSR_STR(""), at);
    }
}

void compile_field(struct compile *c, const struct language_block *block, const struct language_field *field,
                   const struct dsl_fields *fields, const struct dsl_at *at, struct yaml_node *mapping) {
    const struct dsl_field *said = dsl_field(fields, field->name);
    struct yaml_node *value = said ? value_of_field(c, field, &said->value) : NULL;
    if (value && field->field->kind == FIELD_VARIANT)
        value = compile_variant(c, block, field, fields, &said->value);
    if (value && language_is_plain_zero(field, value))
        value->text = VSR_STR("0");
    if (language_in_yaml(field, value))
        compile_put(c, mapping, str_from_c(field->field->name), value ? &said->key.at : at,
                    value ? value : unsaid(c, field, at));
}

void compile_block(struct compile *c, const struct language_block *block, enum block_place place,
                   const struct dsl_fields *fields, const struct dsl_at *at, struct yaml_node *mapping) {
    for (size_t i = 0; i < block->n_fields; i++)
        if (block->yaml[i]->place == place || block->yaml[i]->place == PLACE_BOTH)
            compile_field(c, block, block->yaml[i], fields, at, mapping);
}

struct dsl_fields compile_joined(struct compile *c, const struct dsl_fields *first, const struct dsl_fields *then) {
    struct dsl_fields joined = { .n = first->n + then->n, .at = then->at.line ? then->at : first->at };
    joined.items = ARENA_ARRAY(c->arena, struct dsl_field, joined.n);
    if (first->n)
        memcpy(joined.items, first->items, first->n * sizeof(*joined.items));
    if (then->n)
        memcpy(joined.items + first->n, then->items, then->n * sizeof(*joined.items));
    return joined;
}

vsr_str compile_string(const struct dsl_fields *fields, const char *key) {
    const struct dsl_field *field = dsl_field(fields, str_from_c(key));
    return field && field->value.kind == DSL_STRING ? field->value.text : VSR_STR("");
}
