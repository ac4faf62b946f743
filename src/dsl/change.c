#include "dsl/change.h"

#include <string.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/map.h"
#include "dsl/prove_theory.h"

enum {
    SHOWN_LEN_MAX = 1 << 16,
    COMPARED_LEN_MAX = 256 << 20, /* a document of YAML_BYTES_MAX, its aliases written out */
};

/* Fields of a decision that are not simply called so, or not noticed by whoever the route answers. */
static const struct {
    const char *field, *name;
    enum change_notice notice;
} parts[] = {
    { "description", "description", CHANGE_INERT },
    { "priority", "priority", CHANGE_RANKING },
    { "tier", "tier", CHANGE_RANKING },
    { "rules", "condition", CHANGE_RANKING },
    { "on_unknown", "on_unknown", CHANGE_RANKING },
    { "modelRefs", "models", CHANGE_MODELS },
    { "annotations", "annotations", CHANGE_INERT },
    { "candidateIterations", "iterations", CHANGE_INERT },
};

/* ---- conditions as text */

static void put_rule(const struct config_rule *rule, bool inner, struct buf *out);

static void put_children(const struct config_rule *rule, struct buf *out) {
    const struct config_rule *children = rule->conditions.items;
    for (size_t i = 0; i < rule->conditions.n; i++) {
        if (i > 0)
            buf_append_c(out, rule->op == OPERATOR_AND ? " AND " : " OR ");
        put_rule(&children[i], true, out);
    }
}

static void put_leaf(const struct config_rule *rule, struct buf *out) {
    buf_printf(out, "%.*s(%.*s", VSR_FMT(rule->type), VSR_FMT(rule->name));
    if (rule->label.len)
        buf_printf(out, ":%.*s", VSR_FMT(rule->label));
    if (rule->predicate)
        theory_write_bounds(rule->predicate, out);
    buf_append_char(out, ')');
}

static void put_rule(const struct config_rule *rule, bool inner, struct buf *out) {
    bool is_list = rule->type.len == 0 && rule->op != OPERATOR_NOT;
    bool wrapped = is_list && rule->conditions.n > 1 && (inner || rule->negated);
    if (rule->negated)
        buf_append_c(out, "NOT ");
    if (rule->type.len == 0 && rule->op == OPERATOR_NOT)
        buf_append_c(out, "NOT ");
    if (wrapped)
        buf_append_char(out, '(');
    if (rule->type.len)
        put_leaf(rule, out);
    else
        put_children(rule, out);
    if (wrapped)
        buf_append_char(out, ')');
}

static vsr_str finish(struct arena *arena, struct buf *out) {
    vsr_str text = buf_failed(out) ? VSR_STR("(long)") : arena_str(arena, buf_str(out));
    buf_done(out);
    return text;
}

static vsr_str condition_text(struct arena *arena, const struct config_rule *rule) {
    struct buf out;
    if (!rule)
        return (vsr_str){ 0 };
    buf_init(&out, SHOWN_LEN_MAX);
    put_rule(rule, false, &out);
    return finish(arena, &out);
}

/* ---- parts of a route */

static const struct schema *routing_schema(const struct schema *root) {
    return schema_field(root, VSR_STR("routing"))->object;
}

static bool same_field(const struct schema *schema, const struct field *field, const void *const objects[2]) {
    struct buf texts[2];
    bool same = true;
    for (int side = 0; side < 2; side++) {
        buf_init(&texts[side], COMPARED_LEN_MAX);
        (void)schema_print_field(schema, objects[side], field, SCHEMA_MEANING, &texts[side]); /* nothing: empty */
        same = same && !buf_failed(&texts[side]);
    }
    same = same && str_eq(buf_str(&texts[0]), buf_str(&texts[1]));
    for (int side = 0; side < 2; side++)
        buf_done(&texts[side]);
    return same;
}

static vsr_str field_text(struct arena *arena, const struct schema *schema, const struct field *field,
                          const void *object, enum schema_view view) {
    struct buf out;
    buf_init(&out, SHOWN_LEN_MAX);
    (void)schema_print_field(schema, object, field, view, &out); /* nothing: the text stays empty */
    return finish(arena, &out);
}

static bool is_block(const struct field *field) {
    return field->kind == FIELD_OBJECT || field->kind == FIELD_OPTIONAL || field->kind == FIELD_OBJECTS;
}

