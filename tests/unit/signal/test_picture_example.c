/* What examples of rules about pictures are, by how they are written. */
#include "signal/picture_example.h"

#include "test.h"

#define FILLER "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

TEST(kinds) {
    static const struct {
        const char *text;
        enum picture_example_kind kind;
        const char *value;
    } cases[] = {
        { "a cat", EXAMPLE_TEXT, "a cat" },
        { "  a cat\n", EXAMPLE_TEXT, "a cat" },
        { "", EXAMPLE_TEXT, "" },
        { "/9j/", EXAMPLE_FILE, "/9j/" },
        { "iVBORw0KGgo", EXAMPLE_TEXT, "iVBORw0KGgo" },
        { "iVBORw0KGgo" FILLER, EXAMPLE_BASE64, "iVBORw0KGgo" FILLER },
        { "/9j/" FILLER, EXAMPLE_BASE64, "/9j/" FILLER },
        { "UklGR" FILLER " ", EXAMPLE_BASE64, "UklGR" FILLER },
        { "R0lGOD" FILLER, EXAMPLE_BASE64, "R0lGOD" FILLER },
        { "data:image/png;base64,AAAA", EXAMPLE_BASE64, "AAAA" },
        { "DATA:IMAGE/PNG;BASE64,AAAA", EXAMPLE_BASE64, "AAAA" },
        { "data:;base64,A,B", EXAMPLE_BASE64, "A,B" },
        { "data:image/png;base64,", EXAMPLE_BASE64, "" },
        { "data:image/png,AAAA", EXAMPLE_REFUSED, NULL },
        { "data:base64,AAAA", EXAMPLE_REFUSED, NULL },
        { "data:", EXAMPLE_REFUSED, NULL },
        { "/pictures/cat.png", EXAMPLE_FILE, "/pictures/cat.png" },
        { "./cat.png", EXAMPLE_FILE, "./cat.png" },
        { "../cat.png", EXAMPLE_TEXT, "../cat.png" },
        { "cat.png", EXAMPLE_TEXT, "cat.png" },
        { "http://example.com/cat.png", EXAMPLE_REFUSED, NULL },
        { "HTTPS://example.com/cat.png", EXAMPLE_REFUSED, NULL },
        { "https is a protocol", EXAMPLE_TEXT, "https is a protocol" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct picture_example got = picture_example_of(str_from_c(cases[i].text));
        CHECK_INT(got.kind, cases[i].kind, cases[i].text);
        if (cases[i].value)
            CHECK_STR(got.value, cases[i].value, cases[i].text);
        CHECK((got.refusal != NULL) == (cases[i].kind == EXAMPLE_REFUSED), cases[i].text);
    }
}

RUN_TESTS(T(kinds))
