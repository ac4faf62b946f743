/*
 * http2_exchange - an answer of HTTP/2.
 *
 * Head, body and trailers gather in the exchange; nghttp2 asks for the body as the peer's windows and the socket allow.
 */
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/http2_conn.h"
#include "net/server_conn.h"
#include "net/stream.h"

static struct http2_exchange *http2_exchange(struct exchange *base) {
    return (struct http2_exchange *)base; /* its first member */
}

static void cut_later(struct http2_exchange *exchange) {
    exchange->broken = true;
    http2_exchange_put(exchange, HTTP2_READY);
}

/* ---- reading */

static void http2_pause(struct exchange *base) {
    struct http2_exchange *exchange = http2_exchange(base);
    if (exchange->broken || exchange->paused || exchange->told_end)
        return;
    exchange->paused = true;
    exchange->paused_at_ms = loop_now_ms(base->server->loop);
}

static void http2_resume(struct exchange *base) {
    struct http2_exchange *exchange = http2_exchange(base);
    if (exchange->broken || !exchange->paused)
        return;
    exchange->paused = false;
    exchange->body_since_ms += loop_now_ms(base->server->loop) - exchange->paused_at_ms;
    http2_exchange_go_on(exchange);
}

/* ---- answering */

/* What speaks of an HTTP/1.1 connection, and has no place in HTTP/2 (RFC 9113 8.2.2). */
static bool is_of_connection(vsr_str name) {
    static const vsr_str names[] = {
        VSR_STR_INIT("connection"),       VSR_STR_INIT("transfer-encoding"), VSR_STR_INIT("keep-alive"),
        VSR_STR_INIT("proxy-connection"), VSR_STR_INIT("upgrade"),
    };
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

static void put_fields(struct buf *out, const struct http1_field *fields, size_t n_fields) {
    for (size_t i = 0; i < n_fields; i++)
        if (!is_of_connection(fields[i].name))
            http2_fields_put(out, fields[i].name, fields[i].value);
}

void http2_exchange_put_head(struct http2_exchange *exchange, int status, const struct http1_field *fields,
                             size_t n_fields, int64_t content_length) {
    struct buf digits;
    bool bodyless = status == 204 || status == 304;
    exchange->base.head_sent = true;
    exchange->status = status;
    exchange->content_length = content_length;
    exchange->no_body = bodyless || str_eq(exchange->head.method, VSR_STR("HEAD"));
    put_fields(&exchange->fields, fields, n_fields);
    if (!bodyless && content_length >= 0) {
        buf_init(&digits, 32);
        (void)buf_append_u64(&digits, (uint64_t)content_length);
        http2_fields_put(&exchange->fields, VSR_STR("content-length"), buf_str(&digits));
        buf_done(&digits);
    }
    http2_fields_put(&exchange->fields, VSR_STR("date"), server_date(exchange->base.server));
    if (buf_failed(&exchange->fields))
        cut_later(exchange);
    else
        http2_exchange_put(exchange, HTTP2_READY);
}

static void http2_head(struct exchange *base, int status, const struct http1_field *fields, size_t n_fields,
                       int64_t content_length) {
    struct http2_exchange *exchange = http2_exchange(base);
    if (!exchange->broken)
        http2_exchange_put_head(exchange, status, fields, n_fields, content_length);
}

/* The clock of a stall starts when bytes begin to wait. */
static void begin_waiting(struct http2_exchange *exchange) {
    struct server_conn *conn = exchange->conn->conn;
    exchange->progress_ms = loop_now_ms(conn->server->loop);
    http2_conn_arm(exchange->conn, exchange->progress_ms + conn->limits.write_timeout_ms);
}

static void http2_body(struct exchange *base, vsr_str bytes) {
    struct http2_exchange *exchange = http2_exchange(base);
    if (exchange->broken || exchange->no_body || bytes.len == 0)
        return;
    VSR_ASSERT(base->head_sent);
    VSR_ASSERT(!exchange->ended);
    exchange->body_sent += bytes.len;
    if (exchange->content_length >= 0 && exchange->body_sent > (uint64_t)exchange->content_length) {
        cut_later(exchange);
        return;
    }
    if (exchange->out.len == exchange->out_off)
        begin_waiting(exchange);
    if (buf_append(&exchange->out, bytes) < 0)
        cut_later(exchange);
    else
        http2_exchange_put(exchange, HTTP2_READY);
}

static void http2_end(struct exchange *base, const struct http1_field *trailers, size_t n_trailers) {
    struct http2_exchange *exchange = http2_exchange(base);
    if (exchange->broken || exchange->ended)
        return;
    VSR_ASSERT(base->head_sent);
    if (!exchange->no_body && exchange->content_length >= 0 &&
        exchange->body_sent != (uint64_t)exchange->content_length) {
        cut_later(exchange);
        return;
    }
    if (!exchange->no_body)
        put_fields(&exchange->trailer, trailers, n_trailers);
    exchange->ended = true;
    if (buf_failed(&exchange->trailer)) {
        cut_later(exchange);
        return;
    }
    if (exchange->out.len == exchange->out_off)
        begin_waiting(exchange);
    http2_exchange_put(exchange, HTTP2_READY);
}

static void http2_reply(struct exchange *base, int status, const struct http1_field *fields, size_t n_fields,
                        vsr_str body) {
    http2_head(base, status, fields, n_fields, (int64_t)body.len);
    http2_body(base, body);
    http2_end(base, NULL, 0);
}

static bool http2_retract(struct exchange *base) {
    struct http2_exchange *exchange = http2_exchange(base);
    if (exchange->broken || exchange->submitted || exchange->ended)
        return false;
    base->head_sent = exchange->no_body = false;
    exchange->body_sent = 0;
    buf_reset(&exchange->fields);
    buf_reset(&exchange->out);
    exchange->out_off = 0;
    return true;
}

static void http2_abort(struct exchange *base) {
    struct http2_exchange *exchange = http2_exchange(base);
    if (base->in_request)
        cut_later(exchange); /* the handler's state is not known yet */
    else
        http2_exchange_cut(exchange, NGHTTP2_INTERNAL_ERROR);
}

/* ---- facts */

static size_t http2_queued(const struct exchange *base) {
    const struct http2_exchange *exchange = (const struct http2_exchange *)base;
    return exchange->out.len - exchange->out_off;
}

static struct stream *http2_stream(const struct exchange *base) {
    return ((const struct http2_exchange *)base)->conn->conn->stream;
}

const struct exchange_ops http2_exchange_ops = {
    .protocol = EXCHANGE_HTTP2,
    .head = http2_head,
    .body = http2_body,
    .end = http2_end,
    .reply = http2_reply,
    .retract = http2_retract,
    .abort = http2_abort,
    .pause = http2_pause,
    .resume = http2_resume,
    .queued = http2_queued,
    .stream = http2_stream,
};

/* ---- to nghttp2 */

enum { FIELD_LEN_LEAST = 8 }; /* of one in the form that fields wait in */

static nghttp2_nv to_nv(struct http1_field field) {
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)field.name.ptr, /* nghttp2 copies, and makes names lower case */
        .value = (uint8_t *)(uintptr_t)field.value.ptr,
        .namelen = field.name.len,
        .valuelen = field.value.len,
    };
}

