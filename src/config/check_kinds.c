/* Algorithms and plugins of a decision: kinds, blocks, and the rules of each kind (config.md §7.6, §7.7). */
#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"

static struct diag_at key_at(struct check *c, const void *object, const char *key) {
    const struct config_at *at = object;
    const struct yaml_node *node = yaml_get(at->node, str_from_c(key));
    struct diag_at place = schema_at(object);
    if (node) {
        place.line = node->line;
        place.col = node->col;
        place.path = schema_path(c->arena, at->path, str_from_c(key));
    }
    return place;
}

static struct config_site site_of(struct check *c, const struct config_decision *decision) {
    return (struct config_site){
        .doc = c->doc, .scope = c->scope, .decision = decision, .arena = c->arena, .diag = c->diag
    };
}

/* Index of the kind, or -1. */
static int find_kind(const struct config_kinds *kinds, vsr_str type) {
    for (size_t i = 0; i < kinds->n; i++)
        if (str_eq_c(type, kinds->items[i].type))
            return (int)i;
    return -1;
}

static void report_kind(struct check *c, const struct config_kinds *kinds, struct diag_at at, vsr_str type) {
    vsr_str *names = ARENA_ARRAY(c->scratch, vsr_str, kinds->n), all = { 0 };
    for (size_t i = 0; i < kinds->n; i++) {
        names[i] = str_from_c(kinds->items[i].type);
        all = arena_printf(c->scratch, "%.*s%s%s", VSR_FMT(all), i ? ", " : "", kinds->items[i].type);
    }
    diag_error(c->diag, "E_ENUM", at, diag_suggest(c->diag, type, names, kinds->n), "\"%.*s\" is not one of %.*s",
               VSR_FMT(type), VSR_FMT(all));
}

/* ---- algorithm */

/* Only the block of the algorithm's own type may stand there. */
static void check_foreign_blocks(struct check *c, const struct config_algorithm *algorithm) {
    const struct config_kinds *kinds = &c->options->parts.algorithms;
    for (size_t i = 0; i < kinds->n; i++)
        if (algorithm->blocks[i] && (int)i != algorithm->kind)
            diag_error(c->diag, "E_CONFLICT", key_at(c, algorithm, kinds->items[i].type), VSR_STR(""),
                       "the block \"%s\" does not belong to an algorithm of type %.*s", kinds->items[i].type,
                       VSR_FMT(algorithm->type));
}

/* decisions.md §5.11: a helper that cannot choose falls back, everything else skips or fails. */
static void check_on_error(struct check *c, const struct config_algorithm *algorithm) {
    bool prompts = str_eq_c(algorithm->type, "prompt");
    vsr_str value = algorithm->on_error;
    if (value.len == 0 || check_is_open(algorithm, "on_error"))
        return;
    if (prompts ? str_eq_c(value, "fallback") : str_eq_c(value, "skip") || str_eq_c(value, "fail"))
        return;
    diag_error(c->diag, "E_ENUM", key_at(c, algorithm, "on_error"), VSR_STR(""), "\"%.*s\" is not %s", VSR_FMT(value),
               prompts ? "\"fallback\", the only value for type prompt" : "one of skip, fail");
}

void check_algorithm(struct check *c, struct config_decision *decision) {
    struct config_algorithm *algorithm = decision->algorithm;
    struct config_site site = site_of(c, decision);
    if (!algorithm || check_is_open(algorithm, "type"))
        return;
    algorithm->kind = find_kind(&c->options->parts.algorithms, algorithm->type);
    if (algorithm->kind < 0) {
        report_kind(c, &c->options->parts.algorithms, key_at(c, algorithm, "type"), algorithm->type);
        return;
    }
    algorithm->info = &c->options->parts.algorithms.items[algorithm->kind];
    algorithm->block = algorithm->blocks[algorithm->kind];
    check_foreign_blocks(c, algorithm);
    check_on_error(c, algorithm);
    if (algorithm->info->block_required && !algorithm->block)
        diag_error(c->diag, "E_REQUIRED", schema_at(algorithm), VSR_STR(""),
                   "an algorithm of type %s needs the block \"%s\"", algorithm->info->type, algorithm->info->type);
    else if (algorithm->info->check)
        algorithm->info->check(&site, algorithm->block);
}

/* ---- plugins */

/* A configuration that is not there is made of defaults. */
static bool is_written(const void *configuration) {
    const struct config_at *at = configuration;
    return at && at->node;
}

static void check_plugin(struct check *c, const struct config_decision *decision, struct config_plugin *plugin) {
    struct config_site site = site_of(c, decision);
    int kind = find_kind(&c->options->parts.plugins, plugin->type);
    if (kind < 0) /* the table has said so */
        return;
    plugin->info = &c->options->parts.plugins.items[kind];
    if (plugin->info->block_required && !is_written(plugin->configuration))
        diag_error(c->diag, "E_REQUIRED", schema_at(plugin), VSR_STR(""),
                   "a plugin of type %s needs the key \"configuration\"", plugin->info->type);
    else if (plugin->info->check)
        plugin->info->check(&site, plugin->configuration);
}

void check_plugins(struct check *c, struct config_decision *decision) {
    struct arena_mark mark = arena_mark(c->scratch);
    struct map seen;
    map_init(&seen, c->scratch);
    CONFIG_EACH(struct config_plugin, plugin, &decision->plugins) {
        const struct config_plugin *first = map_put(&seen, plugin->type, plugin);
        if (first)
            diag_error(c->diag, "E_DUP", key_at(c, plugin, "type"), VSR_STR(""),
                       "a plugin of type \"%.*s\" already stands at line %u, column %u", VSR_FMT(plugin->type),
                       schema_at(first).line, schema_at(first).col);
    }
    arena_rewind(c->scratch, mark); /* checks of kinds keep nothing in it */
    CONFIG_EACH(struct config_plugin, plugin, &decision->plugins)
    check_plugin(c, decision, plugin);
}
