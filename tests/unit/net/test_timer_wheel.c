#include "net/timer_wheel.h"

#include "core/mem.h"
#include "test.h"

enum { N_TIMERS = 500, N_STEPS = 20000 };

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n) {
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * n) >> 32);
}

/* Every timer fires at or after its time, within a tick of the next turn, however often it moved. */
TEST(fires_on_time) {
    struct timer_wheel *wheel = MEM_NEW(struct timer_wheel);
    struct loop_timer *timers = mem_alloc(N_TIMERS * sizeof(*timers));
    uint64_t now = 123456;
    timer_wheel_init(wheel, now);
    for (int step = 0; step < N_STEPS; step++) {
        struct loop_timer *timer = &timers[random_below(N_TIMERS)];
        struct loop_link expired;
        uint64_t next;
        if (timer->link.next && random_below(3) == 0) {
            timer_wheel_remove(wheel, timer);
        } else if (!timer->link.next) {
            timer->due_ms = now + random_below(random_below(2) ? 300 : 40000);
            CHECK(timer_wheel_add(wheel, timer, now) * TIMER_WHEEL_TICK_MS + TIMER_WHEEL_TICK_MS > now, "visit ahead");
        } else {
            uint64_t due = now + random_below(20000);
            if (timer_wheel_tick_of(due) >= timer->visit_tick)
                timer->due_ms = due; /* the cheap way to move */
        }
        now += random_below(30);
        loop_link_init(&expired);
        timer_wheel_turn(wheel, now, &expired);
        while (!loop_link_empty(&expired)) {
            struct loop_timer *fired = (struct loop_timer *)expired.next;
            CHECK(fired->due_ms <= now, "not early");
            timer_wheel_remove(wheel, fired);
        }
        next = timer_wheel_next_tick(wheel);
        CHECK((next == 0) == (wheel->n_timers == 0) || next > 0, "an empty wheel sleeps");
        for (size_t i = 0; i < N_TIMERS; i++) {
            if (!timers[i].link.next)
                continue;
            CHECK(timers[i].due_ms + TIMER_WHEEL_TICK_MS > now, "not late");
            CHECK(next > 0 && next <= timers[i].visit_tick, "the wheel wakes in time");
            CHECK(timers[i].visit_tick <= timer_wheel_tick_of(timers[i].due_ms) || timers[i].due_ms <= now,
                  "looked at before it is due");
        }
    }
    mem_free(timers);
    mem_free(wheel);
}

TEST(long_sleep) {
    struct timer_wheel *wheel = MEM_NEW(struct timer_wheel);
    struct loop_timer timer = { .due_ms = 500000 };
    struct loop_link expired;
    timer_wheel_init(wheel, 0);
    CHECK_INT(timer_wheel_next_tick(wheel), 0, "empty");
    timer_wheel_add(wheel, &timer, 100000); /* long after the wheel last turned */
    CHECK(timer_wheel_next_tick(wheel) * TIMER_WHEEL_TICK_MS > 100000, "the horizon begins now");
    loop_link_init(&expired);
    timer_wheel_turn(wheel, 10000000, &expired);
    CHECK(!loop_link_empty(&expired), "found after a long sleep");
    timer_wheel_remove(wheel, &timer);
    mem_free(wheel);
}

RUN_TESTS(T(fires_on_time), T(long_sleep))
