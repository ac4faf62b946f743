/* links: wire */
/*
 * Answers of Chat Completions backends, whatever the bytes: the same deltas at any split, in the order that
 * answer_model.h promises, and what encoders make of them is valid JSON in every event.
 *
 * First byte: size of the pieces, its high bits whether the answer is streamed and ends cleanly.
 */
#include "answer_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    if (len > 0)
        answer_fuzz(PROTOCOL_CHAT, bytes[0], str_make((const char *)bytes + 1, len - 1));
    return 0;
}
