/*
 * Readiness comes from libuv's poll handle, level-triggered; bytes move by our own recv and sendmsg. That saves,
 * against libuv's stream handles, a request object per write, an allocation per read and a second read that finds
 * nothing.
 *
 * Events are changed lazily. A paused stream leaves "readable" armed until it fires, so that a pause that ends before
 * more bytes come costs no system call; "writable" is armed only while something is queued.
 *
 * A broken socket (write failed, or an error is pending) is read to its end before on_error: the peer's last words,
 * such as an early answer, may lie in the receive queue.
 */
#include "net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <uv.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/mem.h"
#include "net/tls_session.h"

enum {
    READS_PER_TURN = 4,        /* one busy peer must not starve the others */
    QUEUE_KEEP_LEN = 16 << 10, /* an emptied queue larger than this gives its memory back */
    LINGER_READS_PER_TURN = 16,
    BACKLOG_RETRY_MS = 20, /* between two looks at a Unix socket whose backlog is full */
};

enum stream_state {
    STREAM_CONNECTING,
    STREAM_HANDSHAKE,
    STREAM_OPEN,
    STREAM_FAILED,    /* on_error was delivered, or its delivery is deferred */
    STREAM_LINGERING, /* closed by the owner; sends what is queued, then waits for the peer's FIN */
    STREAM_CLOSED,
};

struct stream {
    uv_poll_t poll;
    struct loop *loop;
    const struct stream_events *events;
    void *owner;
    int fd;
    int mask; /* armed now */
    enum stream_state state;
    bool paused, eof, broken;
    bool finished; /* FIN has come; eof alone may be a reset whose error a write has taken */
    bool shutdown_wanted, shutdown_done;
    bool accepted; /* the peer came to us */
    bool hangup_told;
    bool handshake_wants_write, read_wants_write;
    bool tls_more; /* the session may hold bytes that readiness does not show */
    struct ssl_st *ssl;
    struct loop_task task;
    struct loop_timer timer;       /* of lingering, or of a connection that waits for the backlog */
    struct sockaddr_un *asked_for; /* the Unix socket that did not take the connection yet; else NULL */

    struct buf queue; /* bytes [queue_off, len) wait for the socket */
    size_t queue_off;
    uint64_t written;

    struct vsr_err *pending_err; /* for a deferred on_error */
    char peer[STREAM_PEER_LEN];
    char *tls_name; /* made when first asked for; NULL until then */
    size_t tls_name_len;
};

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_task(void *data);

/* ---- which events are armed */

static int wanted_mask(const struct stream *s) {
    int mask = 0;
    switch (s->state) {
    case STREAM_CONNECTING:
        return s->asked_for ? 0 : UV_WRITABLE;
    case STREAM_HANDSHAKE:
        return s->handshake_wants_write ? UV_WRITABLE : UV_READABLE;
    case STREAM_OPEN:
    case STREAM_LINGERING:
        break;
    default:
        return 0;
    }
    if (s->broken)
        return 0;
    if (!s->eof && !s->paused)
        mask |= UV_READABLE;
    if (!s->eof && s->paused && s->events && s->events->on_hangup && !s->hangup_told)
        mask |= UV_DISCONNECT;
    if (s->queue.len > s->queue_off || s->read_wants_write)
        mask |= UV_WRITABLE;
    return mask;
}

static void set_mask(struct stream *s, int mask) {
    if (mask == s->mask)
        return;
    s->mask = mask;
    if (mask)
        VSR_ASSERT(uv_poll_start(&s->poll, mask, on_poll) == 0);
    else
        uv_poll_stop(&s->poll);
}

static void update_mask(struct stream *s) {
    set_mask(s, wanted_mask(s));
}

/* ---- life */

static struct stream *stream_make(struct loop *loop, int fd, const struct stream_events *events, void *owner,
                                  struct vsr_err *err) {
    struct stream *s = MEM_NEW(struct stream);
    int rc = uv_poll_init(loop_uv(loop), &s->poll, fd);
    if (rc < 0) {
        mem_free(s);
        (void)err_set(err, VSR_E_IO, "cannot watch a socket: %s", uv_strerror(rc));
        return NULL;
    }
    s->poll.data = s;
    s->loop = loop;
    s->fd = fd;
    s->events = events;
    s->owner = owner;
    buf_init(&s->queue, STREAM_QUEUE_MAX);
    return s;
}

