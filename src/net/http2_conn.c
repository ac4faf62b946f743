#include "net/http2_conn.h"

#include <string.h>

#include <nghttp2/nghttp2.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/server_conn.h"
#include "net/stream.h"

enum { PING_LEN = 8 };

static const uint8_t leaving_ping[PING_LEN] = { 'v', 's', 'r', '-', 'b', 'y', 'e', 0 };

static uint64_t now_ms(const struct http2_conn *h2) {
    return loop_now_ms(h2->conn->server->loop);
}

static struct server *server_of(const struct http2_conn *h2) {
    return h2->conn->server;
}

static struct http2_exchange *exchange_of(const struct http2_conn *h2, int32_t stream_id) {
    return nghttp2_session_get_stream_user_data(h2->session, stream_id);
}

static void on_flush(void *data);
static void on_timer(void *data);

static void flush_later(struct http2_conn *h2) {
    loop_defer(server_of(h2)->loop, &h2->flush, on_flush, h2);
}

/* ---- what waits for the task */

void http2_exchange_put(struct http2_exchange *exchange, enum http2_queue_id id) {
    struct http2_queue *queue = &exchange->conn->queues[id];
    struct http2_link *link = &exchange->links[id];
    if (id == HTTP2_READY)
        flush_later(exchange->conn); /* the other is filled by the task itself */
    if (link->is_in)
        return;
    *link = (struct http2_link){ .prev = queue->last, .is_in = true };
    if (queue->last)
        queue->last->links[id].next = exchange;
    else
        queue->first = exchange;
    queue->last = exchange;
}

static void leave_queue(struct http2_exchange *exchange, enum http2_queue_id id) {
    struct http2_queue *queue = &exchange->conn->queues[id];
    struct http2_link *link = &exchange->links[id];
    if (!link->is_in)
        return;
    if (link->prev)
        link->prev->links[id].next = link->next;
    else
        queue->first = link->next;
    if (link->next)
        link->next->links[id].prev = link->prev;
    else
        queue->last = link->prev;
    *link = (struct http2_link){ .is_in = false };
}

/* The first of the queue, which it leaves. NULL: it is empty. */
static struct http2_exchange *take_first(struct http2_conn *h2, enum http2_queue_id id) {
    struct http2_exchange *exchange = h2->queues[id].first;
    if (exchange)
        leave_queue(exchange, id);
    return exchange;
}

/* ---- the life of an exchange */

/*
 * All answers of a connection go on together. By default (RFC 9218) the oldest would be sent to its end first, and an
 * answer of megabytes would hold up every stream of events behind it, which might be another user's: proxies share
 * connections. For the same reason nobody's wishes count.
 */
static void share_fairly(struct http2_conn *h2, int32_t stream_id) {
    const nghttp2_extpri fair = { .urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY, .inc = 1 };
    (void)nghttp2_session_change_extpri_stream_priority(h2->session, stream_id, &fair, 1); /* fails without memory */
}

static struct http2_exchange *exchange_new(struct http2_conn *h2, int32_t stream_id) {
    struct http2_exchange *exchange = MEM_NEW(struct http2_exchange);
    exchange->base =
        (struct exchange){ .ops = &http2_exchange_ops, .server = server_of(h2), .listener = h2->conn->listener };
    exchange->conn = h2;
    exchange->stream_id = stream_id;
    buf_init(&exchange->held, HTTP2_STREAM_WINDOW);
    buf_init(&exchange->fields, EXCHANGE_OUT_MAX);
    buf_init(&exchange->out, HTTP2_OUT_MAX);
    buf_init(&exchange->trailer, HTTP2_ANSWER_HEAD_MAX);
    exchange->next = h2->exchanges;
    if (exchange->next)
        exchange->next->prev = exchange;
    h2->exchanges = exchange;
    h2->n_exchanges++;
    (void)nghttp2_session_set_stream_user_data(h2->session, stream_id, exchange); /* the stream is there */
    share_fairly(h2, stream_id);
    return exchange;
}

