/*
 * http1_chars - which bytes may stand where in an HTTP message. Private to http1*.c. Any thread.
 */
#ifndef VSR_NET_HTTP1_CHARS_H
#define VSR_NET_HTTP1_CHARS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

enum {
    HTTP1_CHAR_TOKEN = 1u << 0,  /* RFC 9110 5.6.2 */
    HTTP1_CHAR_TEXT = 1u << 1,   /* field values, reason phrases, quoted strings: tab, space, visible, 0x80 to 0xff */
    HTTP1_CHAR_TARGET = 1u << 2, /* see http1_target_ok() */
    HTTP1_CHAR_HOST = 1u << 3,   /* reg-name, RFC 3986 3.2.2 */
    HTTP1_CHAR_HEX = 1u << 4,
};

extern const unsigned char http1_chars[256];

static inline bool http1_char_is(char c, unsigned char_class) {
    return http1_chars[(unsigned char)c] & char_class;
}

/* Length of the longest prefix of `text` whose bytes are all of the class. */
static inline size_t http1_span(vsr_str text, unsigned char_class) {
    size_t len = 0;
    while (len < text.len && http1_char_is(text.ptr[len], char_class))
        len++;
    return len;
}

/* The same for HTTP1_CHAR_TEXT, 16 bytes at a time where the machine allows. */
size_t http1_text_span(vsr_str text);

#endif
