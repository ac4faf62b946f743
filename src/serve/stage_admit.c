/*
 * stage_admit - who asks, and for what: paths and methods, listener keys, the request's id.
 */
#include <openssl/crypto.h>

#include "core/arena.h"
#include "core/clock.h"
#include "serve/model_service.h"
#include "serve/models_list.h"
#include "serve/stages.h"
#include "serve/worker.h"

enum {
    METHOD_GET = 1u << 0, /* HEAD included */
    METHOD_POST = 1u << 1,
    REQUEST_ID_LEN_MAX = 128,
};

static const struct path {
    vsr_str path;
    enum endpoint_kind endpoint;
    unsigned methods;
} paths[] = {
    { VSR_STR_INIT("/v1/chat/completions"), ENDPOINT_CHAT, METHOD_POST },
    { VSR_STR_INIT("/v1/models"), ENDPOINT_MODELS, METHOD_GET },
    { VSR_STR_INIT("/health"), ENDPOINT_HEALTH, METHOD_GET },
    { VSR_STR_INIT("/ready"), ENDPOINT_READY, METHOD_GET },
};
static const vsr_str model_prefix = VSR_STR_INIT("/v1/models/");

static unsigned method_bit(vsr_str method) {
    if (str_eq(method, VSR_STR("GET")) || str_eq(method, VSR_STR("HEAD")))
        return METHOD_GET;
    return str_eq(method, VSR_STR("POST")) ? METHOD_POST : 0;
}

/* An absolute-form target (RFC 9112 3.2.2) without its scheme and host. */
static vsr_str origin_form(vsr_str target) {
    ptrdiff_t scheme = str_find(target, VSR_STR("://"));
    vsr_str rest;
    ptrdiff_t slash;
    if (target.len == 0 || target.ptr[0] == '/' || scheme <= 0)
        return target;
    rest = str_sub(target, (size_t)scheme + 3, target.len);
    slash = str_find_char(rest, '/');
    return slash < 0 ? VSR_STR("/") : str_sub(rest, (size_t)slash, rest.len);
}

/* gateway.md 2: the path is the target without the query, then without one trailing slash. */
static void read_target(struct request *request) {
    vsr_str target = origin_form(request->head->target), query = { NULL, 0 };
    ptrdiff_t mark = str_find_char(target, '?');
    request->path = mark < 0 ? target : str_sub(target, 0, (size_t)mark);
    if (mark >= 0)
        query = str_sub(target, (size_t)mark, target.len);
    request->origin_target = target;
    if (request->path.len > 1 && request->path.ptr[request->path.len - 1] == '/') {
        request->path.len--;
        request->origin_target = arena_printf(request->arena, "%.*s%.*s", VSR_FMT(request->path), VSR_FMT(query));
    }
}

/* The caller's id when it is sane, else a new one. */
static vsr_str request_id_of(struct request *request) {
    vsr_str given = str_trim(http1_field(request->head, VSR_STR("x-request-id")));
    char *fresh;
    if (given.len > 0 && given.len <= REQUEST_ID_LEN_MAX)
        return given;
    fresh = arena_alloc(request->arena, RANDOM_UUID_LEN);
    random_uuid_v7(&request->worker->random, clock_wall_ms(), fresh);
    return str_make(fresh, RANDOM_UUID_LEN);
}

static bool header_is_true(const struct request *request, vsr_str name) {
    return str_eq_nocase(str_trim(http1_field(request->head, name)), VSR_STR("true"));
}

/* Compared in constant time for each accepted key of that length. */
static bool key_matches(vsr_str token, const struct config_strings *keys) {
    bool match = false;
    for (size_t i = 0; i < keys->n; i++) {
        vsr_str key = keys->items[i];
        if (key.len && key.len == token.len)
            match |= CRYPTO_memcmp(key.ptr, token.ptr, key.len) == 0;
    }
    return match;
}

/* config.md 5: with keys configured, every API request carries one of them. */
static bool key_ok(struct request *request) {
    const struct config_listener *listener = request->listener;
    vsr_str value = http1_field(request->head, VSR_STR("authorization"));
    ptrdiff_t space = str_find_char(value, ' ');
    vsr_str token;
    if (listener->api_keys.n == 0 && listener->api_key_envs.n == 0)
        return true;
    if (space < 0 || !str_eq_nocase(str_sub(value, 0, (size_t)space), VSR_STR("bearer")))
        return false;
    token = str_trim(str_sub(value, (size_t)space + 1, value.len));
    request->key_checked = true;
    return key_matches(token, &listener->tokens);
}

