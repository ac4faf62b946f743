/* Tables of `global.model_catalog`, apart from its modules (config.md §9.5). */
#include "config/global_catalog.h"

#include "config/check.h"
#include "config/global_tables.h"
#include "config/rows.h"
#include "core/arena.h"

/* ---- prototypes */

/* Numbers that are not positive mean the default; loading puts it in their place. */
#define T struct config_prototype_scoring
static const struct field prototype_scoring_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Group similar examples; else each stands for itself." },
    { ROW(cluster_similarity_threshold, NUMBER), BETWEEN(-INFINITY, 1), .fallback = "0.9",
      .help = "Similarity at which two examples belong together." },
    { ROW(max_prototypes, INT), BETWEEN(INT32_MIN, INT32_MAX), .fallback = "8", .help = "Most groups of one rule." },
    { ROW(best_weight, NUMBER), .fallback = "0.75", .help = "Weight of the nearest group against the mean of top_m." },
    { ROW(top_m, INT), BETWEEN(INT32_MIN, INT32_MAX), .fallback = "2", .help = "Groups that the mean is over." },
    { ROW(margin_threshold, NUMBER), .fallback = "0", .help = "Lead that the best must have over the second." },
};
#undef T
const struct schema config_prototype_scoring_schema =
    SCHEMA("prototype_scoring", struct config_prototype_scoring, prototype_scoring_fields);

/* ---- embeddings */

/* The first four are names of the same: inside vsr. */
static const char *const embedding_backends[] = { "native", "candle", "openvino", "onnx", "openai_compatible",
                                                  "mcp",    NULL };

static const char *const exit_norms[] = { "final", "none", NULL };

#define T struct config_embedding_config
static const struct field embedding_config_fields[] = {
    { "backend", FIELD_ENUM, offsetof(T, backend_name), .fallback = "candle", .choices = embedding_backends,
      .help = "Who embeds: vsr itself (native, candle, openvino and onnx say the same), a server, or a tool of one "
              "(mcp)." },
    { ROW(model_type, ENUM), .choices = config_embedding_models,
      .help = "Kind of the embedding model; remote for a server. Unset: that of the path that is set (mmbert before "
              "multimodal, qwen3, gemma and bert), else builtin." },
    { ROW(preload_embeddings, BOOL), .fallback = "true", .help = "Embed all candidates at start." },
    { ROW(target_dimension, INT), COUNT, .fallback = "768",
      .help = "Dimensions kept, of those that the model has; 0: all." },
    { ROW(target_layer, INT), COUNT, .fallback = "22",
      .help = "Layer after which an mmbert or multimodal model ends early; 0: the last." },
    { ROW(exit_norm, ENUM), .fallback = "final", .choices = exit_norms,
      .help = "Norm where a model ends early: that behind its last layer, or none." },
    { ROW(enable_soft_matching, BOOL), .fallback = "true",
      .help = "Let the best candidate match when none reaches its threshold." },
    { ROW(top_k, INT), BETWEEN(INT32_MIN, INT32_MAX), .fallback = "1", .help = "Most rules that match; 0: all." },
    { ROW(min_score_threshold, NUMBER), UNIT, .fallback = "0.5", .help = "Least score of a soft match." },
    { BLOCK(prototype_scoring, config_prototype_scoring_schema), .help = "How candidates are grouped." },
};
#undef T
const struct schema config_embedding_config_schema =
    SCHEMA("embedding_config", struct config_embedding_config, embedding_config_fields);

#define T struct config_embedding_endpoint
static const struct field embedding_endpoint_fields[] = {
    { ROW(base_url, STRING), .help = "URL of the server's API; /embeddings is added unless it ends so." },
    { ROW(model, STRING), .help = "What the server calls the model." },
    { ROW(api_key_env, STRING), .help = "Environment variable with the server's key." },
    { ROW(timeout_seconds, INT), SECONDS, .fallback = "10", .help = "Longest time of one attempt." },
    { ROW(max_retries, INT), BETWEEN(0, 100), .fallback = "0", .help = "Attempts after the first." },
    { ROW(dimensions, INT), COUNT, .fallback = "0", .help = "Dimensions asked for; 0: the server's own." },
};
#undef T
const struct schema config_embedding_endpoint_schema =
    SCHEMA("endpoint", struct config_embedding_endpoint, embedding_endpoint_fields);

#define T struct config_mcp_embedder
static const struct field mcp_embedder_fields[] = {
    TOOL_SERVER_ROWS("the one that embeds"),
};
#undef T
const struct schema config_mcp_embedder_schema = SCHEMA("mcp", struct config_mcp_embedder, mcp_embedder_fields);

