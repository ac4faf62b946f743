/* What the tables of `global` cannot see: router, services, stores and integrations (config.md §9.1-9.4). */
#include <math.h>

#include "config/address.h"
#include "config/check.h"
#include "config/document_tables.h"
#include "core/arena.h"

/* ---- shared */

/* A choice that was written as the empty text chooses nothing. */
static void check_chosen(struct check *c, const struct schema *schema, const void *object, const char *field,
                         int choice) {
    if (choice == BACKEND_UNSET)
        diag_error(c->diag, "E_REQUIRED", schema_field_at(schema, object, field, c->arena), VSR_STR(""),
                   "must not be blank");
}

static bool is_blank(const void *object, const char *field, vsr_str text) {
    return str_trim(text).len == 0 && !check_is_open(object, field);
}

/* A server that is not named can never be reached: the store works from memory, as with one that is down. */
static void warn_nowhere(struct check *c, const struct schema *schema, const void *object, const char *field,
                         const char *missing) {
    diag_warn(c->diag, "W_STORE", schema_field_at(schema, object, field, c->arena), VSR_STR(""),
              "%s does not say where the server is; what it would keep is kept in memory", missing);
}

/* ---- router */

static void check_signal_timeouts(struct check *c, const struct config_router *router) {
    for (size_t i = 0; i < router->signal_timeouts.n; i++) {
        vsr_str key = router->signal_timeouts.keys[i];
        double ms = router->signal_timeouts.values[i];
        bool known = check_family(c, key) >= 0, whole = ms == floor(ms);
        struct diag_at at;
        if (diag_full(c->diag) || (known && whole))
            continue;
        at = check_pair_at(c, router, "signal_timeouts", key);
        if (!known)
            check_unknown_family(c, at, key);
        if (!whole)
            diag_error(c->diag, "E_TYPE", at, VSR_STR(""), "expected whole milliseconds, found %g", ms);
    }
}

static void check_baseline(struct check *c, struct config_router_pricing *pricing) {
    static const char *const words[] = { "most_expensive", "default_model", "decision_max" };
    pricing->kind = BASELINE_MODEL;
    for (int i = 0; i < (int)VSR_COUNT(words); i++)
        if (str_eq_c(pricing->baseline, words[i]))
            pricing->kind = i;
    if (pricing->kind == BASELINE_MODEL && !config_card(c->doc, pricing->baseline) &&
        !check_is_open(pricing, "baseline"))
        diag_error(c->diag, "E_REF", schema_field_at(&config_router_pricing_schema, pricing, "baseline", c->arena),
                   check_suggest(c, &c->index->cards, pricing->baseline),
                   "\"%.*s\" is none of most_expensive, default_model and decision_max, nor a model defined in "
                   "routing.modelCards",
                   VSR_FMT(pricing->baseline));
}

static void check_router(struct check *c, struct config_router *router) {
    check_signal_timeouts(c, router);
    check_baseline(c, &router->pricing);
}

/* ---- management API */

static bool is_internal_listener(const struct check *c) {
    const char *value = c->env->get(c->env->data, "VSR_MANAGEMENT_INTERNAL_LISTENER");
    return value && strcmp(value, "true") == 0;
}

static struct diag_at management_at(struct check *c, const struct config_management_api *api, const char *field) {
    return schema_field_at(&config_management_api_schema, api, field, c->arena);
}

