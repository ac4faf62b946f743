/*
 * Everything about one endpoint is decided here, once: where it is, which path, key, headers and model id it gets
 * (config.md §6.3). Nothing is shared between the endpoints of a model, so that a pool of several vendors works.
 */
#include "config/address.h"
#include "config/check.h"
#include "config/document_tables.h"
#include "config/hop_headers.h"
#include "core/arena.h"
#include "core/base64.h"
#include "core/buf.h"
#include "net/http1.h"

#define UNIX_SCHEME "unix:"

enum {
    UNIX_PATH_LEN_MAX = 107, /* struct sockaddr_un has room for so many and a zero */
    PROXY_LEN_MAX = 4096,
};

struct vendor {
    const char *auth_header, *auth_prefix, *chat_path;
};

/* By enum config_provider. Without a vendor the client's path is kept. */
static const struct vendor vendors[] = {
    [PROVIDER_PLAIN] = { "Authorization", "Bearer", NULL },
    [PROVIDER_OPENAI] = { "Authorization", "Bearer", "/chat/completions" },
    [PROVIDER_ANTHROPIC] = { "x-api-key", "", "/v1/messages" },
    [PROVIDER_AZURE_OPENAI] = { "api-key", "", "/chat/completions" },
    [PROVIDER_BEDROCK] = { "Authorization", "Bearer", "/chat/completions" },
    [PROVIDER_GEMINI] = { "Authorization", "Bearer", "/chat/completions" },
    [PROVIDER_VERTEX_AI] = { "Authorization", "Bearer", "/chat/completions" },
    [PROVIDER_MINIMAX] = { "Authorization", "Bearer", "/v1/chat/completions" },
};

static struct diag_at field_at(struct check *c, const struct config_backend_ref *ref, const char *field) {
    return schema_field_at(&config_backend_ref_schema, ref, field, c->arena);
}

/* ---- place */

static bool is_profiled(const struct config_backend_ref *ref) {
    return ref->base_url.len || ref->provider != PROVIDER_PLAIN || ref->auth_header.len ||
           schema_present(&config_backend_ref_schema, ref, "auth_prefix") || ref->chat_path.len ||
           ref->extra_headers.n || ref->api_version.len;
}

/* `unix:PATH`: a socket in the file system. HTTP wants a name for it all the same. */
static void derive_unix(struct check *c, struct config_backend_ref *ref) {
    vsr_str path = str_sub(ref->endpoint, sizeof(UNIX_SCHEME) - 1, ref->endpoint.len);
    if (path.len == 0 || path.ptr[0] != '/' || path.len > UNIX_PATH_LEN_MAX || str_find_char(path, '\0') >= 0)
        diag_error(c->diag, "E_TYPE", field_at(c, ref, "endpoint"), VSR_STR(""),
                   "expected unix: and the absolute path of a socket, of at most %d bytes", UNIX_PATH_LEN_MAX);
    ref->tls = ref->protocol == 1;
    ref->unix_path = path;
    ref->host = VSR_STR("localhost");
    ref->authority = VSR_STR("localhost");
}

static void derive_place(struct check *c, struct config_backend_ref *ref) {
    const char *field = ref->base_url.len ? "base_url" : "endpoint";
    vsr_str text = ref->base_url.len ? ref->base_url : ref->endpoint;
    struct address address;
    const char *wrong;
    if (check_is_open(ref, field))
        return;
    if (ref->base_url.len == 0 && str_starts(text, VSR_STR(UNIX_SCHEME))) {
        derive_unix(c, ref);
        return;
    }
    wrong = address_parse(text, ref->protocol == 1, c->arena, &address);
    if (!wrong && ref->base_url.len && !address.has_scheme)
        wrong = "the URL must start with http:// or https://";
    if (wrong) {
        diag_error(c->diag, "E_TYPE", field_at(c, ref, field), VSR_STR(""), "expected %s: %s",
                   ref->base_url.len ? "an absolute URL" : "host, host:port or [v6]:port", wrong);
        return;
    }
    ref->tls = address.tls;
    ref->host = address.host;
    ref->port = address.port;
    ref->path_prefix = address.path;
    ref->authority = address_authority(&address, c->arena);
}

