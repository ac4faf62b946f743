/* What the stand-in model says: the same whole and streamed, valid JSON, right lengths. */
#include "test.h"

#include "cli/backend_answer.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"

#define TOOLS \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"clock\"}}," \
    "{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"parameters\":{\"type\":\"object\",\"properties\":{" \
    "\"city\":{\"type\":\"string\"},\"unit\":{\"type\":\"string\",\"enum\":[\"C\",\"F\"]},\"days\":{\"type\":" \
    "\"integer\"}}," \
    "\"required\":[\"city\",\"unit\",\"days\",\"nowhere\",7]}}}]"
#define SAYS(text) "\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]"

static const struct {
    const char *name, *body;
    uint64_t tokens;
    const char *want; /* content, or `name(arguments)` of a call */
    const char *finish;
    int64_t completion_tokens;
} cases[] = {
    { "text", "{\"model\":\"m\"," SAYS("hello  you") "}", 0, "model m answering: hello  you", "stop", 6 },
    { "escapes", "{\"model\":\"m\"," SAYS("a\\n\\\"b\\\" \\u00e9") "}", 0, "model m answering: a\n\"b\" \xc3\xa9",
      "stop", 5 },
    { "no blanks",
      "{\"model\":\"m\"," SAYS("\xe6\x98\x8e\xe6\x97\xa5\xe3\x81\xae\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xae"
                               "\xe5\xa4\xa9\xe6\xb0\x97\xe3\x81\xaf") "}",
      0,
      "model m answering: \xe6\x98\x8e\xe6\x97\xa5\xe3\x81\xae\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xae"
      "\xe5\xa4\xa9\xe6\xb0\x97\xe3\x81\xaf",
      "stop", 5 },
    { "exact length", "{\"model\":\"m\"," SAYS("hi") "}", 6, "model m answering: hiand so ", "stop", 6 },
    { "shortened", "{\"model\":\"m\"," SAYS("hello you") "}", 2, "model m ", "length", 2 },
    { "client's ceiling", "{\"model\":\"m\",\"max_tokens\":3," SAYS("hello you") "}", 0,
      "model m answering: ", "length", 3 },
    { "newer ceiling wins", "{\"model\":\"m\",\"max_tokens\":9,\"max_completion_tokens\":1," SAYS("x") "}", 0, "model ",
      "length", 1 },
    { "ceiling above the text", "{\"model\":\"m\",\"max_tokens\":99," SAYS("x") "}", 0, "model m answering: x", "stop",
      4 },
    { "ceiling cuts padding", "{\"model\":\"m\",\"max_tokens\":5," SAYS("x") "}", 50, "model m answering: xand ",
      "length", 5 },
    { "tool", "{\"model\":\"m\"," TOOLS "," SAYS("use the tool") "}", 0, "clock({})", "tool_calls", 1 },
    { "no need of a tool", "{\"model\":\"m\"," TOOLS "," SAYS("hello") "}", 0, "model m answering: hello", "stop", 4 },
    { "tool by name",
      "{\"model\":\"m\",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}," TOOLS
      "," SAYS("x") "}",
      0, "weather({\"city\":\"city\",\"unit\":\"C\"})", "tool_calls", 2 },
    { "some tool", "{\"model\":\"m\",\"tool_choice\":\"required\"," TOOLS "," SAYS("x") "}", 0, "clock({})",
      "tool_calls", 1 },
    { "no tool", "{\"model\":\"m\",\"tool_choice\":\"none\"," TOOLS "," SAYS("tool") "}", 0, "model m answering: tool",
      "stop", 4 },
    { "unknown tool",
      "{\"model\":\"m\",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"nope\"}}," TOOLS
      "," SAYS("x") "}",
      0, "model m answering: x", "stop", 4 },
    { "tool result",
      "{\"model\":\"m\"," TOOLS
      ",\"messages\":[{\"role\":\"user\",\"content\":\"use the tool\"},{\"role\":\"assistant\","
      "\"content\":null,\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"clock\","
      "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"noon\"}]}",
      0, "model m answering with the tool's result: noon", "stop", 8 },
};

static json_ref path(const struct json_doc *doc, json_ref at, const char *keys) {
    for (vsr_str rest = str_from_c(keys); rest.ptr && at != JSON_NONE;) {
        vsr_str key = str_split(&rest, '.');
        uint64_t index;
        at = str_to_u64(key, &index) ? (json_is(doc, at, JSON_ARRAY) ? json_at(doc, at, index) : JSON_NONE)
                                     : json_get(doc, at, key);
    }
    return at;
}

