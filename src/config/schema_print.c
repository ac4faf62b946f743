#include <math.h>
#include <stdlib.h>

#include "config/env.h"
#include "config/schema.h"
#include "config/schema_value.h"
#include "core/buf.h"
#include "core/json_write.h"

/* Blocks are indented by two. The first line of a list's entry carries its dash. */
enum { INDENT = 2 };

struct printer {
    struct buf *out;
    bool effective;
    bool secrets; /* in clear text */
};

static struct printer printer_for(enum schema_view view, struct buf *out) {
    return (struct printer){ .out = out, .effective = view != SCHEMA_WRITTEN, .secrets = view == SCHEMA_MEANING };
}

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

/* ---- names of secrets */

/* Letters by their lower case, and a hyphen is as good as an underscore: headers and variables are both meant. */
static bool same_name(vsr_str a, vsr_str b) {
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        char c = a.ptr[i] == '_' ? '-' : ascii_lower(a.ptr[i]);
        if (c != b.ptr[i])
            return false;
    }
    return a.len == b.len;
}

bool schema_sounds_secret(vsr_str name) {
    static const vsr_str words[] = { VSR_STR_INIT("authorization"), VSR_STR_INIT("api-key"),
                                     VSR_STR_INIT("access-key"),    VSR_STR_INIT("private-key"),
                                     VSR_STR_INIT("password"),      VSR_STR_INIT("token"),
                                     VSR_STR_INIT("secret"),        VSR_STR_INIT("cookie") };
    for (size_t i = 0; i < VSR_COUNT(words); i++)
        for (size_t at = 0; at + words[i].len <= name.len; at++)
            if (same_name(str_make(name.ptr + at, words[i].len), words[i]))
                return true;
    return false;
}

/* Names that tables give to secrets, in a map that no table describes: there `max_tokens` is no secret. */
static bool is_secret_name(vsr_str name) {
    static const vsr_str endings[] = { VSR_STR_INIT("api-key"),      VSR_STR_INIT("access-key"),
                                       VSR_STR_INIT("private-key"),  VSR_STR_INIT("password"),
                                       VSR_STR_INIT("auth-token"),   VSR_STR_INIT("secret"),
                                       VSR_STR_INIT("authorization") };
    for (size_t i = 0; i < VSR_COUNT(endings); i++)
        if (name.len >= endings[i].len && same_name(str_sub(name, name.len - endings[i].len, name.len), endings[i]))
            return true;
    return false;
}

static bool is_secret_entry(const struct field *field, vsr_str name) {
    return field->flags & FIELD_SECRET ? schema_sounds_secret(name) : is_secret_name(name);
}

/* ---- text and the environment */

/* What was written, when it holds references to the environment; else the empty string. */
static vsr_str written_reference(const struct yaml_node *node) {
    if (!node || node->kind != YAML_SCALAR || !(node->reference || node->substituted))
        return VSR_STR("");
    return node->substituted ? node->source : node->text;
}

/* A reference that stands for the value: as it was written, unless the effective values are wanted and known. */
static vsr_str shown_reference(const struct printer *p, const struct yaml_node *node) {
    return node && node->substituted && p->effective ? VSR_STR("") : written_reference(node);
}

/* Text that came out of the environment, so that reading it again leaves its dollars alone. */
static void print_escaped(struct buf *out, vsr_str text) {
    struct buf escaped;
    buf_init(&escaped, 2 * text.len + 1);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '$')
            buf_append_char(&escaped, '$');
        buf_append_char(&escaped, text.ptr[i]);
    }
    print_text(out, buf_str(&escaped));
    buf_done(&escaped);
}

/* A text that was decoded from `node`; NULL: it stands nowhere. */
static void print_string(const struct printer *p, const struct yaml_node *node, vsr_str text, bool secret) {
    vsr_str reference = written_reference(node);
    if (secret && !p->secrets && (text.len || reference.len)) {
        if (env_is_bare_reference(reference))
            print_text(p->out, reference);
        else
            print_secret(p->out);
        return;
    }
    reference = shown_reference(p, node);
    if (reference.len)
        print_text(p->out, reference);
    else if (node && node->kind == YAML_SCALAR && node->substituted)
        print_escaped(p->out, text);
    else
        print_text(p->out, text);
}

