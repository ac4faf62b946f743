/*
 * http2_conn - the HTTP/2 half of a server's connection (RFC 9113), over nghttp2.
 *
 * server_conn.c owns the socket and hands its bytes in; here they become exchanges, one for each stream, and answers
 * become frames. nghttp2 keeps the protocol's state; what it cannot know is kept here: how much a stream may wait, when
 * time is up, and whether the peer plays games (net/http2_guard.h).
 *
 * Nothing is written while bytes are read or a handler runs. Answers gather in their exchanges, and a task at the end
 * of the loop's turn submits heads, pumps frames into the stream until STREAM_QUEUE_HIGH bytes wait there, and then
 * tells handlers whose bytes have gone. So exchange_retract() works until that task, and exchange_end() never calls
 * on_close inside the call.
 *
 * Flow control: a stream's window opens as its handler takes bytes; while it pauses, up to a window of them is kept.
 * The connection's window opens at once, so that one paused stream does not stop the others.
 *
 *     open -> [streams come and go] -> LEAVING (GOAWAY that still lets streams in; a round trip)
 *          -> LEFT (GOAWAY with the last stream) -> the last stream ends -> linger
 *
 * http2_conn.c has the connection's life and what leaves, http2_callbacks.c what nghttp2 tells, http2_request.c
 * requests and http2_exchange.c answers, http2_clock.c the deadlines.
 *
 * Memory: about 23 KiB for an idle connection, most of it nghttp2's. Private to net/.
 */
#ifndef VSR_NET_HTTP2_CONN_H
#define VSR_NET_HTTP2_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "net/exchange_ops.h"
#include "net/http2_block.h"
#include "net/http2_guard.h"
#include "net/loop.h"

struct nghttp2_session;
struct nghttp2_session_callbacks;
struct server_conn;

enum {
    HTTP2_STREAMS_MAX = 128,         /* at once, unless server_limits says otherwise */
    HTTP2_STREAM_WINDOW = 256 << 10, /* of a request's body */
    HTTP2_CONN_WINDOW = 1 << 20,
    HTTP2_TABLE_LEN = 4096, /* HPACK tables, both ways */
    HTTP2_CONTINUATIONS_MAX = 8,
    HTTP2_ACKS_MAX = 1000,              /* that wait because the peer does not read */
    HTTP2_OUTBOUND_MAX = 2000,          /* frames that wait for the same reason */
    HTTP2_ANSWER_HEAD_MAX = 96 << 10,   /* more than any upstream may send */
    HTTP2_ANSWER_BLOCK_MAX = 512 << 10, /* the same as nghttp2 estimates it, for many short fields */
    HTTP2_OUT_MAX = 1 << 30,            /* bytes of one answer that wait: a producer that heeds nothing */
    HTTP2_LEAVE_MS = 1000,              /* for the round trip */
    HTTP2_PING_LEN = 8,
};

/* What waits for the task, so that it looks at no other: a connection may have a thousand streams. */
enum http2_queue_id {
    HTTP2_READY,   /* has something for nghttp2, or held bytes for its handler */
    HTTP2_DRAINED, /* the bytes of its answer have gone */
    HTTP2_QUEUE_COUNT,
};

struct http2_queue {
    struct http2_exchange *first, *last;
};

struct http2_link {
    struct http2_exchange *prev, *next;
    bool is_in;
};

struct http2_exchange {
    struct exchange base;
    struct http2_conn *conn;
    struct http2_exchange *prev, *next;
    struct http2_link links[HTTP2_QUEUE_COUNT];
    int32_t stream_id;
    struct http1_head head;
    void *head_memory;

    /* request */
    bool complete; /* END_STREAM has come */
    bool told_end; /* and the handler knows */
    bool paused;
    uint64_t body_received, body_since_ms, paused_at_ms;
    struct buf held; /* came while paused */

    /* answer */
    int status;
    int64_t content_length;
    uint64_t body_sent;
    struct buf fields; /* of the head, not yet submitted (http2_fields_put) */
    struct buf out;    /* bytes [out_off, len) of the body wait */
    size_t out_off;
    struct buf trailer; /* fields behind the body */
    uint64_t progress_ms;
    bool submitted; /* the head is nghttp2's */
    bool resumed;   /* nghttp2 may ask for more of the body */
    bool ended, no_body;
    bool broken; /* cannot be completed; the task resets the stream */
};

enum http2_phase { HTTP2_OPEN, HTTP2_LEAVING, HTTP2_LEFT };

