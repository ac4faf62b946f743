/*
 * decoder - reads a backend's answer and says it as deltas (answer_model.h).
 *
 * One per answer. The deltas do not depend on how the bytes are split. JSON of one event is scanned into scratch memory
 * that is reused, so a stream of any length costs the memory of its largest event. Unknown events, blocks and members
 * are passed as DELTA_FOREIGN where the family has such items, else ignored. One thread.
 *
 * To add a protocol: write <name>_decoder.c with a `struct decoder_kind` (decoder_kind.h) and add its row to the table
 * in decoder.c.
 */
#ifndef VSR_WIRE_DECODER_H
#define VSR_WIRE_DECODER_H

#include <stdbool.h>

#include "core/str.h"
#include "wire/answer_model.h"

struct decoder;

enum {
    DECODER_BODY_LEN_MAX = 64 << 20,  /* of a whole answer; a longer one is an error 502 */
    DECODER_EVENT_LEN_MAX = 32 << 20, /* of one event: there may be a picture in it */
};

/* Whether answers of this protocol can be decoded. */
bool decoder_supports(enum protocol protocol);

/*
 * `streamed`: the backend sends server-sent events (go by its content type, not by what was asked). Keeps `user`.
 * `protocol` must be supported. Never NULL; free with decoder_free().
 */
struct decoder *decoder_new(enum protocol protocol, bool streamed, answer_delta_fn *on_delta, void *user);
void decoder_free(struct decoder *decoder);

/* Streamed: says what these bytes complete. Whole: keeps them until decoder_end(). After END nothing is said. */
void decoder_feed(struct decoder *decoder, vsr_str bytes);

/*
 * No more bytes will come; `clean`: the backend ended the body properly. Says ERROR {502} when the protocol's own end
 * is missing or a whole answer cannot be read ("Response transformation error: ..."), and END unless that was said.
 */
void decoder_end(struct decoder *decoder, bool clean);

/* Whether END has been said: what still comes does not matter. */
bool decoder_ended(const struct decoder *decoder);

/* Whether bytes came that could not be read: frames that are no JSON or too long. Streams go on behind them. */
bool decoder_malformed(const struct decoder *decoder);

/*
 * Reads the body of an answer of `status` 4xx or 5xx: type, code and message as far as it says them, in `arena` or in
 * the body; a body that says nothing gives a message that names the status. The status is always `status`.
 */
void decoder_error_body(enum protocol protocol, int status, vsr_str body, struct arena *arena,
                        struct answer_error *ret_error);

#endif
