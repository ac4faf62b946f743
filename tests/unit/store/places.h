/*
 * places - every kind of place that tests of store/ run against, with how it is made and taken away.
 */
#ifndef VSR_TESTS_STORE_PLACES_H
#define VSR_TESTS_STORE_PLACES_H

#include <stdlib.h>

#include "store/response_store.h"
#include "test.h"

struct place_state {
    char skipped[256]; /* why there is none */
    char dir[64];      /* its files; "": none */
    char path[128];
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

static void make_dir(struct place_state *state) {
    (void)snprintf(state->dir, sizeof(state->dir), "/tmp/vsr-store-XXXXXX");
    if (!mkdtemp(state->dir))
        fail_msg("%s cannot be made", state->dir);
}

static void remove_dir(struct place_state *state) {
    char command[128];
    if (!state->dir[0])
        return;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", state->dir);
    if (system(command) != 0)
        print_message("%s stays\n", state->dir);
}

/* In directories that are not there yet. */
static bool sqlite_begin(struct place_state *state, struct response_store_options *options) {
    make_dir(state);
    (void)snprintf(state->path, sizeof(state->path), "%s/state/vsr/responses.db", state->dir);
    options->kind = RESPONSE_STORE_SQLITE;
    options->path = str_from_c(state->path);
    return true;
}

static const struct place places[] = {
    { "memory", memory_begin, memory_end },
    { "sqlite", sqlite_begin, remove_dir },
};

#endif
