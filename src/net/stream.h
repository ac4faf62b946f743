/*
 * stream - a TCP or Unix connection, plain or TLS, with backpressure.
 *
 * The one transport under both the listener's connections and the outbound pool. Reads are delivered as slices of a
 * buffer shared by the loop, valid during the callback. Writes go out at once when the socket takes them and are queued
 * otherwise; stream_queued() tells how much waits and on_drain says when it has all gone. Loop thread only.
 */
#ifndef VSR_NET_STREAM_H
#define VSR_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "net/loop.h"

struct stream;
struct sockaddr;
struct tls_client; /* net/tls.h */
struct tls_server;

enum {
    STREAM_READ_LEN = LOOP_READ_LEN, /* shared read buffer of a loop */
    STREAM_QUEUE_HIGH = 256 << 10,   /* past this a producer should pause */
    STREAM_QUEUE_MAX = 1 << 30,      /* past this the stream fails with VSR_E_LIMIT: a producer that heeds nothing */
    STREAM_SLICES_MAX = 4,
    STREAM_PEER_LEN = 48, /* longest address text */
};

/*
 * Inside every event the owner may close the stream, write, pause. `err` is borrowed.
 */
struct stream_events {
    /* Connected (and, with TLS, handshaken). Not for accepted plain streams. */
    void (*on_open)(void *owner);
    /* Bytes have come; the slice is valid during the call. */
    void (*on_read)(void *owner, vsr_str bytes);
    /* The peer sent FIN; writing is still possible. */
    void (*on_eof)(void *owner);
    /* Everything queued has been handed to the kernel, after stream_queued() had been above zero. Optional. */
    void (*on_drain)(void *owner);
    /*
     * Failed or reset; no further event follows. The owner must still call stream_close(). What the peer had sent
     * before is delivered first: an answer followed by a reset is not lost.
     */
    void (*on_error)(void *owner, const struct vsr_err *err);
    /*
     * Optional. While reading is paused: the peer closed or reset, with or without unread bytes. Comes once; resuming
     * delivers what is left. Without it a paused stream learns of its peer's end when it resumes.
     */
    void (*on_hangup)(void *owner);
};

/*
 * Starts connecting. `tls` NULL: plain; `server_name` is copied (SNI and verification). on_open or on_error follows,
 * never inside this call. A Unix socket whose backlog is full is asked again until it takes the connection: the owner
 * has the clock, here as for TCP.
 */
int stream_connect(struct loop *loop, const struct sockaddr *addr, struct tls_client *tls, vsr_str server_name,
                   const struct stream_events *events, void *owner, struct stream **ret_stream, struct vsr_err *err);

/*
 * An open plain stream with nothing queued goes on with TLS, as a client; on_open follows again, or on_error. May be
 * called inside on_read, of whose bytes nothing must be left.
 */
int stream_start_tls(struct stream *stream, struct tls_client *tls, vsr_str server_name, struct vsr_err *err);

/* Takes the accepted socket `fd`. With `tls` on_open follows after the handshake. Reading begins at once. */
int stream_accept(struct loop *loop, int fd, struct tls_server *tls, const struct stream_events *events, void *owner,
                  struct stream **ret_stream, struct vsr_err *err);

/* Copies what the socket does not take at once. Errors are reported through on_error, later. */
void stream_write(struct stream *stream, vsr_str bytes);
/* Two slices in one system call (head and body). */
void stream_write2(struct stream *stream, vsr_str a, vsr_str b);
/* Up to STREAM_SLICES_MAX slices in one system call. */
void stream_writev(struct stream *stream, const vsr_str *slices, size_t n_slices);
size_t stream_queued(const struct stream *stream);
/* Bytes handed to the kernel since the stream began: a write that makes no progress shows here. */
uint64_t stream_written(const struct stream *stream);

/* Whether the peer had sent FIN, also where on_error came instead of on_eof because a reset followed. */
bool stream_finished(const struct stream *stream);

/* Stops and resumes reading: the peer feels it. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);
bool stream_paused(const struct stream *stream);

/* Sends what is queued, then FIN. Reading goes on. */
void stream_shutdown(struct stream *stream);
/* Closes now and frees; queued bytes are dropped; no event follows, the owner is forgotten. NULL is allowed. */
void stream_close(struct stream *stream);
/* Closes after what is queued has been sent, or after `linger_ms`. No event follows. */
void stream_close_gracefully(struct stream *stream, uint64_t linger_ms);

/* Peer address as text without the port, for logs; empty when unknown. Lives in the stream. */
vsr_str stream_peer(const struct stream *stream);

/* What whoever serves the connection keeps of it: STREAM_NOTES words, 0 to begin with. */
enum { STREAM_NOTES = 2 };
uint64_t *stream_notes(struct stream *stream);

enum { STREAM_TLS_NAME_LEN_MAX = 1024 };

/* What ALPN agreed on; empty for plain streams, before on_open, and when nothing was offered. Lives in the stream. */
vsr_str stream_alpn(const struct stream *stream);
/* Subject of the peer's verified certificate (RFC 4514); empty without one. Lives in the stream. */
vsr_str stream_tls_peer_name(const struct stream *stream);

#endif
