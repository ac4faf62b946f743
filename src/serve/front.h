/*
 * front - how the pipeline answers, whatever the request came in by.
 *
 * The pipeline knows no sockets: it emits abstract actions, and each front end (an HTTP listener, Envoy's external
 * processing, a response that runs in the background) lowers them to its own wire form. All calls are on the worker's
 * thread. After end() or abort() the front end calls pipeline_closed(), possibly before it returns, and the request is
 * gone.
 */
#ifndef VSR_SERVE_FRONT_H
#define VSR_SERVE_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "net/http1.h"

struct provider_endpoint;

/*
 * The request as the chosen endpoint is to get it. All of it lives in the request, until pipeline_upstream_end(),
 * pipeline_upstream_error() or pipeline_closed().
 */
struct outbound {
    const struct provider_endpoint *endpoint;
    vsr_str method, path;             /* path and query */
    vsr_str model;                    /* logical name, which `x-selected-model` says */
    const struct http1_field *fields; /* without host, content-length, connection */
    size_t n_fields;
    vsr_str body;
    bool body_changed;      /* not the client's own bytes */
    bool clear_route_cache; /* a proxy must choose its route again */
};

struct front_ops {
    /* Starts an answer. `length` -1: unknown. */
    void (*head)(void *handle, int status, const struct http1_field *fields, size_t n_fields, int64_t length);
    void (*body)(void *handle, vsr_str bytes);
    void (*end)(void *handle);
    /* Takes back what was answered while no byte of it has gone out; head() may follow again. False: too late. */
    bool (*retract)(void *handle);
    /* The client must not take what it got for a complete answer. */
    void (*abort)(void *handle);
    /* Bytes that wait for the client. */
    size_t (*queued)(void *handle);
    /*
     * NULL: vsr calls the backend. Else the proxy in front does: it gets the request here, once, and brings the answer
     * to pipeline_upstream_head() and its siblings, from within this call or later.
     */
    void (*forward)(void *handle, const struct outbound *outbound);
    /*
     * The answer's head is a message that has to be answered before its body comes: head() is called inside
     * pipeline_upstream_head() wherever it can be, and the stream gets no pings.
     */
    bool early_head;
    /* What vsr answers itself goes out in one piece, at its end: streams whose end is not in sight are refused. */
    bool in_one_piece;
    /* The exchange is another's, and is only looked at: nothing may be done, taken or kept on its account. */
    bool watches;
};

struct front {
    const struct front_ops *ops;
    void *handle;
};

#endif
