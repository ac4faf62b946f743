#include "serve/listener_tls.h"

#include "core/arena.h"
#include "net/tls.h"
#include "serve/tls_file.h"

struct contexts {
    struct tls_server **items;
    size_t n;
};

static void free_contexts(void *data) {
    struct contexts *contexts = data;
    for (size_t i = 0; i < contexts->n; i++)
        tls_server_unref(contexts->items[i]);
}

struct builder {
    struct arena *arena;
    const struct config_document *doc;
    const struct config_load_options *load;
};

static vsr_str place(const struct builder *b, vsr_str file) {
    return tls_file_place(b->arena, b->doc, b->load, file, NULL);
}

static int build(const struct builder *b, const struct config_listener_tls *tls, struct tls_server **ret_context,
                 struct vsr_err *err) {
    static const enum tls_client_auth auths[] = {
        [CLIENT_AUTH_NONE] = TLS_CLIENT_NONE,
        [CLIENT_AUTH_REQUEST] = TLS_CLIENT_REQUEST,
        [CLIENT_AUTH_REQUIRE] = TLS_CLIENT_REQUIRE,
    };
    const struct tls_server_options options = {
        .cert_file = place(b, tls->cert_file),
        .key_file = place(b, tls->key_file),
        .client_ca_file = place(b, tls->client_auth == CLIENT_AUTH_NONE ? VSR_STR("") : tls->client_ca_file),
        .client_auth = auths[tls->client_auth],
        .min_version = tls->min_version == TLS_1_3 ? 13 : 12,
        .alpn = tls->alpn.items,
        .n_alpn = tls->alpn.n,
    };
    return tls_server_new(&options, ret_context, err);
}

int listener_tls_build(struct arena *arena, const struct config_document *doc, const struct config_load_options *load,
                       struct tls_server ***ret_contexts, struct vsr_err *err) {
    const struct builder builder = { .arena = arena, .doc = doc, .load = load };
    const struct config_listener *listeners = doc->listeners.items;
    struct contexts *contexts = ARENA_NEW(arena, struct contexts);
    contexts->items = ARENA_ARRAY(arena, struct tls_server *, doc->listeners.n);
    arena_on_free(arena, free_contexts, contexts);
    for (; contexts->n < doc->listeners.n; contexts->n++) {
        const struct config_listener *listener = &listeners[contexts->n];
        int rc = listener->tls ? build(&builder, listener->tls, &contexts->items[contexts->n], err) : 0;
        if (rc < 0)
            return err_wrap(err, "TLS of listener \"%.*s\"", VSR_FMT(listener->name));
    }
    *ret_contexts = contexts->items;
    return 0;
}
