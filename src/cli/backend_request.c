/*
 * backend_request - one exchange of the stand-in model server, from its head to its last byte.
 *
 *     on_request -> on_body ... -> on_end -> (stall) -> answer -> whole body, or event after event -> on_close
 *
 * An exchange_* call may end the exchange, and on_close would then free the request under the caller's feet. So
 * on_close only marks it; the outermost function of this file that is on the stack gives it back.
 */
#include <stdio.h>

#include "cli/backend.h"
#include "cli/backend_answer.h"
#include "cli/backend_record.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "core/mem.h"
#include "net/loop.h"
#include "wire/error_body.h"

enum {
    REQUEST_CHUNK_LEN = 16 << 10,
    REQUEST_ARENA_MAX = 1 << 30,
    REQUEST_BODY_KEEP_LEN = 256 << 10, /* a larger buffer is given back after the request */
    STREAM_GATHER_LEN = 16 << 10,      /* events of a stream without a rate leave together */
    STREAM_QUEUE_LEN_MAX = 256 << 10,  /* past it the stream waits for the client */
    CUT_DELAY_MS = 20,                 /* between the last byte and the cut: both must leave, and arrive, apart */
    FAIL_STATUS = 500,
    FIELDS_MAX = 8,
};

enum request_kind {
    REQUEST_CHAT,
    REQUEST_FIXED,
    REQUEST_MODELS,
    REQUEST_HEALTH,
    REQUEST_LAST,
    REQUEST_STATS,
    REQUEST_BEHAVIOUR,
    REQUEST_UNKNOWN,
};

struct backend_request {
    struct backend_request *next_spare;
    struct backend_worker *worker;
    struct backend_listener *listener;
    struct exchange *exchange;
    const struct http1_head *head;
    enum request_kind kind;
    struct behaviour behaviour;
    bool bad_behaviour; /* the request's own header made no sense; `err` says why */
    struct vsr_err err;

    struct arena *arena;
    struct buf body, out;
    struct loop_timer timer;
    struct answer answer;
    bool streaming;
    uint64_t started_ms; /* of the stream */
    uint64_t n_events;
    uint64_t n_sent; /* body bytes */

    unsigned busy; /* functions of this file on the stack */
    bool closed;
    bool cut; /* ended by us on purpose */
};

static bool is_model_request(const struct backend_request *request) {
    return request->kind == REQUEST_CHAT || request->kind == REQUEST_FIXED;
}

/* ---- life */

static struct backend_request *request_take(struct backend_worker *worker) {
    struct backend_request *request = worker->spare;
    if (request) {
        worker->spare = request->next_spare;
        return request;
    }
    request = MEM_NEW(struct backend_request);
    request->worker = worker;
    request->arena = arena_new(REQUEST_CHUNK_LEN, REQUEST_ARENA_MAX);
    buf_init(&request->body, BACKEND_BODY_LEN_MAX);
    buf_init(&request->out, BACKEND_OUT_LEN_MAX);
    return request;
}

static void buf_give(struct buf *buf) {
    if (buf->cap > REQUEST_BODY_KEEP_LEN)
        buf_done(buf);
    buf_reset(buf);
}

static void request_give(struct backend_request *request) {
    loop_timer_stop(&request->timer);
    arena_reset(request->arena);
    buf_give(&request->body);
    buf_give(&request->out);
    request->next_spare = request->worker->spare;
    request->worker->spare = request;
}

void backend_worker_done(struct backend_worker *worker) {
    while (worker->spare) {
        struct backend_request *request = worker->spare;
        worker->spare = request->next_spare;
        arena_free(request->arena);
        buf_done(&request->body);
        buf_done(&request->out);
        mem_free(request);
    }
}

static void enter(struct backend_request *request) {
    request->busy++;
}

/* The request may be gone afterwards. */
static void leave(struct backend_request *request) {
    if (--request->busy == 0 && request->closed)
        request_give(request);
}

/* ---- answers */

static size_t put_field(struct http1_field *fields, size_t n, const char *name, vsr_str value) {
    fields[n] = (struct http1_field){ str_from_c(name), value };
    return n + 1;
}