struct http2_conn {
    struct server_conn *conn;
    struct nghttp2_session *session;
    struct http2_exchange *exchanges;
    size_t n_exchanges;
    struct http2_queue queues[HTTP2_QUEUE_COUNT];
    struct http2_block block;
    struct http2_guard guard;
    enum http2_phase phase;
    bool heard;     /* the client's preface is complete */
    bool receiving; /* nghttp2 is further up the stack */
    bool broken;    /* nothing more is read; what is queued is sent, then it ends */
    struct loop_task flush;
    struct loop_timer timer;
    uint64_t timer_due_ms; /* 0: not armed */
    uint64_t idle_since_ms, left_since_ms;
};

extern const struct exchange_ops http2_exchange_ops;

/* Begins with the server's SETTINGS. */
struct http2_conn *http2_conn_new(struct server_conn *conn);
/* Running exchanges get on_close(EXCHANGE_VANISHED). Not from inside http2_conn_read(). NULL is allowed. */
void http2_conn_free(struct http2_conn *h2);

void http2_conn_read(struct http2_conn *h2, vsr_str bytes);
/* The stream's queue has emptied. */
void http2_conn_drained(struct http2_conn *h2);
/* No further streams are wanted; ends the connection when the last one is done. */
void http2_conn_leave(struct http2_conn *h2);

/* ---- http2_conn.c, for those that follow */

uint64_t http2_now_ms(const struct http2_conn *h2);
struct server *http2_server_of(const struct http2_conn *h2);
/* NULL: that stream has none, or is gone. */
struct http2_exchange *http2_exchange_of(const struct http2_conn *h2, int32_t stream_id);
/* For a stream that is there. */
struct http2_exchange *http2_exchange_new(struct http2_conn *h2, int32_t stream_id);
void http2_exchange_free(struct http2_exchange *exchange, enum exchange_outcome how);
/* Tells the handler that its exchange is over. */
void http2_exchange_tell_close(struct http2_exchange *exchange, enum exchange_outcome how);
/* Has the task at the end of the turn look at it. */
void http2_exchange_put(struct http2_exchange *exchange, enum http2_queue_id queue);
/* Ends it: RST_STREAM with that code, on_close(EXCHANGE_VANISHED). */
void http2_exchange_cut(struct http2_exchange *exchange, uint32_t error_code);
void http2_conn_reset_stream(struct http2_conn *h2, int32_t stream_id, uint32_t error_code);
/* The task at the end of the turn has something to do. */
void http2_conn_flush_later(struct http2_conn *h2);
/* Something that only a game needs much of: for a callback of nghttp2 to return. */
int http2_conn_count(struct http2_conn *h2, enum http2_cause cause);
int http2_conn_leave_in_anger(struct http2_conn *h2, enum http2_cause cause);

extern const uint8_t http2_leaving_ping[HTTP2_PING_LEN]; /* its answer says that the round trip is over */

/* ---- http2_request.c */

/* A complete block; for a callback of nghttp2 to return. */
int http2_conn_take_head(struct http2_conn *h2, int32_t stream_id, bool end_stream);
int http2_conn_take_trailers(struct http2_conn *h2, int32_t stream_id);
/* END_STREAM has come. NULL is allowed. */
void http2_exchange_note_complete(struct http2_exchange *exchange);
/* What came during a pause that has ended. */
void http2_exchange_deliver_held(struct http2_exchange *exchange);
/* The server's own answer, when nothing was answered yet; else the stream is cut. */
void http2_exchange_refuse(struct http2_exchange *exchange, int status, const char *why);
/* Whether its handler wants to know more. NULL is allowed. */
bool http2_exchange_listens(const struct http2_exchange *exchange);
/* Bytes have been dealt with: the stream's window opens again. */
void http2_conn_open_window(struct http2_conn *h2, int32_t stream_id, size_t len);
/* The handler may take bytes again. */
void http2_exchange_go_on(struct http2_exchange *exchange);

/* ---- http2_callbacks.c */

struct nghttp2_session_callbacks *http2_callbacks_new(void);

/* ---- http2_clock.c */

/* Something has a deadline. */
void http2_conn_arm(struct http2_conn *h2, uint64_t due_ms);

/* ---- http2_exchange.c */

/* Hands the head to nghttp2. False: it cannot be sent. */
bool http2_exchange_submit(struct http2_exchange *exchange);
void http2_exchange_put_head(struct http2_exchange *exchange, int status, const struct http1_field *fields,
                             size_t n_fields, int64_t content_length);

#endif
