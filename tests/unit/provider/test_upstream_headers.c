#include "provider/upstream_headers.h"

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"
#include "wire/trace_context.h"

enum { FIELDS_MAX = 24, PAIRS_MAX = 4 };

/* A field list as text: `name: value` lines. */
static size_t read_fields(const char *text, struct http1_field *fields) {
    size_t n = 0;
    for (vsr_str rest = str_from_c(text); rest.ptr;) {
        vsr_str line = str_split(&rest, '\n');
        vsr_str name = str_split(&line, ':');
        if (name.len > 0)
            fields[n++] = (struct http1_field){ .name = name, .value = str_trim(line) };
    }
    return n;
}

enum chain { CHAIN_DEFAULT, CHAIN_CLOSED, CHAIN_OPEN, CHAIN_STATIC_FIRST, CHAIN_RENAMED };

/* Configurations by name, as config_load leaves them. */
static void configure(struct config_document *doc, enum chain chain, struct config_authz_provider *steps,
                      vsr_str *pair) {
    struct config_authz *authz = &doc->global.services.authz;
    authz->identity.user_id_header = VSR_STR("x-authz-user-id");
    authz->identity.user_groups_header = VSR_STR("X-Groups");
    if (chain == CHAIN_DEFAULT)
        return;
    steps[0].type = chain == CHAIN_STATIC_FIRST;
    steps[1].type = chain != CHAIN_STATIC_FIRST;
    authz->providers = (struct config_list){ .items = steps, .n = 2 };
    authz->fail_open = chain == CHAIN_OPEN;
    if (chain != CHAIN_RENAMED)
        return;
    pair[0] = VSR_STR("openai");
    pair[1] = VSR_STR("X-My-Key");
    steps[0].headers = (struct config_pairs){ .keys = &pair[0], .values = &pair[1], .n = 1 };
}

