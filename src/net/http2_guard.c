#include "net/http2_guard.h"

#include "core/assert.h"

enum { TOKEN = 1000 };

static const struct {
    const char *name;
    uint32_t burst, per_second;
} causes[] = {
#define X(id, label, burst_, rate) [HTTP2_##id] = { label, burst_, rate },
    HTTP2_CAUSES(X)
#undef X
};

static uint32_t less(uint32_t taken, uint64_t amount) {
    return amount < taken ? taken - (uint32_t)amount : 0;
}

/* A rate of n per second is n thousandths per millisecond. */
static void refill(struct http2_guard *guard, uint64_t now_ms) {
    uint64_t passed = now_ms - guard->at_ms;
    if (passed == 0)
        return;
    guard->at_ms = now_ms;
    for (int i = 0; i < HTTP2_CAUSE_COUNT; i++)
        guard->taken_ms[i] = less(guard->taken_ms[i], passed * causes[i].per_second);
}

bool http2_guard_take(struct http2_guard *guard, enum http2_cause cause, uint64_t now_ms) {
    VSR_ASSERT(now_ms >= guard->at_ms);
    refill(guard, now_ms);
    if (guard->taken_ms[cause] > (causes[cause].burst - 1) * TOKEN)
        return false;
    guard->taken_ms[cause] += TOKEN;
    return true;
}

void http2_guard_give(struct http2_guard *guard, enum http2_cause cause, uint32_t n) {
    guard->taken_ms[cause] = less(guard->taken_ms[cause], (uint64_t)n * TOKEN);
}

const char *http2_cause_name(enum http2_cause cause) {
    return causes[cause].name;
}
