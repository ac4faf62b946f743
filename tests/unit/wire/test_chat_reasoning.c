#include "wire/chat_reasoning.h"

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

#define KW CHAT_FAMILY_TEMPLATE_KWARGS
#define EFF CHAT_FAMILY_EFFORT
#define TOP CHAT_FAMILY_TOP_LEVEL_EFFORT
#define NON CHAT_FAMILY_NONE

/* Every row of config.md 6.6, with and without what a client may have sent. */
static const struct {
    const char *name;
    enum chat_family family;
    enum chat_dialect dialect;
    const char *parameter, *effort;
    bool on;
    const char *body, *want;
} cases[] = {
    { "no family, on", NON, CHAT_DIALECT_VLLM, "", "high", true, "{\"reasoning_effort\":\"low\"}",
      "{\"reasoning_effort\":\"low\"}" },
    { "no family, off", NON, CHAT_DIALECT_DEEPSEEK, "", "", false, "{\"reasoning_effort\":\"low\"}",
      "{\"reasoning_effort\":\"low\"}" },

    { "deepseek on", KW, CHAT_DIALECT_DEEPSEEK, "thinking", "high", true,
      "{\"chat_template_kwargs\":{\"a\":1},\"b\":2}",
      "{\"b\":2,\"thinking\":{\"type\":\"enabled\"},\"reasoning_effort\":\"high\"}" },
    { "deepseek on, own effort", EFF, CHAT_DIALECT_DEEPSEEK, "reasoning_effort", "high", true,
      "{\"reasoning_effort\":\"low\"}", "{\"reasoning_effort\":\"high\",\"thinking\":{\"type\":\"enabled\"}}" },
    { "deepseek off", TOP, CHAT_DIALECT_DEEPSEEK, "reasoning_effort", "high", false,
      "{\"reasoning_effort\":\"low\",\"b\":2}", "{\"b\":2,\"thinking\":{\"type\":\"disabled\"}}" },
    { "deepseek off, own thinking", KW, CHAT_DIALECT_DEEPSEEK, "thinking", "", false,
      "{\"thinking\":{\"type\":\"enabled\",\"budget\":5}}", "{\"thinking\":{\"type\":\"disabled\"}}" },

    { "kwargs on", KW, CHAT_DIALECT_VLLM, "enable_thinking", "high", true, "{\"a\":1.0}",
      "{\"a\":1.0,\"chat_template_kwargs\":{\"enable_thinking\":true}}" },
    { "kwargs off", KW, CHAT_DIALECT_GENERIC, "enable_thinking", "high", false,
      "{\"reasoning_effort\":\"low\",\"a\":1}", "{\"a\":1,\"chat_template_kwargs\":{\"enable_thinking\":false}}" },
    { "kwargs keep the client's", KW, CHAT_DIALECT_OPENAI, "enable_thinking", "", true,
      "{\"chat_template_kwargs\":{\"x\":1e2,\"enable_thinking\":false}}",
      "{\"chat_template_kwargs\":{\"x\":1e2,\"enable_thinking\":true}}" },
    { "kwargs null", KW, CHAT_DIALECT_VLLM, "t", "", true, "{\"chat_template_kwargs\":null}",
      "{\"chat_template_kwargs\":{\"t\":true}}" },
    { "kwargs no object", KW, CHAT_DIALECT_VLLM, "t", "", true, "{\"chat_template_kwargs\":\"x\"}",
      "{\"chat_template_kwargs\":{\"t\":true}}" },
    { "a dot in kwargs is a dot", KW, CHAT_DIALECT_VLLM, "a.b", "", true, "{}",
      "{\"chat_template_kwargs\":{\"a.b\":true}}" },

    { "effort, openai on", EFF, CHAT_DIALECT_OPENAI, "reasoning_effort", "high", true, "{\"a\":1}",
      "{\"a\":1,\"reasoning_effort\":\"high\"}" },
    { "effort, openai on, in place", EFF, CHAT_DIALECT_OPENAI, "reasoning_effort", "high", true,
      "{\"reasoning_effort\": \"low\" ,\"a\":1}", "{\"reasoning_effort\": \"high\" ,\"a\":1}" },
    { "effort, openai on, no effort given", EFF, CHAT_DIALECT_OPENAI, "reasoning_effort", "", true, "{}",
      "{\"reasoning_effort\":\"medium\"}" },
    { "effort, openai off, none sent", EFF, CHAT_DIALECT_OPENAI, "reasoning_effort", "high", false, "{\"a\":1}",
      "{\"a\":1}" },
    { "effort, openai off, sent", EFF, CHAT_DIALECT_OPENAI, "reasoning_effort", "high", false,
      "{\"reasoning_effort\" : \"l\\u006fw\"}", "{\"reasoning_effort\" : \"l\\u006fw\"}" },
    { "effort, openrouter on, other parameter", EFF, CHAT_DIALECT_OPENROUTER, "effort", "high", true,
      "{\"reasoning_effort\":\"low\",\"a\":1}", "{\"a\":1,\"effort\":\"high\"}" },
    { "effort, openrouter off, other parameter", EFF, CHAT_DIALECT_OPENROUTER, "effort", "high", false,
      "{\"reasoning_effort\":\"low\",\"a\":1}", "{\"a\":1,\"effort\":\"low\"}" },
    { "dotted on", EFF, CHAT_DIALECT_OPENROUTER, "reasoning.effort", "high", true, "{\"reasoning\":{\"exclude\":true}}",
      "{\"reasoning\":{\"exclude\":true,\"effort\":\"high\"}}" },
    { "dotted on, nothing there", EFF, CHAT_DIALECT_OPENAI, "reasoning.effort", "high", true, "{\"a\":1}",
      "{\"a\":1,\"reasoning\":{\"effort\":\"high\"}}" },
    { "dotted on, no object there", EFF, CHAT_DIALECT_OPENAI, "reasoning.effort", "high", true, "{\"reasoning\":\"x\"}",
      "{\"reasoning\":{\"effort\":\"high\"}}" },
    { "dotted off, sent", EFF, CHAT_DIALECT_OPENAI, "reasoning.effort", "high", false, "{\"reasoning_effort\":\"low\"}",
      "{\"reasoning\":{\"effort\":\"low\"}}" },
    { "dotted off, none sent", EFF, CHAT_DIALECT_OPENAI, "reasoning.effort", "high", false, "{\"a\":1}", "{\"a\":1}" },

    { "effort, vllm on", EFF, CHAT_DIALECT_VLLM, "reasoning_effort", "high", true,
      "{\"reasoning_effort\":\"low\",\"a\":1}", "{\"a\":1,\"chat_template_kwargs\":{\"reasoning_effort\":\"high\"}}" },
    { "effort, vllm off, sent", EFF, CHAT_DIALECT_VLLM, "reasoning_effort", "high", false,
      "{\"reasoning_effort\":\"minimal\"}", "{\"chat_template_kwargs\":{\"reasoning_effort\":\"minimal\"}}" },
    { "effort, generic off, none sent", EFF, CHAT_DIALECT_GENERIC, "reasoning_effort", "high", false, "{\"a\":1}",
      "{\"a\":1,\"chat_template_kwargs\":{\"reasoning_effort\":\"low\"}}" },
    { "effort, generic off, null sent", EFF, CHAT_DIALECT_GENERIC, "reasoning_effort", "high", false,
      "{\"reasoning_effort\":null}", "{\"chat_template_kwargs\":{\"reasoning_effort\":\"low\"}}" },

    { "top level on", TOP, CHAT_DIALECT_VLLM, "reasoning_effort", "high", true, "{\"a\":1}",
      "{\"a\":1,\"reasoning_effort\":\"high\"}" },
    { "top level on, kwargs emptied", TOP, CHAT_DIALECT_VLLM, "reasoning_effort", "high", true,
      "{\"chat_template_kwargs\":{\"reasoning_effort\":\"x\"},\"a\":1}", "{\"a\":1,\"reasoning_effort\":\"high\"}" },
    { "top level on, kwargs kept", TOP, CHAT_DIALECT_VLLM, "reasoning_effort", "high", true,
      "{\"chat_template_kwargs\":{\"reasoning_effort\":\"x\",\"b\":2}}",
      "{\"chat_template_kwargs\":{\"b\":2},\"reasoning_effort\":\"high\"}" },
    { "top level off, sent", TOP, CHAT_DIALECT_GENERIC, "reasoning_effort", "high", false,
      "{\"reasoning_effort\":\"low\",\"a\":1}", "{\"reasoning_effort\":\"low\",\"a\":1}" },
    { "top level off, none sent", TOP, CHAT_DIALECT_GENERIC, "reasoning_effort", "high", false, "{\"a\":1}",
      "{\"a\":1}" },
    { "top level off, kwargs emptied", TOP, CHAT_DIALECT_GENERIC, "reasoning_effort", "high", false,
      "{\"chat_template_kwargs\":{\"reasoning_effort\":\"x\"}}", "{}" },
    { "top level off, empty kwargs stay", TOP, CHAT_DIALECT_GENERIC, "reasoning_effort", "high", false,
      "{\"chat_template_kwargs\":{}}", "{\"chat_template_kwargs\":{}}" },

    { "other bytes stay", KW, CHAT_DIALECT_VLLM, "t", "", false,
      "{ \"n\" : 9007199254740993 , \"s\":\"\\u0041\\/\",\"f\":1.000,\n\t\"reasoning_effort\":\"x\",\"z\":[ ] }",
      "{ \"n\" : 9007199254740993 , \"s\":\"\\u0041\\/\",\"f\":1.000,\n\t\"z\":[ ],"
      "\"chat_template_kwargs\":{\"t\":false} }" },
};

TEST(table) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct chat_reasoning reasoning = {
            .family = cases[i].family,
            .dialect = cases[i].dialect,
            .parameter = str_from_c(cases[i].parameter),
            .effort = str_from_c(cases[i].effort),
            .on = cases[i].on,
        };
        struct json_doc doc;
        struct json_edit *edit;
        struct vsr_err err = VSR_ERR_NONE;
        struct buf out;
        int rc;
        CHECK(json_parse(arena, str_from_c(cases[i].body), &doc, &err) == 0, cases[i].name);
        edit = json_edit_new(arena, &doc);
        rc = chat_reasoning_apply(arena, edit, &doc, &reasoning, &err);
        CHECK_MSG(rc == 0, "case \"%s\": %s", cases[i].name, err.text);
        buf_init(&out, 1 << 16);
        CHECK(json_edit_apply(edit, &out) == 0, cases[i].name);
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
        buf_done(&out);
        arena_free(arena);
    }
}

RUN_TESTS(T(table))
