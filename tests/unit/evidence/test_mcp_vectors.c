/* Vectors by a tool, also as a server would send them that means harm. */
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "evidence/mcp_format.h"
#include "evidence/remote.h"
#include "test.h"

static const struct {
    const char *name, *object;
    size_t n_texts, dims, dims_least;
    const char *want;
} answers[] = {
    { "one", "{\"embeddings\":[[3,4]]}", 1, 0, 0, "0.6 0.8" },
    { "two in order", "{\"embeddings\":[[1,0],[0,-2]]}", 2, 2, 2, "1 0 0 -1" },
    { "more than is kept", "{\"embeddings\":[[0,0,5]]}", 1, 0, 2, "0 0 1" },
    { "what else there is", "{\"model\":\"m\",\"embeddings\":[[1]],\"usage\":{\"a\":[1]}}", 1, 0, 0, "1" },
    { "tiny numbers", "{\"embeddings\":[[1e-30,0]]}", 1, 0, 0, "1 0" },
    { "nothing", "{}", 1, 0, 0, "! the tool's answer has no list `embeddings`" },
    { "null", "{\"embeddings\":null}", 1, 0, 0, "! the tool's answer has no list `embeddings`" },
    { "an object", "{\"embeddings\":{\"0\":[1]}}", 1, 0, 0, "! the tool's answer has no list `embeddings`" },
    { "none", "{\"embeddings\":[]}", 1, 0, 0, "! there are 0 embeddings for 1 texts" },
    { "too many", "{\"embeddings\":[[1],[1]]}", 1, 0, 0, "! there are 2 embeddings for 1 texts" },
    { "too few", "{\"embeddings\":[[1]]}", 2, 0, 0, "! there are 1 embeddings for 2 texts" },
    { "a flat list", "{\"embeddings\":[1,2]}", 2, 0, 0, "! embeddings[0] is no list of numbers" },
    { "a text", "{\"embeddings\":[\"AACAPw==\"]}", 1, 0, 0, "! embeddings[0] is no list of numbers" },
    { "an empty one", "{\"embeddings\":[[1],[]]}", 2, 0, 0, "! embeddings[1] is empty" },
    { "two lengths", "{\"embeddings\":[[1,0],[1]]}", 2, 0, 0, "! embeddings[1] has 1 numbers, expected 2" },
    { "another length than before", "{\"embeddings\":[[1,0]]}", 1, 3, 0, "! embeddings[0] has 2 numbers, expected 3" },
    { "less than is kept", "{\"embeddings\":[[1,0]]}", 1, 0, 3,
      "! embeddings[0] has 2 numbers, and target_dimension is 3" },
    { "a text for a number", "{\"embeddings\":[[1,\"2\"]]}", 1, 0, 0, "! embeddings[0][1] is no number that fits" },
    { "null for a number", "{\"embeddings\":[[null]]}", 1, 0, 0, "! embeddings[0][0] is no number that fits" },
    { "a list for a number", "{\"embeddings\":[[[1]]]}", 1, 0, 0, "! embeddings[0][0] is no number that fits" },
    { "past a float", "{\"embeddings\":[[1,0],[1e39,1]]}", 2, 0, 0, "! embeddings[1][0] is no number that fits" },
    { "past a double", "{\"embeddings\":[[1e999]]}", 1, 0, 0, "! embeddings[0][0] is no number that fits" },
    { "zeros", "{\"embeddings\":[[1,0],[0,0]]}", 2, 0, 0, "! embeddings[1] has no direction: its length is 0" },
};

static void check(struct arena *arena, const char *object, const struct mcp_asked *asked, const char *want,
                  const char *name) {
    struct vsr_err err = VSR_ERR_NONE;
    struct mcp_told told = { 0 };
    struct json_doc doc;
    struct buf out;
    buf_init(&out, 1 << 20);
    CHECK(json_parse(arena, str_from_c(object), &doc, &err) == 0, name);
    if (mcp_vectors.read(arena, &doc, 0, asked, &told, &err) < 0)
        buf_printf(&out, "! %s", err.text);
    CHECK_INT(told.n_labels, 0, name);
    for (size_t i = 0; i < told.n; i++)
        buf_printf(&out, "%s%g", i ? " " : "", (double)told.numbers[i]);
    CHECK_STR(buf_str(&out), want, name);
    buf_done(&out);
}

TEST(vectors) {
    for (size_t i = 0; i < VSR_COUNT(answers); i++) {
        struct arena *arena = arena_new(0, 0);
        check(arena, answers[i].object,
              &(struct mcp_asked){
                  .n_texts = answers[i].n_texts, .dims = answers[i].dims, .dims_least = answers[i].dims_least },
              answers[i].want, answers[i].name);
        arena_free(arena);
    }
}

static const char *long_vector(struct arena *arena, size_t n) {
    struct buf out;
    const char *text;
    buf_init(&out, 1 << 20);
    buf_append_c(&out, "{\"embeddings\":[[1");
    for (size_t i = 1; i < n; i++)
        buf_append_c(&out, ",0");
    buf_append_c(&out, "]]}");
    text = arena_c_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

TEST(longest) {
    struct arena *arena = arena_new(0, 0);
    struct mcp_told told = { 0 };
    const struct mcp_asked asked = { .n_texts = 1 };
    struct json_doc doc;
    CHECK(json_parse(arena, str_from_c(long_vector(arena, REMOTE_DIMS_MAX)), &doc, NULL) == 0, "json");
    CHECK(mcp_vectors.read(arena, &doc, 0, &asked, &told, NULL) == 0, "at the limit");
    CHECK_INT(told.n, REMOTE_DIMS_MAX, "at the limit");
    check(arena, long_vector(arena, REMOTE_DIMS_MAX + 1), &asked, "! embeddings[0] has more than 16384 numbers",
          "one past");
    arena_free(arena);
}

TEST(question) {
    const vsr_str texts[] = { VSR_STR("a \"b\""), VSR_STR("") };
    struct mcp_tools tools = { 0 };
    struct json_writer w;
    struct buf out;
    buf_init(&out, 1 << 10);
    json_write_init(&w, &out);
    json_write_begin_object(&w);
    mcp_vectors.write(&w, &tools, &(struct mcp_asked){ .texts = texts, .n_texts = 2 });
    json_write_end(&w);
    CHECK_STR(buf_str(&out), "{\"texts\":[\"a \\\"b\\\"\",\"\"]}", "arguments");
    buf_done(&out);
}

RUN_TESTS(T(vectors), T(longest), T(question))
