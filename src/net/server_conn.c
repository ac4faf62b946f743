#include "net/server_conn.h"

#include <unistd.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/http2_conn.h"
#include "net/stream.h"

/* What a client of HTTP/2 begins with (RFC 9113 3.4). */
static const vsr_str http2_preface = VSR_STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

static const struct stream_events conn_events;

/* ---- states and their clocks */

static void set_state(struct server_conn *conn, enum server_conn_state state) {
    conn->state = state;
    conn->since_ms = loop_now_ms(conn->server->loop);
}

/* When the state's own patience ends; 0 when it has none. */
static uint64_t state_deadline(const struct server_conn *conn) {
    const struct server_limits *limits = &conn->limits;
    switch (conn->state) {
    case SERVER_CONN_HANDSHAKE:
    case SERVER_CONN_HEAD:
        return conn->since_ms + limits->head_timeout_ms;
    case SERVER_CONN_IDLE:
        if (conn->fresh && conn->preface_seen > 0) /* a head of HTTP/2, as it were */
            return conn->since_ms + limits->head_timeout_ms;
        return conn->since_ms + (conn->listener->retired ? SERVER_CONN_GRACE_MS : limits->idle_timeout_ms);
    case SERVER_CONN_BODY:
        /* A client whose body the handler holds back is not slow. */
        return limits->body_timeout_ms && !conn->exchange->paused ? conn->since_ms + limits->body_timeout_ms : 0;
    case SERVER_CONN_DISCARD:
        return conn->since_ms + limits->head_timeout_ms;
    case SERVER_CONN_LINGER:
        return stream_queued(conn->stream) ? 0 : conn->since_ms + SERVER_CONN_LINGER_MS;
    case SERVER_CONN_ANSWER:
    case SERVER_CONN_HTTP2:
    case SERVER_CONN_CLOSED:
        break;
    }
    return 0;
}

static uint64_t write_deadline(const struct server_conn *conn) {
    return stream_queued(conn->stream) ? conn->written_at_ms + conn->limits.write_timeout_ms : 0;
}

static void on_timer(void *data);

void server_conn_arm(struct server_conn *conn) {
    uint64_t now, due = state_deadline(conn), write_due = write_deadline(conn);
    if (due == 0 || (write_due != 0 && write_due < due))
        due = write_due;
    if (due == 0)
        return; /* a timer that is still armed finds nothing to do when it fires */
    now = loop_now_ms(conn->server->loop);
    loop_timer_start(conn->server->loop, &conn->timer, due > now ? due - now : 0, on_timer, conn);
}

void server_conn_wrote(struct server_conn *conn) {
    uint64_t written = stream_written(conn->stream);
    bool waits = stream_queued(conn->stream) > 0;
    conn->server->stats.bytes_out += written - conn->written_seen;
    /* The clock of a stall starts when bytes begin to wait, and again whenever some of them leave. */
    if (written != conn->written_seen || !conn->write_waits)
        conn->written_at_ms = loop_now_ms(conn->server->loop);
    conn->written_seen = written;
    conn->write_waits = waits;
    if (waits)
        server_conn_arm(conn);
}

/* ---- the end of a connection */

bool server_conn_ending(const struct server_conn *conn) {
    return conn->server->draining || conn->listener->retired;
}

void server_conn_retire(struct server_conn *conn) {
    if (conn->state == SERVER_CONN_HTTP2)
        http2_conn_leave(conn->http2);
    if (conn->state != SERVER_CONN_IDLE)
        return;
    set_state(conn, SERVER_CONN_IDLE); /* the grace begins now */
    server_conn_arm(conn);
}

void server_conn_drain(struct server_conn *conn) {
    if (conn->state == SERVER_CONN_IDLE || conn->state == SERVER_CONN_HANDSHAKE)
        server_conn_close(conn);
    else if (conn->state == SERVER_CONN_HTTP2)
        http2_conn_leave(conn->http2);
}

static void free_later(void *data) {
    struct server_conn *conn = data;
    buf_done(&conn->pending);
    mem_free(conn);
}

static void unlink_conn(struct server_conn *conn) {
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conn->server->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    conn->prev = conn->next = NULL;
}

/* Tells the handler that its exchange is over. */
static void close_exchange(struct server_conn *conn, enum exchange_outcome how) {
    struct http1_exchange *exchange = conn->exchange;
    VSR_ASSERT(exchange->base.running);
    exchange->base.running = false;
    conn->server->stats.exchanges--;
    conn->server->handler->on_close(exchange->base.request, how);
}

