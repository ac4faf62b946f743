#include "dsl/language.h"

#include <stdlib.h>

#include "config/document.h"
#include "config/schema_text.h"
#include "config/schema_value.h"
#include "core/arena.h"
#include "core/assert.h"
#include "dsl/language_rows.h"

/* Blocks by what they were made of: tables may hold themselves (rule trees). */
struct memo {
    struct memo *next;
    const struct schema *schema;
    const struct language_rows *rows;
    struct language_block *block;
};

struct build {
    struct arena *arena;
    struct memo *memo;
    const struct schema *algorithm; /* with a field for each algorithm that has a block */
};

/* ---- values */

static bool is_zero_text(vsr_str text) {
    return text.len == 0 || str_eq_c(text, "false") || str_eq_c(text, "0") || str_eq_c(text, "[]") ||
           str_eq_c(text, "{}");
}

/* Zero however it is spelled: -0, 0.00. */
static bool is_zero_number(vsr_str text) {
    bool digit = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == 'e' || c == 'E')
            break;
        if (c != '0' && c != '.' && c != '-' && c != '+')
            return false;
        digit |= c == '0';
    }
    return digit;
}

static bool is_number(const struct field *field) {
    return field->kind == FIELD_INT || field->kind == FIELD_NUMBER || field->kind == FIELD_INT_OR_AUTO;
}

bool language_is_zero(const struct language_field *field, const struct yaml_node *value) {
    bool truth, old;
    if (yaml_is_null(value))
        return true;
    if (value->kind != YAML_SCALAR)
        return value->n_items == 0;
    if (field->field->kind == FIELD_BOOL)
        return value_bool(value->text, &truth, &old) == VALUE_OK && !truth;
    return value->text.len == 0 || (is_number(field->field) && is_zero_number(value->text));
}

bool language_is_plain_zero(const struct language_field *field, const struct yaml_node *value) {
    return field->zero == ZERO_WRITTEN && value->kind == YAML_SCALAR && is_number(field->field) &&
           is_zero_number(value->text);
}

vsr_str language_unsaid(const struct language_field *field) {
    return str_from_c(field->field->fallback);
}

/* Whether YAML gets something that the configuration takes when nothing is said. */
static bool has_unsaid(const struct language_field *field) {
    return field->zero == ZERO_WRITTEN && field->field->kind != FIELD_OBJECT && !(field->field->flags & FIELD_NONBLANK);
}

bool language_is_required(const struct language_field *field) {
    return field->field->flags & FIELD_REQUIRED && !has_unsaid(field);
}

/* Of words the first one is what an empty one means. */
vsr_str language_default(const struct language_field *field) {
    if (!(field->field->flags & FIELD_REQUIRED) || !has_unsaid(field))
        return schema_text_default(field->field);
    return field->field->choices ? str_from_c(field->field->choices[0]) : VSR_STR("");
}

vsr_str language_canonical(const struct language_field *field, vsr_str word) {
    for (const vsr_str(*pair)[2] = field->words; pair && (*pair)[0].len; pair++)
        if (str_eq_nocase((*pair)[0], word))
            return (*pair)[1];
    for (const char *const *choice = field->field->choices; choice && *choice && field->field->flags & FIELD_NOCASE;
         choice++)
        if (str_eq_nocase(str_from_c(*choice), word))
            return str_from_c(*choice);
    return word;
}

static bool is_default(const struct language_field *field, const struct yaml_node *value) {
    vsr_str word = value->kind == YAML_SCALAR ? language_canonical(field, value->text) : VSR_STR("");
    return value->kind == YAML_SCALAR &&
           (field->field->flags & FIELD_NOCASE ? str_eq_nocase(word, language_unsaid(field))
                                               : str_eq(word, language_unsaid(field)));
}

