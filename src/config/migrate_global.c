/*
 * Settings of the process: blocks that stood at the top level, under global.runtime, global.models or global.modules,
 * and the fields in them that have other names now.
 */
#include "config/legacy.h"
#include "config/migrate_tree.h"
#include "config/schema.h"
#include "config/yaml_notes.h"
#include "core/arena.h"

static const char catalog[] = "global.model_catalog";

/* ---- modules */

/* A model that a module names, and the entry of the catalogue that stands for it. */
static const struct {
    const char *module, *part, *ref; /* part: the block inside, NULL for the module itself */
} model_refs[] = {
    { "prompt_guard", NULL, "prompt_guard" },
    { "classifier", "domain", "domain_classifier" },
    { "classifier", "pii", "pii_classifier" },
    { "hallucination_mitigation", "fact_check", "fact_check_classifier" },
    { "hallucination_mitigation", "detector", "hallucination_detector" },
    { "hallucination_mitigation", "explainer", "hallucination_explainer" },
    { "feedback_detector", NULL, "feedback_detector" },
};

static const struct {
    const char *module, *old, *name;
} parts[] = {
    { "classifier", "category_model", "domain" },
    { "classifier", "pii_model", "pii" },
    { "classifier", "mcp_category_model", "mcp" },
    { "classifier", "preference_model", "preference" },
    { "hallucination_mitigation", "fact_check_model", "fact_check" },
    { "hallucination_mitigation", "hallucination_model", "detector" },
    { "hallucination_mitigation", "nli_model", "explainer" },
};

static void rename_parts(struct migrate *m, const char *name, struct yaml_node *module, vsr_str path) {
    for (size_t i = 0; i < VSR_COUNT(parts); i++)
        if (str_eq_c(str_from_c(name), parts[i].module))
            migrate_rename(m, module, path, parts[i].old, parts[i].name);
}

/* A module that says which model it uses gains the name under which the catalogue knows that model. */
static void add_model_refs(struct migrate *m, const char *name, struct yaml_node *module) {
    for (size_t i = 0; i < VSR_COUNT(model_refs); i++) {
        struct yaml_node *block = module;
        if (!str_eq_c(str_from_c(name), model_refs[i].module))
            continue;
        if (model_refs[i].part)
            block = yaml_get(module, str_from_c(model_refs[i].part));
        if (block && block->kind == YAML_MAPPING && migrate_text(block, "model_id").len)
            migrate_set(m, block, "model_ref", str_from_c(model_refs[i].ref), false, block);
    }
}

static void put_module(struct migrate *m, const char *name, struct migrate_pair pair, vsr_str path) {
    rename_parts(m, name, pair.value, path);
    add_model_refs(m, name, pair.value);
    migrate_put_at(m, arena_printf(m->arena, "%s.modules.%s", catalog, name), pair, path);
}

/* ---- embeddings */

/* `{model_id, threshold, use_cpu}`, or only the model. */
static void put_bert(struct migrate *m, struct migrate_pair pair, vsr_str path) {
    vsr_str semantic = VSR_STR("global.model_catalog.embeddings.semantic");
    static const char *const models[] = { "model_id", "model_path" };
    struct migrate_pair field;
    if (pair.value->kind == YAML_SCALAR) {
        migrate_put_at(m, arena_printf(m->arena, "%.*s.bert_model_path", VSR_FMT(semantic)), pair, path);
        return;
    }
    for (size_t i = 0; i < VSR_COUNT(models); i++) {
        field = migrate_take(pair.value, models[i]);
        if (field.key)
            yaml_notes_give(m->arena, pair.key, field.key);
        migrate_put_at(m, arena_printf(m->arena, "%.*s.bert_model_path", VSR_FMT(semantic)), field,
                       schema_path(m->arena, path, str_from_c(models[i])));
    }
    field = migrate_take(pair.value, "threshold");
    if (field.key)
        migrate_put_at(m, arena_printf(m->arena, "%.*s.embedding_config.min_score_threshold", VSR_FMT(semantic)), field,
                       schema_path(m->arena, path, VSR_STR("threshold")));
    if (!migrate_is_empty(pair.value))
        migrate_put_at(m, semantic, pair, path);
}

static void put_embeddings(struct migrate *m, struct migrate_pair pair, vsr_str path) {
    migrate_rename(m, pair.value, path, "hnsw_config", "embedding_config");
    migrate_put_at(m, VSR_STR("global.model_catalog.embeddings.semantic"), pair, path);
}

/* ---- blocks by name */

static bool is_module(vsr_str name) {
    return str_starts(legacy_top_level(name), VSR_STR("global.model_catalog.modules."));
}

