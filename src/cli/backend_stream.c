#include "cli/backend_answer.h"
#include "cli/backend_request.h"

enum {
    STREAM_GATHER_LEN = 16 << 10,     /* events of a stream without a rate leave together */
    STREAM_QUEUE_LEN_MAX = 256 << 10, /* past it the stream waits for the client */
};

static void on_stream_timer(void *data) {
    struct backend_request *request = data;
    backend_request_enter(request);
    if (!request->closed)
        backend_stream_go_on(request);
    backend_request_leave(request);
}

/* How many events should have been sent by now; UINT64_MAX without a rate. The first one goes at once. */
static uint64_t events_due(const struct backend_request *request) {
    uint64_t elapsed_ms = loop_now_ms(request->worker->loop) - request->started_ms;
    if (request->behaviour.rate <= 0)
        return UINT64_MAX;
    return 1 + (uint64_t)((double)elapsed_ms * request->behaviour.rate / 1000.0);
}

/* Milliseconds until the next event. */
static uint64_t next_event_ms(const struct backend_request *request) {
    double due_ms = (double)request->n_events * 1000.0 / request->behaviour.rate;
    double elapsed_ms = (double)(loop_now_ms(request->worker->loop) - request->started_ms);
    return due_ms > elapsed_ms ? (uint64_t)(due_ms - elapsed_ms) + 1 : 1;
}

/* Sends what is in `out`. False when the stream is over. */
static bool stream_flush(struct backend_request *request) {
    bool goes_on = request->out.len == 0 || backend_reply_slice(request, buf_str(&request->out));
    buf_reset(&request->out);
    return goes_on;
}

/* Appends the next thing that the stream says. False when there was none left. */
static bool next_event(struct backend_request *request) {
    size_t before = request->out.len;
    struct backend_step step;
    while (backend_answer_step(&request->answer, &step)) {
        request->dialect->event(request->arena, &request->answer, &step, &request->out);
        if (request->out.len > before)
            return true;
    }
    return false;
}

void backend_stream_go_on(struct backend_request *request) {
    uint64_t due = events_due(request);
    while (request->n_events < due) {
        if (exchange_queued(request->exchange) > STREAM_QUEUE_LEN_MAX)
            return; /* on_drain goes on */
        if (!next_event(request)) {
            if (stream_flush(request))
                exchange_end(request->exchange);
            return;
        }
        request->n_events++;
        if ((due != UINT64_MAX || request->out.len > STREAM_GATHER_LEN) && !stream_flush(request))
            return;
    }
    loop_timer_start(request->worker->loop, &request->timer, next_event_ms(request), on_stream_timer, request);
}

void backend_stream_begin(struct backend_request *request) {
    struct http1_field fields[BACKEND_FIELDS_MAX];
    size_t n = backend_reply_fields(request, "text/event-stream; charset=utf-8", fields);
    n = backend_reply_field(fields, n, "cache-control", VSR_STR("no-cache"));
    request->streaming = true;
    request->started_ms = loop_now_ms(request->worker->loop);
    exchange_head(request->exchange, 200, fields, n, EXCHANGE_LENGTH_UNKNOWN);
    if (!request->closed)
        backend_stream_go_on(request);
}
