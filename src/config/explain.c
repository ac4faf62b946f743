#include "config/explain.h"

#include "config/schema_text.h"
#include "core/arena.h"
#include "core/buf.h"

enum {
    TABLES_MAX = 64,     /* that one step may lead to at once */
    SUGGESTIONS_MAX = 5, /* paths that end like a mistyped one */
    SEARCH_DEPTH_MAX = 24,
    VALUE_LEN_MAX = 4096, /* of a value that is shown in one line */
};

/* One step of a path: a key, and which entry is meant. */
struct step {
    vsr_str name;
    vsr_str entry; /* between brackets; empty: all */
    bool is_list;  /* found out on the way */
};

struct steps {
    struct step items[EXPLAIN_STEPS_MAX];
    size_t n;
};

/* A table that the steps so far lead to, and by which variant. */
struct stop {
    const struct schema *schema;
    const char *variant;
};

struct stops {
    struct stop items[TABLES_MAX];
    size_t n;
};

/* ---- reading a path */

/* Reads `name` or `name[entry]` at the front. */
static bool take_step(vsr_str *path, struct step *ret_step) {
    size_t end = 0;
    while (end < path->len && path->ptr[end] != '.' && path->ptr[end] != '[')
        end++;
    *ret_step = (struct step){ .name = str_sub(*path, 0, end) };
    if (end < path->len && path->ptr[end] == '[') {
        ptrdiff_t close = str_find_char(*path, ']');
        if (close < 0)
            return false;
        ret_step->entry = str_sub(*path, end + 1, (size_t)close);
        end = (size_t)close + 1;
    }
    if (end < path->len && path->ptr[end] != '.')
        return false;
    *path = str_sub(*path, end < path->len ? end + 1 : end, path->len);
    return ret_step->name.len > 0;
}

static int read_path(vsr_str path, struct steps *ret_steps, struct vsr_err *err) {
    vsr_str rest = path;
    bool dangling = path.len > 0 && path.ptr[path.len - 1] == '.';
    ret_steps->n = 0;
    while (rest.len) {
        if (ret_steps->n == EXPLAIN_STEPS_MAX || dangling || !take_step(&rest, &ret_steps->items[ret_steps->n]))
            return err_set(err, VSR_E_INVALID,
                           "\"%.*s\" is no path; keys are separated by dots: routing.decisions[].priority",
                           VSR_FMT(path));
        ret_steps->n++;
    }
    return 0;
}

/* ---- following it through the tables */

/* A key that a document may have. */
static const struct field *known_field(const struct schema *schema, vsr_str name) {
    const struct field *field = schema_field(schema, name);
    return field && !(field->flags & FIELD_HIDDEN) ? field : NULL;
}

static void add_stop(struct stops *stops, const struct schema *schema, const char *variant) {
    if (schema && stops->n < TABLES_MAX)
        stops->items[stops->n++] = (struct stop){ schema, variant };
}

/* The tables below `field`; `entry` picks a variant by its name when one is called so. */
static void step_into(const struct field *field, vsr_str entry, struct stops *stops) {
    bool picked = false;
    add_stop(stops, field->object, NULL);
    for (size_t i = 0; i < field->n_variants; i++)
        picked |= str_eq_c(entry, field->variants[i].name);
    for (size_t i = 0; i < field->n_variants; i++)
        if (!field->variants[i].old && (!picked || str_eq_c(entry, field->variants[i].name)))
            add_stop(stops, field->variants[i].schema, field->variants[i].name);
}

/* `plugins[fast_response].configuration`: the entry that picks a variant stands one step before. */
static vsr_str entry_for(const struct field *field, const struct steps *steps, size_t at) {
    return steps->items[field->n_variants && at > 0 ? at - 1 : at].entry;
}

/* Whether further steps name entries that no table describes. */
static bool is_open(const struct field *field) {
    switch (field->kind) {
    case FIELD_PAIRS:
    case FIELD_NUMBER_MAP:
    case FIELD_STRINGS_MAP:
    case FIELD_NODE:
        return true;
    default:
        return false;
    }
}

/* ---- what to say about a path that leads nowhere */

struct search {
    vsr_str name;
    struct arena *arena;
    vsr_str found[SUGGESTIONS_MAX];
    size_t n;
    const struct schema *seen[1024];
    size_t n_seen;
};

