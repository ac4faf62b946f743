/* Tables of `global.services` (config.md §9.2). */
#include "config/global_services.h"

#include "config/check.h"
#include "config/global_tables.h"
#include "config/rows.h"
#include "core/arena.h"
#include "core/map.h"

/* ---- api */

static const struct schema batch_size_range_schema;

static void check_batch_size_range(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_batch_size_range *range = object;
    if (range->max >= 0 && range->max < range->min)
        diag_error(diag, "E_RANGE", schema_field_at(&batch_size_range_schema, object, "max", arena), VSR_STR(""),
                   "max is %lld, less than min, which is %lld", (long long)range->max, (long long)range->min);
}

#define T struct config_batch_size_range
static const struct field batch_size_range_fields[] = {
    { ROW(min, INT), COUNT, .help = "Smallest batch of the range." },
    { ROW(max, INT), COUNT_FROM(-1), .fallback = "-1", .help = "Largest batch of the range; -1 is open." },
    { ROW(label, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Name of the range in metrics." },
};
#undef T
static const struct schema batch_size_range_schema = SCHEMA("batch size range", struct config_batch_size_range,
                                                            batch_size_range_fields, .check = check_batch_size_range);

static const struct schema batch_metrics_schema;

/* Buckets of a histogram rise. */
static void check_rising(const void *object, const char *field, const struct config_numbers *buckets,
                         struct arena *arena, struct diag *diag) {
    for (size_t i = 1; i < buckets->n; i++)
        if (buckets->items[i] <= buckets->items[i - 1]) {
            diag_error(diag, "E_RANGE", schema_field_at(&batch_metrics_schema, object, field, arena), VSR_STR(""),
                       "buckets must rise, but %g follows %g", buckets->items[i], buckets->items[i - 1]);
            return;
        }
}

static void check_batch_metrics(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_batch_metrics *metrics = object;
    check_rising(object, "duration_buckets", &metrics->duration_buckets, arena, diag);
    check_rising(object, "size_buckets", &metrics->size_buckets, arena, diag);
}

#define T struct config_batch_metrics
static const struct field batch_metrics_fields[] = {
    { ROW(enabled, BOOL), .help = "Measure batches." },
    { ROW(sample_rate, NUMBER), UNIT, .fallback = "1.0", .help = "Share of batches that is measured." },
    { ROW(batch_size_ranges, OBJECTS), .object = &batch_size_range_schema, .help = "Ranges of sizes told apart." },
    { ROW(duration_buckets, NUMBER_LIST), NOT_NEGATIVE, .help = "Bounds of the histogram of durations, in seconds." },
    { ROW(size_buckets, NUMBER_LIST), NOT_NEGATIVE, .help = "Bounds of the histogram of sizes." },
    { ROW(detailed_goroutine_tracking, BOOL), .help = "No effect; kept for published documents." },
    { ROW(high_resolution_timing, BOOL), .help = "No effect; clocks are always fine." },
};
#undef T
static const struct schema batch_metrics_schema =
    SCHEMA("metrics", struct config_batch_metrics, batch_metrics_fields, .check = check_batch_metrics);

#define T struct config_batch_classification
static const struct field batch_classification_fields[] = {
    { ROW(max_batch_size, INT), COUNT, .fallback = "100", .help = "Most texts of one call; 0 is unlimited." },
    { ROW(concurrency_threshold, INT), COUNT, .fallback = "5", .help = "Requests that pass before others wait." },
    { ROW(max_concurrency, INT), COUNT, .fallback = "8", .help = "Most requests at once; 0 is unlimited." },
    { BLOCK(metrics, batch_metrics_schema), .help = "Measuring batches." },
};
#undef T
static const struct schema batch_classification_schema =
    SCHEMA("batch_classification", struct config_batch_classification, batch_classification_fields);

#define T struct config_api
static const struct field api_fields[] = {
    { BLOCK(batch_classification, batch_classification_schema), .help = "Classifying many texts in one call." },
};
#undef T
static const struct schema api_schema = SCHEMA("api", struct config_api, api_fields);

/* ---- response_api */

#define T struct config_response_redis
static const struct field response_redis_fields[] = {
    { ROW(address, STRING), .help = "host:port of the server." },
    { ROW(password, STRING), SECRET, .help = "Password of the server." },
    { ROW(db, INT), COUNT, .fallback = "0", .help = "Number of the database; 0 in cluster mode." },
    { ROW(key_prefix, STRING), .help = "Front of every key." },
    { ROW(cluster_mode, BOOL), .help = "The servers form a cluster." },
    { ROW(cluster_addresses, STRINGS), .help = "host:port of the cluster's members." },
    { ROW(pool_size, INT), COUNT_FROM(1), .fallback = "10",
      .help = "No effect: one connection carries any number of commands." },
    { ROW(min_idle_conns, INT), COUNT, .fallback = "2", .help = "No effect, as `pool_size`." },
    { ROW(max_retries, INT), COUNT, .fallback = "3", .help = "Attempts after the first." },
    { ROW(dial_timeout, INT), SECONDS, .fallback = "5", .help = "Longest time to connect, in seconds." },
    { ROW(read_timeout, INT), SECONDS, .fallback = "3", .help = "Longest wait for an answer, in seconds." },
    { ROW(write_timeout, INT), SECONDS, .fallback = "3", .help = "Longest time to send, in seconds." },
    { ROW(tls_enabled, BOOL), .help = "Speak TLS." },
    { ROW(tls_cert_path, STRING), .help = "Certificate shown to the server." },
    { ROW(tls_key_path, STRING), .help = "Key of that certificate." },
    { ROW(tls_ca_path, STRING), .help = "Authorities that the server's certificate may come from." },
    { ROW(config_path, STRING), .help = "File with the same keys; what is written here wins." },
};
#undef T

static const struct schema response_redis_schema;

static void check_response_redis(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_response_redis *redis = object;
    if (redis->cluster_mode && redis->db != 0)
        diag_error(diag, "E_CONFLICT", schema_field_at(&response_redis_schema, object, "db", arena), VSR_STR(""),
                   "a cluster has no databases: with cluster_mode, db must be 0");
    if ((redis->tls_cert_path.len == 0) != (redis->tls_key_path.len == 0))
        diag_error(diag, "E_REQUIRED",
                   schema_field_at(&response_redis_schema, object,
                                   redis->tls_cert_path.len ? "tls_cert_path" : "tls_key_path", arena),
                   VSR_STR(""), "tls_cert_path and tls_key_path go together");
}

static const struct schema response_redis_schema =
    SCHEMA("redis", struct config_response_redis, response_redis_fields, .check = check_response_redis);

/* By enum config_backend; an empty name is not allowed here. */
static const char *const server_stores[] = { "", "memory", "sqlite", "", "", "redis", "", "postgres", NULL };

#define T struct config_response_api
static const struct field response_api_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Serve the Responses API." },
    { ROW(store_backend, ENUM), .fallback = "sqlite", .choices = server_stores, .help = "Where responses are kept." },
    { ROW(ttl_seconds, INT), SECONDS, .fallback = "86400", .help = "How long a response is kept; 0 is 30 days." },
    { ROW(max_responses, INT), COUNT_FROM(1), .fallback = "1000", .help = "Most responses that `memory` keeps." },
    { ROW(event_ttl_seconds, INT), SECONDS, .fallback = "600",
      .help = "How long after its end the events of a response can be read again." },
    { ROW(max_background, INT), COUNT_FROM(1), .fallback = "256", .help = "Most background responses of a worker." },
    { BLOCK(redis, response_redis_schema), .help = "The server of the backend redis." },
    { BLOCK(postgres, config_postgres_schema), .help = "The server of the backend postgres." },
};
#undef T
const struct schema config_response_api_schema =
    SCHEMA("response_api", struct config_response_api, response_api_fields);

/* ---- observability */

static const struct schema windowed_metrics_schema;

static void check_windows(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_windowed_metrics *metrics = object;
    for (size_t i = 0; i < metrics->time_windows.n; i++) {
        const struct yaml_node *node = metrics->time_windows.nodes[i];
        vsr_str path = schema_path(arena, metrics->at.path, VSR_STR("time_windows"));
        struct diag_at at = { node->line, node->col, arena_printf(arena, "%.*s[%zu]", VSR_FMT(path), i) };
        int64_t ms = 0;
        if (!node->reference && (!schema_duration(metrics->time_windows.items[i], &ms) || ms == 0))
            diag_error(diag, "E_TYPE", at, VSR_STR("units are ns, us, ms, s, m and h"),
                       "expected a duration such as 5m, found \"%.*s\"", VSR_FMT(metrics->time_windows.items[i]));
    }
}

#define T struct config_windowed_metrics
static const struct field windowed_metrics_fields[] = {
    { ROW(enabled, BOOL), .help = "Compute load by model over moving windows." },
    { ROW(time_windows, STRINGS), .fallback = "[1m, 5m, 15m, 1h, 24h]", .help = "Lengths of the windows." },
    { "update_interval", FIELD_DURATION, offsetof(T, update_interval_ms), BETWEEN(1, INFINITY), .fallback = "10s",
      .help = "Time between two computations." },
    { ROW(model_metrics, BOOL), .fallback = "true", .help = "Tell models apart." },
    { ROW(queue_depth_estimation, BOOL), .fallback = "true", .help = "Estimate how many requests wait." },
    { ROW(max_models, INT), COUNT_FROM(1), .fallback = "100", .help = "Most models told apart." },
};
#undef T
static const struct schema windowed_metrics_schema =
    SCHEMA("windowed_metrics", struct config_windowed_metrics, windowed_metrics_fields, .check = check_windows);

#define T struct config_metrics
static const struct field metrics_fields[] = {
    { ROW(enabled, BOOL), .fallback = "true", .help = "Serve metrics." },
    { BLOCK(windowed_metrics, windowed_metrics_schema), .help = "Load by model." },
};
#undef T
static const struct schema metrics_schema = SCHEMA("metrics", struct config_metrics, metrics_fields);

static const char *const exporter_types[] = { "otlp", "stdout", NULL };

#define T struct config_exporter
static const struct field exporter_fields[] = {
    { ROW(type, ENUM), .fallback = "otlp", .choices = exporter_types, .help = "Where traces go." },
    { ROW(endpoint, STRING), .fallback = "localhost:4317", .help = "host:port of the collector." },
    { ROW(insecure, BOOL), .fallback = "true", .help = "Speak to the collector without TLS." },
};
#undef T
static const struct schema exporter_schema = SCHEMA("exporter", struct config_exporter, exporter_fields);

/* By enum config_sampling_type. */
static const char *const sampling_types[] = { "always_on",    "always_off",     "probabilistic",
                                              "traceidratio", "trace_id_ratio", NULL };

#define T struct config_sampling
static const struct field sampling_fields[] = {
    { ROW(type, ENUM), .fallback = "always_on", .choices = sampling_types, .help = "Which requests are traced." },
    { ROW(rate, NUMBER), UNIT, .fallback = "1.0", .help = "Share of requests traced by probabilistic sampling." },
};
#undef T
const struct schema config_sampling_schema = SCHEMA("sampling", struct config_sampling, sampling_fields);

#define T struct config_trace_resource
static const struct field trace_resource_fields[] = {
    { ROW(service_name, STRING), .fallback = "vsr", .help = "Name of the service in traces." },
    { ROW(service_version, STRING), .help = "Version of the service in traces; unset: that of the program." },
    { ROW(deployment_environment, STRING), .fallback = "development", .help = "Name of the environment in traces." },
};
#undef T
static const struct schema trace_resource_schema =
    SCHEMA("resource", struct config_trace_resource, trace_resource_fields);

static const struct schema tracing_schema;

static void check_tracing(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_tracing *tracing = object;
    (void)arena;
    if (tracing->enabled && tracing->exporter.type == EXPORTER_OTLP && str_trim(tracing->exporter.endpoint).len == 0)
        diag_error(diag, "E_REQUIRED", schema_at(&tracing->exporter), VSR_STR(""),
                   "tracing to a collector needs exporter.endpoint");
}

#define T struct config_tracing
static const struct field tracing_fields[] = {
    { ROW(enabled, BOOL), .help = "Export traces." },
    { ROW(provider, STRING), .fallback = "opentelemetry", .help = "Kind of traces." },
    { BLOCK(exporter, exporter_schema), .help = "Where traces go." },
    { BLOCK(sampling, config_sampling_schema), .help = "Which requests are traced." },
    { BLOCK(resource, trace_resource_schema), .help = "What traces say of their origin." },
};
#undef T
static const struct schema tracing_schema =
    SCHEMA("tracing", struct config_tracing, tracing_fields, .check = check_tracing);

#define T struct config_observability
static const struct field observability_fields[] = {
    { BLOCK(metrics, metrics_schema), .help = "Numbers for Prometheus." },
    { BLOCK(tracing, tracing_schema), .help = "Spans of requests." },
};
#undef T
static const struct schema observability_schema =
    SCHEMA("observability", struct config_observability, observability_fields);

/* ---- authz */

#define T struct config_authz_identity
static const struct field authz_identity_fields[] = {
    { ROW(user_id_header, STRING), NONBLANK, .fallback = "x-authz-user-id", .help = "Header with the user's id." },
    { ROW(user_groups_header, STRING), NONBLANK, .fallback = "x-authz-user-groups",
      .help = "Header with the user's groups." },
};
#undef T
static const struct schema authz_identity_schema =
    SCHEMA("identity", struct config_authz_identity, authz_identity_fields);

static const char *const authz_types[] = { "header-injection", "static-config", NULL };

#define T struct config_authz_provider
static const struct field authz_provider_fields[] = {
    { ROW(type, ENUM), .flags = FIELD_REQUIRED, .choices = authz_types, .help = "Where a backend's key comes from." },
    { ROW(headers, PAIRS), .help = "Request headers that carry keys, by provider." },
};
#undef T
const struct schema config_authz_provider_schema =
    SCHEMA("authz provider", struct config_authz_provider, authz_provider_fields);

#define T struct config_authz
static const struct field authz_fields[] = {
    { ROW(fail_open, BOOL), .help = "Forward without a key when the chain finds none." },
    { BLOCK(identity, authz_identity_schema), .help = "Headers that identify the caller." },
    { ROW(providers, OBJECTS), .object = &config_authz_provider_schema,
      .help = "Chain of key sources; the first key wins." },
};
#undef T
static const struct schema authz_schema = SCHEMA("authz", struct config_authz, authz_fields);

/* ---- ratelimit */

/* What a bucket holds is exact in 64 bits, in thousandths of requests and tokens and in billionths of money. */
#define RATELIMIT_MOST 1e12
#define RATELIMIT_MOST_COST 1e9

#define T struct config_ratelimit_match
static const struct field ratelimit_match_fields[] = {
    { ROW(user, STRING), .help = "Id of the user; empty and * stand for any." },
    { ROW(group, STRING), .help = "One of the user's groups; empty and * stand for any." },
    { ROW(tenant, STRING), .help = "Tenant of the caller; * is a budget for each." },
    { ROW(key, STRING),
      .help = "A listener's key, by the variable that it comes from (api_key_envs); * is a budget for each." },
    { ROW(model, STRING), .help = "Requested or selected model; * is a budget for each, absent one for all." },
};
#undef T
const struct schema config_ratelimit_match_schema =
    SCHEMA("match", struct config_ratelimit_match, ratelimit_match_fields);

static void check_ratelimit_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_ratelimit_rule *rule = object;
    (void)arena;
    if (rule->requests_per_unit == 0 && rule->tokens_per_unit == 0 && rule->cost_per_unit == 0 && rule->concurrent == 0)
        diag_warn(diag, "W_RATELIMIT", schema_at(object),
                  VSR_STR("set requests_per_unit, tokens_per_unit, cost_per_unit or concurrent"),
                  "the rule limits nothing");
}

