/* The block `global`: its defaults, what loading derives from it, keys at every level, secrets. */
#include "test.h"

#include "config/document_tables.h"
#include "config/load.h"
#include "core/arena.h"
#include "core/buf.h"
#include "fake_families.h"

enum { TEXT_LEN_MAX = 1 << 20, PATH_LEN = 1024 };

static const struct config_document *load_text(struct arena *arena, vsr_str text, struct diag *diag) {
    struct config_load_options options = fake_options();
    const struct config_document *doc = NULL;
    (void)config_load_text(arena, text, VSR_STR("t"), &options, &doc, diag);
    for (size_t i = 0; !doc && i < diag->n_items; i++)
        print_error("%.*s: %.*s\n", VSR_FMT(diag->items[i].path), VSR_FMT(diag->items[i].message));
    CHECK_MSG(doc != NULL, "%.*s", VSR_FMT(text));
    return doc;
}

/* A document with these blocks under `global`. */
static const struct config_document *load(struct arena *arena, const char *blocks, struct diag *diag) {
    return load_text(arena, arena_printf(arena, "version: v0.3\nglobal: {%s}\n", blocks), diag);
}

static vsr_str print_global(struct arena *arena, const struct config_document *doc, bool effective) {
    struct buf out;
    vsr_str text;
    buf_init(&out, TEXT_LEN_MAX);
    schema_print(&config_global_schema, &doc->global, 0, effective, &out);
    text = arena_str(arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* ---- defaults (config.md 9) */

/* A list prints as its entries, one space between them. */
static const struct {
    const char *path, *value;
} defaults[] = {
    { "router.config_source", "file" },
    { "router.auto_model_name", "MoM" },
    { "router.include_config_models_in_list", "false" },
    { "router.clear_route_cache", "true" },
    { "router.streamed_body.enabled", "false" },
    { "router.streamed_body.max_bytes", "67108864" },
    { "router.streamed_body.timeout_sec", "60" },
    { "router.skip_processing.enabled", "false" },
    { "router.model_selection.enabled", "true" },
    { "router.model_selection.method", "knn" },
    { "router.model_selection.router_dc.temperature", "0.07" },
    { "router.model_selection.router_dc.dimension_size", "768" },
    { "router.model_selection.router_dc.min_similarity", "0.3" },
    { "router.model_selection.router_dc.use_capabilities", "true" },
    { "router.model_selection.automix.verification_threshold", "0.7" },
    { "router.model_selection.automix.discount_factor", "0.95" },
    { "router.model_selection.hybrid.experience_weight", "0.3" },
    { "router.model_selection.hybrid.cost_weight", "0.2" },
    { "router.model_selection.hybrid.quality_gap_threshold", "0.1" },
    { "router.model_selection.hybrid.normalize_scores", "true" },
    { "router.learning.enabled", "false" },
    { "router.learning.adaptation.enabled", "true" },
    { "router.learning.adaptation.candidate_set", "decision" },
    { "router.learning.adaptation.strategy", "routing_sampling" },
    { "router.learning.protection.enabled", "true" },
    { "router.learning.protection.scope", "conversation" },
    { "router.learning.protection.identity.headers.session", "x-session-id" },
    { "router.learning.protection.identity.headers.conversation", "x-conversation-id" },
    { "router.learning.protection.tuning.idle_timeout_seconds", "300" },
    { "router.learning.protection.tuning.min_turns_before_switch", "1" },
    { "router.learning.protection.tuning.switch_margin", "0.05" },
    { "router.learning.protection.tuning.stability_weight", "1" },
    { "router.learning.state_store.backend", "local" },
    { "router.learning.state_store.ttl_seconds", "86400" },
    { "router.learning.state_store.timeout_ms", "50" },
    { "router.learning.state_store.redis.database", "0" },
    { "router.signal_timeout_ms", "0" },
    { "router.lazy_signals", "staged" },
    { "router.signal_window_chars", "2048" },
    { "router.context_estimate.structured_bytes_per_token", "3" },
    { "router.pricing.baseline", "most_expensive" },
    { "services.api.batch_classification.max_batch_size", "100" },
    { "services.api.batch_classification.concurrency_threshold", "5" },
    { "services.api.batch_classification.max_concurrency", "8" },
    { "services.response_api.enabled", "true" },
    { "services.response_api.store_backend", "sqlite" },
    { "services.response_api.ttl_seconds", "86400" },
    { "services.response_api.max_responses", "1000" },
    { "services.response_api.redis.pool_size", "10" },
    { "services.response_api.redis.min_idle_conns", "2" },
    { "services.response_api.redis.max_retries", "3" },
    { "services.response_api.redis.dial_timeout", "5" },
    { "services.observability.metrics.enabled", "true" },
    { "services.observability.metrics.windowed_metrics.enabled", "false" },
    { "services.observability.tracing.enabled", "false" },
    { "services.observability.tracing.provider", "opentelemetry" },
    { "services.observability.tracing.exporter.type", "otlp" },
    { "services.observability.tracing.exporter.endpoint", "localhost:4317" },
    { "services.observability.tracing.exporter.insecure", "true" },
    { "services.observability.tracing.sampling.type", "always_on" },
    { "services.observability.tracing.sampling.rate", "1" },
    { "services.observability.tracing.resource.service_name", "vsr" },
    { "services.observability.tracing.resource.deployment_environment", "development" },
    { "services.authz.fail_open", "false" },
    { "services.authz.identity.user_id_header", "x-authz-user-id" },
    { "services.authz.identity.user_groups_header", "x-authz-user-groups" },
    { "services.ratelimit.fail_open", "false" },
    { "services.management_api.bind_address", "127.0.0.1" },
    { "services.management_api.port", "8080" },
    { "services.management_api.remote_exposure", "false" },
    { "services.management_api.auth.mode", "disabled" },
    { "services.management_api.auth.roles.viewer",
      "health.read ready.read docs.read metrics.read classify.invoke config.read replay.read data.read cache.read "
      "compression.read" },
    { "services.management_api.auth.roles.operator",
      "health.read ready.read docs.read metrics.read classify.invoke config.read replay.read data.read cache.read "
      "compression.read config.write learning.ingest replay.detail data.write cache.invalidate compression.preview" },
    { "services.management_api.auth.roles.admin", "*" },
    { "services.router_replay.enabled", "false" },
    { "services.router_replay.store_backend", "sqlite" },
    { "services.router_replay.ttl_seconds", "2592000" },
    { "services.router_replay.qdrant.port", "6334" },
    { "services.startup_status.store_backend", "file" },
    { "stores.response_cache.enabled", "true" },
    { "stores.response_cache.backend_type", "memory" },
    { "stores.response_cache.max_entries", "1000" },
    { "stores.response_cache.ttl_seconds", "3600" },
    { "stores.response_cache.eviction_policy", "fifo" },
    { "stores.memory.enabled", "false" },
    { "stores.memory.backend", "sqlite" },
    { "stores.memory.auto_store", "false" },
    { "stores.memory.extraction_batch_size", "10" },
    { "stores.memory.default_retrieval_limit", "5" },
    { "stores.memory.default_similarity_threshold", "0.7" },
    { "stores.memory.reflection.enabled", "true" },
    { "stores.memory.reflection.algorithm", "heuristic" },
    { "stores.memory.reflection.max_inject_tokens", "2048" },
    { "stores.memory.reflection.recency_decay_days", "30" },
    { "stores.memory.reflection.dedup_threshold", "0.9" },
    { "stores.memory.milvus.collection", "agentic_memory" },
    { "stores.memory.milvus.dimension", "384" },
    { "stores.memory.valkey.host", "localhost" },
    { "stores.memory.valkey.port", "6379" },
    { "stores.memory.valkey.timeout", "10" },
    { "stores.memory.valkey.collection_prefix", "mem:" },
    { "stores.memory.valkey.index_name", "mem_idx" },
    { "stores.memory.valkey.metric_type", "COSINE" },
    { "stores.memory.valkey.index_m", "16" },
    { "stores.memory.valkey.index_ef_construction", "256" },
    { "integrations.tools.enabled", "false" },
    { "integrations.tools.top_k", "3" },
    { "integrations.tools.tools_db_path", "config/tools_db.json" },
    { "integrations.tools.fallback_to_empty", "true" },
    { "integrations.tools.advanced_filtering.retrieval_strategy", "weighted" },
    { "integrations.tools.advanced_filtering.hybrid_history.history_horizon", "8" },
    { "integrations.looper.grpc_max_msg_size_mb", "4" },
    { "integrations.looper.max_response_bytes_mb", "32" },
    { "integrations.looper.timeout_seconds", "1200" },
    { "integrations.looper.retry_count", "0" },
    { "integrations.looper.flow.state.store_backend", "file" },
    { "integrations.looper.flow.state.ttl_seconds", "1800" },
    { "model_catalog.embeddings.semantic.use_cpu", "true" },
    { "model_catalog.embeddings.semantic.embedding_config.backend", "candle" },
    { "model_catalog.embeddings.semantic.embedding_config.model_type", "builtin" },
    { "model_catalog.embeddings.semantic.embedding_config.preload_embeddings", "true" },
    { "model_catalog.embeddings.semantic.embedding_config.target_dimension", "768" },
    { "model_catalog.embeddings.semantic.embedding_config.target_layer", "22" },
    { "model_catalog.embeddings.semantic.embedding_config.enable_soft_matching", "true" },
    { "model_catalog.embeddings.semantic.embedding_config.top_k", "1" },
    { "model_catalog.embeddings.semantic.embedding_config.min_score_threshold", "0.5" },
    { "model_catalog.embeddings.semantic.embedding_config.prototype_scoring.enabled", "true" },
    { "model_catalog.embeddings.semantic.embedding_config.prototype_scoring.cluster_similarity_threshold", "0.9" },
    { "model_catalog.embeddings.semantic.embedding_config.prototype_scoring.max_prototypes", "8" },
    { "model_catalog.embeddings.semantic.embedding_config.prototype_scoring.best_weight", "0.75" },
    { "model_catalog.embeddings.semantic.embedding_config.prototype_scoring.top_m", "2" },
    { "model_catalog.embeddings.semantic.embedding_config.prototype_scoring.margin_threshold", "0" },
    { "model_catalog.embeddings.semantic.endpoint.timeout_seconds", "10" },
    { "model_catalog.embeddings.semantic.endpoint.max_retries", "0" },
    { "model_catalog.system.prompt_guard", "builtin/jailbreak" },
    { "model_catalog.system.domain_classifier", "builtin/domain" },
    { "model_catalog.system.pii_classifier", "builtin/pii" },
    { "model_catalog.system.fact_check_classifier", "builtin/fact-check" },
    { "model_catalog.system.hallucination_detector", "builtin/hallucination" },
    { "model_catalog.system.hallucination_explainer", "builtin/nli" },
    { "model_catalog.system.feedback_detector", "builtin/feedback" },
    { "model_catalog.kbs.0.name", "privacy_kb" },
    { "model_catalog.kbs.0.threshold", "0.55" },
    { "model_catalog.kbs.0.label_thresholds.prompt_injection", "0.7" },
    { "model_catalog.kbs.0.source.manifest", "labels.json" },
    { "model_catalog.kbs.0.groups.frontier_reasoning",
      "architecture_analysis root_cause_analysis multi_step_tradeoffs" },
    { "model_catalog.kbs.0.metrics.0.name", "private_vs_public" },
    { "model_catalog.kbs.1.name", "mmlu_kb" },
    { "model_catalog.kbs.1.threshold", "0.25" },
    { "model_catalog.kbs.1.metrics.0.name", "escalate_vs_keep" },
    { "model_catalog.modules.prompt_compression.enabled", "false" },
    { "model_catalog.modules.prompt_compression.profile", "default" },
    { "model_catalog.modules.prompt_compression.skip_signals", "jailbreak pii" },
    { "model_catalog.modules.prompt_guard.enabled", "true" },
    { "model_catalog.modules.prompt_guard.model_ref", "prompt_guard" },
    { "model_catalog.modules.prompt_guard.threshold", "0.7" },
    { "model_catalog.modules.prompt_guard.use_cpu", "true" },
    { "model_catalog.modules.prompt_guard.variant", "mmbert32k" },
    { "model_catalog.modules.prompt_guard.positive_labels", "jailbreak" },
    { "model_catalog.modules.prompt_guard.on_error", "allow" },
    { "model_catalog.modules.classifier.domain.model_ref", "domain_classifier" },
    { "model_catalog.modules.classifier.domain.threshold", "0.5" },
    { "model_catalog.modules.classifier.domain.use_mmbert_32k", "true" },
    { "model_catalog.modules.classifier.pii.model_ref", "pii_classifier" },
    { "model_catalog.modules.classifier.pii.threshold", "0.9" },
    { "model_catalog.modules.classifier.mcp.enabled", "false" },
    { "model_catalog.modules.classifier.preference.use_contrastive", "true" },
    { "model_catalog.modules.hallucination_mitigation.enabled", "false" },
    { "model_catalog.modules.hallucination_mitigation.fact_check.threshold", "0.6" },
    { "model_catalog.modules.hallucination_mitigation.detector.backend", "candle" },
    { "model_catalog.modules.hallucination_mitigation.detector.threshold", "0.8" },
    { "model_catalog.modules.hallucination_mitigation.detector.min_span_length", "2" },
    { "model_catalog.modules.hallucination_mitigation.detector.min_span_confidence", "0.6" },
    { "model_catalog.modules.hallucination_mitigation.detector.context_window_size", "50" },
    { "model_catalog.modules.hallucination_mitigation.detector.enable_nli_filtering", "true" },
    { "model_catalog.modules.hallucination_mitigation.detector.nli_entailment_threshold", "0.75" },
    { "model_catalog.modules.hallucination_mitigation.explainer.threshold", "0.9" },
    { "model_catalog.modules.feedback_detector.enabled", "true" },
    { "model_catalog.modules.feedback_detector.threshold", "0.7" },
    { "model_catalog.modules.modality_detector.enabled", "false" },
    { "model_catalog.inference.device", "auto" },
    { "model_catalog.inference.threads", "0" },
    { "model_catalog.inference.batch_tokens", "4096" },
    { "model_catalog.inference.queue_length", "1024" },
    { "model_catalog.inference.queue_mb", "256" },
    { "model_catalog.inference.cache_mb", "64" },
    { "model_catalog.inference.memory_mb", "0" },
    { "model_catalog.inference.precision", "auto" },
    { "model_catalog.inference.load", "eager" },
    { "model_catalog.inference.max_tokens", "2048" },
    { "model_catalog.inference.long_text", "chunk" },
};

static vsr_str value_at(struct arena *arena, const struct yaml_node *node, vsr_str path) {
    vsr_str all = { 0 };
    while (node && path.len) {
        vsr_str key = str_split(&path, '.');
        node = node->kind == YAML_SEQUENCE ? node->items[key.ptr[0] - '0'] : yaml_get(node, key);
    }
    if (!node)
        return VSR_STR("absent");
    if (node->kind != YAML_SEQUENCE)
        return node->text;
    for (size_t i = 0; i < node->n_items; i++)
        all = arena_printf(arena, "%.*s%s%.*s", VSR_FMT(all), i ? " " : "", VSR_FMT(node->items[i]->text));
    return all;
}

TEST(built_in_defaults) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc = load(arena, "", &diag);
    vsr_str text = print_global(arena, doc, true);
    struct yaml_node *root;
    CHECK_INT(diag.n_items, 0, "nothing to complain about");
    CHECK_INT(yaml_tree_parse(arena, text, &root, &diag), 0, "printed");
    for (size_t i = 0; i < VSR_COUNT(defaults); i++)
        CHECK_STR(value_at(arena, root, str_from_c(defaults[i].path)), defaults[i].value, defaults[i].path);
    CHECK(!doc->global.stores.vector_store, "absent is off");
    arena_free(arena);
}

/* Blocks merge key by key, lists are replaced whole, and what is written counts even when it is nothing. */
static const struct {
    const char *blocks, *path, *value;
} overrides[] = {
    { "model_catalog: {system: {prompt_guard: x}}", "model_catalog.system.prompt_guard", "x" },
    { "model_catalog: {system: {prompt_guard: x}}", "model_catalog.system.feedback_detector", "builtin/feedback" },
    { "model_catalog: {kbs: [{name: k, source: {path: p}}]}", "model_catalog.kbs.0.name", "k" },
    { "model_catalog: {kbs: []}", "model_catalog.kbs", "" },
    { "router: {clear_route_cache: false}", "router.clear_route_cache", "false" },
    { "router: {signal_window_chars: 0}", "router.signal_window_chars", "0" },
    { "router: {auto_model_name: \"\"}", "router.auto_model_name", "" },
    { "stores: {response_cache: {ttl_seconds: 0}}", "stores.response_cache.ttl_seconds", "0" },
    { "stores: {response_cache: ~}", "stores.response_cache.ttl_seconds", "3600" },
    { "model_catalog: {modules: {prompt_compression: {skip_signals: []}}}",
      "model_catalog.modules.prompt_compression.skip_signals", "" },
    { "services: {management_api: {auth: {roles: {a: [b]}}}}", "services.management_api.auth.roles.viewer", "absent" },
    { "services: {management_api: {auth: {roles: {}}}}", "services.management_api.auth.roles.admin", "*" },
    { "stores: {vector_store: {embedding_model: bert}}", "stores.vector_store.embedding_dimension", "384" },
    { "stores: {vector_store: {embedding_model: mmbert}}", "stores.vector_store.embedding_dimension", "768" },
    { "stores: {vector_store: {embedding_model: mmbert, embedding_dimension: 5}}",
      "stores.vector_store.embedding_dimension", "5" },
    { "stores: {vector_store: {}}", "stores.vector_store.supported_formats", ".txt .md .json .csv .html" },
};

TEST(merged) {
    for (size_t i = 0; i < VSR_COUNT(overrides); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        const struct config_document *doc = load(arena, overrides[i].blocks, &diag);
        struct yaml_node *root;
        CHECK_INT(yaml_tree_parse(arena, print_global(arena, doc, true), &root, &diag), 0, overrides[i].blocks);
        CHECK_STR(value_at(arena, root, str_from_c(overrides[i].path)), overrides[i].value, overrides[i].blocks);
        arena_free(arena);
    }
}

/* ---- derived values */

TEST(models_resolved) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc =
        load(arena,
             "model_catalog: {system: {pii_classifier: own/pii}, modules: {prompt_guard: {model_id: own/guard}, "
             "classifier: {domain: {model_ref: pii_classifier}}}}",
             &diag);
    const struct config_modules *modules = &doc->global.model_catalog.modules;
    CHECK_STR(modules->prompt_guard.model_path, "own/guard", "model_id wins");
    CHECK_STR(modules->classifier.pii.model_path, "own/pii", "through the reference");
    CHECK_STR(modules->classifier.domain.model_path, "own/pii", "any of the seven");
    CHECK_STR(modules->feedback_detector.model_path, "builtin/feedback", "default");
    arena_free(arena);
}