bool language_in_text(const struct language_field *field, const struct yaml_node *value) {
    bool absent = yaml_is_null(value);
    switch (field->zero) {
    case ZERO_OMITTED:
        return !language_is_zero(field, value);
    case ZERO_WRITTEN:
        return !is_zero_text(language_unsaid(field)) || !language_is_zero(field, value);
    case ZERO_KEPT:
    case ZERO_LATER:
        return !absent;
    case ZERO_DEFAULT:
        return !absent && !is_default(field, value);
    }
    return false;
}

bool language_in_yaml(const struct language_field *field, const struct yaml_node *value) {
    return field->zero == ZERO_WRITTEN || language_in_text(field, value);
}

/* ---- building blocks */

static bool is_listed(const char *const *names, const char *name) {
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static const struct language_row *row_of(const struct language_rows *rows, const struct field *field) {
    for (size_t i = 0; rows && i < rows->n; i++)
        if (strcmp(rows->items[i].yaml ? rows->items[i].yaml : rows->items[i].name, field->name) == 0)
            return &rows->items[i];
    return NULL;
}

/* Whether leaving a zero out would say something else. */
static bool zero_counts(const struct field *field) {
    return !is_zero_text(str_from_c(field->fallback)) || field->flags & FIELD_UNSET || field->kind == FIELD_OPTIONAL;
}

static const struct language_block *block_of(struct build *build, const struct schema *schema,
                                             const struct language_rows *rows);

static bool has_block(const struct field *field) {
    return field->kind == FIELD_OBJECT || field->kind == FIELD_OPTIONAL || field->kind == FIELD_OBJECTS ||
           field->kind == FIELD_OBJECT_MAP;
}

static void add_field(struct build *build, struct language_block *block, const struct field *field,
                      const struct language_row *row) {
    struct language_field *to = (struct language_field *)&block->fields[block->n_fields++];
    *to = (struct language_field){
        .name = str_from_c(row ? row->name : field->name),
        .zero = row ? row->zero : ZERO_KEPT,
        .place = row ? row->place : PLACE_INSIDE,
        .words = row ? row->words : NULL,
        .extra = !row,
        .field = field,
    };
    if (to->zero == ZERO_OMITTED && zero_counts(field))
        to->zero = ZERO_KEPT;
    if (has_block(field))
        to->block = block_of(build, field->object, row ? row->nested : NULL);
}

static int compare_fields(const void *a, const void *b) {
    const struct language_field *one = a, *other = b;
    return str_cmp(one->name, other->name);
}

static void sort_fields(struct language_block *block, size_t from) {
    if (block->n_fields > from)
        qsort((void *)(block->fields + from), block->n_fields - from, sizeof(*block->fields), compare_fields);
}

/* Those that no row names, in the table's order. */
static void add_others(struct build *build, struct language_block *block, const struct schema *schema,
                       const struct language_rows *rows, bool named) {
    for (size_t i = 0; schema && i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        bool hidden = rows && is_listed(rows->hidden, field->name);
        if (!row_of(rows, field) && !hidden && !(field->flags & FIELD_KEY) &&
            !(named && strcmp(field->name, "name") == 0))
            add_field(build, block, field, NULL);
    }
}

static void add_rows(struct build *build, struct language_block *block, const struct schema *schema,
                     const struct language_rows *rows) {
    for (size_t i = 0; rows && i < rows->n; i++) {
        const struct language_row *row = &rows->items[i];
        const struct schema *from = row->place == PLACE_BESIDE ? build->algorithm : schema;
        const struct field *field = from ? schema_field(from, str_from_c(row->yaml ? row->yaml : row->name)) : NULL;
        if (field)
            add_field(build, block, field, row);
    }
}

/* Where the field stands among those of YAML; what no list names keeps the order of the configuration. */
static size_t yaml_rank(const struct language_rows *rows, const struct schema *schema,
                        const struct language_field *field) {
    size_t n = 0;
    for (const char *const *name = rows ? rows->yaml : NULL; name && *name; name++, n++)
        if (str_eq_c(field->name, *name))
            return n;
    return schema && field->field >= schema->fields && field->field < schema->fields + schema->n_fields
               ? n + (size_t)(field->field - schema->fields)
               : SIZE_MAX;
}

static void order_yaml(struct build *build, struct language_block *block, const struct schema *schema,
                       const struct language_rows *rows) {
    const struct language_field **yaml = ARENA_ARRAY(build->arena, const struct language_field *, block->n_fields);
    for (size_t i = 0; i < block->n_fields; i++) {
        size_t at = i, rank = yaml_rank(rows, schema, &block->fields[i]);
        for (; at > 0 && yaml_rank(rows, schema, yaml[at - 1]) > rank; at--)
            yaml[at] = yaml[at - 1];
        yaml[at] = &block->fields[i];
    }
    block->yaml = yaml;
}

static void fill(struct build *build, struct language_block *block, const struct schema *schema,
                 const struct language_rows *rows, bool named) {
    size_t room = (schema ? schema->n_fields : 0) + (rows ? rows->n : 0);
    block->schema = schema;
    block->order = rows ? rows->order : ORDER_SORTED;
    block->fields = ARENA_ARRAY(build->arena, struct language_field, room);
    add_rows(build, block, schema, rows);
    add_others(build, block, schema, rows, named);
    if (block->order == ORDER_SORTED)
        sort_fields(block, 0);
    order_yaml(build, block, schema, rows);
}

static const struct language_block *block_of(struct build *build, const struct schema *schema,
                                             const struct language_rows *rows) {
    struct memo *memo;
    for (memo = build->memo; memo; memo = memo->next)
        if (memo->schema == schema && memo->rows == rows)
            return memo->block;
    memo = ARENA_NEW(build->arena, struct memo);
    *memo = (struct memo){ build->memo, schema, rows, ARENA_NEW(build->arena, struct language_block) };
    build->memo = memo;
    memo->block->name = str_from_c(schema->name);
    fill(build, memo->block, schema, rows, false);
    return memo->block;
}

/* A block with a name of its own: what a declaration or an item says. */
static struct language_block *declared(struct build *build, const char *name, const struct schema *schema,
                                       const struct language_rows *rows) {
    struct language_block *block = ARENA_NEW(build->arena, struct language_block);
    block->name = str_from_c(name);
    fill(build, block, schema, rows, true);
    return block;
}

/* ---- signals, algorithms, plugins */

static const struct language_rows *rows_named(const struct language_row_set *set, const char *name) {
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->items[i].name, name) == 0)
            return &set->items[i];
    return NULL;
}

