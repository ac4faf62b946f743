#include "config/diff.h"

#include "config/file_hash.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/map.h"

enum {
    TEXT_LEN_MAX = 1 << 20,      /* of one value that is shown */
    MEANING_LEN_MAX = 256 << 20, /* of one that is compared: a document of YAML_BYTES_MAX, its aliases written out */
};

struct diff {
    struct arena *arena;
    struct config_changes *changes;
    vsr_str recipe;
};

/* The same block in both documents, each with the table that it was decoded by. */
struct pair {
    const struct schema *schema_a, *schema_b;
    const void *a, *b;
};

static void compare_objects(struct diff *d, struct pair pair, vsr_str path);

static void report(struct diff *d, enum change_kind kind, vsr_str path, vsr_str before, vsr_str after) {
    struct config_changes *changes = d->changes;
    changes->items = arena_grow(d->arena, changes->items, sizeof(*changes->items), changes->n, &changes->cap);
    changes->items[changes->n++] = (struct config_change){ kind, d->recipe, path, before, after };
}

/* Whichever of the two is missing makes it an addition, a removal, or a changed value. */
static void report_texts(struct diff *d, vsr_str path, vsr_str before, vsr_str after) {
    report(d, before.len == 0 ? CHANGE_ADDED : after.len == 0 ? CHANGE_REMOVED : CHANGE_VALUE, path, before, after);
}

/* ---- texts */

static vsr_str finish(struct diff *d, struct buf *text) {
    vsr_str result = buf_failed(text) ? VSR_STR("(long)") : arena_str(d->arena, buf_str(text));
    buf_done(text);
    return result;
}

/* As it is shown: what was written. */
static vsr_str object_text(struct diff *d, const struct schema *schema, const void *object) {
    struct buf text;
    buf_init(&text, TEXT_LEN_MAX);
    schema_print_flow(schema, object, SCHEMA_WRITTEN, &text);
    return finish(d, &text);
}

/* What holds for the field, as it is shown; empty: nothing does. */
static vsr_str field_text(struct diff *d, const struct schema *schema, const void *object, const struct field *field) {
    struct buf text;
    buf_init(&text, TEXT_LEN_MAX);
    (void)schema_print_field(schema, object, field, SCHEMA_EFFECTIVE, &text); /* nothing: the text stays empty */
    return finish(d, &text);
}

/* What is compared is a hash: texts with secrets in them are not kept, however long they are. */
static vsr_str finish_meaning(struct diff *d, struct buf *text) {
    char *hash = arena_alloc(d->arena, FILE_HASH_LEN);
    text_hash(buf_str(text), hash);
    buf_done(text);
    return str_make(hash, FILE_HASH_LEN);
}

static vsr_str object_meaning(struct diff *d, const struct schema *schema, const void *object) {
    struct buf text;
    buf_init(&text, MEANING_LEN_MAX);
    schema_print_flow(schema, object, SCHEMA_MEANING, &text);
    return finish_meaning(d, &text);
}

static vsr_str field_meaning(struct diff *d, const struct schema *schema, const void *object,
                             const struct field *field) {
    struct buf text;
    buf_init(&text, MEANING_LEN_MAX);
    (void)schema_print_field(schema, object, field, SCHEMA_MEANING, &text); /* nothing: the text stays empty */
    return finish_meaning(d, &text);
}

/* ---- entries of lists */

/* How often each text stands in a list; long lists are many. */
static size_t tally_add(struct map *tally, vsr_str text) {
    size_t *count = map_get(tally, text);
    if (!count) {
        count = ARENA_ARRAY(tally->arena, size_t, 1);
        *count = 0;
        (void)map_put(tally, text, count); /* there was none */
    }
    return ++*count;
}

static size_t tally_count(const struct map *tally, vsr_str text) {
    const size_t *count = map_get(tally, text);
    return count ? *count : 0;
}

static struct map tally_of(struct diff *d, const vsr_str *items, size_t n) {
    struct map tally;
    map_init(&tally, d->arena);
    for (size_t i = 0; i < n; i++)
        (void)tally_add(&tally, items[i]);
    return tally;
}

/* Entries of a list: what each says, and how it is shown. */
struct entries {
    const vsr_str *keys, *shown;
    size_t n;
};

/* Indexes of the entries of `a` that `b` has too. */
static size_t common(struct diff *d, const struct entries *a, const struct entries *b, size_t *ret_indexes) {
    struct map tally = tally_of(d, b->keys, b->n);
    size_t n = 0;
    for (size_t i = 0; i < a->n; i++)
        if (tally_count(&tally, a->keys[i]) > 0)
            ret_indexes[n++] = i;
    return n;
}