/* Appends the text at the path; nothing when it is absent or null. */
static void append_text(struct arena *arena, const struct json_doc *doc, const char *keys, struct buf *out) {
    vsr_str text;
    if (json_str(arena, doc, path(doc, 0, keys), &text))
        buf_append(out, text);
}

static void begin(struct arena *arena, size_t i, struct answer *answer) {
    const struct answer_options options = {
        .backend = VSR_STR("b"), .id = 7, .created_s = 1, .tokens = cases[i].tokens, .seed = 13
    };
    struct vsr_err err = VSR_ERR_NONE;
    int rc = answer_begin(arena, str_from_c(cases[i].body), &options, answer, &err);
    CHECK_MSG(rc == 0, "case \"%s\": %s", cases[i].name, err.text);
}

static void parse(struct arena *arena, vsr_str text, const char *name, struct json_doc *doc) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = json_parse(arena, text, doc, &err);
    CHECK_MSG(rc == 0, "case \"%s\": %s in %.*s", name, err.text, VSR_FMT(text));
}

TEST(whole) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct answer answer;
        struct json_doc doc;
        struct buf out, said;
        int64_t tokens = 0;
        buf_init(&out, 1 << 20);
        buf_init(&said, 1 << 20);
        begin(arena, i, &answer);
        answer_write(&answer, &out);
        parse(arena, buf_str(&out), cases[i].name, &doc);
        if (answer.tool.len > 0) {
            append_text(arena, &doc, "choices.0.message.tool_calls.0.function.name", &said);
            buf_append_char(&said, '(');
            append_text(arena, &doc, "choices.0.message.tool_calls.0.function.arguments", &said);
            buf_append_char(&said, ')');
        } else {
            append_text(arena, &doc, "choices.0.message.content", &said);
        }
        CHECK_STR(buf_str(&said), cases[i].want, cases[i].name);
        buf_reset(&said);
        append_text(arena, &doc, "choices.0.finish_reason", &said);
        CHECK_STR(buf_str(&said), cases[i].finish, cases[i].name);
        CHECK(json_i64(&doc, path(&doc, 0, "usage.completion_tokens"), &tokens), cases[i].name);
        CHECK_INT(tokens, cases[i].completion_tokens, cases[i].name);
        buf_done(&out);
        buf_done(&said);
        arena_free(arena);
    }
}

/* The pieces of a stream are the whole answer; one event a token, then finish and [DONE]. */
TEST(streamed) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct answer answer;
        struct buf out, said;
        int64_t n_events = 0;
        buf_init(&out, 1 << 20);
        buf_init(&said, 1 << 20);
        begin(arena, i, &answer);
        for (; answer_next_event(&answer, true, &out); buf_reset(&out), n_events++) {
            vsr_str event = buf_str(&out);
            struct json_doc doc;
            CHECK(str_starts(event, VSR_STR("data: ")) && str_ends(event, VSR_STR("\n\n")), cases[i].name);
            event = str_sub(event, 6, event.len - 2);
            if (str_eq(event, VSR_STR("[DONE]")))
                continue;
            parse(arena, event, cases[i].name, &doc);
            append_text(arena, &doc, "choices.0.delta.content", &said);
            append_text(arena, &doc, "choices.0.delta.tool_calls.0.function.name", &said);
            if (n_events == 0 && answer.tool.len > 0)
                buf_append_char(&said, '(');
            append_text(arena, &doc, "choices.0.delta.tool_calls.0.function.arguments", &said);
        }
        if (answer.tool.len > 0)
            buf_append_char(&said, ')');
        CHECK_STR(buf_str(&said), cases[i].want, cases[i].name);
        CHECK_INT(n_events, cases[i].completion_tokens + 3, cases[i].name);
        buf_done(&out);
        buf_done(&said);
        arena_free(arena);
    }
}

TEST(refuses) {
    static const struct {
        const char *body;
        int code;
    } bad[] = {
        { "", VSR_E_SYNTAX },
        { "{", VSR_E_SYNTAX },
        { "[]", VSR_E_INVALID },
        { "{\"model\":\"m\"}", VSR_E_INVALID },
    };
    for (size_t i = 0; i < VSR_COUNT(bad); i++) {
        struct arena *arena = arena_new(0, 0);
        const struct answer_options options = { 0 };
        struct answer answer;
        struct vsr_err err = VSR_ERR_NONE;
        CHECK_INT(answer_begin(arena, str_from_c(bad[i].body), &options, &answer, &err), bad[i].code, bad[i].body);
        CHECK(err.text[0] != 0, bad[i].body);
        arena_free(arena);
    }
}

RUN_TESTS(T(whole), T(streamed), T(refuses))