TEST(inference_of_single_models) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc =
        load(arena, "model_catalog: {inference: {models: [{model: models/a, long_text: sample}, {model: ' b'}]}}",
             &diag);
    const struct config_inference *inference = &doc->global.model_catalog.inference;
    const struct config_inference_model *a = config_inference_model(inference, VSR_STR("a"));
    CHECK(a && a == config_inference_model(inference, VSR_STR("models/a ")), "with and without models/");
    CHECK_INT(a->own_long_text, 1 + INFERENCE_SAMPLE, "what was written");
    CHECK_INT(a->own_precision, 0, "as for all");
    CHECK(config_inference_model(inference, VSR_STR("models/b")) != NULL, "b");
    CHECK(config_inference_model(inference, VSR_STR("c")) == NULL, "c");
    arena_free(arena);
}

TEST(guards) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc =
        load(arena,
             "model_catalog: {external: [{name: a, model_role: scoring}, {name: g, model_role: guardrail, "
             "llm_model_name: m, llm_endpoint: {address: h}}], modules: {prompt_guard: {protocol: http_chat, "
             "positive_labels: []}}}",
             &diag);
    const struct config_prompt_guard *guard = &doc->global.model_catalog.modules.prompt_guard;
    CHECK_INT(guard->variant, GUARD_REMOTE, "the default variant gives way");
    CHECK_STR(guard->external->name, "g", "by its role");
    CHECK_STR(guard->positive_labels.items[0], "jailbreak", "an empty list is the default");
    doc = load(arena, "", &diag);
    guard = &doc->global.model_catalog.modules.prompt_guard;
    CHECK_INT(guard->variant, GUARD_MMBERT32K, "local");
    CHECK(!guard->external, "local");
    arena_free(arena);
}

