/*
 * http_front - the native HTTP listener as a front end of the pipeline: exchanges to requests, actions to bytes.
 */
#ifndef VSR_SERVE_HTTP_FRONT_H
#define VSR_SERVE_HTTP_FRONT_H

#include "net/server.h"

struct snapshot;

/* Handler for server_new(); the app is the worker, the tag of an exchange its worker_listener. */
extern const struct server_handler http_front_handler;

/* Limits of a generation (gateway.md 12.5). */
struct server_limits http_front_limits(const struct snapshot *snapshot);

#endif
