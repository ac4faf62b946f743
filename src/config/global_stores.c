/* Tables of `global.stores` (config.md §9.3), and of the servers that several blocks name. */
#include "config/global_stores.h"

#include "config/check.h"
#include "config/global_tables.h"
#include "config/rows.h"
#include "core/arena.h"

/* ---- servers */

#define T struct config_redis
static const struct field redis_fields[] = {
    { ROW(address, STRING), .help = "host:port of the server." },
    { ROW(password, STRING), SECRET, .help = "Password of the server." },
    { ROW(db, INT), COUNT, .fallback = "0", .help = "Number of the database." },
    { ROW(key_prefix, STRING), .help = "Front of every key." },
    { ROW(use_tls, BOOL), .help = "Speak TLS." },
    { ROW(tls_skip_verify, BOOL), .help = "Accept any certificate." },
    { ROW(max_retries, INT), COUNT, .help = "Attempts after the first; 0: the client's own number." },
    { ROW(pool_size, INT), COUNT, .help = "No effect: one connection carries everything." },
};
#undef T
const struct schema config_redis_schema = SCHEMA("redis", struct config_redis, redis_fields);

#define T struct config_postgres
static const struct field postgres_fields[] = {
    { ROW(host, STRING), .help = "Host of the server." },
    { ROW(port, INT), PORT, .fallback = "5432", .help = "Port of the server." },
    { ROW(database, STRING), .help = "Name of the database." },
    { ROW(user, STRING), .help = "User on the server." },
    { ROW(password, STRING), SECRET, .help = "Password of that user." },
    { ROW(ssl_mode, STRING), .help = "How TLS is used: disable, require, verify-ca or verify-full." },
    { ROW(max_open_conns, INT), COUNT, .help = "No effect: one connection carries everything." },
    { ROW(max_idle_conns, INT), COUNT, .help = "No effect, as `max_open_conns`." },
    { ROW(conn_max_lifetime, INT), SECONDS,
      .help = "No effect: the connection is kept, and made anew when it is lost." },
    { ROW(table_name, STRING), .help = "Table that is used." },
};
#undef T
const struct schema config_postgres_schema = SCHEMA("postgres", struct config_postgres, postgres_fields);

#define T struct config_qdrant
static const struct field qdrant_fields[] = {
    { ROW(host, STRING), .help = "Host of the server." },
    { ROW(port, INT), PORT, .fallback = "6334", .help = "gRPC port of the server." },
    { ROW(api_key, STRING), SECRET, .help = "Key of the server." },
    { ROW(use_tls, BOOL), .help = "Speak TLS." },
    { ROW(connect_timeout, INT), SECONDS, .fallback = "10", .help = "Longest time to connect, in seconds." },
    { ROW(collection_name, STRING), .help = "Collection that is used." },
};
#undef T
const struct schema config_qdrant_schema = SCHEMA("qdrant", struct config_qdrant, qdrant_fields);

#define T struct config_tls_client
static const struct field tls_client_fields[] = {
    { ROW(enabled, BOOL), .help = "Speak TLS." },
    { ROW(cert_file, STRING), .help = "Certificate shown to the server." },
    { ROW(key_file, STRING), .help = "Key of that certificate." },
    { ROW(ca_file, STRING), .help = "Authorities that the server's certificate may come from." },
};
#undef T
static const struct schema tls_client_schema = SCHEMA("tls", struct config_tls_client, tls_client_fields);

#define T struct config_vector_field
static const struct field vector_field_fields[] = {
    { ROW(name, STRING), .help = "Name of the field." },
    { ROW(dimension, INT), COUNT, .help = "Dimensions; 0: those of the embedding model." },
    { ROW(metric_type, STRING), .help = "Distance of two vectors." },
};
#undef T
static const struct schema vector_field_schema =
    SCHEMA("vector_field", struct config_vector_field, vector_field_fields);

#define T struct config_index_params
static const struct field index_params_fields[] = {
    { "M", FIELD_INT, offsetof(T, m), COUNT, .help = "Links of a node of the index; 0: the server's own number." },
    { "efConstruction", FIELD_INT, offsetof(T, ef_construction), COUNT,
      .help = "Candidates looked at while building; 0: the server's own number." },
};
#undef T
static const struct schema index_params_schema = SCHEMA("params", struct config_index_params, index_params_fields);