static void release_exchange(struct server_conn *conn) {
    if (conn->exchange)
        server_give_exchange(conn->server, conn->exchange);
    conn->exchange = NULL;
}

void server_conn_close(struct server_conn *conn) {
    struct server *server = conn->server;
    if (conn->state == SERVER_CONN_CLOSED)
        return;
    conn->state = SERVER_CONN_CLOSED;
    server_conn_wrote(conn);
    stream_close(conn->stream);
    conn->stream = NULL;
    loop_timer_stop(&conn->timer);
    http2_conn_free(conn->http2);
    conn->http2 = NULL;
    unlink_conn(conn);
    loop_defer(server->loop, &conn->task, free_later, conn);
    server_conn_gone(server, conn);
    /* Inside on_request the handler's state is not known yet: begin_request() does the rest. */
    if (conn->exchange && conn->exchange->base.in_request)
        return;
    if (conn->exchange && conn->exchange->base.running)
        close_exchange(conn, EXCHANGE_VANISHED);
    release_exchange(conn);
}

void server_conn_linger(struct server_conn *conn) {
    release_exchange(conn);
    http2_conn_free(conn->http2);
    conn->http2 = NULL;
    set_state(conn, SERVER_CONN_LINGER);
    conn->dropped = 0;
    buf_reset(&conn->pending); /* keeps the memory: a handler further up may still look at a slice of it */
    conn->pending_off = 0;
    loop_defer_cancel(&conn->task);
    stream_shutdown(conn->stream);
    stream_resume(conn->stream);
    server_conn_arm(conn);
}

static vsr_str status_text(int status, vsr_str message) {
    return message.len ? message : str_from_c(http1_reason(status));
}

/* Writes the server's own answer and ends the connection. No exchange runs. */
static void answer_and_linger(struct server_conn *conn, const struct http1_head *request, bool head_only, int status,
                              vsr_str message) {
    struct server *server = conn->server;
    struct server_error error = { .n_fields = 0 };
    struct buf head;
    buf_init(&error.body, EXCHANGE_OUT_MAX);
    buf_init(&head, EXCHANGE_OUT_MAX);
    if (server->handler->error_body)
        server->handler->error_body(server->app, request, status, status_text(status, message), &error);
    VSR_ASSERT(error.n_fields <= SERVER_ERROR_FIELDS_MAX);
    http1_write_status_line(&head, status);
    for (size_t i = 0; i < error.n_fields; i++)
        http1_write_field(&head, error.fields[i].name, error.fields[i].value);
    if (error.body.len)
        http1_write_field(&head, VSR_STR("content-type"), VSR_STR("application/json"));
    http1_write_field_u64(&head, VSR_STR("content-length"), error.body.len);
    http1_write_field(&head, VSR_STR("date"), server_date(server));
    http1_write_field(&head, VSR_STR("connection"), VSR_STR("close"));
    http1_write_head_end(&head);
    stream_write2(conn->stream, buf_str(&head), head_only ? VSR_STR("") : buf_str(&error.body));
    buf_done(&head);
    buf_done(&error.body);
    server_conn_wrote(conn);
    server_conn_linger(conn);
}

/* The request is wrong or late: says so when nothing was answered yet, else cuts the connection. */
static void fail(struct server_conn *conn, int status, vsr_str message) {
    struct http1_exchange *exchange = conn->exchange;
    bool head_sent = exchange && exchange->base.head_sent;
    const struct http1_head *head = exchange && conn->state != SERVER_CONN_HEAD ? &exchange->parser.head : NULL;
    bool head_only = exchange && str_eq(exchange->parser.head.method, VSR_STR("HEAD"));
    conn->server->stats.rejected_total++;
    if (head_sent) {
        server_conn_close(conn);
        return;
    }
    if (exchange && exchange->base.running)
        close_exchange(conn, EXCHANGE_REFUSED);
    if (conn->state != SERVER_CONN_CLOSED)
        answer_and_linger(conn, head, head_only, status, message);
}

/* ---- requests */

static bool body_expected(const struct http1_head *head) {
    return head->chunked || (head->has_length && head->length > 0);
}

/* What ended or began while on_request ran and waited for its result. False when the connection is gone. */
static bool settle_request(struct server_conn *conn) {
    struct http1_exchange *exchange = conn->exchange;
    if (conn->state == SERVER_CONN_CLOSED) {
        close_exchange(conn, EXCHANGE_VANISHED);
        release_exchange(conn);
        return false;
    }
    if (exchange->ended) {
        if (stream_queued(conn->stream) == 0)
            server_conn_answered(conn);
        return conn->state != SERVER_CONN_CLOSED;
    }
    return true;
}

