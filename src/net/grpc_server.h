/*
 * grpc_server - gRPC methods on a server that speaks HTTP/2 (net/server.h).
 *
 * A table of methods, each with its handler. A call is one HTTP/2 stream: messages come as they are complete, answers
 * are sent in any number, grpc_stream_finish() ends the call with a status in the trailers. What is no gRPC call is
 * refused as the protocol asks for: another method than POST 405, another content type 415, HTTP/1.1 426, an unknown
 * path status UNIMPLEMENTED, compression UNIMPLEMENTED. A `grpc-timeout` is a clock of the call: when it has run out
 * the call ends with DEADLINE_EXCEEDED and on_close follows. Loop thread only.
 */
#ifndef VSR_NET_GRPC_SERVER_H
#define VSR_NET_GRPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"
#include "net/grpc.h"
#include "net/http1.h"
#include "net/server.h"

struct grpc_stream;
struct loop;

/* How a call ended. */
enum grpc_outcome {
    GRPC_CALL_FINISHED, /* by grpc_stream_finish() */
    GRPC_CALL_GONE,     /* the peer went away, cancelled, or broke the protocol */
    GRPC_CALL_LATE,     /* its grpc-timeout has passed */
};

struct grpc_method {
    vsr_str path; /* "/package.Service/Method" */
    size_t message_len_max;
    /* The result is passed to the calls below; `head` stays valid until on_close. May send and finish at once. */
    void *(*on_open)(void *app, struct grpc_stream *stream, const struct http1_head *head);
    /* Valid during the call. */
    void (*on_message)(void *call, vsr_str message);
    /* A message is longer than that. Its call ends with RESOURCE_EXHAUSTED unless this one finishes it. Optional. */
    void (*on_too_long)(void *call);
    /* No further message comes. */
    void (*on_half_close)(void *call);
    /* What was queued has gone. Optional. */
    void (*on_drain)(void *call);
    /* Exactly once for each on_open; no grpc_stream_* call is allowed afterwards. */
    void (*on_close)(void *call, enum grpc_outcome how);
};

struct grpc_service {
    const struct grpc_method *methods;
    size_t n_methods;
    void *app; /* of on_open and below */
    /* As that of struct server_handler, of the listener with that tag. Optional. */
    void (*on_handshake_failed)(void *app, void *tag, vsr_str peer, const struct vsr_err *err);
};

/* Handler for server_new(), whose app is a `struct grpc_service *`, kept. */
extern const struct server_handler grpc_server_handler;

/*
 * Sends a message. Calls after grpc_stream_finish() do nothing.
 */
void grpc_stream_send(struct grpc_stream *stream, vsr_str message);
/* Ends the call. on_close follows from the loop, never inside this call. */
void grpc_stream_finish(struct grpc_stream *stream, enum grpc_status status, vsr_str message);
/* Bytes that wait for the peer. */
size_t grpc_stream_queued(const struct grpc_stream *stream);
/* Takes no further messages until resumed: the peer's window fills. Messages that have come meanwhile wait. */
void grpc_stream_pause(struct grpc_stream *stream);
void grpc_stream_resume(struct grpc_stream *stream);
/* What is kept of the call's connection (net/server.h): EXCHANGE_NOTES words. NULL when it is gone. */
uint64_t *grpc_stream_notes(const struct grpc_stream *stream);

#endif