#define T struct config_store_logging
static const struct field store_logging_fields[] = {
    { ROW(level, STRING), .help = "Least severity that is logged." },
    { ROW(enable_query_log, BOOL), .help = "Log every query." },
    { ROW(enable_metrics, BOOL), .help = "Measure queries." },
};
#undef T
static const struct schema store_logging_schema = SCHEMA("logging", struct config_store_logging, store_logging_fields);

/* ---- redis and valkey behind the response cache */

#define T struct config_cache_connection
static const struct field cache_connection_fields[] = {
    { ROW(host, STRING), .help = "Host of the server." },
    { ROW(port, INT), PORT, .fallback = "6379", .help = "Port of the server." },
    { ROW(database, INT), COUNT, .fallback = "0", .help = "Number of the database." },
    { ROW(password, STRING), SECRET, .help = "Password of the server." },
    { ROW(timeout, INT), SECONDS, .help = "Longest wait for the server, in seconds; 0: the client's own." },
    { BLOCK(tls, tls_client_schema), .help = "TLS with the server." },
};
#undef T
static const struct schema cache_connection_schema =
    SCHEMA("connection", struct config_cache_connection, cache_connection_fields);

#define T struct config_cache_index
static const struct field cache_index_fields[] = {
    { ROW(name, STRING), .help = "Name of the index." },
    { ROW(prefix, STRING), .help = "Front of every key." },
    { BLOCK(vector_field, vector_field_schema), .help = "Field of the embeddings." },
    { ROW(index_type, STRING), .help = "Kind of the index." },
    { BLOCK(params, index_params_schema), .help = "Shape of the index." },
};
#undef T
static const struct schema cache_index_schema = SCHEMA("index", struct config_cache_index, cache_index_fields);

#define T struct config_cache_search
static const struct field cache_search_fields[] = {
    { ROW(topk, INT), COUNT, .help = "Most hits of a search; 0 is 1." },
};
#undef T
static const struct schema cache_search_schema = SCHEMA("search", struct config_cache_search, cache_search_fields);

#define T struct config_cache_development
static const struct field cache_development_fields[] = {
    { ROW(drop_index_on_startup, BOOL), .help = "Begin with an empty index." },
    { ROW(auto_create_index, BOOL), .help = "Make the index when there is none." },
    { ROW(verbose_errors, BOOL), .help = "Log what the server says in full." },
};
#undef T
static const struct schema cache_development_schema =
    SCHEMA("development", struct config_cache_development, cache_development_fields);

#define T struct config_cache_server
static const struct field cache_server_fields[] = {
    { BLOCK(connection, cache_connection_schema), .help = "Where the server is." },
    { BLOCK(index, cache_index_schema), .help = "The index of embeddings." },
    { BLOCK(search, cache_search_schema), .help = "How the index is searched." },
    { BLOCK(development, cache_development_schema), .help = "Conveniences of development." },
    { BLOCK(logging, store_logging_schema), .help = "What is logged." },
};
#undef T
static const struct schema cache_server_schema = SCHEMA("server", struct config_cache_server, cache_server_fields);

/* ---- milvus */

#define T struct config_milvus_auth
static const struct field milvus_auth_fields[] = {
    { ROW(enabled, BOOL), .help = "Show user and password." },
    { ROW(username, STRING), .help = "User on the server." },
    { ROW(password, STRING), SECRET, .help = "Password of that user." },
};
#undef T
static const struct schema milvus_auth_schema = SCHEMA("auth", struct config_milvus_auth, milvus_auth_fields);

#define T struct config_milvus_connection
static const struct field milvus_connection_fields[] = {
    { ROW(host, STRING), .help = "Host of the server." },
    { ROW(port, INT), PORT, .fallback = "19530", .help = "Port of the server." },
    { ROW(database, STRING), .help = "Name of the database." },
    { ROW(timeout, INT), SECONDS, .help = "Longest wait for the server, in seconds; 0: the client's own." },
    { BLOCK(auth, milvus_auth_schema), .help = "Who vsr is to the server." },
    { BLOCK(tls, tls_client_schema), .help = "TLS with the server." },
};
#undef T
static const struct schema milvus_connection_schema =
    SCHEMA("connection", struct config_milvus_connection, milvus_connection_fields);

