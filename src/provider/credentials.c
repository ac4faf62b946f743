#include "provider/credentials.h"

#include "config/hop_headers.h"
#include "core/arena.h"

enum {
    PROVIDERS = PROVIDER_MINIMAX + 1,
    HEADER_LEN_MAX = 48, /* only decides how finely names are sorted */
};

enum step_kind { STEP_INJECTED, STEP_STATIC };

/* One link of the chain. */
struct step {
    enum step_kind kind;
    vsr_str headers[PROVIDERS]; /* INJECTED: header by provider; empty: none */
};

struct special_header {
    vsr_str name;
    enum header_class class;
};

struct credentials {
    struct step *steps;
    size_t n_steps;
    bool fail_open;
    struct special_header *headers; /* sorted by length of the name, else in order of precedence */
    size_t n_headers;
    size_t starts[HEADER_LEN_MAX + 2]; /* where names of a length begin; longer ones are all under the last */
};

static const struct {
    vsr_str name;
    enum config_provider provider;
    vsr_str header;
} providers[] = {
    { VSR_STR_INIT("openai"), PROVIDER_OPENAI, VSR_STR_INIT("x-user-openai-key") },
    { VSR_STR_INIT("anthropic"), PROVIDER_ANTHROPIC, VSR_STR_INIT("x-user-anthropic-key") },
    { VSR_STR_INIT("azure-openai"), PROVIDER_AZURE_OPENAI, VSR_STR_INIT("x-user-azure-openai-key") },
    { VSR_STR_INIT("bedrock"), PROVIDER_BEDROCK, VSR_STR_INIT("x-user-bedrock-key") },
    { VSR_STR_INIT("gemini"), PROVIDER_GEMINI, VSR_STR_INIT("x-user-gemini-key") },
    { VSR_STR_INIT("vertex-ai"), PROVIDER_VERTEX_AI, VSR_STR_INIT("x-user-vertex-ai-key") },
    { VSR_STR_INIT("minimax"), PROVIDER_MINIMAX, VSR_STR_INIT("x-user-minimax-key") },
};

/* Headers with a meaning of their own, whatever the configuration says. */
static const struct special_header fixed_headers[] = {
    { VSR_STR_INIT("x-vsr-internal-auth"), HEADER_INTERNAL },
    { VSR_STR_INIT("x-vsr-looper-request"), HEADER_INTERNAL },
    { VSR_STR_INIT("x-vsr-looper-iteration"), HEADER_INTERNAL },
    { VSR_STR_INIT("x-vsr-looper-decision"), HEADER_INTERNAL },
    { VSR_STR_INIT("x-vsr-looper-secret"), HEADER_INTERNAL },
    { VSR_STR_INIT("x-vsr-fusion-depth"), HEADER_INTERNAL },
    { VSR_STR_INIT("x-vsr-selected-recipe"), HEADER_INTERNAL },
    { VSR_STR_INIT("x-selected-model"), HEADER_INTERNAL },
    { VSR_STR_INIT("x-vsr-priority"), HEADER_INTERNAL },
    { VSR_STR_INIT("x-authz-user-id"), HEADER_IDENTITY },
    { VSR_STR_INIT("x-authz-user-groups"), HEADER_IDENTITY },
    { VSR_STR_INIT("x-authz-team-id"), HEADER_IDENTITY },
    { VSR_STR_INIT("x-authz-tenant-id"), HEADER_IDENTITY },
    { VSR_STR_INIT("authorization"), HEADER_AUTHORIZATION },
    { VSR_STR_INIT("api-key"), HEADER_AUTHORIZATION },
    { VSR_STR_INIT("x-api-key"), HEADER_AUTHORIZATION },
};

/* ---- building */

static void add_header(struct credentials *c, vsr_str name, enum header_class class) {
    if (name.len > 0)
        c->headers[c->n_headers++] = (struct special_header){ .name = name, .class = class };
}

static size_t count_headers(const struct config_authz *authz) {
    const struct config_authz_provider *configs = authz->providers.items;
    size_t n = HOP_HEADERS + VSR_COUNT(fixed_headers) + VSR_COUNT(providers) + 2;
    for (size_t i = 0; i < authz->providers.n; i++)
        n += configs[i].headers.n;
    return n;
}

/* The first entry of a name counts, so a configured name cannot turn `host` into something else. */
static void collect_headers(struct credentials *c, const struct config_authz *authz) {
    const struct config_authz_provider *configs = authz->providers.items;
    for (size_t i = 0; i < HOP_HEADERS; i++)
        add_header(c, hop_headers[i], HEADER_HOP);
    for (size_t i = 0; i < VSR_COUNT(fixed_headers); i++)
        add_header(c, fixed_headers[i].name, fixed_headers[i].class);
    for (size_t i = 0; i < VSR_COUNT(providers); i++)
        add_header(c, providers[i].header, HEADER_IDENTITY);
    add_header(c, authz->identity.user_id_header, HEADER_IDENTITY);
    add_header(c, authz->identity.user_groups_header, HEADER_IDENTITY);
    for (size_t i = 0; i < authz->providers.n; i++)
        for (size_t h = 0; h < configs[i].headers.n; h++)
            add_header(c, configs[i].headers.values[h], HEADER_IDENTITY);
}

static size_t bucket_of(vsr_str name) {
    return name.len < HEADER_LEN_MAX ? name.len : HEADER_LEN_MAX;
}

/* A stable counting sort: a client's header is compared with the few names of its own length. */
static void sort_headers(struct arena *arena, struct credentials *c) {
    struct special_header *sorted = ARENA_ARRAY(arena, struct special_header, c->n_headers);
    size_t n = 0;
    for (size_t len = 0; len <= HEADER_LEN_MAX; len++) {
        c->starts[len] = n;
        for (size_t i = 0; i < c->n_headers; i++)
            if (bucket_of(c->headers[i].name) == len)
                sorted[n++] = c->headers[i];
    }
    c->starts[HEADER_LEN_MAX + 1] = n;
    c->headers = sorted;
}

