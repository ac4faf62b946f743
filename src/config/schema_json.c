#include "config/schema_json.h"

#include <math.h>

#include "config/schema_value.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/map.h"

enum { TABLES_MAX = 1024 };

#define DRAFT "https://json-schema.org/draft/2020-12/schema"
#define REFERENCE "environment_reference"

/* One number with a unit, such as 1.5h or .5s. */
#define AMOUNT "(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)"

/* The tables in the order in which they are found, each with its name under $defs. */
struct tables {
    struct arena *arena;
    const struct schema *items[TABLES_MAX];
    vsr_str names[TABLES_MAX];
    size_t n;
    struct map taken; /* names */
};

/* ---- finding the tables */

static vsr_str table_name(const struct tables *tables, const struct schema *schema) {
    for (size_t i = 0; i < tables->n; i++)
        if (tables->items[i] == schema)
            return tables->names[i];
    return VSR_STR("");
}

/* What an object is called in messages, in a form that needs no escaping. */
static vsr_str plain_name(struct arena *arena, const char *label) {
    size_t len = strlen(label);
    char *name = arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        char c = ascii_lower(label[i]);
        name[i] = (char)((c >= 'a' && c <= 'z') || ascii_is_digit(c) ? c : '_');
    }
    return str_make(name, len);
}

static vsr_str free_name(struct tables *tables, const struct schema *schema, vsr_str above) {
    vsr_str plain = plain_name(tables->arena, schema->name), name = plain;
    if (map_get(&tables->taken, name) && above.len)
        name = arena_printf(tables->arena, "%.*s_%.*s", VSR_FMT(above), VSR_FMT(plain));
    for (int i = 2; map_get(&tables->taken, name); i++)
        name = arena_printf(tables->arena, "%.*s_%d", VSR_FMT(plain), i);
    map_put(&tables->taken, name, tables);
    return name;
}

static void find_tables(struct tables *tables, const struct schema *schema, vsr_str above) {
    size_t index = tables->n;
    if (!schema || table_name(tables, schema).len)
        return;
    VSR_ASSERT(index < TABLES_MAX);
    tables->items[index] = schema;
    tables->names[index] = free_name(tables, schema, above);
    tables->n++;
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        find_tables(tables, field->object, tables->names[index]);
        for (size_t v = 0; v < field->n_variants; v++)
            find_tables(tables, field->variants[v].schema, tables->names[index]);
    }
}

/* ---- small pieces */

static void member(struct json_writer *w, const char *key, const char *text) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, str_from_c(text));
}

static void member_number(struct json_writer *w, const char *key, double number) {
    json_write_key(w, str_from_c(key));
    if (number == floor(number) && fabs(number) < 1e15)
        json_write_i64(w, (int64_t)number);
    else
        json_write_double(w, number);
}

static void one_type(struct json_writer *w, const char *type) {
    json_write_begin_object(w);
    member(w, "type", type);
    json_write_end(w);
}

static void pattern(struct json_writer *w, const char *expression) {
    json_write_begin_object(w);
    member(w, "type", "string");
    member(w, "pattern", expression);
    json_write_end(w);
}

static void reference_to(const struct tables *tables, struct json_writer *w, vsr_str name) {
    vsr_str path = arena_printf(tables->arena, "#/$defs/%.*s", VSR_FMT(name));
    json_write_key(w, VSR_STR("$ref"));
    json_write_str(w, path);
}

static void reference(const struct tables *tables, struct json_writer *w, vsr_str name) {
    json_write_begin_object(w);
    reference_to(tables, w, name);
    json_write_end(w);
}

static bool has_required(const struct schema *schema) {
    for (size_t i = 0; i < schema->n_fields; i++)
        if (schema->fields[i].flags & FIELD_REQUIRED)
            return true;
    return false;
}

/* ---- scalars */

static void range(struct json_writer *w, const struct field *field) {
    if (!(field->flags & FIELD_RANGE))
        return;
    if (!isinf(field->least))
        member_number(w, field->flags & FIELD_LEAST_OPEN ? "exclusiveMinimum" : "minimum", field->least);
    if (!isinf(field->greatest))
        member_number(w, "maximum", field->greatest);
}

static void number(struct json_writer *w, const struct field *field, const char *type) {
    json_write_begin_object(w);
    member(w, "type", type);
    range(w, field);
    json_write_end(w);
}

