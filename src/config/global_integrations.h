/*
 * global_integrations - the structs of `global.integrations`: tools and looper. See global.h.
 */
#ifndef VSR_CONFIG_GLOBAL_INTEGRATIONS_H
#define VSR_CONFIG_GLOBAL_INTEGRATIONS_H

#include "config/global_shared.h"

enum config_retrieval_strategy { RETRIEVAL_WEIGHTED, RETRIEVAL_HYBRID_HISTORY };

struct config_tool_weights {
    struct config_at at;
    double embed, lexical, tag, name, category;
};

struct config_tool_history {
    struct config_at at;
    int64_t history_horizon, min_history_steps;
    double history_confidence_threshold, weight_semantic, weight_history_transition, weight_decision_prior,
        repetition_penalty_strength;
};

struct config_tool_filtering {
    struct config_at at;
    bool enabled;
    int retrieval_strategy; /* enum config_retrieval_strategy */
    int64_t candidate_pool_size, min_lexical_overlap;
    double min_combined_score, category_confidence_threshold;
    struct config_tool_weights weights;
    bool use_category_filter;
    struct config_strings allow_tools, block_tools;
    struct config_tool_history hybrid_history;
};
extern const struct schema config_tool_filtering_schema; /* plugins have the block as well */

struct config_tools_db;

struct config_tools {
    struct config_at at;
    bool enabled;
    int64_t top_k;
    double similarity_threshold;
    bool has_similarity_threshold; /* derived */
    vsr_str tools_db_path;
    bool fallback_to_empty;
    struct config_tool_filtering advanced_filtering;
    const struct config_tools_db *db; /* derived: side_files.h; NULL: not read */
};

struct config_looper_names {
    struct config_at at;
    struct config_strings model_names;
    bool has_model_names; /* derived: written, even as [] */
};

struct config_flow_file {
    struct config_at at;
    vsr_str directory;
};

struct config_flow_state {
    struct config_at at;
    int store_backend; /* enum config_backend */
    int64_t ttl_seconds;
    struct config_flow_file file;
    struct config_redis redis;
};

struct config_looper_flow {
    struct config_at at;
    struct config_strings model_names;
    bool has_model_names; /* derived: written, even as [] */
    struct config_flow_state state;
};

struct config_looper {
    struct config_at at;
    vsr_str endpoint; /* no effect: sub-requests run in-process */
    int64_t grpc_max_msg_size_mb, max_response_bytes_mb, timeout_seconds, retry_count;
    struct config_pairs headers;
    struct config_looper_names remom, fusion;
    struct config_looper_flow flow;
};

struct config_integrations {
    struct config_at at;
    struct config_tools tools;
    struct config_looper looper;
};

#endif
