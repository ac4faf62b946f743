/*
 * client_endpoint - one place's connections, who waits for one, and the addresses of its name.
 *
 * While calls come the name is resolved again whenever the addresses are no longer trusted, also where no new
 * connection is needed: a server that has moved may still answer at its old place. Connections to an address that
 * several answers in a row have left out are used no more. Not after the first: some names get other addresses of the
 * same servers with every answer.
 */
#include "core/assert.h"
#include "core/mem.h"
#include "net/client_conn.h"
#include "net/dns.h"

enum {
    SHOWN_LEN_MAX = 4096,
    ADDRESS_MISSES_MAX = 4,
};

/* ---- the waiting line */

void endpoint_line_append(struct client_endpoint *endpoint, struct client_call *call) {
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

void endpoint_line_prepend(struct client_endpoint *endpoint, struct client_call *call) {
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

void endpoint_line_remove(struct client_endpoint *endpoint, struct client_call *call) {
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

bool endpoint_line_full(const struct client_endpoint *endpoint) {
    size_t connected = endpoint->n_conns - endpoint->n_connecting;
    return endpoint->n_waiting >= endpoint->pending_max + endpoint->connections_max - connected;
}

/* The first call in line that may go on this connection. */
static struct client_call *line_first(const struct client_endpoint *endpoint, const struct client_conn *conn) {
    struct client_call *call = endpoint->waiting;
    while (call && call->fresh_only && conn->used)
        call = call->next;
    return call;
}

/* ---- endpoints */

bool endpoint_conn_moved(const struct client_conn *conn) {
    return conn->n_missed >= ADDRESS_MISSES_MAX;
}

/* Which connections lead to addresses that the name still has. */
static void note_addresses(struct client_endpoint *endpoint) {
    struct client_conn *conn, *next;
    for (conn = endpoint->conns; conn; conn = conn->next)
        if (dns_host_names(endpoint->dns, (const struct sockaddr *)&conn->addr))
            conn->n_missed = 0;
        else if (conn->n_missed < ADDRESS_MISSES_MAX)
            conn->n_missed++;
    for (conn = endpoint->idle; conn; conn = next) {
        next = conn->idle_next;
        if (endpoint_conn_moved(conn))
            client_conn_close(conn);
    }
}

/* Who waits although no connection is on its way that could be theirs, and one might be. */
static size_t n_in_need(const struct client_endpoint *endpoint) {
    if (endpoint->n_conns >= endpoint->connections_max || endpoint->n_waiting <= endpoint->n_connecting)
        return 0;
    return endpoint->n_waiting - endpoint->n_connecting;
}

static void on_resolved(void *data, const struct vsr_err *err) {
    struct client_endpoint *endpoint = data;
    endpoint->resolving = false;
    if (!err) {
        note_addresses(endpoint);
        endpoint_pump(endpoint);
        return;
    }
    /* Calls started inside on_error line up behind the last. */
    for (size_t n = n_in_need(endpoint); n > 0 && endpoint->waiting; n--) {
        struct client_call *call = endpoint->waiting;
        endpoint_line_remove(endpoint, call);
        call_fail(call, err, false);
    }
    endpoint_pump(endpoint);
}

static void resolve(struct client_endpoint *endpoint) {
    const struct client *client = endpoint->client;
    if (endpoint->resolving)
        return;
    endpoint->resolving = true;
    endpoint->refresh_ms = loop_now_ms(client->loop) + client->limits.dns_ttl_ms;
    dns_host_resolve(endpoint->dns, on_resolved, endpoint);
}

void endpoint_refresh(struct client_endpoint *endpoint) {
    if (!dns_host_ready(endpoint->dns) && loop_now_ms(endpoint->client->loop) >= endpoint->refresh_ms)
        resolve(endpoint);
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
            resolve(endpoint);
            return;
        }
        client_conn_open(endpoint);
    }
}

static void assign(struct client_endpoint *endpoint, struct client_conn *conn, struct client_call *call) {
    endpoint_line_remove(endpoint, call);
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
    endpoint_line_remove(endpoint, call);
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

void endpoint_free(struct client_endpoint *endpoint) {
    loop_defer_cancel(&endpoint->gone);
    while (endpoint->conns) {
        struct client_conn *conn = endpoint->conns;
        struct client_call *call = conn->call;
        client_conn_close(conn);
        if (call)
            call_give(call);
    }
    while (endpoint->waiting) {
        struct client_call *call = endpoint->waiting;
        endpoint_line_remove(endpoint, call);
        call_give(call);
    }
    while (endpoint->failing) {
        struct client_call *call = endpoint->failing;
        call_unfail(call);
        call_give(call);
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
    endpoint_free(endpoint);
}

void client_endpoint_unref(struct client_endpoint *endpoint) {
    VSR_DEBUG_ASSERT(loop_on_thread(endpoint->client->loop));
    VSR_ASSERT(endpoint->refs > 0);
    if (--endpoint->refs == 0) /* the caller may be inside an event of the last call */
        loop_defer(endpoint->client->loop, &endpoint->gone, endpoint_gone, endpoint);
}
