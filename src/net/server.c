#include "net/server.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/listen_socket.h"
#include "net/loop.h"
#include "net/server_conn.h"
#include "net/stream.h"
#include "net/tls.h"

enum {
    ACCEPTS_PER_TURN = 64,
    ACCEPT_RETRY_MS = 100, /* when the process is out of descriptors */
};

/* ---- life */

int server_new(struct loop *loop, const struct server_handler *handler, void *app, const struct server_limits *limits,
               struct server **ret_server, struct vsr_err *err) {
    struct server *server;
    if (limits->connections_max == 0 || limits->head_timeout_ms == 0 || limits->idle_timeout_ms == 0 ||
        limits->write_timeout_ms == 0)
        return err_set(err, VSR_E_INVALID, "a server needs a connection limit and head, idle and write timeouts");
    server = MEM_NEW(struct server);
    server->loop = loop;
    server->handler = handler;
    server->app = app;
    server->limits = *limits;
    server->date_s = -1;
    *ret_server = server;
    return 0;
}

void server_set_limits(struct server *server, const struct server_limits *limits) {
    VSR_DEBUG_ASSERT(loop_on_thread(server->loop));
    server->limits = *limits;
}

struct server_stats server_stats(const struct server *server) {
    return server->stats;
}

static void on_poll_closed(uv_handle_t *handle) {
    mem_free(handle);
}

static void listener_close(struct listener *listener) {
    if (!listener->poll)
        return;
    loop_timer_stop(&listener->retry);
    loop_timer_stop(&listener->farewell);
    uv_close(listener->poll, on_poll_closed);
    listener->poll = NULL;
    close(listener->fd);
    listener->fd = -1;
}

static void listener_free(struct listener *listener) {
    loop_defer_cancel(&listener->gone);
    tls_server_unref(listener->tls);
    mem_free(listener);
}

static void close_listeners(struct server *server) {
    for (struct listener *listener = server->listeners; listener; listener = listener->next)
        listener_close(listener);
}

void server_free(struct server *server) {
    if (!server)
        return;
    close_listeners(server);
    while (server->conns)
        server_conn_close(server->conns);
    loop_timer_stop(&server->drain_timer);
    loop_defer_cancel(&server->drained);
    while (server->spare) {
        struct http1_exchange *exchange = server->spare;
        server->spare = exchange->next_spare;
        http1_done(&exchange->parser);
        buf_done(&exchange->out);
        mem_free(exchange);
    }
    while (server->listeners) {
        struct listener *listener = server->listeners;
        server->listeners = listener->next;
        listener_free(listener);
    }
    mem_free(server);
}

/* ---- listening */

static void on_accept(uv_poll_t *poll, int status, int events);

static void accept_retry(void *data) {
    struct listener *listener = data;
    if (listener->poll)
        (void)uv_poll_start(listener->poll, UV_READABLE, on_accept); /* worked before with the same arguments */
}

