/* Table of `listeners` (config.md §5). */
#include <math.h>

#include "config/address.h"
#include "config/document.h"
#include "config/document_tables.h"
#include "core/arena.h"

/* ---- TLS */

static const char *const client_auths[] = { "none", "request", "require", NULL };
static const char *const tls_versions[] = { "1.2", "1.3", NULL };

static const struct field listener_tls_fields[] = {
    { "cert_file", FIELD_STRING, offsetof(struct config_listener_tls, cert_file),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Certificate chain, PEM; read again when it changes." },
    { "key_file", FIELD_STRING, offsetof(struct config_listener_tls, key_file),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Key of the certificate, PEM." },
    { "client_ca_file", FIELD_STRING, offsetof(struct config_listener_tls, client_ca_file),
      .help = "Authorities that clients' certificates must come from." },
    { "client_auth", FIELD_ENUM, offsetof(struct config_listener_tls, client_auth), .fallback = "none",
      .choices = client_auths, .help = "Whether clients show a certificate: if they have one, or always." },
    { "min_version", FIELD_ENUM, offsetof(struct config_listener_tls, min_version), .fallback = "1.2",
      .choices = tls_versions, .help = "Oldest version of TLS that is accepted." },
    { "alpn", FIELD_STRINGS, offsetof(struct config_listener_tls, alpn), .flags = FIELD_NONBLANK,
      .fallback = "[h2, http/1.1]", .help = "Protocols offered, the preferred one first: h2, http/1.1." },
};

static void check_alpn(const struct config_listener_tls *tls, struct arena *arena, struct diag *diag) {
    static const vsr_str known[] = { VSR_STR_INIT("h2"), VSR_STR_INIT("http/1.1") };
    const struct yaml_node *seen[VSR_COUNT(known)] = { 0 };
    for (size_t i = 0; i < tls->alpn.n; i++) {
        const struct yaml_node *node = tls->alpn.nodes[i];
        vsr_str name = tls->alpn.items[i], path = schema_path(arena, tls->at.path, VSR_STR("alpn"));
        struct diag_at at = { node->line, node->col, arena_printf(arena, "%.*s[%zu]", VSR_FMT(path), i) };
        size_t k = 0;
        while (k < VSR_COUNT(known) && !str_eq(name, known[k]))
            k++;
        if (k == VSR_COUNT(known) && !node->reference)
            diag_error(diag, "E_ENUM", at, diag_suggest(diag, name, known, VSR_COUNT(known)),
                       "\"%.*s\" is not one of h2, http/1.1", VSR_FMT(name));
        else if (k < VSR_COUNT(known) && seen[k])
            diag_error(diag, "E_DUP", at, VSR_STR(""), "\"%.*s\" is already in the list, at line %u, column %u",
                       VSR_FMT(name), seen[k]->line, seen[k]->col);
        else if (k < VSR_COUNT(known))
            seen[k] = node;
    }
}

static void check_listener_tls(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_listener_tls *tls = object;
    if (tls->client_auth != CLIENT_AUTH_NONE && str_trim(tls->client_ca_file).len == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&config_listener_tls_schema, object, "client_auth", arena),
                   VSR_STR(""), "clients' certificates can be verified only with a client_ca_file");
    if (tls->client_auth == CLIENT_AUTH_NONE && tls->client_ca_file.len)
        diag_warn(diag, "W_UNUSED", schema_field_at(&config_listener_tls_schema, object, "client_ca_file", arena),
                  VSR_STR("write client_auth: require"), "no client is asked for a certificate");
    check_alpn(tls, arena, diag);
}

const struct schema config_listener_tls_schema =
    SCHEMA("tls", struct config_listener_tls, listener_tls_fields, .check = check_listener_tls);

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
    { "tls", FIELD_OPTIONAL, offsetof(struct config_listener, tls), .object = &config_listener_tls_schema,
      .help = "TLS with clients." },
};

static void check_listener(const void *object, struct arena *arena, struct diag *diag) {
    const struct config_listener *listener = object;
    if (str_eq_c(listener->address, "localhost") || address_is_ip(listener->address))
        return;
    if (yaml_get(listener->at.node, VSR_STR("address"))->reference)
        return;
    diag_error(diag, "E_TYPE", schema_field_at(&config_listener_schema, object, "address", arena), VSR_STR(""),
               "expected an IP address or localhost");
}

const struct schema config_listener_schema =
    SCHEMA("listener", struct config_listener, listener_fields, .check = check_listener);
