/* response_jailbreak - answers are screened for what an attack would have wanted (plugins.md). */
#include "plugin/plugin.h"

struct response_jailbreak_config {
    struct config_at at;
    bool enabled;
    double threshold;
    int action;       /* 0 header, 1 block, 2 none */
    int stream_guard; /* 0 window, 1 buffer */
    int64_t stream_window_tokens;
};

static const char *const actions[] = { "header", "block", "none", NULL };
static const char *const guards[] = { "window", "buffer", NULL };

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct response_jailbreak_config, enabled), .fallback = "true",
      .help = "Whether answers are screened." },
    { "threshold", FIELD_NUMBER, offsetof(struct response_jailbreak_config, threshold), .flags = FIELD_RANGE,
      .fallback = "0", .least = 0, .greatest = 1, .help = "From here on an answer counts; 0: that of prompt_guard." },
    { "action", FIELD_ENUM, offsetof(struct response_jailbreak_config, action), .fallback = "header",
      .choices = actions, .help = "Whether a finding is told, held back, or only counted." },
    { "stream_guard", FIELD_ENUM, offsetof(struct response_jailbreak_config, stream_guard), .fallback = "window",
      .choices = guards, .help = "With block: whether a stream is screened as it passes, or held back whole." },
    { "stream_window_tokens", FIELD_INT, offsetof(struct response_jailbreak_config, stream_window_tokens),
      .flags = FIELD_RANGE, .fallback = "64", .least = 1, .greatest = 65536,
      .help = "With window: how often it is screened." },
};
static const struct schema schema = SCHEMA("response_jailbreak", struct response_jailbreak_config, fields);

static bool is_enabled(const void *block) {
    const struct response_jailbreak_config *config = block;
    return config && config->enabled;
}

const struct config_kind plugin_response_jailbreak = {
    .type = "response_jailbreak", .schema = &schema, .block_required = true, .unsafe = true, .enabled = is_enabled
};
