/*
 * global - the structs of the block `global`: settings of the process (config.md §9).
 *
 * One struct per block, named config_<block>, filled by the tables in global_*.c; the built-in defaults are those of
 * the tables, so a block that is absent reads like one that is empty. What checks add is marked `derived`. Everything
 * lives in the document's arena and is read-only once loaded: any thread.
 *
 * A block whose feature this build does not have is decoded and checked like any other; features.h says which those
 * are.
 */
#ifndef VSR_CONFIG_GLOBAL_H
#define VSR_CONFIG_GLOBAL_H

#include "config/schema.h"

/* ---- shared pieces */

/* Where a store keeps what it is given. Each block lists those it allows; the names mean the same everywhere. */
enum config_backend {
    BACKEND_UNSET,
    BACKEND_MEMORY,
    BACKEND_SQLITE,
    BACKEND_FILE,
    BACKEND_LOCAL, /* memory, written through to the embedded database */
    BACKEND_REDIS,
    BACKEND_VALKEY,
    BACKEND_POSTGRES,
    BACKEND_MILVUS,
    BACKEND_QDRANT,
    BACKEND_LLAMA_STACK,
    BACKEND_HYBRID,
};

/* A server that speaks Redis. `db` and `database`, `use_tls` and `tls_enabled` are spellings of different blocks. */
struct config_redis {
    struct config_at at;
    vsr_str address; /* host:port */
    vsr_str password;
    int64_t db;
    vsr_str key_prefix;
    bool use_tls, tls_skip_verify;
    int64_t max_retries, pool_size;
};

struct config_postgres {
    struct config_at at;
    vsr_str host, database, user, password, ssl_mode, table_name;
    int64_t port, max_open_conns, max_idle_conns, conn_max_lifetime;
};

struct config_tls_client {
    struct config_at at;
    bool enabled;
    vsr_str cert_file, key_file, ca_file;
};

struct config_vector_field {
    struct config_at at;
    vsr_str name, metric_type;
    int64_t dimension;
};

struct config_index_params {
    struct config_at at;
    int64_t m;               /* key `M` */
    int64_t ef_construction; /* key `efConstruction` */
};

struct config_store_logging {
    struct config_at at;
    vsr_str level;
    bool enable_query_log, enable_metrics;
};

struct config_qdrant {
    struct config_at at;
    vsr_str host, api_key, collection_name;
    int64_t port, connect_timeout;
    bool use_tls;
};

/* How many examples become the prototypes that a text is compared with (signals.md §4.4). Values are effective. */
struct config_prototype_scoring {
    struct config_at at;
    bool enabled;
    double cluster_similarity_threshold, best_weight, margin_threshold;
    int64_t max_prototypes, top_m;
};

/* ---- router */

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
};

/* Milliseconds that the signals of that family ("keyword") may take; 0: no limit of their own. */
int64_t config_signal_timeout_ms(const struct config_router *router, vsr_str family);

/* ---- services */

struct config_batch_size_range {
    struct config_at at;
    int64_t min, max; /* max -1: open */
    vsr_str label;
};

struct config_batch_metrics {
    struct config_at at;
    bool enabled;
    double sample_rate;
    struct config_list batch_size_ranges;                     /* struct config_batch_size_range */
    struct config_numbers duration_buckets, size_buckets;     /* rising */
    bool detailed_goroutine_tracking, high_resolution_timing; /* no effect */
};

struct config_batch_classification {
    struct config_at at;
    int64_t max_batch_size, concurrency_threshold, max_concurrency;
    struct config_batch_metrics metrics;
};

struct config_api {
    struct config_at at;
    struct config_batch_classification batch_classification;
};

struct config_response_redis {
    struct config_at at;
    vsr_str address, password, key_prefix;
    int64_t db;
    bool cluster_mode;
    struct config_strings cluster_addresses;
    int64_t pool_size, min_idle_conns, max_retries;
    int64_t dial_timeout, read_timeout, write_timeout; /* seconds; 0: the client's own */
    bool tls_enabled;
    vsr_str tls_cert_path, tls_key_path, tls_ca_path;
    vsr_str config_path; /* a file with the same keys; what is written here wins */
};