/* Tells the handler that its exchange is over. */
static void tell_close(struct http2_exchange *exchange, enum exchange_outcome how) {
    struct server *server = exchange->base.server;
    if (!exchange->base.running)
        return;
    VSR_ASSERT(!exchange->base.in_request);
    exchange->base.running = false;
    server->stats.exchanges--;
    server->handler->on_close(exchange->base.request, how);
}

static void exchange_free(struct http2_exchange *exchange, enum exchange_outcome how) {
    struct http2_conn *h2 = exchange->conn;
    (void)nghttp2_session_set_stream_user_data(h2->session, exchange->stream_id, NULL); /* may be closed already */
    if (exchange->prev)
        exchange->prev->next = exchange->next;
    else
        h2->exchanges = exchange->next;
    if (exchange->next)
        exchange->next->prev = exchange->prev;
    for (int id = 0; id < HTTP2_QUEUE_COUNT; id++)
        leave_queue(exchange, (enum http2_queue_id)id);
    h2->n_exchanges--;
    h2->idle_since_ms = now_ms(h2);
    tell_close(exchange, how);
    buf_done(&exchange->held);
    buf_done(&exchange->fields);
    buf_done(&exchange->out);
    buf_done(&exchange->trailer);
    mem_free(exchange->head_memory);
    mem_free(exchange);
    if (h2->n_exchanges == 0)
        flush_later(h2); /* what waited for the last one */
}

static void reset_stream(struct http2_conn *h2, int32_t stream_id, uint32_t error_code) {
    (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream_id, error_code); /* fails without memory */
    flush_later(h2);
}

void http2_exchange_cut(struct http2_exchange *exchange, uint32_t error_code) {
    reset_stream(exchange->conn, exchange->stream_id, error_code);
    exchange_free(exchange, EXCHANGE_VANISHED);
}

/* ---- peers that play games */

