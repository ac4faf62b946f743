/* Findings: limits, order, the nearest name, print with excerpts, JSON, fixes. */
#include "test.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "dsl/findings.h"

enum { TEXT_LEN_MAX = 1 << 20 };

static struct dsl_at stretch(uint32_t start, uint32_t end, uint32_t line, uint32_t col) {
    return (struct dsl_at){ start, end, line, col };
}

TEST(limits_hold_for_each_level) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    struct findings_style style = { 0 };
    struct buf out;
    findings_init(&findings, arena);
    for (int i = 0; i < FINDINGS_MAX + 5; i++)
        CHECK((finding_add(&findings, FINDING_WARNING, "W104", stretch(0, 0, 1, 1), "w%d", i) != NULL) ==
                  (i < FINDINGS_MAX),
              "kept up to the limit");
    CHECK(finding_add(&findings, FINDING_ERROR, "E101", stretch(0, 0, 1, 1), "e") != NULL, "an error has its own room");
    finding_fix(finding_add(&findings, FINDING_WARNING, "W104", stretch(0, 0, 1, 1), "more"), stretch(0, 0, 1, 1),
                VSR_STR("x"), "nothing to fix");
    CHECK_INT(findings.n, FINDINGS_MAX + 1, "kept");
    CHECK_INT(findings.n_of[FINDING_WARNING], FINDINGS_MAX + 6, "counted");
    buf_init(&out, TEXT_LEN_MAX);
    findings_print(&findings, &style, &out);
    CHECK(str_ends(buf_str(&out), VSR_STR("\n1:1: error: e [E101]\n6 more of level warning not shown\n")), "told");
    buf_done(&out);
    arena_free(arena);
}

TEST(long_messages_are_cut_between_characters) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    char text[4096 + 1];
    findings_init(&findings, arena);
    for (size_t shift = 0; shift < 4; shift++) {
        vsr_str message;
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xE5\x9F\x9F", 3);
        message = finding_add(&findings, FINDING_ERROR, "E101", stretch(0, 0, 1, 1), "%.*s", 3000, text)->message;
        CHECK(message.len > 2000 && message.len < 2048 && (message.len - shift) % 3 == 0, "whole characters");
    }
    arena_free(arena);
}

TEST(sorted_by_place_then_arrival) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    struct findings_style style = { 0 };
    struct buf out;
    findings_init(&findings, arena);
    (void)finding_add(&findings, FINDING_ERROR, "E101", stretch(9, 9, 3, 1), "d");
    (void)finding_add(&findings, FINDING_WARNING, "W201", stretch(5, 9, 2, 9), "c");
    (void)finding_add(&findings, FINDING_HINT, "H1", stretch(5, 6, 2, 3), "b");
    (void)finding_add(&findings, FINDING_CONSTRAINT, "C301", stretch(9, 9, 3, 1), "e");
    (void)finding_add(&findings, FINDING_ERROR, "E1", stretch(0, 0, 0, 0), "a");
    findings_sort(&findings);
    (void)finding_add(&findings, FINDING_ERROR, "E2", stretch(9, 9, 3, 1), "f");
    findings_sort(&findings);
    buf_init(&out, TEXT_LEN_MAX);
    style.hints = true;
    findings_print(&findings, &style, &out);
    CHECK_STR(buf_str(&out),
              "error: a [E1]\n2:3: hint: b [H1]\n2:9: warning: c [W201]\n3:1: error: d [E101]\n"
              "3:1: constraint: e [C301]\n3:1: error: f [E2]\n",
              "all");
    buf_reset(&out);
    style.hints = false;
    style.file = VSR_STR("p.dsl");
    findings.n = 3;
    findings_print(&findings, &style, &out);
    CHECK(str_starts(buf_str(&out), VSR_STR("p.dsl: error: a [E1]\np.dsl:2:9: warning: c [W201]\n")), "file, no hints");
    buf_done(&out);
    arena_free(arena);
}

