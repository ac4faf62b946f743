#include <math.h>
#include <stdlib.h>

#include "config/schema.h"
#include "config/schema_value.h"
#include "core/buf.h"
#include "core/json_write.h"

/* Blocks are indented by two. The first line of a list's entry carries its dash. */
enum { INDENT = 2 };

struct printer {
    struct buf *out;
    bool effective;
};

/* ---- scalars */

static bool is_plain_char(char c) {
    return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || strchr("_-./+ ", c);
}

/* Whether the text would be read by other YAML readers as something that is no string. */
static bool looks_typed(vsr_str text) {
    bool flag, old;
    int64_t integer;
    double number;
    return value_bool(text, &flag, &old) == VALUE_OK || value_int(text, &integer) != VALUE_TYPE ||
           value_number(text, &number) != VALUE_TYPE || str_eq_nocase(text, VSR_STR("null"));
}

static bool is_plain_text(vsr_str text) {
    if (text.len == 0 || text.ptr[0] == ' ' || text.ptr[0] == '-' || text.ptr[text.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == 0 || !is_plain_char(text.ptr[i]))
            return false;
    return !looks_typed(text);
}

static void print_text(struct buf *out, vsr_str text) {
    if (is_plain_text(text))
        buf_append(out, text);
    else
        json_quote(out, text);
}

/* The fewest digits that read back to the same number. */
static void print_number(struct buf *out, double number) {
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    buf_append_c(out, text);
}

static void print_duration(struct buf *out, int64_t ms) {
    if (ms % 1000 == 0)
        buf_printf(out, "%llds", (long long)(ms / 1000));
    else
        buf_printf(out, "%lldms", (long long)ms);
}

static void print_secret(struct buf *out) {
    buf_append_c(out, "\"[REDACTED]\"");
}

static void print_flow(struct buf *out, const struct yaml_node *node) {
    switch (node->kind) {
    case YAML_NULL:
        buf_append_c(out, "null");
        return;
    case YAML_SCALAR:
        if (node->quoted || !is_plain_char(node->text.len ? node->text.ptr[0] : 0))
            json_quote(out, node->text);
        else
            buf_append(out, node->text);
        return;
    case YAML_SEQUENCE:
        for (size_t i = 0; i < node->n_items; i++) {
            buf_append_c(out, i ? ", " : "[");
            print_flow(out, node->items[i]);
        }
        buf_append_c(out, node->n_items ? "]" : "[]");
        return;
    case YAML_MAPPING:
        for (size_t i = 0; i < node->n_items; i++) {
            buf_append_c(out, i ? ", " : "{");
            json_quote(out, node->keys[i]->text);
            buf_append_c(out, ": ");
            print_flow(out, node->items[i]);
        }
        buf_append_c(out, node->n_items ? "}" : "{}");
        return;
    }
}

static void print_strings(struct buf *out, const struct field *field, const struct config_strings *strings) {
    for (size_t i = 0; i < strings->n; i++) {
        buf_append_c(out, i ? ", " : "[");
        if (field->flags & FIELD_SECRET && strings->items[i].len)
            print_secret(out);
        else
            print_text(out, strings->items[i]);
    }
    buf_append_c(out, strings->n ? "]" : "[]");
}

static void print_string_lists(struct buf *out, const struct field *field, const struct config_string_lists *lists) {
    for (size_t i = 0; i < lists->n; i++) {
        buf_append_c(out, i ? ", " : "[");
        print_strings(out, field, &lists->items[i]);
    }
    buf_append_c(out, lists->n ? "]" : "[]");
}

bool schema_sounds_secret(vsr_str name) {
    static const vsr_str words[] = { VSR_STR_INIT("authorization"), VSR_STR_INIT("api-key"), VSR_STR_INIT("token"),
                                     VSR_STR_INIT("secret"), VSR_STR_INIT("cookie") };
    for (size_t i = 0; i < VSR_COUNT(words); i++)
        for (size_t at = 0; at + words[i].len <= name.len; at++)
            if (str_eq_nocase(str_make(name.ptr + at, words[i].len), words[i]))
                return true;
    return false;
}

static void print_numbers(struct buf *out, const struct config_numbers *numbers) {
    for (size_t i = 0; i < numbers->n; i++) {
        buf_append_c(out, i ? ", " : "[");
        print_number(out, numbers->items[i]);
    }
    buf_append_c(out, numbers->n ? "]" : "[]");
}

static void print_ints(struct buf *out, const struct config_ints *ints) {
    for (size_t i = 0; i < ints->n; i++)
        buf_printf(out, "%s%lld", i ? ", " : "[", (long long)ints->items[i]);
    buf_append_c(out, ints->n ? "]" : "[]");
}

static void print_number_map(struct buf *out, const struct config_number_map *map) {
    for (size_t i = 0; i < map->n; i++) {
        buf_append_c(out, i ? ", " : "{");
        print_text(out, map->keys[i]);
        buf_append_c(out, ": ");
        print_number(out, map->values[i]);
    }
    buf_append_c(out, map->n ? "}" : "{}");
}

static void print_strings_map(struct buf *out, const struct field *field, const struct config_strings_map *map) {
    for (size_t i = 0; i < map->n; i++) {
        buf_append_c(out, i ? ", " : "{");
        print_text(out, map->keys[i]);
        buf_append_c(out, ": ");
        print_strings(out, field, &map->values[i]);
    }
    buf_append_c(out, map->n ? "}" : "{}");
}

static void print_pairs(struct buf *out, const struct field *field, const struct config_pairs *pairs) {
    for (size_t i = 0; i < pairs->n; i++) {
        buf_append_c(out, i ? ", " : "{");
        print_text(out, pairs->keys[i]);
        buf_append_c(out, ": ");
        if (field->flags & FIELD_SECRET && pairs->values[i].len && schema_sounds_secret(pairs->keys[i]))
            print_secret(out);
        else
            print_text(out, pairs->values[i]);
    }
    buf_append_c(out, pairs->n ? "}" : "{}");
}

static void print_inline(struct buf *out, const struct field *field, const void *slot) {
    switch (field->kind) {
    case FIELD_BOOL:
        buf_append_c(out, *(const bool *)slot ? "true" : "false");
        return;
    case FIELD_INT:
    case FIELD_TOKENS:
        buf_printf(out, "%lld", (long long)*(const int64_t *)slot);
        return;
    case FIELD_NUMBER:
        print_number(out, *(const double *)slot);
        return;
    case FIELD_STRING:
        if (field->flags & FIELD_SECRET && ((const vsr_str *)slot)->len)
            print_secret(out);
        else
            print_text(out, *(const vsr_str *)slot);
        return;
    case FIELD_ENUM:
        print_text(out, str_from_c(field->choices[*(const int *)slot]));
        return;
    case FIELD_DURATION:
        print_duration(out, *(const int64_t *)slot);
        return;
    case FIELD_STRINGS:
        print_strings(out, field, slot);
        return;
    case FIELD_STRING_LISTS:
        print_string_lists(out, field, slot);
        return;
    case FIELD_PAIRS:
        print_pairs(out, field, slot);
        return;
    case FIELD_NODE:
        print_flow(out, *(const struct yaml_node *const *)slot);
        return;
    case FIELD_INT_OR_AUTO:
        if (*(const int64_t *)slot == FIELD_AUTO)
            buf_append_c(out, "auto");
        else
            buf_printf(out, "%lld", (long long)*(const int64_t *)slot);
        return;
    case FIELD_NUMBER_LIST:
        print_numbers(out, slot);
        return;
    case FIELD_INT_LIST:
        print_ints(out, slot);
        return;
    case FIELD_NUMBER_MAP:
        print_number_map(out, slot);
        return;
    case FIELD_STRINGS_MAP:
        print_strings_map(out, field, slot);
        return;
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
    case FIELD_OBJECTS:
    case FIELD_OBJECT_MAP:
    case FIELD_VARIANT:
        return;
    }
}

/* ---- objects */

static size_t print_fields(const struct printer *p, const struct schema *schema, const void *object, int indent,
                           bool dash);

/* Whether a field that the document does not have is part of the effective configuration: it has a default, or was
 * derived. */
static bool has_default(const struct printer *p, const struct field *field, const void *slot) {
    if (!p->effective)
        return false;
    switch (field->kind) {
    case FIELD_BOOL:
        return true;
    case FIELD_STRING:
        return field->fallback || ((const vsr_str *)slot)->len > 0;
    case FIELD_INT:
    case FIELD_DURATION:
        return field->fallback || *(const int64_t *)slot != 0;
    case FIELD_ENUM:
        return field->fallback || field->choices[*(const int *)slot][0];
    case FIELD_STRINGS:
        return ((const struct config_strings *)slot)->n > 0;
    case FIELD_NUMBER_LIST:
        return ((const struct config_numbers *)slot)->n > 0;
    case FIELD_INT_LIST:
        return ((const struct config_ints *)slot)->n > 0;
    case FIELD_NUMBER_MAP:
        return ((const struct config_number_map *)slot)->n > 0;
    case FIELD_STRINGS_MAP:
        return ((const struct config_strings_map *)slot)->n > 0;
    default:
        return field->fallback;
    }
}

static void print_key(const struct printer *p, vsr_str key, int indent, bool dash) {
    buf_printf(p->out, "%*s%s", dash ? indent - INDENT : indent, "", dash ? "- " : "");
    print_text(p->out, key);
    buf_append_char(p->out, ':');
}

/* A nested block, or nothing when it has no lines and was not written. */
static bool print_block(const struct printer *p, const struct schema *schema, const void *object, vsr_str key,
                        bool written, int indent, bool dash) {
    size_t mark = p->out->len;
    print_key(p, key, indent, dash);
    buf_append_char(p->out, '\n');
    if (print_fields(p, schema, object, indent + INDENT, false))
        return true;
    p->out->len = mark;
    if (!written)
        return false;
    print_key(p, key, indent, dash);
    buf_append_c(p->out, " {}\n");
    return true;
}

static void print_entries(const struct printer *p, const struct field *field, const struct config_list *list,
                          int indent) {
    for (size_t i = 0; i < list->n; i++) {
        const char *entry = (const char *)list->items + i * field->object->size;
        if (!print_fields(p, field->object, entry, indent + INDENT, true))
            buf_printf(p->out, "%*s- {}\n", indent, "");
    }
}

static vsr_str entry_key(const struct schema *schema, const char *entry) {
    for (size_t i = 0; i < schema->n_fields; i++) {
        const void *slot = entry + schema->fields[i].offset;
        if (schema->fields[i].flags & FIELD_KEY)
            return *(const vsr_str *)slot;
    }
    return VSR_STR("");
}

static void print_named_entries(const struct printer *p, const struct field *field, const struct config_list *list,
                                int indent) {
    for (size_t i = 0; i < list->n; i++) {
        const char *entry = (const char *)list->items + i * field->object->size;
        print_block(p, field->object, entry, entry_key(field->object, entry), true, indent, false);
    }
}

static bool print_list(const struct printer *p, const struct field *field, const struct config_list *list, bool written,
                       int indent, bool dash) {
    bool named = field->kind == FIELD_OBJECT_MAP;
    if (!written && (list->n == 0 || !p->effective))
        return false;
    print_key(p, str_from_c(field->name), indent, dash);
    if (list->n == 0) {
        buf_append_c(p->out, named ? " {}\n" : " []\n");
        return true;
    }
    buf_append_char(p->out, '\n');
    if (named)
        print_named_entries(p, field, list, indent + INDENT);
    else
        print_entries(p, field, list, indent + INDENT);
    return true;
}

/* The table that a decoded object chose; NULL when there is none. */
static const struct schema *variant_schema(const struct schema *schema, const struct field *field,
                                           const struct config_at *at) {
    const struct field_variant *variant = schema_variant(schema, field, at->node);
    return variant ? variant->schema : NULL;
}

/* Returns whether a line was printed. */
static bool print_field(const struct printer *p, const struct schema *schema, const void *object,
                        const struct field *field, bool written, int indent, bool dash) {
    const void *slot = (const char *)object + field->offset;
    const struct schema *nested = field->object;
    switch (field->kind) {
    case FIELD_VARIANT:
        nested = variant_schema(schema, field, object);
        __attribute__((fallthrough));
    case FIELD_OPTIONAL:
        slot = *(const void *const *)slot;
        if (!slot)
            return false;
        __attribute__((fallthrough));
    case FIELD_OBJECT:
        return print_block(p, nested, slot, str_from_c(field->name), written, indent, dash);
    case FIELD_OBJECTS:
    case FIELD_OBJECT_MAP:
        return print_list(p, field, slot, written, indent, dash);
    default:
        break;
    }
    if (!written && !has_default(p, field, slot))
        return false;
    print_key(p, str_from_c(field->name), indent, dash);
    buf_append_char(p->out, ' ');
    print_inline(p->out, field, slot);
    buf_append_char(p->out, '\n');
    return true;
}

/* Returns how many fields were printed. `dash`: the first line begins a list's entry. */
static size_t print_fields(const struct printer *p, const struct schema *schema, const void *object, int indent,
                           bool dash) {
    const struct config_at *at = object;
    size_t n = 0;
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        bool written = at->present >> i & 1;
        if (!(field->flags & FIELD_KEY))
            n += print_field(p, schema, object, field, written, indent, dash && n == 0);
    }
    return n;
}

void schema_print(const struct schema *schema, const void *object, int indent, bool effective, struct buf *out) {
    struct printer p = { out, effective };
    print_fields(&p, schema, object, indent, false);
}
