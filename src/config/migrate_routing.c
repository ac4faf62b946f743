/*
 * Routing profiles: rules and decisions that stood at the top level, cards under their old name, knowledge base
 * signals, tools and selection methods of decisions.
 */
#include "config/legacy.h"
#include "config/migrate_tree.h"
#include "config/schema.h"
#include "core/arena.h"

/* ---- from the top level */

/* Where a top-level key belongs in the routing; empty when it belongs elsewhere. */
static vsr_str routing_place(struct arena *arena, vsr_str key) {
    vsr_str list = legacy_signal_list(key), place = legacy_top_level(key);
    if (list.len)
        return arena_printf(arena, "routing.signals.%.*s", VSR_FMT(list));
    return str_starts(place, VSR_STR("routing.")) ? place : VSR_STR("");
}

/* The first layout chose models by the scores of a category; now a decision does. */
static void note_scores(struct migrate *m, const struct yaml_node *categories) {
    for (size_t i = 0; categories->kind == YAML_SEQUENCE && i < categories->n_items; i++) {
        const struct yaml_node *scores = yaml_get_key(categories->items[i], VSR_STR("model_scores"));
        vsr_str path = schema_element_path(m->arena, VSR_STR("categories"), categories->items[i], i);
        if (scores)
            migrate_report(m, MIGRATE_CHECK, scores, schema_path(m->arena, path, VSR_STR("model_scores")),
                           VSR_STR("routing.decisions"),
                           "scores choose no model any more: see that a decision does it for this domain");
    }
}

static void move_rules(struct migrate *m) {
    for (size_t i = 0; i < m->root->n_items;) {
        struct migrate_pair pair = { m->root->keys[i], m->root->items[i] };
        vsr_str name = pair.key->text, place = routing_place(m->arena, name);
        /* Rule lists of unknown families are no signals of ours; migrate_global() sets them aside. */
        if (!place.len || (str_ends(name, VSR_STR("_rules")) && !legacy_signal_list(name).len)) {
            i++;
            continue;
        }
        if (str_eq_c(name, "categories"))
            note_scores(m, pair.value);
        yaml_remove(m->root, i);
        migrate_put_at(m, place, pair, name);
    }
}

/* ---- cards */

static void merge_cards(struct migrate *m, struct migrate_pair pair, vsr_str path) {
    migrate_put_at(m, VSR_STR("routing.modelCards"), pair, path);
    m->cards_known = false;
}

/* ---- knowledge bases, which were categories of a classifier */

static void rename_target(struct migrate *m, struct yaml_node *rule, vsr_str path) {
    struct yaml_node *target, *kind;
    migrate_rename(m, rule, path, "classifier", "kb");
    migrate_rename(m, rule, path, "knowledge_base", "kb");
    migrate_rename(m, rule, path, "bind", "target");
    target = yaml_get(rule, VSR_STR("target"));
    kind = yaml_get(target, VSR_STR("kind"));
    if (kind && (str_eq_c(kind->text, "category") || str_eq_c(kind->text, "tier"))) {
        vsr_str now = str_eq_c(kind->text, "category") ? VSR_STR("label") : VSR_STR("group");
        migrate_report(m, MIGRATE_MOVED, kind, schema_path(m->arena, path, VSR_STR("target.kind")), VSR_STR(""),
                       "\"%.*s\" is now \"%.*s\"", VSR_FMT(kind->text), VSR_FMT(now));
        kind->text = now;
    }
}

static void move_kb_signals(struct migrate *m, struct yaml_node *signals, vsr_str path, const char *old) {
    struct migrate_pair pair = migrate_take(signals, old);
    vsr_str from = schema_path(m->arena, path, str_from_c(old));
    if (!pair.key)
        return;
    for (size_t i = 0; pair.value->kind == YAML_SEQUENCE && i < pair.value->n_items; i++)
        rename_target(m, pair.value->items[i], schema_element_path(m->arena, from, pair.value->items[i], i));
    if (!migrate_is_empty(pair.value))
        migrate_report(m, MIGRATE_CHECK, pair.key, from, schema_path(m->arena, path, VSR_STR("kb")),
                       "see that every rule names a knowledge base and a label or group of it");
    migrate_put(m, signals, path, "kb", pair, from);
}

