#include "net/client_conn.h"

#include "core/assert.h"
#include "core/mem.h"
#include "net/client_tunnel.h"
#include "net/dns.h"
#include "net/stream.h"

static const struct stream_events conn_events;

/* ---- the end of a connection */

static void free_later(void *data) {
    struct client_conn *conn = data;
    buf_done(&conn->pending);
    mem_free(conn->err);
    mem_free(conn);
}

static void unlink_conn(struct client_conn *conn) {
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conn->endpoint->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    conn->prev = conn->next = NULL;
}

void client_conn_close(struct client_conn *conn) {
    struct client_endpoint *endpoint = conn->endpoint;
    VSR_ASSERT(conn->state != CLIENT_CONN_CLOSED);
    if (conn->state == CLIENT_CONN_IDLE)
        endpoint_unlink_idle(endpoint, conn);
    if (conn->state == CLIENT_CONN_CONNECTING)
        endpoint->n_connecting--;
    conn->state = CLIENT_CONN_CLOSED;
    conn->call = NULL;
    stream_close(conn->stream);
    conn->stream = NULL;
    client_tunnel_free(conn->tunnel);
    conn->tunnel = NULL;
    loop_timer_stop(&conn->timer);
    unlink_conn(conn);
    endpoint->n_conns--;
    endpoint->client->stats.connections--;
    loop_defer(endpoint->client->loop, &conn->task, free_later, conn);
}

/* ---- connecting */

static void give_up(void *data) {
    struct client_conn *conn = data;
    struct client_endpoint *endpoint = conn->endpoint;
    struct vsr_err err = *conn->err;
    (void)err_wrap(&err, "%.*s", VSR_FMT(endpoint->shown));
    client_conn_close(conn);
    endpoint_connect_failed(endpoint, &err);
}

static void on_connect_slow(void *data);

static vsr_str server_name_of(const struct client_conn *conn) {
    const struct client_place *place = &conn->endpoint->place;
    return place->server_name.len ? place->server_name : place->host;
}

/*
 * Why one address failed. Of several the reason counts that came from furthest in: that a server's certificate is bad
 * is not to be hidden by another address of its name where nobody listens.
 */
static void note_failure(struct client_conn *conn, const struct vsr_err *err, bool connected) {
    if (conn->connected && !connected)
        return;
    conn->connected = connected;
    *conn->err = *err;
}

static void note_address(struct client_conn *conn, const struct sockaddr *addr) {
    conn->n_missed = 0;
    if (addr->sa_family == AF_INET)
        memcpy(&conn->addr, addr, sizeof(struct sockaddr_in));
    else if (addr->sa_family == AF_INET6)
        memcpy(&conn->addr, addr, sizeof(struct sockaddr_in6));
}

/* Tries the addresses that are left until one does not fail at once. False when none is left. */
static bool try_addresses(struct client_conn *conn) {
    struct client_endpoint *endpoint = conn->endpoint;
    struct client *client = endpoint->client;
    const struct client_place *place = &endpoint->place;
    size_t n = dns_host_count(endpoint->dns);
    for (; conn->n_tried < n; conn->n_tried++) {
        uint64_t now = loop_now_ms(client->loop);
        uint64_t left = conn->connect_by_ms > now ? conn->connect_by_ms - now : 0;
        const struct sockaddr *addr = dns_host_addr(endpoint->dns, conn->addr_first + conn->n_tried);
        struct vsr_err err = VSR_ERR_NONE;
        int rc = stream_connect(client->loop, addr, place->proxy ? NULL : place->tls, server_name_of(conn),
                                &conn_events, conn, &conn->stream, &err);
        if (rc < 0) {
            note_failure(conn, &err, false);
            continue;
        }
        note_address(conn, addr);
        /* One address that swallows packets must not use up the time of the others. */
        loop_timer_start(client->loop, &conn->timer, left / (n - conn->n_tried), on_connect_slow, conn);
        return true;
    }
    return false;
}

