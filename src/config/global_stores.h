/*
 * global_stores - the structs of `global.stores`: response cache, memory, vector store. See global.h.
 */
#ifndef VSR_CONFIG_GLOBAL_STORES_H
#define VSR_CONFIG_GLOBAL_STORES_H

#include "config/global_shared.h"

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

#endif
