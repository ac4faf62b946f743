/* Tables of `global.router` (config.md §9.1), and of `global` itself. */
#include "config/global_router.h"

#include "config/check.h"
#include "config/document_tables.h"
#include "config/global_tables.h"
#include "config/rows.h"
#include "core/arena.h"
#include "net/http1.h"

/* ---- receiving requests */

#define T struct config_streamed_body
static const struct field streamed_body_fields[] = {
    { ROW(enabled, BOOL), .help = "No effect; bodies are handled as they come." },
    { ROW(max_bytes, INT), NOT_NEGATIVE, .fallback = "67108864", .help = "Largest request body; 0 is unlimited." },
    { ROW(timeout_sec, INT), BETWEEN(0, 86400), .fallback = "60",
      .help = "Longest time to receive a body; 0 is unlimited." },
};
#undef T
static const struct schema streamed_body_schema =
    SCHEMA("streamed_body", struct config_streamed_body, streamed_body_fields);

#define T struct config_skip_processing
static const struct field skip_processing_fields[] = {
    { ROW(enabled, BOOL), .help = "Honour the request header x-vsr-skip-processing." },
};
#undef T
static const struct schema skip_processing_schema =
    SCHEMA("skip_processing", struct config_skip_processing, skip_processing_fields);

#define T struct config_context_estimate
static const struct field context_estimate_fields[] = {
    { ROW(structured_bytes_per_token, NUMBER), BETWEEN(1, INFINITY), .fallback = "3.0",
      .help = "Bytes of JSON that count as one token." },
};
#undef T
static const struct schema context_estimate_schema =
    SCHEMA("context_estimate", struct config_context_estimate, context_estimate_fields);

#define T struct config_router_pricing
static const struct field router_pricing_fields[] = {
    { ROW(baseline, STRING), NONBLANK, .fallback = "most_expensive",
      .help = "What savings are measured against: most_expensive, default_model, decision_max, or a model." },
};
#undef T
const struct schema config_router_pricing_schema =
    SCHEMA("pricing", struct config_router_pricing, router_pricing_fields);

/* ---- model selection */

#define T struct config_router_dc
static const struct field router_dc_fields[] = {
    { ROW(temperature, NUMBER), .flags = FIELD_RANGE | FIELD_LEAST_OPEN, .least = 0, .greatest = INFINITY,
      .fallback = "0.07", .help = "Sharpness of the softmax over similarities." },
    { ROW(dimension_size, INT), COUNT_FROM(1), .fallback = "768", .help = "Dimensions of the embeddings compared." },
    { ROW(min_similarity, NUMBER), UNIT, .fallback = "0.3", .help = "Least similarity of a candidate." },
    { ROW(use_query_contrastive, BOOL), .fallback = "true", .help = "No effect; kept for published documents." },
    { ROW(use_model_contrastive, BOOL), .fallback = "true", .help = "No effect; kept for published documents." },
    { ROW(require_descriptions, BOOL), .help = "Demand a description on every candidate's card." },
    { ROW(use_capabilities, BOOL), .fallback = "true", .help = "Add a card's capabilities to its description." },
};
#undef T
static const struct schema router_dc_schema = SCHEMA("router_dc", struct config_router_dc, router_dc_fields);

#define T struct config_automix
static const struct field automix_fields[] = {
    { ROW(verification_threshold, NUMBER), UNIT, .fallback = "0.7",
      .help = "Chance of passing verification below which escalation counts." },
    { ROW(max_escalations, INT), COUNT, .fallback = "2", .help = "Most escalations of one request." },
    { ROW(cost_aware_routing, BOOL), .fallback = "true", .help = "Weigh prices against quality." },
    { ROW(cost_quality_tradeoff, NUMBER), UNIT, .fallback = "0.3", .help = "How much cost counts." },
    { ROW(discount_factor, NUMBER), UNIT, .fallback = "0.95", .help = "Weight of what an escalation may bring." },
    { ROW(use_logprob_verification, BOOL), .fallback = "true", .help = "Verify by log-probabilities where they come." },
};
#undef T
static const struct schema automix_schema = SCHEMA("automix", struct config_automix, automix_fields);

