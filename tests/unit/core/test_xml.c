#include "core/xml.h"

#include "core/buf.h"
#include "test.h"

static const struct {
    const char *name, *text, *want;
    size_t len;
} cases[] = {
    { "empty", "", "", 0 },
    { "plain", "plain 'text'", "plain 'text'", 12 },
    { "markup", "<a b=\"c\">&]]>", "&lt;a b=&quot;c&quot;&gt;&amp;]]&gt;", 13 },
    { "blanks that attributes would lose", "\t\n\r ", "&#9;&#10;&#13; ", 4 },
    { "NUL", "a\0b", "a b", 3 },
    { "controls", "\x01\x08\x0b\x0c\x0e\x1b\x1f\x7f", "        ", 8 },
    { "C1 controls are allowed", "\xC2\x80\xC2\x9F", "\xC2\x80\xC2\x9F", 4 },
    { "noncharacters of the first plane", "\xEF\xBF\xBE\xEF\xBF\xBF|\xEF\xBF\xBD", "  |\xEF\xBF\xBD", 10 },
    { "noncharacters of another", "\xF0\x9F\xBF\xBE", "\xF0\x9F\xBF\xBE", 4 },
    { "no UTF-8", "a\xFF\xC3z", "a  z", 4 },
    { "surrogate", "\xED\xA0\x80", "   ", 3 },
};

TEST(append) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct buf out;
        buf_init(&out, 1024);
        xml_append(&out, str_make(cases[i].text, cases[i].len));
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
        buf_done(&out);
    }
}

RUN_TESTS(T(append))
