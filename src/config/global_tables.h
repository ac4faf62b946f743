/*
 * global_tables - the tables of the blocks under `global`, for those who put them together or check them. Internal to
 * config/.
 */
#ifndef VSR_CONFIG_GLOBAL_TABLES_H
#define VSR_CONFIG_GLOBAL_TABLES_H

#include "config/global.h"

/* ---- shared by several blocks (global_stores.c) */

extern const struct schema config_redis_schema;
extern const struct schema config_postgres_schema;
extern const struct schema config_qdrant_schema;
extern const struct schema config_prototype_scoring_schema; /* global_catalog.c */

/* Names of embedding models, by enum config_embedding_model. NULL-terminated. */
extern const char *const config_embedding_models[];

/* Rows of the member `server` of T, a struct config_tool_server; `tool` says which tool is called unless one is named.
 */
#define TOOL_SERVER_ROWS(tool) \
    { "transport_type", FIELD_ENUM, offsetof(T, server.transport_type), .choices = config_mcp_transports, \
      .help = "How the server is reached." }, \
        { "command", FIELD_STRING, offsetof(T, server.command), \
          .help = "Program to start, for stdio; looked for in PATH." }, \
        { "args", FIELD_STRINGS, offsetof(T, server.args), .help = "Its arguments." }, \
        { "env", FIELD_PAIRS, offsetof(T, server.env), SECRET, \
          .help = "Added to its environment, which has PATH, HOME and the like, and no keys of vsr." }, \
        { "url", FIELD_STRING, offsetof(T, server.url), .help = "URL of the server, for http." }, \
        { "tool_name", FIELD_STRING, offsetof(T, server.tool_name), .help = "Tool to call; unset: " tool "." }, { \
        "timeout_seconds", FIELD_INT, offsetof(T, server.timeout_seconds), SECONDS, \
            .help = "Longest wait for an answer; 0: 10." \
    }

/* By enum config_mcp_transport. NULL-terminated. */
extern const char *const config_mcp_transports[];

/* ---- one for each part of `global` */

extern const struct schema config_global_schema;
extern const struct schema config_router_schema;
extern const struct schema config_services_schema;
extern const struct schema config_stores_schema;
extern const struct schema config_integrations_schema;
extern const struct schema config_model_catalog_schema;
extern const struct schema config_modules_schema;
extern const struct schema config_inference_schema;

/* ---- blocks that checks point into */

extern const struct schema config_router_pricing_schema;
extern const struct schema config_response_api_schema;
extern const struct schema config_sampling_schema;
extern const struct schema config_authz_provider_schema;
extern const struct schema config_management_api_schema;
extern const struct schema config_management_auth_schema;
extern const struct schema config_ratelimit_match_schema;
extern const struct schema config_ratelimit_rule_schema;
extern const struct schema config_management_token_schema;
extern const struct schema config_router_replay_schema;
extern const struct schema config_startup_status_schema;
extern const struct schema config_response_cache_schema;
extern const struct schema config_memory_schema;
extern const struct schema config_memory_reflection_schema;
extern const struct schema config_vector_store_schema;
extern const struct schema config_tools_schema;
extern const struct schema config_looper_names_schema;
extern const struct schema config_looper_flow_schema;
extern const struct schema config_flow_state_schema;
extern const struct schema config_semantic_schema;
extern const struct schema config_embedding_config_schema;
extern const struct schema config_embedding_endpoint_schema;
extern const struct schema config_mcp_embedder_schema;
extern const struct schema config_mcp_classifier_schema;
extern const struct schema config_system_models_schema;
extern const struct schema config_external_model_schema;
extern const struct schema config_llm_endpoint_schema;
extern const struct schema config_inference_model_schema;
extern const struct schema config_kb_schema;
extern const struct schema config_kb_source_schema;
extern const struct schema config_kb_metric_schema;
extern const struct schema config_prompt_compression_schema;
extern const struct schema config_prompt_guard_schema;
extern const struct schema config_domain_classifier_schema;
extern const struct schema config_pii_classifier_schema;
extern const struct schema config_fact_check_schema;
extern const struct schema config_hallucination_mitigation_schema;
extern const struct schema config_hallucination_detector_schema;
extern const struct schema config_hallucination_explainer_schema;
extern const struct schema config_feedback_detector_schema;

#endif
