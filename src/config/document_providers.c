/* Tables of the block `providers` (config.md §6). */
#include <math.h>

#include "config/check.h"
#include "config/document.h"
#include "config/document_tables.h"

/* ---- reasoning families */

static const char *const reasoning_types[] = { "chat_template_kwargs", "reasoning_effort", "top_level_reasoning_effort",
                                               NULL };

static const struct field reasoning_family_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_reasoning_family, name), .flags = FIELD_KEY,
      .help = "The key of the family." },
    { "type", FIELD_ENUM, offsetof(struct config_reasoning_family, type), .flags = FIELD_REQUIRED,
      .choices = reasoning_types, .help = "How a request switches reasoning on and off." },
    { "parameter", FIELD_STRING, offsetof(struct config_reasoning_family, parameter),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "The member of the request that carries the switch." },
};

static const struct schema reasoning_family_schema;

static void check_reasoning_family(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_reasoning_family *family = object;
    if (family->type != REASONING_TOP_LEVEL_EFFORT || str_eq_c(family->parameter, "reasoning_effort"))
        return;
    diag_error(diag, "E_ENUM", schema_field_at(&reasoning_family_schema, object, "parameter", arena), VSR_STR(""),
               "must be \"reasoning_effort\" for the type top_level_reasoning_effort");
}

static const struct schema reasoning_family_schema = SCHEMA("reasoning family", struct config_reasoning_family,
                                                            reasoning_family_fields, .check = check_reasoning_family);

/* ---- defaults */

static const struct field provider_defaults_fields[] = {
    { "default_model", FIELD_STRING, offsetof(struct config_provider_defaults, default_model),
      .help = "Model card or LoRA that answers when no decision matches." },
    { "default_reasoning_effort", FIELD_STRING, offsetof(struct config_provider_defaults, default_reasoning_effort),
      .fallback = "medium", .help = "Effort of a reasoning model whose decision names none." },
    { "reasoning_families", FIELD_OBJECT_MAP, offsetof(struct config_provider_defaults, reasoning_families),
      .object = &reasoning_family_schema, .help = "Ways of switching reasoning, by name." },
};

const struct schema config_provider_defaults_schema =
    SCHEMA("provider defaults", struct config_provider_defaults, provider_defaults_fields);

/* ---- pricing */

#define RATE .flags = FIELD_RANGE, .least = 0, .greatest = INFINITY

static const struct field pricing_fields[] = {
    { "currency", FIELD_STRING, offsetof(struct config_pricing, currency), .fallback = "USD",
      .help = "Currency of the rates; costs in different currencies are never compared." },
    { "prompt_per_1m", FIELD_NUMBER, offsetof(struct config_pricing, prompt_per_1m), RATE,
      .help = "Price of a million prompt tokens." },
    { "completion_per_1m", FIELD_NUMBER, offsetof(struct config_pricing, completion_per_1m), RATE,
      .help = "Price of a million completion tokens." },
    { "cached_input_per_1m", FIELD_NUMBER, offsetof(struct config_pricing, cached_input_per_1m), RATE,
      .help = "Price of a million prompt tokens read from the provider's cache; unset: the prompt rate." },
    { "cache_write_per_1m", FIELD_NUMBER, offsetof(struct config_pricing, cache_write_per_1m), RATE,
      .help = "Price of a million prompt tokens written to the provider's cache; unset: the prompt rate." },
};

#undef RATE

static const struct schema pricing_schema = SCHEMA("pricing", struct config_pricing, pricing_fields);

/* ---- reliability */

static const char *const lb_policies[] = { "round_robin", "least_request", NULL };

#define LIMIT(name, value) \
    offsetof(struct config_circuit, name), .flags = FIELD_RANGE, .fallback = value, .least = 1, .greatest = INT32_MAX

static const struct field circuit_fields[] = {
    { "max_requests", FIELD_INT, LIMIT(max_requests, "4096"), .help = "Most requests under way to the model." },
    { "max_pending", FIELD_INT, LIMIT(max_pending, "1024"),
      .help = "Most requests that wait for a connection to one endpoint." },
    { "max_connections", FIELD_INT, LIMIT(max_connections, "1024"), .help = "Most connections to one endpoint." },
};

#undef LIMIT

static const struct schema circuit_schema = SCHEMA("circuit", struct config_circuit, circuit_fields);

static const struct field hedge_fields[] = {
    { "after", FIELD_DURATION, offsetof(struct config_hedge, after_ms), .flags = FIELD_REQUIRED | FIELD_RANGE,
      .least = 1, .greatest = INFINITY, .help = "Time without an answer after which another endpoint is asked too." },
    { "max_percent", FIELD_INT, offsetof(struct config_hedge, max_percent), .flags = FIELD_RANGE, .fallback = "5",
      .least = 1, .greatest = 100, .help = "Most second attempts, in percent of the model's requests." },
};

const struct schema config_hedge_schema = SCHEMA("hedge", struct config_hedge, hedge_fields);

