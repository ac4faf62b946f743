/*
 * user_feedback - what the user thinks of the previous answer (signals.md §6.4). Without a previous answer there is
 * nothing to judge. What is not certain enough matches nothing, `satisfied` least of all.
 */
#include "core/arena.h"
#include "signal/classes.h"
#include "signal/learned.h"

struct user_feedback_config {
    struct config_at at;
    vsr_str name, description;
};

static const struct field user_feedback_fields[] = { RULE_FIELDS(struct user_feedback_config) };

static const struct schema user_feedback_schema;

static const char *const labels[] = { "satisfied", "need_clarification", "wrong_answer", "want_different", NULL };

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct user_feedback_config *rule = object;
    learned_warn_label(&user_feedback_schema, rule, rule->name, labels, arena, diag);
}

static const struct schema user_feedback_schema =
    SCHEMA("user_feedback rule", struct user_feedback_config, user_feedback_fields, .check = check_rule);

/* ---- compiled */

#define THRESHOLD 0.5 /* of a module that names none */

struct feedback_state {
    const struct user_feedback_config *rules;
    struct classes_asking asking;
    double threshold;
};

static void *build(struct signal_builder *builder) {
    const struct config_feedback_detector *module = &builder->doc->global.model_catalog.modules.feedback_detector;
    struct feedback_state *state = ARENA_NEW(builder->arena, struct feedback_state);
    state->rules = builder->rules->items;
    state->asking = classes_asking(builder, classes_model(builder, signal_models_feedback, NULL),
                                   "modules.feedback_detector is switched off");
    state->threshold = module->threshold > 0 ? module->threshold : THRESHOLD;
    return state;
}

static bool applies(const void *state, const struct request_facts *facts, size_t rule) {
    (void)state;
    (void)rule;
    return facts->has_assistant_reply && str_trim(facts->current_user).len > 0;
}

/* ---- judged */

/* Published models say SAT, SATISFIED, WRONG_ANSWER; rules say `satisfied`, `wrong_answer`. */
static bool is_called(vsr_str label, vsr_str name) {
    if (str_eq_c(name, "satisfied") && str_eq_nocase(label, VSR_STR("SAT")))
        return true;
    return str_eq_nocase(label, name);
}

static void judge(const struct feedback_state *state, const struct signal_request *request,
                  const struct evidence_answer *answer, struct signal_results *results) {
    size_t top = classes_top(answer);
    double p = answer->numbers[top];
    for (uint32_t i = 0; i < state->asking.n_rules; i++) {
        uint32_t slot = state->asking.first_slot + i;
        if (bits_has(request->wanted, slot) && p >= state->threshold &&
            is_called(answer->labels[top], state->rules[i].name))
            signal_match(results, slot, p);
    }
}

static void ask(const void *data, struct signal_request *request) {
    const struct feedback_state *state = data;
    classes_ask(&state->asking, request);
}

/* Whether the model speaks of feedback: one with other labels would never match anything. */
static bool is_of_feedback(const struct feedback_state *state, const struct evidence_answer *answer) {
    for (size_t i = 0; i < answer->n_labels; i++) {
        for (size_t k = 0; labels[k]; k++)
            if (is_called(answer->labels[i], str_from_c(labels[k])))
                return true;
        for (size_t k = 0; k < state->asking.n_rules; k++)
            if (is_called(answer->labels[i], state->rules[k].name))
                return true;
    }
    return false;
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct feedback_state *state = data;
    const struct evidence_answer *answer;
    struct evidence_answer strange;
    int rc = classes_answer(&state->asking, request, results, &answer, err);
    if (rc < 0 || !answer)
        return rc;
    if (is_of_feedback(state, answer)) {
        judge(state, request, answer, results);
        return 0;
    }
    strange = classes_strange(request, answer, "satisfied, need_clarification, wrong_answer, want_different or a rule");
    classes_fail(request, results, state->asking.first_slot, state->asking.n_rules, &strange);
    return 0;
}

const struct signal_family signal_user_feedback = {
    .config = { .type = "user_feedback", .list_key = "user_feedbacks", .schema = &user_feedback_schema },
    .stage = SIGNAL_STAGE_CLASSIFY,
    .needs_evidence = "feedback classification",
    .all_or_nothing = true, /* one classification serves every rule */
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.models = signal_models_feedback, .build = build, .ask = ask, .eval = eval, .applies = applies),
};
