/* What the tables of `global.model_catalog` cannot see (config.md §9.5). */
#include <string.h>

#include "config/address.h"
#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"
#include "core/url.h"
#include "nn/embedder_sizes.h"

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

/* ---- embeddings */

static struct diag_at embedding_at(struct check *c, const struct config_embedding_config *embedding,
                                   const char *field) {
    return schema_field_at(&config_embedding_config_schema, embedding, field, c->arena);
}

static bool wrote(const struct config_embedding_config *embedding, const char *field) {
    return schema_present(&config_embedding_config_schema, embedding, field);
}

/* A key that is missing in a block that is missing too is looked for where something asked for it. */
static struct diag_at placed(struct diag_at at, struct diag_at asked) {
    if (at.line == 0) {
        at.line = asked.line;
        at.col = asked.col;
    }
    return at;
}

static bool is_http_url(struct check *c, vsr_str url) {
    struct address address;
    return (str_starts(url, VSR_STR("http://")) || str_starts(url, VSR_STR("https://"))) &&
           str_find_char(url, ' ') < 0 && str_find_char(url, '\t') < 0 &&
           !address_parse(url, false, c->scratch, &address);
}

static bool is_missing(const void *object, const char *field, vsr_str text) {
    return str_trim(text).len == 0 && !check_is_open(object, field);
}

/* What the server is asked for is what is kept, unless the document says otherwise. */
static void settle_dimensions(struct check *c, struct config_embedding_config *embedding,
                              const struct config_embedding_endpoint *endpoint) {
    if (endpoint->dimensions == 0)
        return;
    if (!wrote(embedding, "target_dimension"))
        embedding->target_dimension = endpoint->dimensions;
    else if (embedding->target_dimension > 0 && embedding->target_dimension != endpoint->dimensions)
        diag_error(c->diag, "E_CONFLICT",
                   schema_field_at(&config_embedding_endpoint_schema, endpoint, "dimensions", c->arena), VSR_STR(""),
                   "dimensions is %lld, but embedding_config.target_dimension is %lld; they must be equal",
                   (long long)endpoint->dimensions, (long long)embedding->target_dimension);
}

static void check_remote_endpoint(struct check *c, struct config_semantic *semantic) {
    struct config_embedding_config *embedding = &semantic->embedding_config;
    const struct config_embedding_endpoint *endpoint = &semantic->endpoint;
    struct diag_at asked = embedding_at(c, embedding, embedding->backend_name == 4 ? "backend" : "model_type");
    struct diag_at base_url =
        placed(schema_field_at(&config_embedding_endpoint_schema, endpoint, "base_url", c->arena), asked);
    struct diag_at model =
        placed(schema_field_at(&config_embedding_endpoint_schema, endpoint, "model", c->arena), asked);
    if (is_missing(endpoint, "base_url", endpoint->base_url))
        diag_error(c->diag, "E_REQUIRED", base_url, VSR_STR(""), "missing, needed for embeddings of a server");
    else if (!check_is_open(endpoint, "base_url") && !is_http_url(c, endpoint->base_url))
        diag_error(c->diag, "E_TYPE", base_url, VSR_STR(""),
                   "expected an absolute URL such as https://host/v1, found \"%.*s\"",
                   VSR_FMT(url_shown(c->scratch, endpoint->base_url)));
    if (is_missing(endpoint, "model", endpoint->model))
        diag_error(c->diag, "E_REQUIRED", model, VSR_STR(""), "missing, needed for embeddings of a server");
    settle_dimensions(c, embedding, endpoint);
}

/* The kind of the path that is set, in the order in which stores choose too; a document without one is served all the
 * same. */
static enum config_embedding_model kind_by_path(const struct config_semantic *semantic) {
    const struct {
        vsr_str path;
        enum config_embedding_model kind;
    } paths[] = {
        { semantic->mmbert_model_path, EMBEDDING_MMBERT }, { semantic->multimodal_model_path, EMBEDDING_MULTIMODAL },
        { semantic->qwen3_model_path, EMBEDDING_QWEN3 },   { semantic->gemma_model_path, EMBEDDING_GEMMA },
        { semantic->bert_model_path, EMBEDDING_BERT },
    };
    for (size_t i = 0; i < VSR_COUNT(paths); i++)
        if (str_trim(paths[i].path).len > 0)
            return paths[i].kind;
    return EMBEDDING_BUILTIN;
}

