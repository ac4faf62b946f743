/* Plugins of routes, and their templates. */
#include "core/arena.h"
#include "dsl/check_parts.h"

/*
 * Plugins that do nothing unless one of these says something. All plugins are on when `enabled` is not said, so that
 * leaving it out is no mistake.
 */
static const struct {
    const char *type;
    const char *fields[5];
} idle_without[] = {
    { "system_prompt", { "system_prompt" } },
    { "header_mutation", { "add", "update", "delete" } },
    { "request_params", { "blocked_params", "max_tokens_limit", "max_n", "strip_unknown" } },
};

static bool says_something(const struct dsl_fields *fields, const char *key) {
    const struct dsl_value *value = fields ? dsl_value_of(fields, key) : NULL;
    if (!value)
        return false;
    if (value->kind == DSL_STRING)
        return value->text.len > 0;
    if (value->kind == DSL_ARRAY)
        return value->n_items > 0;
    return value->kind != DSL_BOOL || value->truth;
}

static bool is_switched_off(const struct dsl_fields *fields, const struct dsl_fields *inherited) {
    const struct dsl_value *enabled = dsl_value_of(fields, "enabled");
    if (!enabled && inherited)
        enabled = dsl_value_of(inherited, "enabled");
    return enabled && enabled->kind == DSL_BOOL && !enabled->truth;
}

static void check_effect(const struct check_scope *scope, const struct check_block *block,
                         const struct dsl_name *name) {
    if (is_switched_off(block->fields, block->inherited))
        return; /* on purpose */
    for (size_t i = 0; i < VSR_COUNT(idle_without); i++) {
        bool works = false;
        vsr_str keys = VSR_STR("");
        if (!str_eq_c(block->block->name, idle_without[i].type))
            continue;
        for (size_t k = 0; k < VSR_COUNT(idle_without[i].fields) && idle_without[i].fields[k]; k++) {
            const char *key = idle_without[i].fields[k];
            works |= says_something(block->fields, key) || says_something(block->inherited, key);
            keys = arena_printf(scope->c->scratch, "%.*s%s%s", VSR_FMT(keys), k ? ", " : "", key);
        }
        if (!works)
            CHECK_TELL(scope->c, WARNING, "W303", name->at, "%.*s has no effect: it says nothing of %.*s",
                       VSR_FMT(block->what), VSR_FMT(keys));
    }
}

static struct check_declared *template_of(const struct check_route *route, const struct dsl_item *plugin) {
    return map_get(&route->scope->templates, plugin->name.text);
}

static const struct language_block *block_of(const struct check_route *route, const struct dsl_item *plugin) {
    const struct check_declared *template = template_of(route, plugin);
    vsr_str type = template ? template->decl->type.text : plugin->name.text;
    return language_block(route->scope->c->language, LANGUAGE_PLUGINS, type);
}

static void check_headers(struct check *c, const struct check_block *block) {
    if (str_eq_c(block->block->name, "header_mutation"))
        dsl_check_headers(c, block->what, block->fields);
}

void dsl_check_plugin(const struct check_route *route, const struct dsl_item *item) {
    struct check *c = route->scope->c;
    struct check_declared *template = template_of(route, item);
    struct check_block block = {
        .what = arena_printf(c->scratch, "%.*sPLUGIN %.*s", VSR_FMT(route->what), VSR_FMT(item->name.text)),
        .block = block_of(route, item),
        .fields = &item->fields,
        .inherited = template ? &template->decl->fields : NULL,
        .at = item->name.at,
    };
    if (template)
        template->used = true;
    if (!block.block)
        return; /* E203 */
    dsl_check_block(c, &block);
    check_headers(c, &block);
    check_effect(route->scope, &block, &item->name);
}

void dsl_check_templates(const struct check_scope *scope) {
    struct check *c = scope->c;
    DSL_EACH(decl, scope->program, DSL_PLUGIN) {
        struct check_block block = {
            .what = arena_printf(c->scratch, "PLUGIN %.*s", VSR_FMT(decl->name.text)),
            .block = language_block(c->language, LANGUAGE_PLUGINS, decl->type.text),
            .fields = &decl->fields,
            .at = decl->at,
            .partial = true, /* what is missing may be said where it is used */
        };
        c->findings->decl = decl->at;
        if (!block.block)
            continue;
        dsl_check_block(c, &block);
        check_headers(c, &block);
    }
}

bool dsl_check_answers_itself(const struct check_route *route) {
    for (size_t i = 0; i < route->body->n; i++) {
        const struct dsl_item *item = &route->body->items[i];
        const struct language_block *block = item->kind == DSL_ITEM_PLUGIN ? block_of(route, item) : NULL;
        if (block && str_eq_c(block->name, "fast_response"))
            return true;
    }
    return false;
}
