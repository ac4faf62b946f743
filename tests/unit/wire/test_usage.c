#include "wire/usage.h"

#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "test.h"

static const struct {
    const char *name, *answer;
    bool found, has, malformed;
    int64_t prompt, completion, cached, cache_write;
} cases[] = {
    { "chat", "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":3,\"total_tokens\":13}}", true, true, false, 10,
      3, 0, 0 },
    { "responses",
      "{\"usage\":{\"input_tokens\":10,\"output_tokens\":3,\"input_tokens_details\":{\"cached_tokens\":4}}}", true,
      true, false, 10, 3, 4, 0 },
    { "details",
      "{\"usage\":{\"prompt_tokens\":10,\"prompt_tokens_details\":{\"cached_tokens\":4,\"cache_write_tokens\":2}}}",
      true, true, false, 10, 0, 4, 2 },
    { "write beside", "{\"usage\":{\"prompt_tokens\":10,\"cache_write_tokens\":2}}", true, true, false, 10, 0, 0, 2 },
    { "none", "{}", false, false, false, 0, 0, 0, 0 },
    { "null", "{\"usage\":null}", false, false, false, 0, 0, 0, 0 },
    { "list", "{\"usage\":[]}", false, false, false, 0, 0, 0, 0 },
    { "empty", "{\"usage\":{}}", true, false, false, 0, 0, 0, 0 },
    { "text", "{\"usage\":{\"prompt_tokens\":\"10\",\"completion_tokens\":3}}", true, true, true, 0, 3, 0, 0 },
    { "null count", "{\"usage\":{\"prompt_tokens\":null,\"completion_tokens\":3}}", true, true, false, 0, 3, 0, 0 },
    { "fraction", "{\"usage\":{\"prompt_tokens\":10.7,\"completion_tokens\":3e2}}", true, true, false, 10, 300, 0, 0 },
    { "negative", "{\"usage\":{\"prompt_tokens\":-1}}", true, true, false, -1, 0, 0, 0 },
    { "huge", "{\"usage\":{\"prompt_tokens\":1e300,\"completion_tokens\":99999999999999999999}}", true, true, false,
      INT64_MAX, INT64_MAX, 0, 0 },
    { "messages",
      "{\"usage\":{\"input_tokens\":3,\"cache_creation_input_tokens\":20,\"cache_read_input_tokens\":100,"
      "\"output_tokens\":5}}",
      true, true, false, 123, 5, 100, 20 },
    { "messages, null counters",
      "{\"usage\":{\"input_tokens\":3,\"cache_creation_input_tokens\":null,\"cache_read_input_tokens\":null,"
      "\"output_tokens\":5}}",
      true, true, false, 3, 5, 0, 0 },
    { "messages, past the largest",
      "{\"usage\":{\"input_tokens\":9223372036854775807,\"cache_read_input_tokens\":9,\"output_tokens\":5}}", true,
      true, false, INT64_MAX, 5, 9, 0 },
    { "both families' names",
      "{\"usage\":{\"prompt_tokens\":123,\"cache_read_input_tokens\":100,\"completion_tokens\":5}}", true, true, false,
      123, 5, 0, 0 },
    { "details no object", "{\"usage\":{\"prompt_tokens\":1,\"prompt_tokens_details\":7}}", true, true, false, 1, 0, 0,
      0 },
};

TEST(usage) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct json_doc doc;
        struct usage usage;
        CHECK(json_parse(arena, str_from_c(cases[i].answer), &doc, NULL) == 0, cases[i].name);
        CHECK_INT(usage_read_answer(&doc, &usage), cases[i].found, cases[i].name);
        CHECK_INT(usage.has, cases[i].has, cases[i].name);
        CHECK_INT(usage.malformed, cases[i].malformed, cases[i].name);
        CHECK_INT(usage.prompt, cases[i].prompt, cases[i].name);
        CHECK_INT(usage.completion, cases[i].completion, cases[i].name);
        CHECK_INT(usage.cached, cases[i].cached, cases[i].name);
        CHECK_INT(usage.cache_write, cases[i].cache_write, cases[i].name);
        arena_free(arena);
    }
}

/* What is written says the same when it is read again, whichever protocol it is written in. */
static void check_round(const struct usage *usage, void (*write)(struct json_writer *, const struct usage *),
                        const char *name) {
    struct arena *arena = arena_new(0, 0);
    struct json_writer w;
    struct json_doc doc;
    struct usage again;
    struct buf out;
    buf_init(&out, 4096);
    json_write_init(&w, &out);
    write(&w, usage);
    CHECK_INT(json_parse(arena, buf_str(&out), &doc, NULL), 0, name);
    CHECK(usage_read(&doc, 0, &again), name);
    CHECK_INT(again.prompt, usage->prompt, name);
    CHECK_INT(again.completion, usage->completion, name);
    CHECK_INT(again.cached, usage->cached, name);
    CHECK_INT(again.cache_write, usage->cache_write, name);
    buf_done(&out);
    arena_free(arena);
}

TEST(written_and_read_again) {
    static const struct usage usages[] = {
        { .prompt = 12, .completion = 5, .has = true },
        { .prompt = 123, .completion = 5, .cached = 100, .cache_write = 20, .cache_write_1h = 5, .has = true },
        { .prompt = 12, .completion = 5, .reasoning = 3, .web_searches = 2, .has = true },
    };
    for (size_t i = 0; i < VSR_COUNT(usages); i++) {
        check_round(&usages[i], usage_write_chat, "chat");
        check_round(&usages[i], usage_write_messages, "messages");
    }
}

RUN_TESTS(T(usage), T(written_and_read_again))