#define T struct config_milvus_index
static const struct field milvus_index_fields[] = {
    { ROW(type, STRING), .help = "Kind of the index." },
    { BLOCK(params, index_params_schema), .help = "Shape of the index." },
};
#undef T
static const struct schema milvus_index_schema = SCHEMA("index", struct config_milvus_index, milvus_index_fields);

#define T struct config_milvus_collection
static const struct field milvus_collection_fields[] = {
    { ROW(name, STRING), .help = "Name of the collection." },
    { ROW(description, STRING), .help = "Text kept with the collection." },
    { BLOCK(vector_field, vector_field_schema), .help = "Field of the embeddings." },
    { BLOCK(index, milvus_index_schema), .help = "The index of embeddings." },
};
#undef T
static const struct schema milvus_collection_schema =
    SCHEMA("collection", struct config_milvus_collection, milvus_collection_fields);

#define T struct config_milvus_search_params
static const struct field milvus_search_params_fields[] = {
    { ROW(ef, INT), COUNT, .help = "Candidates looked at; 0: the server's own number." },
};
#undef T
static const struct schema milvus_search_params_schema =
    SCHEMA("params", struct config_milvus_search_params, milvus_search_params_fields);

#define T struct config_milvus_search
static const struct field milvus_search_fields[] = {
    { BLOCK(params, milvus_search_params_schema), .help = "Effort of a search." },
    { ROW(topk, INT), COUNT, .help = "Most hits of a search; 0 is 1." },
    { ROW(consistency_level, STRING), .help = "Consistency of reads." },
};
#undef T
static const struct schema milvus_search_schema = SCHEMA("search", struct config_milvus_search, milvus_search_fields);

#define T struct config_milvus_pool
static const struct field milvus_pool_fields[] = {
    { ROW(max_connections, INT), COUNT, .help = "No effect: one connection carries everything." },
    { ROW(max_idle_connections, INT), COUNT, .help = "Most idle connections; 0: the client's own number." },
    { ROW(acquire_timeout, INT), SECONDS, .help = "Longest wait for a connection, in seconds; 0: the client's own." },
};
#undef T
static const struct schema milvus_pool_schema =
    SCHEMA("connection_pool", struct config_milvus_pool, milvus_pool_fields);

#define T struct config_milvus_batch
static const struct field milvus_batch_fields[] = {
    { ROW(insert_batch_size, INT), COUNT, .help = "Entries written at once; 0: the client's own number." },
    { ROW(timeout, INT), SECONDS, .help = "Longest wait for a batch to fill, in seconds; 0: the client's own." },
};
#undef T
static const struct schema milvus_batch_schema = SCHEMA("batch", struct config_milvus_batch, milvus_batch_fields);

#define T struct config_milvus_performance
static const struct field milvus_performance_fields[] = {
    { BLOCK(connection_pool, milvus_pool_schema), .help = "Connections to the server." },
    { BLOCK(batch, milvus_batch_schema), .help = "Writing in batches." },
};
#undef T
static const struct schema milvus_performance_schema =
    SCHEMA("performance", struct config_milvus_performance, milvus_performance_fields);

#define T struct config_milvus_ttl
static const struct field milvus_ttl_fields[] = {
    { ROW(enabled, BOOL), .help = "Delete what is too old." },
    { ROW(timestamp_field, STRING), .help = "Field that says how old." },
    { ROW(cleanup_interval, INT), SECONDS, .help = "Seconds between two deletions." },
};
#undef T
static const struct schema milvus_ttl_schema = SCHEMA("ttl", struct config_milvus_ttl, milvus_ttl_fields);

#define T struct config_milvus_compaction
static const struct field milvus_compaction_fields[] = {
    { ROW(enabled, BOOL), .help = "Compact the collection." },
    { ROW(interval, INT), SECONDS, .help = "Seconds between two compactions." },
};
#undef T
static const struct schema milvus_compaction_schema =
    SCHEMA("compaction", struct config_milvus_compaction, milvus_compaction_fields);

