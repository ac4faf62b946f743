#include "serve/endpoints.h"

#include "test.h"

static const struct {
    const char *path;
    enum endpoint_kind want;
    const char *id;
    enum protocol protocol;
} paths[] = {
    { "/v1/chat/completions", ENDPOINT_CHAT, "", PROTOCOL_CHAT },
    { "/v1/chat/completions/x", ENDPOINT_NONE, "", PROTOCOL_CHAT },
    { "/v1/messages", ENDPOINT_MESSAGES, "", PROTOCOL_MESSAGES },
    { "/v1/messages/count_tokens", ENDPOINT_COUNT_TOKENS, "", PROTOCOL_MESSAGES },
    { "/v1/messages/batches", ENDPOINT_NONE, "", PROTOCOL_MESSAGES },
    { "/v1/messagesx", ENDPOINT_NONE, "", PROTOCOL_CHAT },
    { "/v1/responses", ENDPOINT_RESPONSES, "", PROTOCOL_RESPONSES },
    { "/v1/responses/resp_1", ENDPOINT_RESPONSE, "resp_1", PROTOCOL_RESPONSES },
    { "/v1/responses/resp_", ENDPOINT_RESPONSE, "resp_", PROTOCOL_RESPONSES },
    { "/v1/responses/msg_1", ENDPOINT_NONE, "", PROTOCOL_CHAT },
    { "/v1/responses/resp_1/input_items", ENDPOINT_RESPONSE_ITEMS, "resp_1", PROTOCOL_RESPONSES },
    { "/v1/responses/resp_1/cancel", ENDPOINT_RESPONSE_CANCEL, "resp_1", PROTOCOL_RESPONSES },
    { "/v1/responses/resp_1/other", ENDPOINT_NONE, "", PROTOCOL_CHAT },
    { "/v1/responses/resp_1/x/cancel", ENDPOINT_NONE, "", PROTOCOL_CHAT },
    { "/v1/responses/cancel", ENDPOINT_NONE, "", PROTOCOL_CHAT },
    { "/v1/completions", ENDPOINT_COMPLETIONS, "", PROTOCOL_COMPLETIONS },
    { "/v1/embeddings", ENDPOINT_EMBEDDINGS, "", PROTOCOL_EMBEDDINGS },
    { "/v1/images/generations", ENDPOINT_IMAGES, "", PROTOCOL_IMAGES },
    { "/v1/models", ENDPOINT_MODELS, "", PROTOCOL_CHAT },
    { "/v1/models/", ENDPOINT_NONE, "", PROTOCOL_CHAT },
    { "/v1/models/vendor/m", ENDPOINT_MODEL, "vendor/m", PROTOCOL_CHAT },
    { "/v1/router_replay", ENDPOINT_NONE, "", PROTOCOL_CHAT },
    { "/health", ENDPOINT_HEALTH, "", PROTOCOL_CHAT },
    { "/ready", ENDPOINT_READY, "", PROTOCOL_CHAT },
    { "/", ENDPOINT_NONE, "", PROTOCOL_CHAT },
    { "", ENDPOINT_NONE, "", PROTOCOL_CHAT },
};

TEST(find) {
    for (size_t i = 0; i < VSR_COUNT(paths); i++) {
        vsr_str path = str_from_c(paths[i].path), id;
        const struct endpoint_row *row = endpoints_find(path, &id);
        CHECK_INT(row ? row->kind : ENDPOINT_NONE, paths[i].want, paths[i].path);
        CHECK_STR(row ? id : VSR_STR(""), paths[i].id, paths[i].path);
        CHECK_INT(row ? row->protocol : endpoints_protocol(path), paths[i].protocol, paths[i].path);
    }
}

static const struct {
    const char *target, *origin, *path;
} targets[] = {
    { "/v1/x", "/v1/x", "/v1/x" },
    { "/v1/x/?y=/", "/v1/x/?y=/", "/v1/x" },
    { "/v1/x//", "/v1/x//", "/v1/x/" },
    { "/", "/", "/" },
    { "http://h/v1/x?y", "/v1/x?y", "/v1/x" },
    { "http://h", "/", "/" },
    { "/?u=http://h/", "/?u=http://h/", "/" },
    { "*", "*", "*" },
};

TEST(target) {
    for (size_t i = 0; i < VSR_COUNT(targets); i++) {
        vsr_str origin = endpoints_origin(str_from_c(targets[i].target));
        CHECK_STR(origin, targets[i].origin, targets[i].target);
        CHECK_STR(endpoints_path(origin), targets[i].path, targets[i].target);
    }
}

TEST(allow) {
    vsr_str id;
    CHECK_STR(endpoints_allow(endpoints_find(VSR_STR("/v1/models"), &id)), "GET, HEAD", "get");
    CHECK_STR(endpoints_allow(endpoints_find(VSR_STR("/v1/messages"), &id)), "POST", "post");
    CHECK_STR(endpoints_allow(endpoints_find(VSR_STR("/v1/responses/resp_1"), &id)), "GET, HEAD, DELETE", "delete");
    CHECK_INT(endpoints_method(VSR_STR("HEAD")), ENDPOINT_GET, "head");
    CHECK_INT(endpoints_method(VSR_STR("PUT")), 0, "put");
}

static const struct {
    const char *path, *want;
} mistaken[] = {
    { "/chat/completions", "/v1/chat/completions" },
    { "/v1/v1/messages", "/v1/messages" },
    { "/v1/chat/completion", "/v1/chat/completions" },
    { "/v1/respones", "/v1/responses" },
    { "/models", "/v1/models" },
    { "/v1", "" },
    { "/", "" },
    { "", "" },
    { "/v1/router_replay", "" },
    { "/v1/audio/speech", "" },
    { "/v1/chat/completions/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/v1/models", "" },
};

TEST(suggest) {
    for (size_t i = 0; i < VSR_COUNT(mistaken); i++)
        CHECK_STR(endpoints_suggest(str_from_c(mistaken[i].path)), mistaken[i].want, mistaken[i].path);
}

RUN_TESTS(T(find), T(target), T(allow), T(suggest))