static bool seen_before(struct search *search, const struct schema *schema) {
    for (size_t i = 0; i < search->n_seen; i++)
        if (search->seen[i] == schema)
            return true;
    if (search->n_seen < VSR_COUNT(search->seen))
        search->seen[search->n_seen++] = schema;
    return false;
}

/* Every path whose last key has that name. */
static void search_tables(struct search *search, const struct schema *schema, vsr_str path, int depth) {
    if (!schema || depth == SEARCH_DEPTH_MAX || seen_before(search, schema))
        return;
    for (size_t i = 0; i < schema->n_fields && search->n < SUGGESTIONS_MAX; i++) {
        const struct field *field = &schema->fields[i];
        vsr_str below = schema_path(search->arena, path, str_from_c(field->name));
        if (str_eq_c(search->name, field->name) && !(field->flags & FIELD_HIDDEN))
            search->found[search->n++] = below;
        below = arena_printf(search->arena, "%.*s%s", VSR_FMT(below), schema_text_step(field));
        search_tables(search, field->object, below, depth + 1);
        for (size_t v = 0; v < field->n_variants; v++)
            search_tables(search, field->variants[v].schema, below, depth + 1);
    }
}

static vsr_str nearest_name(struct arena *arena, const struct stops *stops, vsr_str name) {
    vsr_str names[TABLES_MAX * 4];
    size_t n = 0;
    struct diag diag;
    diag_init(&diag, arena, VSR_STR(""));
    for (size_t s = 0; s < stops->n; s++)
        for (size_t i = 0; i < stops->items[s].schema->n_fields && n < VSR_COUNT(names); i++)
            names[n++] = str_from_c(stops->items[s].schema->fields[i].name);
    return diag_suggest(&diag, name, names, n);
}

static int not_found(const struct schema *root, const struct steps *steps, size_t at, const struct stops *stops,
                     struct vsr_err *err) {
    struct arena *arena = arena_new(0, 0);
    struct search *search = ARENA_NEW(arena, struct search);
    vsr_str hint = nearest_name(arena, stops, steps->items[at].name), above = { 0 };
    for (size_t i = 0; i < at; i++)
        above = schema_path(arena, above, steps->items[i].name);
    search->arena = arena;
    search->name = steps->items[steps->n - 1].name;
    if (hint.len == 0)
        search_tables(search, root, VSR_STR(""), 0);
    for (size_t i = 0; i < search->n; i++)
        hint = arena_printf(arena, "%.*s%s%.*s", VSR_FMT(hint), i ? ", " : "did you mean ", VSR_FMT(search->found[i]));
    (void)err_set(err, VSR_E_NOT_FOUND, "there is no key \"%.*s\" in %.*s%s%.*s%s", VSR_FMT(steps->items[at].name),
                  VSR_FMT(above.len ? above : VSR_STR("the document")), hint.len ? "; " : "", VSR_FMT(hint),
                  search->n ? "?" : "");
    arena_free(arena);
    return VSR_E_NOT_FOUND;
}

/* ---- printing the documentation */

static void print_type(const struct field *field, struct buf *out) {
    vsr_str standard = schema_text_default(field);
    schema_text_type(field, "", out);
    if (field->flags & FIELD_REQUIRED)
        buf_append_c(out, ", required");
    else if (standard.len)
        buf_printf(out, ", default %.*s", VSR_FMT(standard));
}

static void print_children(const struct stop *stop, const struct explain_style *style, struct buf *out) {
    const struct schema *schema = stop->schema;
    size_t width = 0;
    for (size_t i = 0; i < schema->n_fields; i++)
        if (strlen(schema->fields[i].name) > width)
            width = strlen(schema->fields[i].name);
    if (stop->variant)
        buf_printf(out, "\n  keys of %s%s%s:\n", style->strong, stop->variant, style->plain);
    else
        buf_append_c(out, "\n  keys:\n");
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        if (field->flags & FIELD_HIDDEN)
            continue;
        buf_printf(out, "    %s%-*s%s  %s (%s", style->strong, (int)width, field->name, style->plain, field->help,
                   style->dim);
        print_type(field, out);
        buf_printf(out, "%s)\n", style->plain);
    }
}