/* ---- the way there */

static int hex_digit(char c) {
    return ascii_is_digit(c)                                ? c - '0'
           : ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f' ? ascii_lower(c) - 'a' + 10
                                                            : -1;
}

/* `%2F` and the like of a name or password in a URL; what is no such escape stays as it is. */
static void append_decoded(struct buf *out, vsr_str text) {
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len && text.ptr[i] == '%' ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
        buf_append_char(out, low >= 0 ? (char)(high << 4 | low) : text.ptr[i]);
        i += low >= 0 ? 2 : 0;
    }
}

/* `Basic ...` for `user:password`. */
static vsr_str basic_authorization(struct arena *arena, vsr_str user_info) {
    struct buf plain, out;
    vsr_str value;
    buf_init(&plain, PROXY_LEN_MAX);
    buf_init(&out, 2 * PROXY_LEN_MAX);
    append_decoded(&plain, user_info);
    buf_append_c(&out, "Basic ");
    base64_write(&out, buf_str(&plain));
    value = arena_str(arena, buf_str(&out));
    buf_done(&plain);
    buf_done(&out);
    return value;
}

/* Reads `http://[user:password@]host:port`. NULL, or what is wrong with it. */
static const char *read_proxy(struct check *c, struct config_backend_ref *ref) {
    vsr_str scheme = VSR_STR("http://"), rest, user_info = VSR_STR("");
    struct address address;
    const char *wrong;
    ptrdiff_t at;
    if (ref->proxy.len > PROXY_LEN_MAX || !str_starts(ref->proxy, scheme))
        return "only proxies are known that are spoken to in plain HTTP";
    rest = str_sub(ref->proxy, scheme.len, ref->proxy.len);
    at = str_find_last_char(rest, '@');
    if (at >= 0) {
        user_info = str_sub(rest, 0, (size_t)at);
        rest = str_sub(rest, (size_t)at + 1, rest.len);
    }
    wrong = address_parse(rest, false, c->arena, &address);
    if (wrong)
        return wrong;
    if (address.has_scheme || address.path.len)
        return "nothing may follow the port";
    if (ref->unix_path.len)
        return "a socket in the file system is not reached through a proxy";
    ref->via.host = address.host;
    ref->via.port = address.port;
    if (user_info.len)
        ref->via.authorization = basic_authorization(c->arena, user_info);
    return NULL;
}

/* The text is not shown: it may hold a password. */
static void derive_proxy(struct check *c, struct config_backend_ref *ref) {
    const char *wrong;
    if (ref->proxy.len == 0 || check_is_open(ref, "proxy"))
        return;
    wrong = read_proxy(c, ref);
    if (wrong)
        diag_error(c->diag, "E_TYPE", field_at(c, ref, "proxy"), VSR_STR(""),
                   "expected http://[user:password@]host:port: %s", wrong);
}

/* ---- its certificate */

static void check_tls(struct check *c, const struct config_backend_ref *ref) {
    if (ref->tls_options && !ref->tls && !check_is_open(ref, "tls"))
        diag_warn(c->diag, "W_UNUSED", field_at(c, ref, "tls"), VSR_STR(""),
                  "the endpoint is spoken to without TLS; write https:// before it, or protocol: https");
}

/* ---- path */

static vsr_str with_api_version(struct check *c, const struct config_backend_ref *ref, vsr_str path) {
    if (ref->provider != PROVIDER_AZURE_OPENAI || ref->api_version.len == 0)
        return path;
    return arena_printf(c->arena, "%.*s%capi-version=%.*s", VSR_FMT(path), str_find_char(path, '?') < 0 ? '?' : '&',
                        VSR_FMT(ref->api_version));
}

