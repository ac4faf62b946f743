/*
 * store_queue - how lanes and follows reach the thread of their store. Private to store/.
 */
#ifndef VSR_STORE_STORE_QUEUE_H
#define VSR_STORE_STORE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct response_store;
struct store_lane;
struct store_op;

/* Someone who wants to know of new events of a log. Linked and unlinked on its lane's thread. */
struct store_watch {
    struct store_watch *prev, *next; /* of its slot; under the store's lock */
    struct store_lane *lane;
    vsr_str id;
    uint64_t hash; /* of the id */
    _Atomic bool woken;
};

/* ---- response_store.c; any thread */

/* Takes `op`. False: the queue is full, and the op is still the caller's. */
bool store_enqueue(struct response_store *store, struct store_op *op);
/* Whether others may write there, too. */
bool store_is_shared(struct response_store *store);
/* After which a read fails. */
uint64_t store_read_ms(const struct response_store *store);
void store_watch_add(struct response_store *store, struct store_watch *watch);
void store_watch_remove(struct response_store *store, struct store_watch *watch);

/* ---- store_lane.c */

/* Any thread. Takes `op`, which has been answered. */
void store_lane_answer(struct store_lane *lane, struct store_op *op);
/* Any thread, under the store's lock: a follow on it was woken. */
void store_lane_ring(struct store_lane *lane);

#endif