/* Underscores make text of a number, for others. */
static void spaced_integer(struct json_writer *w) {
    pattern(w, "^[-+]?(?:0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0o[0-7]+(?:_[0-7]+)*|[0-9]+(?:_[0-9]+)+)$");
}

/* The word in any mix of cases, as a regular expression. */
static void any_case(struct buf *out, vsr_str word) {
    for (size_t i = 0; i < word.len; i++) {
        char lower = ascii_lower(word.ptr[i]);
        if (lower >= 'a' && lower <= 'z')
            buf_printf(out, "[%c%c]", lower, lower - 'a' + 'A');
        else if (strchr("\\^$.|?*+()[]{}/-", lower))
            buf_printf(out, lower == '-' ? "-" : "\\%c", lower);
        else
            buf_append_char(out, lower);
    }
}

static void any_case_pattern(struct json_writer *w, const char *const *words) {
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_append_c(&text, "^\\s*(?:");
    for (size_t i = 0, n = 0; words[i]; i++) {
        if (!*words[i])
            continue;
        buf_append_c(&text, n++ ? "|" : "");
        any_case(&text, str_from_c(words[i]));
    }
    buf_append_c(&text, ")\\s*$");
    buf_append(&text, VSR_STR("\0"));
    pattern(w, text.ptr);
    buf_done(&text);
}

/* A word that other readers take for a number or a bool may reach the validator as one. */
static void word(struct json_writer *w, const char *text) {
    double value;
    bool flag, old;
    json_write_str(w, str_from_c(text));
    if (value_number(str_from_c(text), &value) == VALUE_OK)
        json_write_double(w, value);
    else if (value_bool(str_from_c(text), &flag, &old) == VALUE_OK)
        json_write_bool(w, flag);
}

static void words(struct json_writer *w, const char *const *choices) {
    if (!choices[0]) { /* nothing is allowed, and an empty list no schema */
        json_write_bool(w, false);
        return;
    }
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("enum"));
    json_write_begin_array(w);
    for (size_t i = 0; choices[i]; i++)
        if (*choices[i]) /* the empty one stands for "not written" */
            word(w, choices[i]);
    json_write_end(w);
    json_write_end(w);
}

static void text(struct json_writer *w, const struct field *field) {
    if (field->choices) {
        words(w, field->choices);
        if (field->flags & FIELD_NOCASE)
            any_case_pattern(w, field->choices);
        return;
    }
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("type"));
    json_write_begin_array(w);
    json_write_str(w, VSR_STR("string"));
    json_write_str(w, VSR_STR("number"));
    json_write_str(w, VSR_STR("boolean"));
    json_write_end(w);
    if (field->flags & FIELD_NONBLANK)
        member(w, "pattern", "\\S");
    json_write_end(w);
}

/* Bounds are beyond a pattern, but for the one that forbids zero. */
static void duration(struct json_writer *w, const struct field *field) {
    bool zero = !(field->flags & FIELD_RANGE) || field->least <= 0;
    if (zero)
        pattern(w, "^\\s*(?:0|(?:" AMOUNT "(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)\\s*$");
    else
        pattern(w, "^(?=.*[1-9])\\s*(?:" AMOUNT "(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+\\s*$");
    if (zero) {
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("const"));
        json_write_i64(w, 0);
        json_write_end(w);
    }
}

static void tokens(struct json_writer *w) {
    json_write_begin_object(w);
    member(w, "type", "number");
    member_number(w, "minimum", 0);
    json_write_end(w);
    pattern(w, "^\\s*(?:" AMOUNT "[kKmM]?)?\\s*$");
}

/* ---- values */

/* What may stand for a value of the field, each one element of an `anyOf`. Returns whether a reference may, too. */
static bool alternatives(const struct tables *tables, struct json_writer *w, const struct field *field);

/* The list of alternatives; `null`: an absent value is fine. */
static void any_of(const struct tables *tables, struct json_writer *w, const struct field *field, bool null) {
    json_write_key(w, VSR_STR("anyOf"));
    json_write_begin_array(w);
    if (alternatives(tables, w, field))
        reference(tables, w, VSR_STR(REFERENCE));
    if (null)
        one_type(w, "null");
    json_write_end(w);
}

