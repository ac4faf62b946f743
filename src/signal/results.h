/*
 * results - what signals found out about one request, by slot.
 *
 * Every name that a rule leaf, a projection input or a trace can mention ("type:name", "type:name:sub") is a slot: an
 * index given out once when a recipe is built. A request's results are plain arrays over the slots, so evaluation never
 * touches a string. Slots of a family's rules are consecutive and in declaration order; walking them is walking the
 * matches in order.
 */
#ifndef VSR_SIGNAL_RESULTS_H
#define VSR_SIGNAL_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bits.h"
#include "core/map.h"
#include "core/str.h"

struct arena;

#define SIGNAL_SLOT_NONE UINT32_MAX

/* Why a rule has no result. Text in traces and metrics. */
enum signal_code { SIGNAL_OK, SIGNAL_UNAVAILABLE, SIGNAL_TIMEOUT, SIGNAL_FAILED, SIGNAL_CANCELLED, SIGNAL_TOO_LONG };
const char *signal_code_text(enum signal_code code);

/* ---- names; built once, then read-only: any thread */

struct signal_slot {
    vsr_str type; /* "keyword" */
    vsr_str name; /* "refunds", or "refunds:ratio" for a value beside the rule */
    vsr_str key;  /* "keyword:refunds" */
};

struct signal_slots {
    struct arena *arena; /* keeps */
    struct signal_slot *items;
    size_t n, cap;
    struct map by_key;
};

void signal_slots_init(struct signal_slots *slots, struct arena *arena);
/* The slot of that name, made when it is new. Copies the name; keeps `type`. */
uint32_t signal_slots_add(struct signal_slots *slots, vsr_str type, vsr_str name);
/* SIGNAL_SLOT_NONE when nobody gives results under that name. */
uint32_t signal_slots_find(const struct signal_slots *slots, vsr_str type, vsr_str name);

/* ---- one request; one thread */

struct signal_results {
    uint32_t n_slots;
    uint64_t *evaluated;   /* the rule was run, or failed to */
    uint64_t *matched;     /* implies evaluated */
    uint64_t *unavailable; /* could not be evaluated; a match found before the failure stays one */
    uint64_t *has_confidence;
    uint64_t *has_value;
    double *confidence, *value;
    uint8_t *codes;       /* enum signal_code */
    const char **reasons; /* per slot, for people; NULL: nobody gave any */
    struct arena *arena;
};

/* Everything unevaluated. Memory from `arena`. */
void signal_results_init(struct signal_results *results, struct arena *arena, size_t n_slots);

static inline void signal_match(struct signal_results *results, uint32_t slot, double confidence) {
    bits_add(results->evaluated, slot);
    bits_add(results->matched, slot);
    bits_add(results->has_confidence, slot);
    results->confidence[slot] = confidence;
}

static inline void signal_no_match(struct signal_results *results, uint32_t slot) {
    bits_add(results->evaluated, slot);
}

static inline void signal_confidence(struct signal_results *results, uint32_t slot, double confidence) {
    bits_add(results->has_confidence, slot);
    results->confidence[slot] = confidence;
}

static inline void signal_value(struct signal_results *results, uint32_t slot, double value) {
    bits_add(results->evaluated, slot);
    bits_add(results->has_value, slot);
    results->value[slot] = value;
}

static inline void signal_fail(struct signal_results *results, uint32_t slot, enum signal_code code) {
    bits_add(results->evaluated, slot);
    bits_add(results->unavailable, slot);
    results->codes[slot] = (uint8_t)code;
}

/* With a text that says why; it is kept. */
void signal_fail_because(struct signal_results *results, uint32_t slot, enum signal_code code, const char *reason);

#endif