TEST(embeddings_settled) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc =
        load(arena,
             "model_catalog: {embeddings: {semantic: {endpoint: {base_url: \"http://h/v1\", model: e, dimensions: 256},"
             " embedding_config: {backend: openai_compatible, top_k: -3, prototype_scoring: {max_prototypes: 0, "
             "best_weight: 7, top_m: -1, cluster_similarity_threshold: -2, margin_threshold: -1}}}}}",
             &diag);
    const struct config_embedding_config *embedding = &doc->global.model_catalog.embeddings.semantic.embedding_config;
    CHECK_INT(embedding->backend, EMBEDDING_BACKEND_OPENAI_COMPATIBLE, "a server");
    CHECK_INT(embedding->model_type, EMBEDDING_REMOTE, "the default gives way");
    CHECK_INT(embedding->target_dimension, 256, "the default gives way");
    CHECK_INT(embedding->top_k, 1, "negative is one");
    CHECK_INT(embedding->prototype_scoring.max_prototypes, 8, "not positive");
    CHECK_INT(embedding->prototype_scoring.top_m, 2, "not positive");
    CHECK(embedding->prototype_scoring.best_weight == 1, "capped");
    CHECK(embedding->prototype_scoring.cluster_similarity_threshold == 0.9, "not positive");
    CHECK(embedding->prototype_scoring.margin_threshold == 0, "floor");
    doc = load(arena,
               "model_catalog: {embeddings: {semantic: {embedding_config: {backend: mcp}, mcp: {transport_type: stdio, "
               "command: embed, args: [a, b], env: {A: c}}}}}",
               &diag);
    embedding = &doc->global.model_catalog.embeddings.semantic.embedding_config;
    CHECK_INT(embedding->backend, EMBEDDING_BACKEND_MCP, "a tool");
    CHECK_INT(embedding->model_type, EMBEDDING_REMOTE, "a tool");
    CHECK_INT(embedding->target_dimension, 0, "the default gives way");
    CHECK_STR(doc->global.model_catalog.embeddings.semantic.mcp.server.args.items[1], "b", "arguments");
    doc = load(arena,
               "model_catalog: {embeddings: {semantic: {embedding_config: {backend: mcp, target_dimension: 64}, mcp: "
               "{transport_type: http, url: \"https://h/mcp\"}}}}",
               &diag);
    embedding = &doc->global.model_catalog.embeddings.semantic.embedding_config;
    CHECK_INT(embedding->target_dimension, 64, "what was written stays");
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = { "candle", "openvino", "onnx", "native" };
        doc = load(arena,
                   arena_printf(arena,
                                "model_catalog: {embeddings: {semantic: {embedding_config: {backend: %s, top_k: 0}}}}",
                                names[i])
                       .ptr,
                   &diag);
        embedding = &doc->global.model_catalog.embeddings.semantic.embedding_config;
        CHECK_INT(embedding->backend, EMBEDDING_BACKEND_NATIVE, names[i]);
        CHECK_INT(embedding->top_k, 0, "all");
    }
    arena_free(arena);
}