#define T struct config_semantic
static const struct field semantic_fields[] = {
    { ROW(qwen3_model_path, STRING), .help = "Path of the qwen3 embedding model; unset: builtin/embedding instead." },
    { ROW(gemma_model_path, STRING), .help = "Path of the gemma embedding model; unset: builtin/embedding instead." },
    { ROW(mmbert_model_path, STRING), .help = "Path of the mmbert embedding model; unset: builtin/embedding instead." },
    { ROW(multimodal_model_path, STRING), .help = "Path of the embedding model for text and images." },
    { ROW(bert_model_path, STRING), .help = "Path of a sentence transformer." },
    { ROW(use_cpu, BOOL), .fallback = "true", .help = "Run on the CPU." },
    { BLOCK(embedding_config, config_embedding_config_schema), .help = "Which model embeds, and how." },
    { BLOCK(endpoint, config_embedding_endpoint_schema), .help = "The server, when one embeds." },
    { BLOCK(mcp, config_mcp_embedder_schema), .help = "The tool server, when one embeds (Model Context Protocol)." },
};
#undef T
const struct schema config_semantic_schema = SCHEMA("semantic", struct config_semantic, semantic_fields);

#define T struct config_embeddings
static const struct field embeddings_fields[] = {
    { BLOCK(semantic, config_semantic_schema), .help = "Embeddings of meaning." },
};
#undef T
static const struct schema embeddings_schema = SCHEMA("embeddings", struct config_embeddings, embeddings_fields);

/* ---- system models */

#define T struct config_system_models
static const struct field system_models_fields[] = {
    { ROW(prompt_guard, STRING), .fallback = "builtin/jailbreak", .help = "Model that recognises attacks." },
    { ROW(domain_classifier, STRING), .fallback = "builtin/domain", .help = "Model that tells subjects apart." },
    { ROW(pii_classifier, STRING), .fallback = "builtin/pii", .help = "Model that finds personal data." },
    { ROW(fact_check_classifier, STRING), .fallback = "builtin/fact-check",
      .help = "Model that says whether an answer needs checking." },
    { ROW(hallucination_detector, STRING), .fallback = "builtin/hallucination",
      .help = "Model that finds unsupported spans." },
    { ROW(hallucination_explainer, STRING), .fallback = "builtin/nli",
      .help = "Model that weighs a span against its context." },
    { ROW(feedback_detector, STRING), .fallback = "builtin/feedback", .help = "Model that recognises feedback." },
};
#undef T
const struct schema config_system_models_schema =
    SCHEMA("system models", struct config_system_models, system_models_fields);

/* ---- external models */

static const char *const protocols[] = { "http", "https", NULL };
/* By enum config_model_role. */
static const char *const model_roles[] = { "",           "guardrail",      "classification",    "scoring",
                                           "preference", "memory_rewrite", "memory_extraction", NULL };
static const char *const parser_types[] = { "", "auto", "qwen3guard", "json", "simple", NULL };

#define T struct config_llm_endpoint
static const struct field llm_endpoint_fields[] = {
    { ROW(name, STRING), .help = "Name of the endpoint in logs." },
    { ROW(address, STRING), .help = "Host of the server." },
    { ROW(port, INT), PORT_OR_NONE, .help = "Port of the server; 0: that of the protocol." },
    { ROW(protocol, ENUM), .fallback = "http", .choices = protocols, .help = "Scheme of the server." },
    { ROW(use_chat_template, BOOL), .help = "No effect: servers of chat completions always apply their template." },
    { ROW(prompt_template, STRING), .flags = FIELD_VERBATIM,
      .help = "Text around what a guard judges, which stands for `%s`." },
};
#undef T
const struct schema config_llm_endpoint_schema =
    SCHEMA("llm_endpoint", struct config_llm_endpoint, llm_endpoint_fields);

#define T struct config_external_model
static const struct field external_model_fields[] = {
    { ROW(name, STRING), .help = "Name under which signals refer to it." },
    { ROW(llm_provider, STRING), .help = "Kind of the server." },
    { ROW(model_role, ENUM), .choices = model_roles, .help = "What it is used for." },
    { BLOCK(llm_endpoint, config_llm_endpoint_schema), .help = "Where the server is." },
    { ROW(llm_model_name, STRING), .help = "What the server calls the model." },
    { ROW(llm_timeout_seconds, INT), SECONDS, .help = "Longest wait for an answer; 0: that of its use." },
    { "parser_type", FIELD_ENUM, offsetof(T, parser_type), .choices = parser_types,
      .help = "How its answer is read; unset: by its name." },
    { ROW(threshold, NUMBER), UNIT, .help = "Least confidence of its answer; 0: that of its use." },
    { ROW(access_key, STRING), SECRET, .help = "Key of the server." },
    { ROW(max_tokens, INT), COUNT, .help = "Most tokens of an answer; 0: that of its use." },
    { ROW(temperature, NUMBER), NOT_NEGATIVE, .help = "Temperature of an answer." },
};
#undef T
const struct schema config_external_model_schema =
    SCHEMA("external model", struct config_external_model, external_model_fields);

/* ---- knowledge bases */

