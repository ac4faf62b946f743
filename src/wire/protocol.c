#include "wire/protocol.h"

#include <openssl/rand.h>

#include "core/arena.h"
#include "core/assert.h"

vsr_str protocol_name(enum protocol protocol) {
    static const vsr_str names[PROTOCOL_COUNT] = {
        [PROTOCOL_CHAT] = VSR_STR_INIT("openai"),
        [PROTOCOL_MESSAGES] = VSR_STR_INIT("anthropic"),
        [PROTOCOL_RESPONSES] = VSR_STR_INIT("openai-responses"),
        [PROTOCOL_COMPLETIONS] = VSR_STR_INIT("openai-completions"),
        [PROTOCOL_EMBEDDINGS] = VSR_STR_INIT("openai-embeddings"),
        [PROTOCOL_IMAGES] = VSR_STR_INIT("openai-images"),
    };
    VSR_ASSERT(protocol < PROTOCOL_COUNT);
    return names[protocol];
}

vsr_str protocol_mint_id(struct arena *arena, vsr_str prefix) {
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[PROTOCOL_ID_LEN / 2];
    char *out = arena_alloc(arena, prefix.len + PROTOCOL_ID_LEN + 1);
    VSR_ASSERT(RAND_bytes(bytes, (int)sizeof(bytes)) == 1); /* without randomness there is no safe id */
    memcpy(out, prefix.ptr, prefix.len);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        out[prefix.len + 2 * i] = hex[bytes[i] >> 4];
        out[prefix.len + 2 * i + 1] = hex[bytes[i] & 0xF];
    }
    return str_make(out, prefix.len + PROTOCOL_ID_LEN);
}
