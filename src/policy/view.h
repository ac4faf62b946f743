/*
 * view - signal results as policy sees them: arrays over slots.
 *
 * A slot is an index that stands for a name ("type:name", "type:name:sub"). Who gives slots out, and what runs behind
 * them, is not policy's business: the engine points a view at its results, a test fills one by hand. Projections write
 * their outputs into the same arrays. One request, one thread.
 */
#ifndef VSR_POLICY_VIEW_H
#define VSR_POLICY_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/document.h"
#include "core/bits.h"
#include "core/str.h"

#define POLICY_SLOT_NONE UINT32_MAX

/* No slot is in no set. */
static inline bool policy_slot_in(const uint64_t *bits, uint32_t slot) {
    return slot != POLICY_SLOT_NONE && bits_has(bits, slot);
}

struct policy_view {
    uint32_t n_slots;
    uint64_t *evaluated; /* bit per slot: there is a result, be it a failure */
    uint64_t *matched;
    uint64_t *unavailable;    /* could not be evaluated */
    uint64_t *has_confidence; /* without one, a match reads as 1.0 */
    uint64_t *has_value;
    double *confidence, *value;
};

/* What policy must know of a kind of leaf. */
struct policy_type {
    vsr_str name;
    enum config_on_unknown on_unknown; /* UNKNOWN or NO_MATCH: how a failure reads when nothing else says */
    bool never_unknown;                /* a failure always reads as "no match" */
    bool by_label;                     /* matches by label and predicate only, never by name */
};

/* Resolves names while policy is built. */
struct policy_names {
    void *data;
    /* NULL: no such type; its leaves never match. `family` is what config derived from `type`, which is trimmed and in
     * lower case: an index in config_families, or CONFIG_PROJECTION. */
    const struct policy_type *(*type)(void *data, vsr_str type, int family);
    /* POLICY_SLOT_NONE when nothing reports under that name. `name` may hold ":sub". */
    uint32_t (*slot)(void *data, const struct policy_type *type, vsr_str name);
    /* Optional: further slots whose match makes a leaf of that name match, in the build's memory. */
    size_t (*alternates)(void *data, const struct policy_type *type, vsr_str name, const uint32_t **ret_slots);
};

#endif
