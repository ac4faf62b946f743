/*
 * Clusters: the endpoints of each model, and vsr's own.
 */
#include <arpa/inet.h>

#include "cli/cli.h"
#include "cli/config_envoy.h"
#include "core/arena.h"

enum { CONNECT_TIMEOUT_MS = 10000 };

static void put_endpoint(struct envoy_print *p, const struct config_backend_ref *ref, vsr_str match) {
    put_begin(p, NULL);
    put_number(p, "load_balancing_weight", ref->weight);
    if (match.len) {
        put_begin(p, "metadata");
        put_begin(p, "filter_metadata");
        put_begin(p, "envoy.transport_socket_match");
        put_text(p, "endpoint", match);
        put_end(p, 3);
    }
    put_begin(p, "endpoint");
    if (ref->unix_path.len) {
        put_begin(p, "address");
        put_begin(p, "pipe");
        put_text(p, "path", ref->unix_path);
        put_end(p, 2);
    } else {
        put_address(p, ref->host, ref->port);
    }
    put_text(p, "hostname", ref->authority);
    put_end(p, 2);
}

static bool is_address(struct envoy_print *p, vsr_str host) {
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
        if (envoy_takes_requests(envoy_ref(model, i)))
            return envoy_ref(model, i);
    return NULL;
}

/* Whether one context is good for all endpoints; else each has its own, which it names. */
static bool has_one_tls(const struct config_provider_model *model) {
    const struct config_backend_ref *first = first_endpoint(model);
    for (size_t i = 0; i < model->backend_refs.n; i++)
        if (envoy_takes_requests(envoy_ref(model, i)) && !same_tls(first, envoy_ref(model, i)))
            return false;
    return true;
}

static vsr_str match_name(struct envoy_print *p, size_t i) {
    return arena_printf(p->arena, "%zu", i + 1);
}

static void put_assignment(struct envoy_print *p, const struct config_provider_model *model, vsr_str name) {
    bool has_one = has_one_tls(model);
    put_begin(p, "load_assignment");
    put_text(p, "cluster_name", name);
    put_list(p, "endpoints");
    put_begin(p, NULL);
    put_list(p, "lb_endpoints");
    for (size_t i = 0; i < model->backend_refs.n; i++)
        if (envoy_takes_requests(envoy_ref(model, i)))
            put_endpoint(p, envoy_ref(model, i), has_one ? VSR_STR("") : match_name(p, i));
    put_end(p, 4);
}

static void put_backend_tls(struct envoy_print *p, const struct config_backend_ref *ref) {
    const struct config_backend_tls *tls = ref->tls_options;
    bool by_address = is_address(p, tls_name(ref));
    put_begin(p, "transport_socket");
    put_typed(p, "envoy.transport_sockets.tls", ENVOY_TYPE("transport_sockets.tls.v3.UpstreamTlsContext"));
    if (!by_address)
        put_text(p, "sni", tls_name(ref));
    put_begin(p, "common_tls_context");
    if (tls && tls->cert_file.len)
        put_certificate(p, tls->cert_file, tls->key_file);
    if (!tls || !tls->insecure_skip_verify) {
        put_begin(p, "validation_context");
        put_file(p, "trusted_ca",
                 tls && tls->ca_file.len ? tls->ca_file : VSR_STR("/etc/ssl/certs/ca-certificates.crt"));
        put_list(p, "match_typed_subject_alt_names");
        put_begin(p, NULL);
        put_word(p, "san_type", by_address ? "IP_ADDRESS" : "DNS");
        put_begin(p, "matcher");
        put_text(p, "exact", tls_name(ref));
        put_end(p, 4);
    }
    put_end(p, 3);
}

