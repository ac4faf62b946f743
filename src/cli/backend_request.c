/*
 *     on_request -> on_body ... -> on_end -> (stall) -> answer -> whole body, or event after event -> on_close
 *
 * An exchange_* call may end the exchange, and on_close would then free the request under the caller's feet. So
 * on_close only marks it, and the outermost function that entered gives it back.
 */
#include "cli/backend_request.h"

#include <stdio.h>

#include "cli/backend_control.h"
#include "cli/backend_record.h"
#include "cli/backend_store.h"
#include "core/arena.h"
#include "core/mem.h"

enum {
    REQUEST_CHUNK_LEN = 16 << 10,
    REQUEST_ARENA_MAX = 1 << 30,
    REQUEST_BODY_KEEP_LEN = 256 << 10, /* a larger buffer is given back after the request */
};

bool backend_request_is_model(const struct backend_request *request) {
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

void backend_request_enter(struct backend_request *request) {
    request->busy++;
}

void backend_request_leave(struct backend_request *request) {
    if (--request->busy == 0 && request->closed)
        request_give(request);
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
        loop_timer_start(request->worker->loop, &request->timer, reply_to.wait_ms, backend_request_resume, request);
    else if (reply_to.status != 200)
        backend_reply_error(request, reply_to.status, arena_str(request->arena, buf_str(&request->out)));
    else
        backend_reply(request, 200, reply_to.events ? "text/event-stream; charset=utf-8" : "application/json",
                      buf_str(&request->out));
}

/* The body is a list as in the header; an empty one restores what the command line said. */
static void change_behaviour(struct backend_request *request) {
    struct behaviour behaviour = request->worker->backend->behaviour;
    if (behaviour_read(&behaviour, buf_str(&request->body), &request->err) < 0) {
        backend_reply_error(request, 400, str_from_c(request->err.text));
        return;
    }
    backend_listener_set(request->listener, &behaviour);
    buf_append_c(&request->out, "{\"ok\":true}");
    backend_reply_json(request);
}

static void answer_health(struct backend_request *request) {
    int status = request->behaviour.health ? (int)request->behaviour.health : 200;
    backend_reply(request, status, "text/plain", status == 200 ? VSR_STR("ok\n") : VSR_STR("told to be unwell\n"));
}

void backend_request_resume(void *data) {
    struct backend_request *request = data;
    backend_request_enter(request);
    if (!request->closed && request->kind == BACKEND_KIND_STORED)
        answer_stored(request);
    else if (!request->closed)
        backend_model_answer(request);
    backend_request_leave(request);
}

static void dispatch(struct backend_request *request) {
    switch (request->kind) {
    case BACKEND_KIND_ANSWER:
    case BACKEND_KIND_FIXED:
    case BACKEND_KIND_COUNT:
    case BACKEND_KIND_EMBEDDINGS:
    case BACKEND_KIND_IMAGES:
        backend_model_begin(request);
        break;
    case BACKEND_KIND_STORED:
        answer_stored(request);
        break;
    case BACKEND_KIND_MODELS:
        backend_reply(request, 200, "application/json", request->worker->backend->models_body);
        break;
    case BACKEND_KIND_HEALTH:
        answer_health(request);
        break;
    case BACKEND_KIND_LAST:
        backend_record_json(request->worker->backend->record, &request->out);
        backend_reply_json(request);
        break;
    case BACKEND_KIND_STATS:
        backend_control_stats(request->worker->backend, &request->out);
        backend_reply_json(request);
        break;
    case BACKEND_KIND_BEHAVIOUR:
        change_behaviour(request);
        break;
    case BACKEND_KIND_UNKNOWN:
        backend_reply_error(request, 404,
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
    if (!backend_request_is_model(request)) {
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
    if (backend_request_is_model(request))
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
    backend_request_enter(request);
    if (backend_request_is_model(request) && request->kind != BACKEND_KIND_FIXED)
        backend_record_put(request->worker->backend->record, str_from_c(request->listener->shown), request->head,
                           buf_str(&request->body));
    dispatch(request);
    backend_request_leave(request);
}

static void on_drain(void *data) {
    struct backend_request *request = data;
    backend_request_enter(request);
    if (request->streaming && !request->cut && !loop_timer_active(&request->timer))
        backend_stream_go_on(request);
    backend_request_leave(request);
}

static void on_close(void *data, enum exchange_outcome how) {
    struct backend_request *request = data;
    if (backend_request_is_model(request)) {
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