TEST(the_nearest_name) {
    static const struct {
        const char *found;
        vsr_str names[4];
        size_t n;
        const char *want;
    } cases[] = {
        { "mth", { VSR_STR_INIT("law"), VSR_STR_INIT("math") }, 2, "math" },
        { "LAW", { VSR_STR_INIT("math"), VSR_STR_INIT("Law") }, 2, "Law" },
        { "computer_science", { VSR_STR_INIT("computer science") }, 1, "computer science" },
        { "first in byte order", { VSR_STR_INIT("b"), VSR_STR_INIT("a") }, 0, "" },
        { "mat", { VSR_STR_INIT("matt"), VSR_STR_INIT("math"), VSR_STR_INIT("mats") }, 3, "math" },
        { "ab", { VSR_STR_INIT("wxyz") }, 1, "" }, /* four off, three allowed */
        { "wxab", { VSR_STR_INIT("wxyz") }, 1, "wxyz" },
        { "uvab", { VSR_STR_INIT("uvyz"), VSR_STR_INIT("uvay") }, 2, "uvay" },
        { "zzzzzzzz", { VSR_STR_INIT("keyword"), VSR_STR_INIT("other") }, 2, "" },
        { "x", { VSR_STR_INIT("") }, 1, "" },
    };
    char text[200];
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(findings_nearest(str_from_c(cases[i].found), cases[i].names, cases[i].n), cases[i].want,
                  cases[i].found);
    memset(text, 'a', sizeof(text));
    CHECK_STR(findings_nearest(str_make(text, sizeof(text)), cases[0].names, 2), "", "too long");
}

TEST(the_name_that_is_meant) {
    static const struct {
        const char *found;
        vsr_str names[3];
        size_t n;
        const char *want;
        bool certain;
    } cases[] = {
        { "mth", { VSR_STR_INIT("law"), VSR_STR_INIT("math") }, 2, "math", true },
        { "MATH", { VSR_STR_INIT("law"), VSR_STR_INIT("math") }, 2, "math", true },
        { "amth", { VSR_STR_INIT("law"), VSR_STR_INIT("math") }, 2, "math", true },
        { "mhta", { VSR_STR_INIT("law"), VSR_STR_INIT("math") }, 2, "math", false },
        { "Latency-Aware", { VSR_STR_INIT("latency_aware"), VSR_STR_INIT("ratings") }, 2, "latency_aware", true },
        { "l a te n cyaware", { VSR_STR_INIT("latency_aware") }, 1, "latency_aware", true },
        { "latency", { VSR_STR_INIT("latency_aware"), VSR_STR_INIT("ratings") }, 2, "latency_aware", true },
        { "lat", { VSR_STR_INIT("latency_aware"), VSR_STR_INIT("law") }, 2, "law", true },
        { "chem", { VSR_STR_INIT("chemistry"), VSR_STR_INIT("chemicals"), VSR_STR_INIT("other") }, 3, "other", false },
        { "che", { VSR_STR_INIT("chemistry") }, 1, "", false },
        { "treshhold", { VSR_STR_INIT("threshold") }, 1, "threshold", true },
        { "tresholds", { VSR_STR_INIT("threshold") }, 1, "threshold", true },
        { "treholds", { VSR_STR_INIT("threshold") }, 1, "threshold", false },
        { "token", { VSR_STR_INIT("domain") }, 1, "domain", false },
        { "regex", { VSR_STR_INIT("reask") }, 1, "reask", false },
        { "mat", { VSR_STR_INIT("math"), VSR_STR_INIT("mats") }, 2, "math", false },
        { "l", { VSR_STR_INIT("k") }, 1, "k", false },
        { "rr", { VSR_STR_INIT("r") }, 1, "r", true },
        { "gpt-4", { VSR_STR_INIT("gpt-5") }, 1, "gpt-5", false },
        { "gpt-4", { VSR_STR_INIT("gpt_4") }, 1, "gpt_4", true },
        { "llama", { VSR_STR_INIT("llama3") }, 1, "llama3", false },
        { "", { VSR_STR_INIT("a") }, 1, "a", false },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        bool certain = !cases[i].certain;
        CHECK_STR(findings_suggest(str_from_c(cases[i].found), cases[i].names, cases[i].n, &certain), cases[i].want,
                  cases[i].found);
        CHECK_INT(certain, cases[i].certain, cases[i].found);
    }
}

/* ---- excerpts */

static const struct {
    const char *name, *source;
    uint32_t start, end, line, col;
    const char *want;
} excerpts[] = {
    { "a word", "a\nROUTE bc x\nd", 8, 10, 2, 7, "     2 | ROUTE bc x\n       |       ^~\n" },
    { "one character", "ab", 1, 2, 1, 2, "     1 | ab\n       |  ^\n" },
    { "the end", "ab\n", 2, 2, 1, 3, "     1 | ab\n       |   ^\n" },
    { "over the line", "ab \"c\nd\" e", 3, 9, 1, 4, "     1 | ab \"c\n       |    ^~\n" },
    { "CRLF", "ab\r\ncd\r\n", 4, 6, 2, 1, "     2 | cd\n       | ^~\n" },
    { "tabs", "\ta\tbc", 3, 5, 1, 4, "     1 |     a    bc\n       |          ^~\n" },
    { "wide characters", "\xE5\x9F\x9F x \xE5\x9F\x9F\xE5\x9F\x9F", 6, 12, 1, 5,
      "     1 | \xE5\x9F\x9F x \xE5\x9F\x9F\xE5\x9F\x9F\n       |      ^~~~\n" },
    { "marks", "e\xCC\x81 x", 4, 5, 1, 4, "     1 | e\xCC\x81 x\n       |   ^\n" },
    { "nothing acts on the terminal", "\x1b[2J\xE2\x80\xAE x", 8, 9, 1, 7,
      "     1 | \xEF\xBF\xBD[2J\xEF\xBF\xBD x\n       |       ^\n" },
    { "no UTF-8", "\xFF x", 2, 3, 1, 3, "     1 | \xEF\xBF\xBD x\n       |   ^\n" },
    { "byte order mark", "\xEF\xBB\xBFx y", 5, 6, 1, 3, "     1 | x y\n       |   ^\n" },
};

