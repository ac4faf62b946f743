/* Table of `listeners` (config.md §5). */
#include <math.h>

#include "config/address.h"
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
