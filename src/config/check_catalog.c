/* What the tables of `global.model_catalog` cannot see (config.md §9.5). */
#include <string.h>

#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"
#include "core/url.h"

/* ---- prototypes */

/* Numbers that are not positive mean the default (signals.md §4.4). */
static void settle_prototypes(struct config_prototype_scoring *scoring) {
    if (scoring->cluster_similarity_threshold <= 0)
        scoring->cluster_similarity_threshold = 0.9;
    if (scoring->max_prototypes <= 0)
        scoring->max_prototypes = 8;
    if (scoring->best_weight <= 0)
        scoring->best_weight = 0.75;
    if (scoring->best_weight > 1)
        scoring->best_weight = 1;
    if (scoring->top_m <= 0)
        scoring->top_m = 2;
    if (scoring->margin_threshold < 0)
        scoring->margin_threshold = 0;
}

/* ---- models by reference */

static const struct {
    const char *key;
    size_t offset;
} system_models[] = {
#define MODEL(member) \
    { #member, offsetof(struct config_system_models, member) }
    MODEL(prompt_guard),          MODEL(domain_classifier),      MODEL(pii_classifier),
    MODEL(fact_check_classifier), MODEL(hallucination_detector), MODEL(hallucination_explainer),
    MODEL(feedback_detector),
#undef MODEL
};

static vsr_str system_path(const struct config_system_models *models, size_t i) {
    vsr_str path;
    memcpy(&path, (const char *)models + system_models[i].offset, sizeof(path));
    return path;
}

static void report_model_ref(struct check *c, struct diag_at at, vsr_str ref) {
    vsr_str names[VSR_COUNT(system_models)], all = { 0 };
    for (size_t i = 0; i < VSR_COUNT(system_models); i++) {
        names[i] = str_from_c(system_models[i].key);
        all = arena_printf(c->scratch, "%.*s%s%s", VSR_FMT(all), i ? ", " : "", system_models[i].key);
    }
    diag_error(c->diag, "E_REF", at, diag_suggest(c->diag, ref, names, VSR_COUNT(names)),
               "model \"%.*s\" is not one of those in global.model_catalog.system: %.*s", VSR_FMT(ref), VSR_FMT(all));
}

/* The path of a module's model. An empty one is an error only where the module is in use. */
static vsr_str resolve_model(struct check *c, const struct schema *schema, const void *module, vsr_str ref, vsr_str id,
                             bool used) {
    const struct config_system_models *models = &c->doc->global.model_catalog.system;
    struct diag_at at = schema_field_at(schema, module, "model_ref", c->arena);
    if (str_trim(id).len)
        return str_trim(id);
    if (check_is_open(module, "model_ref"))
        return VSR_STR("");
    if (str_trim(ref).len == 0) {
        diag_error(c->diag, "E_REQUIRED", at,
                   VSR_STR("name a key of global.model_catalog.system, or a path in model_id"), "must not be blank");
        return VSR_STR("");
    }
    for (size_t i = 0; i < VSR_COUNT(system_models); i++) {
        vsr_str path = system_path(models, i);
        if (!str_eq_c(str_trim(ref), system_models[i].key))
            continue;
        if (used && check_is_missing(models, system_models[i].key, path))
            diag_error(c->diag, "E_REQUIRED",
                       schema_field_at(&config_system_models_schema, models, system_models[i].key, c->arena),
                       VSR_STR(""), "must not be blank, because %.*s names it", VSR_FMT(at.path));
        return str_trim(path);
    }
    report_model_ref(c, at, ref);
    return VSR_STR("");
}

#define RESOLVE(c, schema, module, used) \
    ((module)->model_path = resolve_model((c), &(schema), (module), (module)->model_ref, (module)->model_id, (used)))

static void resolve_models(struct check *c, struct config_modules *modules) {
    struct config_hallucination_mitigation *hallucination = &modules->hallucination_mitigation;
    bool local = modules->prompt_guard.protocol == GUARD_LOCAL;
    RESOLVE(c, config_prompt_guard_schema, &modules->prompt_guard, modules->prompt_guard.enabled && local);
    RESOLVE(c, config_domain_classifier_schema, &modules->classifier.domain, modules->classifier.domain.enabled);
    RESOLVE(c, config_pii_classifier_schema, &modules->classifier.pii, modules->classifier.pii.enabled);
    RESOLVE(c, config_fact_check_schema, &hallucination->fact_check, hallucination->enabled);
    RESOLVE(c, config_hallucination_detector_schema, &hallucination->detector, hallucination->enabled);
    RESOLVE(c, config_hallucination_explainer_schema, &hallucination->explainer, hallucination->enabled);
    RESOLVE(c, config_feedback_detector_schema, &modules->feedback_detector, modules->feedback_detector.enabled);
}

/* ---- external models */

static void check_external(struct check *c, const struct config_list *models) {
    struct map names;
    map_init(&names, c->scratch);
    CONFIG_EACH(struct config_external_model, model, models)
    if (model->name.len && !check_is_open(model, "name"))
        check_unique(c, &names, model->name, &config_external_model_schema, model, "external model");
}

/* ---- knowledge bases */

static struct diag_at list_entry_at(struct check *c, const void *object, const char *field, vsr_str key,
                                    const struct config_strings *list, size_t i) {
    struct diag_at at = check_pair_at(c, object, field, key);
    at.path = arena_printf(c->arena, "%.*s[%zu]", VSR_FMT(at.path), i);
    at.line = list->nodes[i]->line;
    at.col = list->nodes[i]->col;
    return at;
}

static void check_group(struct check *c, const struct config_kb *kb, vsr_str group,
                        const struct config_strings *labels) {
    struct arena_mark mark = arena_mark(c->scratch);
    struct map seen;
    map_init(&seen, c->scratch);
    for (size_t i = 0; i < labels->n; i++) {
        const struct yaml_node *first = map_get(&seen, labels->items[i]);
        if (first)
            diag_error(c->diag, "E_DUP", list_entry_at(c, kb, "groups", group, labels, i), VSR_STR(""),
                       "label \"%.*s\" is already in the group, at line %u, column %u", VSR_FMT(labels->items[i]),
                       first->line, first->col);
        else
            map_put(&seen, labels->items[i], (void *)labels->nodes[i]);
    }
    arena_rewind(c->scratch, mark);
}

static void check_metric_group(struct check *c, const struct config_kb *kb, const struct config_kb_metric *metric,
                               const char *field, vsr_str group) {
    for (size_t i = 0; i < kb->groups.n; i++)
        if (str_eq(kb->groups.keys[i], group))
            return;
    diag_error(c->diag, "E_REF", schema_field_at(&config_kb_metric_schema, metric, field, c->arena),
               diag_suggest(c->diag, group, kb->groups.keys, kb->groups.n),
               "knowledge base \"%.*s\" has no group \"%.*s\"", VSR_FMT(kb->name), VSR_FMT(group));
}

static void check_metrics(struct check *c, const struct config_kb *kb) {
    struct map names;
    map_init(&names, c->scratch);
    CONFIG_EACH(struct config_kb_metric, metric, &kb->metrics) {
        if (str_eq_c(metric->name, "best_score") || str_eq_c(metric->name, "best_matched_score"))
            diag_error(c->diag, "E_NAME_TAKEN", schema_field_at(&config_kb_metric_schema, metric, "name", c->arena),
                       VSR_STR("rename it"), "\"%.*s\" is a metric that every knowledge base has",
                       VSR_FMT(metric->name));
        check_unique(c, &names, metric->name, &config_kb_metric_schema, metric, "metric");
        check_metric_group(c, kb, metric, "positive_group", metric->positive_group);
        check_metric_group(c, kb, metric, "negative_group", metric->negative_group);
    }
}

static void check_kbs(struct check *c, const struct config_list *kbs) {
    struct map names;
    map_init(&names, c->scratch);
    CONFIG_EACH(struct config_kb, kb, kbs) {
        check_unique(c, &names, kb->name, &config_kb_schema, kb, "knowledge base");
        settle_prototypes(&kb->prototype_scoring);
        for (size_t i = 0; i < kb->groups.n; i++)
            check_group(c, kb, kb->groups.keys[i], &kb->groups.values[i]);
        check_metrics(c, kb);
    }
}

/* ---- inference */

/* One that is named twice would get what its first entry says, whatever the second does. */
static void check_inference(struct check *c, const struct config_inference *inference) {
    CONFIG_EACH(const struct config_inference_model, own, &inference->models) {
        const struct config_inference_model *first = config_inference_model(inference, own->model);
        if (first == own || check_is_open(own, "model"))
            continue;
        diag_error(c->diag, "E_DUP", schema_field_at(&config_inference_model_schema, own, "model", c->arena),
                   VSR_STR("say all of it in one entry"), "model \"%.*s\" has an entry already, at line %u, column %u",
                   VSR_FMT(own->model), schema_at(first).line, schema_at(first).col);
    }
}

/* ---- modules */

static void check_compression(struct check *c, struct config_prompt_compression *compression) {
    static const vsr_str profiles[] = { VSR_STR_INIT("default"), VSR_STR_INIT("coding"), VSR_STR_INIT("medical"),
                                        VSR_STR_INIT("security"), VSR_STR_INIT("multi_turn") };
    vsr_str name = arena_str_lower(c->scratch, str_trim(compression->profile_name));
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '-')
            ((char *)name.ptr)[i] = '_'; /* our own copy */
    for (int i = 0; i < (int)VSR_COUNT(profiles); i++)
        if (str_eq(name, profiles[i])) {
            compression->profile = i;
            return;
        }
    if (name.len && !check_is_open(compression, "profile"))
        diag_error(c->diag, "E_ENUM",
                   schema_field_at(&config_prompt_compression_schema, compression, "profile", c->arena),
                   diag_suggest(c->diag, name, profiles, VSR_COUNT(profiles)),
                   "\"%.*s\" is not one of default, coding, medical, security, multi_turn",
                   VSR_FMT(compression->profile_name));
}

