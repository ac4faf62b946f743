/*
 * global_services - the structs of `global.services`: APIs, metrics and traces, who may do how much. See global.h.
 */
#ifndef VSR_CONFIG_GLOBAL_SERVICES_H
#define VSR_CONFIG_GLOBAL_SERVICES_H

#include "config/global_shared.h"

struct config_batch_size_range {
    struct config_at at;
    int64_t min, max; /* max -1: open */
    vsr_str label;
};

struct config_batch_metrics {
    struct config_at at;
    bool enabled;
    double sample_rate;
    struct config_list batch_size_ranges;                     /* struct config_batch_size_range */
    struct config_numbers duration_buckets, size_buckets;     /* rising */
    bool detailed_goroutine_tracking, high_resolution_timing; /* no effect */
};

struct config_batch_classification {
    struct config_at at;
    int64_t max_batch_size, concurrency_threshold, max_concurrency;
    struct config_batch_metrics metrics;
};

struct config_api {
    struct config_at at;
    struct config_batch_classification batch_classification;
};

struct config_response_redis {
    struct config_at at;
    vsr_str address, password, key_prefix;
    int64_t db;
    bool cluster_mode;
    struct config_strings cluster_addresses;
    int64_t pool_size, min_idle_conns, max_retries;
    int64_t dial_timeout, read_timeout, write_timeout; /* seconds; 0: the client's own */
    bool tls_enabled;
    vsr_str tls_cert_path, tls_key_path, tls_ca_path;
    vsr_str config_path; /* a file with the same keys; what is written here wins */
};

struct config_response_api {
    struct config_at at;
    bool enabled;
    int store_backend; /* enum config_backend */
    int64_t ttl_seconds, max_responses;
    int64_t event_ttl_seconds; /* of the events of a response, from its end */
    int64_t max_background;    /* of one worker */
    struct config_response_redis redis;
    struct config_postgres postgres;
};

struct config_windowed_metrics {
    struct config_at at;
    bool enabled;
    struct config_strings time_windows;
    int64_t update_interval_ms;
    bool model_metrics, queue_depth_estimation;
    int64_t max_models;
};

struct config_metrics {
    struct config_at at;
    bool enabled;
    struct config_windowed_metrics windowed_metrics;
};

enum config_exporter_type { EXPORTER_OTLP, EXPORTER_STDOUT };

struct config_exporter {
    struct config_at at;
    int type; /* enum config_exporter_type */
    vsr_str endpoint;
    bool insecure;
};

/* The last two are other names of SAMPLING_PROBABILISTIC. */
enum config_sampling_type {
    SAMPLING_ALWAYS_ON,
    SAMPLING_ALWAYS_OFF,
    SAMPLING_PROBABILISTIC,
    SAMPLING_TRACEIDRATIO,
    SAMPLING_TRACE_ID_RATIO
};

struct config_sampling {
    struct config_at at;
    int type; /* enum config_sampling_type */
    double rate;
};

struct config_trace_resource {
    struct config_at at;
    vsr_str service_name, service_version, deployment_environment;
};

struct config_tracing {
    struct config_at at;
    bool enabled;
    vsr_str provider;
    struct config_exporter exporter;
    struct config_sampling sampling;
    struct config_trace_resource resource;
};

struct config_observability {
    struct config_at at;
    struct config_metrics metrics;
    struct config_tracing tracing;
};

struct config_authz_identity {
    struct config_at at;
    vsr_str user_id_header, user_groups_header;
};

struct config_authz_provider {
    struct config_at at;
    int type;                    /* 0 header-injection, 1 static-config */
    struct config_pairs headers; /* provider name -> header name */
};

struct config_authz {
    struct config_at at;
    bool fail_open;
    struct config_authz_identity identity;
    struct config_list providers; /* struct config_authz_provider */
};

enum config_ratelimit_type { RATELIMIT_ENVOY, RATELIMIT_LOCAL, RATELIMIT_REDIS };
/* A month is 30 days: budgets slide, they know no calendar. */
enum config_ratelimit_unit { RATELIMIT_SECOND, RATELIMIT_MINUTE, RATELIMIT_HOUR, RATELIMIT_DAY, RATELIMIT_MONTH };

/* Empty and `*` stand for any. */
struct config_ratelimit_match {
    struct config_at at;
    vsr_str user, group, tenant, model;
    vsr_str key; /* name of the variable that a listener's key comes from */
};

struct config_ratelimit_rule {
    struct config_at at;
    vsr_str name;
    struct config_ratelimit_match match;
    int64_t requests_per_unit, tokens_per_unit; /* 0: unlimited */
    double cost_per_unit;                       /* in `currency`; 0: unlimited */
    vsr_str currency;
    int64_t concurrent; /* requests under way; 0: unlimited */
    int unit;           /* enum config_ratelimit_unit */
};

struct config_ratelimit_provider {
    struct config_at at;
    int type; /* enum config_ratelimit_type */
    vsr_str address, domain;
    const struct config_redis *redis; /* NULL: not written */
    struct config_list rules;         /* struct config_ratelimit_rule */
};

struct config_ratelimit {
    struct config_at at;
    bool fail_open;
    struct config_list providers; /* struct config_ratelimit_provider */
};

enum config_management_mode { MANAGEMENT_AUTH_DISABLED, MANAGEMENT_AUTH_BEARER };

struct config_management_token {
    struct config_at at;
    vsr_str env, role;
    vsr_str value; /* derived: of the variable; empty: no such token */
};

struct config_management_auth {
    struct config_at at;
    int mode;                        /* enum config_management_mode */
    struct config_list tokens;       /* struct config_management_token */
    struct config_strings_map roles; /* role -> permissions; the built-in three unless some are written */
};

struct config_management_api {
    struct config_at at;
    vsr_str bind_address;
    int64_t port;
    bool remote_exposure;
    struct config_management_auth auth;
};

struct config_replay_milvus {
    struct config_at at;
    vsr_str address, username, password, collection_name, consistency_level;
    int64_t shard_num;
};

struct config_router_replay {
    struct config_at at;
    bool enabled;
    int store_backend; /* enum config_backend */
    int64_t ttl_seconds;
    bool async_writes; /* no effect */
    struct config_redis redis;
    struct config_postgres postgres;
    struct config_replay_milvus milvus;
    struct config_qdrant qdrant;
};

struct config_startup_redis {
    struct config_at at;
    vsr_str address, password;
    int64_t db;
};

struct config_startup_status {
    struct config_at at;
    int store_backend; /* enum config_backend */
    struct config_startup_redis redis;
};

struct config_services {
    struct config_at at;
    struct config_api api;
    struct config_response_api response_api;
    struct config_observability observability;
    struct config_authz authz;
    struct config_ratelimit ratelimit;
    struct config_management_api management_api;
    struct config_router_replay router_replay;
    struct config_startup_status startup_status;
};

#endif
