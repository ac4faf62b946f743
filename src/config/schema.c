#include "config/schema.h"

#include <math.h>
#include <string.h>

#include "config/schema_value.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/utf8.h"

enum {
    SHOWN_LEN_MAX = 60,    /* of a value quoted in a message */
    ALLOWED_KEYS_MAX = 12, /* config.md §11.2 */
    PATH_STEP_LEN_MAX =
        128, /* a name in a path is cut there, or one long name would be copied into thousands of paths */
    JSON_VALUE_LEN_MAX = 65536,
};

struct decode {
    struct arena *arena;
    struct diag *diag;
};

/* A value on its way into a field. `index` is its place in a list, `key` its name in a map of strings. */
struct value {
    const struct field *field;
    const struct yaml_node *node;
    vsr_str object;  /* path of the object that has the field */
    ptrdiff_t index; /* -1: not in a list */
    vsr_str key;
};

/* ---- tables */

const struct field *schema_field(const struct schema *schema, vsr_str name) {
    for (size_t i = 0; i < schema->n_fields; i++)
        if (str_eq_c(name, schema->fields[i].name))
            return &schema->fields[i];
    return NULL;
}

/* ---- places and texts for messages */

vsr_str schema_path(struct arena *arena, vsr_str path, vsr_str key) {
    key = utf8_cut(key, PATH_STEP_LEN_MAX);
    return arena_printf(arena, "%.*s%s%.*s", VSR_FMT(path), path.len ? "." : "", VSR_FMT(key));
}

vsr_str schema_element_path(struct arena *arena, vsr_str path, const struct yaml_node *element, size_t index) {
    const struct yaml_node *name = yaml_get(element, VSR_STR("name"));
    if (name && name->kind == YAML_SCALAR && name->text.len)
        return arena_printf(arena, "%.*s[%.*s]", VSR_FMT(path), VSR_FMT(utf8_cut(name->text, PATH_STEP_LEN_MAX)));
    return arena_printf(arena, "%.*s[%zu]", VSR_FMT(path), index);
}

static struct diag_at value_at(const struct decode *d, const struct value *value) {
    struct diag_at at = { 0 };
    if (diag_full(d->diag))
        return at;
    at.path = schema_path(d->arena, value->object, str_from_c(value->field->name));
    if (value->index >= 0)
        at.path = arena_printf(d->arena, "%.*s[%td]", VSR_FMT(at.path), value->index);
    if (value->key.len)
        at.path = schema_path(d->arena, at.path, value->key);
    if (value->node) {
        at.line = value->node->line;
        at.col = value->node->col;
    }
    return at;
}

/* What stands there, in words. Secrets and the contents of the environment are never quoted. */
static vsr_str shown(const struct decode *d, const struct value *value) {
    const struct yaml_node *node = value->node;
    vsr_str text;
    switch (node->kind) {
    case YAML_NULL:
        return VSR_STR("nothing");
    case YAML_SEQUENCE:
        return VSR_STR("a list");
    case YAML_MAPPING:
        return VSR_STR("a mapping");
    case YAML_SCALAR:
        break;
    }
    if (value->field->flags & FIELD_SECRET)
        return VSR_STR("text that is not shown");
    text = node->substituted ? node->source : node->text;
    return arena_printf(d->arena, "%s\"%.*s%s\"", node->substituted ? "the value of " : "",
                        VSR_FMT(utf8_cut(text, SHOWN_LEN_MAX)), text.len > SHOWN_LEN_MAX ? "..." : "");
}

static bool wrong_type(const struct decode *d, const struct value *value, const char *expected, vsr_str hint) {
    vsr_str found = shown(d, value);
    diag_error(d->diag, "E_TYPE", value_at(d, value), hint, "expected %s, found %.*s", expected, VSR_FMT(found));
    return false;
}

/* ---- one scalar */

static bool is_scalar(const struct decode *d, const struct value *value, const char *expected) {
    if (value->node->kind == YAML_SCALAR)
        return true;
    return wrong_type(d, value, expected, VSR_STR(""));
}

/* Numbers and bools are plain text: quotes say "string". What came from the environment may have been quoted. */
static bool is_plain(const struct decode *d, const struct value *value, const char *expected) {
    if (!is_scalar(d, value, expected))
        return false;
    if (!value->node->quoted || value->node->substituted)
        return true;
    return wrong_type(d, value, expected, VSR_STR("remove the quotes"));
}

static void print_bound(const struct field *field, double bound, char *out, size_t len) {
    if (field->kind == FIELD_DURATION)
        (void)snprintf(out, len, bound == 0 ? "0s" : "%.0fms", bound);
    else
        (void)snprintf(out, len, "%.12g", bound);
}

