#include "wire/responses_id.h"

#include <openssl/sha.h>

#include "core/arena.h"

enum { ID_BYTES = RESPONSES_ID_HEX_LEN / 2 };

static vsr_str id_make(struct arena *arena, const char *prefix, const unsigned char *bytes) {
    static const char digits[] = "0123456789abcdef";
    char hex[RESPONSES_ID_HEX_LEN];
    for (size_t i = 0; i < ID_BYTES; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    return arena_printf(arena, "%s%.*s", prefix, RESPONSES_ID_HEX_LEN, hex);
}

vsr_str responses_id_of_item(struct arena *arena, const char *prefix, vsr_str response_id, bool is_output,
                             size_t index) {
    vsr_str place = arena_printf(arena, "%.*s:%s:%zu", VSR_FMT(response_id), is_output ? "output" : "input", index);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)place.ptr, place.len, digest);
    return id_make(arena, prefix, digest);
}
