#include "evidence/vector_cache.h"

#include <pthread.h>
#include <string.h>

#include "core/arena.h"
#include "core/log.h"
#include "core/mem.h"

enum { BUCKETS = 4096 };

struct item {
    struct item *next;          /* in the bucket */
    struct item *older, *newer; /* by use, over all shelves */
    struct vector_shelf *shelf;
    struct vector_hash hash;
    size_t dims;
    float vector[];
};

struct vector_shelf {
    struct vector_cache *cache;
    vsr_str key; /* in the cache's arena */
    bool on_disk, dirty;
    size_t dims, n;
};

struct vector_cache {
    pthread_mutex_t lock;
    struct arena *arena; /* of shelves and names */
    vsr_str directory;
    size_t len_max, len, n;
    struct vector_shelf *shelves[VECTOR_SHELVES_MAX];
    size_t n_shelves;
    struct item *oldest, *newest;
    struct item *buckets[BUCKETS];
};

static void lock(struct vector_cache *cache) {
    (void)pthread_mutex_lock(&cache->lock); /* fails only for a mutex that is none */
}

static void unlock(struct vector_cache *cache) {
    (void)pthread_mutex_unlock(&cache->lock);
}

/* ---- items */

static size_t item_len(size_t dims) {
    return sizeof(struct item) + dims * sizeof(float);
}

static struct item **bucket_of(struct vector_cache *cache, struct vector_hash hash) {
    return &cache->buckets[hash.low % BUCKETS];
}

static void unlink_use(struct vector_cache *cache, struct item *item) {
    *(item->older ? &item->older->newer : &cache->oldest) = item->newer;
    *(item->newer ? &item->newer->older : &cache->newest) = item->older;
}

static void link_newest(struct vector_cache *cache, struct item *item) {
    item->older = cache->newest;
    item->newer = NULL;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = item;
    cache->newest = item;
}

static void forget(struct vector_cache *cache, struct item *item) {
    struct item **link = bucket_of(cache, item->hash);
    while (*link != item)
        link = &(*link)->next;
    *link = item->next;
    unlink_use(cache, item);
    cache->len -= item_len(item->dims);
    cache->n--;
    item->shelf->n--;
    mem_free(item);
}

static struct item *find(const struct vector_shelf *shelf, struct vector_hash hash) {
    struct item *item = *bucket_of(shelf->cache, hash);
    while (item && !(item->shelf == shelf && item->hash.low == hash.low && item->hash.high == hash.high))
        item = item->next;
    return item;
}

static void forget_shelf(struct vector_shelf *shelf) {
    for (struct item *item = shelf->cache->oldest, *newer; item; item = newer) {
        newer = item->newer;
        if (item->shelf == shelf)
            forget(shelf->cache, item);
    }
}

/* True when it was not there. */
static bool add(struct vector_shelf *shelf, struct vector_hash hash, const float *vector, size_t dims) {
    struct vector_cache *cache = shelf->cache;
    struct item **bucket = bucket_of(cache, hash), *item;
    if (shelf->dims != dims)
        forget_shelf(shelf);
    shelf->dims = dims;
    if (find(shelf, hash) || item_len(dims) > cache->len_max)
        return false;
    while (cache->len + item_len(dims) > cache->len_max)
        forget(cache, cache->oldest);
    item = mem_alloc(item_len(dims));
    item->shelf = shelf;
    item->hash = hash;
    item->dims = dims;
    memcpy(item->vector, vector, dims * sizeof(float));
    item->next = *bucket;
    *bucket = item;
    link_newest(cache, item);
    cache->len += item_len(dims);
    cache->n++;
    shelf->n++;
    return true;
}

/* ---- shelves */

static void read_shelf(struct vector_shelf *shelf) {
    struct vector_cache *cache = shelf->cache;
    struct arena *arena = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct vector_set set;
    int rc = vector_file_read(arena, cache->directory, shelf->key, &set, &err);
    if (rc == 0)
        for (size_t i = set.n; i > 0; i--) /* the first in the file were used last */
            (void)add(shelf, set.entries[i - 1].hash, set.entries[i - 1].vector, set.dims);
    else if (rc != VSR_E_NOT_FOUND)
        LOG_WARN("vectors of examples are made anew", LOG_C("because", err.text));
    arena_free(arena);
}