/* Writes "at least 1", "between 1 and 5" and the like. */
static void print_range(const struct field *field, char *out, size_t len) {
    char least[32], greatest[32];
    const char *than = field->flags & FIELD_LEAST_OPEN ? "greater than" : "at least";
    print_bound(field, field->least, least, sizeof(least));
    print_bound(field, field->greatest, greatest, sizeof(greatest));
    if (isinf(field->least))
        (void)snprintf(out, len, "at most %s", greatest);
    else if (isinf(field->greatest))
        (void)snprintf(out, len, "%s %s", than, least);
    else if (field->flags & FIELD_LEAST_OPEN)
        (void)snprintf(out, len, "%s %s and at most %s", than, least, greatest);
    else
        (void)snprintf(out, len, "between %s and %s", least, greatest);
}

static bool in_range(const struct decode *d, const struct value *value, double number) {
    const struct field *field = value->field;
    char range[128];
    vsr_str found;
    bool open = field->flags & FIELD_LEAST_OPEN;
    if (!(field->flags & FIELD_RANGE))
        return true;
    if ((open ? number > field->least : number >= field->least) && number <= field->greatest)
        return true;
    print_range(field, range, sizeof(range));
    found = shown(d, value);
    diag_error(d->diag, "E_RANGE", value_at(d, value), VSR_STR(""), "must be %s, found %.*s", range, VSR_FMT(found));
    return false;
}

static bool not_representable(const struct decode *d, const struct value *value) {
    vsr_str found = shown(d, value);
    diag_error(d->diag, "E_RANGE", value_at(d, value), VSR_STR(""), "must be a finite number that fits, found %.*s",
               VSR_FMT(found));
    return false;
}

static bool decode_bool(const struct decode *d, const struct value *value, bool *ret_value) {
    bool old = false;
    if (!is_plain(d, value, "true or false"))
        return false;
    if (value_bool(value->node->text, ret_value, &old) != VALUE_OK)
        return wrong_type(d, value, "true or false", VSR_STR(""));
    if (old) {
        vsr_str found = shown(d, value);
        diag_warn(d->diag, "W_BOOL", value_at(d, value), VSR_STR(""), "%.*s is read as %s; write %s", VSR_FMT(found),
                  *ret_value ? "true" : "false", *ret_value ? "true" : "false");
    }
    return true;
}

static bool decode_int(const struct decode *d, const struct value *value, int64_t *ret_value) {
    if (!is_plain(d, value, "an integer"))
        return false;
    switch (value_int(value->node->text, ret_value)) {
    case VALUE_TYPE:
        return wrong_type(d, value, "an integer", VSR_STR(""));
    case VALUE_RANGE:
        return not_representable(d, value);
    case VALUE_OK:
        break;
    }
    return in_range(d, value, (double)*ret_value);
}

static bool decode_int_or_auto(const struct decode *d, const struct value *value, int64_t *ret_value) {
    const char *expected = "an integer or auto";
    if (!is_scalar(d, value, expected))
        return false;
    if (str_eq_c(value->node->text, "auto")) {
        *ret_value = FIELD_AUTO;
        return true;
    }
    if (!is_plain(d, value, expected))
        return false;
    if (value_int(value->node->text, ret_value) == VALUE_TYPE)
        return wrong_type(d, value, expected, VSR_STR(""));
    return decode_int(d, value, ret_value);
}

static bool decode_number(const struct decode *d, const struct value *value, double *ret_value) {
    if (!is_plain(d, value, "a number"))
        return false;
    switch (value_number(value->node->text, ret_value)) {
    case VALUE_TYPE:
        return wrong_type(d, value, "a number", VSR_STR(""));
    case VALUE_RANGE:
        return not_representable(d, value);
    case VALUE_OK:
        break;
    }
    return in_range(d, value, *ret_value);
}

static bool decode_duration(const struct decode *d, const struct value *value, int64_t *ret_ms) {
    int64_t seconds;
    if (!is_scalar(d, value, "a duration such as 30s"))
        return false;
    if (schema_duration(value->node->text, ret_ms))
        return in_range(d, value, (double)*ret_ms);
    if (value_int(value->node->text, &seconds) == VALUE_OK && !value->node->substituted && seconds >= 0)
        return wrong_type(d, value, "a duration such as 30s",
                          arena_printf(d->arena, "add a unit: %llds", (long long)seconds));
    return wrong_type(d, value, "a duration such as 30s", VSR_STR("units are ns, us, ms, s, m and h"));
}

static bool decode_tokens(const struct decode *d, const struct value *value, int64_t *ret_tokens) {
    const char *expected = "a token count such as 8000, 1.5K or 2M";
    if (!is_scalar(d, value, expected))
        return false;
    if (!schema_tokens(value->node->text, ret_tokens))
        return wrong_type(d, value, expected, VSR_STR(""));
    return in_range(d, value, (double)*ret_tokens);
}