static void check_hybrid(const void *object, struct arena *arena, struct diag *diag);

#define T struct config_hybrid
static const struct field hybrid_fields[] = {
    { ROW(experience_weight, NUMBER), UNIT, .fallback = "0.3", .help = "Weight of experience." },
    { ROW(router_dc_weight, NUMBER), UNIT, .fallback = "0.3", .help = "Weight of similarity to descriptions." },
    { ROW(automix_weight, NUMBER), UNIT, .fallback = "0.2", .help = "Weight of automix." },
    { ROW(cost_weight, NUMBER), UNIT, .fallback = "0.2", .help = "Weight of cost." },
    { ROW(quality_gap_threshold, NUMBER), UNIT, .fallback = "0.1", .help = "Gap in quality that decides by itself." },
    { ROW(normalize_scores, BOOL), .fallback = "true", .help = "Bring each part's scores to 0..1 first." },
};
#undef T
static const struct schema hybrid_schema = SCHEMA("hybrid", struct config_hybrid, hybrid_fields, .check = check_hybrid);

static void check_hybrid(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_hybrid *hybrid = object;
    (void)arena;
    if (hybrid->experience_weight + hybrid->router_dc_weight + hybrid->automix_weight + hybrid->cost_weight == 0)
        diag_error(diag, "E_RANGE", schema_at(object), VSR_STR(""),
                   "at least one of experience_weight, router_dc_weight, automix_weight and cost_weight must be "
                   "greater than 0");
}

#define T struct config_momentum
static const struct field momentum_fields[] = {
    { ROW(enabled, BOOL), .help = "No effect; kept for published documents." },
    { ROW(attack, NUMBER), UNIT, .help = "No effect; kept for published documents." },
    { ROW(release, NUMBER), UNIT, .help = "No effect; kept for published documents." },
    { ROW(threshold, NUMBER), UNIT, .help = "No effect; kept for published documents." },
};
#undef T
static const struct schema momentum_schema = SCHEMA("momentum", struct config_momentum, momentum_fields);

#define T struct config_ml_knn
static const struct field knn_fields[] = {
    { ROW(k, INT), COUNT_FROM(1), .fallback = "5", .help = "Neighbours that vote." },
    { ROW(pretrained_path, STRING), .help = "File of the trained selector." },
};
#undef T
static const struct schema knn_schema = SCHEMA("knn", struct config_ml_knn, knn_fields);

#define T struct config_ml_kmeans
static const struct field kmeans_fields[] = {
    { ROW(num_clusters, INT), COUNT, .help = "Clusters; 0: as the file says." },
    { ROW(efficiency_weight, NUMBER), UNIT, .help = "How much cost counts when clusters choose their model." },
    { ROW(pretrained_path, STRING), .help = "File of the trained selector." },
};
#undef T
static const struct schema kmeans_schema = SCHEMA("kmeans", struct config_ml_kmeans, kmeans_fields);

static const char *const svm_kernels[] = { "linear", "rbf", NULL };

#define T struct config_ml_svm
static const struct field svm_fields[] = {
    { ROW(kernel, ENUM), .fallback = "rbf", .choices = svm_kernels, .help = "Kernel of the machine." },
    { ROW(gamma, NUMBER), NOT_NEGATIVE, .help = "Width of the rbf kernel; 0: as the file says." },
    { ROW(pretrained_path, STRING), .help = "File of the trained selector." },
};
#undef T
static const struct schema svm_schema = SCHEMA("svm", struct config_ml_svm, svm_fields);

static const char *const mlp_devices[] = { "cpu", "cuda", NULL };

