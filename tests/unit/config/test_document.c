/* What loading derives: endpoints, names, defaults, references; and how long it takes. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/clock.h"
#include "fake_families.h"

enum { TEXT_LEN_MAX = 4 << 20 };

static const struct config_document *load(struct arena *arena, vsr_str text, struct diag *diag) {
    struct config_load_options options = fake_options();
    const struct config_document *doc = NULL;
    (void)config_load_text(arena, text, VSR_STR("t"), &options, &doc, diag);
    if (!doc)
        for (size_t i = 0; i < diag->n_items; i++)
            print_error("%.*s: %.*s\n", VSR_FMT(diag->items[i].path), VSR_FMT(diag->items[i].message));
    CHECK_MSG(doc != NULL, "%.*s", VSR_FMT(text));
    return doc;
}

/* ---- endpoints (config.md 6.3, 6.6) */

static const struct {
    const char *ref;
    const char *authority, *prefix, *chat, *auth_name, *auth_value, *model_id;
    int dialect, port;
    bool tls;
} endpoints[] = {
    { "endpoint: \"h:8000\"", "h:8000", "", "", "Authorization", "", "upstream", DIALECT_VLLM, 8000, false },
    { "endpoint: h, api_key: k", "h", "", "", "Authorization", "Bearer k", "upstream", DIALECT_VLLM, 80, false },
    { "endpoint: h, protocol: https", "h", "", "", "Authorization", "", "upstream", DIALECT_VLLM, 443, true },
    { "endpoint: \"h/openai\"", "h", "/openai", "", "Authorization", "", "upstream", DIALECT_VLLM, 80, false },
    { "endpoint: h, api_key_env: KEY", "h", "", "", "Authorization", "Bearer sk-hidden-1", "upstream", DIALECT_VLLM, 80,
      false },
    { "endpoint: h, api_key: own, api_key_env: KEY", "h", "", "", "Authorization", "Bearer own", "upstream",
      DIALECT_VLLM, 80, false },
    { "endpoint: h, api_key: \"${EMPTY}\", api_key_env: KEY", "h", "", "", "Authorization", "Bearer sk-hidden-1",
      "upstream", DIALECT_VLLM, 80, false },
    { "base_url: \"https://h/v1\"", "h", "/v1", "", "Authorization", "", "upstream", DIALECT_GENERIC, 443, true },
    { "base_url: \"http://h:81\"", "h:81", "", "", "Authorization", "", "upstream", DIALECT_GENERIC, 81, false },
    { "provider: openai, base_url: \"https://api.openai.com/v1\", api_key: k", "api.openai.com", "/v1",
      "/v1/chat/completions", "Authorization", "Bearer k", "upstream", DIALECT_OPENAI, 443, true },
    { "provider: openai, base_url: \"https://API.OpenAI.com/v1/\"", "api.openai.com", "/v1", "/v1/chat/completions",
      "Authorization", "", "upstream", DIALECT_OPENAI, 443, true },
    { "provider: openai, base_url: \"https://api.deepseek.com\"", "api.deepseek.com", "", "/chat/completions",
      "Authorization", "", "upstream", DIALECT_DEEPSEEK, 443, true },
    { "provider: openai, base_url: \"https://openrouter.ai/api/v1\"", "openrouter.ai", "/api/v1",
      "/api/v1/chat/completions", "Authorization", "", "upstream", DIALECT_OPENROUTER, 443, true },
    { "base_url: \"https://api.openai.com/v1\"", "api.openai.com", "/v1", "", "Authorization", "", "upstream",
      DIALECT_GENERIC, 443, true },
    { "provider: openai, base_url: \"https://eu.api.openai.com/v1\"", "eu.api.openai.com", "/v1",
      "/v1/chat/completions", "Authorization", "", "upstream", DIALECT_GENERIC, 443, true },
    { "provider: openai, endpoint: \"https://api.openai.com/v1\"", "api.openai.com", "/v1", "/v1/chat/completions",
      "Authorization", "", "upstream", DIALECT_OPENAI, 443, true },
    { "provider: azure-openai, base_url: \"https://a/openai/deployments/d\", api_version: 2024-06-01, api_key: k", "a",
      "/openai/deployments/d", "/openai/deployments/d/chat/completions?api-version=2024-06-01", "api-key", "k",
      "upstream", DIALECT_GENERIC, 443, true },
    { "provider: azure-openai, base_url: \"https://a\", api_version: v, chat_path: /x", "a", "", "/x?api-version=v",
      "api-key", "", "upstream", DIALECT_GENERIC, 443, true },
    { "provider: azure-openai, base_url: \"https://a\", api_version: v, chat_path: \"/x?y=z\"", "a", "",
      "/x?y=z&api-version=v", "api-key", "", "upstream", DIALECT_GENERIC, 443, true },
    { "provider: azure-openai, base_url: \"https://a\"", "a", "", "/chat/completions", "api-key", "", "upstream",
      DIALECT_GENERIC, 443, true },
    { "provider: minimax, base_url: \"https://m\"", "m", "", "/v1/chat/completions", "Authorization", "", "upstream",
      DIALECT_GENERIC, 443, true },
    { "provider: gemini, base_url: \"https://g/v1beta/openai/\", api_key: k", "g", "/v1beta/openai",
      "/v1beta/openai/chat/completions", "Authorization", "Bearer k", "upstream", DIALECT_GENERIC, 443, true },
    { "endpoint: h, auth_header: X-Key, api_key: k", "h", "", "", "X-Key", "Bearer k", "upstream", DIALECT_GENERIC, 80,
      false },
    { "endpoint: h, auth_prefix: \"\", api_key: k", "h", "", "", "Authorization", "k", "upstream", DIALECT_GENERIC, 80,
      false },
    { "endpoint: h, auth_prefix: Token, api_key: k", "h", "", "", "Authorization", "Token k", "upstream",
      DIALECT_GENERIC, 80, false },
    { "endpoint: h, chat_path: /chat", "h", "", "/chat", "Authorization", "", "upstream", DIALECT_GENERIC, 80, false },
    { "endpoint: h, extra_headers: {x-a: b}", "h", "", "", "Authorization", "", "upstream", DIALECT_GENERIC, 80,
      false },
    { "endpoint: \"h:80\", base_url: \"https://b\"", "b", "", "", "Authorization", "", "upstream", DIALECT_GENERIC, 443,
      true },
    { "endpoint: \"[::1]:80\"", "[::1]", "", "", "Authorization", "", "upstream", DIALECT_VLLM, 80, false },
    { "endpoint: h, type: sglang", "h", "", "", "Authorization", "", "by-type", DIALECT_VLLM, 80, false },
    { "endpoint: h, provider: bedrock", "h", "", "/chat/completions", "Authorization", "", "by-provider",
      DIALECT_GENERIC, 80, false },
};