#define T struct config_milvus_data
static const struct field milvus_data_fields[] = {
    { BLOCK(ttl, milvus_ttl_schema), .help = "Age of entries." },
    { BLOCK(compaction, milvus_compaction_schema), .help = "Size of the collection." },
};
#undef T
static const struct schema milvus_data_schema =
    SCHEMA("data_management", struct config_milvus_data, milvus_data_fields);

#define T struct config_milvus_development
static const struct field milvus_development_fields[] = {
    { ROW(drop_collection_on_startup, BOOL), .help = "Begin with an empty collection." },
    { ROW(auto_create_collection, BOOL), .help = "Make the collection when there is none." },
    { ROW(verbose_errors, BOOL), .help = "Log what the server says in full." },
};
#undef T
static const struct schema milvus_development_schema =
    SCHEMA("development", struct config_milvus_development, milvus_development_fields);

#define T struct config_milvus
static const struct field milvus_fields[] = {
    { BLOCK(connection, milvus_connection_schema), .help = "Where the server is." },
    { BLOCK(collection, milvus_collection_schema), .help = "The collection that is used." },
    { BLOCK(search, milvus_search_schema), .help = "How the collection is searched." },
    { BLOCK(performance, milvus_performance_schema), .help = "Connections and batches." },
    { BLOCK(data_management, milvus_data_schema), .help = "Age and size of what is kept." },
    { BLOCK(logging, store_logging_schema), .help = "What is logged." },
    { BLOCK(development, milvus_development_schema), .help = "Conveniences of development." },
};
#undef T
static const struct schema milvus_schema = SCHEMA("milvus", struct config_milvus, milvus_fields);

/* ---- response cache */

const char *const config_embedding_models[] = { "",           "bert",   "qwen3",   "gemma", "mmbert",
                                                "multimodal", "remote", "builtin", NULL };

/* By enum config_backend; an empty name is not allowed here. */
static const char *const cache_stores[] = { "", "memory", "",       "", "",       "redis", "valkey",
                                            "", "milvus", "qdrant", "", "hybrid", NULL };

/* The server that the backend needs; hybrid is memory in front of milvus. */
static void check_cache_server(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_response_cache *cache = object;
    const struct {
        int backend;
        const char *name;
        const void *block;
    } servers[] = {
        { BACKEND_REDIS, "redis", cache->redis },    { BACKEND_VALKEY, "valkey", cache->valkey },
        { BACKEND_MILVUS, "milvus", cache->milvus }, { BACKEND_HYBRID, "milvus", cache->milvus },
        { BACKEND_QDRANT, "qdrant", cache->qdrant },
    };
    for (size_t i = 0; i < VSR_COUNT(servers); i++)
        if (cache->enabled && cache->backend_type == servers[i].backend && !servers[i].block)
            diag_warn(diag, "W_STORE", schema_field_at(&config_response_cache_schema, object, "backend_type", arena),
                      VSR_STR(""), "there is no block %s that says where the server is; the cache keeps to memory",
                      servers[i].name);
}

static const char *const evictions[] = { "fifo", "lru", "lfu", NULL };

#define T struct config_response_cache
static const struct field response_cache_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true",
      .help = "Have a store for cached responses; decisions say what is cached." },
    { ROW(backend_type, ENUM), .fallback = "memory", .choices = cache_stores, .help = "Where responses are kept." },
    { ROW(similarity_threshold, NUMBER), UNIT,
      .help = "Least similarity of a hit in tests and management calls; unset: the lowest that a plugin sets." },
    { ROW(max_entries, INT), COUNT, .fallback = "1000", .help = "Most responses kept; 0 is unlimited." },
    { ROW(ttl_seconds, INT), SECONDS, .fallback = "3600", .help = "How long a response is kept; 0 is for ever." },
    { ROW(eviction_policy, ENUM), .fallback = "fifo", .choices = evictions, .help = "What makes room for a new one." },
    { ROW(embedding_model, ENUM), .choices = config_embedding_models,
      .help = "Model that compares requests; unset: that of embeddings.semantic." },
    { ROW(redis, OPTIONAL), .object = &cache_server_schema, .help = "The server of the backend redis." },
    { ROW(valkey, OPTIONAL), .object = &cache_server_schema, .help = "The server of the backend valkey." },
    { ROW(milvus, OPTIONAL), .object = &milvus_schema, .help = "The server of the backends milvus and hybrid." },
    { ROW(qdrant, OPTIONAL), .object = &config_qdrant_schema, .help = "The server of the backend qdrant." },
};
#undef T
const struct schema config_response_cache_schema =
    SCHEMA("response_cache", struct config_response_cache, response_cache_fields, .check = check_cache_server);