/* ---- signals */

static void drop_normalize_by(struct migrate *m, const struct yaml_node *rules, vsr_str path) {
    for (size_t i = 0; rules && rules->kind == YAML_SEQUENCE && i < rules->n_items; i++) {
        struct migrate_pair gone = migrate_take(yaml_get(rules->items[i], VSR_STR("feature")), "normalize_by");
        if (gone.key)
            migrate_report(m, MIGRATE_DROPPED, gone.key,
                           schema_path(m->arena, schema_element_path(m->arena, path, rules->items[i], i),
                                       VSR_STR("feature.normalize_by")),
                           VSR_STR(""), "density is normalised by itself");
    }
}

static void convert_signals(struct migrate *m, struct yaml_node *signals, vsr_str path) {
    move_kb_signals(m, signals, path, "category_kb");
    move_kb_signals(m, signals, path, "taxonomy");
    drop_normalize_by(m, yaml_get(signals, VSR_STR("structure")), schema_path(m->arena, path, VSR_STR("structure")));
}

/* ---- decisions: tools */

/* How a scope was called, and the mode of the plugin that does the same. */
static vsr_str tools_mode(vsr_str scope, bool has_lists) {
    static const struct {
        const char *scope, *mode;
    } modes[] = {
        { "none", "none" },         { "disabled", "none" },       { "off", "none" },
        { "full", "passthrough" },  { "all", "passthrough" },     { "standard", "passthrough" },
        { "filtered", "filtered" }, { "restricted", "filtered" }, { "passthrough", "passthrough" },
    };
    for (size_t i = 0; i < VSR_COUNT(modes); i++)
        if (str_eq_c(scope, modes[i].scope))
            return has_lists && str_eq_c(str_from_c(modes[i].mode), "passthrough") ? VSR_STR("filtered")
                                                                                   : str_from_c(modes[i].mode);
    return has_lists && !scope.len ? VSR_STR("filtered") : scope;
}

/* The settings of the decision's plugin `tools`, made when it has none; NULL when they cannot be. */
static struct yaml_node *tools_settings(struct migrate *m, struct yaml_node *decision, const struct yaml_node *at) {
    struct yaml_node *plugins = migrate_block(m, decision, "plugins", YAML_SEQUENCE, at), *plugin;
    if (!plugins)
        return NULL;
    for (size_t i = 0; i < plugins->n_items; i++)
        if (str_eq_c(migrate_text(plugins->items[i], "type"), "tools"))
            return migrate_block(m, plugins->items[i], "configuration", YAML_MAPPING, at);
    plugin = yaml_new(m->arena, YAML_MAPPING, at);
    migrate_set(m, plugin, "type", VSR_STR("tools"), false, at);
    yaml_push(m->arena, plugins, plugin);
    plugin = migrate_block(m, plugin, "configuration", YAML_MAPPING, at);
    migrate_set(m, plugin, "enabled", VSR_STR("true"), false, at);
    return plugin;
}

static void put_tools(struct migrate *m, struct yaml_node *settings, vsr_str to, const char *name,
                      struct migrate_pair pair, vsr_str path) {
    vsr_str from = schema_path(m->arena, path, str_from_c(name));
    if (!pair.key)
        return;
    if (settings && str_eq_c(migrate_text(settings, "mode"), "none"))
        migrate_set_aside(m, pair, from, "where no tool is passed on there is nothing to filter");
    else if (settings)
        migrate_put(m, settings, to, name, pair, from);
    else
        migrate_set_aside(m, pair, from, "the decision has no list of plugins that it could become part of");
}