#define T struct config_ml_mlp
static const struct field mlp_fields[] = {
    { ROW(device, ENUM), .fallback = "cpu", .choices = mlp_devices, .help = "Where the network runs." },
    { ROW(pretrained_path, STRING), .help = "File of the trained selector." },
};
#undef T
static const struct schema mlp_schema = SCHEMA("mlp", struct config_ml_mlp, mlp_fields);

#define T struct config_ml
static const struct field ml_fields[] = {
    { ROW(models_path, STRING), .help = "Folder of trained selectors." },
    { ROW(embedding_dim, INT), COUNT, .help = "Dimensions of the embeddings they were trained on; 0: theirs." },
    { BLOCK(knn, knn_schema), .help = "The selector knn." },
    { BLOCK(kmeans, kmeans_schema), .help = "The selector kmeans." },
    { BLOCK(svm, svm_schema), .help = "The selector svm." },
    { BLOCK(mlp, mlp_schema), .help = "The selector mlp." },
};
#undef T
static const struct schema ml_schema = SCHEMA("ml", struct config_ml, ml_fields);

#define T struct config_model_selection
static const struct field model_selection_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Let decisions select by algorithm." },
    { ROW(method, STRING), .fallback = "knn", .help = "Documentation only: each decision names its algorithm." },
    { BLOCK(router_dc, router_dc_schema), .help = "Defaults of the algorithm router_dc." },
    { BLOCK(automix, automix_schema), .help = "Defaults of the algorithm automix." },
    { BLOCK(hybrid, hybrid_schema), .help = "Defaults of the algorithm hybrid." },
    { BLOCK(momentum, momentum_schema), .help = "No effect; kept for published documents." },
    { BLOCK(ml, ml_schema), .help = "Trained selectors." },
};
#undef T
static const struct schema model_selection_schema =
    SCHEMA("model_selection", struct config_model_selection, model_selection_fields);

/* ---- learning */

static const char *const candidate_sets[] = { "decision", "tier", "global", NULL };
static const char *const learning_strategies[] = { "routing_sampling", NULL };

#define T struct config_learning_adaptation
static const struct field adaptation_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Adapt the choice of models, once learning is enabled." },
    { ROW(candidate_set, ENUM), .fallback = "decision", .choices = candidate_sets,
      .help = "Models that may be tried in place of the selected one." },
    { ROW(strategy, ENUM), .fallback = "routing_sampling", .choices = learning_strategies,
      .help = "How experience is weighed." },
};
#undef T
static const struct schema adaptation_schema =
    SCHEMA("adaptation", struct config_learning_adaptation, adaptation_fields);

static const struct schema learning_headers_schema;

static void check_learning_headers(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_learning_headers *headers = object;
    const struct {
        const char *field;
        vsr_str name;
    } all[] = { { "session", headers->session }, { "conversation", headers->conversation } };
    for (size_t i = 0; i < VSR_COUNT(all); i++)
        if (!http1_name_ok(all[i].name) && !check_is_open(object, all[i].field))
            diag_error(diag, "E_TYPE", schema_field_at(&learning_headers_schema, object, all[i].field, arena),
                       VSR_STR(""), "the value must be the name of a header");
}

#define T struct config_learning_headers
static const struct field learning_headers_fields[] = {
    { ROW(session, STRING), NONBLANK, .fallback = "x-session-id", .help = "Header with the session's id." },
    { ROW(conversation, STRING), NONBLANK, .fallback = "x-conversation-id",
      .help = "Header with the conversation's id." },
};
#undef T
static const struct schema learning_headers_schema =
    SCHEMA("headers", struct config_learning_headers, learning_headers_fields, .check = check_learning_headers);

#define T struct config_learning_identity
static const struct field learning_identity_fields[] = {
    { BLOCK(headers, learning_headers_schema), .help = "Headers that identify a session." },
};
#undef T
static const struct schema learning_identity_schema =
    SCHEMA("identity", struct config_learning_identity, learning_identity_fields);

