#include "cli/backend_raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/mem.h"
#include "net/loop.h"
#include "net/stream.h"

enum { RAW_LINGER_MS = 5000, RAW_ANSWER_LEN_MAX = 1 << 20, RAW_BACKLOG = 128 };

/* Looks like a status line to a lax parser and is none. */
static const vsr_str garbage = VSR_STR_INIT("HTTP/9.9 \x01\xfe maybe\n\n\x00garbage: <\r\r\n\r\n{]");

struct raw_server {
    struct backend *backend;
    struct loop *loop;
    struct raw_conn *conns;
    size_t n_conns;
    int fds[BACKEND_LISTENERS_MAX];
    int wake; /* eventfd that ends the accepting thread */
    pthread_t acceptor, runner;
};

struct raw_conn {
    struct raw_server *server;
    struct backend_listener *listener;
    struct raw_conn *prev, *next;
    struct stream *stream;
    struct http1_parser parser;
    struct loop_timer timer;
    struct buf answer;
    size_t head_len; /* of the answer; these bytes go one by one */
    size_t sent;
    uint64_t step_ms;
};

/* An accepted socket on its way from one thread to the other. */
struct raw_job {
    struct raw_server *server;
    struct backend_listener *listener;
    int fd;
};

/* ---- one connection, loop thread */

static void conn_free(struct raw_conn *conn, bool gracefully) {
    struct raw_server *server = conn->server;
    loop_timer_stop(&conn->timer);
    if (gracefully)
        stream_close_gracefully(conn->stream, RAW_LINGER_MS);
    else
        stream_close(conn->stream);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    server->n_conns--;
    http1_done(&conn->parser);
    buf_done(&conn->answer);
    mem_free(conn);
}

static void send_step(void *data) {
    struct raw_conn *conn = data;
    vsr_str answer = buf_str(&conn->answer);
    size_t end = conn->sent < conn->head_len ? conn->sent + 1 : answer.len;
    stream_write(conn->stream, str_sub(answer, conn->sent, end));
    conn->sent = end;
    if (end == answer.len)
        conn_free(conn, true);
    else
        loop_timer_start(conn->server->loop, &conn->timer, conn->step_ms, send_step, conn);
}

static void begin_slow_head(struct raw_conn *conn) {
    vsr_str body = conn->server->backend->fixed_body;
    http1_write_status_line(&conn->answer, 200);
    http1_write_field(&conn->answer, VSR_STR("content-type"), VSR_STR("application/json"));
    http1_write_field(&conn->answer, VSR_STR("connection"), VSR_STR("close"));
    http1_write_field_u64(&conn->answer, VSR_STR("content-length"), body.len);
    http1_write_head_end(&conn->answer);
    conn->head_len = conn->answer.len;
    buf_append(&conn->answer, body);
    VSR_ASSERT(!buf_failed(&conn->answer));
    send_step(conn);
}

/* The request is complete. The connection may be gone afterwards. */
static void answer(struct raw_conn *conn) {
    struct behaviour behaviour = backend_listener_behaviour(conn->listener);
    vsr_str own = http1_field(&conn->parser.head, VSR_STR(BEHAVIOUR_HEADER));
    struct vsr_err err = VSR_ERR_NONE;
    if (own.ptr) {
        behaviour = behaviour_none();
        if (behaviour_read(&behaviour, own, &err) < 0)
            behaviour = behaviour_none(); /* this server lies anyway */
    }
    atomic_fetch_add_explicit(&conn->listener->n_requests, 1, memory_order_relaxed);
    stream_pause(conn->stream);
    if (behaviour.slow_head > 0) {
        conn->step_ms = behaviour.slow_head;
        begin_slow_head(conn);
        return;
    }
    stream_write(conn->stream, garbage);
    conn_free(conn, true);
}

static void on_read(void *owner, vsr_str bytes) {
    struct raw_conn *conn = owner;
    struct vsr_err err = VSR_ERR_NONE;
    for (;;) {
        vsr_str body;
        switch (http1_feed(&conn->parser, &bytes, &body, &err)) {
        case HTTP1_MORE:
            return;
        case HTTP1_HEAD:
        case HTTP1_BODY:
            break;
        case HTTP1_END:
            answer(conn);
            return;
        case HTTP1_ERROR:
            conn_free(conn, false);
            return;
        }
    }
}

static void on_eof(void *owner) {
    conn_free(owner, false);
}

static void on_error(void *owner, const struct vsr_err *err) {
    (void)err;
    conn_free(owner, false);
}

static const struct stream_events conn_events = {
    .on_read = on_read,
    .on_eof = on_eof,
    .on_error = on_error,
    .on_hangup = on_eof,
};