static void convert_tools(struct migrate *m, struct yaml_node *decision, vsr_str path) {
    struct migrate_pair scope = migrate_take(decision, "tool_scope"), allow = migrate_take(decision, "allow_tools"),
                        block = migrate_take(decision, "block_tools");
    const struct yaml_node *at = scope.key ? scope.key : allow.key ? allow.key : block.key;
    vsr_str to = schema_path(m->arena, path, VSR_STR("plugins[tools].configuration")), mode;
    struct yaml_node *settings;
    if (!at)
        return;
    settings = tools_settings(m, decision, at);
    if (scope.key && scope.value->kind == YAML_SCALAR)
        mode = tools_mode(scope.value->text, !migrate_is_empty(allow.value) || !migrate_is_empty(block.value));
    else
        mode = VSR_STR("filtered");
    if (settings && !scope.key) {
        migrate_set(m, settings, "mode", mode, false, at);
    } else if (settings) {
        scope.value = yaml_new_scalar(m->arena, mode, scope.value);
        migrate_put(m, settings, to, "mode", scope, schema_path(m->arena, path, VSR_STR("tool_scope")));
    } else {
        migrate_set_aside(m, scope, schema_path(m->arena, path, VSR_STR("tool_scope")),
                          "the decision has no list of plugins that it could become part of");
    }
    put_tools(m, settings, to, "allow_tools", allow, path);
    put_tools(m, settings, to, "block_tools", block, path);
}

/* ---- decisions: selection */

/* `modelSelectionAlgorithm: {method: x, enabled: true}`, or only its name. */
static void rename_algorithm(struct migrate *m, struct yaml_node *decision, vsr_str path) {
    struct migrate_pair pair = migrate_take(decision, "modelSelectionAlgorithm"), enabled;
    vsr_str from = schema_path(m->arena, path, VSR_STR("modelSelectionAlgorithm"));
    if (!pair.key)
        return;
    if (pair.value->kind == YAML_SCALAR && !yaml_is_null(pair.value)) {
        struct yaml_node *type = pair.value;
        pair.value = yaml_new(m->arena, YAML_MAPPING, type);
        yaml_append(m->arena, pair.value, yaml_new_scalar(m->arena, VSR_STR("type"), type), type);
    }
    if (!yaml_get(pair.value, VSR_STR("type")))
        migrate_rename(m, pair.value, from, "method", "type");
    enabled = migrate_take(pair.value, "enabled");
    if (enabled.key && str_eq_nocase(enabled.value->text, VSR_STR("false")))
        migrate_report(m, MIGRATE_DROPPED, pair.key, from, VSR_STR(""), "it is not enabled");
    else
        migrate_put(m, decision, path, "algorithm", pair, from);
}

void migrate_learning(struct migrate *m, vsr_str block, const struct yaml_node *at) {
    struct yaml_node *learning = migrate_mapping_at(m, VSR_STR("global.router.learning"), at), *part;
    if (!learning)
        return;
    migrate_set(m, learning, "enabled", VSR_STR("true"), false, at);
    part = migrate_block(m, learning, arena_c_str(m->arena, block), YAML_MAPPING, at);
    if (part)
        migrate_set(m, part, "enabled", VSR_STR("true"), false, at);
}

/* Takes the blocks of methods that are gone. Writes what replaces the last of them. */
static void take_methods(struct migrate *m, struct yaml_node *algorithm, vsr_str path, vsr_str *ret_block) {
    for (size_t i = 0; i < algorithm->n_items;) {
        vsr_str name = algorithm->keys[i]->text, block = legacy_method(name);
        struct migrate_pair pair = { algorithm->keys[i], algorithm->items[i] };
        vsr_str from;
        if (!block.len) {
            i++;
            continue;
        }
        from = schema_path(m->arena, path, name);
        yaml_remove(algorithm, i);
        *ret_block = block;
        if (migrate_is_empty(pair.value))
            migrate_report(m, MIGRATE_DROPPED, pair.key, from, VSR_STR(""), "it is empty");
        else
            migrate_set_aside(m, pair, from,
                              "its numbers mean nothing to global.router.learning; set what you need there");
    }
}

