/* A YAML tree out of JSON: every kind of node with its place, and all that is no such tree. */
#include "test.h"

#include "config/yaml_json.h"
#include "config/yaml_write.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"

enum { OUT_LEN_MAX = 1 << 16, ERROR_LEN_MAX = 800 };

/* What is read, as YAML; what is wrong, with its place. */
static void outcome(struct arena *arena, vsr_str text, struct buf *out) {
    struct vsr_err err = VSR_ERR_NONE;
    struct yaml_node *root;
    char message[ERROR_LEN_MAX];
    buf_init(out, OUT_LEN_MAX);
    if (yaml_json_read(arena, text, &root, &err) == 0)
        yaml_write(root, out);
    else
        buf_append_c(out, err_print(&err, message, sizeof(message)));
}

#define KEY(name) "\"key\":{\"value\":\"" name "\"}"

/* clang-format off */
static const struct { const char *name, *text, *want; } cases[] = {
    { "mapping", "{\"kind\":\"mapping\",\"entries\":[{" KEY("a") ",\"kind\":\"scalar\",\"value\":\"x y\"},{" KEY("b") ",\"kind\":\"null\"}]}",
      "a: x y\nb:\n" },
    { "sequence", "{\"kind\":\"sequence\",\"items\":[{\"kind\":\"scalar\",\"value\":\"1\"},{\"kind\":\"sequence\",\"items\":[]}]}",
      "- 1\n- []\n" },
    { "text that looks like a number stays text", "{\"kind\":\"sequence\",\"items\":[{\"kind\":\"scalar\",\"value\":\"1\",\"quoted\":true}]}",
      "- \"1\"\n" },
    { "escapes", "{\"kind\":\"scalar\",\"value\":\"\\u00e9\\n\",\"quoted\":true}", "\"\xC3\xA9\\n\"\n" },
    { "members that nobody knows", "{\"x\":[{}],\"kind\":\"null\",\"y\":1}", "~\n" },
    { "nothing", "", "1:1: expected a value, found the end of the text" },
    { "no JSON", "{\"kind\":\"null\"", "1:15: expected ',' or '}', found the end of the text" },
    { "no object", "[]", "1:1: a node of a YAML tree is an object" },
    { "no kind", "{}", "1:1: \"kind\" of a node is mapping, sequence, scalar or null" },
    { "unknown kind", "{\"kind\":\"alias\"}", "1:9: \"kind\" of a node is mapping, sequence, scalar or null" },
    { "kind is no text", "{\"kind\":1}", "1:9: \"kind\" of a node is mapping, sequence, scalar or null" },
    { "scalar without text", "{\"kind\":\"scalar\"}", "1:1: a scalar or key of a YAML tree has a text in \"value\"" },
    { "scalar with a number", "{\"kind\":\"scalar\",\"value\":1}", "1:26: a scalar or key of a YAML tree has a text in \"value\"" },
    { "quoted", "{\"kind\":\"scalar\",\"value\":\"a\",\"quoted\":null}", "1:39: \"quoted\" is true or false" },
    { "line", "{\"kind\":\"null\",\"line\":-1}", "1:23: a place of a YAML tree is a number of a line or column" },
    { "column", "{\"kind\":\"null\",\"column\":268435456}", "1:25: a place of a YAML tree is a number of a line or column" },
    { "no entries", "{\"kind\":\"mapping\",\"items\":[]}", "1:1: a collection has a list of what is in it" },
    { "items are none", "{\"kind\":\"sequence\",\"items\":{}}", "1:1: a collection has a list of what is in it" },
    { "item is none", "{\"kind\":\"sequence\",\"items\":[1]}", "1:29: a node of a YAML tree is an object" },
    { "entry without key", "{\"kind\":\"mapping\",\"entries\":[{\"kind\":\"null\"}]}", "1:30: an entry of a YAML tree has a \"key\"" },
    { "key is a text", "{\"kind\":\"mapping\",\"entries\":[{\"key\":\"a\",\"kind\":\"null\"}]}", "1:30: an entry of a YAML tree has a \"key\"" },
    { "key twice", "{\"kind\":\"mapping\",\"entries\":[{" KEY("a") ",\"kind\":\"null\"},{" KEY("a") ",\"kind\":\"null\"}]}",
      "1:66: the key stands there twice" },
};
/* clang-format on */

