/* context_compression - long conversations are shortened before the model reads them (plugins.md). */
#include <math.h>

#include "plugin/plugin.h"

enum { SCORING_BM25 };

struct compression_budget {
    struct config_at at;
    int64_t trigger_tokens, target_tokens, reserve_output_tokens; /* FIELD_AUTO */
};

struct compression_target {
    struct config_at at;
    int mode;
    int64_t min_tokens, target_tokens;
};

struct compression_targets {
    struct config_at at;
    struct compression_target tool_outputs, history, rag, memory;
};

struct compression_scoring {
    struct config_at at;
    int method;
    vsr_str embedding_model_ref;
};

struct compression_recovery {
    struct config_at at;
    bool enabled;
    int store;
    int64_t ttl_seconds, max_bytes_per_request, max_total_bytes, max_retrievals;
};

struct compression_controls {
    struct config_at at;
    bool enabled;
    vsr_str header;
    struct config_strings allowed;
    int64_t max_target_tokens;
};

struct context_compression_config {
    struct config_at at;
    bool enabled;
    int mode, failure_mode;
    struct compression_budget budget;
    struct compression_targets targets;
    struct compression_scoring scoring;
    struct compression_recovery recovery;
    struct compression_controls request_controls;
};

static const char *const modes[] = { "auto", "always", NULL };
static const char *const failure_modes[] = { "fail_open", "fail_closed", NULL };
static const char *const target_modes[] = { "preserve", "extractive", "recoverable", NULL };
static const char *const methods[] = { "bm25", "embedding", "hybrid", NULL };
static const char *const stores[] = { "redis", "valkey", "response_cache", NULL };

/* ---- budget */

#define BUDGET(name, text) \
    { \
#name, FIELD_INT_OR_AUTO, offsetof(struct compression_budget, name), \
            .flags = FIELD_RANGE, .fallback = "auto", .least = 0, .greatest = INFINITY, .help = text \
    }
static const struct field budget_fields[] = {
    BUDGET(trigger_tokens, "Shorter conversations are left alone."),
    BUDGET(target_tokens, "Length to arrive at."),
    BUDGET(reserve_output_tokens, "Part of the context window that is kept for the answer."),
};
#undef BUDGET

static void check_budget(const void *object, struct arena *arena, struct diag *diag);

static const struct schema budget_schema =
    SCHEMA("budget", struct compression_budget, budget_fields, .check = check_budget);

static void check_budget(const void *object, struct arena *arena, struct diag *diag) {
    const struct compression_budget *budget = object;
    if (budget->trigger_tokens > 0 && budget->target_tokens >= budget->trigger_tokens)
        diag_error(diag, "E_RANGE", schema_field_at(&budget_schema, object, "target_tokens", arena), VSR_STR(""),
                   "target_tokens %lld must be less than trigger_tokens %lld", (long long)budget->target_tokens,
                   (long long)budget->trigger_tokens);
}

/* ---- targets */

#define TARGET_FIELDS(number_mode, number_min, number_target) \
    { "mode", \
      FIELD_ENUM, \
      offsetof(struct compression_target, mode), \
      .fallback = number_mode, \
      .choices = target_modes, \
      .help = "Whether it stays, is shortened, or is shortened so that it can be asked for." }, \
        { "min_tokens", \
          FIELD_INT, \
          offsetof(struct compression_target, min_tokens), \
          .flags = FIELD_RANGE, \
          .fallback = number_min, \
          .least = 0, \
          .greatest = INFINITY, \
          .help = "Shorter pieces are left alone." }, \
    { \
        "target_tokens", FIELD_INT, offsetof(struct compression_target, target_tokens), \
            .flags = FIELD_RANGE, .fallback = number_target, .least = 0, .greatest = INFINITY, \
            .help = "Length to arrive at." \
    }

static const struct field tool_fields[] = { TARGET_FIELDS("extractive", "2000", "1000") };
static const struct field other_fields[] = { TARGET_FIELDS("preserve", "0", "0") };
#undef TARGET_FIELDS

static void check_target(const void *object, struct arena *arena, struct diag *diag);

static const struct schema tool_schema =
    SCHEMA("compression target", struct compression_target, tool_fields, .check = check_target);
static const struct schema other_schema =
    SCHEMA("compression target", struct compression_target, other_fields, .check = check_target);

static void check_target(const void *object, struct arena *arena, struct diag *diag) {
    const struct compression_target *target = object;
    if (target->min_tokens > 0 && target->target_tokens >= target->min_tokens)
        diag_error(diag, "E_RANGE", schema_field_at(&other_schema, object, "target_tokens", arena), VSR_STR(""),
                   "target_tokens %lld must be less than min_tokens %lld", (long long)target->target_tokens,
                   (long long)target->min_tokens);
}

