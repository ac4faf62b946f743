/* fast_response - the decision answers by itself; no model is called (plugins.md). */
#include "plugin/plugin.h"

struct fast_response_config {
    struct config_at at;
    vsr_str message;
};

static const struct field fields[] = {
    { "message", FIELD_STRING, offsetof(struct fast_response_config, message), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "The answer." },
};
static const struct schema schema = SCHEMA("fast_response", struct fast_response_config, fields);

/* Without it, what a decision blocks would be forwarded. */
const struct config_kind plugin_fast_response = {
    .type = "fast_response", .schema = &schema, .block_required = true, .unsafe = true
};
