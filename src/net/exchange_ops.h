/*
 * exchange_ops - what an exchange is to those inside net/, whatever protocol carries it.
 *
 * server.h's functions ask `ops`. A protocol embeds `struct exchange` as the first member of its own (http1_exchange in
 * server_conn.h, http2_exchange in http2_conn.h) and fills the table; every entry may be called at any time between
 * on_request and on_close, and does nothing once the answer is broken or the connection gone.
 */
#ifndef VSR_NET_EXCHANGE_OPS_H
#define VSR_NET_EXCHANGE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "net/http1.h"
#include "net/server.h"

struct listener;
struct stream;

struct exchange_ops {
    enum exchange_protocol protocol;
    void (*head)(struct exchange *exchange, int status, const struct http1_field *fields, size_t n_fields,
                 int64_t content_length);
    void (*body)(struct exchange *exchange, vsr_str bytes);
    void (*end)(struct exchange *exchange, const struct http1_field *trailers, size_t n_trailers);
    /* Head, body and end: the answer is known as a whole. */
    void (*reply)(struct exchange *exchange, int status, const struct http1_field *fields, size_t n_fields,
                  vsr_str body);
    bool (*retract)(struct exchange *exchange);
    void (*abort)(struct exchange *exchange);
    void (*pause)(struct exchange *exchange);
    void (*resume)(struct exchange *exchange);
    size_t (*queued)(const struct exchange *exchange);
    /* NULL when the connection is gone. */
    struct stream *(*stream)(const struct exchange *exchange);
};

struct exchange {
    const struct exchange_ops *ops;
    struct server *server;
    struct listener *listener;
    void *request;   /* the handler's */
    bool running;    /* between on_request and on_close */
    bool in_request; /* inside on_request: its result is not known yet */
    bool head_sent;
};

#endif