TEST(endpoints_derived) {
    for (size_t i = 0; i < VSR_COUNT(endpoints); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        vsr_str text = arena_printf(arena,
                                    "version: v0.3\nrouting: {modelCards: [{name: m}]}\nproviders:\n  models:\n"
                                    "    - name: m\n      provider_model_id: upstream\n"
                                    "      external_model_ids: {sglang: by-type, bedrock: by-provider}\n"
                                    "      backend_refs: [{%s}]\n",
                                    endpoints[i].ref);
        const struct config_document *doc = load(arena, text, &diag);
        const struct config_provider_model *model = config_provider_model(doc, VSR_STR("m"));
        const struct config_backend_ref *ref = model->backend_refs.items;
        const char *name = endpoints[i].ref;
        CHECK_STR(ref->authority, endpoints[i].authority, name);
        CHECK_STR(ref->path_prefix, endpoints[i].prefix, name);
        CHECK_STR(ref->chat_full_path, endpoints[i].chat, name);
        CHECK_STR(ref->auth_name, endpoints[i].auth_name, name);
        CHECK_STR(ref->auth_value, endpoints[i].auth_value, name);
        CHECK_STR(ref->model_id, endpoints[i].model_id, name);
        CHECK_STR(ref->name, "primary", name);
        CHECK_INT(ref->dialect, endpoints[i].dialect, name);
        CHECK_INT(ref->port, endpoints[i].port, name);
        CHECK_INT(ref->tls, endpoints[i].tls, name);
        CHECK_INT(ref->profiled, ref->dialect != DIALECT_VLLM, name);
        CHECK_INT(ref->weight, 1, name);
        CHECK_INT(diag.n_warnings, 0, name);
        arena_free(arena);
    }
}

