#include "serve/answer.h"

#include <stdio.h>

#include "core/arena.h"
#include "core/clock.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/error_body.h"
#include "wire/warnings.h"

enum {
    HEADER_VALUE_LEN_MAX = 4 << 10, /* signals.md §14 */
    HEADER_BLOCK_LEN_MAX = 8 << 10, /* all x-vsr headers together, gateway.md 13.2 */
};

#define SCHEMA_VERSION "2"

struct field_list {
    struct request *request;
    struct http1_field items[ANSWER_FIELDS_MAX];
    size_t n;
    size_t own_len; /* bytes of our own headers */
};

static void add(struct field_list *list, vsr_str name, vsr_str value) {
    if (list->n < ANSWER_FIELDS_MAX)
        list->items[list->n++] = (struct http1_field){ name, value };
}

/*
 * Names from the configuration may hold anything. What is not printable ASCII is percent-encoded, and so are `%` and,
 * in lists, the comma; values are cut at 4 KiB, at the end of an escape.
 */
static vsr_str encode_value(struct arena *arena, vsr_str value, bool in_list) {
    static const char hex[] = "0123456789ABCDEF";
    bool clean = value.len <= HEADER_VALUE_LEN_MAX;
    char *out;
    size_t len = 0;
    for (size_t i = 0; clean && i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        clean = c >= 0x20 && c < 0x7f && c != '%' && !(in_list && c == ',');
    }
    if (clean && (value.len == 0 || (value.ptr[0] != ' ' && value.ptr[value.len - 1] != ' ')))
        return value;
    out = arena_alloc(arena, HEADER_VALUE_LEN_MAX);
    for (size_t i = 0; i < value.len && len + 3 <= HEADER_VALUE_LEN_MAX; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        bool edge = c == ' ' && (i == 0 || i + 1 == value.len);
        if (c >= 0x20 && c < 0x7f && c != '%' && !(in_list && c == ',') && !edge) {
            out[len++] = (char)c;
            continue;
        }
        out[len++] = '%';
        out[len++] = hex[c >> 4];
        out[len++] = hex[c & 15];
    }
    return str_make(out, len);
}

/* One of our own headers, unless the block has reached its limit. */
static void add_own(struct field_list *list, vsr_str name, vsr_str value) {
    if (list->own_len + name.len + value.len + 4 > HEADER_BLOCK_LEN_MAX)
        return;
    list->own_len += name.len + value.len + 4;
    add(list, name, value);
}

static void add_own_text(struct field_list *list, vsr_str name, vsr_str value) {
    if (value.len)
        add_own(list, name, encode_value(list->request->arena, value, false));
}

static vsr_str path_name(enum response_path path) {
    switch (path) {
    case RESPONSE_UPSTREAM:
        return VSR_STR("upstream");
    case RESPONSE_RATE_LIMITED:
        return VSR_STR("rate_limited");
    case RESPONSE_BLOCKED:
        return VSR_STR("blocked");
    case RESPONSE_IMAGE:
        return VSR_STR("image_generation");
    case RESPONSE_USUAL:
    case RESPONSE_ERROR:
    case RESPONSE_LOCAL:
        break;
    }
    return VSR_STR("error");
}

/* On every answer to an API request; health checks and the catalogue stay bare. */
static void add_keystone(struct field_list *list, enum response_path path) {
    const struct request *request = list->request;
    add(list, VSR_STR("x-request-id"), request->request_id);
    for (size_t i = 0; i < request->n_fields; i++)
        add_own_text(list, request->fields[i].name, request->fields[i].value);
    if (path == RESPONSE_LOCAL)
        return;
    add_own(list, VSR_STR("x-vsr-schema-version"), VSR_STR(SCHEMA_VERSION));
    add_own(list, VSR_STR("x-vsr-response-path"), path_name(path));
    add_own(list, VSR_STR("x-vsr-config-generation"),
            arena_printf(request->arena, "%llu", (unsigned long long)request->snapshot->generation));
}

