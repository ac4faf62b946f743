#include "net/http2_conn.h"

#include <string.h>

#include <nghttp2/nghttp2.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/server_conn.h"
#include "net/stream.h"

const uint8_t http2_leaving_ping[HTTP2_PING_LEN] = { 'v', 's', 'r', '-', 'b', 'y', 'e', 0 };

uint64_t http2_now_ms(const struct http2_conn *h2) {
    return loop_now_ms(h2->conn->server->loop);
}

struct server *http2_server_of(const struct http2_conn *h2) {
    return h2->conn->server;
}

struct http2_exchange *http2_exchange_of(const struct http2_conn *h2, int32_t stream_id) {
    return nghttp2_session_get_stream_user_data(h2->session, stream_id);
}

static void on_flush(void *data);

void http2_conn_flush_later(struct http2_conn *h2) {
    loop_defer(http2_server_of(h2)->loop, &h2->flush, on_flush, h2);
}

/* ---- what waits for the task */

void http2_exchange_put(struct http2_exchange *exchange, enum http2_queue_id id) {
    struct http2_queue *queue = &exchange->conn->queues[id];
    struct http2_link *link = &exchange->links[id];
    if (id == HTTP2_READY)
        http2_conn_flush_later(exchange->conn); /* the other is filled by the task itself */
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

struct http2_exchange *http2_exchange_new(struct http2_conn *h2, int32_t stream_id) {
    struct http2_exchange *exchange = MEM_NEW(struct http2_exchange);
    exchange->base =
        (struct exchange){ .ops = &http2_exchange_ops, .server = http2_server_of(h2), .listener = h2->conn->listener };
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
void http2_exchange_tell_close(struct http2_exchange *exchange, enum exchange_outcome how) {
    struct server *server = exchange->base.server;
    if (!exchange->base.running)
        return;
    VSR_ASSERT(!exchange->base.in_request);
    exchange->base.running = false;
    server->stats.exchanges--;
    server->handler->on_close(exchange->base.request, how);
}

void http2_exchange_free(struct http2_exchange *exchange, enum exchange_outcome how) {
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
    h2->idle_since_ms = http2_now_ms(h2);
    http2_exchange_tell_close(exchange, how);
    buf_done(&exchange->held);
    buf_done(&exchange->fields);
    buf_done(&exchange->out);
    buf_done(&exchange->trailer);
    mem_free(exchange->head_memory);
    mem_free(exchange);
    if (h2->n_exchanges == 0)
        http2_conn_flush_later(h2); /* what waited for the last one */
}

void http2_conn_reset_stream(struct http2_conn *h2, int32_t stream_id, uint32_t error_code) {
    (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream_id, error_code); /* fails without memory */
    http2_conn_flush_later(h2);
}

void http2_exchange_cut(struct http2_exchange *exchange, uint32_t error_code) {
    http2_conn_reset_stream(exchange->conn, exchange->stream_id, error_code);
    http2_exchange_free(exchange, EXCHANGE_VANISHED);
}

/* ---- peers that play games */

/* For a callback of nghttp2 to return: nothing more is read. */
int http2_conn_leave_in_anger(struct http2_conn *h2, enum http2_cause cause) {
    if (!h2->broken) {
        http2_server_of(h2)->stats.http2_goaways[cause]++;
        (void)nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
        http2_conn_flush_later(h2);
    }
    h2->broken = true;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

int http2_conn_count(struct http2_conn *h2, enum http2_cause cause) {
    if (http2_server_of(h2)->limits.http2_trusted && (cause == HTTP2_RESETS || cause == HTTP2_PINGS))
        return 0;
    return http2_guard_take(&h2->guard, cause, http2_now_ms(h2)) ? 0 : http2_conn_leave_in_anger(h2, cause);
}

/* ---- pumping */

/* Frames gather in the loop's buffer, which nobody reads into now. */
static void pump(struct http2_conn *h2) {
    struct stream *stream = h2->conn->stream;
    char *gathered = loop_read_buffer(http2_server_of(h2)->loop);
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
    return http2_exchange_listens(exchange) && !exchange->paused && !exchange->told_end &&
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
            http2_exchange_deliver_held(exchange);
        if (http2_exchange_of(h2, stream_id) == exchange)
            offer(exchange);
    }
}

static void tell_drained(struct http2_conn *h2) {
    const struct server_handler *handler = http2_server_of(h2)->handler;
    for (struct http2_exchange *exchange; (exchange = take_first(h2, HTTP2_DRAINED));)
        if (handler->on_drain && http2_exchange_listens(exchange) && exchange->out.len == 0)
            handler->on_drain(exchange->base.request);
}

static void go_on_leaving(struct http2_conn *h2) {
    bool over = h2->left_since_ms == 0 || http2_now_ms(h2) >= h2->left_since_ms + HTTP2_LEAVE_MS;
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
        http2_server_of(h2)->stats.http2_goaways[HTTP2_OUTBOUND]++;
        h2->broken = true;
    }
    if (is_over(h2) && !loop_task_queued(&h2->flush))
        server_conn_linger(conn);
    else
        http2_conn_arm(h2, http2_now_ms(h2) + conn->limits.idle_timeout_ms);
}

void http2_conn_drained(struct http2_conn *h2) {
    http2_conn_flush_later(h2);
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
    http2_conn_flush_later(h2);
    if (n >= 0 || h2->broken)
        return;
    cause = cause_of(n, &hostile);
    if (hostile) {
        (void)http2_conn_leave_in_anger(h2, cause);
        return;
    }
    (void)nghttp2_session_terminate_session(h2->session,
                                            n == NGHTTP2_ERR_NOMEM ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_PROTOCOL_ERROR);
    h2->broken = true;
}

/* ---- life */

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
    nghttp2_session_callbacks *callbacks = http2_callbacks_new();
    nghttp2_option *options = make_options(http2_server_of(h2)->limits.http2_trusted);
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
    h2->idle_since_ms = http2_now_ms(h2);
    h2->guard.at_ms = h2->idle_since_ms;
    http2_block_init(&h2->block);
    make_session(h2);
    greet(h2);
    conn->server->stats.http2_connections_total++;
    http2_conn_flush_later(h2);
    http2_conn_arm(h2, h2->idle_since_ms + conn->limits.head_timeout_ms);
    return h2;
}

void http2_conn_free(struct http2_conn *h2) {
    if (!h2)
        return;
    VSR_ASSERT(!h2->receiving);
    while (h2->exchanges)
        http2_exchange_free(h2->exchanges, EXCHANGE_VANISHED);
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
    h2->left_since_ms = http2_now_ms(h2);
    (void)nghttp2_submit_shutdown_notice(h2->session);
    (void)nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, http2_leaving_ping);
    http2_conn_arm(h2, h2->left_since_ms + HTTP2_LEAVE_MS);
    http2_conn_flush_later(h2);
}