static void check_exposure(struct check *c, const struct config_management_api *api) {
    bool open = check_is_open(api, "bind_address");
    if (!open && !str_eq_c(api->bind_address, "localhost") && !address_is_ip(api->bind_address))
        diag_error(c->diag, "E_TYPE", management_at(c, api, "bind_address"), VSR_STR(""),
                   "expected an IP address or localhost");
    if (api->remote_exposure && (api->auth.mode != MANAGEMENT_AUTH_BEARER || api->auth.tokens.n == 0))
        diag_error(c->diag, "E_REQUIRED", management_at(c, api, "remote_exposure"), VSR_STR(""),
                   "remote_exposure needs global.services.management_api.auth.mode bearer and at least one entry in "
                   "auth.tokens");
    if (!api->remote_exposure && address_is_any(api->bind_address) && !is_internal_listener(c))
        diag_error(c->diag, "E_CONFLICT", management_at(c, api, "bind_address"),
                   VSR_STR("bind to 127.0.0.1, or in a container whose port nobody else can reach set "
                           "VSR_MANAGEMENT_INTERNAL_LISTENER=true"),
                   "%.*s accepts callers from anywhere, but global.services.management_api.remote_exposure is false",
                   VSR_FMT(api->bind_address));
}

static void check_token_role(struct check *c, const struct config_management_auth *auth,
                             const struct config_management_token *token) {
    struct diag_at at = schema_field_at(&config_management_token_schema, token, "role", c->arena);
    for (size_t i = 0; i < auth->roles.n; i++)
        if (str_eq(auth->roles.keys[i], token->role))
            return;
    if (!check_is_open(token, "role"))
        diag_error(c->diag, "E_REF", at, diag_suggest(c->diag, token->role, auth->roles.keys, auth->roles.n),
                   "role \"%.*s\" is not defined in global.services.management_api.auth.roles", VSR_FMT(token->role));
}

/* Without any permission of its own the map of roles is the built-in one. */
static void settle_roles(struct check *c, struct config_management_auth *auth) {
    struct config_management_auth plain;
    struct diag ignored;
    if (auth->roles.n)
        return;
    diag_init(&ignored, c->scratch, VSR_STR(""));
    (void)schema_decode(&config_management_auth_schema, NULL, auth->at.path, &plain, c->arena, &ignored);
    auth->roles = plain.roles;
}

static void check_management_auth(struct check *c, struct config_management_auth *auth) {
    size_t n_known = 0;
    settle_roles(c, auth);
    CONFIG_EACH(struct config_management_token, token, &auth->tokens) {
        struct diag_at at = schema_field_at(&config_management_token_schema, token, "env", c->arena);
        check_token_role(c, auth, token);
        if (auth->mode == MANAGEMENT_AUTH_BEARER && !check_is_open(token, "env"))
            token->value = str_trim(env_value(c->env, token->env, at, c->arena, c->diag));
        n_known += token->value.len > 0;
    }
    if (auth->mode == MANAGEMENT_AUTH_BEARER && n_known == 0 && !c->env->keep)
        diag_warn(c->diag, "W_AUTH", schema_field_at(&config_management_auth_schema, auth, "mode", c->arena),
                  VSR_STR("set the variable of an entry of auth.tokens"),
                  "no token is known, so every call that needs one is refused");
    if (auth->mode == MANAGEMENT_AUTH_DISABLED && auth->tokens.n)
        diag_warn(c->diag, "W_AUTH", schema_field_at(&config_management_auth_schema, auth, "tokens", c->arena),
                  VSR_STR("set mode: bearer"), "nobody is asked for these tokens, because mode is disabled");
}

/* ---- services */

static void check_replay(struct check *c, const struct config_router_replay *replay) {
    const struct {
        int backend;
        const char *missing;
        bool blank;
    } servers[] = {
        { BACKEND_REDIS, "redis.address", is_blank(&replay->redis, "address", replay->redis.address) },
        { BACKEND_POSTGRES, "postgres.host", is_blank(&replay->postgres, "host", replay->postgres.host) },
        { BACKEND_MILVUS, "milvus.address", is_blank(&replay->milvus, "address", replay->milvus.address) },
        { BACKEND_QDRANT, "qdrant.host", is_blank(&replay->qdrant, "host", replay->qdrant.host) },
    };
    check_chosen(c, &config_router_replay_schema, replay, "store_backend", replay->store_backend);
    for (size_t i = 0; i < VSR_COUNT(servers); i++)
        if (replay->store_backend == servers[i].backend && servers[i].blank)
            warn_nowhere(c, &config_router_replay_schema, replay, "store_backend", servers[i].missing);
}

