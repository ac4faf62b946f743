/*
 * stage_relay - brings a backend's answer to the client as it comes.
 *
 * Buffered answers pass slice by slice with a copy for accounting; streams pass frame by frame, so that a stream which
 * the backend cuts ends in an error event and not in half a frame. Nothing waits to be complete but a whole answer that
 * has to be translated. When the client is slower than the backend, the backend is paused.
 */
#include "core/clock.h"
#include "core/log.h"
#include "serve/answer.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/decoder.h"
#include "wire/error_body.h"

/* Seconds of a Retry-After header; dates are not understood and count as absent. */
static void read_retry_after(const struct http1_head *head, struct provider_result *result) {
    uint64_t seconds;
    if (!str_to_u64(http1_field(head, VSR_STR("retry-after")), &seconds) || seconds > UINT32_MAX)
        return;
    result->has_retry_after = true;
    result->retry_after_ms = seconds * 1000;
}

bool relay_is_event_stream(const struct http1_head *head) {
    vsr_str type = http1_field(head, VSR_STR("content-type"));
    vsr_str wanted = VSR_STR("text/event-stream");
    return str_eq_nocase(str_sub(type, 0, wanted.len), wanted);
}

static void forward(void *data, vsr_str bytes) {
    struct request *request = data;
    request->front.ops->body(request->front.handle, bytes);
}

static void begin_chat_stream(struct request *request) {
    bool drop_usage = request->facts.stream && !request->facts.include_usage_asked && !request->skip;
    chat_relay_init(&request->relay, drop_usage ? CHAT_RELAY_DROP_USAGE : CHAT_RELAY_FRAMES, forward, request);
    request->relay_begun = true;
    request->streaming = true;
}

static void on_delta(void *user, const struct answer_delta *delta) {
    struct request *request = user;
    limit_note_delta(request, delta);
    answer_take(request->said, delta);
}

/* The decoder only reads along, for usage and to know the end. */
static void begin_events(struct request *request) {
    event_relay_init(&request->events, forward, request);
    request->events_begun = true;
    request->streaming = true;
    if (!decoder_supports(request->upstream_protocol))
        return;
    request->said = answer_new(request->arena, request->said_len_max);
    request->decoder = decoder_new(request->upstream_protocol, true, on_delta, request);
}

static enum relay_cell cell_of(const struct request *request, const struct http1_head *head) {
    if (failover_may_follow(request, head))
        return RELAY_HELD;
    if (request->client_protocol != request->upstream_protocol)
        return head->status < 300 ? RELAY_TRANSLATED : RELAY_ERROR;
    if (request->client_protocol == PROTOCOL_RESPONSES && head->status < 300)
        return RELAY_TRANSLATED; /* ids and what is kept are vsr's own */
    if (head->status >= 300 || !relay_is_event_stream(head))
        return RELAY_BYTES;
    return request->client_protocol == PROTOCOL_CHAT || request->client_protocol == PROTOCOL_COMPLETIONS
               ? RELAY_CHAT_STREAM
               : RELAY_EVENTS;
}

/* What the head says of its endpoint. True: another attempt is made in place of this one. */
static bool judge_head(struct request *request, const struct http1_head *head) {
    uint64_t now_ms = loop_now_ms(request->worker->loop);
    struct provider_result result = { .failure = PROVIDER_OK, .status = head->status };
    if (request->forwarded)
        return false;
    if (head->status < 400) {
        provider_call_head(&request->call, head->status, now_ms);
        return false;
    }
    read_retry_after(head, &result);
    provider_call_result(&request->call, &result, now_ms);
    if (!dispatch_retry(request, &result))
        return false;
    client_call_cancel(request->upstream);
    request->upstream = NULL;
    return true;
}

void relay_forget(struct request *request) {
    request->upstream_status = 0;
    request->first_byte_ns = 0;
    request->said_len = request->n_said = 0;
    request->answer_too_long = false;
    buf_reset(&request->answer);
    translated_reset(request);
}

void pipeline_upstream_head(struct request *request, const struct http1_head *head) {
    request->upstream_status = head->status;
    if (judge_head(request, head))
        return;
    request->first_byte_ns = clock_mono_ns();
    buf_reset(&request->answer); /* of an attempt that broke before anything went out, as what comes next */
    translated_reset(request);
    request->close_delimited = !head->has_length && !head->chunked;
    request->cell = cell_of(request, head);
    switch (request->cell) {
    case RELAY_TRANSLATED:
        translated_begin(request, head);
        return;
    case RELAY_ERROR:
    case RELAY_HELD:
        translated_error_begin(request, head);
        return;
    case RELAY_CHAT_STREAM:
        begin_chat_stream(request);
        break;
    case RELAY_EVENTS:
        begin_events(request);
        break;
    case RELAY_BYTES:
        break;
    }
    answer_upstream_head(request, head, head->status, VSR_STR(""),
                         request->streaming || !head->has_length ? -1 : (int64_t)head->length);
}

