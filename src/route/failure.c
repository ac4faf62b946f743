#include "route/failure.h"

/* Of a rule that blocks on errors and failed. */
#define BLOCK_CONFIDENCE 1.0

/* ---- deadlines */

static int64_t elapsed_ms(const struct route_state *state) {
    return state->clock.now_ms ? (int64_t)(state->clock.now_ms(state->clock.data) - state->begun_ms) : 0;
}

bool failure_too_late(const struct route_state *state) {
    return state->timeout_ms > 0 && elapsed_ms(state) >= state->timeout_ms;
}

int64_t failure_time_left(const struct route_state *state, const struct route_family *family) {
    int64_t left = state->timeout_ms > 0 ? state->timeout_ms - elapsed_ms(state) : 0;
    if (state->timeout_ms > 0 && left < 1)
        left = 1;
    if (family->timeout_ms > 0 && (left == 0 || family->timeout_ms < left))
        left = family->timeout_ms;
    return left;
}

/* ---- failing */

static void block(struct route_state *state, const struct route_family *family, uint32_t index) {
    const struct signal_family *f = family->family;
    uint32_t slot = family->first_slot + index;
    if (!bits_has(state->results.matched, slot) && f->blocks && f->blocks(family->state, plan_rule_of(family, index)))
        signal_match(&state->results, slot, BLOCK_CONFIDENCE);
}

void failure_set(struct route_state *state, const struct route_family *family, uint32_t index, enum signal_code code,
                 const char *reason) {
    uint32_t slot = family->first_slot + index;
    if (reason)
        signal_fail_because(&state->results, slot, code, reason);
    else
        signal_fail(&state->results, slot, code);
    block(state, family, index);
}

void failure_set_missing(struct route_state *state, const struct route_family *family, uint32_t index, bool late) {
    if (late)
        failure_set(state, family, index, SIGNAL_TIMEOUT, FAILURE_TOO_LATE);
    else
        failure_set(state, family, index, SIGNAL_UNAVAILABLE, family->missing);
}

void failure_settle(struct route_state *state, const struct route_family *family, uint32_t index) {
    struct signal_results *results = &state->results;
    uint32_t slot = family->first_slot + index;
    bool explained = results->reasons && results->reasons[slot];
    if (!bits_has(results->unavailable, slot))
        return;
    if (!explained && results->codes[slot] == SIGNAL_UNAVAILABLE && family->missing)
        signal_fail_because(results, slot, SIGNAL_UNAVAILABLE, family->missing);
    block(state, family, index);
}
