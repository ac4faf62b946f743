#include "net/client.h"

#include "core/assert.h"
#include "core/mem.h"
#include "net/client_conn.h"

/* ---- calls: memory */

static struct client_call *take_call(struct client *client) {
    struct client_call *call = client->spare;
    if (call) {
        client->spare = call->next;
        client->n_spare--;
    } else {
        call = MEM_NEW(struct client_call);
        http1_init(&call->parser, HTTP1_RESPONSE);
        buf_init(&call->head, CALL_HEAD_LEN_MAX);
    }
    call->prev = call->next = NULL;
    call->conn = NULL;
    call->fresh_only = call->head_request = call->sent_untold = call->any_bytes = call->head_told = call->paused =
        false;
    call->body_sent = 0;
    return call;
}

static void destroy_call(struct client_call *call) {
    http1_done(&call->parser);
    buf_done(&call->head);
    mem_free(call->err);
    mem_free(call);
}

void call_give(struct client_call *call) {
    struct client *client = call->endpoint->client;
    loop_timer_stop(&call->timer);
    loop_defer_cancel(&call->task);
    if (client->n_spare >= CALLS_SPARE_MAX) {
        destroy_call(call);
        return;
    }
    mem_free(call->err);
    call->err = NULL;
    call->owner = NULL;
    http1_reset(&call->parser);
    if (call->head.cap > CALL_HEAD_KEEP_LEN)
        buf_done(&call->head);
    buf_reset(&call->head);
    call->next = client->spare;
    client->spare = call;
    client->n_spare++;
}

/* ---- calls: waiting */

static void on_wait_over(void *data) {
    struct client_call *call = data;
    struct vsr_err err;
    const struct client_endpoint *endpoint = call->endpoint;
    uint64_t waited = loop_now_ms(endpoint->client->loop) - call->started_ms;
    bool all_busy = endpoint->n_connecting == 0 && endpoint->n_conns >= endpoint->connections_max;
    (void)err_set(&err, all_busy ? VSR_E_LIMIT : VSR_E_TIMEOUT, "no %sconnection to %.*s within %llu ms",
                  all_busy ? "free " : "", VSR_FMT(endpoint->shown), (unsigned long long)waited);
    endpoint_line_remove(call->endpoint, call);
    call_fail(call, &err, false);
}