TEST(embedder_by_path) {
    static const struct {
        const char *semantic;
        int model;
    } cases[] = {
        { "", EMBEDDING_BUILTIN },
        { "qwen3_model_path: q", EMBEDDING_QWEN3 },
        { "bert_model_path: b, gemma_model_path: g", EMBEDDING_GEMMA },
        { "qwen3_model_path: q, multimodal_model_path: m", EMBEDDING_MULTIMODAL },
        { "qwen3_model_path: q, mmbert_model_path: m", EMBEDDING_MMBERT },
        { "bert_model_path: b", EMBEDDING_BERT },
        { "mmbert_model_path: ' '", EMBEDDING_BUILTIN },
        { "qwen3_model_path: q, embedding_config: {model_type: builtin}", EMBEDDING_BUILTIN },
        { "qwen3_model_path: q, embedding_config: {model_type: ''}", EMBEDDING_QWEN3 },
        { "embedding_config: {model_type: qwen3}", EMBEDDING_QWEN3 },
    };
    struct arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct diag diag;
        const struct config_document *doc =
            load(arena, arena_printf(arena, "model_catalog: {embeddings: {semantic: {%s}}}", cases[i].semantic).ptr,
                 &diag);
        CHECK_INT(doc->global.model_catalog.embeddings.semantic.embedding_config.model_type, cases[i].model,
                  cases[i].semantic);
    }
    arena_free(arena);
}

