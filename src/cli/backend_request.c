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
#include "cli/backend_control.h"
#include "cli/backend_dialect.h"
#include "cli/backend_media.h"
#include "cli/backend_messages_read.h"
#include "cli/backend_paths.h"
#include "cli/backend_record.h"
#include "cli/backend_store.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/mem.h"
#include "net/loop.h"

enum {
    REQUEST_CHUNK_LEN = 16 << 10,
    REQUEST_ARENA_MAX = 1 << 30,
    REQUEST_BODY_KEEP_LEN = 256 << 10, /* a larger buffer is given back after the request */
    STREAM_GATHER_LEN = 16 << 10,      /* events of a stream without a rate leave together */
    STREAM_QUEUE_LEN_MAX = 256 << 10,  /* past it the stream waits for the client */
    CUT_DELAY_MS = 20,                 /* between the last byte and the cut: both must leave, and arrive, apart */
    FAIL_STATUS = 500,
    FIELDS_MAX = 8,
    REQUEST_ID_LEN = 32,
};

struct backend_request {
    struct backend_request *next_spare;
    struct backend_worker *worker;
    struct backend_listener *listener;
    struct exchange *exchange;
    const struct http1_head *head;
    enum backend_kind kind;
    const struct backend_dialect *dialect; /* also of errors */
    uint64_t id;
    char shown_id[REQUEST_ID_LEN];
    struct behaviour behaviour;
    bool bad_behaviour; /* the request's own header made no sense; `err` says why */
    struct vsr_err err;

    struct arena *arena;
    struct buf body, out;
    struct loop_timer timer;
    struct backend_answer answer;
    bool streaming;
    uint64_t started_ms; /* of the stream */
    uint64_t n_events;
    uint64_t n_sent; /* body bytes */

    unsigned busy; /* functions of this file on the stack */
    bool closed;
    bool cut; /* ended by us on purpose */
};