static void on_poll_closed(uv_handle_t *handle) {
    mem_free(handle->data);
}

/* The memory goes when libuv has let go of the handle, after every event of this turn. */
static void dispose(struct stream *s) {
    bool was_open = s->state == STREAM_OPEN || s->state == STREAM_LINGERING;
    VSR_DEBUG_ASSERT(loop_on_thread(s->loop));
    s->state = STREAM_CLOSED;
    s->events = NULL;
    s->owner = NULL;
    loop_defer_cancel(&s->task);
    loop_timer_stop(&s->timer);
    if (s->ssl && was_open && !s->broken && !s->shutdown_done)
        tls_session_shutdown(s->ssl);
    tls_session_free(s->ssl);
    s->ssl = NULL;
    buf_done(&s->queue);
    mem_free(s->pending_err);
    s->pending_err = NULL;
    mem_free(s->tls_name);
    s->tls_name = NULL;
    mem_free(s->asked_for);
    s->asked_for = NULL;
    uv_close((uv_handle_t *)&s->poll, on_poll_closed);
    close(s->fd);
    s->fd = -1;
}

void stream_close(struct stream *stream) {
    if (!stream)
        return;
    VSR_ASSERT(stream->state != STREAM_CLOSED);
    dispose(stream);
}

/* ---- failure */

static void deliver_error(struct stream *s, const struct vsr_err *err) {
    if (s->state == STREAM_LINGERING) {
        dispose(s);
        return;
    }
    s->state = STREAM_FAILED;
    update_mask(s);
    s->events->on_error(s->owner, err);
}

static void fail_errno(struct stream *s, int error) {
    struct vsr_err err;
    if (s->state == STREAM_CONNECTING)
        (void)err_set(&err, error == ETIMEDOUT ? VSR_E_TIMEOUT : VSR_E_REFUSED, "cannot connect: %s", strerror(error));
    else
        (void)err_set(&err, VSR_E_CLOSED, "connection lost: %s", strerror(error));
    deliver_error(s, &err);
}

/* Reports an error from the loop, because the caller is the owner itself. */
static void fail_later(struct stream *s, int code, const char *text) {
    if (s->state == STREAM_FAILED || s->state == STREAM_CLOSED)
        return;
    s->pending_err = s->pending_err ? s->pending_err : MEM_NEW(struct vsr_err);
    (void)err_set(s->pending_err, code, "%s", text);
    loop_defer(s->loop, &s->task, on_task, s);
}

static void tell_hangup(struct stream *s) {
    if (s->hangup_told || !s->events || !s->events->on_hangup)
        return;
    s->hangup_told = true;
    s->events->on_hangup(s->owner);
}

/* ---- reading */

/* The error that a broken socket ends with when its receive queue is empty. */
static int broken_errno(const struct stream *s) {
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error == 0)
        error = ECONNRESET;
    return error;
}

static void reach_eof(struct stream *s) {
    s->eof = true;
    if (s->broken) { /* nothing more can be done with it */
        int error = broken_errno(s);
        s->finished = error == EPIPE; /* how Linux calls a reset behind FIN */
        fail_errno(s, error);
        return;
    }
    s->finished = true;
    update_mask(s);
    s->events->on_eof(s->owner);
}

/* Whether reading goes on after an event, in which the owner may have done anything. */
static bool may_read(const struct stream *s) {
    return s->state == STREAM_OPEN && !s->paused && !s->eof;
}

