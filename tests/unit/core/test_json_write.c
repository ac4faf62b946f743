#include "core/json_write.h"

#include <locale.h>
#include <math.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_number.h"
#include "test.h"

static struct buf out;

static void start(void) {
    buf_done(&out);
    buf_init(&out, 1 << 20);
}

TEST(object_and_arrays) {
    struct json_writer w;
    start();
    json_write_init(&w, &out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("model"));
    json_write_str(&w, VSR_STR("a\"b"));
    json_write_key(&w, VSR_STR("list"));
    json_write_begin_array(&w);
    json_write_i64(&w, INT64_MIN);
    json_write_u64(&w, UINT64_MAX);
    json_write_bool(&w, true);
    json_write_bool(&w, false);
    json_write_null(&w);
    json_write_double(&w, 0.1);
    json_write_raw(&w, VSR_STR("{\"x\": 1}"));
    json_write_begin_array(&w);
    json_write_end(&w);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("o"));
    json_write_begin_object(&w);
    json_write_end(&w);
    json_write_end(&w);
    CHECK_STR(
        buf_str(&out),
        "{\"model\":\"a\\\"b\",\"list\":[-9223372036854775808,18446744073709551615,true,false,null,0.1,{\"x\": 1},[]],"
        "\"o\":{}}",
        "compact");
    CHECK_INT(buf_failed(&out), 0, "compact");
}

TEST(pretty) {
    struct json_writer w;
    start();
    json_write_init_pretty(&w, &out, 2);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("a"));
    json_write_begin_array(&w);
    json_write_i64(&w, 1);
    json_write_i64(&w, 2);
    json_write_end(&w);
    json_write_key(&w, VSR_STR("b"));
    json_write_begin_object(&w);
    json_write_end(&w);
    json_write_end(&w);
    CHECK_STR(buf_str(&out), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}", "pretty");
}

TEST(as_deep_as_allowed) {
    struct json_writer w;
    struct json_doc doc;
    struct arena *arena = arena_new(0, 0);
    start();
    json_write_init_pretty(&w, &out, 8);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_write_begin_array(&w);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        json_write_end(&w);
    CHECK_INT(json_parse(arena, buf_str(&out), &doc, NULL), 0, "128 deep");
    arena_free(arena);
}

static const struct {
    const char *name, *text;
    size_t len;
    const char *want;
} quote_cases[] = {
    { "empty", "", 0, "\"\"" },
    { "plain", "abc", 3, "\"abc\"" },
    { "quote", "\"", 1, "\"\\\"\"" },
    { "backslash", "\\", 1, "\"\\\\\"" },
    { "slash stays", "</", 2, "\"</\"" },
    { "short escapes", "\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\"" },
    { "controls", "\0\x01\x1f", 3, "\"\\u0000\\u0001\\u001f\"" },
    { "DEL stays", "\x7f", 1, "\"\x7f\"" },
    { "UTF-8 stays", "\xC3\xA9\xF0\x9F\x98\x80", 6, "\"\xC3\xA9\xF0\x9F\x98\x80\"" },
    { "bad byte",
      "a\xFF"
      "b",
      3,
      "\"a\xEF\xBF\xBD"
      "b\"" },
    { "bad bytes in a row", "\xE2\x82", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },
    { "surrogate", "\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
    { "behind a block", "0123456789abcdef\n0123456789abcdef0\"", 35, "\"0123456789abcdef\\n0123456789abcdef0\\\"\"" },
};

TEST(quote) {
    for (size_t i = 0; i < VSR_COUNT(quote_cases); i++) {
        start();
        json_quote(&out, str_make(quote_cases[i].text, quote_cases[i].len));
        CHECK_STR(buf_str(&out), quote_cases[i].want, quote_cases[i].name);
    }
}

/* Any bytes: the result is valid JSON, and valid UTF-8 comes back as it was. */
TEST(quote_random) {
    static const char alphabet[] = "ab\"\\\n\x01/\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xFF";
    struct arena *arena = arena_new(0, 0);
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char text[96];
        struct json_doc doc;
        vsr_str back;
        size_t len = (size_t)(round % (int)sizeof(text));
        for (size_t i = 0; i < len; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[i] = alphabet[(seed >> 33) % (round % 3 ? 7 : sizeof(alphabet) - 1)];
        }
        start();
        arena_reset(arena);
        json_quote(&out, str_make(text, len));
        CHECK_INT(json_parse(arena, buf_str(&out), &doc, NULL), 0, "parses");
        CHECK(json_str(arena, &doc, 0, &back), "is a string");
        if (round % 3)
            CHECK(str_eq(back, str_make(text, len)), "comes back");
    }
    arena_free(arena);
}

