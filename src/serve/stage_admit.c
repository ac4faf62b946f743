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

enum { REQUEST_ID_LEN_MAX = 128 };

/* The path, and the target as an endpoint is asked for it, where a trailing slash is gone, too. */
static void read_target(struct request *request) {
    vsr_str target = endpoints_origin(request->head->target);
    ptrdiff_t mark = str_find_char(target, '?');
    size_t whole = mark < 0 ? target.len : (size_t)mark;
    request->path = endpoints_path(target);
    request->origin_target = target;
    if (request->path.len < whole)
        request->origin_target = arena_printf(request->arena, "%.*s%.*s", VSR_FMT(request->path),
                                              VSR_FMT(str_sub(target, whole, target.len)));
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

/* What the caller shows as its key. Anthropic's clients send x-api-key and nothing else. */
static vsr_str shown_key(const struct request *request) {
    vsr_str value = http1_field(request->head, VSR_STR("authorization"));
    ptrdiff_t space = str_find_char(value, ' ');
    bool anthropic = request->client_protocol == PROTOCOL_MESSAGES || request->endpoint == ENDPOINT_MODELS ||
                     request->endpoint == ENDPOINT_MODEL; /* the list is everybody's */
    if (value.len == 0 && anthropic)
        return str_trim(http1_field(request->head, VSR_STR("x-api-key")));
    if (space < 0 || !str_eq_nocase(str_sub(value, 0, (size_t)space), VSR_STR("bearer")))
        return str_make(NULL, 0);
    return str_trim(str_sub(value, (size_t)space + 1, value.len));
}

/* config.md 5: with keys configured, every API request carries one of them. */
static bool key_ok(struct request *request) {
    const struct config_listener *listener = request->listener;
    vsr_str key;
    if (listener->api_keys.n == 0 && listener->api_key_envs.n == 0)
        return true;
    key = shown_key(request);
    if (key.len == 0)
        return false;
    request->key_checked = true;
    request->listener_key = key;
    return key_matches(key, &listener->tokens);
}

static enum stage_result refuse_key(struct request *request) {
    request_error(request, 401, TELEMETRY_REASON_unauthorized, "invalid_api_key",
                  VSR_STR("Unauthorized: missing or invalid API key"));
    request->reply.extra = (struct http1_field){ VSR_STR("www-authenticate"), VSR_STR("Bearer realm=\"vsr\"") };
    return STAGE_FAIL;
}

/* 404, with what the client may have meant. */
static void refuse_path(struct request *request) {
    vsr_str near = endpoints_suggest(request->path), message = VSR_STR("endpoint not found");
    if (str_starts(request->path, VSR_STR("/v1/responses/")))
        message = VSR_STR("endpoint not found: the id of a response begins with \"resp_\"");
    else if (near.len > 0)
        message = arena_printf(request->arena, "endpoint not found; did you mean %.*s?", VSR_FMT(near));
    request_error(request, 404, TELEMETRY_REASON_parse_error, NULL, message);
}

/* Finds the endpoint, or fills the reply with 404 or 405. */
static const struct endpoint_row *find_endpoint(struct request *request) {
    const struct endpoint_row *row = endpoints_find(request->path, &request->resource_id);
    request->client_protocol = row ? row->protocol : endpoints_protocol(request->path);
    if (!row) {
        refuse_path(request);
        return NULL;
    }
    request->endpoint = row->kind;
    if (!(endpoints_method(request->head->method) & row->methods)) {
        request_error(request, 405, TELEMETRY_REASON_parse_error, NULL, VSR_STR("method not allowed"));
        request->reply.extra = (struct http1_field){ VSR_STR("allow"), endpoints_allow(row) };
        return NULL;
    }
    return row;
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
    vsr_str id = decode_path(request->arena, request->resource_id);
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
    const struct endpoint_row *row;
    read_target(request);
    request->request_id = request_id_of(request);
    request->debug = header_is_true(request, VSR_STR("x-vsr-debug"));
    request->skip = request->snapshot->doc->global.router.skip_processing.enabled &&
                    header_is_true(request, VSR_STR("x-vsr-skip-processing"));
    (void)trace_context_read(request_single_field(request, VSR_STR("traceparent")),
                             http1_field(request->head, VSR_STR("tracestate")), random_next(&request->worker->random),
                             &request->trace); /* most requests have none */
    row = find_endpoint(request);
    if (!row)
        return STAGE_FAIL;
    if (!row->open && !key_ok(request))
        return refuse_key(request);
    return answer_at_once(request);
}

enum stage_result stage_receive(struct request *request) {
    if (!request->body_complete)
        return STAGE_WAIT;
    request->received_ns = clock_mono_ns();
    return STAGE_NEXT;
}