static void read_plain(struct stream *s) {
    char *buffer = loop_read_buffer(s->loop);
    for (int i = 0; i < READS_PER_TURN || s->broken; i++) {
        ssize_t n = recv(s->fd, buffer, STREAM_READ_LEN, 0);
        if (n > 0) {
            s->events->on_read(s->owner, str_make(buffer, (size_t)n));
            if (!may_read(s) || (n < STREAM_READ_LEN && !s->broken))
                return;
        } else if (n == 0) {
            reach_eof(s);
            return;
        } else if (errno == EAGAIN && s->broken) {
            fail_errno(s, broken_errno(s));
            return;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            fail_errno(s, errno);
            return;
        }
    }
}

/* Whether the peer has sent FIN and the connection was not reset since. */
static bool is_half_closed(const struct stream *s) {
    struct tcp_info info = { .tcpi_state = TCP_CLOSE };
    socklen_t len = sizeof(info);
    return getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_state == TCP_CLOSE_WAIT;
}

/* After a TLS read: what its status asks for. Returns whether to read on at once. */
static bool after_tls_read(struct stream *s, enum tls_status status, const struct vsr_err *err) {
    s->tls_more = status == TLS_OK;
    s->read_wants_write = status == TLS_WANT_WRITE;
    switch (status) {
    case TLS_OK:
        return true;
    case TLS_WANT_READ:
        if (s->broken)
            fail_errno(s, broken_errno(s));
        return false;
    case TLS_WANT_WRITE:
        update_mask(s);
        return false;
    case TLS_EOF:
        reach_eof(s);
        return false;
    default:
        s->finished = status == TLS_CUT && is_half_closed(s);
        deliver_error(s, err);
        return false;
    }
}

static void read_tls(struct stream *s) {
    char *buffer = loop_read_buffer(s->loop);
    for (int i = 0; i < READS_PER_TURN || s->broken; i++) {
        struct vsr_err err;
        size_t n = 0;
        enum tls_status status = tls_session_read(s->ssl, buffer, STREAM_READ_LEN, &n, &err);
        if (n > 0) {
            /* A failing status is not lost: the session repeats it at the next read. */
            s->tls_more = true;
            s->events->on_read(s->owner, str_make(buffer, n));
            if (!may_read(s))
                return;
            if (status == TLS_OK || status == TLS_EOF || status == TLS_CUT || status == TLS_FAILED)
                continue;
        }
        if (!after_tls_read(s, status, &err))
            return;
    }
    /* Bytes inside the session raise no readiness. */
    loop_defer(s->loop, &s->task, on_task, s);
}

static void read_ready(struct stream *s) {
    if (s->ssl)
        read_tls(s);
    else
        read_plain(s);
}

/* Throws away what comes after the owner has closed gracefully. */
static void read_lingering(struct stream *s) {
    char *buffer = loop_read_buffer(s->loop);
    for (int i = 0; i < LINGER_READS_PER_TURN; i++) {
        ssize_t n = recv(s->fd, buffer, STREAM_READ_LEN, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            s->eof = true;
            if (s->queue.len == s->queue_off || n < 0)
                dispose(s);
            else
                update_mask(s);
            return;
        }
    }
}

static void go_on_reading(struct stream *s) {
    update_mask(s);
    if (s->broken || s->tls_more) /* readiness does not show what is there */
        loop_defer(s->loop, &s->task, on_task, s);
}

void stream_pause(struct stream *stream) {
    stream->paused = true;
}

void stream_resume(struct stream *stream) {
    VSR_DEBUG_ASSERT(loop_on_thread(stream->loop));
    if (!stream->paused)
        return;
    stream->paused = false;
    if (stream->state == STREAM_OPEN && !stream->eof)
        go_on_reading(stream);
}

bool stream_paused(const struct stream *stream) {
    return stream->paused;
}

/* ---- writing */

static void socket_broke(struct stream *s) {
    s->broken = true;
    buf_reset(&s->queue);
    s->queue_off = 0;
    loop_defer(s->loop, &s->task, on_task, s);
}