static void print_field(const struct stop *stop, const struct field *field, const struct explain_style *style,
                        struct buf *out) {
    if (stop->variant)
        buf_printf(out, "  of %s%s%s\n", style->strong, stop->variant, style->plain);
    buf_append_c(out, "  ");
    print_type(field, out);
    buf_printf(out, "\n  %s\n", field->help);
}

static void print_path(const struct steps *steps, size_t n, const struct explain_style *style, struct buf *out) {
    buf_append_c(out, style->strong);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%.*s%s", i ? "." : "", VSR_FMT(steps->items[i].name),
                   steps->items[i].is_list && i + 1 < n ? "[]" : "");
    buf_printf(out, "%s%s\n", n ? "" : "the document", style->plain);
}

/* The fields that the last step names, one for each table that knows it, and the keys below them. */
static void print_last(const struct stops *stops, const struct steps *steps, size_t last,
                       const struct explain_style *style, struct buf *out) {
    const struct step *step = &steps->items[last];
    for (size_t i = 0; i < stops->n; i++) {
        const struct field *field = known_field(stops->items[i].schema, step->name);
        struct stops below = { .n = 0 };
        if (!field)
            continue;
        print_field(&stops->items[i], field, style, out);
        step_into(field, entry_for(field, steps, last), &below);
        for (size_t b = 0; b < below.n; b++)
            print_children(&below.items[b], style, out);
    }
}

static bool knows_step(const struct stops *stops, const struct step *step) {
    for (size_t i = 0; i < stops->n; i++)
        if (known_field(stops->items[i].schema, step->name))
            return true;
    return false;
}

/* Follows all steps but the last. Returns the index of the step to explain, or the code of a failure. */
static int follow(const struct schema *schema, struct steps *steps, struct stops *stops, struct vsr_err *err) {
    size_t last = 0;
    stops->n = 0;
    add_stop(stops, schema, NULL);
    for (; last + 1 < steps->n; last++) {
        struct step *step = &steps->items[last];
        struct stops next = { .n = 0 };
        bool known = false, open = false, named = false;
        for (size_t i = 0; i < stops->n; i++) {
            const struct field *field = known_field(stops->items[i].schema, step->name);
            if (!field)
                continue;
            known = true;
            step->is_list |= field->kind == FIELD_OBJECTS;
            open |= is_open(field);
            named |= field->kind == FIELD_OBJECT_MAP;
            step_into(field, entry_for(field, steps, last), &next);
        }
        if (!known)
            return not_found(schema, steps, last, stops, err);
        if (open || (named && last + 2 == steps->n))
            return (int)last; /* what follows is a name of the user's own */
        *stops = next;
        last += named;
    }
    return (int)last;
}

int explain_key(const struct schema *schema, vsr_str path, const struct explain_style *style, struct buf *out,
                struct vsr_err *err) {
    struct steps steps;
    struct stops stops;
    int rc = read_path(path, &steps, err), last;
    if (rc < 0)
        return rc;
    if (steps.n == 0) {
        const struct stop root = { schema, NULL };
        print_path(&steps, 0, style, out);
        print_children(&root, style, out);
        return 0;
    }
    last = follow(schema, &steps, &stops, err);
    if (last < 0)
        return last;
    if (!knows_step(&stops, &steps.items[last]))
        return not_found(schema, &steps, (size_t)last, &stops, err);
    print_path(&steps, (size_t)last + 1, style, out);
    print_last(&stops, &steps, (size_t)last, style, out);
    return 0;
}

/* ---- values of a document */

struct values {
    const struct steps *steps;
    const vsr_str *files; /* the document's two */
    const struct explain_style *style;
    struct arena *arena;
    struct buf *out;
    size_t n;
};

static void print_place(const struct values *v, const void *object, const struct field *field, bool written) {
    const struct config_at *at = object;
    const struct yaml_node *key = written ? yaml_get_key(at->node, str_from_c(field->name)) : NULL;
    bool second = key && key->line >= YAML_SECOND_FILE;
    if (key)
        buf_printf(v->out, "%s%.*s:%u:%u%s", v->style->dim, VSR_FMT(v->files[second]),
                   second ? key->line - YAML_SECOND_FILE : key->line, key->col, v->style->plain);
    else
        buf_printf(v->out, "%sdefault%s", v->style->dim, v->style->plain);
}