/* One entry of a list or map whose field has that kind. */
static void entry(const struct tables *tables, struct json_writer *w, const struct field *field, enum field_kind kind) {
    struct field one = *field;
    bool blank_is_null = kind == FIELD_STRING && !(field->flags & FIELD_NONBLANK) && !field->choices;
    one.kind = kind;
    json_write_begin_object(w);
    any_of(tables, w, &one, blank_is_null);
    json_write_end(w);
}

static void list(const struct tables *tables, struct json_writer *w, const struct field *field, enum field_kind kind) {
    json_write_begin_object(w);
    member(w, "type", "array");
    if (field->flags & FIELD_NONBLANK)
        member_number(w, "minItems", 1);
    json_write_key(w, VSR_STR("items"));
    entry(tables, w, field, kind);
    json_write_end(w);
}

static void map(const struct tables *tables, struct json_writer *w, const struct field *field, enum field_kind kind) {
    json_write_begin_object(w);
    member(w, "type", "object");
    if (!(field->flags & FIELD_ANY)) {
        json_write_key(w, VSR_STR("additionalProperties"));
        entry(tables, w, field, kind);
    }
    json_write_end(w);
}

static void objects(const struct tables *tables, struct json_writer *w, const struct field *field) {
    bool named = field->kind == FIELD_OBJECT_MAP;
    json_write_begin_object(w);
    member(w, "type", named ? "object" : "array");
    json_write_key(w, named ? VSR_STR("additionalProperties") : VSR_STR("items"));
    json_write_begin_object(w);
    if (named && !has_required(field->object)) {
        json_write_key(w, VSR_STR("anyOf"));
        json_write_begin_array(w);
        reference(tables, w, table_name(tables, field->object));
        one_type(w, "null");
        json_write_end(w);
    } else {
        reference_to(tables, w, table_name(tables, field->object));
    }
    json_write_end(w);
    json_write_end(w);
}

static bool alternatives(const struct tables *tables, struct json_writer *w, const struct field *field) {
    switch (field->kind) {
    case FIELD_BOOL:
        one_type(w, "boolean");
        pattern(w, "^(?:[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF])$");
        return true;
    case FIELD_INT:
        number(w, field, "integer");
        spaced_integer(w);
        return true;
    case FIELD_INT_OR_AUTO:
        number(w, field, "integer");
        words(w, (const char *const[]){ "auto", NULL });
        return true;
    case FIELD_NUMBER:
        number(w, field, "number");
        return true;
    case FIELD_STRING:
        text(w, field);
        return field->choices;
    case FIELD_ENUM:
        words(w, field->choices);
        if (field->flags & FIELD_NOCASE)
            any_case_pattern(w, field->choices);
        return true;
    case FIELD_DURATION:
        duration(w, field);
        return true;
    case FIELD_TOKENS:
        tokens(w);
        return true;
    case FIELD_STRINGS:
        list(tables, w, field, FIELD_STRING);
        return false;
    case FIELD_STRING_LISTS:
        list(tables, w, field, FIELD_STRINGS);
        return false;
    case FIELD_NUMBER_LIST:
        list(tables, w, field, FIELD_NUMBER);
        return false;
    case FIELD_INT_LIST:
        list(tables, w, field, FIELD_INT);
        return false;
    case FIELD_PAIRS:
        map(tables, w, field, FIELD_STRING);
        return false;
    case FIELD_NUMBER_MAP:
        map(tables, w, field, FIELD_NUMBER);
        return false;
    case FIELD_STRINGS_MAP:
        map(tables, w, field, FIELD_STRINGS);
        return false;
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
        reference(tables, w, table_name(tables, field->object));
        return false;
    case FIELD_OBJECTS:
    case FIELD_OBJECT_MAP:
        objects(tables, w, field);
        return false;
    case FIELD_VARIANT: /* its table is chosen elsewhere */
        one_type(w, "object");
        return false;
    case FIELD_NODE:
        json_write_begin_object(w);
        json_write_end(w);
        return false;
    }
    return false;
}

/* ---- defaults */

static void scalar_default(struct json_writer *w, enum field_kind kind, vsr_str value) {
    bool flag, old;
    int64_t integer;
    double decimal;
    bool counts = kind == FIELD_INT || kind == FIELD_INT_OR_AUTO || kind == FIELD_TOKENS || kind == FIELD_INT_LIST;
    bool measures = kind == FIELD_NUMBER || kind == FIELD_NUMBER_LIST || kind == FIELD_NUMBER_MAP;
    if (kind == FIELD_BOOL && value_bool(value, &flag, &old) == VALUE_OK)
        json_write_bool(w, flag);
    else if (counts && value_int(value, &integer) == VALUE_OK)
        json_write_i64(w, integer);
    else if (measures && value_number(value, &decimal) == VALUE_OK)
        json_write_double(w, decimal);
    else
        json_write_str(w, value);
}