/* For a callback of nghttp2 to return: nothing more is read. */
static int leave_in_anger(struct http2_conn *h2, enum http2_cause cause) {
    if (!h2->broken) {
        server_of(h2)->stats.http2_goaways[cause]++;
        (void)nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
        flush_later(h2);
    }
    h2->broken = true;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int count(struct http2_conn *h2, enum http2_cause cause) {
    if (server_of(h2)->limits.http2_trusted && (cause == HTTP2_RESETS || cause == HTTP2_PINGS))
        return 0;
    return http2_guard_take(&h2->guard, cause, now_ms(h2)) ? 0 : leave_in_anger(h2, cause);
}

/* ---- requests */

/* The server's own answer, when nothing was answered yet; else the stream is cut. */
static void refuse(struct http2_exchange *exchange, int status, const char *why) {
    struct server *server = exchange->base.server;
    struct server_error error = { .n_fields = 0 };
    struct http1_field fields[SERVER_ERROR_FIELDS_MAX + 1];
    server->stats.rejected_total++;
    if (exchange->base.head_sent) {
        http2_exchange_cut(exchange, NGHTTP2_CANCEL);
        return;
    }
    tell_close(exchange, EXCHANGE_REFUSED);
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

static bool listens(const struct http2_exchange *exchange) {
    return exchange && exchange->base.running && !exchange->broken && !exchange->ended;
}

static void note_complete(struct http2_exchange *exchange) {
    if (!exchange)
        return;
    exchange->complete = true;
    if (listens(exchange) && !exchange->paused)
        tell_end(exchange);
}

/* Bytes have been dealt with: the stream's window opens again. */
static void open_window(struct http2_conn *h2, int32_t stream_id, size_t len) {
    (void)nghttp2_session_consume_stream(h2->session, stream_id, len); /* the stream may be gone */
    flush_later(h2);
}

void http2_exchange_go_on(struct http2_exchange *exchange) {
    http2_conn_arm(exchange->conn, exchange->body_since_ms + exchange->conn->conn->limits.body_timeout_ms);
    http2_exchange_put(exchange, HTTP2_READY);
}

/* What came during a pause that has ended. */
static void deliver_held(struct http2_exchange *exchange) {
    struct http2_conn *h2 = exchange->conn;
    int32_t stream_id = exchange->stream_id;
    struct buf held = exchange->held;
    if (held.len > 0) {
        buf_init(&exchange->held, HTTP2_STREAM_WINDOW);
        open_window(h2, stream_id, held.len);
        exchange->base.server->handler->on_body(exchange->base.request, buf_str(&held));
        buf_done(&held);
        if (exchange_of(h2, stream_id) != exchange)
            return;
    }
    if (exchange->complete && !exchange->told_end && listens(exchange) && !exchange->paused)
        tell_end(exchange);
}

static void send_continue(struct http2_exchange *exchange) {
    static uint8_t name[] = ":status", value[] = "100";
    const nghttp2_nv nv = { name, value, sizeof(name) - 1, sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE };
    if (!listens(exchange) || !exchange->head.expect_continue || exchange->complete || exchange->base.head_sent)
        return;
    (void)nghttp2_submit_headers(exchange->conn->session, NGHTTP2_FLAG_NONE, exchange->stream_id, NULL, &nv, 1, NULL);
    flush_later(exchange->conn);
}

static void begin_exchange(struct http2_exchange *exchange) {
    struct http2_conn *h2 = exchange->conn;
    struct server *server = server_of(h2);
    struct server_limits *limits = &h2->conn->limits;
    *limits = server->limits;
    if (limits->body_len_max && exchange->head.has_length && exchange->head.length > limits->body_len_max) {
        refuse(exchange, 413, "the request body is too large");
        return;
    }
    server->stats.requests_total++;
    server->stats.exchanges++;
    exchange->body_since_ms = now_ms(h2);
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
static int take_head(struct http2_conn *h2, int32_t stream_id, bool end_stream) {
    struct http1_head head;
    struct http2_exchange *exchange;
    void *memory = NULL;
    const char *why = NULL;
    int status = http2_block_head(&h2->block, &head, &memory, &why);
    http2_block_end(&h2->block);
    if (status < 0) {
        reset_stream(h2, stream_id, NGHTTP2_PROTOCOL_ERROR);
        return count(h2, HTTP2_RESETS);
    }
    exchange = exchange_new(h2, stream_id);
    exchange->head = head;
    exchange->head_memory = memory;
    exchange->complete = end_stream;
    if (status > 0) {
        refuse(exchange, status, why);
        return 0;
    }
    begin_exchange(exchange);
    if (end_stream && listens(exchange) && !exchange->paused)
        tell_end(exchange);
    return 0;
}

/* Nobody wants them; but they have to be well-formed. */
static int take_trailers(struct http2_conn *h2, int32_t stream_id) {
    struct http2_exchange *exchange = exchange_of(h2, stream_id);
    bool ok = !h2->block.bad && !h2->block.too_large;
    http2_block_end(&h2->block);
    if (exchange && !ok) {
        http2_exchange_cut(exchange, NGHTTP2_PROTOCOL_ERROR);
        return count(h2, HTTP2_RESETS);
    }
    note_complete(exchange);
    return 0;
}

/* ---- what nghttp2 tells while bytes are read */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user) {
    struct http2_conn *h2 = user;
    (void)session;
    h2->heard = true;
    switch (hd->type) {
    case NGHTTP2_DATA:
        return hd->length == 0 && !(hd->flags & NGHTTP2_FLAG_END_STREAM) ? count(h2, HTTP2_EMPTY_DATA) : 0;
    case NGHTTP2_SETTINGS:
        return count(h2, HTTP2_SETTINGS);
    case NGHTTP2_PING:
        return count(h2, HTTP2_PINGS);
    case NGHTTP2_WINDOW_UPDATE:
        return count(h2, HTTP2_WINDOW_UPDATES);
    case NGHTTP2_PRIORITY:
        return count(h2, HTTP2_PRIORITIES);
    default:
        return 0; /* RST_STREAM counts where the stream closes, and what nobody knows costs nothing */
    }
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct http2_conn *h2 = user;
    (void)session;
    http2_block_begin(&h2->block, frame->hd.stream_id, now_ms(h2));
    http2_conn_arm(h2, h2->block.since_ms + h2->conn->limits.head_timeout_ms);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user) {
    struct http2_conn *h2 = user;
    (void)session;
    (void)frame;
    (void)flags;
    if (http2_block_add(&h2->block, str_make((const char *)name, name_len), str_make((const char *)value, value_len)))
        return 0;
    return leave_in_anger(h2, HTTP2_HEADERS);
}

/* nghttp2 would leave the field out; RFC 9113 8.2.1 calls the request malformed. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                             const uint8_t *value, size_t value_len, uint8_t flags, void *user) {
    struct http2_conn *h2 = user;
    (void)session, (void)frame, (void)name, (void)name_len, (void)value, (void)value_len, (void)flags;
    h2->block.bad = true;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct http2_conn *h2 = user;
    bool end_stream = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            return take_head(h2, frame->hd.stream_id, end_stream);
        return take_trailers(h2, frame->hd.stream_id); /* nghttp2 asks for END_STREAM */
    case NGHTTP2_DATA:
        if (end_stream)
            note_complete(exchange_of(h2, frame->hd.stream_id));
        return 0;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && memcmp(frame->ping.opaque_data, leaving_ping, PING_LEN) == 0) {
            h2->left_since_ms = 0; /* the round trip is over */
            flush_later(h2);
        }
        return 0;
    default:
        return 0;
    }
}

