#include "provider/limit_table.h"

#include <pthread.h>

#include "core/assert.h"
#include "core/err.h"
#include "core/mem.h"

enum {
    CHAINS = 1024,     /* per shard */
    SWEEP_LEAST = 256, /* buckets of a shard below which nobody looks for empty ones */
};
_Static_assert(LIMIT_TABLE_SHARDS == 64, "a request's shards are a 64-bit word");

struct limit_bucket {
    struct limit_bucket *next;
    uint64_t hash;
    double used, limit;
    uint64_t at_us, window_us;
    uint32_t n_holders;
    uint32_t key_len;
    char key[];
};

struct shard {
    pthread_mutex_t lock;
    struct limit_bucket *chains[CHAINS];
    size_t n, sweep_at;
};

struct limit_table {
    uint64_t seed;
    struct shard shards[LIMIT_TABLE_SHARDS];
};

/* ---- arithmetic */

double limit_drain(double used, double limit, uint64_t window_us, uint64_t elapsed_us) {
    double left;
    if (window_us == 0 || used <= 0)
        return used > 0 ? used : 0;
    left = used - (double)elapsed_us * (limit / (double)window_us);
    return left > 0 ? left : 0;
}

/* Draining leaves rounding errors of this size. */
static double slack(double limit) {
    return 1e-9 + limit * 1e-12;
}

bool limit_fits(double used, double limit, double amount) {
    if (amount <= 0)
        return used < limit - slack(limit);
    return used + amount <= limit + slack(limit);
}

static uint64_t time_to_drain(double amount, const struct limit_need *need) {
    if (amount <= 0 || need->window_us == 0)
        return 0;
    return (uint64_t)(amount * ((double)need->window_us / need->limit)) + 1;
}

struct limit_level limit_level(double used, const struct limit_need *need, bool fits) {
    struct limit_level level = { .used = used, .empty_us = time_to_drain(used, need) };
    if (fits)
        return level;
    level.wait_us = need->amount > need->limit + slack(need->limit)
                        ? UINT64_MAX
                        : time_to_drain(used + need->amount - need->limit, need);
    return level;
}

/* ---- buckets */

struct limit_table *limit_table_new(void) {
    struct limit_table *table = MEM_NEW(struct limit_table);
    table->seed = (uint64_t)(uintptr_t)table; /* keys come from callers: nobody should know the chains */
    for (size_t i = 0; i < LIMIT_TABLE_SHARDS; i++) {
        pthread_mutex_init(&table->shards[i].lock, NULL);
        table->shards[i].sweep_at = SWEEP_LEAST;
    }
    return table;
}

void limit_table_free(struct limit_table *table) {
    for (size_t i = 0; table && i < LIMIT_TABLE_SHARDS; i++) {
        struct shard *shard = &table->shards[i];
        for (size_t c = 0; c < CHAINS; c++) {
            while (shard->chains[c]) {
                struct limit_bucket *next = shard->chains[c]->next;
                VSR_ASSERT(shard->chains[c]->n_holders == 0);
                mem_free(shard->chains[c]);
                shard->chains[c] = next;
            }
        }
        pthread_mutex_destroy(&shard->lock);
    }
    mem_free(table);
}

static struct shard *shard_of(struct limit_table *table, uint64_t hash) {
    return &table->shards[hash >> 58];
}

static void drain(struct limit_bucket *bucket, uint64_t now_us) {
    if (now_us > bucket->at_us) {
        bucket->used = limit_drain(bucket->used, bucket->limit, bucket->window_us, now_us - bucket->at_us);
        bucket->at_us = now_us;
    }
}

/* Drops what is empty and held by nobody. The next look is when the shard has grown to twice what remains. */
static void sweep(struct shard *shard, uint64_t now_us) {
    for (size_t c = 0; c < CHAINS; c++) {
        struct limit_bucket **at = &shard->chains[c];
        while (*at) {
            struct limit_bucket *bucket = *at;
            drain(bucket, now_us);
            if (bucket->n_holders == 0 && bucket->used <= 0) {
                *at = bucket->next;
                mem_free(bucket);
                shard->n--;
            } else {
                at = &bucket->next;
            }
        }
    }
    shard->sweep_at = shard->n * 2 > SWEEP_LEAST ? shard->n * 2 : SWEEP_LEAST;
    if (shard->sweep_at > LIMIT_TABLE_SHARD_MAX)
        shard->sweep_at = LIMIT_TABLE_SHARD_MAX;
}

static struct limit_bucket *find(struct shard *shard, uint64_t hash, vsr_str key) {
    struct limit_bucket *bucket = shard->chains[hash % CHAINS];
    while (bucket && !(bucket->hash == hash && str_eq(str_make(bucket->key, bucket->key_len), key)))
        bucket = bucket->next;
    return bucket;
}