TEST(trees_are_read_and_what_is_none_is_told) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct buf out;
        outcome(arena, str_from_c(cases[i].text), &out);
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

TEST(places_are_those_of_the_yaml) {
    static const char text[] =
        "{\"kind\":\"mapping\",\"line\":3,\"column\":5,\"entries\":[{\"key\":{\"value\":\"a\",\"line\":3,"
        "\"column\":6},\"kind\":\"scalar\",\"value\":\"x\",\"line\":4,\"column\":268435455}]}";
    struct arena *arena = arena_new(0, 0);
    struct yaml_node *root;
    CHECK(yaml_json_read(arena, str_from_c(text), &root, NULL) == 0, "read");
    CHECK_INT(root->line * 100 + root->col, 305, "mapping");
    CHECK_INT(root->keys[0]->line * 100 + root->keys[0]->col, 306, "key");
    CHECK_INT(root->items[0]->line, 4, "value");
    CHECK_INT(root->items[0]->col, YAML_SECOND_FILE - 1, "value");
    arena_free(arena);
}

/* Few keys are compared, many are hashed: both find the second one, wherever it is. */
TEST(every_second_key_is_found) {
    for (size_t n = 1; n < 40; n++) {
        struct arena *arena = arena_new(0, 0);
        struct buf text, out;
        buf_init(&text, OUT_LEN_MAX);
        buf_append_c(&text, "{\"kind\":\"mapping\",\"entries\":[");
        for (size_t i = 0; i <= n; i++)
            buf_printf(&text, "%s{\"key\":{\"value\":\"k%zu\"},\"kind\":\"null\"}", i ? "," : "", i == n ? n / 2 : i);
        buf_append_c(&text, "]}");
        outcome(arena, buf_str(&text), &out);
        CHECK(str_ends(buf_str(&out), VSR_STR("the key stands there twice")), "told");
        buf_done(&text);
        buf_done(&out);
        arena_free(arena);
    }
}

static vsr_str nested(struct arena *arena, size_t depth) {
    struct buf text;
    vsr_str kept;
    buf_init(&text, OUT_LEN_MAX);
    for (size_t i = 0; i < depth; i++)
        buf_append_c(&text, "{\"kind\":\"sequence\",\"items\":[");
    buf_append_c(&text, "{\"kind\":\"null\"}");
    for (size_t i = 0; i < depth; i++)
        buf_append_c(&text, "]}");
    kept = arena_str(arena, buf_str(&text));
    buf_done(&text);
    return kept;
}

TEST(depth_and_length_are_bounded) {
    struct arena *arena = arena_new(0, 0);
    struct yaml_node *root;
    char *blanks = arena_alloc(arena, YAML_JSON_LEN_MAX + 1);
    memset(blanks, ' ', YAML_JSON_LEN_MAX + 1);
    CHECK_INT(yaml_json_read(arena, nested(arena, JSON_DEPTH_MAX / 2 - 1), &root, NULL), 0, "at the limit");
    CHECK_INT(yaml_json_read(arena, nested(arena, JSON_DEPTH_MAX / 2), &root, NULL), VSR_E_LIMIT, "past it");
    CHECK_INT(yaml_json_read(arena, str_make(blanks, YAML_JSON_LEN_MAX + 1), &root, NULL), VSR_E_LIMIT, "length");
    arena_free(arena);
}

TEST(memory_that_ends_is_an_error) {
    vsr_str text =
        VSR_STR("{\"kind\":\"mapping\",\"entries\":[{" KEY("a\\n") ",\"kind\":\"scalar\",\"value\":\"b\\n\"}]}");
    struct yaml_node *root;
    for (size_t ceiling = 64; ceiling < 4096; ceiling += 64) {
        struct arena *arena = arena_new(64, ceiling);
        int rc = yaml_json_read(arena, text, &root, NULL);
        CHECK_MSG(rc == 0 || rc == VSR_E_NOMEM || rc == VSR_E_LIMIT, "%zu bytes: %d", ceiling, rc);
        arena_free(arena);
    }
}

RUN_TESTS(T(trees_are_read_and_what_is_none_is_told), T(places_are_those_of_the_yaml), T(every_second_key_is_found),
          T(depth_and_length_are_bounded), T(memory_that_ends_is_an_error))
