/*
 * conversation - the shape of the message list: turns, tools, images (signals.md §5.4).
 */
#include "config/predicate.h"
#include "core/arena.h"
#include "signal/family.h"
#include "signal/rule_checks.h"

enum feature_type { FEATURE_COUNT, FEATURE_EXISTS };

enum source_type {
    SOURCE_MESSAGE,
    SOURCE_TOOL_DEFINITION,
    SOURCE_ASSISTANT_TOOL_CALL,
    SOURCE_ASSISTANT_TOOL_CYCLE,
    SOURCE_ACTIVE_TOOL_LOOP,
    SOURCE_IMAGE_CONTENT,
};

enum source_role {
    SOURCE_ROLE_ANY,
    SOURCE_ROLE_USER,
    SOURCE_ROLE_ASSISTANT,
    SOURCE_ROLE_SYSTEM,
    SOURCE_ROLE_DEVELOPER,
    SOURCE_ROLE_TOOL,
    SOURCE_ROLE_NON_USER,
};

static const char *const feature_types[] = { "count", "exists", NULL };
static const char *const source_types[] = {
    "message", "tool_definition", "assistant_tool_call", "assistant_tool_cycle", "active_tool_loop", "image_content",
    NULL
};
static const char *const source_roles[] = { "", "user", "assistant", "system", "developer", "tool", "non_user", NULL };

struct source_config {
    struct config_at at;
    int type; /* enum source_type */
    int role; /* enum source_role */
};

struct feature_config {
    struct config_at at;
    int type; /* enum feature_type */
    struct source_config source;
};

struct conversation_config {
    struct config_at at;
    vsr_str name, description;
    struct feature_config feature;
    struct config_predicate *predicate;
};

static const struct field source_fields[] = {
    { "type", FIELD_ENUM, offsetof(struct source_config, type), .flags = FIELD_REQUIRED, .choices = source_types,
      .help = "What is counted." },
    { "role", FIELD_ENUM, offsetof(struct source_config, role), .choices = source_roles,
      .help = "Of messages only: whose; left out: everybody's." },
};
static const struct schema source_schema = SCHEMA("source", struct source_config, source_fields);

static const struct field feature_fields[] = {
    { "type", FIELD_ENUM, offsetof(struct feature_config, type), .flags = FIELD_REQUIRED, .choices = feature_types,
      .help = "count compares the number; exists matches when there is any." },
    { "source", FIELD_OBJECT, offsetof(struct feature_config, source), .flags = FIELD_REQUIRED,
      .object = &source_schema, .help = "Where the number comes from." },
};
static const struct schema feature_schema = SCHEMA("feature", struct feature_config, feature_fields);

static const struct field conversation_fields[] = {
    RULE_FIELDS(struct conversation_config),
    RULE_FEATURE_FIELDS(struct conversation_config, feature_schema,
                        "Bounds that the count must keep; without them a count always matches."),
};

static const struct schema conversation_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct conversation_config *rule = object;
    rule_check_exists(rule, &conversation_schema, rule->feature.type == FEATURE_EXISTS, rule->predicate, arena, diag);
    if (rule->feature.source.role != SOURCE_ROLE_ANY && rule->feature.source.type != SOURCE_MESSAGE)
        diag_error(diag, "E_CONFLICT", schema_field_at(&source_schema, &rule->feature.source, "role", arena),
                   (vsr_str){ 0 }, "role belongs to source.type \"message\" only, not to \"%s\"",
                   source_types[rule->feature.source.type]);
}

static const struct schema conversation_schema =
    SCHEMA("conversation rule", struct conversation_config, conversation_fields, .check = check_rule);

struct conversation_state {
    const struct conversation_config *rules;
    size_t n_rules;
    uint32_t first_slot;
};

static void *build(struct signal_builder *builder) {
    struct conversation_state *state = ARENA_NEW(builder->arena, struct conversation_state);
    state->rules = builder->rules->items;
    state->n_rules = builder->rules->n;
    state->first_slot = builder->first_slot;
    return state;
}

static uint32_t count_messages(const struct request_facts *facts, enum source_role role) {
    uint32_t non_user = facts->n_assistant + facts->n_system + facts->n_tool + facts->n_developer;
    switch (role) {
    case SOURCE_ROLE_ANY:
        return facts->n_user + non_user;
    case SOURCE_ROLE_USER:
        return facts->n_user;
    case SOURCE_ROLE_ASSISTANT:
        return facts->n_assistant;
    case SOURCE_ROLE_SYSTEM:
        return facts->n_system;
    case SOURCE_ROLE_DEVELOPER:
        return facts->n_developer;
    case SOURCE_ROLE_TOOL:
        return facts->n_tool;
    case SOURCE_ROLE_NON_USER:
        return non_user;
    }
    return 0;
}

static uint32_t count_source(const struct request_facts *facts, const struct source_config *source) {
    switch ((enum source_type)source->type) {
    case SOURCE_MESSAGE:
        return count_messages(facts, (enum source_role)source->role);
    case SOURCE_TOOL_DEFINITION:
        return facts->n_tool_definitions;
    case SOURCE_ASSISTANT_TOOL_CALL:
        return facts->n_assistant_tool_calls;
    case SOURCE_ASSISTANT_TOOL_CYCLE:
        return facts->n_tool_results;
    case SOURCE_ACTIVE_TOOL_LOOP:
        return facts->active_tool_loop;
    case SOURCE_IMAGE_CONTENT:
        return facts->n_images;
    }
    return 0;
}

static bool rule_matches(const struct conversation_config *rule, double value) {
    struct bounds bounds;
    if (rule->feature.type == FEATURE_EXISTS)
        return value > 0;
    if (!rule->predicate)
        return true;
    bounds = bounds_of_predicate(rule->predicate);
    return bounds_hold(&bounds, value);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct conversation_state *state = data;
    (void)err;
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct conversation_config *rule = &state->rules[i];
        uint32_t slot = state->first_slot + (uint32_t)i;
        double value;
        if (!bits_has(request->wanted, slot))
            continue;
        value = count_source(request->facts, &rule->feature.source);
        if (rule->feature.type == FEATURE_EXISTS)
            value = value > 0;
        signal_value(results, slot, value);
        if (rule_matches(rule, value))
            signal_match(results, slot, 1.0);
        else
            signal_confidence(results, slot, 0.0);
    }
    return 0;
}

const struct signal_family signal_conversation = {
    .config = { .type = "conversation", .list_key = "conversation", .schema = &conversation_schema },
    .stage = SIGNAL_STAGE_CHEAP,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.build = build, .eval = eval),
};
