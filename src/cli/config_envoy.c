/*
 * config_envoy - `vsr config envoy`: the configuration of an Envoy that asks this policy's vsr.
 *
 * A whole bootstrap document: the policy's listeners, the external processing filter, one route and one cluster for
 * each model, and what the policy says of their endpoints (weights, TLS, retries, ejection, health checks, limits), so
 * that Envoy calls backends as vsr itself would. JSON, which Envoy reads as it reads YAML.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_source.h"
#include "cli/socket_text.h"
#include "config/document.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "plugin/image_gen.h"
#include "provider/credentials.h"

enum {
    ENVOY_LEN_MAX = 64 << 20,
    ENVOY_BUFFER_LEN = 500 << 20, /* where no limit of bodies is set */
    ENVOY_BUFFER_SPARE = 1 << 20,
    CONNECT_TIMEOUT_MS = 10000,
    MESSAGE_TIMEOUT_MS = 30000,
    IMAGE_TIMEOUT_MS = 120000, /* the longest that a picture may take by itself */
    MS_TEXT_LEN = 32,
};

#define TYPE(name) "type.googleapis.com/envoy.extensions." name

struct printing {
    struct json_writer w;
    const struct cli *cli;
    const struct config_document *doc;
    struct arena *arena;
    vsr_str extproc_host;
    uint16_t extproc_port;
    vsr_str listen_host; /* empty: where the policy says */
    uint16_t listen_port;
};

/* ---- members */

static void key(struct printing *p, const char *name) {
    json_write_key(&p->w, str_from_c(name));
}

static void begin(struct printing *p, const char *name) {
    if (name)
        key(p, name);
    json_write_begin_object(&p->w);
}

static void begin_list(struct printing *p, const char *name) {
    key(p, name);
    json_write_begin_array(&p->w);
}

static void end(struct printing *p) {
    json_write_end(&p->w);
}

static void text(struct printing *p, const char *name, vsr_str value) {
    key(p, name);
    json_write_str(&p->w, value);
}

static void word(struct printing *p, const char *name, const char *value) {
    text(p, name, str_from_c(value));
}

static void number(struct printing *p, const char *name, int64_t value) {
    key(p, name);
    json_write_i64(&p->w, value);
}

static void truth(struct printing *p, const char *name, bool value) {
    key(p, name);
    json_write_bool(&p->w, value);
}

/* Durations are text of seconds. */
static void duration(struct printing *p, const char *name, int64_t ms) {
    char value[MS_TEXT_LEN];
    if (ms % 1000 == 0)
        (void)snprintf(value, sizeof(value), "%llds", (long long)(ms / 1000));
    else
        (void)snprintf(value, sizeof(value), "%lld.%03llds", (long long)(ms / 1000), (long long)(ms % 1000));
    word(p, name, value);
}

static void words(struct printing *p, const char *name, const char *const *values, size_t n) {
    begin_list(p, name);
    for (size_t i = 0; i < n; i++)
        json_write_str(&p->w, str_from_c(values[i]));
    end(p);
}

static void begin_typed(struct printing *p, const char *name, const char *type) {
    word(p, "name", name);
    begin(p, "typed_config");
    word(p, "@type", type);
}

static void address(struct printing *p, vsr_str host, int64_t port) {
    begin(p, "address");
    begin(p, "socket_address");
    text(p, "address", host);
    number(p, "port_value", port);
    end(p);
    end(p);
}

static vsr_str cluster_name(struct printing *p, vsr_str model) {
    return arena_printf(p->arena, "model/%.*s", VSR_FMT(model));
}

/* ---- routes */

static const struct config_provider_model *model_at(const struct printing *p, size_t i) {
    return (const struct config_provider_model *)p->doc->providers.models.items + i;
}

static const struct config_backend_ref *ref_at(const struct config_provider_model *model, size_t i) {
    return (const struct config_backend_ref *)model->backend_refs.items + i;
}

static bool takes_requests(const struct config_backend_ref *ref) {
    return ref->weight > 0;
}

