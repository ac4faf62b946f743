#include "wire/chat_relay.h"

enum { HELD_LEN_MAX = 2 * SSE_FRAME_LEN_MAX }; /* one frame and the chunk that broke the limit */

void chat_relay_init(struct chat_relay *relay, enum chat_relay_mode mode, chat_relay_fn *forward, void *user) {
    chat_stream_init(&relay->stream);
    relay->mode = mode;
    relay->forward = forward;
    relay->user = user;
    relay->last_dropped = false;
    buf_init(&relay->held, HELD_LEN_MAX);
}

void chat_relay_done(struct chat_relay *relay) {
    chat_stream_done(&relay->stream);
    buf_done(&relay->held);
}

static void forward(struct chat_relay *relay, const char *start, const char *end) {
    if (end > start)
        relay->forward(relay->user, str_make(start, (size_t)(end - start)));
}

static void release_held(struct chat_relay *relay) {
    if (relay->held.len > 0)
        relay->forward(relay->user, buf_str(&relay->held));
    buf_reset(&relay->held);
}

static bool is_dropped(const struct chat_relay *relay) {
    return relay->mode == CHAT_RELAY_DROP_USAGE && relay->stream.usage_only;
}

/* The LF of a CRLF whose CR ended the frame before goes where that frame went. */
static void feed_late_lf(struct chat_relay *relay, vsr_str *bytes) {
    struct sse_parser *sse = &relay->stream.sse;
    vsr_str lf = str_make(bytes->ptr, 1);
    if (!sse->skip_lf || sse_pending(sse) || bytes->ptr[0] != '\n')
        return;
    (void)chat_stream_feed_frame(&relay->stream, &lf); /* one LF behind a CR ends no frame */
    if (!relay->last_dropped)
        forward(relay, bytes->ptr, bytes->ptr + 1);
    bytes->ptr++;
    bytes->len--;
}

/*
 * Frames that pass are gathered in a run of adjacent bytes, which is cut only where a frame is dropped or unfinished. A
 * held beginning always belongs to the first frame of the run.
 */
static void feed_frames(struct chat_relay *relay, vsr_str bytes) {
    const char *run = bytes.ptr, *end = bytes.ptr + bytes.len;
    while (bytes.len > 0) {
        const char *start = bytes.ptr;
        bool ended = chat_stream_feed_frame(&relay->stream, &bytes);
        if (sse_broken(&relay->stream.sse)) {
            bytes.len = 0; /* everything passes from here on */
        } else if (!ended) {
            if (buf_append(&relay->held, str_make(start, (size_t)(end - start))) < 0) {
                relay->mode = CHAT_RELAY_BYTES; /* no memory to hold it: better whole frames late than none */
                break;
            }
            forward(relay, run, start);
            return;
        } else if ((relay->last_dropped = is_dropped(relay))) {
            buf_reset(&relay->held);
            forward(relay, run, start);
            run = bytes.ptr;
            continue;
        }
        release_held(relay);
    }
    release_held(relay);
    forward(relay, run, end);
}

void chat_relay_feed(struct chat_relay *relay, vsr_str bytes) {
    if (bytes.len == 0)
        return;
    if (relay->mode == CHAT_RELAY_BYTES || sse_broken(&relay->stream.sse)) {
        chat_stream_feed(&relay->stream, bytes);
        relay->forward(relay->user, bytes);
        return;
    }
    feed_late_lf(relay, &bytes);
    if (bytes.len > 0)
        feed_frames(relay, bytes);
}

void chat_relay_end(struct chat_relay *relay, bool clean) {
    if (!clean) {
        buf_reset(&relay->held);
        return;
    }
    chat_stream_finish(&relay->stream);
    if (is_dropped(relay) || !chat_stream_complete(&relay->stream))
        buf_reset(&relay->held);
    release_held(relay);
}
