/* The life of one request to one model: attempts, verdicts, retries. */
#include "core/assert.h"
#include "provider/balance.h"
#include "provider/outlier.h"
#include "provider/provider.h"
#include "provider/retry.h"

enum {
    HEDGE_COST = 100,       /* a call earns max_percent of it */
    HEDGE_CREDIT_MAX = 500, /* so many in a row after a quiet time: five */
};

static bool has_limits(const struct config_reliability *reliability) {
    return reliability->circuit.at.node || reliability->retry_count > 0 || reliability->consecutive_5xx > 0;
}

/* Each call earns a part of a second attempt. Races may lose a part, which does no harm. */
static void earn_hedge(struct provider_model *model) {
    const struct config_hedge *hedge = model->config->reliability.hedge;
    if (hedge && atomic_load(&model->state->hedge_credit) < HEDGE_CREDIT_MAX)
        atomic_fetch_add(&model->state->hedge_credit, hedge->max_percent);
}

static bool has_traffic(const struct provider_model *model) {
    for (size_t i = 0; i < model->n_endpoints; i++)
        if (model->endpoints[i].ref->weight > 0)
            return true;
    return false;
}

int provider_call_begin(struct provider_call *call, struct provider_model *model, size_t worker) {
    const struct config_reliability *reliability = &model->config->reliability;
    VSR_ASSERT(worker < model->n_workers);
    *call = (struct provider_call){ .model = model, .worker = worker };
    if (!has_traffic(model))
        return VSR_E_UNAVAILABLE;
    if (atomic_fetch_add(&model->state->active, 1) >= reliability->circuit.max_requests && has_limits(reliability)) {
        atomic_fetch_sub(&model->state->active, 1);
        return VSR_E_LIMIT;
    }
    earn_hedge(model);
    call->begun = true;
    return 0;
}

/* ---- choosing */

static bool was_tried(const struct provider_call *call, uint32_t index) {
    for (uint32_t i = 0; i < call->n_attempts; i++)
        if (call->tried[i] == index)
            return true;
    return false;
}

bool provider_endpoint_available(const struct provider_endpoint *endpoint) {
    const struct endpoint_state *state = endpoint->state;
    return endpoint->ref->weight > 0 && atomic_load(&state->mode) == ENDPOINT_CLOSED &&
           !(endpoint->checked && atomic_load(&state->unhealthy));
}

/* An endpoint whose rest is over takes one request, whoever comes first; the caller's retries cover a failure. */
static int pick_probe(const struct provider_call *call, uint64_t now_ms) {
    const struct provider_model *model = call->model;
    for (uint32_t i = 0; i < model->n_endpoints; i++) {
        const struct provider_endpoint *endpoint = &model->endpoints[i];
        if (endpoint->ref->weight > 0 && !was_tried(call, i) &&
            !(endpoint->checked && atomic_load(&endpoint->state->unhealthy)) && outlier_probe_begin(endpoint, now_ms))
            return (int)i;
    }
    return -1;
}

/* One pass of choosing among the endpoints that are available (or all of them), tried ones left out or not. */
static int pick_among(const struct provider_call *call, bool *eligible, bool available_only, bool untried_only,
                      uint64_t now_ms) {
    struct provider_model *model = call->model;
    for (uint32_t i = 0; i < model->n_endpoints; i++)
        eligible[i] = (!available_only || provider_endpoint_available(&model->endpoints[i])) &&
                      (!untried_only || !was_tried(call, i));
    return balance_pick(model, call->worker, eligible, now_ms);
}

static int pick_index(struct provider_call *call, bool *eligible, uint64_t now_ms) {
    int index = pick_probe(call, now_ms);
    call->probe = index >= 0;
    call->panic = false;
    if (index < 0)
        index = pick_among(call, eligible, true, true, now_ms);
    if (index < 0)
        index = pick_among(call, eligible, true, false, now_ms);
    if (index >= 0)
        return index;
    call->panic = true;
    index = pick_among(call, eligible, false, true, now_ms);
    return index >= 0 ? index : pick_among(call, eligible, false, false, now_ms);
}

