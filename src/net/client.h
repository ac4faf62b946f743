/*
 * client - outbound HTTP/1.1: keep-alive pools per endpoint, on the worker's own loop.
 *
 * The listener's code turned round: the same http1 parser and the same stream. A call goes out on a pooled connection
 * or a new one; the answer comes as head, body slices, end. Connections are reused last in, first out. Loop thread
 * only.
 *
 * A pooled connection may be closed by the server at the moment a call goes out on it. Such a call is sent once more on
 * a fresh connection, but only when it cannot have taken effect or the server ended the idle connection in order: no
 * byte of an answer came, and either the request had not been written completely or the server sent FIN. A reset after
 * the whole request is an error (RFC 9110 9.2.2): the owner's retry policy decides.
 *
 * A new connection tries the host's addresses in turn, the one that worked last first; each gets its share of the time.
 * Calls that find no connection wait in order; whichever connection is ready first takes the first of them.
 *
 * Inside every event the owner may cancel the call, pause it, and start others. After on_end and on_error the call is
 * gone: forget its pointer there (cancelling it inside them is allowed and does nothing).
 */
#ifndef VSR_NET_CLIENT_H
#define VSR_NET_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "net/http1.h"

struct loop;
struct client;
struct client_endpoint;
struct client_call;
struct tls_client;

struct client_limits {
    uint64_t connect_timeout_ms; /* waiting for a free connection, name resolution, TCP and TLS together; 10 s */
    uint64_t pool_idle_ms;       /* how long an unused connection is kept; 30 s, below common servers' own */
    size_t connections_max;      /* per endpoint; 1024 */
    size_t pending_max;          /* calls waiting beyond those that a connection may be opened for; 1024 */
    uint64_t dns_ttl_ms;         /* how long a resolved address is trusted; 30 s */
};

struct client_timeouts {
    uint64_t first_byte_ms; /* from the sent request to the answer's head; also how long a write may stall; 0 = none */
    uint64_t idle_ms;       /* between bytes of the answer, not counting pauses; 0 = none */
    uint64_t total_ms;      /* 0 = none */
};

struct client_events {
    /* Optional. The request has been handed to a connection; comes again when it is sent a second time. */
    void (*on_sent)(void *owner);
    /* The answer's head; valid until the call ends. */
    void (*on_head)(void *owner, const struct http1_head *head);
    void (*on_body)(void *owner, vsr_str bytes);
    /* The answer is complete. The call is over and freed after this returns. */
    void (*on_end)(void *owner);
    /*
     * The call failed: VSR_E_REFUSED, _DNS, _TLS, _TIMEOUT, _CLOSED, _PROTOCOL, _LIMIT. The call is over. Whether any
     * byte of the answer had come is known to the owner (on_head). `connected` tells whether the request had been
     * written; VSR_E_LIMIT before that says nothing about the server: too many wait, or all connections that may be
     * were busy for too long.
     */
    void (*on_error)(void *owner, const struct vsr_err *err, bool connected);
};

struct client_request {
    vsr_str method, target, authority; /* as http1_name_ok, http1_target_ok, http1_host_ok accept */
    const struct http1_field *fields;  /* without host, content-length, connection */
    size_t n_fields;
    vsr_str body; /* kept by the caller until the call ends: it may be sent twice */
};

/* An HTTP proxy, which is spoken to in clear text; to a server with TLS it only opens the way (CONNECT). */
struct client_proxy {
    vsr_str host;
    uint16_t port;
    vsr_str authorization; /* value of Proxy-Authorization; empty: none */
};

/*
 * Where a server is and how it is spoken to. Two places with the same members are the same place: their calls share
 * connections.
 */
struct client_place {
    vsr_str host; /* a name, an IPv4 or IPv6 literal without brackets */
    uint16_t port;
    vsr_str unix_path;                /* not empty: a Unix socket; host and port are names only then */
    struct tls_client *tls;           /* NULL: plain; else kept */
    const struct client_proxy *proxy; /* on the way; NULL: none. Not with `unix_path`. Copied */
    vsr_str server_name;              /* what the certificate has to name, and SNI; empty: `host` */
    size_t connections_max;           /* of this place; 0: as the client's limits say */
    size_t pending_max;
};

int client_new(struct loop *loop, const struct client_limits *limits, struct client **ret_client, struct vsr_err *err);
/* Cancels what is running, without events. Not from inside an event. NULL is allowed. */
void client_free(struct client *client);

/* The pool for that place, made when absent, with one more reference; the same place gives the same endpoint. Copies.
 */
struct client_endpoint *client_endpoint(struct client *client, const struct client_place *place);
struct client_endpoint *client_endpoint_ref(struct client_endpoint *endpoint);
/*
 * Gives a reference back. Without any the endpoint ends a little later, from the loop, with its idle connections; calls
 * must be over. References that are kept end with the client.
 */
void client_endpoint_unref(struct client_endpoint *endpoint);

/* Starts a call; events come later, never inside this function. `request` is borrowed, its body kept. */
struct client_call *client_call_start(struct client_endpoint *endpoint, const struct client_request *request,
                                      const struct client_timeouts *timeouts, const struct client_events *events,
                                      void *owner);

/* Ends it without further events; an unfinished connection is closed, not pooled. NULL is allowed. */
void client_call_cancel(struct client_call *call);

/* Stops and resumes reading the answer. */
void client_call_pause(struct client_call *call);
void client_call_resume(struct client_call *call);

struct client_stats {
    uint64_t connects_total, calls_total, reused_total;
    size_t connections, idle, pending;
};
struct client_stats client_stats(const struct client *client);

#endif
