/*
 * http2_clock - the deadlines of a connection of HTTP/2: one timer, that is armed for the soonest.
 */
#include <nghttp2/nghttp2.h>

#include "net/http2_conn.h"
#include "net/server_conn.h"

static void on_timer(void *data);

void http2_conn_arm(struct http2_conn *h2, uint64_t due_ms) {
    uint64_t now = http2_now_ms(h2);
    if (h2->timer_due_ms != 0 && h2->timer_due_ms <= due_ms)
        return;
    h2->timer_due_ms = due_ms;
    loop_timer_start(http2_server_of(h2)->loop, &h2->timer, due_ms > now ? due_ms - now : 0, on_timer, h2);
}

static uint64_t sooner(uint64_t a, uint64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static bool answer_waits(const struct http2_exchange *exchange) {
    return exchange->out.len > 0 || exchange->ended;
}

static uint64_t body_deadline(const struct http2_exchange *exchange) {
    uint64_t timeout = exchange->conn->conn->limits.body_timeout_ms;
    bool waits = http2_exchange_listens(exchange) && !exchange->complete && !exchange->paused && timeout;
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
            http2_exchange_refuse(exchange, 408, "the request body took too long");
            return true;
        }
    }
    return false;
}

static void on_timer(void *data) {
    struct http2_conn *h2 = data;
    uint64_t now = http2_now_ms(h2), due, idle = idle_deadline(h2), block = block_deadline(h2);
    h2->timer_due_ms = 0;
    if (block != 0 && block <= now) { /* HPACK's state is lost with the block, so the connection is, too */
        http2_server_of(h2)->stats.rejected_total++;
        (void)nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
        h2->broken = true;
        http2_conn_flush_later(h2);
        return;
    }
    while (expire_one(h2, now))
        ;
    if (idle != 0 && idle <= now) {
        if (h2->phase == HTTP2_OPEN) {
            h2->phase = HTTP2_LEAVING;
            h2->left_since_ms = 0; /* no stream is under way: one that crosses the GOAWAY is tried again */
        }
        http2_conn_flush_later(h2);
    }
    due = sooner(idle_deadline(h2), block_deadline(h2));
    for (const struct http2_exchange *exchange = h2->exchanges; exchange; exchange = exchange->next)
        due = sooner(due, sooner(write_deadline(exchange), body_deadline(exchange)));
    if (due > now)
        http2_conn_arm(h2, due);
}