/* ---- memory */

#define T struct config_memory_quality
static const struct field memory_quality_fields[] = {
    { ROW(initial_strength_days, INT), COUNT, .help = "Days that a new memory lasts without use; 0: no decay." },
    { ROW(prune_threshold, NUMBER), UNIT, .help = "Strength below which a memory is dropped; 0: never." },
    { ROW(max_memories_per_user, INT), COUNT, .help = "Most memories of one user; 0 is unlimited." },
};
#undef T
static const struct schema memory_quality_schema =
    SCHEMA("quality_scoring", struct config_memory_quality, memory_quality_fields);

#define T struct config_memory_reflection
static const struct field memory_reflection_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Sift memories before they enter a prompt." },
    { ROW(algorithm, STRING), .fallback = "heuristic", .help = "How they are sifted: heuristic or noop." },
    { ROW(max_inject_tokens, INT), COUNT, .fallback = "2048", .help = "Most tokens of memories in a prompt." },
    { ROW(recency_decay_days, NUMBER), NOT_NEGATIVE, .fallback = "30",
      .help = "Days after which a memory counts half." },
    { ROW(dedup_threshold, NUMBER), UNIT, .fallback = "0.90", .help = "Similarity at which two memories are one." },
    { ROW(block_patterns, STRINGS), .flags = FIELD_VERBATIM, .help = "Expressions; memories that match are left out." },
};
#undef T
const struct schema config_memory_reflection_schema =
    SCHEMA("reflection", struct config_memory_reflection, memory_reflection_fields);

#define T struct config_memory_milvus
static const struct field memory_milvus_fields[] = {
    { ROW(address, STRING), .help = "host:port of the server." },
    { ROW(collection, STRING), .fallback = "agentic_memory", .help = "Collection of the memories." },
    { ROW(dimension, INT), COUNT_FROM(1), .fallback = "384", .help = "Dimensions of the embeddings." },
    { ROW(num_partitions, INT), COUNT, .help = "Partitions of the collection; 0: the server's own number." },
};
#undef T
static const struct schema memory_milvus_schema = SCHEMA("milvus", struct config_memory_milvus, memory_milvus_fields);

static const char *const valkey_metrics[] = { "COSINE", "L2", "IP", NULL };

#define T struct config_memory_valkey
static const struct field memory_valkey_fields[] = {
    { ROW(host, STRING), .fallback = "localhost", .help = "Host of the server." },
    { ROW(port, INT), PORT, .fallback = "6379", .help = "Port of the server." },
    { ROW(database, INT), COUNT, .fallback = "0", .help = "Number of the database." },
    { ROW(password, STRING), SECRET, .help = "Password of the server." },
    { ROW(timeout, INT), SECONDS, .fallback = "10", .help = "Longest wait for the server, in seconds." },
    { ROW(collection_prefix, STRING), .fallback = "mem:", .help = "Front of every key." },
    { ROW(index_name, STRING), .fallback = "mem_idx", .help = "Name of the index." },
    { ROW(dimension, INT), COUNT_FROM(1), .fallback = "384", .help = "Dimensions of the embeddings." },
    { ROW(metric_type, ENUM), .fallback = "COSINE", .choices = valkey_metrics, .help = "Distance of two vectors." },
    { ROW(index_m, INT), COUNT_FROM(1), .fallback = "16", .help = "Links of a node of the index." },
    { ROW(index_ef_construction, INT), COUNT_FROM(1), .fallback = "256",
      .help = "Candidates looked at while building the index." },
    { ROW(tls_enabled, BOOL), .help = "Speak TLS." },
    { ROW(tls_ca_path, STRING), .help = "Authorities that the server's certificate may come from." },
    { ROW(tls_insecure_skip_verify, BOOL), .help = "Accept any certificate." },
};
#undef T
static const struct schema memory_valkey_schema = SCHEMA("valkey", struct config_memory_valkey, memory_valkey_fields);