static void print_value(struct values *v, const struct schema *schema, const void *object, const struct field *field,
                        vsr_str path) {
    const struct config_at *at = object;
    bool written = at->present >> (field - schema->fields) & 1;
    struct buf text;
    vsr_str shown;
    buf_init(&text, VALUE_LEN_MAX);
    if (!schema_print_field(schema, object, field, SCHEMA_EFFECTIVE, &text))
        shown = VSR_STR("not set");
    else
        shown = buf_failed(&text) ? VSR_STR("(long)") : buf_str(&text);
    buf_printf(v->out, "  %.*s = %s%.*s%s  ", VSR_FMT(path), v->style->strong, VSR_FMT(shown), v->style->plain);
    print_place(v, object, field, written);
    buf_append_char(v->out, '\n');
    buf_done(&text);
    v->n++;
}

static void walk_object(struct values *v, const struct schema *schema, const void *object, vsr_str path, size_t at);

/* Whether `entry` of a path means this element, by its name or its place. */
static bool is_meant(vsr_str entry, const struct schema *schema, const char *element, size_t index) {
    uint64_t number;
    if (entry.len == 0 || (str_to_u64(entry, &number) && number == index))
        return true;
    return str_eq(schema_identity(schema, element), entry);
}

static void walk_list(struct values *v, const struct field *field, const struct config_list *list, vsr_str path,
                      size_t at) {
    const struct step *step = &v->steps->items[at];
    for (size_t i = 0; i < list->n && v->n < EXPLAIN_VALUES_MAX; i++) {
        const char *element = (const char *)list->items + i * field->object->size;
        const struct config_at *place = (const struct config_at *)(const void *)element;
        if (is_meant(step->entry, field->object, element, i))
            walk_object(v, field->object, element, place->path.len ? place->path : path, at + 1);
    }
}

static void walk_map(struct values *v, const struct field *field, const struct config_list *list, vsr_str path,
                     size_t at) {
    for (size_t i = 0; i < list->n && v->n < EXPLAIN_VALUES_MAX; i++) {
        const char *element = (const char *)list->items + i * field->object->size;
        vsr_str key = schema_identity(field->object, element), name = v->steps->items[at + 1].name;
        if (str_eq(key, name) || str_eq_c(name, "NAME"))
            walk_object(v, field->object, element, schema_path(v->arena, path, key), at + 2);
    }
}

static void walk_object(struct values *v, const struct schema *schema, const void *object, vsr_str path, size_t at) {
    const struct config_at *place = object;
    const struct field *field = at < v->steps->n ? known_field(schema, v->steps->items[at].name) : NULL;
    const void *slot = field ? (const char *)object + field->offset : NULL;
    const struct field_variant *variant;
    if (!field)
        return;
    path = schema_path(v->arena, path, str_from_c(field->name));
    if (at + 1 == v->steps->n || is_open(field)) {
        print_value(v, schema, object, field, path);
        return;
    }
    switch (field->kind) {
    case FIELD_OBJECT:
        walk_object(v, field->object, slot, path, at + 1);
        break;
    case FIELD_OPTIONAL:
        if (*(const void *const *)slot)
            walk_object(v, field->object, *(const void *const *)slot, path, at + 1);
        break;
    case FIELD_VARIANT:
        variant = schema_variant(schema, field, place->node);
        if (variant && *(const void *const *)slot)
            walk_object(v, variant->schema, *(const void *const *)slot, path, at + 1);
        break;
    case FIELD_OBJECTS:
        walk_list(v, field, slot, path, at);
        break;
    case FIELD_OBJECT_MAP:
        if (at + 2 == v->steps->n)
            print_value(v, schema, object, field, path);
        else
            walk_map(v, field, slot, path, at);
        break;
    default:
        break;
    }
}

size_t explain_values(const struct schema *schema, const void *object, vsr_str path, const vsr_str files[2],
                      const struct explain_style *style, struct buf *out) {
    struct steps steps;
    struct vsr_err err = VSR_ERR_NONE;
    struct values v = { .steps = &steps, .files = files, .style = style, .out = out };
    if (read_path(path, &steps, &err) < 0)
        return 0;
    v.arena = arena_new(0, 0);
    walk_object(&v, schema, object, VSR_STR(""), 0);
    arena_free(v.arena);
    return v.n;
}
