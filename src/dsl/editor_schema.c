/*
 * editor_schema - the language as data: words, types, fields, ranges and choices, for highlighting, completion, forms.
 *
 * Blocks refer to each other, and some to themselves (rule trees), so each is written once, in a list, and referred to
 * by its index in it.
 */
#include <math.h>

#include "core/arena.h"
#include "dsl/editor_parts.h"
#include "dsl/keywords.h"

struct blocks {
    struct arena *arena;
    const struct language_block **items;
    size_t n, cap;
};

/* ---- pieces */

static void put_text(struct json_writer *w, const char *key, vsr_str text) {
    json_write_key(w, str_from_c(key));
    json_write_str(w, text);
}

static void put_words(struct json_writer *w, const char *key, const char *const *words) {
    json_write_key(w, str_from_c(key));
    json_write_begin_array(w);
    for (; *words; words++)
        if (**words) /* the empty one stands for "not written" */
            json_write_str(w, str_from_c(*words));
    json_write_end(w);
}

static size_t index_of(struct blocks *blocks, const struct language_block *block) {
    for (size_t i = 0; i < blocks->n; i++)
        if (blocks->items[i] == block)
            return i;
    blocks->items = arena_grow(blocks->arena, (void *)blocks->items, sizeof(*blocks->items), blocks->n, &blocks->cap);
    blocks->items[blocks->n] = block;
    return blocks->n++;
}

static void put_block_index(struct json_writer *w, struct blocks *blocks, const char *key,
                            const struct language_block *block) {
    json_write_key(w, str_from_c(key));
    json_write_u64(w, index_of(blocks, block));
}

/* ---- fields */

static const char *kind_name(enum field_kind kind) {
    static const char *const names[] = {
        [FIELD_BOOL] = "bool",
        [FIELD_INT] = "int",
        [FIELD_NUMBER] = "number",
        [FIELD_STRING] = "string",
        [FIELD_ENUM] = "enum",
        [FIELD_DURATION] = "duration",
        [FIELD_TOKENS] = "tokens",
        [FIELD_STRINGS] = "strings",
        [FIELD_STRING_LISTS] = "stringLists",
        [FIELD_PAIRS] = "pairs",
        [FIELD_OBJECT] = "object",
        [FIELD_OPTIONAL] = "object",
        [FIELD_OBJECTS] = "objects",
        [FIELD_OBJECT_MAP] = "objectMap",
        [FIELD_NODE] = "any",
        [FIELD_INT_OR_AUTO] = "intOrAuto",
        [FIELD_NUMBER_LIST] = "numbers",
        [FIELD_INT_LIST] = "ints",
        [FIELD_NUMBER_MAP] = "numberMap",
        [FIELD_STRINGS_MAP] = "stringsMap",
        [FIELD_VARIANT] = "variant",
    };
    return names[kind];
}

static void put_range(struct json_writer *w, const struct field *field) {
    if (!(field->flags & FIELD_RANGE))
        return;
    if (isfinite(field->least)) {
        json_write_key(w, VSR_STR("least"));
        json_write_double(w, field->least);
        json_write_key(w, VSR_STR("leastOpen"));
        json_write_bool(w, field->flags & FIELD_LEAST_OPEN);
    }
    if (isfinite(field->greatest)) {
        json_write_key(w, VSR_STR("greatest"));
        json_write_double(w, field->greatest);
    }
}

static void put_field(struct json_writer *w, struct blocks *blocks, const struct language_field *said) {
    const struct field *field = said->field;
    json_write_begin_object(w);
    put_text(w, "name", said->name);
    put_text(w, "kind", str_from_c(kind_name(field->kind)));
    json_write_key(w, VSR_STR("required"));
    json_write_bool(w, language_is_required(said));
    if (field->fallback)
        put_text(w, "default", str_from_c(field->fallback));
    put_range(w, field);
    if (field->choices)
        put_words(w, "choices", field->choices);
    if (said->block)
        put_block_index(w, blocks, "block", said->block);
    if (field->help)
        put_text(w, "help", str_from_c(field->help));
    json_write_end(w);
}

