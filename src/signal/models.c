#include "signal/models.h"

#include "config/global_catalog.h"
#include "config/global_tables.h"

/* A path is told as the document spells it; an empty one means that there is none. */
static void tell(signal_model_fn *fn, void *data, vsr_str path, const char *type, vsr_str mapping) {
    struct signal_model model = { .path = str_trim(path), .type = type, .label_file = str_trim(mapping) };
    if (model.path.len == 0)
        return;
    fn(data, &model);
}

static const struct config_modules *modules_of(const struct config_document *doc) {
    return &doc->global.model_catalog.modules;
}

/* ---- embeddings */

/* What is left out is built in, except that nothing built in sees images. */
static void tell_embedder(const struct config_semantic *semantic, int kind, signal_model_fn *fn, void *data) {
    static const char type[] = "embedding";
    vsr_str none = VSR_STR(""), builtin = VSR_STR("builtin/embedding"), path = none;
    switch ((enum config_embedding_model)kind) {
    case EMBEDDING_QWEN3:
        path = semantic->qwen3_model_path;
        break;
    case EMBEDDING_GEMMA:
        path = semantic->gemma_model_path;
        break;
    case EMBEDDING_MULTIMODAL:
        tell(fn, data, semantic->multimodal_model_path, type, none);
        return;
    case EMBEDDING_BERT:
        tell(fn, data,
             semantic->bert_model_path.len ? semantic->bert_model_path
                                           : VSR_STR("sentence-transformers/all-MiniLM-L6-v2"),
             "semantic-similarity", none);
        return;
    case EMBEDDING_UNSET:
    case EMBEDDING_MMBERT:
        path = semantic->mmbert_model_path;
        break;
    case EMBEDDING_BUILTIN:
        break;
    case EMBEDDING_REMOTE:
        return;
    }
    tell(fn, data, str_trim(path).len ? path : builtin, type, none);
}

void signal_models_embedder(const struct config_document *doc, int kind, signal_model_fn *fn, void *data) {
    const struct config_semantic *semantic = &doc->global.model_catalog.embeddings.semantic;
    if (kind != EMBEDDING_UNSET)
        tell_embedder(semantic, kind, fn, data);
    else if (semantic->embedding_config.backend == EMBEDDING_BACKEND_NATIVE)
        tell_embedder(semantic, semantic->embedding_config.model_type, fn, data);
}

void signal_models_embedding(const struct config_document *doc, const void *rule, signal_model_fn *fn, void *data) {
    (void)rule;
    signal_models_embedder(doc, EMBEDDING_UNSET, fn, data);
}

void signal_models_preference(const struct config_document *doc, const void *rule, signal_model_fn *fn, void *data) {
    const struct config_preference_classifier *preference = &modules_of(doc)->classifier.preference;
    (void)rule;
    if (preference->use_contrastive)
        signal_models_embedder(doc, preference->embedding_model, fn, data);
}

/* ---- classifiers */

/* A tool that is asked for domains takes the place of a model that nobody chose. */
static bool has_tool_for_domains(const struct config_document *doc) {
    const struct config_classifiers *classifiers = &modules_of(doc)->classifier;
    return classifiers->mcp.enabled &&
           !schema_present(&config_domain_classifier_schema, &classifiers->domain, "model_id") &&
           !schema_present(&config_domain_classifier_schema, &classifiers->domain, "model_ref") &&
           !schema_present(&config_system_models_schema, &doc->global.model_catalog.system, "domain_classifier");
}

void signal_models_domain(const struct config_document *doc, const void *rule, signal_model_fn *fn, void *data) {
    const struct config_domain_classifier *domain = &modules_of(doc)->classifier.domain;
    (void)rule;
    if (domain->enabled && !has_tool_for_domains(doc))
        tell(fn, data, domain->model_path, "domain-classification", domain->category_mapping_path);
}

void signal_models_pii(const struct config_document *doc, const void *rule, signal_model_fn *fn, void *data) {
    const struct config_pii_classifier *pii = &modules_of(doc)->classifier.pii;
    (void)rule;
    if (pii->enabled)
        tell(fn, data, pii->model_path, "pii-detection", pii->pii_mapping_path);
}

void signal_models_guard(const struct config_document *doc, const void *rule, signal_model_fn *fn, void *data) {
    const struct config_prompt_guard *guard = &modules_of(doc)->prompt_guard;
    (void)rule;
    if (guard->enabled && guard->protocol == GUARD_LOCAL)
        tell(fn, data, guard->model_path, "jailbreak-detection", guard->jailbreak_mapping_path);
}

void signal_models_fact_check(const struct config_document *doc, const void *rule, signal_model_fn *fn, void *data) {
    const struct config_hallucination_mitigation *hallucination = &modules_of(doc)->hallucination_mitigation;
    (void)rule;
    tell(fn, data, hallucination->fact_check.model_path, "hallucination-sentinel", VSR_STR(""));
}

void signal_models_feedback(const struct config_document *doc, const void *rule, signal_model_fn *fn, void *data) {
    const struct config_feedback_detector *feedback = &modules_of(doc)->feedback_detector;
    (void)rule;
    if (feedback->enabled)
        tell(fn, data, feedback->model_path, "feedback-detection", feedback->feedback_mapping_path);
}

void signal_models_modality(const struct config_document *doc, const void *rule, signal_model_fn *fn, void *data) {
    const struct config_modality_detector *detector = &modules_of(doc)->modality_detector;
    (void)rule;
    if (detector->enabled && (detector->method == MODALITY_CLASSIFIER || detector->method == MODALITY_HYBRID))
        tell(fn, data, detector->classifier.model_path, "modality-detection", VSR_STR(""));
}