static const struct language_block *signal_block(struct build *build, const struct config_family *family) {
    struct language_block *block =
        declared(build, family->type, family->schema, rows_named(&language_signal_rows, family->type));
    block->list = str_from_c(family->list_key);
    return block;
}

static const struct config_family *family_of(const struct config_families *families, const char *type) {
    for (size_t i = 0; i < families->n; i++)
        if (strcmp(families->items[i].type, type) == 0)
            return &families->items[i];
    return NULL;
}

/* In the order of the rows; families without rows behind. */
static const struct language_block **signal_blocks(struct build *build, const struct config_families *families) {
    const struct language_block **blocks = ARENA_ARRAY(build->arena, const struct language_block *, families->n);
    size_t n = 0;
    for (size_t i = 0; i < language_signal_rows.n; i++) {
        const struct config_family *family = family_of(families, language_signal_rows.items[i].name);
        if (family)
            blocks[n++] = signal_block(build, family);
    }
    for (size_t i = 0; i < families->n; i++)
        if (!rows_named(&language_signal_rows, families->items[i].type))
            blocks[n++] = signal_block(build, &families->items[i]);
    return blocks;
}

/* The same blocks in the order of the lists in YAML. */
static const struct language_block **signal_lists(struct build *build, const struct language_block *const *blocks,
                                                  size_t n_blocks) {
    const struct language_block **lists = ARENA_ARRAY(build->arena, const struct language_block *, n_blocks);
    size_t n = 0;
    for (const char *const *list = language_signal_lists; *list; list++)
        for (size_t i = 0; i < n_blocks; i++)
            if (str_eq_c(blocks[i]->list, *list))
                lists[n++] = blocks[i];
    for (size_t i = 0; i < n_blocks; i++) {
        char list[64];
        VSR_ASSERT(blocks[i]->list.len < sizeof(list));
        memcpy(list, blocks[i]->list.ptr, blocks[i]->list.len);
        list[blocks[i]->list.len] = '\0';
        if (!is_listed(language_signal_lists, list))
            lists[n++] = blocks[i];
    }
    return lists;
}