TEST(router_settled) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc = load_text(arena,
                                                  VSR_STR("version: v0.3\nrouting: {modelCards: [{name: m}]}\nglobal: "
                                                          "{router: {pricing: {baseline: m}, signal_timeouts: {domain: "
                                                          "50}}, integrations: {looper: {remom: {model_names: []}}}}"),
                                                  &diag);
    const struct config_router *router = &doc->global.router;
    CHECK_INT(router->pricing.kind, BASELINE_MODEL, "a card");
    CHECK_INT(config_signal_timeout_ms(router, VSR_STR("domain")), 50, "its own");
    CHECK_INT(config_signal_timeout_ms(router, VSR_STR("keyword")), 0, "none");
    CHECK(doc->global.integrations.looper.remom.has_model_names, "written, though empty");
    CHECK(!doc->global.integrations.looper.fusion.has_model_names, "not written");
    arena_free(arena);
}

static const struct {
    const char *profile;
    int want;
} profiles[] = {
    { "default", COMPRESSION_DEFAULT },
    { "Coding", COMPRESSION_CODING },
    { " MEDICAL ", COMPRESSION_MEDICAL },
    { "security", COMPRESSION_SECURITY },
    { "multi-turn", COMPRESSION_MULTI_TURN },
    { "Multi_Turn", COMPRESSION_MULTI_TURN },
    { "", COMPRESSION_DEFAULT },
};