static void put_reliability(struct envoy_print *p, const struct config_reliability *reliability) {
    if (reliability->consecutive_5xx > 0) {
        put_begin(p, "outlier_detection");
        put_number(p, "consecutive_5xx", reliability->consecutive_5xx);
        put_duration(p, "base_ejection_time", reliability->base_ejection_time_ms);
        put_number(p, "max_ejection_percent", reliability->max_ejection_percent);
        put_end(p, 1);
    }
    put_begin(p, "circuit_breakers");
    put_list(p, "thresholds");
    put_begin(p, NULL);
    put_number(p, "max_connections", reliability->circuit.max_connections);
    put_number(p, "max_pending_requests", reliability->circuit.max_pending);
    put_number(p, "max_requests", reliability->circuit.max_requests);
    put_end(p, 3);
    if (reliability->health_check_path.len == 0)
        return;
    put_list(p, "health_checks");
    put_begin(p, NULL);
    put_duration(p, "timeout", reliability->health_check_timeout_ms);
    put_duration(p, "interval", reliability->health_check_interval_ms);
    put_number(p, "unhealthy_threshold", 1);
    put_number(p, "healthy_threshold", 1);
    put_begin(p, "http_health_check");
    put_text(p, "path", reliability->health_check_path);
    put_end(p, 3);
}

static void put_cluster_tls(struct envoy_print *p, const struct config_provider_model *model) {
    if (has_one_tls(model)) {
        if (first_endpoint(model)->tls)
            put_backend_tls(p, first_endpoint(model));
        return;
    }
    put_list(p, "transport_socket_matches");
    for (size_t i = 0; i < model->backend_refs.n; i++) {
        if (!envoy_takes_requests(envoy_ref(model, i)) || !envoy_ref(model, i)->tls)
            continue;
        put_begin(p, NULL);
        put_text(p, "name", match_name(p, i));
        put_begin(p, "match");
        put_text(p, "endpoint", match_name(p, i));
        put_end(p, 1);
        put_backend_tls(p, envoy_ref(model, i));
        put_end(p, 1);
    }
    put_end(p, 1);
}

/* A socket in the file system needs a cluster whose addresses are all known. */
static const char *discovery_of(struct envoy_print *p, const struct config_provider_model *model) {
    bool has_path = false, has_name = false;
    for (size_t i = 0; i < model->backend_refs.n; i++) {
        const struct config_backend_ref *ref = envoy_ref(model, i);
        if (!envoy_takes_requests(ref))
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

void envoy_put_cluster(struct envoy_print *p, const struct config_provider_model *model) {
    vsr_str name = envoy_cluster_name(p, model->name);
    put_begin(p, NULL);
    put_text(p, "name", name);
    put_word(p, "type", discovery_of(p, model));
    put_duration(p, "connect_timeout", CONNECT_TIMEOUT_MS);
    put_word(p, "lb_policy", model->reliability.lb_policy == LB_LEAST_REQUEST ? "LEAST_REQUEST" : "ROUND_ROBIN");
    put_number(p, "per_connection_buffer_limit_bytes", envoy_buffer_len(p));
    put_reliability(p, &model->reliability);
    put_assignment(p, model, name);
    put_cluster_tls(p, model);
    put_end(p, 1);
}

void envoy_put_vsr_cluster(struct envoy_print *p) {
    put_begin(p, NULL);
    put_word(p, "name", "vsr");
    put_word(p, "type", "STRICT_DNS");
    put_duration(p, "connect_timeout", 1000);
    put_number(p, "per_connection_buffer_limit_bytes", envoy_buffer_len(p));
    put_begin(p, "typed_extension_protocol_options");
    put_begin(p, "envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
    put_word(p, "@type", ENVOY_TYPE("upstreams.http.v3.HttpProtocolOptions"));
    put_begin(p, "explicit_http_config");
    put_begin(p, "http2_protocol_options");
    put_begin(p, "connection_keepalive");
    put_duration(p, "interval", 30000);
    put_duration(p, "timeout", 5000);
    put_end(p, 5);
    put_list(p, "health_checks");
    put_begin(p, NULL);
    put_duration(p, "timeout", 1000);
    put_duration(p, "interval", 5000);
    put_number(p, "unhealthy_threshold", 2);
    put_number(p, "healthy_threshold", 1);
    put_begin(p, "grpc_health_check");
    put_end(p, 3);
    put_begin(p, "load_assignment");
    put_word(p, "cluster_name", "vsr");
    put_list(p, "endpoints");
    put_begin(p, NULL);
    put_list(p, "lb_endpoints");
    put_begin(p, NULL);
    put_begin(p, "endpoint");
    put_address(p, p->extproc_host, p->extproc_port);
    put_end(p, 7);
}
