#include "nn/result_cache.h"

#include <pthread.h>
#include <string.h>

#include "core/mem.h"
#include "nn/keyed_hash.h"

enum { SLOTS_MIN = 64, LARGEST_SHARE = 8 };

struct entry {
    struct result_key key;
    struct entry *chain;         /* same slot */
    struct entry *newer, *older; /* by use */
    size_t len;
    unsigned char value[];
};

struct result_cache {
    size_t bytes_max;
    pthread_mutex_t mutex; /* guards the rest */
    struct entry **slots;  /* [n_slots], a power of two */
    size_t n_slots;
    struct entry *newest, *oldest;
    struct result_cache_stats stats;
};

struct result_key result_key_add(struct result_key key, const void *part, size_t len) {
    struct keyed_hash hash = keyed_hash(part, len);
    uint64_t words[5] = { key.low, key.high, hash.low, hash.high, len };
    hash = keyed_hash(words, sizeof(words));
    return (struct result_key){ hash.low, hash.high };
}

struct result_cache *result_cache_new(size_t bytes_max) {
    struct result_cache *cache = MEM_NEW(struct result_cache);
    cache->bytes_max = bytes_max;
    cache->n_slots = SLOTS_MIN;
    cache->slots = mem_alloc(cache->n_slots * sizeof(*cache->slots));
    cache->stats.bytes = cache->n_slots * sizeof(*cache->slots);
    (void)pthread_mutex_init(&cache->mutex, NULL); /* cannot fail with default attributes */
    return cache;
}

void result_cache_free(struct result_cache *cache) {
    if (!cache)
        return;
    while (cache->newest) {
        struct entry *entry = cache->newest;
        cache->newest = entry->older;
        mem_free(entry);
    }
    mem_free(cache->slots);
    (void)pthread_mutex_destroy(&cache->mutex);
    mem_free(cache);
}

/* ---- entries; the mutex is held */

static struct entry **slot_of(const struct result_cache *cache, struct result_key key) {
    return &cache->slots[key.low & (cache->n_slots - 1)];
}

static struct entry *find(const struct result_cache *cache, struct result_key key) {
    struct entry *entry = *slot_of(cache, key);
    while (entry && (entry->key.low != key.low || entry->key.high != key.high))
        entry = entry->chain;
    return entry;
}

static void unlink_use(struct result_cache *cache, struct entry *entry) {
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        cache->newest = entry->older;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        cache->oldest = entry->newer;
}

static void link_newest(struct result_cache *cache, struct entry *entry) {
    entry->newer = NULL;
    entry->older = cache->newest;
    if (cache->newest)
        cache->newest->newer = entry;
    else
        cache->oldest = entry;
    cache->newest = entry;
}

static size_t entry_bytes(size_t len) {
    return sizeof(struct entry) + len;
}

static void drop(struct result_cache *cache, struct entry *entry) {
    struct entry **link = slot_of(cache, entry->key);
    while (*link != entry)
        link = &(*link)->chain;
    *link = entry->chain;
    unlink_use(cache, entry);
    cache->stats.entries--;
    cache->stats.bytes -= entry_bytes(entry->len);
    mem_free(entry);
}

/* Twice the slots, when they pay: chains stay short, and the slots count as bytes. */
static void grow(struct result_cache *cache) {
    size_t n = cache->n_slots * 2, more = cache->n_slots * sizeof(*cache->slots);
    struct entry **slots;
    if (cache->stats.entries < cache->n_slots || cache->stats.bytes + more > cache->bytes_max)
        return;
    slots = mem_alloc(n * sizeof(*slots));
    for (struct entry *entry = cache->oldest; entry; entry = entry->newer) {
        struct entry **slot = &slots[entry->key.low & (n - 1)];
        entry->chain = *slot;
        *slot = entry;
    }
    mem_free(cache->slots);
    cache->slots = slots;
    cache->n_slots = n;
    cache->stats.bytes += more;
}

static bool make_room(struct result_cache *cache, size_t len) {
    size_t need = entry_bytes(len);
    if (need > cache->bytes_max / LARGEST_SHARE)
        return false;
    while (cache->oldest && cache->stats.bytes + need > cache->bytes_max) {
        drop(cache, cache->oldest);
        cache->stats.evicted++;
    }
    return cache->stats.bytes + need <= cache->bytes_max;
}

static void insert(struct result_cache *cache, struct result_key key, const void *value, size_t len) {
    struct entry *entry = mem_alloc(entry_bytes(len)), **slot = slot_of(cache, key);
    entry->key = key;
    entry->len = len;
    if (len)
        memcpy(entry->value, value, len);
    entry->chain = *slot;
    *slot = entry;
    link_newest(cache, entry);
    cache->stats.entries++;
    cache->stats.bytes += entry_bytes(len);
    grow(cache);
}

/* ---- use */

bool result_cache_get(struct result_cache *cache, struct result_key key, void *ret, size_t len) {
    struct entry *entry;
    bool found;
    (void)pthread_mutex_lock(&cache->mutex); /* fails only for a mutex that is none */
    entry = find(cache, key);
    found = entry && entry->len == len;
    if (found) {
        if (len)
            memcpy(ret, entry->value, len);
        unlink_use(cache, entry);
        link_newest(cache, entry);
        cache->stats.hits++;
    } else {
        cache->stats.misses++;
    }
    (void)pthread_mutex_unlock(&cache->mutex);
    return found;
}

void result_cache_put(struct result_cache *cache, struct result_key key, const void *value, size_t len) {
    struct entry *old;
    (void)pthread_mutex_lock(&cache->mutex);
    old = find(cache, key);
    if (old)
        drop(cache, old);
    if (make_room(cache, len))
        insert(cache, key, value, len);
    (void)pthread_mutex_unlock(&cache->mutex);
}

struct result_cache_stats result_cache_stats(struct result_cache *cache) {
    struct result_cache_stats stats;
    (void)pthread_mutex_lock(&cache->mutex);
    stats = cache->stats;
    (void)pthread_mutex_unlock(&cache->mutex);
    return stats;
}
