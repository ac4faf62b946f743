/*
 * http2_guard - what one HTTP/2 connection may do that costs us more than it costs its peer (RFC 9113 10.5).
 *
 * Each way to misbehave has a token bucket: so many at once, so many per second from then on. Ordinary clients stay far
 * below; one that empties a bucket is told ENHANCE_YOUR_CALM and left. Pure: the clock comes from the caller.
 */
#ifndef VSR_NET_HTTP2_GUARD_H
#define VSR_NET_HTTP2_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* To add one: a line here with its name, its burst and its rate per second. */
#define HTTP2_CAUSES(X) \
    X(RESETS, "resets", 200, 20)                   /* streams that end before their answer, whoever was to blame */ \
    X(SETTINGS, "settings", 1000, 100)             /* each is acknowledged */ \
    X(PINGS, "pings", 1000, 100)                   /* likewise; beyond one for each DATA frame of ours */ \
    X(EMPTY_DATA, "empty_data", 1000, 100)         /* DATA that brings neither bytes nor an end */ \
    X(WINDOW_UPDATES, "window_updates", 1000, 100) /* beyond two for each DATA frame of ours */ \
    X(PRIORITIES, "priorities", 1000, 100)         /* PRIORITY */ \
    X(HEADERS, "headers", 1, 0)                    /* a header block that unpacks to far more than is allowed */ \
    X(CONTINUATIONS, "continuations", 1, 0)        /* one that does not end */ \
    X(OUTBOUND, "outbound", 1, 0)                  /* answers to all this that the peer does not read */

enum http2_cause {
#define X(name, label, burst, rate) HTTP2_##name,
    HTTP2_CAUSES(X)
#undef X
        HTTP2_CAUSE_COUNT,
};

struct http2_guard {
    uint64_t at_ms;
    uint32_t taken_ms[HTTP2_CAUSE_COUNT]; /* thousandths of tokens */
};

/* One more of that kind. False: the bucket is empty. */
bool http2_guard_take(struct http2_guard *guard, enum http2_cause cause, uint64_t now_ms);
/* Gives `n` back: something happened that excuses as many. */
void http2_guard_give(struct http2_guard *guard, enum http2_cause cause, uint32_t n);

/* The label of a metric. */
const char *http2_cause_name(enum http2_cause cause);

#endif
