#include "net/grpc_server.h"

#include "core/mem.h"
#include "net/loop.h"

struct grpc_stream {
    struct exchange *exchange;
    const struct grpc_method *method; /* NULL: no call; answered with an HTTP error or a status */
    void *call;
    struct grpc_reader reader;
    struct buf held; /* what came behind a message that paused the call */
    struct loop_timer deadline;
    struct loop_task ending;
    struct buf status_text; /* encoded */
    enum grpc_status status;
    enum grpc_outcome outcome;
    bool paused, feeding, half_closed, end_told, finished;
};

enum { HELD_LEN_MAX = 1 << 20 }; /* the peer's window is far smaller */

/* ---- answering */

static void send_head(struct grpc_stream *stream) {
    const struct http1_field fields[] = { { VSR_STR("content-type"), VSR_STR("application/grpc") } };
    if (!exchange_head_sent(stream->exchange))
        exchange_head(stream->exchange, 200, fields, VSR_COUNT(fields), EXCHANGE_LENGTH_UNKNOWN);
}

void grpc_stream_send(struct grpc_stream *stream, vsr_str message) {
    uint8_t prefix[GRPC_PREFIX_LEN];
    if (stream->finished)
        return;
    if (message.len > UINT32_MAX) {
        grpc_stream_finish(stream, GRPC_RESOURCE_EXHAUSTED, VSR_STR("a message past 4 GiB"));
        return;
    }
    send_head(stream);
    grpc_write_prefix(prefix, (uint32_t)message.len);
    exchange_body(stream->exchange, str_make((const char *)prefix, sizeof(prefix)));
    exchange_body(stream->exchange, message);
}

static void on_end_due(void *data) {
    struct grpc_stream *stream = data;
    char digits[2];
    size_t n_digits = 0;
    struct http1_field trailers[2] = { { VSR_STR("grpc-status"), { digits, 0 } },
                                       { VSR_STR("grpc-message"), buf_str(&stream->status_text) } };
    if (stream->status >= 10)
        digits[n_digits++] = '1';
    digits[n_digits++] = (char)('0' + stream->status % 10);
    trailers[0].value.len = n_digits;
    send_head(stream);
    exchange_end_trailers(stream->exchange, trailers, stream->status_text.len > 0 ? 2 : 1); /* may free the stream */
}

void grpc_stream_finish(struct grpc_stream *stream, enum grpc_status status, vsr_str message) {
    if (stream->finished)
        return;
    stream->finished = true;
    stream->status = status;
    grpc_encode_message(&stream->status_text, message);
    loop_timer_stop(&stream->deadline);
    loop_defer(exchange_loop(stream->exchange), &stream->ending, on_end_due, stream);
}

size_t grpc_stream_queued(const struct grpc_stream *stream) {
    return exchange_queued(stream->exchange);
}

uint64_t *grpc_stream_notes(const struct grpc_stream *stream) {
    return exchange_notes(stream->exchange);
}

/* ---- reading */

static void refuse(struct grpc_stream *stream, enum grpc_status status, const char *text) {
    stream->outcome = GRPC_CALL_GONE;
    grpc_stream_finish(stream, status, str_from_c(text));
}

/* Hands out messages until the bytes, the call, or its patience ends. Returns what is left over. */
static vsr_str hand_out(struct grpc_stream *stream, vsr_str bytes) {
    vsr_str message;
    while (!stream->finished && !stream->paused) {
        switch (grpc_feed(&stream->reader, &bytes, &message)) {
        case GRPC_MORE:
            return bytes;
        case GRPC_MESSAGE:
            stream->method->on_message(stream->call, message);
            break;
        case GRPC_COMPRESSED:
            refuse(stream, GRPC_UNIMPLEMENTED, "compressed messages are not supported");
            break;
        case GRPC_TOO_LONG:
            if (stream->method->on_too_long)
                stream->method->on_too_long(stream->call);
            if (!stream->finished)
                refuse(stream, GRPC_RESOURCE_EXHAUSTED, "the message is longer than this method accepts");
            break;
        case GRPC_MALFORMED:
            refuse(stream, GRPC_INTERNAL, "a message with unknown flags");
            break;
        }
    }
    return bytes;
}

static void end_input(struct grpc_stream *stream) {
    if (stream->finished || stream->paused || !stream->half_closed || stream->end_told)
        return;
    stream->end_told = true;
    if (grpc_reader_pending(&stream->reader))
        refuse(stream, GRPC_INTERNAL, "the call ends within a message");
    else
        stream->method->on_half_close(stream->call);
}

static void feed(struct grpc_stream *stream, vsr_str bytes) {
    stream->feeding = true;
    if (stream->held.len > 0) {
        struct buf held = stream->held;
        vsr_str rest;
        buf_init(&stream->held, HELD_LEN_MAX);
        rest = hand_out(stream, buf_str(&held));
        (void)buf_append(&stream->held, rest); /* a part of what was there */
        buf_done(&held);
    }
    if (stream->held.len == 0)
        bytes = hand_out(stream, bytes);
    if (bytes.len > 0 && !stream->finished && buf_append(&stream->held, bytes) < 0)
        refuse(stream, GRPC_RESOURCE_EXHAUSTED, "too much has come for a call that is paused");
    stream->feeding = false;
    end_input(stream);
}