static vsr_str join(struct diff *d, const struct entries *entries, const size_t *indexes, size_t n) {
    struct buf text;
    buf_init(&text, TEXT_LEN_MAX);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%s%.*s", i ? ", " : "", VSR_FMT(entries->shown[indexes[i]]));
    return finish(d, &text);
}

/* The common entries in the order of `a`, and in that of `b`: a change when these differ. */
static void compare_order(struct diff *d, vsr_str path, const struct entries *a, const struct entries *b) {
    size_t *common_a = ARENA_ARRAY(d->arena, size_t, a->n), *common_b = ARENA_ARRAY(d->arena, size_t, b->n);
    size_t n_a = common(d, a, b, common_a), n_b = common(d, b, a, common_b);
    bool same = n_a == n_b; /* unless one of two equal entries is gone, which was reported */
    for (size_t i = 0; i < n_a && same; i++)
        same = str_eq(a->keys[common_a[i]], b->keys[common_b[i]]);
    if (!same)
        report(d, CHANGE_ORDER, path, join(d, a, common_a, n_a), join(d, b, common_b, n_b));
}

/* Reports the entries that `b` has not, or has less often. */
static bool compare_one_way(struct diff *d, vsr_str path, enum change_kind kind, const struct entries *a,
                            const struct entries *b) {
    struct map seen = tally_of(d, NULL, 0), other = tally_of(d, b->keys, b->n);
    bool same = true;
    for (size_t i = 0; i < a->n; i++) {
        if (tally_add(&seen, a->keys[i]) <= tally_count(&other, a->keys[i]))
            continue;
        report(d, kind, path, kind == CHANGE_REMOVED ? a->shown[i] : VSR_STR(""),
               kind == CHANGE_ADDED ? a->shown[i] : VSR_STR(""));
        same = false;
    }
    return same;
}

/* What only one of two lists has, else a change of the order. */
static void compare_entries(struct diff *d, vsr_str path, const struct entries *a, const struct entries *b) {
    bool kept = compare_one_way(d, path, CHANGE_REMOVED, a, b);
    if (compare_one_way(d, path, CHANGE_ADDED, b, a) && kept)
        compare_order(d, path, a, b);
}

/* ---- lists of blocks */

static const void *element(const struct schema *schema, const struct config_list *list, size_t i) {
    return (const char *)list->items + i * schema->size;
}

/* The name of each entry; NULL when some have none, or the same. */
static const vsr_str *identities(struct diff *d, const struct schema *schema, const struct config_list *list) {
    struct map seen = tally_of(d, NULL, 0);
    vsr_str *names = ARENA_ARRAY(d->arena, vsr_str, list->n);
    for (size_t i = 0; i < list->n; i++) {
        names[i] = schema_identity(schema, element(schema, list, i));
        if (names[i].len == 0 || tally_add(&seen, names[i]) > 1)
            return NULL;
    }
    return names;
}

static struct entries read_entries(struct diff *d, const struct schema *schema, const struct config_list *list) {
    vsr_str *keys = ARENA_ARRAY(d->arena, vsr_str, list->n), *shown = ARENA_ARRAY(d->arena, vsr_str, list->n);
    for (size_t i = 0; i < list->n; i++) {
        keys[i] = object_meaning(d, schema, element(schema, list, i));
        shown[i] = object_text(d, schema, element(schema, list, i));
    }
    return (struct entries){ keys, shown, list->n };
}

/* From names to elements. */
static struct map by_name(struct diff *d, const struct schema *schema, const struct config_list *list,
                          const vsr_str *names) {
    struct map map;
    map_init(&map, d->arena);
    for (size_t i = 0; i < list->n; i++)
        (void)map_put(&map, names[i], (char *)list->items + i * schema->size); /* names are unique */
    return map;
}

static vsr_str entry_path(struct diff *d, const struct field *field, vsr_str path, vsr_str name) {
    if (field->kind == FIELD_OBJECT_MAP)
        return schema_path(d->arena, path, name);
    return arena_printf(d->arena, "%.*s[%.*s]", VSR_FMT(path), VSR_FMT(name));
}

