#include "route/trace_parts.h"

enum rule_state trace_decision_state(const struct route_state *state, size_t decision) {
    const struct policy *policy = state->route->policy;
    if (state->skipped)
        return RULE_PENDING;
    return rule_state(&policy->rules, policy->decisions[decision].root, state->leaves);
}

double trace_confidence(const struct route_state *state, uint32_t node) {
    const struct rule_set *rules = &state->route->policy->rules;
    bool exact = true;
    if (state->skipped || rule_state(rules, node, state->leaves) != RULE_TRUE)
        return 0;
    return rule_confidence(rules, node, state->leaves, &state->view, &exact);
}

size_t trace_found(const struct route_state *state, const struct route_family *family, size_t index,
                   vsr_str found[static TRACE_FOUND_MAX]) {
    if (!family->family->found || !bits_has(state->results.evaluated, family->first_slot + index))
        return 0;
    return family->family->found(family->state, &state->request, index, found, TRACE_FOUND_MAX);
}
