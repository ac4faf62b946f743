#include "serve/failover.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/decoder.h"

static bool is_allowed(const struct request *request) {
    return request->decision && request->decision->config->fallback && request->model_ref && !request->forwarded &&
           !request->answered;
}

uint64_t failover_time_left_ms(const struct request *request) {
    uint64_t timeout_ms = (uint64_t)request->listener->timeout_ms, passed_ms;
    if (request->failover.first_model.len == 0)
        return timeout_ms;
    passed_ms = (clock_mono_ns() - request->failover.began_ns) / 1000000;
    return passed_ms < timeout_ms ? timeout_ms - passed_ms : 0;
}

/* ---- candidates */

static int64_t window_of(const struct config_model_ref *ref) {
    return ref->card ? ref->card->context_window_size : 0;
}

/* The next one that was not tried, has a backend, and more room where that is what it takes. */
static const struct config_model_ref *candidate(struct request *request, bool larger,
                                                struct provider_target *ret_target) {
    const struct config_list *refs = &request->decision->config->model_refs;
    const struct config_model_ref *items = refs->items;
    request->failover.tried |= UINT64_C(1) << (size_t)(request->model_ref - items) % FAILOVER_REFS_MAX;
    for (size_t i = 0; i < refs->n && i < FAILOVER_REFS_MAX; i++) {
        if (request->failover.tried >> i & 1 || (larger && window_of(&items[i]) <= window_of(request->model_ref)))
            continue;
        if (provider_set_find(request->snapshot->providers, config_ref_name(&items[i]), ret_target) &&
            ret_target->model->n_endpoints > 0)
            return &items[i];
        request->failover.tried |= UINT64_C(1) << i;
    }
    return NULL;
}

/* ---- the change */

static void count(const struct request *request, vsr_str to, const char *reason) {
    const vsr_str labels[] = { request->selected_model, to, str_from_c(reason) };
    metric_inc(metric_with(request->worker->telemetry->failovers, labels, VSR_COUNT(labels)));
}

/* The old model's share of the accounting. */
static void leave(struct request *request, enum telemetry_reason reason) {
    metric_inc(request->model->metrics.errors[reason]);
    if (!request->call_begun)
        return;
    metric_add(request->model->metrics.inflight, -1);
    provider_call_end(&request->call, loop_now_ms(request->worker->loop));
    request->call_begun = false;
}

static bool change(struct request *request, bool larger, enum telemetry_reason reason, const char *why) {
    struct provider_target target;
    const struct config_model_ref *ref;
    if (failover_time_left_ms(request) == 0)
        return false;
    ref = candidate(request, larger, &target);
    if (!ref)
        return false;
    if (request->failover.first_model.len == 0) {
        request->failover.first_model = request->selected_model;
        request->failover.began_ns = request->dispatched_ns ? request->dispatched_ns : clock_mono_ns();
        request_add_field(request, VSR_STR("x-vsr-fallback-model"),
                          arena_str(request->arena, request->failover.first_model));
    }
    LOG_INFO("another model answers", LOG_S("request_id", request->request_id), LOG_S("from", request->selected_model),
             LOG_S("to", config_ref_name(ref)), LOG_C("reason", why));
    count(request, config_ref_name(ref), why);
    leave(request, reason);
    request->reply = (struct reply){ 0 }; /* of the model that cannot even be asked */
    request->model_ref = ref;
    request->selected_model = config_ref_name(ref);
    request->reasoning = ref->use_reasoning;
    request->target = target;
    request->model = snapshot_model(request->snapshot, target.model->name);
    request->body_for = NULL;
    return true;
}

bool failover_next(struct request *request, const struct provider_result *result) {
    if (!is_allowed(request))
        return false;
    if (result->failure == PROVIDER_CONNECT)
        return change(request, false, TELEMETRY_REASON_upstream_connect, "connect");
    if (result->failure == PROVIDER_RESET && result->status == 0)
        return change(request, false, TELEMETRY_REASON_upstream_reset, "reset");
    if (result->failure == PROVIDER_OK && result->status == 429)
        return change(request, false, TELEMETRY_REASON_upstream_4xx, "429");
    if (result->failure == PROVIDER_OK && result->status >= 500)
        return change(request, false, TELEMETRY_REASON_upstream_5xx, "5xx");
    return false;
}

/* ---- a prompt that is too long */

static bool has_larger(const struct request *request) {
    const struct config_list *refs = &request->decision->config->model_refs;
    const struct config_model_ref *items = refs->items;
    for (size_t i = 0; i < refs->n && i < FAILOVER_REFS_MAX; i++)
        if (!(request->failover.tried >> i & 1) && window_of(&items[i]) > window_of(request->model_ref))
            return true;
    return false;
}

bool failover_may_follow(const struct request *request, const struct http1_head *head) {
    return (head->status == 400 || head->status == 413) && is_allowed(request) && has_larger(request);
}

/* OpenAI's code, which most servers share, and what Anthropic says without one. */
static bool says_too_long(const struct answer_error *error) {
    return str_eq(error->code, VSR_STR("context_length_exceeded")) ||
           str_starts(error->message, VSR_STR("prompt is too long"));
}

bool failover_of_context(struct request *request, vsr_str body) {
    struct answer_error error;
    decoder_error_body(request->upstream_protocol, request->upstream_status, body, request->arena, &error);
    return is_allowed(request) && says_too_long(&error) &&
           change(request, true, TELEMETRY_REASON_upstream_4xx, "context_length");
}
