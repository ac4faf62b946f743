/*
 * loop - one event loop per thread, with timers, deferred work and messages from other threads.
 *
 * A thin layer over libuv: what belongs to a loop (connections, timers, resolvers) is touched only on its thread; other
 * threads hand work in with loop_post(). Coarse timers share one wheel (net/timer_wheel.h) so that arming one per
 * request is nearly free. Making a loop ignores SIGPIPE for the process: a peer that went away is an ordinary error.
 */
#ifndef VSR_NET_LOOP_H
#define VSR_NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uv_loop_s;
struct vsr_err;
struct loop;

enum { LOOP_READ_LEN = 64 << 10 }; /* one read takes at most this much */

/* A place in a ring. Both NULL: in none. */
struct loop_link {
    struct loop_link *prev, *next;
};

/* Embedded in its owner. Zero-initialised is valid and idle. */
struct loop_timer {
    struct loop_link link; /* in a wheel slot */
    struct loop *loop;
    uint64_t due_ms;
    uint64_t visit_tick; /* when the wheel looks at it next: at or before due_ms */
    void (*fn)(void *data);
    void *data;
};

/* Work for the next turn. Embedded in its owner. Zero-initialised is valid and idle. */
struct loop_task {
    struct loop_link link;
    void (*fn)(void *data);
    void *data;
};

/* Makes a loop for the calling thread. Free with loop_free() on the same thread after loop_run() returned. */
int loop_new(struct loop **ret_loop, struct vsr_err *err);
/* Runs what was deferred, so that closed connections are freed. Everything on the loop must have been closed. NULL is
 * allowed. */
void loop_free(struct loop *loop);

/* Runs until loop_stop(). The thread that calls it becomes the loop's thread. */
void loop_run(struct loop *loop);
/* Runs what is ready and returns after at most `timeout_ms`; for tests and teardown. False when nothing is left alive.
 */
bool loop_run_once(struct loop *loop, int timeout_ms);
/* Any thread. */
void loop_stop(struct loop *loop);

/* Any thread. Runs fn(data) later on the loop's thread, in the order posted. Never fails; aborts without memory. */
void loop_post(struct loop *loop, void (*fn)(void *data), void *data);

/* Milliseconds, monotonic, as of the current turn. Loop thread only. */
uint64_t loop_now_ms(const struct loop *loop);

/*
 * (Re)arms the timer: fn(data) once, `delay_ms` from now, within about 10 ms. Moving an armed timer to a later time
 * costs a few stores. Loop thread only.
 */
void loop_timer_start(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms, void (*fn)(void *data),
                      void *data);
void loop_timer_stop(struct loop_timer *timer);
static inline bool loop_timer_active(const struct loop_timer *timer) {
    return timer->link.next != NULL;
}

/*
 * Runs fn(data) once, soon, from the loop itself and not from inside the current call: before the loop waits for events
 * again. A task that is queued already stays where it is, with the new fn. Loop thread only.
 */
void loop_defer(struct loop *loop, struct loop_task *task, void (*fn)(void *data), void *data);
void loop_defer_cancel(struct loop_task *task);
static inline bool loop_task_queued(const struct loop_task *task) {
    return task->link.next != NULL;
}

/* LOOP_READ_LEN bytes that whoever reads a socket may use until it returns to the loop. */
char *loop_read_buffer(struct loop *loop);

/* The libuv loop, for modules of net/ only. */
struct uv_loop_s *loop_uv(struct loop *loop);
bool loop_on_thread(const struct loop *loop);

#endif