/* Puts a block of that name where it belongs; false when it belongs nowhere. */
static bool place(struct migrate *m, vsr_str name, struct migrate_pair pair, vsr_str path) {
    vsr_str to = legacy_top_level(name);
    if (str_eq_c(name, "bert_model"))
        put_bert(m, pair, path);
    else if (str_eq_c(name, "embedding_models"))
        put_embeddings(m, pair, path);
    else if (is_module(name))
        put_module(m, arena_c_str(m->arena, name), pair, path);
    else if (str_starts(to, VSR_STR("global.")))
        migrate_put_at(m, to, pair, path);
    else
        return false;
    return true;
}

/* Names that a group of old settings shares with the block that took its place. */
static const struct {
    const char *group, *below;
    const char *names[8];
} groups[] = {
    { "runtime", "global", { "router", "services", "stores", "integrations", "model_catalog" } },
    { "models", catalog, { "system", "external", "embeddings", "kbs", "modules", "classifiers" } },
};

static bool place_group(struct migrate *m, const char *group, vsr_str name, struct migrate_pair pair, vsr_str path) {
    for (size_t g = 0; g < VSR_COUNT(groups); g++)
        for (size_t i = 0; str_eq_c(str_from_c(group), groups[g].group) && groups[g].names[i]; i++)
            if (str_eq_c(name, groups[g].names[i])) {
                migrate_put_at(m, arena_printf(m->arena, "%s.%.*s", groups[g].below, VSR_FMT(name)), pair, path);
                return true;
            }
    if (str_eq_c(str_from_c(group), "modules")) {
        put_module(m, arena_c_str(m->arena, name), pair, path);
        return true;
    }
    return place(m, name, pair, path);
}

static void empty_group(struct migrate *m, const char *group) {
    struct migrate_pair all = migrate_take(yaml_get(m->root, VSR_STR("global")), group);
    vsr_str above = arena_printf(m->arena, "global.%s", group);
    if (!all.key || migrate_is_empty(all.value))
        return;
    if (all.value->kind != YAML_MAPPING) {
        migrate_set_aside(m, all, above, "no mapping");
        return;
    }
    for (size_t i = 0; i < all.value->n_items; i++) {
        struct migrate_pair pair = { all.value->keys[i], all.value->items[i] };
        vsr_str name = pair.key->text, path = schema_path(m->arena, above, name);
        if (!place_group(m, group, name, pair, path))
            migrate_set_aside(m, pair, path, "no setting of that name is known");
    }
}

static bool is_canonical(vsr_str key) {
    static const char *const keys[] = { "version",     "listeners", "providers", "routing",
                                        "entrypoints", "recipes",   "global",    "setup" };
    for (size_t i = 0; i < VSR_COUNT(keys); i++)
        if (str_eq_c(key, keys[i]))
            return true;
    return str_starts(key, VSR_STR("x-"));
}

static void empty_top_level(struct migrate *m) {
    for (size_t i = 0; i < m->root->n_items;) {
        struct migrate_pair pair = { m->root->keys[i], m->root->items[i] };
        vsr_str name = pair.key->text;
        if (is_canonical(name)) {
            i++;
            continue;
        }
        yaml_remove(m->root, i);
        if (!place(m, name, pair, name))
            migrate_set_aside(m, pair, name,
                              str_eq_c(name, "latency_rules")
                                  ? "latency is no signal any more: give the decisions the algorithm latency_aware"
                                  : "no block of that name is known");
    }
}

/* ---- inside canonical blocks */

static const char *guard_variant(const char *flag) {
    if (strcmp(flag, "use_modernbert") == 0)
        return "candle";
    return strcmp(flag, "use_mmbert_32k") == 0 ? "mmbert32k" : NULL;
}

/* The newest of the flags that are set decides; the others said nothing more. */
static void convert_prompt_guard(struct migrate *m, struct yaml_node *guard, vsr_str path) {
    static const char *const flags[] = { "use_vllm", "use_mmbert_32k", "use_modernbert" };
    bool is_set = yaml_get(guard, VSR_STR("variant")) || yaml_get(guard, VSR_STR("protocol"));
    for (size_t i = 0; i < VSR_COUNT(flags); i++) {
        struct migrate_pair flag = migrate_take(guard, flags[i]);
        vsr_str from = schema_path(m->arena, path, str_from_c(flags[i]));
        const char *variant = guard_variant(flags[i]);
        if (!flag.key)
            continue;
        if (is_set || flag.value->kind != YAML_SCALAR || !str_eq_nocase(flag.value->text, VSR_STR("true"))) {
            migrate_report(m, MIGRATE_DROPPED, flag.key, from, VSR_STR(""), "it chooses nothing");
            continue;
        }
        migrate_set(m, guard, variant ? "variant" : "protocol", str_from_c(variant ? variant : "http_chat"), false,
                    flag.key);
        migrate_report(m, MIGRATE_MOVED, flag.key, from,
                       schema_path(m->arena, path, str_from_c(variant ? "variant" : "protocol")), "is now %s",
                       variant ? variant : "http_chat");
        is_set = true;
    }
}