TEST(compression_profiles) {
    for (size_t i = 0; i < VSR_COUNT(profiles); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        const struct config_document *doc =
            load(arena,
                 arena_printf(arena, "model_catalog: {modules: {prompt_compression: {profile: \"%s\"}}}",
                              profiles[i].profile)
                     .ptr,
                 &diag);
        CHECK_INT(doc->global.model_catalog.modules.prompt_compression.profile, profiles[i].want, profiles[i].profile);
        arena_free(arena);
    }
}

static size_t count_code(const struct diag *diag, const char *code) {
    size_t n = 0;
    for (size_t i = 0; i < diag->n_items; i++)
        n += strcmp(diag->items[i].code, code) == 0;
    return n;
}

TEST(management_tokens) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc =
        load(arena,
             "services: {management_api: {auth: {mode: bearer, tokens: [{env: KEY, role: admin}, {env: NONE, role: "
             "viewer}]}}}",
             &diag);
    const struct config_management_token *tokens = doc->global.services.management_api.auth.tokens.items;
    CHECK_STR(tokens[0].value, "sk-hidden-1", "of the variable");
    CHECK_STR(tokens[1].value, "", "no such token");
    CHECK_INT(count_code(&diag, "W_ENV"), 1, "which is said");
    CHECK_INT(count_code(&diag, "W_AUTH"), 0, "somebody can call");
    CHECK(str_find(print_global(arena, doc, true), VSR_STR("sk-hidden")) < 0, "a token is never printed");
    doc = load(arena, "services: {management_api: {auth: {mode: bearer, tokens: [{env: NONE, role: viewer}]}}}", &diag);
    CHECK_INT(count_code(&diag, "W_AUTH"), 1, "nobody can call");
    arena_free(arena);
}