static void compare_named(struct diff *d, const struct field *field, vsr_str path, const struct config_list *a,
                          const vsr_str *names_a, const struct config_list *b, const vsr_str *names_b) {
    const struct schema *schema = field->object;
    struct map in_a = by_name(d, schema, a, names_a), in_b = by_name(d, schema, b, names_b);
    for (size_t i = 0; i < a->n; i++) {
        vsr_str here = entry_path(d, field, path, names_a[i]);
        const void *before = element(schema, a, i), *after = map_get(&in_b, names_a[i]);
        if (after)
            compare_objects(d, (struct pair){ schema, schema, before, after }, here);
        else
            report(d, CHANGE_REMOVED, here, object_text(d, schema, before), VSR_STR(""));
    }
    for (size_t i = 0; i < b->n; i++)
        if (!map_get(&in_a, names_b[i]))
            report(d, CHANGE_ADDED, entry_path(d, field, path, names_b[i]), VSR_STR(""),
                   object_text(d, schema, element(schema, b, i)));
    if (field->kind == FIELD_OBJECTS)
        compare_order(d, path, &(struct entries){ names_a, names_a, a->n },
                      &(struct entries){ names_b, names_b, b->n });
}

static void compare_lists(struct diff *d, const struct field *field, vsr_str path, const struct config_list *a,
                          const struct config_list *b) {
    const vsr_str *names_a = identities(d, field->object, a), *names_b = identities(d, field->object, b);
    struct entries entries_a, entries_b;
    if (names_a && names_b) {
        compare_named(d, field, path, a, names_a, b, names_b);
        return;
    }
    entries_a = read_entries(d, field->object, a);
    entries_b = read_entries(d, field->object, b);
    compare_entries(d, path, &entries_a, &entries_b);
}

/* ---- fields */

static bool is_written(const struct schema *schema, const void *object, const struct field *field) {
    const struct config_at *at = object;
    return at->present >> (field - schema->fields) & 1;
}

/* Rule trees: a table that holds itself. */
static bool is_tree(const struct schema *schema) {
    for (size_t i = 0; i < schema->n_fields; i++)
        if (schema->fields[i].object == schema)
            return true;
    return false;
}

static void compare_inline(struct diff *d, const struct pair *pair, const struct field *field_a,
                           const struct field *field_b, vsr_str path) {
    const void *slot_a = (const char *)pair->a + field_a->offset, *slot_b = (const char *)pair->b + field_b->offset;
    const struct config_strings *strings_a = slot_a, *strings_b = slot_b;
    bool secret = field_a->flags & FIELD_SECRET;
    if (str_eq(field_meaning(d, pair->schema_a, pair->a, field_a), field_meaning(d, pair->schema_b, pair->b, field_b)))
        return;
    if (field_a->kind == FIELD_STRINGS && !secret && strings_a->n && strings_b->n) {
        compare_entries(d, path, &(struct entries){ strings_a->items, strings_a->items, strings_a->n },
                        &(struct entries){ strings_b->items, strings_b->items, strings_b->n });
        return;
    }
    report_texts(d, path, field_text(d, pair->schema_a, pair->a, field_a),
                 field_text(d, pair->schema_b, pair->b, field_b));
}

/* Two blocks; NULL: there is none. */
static void compare_blocks(struct diff *d, const struct schema *schema_a, const void *a, const struct schema *schema_b,
                           const void *b, vsr_str path) {
    vsr_str before, after;
    if (a && b && schema_a == schema_b && !is_tree(schema_a)) {
        compare_objects(d, (struct pair){ schema_a, schema_b, a, b }, path);
        return;
    }
    before = a ? object_meaning(d, schema_a, a) : VSR_STR("");
    after = b ? object_meaning(d, schema_b, b) : VSR_STR("");
    if (str_eq(before, after))
        return;
    before = a ? object_text(d, schema_a, a) : VSR_STR("");
    after = b ? object_text(d, schema_b, b) : VSR_STR("");
    report_texts(d, path, before, after);
}

static void compare_fields(struct diff *d, const struct pair *pair, const struct field *field_a,
                           const struct field *field_b, vsr_str path) {
    const struct schema *schema_a, *schema_b;
    const void *slot_a = (const char *)pair->a + field_a->offset, *slot_b = (const char *)pair->b + field_b->offset;
    const void *block_a = schema_block(pair->schema_a, pair->a, field_a, &schema_a);
    const void *block_b = schema_block(pair->schema_b, pair->b, field_b, &schema_b);
    if (field_a->flags & FIELD_UNSET && block_a && !is_written(pair->schema_a, pair->a, field_a))
        block_a = NULL;
    if (field_b->flags & FIELD_UNSET && block_b && !is_written(pair->schema_b, pair->b, field_b))
        block_b = NULL;
    switch (field_a->kind) {
    case FIELD_OBJECT:
    case FIELD_OPTIONAL:
    case FIELD_VARIANT:
        compare_blocks(d, schema_a, block_a, schema_b, block_b, path);
        break;
    case FIELD_OBJECTS:
    case FIELD_OBJECT_MAP:
        compare_lists(d, field_a, path, slot_a, slot_b);
        break;
    default:
        compare_inline(d, pair, field_a, field_b, path);
        break;
    }
}

