/*
 * responses_id - names of responses and of their items: a prefix and 24 hex digits.
 *
 * Responses are named by the kernel's random numbers (protocol_mint_id()). Items follow from their response's name and
 * their place in it (SHA-256), so that a response that is translated again, or listed twice, has the same items. Any
 * thread.
 */
#ifndef VSR_WIRE_RESPONSES_ID_H
#define VSR_WIRE_RESPONSES_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct arena;

enum {
    RESPONSES_ID_HEX_LEN = 24,
    RESPONSES_ID_LEN_MAX = 64, /* of a name that may be one of ours: `resp_` and 24 digits, with room */
};

/* The item at `index` of the input or the output of `response_id`; `prefix` as `msg_`. In the arena. */
vsr_str responses_id_of_item(struct arena *arena, const char *prefix, vsr_str response_id, bool is_output,
                             size_t index);

#endif
