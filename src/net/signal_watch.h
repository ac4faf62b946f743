/*
 * signal_watch - process signals as events of one loop. Loop thread only.
 */
#ifndef VSR_NET_SIGNAL_WATCH_H
#define VSR_NET_SIGNAL_WATCH_H

#include "core/err.h"

struct loop;
struct signal_watch;

/* Calls fn(data, signum) on the loop for each arrival. Free before the loop. */
int signal_watch_new(struct loop *loop, int signum, void (*fn)(void *data, int signum), void *data,
                     struct signal_watch **ret_watch, struct vsr_err *err) VSR_MUST_CHECK;
void signal_watch_free(struct signal_watch *watch);

#endif
