/* fusion - a panel answers, a judge compares, one answer is written (decisions.md §6.7, §6.8). */
#include <math.h>

#include "looper/looper.h"
#include "select/site_checks.h"

struct fusion_override {
    struct config_at at;
    vsr_str model;
    double temperature;
    int64_t max_completion_tokens;
};

struct fusion_grounding {
    struct config_at at;
    bool enabled;
    int reference, policy, on_error;
    double min_score, nli_contradiction_penalty;
    int64_t min_keep;
};

struct fusion_config {
    struct config_at at;
    vsr_str model; /* the judge */
    struct config_strings analysis_models;
    struct config_list analysis_overrides; /* struct fusion_override */
    int64_t max_concurrent, max_completion_tokens, min_successful_responses;
    double round_timeout_seconds, temperature;
    bool include_analysis, include_intermediate_responses;
    int on_error;
    vsr_str analysis_template, synthesis_template, judge_prompt_version;
    struct fusion_grounding grounding;
};

static const char *const on_errors[] = { "skip", "fail", NULL };
static const char *const references[] = { "hybrid", "context", "panel", NULL };
static const char *const policies[] = { "weight", "annotate", "filter", NULL };

static const struct field override_fields[] = {
    { "model", FIELD_STRING, offsetof(struct fusion_override, model), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Member of the panel." },
    { "temperature", FIELD_NUMBER, offsetof(struct fusion_override, temperature), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .help = "Its sampling temperature." },
    { "max_completion_tokens", FIELD_INT, offsetof(struct fusion_override, max_completion_tokens), .flags = FIELD_RANGE,
      .least = 1, .greatest = INFINITY, .help = "Limit of its answer." },
};
static const struct schema override_schema = SCHEMA("analysis override", struct fusion_override, override_fields);

static const struct field grounding_fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct fusion_grounding, enabled), .fallback = "false",
      .help = "Whether the panel's answers are checked before the judge reads them." },
    { "reference", FIELD_ENUM, offsetof(struct fusion_grounding, reference), .fallback = "hybrid",
      .choices = references,
      .help = "What they are checked against: the request's context, each other, or what is there." },
    { "policy", FIELD_ENUM, offsetof(struct fusion_grounding, policy), .fallback = "weight", .choices = policies,
      .help = "Whether a low score weighs less, is told, or drops the answer." },
    { "min_score", FIELD_NUMBER, offsetof(struct fusion_grounding, min_score), .flags = FIELD_RANGE, .fallback = "0",
      .least = 0, .greatest = 1, .help = "With filter: the least score that stays." },
    { "min_keep", FIELD_INT, offsetof(struct fusion_grounding, min_keep), .flags = FIELD_RANGE, .fallback = "1",
      .least = 0, .greatest = INFINITY, .help = "With filter: so many stay whatever their score." },
    { "nli_contradiction_penalty", FIELD_NUMBER, offsetof(struct fusion_grounding, nli_contradiction_penalty),
      .flags = FIELD_RANGE, .fallback = "1", .least = 0, .greatest = INFINITY,
      .help = "Weight of contradiction against support." },
    { "on_error", FIELD_ENUM, offsetof(struct fusion_grounding, on_error), .fallback = "skip", .choices = on_errors,
      .help = "Whether a check that fails is left out or fails the request." },
};
static const struct schema grounding_schema = SCHEMA("grounding", struct fusion_grounding, grounding_fields);

#define COUNT(name, minimum, text) \
    { \
#name, FIELD_INT, offsetof(struct fusion_config, name), .flags = FIELD_RANGE, .least = minimum, \
                                                                .greatest = INFINITY, .help = text \
    }
