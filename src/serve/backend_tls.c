#include "serve/backend_tls.h"

#include "config/document_tables.h"
#include "core/arena.h"
#include "net/tls.h"
#include "provider/registry.h"
#include "serve/tls_file.h"

struct backend_context {
    const struct config_backend_ref *ref;
    struct tls_client *tls;
};

struct backend_tls {
    struct arena *arena;
    const struct config_document *doc;
    const struct config_load_options *load;
    struct provider_registry *registry;
    struct backend_context *items;
    size_t n, cap;
};

static void give_back(void *data) {
    struct backend_tls *tls = data;
    for (size_t i = 0; i < tls->n; i++)
        registry_tls_unref(tls->registry, tls->items[i].tls);
}

static int build(struct backend_tls *tls, const struct config_backend_ref *ref, struct vsr_err *err) {
    const struct config_backend_tls *wanted = ref->tls_options;
    vsr_str hashes[3];
    const struct tls_client_options options = {
        .ca_file = tls_file_place(tls->arena, tls->doc, tls->load, wanted->ca_file, &hashes[0]),
        .cert_file = tls_file_place(tls->arena, tls->doc, tls->load, wanted->cert_file, &hashes[1]),
        .key_file = tls_file_place(tls->arena, tls->doc, tls->load, wanted->key_file, &hashes[2]),
        .insecure = wanted->insecure_skip_verify,
    };
    vsr_str key = arena_printf(tls->arena, "ca %.*s %.*s cert %.*s %.*s key %.*s %.*s%s", VSR_FMT(options.ca_file),
                               VSR_FMT(hashes[0]), VSR_FMT(options.cert_file), VSR_FMT(hashes[1]),
                               VSR_FMT(options.key_file), VSR_FMT(hashes[2]), options.insecure ? " unverified" : "");
    struct tls_client *context;
    int rc = registry_tls(tls->registry, key, &options, &context, err);
    if (rc < 0)
        return rc;
    tls->items = arena_grow(tls->arena, tls->items, sizeof(*tls->items), tls->n, &tls->cap);
    tls->items[tls->n++] = (struct backend_context){ ref, context };
    return 0;
}

int backend_tls_build(struct arena *arena, const struct config_document *doc, const struct config_load_options *load,
                      struct provider_registry *registry, struct backend_tls **ret_tls, struct vsr_err *err) {
    struct backend_tls *tls = ARENA_NEW(arena, struct backend_tls);
    *tls = (struct backend_tls){ .arena = arena, .doc = doc, .load = load, .registry = registry };
    arena_on_free(arena, give_back, tls);
    CONFIG_EACH(const struct config_provider_model, model, &doc->providers.models)
    CONFIG_EACH(const struct config_backend_ref, ref, &model->backend_refs) {
        int rc = ref->tls && ref->tls_options ? build(tls, ref, err) : 0;
        if (rc < 0)
            return err_wrap(err, "TLS of model \"%.*s\", endpoint \"%.*s\"", VSR_FMT(model->name), VSR_FMT(ref->name));
    }
    *ret_tls = tls;
    return 0;
}

struct tls_client *backend_tls_of(const void *data, const struct config_backend_ref *ref) {
    const struct backend_tls *tls = data;
    for (size_t i = 0; i < tls->n; i++)
        if (tls->items[i].ref == ref)
            return tls->items[i].tls;
    return NULL;
}