void grpc_stream_pause(struct grpc_stream *stream) {
    if (stream->paused || stream->finished)
        return;
    stream->paused = true;
    exchange_pause(stream->exchange);
}

void grpc_stream_resume(struct grpc_stream *stream) {
    if (!stream->paused || stream->finished)
        return;
    stream->paused = false;
    if (!stream->feeding)
        feed(stream, VSR_STR(""));
    if (!stream->paused && !stream->finished)
        exchange_resume(stream->exchange);
}

/* ---- the server's handler */

static void on_late(void *data) {
    struct grpc_stream *stream = data;
    stream->outcome = GRPC_CALL_LATE;
    grpc_stream_finish(stream, GRPC_DEADLINE_EXCEEDED, VSR_STR("the deadline of the call has passed"));
}

static void reply_http(struct grpc_stream *stream, int status, const char *text) {
    const struct http1_field fields[] = {
        { VSR_STR("content-type"), VSR_STR("text/plain") },
        status == 426 ? (struct http1_field){ VSR_STR("upgrade"), VSR_STR("h2c") }
                      : (struct http1_field){ VSR_STR("allow"), VSR_STR("POST") },
    };
    stream->finished = true;
    exchange_reply(stream->exchange, status, fields, status == 415 ? 1 : 2, str_from_c(text));
}

static const struct grpc_method *find_method(const struct grpc_service *service, vsr_str path) {
    for (size_t i = 0; i < service->n_methods; i++)
        if (str_eq(service->methods[i].path, path))
            return &service->methods[i];
    return NULL;
}

static bool is_identity(vsr_str encoding) {
    return encoding.len == 0 || str_eq_nocase(encoding, VSR_STR("identity"));
}

/* False: the call is refused, and answered. */
static bool accept_call(struct grpc_stream *stream, const struct grpc_service *service, const struct http1_head *head) {
    if (exchange_protocol(stream->exchange) != EXCHANGE_HTTP2) {
        reply_http(stream, 426, "this socket speaks gRPC, over HTTP/2 alone\n");
        return false;
    }
    if (!str_eq(head->method, VSR_STR("POST"))) {
        reply_http(stream, 405, "gRPC calls are POST requests\n");
        return false;
    }
    if (!grpc_content_type_ok(http1_field(head, VSR_STR("content-type")))) {
        reply_http(stream, 415, "gRPC calls are application/grpc\n");
        return false;
    }
    stream->method = find_method(service, head->target);
    if (!stream->method) {
        grpc_stream_finish(stream, GRPC_UNIMPLEMENTED, VSR_STR("there is no such method here"));
        return false;
    }
    if (!is_identity(http1_field(head, VSR_STR("grpc-encoding")))) {
        stream->method = NULL;
        grpc_stream_finish(stream, GRPC_UNIMPLEMENTED, VSR_STR("compressed messages are not supported"));
        return false;
    }
    return true;
}

static void *on_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    const struct grpc_service *service = app;
    struct grpc_stream *stream = MEM_NEW(struct grpc_stream);
    uint64_t timeout_ms;
    stream->exchange = exchange;
    stream->outcome = GRPC_CALL_FINISHED;
    buf_init(&stream->held, HELD_LEN_MAX);
    buf_init(&stream->status_text, 3 * GRPC_STATUS_TEXT_LEN_MAX);
    if (!accept_call(stream, service, head))
        return stream;
    grpc_reader_init(&stream->reader, stream->method->message_len_max);
    if (grpc_timeout_ms(http1_field(head, VSR_STR("grpc-timeout")), &timeout_ms))
        loop_timer_start(exchange_loop(exchange), &stream->deadline, timeout_ms, on_late, stream);
    stream->call = stream->method->on_open(service->app, stream, head);
    return stream;
}

static void on_body(void *request, vsr_str bytes) {
    struct grpc_stream *stream = request;
    if (!stream->finished)
        feed(stream, bytes);
}

static void on_end(void *request) {
    struct grpc_stream *stream = request;
    stream->half_closed = true;
    if (!stream->finished)
        end_input(stream);
}

static void on_drain(void *request) {
    struct grpc_stream *stream = request;
    if (stream->method && stream->method->on_drain && !stream->finished)
        stream->method->on_drain(stream->call);
}

static void on_close(void *request, enum exchange_outcome how) {
    struct grpc_stream *stream = request;
    loop_timer_stop(&stream->deadline);
    loop_defer_cancel(&stream->ending);
    if (!stream->finished || (how != EXCHANGE_COMPLETED && stream->outcome == GRPC_CALL_FINISHED))
        stream->outcome = GRPC_CALL_GONE;
    stream->finished = true;
    if (stream->method) {
        stream->method->on_close(stream->call, stream->outcome);
        grpc_reader_done(&stream->reader);
    }
    buf_done(&stream->held);
    buf_done(&stream->status_text);
    mem_free(stream);
}

static void on_handshake_failed(void *app, void *tag, vsr_str peer, const struct vsr_err *err) {
    const struct grpc_service *service = app;
    if (service->on_handshake_failed)
        service->on_handshake_failed(service->app, tag, peer, err);
}

const struct server_handler grpc_server_handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_end = on_end,
    .on_drain = on_drain,
    .on_close = on_close,
    .on_handshake_failed = on_handshake_failed,
};
