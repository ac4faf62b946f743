/*
 * store_state - what a store holds. Private to the store*.c files; store.h has what callers see.
 *
 * store_slot.c      one slot for each model, the list of them, and the queue for loaders
 * store_news.c      what readiness and the report are told
 * store_room.c      the ceiling on weights in memory
 * store_loader.c    the threads that load
 * store_scout.c     the thread that looks for files
 * store_claim.c     what former configurations still need
 * store.c           configuring, asking, and a store's life
 *
 * One lock guards all that changes, slots and wishes included. What takes long - the disk, packing, freeing a model -
 * and what is foreign - the report - runs without it, so whoever gives it up meanwhile says so and is a user of its
 * slot, which may be dropped. What the private headers declare, and every static function on a store or a slot,
 * expects the lock unless it says otherwise. Under it the locks of readiness and of the tensor store are taken, never
 * the other way round.
 */
#ifndef VSR_MODEL_STORE_STATE_H
#define VSR_MODEL_STORE_STATE_H

#include <pthread.h>

#include "model/store.h"

struct slot;

struct loader {
    struct store *store;
    pthread_t id;
};

struct store {
    /* Never change while threads run. */
    struct store_options options;
    struct arena *arena;
    struct loader loaders[STORE_LOADERS_MAX];
    size_t n_loaders;
    pthread_t scout;
    bool has_scout;
    pthread_mutex_t mutex;   /* guards the rest */
    pthread_cond_t changed;  /* a load has ended, one is wanted, there is something to free, or the store stops */
    pthread_cond_t scouting; /* there is something to look for or to free, or the store stops */
    struct slot *slots;      /* what is wanted, or claimed */
    struct slot *queue;      /* for loaders: those that somebody waits for stand at its front */
    struct slot *gone;       /* whose models are to be freed */
    uint64_t clock;          /* counts uses of models */
    uint64_t loads, failures, unloads;
    bool stopping;
};

/* Both without the lock, and with it. */
void store_lock(struct store *store);
void store_unlock(struct store *store);

#endif