/* A family that is misspelt there would read the shortened text. The default's two may stand there in any build. */
static void check_skipped(struct check *c, const struct config_prompt_compression *compression) {
    for (size_t i = 0; i < compression->skip_signals.n; i++) {
        const struct yaml_node *node = compression->skip_signals.nodes[i];
        vsr_str path = schema_path(c->arena, compression->at.path, VSR_STR("skip_signals"));
        struct diag_at at = { node->line, node->col, arena_printf(c->arena, "%.*s[%zu]", VSR_FMT(path), i) };
        vsr_str family = str_trim(compression->skip_signals.items[i]);
        if (check_family(c, family) < 0 && !str_eq_c(family, "jailbreak") && !str_eq_c(family, "pii"))
            check_unknown_family(c, at, family);
    }
}

static void check_remote_guard(struct check *c, struct config_prompt_guard *guard, const struct config_list *models) {
    const struct config_external_model *found = NULL;
    CONFIG_EACH(const struct config_external_model, model, models)
    if (!found && model->model_role == ROLE_GUARDRAIL)
        found = model;
    guard->external = found;
    if (!guard->enabled)
        return;
    if (!found) {
        diag_error(c->diag, "E_REF", schema_field_at(&config_prompt_guard_schema, guard, "protocol", c->arena),
                   VSR_STR(""),
                   "a remote guard needs an entry of global.model_catalog.external with model_role guardrail");
        return;
    }
    if (check_is_missing(&found->llm_endpoint, "address", found->llm_endpoint.address))
        diag_error(c->diag, "E_REQUIRED",
                   check_placed(schema_field_at(&config_llm_endpoint_schema, &found->llm_endpoint, "address", c->arena),
                                schema_at(found)),
                   VSR_STR(""), "missing, needed by %.*s.protocol", VSR_FMT(guard->at.path));
    if (check_is_missing(found, "llm_model_name", found->llm_model_name))
        diag_error(c->diag, "E_REQUIRED",
                   schema_field_at(&config_external_model_schema, found, "llm_model_name", c->arena), VSR_STR(""),
                   "missing, needed by %.*s.protocol", VSR_FMT(guard->at.path));
}

