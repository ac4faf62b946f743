/* The lexer: every class of token, numbers and strings at their edges, places, comments, and text that is no token. */
#include "test.h"

#include "core/arena.h"
#include "core/buf.h"
#include "dsl/findings.h"
#include "dsl/token.h"

enum { TEXT_LEN_MAX = 1 << 16 };

struct read {
    struct arena *arena;
    struct findings findings;
    struct tokens tokens;
    struct buf shown, told;
};

/* One token a word: its kind's letter, then what it says. */
static void show(struct buf *out, const struct tokens *tokens) {
    static const char letters[] = ".wsifap!";
    for (size_t i = 0; i + 1 < tokens->n; i++) {
        const struct token *token = &tokens->items[i];
        buf_printf(out, "%s%c", i ? " " : "", letters[token->kind]);
        if (token->kind == TOKEN_PUNCTUATION)
            buf_append_char(out, token->punctuation);
        else if (token->kind != TOKEN_ARROW && token->kind != TOKEN_ERROR)
            buf_append(out, token->text);
    }
}

static void read_text(struct read *r, vsr_str text) {
    struct findings_style style = { 0 };
    r->arena = arena_new(0, 0);
    findings_init(&r->findings, r->arena);
    tokens_read(r->arena, text, &r->tokens, &r->findings);
    buf_init(&r->shown, TEXT_LEN_MAX);
    buf_init(&r->told, TEXT_LEN_MAX);
    show(&r->shown, &r->tokens);
    findings_print(&r->findings, &style, &r->told);
}

static void done(struct read *r) {
    buf_done(&r->shown);
    buf_done(&r->told);
    arena_free(r->arena);
}

static const struct {
    const char *name, *text, *want, *told;
} cases[] = {
    { "nothing", "", "", "" },
    { "blanks", " \t\r\n\f\v", "", "" },
    { "words", "a A_b _x a-b/c.d e1 x-", "wa wA_b w_x wa-b/c.d we1 wx-", "" },
    { "a number, then a word", "7b", "i7 wb", "" },
    { "integers", "0 -5 +7 007", "i0 i-5 i+7 i007", "" },
    { "decimals", "1.5 +1.5 -0.25 1.50", "f1.5 f+1.5 f-0.25 f1.50", "" },
    { "exponents", "1e5 1E-5 2.5e+3", "f1e5 f1E-5 f2.5e+3", "" },
    { "no exponent", "7em 7e 7e- 1e5x 1.5e3.2 1e-5x", "i7 wem i7 we i7 we- i1 we5x f1.5 we3.2 i1 we-5x", "" },
    { "digits on both sides", "7. 1.2.3", "i7 ! f1.2 ! i3",
      "1:2: error: invalid input text \". 1.2.3\" [E102]\n1:7: error: invalid input text \".3\" [E102]\n" },
    { "no digit in front", ".5", "! i5", "1:1: error: invalid input text \".5\" [E102]\n" },
    { "a sign alone", "- a", "! wa", "1:1: error: invalid input text \"- a\" [E102]\n" },
    { "64 bits", "9223372036854775807 -9223372036854775808 +9223372036854775807",
      "i9223372036854775807 i-9223372036854775808 i+9223372036854775807", "" },
    { "past 64 bits", "9223372036854775808 -9223372036854775809 99999999999999999999", "! ! !",
      "1:1: error: integer does not fit 64 bits [E102]\n1:21: error: integer does not fit 64 bits [E102]\n"
      "1:42: error: integer does not fit 64 bits [E102]\n" },
    { "doubles as canonical text writes them", "1000000000000000000000 -123456789012345680000 0001e2",
      "f1000000000000000000000 f-123456789012345680000 f0001e2", "" },
    { "past every double", "1e400 0.00000000000000000001 1e-400", "! f0.00000000000000000001 f1e-400",
      "1:1: error: number is too large [E102]\n" },
    { "arrows", "a -> b \xE2\x86\x92 c", "wa a wb a wc", "" },
    { "an arrow behind a word", "x->y", "wx- p> wy", "" },
    { "signs", "{}()[]:,>=", "p{ p} p( p) p[ p] p: p, p> p=", "" },
    { "comments", "a # b \"c\n# d\ne#f", "wa we", "" },
    { "comment at the end", "a #", "wa", "" },
    { "other text", "SIGNAL @ x {}", "wSIGNAL ! wx p{ p}", "1:8: error: invalid input text \"@ x {}\" [E102]\n" },
    { "other text is one mistake", "a @$% b", "wa ! wb", "1:3: error: invalid input text \"@$% b\" [E102]\n" },
    { "at most 16 code points", "@0123456789abcdefg", "! i0123456789 wabcdefg",
      "1:1: error: invalid input text \"@0123456789abcde\" [E102]\n" },
    { "letters of other scripts", "d\xC3\xB3m \xE5\x9F\x9F\xE5\x9F\x9F", "wd ! wm !",
      "1:2: error: invalid input text \"\xC3\xB3m \xE5\x9F\x9F\xE5\x9F\x9F\" [E102]\n"
      "1:5: error: invalid input text \"\xE5\x9F\x9F\xE5\x9F\x9F\" [E102]\n" },
    { "no UTF-8", "a \xFF\xFE b", "wa ! wb", "1:3: error: invalid UTF-8: byte 0xff [E103]\n" },
    { "no UTF-8 twice", "\xFF a \xC3\xC3 b", "! wa ! wb",
      "1:1: error: invalid UTF-8: byte 0xff [E103]\n1:5: error: invalid UTF-8: byte 0xc3 [E103]\n" },
    { "no UTF-8 in a comment", "a #\xFFx\xFE\nb", "wa wb", "1:4: error: invalid UTF-8: byte 0xff [E103]\n" },
    { "no UTF-8 in a string", "\"x\xFFy\" b", "! wb", "1:3: error: invalid UTF-8: byte 0xff [E103]\n" },
    { "byte order mark", "\xEF\xBB\xBFSIGNAL @", "wSIGNAL !", "1:8: error: invalid input text \"@\" [E102]\n" },
    { "lines", "a\r\nb\n\n  @", "wa wb !", "4:3: error: invalid input text \"@\" [E102]\n" },
    { "columns are code points", "\"\xE5\x9F\x9F\t\" @", "s\xE5\x9F\x9F\t !",
      "1:6: error: invalid input text \"@\" [E102]\n" },
};