/* Limits that no request can meet are said: nobody is to believe in a cap that is not there. */
TEST(limits_that_never_apply) {
    static const struct {
        const char *listener, *pricing, *rule;
        size_t n;
        const char *hint;
    } cases[] = {
        { "api_key_envs: [AK]", "", "match: {key: AKK}, requests_per_unit: 1", 1, "did you mean \"AK\"?" },
        { "api_key_envs: [AK]", "", "match: {key: AK}, requests_per_unit: 1", 0, "" },
        { "api_key_envs: [AK]", "", "match: {key: '*'}, requests_per_unit: 1", 0, "" },
        { "timeout: 3s", "", "match: {user: bob}, requests_per_unit: 1", 1, "set trust_identity_headers" },
        { "timeout: 3s", "", "match: {user: bob, group: g, tenant: t}, requests_per_unit: 1", 3, "" },
        { "timeout: 3s", "", "match: {user: '*', group: '*'}, requests_per_unit: 1", 0, "" },
        { "trust_identity_headers: true", "", "match: {user: bob}, requests_per_unit: 1", 0, "" },
        { "timeout: 3s", "", "cost_per_unit: 1", 1, "set pricing" },
        { "timeout: 3s", "pricing: {prompt_per_1m: 1}, ", "cost_per_unit: 1", 0, "" },
        { "timeout: 3s", "pricing: {prompt_per_1m: 1}, ", "cost_per_unit: 1, currency: EUR", 1, "" },
        { "timeout: 3s", "pricing: {currency: EUR, prompt_per_1m: 1}, ", "cost_per_unit: 1, currency: EUR", 0, "" },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct arena *arena = arena_new(0, 0);
        struct diag diag;
        const struct diag_item *found = NULL;
        vsr_str text = arena_printf(arena,
                                    "version: v0.3\n"
                                    "listeners: [{name: l, address: 127.0.0.1, port: 8899, %s}]\n"
                                    "providers: {models: [{name: m, %sbackend_refs: [{endpoint: 'h:1'}]}]}\n"
                                    "routing: {modelCards: [{name: m}]}\n"
                                    "global: {services: {ratelimit: {providers: [{type: local-limiter, rules: [{name: "
                                    "r, %s}]}]}}}\n",
                                    cases[i].listener, cases[i].pricing, cases[i].rule);
        (void)load_text(arena, text, &diag);
        CHECK_MSG(diag.n_errors == 0, "%s: %s", cases[i].rule, diag.n_items ? diag.items[0].message.ptr : "");
        CHECK_INT(count_code(&diag, "W_RATELIMIT"), cases[i].n, cases[i].rule);
        for (size_t k = 0; k < diag.n_items; k++)
            found = strcmp(diag.items[k].code, "W_RATELIMIT") == 0 ? &diag.items[k] : found;
        CHECK(!found || str_find(found->hint, str_from_c(cases[i].hint)) >= 0, cases[i].rule);
        arena_free(arena);
    }
}

static const char *internal_env(void *data, const char *name) {
    return strcmp(name, "VSR_MANAGEMENT_INTERNAL_LISTENER") == 0 ? data : NULL;
}

TEST(internal_listener) {
    static const char *const values[] = { "true", "false", NULL };
    for (int i = 0; i < 3; i++) {
        struct arena *arena = arena_new(0, 0);
        struct config_load_options options = fake_options();
        const struct config_document *doc = NULL;
        struct diag diag;
        options.env = internal_env;
        options.env_data = (void *)values[i];
        (void)config_load_text(arena,
                               VSR_STR("version: v0.3\nglobal: {services: {management_api: {bind_address: \"::\"}}}\n"),
                               VSR_STR("t"), &options, &doc, &diag);
        CHECK_INT(doc != NULL, i == 0, values[i] ? values[i] : "unset");
        arena_free(arena);
    }
}

/* ---- every key */

