/*
 * global_catalog - the structs of `global.model_catalog`: embedders, models of the system, models elsewhere, knowledge
 * bases; modules and inference have headers of their own. See global.h.
 */
#ifndef VSR_CONFIG_GLOBAL_CATALOG_H
#define VSR_CONFIG_GLOBAL_CATALOG_H

#include "config/global_inference.h"
#include "config/global_modules.h"
#include "config/global_shared.h"

enum config_embedding_backend {
    EMBEDDING_BACKEND_NATIVE, /* candle, openvino and onnx are other names of it */
    EMBEDDING_BACKEND_OPENAI_COMPATIBLE,
    EMBEDDING_BACKEND_MCP,
};

enum config_exit_norm { EXIT_NORM_FINAL, EXIT_NORM_NONE };

struct config_embedding_config {
    struct config_at at;
    int backend_name; /* as written */
    int backend;      /* derived: enum config_embedding_backend */
    int model_type;   /* enum config_embedding_model, never UNSET */
    int exit_norm;    /* enum config_exit_norm, never UNSET */
    bool preload_embeddings, enable_soft_matching;
    int64_t target_dimension, target_layer; /* of EMBEDDING_BACKEND_MCP: 0 unless written */
    int64_t top_k;                          /* negative reads as 1; 0: all */
    double min_score_threshold;
    struct config_prototype_scoring prototype_scoring;
};

struct config_embedding_endpoint {
    struct config_at at;
    vsr_str base_url, model, api_key_env;
    int64_t timeout_seconds, max_retries, dimensions;
};

struct config_mcp_embedder {
    struct config_at at;
    struct config_tool_server server;
};

struct config_semantic {
    struct config_at at;
    vsr_str qwen3_model_path, gemma_model_path, mmbert_model_path, multimodal_model_path, bert_model_path;
    bool use_cpu;
    struct config_embedding_config embedding_config;
    struct config_embedding_endpoint endpoint; /* EMBEDDING_BACKEND_OPENAI_COMPATIBLE */
    struct config_mcp_embedder mcp;            /* EMBEDDING_BACKEND_MCP */
};

struct config_embeddings {
    struct config_at at;
    struct config_semantic semantic;
};

/* Paths of the models that modules name by `model_ref`. */
struct config_system_models {
    struct config_at at;
    vsr_str prompt_guard, domain_classifier, pii_classifier, fact_check_classifier, hallucination_detector,
        hallucination_explainer, feedback_detector;
};

enum config_model_role {
    ROLE_UNSET,
    ROLE_GUARDRAIL,
    ROLE_CLASSIFICATION,
    ROLE_SCORING,
    ROLE_PREFERENCE,
    ROLE_MEMORY_REWRITE,
    ROLE_MEMORY_EXTRACTION,
};

enum config_parser_type { PARSER_UNSET, PARSER_AUTO, PARSER_QWEN3GUARD, PARSER_JSON, PARSER_SIMPLE };

struct config_llm_endpoint {
    struct config_at at;
    vsr_str address, name, prompt_template;
    int64_t port;
    int protocol; /* 0 http, 1 https */
    bool use_chat_template;
};

struct config_external_model {
    struct config_at at;
    vsr_str name, llm_provider;
    int model_role; /* enum config_model_role */
    struct config_llm_endpoint llm_endpoint;
    vsr_str llm_model_name, access_key;
    int parser_type; /* enum config_parser_type */
    int64_t llm_timeout_seconds, max_tokens;
    double threshold, temperature;
};

struct config_kb_source {
    struct config_at at;
    vsr_str path, manifest;
};

struct config_kb_metric {
    struct config_at at;
    vsr_str name;
    int type; /* 0 group_margin */
    vsr_str positive_group, negative_group;
};

struct config_kb_manifest;

struct config_kb {
    struct config_at at;
    vsr_str name;
    struct config_kb_source source;
    double threshold;
    struct config_number_map label_thresholds;
    struct config_strings_map groups;
    struct config_list metrics; /* struct config_kb_metric */
    struct config_prototype_scoring prototype_scoring;
    const struct config_kb_manifest *manifest; /* derived: side_files.h; NULL: not read */
};

struct config_model_catalog {
    struct config_at at;
    struct config_embeddings embeddings;
    struct config_system_models system;
    struct config_list external; /* struct config_external_model */
    struct config_list kbs;      /* struct config_kb; the two built-in ones unless written */
    struct config_modules modules;
    struct config_inference inference;
};

/* NULL: none of that name. */
const struct config_external_model *config_external_model(const struct config_model_catalog *catalog, vsr_str name);
const struct config_kb *config_kb(const struct config_model_catalog *catalog, vsr_str name);

#endif
