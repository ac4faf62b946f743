/*
 * stream_write - bytes out: what the socket takes at once goes at once, the rest is queued.
 */
#include <errno.h>
#include <sys/socket.h>

#include "core/assert.h"
#include "net/stream_state.h"
#include "net/tls_session.h"

enum { QUEUE_KEEP_LEN = 16 << 10 }; /* an emptied queue larger than this gives its memory back */

static void socket_broke(struct stream *s) {
    s->broken = true;
    buf_reset(&s->queue);
    s->queue_off = 0;
    stream_run_later(s);
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
        stream_fail_later(s, VSR_E_LIMIT, "too many bytes wait for the peer");
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
        stream_update_mask(s);
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
        stream_update_mask(stream);
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

void stream_write_ready(struct stream *s) {
    bool had_queue = stream_queued(s) > 0;
    if (!flush_queue(s))
        return;
    stream_update_mask(s);
    if (had_queue && stream_queued(s) == 0 && s->state == STREAM_OPEN && s->events->on_drain)
        s->events->on_drain(s->owner);
}
