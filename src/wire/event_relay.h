/*
 * event_relay - passes a stream of server-sent events on, byte for byte, in whole events.
 *
 * For streams that go to a client of the backend's own protocol. What is passed never ends within an event, so that
 * after a cut the client can be sent a clean error event. A slice handed to `forward` lies in the input or in the relay
 * and is valid during the call; in the common case, where chunks hold whole events, nothing is copied. An event past
 * SSE_FRAME_LEN_MAX ends holding: from then on bytes pass at once. One thread.
 */
#ifndef VSR_WIRE_EVENT_RELAY_H
#define VSR_WIRE_EVENT_RELAY_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/str.h"
#include "wire/sse.h"

typedef void event_relay_fn(void *user, vsr_str bytes);

struct event_relay {
    struct sse_parser sse;
    event_relay_fn *forward;
    void *user;
    struct buf held; /* an unfinished event */
    bool at_once;    /* events are no longer held together */
};

/* Keeps `user`. Free with event_relay_done(). */
void event_relay_init(struct event_relay *relay, event_relay_fn *forward, void *user);
void event_relay_done(struct event_relay *relay);

void event_relay_feed(struct event_relay *relay, vsr_str bytes);

/* No more bytes will come. `whole`: they were all of them, so that an event that is still held goes out; else it is
 * dropped. */
void event_relay_end(struct event_relay *relay, bool whole);

/* Whether an event was too long to be held or read. */
bool event_relay_broken(const struct event_relay *relay);

#endif
