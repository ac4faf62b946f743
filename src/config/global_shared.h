/*
 * global_shared - pieces of `global` that several of its blocks have: connections to stores, tool servers, kinds of
 * embedding models. See global.h.
 */
#ifndef VSR_CONFIG_GLOBAL_SHARED_H
#define VSR_CONFIG_GLOBAL_SHARED_H

#include "config/schema.h"

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

enum config_mcp_transport { MCP_UNSET, MCP_STDIO, MCP_HTTP };

/* A tool server (Model Context Protocol), and which of its tools. Its keys stand among those of the block it is in. */
struct config_tool_server {
    int transport_type; /* enum config_mcp_transport */
    vsr_str command, url, tool_name;
    struct config_strings args;
    struct config_pairs env;
    int64_t timeout_seconds;
};

/* A kind of embedding model; UNSET: the one of embeddings.semantic. */
enum config_embedding_model {
    EMBEDDING_UNSET,
    EMBEDDING_BERT,
    EMBEDDING_QWEN3,
    EMBEDDING_GEMMA,
    EMBEDDING_MMBERT,
    EMBEDDING_MULTIMODAL,
    EMBEDDING_REMOTE,
    EMBEDDING_BUILTIN,
};

#endif