/* nghttp2 answers it with RST_STREAM or GOAWAY. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user) {
    struct http2_conn *h2 = user;
    (void)session;
    (void)error;
    if (frame->hd.type == NGHTTP2_HEADERS && h2->block.open)
        http2_block_end(&h2->block);
    return count(h2, HTTP2_RESETS);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes, size_t len,
                   void *user) {
    struct http2_conn *h2 = user;
    struct http2_exchange *exchange = exchange_of(h2, stream_id);
    vsr_str slice = { (const char *)bytes, len };
    (void)flags;
    (void)nghttp2_session_consume_connection(session, len); /* fails without memory only */
    flush_later(h2);
    if (!listens(exchange)) {
        open_window(h2, stream_id, len);
        return 0;
    }
    exchange->body_received += len;
    if (h2->conn->limits.body_len_max && exchange->body_received > h2->conn->limits.body_len_max) {
        refuse(exchange, 413, "the request body is too large");
    } else if (exchange->paused || exchange->held.len > 0) {
        if (buf_append(&exchange->held, slice) < 0) /* the window bounds it */
            http2_exchange_cut(exchange, NGHTTP2_INTERNAL_ERROR);
    } else {
        exchange->base.server->handler->on_body(exchange->base.request, slice);
        open_window(h2, stream_id, len);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *user) {
    struct http2_conn *h2 = user;
    struct http2_exchange *exchange = exchange_of(h2, stream_id);
    (void)session;
    (void)error_code;
    if (h2->block.open && h2->block.stream_id == stream_id)
        http2_block_end(&h2->block);
    if (!exchange)
        return 0;
    exchange_free(exchange, EXCHANGE_VANISHED);
    return count(h2, HTTP2_RESETS);
}

/* ---- what nghttp2 tells while frames leave */

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    struct http2_conn *h2 = user;
    struct http2_exchange *exchange;
    bool complete;
    (void)session;
    if (frame->hd.type == NGHTTP2_DATA) { /* whoever measures the path pings for what comes (gRPC) */
        http2_guard_give(&h2->guard, HTTP2_WINDOW_UPDATES, 2);
        http2_guard_give(&h2->guard, HTTP2_PINGS, 1);
    }
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    exchange = exchange_of(h2, frame->hd.stream_id);
    if (!exchange)
        return 0;
    complete = exchange->complete;
    exchange_free(exchange, EXCHANGE_COMPLETED);
    if (!complete) /* the rest of the request would come for nothing (RFC 9113 8.1) */
        reset_stream(h2, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

/* An answer's head or trailers that nghttp2 could not send. */
static int on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user) {
    struct http2_conn *h2 = user;
    struct http2_exchange *exchange = exchange_of(h2, frame->hd.stream_id);
    (void)session;
    (void)error;
    if (exchange && frame->hd.type == NGHTTP2_HEADERS) {
        exchange->broken = true;
        http2_exchange_put(exchange, HTTP2_READY);
    }
    return 0;
}