#define T struct config_learning_tuning
static const struct field learning_tuning_fields[] = {
    { ROW(idle_timeout_seconds, INT), SECONDS, .fallback = "300",
      .help = "Silence after which a session is forgotten." },
    { ROW(min_turns_before_switch, INT), COUNT, .fallback = "1", .help = "Turns before a session may change models." },
    { ROW(switch_margin, NUMBER), NOT_NEGATIVE, .fallback = "0.05", .help = "Gain that a change must promise." },
    { ROW(stability_weight, NUMBER), NOT_NEGATIVE, .fallback = "1.0", .help = "Weight of staying with a model." },
};
#undef T
static const struct schema learning_tuning_schema =
    SCHEMA("tuning", struct config_learning_tuning, learning_tuning_fields);

static const char *const learning_scopes[] = { "conversation", "session", NULL };

#define T struct config_learning_protection
static const struct field protection_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Keep sessions on their model, once learning is enabled." },
    { ROW(scope, ENUM), .fallback = "conversation", .choices = learning_scopes, .help = "What is kept together." },
    { BLOCK(identity, learning_identity_schema), .help = "How a session is recognised." },
    { BLOCK(tuning, learning_tuning_schema), .help = "How firmly a session is kept." },
};
#undef T
static const struct schema protection_schema =
    SCHEMA("protection", struct config_learning_protection, protection_fields);

#define T struct config_learning_redis
static const struct field learning_redis_fields[] = {
    { ROW(address, STRING), .help = "host:port of the server; required for the backend redis." },
    { ROW(password, STRING), SECRET, .help = "Password of the server." },
    { ROW(database, INT), COUNT, .fallback = "0", .help = "Number of the database." },
    { ROW(key_prefix, STRING), .fallback = "vsr:router-session:v1:", .help = "Front of every key." },
};
#undef T
static const struct schema learning_redis_schema = SCHEMA("redis", struct config_learning_redis, learning_redis_fields);

static const struct schema learning_store_schema;

static void check_learning_store(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_learning_store *store = object;
    if (store->backend == BACKEND_REDIS && str_trim(store->redis.address).len == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&learning_store_schema, object, "backend", arena), VSR_STR(""),
                   "the backend redis needs redis.address");
}

/* By enum config_backend; an empty name is not allowed here. */
static const char *const learning_backends[] = { "", "memory", "sqlite", "", "local", "redis", NULL };

#define T struct config_learning_store
static const struct field learning_store_fields[] = {
    { ROW(backend, ENUM), .fallback = "local", .choices = learning_backends,
      .help = "Where sessions are kept: in memory, written through to the embedded database, or on a server." },
    { ROW(ttl_seconds, INT), SECONDS, .fallback = "86400", .help = "How long a session is kept." },
    { ROW(timeout_ms, INT), COUNT, .fallback = "50", .help = "Longest wait for the server." },
    { BLOCK(redis, learning_redis_schema), .help = "The server of the backend redis." },
};
#undef T
static const struct schema learning_store_schema =
    SCHEMA("state_store", struct config_learning_store, learning_store_fields, .check = check_learning_store);

#define T struct config_learning
static const struct field learning_fields[] = {
    { ROW(enabled, BOOL), .help = "Learn from outcomes while serving." },
    { BLOCK(adaptation, adaptation_schema), .help = "Choosing models by experience." },
    { BLOCK(protection, protection_schema), .help = "Keeping sessions on their model." },
    { BLOCK(state_store, learning_store_schema), .help = "Where sessions are kept." },
};
#undef T
static const struct schema learning_schema = SCHEMA("learning", struct config_learning, learning_fields);

/* ---- router */

static const char *const config_sources[] = { "file", "kubernetes", NULL };
static const char *const strategies[] = { "", "priority", "confidence", NULL };
static const char *const lazy_modes[] = { "off", "staged", NULL };