static bool not_blank(const struct decode *d, const struct value *value) {
    if (!(value->field->flags & FIELD_NONBLANK) || str_trim(value->node->text).len)
        return true;
    diag_error(d->diag, "E_REQUIRED", value_at(d, value), VSR_STR(""), "must not be blank");
    return false;
}

/* ---- one of some words */

static vsr_str join_choices(const struct decode *d, const char *const *choices) {
    vsr_str all = { 0 };
    for (; *choices; choices++)
        if (**choices) /* the empty one stands for "not written" */
            all = arena_printf(d->arena, "%.*s%s%s", VSR_FMT(all), all.len ? ", " : "", *choices);
    return all;
}

static vsr_str suggest_choice(const struct decode *d, const char *const *choices, vsr_str found) {
    vsr_str candidates[SCHEMA_FIELDS_MAX];
    size_t n = 0;
    for (; *choices && n < VSR_COUNT(candidates); choices++)
        candidates[n++] = str_from_c(*choices);
    return diag_suggest(d->diag, found, candidates, n);
}

static bool decode_enum(const struct decode *d, const struct value *value, int *ret_index) {
    const char *const *choices = value->field->choices;
    bool nocase = value->field->flags & FIELD_NOCASE;
    vsr_str text, found, all;
    if (!is_scalar(d, value, "one word"))
        return false;
    text = nocase ? str_trim(value->node->text) : value->node->text;
    for (int i = 0; choices[i]; i++) {
        vsr_str choice = str_from_c(choices[i]);
        if (nocase ? str_eq_nocase(text, choice) : str_eq(text, choice)) {
            *ret_index = i;
            return true;
        }
    }
    found = shown(d, value);
    all = join_choices(d, choices);
    diag_error(d->diag, "E_ENUM", value_at(d, value),
               value->node->substituted ? VSR_STR("") : suggest_choice(d, choices, text), "%.*s is not one of %.*s",
               VSR_FMT(found), VSR_FMT(all));
    return false;
}

/* Text; where the table has choices it is one of them, or still a reference. */
static bool decode_string(const struct decode *d, const struct value *value, vsr_str *ret_text) {
    int chosen;
    if (!is_scalar(d, value, "text"))
        return false;
    *ret_text = value->node->text;
    if (strcmp(value->field->name, "name") == 0 && str_find(*ret_text, VSR_STR("\0")) >= 0) {
        /* Where names are put together they would be cut, and two could become the same. */
        diag_error(d->diag, "E_TYPE", value_at(d, value), VSR_STR(""), "a name cannot hold the character NUL");
        return false;
    }
    if (value->field->choices && !(value->field->flags & FIELD_HINT) && !value->node->reference &&
        !decode_enum(d, value, &chosen))
        return false;
    return not_blank(d, value);
}

/* ---- lists of scalars, maps of strings */

/* A reference to the environment that was left in place can only be judged as text. */
static bool is_open_reference(const struct value *value) {
    if (!value->node->reference)
        return false;
    switch (value->field->kind) {
    case FIELD_BOOL:
    case FIELD_INT:
    case FIELD_NUMBER:
    case FIELD_ENUM:
    case FIELD_DURATION:
    case FIELD_TOKENS:
    case FIELD_INT_OR_AUTO:
        return true;
    case FIELD_NUMBER_LIST:
    case FIELD_INT_LIST:
        return value->index >= 0;
    case FIELD_NUMBER_MAP:
        return value->key.len > 0;
    default:
        return false;
    }
}

static bool has_entries(const struct decode *d, const struct value *value) {
    if (value->node->n_items || !(value->field->flags & FIELD_NONBLANK))
        return true;
    diag_error(d->diag, "E_REQUIRED", value_at(d, value), VSR_STR(""), "must have at least one entry");
    return false;
}

static bool is_list(const struct decode *d, const struct value *value, const char *expected) {
    if (value->node->kind == YAML_SEQUENCE)
        return true;
    return wrong_type(d, value, expected,
                      value->node->kind == YAML_SCALAR ? VSR_STR("put it in brackets: [ ... ]") : VSR_STR(""));
}

static bool decode_strings(const struct decode *d, const struct value *value, struct config_strings *ret_strings) {
    const struct yaml_node *list = value->node;
    bool ok = true;
    if (!is_list(d, value, "a list of strings"))
        return false;
    ret_strings->items = ARENA_ARRAY(d->arena, vsr_str, list->n_items);
    ret_strings->nodes = ARENA_ARRAY(d->arena, const struct yaml_node *, list->n_items);
    ret_strings->n = list->n_items;
    for (size_t i = 0; i < list->n_items; i++) {
        struct value item = { value->field, list->items[i], value->object, (ptrdiff_t)i, VSR_STR("") };
        ret_strings->nodes[i] = item.node;
        /* An entry with nothing in it is the empty string. */
        if (item.node->kind == YAML_NULL ? !not_blank(d, &item) : !decode_string(d, &item, &ret_strings->items[i]))
            ok = false;
    }
    return has_entries(d, value) && ok;
}

