#include "serve/image_call.h"

#include "core/log.h"
#include "net/client.h"
#include "serve/relay.h"
#include "serve/stages.h"
#include "serve/worker.h"

void image_call_init(struct image_call *call, struct request *request, uint64_t timeout_ms,
                     void (*ended_fn)(void *owner), void *owner) {
    *call = (struct image_call){ .request = request, .timeout_ms = timeout_ms, .ended_fn = ended_fn, .owner = owner };
    buf_init(&call->body, IMAGE_CALL_BODY_MAX);
    buf_init(&call->answer, IMAGE_CALL_ANSWER_MAX);
}

void image_call_end(struct image_call *call, enum provider_failure failure) {
    const struct provider_result result = { .failure = failure, .status = call->status };
    uint64_t now_ms = loop_now_ms(call->request->worker->loop);
    call->call = NULL;
    if (call->begun) {
        provider_call_result(&call->provider, &result, now_ms);
        provider_call_end(&call->provider, now_ms);
    }
    call->begun = false;
    if (call->own_pool)
        client_endpoint_unref(call->own_pool);
    call->own_pool = NULL;
}

void image_call_done(struct image_call *call) {
    client_call_cancel(call->call);
    if (call->call || call->begun || call->own_pool)
        image_call_end(call, PROVIDER_CANCELLED);
    buf_done(&call->body);
    buf_done(&call->answer);
}

/* ---- the backend's answer */

static void on_head(void *owner, const struct http1_head *head) {
    struct image_call *call = owner;
    call->status = head->status;
}

static void on_body(void *owner, vsr_str bytes) {
    struct image_call *call = owner;
    (void)buf_append(&call->answer, bytes); /* buf_failed() tells at the end */
}

static void on_end(void *owner) {
    struct image_call *call = owner;
    call->ended = buf_failed(&call->answer) == 0;
    image_call_end(call, PROVIDER_OK);
    call->ended_fn(call->owner);
}

static void on_error(void *owner, const struct vsr_err *err, bool connected) {
    struct image_call *call = owner;
    enum provider_failure failure = relay_failure_of(err, connected);
    LOG_WARN("a backend failed", LOG_S("request_id", call->request->request_id), LOG_C("error", err->text));
    call->overloaded = failure == PROVIDER_CANCELLED;
    image_call_end(call, failure);
    call->ended_fn(call->owner);
}

static const struct client_events events = {
    .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_error = on_error
};

/* ---- asking */

void image_call_send(struct image_call *call, struct client_endpoint *pool, vsr_str authority, vsr_str path,
                     const struct http1_field *fields, size_t n_fields) {
    const struct client_timeouts timeouts = { .total_ms = call->timeout_ms, .first_byte_ms = call->timeout_ms };
    const struct client_request request = { .method = VSR_STR("POST"),
                                            .target = path,
                                            .authority = authority,
                                            .fields = fields,
                                            .n_fields = n_fields,
                                            .body = buf_str(&call->body) };
    call->call = client_call_start(pool, &request, &timeouts, &events, call);
}

bool image_call_model(struct image_call *call, const struct config_model_ref *ref, enum protocol protocol,
                      bool (*write)(struct image_call *call, vsr_str model_id)) {
    struct request *request = call->request;
    struct worker *worker = request->worker;
    const struct provider_endpoint *endpoint;
    struct provider_target target;
    struct upstream_headers headers;
    struct upstream_headers_input input = { .head = request->head,
                                            .credentials = request->snapshot->credentials,
                                            .selected_model = config_ref_name(ref),
                                            .request_id = request->request_id,
                                            .trace = &request->trace,
                                            .protocol = protocol,
                                            .translated = true,
                                            .trust_injected = request->listener->trust_identity_headers,
                                            .authorization_is_ours = request->key_checked };
    int rc;
    if (!provider_set_find(request->snapshot->providers, config_ref_name(ref), &target))
        return false;
    rc = provider_call_begin(&call->provider, target.model, worker->index);
    call->overloaded = rc == VSR_E_LIMIT;
    if (rc < 0)
        return false;
    call->begun = true;
    endpoint = provider_call_pick(&call->provider, loop_now_ms(worker->loop));
    input.ref = endpoint ? endpoint->ref : NULL;
    if (!endpoint || upstream_headers_build(request->arena, &input, &headers, NULL) < 0 ||
        !write(call, provider_endpoint_model_id(target.model, endpoint, target.lora)))
        return false;
    metric_inc(snapshot_model(request->snapshot, target.model->name)->metrics.requests);
    image_call_send(call, provider_endpoint_pool(endpoint, worker->index, worker->client), endpoint->ref->authority,
                    provider_endpoint_path(request->arena, endpoint, protocol, VSR_STR("")), headers.fields,
                    headers.n_fields);
    return true;
}
