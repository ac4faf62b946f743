/*
 * extproc_front - Envoy's external processing as a front end of the pipeline (gateway.md 10).
 *
 * One gRPC stream is one HTTP exchange of Envoy's: it tells of headers, body and trailers in both directions and asks
 * what to do with them. The request runs through the same pipeline as one of a listener; where that would call a
 * backend, Envoy is told what to send instead (headers, path, body, a route to be chosen again), and the answer comes
 * back through Envoy's messages. What vsr answers itself is an immediate response.
 *
 * When the request's headers are answered. Envoy applies changes of headers together with a body only while it holds
 * the headers back, which is so in BUFFERED mode (and BUFFERED_PARTIAL):
 *
 *     BUFFERED, PARTIAL   at once; the changes come with the body
 *     STREAMED, NONE      at once, asking for BUFFERED (mode_override). Where the filter does not allow that the body
 *                         still goes out whole, with its last piece, but its headers cannot follow: a warning says so
 *     STREAMED unasked    (send_body_without_waiting_for_header_response) when the pipeline has dispatched
 *     FULL_DUPLEX         the same, and the body in pieces of EXTPROC_CHUNK_LEN
 *
 * The end of a body is what Envoy says it is; where trailers follow it does not say (and waits for an answer before it
 * sends them), so a complete JSON text ends a body too, and in BUFFERED mode the only piece does.
 *
 * Clocks: a request's body has to come in time (408). Once the request is Envoy's, so are its timeouts: vsr waits until
 * Envoy leaves the stream, or is found gone by probes of its connection (net/listen_socket.c).
 *
 * The answer's headers: at once when the pipeline has said its own, which it does for what passes and for streams. An
 * answer that is translated as a whole gets its headers with the body. A stream is asked for in STREAMED mode, a
 * translation in BUFFERED mode. When the pipeline changes the status, or breaks off, an immediate response takes the
 * place of the answer; Envoy resets the client's stream when it had begun.
 */
#ifndef VSR_SERVE_EXTPROC_FRONT_H
#define VSR_SERVE_EXTPROC_FRONT_H

#include "net/grpc_server.h"

#define EXTPROC_PROCESS_PATH "/envoy.service.ext_proc.v3.ExternalProcessor/Process"

struct arena;
struct config_listener;
struct extproc_seen;
struct metric;
struct worker;

/* What the calls of one worker share. */
struct extproc {
    struct worker *worker;
    const struct config_listener *listener; /* what the socket stands for */
    struct arena *scratch;                  /* one message in, one out */
    struct buf out;
    struct extproc_seen *seen; /* shared by all workers */
    struct metric *streams;
    struct metric *messages[6], *seconds[6]; /* by enum extproc_kind */
};

/* The method; its app is the extproc. */
struct grpc_method extproc_front_method(size_t message_len_max);

#endif