static bool decode_string_lists(const struct decode *d, const struct value *value,
                                struct config_string_lists *ret_lists) {
    const struct yaml_node *list = value->node;
    bool ok = true;
    if (list->kind != YAML_SEQUENCE)
        return wrong_type(d, value, "a list of lists of strings", VSR_STR(""));
    ret_lists->items = ARENA_ARRAY(d->arena, struct config_strings, list->n_items);
    ret_lists->n = list->n_items;
    for (size_t i = 0; i < list->n_items; i++) {
        struct value item = { value->field, list->items[i], value->object, (ptrdiff_t)i, VSR_STR("") };
        ok &= decode_strings(d, &item, &ret_lists->items[i]);
    }
    return ok;
}

static bool decode_numbers(const struct decode *d, const struct value *value, struct config_numbers *ret_numbers) {
    const struct yaml_node *list = value->node;
    bool ok = true;
    if (!is_list(d, value, "a list of numbers"))
        return false;
    ret_numbers->items = ARENA_ARRAY(d->arena, double, list->n_items);
    ret_numbers->n = list->n_items;
    for (size_t i = 0; i < list->n_items; i++) {
        struct value item = { value->field, list->items[i], value->object, (ptrdiff_t)i, VSR_STR("") };
        ok &= is_open_reference(&item) || decode_number(d, &item, &ret_numbers->items[i]);
    }
    return has_entries(d, value) && ok;
}

static bool decode_ints(const struct decode *d, const struct value *value, struct config_ints *ret_ints) {
    const struct yaml_node *list = value->node;
    bool ok = true;
    if (!is_list(d, value, "a list of integers"))
        return false;
    ret_ints->items = ARENA_ARRAY(d->arena, int64_t, list->n_items);
    ret_ints->n = list->n_items;
    for (size_t i = 0; i < list->n_items; i++) {
        struct value item = { value->field, list->items[i], value->object, (ptrdiff_t)i, VSR_STR("") };
        ok &= is_open_reference(&item) || decode_int(d, &item, &ret_ints->items[i]);
    }
    return has_entries(d, value) && ok;
}

static void write_json(struct json_writer *w, const struct yaml_node *node) {
    switch (node->kind) {
    case YAML_NULL:
        json_write_null(w);
        return;
    case YAML_SCALAR:
        json_write_str(w, node->text);
        return;
    case YAML_SEQUENCE:
        json_write_begin_array(w);
        for (size_t i = 0; i < node->n_items; i++)
            write_json(w, node->items[i]);
        break;
    case YAML_MAPPING:
        json_write_begin_object(w);
        for (size_t i = 0; i < node->n_items; i++) {
            json_write_key(w, node->keys[i]->text);
            write_json(w, node->items[i]);
        }
        break;
    }
    json_write_end(w);
}

static bool decode_json_text(const struct decode *d, const struct value *value, vsr_str *ret_text) {
    struct json_writer w;
    struct buf out;
    bool ok;
    buf_init(&out, JSON_VALUE_LEN_MAX);
    json_write_init(&w, &out);
    write_json(&w, value->node);
    ok = !buf_failed(&out);
    if (ok)
        *ret_text = arena_str(d->arena, buf_str(&out));
    else
        diag_error(d->diag, "E_RANGE", value_at(d, value), VSR_STR(""), "must not be longer than %d bytes as JSON",
                   JSON_VALUE_LEN_MAX);
    buf_done(&out);
    return ok;
}

static bool decode_pair(const struct decode *d, const struct value *pair, vsr_str *ret_text) {
    if (pair->node->kind == YAML_NULL)
        return true;
    if (pair->node->kind == YAML_SCALAR)
        return decode_string(d, pair, ret_text);
    if (pair->field->flags & FIELD_ANY)
        return decode_json_text(d, pair, ret_text);
    return wrong_type(d, pair, "text", VSR_STR(""));
}

static bool decode_pairs(const struct decode *d, const struct value *value, struct config_pairs *ret_pairs) {
    const struct yaml_node *map = value->node;
    bool ok = true;
    if (map->kind != YAML_MAPPING)
        return wrong_type(d, value, "a mapping from names to text", VSR_STR(""));
    ret_pairs->keys = ARENA_ARRAY(d->arena, vsr_str, map->n_items);
    ret_pairs->values = ARENA_ARRAY(d->arena, vsr_str, map->n_items);
    ret_pairs->n = map->n_items;
    for (size_t i = 0; i < map->n_items; i++) {
        struct value pair = { value->field, map->items[i], value->object, -1, map->keys[i]->text };
        ret_pairs->keys[i] = map->keys[i]->text;
        ok &= decode_pair(d, &pair, &ret_pairs->values[i]);
    }
    return ok;
}