/* The authority of all endpoints, or nothing when they differ. */
static vsr_str one_authority(const struct config_provider_model *model) {
    vsr_str authority = { NULL, 0 };
    for (size_t i = 0; i < model->backend_refs.n; i++) {
        const struct config_backend_ref *ref = ref_at(model, i);
        if (!takes_requests(ref))
            continue;
        if (authority.ptr && !str_eq(authority, ref->authority))
            return (vsr_str){ NULL, 0 };
        authority = ref->authority;
    }
    return authority;
}

static bool has_endpoint(const struct config_provider_model *model) {
    for (size_t i = 0; i < model->backend_refs.n; i++)
        if (takes_requests(ref_at(model, i)))
            return true;
    return false;
}

static const struct {
    unsigned bit;
    const char *name;
} retry_names[] = {
    { RETRY_CONNECT_FAILURE, "connect-failure,refused-stream" },
    { RETRY_RESET, "reset" },
    { RETRY_GATEWAY_ERROR, "gateway-error" },
    { RETRY_5XX, "5xx" },
    { RETRY_RETRIABLE_4XX, "retriable-4xx" },
};

static void put_statuses(struct printing *p, const struct config_reliability *reliability) {
    begin_list(p, "retriable_status_codes");
    for (int64_t status = 100; status < 600; status++)
        if (reliability->retry_status[status / 64] & ((uint64_t)1 << status % 64))
            json_write_i64(&p->w, status);
    end(p);
}

static void put_retries(struct printing *p, const struct config_reliability *reliability) {
    vsr_str on = VSR_STR("");
    bool statuses = false;
    for (size_t i = 0; i < VSR_COUNT(retry_names); i++)
        if (reliability->retry_mask & retry_names[i].bit)
            on = arena_printf(p->arena, "%.*s%s%s", VSR_FMT(on), on.len ? "," : "", retry_names[i].name);
    for (size_t i = 0; i < VSR_COUNT(reliability->retry_status); i++)
        statuses |= reliability->retry_status[i] != 0;
    if (statuses)
        on = arena_printf(p->arena, "%.*s%sretriable-status-codes", VSR_FMT(on), on.len ? "," : "");
    if (reliability->retry_count == 0 || on.len == 0)
        return;
    begin(p, "retry_policy");
    text(p, "retry_on", on);
    number(p, "num_retries", reliability->retry_count);
    if (statuses)
        put_statuses(p, reliability);
    end(p);
}

static void put_target(struct printing *p, const struct config_provider_model *model, int64_t timeout_ms) {
    vsr_str authority = one_authority(model);
    begin(p, "route");
    text(p, "cluster", cluster_name(p, model->name));
    duration(p, "timeout", 0); /* a live stream may be as long as it likes */
    duration(p, "idle_timeout", timeout_ms);
    if (authority.ptr)
        text(p, "host_rewrite_literal", authority);
    else
        truth(p, "auto_host_rewrite", true);
    put_retries(p, &model->reliability);
    end(p);
}

static void put_route(struct printing *p, const struct config_provider_model *model, vsr_str name, int64_t timeout_ms) {
    begin(p, NULL);
    begin(p, "match");
    word(p, "prefix", "/");
    begin_list(p, "headers");
    begin(p, NULL);
    word(p, "name", "x-selected-model");
    begin(p, "string_match");
    text(p, "exact", name);
    end(p);
    end(p);
    end(p);
    end(p);
    put_target(p, model, timeout_ms);
    end(p);
}

static void put_adapters(struct printing *p, const struct config_provider_model *model, int64_t timeout_ms) {
    const struct config_list *cards = &p->doc->routing.model_cards;
    for (size_t i = 0; i < cards->n; i++) {
        const struct config_model_card *card = (const struct config_model_card *)cards->items + i;
        if (!str_eq(card->name, model->name))
            continue;
        for (size_t j = 0; j < card->loras.n; j++)
            put_route(p, model, ((const struct config_lora *)card->loras.items + j)->name, timeout_ms);
    }
}

/* For callers who want nothing done, where they may: vsr names no model then. */
static void put_skip_route(struct printing *p, const struct config_provider_model *model, int64_t timeout_ms) {
    begin(p, NULL);
    begin(p, "match");
    word(p, "prefix", "/v1/");
    begin_list(p, "headers");
    begin(p, NULL);
    word(p, "name", "x-vsr-skip-processing");
    begin(p, "string_match");
    word(p, "exact", "true");
    truth(p, "ignore_case", true);
    end(p);
    end(p);
    end(p);
    end(p);
    put_target(p, model, timeout_ms);
    end(p);
}

