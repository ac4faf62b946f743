/*
 * server - HTTP/1.1 and HTTP/2 listeners and their connections.
 *
 * A server belongs to one loop; every worker opens the same addresses with SO_REUSEPORT. The handler gets an exchange
 * when a request head is complete, then body slices, then the end; it answers by writing a head and body slices.
 * Requests on an HTTP/1.1 connection are handled one after the other (pipelined ones wait), those of HTTP/2 side by
 * side. All limits of gateway.md 12.5 are enforced here: slow heads, slow bodies, idle connections, sizes, connection
 * counts. Loop thread only.
 *
 * HTTP/2 is spoken to whoever begins with its preface on a plain listener (prior knowledge), and to whoever agreed on
 * it by ALPN on a TLS one. `Upgrade: h2c` is ignored. A request looks the same to the handler, whichever way it came:
 * `host` is what :authority said, and its minor_version is 1.
 *
 * A client that closes its sending side before its answer is complete counts as gone, as with other proxies: it is the
 * only sign of a vanished client that comes in time to cancel work. Requests that were pipelined behind are dropped.
 *
 * After an answer that ends the connection the server sends FIN and reads on for a moment, so that the client gets the
 * answer and not a reset. When a request was answered before its body had come, the rest of a short body is read and
 * dropped and the connection lives on; a long one ends it.
 */
#ifndef VSR_NET_SERVER_H
#define VSR_NET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/str.h"
#include "net/http1.h"
#include "net/http2_guard.h"

struct listen_sockets;
struct loop;
struct server;
struct exchange;
struct tls_server;

struct server_limits {
    uint64_t head_timeout_ms;   /* whole request head; 10 s */
    uint64_t body_timeout_ms;   /* whole request body; 60 s; 0 = none */
    uint64_t idle_timeout_ms;   /* keep-alive; 60 s */
    uint64_t write_timeout_ms;  /* the client takes no byte for this long; 60 s */
    uint64_t body_len_max;      /* 413 past it; 0 = none */
    size_t connections_max;     /* per server; 503 and close past it */
    uint32_t http2_streams_max; /* at once on one connection, refused past it; 0 = 128 */
    /* Who connects is a proxy of the operator's own: it resets every stream that it has no more use for, and the
     * streams of thousands of clients at once when those go away. Neither resets nor pings are counted against it. */
    bool http2_trusted;
};

/* How an exchange ended. */
enum exchange_outcome {
    EXCHANGE_COMPLETED, /* the whole answer has left */
    EXCHANGE_VANISHED,  /* cut: the client went away, the handler aborted, or a limit broke a begun answer */
    EXCHANGE_REFUSED,   /* nothing was answered yet and the server says 400, 408 or 413 itself; error_body follows */
};

enum { SERVER_ERROR_FIELDS_MAX = 8, SERVER_ERROR_SCRATCH_LEN = 128 };

/* What the app adds to an error that the server answers. Everything is empty at first. */
struct server_error {
    struct buf body; /* JSON; the server frees it */
    struct http1_field fields[SERVER_ERROR_FIELDS_MAX];
    size_t n_fields;
    char scratch[SERVER_ERROR_SCRATCH_LEN]; /* for the values of fields */
};

struct server_handler {
    /*
     * A request head is complete. The result is the handler's own state, passed to the calls below. Head and fields
     * stay valid until on_close. The handler may answer at once; on_close then follows after this returned.
     */
    void *(*on_request)(void *app, struct exchange *exchange, const struct http1_head *head);
    /* A slice of the body, valid during the call. */
    void (*on_body)(void *request, vsr_str bytes);
    /* The request is complete. What came as trailers was checked and dropped. */
    void (*on_end)(void *request);
    /* The answer's queued bytes have gone (after exchange_queued() was above zero). Optional. */
    void (*on_drain)(void *request);
    /*
     * The exchange is over and `request` may be freed. Called exactly once for each on_request; no exchange_* call is
     * allowed afterwards.
     */
    void (*on_close)(void *request, enum exchange_outcome how);
    /*
     * A request that never reached on_request, or a body past a limit, is answered by the server with this status; the
     * app supplies the body and fields, the server adds content-type, content-length, date and connection: close.
     * Values of fields live in `ret->scratch` or longer. `head` is NULL when no request head was complete. Optional.
     */
    void (*error_body)(void *app, const struct http1_head *head, int status, vsr_str message, struct server_error *ret);
    /*
     * A connection of `peer` to the TLS listener of that tag ended before it could ask anything. VSR_E_TLS: one side
     * does not take the other; VSR_E_CLOSED: the client left; VSR_E_TIMEOUT: it did not go on. Optional.
     */
    void (*on_handshake_failed)(void *app, void *tag, vsr_str peer, const struct vsr_err *err);
};

struct server_stats {
    uint64_t connections_total, requests_total, bytes_in, bytes_out, rejected_total;
    uint64_t http2_connections_total;
    uint64_t http2_goaways[HTTP2_CAUSE_COUNT]; /* connections left because their clients played games */
    size_t connections, exchanges;             /* now */
};

/* Keeps `loop`, `handler` and `app`. */
int server_new(struct loop *loop, const struct server_handler *handler, void *app, const struct server_limits *limits,
               struct server **ret_server, struct vsr_err *err);

/*
 * Binds with SO_REUSEPORT and listens on everything that `address` stands for (net/listen_socket.h). `tag` (kept)
 * identifies the listener to the handler: see exchange_tag(). Port 0 picks a free one, written to `*ret_port` when not
 * NULL.
 */
int server_listen(struct server *server, vsr_str address, uint16_t port, void *tag, uint16_t *ret_port,
                  struct vsr_err *err);