static size_t common_fields(const struct backend_request *request, const char *type, struct http1_field *fields) {
    size_t n = put_field(fields, 0, "content-type", str_from_c(type));
    n = put_field(fields, n, "x-backend-name", request->worker->backend->name);
    return put_field(fields, n, "x-backend-listener", str_from_c(request->listener->shown));
}

static void cut_now(void *data) {
    struct backend_request *request = data;
    enter(request);
    if (!request->closed)
        exchange_abort(request->exchange);
    leave(request);
}

static void cut_later(struct backend_request *request) {
    request->cut = true;
    if (request->closed)
        return;
    loop_timer_start(request->worker->loop, &request->timer, CUT_DELAY_MS, cut_now, request);
}

/* Sends a slice, up to the byte where the behaviour cuts. False when that was it. */
static bool send_slice(struct backend_request *request, vsr_str bytes) {
    uint64_t left = request->behaviour.cut - request->n_sent;
    bool whole = bytes.len <= left;
    /* A cut behind the last byte is none. */
    vsr_str part = whole ? bytes : str_sub(bytes, 0, left);
    request->n_sent += part.len;
    if (part.len > 0)
        exchange_body(request->exchange, part);
    if (!whole)
        cut_later(request);
    return whole && !request->closed;
}

static void reply(struct backend_request *request, int status, const char *type, vsr_str body) {
    struct http1_field fields[FIELDS_MAX];
    size_t n = common_fields(request, type, fields);
    char seconds[24];
    if (status >= 400 && request->behaviour.retry_after > 0 && is_model_request(request)) {
        (void)snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)request->behaviour.retry_after);
        n = put_field(fields, n, "retry-after", str_from_c(seconds));
    }
    exchange_head(request->exchange, status, fields, n, (int64_t)body.len);
    if (!request->closed && send_slice(request, body))
        exchange_end(request->exchange);
}

static void reply_error(struct backend_request *request, int status, const char *code, vsr_str message) {
    const struct error_body error = { .status = status, .message = message, .code = code };
    buf_reset(&request->out);
    error_body_write(&request->out, &error);
    reply(request, status, "application/json", buf_str(&request->out));
}

static void reply_json(struct backend_request *request) {
    if (buf_failed(&request->out))
        reply_error(request, 500, NULL, VSR_STR("the answer is too long"));
    else
        reply(request, 200, "application/json", buf_str(&request->out));
}

/* ---- streams */

static void stream_go_on(struct backend_request *request);

static void on_stream_timer(void *data) {
    struct backend_request *request = data;
    enter(request);
    if (!request->closed)
        stream_go_on(request);
    leave(request);
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
    bool goes_on = request->out.len == 0 || send_slice(request, buf_str(&request->out));
    buf_reset(&request->out);
    return goes_on;
}

