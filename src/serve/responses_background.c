/*
 * responses_background - from a request that asks for it to a response that runs without its client.
 *
 * The record is there before anything else, so that whoever was told of the response finds it; then the run begins, and
 * the client gets the object, or the events as they come.
 */
#include "core/arena.h"
#include "serve/request.h"
#include "serve/responses.h"
#include "serve/run_front.h"
#include "serve/worker.h"
#include "store/event_log.h"
#include "store/response_store.h"
#include "wire/responses_events.h"

static vsr_str queued_object(struct request *request) {
    return responses_object(&request->responses->meta, request->arena,
                            &(struct response_state){ .status = RESPONSE_STATUS_QUEUED });
}

/* The first events, so that there is something to follow before the run has said anything. */
static struct store_op *log_first_events(struct request *request, store_done_fn *done) {
    static const enum responses_event first[RESPONSES_QUEUED_EVENTS] = { RESPONSES_EVENT_CREATED,
                                                                         RESPONSES_EVENT_QUEUED };
    struct event_record events[RESPONSES_QUEUED_EVENTS];
    vsr_str object = queued_object(request);
    for (int i = 0; i < RESPONSES_QUEUED_EVENTS; i++) {
        vsr_str type = responses_event_type(first[i]);
        events[i] = (struct event_record){
            .seq = i,
            .type = type,
            .json = arena_printf(request->arena, "{\"type\":\"%.*s\",\"sequence_number\":%d,\"response\":%.*s}",
                                 VSR_FMT(type), i, VSR_FMT(object)),
        };
    }
    return event_log_append(request->worker->store, request->responses->meta.id, events, RESPONSES_QUEUED_EVENTS, done,
                            request);
}

static void queued(struct request *request, int rc) {
    request->responses->rc = rc;
    request->responses->answered = true;
    pipeline_resume(request);
}

static void on_logged(void *owner, const struct store_reply *reply) {
    struct request *request = owner;
    request->responses->op = NULL;
    queued(request, reply->rc);
}

static void on_queued(void *owner, const struct store_reply *reply) {
    struct request *request = owner;
    request->responses->op = NULL;
    if (reply->rc == 0 && request->responses->request.stream)
        request->responses->op = log_first_events(request, on_logged);
    else
        queued(request, reply->rc);
}

static struct response_record queued_record(struct request *request) {
    const struct responses_exchange *exchange = request->responses;
    return (struct response_record){
        .id = exchange->meta.id,
        .previous_id = exchange->meta.previous_response_id,
        .conversation_id = exchange->meta.conversation_id,
        .owner = exchange->owner,
        .status = VSR_STR("queued"),
        .object_json = queued_object(request),
        .input_json = exchange->input_items,
        .created_s = exchange->meta.created_s,
    };
}

static void put_record(struct request *request) {
    struct response_record record = queued_record(request);
    request->responses->op = response_store_put(request->worker->store, &record, on_queued, request);
}

static enum stage_result refuse(struct request *request, const char *message) {
    request_error(request, 503, TELEMETRY_REASON_overloaded, "overloaded", str_from_c(message));
    request->reply.extra = (struct http1_field){ VSR_STR("retry-after"), VSR_STR("1") };
    return STAGE_FAIL;
}

/* What the run will hold beside what its client's request holds now. */
static size_t run_len(const struct request *request) {
    return request->body.len + request->responses->input_items.len;
}

void responses_unqueue(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    if (!exchange->promised)
        return;
    exchange->promised = false;
    run_promise_end(request->worker);
    (void)response_store_delete(request->worker->store, exchange->meta.id, NULL, NULL);
}

enum stage_result responses_queue(struct request *request) {
    struct responses_exchange *exchange = request->responses;
    struct response_record record;
    if (exchange->request.stream && request->front.ops->in_one_piece) {
        request_error(request, 400, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("stream with background is not available behind Envoy: ask without stream, and poll the "
                              "response"));
        request->reply.param = VSR_STR("stream");
        return STAGE_FAIL;
    }
    if (exchange->state != RESPONSES_QUEUED) {
        if (!request_hold_bytes(request, run_len(request)))
            return STAGE_FAIL;
        if (!run_promise(request->worker, (size_t)request->snapshot->doc->global.services.response_api.max_background))
            return refuse(request, "too many responses run in the background");
        exchange->promised = true;
        exchange->state = RESPONSES_QUEUED;
        exchange->answered = false;
        put_record(request);
    }
    if (!exchange->answered)
        return STAGE_WAIT;
    if (exchange->rc < 0)
        return responses_store_failed(request, exchange->rc);
    if (request->worker->draining) /* meanwhile */
        return refuse(request, "this server is about to stop");
    record = queued_record(request);
    exchange->promised = false;
    run_promise_end(request->worker);
    run_start(request, &record);
    if (exchange->request.stream)
        return responses_follow(request, exchange->meta.id, -1);
    request->reply =
        (struct reply){ .status = 200, .body = record.object_json, .content_type = VSR_STR("application/json") };
    return STAGE_REPLY;
}
