#include "net/client.h"

#include "core/assert.h"
#include "core/mem.h"
#include "net/client_conn.h"
#include "net/dns.h"

enum { SHOWN_LEN_MAX = 4096 };

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

static void give_call(struct client_call *call) {
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

/* ---- calls: the waiting line */

static void line_append(struct client_endpoint *endpoint, struct client_call *call) {
    call->prev = endpoint->waiting_last;
    call->next = NULL;
    if (call->prev)
        call->prev->next = call;
    else
        endpoint->waiting = call;
    endpoint->waiting_last = call;
    endpoint->n_waiting++;
    endpoint->client->stats.pending++;
}

static void line_prepend(struct client_endpoint *endpoint, struct client_call *call) {
    call->prev = NULL;
    call->next = endpoint->waiting;
    if (call->next)
        call->next->prev = call;
    else
        endpoint->waiting_last = call;
    endpoint->waiting = call;
    endpoint->n_waiting++;
    endpoint->client->stats.pending++;
}

static void line_remove(struct client_endpoint *endpoint, struct client_call *call) {
    if (call->prev)
        call->prev->next = call->next;
    else
        endpoint->waiting = call->next;
    if (call->next)
        call->next->prev = call->prev;
    else
        endpoint->waiting_last = call->prev;
    call->prev = call->next = NULL;
    endpoint->n_waiting--;
    endpoint->client->stats.pending--;
}

/* The first call in line that may go on this connection. */
static struct client_call *line_first(const struct client_endpoint *endpoint, const struct client_conn *conn) {
    struct client_call *call = endpoint->waiting;
    while (call && call->fresh_only && conn->used)
        call = call->next;
    return call;
}

static void on_wait_over(void *data) {
    struct client_call *call = data;
    struct vsr_err err;
    const struct client_endpoint *endpoint = call->endpoint;
    uint64_t waited = loop_now_ms(endpoint->client->loop) - call->started_ms;
    bool all_busy = endpoint->n_connecting == 0 && endpoint->n_conns >= endpoint->connections_max;
    (void)err_set(&err, all_busy ? VSR_E_LIMIT : VSR_E_TIMEOUT, "no %sconnection to %.*s within %llu ms",
                  all_busy ? "free " : "", VSR_FMT(endpoint->shown), (unsigned long long)waited);
    line_remove(call->endpoint, call);
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
    give_call(call);
}

void call_fail(struct client_call *call, const struct vsr_err *err, bool connected) {
    call->state = CALL_OVER;
    loop_timer_stop(&call->timer);
    loop_defer_cancel(&call->task);
    call->events->on_error(call->owner, err, connected);
    give_call(call);
}

void call_again(struct client_call *call) {
    loop_defer_cancel(&call->task);
    call->sent_untold = false;
    call->fresh_only = true;
    call->conn = NULL;
    call->body_sent = 0;
    http1_reset(&call->parser);
    line_prepend(call->endpoint, call);
    start_waiting(call);
    endpoint_pump(call->endpoint);
}

static void failing_remove(struct client_call *call) {
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
    failing_remove(call);
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

/* ---- endpoints */

static void on_resolved(void *data, const struct vsr_err *err) {
    struct client_endpoint *endpoint = data;
    endpoint->resolving = false;
    if (!err) {
        endpoint_pump(endpoint);
        return;
    }
    /* Everybody who waits for a connection waits for this name. Calls started inside on_error line up behind `last`. */
    for (size_t n = endpoint->n_waiting; n > 0 && endpoint->waiting; n--) {
        struct client_call *call = endpoint->waiting;
        line_remove(endpoint, call);
        call_fail(call, err, false);
    }
    endpoint_pump(endpoint);
}

static void open_conns(struct client_endpoint *endpoint) {
    while (endpoint->n_connecting < endpoint->n_waiting) {
        if (endpoint->n_conns >= endpoint->connections_max) {
            /* Only calls that refuse used connections wait beside idle ones: make room. */
            if (!endpoint->idle)
                return;
            client_conn_close(endpoint->idle);
        }
        if (!dns_host_ready(endpoint->dns)) {
            if (!endpoint->resolving) {
                endpoint->resolving = true;
                dns_host_resolve(endpoint->dns, on_resolved, endpoint);
            }
            return;
        }
        client_conn_open(endpoint);
    }
}

static void assign(struct client_endpoint *endpoint, struct client_conn *conn, struct client_call *call) {
    line_remove(endpoint, call);
    loop_timer_stop(&call->timer);
    client_conn_send(conn, call);
}

void endpoint_pump(struct client_endpoint *endpoint) {
    while (endpoint->idle && endpoint->waiting) {
        struct client_call *call = line_first(endpoint, endpoint->idle);
        if (!call)
            break;
        assign(endpoint, endpoint->idle, call);
    }
    open_conns(endpoint);
}

void endpoint_unlink_idle(struct client_endpoint *endpoint, struct client_conn *conn) {
    if (conn->idle_prev)
        conn->idle_prev->idle_next = conn->idle_next;
    else
        endpoint->idle = conn->idle_next;
    if (conn->idle_next)
        conn->idle_next->idle_prev = conn->idle_prev;
    conn->idle_prev = conn->idle_next = NULL;
    endpoint->n_idle--;
    endpoint->client->stats.idle--;
}

void endpoint_conn_ready(struct client_endpoint *endpoint, struct client_conn *conn) {
    struct client_call *call = endpoint->waiting ? line_first(endpoint, conn) : NULL;
    conn->state = CLIENT_CONN_IDLE;
    conn->idle_prev = NULL;
    conn->idle_next = endpoint->idle;
    if (conn->idle_next)
        conn->idle_next->idle_prev = conn;
    endpoint->idle = conn;
    endpoint->n_idle++;
    endpoint->client->stats.idle++;
    if (call)
        assign(endpoint, conn, call);
}

void endpoint_connect_failed(struct client_endpoint *endpoint, const struct vsr_err *err) {
    struct client_call *call = endpoint->waiting;
    dns_host_expire(endpoint->dns);
    /* Each attempt was made for one waiting call; where calls have gone since, the attempts left are enough. */
    if (!call || endpoint->n_connecting >= endpoint->n_waiting)
        return;
    line_remove(endpoint, call);
    call_fail(call, err, false);
    endpoint_pump(endpoint);
}

static bool same_proxy(const struct client_proxy *a, const struct client_proxy *b) {
    if (!a || !b)
        return !a && !b;
    return a->port == b->port && str_eq_nocase(a->host, b->host) && str_eq(a->authorization, b->authorization);
}

static bool same_place(const struct client_place *a, const struct client_place *b) {
    return a->port == b->port && a->tls == b->tls && str_eq_nocase(a->host, b->host) &&
           same_proxy(a->proxy, b->proxy) && str_eq(a->unix_path, b->unix_path) &&
           str_eq_nocase(a->server_name, b->server_name) && a->connections_max == b->connections_max &&
           a->pending_max == b->pending_max;
}

/* Copies `text` to *at, and moves that on. */
static vsr_str keep_text(char **at, vsr_str text) {
    vsr_str copy = str_make(*at, text.len);
    if (text.len)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

/* Who is connected to: the server, or the proxy before it. */
static struct dns_host *resolver_of(struct client *client, const struct client_place *place) {
    uint64_t ttl_ms = client->limits.dns_ttl_ms;
    if (place->unix_path.len)
        return dns_host_new_unix(client->loop, place->unix_path);
    if (place->proxy)
        return dns_host_new(client->loop, place->proxy->host, place->proxy->port, ttl_ms);
    return dns_host_new(client->loop, place->host, place->port, ttl_ms);
}

static void write_shown(const struct client_place *place, struct buf *out) {
    if (place->unix_path.len)
        buf_printf(out, "unix:%.*s", VSR_FMT(place->unix_path));
    else
        buf_printf(out, "%.*s:%u", VSR_FMT(place->host), (unsigned)place->port);
    if (place->proxy)
        buf_printf(out, ", by way of %.*s:%u", VSR_FMT(place->proxy->host), (unsigned)place->proxy->port);
}

static struct client_endpoint *endpoint_make(struct client *client, const struct client_place *place) {
    const struct client_proxy no_proxy = { .port = 0 };
    const struct client_proxy *proxy = place->proxy ? place->proxy : &no_proxy;
    struct client_endpoint *endpoint;
    struct buf shown;
    char *at;
    buf_init(&shown, SHOWN_LEN_MAX);
    write_shown(place, &shown);
    endpoint = mem_alloc(sizeof(*endpoint) + place->host.len + place->unix_path.len + place->server_name.len +
                         proxy->host.len + proxy->authorization.len + shown.len);
    at = endpoint->texts;
    endpoint->refs = 1;
    endpoint->client = client;
    endpoint->place = *place;
    endpoint->place.host = keep_text(&at, place->host);
    endpoint->place.unix_path = keep_text(&at, place->unix_path);
    endpoint->place.server_name = keep_text(&at, place->server_name);
    endpoint->place.proxy = place->proxy ? &endpoint->proxy : NULL;
    endpoint->proxy.host = keep_text(&at, proxy->host);
    endpoint->proxy.port = proxy->port;
    endpoint->proxy.authorization = keep_text(&at, proxy->authorization);
    endpoint->shown = keep_text(&at, buf_str(&shown));
    endpoint->connections_max = place->connections_max ? place->connections_max : client->limits.connections_max;
    endpoint->pending_max = place->pending_max ? place->pending_max : client->limits.pending_max;
    endpoint->dns = resolver_of(client, place);
    buf_done(&shown);
    return endpoint;
}

struct client_endpoint *client_endpoint(struct client *client, const struct client_place *place) {
    struct client_endpoint *endpoint = client->endpoints;
    VSR_DEBUG_ASSERT(loop_on_thread(client->loop));
    while (endpoint && !same_place(&endpoint->place, place))
        endpoint = endpoint->next;
    if (endpoint)
        return client_endpoint_ref(endpoint);
    endpoint = endpoint_make(client, place);
    endpoint->next = client->endpoints;
    client->endpoints = endpoint;
    return endpoint;
}

static void free_endpoint(struct client_endpoint *endpoint) {
    loop_defer_cancel(&endpoint->gone);
    while (endpoint->conns) {
        struct client_conn *conn = endpoint->conns;
        struct client_call *call = conn->call;
        client_conn_close(conn);
        if (call)
            give_call(call);
    }
    while (endpoint->waiting) {
        struct client_call *call = endpoint->waiting;
        line_remove(endpoint, call);
        give_call(call);
    }
    while (endpoint->failing) {
        struct client_call *call = endpoint->failing;
        failing_remove(call);
        give_call(call);
    }
    dns_host_free(endpoint->dns);
    mem_free(endpoint);
}

struct client_endpoint *client_endpoint_ref(struct client_endpoint *endpoint) {
    VSR_DEBUG_ASSERT(loop_on_thread(endpoint->client->loop));
    endpoint->refs++;
    return endpoint;
}

/* Somebody may have asked for the endpoint since. */
static void endpoint_gone(void *data) {
    struct client_endpoint *endpoint = data, **link = &endpoint->client->endpoints;
    if (endpoint->refs > 0)
        return;
    while (*link != endpoint)
        link = &(*link)->next;
    *link = endpoint->next;
    free_endpoint(endpoint);
}

void client_endpoint_unref(struct client_endpoint *endpoint) {
    VSR_DEBUG_ASSERT(loop_on_thread(endpoint->client->loop));
    VSR_ASSERT(endpoint->refs > 0);
    if (--endpoint->refs == 0) /* the caller may be inside an event of the last call */
        loop_defer(endpoint->client->loop, &endpoint->gone, endpoint_gone, endpoint);
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
        free_endpoint(endpoint);
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

/* Whether the line is full. A call that a connection is or can be opened for stands in it, but costs nobody a place. */
static bool line_full(const struct client_endpoint *endpoint) {
    size_t connected = endpoint->n_conns - endpoint->n_connecting;
    return endpoint->n_waiting >= endpoint->pending_max + endpoint->connections_max - connected;
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
    write_head(call, request);
    if (buf_failed(&call->head)) {
        fail_later(call, VSR_E_LIMIT, "the request head is too large");
    } else if (endpoint->idle && !endpoint->waiting) {
        client_conn_send(endpoint->idle, call);
    } else if (line_full(endpoint)) {
        fail_later(call, VSR_E_LIMIT, "too many calls wait for a connection");
    } else {
        line_append(endpoint, call);
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
        line_remove(endpoint, call);
    else
        failing_remove(call);
    call->state = CALL_OVER;
    give_call(call);
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
