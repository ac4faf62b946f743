#include "wire/responses_events.h"

#include "core/assert.h"

static const struct {
    vsr_str type;
    unsigned flags;
} events[RESPONSES_EVENT_COUNT] = {
#define X(name, text, bits) [RESPONSES_EVENT_##name] = { VSR_STR_INIT(text), (bits) },
    RESPONSES_EVENTS(X)
#undef X
};

vsr_str responses_event_type(enum responses_event event) {
    VSR_ASSERT(event < RESPONSES_EVENT_COUNT);
    return events[event].type;
}

unsigned responses_event_flags(enum responses_event event) {
    return event < RESPONSES_EVENT_COUNT ? events[event].flags : 0;
}

/* The frequent ones stand early, and lengths differ: a search by hash would save nothing. */
enum responses_event responses_event_find(vsr_str type) {
    for (size_t i = 0; i < RESPONSES_EVENT_COUNT; i++)
        if (str_eq(events[i].type, type))
            return (enum responses_event)i;
    return RESPONSES_EVENT_UNKNOWN;
}