/* Classifiers over labels became knowledge bases. */
static void convert_classifiers(struct migrate *m, struct yaml_node *models) {
    struct migrate_pair pair = migrate_take(models, "classifiers");
    vsr_str path = arena_printf(m->arena, "%s.classifiers", catalog);
    if (!pair.key)
        return;
    for (size_t i = 0; pair.value->kind == YAML_SEQUENCE && i < pair.value->n_items; i++) {
        struct yaml_node *kb = pair.value->items[i], *source;
        vsr_str here = schema_element_path(m->arena, path, kb, i);
        struct migrate_pair taxonomy = migrate_take(kb, "taxonomy"), where = migrate_take(kb, "path"),
                            type = migrate_take(kb, "type");
        if (type.key)
            migrate_report(m, MIGRATE_DROPPED, type.key, schema_path(m->arena, here, VSR_STR("type")), VSR_STR(""),
                           "knowledge bases have one kind");
        if (taxonomy.key)
            migrate_put(m, kb, here, "source", taxonomy, schema_path(m->arena, here, VSR_STR("taxonomy")));
        if (where.key && (source = migrate_block(m, kb, "source", YAML_MAPPING, where.key)))
            migrate_put(m, source, schema_path(m->arena, here, VSR_STR("source")), "path", where,
                        schema_path(m->arena, here, VSR_STR("path")));
    }
    if (!migrate_is_empty(pair.value))
        migrate_report(m, MIGRATE_CHECK, pair.key, path, arena_printf(m->arena, "%s.kbs", catalog),
                       "see that every knowledge base has a source with a labels.json");
    migrate_put_at(m, arena_printf(m->arena, "%s.kbs", catalog), pair, path);
}

/* Selection methods that are gone: their settings, and their name where it chose one. */
static void convert_selection(struct migrate *m) {
    struct yaml_node *router = yaml_get(yaml_get(m->root, VSR_STR("global")), VSR_STR("router"));
    struct yaml_node *selection = yaml_get(router, VSR_STR("model_selection"));
    bool was_empty = migrate_is_empty(selection);
    vsr_str path = VSR_STR("global.router.model_selection"), block = legacy_method(migrate_text(selection, "method"));
    if (block.len) {
        struct migrate_pair method = migrate_take(selection, "method");
        migrate_report(m, MIGRATE_CHECK, method.key, schema_path(m->arena, path, VSR_STR("method")),
                       arena_printf(m->arena, "global.router.learning.%.*s", VSR_FMT(block)),
                       "\"%.*s\" is gone: learning, which is turned on, does this now", VSR_FMT(method.value->text));
        migrate_learning(m, block, method.key);
    }
    for (size_t i = 0; selection && selection->kind == YAML_MAPPING && i < selection->n_items;) {
        struct migrate_pair pair = { selection->keys[i], selection->items[i] };
        vsr_str from = schema_path(m->arena, path, pair.key->text);
        if (!legacy_method(pair.key->text).len) {
            i++;
            continue;
        }
        yaml_remove(selection, i);
        if (migrate_is_empty(pair.value))
            migrate_report(m, MIGRATE_DROPPED, pair.key, from, VSR_STR(""), "it is empty");
        else
            migrate_set_aside(m, pair, from, "its numbers mean nothing to global.router.learning");
    }
    if (!was_empty && migrate_is_empty(selection))
        (void)migrate_take(router, "model_selection");
}

static void convert_catalog(struct migrate *m) {
    struct yaml_node *models = yaml_get(yaml_get(m->root, VSR_STR("global")), VSR_STR("model_catalog"));
    struct yaml_node *embeddings = yaml_get(models, VSR_STR("embeddings")),
                     *modules = yaml_get(models, VSR_STR("modules"));
    vsr_str path = arena_printf(m->arena, "%s.modules", catalog);
    struct migrate_pair bert = migrate_take(embeddings, "bert");
    if (bert.key)
        put_bert(m, bert, arena_printf(m->arena, "%s.embeddings.bert", catalog));
    convert_classifiers(m, models);
    for (size_t i = 0; modules && modules->kind == YAML_MAPPING && i < modules->n_items; i++) {
        vsr_str name = modules->keys[i]->text;
        rename_parts(m, arena_c_str(m->arena, name), modules->items[i], schema_path(m->arena, path, name));
    }
    convert_prompt_guard(m, yaml_get(modules, VSR_STR("prompt_guard")),
                         schema_path(m->arena, path, VSR_STR("prompt_guard")));
}

void migrate_global(struct migrate *m) {
    empty_top_level(m);
    empty_group(m, "runtime");
    empty_group(m, "models");
    empty_group(m, "modules");
    convert_catalog(m);
    convert_selection(m);
}
