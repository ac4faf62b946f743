/*
 * flight - one run of a model over one input, and everybody who waits for it.
 *
 * Identical inputs that are asked for at the same time fly together: one run, as many answers. The table finds a flight
 * by the key of its result. Nothing here locks: the engine does, for table, lists and references alike; tokens and
 * result are written before the flight is shared and by the run alone.
 */
#ifndef VSR_MODEL_FLIGHT_H
#define VSR_MODEL_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"
#include "nn/result_cache.h"
#include "nn/scheduler.h"

struct engine;
struct engine_part;
struct model;

/* One text, or one picture. */
struct flight_input {
    struct model *model;
    const uint32_t *ids; /* [n_tokens] */
    const uint8_t *types;
    size_t n_tokens;
    size_t n_rows, width; /* of the result */
    size_t layers;        /* embedding: leave after so many; 0: all */
    bool no_exit_norm;    /* with layers: without the norm behind the last one */
    uint32_t skip;        /* embedding: tokens of a prompt at the start that are not pooled */
    vsr_str picture;      /* its file, or base64 of it, in place of tokens; empty: none */
    bool is_base64;
};

struct flight {
    struct flight_input input; /* tokens and picture are the flight's own, behind it */
    float *result;             /* [n_rows][width] */
    struct result_key key;
    struct engine *engine;
    struct scheduler_job job;
    uint64_t asked_ns;         /* of clock_mono_ns() */
    struct engine_part *parts; /* who waits */
    struct flight *next;       /* of its bucket */
    size_t n_refs;
    bool listed; /* in the table */
    bool landed; /* it is over: `rc` and `result` stand */
    bool remembered;
    int rc;
    struct vsr_err *err; /* NULL: none */
};

enum { FLIGHT_BUCKETS = 1024 };

struct flight_table {
    struct flight *buckets[FLIGHT_BUCKETS];
};

/* Of memory, until it is freed. */
size_t flight_bytes(size_t n_tokens, size_t picture_len, size_t n_rows, size_t width);
/* With one reference. Copies tokens or picture; holds a reference to the model. */
struct flight *flight_new(const struct flight_input *input);
/* True: that was the last one, and the caller frees it, better without a lock: its model may go with it. */
bool flight_unref(struct flight *flight);
void flight_free(struct flight *flight);

/* The flight behind a job of the scheduler. */
static inline struct flight *flight_of(const struct scheduler_job *job) {
    return job->owner;
}

/* Copies `err`. The first failure stays. */
void flight_fail(struct flight *flight, int rc, const struct vsr_err *err);

void flight_attach(struct flight *flight, struct engine_part *part);
void flight_detach(struct flight *flight, struct engine_part *part);

/* NULL: none. */
struct flight *flight_find(const struct flight_table *table, struct result_key key);
void flight_list(struct flight_table *table, struct flight *flight);
void flight_unlist(struct flight_table *table, struct flight *flight);

#endif
