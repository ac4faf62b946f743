#include "core/json_edit.h"

#include <ctype.h>

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

static struct arena *arena;

enum { STEPS_MAX = 6, EDITS_MAX = 12 };

enum op { OP_SET, OP_DELETE, OP_INSERT, OP_APPEND };

struct edit {
    enum op op;
    struct json_step path[STEPS_MAX];
    size_t n_steps;
    vsr_str raw;
};

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

static int do_edit(struct json_edit *edit, const struct edit *e, struct vsr_err *err) {
    switch (e->op) {
    case OP_SET:
        return json_edit_set(edit, e->path, e->n_steps, e->raw, err);
    case OP_DELETE:
        return json_edit_delete(edit, e->path, e->n_steps, err);
    case OP_INSERT:
        return json_edit_insert(edit, e->path, e->n_steps, e->raw, err);
    case OP_APPEND:
        return json_edit_append(edit, e->path, e->n_steps, e->raw, err);
    }
    return VSR_E_INTERNAL;
}

/* `a.b[0].c`; a lone `$` is the root. */
static void read_path(vsr_str text, struct edit *e) {
    e->n_steps = 0;
    if (str_eq_c(text, "$"))
        return;
    for (size_t at = 0; at < text.len;) {
        size_t end = at + 1;
        CHECK(e->n_steps < STEPS_MAX, "path is short enough");
        if (text.ptr[at] == '[') {
            e->path[e->n_steps++] = JSON_INDEX(strtoull(text.ptr + at + 1, NULL, 10));
            while (text.ptr[end - 1] != ']')
                end++;
        } else {
            at += text.ptr[at] == '.';
            end = at;
            while (end < text.len && text.ptr[end] != '.' && text.ptr[end] != '[')
                end++;
            e->path[e->n_steps++] = JSON_KEY_STR(str_sub(text, at, end));
        }
        at = end;
    }
}

/* `set a.b 1`, `del a`, `ins a[0] 1`, `app a 1`. */
static struct edit read_edit(vsr_str line) {
    static const char *const names[] = {
        [OP_SET] = "set", [OP_DELETE] = "del", [OP_INSERT] = "ins", [OP_APPEND] = "app"
    };
    struct edit e = { OP_SET, .n_steps = 0 };
    vsr_str word = str_split(&line, ' '), path = str_split(&line, ' ');
    while (!str_eq_c(word, names[e.op]))
        e.op++;
    read_path(path, &e);
    e.raw = line;
    return e;
}