static const struct {
    const char *ref;
    bool wants_key;
    const char *source, *prefix;
} keys[] = {
    { "endpoint: h", false, "api_key", "Bearer" },
    { "endpoint: h, api_key: ~, api_key_env: ~", false, "api_key", "Bearer" },
    { "endpoint: h, api_key: k", true, "api_key", "Bearer" },
    { "endpoint: h, api_key: \"\"", true, "api_key", "Bearer" },
    { "endpoint: h, api_key: \"${NONE}\"", true, "${NONE}", "Bearer" },
    { "endpoint: h, api_key: \"${NONE:-}\"", true, "${NONE:-}", "Bearer" },
    { "endpoint: h, api_key: \"${NONE:-k}\"", true, "api_key", "Bearer" },
    { "endpoint: h, api_key: \"k${NONE}\"", true, "api_key", "Bearer" },
    { "endpoint: h, api_key_env: NONE", true, "NONE", "Bearer" },
    { "endpoint: h, api_key: \"${NONE}\", api_key_env: KEY", true, "KEY", "Bearer" },
    { "endpoint: h, provider: azure-openai", false, "api_key", "" },
    { "endpoint: h, provider: gemini", false, "api_key", "Bearer" },
    { "endpoint: h, provider: azure-openai, auth_prefix: Token", false, "api_key", "Token" },
    { "endpoint: h, auth_prefix: \"\"", false, "api_key", "" },
};

TEST(keys_derived) {
    for (size_t i = 0; i < VSR_COUNT(keys); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        vsr_str text = arena_printf(arena,
                                    "version: v0.3\nrouting: {modelCards: [{name: m}]}\n"
                                    "providers: {models: [{name: m, backend_refs: [{%s}]}]}\n",
                                    keys[i].ref);
        const struct config_provider_model *model = config_provider_model(load(arena, text, &diag), VSR_STR("m"));
        const struct config_backend_ref *ref = model->backend_refs.items;
        CHECK_INT(ref->wants_key, keys[i].wants_key, keys[i].ref);
        CHECK_STR(ref->key_source, keys[i].source, keys[i].ref);
        CHECK_STR(ref->key_prefix, keys[i].prefix, keys[i].ref);
        arena_free(arena);
    }
}

static const struct {
    const char *model, *want;
} model_ids[] = {
    { "provider_model_id: p", "p" },
    { "pricing: {}", "m" },
    { "external_model_ids: {vllm: v}", "v" },
    { "external_model_ids: {vllm: v, default: d}, provider_model_id: p", "v" },
    { "external_model_ids: {openai: o, default: d}, provider_model_id: p", "d" },
    { "external_model_ids: {openai: o}, provider_model_id: p", "p" },
    { "external_model_ids: {vllm: \"\", default: d}", "d" },
    { "external_model_ids: {openai: o}", "m" },
};

TEST(model_ids_derived) {
    for (size_t i = 0; i < VSR_COUNT(model_ids); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        vsr_str text = arena_printf(arena,
                                    "version: v0.3\nrouting: {modelCards: [{name: m}]}\n"
                                    "providers: {models: [{name: m, backend_refs: [{endpoint: h}], %s}]}\n",
                                    model_ids[i].model);
        const struct config_provider_model *model = config_provider_model(load(arena, text, &diag), VSR_STR("m"));
        CHECK_STR(((const struct config_backend_ref *)model->backend_refs.items)->model_id, model_ids[i].want,
                  model_ids[i].model);
        arena_free(arena);
    }
}

/* ---- retry_on */

static const struct {
    const char *reliability;
    unsigned mask;
    int status; /* one that must be set; 0: none is */
} retries[] = {
    { "{}", 0, 0 },
    { "{retry_count: 2}", RETRY_CONNECT_FAILURE, 0 },
    { "{retry_count: 2, retry_on: \" \"}", RETRY_CONNECT_FAILURE, 0 },
    { "{retry_on: refused-stream}", RETRY_CONNECT_FAILURE, 0 },
    { "{retry_on: reset}", RETRY_RESET, 0 },
    { "{retry_on: \"reset , gateway-error,\"}", RETRY_RESET | RETRY_GATEWAY_ERROR, 0 },
    { "{retry_on: 5xx}", RETRY_5XX | RETRY_GATEWAY_ERROR | RETRY_CONNECT_FAILURE | RETRY_RESET, 0 },
    { "{retry_on: retriable-4xx}", RETRY_RETRIABLE_4XX, 0 },
    { "{retry_on: 429}", 0, 429 },
    { "{retry_on: \"100,599,reset\"}", RETRY_RESET, 599 },
};

