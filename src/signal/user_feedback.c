/*
 * user_feedback - what the user thinks of the previous answer (signals.md §6.4). Without a previous answer there is
 * nothing to judge.
 */
#include "signal/learned.h"

struct user_feedback_config {
    struct config_at at;
    vsr_str name, description;
};

static const struct field user_feedback_fields[] = { RULE_FIELDS(struct user_feedback_config) };

static const struct schema user_feedback_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    static const char *const labels[] = { "satisfied", "need_clarification", "wrong_answer", "want_different", NULL };
    const struct user_feedback_config *rule = object;
    learned_warn_label(&user_feedback_schema, rule, rule->name, labels, arena, diag);
}

static const struct schema user_feedback_schema =
    SCHEMA("user_feedback rule", struct user_feedback_config, user_feedback_fields, .check = check_rule);

static bool applies(const void *state, const struct request_facts *facts, size_t rule) {
    (void)state;
    (void)rule;
    return facts->has_assistant_reply && str_trim(facts->current_user).len > 0;
}

const struct signal_family signal_user_feedback = {
    .config = { .type = "user_feedback", .list_key = "user_feedbacks", .schema = &user_feedback_schema },
    .stage = SIGNAL_STAGE_CLASSIFY,
    .needs_evidence = "feedback classification",
    .models = signal_models_feedback,
    .all_or_nothing = true, /* one classification serves every rule */
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .build = learned_build,
    .applies = applies,
};
