#include "dsl/language_rows.h"

#define OMITTED(label) \
    { .name = (label), .zero = ZERO_OMITTED }
#define WRITTEN(label) \
    { .name = (label), .zero = ZERO_WRITTEN }
#define KEPT(label) \
    { .name = (label), .zero = ZERO_KEPT }
#define LATER(label) \
    { .name = (label), .zero = ZERO_LATER }
#define DEFAULT(label) \
    { .name = (label), .zero = ZERO_DEFAULT }
#define NESTED(label, rows) \
    { .name = (label), .zero = ZERO_KEPT, .nested = &(rows) }
#define BESIDE(label) \
    { .name = (label), .zero = ZERO_OMITTED, .place = PLACE_BESIDE }

#define ROWS(label, table, sequence, ...) \
    { .name = (label), .items = (table), .n = VSR_COUNT(table), .order = (sequence), ##__VA_ARGS__ }

/* ---- objects with an order of their own (dsl.md §7.1); all others are sorted */

static const struct language_row pair_rows[] = { KEPT("name"), KEPT("value") };
static const struct language_rows pair = ROWS("pair", pair_rows, ORDER_ROWS);

static const struct language_row subject_rows[] = { OMITTED("kind"), OMITTED("name") };
static const struct language_rows subject = ROWS("subject", subject_rows, ORDER_ROWS);

static const struct language_row target_rows[] = { KEPT("kind"), KEPT("value") };
static const struct language_rows target = ROWS("target", target_rows, ORDER_ROWS);

static const struct language_rows composer;
static const struct language_row composer_rows[] = {
    OMITTED("operator"), NESTED("conditions", composer),
    OMITTED("type"),     OMITTED("name"),
    OMITTED("label"),    KEPT("predicate"),
    OMITTED("on_error"),
};
static const struct language_rows composer = ROWS("composer", composer_rows, ORDER_ROWS);

static const struct language_row score_input_rows[] = {
    KEPT("type"),      KEPT("weight"),          OMITTED("name"),  OMITTED("kb"),
    OMITTED("metric"), OMITTED("value_source"), OMITTED("match"), OMITTED("miss"),
};
static const struct language_rows score_input = ROWS("score input", score_input_rows, ORDER_ROWS);

static const struct language_row calibration_rows[] = { OMITTED("method"), OMITTED("slope") };
static const struct language_rows calibration = ROWS("calibration", calibration_rows, ORDER_ROWS);

static const struct language_row output_rows[] = { KEPT("name"), KEPT("gt"), KEPT("gte"), KEPT("lt"), KEPT("lte") };
static const char *const output_yaml[] = { "name", "lt", "lte", "gt", "gte", NULL };
static const struct language_rows output = ROWS("mapping output", output_rows, ORDER_ROWS, .yaml = output_yaml);

static const struct language_row lora_rows[] = { KEPT("name"), OMITTED("description") };
static const struct language_rows lora = ROWS("LoRA", lora_rows, ORDER_ROWS);

/* ---- signals (§4.3) */

static const struct language_row domain_rows[] = {
    OMITTED("description"),
    OMITTED("mmlu_categories"),
    OMITTED("model_scores"),
};
static const vsr_str operator_words[][2] = {
    { VSR_STR_INIT("any"), VSR_STR_INIT("OR") },
    { VSR_STR_INIT("all"), VSR_STR_INIT("AND") },
    { { NULL, 0 }, { NULL, 0 } },
};
static const struct language_row keyword_rows[] = {
    { .name = "operator", .zero = ZERO_WRITTEN, .words = operator_words },
    WRITTEN("keywords"),
    WRITTEN("case_sensitive"),
    OMITTED("method"),
    OMITTED("fuzzy_match"),
    OMITTED("fuzzy_threshold"),
    OMITTED("bm25_threshold"),
    OMITTED("ngram_threshold"),
    OMITTED("ngram_arity"),
};
static const struct language_row embedding_rows[] = {
    WRITTEN("threshold"),
    WRITTEN("candidates"),
    WRITTEN("aggregation_method"),
    DEFAULT("query_modality"),
};
static const struct language_row described_rows[] = { OMITTED("description") };
static const struct language_row reask_rows[] = {
    OMITTED("description"),
    OMITTED("threshold"),
    OMITTED("lookback_turns"),
};
static const struct language_row preference_rows[] = {
    OMITTED("description"),
    OMITTED("examples"),
    OMITTED("threshold"),
};
static const struct language_row language_rows[] = { OMITTED("description"), OMITTED("threshold") };
static const struct language_row context_rows[] = {
    OMITTED("description"),
    WRITTEN("min_tokens"),
    WRITTEN("max_tokens"),
};
static const struct language_row feature_rows[] = {
    OMITTED("description"),
    KEPT("feature"),
    KEPT("predicate"),
};
static const struct language_row complexity_rows[] = {
    WRITTEN("threshold"), OMITTED("description"), NESTED("composer", composer), OMITTED("hard"), OMITTED("easy"),
};
static const struct language_row authz_rows[] = {
    OMITTED("role"),
    OMITTED("description"),
    { .name = "subjects", .zero = ZERO_OMITTED, .nested = &subject },
};
static const struct language_row jailbreak_rows[] = {
    OMITTED("method"),      WRITTEN("threshold"),          OMITTED("include_history"),
    OMITTED("description"), OMITTED("jailbreak_patterns"), OMITTED("benign_patterns"),
};
static const struct language_row pii_rows[] = {
    WRITTEN("threshold"),
    OMITTED("pii_types_allowed"),
    OMITTED("include_history"),
    OMITTED("description"),
};
static const struct language_row kb_rows[] = {
    OMITTED("kb"),
    { .name = "target", .zero = ZERO_WRITTEN, .nested = &target },
    OMITTED("match"),
};
static const struct language_row event_rows[] = {
    OMITTED("event_types"),
    OMITTED("severities"),
    OMITTED("action_codes"),
    OMITTED("temporal"),
};
static const struct language_row metadata_rows[] = { OMITTED("description"), OMITTED("key"), KEPT("predicate") };
static const struct language_row classifier_rows[] = {
    OMITTED("description"), OMITTED("type"),         OMITTED("model"),   OMITTED("model_path"),
    WRITTEN("labels"),      OMITTED("instructions"), OMITTED("use_cpu"),
};

static const struct language_rows signals[] = {
    ROWS("domain", domain_rows, ORDER_ROWS),
    ROWS("keyword", keyword_rows, ORDER_ROWS),
    ROWS("embedding", embedding_rows, ORDER_ROWS),
    ROWS("fact_check", described_rows, ORDER_ROWS),
    ROWS("user_feedback", described_rows, ORDER_ROWS),
    ROWS("reask", reask_rows, ORDER_ROWS),
    ROWS("preference", preference_rows, ORDER_ROWS),
    ROWS("language", language_rows, ORDER_ROWS),
    ROWS("context", context_rows, ORDER_ROWS),
    ROWS("structure", feature_rows, ORDER_ROWS),
    ROWS("conversation", feature_rows, ORDER_ROWS),
    ROWS("complexity", complexity_rows, ORDER_ROWS),
    ROWS("modality", described_rows, ORDER_ROWS),
    ROWS("authz", authz_rows, ORDER_ROWS),
    ROWS("jailbreak", jailbreak_rows, ORDER_ROWS),
    ROWS("pii", pii_rows, ORDER_ROWS),
    ROWS("kb", kb_rows, ORDER_ROWS),
    ROWS("event", event_rows, ORDER_ROWS),
    ROWS("metadata", metadata_rows, ORDER_ROWS),
    ROWS("classifier", classifier_rows, ORDER_ROWS),
};
const struct language_row_set language_signal_rows = { signals, VSR_COUNT(signals) };

const char *const language_signal_lists[] = {
    "keywords", "embeddings", "domains",      "fact_check", "user_feedbacks", "reasks",        "preferences",
    "language", "context",    "structure",    "complexity", "modality",       "role_bindings", "jailbreak",
    "pii",      "kb",         "conversation", "events",     "metadata",       "classifiers",   NULL,
};

/* ---- projections (§4.4) */

static const struct language_row partition_rows[] = {
    OMITTED("semantics"),
    OMITTED("temperature"),
    OMITTED("members"),
    OMITTED("default"),
};
const struct language_rows language_partition_rows = ROWS("partition", partition_rows, ORDER_ROWS);

static const struct language_row score_rows[] = {
    WRITTEN("method"),
    { .name = "inputs", .zero = ZERO_OMITTED, .nested = &score_input },
};
const struct language_rows language_score_rows = ROWS("score", score_rows, ORDER_ROWS);

static const struct language_row mapping_rows[] = {
    OMITTED("source"),
    WRITTEN("method"),
    NESTED("calibration", calibration),
    { .name = "outputs", .zero = ZERO_OMITTED, .nested = &output },
};
const struct language_rows language_mapping_rows = ROWS("mapping", mapping_rows, ORDER_ROWS);

/* ---- models, entrypoints, profiles, routes (§4.1, §4.2, §4.5, §4.7) */

static const struct language_row model_rows[] = {
    OMITTED("param_size"),
    OMITTED("context_window_size"),
    OMITTED("description"),
    OMITTED("capabilities"),
    { .name = "loras", .zero = ZERO_OMITTED, .nested = &lora },
    OMITTED("tags"),
    OMITTED("quality_score"),
    OMITTED("modality"),
};
static const char *const model_yaml[] = { "param_size", "context_window_size", "description", "capabilities",
                                          "loras",      "quality_score",       "modality",    "tags",
                                          NULL };
const struct language_rows language_model_rows = ROWS("model", model_rows, ORDER_ROWS, .yaml = model_yaml);

static const struct language_row entrypoint_rows[] = { KEPT("model_names"), KEPT("recipe") };
const struct language_rows language_entrypoint_rows = ROWS("entrypoint", entrypoint_rows, ORDER_ROWS);

static const struct language_row retention_rows[] = {
    KEPT("drop"),
    KEPT("ttl_turns"),
    KEPT("keep_current_model"),
    KEPT("prefer_prefix_retention"),
};
const struct language_rows language_retention_rows = ROWS("retention", retention_rows, ORDER_ROWS);

/* What is said by declarations. */
static const char *const profile_lists[] = { "modelCards", "signals", "projections", "decisions", NULL };
static const struct language_row routing_rows[] = { OMITTED("strategy") };
const struct language_rows language_routing_rows = ROWS("routing", routing_rows, ORDER_ROWS, .hidden = profile_lists);

/* What is said by the shape of an expression. */
static const char *const leaf_hidden[] = { "type", "operator", "conditions", "not", NULL };
static const struct language_row leaf_rows[] = { OMITTED("label"), KEPT("predicate"), OMITTED("on_error") };
const struct language_rows language_leaf_rows = ROWS("signal reference", leaf_rows, ORDER_ROWS, .hidden = leaf_hidden);

static const char *const ref_hidden[] = { "model", NULL };
static const struct language_row ref_rows[] = {
    { .name = "reasoning", .zero = ZERO_WRITTEN, .yaml = "use_reasoning" },
    { .name = "effort", .zero = ZERO_OMITTED, .yaml = "reasoning_effort" },
    { .name = "lora", .zero = ZERO_OMITTED, .yaml = "lora_name" },
    OMITTED("weight"),
};
static const char *const ref_yaml[] = { "lora", "weight", "reasoning", "effort", NULL };
const struct language_rows language_ref_rows =
    ROWS("model reference", ref_rows, ORDER_ROWS, .yaml = ref_yaml, .hidden = ref_hidden);

/* What routes say with items of their own. */
static const char *const extra_hidden[] = {
    "description",         "priority", "tier", "rules", "modelRefs", "algorithm", "plugins",
    "candidateIterations", "emits",    NULL,
};
static const struct language_row extra_rows[] = {
    OMITTED("output_contract"),
    KEPT("output_contract_spec"),
    KEPT("adaptations"),
    KEPT("annotations"),
};
const struct language_rows language_extra_rows = ROWS("extra", extra_rows, ORDER_ROWS, .hidden = extra_hidden);

/* ---- algorithms (§4.9): sorted by name; rows only where a zero counts or YAML has another place */

static const struct language_row own_error_rows[] = { OMITTED("on_error") };
#define BOTH(label) \
    { .name = (label), .zero = ZERO_OMITTED, .place = PLACE_BOTH }
static const struct language_row fusion_rows[] = {
    BOTH("on_error"),
    KEPT("include_analysis"),
    KEPT("include_intermediate_responses"),
    KEPT("temperature"),
};
static const struct language_row workflows_rows[] = {
    BOTH("on_error"),
    KEPT("include_intermediate_responses"),
    KEPT("temperature"),
};
static const struct language_row remom_rows[] = { OMITTED("on_error"), KEPT("max_completion_tokens") };
static const struct language_row outer_error_rows[] = { BESIDE("on_error") };
static const struct language_row prompt_rows[] = { BESIDE("on_error"), BESIDE("prompt") };

static const struct language_rows algorithms[] = {
    ROWS("automix", outer_error_rows, ORDER_SORTED),
    ROWS("confidence", own_error_rows, ORDER_SORTED),
    ROWS("fusion", fusion_rows, ORDER_SORTED),
    ROWS("hybrid", outer_error_rows, ORDER_SORTED),
    ROWS("kmeans", outer_error_rows, ORDER_SORTED),
    ROWS("knn", outer_error_rows, ORDER_SORTED),
    ROWS("latency_aware", outer_error_rows, ORDER_SORTED),
    ROWS("mlp", outer_error_rows, ORDER_SORTED),
    ROWS("multi_factor", outer_error_rows, ORDER_SORTED),
    ROWS("prompt", prompt_rows, ORDER_SORTED),
    ROWS("ratings", own_error_rows, ORDER_SORTED),
    ROWS("remom", remom_rows, ORDER_SORTED),
    ROWS("router_dc", outer_error_rows, ORDER_SORTED),
    ROWS("static", outer_error_rows, ORDER_SORTED),
    ROWS("svm", outer_error_rows, ORDER_SORTED),
    ROWS("workflows", workflows_rows, ORDER_SORTED),
};
const struct language_row_set language_algorithm_rows = { algorithms, VSR_COUNT(algorithms) };

/* ---- plugins (§4.10) */

static const struct language_row system_prompt_rows[] = { KEPT("enabled"), OMITTED("system_prompt"), OMITTED("mode") };
static const struct language_row router_replay_rows[] = {
    LATER("enabled"),
    OMITTED("max_records"),
    LATER("capture_request_body"),
    LATER("capture_response_body"),
    OMITTED("max_body_bytes"),
    OMITTED("max_tool_trace_bytes"),
    OMITTED("max_tool_trace_steps"),
};
static const struct language_row memory_rows[] = {
    LATER("enabled"),
    KEPT("retrieval_limit"),
    KEPT("similarity_threshold"),
    KEPT("auto_store"),
};
static const struct language_row hallucination_rows[] = {
    LATER("enabled"),
    LATER("use_nli"),
    OMITTED("hallucination_action"),
    OMITTED("unverified_factual_action"),
    LATER("include_hallucination_details"),
};
static const struct language_row image_gen_rows[] = { LATER("enabled"), OMITTED("backend") };
static const struct language_row fast_response_rows[] = { OMITTED("message") };
static const struct language_row request_params_rows[] = {
    OMITTED("blocked_params"),
    KEPT("max_tokens_limit"),
    KEPT("max_n"),
    LATER("strip_unknown"),
};
static const struct language_row tool_selection_rows[] = {
    LATER("enabled"),
    OMITTED("mode"),
    OMITTED("tools_db_path"),
    OMITTED("top_k"),
    KEPT("similarity_threshold"),
    OMITTED("strategy"),
    LATER("fallback_to_empty"),
    KEPT("relevance_threshold"),
    OMITTED("preserve_count"),
};
static const struct language_row tools_rows[] = {
    LATER("enabled"),       OMITTED("mode"),        KEPT("semantic_selection"),  OMITTED("strategy"),
    OMITTED("allow_tools"), OMITTED("block_tools"), LATER("strip_tool_history"), OMITTED("dynamic_retrieval"),
};
static const struct language_row rag_rows[] = {
    LATER("enabled"),           OMITTED("backend"),        KEPT("similarity_threshold"),     KEPT("top_k"),
    KEPT("max_context_length"), OMITTED("injection_mode"), OMITTED("backend_config"),        OMITTED("on_failure"),
    LATER("cache_results"),     KEPT("cache_ttl_seconds"), KEPT("min_confidence_threshold"),
};
static const struct language_row header_mutation_rows[] = {
    { .name = "add", .zero = ZERO_OMITTED, .nested = &pair },
    { .name = "update", .zero = ZERO_OMITTED, .nested = &pair },
    OMITTED("delete"),
};
static const struct language_row response_jailbreak_rows[] = {
    WRITTEN("enabled"),
    OMITTED("threshold"),
    OMITTED("action"),
};

static const struct language_rows plugins[] = {
    { .name = "context_compression", .order = ORDER_SORTED },
    ROWS("fast_response", fast_response_rows, ORDER_ROWS),
    ROWS("hallucination", hallucination_rows, ORDER_ROWS),
    ROWS("header_mutation", header_mutation_rows, ORDER_ROWS),
    ROWS("image_gen", image_gen_rows, ORDER_ROWS),
    ROWS("memory", memory_rows, ORDER_ROWS),
    ROWS("rag", rag_rows, ORDER_ROWS),
    ROWS("request_params", request_params_rows, ORDER_ROWS),
    { .name = "response_cache", .order = ORDER_SORTED },
    ROWS("response_jailbreak", response_jailbreak_rows, ORDER_ROWS),
    ROWS("router_replay", router_replay_rows, ORDER_ROWS),
    ROWS("system_prompt", system_prompt_rows, ORDER_ROWS),
    ROWS("tool_selection", tool_selection_rows, ORDER_ROWS),
    ROWS("tools", tools_rows, ORDER_ROWS),
};
const struct language_row_set language_plugin_rows = { plugins, VSR_COUNT(plugins) };