static bool is_model_request(const struct backend_request *request) {
    switch (request->kind) {
    case BACKEND_KIND_ANSWER:
    case BACKEND_KIND_FIXED:
    case BACKEND_KIND_COUNT:
    case BACKEND_KIND_EMBEDDINGS:
    case BACKEND_KIND_IMAGES:
        return true;
    default:
        return false;
    }
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
    if (request->dialect == &backend_messages)
        n = put_field(fields, n, "request-id", str_from_c(request->shown_id));
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

static void reply_refusal(struct backend_request *request, const struct backend_refusal *refusal) {
    buf_reset(&request->out);
    request->dialect->error(refusal, request->id, &request->out);
    reply(request, refusal->status, "application/json", buf_str(&request->out));
}

static void reply_error(struct backend_request *request, int status, vsr_str message) {
    const struct backend_refusal refusal = { .status = status, .message = message };
    reply_refusal(request, &refusal);
}

static void reply_json(struct backend_request *request) {
    if (buf_failed(&request->out))
        reply_error(request, 500, VSR_STR("the answer is too long"));
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

/* Sends events as far as rate, client and text allow, and sees to it that it is called again. */
static void stream_go_on(struct backend_request *request) {
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
    reply_error(request, status,
                status >= 400 ? VSR_STR("this backend was told to fail")
                              : VSR_STR("this backend was told to answer so"));
}

/* Of a dialect that comes back to its answers. False: it goes on from one that is not there. */
static bool keep_response(struct backend_request *request, struct backend_refusal *ret_refusal) {
    struct backend_store *store = request->worker->backend->store;
    if (request->dialect != &backend_responses)
        return true;
    if (!backend_store_links(store, request->arena, &request->answer, ret_refusal))
        return false;
    if (request->answer.question->store)
        backend_store_put(store, request->arena, &request->answer, loop_now_ms(request->worker->loop),
                          request->behaviour.work);
    return true;
}

static void answer_question(struct backend_request *request) {
    const struct backend *backend = request->worker->backend;
    const struct backend_answer_options options = {
        .backend = backend->name,
        .id = request->id,
        .created_s = backend->created_s,
        .seed = backend->seed,
        .behaviour = request->behaviour,
        .no_thoughts = request->dialect->no_thoughts,
        .no_redacted = !request->dialect->redacts,
    };
    struct backend_question *question = ARENA_NEW(request->arena, struct backend_question);
    struct backend_refusal refusal = { 0 };
    if (!request->dialect->read(request->arena, request->head, buf_str(&request->body), question, &refusal)) {
        reply_refusal(request, &refusal);
        return;
    }
    backend_answer_begin(request->arena, question, &options, &request->answer);
    if (!keep_response(request, &refusal)) {
        reply_refusal(request, &refusal);
        return;
    }
    if (question->stream) {
        stream_begin(request);
        return;
    }
    request->dialect->whole(request->arena, &request->answer, &request->out);
    reply_json(request);
}

static bool count_tokens(struct backend_request *request, struct backend_refusal *ret_refusal) {
    struct backend_question *question = ARENA_NEW(request->arena, struct backend_question);
    if (!backend_messages_read(request->arena, request->head, buf_str(&request->body), true, question, ret_refusal))
        return false;
    buf_printf(&request->out, "{\"input_tokens\":%llu}", (unsigned long long)question->prompt_tokens);
    return true;
}

/* What is no conversation. */
static void answer_at_once(struct backend_request *request) {
    struct backend_refusal refusal = { 0 };
    vsr_str body = buf_str(&request->body);
    bool ok;
    if (request->kind == BACKEND_KIND_COUNT)
        ok = count_tokens(request, &refusal);
    else if (request->kind == BACKEND_KIND_EMBEDDINGS)
        ok = backend_embeddings(request->arena, body, &request->out, &refusal);
    else
        ok = backend_images(request->arena, body, request->worker->backend->created_s, &request->out, &refusal);
    if (ok)
        reply_json(request);
    else
        reply_refusal(request, &refusal);
}

static void answer_model(struct backend_request *request) {
    if (request->behaviour.overloaded)
        reply_error(request, request->dialect->overloaded, VSR_STR("Overloaded"));
    else if (fails(request))
        answer_failure(request);
    else if (request->behaviour.garbage)
        reply(request, 200, "application/json", VSR_STR("\x01\xfe<this is no answer>\r\n{\"choices\": ["));
    else if (request->kind == BACKEND_KIND_FIXED)
        reply(request, 200, "application/json", request->worker->backend->fixed_body);
    else if (request->kind == BACKEND_KIND_ANSWER)
        answer_question(request);
    else
        answer_at_once(request);
}

static void on_stalled(void *data);

static void begin_model(struct backend_request *request) {
    const struct behaviour *behaviour = &request->behaviour;
    if (request->bad_behaviour) {
        reply_error(request, 400, str_from_c(request->err.text));
    } else if (behaviour->reset) {
        request->cut = true;
        exchange_abort(request->exchange);
    } else if (behaviour->hang) {
        return; /* the client's patience ends it */
    } else if (behaviour->stall > 0) {
        loop_timer_start(request->worker->loop, &request->timer, behaviour->stall, on_stalled, request);
    } else {
        answer_model(request);
    }
}

/* ---- the other paths */

/* `.../responses/ID[/ACTION][?QUERY]` */
static void answer_stored(struct backend_request *request) {
    vsr_str rest = request->head->target, path = str_split(&rest, '?'), prefix = VSR_STR("/responses/");
    struct backend_store_query query = { .method = request->head->method, .query = rest };
    struct backend_store_reply reply_to;
    query.action = str_sub(path, (size_t)str_find(path, prefix) + prefix.len, path.len);
    query.id = str_split(&query.action, '/');
    query.now_ms = loop_now_ms(request->worker->loop);
    reply_to = backend_store_ask(request->worker->backend->store, request->arena, &query, &request->out);
    if (reply_to.wait_ms > 0)
        loop_timer_start(request->worker->loop, &request->timer, reply_to.wait_ms, on_stalled, request);
    else if (reply_to.status != 200)
        reply_error(request, reply_to.status, arena_str(request->arena, buf_str(&request->out)));
    else
        reply(request, 200, reply_to.events ? "text/event-stream; charset=utf-8" : "application/json",
              buf_str(&request->out));
}

/* The body is a list as in the header; an empty one restores what the command line said. */
static void change_behaviour(struct backend_request *request) {
    struct behaviour behaviour = request->worker->backend->behaviour;
    if (behaviour_read(&behaviour, buf_str(&request->body), &request->err) < 0) {
        reply_error(request, 400, str_from_c(request->err.text));
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

static void on_stalled(void *data) {
    struct backend_request *request = data;
    enter(request);
    if (!request->closed && request->kind == BACKEND_KIND_STORED)
        answer_stored(request);
    else if (!request->closed)
        answer_model(request);
    leave(request);
}

static void dispatch(struct backend_request *request) {
    switch (request->kind) {
    case BACKEND_KIND_ANSWER:
    case BACKEND_KIND_FIXED:
    case BACKEND_KIND_COUNT:
    case BACKEND_KIND_EMBEDDINGS:
    case BACKEND_KIND_IMAGES:
        begin_model(request);
        break;
    case BACKEND_KIND_STORED:
        answer_stored(request);
        break;
    case BACKEND_KIND_MODELS:
        reply(request, 200, "application/json", request->worker->backend->models_body);
        break;
    case BACKEND_KIND_HEALTH:
        answer_health(request);
        break;
    case BACKEND_KIND_LAST:
        backend_record_json(request->worker->backend->record, &request->out);
        reply_json(request);
        break;
    case BACKEND_KIND_STATS:
        backend_control_stats(request->worker->backend, &request->out);
        reply_json(request);
        break;
    case BACKEND_KIND_BEHAVIOUR:
        change_behaviour(request);
        break;
    case BACKEND_KIND_UNKNOWN:
        reply_error(request, 404,
                    VSR_STR("no such endpoint; try POST /v1/chat/completions, /v1/messages or /v1/responses"));
        break;
    }
}

/* ---- events */

static void choose_kind(struct backend_request *request) {
    const struct backend_path *path = backend_path_find(request->head->method, request->head->target);
    request->kind = path->kind;
    request->dialect = path->dialect;
    if (path->dialect == &backend_chat && path->kind == BACKEND_KIND_ANSWER && request->worker->backend->fixed)
        request->kind = BACKEND_KIND_FIXED;
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
    request->id = (uint64_t)worker->index << 48 | ++worker->n_answers;
    (void)snprintf(request->shown_id, sizeof(request->shown_id), "req_%016llx", (unsigned long long)request->id);
    choose_kind(request);
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
    if (request->kind != BACKEND_KIND_FIXED)
        buf_append(&request->body, bytes); /* its ceiling is the server's */
}

static void on_end(void *data) {
    struct backend_request *request = data;
    enter(request);
    if (is_model_request(request) && request->kind != BACKEND_KIND_FIXED)
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
    const struct backend_refusal refusal = { .status = status, .message = message };
    (void)app;
    (void)head;
    backend_openai_error(&refusal, 0, &ret->body);
}

const struct server_handler backend_handler = {
    .on_request = on_request,
    .on_body = on_body,
    .on_end = on_end,
    .on_drain = on_drain,
    .on_close = on_close,
    .error_body = error_body,
};
