#include "test.h"

#include "core/arena.h"
#include "nn/name_pattern.h"
#include "unit/nn/model_dir.h"

/* What Python's re.fullmatch says. */
static const struct {
    const char *pattern, *name;
    bool matches;
} cases[] = {
    { "", "", true },
    { "", "a", false },
    { "abc", "abc", true },
    { "abc", "abcd", false },
    { "abc", "ab", false },
    { "a.c", "a.c", true },
    { "a.c", "axc", true },
    { "a\\.c", "axc", false },
    { ".*\\.(q_proj|v_proj)", "layers.0.self_attn.q_proj", true },
    { ".*\\.(q_proj|v_proj)", "layers.0.self_attn.k_proj", false },
    { ".*\\.(?:q|v)_proj$", "layers.0.self_attn.v_proj", true },
    { "^layers\\.\\d+\\.attn\\.(Wqkv|Wo)$", "layers.12.attn.Wo", true },
    { "^layers\\.\\d+\\.attn\\.(Wqkv|Wo)$", "model.layers.12.attn.Wo", false },
    { "layers\\.(1[0-9]|2[01])\\..*", "layers.10.mlp.Wi", true },
    { "layers\\.(1[0-9]|2[01])\\..*", "layers.9.mlp.Wi", false },
    { "layers\\.(1[0-9]|2[01])\\..*", "layers.22.mlp.Wi", false },
    { "a|b", "a", true },
    { "a|b", "b", true },
    { "a|b|c", "c", true },
    { "a|b", "ab", false },
    { "a|", "", true },
    { "|a", "a", true },
    { "()", "", true },
    { "(a|b)*", "abba", true },
    { "(a|b)*", "abca", false },
    { "(a*)*", "aaaa", true },
    { "(a*)*b", "aaaa", false },
    { "(a*)+", "", true },
    { "(|a)+", "aaa", true },
    { "a+", "", false },
    { "a+", "aaa", true },
    { "a?b", "b", true },
    { "a?b", "aab", false },
    { "a+?b", "aab", true },
    { "a*?", "aaa", true },
    { "a{2}", "aa", true },
    { "a{2}", "aaa", false },
    { "a{2,}", "a", false },
    { "a{2,}", "aaaa", true },
    { "a{1,3}", "aaa", true },
    { "a{1,3}", "aaaa", false },
    { "a{0}b", "b", true },
    { "a{0,0}b", "ab", false },
    { "(ab){2,3}c", "ababc", true },
    { "(ab){2,3}c", "abc", false },
    { "[abc]+", "cab", true },
    { "[^abc]+", "xyz", true },
    { "[^abc]+", "xya", false },
    { "[a-c0-9_]+", "b7_", true },
    { "[a-c]", "d", false },
    { "[]]", "]", true },
    { "[^]]", "]", false },
    { "[a-]", "-", true },
    { "[\\d.]+", "1.2", true },
    { "[\\w]+", "a_B9", true },
    { "\\D\\W\\S", "a.b", true },
    { "\\s", " ", true },
    { "a$", "a", true },
    { "a$b", "ab", false },
    { "(^a|b)c", "ac", true },
    { "b^a", "ba", false },
    { "x(^a)", "xa", false },
    { "\\(\\)\\[\\]\\{\\}\\*", "()[]{}*", true },
};

TEST(matches) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct name_pattern *pattern;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_MSG(name_pattern_build(arena, str_from_c(cases[i].pattern), &pattern, &err) == 0, "%s", err.text);
        CHECK_MSG(name_pattern_matches(pattern, str_from_c(cases[i].name)) == cases[i].matches,
                  "\"%s\" and \"%s\": want %d", cases[i].pattern, cases[i].name, cases[i].matches);
        arena_free(arena);
    }
}

static const char *const refused[] = {
    "(",     ")",       "a)",       "(a",         "[",     "[a",       "[]",      "*a",
    "a**",   "a+*",     "+",        "(?=a)",      "(?!a)", "(?P<n>a)", "(?i)a",   "\\b",
    "\\1",   "\\A",     "\\",       "a{",         "a{x}",  "a{2,1}",   "a{999}",  "a{,2}",
    "[b-a]", "[[:a:]]", "\xc3\xa9", "[\xc3\xa9]", "{2}",   "(?:a",     "[a-\\d]", "a{99999999999}",
};

TEST(patterns_that_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++) {
        struct arena *arena = arena_new(0, 0);
        struct name_pattern *pattern;
        CHECK(name_pattern_build(arena, str_from_c(refused[i]), &pattern, NULL) < 0, refused[i]);
        arena_free(arena);
    }
}

/* Patterns that others choke on; the test hangs if we do. */
TEST(patterns_that_explode) {
    static const char *const patterns[] = { "(a+)+b",
                                            "(a|a)*b",
                                            "(a|aa)+b",
                                            "(.*)*(.*)*(.*)*b",
                                            "((((((((a?){9}){9}){9}){9}){9}){9}){9}){9}",
                                            "(((((((((){255}){255}){255}){255}){255}){255}){255}){255}){255}" };
    char name[2000];
    memset(name, 'a', sizeof(name));
    for (size_t i = 0; i < VSR_COUNT(patterns); i++) {
        struct arena *arena = arena_new(0, 0);
        struct name_pattern *pattern;
        if (name_pattern_build(arena, str_from_c(patterns[i]), &pattern, NULL) == 0)
            CHECK(!name_pattern_matches(pattern, str_make(name, sizeof(name))), patterns[i]);
        arena_free(arena);
    }
}

TEST(limits) {
    struct arena *arena = arena_new(0, 0);
    struct name_pattern *pattern;
    char text[NAME_PATTERN_LEN_MAX + 1];
    memset(text, 'a', sizeof(text));
    CHECK_INT(name_pattern_build(arena, str_make(text, sizeof(text)), &pattern, NULL), VSR_E_LIMIT, "too long");
    CHECK(name_pattern_build(arena, str_make(text, sizeof(text) - 2), &pattern, NULL) == 0, "long");
    CHECK_INT(name_pattern_build(arena, VSR_STR("(a{100}){100}"), &pattern, NULL), VSR_E_LIMIT, "too many steps");
    memset(text, '(', 100);
    CHECK(name_pattern_build(arena, str_make(text, 100), &pattern, NULL) < 0, "too deep");
    arena_free(arena);
}

static size_t cost_of(const char *regex) {
    struct arena *arena = arena_new(0, 0);
    struct name_pattern *pattern = NULL;
    size_t cost;
    CHECK(name_pattern_build(arena, str_from_c(regex), &pattern, NULL) == 0, regex);
    cost = name_pattern_cost(pattern);
    arena_free(arena);
    return cost;
}

TEST(costs) {
    CHECK_INT(cost_of("layers.0.attn.Wqkv"), 1, "a literal");
    CHECK(cost_of(".*Wqkv") > 1 && cost_of(".*Wqkv") < 10, "one that repeats");
    CHECK(cost_of("(a|b){100}") > 300, "one that branches often");
}

/* A list of a thousand of them must not fill the memory. */
TEST(patterns_are_small) {
    struct arena *arena = arena_new(0, 1 << 20);
    struct name_pattern *pattern;
    for (size_t i = 0; i < 1000; i++)
        CHECK(name_pattern_build(arena, VSR_STR("q_proj"), &pattern, NULL) == 0, "built");
    CHECK(arena_try_alloc(arena, 1 << 16), "within a megabyte");
    arena_free(arena);
}

RUN_TESTS(T(costs), T(patterns_are_small), T(matches), T(patterns_that_are_refused), T(patterns_that_explode),
          T(limits))
