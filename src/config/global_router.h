/*
 * global_router - the structs of `global.router`: names, limits, how models are selected, learning. See global.h.
 */
#ifndef VSR_CONFIG_GLOBAL_ROUTER_H
#define VSR_CONFIG_GLOBAL_ROUTER_H

#include "config/schema.h"

struct config_streamed_body {
    struct config_at at;
    bool enabled; /* no effect: kept for published documents (config.md §9.1) */
    int64_t max_bytes;
    int64_t timeout_sec;
};

struct config_skip_processing {
    struct config_at at;
    bool enabled;
};

struct config_context_estimate {
    struct config_at at;
    double structured_bytes_per_token;
};

/* Defaults of decisions' algorithms of that name. */
struct config_router_dc {
    struct config_at at;
    double temperature, min_similarity;
    int64_t dimension_size;
    bool use_query_contrastive, use_model_contrastive, require_descriptions, use_capabilities;
};

struct config_automix {
    struct config_at at;
    double verification_threshold, cost_quality_tradeoff, discount_factor;
    int64_t max_escalations;
    bool cost_aware_routing, use_logprob_verification;
};

struct config_hybrid {
    struct config_at at;
    double experience_weight, router_dc_weight, automix_weight, cost_weight, quality_gap_threshold;
    bool normalize_scores;
};

struct config_momentum {
    struct config_at at;
    bool enabled;
    double attack, release, threshold;
};

struct config_ml_knn {
    struct config_at at;
    int64_t k;
    vsr_str pretrained_path;
};

struct config_ml_kmeans {
    struct config_at at;
    int64_t num_clusters;
    double efficiency_weight;
    vsr_str pretrained_path;
};

enum config_svm_kernel { SVM_LINEAR, SVM_RBF };

struct config_ml_svm {
    struct config_at at;
    int kernel; /* enum config_svm_kernel */
    double gamma;
    vsr_str pretrained_path;
};

struct config_ml_mlp {
    struct config_at at;
    int device; /* 0 cpu, 1 cuda */
    vsr_str pretrained_path;
};

struct config_ml {
    struct config_at at;
    vsr_str models_path;
    int64_t embedding_dim;
    struct config_ml_knn knn;
    struct config_ml_kmeans kmeans;
    struct config_ml_svm svm;
    struct config_ml_mlp mlp;
};

struct config_model_selection {
    struct config_at at;
    bool enabled;
    vsr_str method; /* documentation: decisions name their algorithm */
    struct config_router_dc router_dc;
    struct config_automix automix;
    struct config_hybrid hybrid;
    struct config_momentum momentum; /* no effect */
    struct config_ml ml;
};

enum config_candidate_set { CANDIDATES_DECISION, CANDIDATES_TIER, CANDIDATES_GLOBAL };

struct config_learning_adaptation {
    struct config_at at;
    bool enabled;      /* holds when learning itself is enabled */
    int candidate_set; /* enum config_candidate_set */
    int strategy;      /* 0 routing_sampling */
};

enum config_learning_scope { LEARNING_CONVERSATION, LEARNING_SESSION };

struct config_learning_headers {
    struct config_at at;
    vsr_str session, conversation;
};

struct config_learning_identity {
    struct config_at at;
    struct config_learning_headers headers;
};

struct config_learning_tuning {
    struct config_at at;
    int64_t idle_timeout_seconds, min_turns_before_switch;
    double switch_margin, stability_weight;
};

struct config_learning_protection {
    struct config_at at;
    bool enabled; /* holds when learning itself is enabled */
    int scope;    /* enum config_learning_scope */
    struct config_learning_identity identity;
    struct config_learning_tuning tuning;
};

struct config_learning_redis {
    struct config_at at;
    vsr_str address, password, key_prefix;
    int64_t database;
};

struct config_learning_store {
    struct config_at at;
    int backend; /* enum config_backend */
    int64_t ttl_seconds, timeout_ms;
    struct config_learning_redis redis;
};

struct config_learning {
    struct config_at at;
    bool enabled;
    struct config_learning_adaptation adaptation;
    struct config_learning_protection protection;
    struct config_learning_store state_store;
};

/* What savings are measured against. */
enum config_baseline { BASELINE_MOST_EXPENSIVE, BASELINE_DEFAULT_MODEL, BASELINE_DECISION_MAX, BASELINE_MODEL };

struct config_router_pricing {
    struct config_at at;
    vsr_str baseline;
    int kind; /* derived: enum config_baseline */
};

enum { CONFIG_PRIORITY_MAX = 9 }; /* priorities of requests: 0 goes first overboard */

struct config_admission {
    struct config_at at;
    int64_t max_active; /* requests at once; 0: no limit */
    int64_t max_queued, queue_timeout_ms;
    int64_t default_priority;
};

enum config_source_kind { SOURCE_FILE, SOURCE_KUBERNETES };
enum config_lazy_signals { LAZY_SIGNALS_OFF, LAZY_SIGNALS_STAGED };

struct config_router {
    struct config_at at;
    int config_source; /* enum config_source_kind */
    int strategy;
    vsr_str auto_model_name;
    struct config_strings auto_model_names;
    bool has_auto_model_names; /* written, even as []; else loading fills the list with the three defaults */
    bool include_config_models_in_list;
    bool clear_route_cache;
    struct config_streamed_body streamed_body;
    struct config_skip_processing skip_processing;
    struct config_model_selection model_selection;
    struct config_learning learning;
    int64_t signal_timeout_ms;                /* of all signals of a request; 0: none */
    struct config_number_map signal_timeouts; /* family -> ms; see config_signal_timeout_ms() */
    int lazy_signals;                         /* enum config_lazy_signals */
    int64_t signal_window_chars;
    struct config_context_estimate context_estimate;
    struct config_router_pricing pricing;
    struct config_admission admission;
};

/* Milliseconds that the signals of that family ("keyword") may take; 0: no limit of their own. */
int64_t config_signal_timeout_ms(const struct config_router *router, vsr_str family);

#endif