/* Whatever vsr has named no model for is nobody's. The filter runs on it all the same. */
static void put_last_route(struct printing *p) {
    begin(p, NULL);
    begin(p, "match");
    word(p, "prefix", "/");
    end(p);
    begin(p, "direct_response");
    number(p, "status", 404);
    end(p);
    end(p);
}

/* Envoy finds a route before it asks vsr, and again when vsr has said which model: the last one is for the first time.
 */
static void put_routes(struct printing *p, int64_t timeout_ms) {
    const struct config_provider_model *fallback = NULL;
    begin_list(p, "routes");
    for (size_t i = 0; i < p->doc->providers.models.n; i++) {
        const struct config_provider_model *model = model_at(p, i);
        if (!has_endpoint(model))
            continue;
        if (!fallback || str_eq(model->name, p->doc->providers.defaults.default_model))
            fallback = model;
        put_route(p, model, model->name, timeout_ms);
        put_adapters(p, model, timeout_ms);
    }
    if (fallback && p->doc->global.router.skip_processing.enabled)
        put_skip_route(p, fallback, timeout_ms);
    put_last_route(p);
    end(p);
}

static void put_route_config(struct printing *p, int64_t timeout_ms) {
    begin(p, "route_config");
    word(p, "name", "models");
    begin_list(p, "virtual_hosts");
    begin(p, NULL);
    word(p, "name", "models");
    words(p, "domains", (const char *const[]){ "*" }, 1);
    put_routes(p, timeout_ms);
    end(p);
    end(p);
    end(p);
}

/* ---- listeners */

static bool makes_pictures(const struct config_model_card *card) {
    static const char *const names[] = { "omni", "multimodal", "both", "diffusion" };
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (str_eq_nocase(card->modality, str_from_c(names[i])))
            return true;
    return false;
}

