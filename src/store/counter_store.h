/*
 * counter_store - budgets that several processes share, counted by a Redis server.
 *
 * A counter is a leaky bucket: what is taken fills it, and it empties at an even rate, a whole limit in a window. All
 * counters of one call are taken together or not at all: the server does it in one script, with its own clock, so that
 * no two callers see the same room and clocks of machines that differ do not matter. A counter that is empty again
 * leaves the server by itself. One connection for each store; loop thread only.
 */
#ifndef VSR_STORE_COUNTER_STORE_H
#define VSR_STORE_COUNTER_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct counter_call;
struct counter_store;
struct loop;
struct redis_options;

enum {
    COUNTER_NEEDS_MAX = 64,    /* in one call */
    COUNTER_HELD_TTL_S = 3600, /* of a counter that does not empty by itself, after it was last touched: what a
                                  process held that ended without giving it back */
};

/* One counter and what is to be taken from it. */
struct counter_need {
    vsr_str key; /* copied; "<prefix>limit:{limit}:" goes before it, so that a cluster keeps all on one server */
    double limit;
    uint64_t window_us; /* in which a full counter empties; 0: never, what is taken has to be given back */
    double amount;      /* 0: nothing is taken, but the counter must not be full */
};

struct counter_reply {
    int rc; /* 0: the server has decided; VSR_E_UNAVAILABLE, VSR_E_TIMEOUT, VSR_E_CLOSED, VSR_E_PROTOCOL, VSR_E_LIMIT */
    int refused;        /* index of the first need that did not fit, and then nothing was taken; -1: all were */
    const double *used; /* by need: with what was taken, or without when one was refused; NULL when rc is below 0 */
    size_t n;
    const struct vsr_err *err; /* NULL when rc is 0 */
};
typedef void counter_done_fn(void *owner, const struct counter_reply *reply);

/* Copies the options. VSR_E_INVALID, VSR_E_TLS; connects to nobody yet. */
int counter_store_new(struct loop *loop, const struct redis_options *options, struct counter_store **ret_store,
                      struct vsr_err *err) VSR_MUST_CHECK;
/* No callback follows. Not inside one. NULL is allowed. */
void counter_store_free(struct counter_store *store);

/* Within `deadline_ms` (0: the io_ms of the options). Never calls back inside. At most COUNTER_NEEDS_MAX. */
struct counter_call *counter_take(struct counter_store *store, const struct counter_need *needs, size_t n,
                                  uint64_t deadline_ms, counter_done_fn *done, void *owner);
/*
 * Puts each need's amount into its counter, whether it fits or not; below zero it is given back, never below empty.
 * `done` NULL: nobody waits for it, and the result is NULL.
 */
struct counter_call *counter_add(struct counter_store *store, const struct counter_need *needs, size_t n,
                                 uint64_t deadline_ms, counter_done_fn *done, void *owner);
/* No callback follows; what was sent is counted all the same. NULL is allowed. */
void counter_call_cancel(struct counter_call *call);

#endif