static void next_address(struct client_conn *conn) {
    stream_close(conn->stream);
    conn->stream = NULL;
    client_tunnel_free(conn->tunnel);
    conn->tunnel = NULL;
    conn->tunnelled = false;
    conn->n_tried++;
    if (!try_addresses(conn))
        give_up(conn);
}

static void on_connect_slow(void *data) {
    struct client_conn *conn = data;
    struct vsr_err err;
    (void)err_set(&err, VSR_E_TIMEOUT, "cannot connect in time");
    note_failure(conn, &err, conn->tunnel != NULL);
    next_address(conn);
}

void client_conn_open(struct client_endpoint *endpoint) {
    struct client *client = endpoint->client;
    struct client_conn *conn = MEM_NEW(struct client_conn);
    conn->endpoint = endpoint;
    conn->state = CLIENT_CONN_CONNECTING;
    conn->addr_first = dns_host_first(endpoint->dns);
    conn->err = MEM_NEW(struct vsr_err);
    (void)err_set(conn->err, VSR_E_DNS, "no address");
    buf_init(&conn->pending, STREAM_READ_LEN);
    conn->next = endpoint->conns;
    if (conn->next)
        conn->next->prev = conn;
    endpoint->conns = conn;
    endpoint->n_conns++;
    endpoint->n_connecting++;
    client->stats.connections++;
    client->stats.connects_total++;
    conn->connect_by_ms = loop_now_ms(client->loop) + client->limits.connect_timeout_ms;
    if (!try_addresses(conn))
        loop_defer(client->loop, &conn->task, give_up, conn);
}

static void on_timer(void *data);

static void become_idle(struct client_conn *conn) {
    struct client *client = conn->endpoint->client;
    loop_timer_start(client->loop, &conn->timer, client->limits.pool_idle_ms, on_timer, conn);
    endpoint_conn_ready(conn->endpoint, conn);
}

static void on_open(void *owner) {
    struct client_conn *conn = owner;
    struct client_endpoint *endpoint = conn->endpoint;
    if (endpoint->place.proxy && endpoint->place.tls && !conn->tunnelled) {
        conn->tunnel = client_tunnel_new(&endpoint->place, conn->stream);
        return; /* the clock of the connection runs on */
    }
    dns_host_prefer(endpoint->dns, conn->addr_first + conn->n_tried);
    mem_free(conn->err);
    conn->err = NULL;
    endpoint->n_connecting--;
    become_idle(conn);
}

/* The proxy speaks. */
static void feed_tunnel(struct client_conn *conn, vsr_str bytes) {
    struct vsr_err err = VSR_ERR_NONE;
    enum client_tunnel_state state = client_tunnel_feed(conn->tunnel, bytes, &err);
    if (state == CLIENT_TUNNEL_WAITING)
        return;
    client_tunnel_free(conn->tunnel);
    conn->tunnel = NULL;
    conn->tunnelled = state == CLIENT_TUNNEL_OPEN;
    if (!conn->tunnelled || stream_start_tls(conn->stream, conn->endpoint->place.tls, server_name_of(conn), &err) < 0) {
        note_failure(conn, &err, true);
        next_address(conn);
    }
}

/* ---- deadlines of a running call */

static void arm(struct client_conn *conn) {
    struct client *client = conn->endpoint->client;
    const struct client_call *call = conn->call;
    uint64_t due = conn->phase_due_ms, now = loop_now_ms(client->loop);
    uint64_t total_due = call->timeouts.total_ms ? call->started_ms + call->timeouts.total_ms : 0;
    if (due == 0 || (total_due != 0 && total_due < due))
        due = total_due;
    if (due)
        loop_timer_start(client->loop, &conn->timer, due > now ? due - now : 0, on_timer, conn);
}