static void node_default(struct json_writer *w, enum field_kind kind, const struct yaml_node *node) {
    bool list = node->kind == YAML_SEQUENCE;
    if (node->kind == YAML_NULL) {
        json_write_null(w);
        return;
    }
    if (node->kind == YAML_SCALAR) {
        scalar_default(w, kind, node->text);
        return;
    }
    if (list)
        json_write_begin_array(w);
    else
        json_write_begin_object(w);
    for (size_t i = 0; i < node->n_items; i++) {
        if (!list)
            json_write_key(w, node->keys[i]->text);
        node_default(w, kind, node->items[i]);
    }
    json_write_end(w);
}

static void fallback(const struct tables *tables, struct json_writer *w, const struct field *field) {
    struct yaml_node *node;
    struct diag diag;
    if (!field->fallback || field->kind == FIELD_OBJECTS || field->kind == FIELD_OBJECT_MAP)
        return; /* of blocks, `vsr config defaults` tells */
    json_write_key(w, VSR_STR("default"));
    if (field->fallback[0] != '[' && field->fallback[0] != '{') {
        scalar_default(w, field->kind, str_from_c(field->fallback));
        return;
    }
    diag_init(&diag, tables->arena, VSR_STR(""));
    VSR_ASSERT(yaml_tree_parse(tables->arena, str_from_c(field->fallback), &node, &diag) == 0);
    node_default(w, field->kind, node);
}

/* ---- objects */

/* The text that chooses among variants is one of their names. */
static const struct field *variant_of(const struct schema *schema, const struct field *selector) {
    for (size_t i = 0; i < schema->n_fields; i++)
        if (schema->fields[i].selector && strcmp(schema->fields[i].selector, selector->name) == 0)
            return &schema->fields[i];
    return NULL;
}

static void property(const struct tables *tables, struct json_writer *w, const struct schema *schema,
                     const struct field *field) {
    const struct field *variant = variant_of(schema, field);
    struct field chosen = *field;
    if (variant && !chosen.choices) {
        const char **names = ARENA_ARRAY(tables->arena, const char *, variant->n_variants + 1);
        for (size_t i = 0; i < variant->n_variants; i++)
            names[i] = variant->variants[i].name;
        chosen.choices = names;
    }
    json_write_begin_object(w);
    member(w, "description", field->help);
    if (field->flags & FIELD_OLD) {
        json_write_key(w, VSR_STR("deprecated"));
        json_write_bool(w, true);
    }
    fallback(tables, w, field);
    if (field->kind == FIELD_BOOL && !field->fallback && !(field->flags & (FIELD_UNSET | FIELD_REQUIRED))) {
        json_write_key(w, VSR_STR("default"));
        json_write_bool(w, false);
    }
    any_of(tables, w, &chosen, !(field->flags & FIELD_REQUIRED));
    json_write_end(w);
}

static void required(struct json_writer *w, const struct schema *schema) {
    bool any = false;
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (!(schema->fields[i].flags & FIELD_REQUIRED))
            continue;
        if (!any) {
            json_write_key(w, VSR_STR("required"));
            json_write_begin_array(w);
        }
        any = true;
        json_write_str(w, str_from_c(schema->fields[i].name));
    }
    if (any)
        json_write_end(w);
}

/* Whether the selector says `name`, which it also does by being absent when `name` is its default. */
static void selector_is(struct json_writer *w, const struct field *selector, const char *name) {
    const char *const names[] = { name, NULL };
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("properties"));
    json_write_begin_object(w);
    json_write_key(w, str_from_c(selector->name));
    if (selector->flags & FIELD_NOCASE)
        any_case_pattern(w, names);
    else
        words(w, names);
    json_write_end(w);
    if (!selector->fallback || strcmp(selector->fallback, name) != 0) {
        json_write_key(w, VSR_STR("required"));
        json_write_begin_array(w);
        json_write_str(w, str_from_c(selector->name));
        json_write_end(w);
    }
    json_write_end(w);
}

