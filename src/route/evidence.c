#include "route/evidence.h"

#include <math.h>

#include "core/arena.h"
#include "core/assert.h"

/* Of a rule that blocks on errors and failed. */
#define BLOCK_CONFIDENCE 1.0

/* ---- deadlines */

static int64_t elapsed_ms(const struct route_state *state) {
    return state->clock.now_ms ? (int64_t)(state->clock.now_ms(state->clock.data) - state->begun_ms) : 0;
}

bool evidence_too_late(const struct route_state *state) {
    return state->timeout_ms > 0 && elapsed_ms(state) >= state->timeout_ms;
}

/* What a family may take: its own limit or what is left of the request's, 0 without either. */
static int64_t time_left(const struct route_state *state, const struct route_family *family) {
    int64_t left = state->timeout_ms > 0 ? state->timeout_ms - elapsed_ms(state) : 0;
    if (state->timeout_ms > 0 && left < 1)
        left = 1;
    if (family->timeout_ms > 0 && (left == 0 || family->timeout_ms < left))
        left = family->timeout_ms;
    return left;
}

/* ---- failing */

void evidence_fail(struct route_state *state, const struct route_family *family, uint32_t index, enum signal_code code,
                   const char *reason) {
    const struct signal_family *f = family->family;
    uint32_t slot = family->first_slot + index;
    if (reason)
        signal_fail_because(&state->results, slot, code, reason);
    else
        signal_fail(&state->results, slot, code);
    if (!bits_has(state->results.matched, slot) && f->blocks && f->blocks(family->state, plan_rule_of(family, index)))
        signal_match(&state->results, slot, BLOCK_CONFIDENCE);
}

static void fail_missing(struct route_state *state, const struct route_family *family, uint32_t index, bool late) {
    if (late)
        evidence_fail(state, family, index, SIGNAL_TIMEOUT, EVIDENCE_TOO_LATE);
    else
        evidence_fail(state, family, index, SIGNAL_UNAVAILABLE, family->missing);
}

/* ---- asking */

/* Whether the request itself says what the rule's result is. */
static bool is_plain(struct route_state *state, const struct route_family *family, uint32_t index) {
    const struct signal_family *f = family->family;
    const struct request_facts *facts = state->request.facts;
    size_t rule = plan_rule_of(family, index);
    uint32_t slot = family->first_slot + index;
    if (f->is_settled && f->is_settled(family->state, facts, rule)) {
        signal_match(&state->results, slot, 1.0);
        return true;
    }
    if (!f->applies || f->applies(family->state, facts, rule))
        return false;
    signal_no_match(&state->results, slot);
    return true;
}

static void add_need(struct route_state *state, const struct route_family *family, const struct route_question *rules,
                     size_t n) {
    if (!state->needs)
        state->needs = ARENA_ARRAY(state->arena, struct route_need, state->route->n_families);
    state->needs[state->n_needs++] = (struct route_need){ .family = family->family->config.type,
                                                          .what = family->family->needs_evidence,
                                                          .rules = rules,
                                                          .n_rules = n,
                                                          .timeout_ms = time_left(state, family) };
}

void evidence_ask(struct route_state *state, const struct route_family *family) {
    bool late = evidence_too_late(state);
    struct route_question *rules = NULL;
    size_t n = 0;
    for (uint32_t i = 0; i < family->n_slots; i++) {
        uint32_t slot = family->first_slot + i;
        if (!bits_has(state->request.wanted, slot) || bits_has(state->results.evaluated, slot) ||
            is_plain(state, family, i))
            continue;
        if (!state->has_evidence || late) {
            fail_missing(state, family, i, late);
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

/* ---- answers */

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
        evidence_fail(state, family, handle - family->first_slot, SIGNAL_FAILED, "the model gave no finite number");
        return;
    }
    bits_add(results->evaluated, handle);
    bits_put(results->matched, handle, verdict->matched);
    if (verdict->has_confidence)
        signal_confidence(results, handle, verdict->confidence);
    if (verdict->has_value)
        signal_value(results, handle, verdict->value);
    if (verdict->code != SIGNAL_OK)
        evidence_fail(state, family, handle - family->first_slot, verdict->code, verdict->reason);
}

void evidence_close(struct route_state *state) {
    bool late = evidence_too_late(state);
    for (size_t i = 0; i < state->n_needs; i++)
        for (size_t k = 0; k < state->needs[i].n_rules; k++) {
            uint32_t slot = state->needs[i].rules[k].handle;
            const struct route_family *family = plan_family_at(state->route, slot);
            if (!bits_has(state->results.evaluated, slot))
                fail_missing(state, family, slot - family->first_slot, late);
        }
    state->n_needs = 0;
}
