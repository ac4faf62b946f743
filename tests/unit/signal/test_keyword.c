#include "fixture.h"

#include "unit/vectors.h"

extern const struct signal_family signal_keyword;

/* What the scores of the vector say, as the rule reports them. */
static void check_score(struct vectors *v, const struct fixture *f) {
    if (vectors_get(v, v->want, "score") != JSON_NONE)
        CHECK_NEAR(v, fixture_value(f, "r0:score"), vectors_number(v, v->want, "score", -1), "score");
}

static void check_vector(struct vectors *v) {
    struct fixture f;
    vsr_str rule = json_raw(&v->doc, vectors_get(v, v->given, "rule"));
    vsr_str found[64];
    size_t n;
    fixture_make(&f, &signal_keyword, arena_printf(v->arena, "[%.*s]", VSR_FMT(fixture_name_rule(v->arena, rule, 0))));
    fixture_eval_text(&f, vectors_str(v, v->given, "text"));
    CHECK_INT(f.rc, 0, v->name);
    CHECK_INT(fixture_matched(&f, 0), vectors_bool(v, v->want, "matched"), v->name);
    n = fixture_matched(&f, 0) ? signal_keyword.found(f.state, &f.request, 0, found, 64) : 0;
    vectors_check_list(v, vectors_get(v, v->want, "keywords"), found, n, "keywords");
    if (fixture_matched(&f, 0))
        CHECK_NEAR(v, f.results.confidence[0], vectors_number(v, v->want, "confidence", -1), "confidence");
    check_score(v, &f);
    fixture_free(&f);
}

static void check_file(const char *file) {
    VECTORS_EACH(v, file, "keyword_rule")
    check_vector(&v);
}

TEST(shared_vectors) {
    check_file("keyword.json");
    check_file("bm25.json");
    check_file("ngram.json");
}

static const struct {
    const char *name, *rule, *text;
    bool matched;
} cases[] = {
    { "kelvin sign folds to k", "{operator: OR, keywords: [kelvin]}",
      "5 \xE2\x84\xAA"
      "elvin",
      true },
    { "long s folds to s", "{operator: OR, keywords: [so]}", "\xC5\xBFo", true },
    { "no folding when case matters", "{operator: OR, case_sensitive: true, keywords: [so]}", "\xC5\xBFo", false },
    { "capital sharp s", "{operator: OR, keywords: [STRAẞE]}", "die straße", true },
    { "sharp s is not ss", "{operator: OR, keywords: [strasse]}", "die straße", false },
    { "final sigma", "{operator: OR, keywords: [ΟΔΟΣ]}", "η οδος", true },
    { "boundary before a folded letter", "{operator: OR, keywords: [akon]}", "Жakon", false },
    { "boundary behind CJK", "{operator: OR, keywords: [api]}", "调用API。", true },
    { "mark at the end", "{operator: OR, keywords: [cafe]}", "cafe\xCC\x81", false },
    { "same keyword, both cases", "{operator: AND, keywords: [Aa, aA]}", "AA", true },
    { "symbols only", "{operator: OR, keywords: ['=>']}", "a=>b", true },
    { "emoji", "{operator: OR, keywords: [😀]}", "hi😀there", true },
    { "digits join", "{operator: OR, keywords: ['42']}", "1423", false },
    { "regex unicode class", "{operator: OR, method: regex, keywords: ['\\p{Han}{2}']}", "a 你好", true },
    { "regex end is the end", "{operator: OR, method: regex, keywords: ['end$']}", "the end\n", false },
    { "regex lines", "{operator: OR, method: regex, keywords: ['(?m)^b$']}", "a\nb\nc", true },
    { "regex kelvin", "{operator: OR, method: regex, keywords: ['k\\d']}",
      "\xE2\x84\xAA"
      "5",
      true },
    { "regex method in any case", "{operator: OR, method: ReGeX, keywords: ['a.c']}", "abc", true },
    { "no text", "{operator: NOR, keywords: [a]}", "", true },
};

TEST(own_cases) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        char rules[512];
        snprintf(rules, sizeof(rules), "[{name: r, %s]", cases[i].rule + 1);
        fixture_make(&f, &signal_keyword, str_from_c(rules));
        fixture_eval_text(&f, str_from_c(cases[i].text));
        CHECK_INT(fixture_matched(&f, 0), cases[i].matched, cases[i].name);
        fixture_free(&f);
    }
}

