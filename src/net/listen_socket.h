/*
 * listen_socket - the bound sockets behind one address to listen on.
 *
 * An address may be a literal, with or without brackets, a name, or empty for every interface. All it stands for is
 * bound: "localhost" is 127.0.0.1 and ::1. A family that this machine lacks is passed over while another one works. Any
 * thread.
 */
#ifndef VSR_NET_LISTEN_SOCKET_H
#define VSR_NET_LISTEN_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum {
    LISTEN_SOCKETS_MAX = 8,
    LISTEN_BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
};

enum listen_mode {
    LISTEN_SHARED,    /* SO_REUSEPORT: every worker opens the same */
    LISTEN_BOUND,     /* the same, but no connection comes before listen_sockets_start() */
    LISTEN_EXCLUSIVE, /* fails where anybody listens already, this process included */
    LISTEN_PROBE,     /* bound like LISTEN_EXCLUSIVE, but no connection ever comes */
};

struct listen_sockets {
    int fds[LISTEN_SOCKETS_MAX];
    size_t n;
    uint16_t port; /* the one bound, where 0 was asked for */
};

/* All or nothing. VSR_E_EXISTS when somebody has the port. May block for a name; addresses do not. */
int listen_sockets_open(vsr_str address, uint16_t port, enum listen_mode mode, struct listen_sockets *ret,
                        struct vsr_err *err);
/* Lets connections come to LISTEN_BOUND sockets. On failure some may listen: close them all. */
int listen_sockets_start(const struct listen_sockets *sockets, struct vsr_err *err) VSR_MUST_CHECK;
void listen_sockets_close(struct listen_sockets *sockets);

/*
 * New attempts to connect are no longer heard, while handshakes under way complete: a socket that is closed at once
 * resets them. Who was not heard tries again after a second and meets whoever listens then. False: the kernel cannot.
 */
bool listen_socket_deafen(int fd);

#endif