struct config_response_api {
    struct config_at at;
    bool enabled;
    int store_backend; /* enum config_backend */
    int64_t ttl_seconds, max_responses;
    struct config_response_redis redis;
};

struct config_windowed_metrics {
    struct config_at at;
    bool enabled;
    struct config_strings time_windows;
    int64_t update_interval_ms;
    bool model_metrics, queue_depth_estimation;
    int64_t max_models;
};

struct config_metrics {
    struct config_at at;
    bool enabled;
    struct config_windowed_metrics windowed_metrics;
};

enum config_exporter_type { EXPORTER_OTLP, EXPORTER_STDOUT };

struct config_exporter {
    struct config_at at;
    int type; /* enum config_exporter_type */
    vsr_str endpoint;
    bool insecure;
};

/* The last two are other names of SAMPLING_PROBABILISTIC. */
enum config_sampling_type {
    SAMPLING_ALWAYS_ON,
    SAMPLING_ALWAYS_OFF,
    SAMPLING_PROBABILISTIC,
    SAMPLING_TRACEIDRATIO,
    SAMPLING_TRACE_ID_RATIO
};

struct config_sampling {
    struct config_at at;
    int type; /* enum config_sampling_type */
    double rate;
};

struct config_trace_resource {
    struct config_at at;
    vsr_str service_name, service_version, deployment_environment;
};

struct config_tracing {
    struct config_at at;
    bool enabled;
    vsr_str provider;
    struct config_exporter exporter;
    struct config_sampling sampling;
    struct config_trace_resource resource;
};

struct config_observability {
    struct config_at at;
    struct config_metrics metrics;
    struct config_tracing tracing;
};

struct config_authz_identity {
    struct config_at at;
    vsr_str user_id_header, user_groups_header;
};

struct config_authz_provider {
    struct config_at at;
    int type;                    /* 0 header-injection, 1 static-config */
    struct config_pairs headers; /* provider name -> header name */
};

struct config_authz {
    struct config_at at;
    bool fail_open;
    struct config_authz_identity identity;
    struct config_list providers; /* struct config_authz_provider */
};

enum config_ratelimit_type { RATELIMIT_ENVOY, RATELIMIT_LOCAL };
enum config_ratelimit_unit { RATELIMIT_SECOND, RATELIMIT_MINUTE, RATELIMIT_HOUR, RATELIMIT_DAY };

/* Empty and `*` stand for any. */
struct config_ratelimit_match {
    struct config_at at;
    vsr_str user, group, model;
};

struct config_ratelimit_rule {
    struct config_at at;
    vsr_str name;
    struct config_ratelimit_match match;
    int64_t requests_per_unit, tokens_per_unit; /* 0: unlimited */
    int unit;                                   /* enum config_ratelimit_unit */
};

struct config_ratelimit_provider {
    struct config_at at;
    int type; /* enum config_ratelimit_type */
    vsr_str address, domain;
    struct config_list rules; /* struct config_ratelimit_rule */
};

struct config_ratelimit {
    struct config_at at;
    bool fail_open;
    struct config_list providers; /* struct config_ratelimit_provider */
};

enum config_management_mode { MANAGEMENT_AUTH_DISABLED, MANAGEMENT_AUTH_BEARER };

struct config_management_token {
    struct config_at at;
    vsr_str env, role;
    vsr_str value; /* derived: of the variable; empty: no such token */
};

struct config_management_auth {
    struct config_at at;
    int mode;                        /* enum config_management_mode */
    struct config_list tokens;       /* struct config_management_token */
    struct config_strings_map roles; /* role -> permissions; the built-in three unless some are written */
};

struct config_management_api {
    struct config_at at;
    vsr_str bind_address;
    int64_t port;
    bool remote_exposure;
    struct config_management_auth auth;
};

struct config_replay_milvus {
    struct config_at at;
    vsr_str address, username, password, collection_name, consistency_level;
    int64_t shard_num;
};

