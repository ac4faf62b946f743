/*
 * hub_fetch - the conversation with a hub: attempts, resumption, and what its refusals mean. Used by hub.c; one thread.
 */
#ifndef VSR_MODEL_HUB_FETCH_H
#define VSR_MODEL_HUB_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/hub.h"
#include "model/hub_listing.h"

struct arena;
struct stage;
struct hub_fetch;

/* Files to bring into a stage. */
struct hub_fetch_files {
    struct stage *stage;
    vsr_str repo_id;
    const struct hub_listing *listing;
    const size_t *missing; /* indexes into the listing */
    size_t n_missing;
    /* A file is whole, checked and in the stage. */
    void (*on_fetched)(void *data, size_t index, uint64_t size, const struct digest *sha256);
    /* Bytes of a file are there; `fetched`: they were not before. Negative: some are given up. */
    void (*on_bytes)(void *data, size_t index, int64_t n_bytes, bool fetched);
    void *data;
};

/* What tells versions of a file apart in the names of their parts. */
vsr_str hub_file_key(const struct hub_listing *listing, const struct hub_file *file);

/* Keeps `options`. VSR_E_INVALID: the endpoint or the token cannot be. */
int hub_fetch_new(const struct hub_options *options, struct hub_fetch **ret_fetch, struct vsr_err *err) VSR_MUST_CHECK;
void hub_fetch_free(struct hub_fetch *fetch);

/* The hub's answer about a revision. `ret_failure` says what kind of failure a negative result is. */
int hub_fetch_listing(struct hub_fetch *fetch, struct arena *arena, vsr_str repo_id, vsr_str revision,
                      vsr_str *ret_json, enum hub_failure *ret_failure, struct vsr_err *err) VSR_MUST_CHECK;

/* After a failure the parts stay for the next attempt; nothing else may be asked of `fetch`. */
int hub_fetch_files(struct hub_fetch *fetch, struct arena *arena, const struct hub_fetch_files *files,
                    enum hub_failure *ret_failure, struct vsr_err *err) VSR_MUST_CHECK;

#endif
