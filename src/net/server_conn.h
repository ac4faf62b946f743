/*
 * server_conn - one connection of a server: requests in, answers out, one after the other.
 *
 *     HANDSHAKE -> IDLE -> HEAD -> BODY -> ANSWER -> IDLE ...      (states of a connection)
 *                           |       |        |
 *                           |       +-> DISCARD (answered before the body had come) -> IDLE
 *                           +---------------+-> LINGER (the last answer was sent) -> CLOSED
 *
 *     HANDSHAKE or IDLE -> HTTP2 -> LINGER                         (ALPN, or the preface; see http2_conn.h)
 *
 * What a request needs (parser, head, output) sits in its exchange, which is taken from the server's stack when the
 * first byte comes and given back when the answer is out. So an idle connection is small and the few exchanges in use
 * stay in the cache. Invariant: while `pending` holds bytes the stream is paused. A closed connection is freed by the
 * loop later, so that whoever is inside one of its events may look at its state. Private to net/.
 */
#ifndef VSR_NET_SERVER_CONN_H
#define VSR_NET_SERVER_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "net/exchange_ops.h"
#include "net/http1.h"
#include "net/loop.h"
#include "net/server.h"

struct listener;
struct stream;
struct server_conn;
struct http2_conn;

enum {
    EXCHANGE_OUT_MAX = 1 << 20,     /* an answer's head, and chunks that wait for the end of the turn */
    EXCHANGE_OUT_KEEP = 16 << 10,   /* larger output memory is given back after the exchange */
    EXCHANGE_GATHER_LEN = 16 << 10, /* chunks up to this size leave together at the end of the turn */
    EXCHANGES_SPARE_MAX = 256,
    SERVER_CONN_DISCARD_LEN_MAX = 256 << 10, /* body bytes read for nothing to keep a connection */
    SERVER_CONN_LINGER_LEN_MAX = 1 << 20,
    SERVER_CONN_LINGER_MS = 2000,
    SERVER_CONN_GRACE_MS = 1000,    /* how long an idle connection of a retired listener may still bring a request */
    SERVER_CONN_REJECTED_MAX = 256, /* connections past the cap that are told 503; further ones are just closed */
    DATE_LEN = 29,
};

enum server_conn_state {
    SERVER_CONN_HANDSHAKE,
    SERVER_CONN_IDLE,    /* between requests */
    SERVER_CONN_HEAD,    /* some bytes of a head have come */
    SERVER_CONN_BODY,    /* the exchange runs, its request is not complete */
    SERVER_CONN_ANSWER,  /* the exchange runs, its request is complete */
    SERVER_CONN_DISCARD, /* answered; the rest of the request's body is dropped */
    SERVER_CONN_HTTP2,   /* http2_conn.c has the bytes and the clocks, but for that of the socket's queue */
    SERVER_CONN_LINGER,  /* answered for the last time; waits for the client to close */
    SERVER_CONN_CLOSED,
};

struct http1_exchange {
    struct exchange base;
    struct server_conn *conn;
    struct http1_exchange *next_spare;
    struct http1_parser parser;
    struct buf out; /* not yet given to the stream */
    struct loop_task flush;
    int64_t content_length;
    uint64_t body_sent, body_received;
    bool ended, no_body, chunked, close_after;
    bool broken;          /* the answer cannot be completed; a task cuts the connection */
    bool wired;           /* bytes of the answer have gone to the stream */
    bool whole;           /* head, body and end come in one call */
    bool continue_wanted; /* the client waits for a 100 */
    bool paused;
    uint64_t paused_at_ms;
};

extern const struct exchange_ops http1_exchange_ops;

struct server_conn {
    struct server *server;
    struct listener *listener;
    struct server_conn *prev, *next;
    struct stream *stream;
    struct http1_exchange *exchange; /* NULL in HANDSHAKE, IDLE, LINGER and CLOSED */
    struct http2_conn *http2;        /* in HTTP2 */
    enum server_conn_state state;
    bool fresh;           /* plain, and no byte has come that HTTP/2 does not begin with */
    uint8_t preface_seen; /* while fresh: how much of HTTP/2's preface has come */
    bool feeding;         /* the parser loop runs further up the stack */
    bool rejected;        /* past the cap */
    struct server_limits limits;
    struct buf pending; /* bytes [pending_off, len) came while they could not be handled */
    size_t pending_off;
    size_t dropped; /* bytes in DISCARD or LINGER */
    struct loop_timer timer;
    struct loop_task task;
    uint64_t since_ms;                    /* when the state's clock began */
    uint64_t written_seen, written_at_ms; /* the queue's last progress */
    bool write_waits;
};

struct listener {
    struct listener *next;
    struct server *server;
    struct tls_server *tls;
    void *tag;
    void *poll;                 /* uv_poll_t; NULL once closed */
    struct loop_timer retry;    /* accepts again once descriptors may be there */
    struct loop_timer farewell; /* retired: closes the socket */
    int fd;
    size_t n_conns;
    bool retired;
    struct loop_task gone; /* retired, closed and without connections: frees it */
    void (*on_gone)(void *data);
    void *gone_data;
};

struct server {
    struct loop *loop;
    const struct server_handler *handler;
    void *app;
    struct server_limits limits;
    struct listener *listeners;
    struct server_conn *conns;
    size_t n_rejected; /* of them */
    struct http1_exchange *spare;
    size_t n_spare;
    struct server_stats stats;
    struct vsr_err err; /* scratch: too large to clear per call */
    char date[DATE_LEN + 1];
    int64_t date_s;

    bool draining;
    struct loop_timer drain_timer;
    struct loop_task drained;
    void (*on_drained)(void *data);
    void *drained_data;
};

/* ---- server_conn.c */

/* Takes `fd`. Past the cap `rejected` is set and the connection only says 503. */
void server_conn_open(struct server *server, struct listener *listener, int fd, bool rejected);
/* Its listener has been retired. */
void server_conn_retire(struct server_conn *conn);
/* The server is to end: closes what is idle. */
void server_conn_drain(struct server_conn *conn);
/* Everything is said: FIN behind what is queued, then patience until the client has closed, too. */
void server_conn_linger(struct server_conn *conn);
/* Whether no further request is wanted. */
bool server_conn_ending(const struct server_conn *conn);
/* Closes now. A running exchange gets on_close(EXCHANGE_VANISHED). */
void server_conn_close(struct server_conn *conn);
/* The exchange has been answered: on_close(EXCHANGE_COMPLETED), then the next request or the connection's end. */
void server_conn_answered(struct server_conn *conn);
/* Sets the timer to the next deadline of the state. */
void server_conn_arm(struct server_conn *conn);
/* Something was written: watches the queue's progress. */
void server_conn_wrote(struct server_conn *conn);
/* Lets request bytes flow again after a pause. */
void server_conn_go_on(struct server_conn *conn);

/* ---- server.c */

struct http1_exchange *server_take_exchange(struct server *server, struct server_conn *conn);
void server_give_exchange(struct server *server, struct http1_exchange *exchange);
/* IMF-fixdate of the current second. */
vsr_str server_date(struct server *server);
/* A connection is gone; completes a drain. */
void server_conn_gone(struct server *server, const struct server_conn *conn);

#endif