static const struct {
    const char *text;
    const char *edits; /* one a line */
    const char *want;
} cases[] = {
    /* set */
    { "{\"a\":1}", "set a 2", "{\"a\":2}" },
    { "{ \"a\" : 1 , \"b\" : [ 1.0, 1e2 ] }", "set a \"x\"", "{ \"a\" : \"x\" , \"b\" : [ 1.0, 1e2 ] }" },
    { "{\"a\":1}", "set b 2", "{\"a\":1,\"b\":2}" },
    { "{\n  \"a\": 1\n}\n", "set b 2", "{\n  \"a\": 1,\"b\":2\n}\n" },
    { "{}", "set a 1", "{\"a\":1}" },
    { " { } ", "set a 1", " {\"a\":1 } " },
    { "{\"a\":{\"b\":{\"c\":1}},\"z\":0}", "set a.b.c 2", "{\"a\":{\"b\":{\"c\":2}},\"z\":0}" },
    { "{\"a\":[1,2,3]}", "set a[1] {}", "{\"a\":[1,{},3]}" },
    { "[[1],[2]]", "set [1][0] 9", "[[1],[9]]" },
    { "{\"a\":1}", "set $ null", "null" },
    { " 5\n", "set $ [1]", " [1]\n" },
    { "{\"a\":1}", "set a 2\nset a 3", "{\"a\":3}" },
    { "{\"a\":1}", "set b 2\nset b 3", "{\"a\":1,\"b\":3}" },
    { "{\"a\":1}", "set q\"\\ 2", "{\"a\":1,\"q\\\"\\\\\":2}" },
    { "{\"\\u0061\":1}", "set a 2", "{\"\\u0061\":2}" },
    /* objects are made on the way, once */
    { "{\"s\":true}", "set o.u true", "{\"s\":true,\"o\":{\"u\":true}}" },
    { "{\"s\":true}", "set o.u true\nset o.x 1", "{\"s\":true,\"o\":{\"u\":true,\"x\":1}}" },
    { "{}", "set a.b.c 1\nset a.b.d 2\nset a.e 3", "{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":3}}" },
    { "{\"o\":{}}", "set o.u true\nset o.x 1", "{\"o\":{\"u\":true,\"x\":1}}" },
    { "{\"o\":{\"x\":0}}", "set o.u true\nset o.x 1", "{\"o\":{\"x\":1,\"u\":true}}" },
    { "{\"o\":null}", "set o.u true\nset o.x 1", "{\"o\":{\"u\":true,\"x\":1}}" },
    { "null", "set a.b 1", "{\"a\":{\"b\":1}}" },
    { "[{}]", "set [0].a.b 1", "[{\"a\":{\"b\":1}}]" },
    /* what meets */
    { "{\"a\":{\"b\":1}}", "set a.b 2\nset a 3", "{\"a\":3}" },
    { "{\"a\":{\"b\":1}}", "set a 3\nset a.b 2", "{\"a\":3}" },
    { "{\"a\":{\"b\":1}}", "del a\nset a.b 2", "{}" },
    { "{\"a\":{\"b\":1}}", "set a.b 2\ndel a", "{}" },
    { "{\"a\":1}", "del a\nset a 2", "{\"a\":2}" },
    { "{\"a\":1}", "set a 2\ndel a", "{}" },
    { "{\"z\":0}", "set a.b 1\ndel a.b", "{\"z\":0}" },
    { "{\"z\":0}", "set a.b.c 1\nset a.d 1\ndel a.b.c", "{\"z\":0,\"a\":{\"d\":1}}" },
    { "{\"z\":0}", "set a.b 1\ndel a\nset a.c 2", "{\"z\":0,\"a\":{\"c\":2}}" },
    { "{\"z\":0}", "set a.b 1\nset a {\"q\":1}\nset a.c 2", "{\"z\":0,\"a\":{\"q\":1}}" },
    { "{\"a\":null}", "set a.b 1\ndel a.b", "{\"a\":null}" },
    { "{\"a\":null}", "set a.b 1\ndel a", "{}" },
    { "{\"z\":0}", "set a.b 1\ndel a.b\napp a 1", "{\"z\":0,\"a\":[1]}" },
    { "{\"a\":[1]}", "app a 2\nset a 3\napp a 4", "{\"a\":3}" },
    { "[1,2]", "set $ 0\ndel [0]\napp $ 3", "0" },
    /* delete */
    { "{\"a\":1,\"b\":2,\"c\":3}", "del a", "{\"b\":2,\"c\":3}" },
    { "{\"a\":1,\"b\":2,\"c\":3}", "del b", "{\"a\":1,\"c\":3}" },
    { "{\"a\":1,\"b\":2,\"c\":3}", "del c", "{\"a\":1,\"b\":2}" },
    { "{\"a\":1,\"b\":2,\"c\":3}", "del a\ndel b", "{\"c\":3}" },
    { "{\"a\":1,\"b\":2,\"c\":3}", "del b\ndel c", "{\"a\":1}" },
    { "{\"a\":1,\"b\":2,\"c\":3}", "del a\ndel c", "{\"b\":2}" },
    { "{\"a\":1,\"b\":2,\"c\":3}", "del c\ndel a\ndel b", "{}" },
    { "{\n  \"a\": 1\n}", "del a", "{}" },
    { "{\n  \"a\": 1,\n  \"b\": 2\n}", "del a", "{\n  \"b\": 2\n}" },
    { "{\n  \"a\": 1,\n  \"b\": 2\n}", "del b", "{\n  \"a\": 1\n}" },
    { "{ \"a\":1 , \"b\":2 ,\t\"c\":3 }", "del b", "{ \"a\":1 , \"c\":3 }" },
    { "[1,2,3]", "del [0]", "[2,3]" },
    { "[1,2,3]", "del [1]", "[1,3]" },
    { "[ 1, 2, 3 ]", "del [2]", "[ 1, 2 ]" },
    { "[1]", "del [0]", "[]" },
    { "[ [1], [2] ]", "del [0][0]\ndel [1]", "[ [] ]" },
    { "{\"a\":1}", "del b", "{\"a\":1}" },
    { "{\"a\":1}", "del b.c.d", "{\"a\":1}" },
    { "{\"a\":1}", "del a.b", "{\"a\":1}" },
    { "{\"a\":[1]}", "del a[5]\ndel a.b\ndel [0]", "{\"a\":[1]}" },
    { "{\"a\":1}", "del a\nset b 2", "{\"b\":2}" },
    { "{\"a\":1,\"b\":2}", "del b\nset c 3", "{\"a\":1,\"c\":3}" },
    { "{ \"a\":1 }", "del a\nset a.b 1\nset c 3", "{ \"c\":3 }" },
    /* arrays */
    { "[1,2]", "ins [0] 9", "[9,1,2]" },
    { "[ 1, 2 ]", "ins [0] 9", "[ 9,1, 2 ]" },
    { "[ 1, 2 ]", "ins [1] 9", "[ 1, 9,2 ]" },
    { "[ 1, 2 ]", "ins [2] 9", "[ 1, 2,9 ]" },
    { "[]", "ins [0] 9", "[9]" },
    { "[1]", "app $ 2\napp $ 3", "[1,2,3]" },
    { "[1]", "app $ 2\nins [1] 3\nins [0] 4\nins [0] 5", "[4,5,1,2,3]" },
    { "[1,2,3]", "ins [2] 8\nins [1] 9\nins [3] 7", "[1,9,2,8,3,7]" },
    { "[1,2,3]", "del [1]\nins [1] 9", "[1,9,3]" },
    { "[1,2,3]", "del [0]\nins [0] 9", "[9,2,3]" },
    { "[1, 2]", "del [1]\napp $ 9", "[1, 9]" },
    { "[1,2]", "del [0]\ndel [1]\napp $ 9", "[9]" },
    { "[1,2]", "del [0]\ndel [1]\nins [1] 9", "[9]" },
    { "[[1],[2]]", "set [1][0] 5\nins [1] 0\ndel [0]", "[0,[5]]" },
    { "{\"m\":[{\"r\":\"u\"}]}", "ins m[0] {\"r\":\"s\"}\nset m[0].r \"x\"", "{\"m\":[{\"r\":\"s\"},{\"r\":\"x\"}]}" },
    { "{}", "app a 1\napp a 2", "{\"a\":[1,2]}" },
    { "{\"a\":null}", "app a 1\napp a 2", "{\"a\":[1,2]}" },
    { "{}", "app a.b 1\nset a.c 2\napp a.b 3", "{\"a\":{\"b\":[1,3],\"c\":2}}" },
    { "{}", "app a 1\ndel a", "{}" },
    /* every occurrence of a duplicated key */
    { "{\"a\":1,\"b\":2,\"a\":3}", "set a 9", "{\"a\":9,\"b\":2,\"a\":9}" },
    { "{\"a\":1,\"b\":2,\"a\":3}", "del a", "{\"b\":2}" },
    { "{\"a\":1,\"\\u0061\":3}", "del a", "{}" },
    { "{\"a\":{\"x\":1},\"a\":{}}", "set a.x 2", "{\"a\":{\"x\":2},\"a\":{\"x\":2}}" },
    { "{\"a\":[1],\"a\":[]}", "app a 2", "{\"a\":[1,2],\"a\":[2]}" },
};

