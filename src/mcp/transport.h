/*
 * transport - how messages get to one tool server and back. Private to mcp/: a session owns one.
 *
 * A transport is open from the start; there is no waiting for it to connect. Loop thread only. Events come from the
 * loop, never from inside a function here; inside them the owner may send, forget and stop.
 *
 * To add one: a file with its operations and a function that makes it, a kind in server.h, a line in session.c.
 */
#ifndef VSR_MCP_TRANSPORT_H
#define VSR_MCP_TRANSPORT_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct mcp_place;
struct mcp_server_options;
struct mcp_transport;

struct mcp_transport_events {
    /* One or several messages, valid during the call. */
    void (*on_message)(void *owner, vsr_str text);
    /* Request `id` will get no answer. */
    void (*on_unanswered)(void *owner, int64_t id, int code, const char *reason);
    /* The server does not know the session any more; `id` was not looked at, and may be sent again to a new one. */
    void (*on_expired)(void *owner, int64_t id);
    /* It is over for all; only stopping is left to do. */
    void (*on_lost)(void *owner, int code, const char *reason);
};

struct mcp_transport_ops {
    /* Sends a message; `id` is that of a request, else 0. */
    void (*send)(struct mcp_transport *transport, vsr_str text, int64_t id);
    /* The answer to request `id` has come, or is not waited for any more. */
    void (*forget)(struct mcp_transport *transport, int64_t id, bool answered);
    /* The handshake is over, with this version. */
    void (*ready)(struct mcp_transport *transport, vsr_str version);
    /* Ends and frees it, in some seconds at most; the owner is forgotten. `on_gone` comes when nothing of it is left.
     * Allowed in events. */
    void (*stop)(struct mcp_transport *transport, void (*on_gone)(void *data), void *data);
};

/* The first member of every transport. */
struct mcp_transport {
    const struct mcp_transport_ops *ops;
    const struct mcp_transport_events *events;
    void *owner;
};

/* Keep `place` and `options`. VSR_E_NOT_FOUND, VSR_E_IO, VSR_E_INVALID. */
int mcp_stdio_open(const struct mcp_place *place, const struct mcp_server_options *options,
                   const struct mcp_transport_events *events, void *owner, struct mcp_transport **ret_transport,
                   struct vsr_err *err) VSR_MUST_CHECK;
int mcp_http_open(const struct mcp_place *place, const struct mcp_server_options *options,
                  const struct mcp_transport_events *events, void *owner, struct mcp_transport **ret_transport,
                  struct vsr_err *err) VSR_MUST_CHECK;

#endif
