/* rag - documents that fit the request are put before the model (plugins.md). */
#include <math.h>

#include "plugin/plugin.h"

struct rag_milvus {
    struct config_at at;
    vsr_str collection, content_field, metadata_field, filter_expression;
    bool reuse_cache_connection;
};

struct rag_qdrant {
    struct config_at at;
    vsr_str collection, content_field;
    bool reuse_cache_connection;
};

struct rag_external_api {
    struct config_at at;
    vsr_str endpoint, request_format, api_key, auth_header, request_template;
    double timeout_seconds;
    struct config_pairs headers;
};

struct rag_mcp {
    struct config_at at;
    vsr_str server_name, tool_name;
    struct config_pairs tool_arguments;
    double timeout_seconds;
};

struct rag_openai {
    struct config_at at;
    vsr_str vector_store_id, api_key, base_url, workflow_mode;
    int64_t max_num_results;
    struct config_strings file_ids;
    struct config_pairs filter;
    double timeout_seconds;
};

struct rag_vectorstore {
    struct config_at at;
    vsr_str vector_store_id;
    struct config_strings file_ids;
};

struct rag_hybrid {
    struct config_at at;
    vsr_str primary, fallback, strategy;
    void *primary_config, *fallback_config;
};

struct rag_config {
    struct config_at at;
    bool enabled, cache_results;
    vsr_str backend;
    void *backend_config;
    double similarity_threshold, min_confidence_threshold;
    int64_t top_k, max_context_length, cache_ttl_seconds;
    int injection_mode, on_failure;
};

/* ---- backends */

#define TIMEOUT(type) \
    { \
        "timeout_seconds", FIELD_NUMBER, offsetof(type, timeout_seconds), \
            .flags = FIELD_RANGE, .least = 0, .greatest = INFINITY, .help = "Longest wait; 0: the backend's own." \
    }
#define NEEDED (FIELD_REQUIRED | FIELD_NONBLANK)

static const struct field milvus_fields[] = {
    { "collection", FIELD_STRING, offsetof(struct rag_milvus, collection), .flags = NEEDED,
      .help = "What is searched." },
    { "reuse_cache_connection", FIELD_BOOL, offsetof(struct rag_milvus, reuse_cache_connection),
      .help = "Whether the response cache's connection is used." },
    { "content_field", FIELD_STRING, offsetof(struct rag_milvus, content_field), .help = "Field that holds the text." },
    { "metadata_field", FIELD_STRING, offsetof(struct rag_milvus, metadata_field), .help = "Field that holds notes." },
    { "filter_expression", FIELD_STRING, offsetof(struct rag_milvus, filter_expression), .flags = FIELD_VERBATIM,
      .help = "Restricts the search." },
};
static const struct schema milvus_schema = SCHEMA("milvus backend", struct rag_milvus, milvus_fields);

static const struct field qdrant_fields[] = {
    { "collection", FIELD_STRING, offsetof(struct rag_qdrant, collection), .flags = NEEDED,
      .help = "What is searched." },
    { "reuse_cache_connection", FIELD_BOOL, offsetof(struct rag_qdrant, reuse_cache_connection),
      .help = "Whether the response cache's connection is used." },
    { "content_field", FIELD_STRING, offsetof(struct rag_qdrant, content_field), .help = "Field that holds the text." },
};
static const struct schema qdrant_schema = SCHEMA("qdrant backend", struct rag_qdrant, qdrant_fields);

static const struct field api_fields[] = {
    { "endpoint", FIELD_STRING, offsetof(struct rag_external_api, endpoint), .flags = NEEDED,
      .help = "URL that is asked." },
    { "request_format", FIELD_STRING, offsetof(struct rag_external_api, request_format), .flags = NEEDED,
      .help = "Shape of the question, such as pinecone, weaviate, elasticsearch or custom." },
    { "api_key", FIELD_STRING, offsetof(struct rag_external_api, api_key), .flags = FIELD_SECRET, .help = "Its key." },
    { "auth_header", FIELD_STRING, offsetof(struct rag_external_api, auth_header),
      .help = "Header that carries the key." },
    { "request_template", FIELD_STRING, offsetof(struct rag_external_api, request_template), .flags = FIELD_VERBATIM,
      .help = "Body of the question, with placeholders that are filled in for each request." },
    TIMEOUT(struct rag_external_api),
    { "headers", FIELD_PAIRS, offsetof(struct rag_external_api, headers), .flags = FIELD_SECRET,
      .help = "Further headers." },
};
static const struct schema api_schema = SCHEMA("external_api backend", struct rag_external_api, api_fields);

static const struct field mcp_fields[] = {
    { "server_name", FIELD_STRING, offsetof(struct rag_mcp, server_name), .flags = NEEDED, .help = "MCP server." },
    { "tool_name", FIELD_STRING, offsetof(struct rag_mcp, tool_name), .flags = NEEDED, .help = "Its tool." },
    { "tool_arguments", FIELD_PAIRS, offsetof(struct rag_mcp, tool_arguments), .flags = FIELD_ANY | FIELD_VERBATIM,
      .help = "Arguments, with placeholders that are filled in for each request." },
    TIMEOUT(struct rag_mcp),
};
static const struct schema mcp_schema = SCHEMA("mcp backend", struct rag_mcp, mcp_fields);