#define TARGET(name, table, text) \
    { #name, FIELD_OBJECT, offsetof(struct compression_targets, name), .object = &(table), .help = text }
static const struct field targets_fields[] = {
    TARGET(tool_outputs, tool_schema, "Results of tools."),
    TARGET(history, other_schema, "Earlier turns."),
    TARGET(rag, other_schema, "Retrieved documents."),
    TARGET(memory, other_schema, "Recalled memories."),
};
#undef TARGET
static const struct schema targets_schema = SCHEMA("targets", struct compression_targets, targets_fields);

/* ---- scoring */

static const struct field scoring_fields[] = {
    { "method", FIELD_ENUM, offsetof(struct compression_scoring, method), .fallback = "bm25", .choices = methods,
      .help = "How sentences are ranked." },
    { "embedding_model_ref", FIELD_STRING, offsetof(struct compression_scoring, embedding_model_ref),
      .help = "Embedding model of the methods embedding and hybrid." },
};

static void check_scoring(const void *object, struct arena *arena, struct diag *diag);

static const struct schema scoring_schema =
    SCHEMA("scoring", struct compression_scoring, scoring_fields, .check = check_scoring);

static void check_scoring(const void *object, struct arena *arena, struct diag *diag) {
    const struct compression_scoring *scoring = object;
    if (scoring->method != SCORING_BM25 && str_trim(scoring->embedding_model_ref).len == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&scoring_schema, object, "embedding_model_ref", arena),
                   VSR_STR(""), "method %s needs an embedding_model_ref", methods[scoring->method]);
}

/* ---- recovery and controls */

#define COUNT(name, number, minimum, text) \
    { \
#name, FIELD_INT, offsetof(struct compression_recovery, name), \
            .flags = FIELD_RANGE, .fallback = number, .least = minimum, .greatest = INFINITY, .help = text \
    }
static const struct field recovery_fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct compression_recovery, enabled), .fallback = "false",
      .help = "Whether the model may ask for what was left out." },
    { "store", FIELD_ENUM, offsetof(struct compression_recovery, store), .fallback = "redis", .choices = stores,
      .help = "Where it waits." },
    COUNT(ttl_seconds, "900", 1, "For how long."),
    COUNT(max_bytes_per_request, "10485760", 1, "Most of one request."),
    COUNT(max_total_bytes, "268435456", 1, "Most of all requests."),
    COUNT(max_retrievals, "8", 1, "How often one request may ask."),
};
#undef COUNT
static const struct schema recovery_schema = SCHEMA("recovery", struct compression_recovery, recovery_fields);

static const struct field control_fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct compression_controls, enabled), .fallback = "false",
      .help = "Whether clients may steer compression by a header." },
    { "header", FIELD_STRING, offsetof(struct compression_controls, header), .flags = FIELD_NONBLANK,
      .fallback = "x-vsr-compression-control", .help = "Its name." },
    { "allowed", FIELD_STRINGS, offsetof(struct compression_controls, allowed), .flags = FIELD_NONBLANK,
      .fallback = "[bypass, target]", .help = "What they may say: bypass, target." },
    { "max_target_tokens", FIELD_INT, offsetof(struct compression_controls, max_target_tokens), .flags = FIELD_RANGE,
      .fallback = "16000", .least = 1, .greatest = INFINITY, .help = "Longest target they may ask for." },
};

static void check_controls(const void *object, struct arena *arena, struct diag *diag);

static const struct schema controls_schema =
    SCHEMA("request controls", struct compression_controls, control_fields, .check = check_controls);

static void check_controls(const void *object, struct arena *arena, struct diag *diag) {
    const struct compression_controls *config = object;
    for (size_t i = 0; i < config->allowed.n; i++)
        if (!str_eq_c(config->allowed.items[i], "bypass") && !str_eq_c(config->allowed.items[i], "target"))
            diag_error(diag, "E_ENUM", schema_field_at(&controls_schema, object, "allowed", arena), VSR_STR(""),
                       "\"%.*s\" is not one of bypass, target", VSR_FMT(config->allowed.items[i]));
}

/* ---- the whole */

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct context_compression_config, enabled), .fallback = "true",
      .help = "Whether conversations are shortened." },
    { "mode", FIELD_ENUM, offsetof(struct context_compression_config, mode), .fallback = "auto", .choices = modes,
      .help = "Whether only long ones are, or all." },
    { "failure_mode", FIELD_ENUM, offsetof(struct context_compression_config, failure_mode), .fallback = "fail_open",
      .choices = failure_modes, .help = "Whether a failure sends the conversation as it is, or refuses it." },
    { "budget", FIELD_OBJECT, offsetof(struct context_compression_config, budget), .object = &budget_schema,
      .help = "When, and down to what; auto follows the model's context window." },
    { "targets", FIELD_OBJECT, offsetof(struct context_compression_config, targets), .object = &targets_schema,
      .help = "What is shortened." },
    { "scoring", FIELD_OBJECT, offsetof(struct context_compression_config, scoring), .object = &scoring_schema,
      .help = "What stays." },
    { "recovery", FIELD_OBJECT, offsetof(struct context_compression_config, recovery), .object = &recovery_schema,
      .help = "What was left out can be asked for." },
    { "request_controls", FIELD_OBJECT, offsetof(struct context_compression_config, request_controls),
      .object = &controls_schema, .help = "What clients may ask of compression." },
};
static const struct schema schema = SCHEMA("context_compression", struct context_compression_config, fields);

static bool is_enabled(const void *block) {
    const struct context_compression_config *config = block;
    return config && config->enabled;
}

const struct config_kind plugin_context_compression = {
    .type = "context_compression", .schema = &schema, .block_required = true, .enabled = is_enabled
};
