/*
 * admin - the management API: a listener of its own, one table of routes (control-plane.md §1).
 *
 * Runs on the gateway's control thread, beside health checks and reloads, and never on a worker: what it does cannot
 * stall requests. Address and access come from global.services.management_api of the generation that serves; the socket
 * stays where the process began. On all addresses of the machine it answers only while remote_exposure allows it.
 * Control thread only.
 */
#ifndef VSR_ADMIN_ADMIN_H
#define VSR_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct admin;
struct gateway;

struct admin_options {
    bool off;        /* no listener at all */
    vsr_str address; /* empty: as the configuration says */
    uint16_t port;
    bool sheltered; /* nobody else can reach the machine's ports: all addresses are as good as one */
};

/* Opens the listener. Keeps `gateway`. NULL in *ret_admin when it is off, or when its usual address is taken. */
int admin_start(const struct admin_options *options, struct gateway *gateway, struct admin **ret_admin,
                struct vsr_err *err) VSR_MUST_CHECK;
void admin_stop(struct admin *admin); /* NULL is allowed */

#endif
