#include "wire/completions_request.h"

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

#define CHAT(members, text) "{" members "\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]}"

static const struct {
    const char *name, *body, *want; /* want NULL: refused with `error` */
    const char *error, *where;
} cases[] = {
    { "text", "{\"prompt\":\"a \\\"b\\\"\",\"model\":\"m\"}", CHAT("\"model\":\"m\",", "a \\\"b\\\""), "", "" },
    { "members", "{\"model\":\"m\",\"best_of\":2,\"stream\":true,\"max_tokens\":5,\"prompt\":\"x\",\"user\":\"u\"}",
      CHAT("\"model\":\"m\",\"stream\":true,\"max_tokens\":5,\"user\":\"u\",", "x"), "", "" },
    { "texts", "{\"prompt\":[\"a\",\"b\"]}", CHAT("", "a\\nb"), "", "" },
    { "tokens", "{\"prompt\":[1,2]}", CHAT("", ""), "", "" },
    { "lists of tokens", "{\"prompt\":[[1],[2]]}", CHAT("", ""), "", "" },
    { "no prompt", "{\"model\":\"m\"}", NULL, "prompt field is required", "prompt" },
    { "null", "{\"prompt\":null}", NULL, "prompt field is required", "prompt" },
    { "object", "{\"prompt\":{}}", NULL, "prompt must be a string, a list of strings, or tokens", "prompt" },
    { "object in a list", "{\"prompt\":[{}]}", NULL, "prompt must be a string, a list of strings, or tokens",
      "prompt" },
    { "twice", "{\"model\":\"a\",\"prompt\":\"x\",\"model\":\"b\"}", NULL, "a member stands there twice", "model" },
    { "no object", "[]", NULL, "the request body must be a JSON object", "" },
};

TEST(bodies) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_doc doc;
        struct buf out;
        struct vsr_err err = VSR_ERR_NONE;
        int rc;
        buf_init(&out, 4096);
        CHECK_INT(json_parse(arena, str_from_c(cases[i].body), &doc, &err), 0, cases[i].name);
        rc = completions_to_chat(arena, &doc, &out, &err);
        CHECK_INT(rc, cases[i].want ? 0 : VSR_E_INVALID, cases[i].name);
        if (rc == 0)
            CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
        CHECK_STR(str_from_c(err.text), cases[i].error, cases[i].name);
        CHECK_STR(str_from_c(err.where), cases[i].where, cases[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

RUN_TESTS(T(bodies))