static ssize_t send_slices(const struct stream *s, const vsr_str *slices, size_t n_slices) {
    struct iovec iov[STREAM_SLICES_MAX];
    struct msghdr message = { .msg_iov = iov };
    for (size_t i = 0; i < n_slices; i++) {
        if (slices[i].len == 0)
            continue;
        iov[message.msg_iovlen++] =
            (struct iovec){ .iov_base = (void *)(uintptr_t)slices[i].ptr, .iov_len = slices[i].len };
    }
    if (message.msg_iovlen == 0)
        return 0;
    if (message.msg_iovlen == 1)
        return send(s->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL);
    return sendmsg(s->fd, &message, MSG_NOSIGNAL);
}

/* Sent bytes at the front may not outweigh the rest: a peer that never drains fully would make us keep them all. */
static void compact_queue(struct stream *s) {
    if (s->queue_off <= s->queue.len / 2)
        return;
    buf_consume(&s->queue, s->queue_off);
    s->queue_off = 0;
}

/* Queues the slices but their first `skip` bytes. */
static void enqueue(struct stream *s, const vsr_str *slices, size_t n_slices, size_t skip) {
    for (size_t i = 0; i < n_slices; i++) {
        size_t cut = skip < slices[i].len ? skip : slices[i].len;
        skip -= cut;
        if (cut < slices[i].len)
            (void)buf_append(&s->queue, str_make(slices[i].ptr + cut, slices[i].len - cut));
    }
    if (buf_failed(&s->queue))
        fail_later(s, VSR_E_LIMIT, "too many bytes wait for the peer");
}

static void finish_shutdown(struct stream *s) {
    if (!s->shutdown_wanted || s->shutdown_done)
        return;
    s->shutdown_done = true;
    if (s->ssl)
        tls_session_shutdown(s->ssl);
    (void)shutdown(s->fd, SHUT_WR); /* fails only on a socket that is gone; reading tells */
}

static void queue_emptied(struct stream *s) {
    s->queue_off = 0;
    if (s->queue.cap > QUEUE_KEEP_LEN)
        buf_done(&s->queue);
    else
        buf_reset(&s->queue);
    finish_shutdown(s);
}

/* Offers the queue to the socket. False when the socket broke. */
static bool flush_queue(struct stream *s) {
    while (s->queue.len > s->queue_off) {
        vsr_str rest = str_make(s->queue.ptr + s->queue_off, s->queue.len - s->queue_off);
        size_t n = 0;
        if (s->ssl) {
            enum tls_status status = tls_session_write(s->ssl, rest, &n, NULL);
            if (status >= TLS_EOF) {
                socket_broke(s);
                return false;
            }
        } else {
            ssize_t sent = send(s->fd, rest.ptr, rest.len, MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR)
                continue;
            if (sent < 0 && errno != EAGAIN) {
                socket_broke(s);
                return false;
            }
            n = sent > 0 ? (size_t)sent : 0;
        }
        s->queue_off += n;
        s->written += n;
        if (n < rest.len) {
            compact_queue(s);
            return true;
        }
    }
    queue_emptied(s);
    return true;
}

static bool may_write(const struct stream *s) {
    return (s->state == STREAM_OPEN || s->state == STREAM_CONNECTING || s->state == STREAM_HANDSHAKE) && !s->broken &&
           !s->shutdown_wanted;
}

static void write_plain(struct stream *s, const vsr_str *slices, size_t n_slices) {
    size_t len = 0;
    ssize_t sent;
    for (size_t i = 0; i < n_slices; i++)
        len += slices[i].len;
    do
        sent = send_slices(s, slices, n_slices);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN) {
        socket_broke(s);
        return;
    }
    if (sent > 0)
        s->written += (size_t)sent;
    if (sent < 0 || (size_t)sent < len) {
        enqueue(s, slices, n_slices, sent > 0 ? (size_t)sent : 0);
        update_mask(s);
    }
}

void stream_writev(struct stream *stream, const vsr_str *slices, size_t n_slices) {
    VSR_DEBUG_ASSERT(loop_on_thread(stream->loop));
    VSR_ASSERT(n_slices <= STREAM_SLICES_MAX);
    if (!may_write(stream))
        return;
    if (stream->state == STREAM_OPEN && !stream->ssl && stream->queue.len == 0) {
        write_plain(stream, slices, n_slices);
        return;
    }
    /* TLS gathers first, because each write to the session becomes a record of its own. */
    enqueue(stream, slices, n_slices, 0);
    if (stream->state != STREAM_OPEN)
        return;
    if (stream->ssl && stream->queue_off == 0 && !flush_queue(stream))
        return;
    if (stream->queue.len > 0)
        update_mask(stream);
}