static bool decode_number_map(const struct decode *d, const struct value *value, struct config_number_map *ret_map) {
    const struct yaml_node *map = value->node;
    bool ok = true;
    if (map->kind != YAML_MAPPING)
        return wrong_type(d, value, "a mapping from names to numbers", VSR_STR(""));
    ret_map->keys = ARENA_ARRAY(d->arena, vsr_str, map->n_items);
    ret_map->values = ARENA_ARRAY(d->arena, double, map->n_items);
    ret_map->n = map->n_items;
    for (size_t i = 0; i < map->n_items; i++) {
        struct value item = { value->field, map->items[i], value->object, -1, map->keys[i]->text };
        ret_map->keys[i] = map->keys[i]->text;
        ok &= is_open_reference(&item) || decode_number(d, &item, &ret_map->values[i]);
    }
    return ok;
}

static bool decode_strings_map(const struct decode *d, const struct value *value, struct config_strings_map *ret_map) {
    const struct yaml_node *map = value->node;
    vsr_str path = schema_path(d->arena, value->object, str_from_c(value->field->name));
    bool ok = true;
    if (map->kind != YAML_MAPPING)
        return wrong_type(d, value, "a mapping from names to lists of strings", VSR_STR(""));
    ret_map->keys = ARENA_ARRAY(d->arena, vsr_str, map->n_items);
    ret_map->values = ARENA_ARRAY(d->arena, struct config_strings, map->n_items);
    ret_map->n = map->n_items;
    for (size_t i = 0; i < map->n_items; i++) {
        struct field *list = ARENA_NEW(d->arena, struct field); /* named like the entry, for its messages */
        struct value item = { list, map->items[i], path, -1, VSR_STR("") };
        *list = *value->field;
        list->name = arena_c_str(d->arena, utf8_cut(map->keys[i]->text, PATH_STEP_LEN_MAX));
        ret_map->keys[i] = map->keys[i]->text;
        ok &= decode_strings(d, &item, &ret_map->values[i]);
    }
    return ok;
}

/* ---- objects */

static void decode_object(const struct decode *d, const struct schema *schema, const struct yaml_node *node,
                          vsr_str path, const vsr_str *key, void *object);

static void decode_objects(const struct decode *d, const struct value *value, struct config_list *ret_list) {
    const struct schema *schema = value->field->object;
    const struct yaml_node *list = value->node;
    vsr_str path = schema_path(d->arena, value->object, str_from_c(value->field->name));
    if (list->kind != YAML_SEQUENCE) {
        wrong_type(d, value, "a list",
                   list->kind == YAML_MAPPING ? VSR_STR("start each entry with \"- \"") : VSR_STR(""));
        return;
    }
    ret_list->n = list->n_items;
    ret_list->items = arena_alloc_array(d->arena, schema->size, list->n_items);
    for (size_t i = 0; i < list->n_items; i++) {
        struct value item = { value->field, list->items[i], value->object, (ptrdiff_t)i, VSR_STR("") };
        if (yaml_is_null(item.node))
            wrong_type(d, &item, "a mapping", VSR_STR(""));
        else
            decode_object(d, schema, item.node, schema_element_path(d->arena, path, item.node, i), NULL,
                          (char *)ret_list->items + i * schema->size);
    }
}

static void decode_object_map(const struct decode *d, const struct value *value, struct config_list *ret_list) {
    const struct schema *schema = value->field->object;
    const struct yaml_node *map = value->node;
    vsr_str path = schema_path(d->arena, value->object, str_from_c(value->field->name));
    if (map->kind != YAML_MAPPING) {
        wrong_type(d, value, "a mapping from names to blocks", VSR_STR(""));
        return;
    }
    ret_list->n = map->n_items;
    ret_list->items = arena_alloc_array(d->arena, schema->size, map->n_items);
    for (size_t i = 0; i < map->n_items; i++)
        decode_object(d, schema, map->items[i], schema_path(d->arena, path, map->keys[i]->text), &map->keys[i]->text,
                      (char *)ret_list->items + i * schema->size);
}

static void decode_nested(const struct decode *d, const struct value *value, void *object) {
    vsr_str path = schema_path(d->arena, value->object, str_from_c(value->field->name));
    decode_object(d, value->field->object, value->node, path, NULL, object);
}