static void check_response_api(struct check *c, const struct config_response_api *api) {
    const struct config_response_redis *redis = &api->redis;
    bool named = !is_blank(redis, "address", redis->address) || redis->cluster_addresses.n ||
                 !is_blank(redis, "config_path", redis->config_path);
    check_chosen(c, &config_response_api_schema, api, "store_backend", api->store_backend);
    if (api->store_backend == BACKEND_REDIS && !named)
        warn_nowhere(c, &config_response_api_schema, api, "store_backend", "redis.address");
}

/* ---- rate limits that no request can ever meet */

static bool is_anybody(vsr_str text) {
    return text.len == 0 || str_eq_c(text, "*");
}

static bool any_trusts_identity(const struct check *c) {
    CONFIG_EACH(const struct config_listener, listener, &c->doc->listeners)
    if (listener->trust_identity_headers)
        return true;
    return false;
}

static void warn_unknown_key(struct check *c, const struct config_ratelimit_match *match) {
    struct map envs;
    map_init(&envs, c->scratch);
    CONFIG_EACH(const struct config_listener, listener, &c->doc->listeners)
    for (size_t i = 0; i < listener->api_key_envs.n; i++)
        map_put(&envs, listener->api_key_envs.items[i], (void *)listener);
    if (map_get(&envs, match->key))
        return;
    diag_warn(c->diag, "W_RATELIMIT", schema_field_at(&config_ratelimit_match_schema, match, "key", c->arena),
              check_suggest(c, &envs, match->key),
              "no listener has \"%.*s\" in its api_key_envs: the rule never applies", VSR_FMT(match->key));
}

static void check_limit_match(struct check *c, const struct config_ratelimit_match *match) {
    const struct {
        const char *field;
        vsr_str text;
    } identities[] = { { "user", match->user }, { "group", match->group }, { "tenant", match->tenant } };
    for (size_t i = 0; i < VSR_COUNT(identities); i++) {
        const char *field = identities[i].field;
        if (is_anybody(identities[i].text) || check_is_open(match, field) || any_trusts_identity(c))
            continue;
        diag_warn(c->diag, "W_RATELIMIT", schema_field_at(&config_ratelimit_match_schema, match, field, c->arena),
                  VSR_STR("set trust_identity_headers on the listener that only the authenticating proxy reaches"),
                  "no listener trusts identity headers, so that no request has a %s: the rule never applies", field);
    }
    if (!is_anybody(match->key) && !check_is_open(match, "key"))
        warn_unknown_key(c, match);
}

/* A price of 0 is a price too. */
static bool any_priced_in(const struct check *c, vsr_str currency) {
    CONFIG_EACH(const struct config_provider_model, model, &c->doc->providers.models) {
        vsr_str own = model->pricing ? model->pricing->currency : VSR_STR("");
        if (model->pricing && str_eq(own.len ? own : VSR_STR("USD"), currency))
            return true;
    }
    return false;
}

static void check_limit_cost(struct check *c, const struct config_ratelimit_rule *rule) {
    if (rule->cost_per_unit <= 0 || any_priced_in(c, rule->currency))
        return;
    diag_warn(c->diag, "W_RATELIMIT", schema_field_at(&config_ratelimit_rule_schema, rule, "cost_per_unit", c->arena),
              VSR_STR("set pricing of the models"),
              "no model has a price in %.*s, so that nothing is counted: the limit is never reached",
              VSR_FMT(rule->currency));
}

static void check_ratelimit(struct check *c, const struct config_ratelimit *ratelimit) {
    CONFIG_EACH(const struct config_ratelimit_provider, provider, &ratelimit->providers)
    CONFIG_EACH(const struct config_ratelimit_rule, rule, &provider->rules) {
        check_limit_match(c, &rule->match);
        check_limit_cost(c, rule);
    }
}

