/*
 * stage_dispatch - sends the request to an endpoint of the selected model, and tries another one where policy allows.
 */
#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "serve/relay.h"
#include "serve/stages.h"
#include "serve/worker.h"

static int build_headers(struct request *request, const struct provider_endpoint *endpoint, struct vsr_err *err) {
    const struct upstream_headers_input input = {
        .head = request->head,
        .ref = endpoint->ref,
        .credentials = request->snapshot->credentials,
        .selected_model = request->selected_model,
        .request_id = request->request_id,
        .trace = &request->trace,
        .protocol = request->upstream_protocol,
        .stream = request->facts.stream,
        .translated = request->upstream_protocol != request->client_protocol,
        .trust_injected = request->listener->trust_identity_headers,
        .authorization_is_ours = request->key_checked,
    };
    return upstream_headers_build(request->arena, &input, &request->headers, err);
}

/* ---- two attempts at once

   The request's own fields tell of the attempt that counts. A hedge is kept beside them, and takes their place when its
   answer begins first or the other one fails. */

static void swap_attempts(struct request *request) {
    const struct attempt other = request->hedge;
    struct buf body = request->upstream_body;
    request->hedge = (struct attempt){ .call = request->upstream,
                                       .endpoint = request->body_for,
                                       .protocol = request->upstream_protocol,
                                       .headers = request->headers,
                                       .outbound = request->outbound };
    request->upstream = other.call;
    request->body_for = other.endpoint;
    request->upstream_protocol = other.protocol;
    request->headers = other.headers;
    request->outbound = other.outbound;
    request->upstream_body = request->hedge_body;
    request->hedge_body = body;
}

static void count_hedge(const struct request *request, const char *outcome) {
    const vsr_str labels[] = { request->target.model->name, str_from_c(outcome) };
    metric_inc(metric_with(request->worker->telemetry->hedges, labels, VSR_COUNT(labels)));
}

/* The hedge is over, whoever it is by now. `result` NULL: it lost. */
static void drop_hedge(struct request *request, enum provider_attempt which, const struct provider_result *result) {
    provider_call_drop(&request->call, which, result, loop_now_ms(request->worker->loop));
    client_call_cancel(request->hedge.call);
    request->hedge.call = NULL;
}

/* The first attempt lost against the hedge, or failed beside it. */
static void adopt_hedge(struct request *request, const struct provider_result *result) {
    swap_attempts(request);
    drop_hedge(request, PROVIDER_FIRST, result);
}

/* ---- the backend's answer, when vsr's own client brings it */

static void on_head(void *owner, const struct http1_head *head) {
    struct request *request = owner;
    const struct provider_result failed = { .failure = PROVIDER_OK, .status = head->status };
    loop_timer_stop(&request->hedge_timer);
    if (request->hedge.call && head->status >= 500) {
        adopt_hedge(request, &failed);
        return;
    }
    if (request->hedge.call) {
        count_hedge(request, "lost");
        drop_hedge(request, PROVIDER_HEDGE, NULL);
    }
    pipeline_upstream_head(request, head);
}

static void on_body(void *owner, vsr_str bytes) {
    pipeline_upstream_body(owner, bytes);
}

static void on_end(void *owner) {
    struct request *request = owner;
    request->upstream = NULL;
    pipeline_upstream_end(request);
}

static void on_error(void *owner, const struct vsr_err *err, bool connected) {
    struct request *request = owner;
    const struct provider_result failed = { .failure = relay_failure_of(err, connected) };
    loop_timer_stop(&request->hedge_timer);
    request->upstream = NULL;
    if (request->hedge.call)
        adopt_hedge(request, &failed);
    else
        pipeline_upstream_error(request, err, connected);
}

static const struct client_events events = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};

