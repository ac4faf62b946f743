#include "dsl/spelling.h"

#include <string.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/utf8.h"

struct printable_range {
    uint32_t first, last;
};

#include "dsl/printable_table.h"

enum { ASCII_LAST = 0x7E, BMP_LAST = 0xFFFF };

/* ---- strings */

bool spelling_is_printable(uint32_t cp) {
    size_t low = 0, high = VSR_COUNT(printable_ranges);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cp > printable_ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < VSR_COUNT(printable_ranges) && cp >= printable_ranges[low].first;
}

/* The letter behind the backslash, or 0. */
static char short_escape(uint32_t cp) {
    static const char values[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
    const char *value = cp && cp < 0x80 ? strchr(values, (int)cp) : NULL;
    return value ? letters[value - values] : 0;
}

static void spell_escaped(struct buf *out, uint32_t cp) {
    char letter = short_escape(cp);
    if (letter)
        buf_printf(out, "\\%c", letter);
    else if (cp < 0x80)
        buf_printf(out, "\\x%02x", cp);
    else
        buf_printf(out, cp <= BMP_LAST ? "\\u%04x" : "\\U%08x", cp);
}

static bool is_plain(uint32_t cp) {
    return cp <= ASCII_LAST ? cp >= ' ' && cp != '"' && cp != '\\' : spelling_is_printable(cp);
}

void spell_string(struct buf *out, vsr_str text) {
    buf_append_char(out, '"');
    for (size_t at = 0, start = 0; at < text.len; start = at) {
        uint32_t cp = utf8_next(text, &at);
        VSR_DEBUG_ASSERT(cp != UTF8_INVALID);
        if (is_plain(cp))
            buf_append(out, str_sub(text, start, at));
        else
            spell_escaped(out, cp);
    }
    buf_append_char(out, '"');
}

/* ---- names */

static bool begins_identifier(char c) {
    return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z' ? true : c == '_';
}

static bool continues_identifier(char c) {
    return begins_identifier(c) || ascii_is_digit(c) || c == '.' || c == '-' || c == '/';
}

bool spelling_is_identifier(vsr_str text) {
    if (text.len == 0 || !begins_identifier(text.ptr[0]))
        return false;
    for (size_t i = 1; i < text.len; i++)
        if (!continues_identifier(text.ptr[i]))
            return false;
    return true;
}

void spell_name(struct buf *out, vsr_str text) {
    if (spelling_is_identifier(text))
        buf_append(out, text);
    else
        spell_string(out, text);
}

/* ---- words as values */

void spell_word(struct buf *out, vsr_str text) {
    bool read_otherwise = str_eq_c(text, "true") || str_eq_c(text, "false") || str_eq_c(text, "null");
    if (read_otherwise)
        spell_string(out, text);
    else
        spell_name(out, text);
}
