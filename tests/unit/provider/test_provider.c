#include "provider/provider.h"

#include "unit/provider/fleet.h"
#include "wire/chat_reasoning.h"

TEST(names) {
    struct fleet f;
    struct provider_target target;
    struct config_lora loras[2] = { { .name = VSR_STR_INIT("l1") }, { .name = VSR_STR_INIT("n") } };
    struct config_model_card card = { .name = VSR_STR_INIT("m") };
    fleet_init(&f, NULL);
    fleet_endpoint(&f, 0, 1);
    card.provider = &f.models[0];
    card.loras = (struct config_list){ .items = loras, .n = 2 };
    f.doc.routing.model_cards = (struct config_list){ .items = &card, .n = 1 };
    fleet_build(&f, 1);
    CHECK(provider_set_find(f.set, VSR_STR("m"), &target), "model");
    CHECK(target.model == f.model && target.lora.len == 0, "model");
    CHECK(provider_set_find(f.set, VSR_STR("l1"), &target), "lora");
    CHECK(target.model == f.model, "lora goes to its base");
    CHECK_STR(provider_endpoint_model_id(f.model, &f.model->endpoints[0], target.lora), "l1", "lora goes upstream");
    CHECK(provider_set_find(f.set, VSR_STR("n"), &target) && target.lora.len == 0, "a model's name wins over a LoRA's");
    CHECK(!provider_set_find(f.set, VSR_STR("x"), &target), "unknown");
    CHECK_STR(f.model->endpoints[0].id, "m_e0", "identity");
    CHECK_INT(provider_set_count(f.set), 2, "models");
    fleet_done(&f, true);
}

static const struct {
    const char *name, *prefix, *full, *target, *want;
    enum protocol protocol;
    bool chosen; /* chat_path was written */
} paths[] = {
    { "untouched", "", "", "/v1/chat/completions", "/v1/chat/completions", PROTOCOL_CHAT, false },
    { "query kept", "", "", "/v1/chat/completions?x=1", "/v1/chat/completions?x=1", PROTOCOL_CHAT, false },
    { "prefix", "/p/q", "", "/v1/chat/completions?x=1", "/p/q/chat/completions?x=1", PROTOCOL_CHAT, false },
    { "prefix, only v1", "/p", "", "/v1", "/p", PROTOCOL_CHAT, false },
    { "never v1beta", "/p", "", "/v1beta/x", "/v1beta/x", PROTOCOL_CHAT, false },
    { "other path", "/p", "", "/other", "/other", PROTOCOL_CHAT, false },
    { "own path", "/p", "/openai/x?api-version=1", "/v1/chat/completions?x=1", "/openai/x?api-version=1", PROTOCOL_CHAT,
      true },
    { "chat of another client", "", "", "", "/v1/chat/completions", PROTOCOL_CHAT, false },
    { "chat of another client, prefix", "/p", "", "", "/p/chat/completions", PROTOCOL_CHAT, false },
    { "chat of another client, vendor", "/v1", "/v1/chat/completions", "", "/v1/chat/completions", PROTOCOL_CHAT,
      false },
    { "messages", "", "", "/v1/messages?beta=true", "/v1/messages?beta=true", PROTOCOL_MESSAGES, false },
    { "messages of a chat client", "", "", "", "/v1/messages", PROTOCOL_MESSAGES, false },
    { "messages, prefix", "/anthropic", "", "", "/anthropic/v1/messages", PROTOCOL_MESSAGES, false },
    { "messages, prefix with v1", "/a/v1", "/a/v1/v1/messages", "", "/a/v1/messages", PROTOCOL_MESSAGES, false },
    { "messages, own path", "/p", "/x/y", "/v1/messages", "/x/y", PROTOCOL_MESSAGES, true },
    { "embeddings", "", "", "/v1/embeddings", "/v1/embeddings", PROTOCOL_EMBEDDINGS, false },
    { "embeddings, vendor", "/v1", "/v1/chat/completions", "/v1/embeddings", "/v1/embeddings", PROTOCOL_EMBEDDINGS,
      false },
    { "embeddings, version", "/d/x", "/d/x/chat/completions?api-version=1", "/v1/embeddings?y=2",
      "/d/x/embeddings?api-version=1", PROTOCOL_EMBEDDINGS, false },
    { "embeddings, own chat path", "/p", "/generate", "/v1/embeddings", "/p/embeddings", PROTOCOL_EMBEDDINGS, true },
    { "embeddings, own chat path, no prefix", "", "/generate", "/v1/embeddings", "/v1/embeddings", PROTOCOL_EMBEDDINGS,
      true },
    { "completions, prefix", "/p", "", "/v1/completions", "/p/completions", PROTOCOL_COMPLETIONS, false },
    { "images, vendor", "/v1", "/v1/chat/completions", "", "/v1/images/generations", PROTOCOL_IMAGES, false },
    { "a stored response, vendor", "/v1", "/v1/chat/completions", "/v1/responses/resp_1/cancel?x=1",
      "/v1/responses/resp_1/cancel", PROTOCOL_RESPONSES, false },
    { "responses of a chat client", "/p", "", "", "/p/responses", PROTOCOL_RESPONSES, false },
};