/* Writing a block can find others, which are then written behind it. */
static void put_blocks(struct json_writer *w, struct blocks *blocks) {
    json_write_key(w, VSR_STR("blocks"));
    json_write_begin_array(w);
    for (size_t i = 0; i < blocks->n; i++) {
        const struct language_block *block = blocks->items[i];
        json_write_begin_object(w);
        put_text(w, "name", block->name);
        json_write_key(w, VSR_STR("fields"));
        json_write_begin_array(w);
        for (size_t k = 0; k < block->n_fields; k++)
            put_field(w, blocks, &block->fields[k]);
        json_write_end(w);
        json_write_end(w);
    }
    json_write_end(w);
}

/* ---- the language */

static void put_keywords(struct json_writer *w) {
    static const char *const names[KEYWORD_PLACES] = {
        [KEYWORD_DECLARATION] = "declarations",
        [KEYWORD_OF_RECIPE] = "recipe",
        [KEYWORD_ITEM] = "route",
        [KEYWORD_OF_BRANCH] = "branch",
        [KEYWORD_BRANCH] = "tree",
        [KEYWORD_OPERATOR] = "operators",
        [KEYWORD_CONDITION] = "condition",
        [KEYWORD_PROJECTION] = "projections",
        [KEYWORD_EMIT] = "emits",
    };
    static const char *const iteration[] = { "IN", NULL }, *const literals[] = { "true", "false", "null", NULL };
    json_write_key(w, VSR_STR("keywords"));
    json_write_begin_object(w);
    for (size_t i = 0; i < KEYWORD_PLACES; i++)
        put_words(w, names[i], dsl_keywords((enum keyword_place)i));
    put_words(w, "iteration", iteration);
    put_words(w, "literals", literals);
    json_write_end(w);
}

/* Each keyword once, whatever its places. */
static void put_help(struct json_writer *w) {
    json_write_key(w, VSR_STR("help"));
    json_write_begin_object(w);
    for (const char *word = dsl_keyword_next(NULL); word; word = dsl_keyword_next(word))
        put_text(w, word, str_from_c(dsl_keyword_help(str_from_c(word))));
    json_write_end(w);
}

static void put_family(struct json_writer *w, struct blocks *blocks, const char *key, const struct language *language,
                       enum language_kind kind) {
    json_write_key(w, str_from_c(key));
    json_write_begin_array(w);
    for (size_t i = 0; i < language->n_blocks[kind]; i++) {
        const struct language_block *block = language->blocks[kind][i];
        json_write_begin_object(w);
        put_text(w, "type", block->name);
        if (block->list.len > 0)
            put_text(w, "list", block->list);
        put_block_index(w, blocks, "block", block);
        json_write_end(w);
    }
    json_write_end(w);
}

static void put_others(struct json_writer *w, struct blocks *blocks, const struct language *language) {
    json_write_key(w, VSR_STR("projections"));
    json_write_begin_object(w);
    put_block_index(w, blocks, "partition", language->partition);
    put_block_index(w, blocks, "score", language->score);
    put_block_index(w, blocks, "mapping", language->mapping);
    json_write_end(w);
    json_write_key(w, VSR_STR("program"));
    json_write_begin_object(w);
    put_block_index(w, blocks, "routing", language->routing);
    put_block_index(w, blocks, "entrypoint", language->entrypoint);
    put_block_index(w, blocks, "model", language->model);
    put_block_index(w, blocks, "modelOptions", language->ref);
    put_block_index(w, blocks, "conditionFields", language->leaf);
    put_block_index(w, blocks, "retention", language->retention);
    put_block_index(w, blocks, "extra", language->extra);
    json_write_end(w);
}

void editor_schema(struct editor *e) {
    struct blocks blocks = { .arena = e->arena };
    struct json_writer *w = &e->w;
    put_keywords(w);
    put_help(w);
    put_family(w, &blocks, "signals", e->language, LANGUAGE_SIGNALS);
    put_family(w, &blocks, "algorithms", e->language, LANGUAGE_ALGORITHMS);
    put_family(w, &blocks, "plugins", e->language, LANGUAGE_PLUGINS);
    put_others(w, &blocks, e->language);
    put_blocks(w, &blocks);
}
