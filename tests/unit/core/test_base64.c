/* base64: written and read back, what is canonical and what is taken beside it. */
#include "core/base64.h"

#include <string.h>

#include "core/buf.h"
#include "test.h"

TEST(both_ways) {
    char bytes[64], out[128];
    for (size_t n = 0; n < sizeof(bytes); n++) {
        struct buf text;
        size_t len = 0;
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(i * 37 + n * 11);
        buf_init(&text, 1 << 10);
        base64_write(&text, str_make(bytes, n));
        CHECK_INT(text.len, (n + 2) / 3 * 4, "padded");
        CHECK_INT(base64_read(buf_str(&text), n > 0, out, &len), true, "read back");
        CHECK_MSG(len == n && memcmp(out, bytes, n) == 0 && n <= base64_room(text.len), "%zu bytes", n);
        buf_done(&text);
    }
}

TEST(what_is_taken) {
    static const struct {
        const char *text, *canonical, *lenient; /* NULL: refused */
    } cases[] = {
        { "Zm9v", "foo", "foo" },
        { "Zm8=", "fo", "fo" },
        { "Zg==", "f", "f" },
        { "+/+/", "\xfb\xff\xbf", "\xfb\xff\xbf" },
        { "", NULL, "" },
        { "Zm8", NULL, "fo" },
        { "Zg", NULL, "f" },
        { "Zg=", NULL, "f" },
        { "Zh==", NULL, "f" },
        { "Zm9=", NULL, "fo" },
        { " Zm\r\n9v\t", NULL, "foo" },
        { "Zg =\n= ", NULL, "f" },
        { "Z", NULL, NULL },
        { "Z===", NULL, NULL },
        { "====", NULL, NULL },
        { "Zm9v=", NULL, NULL },
        { "Zg===", NULL, NULL },
        { "Zg==Zg==", NULL, NULL },
        { "=Zm9", NULL, NULL },
        { "Zm=v", NULL, NULL },
        { "-_-_", NULL, NULL },
        { "Zm9\xc3", NULL, NULL },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        for (int canonical = 0; canonical < 2; canonical++) {
            const char *want = canonical ? cases[i].canonical : cases[i].lenient;
            char out[64];
            size_t len = 0;
            bool ok = base64_read(str_from_c(cases[i].text), canonical, out, &len);
            CHECK_INT(ok, want != NULL, cases[i].text);
            CHECK_STR(str_make(out, ok ? len : 0), want ? want : "", cases[i].text);
        }
}

RUN_TESTS(T(both_ways), T(what_is_taken))
