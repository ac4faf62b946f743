#include "route/verdicts.h"

#include <math.h>

#include "core/arena.h"
#include "core/assert.h"
#include "route/failure.h"

/* ---- asking */

static void add_need(struct route_state *state, const struct route_family *family, const struct route_question *rules,
                     size_t n) {
    if (!state->needs)
        state->needs = ARENA_ARRAY(state->arena, struct route_need, state->route->n_families);
    state->needs[state->n_needs++] = (struct route_need){ .family = family->family->config.type,
                                                          .what = family->family->needs_evidence,
                                                          .rules = rules,
                                                          .n_rules = n,
                                                          .timeout_ms = failure_time_left(state, family) };
}

void verdicts_ask(struct route_state *state, const struct route_family *family) {
    bool late = failure_too_late(state);
    struct route_question *rules = NULL;
    size_t n = 0;
    for (uint32_t i = 0; i < family->n_slots; i++) {
        uint32_t slot = family->first_slot + i;
        if (!bits_has(state->request.wanted, slot) || bits_has(state->results.evaluated, slot))
            continue;
        if (state->evidence != ROUTE_EVIDENCE_VERDICTS || late) {
            failure_set_missing(state, family, i, late);
            continue;
        }
        if (!rules)
            rules = ARENA_ARRAY(state->arena, struct route_question, family->n_slots);
        rules[n++] = (struct route_question){ slot, state->route->slots.items[slot].name };
    }
    if (n > 0)
        add_need(state, family, rules, n);
}

const struct route_need *route_needs(const struct route_state *state, size_t *ret_n) {
    *ret_n = state->n_needs;
    return state->needs;
}

/* ---- verdicts */

/* Orders and sums are made of numbers: what is none says as little as no answer. */
static bool is_sane(const struct route_verdict *verdict) {
    return (!verdict->has_confidence || isfinite(verdict->confidence)) &&
           (!verdict->has_value || isfinite(verdict->value));
}

void route_bring(struct route_state *state, uint32_t handle, const struct route_verdict *verdict) {
    const struct route_family *family = plan_family_at(state->route, handle);
    struct signal_results *results = &state->results;
    VSR_ASSERT(state->n_needs > 0 && family && family->family->needs_evidence);
    if (!is_sane(verdict)) {
        failure_set(state, family, handle - family->first_slot, SIGNAL_FAILED, "the model gave no finite number");
        return;
    }
    bits_add(results->evaluated, handle);
    bits_put(results->matched, handle, verdict->matched);
    if (verdict->has_confidence)
        signal_confidence(results, handle, verdict->confidence);
    if (verdict->has_value)
        signal_value(results, handle, verdict->value);
    if (verdict->code != SIGNAL_OK)
        failure_set(state, family, handle - family->first_slot, verdict->code, verdict->reason);
}

void verdicts_close(struct route_state *state) {
    bool late = state->n_needs > 0 && failure_too_late(state);
    for (size_t i = 0; i < state->n_needs; i++)
        for (size_t k = 0; k < state->needs[i].n_rules; k++) {
            uint32_t slot = state->needs[i].rules[k].handle;
            const struct route_family *family = plan_family_at(state->route, slot);
            if (!bits_has(state->results.evaluated, slot))
                failure_set_missing(state, family, slot - family->first_slot, late);
        }
    state->n_needs = 0;
}
