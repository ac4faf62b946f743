#include "serve/extproc_message.h"

#include <proto/ext_proc.pb-c.h>

#include "core/arena.h"
#include "core/assert.h"

/* ---- reading */

static void *take_memory(void *arena, size_t len) {
    return arena_try_alloc_raw(arena, len);
}

static void give_memory(void *arena, void *memory) {
    (void)arena; /* all of it goes at once */
    (void)memory;
}

static vsr_str text_of(ProtobufCBinaryData data) {
    return str_make((const char *)data.data, data.len);
}

/* Envoy fills one of the two. */
static vsr_str value_of(const Extproc__HeaderValue *field) {
    return field->value.len > 0 ? text_of(field->value) : text_of(field->raw_value);
}

struct reading {
    struct http1_head *head;
    bool is_answer, is_trailers;
    vsr_str authority;
    size_t len;
    struct vsr_err *err;
};

static int read_status(struct http1_head *head, vsr_str value, struct vsr_err *err) {
    uint64_t status;
    if (!str_to_u64(value, &status) || status < 100 || status > 999)
        return err_set(err, VSR_E_INVALID, ":status is no number of three digits");
    head->status = (int)status;
    return 0;
}

static int read_pseudo(struct reading *r, vsr_str name, vsr_str value) {
    if (r->is_trailers)
        return err_set(r->err, VSR_E_INVALID, "a pseudo-header among trailers");
    if (r->is_answer)
        return str_eq(name, VSR_STR(":status")) ? read_status(r->head, value, r->err) : 0;
    if (str_eq(name, VSR_STR(":method")))
        r->head->method = value;
    else if (str_eq(name, VSR_STR(":path")))
        r->head->target = value;
    else if (str_eq(name, VSR_STR(":authority")))
        r->authority = value;
    return 0; /* :scheme, and what extensions add */
}

static int read_field(struct reading *r, vsr_str name, vsr_str value) {
    struct http1_head *head = r->head;
    if (name.len > 0 && name.ptr[0] == ':')
        return read_pseudo(r, name, value);
    if (!http1_name_ok(name))
        return err_set(r->err, VSR_E_INVALID, "a header whose name is none");
    if (str_eq_nocase(name, VSR_STR("host"))) {
        r->authority = value;
        return 0;
    }
    if (str_eq_nocase(name, VSR_STR("content-length"))) {
        head->has_length = str_to_u64(value, &head->length);
        if (!head->has_length)
            return err_set(r->err, VSR_E_INVALID, "content-length is no number");
    }
    head->fields[head->n_fields++] = (struct http1_field){ name, value };
    return 0;
}

