#include "serve/json_end.h"

#include "test.h"

static const struct {
    const char *name, *text;
    bool complete, more;
} cases[] = {
    { "nothing", "", false, false },
    { "empty object", "{}", true, false },
    { "nested", "{\"a\":[{},[1,2]]}", true, false },
    { "open", "{\"a\":[{}", false, false },
    { "brackets in a string", "{\"a\":\"]}{[\"", false, false },
    { "escaped quote", "{\"a\":\"\\\"}\"", false, false },
    { "escaped escape", "{\"a\":\"\\\\\"}", true, false },
    { "white space around", " \r\n\t{} \r\n\t", true, false },
    { "something behind", "{} x", true, true },
    { "another one behind", "[][", true, true },
    { "no JSON", "}]", false, false },
    { "a bare string", "\"{}\"", false, false },
    { "a number", "12", false, false },
    { "an event", "data: {}\n\n", false, false },
    { "a word before", "x[1]", false, false },
};

TEST(the_end_is_seen_at_every_split) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str text = str_from_c(cases[i].text);
        for (size_t at = 0; at <= text.len; at++) {
            struct json_end end = { 0 };
            (void)json_end_feed(&end, str_sub(text, 0, at)); /* the second call tells */
            CHECK_INT(json_end_feed(&end, str_sub(text, at, text.len)), cases[i].complete, cases[i].name);
            CHECK_INT(end.more, cases[i].more, cases[i].name);
        }
    }
}

RUN_TESTS(T(the_end_is_seen_at_every_split))
