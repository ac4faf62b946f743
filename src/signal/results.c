#include "signal/results.h"

#include "core/arena.h"
#include "core/assert.h"

const char *signal_code_text(enum signal_code code) {
    switch (code) {
    case SIGNAL_OK:
        return "ok";
    case SIGNAL_UNAVAILABLE:
        return "unavailable";
    case SIGNAL_TIMEOUT:
        return "timeout";
    case SIGNAL_FAILED:
        return "failed";
    case SIGNAL_CANCELLED:
        return "cancelled";
    case SIGNAL_TOO_LONG:
        return "too_long";
    }
    return "failed";
}

void signal_slots_init(struct signal_slots *slots, struct arena *arena) {
    *slots = (struct signal_slots){ .arena = arena };
    map_init(&slots->by_key, arena);
}

uint32_t signal_slots_add(struct signal_slots *slots, vsr_str type, vsr_str name) {
    vsr_str key = arena_printf(slots->arena, "%.*s:%.*s", VSR_FMT(type), VSR_FMT(name));
    uintptr_t found = (uintptr_t)map_get(&slots->by_key, key); /* index + 1 */
    if (found)
        return (uint32_t)(found - 1);
    VSR_ASSERT(slots->n < SIGNAL_SLOT_NONE);
    slots->items = arena_grow(slots->arena, slots->items, sizeof(*slots->items), slots->n, &slots->cap);
    slots->items[slots->n] = (struct signal_slot){ type, str_sub(key, type.len + 1, key.len), key };
    map_put(&slots->by_key, key, (void *)((uintptr_t)slots->n + 1));
    return (uint32_t)slots->n++;
}

uint32_t signal_slots_find(const struct signal_slots *slots, vsr_str type, vsr_str name) {
    struct arena_mark mark = arena_mark(slots->arena);
    vsr_str key = arena_printf(slots->arena, "%.*s:%.*s", VSR_FMT(type), VSR_FMT(name));
    uintptr_t found = (uintptr_t)map_get(&slots->by_key, key);
    arena_rewind(slots->arena, mark);
    return found ? (uint32_t)(found - 1) : SIGNAL_SLOT_NONE;
}

void signal_results_init(struct signal_results *results, struct arena *arena, size_t n_slots) {
    size_t n_words = BITS_WORDS(n_slots);
    uint64_t *words = ARENA_ARRAY(arena, uint64_t, 5 * n_words + 2 * n_slots);
    *results = (struct signal_results){ .n_slots = (uint32_t)n_slots, .evaluated = words, .arena = arena };
    results->matched = words + n_words;
    results->unavailable = words + 2 * n_words;
    results->has_confidence = words + 3 * n_words;
    results->has_value = words + 4 * n_words;
    results->confidence = (double *)(words + 5 * n_words);
    results->value = results->confidence + n_slots;
    results->codes = ARENA_ARRAY(arena, uint8_t, n_slots);
}

void signal_fail_because(struct signal_results *results, uint32_t slot, enum signal_code code, const char *reason) {
    signal_fail(results, slot, code);
    if (!results->reasons)
        results->reasons = ARENA_ARRAY(results->arena, const char *, results->n_slots);
    results->reasons[slot] = reason;
}

_Static_assert(sizeof(double) == sizeof(uint64_t), "bits and numbers share one allocation");