static const struct field fields[] = {
    { "model", FIELD_STRING, offsetof(struct fusion_config, model),
      .help = "The judge; absent: the first member of the panel." },
    { "analysis_models", FIELD_STRINGS, offsetof(struct fusion_config, analysis_models), .flags = FIELD_NONBLANK,
      .help = "The panel; absent: the decision's modelRefs." },
    { "analysis_overrides", FIELD_OBJECTS, offsetof(struct fusion_config, analysis_overrides),
      .object = &override_schema, .help = "Settings of single members." },
    COUNT(max_concurrent, 1, "Calls at the same time; absent: the whole panel."),
    COUNT(max_completion_tokens, 1, "Limit of each answer; absent: the client's."),
    { "round_timeout_seconds", FIELD_NUMBER, offsetof(struct fusion_config, round_timeout_seconds),
      .flags = FIELD_RANGE, .least = 0, .greatest = INFINITY, .help = "Longest time of the panel; 0: none." },
    COUNT(min_successful_responses, 0, "The panel ends with so many answers; 0: with all."),
    { "temperature", FIELD_NUMBER, offsetof(struct fusion_config, temperature), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .help = "Sampling temperature of the panel; absent: the client's." },
    { "include_analysis", FIELD_BOOL, offsetof(struct fusion_config, include_analysis), .fallback = "true",
      .help = "Whether the answer carries the judge's analysis." },
    { "include_intermediate_responses", FIELD_BOOL, offsetof(struct fusion_config, include_intermediate_responses),
      .fallback = "true", .help = "Whether the answer carries those of the panel." },
    { "on_error", FIELD_ENUM, offsetof(struct fusion_config, on_error), .fallback = "skip", .choices = on_errors,
      .help = "Whether a failed member is left out or fails the request." },
    { "analysis_template", FIELD_STRING, offsetof(struct fusion_config, analysis_template), .flags = FIELD_VERBATIM,
      .help = "Prompt of the analysis, with {{original}} and {{responses}}." },
    { "synthesis_template", FIELD_STRING, offsetof(struct fusion_config, synthesis_template), .flags = FIELD_VERBATIM,
      .help = "Prompt of the final answer, with {{analysis}} too." },
    { "judge_prompt_version", FIELD_STRING, offsetof(struct fusion_config, judge_prompt_version),
      .fallback = "fusion-v1", .help = "Version of the built-in prompts." },
    { "grounding", FIELD_OBJECT, offsetof(struct fusion_config, grounding), .object = &grounding_schema,
      .help = "Checks of the panel's answers." },
};
#undef COUNT
static const struct schema schema = SCHEMA("fusion block", struct fusion_config, fields);

/* The panel and its judge may be any model that can be called; decision members are only the default. */
static void check_model(const struct config_site *site, struct diag_at at, vsr_str name) {
    const struct config_document *doc = site->doc;
    if (name.len && !config_card(doc, name) && !config_lora_card(doc, name))
        diag_error(site->diag, "E_REF", at, VSR_STR("the panel and its judge are concrete models"),
                   "model \"%.*s\" is not defined in routing.modelCards", VSR_FMT(name));
}

static void check_overrides(const struct config_site *site, const struct fusion_config *config) {
    const struct fusion_override *items = config->analysis_overrides.items;
    for (size_t i = 0; i < config->analysis_overrides.n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(items[i].model, items[k].model))
                diag_error(site->diag, "E_DUP", schema_at(&items[i]), VSR_STR(""),
                           "model \"%.*s\" is overridden twice, at line %u too", VSR_FMT(items[i].model),
                           schema_at(&items[k]).line);
}

static void check(const struct config_site *site, const void *block) {
    const struct fusion_config *config = block;
    if (!config || (config->analysis_models.n == 0 && site->decision->model_refs.n == 0)) {
        if (site->decision->model_refs.n == 0)
            diag_error(site->diag, "E_REQUIRED", schema_at(site->decision->algorithm), VSR_STR(""),
                       "fusion needs modelRefs or analysis_models");
        return;
    }
    check_model(site, schema_field_at(&schema, config, "model", site->arena), config->model);
    for (size_t i = 0; i < config->analysis_models.n; i++)
        check_model(site, site_entry_at(site, &schema, config, "analysis_models", &config->analysis_models, i),
                    config->analysis_models.items[i]);
    check_overrides(site, config);
}

/* The judge writes the answer. */
static vsr_str final_model(const void *block, const struct config_decision *decision) {
    const struct fusion_config *config = block;
    if (config && config->model.len)
        return config->model;
    if (config && config->analysis_models.n)
        return config->analysis_models.items[0];
    return decision->model_refs.n ? config_ref_name(decision->model_refs.items) : VSR_STR("");
}

const struct config_kind looper_fusion = {
    .type = "fusion", .schema = &schema, .looper = true, .check = TABLE_CHECK(check), .final_model = final_model
};
