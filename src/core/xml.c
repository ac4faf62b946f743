#include "core/xml.h"

#include "core/buf.h"
#include "core/utf8.h"

/* NULL: the character stands for itself, if XML allows it. */
static const char *reference(uint32_t cp) {
    switch (cp) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

/* DEL is allowed and acts on terminals all the same. */
static bool is_allowed(uint32_t cp) {
    return cp != UTF8_INVALID && cp != 0xFFFE && cp != 0xFFFF && cp >= ' ' && cp != 0x7F;
}

void xml_append(struct buf *out, vsr_str text) {
    for (size_t at = 0; at < text.len;) {
        size_t begin = at;
        uint32_t cp = utf8_next(text, &at);
        const char *replaced = reference(cp);
        if (replaced)
            (void)buf_append_c(out, replaced); /* whoever writes the buffer asks whether it failed */
        else
            (void)buf_append(out, is_allowed(cp) ? str_sub(text, begin, at) : VSR_STR(" "));
    }
}