/* Sends events as far as rate, client and text allow, and sees to it that it is called again. */
static void stream_go_on(struct backend_request *request) {
    uint64_t due = events_due(request);
    while (request->n_events < due) {
        if (exchange_queued(request->exchange) > STREAM_QUEUE_LEN_MAX)
            return; /* on_drain goes on */
        if (!answer_next_event(&request->answer, !request->behaviour.no_done, &request->out)) {
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

static void stream_begin(struct backend_request *request) {
    struct http1_field fields[FIELDS_MAX];
    size_t n = common_fields(request, "text/event-stream; charset=utf-8", fields);
    n = put_field(fields, n, "cache-control", VSR_STR("no-cache"));
    request->streaming = true;
    request->started_ms = loop_now_ms(request->worker->loop);
    exchange_head(request->exchange, 200, fields, n, EXCHANGE_LENGTH_UNKNOWN);
    if (!request->closed)
        stream_go_on(request);
}

/* ---- a model's answer */

static bool fails(struct backend_request *request) {
    const struct behaviour *behaviour = &request->behaviour;
    if (behaviour->fail_rate > 0)
        return backend_random(request->worker) < behaviour->fail_rate;
    return behaviour->status >= 400 || (behaviour->status > 0 && behaviour->status != 200);
}

static void answer_failure(struct backend_request *request) {
    int status = request->behaviour.status ? (int)request->behaviour.status : FAIL_STATUS;
    reply_error(request, status, NULL,
                status >= 400 ? VSR_STR("this backend was told to fail")
                              : VSR_STR("this backend was told to answer so"));
}

static void answer_question(struct backend_request *request) {
    struct backend_worker *worker = request->worker;
    const struct answer_options options = {
        .backend = worker->backend->name,
        .id = (uint64_t)worker->index << 48 | ++worker->n_answers,
        .created_s = worker->backend->created_s,
        .tokens = request->behaviour.tokens,
        .seed = worker->backend->seed,
    };
    int rc = answer_begin(request->arena, buf_str(&request->body), &options, &request->answer, &request->err);
    if (rc < 0) {
        reply_error(request, 400, NULL, str_from_c(request->err.text));
        return;
    }
    if (request->answer.stream) {
        stream_begin(request);
        return;
    }
    answer_write(&request->answer, &request->out);
    reply_json(request);
}

static void answer_chat(struct backend_request *request) {
    if (fails(request))
        answer_failure(request);
    else if (request->behaviour.garbage)
        reply(request, 200, "application/json", VSR_STR("\x01\xfe<this is no answer>\r\n{\"choices\": ["));
    else if (request->kind == REQUEST_FIXED)
        reply(request, 200, "application/json", request->worker->backend->fixed_body);
    else
        answer_question(request);
}

static void on_stalled(void *data) {
    struct backend_request *request = data;
    enter(request);
    if (!request->closed)
        answer_chat(request);
    leave(request);
}

static void begin_chat(struct backend_request *request) {
    const struct behaviour *behaviour = &request->behaviour;
    if (request->bad_behaviour) {
        reply_error(request, 400, NULL, str_from_c(request->err.text));
    } else if (behaviour->reset) {
        request->cut = true;
        exchange_abort(request->exchange);
    } else if (behaviour->hang) {
        return; /* the client's patience ends it */
    } else if (behaviour->stall > 0) {
        loop_timer_start(request->worker->loop, &request->timer, behaviour->stall, on_stalled, request);
    } else {
        answer_chat(request);
    }
}

/* ---- the other paths */

static void answer_stats(struct backend_request *request) {
    struct backend *backend = request->worker->backend;
    struct json_writer w;
    json_write_init(&w, &request->out);
    json_write_begin_object(&w);
    json_write_key(&w, VSR_STR("listeners"));
    json_write_begin_array(&w);
    for (size_t i = 0; i < backend->n_listeners; i++) {
        struct backend_listener *listener = &backend->listeners[i];
        json_write_begin_object(&w);
        json_write_key(&w, VSR_STR("address"));
        json_write_str(&w, str_from_c(listener->shown));
        json_write_key(&w, VSR_STR("requests"));
        json_write_u64(&w, atomic_load_explicit(&listener->n_requests, memory_order_relaxed));
        json_write_key(&w, VSR_STR("completed"));
        json_write_u64(&w, atomic_load_explicit(&listener->n_completed, memory_order_relaxed));
        json_write_key(&w, VSR_STR("cancelled"));
        json_write_u64(&w, atomic_load_explicit(&listener->n_cancelled, memory_order_relaxed));
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
    reply_json(request);
}

/* The body is a list as in the header; an empty one restores what the command line said. */
static void change_behaviour(struct backend_request *request) {
    struct behaviour behaviour = request->worker->backend->behaviour;
    if (behaviour_read(&behaviour, buf_str(&request->body), &request->err) < 0) {
        reply_error(request, 400, NULL, str_from_c(request->err.text));
        return;
    }
    backend_listener_set(request->listener, &behaviour);
    buf_append_c(&request->out, "{\"ok\":true}");
    reply_json(request);
}

static void answer_health(struct backend_request *request) {
    int status = request->behaviour.health ? (int)request->behaviour.health : 200;
    reply(request, status, "text/plain", status == 200 ? VSR_STR("ok\n") : VSR_STR("told to be unwell\n"));
}

static void dispatch(struct backend_request *request) {
    switch (request->kind) {
    case REQUEST_CHAT:
    case REQUEST_FIXED:
        begin_chat(request);
        break;
    case REQUEST_MODELS:
        reply(request, 200, "application/json", request->worker->backend->models_body);
        break;
    case REQUEST_HEALTH:
        answer_health(request);
        break;
    case REQUEST_LAST:
        backend_record_json(request->worker->backend->record, &request->out);
        reply_json(request);
        break;
    case REQUEST_STATS:
        answer_stats(request);
        break;
    case REQUEST_BEHAVIOUR:
        change_behaviour(request);
        break;
    case REQUEST_UNKNOWN:
        reply_error(request, 404, NULL, VSR_STR("no such endpoint; try POST /v1/chat/completions"));
        break;
    }
}

/* ---- events */

static enum request_kind kind_of(const struct backend *backend, const struct http1_head *head) {
    vsr_str rest = head->target, path = str_split(&rest, '?');
    if (str_eq(head->method, VSR_STR("POST"))) {
        /* Any prefix: base URLs differ between providers. */
        if (str_ends(path, VSR_STR("/chat/completions")))
            return backend->fixed ? REQUEST_FIXED : REQUEST_CHAT;
    } else if (str_eq(head->method, VSR_STR("GET"))) {
        if (str_ends(path, VSR_STR("/models")))
            return REQUEST_MODELS;
        if (str_eq(path, VSR_STR("/health")))
            return REQUEST_HEALTH;
        if (str_eq(path, VSR_STR("/_last")))
            return REQUEST_LAST;
        if (str_eq(path, VSR_STR("/_stats")))
            return REQUEST_STATS;
    } else if (str_eq(head->method, VSR_STR("PUT")) && str_eq(path, VSR_STR("/_behaviour"))) {
        return REQUEST_BEHAVIOUR;
    }
    return REQUEST_UNKNOWN;
}

/* Only what a model answers can be told to misbehave; the rest is for whoever steers. */
static void choose_behaviour(struct backend_request *request) {
    vsr_str own;
    request->bad_behaviour = false;
    if (!is_model_request(request)) {
        uint64_t health = backend_listener_behaviour(request->listener).health;
        request->behaviour = behaviour_none();
        request->behaviour.health = health;
        return;
    }
    request->behaviour = backend_listener_behaviour(request->listener);
    own = http1_field(request->head, VSR_STR(BEHAVIOUR_HEADER));
    if (own.ptr)
        request->bad_behaviour = behaviour_read(&request->behaviour, own, &request->err) < 0;
}

static void *on_request(void *app, struct exchange *exchange, const struct http1_head *head) {
    struct backend_worker *worker = app;
    struct backend_request *request = request_take(worker);
    request->listener = exchange_tag(exchange);
    request->exchange = exchange;
    request->head = head;
    request->kind = kind_of(worker->backend, head);
    request->streaming = request->closed = request->cut = false;
    request->n_events = request->n_sent = 0;
    request->busy = 0;
    choose_behaviour(request);
    if (is_model_request(request))
        atomic_fetch_add_explicit(&request->listener->n_requests, 1, memory_order_relaxed);
    return request;
}

static void on_body(void *data, vsr_str bytes) {
    struct backend_request *request = data;
    if (request->kind != REQUEST_FIXED)
        buf_append(&request->body, bytes); /* its ceiling is the server's */
}

static void on_end(void *data) {
    struct backend_request *request = data;
    enter(request);
    if (request->kind == REQUEST_CHAT)
        backend_record_put(request->worker->backend->record, str_from_c(request->listener->shown), request->head,
                           buf_str(&request->body));
    dispatch(request);
    leave(request);
}

static void on_drain(void *data) {
    struct backend_request *request = data;
    enter(request);
    if (request->streaming && !request->cut && !loop_timer_active(&request->timer))
        stream_go_on(request);
    leave(request);
}

static void on_close(void *data, enum exchange_outcome how) {
    struct backend_request *request = data;
    if (is_model_request(request)) {
        if (how == EXCHANGE_COMPLETED)
            atomic_fetch_add_explicit(&request->listener->n_completed, 1, memory_order_relaxed);
        else if (!request->cut)
            atomic_fetch_add_explicit(&request->listener->n_cancelled, 1, memory_order_relaxed);
    }
    request->closed = true;
    if (request->busy == 0)
        request_give(request);
}

static void error_body(void *app, const struct http1_head *head, int status, vsr_str message,
                       struct server_error *ret) {
    const struct error_body error = { .status = status, .message = message };
    (void)app;
    (void)head;
    error_body_write(&ret->body, &error);
}

const struct server_handler backend_handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_end = on_end,
    .on_drain = on_drain,
    .on_close = on_close,
    .error_body = error_body,
};