TEST(values_count_what_was_found) {
    struct fixture f;
    fixture_make(&f, &signal_keyword,
                 VSR_STR("[{name: a, operator: AND, keywords: [one, two, three, four]}, {name: b, operator: NOR, "
                         "keywords: [one, x]}]"));
    fixture_eval_text(&f, VSR_STR("two one one"));
    CHECK(!fixture_matched(&f, 0) && !fixture_matched(&f, 1), "neither");
    CHECK(fixture_value(&f, "a") == 2 && fixture_value(&f, "a:ratio") == 0.5, "a");
    CHECK(fixture_value(&f, "b") == 1 && fixture_value(&f, "b:ratio") == 0.5, "b");
    fixture_free(&f);
}

static const struct {
    const char *rules, *problem;
} refused[] = {
    { "[{name: r, operator: or, keywords: [a]}]", "E_ENUM" },
    { "[{name: r, operator: OR, method: bm52, keywords: [a]}]", "did you mean \"bm25\"?" },
    { "[{name: r, operator: OR, method: levenshtein, keywords: [a]}]",
      "is not one of exact, regex, bm25, ngram, fuzzy" },
    { "[{name: r, operator: OR, fuzzy_threshold: 101, keywords: [a]}]", "fuzzy_threshold" },
    { "[{name: r, operator: OR, fuzzy_threshold: -1, keywords: [a]}]", "fuzzy_threshold" },
    { "[{name: r, operator: OR, bm25_threshold: -0.1, keywords: [a]}]", "bm25_threshold" },
    { "[{name: r, operator: OR, bm25_min_cover: 0, keywords: [a]}]", "bm25_min_cover" },
    { "[{name: r, operator: OR, bm25_min_cover: 1.1, keywords: [a]}]", "bm25_min_cover" },
    { "[{name: r, operator: OR, ngram_threshold: 1.5, keywords: [a]}]", "ngram_threshold" },
    { "[{name: r, operator: OR, ngram_threshold: .nan, keywords: [a]}]", "ngram_threshold" },
    { "[{name: r, operator: OR, ngram_arity: 33, keywords: [a]}]", "ngram_arity" },
    { "[{name: r, operator: OR, keywords: []}]", "keywords" },
    { "[{name: r, operator: OR, keywords: [a, ' ']}]", "keywords" },
    { "[{name: r, operator: OR}]", "E_REQUIRED" },
    { "[{name: r, operator: OR, method: regex, keywords: ['a(']}]", "missing closing )" },
    { "[{name: r, operator: OR, method: regex, keywords: ['(?=a)']}]", "look-around" },
    { "[{name: r, operator: OR, method: regex, keywords: ['a*']}]", "empty string" },
};

TEST(bad_rules_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++)
        fixture_must_refuse(&signal_keyword, refused[i].rules, refused[i].problem);
}

static const struct {
    const char *rules, *problem;
} warned[] = {
    { "[{name: r, operator: OR, method: bm25, keywords: [refund, '!?']}]",
      "W_NEVER] rules[0].keywords[1]: entry \"!?\" can never be found: it has no letter or digit" },
    { "[{name: r, operator: OR, method: ngram, keywords: ['...']}]", "W_NEVER] rules[0].keywords[0]" },
    { "[{name: r, operator: OR, method: bm25, bm25_threshold: 0.5, keywords: [refund, refund]}]",
      "its score is at most 0.288, bm25_threshold is 0.5" },
    { "[{name: r, operator: OR, method: ngram, fuzzy_match: true, keywords: [refund]}]",
      "W_IGNORED] rules[0].fuzzy_match: fuzzy_match has no effect with method ngram" },
    { "[{name: r, operator: OR, method: BM25, case_sensitive: true, keywords: [a, refund]}]",
      "case_sensitive has no effect with method bm25" },
};

TEST(odd_rules_are_warned_about) {
    for (size_t i = 0; i < VSR_COUNT(warned); i++) {
        struct fixture f;
        struct buf out;
        fixture_make(&f, &signal_keyword, str_from_c(warned[i].rules));
        buf_init(&out, 1 << 16);
        diag_print(&f.diag, &out, false);
        CHECK_MSG(f.diag.n_warnings == 1 && str_find(buf_str(&out), str_from_c(warned[i].problem)) >= 0, "%s: %.*s",
                  warned[i].rules, (int)out.len, out.ptr);
        buf_done(&out);
        fixture_free(&f);
    }
}

