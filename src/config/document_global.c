/* Tables of `listeners` and `global` (config.md §5, §9). */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>

#include "config/document.h"
#include "config/document_tables.h"
#include "core/arena.h"

/* ---- listeners */

static const struct field listener_fields[] = {
    { "name", FIELD_STRING, offsetof(struct config_listener, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name in logs and metrics." },
    { "address", FIELD_STRING, offsetof(struct config_listener, address), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "IP address or localhost; 0.0.0.0 and :: stand for all." },
    { "port", FIELD_INT, offsetof(struct config_listener, port), .flags = FIELD_REQUIRED | FIELD_RANGE, .least = 1,
      .greatest = 65535, .help = "TCP port." },
    { "timeout", FIELD_DURATION, offsetof(struct config_listener, timeout_ms), .flags = FIELD_RANGE, .fallback = "300s",
      .least = 1, .greatest = INFINITY,
      .help = "Longest wait for a backend's answer, and for the next byte of a stream." },
    { "api_keys", FIELD_STRINGS, offsetof(struct config_listener, api_keys), .flags = FIELD_SECRET,
      .help = "Accepted bearer tokens; an empty one matches nothing." },
    { "api_key_envs", FIELD_STRINGS, offsetof(struct config_listener, api_key_envs),
      .help = "Environment variables that hold accepted tokens." },
    { "trust_identity_headers", FIELD_BOOL, offsetof(struct config_listener, trust_identity_headers),
      .help = "Keep the caller's identity headers; only behind an authenticating proxy." },
};

static bool is_ip_address(struct arena *arena, vsr_str text) {
    unsigned char address[sizeof(struct in6_addr)];
    const char *c_text = arena_c_str(arena, text);
    if (strlen(c_text) != text.len)
        return false;
    return inet_pton(AF_INET, c_text, address) == 1 || inet_pton(AF_INET6, c_text, address) == 1;
}

static void check_listener(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_listener *listener = object;
    if (str_eq_c(listener->address, "localhost") || is_ip_address(arena, listener->address))
        return;
    if (yaml_get(listener->at.node, VSR_STR("address"))->reference)
        return;
    diag_error(diag, "E_TYPE", schema_field_at(&config_listener_schema, object, "address", arena), VSR_STR(""),
               "expected an IP address or localhost");
}

const struct schema config_listener_schema =
    SCHEMA("listener", struct config_listener, listener_fields, .check = check_listener);

/* ---- global.router */

static const char *const strategies[] = { "", "priority", "confidence", NULL };

static const struct field streamed_body_fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct config_streamed_body, enabled),
      .help = "No effect; bodies are handled as they come." },
    { "max_bytes", FIELD_INT, offsetof(struct config_streamed_body, max_bytes), .flags = FIELD_RANGE,
      .fallback = "67108864", .least = 0, .greatest = INFINITY, .help = "Largest request body; 0 is unlimited." },
    { "timeout_sec", FIELD_INT, offsetof(struct config_streamed_body, timeout_sec), .flags = FIELD_RANGE,
      .fallback = "60", .least = 0, .greatest = 86400, .help = "Longest time to receive a body; 0 is unlimited." },
};
static const struct schema streamed_body_schema =
    SCHEMA("streamed_body", struct config_streamed_body, streamed_body_fields);

static const struct field skip_processing_fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct config_skip_processing, enabled),
      .help = "Honour the request header x-vsr-skip-processing." },
};
static const struct schema skip_processing_schema =
    SCHEMA("skip_processing", struct config_skip_processing, skip_processing_fields);

static const struct field context_estimate_fields[] = {
    { "structured_bytes_per_token", FIELD_NUMBER, offsetof(struct config_context_estimate, structured_bytes_per_token),
      .flags = FIELD_RANGE, .fallback = "3.0", .least = 1, .greatest = INFINITY,
      .help = "Bytes of JSON that count as one token." },
};
static const struct schema context_estimate_schema =
    SCHEMA("context_estimate", struct config_context_estimate, context_estimate_fields);