static struct json_doc parse(vsr_str text) {
    struct json_doc doc;
    struct vsr_err err = VSR_ERR_NONE;
    CHECK_MSG(json_parse(arena, text, &doc, &err) == 0, "%.*s: %s", VSR_FMT(text), err.text);
    return doc;
}

TEST(edits) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct json_doc doc = parse(str_from_c(cases[i].text));
        struct json_edit *edit = json_edit_new(arena, &doc);
        char name[256];
        struct buf out;
        snprintf(name, sizeof(name), "%s | %s", cases[i].text, cases[i].edits);
        for (vsr_str rest = str_from_c(cases[i].edits); rest.ptr;) {
            struct edit e = read_edit(str_split(&rest, '\n'));
            struct vsr_err err = VSR_ERR_NONE;
            CHECK_MSG(do_edit(edit, &e, &err) == 0, "%s: %s", name, err.text);
        }
        buf_init(&out, 4096);
        CHECK_INT(json_edit_apply(edit, &out), 0, name);
        CHECK_STR(buf_str(&out), cases[i].want, name);
        CHECK(json_edit_changed(edit) || strcmp(cases[i].text, cases[i].want) == 0, name);
        (void)parse(buf_str(&out));
        buf_done(&out);
    }
}

static const struct {
    const char *text, *edits; /* the last one fails */
    int code;
    const char *where, *message;
} error_cases[] = {
    { "{\"a\":1}", "set a.b 1", VSR_E_INVALID, "$.a", "not an object" },
    { "{\"a\":[]}", "set a.b 1", VSR_E_INVALID, "$.a", "not an object" },
    { "{\"a\":{}}", "set a[0] 1", VSR_E_INVALID, "$.a", "not an array" },
    { "{\"a\":\"x\"}", "set a.b.c 1", VSR_E_INVALID, "$.a", "not an object" },
    { "{\"a\":[1]}", "set a[1] 1", VSR_E_NOT_FOUND, "$.a[1]", "no such element" },
    { "{\"a\":[]}", "set a[0].b 1", VSR_E_NOT_FOUND, "$.a[0]", "no such element" },
    { "{}", "set a[0] 1", VSR_E_NOT_FOUND, "$.a[0]", "no such element" },
    { "{\"a\":null}", "set a[0] 1", VSR_E_NOT_FOUND, "$.a[0]", "no such element" },
    { "{}", "set a.b 1\nset a[0] 1", VSR_E_INVALID, "$.a", "not an array" },
    { "{}", "app a 1\nset a.b 1", VSR_E_INVALID, "$.a", "not an object" },
    { "{}", "app a 1\nset a[0] 1", VSR_E_NOT_FOUND, "$.a[0]", "no such element" },
    { "{}", "set a.b 1\napp a 1", VSR_E_INVALID, "$.a", "not an array" },
    { "{\"a\":{}}", "app a 1", VSR_E_INVALID, "$.a", "not an array" },
    { "{\"a\":1}", "app a 1", VSR_E_INVALID, "$.a", "not an array" },
    { "[1]", "ins [2] 1", VSR_E_NOT_FOUND, "$[2]", "no such element" },
    { "{}", "ins a[0] 1", VSR_E_NOT_FOUND, "$.a[0]", "no such element" },
    { "{\"a\":{}}", "ins a[0] 1", VSR_E_INVALID, "$.a", "not an array" },
    { "{}", "ins a 1", VSR_E_INVALID, "$.a", "an insert needs an index as its last step" },
    { "{}", "ins $ 1", VSR_E_INVALID, "$", "an insert needs an index as its last step" },
    { "{}", "del $", VSR_E_INVALID, "$", "the whole document cannot be deleted" },
    { "{\"a\":{},\"a\":1}", "set a.b 1", VSR_E_INVALID, "$.a", "not an object" },
    { "{\"a\":[],\"a\":1}", "app a 1", VSR_E_INVALID, "$.a", "not an array" },
};