/* ---- the other methods */

#define NAMED(method, list) "{operator: OR, method: " method ", keywords: " list "}"
static const struct {
    const char *name, *rule, *text, *found; /* joined by | */
} found_cases[] = {
    { "exact is literal", NAMED("exact", "[a.c]"), "abc a.c", "a.c" },
    { "fuzzy is literal first", NAMED("Fuzzy", "[urgent, invoice]"), "urgent invocie", "urgent|invoice (fuzzy)" },
    { "spaces do not count as slips", NAMED("fuzzy", "[credit card]"), "credit  card", "credit card (fuzzy)" },
    { "a sign between words", NAMED("fuzzy", "[credit card]"), "credit-card", "credit card (fuzzy)" },
    { "slips of two words add up", NAMED("fuzzy", "[credit card]"), "kredit carrd", "credit card (fuzzy)" },
    { "three are too many", NAMED("fuzzy", "[credit card]"), "kredit ccarrd", "" },
    { "no allowance for two letters", NAMED("fuzzy", "[ai]"), "a i ia", "" },
    { "nothing to slip on", NAMED("fuzzy", "['=>']"), "= >", "" },
    { "length is that of the words", NAMED("fuzzy", "['c++']"), "d++", "" },
    { "fuzzy regex", "{operator: OR, method: regex, fuzzy_match: true, keywords: ['refunds?']}", "i want a refnud",
      "refunds? (fuzzy)" },
    { "threshold of a hundred", "{operator: OR, method: fuzzy, fuzzy_threshold: 100, keywords: [abcdef]}", "xyz",
      "abcdef (fuzzy)" },
    { "any letter", NAMED("fuzzy", "[договор]"), "ДОГОВРО", "договор (fuzzy)" },
    { "scores order", NAMED("bm25", "[card, credit card, debit]"), "my credit card", "credit card|card" },
    { "equal scores keep the list's order", NAMED("bm25", "[beta, alpha]"), "alpha beta", "beta|alpha" },
    { "an entry twice is one", NAMED("bm25", "[beta, beta]"), "beta", "beta" },
    { "forms of words", NAMED("bm25", "[running shoes]"), "he runs in a shoe", "running shoes" },
    { "order of place", NAMED("ngram", "[gamma, beta, alpha]"), "alpa betta gama", "alpha|beta|gamma" },
    { "same place, the list's order", NAMED("ngram", "[alphas, alpha]"), "alpha", "alphas|alpha" },
    { "ngram over words", NAMED("ngram", "[credit card]"), "my credit carrd", "credit card" },
    { "ngram, short run of CJK", NAMED("ngram", "[合同条款]"), "x合同条y", "合同条款" },
    { "ngram, one CJK character", NAMED("ngram", "[水]"), "水", "水" },
    { "ngram, longer grams than words", "{operator: OR, method: ngram, ngram_arity: 8, keywords: [ab]}", "ab", "ab" },
    { "NOR reports nothing", "{operator: NOR, method: bm25, keywords: [x]}", "y", "" },
};

TEST(methods_find_what_they_should) {
    for (size_t i = 0; i < VSR_COUNT(found_cases); i++) {
        struct fixture f;
        char rules[512];
        vsr_str found[8], joined = { 0 };
        size_t n;
        snprintf(rules, sizeof(rules), "[{name: r, %s]", found_cases[i].rule + 1);
        fixture_make(&f, &signal_keyword, str_from_c(rules));
        fixture_eval_text(&f, str_from_c(found_cases[i].text));
        CHECK_INT(f.rc, 0, found_cases[i].name);
        n = signal_keyword.found(f.state, &f.request, 0, found, 8);
        for (size_t k = 0; k < n; k++)
            joined = arena_printf(f.arena, "%.*s%s%.*s", VSR_FMT(joined), k ? "|" : "", VSR_FMT(found[k]));
        CHECK_STR(joined, found_cases[i].found, found_cases[i].name);
        fixture_free(&f);
    }
}

