/*
 * chat_stream - reads along with a Chat Completions stream, for accounting.
 *
 * Learns what gateway.md 9 wants of a stream: id, model and created of the first chunk, the last usage, finish reasons,
 * whether anything was said, error events, and `[DONE]` exactly once. Frames are split by sse.h; only those that can
 * tell something new are parsed as JSON, into an arena that goes with the frame: a long answer costs a few byte
 * searches per frame, and a stream that waits holds next to nothing. One thread. The bytes themselves are relayed by
 * chat_relay.h.
 */
#ifndef VSR_WIRE_CHAT_STREAM_H
#define VSR_WIRE_CHAT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/sse.h"
#include "wire/usage.h"

enum {
    CHAT_STREAM_ID_LEN_MAX = 256, /* a longer id or model name is cut */
    CHAT_STREAM_REASON_LEN_MAX = 32,
};

struct chat_stream {
    struct sse_parser sse;

    char id[CHAT_STREAM_ID_LEN_MAX];
    char model[CHAT_STREAM_ID_LEN_MAX];
    size_t id_len, model_len;
    int64_t created; /* 0: unknown */
    bool has_head;   /* a chunk with these has been seen */

    struct usage usage;                             /* the last one; usage.has tells whether there was any */
    char finish_reason[CHAT_STREAM_REASON_LEN_MAX]; /* of the lowest choice index that has one */
    size_t finish_reason_len;
    int64_t finish_index;
    uint64_t n_finished; /* choices that have ended */
    uint64_t n_frames;   /* with data */
    bool has_payload;    /* content, reasoning, refusal or a tool call has been seen */
    bool has_error;      /* an error event has been seen */
    bool has_done;       /* `[DONE]` has been seen */
    bool malformed;      /* some frame was not JSON */
    bool ended;          /* chat_stream_finish() was called */
    bool usage_only;     /* the last frame had empty `choices` and a `usage` object */
};

void chat_stream_init(struct chat_stream *stream);
void chat_stream_done(struct chat_stream *stream);

void chat_stream_feed(struct chat_stream *stream, vsr_str bytes);
/* As sse_feed_frame(): consumes up to the end of one frame. */
bool chat_stream_feed_frame(struct chat_stream *stream, vsr_str *bytes);
/* The backend ended the body properly (not: the connection was cut). */
void chat_stream_finish(struct chat_stream *stream);

/*
 * Whether the stream has come to its proper end: `[DONE]`, or a body that ended properly after some choice had
 * finished, for backends that send no `[DONE]`. An error event of the backend's own (has_error) is not an end by
 * itself.
 */
bool chat_stream_complete(const struct chat_stream *stream);

static inline vsr_str chat_stream_id(const struct chat_stream *stream) {
    return str_make(stream->id, stream->id_len);
}
static inline vsr_str chat_stream_model(const struct chat_stream *stream) {
    return str_make(stream->model, stream->model_len);
}
static inline vsr_str chat_stream_finish_reason(const struct chat_stream *stream) {
    return str_make(stream->finish_reason, stream->finish_reason_len);
}

#endif