static const struct field router_fields[] = {
    { "strategy", FIELD_ENUM, offsetof(struct config_router, strategy), .choices = strategies,
      .help = "Strategy of profiles that name none." },
    { "auto_model_name", FIELD_STRING, offsetof(struct config_router, auto_model_name), .fallback = "MoM",
      .help = "Third name of the automatic model, beside vllm-sr/auto and auto." },
    { "auto_model_names", FIELD_STRINGS, offsetof(struct config_router, auto_model_names),
      .help = "All names of the automatic model; an empty list means none." },
    { "include_config_models_in_list", FIELD_BOOL, offsetof(struct config_router, include_config_models_in_list),
      .help = "List backend models under /v1/models too." },
    { "streamed_body", FIELD_OBJECT, offsetof(struct config_router, streamed_body), .object = &streamed_body_schema,
      .help = "Limits on receiving a request body." },
    { "skip_processing", FIELD_OBJECT, offsetof(struct config_router, skip_processing),
      .object = &skip_processing_schema, .help = "Pass-through on request." },
    { "signal_window_chars", FIELD_INT, offsetof(struct config_router, signal_window_chars), .flags = FIELD_RANGE,
      .fallback = "2048", .least = 0, .greatest = INT32_MAX,
      .help = "Longest text that learned signals read at once; 0 is off." },
    { "context_estimate", FIELD_OBJECT, offsetof(struct config_router, context_estimate),
      .object = &context_estimate_schema, .help = "How request sizes become tokens." },
};
const struct schema config_router_schema = SCHEMA("router", struct config_router, router_fields);

/* ---- global.services.authz */

static const struct field authz_identity_fields[] = {
    { "user_id_header", FIELD_STRING, offsetof(struct config_authz_identity, user_id_header), .flags = FIELD_NONBLANK,
      .fallback = "x-authz-user-id", .help = "Header with the user's id." },
    { "user_groups_header", FIELD_STRING, offsetof(struct config_authz_identity, user_groups_header),
      .flags = FIELD_NONBLANK, .fallback = "x-authz-user-groups", .help = "Header with the user's groups." },
};
static const struct schema authz_identity_schema =
    SCHEMA("identity", struct config_authz_identity, authz_identity_fields);

static const char *const authz_types[] = { "header-injection", "static-config", NULL };

static const struct field authz_provider_fields[] = {
    { "type", FIELD_ENUM, offsetof(struct config_authz_provider, type), .flags = FIELD_REQUIRED, .choices = authz_types,
      .help = "Where a backend's key comes from." },
    { "headers", FIELD_PAIRS, offsetof(struct config_authz_provider, headers),
      .help = "Request headers that carry keys, by provider." },
};
const struct schema config_authz_provider_schema =
    SCHEMA("authz provider", struct config_authz_provider, authz_provider_fields);

static const struct field authz_fields[] = {
    { "fail_open", FIELD_BOOL, offsetof(struct config_authz, fail_open),
      .help = "Forward without a key when the chain finds none." },
    { "identity", FIELD_OBJECT, offsetof(struct config_authz, identity), .object = &authz_identity_schema,
      .help = "Headers that identify the caller." },
    { "providers", FIELD_OBJECTS, offsetof(struct config_authz, providers), .object = &config_authz_provider_schema,
      .help = "Chain of key sources; the first key wins." },
};
static const struct schema authz_schema = SCHEMA("authz", struct config_authz, authz_fields);

static const struct field services_fields[] = {
    { "authz", FIELD_OBJECT, offsetof(struct config_services, authz), .object = &authz_schema,
      .help = "Identity and keys of callers." },
};
static const struct schema services_schema = SCHEMA("services", struct config_services, services_fields);

static const struct field global_fields[] = {
    { "router", FIELD_OBJECT, offsetof(struct config_global, router), .object = &config_router_schema,
      .help = "Behaviour of the router." },
    { "services", FIELD_OBJECT, offsetof(struct config_global, services), .object = &services_schema,
      .help = "Services around the router." },
};
const struct schema config_global_schema = SCHEMA("global", struct config_global, global_fields);
