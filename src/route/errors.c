#include "route/errors.h"

#include "route/route.h"

static const char *reason_of(const struct signal_results *results, size_t slot) {
    return results->reasons ? results->reasons[slot] : NULL;
}

/* Whether several slots were tried, and all failed in the same way. */
static bool failed_as_one(const struct route_state *state, const struct route_family *family) {
    const struct signal_results *results = &state->results;
    size_t end = family->first_slot + family->n_slots;
    size_t first = bits_next(results->evaluated, family->first_slot, end), n = 0;
    for (size_t slot = first; slot < end; slot = bits_next(results->evaluated, slot + 1, end), n++)
        if (!bits_has(results->unavailable, slot) || results->codes[slot] != results->codes[first] ||
            reason_of(results, slot) != reason_of(results, first))
            return false;
    return n > 1;
}

static size_t count_failures(const struct signal_results *results, size_t first, size_t end) {
    size_t n = 0;
    for (size_t slot = bits_next(results->unavailable, first, end); slot < end;
         slot = bits_next(results->unavailable, slot + 1, end))
        n++;
    return n;
}

static void each_of_family(const struct route_state *state, const struct route_family *family,
                           void (*fn)(void *data, const struct route_error *error), void *data) {
    const struct signal_results *results = &state->results;
    size_t end = family->first_slot + family->n_slots;
    bool as_one = failed_as_one(state, family);
    for (size_t slot = bits_next(results->unavailable, family->first_slot, end); slot < end;
         slot = bits_next(results->unavailable, slot + 1, end)) {
        struct route_error error = { .family = family,
                                     .slot = (uint32_t)slot,
                                     .name = as_one ? VSR_STR("*") : state->route->slots.items[slot].name,
                                     .n = as_one ? count_failures(results, slot, end) : 1,
                                     .code = signal_code_text((enum signal_code)results->codes[slot]),
                                     .reason = reason_of(results, slot) };
        fn(data, &error);
        if (as_one)
            break;
    }
}

void errors_each(const struct route_state *state, void (*fn)(void *data, const struct route_error *error), void *data) {
    for (size_t i = 0; i < state->route->n_families; i++)
        each_of_family(state, &state->route->families[i], fn, data);
}

/* ---- for others */

struct listener {
    void (*fn)(void *data, const char *family, vsr_str name, const char *code);
    void *data;
};

static void tell(void *data, const struct route_error *error) {
    const struct listener *listener = data;
    listener->fn(listener->data, error->family->family->config.type, error->name, error->code);
}

void route_errors(const struct route_state *state,
                  void (*fn)(void *data, const char *family, vsr_str name, const char *code), void *data) {
    errors_each(state, tell, &(struct listener){ fn, data });
}
