/*
 * backend_raw - answers that no HTTP server would give: bytes that are no HTTP, a head that comes byte by byte.
 *
 * net/server.h cannot send them, so `vsr backend --garbage` and `--slow-head` listen by themselves: one thread accepts,
 * one loop answers. Each connection gets one answer and is closed behind it. A request's own behaviour header chooses
 * between the two for itself.
 */
#ifndef VSR_CLI_BACKEND_RAW_H
#define VSR_CLI_BACKEND_RAW_H

#include "cli/backend.h"
#include "core/err.h"

struct raw_server;

enum { RAW_CONNECTIONS_MAX = 4096 };

/* Binds the backend's addresses and starts. Keeps `backend`. Ports that were 0 are known afterwards. */
int raw_server_start(struct backend *backend, struct raw_server **ret_server, struct vsr_err *err) VSR_MUST_CHECK;
/* Cuts what is in flight and joins the threads. NULL is allowed. */
void raw_server_stop(struct raw_server *server);

#endif
