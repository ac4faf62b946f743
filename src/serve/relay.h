/*
 * relay - how a backend's answer reaches the client: as its own bytes, or said again in the client's protocol.
 *
 * Cells (gateway.md 7): where client and backend speak the same protocol, bytes pass and are only read along; else a
 * decoder says the answer as deltas and an encoder writes them. Private to stage_relay.c and relay_translated.c; other
 * stages end an answer by relay_finish().
 */
#ifndef VSR_SERVE_RELAY_H
#define VSR_SERVE_RELAY_H

#include <stdbool.h>

#include "core/str.h"
#include "provider/provider.h"

struct http1_head;
struct vsr_err;
struct request;

enum relay_cell {
    RELAY_BYTES,       /* a buffered answer, or an error in the client's own protocol */
    RELAY_CHAT_STREAM, /* chat_relay.h; legacy completions, too */
    RELAY_EVENTS,      /* a stream of another protocol than chat, to a client that speaks it */
    RELAY_TRANSLATED,
    RELAY_ERROR, /* an error of a backend that does not speak the client's protocol */
    RELAY_HELD,  /* an error that may be answered by asking another model */
};

/* Records the request and ends the answer, of which everything has been written. The request is gone. */
void relay_finish(struct request *request);
/* Part of the answer has gone out and no more can follow: cuts it. The request is gone. */
void relay_break(struct request *request);

/* What a failed call says of its endpoint. */
/* What an attempt that nothing came of has left, before another one. */
void relay_forget(struct request *request);
enum provider_failure relay_failure_of(const struct vsr_err *err, bool connected);

bool relay_is_event_stream(const struct http1_head *head);

/* ---- relay_translated.c */

/* A good head. Starts the answer when the client wants a stream; else it waits for the whole. */
void translated_begin(struct request *request, const struct http1_head *head);
void translated_body(struct request *request, vsr_str bytes);
/* The backend's body is complete (`clean`), or has been cut. Ends the answer; the request may be gone. */
void translated_end(struct request *request, bool clean);

/* A head of 4xx or 5xx, its body, and its end, which answers with the same error in the client's protocol. */
void translated_error_begin(struct request *request, const struct http1_head *head);
void translated_error_end(struct request *request);

/* Frees what a broken attempt left. */
void translated_reset(struct request *request);

#endif
