/* What other people's text looks like in a line. */
#include "core/shown.h"

#include "core/utf8.h"
#include "test.h"

static const struct {
    const char *text, *want;
} cases[] = {
    { "", "" },
    { "plain, caf\xc3\xa9, \xe4\xbd\xa0", "plain, caf\xc3\xa9, \xe4\xbd\xa0" },
    { "two\nlines\tand", "two\\nlines\\tand" },
    { "\x1b]0;owned\x07", "\\x1b]0;owned\\x07" },
    { "\r\x7f", "\\x0d\\x7f" },
    { "\xc2\x9b", "\\x9b" },
    { "a\xe2\x80\xae"
      "b",
      "a\\u202eb" },
    { "\xd8\x9c", "\\u061c" },
    { "\xef\xbb\xbf", "\\ufeff" },
    { "\xff|\xc3", "\xef\xbf\xbd|\xef\xbf\xbd" },
    { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
};

TEST(shows_what_it_does_not_send) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct buf out;
        buf_init(&out, 1024);
        shown_append(&out, str_from_c(cases[i].text));
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].want);
        buf_done(&out);
    }
}

TEST(nothing_active_comes_out) {
    for (uint32_t cp = 0; cp < 0x3000; cp++) {
        char bytes[4];
        struct buf out;
        buf_init(&out, 64);
        shown_append(&out, str_make(bytes, utf8_encode(cp, bytes)));
        for (size_t at = 0; at < out.len;)
            CHECK(!shown_is_active(utf8_next(buf_str(&out), &at)), "what is shown is not active");
        buf_done(&out);
    }
}

RUN_TESTS(T(shows_what_it_does_not_send), T(nothing_active_comes_out))