static const struct field reliability_fields[] = {
    { "lb_policy", FIELD_ENUM, offsetof(struct config_reliability, lb_policy), .fallback = "round_robin",
      .choices = lb_policies, .help = "How an endpoint is chosen among those of the model." },
    { "retry_count", FIELD_INT, offsetof(struct config_reliability, retry_count), .flags = FIELD_RANGE, .fallback = "0",
      .least = 0, .greatest = 5,
      .help = "Attempts after the first, each on another endpoint where there is one. Neither this nor retry_on "
              "written, and several endpoints: one, after 5xx or 429." },
    { "retry_on", FIELD_STRING, offsetof(struct config_reliability, retry_on),
      .help = "Comma-separated reasons: connect-failure, refused-stream (the same), reset, gateway-error, 5xx, "
              "retriable-4xx, or a status; connect-failure when retry_count is set." },
    { "consecutive_5xx", FIELD_INT, offsetof(struct config_reliability, consecutive_5xx), .flags = FIELD_RANGE,
      .fallback = "0", .least = 0, .greatest = INT32_MAX,
      .help = "Server errors in a row after which an endpoint is ejected; 0 is off." },
    { "base_ejection_time", FIELD_DURATION, offsetof(struct config_reliability, base_ejection_time_ms),
      .flags = FIELD_RANGE, .fallback = "30s", .least = 1, .greatest = INFINITY,
      .help = "Length of the first ejection; later ones are multiples, up to 300s." },
    { "max_ejection_percent", FIELD_INT, offsetof(struct config_reliability, max_ejection_percent),
      .flags = FIELD_RANGE, .fallback = "50", .least = 0, .greatest = 100,
      .help = "Most endpoints of a model that may be ejected at once." },
    { "health_check_path", FIELD_STRING, offsetof(struct config_reliability, health_check_path),
      .help = "Path whose answer 200 means healthy; unset: no active checks." },
    { "health_check_interval", FIELD_DURATION, offsetof(struct config_reliability, health_check_interval_ms),
      .flags = FIELD_RANGE, .fallback = "10s", .least = 1, .greatest = INFINITY, .help = "Time between two checks." },
    { "health_check_timeout", FIELD_DURATION, offsetof(struct config_reliability, health_check_timeout_ms),
      .flags = FIELD_RANGE, .fallback = "2s", .least = 1, .greatest = INFINITY, .help = "Longest time of one check." },
    { "hedge", FIELD_OPTIONAL, offsetof(struct config_reliability, hedge), .object = &config_hedge_schema,
      .help = "Ask a second endpoint when the first is slow, and take the answer that begins first." },
    { "slow_start", FIELD_DURATION, offsetof(struct config_reliability, slow_start_ms), .flags = FIELD_RANGE,
      .fallback = "0s", .least = 0, .greatest = INFINITY,
      .help = "Time in which an endpoint that came back grows to its whole weight; 0 is at once." },
    { "circuit", FIELD_OBJECT, offsetof(struct config_reliability, circuit), .object = &circuit_schema,
      .help = "Limits of the model and of its endpoints; what is beyond them is answered 503." },
};

static void check_reliability(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_reliability *reliability = object;
    vsr_str path = reliability->health_check_path;
    if (path.len && !check_is_path(path))
        diag_error(diag, "E_TYPE", schema_field_at(&config_reliability_schema, object, "health_check_path", arena),
                   VSR_STR(""), "expected a path that starts with \"/\", of characters that a URL may hold");
}

const struct schema config_reliability_schema =
    SCHEMA("reliability", struct config_reliability, reliability_fields, .check = check_reliability);

/* ---- endpoints */

static const char *const protocols[] = { "http", "https", NULL };

const char *const config_provider_names[] = { "",          "openai",  "anthropic", "azure-openai", "bedrock", "gemini",
                                              "vertex-ai", "minimax", NULL };

static const struct field backend_tls_fields[] = {
    { "ca_file", FIELD_STRING, offsetof(struct config_backend_tls, ca_file),
      .help = "Authorities that the endpoint's certificate may come from; unset: the system's." },
    { "cert_file", FIELD_STRING, offsetof(struct config_backend_tls, cert_file),
      .help = "Certificate shown to the endpoint." },
    { "key_file", FIELD_STRING, offsetof(struct config_backend_tls, key_file), .help = "Key of that certificate." },
    { "server_name", FIELD_STRING, offsetof(struct config_backend_tls, server_name),
      .help = "Name that the certificate must have; unset: the host." },
    { "insecure_skip_verify", FIELD_BOOL, offsetof(struct config_backend_tls, insecure_skip_verify),
      .help = "Accept any certificate." },
};

static void check_backend_tls(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_backend_tls *tls = object;
    bool cert = tls->cert_file.len > 0;
    if (cert != (tls->key_file.len > 0))
        diag_error(diag, "E_REQUIRED",
                   schema_field_at(&config_backend_tls_schema, object, cert ? "cert_file" : "key_file", arena),
                   VSR_STR(""), "cert_file and key_file go together");
}

