/* What test_pairings does not see: bodies of errors, limits, cut connections. */
#include "wire/decoder.h"

#include "core/arena.h"
#include "core/buf.h"
#include "test.h"

static const struct {
    const char *name, *body;
    enum protocol protocol;
    const char *type, *code, *message;
} bodies[] = {
    { "openai", "{\"error\":{\"message\":\"no\",\"type\":\"t\",\"param\":null,\"code\":\"c\"}}", PROTOCOL_CHAT, "t",
      "c", "no" },
    { "number as code", "{\"error\":{\"message\":\"no\",\"code\":404}}", PROTOCOL_CHAT, "", "", "no" },
    { "vllm", "{\"object\":\"error\",\"message\":\"too long\",\"type\":\"BadRequestError\",\"code\":400}",
      PROTOCOL_CHAT, "BadRequestError", "", "too long" },
    { "ollama", "{\"error\":\"model not found\"}", PROTOCOL_CHAT, "", "", "model not found" },
    { "fastapi", "{\"detail\":\"Not Found\"}", PROTOCOL_CHAT, "", "", "Not Found" },
    { "anthropic", "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
      PROTOCOL_MESSAGES, "overloaded_error", "", "Overloaded" },
    { "html", "<html>", PROTOCOL_MESSAGES, "", "", "the backend answered with status 529" },
    { "empty", "", PROTOCOL_CHAT, "", "", "the backend answered with status 529" },
    { "empty object", "{}", PROTOCOL_CHAT, "", "", "the backend answered with status 529" },
    { "list", "[]", PROTOCOL_CHAT, "", "", "the backend answered with status 529" },
};

TEST(error_bodies) {
    for (size_t i = 0; i < VSR_COUNT(bodies); i++) {
        struct arena *arena = arena_new(0, 0);
        struct answer_error error;
        decoder_error_body(bodies[i].protocol, 529, str_from_c(bodies[i].body), arena, &error);
        CHECK_INT(error.status, 529, bodies[i].name);
        CHECK_STR(error.type, bodies[i].type, bodies[i].name);
        CHECK_STR(error.code, bodies[i].code, bodies[i].name);
        CHECK_STR(error.message, bodies[i].message, bodies[i].name);
        arena_free(arena);
    }
}

/* The last deltas of an answer. */
struct seen {
    size_t n, text_len;
    bool ended;
    int status;
    char message[256];
};

static void on_delta(void *user, const struct answer_delta *delta) {
    struct seen *seen = user;
    CHECK(!seen->ended, "nothing after the end");
    seen->n++;
    seen->ended = delta->kind == DELTA_END;
    if (delta->kind == DELTA_TEXT)
        seen->text_len += delta->text.len;
    if (delta->kind == DELTA_ERROR) {
        seen->status = delta->error.status;
        snprintf(seen->message, sizeof(seen->message), "%.*s", VSR_FMT(delta->error.message));
    }
}

TEST(frame_too_long) {
    struct seen seen = { 0 };
    struct decoder *decoder = decoder_new(PROTOCOL_CHAT, true, on_delta, &seen);
    static char bytes[64 << 10];
    memset(bytes, 'x', sizeof(bytes));
    decoder_feed(decoder, VSR_STR("data: "));
    for (size_t i = 0; i <= DECODER_EVENT_LEN_MAX / sizeof(bytes); i++)
        decoder_feed(decoder, str_make(bytes, sizeof(bytes)));
    CHECK(decoder_ended(decoder), "ended");
    CHECK(decoder_malformed(decoder), "malformed");
    CHECK_INT(seen.status, 502, seen.message);
    decoder_feed(decoder, VSR_STR("\n\ndata: [DONE]\n\n"));
    decoder_end(decoder, true);
    decoder_free(decoder);
}

TEST(body_too_long) {
    struct seen seen = { 0 };
    struct decoder *decoder = decoder_new(PROTOCOL_MESSAGES, false, on_delta, &seen);
    static char bytes[4 << 20];
    memset(bytes, ' ', sizeof(bytes));
    for (size_t fed = 0; fed < DECODER_BODY_LEN_MAX; fed += sizeof(bytes))
        decoder_feed(decoder, str_make(bytes, sizeof(bytes)));
    CHECK(!decoder_ended(decoder), "at the limit");
    decoder_feed(decoder, VSR_STR(" "));
    CHECK(decoder_ended(decoder), "past it");
    CHECK_INT(seen.status, 502, seen.message);
    decoder_free(decoder);
}

static const struct {
    const char *name, *bytes;
    enum protocol protocol;
    bool streamed, clean;
    int status;
} ends[] = {
    { "chat, done seen", "data: {\"choices\":[]}\n\ndata: [DONE]\n\n", PROTOCOL_CHAT, true, false, 0 },
    { "chat, finished but cut", "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n", PROTOCOL_CHAT, true, false,
      502 },
    { "chat, finished and ended", "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n", PROTOCOL_CHAT, true, true,
      0 },
    { "chat, ended early", "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", PROTOCOL_CHAT, true, true,
      502 },
    { "chat, whole but cut", "{\"choices\":[]}", PROTOCOL_CHAT, false, false, 502 },
    { "chat, whole", "{\"choices\":[]}", PROTOCOL_CHAT, false, true, 0 },
    { "nothing at all", "", PROTOCOL_CHAT, true, true, 502 },
    { "no body", "", PROTOCOL_MESSAGES, false, true, 502 },
    { "messages, stopped", "data: {\"type\":\"message_stop\"}\n\n", PROTOCOL_MESSAGES, true, false, 0 },
    { "messages, ended early", "data: {\"type\":\"message_start\",\"message\":{}}\n\n", PROTOCOL_MESSAGES, true, true,
      502 },
    { "error without words", "data: {\"error\":{}}\n\n", PROTOCOL_CHAT, true, false, 502 },
    { "error with a status", "data: {\"error\":{\"message\":\"x\",\"code\":429}}\n\n", PROTOCOL_CHAT, true, false,
      429 },
};

TEST(ways_to_end) {
    for (size_t i = 0; i < VSR_COUNT(ends); i++) {
        struct seen seen = { 0 };
        struct decoder *decoder = decoder_new(ends[i].protocol, ends[i].streamed, on_delta, &seen);
        decoder_feed(decoder, str_from_c(ends[i].bytes));
        decoder_end(decoder, ends[i].clean);
        CHECK(seen.ended, ends[i].name);
        CHECK_INT(seen.status, ends[i].status, ends[i].name);
        CHECK(seen.status == 0 || seen.message[0] != '\0', ends[i].name);
        decoder_end(decoder, ends[i].clean);
        decoder_free(decoder);
    }
}

RUN_TESTS(T(error_bodies), T(frame_too_long), T(body_too_long), T(ways_to_end))
