#include "wire/messages_tokens.h"

#include "wire/envelope.h"
#include "wire/messages_request.h"
#include "wire/token_estimate.h"

int messages_count_tokens(const struct json_doc *doc, double bytes_per_token, uint64_t *ret_tokens,
                          struct vsr_err *err) {
    struct envelope envelope;
    uint64_t text;
    int rc = messages_check(doc, err);
    if (rc < 0)
        return rc;
    envelope_measure(doc, ENVELOPE_ANTHROPIC_MESSAGES, &envelope);
    text = token_estimate_tokens(envelope.text_bytes, bytes_per_token);
    envelope.text_bytes = 0;
    *ret_tokens = envelope_input_tokens(&envelope, 0);
    *ret_tokens = text > UINT64_MAX - *ret_tokens ? UINT64_MAX : *ret_tokens + text;
    return 0;
}
