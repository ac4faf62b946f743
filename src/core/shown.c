#include "core/shown.h"

#include "core/utf8.h"

enum { REPLACEMENT = 0xFFFD };

bool shown_is_active(uint32_t cp) {
    return cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || (cp >= 0x200E && cp <= 0x200F) || (cp >= 0x2028 && cp <= 0x202E) ||
           (cp >= 0x2066 && cp <= 0x2069) || cp == 0x061C || cp == 0xFEFF || cp == UTF8_INVALID;
}

static void append_code_point(struct buf *out, uint32_t cp) {
    char bytes[4];
    if (cp == UTF8_INVALID)
        cp = REPLACEMENT;
    if (cp == '\n')
        buf_append_c(out, "\\n");
    else if (cp == '\t')
        buf_append_c(out, "\\t");
    else if (shown_is_active(cp))
        buf_printf(out, cp < 0x100 ? "\\x%02x" : "\\u%04x", cp);
    else
        buf_append(out, str_make(bytes, utf8_encode(cp, bytes)));
}

void shown_append(struct buf *out, vsr_str text) {
    for (size_t at = 0; at < text.len;)
        append_code_point(out, utf8_next(text, &at));
}
