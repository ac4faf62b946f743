/*
 * result_cache - what a model said about a text, so that it need not be asked twice.
 *
 * Inference is deterministic: the same model, task and tokens give the same bytes. Keys are hashes of all that the
 * result depends on, under a secret of the process (nn/keyed_hash.h): nobody can find a text that passes for another.
 * The least recently used results make room for new ones within a limit in bytes, which counts what the cache itself
 * needs. Any thread; one lock, held for a copy.
 */
#ifndef VSR_NN_RESULT_CACHE_H
#define VSR_NN_RESULT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct result_cache;

struct result_key {
    uint64_t low, high;
};

struct result_cache_stats {
    uint64_t hits, misses, evicted;
    size_t entries, bytes;
};

/* Of parts in order; start from { 0 }. Parts are told apart: "ab", "c" is not "a", "bc". */
struct result_key result_key_add(struct result_key key, const void *part, size_t len);

/* 0 bytes: nothing is ever kept. */
struct result_cache *result_cache_new(size_t bytes_max);
void result_cache_free(struct result_cache *cache);

/* Copies the result to `ret` when there is one of exactly `len` bytes. */
bool result_cache_get(struct result_cache *cache, struct result_key key, void *ret, size_t len);
/* Copies `value`. One that is larger than an eighth of the limit is not kept: it would cost too many others. */
void result_cache_put(struct result_cache *cache, struct result_key key, const void *value, size_t len);

struct result_cache_stats result_cache_stats(struct result_cache *cache);

#endif
