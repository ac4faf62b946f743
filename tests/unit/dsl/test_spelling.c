/* How strings, names and numbers are written, and that the lexer reads them back. */
#include "dsl/spelling.h"

#include <math.h>
#include <utf8proc.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_number.h"
#include "core/random.h"
#include "core/utf8.h"
#include "dsl/findings.h"
#include "dsl/token.h"
#include "test.h"

enum { SPELLED_LEN_MAX = 4096, NUMBERS = 20000, CODE_POINT_LAST = 0x10FFFF };

static const char *spelled(struct buf *out, void (*spell)(struct buf *, vsr_str), vsr_str text) {
    buf_reset(out);
    spell(out, text);
    buf_append_char(out, '\0');
    return out->ptr;
}

TEST(strings) {
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "", "\"\"" },
        { "plain", "\"plain\"" },
        { "a\"b\\c", "\"a\\\"b\\\\c\"" },
        { "\a\b\f\n\r\t\v", "\"\\a\\b\\f\\n\\r\\t\\v\"" },
        { "\x01\x1f\x7f", "\"\\x01\\x1f\\x7f\"" },
        { "\u672c\u5730 \u00e9", "\"\u672c\u5730 \u00e9\"" },
        { "a\u00a0b", "\"a\\u00a0b\"" },
        { "\U0001F469\u200d\U0001F4BB", "\"\U0001F469\\u200d\U0001F4BB\"" },
        { "\ufeff", "\"\\ufeff\"" },
        { "\u2028\u3000", "\"\\u2028\\u3000\"" },
        { "\U000E0001\U0010FFFF", "\"\\U000e0001\\U0010ffff\"" },
        { "#{}", "\"#{}\"" },
    };
    struct buf out;
    buf_init(&out, SPELLED_LEN_MAX);
    for (size_t i = 0; i < VSR_COUNT(rows); i++)
        CHECK(strcmp(spelled(&out, spell_string, str_from_c(rows[i].text)), rows[i].want) == 0, rows[i].want);
    buf_done(&out);
}

TEST(names) {
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "law", "law" },
        { "_x.y/z-1", "_x.y/z-1" },
        { "7b", "\"7b\"" },
        { "-a", "\"-a\"" },
        { ".a", "\".a\"" },
        { "/a", "\"/a\"" },
        { "", "\"\"" },
        { "computer science", "\"computer science\"" },
        { "\u00e9", "\"\u00e9\"" },
        { "ROUTE", "ROUTE" },
        { "a:b", "\"a:b\"" },
    };
    struct buf out;
    buf_init(&out, SPELLED_LEN_MAX);
    for (size_t i = 0; i < VSR_COUNT(rows); i++)
        CHECK(strcmp(spelled(&out, spell_name, str_from_c(rows[i].text)), rows[i].want) == 0, rows[i].want);
    buf_done(&out);
}

static const char *spelled_number(struct buf *out, double value) {
    buf_reset(out);
    spell_number(out, value);
    buf_append_char(out, '\0');
    return out->ptr;
}

TEST(numbers) {
    static const struct {
        double value;
        const char *want;
    } rows[] = {
        { 0, "0" },
        { -0.0, "-0" },
        { 2, "2" },
        { 1000, "1000" },
        { 0.72, "0.72" },
        { 1e-5, "0.00001" },
        { 1e-9, "0.000000001" },
        { -1.5, "-1.5" },
        { 1e21, "1000000000000000000000" },
        { 1.25e22, "12500000000000000000000" },
        { 0.1, "0.1" },
        { 123456.789, "123456.789" },
        { 1.5e-7, "0.00000015" },
    };
    struct buf out;
    buf_init(&out, SPELLED_LEN_MAX);
    for (size_t i = 0; i < VSR_COUNT(rows); i++)
        CHECK(strcmp(spelled_number(&out, rows[i].value), rows[i].want) == 0, rows[i].want);
    buf_done(&out);
}

/* Random bits: every finite number comes back as it was. */
TEST(numbers_read_back) {
    struct random random = { { 1, 2, 3, 4 } };
    struct buf out;
    buf_init(&out, SPELLED_LEN_MAX);
    for (int i = 0; i < NUMBERS; i++) {
        uint64_t bits = random_next(&random);
        double value, back = 0;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        spelled_number(&out, value);
        CHECK(str_find_char(str_from_c(out.ptr), 'e') < 0, "no exponent");
        CHECK(json_number_double(str_from_c(out.ptr), &back) && back == value, out.ptr);
    }
    buf_done(&out);
}

/* The table says what the library of its Unicode version says. */
TEST(printable_by_category) {
    int wrong = 0;
    if (strcmp(utf8proc_unicode_version(), "15.0.0") != 0)
        skip();
    for (uint32_t cp = 0; cp <= CODE_POINT_LAST; cp++) {
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
        bool want = category != UTF8PROC_CATEGORY_CN && category < UTF8PROC_CATEGORY_ZS;
        wrong += spelling_is_printable(cp) != (want || cp == ' ');
    }
    CHECK_INT(wrong, 0, "code points");
}

/* Every code point, in a string of its own with neighbours: the lexer reads what was spelled, without a finding. */
TEST(strings_read_back) {
    struct buf text, out;
    buf_init(&text, (size_t)8 << 20);
    buf_init(&out, (size_t)16 << 20);
    for (uint32_t first = 0; first <= CODE_POINT_LAST; first += 4096) {
        struct arena *arena = arena_new(0, 0);
        struct findings findings;
        struct tokens tokens;
        buf_reset(&text);
        buf_reset(&out);
        for (uint32_t cp = first; cp < first + 4096; cp++) {
            char bytes[4];
            if (cp < 0xD800 || cp > 0xDFFF)
                buf_append(&text, str_make(bytes, utf8_encode(cp, bytes)));
        }
        spell_string(&out, buf_str(&text));
        findings_init(&findings, arena);
        tokens_read(arena, buf_str(&out), &tokens, &findings);
        CHECK_INT(findings.n, 0, "no finding");
        CHECK_INT(tokens.n, 2, "one string and the end");
        CHECK(str_eq(tokens.items[0].text, buf_str(&text)), "comes back");
        arena_free(arena);
    }
    buf_done(&text);
    buf_done(&out);
}

RUN_TESTS(T(strings), T(names), T(numbers), T(numbers_read_back), T(printable_by_category), T(strings_read_back))