static void check_services(struct check *c, struct config_services *services) {
    const struct config_startup_status *startup = &services->startup_status;
    check_response_api(c, &services->response_api);
    check_exposure(c, &services->management_api);
    check_management_auth(c, &services->management_api.auth);
    check_replay(c, &services->router_replay);
    check_ratelimit(c, &services->ratelimit);
    check_chosen(c, &config_startup_status_schema, startup, "store_backend", startup->store_backend);
    if (startup->store_backend == BACKEND_REDIS && is_blank(&startup->redis, "address", startup->redis.address))
        warn_nowhere(c, &config_startup_status_schema, startup, "store_backend", "redis.address");
}

/* ---- stores */

static void check_reflection(struct check *c, struct config_memory_reflection *reflection) {
    vsr_str algorithm = reflection->algorithm;
    reflection->is_noop = str_eq_c(algorithm, "noop");
    if (!reflection->is_noop && !str_eq_c(algorithm, "heuristic") && !check_is_open(reflection, "algorithm"))
        diag_warn(c->diag, "W_ENUM",
                  schema_field_at(&config_memory_reflection_schema, reflection, "algorithm", c->arena), VSR_STR(""),
                  "\"%.*s\" is neither heuristic nor noop; it is read as heuristic", VSR_FMT(algorithm));
}

static void check_memory(struct check *c, struct config_memory *memory) {
    const struct {
        int backend;
        const char *missing;
        bool blank;
    } servers[] = {
        { BACKEND_MILVUS, "milvus.address", is_blank(&memory->milvus, "address", memory->milvus.address) },
        { BACKEND_VALKEY, "valkey.host", is_blank(&memory->valkey, "host", memory->valkey.host) },
        { BACKEND_QDRANT, "qdrant.host", is_blank(&memory->qdrant, "host", memory->qdrant.host) },
    };
    check_chosen(c, &config_memory_schema, memory, "backend", memory->backend);
    check_reflection(c, &memory->reflection);
    for (size_t i = 0; i < VSR_COUNT(servers); i++)
        if (memory->enabled && memory->backend == servers[i].backend && servers[i].blank)
            warn_nowhere(c, &config_memory_schema, memory, "backend", servers[i].missing);
}

enum { DIMENSION_SMALL = 384, DIMENSION_LARGE = 768 };

static void settle_vector_store(struct config_vector_store *store) {
    bool small = str_eq_c(store->embedding_model, "bert") || str_eq_c(store->embedding_model, "multimodal");
    if (store->embedding_dimension == 0)
        store->embedding_dimension = small ? DIMENSION_SMALL : DIMENSION_LARGE;
}

static void check_stores(struct check *c, struct config_stores *stores) {
    struct config_response_cache *cache = &stores->response_cache;
    check_chosen(c, &config_response_cache_schema, cache, "backend_type", cache->backend_type);
    cache->has_similarity_threshold = schema_present(&config_response_cache_schema, cache, "similarity_threshold");
    check_memory(c, &stores->memory);
    if (stores->vector_store)
        settle_vector_store(stores->vector_store);
}

/* ---- integrations */

static void check_integrations(struct check *c, struct config_integrations *integrations) {
    struct config_tools *tools = &integrations->tools;
    struct config_looper *looper = &integrations->looper;
    tools->has_similarity_threshold = schema_present(&config_tools_schema, tools, "similarity_threshold");
    looper->remom.has_model_names = schema_present(&config_looper_names_schema, &looper->remom, "model_names");
    looper->fusion.has_model_names = schema_present(&config_looper_names_schema, &looper->fusion, "model_names");
    looper->flow.has_model_names = schema_present(&config_looper_flow_schema, &looper->flow, "model_names");
    check_chosen(c, &config_flow_state_schema, &looper->flow.state, "store_backend", looper->flow.state.store_backend);
}

void check_global(struct check *c) {
    struct config_global *global = &c->doc->global;
    check_router(c, &global->router);
    check_services(c, &global->services);
    check_stores(c, &global->stores);
    check_integrations(c, &global->integrations);
    check_catalog(c);
}
