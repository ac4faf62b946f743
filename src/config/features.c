/*
 * One function for each feature, saying where the document asks for it; the table at the end names them all. To add
 * one: a function, a line. To take one away when it is built: the reverse.
 */
#include "config/features.h"

#include "config/document.h"
#include "config/document_tables.h"
#include "core/arena.h"

struct search {
    const struct config_document *doc;
    const struct config_global *global;
    struct arena *arena;
    const struct feature *feature;
    void (*fn)(void *data, struct diag_at at, const char *feature, bool unsafe);
    void *data;
};

/* A feature that is missing, and where a document wants it. */
struct feature {
    const char *what;
    bool unsafe;
    void (*find)(const struct search *s);
};

static void wanted(const struct search *s, struct diag_at at) {
    s->fn(s->data, at, s->feature->what, s->feature->unsafe);
}

static void wanted_field(const struct search *s, const struct schema *schema, const void *object, const char *field) {
    wanted(s, schema_field_at(schema, object, field, s->arena));
}

static bool wrote(const struct schema *schema, const void *object, const char *field) {
    return schema_present(schema, object, field);
}

/* A block that was written, by one of its fields or as `{}`. */
static bool is_written(const void *object) {
    return ((const struct config_at *)object)->node != NULL;
}

/* ---- router */

static void find_kubernetes(const struct search *s) {
    if (s->global->router.config_source == SOURCE_KUBERNETES)
        wanted_field(s, &config_router_schema, &s->global->router, "config_source");
}

static void find_learning(const struct search *s) {
    const struct config_learning *learning = &s->global->router.learning;
    if (learning->enabled && (learning->adaptation.enabled || learning->protection.enabled))
        wanted_field(s, &config_router_schema, &s->global->router, "learning");
}

static void find_trained_selectors(const struct search *s) {
    const struct config_ml *ml = &s->global->router.model_selection.ml;
    if (s->global->router.model_selection.enabled && (ml->knn.pretrained_path.len || ml->kmeans.pretrained_path.len ||
                                                      ml->svm.pretrained_path.len || ml->mlp.pretrained_path.len))
        wanted(s, schema_at(ml));
}

/* ---- services */

static bool stores_in_redis(const struct config_response_api *api) {
    return api->enabled && api->store_backend == BACKEND_REDIS;
}

static void find_redis_cluster(const struct search *s) {
    const struct config_response_api *api = &s->global->services.response_api;
    if (stores_in_redis(api) && (api->redis.cluster_mode || api->redis.cluster_addresses.n))
        wanted(s, schema_at(&api->redis));
}

static void find_redis_file(const struct search *s) {
    const struct config_response_api *api = &s->global->services.response_api;
    if (stores_in_redis(api) && api->redis.config_path.len)
        wanted(s, schema_at(&api->redis));
}

static void find_batches(const struct search *s) {
    if (is_written(&s->global->services.api))
        wanted_field(s, &config_services_schema, &s->global->services, "api");
}

static void find_metrics_off(const struct search *s) {
    const struct config_metrics *metrics = &s->global->services.observability.metrics;
    if (!metrics->enabled)
        wanted(s, schema_at(metrics));
}

static void find_windowed_metrics(const struct search *s) {
    const struct config_windowed_metrics *windowed = &s->global->services.observability.metrics.windowed_metrics;
    if (windowed->enabled)
        wanted(s, schema_at(windowed));
}

static void find_tracing(const struct search *s) {
    const struct config_tracing *tracing = &s->global->services.observability.tracing;
    if (tracing->enabled)
        wanted(s, schema_at(tracing));
}

static void find_limit_service(const struct search *s) {
    CONFIG_EACH(const struct config_ratelimit_provider, provider, &s->global->services.ratelimit.providers)
    if (provider->type == RATELIMIT_ENVOY)
        wanted(s, schema_at(provider));
}

static void find_replay(const struct search *s) {
    const struct config_router_replay *replay = &s->global->services.router_replay;
    if (replay->enabled)
        wanted_field(s, &config_services_schema, &s->global->services, "router_replay");
}

static void find_startup_status(const struct search *s) {
    const struct config_startup_status *status = &s->global->services.startup_status;
    if (is_written(status))
        wanted_field(s, &config_services_schema, &s->global->services, "startup_status");
}

/* ---- stores */

/* The store alone caches nothing; the plugin of a decision is reported where it stands. */
static void find_response_cache(const struct search *s) {
    const struct config_response_cache *cache = &s->global->stores.response_cache;
    if (wrote(&config_response_cache_schema, cache, "enabled") && cache->enabled)
        wanted_field(s, &config_stores_schema, &s->global->stores, "response_cache");
}

static void find_memory(const struct search *s) {
    if (s->global->stores.memory.enabled)
        wanted_field(s, &config_stores_schema, &s->global->stores, "memory");
}

static void find_vector_store(const struct search *s) {
    const struct config_vector_store *store = s->global->stores.vector_store;
    if (store && store->enabled)
        wanted_field(s, &config_stores_schema, &s->global->stores, "vector_store");
}

/* ---- integrations */

static void find_tools(const struct search *s) {
    if (s->global->integrations.tools.enabled)
        wanted_field(s, &config_integrations_schema, &s->global->integrations, "tools");
}

/* ---- model catalogue: models are there or not, and each signal says so; the rest is not built */

static void find_hallucination(const struct search *s) {
    const struct config_hallucination_mitigation *hallucination =
        &s->global->model_catalog.modules.hallucination_mitigation;
    if (hallucination->enabled)
        wanted_field(s, &config_modules_schema, &s->global->model_catalog.modules, "hallucination_mitigation");
}

static const struct feature features[] = {
    { "routing out of Kubernetes objects; what the file says holds", false, find_kubernetes },
    { "learning while serving", false, find_learning },
    { "trained selectors; the first candidate is taken", false, find_trained_selectors },
    { "responses in a cluster of Redis servers; name one that is not part of a cluster as `address`", true,
      find_redis_cluster },
    { "settings of Redis out of a file of their own (`config_path`); write them here", true, find_redis_file },
    { "the classification API", false, find_batches },
    { "switching metrics off here; the flag --metrics-listen off does", false, find_metrics_off },
    { "metrics over moving windows", false, find_windowed_metrics },
    { "exporting traces", false, find_tracing },
    { "a service of rate limits; it would not be asked", true, find_limit_service },
    { "recording routed requests", false, find_replay },
    { "publishing how far the start has come", false, find_startup_status },
    { "caching responses", false, find_response_cache },
    { "memory of users", false, find_memory },
    { "the vector store", false, find_vector_store },
    { "offering tools out of a database", false, find_tools },
    { "models that check answers; signals that need them are unavailable", false, find_hallucination },
};

void config_features(const struct config_document *doc, struct arena *arena,
                     void (*fn)(void *data, struct diag_at at, const char *feature, bool unsafe), void *data) {
    struct search s = { .doc = doc, .global = &doc->global, .arena = arena, .fn = fn, .data = data };
    for (size_t i = 0; i < VSR_COUNT(features); i++) {
        s.feature = &features[i];
        features[i].find(&s);
    }
}