TEST(retry_on_parsed) {
    for (size_t i = 0; i < VSR_COUNT(retries); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        uint64_t any = 0;
        vsr_str text =
            arena_printf(arena,
                         "version: v0.3\nrouting: {modelCards: [{name: m}]}\n"
                         "providers: {models: [{name: m, backend_refs: [{endpoint: h}], reliability: %s}]}\n",
                         retries[i].reliability);
        const struct config_provider_model *model = config_provider_model(load(arena, text, &diag), VSR_STR("m"));
        const struct config_reliability *reliability = &model->reliability;
        for (size_t w = 0; w < VSR_COUNT(reliability->retry_status); w++)
            any |= reliability->retry_status[w];
        CHECK_INT(reliability->retry_mask, retries[i].mask, retries[i].reliability);
        CHECK_INT(any != 0, retries[i].status != 0, retries[i].reliability);
        if (retries[i].status)
            CHECK(reliability->retry_status[retries[i].status / 64] >> (retries[i].status % 64) & 1,
                  retries[i].reliability);
        arena_free(arena);
    }
}

/* ---- defaults of the whole */

TEST(defaults) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc = load(arena, VSR_STR("version: v0.3\nrouting: {}\n"), &diag);
    const struct config_listener *listener = doc->listeners.items;
    const struct config_router *router = &doc->global.router;
    CHECK_INT(doc->listeners.n, 1, "listeners");
    CHECK_STR(listener->name, "listener_0", "listener");
    CHECK_STR(listener->address, "0.0.0.0", "listener");
    CHECK_INT(listener->port, 8899, "listener");
    CHECK_INT(listener->timeout_ms, 300000, "listener");
    CHECK_INT(listener->tokens.n, 0, "listener");
    CHECK(!doc->has_providers, "providers");
    CHECK_STR(doc->providers.defaults.default_reasoning_effort, "medium", "effort");
    CHECK_INT(doc->routing.strategy, STRATEGY_PRIORITY, "strategy");
    CHECK(!doc->routing.untiered_first, "untiered");
    CHECK(!router->has_auto_model_names, "aliases");
    CHECK_INT(router->auto_model_names.n, 3, "aliases");
    CHECK_STR(router->auto_model_names.items[0], "vllm-sr/auto", "aliases");
    CHECK_STR(router->auto_model_names.items[1], "auto", "aliases");
    CHECK_STR(router->auto_model_names.items[2], "MoM", "aliases");
    CHECK_INT(router->streamed_body.max_bytes, 67108864, "body");
    CHECK_INT(router->streamed_body.timeout_sec, 60, "body");
    CHECK_INT(router->signal_window_chars, 2048, "window");
    CHECK(router->context_estimate.structured_bytes_per_token == 3.0, "estimate");
    CHECK_STR(doc->global.services.authz.identity.user_id_header, "x-authz-user-id", "authz");
    CHECK_INT(diag.n_items, 0, "silent");
    arena_free(arena);
}

static const struct {
    const char *routing, *router;
    int want;
} strategies[] = {
    { "{}", "{}", STRATEGY_PRIORITY },
    { "{}", "{strategy: confidence}", STRATEGY_CONFIDENCE },
    { "{strategy: priority}", "{strategy: confidence}", STRATEGY_PRIORITY },
    { "{strategy: confidence}", "{}", STRATEGY_CONFIDENCE },
    { "{strategy: \"\"}", "{strategy: confidence}", STRATEGY_CONFIDENCE },
};

TEST(strategy_inherited) {
    for (size_t i = 0; i < VSR_COUNT(strategies); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        vsr_str text = arena_printf(arena, "version: v0.3\nrouting: %s\nglobal: {router: %s}\n", strategies[i].routing,
                                    strategies[i].router);
        CHECK_INT(load(arena, text, &diag)->routing.strategy, strategies[i].want, text.ptr);
        arena_free(arena);
    }
}

