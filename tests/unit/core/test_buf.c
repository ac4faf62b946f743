#include "test.h"

#include "core/buf.h"
#include "core/err.h"

TEST(limit_is_exact_and_sticky) {
    struct buf buf;
    buf_init(&buf, 8);
    CHECK_INT(buf_append_c(&buf, "12345678"), 0, "at the limit");
    CHECK_INT(buf_append_char(&buf, '9'), VSR_E_LIMIT, "one past it");
    CHECK_INT(buf_append_c(&buf, ""), VSR_E_LIMIT, "sticky");
    CHECK_STR(buf_str(&buf), "12345678", "unchanged");
    buf_reset(&buf);
    CHECK_INT(buf_failed(&buf), 0, "cleared");
    CHECK_INT(buf_append_c(&buf, "ok"), 0, "usable again");
    buf_done(&buf);
}

TEST(printf_long_and_short) {
    struct buf buf;
    char want[600];
    buf_init(&buf, 4096);
    memset(want, 'x', sizeof(want) - 1);
    want[sizeof(want) - 1] = '\0';
    CHECK_INT(buf_printf(&buf, "%s", want), 0, "longer than the stack buffer");
    CHECK_STR(buf_str(&buf), want, "long");
    buf_reset(&buf);
    CHECK_INT(buf_printf(&buf, "%d-%s", 7, "a"), 0, "short");
    CHECK_STR(buf_str(&buf), "7-a", "short");
    buf_done(&buf);
}

TEST(numbers_and_consume) {
    struct buf buf;
    buf_init(&buf, 1024);
    CHECK_INT(buf_append_u64(&buf, 0), 0, "zero");
    CHECK_INT(buf_append_u64(&buf, UINT64_MAX), 0, "max");
    CHECK_STR(buf_str(&buf), "018446744073709551615", "digits");
    buf_consume(&buf, 1);
    CHECK_STR(buf_str(&buf), "18446744073709551615", "front removed");
    buf_consume(&buf, buf.len);
    CHECK_INT(buf.len, 0, "all removed");
    buf_done(&buf);
    buf_done(&buf);
}

RUN_TESTS(T(limit_is_exact_and_sticky), T(printf_long_and_short), T(numbers_and_consume))
