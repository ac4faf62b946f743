#include "config/legacy.h"

#include "config/diag.h"
#include "config/schema.h"
#include "config/yaml_tree.h"
#include "core/arena.h"

/* ---- what was where */

/* Keys at the top level, in the order of the layouts that had them. */
static const struct {
    const char *key, *place;
} top_level[] = {
    { "signals", "routing.signals" },
    { "projections", "routing.projections" },
    { "decisions", "routing.decisions" },
    { "jailbreak", "routing.signals.jailbreak" },
    { "pii", "routing.signals.pii" },
    { "latency_rules", "the selection algorithm latency_aware" },
    { "model_config", "providers.models and routing.modelCards" },
    { "vllm_endpoints", "providers.models[].backend_refs" },
    { "provider_profiles", "providers.models[].backend_refs" },
    { "default_model", "providers.defaults.default_model" },
    { "reasoning_families", "providers.defaults.reasoning_families" },
    { "default_reasoning_effort", "providers.defaults.default_reasoning_effort" },
    { "strategy", "global.router.strategy" },
    { "auto_model_name", "global.router.auto_model_name" },
    { "auto_model_names", "global.router.auto_model_names" },
    { "include_config_models_in_list", "global.router.include_config_models_in_list" },
    { "clear_route_cache", "global.router.clear_route_cache" },
    { "model_selection", "global.router.model_selection" },
    { "streamed_body_mode", "global.router.streamed_body.enabled" },
    { "max_streamed_body_bytes", "global.router.streamed_body.max_bytes" },
    { "streamed_body_timeout_sec", "global.router.streamed_body.timeout_sec" },
    { "response_api", "global.services.response_api" },
    { "router_replay", "global.services.router_replay" },
    { "api", "global.services.api" },
    { "observability", "global.services.observability" },
    { "authz", "global.services.authz" },
    { "ratelimit", "global.services.ratelimit" },
    { "semantic_cache", "global.stores.response_cache" },
    { "response_cache", "global.stores.response_cache" },
    { "memory", "global.stores.memory" },
    { "vector_store", "global.stores.vector_store" },
    { "tools", "global.integrations.tools" },
    { "looper", "global.integrations.looper" },
    { "system_models", "global.model_catalog.system" },
    { "external_models", "global.model_catalog.external" },
    { "embedding_models", "global.model_catalog.embeddings.semantic" },
    { "bert_model", "global.model_catalog.embeddings.semantic.bert_model_path" },
    { "prompt_compression", "global.model_catalog.modules.prompt_compression" },
    { "prompt_guard", "global.model_catalog.modules.prompt_guard" },
    { "classifier", "global.model_catalog.modules.classifier" },
    { "hallucination_mitigation", "global.model_catalog.modules.hallucination_mitigation" },
    { "feedback_detector", "global.model_catalog.modules.feedback_detector" },
    { "modality_detector", "global.model_catalog.modules.modality_detector" },
};

/* Flat rule lists, config.md §7.3. */
static const struct {
    const char *key, *list;
} signal_lists[] = {
    { "keyword_rules", "keywords" },
    { "embedding_rules", "embeddings" },
    { "categories", "domains" },
    { "fact_check_rules", "fact_check" },
    { "user_feedback_rules", "user_feedbacks" },
    { "reask_rules", "reasks" },
    { "preference_rules", "preferences" },
    { "language_rules", "language" },
    { "context_rules", "context" },
    { "structure_rules", "structure" },
    { "complexity_rules", "complexity" },
    { "modality_rules", "modality" },
    { "role_bindings", "role_bindings" },
    { "jailbreak_rules", "jailbreak" },
    { "pii_rules", "pii" },
};

/* Selection methods that are gone, and the block of global.router.learning that does what they did. */
static const struct {
    const char *name, *block;
} methods[] = {
    { "session_aware", "protection" }, { "model_switch_gate", "protection" }, { "lookup_tables", "protection" },
    { "elo", "adaptation" },           { "rl_driven", "adaptation" },         { "gmtrouter", "adaptation" },
    { "bandit", "adaptation" },        { "personalization", "adaptation" },
};

struct row {
    const char *path;  /* `a.b[].c`: c of every element of the list b */
    const char *place; /* what to use instead, as the end of a sentence */
};