/* ---- pumping */

/* Frames gather in the loop's buffer, which nobody reads into now. */
static void pump(struct http2_conn *h2) {
    struct stream *stream = h2->conn->stream;
    char *gathered = loop_read_buffer(server_of(h2)->loop);
    size_t len = 0;
    while (stream_queued(stream) < STREAM_QUEUE_HIGH) {
        const uint8_t *frame;
        ssize_t n = nghttp2_session_mem_send(h2->session, &frame);
        if (n <= 0) {
            h2->broken |= n < 0; /* no memory */
            break;
        }
        if ((size_t)n > STREAM_READ_LEN - len) {
            stream_write2(stream, str_make(gathered, len), str_make((const char *)frame, (size_t)n));
            len = 0;
            continue;
        }
        memcpy(gathered + len, frame, (size_t)n);
        len += (size_t)n;
    }
    if (len > 0)
        stream_write(stream, str_make(gathered, len));
    server_conn_wrote(h2->conn);
}

static bool has_news(const struct http2_exchange *exchange) {
    return listens(exchange) && !exchange->paused && !exchange->told_end &&
           (exchange->held.len > 0 || exchange->complete);
}

/* Offers nghttp2 what gathered in it, or cuts what cannot be completed. */
static void offer(struct http2_exchange *exchange) {
    nghttp2_session *session = exchange->conn->session;
    bool has_more = exchange->out.len > 0 || exchange->ended;
    if (exchange->broken)
        http2_exchange_cut(exchange, NGHTTP2_INTERNAL_ERROR);
    else if (exchange->submitted && !exchange->resumed && has_more)
        exchange->resumed = nghttp2_session_resume_data(session, exchange->stream_id) == 0;
    else if (exchange->base.head_sent && !exchange->submitted && !http2_exchange_submit(exchange))
        http2_exchange_cut(exchange, NGHTTP2_INTERNAL_ERROR);
}

/* A handler that gets held bytes may end its exchange, and put it here again. */
static void offer_all(struct http2_conn *h2) {
    for (struct http2_exchange *exchange; (exchange = take_first(h2, HTTP2_READY));) {
        int32_t stream_id = exchange->stream_id;
        if (has_news(exchange))
            deliver_held(exchange);
        if (exchange_of(h2, stream_id) == exchange)
            offer(exchange);
    }
}

static void tell_drained(struct http2_conn *h2) {
    const struct server_handler *handler = server_of(h2)->handler;
    for (struct http2_exchange *exchange; (exchange = take_first(h2, HTTP2_DRAINED));)
        if (handler->on_drain && listens(exchange) && exchange->out.len == 0)
            handler->on_drain(exchange->base.request);
}

static void go_on_leaving(struct http2_conn *h2) {
    bool over = h2->left_since_ms == 0 || now_ms(h2) >= h2->left_since_ms + HTTP2_LEAVE_MS;
    if (h2->phase != HTTP2_LEAVING || !over)
        return;
    h2->phase = HTTP2_LEFT;
    (void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h2->session),
                                NGHTTP2_NO_ERROR, NULL, 0); /* fails without memory: the end comes all the same */
}

static bool is_over(const struct http2_conn *h2) {
    if (h2->broken)
        return true;
    if (!nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session))
        return true;
    return h2->phase == HTTP2_LEFT && h2->n_exchanges == 0 && !nghttp2_session_want_write(h2->session);
}

static void on_flush(void *data) {
    struct http2_conn *h2 = data;
    struct server_conn *conn = h2->conn;
    offer_all(h2);
    go_on_leaving(h2);
    pump(h2);
    if (!h2->broken)
        tell_drained(h2); /* what it brings comes with the next task */
    if (!h2->broken && nghttp2_session_get_outbound_queue_size(h2->session) > HTTP2_OUTBOUND_MAX) {
        server_of(h2)->stats.http2_goaways[HTTP2_OUTBOUND]++;
        h2->broken = true;
    }
    if (is_over(h2) && !loop_task_queued(&h2->flush))
        server_conn_linger(conn);
    else
        http2_conn_arm(h2, now_ms(h2) + conn->limits.idle_timeout_ms);
}

