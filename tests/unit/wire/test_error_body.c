#include "wire/error_body.h"

#include "core/buf.h"
#include "test.h"

static const struct {
    const char *name;
    struct error_body error;
    const char *want;
} cases[] = {
    { "bad request",
      { .status = 400, .message = VSR_STR_INIT("no"), .param = VSR_STR_INIT("messages") },
      "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"param\":\"messages\",\"code\":null,"
      "\"status\":400}}" },
    { "unauthorised",
      { .status = 401, .message = VSR_STR_INIT("who") },
      "{\"error\":{\"message\":\"who\",\"type\":\"authentication_error\",\"param\":null,\"code\":\"invalid_api_key\","
      "\"status\":401}}" },
    { "unknown model",
      { .status = 404, .message = VSR_STR_INIT("model \"x\""), .code = ERROR_CODE_MODEL_NOT_FOUND },
      "{\"error\":{\"message\":\"model \\\"x\\\"\",\"type\":\"not_found_error\",\"param\":null,"
      "\"code\":\"model_not_found\",\"status\":404}}" },
    { "unknown path",
      { .status = 404, .message = VSR_STR_INIT("endpoint not found") },
      "{\"error\":{\"message\":\"endpoint not found\",\"type\":\"not_found_error\",\"param\":null,\"code\":null,"
      "\"status\":404}}" },
    { "no backend",
      { .status = 503, .message = VSR_STR_INIT("x"), .code = ERROR_CODE_NO_BACKEND },
      "{\"error\":{\"message\":\"x\",\"type\":\"server_error\",\"param\":null,\"code\":\"no_backend\",\"status\":503}"
      "}" },
    { "other 5xx",
      { .status = 502, .message = VSR_STR_INIT("x") },
      "{\"error\":{\"message\":\"x\",\"type\":\"server_error\",\"param\":null,\"code\":null,\"status\":502}}" },
    { "other 4xx",
      { .status = 418, .message = VSR_STR_INIT("x") },
      "{\"error\":{\"message\":\"x\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null,\"status\":418}"
      "}" },
    { "messages",
      { .status = 404, .message = VSR_STR_INIT("a \"b\""), .code = "model_not_found", .protocol = PROTOCOL_MESSAGES },
      "{\"type\":\"error\",\"error\":{\"type\":\"not_found_error\",\"message\":\"a \\\"b\\\"\"}}" },
    { "messages, overloaded",
      { .status = 529, .message = VSR_STR_INIT("x"), .protocol = PROTOCOL_MESSAGES },
      "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}" },
    { "messages, other 5xx",
      { .status = 502, .message = VSR_STR_INIT("x"), .protocol = PROTOCOL_MESSAGES },
      "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"x\"}}" },
    { "responses",
      { .status = 418, .message = VSR_STR_INIT("x"), .protocol = PROTOCOL_RESPONSES },
      "{\"error\":{\"message\":\"x\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null,\"status\":418}"
      "}" },
};

TEST(bodies) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct buf out;
        buf_init(&out, 4096);
        error_body_write(&out, &cases[i].error);
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].name);
        buf_done(&out);
    }
}

TEST(event) {
    struct buf out;
    buf_init(&out, 4096);
    error_event_write(&out, &cases[5].error);
    CHECK(str_starts(buf_str(&out), VSR_STR("data: {\"error\":")), "prefix");
    CHECK(str_ends(buf_str(&out), VSR_STR("}}\n\n")), "ends a frame");
    buf_reset(&out);
    error_event_write(&out, &cases[9].error);
    CHECK(str_starts(buf_str(&out), VSR_STR("event: error\ndata: {\"type\":\"error\",")), "messages");
    buf_done(&out);
}

RUN_TESTS(T(bodies), T(event))
