/* router_replay - what was decided and what came of it is recorded (plugins.md). */
#include <math.h>

#include "plugin/plugin.h"

struct router_replay_config {
    struct config_at at;
    bool enabled, capture_request_body, capture_response_body;
    int64_t max_records, max_body_bytes, max_tool_trace_bytes, max_tool_trace_steps;
};

#define COUNT(name, number, minimum, text) \
    { \
#name, FIELD_INT, offsetof(struct router_replay_config, name), \
            .flags = FIELD_RANGE, .fallback = number, .least = minimum, .greatest = INFINITY, .help = text \
    }
static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct router_replay_config, enabled), .fallback = "true",
      .help = "Whether the decision's requests are recorded." },
    COUNT(max_records, "10000", 1, "Records that are kept; the oldest go first."),
    { "capture_request_body", FIELD_BOOL, offsetof(struct router_replay_config, capture_request_body),
      .fallback = "false", .help = "Whether prompts are recorded." },
    { "capture_response_body", FIELD_BOOL, offsetof(struct router_replay_config, capture_response_body),
      .fallback = "false", .help = "Whether answers are recorded." },
    COUNT(max_body_bytes, "4096", 0, "Recorded length of a body; the rest is cut."),
    COUNT(max_tool_trace_bytes, "0", 0, "Recorded length of tool calls and results; 0: no limit."),
    COUNT(max_tool_trace_steps, "100", 0, "Recorded steps, the oldest are dropped; 0: no limit."),
};
#undef COUNT
static const struct schema schema = SCHEMA("router_replay", struct router_replay_config, fields);

static bool is_enabled(const void *block) {
    const struct router_replay_config *config = block;
    return config && config->enabled;
}

const struct config_kind plugin_router_replay = { .type = "router_replay", .schema = &schema, .enabled = is_enabled };