/* From the root of the document. */
static const struct row document_rows[] = {
    { "providers.model_targets", "use providers.models[].backend_refs" },
    { "providers.backends", "use providers.models[].backend_refs" },
    { "providers.auth_profiles", "use providers.models[].backend_refs" },
    { "providers.default_model", "use providers.defaults.default_model" },
    { "providers.reasoning_families", "use providers.defaults.reasoning_families" },
    { "providers.default_reasoning_effort", "use providers.defaults.default_reasoning_effort" },
    { "providers.external_models", "use global.model_catalog.external" },
    { "providers.models[].access", "use backend_refs" },
    { "providers.models[].endpoints", "use backend_refs" },
    { "providers.models[].access_key", "use backend_refs[].api_key" },
    { "providers.models[].param_size", "it belongs to the model's routing.modelCards entry" },
    { "providers.models[].context_window_size", "it belongs to the model's routing.modelCards entry" },
    { "providers.models[].description", "it belongs to the model's routing.modelCards entry" },
    { "providers.models[].capabilities", "it belongs to the model's routing.modelCards entry" },
    { "providers.models[].loras", "it belongs to the model's routing.modelCards entry" },
    { "providers.models[].quality_score", "it belongs to the model's routing.modelCards entry" },
    { "providers.models[].modality", "it belongs to the model's routing.modelCards entry" },
    { "providers.models[].tags", "it belongs to the model's routing.modelCards entry" },
    { "global.modules", "use global.model_catalog.modules" },
    { "global.runtime", "use global.router, global.services, global.stores and global.integrations" },
    { "global.models", "use global.model_catalog" },
    { "global.model_catalog.embeddings.bert", "use global.model_catalog.embeddings.semantic.bert_model_path" },
    { "global.model_catalog.classifiers", "use global.model_catalog.kbs and routing.signals.kb" },
    { "global.model_catalog.modules.prompt_guard.use_vllm", "use protocol" },
    { "global.model_catalog.modules.prompt_guard.use_modernbert", "use variant" },
    { "global.model_catalog.modules.prompt_guard.use_mmbert_32k", "use variant" },
};

/* From a routing profile. */
static const struct row profile_rows[] = {
    { "models", "use routing.modelCards" },
    { "signals.category_kb", "use global.model_catalog.kbs and routing.signals.kb" },
    { "signals.taxonomy", "use global.model_catalog.kbs and routing.signals.kb" },
    { "signals.structure[].feature.normalize_by", "leave it out, density is normalised by itself" },
    { "decisions[].modelSelectionAlgorithm", "use algorithm" },
    { "decisions[].tool_scope", "use the plugin tools" },
    { "decisions[].allow_tools", "use the plugin tools" },
    { "decisions[].block_tools", "use the plugin tools" },
};

vsr_str legacy_signal_list(vsr_str key) {
    for (size_t i = 0; i < VSR_COUNT(signal_lists); i++)
        if (str_eq_c(key, signal_lists[i].key))
            return str_from_c(signal_lists[i].list);
    return VSR_STR("");
}

static const char *method_place(vsr_str name) {
    for (size_t i = 0; i < VSR_COUNT(methods); i++)
        if (str_eq_c(name, methods[i].name))
            return methods[i].block;
    return NULL;
}

vsr_str legacy_method(vsr_str name) {
    return str_from_c(method_place(name));
}

vsr_str legacy_top_level(vsr_str key) {
    for (size_t i = 0; i < VSR_COUNT(top_level); i++)
        if (str_eq_c(key, top_level[i].key))
            return str_from_c(top_level[i].place);
    if (legacy_signal_list(key).len || str_ends(key, VSR_STR("_rules")))
        return VSR_STR("routing.signals");
    return VSR_STR("");
}

/* ---- looking for it */

struct finder {
    struct arena *arena;
    struct diag *diag;
    vsr_str hint;
};

/* One level of the way down; paths are put together only when something is to be reported. */
struct step {
    const struct step *above;
    const char *root;                /* the whole path, where a way begins */
    vsr_str key;                     /* in a mapping */
    const struct yaml_node *element; /* in a list */
    size_t index;
};

static vsr_str step_path(struct arena *arena, const struct step *step) {
    vsr_str above;
    if (step->root)
        return str_from_c(step->root);
    above = step_path(arena, step->above);
    return step->element ? schema_element_path(arena, above, step->element, step->index)
                         : schema_path(arena, above, step->key);
}

/* The command line as a shell takes it. */
static vsr_str migrate_hint(struct arena *arena, vsr_str file) {
    static const char safe[] = "_-./+,:@%=";
    bool plain = file.len > 0;
    for (size_t i = 0; i < file.len; i++)
        plain = plain && (ascii_is_digit(file.ptr[i]) || strchr(safe, file.ptr[i]) ||
                          (ascii_lower(file.ptr[i]) >= 'a' && ascii_lower(file.ptr[i]) <= 'z'));
    if (!plain && memchr(file.ptr ? file.ptr : "", '\'', file.len))
        return VSR_STR("`vsr config migrate --config FILE` converts it");
    return arena_printf(arena, "`vsr config migrate --config %s%.*s%s` converts it", plain ? "" : "'", VSR_FMT(file),
                        plain ? "" : "'");
}