static void copy_answer(struct request *request, vsr_str bytes) {
    if (request->upstream_status >= 300)
        return;
    request->said_len += bytes.len;
    if (request->answer_too_long)
        return;
    if (buf_append(&request->answer, bytes) < 0) {
        request->answer_too_long = true;
        buf_done(&request->answer);
    }
}

/* More than this of an error is not worth reading. */
static void copy_error(struct request *request, vsr_str bytes) {
    size_t room = ERROR_COPY_LEN_MAX - request->answer.len;
    (void)buf_append(&request->answer, str_sub(bytes, 0, room)); /* far below the limit */
}

/* An error that is too long to be held: it passes as it is. */
static void release_held(struct request *request) {
    const struct http1_head *head = request->translated_head;
    request->cell = RELAY_BYTES;
    answer_upstream_head(request, head, head->status, VSR_STR(""), head->has_length ? (int64_t)head->length : -1);
    request->front.ops->body(request->front.handle, buf_str(&request->answer));
    buf_reset(&request->answer);
}

static void hold_error(struct request *request, vsr_str bytes) {
    bool fits = bytes.len <= ERROR_COPY_LEN_MAX - request->answer.len;
    if (!fits && request->client_protocol == request->upstream_protocol) {
        release_held(request);
        request->front.ops->body(request->front.handle, bytes);
        return;
    }
    copy_error(request, bytes);
}

static void relay_events(struct request *request, vsr_str bytes) {
    event_relay_feed(&request->events, bytes);
    if (request->decoder)
        decoder_feed(request->decoder, bytes);
}

void pipeline_upstream_body(struct request *request, vsr_str bytes) {
    switch (request->cell) {
    case RELAY_CHAT_STREAM:
        chat_relay_feed(&request->relay, bytes);
        break;
    case RELAY_EVENTS:
        relay_events(request, bytes);
        break;
    case RELAY_TRANSLATED:
        translated_body(request, bytes);
        break;
    case RELAY_ERROR:
        copy_error(request, bytes);
        break;
    case RELAY_HELD:
        hold_error(request, bytes);
        break;
    case RELAY_BYTES:
        copy_answer(request, bytes);
        request->front.ops->body(request->front.handle, bytes);
        break;
    }
    if (request->upstream && !request->upstream_paused &&
        request->front.ops->queued(request->front.handle) > STREAM_HIGH_WATER) {
        request->upstream_paused = true;
        client_call_pause(request->upstream);
    }
}

void relay_drained(struct request *request) {
    if (request->upstream_paused && request->upstream) {
        request->upstream_paused = false;
        client_call_resume(request->upstream);
    }
}

/*
 * Whether a stream whose body ended properly was complete. A body that only ends with its connection proves nothing: it
 * takes
 * `[DONE]`. A stream with an event too large to be read along is believed.
 */
static bool stream_is_whole(const struct request *request) {
    const struct chat_stream *stream = &request->relay.stream;
    if (sse_broken(&stream->sse))
        return true;
    return request->close_delimited ? stream->has_done : chat_stream_complete(stream);
}

/*
 * Ends a stream that the backend did not finish: the client gets an error event instead of a silent end. The blank line
 * closes an event that was passed on without its end.
 */
static void end_cut_stream(struct request *request, vsr_str message) {
    struct buf event;
    request->aborted = true;
    buf_init(&event, HTTP1_HEAD_LEN_MAX);
    (void)buf_append_c(&event, "\n\n"); /* far below the limit */
    error_event_write(&event, &(struct error_body){ .status = 502,
                                                    .message = message,
                                                    .code = "stream_aborted",
                                                    .protocol = request->client_protocol });
    request->front.ops->body(request->front.handle, buf_str(&event));
    buf_done(&event);
}

void relay_finish(struct request *request) {
    struct front front = request->front;
    record_request(request, true);
    front.ops->end(front.handle); /* frees the request */
}

/* The client has part of it and must not take that for the whole. */
void relay_break(struct request *request) {
    struct front front = request->front;
    request->aborted = true;
    record_request(request, true);
    front.ops->abort(front.handle); /* frees the request */
}

/*
 * A buffered answer that ends with its connection may have been cut. Its own syntax tells, as long as a copy is at
 * hand.
 */
static bool answer_is_whole(struct request *request) {
    struct json_doc doc;
    if (!request->close_delimited || request->upstream_status >= 300 || request->answer_too_long)
        return true;
    return json_parse(request->arena, buf_str(&request->answer), &doc, NULL) == 0;
}

/* The end of the stream as the decoder that read along knows it. What it cannot read is believed. */
static void end_events(struct request *request, bool clean, vsr_str cut_message) {
    bool known = request->decoder && !event_relay_broken(&request->events);
    bool ended = !known || decoder_ended(request->decoder);
    bool whole;
    if (known && !ended)
        decoder_end(request->decoder, clean);
    whole = ended ? true : answer_head(request->said)->error.status == 0;
    if (known && answer_head(request->said)->error.status > 0) /* the backend's own, which the client has */
        request->aborted = true;
    event_relay_end(&request->events, whole);
    if (!whole)
        end_cut_stream(request, cut_message);
    relay_finish(request);
}

