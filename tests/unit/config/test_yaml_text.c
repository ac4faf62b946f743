/* Quoted scalars: escapes and folded lines. */
#include "test.h"

#include "config/yaml_text.h"
#include "core/arena.h"

static const struct {
    const char *name, *raw, *want;
} doubles[] = {
    { "nothing", "", "" },
    { "plain", "a b", "a b" },
    { "letters", "\\a\\b\\t\\n\\v\\f\\r\\e", "\a\b\t\n\v\f\r\x1B" },
    { "signs", "\\\"\\\\\\/\\ \\\t", "\"\\/ \t" },
    { "named", "\\_\\N\\L\\P", "\xC2\xA0\xC2\x85\xE2\x80\xA8\xE2\x80\xA9" },
    { "hexadecimal", "\\x41\\xe9\\u00E9\\u20ac\\U0001f389", "A\xC3\xA9\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\x89" },
    { "two halves", "\\ud83c\\udf89", "\xF0\x9F\x8E\x89" },
    { "half alone", "\\ud83cx\\udf89", "\xEF\xBF\xBDx\xEF\xBF\xBD" },
    { "half before something else", "\\ud83c\\u0041",
      "\xEF\xBF\xBD"
      "A" },
    { "past the last", "\\U00110000", "\xEF\xBF\xBD" },
    { "a line break is a blank", "a \t\n  b", "a b" },
    { "two are one", "a\n\n  b", "a\nb" },
    { "carriage returns", "a\r\n\r\n b\rc", "a\nb c" },
    { "escaped break", "a \\\n   b", "a b" },
    { "escaped break, empty line", "a\\\n\n\n b", "a\n\nb" },
    { "escaped blank at the end of a line", "a\\ \n  b", "a  b" },
    { "escaped blank at the beginning", "a\n  \\  b", "a   b" },
    { "escaped newline before a break", "a\\n\n b", "a\n b" },
    { "break first and last", "\n a\n ", " a " },
};

static const struct {
    const char *name, *raw, *want;
} singles[] = {
    { "nothing", "", "" },
    { "doubled", "it''s''", "it's'" },
    { "backslashes", "a\\n", "a\\n" },
    { "folded", "a ''\n  b\n\n  c", "a ' b\nc" },
};

TEST(double_quotes) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(doubles); i++)
        CHECK_STR(yaml_unquote_double(arena, str_from_c(doubles[i].raw)), doubles[i].want, doubles[i].name);
    CHECK(str_eq(yaml_unquote_double(arena, VSR_STR("\\0\n\\x00")), str_make("\0 \0", 3)), "zero");
    arena_free(arena);
}

TEST(single_quotes) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(singles); i++)
        CHECK_STR(yaml_unquote_single(arena, str_from_c(singles[i].raw)), singles[i].want, singles[i].name);
    arena_free(arena);
}

RUN_TESTS(T(double_quotes), T(single_quotes))