static struct change_part part_of(struct arena *arena, const struct schema *schema, const struct field *field,
                                  const struct config_decision *before, const struct config_decision *after) {
    struct change_part part = { .name = field->name, .notice = CHANGE_HANDLING };
    for (size_t i = 0; i < VSR_COUNT(parts); i++)
        if (strcmp(parts[i].field, field->name) == 0) {
            part.name = parts[i].name;
            part.notice = parts[i].notice;
        }
    if (strcmp(field->name, "rules") == 0) {
        part.before = condition_text(arena, before->rules);
        part.after = condition_text(arena, after->rules);
    }
    /* Blocks without all their defaults; also conditions, where a program cannot say what differs. */
    if (is_block(field) && str_eq(part.before, part.after)) {
        part.before = field_text(arena, schema, field, before, SCHEMA_WRITTEN);
        part.after = field_text(arena, schema, field, after, SCHEMA_WRITTEN);
    }
    if (str_eq(part.before, part.after)) {
        part.before = field_text(arena, schema, field, before, SCHEMA_EFFECTIVE);
        part.after = field_text(arena, schema, field, after, SCHEMA_EFFECTIVE);
    }
    return part;
}

size_t change_parts(struct arena *arena, const struct schema *schema, const struct config_decision *before,
                    const struct config_decision *after, struct change_part **ret_parts) {
    const struct schema *decision = schema_field(routing_schema(schema), VSR_STR("decisions"))->object;
    const void *const both[2] = { before, after };
    size_t n = 0;
    *ret_parts = ARENA_ARRAY(arena, struct change_part, decision->n_fields);
    for (size_t i = 0; i < decision->n_fields; i++) {
        const struct field *field = &decision->fields[i];
        if (!(field->flags & FIELD_HIDDEN) && !same_field(decision, field, both))
            (*ret_parts)[n++] = part_of(arena, decision, field, before, after);
    }
    return n;
}

/* ---- routes */

static struct map by_name(struct arena *arena, const struct config_list *decisions) {
    struct map map;
    map_init(&map, arena);
    CONFIG_EACH(struct config_decision, decision, decisions)
    (void)map_put(&map, decision->name, decision); /* names are unique */
    return map;
}

static void add_route(struct arena *arena, struct changes *changes, struct route_change change) {
    changes->routes = arena_grow(arena, changes->routes, sizeof(*changes->routes), changes->n_routes, &changes->cap);
    changes->routes[changes->n_routes++] = change;
}

static void compare_routes(struct arena *arena, const struct schema *schema, const struct config_scope *before,
                           const struct config_scope *after, struct changes *changes) {
    struct map old = by_name(arena, &before->routing->decisions), new = by_name(arena, &after->routing->decisions);
    CONFIG_EACH(const struct config_decision, decision, &before->routing->decisions) {
        struct route_change change = { CHANGE_VALUE, before->name, decision, map_get(&new, decision->name), NULL, 0 };
        if (!change.after)
            change.kind = CHANGE_REMOVED;
        else
            change.n_parts = change_parts(arena, schema, decision, change.after, &change.parts);
        if (change.n_parts > 0 || !change.after)
            add_route(arena, changes, change);
    }
    CONFIG_EACH(const struct config_decision, decision, &after->routing->decisions)
    if (!map_get(&old, decision->name))
        add_route(arena, changes, (struct route_change){ CHANGE_ADDED, after->name, NULL, decision, NULL, 0 });
}

/* ---- the rest */

/* Changes of recipes are those of routes, or show in requests. */
static void find_settings(struct arena *arena, const struct schema *schema, const struct config_document *before,
                          const struct config_document *after, struct config_changes *settings) {
    struct config_changes all;
    config_diff(schema, before, after, arena, &all);
    settings->items = all.items;
    for (size_t i = 0; i < all.n; i++)
        if (all.items[i].recipe.len == 0)
            settings->items[settings->n++] = all.items[i];
}

void changes_find(struct arena *arena, const struct schema *schema, const struct config_document *before,
                  const struct config_document *after, struct changes *ret_changes) {
    *ret_changes = (struct changes){ .settings_compared = before->has_providers == after->has_providers };
    for (size_t i = 0; i < before->n_scopes; i++) {
        const struct config_scope *scope = config_scope(after, before->scopes[i].name);
        if (scope)
            compare_routes(arena, schema, &before->scopes[i], scope, ret_changes);
    }
    if (ret_changes->settings_compared)
        find_settings(arena, schema, before, after, &ret_changes->settings);
}