static const char *const ratelimit_units[] = { "second", "minute", "hour", "day", "month", NULL };

#define T struct config_ratelimit_rule
static const struct field ratelimit_rule_fields[] = {
    { ROW(name, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Name of the rule's budgets." },
    { BLOCK(match, config_ratelimit_match_schema),
      .help = "Requests that the rule is for; all that is written must match." },
    { ROW(requests_per_unit, INT), BETWEEN(0, RATELIMIT_MOST), .fallback = "0",
      .help = "Most requests; 0 is unlimited." },
    { ROW(tokens_per_unit, INT), BETWEEN(0, RATELIMIT_MOST), .fallback = "0",
      .help = "Most tokens, of prompts and of answers; 0 is unlimited." },
    { ROW(cost_per_unit, NUMBER), BETWEEN(0, RATELIMIT_MOST_COST), .fallback = "0",
      .help = "Most that requests may cost by providers.models[].pricing; 0 is unlimited." },
    { ROW(currency, STRING), NONBLANK, .fallback = "USD",
      .help = "Currency of cost_per_unit; models that are priced in another one are not counted." },
    { ROW(concurrent, INT), COUNT, .fallback = "0", .help = "Most requests at once; 0 is unlimited." },
    { ROW(unit, ENUM), .fallback = "minute", .choices = ratelimit_units,
      .help = "Length of the window, which slides; a month is 30 days." },
};
#undef T
const struct schema config_ratelimit_rule_schema =
    SCHEMA("rate limit rule", struct config_ratelimit_rule, ratelimit_rule_fields, .check = check_ratelimit_rule);

static const struct schema ratelimit_provider_schema;

static void check_rule_names(const struct config_list *rules, struct arena *arena, struct diag *diag) {
    struct map names;
    map_init(&names, arena);
    CONFIG_EACH(const struct config_ratelimit_rule, rule, rules) {
        const struct config_ratelimit_rule *first = map_get(&names, rule->name);
        struct diag_at place;
        if (!first) {
            map_put(&names, rule->name, (void *)rule);
            continue;
        }
        place = schema_field_at(&config_ratelimit_rule_schema, first, "name", arena);
        diag_error(diag, "E_DUP", schema_field_at(&config_ratelimit_rule_schema, rule, "name", arena), VSR_STR(""),
                   "rate limit rule name \"%.*s\" is already used at line %u, column %u", VSR_FMT(rule->name),
                   place.line, place.col);
    }
}

static const char *const ratelimit_types[] = { "envoy-ratelimit", "local-limiter", "redis-limiter", NULL };

/* Keys of a provider that only some types read, as bits by enum config_ratelimit_type. */
static const struct {
    const char *field;
    unsigned types;
} ratelimit_keys[] = {
    { "address", 1u << RATELIMIT_ENVOY },
    { "redis", 1u << RATELIMIT_REDIS },
    { "rules", 1u << RATELIMIT_LOCAL | 1u << RATELIMIT_REDIS },
};

static void require(const struct config_ratelimit_provider *provider, const char *field, bool there,
                    struct arena *arena, struct diag *diag) {
    if (!there)
        diag_error(diag, "E_REQUIRED", schema_field_at(&ratelimit_provider_schema, provider, field, arena), VSR_STR(""),
                   "a provider of the type %s needs %s", ratelimit_types[provider->type], field);
}

enum { SHARED_RULES_MAX = 20 }; /* three budgets each: what one question to the server may be about */

/* A process that dies would hold its places in a shared count for ever. */
static void check_shared_rules(const struct config_ratelimit_provider *provider, struct arena *arena,
                               struct diag *diag) {
    CONFIG_EACH(const struct config_ratelimit_rule, rule, &provider->rules)
    if (rule->concurrent > 0)
        diag_error(diag, "E_CONFLICT", schema_field_at(&config_ratelimit_rule_schema, rule, "concurrent", arena),
                   VSR_STR("put the rule under a local-limiter"), "a redis-limiter does not count requests under way");
    if (provider->rules.n > SHARED_RULES_MAX)
        diag_error(diag, "E_RANGE", schema_field_at(&ratelimit_provider_schema, provider, "rules", arena), VSR_STR(""),
                   "a redis-limiter has at most %d rules, found %zu", SHARED_RULES_MAX, provider->rules.n);
}

/* What belongs to another type would be ignored: a limit that does not limit is refused. */
static void check_ratelimit_provider(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_ratelimit_provider *provider = object;
    for (size_t i = 0; i < VSR_COUNT(ratelimit_keys); i++)
        if (!(ratelimit_keys[i].types & 1u << provider->type) &&
            schema_present(&ratelimit_provider_schema, object, ratelimit_keys[i].field))
            diag_error(diag, "E_CONFLICT",
                       schema_field_at(&ratelimit_provider_schema, object, ratelimit_keys[i].field, arena), VSR_STR(""),
                       "%s is not for the type %s, which ignores it", ratelimit_keys[i].field,
                       ratelimit_types[provider->type]);
    if (provider->type == RATELIMIT_ENVOY) {
        require(provider, "address", str_trim(provider->address).len > 0, arena, diag);
    } else {
        require(provider, "rules", provider->rules.n > 0, arena, diag);
        check_rule_names(&provider->rules, arena, diag);
    }
    if (provider->type == RATELIMIT_REDIS) {
        require(provider, "redis", provider->redis != NULL, arena, diag);
        check_shared_rules(provider, arena, diag);
    }
}

#define T struct config_ratelimit_provider
static const struct field ratelimit_provider_fields[] = {
    { ROW(type, ENUM), .flags = FIELD_REQUIRED, .choices = ratelimit_types, .help = "Who counts." },
    { ROW(address, STRING), .help = "host:port of the service, which speaks gRPC; for envoy-ratelimit." },
    { ROW(domain, STRING), NONBLANK, .fallback = "semantic-router", .help = "Domain that the service is asked for." },
    { ROW(redis, OPTIONAL), .object = &config_redis_schema,
      .help = "The server of a redis-limiter, which several vsr share." },
    { ROW(rules, OBJECTS), .object = &config_ratelimit_rule_schema,
      .help = "Budgets of a local-limiter or redis-limiter." },
};
#undef T
static const struct schema ratelimit_provider_schema =
    SCHEMA("rate limit provider", struct config_ratelimit_provider, ratelimit_provider_fields,
           .check = check_ratelimit_provider);

#define T struct config_ratelimit
static const struct field ratelimit_fields[] = {
    { ROW(fail_open, BOOL), .help = "Let requests pass when a provider cannot be asked." },
    { ROW(providers, OBJECTS), .object = &ratelimit_provider_schema, .help = "Those who count; every one must agree." },
};
#undef T
static const struct schema ratelimit_schema = SCHEMA("ratelimit", struct config_ratelimit, ratelimit_fields);

/* ---- management_api */

static const char *const management_modes[] = { "disabled", "bearer", NULL };

#define T struct config_management_token
static const struct field management_token_fields[] = {
    { ROW(env, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Environment variable with the token." },
    { ROW(role, STRING), .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "What its bearer may do." },
};
#undef T
const struct schema config_management_token_schema =
    SCHEMA("token", struct config_management_token, management_token_fields);

#define VIEWER \
    "health.read, ready.read, docs.read, metrics.read, classify.invoke, config.read, replay.read, data.read, " \
    "cache.read, compression.read"
#define OPERATOR \
    VIEWER ", config.write, learning.ingest, replay.detail, data.write, cache.invalidate, compression.preview"

#define T struct config_management_auth
static const struct field management_auth_fields[] = {
    { ROW(mode, ENUM), .fallback = "disabled", .choices = management_modes,
      .help = "Whether callers must show a token." },
    { ROW(tokens, OBJECTS), .object = &config_management_token_schema, .help = "Accepted tokens." },
    { ROW(roles, STRINGS_MAP), .fallback = "{viewer: [" VIEWER "], operator: [" OPERATOR "], admin: [\"*\"]}",
      .help = "Permissions by role; unless some are written, viewer, operator and admin." },
};
#undef T
const struct schema config_management_auth_schema =
    SCHEMA("auth", struct config_management_auth, management_auth_fields);

#define T struct config_management_api
static const struct field management_api_fields[] = {
    { ROW(bind_address, STRING), NONBLANK, .fallback = "127.0.0.1", .help = "IP address or localhost." },
    { ROW(port, INT), PORT, .fallback = "8080", .help = "TCP port." },
    { ROW(remote_exposure, BOOL), .help = "Other machines may reach it; demands tokens." },
    { BLOCK(auth, config_management_auth_schema), .help = "Who may do what." },
};
#undef T
const struct schema config_management_api_schema =
    SCHEMA("management_api", struct config_management_api, management_api_fields);

/* ---- router_replay, startup_status */

#define T struct config_replay_milvus
static const struct field replay_milvus_fields[] = {
    { ROW(address, STRING), .help = "host:port of the server." },
    { ROW(username, STRING), .help = "User on the server." },
    { ROW(password, STRING), SECRET, .help = "Password of that user." },
    { ROW(collection_name, STRING), .help = "Collection of the records." },
    { ROW(consistency_level, STRING), .help = "Consistency of reads." },
    { ROW(shard_num, INT), COUNT, .help = "Shards of the collection; 0: the server's own number." },
};
#undef T
static const struct schema replay_milvus_schema = SCHEMA("milvus", struct config_replay_milvus, replay_milvus_fields);

/* By enum config_backend; an empty name is not allowed here. */
static const char *const replay_stores[] = { "", "memory",   "sqlite", "",       "",  "redis",
                                             "", "postgres", "milvus", "qdrant", NULL };

#define T struct config_router_replay
static const struct field router_replay_fields[] = {
    { ROW(enabled, BOOL), .help = "Record what was routed where, and why." },
    { ROW(store_backend, ENUM), .fallback = "sqlite", .choices = replay_stores, .help = "Where records are kept." },
    { ROW(ttl_seconds, INT), SECONDS, .fallback = "2592000", .help = "How long a record is kept; 0 is for ever." },
    { ROW(async_writes, BOOL), .help = "No effect; recording never delays a request." },
    { BLOCK(redis, config_redis_schema), .help = "The server of the backend redis." },
    { BLOCK(postgres, config_postgres_schema), .help = "The server of the backend postgres." },
    { BLOCK(milvus, replay_milvus_schema), .help = "The server of the backend milvus." },
    { BLOCK(qdrant, config_qdrant_schema), .help = "The server of the backend qdrant." },
};
#undef T
const struct schema config_router_replay_schema =
    SCHEMA("router_replay", struct config_router_replay, router_replay_fields);

#define T struct config_startup_redis
static const struct field startup_redis_fields[] = {
    { ROW(address, STRING), .help = "host:port of the server." },
    { ROW(password, STRING), SECRET, .help = "Password of the server." },
    { ROW(db, INT), COUNT, .fallback = "0", .help = "Number of the database." },
};
#undef T
static const struct schema startup_redis_schema = SCHEMA("redis", struct config_startup_redis, startup_redis_fields);

/* By enum config_backend; an empty name is not allowed here. */
static const char *const startup_stores[] = { "", "memory", "sqlite", "file", "", "redis", NULL };

#define T struct config_startup_status
static const struct field startup_status_fields[] = {
    { ROW(store_backend, ENUM), .fallback = "file", .choices = startup_stores,
      .help = "Where the start's progress is told: a file in the state directory, or a server." },
    { BLOCK(redis, startup_redis_schema), .help = "The server of the backend redis." },
};
#undef T
const struct schema config_startup_status_schema =
    SCHEMA("startup_status", struct config_startup_status, startup_status_fields);

/* ---- services */

#define T struct config_services
static const struct field services_fields[] = {
    { BLOCK(api, api_schema), .help = "The API for classification." },
    { BLOCK(response_api, config_response_api_schema), .help = "The Responses API." },
    { BLOCK(observability, observability_schema), .help = "Metrics and traces." },
    { BLOCK(authz, authz_schema), .help = "Identity and keys of callers." },
    { BLOCK(ratelimit, ratelimit_schema), .help = "Budgets of callers." },
    { BLOCK(management_api, config_management_api_schema), .help = "The API for operators." },
    { BLOCK(router_replay, config_router_replay_schema), .help = "Records of routed requests." },
    { BLOCK(startup_status, config_startup_status_schema), .help = "How far the start has come." },
};
#undef T
const struct schema config_services_schema = SCHEMA("services", struct config_services, services_fields);
