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

/* ---- reading */

enum { NO_DIGIT = 64, BLANK, PADDING };

static unsigned digit_of(char c) {
    if (c >= 'A' && c <= 'Z')
        return (unsigned)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0') + 52;
    switch (c) {
    case '+':
        return 62;
    case '/':
        return 63;
    case '=':
        return PADDING;
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return BLANK;
    default:
        return NO_DIGIT;
    }
}

static bool is_padding(vsr_str rest, bool canonical) {
    size_t n = 0;
    for (size_t i = 0; i < rest.len; i++) {
        unsigned digit = digit_of(rest.ptr[i]);
        if (digit != PADDING && (canonical || digit != BLANK))
            return false;
        n += digit == PADDING;
    }
    return n <= 2;
}

bool base64_read(vsr_str text, bool canonical, char *out, size_t *ret_len) {
    uint32_t bits = 0;
    size_t n = 0, n_digits = 0, i = 0;
    if (canonical && (text.len == 0 || text.len % 4 != 0))
        return false;
    for (; i < text.len; i++) {
        unsigned digit = digit_of(text.ptr[i]);
        if (digit == PADDING)
            break;
        if (digit == BLANK && !canonical)
            continue;
        if (digit >= NO_DIGIT)
            return false;
        bits = bits << 6 | digit;
        if (++n_digits % 4 != 0)
            continue;
        out[n++] = (char)(bits >> 16);
        out[n++] = (char)(bits >> 8);
        out[n++] = (char)bits;
    }
    if (!is_padding(str_sub(text, i, text.len), canonical))
        return false;
    switch (n_digits % 4) { /* 2 left: 12 bits, of which 8 count; 3 left: 18 and 16 */
    case 0:
        if (i < text.len && text.ptr[i] == '=')
            return false;
        break;
    case 2:
        if (canonical && (bits & 15))
            return false;
        out[n++] = (char)(bits >> 4);
        break;
    case 3:
        if (canonical && (bits & 3))
            return false;
        out[n++] = (char)(bits >> 10);
        out[n++] = (char)(bits >> 2);
        break;
    default:
        return false;
    }
    *ret_len = n;
    return true;
}