static const struct provider_endpoint *take(struct provider_call *call, int index) {
    const struct provider_endpoint *endpoint = &call->model->endpoints[index];
    call->tried[call->n_attempts++] = (uint32_t)index;
    atomic_fetch_add(&endpoint->state->active, 1);
    atomic_fetch_add(&endpoint->state->requests_total, 1);
    return endpoint;
}

const struct provider_endpoint *provider_call_pick(struct provider_call *call, uint64_t now_ms) {
    struct provider_model *model = call->model;
    bool eligible[PROVIDER_ENDPOINTS_MAX];
    int index;
    VSR_ASSERT(call->begun && !call->endpoint);
    if (call->n_attempts == PROVIDER_ATTEMPTS_MAX)
        return NULL;
    VSR_ASSERT(model->n_endpoints <= PROVIDER_ENDPOINTS_MAX);
    index = pick_index(call, eligible, now_ms);
    if (index < 0)
        return NULL;
    call->endpoint = take(call, index);
    call->judged = false;
    return call->endpoint;
}

/* ---- verdicts */

static bool status_failed(int status) {
    return status >= 500 && status <= 599;
}

static void judge(struct provider_call *call, bool failed, uint64_t now_ms) {
    if (failed)
        atomic_fetch_add(&call->endpoint->state->failures_total, 1);
    outlier_report(call->model, call->endpoint, failed, call->probe || call->panic, now_ms);
    call->judged = true;
    call->probe = false; /* the question it carried has been answered */
}

void provider_call_head(struct provider_call *call, int status, uint64_t now_ms) {
    VSR_ASSERT(call->endpoint);
    if (!call->judged)
        judge(call, status_failed(status), now_ms);
}

void provider_call_result(struct provider_call *call, const struct provider_result *result, uint64_t now_ms) {
    bool failed = result->failure != PROVIDER_OK || status_failed(result->status);
    VSR_ASSERT(call->endpoint);
    if (result->failure == PROVIDER_CANCELLED) {
        if (call->probe)
            outlier_probe_cancel(call->endpoint);
    } else if (!call->judged || (result->failure != PROVIDER_OK && !status_failed(result->status))) {
        judge(call, failed, now_ms); /* for the first time, or because it broke after a good head */
    }
    atomic_fetch_sub(&call->endpoint->state->active, 1);
    call->endpoint = NULL;
    call->probe = false;
}

/* ---- retries */

/* Whether the next attempt can go somewhere new; an endpoint that is due for its probe counts. */
static bool has_untried(const struct provider_call *call, uint64_t now_ms) {
    const struct provider_model *model = call->model;
    for (uint32_t i = 0; i < model->n_endpoints; i++) {
        const struct provider_endpoint *endpoint = &model->endpoints[i];
        if (was_tried(call, i) || endpoint->ref->weight == 0)
            continue;
        if (provider_endpoint_available(endpoint) || outlier_probe_due(endpoint, now_ms))
            return true;
    }
    return false;
}

/*
 * A status that was named literally is the backend's own wish to be left alone: another endpoint may be asked at once,
 * the same one only when it says when, and soon.
 */
static bool asked_delay(const struct provider_call *call, const struct provider_result *result, uint64_t now_ms,
                        uint64_t *delay_ms) {
    if (has_untried(call, now_ms))
        return true;
    if (result->has_retry_after) {
        if (result->retry_after_ms > RETRY_AFTER_MAX_MS)
            return false;
        if (result->retry_after_ms > *delay_ms)
            *delay_ms = result->retry_after_ms;
        return true;
    }
    return result->status != 429;
}

/* Takes a unit of the budget unless the call holds one. Races may overshoot by the number of workers, which does no
 * harm. */
static bool reserve_retry(struct provider_call *call) {
    struct model_state *state = call->model->state;
    if (call->retrying)
        return true;
    if (!retry_within_budget(atomic_load(&state->retries), atomic_load(&state->active)))
        return false;
    atomic_fetch_add(&state->retries, 1);
    call->retrying = true;
    return true;
}