#define T struct config_kb_source
static const struct field kb_source_fields[] = {
    { ROW(path, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Folder of the knowledge base." },
    { ROW(manifest, STRING), NONBLANK, .fallback = "labels.json", .help = "File in it that lists the labels." },
};
#undef T
const struct schema config_kb_source_schema = SCHEMA("source", struct config_kb_source, kb_source_fields);

static const char *const metric_types[] = { "group_margin", NULL };

#define T struct config_kb_metric
static const struct field kb_metric_fields[] = {
    { ROW(name, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Name that scores refer to." },
    { ROW(type, ENUM), .fallback = "group_margin", .choices = metric_types, .help = "What is measured." },
    { ROW(positive_group, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Group whose score counts for." },
    { ROW(negative_group, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Group whose score counts against." },
};
#undef T
const struct schema config_kb_metric_schema = SCHEMA("metric", struct config_kb_metric, kb_metric_fields);

#define T struct config_kb
static const struct field kb_fields[] = {
    { ROW(name, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Name that signals refer to." },
    { BLOCK(source, config_kb_source_schema), .flags = FIELD_REQUIRED, .help = "Where its labels and examples are." },
    { ROW(threshold, NUMBER), UNIT, .help = "Least score of a label." },
    { ROW(label_thresholds, NUMBER_MAP), UNIT, .help = "Least score of single labels." },
    { ROW(groups, STRINGS_MAP), NONBLANK, .help = "Labels by group." },
    { ROW(metrics, OBJECTS), .object = &config_kb_metric_schema, .help = "Numbers for scores." },
    { BLOCK(prototype_scoring, config_prototype_scoring_schema), .help = "How examples are grouped." },
};
#undef T
const struct schema config_kb_schema = SCHEMA("knowledge base", struct config_kb, kb_fields);

/*
 * The contract names the groups, not their labels: each label of the privacy base is in one of four, `private` and
 * `public` hold two of those each; subjects whose questions want long derivations escalate.
 */
#define PRIVACY_POLICY \
    "proprietary_code, internal_document, pii, business_strategy, trade_secret_ip, operational_infrastructure, " \
    "locality_directive, customer_data"
#define SECURITY_CONTAINMENT "prompt_injection, credential_exfiltration, jailbreak_role, system_prompt_extraction"
#define FRONTIER_REASONING "architecture_analysis, root_cause_analysis, multi_step_tradeoffs"
#define LOCAL_STANDARD "generic_coding, simple_task, general_knowledge"
#define PRIVACY_KB \
    "{name: privacy_kb, source: {path: knowledge_bases/privacy}, threshold: 0.55, " \
    "label_thresholds: {prompt_injection: 0.7}, " \
    "groups: {security_containment: [" SECURITY_CONTAINMENT "], privacy_policy: [" PRIVACY_POLICY "], " \
    "frontier_reasoning: [" FRONTIER_REASONING "], local_standard: [" LOCAL_STANDARD "], " \
    "private: [" SECURITY_CONTAINMENT ", " PRIVACY_POLICY "], " \
    "public: [" FRONTIER_REASONING ", " LOCAL_STANDARD "]}, " \
    "metrics: [{name: private_vs_public, positive_group: private, negative_group: public}]}"
#define MMLU_KB \
    "{name: mmlu_kb, source: {path: knowledge_bases/mmlu}, threshold: 0.25, " \
    "groups: {escalate: [chemistry, computer science, economics, engineering, law, math, philosophy, physics], " \
    "keep: [biology, business, health, history, other, psychology]}, " \
    "metrics: [{name: escalate_vs_keep, positive_group: escalate, negative_group: keep}]}"

/* ---- catalogue */

#define T struct config_model_catalog
static const struct field model_catalog_fields[] = {
    { BLOCK(embeddings, embeddings_schema), .help = "Models that turn text into vectors." },
    { BLOCK(system, config_system_models_schema), .help = "Paths of the models that modules refer to." },
    { ROW(external, OBJECTS), .object = &config_external_model_schema,
      .help = "Models on servers, for vsr's own use." },
    { ROW(kbs, OBJECTS), .object = &config_kb_schema, .fallback = "[" PRIVACY_KB ", " MMLU_KB "]",
      .help = "Knowledge bases: labels with examples; unless some are written, privacy_kb and mmlu_kb." },
    { BLOCK(modules, config_modules_schema), .help = "What uses the models." },
    { BLOCK(inference, config_inference_schema), .help = "How models run inside vsr." },
};
#undef T
const struct schema config_model_catalog_schema =
    SCHEMA("model_catalog", struct config_model_catalog, model_catalog_fields);

/* ---- lookups */

const struct config_external_model *config_external_model(const struct config_model_catalog *catalog, vsr_str name) {
    CONFIG_EACH(const struct config_external_model, model, &catalog->external)
    if (name.len && str_eq(model->name, name))
        return model;
    return NULL;
}

static vsr_str without_prefix(vsr_str path) {
    vsr_str prefix = VSR_STR("models/");
    return str_starts(path, prefix) ? str_sub(path, prefix.len, path.len) : path;
}

const struct config_inference_model *config_inference_model(const struct config_inference *inference, vsr_str model) {
    CONFIG_EACH(const struct config_inference_model, own, &inference->models)
    if (str_eq(without_prefix(str_trim(own->model)), without_prefix(str_trim(model))))
        return own;
    return NULL;
}

const struct config_kb *config_kb(const struct config_model_catalog *catalog, vsr_str name) {
    CONFIG_EACH(const struct config_kb, kb, &catalog->kbs)
    if (str_eq(kb->name, name))
        return kb;
    return NULL;
}
