/*
 * config_envoy - Envoy's configuration for a policy, while it is printed.
 *
 * Private to the files config_envoy*.c, one for each kind of Envoy's resources.
 */
#ifndef VSR_CLI_CONFIG_ENVOY_H
#define VSR_CLI_CONFIG_ENVOY_H

#include "config/document.h"
#include "core/json_write.h"

struct arena;
struct cli;

#define ENVOY_TYPE(name) "type.googleapis.com/envoy.extensions." name

struct envoy_print {
    struct json_writer w;
    const struct cli *cli;
    const struct config_document *doc;
    struct arena *arena;
    vsr_str extproc_host;
    uint16_t extproc_port;
    vsr_str listen_host; /* empty: where the policy says */
    uint16_t listen_port;
};

/* ---- config_envoy_write.c: members */

void put_begin(struct envoy_print *p, const char *name); /* an object; NULL: an element of a list */
void put_list(struct envoy_print *p, const char *name);
void put_end(struct envoy_print *p, int n); /* of the n innermost objects and lists */
void put_key(struct envoy_print *p, const char *name);
void put_text(struct envoy_print *p, const char *name, vsr_str value);
void put_word(struct envoy_print *p, const char *name, const char *value);
void put_number(struct envoy_print *p, const char *name, int64_t value);
void put_truth(struct envoy_print *p, const char *name, bool value);
void put_duration(struct envoy_print *p, const char *name, int64_t ms); /* text of seconds */
void put_words(struct envoy_print *p, const char *name, const char *const *values, size_t n);
/* An extension, up to its settings: their end is put_end(p, 1). */
void put_typed(struct envoy_print *p, const char *name, const char *type);
void put_address(struct envoy_print *p, vsr_str host, int64_t port);
void put_file(struct envoy_print *p, const char *name, vsr_str path);
void put_certificate(struct envoy_print *p, vsr_str cert, vsr_str key_path);

/* ---- and what is asked of the policy */

const struct config_provider_model *envoy_model(const struct envoy_print *p, size_t i);
const struct config_backend_ref *envoy_ref(const struct config_provider_model *model, size_t i);
bool envoy_takes_requests(const struct config_backend_ref *ref);
bool envoy_has_endpoint(const struct config_provider_model *model); /* one that takes requests */
vsr_str envoy_cluster_name(struct envoy_print *p, vsr_str model);
int64_t envoy_buffer_len(const struct envoy_print *p); /* a whole body and its headers */

/* ---- config_envoy_routes.c, config_envoy_listeners.c, config_envoy_clusters.c */

void envoy_put_routes(struct envoy_print *p, int64_t timeout_ms); /* the listener's route_config */
void envoy_put_listener(struct envoy_print *p, const struct config_listener *listener);
void envoy_put_cluster(struct envoy_print *p, const struct config_provider_model *model);
void envoy_put_vsr_cluster(struct envoy_print *p);

#endif