static void decode_value(const struct decode *d, const struct value *value, void *slot) {
    void **pointer = slot;
    switch (value->field->kind) {
    case FIELD_BOOL:
        decode_bool(d, value, slot);
        break;
    case FIELD_INT:
        decode_int(d, value, slot);
        break;
    case FIELD_NUMBER:
        decode_number(d, value, slot);
        break;
    case FIELD_STRING:
        decode_string(d, value, slot);
        break;
    case FIELD_ENUM:
        decode_enum(d, value, slot);
        break;
    case FIELD_DURATION:
        decode_duration(d, value, slot);
        break;
    case FIELD_TOKENS:
        decode_tokens(d, value, slot);
        break;
    case FIELD_STRINGS:
        decode_strings(d, value, slot);
        break;
    case FIELD_STRING_LISTS:
        decode_string_lists(d, value, slot);
        break;
    case FIELD_PAIRS:
        decode_pairs(d, value, slot);
        break;
    case FIELD_OBJECT:
        decode_nested(d, value, slot);
        break;
    case FIELD_OPTIONAL:
        *pointer = arena_alloc(d->arena, value->field->object->size);
        decode_nested(d, value, *pointer);
        break;
    case FIELD_OBJECTS:
        decode_objects(d, value, slot);
        break;
    case FIELD_OBJECT_MAP:
        decode_object_map(d, value, slot);
        break;
    case FIELD_NODE:
        *(const struct yaml_node **)slot = value->node;
        break;
    case FIELD_INT_OR_AUTO:
        decode_int_or_auto(d, value, slot);
        break;
    case FIELD_NUMBER_LIST:
        decode_numbers(d, value, slot);
        break;
    case FIELD_INT_LIST:
        decode_ints(d, value, slot);
        break;
    case FIELD_NUMBER_MAP:
        decode_number_map(d, value, slot);
        break;
    case FIELD_STRINGS_MAP:
        decode_strings_map(d, value, slot);
        break;
    case FIELD_VARIANT: /* decode_variants(), once the whole object is there */
        break;
    }
}

/* ---- the fields of one object */

static void report_unknown(const struct decode *d, const struct schema *schema, const struct yaml_node *key,
                           vsr_str path) {
    vsr_str names[SCHEMA_FIELDS_MAX], allowed = { 0 };
    struct diag_at at = { key->line, key->col, VSR_STR("") };
    size_t n = 0;
    if (!diag_full(d->diag))
        at.path = schema_path(d->arena, path, key->text);
    for (size_t i = 0; i < schema->n_fields; i++)
        if (!(schema->fields[i].flags & FIELD_HIDDEN))
            names[n++] = str_from_c(schema->fields[i].name);
    for (size_t i = 0; i < n && i < ALLOWED_KEYS_MAX && !diag_full(d->diag); i++)
        allowed = arena_printf(d->arena, "%.*s%s%.*s", VSR_FMT(allowed), i ? ", " : "", VSR_FMT(names[i]));
    if (n > ALLOWED_KEYS_MAX)
        allowed = arena_printf(d->arena, "%.*s and %zu more", VSR_FMT(allowed), n - ALLOWED_KEYS_MAX);
    diag_error(d->diag, "E_UNKNOWN", at, diag_suggest(d->diag, key->text, names, n), "unknown key, allowed here: %.*s",
               VSR_FMT(n ? allowed : VSR_STR("none")));
}

static void decode_written(const struct decode *d, const struct schema *schema, const struct yaml_node *node,
                           struct config_at *at) {
    for (size_t i = 0; i < node->n_items; i++) {
        const struct yaml_node *key = node->keys[i];
        const struct field *field = schema_field(schema, key->text);
        struct value value = { field, node->items[i], at->path, -1, VSR_STR("") };
        if (!field || field->flags & FIELD_HIDDEN) {
            if (!str_starts(key->text, VSR_STR("x-")))
                report_unknown(d, schema, key, at->path);
            continue;
        }
        if (yaml_is_null(value.node))
            continue;
        at->present |= UINT64_C(1) << (field - schema->fields);
        if (!is_open_reference(&value))
            decode_value(d, &value, (char *)at + field->offset);
    }
}

/* What a default says stands nowhere in the document. */
static void forget_places(struct yaml_node *node) {
    node->line = node->col = 0;
    if (node->kind != YAML_SEQUENCE && node->kind != YAML_MAPPING)
        return;
    for (size_t i = 0; i < node->n_items; i++) {
        forget_places(node->items[i]);
        if (node->kind == YAML_MAPPING)
            forget_places(node->keys[i]);
    }
}

/* The text of a scalar is its value; lists and mappings are written in brackets. */
static const struct yaml_node *fallback_node(const struct decode *d, const char *text) {
    struct yaml_node *node = ARENA_NEW(d->arena, struct yaml_node);
    if (text[0] == '[' || text[0] == '{') {
        int rc = yaml_tree_parse(d->arena, str_from_c(text), &node, d->diag);
        VSR_ASSERT(rc == 0); /* a table says it, and a test decodes every table's defaults */
        forget_places(node);
    } else {
        node->kind = YAML_SCALAR;
        node->text = str_from_c(text);
    }
    return node;
}

