#include "core/utf8.h"

#include "test.h"

static const struct {
    const char *name, *bytes;
    size_t len, good; /* good: offset of the first invalid byte */
} cases[] = {
    { "empty", "", 0, 0 },
    { "ascii", "abc", 3, 3 },
    { "NUL", "a\0b", 3, 3 },
    { "two bytes, least", "\xC2\x80", 2, 2 },
    { "two bytes, most", "\xDF\xBF", 2, 2 },
    { "three bytes, least", "\xE0\xA0\x80", 3, 3 },
    { "before the surrogates", "\xED\x9F\xBF", 3, 3 },
    { "behind the surrogates", "\xEE\x80\x80", 3, 3 },
    { "noncharacter", "\xEF\xBF\xBF", 3, 3 },
    { "four bytes, least", "\xF0\x90\x80\x80", 4, 4 },
    { "four bytes, most", "\xF4\x8F\xBF\xBF", 4, 4 },
    { "lone continuation", "a\x80", 2, 1 },
    { "overlong C0", "\xC0\x80", 2, 0 },
    { "overlong C1", "\xC1\xBF", 2, 0 },
    { "overlong E0", "\xE0\x9F\xBF", 3, 0 },
    { "overlong F0", "\xF0\x8F\xBF\xBF", 4, 0 },
    { "surrogate, first", "\xED\xA0\x80", 3, 0 },
    { "surrogate, last", "\xED\xBF\xBF", 3, 0 },
    { "past the last", "\xF4\x90\x80\x80", 4, 0 },
    { "F5", "\xF5\x80\x80\x80", 4, 0 },
    { "FF", "a\xFF", 2, 1 },
    { "cut after one of two", "ab\xC3", 3, 2 },
    { "cut after two of three", "ab\xE2\x82", 4, 2 },
    { "cut after three of four", "ab\xF0\x9F\x98", 5, 2 },
    { "lead, then ascii", "\xE2\x82z", 3, 0 },
    { "one continuation too many", "\xC3\xA9\xA9", 3, 2 },
};

TEST(check_cases) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str text = { cases[i].bytes, cases[i].len };
        CHECK_INT(utf8_check(text), cases[i].good, cases[i].name);
        CHECK_INT(utf8_check_portable(text), cases[i].good, cases[i].name);
    }
}

/* Every case at every place around the vector width, between ASCII and between other characters. */
TEST(check_cases_at_every_offset) {
    static const char *const fillers[] = { "x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };
    char text[400];
    for (size_t f = 0; f < VSR_COUNT(fillers); f++) {
        size_t step = strlen(fillers[f]);
        for (size_t i = 0; i < VSR_COUNT(cases); i++) {
            for (size_t before = 0; before < 200; before += step) {
                size_t len = 0, want;
                for (; len < before; len += step)
                    memcpy(text + len, fillers[f], step);
                want = len + cases[i].good;
                memcpy(text + len, cases[i].bytes, cases[i].len);
                len += cases[i].len;
                for (size_t after = 0; after < 96 / step; after++, len += step)
                    memcpy(text + len, fillers[f], step);
                if (cases[i].good == cases[i].len)
                    want = len;
                CHECK_INT(utf8_check(str_make(text, len)), want, cases[i].name);
                CHECK_INT(utf8_check_portable(str_make(text, len)), want, cases[i].name);
            }
        }
    }
}

/* All pairs and triples of bytes that stand for their classes, in every combination, against each other. */
TEST(check_agrees_with_portable) {
    static const char bytes[] =
        "a\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xDF\xE0\xE1\xED\xEE\xEF\xF0\xF1\xF4\xF5\xF8\xFF";
    enum { N = sizeof(bytes) - 1 };
    char text[96];
    for (size_t i = 0; i < (size_t)N * N * N * N; i++) {
        memset(text, 'x', sizeof(text));
        text[30] = bytes[i % N];
        text[31] = bytes[i / N % N];
        text[32] = bytes[i / N / N % N];
        text[33] = bytes[i / N / N / N];
        if (utf8_check(str_make(text, sizeof(text))) != utf8_check_portable(str_make(text, sizeof(text))))
            CHECK_MSG(false, "bytes %02x %02x %02x %02x", text[30] & 0xFF, text[31] & 0xFF, text[32] & 0xFF,
                      text[33] & 0xFF);
    }
}

TEST(every_scalar_value_survives) {
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        char bytes[4];
        size_t len, pos = 0;
        if (cp == 0xD800)
            cp = 0xE000;
        len = utf8_encode(cp, bytes);
        CHECK_INT(utf8_check(str_make(bytes, len)), len, "encoded");
        CHECK_INT(utf8_next(str_make(bytes, len), &pos), cp, "next");
        CHECK_INT(pos, len, "next moves behind");
        CHECK_INT(utf8_prev(str_make(bytes, len), &pos), cp, "prev");
        CHECK_INT(pos, 0, "prev moves to the start");
    }
}

TEST(walk_over_invalid_bytes) {
    vsr_str text = VSR_STR("a\xFF\xE2\x82"
                           "b\xE2\x82\xAC");
    static const uint32_t want[] = { 'a', UTF8_INVALID, UTF8_INVALID, UTF8_INVALID, 'b', 0x20AC };
    size_t pos = 0;
    for (size_t i = 0; i < VSR_COUNT(want); i++)
        CHECK_INT(utf8_next(text, &pos), want[i], "forward");
    CHECK_INT(pos, text.len, "end");
    for (size_t i = VSR_COUNT(want); i-- > 0;)
        CHECK_INT(utf8_prev(text, &pos), want[i], "backward");
    CHECK_INT(pos, 0, "start");
    CHECK_INT(utf8_count(text), VSR_COUNT(want), "count");
    CHECK_INT(utf8_count(str_make(NULL, 0)), 0, "empty");
}

TEST(cut) {
    static const struct {
        const char *name, *text;
        size_t max;
        const char *want;
    } cut_cases[] = {
        { "shorter", "abc", 5, "abc" },
        { "exact", "abc", 3, "abc" },
        { "ascii", "abc", 2, "ab" },
        { "to nothing", "abc", 0, "" },
        { "inside two", "a\xC3\xA9", 2, "a" },
        { "behind two", "a\xC3\xA9z", 3, "a\xC3\xA9" },
        { "inside three, 1", "\xE2\x82\xAC", 1, "" },
        { "inside three, 2", "\xE2\x82\xAC", 2, "" },
        { "inside four, 3", "x\xF0\x9F\x98\x80", 4, "x" },
        { "between", "\xE2\x82\xAC\xE2\x82\xAC", 3, "\xE2\x82\xAC" },
        { "continuations only", "\x80\x80\x80\x80\x80", 4, "\x80\x80\x80\x80" },
    };
    for (size_t i = 0; i < VSR_COUNT(cut_cases); i++)
        CHECK_STR(utf8_cut(str_from_c(cut_cases[i].text), cut_cases[i].max), cut_cases[i].want, cut_cases[i].name);
}

RUN_TESTS(T(check_cases), T(check_cases_at_every_offset), T(check_agrees_with_portable), T(every_scalar_value_survives),
          T(walk_over_invalid_bytes), T(cut))
