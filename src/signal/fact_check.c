/*
 * fact_check - whether the text asks for facts that should be checked (signals.md §6.3). Of its two names exactly one
 * matches.
 */
#include "signal/learned.h"

struct fact_check_config {
    struct config_at at;
    vsr_str name, description;
};

static const struct field fact_check_fields[] = { RULE_FIELDS(struct fact_check_config) };

static const struct schema fact_check_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    static const char *const labels[] = { "needs_fact_check", "no_fact_check_needed", NULL };
    const struct fact_check_config *rule = object;
    learned_warn_label(&fact_check_schema, rule, rule->name, labels, arena, diag);
}

static const struct schema fact_check_schema =
    SCHEMA("fact_check rule", struct fact_check_config, fact_check_fields, .check = check_rule);

/* Without text nothing needs checking, which is the second name's match (signals.md §6.3). */
static bool is_settled(const void *state, const struct request_facts *facts, size_t index) {
    const struct config_list *rules = state;
    const struct fact_check_config *rule = (const struct fact_check_config *)rules->items + index;
    return !learned_has_text(state, facts, index) && str_eq_c(rule->name, "no_fact_check_needed");
}

const struct signal_family signal_fact_check = {
    .config = { .type = "fact_check", .list_key = "fact_check", .schema = &fact_check_schema },
    .stage = SIGNAL_STAGE_CLASSIFY,
    .needs_evidence = "fact-check classification",
    .models = signal_models_fact_check,
    .all_or_nothing = true, /* one classification serves every rule */
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .build = learned_build,
    .applies = learned_has_text,
    .is_settled = is_settled,
};