/* `backend` and `model_type` both say who embeds; a default gives way to what is written. */
static void settle_backend(struct check *c, const struct config_semantic *semantic,
                           struct config_embedding_config *embedding) {
    bool server = embedding->backend_name == 4, remote = embedding->model_type == EMBEDDING_REMOTE;
    if (embedding->model_type == EMBEDDING_UNSET)
        embedding->model_type = server ? EMBEDDING_REMOTE : (int)kind_by_path(semantic);
    else if (server && !remote && wrote(embedding, "model_type"))
        diag_error(c->diag, "E_CONFLICT", embedding_at(c, embedding, "model_type"), VSR_STR(""),
                   "with the backend openai_compatible the model_type must be remote");
    else if (!server && remote && wrote(embedding, "backend"))
        diag_error(c->diag, "E_CONFLICT", embedding_at(c, embedding, "backend"), VSR_STR(""),
                   "with the model_type remote the backend must be openai_compatible");
    if (server)
        embedding->model_type = EMBEDDING_REMOTE;
    embedding->backend = server || remote ? EMBEDDING_BACKEND_OPENAI_COMPATIBLE : EMBEDDING_BACKEND_NATIVE;
}

/* Names of published sentence transformers, as they stand in paths. */
static bool is_sentence_transformer(vsr_str path, struct arena *arena) {
    static const char *const marks[] = {
        "sentence-transformers", "sentence_transformers", "minilm", "mpnet", "paraphrase-", "multi-qa-",
        "all-distilroberta"
    };
    vsr_str lower = arena_str_lower(arena, path);
    if (str_find(lower, VSR_STR("mmbert")) >= 0)
        return false;
    for (size_t i = 0; i < VSR_COUNT(marks); i++)
        if (str_find(lower, str_from_c(marks[i])) >= 0)
            return true;
    return false;
}

/* Of published models; one of the kind mmbert is asked when it is loaded. */
static const struct {
    int model; /* enum config_embedding_model */
    const char *name;
    int most;                       /* of a whole vector; 0: it depends on the model */
    int least;                      /* it can be cut to */
    int listed[EMBEDDER_SIZES_MAX]; /* to these only; 0: to any */
} vector_sizes[] = {
    { EMBEDDING_QWEN3, "qwen3", 0, QWEN3_DIMS_LEAST, { 0 } },
    { EMBEDDING_GEMMA, "gemma", GEMMA_DIMS, 1, GEMMA_SIZES },
    { EMBEDDING_MULTIMODAL, "multimodal", MULTIMODAL_DIMS, 1, MULTIMODAL_SIZES },
};

static bool is_listed_size(size_t kind, int64_t size) {
    for (size_t i = 0; i < VSR_COUNT(vector_sizes[kind].listed); i++)
        if (size == vector_sizes[kind].listed[i])
            return true;
    return vector_sizes[kind].listed[0] == 0;
}

static void check_vector_size(struct check *c, const struct config_embedding_config *embedding, size_t kind) {
    struct diag_at at = embedding_at(c, embedding, "target_dimension");
    long long asked = embedding->target_dimension;
    vsr_str sizes = { 0 };
    if (asked == 0)
        return;
    if (vector_sizes[kind].most > 0 && asked > vector_sizes[kind].most) {
        diag_warn(c->diag, "W_RANGE", at, VSR_STR(""),
                  "vectors of a %s model have %d dimensions, which is all there are", vector_sizes[kind].name,
                  vector_sizes[kind].most);
    } else if (asked < vector_sizes[kind].least) {
        diag_error(c->diag, "E_RANGE", at, VSR_STR(""),
                   "vectors of a %s model are cut to %d dimensions and more, not to %lld", vector_sizes[kind].name,
                   vector_sizes[kind].least, asked);
    } else if (!is_listed_size(kind, asked)) {
        for (size_t i = 0; i < VSR_COUNT(vector_sizes[kind].listed) && vector_sizes[kind].listed[i] > 0; i++)
            sizes = arena_printf(c->scratch, "%.*s%s%d", VSR_FMT(sizes), i ? ", " : "", vector_sizes[kind].listed[i]);
        diag_error(c->diag, "E_RANGE", at, VSR_STR(""), "vectors of a %s model have one of %.*s dimensions, not %lld",
                   vector_sizes[kind].name, VSR_FMT(sizes), asked);
    }
}

