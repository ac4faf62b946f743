/* Every table of the contract, with all families, algorithms and plugins of the program. */
#include "test.h"

#include "cli/config_source.h"
#include "config/schema_text.h"
#include "core/arena.h"

enum { TABLES_MAX = 1024 };

struct tables {
    const struct schema *items[TABLES_MAX];
    size_t n;
};

static void walk(struct tables *tables, const struct schema *schema) {
    for (size_t i = 0; i < tables->n; i++)
        if (tables->items[i] == schema)
            return;
    CHECK(tables->n < TABLES_MAX, schema->name);
    tables->items[tables->n++] = schema;
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        if (field->object)
            walk(tables, field->object);
        for (size_t v = 0; v < field->n_variants; v++)
            if (field->variants[v].schema)
                walk(tables, field->variants[v].schema);
    }
}

static bool is_sentence(vsr_str text) {
    return text.len > 3 && text.ptr[text.len - 1] == '.' && !str_starts(text, VSR_STR(" ")) &&
           !(text.ptr[0] >= 'a' && text.ptr[0] <= 'z' && str_find_char(text, ' ') < 0);
}

TEST(every_row_has_help) {
    struct arena *arena = arena_new(0, 0);
    struct tables *tables = ARENA_NEW(arena, struct tables);
    walk(tables, config_source_schema(arena));
    CHECK(tables->n > 150, "tables of the whole contract");
    for (size_t i = 0; i < tables->n; i++)
        for (size_t f = 0; f < tables->items[i]->n_fields; f++) {
            const struct field *field = &tables->items[i]->fields[f];
            CHECK_MSG(is_sentence(str_from_c(field->help)), "%s.%s: \"%s\" is no help", tables->items[i]->name,
                      field->name, field->help ? field->help : "");
        }
    arena_free(arena);
}

static bool is_listed(const char *const *choices, vsr_str word) {
    for (; *choices; choices++)
        if (str_eq_c(word, *choices))
            return true;
    return false;
}

/* Alone, without the rest of its table: a default is a value that the document could have. */
static void check_fallback(struct arena *arena, const struct schema *schema, const struct field *field) {
    struct schema alone = { .name = schema->name, .size = schema->size, .fields = field, .n_fields = 1 };
    void *object = arena_alloc(arena, schema->size);
    struct diag diag;
    diag_init(&diag, arena, VSR_STR("t"));
    CHECK_MSG(schema_decode(&alone, NULL, VSR_STR("x"), object, arena, &diag) && diag.n_items == 0,
              "%s.%s: \"%s\": %.*s", schema->name, field->name, field->fallback, VSR_FMT(diag.items[0].message));
}

TEST(every_default_decodes) {
    struct arena *arena = arena_new(0, 0);
    struct tables *tables = ARENA_NEW(arena, struct tables);
    size_t n = 0;
    walk(tables, config_source_schema(arena));
    for (size_t i = 0; i < tables->n; i++)
        for (size_t f = 0; f < tables->items[i]->n_fields; f++)
            if (tables->items[i]->fields[f].fallback) {
                check_fallback(arena, tables->items[i], &tables->items[i]->fields[f]);
                n++;
            }
    CHECK(n > 200, "defaults found");
    arena_free(arena);
}

TEST(every_variant_has_a_selector) {
    struct arena *arena = arena_new(0, 0);
    struct tables *tables = ARENA_NEW(arena, struct tables);
    size_t n = 0;
    walk(tables, config_source_schema(arena));
    for (size_t i = 0; i < tables->n; i++)
        for (size_t f = 0; f < tables->items[i]->n_fields; f++) {
            const struct field *field = &tables->items[i]->fields[f], *selector;
            if (field->kind != FIELD_VARIANT)
                continue;
            selector = schema_field(tables->items[i], str_from_c(field->selector));
            CHECK(selector && (selector->kind == FIELD_STRING || selector->kind == FIELD_ENUM), field->name);
            for (size_t v = 0; v < field->n_variants && selector->choices; v++)
                CHECK(is_listed(selector->choices, str_from_c(field->variants[v].name)), field->variants[v].name);
            n++;
        }
    CHECK(n >= 3, "variants found");
    arena_free(arena);
}

RUN_TESTS(T(every_row_has_help), T(every_default_decodes), T(every_variant_has_a_selector))
