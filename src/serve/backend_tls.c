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

/* The files of one endpoint, in the order in which they are used. */
struct files {
    struct tls_client_options options;
    vsr_str hashes[3]; /* empty: cannot be read */
};

static struct files find_files(const struct backend_tls *tls, const struct config_backend_tls *wanted) {
    struct files files = { .options.insecure = wanted->insecure_skip_verify };
    files.options.ca_file = tls_file_place(tls->arena, tls->doc, tls->load, wanted->ca_file, &files.hashes[0]);
    files.options.cert_file = tls_file_place(tls->arena, tls->doc, tls->load, wanted->cert_file, &files.hashes[1]);
    files.options.key_file = tls_file_place(tls->arena, tls->doc, tls->load, wanted->key_file, &files.hashes[2]);
    return files;
}

static int open_context(struct backend_tls *tls, const struct config_backend_ref *ref, const struct files *files,
                        struct vsr_err *err) {
    const struct tls_client_options *options = &files->options;
    vsr_str key =
        arena_printf(tls->arena, "ca %.*s %.*s cert %.*s %.*s key %.*s %.*s%s", VSR_FMT(options->ca_file),
                     VSR_FMT(files->hashes[0]), VSR_FMT(options->cert_file), VSR_FMT(files->hashes[1]),
                     VSR_FMT(options->key_file), VSR_FMT(files->hashes[2]), options->insecure ? " unverified" : "");
    struct tls_client *context;
    int rc = registry_tls(tls->registry, key, options, &context, err);
    if (rc < 0)
        return rc;
    tls->items = arena_grow(tls->arena, tls->items, sizeof(*tls->items), tls->n, &tls->cap);
    tls->items[tls->n++] = (struct backend_context){ ref, context };
    return 0;
}

/* The first key whose file cannot be read; a file that can be read and not used is the whole block's. */
static struct diag_at place_of_failure(const struct backend_tls *tls, const struct config_backend_tls *wanted,
                                       const struct files *files) {
    const struct {
        const char *field;
        vsr_str file;
    } keys[] = { { "ca_file", wanted->ca_file }, { "cert_file", wanted->cert_file }, { "key_file", wanted->key_file } };
    for (size_t i = 0; i < VSR_COUNT(keys); i++)
        if (keys[i].file.len > 0 && files->hashes[i].len == 0)
            return schema_field_at(&config_backend_tls_schema, wanted, keys[i].field, tls->arena);
    return schema_at(wanted);
}

static bool build(struct backend_tls *tls, const struct config_backend_ref *ref, struct diag *diag) {
    const struct files files = find_files(tls, ref->tls_options);
    struct vsr_err err = VSR_ERR_NONE;
    if (open_context(tls, ref, &files, &err) == 0)
        return true;
    diag_error(diag, "E_ASSET", place_of_failure(tls, ref->tls_options, &files), VSR_STR(""), "%s", err.text);
    return false;
}

int backend_tls_build(struct arena *arena, const struct config_document *doc, const struct config_load_options *load,
                      struct provider_registry *registry, struct backend_tls **ret_tls, struct diag *diag) {
    struct backend_tls *tls = ARENA_NEW(arena, struct backend_tls);
    bool is_good = true;
    *tls = (struct backend_tls){ .arena = arena, .doc = doc, .load = load, .registry = registry };
    arena_on_free(arena, give_back, tls);
    CONFIG_EACH(const struct config_provider_model, model, &doc->providers.models)
    CONFIG_EACH(const struct config_backend_ref, ref, &model->backend_refs)
    if (ref->tls && ref->tls_options)
        is_good = build(tls, ref, diag) && is_good;
    if (!is_good)
        return VSR_E_INVALID;
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