static void report_key(const struct finder *f, const struct yaml_node *key, const struct step *step, const char *what,
                       const char *place) {
    struct step last = { .above = step, .key = key->text };
    struct diag_at at = { key->line, key->col, step_path(f->arena, &last) };
    diag_error(f->diag, "E_LEGACY", at, f->hint, "key of an older layout; %s%s", what, place);
}

/* Follows the steps of `rest` below `node` and reports the key that the last step names. */
static void follow(const struct finder *f, const struct yaml_node *node, const struct step *step, vsr_str rest,
                   const char *place) {
    vsr_str key = str_split(&rest, '.');
    bool each = str_ends(key, VSR_STR("[]"));
    struct step here = { .above = step, .key = each ? str_sub(key, 0, key.len - 2) : key };
    const struct yaml_node *found = yaml_get_key(node, here.key), *next = yaml_get(node, here.key);
    if (!found)
        return;
    if (!rest.ptr)
        report_key(f, found, step, "", place);
    else if (!each)
        follow(f, next, &here, rest, place);
    else
        for (size_t i = 0; next->kind == YAML_SEQUENCE && i < next->n_items; i++) {
            struct step element = { .above = &here, .element = next->items[i], .index = i };
            follow(f, next->items[i], &element, rest, place);
        }
}

static void check_top_level(const struct finder *f, const struct yaml_node *root) {
    for (size_t i = 0; root->kind == YAML_MAPPING && i < root->n_items; i++) {
        const struct yaml_node *key = root->keys[i];
        struct diag_at at = { key->line, key->col, key->text };
        vsr_str list = legacy_signal_list(key->text), place = legacy_top_level(key->text);
        if (place.len)
            diag_error(f->diag, "E_LEGACY", at, f->hint, "key of an older layout; use %.*s%s%.*s", VSR_FMT(place),
                       list.len ? "." : "", VSR_FMT(list));
    }
}

/* A selection method that is gone, written as the value of `key` or as a block beside it. */
static void check_methods(const struct finder *f, const struct yaml_node *block, const struct step *step,
                          const char *key) {
    const struct yaml_node *value = yaml_get(block, str_from_c(key));
    const char *gone = value && value->kind == YAML_SCALAR ? method_place(value->text) : NULL;
    struct step last = { .above = step, .key = str_from_c(key) };
    if (gone)
        diag_error(f->diag, "E_LEGACY", (struct diag_at){ value->line, value->col, step_path(f->arena, &last) },
                   f->hint, "\"%.*s\" is gone; use global.router.learning.%s", VSR_FMT(value->text), gone);
    for (size_t i = 0; block && block->kind == YAML_MAPPING && i < block->n_items; i++) {
        gone = method_place(block->keys[i]->text);
        if (gone)
            report_key(f, block->keys[i], step, "use global.router.learning.", gone);
    }
}

static void check_profile(const struct finder *f, const struct yaml_node *routing, const struct step *step) {
    const struct yaml_node *decisions = yaml_get(routing, VSR_STR("decisions"));
    struct step list = { .above = step, .key = VSR_STR("decisions") };
    for (size_t i = 0; i < VSR_COUNT(profile_rows); i++)
        follow(f, routing, step, str_from_c(profile_rows[i].path), profile_rows[i].place);
    for (size_t i = 0; decisions && decisions->kind == YAML_SEQUENCE && i < decisions->n_items; i++) {
        struct step decision = { .above = &list, .element = decisions->items[i], .index = i };
        struct step algorithm = { .above = &decision, .key = VSR_STR("algorithm") };
        check_methods(f, yaml_get(decisions->items[i], algorithm.key), &algorithm, "type");
    }
}

static void check_recipes(const struct finder *f, const struct yaml_node *recipes) {
    struct step list = { .root = "recipes" };
    for (size_t i = 0; recipes && recipes->kind == YAML_SEQUENCE && i < recipes->n_items; i++) {
        struct step recipe = { .above = &list, .element = recipes->items[i], .index = i };
        struct step routing = { .above = &recipe, .key = VSR_STR("routing") };
        check_profile(f, yaml_get(recipes->items[i], routing.key), &routing);
    }
}

void legacy_check(const struct yaml_node *root, struct arena *arena, struct diag *diag) {
    struct finder f = { arena, diag, migrate_hint(arena, diag->file) };
    const struct yaml_node *router = yaml_get(yaml_get(root, VSR_STR("global")), VSR_STR("router"));
    check_top_level(&f, root);
    for (size_t i = 0; i < VSR_COUNT(document_rows); i++)
        follow(&f, root, &(struct step){ .root = "" }, str_from_c(document_rows[i].path), document_rows[i].place);
    check_methods(&f, yaml_get(router, VSR_STR("model_selection")),
                  &(struct step){ .root = "global.router.model_selection" }, "method");
    check_profile(&f, yaml_get(root, VSR_STR("routing")), &(struct step){ .root = "routing" });
    check_recipes(&f, yaml_get(root, VSR_STR("recipes")));
}