/* What algorithms without rows have beside `type`. */
static const struct language_row other_algorithm_rows[] = { { .name = "on_error", .place = PLACE_BESIDE } };
static const struct language_rows other_algorithm = { "algorithm", other_algorithm_rows, 1, ORDER_SORTED, NULL, NULL };

/* The language says the whole block of `prompt` in a field of that name: its own fields are not those of the item. */
static bool says_block(const struct language_rows *rows, const char *type) {
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->items[i].name, type) == 0)
            return true;
    return false;
}

static const struct language_block *algorithm_block(struct build *build, const struct config_kind *kind) {
    const struct language_rows *rows = rows_named(&language_algorithm_rows, kind->type);
    struct language_block *block;
    bool whole;
    rows = rows ? rows : &other_algorithm;
    whole = says_block(rows, kind->type);
    block = declared(build, kind->type, whole ? NULL : kind->schema, rows);
    block->required = kind->block_required && !whole;
    return block;
}

static const struct language_block *plugin_block(struct build *build, const struct config_kind *kind) {
    const struct language_rows *rows = rows_named(&language_plugin_rows, kind->type);
    struct language_block *block = declared(build, kind->type, kind->schema, rows);
    size_t named = 0;
    while (named < block->n_fields && !block->fields[named].extra)
        named++;
    if (block->order == ORDER_ROWS) { /* extras are sorted */
        sort_fields(block, named);
        order_yaml(build, block, kind->schema, rows);
    }
    block->required = kind->block_required;
    return block;
}

static int compare_blocks(const void *a, const void *b) {
    const struct language_block *const *one = a, *const *other = b;
    return str_cmp((*one)->name, (*other)->name);
}

static const struct language_block **kind_blocks(struct build *build, const struct config_kinds *kinds,
                                                 const struct language_block *(*make)(struct build *,
                                                                                      const struct config_kind *)) {
    const struct language_block **blocks = ARENA_ARRAY(build->arena, const struct language_block *, kinds->n);
    for (size_t i = 0; i < kinds->n; i++)
        blocks[i] = make(build, &kinds->items[i]);
    if (kinds->n)
        qsort((void *)blocks, kinds->n, sizeof(struct language_block *), compare_blocks);
    return blocks;
}

static int compare_names(const void *a, const void *b) {
    const vsr_str *one = a, *other = b;
    return str_cmp(*one, *other);
}

static void set_kind(struct build *build, struct language *language, enum language_kind kind,
                     const struct language_block *const *blocks, size_t n) {
    vsr_str *names = ARENA_ARRAY(build->arena, vsr_str, n);
    for (size_t i = 0; i < n; i++)
        names[i] = blocks[i]->name;
    if (n)
        qsort(names, n, sizeof(vsr_str), compare_names);
    language->blocks[kind] = blocks;
    language->names[kind] = names;
    language->n_blocks[kind] = n;
}

/* ---- all of it */

static const struct schema *nested(const struct schema *schema, const char *name) {
    const struct field *field = schema_field(schema, str_from_c(name));
    VSR_ASSERT(field && field->object);
    return field->object;
}

