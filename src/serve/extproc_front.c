#include "serve/extproc_front.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metrics.h"
#include "serve/extproc_bodies.h"
#include "serve/extproc_call.h"
#include "serve/extproc_server.h"
#include "serve/pipeline.h"
#include "serve/request.h"
#include "serve/worker.h"
#include "wire/error_body.h"

enum { OUT_KEEP_LEN_MAX = 64 << 10 };

/* ---- sending */

static void note_sent(struct extproc_call *call, enum extproc_kind kind) {
    if (!call->message_ns)
        return;
    metric_observe(call->extproc->seconds[kind], (double)(clock_mono_ns() - call->message_ns) / 1e9);
    call->message_ns = 0;
}

/* What was packed into extproc->out. */
static void send_packed(struct extproc_call *call) {
    struct buf *out = &call->extproc->out;
    if (buf_failed(out)) {
        LOG_ERROR("an answer to Envoy could not be packed", LOG_U("bytes", out->len));
        grpc_stream_finish(call->stream, GRPC_RESOURCE_EXHAUSTED, VSR_STR("the answer is too long"));
    } else {
        grpc_stream_send(call->stream, buf_str(out));
    }
    if (out->cap > OUT_KEEP_LEN_MAX)
        buf_done(out);
    buf_reset(out);
}

void extproc_send(struct extproc_call *call, const struct extproc_answer *answer) {
    if (call->closed || call->state == EXTPROC_WATCHING)
        return;
    extproc_write(call->extproc->scratch, answer, &call->extproc->out);
    send_packed(call);
    note_sent(call, answer->kind);
}

/* An answer that cannot be brought to its end; the client had better see an error than a part. */
static void gather_failure(struct extproc_call *call) {
    static const struct http1_field fields[] = { { VSR_STR_INIT("content-type"), VSR_STR_INIT("application/json") } };
    buf_reset(&call->gathered);
    error_body_write(&call->gathered, &(struct error_body){ .status = 502,
                                                            .message = VSR_STR("the backend's answer broke off"),
                                                            .code = "upstream_reset",
                                                            .protocol = call->request->client_protocol });
    call->status = 502;
    call->answer_fields = (struct http1_field *)(uintptr_t)fields; /* read only */
    call->n_answer_fields = VSR_COUNT(fields);
}

void extproc_reply(struct extproc_call *call) {
    struct extproc_immediate immediate;
    if (call->aborted || buf_failed(&call->gathered))
        gather_failure(call);
    immediate = (struct extproc_immediate){ .status = call->status,
                                            .fields = call->answer_fields,
                                            .n_fields = call->n_answer_fields,
                                            .body = buf_str(&call->gathered),
                                            .details = VSR_STR("vsr") };
    if (!call->closed) {
        extproc_write_immediate(call->extproc->scratch, &immediate, &call->extproc->out);
        send_packed(call);
        note_sent(call, call->upstream ? EXTPROC_RESPONSE_HEADERS : EXTPROC_REQUEST_HEADERS);
    }
    call->state = EXTPROC_OVER;
    extproc_close_request(call, true);
}

bool extproc_translates(const struct extproc_call *call) {
    const struct request *request = call->request;
    return request->client_protocol != request->upstream_protocol || request->client_protocol == PROTOCOL_RESPONSES;
}

void extproc_pass(struct extproc_call *call, const struct extproc_message *message) {
    bool is_body = message->kind == EXTPROC_REQUEST_BODY || message->kind == EXTPROC_RESPONSE_BODY;
    bool is_answer = message->kind == EXTPROC_RESPONSE_BODY;
    bool duplex = (is_answer ? call->response_mode : call->request_mode) == EXTPROC_DUPLEX;
    struct extproc_answer answer = { .kind = message->kind };
    if (is_body && duplex) {
        if (is_answer && call->swallow)
            return; /* its end has been told */
        answer.body_kind = EXTPROC_BODY_CHUNK;
        answer.body = message->body;
        answer.end_of_stream = message->end_of_stream;
    } else if (is_answer && call->swallow) {
        answer.body_kind = EXTPROC_BODY_REPLACE;
    }
    extproc_send(call, &answer);
}

/* ---- what the pipeline says */

static void settle_later(struct extproc_call *call);