static const struct {
    const char *router, *want; /* names joined by a bar */
    bool written;
} aliases[] = {
    { "{}", "vllm-sr/auto|auto|MoM", false },
    { "{auto_model_name: best}", "vllm-sr/auto|auto|best", false },
    { "{auto_model_name: auto}", "vllm-sr/auto|auto", false },
    { "{auto_model_name: \"\"}", "vllm-sr/auto|auto", false },
    { "{auto_model_names: []}", "", true },
    { "{auto_model_names: ~}", "vllm-sr/auto|auto|MoM", false },
    { "{auto_model_names: [a, \" b \", a, \"\", c]}", "a|b|c", true },
    { "{auto_model_names: [\"$EMPTY\"], auto_model_name: x}", "", true },
};

TEST(aliases_derived) {
    for (size_t i = 0; i < VSR_COUNT(aliases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        vsr_str text = arena_printf(arena, "version: v0.3\nglobal: {router: %s}\n", aliases[i].router), joined = { 0 };
        const struct config_router *router = &load(arena, text, &diag)->global.router;
        for (size_t n = 0; n < router->auto_model_names.n; n++)
            joined = arena_printf(arena, "%.*s%s%.*s", VSR_FMT(joined), n ? "|" : "",
                                  VSR_FMT(router->auto_model_names.items[n]));
        CHECK_STR(joined, aliases[i].want, aliases[i].router);
        CHECK_INT(router->has_auto_model_names, aliases[i].written, aliases[i].router);
        arena_free(arena);
    }
}

/* ---- references */

static const char references[] =
    "version: v0.3\n"
    "listeners: [{name: l, address: \"::\", port: 1, api_keys: [a, \"${NONE}\"], api_key_envs: [KEY, NONE]}]\n"
    "providers:\n"
    "  defaults: {default_model: sql, reasoning_families: {q: {type: chat_template_kwargs, parameter: thinking}}}\n"
    "  models:\n"
    "    - {name: base, reasoning_family: q, pricing: {prompt_per_1m: 1, cache_write_per_1m: 0},\n"
    "       backend_refs: [{endpoint: a}, {endpoint: b, weight: 0}, {name: z, endpoint: c}]}\n"
    "routing:\n"
    "  modelCards: [{name: base, loras: [{name: sql}, {name: law}]}]\n"
    "  signals:\n"
    "    keywords: [{name: k, keywords: [x], predicate: {gte: 1, lt: 2}}]\n"
    "    complexity: [{name: effort}]\n"
    "    domains: [{name: math}, {name: law}]\n"
    "  projections:\n"
    "    partitions: [{name: p, semantics: exclusive, members: [math, law], default: law}]\n"
    "    scores:\n"
    "      - {name: s, inputs: [{type: Complexity, name: \"effort:hard\", weight: 1, match: 0}, {type: projection, "
    "name: t, weight: 1}]}\n"
    "      - {name: t, inputs: [{type: keyword, name: k, weight: -1, value_source: RAW}]}\n"
    "    mappings: [{name: m, source: s, outputs: [{name: low, lt: 1}, {name: high, gte: 1}]}]\n"
    "  decisions:\n"
    "    - {name: nothing, rules: {}, modelRefs: [{model: sql}, {model: base, lora_name: law, use_reasoning: true}]}\n"
    "    - {name: tree, tier: 2, rules: {operator: or, conditions: [{type: KEYWORD, name: k}, {type: projection, name: "
    "high},\n"
    "       {operator: NOT, conditions: [{type: complexity, name: \"effort:easy\"}]}]}, algorithm: {type: static}}\n";

TEST(references_resolved) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc = load(arena, str_from_c(references), &diag);
    const struct config_listener *listener = doc->listeners.items;
    const struct config_model_card *card = config_card(doc, VSR_STR("base"));
    const struct config_provider_model *model = config_provider_model(doc, VSR_STR("base"));
    const struct config_backend_ref *refs = model->backend_refs.items;
    const struct config_decision *decisions = doc->routing.decisions.items;
    const struct config_model_ref *models = decisions[0].model_refs.items;
    const struct config_rule *leaves = decisions[1].rules->conditions.items;
    const struct config_score *scores = doc->routing.projections.scores.items;
    const struct config_score_input *inputs = scores[0].inputs.items;
    const struct config_mapping *mapping = doc->routing.projections.mappings.items;
    const struct config_partition *partition = doc->routing.projections.partitions.items;
    const struct fake_rule *keyword = doc->routing.signals.rules[0].items;
    CHECK_INT(listener->tokens.n, 4, "tokens");
    CHECK_STR(listener->tokens.items[0], "a", "token");
    CHECK_STR(listener->tokens.items[1], "", "unset token");
    CHECK_STR(listener->tokens.items[2], "sk-hidden-1", "token of a variable");
    CHECK_STR(listener->tokens.items[3], "", "token of an unset variable");
    CHECK(card && card->provider == model, "card");
    CHECK(!config_card(doc, VSR_STR("sql")) && !config_provider_model(doc, VSR_STR("x")), "absent");
    CHECK(model->family && model->family->type == REASONING_CHAT_TEMPLATE_KWARGS, "family");
    CHECK(model->pricing->has_cache_write && !model->pricing->has_cached_input, "pricing");
    CHECK_STR(model->pricing->currency, "USD", "pricing");
    CHECK_STR(refs[1].name, "backend-2", "endpoint name");
    CHECK_STR(refs[2].name, "z", "endpoint name");
    CHECK_STR(refs[0].type, "vllm", "endpoint type");
    CHECK_INT(refs[1].weight, 0, "drained");
    CHECK(decisions[0].rules == NULL, "empty rules are none");
    CHECK(models[0].card == card && models[0].provider == model, "LoRA as model");
    CHECK_STR(models[0].lora_name, "sql", "LoRA as model");
    CHECK(models[1].use_reasoning && !models[0].use_reasoning, "reasoning");
    CHECK_INT(decisions[1].rules->op, OPERATOR_OR, "operator");
    CHECK_INT(leaves[0].family, 0, "family");
    CHECK_STR(leaves[0].type, "KEYWORD", "type as written");
    CHECK_INT(leaves[1].family, CONFIG_PROJECTION, "family");
    CHECK_INT(leaves[2].op, OPERATOR_NOT, "operator");
    CHECK_STR(inputs[0].type, "complexity", "lower case");
    CHECK_INT(inputs[0].family, 3, "family");
    CHECK(inputs[0].match == 0 && inputs[1].match == 1 && inputs[1].miss == 0, "match and miss");
    CHECK_INT(inputs[1].family, CONFIG_PROJECTION, "family");
    CHECK_INT(((const struct config_score_input *)scores[1].inputs.items)->value_source, VALUE_SOURCE_RAW, "source");
    CHECK_INT(((const struct config_mapping_output *)mapping->outputs.items)[1].bounds, BOUND_GTE, "bounds");
    CHECK_INT(keyword->predicate->bounds, BOUND_GTE | BOUND_LT, "bounds");
    CHECK_INT(partition->family, 1, "family");
    CHECK(schema_present(&fake_schema, keyword, "predicate") && !schema_present(&fake_schema, keyword, "method"),
          "present");
    CHECK_INT(schema_field_at(&fake_schema, keyword, "name", arena).line, 11, "line");
    arena_free(arena);
}

