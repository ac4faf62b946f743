#include "dsl/token_string.h"

#include "core/arena.h"
#include "core/utf8.h"
#include "dsl/findings.h"

enum { OCTAL_DIGITS = 3, BYTE_VALUE_MAX = 255, FIX_LEN_MAX = 4096 };

struct escape {
    size_t len; /* with the backslash */
    uint32_t value;
    bool code_point; /* else a byte */
};

/* `n` digits of the base, 8 or 16. */
static bool read_digits(vsr_str text, size_t n, unsigned base, uint32_t *ret_value) {
    uint32_t value = 0;
    if (text.len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.ptr[i], lower = c | 32;
        unsigned digit = c >= '0' && c <= '9' ? c - 48U : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10U : base;
        if (digit >= base)
            return false;
        value = value * base + digit;
    }
    *ret_value = value;
    return true;
}

static bool read_hex(vsr_str rest, size_t n, struct escape *ret) {
    ret->len = 2 + n;
    return read_digits(str_sub(rest, 2, rest.len), n, 16, &ret->value);
}

/* `rest` begins with the backslash and has at least one byte more. False: the language does not know the escape. */
static bool read_escape(vsr_str rest, struct escape *ret) {
    static const char letters[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";
    char c = rest.ptr[1];
    const char *letter = c ? strchr(letters, c) : NULL;
    *ret = (struct escape){ .len = 2 };
    if (letter) {
        ret->value = (unsigned char)values[letter - letters];
        return true;
    }
    switch (c) {
    case 'x':
        return read_hex(rest, 2, ret);
    case 'u':
    case 'U':
        ret->code_point = true;
        return read_hex(rest, c == 'u' ? 4 : 8, ret) && ret->value <= 0x10FFFF &&
               (ret->value < 0xD800 || ret->value > 0xDFFF);
    default:
        ret->len = 1 + OCTAL_DIGITS;
        return read_digits(str_sub(rest, 1, rest.len), OCTAL_DIGITS, 8, &ret->value) && ret->value <= BYTE_VALUE_MAX;
    }
}

static size_t put_escape(const struct escape *escape, char *out) {
    if (escape->code_point)
        return utf8_encode(escape->value, out);
    out[0] = (char)escape->value;
    return 1;
}

/* What an escape stands for is never longer than the escape. */
static vsr_str decode(struct arena *arena, vsr_str inner, size_t *ret_unknown) {
    char *out = arena_alloc(arena, inner.len + 1);
    size_t len = 0;
    struct escape escape;
    for (size_t i = 0; i < inner.len;) {
        const char *next = memchr(inner.ptr + i, '\\', inner.len - i);
        size_t plain = (next ? (size_t)(next - inner.ptr) : inner.len) - i;
        memcpy(out + len, inner.ptr + i, plain);
        len += plain;
        i += plain;
        if (i == inner.len)
            break;
        if (!read_escape(str_sub(inner, i, inner.len), &escape)) {
            *ret_unknown = i;
            return inner;
        }
        len += put_escape(&escape, out + len);
        i += escape.len;
    }
    return str_make(out, len);
}

/* The literal text from its first backslash to its last one, each of them written as an escape. */
struct spelled {
    vsr_str text;
    size_t start, end; /* what it replaces */
};

static struct spelled spell_out(struct arena *arena, vsr_str inner) {
    char *out = arena_alloc(arena, 2 * inner.len + 1);
    size_t len = 0, i = (size_t)str_find_char(inner, '\\');
    struct spelled spelled = { .start = i };
    while (i < inner.len) {
        if (inner.ptr[i] != '\\') {
            out[len++] = inner.ptr[i++];
            continue;
        }
        out[len++] = '\\';
        out[len++] = '\\';
        i++;
        if (inner.ptr[i] == '\\' || inner.ptr[i] == '"')
            out[len++] = '\\';
        spelled.end = i;
        (void)utf8_next(inner, &spelled.end);
        while (i < spelled.end)
            out[len++] = inner.ptr[i++];
        spelled.text = str_make(out, len);
    }
    return spelled;
}

static void tell_unknown(struct arena *arena, vsr_str source, struct dsl_at at, vsr_str inner, size_t unknown,
                         struct findings *findings) {
    struct dsl_at where = at, fix = at;
    size_t after = unknown + 1;
    struct finding *finding;
    struct spelled spelled;
    (void)utf8_next(inner, &after);
    where.start = at.start + 1 + (uint32_t)unknown;
    where.end = at.start + 1 + (uint32_t)after;
    dsl_place(source, at, where.start, &where.line, &where.col);
    finding = finding_add(findings, FINDING_WARNING, "W104", where, "unknown escape `%.*s`; string taken literally",
                          VSR_FMT(str_sub(inner, unknown, after)));
    if (!finding || inner.len > FIX_LEN_MAX)
        return;
    spelled = spell_out(arena, inner);
    fix.start = at.start + 1 + (uint32_t)spelled.start;
    fix.end = at.start + 1 + (uint32_t)spelled.end;
    dsl_place(source, at, fix.start, &fix.line, &fix.col);
    if (fix.start == where.start && fix.end == where.end)
        finding_fix(finding, fix, spelled.text, "write `%.*s`", VSR_FMT(spelled.text));
    else
        finding_fix(finding, fix, spelled.text, "double each backslash");
}

bool token_string(struct arena *arena, vsr_str source, struct dsl_at at, struct findings *findings, vsr_str *ret_text) {
    vsr_str inner = str_sub(source, at.start + 1, at.end - 1);
    size_t unknown = SIZE_MAX;
    *ret_text = inner;
    if (str_find_char(inner, '\\') < 0)
        return true; /* the source was checked */
    *ret_text = decode(arena, inner, &unknown);
    if (unknown != SIZE_MAX)
        tell_unknown(arena, source, at, inner, unknown, findings);
    return utf8_check(*ret_text) == ret_text->len;
}