static void front_head(void *handle, int status, const struct http1_field *fields, size_t n_fields, int64_t length) {
    struct extproc_call *call = handle;
    struct http1_head said = { .fields = (struct http1_field *)(uintptr_t)fields, .n_fields = n_fields };
    struct http1_head *kept = extproc_keep_head(call->request->arena, &said);
    call->has_head = true;
    call->status = status;
    call->answer_fields = kept->fields;
    call->n_answer_fields = n_fields;
    call->length = length;
    settle_later(call);
}

static void front_body(void *handle, vsr_str bytes) {
    struct extproc_call *call = handle;
    if (call->state != EXTPROC_WATCHING)
        (void)buf_append(&call->gathered, bytes); /* sticky */
    settle_later(call);
}

static void front_end(void *handle) {
    struct extproc_call *call = handle;
    call->ended = true;
    settle_later(call);
}

/* Nothing has gone out as long as the answer's headers are owed. */
static bool front_retract(void *handle) {
    struct extproc_call *call = handle;
    bool sent = call->upstream && !call->answer_headers_owed && !call->late_head;
    if (sent || call->ended || !call->has_head)
        return false;
    call->has_head = false;
    buf_reset(&call->gathered);
    return true;
}

static void front_abort(void *handle) {
    struct extproc_call *call = handle;
    call->aborted = true;
    settle_later(call);
}

static size_t front_queued(void *handle) {
    const struct extproc_call *call = handle;
    /* What goes out in one piece waits for its end, and not for Envoy: who waited for it to go would wait for good. */
    bool is_whole = call->state == EXTPROC_ASKING || call->state == EXTPROC_FORWARDED || call->late_head;
    return (is_whole ? 0 : call->gathered.len) + (call->closed ? 0 : grpc_stream_queued(call->stream));
}

static void front_forward(void *handle, const struct outbound *outbound) {
    struct extproc_call *call = handle;
    call->outbound = outbound;
    settle_later(call);
}

static const struct front_ops extproc_ops = {
    .head = front_head,
    .body = front_body,
    .end = front_end,
    .retract = front_retract,
    .abort = front_abort,
    .queued = front_queued,
    .forward = front_forward,
    .early_head = true,
    .in_one_piece = true,
};

static const struct front_ops watcher_ops = {
    .head = front_head,
    .body = front_body,
    .end = front_end,
    .retract = front_retract,
    .abort = front_abort,
    .queued = front_queued,
    .forward = front_forward,
    .early_head = true,
    .watches = true,
};

struct front extproc_front(struct extproc_call *call) {
    return (struct front){ &extproc_ops, call };
}

struct front extproc_watcher(struct extproc_call *call) {
    return (struct front){ &watcher_ops, call };
}

/* ---- the request's life */

void extproc_close_request(struct extproc_call *call, bool completed) {
    struct request *request = call->request;
    if (!request)
        return;
    call->request = NULL;
    call->outbound = NULL;
    loop_timer_stop(&call->body_timer);
    loop_defer_cancel(&call->settling);
    pipeline_closed(request, completed);
}

void extproc_settle(struct extproc_call *call) {
    if (!call->request)
        return;
    if (buf_failed(&call->gathered))
        call->aborted = true;
    switch (call->state) {
    case EXTPROC_ASKING:
        if (call->ended || call->aborted)
            extproc_reply(call);
        else if (call->outbound && !call->has_head)
            extproc_forward(call);
        break;
    case EXTPROC_FORWARDED:
        if (call->ended || call->aborted)
            extproc_reply(call);
        break;
    case EXTPROC_ANSWERING:
        extproc_answer_settle(call);
        break;
    case EXTPROC_WATCHING:
        if (call->outbound || call->ended || call->aborted)
            extproc_close_request(call, true);
        break;
    case EXTPROC_WAITING:
    case EXTPROC_PASSING:
    case EXTPROC_OVER:
        break;
    }
}

static void on_settle(void *data) {
    extproc_settle(data);
}

static void settle_later(struct extproc_call *call) {
    if (!call->in_message)
        loop_defer(call->extproc->worker->loop, &call->settling, on_settle, call);
}

/* ---- messages */

static void refuse(struct extproc_call *call, enum grpc_status status, const char *text) {
    call->state = EXTPROC_OVER;
    extproc_close_request(call, false);
    grpc_stream_finish(call->stream, status, str_from_c(text));
}

