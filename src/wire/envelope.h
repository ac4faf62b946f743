/*
 * envelope - how many tokens a request must at least cost, from its shape alone (signals.md §11.2).
 *
 * Texts, structured parts, images and framing are summed over the tape without decoding anything but escapes in
 * lengths. Arithmetic saturates. Pure: any thread.
 */
#ifndef VSR_WIRE_ENVELOPE_H
#define VSR_WIRE_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"

enum envelope_api { ENVELOPE_CHAT_COMPLETIONS, ENVELOPE_ANTHROPIC_MESSAGES };

enum {
    ENVELOPE_IMAGE_TOKENS = 8192,
    ENVELOPE_MESSAGE_FRAMING = 4,
    ENVELOPE_TOOL_FRAMING = 8, /* a tool call, a tool result, a tool definition */
    ENVELOPE_TEXT_BYTES_PER_TOKEN = 4,
};

struct envelope {
    uint64_t text_bytes, structured_bytes, images, framing, output_reserve;
    bool has_non_text; /* any structured, image or tool part */
};

void envelope_measure(const struct json_doc *doc, enum envelope_api api, struct envelope *ret_envelope);

/* The floor without the reserve for the answer. `structured_bytes_per_token` below 1 stands for 3.0. */
uint64_t envelope_input_tokens(const struct envelope *envelope, double structured_bytes_per_token);
/* The floor with it. */
uint64_t envelope_floor(const struct envelope *envelope, double structured_bytes_per_token);

#endif