struct config_router_replay {
    struct config_at at;
    bool enabled;
    int store_backend; /* enum config_backend */
    int64_t ttl_seconds;
    bool async_writes; /* no effect */
    struct config_redis redis;
    struct config_postgres postgres;
    struct config_replay_milvus milvus;
    struct config_qdrant qdrant;
};

struct config_startup_redis {
    struct config_at at;
    vsr_str address, password;
    int64_t db;
};

struct config_startup_status {
    struct config_at at;
    int store_backend; /* enum config_backend */
    struct config_startup_redis redis;
};

struct config_services {
    struct config_at at;
    struct config_api api;
    struct config_response_api response_api;
    struct config_observability observability;
    struct config_authz authz;
    struct config_ratelimit ratelimit;
    struct config_management_api management_api;
    struct config_router_replay router_replay;
    struct config_startup_status startup_status;
};

/* ---- stores */

struct config_cache_connection {
    struct config_at at;
    vsr_str host, password;
    int64_t port, database, timeout;
    struct config_tls_client tls;
};

struct config_cache_index {
    struct config_at at;
    vsr_str name, prefix, index_type;
    struct config_vector_field vector_field;
    struct config_index_params params;
};

struct config_cache_search {
    struct config_at at;
    int64_t topk;
};

struct config_cache_development {
    struct config_at at;
    bool drop_index_on_startup, auto_create_index, verbose_errors;
};

/* Of `redis` and `valkey`. */
struct config_cache_server {
    struct config_at at;
    struct config_cache_connection connection;
    struct config_cache_index index;
    struct config_cache_search search;
    struct config_cache_development development;
    struct config_store_logging logging;
};

struct config_milvus_auth {
    struct config_at at;
    bool enabled;
    vsr_str username, password;
};

struct config_milvus_connection {
    struct config_at at;
    vsr_str host, database;
    int64_t port, timeout;
    struct config_milvus_auth auth;
    struct config_tls_client tls;
};

struct config_milvus_index {
    struct config_at at;
    vsr_str type;
    struct config_index_params params;
};

struct config_milvus_collection {
    struct config_at at;
    vsr_str name, description;
    struct config_vector_field vector_field;
    struct config_milvus_index index;
};

struct config_milvus_search_params {
    struct config_at at;
    int64_t ef;
};

struct config_milvus_search {
    struct config_at at;
    struct config_milvus_search_params params;
    int64_t topk;
    vsr_str consistency_level;
};

struct config_milvus_pool {
    struct config_at at;
    int64_t max_connections, max_idle_connections, acquire_timeout;
};

struct config_milvus_batch {
    struct config_at at;
    int64_t insert_batch_size, timeout;
};

struct config_milvus_performance {
    struct config_at at;
    struct config_milvus_pool connection_pool;
    struct config_milvus_batch batch;
};

struct config_milvus_ttl {
    struct config_at at;
    bool enabled;
    vsr_str timestamp_field;
    int64_t cleanup_interval;
};

struct config_milvus_compaction {
    struct config_at at;
    bool enabled;
    int64_t interval;
};

struct config_milvus_data {
    struct config_at at;
    struct config_milvus_ttl ttl;
    struct config_milvus_compaction compaction;
};

struct config_milvus_development {
    struct config_at at;
    bool drop_collection_on_startup, auto_create_collection, verbose_errors;
};

struct config_milvus {
    struct config_at at;
    struct config_milvus_connection connection;
    struct config_milvus_collection collection;
    struct config_milvus_search search;
    struct config_milvus_performance performance;
    struct config_milvus_data data_management;
    struct config_store_logging logging;
    struct config_milvus_development development;
};

enum config_cache_eviction { EVICTION_FIFO, EVICTION_LRU, EVICTION_LFU };

/* A kind of embedding model; UNSET: the one of embeddings.semantic. */
enum config_embedding_model {
    EMBEDDING_UNSET,
    EMBEDDING_BERT,
    EMBEDDING_QWEN3,
    EMBEDDING_GEMMA,
    EMBEDDING_MMBERT,
    EMBEDDING_MULTIMODAL,
    EMBEDDING_REMOTE,
};