static struct vector_shelf *find_shelf(struct vector_cache *cache, vsr_str key, bool on_disk) {
    struct vector_shelf *shelf;
    for (size_t i = 0; i < cache->n_shelves; i++)
        if (str_eq(cache->shelves[i]->key, key))
            return cache->shelves[i];
    if (cache->n_shelves == VECTOR_SHELVES_MAX || key.len > VECTOR_KEY_LEN_MAX)
        return NULL;
    shelf = cache->shelves[cache->n_shelves++] = ARENA_NEW(cache->arena, struct vector_shelf);
    shelf->cache = cache;
    shelf->key = arena_str(cache->arena, key);
    shelf->on_disk = on_disk && cache->directory.len > 0;
    if (shelf->on_disk)
        read_shelf(shelf);
    return shelf;
}

struct vector_shelf *vector_cache_shelf(struct vector_cache *cache, vsr_str key, bool on_disk) {
    struct vector_shelf *shelf;
    lock(cache);
    shelf = find_shelf(cache, key, on_disk);
    unlock(cache);
    return shelf;
}

size_t vector_shelf_dims(struct vector_shelf *shelf) {
    size_t dims;
    lock(shelf->cache);
    dims = shelf->n > 0 ? shelf->dims : 0;
    unlock(shelf->cache);
    return dims;
}

bool vector_shelf_get(struct vector_shelf *shelf, vsr_str text, float *ret, size_t dims) {
    struct vector_cache *cache = shelf->cache;
    struct vector_hash hash = vector_hash_of(text);
    struct item *item;
    lock(cache);
    item = find(shelf, hash);
    if (item && item->dims == dims) {
        memcpy(ret, item->vector, dims * sizeof(float));
        unlink_use(cache, item);
        link_newest(cache, item);
    }
    unlock(cache);
    return item && item->dims == dims;
}

void vector_shelf_put(struct vector_shelf *shelf, vsr_str text, const float *vector, size_t dims) {
    struct vector_hash hash = vector_hash_of(text);
    lock(shelf->cache);
    if (add(shelf, hash, vector, dims))
        shelf->dirty = true;
    unlock(shelf->cache);
}

/* A copy of what the shelf holds, newest first, in `arena`: the disk is written without the lock. */
static void copy_shelf(const struct vector_shelf *shelf, struct arena *arena, struct vector_set *ret) {
    struct vector_entry *entries = ARENA_ARRAY(arena, struct vector_entry, shelf->n);
    size_t n = 0;
    for (const struct item *item = shelf->cache->newest; item; item = item->older) {
        float *vector;
        if (item->shelf != shelf)
            continue;
        vector = ARENA_ARRAY(arena, float, item->dims);
        memcpy(vector, item->vector, item->dims * sizeof(float));
        entries[n++] = (struct vector_entry){ item->hash, vector };
    }
    *ret = (struct vector_set){ shelf->key, shelf->dims, entries, n };
}

void vector_shelf_save(struct vector_shelf *shelf) {
    struct vector_cache *cache = shelf->cache;
    struct vsr_err err = VSR_ERR_NONE;
    struct vector_set set = { .n = 0 };
    struct arena *arena = arena_new(0, 0);
    lock(cache);
    if (shelf->on_disk && shelf->dirty)
        copy_shelf(shelf, arena, &set);
    shelf->dirty = false;
    unlock(cache);
    if (set.n > 0 && vector_file_write(cache->directory, &set, &err) < 0)
        LOG_WARN("vectors of examples are not kept for the next start", LOG_C("because", err.text));
    arena_free(arena);
}

/* ---- life */

struct vector_cache *vector_cache_new(vsr_str directory, size_t len_max) {
    struct vector_cache *cache = MEM_NEW(struct vector_cache);
    (void)pthread_mutex_init(&cache->lock, NULL); /* default attributes cannot fail */
    cache->arena = arena_new(0, 0);
    cache->directory = arena_str(cache->arena, directory);
    cache->len_max = len_max ? len_max : VECTOR_CACHE_LEN_MAX;
    return cache;
}

void vector_cache_free(struct vector_cache *cache) {
    if (!cache)
        return;
    while (cache->oldest)
        forget(cache, cache->oldest);
    (void)pthread_mutex_destroy(&cache->lock);
    arena_free(cache->arena);
    mem_free(cache);
}

struct vector_cache_stats vector_cache_stats(struct vector_cache *cache) {
    struct vector_cache_stats stats;
    lock(cache);
    stats = (struct vector_cache_stats){ cache->n, cache->len, cache->n_shelves };
    unlock(cache);
    return stats;
}