static bool is_plain_scalar(const struct yaml_node *node) {
    if (node->quoted || node->substituted || node->reference || node->text.len == 0 || strchr(" -", node->text.ptr[0]))
        return false;
    for (size_t i = 0; i < node->text.len; i++)
        if (node->text.ptr[i] == 0 || !is_plain_char(node->text.ptr[i]))
            return false;
    return true;
}

/* A negative number is plain, though it begins like a list's entry. */
static bool is_negative(vsr_str text) {
    double number;
    return str_starts(text, VSR_STR("-")) && value_number(text, &number) == VALUE_OK;
}

/* A node that no table describes. `secret`: it stands under a name that sounds like one. */
static void print_node(const struct printer *p, const struct field *field, const struct yaml_node *node, bool secret) {
    if (yaml_is_null(node)) {
        buf_append_c(p->out, "null");
        return;
    }
    if (node->kind == YAML_SCALAR) {
        if (!secret && (is_plain_scalar(node) || (!node->quoted && is_negative(node->text))))
            buf_append(p->out, node->text);
        else if (secret || written_reference(node).len)
            print_string(p, node, node->text, secret);
        else
            json_quote(p->out, node->text);
        return;
    }
    bool list = node->kind == YAML_SEQUENCE;
    buf_append_char(p->out, list ? '[' : '{');
    for (size_t i = 0; i < node->n_items; i++) {
        bool below = secret;
        buf_append_c(p->out, i ? ", " : "");
        if (!list) {
            below |= is_secret_entry(field, node->keys[i]->text);
            print_text(p->out, node->keys[i]->text);
            buf_append_c(p->out, ": ");
        }
        print_node(p, field, node->items[i], below);
    }
    buf_append_char(p->out, list ? ']' : '}');
}

/* ---- lists and maps of text */

static const struct yaml_node *item_node(const struct config_strings *strings, size_t i) {
    return strings->nodes ? strings->nodes[i] : NULL;
}

static void print_strings(const struct printer *p, const struct field *field, const struct config_strings *strings) {
    for (size_t i = 0; i < strings->n; i++) {
        buf_append_c(p->out, i ? ", " : "[");
        print_string(p, item_node(strings, i), strings->items[i], field->flags & FIELD_SECRET);
    }
    buf_append_c(p->out, strings->n ? "]" : "[]");
}

static void print_string_lists(const struct printer *p, const struct field *field,
                               const struct config_string_lists *lists) {
    for (size_t i = 0; i < lists->n; i++) {
        buf_append_c(p->out, i ? ", " : "[");
        print_strings(p, field, &lists->items[i]);
    }
    buf_append_c(p->out, lists->n ? "]" : "[]");
}

/* Whether entry `i` of the list at `node` was printed as a reference. */
static bool print_open_item(const struct printer *p, const struct yaml_node *node, size_t i) {
    vsr_str reference = { 0 };
    buf_append_c(p->out, i ? ", " : "[");
    if (node && node->kind == YAML_SEQUENCE && i < node->n_items)
        reference = shown_reference(p, node->items[i]);
    if (reference.len)
        print_text(p->out, reference);
    return reference.len > 0;
}

static void print_numbers(const struct printer *p, const struct yaml_node *node, const struct config_numbers *numbers) {
    for (size_t i = 0; i < numbers->n; i++)
        if (!print_open_item(p, node, i))
            print_number(p->out, numbers->items[i]);
    buf_append_c(p->out, numbers->n ? "]" : "[]");
}

static void print_ints(const struct printer *p, const struct yaml_node *node, const struct config_ints *ints) {
    for (size_t i = 0; i < ints->n; i++)
        if (!print_open_item(p, node, i))
            buf_printf(p->out, "%lld", (long long)ints->items[i]);
    buf_append_c(p->out, ints->n ? "]" : "[]");
}

static void print_number_map(const struct printer *p, const struct yaml_node *node,
                             const struct config_number_map *map) {
    bool nodes = node && node->kind == YAML_MAPPING && node->n_items == map->n;
    for (size_t i = 0; i < map->n; i++) {
        vsr_str reference = shown_reference(p, nodes ? node->items[i] : NULL);
        buf_append_c(p->out, i ? ", " : "{");
        print_text(p->out, map->keys[i]);
        buf_append_c(p->out, ": ");
        if (reference.len)
            print_text(p->out, reference);
        else
            print_number(p->out, map->values[i]);
    }
    buf_append_c(p->out, map->n ? "}" : "{}");
}

