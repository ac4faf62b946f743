/*
 * stream_read - bytes in: to the owner as long as it wants them, to nobody from a peer that is only waited for.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "core/assert.h"
#include "net/stream_state.h"
#include "net/tls_session.h"

enum {
    READS_PER_TURN = 4, /* one busy peer must not starve the others */
    LINGER_READS_PER_TURN = 16,
};

int stream_broken_errno(const struct stream *s) {
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error == 0)
        error = ECONNRESET;
    return error;
}

static void reach_eof(struct stream *s) {
    s->eof = true;
    if (s->broken) { /* nothing more can be done with it */
        int error = stream_broken_errno(s);
        s->finished = error == EPIPE; /* how Linux calls a reset behind FIN */
        stream_fail_errno(s, error);
        return;
    }
    s->finished = true;
    stream_update_mask(s);
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
            stream_fail_errno(s, stream_broken_errno(s));
            return;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            stream_fail_errno(s, errno);
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
            stream_fail_errno(s, stream_broken_errno(s));
        return false;
    case TLS_WANT_WRITE:
        stream_update_mask(s);
        return false;
    case TLS_EOF:
        reach_eof(s);
        return false;
    default:
        s->finished = status == TLS_CUT && is_half_closed(s);
        stream_deliver_error(s, err);
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
    stream_run_later(s);
}

void stream_read_ready(struct stream *s) {
    if (s->ssl)
        read_tls(s);
    else
        read_plain(s);
}

/* Throws away what comes after the owner has closed gracefully. */
void stream_read_lingering(struct stream *s) {
    char *buffer = loop_read_buffer(s->loop);
    for (int i = 0; i < LINGER_READS_PER_TURN; i++) {
        ssize_t n = recv(s->fd, buffer, STREAM_READ_LEN, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            s->eof = true;
            if (s->queue.len == s->queue_off || n < 0)
                stream_dispose(s);
            else
                stream_update_mask(s);
            return;
        }
    }
}

static void go_on_reading(struct stream *s) {
    stream_update_mask(s);
    if (s->broken || s->tls_more) /* readiness does not show what is there */
        stream_run_later(s);
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