/* The backend's own error event has told the client already; some servers write `[DONE]` behind it all the same. */
static void finish_chat(struct request *request, bool whole, vsr_str cut_message) {
    if (request->relay.stream.has_error)
        request->aborted = true;
    else if (!whole)
        end_cut_stream(request, cut_message);
    relay_finish(request);
}

static void end_chat_stream(struct request *request) {
    chat_relay_end(&request->relay, !request->close_delimited || request->relay.stream.has_done);
    finish_chat(request, stream_is_whole(request),
                VSR_STR("the backend ended the stream before the answer was complete"));
}

/* Nobody else takes the request: the client gets the error after all. */
static void end_held(struct request *request) {
    if (dispatch_elsewhere(request, buf_str(&request->answer)))
        return;
    if (request->client_protocol != request->upstream_protocol) {
        translated_error_end(request);
        return;
    }
    answer_upstream_head(request, request->translated_head, request->upstream_status, VSR_STR(""),
                         (int64_t)request->answer.len);
    request->front.ops->body(request->front.handle, buf_str(&request->answer));
    relay_finish(request);
}

void pipeline_upstream_end(struct request *request) {
    switch (request->cell) {
    case RELAY_CHAT_STREAM:
        end_chat_stream(request);
        break;
    case RELAY_EVENTS:
        end_events(request, !request->close_delimited,
                   VSR_STR("the backend ended the stream before the answer was complete"));
        break;
    case RELAY_TRANSLATED:
        /* Of a whole answer its own syntax tells whether it is one. */
        translated_end(request, !request->close_delimited || !relay_is_event_stream(request->translated_head));
        break;
    case RELAY_ERROR:
        translated_error_end(request);
        break;
    case RELAY_HELD:
        end_held(request);
        break;
    case RELAY_BYTES:
        if (answer_is_whole(request))
            relay_finish(request);
        else
            relay_break(request);
        break;
    }
}

enum provider_failure relay_failure_of(const struct vsr_err *err, bool connected) {
    if (!connected) /* our own limits say nothing about the endpoint */
        return err->code == VSR_E_LIMIT ? PROVIDER_CANCELLED : PROVIDER_CONNECT;
    switch (err->code) {
    case VSR_E_TIMEOUT:
        return PROVIDER_TIMEOUT;
    case VSR_E_PROTOCOL:
    case VSR_E_LIMIT:
        return PROVIDER_GARBAGE;
    default:
        return PROVIDER_RESET;
    }
}

/* A failed attempt as the client sees it, when no other attempt follows. */
static void answer_failure(struct request *request, enum provider_failure failure, int code) {
    if (failure == PROVIDER_TIMEOUT || code == VSR_E_TIMEOUT)
        request_error(request, 504, TELEMETRY_REASON_timeout, NULL, VSR_STR("the backend did not answer in time"));
    else if (failure == PROVIDER_CANCELLED)
        request_overloaded(request, VSR_STR("too many requests to the backend are waiting"));
    else if (failure == PROVIDER_CONNECT)
        request_error(request, 502, TELEMETRY_REASON_upstream_connect, "upstream_unreachable",
                      VSR_STR("the backend could not be reached"));
    else if (failure == PROVIDER_GARBAGE)
        request_error(request, 502, TELEMETRY_REASON_upstream_garbage, "upstream_invalid",
                      VSR_STR("the backend's answer was not valid HTTP"));
    else
        request_error(request, 502, TELEMETRY_REASON_upstream_reset, "upstream_reset",
                      VSR_STR("the backend closed the connection before it answered"));
    pipeline_fail(request);
}

/* A stream broke after its head. Complete all the same when its own end had come. */
static void break_stream(struct request *request, const struct vsr_err *err) {
    vsr_str message = err->code == VSR_E_TIMEOUT ? VSR_STR("the backend fell silent before the answer was complete")
                                                 : VSR_STR("the backend cut the stream before the answer was complete");
    if (request->cell == RELAY_TRANSLATED) {
        translated_end(request, false);
        return;
    }
    if (request->cell == RELAY_EVENTS) {
        end_events(request, false, message);
        return;
    }
    chat_relay_end(&request->relay, false);
    finish_chat(request, request->relay.stream.has_done, message);
}

void pipeline_upstream_error(struct request *request, const struct vsr_err *err, bool connected) {
    enum provider_failure failure = relay_failure_of(err, connected);
    struct provider_result result = { .failure = failure, .status = request->answered ? request->upstream_status : 0 };
    LOG_WARN("backend failed", LOG_S("request_id", request->request_id), LOG_S("model", request->selected_model),
             LOG_S("endpoint", request->call.endpoint ? request->call.endpoint->id : VSR_STR("")),
             LOG_C("error", err->text));
    if (request->call.endpoint) /* else the status has been judged already */
        provider_call_result(&request->call, &result, loop_now_ms(request->worker->loop));
    if (request->streaming) {
        break_stream(request, err);
        return;
    }
    if (request->answered && !request->front.ops->retract(request->front.handle)) {
        relay_break(request);
        return;
    }
    request->answered = false;
    if (!dispatch_retry(request, &result))
        answer_failure(request, failure, err->code);
}