static uint64_t min_timeout(uint64_t a, uint64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static void start_waiting(struct client_call *call) {
    struct client *client = call->endpoint->client;
    uint64_t spent = loop_now_ms(client->loop) - call->started_ms, total = call->timeouts.total_ms;
    if (total)
        total = total > spent ? total - spent : 1;
    call->state = CALL_PENDING;
    loop_timer_start(client->loop, &call->timer, min_timeout(client->limits.connect_timeout_ms, total), on_wait_over,
                     call);
}

/* ---- calls: their end */

void call_tell_sent(struct client_call *call) {
    if (!call->sent_untold)
        return;
    call->sent_untold = false;
    loop_defer_cancel(&call->task);
    call->events->on_sent(call->owner);
}

void call_finish(struct client_call *call) {
    call->state = CALL_OVER;
    loop_timer_stop(&call->timer);
    call->events->on_end(call->owner);
    call_give(call);
}

void call_fail(struct client_call *call, const struct vsr_err *err, bool connected) {
    call->state = CALL_OVER;
    loop_timer_stop(&call->timer);
    loop_defer_cancel(&call->task);
    call->events->on_error(call->owner, err, connected);
    call_give(call);
}

void call_again(struct client_call *call) {
    loop_defer_cancel(&call->task);
    call->sent_untold = false;
    call->fresh_only = true;
    call->conn = NULL;
    call->body_sent = 0;
    http1_reset(&call->parser);
    endpoint_line_prepend(call->endpoint, call);
    start_waiting(call);
    endpoint_pump(call->endpoint);
}

void call_unfail(struct client_call *call) {
    if (call->prev)
        call->prev->next = call->next;
    else
        call->endpoint->failing = call->next;
    if (call->next)
        call->next->prev = call->prev;
    call->prev = call->next = NULL;
}

static void on_failing(void *data) {
    struct client_call *call = data;
    struct vsr_err err = *call->err;
    call_unfail(call);
    call_fail(call, &err, false);
}

/* For a call that is refused at its start: its owner learns it from the loop. */
static void fail_later(struct client_call *call, int code, const char *text) {
    struct client_endpoint *endpoint = call->endpoint;
    call->state = CALL_FAILED;
    call->err = MEM_NEW(struct vsr_err);
    (void)err_set(call->err, code, "%s", text);
    call->next = endpoint->failing;
    if (call->next)
        call->next->prev = call;
    endpoint->failing = call;
    loop_defer(endpoint->client->loop, &call->task, on_failing, call);
}

/* ---- the client */

int client_new(struct loop *loop, const struct client_limits *limits, struct client **ret_client, struct vsr_err *err) {
    struct client *client;
    if (limits->connect_timeout_ms == 0 || limits->pool_idle_ms == 0 || limits->connections_max == 0)
        return err_set(err, VSR_E_INVALID, "a client needs a connect timeout, a pool timeout and a connection limit");
    client = MEM_NEW(struct client);
    client->loop = loop;
    client->limits = *limits;
    *ret_client = client;
    return 0;
}

void client_free(struct client *client) {
    if (!client)
        return;
    while (client->endpoints) {
        struct client_endpoint *endpoint = client->endpoints;
        client->endpoints = endpoint->next;
        endpoint_free(endpoint);
    }
    while (client->spare) {
        struct client_call *call = client->spare;
        client->spare = call->next;
        destroy_call(call);
    }
    mem_free(client);
}

struct client_stats client_stats(const struct client *client) {
    return client->stats;
}

/* ---- calls: the owner's side */

static bool method_wants_length(vsr_str method) {
    return str_eq(method, VSR_STR("POST")) || str_eq(method, VSR_STR("PUT")) || str_eq(method, VSR_STR("PATCH"));
}

/* A proxy that passes requests on wants to know where to. */
static void write_request_line(const struct client_call *call, const struct client_request *request, struct buf *out) {
    struct buf target;
    if (!client_is_proxied(&call->endpoint->place)) {
        http1_write_request_line(out, request->method, request->target);
        return;
    }
    buf_init(&target, CALL_HEAD_LEN_MAX);
    buf_printf(&target, "http://%.*s%.*s", VSR_FMT(request->authority), VSR_FMT(request->target));
    http1_write_request_line(out, request->method, buf_str(&target));
    buf_done(&target);
}

static void write_head(struct client_call *call, const struct client_request *request) {
    const struct client_place *place = &call->endpoint->place;
    struct buf *out = &call->head;
    write_request_line(call, request, out);
    http1_write_field(out, VSR_STR("host"), request->authority);
    if (client_is_proxied(place) && place->proxy->authorization.len > 0)
        http1_write_field(out, VSR_STR("proxy-authorization"), place->proxy->authorization);
    for (size_t i = 0; i < request->n_fields; i++)
        http1_write_field(out, request->fields[i].name, request->fields[i].value);
    if (request->body.len > 0 || method_wants_length(request->method))
        http1_write_field_u64(out, VSR_STR("content-length"), request->body.len);
    http1_write_head_end(out);
}

struct client_call *client_call_start(struct client_endpoint *endpoint, const struct client_request *request,
                                      const struct client_timeouts *timeouts, const struct client_events *events,
                                      void *owner) {
    struct client *client = endpoint->client;
    struct client_call *call = take_call(client);
    VSR_DEBUG_ASSERT(loop_on_thread(client->loop));
    call->endpoint = endpoint;
    call->events = events;
    call->owner = owner;
    call->timeouts = *timeouts;
    call->started_ms = loop_now_ms(client->loop);
    call->body = request->body;
    call->head_request = str_eq(request->method, VSR_STR("HEAD"));
    client->stats.calls_total++;
    endpoint_refresh(endpoint);
    write_head(call, request);
    if (buf_failed(&call->head)) {
        fail_later(call, VSR_E_LIMIT, "the request head is too large");
    } else if (endpoint->idle && !endpoint->waiting) {
        client_conn_send(endpoint->idle, call);
    } else if (endpoint_line_full(endpoint)) {
        fail_later(call, VSR_E_LIMIT, "too many calls wait for a connection");
    } else {
        endpoint_line_append(endpoint, call);
        start_waiting(call);
        endpoint_pump(endpoint);
    }
    return call;
}

void client_call_cancel(struct client_call *call) {
    struct client_endpoint *endpoint;
    if (!call || call->state == CALL_OVER)
        return;
    endpoint = call->endpoint;
    VSR_DEBUG_ASSERT(loop_on_thread(endpoint->client->loop));
    if (call->state == CALL_RUNNING)
        client_conn_close(call->conn);
    else if (call->state == CALL_PENDING)
        endpoint_line_remove(endpoint, call);
    else
        call_unfail(call);
    call->state = CALL_OVER;
    call_give(call);
    endpoint_pump(endpoint);
}

void client_call_pause(struct client_call *call) {
    call->paused = true;
}

void client_call_resume(struct client_call *call) {
    VSR_DEBUG_ASSERT(loop_on_thread(call->endpoint->client->loop));
    if (!call->paused)
        return;
    call->paused = false;
    if (call->state == CALL_RUNNING)
        client_conn_go_on(call->conn);
}
