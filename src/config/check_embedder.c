/* Who embeds, and how, as far as its tables cannot see it (config.md §9.5). */
#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"
#include "core/url.h"
#include "nn/embedder_sizes.h"

/* Of `backend`, as written; those before are names of vsr itself. */
enum { NAME_OPENAI_COMPATIBLE = 4, NAME_MCP };

static struct diag_at embedding_at(struct check *c, const struct config_embedding_config *embedding,
                                   const char *field) {
    return schema_field_at(&config_embedding_config_schema, embedding, field, c->arena);
}

static bool wrote(const struct config_embedding_config *embedding, const char *field) {
    return schema_present(&config_embedding_config_schema, embedding, field);
}

/* What the server is asked for is what is kept, unless the document says otherwise. */
static void settle_dimensions(struct check *c, struct config_embedding_config *embedding,
                              const struct config_embedding_endpoint *endpoint) {
    if (endpoint->dimensions == 0)
        return;
    if (!wrote(embedding, "target_dimension"))
        embedding->target_dimension = endpoint->dimensions;
    else if (embedding->target_dimension > 0 && embedding->target_dimension != endpoint->dimensions)
        diag_error(c->diag, "E_CONFLICT",
                   schema_field_at(&config_embedding_endpoint_schema, endpoint, "dimensions", c->arena), VSR_STR(""),
                   "dimensions is %lld, but embedding_config.target_dimension is %lld; they must be equal",
                   (long long)endpoint->dimensions, (long long)embedding->target_dimension);
}

static void check_remote_endpoint(struct check *c, struct config_semantic *semantic) {
    struct config_embedding_config *embedding = &semantic->embedding_config;
    const struct config_embedding_endpoint *endpoint = &semantic->endpoint;
    struct diag_at asked =
        embedding_at(c, embedding, embedding->backend_name == NAME_OPENAI_COMPATIBLE ? "backend" : "model_type");
    struct diag_at base_url =
        check_placed(schema_field_at(&config_embedding_endpoint_schema, endpoint, "base_url", c->arena), asked);
    struct diag_at model =
        check_placed(schema_field_at(&config_embedding_endpoint_schema, endpoint, "model", c->arena), asked);
    if (check_is_missing(endpoint, "base_url", endpoint->base_url))
        diag_error(c->diag, "E_REQUIRED", base_url, VSR_STR(""), "missing, needed for embeddings of a server");
    else if (!check_is_open(endpoint, "base_url") && !check_is_http_url(c, endpoint->base_url))
        diag_error(c->diag, "E_TYPE", base_url, VSR_STR(""),
                   "expected an absolute URL such as https://host/v1, found \"%.*s\"",
                   VSR_FMT(url_shown(c->scratch, endpoint->base_url)));
    if (check_is_missing(endpoint, "model", endpoint->model))
        diag_error(c->diag, "E_REQUIRED", model, VSR_STR(""), "missing, needed for embeddings of a server");
    settle_dimensions(c, embedding, endpoint);
}

/* Nobody tells a tool how long its vectors are to be, so the default, which is one model's, expects nothing. */
static void check_remote_tool(struct check *c, struct config_semantic *semantic) {
    struct config_embedding_config *embedding = &semantic->embedding_config;
    check_tool_server(c, &config_mcp_embedder_schema, &semantic->mcp, &semantic->mcp.server,
                      embedding_at(c, embedding, "backend"));
    if (!wrote(embedding, "target_dimension"))
        embedding->target_dimension = 0;
}

/* The kind of the path that is set, in the order in which stores choose too; a document without one is served all the
 * same. */