void http2_conn_drained(struct http2_conn *h2) {
    flush_later(h2);
}

/* ---- bytes in */

static enum http2_cause cause_of(ssize_t error, bool *ret_hostile) {
    *ret_hostile = error == NGHTTP2_ERR_FLOODED || error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
    return error == NGHTTP2_ERR_FLOODED ? HTTP2_OUTBOUND : HTTP2_CONTINUATIONS;
}

void http2_conn_read(struct http2_conn *h2, vsr_str bytes) {
    bool hostile;
    enum http2_cause cause;
    ssize_t n;
    if (h2->broken)
        return;
    h2->receiving = true;
    n = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.ptr, bytes.len);
    h2->receiving = false;
    flush_later(h2);
    if (n >= 0 || h2->broken)
        return;
    cause = cause_of(n, &hostile);
    if (hostile) {
        (void)leave_in_anger(h2, cause);
        return;
    }
    (void)nghttp2_session_terminate_session(h2->session,
                                            n == NGHTTP2_ERR_NOMEM ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_PROTOCOL_ERROR);
    h2->broken = true;
}

/* ---- clocks */

void http2_conn_arm(struct http2_conn *h2, uint64_t due_ms) {
    uint64_t now = now_ms(h2);
    if (h2->timer_due_ms != 0 && h2->timer_due_ms <= due_ms)
        return;
    h2->timer_due_ms = due_ms;
    loop_timer_start(server_of(h2)->loop, &h2->timer, due_ms > now ? due_ms - now : 0, on_timer, h2);
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static bool answer_waits(const struct http2_exchange *exchange) {
    return exchange->out.len > 0 || exchange->ended;
}

static uint64_t body_deadline(const struct http2_exchange *exchange) {
    uint64_t timeout = exchange->conn->conn->limits.body_timeout_ms;
    bool waits = listens(exchange) && !exchange->complete && !exchange->paused && timeout;
    return waits ? exchange->body_since_ms + timeout : 0;
}

static uint64_t write_deadline(const struct http2_exchange *exchange) {
    return answer_waits(exchange) ? exchange->progress_ms + exchange->conn->conn->limits.write_timeout_ms : 0;
}

/* Without a stream; and a client that says nothing at all has less time. */
static uint64_t idle_deadline(const struct http2_conn *h2) {
    const struct server_limits *limits = &h2->conn->limits;
    if (h2->phase == HTTP2_LEAVING)
        return h2->left_since_ms + HTTP2_LEAVE_MS;
    if (h2->n_exchanges > 0)
        return 0;
    return h2->idle_since_ms + (h2->heard ? limits->idle_timeout_ms : limits->head_timeout_ms);
}

static uint64_t block_deadline(const struct http2_conn *h2) {
    return h2->block.open ? h2->block.since_ms + h2->conn->limits.head_timeout_ms : 0;
}

/* One whose time is up, and what that means. False: none. */
static bool expire_one(struct http2_conn *h2, uint64_t now) {
    for (struct http2_exchange *exchange = h2->exchanges; exchange; exchange = exchange->next) {
        uint64_t write = write_deadline(exchange), body = body_deadline(exchange);
        if (write != 0 && write <= now) {
            http2_exchange_cut(exchange, NGHTTP2_CANCEL);
            return true;
        }
        if (body != 0 && body <= now) {
            refuse(exchange, 408, "the request body took too long");
            return true;
        }
    }
    return false;
}

static void on_timer(void *data) {
    struct http2_conn *h2 = data;
    uint64_t now = now_ms(h2), due, idle = idle_deadline(h2), block = block_deadline(h2);
    h2->timer_due_ms = 0;
    if (block != 0 && block <= now) { /* HPACK's state is lost with the block, so the connection is, too */
        server_of(h2)->stats.rejected_total++;
        (void)nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
        h2->broken = true;
        flush_later(h2);
        return;
    }
    while (expire_one(h2, now))
        ;
    if (idle != 0 && idle <= now) {
        if (h2->phase == HTTP2_OPEN) {
            h2->phase = HTTP2_LEAVING;
            h2->left_since_ms = 0; /* no stream is under way: one that crosses the GOAWAY is tried again */
        }
        flush_later(h2);
    }
    due = sooner(idle_deadline(h2), block_deadline(h2));
    for (const struct http2_exchange *exchange = h2->exchanges; exchange; exchange = exchange->next)
        due = sooner(due, sooner(write_deadline(exchange), body_deadline(exchange)));
    if (due > now)
        http2_conn_arm(h2, due);
}

/* ---- life */

static nghttp2_session_callbacks *make_callbacks(void) {
    nghttp2_session_callbacks *callbacks;
    VSR_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
    return callbacks;
}

static nghttp2_option *make_options(bool trusted) {
    nghttp2_option *options;
    VSR_ASSERT(nghttp2_option_new(&options) == 0);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_no_closed_streams(options, 1);
    nghttp2_option_set_max_deflate_dynamic_table_size(options, HTTP2_TABLE_LEN);
    nghttp2_option_set_max_send_header_block_length(options, HTTP2_ANSWER_BLOCK_MAX);
    nghttp2_option_set_max_outbound_ack(options, HTTP2_ACKS_MAX);
    nghttp2_option_set_max_continuations(options, HTTP2_CONTINUATIONS_MAX);
    if (trusted) /* a limit of its own that there is no other way to lift */
        nghttp2_option_set_stream_reset_rate_limit(options, 1 << 30, 1 << 30);
    return options;
}

static void make_session(struct http2_conn *h2) {
    nghttp2_session_callbacks *callbacks = make_callbacks();
    nghttp2_option *options = make_options(server_of(h2)->limits.http2_trusted);
    VSR_ASSERT(nghttp2_session_server_new2(&h2->session, callbacks, h2, options) == 0); /* fails without memory */
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
}

static void greet(struct http2_conn *h2) {
    const struct server_limits *limits = &h2->conn->limits;
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
          limits->http2_streams_max ? limits->http2_streams_max : HTTP2_STREAMS_MAX },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP2_STREAM_WINDOW },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP2_LIST_LEN_MAX },
        { NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
    };
    VSR_ASSERT(nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, VSR_COUNT(settings)) == 0);
    VSR_ASSERT(nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, HTTP2_CONN_WINDOW) == 0);
}

