#include "core/json.h"

#include <dirent.h>
#include <math.h>

#include "core/arena.h"
#include "core/json_string.h"
#include "test.h"

static struct arena *arena;

static int setup(void **state) {
    (void)state;
    arena = arena_new(0, 0);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static int parse(vsr_str text, struct json_doc *ret_doc, struct vsr_err *err) {
    *err = VSR_ERR_NONE;
    return json_parse(arena, text, ret_doc, err);
}

static uint64_t random_state = 1;

static size_t random_below(size_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % n;
}

static const struct {
    const char *text;
    uint32_t line, col;
    const char *message;
} bad_cases[] = {
    { "", 1, 1, "expected a value, found the end of the text" },
    { " \n ", 2, 2, "expected a value, found the end of the text" },
    { "{", 1, 2, "expected a member's name in quotes, found the end of the text" },
    { "[", 1, 2, "expected a value, found the end of the text" },
    { "[1,]", 1, 4, "expected a value, found ']'" },
    { "[,1]", 1, 2, "expected a value, found ','" },
    { "[1 2]", 1, 4, "expected ',' or ']', found '2'" },
    { "[1}", 1, 3, "expected ',' or ']', found '}'" },
    { "{\"a\":1]", 1, 7, "expected ',' or '}', found ']'" },
    { "{\"a\":1,}", 1, 8, "expected a member's name in quotes, found '}'" },
    { "{\"a\" 1}", 1, 6, "expected ':', found '1'" },
    { "{\"a\":}", 1, 6, "expected a value, found '}'" },
    { "{a:1}", 1, 2, "expected a member's name in quotes, found 'a'" },
    { "{1:1}", 1, 2, "expected a member's name in quotes, found '1'" },
    { "1 2", 1, 3, "expected the end of the text, found '2'" },
    { "{}\n\n x", 3, 2, "expected the end of the text, found 'x'" },
    { "nul", 1, 1, "expected a value, found 'n'" },
    { "truE", 1, 1, "expected a value, found 't'" },
    { "True", 1, 1, "expected a value, found 'T'" },
    { "nulll", 1, 5, "expected the end of the text, found 'l'" },
    { "01", 1, 1, "number with a leading zero" },
    { "-01", 1, 2, "number with a leading zero" },
    { "00", 1, 1, "number with a leading zero" },
    { "-", 1, 2, "expected a digit, found the end of the text" },
    { "1.", 1, 3, "expected a digit, found the end of the text" },
    { "1.e1", 1, 3, "expected a digit, found 'e'" },
    { "1e", 1, 3, "expected a digit, found the end of the text" },
    { "1e+", 1, 4, "expected a digit, found the end of the text" },
    { "+1", 1, 1, "expected a value, found '+'" },
    { ".5", 1, 1, "expected a value, found '.'" },
    { "0x1", 1, 2, "expected the end of the text, found 'x'" },
    { "NaN", 1, 1, "expected a value, found 'N'" },
    { "-Infinity", 1, 2, "expected a digit, found 'I'" },
    { "\"", 1, 2, "string is not closed" },
    { "\"abc", 1, 5, "string is not closed" },
    { "\"a\\", 1, 3, "string is not closed" },
    { "\"a\nb\"", 1, 3, "control character in a string must be escaped" },
    { "\"\x1f\"", 1, 2, "control character in a string must be escaped" },
    { "\"\\x\"", 1, 2, "unknown escape in a string" },
    { "\"\\U0041\"", 1, 2, "unknown escape in a string" },
    { "\"\\u12\"", 1, 2, "\\u must be followed by four hexadecimal digits" },
    { "\"\\u12G4\"", 1, 2, "\\u must be followed by four hexadecimal digits" },
    { "\"\\ud800\"", 1, 2, "lone surrogate in a string" },
    { "\"\\udc00\"", 1, 2, "lone surrogate in a string" },
    { "\"\\ud800\\ud800\"", 1, 2, "lone surrogate in a string" },
    { "\"\\ud800\\n\"", 1, 2, "lone surrogate in a string" },
    { "\"\xFF\"", 1, 2, "invalid UTF-8" },
    { "[1]\n\xC3", 2, 1, "invalid UTF-8" },
    { "[1 2, \"\xFF\"]", 1, 4, "expected ',' or ']', found '2'" },
    { "\"\xED\xA0\x80\"", 1, 2, "invalid UTF-8" },
    { "\xEF\xBB\xBF{}", 1, 1, "byte order mark before the text" },
    { "[\xC2\xA0]", 1, 2, "expected a value, found byte 0xC2" },
    { "[1\x01]", 1, 3, "expected ',' or ']', found byte 0x01" },
    { "[1\f]", 1, 3, "expected ',' or ']', found byte 0x0C" },
    { "'a'", 1, 1, "expected a value, found '''" },
    { "// c\n1", 1, 1, "expected a value, found '/'" },
};

TEST(rejects) {
    for (size_t i = 0; i < VSR_COUNT(bad_cases); i++) {
        const char *name = bad_cases[i].text;
        struct json_doc doc = { .n_nodes = 7 };
        struct vsr_err err;
        CHECK_INT(parse(str_from_c(name), &doc, &err), VSR_E_SYNTAX, name);
        CHECK_STR(str_from_c(err.text), bad_cases[i].message, name);
        CHECK_INT(err.line, bad_cases[i].line, name);
        CHECK_INT(err.col, bad_cases[i].col, name);
        CHECK_INT(doc.n_nodes, 7, "untouched on failure");
    }
}

TEST(rejects_without_err) {
    struct json_doc doc;
    CHECK_INT(json_parse(arena, VSR_STR("[1,"), &doc, NULL), VSR_E_SYNTAX, "no err");
    CHECK_INT(json_parse(arena, str_make(NULL, 0), &doc, NULL), VSR_E_SYNTAX, "NULL text");
    CHECK_INT(json_parse(arena, str_make("1\0", 2), &doc, NULL), VSR_E_SYNTAX, "NUL behind");
    CHECK_INT(json_parse(arena, str_make("\0", 1), &doc, NULL), VSR_E_SYNTAX, "NUL");
}

TEST(tape) {
    static const char text[] = " {\"a\": [1,true],\"\\u0062\":-1.5e3 } ";
    static const struct json_node want[] = {
        { 1, 33, 7, JSON_OBJECT, 0 },  { 2, 5, 2, JSON_STRING, 0 },
        { 7, 15, 5, JSON_ARRAY, 0 },   { 8, 9, 4, JSON_NUMBER, JSON_FLAG_INTEGER },
        { 10, 14, 5, JSON_TRUE, 0 },   { 16, 24, 6, JSON_STRING, JSON_FLAG_ESCAPED },
        { 25, 31, 7, JSON_NUMBER, 0 },
    };
    struct json_doc doc;
    struct vsr_err err;
    CHECK_INT(parse(str_from_c(text), &doc, &err), 0, "parses");
    CHECK_INT(doc.n_nodes, VSR_COUNT(want), "nodes");
    for (size_t i = 0; i < VSR_COUNT(want); i++) {
        CHECK_INT(doc.nodes[i].start, want[i].start, "start");
        CHECK_INT(doc.nodes[i].end, want[i].end, "end");
        CHECK_INT(doc.nodes[i].next, want[i].next, "next");
        CHECK_INT(doc.nodes[i].type, want[i].type, "type");
        CHECK_INT(doc.nodes[i].flags, want[i].flags, "flags");
    }
    CHECK_STR(json_raw(&doc, 6), "-1.5e3", "raw");
}

TEST(access) {
    struct json_doc doc;
    struct vsr_err err;
    json_ref list;
    CHECK_INT(parse(VSR_STR("{\"a\":[10,[20],{\"x\":30}],\"b\":{},\"c\":[]}"), &doc, &err), 0, "parses");
    list = json_get(&doc, 0, VSR_STR("a"));
    CHECK(json_is(&doc, list, JSON_ARRAY), "a");
    CHECK_INT(json_type_of(&doc, list), JSON_ARRAY, "a");
    CHECK_INT(json_count(&doc, 0), 3, "members");
    CHECK_INT(json_count(&doc, list), 3, "elements");
    CHECK_STR(json_raw(&doc, json_at(&doc, list, 0)), "10", "first");
    CHECK_STR(json_raw(&doc, json_at(&doc, list, 1)), "[20]", "second");
    CHECK_STR(json_raw(&doc, json_get(&doc, json_at(&doc, list, 2), VSR_STR("x"))), "30", "inside the third");
    CHECK_INT(json_at(&doc, list, 3), JSON_NONE, "past the end");
    CHECK_INT(json_at(&doc, 0, 0), JSON_NONE, "element of an object");
    CHECK_INT(json_get(&doc, list, VSR_STR("a")), JSON_NONE, "member of an array");
    CHECK_INT(json_get(&doc, JSON_NONE, VSR_STR("a")), JSON_NONE, "member of nothing");
    CHECK_INT(json_get(&doc, 0, VSR_STR("z")), JSON_NONE, "absent");
    CHECK_INT(json_first(&doc, json_get(&doc, 0, VSR_STR("b"))), JSON_NONE, "empty object");
    CHECK_INT(json_first(&doc, json_get(&doc, 0, VSR_STR("c"))), JSON_NONE, "empty array");
    CHECK_INT(json_count(&doc, json_get(&doc, 0, VSR_STR("c"))), 0, "empty array");
    CHECK_INT(json_first(&doc, json_at(&doc, list, 0)), JSON_NONE, "a number's child");
    CHECK_STR(json_raw(&doc, json_first(&doc, 0)), "\"a\"", "first key");
    CHECK_INT(json_next(&doc, 0, json_first(&doc, 0)), list, "its value");
    CHECK_STR(json_raw(&doc, json_next(&doc, 0, list)), "\"b\"", "next key");
    CHECK_INT(json_next(&doc, list, json_at(&doc, list, 2)), JSON_NONE, "last");
}

static const struct {
    const char *json, *want;
    size_t len;
} string_cases[] = {
    { "\"\"", "", 0 },
    { "\"abc\"", "abc", 3 },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
    { "\"a\\u0041\\u00e9\\u20AC\\ud83d\\uDE00z\"", "aA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z", 12 },
    { "\"\\u0000\"", "\0", 1 },
    { "\"\xC3\xA9\"", "\xC3\xA9", 2 },
    { "\"\\\\\\\\\"", "\\\\", 2 },
    { "\"0123456789abcdef0123456789abcdef\\n0123456789abcdef\"", "0123456789abcdef0123456789abcdef\n0123456789abcdef",
      49 },
};

TEST(strings) {
    for (size_t i = 0; i < VSR_COUNT(string_cases); i++) {
        const char *name = string_cases[i].json;
        vsr_str want = { string_cases[i].want, string_cases[i].len }, text;
        struct json_doc doc;
        struct vsr_err err;
        CHECK_INT(parse(str_from_c(name), &doc, &err), 0, name);
        CHECK(json_str(arena, &doc, 0, &text), name);
        CHECK(str_eq(text, want), name);
        CHECK_INT(json_str_len(&doc, 0), want.len, name);
        CHECK(json_str_eq(&doc, 0, want), name);
        CHECK(!json_str_eq(&doc, 0, VSR_STR("something else")), name);
        CHECK(!json_str_eq(&doc, 0, str_make(want.ptr, want.len ? want.len - 1 : 1)), name);
    }
}

TEST(no_string) {
    struct json_doc doc;
    struct vsr_err err;
    vsr_str text;
    CHECK_INT(parse(VSR_STR("1"), &doc, &err), 0, "parses");
    CHECK(!json_str(arena, &doc, 0, &text), "number");
    CHECK(!json_str(arena, &doc, JSON_NONE, &text), "none");
    CHECK(!json_str_eq(&doc, 0, VSR_STR("1")), "number");
    CHECK_INT(json_str_len(&doc, JSON_NONE), 0, "none");
}

static const struct {
    const char *text;
    bool is_integer;
    int64_t integer;
    bool is_double;
    double value;
} number_cases[] = {
    { "0", true, 0, true, 0 },
    { "-0", true, 0, true, -0.0 },
    { "7", true, 7, true, 7 },
    { "-12", true, -12, true, -12 },
    { "9223372036854775807", true, INT64_MAX, true, 9223372036854775807.0 },
    { "-9223372036854775808", true, INT64_MIN, true, -9223372036854775808.0 },
    { "9223372036854775808", false, 0, true, 9223372036854775808.0 },
    { "-9223372036854775809", false, 0, true, -9223372036854775809.0 },
    { "123456789012345678901234567890", false, 0, true, 123456789012345678901234567890.0 },
    { "1.0", false, 0, true, 1 },
    { "1e2", false, 0, true, 100 },
    { "0.1", false, 0, true, 0.1 },
    { "-2.5E-3", false, 0, true, -0.0025 },
    { "1e22", false, 0, true, 1e22 },
    { "1e23", false, 0, true, 1e23 },
    { "123456789012345e-22", false, 0, true, 123456789012345e-22 },
    { "9007199254740993", true, 9007199254740993, true, 9007199254740992.0 },
    { "9007199254740992.999999999999999999", false, 0, true, 9007199254740992.0 },
    { "9007199254740993.000000000000000001", false, 0, true, 9007199254740994.0 },
    { "1.7976931348623157e308", false, 0, true, 1.7976931348623157e308 },
    { "1.7976931348623159e308", false, 0, false, 0 },
    { "1e999", false, 0, false, 0 },
    { "-1e999999999999999999999999", false, 0, false, 0 },
    { "1e-999999999999999999999999", false, 0, true, 0 },
    { "0e999999999999999999999999", false, 0, true, 0 },
    { "4.9e-324", false, 0, true, 4.9e-324 },
    { "2.4703282292062327e-324", false, 0, true, 0 },
    { "2.4703282292062328e-324", false, 0, true, 4.9e-324 },
    { "2.2250738585072011e-308", false, 0, true, 2.2250738585072011e-308 },
};

TEST(numbers) {
    for (size_t i = 0; i < VSR_COUNT(number_cases); i++) {
        const char *name = number_cases[i].text;
        struct json_doc doc;
        struct vsr_err err;
        int64_t integer = -77;
        double value = -77;
        CHECK_INT(parse(str_from_c(name), &doc, &err), 0, name);
        CHECK_INT(json_i64(&doc, 0, &integer), number_cases[i].is_integer, name);
        CHECK_INT(integer, number_cases[i].is_integer ? number_cases[i].integer : -77, name);
        CHECK_INT(json_double(&doc, 0, &value), number_cases[i].is_double, name);
        CHECK(value == (number_cases[i].is_double ? number_cases[i].value : -77), name);
        CHECK(!number_cases[i].is_double || signbit(value) == signbit(number_cases[i].value), name);
    }
}

/* Literals of more digits than the reader keeps; their value hangs on the last one. */
TEST(long_numbers) {
    enum { ZEROS = 5000 };
    static const char head[] = "9007199254740993"; /* half way between two doubles: goes to the even one, below */
    char text[ZEROS + 64];
    struct json_doc doc;
    struct vsr_err err;
    double value;
    size_t len = sizeof(head) - 1;
    memcpy(text, head, len);
    text[len++] = '.';
    memset(text + len, '0', ZEROS);
    len += ZEROS;
    CHECK_INT(parse(str_make(text, len), &doc, &err), 0, "zeros");
    CHECK(json_double(&doc, 0, &value) && value == 9007199254740992.0, "zeros");
    text[len++] = '1';
    CHECK_INT(parse(str_make(text, len), &doc, &err), 0, "one behind zeros");
    CHECK(json_double(&doc, 0, &value) && value == 9007199254740994.0, "one behind zeros");
    memset(text, '0', sizeof(text));
    memcpy(text, "0.", 2);
    memcpy(text + ZEROS, "123e5001", 8); /* 0.000...123 with ZEROS - 2 zeros behind the point */
    CHECK_INT(parse(str_make(text, ZEROS + 8), &doc, &err), 0, "zeros before");
    CHECK(json_double(&doc, 0, &value) && value == 123.0, "zeros before");
    memset(text, '0', sizeof(text));
    text[0] = '1';
    memcpy(text + ZEROS, "e-5000", 6);
    CHECK_INT(parse(str_make(text, ZEROS + 6), &doc, &err), 0, "zeros behind");
    CHECK(json_double(&doc, 0, &value) && value == 0.1, "zeros behind");
}

TEST(doubles_agree_with_strtod) {
    for (int i = 0; i < 100000; i++) {
        char text[64];
        struct json_doc doc;
        struct vsr_err err;
        double value = 0;
        size_t len = 0, n_digits = 1 + random_below(22);
        text[len++] = (char)('1' + random_below(9));
        for (size_t d = 0; d < n_digits; d++) {
            if (d == 0 && random_below(2))
                text[len++] = '.';
            text[len++] = (char)('0' + random_below(10));
        }
        len += (size_t)snprintf(text + len, 16, "e%d", (int)random_below(660) - 330);
        arena_reset(arena);
        CHECK_INT(parse(str_make(text, len), &doc, &err), 0, text);
        if (json_double(&doc, 0, &value))
            CHECK(value == strtod(text, NULL), text);
        else
            CHECK(isinf(strtod(text, NULL)), text);
    }
}

TEST(bools) {
    struct json_doc doc;
    struct vsr_err err;
    bool value = false;
    int64_t integer;
    double number;
    CHECK_INT(parse(VSR_STR("[true,false,null,1]"), &doc, &err), 0, "parses");
    CHECK(json_bool(&doc, 1, &value) && value, "true");
    CHECK(json_bool(&doc, 2, &value) && !value, "false");
    CHECK(!json_bool(&doc, 3, &value), "null");
    CHECK(!json_bool(&doc, 4, &value), "number");
    CHECK(!json_bool(&doc, JSON_NONE, &value), "none");
    CHECK(!json_i64(&doc, 1, &integer), "true is no integer");
    CHECK(!json_double(&doc, JSON_NONE, &number), "none is no number");
}

static vsr_str nested(int depth, char *out) {
    for (int i = 0; i < depth; i++) {
        out[i] = '[';
        out[2 * depth - 1 - i] = ']';
    }
    return str_make(out, (size_t)depth * 2);
}

TEST(depth_limit) {
    char text[4 * JSON_DEPTH_MAX];
    struct json_doc doc;
    struct vsr_err err;
    CHECK_INT(parse(nested(JSON_DEPTH_MAX, text), &doc, &err), 0, "at the limit");
    CHECK_INT(doc.n_nodes, JSON_DEPTH_MAX, "nodes");
    CHECK_INT(parse(nested(JSON_DEPTH_MAX + 1, text), &doc, &err), VSR_E_LIMIT, "past the limit");
    CHECK_INT(err.col, JSON_DEPTH_MAX + 1, "column");
    CHECK_INT(err.line, 1, "line");
}

TEST(text_limit) {
    struct json_doc doc;
    struct vsr_err err;
    CHECK_INT(parse(str_make("1", (size_t)JSON_TEXT_LEN_MAX + 1), &doc, &err), VSR_E_LIMIT,
              "length is checked before reading");
}

static const struct {
    const char *text, *key; /* key: the first that stands twice, as written */
} duplicate_cases[] = {
    { "{}", NULL },
    { "{\"a\":1}", NULL },
    { "{\"a\":1,\"b\":2}", NULL },
    { "{\"a\":1,\"a\":2}", "\"a\"" },
    { "{\"a\":1,\"A\":2}", NULL },
    { "{\"a\":{\"a\":1},\"b\":1}", NULL },
    { "{\"a\":1,\"b\":2,\"b\":3,\"a\":4}", "\"a\"" },
    { "{\"\":1,\"\":2}", "\"\"" },
    { "{\"a\":1,\"\\u0061\":2}", "\"a\"" },
    { "{\"\\u0061\":1,\"\\u0061\":2}", "\"\\u0061\"" },
    { "{\"\\u0061b\":1,\"a\\u0062\":2}", "\"\\u0061b\"" },
    { "{\"\\u0061b\":1,\"a\\u0063\":2}", NULL },
    { "{\"\\n\":1,\"n\":2}", NULL },
    { "{\"12345678\":1,\"123456789\":2}", NULL },
    { "{\"12345678a\":1,\"12345678b\":2}", NULL },
    { "{\"12345678a\":1,\"x\":0,\"12345678a\":2}", "\"12345678a\"" },
    { "{\"a\":1,\"a\\u0000\":2}", NULL },
};

TEST(duplicates) {
    for (size_t i = 0; i < VSR_COUNT(duplicate_cases); i++) {
        const char *name = duplicate_cases[i].text;
        struct json_doc doc;
        struct vsr_err err;
        json_ref key;
        CHECK_INT(parse(str_from_c(name), &doc, &err), 0, name);
        key = json_duplicate_key(&doc, 0);
        CHECK_INT(doc.nodes[0].flags == JSON_FLAG_DUPLICATE, duplicate_cases[i].key != NULL, name);
        CHECK_INT(key == JSON_NONE, duplicate_cases[i].key == NULL, name);
        if (key != JSON_NONE)
            CHECK_STR(json_raw(&doc, key), duplicate_cases[i].key, name);
    }
}

TEST(duplicates_last_wins) {
    struct json_doc doc;
    struct vsr_err err;
    CHECK_INT(parse(VSR_STR("[{\"a\":1,\"b\":0,\"a\":2},{\"a\":3}]"), &doc, &err), 0, "parses");
    CHECK_STR(json_raw(&doc, json_get(&doc, 1, VSR_STR("a"))), "2", "last");
    CHECK_INT(doc.nodes[0].flags, 0, "the array is not flagged");
    CHECK_INT(json_duplicate_key(&doc, 0), JSON_NONE, "array");
    CHECK_INT(json_duplicate_key(&doc, JSON_NONE), JSON_NONE, "none");
}

/* Objects around the sizes where the search changes its way, with and without a repetition at any place. */
TEST(duplicates_of_all_sizes) {
    char text[8192];
    for (size_t n = 2; n < 300; n += n < 40 ? 1 : 37) {
        for (size_t twice = 0; twice <= n; twice += 1 + n / 7) {
            struct json_doc doc;
            struct vsr_err err;
            size_t len = 0, other = twice ? random_below(twice) : 0;
            text[len++] = '{';
            for (size_t i = 0; i < n; i++) {
                size_t number = i == twice && twice > 0 ? other : i;
                len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"%s%zu\":%zu", i ? "," : "",
                                        random_below(16) ? "key" : "\\u006bey", number, i);
            }
            text[len++] = '}';
            arena_reset(arena);
            CHECK_INT(parse(str_make(text, len), &doc, &err), 0, "parses");
            CHECK_INT(json_count(&doc, 0), n, "count");
            if (twice > 0 && twice < n)
                CHECK_INT(json_duplicate_key(&doc, 0), 1 + 2 * other, "found");
            else
                CHECK_INT(json_duplicate_key(&doc, 0), JSON_NONE, "none");
        }
    }
}

