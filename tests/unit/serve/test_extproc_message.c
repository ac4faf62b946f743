#include "serve/extproc_message.h"

#include <proto/ext_proc.pb-c.h>

#include "core/arena.h"
#include "test.h"

/* ---- messages in, as bytes written by hand, so that the field numbers are those of another hand */

static void put_varint(struct buf *out, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        buf_append_char(out, (char)(value | 0x80));
    buf_append_char(out, (char)value);
}

static void put_bytes(struct buf *out, unsigned field, vsr_str bytes) {
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len);
    buf_append(out, bytes);
}

static void put_number(struct buf *out, unsigned field, uint64_t value) {
    put_varint(out, field << 3);
    put_varint(out, value);
}

struct bytes {
    struct buf all, map, field;
};

static void begin(struct bytes *b) {
    buf_init(&b->all, 1 << 20);
    buf_init(&b->map, 1 << 20);
    buf_init(&b->field, 1 << 20);
}

static void done(struct bytes *b) {
    buf_done(&b->all);
    buf_done(&b->map);
    buf_done(&b->field);
}

static void put_header(struct bytes *b, const char *key, const char *value, bool raw) {
    buf_reset(&b->field);
    put_bytes(&b->field, 1, str_from_c(key));
    put_bytes(&b->field, raw ? 3 : 2, str_from_c(value));
    put_bytes(&b->map, 1, buf_str(&b->field));
}

/* What was put as the headers of a message whose oneof has the number `kind`. */
static void put_headers(struct bytes *b, unsigned kind, bool end) {
    struct buf headers;
    buf_init(&headers, 1 << 20);
    put_bytes(&headers, 1, buf_str(&b->map));
    if (end)
        put_number(&headers, 3, 1);
    put_bytes(&b->all, kind, buf_str(&headers));
    buf_done(&headers);
}

TEST(request_headers) {
    struct arena *arena = arena_new(0, 0);
    struct extproc_message message;
    struct buf config;
    struct bytes b;
    begin(&b);
    buf_init(&config, 64);
    put_header(&b, ":method", "POST", true);
    put_header(&b, ":path", "/v1/chat/completions?x=1", true);
    put_header(&b, ":scheme", "https", true);
    put_header(&b, ":authority", "api.example.com", true);
    put_header(&b, "x-one", " 1 ", false);
    put_header(&b, "content-length", "12", true);
    put_headers(&b, 2, true);
    put_number(&b.all, 10, 1);
    put_number(&config, 1, 4);
    put_number(&config, 2, 1);
    put_number(&config, 3, 1);
    put_bytes(&b.all, 11, buf_str(&config));
    put_bytes(&b.all, 9, VSR_STR("\x0a\x01x")); /* attributes: not read */
    CHECK_INT(extproc_read(arena, buf_str(&b.all), &message, NULL), 0, "read");
    CHECK_INT(message.kind, EXTPROC_REQUEST_HEADERS, "kind");
    CHECK(message.end_of_stream && message.observability && message.has_config && message.body_unasked, "flags");
    CHECK_INT(message.request_mode, EXTPROC_DUPLEX, "request mode");
    CHECK_INT(message.response_mode, EXTPROC_STREAMED, "response mode");
    CHECK_STR(message.head.method, "POST", "method");
    CHECK_STR(message.head.target, "/v1/chat/completions?x=1", "target");
    CHECK_INT(message.head.n_fields, 3, "fields");
    CHECK_STR(message.head.fields[0].name, "host", "host");
    CHECK_STR(message.head.fields[0].value, "api.example.com", "authority");
    CHECK_STR(http1_field(&message.head, VSR_STR("x-one")), "1", "value or raw_value");
    CHECK_INT(message.head.length, 12, "length");
    buf_done(&config);
    done(&b);
    arena_free(arena);
}

TEST(bodies_and_trailers) {
    static const struct {
        unsigned number;
        enum extproc_kind kind;
    } kinds[] = { { 4, EXTPROC_REQUEST_BODY }, { 5, EXTPROC_RESPONSE_BODY } };
    struct arena *arena = arena_new(0, 0);
    struct extproc_message message;
    struct bytes b;
    for (size_t i = 0; i < VSR_COUNT(kinds); i++) {
        begin(&b);
        put_bytes(&b.field, 1, VSR_STR("a\0b"));
        put_number(&b.field, 2, 1);
        put_bytes(&b.all, kinds[i].number, buf_str(&b.field));
        CHECK_INT(extproc_read(arena, buf_str(&b.all), &message, NULL), 0, "read");
        CHECK_INT(message.kind, kinds[i].kind, "kind");
        CHECK(str_eq(message.body, VSR_STR("a\0b")) && message.end_of_stream, "body");
        done(&b);
    }
    begin(&b);
    put_header(&b, "x-sum", "1", true);
    put_headers(&b, 7, false);
    CHECK_INT(extproc_read(arena, buf_str(&b.all), &message, NULL), 0, "trailers");
    CHECK_INT(message.kind, EXTPROC_RESPONSE_TRAILERS, "kind");
    CHECK_STR(http1_field(&message.head, VSR_STR("x-sum")), "1", "field");
    done(&b);
    arena_free(arena);
}

