/* tools - which of the client's tools the model gets to see (plugins.md). */
#include <math.h>

#include "plugin/plugin.h"

enum { TOOLS_PASSTHROUGH, TOOLS_FILTERED, TOOLS_NONE };
enum { SEMANTIC_ONLY, HYBRID_HISTORY };

struct tools_weights {
    struct config_at at;
    double semantic, history, decision_prior, repetition_penalty;
};

struct tools_retrieval {
    struct config_at at;
    bool enabled, fallback_on_low_confidence;
    int strategy;
    int64_t history_window;
    struct tools_weights weights;
    double min_history_confidence;
};

struct tools_config {
    struct config_at at;
    bool enabled, semantic_selection, strip_tool_history;
    int mode;
    struct config_strings allow_tools, block_tools;
    vsr_str strategy;
    struct tools_retrieval dynamic_retrieval;
};

static const char *const modes[] = { "passthrough", "filtered", "none", NULL };
static const char *const strategies[] = { "semantic_only", "hybrid_history", NULL };

#define WEIGHT(name, text) \
    { \
#name, FIELD_NUMBER, offsetof(struct tools_weights, name), .flags = FIELD_RANGE, .fallback = "0", .least = 0, \
                                                                   .greatest = INFINITY, .help = text \
    }
static const struct field weight_fields[] = {
    WEIGHT(semantic, "Weight of the likeness of request and tool."),
    WEIGHT(history, "Weight of what followed such calls before."),
    WEIGHT(decision_prior, "Weight of what the decision usually needs."),
    WEIGHT(repetition_penalty, "What a tool loses that was just used."),
};
#undef WEIGHT
static const struct schema weights_schema = SCHEMA("weights", struct tools_weights, weight_fields);

static const struct field retrieval_fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct tools_retrieval, enabled), .fallback = "false",
      .help = "Whether tools are chosen anew at every step." },
    { "strategy", FIELD_ENUM, offsetof(struct tools_retrieval, strategy), .fallback = "semantic_only",
      .choices = strategies, .help = "Whether the calls made so far count too." },
    { "history_window", FIELD_INT, offsetof(struct tools_retrieval, history_window), .flags = FIELD_RANGE,
      .fallback = "0", .least = 0, .greatest = INFINITY, .help = "With hybrid_history: so many calls count." },
    { "weights", FIELD_OBJECT, offsetof(struct tools_retrieval, weights), .object = &weights_schema,
      .help = "What counts how much." },
    { "min_history_confidence", FIELD_NUMBER, offsetof(struct tools_retrieval, min_history_confidence),
      .flags = FIELD_RANGE, .fallback = "0", .least = 0, .greatest = 1, .help = "Below it history does not count." },
    { "fallback_on_low_confidence", FIELD_BOOL, offsetof(struct tools_retrieval, fallback_on_low_confidence),
      .fallback = "false", .help = "Whether all tools are sent when nothing fits." },
};

static void check_retrieval(const void *object, struct arena *arena, struct diag *diag);

static const struct schema retrieval_schema =
    SCHEMA("dynamic retrieval", struct tools_retrieval, retrieval_fields, .check = check_retrieval);

static void check_retrieval(const void *object, struct arena *arena, struct diag *diag) {
    const struct tools_retrieval *config = object;
    if (config->strategy == HYBRID_HISTORY && config->history_window < 1)
        diag_error(diag, "E_RANGE", schema_field_at(&retrieval_schema, object, "history_window", arena), VSR_STR(""),
                   "strategy hybrid_history needs a history_window of at least 1");
}

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct tools_config, enabled), .fallback = "true",
      .help = "Whether the plugin does anything." },
    { "mode", FIELD_ENUM, offsetof(struct tools_config, mode), .fallback = "passthrough", .choices = modes,
      .help = "Whether all tools are sent, some, or none." },
    { "semantic_selection", FIELD_BOOL, offsetof(struct tools_config, semantic_selection), .fallback = "true",
      .help = "Whether tools of the catalogue may be added; without effect in mode none." },
    { "allow_tools", FIELD_STRINGS, offsetof(struct tools_config, allow_tools), .flags = FIELD_NONBLANK,
      .help = "With filtered: only these are sent." },
    { "block_tools", FIELD_STRINGS, offsetof(struct tools_config, block_tools), .flags = FIELD_NONBLANK,
      .help = "With filtered: these are not sent." },
    { "strip_tool_history", FIELD_BOOL, offsetof(struct tools_config, strip_tool_history), .flags = FIELD_UNSET,
      .fallback = "false", .help = "With none: whether earlier calls and results are taken out of the conversation." },
    { "strategy", FIELD_STRING, offsetof(struct tools_config, strategy), .fallback = "default",
      .help = "How tools of the catalogue are ranked." },
    { "dynamic_retrieval", FIELD_OBJECT, offsetof(struct tools_config, dynamic_retrieval), .object = &retrieval_schema,
      .help = "Tools chosen by what was called so far." },
};

static void check_block(const void *object, struct arena *arena, struct diag *diag);

static const struct schema schema = SCHEMA("tools", struct tools_config, fields, .check = check_block);

static void need_mode(const struct tools_config *config, const char *field, const char *mode, struct arena *arena,
                      struct diag *diag) {
    if (schema_present(&schema, config, field))
        diag_error(diag, "E_CONFLICT", schema_field_at(&schema, config, field, arena), VSR_STR(""),
                   "\"%s\" belongs to mode %s", field, mode);
}

static void check_block(const void *object, struct arena *arena, struct diag *diag) {
    const struct tools_config *config = object;
    if (config->mode != TOOLS_FILTERED) {
        need_mode(config, "allow_tools", "filtered", arena, diag);
        need_mode(config, "block_tools", "filtered", arena, diag);
    } else if (config->allow_tools.n == 0 && config->block_tools.n == 0) {
        diag_error(diag, "E_REQUIRED", schema_at(object), VSR_STR(""),
                   "mode filtered needs allow_tools or block_tools");
    }
    if (config->mode != TOOLS_NONE && config->strip_tool_history)
        need_mode(config, "strip_tool_history", "none", arena, diag);
}

/* Passing everything through is what happens anyway, unless tools are to be chosen. */
static bool is_enabled(const void *block) {
    const struct tools_config *config = block;
    return config && config->enabled && (config->mode != TOOLS_PASSTHROUGH || config->dynamic_retrieval.enabled);
}

/* A model that must not see tools would see them. */
const struct config_kind plugin_tools = {
    .type = "tools", .schema = &schema, .block_required = true, .unsafe = true, .enabled = is_enabled
};