static void print_one(struct buf *out, vsr_str source, struct dsl_at at, bool colour) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    struct findings_style style = { .source = source, .colour = colour };
    findings_init(&findings, arena);
    (void)finding_add(&findings, FINDING_ERROR, "E101", at, "m");
    findings_print(&findings, &style, out);
    arena_free(arena);
}

TEST(carets) {
    for (size_t i = 0; i < VSR_COUNT(excerpts); i++) {
        struct buf out;
        vsr_str lines;
        buf_init(&out, TEXT_LEN_MAX);
        print_one(&out, str_from_c(excerpts[i].source),
                  stretch(excerpts[i].start, excerpts[i].end, excerpts[i].line, excerpts[i].col), false);
        lines = buf_str(&out);
        (void)str_split(&lines, '\n');
        CHECK_STR(lines, excerpts[i].want, excerpts[i].name);
        buf_done(&out);
    }
}

/* However long the line, the caret stands below what is meant. */
TEST(long_lines_are_cut_around_the_caret) {
    enum { LEN = 1000 };
    char text[LEN + 1];
    for (size_t at = 0; at < LEN; at++) {
        struct buf out;
        vsr_str line, carets;
        size_t caret;
        memset(text, '.', LEN);
        text[at] = 'X';
        buf_init(&out, TEXT_LEN_MAX);
        print_one(&out, str_make(text, LEN), stretch((uint32_t)at, (uint32_t)at + 1, 1, (uint32_t)at + 1), false);
        carets = buf_str(&out);
        (void)str_split(&carets, '\n');
        line = str_split(&carets, '\n');
        caret = (size_t)str_find_char(carets, '^');
        CHECK(caret < line.len && line.ptr[caret] == 'X', "caret");
        CHECK(line.len <= 9 + 100 + 6, "width");
        buf_done(&out);
    }
}

/* A line of marks takes no column, a line of bytes that are no UTF-8 no sense: both are cut all the same. */
TEST(huge_lines_give_small_excerpts) {
    static const char *const texts[] = { "\xCC\x81", "\xFF", "\xE5\x9F\x9F", "\t", "x" };
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        size_t len = 0;
        char *text = malloc(TEXT_LEN_MAX);
        for (size_t one = strlen(texts[i]); len + one <= TEXT_LEN_MAX; len += one)
            memcpy(text + len, texts[i], one);
        for (size_t at = 0; at <= len; at += len / 2) {
            struct buf out;
            size_t start = at - at % strlen(texts[i]);
            buf_init(&out, 8192);
            print_one(&out, str_make(text, len), stretch((uint32_t)start, (uint32_t)len, 1, (uint32_t)start + 1),
                      false);
            CHECK(!buf_failed(&out) && out.len < 4096, "small");
            buf_done(&out);
        }
        free(text);
    }
}

TEST(colours) {
    struct buf out;
    buf_init(&out, TEXT_LEN_MAX);
    print_one(&out, VSR_STR("ab"), stretch(0, 2, 1, 1), true);
    CHECK_STR(buf_str(&out), "1:1: \033[31merror:\033[0m m [E101]\n     1 | ab\n       | \033[31m^~\033[0m\n", "error");
    buf_done(&out);
}

TEST(messages_stay_on_their_line) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    struct findings_style style = { 0 };
    struct buf out;
    findings_init(&findings, arena);
    findings.prefix = VSR_STR("recipe \"f\": ");
    (void)finding_add(&findings, FINDING_ERROR, "E101", stretch(0, 0, 1, 1),
                      "a\nb\t\x1b[2J \xE2\x80\xAE\xC2\x9B\xFF \xE5\x9F\x9F");
    buf_init(&out, TEXT_LEN_MAX);
    findings_print(&findings, &style, &out);
    CHECK_STR(buf_str(&out),
              "1:1: error: recipe \"f\": a\\nb\\t\\x1b[2J \\u202e\\x9b\xEF\xBF\xBD \xE5\x9F\x9F [E101]\n", "shown");
    buf_done(&out);
    arena_free(arena);
}