/* 100,000 members: a search over pairs would take minutes. */
TEST(huge_objects_are_linear) {
    enum { N = 100000 };
    size_t cap = (size_t)N * 24 + 2, len = 0;
    char *text = malloc(cap);
    struct json_doc doc;
    struct vsr_err err;
    text[len++] = '{';
    for (int i = 0; i < N; i++)
        len += (size_t)snprintf(text + len, cap - len, "%s\"key%d\":1", i ? "," : "", i);
    text[len++] = '}';
    CHECK_INT(parse(str_make(text, len), &doc, &err), 0, "all differ");
    CHECK_INT(json_duplicate_key(&doc, 0), JSON_NONE, "all differ");
    len = 0;
    text[len++] = '{';
    for (int i = 0; i < N; i++)
        len += (size_t)snprintf(text + len, cap - len, "%s\"k\\u0065y\":1", i ? "," : "");
    text[len++] = '}';
    CHECK_INT(parse(str_make(text, len), &doc, &err), 0, "all the same");
    CHECK_INT(json_duplicate_key(&doc, 0), 1, "all the same");
    free(text);
}

/* The worst text there is: a node for every two bytes. The arena's ceiling is met with an error, not with an abort. */
TEST(memory_is_bounded) {
    enum { N = 1 << 20 };
    char *text = malloc((size_t)N * 2 + 1);
    struct arena *tight;
    struct json_doc doc;
    struct vsr_err err;
    for (size_t i = 0; i < N; i++)
        memcpy(text + 2 * i, i ? ",1" : "[1", 2);
    text[2 * (size_t)N] = ']';
    arena_reset(arena);
    CHECK_INT(parse(str_make(text, (size_t)N * 2 + 1), &doc, &err), 0, "parses");
    CHECK_INT(doc.n_nodes, N + 1, "nodes");
    CHECK(arena_bytes(arena) < (size_t)N * 2 * 9, "8 bytes of nodes per byte of text");
    tight = arena_new(0, N);
    CHECK_INT(json_parse(tight, str_make(text, (size_t)N * 2 + 1), &doc, &err), VSR_E_NOMEM, "ceiling");
    arena_free(tight);
    free(text);
}

