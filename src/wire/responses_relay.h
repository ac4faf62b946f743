/*
 * responses_relay - the answer of a Responses backend to a Responses client, as the backend wrote it.
 *
 * Events and items pass with their bytes, those of types that vsr does not know, too. Only what is vsr's own is put in
 * their place: the response's id and what it follows, whether it is stored, the model's name, and the sequence numbers,
 * which stay without a gap. A stream that the backend does not end gets `response.failed`.
 *
 * It is an encoder (encoder.h), so that its end is like that of any other answer; but it writes what it is fed. Deltas
 * of a decoder that reads along tell it errors and the end.
 */
#ifndef VSR_WIRE_RESPONSES_RELAY_H
#define VSR_WIRE_RESPONSES_RELAY_H

#include "core/str.h"

struct arena;
struct buf;
struct encoder;
struct encoder_options;

/* As encoder_new(); `options->response` must be there. Free with encoder_free(). */
struct encoder *responses_relay_new(const struct encoder_options *options, struct arena *arena, struct buf *out);

/* Bytes of the backend; before a decoder's deltas of the same bytes are taken. */
void responses_relay_feed(struct encoder *relay, vsr_str bytes);

#endif
