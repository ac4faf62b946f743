#include "net/loop.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

#include "core/assert.h"
#include "core/err.h"
#include "core/mem.h"
#include "net/timer_wheel.h"

struct posted {
    struct posted *next;
    void (*fn)(void *data);
    void *data;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake; /* somebody posted */
    uv_timer_t wheel_timer;
    uv_timer_t once_timer; /* bounds loop_run_once() */
    uv_idle_t idle;        /* active while tasks may be queued: keeps the loop from waiting */
    pthread_t thread;
    bool idle_active, stopped;

    struct loop_link tasks;
    struct timer_wheel wheel;
    uint64_t wake_tick; /* what wheel_timer is set to; 0 = not set */

    pthread_mutex_t lock; /* guards the two below */
    struct posted *posted;
    struct posted **posted_end;

    char read_buffer[LOOP_READ_LEN];
};

/* ---- messages from other threads */

static void on_wake(uv_async_t *async) {
    struct loop *loop = async->data;
    struct posted *list;
    pthread_mutex_lock(&loop->lock);
    list = loop->posted;
    loop->posted = NULL;
    loop->posted_end = &loop->posted;
    pthread_mutex_unlock(&loop->lock);
    while (list) {
        struct posted *message = list;
        list = message->next;
        message->fn(message->data);
        mem_free(message);
    }
}

void loop_post(struct loop *loop, void (*fn)(void *data), void *data) {
    struct posted *message = MEM_NEW(struct posted);
    bool first;
    message->fn = fn;
    message->data = data;
    pthread_mutex_lock(&loop->lock);
    first = loop->posted == NULL;
    *loop->posted_end = message;
    loop->posted_end = &message->next;
    pthread_mutex_unlock(&loop->lock);
    /* Whoever found the queue empty wakes the loop; later ones ride along. */
    if (first)
        uv_async_send(&loop->wake);
}

static void drop_posted(struct loop *loop) {
    while (loop->posted) {
        struct posted *message = loop->posted;
        loop->posted = message->next;
        mem_free(message);
    }
    loop->posted_end = &loop->posted;
}

/* ---- tasks */

static void run_tasks(struct loop *loop) {
    struct loop_link batch;
    loop_link_init(&batch);
    /* What a task defers runs in the next turn, so that two tasks that feed each other cannot starve the sockets. */
    while (!loop_link_empty(&loop->tasks)) {
        struct loop_link *link = loop->tasks.next;
        loop_link_remove(link);
        loop_link_append(&batch, link);
    }
    while (!loop_link_empty(&batch)) {
        struct loop_task *task = (struct loop_task *)batch.next;
        loop_link_remove(&task->link);
        task->fn(task->data);
    }
}

static void on_idle(uv_idle_t *idle) {
    struct loop *loop = idle->data;
    run_tasks(loop);
    if (loop_link_empty(&loop->tasks)) {
        uv_idle_stop(&loop->idle);
        loop->idle_active = false;
    }
}

void loop_defer(struct loop *loop, struct loop_task *task, void (*fn)(void *data), void *data) {
    VSR_DEBUG_ASSERT(loop_on_thread(loop));
    task->fn = fn;
    task->data = data;
    if (loop_task_queued(task))
        return;
    loop_link_append(&loop->tasks, &task->link);
    if (!loop->idle_active) {
        loop->idle_active = true;
        uv_idle_start(&loop->idle, on_idle);
    }
}

void loop_defer_cancel(struct loop_task *task) {
    if (loop_task_queued(task))
        loop_link_remove(&task->link);
}

/* ---- timers */

static void on_wheel_timer(uv_timer_t *timer);

static void wake_at(struct loop *loop, uint64_t tick) {
    uint64_t due_ms = tick * TIMER_WHEEL_TICK_MS, now = uv_now(&loop->uv);
    if (loop->wake_tick != 0 && loop->wake_tick <= tick)
        return;
    loop->wake_tick = tick;
    uv_timer_start(&loop->wheel_timer, on_wheel_timer, due_ms > now ? due_ms - now : 0, 0);
    uv_unref((uv_handle_t *)&loop->wheel_timer);
}

static void on_wheel_timer(uv_timer_t *uv_timer) {
    struct loop *loop = uv_timer->data;
    struct loop_link expired;
    uint64_t now = uv_now(&loop->uv), next;
    loop_link_init(&expired);
    loop->wake_tick = 0;
    timer_wheel_turn(&loop->wheel, now, &expired);
    while (!loop_link_empty(&expired)) {
        struct loop_timer *timer = (struct loop_timer *)expired.next;
        timer_wheel_remove(&loop->wheel, timer);
        if (timer->due_ms > now) /* an earlier one of this batch moved it */
            wake_at(loop, timer_wheel_add(&loop->wheel, timer, now));
        else
            timer->fn(timer->data);
    }
    next = timer_wheel_next_tick(&loop->wheel);
    if (next)
        wake_at(loop, next);
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, uint64_t delay_ms, void (*fn)(void *data),
                      void *data) {
    uint64_t now = uv_now(&loop->uv);
    VSR_DEBUG_ASSERT(loop_on_thread(loop));
    timer->fn = fn;
    timer->data = data;
    timer->due_ms = delay_ms < UINT64_MAX / 2 ? now + delay_ms : UINT64_MAX / 2;
    if (loop_timer_active(timer)) {
        if (timer_wheel_tick_of(timer->due_ms) >= timer->visit_tick)
            return; /* the wheel finds the new time when it looks */
        timer_wheel_remove(&loop->wheel, timer);
    }
    timer->loop = loop;
    wake_at(loop, timer_wheel_add(&loop->wheel, timer, now));
}

