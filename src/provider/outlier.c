#include "provider/outlier.h"

#include "core/log.h"
#include "provider/provider.h"

static size_t count_ejected(const struct provider_model *model) {
    size_t n = 0;
    for (size_t i = 0; i < model->n_endpoints; i++)
        n += atomic_load(&model->endpoints[i].state->mode) == ENDPOINT_EJECTED;
    return n;
}

/* Whether one more may be out. Registry mutex. */
static bool may_eject(const struct provider_model *model) {
    size_t percent = (size_t)model->config->reliability.max_ejection_percent;
    size_t most = model->n_endpoints * percent / 100;
    if (percent > 0 && most == 0)
        most = 1;
    return count_ejected(model) < most;
}

/* Ejections of long ago no longer lengthen the next one. Registry mutex. */
static void decay(struct endpoint_state *state, uint64_t now_ms) {
    uint64_t returned_ms = atomic_load(&state->returned_ms);
    uint64_t sweeps = now_ms > returned_ms ? (now_ms - returned_ms) / OUTLIER_SWEEP_MS : 0;
    state->times_ejected = sweeps >= state->times_ejected ? 0 : state->times_ejected - (uint32_t)sweeps;
}

/* What a verdict changed; told after the mutex is free. */
enum change { CHANGE_NONE, CHANGE_EJECTED, CHANGE_RETURNED };

static void tell(const struct provider_endpoint *endpoint, enum change change, uint64_t now_ms) {
    uint64_t until_ms = atomic_load(&endpoint->state->ejected_until_ms);
    if (change == CHANGE_EJECTED)
        LOG_WARN("endpoint ejected", LOG_S("endpoint", endpoint->id),
                 LOG_U("rest_ms", until_ms > now_ms ? until_ms - now_ms : 0));
    else if (change == CHANGE_RETURNED)
        LOG_INFO("endpoint is back", LOG_S("endpoint", endpoint->id));
}

/* Registry mutex. */
static enum change eject(struct provider_model *model, const struct provider_endpoint *endpoint, uint64_t now_ms) {
    struct endpoint_state *state = endpoint->state;
    uint64_t base = (uint64_t)model->config->reliability.base_ejection_time_ms, rest;
    state->times_ejected++;
    rest =
        base > OUTLIER_EJECTION_MAX_MS / state->times_ejected ? OUTLIER_EJECTION_MAX_MS : base * state->times_ejected;
    atomic_store(&state->ejected_until_ms, now_ms + rest);
    atomic_store(&state->probe_since_ms, 0);
    atomic_store(&state->consecutive_failures, 0);
    atomic_store(&state->mode, ENDPOINT_EJECTED);
    atomic_fetch_add(&state->ejections_total, 1);
    return CHANGE_EJECTED;
}

/* Registry mutex. */
static enum change let_in(const struct provider_endpoint *endpoint, uint64_t now_ms) {
    struct endpoint_state *state = endpoint->state;
    atomic_store(&state->consecutive_failures, 0);
    atomic_store(&state->probe_since_ms, 0);
    atomic_store(&state->returned_ms, now_ms); /* before it can be chosen: it is to start slowly */
    atomic_store(&state->mode, ENDPOINT_CLOSED);
    return CHANGE_RETURNED;
}

static void judge_ejected(struct provider_model *model, const struct provider_endpoint *endpoint, bool failed,
                          uint64_t now_ms) {
    enum change change = CHANGE_NONE;
    registry_lock(model->registry);
    if (atomic_load(&endpoint->state->mode) == ENDPOINT_EJECTED) {
        if (!failed)
            change = let_in(endpoint, now_ms);
        else if (now_ms >= atomic_load(&endpoint->state->ejected_until_ms))
            change = eject(model, endpoint, now_ms); /* it was out already, so the ceiling does not ask again */
    }
    registry_unlock(model->registry);
    tell(endpoint, change, now_ms);
}

static void judge_closed(struct provider_model *model, const struct provider_endpoint *endpoint, uint64_t now_ms) {
    enum change change = CHANGE_NONE;
    registry_lock(model->registry);
    if (atomic_load(&endpoint->state->mode) == ENDPOINT_CLOSED && may_eject(model)) {
        decay(endpoint->state, now_ms);
        change = eject(model, endpoint, now_ms);
    }
    registry_unlock(model->registry);
    tell(endpoint, change, now_ms);
}

/* A snapshot may have switched ejection off since: what was ejected then comes back with the first verdict. */
static bool is_on(const struct provider_model *model) {
    return model->config->reliability.consecutive_5xx > 0 && model->n_endpoints >= 2;
}

void outlier_report(struct provider_model *model, const struct provider_endpoint *endpoint, bool failed, bool deciding,
                    uint64_t now_ms) {
    struct endpoint_state *state = endpoint->state;
    uint32_t failures;
    if (deciding && atomic_load(&state->mode) == ENDPOINT_EJECTED) {
        judge_ejected(model, endpoint, failed && is_on(model), now_ms);
        return;
    }
    if (!failed) {
        if (atomic_load(&state->consecutive_failures) != 0) /* the usual case writes nothing that others read */
            atomic_store(&state->consecutive_failures, 0);
        return;
    }
    failures = atomic_fetch_add(&state->consecutive_failures, 1) + 1;
    if (is_on(model) && failures >= model->config->reliability.consecutive_5xx)
        judge_closed(model, endpoint, now_ms);
}

/* `since` is when the probe under way began, or 0. */
static bool probe_due(const struct endpoint_state *state, uint64_t since, uint64_t now_ms) {
    return atomic_load(&state->mode) == ENDPOINT_EJECTED && now_ms >= atomic_load(&state->ejected_until_ms) &&
           (since == 0 || now_ms >= since + OUTLIER_PROBE_MAX_MS);
}

bool outlier_probe_due(const struct provider_endpoint *endpoint, uint64_t now_ms) {
    return probe_due(endpoint->state, atomic_load(&endpoint->state->probe_since_ms), now_ms);
}

bool outlier_probe_begin(const struct provider_endpoint *endpoint, uint64_t now_ms) {
    uint64_t since = atomic_load(&endpoint->state->probe_since_ms);
    return probe_due(endpoint->state, since, now_ms) &&
           atomic_compare_exchange_strong(&endpoint->state->probe_since_ms, &since, now_ms ? now_ms : 1);
}

void outlier_probe_cancel(const struct provider_endpoint *endpoint) {
    atomic_store(&endpoint->state->probe_since_ms, 0);
}