static void build_others(struct build *build, struct language *language, const struct schema *document) {
    const struct schema *routing = nested(document, "routing"), *decision = nested(routing, "decisions");
    const struct schema *projections = nested(routing, "projections");
    const struct schema *emit = nested(nested(decision, "emits"), "retention");
    language->partition = declared(build, "partition", nested(projections, "partitions"), &language_partition_rows);
    language->score = declared(build, "score", nested(projections, "scores"), &language_score_rows);
    language->mapping = declared(build, "mapping", nested(projections, "mappings"), &language_mapping_rows);
    language->model = declared(build, "model", nested(routing, "modelCards"), &language_model_rows);
    language->entrypoint = declared(build, "entrypoint", nested(document, "entrypoints"), &language_entrypoint_rows);
    language->retention = declared(build, "retention", emit, &language_retention_rows);
    language->routing = declared(build, "routing", routing, &language_routing_rows);
    language->leaf = declared(build, "signal reference", nested(decision, "rules"), &language_leaf_rows);
    language->ref = declared(build, "model reference", nested(decision, "modelRefs"), &language_ref_rows);
    language->extra = declared(build, "extra", decision, &language_extra_rows);
}

const struct language *language_build(struct arena *arena, const struct config_parts *parts) {
    const struct schema *document = config_schema(arena, parts);
    struct language *language = ARENA_NEW(arena, struct language);
    struct build build = { .arena = arena };
    const struct language_block *const *signals = signal_blocks(&build, &parts->families);
    build.algorithm = nested(nested(nested(document, "routing"), "decisions"), "algorithm");
    language->parts = parts;
    set_kind(&build, language, LANGUAGE_SIGNALS, signals, parts->families.n);
    language->lists = signal_lists(&build, signals, parts->families.n);
    set_kind(&build, language, LANGUAGE_ALGORITHMS, kind_blocks(&build, &parts->algorithms, algorithm_block),
             parts->algorithms.n);
    set_kind(&build, language, LANGUAGE_PLUGINS, kind_blocks(&build, &parts->plugins, plugin_block), parts->plugins.n);
    build_others(&build, language, document);
    return language;
}

/* ---- look-ups */

static const struct language_block *block_named(const struct language *language, enum language_kind kind,
                                                vsr_str name) {
    for (size_t i = 0; i < language->n_blocks[kind]; i++)
        if (str_eq(language->blocks[kind][i]->name, name))
            return language->blocks[kind][i];
    return NULL;
}

/* Equal when dashes and underscores are the same. */
static bool eq_dashed(vsr_str name, vsr_str other) {
    if (name.len != other.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] != other.ptr[i] && !(name.ptr[i] == '-' && other.ptr[i] == '_'))
            return false;
    return true;
}

static const struct language_block *plugin_respelled(const struct language *language, vsr_str name) {
    const struct config_kinds *kinds = &language->parts->plugins;
    for (size_t i = 0; i < kinds->n; i++) {
        vsr_str type = str_from_c(kinds->items[i].type);
        if (eq_dashed(name, type))
            return block_named(language, LANGUAGE_PLUGINS, type);
        for (const char *const *old = kinds->items[i].old_types; old && *old; old++)
            if (str_eq_c(name, *old))
                return block_named(language, LANGUAGE_PLUGINS, type);
    }
    return NULL;
}

const struct language_block *language_block(const struct language *language, enum language_kind kind, vsr_str name) {
    const struct language_block *block = block_named(language, kind, name);
    return block || kind != LANGUAGE_PLUGINS ? block : plugin_respelled(language, name);
}

const struct language_field *language_field(const struct language_block *block, vsr_str name) {
    for (size_t i = 0; i < block->n_fields; i++)
        if (str_eq(block->fields[i].name, name))
            return &block->fields[i];
    return NULL;
}

const struct language_block *language_list(const struct language *language, vsr_str list) {
    for (size_t i = 0; i < language->n_blocks[LANGUAGE_SIGNALS]; i++)
        if (str_eq(language->blocks[LANGUAGE_SIGNALS][i]->list, list))
            return language->blocks[LANGUAGE_SIGNALS][i];
    return NULL;
}
