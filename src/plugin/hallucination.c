/* hallucination - answers are checked against what they were given to read (plugins.md). */
#include "plugin/plugin.h"

struct hallucination_config {
    struct config_at at;
    bool enabled, use_nli, include_hallucination_details;
    int hallucination_action;      /* 0 header, 1 body, 2 block, 3 none */
    int unverified_factual_action; /* 0 header, 1 body, 2 none */
    int64_t min_severity;
    int stream_guard; /* 0 window, 1 buffer */
};

static const char *const actions[] = { "header", "body", "block", "none", NULL };
static const char *const factual_actions[] = { "header", "body", "none", NULL };
static const char *const guards[] = { "window", "buffer", NULL };

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct hallucination_config, enabled), .fallback = "true",
      .help = "Whether answers are checked." },
    { "use_nli", FIELD_BOOL, offsetof(struct hallucination_config, use_nli), .fallback = "false",
      .help = "Whether findings are confirmed by entailment." },
    { "hallucination_action", FIELD_ENUM, offsetof(struct hallucination_config, hallucination_action),
      .fallback = "header", .choices = actions, .help = "What a finding does." },
    { "unverified_factual_action", FIELD_ENUM, offsetof(struct hallucination_config, unverified_factual_action),
      .fallback = "header", .choices = factual_actions, .help = "What an answer does that nothing could verify." },
    { "include_hallucination_details", FIELD_BOOL, offsetof(struct hallucination_config, include_hallucination_details),
      .fallback = "false", .help = "Whether the findings are told one by one." },
    { "min_severity", FIELD_INT, offsetof(struct hallucination_config, min_severity), .flags = FIELD_RANGE,
      .fallback = "0", .least = 0, .greatest = 4, .help = "Findings below it do not count." },
    { "stream_guard", FIELD_ENUM, offsetof(struct hallucination_config, stream_guard), .fallback = "window",
      .choices = guards, .help = "With block: whether a stream is checked as it passes, or held back whole." },
};
static const struct schema schema = SCHEMA("hallucination", struct hallucination_config, fields);

static bool is_enabled(const void *block) {
    const struct hallucination_config *config = block;
    return config && config->enabled;
}

const struct config_kind plugin_hallucination = {
    .type = "hallucination", .schema = &schema, .block_required = true, .unsafe = true, .enabled = is_enabled
};