/* ---- headers that explain the route */

static void add_route(struct field_list *list) {
    const struct request *request = list->request;
    if (request->name->kind == TARGET_MODEL) {
        add_own_text(list, VSR_STR("x-vsr-selected-model"), request->selected_model);
        return;
    }
    add_own(list, VSR_STR("x-vsr-selected-recipe"), request->name->recipe->scope->name);
    if (request->decision) {
        add_own_text(list, VSR_STR("x-vsr-selected-decision"), request->decision->config->name);
        add_own(list, VSR_STR("x-vsr-selected-confidence"),
                arena_printf(request->arena, "%.4f", request->outcome->confidence));
    }
    add_own_text(list, VSR_STR("x-vsr-selected-algorithm"), str_from_c(request->algorithm));
    add_own_text(list, VSR_STR("x-vsr-selected-model"), request->selected_model);
}

/* Families whose header is not `x-vsr-matched-<type>`. */
static const struct {
    const char *family, *header;
} header_names[] = {
    { "keyword", "x-vsr-matched-keywords" },
    { "embedding", "x-vsr-matched-embeddings" },
    { "domain", "x-vsr-matched-domains" },
    { "fact_check", "x-vsr-matched-fact-check" },
    { "user_feedback", "x-vsr-matched-user-feedback" },
    { "projection", "x-vsr-matched-projections" },
};

static vsr_str matched_header(struct arena *arena, const char *family) {
    for (size_t i = 0; i < VSR_COUNT(header_names); i++) {
        if (str_eq_c(str_from_c(family), header_names[i].family))
            return str_from_c(header_names[i].header);
    }
    return arena_printf(arena, "x-vsr-matched-%s", family);
}

/* Appends to a comma list; false, and nothing more belongs into it, when the header would get too long. */
static bool append_entry(struct buf *list, vsr_str entry) {
    if (list->len + (list->len > 0) + entry.len > HEADER_VALUE_LEN_MAX)
        return false;
    (void)buf_append_c(list, list->len > 0 ? "," : ""); /* room was checked */
    (void)buf_append(list, entry);
    return true;
}

static void add_matched(void *data, const char *family, const vsr_str *names, size_t n_names) {
    struct field_list *list = data;
    struct arena *arena = list->request->arena;
    struct buf value;
    buf_init(&value, HEADER_VALUE_LEN_MAX);
    for (size_t i = 0; i < n_names; i++)
        if (!append_entry(&value, encode_value(arena, names[i], true)))
            break;
    add_own(list, matched_header(arena, family), arena_str(arena, buf_str(&value)));
    buf_done(&value);
}

struct error_list {
    struct arena *arena;
    struct buf value;
    bool full;
};

static void append_error(void *data, const char *family, vsr_str name, const char *code) {
    struct error_list *errors = data;
    vsr_str encoded = encode_value(errors->arena, name, true);
    if (!errors->full)
        errors->full =
            !append_entry(&errors->value, arena_printf(errors->arena, "%s:%.*s=%s", family, VSR_FMT(encoded), code));
}

/* `domain:*=unavailable,keyword:slow=too_long`. */
static void add_errors(struct field_list *list) {
    struct error_list errors = { .arena = list->request->arena };
    buf_init(&errors.value, HEADER_VALUE_LEN_MAX);
    route_errors(list->request->route, append_error, &errors);
    if (errors.value.len > 0)
        add_own(list, VSR_STR("x-vsr-signal-errors"), arena_str(errors.arena, buf_str(&errors.value)));
    buf_done(&errors.value);
}

static void add_modality(struct field_list *list) {
    const char *method, *label = route_modality(list->request->route, &method);
    if (label && !list->request->images) /* those say it to everybody */
        add_own(list, VSR_STR("x-vsr-selected-modality"), arena_printf(list->request->arena, "%s;%s", label, method));
}

