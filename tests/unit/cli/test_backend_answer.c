/* What the stand-in model says: the same whole and streamed, valid JSON, right lengths. */
#include "test.h"

#include "cli/backend_dialect.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json.h"
#include "net/http1.h"

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
      0, "weather({\"city\":\"city\",\"unit\":\"C\",\"days\":1})", "tool_calls", 2 },
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

static const struct http1_head head = { .target = VSR_STR_INIT("/v1/chat/completions") };

static void begin(struct arena *arena, size_t i, struct backend_answer *answer) {
    const struct backend_answer_options options = {
        .backend = VSR_STR("b"), .id = 7, .created_s = 1, .seed = 13, .behaviour = behaviour_none()
    };
    struct backend_question *question = ARENA_NEW(arena, struct backend_question);
    struct backend_refusal refusal = { 0 };
    struct backend_answer_options told = options;
    told.behaviour.tokens = cases[i].tokens;
    CHECK_MSG(backend_chat.read(arena, &head, str_from_c(cases[i].body), question, &refusal), "case \"%s\": %.*s",
              cases[i].name, VSR_FMT(refusal.message));
    backend_answer_begin(arena, question, &told, answer);
}

/* The next event of the stream. */
static bool next_event(struct arena *arena, struct backend_answer *answer, struct buf *out) {
    struct backend_step step;
    while (out->len == 0 && backend_answer_step(answer, &step))
        backend_chat.event(arena, answer, &step, out);
    return out->len > 0;
}

static void parse(struct arena *arena, vsr_str text, const char *name, struct json_doc *doc) {
    struct vsr_err err = VSR_ERR_NONE;
    int rc = json_parse(arena, text, doc, &err);
    CHECK_MSG(rc == 0, "case \"%s\": %s in %.*s", name, err.text, VSR_FMT(text));
}

TEST(whole) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct backend_answer answer;
        struct json_doc doc;
        struct buf out, said;
        int64_t tokens = 0;
        buf_init(&out, 1 << 20);
        buf_init(&said, 1 << 20);
        begin(arena, i, &answer);
        backend_chat.whole(arena, &answer, &out);
        parse(arena, buf_str(&out), cases[i].name, &doc);
        if (answer.parts[0].kind == BACKEND_TOOL) {
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
        struct backend_answer answer;
        struct buf out, said;
        int64_t n_events = 0;
        buf_init(&out, 1 << 20);
        buf_init(&said, 1 << 20);
        begin(arena, i, &answer);
        for (; next_event(arena, &answer, &out); buf_reset(&out), n_events++) {
            vsr_str event = buf_str(&out);
            struct json_doc doc;
            CHECK(str_starts(event, VSR_STR("data: ")) && str_ends(event, VSR_STR("\n\n")), cases[i].name);
            event = str_sub(event, 6, event.len - 2);
            if (str_eq(event, VSR_STR("[DONE]")))
                continue;
            parse(arena, event, cases[i].name, &doc);
            append_text(arena, &doc, "choices.0.delta.content", &said);
            append_text(arena, &doc, "choices.0.delta.tool_calls.0.function.name", &said);
            if (n_events == 0 && answer.parts[0].kind == BACKEND_TOOL)
                buf_append_char(&said, '(');
            append_text(arena, &doc, "choices.0.delta.tool_calls.0.function.arguments", &said);
        }
        if (answer.parts[0].kind == BACKEND_TOOL)
            buf_append_char(&said, ')');
        CHECK_STR(buf_str(&said), cases[i].want, cases[i].name);
        CHECK_INT(n_events, cases[i].completion_tokens + 3, cases[i].name);
        buf_done(&out);
        buf_done(&said);
        arena_free(arena);
    }
}

TEST(refuses) {
    static const char *const bad[] = { "", "{", "[]", "{\"model\":\"m\"}" };
    for (size_t i = 0; i < VSR_COUNT(bad); i++) {
        struct arena *arena = arena_new(0, 0);
        struct backend_question *question = ARENA_NEW(arena, struct backend_question);
        struct backend_refusal refusal = { 0 };
        CHECK(!backend_chat.read(arena, &head, str_from_c(bad[i]), question, &refusal), bad[i]);
        CHECK_INT(refusal.status, 400, bad[i]);
        CHECK(refusal.message.len > 0, bad[i]);
        arena_free(arena);
    }
}

RUN_TESTS(T(whole), T(streamed), T(refuses))
