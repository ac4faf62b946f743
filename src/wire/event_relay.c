#include "wire/event_relay.h"

enum { HELD_LEN_MAX = 2 * SSE_FRAME_LEN_MAX }; /* one event and the chunk that broke the limit */

static void ignore(void *user, const struct sse_event *event) {
    (void)user;
    (void)event;
}

void event_relay_init(struct event_relay *relay, event_relay_fn *forward, void *user) {
    sse_init(&relay->sse, ignore, NULL);
    relay->forward = forward;
    relay->user = user;
    relay->at_once = false;
    buf_init(&relay->held, HELD_LEN_MAX);
}

void event_relay_done(struct event_relay *relay) {
    sse_done(&relay->sse);
    buf_done(&relay->held);
}

static void pass(struct event_relay *relay, vsr_str bytes) {
    if (bytes.len > 0)
        relay->forward(relay->user, bytes);
}

static void release_held(struct event_relay *relay) {
    pass(relay, buf_str(&relay->held));
    buf_reset(&relay->held);
}

/* Bytes that belong to events which end within them. */
static size_t whole_len(struct event_relay *relay, vsr_str bytes) {
    vsr_str rest = bytes;
    size_t whole = 0;
    while (rest.len > 0 && !sse_broken(&relay->sse))
        if (sse_feed_frame(&relay->sse, &rest))
            whole = bytes.len - rest.len;
    return whole;
}

void event_relay_feed(struct event_relay *relay, vsr_str bytes) {
    size_t whole = relay->at_once ? bytes.len : whole_len(relay, bytes);
    if (sse_broken(&relay->sse)) {
        relay->at_once = true;
        whole = bytes.len;
    }
    if (whole > 0) {
        release_held(relay);
        pass(relay, str_sub(bytes, 0, whole));
    }
    if (whole < bytes.len && buf_append(&relay->held, str_sub(bytes, whole, bytes.len)) < 0) {
        relay->at_once = true; /* no memory to hold it: better late than none */
        release_held(relay);
        pass(relay, str_sub(bytes, whole, bytes.len));
    }
}

void event_relay_end(struct event_relay *relay, bool whole) {
    if (whole)
        release_held(relay);
    buf_reset(&relay->held);
}

bool event_relay_broken(const struct event_relay *relay) {
    return relay->at_once;
}
