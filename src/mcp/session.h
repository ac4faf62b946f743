/*
 * session - a conversation with one tool server (Model Context Protocol), begun when it is needed and kept up.
 *
 *     IDLE --> STARTING (initialize, initialized) --> READY --> IDLE when it is lost
 *
 * The first request begins it; requests wait while it starts. One that is lost fails what is under way and begins again
 * after 0.5 s, doubled each time up to 30 s, until a request is answered; a process at once by itself, a server over
 * HTTP with the next request. Requests in between fail at once with the reason. A server that has forgotten the session
 * (404) gets a new one, and the request once more.
 *
 * The client side only: tools are listed and called. What the server asks is answered: `ping` with nothing, all else
 * with "method not found", since no capability is offered. Requests that are given up are cancelled at the server.
 *
 * Offered is version 2025-06-18; 2025-03-26 and 2024-11-05 are accepted as well. Newer ones let servers end a stream
 * of events before the answer and be asked for the rest, which is not done here.
 *
 * Loop thread only. Nothing is told from inside a function here.
 */
#ifndef VSR_MCP_SESSION_H
#define VSR_MCP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/json.h"
#include "core/str.h"
#include "mcp/server.h"

struct mcp_request;
struct mcp_session;

enum {
    MCP_HANDSHAKE_MS = 30000,
    MCP_RESTART_MS = 500,
    MCP_RESTART_MS_MAX = 30000,
    MCP_REQUESTS_MAX = 4096, /* under way at once */
    MCP_REASON_LEN = 240,
    MCP_NAME_LEN_MAX = 128,
};

/* Keeps `place`; copies `options`. Begins nothing yet. */
struct mcp_session *mcp_session_new(const struct mcp_place *place, const struct mcp_server_options *options);
/*
 * Requests must be over. Not from inside an event. The server is ended in the background; `on_gone`, which may be NULL,
 * is called when nothing of it is left. NULL is allowed.
 */
void mcp_session_free(struct mcp_session *session, void (*on_gone)(void *data), void *data);

/* Begins it unless that has been done: a server is ready when it is needed. */
void mcp_session_wake(struct mcp_session *session);

struct mcp_reply {
    /*
     * 0: `result` of `doc`, valid during the call. VSR_E_TIMEOUT; VSR_E_UNAVAILABLE: the server could not be reached or
     * went away; VSR_E_INVALID: it answered with an error, whose number is `error`; VSR_E_PROTOCOL, VSR_E_LIMIT.
     */
    int code;
    int64_t error;
    const char *reason; /* without anything of the request or of the server's sentences */
    const struct json_doc *doc;
    json_ref result;
};

typedef void mcp_done_fn(void *owner, const struct mcp_reply *reply);

/* `method` is constant, `params` JSON text of ours, copied. */
struct mcp_request *mcp_session_request(struct mcp_session *session, const char *method, vsr_str params,
                                        uint64_t timeout_ms, mcp_done_fn *done, void *owner);
/* Without `done`. Not from inside it. NULL is allowed. */
void mcp_request_cancel(struct mcp_request *request);

bool mcp_session_is_ready(const struct mcp_session *session);
/* Grows when a session begins and when its server says that its tools have changed. 0: never begun. */
uint64_t mcp_session_generation(const struct mcp_session *session);
/* What the server calls itself, cut to what may stand in a log; empty before the first handshake. */
const char *mcp_session_server_name(const struct mcp_session *session);
const char *mcp_session_server_version(const struct mcp_session *session);
/* Where it is, for people: the command, or what may be shown of the URL. */
const char *mcp_session_place(const struct mcp_session *session);

#endif
