/*
 * messages_tokens - how many tokens a Messages request will take, estimated where no backend is asked.
 *
 * The answer of /v1/messages/count_tokens. Pure: any thread.
 */
#ifndef VSR_WIRE_MESSAGES_TOKENS_H
#define VSR_WIRE_MESSAGES_TOKENS_H

#include <stdint.h>

#include "core/err.h"
#include "core/json.h"

/*
 * Text is divided by `bytes_per_token` (token_estimate_ratio(); 0: 4), the rest counted as envelope.h does. Fails with
 * VSR_E_INVALID as messages_check() does.
 */
int messages_count_tokens(const struct json_doc *doc, double bytes_per_token, uint64_t *ret_tokens,
                          struct vsr_err *err) VSR_MUST_CHECK;

#endif
