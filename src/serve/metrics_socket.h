/*
 * metrics_socket - /metrics on a socket of its own (gateway.md 2), so that no client of the data plane can read it.
 *
 * Lives on the control loop. Loop thread only.
 */
#ifndef VSR_SERVE_METRICS_SOCKET_H
#define VSR_SERVE_METRICS_SOCKET_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct loop;
struct metrics;
struct metrics_socket;

/* Keeps `loop` and `metrics`. */
int metrics_socket_new(struct loop *loop, struct metrics *metrics, vsr_str address, uint16_t port,
                       struct metrics_socket **ret_socket, struct vsr_err *err) VSR_MUST_CHECK;
void metrics_socket_free(struct metrics_socket *socket);

#endif