static void decode_fallback(const struct decode *d, const struct field *field, vsr_str path, void *slot) {
    struct value value = { field, NULL, path, -1, VSR_STR("") };
    if (field->flags & FIELD_OLD || (field->kind != FIELD_OBJECT && !field->fallback))
        return;
    if (field->fallback)
        value.node = fallback_node(d, field->fallback);
    decode_value(d, &value, slot);
}

static void set_defaults(const struct decode *d, const struct schema *schema, struct config_at *at) {
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        bool written = at->present >> i & 1;
        const struct yaml_node *node = written ? yaml_get(at->node, str_from_c(field->name)) : NULL;
        if (!written || (node && node->reference && field->kind != FIELD_STRING))
            decode_fallback(d, field, at->path, (char *)at + field->offset);
    }
}

/* What is missing has no place: `node` is where to look for it. */
static void check_required(const struct decode *d, const struct schema *schema, const struct config_at *at,
                           const struct yaml_node *node) {
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        struct value value = { field, node, at->path, -1, VSR_STR("") };
        if (field->flags & FIELD_REQUIRED && !(at->present >> i & 1))
            diag_error(d->diag, "E_REQUIRED", value_at(d, &value), VSR_STR(""), "missing, required in every %s",
                       schema->name);
    }
}

/* The name under which the object stands in its map is one of its fields. */
static void set_key(const struct decode *d, const struct schema *schema, const vsr_str *key, struct config_at *at) {
    for (size_t i = 0; i < schema->n_fields; i++) {
        struct diag_at place = { at->node ? at->node->line : 0, at->node ? at->node->col : 0, at->path };
        void *slot = (char *)at + schema->fields[i].offset;
        if (!(schema->fields[i].flags & FIELD_KEY))
            continue;
        *(vsr_str *)slot = *key;
        at->present |= UINT64_C(1) << i;
        if (str_trim(*key).len == 0)
            diag_error(d->diag, "E_REQUIRED", place, VSR_STR(""), "the name of a %s must not be blank", schema->name);
    }
}

static void wrong_object(const struct decode *d, const struct schema *schema, const struct yaml_node *node,
                         vsr_str path) {
    VSR_ASSERT(node != NULL); /* an absent object is all defaults, never wrong */
    struct field none = { .name = "" };
    struct value value = { &none, node, path, -1, VSR_STR("") };
    struct diag_at at = { node->line, node->col, path };
    vsr_str found = shown(d, &value);
    diag_error(d->diag, "E_TYPE", at, VSR_STR(""), "expected a mapping (%s), found %.*s", schema->name, VSR_FMT(found));
}

/* ---- variants */

static const struct field *selector_of(const struct schema *schema, const struct field *field) {
    const struct field *selector = schema_field(schema, str_from_c(field->selector));
    VSR_ASSERT(selector != NULL);
    return selector;
}

const struct field_variant *schema_variant(const struct schema *schema, const struct field *field,
                                           const struct yaml_node *object) {
    const struct field *selector = selector_of(schema, field);
    const struct yaml_node *node = yaml_get(object, str_from_c(field->selector));
    bool nocase = selector->flags & FIELD_NOCASE;
    vsr_str text = str_from_c(selector->fallback);
    if (node && node->reference)
        return NULL;
    if (node && !yaml_is_null(node))
        text = node->kind == YAML_SCALAR ? node->text : VSR_STR("");
    for (size_t i = 0; i < field->n_variants; i++) {
        vsr_str name = str_from_c(field->variants[i].name);
        if (nocase ? str_eq_nocase(str_trim(text), name) : str_eq(text, name))
            return &field->variants[i];
    }
    return NULL;
}

/* An enum complains by itself, and so does a selector that is missing or no text. */
static void report_selector(const struct decode *d, const struct field *field, const struct field *selector,
                            const struct config_at *at) {
    const char **names = ARENA_ARRAY(d->arena, const char *, field->n_variants + 1);
    struct field choices = *selector;
    struct value value = { &choices, yaml_get(at->node, str_from_c(field->selector)), at->path, -1, VSR_STR("") };
    size_t n = 0;
    int chosen;
    if (selector->kind == FIELD_ENUM || yaml_is_null(value.node) || value.node->kind != YAML_SCALAR ||
        value.node->reference)
        return;
    for (size_t i = 0; i < field->n_variants; i++)
        if (!field->variants[i].old)
            names[n++] = field->variants[i].name;
    choices.choices = names;
    (void)decode_enum(d, &value, &chosen); /* for what it reports */
}