#define T struct config_admission
static const struct field admission_fields[] = {
    { ROW(max_active, INT), COUNT, .fallback = "0", .help = "Most requests at once; 0 is unlimited." },
    { ROW(max_queued, INT), COUNT, .fallback = "1024",
      .help = "Most requests that wait for a place; beyond it those of the lowest priority are turned away." },
    { ROW(queue_timeout_ms, INT), COUNT, .fallback = "2000", .help = "Longest wait for a place." },
    { ROW(default_priority, INT), BETWEEN(0, CONFIG_PRIORITY_MAX), .fallback = "5",
      .help = "Priority of requests whose entrypoint names none; 9 is the highest." },
};
#undef T
static const struct schema admission_schema = SCHEMA("admission", struct config_admission, admission_fields);

#define T struct config_router
static const struct field router_fields[] = {
    { ROW(config_source, ENUM), .fallback = "file", .choices = config_sources, .help = "Where routing comes from." },
    { ROW(strategy, ENUM), .choices = strategies, .help = "Strategy of profiles that name none." },
    { ROW(auto_model_name, STRING), .fallback = "MoM",
      .help = "Third name of the automatic model, beside vllm-sr/auto and auto." },
    { ROW(auto_model_names, STRINGS), .help = "All names of the automatic model; an empty list means none." },
    { ROW(include_config_models_in_list, BOOL), .help = "List backend models under /v1/models too." },
    { ROW(clear_route_cache, BOOL), .fallback = "true",
      .help = "External processor only: let Envoy choose the route again once the model is known." },
    { BLOCK(streamed_body, streamed_body_schema), .help = "Limits on receiving a request body." },
    { BLOCK(skip_processing, skip_processing_schema), .help = "Pass-through on request." },
    { BLOCK(model_selection, model_selection_schema), .help = "Defaults of selection algorithms." },
    { BLOCK(learning, learning_schema), .help = "Learning while serving." },
    { ROW(signal_timeout_ms, INT), COUNT, .fallback = "0", .help = "Longest time for all signals; 0 is none." },
    { ROW(signal_timeouts, NUMBER_MAP), COUNT, .help = "Longest time in milliseconds by signal family; 0 is none." },
    { ROW(lazy_signals, ENUM), .fallback = "staged", .choices = lazy_modes,
      .help = "Stop evaluating signals as soon as the decision is certain." },
    { ROW(signal_window_chars, INT), COUNT, .fallback = "2048",
      .help = "Longest text that learned signals read at once; 0 is off." },
    { BLOCK(context_estimate, context_estimate_schema), .help = "How request sizes become tokens." },
    { BLOCK(pricing, config_router_pricing_schema), .help = "How savings are computed." },
    { BLOCK(admission, admission_schema), .help = "How many requests are let in at once." },
};
#undef T
const struct schema config_router_schema = SCHEMA("router", struct config_router, router_fields);

int64_t config_signal_timeout_ms(const struct config_router *router, vsr_str family) {
    for (size_t i = 0; i < router->signal_timeouts.n; i++)
        if (str_eq_nocase(str_trim(router->signal_timeouts.keys[i]), family))
            return (int64_t)router->signal_timeouts.values[i];
    return 0;
}

/* ---- global */

#define T struct config_global
static const struct field global_fields[] = {
    { BLOCK(router, config_router_schema), .help = "Behaviour of the router." },
    { BLOCK(services, config_services_schema), .help = "Services around the router." },
    { BLOCK(stores, config_stores_schema), .help = "What is remembered, and where." },
    { BLOCK(integrations, config_integrations_schema), .help = "Tools and calls of several models." },
    { BLOCK(model_catalog, config_model_catalog_schema),
      .help = "Models that vsr itself uses, and the modules that use them." },
};
#undef T
const struct schema config_global_schema = SCHEMA("global", struct config_global, global_fields);
