#include "test.h"

#include "core/arena.h"
#include "text/regex.h"

/* Counts checked against Go's regexp.FindAllString. */
static const struct {
    const char *pattern, *text;
    size_t count;
} counts[] = {
    { "x", "xxxx", 4 },
    { "aa", "aaaaa", 2 },
    { "a+", "aaa b aa", 2 },
    { "a+?", "aaa b aa", 5 },
    { "a|ab|b", "abb", 3 },
    { "ab|a|b", "abb", 2 },
    { "(?:a|ab)(?:c|bcd)", "abcd", 1 },
    { "a.*?b", "a1b a2b", 2 },
    { "a.*b", "a1b a2b", 1 },
    { "[?？]", "Why? 为什么？ ok", 2 },
    { "(?m)^\\s*\\d+\\.\\s+", "Do:\n 1. cook\n 2. eat", 2 },
    { "(?m)^\\w+$", "one\ntwo words\nthree", 2 },
    { "\\bcat\\b", "cat concat cat's", 2 },
    { "\\Bcat", "cat concat", 1 },
    { "^a", "aaa", 1 },
    { "a$", "aa", 1 },
    { "a\\z", "a\n", 0 },
    { "a$", "a\n", 0 },
    { "(?s)a.b", "a\nb", 1 },
    { "a.b", "a\nb", 0 },
    { "x{2,3}", "xxxxx", 2 },
    { "x{2}", "xxxxx", 2 },
    { "x{2,}", "xxxxx", 1 },
    { "x{2,3}?", "xxxxx", 2 },
    { "x{,2}", "x{,2}", 1 },
    { "[^a-c]", "abcd", 1 },
    { "[a\\]]", "a]", 2 },
    { "[]a]", "a]", 2 },
    { "[a-]", "a-b", 2 },
    { "\\Qa.b\\E+", "a.bb axb", 1 },
    { "\\x41\\x{42}\\103", "ABC", 1 },
    { "\\pL+", "añ 你好 1", 2 },
    { "\\p{Greek}+", "αβγ abc", 1 },
    { "\\P{Greek}", "αa", 1 },
    { "\\p{^Greek}", "αa", 1 },
    { "[[:digit:]]+", "12 34", 2 },
    { "[[:^digit:]]", "1a2", 1 },
    { "[\\d\\-]+", "1-2 a", 1 },
    { "(?P<n>a)(?<m>b)", "ab", 1 },
    { "(?i)k", "kK\xE2\x84\xAA", 3 },
    { "(?i)straße", "STRAẞE", 1 },
    { "(?i:a)b", "Ab AB", 1 },
    { "(?i)a(?-i)b", "Ab AB", 1 },
    { "(?U)a+", "aaa", 3 },
    { "(?U)a+?", "aaa", 1 },
    { "(?i)[^s]", "S\xC5\xBF x", 2 },
    { "(?i)\\W", "sk", 0 },
    { "(a*)+b", "aab", 1 },
    { "(|a)+b", "aab", 1 },
    { "😀", "😀😀", 2 },
    { ".", "é你😀", 3 },
    { "a", "", 0 },
    { "a(((((){1000}){1000}){1000}){1000}){1000}b", "ab a", 1 }, /* nothing, however often */
    { "a((((x{0}){1000}){1000}){1000}){1000}", "ax", 1 },
    { "\\p{Lu}\\p{Lu}[\\p{Lu}\\p{Nd}]", "ÄÖ7 Ä7Ö", 1 },
};

TEST(counts_leftmost_first) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(counts); i++) {
        struct regex *regex;
        struct vsr_err err = VSR_ERR_NONE;
        size_t count = 0, steps = REGEX_STEPS_MAX;
        int rc = regex_parse(arena, str_from_c(counts[i].pattern), &(struct regex_options){ 0 }, &regex, &err);
        CHECK_MSG(rc == 0, "%s: %s", counts[i].pattern, err.text);
        rc = regex_count(regex, arena, str_from_c(counts[i].text), &steps, &count, &err);
        CHECK_INT(rc, 0, counts[i].pattern);
        CHECK_INT(count, counts[i].count, counts[i].pattern);
    }
    arena_free(arena);
}

static const struct {
    const char *pattern, *message;
    uint32_t col;
} refused[] = {
    { "a(b", "missing closing )", 2 },
    { "a)b", "unexpected", 2 },
    { "[a", "missing closing ]", 1 },
    { "*a", "missing argument", 1 },
    { "a**", "nested repetition", 3 },
    { "a{2}{3}", "nested repetition", 5 },
    { "a{1001}", "repeat count", 2 },
    { "a{3,2}", "repeat count", 2 },
    { "(a)\\1", "back-references", 4 },
    { "(?=a)", "look-around", 1 },
    { "(?<!a)b", "look-around", 1 },
    { "(?>a)", "group syntax", 1 },
    { "a\\", "trailing backslash", 2 },
    { "\\y", "invalid escape", 1 },
    { "\\Z", "invalid escape", 1 },
    { "\\pX", "unknown Unicode class", 1 },
    { "\\p{Klingon}", "unknown Unicode class", 1 },
    { "[z-a]", "class range", 2 },
    { "[[:foo:]]", "invalid character class", 2 },
    { "\xFF", "invalid UTF-8", 1 },
    { "(?P<>a)", "named capture", 1 },
    { "((a{100}){100}){100}", "too large", 0 },
};

TEST(errors_say_what_and_where) {
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(refused); i++) {
        struct regex *regex;
        struct vsr_err err = VSR_ERR_NONE;
        int rc = regex_parse(arena, str_from_c(refused[i].pattern), &(struct regex_options){ 0 }, &regex, &err);
        CHECK_MSG(rc < 0, "%s was accepted", refused[i].pattern);
        CHECK_MSG(strstr(err.text, refused[i].message), "%s: %s", refused[i].pattern, err.text);
        CHECK_INT(err.col, refused[i].col, refused[i].pattern);
    }
    arena_free(arena);
}

TEST(empty_matches_are_known) {
    static const struct {
        const char *pattern;
        bool empty;
    } cases[] = { { "a*", true },       { "a|", true },     { "^$", true }, { "\\b", true },  { "a?b", false },
                  { "(a*)(b*)", true }, { "(a*)b", false }, { "", true },   { "x{0}", true }, { "(?i)", true } };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct regex *regex;
        int rc = regex_parse(arena, str_from_c(cases[i].pattern), &(struct regex_options){ 0 }, &regex, NULL);
        CHECK_INT(rc, 0, cases[i].pattern);
        CHECK_INT(regex_matches_empty(regex), cases[i].empty, cases[i].pattern);
    }
    arena_free(arena);
}

TEST(deep_nesting_is_refused) {
    struct arena *arena = arena_new(0, 0);
    char pattern[2 * (REGEX_DEPTH_MAX + 1) + 2];
    for (int extra = 0; extra <= 1; extra++) {
        size_t depth = REGEX_DEPTH_MAX + (size_t)extra;
        struct regex *regex;
        memset(pattern, '(', depth);
        pattern[depth] = 'a';
        memset(pattern + depth + 1, ')', depth);
        CHECK_INT(regex_parse(arena, str_make(pattern, 2 * depth + 1), &(struct regex_options){ 0 }, &regex, NULL),
                  extra ? VSR_E_LIMIT : 0, "depth");
    }
    arena_free(arena);
}

RUN_TESTS(T(counts_leftmost_first), T(errors_say_what_and_where), T(empty_matches_are_known),
          T(deep_nesting_is_refused))
