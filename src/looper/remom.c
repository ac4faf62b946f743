/* remom - rounds of parallel answers, each round fed with the last (decisions.md §6.6). */
#include <math.h>

#include "looper/looper.h"
#include "select/site_checks.h"

struct remom_config {
    struct config_at at;
    struct config_ints breadth_schedule;
    int model_distribution, compaction_strategy, on_error;
    double temperature, round_timeout_seconds;
    bool include_reasoning, include_intermediate_responses;
    int64_t compaction_tokens, max_concurrent, max_completion_tokens, min_successful_responses, shuffle_seed,
        max_responses_per_round;
    vsr_str synthesis_template, synthesis_model;
};

static const char *const distributions[] = { "weighted", "equal", "round_robin", "first_only", NULL };
static const char *const compactions[] = { "full", "last_n_tokens", NULL };
static const char *const on_errors[] = { "skip", "fail", NULL };

#define COUNT(name, minimum, text) \
    { \
#name, FIELD_INT, offsetof(struct remom_config, name), .flags = FIELD_RANGE, .least = minimum, \
                                                               .greatest = INFINITY, .help = text \
    }
static const struct field fields[] = {
    { "breadth_schedule", FIELD_INT_LIST, offsetof(struct remom_config, breadth_schedule),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK | FIELD_RANGE, .least = 1, .greatest = 1024,
      .help = "Calls of each round; a last round of one call is added." },
    { "model_distribution", FIELD_ENUM, offsetof(struct remom_config, model_distribution), .fallback = "weighted",
      .choices = distributions, .help = "How the calls of a round are shared out." },
    { "temperature", FIELD_NUMBER, offsetof(struct remom_config, temperature), .flags = FIELD_RANGE, .fallback = "1.0",
      .least = 0, .greatest = INFINITY, .help = "Sampling temperature of the calls." },
    { "include_reasoning", FIELD_BOOL, offsetof(struct remom_config, include_reasoning), .fallback = "false",
      .help = "Whether the next round reads the reasoning of the last one." },
    { "compaction_strategy", FIELD_ENUM, offsetof(struct remom_config, compaction_strategy), .fallback = "full",
      .choices = compactions, .help = "How much of an answer the next round reads." },
    { "compaction_tokens", FIELD_INT, offsetof(struct remom_config, compaction_tokens), .flags = FIELD_RANGE,
      .fallback = "1000", .least = 1, .greatest = INFINITY, .help = "With last_n_tokens: how many tokens." },
    { "synthesis_template", FIELD_STRING, offsetof(struct remom_config, synthesis_template), .flags = FIELD_VERBATIM,
      .help = "Prompt of a later round, instead of the built-in one." },
    { "synthesis_model", FIELD_STRING, offsetof(struct remom_config, synthesis_model),
      .help = "Model of the last round; one of the modelRefs." },
    COUNT(max_concurrent, 1, "Calls at the same time; absent: all of a round."),
    COUNT(max_completion_tokens, 1, "Limit of each answer; absent: the client's."),
    { "round_timeout_seconds", FIELD_NUMBER, offsetof(struct remom_config, round_timeout_seconds), .flags = FIELD_RANGE,
      .least = 0, .greatest = INFINITY, .help = "Longest time of a round; 0: none." },
    COUNT(min_successful_responses, 0, "A round ends with so many answers; 0: with all."),
    { "on_error", FIELD_ENUM, offsetof(struct remom_config, on_error), .fallback = "skip", .choices = on_errors,
      .help = "Whether a failed round is made up for by earlier ones." },
    { "shuffle_seed", FIELD_INT, offsetof(struct remom_config, shuffle_seed), .fallback = "42",
      .help = "Seed of every random order." },
    { "include_intermediate_responses", FIELD_BOOL, offsetof(struct remom_config, include_intermediate_responses),
      .fallback = "true", .help = "Whether the answer lists those of all rounds." },
    COUNT(max_responses_per_round, 0, "Answers that the next round reads; 0: all."),
};
#undef COUNT
static const struct schema schema = SCHEMA("remom block", struct remom_config, fields);

static void check(const struct config_site *site, const void *block) {
    const struct remom_config *config = block;
    site_need_model(site, &schema, config, "synthesis_model", config->synthesis_model);
}

static vsr_str final_model(const void *block, const struct config_decision *decision) {
    const struct remom_config *config = block;
    (void)decision;
    return config ? config->synthesis_model : VSR_STR("");
}

const struct config_kind looper_remom = { .type = "remom",
                                          .schema = &schema,
                                          .block_required = true,
                                          .looper = true,
                                          .check = TABLE_CHECK(check),
                                          .final_model = final_model };
