/*
 * Listeners: their sockets, TLS, and the filters of their requests, vsr's among them.
 */
#include "cli/cli.h"
#include "cli/config_envoy.h"
#include "core/arena.h"
#include "plugin/image_gen.h"
#include "provider/credentials.h"

enum {
    MESSAGE_TIMEOUT_MS = 30000,
    IMAGE_TIMEOUT_MS = 120000, /* the longest that a picture may take by itself */
};

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
static void put_early_removal(struct envoy_print *p) {
    const struct credentials *credentials = credentials_build(p->arena, p->doc);
    vsr_str *names;
    size_t n = credentials_private_names(credentials, p->arena, &names);
    put_list(p, "early_header_mutation_extensions");
    put_begin(p, NULL);
    put_typed(p, "envoy.http.early_header_mutation.header_mutation",
              ENVOY_TYPE("http.early_header_mutation.header_mutation.v3.HeaderMutation"));
    put_list(p, "mutations");
    for (size_t i = 0; i < n; i++) {
        put_begin(p, NULL);
        put_text(p, "remove", names[i]);
        put_end(p, 1);
    }
    put_end(p, 4);
}

static void put_filter(struct envoy_print *p) {
    put_begin(p, NULL);
    put_typed(p, "envoy.filters.http.ext_proc", ENVOY_TYPE("filters.http.ext_proc.v3.ExternalProcessor"));
    put_begin(p, "grpc_service");
    put_begin(p, "envoy_grpc");
    put_word(p, "cluster_name", "vsr");
    put_end(p, 2);
    put_begin(p, "processing_mode");
    put_word(p, "request_header_mode", "SEND");
    put_word(p, "response_header_mode", "SEND");
    put_word(p, "request_body_mode", "BUFFERED");
    put_word(p, "response_body_mode", "BUFFERED");
    put_word(p, "request_trailer_mode", "SKIP");
    put_word(p, "response_trailer_mode", "SKIP");
    put_end(p, 1);
    put_truth(p, "allow_mode_override", true);
    put_truth(p, "failure_mode_allow", false);
    put_duration(p, "message_timeout", message_timeout_ms(p->doc));
    put_begin(p, "metadata_options");
    put_begin(p, "receiving_namespaces");
    put_words(p, "untyped", (const char *const[]){ "envoy.filters.http.ext_proc" }, 1);
    put_end(p, 4);
}

static void put_http_filters(struct envoy_print *p) {
    put_list(p, "http_filters");
    put_filter(p);
    put_begin(p, NULL);
    put_typed(p, "envoy.filters.http.router", ENVOY_TYPE("filters.http.router.v3.Router"));
    put_end(p, 3);
}

static void put_access_log(struct envoy_print *p) {
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
    put_list(p, "access_log");
    put_begin(p, NULL);
    put_typed(p, "envoy.access_loggers.stdout", ENVOY_TYPE("access_loggers.stream.v3.StdoutAccessLog"));
    put_begin(p, "log_format");
    put_begin(p, "json_format");
    for (size_t i = 0; i < VSR_COUNT(members); i++)
        put_word(p, members[i][0], members[i][1]);
    put_end(p, 5);
}

static void put_listener_tls(struct envoy_print *p, const struct config_listener_tls *tls) {
    put_begin(p, "transport_socket");
    put_typed(p, "envoy.transport_sockets.tls", ENVOY_TYPE("transport_sockets.tls.v3.DownstreamTlsContext"));
    put_truth(p, "require_client_certificate", tls->client_auth == CLIENT_AUTH_REQUIRE);
    put_begin(p, "common_tls_context");
    if (tls->min_version == TLS_1_3) {
        put_begin(p, "tls_params");
        put_word(p, "tls_minimum_protocol_version", "TLSv1_3");
        put_end(p, 1);
    }
    if (tls->alpn.n == 0) {
        put_words(p, "alpn_protocols", (const char *const[]){ "h2", "http/1.1" }, 2);
    } else {
        put_list(p, "alpn_protocols");
        for (size_t i = 0; i < tls->alpn.n; i++)
            json_write_str(&p->w, tls->alpn.items[i]);
        put_end(p, 1);
    }
    put_certificate(p, tls->cert_file, tls->key_file);
    if (tls->client_ca_file.len) {
        put_begin(p, "validation_context");
        put_file(p, "trusted_ca", tls->client_ca_file);
        put_end(p, 1);
    }
    put_end(p, 3);
}

static void put_manager(struct envoy_print *p, const struct config_listener *listener) {
    put_list(p, "filters");
    put_begin(p, NULL);
    put_typed(p, "envoy.filters.network.http_connection_manager",
              ENVOY_TYPE("filters.network.http_connection_manager.v3.HttpConnectionManager"));
    put_word(p, "stat_prefix", "models");
    put_word(p, "codec_type", "AUTO");
    put_duration(p, "stream_idle_timeout", listener->timeout_ms);
    put_truth(p, "normalize_path", true);
    put_truth(p, "merge_slashes", true);
    put_access_log(p);
    put_early_removal(p);
    envoy_put_routes(p, listener->timeout_ms);
    put_http_filters(p);
    put_end(p, 3);
}

void envoy_put_listener(struct envoy_print *p, const struct config_listener *listener) {
    if (listener->api_keys.n + listener->api_key_envs.n > 0)
        cli_warn(p->cli,
                 "listener \"%.*s\" has API keys, which vsr checks only on its own listeners: let Envoy check them "
                 "(ext_authz, or the api_key_auth filter) before it asks vsr",
                 VSR_FMT(listener->name));
    put_begin(p, NULL);
    put_text(p, "name", listener->name);
    if (p->listen_host.len)
        put_address(p, p->listen_host, p->listen_port);
    else
        put_address(p, listener->address, listener->port);
    put_number(p, "per_connection_buffer_limit_bytes", envoy_buffer_len(p));
    put_list(p, "filter_chains");
    put_begin(p, NULL);
    put_manager(p, listener);
    if (listener->tls)
        put_listener_tls(p, listener->tls);
    put_end(p, 3);
}