static int read_map(struct arena *arena, const Extproc__HeaderMap *map, struct reading *r) {
    size_t n = map ? map->n_headers : 0;
    r->head->minor_version = 1;
    r->head->keep_alive = true;
    if (n > HTTP1_FIELDS_MAX)
        return err_set(r->err, VSR_E_LIMIT, "%zu headers, at most %d", n, HTTP1_FIELDS_MAX);
    r->head->fields = ARENA_ARRAY(arena, struct http1_field, n + 1);
    r->head->n_fields = r->is_answer || r->is_trailers ? 0 : 1; /* the first one is for the host */
    for (size_t i = 0; i < n; i++) {
        vsr_str name = text_of(map->headers[i]->key), value = str_trim(value_of(map->headers[i]));
        int rc;
        r->len += name.len + value.len;
        if (r->len > EXTPROC_HEAD_LEN_MAX)
            return err_set(r->err, VSR_E_LIMIT, "headers past %d bytes", EXTPROC_HEAD_LEN_MAX);
        if (!http1_value_ok(value))
            return err_set(r->err, VSR_E_INVALID, "the value of a header holds what none may hold");
        rc = read_field(r, name, value);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_head(struct arena *arena, const Extproc__HeaderMap *map, bool is_answer,
                     struct extproc_message *message, struct vsr_err *err) {
    struct http1_head *head = &message->head;
    struct reading r = { .head = head, .is_answer = is_answer, .err = err };
    int rc = read_map(arena, map, &r);
    message->refusal = rc == VSR_E_LIMIT ? 431 : 400;
    if (rc < 0)
        return rc;
    if (is_answer)
        return head->status ? 0 : err_set(err, VSR_E_INVALID, "the answer's headers have no :status");
    head->fields[0] = (struct http1_field){ VSR_STR("host"), r.authority };
    if (r.authority.len == 0) { /* HTTP/1.0 */
        head->fields++;
        head->n_fields--;
    }
    if (head->target.len > HTTP1_TARGET_LEN_MAX) {
        message->refusal = 414;
        return err_set(err, VSR_E_LIMIT, ":path is longer than %d bytes", HTTP1_TARGET_LEN_MAX);
    }
    if (!http1_name_ok(head->method) || !http1_target_ok(head->target) || head->target.len == 0 ||
        head->method.len > HTTP1_METHOD_LEN_MAX)
        return err_set(err, VSR_E_INVALID, "the request's headers have no proper :method and :path");
    return 0;
}

static int read_trailers(struct arena *arena, const Extproc__HttpTrailers *trailers, struct http1_head *head,
                         struct vsr_err *err) {
    struct reading r = { .head = head, .is_trailers = true, .err = err };
    return read_map(arena, trailers->trailers, &r);
}

static enum extproc_mode mode_of(Extproc__BodySendMode mode) {
    unsigned number = (unsigned)mode;
    return number <= EXTPROC_DUPLEX ? (enum extproc_mode)number : EXTPROC_NONE;
}

static void read_config(const Extproc__ProtocolConfiguration *config, struct extproc_message *message) {
    message->has_config = true;
    message->request_mode = mode_of(config->request_body_mode);
    message->response_mode = mode_of(config->response_body_mode);
    message->body_unasked = config->send_body_without_waiting_for_header_response;
}

static int read_headers(struct arena *arena, const Extproc__HttpHeaders *headers, struct extproc_message *message,
                        struct vsr_err *err) {
    message->end_of_stream = headers->end_of_stream;
    return read_head(arena, headers->headers, message->kind == EXTPROC_RESPONSE_HEADERS, message, err);
}

static int read_body(const Extproc__HttpBody *body, struct extproc_message *message) {
    message->body = text_of(body->body);
    message->end_of_stream = body->end_of_stream;
    return 0;
}

static int read_kind(struct arena *arena, const Extproc__ProcessingRequest *in, struct extproc_message *message,
                     struct vsr_err *err) {
    switch (in->request_case) {
    case EXTPROC__PROCESSING_REQUEST__REQUEST_REQUEST_HEADERS:
        message->kind = EXTPROC_REQUEST_HEADERS;
        return read_headers(arena, in->request_headers, message, err);
    case EXTPROC__PROCESSING_REQUEST__REQUEST_RESPONSE_HEADERS:
        message->kind = EXTPROC_RESPONSE_HEADERS;
        return read_headers(arena, in->response_headers, message, err);
    case EXTPROC__PROCESSING_REQUEST__REQUEST_REQUEST_BODY:
        message->kind = EXTPROC_REQUEST_BODY;
        return read_body(in->request_body, message);
    case EXTPROC__PROCESSING_REQUEST__REQUEST_RESPONSE_BODY:
        message->kind = EXTPROC_RESPONSE_BODY;
        return read_body(in->response_body, message);
    case EXTPROC__PROCESSING_REQUEST__REQUEST_REQUEST_TRAILERS:
        message->kind = EXTPROC_REQUEST_TRAILERS;
        return read_trailers(arena, in->request_trailers, &message->head, err);
    case EXTPROC__PROCESSING_REQUEST__REQUEST_RESPONSE_TRAILERS:
        message->kind = EXTPROC_RESPONSE_TRAILERS;
        return read_trailers(arena, in->response_trailers, &message->head, err);
    default:
        return err_set(err, VSR_E_INVALID, "the message says nothing that is known here");
    }
}

int extproc_read(struct arena *arena, vsr_str bytes, struct extproc_message *ret_message, struct vsr_err *err) {
    ProtobufCAllocator allocator = { .alloc = take_memory, .free = give_memory, .allocator_data = arena };
    struct extproc_message message = { 0 };
    Extproc__ProcessingRequest *in;
    int rc;
    arena_set_ceiling(arena, bytes.len + EXTPROC_SPARE_LEN);
    in = extproc__processing_request__unpack(&allocator, bytes.len, (const uint8_t *)bytes.ptr);
    if (!in) {
        *ret_message = (struct extproc_message){ .kind = EXTPROC_KIND_COUNT };
        return err_set(err, VSR_E_SYNTAX, "not a ProcessingRequest");
    }
    message.observability = in->observability_mode;
    if (in->protocol_config)
        read_config(in->protocol_config, &message);
    rc = read_kind(arena, in, &message, err);
    *ret_message = message;
    return rc;
}

struct http1_head *extproc_keep_head(struct arena *arena, const struct http1_head *head) {
    struct http1_head *kept = ARENA_NEW(arena, struct http1_head);
    *kept = *head;
    kept->method = arena_str(arena, head->method);
    kept->target = arena_str(arena, head->target);
    kept->fields = ARENA_ARRAY(arena, struct http1_field, head->n_fields);
    for (size_t i = 0; i < head->n_fields; i++)
        kept->fields[i] =
            (struct http1_field){ arena_str(arena, head->fields[i].name), arena_str(arena, head->fields[i].value) };
    return kept;
}

/* ---- the difference of two heads */

static bool is_envoys(vsr_str name) {
    static const vsr_str names[] = {
        VSR_STR_INIT("host"),
        VSR_STR_INIT("connection"),
        VSR_STR_INIT("keep-alive"),
        VSR_STR_INIT("content-length"),
        VSR_STR_INIT("te"),
        VSR_STR_INIT("upgrade"),
        VSR_STR_INIT("trailer"),
        VSR_STR_INIT("transfer-encoding"),
        VSR_STR_INIT("expect"),
        VSR_STR_INIT("date"),
        VSR_STR_INIT("proxy-connection"),
    };
    if (name.len == 0 || name.ptr[0] == ':' ||
        (name.len > 8 && str_eq_nocase(str_sub(name, 0, 8), VSR_STR("x-envoy-"))))
        return true;
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

/* The next field of that name at or behind `at`; `n` when there is none. */
static size_t find(const struct http1_field *fields, size_t n, size_t at, vsr_str name) {
    while (at < n && !str_eq_nocase(fields[at].name, name))
        at++;
    return at;
}

static bool same_values(const struct http1_field *was, size_t n_was, const struct http1_field *now, size_t n_now,
                        vsr_str name) {
    size_t i = find(was, n_was, 0, name), j = find(now, n_now, 0, name);
    while (i < n_was && j < n_now && str_eq(was[i].value, now[j].value)) {
        i = find(was, n_was, i + 1, name);
        j = find(now, n_now, j + 1, name);
    }
    return i == n_was && j == n_now;
}

void extproc_diff(struct arena *arena, const struct http1_field *was, size_t n_was, const struct http1_field *now,
                  size_t n_now, struct extproc_mutation *ret_mutation) {
    struct extproc_mutation m = {
        .set = ARENA_ARRAY(arena, struct http1_field, n_now + EXTPROC_MORE_FIELDS),
        .remove = ARENA_ARRAY(arena, vsr_str, n_was + EXTPROC_MORE_FIELDS),
    };
    for (size_t i = 0; i < n_now; i++) {
        vsr_str name = now[i].name;
        if (is_envoys(name) || find(now, n_now, 0, name) < i || same_values(was, n_was, now, n_now, name))
            continue;
        for (size_t j = i; j < n_now; j = find(now, n_now, j + 1, name))
            m.set[m.n_set++] = now[j];
    }
    for (size_t i = 0; i < n_was; i++) {
        vsr_str name = was[i].name;
        if (!is_envoys(name) && find(was, n_was, 0, name) == i && find(now, n_now, 0, name) == n_now)
            m.remove[m.n_remove++] = name;
    }
    m.set_max = m.n_set + EXTPROC_MORE_FIELDS;
    m.remove_max = m.n_remove + EXTPROC_MORE_FIELDS;
    *ret_mutation = m;
}

void extproc_set(struct extproc_mutation *mutation, vsr_str name, vsr_str value) {
    if (mutation->n_set < mutation->set_max)
        mutation->set[mutation->n_set++] = (struct http1_field){ name, value };
}

void extproc_remove(struct extproc_mutation *mutation, vsr_str name) {
    if (mutation->n_remove < mutation->remove_max)
        mutation->remove[mutation->n_remove++] = name;
}

/* ---- writing */

/* Packing reads and never writes through it. */
static ProtobufCBinaryData data_of(vsr_str text) {
    return (ProtobufCBinaryData){ .len = text.len, .data = (uint8_t *)(uintptr_t)text.ptr };
}

/* A name once more among those before: its value goes beside the other one. */
static bool is_repeated(const struct http1_field *fields, size_t i) {
    return find(fields, i, 0, fields[i].name) < i;
}

static Extproc__HeaderMutation *pack_fields(struct arena *arena, const struct http1_field *fields, size_t n_fields,
                                            const vsr_str *remove, size_t n_remove) {
    Extproc__HeaderMutation *out = ARENA_NEW(arena, Extproc__HeaderMutation);
    Extproc__HeaderValueOption *options = ARENA_ARRAY(arena, Extproc__HeaderValueOption, n_fields);
    Extproc__HeaderValue *values = ARENA_ARRAY(arena, Extproc__HeaderValue, n_fields);
    extproc__header_mutation__init(out);
    out->set_headers = ARENA_ARRAY(arena, Extproc__HeaderValueOption *, n_fields);
    out->remove_headers = ARENA_ARRAY(arena, ProtobufCBinaryData, n_remove);
    for (size_t i = 0; i < n_fields; i++) {
        extproc__header_value_option__init(&options[i]);
        extproc__header_value__init(&values[i]);
        values[i].key = data_of(fields[i].name);
        values[i].raw_value = data_of(fields[i].value);
        options[i].header = &values[i];
        options[i].append_action = is_repeated(fields, i)
                                       ? EXTPROC__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__APPEND_IF_EXISTS_OR_ADD
                                       : EXTPROC__HEADER_VALUE_OPTION__HEADER_APPEND_ACTION__OVERWRITE_IF_EXISTS_OR_ADD;
        options[i].keep_empty_value = fields[i].value.len == 0; /* else Envoy would drop the field */
        out->set_headers[out->n_set_headers++] = &options[i];
    }
    for (size_t i = 0; i < n_remove; i++)
        out->remove_headers[out->n_remove_headers++] = data_of(remove[i]);
    return out;
}

static Extproc__HeaderMutation *pack_mutation(struct arena *arena, const struct extproc_mutation *mutation) {
    if (!mutation || mutation->n_set + mutation->n_remove == 0)
        return NULL;
    return pack_fields(arena, mutation->set, mutation->n_set, mutation->remove, mutation->n_remove);
}

static Extproc__BodyMutation *pack_body(struct arena *arena, const struct extproc_answer *answer) {
    Extproc__BodyMutation *out;
    if (answer->body_kind == EXTPROC_BODY_KEEP)
        return NULL;
    out = ARENA_NEW(arena, Extproc__BodyMutation);
    extproc__body_mutation__init(out);
    if (answer->body_kind == EXTPROC_BODY_REPLACE) {
        out->mutation_case = EXTPROC__BODY_MUTATION__MUTATION_BODY;
        out->body = data_of(answer->body);
        return out;
    }
    out->mutation_case = EXTPROC__BODY_MUTATION__MUTATION_STREAMED_RESPONSE;
    out->streamed_response = ARENA_NEW(arena, Extproc__StreamedBodyResponse);
    extproc__streamed_body_response__init(out->streamed_response);
    out->streamed_response->body = data_of(answer->body);
    out->streamed_response->end_of_stream = answer->end_of_stream;
    return out;
}

static Extproc__CommonResponse *pack_common(struct arena *arena, const struct extproc_answer *answer) {
    Extproc__CommonResponse *out = ARENA_NEW(arena, Extproc__CommonResponse);
    extproc__common_response__init(out);
    out->header_mutation = pack_mutation(arena, answer->headers);
    out->body_mutation = pack_body(arena, answer);
    out->clear_route_cache = answer->clear_route_cache;
    return out;
}

static Extproc__HeadersResponse *pack_headers(struct arena *arena, const struct extproc_answer *answer) {
    Extproc__HeadersResponse *out = ARENA_NEW(arena, Extproc__HeadersResponse);
    extproc__headers_response__init(out);
    out->response = pack_common(arena, answer);
    return out;
}

static Extproc__BodyResponse *pack_body_answer(struct arena *arena, const struct extproc_answer *answer) {
    Extproc__BodyResponse *out = ARENA_NEW(arena, Extproc__BodyResponse);
    extproc__body_response__init(out);
    out->response = pack_common(arena, answer);
    return out;
}

static Extproc__TrailersResponse *pack_trailers(struct arena *arena, const struct extproc_answer *answer) {
    Extproc__TrailersResponse *out = ARENA_NEW(arena, Extproc__TrailersResponse);
    extproc__trailers_response__init(out);
    out->header_mutation = pack_mutation(arena, answer->headers);
    return out;
}

static Extproc__ProcessingMode *pack_modes(struct arena *arena, const struct extproc_modes *modes) {
    Extproc__ProcessingMode *out;
    if (!modes)
        return NULL;
    out = ARENA_NEW(arena, Extproc__ProcessingMode);
    extproc__processing_mode__init(out);
    out->request_body_mode = (Extproc__BodySendMode)modes->request;
    out->response_body_mode = (Extproc__BodySendMode)modes->response;
    if (modes->nothing_more) {
        out->response_header_mode = EXTPROC__HEADER_SEND_MODE__SKIP;
        out->request_trailer_mode = out->response_trailer_mode = EXTPROC__HEADER_SEND_MODE__SKIP;
    }
    return out;
}

static Extproc__Value *pack_datum(struct arena *arena, const struct extproc_datum *datum) {
    Extproc__Value *out = ARENA_NEW(arena, Extproc__Value);
    extproc__value__init(out);
    if (datum->text.ptr) {
        out->kind_case = EXTPROC__VALUE__KIND_STRING_VALUE;
        out->string_value = data_of(datum->text);
    } else {
        out->kind_case = EXTPROC__VALUE__KIND_NUMBER_VALUE;
        out->number_value = datum->number;
    }
    return out;
}

static Extproc__Struct *pack_struct(struct arena *arena, size_t n) {
    Extproc__Struct *out = ARENA_NEW(arena, Extproc__Struct);
    extproc__struct__init(out);
    out->fields = ARENA_ARRAY(arena, Extproc__Struct__Entry *, n);
    return out;
}

static void pack_member(struct arena *arena, Extproc__Struct *in, const char *key, Extproc__Value *value) {
    Extproc__Struct__Entry *entry = ARENA_NEW(arena, Extproc__Struct__Entry);
    extproc__struct__entry__init(entry);
    entry->key = data_of(str_from_c(key));
    entry->value = value;
    in->fields[in->n_fields++] = entry;
}

/* A struct of the one member `key`, which is `inner`. */
static Extproc__Struct *wrap(struct arena *arena, const char *key, Extproc__Struct *inner) {
    Extproc__Struct *out = pack_struct(arena, 1);
    Extproc__Value *value = ARENA_NEW(arena, Extproc__Value);
    extproc__value__init(value);
    value->kind_case = EXTPROC__VALUE__KIND_STRUCT_VALUE;
    value->struct_value = inner;
    pack_member(arena, out, key, value);
    return out;
}

static Extproc__Struct *pack_data(struct arena *arena, const struct extproc_answer *answer) {
    Extproc__Struct *data;
    if (answer->n_data == 0)
        return NULL;
    data = pack_struct(arena, answer->n_data);
    for (size_t i = 0; i < answer->n_data; i++)
        pack_member(arena, data, answer->data[i].key, pack_datum(arena, &answer->data[i]));
    return wrap(arena, "envoy.filters.http.ext_proc", wrap(arena, "vsr", data));
}

static void pack(const Extproc__ProcessingResponse *response, struct buf *out) {
    size_t len = extproc__processing_response__get_packed_size(response);
    if (buf_reserve(out, len) < 0) /* sticky: buf_failed() tells */
        return;
    out->len += extproc__processing_response__pack(response, (uint8_t *)out->ptr + out->len);
}

void extproc_write(struct arena *scratch, const struct extproc_answer *answer, struct buf *out) {
    struct arena_mark mark = arena_mark(scratch);
    Extproc__ProcessingResponse response = EXTPROC__PROCESSING_RESPONSE__INIT;
    switch (answer->kind) {
    case EXTPROC_REQUEST_HEADERS:
        response.response_case = EXTPROC__PROCESSING_RESPONSE__RESPONSE_REQUEST_HEADERS;
        response.request_headers = pack_headers(scratch, answer);
        break;
    case EXTPROC_RESPONSE_HEADERS:
        response.response_case = EXTPROC__PROCESSING_RESPONSE__RESPONSE_RESPONSE_HEADERS;
        response.response_headers = pack_headers(scratch, answer);
        break;
    case EXTPROC_REQUEST_BODY:
        response.response_case = EXTPROC__PROCESSING_RESPONSE__RESPONSE_REQUEST_BODY;
        response.request_body = pack_body_answer(scratch, answer);
        break;
    case EXTPROC_RESPONSE_BODY:
        response.response_case = EXTPROC__PROCESSING_RESPONSE__RESPONSE_RESPONSE_BODY;
        response.response_body = pack_body_answer(scratch, answer);
        break;
    case EXTPROC_REQUEST_TRAILERS:
        response.response_case = EXTPROC__PROCESSING_RESPONSE__RESPONSE_REQUEST_TRAILERS;
        response.request_trailers = pack_trailers(scratch, answer);
        break;
    case EXTPROC_RESPONSE_TRAILERS:
        response.response_case = EXTPROC__PROCESSING_RESPONSE__RESPONSE_RESPONSE_TRAILERS;
        response.response_trailers = pack_trailers(scratch, answer);
        break;
    case EXTPROC_KIND_COUNT:
        VSR_ASSERT(false);
    }
    response.mode_override = pack_modes(scratch, answer->modes);
    response.dynamic_metadata = pack_data(scratch, answer);
    pack(&response, out);
    arena_rewind(scratch, mark);
}

void extproc_write_immediate(struct arena *scratch, const struct extproc_immediate *immediate, struct buf *out) {
    struct arena_mark mark = arena_mark(scratch);
    Extproc__ProcessingResponse response = EXTPROC__PROCESSING_RESPONSE__INIT;
    Extproc__ImmediateResponse reply = EXTPROC__IMMEDIATE_RESPONSE__INIT;
    Extproc__HttpStatus status = EXTPROC__HTTP_STATUS__INIT;
    status.code = (uint32_t)immediate->status;
    reply.status = &status;
    if (immediate->n_fields > 0)
        reply.headers = pack_fields(scratch, immediate->fields, immediate->n_fields, NULL, 0);
    reply.body = data_of(immediate->body);
    reply.details = data_of(immediate->details);
    response.response_case = EXTPROC__PROCESSING_RESPONSE__RESPONSE_IMMEDIATE_RESPONSE;
    response.immediate_response = &reply;
    pack(&response, out);
    arena_rewind(scratch, mark);
}
