#include "serve/failover.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "serve/relay.h"
#include "serve/responses.h"
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

static void note_tried(struct request *request) {
    const struct config_model_ref *items = request->decision->config->model_refs.items;
    request->failover.tried |= UINT64_C(1) << (size_t)(request->model_ref - items) % FAILOVER_REFS_MAX;
}

/* The next one that was not tried, has a backend, and more room where that is what it takes. */
static const struct config_model_ref *candidate(struct request *request, bool larger,
                                                struct provider_target *ret_target) {
    const struct config_list *refs = &request->decision->config->model_refs;
    const struct config_model_ref *items = refs->items;
    note_tried(request);
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

/* Who answers. */
struct chosen {
    const struct config_model_ref *ref;
    vsr_str name;
    bool reasoning;
    struct provider_target target;
    const struct snapshot_model *model;
};

static struct chosen chosen_of(const struct request *request) {
    return (struct chosen){ .ref = request->model_ref,
                            .name = request->selected_model,
                            .reasoning = request->reasoning,
                            .target = request->target,
                            .model = request->model };
}

static void choose(struct request *request, const struct chosen *chosen) {
    request->model_ref = chosen->ref;
    request->selected_model = chosen->name;
    request->reasoning = chosen->reasoning;
    request->target = chosen->target;
    request->model = chosen->model;
    request->body_for = NULL;
}

/* Whether the candidate can do what is asked, and the caller may have it. */
static bool is_fit(struct request *request, const struct chosen *chosen) {
    choose(request, chosen);
    if (stage_adapt(request) == STAGE_NEXT && limit_again(request) != LIMIT_DENIED)
        return true;
    LOG_INFO("another model cannot answer", LOG_S("request_id", request->request_id), LOG_S("model", chosen->name));
    return false;
}

/* The next candidate becomes the selected model. False: there is none, and everything is as it was. */
static bool choose_next(struct request *request, bool larger) {
    const struct chosen from = chosen_of(request);
    const struct reply reply = request->reply;
    struct chosen to;
    bool any = false;
    while ((to.ref = candidate(request, larger, &to.target)) != NULL) {
        any = true;
        to.name = config_ref_name(to.ref);
        to.reasoning = to.ref->use_reasoning;
        to.model = snapshot_model(request->snapshot, to.target.model->name);
        if (is_fit(request, &to)) {
            request->reply = (struct reply){ 0 }; /* of the model that cannot even be asked */
            return true;
        }
        note_tried(request); /* the candidate */
        choose(request, &from);
    }
    if (any)
        (void)stage_adapt(request); /* it could be asked before */
    request->reply = reply;
    return false;
}

static void count(const struct chosen *from, const struct request *request, const char *reason) {
    const vsr_str labels[] = { from->name, request->selected_model, str_from_c(reason) };
    metric_inc(metric_with(request->worker->telemetry->failovers, labels, VSR_COUNT(labels)));
}

/* The old model's share of the accounting. */
static void leave(struct request *request, const struct chosen *from, enum telemetry_reason reason) {
    metric_inc(from->model->metrics.errors[reason]);
    relay_forget(request);
    if (!request->call_begun)
        return;
    metric_add(from->model->metrics.inflight, -1);
    provider_call_end(&request->call, loop_now_ms(request->worker->loop));
    request->call_begun = false;
}

static bool change(struct request *request, bool larger, enum telemetry_reason reason, const char *why) {
    const struct chosen from = chosen_of(request);
    if (failover_time_left_ms(request) == 0 || !choose_next(request, larger))
        return false;
    if (request->failover.first_model.len == 0) {
        request->failover.first_model = from.name;
        request->failover.began_ns = request->dispatched_ns ? request->dispatched_ns : clock_mono_ns();
        request_add_field(request, VSR_STR("x-vsr-fallback-model"),
                          arena_str(request->arena, request->failover.first_model));
    }
    LOG_INFO("another model answers", LOG_S("request_id", request->request_id), LOG_S("from", from.name),
             LOG_S("to", request->selected_model), LOG_C("reason", why));
    count(&from, request, why);
    leave(request, &from, reason);
    return true;
}

bool failover_next(struct request *request, const struct provider_result *result) {
    if (!is_allowed(request))
        return false;
    if (result->failure == PROVIDER_CONNECT)
        return change(request, false, TELEMETRY_REASON_upstream_connect, "connect");
    if (result->failure == PROVIDER_CANCELLED) /* no place in our own queue */
        return change(request, false, TELEMETRY_REASON_overloaded, "overloaded");
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
