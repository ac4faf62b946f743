/*
 * timer_wheel - timers sorted coarsely by due time.
 *
 * Time is cut into ticks of 10 ms and a ring of slots holds the timers of the next 10.24 s; a timer due later waits in
 * the last slot it can reach and moves on when the wheel gets there. A timer remembers the tick at which it will be
 * looked at, so moving its due time to any later tick touches nothing but the timer itself: that is what happens to a
 * connection's timer on every request. One thread.
 */
#ifndef VSR_NET_TIMER_WHEEL_H
#define VSR_NET_TIMER_WHEEL_H

#include "core/assert.h"
#include "net/loop.h"

enum {
    TIMER_WHEEL_TICK_MS = 10,
    TIMER_WHEEL_SLOTS = 1024, /* a power of two */
    TIMER_WHEEL_WORDS = TIMER_WHEEL_SLOTS / 64,
};
_Static_assert((TIMER_WHEEL_SLOTS & (TIMER_WHEEL_SLOTS - 1)) == 0, "a tick is mapped to its slot by a mask");

struct timer_wheel {
    uint64_t tick; /* slots up to and including this tick have been visited */
    size_t n_timers;
    uint64_t filled[TIMER_WHEEL_WORDS]; /* a clear bit: the slot is empty; a set one: it may hold timers */
    struct loop_link slots[TIMER_WHEEL_SLOTS];
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* Puts an idle timer in; its due_ms is set. Returns the tick at which the wheel must be turned for it. */
uint64_t timer_wheel_add(struct timer_wheel *wheel, struct loop_timer *timer, uint64_t now_ms);
void timer_wheel_remove(struct timer_wheel *wheel, struct loop_timer *timer);

/* Visits every slot up to now and moves the timers that are due to the ring `expired`; they count as in the wheel. */
void timer_wheel_turn(struct timer_wheel *wheel, uint64_t now_ms, struct loop_link *expired);

/* The next tick with a timer to visit, 0 when the wheel is empty. */
uint64_t timer_wheel_next_tick(const struct timer_wheel *wheel);

/* The first tick at which a timer due at `due_ms` may fire. */
static inline uint64_t timer_wheel_tick_of(uint64_t due_ms) {
    return (due_ms + TIMER_WHEEL_TICK_MS - 1) / TIMER_WHEEL_TICK_MS;
}

/* ---- rings with a sentinel */

static inline void loop_link_init(struct loop_link *ring) {
    ring->prev = ring->next = ring;
}

static inline void loop_link_append(struct loop_link *ring, struct loop_link *link) {
    link->prev = ring->prev;
    link->next = ring;
    ring->prev->next = link;
    ring->prev = link;
}

static inline void loop_link_remove(struct loop_link *link) {
    VSR_DEBUG_ASSERT(link->prev != NULL && link->next != NULL);
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->prev = link->next = NULL;
}

static inline bool loop_link_empty(const struct loop_link *ring) {
    return ring->next == ring;
}

#endif