void stream_write2(struct stream *stream, vsr_str a, vsr_str b) {
    vsr_str slices[2] = { a, b };
    stream_writev(stream, slices, 2);
}

void stream_write(struct stream *stream, vsr_str bytes) {
    stream_writev(stream, &bytes, 1);
}

size_t stream_queued(const struct stream *stream) {
    return stream->queue.len - stream->queue_off;
}

bool stream_finished(const struct stream *stream) {
    return stream->finished;
}

uint64_t stream_written(const struct stream *stream) {
    return stream->written;
}

void stream_shutdown(struct stream *stream) {
    VSR_DEBUG_ASSERT(loop_on_thread(stream->loop));
    if (!may_write(stream))
        return;
    stream->shutdown_wanted = true;
    if (stream->state == STREAM_OPEN && stream_queued(stream) == 0)
        finish_shutdown(stream);
}

static void write_ready(struct stream *s) {
    bool had_queue = stream_queued(s) > 0;
    if (!flush_queue(s))
        return;
    update_mask(s);
    if (had_queue && stream_queued(s) == 0 && s->state == STREAM_OPEN && s->events->on_drain)
        s->events->on_drain(s->owner);
}

/* ---- opening */

static void opened(struct stream *s) {
    s->state = STREAM_OPEN;
    s->tls_more = s->ssl != NULL; /* the first bytes may have come with the handshake's last */
    update_mask(s);
    s->events->on_open(s->owner);
    if (s->state != STREAM_OPEN)
        return;
    if (stream_queued(s) > 0 || s->shutdown_wanted)
        write_ready(s);
    if (s->state == STREAM_OPEN && s->tls_more && !s->paused)
        loop_defer(s->loop, &s->task, on_task, s);
}

static void go_on_handshake(struct stream *s) {
    struct vsr_err err;
    enum tls_status status = tls_session_handshake(s->ssl, &err);
    switch (status) {
    case TLS_OK:
        opened(s);
        return;
    case TLS_WANT_READ:
    case TLS_WANT_WRITE:
        s->handshake_wants_write = status == TLS_WANT_WRITE;
        update_mask(s);
        return;
    case TLS_EOF:
    case TLS_CUT:
        /* A server that leaves does not take us or is none; a client that leaves may just have looked whether we are
         * up. */
        (void)err_set(&err, s->accepted ? VSR_E_CLOSED : VSR_E_TLS,
                      "the peer closed the connection during the TLS handshake");
        break;
    case TLS_FAILED:
        break;
    }
    deliver_error(s, &err);
}

static void go_on_connect(struct stream *s) {
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error) {
        fail_errno(s, error);
        return;
    }
    if (s->ssl) {
        s->state = STREAM_HANDSHAKE;
        go_on_handshake(s);
    } else {
        opened(s);
    }
}

static socklen_t addr_len(const struct sockaddr *addr) {
    switch (addr->sa_family) {
    case AF_INET6:
        return sizeof(struct sockaddr_in6);
    case AF_UNIX:
        return sizeof(struct sockaddr_un);
    default:
        return sizeof(struct sockaddr_in);
    }
}

static int socket_make(int family, struct vsr_err *err) {
    int one = 1, fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        (void)err_set(err, VSR_E_IO, "cannot make a socket: %s", strerror(errno));
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* only a matter of speed */
    return fd;
}

/* 0 when the connection is there or on its way, else errno. EAGAIN: a Unix socket whose backlog is full, with which
 * nothing has begun; TCP would wait by itself. */
static int begin_connect(int fd, const struct sockaddr *addr) {
    return connect(fd, addr, addr_len(addr)) == 0 || errno == EINPROGRESS || errno == EINTR ? 0 : errno;
}

