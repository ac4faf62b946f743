/* Which blocks ask for what this build does not do, and which do not. */
#include "test.h"

#include "config/features.h"
#include "config/load.h"
#include "core/arena.h"
#include "core/buf.h"
#include "fake_families.h"

enum { TEXT_LEN_MAX = 1 << 16 };

static void collect(void *data, struct diag_at at, const char *feature, bool unsafe) {
    struct buf *out = data;
    CHECK(feature && *feature, "says what");
    CHECK(at.line > 0, feature);
    buf_printf(out, "%s%.*s%s", out->len ? " " : "", VSR_FMT(at.path), unsafe ? "!" : "");
}

#define MODEL "routing: {modelCards: [{name: m}]}\nproviders: {models: [{name: m, "
#define GLOBAL "routing: {}\nglobal: {"

static const struct {
    const char *yaml, *want;
} cases[] = {
    { "routing: {}\n", "" },
    { GLOBAL "}", "" },
    { MODEL "backend_refs: [{endpoint: h}]}]}", "" },
    { "routing: {}\nlisteners: [{name: l, address: 127.0.0.1, port: 1, tls: {cert_file: c, key_file: k}}]", "" },
    { MODEL "api_format: anthropic}]}", "" },
    { MODEL "api_format: openai-responses}]}", "" },
    { MODEL "backend_refs: [{endpoint: h, proxy: \"http://p:1\"}]}]}", "" },
    { MODEL "reliability: {hedge: {after: 1s}}}]}", "" },
    { MODEL "reliability: {slow_start: 5s}}]}", "" },
    { MODEL "reliability: {slow_start: 0s}}]}", "" },
    { MODEL "reliability: {circuit: {max_requests: 5}}}]}", "" },
    { GLOBAL "router: {admission: {max_active: 1}}}", "" },
    { GLOBAL "router: {admission: {max_queued: 1}}}", "" },
    { MODEL "api_format: openai, backend_refs: [{endpoint: h}]}]}", "" },
    { MODEL "backend_refs: [{provider: anthropic, endpoint: h}]}]}", "" },
    { MODEL "backend_refs: [{provider: anthropic, endpoint: h, chat_path: /v1/chat/completions}]}]}", "" },
    { MODEL "backend_refs: [{endpoint: h, tls: {}}]}]}", "" },
    { MODEL "backend_refs: [{endpoint: h, tls: {ca_file: f}}]}]}", "" },
    { GLOBAL "router: {config_source: kubernetes}}", "global.router.config_source" },
    { GLOBAL "router: {learning: {enabled: true}}}", "global.router.learning" },
    { GLOBAL "router: {learning: {enabled: true, adaptation: {enabled: false}}}}", "global.router.learning" },
    { GLOBAL "router: {learning: {enabled: true, adaptation: {enabled: false}, protection: {enabled: false}}}}", "" },
    { GLOBAL "router: {learning: {adaptation: {enabled: true}}}}", "" },
    { GLOBAL "router: {model_selection: {ml: {knn: {k: 3}}}}}", "" },
    { GLOBAL "router: {model_selection: {ml: {knn: {pretrained_path: p}}}}}", "global.router.model_selection.ml" },
    { GLOBAL "services: {response_api: {}}}", "" },
    { GLOBAL "services: {api: {batch_classification: {max_batch_size: 1}}}}", "global.services.api" },
    { GLOBAL "services: {observability: {metrics: {enabled: false}}}}", "global.services.observability.metrics" },
    { GLOBAL "services: {observability: {metrics: {windowed_metrics: {enabled: true}}}}}",
      "global.services.observability.metrics.windowed_metrics" },
    { GLOBAL "services: {observability: {tracing: {enabled: true}}}}", "global.services.observability.tracing" },
    { GLOBAL "services: {observability: {tracing: {sampling: {rate: 0.1}}}}}", "" },
    { GLOBAL "services: {authz: {providers: [{type: header-injection}]}}}", "" },
    { GLOBAL "services: {ratelimit: {fail_open: true}}}", "" },
    { GLOBAL "services: {ratelimit: {providers: [{type: local-limiter, rules: [{name: r, requests_per_unit: 1}]}]}}}",
      "" },
    { GLOBAL "services: {ratelimit: {providers: [{type: redis-limiter, redis: {address: 'h:1'}, rules: [{name: r, "
             "requests_per_unit: 1}]}]}}}",
      "" },
    { GLOBAL "services: {ratelimit: {providers: [{type: envoy-ratelimit, address: 'h:1'}]}}}",
      "global.services.ratelimit.providers[0]!" },
    { GLOBAL "services: {management_api: {port: 1}}}", "" },
    { GLOBAL "services: {management_api: {auth: {mode: bearer, tokens: [{env: KEY, role: admin}]}}}}", "" },
    { GLOBAL "services: {router_replay: {enabled: true}}}", "global.services.router_replay" },
    { GLOBAL "services: {router_replay: {ttl_seconds: 1}}}", "" },
    { GLOBAL "services: {startup_status: {}}}", "global.services.startup_status" },
    { GLOBAL "stores: {response_cache: {enabled: true}}}", "global.stores.response_cache" },
    { GLOBAL "stores: {response_cache: {enabled: false, backend_type: memory}}}", "" },
    { GLOBAL "stores: {response_cache: {max_entries: 5}}}", "" },
    { GLOBAL "stores: {memory: {enabled: true}}}", "global.stores.memory" },
    { GLOBAL "stores: {vector_store: {enabled: true, backend_type: memory}}}", "global.stores.vector_store" },
    { GLOBAL "stores: {vector_store: {enabled: false}}}", "" },
    { GLOBAL "integrations: {tools: {enabled: true}}}", "global.integrations.tools" },
    { GLOBAL "integrations: {looper: {endpoint: e, timeout_seconds: 5}}}", "" },
    { GLOBAL "model_catalog: {modules: {hallucination_mitigation: {enabled: true}}}}",
      "global.model_catalog.modules.hallucination_mitigation" },
    { GLOBAL "stores: {memory: {enabled: true}}, router: {config_source: kubernetes}}",
      "global.router.config_source global.stores.memory" },
};

TEST(asked_for) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_load_options options = fake_options();
        const struct config_document *doc = NULL;
        vsr_str text = arena_printf(arena, "version: v0.3\n%s\n", cases[i].yaml);
        struct diag diag;
        struct buf out;
        (void)config_load_text(arena, text, VSR_STR("t"), &options, &doc, &diag);
        CHECK_MSG(doc != NULL, "%s: %.*s", cases[i].yaml, diag.n_items ? (int)diag.items[0].message.len : 0,
                  diag.n_items ? diag.items[0].message.ptr : "");
        buf_init(&out, TEXT_LEN_MAX);
        config_features(doc, arena, collect, &out);
        CHECK_STR(buf_str(&out), cases[i].want, cases[i].yaml);
        buf_done(&out);
        arena_free(arena);
    }
}

RUN_TESTS(T(asked_for))