bool provider_call_retry(struct provider_call *call, const struct provider_result *result, uint64_t now_ms,
                         uint64_t random, uint64_t *ret_delay_ms) {
    const struct config_reliability *reliability = &call->model->config->reliability;
    enum retry_class class = retry_classify(reliability, result);
    uint64_t delay_ms = retry_backoff_ms(call->n_attempts, random);
    VSR_ASSERT(call->begun && !call->endpoint && !call->hedge);
    if (class == RETRY_NO || call->n_attempts - call->n_hedged > reliability->retry_count ||
        call->n_attempts >= PROVIDER_ATTEMPTS_MAX)
        return false;
    if (class == RETRY_OTHER && !has_untried(call, now_ms))
        return false;
    if (class == RETRY_ASKED && !asked_delay(call, result, now_ms, &delay_ms))
        return false;
    if (!reserve_retry(call))
        return false;
    *ret_delay_ms = delay_ms;
    return true;
}

/* ---- a second attempt beside the first */

static bool pay_hedge(struct model_state *state) {
    if (atomic_fetch_sub(&state->hedge_credit, HEDGE_COST) >= HEDGE_COST)
        return true;
    atomic_fetch_add(&state->hedge_credit, HEDGE_COST);
    return false;
}

/* Neither a probe nor panic: who waits for one answer wants no gamble on another. */
bool provider_call_hedge(struct provider_call *call, uint64_t waited_ms, uint64_t now_ms,
                         const struct provider_endpoint **ret_endpoint) {
    const struct config_hedge *hedge = call->model->config->reliability.hedge;
    bool eligible[PROVIDER_ENDPOINTS_MAX];
    int index;
    VSR_ASSERT(call->begun && call->endpoint);
    if (!hedge || call->hedge || call->judged || waited_ms < (uint64_t)hedge->after_ms ||
        call->n_attempts >= PROVIDER_ATTEMPTS_MAX || call->model->n_endpoints > PROVIDER_ENDPOINTS_MAX)
        return false;
    index = pick_among(call, eligible, true, true, now_ms);
    if (index < 0 || !pay_hedge(call->model->state))
        return false;
    if (!reserve_retry(call)) {
        atomic_fetch_add(&call->model->state->hedge_credit, HEDGE_COST);
        return false;
    }
    call->hedge = take(call, index);
    call->n_hedged++;
    atomic_fetch_add(&call->model->state->hedges_total, 1);
    *ret_endpoint = call->hedge;
    return true;
}

void provider_call_drop(struct provider_call *call, enum provider_attempt which, const struct provider_result *result,
                        uint64_t now_ms) {
    static const struct provider_result cancelled = { .failure = PROVIDER_CANCELLED };
    const struct provider_endpoint *other = which == PROVIDER_FIRST ? call->hedge : call->endpoint;
    bool probe = call->probe, panic = call->panic, judged = call->judged;
    VSR_ASSERT(call->endpoint && call->hedge);
    if (which == PROVIDER_HEDGE) {
        call->endpoint = call->hedge;
        call->probe = call->panic = call->judged = false;
    }
    provider_call_result(call, result ? result : &cancelled, now_ms);
    call->endpoint = other;
    call->hedge = NULL;
    call->probe = which == PROVIDER_HEDGE && probe;
    call->panic = which == PROVIDER_HEDGE && panic;
    call->judged = which == PROVIDER_HEDGE && judged;
}

void provider_call_end(struct provider_call *call, uint64_t now_ms) {
    static const struct provider_result cancelled = { .failure = PROVIDER_CANCELLED };
    if (!call->begun)
        return;
    if (call->hedge)
        provider_call_drop(call, PROVIDER_HEDGE, NULL, now_ms);
    if (call->endpoint)
        provider_call_result(call, &cancelled, now_ms);
    if (call->retrying)
        atomic_fetch_sub(&call->model->state->retries, 1);
    atomic_fetch_sub(&call->model->state->active, 1);
    call->begun = call->retrying = false;
}
