/*
 * responses_follow - a stream that comes from the store: the events of a response that runs in the background, or that
 * has run, to a client that comes for them, or comes back.
 */
#include "core/arena.h"
#include "serve/answer.h"
#include "serve/request.h"
#include "serve/responses.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "store/event_log.h"
#include "store/response_store.h"
#include "wire/responses_events.h"

enum {
    PING_INTERVAL_MS = 15000,
    ENDED_INTERVAL_MS = 1000, /* the response is over: when its last event has not come by then, it never will */
};

static void send(struct request *request, const struct event_record *event) {
    request->front.ops->body(request->front.handle, VSR_STR("event: "));
    request->front.ops->body(request->front.handle, event->type);
    request->front.ops->body(request->front.handle, VSR_STR("\ndata: "));
    request->front.ops->body(request->front.handle, event->json);
    request->front.ops->body(request->front.handle, VSR_STR("\n\n"));
}

/* Before anything was sent, a failure is an ordinary answer. */
static void refuse(struct request *request, int rc) {
    if (rc == VSR_E_NOT_FOUND) {
        request_error(request, 400, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("This response has no events to stream: it was not created with background=true and "
                              "stream=true, or they have expired."));
        request->reply.param = VSR_STR("stream");
    } else if (rc == VSR_E_LIMIT) {
        request_error(request, 400, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("The events after starting_after are no longer kept: retrieve the response itself."));
        request->reply.param = VSR_STR("starting_after");
    } else {
        (void)responses_store_failed(request, rc);
    }
    pipeline_fail(request);
}

static void end(struct request *request, bool whole) {
    struct front front = request->front;
    request->aborted = !whole;
    record_request(request, true);
    if (whole)
        front.ops->end(front.handle); /* frees the request */
    else
        front.ops->abort(front.handle);
}

static void begin(struct request *request) {
    request->reply.status = 200;
    answer_stream_head(request, VSR_STR("text/event-stream; charset=utf-8"));
}

/* ---- logs that lost their end: the process that wrote them was stopped, or the store refused it */

enum responses_event responses_end_event(vsr_str status) {
    if (str_eq(status, VSR_STR("completed")))
        return RESPONSES_EVENT_COMPLETED;
    if (str_eq(status, VSR_STR("incomplete")) || str_eq(status, VSR_STR("cancelled")))
        return RESPONSES_EVENT_INCOMPLETE;
    return RESPONSES_EVENT_FAILED;
}

/* The record says what the log does not. */
static void end_by_record(struct request *request, const struct response_record *record) {
    struct responses_exchange *exchange = request->responses;
    vsr_str type = responses_event_type(responses_end_event(record->status));
    int64_t seq = (exchange->seen > exchange->after ? exchange->seen : exchange->after) + 1;
    vsr_str before =
        arena_printf(request->arena,
                     "event: %.*s\ndata: {\"type\":\"%.*s\",\"sequence_number\":%lld,\"response\":", VSR_FMT(type),
                     VSR_FMT(type), (long long)seq);
    event_follow_free(exchange->follow);
    exchange->follow = NULL;
    request->front.ops->body(request->front.handle, before);
    request->front.ops->body(request->front.handle, record->object_json);
    request->front.ops->body(request->front.handle, VSR_STR("}\n\n"));
    end(request, true);
}

static void on_record(void *owner, const struct store_reply *reply) {
    struct request *request = owner;
    struct responses_exchange *exchange = request->responses;
    exchange->op = NULL;
    if (reply->rc == 0 && reply->n > 0 && exchange->seen == exchange->seen_when_asked &&
        str_eq(reply->records[0].owner, exchange->owner) && store_status_is_final(reply->records[0].status))
        end_by_record(request, &reply->records[0]);
}

static void on_ping_due(void *data) {
    struct request *request = data;
    struct responses_exchange *exchange = request->responses;
    request->front.ops->body(request->front.handle, VSR_STR(": keep-alive\n\n"));
    loop_timer_start(request->worker->loop, &exchange->timer, PING_INTERVAL_MS, on_ping_due, request);
    if (exchange->op || request->front.ops->queued(request->front.handle) > STREAM_HIGH_WATER)
        return; /* a slow client: there is more to read */
    exchange->seen_when_asked = exchange->seen;
    exchange->op = response_store_get(request->worker->store, exchange->follow_id, on_record, request);
}

/* ---- events as they come */

static void on_events(void *owner, const struct store_reply *reply) {
    struct request *request = owner;
    struct responses_exchange *exchange = request->responses;
    bool last = false;
    if (reply->rc < 0)
        exchange->follow = NULL;
    if (reply->rc == VSR_E_LIMIT && !exchange->from_after) { /* the log has lost its beginning */
        exchange->from_after = true;
        exchange->follow =
            event_log_follow(request->worker->store, exchange->follow_id, exchange->after, on_events, request);
        return;
    }
    if (reply->rc < 0 && !request->answered) {
        refuse(request, reply->rc);
        return;
    }
    if (!request->answered)
        begin(request);
    for (size_t i = 0; i < reply->n_events; i++) {
        if (reply->events[i].seq > exchange->after)
            send(request, &reply->events[i]);
        last |= reply->events[i].last;
        exchange->seen = reply->events[i].seq;
    }
    if (reply->rc < 0 || last) {
        exchange->follow = NULL;
        end(request, last);
        return;
    }
    loop_timer_start(request->worker->loop, &exchange->timer,
                     exchange->record && store_status_is_final(exchange->record->status) ? ENDED_INTERVAL_MS
                                                                                         : PING_INTERVAL_MS,
                     on_ping_due, request);
    if (request->front.ops->queued(request->front.handle) > STREAM_HIGH_WATER)
        event_follow_pause(exchange->follow);
}

/*
 * Read from the beginning where it is there: whoever has all events already, or names a number that never comes, is
 * told the end, too.
 */
enum stage_result responses_follow(struct request *request, vsr_str id, int64_t after) {
    struct responses_exchange *exchange = request->responses;
    if (!exchange->follow) {
        exchange->follow_id = id;
        exchange->after = after;
        exchange->follow = event_log_follow(request->worker->store, id, -1, on_events, request);
    }
    return STAGE_WAIT;
}

bool responses_drained(struct request *request) {
    if (!request->responses || !request->responses->follow)
        return false;
    event_follow_resume(request->responses->follow);
    return true;
}

void responses_follow_free(struct request *request) {
    event_follow_free(request->responses->follow);
    request->responses->follow = NULL;
}