/* As long as both are under way, the second one is the request's hedge; once it was adopted it is as any other. */
static void on_hedge_head(void *owner, const struct http1_head *head) {
    struct request *request = owner;
    const struct provider_result failed = { .failure = PROVIDER_OK, .status = head->status };
    if (request->hedge.call && head->status >= 500) {
        count_hedge(request, "failed");
        drop_hedge(request, PROVIDER_HEDGE, &failed);
        return;
    }
    if (request->hedge.call) {
        count_hedge(request, "won");
        adopt_hedge(request, NULL);
    }
    pipeline_upstream_head(request, head);
}

static void on_hedge_error(void *owner, const struct vsr_err *err, bool connected) {
    struct request *request = owner;
    const struct provider_result failed = { .failure = relay_failure_of(err, connected) };
    if (!request->hedge.call) {
        on_error(owner, err, connected);
        return;
    }
    count_hedge(request, "failed");
    request->hedge.call = NULL; /* it is over, and must not be cancelled */
    drop_hedge(request, PROVIDER_HEDGE, &failed);
}

static const struct client_events hedge_events = {
    .on_head = on_hedge_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_hedge_error,
};

/* ---- one attempt */

/* Only a target of the endpoint's own protocol says how it wants to be asked. */
static vsr_str target_for(const struct request *request) {
    return request->client_protocol == request->upstream_protocol ? request->origin_target : VSR_STR("");
}

static void build_outbound(struct request *request, const struct provider_endpoint *endpoint) {
    request->outbound = (struct outbound){
        .endpoint = endpoint,
        .method = VSR_STR("POST"),
        .path = provider_endpoint_path(request->arena, endpoint, request->upstream_protocol, target_for(request)),
        .model = request->selected_model,
        .fields = request->headers.fields,
        .n_fields = request->headers.n_fields,
        .body = request->upstream_body.len ? buf_str(&request->upstream_body) : upstream_body_base(request),
        .body_changed = request->upstream_body.len > 0 || request->client_protocol != request->upstream_protocol,
        .clear_route_cache =
            request->snapshot->doc->global.router.clear_route_cache || request->upstream_protocol == PROTOCOL_MESSAGES,
    };
}

static struct client_call *start_call(struct request *request, const struct client_events *to) {
    const struct worker *worker = request->worker;
    const struct outbound *outbound = &request->outbound;
    uint64_t silence_ms = (uint64_t)request->listener->timeout_ms, left_ms = failover_time_left_ms(request);
    const struct client_timeouts timeouts = { .first_byte_ms = left_ms > 0 ? left_ms : 1, .idle_ms = silence_ms };
    const struct client_request call = {
        .method = outbound->method,
        .target = outbound->path,
        .authority = outbound->endpoint->ref->authority,
        .fields = outbound->fields,
        .n_fields = outbound->n_fields,
        .body = outbound->body,
    };
    return client_call_start(provider_endpoint_pool(outbound->endpoint, worker->index, worker->client), &call,
                             &timeouts, to, request);
}

/* Also ends an attempt that was chosen but not sent: it says nothing about its endpoint. */
static enum stage_result fail(struct request *request, int status, enum telemetry_reason reason, const char *code,
                              vsr_str message) {
    const struct provider_result unsent = { .failure = PROVIDER_CANCELLED };
    if (request->call.endpoint)
        provider_call_result(&request->call, &unsent, loop_now_ms(request->worker->loop));
    request_error(request, status, reason, code, message);
    return STAGE_FAIL;
}

/* Why an endpoint cannot be asked. */
static enum stage_result cannot_adapt(struct request *request, const struct vsr_err *err) {
    if (err->code == VSR_E_UNAVAILABLE)
        return fail(request, 400, TELEMETRY_REASON_translation, "unsupported_endpoint",
                    arena_str(request->arena, str_from_c(err->text)));
    if (request->client_protocol == request->upstream_protocol)
        return fail(request, 400, TELEMETRY_REASON_parse_error, NULL,
                    VSR_STR("the request body cannot be adapted to the selected model"));
    return fail(request, 500, TELEMETRY_REASON_translation, NULL,
                arena_printf(request->arena, "Request transformation error: %s", err->text));
}

enum making { MADE, NO_CREDENTIAL, NO_BODY };