static void default_headers(struct step *step) {
    for (size_t i = 0; i < VSR_COUNT(providers); i++)
        step->headers[providers[i].provider] = providers[i].header;
}

static void configured_headers(struct step *step, const struct config_pairs *headers) {
    for (size_t h = 0; h < headers->n; h++)
        for (size_t i = 0; i < VSR_COUNT(providers); i++)
            if (str_eq(providers[i].name, headers->keys[h]))
                step->headers[providers[i].provider] = headers->values[h];
}

static void build_step(struct step *step, const struct config_authz_provider *config) {
    if (config->type != 0) {
        step->kind = STEP_STATIC;
        return;
    }
    step->kind = STEP_INJECTED;
    if (config->headers.n > 0)
        configured_headers(step, &config->headers);
    else
        default_headers(step);
}

struct credentials *credentials_build(struct arena *arena, const struct config_document *doc) {
    const struct config_authz *authz = &doc->global.services.authz;
    const struct config_authz_provider *configs = authz->providers.items;
    struct credentials *c = ARENA_NEW(arena, struct credentials);
    c->headers = ARENA_ARRAY(arena, struct special_header, count_headers(authz));
    collect_headers(c, authz);
    sort_headers(arena, c);
    if (authz->providers.n == 0) { /* keyless local backends work without any configuration */
        c->steps = ARENA_ARRAY(arena, struct step, 2);
        c->n_steps = 2;
        c->fail_open = true;
        c->steps[0].kind = STEP_INJECTED;
        default_headers(&c->steps[0]);
        c->steps[1].kind = STEP_STATIC;
        return c;
    }
    c->steps = ARENA_ARRAY(arena, struct step, authz->providers.n);
    c->n_steps = authz->providers.n;
    c->fail_open = authz->fail_open;
    for (size_t i = 0; i < c->n_steps; i++)
        build_step(&c->steps[i], &configs[i]);
    return c;
}

/* ---- per request */

enum header_class credentials_header_class(const struct credentials *credentials, vsr_str name) {
    size_t bucket = bucket_of(name);
    for (size_t i = credentials->starts[bucket]; i < credentials->starts[bucket + 1]; i++)
        if (str_eq_nocase(credentials->headers[i].name, name))
            return credentials->headers[i].class;
    return HEADER_PLAIN;
}

static bool is_listed(const vsr_str *names, size_t n, vsr_str name) {
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(names[i], name))
            return true;
    return false;
}

size_t credentials_private_names(const struct credentials *credentials, struct arena *arena, vsr_str **ret_names) {
    vsr_str *names = ARENA_ARRAY(arena, vsr_str, credentials->n_headers);
    size_t n = 0;
    for (size_t i = 0; i < credentials->n_headers; i++) {
        vsr_str name = credentials->headers[i].name;
        enum header_class class = credentials_header_class(credentials, name);
        if ((class == HEADER_IDENTITY || class == HEADER_INTERNAL) && !is_listed(names, n, name))
            names[n++] = name;
    }
    *ret_names = names;
    return n;
}

/* A plain endpoint is of whom it speaks like. */
static enum config_provider provider_of(const struct config_backend_ref *ref) {
    if (ref->provider != PROVIDER_PLAIN)
        return (enum config_provider)ref->provider;
    return ref->api == API_ANTHROPIC ? PROVIDER_ANTHROPIC : PROVIDER_OPENAI;
}

static bool resolve_injected(const struct step *step, const struct config_backend_ref *ref,
                             const struct credential_request *request, struct arena *arena,
                             struct credential *ret_credential) {
    vsr_str header = step->headers[provider_of(ref)], prefix = ref->key_prefix, key;
    if (!request->trust_injected || header.len == 0)
        return false;
    key = http1_field(request->head, header);
    if (key.len == 0)
        return false;
    ret_credential->source = CREDENTIAL_INJECTED;
    ret_credential->name = ref->auth_name;
    ret_credential->value = prefix.len == 0 ? key : arena_printf(arena, "%.*s %.*s", VSR_FMT(prefix), VSR_FMT(key));
    return true;
}

static bool resolve_static(const struct config_backend_ref *ref, struct credential *ret_credential) {
    if (ref->auth_value.len == 0)
        return false;
    ret_credential->source = CREDENTIAL_STATIC;
    ret_credential->name = ref->auth_name;
    ret_credential->value = ref->auth_value;
    return true;
}

int credentials_resolve(const struct credentials *credentials, const struct config_backend_ref *ref,
                        const struct credential_request *request, struct arena *arena,
                        struct credential *ret_credential, struct vsr_err *err) {
    *ret_credential = (struct credential){ .source = CREDENTIAL_NONE };
    for (size_t i = 0; i < credentials->n_steps; i++) {
        const struct step *step = &credentials->steps[i];
        if (step->kind == STEP_STATIC ? resolve_static(ref, ret_credential)
                                      : resolve_injected(step, ref, request, arena, ret_credential))
            return 0;
    }
    /* The caller's key is for us or for a keyless backend: a vendor whose own key went missing must not see it. */
    if (ref->wants_key)
        return err_set(err, VSR_E_INVALID, "the endpoint configures a key and has none: %.*s",
                       VSR_FMT(ref->key_source));
    if (!credentials->fail_open)
        return err_set(err, VSR_E_INVALID, "there is no key for the endpoint and authz.fail_open is false");
    if (!request->authorization_is_ours)
        ret_credential->source = CREDENTIAL_CALLER;
    return 0;
}