static void print_strings_map(const struct printer *p, const struct field *field,
                              const struct config_strings_map *map) {
    for (size_t i = 0; i < map->n; i++) {
        buf_append_c(p->out, i ? ", " : "{");
        print_text(p->out, map->keys[i]);
        buf_append_c(p->out, ": ");
        print_strings(p, field, &map->values[i]);
    }
    buf_append_c(p->out, map->n ? "}" : "{}");
}

static void print_pairs(const struct printer *p, const struct field *field, const struct yaml_node *node,
                        const struct config_pairs *pairs) {
    bool nodes = node && node->kind == YAML_MAPPING && node->n_items == pairs->n;
    for (size_t i = 0; i < pairs->n; i++) {
        const struct yaml_node *value = nodes ? node->items[i] : NULL;
        bool secret = is_secret_entry(field, pairs->keys[i]);
        buf_append_c(p->out, i ? ", " : "{");
        print_text(p->out, pairs->keys[i]);
        buf_append_c(p->out, ": ");
        if (value && (value->kind == YAML_SEQUENCE || value->kind == YAML_MAPPING))
            print_node(p, field, value, secret);
        else
            print_string(p, value, pairs->values[i], secret);
    }
    buf_append_c(p->out, pairs->n ? "}" : "{}");
}

/* The value of a field without a table of its own, decoded from `node`; NULL: a default. */
static void print_inline(const struct printer *p, const struct field *field, const void *slot,
                         const struct yaml_node *node) {
    vsr_str reference = shown_reference(p, node);
    if (reference.len && field->kind != FIELD_STRING && field->kind != FIELD_NODE) {
        print_text(p->out, reference);
        return;
    }
    switch (field->kind) {
    case FIELD_BOOL:
        buf_append_c(p->out, *(const bool *)slot ? "true" : "false");
        return;
    case FIELD_INT:
    case FIELD_TOKENS:
        buf_printf(p->out, "%lld", (long long)*(const int64_t *)slot);
        return;
    case FIELD_INT_OR_AUTO:
        if (*(const int64_t *)slot == FIELD_AUTO)
            buf_append_c(p->out, "auto");
        else
            buf_printf(p->out, "%lld", (long long)*(const int64_t *)slot);
        return;
    case FIELD_NUMBER:
        print_number(p->out, *(const double *)slot);
        return;
    case FIELD_STRING:
        print_string(p, node, *(const vsr_str *)slot, field->flags & FIELD_SECRET);
        return;
    case FIELD_ENUM:
        print_text(p->out, str_from_c(field->choices[*(const int *)slot]));
        return;
    case FIELD_DURATION:
        print_duration(p->out, *(const int64_t *)slot);
        return;
    case FIELD_STRINGS:
        print_strings(p, field, slot);
        return;
    case FIELD_STRING_LISTS:
        print_string_lists(p, field, slot);
        return;
    case FIELD_NUMBER_LIST:
        print_numbers(p, node, slot);
        return;
    case FIELD_INT_LIST:
        print_ints(p, node, slot);
        return;
    case FIELD_NUMBER_MAP:
        print_number_map(p, node, slot);
        return;
    case FIELD_STRINGS_MAP:
        print_strings_map(p, field, slot);
        return;
    case FIELD_PAIRS:
        print_pairs(p, field, node, slot);
        return;
    case FIELD_NODE:
        print_node(p, field, *(const struct yaml_node *const *)slot, false);
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
    if (!p->effective || field->flags & FIELD_UNSET)
        return false;
    switch (field->kind) {
    case FIELD_BOOL:
        return true;
    case FIELD_STRING:
        return field->fallback || ((const vsr_str *)slot)->len > 0;
    case FIELD_INT:
    case FIELD_INT_OR_AUTO:
    case FIELD_TOKENS:
    case FIELD_DURATION:
        return field->fallback || *(const int64_t *)slot != 0;
    case FIELD_NUMBER:
        return field->fallback || *(const double *)slot != 0;
    case FIELD_ENUM:
        return field->fallback || *(const int *)slot != 0; /* the first may only be there for want of another */
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

const void *schema_block(const struct schema *schema, const void *object, const struct field *field,
                         const struct schema **ret_nested) {
    const void *slot = (const char *)object + field->offset;
    *ret_nested = field->object;
    switch (field->kind) {
    case FIELD_OBJECT:
        return slot;
    case FIELD_VARIANT:
        *ret_nested = variant_schema(schema, field, object);
        __attribute__((fallthrough));
    case FIELD_OPTIONAL:
        return *(const void *const *)slot;
    default:
        return NULL;
    }
}

static const struct yaml_node *field_node(const void *object, const struct field *field, bool written) {
    const struct config_at *at = object;
    return written ? yaml_get(at->node, str_from_c(field->name)) : NULL;
}

/* Returns whether a line was printed. */
static bool print_field(const struct printer *p, const struct schema *schema, const void *object,
                        const struct field *field, bool written, int indent, bool dash) {
    const void *slot = (const char *)object + field->offset;
    const struct schema *nested;
    const void *block = schema_block(schema, object, field, &nested);
    if (!written && field->flags & FIELD_UNSET)
        return false;
    if (block)
        return print_block(p, nested, block, str_from_c(field->name), written, indent, dash);
    switch (field->kind) {
    case FIELD_OBJECT:
    case FIELD_VARIANT:
    case FIELD_OPTIONAL:
        return false;
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
    print_inline(p, field, slot, field_node(object, field, written));
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
        if (!(field->flags & FIELD_HIDDEN))
            n += print_field(p, schema, object, field, written, indent, dash && n == 0);
    }
    return n;
}

void schema_print(const struct schema *schema, const void *object, int indent, bool effective, struct buf *out) {
    struct printer p = printer_for(effective ? SCHEMA_EFFECTIVE : SCHEMA_WRITTEN, out);
    print_fields(&p, schema, object, indent, false);
}

/* ---- objects on one line */

static void flow_object(const struct printer *p, const struct schema *schema, const void *object);

static void flow_list(const struct printer *p, const struct field *field, const struct config_list *list) {
    bool named = field->kind == FIELD_OBJECT_MAP;
    buf_append_char(p->out, named ? '{' : '[');
    for (size_t i = 0; i < list->n; i++) {
        const char *entry = (const char *)list->items + i * field->object->size;
        buf_append_c(p->out, i ? ", " : "");
        if (named) {
            print_text(p->out, entry_key(field->object, entry));
            buf_append_c(p->out, ": ");
        }
        flow_object(p, field->object, entry);
    }
    buf_append_char(p->out, named ? '}' : ']');
}

static void flow_field(const struct printer *p, const struct schema *schema, const void *object,
                       const struct field *field, bool written) {
    const void *slot = (const char *)object + field->offset;
    const struct schema *nested;
    const void *block = schema_block(schema, object, field, &nested);
    if (block)
        flow_object(p, nested, block);
    else if (field->kind == FIELD_OBJECTS || field->kind == FIELD_OBJECT_MAP)
        flow_list(p, field, slot);
    else
        print_inline(p, field, slot, field_node(object, field, written));
}

/* Whether there is anything to print of a field that was not written. */
static bool holds(const struct printer *p, const struct schema *schema, const void *object, const struct field *field) {
    const void *slot = (const char *)object + field->offset;
    const struct schema *nested;
    switch (field->kind) {
    case FIELD_OBJECT:
        return !(field->flags & FIELD_UNSET);
    case FIELD_OPTIONAL:
    case FIELD_VARIANT:
        return schema_block(schema, object, field, &nested) != NULL;
    case FIELD_OBJECTS:
    case FIELD_OBJECT_MAP:
        return ((const struct config_list *)slot)->n > 0;
    default:
        return has_default(p, field, slot);
    }
}

static void flow_object(const struct printer *p, const struct schema *schema, const void *object) {
    const struct config_at *at = object;
    size_t n = 0;
    buf_append_char(p->out, '{');
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        bool written = at->present >> i & 1;
        if (field->flags & FIELD_HIDDEN || !(written || (p->effective && holds(p, schema, object, field))))
            continue;
        buf_append_c(p->out, n++ ? ", " : "");
        print_text(p->out, str_from_c(field->name));
        buf_append_c(p->out, ": ");
        flow_field(p, schema, object, field, written);
    }
    buf_append_char(p->out, '}');
}

bool schema_print_field(const struct schema *schema, const void *object, const struct field *field,
                        enum schema_view view, struct buf *out) {
    const struct config_at *at = object;
    struct printer p = printer_for(view, out);
    bool written = at->present >> (field - schema->fields) & 1;
    if (!written && !holds(&p, schema, object, field))
        return false;
    flow_field(&p, schema, object, field, written);
    return true;
}

void schema_print_flow(const struct schema *schema, const void *object, enum schema_view view, struct buf *out) {
    struct printer p = printer_for(view, out);
    flow_object(&p, schema, object);
}
