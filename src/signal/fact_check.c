/*
 * fact_check - whether the text asks for facts that should be checked (signals.md §6.3). Of its two names exactly one
 * matches.
 */
#include "core/arena.h"
#include "signal/classes.h"
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

/* ---- compiled */

#define THRESHOLD 0.7 /* of a module that names none */

struct fact_check_state {
    const struct fact_check_config *rules;
    struct classes_asking asking;
    double threshold;
};

static void *build(struct signal_builder *builder) {
    const struct config_fact_check *module =
        &builder->doc->global.model_catalog.modules.hallucination_mitigation.fact_check;
    struct fact_check_state *state = ARENA_NEW(builder->arena, struct fact_check_state);
    state->rules = builder->rules->items;
    state->asking = classes_asking(builder, classes_model(builder, signal_models_fact_check, NULL),
                                   "modules.hallucination_mitigation.fact_check names no model");
    state->threshold = module->threshold > 0 ? module->threshold : THRESHOLD;
    return state;
}

/* Without text nothing needs checking, which is the second name's match (signals.md §6.3). */
static bool is_settled(const void *data, const struct request_facts *facts, size_t index) {
    const struct fact_check_state *state = data;
    return !learned_has_text(state, facts, index) && str_eq_c(state->rules[index].name, "no_fact_check_needed");
}

/* ---- judged */

/* The label that means that checking is needed: one of these, or the second of two. -1: none is. */
static ptrdiff_t needed_label(const struct evidence_answer *answer) {
    static const char *const names[] = { "FACT_CHECK_NEEDED", "NEEDS_FACT_CHECK", "FACT_CHECK" };
    ptrdiff_t found = -1;
    for (size_t i = 0; i < VSR_COUNT(names) && found < 0; i++)
        found = classes_find(answer, str_from_c(names[i]));
    return found < 0 && answer->n == 2 ? 1 : found;
}

/* What is likeliest but below the threshold is turned round. */
static void judge(const struct fact_check_state *state, const struct signal_request *request, size_t label,
                  const struct evidence_answer *answer, struct signal_results *results) {
    double p = answer->numbers[label];
    bool needed = classes_top(answer) == label && p >= state->threshold;
    const char *name = needed ? "needs_fact_check" : "no_fact_check_needed";
    for (uint32_t i = 0; i < state->asking.n_rules; i++) {
        uint32_t slot = state->asking.first_slot + i;
        if (bits_has(request->wanted, slot) && str_eq_c(state->rules[i].name, name))
            signal_match(results, slot, needed ? p : 1 - p);
    }
}

static void ask(const void *data, struct signal_request *request) {
    const struct fact_check_state *state = data;
    classes_ask(&state->asking, request);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct fact_check_state *state = data;
    const struct evidence_answer *answer;
    struct evidence_answer strange;
    ptrdiff_t label;
    int rc = classes_answer(&state->asking, request, results, &answer, err);
    if (rc < 0 || !answer)
        return rc;
    label = needed_label(answer);
    if (label >= 0) {
        judge(state, request, (size_t)label, answer, results);
        return 0;
    }
    strange = classes_strange(request, answer, "FACT_CHECK_NEEDED");
    classes_fail(request, results, state->asking.first_slot, state->asking.n_rules, &strange);
    return 0;
}

const struct signal_family signal_fact_check = {
    .config = { .type = "fact_check", .list_key = "fact_check", .schema = &fact_check_schema },
    .stage = SIGNAL_STAGE_CLASSIFY,
    .needs_evidence = "fact-check classification",
    .all_or_nothing = true, /* one classification serves every rule */
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.models = signal_models_fact_check, .build = build, .ask = ask, .eval = eval,
                .applies = learned_has_text, .is_settled = is_settled),
};
