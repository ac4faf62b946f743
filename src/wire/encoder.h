/*
 * encoder - writes deltas (answer_model.h) as an answer in the client's protocol.
 *
 * Streamed: each delta appends whole server-sent events to `out`, or nothing. Whole: nothing is appended until END,
 * then the JSON body. A failure in the middle is an error event of the client's protocol and the end of the stream,
 * never a silent cut. What the protocol cannot say is left out and named in `warnings`. One thread.
 *
 * To add a protocol: write <name>_encoder.c with a `struct encoder_kind` (encoder_kind.h) and add its row to the table
 * in encoder.c.
 */
#ifndef VSR_WIRE_ENCODER_H
#define VSR_WIRE_ENCODER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"
#include "wire/answer_model.h"

struct buf;
struct encoder;
struct response_meta; /* what a Responses object repeats of its request; see responses_encoder.c */
struct warnings;

enum { ENCODER_BODY_LEN_MAX = 64 << 20 }; /* of a whole answer; a longer one becomes an error 502 */

struct encoder_options {
    enum protocol protocol; /* of the client */
    enum protocol upstream; /* of the backend: ids are kept where it is the same protocol, else minted */
    bool streamed;
    bool include_usage;                   /* chat, streamed: the client asked for the usage chunk */
    vsr_str id;                           /* of the answer; empty: the backend's or minted */
    vsr_str model;                        /* shown to the client; empty: the backend's */
    int64_t now_s;                        /* wall clock: `created` where the backend says none */
    const struct response_meta *response; /* responses only */
    struct warnings *warnings;            /* kept; NULL: nobody wants to know */
};

bool encoder_supports(enum protocol protocol);

/*
 * Keeps `arena`, `out`, and what `options` point to. `protocol` must be supported. Never NULL; free with
 * encoder_free(). Check buf_failed(out) after each call: a client that is too slow for its buffer has lost its stream.
 */
struct encoder *encoder_new(const struct encoder_options *options, struct arena *arena, struct buf *out);
void encoder_free(struct encoder *encoder);

/* An answer_delta_fn's body. What comes after END, or after ERROR but END, is ignored. */
void encoder_take(struct encoder *encoder, const struct answer_delta *delta);

/* Streamed, and neither ended nor whole: `event: ping` on messages, a comment `: keep-alive` elsewhere. */
void encoder_ping(struct encoder *encoder);

/* Whole, after END: 0, or the status that the answer must have because its body is an error's. */
int encoder_error_status(const struct encoder *encoder);

/* "text/event-stream; charset=utf-8" or "application/json". */
const char *encoder_content_type(const struct encoder *encoder);

#endif