static void variant_is(const struct tables *tables, struct json_writer *w, const struct field *field,
                       const struct schema *table) {
    bool needed = table && (has_required(table) || field->flags & FIELD_REQUIRED);
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("properties"));
    json_write_begin_object(w);
    json_write_key(w, str_from_c(field->name));
    if (!table) {
        one_type(w, "null");
    } else if (needed) {
        reference(tables, w, table_name(tables, table));
    } else {
        json_write_begin_object(w);
        json_write_key(w, VSR_STR("anyOf"));
        json_write_begin_array(w);
        reference(tables, w, table_name(tables, table));
        one_type(w, "null");
        json_write_end(w);
        json_write_end(w);
    }
    json_write_end(w);
    if (needed) {
        json_write_key(w, VSR_STR("required"));
        json_write_begin_array(w);
        json_write_str(w, str_from_c(field->name));
        json_write_end(w);
    }
    json_write_end(w);
}

static const struct field *field_named(const struct schema *schema, const char *name) {
    for (size_t i = 0; i < schema->n_fields; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    return NULL;
}

static void variants(const struct tables *tables, struct json_writer *w, const struct schema *schema) {
    bool any = false;
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        for (size_t v = 0; v < field->n_variants; v++) {
            if (!any) {
                json_write_key(w, VSR_STR("allOf"));
                json_write_begin_array(w);
            }
            any = true;
            json_write_begin_object(w);
            json_write_key(w, VSR_STR("if"));
            selector_is(w, field_named(schema, field->selector), field->variants[v].name);
            json_write_key(w, VSR_STR("then"));
            variant_is(tables, w, field, field->variants[v].schema);
            json_write_end(w);
        }
    }
    if (any)
        json_write_end(w);
}

static void members_of_table(const struct tables *tables, struct json_writer *w, const struct schema *schema) {
    member(w, "type", "object");
    json_write_key(w, VSR_STR("properties"));
    json_write_begin_object(w);
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (schema->fields[i].flags & FIELD_KEY)
            continue;
        json_write_key(w, str_from_c(schema->fields[i].name));
        property(tables, w, schema, &schema->fields[i]);
    }
    json_write_end(w);
    json_write_key(w, VSR_STR("patternProperties"));
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("^x-"));
    json_write_bool(w, true);
    json_write_end(w);
    json_write_key(w, VSR_STR("additionalProperties"));
    json_write_bool(w, false);
    required(w, schema);
    variants(tables, w, schema);
}

/* The members that describe one table; the object around them is open. What is short for it is no object. */
static void table(const struct tables *tables, struct json_writer *w, const struct schema *schema) {
    if (!schema->shorthand) {
        members_of_table(tables, w, schema);
        return;
    }
    json_write_key(w, VSR_STR("anyOf"));
    json_write_begin_array(w);
    json_write_begin_object(w);
    members_of_table(tables, w, schema);
    json_write_end(w);
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("not"));
    json_write_begin_object(w);
    member(w, "type", "object");
    json_write_end(w);
    json_write_end(w);
    json_write_end(w);
}

static void definitions(const struct tables *tables, struct json_writer *w) {
    json_write_begin_object(w);
    json_write_key(w, VSR_STR(REFERENCE));
    json_write_begin_object(w);
    member(w, "description", "A value that the environment gives: $NAME, ${NAME}, ${NAME:-default}.");
    member(w, "type", "string");
    member(w, "pattern", "\\$(?:\\{[^}]*\\}|[A-Za-z0-9_]+)");
    json_write_end(w);
    for (size_t i = 1; i < tables->n; i++) {
        json_write_key(w, tables->names[i]);
        json_write_begin_object(w);
        member(w, "title", tables->items[i]->name);
        table(tables, w, tables->items[i]);
        json_write_end(w);
    }
    json_write_end(w);
}

void schema_json(const struct schema *schema, const char *title, struct arena *arena, struct json_writer *w) {
    struct tables *tables = ARENA_NEW(arena, struct tables);
    tables->arena = arena;
    map_init(&tables->taken, arena);
    find_tables(tables, schema, VSR_STR(""));
    json_write_begin_object(w);
    member(w, "$schema", DRAFT);
    member(w, "title", title);
    table(tables, w, schema);
    json_write_key(w, VSR_STR("$defs"));
    definitions(tables, w);
    json_write_end(w);
}