static void add_debug(struct field_list *list) {
    const struct request *request = list->request;
    double overhead_ms = (double)(request->routed_ns - request->received_ns) / 1e6;
    add_own(list, VSR_STR("x-vsr-selected-reasoning"), request->reasoning ? VSR_STR("on") : VSR_STR("off"));
    if (request->routed_ns) {
        add_own(list, VSR_STR("x-vsr-latency-ms"), arena_printf(request->arena, "%.3f", overhead_ms));
        add(list, VSR_STR("server-timing"), arena_printf(request->arena, "route;dur=%.3f", overhead_ms));
    }
    add_own(list, VSR_STR("x-vsr-stage-us"), pipeline_stage_times(request));
    add_own_text(list, VSR_STR("x-vsr-session-id"), request->session_id);
    add_own(list, VSR_STR("x-vsr-session-phase"),
            request->facts.active_tool_loop ? VSR_STR("tool_loop") : VSR_STR("user_turn"));
    if (!request->outcome)
        return;
    add_own_text(list, VSR_STR("x-vsr-selected-category"), request->outcome->category);
    add_own(list, VSR_STR("x-vsr-context-token-count"),
            arena_printf(request->arena, "%llu", (unsigned long long)request->outcome->token_count));
    add_modality(list);
    add_errors(list);
    route_matches(request->route, add_matched, list);
}

/*
 * Both protocols where they differ, and what the way between them lost (gateway.md 13.2). What a request lost on its
 * way to chat counts only when it went on as that: a backend of the client's own protocol got the client's own body.
 */
static void add_protocols(struct field_list *list) {
    const struct request *request = list->request;
    bool known = request->outbound.endpoint != NULL;
    bool differ = known && request->client_protocol != request->upstream_protocol;
    vsr_str lost = differ && request->warnings ? warnings_header(request->warnings, request->arena) : VSR_STR("");
    if (request->debug || differ)
        add_own(list, VSR_STR("x-vsr-client-protocol"), protocol_name(request->client_protocol));
    if (differ || (known && request->debug))
        add_own(list, VSR_STR("x-vsr-upstream-protocol"), protocol_name(request->upstream_protocol));
    if (lost.len > 0)
        add_own(list, VSR_STR("x-vsr-protocol-warnings"), lost);
}

/* ---- a backend's headers */

/* Fields that belong to the backend's connection, that the front end writes itself, or that only vsr may say. */
static bool is_dropped(const struct http1_head *head, vsr_str name) {
    static const vsr_str dropped[] = {
        VSR_STR_INIT("connection"),
        VSR_STR_INIT("keep-alive"),
        VSR_STR_INIT("proxy-connection"),
        VSR_STR_INIT("transfer-encoding"),
        VSR_STR_INIT("content-length"),
        VSR_STR_INIT("te"),
        VSR_STR_INIT("trailer"),
        VSR_STR_INIT("upgrade"),
        VSR_STR_INIT("date"),
        VSR_STR_INIT("proxy-authenticate"),
    };
    for (size_t i = 0; i < VSR_COUNT(dropped); i++) {
        if (str_eq_nocase(name, dropped[i]))
            return true;
    }
    if (name.len > 6 && str_eq_nocase(str_make(name.ptr, 6), VSR_STR("x-vsr-")))
        return true;
    return http1_field_has_token(head, VSR_STR("connection"), name);
}

/* What a stage says of this request, the backend's word on itself must not contradict. */
static bool is_ours(const struct request *request, vsr_str name) {
    for (size_t i = 0; i < request->n_fields; i++)
        if (str_eq_nocase(request->fields[i].name, name))
            return true;
    return false;
}

/* Of an answer in other words than the backend's, also those that describe its bytes. */
static bool describes_body(vsr_str name) {
    return str_eq_nocase(name, VSR_STR("content-type")) || str_eq_nocase(name, VSR_STR("content-encoding"));
}

