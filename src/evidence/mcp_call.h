/*
 * mcp_call - questions of one loop to a tool of a server whose session lives on another one.
 *
 * A call crosses to the hub's loop and its answer comes back by a bell. Whoever cancels a call has nothing more to do
 * with it, even while the other thread works on it. Loop thread of the desk, unless the hub is said to do something.
 */
#ifndef VSR_EVIDENCE_MCP_CALL_H
#define VSR_EVIDENCE_MCP_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "evidence/mcp_tool.h"

struct config_tool_server;
struct loop;
struct mcp_call;
struct mcp_desk;
struct mcp_hub;

/* Keeps `loop` and `hub`. Begins the server's session when it is new. */
int mcp_desk_new(struct loop *loop, struct mcp_hub *hub, const struct mcp_format *format,
                 const struct config_tool_server *config, struct mcp_desk **ret_desk,
                 struct vsr_err *err) VSR_MUST_CHECK;
/* Calls must be over. NULL is allowed. */
void mcp_desk_free(struct mcp_desk *desk);

/* Copies `asked` and its texts. `done` comes once, later, with an answer that is valid during the call. */
struct mcp_call *mcp_call_start(struct mcp_desk *desk, const struct mcp_asked *asked, uint64_t timeout_ms,
                                mcp_answer_fn *done, void *owner);
/* Without `done`. Not from inside it. NULL is allowed. */
void mcp_call_cancel(struct mcp_call *call);

#endif
