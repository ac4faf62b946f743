/*
 * sse - splits a server-sent event stream into frames, whatever the chunks it arrives in.
 *
 * Accepts LF, CRLF and CR line ends, `data:` with or without the space, several data lines (joined by LF), comments,
 * and a byte order mark at the start. A frame past the limit ends parsing for good (sse_broken); the bytes may still be
 * relayed. The payload handed to the callback is valid during the call. One thread.
 */
#ifndef VSR_WIRE_SSE_H
#define VSR_WIRE_SSE_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/str.h"

enum { SSE_FRAME_LEN_MAX = 1 << 20 };

struct sse_event {
    vsr_str type; /* of `event:`; empty: message */
    vsr_str data;
    vsr_str id;
    bool comment_only; /* a frame without any data line */
};

typedef void sse_event_fn(void *data, const struct sse_event *event);

struct sse_parser {
    struct buf data;
    struct buf line;
    struct buf type;
    struct buf id;
    sse_event_fn *on_event;
    void *user;
    size_t frame_len, frame_max; /* raw bytes of the frame so far, and at most */
    bool has_data, seen_any, skip_lf, broken, at_start;
};

/* Keeps `user`. */
void sse_init(struct sse_parser *parser, sse_event_fn *on_event, void *user);
/* Another limit than SSE_FRAME_LEN_MAX; before any bytes. */
void sse_set_max(struct sse_parser *parser, size_t frame_len_max);
void sse_done(struct sse_parser *parser);

/* Calls on_event for each frame completed by these bytes. */
void sse_feed(struct sse_parser *parser, vsr_str bytes);
/*
 * Consumes from the front of `*bytes` up to the end of the current frame: true when it ended there (on_event was called
 * unless it was empty), false when the bytes ran out first. What stood before the new `bytes->ptr` is the frame's raw
 * text, blank line included; only the LF of a CRLF that was split between two calls comes late, as the first byte of
 * the next one.
 */
bool sse_feed_frame(struct sse_parser *parser, vsr_str *bytes);
/* The stream ended properly: a last frame without its blank line counts too. */
void sse_finish(struct sse_parser *parser);
/* Whether bytes of an unfinished frame are held back. */
bool sse_pending(const struct sse_parser *parser);
bool sse_broken(const struct sse_parser *parser);

#endif