TEST(path) {
    struct fleet f;
    fleet_init(&f, NULL);
    fleet_endpoint(&f, 0, 1);
    fleet_build(&f, 1);
    for (size_t i = 0; i < VSR_COUNT(paths); i++) {
        f.refs[0][0].path_prefix = str_from_c(paths[i].prefix);
        f.refs[0][0].chat_full_path = str_from_c(paths[i].full);
        f.refs[0][0].chat_path = str_from_c(paths[i].chosen ? paths[i].full : "");
        CHECK_STR(provider_endpoint_path(f.arena, &f.model->endpoints[0], paths[i].protocol,
                                         str_from_c(paths[i].target)),
                  paths[i].want, paths[i].name);
    }
    fleet_done(&f, true);
}

TEST(model_id_and_reasoning) {
    struct fleet f;
    struct config_reasoning_family family = { .type = REASONING_EFFORT, .parameter = VSR_STR_INIT("p") };
    struct chat_reasoning reasoning;
    fleet_init(&f, NULL);
    fleet_endpoint(&f, 0, 1);
    f.doc.providers.defaults.default_reasoning_effort = VSR_STR("low");
    fleet_build(&f, 1);
    CHECK_STR(provider_endpoint_model_id(f.model, &f.model->endpoints[0], str_make(NULL, 0)), "m", "logical name");
    f.refs[0][0].model_id = VSR_STR("vendor/m");
    CHECK_STR(provider_endpoint_model_id(f.model, &f.model->endpoints[0], str_make(NULL, 0)), "vendor/m", "own id");
    provider_endpoint_reasoning(f.model, &f.model->endpoints[0], true, VSR_STR("high"), &reasoning);
    CHECK(reasoning.family == CHAT_FAMILY_NONE, "no family");
    f.models[0].family = &family;
    f.refs[0][0].dialect = DIALECT_OPENROUTER;
    provider_endpoint_reasoning(f.model, &f.model->endpoints[0], true, VSR_STR("high"), &reasoning);
    CHECK(reasoning.family == CHAT_FAMILY_EFFORT && reasoning.dialect == CHAT_DIALECT_OPENROUTER && reasoning.on,
          "mapped");
    CHECK_STR(reasoning.parameter, "p", "parameter");
    CHECK_STR(reasoning.effort, "high", "of the decision");
    provider_endpoint_reasoning(f.model, &f.model->endpoints[0], true, VSR_STR(""), &reasoning);
    CHECK_STR(reasoning.effort, "low", "the configured default");
    fleet_done(&f, true);
}

/* What an endpoint did wrong is still known after a reload, and forgotten when no snapshot names it any more. */
TEST(state_outlives_snapshots) {
    struct fleet old, new;
    struct provider_registry *registry;
    fleet_init(&old, NULL);
    registry = old.registry;
    fleet_endpoint(&old, 0, 1);
    fleet_endpoint(&old, 0, 1);
    fleet_build(&old, 1);
    atomic_store(&old.model->endpoints[0].state->failures_total, 7);
    fleet_init(&new, registry);
    fleet_endpoint(&new, 0, 1);
    fleet_build(&new, 1);
    CHECK(new.model->endpoints[0].state == old.model->endpoints[0].state, "shared");
    CHECK(new.model->state == old.model->state, "shared");
    CHECK_INT(registry_endpoint_count(registry), 2, "both");
    fleet_done(&old, false);
    CHECK_INT(registry_endpoint_count(registry), 1, "the dropped one is gone");
    CHECK_INT(atomic_load(&new.model->endpoints[0].state->failures_total), 7, "kept");
    new.refs[0][0].port = 1;
    fleet_done(&new, true);
}

TEST(other_place_is_another_endpoint) {
    struct fleet a, b;
    fleet_init(&a, NULL);
    fleet_endpoint(&a, 0, 1);
    fleet_build(&a, 1);
    fleet_init(&b, a.registry);
    fleet_endpoint(&b, 0, 1);
    b.refs[0][0].tls = true;
    fleet_build(&b, 1);
    CHECK(a.model->endpoints[0].state != b.model->endpoints[0].state, "TLS is part of the identity");
    fleet_done(&a, false);
    fleet_done(&b, true);
}

TEST(too_many_endpoints) {
    struct fleet f;
    struct provider_options options = { .n_workers = 1 };
    struct provider_set *set;
    struct vsr_err err = VSR_ERR_NONE;
    fleet_init(&f, NULL);
    options.registry = f.registry;
    f.models[0].backend_refs.n = PROVIDER_ENDPOINTS_MAX + 1;
    CHECK_INT(provider_set_build(f.arena, &f.doc, &options, &set, &err), VSR_E_INVALID, "refused");
    fleet_done(&f, true);
}

RUN_TESTS(T(names), T(path), T(model_id_and_reasoning), T(state_outlives_snapshots), T(other_place_is_another_endpoint),
          T(too_many_endpoints))
