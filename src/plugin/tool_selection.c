/* tool_selection - tools that fit the request are added, or those that do not are left out (plugins.md). */
#include <math.h>

#include "plugin/plugin.h"

enum { SELECTION_ADD, SELECTION_FILTER };

struct tool_selection_config {
    struct config_at at;
    bool enabled, fallback_to_empty;
    int mode;
    vsr_str tools_db_path, strategy;
    int64_t top_k, preserve_count;
    double similarity_threshold, relevance_threshold;
    const struct yaml_node *advanced_filtering;
};

static const char *const modes[] = { "add", "filter", NULL };

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct tool_selection_config, enabled), .fallback = "true",
      .help = "Whether the plugin does anything." },
    { "mode", FIELD_ENUM, offsetof(struct tool_selection_config, mode), .fallback = "add", .choices = modes,
      .help = "Whether tools of the catalogue are added, or the request's own are filtered." },
    { "tools_db_path", FIELD_STRING, offsetof(struct tool_selection_config, tools_db_path),
      .help = "add: the catalogue; absent: that of global.integrations.tools." },
    { "top_k", FIELD_INT, offsetof(struct tool_selection_config, top_k), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .help = "add: so many tools; 0: as global.integrations.tools says." },
    { "similarity_threshold", FIELD_NUMBER, offsetof(struct tool_selection_config, similarity_threshold),
      .flags = FIELD_RANGE, .least = 0, .greatest = 1, .help = "add: least likeness of request and tool." },
    { "strategy", FIELD_STRING, offsetof(struct tool_selection_config, strategy),
      .help = "add: how tools are ranked." },
    { "fallback_to_empty", FIELD_BOOL, offsetof(struct tool_selection_config, fallback_to_empty), .flags = FIELD_UNSET,
      .fallback = "true", .help = "add: whether no tool at all may come out when selection fails." },
    { "advanced_filtering", FIELD_NODE, offsetof(struct tool_selection_config, advanced_filtering),
      .help = "add: as in global.integrations.tools.advanced_filtering." },
    { "relevance_threshold", FIELD_NUMBER, offsetof(struct tool_selection_config, relevance_threshold),
      .flags = FIELD_UNSET | FIELD_RANGE, .fallback = "0", .least = 0, .greatest = 1,
      .help = "filter: least relevance that stays." },
    { "preserve_count", FIELD_INT, offsetof(struct tool_selection_config, preserve_count),
      .flags = FIELD_UNSET | FIELD_RANGE, .fallback = "0", .least = 0, .greatest = INFINITY,
      .help = "filter: so many stay whatever their relevance." },
};

static void check_block(const void *object, struct arena *arena, struct diag *diag);

static const struct schema schema =
    SCHEMA("tool_selection", struct tool_selection_config, fields, .check = check_block);

static void check_block(const void *object, struct arena *arena, struct diag *diag) {
    static const char *const adding[] = {
        "tools_db_path", "top_k", "similarity_threshold", "strategy", "fallback_to_empty", "advanced_filtering", NULL
    };
    static const char *const filtering[] = { "relevance_threshold", "preserve_count", NULL };
    const struct tool_selection_config *config = object;
    for (const char *const *field = config->mode == SELECTION_ADD ? filtering : adding; *field; field++)
        if (schema_present(&schema, config, *field))
            diag_error(diag, "E_CONFLICT", schema_field_at(&schema, config, *field, arena), VSR_STR(""),
                       "\"%s\" does not belong to mode %s", *field, modes[config->mode]);
}

static bool is_enabled(const void *block) {
    const struct tool_selection_config *config = block;
    return config && config->enabled;
}

const struct config_kind plugin_tool_selection = {
    .type = "tool_selection", .schema = &schema, .block_required = true, .enabled = is_enabled
};