static void decode_variant(const struct decode *d, const struct schema *schema, const struct field *field,
                           struct config_at *at) {
    const struct field_variant *variant = schema_variant(schema, field, at->node);
    const struct yaml_node *node = yaml_get(at->node, str_from_c(field->name));
    struct value value = { field, node, at->path, -1, VSR_STR("") };
    void **slot = (void **)(void *)((char *)at + field->offset);
    bool written = !yaml_is_null(node);
    if (!variant) {
        report_selector(d, field, selector_of(schema, field), at);
    } else if (!variant->schema && written) {
        diag_error(d->diag, "E_UNKNOWN", value_at(d, &value), VSR_STR("remove it"), "%s \"%s\" takes no %s",
                   field->selector, variant->name, field->name);
    } else if (variant->schema && (written || !(field->flags & FIELD_REQUIRED))) {
        *slot = arena_alloc(d->arena, variant->schema->size);
        decode_object(d, variant->schema, written ? node : NULL,
                      schema_path(d->arena, at->path, str_from_c(field->name)), NULL, *slot);
        if (!written && at->node)
            check_required(d, variant->schema, *slot, at->node);
    }
}

static void decode_variants(const struct decode *d, const struct schema *schema, struct config_at *at) {
    for (size_t i = 0; i < schema->n_fields; i++)
        if (schema->fields[i].kind == FIELD_VARIANT)
            decode_variant(d, schema, &schema->fields[i], at);
}

static void decode_object(const struct decode *d, const struct schema *schema, const struct yaml_node *node,
                          vsr_str path, const vsr_str *key, void *object) {
    struct config_at *at = object;
    size_t n_errors = d->diag->n_errors;
    VSR_ASSERT(schema->n_fields <= SCHEMA_FIELDS_MAX);
    memset(object, 0, schema->size);
    at->path = path;
    at->node = node;
    if (key)
        set_key(d, schema, key, at);
    if (node && node->kind == YAML_MAPPING) {
        decode_written(d, schema, node, at);
        check_required(d, schema, at, node);
    } else if (node && schema->shorthand && schema->shorthand(node, object, d->arena, d->diag)) {
        return;
    } else if (!yaml_is_null(node)) {
        wrong_object(d, schema, node, path);
    } else if (node) {
        check_required(d, schema, at, node);
    }
    set_defaults(d, schema, at);
    decode_variants(d, schema, at);
    if (schema->check && d->diag->n_errors == n_errors)
        schema->check(object, d->arena, d->diag);
}

bool schema_decode(const struct schema *schema, const struct yaml_node *node, vsr_str path, void *object,
                   struct arena *arena, struct diag *diag) {
    struct decode d = { arena, diag };
    size_t n_errors = diag->n_errors;
    decode_object(&d, schema, node, path, NULL, object);
    return diag->n_errors == n_errors;
}

/* ---- reading a decoded object */

static size_t field_index(const struct schema *schema, const char *name) {
    const struct field *field = schema_field(schema, str_from_c(name));
    VSR_ASSERT(field != NULL);
    return (size_t)(field - schema->fields);
}

vsr_str schema_identity(const struct schema *schema, const void *object) {
    static const char *const names[] = { "name", "model", "type" };
    for (size_t i = 0; i < schema->n_fields; i++)
        if (schema->fields[i].flags & FIELD_KEY)
            return *(const vsr_str *)(const void *)((const char *)object + schema->fields[i].offset);
    for (size_t i = 0; i < VSR_COUNT(names); i++) {
        const struct field *field = schema_field(schema, str_from_c(names[i]));
        if (field && field->kind == FIELD_STRING)
            return *(const vsr_str *)(const void *)((const char *)object + field->offset);
    }
    return VSR_STR("");
}

bool schema_present(const struct schema *schema, const void *object, const char *field) {
    const struct config_at *at = object;
    return at->present >> field_index(schema, field) & 1;
}

struct diag_at schema_at(const void *object) {
    const struct config_at *at = object;
    return (struct diag_at){ at->node ? at->node->line : 0, at->node ? at->node->col : 0, at->path };
}

struct diag_at schema_field_at(const struct schema *schema, const void *object, const char *field,
                               struct arena *arena) {
    const struct config_at *at = object;
    struct diag_at place = schema_at(object);
    const struct yaml_node *value = yaml_get(at->node, str_from_c(schema->fields[field_index(schema, field)].name));
    /* A block begins on the next line; its key is what one looks for. */
    if (value && value->kind != YAML_SCALAR)
        value = yaml_get_key(at->node, str_from_c(field));
    if (value) {
        place.line = value->line;
        place.col = value->col;
    }
    place.path = schema_path(arena, at->path, str_from_c(field));
    return place;
}
