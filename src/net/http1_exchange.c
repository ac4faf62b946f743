/*
 * http1_exchange - an answer of HTTP/1.1.
 *
 * Bytes gather in exchange->out: the head until the first body slice, small chunks until the end of the turn. What
 * gathers is flushed by the loop before it waits again, so nothing is held back longer than the events at hand take.
 */
#include "core/assert.h"
#include "net/exchange_ops.h"
#include "net/server_conn.h"
#include "net/stream.h"

static const vsr_str crlf = VSR_STR_INIT("\r\n");

static struct http1_exchange *http1_exchange(struct exchange *base) {
    return (struct http1_exchange *)base; /* its first member */
}

/*
 * Whether there is still somebody to answer: an abort inside on_request leaves the exchange without a stream, and a
 * broken answer waits for its cut.
 */
static bool alive(const struct http1_exchange *exchange) {
    return exchange->conn->state != SERVER_CONN_CLOSED && !exchange->broken;
}

static void on_cut(void *data) {
    struct http1_exchange *exchange = data;
    server_conn_close(exchange->conn);
}

/* The answer cannot be right any more. Its cut comes from the loop, because the caller goes on using its request. */
static void cut_later(struct http1_exchange *exchange) {
    exchange->broken = true;
    loop_defer(exchange->base.server->loop, &exchange->flush, on_cut, exchange); /* instead of a flush */
}

/* ---- reading */

static void http1_pause(struct exchange *base) {
    struct http1_exchange *exchange = http1_exchange(base);
    struct server_conn *conn = exchange->conn;
    /* A complete request has nothing to pause, and readiness stays armed to notice a client that goes away. */
    if (!alive(exchange) || conn->state != SERVER_CONN_BODY || exchange->paused)
        return;
    exchange->paused = true;
    exchange->paused_at_ms = loop_now_ms(conn->server->loop);
    stream_pause(conn->stream);
}

static void http1_resume(struct exchange *base) {
    struct http1_exchange *exchange = http1_exchange(base);
    struct server_conn *conn = exchange->conn;
    if (!alive(exchange) || !exchange->paused)
        return;
    exchange->paused = false;
    conn->since_ms += loop_now_ms(conn->server->loop) - exchange->paused_at_ms;
    if (conn->feeding)
        stream_resume(conn->stream); /* the parser loop further up never left off */
    else
        server_conn_go_on(conn);
}

/* ---- writing */

static void flush(struct http1_exchange *exchange) {
    loop_defer_cancel(&exchange->flush);
    if (exchange->out.len == 0)
        return;
    exchange->wired = true;
    stream_write(exchange->conn->stream, buf_str(&exchange->out));
    buf_reset(&exchange->out);
    server_conn_wrote(exchange->conn);
}

static void on_flush(void *data) {
    flush(data);
}

static void flush_later(struct http1_exchange *exchange) {
    if (exchange->out.len > EXCHANGE_GATHER_LEN)
        flush(exchange);
    else
        loop_defer(exchange->base.server->loop, &exchange->flush, on_flush, exchange);
}

/* The gathered bytes, then the slices, in one system call. */
static void write_through(struct http1_exchange *exchange, vsr_str bytes, vsr_str tail) {
    vsr_str slices[3] = { buf_str(&exchange->out), bytes, tail };
    loop_defer_cancel(&exchange->flush);
    exchange->wired = true;
    stream_writev(exchange->conn->stream, slices, 3);
    buf_reset(&exchange->out);
    server_conn_wrote(exchange->conn);
}

static bool must_close(const struct http1_exchange *exchange) {
    const struct server_conn *conn = exchange->conn;
    const struct http1_head *head = &exchange->parser.head;
    if (!head->keep_alive || server_conn_ending(conn))
        return true;
    if (conn->state != SERVER_CONN_BODY)
        return false;
    /*
     * A client that still waits for a 100 may or may not send the body now. One that gets the whole answer in the
     * middle of a long body sends the rest in vain and had better stop.
     */
    return exchange->continue_wanted || (exchange->whole && head->has_length &&
                                         head->length - exchange->body_received > SERVER_CONN_DISCARD_LEN_MAX);
}

static void write_framing(struct http1_exchange *exchange, int status) {
    const struct http1_head *head = &exchange->parser.head;
    bool is_head = str_eq(head->method, VSR_STR("HEAD"));
    exchange->no_body = is_head || status == 204 || status == 304;
    exchange->close_after = must_close(exchange);
    if (status == 204 || status == 304)
        return;
    if (exchange->content_length >= 0) {
        http1_write_field_u64(&exchange->out, VSR_STR("content-length"), (uint64_t)exchange->content_length);
    } else if (is_head) {
        return; /* the length of what a GET would have got is not known */
    } else if (head->minor_version >= 1) {
        exchange->chunked = true;
        http1_write_field(&exchange->out, VSR_STR("transfer-encoding"), VSR_STR("chunked"));
    } else {
        exchange->close_after = true; /* an HTTP/1.0 client learns the end from the connection's */
    }
}

