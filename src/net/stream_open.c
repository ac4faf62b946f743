/*
 * stream_open - how a stream begins: connecting, accepting, handshakes of TLS.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/mem.h"
#include "net/stream_state.h"
#include "net/tls_session.h"

enum { BACKLOG_RETRY_MS = 20 }; /* between two looks at a Unix socket whose backlog is full */

static void opened(struct stream *s) {
    s->state = STREAM_OPEN;
    s->tls_more = s->ssl != NULL; /* the first bytes may have come with the handshake's last */
    stream_update_mask(s);
    s->events->on_open(s->owner);
    if (s->state != STREAM_OPEN)
        return;
    if (stream_queued(s) > 0 || s->shutdown_wanted)
        stream_write_ready(s);
    if (s->state == STREAM_OPEN && s->tls_more && !s->paused)
        stream_run_later(s);
}

void stream_go_on_handshake(struct stream *s) {
    struct vsr_err err;
    enum tls_status status = tls_session_handshake(s->ssl, &err);
    switch (status) {
    case TLS_OK:
        opened(s);
        return;
    case TLS_WANT_READ:
    case TLS_WANT_WRITE:
        s->handshake_wants_write = status == TLS_WANT_WRITE;
        stream_update_mask(s);
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
    stream_deliver_error(s, &err);
}

void stream_go_on_connect(struct stream *s) {
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error) {
        stream_fail_errno(s, error);
        return;
    }
    if (s->ssl) {
        s->state = STREAM_HANDSHAKE;
        stream_go_on_handshake(s);
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
        stream_fail_errno(s, error);
    else
        stream_update_mask(s);
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
            stream_dispose(s);
            return problem->code;
        }
    }
    stream_update_mask(s);
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
    stream_update_mask(stream);
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
            stream_dispose(s);
            return problem->code;
        }
    }
    stream_update_mask(s);
    *ret_stream = s;
    return 0;
}