static void convert_algorithm(struct migrate *m, struct yaml_node *decision, vsr_str path) {
    struct yaml_node *algorithm = yaml_get(decision, VSR_STR("algorithm")), *adaptations;
    vsr_str from = schema_path(m->arena, path, VSR_STR("algorithm")), block = { 0 }, of_type;
    const struct yaml_node *at = yaml_get(algorithm, VSR_STR("type"));
    if (!algorithm || algorithm->kind != YAML_MAPPING)
        return;
    of_type = legacy_method(migrate_text(algorithm, "type"));
    take_methods(m, algorithm, from, &block);
    if (of_type.len) {
        block = of_type;
        migrate_report(m, MIGRATE_CHECK, at, schema_path(m->arena, from, VSR_STR("type")),
                       arena_printf(m->arena, "global.router.learning.%.*s", VSR_FMT(of_type)),
                       "\"%.*s\" is gone: learning, turned on for the process, does this now; decisions that shall not "
                       "learn say adaptations: {mode: bypass}",
                       VSR_FMT(at->text));
        (void)migrate_take(algorithm, "type");
    }
    if (!block.len)
        return;
    migrate_learning(m, block, algorithm);
    adaptations = migrate_block(m, decision, "adaptations", YAML_MAPPING, algorithm);
    if (adaptations)
        migrate_set(m, adaptations, "mode", VSR_STR("apply"), false, algorithm);
    if (algorithm->n_items == 0)
        (void)migrate_take(decision, "algorithm");
}

static void convert_decisions(struct migrate *m, const struct yaml_node *decisions, vsr_str path) {
    for (size_t i = 0; decisions && decisions->kind == YAML_SEQUENCE && i < decisions->n_items; i++) {
        struct yaml_node *decision = decisions->items[i];
        vsr_str here = schema_element_path(m->arena, path, decision, i);
        if (decision->kind != YAML_MAPPING)
            continue;
        rename_algorithm(m, decision, here);
        convert_algorithm(m, decision, here);
        convert_tools(m, decision, here);
    }
}

/* ---- profiles */

static void convert_profile(struct migrate *m, struct yaml_node *routing, vsr_str path) {
    convert_signals(m, yaml_get(routing, VSR_STR("signals")), schema_path(m->arena, path, VSR_STR("signals")));
    convert_decisions(m, yaml_get(routing, VSR_STR("decisions")), schema_path(m->arena, path, VSR_STR("decisions")));
}

/* All cards are shared; a recipe has none of its own. */
static void convert_recipe(struct migrate *m, const struct yaml_node *recipe, vsr_str path) {
    struct yaml_node *routing = yaml_get(recipe, VSR_STR("routing"));
    merge_cards(m, migrate_take(routing, "models"), schema_path(m->arena, path, VSR_STR("models")));
    merge_cards(m, migrate_take(routing, "modelCards"), schema_path(m->arena, path, VSR_STR("modelCards")));
    convert_profile(m, routing, path);
}

void migrate_routing(struct migrate *m) {
    const struct yaml_node *recipes = yaml_get(m->root, VSR_STR("recipes"));
    move_rules(m);
    merge_cards(m, migrate_take(yaml_get(m->root, VSR_STR("routing")), "models"), VSR_STR("routing.models"));
    convert_profile(m, yaml_get(m->root, VSR_STR("routing")), VSR_STR("routing"));
    for (size_t i = 0; recipes && recipes->kind == YAML_SEQUENCE && i < recipes->n_items; i++) {
        vsr_str path = schema_element_path(m->arena, VSR_STR("recipes"), recipes->items[i], i);
        convert_recipe(m, recipes->items[i], schema_path(m->arena, path, VSR_STR("routing")));
    }
}
