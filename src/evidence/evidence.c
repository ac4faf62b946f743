#include "evidence/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "config/document.h"
#include "core/arena.h"
#include "core/mem.h"
#include "evidence/evidence_state.h"
#include "evidence/filler.h"
#include "evidence/vector_cache.h"
#include "model/builtin.h"
#include "route/route.h"

static const char *lookup(const struct evidence *evidence, const char *name) {
    const struct evidence_options *options = &evidence->options;
    const char *value = options->env ? options->env(options->env_data, name) : getenv(name);
    return value && value[0] ? value : NULL;
}

struct evidence *evidence_new(const struct evidence_options *options) {
    struct evidence *evidence = MEM_NEW(struct evidence);
    evidence->options = *options;
    evidence_metrics_init(&evidence->metrics, options->metrics);
    (void)pthread_mutex_init(&evidence->lock, NULL); /* default attributes cannot fail */
    return evidence;
}

void evidence_free(struct evidence *evidence) {
    if (!evidence)
        return;
    filler_free(evidence->filler);
    vector_cache_free(evidence->vectors);
    (void)pthread_mutex_destroy(&evidence->lock);
    mem_free(evidence);
}

/* ---- vectors */

/* $VSR_STATE_DIR, else .vsr beside the configuration, as with the other files that vsr writes; a text without a file
 * has no place. */
static struct vector_cache *open_vectors(const struct evidence *evidence, const struct config_document *doc) {
    struct arena *arena = arena_new(0, 0);
    const char *state = lookup(evidence, "VSR_STATE_DIR");
    struct vector_cache *cache;
    vsr_str directory = { 0 };
    if (state)
        directory = arena_printf(arena, "%s/vectors", state);
    else if (doc->base_dir.len > 0)
        directory = arena_printf(arena, "%.*s/.vsr/vectors", VSR_FMT(doc->base_dir));
    cache = vector_cache_new(directory, evidence->options.vectors_len_max);
    arena_free(arena);
    return cache;
}

struct vector_cache *evidence_vectors(struct evidence *evidence, const struct config_document *doc) {
    struct vector_cache *cache;
    (void)pthread_mutex_lock(&evidence->lock);
    if (!evidence->vectors)
        evidence->vectors = open_vectors(evidence, doc);
    cache = evidence->vectors;
    (void)pthread_mutex_unlock(&evidence->lock);
    return cache;
}

/* ---- bindings */

static bool is_safety(const char *type) {
    return strcmp(type, "jailbreak-detection") == 0 || strcmp(type, "pii-detection") == 0;
}

static void bind_builtin(struct bound_source *bound, struct arena *arena) {
    struct vsr_err err = VSR_ERR_NONE;
    bound->place = PLACE_BUILTIN;
    if (builtin_open(bound->source->model.path, &bound->builtin, &err) < 0)
        bound->missing = arena_c_str(arena, str_from_c(err.text));
}

static struct bound_source bind(const struct signal_source *source, struct arena *arena) {
    struct bound_source bound = { .source = source, .place = PLACE_HTTP, .priority = PRIORITY_ROUTING };
    if (source->kind == SOURCE_MCP_CLASSIFY || source->kind == SOURCE_MCP_EMBEDDINGS)
        bound.place = PLACE_MCP;
    if (source->kind != SOURCE_MODEL)
        return bound;
    bound.place = PLACE_MODEL;
    if (builtin_is(source->model.path))
        bind_builtin(&bound, arena);
    if (is_safety(source->model.type))
        bound.priority = PRIORITY_SAFETY;
    return bound;
}

struct evidence_binding *evidence_bind(struct evidence *evidence, struct arena *arena,
                                       const struct config_document *doc, const struct route *route) {
    const struct config_embedding_config *embedding = &doc->global.model_catalog.embeddings.semantic.embedding_config;
    struct evidence_binding *binding = ARENA_NEW(arena, struct evidence_binding);
    const struct signal_source *sources = route_sources(route, &binding->n_sources);
    struct bound_source *bound = ARENA_ARRAY(arena, struct bound_source, binding->n_sources);
    for (size_t i = 0; i < binding->n_sources; i++)
        bound[i] = bind(&sources[i], arena);
    binding->evidence = evidence;
    binding->doc = doc;
    binding->route = route;
    binding->sources = bound;
    binding->no_exit_norm = embedding->exit_norm == EXIT_NORM_NONE;
    return binding;
}

void evidence_set_tools(struct evidence *evidence, struct mcp_hub *hub) {
    evidence->tools = hub;
}

bool evidence_binding_has_tools(const struct evidence_binding *binding) {
    for (size_t i = 0; i < binding->n_sources; i++)
        if (binding->sources[i].place == PLACE_MCP)
            return true;
    return false;
}

bool evidence_binding_is_empty(const struct evidence_binding *binding) {
    return binding->n_sources == 0;
}