const struct schema config_backend_tls_schema =
    SCHEMA("tls", struct config_backend_tls, backend_tls_fields, .check = check_backend_tls);

static const struct field backend_ref_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_backend_ref, name),
      .help = "Name of the endpoint in logs and metrics; primary, then backend-2, backend-3, ..." },
    { "endpoint", FIELD_STRING, offsetof(struct config_backend_ref, endpoint),
      .help = "host, host:port or [v6]:port, with an optional scheme and path; or unix:PATH, a socket." },
    { "base_url", FIELD_STRING, offsetof(struct config_backend_ref, base_url),
      .help = "Absolute URL of the API's root, such as https://host/v1." },
    { "protocol", FIELD_ENUM, offsetof(struct config_backend_ref, protocol), .fallback = "http", .choices = protocols,
      .help = "Scheme of an endpoint that names none." },
    { "weight", FIELD_INT, offsetof(struct config_backend_ref, weight), .flags = FIELD_RANGE, .fallback = "1",
      .least = 0, .greatest = 1000000, .help = "Relative share of the traffic; 0 drains the endpoint." },
    { "type", FIELD_STRING, offsetof(struct config_backend_ref, type),
      .help = "Key into external_model_ids; the provider, else vllm." },
    { "provider", FIELD_ENUM, offsetof(struct config_backend_ref, provider), .choices = config_provider_names,
      .help = "Vendor whose paths and headers are used." },
    { "auth_header", FIELD_STRING, offsetof(struct config_backend_ref, auth_header),
      .help = "Header that carries the key." },
    { "auth_prefix", FIELD_STRING, offsetof(struct config_backend_ref, auth_prefix),
      .help = "Word before the key; empty for none." },
    { "extra_headers", FIELD_PAIRS, offsetof(struct config_backend_ref, extra_headers), .flags = FIELD_SECRET,
      .help = "Headers set on every request to this endpoint." },
    { "api_version", FIELD_STRING, offsetof(struct config_backend_ref, api_version),
      .help = "Query parameter api-version of azure-openai." },
    { "chat_path", FIELD_STRING, offsetof(struct config_backend_ref, chat_path),
      .help = "Whole path of a chat completion." },
    { "api_key", FIELD_STRING, offsetof(struct config_backend_ref, api_key), .flags = FIELD_SECRET,
      .help = "The key itself, preferably as ${NAME}." },
    { "api_key_env", FIELD_STRING, offsetof(struct config_backend_ref, api_key_env),
      .help = "Environment variable that holds the key." },
    { "tls", FIELD_OPTIONAL, offsetof(struct config_backend_ref, tls_options), .object = &config_backend_tls_schema,
      .help = "How TLS with the endpoint is verified." },
    { "proxy", FIELD_STRING, offsetof(struct config_backend_ref, proxy), .flags = FIELD_SECRET,
      .help = "HTTP proxy on the way to the endpoint, as http://[user:password@]host:port." },
};

const struct schema config_backend_ref_schema =
    SCHEMA("backend reference", struct config_backend_ref, backend_ref_fields);

/* ---- models */

/* By enum config_api_format. */
static const char *const api_formats[] = { "openai", "anthropic", "openai-responses", NULL };

static const struct field provider_model_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_provider_model, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Logical name, that of a model card." },
    { "provider_model_id", FIELD_STRING, offsetof(struct config_provider_model, provider_model_id),
      .help = "What the backend calls the model." },
    { "external_model_ids", FIELD_PAIRS, offsetof(struct config_provider_model, external_model_ids),
      .help = "What backends call the model, by endpoint type; `default` for the rest." },
    { "reasoning_family", FIELD_STRING, offsetof(struct config_provider_model, reasoning_family),
      .help = "Key of providers.defaults.reasoning_families." },
    { "api_format", FIELD_ENUM, offsetof(struct config_provider_model, api_format), .fallback = "openai",
      .choices = api_formats, .help = "Wire format of the backend." },
    { "pricing", FIELD_OPTIONAL, offsetof(struct config_provider_model, pricing), .object = &pricing_schema,
      .help = "Prices, for cost metrics and cost-aware selection." },
    { "reliability", FIELD_OBJECT, offsetof(struct config_provider_model, reliability),
      .object = &config_reliability_schema, .help = "Balancing, retries, ejection and health checks." },
    { "backend_refs", FIELD_OBJECTS, offsetof(struct config_provider_model, backend_refs),
      .object = &config_backend_ref_schema, .help = "Endpoints that serve the model." },
};

const struct schema config_provider_model_schema =
    SCHEMA("provider model", struct config_provider_model, provider_model_fields);

static const struct field providers_fields[] = {
    { "defaults", FIELD_OBJECT, offsetof(struct config_providers, defaults), .object = &config_provider_defaults_schema,
      .help = "What holds for all models." },
    { "models", FIELD_OBJECTS, offsetof(struct config_providers, models), .object = &config_provider_model_schema,
      .help = "Logical models and where they run." },
};

const struct schema config_providers_schema = SCHEMA("providers", struct config_providers, providers_fields);