static const struct {
    const char *name;
    enum chain chain;
    int provider; /* enum config_provider */
    const char *key;
    bool trust, ours;
    const char *client, *want; /* want NULL: refused */
    bool unset;                /* the endpoint configures a key whose variable is not set */
} cases[] = {
    { "plain", CHAIN_DEFAULT, 0, "", false, false,
      "Host: x\nContent-Length: 3\nContent-Type: text/x\nAccept: */*\nAccept-Encoding: gzip\nUser-Agent: u",
      "Content-Type: text/x\nAccept: */*\nUser-Agent: u\naccept-encoding: identity\nx-request-id: r1\n"
      "x-selected-model: m\n" },
    { "hop by hop", CHAIN_DEFAULT, 0, "", false, false,
      "Connection: keep-alive, X-Hop\nX-Hop: 1\nKeep-Alive: 5\nProxy-Connection: x\nTransfer-Encoding: chunked\n"
      "Upgrade: h2c\nTE: trailers\nTrailer: x\nExpect: 100-continue\nX-Stay: 1\nProxy-Authorization: secret",
      "X-Stay: 1\naccept-encoding: identity\ncontent-type: application/json\nx-request-id: r1\nx-selected-model: m\n" },
    { "internal and identity", CHAIN_DEFAULT, 0, "", true, false,
      "X-VSR-Looper-Request: 1\nx-vsr-internal-auth: 1\nX-Selected-Model: evil\nx-authz-user-id: u\nX-Groups: g\n"
      "x-authz-team-id: t\nx-authz-user-groups: g\nX-User-Gemini-Key: k\nx-vsr-selected-recipe: r\nx-vsr-fusion-depth: "
      "9",
      "accept-encoding: identity\ncontent-type: application/json\nx-request-id: r1\nx-selected-model: m\n" },
    { "request id replaced, broken trace removed", CHAIN_DEFAULT, 0, "", false, false,
      "X-Request-Id: theirs\nTraceparent: 00-1\nTracestate: a=b",
      "accept-encoding: identity\ncontent-type: application/json\nx-request-id: r1\nx-selected-model: m\n" },
    { "static key", CHAIN_DEFAULT, 0, "sk-1", false, false, "Authorization: Bearer theirs\napi-key: a\nX-API-Key: b",
      "accept-encoding: identity\ncontent-type: application/json\nAuthorization: Bearer sk-1\nx-request-id: r1\n"
      "x-selected-model: m\n" },
    { "caller's key", CHAIN_DEFAULT, 0, "", false, false, "Authorization: Bearer theirs\napi-key: a",
      "Authorization: Bearer theirs\napi-key: a\naccept-encoding: identity\ncontent-type: application/json\n"
      "x-request-id: r1\nx-selected-model: m\n" },
    { "the listener's key never leaks", CHAIN_DEFAULT, 0, "", false, true, "Authorization: Bearer listener\napi-key: a",
      "accept-encoding: identity\ncontent-type: application/json\nx-request-id: r1\nx-selected-model: m\n" },
    { "injected", CHAIN_DEFAULT, 0, "sk-1", true, false, "x-user-openai-key: inj\nAuthorization: theirs",
      "accept-encoding: identity\ncontent-type: application/json\nAuthorization: Bearer inj\nx-request-id: r1\n"
      "x-selected-model: m\n" },
    { "injected without prefix", CHAIN_DEFAULT, PROVIDER_AZURE_OPENAI, "", true, false, "x-user-azure-openai-key: inj",
      "accept-encoding: identity\ncontent-type: application/json\nAuthorization: inj\nx-request-id: r1\n"
      "x-selected-model: m\n" },
    { "forged injection", CHAIN_DEFAULT, 0, "sk-1", false, false, "x-user-openai-key: forged",
      "accept-encoding: identity\ncontent-type: application/json\nAuthorization: Bearer sk-1\nx-request-id: r1\n"
      "x-selected-model: m\n" },
    { "injection for another provider", CHAIN_CLOSED, PROVIDER_GEMINI, "", true, false, "x-user-openai-key: inj",
      NULL },
    { "closed", CHAIN_CLOSED, 0, "", true, false, "Authorization: Bearer theirs", NULL },
    { "open", CHAIN_OPEN, 0, "", true, false, "Authorization: Bearer theirs",
      "Authorization: Bearer theirs\naccept-encoding: identity\ncontent-type: application/json\nx-request-id: r1\n"
      "x-selected-model: m\n" },
    { "static first", CHAIN_STATIC_FIRST, 0, "sk-1", true, false, "x-user-openai-key: inj",
      "accept-encoding: identity\ncontent-type: application/json\nAuthorization: Bearer sk-1\nx-request-id: r1\n"
      "x-selected-model: m\n" },
    { "renamed injection", CHAIN_RENAMED, 0, "", true, false, "x-my-key: inj\nx-user-openai-key: default name",
      "accept-encoding: identity\ncontent-type: application/json\nAuthorization: Bearer inj\nx-request-id: r1\n"
      "x-selected-model: m\n" },
    { "renamed, not trusted", CHAIN_RENAMED, 0, "k", false, false, "x-my-key: forged",
      "accept-encoding: identity\ncontent-type: application/json\nAuthorization: Bearer k\nx-request-id: r1\n"
      "x-selected-model: m\n" },
    { "the caller's key is not for a vendor whose own is missing", CHAIN_DEFAULT, 0, "", false, false,
      "Authorization: Bearer theirs", NULL, .unset = true },
    { "nor without one", CHAIN_DEFAULT, 0, "", false, false, "", NULL, .unset = true },
    { "nor when authz fails open", CHAIN_OPEN, 0, "", false, false, "Authorization: Bearer theirs", NULL,
      .unset = true },
    { "an injected key stands in for a missing one", CHAIN_DEFAULT, 0, "", true, false, "x-user-openai-key: inj",
      "accept-encoding: identity\ncontent-type: application/json\nAuthorization: Bearer inj\nx-request-id: r1\n"
      "x-selected-model: m\n",
      .unset = true },
    { "key with a line end", CHAIN_DEFAULT, 0, "sk\r\nx: y", false, false, "", NULL },
};