static void on_backlog_due(void *data);

static void wait_for_backlog(struct stream *s) {
    loop_timer_start(s->loop, &s->timer, BACKLOG_RETRY_MS, on_backlog_due, s);
}

static void on_backlog_due(void *data) {
    struct stream *s = data;
    int error = begin_connect(s->fd, (const struct sockaddr *)s->asked_for);
    if (error == EAGAIN) {
        wait_for_backlog(s);
        return;
    }
    mem_free(s->asked_for);
    s->asked_for = NULL;
    if (error)
        fail_errno(s, error);
    else
        update_mask(s);
}

int stream_connect(struct loop *loop, const struct sockaddr *addr, struct tls_client *tls, vsr_str server_name,
                   const struct stream_events *events, void *owner, struct stream **ret_stream, struct vsr_err *err) {
    struct vsr_err local;
    struct vsr_err *problem = err ? err : &local;
    struct stream *s;
    int error, fd = socket_make(addr->sa_family, problem);
    VSR_DEBUG_ASSERT(loop_on_thread(loop));
    if (fd < 0)
        return problem->code;
    error = begin_connect(fd, addr);
    if (error && (error != EAGAIN || addr->sa_family != AF_UNIX)) {
        close(fd);
        return err_set(problem, VSR_E_REFUSED, "cannot connect: %s", strerror(error));
    }
    s = stream_make(loop, fd, events, owner, problem);
    if (!s) {
        close(fd);
        return problem->code;
    }
    s->state = STREAM_CONNECTING;
    if (error) {
        s->asked_for = MEM_NEW(struct sockaddr_un);
        memcpy(s->asked_for, addr, sizeof(*s->asked_for));
        wait_for_backlog(s);
    }
    if (tls) {
        s->ssl = tls_session_client(tls, fd, server_name, problem);
        if (!s->ssl) {
            dispose(s);
            return problem->code;
        }
    }
    update_mask(s);
    *ret_stream = s;
    return 0;
}

int stream_start_tls(struct stream *stream, struct tls_client *tls, vsr_str server_name, struct vsr_err *err) {
    struct vsr_err local;
    struct vsr_err *problem = err ? err : &local;
    VSR_DEBUG_ASSERT(loop_on_thread(stream->loop));
    VSR_ASSERT(stream->state == STREAM_OPEN && !stream->ssl && stream_queued(stream) == 0);
    stream->ssl = tls_session_client(tls, stream->fd, server_name, problem);
    if (!stream->ssl)
        return problem->code;
    stream->state = STREAM_HANDSHAKE;
    stream->handshake_wants_write = true; /* the client speaks first; writability comes from the loop, not from here */
    update_mask(stream);
    return 0;
}

int stream_accept(struct loop *loop, int fd, struct tls_server *tls, const struct stream_events *events, void *owner,
                  struct stream **ret_stream, struct vsr_err *err) {
    struct vsr_err local;
    struct vsr_err *problem = err ? err : &local;
    struct stream *s = stream_make(loop, fd, events, owner, problem);
    VSR_DEBUG_ASSERT(loop_on_thread(loop));
    if (!s) {
        close(fd);
        return problem->code;
    }
    s->accepted = true;
    s->state = STREAM_OPEN;
    if (tls) {
        s->state = STREAM_HANDSHAKE;
        s->ssl = tls_session_server(tls, fd, problem);
        if (!s->ssl) {
            dispose(s);
            return problem->code;
        }
    }
    update_mask(s);
    *ret_stream = s;
    return 0;
}

/* ---- what the loop calls */

