/*
 * stage_record - what happened, counted once per request: usage, cost, times, errors.
 */
#include "core/clock.h"
#include "core/log.h"
#include "provider/pricing.h"
#include "provider/savings.h"
#include "serve/cost_baseline.h"
#include "serve/stages.h"
#include "serve/token_metrics.h"
#include "serve/worker.h"
#include "wire/answer_model.h"
#include "wire/warnings.h"

/* Usage of the answer; false when it reported none that could be read. */
static bool read_usage(struct request *request, struct usage *usage) {
    struct json_doc doc;
    if (request->said) {
        *usage = answer_head(request->said)->usage;
        return usage->has;
    }
    if (request->streaming) {
        *usage = request->relay.stream.usage;
        return usage->has;
    }
    if (request->answer.len == 0 || json_parse(request->arena, buf_str(&request->answer), &doc, NULL) < 0)
        return false;
    return usage_read_answer(&doc, usage) && usage->has;
}

struct first_name {
    vsr_str name;
};

static void find_context(void *data, const char *family, const vsr_str *names, size_t n_names) {
    struct first_name *first = data;
    if (n_names && str_eq_c(str_from_c(family), "context"))
        first->name = names[0];
}

/* signals.md 11.1: plain text only; under the first matched context rule, or else the decision. */
static void calibrate(struct request *request, const struct usage *usage) {
    struct first_name category = { VSR_STR("") };
    if (request->facts.has_non_text || usage->prompt <= 0)
        return;
    if (request->route)
        route_matches(request->route, find_context, &category);
    if (category.name.len == 0 && request->decision)
        category.name = request->decision->config->name;
    if (category.name.len > 0)
        category.name = snapshot_global_name(request->arena, request->name->recipe, category.name);
    token_metrics_observe(request->worker->telemetry, request->worker->token_estimate, category.name,
                          request->facts.text_bytes, (uint64_t)usage->prompt);
}

static void record_cost(struct request *request, const struct usage *usage) {
    const struct model_metrics *metrics = &request->model->metrics;
    const struct config_pricing *pricing = request->model->provider->config->pricing;
    struct savings savings;
    if (!metrics->cost)
        return;
    metric_add(metrics->cost, pricing_cost(pricing, usage));
    if (!savings_compute(pricing, cost_baseline(request->snapshot, request->model, request->decision), 0, usage,
                         &savings))
        return;
    metric_add(metrics->compared_cost, savings.actual_cost);
    metric_add(metrics->baseline_cost, savings.baseline_cost);
}

static void record_usage(struct request *request, uint64_t now_ns) {
    const struct model_metrics *metrics = &request->model->metrics;
    double seconds = (double)(now_ns - request->first_byte_ns) / 1e9;
    struct usage usage = { 0 };
    if (!read_usage(request, &usage)) {
        metric_inc(request->worker->telemetry->usage_missing);
        return;
    }
    metric_add(metrics->prompt_tokens, (double)(usage.prompt > 0 ? usage.prompt : 0));
    metric_add(metrics->completion_tokens, (double)(usage.completion > 0 ? usage.completion : 0));
    metric_add(metrics->tokens,
               (double)((usage.prompt > 0 ? usage.prompt : 0) + (usage.completion > 0 ? usage.completion : 0)));
    metric_observe(metrics->prompt_per_request, (double)usage.prompt);
    metric_observe(metrics->completion_per_request, (double)usage.completion);
    if (request->streaming && usage.completion > 1)
        metric_observe(metrics->tpot_seconds, seconds / (double)(usage.completion - 1));
    record_cost(request, &usage);
    calibrate(request, &usage);
}

static void record_error(struct request *request, enum telemetry_reason reason) {
    if (request->model)
        metric_inc(request->model->metrics.errors[reason]);
    else
        metric_inc(request->worker->errors[reason]);
}

/* The status that the client saw; 499 when it did not wait for one. */
static int status_of(const struct request *request, bool completed) {
    if (!completed && !request->aborted)
        return 499;
    return request->reply.status ? request->reply.status : request->upstream_status;
}

