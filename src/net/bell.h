/*
 * bell - wakes a loop from other threads, and can be taken away again.
 *
 * loop_post() hands over a message that is lost with its loop; a bell carries nothing. Whoever rings puts what there is
 * to say into a list of its own first, under its own lock, and takes care that nobody rings a bell that is gone.
 * However often it rings, fn(data) runs at least once afterwards.
 */
#ifndef VSR_NET_BELL_H
#define VSR_NET_BELL_H

#include "core/err.h"

struct bell;
struct loop;

/* Loop thread only. fn(data) runs there. Keeps the loop's thread from nothing: a bell alone keeps no loop alive. */
int bell_new(struct loop *loop, void (*fn)(void *data), void *data, struct bell **ret_bell,
             struct vsr_err *err) VSR_MUST_CHECK;
/* Loop thread only. fn does not run any more. NULL is allowed. */
void bell_free(struct bell *bell);

/* Any thread, but not at the same time as bell_free() or after it. */
void bell_ring(struct bell *bell);

#endif
