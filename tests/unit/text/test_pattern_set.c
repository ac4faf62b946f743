#include "test.h"

#include "core/arena.h"
#include "core/bits.h"
#include "core/buf.h"
#include "text/pattern_set.h"
#include "text/regex.h"

static uint64_t seed = 3;
static uint32_t below(uint32_t n) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static struct pattern_set *build(struct arena *arena, const struct pattern_list *list,
                                 struct pattern_scratch **ret_scratch) {
    struct pattern_set *set = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    int bad;
    CHECK_MSG(pattern_set_build(arena, list, &set, &bad, &err) == 0, "%s", err.text);
    CHECK_INT(pattern_scratch_new(set, ret_scratch, NULL), 0, "scratch");
    return set;
}

static bool scan_one(struct arena *arena, const struct pattern_list *list, uint32_t index, vsr_str text) {
    struct pattern_scratch *scratch;
    struct pattern_set *set = build(arena, list, &scratch);
    struct pattern_hits hits;
    size_t steps = REGEX_STEPS_MAX;
    CHECK_INT(pattern_set_scan(set, scratch, arena, text, &steps, &hits, NULL), 0, "scan");
    pattern_scratch_free(scratch);
    return bits_has(hits.found, index);
}

TEST(equal_patterns_share_an_index) {
    struct arena *arena = arena_new(0, 0);
    struct pattern_list list;
    uint32_t a, b, c, d, e;
    pattern_list_init(&list, arena);
    CHECK_INT(pattern_list_literal(&list, VSR_STR("Word"), PATTERN_FOLDED, true, &a, NULL), 0, "a");
    CHECK_INT(pattern_list_literal(&list, VSR_STR("wORD"), PATTERN_FOLDED, true, &b, NULL), 0, "b");
    CHECK_INT(pattern_list_literal(&list, VSR_STR("Word"), PATTERN_EXACT, true, &c, NULL), 0, "c");
    CHECK_INT(pattern_list_literal(&list, VSR_STR("Word"), PATTERN_FOLDED, false, &d, NULL), 0, "d");
    CHECK_INT(pattern_list_literal(&list, VSR_STR("Word"), PATTERN_LOWERED, true, &e, NULL), 0, "e");
    CHECK(a == b && a != c && a != d && a != e && list.n == 4, "indexes");
    arena_free(arena);
}

TEST(bad_patterns_are_refused) {
    struct arena *arena = arena_new(0, 0);
    struct pattern_list list;
    char *big = arena_alloc(arena, PATTERN_LITERAL_LEN_MAX + 1);
    uint32_t index;
    memset(big, 'x', PATTERN_LITERAL_LEN_MAX + 1);
    pattern_list_init(&list, arena);
    CHECK_INT(pattern_list_literal(&list, VSR_STR(""), PATTERN_EXACT, true, &index, NULL), VSR_E_INVALID, "empty");
    CHECK_INT(pattern_list_literal(&list, VSR_STR("\xFF"), PATTERN_EXACT, true, &index, NULL), VSR_E_INVALID,
              "not UTF-8");
    CHECK_INT(pattern_list_literal(&list, str_make(big, PATTERN_LITERAL_LEN_MAX + 1), PATTERN_EXACT, true, &index,
                                   NULL),
              VSR_E_LIMIT, "too long");
    CHECK_INT(pattern_list_literal(&list, str_make(big, PATTERN_LITERAL_LEN_MAX), PATTERN_EXACT, true, &index, NULL), 0,
              "longest");
    CHECK(scan_one(arena, &list, index, str_make(big, PATTERN_LITERAL_LEN_MAX)), "longest is found");
    arena_free(arena);
}

TEST(text_that_is_not_utf8_is_an_error) {
    struct arena *arena = arena_new(0, 0);
    struct pattern_list list;
    struct pattern_set *set;
    struct pattern_scratch *scratch;
    struct pattern_hits hits;
    size_t steps = REGEX_STEPS_MAX;
    uint32_t index;
    pattern_list_init(&list, arena);
    CHECK_INT(pattern_list_literal(&list, VSR_STR("a"), PATTERN_EXACT, true, &index, NULL), 0, "a");
    set = build(arena, &list, &scratch);
    CHECK_INT(pattern_set_scan(set, scratch, arena, VSR_STR("a \xC3"), &steps, &hits, NULL), VSR_E_INVALID,
              "cut code point");
    CHECK_INT(pattern_set_scan(set, scratch, arena, VSR_STR("a \xC3\xA9"), &steps, &hits, NULL), 0, "whole one");
    CHECK_INT(*hits.found, 1, "hit");
    pattern_scratch_free(scratch);
    arena_free(arena);
}