static void derive_path(struct check *c, struct config_backend_ref *ref) {
    const char *fallback = vendors[ref->provider].chat_path;
    if (ref->api_version.len && ref->provider != PROVIDER_AZURE_OPENAI)
        diag_warn(c->diag, "W_UNUSED", field_at(c, ref, "api_version"), VSR_STR(""),
                  "only the provider azure-openai has an api_version");
    if (ref->chat_path.len)
        ref->chat_full_path = with_api_version(c, ref, ref->chat_path);
    else if (fallback)
        ref->chat_full_path =
            with_api_version(c, ref, arena_printf(c->arena, "%.*s%s", VSR_FMT(ref->path_prefix), fallback));
    if (ref->chat_full_path.len && !check_is_path(ref->chat_full_path))
        diag_error(c->diag, "E_TYPE", field_at(c, ref, ref->chat_path.len ? "chat_path" : "api_version"), VSR_STR(""),
                   "expected a path that starts with \"/\", of characters that a URL may hold");
}

/* ---- key and headers */

static void check_extra_headers(struct check *c, const struct config_backend_ref *ref) {
    for (size_t i = 0; i < ref->extra_headers.n; i++) {
        vsr_str name = ref->extra_headers.keys[i];
        const char *code = "E_TYPE", *wrong = NULL;
        if (!http1_name_ok(name))
            wrong = "this is not the name of a header";
        else if (!http1_value_ok(ref->extra_headers.values[i]))
            wrong = "the value has characters that no header may carry";
        else if (hop_headers_have(name)) {
            code = "E_CONFLICT";
            wrong = "a header of the connection is vsr's own to set";
        }
        if (wrong)
            diag_error(c->diag, code, check_pair_at(c, ref, "extra_headers", name), VSR_STR(""), "%s", wrong);
    }
}

/* What the operator wrote in place of a key, never the key: `${NAME}`, or the name of a variable. */
static vsr_str key_source(const struct config_backend_ref *ref, vsr_str variable) {
    const struct yaml_node *written = yaml_get(ref->at.node, VSR_STR("api_key"));
    if (variable.len)
        return variable;
    return written && written->substituted && env_is_bare_reference(written->source) ? written->source
                                                                                     : VSR_STR("api_key");
}

static void derive_key(struct check *c, struct config_backend_ref *ref) {
    bool messages = ref->provider == PROVIDER_PLAIN && ref->api == API_ANTHROPIC;
    const struct vendor *vendor = &vendors[messages ? PROVIDER_ANTHROPIC : ref->provider];
    bool own_prefix = schema_present(&config_backend_ref_schema, ref, "auth_prefix");
    vsr_str prefix = own_prefix ? ref->auth_prefix : str_from_c(vendor->auth_prefix);
    vsr_str variable = str_trim(ref->api_key_env);
    ref->auth_name = ref->auth_header.len ? ref->auth_header : str_from_c(vendor->auth_header);
    ref->key_prefix = prefix;
    ref->wants_key = schema_present(&config_backend_ref_schema, ref, "api_key") ||
                     schema_present(&config_backend_ref_schema, ref, "api_key_env");
    ref->key_source = key_source(ref, variable);
    ref->key = str_trim(ref->api_key);
    if (ref->key.len == 0 && variable.len && !c->env->keep)
        ref->key = str_trim(env_value(c->env, variable, field_at(c, ref, "api_key_env"), c->arena, c->diag));
    if (!http1_name_ok(ref->auth_name))
        diag_error(c->diag, "E_TYPE", field_at(c, ref, "auth_header"), VSR_STR(""), "expected the name of a header");
    else if (hop_headers_have(ref->auth_name))
        diag_error(c->diag, "E_CONFLICT", field_at(c, ref, "auth_header"), VSR_STR(""),
                   "\"%.*s\" is a header of the connection, which is vsr's own to set", VSR_FMT(ref->auth_name));
    if (!check_is_key(ref->key) || !check_is_key(prefix))
        diag_error(c->diag, "E_TYPE", field_at(c, ref, ref->api_key.len ? "api_key" : "api_key_env"), VSR_STR(""),
                   "the key or its prefix has characters that no header may carry");
    if (ref->key.len)
        ref->auth_value =
            prefix.len ? arena_printf(c->arena, "%.*s %.*s", VSR_FMT(prefix), VSR_FMT(ref->key)) : ref->key;
}