/* The peer did something: the clock of the current phase starts anew. */
static void restart_phase(struct client_conn *conn) {
    const struct client_call *call = conn->call;
    uint64_t patience = call->head_told ? call->timeouts.idle_ms : call->timeouts.first_byte_ms;
    conn->phase_due_ms = patience ? loop_now_ms(conn->endpoint->client->loop) + patience : 0;
    arm(conn);
}

/* ---- sending */

static bool request_sent(const struct client_conn *conn) {
    return conn->call->body_sent == conn->call->body.len && stream_queued(conn->stream) == 0;
}

static void send_body(struct client_conn *conn) {
    struct client_call *call = conn->call;
    while (call->body_sent < call->body.len && stream_queued(conn->stream) == 0) {
        vsr_str piece = str_sub(call->body, call->body_sent, call->body_sent + CALL_SEND_LEN);
        uint64_t before = stream_written(conn->stream);
        call->body_sent += piece.len;
        stream_write(conn->stream, piece);
        if (stream_written(conn->stream) == before && stream_queued(conn->stream) == 0)
            return; /* the stream broke and will say so */
    }
}

static void on_tell_sent(void *data) {
    call_tell_sent(data);
}

void client_conn_send(struct client_conn *conn, struct client_call *call) {
    struct client *client = conn->endpoint->client;
    vsr_str first = str_sub(call->body, 0, CALL_SEND_LEN);
    VSR_ASSERT(conn->state == CLIENT_CONN_IDLE);
    endpoint_unlink_idle(conn->endpoint, conn);
    if (conn->used)
        client->stats.reused_total++;
    conn->state = CLIENT_CONN_BUSY;
    conn->call = call;
    call->conn = conn;
    call->state = CALL_RUNNING;
    call->parser.head_request = call->head_request;
    call->body_sent = first.len;
    conn->request_end = stream_written(conn->stream) + call->head.len + call->body.len;
    stream_write2(conn->stream, buf_str(&call->head), first);
    if (call->body_sent < call->body.len)
        send_body(conn);
    if (call->events->on_sent) {
        call->sent_untold = true;
        loop_defer(client->loop, &call->task, on_tell_sent, call);
    }
    restart_phase(conn);
}

static void on_drain(void *owner) {
    struct client_conn *conn = owner;
    if (conn->state != CLIENT_CONN_BUSY)
        return;
    send_body(conn);
    if (!conn->call->head_told)
        restart_phase(conn);
}

/* ---- receiving */

/* Parts the connection from its call and closes it. */
static struct client_call *detach_and_close(struct client_conn *conn) {
    struct client_call *call = conn->call;
    client_conn_close(conn);
    call->conn = NULL;
    return call;
}

static void fail_call(struct client_conn *conn, const struct vsr_err *err) {
    struct client_endpoint *endpoint = conn->endpoint;
    struct client_call *call = detach_and_close(conn);
    call_fail(call, err, true);
    endpoint_pump(endpoint);
}

static void fail_protocol(struct client_conn *conn, const char *text) {
    struct vsr_err err;
    (void)err_set(&err, VSR_E_PROTOCOL, "%s", text);
    fail_call(conn, &err);
}

/*
 * Whether a lost call may be sent again unasked. A pooled connection that the server had given up meanwhile worked
 * before and shows no byte of an answer, but FIN, or a write that failed.
 */
static bool may_resend(const struct client_conn *conn) {
    const struct client_call *call = conn->call;
    return conn->used && !call->any_bytes && !call->fresh_only &&
           (stream_written(conn->stream) < conn->request_end || stream_finished(conn->stream));
}

/* The connection ended before the answer did. */
static void lost(struct client_conn *conn, const struct vsr_err *err) {
    if (!may_resend(conn)) {
        fail_call(conn, err);
        return;
    }
    call_again(detach_and_close(conn));
}