TEST(engine_names_the_pattern_it_refuses) {
    struct arena *arena = arena_new(0, 0);
    struct pattern_list list;
    struct pattern_set *set;
    struct regex *regex;
    struct vsr_err err = VSR_ERR_NONE;
    const vsr_str huge = VSR_STR("(?:a.{900}b.{900}){2,9}c");
    uint32_t index;
    int bad;
    pattern_list_init(&list, arena);
    CHECK_INT(pattern_list_literal(&list, VSR_STR("fine"), PATTERN_EXACT, true, &index, NULL), 0, "fine");
    CHECK_INT(regex_parse(arena, huge, &(struct regex_options){ 0 }, &regex, &err), 0, err.text);
    CHECK_INT(pattern_list_regex(&list, regex, huge, &index, NULL), 0, "huge");
    CHECK_INT(pattern_set_build(arena, &list, &set, &bad, &err), VSR_E_INVALID, "build");
    CHECK_INT(bad, index, "which one");
    CHECK(str_eq(pattern_list_name(&list, index), huge) && err.text[0], "name and reason");
    arena_free(arena);
}

/* ---- the engine and our own automaton must agree on whether a pattern occurs */

static void random_regex(struct buf *out, int depth) {
    static const char *const atoms[] = { "a",    "b",       "k",      "s",           ".",     "[ab]",  "[^a]",
                                         "\\d",  "\\w",     "\\b",    "\\s",         "^",     "$",     "é",
                                         "\\pL", "\\B",     "[^\\W]", "[[:alpha:]]", "(?m)^", "(?s).", "(?i:k)",
                                         "ab",   "\\x{e9}", "(?m)$",  "[é-ü]",       "\\D",   "\\PL",  "\n" };
    static const char *const repeats[] = { "", "", "", "*", "+", "?", "{2}", "{1,2}", "+?", "*?" };
    uint32_t n = 1 + below(3);
    for (uint32_t i = 0; i < n; i++) {
        if (depth > 0 && below(3) == 0) {
            buf_append_c(out, below(3) ? "(" : "(?:");
            random_regex(out, depth - 1);
            if (below(2)) {
                buf_append_char(out, '|');
                random_regex(out, depth - 1);
            }
            buf_append_char(out, ')');
        } else {
            buf_append_c(out, atoms[below(VSR_COUNT(atoms))]);
        }
        buf_append_c(out, repeats[below(VSR_COUNT(repeats))]);
    }
}

static void random_text(struct buf *out) {
    static const char *const parts[] = { "a", "b", "k", "K", "\xE2\x84\xAA", "s", "\xC5\xBF",
                                         "é", "É", "1", " ", "\n",           "_", "你" };
    static const char *const fillers[] = { "", "", "zyxw ", ".", "the quick brown fox ", "д" };
    const char *filler = fillers[below(VSR_COUNT(fillers))];
    buf_reset(out);
    for (uint32_t n = below(40); n > 0; n--) /* engines look at long texts 64 bytes at a time, and in other ways */
        buf_append_c(out, filler);
    for (uint32_t n = below(10); n > 0; n--)
        buf_append_c(out, parts[below(VSR_COUNT(parts))]);
    for (uint32_t n = below(6); n > 0; n--)
        buf_append_c(out, filler);
}

TEST(engine_agrees_with_automaton) {
    enum { PATTERNS = 600, TEXTS = 20 };
    struct buf pattern, text;
    size_t compared = 0, refused = 0;
    buf_init(&pattern, 1 << 16);
    buf_init(&text, 1 << 16);
    for (int i = 0; i < PATTERNS; i++) {
        struct arena *arena = arena_new(0, 0);
        struct pattern_list list;
        struct pattern_set *set;
        struct pattern_scratch *scratch;
        struct regex *regex;
        struct regex_options options = { .ignore_case = below(2) };
        struct vsr_err err = VSR_ERR_NONE;
        uint32_t index;
        int bad;
        buf_reset(&pattern);
        random_regex(&pattern, 2);
        pattern_list_init(&list, arena);
        if (regex_parse(arena, buf_str(&pattern), &options, &regex, &err) < 0 ||
            pattern_list_regex(&list, regex, buf_str(&pattern), &index, &err) < 0 ||
            pattern_set_build(arena, &list, &set, &bad, &err) < 0) {
            refused++;
            arena_free(arena);
            continue;
        }
        CHECK_INT(pattern_scratch_new(set, &scratch, NULL), 0, "scratch");
        for (int k = 0; k < TEXTS; k++) {
            struct pattern_hits hits;
            size_t count = 0, steps = REGEX_STEPS_MAX;
            random_text(&text);
            CHECK_INT(regex_count(regex, arena, buf_str(&text), &steps, &count, NULL), 0, "count");
            CHECK_INT(pattern_set_scan(set, scratch, arena, buf_str(&text), &steps, &hits, NULL), 0, "scan");
            CHECK_MSG((count > 0) == (*hits.found == 1),
                      "pattern \"%.*s\"%s, text \"%.*s\": automaton %zu, engine %d\n%s", (int)pattern.len, pattern.ptr,
                      options.ignore_case ? " (i)" : "", (int)text.len, text.ptr, count, (int)*hits.found,
                      regex_expression(regex, arena, &(bool){ false }));
            compared++;
        }
        pattern_scratch_free(scratch);
        arena_free(arena);
    }
    print_message("%zu comparisons, %zu patterns refused\n", compared, refused);
    buf_done(&pattern);
    buf_done(&text);
}