TEST(texts) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct read r;
        read_text(&r, str_from_c(cases[i].text));
        CHECK_STR(buf_str(&r.shown), cases[i].want, cases[i].name);
        CHECK_STR(buf_str(&r.told), cases[i].told, cases[i].name);
        CHECK_INT(r.tokens.items[r.tokens.n - 1].kind, TOKEN_END, cases[i].name);
        done(&r);
    }
}

TEST(a_nul_is_shown) {
    struct read r;
    read_text(&r, VSR_STR("a \0\x01 b"));
    CHECK_STR(buf_str(&r.told), "1:3: error: invalid input text \"\\x00\\x01 b\" [E102]\n", "told");
    done(&r);
}

static const struct {
    const char *name, *text, *want, *told;
} strings[] = {
    { "plain", "\"a b\"", "sa b", "" },
    { "empty", "\"\"", "s", "" },
    { "escapes", "\"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"", "s\a\b\f\n\r\t\v\\\"", "" },
    { "bytes", "\"\\x41\\101\\xe4\\xb8\\xad\\303\\251\"", "sAA\xE4\xB8\xAD\xC3\xA9", "" },
    { "code points", "\"\\u4e2d\\U0001F600\\u00a0\"", "s\xE4\xB8\xAD\xF0\x9F\x98\x80\xC2\xA0", "" },
    { "a break inside", "\"a\nb\" c", "sa\nb wc", "" },
    { "a break and escapes", "\"a\n\\tb\"", "sa\n\tb", "" },
    { "a hash inside", "\"#\" # \"", "s#", "" },
    { "unknown escape", "x \"\\d+\"", "wx s\\d+",
      "1:4: warning: unknown escape `\\d`; string taken literally (fix: write `\\\\d`) [W104]\n" },
    { "known ones beside it stay literal", "\"\\n\\d\"", "s\\n\\d",
      "1:4: warning: unknown escape `\\d`; string taken literally (fix: double each backslash) [W104]\n" },
    { "unknown, with a break", "\"\n \\d\"", "s\n \\d",
      "2:2: warning: unknown escape `\\d`; string taken literally (fix: write `\\\\d`) [W104]\n" },
    { "short hex", "\"\\x4\"", "s\\x4",
      "1:2: warning: unknown escape `\\x`; string taken literally (fix: write `\\\\x`) [W104]\n" },
    { "half of a pair", "\"\\ud800\"", "s\\ud800",
      "1:2: warning: unknown escape `\\u`; string taken literally (fix: write `\\\\u`) [W104]\n" },
    { "past Unicode", "\"\\U00110000\"", "s\\U00110000",
      "1:2: warning: unknown escape `\\U`; string taken literally (fix: write `\\\\U`) [W104]\n" },
    { "past a byte", "\"\\400\"", "s\\400",
      "1:2: warning: unknown escape `\\4`; string taken literally (fix: write `\\\\4`) [W104]\n" },
    { "of another script", "\"\\\xE5\x9F\x9F\"", "s\\\xE5\x9F\x9F",
      "1:2: warning: unknown escape `\\\xE5\x9F\x9F`; string taken literally (fix: write `\\\\\xE5\x9F\x9F`) "
      "[W104]\n" },
    { "no UTF-8 behind escapes", "\"\\xff\"", "!",
      "1:1: error: string is not valid UTF-8 once its escapes are read [E103]\n" },
    { "never ends", "a \"b } \r\nc", "wa ! wc", "1:3: error: unterminated string [E102]\n" },
    { "never ends, after an escape", "a \"b\\\" c", "wa !", "1:3: error: unterminated string [E102]\n" },
    { "break behind a backslash", "\"a\\\nb\" c", "! wc",
      "1:3: error: a backslash cannot stand at the end of a line in a string [E102]\n" },
    { "once one never ended, none goes past its line", "\"a\n\\\"b\n\\\"c\\\" d", "! ! ! ! !",
      "1:1: error: unterminated string [E102]\n2:1: error: invalid input text \"\\\"b\" [E102]\n"
      "2:2: error: unterminated string [E102]\n3:1: error: invalid input text \"\\\"c\\\" d\" [E102]\n"
      "3:2: error: unterminated string [E102]\n" },
};