/* ---- JSON, fixes */

TEST(json) {
    struct arena *arena = arena_new(0, 0);
    struct findings findings;
    struct finding *finding;
    struct json_writer w;
    struct buf out;
    vsr_str source = VSR_STR("ROUTE r {\n  \"\xC3\xA9\nx\" }");
    findings_init(&findings, arena);
    findings.decl = stretch(0, 5, 1, 1);
    finding = finding_add(&findings, FINDING_WARNING, "W201", stretch(12, 18, 2, 3), "m \"q\"");
    finding_fix(finding, stretch(6, 7, 1, 7), VSR_STR("s"), "change to \"%s\"", "s");
    finding->witness = VSR_STR("keyword(a) true");
    (void)finding_add(&findings, FINDING_HINT, "H", stretch(0, 1, 1, 1), "h");
    buf_init(&out, TEXT_LEN_MAX);
    json_write_init(&w, &out);
    findings_json(&findings, source, false, &w);
    CHECK_STR(
        buf_str(&out),
        "[{\"level\":\"warning\",\"code\":\"W201\",\"message\":\"m \\\"q\\\"\",\"line\":2,\"column\":3,\"endLine\":3,"
        "\"endColumn\":3,\"declLine\":1,\"declColumn\":1,\"fixes\":[{\"description\":\"change to \\\"s\\\"\","
        "\"newText\":\"s\",\"range\":{\"line\":1,\"column\":7,\"endLine\":1,\"endColumn\":8}}],"
        "\"witness\":\"keyword(a) true\"}]",
        "without hints");
    buf_reset(&out);
    json_write_init(&w, &out);
    findings.n = 0;
    findings_json(&findings, source, true, &w);
    CHECK_STR(buf_str(&out), "[]", "none");
    findings.n = 2;
    buf_reset(&out);
    json_write_init(&w, &out);
    findings_json(&findings, source, true, &w);
    CHECK(str_find(buf_str(&out), VSR_STR("\"level\":\"hint\",\"code\":\"H\"")) > 0, "with hints");
    buf_done(&out);
    arena_free(arena);
}

TEST(fixes) {
    static const struct {
        const char *name;
        struct {
            uint32_t start, end;
            const char *text;
        } fixes[3];
        size_t applied;
        const char *want;
    } cases[] = {
        { "none", { { 0 } }, 0, "abcdef" },
        { "one", { { 1, 3, "X" } }, 1, "aXdef" },
        { "in the order of the text", { { 4, 5, "Y" }, { 0, 1, "X" } }, 2, "XbcdYf" },
        { "side by side", { { 1, 2, "X" }, { 2, 3, "Y" } }, 2, "aXYdef" },
        { "overlapping", { { 1, 4, "X" }, { 3, 5, "Y" } }, 1, "aXef" },
        { "the same twice", { { 1, 2, "X" }, { 1, 2, "X" } }, 1, "aXcdef" },
        { "insertions", { { 0, 0, "X" }, { 6, 6, "Y" }, { 6, 6, "Z" } }, 2, "XabcdefY" },
        { "deletion", { { 0, 6, "" } }, 1, "" },
        { "an insertion behind a change", { { 1, 2, "X" }, { 2, 2, "Y" } }, 2, "aXYcdef" },
        { "past the end", { { 5, 7, "X" } }, 0, "abcdef" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct findings findings;
        struct buf out;
        findings_init(&findings, arena);
        for (size_t k = 0; k < 3 && cases[i].fixes[k].text; k++) {
            struct dsl_at at = stretch(cases[i].fixes[k].start, cases[i].fixes[k].end, 1, 1);
            finding_fix(finding_add(&findings, FINDING_ERROR, "E1", at, "m"), at, str_from_c(cases[i].fixes[k].text),
                        "f");
            (void)finding_add(&findings, FINDING_ERROR, "E2", at, "without a fix");
        }
        buf_init(&out, TEXT_LEN_MAX);
        CHECK_INT(findings_apply(&findings, VSR_STR("abcdef"), &out), cases[i].applied, cases[i].name);
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

RUN_TESTS(T(limits_hold_for_each_level), T(long_messages_are_cut_between_characters), T(sorted_by_place_then_arrival),
          T(the_nearest_name), T(the_name_that_is_meant), T(carets), T(long_lines_are_cut_around_the_caret),
          T(huge_lines_give_small_excerpts), T(colours), T(messages_stay_on_their_line), T(json), T(fixes))