static void add_upstream(struct field_list *list, const struct http1_head *head, bool translated) {
    for (size_t i = 0; i < head->n_fields; i++) {
        vsr_str name = head->fields[i].name;
        if (is_dropped(head, name) || is_ours(list->request, name) || (translated && describes_body(name)))
            continue;
        /* The backend's own id is worth having in a support case, under a name that does not hide ours. */
        if (str_eq_nocase(name, VSR_STR("x-request-id")))
            name = VSR_STR("x-upstream-request-id");
        add(list, name, head->fields[i].value);
    }
}

/* ---- answers of our own */

void answer_reply(struct request *request) {
    struct field_list list = { .request = request };
    const struct reply *reply = &request->reply;
    struct front front = request->front;
    request->answered = true;
    add(&list, VSR_STR("content-type"), reply->content_type);
    add_keystone(&list, reply->path == RESPONSE_USUAL ? RESPONSE_LOCAL : reply->path);
    record_request(request, true);
    front.ops->head(front.handle, reply->status, list.items, list.n, (int64_t)reply->body.len);
    front.ops->body(front.handle, reply->body);
    front.ops->end(front.handle);
}

void answer_stream_head(struct request *request, vsr_str content_type) {
    struct field_list list = { .request = request };
    request->answered = true;
    add(&list, VSR_STR("content-type"), content_type);
    add_keystone(&list, RESPONSE_LOCAL);
    request->front.ops->head(request->front.handle, request->reply.status, list.items, list.n, -1);
}

void answer_error(struct request *request) {
    struct field_list list = { .request = request };
    const struct reply *reply = &request->reply;
    struct front front = request->front;
    struct buf body;
    vsr_str text;
    request->answered = true;
    buf_init(&body, HTTP1_HEAD_LEN_MAX);
    error_body_write(&body, &(struct error_body){ .status = reply->status,
                                                  .message = reply->message,
                                                  .code = reply->code,
                                                  .param = reply->param,
                                                  .protocol = request->client_protocol });
    text = arena_str(request->arena, buf_str(&body));
    buf_done(&body);
    if (reply->upstream)
        add_upstream(&list, reply->upstream, true);
    add(&list, VSR_STR("content-type"), VSR_STR("application/json"));
    add_keystone(&list, reply->path == RESPONSE_USUAL ? RESPONSE_ERROR : reply->path);
    if (reply->extra.name.len)
        add(&list, reply->extra.name, reply->extra.value);
    add_protocols(&list);
    if (request->debug && request->outcome)
        add_debug(&list);
    record_request(request, true);
    front.ops->head(front.handle, reply->status, list.items, list.n, (int64_t)text.len);
    front.ops->body(front.handle, text);
    front.ops->end(front.handle);
}

static void add_upstream_head(struct field_list *list, const struct http1_head *head, int status,
                              vsr_str content_type) {
    const struct request *request = list->request;
    add_upstream(list, head, content_type.len > 0);
    if (content_type.len > 0)
        add(list, VSR_STR("content-type"), content_type);
    add_keystone(list, request->images ? RESPONSE_IMAGE : RESPONSE_UPSTREAM);
    if (!request->skip && status >= 200 && status < 300)
        add_route(list);
    add_protocols(list);
    if (request->debug && !request->skip)
        add_debug(list);
}

size_t answer_preview(struct request *request, const struct http1_head *head, struct http1_field **ret_fields) {
    struct field_list list = { .request = request };
    struct http1_field *fields;
    add_upstream_head(&list, head, head->status, VSR_STR("application/json"));
    fields = ARENA_ARRAY(request->arena, struct http1_field, list.n);
    memcpy(fields, list.items, list.n * sizeof(*fields));
    *ret_fields = fields;
    return list.n;
}

void answer_upstream_head(struct request *request, const struct http1_head *head, int status, vsr_str content_type,
                          int64_t length) {
    struct field_list list = { .request = request };
    request->answered = true;
    add_upstream_head(&list, head, status, content_type);
    request->front.ops->head(request->front.handle, status, list.items, list.n, length);
}