/* The answer is complete. `clean`: nothing follows it and the connection may carry another call. */
static void complete(struct client_conn *conn, bool clean) {
    struct client_endpoint *endpoint = conn->endpoint;
    struct client_call *call = conn->call;
    if (clean && call->parser.head.keep_alive && request_sent(conn) && !endpoint_conn_moved(conn)) {
        conn->call = NULL;
        call->conn = NULL;
        conn->used = true;
        become_idle(conn);
        call_finish(call);
        return;
    }
    (void)detach_and_close(conn);
    call_finish(call);
    endpoint_pump(endpoint);
}

/* The proxy's own answer, not the server's: the request went nowhere. */
static void fail_at_proxy(struct client_conn *conn) {
    struct client_endpoint *endpoint = conn->endpoint;
    struct client_call *call = detach_and_close(conn);
    struct vsr_err err;
    (void)err_set(&err, VSR_E_REFUSED, "%.*s: the proxy wants to know who asks: status 407", VSR_FMT(endpoint->shown));
    call_fail(call, &err, false);
    endpoint_pump(endpoint);
}

static void take_head(struct client_conn *conn) {
    struct client_call *call = conn->call;
    if (call->parser.head.status == 407 && client_is_proxied(&conn->endpoint->place)) {
        fail_at_proxy(conn);
        return;
    }
    if (call->parser.head.status == 101) {
        fail_protocol(conn, "the server switched protocols without being asked");
        return;
    }
    call->head_told = true;
    call->events->on_head(call->owner, &call->parser.head);
}

/* One step of the parser. False when it needs more bytes or the connection has moved on. */
static bool feed_step(struct client_conn *conn, vsr_str *bytes) {
    struct client *client = conn->endpoint->client;
    struct client_call *call = conn->call;
    vsr_str body;
    switch (http1_feed(&call->parser, bytes, &body, &client->err)) {
    case HTTP1_MORE:
        return false;
    case HTTP1_HEAD:
        take_head(conn);
        return true;
    case HTTP1_BODY:
        call->events->on_body(call->owner, body);
        return true;
    case HTTP1_END:
        complete(conn, bytes->len == 0);
        return false;
    case HTTP1_ERROR:
        break;
    }
    fail_call(conn, &client->err);
    return false;
}

/* Gives the call what it takes; what it does not, because it paused, stays in `*bytes`. */
static void feed(struct client_conn *conn, vsr_str *bytes) {
    struct client_call *call = conn->call;
    conn->feeding = true;
    call->any_bytes = true;
    call_tell_sent(call);
    /* An owner that cancelled inside an event has closed the connection; then `call` is no longer ours to look at. */
    while (conn->state == CLIENT_CONN_BUSY && conn->call == call && !call->paused) {
        if (!feed_step(conn, bytes))
            break;
    }
    conn->feeding = false;
    /* Until the head is complete its own clock runs on: bytes of it, and interim answers, buy no time. */
    if (conn->state == CLIENT_CONN_BUSY && conn->call == call && call->head_told)
        restart_phase(conn);
}

/* At most one read's worth, because the stream pauses. */
static void stash(struct client_conn *conn, vsr_str bytes) {
    VSR_ASSERT(conn->pending.len == 0);
    stream_pause(conn->stream);
    if (buf_append(&conn->pending, bytes) < 0) {
        struct vsr_err err;
        (void)err_set(&err, VSR_E_NOMEM, "no memory for the answer");
        fail_call(conn, &err);
    }
}

static void on_read(void *owner, vsr_str bytes) {
    struct client_conn *conn = owner;
    struct client_call *call = conn->call;
    if (conn->tunnel) {
        feed_tunnel(conn, bytes);
        return;
    }
    if (conn->state != CLIENT_CONN_BUSY) {
        client_conn_close(conn); /* an idle connection has nothing to say */
        return;
    }
    if (!call->paused)
        feed(conn, &bytes);
    if (conn->state == CLIENT_CONN_BUSY && conn->call == call && call->paused)
        stash(conn, bytes);
}