static void send_continue(struct server_conn *conn) {
    struct http1_exchange *exchange = conn->exchange;
    if (!exchange->continue_wanted || exchange->paused || exchange->base.head_sent)
        return;
    exchange->continue_wanted = false;
    stream_write(conn->stream, VSR_STR("HTTP/1.1 100 Continue\r\n\r\n"));
    server_conn_wrote(conn);
}

static void begin_request(struct server_conn *conn, bool body_came) {
    struct server *server = conn->server;
    struct http1_exchange *exchange = conn->exchange;
    const struct http1_head *head = &exchange->parser.head;
    conn->limits = server->limits;
    set_state(conn, SERVER_CONN_BODY);
    if (conn->limits.body_len_max && head->has_length && head->length > conn->limits.body_len_max) {
        fail(conn, 413, VSR_STR("the request body is too large"));
        return;
    }
    server->stats.requests_total++;
    server->stats.exchanges++;
    exchange->continue_wanted = head->expect_continue && body_expected(head) && !body_came;
    exchange->base.running = exchange->base.in_request = true;
    exchange->base.request = server->handler->on_request(server->app, &exchange->base, head);
    exchange->base.in_request = false;
    if (settle_request(conn) && conn->state == SERVER_CONN_BODY)
        send_continue(conn);
}

static void take_body(struct server_conn *conn, vsr_str bytes) {
    struct http1_exchange *exchange = conn->exchange;
    if (conn->state == SERVER_CONN_DISCARD) {
        conn->dropped += bytes.len;
        if (conn->dropped > SERVER_CONN_DISCARD_LEN_MAX)
            server_conn_linger(conn);
        return;
    }
    exchange->continue_wanted = false;
    exchange->body_received += bytes.len;
    if (conn->limits.body_len_max && exchange->body_received > conn->limits.body_len_max)
        fail(conn, 413, VSR_STR("the request body is too large"));
    else
        conn->server->handler->on_body(exchange->base.request, bytes);
}

static void next_request(struct server_conn *conn);

static void end_request(struct server_conn *conn) {
    if (conn->state == SERVER_CONN_DISCARD) {
        next_request(conn);
        return;
    }
    set_state(conn, SERVER_CONN_ANSWER);
    conn->server->handler->on_end(conn->exchange->base.request);
}

/* The exchange is out of the way. */
static void next_request(struct server_conn *conn) {
    bool more = conn->pending.len > conn->pending_off;
    if (conn->server->draining) {
        server_conn_linger(conn);
        return;
    }
    release_exchange(conn);
    set_state(conn, SERVER_CONN_IDLE);
    server_conn_arm(conn);
    if (conn->feeding)
        return; /* the loop further up goes on */
    if (more)
        server_conn_go_on(conn);
    else
        stream_resume(conn->stream);
}

void server_conn_answered(struct server_conn *conn) {
    struct http1_exchange *exchange = conn->exchange;
    bool complete = conn->state == SERVER_CONN_ANSWER;
    close_exchange(conn, EXCHANGE_COMPLETED);
    if (conn->state == SERVER_CONN_CLOSED)
        return;
    if (exchange->close_after) {
        server_conn_linger(conn);
    } else if (complete) {
        next_request(conn);
    } else {
        /* The handler did not wait for the body. */
        set_state(conn, SERVER_CONN_DISCARD);
        exchange->paused = false;
        conn->dropped = 0;
        server_conn_arm(conn);
        if (!conn->feeding)
            server_conn_go_on(conn);
    }
}

/* ---- bytes in */

static bool can_parse(const struct server_conn *conn) {
    switch (conn->state) {
    case SERVER_CONN_IDLE:
    case SERVER_CONN_HEAD:
    case SERVER_CONN_DISCARD:
        return true;
    case SERVER_CONN_BODY:
        return !conn->exchange->paused && !conn->exchange->ended;
    default:
        return false;
    }
}

static void begin_head(struct server_conn *conn) {
    conn->exchange = server_take_exchange(conn->server, conn);
    set_state(conn, SERVER_CONN_HEAD);
}

/* One step of the parser. False when it needs more bytes. */
static bool feed_step(struct server_conn *conn, vsr_str *bytes) {
    struct http1_exchange *exchange = conn->exchange;
    vsr_str body;
    switch (http1_feed(&exchange->parser, bytes, &body, &conn->server->err)) {
    case HTTP1_MORE:
        return false;
    case HTTP1_HEAD:
        begin_request(conn, bytes->len > 0);
        return true;
    case HTTP1_BODY:
        take_body(conn, body);
        return true;
    case HTTP1_END:
        end_request(conn);
        return true;
    case HTTP1_ERROR:
        break;
    }
    fail(conn, exchange->parser.error_status, str_from_c(conn->server->err.text));
    return true;
}