/* Documents with about as many nodes as fit the first, small array. */
TEST(node_array_grows) {
    for (size_t n = 500; n < 530; n++) {
        char text[4096];
        struct json_doc doc;
        struct vsr_err err;
        size_t len = 0;
        for (size_t i = 0; i < n; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%c%s", i ? ',' : '[', i % 3 ? "[]" : "{\"a\":1}");
        text[len++] = ']';
        arena_reset(arena);
        CHECK_INT(parse(str_make(text, len), &doc, &err), 0, "parses");
        CHECK_INT(json_count(&doc, 0), n, "elements");
        CHECK_INT(doc.n_nodes, 1 + n + 2 * ((n + 2) / 3), "nodes");
        CHECK_INT(doc.nodes[0].next, doc.n_nodes, "root");
    }
}

/* What the scan of a string has to say, byte by byte. */
static const char *naive_string_end(const char *p, const char *end, bool *escaped) {
    while (p < end) {
        unsigned unit, low;
        if (*p == '"')
            return p + 1;
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p != '\\') {
            p++;
            continue;
        }
        *escaped = true;
        if (end - p >= 2 && p[1] && strchr("\"\\/bfnrt", p[1])) {
            p += 2;
            continue;
        }
        if (end - p < 6 || p[1] != 'u' || strspn(p + 2, "0123456789abcdefABCDEF") < 4 ||
            sscanf(p + 2, "%4x", &unit) != 1)
            return NULL;
        p += 6;
        if (unit < 0xD800 || unit > 0xDFFF)
            continue;
        if (unit > 0xDBFF || end - p < 6 || p[0] != '\\' || p[1] != 'u' ||
            strspn(p + 2, "0123456789abcdefABCDEF") < 4 || sscanf(p + 2, "%4x", &low) != 1 || low < 0xDC00 ||
            low > 0xDFFF)
            return NULL;
        p += 6;
    }
    return NULL;
}

