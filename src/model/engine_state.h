/*
 * engine_state - what an engine holds. Private to engine.c, which runs batches, and engine_call.c, which queues calls.
 */
#ifndef VSR_MODEL_ENGINE_STATE_H
#define VSR_MODEL_ENGINE_STATE_H

#include <pthread.h>

#include "model/engine.h"
#include "model/flight.h"

struct station;
struct team;
struct tokenizer_pool;

struct engine {
    struct nn_runtime *runtime;
    struct scheduler *scheduler;
    struct team *team;
    size_t pass_threads;
    size_t tokens_max; /* of a batch, but for a text that is longer */
    void (*on_batch)(void *owner, const struct engine_batch_seen *seen);
    void *owner;
    struct result_cache *cache;
    struct station *stations;
    size_t n_stations;
    struct tokenizer_pool *tokenizers;
    /* Of who reads a picture: some are as large in memory as a model, so that is done to one at a time. Taken before a
     * core is, and nobody who has a core waits for it. */
    pthread_mutex_t picture;
    pthread_mutex_t air; /* guards the rest, and what flight.h says; taken before the scheduler's and the cache's own */
    struct flight_table flights;
    uint64_t shared;
    size_t bytes_max, bytes; /* of calls that have boarded, at most and now */
    uint64_t refused_bytes;
};

#endif