#define T struct config_memory_qdrant
static const struct field memory_qdrant_fields[] = {
    { ROW(host, STRING), .help = "Host of the server." },
    { ROW(port, INT), PORT, .fallback = "6334", .help = "gRPC port of the server." },
    { ROW(api_key, STRING), SECRET, .help = "Key of the server." },
    { ROW(use_tls, BOOL), .help = "Speak TLS." },
    { ROW(connect_timeout, INT), SECONDS, .fallback = "10", .help = "Longest time to connect, in seconds." },
    { ROW(collection, STRING), .help = "Collection of the memories." },
    { ROW(dimension, INT), COUNT_FROM(1), .fallback = "384", .help = "Dimensions of the embeddings." },
};
#undef T
static const struct schema memory_qdrant_schema = SCHEMA("qdrant", struct config_memory_qdrant, memory_qdrant_fields);

#define T struct config_memory_redis_cache
static const struct field memory_redis_cache_fields[] = {
    { ROW(enabled, BOOL), .help = "Keep retrieved memories on a server." },
    { ROW(address, STRING), .help = "host:port of the server." },
    { ROW(password, STRING), SECRET, .help = "Password of the server." },
    { ROW(db, INT), COUNT, .fallback = "0", .help = "Number of the database." },
    { ROW(ttl_seconds, INT), SECONDS, .help = "How long they are kept; 0: the client's own time." },
    { ROW(key_prefix, STRING), .help = "Front of every key." },
};
#undef T
static const struct schema memory_redis_cache_schema =
    SCHEMA("redis_cache", struct config_memory_redis_cache, memory_redis_cache_fields);

/* By enum config_backend; an empty name is not allowed here. */
static const char *const memory_stores[] = {
    "", "memory", "sqlite", "", "", "", "valkey", "", "milvus", "qdrant", NULL
};

#define T struct config_memory
static const struct field memory_fields[] = {
    { ROW(enabled, BOOL), .help = "Remember facts about users across sessions." },
    { ROW(backend, ENUM), .fallback = "sqlite", .choices = memory_stores, .help = "Where memories are kept." },
    { ROW(auto_store, BOOL), .help = "Extract memories from every conversation." },
    { ROW(disabled_routes, STRINGS), .help = "Decisions without memory." },
    { ROW(disabled_models, STRINGS), .help = "Models without memory." },
    { ROW(embedding_model, ENUM), .choices = config_embedding_models,
      .help = "Model that compares memories; unset: that of embeddings.semantic." },
    { ROW(extraction_batch_size, INT), COUNT_FROM(1), .fallback = "10", .help = "Turns extracted from at once." },
    { ROW(default_retrieval_limit, INT), COUNT, .fallback = "5", .help = "Most memories retrieved." },
    { ROW(default_similarity_threshold, NUMBER), UNIT, .fallback = "0.70", .help = "Least similarity of a memory." },
    { ROW(hybrid_search, BOOL), .help = "Search by words as well." },
    { ROW(hybrid_mode, STRING), .help = "How the two searches are put together." },
    { ROW(adaptive_threshold, BOOL), .help = "Move the threshold with the scores found." },
    { BLOCK(quality_scoring, memory_quality_schema), .help = "How memories age." },
    { BLOCK(reflection, config_memory_reflection_schema), .help = "How memories are sifted." },
    { BLOCK(milvus, memory_milvus_schema), .help = "The server of the backend milvus." },
    { BLOCK(valkey, memory_valkey_schema), .help = "The server of the backend valkey." },
    { BLOCK(qdrant, memory_qdrant_schema), .help = "The server of the backend qdrant." },
    { BLOCK(redis_cache, memory_redis_cache_schema), .help = "A cache in front of the store." },
};
#undef T
const struct schema config_memory_schema = SCHEMA("memory", struct config_memory, memory_fields);

/* ---- vector store */

