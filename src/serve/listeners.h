/*
 * listeners - the data sockets that a generation needs and the one before it had not, opened before anybody serves.
 *
 * Every worker has a socket of its own for each listener (SO_REUSEPORT). All of them are bound, and then all of them
 * listen, or none remains: a port that cannot be had must not leave half a generation behind. Made by the control
 * thread; each worker takes its own share, and what nobody took is closed with the rest.
 */
#ifndef VSR_SERVE_LISTENERS_H
#define VSR_SERVE_LISTENERS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "net/listen_socket.h"

struct config_listener;
struct snapshot;

enum { LISTENERS_MAX = 64 };

/* One listener that is new. */
struct new_listener {
    const struct config_listener *config; /* of the generation, like the address */
    vsr_str address;
    uint16_t port;
    struct listen_sockets *sockets; /* [n_workers]; whoever takes some leaves n 0 */
};

struct listeners {
    struct new_listener *items;
    size_t n;
    size_t n_workers;
};

/*
 * Opens what `next` has and `now` has not (NULL: nothing is there yet). The result borrows from `next`. Fails with
 * VSR_E_EXISTS where the port is taken, also by another vsr, which SO_REUSEPORT alone would let share the connections
 * unnoticed. The error names the listener.
 */
int listeners_open(const struct snapshot *now, const struct snapshot *next, size_t n_workers,
                   struct listeners **ret_listeners, struct vsr_err *err) VSR_MUST_CHECK;
/* Closes what was not taken. NULL is allowed. */
void listeners_free(struct listeners *listeners);

#endif
