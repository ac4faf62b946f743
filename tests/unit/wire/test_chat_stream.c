#include "wire/chat_stream.h"

#include "test.h"

#define HEAD "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\",\"choices\":"
#define ROLE HEAD "[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n"
#define TEXT HEAD "[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}],\"usage\":null}\n\n"
#define STOP HEAD "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE HEAD "[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n"
#define DONE "data: [DONE]\n\n"

static const struct {
    const char *name, *text;
    bool finish, complete, payload, error, malformed;
    const char *reason;
    int64_t prompt; /* -1: no usage */
} cases[] = {
    { "whole", ROLE TEXT STOP USAGE DONE, true, true, true, false, false, "stop", 9 },
    { "no DONE, ended", ROLE TEXT STOP, true, true, true, false, false, "stop", -1 },
    { "no DONE, cut", ROLE TEXT STOP, false, false, true, false, false, "stop", -1 },
    { "cut", ROLE TEXT, true, false, true, false, false, "", -1 },
    { "nothing said", ROLE, false, false, false, false, false, "", -1 },
    { "usage before", USAGE ROLE TEXT STOP DONE, false, true, true, false, false, "stop", 9 },
    { "last usage wins",
      HEAD "[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":1}}\n\n" USAGE DONE, false, true,
      true, false, false, "", 9 },
    { "after DONE", ROLE DONE USAGE TEXT, false, true, false, false, false, "", -1 },
    { "error member", ROLE "data: {\"error\":{\"message\":\"x\"}}\n\n", true, false, false, true, false, "", -1 },
    { "error event", ROLE "event: error\ndata: {}\n\n", true, false, false, true, false, "", -1 },
    { "null error", ROLE "data: {\"error\": null,\"choices\":[]}\n\n", true, false, false, false, false, "", -1 },
    { "not JSON", "data: nonsense\n\n" TEXT DONE, false, true, true, false, true, "", -1 },
    { "reasoning", HEAD "[{\"delta\":{\"reasoning_content\":\"r\"}}]}\n\n", false, false, true, false, false, "", -1 },
    { "tool call", HEAD "[{\"delta\":{\"tool_calls\":[{\"index\":0}]}}]}\n\n", false, false, true, false, false, "",
      -1 },
    { "empty tool calls", HEAD "[{\"delta\":{\"tool_calls\":[]}}]}\n\n", false, false, false, false, false, "", -1 },
    { "lowest choice's reason", HEAD "[{\"index\":1,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n" STOP DONE, false,
      true, false, false, false, "stop", -1 },
    { "crlf and comments", ": hello\r\n\r\ndata: [DONE]\r\n\r\n", false, true, false, false, false, "", -1 },
    { "DONE without blank line", ROLE "data: [DONE]", true, true, false, false, false, "", -1 },
    { "usage in the text", HEAD "[{\"delta\":{\"content\":\"say \\\"usage\\\": 3\"}}]}\n\n" DONE, false, true, true,
      false, false, "", -1 },
    { "usage as a list", HEAD "[],\"usage\":[]}\n\n" DONE, false, true, false, false, false, "", -1 },
};

static void check(size_t i, const struct chat_stream *s) {
    const char *name = cases[i].name;
    CHECK_INT(chat_stream_complete(s), cases[i].complete, name);
    CHECK_INT(s->has_payload, cases[i].payload, name);
    CHECK_INT(s->has_error, cases[i].error, name);
    CHECK_INT(s->malformed, cases[i].malformed, name);
    CHECK_STR(chat_stream_finish_reason(s), cases[i].reason, name);
    CHECK_INT(s->usage.has, cases[i].prompt >= 0, name);
    if (cases[i].prompt >= 0)
        CHECK_INT(s->usage.prompt, cases[i].prompt, name);
    if (s->has_head) {
        CHECK_STR(chat_stream_id(s), "c1", name);
        CHECK_STR(chat_stream_model(s), "m", name);
        CHECK_INT(s->created, 7, name);
    }
}

TEST(streams_at_any_split) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        vsr_str text = str_from_c(cases[i].text);
        for (size_t step = 1; step <= text.len + 1; step += step < 10 ? 1 : 37) {
            struct chat_stream stream;
            chat_stream_init(&stream);
            for (size_t at = 0; at < text.len; at += step)
                chat_stream_feed(&stream, str_sub(text, at, at + step));
            if (cases[i].finish)
                chat_stream_finish(&stream);
            check(i, &stream);
            chat_stream_done(&stream);
        }
    }
}

TEST(long_names_are_cut) {
    struct chat_stream stream;
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_printf(&text, "data: {\"id\":\"%0500d\",\"model\":\"m\",\"choices\":[]}\n\n", 0);
    chat_stream_init(&stream);
    chat_stream_feed(&stream, buf_str(&text));
    CHECK_INT(chat_stream_id(&stream).len, CHAT_STREAM_ID_LEN_MAX, "cut");
    chat_stream_done(&stream);
    buf_done(&text);
}

RUN_TESTS(T(streams_at_any_split), T(long_names_are_cut))
