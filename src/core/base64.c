#include "core/base64.h"

#include <stdint.h>

#include "core/buf.h"

void base64_write(struct buf *out, vsr_str bytes) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = 0;
        char text[4];
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < n ? (unsigned char)bytes.ptr[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            text[j] = j <= n ? alphabet[group >> (18 - 6 * j) & 63] : '=';
        buf_append(out, str_make(text, sizeof(text)));
    }
}
