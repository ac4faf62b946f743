#include "route/answers.h"

#include "core/arena.h"
#include "core/assert.h"
#include "route/failure.h"

static uint32_t index_of(const struct route_state *state, const struct route_family *family) {
    return (uint32_t)(family - state->route->families);
}

/* ---- asking */

/* Marks the rules to judge. Returns whether there are any. */
static bool put_off(struct route_state *state, const struct route_family *family) {
    bool any = false;
    for (uint32_t slot = family->first_slot; slot < family->first_slot + family->n_slots; slot++)
        if (bits_has(state->request.wanted, slot) && !bits_has(state->results.evaluated, slot)) {
            bits_add(state->pending, slot);
            any = true;
        }
    return any;
}

static void fail_pending(struct route_state *state, const struct route_family *family, bool late) {
    for (uint32_t i = 0; i < family->n_slots; i++)
        if (bits_has(state->pending, family->first_slot + i)) {
            failure_set_missing(state, family, i, late);
            bits_put(state->pending, family->first_slot + i, false);
        }
}

/* An answer is worth waiting for as long as the most patient of those who ask for it waits. */
static void set_timeouts(struct route_state *state, const struct route_family *family, size_t n_before) {
    uint32_t asker = UINT32_C(1) << index_of(state, family);
    int64_t left = failure_time_left(state, family);
    for (size_t i = state->first_ask; i < state->asks.n; i++) {
        struct evidence_ask *ask = state->asks.items[i];
        if (!ask->answered && (ask->askers & asker) &&
            (i >= n_before || left == 0 || (ask->timeout_ms > 0 && ask->timeout_ms < left)))
            ask->timeout_ms = left;
    }
}

void answers_ask(struct route_state *state, const struct route_family *family) {
    const struct signal_family *f = family->family;
    const uint64_t *wanted = state->request.wanted;
    bool late = failure_too_late(state);
    size_t n_before = state->asks.n;
    if (!put_off(state, family))
        return;
    if (late || !f->ask || !f->eval) {
        fail_pending(state, family, late);
        return;
    }
    state->request.wanted = state->pending;
    state->request.memo = state->memos[index_of(state, family)];
    state->asks.asker = index_of(state, family);
    f->ask(family->state, &state->request);
    state->memos[index_of(state, family)] = state->request.memo;
    state->request.wanted = wanted;
    set_timeouts(state, family, n_before);
}

bool answers_open(struct route_state *state) {
    size_t first = state->first_ask;
    state->open = ARENA_ARRAY(state->arena, struct evidence_ask *, state->asks.n - first);
    for (size_t i = first; i < state->asks.n; i++)
        if (!state->asks.items[i]->answered)
            state->open[state->n_open++] = state->asks.items[i];
    state->first_ask = state->asks.n;
    return state->n_open > 0;
}

/* ---- answers */

const struct signal_source *route_sources(const struct route *route, size_t *ret_n) {
    *ret_n = route->sources.n;
    return route->sources.items;
}

struct signal_bank *const *route_banks(const struct route *route, size_t *ret_n) {
    *ret_n = route->banks.n;
    return route->banks.items;
}

struct evidence_ask *const *route_asks(const struct route_state *state, size_t *ret_n) {
    *ret_n = state->n_open;
    return state->open;
}

void route_answer(struct route_state *state, struct evidence_ask *ask, const struct evidence_answer *answer) {
    VSR_ASSERT(state->waiting);
    evidence_take(&state->asks, ask, answer);
}

static void close_asks(struct route_state *state) {
    bool late = state->n_open > 0 && failure_too_late(state);
    struct evidence_answer none = { .code = late ? SIGNAL_TIMEOUT : SIGNAL_UNAVAILABLE,
                                    .reason = late ? FAILURE_TOO_LATE : NULL };
    for (size_t i = 0; i < state->n_open; i++)
        if (!state->open[i]->answered)
            evidence_take(&state->asks, state->open[i], &none);
    state->n_open = 0;
}

/* ---- judging */

static void fail_family(struct route_state *state, const struct route_family *family, int rc, const char *reason) {
    for (uint32_t i = 0; i < family->n_slots; i++)
        if (bits_has(state->pending, family->first_slot + i) &&
            !bits_has(state->results.evaluated, family->first_slot + i))
            failure_set(state, family, i, rc == VSR_E_LIMIT ? SIGNAL_TOO_LONG : SIGNAL_FAILED, reason);
}

/* What the family left open is no match; what failed may block. */
static void settle(struct route_state *state, const struct route_family *family) {
    for (uint32_t i = 0; i < family->n_slots; i++) {
        uint32_t slot = family->first_slot + i;
        if (!bits_has(state->pending, slot))
            continue;
        signal_no_match(&state->results, slot);
        failure_settle(state, family, i);
        bits_put(state->pending, slot, false);
    }
}

static void judge(struct route_state *state, const struct route_family *family) {
    struct vsr_err err = VSR_ERR_NONE;
    uint64_t begin_ns = state->now_ns ? state->now_ns() : 0;
    int rc;
    state->request.memo = state->memos[index_of(state, family)];
    state->asks.asker = index_of(state, family);
    rc = family->family->eval(family->state, &state->request, &state->results, &err);
    if (state->now_ns)
        state->family_ns[index_of(state, family)] += state->now_ns() - begin_ns;
    if (rc < 0)
        fail_family(state, family, rc, err.text[0] ? arena_printf(state->arena, "%s", err.text).ptr : NULL);
    settle(state, family);
}

void answers_judge(struct route_state *state) {
    close_asks(state);
    state->asks.closed = true;
    state->request.wanted = state->pending;
    for (size_t i = 0; i < state->route->n_families; i++)
        if (plan_wants(&state->route->families[i], state->pending))
            judge(state, &state->route->families[i]);
    state->asks.closed = state->evidence != ROUTE_EVIDENCE_ANSWERS;
}
