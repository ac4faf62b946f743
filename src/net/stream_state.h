/*
 * stream_state - a stream from inside: for stream.c and the files of its reading, writing and opening.
 */
#ifndef VSR_NET_STREAM_STATE_H
#define VSR_NET_STREAM_STATE_H

#include <uv.h>

#include "core/buf.h"
#include "net/loop.h"
#include "net/stream.h"

struct sockaddr_un;
struct ssl_st;

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
    uint64_t notes[STREAM_NOTES];
};

/* ---- stream.c */

struct stream *stream_make(struct loop *loop, int fd, const struct stream_events *events, void *owner,
                           struct vsr_err *err);
/* Ends it now. The memory goes when libuv has let go of the handle, after every event of this turn. */
void stream_dispose(struct stream *s);
/* Arms what the state asks for. */
void stream_update_mask(struct stream *s);
/* From the loop, at the end of this turn: goes on with what no readiness tells of. */
void stream_run_later(struct stream *s);
/* The end, told at once; a lingering stream is disposed of. */
void stream_deliver_error(struct stream *s, const struct vsr_err *err);
void stream_fail_errno(struct stream *s, int error);
/* Reports an error from the loop, because the caller is the owner itself. */
void stream_fail_later(struct stream *s, int code, const char *text);

/* ---- stream_read.c */

void stream_read_ready(struct stream *s);
/* Drops what a peer sends that nobody listens to any more. */
void stream_read_lingering(struct stream *s);
/* The error that a broken socket ends with when its receive queue is empty. */
int stream_broken_errno(const struct stream *s);

/* ---- stream_write.c */

void stream_write_ready(struct stream *s);

/* ---- stream_open.c */

void stream_go_on_connect(struct stream *s);
void stream_go_on_handshake(struct stream *s);

#endif
