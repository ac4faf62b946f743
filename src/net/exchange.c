/*
 * exchange - the answering half of server.h.
 *
 * Bytes gather in exchange->out: the head until the first body slice, small chunks until the end of the turn. What
 * gathers is flushed by the loop before it waits again, so nothing is held back longer than the events at hand take.
 */
#include "core/assert.h"
#include "net/server.h"
#include "net/server_conn.h"
#include "net/stream.h"

static const vsr_str crlf = VSR_STR_INIT("\r\n");

void *exchange_tag(const struct exchange *exchange) {
    return exchange->conn->listener->tag;
}

struct loop *exchange_loop(const struct exchange *exchange) {
    return exchange->conn->server->loop;
}

/*
 * Whether there is still somebody to answer: an abort inside on_request leaves the exchange without a stream, and a
 * broken answer waits for its cut.
 */
static bool alive(const struct exchange *exchange) {
    VSR_ASSERT(exchange->running);
    VSR_DEBUG_ASSERT(loop_on_thread(exchange->conn->server->loop));
    return exchange->conn->state != SERVER_CONN_CLOSED && !exchange->broken;
}

static void on_cut(void *data) {
    struct exchange *exchange = data;
    server_conn_close(exchange->conn);
}

/* The answer cannot be right any more. Its cut comes from the loop, because the caller goes on using its request. */
static void cut_later(struct exchange *exchange) {
    exchange->broken = true;
    loop_defer(exchange->conn->server->loop, &exchange->flush, on_cut, exchange); /* instead of a flush */
}

/* ---- reading */

void exchange_pause(struct exchange *exchange) {
    struct server_conn *conn = exchange->conn;
    /* A complete request has nothing to pause, and readiness stays armed to notice a client that goes away. */
    if (!alive(exchange) || conn->state != SERVER_CONN_BODY || exchange->paused)
        return;
    exchange->paused = true;
    exchange->paused_at_ms = loop_now_ms(conn->server->loop);
    stream_pause(conn->stream);
}

void exchange_resume(struct exchange *exchange) {
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

static void flush(struct exchange *exchange) {
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

static void flush_later(struct exchange *exchange) {
    if (exchange->out.len > EXCHANGE_GATHER_LEN)
        flush(exchange);
    else
        loop_defer(exchange->conn->server->loop, &exchange->flush, on_flush, exchange);
}

/* The gathered bytes, then the slices, in one system call. */
static void write_through(struct exchange *exchange, vsr_str bytes, vsr_str tail) {
    vsr_str slices[3] = { buf_str(&exchange->out), bytes, tail };
    loop_defer_cancel(&exchange->flush);
    exchange->wired = true;
    stream_writev(exchange->conn->stream, slices, 3);
    buf_reset(&exchange->out);
    server_conn_wrote(exchange->conn);
}

static bool must_close(const struct exchange *exchange) {
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

static void write_framing(struct exchange *exchange, int status) {
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

void exchange_head(struct exchange *exchange, int status, const struct http1_field *fields, size_t n_fields,
                   int64_t content_length) {
    struct buf *out = &exchange->out;
    VSR_ASSERT(!exchange->head_sent);
    VSR_ASSERT(content_length >= EXCHANGE_LENGTH_UNKNOWN);
    if (!alive(exchange))
        return;
    exchange->head_sent = true;
    exchange->content_length = content_length;
    http1_write_status_line(out, status);
    for (size_t i = 0; i < n_fields; i++)
        http1_write_field(out, fields[i].name, fields[i].value);
    write_framing(exchange, status);
    http1_write_field(out, VSR_STR("date"), server_date(exchange->conn->server));
    if (exchange->close_after)
        http1_write_field(out, VSR_STR("connection"), VSR_STR("close"));
    else if (exchange->parser.head.minor_version == 0)
        http1_write_field(out, VSR_STR("connection"), VSR_STR("keep-alive"));
    http1_write_head_end(out);
    if (buf_failed(out))
        cut_later(exchange);
    else
        loop_defer(exchange->conn->server->loop, &exchange->flush, on_flush, exchange);
}

static void write_chunk(struct exchange *exchange, vsr_str bytes) {
    http1_write_chunk_begin(&exchange->out, bytes.len);
    if (bytes.len > EXCHANGE_GATHER_LEN) {
        write_through(exchange, bytes, crlf);
        return;
    }
    (void)buf_append(&exchange->out, bytes);
    http1_write_chunk_end(&exchange->out);
    flush_later(exchange);
}

void exchange_body(struct exchange *exchange, vsr_str bytes) {
    if (!alive(exchange) || exchange->no_body || bytes.len == 0)
        return;
    VSR_ASSERT(exchange->head_sent);
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

void exchange_end(struct exchange *exchange) {
    struct server_conn *conn = exchange->conn;
    bool short_body;
    if (!alive(exchange) || exchange->ended)
        return;
    VSR_ASSERT(exchange->head_sent);
    short_body = !exchange->no_body && exchange->content_length >= 0 &&
                 exchange->body_sent != (uint64_t)exchange->content_length;
    if (short_body) {
        exchange_abort(exchange);
        return;
    }
    if (exchange->chunked)
        http1_write_last_chunk(&exchange->out);
    flush(exchange);
    exchange->ended = true;
    if (!exchange->in_request && stream_queued(conn->stream) == 0)
        server_conn_answered(conn);
}

bool exchange_retract(struct exchange *exchange) {
    if (!alive(exchange) || exchange->wired || exchange->ended)
        return false;
    loop_defer_cancel(&exchange->flush);
    buf_reset(&exchange->out);
    exchange->head_sent = exchange->no_body = exchange->chunked = exchange->close_after = false;
    exchange->body_sent = 0;
    return true;
}

void exchange_abort(struct exchange *exchange) {
    VSR_ASSERT(exchange->running);
    VSR_DEBUG_ASSERT(loop_on_thread(exchange->conn->server->loop));
    server_conn_close(exchange->conn);
}

void exchange_reply(struct exchange *exchange, int status, const struct http1_field *fields, size_t n_fields,
                    vsr_str body) {
    VSR_ASSERT(body.len <= INT64_MAX);
    exchange->whole = true;
    exchange_head(exchange, status, fields, n_fields, (int64_t)body.len);
    exchange_body(exchange, body);
    exchange_end(exchange);
}

size_t exchange_queued(const struct exchange *exchange) {
    if (exchange->conn->state == SERVER_CONN_CLOSED)
        return 0;
    return exchange->out.len + stream_queued(exchange->conn->stream);
}

bool exchange_head_sent(const struct exchange *exchange) {
    return exchange->head_sent;
}
