/*
 * relay_translated - an answer whose backend does not speak the client's protocol.
 *
 *     bytes of the backend -> decoder -> deltas -> struct answer (what was said, for accounting)
 *                                              -> encoder -> request->out -> front end
 *
 * A client that asked for a stream gets one, and a client that did not gets a whole answer, whatever the backend sent.
 * A whole answer holds its head back until the end, because its status may turn out to be an error's.
 */
#include "core/arena.h"
#include "core/clock.h"
#include "serve/answer.h"
#include "serve/pipeline.h"
#include "serve/relay.h"
#include "serve/responses.h"
#include "serve/stages.h"
#include "serve/worker.h"
#include "wire/decoder.h"
#include "wire/encoder.h"
#include "wire/error_body.h"
#include "wire/responses_relay.h"
#include "wire/warnings.h"

enum {
    PING_INTERVAL_MS = 15000, /* gateway.md 7.6 */
    END_GRACE_MS = 1000,      /* from the last event to the end of the body, which frees the connection for others */
};

static void on_delta(void *user, const struct answer_delta *delta) {
    struct request *request = user;
    limit_note_delta(request, delta);
    answer_take(request->said, delta);
    encoder_take(request->encoder, delta);
}

/* ---- out to the client */

static void on_ping_due(void *data);

static void arm_ping(struct request *request) {
    if (!request->front.ops->early_head)
        loop_timer_start(request->worker->loop, &request->ping_timer, PING_INTERVAL_MS, on_ping_due, request);
}

static void flush(struct request *request) {
    if (!request->streaming || request->out.len == 0)
        return;
    request->front.ops->body(request->front.handle, buf_str(&request->out));
    buf_reset(&request->out);
    arm_ping(request);
}

/* The backend has said nothing that the client could hear for a while. */
static void on_ping_due(void *data) {
    struct request *request = data;
    if (!responses_settling(request)) { /* the last event is in there, and must not go yet */
        encoder_ping(request->encoder);
        flush(request);
    }
    arm_ping(request);
}

/*
 * Responses to Responses: the backend's own words, but what has to be kept or is vsr's own. A backend that answers
 * whole where a stream was asked for, or the other way round, is translated as any other.
 */
static bool passes_through(const struct request *request) {
    return request->client_protocol == PROTOCOL_RESPONSES && request->upstream_protocol == PROTOCOL_RESPONSES &&
           relay_is_event_stream(request->translated_head) == request->facts.stream;
}

static struct encoder *make_encoder(struct request *request, bool streamed) {
    const struct encoder_options options = {
        .protocol = request->client_protocol,
        .upstream = request->upstream_protocol,
        .streamed = streamed,
        .include_usage = request->facts.include_usage_asked,
        .model = request->client_protocol == PROTOCOL_CHAT ? VSR_STR("") : request->selected_model,
        .now_s = (int64_t)(clock_wall_ms() / 1000),
        .response = responses_meta(request),
        .warnings = request->warnings,
    };
    return passes_through(request) ? responses_relay_new(&options, request->arena, &request->out)
                                   : encoder_new(&options, request->arena, &request->out);
}

void translated_begin(struct request *request, const struct http1_head *head) {
    /* What has no body says nothing: that is an error, and no stream goes with such a status. */
    bool streamed = request->facts.stream && head->status != 204 && head->status != 205;
    request->translated_head = request_copy_head(request, head);
    request->said = answer_new(request->arena, request->said_len_max);
    request->encoder = make_encoder(request, streamed);
    request->decoder = decoder_new(request->upstream_protocol, relay_is_event_stream(head), on_delta, request);
    if (!streamed)
        return;
    request->streaming = true;
    answer_upstream_head(request, request->translated_head, head->status,
                         str_from_c(encoder_content_type(request->encoder)), -1);
    arm_ping(request);
}

static void stop_timers(struct request *request) {
    loop_timer_stop(&request->ping_timer);
    loop_timer_stop(&request->end_timer);
}

/* The backend keeps its stream open behind the last event. Neither the client nor its place waits for that. */
static void on_end_late(void *data) {
    struct request *request = data;
    client_call_cancel(request->upstream);
    request->upstream = NULL;
    translated_end(request, true);
}

static void await_end(struct request *request) {
    if (request->upstream && !loop_timer_active(&request->end_timer))
        loop_timer_start(request->worker->loop, &request->end_timer, END_GRACE_MS, on_end_late, request);
}

void translated_body(struct request *request, vsr_str bytes) {
    if (passes_through(request))
        responses_relay_feed(request->encoder, bytes);
    decoder_feed(request->decoder, bytes);
    if (decoder_ended(request->decoder))
        await_end(request);
    if (!request->streaming)
        return;
    /* The end waits for what has to be kept first, but not for the backend to close its body behind it. */
    if (!decoder_ended(request->decoder) || !responses_settle(request, flush))
        flush(request);
}

/* What the answer cannot be said in: an error of ours, in the client's shape. */
static void fail_whole(struct request *request, int status) {
    vsr_str message = answer_head(request->said)->error.message;
    request_error(request, status, TELEMETRY_REASON_translation, NULL, arena_str(request->arena, message));
    pipeline_fail(request);
}

static void end_whole(struct request *request) {
    int status = encoder_error_status(request->encoder);
    if (buf_failed(&request->out))
        status = 502;
    if (status > 0) {
        fail_whole(request, status);
        return;
    }
    answer_upstream_head(request, request->translated_head, request->upstream_status,
                         str_from_c(encoder_content_type(request->encoder)), (int64_t)request->out.len);
    request->front.ops->body(request->front.handle, buf_str(&request->out));
    relay_finish(request);
}

static void finish(struct request *request) {
    if (!request->streaming) {
        end_whole(request);
        return;
    }
    if (buf_failed(&request->out)) {
        relay_break(request);
        return;
    }
    flush(request);
    stop_timers(request);
    request->aborted = answer_head(request->said)->error.status > 0;
    relay_finish(request);
}

void translated_end(struct request *request, bool clean) {
    stop_timers(request);
    decoder_end(request->decoder, clean);
    if (!responses_settle(request, finish))
        finish(request);
}

void translated_error_begin(struct request *request, const struct http1_head *head) {
    request->translated_head = request_copy_head(request, head);
}

void translated_error_end(struct request *request) {
    struct answer_error error;
    decoder_error_body(request->upstream_protocol, request->upstream_status, buf_str(&request->answer), request->arena,
                       &error);
    request_error(request, request->upstream_status,
                  request->upstream_status >= 500 ? TELEMETRY_REASON_upstream_5xx : TELEMETRY_REASON_upstream_4xx,
                  error.code.len > 0 ? arena_printf(request->arena, "%.*s", VSR_FMT(error.code)).ptr : NULL,
                  arena_str(request->arena, error.message));
    request->reply.path = RESPONSE_UPSTREAM;
    request->reply.upstream = request->translated_head;
    pipeline_fail(request);
}

void translated_reset(struct request *request) {
    stop_timers(request);
    decoder_free(request->decoder);
    encoder_free(request->encoder);
    request->decoder = NULL;
    request->encoder = NULL;
    request->said = NULL;
    buf_reset(&request->out);
}