struct http2_conn *http2_conn_new(struct server_conn *conn) {
    struct http2_conn *h2 = MEM_NEW(struct http2_conn);
    h2->conn = conn;
    h2->idle_since_ms = now_ms(h2);
    h2->guard.at_ms = h2->idle_since_ms;
    http2_block_init(&h2->block);
    make_session(h2);
    greet(h2);
    conn->server->stats.http2_connections_total++;
    flush_later(h2);
    http2_conn_arm(h2, h2->idle_since_ms + conn->limits.head_timeout_ms);
    return h2;
}

void http2_conn_free(struct http2_conn *h2) {
    if (!h2)
        return;
    VSR_ASSERT(!h2->receiving);
    while (h2->exchanges)
        exchange_free(h2->exchanges, EXCHANGE_VANISHED);
    loop_defer_cancel(&h2->flush);
    loop_timer_stop(&h2->timer);
    nghttp2_session_del(h2->session);
    http2_block_done(&h2->block);
    mem_free(h2);
}

void http2_conn_leave(struct http2_conn *h2) {
    if (h2->phase != HTTP2_OPEN)
        return;
    h2->phase = HTTP2_LEAVING;
    h2->left_since_ms = now_ms(h2);
    (void)nghttp2_submit_shutdown_notice(h2->session);
    (void)nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, leaving_ping);
    http2_conn_arm(h2, h2->left_since_ms + HTTP2_LEAVE_MS);
    flush_later(h2);
}
