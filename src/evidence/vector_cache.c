#include "evidence/vector_cache.h"

#include <pthread.h>
#include <string.h>

#include "core/arena.h"
#include "core/assert.h"
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
    bool on_disk, dirty;
    size_t dims, n, n_refs;
    uint64_t used; /* by the cache's count of uses */
    size_t key_len;
    char key[];
};

struct vector_cache {
    pthread_mutex_t lock;
    struct arena *arena; /* of the directory */
    vsr_str directory;
    uint64_t n_uses;
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

static vsr_str key_of(const struct vector_shelf *shelf) {
    return str_make(shelf->key, shelf->key_len);
}

static void read_shelf(struct vector_shelf *shelf) {
    struct vector_cache *cache = shelf->cache;
    struct arena *arena = arena_new(0, 0);
    struct vsr_err err = VSR_ERR_NONE;
    struct vector_set set;
    int rc = vector_file_read(arena, cache->directory, key_of(shelf), &set, &err);
    if (rc == 0)
        for (size_t i = set.n; i > 0; i--) /* the first in the file were used last */
            (void)add(shelf, set.entries[i - 1].hash, set.entries[i - 1].vector, set.dims);
    else if (rc != VSR_E_NOT_FOUND)
        LOG_WARN("vectors of examples are made anew", LOG_C("because", err.text));
    arena_free(arena);
}

/* The one that nobody has in hand and that was not used for longest makes room. False: all are in use. */
static bool drop_shelf(struct vector_cache *cache) {
    size_t oldest = cache->n_shelves;
    for (size_t i = 0; i < cache->n_shelves; i++)
        if (cache->shelves[i]->n_refs == 0 &&
            (oldest == cache->n_shelves || cache->shelves[i]->used < cache->shelves[oldest]->used))
            oldest = i;
    if (oldest == cache->n_shelves)
        return false;
    forget_shelf(cache->shelves[oldest]);
    mem_free(cache->shelves[oldest]);
    cache->shelves[oldest] = cache->shelves[--cache->n_shelves];
    return true;
}

static struct vector_shelf *new_shelf(struct vector_cache *cache, vsr_str key, bool on_disk) {
    struct vector_shelf *shelf = mem_alloc(sizeof(*shelf) + key.len);
    *shelf = (struct vector_shelf){ .cache = cache, .key_len = key.len };
    memcpy(shelf->key, key.ptr, key.len);
    cache->shelves[cache->n_shelves++] = shelf;
    shelf->on_disk = on_disk && cache->directory.len > 0;
    if (shelf->on_disk)
        read_shelf(shelf);
    return shelf;
}

static struct vector_shelf *find_shelf(struct vector_cache *cache, vsr_str key, bool on_disk) {
    for (size_t i = 0; i < cache->n_shelves; i++)
        if (str_eq(key_of(cache->shelves[i]), key))
            return cache->shelves[i];
    if (key.len == 0 || key.len > VECTOR_KEY_LEN_MAX || (cache->n_shelves == VECTOR_SHELVES_MAX && !drop_shelf(cache)))
        return NULL;
    return new_shelf(cache, key, on_disk);
}

struct vector_shelf *vector_cache_shelf(struct vector_cache *cache, vsr_str key, bool on_disk) {
    struct vector_shelf *shelf;
    lock(cache);
    shelf = find_shelf(cache, key, on_disk);
    if (shelf) {
        shelf->n_refs++;
        shelf->used = ++cache->n_uses;
    }
    unlock(cache);
    return shelf;
}

void vector_shelf_unref(struct vector_shelf *shelf) {
    struct vector_cache *cache = shelf ? shelf->cache : NULL;
    if (!shelf)
        return;
    lock(cache);
    VSR_ASSERT(shelf->n_refs > 0);
    shelf->n_refs--;
    unlock(cache);
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

void vector_shelf_forget(struct vector_shelf *shelf) {
    lock(shelf->cache);
    forget_shelf(shelf);
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
    *ret = (struct vector_set){ key_of(shelf), shelf->dims, entries, n };
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
    if (set.n > 0 && vector_file_write(cache->directory, &set, &err) < 0) {
        LOG_WARN("vectors of examples are not kept for the next start", LOG_C("because", err.text));
        lock(cache);
        shelf->dirty = true; /* the next save tries again */
        unlock(cache);
    }
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
    for (size_t i = 0; i < cache->n_shelves; i++)
        mem_free(cache->shelves[i]);
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
