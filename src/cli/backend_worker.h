/*
 * backend_worker - runs a backend: binds its addresses, starts its threads, stops them.
 */
#ifndef VSR_CLI_BACKEND_WORKER_H
#define VSR_CLI_BACKEND_WORKER_H

#include "cli/backend.h"
#include "core/err.h"

/*
 * Adds a listener for `ADDR:PORT` (`[v6]:port`, `:port`, or a port alone on 127.0.0.1). VSR_E_INVALID, or VSR_E_LIMIT
 * past BACKEND_LISTENERS_MAX.
 */
int backend_add_listener(struct backend *backend, vsr_str address, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Binds every address in every worker, then starts the threads. On failure nothing runs. Ports that were 0 are known
 * afterwards.
 */
int backend_start(struct backend *backend, struct backend_worker *workers, size_t n_workers,
                  struct vsr_err *err) VSR_MUST_CHECK;
/* Cuts what is in flight and joins the threads. */
void backend_stop(struct backend_worker *workers, size_t n_workers);

#endif
