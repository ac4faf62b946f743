/*
 * chat_relay - passes a Chat Completions stream on to the client, byte for byte.
 *
 * Whatever chunks the bytes come in, the client gets the same bytes in the same order; only a usage chunk that the
 * client did not ask for is taken out whole. Accounting (chat_stream.h) reads along. Slices handed to `forward` lie in
 * the input or in the relay and are valid during the call. In the common case, where chunks hold whole frames, nothing
 * is copied. One thread.
 *
 *     CHAT_RELAY_BYTES       everything at once. A cut stream may end in half a frame.
 *     CHAT_RELAY_FRAMES      whole frames only: after a cut the client can be sent a clean error event.
 *     CHAT_RELAY_DROP_USAGE  whole frames, without those that have empty `choices` and a `usage` object.
 *
 * A frame past SSE_FRAME_LEN_MAX ends accounting and holding: from then on bytes pass at once.
 */
#ifndef VSR_WIRE_CHAT_RELAY_H
#define VSR_WIRE_CHAT_RELAY_H

#include <stdbool.h>

#include "core/buf.h"
#include "core/str.h"
#include "wire/chat_stream.h"

enum chat_relay_mode { CHAT_RELAY_BYTES, CHAT_RELAY_FRAMES, CHAT_RELAY_DROP_USAGE };

typedef void chat_relay_fn(void *user, vsr_str bytes);

struct chat_relay {
    struct chat_stream stream; /* what accounting has learned; read it at any time */
    enum chat_relay_mode mode;
    chat_relay_fn *forward;
    void *user;
    struct buf held;   /* an unfinished frame */
    bool last_dropped; /* where a late LF of a split CRLF belongs */
};

/* Keeps `user`. Free with chat_relay_done(). */
void chat_relay_init(struct chat_relay *relay, enum chat_relay_mode mode, chat_relay_fn *forward, void *user);
void chat_relay_done(struct chat_relay *relay);

/* Calls forward() for what may go out now. */
void chat_relay_feed(struct chat_relay *relay, vsr_str bytes);

/*
 * No more bytes will come. `clean`: the backend ended the body properly. A frame that is still held goes out only when
 * that completes the stream; else it is dropped, because a body that ends with its connection may be cut anywhere, and
 * what follows must be an error event that the client can read. Ask chat_stream_complete(&relay->stream).
 */
void chat_relay_end(struct chat_relay *relay, bool clean);

#endif
