#include "wire/member_write.h"

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

TEST(members) {
    struct arena *arena = arena_new(0, 0);
    struct json_doc doc;
    struct json_writer w;
    struct buf out;
    buf_init(&out, 4096);
    CHECK_INT(json_parse(arena, VSR_STR("{\"a\": [1, 2.50],\"n\":null}"), &doc, NULL), 0, "text");
    json_write_init(&w, &out);
    json_write_begin_object(&w);
    member_key(&w, "key");
    json_write_null(&w);
    member_str(&w, "str", VSR_STR("\"x\""));
    member_i64(&w, "i64", INT64_MIN);
    member_u64(&w, "u64", UINT64_MAX);
    member_bool(&w, "bool", true);
    member_raw(&w, "raw", VSR_STR("[1e3]"));
    member_copy(&w, "copy", &doc, value_get(&doc, 0, "a"));
    member_copy(&w, "null", &doc, value_get(&doc, 0, "n"));
    member_copy(&w, "absent", &doc, value_get(&doc, 0, "b"));
    json_write_end(&w);
    CHECK_STR(buf_str(&out),
              "{\"key\":null,\"str\":\"\\\"x\\\"\",\"i64\":-9223372036854775808,"
              "\"u64\":18446744073709551615,\"bool\":true,\"raw\":[1e3],\"copy\":[1, 2.50]}",
              "members");
    buf_done(&out);
    arena_free(arena);
}

RUN_TESTS(T(members))