/* ---- speed */

static void big_document(struct buf *out, size_t n_decisions, size_t n_rules) {
    buf_append_c(out, "version: v0.3\nproviders:\n  defaults: {default_model: m0}\n  models:\n");
    for (size_t i = 0; i < 20; i++)
        buf_printf(out, "    - {name: m%zu, backend_refs: [{endpoint: \"10.0.0.%zu:8000\"}]}\n", i, i);
    buf_append_c(out, "routing:\n  modelCards:\n");
    for (size_t i = 0; i < 20; i++)
        buf_printf(out, "    - {name: m%zu}\n", i);
    buf_append_c(out, "  signals:\n    keywords:\n");
    for (size_t i = 0; i < n_rules; i++)
        buf_printf(out,
                   "      - name: keyword_%zu\n        keywords: [\"alpha %zu\", \"beta %zu\", \"gamma %zu\", delta, "
                   "epsilon]\n",
                   i, i, i, i);
    buf_append_c(out, "  decisions:\n");
    for (size_t i = 0; i < n_decisions; i++)
        buf_printf(
            out,
            "    - name: decision_%zu\n      priority: %zu\n      rules:\n        operator: AND\n        conditions:\n"
            "          - {type: keyword, name: keyword_%zu}\n          - operator: NOT\n            conditions:\n"
            "              - {type: keyword, name: keyword_%zu}\n          - {type: keyword, name: keyword_%zu}\n"
            "      modelRefs: [{model: m%zu}]\n",
            i, i, i % n_rules, (i * 7) % n_rules, (i * 13) % n_rules, i % 20);
}

