/* editor_symbols - the names that a program declares, in all its scopes, for lists and completion. */
#include <stdlib.h>

#include "core/arena.h"
#include "dsl/editor_parts.h"

struct symbol {
    vsr_str name, type; /* no type: of what has none */
};

struct symbols {
    struct arena *arena;
    struct symbol *items;
    size_t n, cap;
};

static void add(struct symbols *symbols, vsr_str name, vsr_str type) {
    symbols->items = arena_grow(symbols->arena, symbols->items, sizeof(*symbols->items), symbols->n, &symbols->cap);
    symbols->items[symbols->n++] = (struct symbol){ name, type };
}

static void add_outputs(struct symbols *symbols, const struct dsl_decl *mapping) {
    const struct dsl_field *outputs = dsl_field(&mapping->fields, VSR_STR("outputs"));
    if (!outputs || outputs->value.kind != DSL_ARRAY)
        return;
    for (size_t i = 0; i < outputs->value.n_items; i++) {
        const struct dsl_value *output = &outputs->value.items[i];
        const struct dsl_field *name = output->kind == DSL_OBJECT ? dsl_field(&output->fields, VSR_STR("name")) : NULL;
        if (name && name->value.kind == DSL_STRING)
            add(symbols, name->value.text, VSR_STR("projection"));
    }
}

/* A branch without a name gets the one that its route will have. */
static void add_branches(struct symbols *symbols, const struct dsl_decl *tree) {
    for (size_t i = 0; i < tree->n_branches; i++) {
        const struct dsl_item *name = dsl_item(&tree->branches[i].body, DSL_ITEM_NAME);
        add(symbols,
            name ? name->name.text
                 : arena_printf(symbols->arena, "%.*s__branch_%02zu", VSR_FMT(tree->name.text), i + 1),
            VSR_STR(""));
    }
}

static void collect(struct symbols *symbols, const struct dsl_program *program, enum dsl_decl_kind kind) {
    for (size_t i = 0; i < program->n; i++) {
        const struct dsl_decl *decl = &program->decls[i];
        if (decl->kind == DSL_RECIPE)
            collect(symbols, decl->recipe, kind);
        else if (decl->kind == kind)
            add(symbols, decl->name.text, kind == DSL_SIGNAL_DECL ? decl->type.text : VSR_STR(""));
        else if (kind == DSL_SIGNAL_DECL && decl->kind == DSL_MAPPING)
            add_outputs(symbols, decl);
        else if (kind == DSL_ROUTE && decl->kind == DSL_TREE)
            add_branches(symbols, decl);
    }
}

static int compare(const void *a, const void *b) {
    const struct symbol *one = a, *other = b;
    int order = str_cmp(one->name, other->name);
    return order ? order : str_cmp(one->type, other->type);
}

static void write_list(struct editor *e, const char *key, enum dsl_decl_kind kind) {
    struct symbols symbols = { .arena = e->arena };
    collect(&symbols, &e->parsed.program, kind);
    if (symbols.n > 0)
        qsort(symbols.items, symbols.n, sizeof(*symbols.items), compare);
    json_write_key(&e->w, str_from_c(key));
    json_write_begin_array(&e->w);
    for (size_t i = 0; i < symbols.n; i++) {
        const struct symbol *symbol = &symbols.items[i];
        if (i > 0 && compare(symbol, symbol - 1) == 0)
            continue;
        if (kind != DSL_SIGNAL_DECL) {
            json_write_str(&e->w, symbol->name);
            continue;
        }
        json_write_begin_object(&e->w);
        json_write_key(&e->w, VSR_STR("name"));
        json_write_str(&e->w, symbol->name);
        json_write_key(&e->w, VSR_STR("type"));
        json_write_str(&e->w, symbol->type);
        json_write_end(&e->w);
    }
    json_write_end(&e->w);
}

void editor_symbols(struct editor *e) {
    json_write_key(&e->w, VSR_STR("symbols"));
    json_write_begin_object(&e->w);
    write_list(e, "signals", DSL_SIGNAL_DECL);
    write_list(e, "models", DSL_MODEL);
    write_list(e, "plugins", DSL_PLUGIN);
    write_list(e, "routes", DSL_ROUTE);
    json_write_end(&e->w);
}
