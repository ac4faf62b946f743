#include "config/alias.h"

#include "config/diag.h"
#include "config/schema.h"
#include "config/yaml_edit.h"
#include "core/arena.h"

static const vsr_str cache_name = VSR_STR_INIT("response_cache");

static struct diag_at node_at(const struct yaml_node *node, vsr_str path) {
    return (struct diag_at){ node->line, node->col, path };
}

static struct yaml_node *renamed(struct arena *arena, const struct yaml_node *name, vsr_str text) {
    struct yaml_node *copy = yaml_clone(arena, name);
    copy->text = text;
    return copy;
}

/* ---- global.stores */

static void normalise_store(struct yaml_node *root, struct arena *arena, struct diag *diag) {
    struct yaml_node *stores = yaml_get(yaml_get(root, VSR_STR("global")), VSR_STR("stores"));
    ptrdiff_t old = yaml_find(stores, VSR_STR("semantic_cache"));
    const struct yaml_node *key, *canonical = yaml_get_key(stores, cache_name);
    vsr_str path = VSR_STR("global.stores.semantic_cache");
    if (old < 0)
        return;
    key = stores->keys[old];
    if (canonical) {
        diag_error(diag, "E_DUP", node_at(key, path), VSR_STR("keep global.stores.response_cache"),
                   "the same block as global.stores.response_cache at line %u, column %u", canonical->line,
                   canonical->col);
        return;
    }
    diag_warn(diag, "W_DEPRECATED", node_at(key, path), VSR_STR(""), "is now called global.stores.response_cache");
    stores->keys[old] = renamed(arena, key, cache_name);
}

/* ---- flat fields of the plugin */

static const struct flat_field {
    vsr_str name, block, field;
} flat_fields[] = {
    { VSR_STR_INIT("similarity_threshold"), VSR_STR_INIT("semantic"), VSR_STR_INIT("similarity_threshold") },
    { VSR_STR_INIT("allow_request_controls"), VSR_STR_INIT("request_controls"), VSR_STR_INIT("enabled") },
    { VSR_STR_INIT("control_header"), VSR_STR_INIT("request_controls"), VSR_STR_INIT("header") },
};

/* The block of that name as a node that is ours to change; NULL when there is something else in its place. */
static struct yaml_node *own_block(struct yaml_node *settings, const struct yaml_node *near, vsr_str name,
                                   struct arena *arena) {
    ptrdiff_t at = yaml_find(settings, name);
    if (at >= 0 && settings->items[at]->kind == YAML_MAPPING)
        return settings->items[at] = yaml_clone(arena, settings->items[at]);
    if (at >= 0 && !yaml_is_null(settings->items[at]))
        return NULL;
    if (at >= 0)
        return settings->items[at] = yaml_new(arena, YAML_MAPPING, near);
    yaml_append(arena, settings, yaml_new_scalar(arena, name, near), yaml_new(arena, YAML_MAPPING, near));
    return settings->items[settings->n_items - 1];
}

static void move_field(const struct flat_field *flat, struct yaml_node *settings, vsr_str path, struct arena *arena,
                       struct diag *diag) {
    ptrdiff_t at = yaml_find(settings, flat->name);
    struct yaml_node *key, *value, *block;
    const struct yaml_node *nested;
    struct diag_at where;
    if (at < 0)
        return;
    key = settings->keys[at];
    value = settings->items[at];
    where = node_at(key, schema_path(arena, path, flat->name));
    nested = yaml_get_key(yaml_get(settings, flat->block), flat->field);
    if (nested) {
        diag_error(diag, "E_CONFLICT", where, VSR_STR("keep the nested one"),
                   "the same setting as %.*s.%.*s.%.*s at line %u, column %u", VSR_FMT(path), VSR_FMT(flat->block),
                   VSR_FMT(flat->field), nested->line, nested->col);
        return;
    }
    block = own_block(settings, key, flat->block, arena);
    if (!block)
        return; /* the decoder says what is wrong with the block */
    diag_warn(diag, "W_DEPRECATED", where, VSR_STR(""), "is now called %.*s.%.*s", VSR_FMT(flat->block),
              VSR_FMT(flat->field));
    yaml_remove(settings, (size_t)at);
    yaml_append(arena, block, renamed(arena, key, flat->field), value);
}

/* ---- plugins */