static void record_outcome(struct request *request, bool completed, int status) {
    if (!completed && !request->aborted)
        record_error(request, TELEMETRY_REASON_cancellation);
    else if (request->aborted)
        record_error(request, TELEMETRY_REASON_stream_aborted);
    else if (request->reply.status >= 400)
        record_error(request, request->reply.reason);
    else if (status >= 500)
        record_error(request, TELEMETRY_REASON_upstream_5xx);
    else if (status >= 400)
        record_error(request, TELEMETRY_REASON_upstream_4xx);
}

/* As the header: only of what went on in another protocol. */
static void record_warnings(const struct request *request) {
    const struct warnings *warnings = request->warnings;
    if (!warnings || !request->outbound.endpoint || request->client_protocol == request->upstream_protocol)
        return;
    for (size_t i = 0; i < warnings->n; i++) {
        const vsr_str labels[] = { protocol_name(request->client_protocol), protocol_name(request->upstream_protocol),
                                   str_from_c(warning_severity_name(warnings->items[i].severity)),
                                   str_from_c(warnings->items[i].reason) };
        metric_inc(metric_with(request->worker->telemetry->translation_lossy, labels, VSR_COUNT(labels)));
    }
}

static void record_route(struct request *request) {
    if (request->decision) {
        metric_inc(request->decision->metrics.matches);
        metric_observe(request->decision->metrics.confidence, request->outcome->confidence);
    }
}

static void record_call(struct request *request, bool completed, uint64_t now_ns) {
    const struct model_metrics *metrics = &request->model->metrics;
    const struct provider_result result = { .failure = completed ? PROVIDER_OK : PROVIDER_CANCELLED,
                                            .status = request->upstream_status };
    metric_add(metrics->inflight, -1);
    if (request->call.hedge)
        provider_call_drop(&request->call, PROVIDER_HEDGE, NULL, loop_now_ms(request->worker->loop));
    if (request->call.endpoint)
        provider_call_result(&request->call, &result, loop_now_ms(request->worker->loop));
    provider_call_end(&request->call, loop_now_ms(request->worker->loop));
    request->call_begun = false;
    if (request->first_byte_ns) {
        metric_observe(metrics->ttft_seconds, (double)(request->first_byte_ns - request->dispatched_ns) / 1e9);
        metric_observe(metrics->completion_seconds, (double)(now_ns - request->dispatched_ns) / 1e9);
        if (completed && request->upstream_status < 300)
            record_usage(request, now_ns);
    }
}

/* Whoever went away or was cut off has still used what was reported by then. */
static void settle(struct request *request, bool completed) {
    struct usage usage = { 0 };
    bool known = request->ticket.n_held && request->first_byte_ns && request->upstream_status < 300 &&
                 read_usage(request, &usage);
    limit_request_ends(request, known ? &usage : NULL, request->aborted || !completed);
}

void record_request(struct request *request, bool completed) {
    struct worker *worker = request->worker;
    uint64_t now_ns = clock_mono_ns();
    int status;
    if (request->finished)
        return;
    request->finished = true;
    status = status_of(request, completed);
    record_route(request);
    record_warnings(request);
    if (!request->refused)
        record_outcome(request, completed, status);
    if (request->call_begun)
        record_call(request, completed, now_ns);
    settle(request, completed);
    if (!request->refused && !request->front.ops->watches) /* who only watches has answered nobody */
        metric_inc(worker_response_metric(worker, status));
    metric_observe(worker->telemetry->request_seconds, (double)(now_ns - request->start_ns) / 1e9);
    LOG_DEBUG("request", LOG_S("request_id", request->request_id), LOG_I("status", status),
              LOG_S("client", request->client), LOG_S("client_cert", request->client_cert),
              LOG_S("path", request->path), LOG_S("model", request->selected_model),
              LOG_S("decision", request->decision ? request->decision->config->name : VSR_STR("")),
              LOG_B("completed", completed), LOG_D("ms", (double)(now_ns - request->start_ns) / 1e6));
}
