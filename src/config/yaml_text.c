#include "config/yaml_text.h"

#include <stdbool.h>

#include "core/arena.h"
#include "core/utf8.h"

enum { REPLACEMENT = 0xFFFD };

/* Text is never longer than what it was written as: the shortest escape, `\N`, gives as many bytes as it takes, but for
 * `\L` and `\P`, which give one more. */
struct unquote {
    vsr_str raw;
    char *out;
    size_t at, len;
    size_t kept; /* what lies before came out of escapes or line breaks and stays */
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_break(char c) {
    return c == '\n' || c == '\r';
}

/* Moves behind the blanks and line breaks that stand there. Returns how many breaks there were. */
static size_t skip_breaks(struct unquote *u) {
    size_t n = 0;
    for (; u->at < u->raw.len && (is_blank(u->raw.ptr[u->at]) || is_break(u->raw.ptr[u->at])); u->at++)
        n += u->raw.ptr[u->at] == '\n' ||
             (u->raw.ptr[u->at] == '\r' && !(u->at + 1 < u->raw.len && u->raw.ptr[u->at + 1] == '\n'));
    return n;
}

static void fold(struct unquote *u) {
    size_t n_breaks;
    while (u->len > u->kept && is_blank(u->out[u->len - 1]))
        u->len--;
    n_breaks = skip_breaks(u);
    if (n_breaks == 1)
        u->out[u->len++] = ' ';
    for (size_t i = 1; i < n_breaks; i++)
        u->out[u->len++] = '\n';
    u->kept = u->len;
}

vsr_str yaml_unquote_single(struct arena *arena, vsr_str raw) {
    struct unquote u = { .raw = raw, .out = arena_alloc(arena, raw.len + 1) };
    while (u.at < raw.len) {
        if (is_break(raw.ptr[u.at])) {
            fold(&u);
            continue;
        }
        u.out[u.len++] = raw.ptr[u.at];
        u.at += raw.ptr[u.at] == '\'' ? 2 : 1;
    }
    return str_make(u.out, u.len);
}

/* ---- double quotes */

static unsigned hex_digit(char c) {
    return ascii_is_digit(c) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a' + 10) & 0xFu;
}

static uint32_t read_hex(struct unquote *u, size_t n) {
    uint32_t value = 0;
    for (; n > 0 && u->at < u->raw.len; n--)
        value = value << 4 | hex_digit(u->raw.ptr[u->at++]);
    return value;
}

/* A code point beyond the first plane may be written as two escapes, as in JSON. */
static uint32_t read_code_point(struct unquote *u, size_t n_digits) {
    uint32_t high = read_hex(u, n_digits), low;
    size_t after = u->at;
    if (high < 0xD800 || high > 0xDFFF)
        return high > 0x10FFFF ? REPLACEMENT : high;
    if (high > 0xDBFF || !str_starts(str_sub(u->raw, u->at, u->raw.len), VSR_STR("\\u")))
        return REPLACEMENT;
    u->at += 2;
    low = read_hex(u, 4);
    if (low >= 0xDC00 && low <= 0xDFFF)
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    u->at = after;
    return REPLACEMENT;
}

/* The character of an escape whose letter is `c`, behind which `at` stands. */
static uint32_t escaped(struct unquote *u, char c) {
    static const char letters[] = "0abtnvfre";
    static const char values[] = "\0\a\b\t\n\v\f\r\x1B";
    const char *simple = c ? strchr(letters, c) : NULL;
    if (simple)
        return (unsigned char)values[simple - letters];
    switch (c) {
    case 'N':
        return 0x85;
    case '_':
        return 0xA0;
    case 'L':
        return 0x2028;
    case 'P':
        return 0x2029;
    case 'x':
        return read_hex(u, 2);
    case 'u':
        return read_code_point(u, 4);
    case 'U':
        return read_code_point(u, 8);
    default: /* blank, tab, quote, backslash, slash: themselves */
        return (unsigned char)c;
    }
}

static void unescape(struct unquote *u) {
    char c = ++u->at < u->raw.len ? u->raw.ptr[u->at] : '\\';
    if (is_break(c)) {
        /* The break is nothing; empty lines behind it are line breaks. */
        size_t n_breaks = skip_breaks(u);
        for (size_t i = 1; i < n_breaks; i++)
            u->out[u->len++] = '\n';
    } else {
        u->at++;
        u->len += utf8_encode(escaped(u, c), u->out + u->len);
    }
    u->kept = u->len;
}

vsr_str yaml_unquote_double(struct arena *arena, vsr_str raw) {
    struct unquote u = { .raw = raw, .out = arena_alloc(arena, raw.len * 2 + 1) };
    while (u.at < raw.len) {
        if (raw.ptr[u.at] == '\\')
            unescape(&u);
        else if (is_break(raw.ptr[u.at]))
            fold(&u);
        else
            u.out[u.len++] = raw.ptr[u.at++];
    }
    return str_make(u.out, u.len);
}
