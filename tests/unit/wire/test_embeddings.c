/* What an embeddings request may say, and how vectors are written. */
#include "wire/embeddings.h"

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

/* `want`: the inputs joined by `|`, then dimensions and `b` for base64; or what the client is told, behind where. */
static const struct {
    const char *body, *want;
} cases[] = {
    { "{\"input\":\"a b\"}", "a b 0" },
    { "{\"input\":[\"a\",\"b\"]}", "a|b 0" },
    { "{\"input\":\"\\u00e4\",\"dimensions\":5}", "\xc3\xa4 5" },
    { "{\"input\":\"a\",\"encoding_format\":\"base64\"}", "a 0b" },
    { "{\"input\":\"a\",\"encoding_format\":\"float\",\"dimensions\":null}", "a 0" },
    { "{\"input\":\"a\",\"encoding_format\":null,\"user\":\"u\",\"more\":[1]}", "a 0" },
    { "{}", "input: input field is required" },
    { "[]", ": the request body must be a JSON object" },
    { "{\"input\":\"\"}", "input: input must not be an empty string" },
    { "{\"input\":[\"a\",\"\"]}", "input: input must not be an empty string" },
    { "{\"input\":[]}", "input: input must not be an empty list" },
    { "{\"input\":[1,2]}", "input: input must be text; token ids belong to another model's vocabulary" },
    { "{\"input\":[[1,2]]}", "input: input must be text; token ids belong to another model's vocabulary" },
    { "{\"input\":{}}", "input: input must be a string or a list of strings" },
    { "{\"input\":null}", "input: input must be a string or a list of strings" },
    { "{\"input\":\"a\",\"encoding_format\":\"hex\"}",
      "encoding_format: encoding_format must be \"float\" or \"base64\"" },
    { "{\"input\":\"a\",\"encoding_format\":1}", "encoding_format: encoding_format must be \"float\" or \"base64\"" },
    { "{\"input\":\"a\",\"dimensions\":0}", "dimensions: dimensions must be a whole number of at least 1" },
    { "{\"input\":\"a\",\"dimensions\":1.5}", "dimensions: dimensions must be a whole number of at least 1" },
};

static vsr_str read(struct arena *arena, const char *body) {
    struct json_doc doc;
    struct embeddings_request request;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str text = VSR_STR("");
    CHECK_INT(json_parse(arena, str_from_c(body), &doc, NULL), 0, body);
    if (embeddings_read(arena, &doc, &request, &err) < 0)
        return arena_printf(arena, "%s: %s", err.where, err.text);
    for (size_t i = 0; i < request.n; i++)
        text = arena_printf(arena, "%.*s%s%.*s", VSR_FMT(text), i ? "|" : "", VSR_FMT(request.inputs[i]));
    return arena_printf(arena, "%.*s %zu%s", VSR_FMT(text), request.dimensions, request.base64 ? "b" : "");
}

TEST(requests) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        CHECK_STR(read(arena, cases[i].body), cases[i].want, cases[i].body);
        arena_free(arena);
    }
}

TEST(no_more_than_the_limit) {
    struct arena *arena = arena_new(0, 0);
    for (size_t n = EMBEDDINGS_INPUTS_MAX; n <= EMBEDDINGS_INPUTS_MAX + 1; n++) {
        struct json_doc doc;
        struct embeddings_request request;
        struct buf body;
        buf_init(&body, 1 << 20);
        buf_append_c(&body, "{\"input\":[");
        for (size_t i = 0; i < n; i++)
            buf_append_c(&body, i ? ",\"x\"" : "\"x\"");
        buf_append_c(&body, "]}");
        CHECK_INT(json_parse(arena, buf_str(&body), &doc, NULL), 0, "parses");
        CHECK_INT(embeddings_read(arena, &doc, &request, &(struct vsr_err){ .code = VSR_OK }),
                  n > EMBEDDINGS_INPUTS_MAX ? VSR_E_INVALID : 0, "limit");
        buf_done(&body);
    }
    arena_free(arena);
}

TEST(answers) {
    static const float vectors[] = { 1, -0.5F, 0.25F, 2 };
    struct embeddings_answer answer = { VSR_STR("m"), vectors, 2, 2, 7, false };
    struct buf out;
    buf_init(&out, 4096);
    embeddings_write(&out, &answer);
    CHECK_STR(buf_str(&out),
              "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[1,-0.5]},"
              "{\"object\":\"embedding\",\"index\":1,\"embedding\":[0.25,2]}],\"model\":\"m\","
              "\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}",
              "floats");
    buf_reset(&out);
    answer.base64 = true;
    answer.n = 1;
    for (answer.width = 1; answer.width <= 3; answer.width++)
        embeddings_write(&out, &answer);
    CHECK(str_find(buf_str(&out), VSR_STR("\"AACAPw==\"")) >= 0, "four bytes");
    CHECK(str_find(buf_str(&out), VSR_STR("\"AACAPwAAAL8=\"")) >= 0, "eight bytes");
    CHECK(str_find(buf_str(&out), VSR_STR("\"AACAPwAAAL8AAIA+\"")) >= 0, "twelve bytes");
    buf_done(&out);
}

RUN_TESTS(T(requests), T(no_more_than_the_limit), T(answers))