static int build(struct arena *arena, size_t i, struct config_backend_ref *ref, struct upstream_headers *out) {
    struct config_document doc = { .version = VSR_STR_INIT("v0.3") };
    struct config_authz_provider steps[2] = { { .type = 0 }, { .type = 0 } };
    struct http1_field fields[FIELDS_MAX];
    struct http1_head head = { .fields = fields };
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str pair[2];
    struct upstream_headers_input input = {
        .head = &head,
        .ref = ref,
        .selected_model = VSR_STR("m"),
        .request_id = VSR_STR("r1"),
        .trust_injected = cases[i].trust,
        .authorization_is_ours = cases[i].ours,
    };
    head.n_fields = read_fields(cases[i].client, fields);
    configure(&doc, cases[i].chain, steps, pair);
    input.credentials = credentials_build(arena, &doc);
    ref->provider = cases[i].provider;
    ref->auth_name = VSR_STR("Authorization");
    ref->key = str_from_c(cases[i].key);
    ref->key_prefix = cases[i].provider == PROVIDER_AZURE_OPENAI ? VSR_STR("") : VSR_STR("Bearer");
    ref->wants_key = ref->key.len > 0 || cases[i].unset;
    ref->key_source = VSR_STR("OPENAI_KEY");
    if (ref->key.len > 0)
        ref->auth_value = arena_printf(arena, "Bearer %s", cases[i].key);
    return upstream_headers_build(arena, &input, out, &err);
}

static void check_fields(const struct upstream_headers *headers, const char *want, const char *name) {
    struct buf out;
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < headers->n_fields; i++)
        buf_printf(&out, "%.*s: %.*s\n", VSR_FMT(headers->fields[i].name), VSR_FMT(headers->fields[i].value));
    CHECK_STR(buf_str(&out), want, name);
    buf_done(&out);
}

TEST(fields) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_backend_ref ref = { .name = VSR_STR_INIT("e") };
        struct upstream_headers headers;
        int rc = build(arena, i, &ref, &headers);
        CHECK_INT(rc, cases[i].want ? 0 : VSR_E_INVALID, cases[i].name);
        if (rc == 0)
            check_fields(&headers, cases[i].want, cases[i].name);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *client, *parent, *want;
    enum protocol protocol;
    bool stream, translated;
} protocols[] = {
    { "trace", "Traceparent: theirs\nTracestate: a=b", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "Tracestate: a=b\naccept-encoding: identity\ncontent-type: application/json\n"
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-00000000000000ab-01\n",
      PROTOCOL_CHAT, true, false },
    { "anthropic client and backend", "anthropic-version: 2099-01-01\nanthropic-beta: x", "",
      "anthropic-version: 2099-01-01\nanthropic-beta: x\naccept-encoding: identity\ncontent-type: application/json\n",
      PROTOCOL_MESSAGES, true, false },
    { "anthropic backend", "Accept: application/json\nContent-Type: text/plain", "",
      "accept-encoding: identity\ncontent-type: application/json\naccept: text/event-stream\n"
      "anthropic-version: 2023-06-01\n",
      PROTOCOL_MESSAGES, true, true },
    { "anthropic client", "Accept: application/json", "",
      "Accept: application/json\naccept-encoding: identity\ncontent-type: application/json\n", PROTOCOL_CHAT, false,
      true },
};