static int64_t max_ms(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* vsr makes pictures itself, while Envoy waits for the request's answer. */
static int64_t picture_ms(const struct config_document *doc) {
    int64_t ms = 0;
    CONFIG_EACH(const struct config_model_card, card, &doc->routing.model_cards)
    if (makes_pictures(card))
        ms = IMAGE_TIMEOUT_MS;
    CONFIG_EACH(const struct config_decision, decision, &doc->routing.decisions) {
        const struct config_plugin *plugin = config_decision_plugin(decision, VSR_STR("image_gen"));
        const struct image_gen_config *config = plugin ? plugin->configuration : NULL;
        if (config && config->enabled)
            ms = max_ms(ms, config->timeout_seconds > 0 ? (int64_t)(config->timeout_seconds * 1000) : IMAGE_TIMEOUT_MS);
    }
    return ms;
}

static int64_t message_timeout_ms(const struct config_document *doc) {
    int64_t pictures = picture_ms(doc), queue = doc->global.router.admission.queue_timeout_ms;
    return MESSAGE_TIMEOUT_MS + pictures + (doc->global.router.admission.max_active > 0 ? queue : 0);
}

/*
 * What only vsr and the filters in front of it may say. Before any filter runs: vsr believes such headers where it is
 * told to trust Envoy, and cannot know then who wrote them.
 */
static void put_early_removal(struct printing *p) {
    const struct credentials *credentials = credentials_build(p->arena, p->doc);
    vsr_str *names;
    size_t n = credentials_private_names(credentials, p->arena, &names);
    begin_list(p, "early_header_mutation_extensions");
    begin(p, NULL);
    begin_typed(p, "envoy.http.early_header_mutation.header_mutation",
                TYPE("http.early_header_mutation.header_mutation.v3.HeaderMutation"));
    begin_list(p, "mutations");
    for (size_t i = 0; i < n; i++) {
        begin(p, NULL);
        text(p, "remove", names[i]);
        end(p);
    }
    end(p);
    end(p);
    end(p);
    end(p);
}

static void put_filter(struct printing *p) {
    begin(p, NULL);
    begin_typed(p, "envoy.filters.http.ext_proc", TYPE("filters.http.ext_proc.v3.ExternalProcessor"));
    begin(p, "grpc_service");
    begin(p, "envoy_grpc");
    word(p, "cluster_name", "vsr");
    end(p);
    end(p);
    begin(p, "processing_mode");
    word(p, "request_header_mode", "SEND");
    word(p, "response_header_mode", "SEND");
    word(p, "request_body_mode", "BUFFERED");
    word(p, "response_body_mode", "BUFFERED");
    word(p, "request_trailer_mode", "SKIP");
    word(p, "response_trailer_mode", "SKIP");
    end(p);
    truth(p, "allow_mode_override", true);
    truth(p, "failure_mode_allow", false);
    duration(p, "message_timeout", message_timeout_ms(p->doc));
    begin(p, "metadata_options");
    begin(p, "receiving_namespaces");
    words(p, "untyped", (const char *const[]){ "envoy.filters.http.ext_proc" }, 1);
    end(p);
    end(p);
    end(p);
    end(p);
}

static void put_http_filters(struct printing *p) {
    begin_list(p, "http_filters");
    put_filter(p);
    begin(p, NULL);
    begin_typed(p, "envoy.filters.http.router", TYPE("filters.http.router.v3.Router"));
    end(p);
    end(p);
    end(p);
}

static void put_access_log(struct printing *p) {
    static const char *const members[][2] = {
        { "time", "%START_TIME%" },
        { "method", "%REQ(:METHOD)%" },
        { "path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%" },
        { "status", "%RESPONSE_CODE%" },
        { "duration_ms", "%DURATION%" },
        { "request_id", "%REQ(X-REQUEST-ID)%" },
        { "model", "%REQ(X-SELECTED-MODEL)%" },
        { "route", "%DYNAMIC_METADATA(envoy.filters.http.ext_proc:vsr)%" },
    };
    begin_list(p, "access_log");
    begin(p, NULL);
    begin_typed(p, "envoy.access_loggers.stdout", TYPE("access_loggers.stream.v3.StdoutAccessLog"));
    begin(p, "log_format");
    begin(p, "json_format");
    for (size_t i = 0; i < VSR_COUNT(members); i++)
        word(p, members[i][0], members[i][1]);
    end(p);
    end(p);
    end(p);
    end(p);
    end(p);
}

/* Relative paths begin beside the policy; Envoy's would begin where it was started. */
static void put_file(struct printing *p, const char *name, vsr_str path) {
    vsr_str base = p->doc->base_dir;
    begin(p, name);
    text(p, "filename",
         base.len == 0 || str_starts(path, VSR_STR("/"))
             ? path
             : arena_printf(p->arena, "%.*s/%.*s", VSR_FMT(base), VSR_FMT(path)));
    end(p);
}

static void put_certificate(struct printing *p, vsr_str cert, vsr_str key_path) {
    begin_list(p, "tls_certificates");
    begin(p, NULL);
    put_file(p, "certificate_chain", cert);
    put_file(p, "private_key", key_path);
    end(p);
    end(p);
}

static void put_listener_tls(struct printing *p, const struct config_listener_tls *tls) {
    begin(p, "transport_socket");
    begin_typed(p, "envoy.transport_sockets.tls", TYPE("transport_sockets.tls.v3.DownstreamTlsContext"));
    truth(p, "require_client_certificate", tls->client_auth == CLIENT_AUTH_REQUIRE);
    begin(p, "common_tls_context");
    if (tls->min_version == TLS_1_3) {
        begin(p, "tls_params");
        word(p, "tls_minimum_protocol_version", "TLSv1_3");
        end(p);
    }
    if (tls->alpn.n == 0) {
        words(p, "alpn_protocols", (const char *const[]){ "h2", "http/1.1" }, 2);
    } else {
        begin_list(p, "alpn_protocols");
        for (size_t i = 0; i < tls->alpn.n; i++)
            json_write_str(&p->w, tls->alpn.items[i]);
        end(p);
    }
    put_certificate(p, tls->cert_file, tls->key_file);
    if (tls->client_ca_file.len) {
        begin(p, "validation_context");
        put_file(p, "trusted_ca", tls->client_ca_file);
        end(p);
    }
    end(p);
    end(p);
    end(p);
}

static void put_manager(struct printing *p, const struct config_listener *listener) {
    begin_list(p, "filters");
    begin(p, NULL);
    begin_typed(p, "envoy.filters.network.http_connection_manager",
                TYPE("filters.network.http_connection_manager.v3.HttpConnectionManager"));
    word(p, "stat_prefix", "models");
    word(p, "codec_type", "AUTO");
    duration(p, "stream_idle_timeout", listener->timeout_ms);
    truth(p, "normalize_path", true);
    truth(p, "merge_slashes", true);
    put_access_log(p);
    put_early_removal(p);
    put_route_config(p, listener->timeout_ms);
    put_http_filters(p);
    end(p);
    end(p);
    end(p);
}

static int64_t buffer_len(const struct printing *p) {
    int64_t body = p->doc->global.router.streamed_body.max_bytes;
    return body > 0 && body < ENVOY_BUFFER_LEN ? body + ENVOY_BUFFER_SPARE : ENVOY_BUFFER_LEN;
}

static void put_listener(struct printing *p, const struct config_listener *listener) {
    if (listener->api_keys.n + listener->api_key_envs.n > 0)
        cli_warn(p->cli,
                 "listener \"%.*s\" has API keys, which vsr checks only on its own listeners: let Envoy check them "
                 "(ext_authz, or the api_key_auth filter) before it asks vsr",
                 VSR_FMT(listener->name));
    begin(p, NULL);
    text(p, "name", listener->name);
    if (p->listen_host.len)
        address(p, p->listen_host, p->listen_port);
    else
        address(p, listener->address, listener->port);
    number(p, "per_connection_buffer_limit_bytes", buffer_len(p));
    begin_list(p, "filter_chains");
    begin(p, NULL);
    put_manager(p, listener);
    if (listener->tls)
        put_listener_tls(p, listener->tls);
    end(p);
    end(p);
    end(p);
}

/* ---- clusters */

static void put_endpoint(struct printing *p, const struct config_backend_ref *ref, vsr_str match) {
    begin(p, NULL);
    number(p, "load_balancing_weight", ref->weight);
    if (match.len) {
        begin(p, "metadata");
        begin(p, "filter_metadata");
        begin(p, "envoy.transport_socket_match");
        text(p, "endpoint", match);
        end(p);
        end(p);
        end(p);
    }
    begin(p, "endpoint");
    if (ref->unix_path.len) {
        begin(p, "address");
        begin(p, "pipe");
        text(p, "path", ref->unix_path);
        end(p);
        end(p);
    } else {
        address(p, ref->host, ref->port);
    }
    text(p, "hostname", ref->authority);
    end(p);
    end(p);
}

static bool is_address(struct printing *p, vsr_str host) {
    unsigned char bytes[sizeof(struct in6_addr)];
    const char *name = arena_printf(p->arena, "%.*s", VSR_FMT(host)).ptr;
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static vsr_str tls_name(const struct config_backend_ref *ref) {
    return ref->tls_options && ref->tls_options->server_name.len ? ref->tls_options->server_name : ref->host;
}

static bool same_tls(const struct config_backend_ref *a, const struct config_backend_ref *b) {
    static const struct config_backend_tls none;
    const struct config_backend_tls *x = a->tls_options ? a->tls_options : &none;
    const struct config_backend_tls *y = b->tls_options ? b->tls_options : &none;
    if (!a->tls || !b->tls)
        return a->tls == b->tls;
    return str_eq(tls_name(a), tls_name(b)) && str_eq(x->ca_file, y->ca_file) && str_eq(x->cert_file, y->cert_file) &&
           str_eq(x->key_file, y->key_file) && x->insecure_skip_verify == y->insecure_skip_verify;
}

static const struct config_backend_ref *first_endpoint(const struct config_provider_model *model) {
    for (size_t i = 0; i < model->backend_refs.n; i++)
        if (takes_requests(ref_at(model, i)))
            return ref_at(model, i);
    return NULL;
}

/* Whether one context is good for all endpoints; else each has its own, which it names. */
static bool has_one_tls(const struct config_provider_model *model) {
    const struct config_backend_ref *first = first_endpoint(model);
    for (size_t i = 0; i < model->backend_refs.n; i++)
        if (takes_requests(ref_at(model, i)) && !same_tls(first, ref_at(model, i)))
            return false;
    return true;
}

static vsr_str match_name(struct printing *p, size_t i) {
    return arena_printf(p->arena, "%zu", i + 1);
}

static void put_assignment(struct printing *p, const struct config_provider_model *model, vsr_str name) {
    bool has_one = has_one_tls(model);
    begin(p, "load_assignment");
    text(p, "cluster_name", name);
    begin_list(p, "endpoints");
    begin(p, NULL);
    begin_list(p, "lb_endpoints");
    for (size_t i = 0; i < model->backend_refs.n; i++)
        if (takes_requests(ref_at(model, i)))
            put_endpoint(p, ref_at(model, i), has_one ? VSR_STR("") : match_name(p, i));
    end(p);
    end(p);
    end(p);
    end(p);
}

static void put_backend_tls(struct printing *p, const struct config_backend_ref *ref) {
    const struct config_backend_tls *tls = ref->tls_options;
    bool by_address = is_address(p, tls_name(ref));
    begin(p, "transport_socket");
    begin_typed(p, "envoy.transport_sockets.tls", TYPE("transport_sockets.tls.v3.UpstreamTlsContext"));
    if (!by_address)
        text(p, "sni", tls_name(ref));
    begin(p, "common_tls_context");
    if (tls && tls->cert_file.len)
        put_certificate(p, tls->cert_file, tls->key_file);
    if (!tls || !tls->insecure_skip_verify) {
        begin(p, "validation_context");
        put_file(p, "trusted_ca",
                 tls && tls->ca_file.len ? tls->ca_file : VSR_STR("/etc/ssl/certs/ca-certificates.crt"));
        begin_list(p, "match_typed_subject_alt_names");
        begin(p, NULL);
        word(p, "san_type", by_address ? "IP_ADDRESS" : "DNS");
        begin(p, "matcher");
        text(p, "exact", tls_name(ref));
        end(p);
        end(p);
        end(p);
        end(p);
    }
    end(p);
    end(p);
    end(p);
}

static void put_reliability(struct printing *p, const struct config_reliability *reliability) {
    if (reliability->consecutive_5xx > 0) {
        begin(p, "outlier_detection");
        number(p, "consecutive_5xx", reliability->consecutive_5xx);
        duration(p, "base_ejection_time", reliability->base_ejection_time_ms);
        number(p, "max_ejection_percent", reliability->max_ejection_percent);
        end(p);
    }
    begin(p, "circuit_breakers");
    begin_list(p, "thresholds");
    begin(p, NULL);
    number(p, "max_connections", reliability->circuit.max_connections);
    number(p, "max_pending_requests", reliability->circuit.max_pending);
    number(p, "max_requests", reliability->circuit.max_requests);
    end(p);
    end(p);
    end(p);
    if (reliability->health_check_path.len == 0)
        return;
    begin_list(p, "health_checks");
    begin(p, NULL);
    duration(p, "timeout", reliability->health_check_timeout_ms);
    duration(p, "interval", reliability->health_check_interval_ms);
    number(p, "unhealthy_threshold", 1);
    number(p, "healthy_threshold", 1);
    begin(p, "http_health_check");
    text(p, "path", reliability->health_check_path);
    end(p);
    end(p);
    end(p);
}

static void put_cluster_tls(struct printing *p, const struct config_provider_model *model) {
    if (has_one_tls(model)) {
        if (first_endpoint(model)->tls)
            put_backend_tls(p, first_endpoint(model));
        return;
    }
    begin_list(p, "transport_socket_matches");
    for (size_t i = 0; i < model->backend_refs.n; i++) {
        if (!takes_requests(ref_at(model, i)) || !ref_at(model, i)->tls)
            continue;
        begin(p, NULL);
        text(p, "name", match_name(p, i));
        begin(p, "match");
        text(p, "endpoint", match_name(p, i));
        end(p);
        put_backend_tls(p, ref_at(model, i));
        end(p);
    }
    end(p);
}

/* A socket in the file system needs a cluster whose addresses are all known. */
static const char *discovery_of(struct printing *p, const struct config_provider_model *model) {
    bool has_path = false, has_name = false;
    for (size_t i = 0; i < model->backend_refs.n; i++) {
        const struct config_backend_ref *ref = ref_at(model, i);
        if (!takes_requests(ref))
            continue;
        has_path |= ref->unix_path.len > 0;
        has_name |= ref->unix_path.len == 0 && !is_address(p, ref->host);
    }
    if (has_path && has_name)
        cli_warn(p->cli,
                 "model \"%.*s\" has endpoints at a socket's path and at a host's name, which Envoy takes in no one "
                 "cluster: write the host's address",
                 VSR_FMT(model->name));
    return has_path ? "STATIC" : "STRICT_DNS";
}

static void put_cluster(struct printing *p, const struct config_provider_model *model) {
    vsr_str name = cluster_name(p, model->name);
    begin(p, NULL);
    text(p, "name", name);
    word(p, "type", discovery_of(p, model));
    duration(p, "connect_timeout", CONNECT_TIMEOUT_MS);
    word(p, "lb_policy", model->reliability.lb_policy == LB_LEAST_REQUEST ? "LEAST_REQUEST" : "ROUND_ROBIN");
    number(p, "per_connection_buffer_limit_bytes", buffer_len(p));
    put_reliability(p, &model->reliability);
    put_assignment(p, model, name);
    put_cluster_tls(p, model);
    end(p);
}

static void put_vsr_cluster(struct printing *p) {
    begin(p, NULL);
    word(p, "name", "vsr");
    word(p, "type", "STRICT_DNS");
    duration(p, "connect_timeout", 1000);
    number(p, "per_connection_buffer_limit_bytes", buffer_len(p));
    begin(p, "typed_extension_protocol_options");
    begin(p, "envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
    word(p, "@type", TYPE("upstreams.http.v3.HttpProtocolOptions"));
    begin(p, "explicit_http_config");
    begin(p, "http2_protocol_options");
    begin(p, "connection_keepalive");
    duration(p, "interval", 30000);
    duration(p, "timeout", 5000);
    end(p);
    end(p);
    end(p);
    end(p);
    end(p);
    begin_list(p, "health_checks");
    begin(p, NULL);
    duration(p, "timeout", 1000);
    duration(p, "interval", 5000);
    number(p, "unhealthy_threshold", 2);
    number(p, "healthy_threshold", 1);
    begin(p, "grpc_health_check");
    end(p);
    end(p);
    end(p);
    begin(p, "load_assignment");
    word(p, "cluster_name", "vsr");
    begin_list(p, "endpoints");
    begin(p, NULL);
    begin_list(p, "lb_endpoints");
    begin(p, NULL);
    begin(p, "endpoint");
    address(p, p->extproc_host, p->extproc_port);
    end(p);
    end(p);
    end(p);
    end(p);
    end(p);
    end(p);
    end(p);
}

/* ---- the document */

static void put_document(struct printing *p, vsr_str admin_host, uint16_t admin_port) {
    begin(p, NULL);
    if (admin_host.len) {
        begin(p, "admin");
        address(p, admin_host, admin_port);
        end(p);
    }
    begin(p, "static_resources");
    begin_list(p, "listeners");
    for (size_t i = 0; i < p->doc->listeners.n && (i == 0 || p->listen_host.len == 0); i++)
        put_listener(p, (const struct config_listener *)p->doc->listeners.items + i);
    end(p);
    begin_list(p, "clusters");
    put_vsr_cluster(p);
    for (size_t i = 0; i < p->doc->providers.models.n; i++)
        if (has_endpoint(model_at(p, i)))
            put_cluster(p, model_at(p, i));
    end(p);
    end(p);
    end(p);
}

/* Envoy's clusters know no proxies, and what has to pass one must not go around it. */
static int refuse_proxies(const struct printing *p) {
    for (size_t i = 0; i < p->doc->providers.models.n; i++)
        for (size_t j = 0; j < model_at(p, i)->backend_refs.n; j++) {
            const struct config_backend_ref *ref = ref_at(model_at(p, i), j);
            if (takes_requests(ref) && ref->proxy.len > 0)
                return cli_fail(p->cli,
                                "model \"%.*s\", endpoint \"%.*s\": Envoy would go around its proxy; give the endpoint "
                                "weight: 0, or leave it to a vsr that is asked directly",
                                VSR_FMT(model_at(p, i)->name), VSR_FMT(ref->name));
        }
    return CLI_OK;
}

/* Two cannot listen on one port: the vsr on this machine holds those of its policy. */
static void warn_of_own_ports(const struct printing *p) {
    const struct config_listener *first = p->doc->listeners.items;
    bool here = str_starts(p->extproc_host, VSR_STR("127.")) || str_eq_c(p->extproc_host, "localhost") ||
                str_eq_c(p->extproc_host, "::1");
    if (here && p->listen_host.len == 0 && p->doc->listeners.n > 0)
        cli_warn(p->cli,
                 "Envoy listens where the policy says (port %lld), and so does `vsr serve` with this policy on this "
                 "machine; --listen gives Envoy another place",
                 (long long)first->port);
}

static int print(struct printing *p, vsr_str admin_host, uint16_t admin_port) {
    struct buf out;
    int code;
    buf_init(&out, ENVOY_LEN_MAX);
    json_write_init_pretty(&p->w, &out, 2);
    put_document(p, admin_host, admin_port);
    (void)buf_append_char(&out, '\n'); /* cli_finish() tells of a full buffer */
    code = cli_finish(p->cli, &out, CLI_OK);
    buf_done(&out);
    return code;
}

static int envoy_run(const struct cli *cli, int argc, char **argv) {
    struct printing p = { .cli = cli };
    struct config_source source;
    const char *file;
    vsr_str admin_host = { NULL, 0 };
    uint16_t admin_port = 0;
    int code = config_source_name(cli, argc, argv, &file);
    if (code != CLI_OK)
        return code;
    if (!socket_text_read(options_text(cli->options, "extproc"), &p.extproc_host, &p.extproc_port) ||
        p.extproc_host.len == 0)
        return cli_usage(cli, "--extproc: expected HOST:PORT, found \"%s\"", options_text(cli->options, "extproc"));
    if (options_has(cli->options, "listen") &&
        (!socket_text_read(options_text(cli->options, "listen"), &p.listen_host, &p.listen_port) ||
         p.listen_host.len == 0))
        return cli_usage(cli, "--listen: expected ADDR:PORT, found \"%s\"", options_text(cli->options, "listen"));
    if (!socket_text_read(options_text(cli->options, "admin"), &admin_host, &admin_port))
        return cli_usage(cli, "--admin: expected HOST:PORT or off, found \"%s\"", options_text(cli->options, "admin"));
    code = config_source_load(cli, file, false, &source);
    if (code == CLI_OK) {
        p.doc = source.doc;
        p.arena = source.arena;
        code = refuse_proxies(&p);
    }
    if (code == CLI_OK) {
        warn_of_own_ports(&p);
        code = print(&p, admin_host, admin_port);
    }
    config_source_done(&source);
    return code;
}

static const struct option_spec envoy_options[] = {
    { "config", 'c', OPTION_TEXT, OPTION_FILE, "FILE", "the same as the operand FILE", .env = "VSR_CONFIG" },
    { "extproc", 0, OPTION_TEXT, 0, "HOST:PORT", "where Envoy finds vsr: its --extproc-listen", "127.0.0.1:50051" },
    { "listen", 0, OPTION_TEXT, 0, "ADDR:PORT",
      "where Envoy listens, with the settings of the first listener; without it where the policy says" },
    { "admin", 0, OPTION_TEXT, 0, "HOST:PORT", "Envoy's own admin socket, or `off`", "127.0.0.1:9901" },
};

const struct command command_config_envoy_spec = {
    .name = "envoy",
    .summary = "print the configuration of an Envoy in front",
    .usage = "vsr config envoy [OPTION]... [FILE]",
    .details =
        "Prints a bootstrap document for Envoy: the listeners of the policy, external processing by vsr, and a route\n"
        "and a cluster for each model with what the policy says of its endpoints. Envoy then owns the sockets and\n"
        "calls the backends, and vsr decides. Keys of endpoints are not in it: vsr adds them to each request.\n",
    .examples = "vsr config envoy --listen 0.0.0.0:10000 policy.yaml >envoy.json && envoy -c envoy.json\n"
                "vsr config envoy --listen 0.0.0.0:10000 --extproc vsr:50051 policy.yaml\n",
    .operands = OPERANDS_FILE,
    .operands_most = 1,
    .options = envoy_options,
    .n_options = VSR_COUNT(envoy_options),
    .run = envoy_run,
};