/* What the endpoint is to get. */
static enum making make(struct request *request, const struct provider_endpoint *endpoint, struct vsr_err *err) {
    request->upstream_protocol = upstream_protocol_of(request, endpoint);
    if (build_headers(request, endpoint, err) < 0) {
        LOG_WARN("no credential for an endpoint", LOG_S("request_id", request->request_id),
                 LOG_S("model", request->selected_model), LOG_S("endpoint", endpoint->id), LOG_C("error", err->text));
        return NO_CREDENTIAL;
    }
    if (request->body_for != endpoint && upstream_body_write(request, endpoint, err) < 0) {
        LOG_WARN("a request body could not be adapted", LOG_S("request_id", request->request_id),
                 LOG_C("error", err->text));
        return NO_BODY;
    }
    request->body_for = endpoint;
    build_outbound(request, endpoint);
    return MADE;
}

static enum stage_result prepare(struct request *request, const struct provider_endpoint *endpoint) {
    struct vsr_err err = VSR_ERR_NONE;
    switch (make(request, endpoint, &err)) {
    case NO_CREDENTIAL:
        return fail(request, 401, TELEMETRY_REASON_unauthorized, "invalid_api_key", VSR_STR(CREDENTIALS_REFUSED));
    case NO_BODY:
        return cannot_adapt(request, &err);
    case MADE:
        break;
    }
    return STAGE_NEXT;
}

static void arm_hedge(struct request *request, uint64_t delay_ms);

/* The first attempt has not answered for a while: another one beside it, where that may be. */
static void on_hedge_due(void *data) {
    struct request *request = data;
    uint64_t now_ms = loop_now_ms(request->worker->loop), waited_ms = now_ms - request->attempt_ms;
    uint64_t after_ms = (uint64_t)request->target.model->config->reliability.hedge->after_ms;
    const struct provider_endpoint *endpoint;
    struct vsr_err err = VSR_ERR_NONE;
    if (waited_ms < after_ms) {
        arm_hedge(request, after_ms - waited_ms);
        return;
    }
    if (!request->upstream || !provider_call_hedge(&request->call, waited_ms, now_ms, &endpoint))
        return;
    request->hedge = (struct attempt){ 0 };
    swap_attempts(request); /* what is made next is the hedge */
    if (make(request, endpoint, &err) == MADE)
        request->upstream = start_call(request, &hedge_events);
    swap_attempts(request);
    if (!request->hedge.call)
        drop_hedge(request, PROVIDER_HEDGE, NULL);
}

static void arm_hedge(struct request *request, uint64_t delay_ms) {
    loop_timer_start(request->worker->loop, &request->hedge_timer, delay_ms, on_hedge_due, request);
}

static enum stage_result attempt(struct request *request) {
    const struct config_hedge *hedge = request->target.model->config->reliability.hedge;
    uint64_t now_ms = loop_now_ms(request->worker->loop);
    const struct provider_endpoint *endpoint = provider_call_pick(&request->call, now_ms);
    enum stage_result result;
    relay_forget(request);
    if (!endpoint)
        return fail(request, 503, TELEMETRY_REASON_no_backend, "no_backend",
                    VSR_STR("no endpoint of the selected model takes requests at present"));
    result = prepare(request, endpoint);
    if (result != STAGE_NEXT)
        return result;
    if (request->call.n_attempts == 1)
        metric_inc(request->model->metrics.requests);
    pipeline_note_dispatch(request);
    request->upstream = start_call(request, &events);
    request->attempt_ms = now_ms;
    if (hedge)
        arm_hedge(request, (uint64_t)hedge->after_ms);
    return STAGE_WAIT;
}

/* What takes requests at all, the heaviest first: a proxy in front balances by itself (gateway.md 12.1). */
static const struct provider_endpoint *heaviest_endpoint(const struct provider_model *model) {
    const struct provider_endpoint *best = NULL;
    for (size_t i = 0; i < model->n_endpoints; i++)
        if (model->endpoints[i].ref->weight > (best ? best->ref->weight : 0))
            best = &model->endpoints[i];
    return best;
}