/* More text than the slow methods take: their rules say so, and others are decided. */
TEST(too_long_a_text_fails_the_slow_rules_only) {
    enum { LEN = (4 << 20) + 100 };
    struct fixture f;
    char *text;
    fixture_make(&f, &signal_keyword,
                 VSR_STR("[{name: literal, operator: OR, keywords: [refund]}, {name: bm25, operator: OR, method: bm25, "
                         "keywords: [refunds]}, {name: ngram, operator: OR, method: ngram, keywords: [refnd]}, {name: "
                         "fuzzy, operator: OR, method: fuzzy, keywords: [refnud]}, {name: hit, operator: OR, method: "
                         "fuzzy, keywords: [refund, other]}]"));
    text = arena_alloc(f.arena, LEN);
    memset(text, '.', LEN);
    memcpy(text + LEN / 2, "refund", 6);
    fixture_eval_text(&f, str_make(text, LEN));
    CHECK_INT(f.rc, 0, "the family works");
    CHECK(fixture_matched(&f, 0), "literal");
    CHECK(fixture_matched(&f, 1), "bm25");
    CHECK(!fixture_matched(&f, 2) && !fixture_matched(&f, 3) && fixture_matched(&f, 4), "matches");
    CHECK(bits_has(f.results.unavailable, 2) && bits_has(f.results.unavailable, 3), "failed");
    CHECK_INT(f.results.codes[2], SIGNAL_TOO_LONG, "code");
    CHECK_INT(f.results.codes[3], SIGNAL_TOO_LONG, "code");
    fixture_free(&f);
}

/* ---- the scan against a plain search */

static uint32_t seed = 7;
static uint32_t random_below(uint32_t n) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static const char *const letters[] = { "a", "A", "k", "K",         "\xE2\x84\xAA", "s",  "\xC5\xBF", "ж",
                                       "Ж", "σ", "ς", "Σ",         "你",           "ー", "_",        "7",
                                       " ", "-", "é", "e\xCC\x81", "한",           "." };