TEST(loads_fast) {
    const uint64_t limit_ms = 2000; /* generous: sanitizers and busy machines. Prints what it took */
    struct buf text;
    uint64_t best = UINT64_MAX;
    buf_init(&text, TEXT_LEN_MAX);
    big_document(&text, 1000, 200);
    for (int run = 0; run < 3; run++) {
        struct arena *arena = arena_new(1 << 20, 0);
        struct diag diag;
        uint64_t start = clock_mono_ns();
        load(arena, buf_str(&text), &diag);
        if (clock_mono_ns() - start < best)
            best = clock_mono_ns() - start;
        if (run == 0)
            print_message("%zu bytes of text, %zu bytes of arena\n", text.len, arena_bytes(arena));
        arena_free(arena);
    }
    print_message("1,000 decisions and 200 keyword rules load in %.1f ms\n", (double)best / 1e6);
    CHECK(best / 1000000 < limit_ms, "time");
    buf_done(&text);
}

/* ---- files */

static vsr_str load_file(struct arena *arena, const char *path, struct diag *diag, int *ret_rc) {
    struct config_load_options options = fake_options();
    const struct config_document *doc = NULL;
    struct buf out;
    vsr_str text;
    *ret_rc = config_load_file(arena, path, &options, &doc, diag);
    CHECK((*ret_rc == 0) == (doc != NULL), path);
    buf_init(&out, TEXT_LEN_MAX);
    diag_print(diag, &out, false);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static void write_file(const char *path, const char *text, mode_t mode) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL, path);
    fputs(text, file);
    fclose(file);
    CHECK_INT(chmod(path, mode), 0, path);
}

TEST(files) {
    static const char secret[] =
        "version: v0.3\nrouting: {modelCards: [{name: m}]}\nproviders: {models: [{name: m, backend_refs: "
        "[{endpoint: h, api_key: sk-1}]}]}\n";
    struct arena *arena = arena_new(0, 0);
    char dir[] = "/tmp/vsr-config-XXXXXX", path[64], link[64];
    struct diag diag;
    int rc;
    vsr_str text;
    CHECK(mkdtemp(dir) != NULL, "folder");
    snprintf(path, sizeof(path), "%s/a.yaml", dir);
    snprintf(link, sizeof(link), "%s/b.yaml", dir);
    write_file(path, secret, 0644);
    CHECK_INT(symlink(path, link), 0, "link");
    text = load_file(arena, link, &diag, &rc);
    CHECK_INT(rc, 0, "link");
    CHECK(str_find(text, VSR_STR("b.yaml:3:")) >= 0 && str_find(text, VSR_STR("warning[W_SECRET]")) > 0,
          "readable by others");
    CHECK(str_find(text, VSR_STR("sk-1")) < 0, "secret");
    write_file(path, secret, 0600);
    CHECK_INT(load_file(arena, path, &diag, &rc).len, 0, "readable by its owner");
    write_file(
        path,
        "version: v0.3\nrouting: {modelCards: [{name: m}]}\nproviders: {models: [{name: m, backend_refs: [{endpoint: "
        "h, api_key: $KEY}]}]}\n",
        0644);
    CHECK_INT(load_file(arena, path, &diag, &rc).len, 0, "a reference is no secret");
    unlink(path);
    CHECK(str_find(load_file(arena, path, &diag, &rc), VSR_STR("error[E_IO] cannot find")) > 0 && rc < 0, "absent");
    CHECK(load_file(arena, link, &diag, &rc).len > 0 && rc < 0, "dangling link");
    CHECK(str_find(load_file(arena, dir, &diag, &rc), VSR_STR("error[E_IO] cannot read")) > 0 && rc < 0, "folder");
    unlink(link);
    rmdir(dir);
    arena_free(arena);
}

/* A device that never ends is read up to the limit. */
TEST(endless_file) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    int rc;
    load_file(arena, "/dev/zero", &diag, &rc);
    CHECK(rc < 0, "endless");
    arena_free(arena);
}

RUN_TESTS(T(endpoints_derived), T(keys_derived), T(model_ids_derived), T(retry_on_parsed), T(defaults),
          T(strategy_inherited), T(aliases_derived), T(references_resolved), T(loads_fast), T(files), T(endless_file))