static void http1_head(struct exchange *base, int status, const struct http1_field *fields, size_t n_fields,
                       int64_t content_length) {
    struct http1_exchange *exchange = http1_exchange(base);
    struct buf *out = &exchange->out;
    if (!alive(exchange))
        return;
    exchange->base.head_sent = true;
    exchange->content_length = content_length;
    http1_write_status_line(out, status);
    for (size_t i = 0; i < n_fields; i++)
        http1_write_field(out, fields[i].name, fields[i].value);
    write_framing(exchange, status);
    http1_write_field(out, VSR_STR("date"), server_date(exchange->base.server));
    if (exchange->close_after)
        http1_write_field(out, VSR_STR("connection"), VSR_STR("close"));
    else if (exchange->parser.head.minor_version == 0)
        http1_write_field(out, VSR_STR("connection"), VSR_STR("keep-alive"));
    http1_write_head_end(out);
    if (buf_failed(out))
        cut_later(exchange);
    else
        loop_defer(exchange->base.server->loop, &exchange->flush, on_flush, exchange);
}

static void write_chunk(struct http1_exchange *exchange, vsr_str bytes) {
    http1_write_chunk_begin(&exchange->out, bytes.len);
    if (bytes.len > EXCHANGE_GATHER_LEN) {
        write_through(exchange, bytes, crlf);
        return;
    }
    (void)buf_append(&exchange->out, bytes);
    http1_write_chunk_end(&exchange->out);
    flush_later(exchange);
}

static void http1_body(struct exchange *base, vsr_str bytes) {
    struct http1_exchange *exchange = http1_exchange(base);
    if (!alive(exchange) || exchange->no_body || bytes.len == 0)
        return;
    VSR_ASSERT(exchange->base.head_sent);
    VSR_ASSERT(!exchange->ended);
    exchange->body_sent += bytes.len;
    if (exchange->content_length >= 0 && exchange->body_sent > (uint64_t)exchange->content_length) {
        cut_later(exchange);
        return;
    }
    if (exchange->chunked)
        write_chunk(exchange, bytes);
    else
        write_through(exchange, bytes, VSR_STR(""));
    if (buf_failed(&exchange->out))
        cut_later(exchange);
}

/* A trailer section ends a chunked body; elsewhere there is no place for one. */
static void write_last_chunk(struct http1_exchange *exchange, const struct http1_field *trailers, size_t n_trailers) {
    if (n_trailers == 0) {
        http1_write_last_chunk(&exchange->out);
        return;
    }
    (void)buf_append(&exchange->out, VSR_STR("0\r\n"));
    for (size_t i = 0; i < n_trailers; i++)
        http1_write_field(&exchange->out, trailers[i].name, trailers[i].value);
    http1_write_head_end(&exchange->out);
}

static void http1_end(struct exchange *base, const struct http1_field *trailers, size_t n_trailers) {
    struct http1_exchange *exchange = http1_exchange(base);
    struct server_conn *conn = exchange->conn;
    bool short_body;
    if (!alive(exchange) || exchange->ended)
        return;
    VSR_ASSERT(exchange->base.head_sent);
    short_body = !exchange->no_body && exchange->content_length >= 0 &&
                 exchange->body_sent != (uint64_t)exchange->content_length;
    if (short_body) {
        server_conn_close(conn);
        return;
    }
    if (exchange->chunked)
        write_last_chunk(exchange, trailers, n_trailers);
    if (buf_failed(&exchange->out)) {
        cut_later(exchange);
        return;
    }
    flush(exchange);
    exchange->ended = true;
    if (!exchange->base.in_request && stream_queued(conn->stream) == 0)
        server_conn_answered(conn);
}

static bool http1_retract(struct exchange *base) {
    struct http1_exchange *exchange = http1_exchange(base);
    if (!alive(exchange) || exchange->wired || exchange->ended)
        return false;
    loop_defer_cancel(&exchange->flush);
    buf_reset(&exchange->out);
    exchange->base.head_sent = exchange->no_body = exchange->chunked = exchange->close_after = false;
    exchange->body_sent = 0;
    return true;
}

static void http1_abort(struct exchange *base) {
    struct http1_exchange *exchange = http1_exchange(base);
    server_conn_close(exchange->conn);
}

static void http1_reply(struct exchange *base, int status, const struct http1_field *fields, size_t n_fields,
                        vsr_str body) {
    http1_exchange(base)->whole = true;
    http1_head(base, status, fields, n_fields, (int64_t)body.len);
    http1_body(base, body);
    http1_end(base, NULL, 0);
}

/* ---- facts */

static size_t http1_queued(const struct exchange *base) {
    const struct http1_exchange *exchange = (const struct http1_exchange *)base;
    if (exchange->conn->state == SERVER_CONN_CLOSED)
        return 0;
    return exchange->out.len + stream_queued(exchange->conn->stream);
}

static struct stream *http1_stream(const struct exchange *base) {
    return ((const struct http1_exchange *)base)->conn->stream;
}

const struct exchange_ops http1_exchange_ops = {
    .protocol = EXCHANGE_HTTP1,
    .head = http1_head,
    .body = http1_body,
    .end = http1_end,
    .reply = http1_reply,
    .retract = http1_retract,
    .abort = http1_abort,
    .pause = http1_pause,
    .resume = http1_resume,
    .queued = http1_queued,
    .stream = http1_stream,
};
