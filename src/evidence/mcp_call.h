/*
 * mcp_call - texts of one loop, classified by a tool server whose session lives on another one.
 *
 * A call crosses to the hub's loop and its verdict comes back by a bell. Whoever cancels a call has nothing more to do
 * with it, even while the other thread works on it. Loop thread of the desk, unless the hub is said to do something.
 */
#ifndef VSR_EVIDENCE_MCP_CALL_H
#define VSR_EVIDENCE_MCP_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "evidence/mcp_classifier.h"

struct config_mcp_classifier;
struct loop;
struct mcp_call;
struct mcp_desk;
struct mcp_hub;

/* Keeps `loop` and `hub`. Begins the server's session when it is new. */
int mcp_desk_new(struct loop *loop, struct mcp_hub *hub, const struct config_mcp_classifier *config,
                 struct mcp_desk **ret_desk, struct vsr_err *err) VSR_MUST_CHECK;
/* Calls must be over. NULL is allowed. */
void mcp_desk_free(struct mcp_desk *desk);

/* Copies `text` and `labels`. `done` comes once, later, with a verdict that is valid during the call. */
struct mcp_call *mcp_call_start(struct mcp_desk *desk, vsr_str text, const vsr_str *labels, size_t n_labels,
                                uint64_t timeout_ms, mcp_classified_fn *done, void *owner);
/* Without `done`. Not from inside it. NULL is allowed. */
void mcp_call_cancel(struct mcp_call *call);

#endif