static enum stage_result no_endpoint(struct request *request) {
    return fail(request, 503, TELEMETRY_REASON_no_backend, "no_backend",
                VSR_STR("the selected model has no endpoint that takes requests"));
}

static void begin_call(struct request *request) {
    request->call_begun = true;
    request->dispatched_ns = clock_mono_ns();
    metric_add(request->model->metrics.inflight, 1);
}

/* Hands the request to the proxy that it came from. What the proxy does with it says nothing about endpoints. */
static enum stage_result forward(struct request *request) {
    const struct provider_endpoint *endpoint = heaviest_endpoint(request->target.model);
    enum stage_result result;
    if (!endpoint)
        return no_endpoint(request);
    result = prepare(request, endpoint);
    if (result != STAGE_NEXT)
        return result;
    request->forwarded = true;
    begin_call(request);
    if (!request->front.ops->watches)
        metric_inc(request->model->metrics.requests);
    pipeline_note_dispatch(request);
    request->front.ops->forward(request->front.handle, &request->outbound);
    return STAGE_DONE; /* what follows is the proxy's; the request may be gone */
}

static enum stage_result dispatch_once(struct request *request) {
    int rc;
    if (request->front.ops->forward)
        return forward(request);
    rc = provider_call_begin(&request->call, request->target.model, request->worker->index);
    if (rc == VSR_E_LIMIT) {
        request_overloaded(request, VSR_STR("too many requests to the selected model are under way"));
        return STAGE_FAIL;
    }
    if (rc < 0)
        return no_endpoint(request);
    begin_call(request);
    return attempt(request);
}

enum stage_result stage_dispatch(struct request *request) {
    static const struct provider_result unavailable = { .failure = PROVIDER_CONNECT };
    /* Else the budgets of a model that is to answer in place of another have been asked for elsewhere. */
    enum stage_result result = request->limit_waits ? stage_budget(request) : STAGE_NEXT;
    bool denied = result == STAGE_FAIL;
    if (result == STAGE_NEXT)
        result = dispatch_once(request);
    while (result == STAGE_FAIL && (denied || request->reply.status == 503) && failover_next(request, &unavailable)) {
        denied = false;
        result = request->limit_waits ? STAGE_WAIT : dispatch_once(request);
    }
    return result;
}

void dispatch_cancel(struct request *request) {
    loop_timer_stop(&request->retry_timer);
    loop_timer_stop(&request->hedge_timer);
    client_call_cancel(request->upstream);
    client_call_cancel(request->hedge.call);
    request->upstream = NULL;
    request->hedge.call = NULL;
}

/* The back-off is over. */
static void on_retry_due(void *data) {
    struct request *request = data;
    metric_inc(request->model->metrics.retries);
    if (attempt(request) == STAGE_FAIL)
        pipeline_fail(request);
}

static void on_failover_due(void *data) {
    struct request *request = data;
    if (stage_dispatch(request) == STAGE_FAIL)
        pipeline_fail(request);
}

/* Another model is asked: from the loop, because the old call is in the middle of an event. */
static void dispatch_again(struct request *request) {
    if (request->limit_waits) /* the pipeline is resumed when there is an answer */
        return;
    loop_timer_start(request->worker->loop, &request->retry_timer, 0, on_failover_due, request);
}

bool dispatch_retry(struct request *request, const struct provider_result *result) {
    struct worker *worker = request->worker;
    uint64_t delay_ms = 0;
    if (request->forwarded)
        return false;
    if (provider_call_retry(&request->call, result, loop_now_ms(worker->loop), random_next(&worker->random),
                            &delay_ms)) {
        loop_timer_start(worker->loop, &request->retry_timer, delay_ms, on_retry_due, request);
        return true;
    }
    if (!failover_next(request, result))
        return false;
    dispatch_again(request);
    return true;
}

bool dispatch_elsewhere(struct request *request, vsr_str error_body) {
    if (!failover_of_context(request, error_body))
        return false;
    dispatch_again(request);
    return true;
}