TEST(heads_that_none_could_have) {
    static const struct {
        const char *name, *key, *value;
        unsigned number;
        int rc;
    } bad[] = {
        { "name", "bad name", "x", 2, VSR_E_INVALID },          { "empty name", "", "x", 2, VSR_E_INVALID },
        { "line end", "x", "a\r\nb: c", 2, VSR_E_INVALID },     { "method", ":method", "P OST", 2, VSR_E_INVALID },
        { "path", ":path", "/a b", 2, VSR_E_INVALID },          { "no path", ":path", "", 2, VSR_E_INVALID },
        { "length", "content-length", "1x", 2, VSR_E_INVALID }, { "no status", "x", "y", 3, VSR_E_INVALID },
        { "status", ":status", "20", 3, VSR_E_INVALID },        { "trailer", ":status", "200", 6, VSR_E_INVALID },
    };
    struct arena *arena = arena_new(0, 0);
    struct extproc_message message;
    struct bytes b;
    for (size_t i = 0; i < VSR_COUNT(bad); i++) {
        begin(&b);
        if (bad[i].number == 2) {
            put_header(&b, ":method", "POST", true);
            put_header(&b, ":path", "/", true);
        }
        put_header(&b, bad[i].key, bad[i].value, true);
        put_headers(&b, bad[i].number, false);
        CHECK_INT(extproc_read(arena, buf_str(&b.all), &message, NULL), bad[i].rc, bad[i].name);
        done(&b);
        arena_reset(arena);
    }
    CHECK_INT(extproc_read(arena, VSR_STR(""), &message, NULL), VSR_E_INVALID, "nothing said");
    CHECK_INT(extproc_read(arena, VSR_STR("\x0a"), &message, NULL), VSR_E_SYNTAX, "cut");
    begin(&b);
    for (size_t i = 0; i <= HTTP1_FIELDS_MAX; i++)
        put_header(&b, "x", "y", true);
    put_headers(&b, 2, false);
    CHECK_INT(extproc_read(arena, buf_str(&b.all), &message, NULL), VSR_E_LIMIT, "too many");
    done(&b);
    arena_free(arena);
}

/* Two bytes of wire for each struct: what a few of them may cost is bounded by what the message is long. */
TEST(memory_is_bounded) {
    struct arena *arena = arena_new(0, 0);
    struct extproc_message message;
    struct bytes b;
    begin(&b);
    for (size_t i = 0; i < 200000; i++)
        put_bytes(&b.map, 1, VSR_STR(""));
    put_headers(&b, 2, false);
    CHECK(extproc_read(arena, buf_str(&b.all), &message, NULL) < 0, "refused");
    CHECK(arena_bytes(arena) <= b.all.len + 2 * EXTPROC_SPARE_LEN, "bounded");
    done(&b);
    arena_free(arena);
}

/* ---- differences */

/* `name=value name=value` as fields. */
static size_t read_fields(struct arena *arena, const char *text, struct http1_field *out) {
    size_t n = 0;
    for (vsr_str rest = arena_str(arena, str_from_c(text)); rest.ptr && rest.len;) {
        vsr_str one = str_split(&rest, ' '), name = str_split(&one, '=');
        out[n++] = (struct http1_field){ name, one };
    }
    return n;
}

static const struct {
    const char *was, *now, *set, *remove;
} diffs[] = {
    { "", "", "", "" },
    { "a=1", "a=1", "", "" },
    { "a=1", "A=1", "", "" },
    { "a=1", "a=2", "a=2;", "" },
    { "a=1", "", "", "a;" },
    { "", "a=1", "a=1;", "" },
    { "a=1 b=2", "b=2 c=3", "c=3;", "a;" },
    { "a=1 a=2", "a=1 a=2", "", "" },
    { "a=1 a=2", "a=2 a=1", "a=2;a=1;", "" },
    { "a=1 a=2", "a=1", "a=1;", "" },
    { "a=1 A=2", "", "", "a;" },
    { "host=x connection=y content-length=1 x-envoy-a=1 transfer-encoding=chunked te=trailers", "", "", "" },
    { "", "host=x content-length=1 x-envoy-a=1 date=now", "", "" },
    { "a=", "a=1", "a=1;", "" },
    { "a=1", "a=", "a=;", "" },
};

