/* workflows - steps of workers, planned in the configuration or by a planner (decisions.md §6.9). */
#include <math.h>

#include "looper/looper.h"
#include "select/site_checks.h"

enum { MODE_STATIC, MODE_DYNAMIC };

struct workflow_role {
    struct config_at at;
    vsr_str name, prompt;
    struct config_strings models, access_list;
};

struct workflow_planner {
    struct config_at at;
    vsr_str model;
    int64_t max_completion_tokens;
};

struct workflow_final {
    struct config_at at;
    vsr_str model, prompt;
};

struct workflows_config {
    struct config_at at;
    int mode, on_error;
    int template;
    struct config_list roles; /* struct workflow_role */
    struct workflow_planner planner;
    struct workflow_final final;
    int64_t max_steps, max_parallel, max_completion_tokens, min_successful_responses;
    double round_timeout_seconds, temperature;
    bool include_intermediate_responses;
};

static const char *const modes[] = { "static", "dynamic", NULL };
static const char *const templates[] = { "micro_agent", NULL };
static const char *const on_errors[] = { "fail", "skip", NULL };

static const struct field role_fields[] = {
    { "name", FIELD_STRING, offsetof(struct workflow_role, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "What the step is for; thinker, worker and verifier have prompts of their own." },
    { "models", FIELD_STRINGS, offsetof(struct workflow_role, models), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Its workers, all of them modelRefs." },
    { "prompt", FIELD_STRING, offsetof(struct workflow_role, prompt), .flags = FIELD_VERBATIM,
      .help = "Instruction, instead of the built-in one." },
    { "access_list", FIELD_STRINGS, offsetof(struct workflow_role, access_list),
      .help = "Earlier steps whose results it reads; absent: all, empty: none." },
};
static const struct schema role_schema = SCHEMA("role", struct workflow_role, role_fields);

static const struct field planner_fields[] = {
    { "model", FIELD_STRING, offsetof(struct workflow_planner, model), .help = "Who plans; any model card." },
    { "max_completion_tokens", FIELD_INT, offsetof(struct workflow_planner, max_completion_tokens),
      .flags = FIELD_RANGE, .fallback = "2048", .least = 1, .greatest = INFINITY, .help = "Limit of the plan." },
};
static const struct schema planner_schema = SCHEMA("planner", struct workflow_planner, planner_fields);

static const struct field final_fields[] = {
    { "model", FIELD_STRING, offsetof(struct workflow_final, model),
      .help = "Who writes the answer; one of the modelRefs." },
    { "prompt", FIELD_STRING, offsetof(struct workflow_final, prompt), .flags = FIELD_VERBATIM,
      .help = "Instruction, instead of the built-in one." },
};
static const struct schema final_schema = SCHEMA("final", struct workflow_final, final_fields);

#define COUNT(name, number, minimum, text) \
    { \
#name, FIELD_INT, offsetof(struct workflows_config, name), \
            .flags = FIELD_RANGE, .fallback = number, .least = minimum, .greatest = INFINITY, .help = text \
    }
static const struct field fields[] = {
    { "mode", FIELD_ENUM, offsetof(struct workflows_config, mode), .fallback = "static", .choices = modes,
      .help = "Whether the steps are written here or planned by a model." },
    { "template", FIELD_ENUM, offsetof(struct workflows_config, template), .fallback = "micro_agent",
      .choices = templates, .help = "Built-in prompts." },
    { "roles", FIELD_OBJECTS, offsetof(struct workflows_config, roles), .object = &role_schema,
      .help = "The steps of mode static." },
    { "planner", FIELD_OBJECT, offsetof(struct workflows_config, planner), .object = &planner_schema,
      .help = "Who plans in mode dynamic." },
    { "final", FIELD_OBJECT, offsetof(struct workflows_config, final), .object = &final_schema,
      .help = "Who writes the answer." },
    COUNT(max_steps, "3", 1, "Steps of a plan."),
    COUNT(max_parallel, "2", 1, "Workers at the same time."),
    COUNT(max_completion_tokens, NULL, 1, "Limit of each answer; absent: the client's."),
    { "round_timeout_seconds", FIELD_NUMBER, offsetof(struct workflows_config, round_timeout_seconds),
      .flags = FIELD_RANGE, .least = 0, .greatest = INFINITY, .help = "Longest time of a step; 0: none." },
    COUNT(min_successful_responses, NULL, 0, "A step ends with so many answers; 0: with all."),
    { "temperature", FIELD_NUMBER, offsetof(struct workflows_config, temperature), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .help = "Sampling temperature; absent: the client's." },
    { "include_intermediate_responses", FIELD_BOOL, offsetof(struct workflows_config, include_intermediate_responses),
      .fallback = "true", .help = "Whether the answer carries plan and steps." },
    { "on_error", FIELD_ENUM, offsetof(struct workflows_config, on_error), .fallback = "fail", .choices = on_errors,
      .help = "Whether a failed step fails the request." },
};
#undef COUNT
static const struct schema schema = SCHEMA("workflows block", struct workflows_config, fields);

static void check_planner(const struct config_site *site, const struct workflows_config *config) {
    vsr_str model = config->planner.model;
    struct diag_at at = config->planner.at.node
                            ? schema_field_at(&planner_schema, &config->planner, "model", site->arena)
                            : schema_field_at(&schema, config, "planner", site->arena);
    if (config->mode == MODE_DYNAMIC && model.len == 0)
        diag_error(site->diag, "E_REQUIRED", at, VSR_STR(""), "mode dynamic needs planner.model");
    else if (model.len && !config_card(site->doc, model) && !config_lora_card(site->doc, model))
        diag_error(site->diag, "E_REF", at, VSR_STR("a planner is a concrete model"),
                   "model \"%.*s\" is not defined in routing.modelCards", VSR_FMT(model));
}

static void check_roles(const struct config_site *site, const struct workflows_config *config) {
    struct diag_at at = schema_field_at(&schema, config, "roles", site->arena);
    if (config->mode == MODE_STATIC && config->roles.n == 0)
        diag_error(site->diag, "E_REQUIRED", at, VSR_STR("or set mode: dynamic"), "mode static needs roles");
    if (config->mode == MODE_DYNAMIC && config->roles.n > 0)
        diag_error(site->diag, "E_CONFLICT", at, VSR_STR("the planner makes the steps"), "mode dynamic takes no roles");
    CONFIG_EACH(const struct workflow_role, role, &config->roles)
    site_need_models(site, &role_schema, role, "models", &role->models);
}

static void check(const struct config_site *site, const void *block) {
    const struct workflows_config *config = block;
    if (!config) {
        diag_error(site->diag, "E_REQUIRED", schema_at(site->decision->algorithm), VSR_STR("or set mode: dynamic"),
                   "mode static needs workflows.roles");
        return;
    }
    check_planner(site, config);
    check_roles(site, config);
    if (config->final.at.node)
        site_need_model(site, &final_schema, &config->final, "model", config->final.model);
}

/* decisions.md §6.9: the final model, else the planner; who answers first is not known beforehand. */
static vsr_str final_model(const void *block, const struct config_decision *decision) {
    const struct workflows_config *config = block;
    (void)decision;
    if (!config)
        return VSR_STR("");
    return config->final.model.len ? config->final.model : config->planner.model;
}

const struct config_kind looper_workflows = {
    .type = "workflows", .schema = &schema, .looper = true, .check = TABLE_CHECK(check), .final_model = final_model
};
