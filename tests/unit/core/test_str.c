#include "test.h"

#include "core/str.h"

TEST(trim_and_sub) {
    static const struct {
        const char *name, *text, *want;
    } cases[] = {
        { "empty", "", "" },       { "blank", " \t\r\n", "" },
        { "plain", "abc", "abc" }, { "inner space", "  a b ", "a b" },
        { "left", "\n\tx", "x" },  { "right", "x \r", "x" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(str_trim(str_from_c(cases[i].text)), cases[i].want, cases[i].name);
    CHECK_STR(str_sub(VSR_STR("hello"), 1, 3), "el", "middle");
    CHECK_STR(str_sub(VSR_STR("hello"), 3, 99), "lo", "end is clamped");
    CHECK_STR(str_sub(VSR_STR("hello"), 9, 2), "", "start is clamped");
}

TEST(compare) {
    static const struct {
        const char *a, *b;
        int order;
        bool nocase;
    } cases[] = {
        { "", "", 0, true },          { "a", "b", -1, false }, { "ab", "a", 1, false },
        { "Host", "hOST", -1, true }, { "a", "a", 0, true },   { "\xff", "a", 1, false },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str a = str_from_c(cases[i].a), b = str_from_c(cases[i].b);
        int order = str_cmp(a, b);
        CHECK_INT((order > 0) - (order < 0), cases[i].order, cases[i].a);
        CHECK_INT(str_eq_nocase(a, b), cases[i].nocase, cases[i].a);
        CHECK_INT(str_eq(a, b), cases[i].order == 0, cases[i].a);
    }
}

TEST(find) {
    CHECK_INT(str_find(VSR_STR("abcabc"), VSR_STR("ca")), 2, "middle");
    CHECK_INT(str_find(VSR_STR("abc"), VSR_STR("")), 0, "empty needle");
    CHECK_INT(str_find(VSR_STR("abc"), VSR_STR("abcd")), -1, "longer needle");
    CHECK_INT(str_find(VSR_STR(""), VSR_STR("a")), -1, "empty text");
    CHECK_INT(str_find_char(VSR_STR("abc"), 'c'), 2, "char");
    CHECK_INT(str_find_char((vsr_str){ NULL, 0 }, 'c'), -1, "null text");
    CHECK_INT(str_find_last_char(VSR_STR("abca"), 'a'), 3, "last char");
    CHECK_INT(str_find_last_char((vsr_str){ NULL, 0 }, 'c'), -1, "null text");
    CHECK_INT(str_starts(VSR_STR("abc"), VSR_STR("ab")), true, "starts");
    CHECK_INT(str_ends(VSR_STR("abc"), VSR_STR("bc")), true, "ends");
    CHECK_INT(str_ends(VSR_STR("c"), VSR_STR("bc")), false, "ends, too short");
}

TEST(split) {
    static const char *const want[] = { "a", "", "b", "" };
    size_t n = 0;
    for (vsr_str rest = VSR_STR("a,,b,"); rest.ptr;) {
        vsr_str part = str_split(&rest, ',');
        CHECK(n < VSR_COUNT(want), "too many parts");
        CHECK_STR(part, want[n++], "split");
    }
    CHECK_INT(n, VSR_COUNT(want), "parts");
}

TEST(numbers) {
    static const struct {
        const char *text;
        bool ok;
        uint64_t want;
    } cases[] = {
        { "0", true, 0 },
        { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "", false, 0 },
        { "-1", false, 0 },
        { "+1", false, 0 },
        { " 1", false, 0 },
        { "1a", false, 0 },
        { "007", true, 7 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        uint64_t value = 0;
        CHECK_INT(str_to_u64(str_from_c(cases[i].text), &value), cases[i].ok, cases[i].text);
        CHECK(value == cases[i].want, cases[i].text);
    }
}

/* Levenshtein by its definition, without the early stop. */
static size_t slow_distance(const char *a, const char *b) {
    size_t replace, remove, insert, best;
    if (!*a || !*b)
        return strlen(a) + strlen(b);
    replace = slow_distance(a + 1, b + 1) + (*a != *b);
    remove = slow_distance(a + 1, b) + 1;
    insert = slow_distance(a, b + 1) + 1;
    best = replace < remove ? replace : remove;
    return best < insert ? best : insert;
}

TEST(distance_equals_definition) {
    static const char *const words[] = { "",         "a",      "ab",      "ba",    "priority",
                                         "prioirty", "kyword", "keyword", "model", "mode" };
    for (size_t i = 0; i < VSR_COUNT(words); i++) {
        for (size_t j = 0; j < VSR_COUNT(words); j++) {
            size_t want = strlen(words[i]) + strlen(words[j]) > 16 ? SIZE_MAX : slow_distance(words[i], words[j]);
            if (want == SIZE_MAX)
                continue;
            for (size_t max = 0; max < 6; max++)
                CHECK_INT(str_distance(str_from_c(words[i]), str_from_c(words[j]), max), want > max ? max + 1 : want,
                          words[i]);
        }
    }
}

RUN_TESTS(T(trim_and_sub), T(compare), T(find), T(split), T(numbers), T(distance_equals_definition))