TEST(errors_change_nothing) {
    for (size_t i = 0; i < VSR_COUNT(error_cases); i++) {
        struct json_doc doc = parse(str_from_c(error_cases[i].text));
        struct json_edit *edit = json_edit_new(arena, &doc), *without = json_edit_new(arena, &doc);
        struct vsr_err err = VSR_ERR_NONE;
        char name[256];
        struct buf out, want;
        int rc = 0;
        snprintf(name, sizeof(name), "%s | %s", error_cases[i].text, error_cases[i].edits);
        for (vsr_str rest = str_from_c(error_cases[i].edits); rest.ptr;) {
            struct edit e = read_edit(str_split(&rest, '\n'));
            rc = do_edit(edit, &e, &err);
            if (rc == 0)
                CHECK_INT(do_edit(without, &e, NULL), 0, name);
        }
        CHECK_INT(rc, error_cases[i].code, name);
        CHECK_STR(str_from_c(err.text), error_cases[i].message, name);
        CHECK_STR(str_from_c(err.where), error_cases[i].where, name);
        buf_init(&out, 4096);
        buf_init(&want, 4096);
        CHECK_INT(json_edit_apply(edit, &out), 0, name);
        CHECK_INT(json_edit_apply(without, &want), 0, name);
        CHECK(str_eq(buf_str(&out), buf_str(&want)), name);
        CHECK_INT(json_edit_changed(edit), json_edit_changed(without), name);
        buf_done(&out);
        buf_done(&want);
    }
}

TEST(unchanged) {
    struct json_doc doc = parse(VSR_STR(" {\"a\" : [1, {}]} "));
    struct json_edit *edit = json_edit_new(arena, &doc);
    struct json_step gone[] = { JSON_KEY("b"), JSON_KEY("c") };
    struct buf out;
    CHECK(!json_edit_changed(edit), "fresh");
    CHECK_INT(json_edit_delete(edit, gone, 2, NULL), 0, "absent");
    CHECK(!json_edit_changed(edit), "absent");
    buf_init(&out, 100);
    CHECK_INT(json_edit_apply(edit, &out), 0, "apply");
    CHECK_STR(buf_str(&out), " {\"a\" : [1, {}]} ", "same bytes");
    buf_done(&out);
}

TEST(limits) {
    struct json_doc doc = parse(VSR_STR("{\"a\":[1,2,3],\"b\":2}"));
    struct json_edit *edit = json_edit_new(arena, &doc);
    struct json_step path[JSON_DEPTH_MAX + 1];
    struct json_step a[] = { JSON_KEY("a") };
    struct vsr_err err = VSR_ERR_NONE;
    struct buf out;
    for (size_t i = 0; i < VSR_COUNT(path); i++)
        path[i] = JSON_KEY("x");
    CHECK_INT(json_edit_set(edit, path, JSON_DEPTH_MAX, VSR_STR("1"), &err), 0, "at the limit");
    CHECK_INT(json_edit_delete(edit, path, JSON_DEPTH_MAX, &err), 0, "at the limit");
    CHECK_INT(json_edit_set(edit, path, JSON_DEPTH_MAX + 1, VSR_STR("1"), &err), VSR_E_LIMIT, "past the limit");
    CHECK_INT(json_edit_set(edit, a, 1, VSR_STR("\"12345\""), &err), 0, "set");
    buf_init(&out, 19);
    CHECK_INT(json_edit_apply(edit, &out), 0, "fits exactly, though the first guess does not");
    CHECK_STR(buf_str(&out), "{\"a\":\"12345\",\"b\":2}", "fits exactly");
    buf_done(&out);
    buf_init(&out, 18);
    CHECK_INT(json_edit_apply(edit, &out), VSR_E_LIMIT, "one byte short");
    buf_done(&out);
}