struct config_response_cache {
    struct config_at at;
    bool enabled;
    int backend_type; /* enum config_backend */
    double similarity_threshold;
    bool has_similarity_threshold; /* derived */
    int64_t max_entries, ttl_seconds;
    int eviction_policy;                /* enum config_cache_eviction */
    int embedding_model;                /* enum config_embedding_model */
    struct config_cache_server *redis;  /* NULL: not written */
    struct config_cache_server *valkey; /* NULL: not written */
    struct config_milvus *milvus;       /* NULL: not written */
    struct config_qdrant *qdrant;       /* NULL: not written */
};

struct config_memory_quality {
    struct config_at at;
    int64_t initial_strength_days, max_memories_per_user;
    double prune_threshold;
};

struct config_memory_reflection {
    struct config_at at;
    bool enabled;
    vsr_str algorithm;
    bool is_noop; /* derived; else heuristic */
    int64_t max_inject_tokens;
    double recency_decay_days, dedup_threshold;
    struct config_strings block_patterns;
};

struct config_memory_milvus {
    struct config_at at;
    vsr_str address, collection;
    int64_t dimension, num_partitions;
};

struct config_memory_valkey {
    struct config_at at;
    vsr_str host, password, collection_prefix, index_name;
    int64_t port, database, timeout, dimension, index_m, index_ef_construction;
    int metric_type; /* 0 COSINE, 1 L2, 2 IP */
    bool tls_enabled, tls_insecure_skip_verify;
    vsr_str tls_ca_path;
};

struct config_memory_qdrant {
    struct config_at at;
    vsr_str host, api_key, collection;
    int64_t port, connect_timeout, dimension;
    bool use_tls;
};

struct config_memory_redis_cache {
    struct config_at at;
    bool enabled;
    vsr_str address, key_prefix, password;
    int64_t ttl_seconds, db;
};

struct config_memory {
    struct config_at at;
    bool enabled;
    int backend; /* enum config_backend */
    bool auto_store;
    struct config_strings disabled_routes, disabled_models;
    int embedding_model; /* enum config_embedding_model */
    int64_t extraction_batch_size, default_retrieval_limit;
    double default_similarity_threshold;
    bool hybrid_search, adaptive_threshold;
    vsr_str hybrid_mode;
    struct config_memory_quality quality_scoring;
    struct config_memory_reflection reflection;
    struct config_memory_milvus milvus;
    struct config_memory_valkey valkey;
    struct config_memory_qdrant qdrant;
    struct config_memory_redis_cache redis_cache;
};

struct config_vector_store_memory {
    struct config_at at;
    int64_t max_entries_per_store;
};

enum config_search_type { SEARCH_UNSET, SEARCH_VECTOR, SEARCH_HYBRID };

struct config_vector_store_llama_stack {
    struct config_at at;
    vsr_str endpoint, auth_token, embedding_model;
    int64_t request_timeout_seconds;
    int search_type; /* enum config_search_type */
};

struct config_vector_store_valkey {
    struct config_at at;
    vsr_str host, password, collection_prefix, metric_type;
    int64_t port, database, connect_timeout, index_m, index_ef_construction;
};

struct config_vector_store_qdrant {
    struct config_at at;
    vsr_str host, api_key, collection_prefix;
    int64_t port, connect_timeout;
    bool use_tls;
};

struct config_vector_store {
    struct config_at at;
    bool enabled;
    int backend_type; /* enum config_backend */
    vsr_str file_storage_dir, embedding_model;
    int64_t max_file_size_mb;
    int64_t embedding_dimension; /* derived when not written: by the model */
    int64_t ingestion_workers, ingestion_drain_timeout_seconds;
    struct config_strings supported_formats;
    struct config_vector_store_memory memory;
    struct config_vector_store_llama_stack *llama_stack; /* NULL: not written */
    struct config_vector_store_valkey *valkey;           /* NULL: not written */
    struct config_vector_store_qdrant *qdrant;           /* NULL: not written */
    struct config_milvus *milvus;                        /* NULL: not written */
    int metadata_store;                                  /* enum config_backend */
    struct config_postgres *metadata_postgres;           /* NULL: not written */
};