static enum stage_result refuse_key(struct request *request) {
    request_error(request, 401, TELEMETRY_REASON_unauthorized, "invalid_api_key",
                  VSR_STR("Unauthorized: missing or invalid API key"));
    request->reply.extra = (struct http1_field){ VSR_STR("www-authenticate"), VSR_STR("Bearer realm=\"vsr\"") };
    return STAGE_FAIL;
}

/* Finds the endpoint, or fills the reply with 404 or 405. */
static bool find_endpoint(struct request *request) {
    unsigned method = method_bit(request->head->method), allowed = 0;
    for (size_t i = 0; i < VSR_COUNT(paths); i++) {
        if (str_eq(request->path, paths[i].path)) {
            request->endpoint = paths[i].endpoint;
            allowed = paths[i].methods;
        }
    }
    if (!allowed && request->path.len > model_prefix.len && str_starts(request->path, model_prefix)) {
        request->endpoint = ENDPOINT_MODEL;
        allowed = METHOD_GET;
    }
    if (!allowed) {
        request_error(request, 404, TELEMETRY_REASON_parse_error, NULL, VSR_STR("endpoint not found"));
        return false;
    }
    if (!(method & allowed)) {
        request_error(request, 405, TELEMETRY_REASON_parse_error, NULL, VSR_STR("method not allowed"));
        request->reply.extra =
            (struct http1_field){ VSR_STR("allow"), allowed & METHOD_POST ? VSR_STR("POST") : VSR_STR("GET, HEAD") };
        return false;
    }
    return true;
}

static enum stage_result reply_text(struct request *request, int status, vsr_str text) {
    request->reply = (struct reply){ .status = status, .body = text, .content_type = VSR_STR("text/plain") };
    return STAGE_REPLY;
}

/* Ids in a path may be percent-encoded, above all the slash of `vendor/model`. */
static vsr_str decode_path(struct arena *arena, vsr_str text) {
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int high, low;
        if (text.ptr[i] == '%' && i + 2 < text.len &&
            (high = OPENSSL_hexchar2int((unsigned char)text.ptr[i + 1])) >= 0 &&
            (low = OPENSSL_hexchar2int((unsigned char)text.ptr[i + 2])) >= 0) {
            out[len++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[len++] = text.ptr[i];
        }
    }
    return str_make(out, len);
}

static enum stage_result reply_model(struct request *request) {
    vsr_str id = decode_path(request->arena, str_sub(request->path, model_prefix.len, request->path.len));
    vsr_str entry = models_list_entry(request->snapshot, id);
    if (!entry.ptr) {
        request_model_unknown(request, id);
        return STAGE_FAIL;
    }
    request->reply = (struct reply){ .status = 200, .body = entry, .content_type = VSR_STR("application/json") };
    return STAGE_REPLY;
}

/* A load balancer leaves us out while a mandatory model is missing; who comes all the same is served. */
static enum stage_result reply_ready(struct request *request) {
    if (request->worker->draining)
        return reply_text(request, 503, VSR_STR("draining\n"));
    return model_service_ready(request->worker->models) ? reply_text(request, 200, VSR_STR("ready\n"))
                                                        : reply_text(request, 503, VSR_STR("starting\n"));
}

/* The endpoints that need no routing. */
static enum stage_result answer_at_once(struct request *request) {
    switch (request->endpoint) {
    case ENDPOINT_HEALTH:
        return reply_text(request, 200, VSR_STR("healthy\n"));
    case ENDPOINT_READY:
        return reply_ready(request);
    case ENDPOINT_MODELS:
        request->reply = (struct reply){ .status = 200,
                                         .body = request->snapshot->models_json,
                                         .content_type = VSR_STR("application/json") };
        return STAGE_REPLY;
    case ENDPOINT_MODEL:
        return reply_model(request);
    default:
        return STAGE_NEXT;
    }
}

enum stage_result stage_admit(struct request *request) {
    read_target(request);
    request->request_id = request_id_of(request);
    request->debug = header_is_true(request, VSR_STR("x-vsr-debug"));
    request->skip = request->snapshot->doc->global.router.skip_processing.enabled &&
                    header_is_true(request, VSR_STR("x-vsr-skip-processing"));
    if (!find_endpoint(request))
        return STAGE_FAIL;
    /* Load balancers have no key; their two paths tell nothing. */
    if (request->endpoint != ENDPOINT_HEALTH && request->endpoint != ENDPOINT_READY && !key_ok(request))
        return refuse_key(request);
    return answer_at_once(request);
}

enum stage_result stage_receive(struct request *request) {
    if (!request->body_complete)
        return STAGE_WAIT;
    request->received_ns = clock_mono_ns();
    return STAGE_NEXT;
}
