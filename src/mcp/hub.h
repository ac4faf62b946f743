/*
 * hub - the tool servers of a process.
 *
 * Sessions live on one loop, whoever asks: a server that is a process would otherwise run once for each worker. They
 * are shared by what they are (same command or URL, same purpose) and counted, so that a reload that changes nothing
 * keeps them. Functions are any thread unless they say "hub's loop".
 */
#ifndef VSR_MCP_HUB_H
#define VSR_MCP_HUB_H

#include <stdbool.h>

#include "core/err.h"
#include "core/str.h"
#include "mcp/server.h"

struct mcp_hub;
struct mcp_server;
struct mcp_session;

/* Hub's loop, for making and freeing. Copies `place`, keeps what it names. */
int mcp_hub_new(const struct mcp_place *place, struct mcp_hub **ret_hub, struct vsr_err *err) VSR_MUST_CHECK;
/*
 * Servers must have been given back. Runs what was submitted, ends the servers and turns the loop until they are gone,
 * which is some seconds at most. NULL is allowed.
 */
void mcp_hub_free(struct mcp_hub *hub);

/*
 * The server of these options and this purpose, begun when it is new, with one more reference. Whoever uses a server
 * keeps a state of its own with it, which is why different users have different purposes.
 */
struct mcp_server *mcp_hub_server(struct mcp_hub *hub, const struct mcp_server_options *options, vsr_str purpose);
struct mcp_server *mcp_server_ref(struct mcp_server *server);
/* NULL is allowed. */
void mcp_server_unref(struct mcp_server *server);

/* Work for the hub's loop. Embedded in its owner; runs once for each submission, in their order. */
struct mcp_task {
    struct mcp_task *next;
    void (*fn)(void *data);
    void *data;
};
void mcp_hub_submit(struct mcp_hub *hub, struct mcp_task *task, void (*fn)(void *data), void *data);

/* ---- hub's loop */

struct mcp_session *mcp_server_session(const struct mcp_server *server);
/* The user's state, NULL at first. `free_user` is called on the hub's loop when the server is given up. */
void *mcp_server_user(const struct mcp_server *server);
void mcp_server_set_user(struct mcp_server *server, void *user, void (*free_user)(void *user));

#endif