static void check_guard(struct check *c, struct config_prompt_guard *guard, const struct config_list *models) {
    static vsr_str attack[] = { VSR_STR_INIT("jailbreak") };
    if (guard->positive_labels.n == 0)
        guard->positive_labels = (struct config_strings){ .items = attack, .n = 1 };
    if (guard->protocol != GUARD_LOCAL) {
        guard->variant = GUARD_REMOTE; /* the default gives way */
        check_remote_guard(c, guard, models);
    } else if (guard->variant == GUARD_REMOTE && guard->enabled) {
        diag_error(c->diag, "E_REQUIRED", schema_field_at(&config_prompt_guard_schema, guard, "variant", c->arena),
                   VSR_STR(""), "a guard needs a variant (local) or a protocol (remote)");
    }
}

static void check_hallucination(struct check *c, struct config_hallucination_mitigation *hallucination) {
    const struct config_hallucination_detector *detector = &hallucination->detector;
    const struct schema *schema = &config_hallucination_detector_schema;
    vsr_str action = hallucination->on_hallucination_detected;
    if (action.len && !str_eq_c(action, "warn") && !check_is_open(hallucination, "on_hallucination_detected"))
        diag_warn(c->diag, "W_ENUM",
                  schema_field_at(&config_hallucination_mitigation_schema, hallucination, "on_hallucination_detected",
                                  c->arena),
                  VSR_STR("the plugin hallucination says what a decision does"),
                  "\"%.*s\" is read as warn, which is all there is", VSR_FMT(action));
    if (detector->backend != DETECTOR_ENDPOINT)
        return;
    if (!check_is_open(detector, "endpoint") && !check_is_http_url(c, detector->endpoint))
        diag_error(c->diag, detector->endpoint.len ? "E_TYPE" : "E_REQUIRED",
                   schema_field_at(schema, detector, "endpoint", c->arena), VSR_STR(""),
                   "the backend endpoint needs an absolute URL such as http://host:8000");
    if (check_is_missing(detector, "model_id", detector->model_id))
        diag_error(c->diag, "E_REQUIRED", schema_field_at(schema, detector, "model_id", c->arena), VSR_STR(""),
                   "missing, needed by the backend endpoint");
}

static void check_modules(struct check *c, struct config_modules *modules) {
    const struct config_mcp_classifier *mcp = &modules->classifier.mcp;
    settle_prototypes(&modules->complexity.prototype_scoring);
    settle_prototypes(&modules->classifier.preference.prototype_scoring);
    check_compression(c, &modules->prompt_compression);
    check_skipped(c, &modules->prompt_compression);
    check_guard(c, &modules->prompt_guard, &c->doc->global.model_catalog.external);
    check_hallucination(c, &modules->hallucination_mitigation);
    if (mcp->enabled)
        check_tool_server(c, &config_mcp_classifier_schema, mcp, &mcp->server, schema_at(mcp));
    resolve_models(c, modules);
}

void check_catalog(struct check *c) {
    struct config_model_catalog *catalog = &c->doc->global.model_catalog;
    settle_prototypes(&catalog->embeddings.semantic.embedding_config.prototype_scoring);
    check_embedder(c, &catalog->embeddings.semantic);
    check_external(c, &catalog->external);
    check_kbs(c, &catalog->kbs);
    check_modules(c, &catalog->modules);
    check_inference(c, &catalog->inference);
}