static enum config_embedding_model kind_by_path(const struct config_semantic *semantic) {
    const struct {
        vsr_str path;
        enum config_embedding_model kind;
    } paths[] = {
        { semantic->mmbert_model_path, EMBEDDING_MMBERT }, { semantic->multimodal_model_path, EMBEDDING_MULTIMODAL },
        { semantic->qwen3_model_path, EMBEDDING_QWEN3 },   { semantic->gemma_model_path, EMBEDDING_GEMMA },
        { semantic->bert_model_path, EMBEDDING_BERT },
    };
    for (size_t i = 0; i < VSR_COUNT(paths); i++)
        if (str_trim(paths[i].path).len > 0)
            return paths[i].kind;
    return EMBEDDING_BUILTIN;
}

/* `backend` and `model_type` both say who embeds; a default gives way to what is written. */
static void settle_backend(struct check *c, const struct config_semantic *semantic,
                           struct config_embedding_config *embedding) {
    bool tool = embedding->backend_name == NAME_MCP, server = tool || embedding->backend_name == NAME_OPENAI_COMPATIBLE;
    bool remote = embedding->model_type == EMBEDDING_REMOTE;
    if (embedding->model_type == EMBEDDING_UNSET)
        embedding->model_type = server ? EMBEDDING_REMOTE : (int)kind_by_path(semantic);
    else if (server && !remote && wrote(embedding, "model_type"))
        diag_error(c->diag, "E_CONFLICT", embedding_at(c, embedding, "model_type"), VSR_STR(""),
                   "with the backend %s the model_type must be remote", tool ? "mcp" : "openai_compatible");
    else if (!server && remote && wrote(embedding, "backend"))
        diag_error(c->diag, "E_CONFLICT", embedding_at(c, embedding, "backend"), VSR_STR(""),
                   "with the model_type remote the backend must be openai_compatible or mcp");
    if (server)
        embedding->model_type = EMBEDDING_REMOTE;
    embedding->backend = tool               ? EMBEDDING_BACKEND_MCP
                         : server || remote ? EMBEDDING_BACKEND_OPENAI_COMPATIBLE
                                            : EMBEDDING_BACKEND_NATIVE;
}

/* Names of published sentence transformers, as they stand in paths. */
static bool is_sentence_transformer(vsr_str path, struct arena *arena) {
    static const char *const marks[] = {
        "sentence-transformers", "sentence_transformers", "minilm", "mpnet", "paraphrase-", "multi-qa-",
        "all-distilroberta"
    };
    vsr_str lower = arena_str_lower(arena, path);
    if (str_find(lower, VSR_STR("mmbert")) >= 0)
        return false;
    for (size_t i = 0; i < VSR_COUNT(marks); i++)
        if (str_find(lower, str_from_c(marks[i])) >= 0)
            return true;
    return false;
}

/* Of published models; one of the kind mmbert is asked when it is loaded. */
static const struct {
    int model; /* enum config_embedding_model */
    const char *name;
    int most;                       /* of a whole vector; 0: it depends on the model */
    int least;                      /* it can be cut to */
    int listed[EMBEDDER_SIZES_MAX]; /* to these only; 0: to any */
} vector_sizes[] = {
    { EMBEDDING_QWEN3, "qwen3", 0, QWEN3_DIMS_LEAST, { 0 } },
    { EMBEDDING_GEMMA, "gemma", GEMMA_DIMS, 1, GEMMA_SIZES },
    { EMBEDDING_MULTIMODAL, "multimodal", MULTIMODAL_DIMS, 1, MULTIMODAL_SIZES },
};

static bool is_listed_size(size_t kind, int64_t size) {
    for (size_t i = 0; i < VSR_COUNT(vector_sizes[kind].listed); i++)
        if (size == vector_sizes[kind].listed[i])
            return true;
    return vector_sizes[kind].listed[0] == 0;
}

