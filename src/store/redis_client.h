/*
 * redis_client - one connection to a Redis server, on one loop, with many commands under way.
 *
 * Commands are sent one behind the other and answered in that order, so one connection is enough for a loop. It is made
 * when the first command comes, and made anew when it was lost: commands that may be repeated are sent again, within
 * their time; the others fail. While a server cannot be reached commands fail at once, and between attempts grows a
 * pause of 0.1 to 5 s. Loop thread only.
 */
#ifndef VSR_STORE_REDIS_CLIENT_H
#define VSR_STORE_REDIS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "store/redis_reply.h"
#include "store/response_store.h" /* struct redis_options */

struct loop;
struct redis_call;
struct redis_client;
struct tls_client;

enum { REDIS_CALLS_MAX = 65536, REDIS_QUEUE_BYTES_MAX = 256 << 20 };

/* `host:port`, `host`, `[v6]:port`; without a port 6379. False: none of them. */
bool redis_address_parse(vsr_str address, vsr_str *ret_host, uint16_t *ret_port);

/* The context for a client with these options; NULL, and 0, without TLS. Free with tls_client_free(). */
int redis_tls_new(const struct redis_options *options, struct tls_client **ret_tls, struct vsr_err *err) VSR_MUST_CHECK;

/* Copies the options, keeps `tls` (NULL: plain). VSR_E_INVALID for an address that is none. Connects to nobody yet. */
int redis_client_new(struct loop *loop, const struct redis_options *options, struct tls_client *tls,
                     struct redis_client **ret_client, struct vsr_err *err) VSR_MUST_CHECK;
/* No callback follows. Not inside one. NULL is allowed. */
void redis_client_free(struct redis_client *client);

struct redis_command {
    const vsr_str *argv; /* copied */
    size_t n;
    uint64_t deadline_ms; /* from now; 0: the io_ms of the options */
    bool repeatable;      /* the same once more has no other effect */
};

/*
 * Either a value, which may be an error that the server sent, or `err`: VSR_E_UNAVAILABLE (no connection), VSR_E_CLOSED
 * (lost; what was sent may have been executed), VSR_E_TIMEOUT, VSR_E_LIMIT, VSR_E_PROTOCOL. Valid during the call.
 */
typedef void redis_done_fn(void *owner, const struct redis_value *value, const struct vsr_err *err);

/* Never calls back inside. `done` may be NULL; the result is good until then. */
struct redis_call *redis_send(struct redis_client *client, const struct redis_command *command, redis_done_fn *done,
                              void *owner);
/* No callback follows; what was sent is executed all the same. NULL is allowed. */
void redis_call_cancel(struct redis_call *call);

#endif
