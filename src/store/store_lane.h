/*
 * store_lane - what the kinds of operations share on their lane. Private to store/; loop thread only.
 */
#ifndef VSR_STORE_STORE_LANE_H
#define VSR_STORE_STORE_LANE_H

#include "store/store_op.h"

struct event_follow;
struct loop;

/* An operation with a copy of `id`; `len` bytes more will go into its arena. */
struct store_op *store_lane_make(enum store_op_kind kind, vsr_str id, size_t len);
/* Takes `op`. One that is settled already is answered as it is. NULL when `done` is NULL. */
struct store_op *store_lane_start(struct store_lane *lane, struct store_op *op, store_done_fn *done, void *owner);

struct response_store *store_lane_store(const struct store_lane *lane);
struct loop *store_lane_loop(const struct store_lane *lane);
/* Where the list of its follows begins. */
struct event_follow **store_lane_follows(struct store_lane *lane);

#endif
