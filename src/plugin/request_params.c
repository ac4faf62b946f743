/* request_params - what a request may ask of the model, and how much (plugins.md). */
#include <math.h>

#include "plugin/plugin.h"

struct request_params_config {
    struct config_at at;
    struct config_strings blocked_params;
    int64_t max_tokens_limit, max_n; /* 0: none */
    bool strip_unknown;
};

static const struct field fields[] = {
    { "blocked_params", FIELD_STRINGS, offsetof(struct request_params_config, blocked_params), .flags = FIELD_NONBLANK,
      .help = "Members that are taken out of the request." },
    { "max_tokens_limit", FIELD_INT, offsetof(struct request_params_config, max_tokens_limit), .flags = FIELD_RANGE,
      .least = 1, .greatest = INFINITY, .help = "Greatest limit for the answer; absent: none." },
    { "max_n", FIELD_INT, offsetof(struct request_params_config, max_n), .flags = FIELD_RANGE, .least = 1,
      .greatest = INFINITY, .help = "Most answers to one request; absent: any number." },
    { "strip_unknown", FIELD_BOOL, offsetof(struct request_params_config, strip_unknown), .fallback = "false",
      .help = "Whether members that the API does not define are taken out." },
};
static const struct schema schema = SCHEMA("request_params", struct request_params_config, fields);

/* Limits that nobody enforces are worse than none: budgets rely on them. */
const struct config_kind plugin_request_params = {
    .type = "request_params", .schema = &schema, .block_required = true, .unsafe = true
};