TEST(differences) {
    struct arena *arena = arena_new(0, 0);
    struct http1_field was[16], now[16];
    for (size_t i = 0; i < VSR_COUNT(diffs); i++) {
        struct extproc_mutation m;
        struct buf set, remove;
        size_t n_was = read_fields(arena, diffs[i].was, was), n_now = read_fields(arena, diffs[i].now, now);
        buf_init(&set, 1 << 12);
        buf_init(&remove, 1 << 12);
        extproc_diff(arena, was, n_was, now, n_now, &m);
        for (size_t j = 0; j < m.n_set; j++)
            buf_printf(&set, "%.*s=%.*s;", VSR_FMT(m.set[j].name), VSR_FMT(m.set[j].value));
        for (size_t j = 0; j < m.n_remove; j++)
            buf_printf(&remove, "%.*s;", VSR_FMT(m.remove[j]));
        CHECK_STR(buf_str(&set), diffs[i].set, diffs[i].was);
        CHECK_STR(buf_str(&remove), diffs[i].remove, diffs[i].was);
        for (size_t j = 0; j < 2 * EXTPROC_MORE_FIELDS; j++) {
            extproc_set(&m, VSR_STR("x"), VSR_STR("y"));
            extproc_remove(&m, VSR_STR("x"));
        }
        CHECK_INT(m.n_set, m.set_max, "what has no room is left out");
        buf_done(&set);
        buf_done(&remove);
    }
    arena_free(arena);
}

/* ---- answers */

TEST(answers_say_what_they_were_told) {
    struct arena *arena = arena_new(0, 0);
    struct http1_field fields[] = { { VSR_STR("a"), VSR_STR("1") },
                                    { VSR_STR("A"), VSR_STR("2") },
                                    { VSR_STR("b"), VSR_STR("") } };
    vsr_str gone[] = { VSR_STR("c") };
    struct extproc_mutation mutation = { .set = fields, .n_set = 3, .remove = gone, .n_remove = 1 };
    const struct extproc_modes modes = { .request = EXTPROC_BUFFERED, .response = EXTPROC_STREAMED };
    const struct extproc_datum data[] = { { .key = "model", .text = VSR_STR("m") }, { .key = "tokens", .number = 7 } };
    const struct extproc_answer answer = { .kind = EXTPROC_REQUEST_BODY,
                                           .headers = &mutation,
                                           .clear_route_cache = true,
                                           .body_kind = EXTPROC_BODY_REPLACE,
                                           .modes = &modes,
                                           .data = data,
                                           .n_data = 2 };
    Extproc__ProcessingResponse *out;
    Extproc__CommonResponse *common;
    Extproc__Struct *told;
    struct buf bytes;
    buf_init(&bytes, 1 << 16);
    extproc_write(arena, &answer, &bytes);
    out = extproc__processing_response__unpack(NULL, bytes.len, (const uint8_t *)bytes.ptr);
    CHECK(out && out->response_case == EXTPROC__PROCESSING_RESPONSE__RESPONSE_REQUEST_BODY, "case");
    common = out->request_body->response;
    CHECK(common->clear_route_cache, "route");
    CHECK(common->body_mutation->mutation_case == EXTPROC__BODY_MUTATION__MUTATION_BODY &&
              common->body_mutation->body.len == 0,
          "an empty body is one, too");
    CHECK_INT(common->header_mutation->set_headers[0]->append_action, 2, "the first value overwrites");
    CHECK_INT(common->header_mutation->set_headers[1]->append_action, 0, "another one is appended");
    CHECK_INT(common->header_mutation->set_headers[0]->header->raw_value.len, 1, "raw_value");
    CHECK_INT(common->header_mutation->set_headers[0]->header->value.len, 0, "value");
    CHECK(common->header_mutation->set_headers[2]->keep_empty_value, "an empty value stays");
    CHECK_INT(common->header_mutation->n_remove_headers, 1, "removed");
    CHECK_INT(out->mode_override->request_body_mode, 2, "mode");
    CHECK_INT(out->mode_override->response_body_mode, 1, "mode");
    told = out->dynamic_metadata->fields[0]->value->struct_value->fields[0]->value->struct_value;
    CHECK_INT(told->n_fields, 2, "data");
    CHECK(told->fields[1]->value->number_value == 7, "number");
    extproc__processing_response__free_unpacked(out, NULL);
    buf_done(&bytes);
    arena_free(arena);
}

TEST(an_immediate_response_keeps_its_number) {
    static const int statuses[] = { 200, 404, 408, 413, 429, 499, 529, 599 };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(statuses); i++) {
        const struct extproc_immediate immediate = { .status = statuses[i], .body = VSR_STR("{}") };
        Extproc__ProcessingResponse *out;
        struct buf bytes;
        buf_init(&bytes, 1 << 16);
        extproc_write_immediate(arena, &immediate, &bytes);
        out = extproc__processing_response__unpack(NULL, bytes.len, (const uint8_t *)bytes.ptr);
        CHECK_INT(out->immediate_response->status->code, statuses[i], "status");
        CHECK_INT(out->immediate_response->body.len, 2, "body");
        extproc__processing_response__free_unpacked(out, NULL);
        buf_done(&bytes);
    }
    arena_free(arena);
}

RUN_TESTS(T(request_headers), T(bodies_and_trailers), T(heads_that_none_could_have), T(memory_is_bounded),
          T(differences), T(answers_say_what_they_were_told), T(an_immediate_response_keeps_its_number))
