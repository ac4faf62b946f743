#include "test.h"

#include "core/clock.h"
#include "core/err.h"
#include "core/random.h"

TEST(context_is_put_before) {
    struct vsr_err err = VSR_ERR_NONE;
    char text[256];
    CHECK_INT(err_set(&err, VSR_E_INVALID, "bad %d", 7), VSR_E_INVALID, "code");
    CHECK_INT(err_wrap(&err, "rule %s", "x"), VSR_E_INVALID, "wrap keeps the code");
    CHECK_STR(str_from_c(err.text), "rule x: bad 7", "text");
    err_at(&err, VSR_STR("policy.yaml"), 3, 9);
    CHECK_STR(str_from_c(err_print(&err, text, sizeof(text))), "policy.yaml:3:9: rule x: bad 7", "place");
    CHECK_INT(err_set(NULL, VSR_E_IO, "dropped"), VSR_E_IO, "without an error");
}

TEST(overlong_text_is_cut) {
    struct vsr_err err = VSR_ERR_NONE;
    char big[2000];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    (void)err_set(&err, VSR_E_IO, "%s", big);
    (void)err_wrap(&err, "%s", big);
    CHECK_INT(strlen(err.text), VSR_ERR_TEXT_LEN - 1, "cut");
}

TEST(every_code_has_a_text) {
#define X(name, value, text) CHECK_STR(str_from_c(err_code_text(VSR_E_##name)), text, #name);
    VSR_ERRORS(X)
#undef X
    CHECK_STR(str_from_c(err_code_text(-999)), "unknown error", "unknown");
}

TEST(rfc3339) {
    char out[CLOCK_RFC3339_LEN];
    CHECK_STR(str_from_c(clock_rfc3339(0, out)), "1970-01-01T00:00:00.000Z", "epoch");
    CHECK_STR(str_from_c(clock_rfc3339(1767323045678, out)), "2026-01-02T03:04:05.678Z", "later");
}

TEST(uuid_v7) {
    struct random random;
    char a[RANDOM_UUID_LEN], b[RANDOM_UUID_LEN];
    random_init(&random);
    random_uuid_v7(&random, 0x0123456789ab, a);
    random_uuid_v7(&random, 0x0123456789ab, b);
    CHECK_STR(str_make(a, 13), "01234567-89ab", "time comes first");
    CHECK_INT(a[14], '7', "version");
    CHECK(strchr("89ab", a[19]) != NULL, "variant");
    CHECK(memcmp(a, b, sizeof(a)) != 0, "two differ");
}

RUN_TESTS(T(context_is_put_before), T(overlong_text_is_cut), T(every_code_has_a_text), T(rfc3339), T(uuid_v7))