/* Handles bytes as far as the state allows; what is left stays in `*bytes`. */
static void feed(struct server_conn *conn, vsr_str *bytes) {
    conn->feeding = true;
    while (can_parse(conn)) {
        if (conn->state == SERVER_CONN_IDLE) {
            if (bytes->len == 0)
                break;
            begin_head(conn);
        }
        if (!feed_step(conn, bytes))
            break;
    }
    conn->feeding = false;
    if (conn->state == SERVER_CONN_HEAD || conn->state == SERVER_CONN_BODY)
        server_conn_arm(conn);
}

static bool body_paused(const struct server_conn *conn) {
    return conn->state == SERVER_CONN_BODY && conn->exchange->paused;
}

/* Keeps what cannot be handled now. At most one read's worth, because the stream pauses. */
static void stash(struct server_conn *conn, vsr_str bytes) {
    VSR_ASSERT(conn->pending.len == 0);
    stream_pause(conn->stream);
    if (buf_append(&conn->pending, bytes) < 0)
        server_conn_close(conn);
}

static void drop(struct server_conn *conn, size_t len) {
    conn->dropped += len;
    if (conn->dropped > SERVER_CONN_LINGER_LEN_MAX)
        server_conn_close(conn);
}

static void begin_http2(struct server_conn *conn) {
    conn->fresh = false;
    set_state(conn, SERVER_CONN_HTTP2);
    conn->http2 = http2_conn_new(conn);
    if (server_conn_ending(conn))
        http2_conn_leave(conn->http2);
}

/*
 * The first bytes of a plain connection tell which protocol it is. False: they are dealt with, or wait for more. What
 * was seen of the preface need not be kept: it is known.
 */
static bool sniff(struct server_conn *conn, vsr_str bytes) {
    vsr_str seen = str_sub(http2_preface, 0, conn->preface_seen), rest = http2_preface;
    size_t len;
    rest = str_sub(rest, seen.len, rest.len);
    len = bytes.len < rest.len ? bytes.len : rest.len;
    if (!str_eq(str_sub(bytes, 0, len), str_sub(rest, 0, len))) {
        conn->fresh = false;
        feed(conn, &seen);
        return true;
    }
    if (conn->preface_seen == 0) {
        conn->since_ms = loop_now_ms(conn->server->loop);
        conn->preface_seen = (uint8_t)len;
        server_conn_arm(conn);
    } else {
        conn->preface_seen += (uint8_t)len;
    }
    if (conn->preface_seen < http2_preface.len)
        return false;
    begin_http2(conn);
    http2_conn_read(conn->http2, http2_preface);
    http2_conn_read(conn->http2, str_sub(bytes, len, bytes.len));
    return false;
}

static void on_read(void *owner, vsr_str bytes) {
    struct server_conn *conn = owner;
    conn->server->stats.bytes_in += bytes.len;
    if (conn->state == SERVER_CONN_HTTP2) {
        http2_conn_read(conn->http2, bytes);
        return;
    }
    if (conn->fresh && conn->state == SERVER_CONN_IDLE && !sniff(conn, bytes))
        return;
    if (conn->state == SERVER_CONN_CLOSED)
        return;
    if (conn->state == SERVER_CONN_LINGER) {
        drop(conn, bytes.len);
        return;
    }
    feed(conn, &bytes);
    if (conn->state == SERVER_CONN_CLOSED)
        return;
    if (conn->state == SERVER_CONN_LINGER)
        drop(conn, bytes.len);
    else if (bytes.len > 0)
        stash(conn, bytes);
    else if (!body_paused(conn))
        stream_resume(conn->stream); /* a pause may have ended with its exchange */
}

/* Handles what was stashed, then reads on. */
static void on_go_on(void *data) {
    struct server_conn *conn = data;
    vsr_str bytes = str_sub(buf_str(&conn->pending), conn->pending_off, conn->pending.len);
    feed(conn, &bytes);
    if (conn->state == SERVER_CONN_CLOSED || conn->state == SERVER_CONN_LINGER)
        return;
    conn->pending_off = conn->pending.len - bytes.len;
    if (bytes.len > 0) {
        stream_pause(conn->stream);
        return;
    }
    buf_done(&conn->pending);
    conn->pending_off = 0;
    if (!body_paused(conn))
        stream_resume(conn->stream);
}

