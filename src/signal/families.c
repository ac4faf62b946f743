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

/* Confirming hits may take half of the steps, so that it leaves counting something. */
static int search(struct signal_request *request) {
    size_t share = request->regex_steps / 2, left = share;
    int rc = pattern_set_scan(request->patterns, request->scratch, request->arena, request->facts->eval_text, &left,
                              &request->hits, NULL);
    request->regex_steps -= share - left;
    return rc;
}

int signal_request_hits(struct signal_request *request, const struct pattern_hits **ret_hits, struct vsr_err *err) {
    if (!request->searched) {
        request->searched = true;
        if (pattern_set_count(request->patterns) > 0)
            request->hits_rc = search(request);
    }
    if (request->hits_rc < 0)
        return err_set(err, request->hits_rc, "the patterns could not be searched for");
    *ret_hits = &request->hits;
    return 0;
}