static vsr_str random_text(struct arena *arena, uint32_t len_max) {
    struct buf out;
    vsr_str text;
    buf_init(&out, 4096);
    for (uint32_t i = 1 + random_below(len_max); i > 0; i--)
        buf_append_c(&out, letters[random_below(VSR_COUNT(letters))]);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

#include "core/utf8.h"
#include "text/fold.h"
#include "text/unicode.h"

/* signals.md §5.1 word by word. */
static bool plain_search(struct arena *arena, vsr_str keyword, vsr_str text, bool case_sensitive) {
    size_t first = 0, last;
    bool before, behind;
    if (!case_sensitive) {
        keyword = fold_text(arena, keyword, FOLD_CASE);
        text = fold_text(arena, text, FOLD_CASE);
    }
    last = keyword.len;
    before = unicode_is_word(utf8_next(keyword, &first));
    behind = unicode_is_word(utf8_prev(keyword, &last));
    for (size_t at = 0; at + keyword.len <= text.len; at++) {
        size_t left = at, right = at + keyword.len;
        if (memcmp(text.ptr + at, keyword.ptr, keyword.len) != 0)
            continue;
        if (before && left > 0 && unicode_is_word(utf8_prev(text, &left)))
            continue;
        if (behind && right < text.len && unicode_is_word(utf8_next(text, &right)))
            continue;
        return true;
    }
    return false;
}

/* Engines look at long texts many bytes at a time, at few patterns in other ways than at many, and at their ends in yet
 * other ways. */
static vsr_str random_long_text(struct arena *arena) {
    static const char *const fillers[] = { "xyz ", ".", "\xD0\xB4" };
    const char *filler = fillers[random_below(VSR_COUNT(fillers))];
    vsr_str text = random_text(arena, 6), before = { 0 }, behind = { 0 };
    for (uint32_t n = random_below(60); n > 0; n--)
        before = arena_printf(arena, "%.*s%s", VSR_FMT(before), filler);
    for (uint32_t n = random_below(12); n > 0; n--)
        behind = arena_printf(arena, "%.*s%s", VSR_FMT(behind), filler);
    return arena_printf(arena, "%.*s%.*s%.*s", VSR_FMT(before), VSR_FMT(text), VSR_FMT(behind));
}

TEST(scan_equals_plain_search) {
    enum { KEYWORDS = 40, ROUNDS = 80, TEXTS = 60 };
    for (int round = 0; round < ROUNDS; round++) {
        struct arena *arena = arena_new(0, 0);
        struct pattern_list list;
        struct pattern_set *set;
        struct pattern_scratch *scratch;
        vsr_str keywords[KEYWORDS];
        bool exact[KEYWORDS];
        uint32_t index[KEYWORDS];
        int bad, n_keywords = round % 2 ? KEYWORDS : 1 + (int)random_below(8);
        pattern_list_init(&list, arena);
        for (int i = 0; i < n_keywords; i++) {
            keywords[i] = random_text(arena, 3);
            exact[i] = random_below(3) == 0;
            CHECK_INT(pattern_list_literal(&list, keywords[i], exact[i] ? PATTERN_EXACT : PATTERN_FOLDED, true,
                                           &index[i], NULL),
                      0, "add");
        }
        CHECK_INT(pattern_set_build(arena, &list, &set, &bad, NULL), 0, "build");
        CHECK_INT(pattern_scratch_new(set, &scratch, NULL), 0, "scratch");
        for (int k = 0; k < TEXTS; k++) {
            vsr_str text = k % 2 ? random_text(arena, 12) : random_long_text(arena);
            size_t steps = REGEX_STEPS_MAX;
            struct pattern_hits hits;
            CHECK_INT(pattern_set_scan(set, scratch, arena, text, &steps, &hits, NULL), 0, "scan");
            for (int i = 0; i < n_keywords; i++)
                CHECK_MSG(bits_has(hits.found, index[i]) == plain_search(arena, keywords[i], text, exact[i]),
                          "keyword \"%.*s\"%s in \"%.*s\": scan says %d", VSR_FMT(keywords[i]),
                          exact[i] ? " (exact)" : "", VSR_FMT(text), bits_has(hits.found, index[i]));
        }
        pattern_scratch_free(scratch);
        arena_free(arena);
    }
}

/* ---- entries that cannot be decided */

/* `odd` costs too much on the text below, which also holds an @@; what follows from the other entry alone. */
#define COSTLY "'\\p{L}{1,40}[\\p{L}\\p{Nd}]{1,40}@@'"
static const struct {
    const char *rule;
    bool match, failed;
} undecided[] = {
    { "operator: OR, method: regex, keywords: [" COSTLY ", '@@']", true, true },
    { "operator: OR, method: regex, keywords: [" COSTLY ", 'never']", false, true },
    { "operator: AND, method: regex, keywords: [" COSTLY ", '@@']", false, true },
    { "operator: NOR, method: regex, keywords: [" COSTLY ", 'never']", false, true },
    { "operator: OR, method: regex, keywords: ['@@']", true, false },
    { "operator: NOR, keywords: [never]", true, false },
};

TEST(undecided_entries_fail_their_rules_only) {
    enum { PADDING = 2 << 20 };
    struct fixture f;
    struct buf rules, text;
    buf_init(&rules, 1 << 16);
    buf_init(&text, 4 << 20);
    buf_append_c(&text, "\xE2\x82\xAC\xE2\x82\xAC@@ ");
    for (int i = 0; i < PADDING; i++)
        buf_append_char(&text, 'a');
    for (size_t i = 0; i < VSR_COUNT(undecided); i++)
        buf_printf(&rules, "- {name: r%zu, %s}\n", i, undecided[i].rule);
    fixture_make(&f, &signal_keyword, buf_str(&rules));
    fixture_eval_text(&f, buf_str(&text));
    CHECK_INT(f.rc, 0, "the scan itself works");
    for (uint32_t i = 0; i < VSR_COUNT(undecided); i++) {
        CHECK_INT(fixture_matched(&f, i), undecided[i].match, undecided[i].rule);
        CHECK_INT(bits_has(f.results.unavailable, i), undecided[i].failed, undecided[i].rule);
        CHECK_INT(f.results.codes[i], undecided[i].failed ? SIGNAL_TOO_LONG : SIGNAL_OK, undecided[i].rule);
        CHECK_INT(bits_has(f.results.has_value, i), !undecided[i].failed, undecided[i].rule);
        CHECK(!undecided[i].failed || !bits_has(f.results.has_confidence, i), "nothing stands in for the count");
    }
    fixture_free(&f);
    buf_done(&text);
    buf_done(&rules);
}

RUN_TESTS(T(shared_vectors), T(own_cases), T(values_count_what_was_found), T(bad_rules_are_refused),
          T(odd_rules_are_warned_about), T(methods_find_what_they_should), T(too_long_a_text_fails_the_slow_rules_only),
          T(scan_equals_plain_search), T(undecided_entries_fail_their_rules_only))
