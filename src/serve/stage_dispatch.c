/*
 * stage_dispatch - sends the request to an endpoint of the selected model, and tries another one where policy allows.
 */
#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
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

/* ---- the backend's answer, when vsr's own client brings it */

static void on_head(void *owner, const struct http1_head *head) {
    pipeline_upstream_head(owner, head);
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
    request->upstream = NULL;
    pipeline_upstream_error(request, err, connected);
}

static const struct client_events events = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
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

static void start_call(struct request *request) {
    const struct worker *worker = request->worker;
    const struct outbound *outbound = &request->outbound;
    uint64_t silence_ms = (uint64_t)request->listener->timeout_ms;
    const struct client_timeouts timeouts = { .first_byte_ms = silence_ms, .idle_ms = silence_ms };
    const struct client_request call = {
        .method = outbound->method,
        .target = outbound->path,
        .authority = outbound->endpoint->ref->authority,
        .fields = outbound->fields,
        .n_fields = outbound->n_fields,
        .body = outbound->body,
    };
    request->upstream = client_call_start(provider_endpoint_pool(outbound->endpoint, worker->index, worker->client),
                                          &call, &timeouts, &events, request);
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
    LOG_WARN("a request body could not be adapted", LOG_S("request_id", request->request_id),
             LOG_C("error", err->text));
    if (err->code == VSR_E_UNAVAILABLE)
        return fail(request, 400, TELEMETRY_REASON_translation, "unsupported_endpoint",
                    arena_str(request->arena, str_from_c(err->text)));
    if (request->client_protocol == request->upstream_protocol)
        return fail(request, 400, TELEMETRY_REASON_parse_error, NULL,
                    VSR_STR("the request body cannot be adapted to the selected model"));
    return fail(request, 500, TELEMETRY_REASON_translation, NULL,
                arena_printf(request->arena, "Request transformation error: %s", err->text));
}

/* Makes what the endpoint is to get. */
static enum stage_result prepare(struct request *request, const struct provider_endpoint *endpoint) {
    struct vsr_err err = VSR_ERR_NONE;
    request->upstream_protocol = upstream_protocol_of(request, endpoint);
    if (build_headers(request, endpoint, &err) < 0) {
        LOG_WARN("no credential for an endpoint", LOG_S("endpoint", endpoint->id), LOG_C("error", err.text));
        return fail(request, 401, TELEMETRY_REASON_unauthorized, "invalid_api_key", VSR_STR(CREDENTIALS_REFUSED));
    }
    if (request->body_for != endpoint && upstream_body_write(request, endpoint, &err) < 0)
        return cannot_adapt(request, &err);
    request->body_for = endpoint;
    build_outbound(request, endpoint);
    return STAGE_NEXT;
}

static enum stage_result attempt(struct request *request) {
    const struct provider_endpoint *endpoint = provider_call_pick(&request->call, loop_now_ms(request->worker->loop));
    enum stage_result result;
    if (!endpoint)
        return fail(request, 503, TELEMETRY_REASON_no_backend, "no_backend",
                    VSR_STR("no endpoint of the selected model takes requests at present"));
    result = prepare(request, endpoint);
    if (result != STAGE_NEXT)
        return result;
    if (request->call.n_attempts == 1)
        metric_inc(request->model->metrics.requests);
    pipeline_note_dispatch(request);
    start_call(request);
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
    metric_inc(request->model->metrics.requests);
    pipeline_note_dispatch(request);
    request->front.ops->forward(request->front.handle, &request->outbound);
    return STAGE_DONE; /* what follows is the proxy's; the request may be gone */
}

enum stage_result stage_dispatch(struct request *request) {
    int rc;
    if (request->front.ops->forward)
        return forward(request);
    rc = provider_call_begin(&request->call, request->target.model, request->worker->index);
    if (rc == VSR_E_LIMIT) {
        request_error(request, 503, TELEMETRY_REASON_overloaded, "overloaded",
                      VSR_STR("too many requests to the selected model are under way"));
        request->reply.extra = (struct http1_field){ VSR_STR("retry-after"), VSR_STR("1") };
        return STAGE_FAIL;
    }
    if (rc < 0)
        return no_endpoint(request);
    begin_call(request);
    return attempt(request);
}

void dispatch_cancel(struct request *request) {
    loop_timer_stop(&request->retry_timer);
    client_call_cancel(request->upstream);
    request->upstream = NULL;
}

/* The back-off is over. */
static void on_retry_due(void *data) {
    struct request *request = data;
    metric_inc(request->model->metrics.retries);
    if (attempt(request) == STAGE_FAIL)
        pipeline_fail(request);
}

bool dispatch_retry(struct request *request, const struct provider_result *result) {
    struct worker *worker = request->worker;
    uint64_t delay_ms = 0;
    if (request->forwarded)
        return false;
    if (!provider_call_retry(&request->call, result, loop_now_ms(worker->loop), random_next(&worker->random),
                             &delay_ms))
        return false;
    loop_timer_start(worker->loop, &request->retry_timer, delay_ms, on_retry_due, request);
    return true;
}