static struct limit_bucket *make(struct shard *shard, uint64_t hash, vsr_str key, uint64_t now_us) {
    struct limit_bucket *bucket = mem_alloc(sizeof(*bucket) + key.len);
    bucket->hash = hash;
    bucket->at_us = now_us;
    bucket->key_len = (uint32_t)key.len;
    if (key.len)
        memcpy(bucket->key, key.ptr, key.len);
    bucket->next = shard->chains[hash % CHAINS];
    shard->chains[hash % CHAINS] = bucket;
    shard->n++;
    return bucket;
}

/* The bucket of a need, emptied up to now and held. NULL: the shard is full of buckets in use. */
static struct limit_bucket *hold(struct limit_table *table, const struct limit_need *need, uint64_t hash,
                                 uint64_t now_us) {
    struct shard *shard = shard_of(table, hash);
    struct limit_bucket *bucket = find(shard, hash, need->key);
    if (!bucket && shard->n >= shard->sweep_at)
        sweep(shard, now_us);
    if (!bucket && shard->n >= LIMIT_TABLE_SHARD_MAX)
        return NULL;
    if (!bucket)
        bucket = make(shard, hash, need->key, now_us);
    drain(bucket, now_us); /* by the rate that held so far */
    bucket->limit = need->limit;
    bucket->window_us = need->window_us;
    bucket->n_holders++;
    return bucket;
}

/* ---- taking */

static uint64_t lock_all(struct limit_table *table, const struct limit_need *needs, size_t n) {
    uint64_t shards = 0;
    for (size_t i = 0; i < n; i++)
        shards |= UINT64_C(1) << (str_hash(needs[i].key, table->seed) >> 58);
    for (size_t i = 0; i < LIMIT_TABLE_SHARDS; i++)
        if (shards >> i & 1)
            pthread_mutex_lock(&table->shards[i].lock);
    return shards;
}

static void unlock_all(struct limit_table *table, uint64_t shards) {
    for (size_t i = 0; i < LIMIT_TABLE_SHARDS; i++)
        if (shards >> i & 1)
            pthread_mutex_unlock(&table->shards[i].lock);
}

static void let_go(struct limit_bucket **held, size_t n) {
    for (size_t i = 0; i < n; i++) {
        held[i]->n_holders--;
        held[i] = NULL;
    }
}

/* Two needs of one bucket count together: what the first puts in is there for the second. */
static int fill(const struct limit_need *needs, size_t n, struct limit_bucket **held, struct limit_level *levels) {
    int refused = -1;
    for (size_t i = 0; i < n; i++) {
        bool fits = limit_fits(held[i]->used, needs[i].limit, needs[i].amount);
        if (!fits && refused < 0)
            refused = (int)i;
        levels[i] = limit_level(held[i]->used, &needs[i], fits);
        held[i]->used += needs[i].amount;
    }
    for (size_t i = 0; i < n; i++) {
        if (refused >= 0)
            held[i]->used -= needs[i].amount;
        else
            levels[i] = limit_level(held[i]->used, &needs[i], true);
    }
    return refused;
}

int limit_table_take(struct limit_table *table, const struct limit_need *needs, size_t n, uint64_t now_us,
                     struct limit_bucket **ret_held, struct limit_level *ret_levels) {
    uint64_t shards = lock_all(table, needs, n);
    int refused = -1;
    for (size_t i = 0; i < n; i++) {
        ret_held[i] = hold(table, &needs[i], str_hash(needs[i].key, table->seed), now_us);
        if (!ret_held[i]) {
            let_go(ret_held, i);
            unlock_all(table, shards);
            return VSR_E_LIMIT;
        }
    }
    refused = fill(needs, n, ret_held, ret_levels);
    if (refused >= 0)
        let_go(ret_held, n);
    unlock_all(table, shards);
    return refused;
}

void limit_table_give(struct limit_table *table, struct limit_bucket *bucket, double delta, uint64_t now_us) {
    struct shard *shard = shard_of(table, bucket->hash);
    pthread_mutex_lock(&shard->lock);
    VSR_ASSERT(bucket->n_holders > 0);
    drain(bucket, now_us);
    bucket->used += delta;
    if (bucket->used < 0)
        bucket->used = 0;
    bucket->n_holders--;
    pthread_mutex_unlock(&shard->lock);
}

size_t limit_table_count(struct limit_table *table) {
    size_t n = 0;
    for (size_t i = 0; i < LIMIT_TABLE_SHARDS; i++) {
        pthread_mutex_lock(&table->shards[i].lock);
        n += table->shards[i].n;
        pthread_mutex_unlock(&table->shards[i].lock);
    }
    return n;
}
