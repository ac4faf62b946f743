#include "wire/usage.h"

#include "core/arena.h"
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

RUN_TESTS(T(usage))