/* What Envoy says is watched only: the request is routed and measured, and nothing is done about it. */
static void watch(struct extproc_call *call, const struct extproc_message *message) {
    if (message->kind == EXTPROC_REQUEST_HEADERS || message->kind == EXTPROC_REQUEST_BODY ||
        message->kind == EXTPROC_REQUEST_TRAILERS)
        return;
    extproc_close_request(call, true);
}

static void handle(struct extproc_call *call, const struct extproc_message *message) {
    if (call->state == EXTPROC_WATCHING)
        watch(call, message);
    if (call->state == EXTPROC_WATCHING && !call->request)
        return;
    switch (message->kind) {
    case EXTPROC_REQUEST_HEADERS:
        extproc_request_headers(call, message);
        break;
    case EXTPROC_REQUEST_BODY:
        extproc_request_body(call, message);
        break;
    case EXTPROC_REQUEST_TRAILERS:
        extproc_request_trailers(call, message);
        break;
    case EXTPROC_RESPONSE_HEADERS:
        extproc_answer_headers(call, message);
        break;
    case EXTPROC_RESPONSE_BODY:
        extproc_answer_body(call, message);
        break;
    case EXTPROC_RESPONSE_TRAILERS:
        extproc_answer_trailers(call, message);
        break;
    case EXTPROC_KIND_COUNT:
        break;
    }
}

static bool in_order(const struct extproc_call *call, const struct extproc_message *message) {
    return (call->state == EXTPROC_WAITING) == (message->kind == EXTPROC_REQUEST_HEADERS);
}

/* A head that no listener would have taken; Envoy's own reading of HTTP lets more pass. */
static void refuse_head(struct extproc_call *call, int status, const char *text) {
    static const struct http1_field fields[] = { { VSR_STR_INIT("content-type"), VSR_STR_INIT("application/json") } };
    struct extproc_immediate immediate = {
        .status = status, .fields = fields, .n_fields = VSR_COUNT(fields), .details = VSR_STR("vsr")
    };
    error_body_write(&call->gathered, &(struct error_body){ .status = status, .message = str_from_c(text) });
    immediate.body = buf_str(&call->gathered);
    extproc_write_immediate(call->extproc->scratch, &immediate, &call->extproc->out);
    send_packed(call);
    metric_inc(worker_response_metric(call->extproc->worker, status));
    call->state = EXTPROC_OVER;
}

/* The client's fault, or the backend's; the rest is Envoy's. */
static void refuse_unread(struct extproc_call *call, const struct extproc_message *message, const struct vsr_err *err) {
    bool is_request = message->kind == EXTPROC_REQUEST_HEADERS && call->state == EXTPROC_WAITING;
    if (message->refusal && !message->observability && is_request) {
        refuse_head(call, message->refusal, err->text);
        return;
    }
    if (message->refusal && message->kind == EXTPROC_RESPONSE_HEADERS && call->state == EXTPROC_FORWARDED) {
        pipeline_upstream_error(call->request, err, true);
        extproc_settle(call);
        return;
    }
    if (!is_request)
        LOG_WARN("a message of Envoy's was refused", LOG_C("error", err->text));
    refuse(call, GRPC_INVALID_ARGUMENT, err->text);
}

static void on_message(void *data, vsr_str bytes) {
    struct extproc_call *call = data;
    struct extproc_message message;
    struct vsr_err err = VSR_ERR_NONE;
    if (call->state == EXTPROC_OVER)
        return;
    arena_reset(call->extproc->scratch);
    if (extproc_read(call->extproc->scratch, bytes, &message, &err) < 0) {
        refuse_unread(call, &message, &err);
        return;
    }
    metric_inc(call->extproc->messages[message.kind]);
    if (!in_order(call, &message)) {
        refuse(call, GRPC_INVALID_ARGUMENT, "a stream begins with the request's headers, and has them once");
        return;
    }
    call->message_ns = clock_mono_ns();
    call->in_message = true;
    handle(call, &message);
    call->in_message = false;
    extproc_settle(call);
    call->chunk = VSR_STR("");
    if (call->state != EXTPROC_OVER && grpc_stream_queued(call->stream) > EXTPROC_QUEUED_MAX)
        grpc_stream_pause(call->stream);
}