/* Memory ends at every possible place: an error each time, and what was taken in still gives valid JSON. */
TEST(out_of_memory) {
    struct json_doc doc = parse(VSR_STR("{\"a\":[1,{\"b\":null}],\"a\":[],\"c\":{}}"));
    static const char *const edits[] = { "set a 1", "app c.d 2", "ins a[0] 3", "set c.e.f.g 4", "app a 5", "del c" };
    enum { CHUNK_LEN = 512 }; /* what json_edit_new() needs, which is not the client's to choose */
    int n_failed = 0;
    for (size_t max = CHUNK_LEN; max < 16 * CHUNK_LEN; max += 16) {
        for (size_t first = 0; first < VSR_COUNT(edits); first++) {
            struct arena *tight = arena_new(CHUNK_LEN, max);
            struct json_edit *edit = json_edit_new(tight, &doc);
            struct buf out;
            for (size_t i = 0; i < VSR_COUNT(edits); i++) {
                struct edit e = read_edit(str_from_c(edits[(first + i) % VSR_COUNT(edits)]));
                int rc = do_edit(edit, &e, NULL);
                CHECK(rc == 0 || rc == VSR_E_NOMEM, "out of memory");
                n_failed += rc != 0;
            }
            buf_init(&out, 4096);
            CHECK_INT(json_edit_apply(edit, &out), 0, "apply");
            (void)parse(buf_str(&out));
            buf_done(&out);
            arena_free(tight);
        }
    }
    CHECK(n_failed > 100, "some fail");
    arena_reset(arena);
}

/* A client may send a million duplicates of the key that we replace: that must not cost a million times a million. */
TEST(many_duplicates_are_linear) {
    enum { N = 200000 };
    char *text = malloc((size_t)N * 6 + 2);
    struct json_doc doc;
    struct json_edit *edit;
    struct json_step a[] = { JSON_KEY("a") };
    struct buf out;
    for (size_t i = 0; i < N; i++)
        memcpy(text + 6 * i, i ? ",\"a\":1" : "{\"a\":1", 6);
    text[6 * (size_t)N] = '}';
    doc = parse(str_make(text, 6 * (size_t)N + 1));
    edit = json_edit_new(arena, &doc);
    CHECK_INT(json_edit_set(edit, a, 1, VSR_STR("2"), NULL), 0, "set");
    CHECK_INT(json_edit_set(edit, a, 1, VSR_STR("3"), NULL), 0, "set again");
    buf_init(&out, 6 * (size_t)N + 1);
    CHECK_INT(json_edit_apply(edit, &out), 0, "apply");
    CHECK(memmem(out.ptr, out.len, ":1", 2) == NULL, "none is left");
    buf_done(&out);
    free(text);
    arena_reset(arena);
}

/* Editing every element in order is linear too. */
TEST(many_elements_are_linear) {
    enum { N = 200000 };
    char *text = malloc((size_t)N * 2 + 2);
    struct json_doc doc;
    struct json_edit *edit;
    struct buf out;
    for (size_t i = 0; i < N; i++)
        memcpy(text + 2 * i, i ? ",1" : "[1", 2);
    text[2 * (size_t)N] = ']';
    doc = parse(str_make(text, 2 * (size_t)N + 1));
    edit = json_edit_new(arena, &doc);
    for (size_t i = 0; i < N; i++) {
        struct json_step step = JSON_INDEX(i);
        CHECK_INT(json_edit_set(edit, &step, 1, VSR_STR("2"), NULL), 0, "set");
        CHECK_INT(json_edit_append(edit, NULL, 0, VSR_STR("3"), NULL), 0, "append");
    }
    buf_init(&out, 4 * (size_t)N + 1);
    CHECK_INT(json_edit_apply(edit, &out), 0, "apply");
    CHECK_INT(out.len, 4 * (size_t)N + 1, "length");
    CHECK(memchr(out.ptr, '1', out.len) == NULL, "none is left");
    buf_done(&out);
    free(text);
    arena_reset(arena);
}

/*
 * The property test. Random documents meet random edits; what must come out is worked out from the list of edits alone,
 * by asking for each place of the document which edits concern it. Values that no edit concerns must keep their bytes.
 */