static void check_target_dimension(struct check *c, const struct config_semantic *semantic) {
    const struct config_embedding_config *embedding = &semantic->embedding_config;
    if (!wrote(embedding, "target_dimension"))
        return; /* models have what they have */
    for (size_t i = 0; i < VSR_COUNT(vector_sizes); i++)
        if (vector_sizes[i].model == embedding->model_type)
            check_vector_size(c, embedding, i);
}

/* Who is not left early has no target_layer; one of the kind mmbert is asked when it is loaded. */
static void check_target_layer(struct check *c, const struct config_semantic *semantic) {
    const struct config_embedding_config *embedding = &semantic->embedding_config;
    struct diag_at at = embedding_at(c, embedding, "target_layer");
    if (!wrote(embedding, "target_layer") || embedding->target_layer == 0 || embedding->model_type == EMBEDDING_MMBERT)
        return;
    if (embedding->model_type == EMBEDDING_MULTIMODAL && embedding->target_layer > MULTIMODAL_LAYERS)
        diag_error(c->diag, "E_RANGE", at, VSR_STR(""), "the text part of the model has %d layers, not %lld",
                   MULTIMODAL_LAYERS, (long long)embedding->target_layer);
    else if (embedding->model_type != EMBEDDING_MULTIMODAL)
        diag_warn(c->diag, "W_UNUSED", at, VSR_STR("only mmbert and multimodal models end early"),
                  "all layers of a %s model run", config_embedding_models[embedding->model_type]);
}

static void check_cut(struct check *c, const struct config_semantic *semantic) {
    if (semantic->embedding_config.backend != EMBEDDING_BACKEND_NATIVE)
        return;
    check_target_dimension(c, semantic);
    check_target_layer(c, semantic);
}

static void check_semantic(struct check *c, struct config_semantic *semantic) {
    struct config_embedding_config *embedding = &semantic->embedding_config;
    settle_prototypes(&embedding->prototype_scoring);
    settle_backend(c, semantic, embedding);
    if (embedding->top_k < 0)
        embedding->top_k = 1;
    if (is_sentence_transformer(semantic->mmbert_model_path, c->scratch))
        diag_error(c->diag, "E_TYPE", schema_field_at(&config_semantic_schema, semantic, "mmbert_model_path", c->arena),
                   VSR_STR("write it as bert_model_path, with embedding_config.model_type: bert"),
                   "\"%.*s\" is a sentence transformer, not an mmbert model", VSR_FMT(semantic->mmbert_model_path));
    if (embedding->backend == EMBEDDING_BACKEND_OPENAI_COMPATIBLE)
        check_remote_endpoint(c, semantic);
    else
        check_cut(c, semantic);
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
        if (used && is_missing(models, system_models[i].key, path))
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
    if (is_missing(&found->llm_endpoint, "address", found->llm_endpoint.address))
        diag_error(c->diag, "E_REQUIRED",
                   placed(schema_field_at(&config_llm_endpoint_schema, &found->llm_endpoint, "address", c->arena),
                          schema_at(found)),
                   VSR_STR(""), "missing, needed by %.*s.protocol", VSR_FMT(guard->at.path));
    if (is_missing(found, "llm_model_name", found->llm_model_name))
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
    if (!check_is_open(detector, "endpoint") && !is_http_url(c, detector->endpoint))
        diag_error(c->diag, detector->endpoint.len ? "E_TYPE" : "E_REQUIRED",
                   schema_field_at(schema, detector, "endpoint", c->arena), VSR_STR(""),
                   "the backend endpoint needs an absolute URL such as http://host:8000");
    if (is_missing(detector, "model_id", detector->model_id))
        diag_error(c->diag, "E_REQUIRED", schema_field_at(schema, detector, "model_id", c->arena), VSR_STR(""),
                   "missing, needed by the backend endpoint");
}

static void check_modules(struct check *c, struct config_modules *modules) {
    settle_prototypes(&modules->complexity.prototype_scoring);
    settle_prototypes(&modules->classifier.preference.prototype_scoring);
    check_compression(c, &modules->prompt_compression);
    check_skipped(c, &modules->prompt_compression);
    check_guard(c, &modules->prompt_guard, &c->doc->global.model_catalog.external);
    check_hallucination(c, &modules->hallucination_mitigation);
    resolve_models(c, modules);
}

void check_catalog(struct check *c) {
    struct config_model_catalog *catalog = &c->doc->global.model_catalog;
    check_semantic(c, &catalog->embeddings.semantic);
    check_external(c, &catalog->external);
    check_kbs(c, &catalog->kbs);
    check_modules(c, &catalog->modules);
    check_inference(c, &catalog->inference);
}
