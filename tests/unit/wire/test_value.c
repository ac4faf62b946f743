#include "wire/value.h"

#include "core/arena.h"
#include "test.h"

enum {
    PRESENT = 1u << 0,
    STRING = 1u << 1,
    FILLED = 1u << 2,
    ELEMENTS = 1u << 3,
    EQUALS = 1u << 4,  /* "x" */
    TYPE_IS = 1u << 5, /* "x" */
};

static const struct {
    const char *json; /* the member v, or without one */
    unsigned want;
} cases[] = {
    { "{}", 0 },
    { "[]", 0 },
    { "\"v\"", 0 },
    { "{\"v\":null}", 0 },
    { "{\"v\":0}", PRESENT },
    { "{\"v\":false}", PRESENT },
    { "{\"v\":\"\"}", PRESENT | STRING },
    { "{\"v\":\"y\"}", PRESENT | STRING | FILLED },
    { "{\"v\":\"x\"}", PRESENT | STRING | FILLED | EQUALS },
    { "{\"v\":\"\\u0078\"}", PRESENT | STRING | FILLED | EQUALS },
    { "{\"v\":\"x\\u0000\"}", PRESENT | STRING | FILLED },
    { "{\"v\":\"y\",\"v\":\"x\"}", PRESENT | STRING | FILLED | EQUALS },
    { "{\"v\":[]}", PRESENT },
    { "{\"v\":[null]}", PRESENT | ELEMENTS },
    { "{\"v\":[\"x\"]}", PRESENT | ELEMENTS },
    { "{\"v\":{\"x\":1}}", PRESENT },
    { "{\"v\":{\"type\":\"x\"}}", PRESENT | TYPE_IS },
    { "{\"v\":{\"type\":\"y\"}}", PRESENT },
    { "{\"v\":{\"type\":[\"x\"]}}", PRESENT },
};

static unsigned ask(const struct json_doc *doc, json_ref v) {
    return (value_is_present(doc, v) ? PRESENT : 0) | (value_is_string(doc, v) ? STRING : 0) |
           (value_is_filled(doc, v) ? FILLED : 0) | (value_has_elements(doc, v) ? ELEMENTS : 0) |
           (value_equals(doc, v, "x") ? EQUALS : 0) | (value_type_is(doc, v, "x") ? TYPE_IS : 0);
}

TEST(values) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_doc doc;
        CHECK_INT(json_parse(arena, str_from_c(cases[i].json), &doc, NULL), 0, cases[i].json);
        CHECK_INT(ask(&doc, value_get(&doc, 0, "v")), cases[i].want, cases[i].json);
        arena_free(arena);
    }
}

TEST(inside_stays_escaped) {
    struct arena *arena = arena_new(0, 0);
    struct json_doc doc;
    CHECK_INT(json_parse(arena, VSR_STR("[\"a\\n\\u00e9\",\"\"]"), &doc, NULL), 0, "text");
    CHECK_STR(value_inside(&doc, json_at(&doc, 0, 0)), "a\\n\\u00e9", "escapes");
    CHECK_STR(value_inside(&doc, json_at(&doc, 0, 1)), "", "empty");
    arena_free(arena);
}

RUN_TESTS(T(values), T(inside_stays_escaped))
