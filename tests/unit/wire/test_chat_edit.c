#include "wire/chat_edit.h"

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

enum edit_kind { EDIT_MODEL, EDIT_USAGE };

static const struct {
    const char *name;
    enum edit_kind kind;
    const char *model, *body, *want;
} cases[] = {
    { "model", EDIT_MODEL, "real", "{\"model\":\"auto\",\"x\":1.50}", "{\"model\":\"real\",\"x\":1.50}" },
    { "same model", EDIT_MODEL, "a", "{ \"model\" : \"a\" }", "{ \"model\" : \"a\" }" },
    { "model with quotes", EDIT_MODEL, "a\"b", "{\"model\":\"x\"}", "{\"model\":\"a\\\"b\"}" },
    { "every occurrence", EDIT_MODEL, "b", "{\"model\":\"a\",\"model\":\"b\"}", "{\"model\":\"b\",\"model\":\"b\"}" },
    { "usage", EDIT_USAGE, "", "{\"a\":1}", "{\"a\":1,\"stream_options\":{\"include_usage\":true}}" },
    { "usage kept", EDIT_USAGE, "", "{\"stream_options\":{ \"include_usage\" : true}}",
      "{\"stream_options\":{ \"include_usage\" : true}}" },
    { "usage off", EDIT_USAGE, "", "{\"stream_options\":{\"include_usage\":false}}",
      "{\"stream_options\":{\"include_usage\":true}}" },
    { "other options stay", EDIT_USAGE, "", "{\"stream_options\":{\"x\":9007199254740993}}",
      "{\"stream_options\":{\"x\":9007199254740993,\"include_usage\":true}}" },
    { "options null", EDIT_USAGE, "", "{\"stream_options\":null}", "{\"stream_options\":{\"include_usage\":true}}" },
    { "options twice", EDIT_USAGE, "", "{\"stream_options\":7,\"stream_options\":{\"a\":1}}",
      "{\"stream_options\":{\"include_usage\":true},\"stream_options\":{\"include_usage\":true}}" },
    { "options no object", EDIT_USAGE, "", "{\"stream_options\":7}", "{\"stream_options\":{\"include_usage\":true}}" },
};

TEST(edits) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_doc doc;
        struct json_edit *edit;
        struct vsr_err err = VSR_ERR_NONE;
        struct buf out;
        int rc;
        CHECK(json_parse(arena, str_from_c(cases[i].body), &doc, &err) == 0, cases[i].name);
        edit = json_edit_new(arena, &doc);
        rc = cases[i].kind == EDIT_MODEL ? chat_edit_model(arena, edit, &doc, str_from_c(cases[i].model), &err)
                                         : chat_edit_include_usage(edit, &doc, &err);
        CHECK_MSG(rc == 0, "case \"%s\": %s", cases[i].name, err.text);
        buf_init(&out, 1 << 16);
        CHECK(json_edit_apply(edit, &out) == 0, cases[i].name);
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

RUN_TESTS(T(edits))