/*
 * Nothing but a body is as long: the client's is refused as a listener would, and who waits for the backend's gets an
 * error in its place, or a broken connection when it has the beginning.
 */
static void on_too_long(void *data) {
    struct extproc_call *call = data;
    struct vsr_err err = VSR_ERR_NONE;
    bool told_end = false; /* of the answer: Envoy need not hear of an error, and would break what has gone out */
    if (call->state == EXTPROC_ASKING && call->request && !call->body_complete) {
        request_error(call->request, 413, TELEMETRY_REASON_parse_error, NULL,
                      VSR_STR("the request body is larger than this server accepts"));
        pipeline_fail(call->request);
        extproc_settle(call);
    } else if ((call->state == EXTPROC_FORWARDED || call->state == EXTPROC_ANSWERING) && call->request) {
        (void)err_set(&err, VSR_E_LIMIT, "the answer is larger than this server accepts"); /* that is the error */
        pipeline_upstream_error(call->request, &err, true);
        extproc_settle(call);
        if (call->state == EXTPROC_ANSWERING) { /* the end would go out with a piece, and no other one is read */
            call->aborted = true;
            extproc_reply(call);
        }
        told_end = call->state == EXTPROC_PASSING && call->response_mode == EXTPROC_DUPLEX;
    }
    if (call->state == EXTPROC_OVER || told_end)
        grpc_stream_finish(call->stream, GRPC_OK, VSR_STR(""));
}

/* ---- the stream */

static void *on_open(void *app, struct grpc_stream *stream, const struct http1_head *head) {
    struct extproc_call *call = MEM_NEW(struct extproc_call);
    (void)head; /* nothing in it concerns the request */
    call->extproc = app;
    call->stream = stream;
    buf_init(&call->gathered, EXTPROC_GATHERED_LEN_MAX);
    metric_add(call->extproc->streams, 1);
    return call;
}

/*
 * Whether Envoy shows no bodies of answers, though it was asked to: then it leaves when the answer's headers are
 * answered.
 */
static bool ends_unseen(struct extproc_call *call) {
    uint64_t *notes = grpc_stream_notes(call->stream);
    bool unseen = call->state == EXTPROC_ANSWERING && call->response_mode == EXTPROC_NONE && !call->body_shown &&
                  !call->upstream_complete;
    if (!unseen || !notes || !extproc_bodies_unseen(notes, loop_now_ms(call->extproc->worker->loop)))
        return false;
    if (!atomic_exchange(&call->extproc->seen->bodies_hidden, true))
        LOG_WARN("Envoy does not show the bodies of answers and does not let the mode be changed: what a request has "
                 "taken is only guessed; set allow_mode_override or response_body_mode BUFFERED");
    return true;
}

/* Envoy closes when the exchange is over, whatever way; an answer that was not complete then is not any more. */
static void on_half_close(void *data) {
    struct extproc_call *call = data;
    extproc_close_request(call, call->state == EXTPROC_WATCHING || ends_unseen(call));
    call->state = EXTPROC_OVER;
    grpc_stream_finish(call->stream, GRPC_OK, VSR_STR(""));
}

static void on_drain(void *data) {
    struct extproc_call *call = data;
    grpc_stream_resume(call->stream);
    if (call->request)
        pipeline_drained(call->request);
}

static void on_close(void *data, enum grpc_outcome how) {
    struct extproc_call *call = data;
    call->closed = true;
    if (call->request && how == GRPC_CALL_LATE)
        request_error(call->request, 504, TELEMETRY_REASON_timeout, NULL, VSR_STR("Envoy waits no longer"));
    extproc_close_request(call, how == GRPC_CALL_LATE);
    loop_defer_cancel(&call->settling);
    loop_timer_stop(&call->body_timer);
    metric_add(call->extproc->streams, -1);
    buf_done(&call->gathered);
    mem_free(call);
}

struct grpc_method extproc_front_method(size_t message_len_max) {
    return (struct grpc_method){
        .path = VSR_STR(EXTPROC_PROCESS_PATH),
        .message_len_max = message_len_max,
        .on_open = on_open,
        .on_message = on_message,
        .on_too_long = on_too_long,
        .on_half_close = on_half_close,
        .on_drain = on_drain,
        .on_close = on_close,
    };
}