/* The fields in nghttp2's form behind `n` places; to be freed. */
static nghttp2_nv *make_nvs(const struct buf *fields, size_t *n) {
    nghttp2_nv *nvs = mem_alloc((*n + fields->len / FIELD_LEN_LEAST) * sizeof(*nvs));
    struct http1_field field;
    for (size_t pos = 0; http2_fields_next(buf_str(fields), &pos, &field);)
        nvs[(*n)++] = to_nv(field);
    return nvs;
}

static int submit_trailer(nghttp2_session *session, struct http2_exchange *exchange) {
    size_t n = 0;
    nghttp2_nv *nvs = make_nvs(&exchange->trailer, &n);
    int rc = nghttp2_submit_trailer(session, exchange->stream_id, nvs, n);
    mem_free(nvs);
    return rc;
}

static void consume_out(struct http2_exchange *exchange, size_t len) {
    exchange->out_off += len;
    if (exchange->out_off == exchange->out.len) {
        if (exchange->out.cap > EXCHANGE_OUT_KEEP)
            buf_done(&exchange->out);
        buf_reset(&exchange->out);
        exchange->out_off = 0;
    } else if (exchange->out_off > exchange->out.len / 2) {
        buf_consume(&exchange->out, exchange->out_off); /* sent bytes may not outweigh the rest */
        exchange->out_off = 0;
    }
    if (len == 0)
        return;
    exchange->progress_ms = loop_now_ms(exchange->base.server->loop);
    if (exchange->out.len == 0)
        http2_exchange_put(exchange, HTTP2_DRAINED);
}

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *bytes, size_t len, uint32_t *flags,
                         nghttp2_data_source *source, void *user) {
    struct http2_exchange *exchange = nghttp2_session_get_stream_user_data(session, stream_id);
    size_t n;
    (void)source;
    (void)user;
    if (!exchange || exchange->broken)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    n = exchange->out.len - exchange->out_off;
    if (n > len)
        n = len;
    if (n > 0)
        memcpy(bytes, exchange->out.ptr + exchange->out_off, n);
    consume_out(exchange, n);
    if (exchange->ended && exchange->out.len == 0) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (exchange->trailer.len > 0) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            if (submit_trailer(session, exchange) != 0)
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        return (ssize_t)n;
    }
    if (n == 0) {
        exchange->resumed = false;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)n;
}

bool http2_exchange_submit(struct http2_exchange *exchange) {
    nghttp2_data_provider body = { .read_callback = read_body };
    bool whole = exchange->ended && exchange->out.len == 0 && exchange->trailer.len == 0;
    char digits[4];
    size_t n = 1;
    nghttp2_nv *nvs;
    int rc;
    if (exchange->fields.len > HTTP2_ANSWER_HEAD_MAX)
        return false;
    VSR_ASSERT(exchange->status >= 100 && exchange->status <= 599);
    digits[0] = (char)('0' + exchange->status / 100);
    digits[1] = (char)('0' + exchange->status / 10 % 10);
    digits[2] = (char)('0' + exchange->status % 10);
    nvs = make_nvs(&exchange->fields, &n);
    nvs[0] = to_nv((struct http1_field){ VSR_STR(":status"), str_make(digits, 3) });
    rc = nghttp2_submit_response(exchange->conn->session, exchange->stream_id, nvs, n, whole ? NULL : &body);
    mem_free(nvs);
    buf_done(&exchange->fields);
    exchange->submitted = exchange->resumed = true;
    return rc == 0;
}
