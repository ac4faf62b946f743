/*
 * admission - how many requests are in at once; the rest wait, the most important first, or are turned away.
 *
 * One for the process, so that the limit holds whichever worker a connection fell to. A request that finds no place
 * waits in the queue of its priority (0 to 9; 9 comes first), first come first served within it. When the queue is
 * full, the newest request of the lowest priority is turned away, be it the one that comes. Who waits too long is
 * turned away, too. A place that comes free goes at once to the first that waits.
 *
 * The lock is held for a few links; callbacks run without it, on the loop of the lane that waits.
 */
#ifndef VSR_SERVE_ADMISSION_H
#define VSR_SERVE_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"

struct admission;
struct admission_lane; /* one worker's side */

enum { ADMISSION_PRIORITIES = 10, ADMISSION_RETRY_MAX_S = 30 };

enum admission_state {
    ADMISSION_OUT,     /* has not asked, or has left */
    ADMISSION_WAITING, /* `done` will be called */
    ADMISSION_IN,
    ADMISSION_SHED, /* turned away: retry_after_s says when it may fit */
};

struct admission_limits {
    size_t active_max; /* 0: everybody is let in, and not counted */
    size_t queued_max;
    uint64_t timeout_ms;
};

/* One request's place; zero is OUT. In the caller's memory until it has left. */
struct admission_place {
    enum admission_state state; /* as the caller knows it */
    unsigned retry_after_s;

    /* admission's own, under its lock */
    struct admission_lane *lane;
    struct admission_place *prev, *next;
    enum admission_state granted; /* what the caller will be told */
    bool counted;
    unsigned priority;
    struct loop_timer timer;
    void (*done)(void *owner);
    void *owner;
};

struct admission *admission_new(void);
/* After every lane. NULL is allowed. */
void admission_free(struct admission *admission);

/* Keeps both. */
struct admission_lane *admission_lane_new(struct admission *admission, struct loop *loop);
/* After every place has been left. NULL is allowed. */
void admission_lane_free(struct admission_lane *lane);

/*
 * Asks for a place; the result is place->state. WAITING: done(owner) is called on the lane's loop once it is IN or
 * SHED. `limits` hold from now on, for those who wait as well.
 */
enum admission_state admission_enter(struct admission_lane *lane, const struct admission_limits *limits,
                                     unsigned priority, struct admission_place *place, void (*done)(void *owner),
                                     void *owner);

/* Gives the place up, or the wait for it. May be called in any state. */
void admission_leave(struct admission_place *place);

struct admission_counts {
    size_t active, queued;
};
struct admission_counts admission_counts(struct admission *admission);

#endif
