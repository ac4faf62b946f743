#include "route/trace_parts.h"

#include "core/arena.h"

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

/* ---- who was asked */

static struct trace_source *source_at(struct trace_source *sources, size_t *n, const struct signal_source *source) {
    for (size_t i = 0; i < *n; i++)
        if (sources[i].source == source)
            return &sources[i];
    sources[*n].source = source;
    return &sources[(*n)++];
}

static void count(struct trace_source *source, const struct evidence_ask *ask) {
    source->n_asked++;
    source->n_failed += ask->answer.code != SIGNAL_OK;
    source->n_remembered += ask->answer.remembered;
    source->n_cut += ask->answer.cut;
    if (!source->model)
        source->model = ask->answer.model;
    if (!source->version)
        source->version = ask->answer.version;
}

size_t trace_sources(const struct route_state *state, const struct route_family *family,
                     struct trace_source **ret_sources) {
    uint32_t asker = UINT32_C(1) << (family - state->route->families);
    size_t n = 0;
    *ret_sources = NULL;
    for (size_t i = 0; i < state->asks.n; i++) {
        const struct evidence_ask *ask = state->asks.items[i];
        if (!(ask->askers & asker))
            continue;
        if (!*ret_sources)
            *ret_sources = ARENA_ARRAY(state->arena, struct trace_source, state->route->sources.n);
        count(source_at(*ret_sources, &n, &state->route->sources.items[ask->source]), ask);
    }
    return n;
}
