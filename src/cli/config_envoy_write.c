#include <stdio.h>

#include "cli/config_envoy.h"
#include "core/arena.h"

enum { MS_TEXT_LEN = 32, ENVOY_BUFFER_LEN = 500 << 20, ENVOY_BUFFER_SPARE = 1 << 20 };

void put_key(struct envoy_print *p, const char *name) {
    json_write_key(&p->w, str_from_c(name));
}

void put_begin(struct envoy_print *p, const char *name) {
    if (name)
        put_key(p, name);
    json_write_begin_object(&p->w);
}

void put_list(struct envoy_print *p, const char *name) {
    put_key(p, name);
    json_write_begin_array(&p->w);
}

void put_end(struct envoy_print *p, int n) {
    while (n-- > 0)
        json_write_end(&p->w);
}

void put_text(struct envoy_print *p, const char *name, vsr_str value) {
    put_key(p, name);
    json_write_str(&p->w, value);
}

void put_word(struct envoy_print *p, const char *name, const char *value) {
    put_text(p, name, str_from_c(value));
}

void put_number(struct envoy_print *p, const char *name, int64_t value) {
    put_key(p, name);
    json_write_i64(&p->w, value);
}

void put_truth(struct envoy_print *p, const char *name, bool value) {
    put_key(p, name);
    json_write_bool(&p->w, value);
}

void put_duration(struct envoy_print *p, const char *name, int64_t ms) {
    char value[MS_TEXT_LEN];
    if (ms % 1000 == 0)
        (void)snprintf(value, sizeof(value), "%llds", (long long)(ms / 1000));
    else
        (void)snprintf(value, sizeof(value), "%lld.%03llds", (long long)(ms / 1000), (long long)(ms % 1000));
    put_word(p, name, value);
}

void put_words(struct envoy_print *p, const char *name, const char *const *values, size_t n) {
    put_list(p, name);
    for (size_t i = 0; i < n; i++)
        json_write_str(&p->w, str_from_c(values[i]));
    put_end(p, 1);
}

void put_typed(struct envoy_print *p, const char *name, const char *type) {
    put_word(p, "name", name);
    put_begin(p, "typed_config");
    put_word(p, "@type", type);
}

void put_address(struct envoy_print *p, vsr_str host, int64_t port) {
    put_begin(p, "address");
    put_begin(p, "socket_address");
    put_text(p, "address", host);
    put_number(p, "port_value", port);
    put_end(p, 2);
}

/* Relative paths begin beside the policy; Envoy's would begin where it was started. */
void put_file(struct envoy_print *p, const char *name, vsr_str path) {
    vsr_str base = p->doc->base_dir;
    put_begin(p, name);
    put_text(p, "filename",
             base.len == 0 || str_starts(path, VSR_STR("/"))
                 ? path
                 : arena_printf(p->arena, "%.*s/%.*s", VSR_FMT(base), VSR_FMT(path)));
    put_end(p, 1);
}

void put_certificate(struct envoy_print *p, vsr_str cert, vsr_str key_path) {
    put_list(p, "tls_certificates");
    put_begin(p, NULL);
    put_file(p, "certificate_chain", cert);
    put_file(p, "private_key", key_path);
    put_end(p, 2);
}

/* ---- the policy */

vsr_str envoy_cluster_name(struct envoy_print *p, vsr_str model) {
    return arena_printf(p->arena, "model/%.*s", VSR_FMT(model));
}

const struct config_provider_model *envoy_model(const struct envoy_print *p, size_t i) {
    return (const struct config_provider_model *)p->doc->providers.models.items + i;
}

const struct config_backend_ref *envoy_ref(const struct config_provider_model *model, size_t i) {
    return (const struct config_backend_ref *)model->backend_refs.items + i;
}

bool envoy_takes_requests(const struct config_backend_ref *ref) {
    return ref->weight > 0;
}

bool envoy_has_endpoint(const struct config_provider_model *model) {
    for (size_t i = 0; i < model->backend_refs.n; i++)
        if (envoy_takes_requests(envoy_ref(model, i)))
            return true;
    return false;
}

int64_t envoy_buffer_len(const struct envoy_print *p) {
    int64_t body = p->doc->global.router.streamed_body.max_bytes;
    return body > 0 && body < ENVOY_BUFFER_LEN ? body + ENVOY_BUFFER_SPARE : ENVOY_BUFFER_LEN;
}