#define T struct config_vector_store_memory
static const struct field vector_store_memory_fields[] = {
    { ROW(max_entries_per_store, INT), COUNT_FROM(1), .fallback = "100000", .help = "Most entries of one store." },
};
#undef T
static const struct schema vector_store_memory_schema =
    SCHEMA("memory", struct config_vector_store_memory, vector_store_memory_fields);

static const char *const search_types[] = { "", "vector", "hybrid", NULL };

#define T struct config_vector_store_llama_stack
static const struct field llama_stack_fields[] = {
    { ROW(endpoint, STRING), .help = "URL of the server." },
    { ROW(auth_token, STRING), SECRET, .help = "Token of the server." },
    { ROW(embedding_model, STRING), .help = "Model that the server embeds with." },
    { ROW(request_timeout_seconds, INT), SECONDS, .fallback = "30", .help = "Longest wait for the server." },
    { ROW(search_type, ENUM), .choices = search_types, .help = "How the server searches." },
};
#undef T
static const struct schema llama_stack_schema =
    SCHEMA("llama_stack", struct config_vector_store_llama_stack, llama_stack_fields);

#define T struct config_vector_store_valkey
static const struct field vector_store_valkey_fields[] = {
    { ROW(host, STRING), .help = "Host of the server." },
    { ROW(port, INT), PORT, .fallback = "6379", .help = "Port of the server." },
    { ROW(database, INT), COUNT, .fallback = "0", .help = "Number of the database." },
    { ROW(password, STRING), SECRET, .help = "Password of the server." },
    { ROW(connect_timeout, INT), SECONDS, .fallback = "10", .help = "Longest time to connect, in seconds." },
    { ROW(collection_prefix, STRING), .fallback = "vsr_vs_", .help = "Front of every key." },
    { ROW(metric_type, STRING), .fallback = "COSINE", .help = "Distance of two vectors." },
    { ROW(index_m, INT), COUNT_FROM(1), .fallback = "16", .help = "Links of a node of the index." },
    { ROW(index_ef_construction, INT), COUNT_FROM(1), .fallback = "200",
      .help = "Candidates looked at while building the index." },
};
#undef T
static const struct schema vector_store_valkey_schema =
    SCHEMA("valkey", struct config_vector_store_valkey, vector_store_valkey_fields);

#define T struct config_vector_store_qdrant
static const struct field vector_store_qdrant_fields[] = {
    { ROW(host, STRING), .help = "Host of the server." },
    { ROW(port, INT), PORT, .fallback = "6334", .help = "gRPC port of the server." },
    { ROW(api_key, STRING), SECRET, .help = "Key of the server." },
    { ROW(use_tls, BOOL), .help = "Speak TLS." },
    { ROW(connect_timeout, INT), SECONDS, .fallback = "10", .help = "Longest time to connect, in seconds." },
    { ROW(collection_prefix, STRING), .fallback = "vsr_vs_", .help = "Front of every collection's name." },
};
#undef T
static const struct schema vector_store_qdrant_schema =
    SCHEMA("qdrant", struct config_vector_store_qdrant, vector_store_qdrant_fields);

static void require_block(const void *object, const char *field, const void *block, vsr_str value, const char *part,
                          struct arena *arena, struct diag *diag) {
    if (!block)
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_vector_store_schema, object, field, arena), VSR_STR(""),
                   "the choice needs the block %s", part);
    else if (str_trim(value).len == 0)
        diag_error(diag, "E_REQUIRED", schema_at(block), VSR_STR(""), "must say where the server is (%s)",
                   ((const struct config_vector_store *)object)->backend_type == BACKEND_LLAMA_STACK ? "endpoint"
                                                                                                     : "host");
}