static void on_go_on(void *data) {
    struct client_conn *conn = data;
    struct client_call *call = conn->call;
    vsr_str bytes = str_sub(buf_str(&conn->pending), conn->pending_off, conn->pending.len);
    if (conn->state != CLIENT_CONN_BUSY || call->paused)
        return;
    feed(conn, &bytes);
    if (conn->state == CLIENT_CONN_CLOSED)
        return;
    if (conn->state == CLIENT_CONN_BUSY && conn->call == call && call->paused) {
        conn->pending_off = conn->pending.len - bytes.len;
        return;
    }
    buf_done(&conn->pending);
    conn->pending_off = 0;
    stream_resume(conn->stream);
}

void client_conn_go_on(struct client_conn *conn) {
    if (conn->feeding)
        return; /* the loop further up sees the change */
    restart_phase(conn);
    /* Also without stashed bytes: the end of the answer may be what the parser holds back. */
    if (stream_paused(conn->stream))
        loop_defer(conn->endpoint->client->loop, &conn->task, on_go_on, conn);
}

/* ---- the connection's end */

static void on_eof(void *owner) {
    struct client_conn *conn = owner;
    struct client *client = conn->endpoint->client;
    enum http1_event event;
    if (conn->tunnel) {
        struct vsr_err err;
        (void)err_set(&err, VSR_E_REFUSED, "the proxy closed the connection instead of opening the way");
        note_failure(conn, &err, true);
        next_address(conn);
        return;
    }
    if (conn->state != CLIENT_CONN_BUSY) {
        client_conn_close(conn);
        return;
    }
    event = http1_eof(&conn->call->parser, &client->err);
    if (event == HTTP1_END && conn->call->head_told) {
        complete(conn, false);
        return;
    }
    (void)err_set(&client->err, VSR_E_CLOSED, "the server closed the connection %s",
                  conn->call->any_bytes ? "in the middle of its answer" : "without an answer");
    lost(conn, &client->err);
}

static void on_error(void *owner, const struct vsr_err *err) {
    struct client_conn *conn = owner;
    switch (conn->state) {
    case CLIENT_CONN_CONNECTING:
        note_failure(conn, err,
                     conn->tunnel || conn->tunnelled || (err->code != VSR_E_REFUSED && err->code != VSR_E_TIMEOUT));
        next_address(conn);
        break;
    case CLIENT_CONN_BUSY:
        lost(conn, err);
        break;
    default:
        client_conn_close(conn);
        break;
    }
}

static const struct stream_events conn_events = {
    .on_open = on_open,
    .on_read = on_read,
    .on_eof = on_eof,
    .on_drain = on_drain,
    .on_error = on_error,
};

static void on_timer(void *data) {
    struct client_conn *conn = data;
    struct client_call *call = conn->call;
    uint64_t now = loop_now_ms(conn->endpoint->client->loop);
    struct vsr_err err;
    if (conn->state == CLIENT_CONN_IDLE) {
        client_conn_close(conn);
        return;
    }
    if (call->timeouts.total_ms && now - call->started_ms >= call->timeouts.total_ms) {
        (void)err_set(&err, VSR_E_TIMEOUT, "the answer took longer than %llu ms",
                      (unsigned long long)call->timeouts.total_ms);
        fail_call(conn, &err);
    } else if (call->paused) {
        restart_phase(conn); /* the owner holds the answer back, not the server */
    } else if (conn->phase_due_ms && now >= conn->phase_due_ms) {
        (void)err_set(&err, VSR_E_TIMEOUT,
                      call->head_told ? "the server stopped in the middle of its answer for %llu ms"
                                      : "no answer within %llu ms",
                      (unsigned long long)(call->head_told ? call->timeouts.idle_ms : call->timeouts.first_byte_ms));
        fail_call(conn, &err);
    } else {
        arm(conn);
    }
}