static void compare_objects(struct diff *d, struct pair pair, vsr_str path) {
    for (size_t i = 0; i < pair.schema_a->n_fields; i++) {
        const struct field *field_a = &pair.schema_a->fields[i];
        const struct field *field_b = schema_field(pair.schema_b, str_from_c(field_a->name));
        if (field_b && !(field_a->flags & FIELD_HIDDEN))
            compare_fields(d, &pair, field_a, field_b, schema_path(d->arena, path, str_from_c(field_a->name)));
    }
}

/* ---- recipes */

static const struct config_scope *scope_named(const struct config_document *doc, vsr_str name) {
    for (size_t i = 0; i < doc->n_scopes; i++)
        if (str_eq(doc->scopes[i].name, name))
            return &doc->scopes[i];
    return NULL;
}

/* The table of a profile: that of the top level also has the catalogue of models. */
static const struct schema *profile_schema(const struct schema *root, const struct config_scope *scope) {
    const struct schema *recipe = schema_field(root, VSR_STR("recipes"))->object;
    bool top = str_eq_c(scope->path, "routing");
    return schema_field(top ? root : recipe, VSR_STR("routing"))->object;
}

static vsr_str scope_text(struct diff *d, const struct schema *root, const struct config_scope *scope) {
    return object_text(d, profile_schema(root, scope), scope->routing);
}

static void compare_scopes(struct diff *d, const struct schema *root, const struct config_scope *a,
                           const struct config_scope *b) {
    struct pair pair = { profile_schema(root, a), profile_schema(root, b), a->routing, b->routing };
    d->recipe = a->name;
    if (!str_eq(a->description, b->description))
        report_texts(d, arena_printf(d->arena, "recipes[%.*s].description", VSR_FMT(a->name)), a->description,
                     b->description);
    for (size_t i = 0; i < pair.schema_a->n_fields; i++) {
        const struct field *field_a = &pair.schema_a->fields[i];
        const struct field *field_b = schema_field(pair.schema_b, str_from_c(field_a->name));
        if (field_b && strcmp(field_a->name, "modelCards") != 0 && !(field_a->flags & FIELD_HIDDEN))
            compare_fields(d, &pair, field_a, field_b, schema_path(d->arena, b->path, str_from_c(field_a->name)));
    }
}

static void compare_recipes(struct diff *d, const struct schema *root, const struct config_document *a,
                            const struct config_document *b) {
    for (size_t i = 0; i < a->n_scopes; i++) {
        const struct config_scope *scope = &a->scopes[i], *other = scope_named(b, scope->name);
        d->recipe = scope->name;
        if (other)
            compare_scopes(d, root, scope, other);
        else
            report(d, CHANGE_REMOVED, scope->path, scope_text(d, root, scope), VSR_STR(""));
    }
    for (size_t i = 0; i < b->n_scopes; i++) {
        d->recipe = b->scopes[i].name;
        if (!scope_named(a, d->recipe))
            report(d, CHANGE_ADDED, b->scopes[i].path, VSR_STR(""), scope_text(d, root, &b->scopes[i]));
    }
}

/* ---- documents */

static void compare_catalogue(struct diff *d, const struct schema *root, const struct config_document *a,
                              const struct config_document *b) {
    const struct schema *routing = schema_field(root, VSR_STR("routing"))->object;
    const struct field *cards = schema_field(routing, VSR_STR("modelCards"));
    compare_lists(d, cards, VSR_STR("routing.modelCards"), &a->routing.model_cards, &b->routing.model_cards);
}

void config_diff(const struct schema *schema, const struct config_document *a, const struct config_document *b,
                 struct arena *arena, struct config_changes *ret_changes) {
    struct diff d = { .arena = arena, .changes = ret_changes };
    const struct pair pair = { schema, schema, a, b };
    *ret_changes = (struct config_changes){ 0 };
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        if (strcmp(field->name, "routing") == 0)
            compare_catalogue(&d, schema, a, b);
        else if (strcmp(field->name, "recipes") != 0)
            compare_fields(&d, &pair, field, field, str_from_c(field->name));
    }
    compare_recipes(&d, schema, a, b);
}