static uint64_t random_state = 1;

static size_t random_below(size_t n) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % n;
}

static void put_blank(struct buf *out) {
    static const char *const blanks[] = { "", "", "", "", " ", "\n", "\t ", "\r\n  " };
    (void)buf_append_c(out, blanks[random_below(VSR_COUNT(blanks))]);
}

static void put_random_value(struct buf *out, int depth);

static void put_random_container(struct buf *out, int depth, bool is_object) {
    static const char *const keys[] = { "\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"\\u0061\"" };
    size_t n = random_below(5);
    (void)buf_append_char(out, is_object ? '{' : '[');
    put_blank(out);
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            (void)buf_append_char(out, ',');
            put_blank(out);
        }
        if (is_object) {
            (void)buf_append_c(out, keys[random_below(6) ? i : random_below(VSR_COUNT(keys))]);
            put_blank(out);
            (void)buf_append_char(out, ':');
            put_blank(out);
        }
        put_random_value(out, depth - 1);
        put_blank(out);
    }
    (void)buf_append_char(out, is_object ? '}' : ']');
}

static void put_random_value(struct buf *out, int depth) {
    static const char *const scalars[] = { "null", "1.50", "\"x\\n\"", "true", "-0" };
    size_t kind = depth > 0 ? random_below(10) : 9;
    if (kind < 7)
        put_random_container(out, depth, kind < 4);
    else
        (void)buf_append_c(out, scalars[random_below(VSR_COUNT(scalars))]);
}

/* A path that mostly exists. */
static void random_path(const struct json_doc *doc, struct edit *e) {
    static const char *const keys[] = { "a", "b", "c", "d", "x", "y" };
    json_ref ref = 0;
    e->n_steps = 0;
    while (e->n_steps < STEPS_MAX - 1 && random_below(5)) {
        bool by_key = random_below(12) ? !json_is(doc, ref, JSON_ARRAY) : random_below(2);
        size_t index = random_below(5);
        e->path[e->n_steps++] =
            by_key ? JSON_KEY_STR(str_from_c(keys[random_below(VSR_COUNT(keys))])) : JSON_INDEX(index);
        ref = by_key ? json_get(doc, ref, e->path[e->n_steps - 1].key) : json_at(doc, ref, index);
    }
}

static struct edit random_edit(const struct json_doc *doc) {
    static const char *const raws[] = { "7", "\"new\"", "{\"a\":[1]}", "[]", "null" };
    struct edit e = { .op = (enum op)random_below(4) };
    random_path(doc, &e);
    if (e.op == OP_INSERT)
        e.path[e.n_steps++] = JSON_INDEX(random_below(5));
    e.raw = str_from_c(raws[random_below(VSR_COUNT(raws))]);
    return e;
}

struct model {
    const struct json_doc *doc, *out;
    const struct edit *edits[EDITS_MAX]; /* those that succeeded */
    size_t n_edits;
};

static bool same_step(const struct json_step *a, const struct json_step *b) {
    if (!a->key.ptr || !b->key.ptr)
        return !a->key.ptr && !b->key.ptr && a->index == b->index;
    return str_eq(a->key, b->key);
}

/* Whether edit `e` is at the place `path` or inside. */
static bool concerns(const struct edit *e, const struct json_step *path, size_t depth) {
    size_t i = 0;
    while (i < depth && i < e->n_steps && same_step(&e->path[i], &path[i]))
        i++;
    return i == depth;
}

static bool at_place(const struct edit *e, enum op op, const struct json_step *path, size_t depth) {
    return e->op == op && e->n_steps == depth && concerns(e, path, depth);
}

/* The last set or delete of an original place. */
static const struct edit *final_edit(const struct model *m, const struct json_step *path, size_t depth) {
    const struct edit *last = NULL;
    for (size_t i = 0; i < m->n_edits; i++) {
        if (at_place(m->edits[i], OP_SET, path, depth) || at_place(m->edits[i], OP_DELETE, path, depth))
            last = m->edits[i];
    }
    return last;
}

/* What became of a place that was missing: the edits of `m` from `from` on that count, and their sort. */
enum made { MADE_NOTHING, MADE_RAW, MADE_ARRAY, MADE_OBJECT };

static bool made_has_member(const struct model *m, struct json_step *path, size_t depth, size_t from);