static void conn_open(void *data) {
    struct raw_job *job = data;
    struct raw_server *server = job->server;
    struct raw_conn *conn = MEM_NEW(struct raw_conn);
    struct vsr_err err = VSR_ERR_NONE;
    conn->server = server;
    conn->listener = job->listener;
    if (server->n_conns >= RAW_CONNECTIONS_MAX) {
        (void)close(job->fd); /* the client sees it */
        mem_free(conn);
    } else if (stream_accept(server->loop, job->fd, NULL, &conn_events, conn, &conn->stream, &err) < 0) {
        mem_free(conn);
    } else {
        http1_init(&conn->parser, HTTP1_REQUEST);
        buf_init(&conn->answer, RAW_ANSWER_LEN_MAX);
        conn->next = server->conns;
        if (conn->next)
            conn->next->prev = conn;
        server->conns = conn;
        server->n_conns++;
    }
    mem_free(job);
}

/* ---- threads */

static void accept_one(struct raw_server *server, size_t index) {
    int fd = accept4(server->fds[index], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct raw_job *job;
    if (fd < 0)
        return;
    job = MEM_NEW(struct raw_job);
    *job = (struct raw_job){ server, &server->backend->listeners[index], fd };
    loop_post(server->loop, conn_open, job);
}

static void *accept_all(void *data) {
    struct raw_server *server = data;
    size_t n = server->backend->n_listeners;
    struct pollfd fds[BACKEND_LISTENERS_MAX + 1];
    for (size_t i = 0; i < n; i++)
        fds[i] = (struct pollfd){ .fd = server->fds[i], .events = POLLIN };
    fds[n] = (struct pollfd){ .fd = server->wake, .events = POLLIN };
    for (;;) {
        if (poll(fds, n + 1, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[n].revents)
            return NULL;
        for (size_t i = 0; i < n; i++)
            if (fds[i].revents)
                accept_one(server, i);
    }
}

static void *run(void *data) {
    struct raw_server *server = data;
    loop_run(server->loop);
    while (server->conns)
        conn_free(server->conns, false);
    loop_free(server->loop);
    return NULL;
}

/* ---- sockets */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t address_of(const struct backend_listener *listener, union address *address) {
    memset(address, 0, sizeof(*address));
    if (strchr(listener->host, ':')) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(listener->port);
        VSR_ASSERT(inet_pton(AF_INET6, listener->host, &address->v6.sin6_addr) ==
                   1); /* checked by backend_add_listener */
        return sizeof(address->v6);
    }
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(listener->port);
    VSR_ASSERT(inet_pton(AF_INET, listener->host, &address->v4.sin_addr) == 1);
    return sizeof(address->v4);
}

static int listen_on(struct backend_listener *listener, int *ret_fd, struct vsr_err *err) {
    union address address;
    socklen_t len = address_of(listener, &address);
    int one = 1, fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 || bind(fd, &address.any, len) < 0 ||
        listen(fd, RAW_BACKLOG) < 0 || getsockname(fd, &address.any, &len) < 0) {
        int rc = err_set(err, VSR_E_IO, "cannot listen on %s: %s", listener->shown, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return rc;
    }
    listener->port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    backend_listener_show(listener);
    *ret_fd = fd;
    return 0;
}

static void close_sockets(struct raw_server *server, size_t n) {
    for (size_t i = 0; i < n; i++)
        (void)close(server->fds[i]);
    if (server->wake >= 0)
        (void)close(server->wake);
    mem_free(server);
}

int raw_server_start(struct backend *backend, struct raw_server **ret_server, struct vsr_err *err) {
    struct raw_server *server = MEM_NEW(struct raw_server);
    int rc = 0;
    server->backend = backend;
    server->wake = eventfd(0, EFD_CLOEXEC);
    for (size_t i = 0; i < backend->n_listeners; i++) {
        rc = listen_on(&backend->listeners[i], &server->fds[i], err);
        if (rc < 0) {
            close_sockets(server, i);
            return rc;
        }
    }
    rc = server->wake < 0 ? err_set(err, VSR_E_IO, "eventfd: %s", strerror(errno)) : loop_new(&server->loop, err);
    if (rc < 0) {
        close_sockets(server, backend->n_listeners);
        return rc;
    }
    if (pthread_create(&server->runner, NULL, run, server) != 0 ||
        pthread_create(&server->acceptor, NULL, accept_all, server) != 0)
        vsr_out_of_memory(0);
    *ret_server = server;
    return 0;
}

void raw_server_stop(struct raw_server *server) {
    uint64_t one = 1;
    if (!server)
        return;
    VSR_ASSERT(write(server->wake, &one, sizeof(one)) == sizeof(one));
    pthread_join(server->acceptor, NULL); /* first: it posts to the loop */
    loop_stop(server->loop);
    pthread_join(server->runner, NULL);
    close_sockets(server, server->backend->n_listeners);
}