static void check_vector_size(struct check *c, const struct config_embedding_config *embedding, size_t kind) {
    struct diag_at at = embedding_at(c, embedding, "target_dimension");
    long long asked = embedding->target_dimension;
    vsr_str sizes = { 0 };
    if (asked == 0)
        return;
    if (vector_sizes[kind].most > 0 && asked > vector_sizes[kind].most) {
        diag_warn(c->diag, "W_RANGE", at, VSR_STR(""),
                  "vectors of a %s model have %d dimensions, which is all there are", vector_sizes[kind].name,
                  vector_sizes[kind].most);
    } else if (asked < vector_sizes[kind].least) {
        diag_error(c->diag, "E_RANGE", at, VSR_STR(""),
                   "vectors of a %s model are cut to %d dimensions and more, not to %lld", vector_sizes[kind].name,
                   vector_sizes[kind].least, asked);
    } else if (!is_listed_size(kind, asked)) {
        for (size_t i = 0; i < VSR_COUNT(vector_sizes[kind].listed) && vector_sizes[kind].listed[i] > 0; i++)
            sizes = arena_printf(c->scratch, "%.*s%s%d", VSR_FMT(sizes), i ? ", " : "", vector_sizes[kind].listed[i]);
        diag_error(c->diag, "E_RANGE", at, VSR_STR(""), "vectors of a %s model have one of %.*s dimensions, not %lld",
                   vector_sizes[kind].name, VSR_FMT(sizes), asked);
    }
}

static void check_target_dimension(struct check *c, const struct config_semantic *semantic) {
    const struct config_embedding_config *embedding = &semantic->embedding_config;
    if (!wrote(embedding, "target_dimension"))
        return; /* models have what they have */
    for (size_t i = 0; i < VSR_COUNT(vector_sizes); i++)
        if (vector_sizes[i].model == embedding->model_type)
            check_vector_size(c, embedding, i);
}

/* Who is not left early has no target_layer; one of the kind mmbert is asked when it is loaded. */
static void check_target_layer(struct check *c, const struct config_semantic *semantic) {
    const struct config_embedding_config *embedding = &semantic->embedding_config;
    struct diag_at at = embedding_at(c, embedding, "target_layer");
    if (!wrote(embedding, "target_layer") || embedding->target_layer == 0 || embedding->model_type == EMBEDDING_MMBERT)
        return;
    if (embedding->model_type == EMBEDDING_MULTIMODAL && embedding->target_layer > MULTIMODAL_LAYERS)
        diag_error(c->diag, "E_RANGE", at, VSR_STR(""), "the text part of the model has %d layers, not %lld",
                   MULTIMODAL_LAYERS, (long long)embedding->target_layer);
    else if (embedding->model_type != EMBEDDING_MULTIMODAL)
        diag_warn(c->diag, "W_UNUSED", at, VSR_STR("only mmbert and multimodal models end early"),
                  "all layers of a %s model run", config_embedding_models[embedding->model_type]);
}

static void check_cut(struct check *c, const struct config_semantic *semantic) {
    if (semantic->embedding_config.backend != EMBEDDING_BACKEND_NATIVE)
        return;
    check_target_dimension(c, semantic);
    check_target_layer(c, semantic);
}

void check_embedder(struct check *c, struct config_semantic *semantic) {
    struct config_embedding_config *embedding = &semantic->embedding_config;
    settle_backend(c, semantic, embedding);
    if (embedding->top_k < 0)
        embedding->top_k = 1;
    if (is_sentence_transformer(semantic->mmbert_model_path, c->scratch))
        diag_error(c->diag, "E_TYPE", schema_field_at(&config_semantic_schema, semantic, "mmbert_model_path", c->arena),
                   VSR_STR("write it as bert_model_path, with embedding_config.model_type: bert"),
                   "\"%.*s\" is a sentence transformer, not an mmbert model", VSR_FMT(semantic->mmbert_model_path));
    if (embedding->backend == EMBEDDING_BACKEND_OPENAI_COMPATIBLE)
        check_remote_endpoint(c, semantic);
    else if (embedding->backend == EMBEDDING_BACKEND_MCP)
        check_remote_tool(c, semantic);
    else
        check_cut(c, semantic);
}