static const struct field openai_fields[] = {
    { "vector_store_id", FIELD_STRING, offsetof(struct rag_openai, vector_store_id), .flags = NEEDED,
      .help = "What is searched." },
    { "api_key", FIELD_STRING, offsetof(struct rag_openai, api_key), .flags = NEEDED | FIELD_SECRET,
      .help = "Its key." },
    { "base_url", FIELD_STRING, offsetof(struct rag_openai, base_url), .help = "Root of the API." },
    { "max_num_results", FIELD_INT, offsetof(struct rag_openai, max_num_results), .flags = FIELD_RANGE, .least = 1,
      .greatest = 1000, .help = "Most results." },
    { "file_ids", FIELD_STRINGS, offsetof(struct rag_openai, file_ids), .help = "Only these files." },
    { "filter", FIELD_PAIRS, offsetof(struct rag_openai, filter), .flags = FIELD_ANY, .help = "Restricts the search." },
    TIMEOUT(struct rag_openai),
    { "workflow_mode", FIELD_STRING, offsetof(struct rag_openai, workflow_mode),
      .help = "Whether vsr searches, or the model is given the search tool." },
};
static const struct schema openai_schema = SCHEMA("openai backend", struct rag_openai, openai_fields);

static const struct field store_fields[] = {
    { "vector_store_id", FIELD_STRING, offsetof(struct rag_vectorstore, vector_store_id), .flags = NEEDED,
      .help = "Vector store of this router." },
    { "file_ids", FIELD_STRINGS, offsetof(struct rag_vectorstore, file_ids), .help = "Only these files." },
};
static const struct schema store_schema = SCHEMA("vectorstore backend", struct rag_vectorstore, store_fields);

/* What a hybrid is made of; no hybrid of hybrids. */
static const struct field_variant single_backends[] = {
    { "milvus", &milvus_schema }, { "qdrant", &qdrant_schema }, { "external_api", &api_schema },
    { "mcp", &mcp_schema },       { "openai", &openai_schema }, { "vectorstore", &store_schema },
};

static const struct field hybrid_fields[] = {
    { "primary", FIELD_STRING, offsetof(struct rag_hybrid, primary), .flags = NEEDED,
      .help = "Backend that is asked first." },
    { "fallback", FIELD_STRING, offsetof(struct rag_hybrid, fallback), .help = "Backend that is asked next." },
    { "strategy", FIELD_STRING, offsetof(struct rag_hybrid, strategy), .help = "When the second one is asked." },
    { "primary_config", FIELD_VARIANT, offsetof(struct rag_hybrid, primary_config), .selector = "primary",
      .variants = single_backends, .n_variants = VSR_COUNT(single_backends), .help = "Settings of the first." },
    { "fallback_config", FIELD_VARIANT, offsetof(struct rag_hybrid, fallback_config), .selector = "fallback",
      .variants = single_backends, .n_variants = VSR_COUNT(single_backends), .help = "Settings of the second." },
};
static const struct schema hybrid_schema = SCHEMA("hybrid backend", struct rag_hybrid, hybrid_fields);

static const struct field_variant backends[] = {
    { "milvus", &milvus_schema }, { "qdrant", &qdrant_schema }, { "external_api", &api_schema },
    { "mcp", &mcp_schema },       { "openai", &openai_schema }, { "vectorstore", &store_schema },
    { "hybrid", &hybrid_schema },
};

/* ---- the plugin */

static const char *const injection_modes[] = { "tool_role", "system_prompt", NULL };
static const char *const failures[] = { "skip", "warn", "block", NULL };

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct rag_config, enabled), .fallback = "true",
      .help = "Whether documents are looked for." },
    { "backend", FIELD_STRING, offsetof(struct rag_config, backend), .flags = NEEDED,
      .help = "Where: milvus, qdrant, external_api, mcp, openai, vectorstore or hybrid." },
    { "similarity_threshold", FIELD_NUMBER, offsetof(struct rag_config, similarity_threshold), .flags = FIELD_RANGE,
      .least = 0, .greatest = 1, .help = "Least likeness of request and document." },
    { "top_k", FIELD_INT, offsetof(struct rag_config, top_k), .flags = FIELD_RANGE, .least = 1, .greatest = 1000,
      .help = "Most documents." },
    { "max_context_length", FIELD_INT, offsetof(struct rag_config, max_context_length), .flags = FIELD_RANGE,
      .least = 1, .greatest = INFINITY, .help = "Most characters of them." },
    { "injection_mode", FIELD_ENUM, offsetof(struct rag_config, injection_mode), .fallback = "tool_role",
      .choices = injection_modes, .help = "Whether they come as a tool's result or in the system prompt." },
    { "on_failure", FIELD_ENUM, offsetof(struct rag_config, on_failure), .fallback = "skip", .choices = failures,
      .help = "Whether a failure is passed over, told, or refuses the request." },
    { "cache_results", FIELD_BOOL, offsetof(struct rag_config, cache_results),
      .help = "Whether results are kept for the same question." },
    { "cache_ttl_seconds", FIELD_INT, offsetof(struct rag_config, cache_ttl_seconds), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .help = "For how long." },
    { "min_confidence_threshold", FIELD_NUMBER, offsetof(struct rag_config, min_confidence_threshold),
      .flags = FIELD_RANGE, .least = 0, .greatest = 1, .help = "Documents below it are left out." },
    { "backend_config", FIELD_VARIANT, offsetof(struct rag_config, backend_config), .selector = "backend",
      .variants = backends, .n_variants = VSR_COUNT(backends), .help = "Settings of the backend." },
};
static const struct schema schema = SCHEMA("rag", struct rag_config, fields);

static bool is_enabled(const void *block) {
    const struct rag_config *config = block;
    return config && config->enabled;
}

const struct config_kind plugin_rag = {
    .type = "rag", .schema = &schema, .block_required = true, .enabled = is_enabled
};