/* ---- names for the model and its dialect */

static vsr_str pairs_get(const struct config_pairs *pairs, vsr_str key) {
    for (size_t i = 0; i < pairs->n; i++)
        if (str_eq(pairs->keys[i], key))
            return pairs->values[i];
    return VSR_STR("");
}

static vsr_str external_id(const struct config_provider_model *model, vsr_str type) {
    vsr_str id = pairs_get(&model->external_model_ids, type);
    if (id.len == 0)
        id = pairs_get(&model->external_model_ids, VSR_STR("default"));
    if (id.len == 0)
        id = model->provider_model_id;
    return id.len ? id : model->name;
}

static int dialect_of(const struct config_backend_ref *ref) {
    static const struct {
        vsr_str host;
        int dialect;
    } hosts[] = {
        { VSR_STR_INIT("api.openai.com"), DIALECT_OPENAI },
        { VSR_STR_INIT("api.deepseek.com"), DIALECT_DEEPSEEK },
        { VSR_STR_INIT("openrouter.ai"), DIALECT_OPENROUTER },
    };
    if (!ref->profiled)
        return DIALECT_VLLM;
    for (size_t i = 0; ref->provider == PROVIDER_OPENAI && i < VSR_COUNT(hosts); i++)
        if (str_eq(ref->host, hosts[i].host))
            return hosts[i].dialect;
    return DIALECT_GENERIC;
}

/* ---- the whole */

static void derive_names(struct check *c, struct config_backend_ref *ref, size_t index) {
    if (ref->name.len == 0)
        ref->name = index == 0 ? VSR_STR("primary") : arena_printf(c->arena, "backend-%zu", index + 1);
    if (ref->type.len == 0)
        ref->type =
            ref->provider == PROVIDER_PLAIN ? VSR_STR("vllm") : str_from_c(config_provider_names[ref->provider]);
}

/* A vendor's OpenAI-compatible API is meant where it has a path of its own. */
static int api_of(const struct config_provider_model *model, const struct config_backend_ref *ref) {
    if (model->api_format == API_OPENAI && ref->provider == PROVIDER_ANTHROPIC && ref->chat_path.len == 0)
        return API_ANTHROPIC;
    return model->api_format;
}

static void derive_backend(struct check *c, const struct config_provider_model *model, struct config_backend_ref *ref,
                           size_t index) {
    derive_names(c, ref, index);
    if (ref->endpoint.len == 0 && ref->base_url.len == 0) {
        diag_error(c->diag, "E_NO_ENDPOINT", schema_at(ref), VSR_STR(""),
                   "model \"%.*s\": needs an endpoint or a base_url", VSR_FMT(model->name));
        return;
    }
    ref->profiled = is_profiled(ref);
    ref->api = api_of(model, ref);
    derive_place(c, ref);
    derive_proxy(c, ref);
    check_tls(c, ref);
    if (ref->profiled)
        derive_path(c, ref);
    check_extra_headers(c, ref);
    derive_key(c, ref);
    ref->model_id = external_id(model, ref->type);
    ref->dialect = dialect_of(ref);
}

void derive_backends(struct check *c, struct config_provider_model *model) {
    struct arena_mark mark = arena_mark(c->scratch);
    struct config_backend_ref *refs = model->backend_refs.items;
    struct map names;
    map_init(&names, c->scratch);
    for (size_t i = 0; i < model->backend_refs.n; i++) {
        derive_backend(c, model, &refs[i], i);
        check_unique(c, &names, refs[i].name, &config_backend_ref_schema, &refs[i], "endpoint");
    }
    arena_rewind(c->scratch, mark);
}