static void check_vector_store(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_vector_store *store = object;
    if (!store->enabled)
        return;
    switch (store->backend_type) {
    case BACKEND_UNSET:
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_vector_store_schema, object, "backend_type", arena),
                   VSR_STR("one of memory, milvus, llama_stack, valkey and qdrant"),
                   "a vector store that is enabled needs a backend_type");
        break;
    case BACKEND_VALKEY:
        require_block(object, "backend_type", store->valkey, store->valkey ? store->valkey->host : VSR_STR(""),
                      "valkey", arena, diag);
        break;
    case BACKEND_QDRANT:
        require_block(object, "backend_type", store->qdrant, store->qdrant ? store->qdrant->host : VSR_STR(""),
                      "qdrant", arena, diag);
        break;
    case BACKEND_LLAMA_STACK:
        require_block(object, "backend_type", store->llama_stack,
                      store->llama_stack ? store->llama_stack->endpoint : VSR_STR(""), "llama_stack", arena, diag);
        break;
    case BACKEND_MILVUS:
        require_block(object, "backend_type", store->milvus, VSR_STR("any"), "milvus", arena, diag);
        break;
    default:
        break;
    }
    if (store->metadata_store == BACKEND_POSTGRES)
        require_block(object, "metadata_store", store->metadata_postgres, VSR_STR("any"), "metadata_postgres", arena,
                      diag);
}

/* By enum config_backend; an empty name is not allowed here. */
static const char *const vector_stores[] = { "",       "memory",      "",  "", "", "", "valkey", "", "milvus",
                                             "qdrant", "llama_stack", NULL };
static const char *const metadata_stores[] = { "", "memory", "sqlite", "", "", "", "", "postgres", NULL };

#define T struct config_vector_store
static const struct field vector_store_fields[] = {
    { ROW(enabled, BOOL), .help = "Store files and search them." },
    { ROW(backend_type, ENUM), .choices = vector_stores, .help = "Where embeddings are kept." },
    { ROW(file_storage_dir, STRING), .fallback = "/var/lib/vsr/data", .help = "Folder of uploaded files." },
    { ROW(max_file_size_mb, INT), COUNT_FROM(1), .fallback = "50", .help = "Largest file, in MiB." },
    { ROW(embedding_model, STRING), NONBLANK, .fallback = "bert", .help = "Model that embeds pieces of files." },
    { ROW(embedding_dimension, INT), COUNT_FROM(1), .help = "Dimensions of the embeddings; unset: the model's." },
    { ROW(ingestion_workers, INT), COUNT_FROM(1), .fallback = "2", .help = "Files embedded at once." },
    { ROW(ingestion_drain_timeout_seconds, INT), SECONDS, .fallback = "30",
      .help = "Longest wait for files under way when stopping." },
    { ROW(supported_formats, STRINGS), .fallback = "[.txt, .md, .json, .csv, .html]",
      .help = "Endings of files that are accepted." },
    { BLOCK(memory, vector_store_memory_schema), .help = "Limits of the backend memory." },
    { ROW(llama_stack, OPTIONAL), .object = &llama_stack_schema, .help = "The server of the backend llama_stack." },
    { ROW(valkey, OPTIONAL), .object = &vector_store_valkey_schema, .help = "The server of the backend valkey." },
    { ROW(qdrant, OPTIONAL), .object = &vector_store_qdrant_schema, .help = "The server of the backend qdrant." },
    { ROW(milvus, OPTIONAL), .object = &milvus_schema, .help = "The server of the backend milvus." },
    { ROW(metadata_store, ENUM), .fallback = "sqlite", .choices = metadata_stores,
      .help = "Where the list of files is kept." },
    { ROW(metadata_postgres, OPTIONAL), .object = &config_postgres_schema,
      .help = "The server of the metadata store postgres." },
};
#undef T
const struct schema config_vector_store_schema =
    SCHEMA("vector_store", struct config_vector_store, vector_store_fields, .check = check_vector_store);

/* ---- stores */

#define T struct config_stores
static const struct field stores_fields[] = {
    { BLOCK(response_cache, config_response_cache_schema), .help = "Answers that may be given again." },
    { "semantic_cache", FIELD_OBJECT, offsetof(T, response_cache), .flags = FIELD_OLD,
      .object = &config_response_cache_schema, .help = "Now response_cache." },
    { BLOCK(memory, config_memory_schema), .help = "What is remembered of users." },
    { ROW(vector_store, OPTIONAL), .object = &config_vector_store_schema, .help = "Files that prompts may draw on." },
};
#undef T
const struct schema config_stores_schema = SCHEMA("stores", struct config_stores, stores_fields);