static const struct {
    double value;
    const char *want;
} double_cases[] = {
    { 0, "0" },
    { -0.0, "-0" },
    { 1, "1" },
    { -1.5, "-1.5" },
    { 0.1, "0.1" },
    { 100, "100" },
    { 0.000001, "0.000001" },
    { 0.0000001, "1e-7" },
    { 1e20, "100000000000000000000" },
    { 1e21, "1e+21" },
    { 123456789012345680000.0, "123456789012345680000" },
    { 1.2345678901234567e-6, "0.0000012345678901234567" },
    { 5e-324, "5e-324" },
    { 2.2250738585072014e-308, "2.2250738585072014e-308" },
    { 1.7976931348623157e308, "1.7976931348623157e+308" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 9007199254740993.0, "9007199254740992" },
    { 5.684341886080802e-14, "5.684341886080802e-14" },
    { 1.0 / 3, "0.3333333333333333" },
    { 4.35, "4.35" },
    { 2.5e-5, "0.000025" },
};

TEST(doubles) {
    for (size_t i = 0; i < VSR_COUNT(double_cases); i++) {
        struct json_writer w;
        start();
        json_write_init(&w, &out);
        json_write_double(&w, double_cases[i].value);
        CHECK_STR(buf_str(&out), double_cases[i].want, double_cases[i].want);
    }
}

TEST(not_finite_is_null) {
    struct json_writer w;
    start();
    json_write_init(&w, &out);
    json_write_begin_array(&w);
    json_write_double(&w, NAN);
    json_write_double(&w, -INFINITY);
    json_write_end(&w);
    CHECK_STR(buf_str(&out), "[null,null]", "not finite");
}

/* Random bit patterns: reads back to the same bits through our reader and the C library, in at most 17 digits. */
static void check_random_doubles(void) {
    uint64_t seed = 42;
    for (int i = 0; i < 200000; i++) {
        char text[JSON_NUMBER_LEN_MAX + 1];
        double value, back;
        size_t len;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        memcpy(&value, &seed, sizeof(value));
        if (i % 2)
            value = (double)(int64_t)(seed >> 20) / 1000;
        if (!isfinite(value))
            continue;
        len = json_number_print(value, text);
        text[len] = '\0';
        CHECK(len <= 25, text);
        CHECK(json_number_double(str_make(text, len), &back), text);
        CHECK(memcmp(&back, &value, sizeof(value)) == 0, text);
    }
}

TEST(random_doubles) {
    check_random_doubles();
}

TEST(doubles_do_not_know_the_locale) {
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR" };
    char text[JSON_NUMBER_LEN_MAX];
    size_t i = 0;
    while (i < VSR_COUNT(names) && !setlocale(LC_NUMERIC, names[i]))
        i++;
    if (i == VSR_COUNT(names))
        skip();
    CHECK_STR(str_make(text, json_number_print(0.5, text)), "0.5", "comma locale");
    check_random_doubles();
    (void)setlocale(LC_NUMERIC, "C");
}

TEST(full_buffer_fails_once) {
    struct json_writer w;
    struct buf small;
    buf_init(&small, 10);
    json_write_init(&w, &small);
    json_write_begin_array(&w);
    for (int i = 0; i < 10; i++)
        json_write_str(&w, VSR_STR("abc"));
    json_write_end(&w);
    CHECK_INT(buf_failed(&small), VSR_E_LIMIT, "sticky");
    CHECK(small.len <= 10, "never more than allowed");
    buf_done(&small);
    buf_done(&out);
}

RUN_TESTS(T(object_and_arrays), T(pretty), T(as_deep_as_allowed), T(quote), T(quote_random), T(doubles),
          T(not_finite_is_null), T(random_doubles), T(doubles_do_not_know_the_locale), T(full_buffer_fails_once))