TEST(strings_and_escapes) {
    for (size_t i = 0; i < VSR_COUNT(strings); i++) {
        struct read r;
        read_text(&r, str_from_c(strings[i].text));
        CHECK_STR(buf_str(&r.shown), strings[i].want, strings[i].name);
        CHECK_STR(buf_str(&r.told), strings[i].told, strings[i].name);
        done(&r);
    }
}

/* A fix of W104 must not change what the string says. */
TEST(fixed_escapes_say_the_same) {
    static const char *const texts[] = { "\"\\d+\"", "\"\\n\\d\\\"x\\\\\"", "a \"\\\\\\d\\s\" \"\\w\"",
                                         "\"\\d\n\\x41\"" };
    for (size_t i = 0; i < VSR_COUNT(texts); i++) {
        struct read r, again;
        struct buf fixed;
        read_text(&r, str_from_c(texts[i]));
        buf_init(&fixed, TEXT_LEN_MAX);
        CHECK_INT(findings_apply(&r.findings, str_from_c(texts[i]), &fixed), r.findings.n, texts[i]);
        read_text(&again, buf_str(&fixed));
        CHECK_INT(again.findings.n, 0, texts[i]);
        CHECK(str_eq(buf_str(&r.shown), buf_str(&again.shown)), texts[i]);
        buf_done(&fixed);
        done(&r);
        done(&again);
    }
}

TEST(places) {
    const vsr_str text = VSR_STR("a \"\xE5\x9F\x9F\n\xC3\xA9\" bc\n  -1");
    static const struct dsl_at want[] = {
        { 0, 1, 1, 1 }, { 2, 10, 1, 3 }, { 11, 13, 2, 4 }, { 16, 18, 3, 3 }, { 18, 18, 3, 5 }
    };
    struct read r;
    read_text(&r, text);
    CHECK_INT(r.tokens.n, VSR_COUNT(want), "count");
    for (size_t i = 0; i < VSR_COUNT(want); i++) {
        struct dsl_at at = r.tokens.items[i].at, origin = { 0, 0, 1, 1 };
        uint32_t line, col;
        CHECK_INT(at.start, want[i].start, "start");
        CHECK_INT(at.end, want[i].end, "end");
        CHECK_INT(at.line, want[i].line, "line");
        CHECK_INT(at.col, want[i].col, "column");
        dsl_place(text, origin, at.start, &line, &col);
        CHECK_INT(line, at.line, "line, walked");
        CHECK_INT(col, at.col, "column, walked");
    }
    done(&r);
}