static bool is_alias(vsr_str type) {
    return str_eq_c(type, "semantic-cache") || str_eq_c(type, "semantic_cache") || str_eq_c(type, "response-cache");
}

/* Whether the plugin is the response cache, by whatever name. */
static bool is_cache(const struct yaml_node *plugin) {
    const struct yaml_node *type = yaml_get(plugin, VSR_STR("type"));
    return type && type->kind == YAML_SCALAR && (is_alias(type->text) || str_eq(type->text, cache_name));
}

/* Plugins and their settings may be shared by aliases with who knows what: the changes go into copies. */
static struct yaml_node *normalise_plugin(const struct yaml_node *plugin, vsr_str path, struct arena *arena,
                                          struct diag *diag) {
    struct yaml_node *copy = yaml_clone(arena, plugin);
    ptrdiff_t type = yaml_find(copy, VSR_STR("type")), settings = yaml_find(copy, VSR_STR("configuration"));
    if (is_alias(copy->items[type]->text)) {
        diag_warn(diag, "W_DEPRECATED", node_at(copy->items[type], schema_path(arena, path, VSR_STR("type"))),
                  VSR_STR(""), "\"%.*s\" is now called \"%.*s\"", VSR_FMT(copy->items[type]->text),
                  VSR_FMT(cache_name));
        copy->items[type] = renamed(arena, copy->items[type], cache_name);
    }
    if (settings < 0 || copy->items[settings]->kind != YAML_MAPPING)
        return copy;
    path = schema_path(arena, path, VSR_STR("configuration"));
    copy->items[settings] = yaml_clone(arena, copy->items[settings]);
    for (size_t i = 0; i < VSR_COUNT(flat_fields); i++)
        move_field(&flat_fields[i], copy->items[settings], path, arena, diag);
    return copy;
}

/* Two plugins of one type are the decoder's business, unless it was an alias that made them the same. */
static void normalise_plugins(struct yaml_node *plugins, vsr_str path, struct arena *arena, struct diag *diag) {
    const struct yaml_node *first = NULL;
    vsr_str first_path = { 0 };
    for (size_t i = 0; plugins && plugins->kind == YAML_SEQUENCE && i < plugins->n_items; i++) {
        const struct yaml_node *plugin = plugins->items[i], *type = yaml_get(plugin, VSR_STR("type"));
        vsr_str here;
        if (!is_cache(plugin))
            continue;
        here = schema_element_path(arena, path, plugin, i);
        if (first && !(str_eq(first->text, cache_name) && str_eq(type->text, cache_name)))
            diag_error(diag, "E_DUP", node_at(type, schema_path(arena, here, VSR_STR("type"))),
                       VSR_STR("keep one of them"), "the same plugin as %.*s at line %u, column %u",
                       VSR_FMT(first_path), first->line, first->col);
        if (!first) {
            first = type;
            first_path = here;
        }
        plugins->items[i] = normalise_plugin(plugin, here, arena, diag);
    }
}

static void normalise_profile(const struct yaml_node *routing, vsr_str path, struct arena *arena, struct diag *diag) {
    const struct yaml_node *decisions = yaml_get(routing, VSR_STR("decisions"));
    path = schema_path(arena, path, VSR_STR("decisions"));
    for (size_t i = 0; decisions && decisions->kind == YAML_SEQUENCE && i < decisions->n_items; i++) {
        const struct yaml_node *decision = decisions->items[i];
        struct yaml_node *plugins = yaml_get(decision, VSR_STR("plugins"));
        if (plugins)
            normalise_plugins(plugins,
                              schema_path(arena, schema_element_path(arena, path, decision, i), VSR_STR("plugins")),
                              arena, diag);
    }
}

void alias_normalise(struct yaml_node *root, struct arena *arena, struct diag *diag) {
    const struct yaml_node *recipes = yaml_get(root, VSR_STR("recipes"));
    normalise_store(root, arena, diag);
    normalise_profile(yaml_get(root, VSR_STR("routing")), VSR_STR("routing"), arena, diag);
    for (size_t i = 0; recipes && recipes->kind == YAML_SEQUENCE && i < recipes->n_items; i++) {
        vsr_str path = schema_element_path(arena, VSR_STR("recipes"), recipes->items[i], i);
        normalise_profile(yaml_get(recipes->items[i], VSR_STR("routing")), schema_path(arena, path, VSR_STR("routing")),
                          arena, diag);
    }
}