TEST(trace_and_protocol) {
    for (size_t i = 0; i < VSR_COUNT(protocols); i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_document doc = { .version = VSR_STR_INIT("v0.3") };
        struct config_backend_ref ref = { .name = VSR_STR_INIT("e") };
        struct http1_field fields[FIELDS_MAX];
        struct http1_head head = { .fields = fields, .n_fields = read_fields(protocols[i].client, fields) };
        struct trace_context trace;
        struct upstream_headers headers;
        struct vsr_err err = VSR_ERR_NONE;
        const struct upstream_headers_input input = {
            .head = &head,
            .ref = &ref,
            .credentials = credentials_build(arena, &doc),
            .trace = &trace,
            .protocol = protocols[i].protocol,
            .stream = protocols[i].stream,
            .translated = protocols[i].translated,
        };
        (void)trace_context_read(str_from_c(protocols[i].parent), VSR_STR("a=b"), 0xab, &trace);
        CHECK_INT(upstream_headers_build(arena, &input, &headers, &err), 0, protocols[i].name);
        check_fields(&headers, protocols[i].want, protocols[i].name);
        arena_free(arena);
    }
}

TEST(missing_key_named) {
    struct arena *arena = arena_new(0, 0);
    struct config_document doc = { .version = VSR_STR_INIT("v0.3") };
    struct config_backend_ref ref = { .name = VSR_STR_INIT("cloud"), .wants_key = true };
    struct http1_head head = { .n_fields = 0 };
    struct credential_request request = { .head = &head };
    struct credential credential;
    struct vsr_err err = VSR_ERR_NONE;
    ref.key_source = VSR_STR("OPENAI_KEY");
    CHECK_INT(credentials_resolve(credentials_build(arena, &doc), &ref, &request, arena, &credential, &err),
              VSR_E_INVALID, "refused");
    CHECK_STR(str_from_c(err.text), "the endpoint configures a key and has none: OPENAI_KEY", "text");
    arena_free(arena);
}

TEST(extra_headers_win) {
    static vsr_str keys[] = { VSR_STR_INIT("authorization"), VSR_STR_INIT("X-Org"), VSR_STR_INIT("bad name") };
    static vsr_str values[] = { VSR_STR_INIT("Custom x"), VSR_STR_INIT("o"), VSR_STR_INIT("v") };
    struct arena *arena = arena_new(0, 0);
    struct config_backend_ref ref = { .name = VSR_STR_INIT("e"), .extra_headers = { keys, values, 3 } };
    struct upstream_headers headers;
    CHECK_INT(build(arena, 4, &ref, &headers), 0, "build");
    CHECK(headers.credential.source == CREDENTIAL_STATIC, "source");
    check_fields(&headers,
                 "accept-encoding: identity\ncontent-type: application/json\nx-request-id: r1\nx-selected-model: m\n"
                 "authorization: Custom x\nX-Org: o\n",
                 "extra");
    arena_free(arena);
}

TEST(header_classes) {
    struct arena *arena = arena_new(0, 0);
    struct config_document doc = { .version = VSR_STR_INIT("v0.3") };
    struct credentials *credentials;
    doc.global.services.authz.identity.user_id_header = VSR_STR("Host"); /* must not unmake what host is */
    credentials = credentials_build(arena, &doc);
    CHECK(credentials_header_class(credentials, VSR_STR("HOST")) == HEADER_HOP, "host");
    CHECK(credentials_header_class(credentials, VSR_STR("X-Selected-Model")) == HEADER_INTERNAL, "internal");
    CHECK(credentials_header_class(credentials, VSR_STR("x-authz-tenant-id")) == HEADER_IDENTITY, "identity");
    CHECK(credentials_header_class(credentials, VSR_STR("Api-Key")) == HEADER_AUTHORIZATION, "authorization");
    CHECK(credentials_header_class(credentials, VSR_STR("accept")) == HEADER_PLAIN, "plain");
    CHECK(credentials_header_class(credentials, VSR_STR("")) == HEADER_PLAIN, "empty");
    arena_free(arena);
}

RUN_TESTS(T(fields), T(trace_and_protocol), T(missing_key_named), T(extra_headers_win), T(header_classes))