/* ---- the steps of one text */

enum { PADDING = 2 << 20 };

/* Symbols that look like letters to the engine, then what the automaton toils on: `run` again and again. */
static vsr_str toil(struct arena *arena, const char *run) {
    struct buf text;
    vsr_str copy;
    buf_init(&text, PADDING + 4096);
    buf_append_c(&text, "refund \xE2\x82\xAC\xE2\x82\xAC@@ !!\xE2\x82\xAC ");
    while (text.len < PADDING)
        buf_append_c(&text, run);
    copy = arena_str(arena, buf_str(&text));
    buf_done(&text);
    return copy;
}

TEST(costly_pattern_is_undecided_alone) {
    static const char *const patterns[] = { "\\p{L}{1,40}[\\p{L}\\p{Nd}]{1,40}@@", "!!\\pL", "ref\\pLnd", "refund" };
    struct arena *arena = arena_new(0, 0);
    struct pattern_list list;
    struct pattern_set *set;
    struct pattern_scratch *scratch;
    struct pattern_hits hits;
    size_t steps = REGEX_STEPS_MAX;
    pattern_list_init(&list, arena);
    for (uint32_t i = 0; i < VSR_COUNT(patterns); i++) {
        struct regex *regex;
        uint32_t index;
        CHECK_INT(regex_parse(arena, str_from_c(patterns[i]), &(struct regex_options){ 0 }, &regex, NULL), 0, "parse");
        CHECK_INT(pattern_list_regex(&list, regex, str_from_c(patterns[i]), &index, NULL), 0, "add");
        CHECK_INT(index, i, "index");
    }
    set = build(arena, &list, &scratch);
    CHECK_INT(pattern_set_scan(set, scratch, arena, toil(arena, "1 "), &steps, &hits, NULL), 0, "scan");
    CHECK_INT(*hits.undecided, 0, "no letters, no toil");
    CHECK_INT(*hits.found, 12, "the two that occur");
    steps = REGEX_STEPS_MAX;
    CHECK_INT(pattern_set_scan(set, scratch, arena, toil(arena, "a"), &steps, &hits, NULL), 0, "scan");
    CHECK_INT(*hits.undecided, 1, "the costly one");
    CHECK_INT(*hits.found, 12, "the others are decided: one is taken back, two occur");
    pattern_scratch_free(scratch);
    arena_free(arena);
}

TEST(steps_run_out) {
    struct arena *arena = arena_new(0, 0);
    struct regex *regex;
    size_t count = 7, steps = 100, before;
    bool occurs = false;
    CHECK_INT(regex_parse(arena, VSR_STR("[a-z]+1"), &(struct regex_options){ 0 }, &regex, NULL), 0, "parse");
    CHECK_INT(regex_count(regex, arena, VSR_STR("ab1 cd1"), &steps, &count, NULL), 0, "enough");
    CHECK(count == 2 && steps > 0 && steps < 100, "spent some");
    before = steps;
    CHECK_INT(regex_occurs(regex, arena, VSR_STR("ab1 cd1"), &steps, &occurs, NULL), 0, "enough");
    CHECK(occurs && steps < before, "spent more");
    steps = 5;
    CHECK_INT(regex_count(regex, arena, VSR_STR("ab1 cd1"), &steps, &count, NULL), VSR_E_LIMIT, "not enough");
    CHECK_INT(steps, 0, "none left");
    steps = 1000;
    CHECK_INT(regex_count(regex, arena, toil(arena, "."), &steps, &count, NULL), VSR_E_LIMIT,
              "what is passed over costs too");
    arena_free(arena);
}

RUN_TESTS(T(equal_patterns_share_an_index), T(bad_patterns_are_refused), T(text_that_is_not_utf8_is_an_error),
          T(engine_names_the_pattern_it_refuses), T(engine_agrees_with_automaton), T(costly_pattern_is_undecided_alone),
          T(steps_run_out))