void server_conn_go_on(struct server_conn *conn) {
    if (conn->feeding)
        return; /* the loop further up sees the change */
    if (conn->state == SERVER_CONN_BODY) {
        send_continue(conn);
        server_conn_arm(conn);
    }
    loop_defer(conn->server->loop, &conn->task, on_go_on, conn);
}

/* ---- other events */

/* Also a half-close: see server.h. */
static void on_eof(void *owner) {
    server_conn_close(owner);
}

static void tell_handshake(struct server_conn *conn, const struct vsr_err *err) {
    const struct server *server = conn->server;
    if (conn->state == SERVER_CONN_HANDSHAKE && server->handler->on_handshake_failed)
        server->handler->on_handshake_failed(server->app, conn->listener->tag, stream_peer(conn->stream), err);
}

/* A client that goes away is nobody's mistake, one that is not let in may be. */
static void on_error(void *owner, const struct vsr_err *err) {
    tell_handshake(owner, err);
    server_conn_close(owner);
}

static void on_open(void *owner) {
    struct server_conn *conn = owner;
    if (str_eq(stream_alpn(conn->stream), VSR_STR("h2"))) {
        begin_http2(conn);
        return;
    }
    set_state(conn, SERVER_CONN_IDLE);
    server_conn_arm(conn);
}

static void on_drain(void *owner) {
    struct server_conn *conn = owner;
    struct http1_exchange *exchange = conn->exchange;
    server_conn_wrote(conn);
    if (conn->state == SERVER_CONN_HTTP2) {
        http2_conn_drained(conn->http2);
    } else if (conn->state == SERVER_CONN_LINGER) {
        set_state(conn, SERVER_CONN_LINGER); /* the client's time to close begins when it has the answer */
        server_conn_arm(conn);
    } else if (exchange && exchange->base.running && exchange->ended) {
        server_conn_answered(conn);
    } else if (exchange && exchange->base.running && conn->server->handler->on_drain) {
        conn->server->handler->on_drain(exchange->base.request);
    }
}

static const struct stream_events conn_events = {
    .on_open = on_open,
    .on_read = on_read,
    .on_eof = on_eof,
    .on_drain = on_drain,
    .on_error = on_error,
    .on_hangup = on_eof,
};

static void on_timer(void *data) {
    struct server_conn *conn = data;
    uint64_t now = loop_now_ms(conn->server->loop), due, write_due;
    server_conn_wrote(conn); /* a slow reader that takes some bytes is no stall */
    due = state_deadline(conn);
    write_due = write_deadline(conn);
    if (write_due != 0 && write_due <= now) {
        server_conn_close(conn);
    } else if (due == 0 || due > now) {
        server_conn_arm(conn);
    } else if (conn->state == SERVER_CONN_HEAD) {
        fail(conn, 408, VSR_STR("the request head took too long"));
    } else if (conn->state == SERVER_CONN_BODY) {
        fail(conn, 408, VSR_STR("the request body took too long"));
    } else {
        tell_handshake(conn, &(struct vsr_err){ .code = VSR_E_TIMEOUT, .text = "the TLS handshake took too long" });
        server_conn_close(conn);
    }
}

/* ---- the beginning */

/* Says 503 at once, without waiting for a request: what the client sends meets a closed door anyway. */
static void reject(struct server_conn *conn) {
    conn->rejected = true;
    conn->server->n_rejected++;
    conn->server->stats.rejected_total++;
    answer_and_linger(conn, NULL, false, 503, VSR_STR("too many connections"));
}

void server_conn_open(struct server *server, struct listener *listener, int fd, bool rejected) {
    struct server_conn *conn;
    struct stream *stream;
    if (rejected && (listener->tls || server->n_rejected >= SERVER_CONN_REJECTED_MAX)) {
        close(fd);
        server->stats.rejected_total++;
        return;
    }
    conn = MEM_NEW(struct server_conn);
    if (stream_accept(server->loop, fd, listener->tls, &conn_events, conn, &stream, &server->err) < 0) {
        mem_free(conn);
        server->stats.rejected_total++;
        return;
    }
    conn->server = server;
    conn->listener = listener;
    listener->n_conns++;
    conn->stream = stream;
    conn->limits = server->limits;
    buf_init(&conn->pending, STREAM_READ_LEN);
    conn->next = server->conns;
    if (conn->next)
        conn->next->prev = conn;
    server->conns = conn;
    server->stats.connections++;
    server->stats.connections_total++;
    conn->fresh = !listener->tls;
    set_state(conn, listener->tls ? SERVER_CONN_HANDSHAKE : SERVER_CONN_IDLE);
    if (rejected)
        reject(conn);
    else
        server_conn_arm(conn);
}