/* An error is pending on the socket. libuv has stopped the handle. */
static void poll_failed(struct stream *s) {
    s->mask = 0;
    switch (s->state) {
    case STREAM_CONNECTING:
        go_on_connect(s);
        break;
    case STREAM_HANDSHAKE:
        go_on_handshake(s);
        break;
    case STREAM_OPEN:
        s->broken = true;
        buf_reset(&s->queue);
        s->queue_off = 0;
        if (s->paused)
            tell_hangup(s);
        else if (!s->eof)
            read_ready(s);
        else
            fail_errno(s, broken_errno(s));
        break;
    case STREAM_LINGERING:
        dispose(s);
        break;
    default:
        break;
    }
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    struct stream *s = poll->data;
    if (status < 0) {
        poll_failed(s);
        return;
    }
    if (s->state == STREAM_CONNECTING) {
        go_on_connect(s);
        return;
    }
    if (s->state == STREAM_HANDSHAKE) {
        go_on_handshake(s);
        return;
    }
    if (events & UV_WRITABLE) {
        s->read_wants_write = false;
        write_ready(s);
    }
    if (s->state == STREAM_LINGERING) {
        if (events & UV_READABLE)
            read_lingering(s);
        else if (s->eof && stream_queued(s) == 0)
            dispose(s);
        return;
    }
    if (s->state != STREAM_OPEN)
        return;
    if (s->paused) {
        if (events & UV_DISCONNECT)
            tell_hangup(s);
        if (s->state == STREAM_OPEN)
            update_mask(s);
    } else if (events & UV_READABLE) {
        read_ready(s);
    }
}

static void on_task(void *data) {
    struct stream *s = data;
    if (s->pending_err) {
        struct vsr_err err = *s->pending_err;
        mem_free(s->pending_err);
        s->pending_err = NULL;
        deliver_error(s, &err);
        return;
    }
    if (s->state == STREAM_LINGERING && s->broken) {
        dispose(s);
        return;
    }
    if (s->state != STREAM_OPEN)
        return;
    if (s->broken && s->eof)
        fail_errno(s, broken_errno(s));
    else if (s->paused && s->broken)
        tell_hangup(s);
    else if (!s->paused && !s->eof)
        read_ready(s);
}

/* ---- closing with manners */

static void on_linger_over(void *data) {
    dispose(data);
}

void stream_close_gracefully(struct stream *stream, uint64_t linger_ms) {
    if (!stream)
        return;
    VSR_ASSERT(stream->state != STREAM_CLOSED);
    if (stream->state != STREAM_OPEN || stream->broken || (stream->eof && stream_queued(stream) == 0)) {
        dispose(stream);
        return;
    }
    stream_shutdown(stream);
    stream->state = STREAM_LINGERING;
    stream->events = NULL;
    stream->owner = NULL;
    stream->paused = false;
    loop_defer_cancel(&stream->task);
    loop_timer_start(stream->loop, &stream->timer, linger_ms, on_linger_over, stream);
    update_mask(stream);
}

/* ---- facts */

vsr_str stream_peer(const struct stream *stream) {
    struct stream *s = (struct stream *)(uintptr_t)stream; /* the text is made when first asked for */
    struct sockaddr_storage addr = { 0 };
    socklen_t len = sizeof(addr);
    const void *bytes;
    if (s->peer[0] || s->fd < 0 || getpeername(s->fd, (struct sockaddr *)&addr, &len) != 0)
        return str_from_c(s->peer);
    if (addr.ss_family == AF_INET6)
        bytes = &((struct sockaddr_in6 *)&addr)->sin6_addr;
    else
        bytes = &((struct sockaddr_in *)&addr)->sin_addr;
    if (!inet_ntop(addr.ss_family, bytes, s->peer, sizeof(s->peer)))
        s->peer[0] = '\0';
    return str_from_c(s->peer);
}

vsr_str stream_alpn(const struct stream *stream) {
    return stream->ssl ? tls_session_alpn(stream->ssl) : VSR_STR("");
}

vsr_str stream_tls_peer_name(const struct stream *stream) {
    struct stream *s = (struct stream *)(uintptr_t)stream; /* as above */
    if (!s->ssl || s->state != STREAM_OPEN)
        return VSR_STR("");
    if (!s->tls_name) {
        s->tls_name = mem_alloc(STREAM_TLS_NAME_LEN_MAX);
        s->tls_name_len = tls_session_peer_name(s->ssl, s->tls_name, STREAM_TLS_NAME_LEN_MAX);
    }
    return str_make(s->tls_name, s->tls_name_len);
}