TEST(comments) {
    static const struct {
        const char *text;
        uint32_t before, line, col;
        bool own_line;
    } want[] = {
        { "# first", 0, 1, 1, true }, { "# behind", 2, 2, 6, false }, { "#", 2, 3, 3, true },
        { "# str", 3, 5, 4, false },  { "#last", 3, 6, 1, true },
    };
    const vsr_str text = VSR_STR("# first \r\na b  # behind\r\n  #\n\"x\ny\" # str\n#last");
    struct read r;
    read_text(&r, text);
    CHECK_INT(r.tokens.n_comments, VSR_COUNT(want), "count");
    for (size_t i = 0; i < VSR_COUNT(want); i++) {
        const struct comment *comment = &r.tokens.comments[i];
        CHECK_STR(str_sub(text, comment->at.start, comment->at.end), want[i].text, "text");
        CHECK_INT(comment->before, want[i].before, want[i].text);
        CHECK_INT(comment->at.line, want[i].line, want[i].text);
        CHECK_INT(comment->at.col, want[i].col, want[i].text);
        CHECK_INT(comment->own_line, want[i].own_line, want[i].text);
    }
    done(&r);
}

/* Any text: tokens and comments lie in order, hold no break of the line that is not counted, and cover the text. */
TEST(nothing_is_lost) {
    static const char alphabet[] = "a1.-+e\"\\#\n {}:\xC3\xA9\xFF>@n";
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        char text[24];
        size_t len = 0, at = 0, c = 0;
        struct read r;
        for (random ^= random << 13, random ^= random >> 7, random ^= random << 17; len < random % 24; len++)
            text[len] = alphabet[(random >> (len * 2 % 48)) * 2654435761u % (sizeof(alphabet) - 1)];
        read_text(&r, str_make(text, len));
        for (size_t i = 0; i < r.tokens.n; i++) {
            const struct token *token = &r.tokens.items[i];
            for (; c < r.tokens.n_comments && r.tokens.comments[c].before == i; c++) {
                CHECK(r.tokens.comments[c].at.start >= at, "comment in order");
                at = r.tokens.comments[c].at.end;
            }
            CHECK(token->at.start >= at && token->at.end >= token->at.start && token->at.end <= len, "token in order");
            for (; at < token->at.start; at++)
                CHECK(memchr(" \n", text[at], 2), "only blanks between");
            at = token->at.end;
        }
        CHECK_INT(at, len, "all of it");
        done(&r);
    }
}

TEST(limits) {
    struct read r;
    char *text = calloc(1, DSL_BYTES_MAX + 1);
    memset(text, ' ', DSL_BYTES_MAX + 1);
    read_text(&r, str_make(text, DSL_BYTES_MAX));
    CHECK_INT(r.findings.n, 0, "at the limit");
    done(&r);
    read_text(&r, str_make(text, DSL_BYTES_MAX + 1));
    CHECK_STR(buf_str(&r.told), "1:1: error: a program has at most 8388608 bytes; split it [E106]\n", "past it");
    CHECK_INT(r.tokens.n, 1, "nothing read");
    done(&r);
    memset(text, ',', DSL_TOKENS_MAX + 1);
    read_text(&r, str_make(text, DSL_TOKENS_MAX - 1));
    CHECK_INT(r.findings.n, 0, "tokens at the limit");
    CHECK_INT(r.tokens.n, DSL_TOKENS_MAX, "with the end");
    done(&r);
    read_text(&r, str_make(text, DSL_TOKENS_MAX));
    CHECK_INT(r.findings.n, 1, "tokens past it");
    CHECK_INT(r.tokens.n, 1, "nothing kept");
    done(&r);
    for (size_t i = 0; i < 300; i++)
        memcpy(text + 2 * i, "@ ", 2);
    read_text(&r, str_make(text, 600));
    CHECK_INT(r.findings.n, FINDINGS_SYNTAX_MAX, "errors kept");
    CHECK_INT(r.findings.n_of[FINDING_ERROR], 300, "errors counted");
    done(&r);
    free(text);
}

RUN_TESTS(T(texts), T(a_nul_is_shown), T(strings_and_escapes), T(fixed_escapes_say_the_same), T(places), T(comments),
          T(nothing_is_lost), T(limits))
