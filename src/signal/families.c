#include "signal/families.h"

#include "core/arena.h"
#include "core/assert.h"
#include "signal/family.h"

/*
 * To add a family: write signal/<name>.c that defines `signal_<name>`, add X(<name>) here, and write
 * tests/unit/signal/test_<name>.c. The order is that of traces and headers.
 */
#define X(name) extern const struct signal_family signal_##name;
SIGNAL_FAMILIES(X)
#undef X

static const struct signal_family *const families[] = {
#define X(name) &signal_##name,
    SIGNAL_FAMILIES(X)
#undef X
};
_Static_assert(VSR_COUNT(families) <= CONFIG_FAMILIES_MAX, "config_signals has room for every family");

const struct signal_family *const *signal_families(size_t *ret_n) {
    *ret_n = VSR_COUNT(families);
    return families;
}

void signal_place(struct signal_builder *builder, uint32_t index, struct diag_at at) {
    struct signal_places *places = builder->places;
    if (index < places->n)
        return;
    VSR_ASSERT(index == places->n); /* indexes are given out one after the other */
    places->items = arena_grow(builder->arena, places->items, sizeof(*places->items), places->n, &places->cap);
    places->items[places->n++] = at;
}