struct config_stores {
    struct config_at at;
    struct config_response_cache response_cache;
    struct config_memory memory;
    struct config_vector_store *vector_store; /* NULL: the feature is off */
};

/* ---- integrations */

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

/* ---- model catalogue */

enum config_embedding_backend {
    EMBEDDING_BACKEND_NATIVE, /* candle, openvino and onnx are other names of it */
    EMBEDDING_BACKEND_OPENAI_COMPATIBLE,
};

struct config_embedding_config {
    struct config_at at;
    int backend_name; /* as written */
    int backend;      /* derived: enum config_embedding_backend */
    int model_type;   /* enum config_embedding_model, never UNSET */
    bool preload_embeddings, enable_soft_matching;
    int64_t target_dimension, target_layer;
    int64_t top_k; /* negative reads as 1; 0: all */
    double min_score_threshold;
    struct config_prototype_scoring prototype_scoring;
};

struct config_embedding_endpoint {
    struct config_at at;
    vsr_str base_url, model, api_key_env;
    int64_t timeout_seconds, max_retries, dimensions;
};

struct config_semantic {
    struct config_at at;
    vsr_str qwen3_model_path, gemma_model_path, mmbert_model_path, multimodal_model_path, bert_model_path;
    bool use_cpu;
    struct config_embedding_config embedding_config;
    struct config_embedding_endpoint endpoint;
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

/* ---- modules */

struct config_prompt_compression {
    struct config_at at;
    bool enabled;
    vsr_str profile_name;
    int profile; /* derived: enum config_compression_profile */
    int64_t max_tokens, min_length;
    struct config_strings skip_signals;
    /* Zero unless written above zero: then they override the profile (signals.md §8). */
    double textrank_weight, position_weight, tfidf_weight, novelty_weight, position_depth;
    int64_t preserve_first_n, preserve_last_n;
};

enum config_compression_profile {
    COMPRESSION_DEFAULT,
    COMPRESSION_CODING,
    COMPRESSION_MEDICAL,
    COMPRESSION_SECURITY,
    COMPRESSION_MULTI_TURN,
};

enum config_guard_variant { GUARD_REMOTE, GUARD_CANDLE, GUARD_MMBERT32K };
enum config_guard_protocol { GUARD_LOCAL, GUARD_HTTP_CHAT, GUARD_HTTP_CLASSIFY };
enum config_on_failure { ON_FAILURE_ALLOW, ON_FAILURE_BLOCK };

/*
 * Every module with a model of its own has `model_ref`, one of the keys of `system`, and `model_id`, which wins.
 * `model_path` is derived from them; empty when the module is off and names none.
 */
struct config_prompt_guard {
    struct config_at at;
    bool enabled;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu;
    int variant;  /* enum config_guard_variant; none when a protocol is written */
    int protocol; /* enum config_guard_protocol */
    vsr_str jailbreak_mapping_path;
    struct config_strings positive_labels;
    int on_error;                                 /* enum config_on_failure */
    const struct config_external_model *external; /* derived: the remote guard, when a protocol is written */
};

struct config_domain_classifier {
    struct config_at at;
    bool enabled;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu, use_modernbert, use_mmbert_32k;
    vsr_str category_mapping_path, fallback_category;
    int on_error; /* enum config_on_failure */
};

struct config_pii_classifier {
    struct config_at at;
    bool enabled;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu, use_modernbert, use_mmbert_32k;
    vsr_str pii_mapping_path;
    int on_error; /* enum config_on_failure */
};

enum config_mcp_transport { MCP_UNSET, MCP_STDIO, MCP_HTTP };

struct config_mcp_classifier {
    struct config_at at;
    bool enabled;
    int transport_type; /* enum config_mcp_transport */
    vsr_str command, url, tool_name;
    struct config_strings args;
    struct config_pairs env;
    double threshold;
    int64_t timeout_seconds;
};

struct config_preference_classifier {
    struct config_at at;
    bool use_contrastive;
    int embedding_model; /* enum config_embedding_model */
    struct config_prototype_scoring prototype_scoring;
};

struct config_classifiers {
    struct config_at at;
    struct config_domain_classifier domain;
    struct config_pii_classifier pii;
    struct config_mcp_classifier mcp;
    struct config_preference_classifier preference;
};

struct config_complexity_module {
    struct config_at at;
    struct config_prototype_scoring prototype_scoring;
};

struct config_fact_check {
    struct config_at at;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu, use_mmbert_32k;
};

enum config_detector_backend { DETECTOR_LOCAL, DETECTOR_ENDPOINT };

struct config_hallucination_detector {
    struct config_at at;
    int backend; /* enum config_detector_backend */
    vsr_str endpoint;
    bool include_explanation;
    vsr_str model_ref, model_id, model_path;
    bool use_cpu;
    double threshold, min_span_confidence, nli_entailment_threshold;
    int64_t min_span_length, context_window_size;
    bool enable_nli_filtering;
};

struct config_hallucination_explainer {
    struct config_at at;
    vsr_str model_ref, model_id, model_path;
    bool use_cpu;
    double threshold;
};

struct config_hallucination_mitigation {
    struct config_at at;
    bool enabled;
    vsr_str on_hallucination_detected;
    struct config_fact_check fact_check;
    struct config_hallucination_detector detector;
    struct config_hallucination_explainer explainer;
};

struct config_feedback_detector {
    struct config_at at;
    bool enabled;
    vsr_str model_ref, model_id, model_path;
    double threshold;
    bool use_cpu, use_modernbert, use_mmbert_32k;
    vsr_str feedback_mapping_path;
};

enum config_modality_method { MODALITY_UNSET, MODALITY_CLASSIFIER, MODALITY_KEYWORD, MODALITY_HYBRID };

struct config_modality_classifier {
    struct config_at at;
    vsr_str model_path;
    bool use_cpu;
};

struct config_modality_detector {
    struct config_at at;
    bool enabled;
    struct config_strings prompt_prefixes, keywords, both_keywords;
    int method; /* enum config_modality_method */
    struct config_modality_classifier classifier;
    double confidence_threshold, lower_threshold_ratio;
};
extern const struct schema config_modality_detector_schema; /* a plugin has the block as well */

struct config_modules {
    struct config_at at;
    struct config_prompt_compression prompt_compression;
    struct config_prompt_guard prompt_guard;
    struct config_classifiers classifier;
    struct config_complexity_module complexity;
    struct config_hallucination_mitigation hallucination_mitigation;
    struct config_feedback_detector feedback_detector;
    struct config_modality_detector modality_detector;
};

/* ---- inference */

enum config_device { DEVICE_AUTO, DEVICE_CPU };
enum config_inference_precision { INFERENCE_AUTO, INFERENCE_F32, INFERENCE_BF16, INFERENCE_INT8 };
enum config_inference_load { INFERENCE_EAGER, INFERENCE_LAZY };
enum config_inference_long_text { INFERENCE_TRUNCATE, INFERENCE_CHUNK, INFERENCE_SAMPLE };

/* What differs for one model. The `own_` ones are one more than the enum's; 0: as for all. */
struct config_inference_model {
    struct config_at at;
    vsr_str model;
    int own_precision, own_load, own_long_text;
    int64_t max_tokens; /* 0: as for all */
    bool mandatory;
};

struct config_inference {
    struct config_at at;
    int device; /* enum config_device */
    int64_t threads, batch_tokens, queue_length, queue_mb, cache_mb, memory_mb, max_tokens;
    int precision;             /* enum config_inference_precision */
    int load;                  /* enum config_inference_load */
    int long_text;             /* enum config_inference_long_text */
    struct config_list models; /* struct config_inference_model */
};

/* NULL: nothing differs for it. `models/` at the head of either spelling does not count. */
const struct config_inference_model *config_inference_model(const struct config_inference *inference, vsr_str model);

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

/* ---- all of it */

struct config_global {
    struct config_at at;
    struct config_router router;
    struct config_services services;
    struct config_stores stores;
    struct config_integrations integrations;
    struct config_model_catalog model_catalog;
};

#endif
