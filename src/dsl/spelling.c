#include "dsl/spelling.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/json_number.h"
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

/* ---- numbers */

static void spell_zeros(struct buf *out, int n) {
    for (; n > 0; n--)
        buf_append_char(out, '0');
}

/* A shortest literal as its digits and the power of ten that the point in front of them stands for: 0.digits * 10^p. */
struct decimal {
    char digits[JSON_NUMBER_LEN_MAX];
    int n;
    int point;
};

static struct decimal decimal_of(vsr_str literal) {
    struct decimal decimal = { .n = 0 };
    ptrdiff_t e = str_find_char(literal, 'e');
    vsr_str mantissa = str_sub(literal, 0, e < 0 ? literal.len : (size_t)e);
    ptrdiff_t dot = str_find_char(mantissa, '.');
    int leading = 0;
    decimal.point = (int)(dot < 0 ? (ptrdiff_t)mantissa.len : dot) + (e < 0 ? 0 : (int)strtol(literal.ptr + e + 1, NULL, 10));
    for (size_t i = 0; i < mantissa.len; i++) {
        if (mantissa.ptr[i] == '.')
            continue;
        if (mantissa.ptr[i] == '0' && decimal.n == 0)
            leading++;
        else
            decimal.digits[decimal.n++] = mantissa.ptr[i];
    }
    decimal.point -= leading;
    while (decimal.n > 0 && decimal.digits[decimal.n - 1] == '0')
        decimal.n--;
    return decimal;
}

void spell_number(struct buf *out, double value) {
    char literal[JSON_NUMBER_LEN_MAX + 1];
    bool negative = signbit(value);
    size_t len = json_number_print(fabs(value), literal);
    struct decimal decimal;
    literal[len] = '\0';
    decimal = decimal_of(str_make(literal, len));
    if (negative)
        buf_append_char(out, '-');
    if (decimal.n == 0) {
        buf_append_char(out, '0');
    } else if (decimal.point <= 0) {
        buf_append_c(out, "0.");
        spell_zeros(out, -decimal.point);
        buf_append(out, str_make(decimal.digits, (size_t)decimal.n));
    } else if (decimal.point >= decimal.n) {
        buf_append(out, str_make(decimal.digits, (size_t)decimal.n));
        spell_zeros(out, decimal.point - decimal.n);
    } else {
        buf_append(out, str_make(decimal.digits, (size_t)decimal.point));
        buf_append_char(out, '.');
        buf_append(out, str_make(decimal.digits + decimal.point, (size_t)(decimal.n - decimal.point)));
    }
}