/* Takes up to `n` connections off the backlog. 0, EAGAIN: it is empty, or another errno: no descriptor is left. */
static int accept_some(struct listener *listener, int n) {
    struct server *server = listener->server;
    for (int i = 0; i < n && listener->poll; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            server_conn_open(server, listener, fd,
                             server->stats.connections - server->n_rejected >= server->limits.connections_max);
        else if (errno == EAGAIN || errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return errno;
        /* ECONNABORTED and network errors concern one connection only. */
    }
    return 0;
}

static void on_accept(uv_poll_t *poll, int status, int events) {
    struct listener *listener = poll->data;
    int error = accept_some(listener, ACCEPTS_PER_TURN);
    (void)status;
    (void)events;
    if (error == 0 || error == EAGAIN)
        return;
    /* The connection stays in the backlog and readiness stays up: look away for a moment instead of spinning. */
    uv_poll_stop(poll);
    loop_timer_start(listener->server->loop, &listener->retry, ACCEPT_RETRY_MS, accept_retry, listener);
}

static int listener_start(struct server *server, int fd, struct tls_server *tls, void *tag, struct vsr_err *err) {
    struct listener *listener;
    uv_poll_t *poll = MEM_NEW(uv_poll_t);
    int rc = uv_poll_init(loop_uv(server->loop), poll, fd);
    if (rc < 0) {
        mem_free(poll);
        return err_set(err, VSR_E_IO, "cannot watch the socket: %s", uv_strerror(rc));
    }
    listener = MEM_NEW(struct listener);
    listener->server = server;
    listener->fd = fd;
    listener->tls = tls ? tls_server_ref(tls) : NULL;
    listener->tag = tag;
    listener->poll = poll;
    poll->data = listener;
    listener->next = server->listeners;
    server->listeners = listener;
    (void)uv_poll_start(poll, UV_READABLE, on_accept); /* fails only for a handle that is closing */
    return 0;
}

/* Takes the sockets. */
static int start_all(struct server *server, struct listen_sockets *sockets, struct tls_server *tls, void *tag,
                     struct vsr_err *err) {
    struct listener *before = server->listeners;
    int rc = 0;
    while (sockets->n > 0 && rc == 0) {
        rc = listener_start(server, sockets->fds[sockets->n - 1], tls, tag, err);
        if (rc == 0)
            sockets->n--;
    }
    if (rc == 0)
        return 0;
    listen_sockets_close(sockets);
    for (struct listener *listener = server->listeners; listener != before; listener = listener->next)
        listener_close(listener);
    return rc;
}

int server_adopt(struct server *server, struct listen_sockets *sockets, struct tls_server *tls, void *tag,
                 struct vsr_err *err) {
    VSR_DEBUG_ASSERT(loop_on_thread(server->loop));
    return start_all(server, sockets, tls, tag, err);
}

static int listen_on(struct server *server, vsr_str address, uint16_t port, enum listen_mode mode,
                     struct tls_server *tls, void *tag, uint16_t *ret_port, struct vsr_err *err) {
    struct listen_sockets sockets;
    int rc = listen_sockets_open(address, port, mode, &sockets, err);
    VSR_DEBUG_ASSERT(loop_on_thread(server->loop));
    if (rc == 0)
        rc = start_all(server, &sockets, tls, tag, err);
    if (rc < 0) {
        (void)err_wrap(err, "listener %.*s:%u", VSR_FMT(address), (unsigned)port);
        return rc;
    }
    if (ret_port)
        *ret_port = sockets.port;
    return 0;
}

int server_listen_tls(struct server *server, vsr_str address, uint16_t port, struct tls_server *tls, void *tag,
                      uint16_t *ret_port, struct vsr_err *err) {
    return listen_on(server, address, port, LISTEN_SHARED, tls, tag, ret_port, err);
}

int server_listen(struct server *server, vsr_str address, uint16_t port, void *tag, uint16_t *ret_port,
                  struct vsr_err *err) {
    return listen_on(server, address, port, LISTEN_SHARED, NULL, tag, ret_port, err);
}

int server_listen_exclusive(struct server *server, vsr_str address, uint16_t port, void *tag, uint16_t *ret_port,
                            struct vsr_err *err) {
    return listen_on(server, address, port, LISTEN_EXCLUSIVE, NULL, tag, ret_port, err);
}

int server_probe(vsr_str address, uint16_t port, struct vsr_err *err) {
    struct listen_sockets sockets;
    int rc = listen_sockets_open(address, port, LISTEN_PROBE, &sockets, err);
    if (rc < 0)
        (void)err_wrap(err, "listener %.*s:%u", VSR_FMT(address), (unsigned)port);
    else
        listen_sockets_close(&sockets);
    return rc;
}

void server_set_tls(struct server *server, const void *tag, struct tls_server *tls) {
    VSR_DEBUG_ASSERT(loop_on_thread(server->loop));
    VSR_ASSERT(tls);
    for (struct listener *listener = server->listeners; listener; listener = listener->next) {
        if (listener->tag != tag)
            continue;
        VSR_ASSERT(listener->tls); /* what speaks plainly does not become TLS under its clients */
        tls_server_unref(listener->tls);
        listener->tls = tls_server_ref(tls);
    }
}

/* ---- retiring */

static bool has_tag(const struct server *server, const void *tag) {
    const struct listener *listener = server->listeners;
    while (listener && listener->tag != tag)
        listener = listener->next;
    return listener != NULL;
}

/* The last one of its tag tells. */
static void listener_gone(void *data) {
    struct listener *listener = data, **link = &listener->server->listeners;
    while (*link != listener)
        link = &(*link)->next;
    *link = listener->next;
    if (!has_tag(listener->server, listener->tag))
        listener->on_gone(listener->gone_data);
    listener_free(listener);
}

static void listener_left(struct listener *listener) {
    if (listener->retired && !listener->poll && listener->n_conns == 0)
        loop_defer(listener->server->loop, &listener->gone, listener_gone, listener);
}

/* Whoever has connected would get a reset: they are taken in first. */
static void say_farewell(void *data) {
    struct listener *listener = data;
    (void)accept_some(listener, LISTEN_BACKLOG);
    listener_close(listener);
    listener_left(listener);
}

void server_retire(struct server *server, const void *tag, void (*on_gone)(void *data), void *data) {
    VSR_DEBUG_ASSERT(loop_on_thread(server->loop));
    VSR_ASSERT(has_tag(server, tag));
    for (struct listener *listener = server->listeners; listener; listener = listener->next) {
        if (listener->tag != tag)
            continue;
        listener->retired = true;
        listener->on_gone = on_gone;
        listener->gone_data = data;
        if (listen_socket_deafen(listener->fd))
            loop_timer_start(server->loop, &listener->farewell, SERVER_FAREWELL_MS, say_farewell, listener);
        else
            say_farewell(listener);
    }
    for (struct server_conn *conn = server->conns; conn; conn = conn->next)
        if (conn->listener->tag == tag)
            server_conn_retire(conn);
}

/* ---- drain */

static void tell_drained(void *data) {
    struct server *server = data;
    void (*fn)(void *data) = server->on_drained;
    loop_timer_stop(&server->drain_timer);
    server->on_drained = NULL;
    if (fn)
        fn(server->drained_data);
}

void server_conn_gone(struct server *server, const struct server_conn *conn) {
    server->stats.connections--;
    if (conn->rejected)
        server->n_rejected--;
    conn->listener->n_conns--;
    listener_left(conn->listener);
    if (server->draining && server->stats.connections == 0)
        loop_defer(server->loop, &server->drained, tell_drained, server);
}

static void drain_deadline(void *data) {
    struct server *server = data;
    while (server->conns)
        server_conn_close(server->conns);
}

void server_drain(struct server *server, uint64_t deadline_ms, void (*on_drained)(void *data), void *data) {
    struct server_conn *next;
    VSR_DEBUG_ASSERT(loop_on_thread(server->loop));
    server->draining = true;
    server->on_drained = on_drained;
    server->drained_data = data;
    close_listeners(server);
    for (struct server_conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        server_conn_drain(conn);
    }
    if (server->stats.connections == 0)
        loop_defer(server->loop, &server->drained, tell_drained, server);
    else
        loop_timer_start(server->loop, &server->drain_timer, deadline_ms, drain_deadline, server);
}

/* ---- what connections share */

struct http1_exchange *server_take_exchange(struct server *server, struct server_conn *conn) {
    struct http1_exchange *exchange = server->spare;
    if (exchange) {
        server->spare = exchange->next_spare;
        server->n_spare--;
    } else {
        exchange = MEM_NEW(struct http1_exchange);
        http1_init(&exchange->parser, HTTP1_REQUEST);
        buf_init(&exchange->out, EXCHANGE_OUT_MAX);
    }
    exchange->base = (struct exchange){ .ops = &http1_exchange_ops, .server = server, .listener = conn->listener };
    exchange->conn = conn;
    exchange->body_sent = exchange->body_received = 0;
    exchange->ended = exchange->wired = exchange->whole = exchange->broken = false;
    exchange->no_body = exchange->chunked = exchange->close_after = exchange->continue_wanted = exchange->paused =
        false;
    return exchange;
}

void server_give_exchange(struct server *server, struct http1_exchange *exchange) {
    VSR_ASSERT(!exchange->base.running);
    loop_defer_cancel(&exchange->flush);
    exchange->conn = NULL;
    if (server->n_spare >= EXCHANGES_SPARE_MAX) {
        http1_done(&exchange->parser);
        buf_done(&exchange->out);
        mem_free(exchange);
        return;
    }
    http1_reset(&exchange->parser);
    if (exchange->out.cap > EXCHANGE_OUT_KEEP)
        buf_done(&exchange->out);
    buf_reset(&exchange->out);
    exchange->next_spare = server->spare;
    server->spare = exchange;
    server->n_spare++;
}

vsr_str server_date(struct server *server) {
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };
    time_t now = time(NULL);
    struct tm tm;
    /* strftime() would follow the locale. */
    if (now != server->date_s && gmtime_r(&now, &tm)) {
        server->date_s = now;
        (void)snprintf(server->date, sizeof(server->date), "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
                       (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000,
                       (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
    }
    return str_make(server->date, DATE_LEN);
}