/* The same with TLS. Takes a reference of its own to `tls`. */
int server_listen_tls(struct server *server, vsr_str address, uint16_t port, struct tls_server *tls, void *tag,
                      uint16_t *ret_port, struct vsr_err *err);

/*
 * Accepts on sockets that were opened before, on whatever thread, and listen. Takes them, also on failure. `tls` may be
 * NULL; the server takes a reference of its own.
 */
int server_adopt(struct server *server, struct listen_sockets *sockets, struct tls_server *tls, void *tag,
                 struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Connections that come from now on to the listeners of that tag, which must have been TLS before, speak with this
 * context (certificates that were renewed); those that are there keep theirs. Takes a reference of its own.
 */
void server_set_tls(struct server *server, const void *tag, struct tls_server *tls);

/* For handshakes under way: a round trip, and less than the second after which a client that was not heard tries again.
 */
enum { SERVER_FAREWELL_MS = 200 };

/*
 * Stops listening with that tag: who connects now is not heard, and a moment later refused or heard by whoever listens
 * on that address then; who was connecting is served. The connections live until their requests are answered, with
 * `connection: close`; an idle one gets a short grace, in which a request that was already on its way is still
 * answered. Then on_gone(data), from the loop; the tag is kept until then. Not called when the server is freed first.
 */
void server_retire(struct server *server, const void *tag, void (*on_gone)(void *data), void *data);

/* Without SO_REUSEPORT: VSR_E_EXISTS when anybody listens there. For sockets that only one thread opens. */
int server_listen_exclusive(struct server *server, vsr_str address, uint16_t port, void *tag, uint16_t *ret_port,
                            struct vsr_err *err);
/*
 * Whether nobody listens there yet: 0 or VSR_E_EXISTS. SO_REUSEPORT would let a second process of the same user take a
 * share of the connections unnoticed, so ask before the first worker listens. Any thread.
 */
int server_probe(vsr_str address, uint16_t port, struct vsr_err *err);

/* New limits, for connections and for requests whose head is complete from now on. */
void server_set_limits(struct server *server, const struct server_limits *limits);

/* Stops listening, closes idle connections, answers what is in flight with `connection: close`; then on_drained(data),
 * at the latest after `deadline_ms`, when what is left has been cut. */
void server_drain(struct server *server, uint64_t deadline_ms, void (*on_drained)(void *data), void *data);
/* Closes everything now; what is in flight gets on_close. Not from inside a handler. NULL is allowed. */
void server_free(struct server *server);

struct server_stats server_stats(const struct server *server);

/*
 * ---- exchange: one request and its answer
 *
 * Only exchange_end(), exchange_reply() and exchange_abort() may call on_close before they return. An answer that
 * exchange_head() or exchange_body() cannot carry out (a head past all bounds, a body longer than announced) is cut a
 * little later, from the loop; until then further calls do nothing.
 */

void *exchange_tag(const struct exchange *exchange);
struct loop *exchange_loop(const struct exchange *exchange);

enum exchange_protocol { EXCHANGE_HTTP1, EXCHANGE_HTTP2 };

enum exchange_protocol exchange_protocol(const struct exchange *exchange);
/* The peer's address as text, without the port; lives as long as the connection. */
vsr_str exchange_peer(const struct exchange *exchange);
/* Subject of the client's certificate (RFC 4514), when one was verified; else empty. Lives as long as the connection.
 */
vsr_str exchange_client_name(const struct exchange *exchange);

/*
 * What the handler keeps of the connection, for all of its exchanges: EXCHANGE_NOTES words, 0 to begin with. NULL when
 * the connection is gone.
 */
enum { EXCHANGE_NOTES = 2 };
uint64_t *exchange_notes(const struct exchange *exchange);

/* Body reading: pause until resumed (backpressure toward the client). */
void exchange_pause(struct exchange *exchange);
void exchange_resume(struct exchange *exchange);

enum { EXCHANGE_LENGTH_UNKNOWN = -1 }; /* chunked, or until close for HTTP/1.0 */

/*
 * Sends the answer's head: status line, `fields` as given, then content-length or transfer-encoding, date and
 * connection, which the server owns (callers never pass them). Head bytes wait for the first body slice so that both
 * leave in one write.
 */
void exchange_head(struct exchange *exchange, int status, const struct http1_field *fields, size_t n_fields,
                   int64_t content_length);
/* A body slice; copied when the socket does not take it. Dropped where the answer has no body (HEAD, 204, 304). */
void exchange_body(struct exchange *exchange, vsr_str bytes);
/*
 * The answer is complete. on_close follows, possibly inside this call, when its last byte has left. An answer shorter
 * than its content-length is cut like exchange_abort().
 */
void exchange_end(struct exchange *exchange);
/*
 * The same, with fields behind the body: as trailers on HTTP/2, as the trailer section of a chunked answer on HTTP/1.1,
 * and dropped where there is no place for them.
 */
void exchange_end_trailers(struct exchange *exchange, const struct http1_field *trailers, size_t n_trailers);
/* Takes back an answer of which no byte has gone out, so that another one can be given. False: too late. */
bool exchange_retract(struct exchange *exchange);
/*
 * Cuts the answer: the client must not take what it got for a complete one. On HTTP/1.1 the connection ends with it, on
 * HTTP/2 only the stream (RST_STREAM INTERNAL_ERROR). on_close follows.
 */
void exchange_abort(struct exchange *exchange);
/* Head, body and end in one call. */
void exchange_reply(struct exchange *exchange, int status, const struct http1_field *fields, size_t n_fields,
                    vsr_str body);

/* Bytes of the answer that wait for the client. */
size_t exchange_queued(const struct exchange *exchange);
bool exchange_head_sent(const struct exchange *exchange);

#endif
