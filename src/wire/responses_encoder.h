/*
 * responses_encoder - what is asked of a Responses encoder beyond encoder.h.
 *
 * The encoder needs `options.response`; ids of items follow from its id and their place. It keeps the texts of the
 * answer, because its last events and the object that is stored repeat them.
 */
#ifndef VSR_WIRE_RESPONSES_ENCODER_H
#define VSR_WIRE_RESPONSES_ENCODER_H

#include <stdbool.h>

#include "core/str.h"
#include "wire/responses_object.h"

struct encoder;

enum { RESPONSES_TEXT_LEN_MAX = 32 << 20 }; /* of one answer; a longer one fails */

/* After END: how it ended. */
enum response_status responses_encoder_status(const struct encoder *encoder);

/* After END: the object of the last event, or what a failure looks like to whoever asks for it later. In the encoder.
 */
vsr_str responses_encoder_object(const struct encoder *encoder);

/*
 * Before END: somebody cancels the response, and it ends with what it has, without an event. responses_encoder_object()
 * is the object then. False: it has ended, or what it has is not known, because events of a backend are relayed.
 */
bool responses_encoder_cancel(struct encoder *encoder);

#endif
