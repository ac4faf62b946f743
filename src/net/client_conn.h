/*
 * client_conn - connections of the outbound pool, and the calls on them.
 *
 *     calls:        PENDING -> RUNNING -> OVER       (FAILED: an error waits for its turn to be told)
 *     connections:  CONNECTING -> IDLE <-> BUSY -> CLOSED
 *
 * client_endpoint.c decides which call goes where; client_conn.c moves one call's bytes on one connection; client.c is
 * what owners call. A closed connection is freed by the loop later, so that whoever is inside one of its events may
 * look at its state; calls go back to a stack of spare ones, with parser and buffers, for the next call to find them in
 * the cache. Invariant: while `pending` holds bytes the stream is paused. Private to these three.
 */
#ifndef VSR_NET_CLIENT_CONN_H
#define VSR_NET_CLIENT_CONN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "net/client.h"
#include "net/http1.h"
#include "net/loop.h"

struct client_tunnel;
struct dns_host;
struct stream;

enum {
    CALL_HEAD_LEN_MAX = 1 << 20,
    CALL_HEAD_KEEP_LEN = 16 << 10, /* larger head memory is given back after the call */
    CALL_SEND_LEN = 256 << 10,     /* body bytes offered to the stream at once */
    CALLS_SPARE_MAX = 256,
};

enum call_state { CALL_PENDING, CALL_RUNNING, CALL_FAILED, CALL_OVER };

struct client_call {
    struct client_endpoint *endpoint;
    struct client_call *prev, *next; /* in the endpoint's waiting or failing list; next also on the spare stack */
    struct client_conn *conn;        /* RUNNING only */
    enum call_state state;
    bool fresh_only; /* sent once in vain: takes only a connection that nobody has used */
    bool head_request;
    bool sent_untold; /* on_sent has not been called yet */
    bool any_bytes;   /* of the answer */
    bool head_told;
    bool paused;
    const struct client_events *events;
    void *owner;
    struct client_timeouts timeouts;
    uint64_t started_ms;
    struct buf head; /* of the request */
    vsr_str body;
    size_t body_sent;
    struct http1_parser parser;
    struct loop_timer timer; /* PENDING only */
    struct loop_task task;
    struct vsr_err *err; /* FAILED only */
};

enum client_conn_state { CLIENT_CONN_CONNECTING, CLIENT_CONN_IDLE, CLIENT_CONN_BUSY, CLIENT_CONN_CLOSED };

struct client_conn {
    struct client_endpoint *endpoint;
    struct client_conn *prev, *next;           /* all of the endpoint's */
    struct client_conn *idle_prev, *idle_next; /* IDLE only */
    struct stream *stream;                     /* NULL between two addresses and when CLOSED */
    struct client_call *call;                  /* BUSY only */
    enum client_conn_state state;
    bool used;                  /* has carried a call before */
    bool feeding;               /* the parser loop runs further up the stack */
    size_t addr_first, n_tried; /* addresses of the host: where to begin, how many have failed */
    struct sockaddr_in6 addr;   /* tried or connected to, of either family; zero: a Unix socket */
    unsigned n_missed;          /* resolutions in a row that have not named it */
    uint64_t request_end;       /* BUSY: what stream_written() is when the whole request is */
    uint64_t connect_by_ms;
    uint64_t phase_due_ms; /* BUSY: when the first byte, or the next one, is overdue; 0 = never */
    struct loop_timer timer;
    struct loop_task task;
    struct buf pending; /* bytes that came while the call was paused */
    size_t pending_off;
    struct vsr_err *err;          /* of the address that got furthest, else the last; CONNECTING only */
    struct client_tunnel *tunnel; /* CONNECTING, while the proxy has not answered */
    bool tunnelled;               /* it has; the server is at the other end */
    bool connected;               /* `err` is of an address where somebody answered */
};

struct client_endpoint {
    struct client *client;
    struct client_endpoint *next;
    struct dns_host *dns;
    struct client_place place; /* its texts lie behind this struct */
    struct client_proxy proxy; /* what `place` points to, if it does */
    size_t refs;
    struct loop_task gone; /* nobody refers to it */
    bool resolving;
    uint64_t refresh_ms; /* not before that the name is resolved for connections that are there */
    size_t connections_max, pending_max;
    size_t n_conns, n_connecting, n_idle, n_waiting;
    struct client_conn *conns, *idle;
    struct client_call *waiting, *waiting_last;
    struct client_call *failing; /* refused at the start; their on_error comes from the loop */
    vsr_str shown;               /* for messages: host:port, or unix:PATH; and the proxy */
    char texts[];
};

struct client {
    struct loop *loop;
    struct client_limits limits;
    struct client_endpoint *endpoints;
    struct client_call *spare;
    size_t n_spare;
    struct client_stats stats;
    struct vsr_err err; /* scratch */
};

/* Whether requests go to a proxy that passes them on; where there is TLS it only opens the way. */
static inline bool client_is_proxied(const struct client_place *place) {
    return place->proxy && !place->tls;
}

/* ---- client_conn.c */

/* Begins to connect. An error is reported through endpoint_connect_failed(), never inside this call. */
void client_conn_open(struct client_endpoint *endpoint);
/* Closes now, without events. The call on it, if any, is forgotten. */
void client_conn_close(struct client_conn *conn);
/* Sends the call on an idle or just opened connection. */
void client_conn_send(struct client_conn *conn, struct client_call *call);
/* The owner wants bytes again. */
void client_conn_go_on(struct client_conn *conn);

/* ---- client_endpoint.c */

void endpoint_free(struct client_endpoint *endpoint);
/* The calls that wait for a connection, in order. */
void endpoint_line_append(struct client_endpoint *endpoint, struct client_call *call);
void endpoint_line_prepend(struct client_endpoint *endpoint, struct client_call *call);
void endpoint_line_remove(struct client_endpoint *endpoint, struct client_call *call);
/* Whether the line is full. A call that a connection is or can be opened for stands in it, but costs nobody a place. */
bool endpoint_line_full(const struct client_endpoint *endpoint);
/* Resolves the name again, in the background, when it is time. */
void endpoint_refresh(struct client_endpoint *endpoint);
/* Whether the server has moved away from where this connection leads. */
bool endpoint_conn_moved(const struct client_conn *conn);
/* Takes the connection into the pool; it has carried no call or finished one. */
void endpoint_conn_ready(struct client_endpoint *endpoint, struct client_conn *conn);
/* A connection attempt has failed at every address: the first waiting call learns it. */
void endpoint_connect_failed(struct client_endpoint *endpoint, const struct vsr_err *err);
/* Puts waiting calls on connections and opens new ones as far as the limits allow. No event comes from inside. */
void endpoint_pump(struct client_endpoint *endpoint);
void endpoint_unlink_idle(struct client_endpoint *endpoint, struct client_conn *conn);

/* ---- client.c */

/* The call lost its connection before any byte of the answer: first in line for a fresh one. */
void call_again(struct client_call *call);
/* Ends a call that is on no connection and in no list: tells its owner and frees it. */
void call_finish(struct client_call *call);
void call_fail(struct client_call *call, const struct vsr_err *err, bool connected);
void call_tell_sent(struct client_call *call);
/* Takes it out of the list of those that were refused at the start. */
void call_unfail(struct client_call *call);
/* Puts the memory of a call that is over aside. */
void call_give(struct client_call *call);

#endif
