/*
 * places - every kind of place that tests of store/ run against, with how it is made and taken away.
 */
#ifndef VSR_TESTS_STORE_PLACES_H
#define VSR_TESTS_STORE_PLACES_H

#include "store/response_store.h"

struct place_state {
    char skipped[256]; /* why there is none */
};

struct place {
    const char *name;
    /* False: this machine cannot have one. */
    bool (*begin)(struct place_state *state, struct response_store_options *options);
    void (*end)(struct place_state *state);
};

static bool memory_begin(struct place_state *state, struct response_store_options *options) {
    (void)state;
    options->kind = RESPONSE_STORE_MEMORY;
    return true;
}

static void memory_end(struct place_state *state) {
    (void)state;
}

static const struct place places[] = {
    { "memory", memory_begin, memory_end },
};

#endif
