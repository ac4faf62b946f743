/*
 * http2_request - the requests of a connection of HTTP/2: heads, bodies and their ends, given to the handler as it can
 * take them; and the server's own refusals.
 */
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "core/assert.h"
#include "net/http2_conn.h"
#include "net/server_conn.h"

/* The server's own answer, when nothing was answered yet; else the stream is cut. */
void http2_exchange_refuse(struct http2_exchange *exchange, int status, const char *why) {
    struct server *server = exchange->base.server;
    struct server_error error = { .n_fields = 0 };
    struct http1_field fields[SERVER_ERROR_FIELDS_MAX + 1];
    server->stats.rejected_total++;
    if (exchange->base.head_sent) {
        http2_exchange_cut(exchange, NGHTTP2_CANCEL);
        return;
    }
    http2_exchange_tell_close(exchange, EXCHANGE_REFUSED);
    buf_init(&error.body, EXCHANGE_OUT_MAX);
    if (server->handler->error_body)
        server->handler->error_body(server->app, &exchange->head, status, str_from_c(why), &error);
    VSR_ASSERT(error.n_fields <= SERVER_ERROR_FIELDS_MAX);
    memcpy(fields, error.fields, error.n_fields * sizeof(*fields));
    if (error.body.len)
        fields[error.n_fields++] =
            (struct http1_field){ VSR_STR_INIT("content-type"), VSR_STR_INIT("application/json") };
    http2_exchange_put_head(exchange, status, fields, error.n_fields, (int64_t)error.body.len);
    if (!exchange->no_body)
        (void)buf_append(&exchange->out, buf_str(&error.body));
    exchange->ended = true;
    exchange->progress_ms = loop_now_ms(server->loop);
    http2_conn_arm(exchange->conn, exchange->progress_ms + exchange->conn->conn->limits.write_timeout_ms);
    buf_done(&error.body);
}

static void tell_end(struct http2_exchange *exchange) {
    exchange->told_end = true;
    exchange->base.server->handler->on_end(exchange->base.request);
}

bool http2_exchange_listens(const struct http2_exchange *exchange) {
    return exchange && exchange->base.running && !exchange->broken && !exchange->ended;
}

void http2_exchange_note_complete(struct http2_exchange *exchange) {
    if (!exchange)
        return;
    exchange->complete = true;
    if (http2_exchange_listens(exchange) && !exchange->paused)
        tell_end(exchange);
}

/* Bytes have been dealt with: the stream's window opens again. */
void http2_conn_open_window(struct http2_conn *h2, int32_t stream_id, size_t len) {
    (void)nghttp2_session_consume_stream(h2->session, stream_id, len); /* the stream may be gone */
    http2_conn_flush_later(h2);
}

void http2_exchange_go_on(struct http2_exchange *exchange) {
    http2_conn_arm(exchange->conn, exchange->body_since_ms + exchange->conn->conn->limits.body_timeout_ms);
    http2_exchange_put(exchange, HTTP2_READY);
}

/* What came during a pause that has ended. */
void http2_exchange_deliver_held(struct http2_exchange *exchange) {
    struct http2_conn *h2 = exchange->conn;
    int32_t stream_id = exchange->stream_id;
    struct buf held = exchange->held;
    if (held.len > 0) {
        buf_init(&exchange->held, HTTP2_STREAM_WINDOW);
        http2_conn_open_window(h2, stream_id, held.len);
        exchange->base.server->handler->on_body(exchange->base.request, buf_str(&held));
        buf_done(&held);
        if (http2_exchange_of(h2, stream_id) != exchange)
            return;
    }
    if (exchange->complete && !exchange->told_end && http2_exchange_listens(exchange) && !exchange->paused)
        tell_end(exchange);
}

static void send_continue(struct http2_exchange *exchange) {
    static uint8_t name[] = ":status", value[] = "100";
    const nghttp2_nv nv = { name, value, sizeof(name) - 1, sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE };
    if (!http2_exchange_listens(exchange) || !exchange->head.expect_continue || exchange->complete ||
        exchange->base.head_sent)
        return;
    (void)nghttp2_submit_headers(exchange->conn->session, NGHTTP2_FLAG_NONE, exchange->stream_id, NULL, &nv, 1, NULL);
    http2_conn_flush_later(exchange->conn);
}

static void begin_exchange(struct http2_exchange *exchange) {
    struct http2_conn *h2 = exchange->conn;
    struct server *server = http2_server_of(h2);
    struct server_limits *limits = &h2->conn->limits;
    *limits = server->limits;
    if (limits->body_len_max && exchange->head.has_length && exchange->head.length > limits->body_len_max) {
        http2_exchange_refuse(exchange, 413, "the request body is too large");
        return;
    }
    server->stats.requests_total++;
    server->stats.exchanges++;
    exchange->body_since_ms = http2_now_ms(h2);
    exchange->base.running = exchange->base.in_request = true;
    exchange->base.request = server->handler->on_request(server->app, &exchange->base, &exchange->head);
    exchange->base.in_request = false;
    if (exchange->complete)
        return;
    if (limits->body_timeout_ms)
        http2_conn_arm(h2, exchange->body_since_ms + limits->body_timeout_ms);
    send_continue(exchange);
}

/* A complete request head. */
int http2_conn_take_head(struct http2_conn *h2, int32_t stream_id, bool end_stream) {
    struct http1_head head;
    struct http2_exchange *exchange;
    void *memory = NULL;
    const char *why = NULL;
    int status = http2_block_head(&h2->block, &head, &memory, &why);
    http2_block_end(&h2->block);
    if (status < 0) {
        http2_conn_reset_stream(h2, stream_id, NGHTTP2_PROTOCOL_ERROR);
        return http2_conn_count(h2, HTTP2_RESETS);
    }
    exchange = http2_exchange_new(h2, stream_id);
    exchange->head = head;
    exchange->head_memory = memory;
    exchange->complete = end_stream;
    if (status > 0) {
        http2_exchange_refuse(exchange, status, why);
        return 0;
    }
    begin_exchange(exchange);
    if (end_stream && http2_exchange_listens(exchange) && !exchange->paused)
        tell_end(exchange);
    return 0;
}

/* Nobody wants them; but they have to be well-formed. */
int http2_conn_take_trailers(struct http2_conn *h2, int32_t stream_id) {
    struct http2_exchange *exchange = http2_exchange_of(h2, stream_id);
    bool ok = !h2->block.bad && !h2->block.too_large;
    http2_block_end(&h2->block);
    if (exchange && !ok) {
        http2_exchange_cut(exchange, NGHTTP2_PROTOCOL_ERROR);
        return http2_conn_count(h2, HTTP2_RESETS);
    }
    http2_exchange_note_complete(exchange);
    return 0;
}