static vsr_str full_text(struct arena *arena) {
    char *bytes = arena_alloc(arena, TEXT_LEN_MAX), path[PATH_LEN];
    const char *source = getenv("VSR_TEST_SOURCE");
    FILE *file;
    size_t len;
    snprintf(path, sizeof(path), "%s/tests/fixtures/config/good/global_full.yaml", source ? source : ".");
    file = fopen(path, "rb");
    CHECK(file != NULL, path);
    len = fread(bytes, 1, TEXT_LEN_MAX, file);
    fclose(file);
    return str_make(bytes, len);
}

/* Either of two keys that exclude each other, and blocks of the other of two types. */
static bool may_be_absent(const char *name) {
    return strcmp(name, "variant") == 0 || strcmp(name, "rules") == 0 || strcmp(name, "address") == 0 ||
           strcmp(name, "domain") == 0 || strcmp(name, "redis") == 0;
}

static void check_written(const struct schema *schema, const char *object) {
    const struct config_at *at = (const void *)object;
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        const char *slot = object + field->offset;
        const struct config_list *list = (const void *)slot;
        if (field->flags & FIELD_OLD) /* another name of a key that is there */
            continue;
        if (!may_be_absent(field->name))
            CHECK_MSG(at->present >> i & 1, "%.*s.%s is not in the full document", VSR_FMT(at->path), field->name);
        if (field->kind == FIELD_OBJECT)
            check_written(field->object, slot);
        if (field->kind == FIELD_OPTIONAL && *(const char *const *)(const void *)slot)
            check_written(field->object, *(const char *const *)(const void *)slot);
        for (size_t k = 0; field->kind == FIELD_OBJECTS && k < list->n; k++)
            check_written(field->object, (const char *)list->items + k * field->object->size);
    }
}

TEST(full_document) {
    struct arena *arena = arena_new(0, 0);
    struct diag diag;
    const struct config_document *doc = load_text(arena, full_text(arena), &diag);
    for (int effective = 0; effective < 2; effective++) {
        vsr_str printed = print_global(arena, doc, effective);
        CHECK(str_find(printed, VSR_STR("hidden")) < 0, "secrets are masked");
        CHECK(str_find(printed, VSR_STR("[REDACTED]")) >= 0, "secrets are masked");
        CHECK(str_find(printed, VSR_STR("shown")) >= 0, "other headers are not");
    }
    check_written(&config_global_schema, (const char *)&doc->global);
    arena_free(arena);
}

/* One more key in every object of the table, in the order of the table. */
static size_t write_keys(struct buf *out, const struct schema *schema, const char *key) {
    size_t n = 1;
    buf_printf(out, "{%s: {a: [1]}", key);
    for (size_t i = 0; i < schema->n_fields; i++) {
        const struct field *field = &schema->fields[i];
        bool list = field->kind == FIELD_OBJECTS;
        if ((field->kind != FIELD_OBJECT && field->kind != FIELD_OPTIONAL && !list) || field->flags & FIELD_OLD)
            continue;
        buf_printf(out, ", %s: %s", field->name, list ? "[" : "");
        n += write_keys(out, field->object, key);
        buf_append_c(out, list ? "]" : "");
    }
    buf_append_char(out, '}');
    return n;
}

static size_t unknown_keys(const char *key, size_t *ret_objects) {
    struct arena *arena = arena_new(0, 0);
    struct config_global *global = ARENA_NEW(arena, struct config_global);
    struct yaml_node *root;
    struct diag diag;
    struct buf out;
    size_t n;
    buf_init(&out, TEXT_LEN_MAX);
    diag_init(&diag, arena, VSR_STR("t"));
    *ret_objects = write_keys(&out, &config_global_schema, key);
    CHECK_INT(yaml_tree_parse(arena, buf_str(&out), &root, &diag), 0, key);
    (void)schema_decode(&config_global_schema, root, VSR_STR("global"), global, arena, &diag);
    n = count_code(&diag, "E_UNKNOWN");
    buf_done(&out);
    arena_free(arena);
    return n;
}

/* At most DIAG_MAX are kept, and required keys are missed between them. */
TEST(unknown_at_every_level) {
    size_t n_objects;
    CHECK_INT(unknown_keys("x-note", &n_objects), 0, "ignored");
    CHECK(n_objects > 100, "objects");
    CHECK(unknown_keys("note", &n_objects) > 80, "refused");
}

RUN_TESTS(T(built_in_defaults), T(merged), T(models_resolved), T(guards), T(embeddings_settled), T(embedder_by_path),
          T(router_settled), T(compression_profiles), T(management_tokens), T(limits_that_never_apply),
          T(inference_of_single_models), T(internal_listener), T(full_document), T(unknown_at_every_level))