static enum made made(const struct model *m, struct json_step *path, size_t depth, size_t from, size_t *ret_from) {
    enum made sort = MADE_NOTHING;
    for (size_t i = from; i < m->n_edits; i++) {
        struct model so_far = *m;
        if (!concerns(m->edits[i], path, depth))
            continue;
        if (at_place(m->edits[i], OP_SET, path, depth)) {
            sort = MADE_RAW;
            from = i;
        } else if (at_place(m->edits[i], OP_DELETE, path, depth)) {
            sort = MADE_NOTHING;
            from = i + 1;
        } else if (at_place(m->edits[i], OP_APPEND, path, depth) && sort != MADE_RAW && sort != MADE_ARRAY) {
            sort = MADE_ARRAY;
            from = i;
        } else if (m->edits[i]->n_steps > depth && sort != MADE_RAW && sort != MADE_ARRAY) {
            so_far.n_edits = i + 1;
            sort = made_has_member(&so_far, path, depth, from) ? MADE_OBJECT : MADE_NOTHING;
        }
    }
    *ret_from = from;
    return sort;
}

/* Names that edits mention directly inside `path`. */
static size_t mentioned(const struct model *m, const struct json_step *path, size_t depth, vsr_str names[EDITS_MAX]) {
    size_t n = 0;
    for (size_t i = 0; i < m->n_edits; i++) {
        const struct edit *e = m->edits[i];
        size_t known = 0;
        if (!concerns(e, path, depth) || e->n_steps == depth || !e->path[depth].key.ptr)
            continue;
        while (known < n && !str_eq(names[known], e->path[depth].key))
            known++;
        names[known] = e->path[depth].key;
        n += known == n;
    }
    return n;
}

static bool made_has_member(const struct model *m, struct json_step *path, size_t depth, size_t from) {
    vsr_str names[EDITS_MAX];
    size_t n = mentioned(m, path, depth, names), inner_from;
    for (size_t i = 0; i < n; i++) {
        path[depth] = JSON_KEY_STR(names[i]);
        if (made(m, path, depth + 1, from, &inner_from) != MADE_NOTHING)
            return true;
    }
    return false;
}

static void check_made(const struct model *m, struct json_step *path, size_t depth, size_t from, json_ref out);

/* The members that were made inside `path`; returns how many. */
static size_t check_made_members(const struct model *m, struct json_step *path, size_t depth, size_t from,
                                 json_ref parent, json_ref out) {
    vsr_str names[EDITS_MAX];
    size_t n = mentioned(m, path, depth, names), n_made = 0, inner_from;
    for (size_t i = 0; i < n; i++) {
        path[depth] = JSON_KEY_STR(names[i]);
        if (parent != JSON_NONE && json_get(m->doc, parent, names[i]) != JSON_NONE)
            continue;
        if (made(m, path, depth + 1, from, &inner_from) == MADE_NOTHING)
            continue;
        check_made(m, path, depth + 1, from, json_get(m->out, out, names[i]));
        n_made++;
    }
    return n_made;
}

static void check_made(const struct model *m, struct json_step *path, size_t depth, size_t from, json_ref out) {
    json_ref element;
    CHECK(out != JSON_NONE, "made value is there");
    switch (made(m, path, depth, from, &from)) {
    case MADE_RAW:
        for (size_t i = from; i < m->n_edits; i++)
            from = at_place(m->edits[i], OP_SET, path, depth) ? i : from;
        CHECK(str_eq(json_raw(m->out, out), m->edits[from]->raw), "made value");
        break;
    case MADE_ARRAY:
        element = json_first(m->out, out);
        for (size_t i = from; i < m->n_edits; i++) {
            if (!at_place(m->edits[i], OP_APPEND, path, depth))
                continue;
            CHECK(element != JSON_NONE && str_eq(json_raw(m->out, element), m->edits[i]->raw), "made element");
            element = json_next(m->out, out, element);
        }
        CHECK(element == JSON_NONE, "no more elements");
        break;
    case MADE_OBJECT:
        CHECK(json_is(m->out, out, JSON_OBJECT), "made object");
        CHECK_INT(json_count(m->out, out), check_made_members(m, path, depth, from, JSON_NONE, out), "made members");
        break;
    case MADE_NOTHING:
        CHECK(false, "nothing was made");
    }
}

static void check_value(const struct model *m, struct json_step *path, size_t depth, json_ref ref, json_ref out);

static bool is_deleted(const struct model *m, const struct json_step *path, size_t depth) {
    const struct edit *last = final_edit(m, path, depth);
    return last && last->op == OP_DELETE;
}

static void check_object(const struct model *m, struct json_step *path, size_t depth, json_ref ref, json_ref out) {
    json_ref out_key = json_first(m->out, out);
    size_t n = 0;
    for (json_ref key = json_first(m->doc, ref); key != JSON_NONE; key = json_next(m->doc, ref, key + 1)) {
        vsr_str name;
        CHECK(json_str(arena, m->doc, key, &name), "key");
        path[depth] = JSON_KEY_STR(name);
        if (is_deleted(m, path, depth + 1))
            continue;
        CHECK(out_key != JSON_NONE && str_eq(json_raw(m->out, out_key), json_raw(m->doc, key)), "key keeps its bytes");
        check_value(m, path, depth + 1, key + 1, out_key + 1);
        out_key = json_next(m->out, out, out_key + 1);
        n++;
    }
    n += check_made_members(m, path, depth, 0, ref, out);
    CHECK_INT(json_count(m->out, out), n, "members");
}

