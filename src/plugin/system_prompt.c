/* system_prompt - the decision's instruction to the model (plugins.md). */
#include "plugin/plugin.h"

struct system_prompt_config {
    struct config_at at;
    bool enabled;
    vsr_str system_prompt;
    int mode; /* 0 insert, 1 replace */
};

static const char *const modes[] = { "insert", "replace", NULL };

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct system_prompt_config, enabled), .fallback = "true",
      .help = "Whether it is sent; a text that is empty is not." },
    { "system_prompt", FIELD_STRING, offsetof(struct system_prompt_config, system_prompt), .help = "The text." },
    { "mode", FIELD_ENUM, offsetof(struct system_prompt_config, mode), .fallback = "insert", .choices = modes,
      .help = "Whether it stands before the client's system prompt, or instead of it." },
};
static const struct schema schema = SCHEMA("system_prompt", struct system_prompt_config, fields);

static bool is_enabled(const void *block) {
    const struct system_prompt_config *config = block;
    return config && config->enabled && config->system_prompt.len > 0;
}

const struct config_kind plugin_system_prompt = {
    .type = "system_prompt", .schema = &schema, .block_required = true, .enabled = is_enabled
};