void loop_timer_stop(struct loop_timer *timer) {
    VSR_DEBUG_ASSERT(!loop_timer_active(timer) || loop_on_thread(timer->loop));
    if (loop_timer_active(timer))
        timer_wheel_remove(&timer->loop->wheel, timer);
}

/* ---- the loop itself */

int loop_new(struct loop **ret_loop, struct vsr_err *err) {
    struct loop *loop = MEM_NEW(struct loop);
    int rc = uv_loop_init(&loop->uv);
    if (rc < 0) {
        mem_free(loop);
        return err_set(err, VSR_E_IO, "cannot make an event loop: %s", uv_strerror(rc));
    }
    rc = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (rc < 0) {
        uv_loop_close(&loop->uv);
        mem_free(loop);
        return err_set(err, VSR_E_IO, "cannot make an event loop: %s", uv_strerror(rc));
    }
    uv_timer_init(&loop->uv, &loop->wheel_timer);
    uv_timer_init(&loop->uv, &loop->once_timer);
    uv_idle_init(&loop->uv, &loop->idle);
    loop->uv.data = loop->wake.data = loop->wheel_timer.data = loop->once_timer.data = loop->idle.data = loop;
    /* None of these keeps the loop alive by itself; loop_run() holds `wake`, loop_run_once() asks the wheel and the
     * tasks. */
    uv_unref((uv_handle_t *)&loop->wake);
    loop_link_init(&loop->tasks);
    timer_wheel_init(&loop->wheel, uv_now(&loop->uv));
    pthread_mutex_init(&loop->lock, NULL);
    loop->posted_end = &loop->posted;
    loop->thread = pthread_self();
    /* A write to a socket that the peer reset must fail with EPIPE, also where OpenSSL does it and passes no flags. */
    (void)signal(SIGPIPE, SIG_IGN);
    *ret_loop = loop;
    return 0;
}

void loop_free(struct loop *loop) {
    if (!loop)
        return;
    while (!loop_link_empty(&loop->tasks))
        run_tasks(loop);
    drop_posted(loop);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->wheel_timer, NULL);
    uv_close((uv_handle_t *)&loop->once_timer, NULL);
    uv_close((uv_handle_t *)&loop->idle, NULL);
    /* Runs the close callbacks and waits for name resolutions that could not be cancelled. */
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    VSR_ASSERT(uv_loop_close(&loop->uv) == 0);
    pthread_mutex_destroy(&loop->lock);
    mem_free(loop);
}

void loop_run(struct loop *loop) {
    loop->thread = pthread_self();
    uv_ref((uv_handle_t *)&loop->wake);
    while (!loop->stopped)
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_unref((uv_handle_t *)&loop->wake);
    loop->stopped = false;
}

static void on_once_timer(uv_timer_t *timer) {
    (void)timer; /* its firing ends the wait */
}

bool loop_run_once(struct loop *loop, int timeout_ms) {
    uv_update_time(&loop->uv);
    uv_ref((uv_handle_t *)&loop->wake);
    if (timeout_ms > 0) {
        /* Repeating: one that fires before the loop looks at the sockets must not leave it waiting without end. */
        uv_timer_start(&loop->once_timer, on_once_timer, (uint64_t)timeout_ms, (uint64_t)timeout_ms);
        uv_run(&loop->uv, UV_RUN_ONCE);
        uv_timer_stop(&loop->once_timer);
    } else {
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    }
    uv_unref((uv_handle_t *)&loop->wake);
    return uv_loop_alive(&loop->uv) || loop->wheel.n_timers > 0 || !loop_link_empty(&loop->tasks);
}

static void stop_now(void *data) {
    struct loop *loop = data;
    loop->stopped = true;
    uv_stop(&loop->uv);
}

void loop_stop(struct loop *loop) {
    loop_post(loop, stop_now, loop);
}

uint64_t loop_now_ms(const struct loop *loop) {
    return uv_now(&loop->uv);
}

char *loop_read_buffer(struct loop *loop) {
    return loop->read_buffer;
}

struct uv_loop_s *loop_uv(struct loop *loop) {
    return &loop->uv;
}

bool loop_on_thread(const struct loop *loop) {
    return pthread_equal(loop->thread, pthread_self());
}