static json_ref check_inserts(const struct model *m, const struct json_step *path, size_t depth, size_t index, size_t n,
                              json_ref out, json_ref element) {
    struct json_step place[STEPS_MAX];
    memcpy(place, path, depth * sizeof(*path));
    place[depth] = JSON_INDEX(index);
    for (size_t i = 0; i < m->n_edits; i++) {
        if (!at_place(m->edits[i], OP_INSERT, place, depth + 1) &&
            !(index == n && at_place(m->edits[i], OP_APPEND, path, depth)))
            continue;
        CHECK(element != JSON_NONE && str_eq(json_raw(m->out, element), m->edits[i]->raw), "inserted");
        element = json_next(m->out, out, element);
    }
    return element;
}

static void check_array(const struct model *m, struct json_step *path, size_t depth, json_ref ref, json_ref out) {
    size_t n = json_count(m->doc, ref), index = 0;
    json_ref element = json_first(m->out, out);
    for (json_ref child = json_first(m->doc, ref); child != JSON_NONE; child = json_next(m->doc, ref, child), index++) {
        element = check_inserts(m, path, depth, index, n, out, element);
        path[depth] = JSON_INDEX(index);
        if (is_deleted(m, path, depth + 1))
            continue;
        CHECK(element != JSON_NONE, "element is there");
        check_value(m, path, depth + 1, child, element);
        element = json_next(m->out, out, element);
    }
    CHECK(check_inserts(m, path, depth, n, n, out, element) == JSON_NONE, "no more elements");
}

/* `out` must be what the edits make of the original value `ref`. */
static void check_value(const struct model *m, struct json_step *path, size_t depth, json_ref ref, json_ref out) {
    const struct edit *last = final_edit(m, path, depth);
    bool touched = false;
    size_t from;
    for (size_t i = 0; i < m->n_edits; i++)
        touched |= concerns(m->edits[i], path, depth) &&
                   !(m->edits[i]->op == OP_INSERT && m->edits[i]->n_steps == depth); /* that one is beside the place */
    if (last)
        CHECK(str_eq(json_raw(m->out, out), last->raw), "replaced");
    else if (touched && json_is(m->doc, ref, JSON_OBJECT))
        check_object(m, path, depth, ref, out);
    else if (touched && json_is(m->doc, ref, JSON_ARRAY))
        check_array(m, path, depth, ref, out);
    else if (touched && json_is(m->doc, ref, JSON_NULL) && made(m, path, depth, 0, &from) != MADE_NOTHING)
        check_made(m, path, depth, 0, out);
    else
        CHECK(str_eq(json_raw(m->out, out), json_raw(m->doc, ref)), "untouched bytes");
}

static void one_round(void) {
    struct edit edits[EDITS_MAX];
    size_t n = random_below(EDITS_MAX);
    struct json_step path[STEPS_MAX + 8];
    struct json_doc doc, edited;
    struct model m = { .doc = &doc, .out = &edited };
    struct json_edit *edit;
    struct buf text, out;
    buf_init(&text, 1 << 20);
    buf_init(&out, 1 << 20);
    put_random_value(&text, 4);
    doc = parse(buf_str(&text));
    edit = json_edit_new(arena, &doc);
    for (size_t i = 0; i < n; i++) {
        int rc;
        edits[i] = random_edit(&doc);
        rc = do_edit(edit, &edits[i], NULL);
        if (rc == 0)
            m.edits[m.n_edits++] = &edits[i];
        else
            CHECK_MSG(rc == VSR_E_INVALID || rc == VSR_E_NOT_FOUND, "rc %d", rc);
    }
    CHECK_INT(json_edit_apply(edit, &out), 0, "apply");
    edited = parse(buf_str(&out));
    check_value(&m, path, 0, 0, 0);
    CHECK(json_edit_changed(edit) || str_eq(buf_str(&out), buf_str(&text)), "unchanged");
    buf_done(&text);
    buf_done(&out);
    arena_reset(arena);
}

TEST(random_edits_of_random_documents) {
    for (int round = 0; round < 200000; round++)
        one_round();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(edits),
        T(errors_change_nothing),
        T(unchanged),
        T(limits),
        T(out_of_memory),
        T(many_duplicates_are_linear),
        T(many_elements_are_linear),
        T(random_edits_of_random_documents),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
