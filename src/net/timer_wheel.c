#include "net/timer_wheel.h"

#include "core/assert.h"

static size_t slot_of(uint64_t tick) {
    return (size_t)(tick & (TIMER_WHEEL_SLOTS - 1));
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms) {
    *wheel = (struct timer_wheel){ .tick = now_ms / TIMER_WHEEL_TICK_MS };
    for (size_t i = 0; i < TIMER_WHEEL_SLOTS; i++)
        loop_link_init(&wheel->slots[i]);
}

static void place(struct timer_wheel *wheel, struct loop_timer *timer) {
    uint64_t tick = timer_wheel_tick_of(timer->due_ms);
    size_t slot;
    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    if (tick >= wheel->tick + TIMER_WHEEL_SLOTS)
        tick = wheel->tick + TIMER_WHEEL_SLOTS - 1;
    slot = slot_of(tick);
    timer->visit_tick = tick;
    loop_link_append(&wheel->slots[slot], &timer->link);
    wheel->filled[slot / 64] |= (uint64_t)1 << (slot % 64);
}

uint64_t timer_wheel_add(struct timer_wheel *wheel, struct loop_timer *timer, uint64_t now_ms) {
    /* An empty wheel is not turned; catch up, so that the horizon lies before us and not behind. */
    if (wheel->n_timers == 0 && now_ms / TIMER_WHEEL_TICK_MS > wheel->tick)
        wheel->tick = now_ms / TIMER_WHEEL_TICK_MS;
    place(wheel, timer);
    wheel->n_timers++;
    return timer->visit_tick;
}

void timer_wheel_remove(struct timer_wheel *wheel, struct loop_timer *timer) {
    VSR_ASSERT(wheel->n_timers > 0);
    loop_link_remove(&timer->link);
    wheel->n_timers--;
}

/* Empties the slot of the wheel's current tick: what is due goes to `expired`, the rest to a later slot. */
static void visit(struct timer_wheel *wheel, uint64_t now_ms, struct loop_link *expired) {
    size_t slot = slot_of(wheel->tick);
    struct loop_link *ring = &wheel->slots[slot];
    while (!loop_link_empty(ring)) {
        struct loop_timer *timer = (struct loop_timer *)ring->next;
        loop_link_remove(&timer->link);
        if (timer->due_ms <= now_ms)
            loop_link_append(expired, &timer->link);
        else
            place(wheel, timer);
    }
    wheel->filled[slot / 64] &= ~((uint64_t)1 << (slot % 64));
}

uint64_t timer_wheel_next_tick(const struct timer_wheel *wheel) {
    size_t first = slot_of(wheel->tick + 1);
    if (wheel->n_timers == 0)
        return 0;
    for (size_t i = 0; i <= TIMER_WHEEL_WORDS; i++) {
        size_t word = (first / 64 + i) % TIMER_WHEEL_WORDS;
        uint64_t bits = wheel->filled[word];
        if (i == 0)
            bits &= UINT64_MAX << (first % 64);
        if (i == TIMER_WHEEL_WORDS) /* the part of the first word that lies before the start, a full turn later */
            bits &= ~(UINT64_MAX << (first % 64));
        if (bits) {
            size_t slot = word * 64 + (size_t)__builtin_ctzll(bits);
            return wheel->tick + 1 + ((slot - first) & (TIMER_WHEEL_SLOTS - 1));
        }
    }
    return 0;
}

void timer_wheel_turn(struct timer_wheel *wheel, uint64_t now_ms, struct loop_link *expired) {
    uint64_t now_tick = now_ms / TIMER_WHEEL_TICK_MS;
    for (;;) {
        uint64_t tick = timer_wheel_next_tick(wheel);
        if (tick == 0 || tick > now_tick)
            break;
        wheel->tick = tick;
        visit(wheel, now_ms, expired);
    }
    if (now_tick > wheel->tick)
        wheel->tick = now_tick;
}
