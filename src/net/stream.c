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
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <uv.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/mem.h"
#include "net/stream_state.h"
#include "net/tls_session.h"

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

void stream_update_mask(struct stream *s) {
    set_mask(s, wanted_mask(s));
}

/* ---- life */

struct stream *stream_make(struct loop *loop, int fd, const struct stream_events *events, void *owner,
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

void stream_dispose(struct stream *s) {
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
    stream_dispose(stream);
}

void stream_run_later(struct stream *s) {
    loop_defer(s->loop, &s->task, on_task, s);
}

/* ---- failure */

void stream_deliver_error(struct stream *s, const struct vsr_err *err) {
    if (s->state == STREAM_LINGERING) {
        stream_dispose(s);
        return;
    }
    s->state = STREAM_FAILED;
    stream_update_mask(s);
    s->events->on_error(s->owner, err);
}

void stream_fail_errno(struct stream *s, int error) {
    struct vsr_err err;
    if (s->state == STREAM_CONNECTING)
        (void)err_set(&err, error == ETIMEDOUT ? VSR_E_TIMEOUT : VSR_E_REFUSED, "cannot connect: %s", strerror(error));
    else
        (void)err_set(&err, VSR_E_CLOSED, "connection lost: %s", strerror(error));
    stream_deliver_error(s, &err);
}

void stream_fail_later(struct stream *s, int code, const char *text) {
    if (s->state == STREAM_FAILED || s->state == STREAM_CLOSED)
        return;
    s->pending_err = s->pending_err ? s->pending_err : MEM_NEW(struct vsr_err);
    (void)err_set(s->pending_err, code, "%s", text);
    stream_run_later(s);
}

static void tell_hangup(struct stream *s) {
    if (s->hangup_told || !s->events || !s->events->on_hangup)
        return;
    s->hangup_told = true;
    s->events->on_hangup(s->owner);
}

/* ---- what the loop calls */

/* An error is pending on the socket. libuv has stopped the handle. */
static void poll_failed(struct stream *s) {
    s->mask = 0;
    switch (s->state) {
    case STREAM_CONNECTING:
        stream_go_on_connect(s);
        break;
    case STREAM_HANDSHAKE:
        stream_go_on_handshake(s);
        break;
    case STREAM_OPEN:
        s->broken = true;
        buf_reset(&s->queue);
        s->queue_off = 0;
        if (s->paused)
            tell_hangup(s);
        else if (!s->eof)
            stream_read_ready(s);
        else
            stream_fail_errno(s, stream_broken_errno(s));
        break;
    case STREAM_LINGERING:
        stream_dispose(s);
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
        stream_go_on_connect(s);
        return;
    }
    if (s->state == STREAM_HANDSHAKE) {
        stream_go_on_handshake(s);
        return;
    }
    if (events & UV_WRITABLE) {
        s->read_wants_write = false;
        stream_write_ready(s);
    }
    if (s->state == STREAM_LINGERING) {
        if (events & UV_READABLE)
            stream_read_lingering(s);
        else if (s->eof && stream_queued(s) == 0)
            stream_dispose(s);
        return;
    }
    if (s->state != STREAM_OPEN)
        return;
    if (s->paused) {
        if (events & UV_DISCONNECT)
            tell_hangup(s);
        if (s->state == STREAM_OPEN)
            stream_update_mask(s);
    } else if (events & UV_READABLE) {
        stream_read_ready(s);
    }
}

static void on_task(void *data) {
    struct stream *s = data;
    if (s->pending_err) {
        struct vsr_err err = *s->pending_err;
        mem_free(s->pending_err);
        s->pending_err = NULL;
        stream_deliver_error(s, &err);
        return;
    }
    if (s->state == STREAM_LINGERING && s->broken) {
        stream_dispose(s);
        return;
    }
    if (s->state != STREAM_OPEN)
        return;
    if (s->broken && s->eof)
        stream_fail_errno(s, stream_broken_errno(s));
    else if (s->paused && s->broken)
        tell_hangup(s);
    else if (!s->paused && !s->eof)
        stream_read_ready(s);
}

/* ---- closing with manners */

static void on_linger_over(void *data) {
    stream_dispose(data);
}

void stream_close_gracefully(struct stream *stream, uint64_t linger_ms) {
    if (!stream)
        return;
    VSR_ASSERT(stream->state != STREAM_CLOSED);
    if (stream->state != STREAM_OPEN || stream->broken || (stream->eof && stream_queued(stream) == 0)) {
        stream_dispose(stream);
        return;
    }
    stream_shutdown(stream);
    stream->state = STREAM_LINGERING;
    stream->events = NULL;
    stream->owner = NULL;
    stream->paused = false;
    loop_defer_cancel(&stream->task);
    loop_timer_start(stream->loop, &stream->timer, linger_ms, on_linger_over, stream);
    stream_update_mask(stream);
}

/* ---- facts */

uint64_t *stream_notes(struct stream *stream) {
    return stream->notes;
}

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