TEST(string_scanners_agree) {
    static const char *const pieces[] = {
        "a",
        "bcdefgh",
        "\\\\",
        "\\\"",
        "\\n",
        "\\u0041",
        "\\ud83d\\ude00",
        "\xC3\xA9",
        "0123456789012345678901234567890123456789",
        "\"",
        "\\x",
        "\\ud83d",
        "\\u00g1",
        "\n",
        "\\",
        "\\ude00",
    };
    enum { GOOD = 9 };
    size_t n_scanners;
    const struct json_string_scanner *scanners = json_string_scanners(&n_scanners);
    for (int round = 0; round < 200000; round++) {
        char text[512];
        size_t len = 0;
        const char *want;
        bool want_escaped = false;
        size_t n_pieces = random_below(24);
        for (size_t i = 0; i < n_pieces; i++) {
            const char *piece = pieces[random_below(random_below(40) ? GOOD : VSR_COUNT(pieces))];
            if (len + strlen(piece) > 400)
                break;
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        if (random_below(8)) {
            text[len++] = '"';
            for (size_t tail = random_below(100); tail > 0; tail--)
                text[len++] = random_below(9) ? ' ' : '\\';
        }
        text[len] = '\0';
        want = naive_string_end(text, text + len, &want_escaped);
        for (size_t s = 0; s < n_scanners; s++) {
            bool escaped = false;
            if (!scanners[s].supported())
                continue;
            CHECK(scanners[s].scan(text, text + len, &escaped) == want, text);
            CHECK(!want || escaped == want_escaped, text);
            CHECK(json_string_end(scanners[s].scan, text, text + len, &escaped) == want, text);
        }
    }
}

TEST(unescape_agrees_with_length_and_comparison) {
    static const char *const pieces[] = { "a",       "bcdefgh",        "\\\\",    "\\\"",
                                          "\\u0041", "\\ud83d\\ude00", "\\u20ac", "0123456789abcdef0123456789" };
    for (int round = 0; round < 20000; round++) {
        char text[512], plain[512];
        size_t len = 0, n_pieces = random_below(16), plain_len;
        vsr_str inside;
        for (size_t i = 0; i < n_pieces; i++) {
            const char *piece = pieces[random_below(VSR_COUNT(pieces))];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        inside = str_make(text, len);
        plain_len = json_string_unescape(inside, plain);
        CHECK(plain_len <= len, "never longer");
        CHECK_INT(json_string_len(inside), plain_len, "length");
        CHECK(json_string_eq(inside, str_make(plain, plain_len)), "equal");
        CHECK(json_string_same(inside, inside), "same");
        if (plain_len > 0) {
            plain[random_below(plain_len)] ^= 1;
            CHECK(!json_string_eq(inside, str_make(plain, plain_len)), "differs");
            CHECK(!json_string_same(inside, str_make("", 0)), "empty");
        }
    }
}

TEST(position) {
    vsr_str text = VSR_STR("ab\nc\n\nd");
    static const struct {
        size_t offset;
        uint32_t line, col;
    } positions[] = { { 0, 1, 1 }, { 2, 1, 3 }, { 3, 2, 1 }, { 5, 3, 1 }, { 6, 4, 1 }, { 7, 4, 2 }, { 99, 4, 2 } };
    for (size_t i = 0; i < VSR_COUNT(positions); i++) {
        uint32_t line, col;
        json_position(text, positions[i].offset, &line, &col);
        CHECK_INT(line, positions[i].line, "line");
        CHECK_INT(col, positions[i].col, "col");
    }
}

static vsr_str read_file(const char *dir, const char *name) {
    char path[2048];
    FILE *file;
    char *bytes = arena_alloc(arena, 1 << 20);
    size_t len;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "rb");
    CHECK(file != NULL, path);
    len = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return str_make(bytes, len);
}

/*
 * The public JSONTestSuite. Of what the RFC leaves open we take numbers of any size (json_i64 and json_double say when
 * one does not fit) and refuse everything else: lone surrogates, bad UTF-8, UTF-16, a byte order mark, 500 levels.
 */
TEST(json_test_suite) {
    char dir[1024];
    struct dirent *entry;
    DIR *list;
    int n = 0;
    if (!test_shared_dir())
        skip();
    snprintf(dir, sizeof(dir), "%s/data/json/test_parsing", test_shared_dir());
    list = opendir(dir);
    if (!list)
        skip();
    while ((entry = readdir(list))) {
        struct json_doc doc;
        struct vsr_err err;
        bool good = entry->d_name[0] == 'y' || strncmp(entry->d_name, "i_number_", 9) == 0;
        if (!str_ends(str_from_c(entry->d_name), VSR_STR(".json")))
            continue;
        arena_reset(arena);
        CHECK_INT(parse(read_file(dir, entry->d_name), &doc, &err) == 0, good, entry->d_name);
        n++;
    }
    closedir(list);
    CHECK(n > 300, "files");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(rejects),
        T(rejects_without_err),
        T(tape),
        T(access),
        T(strings),
        T(no_string),
        T(numbers),
        T(long_numbers),
        T(doubles_agree_with_strtod),
        T(bools),
        T(depth_limit),
        T(text_limit),
        T(duplicates),
        T(duplicates_last_wins),
        T(duplicates_of_all_sizes),
        T(huge_objects_are_linear),
        T(memory_is_bounded),
        T(node_array_grows),
        T(string_scanners_agree),
        T(unescape_agrees_with_length_and_comparison),
        T(position),
        T(json_test_suite),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
