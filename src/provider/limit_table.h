/*
 * limit_table - how much of each budget has been used, in this process.
 *
 * A bucket is a leaky one: what is taken fills it, and it empties at an even rate, a whole limit in a window. So no
 * window has an edge at which twice the limit would fit, a caller that paused has its whole limit again, and use beyond
 * the limit (an answer longer than was thought) is a debt that the same rate pays off. One double and one time a
 * bucket; sums of whole numbers up to 2^53 are exact.
 *
 * Buckets lie in shards by hash, each with a lock. Taking locks all shards of the request at once, in order, so that
 * several budgets are taken together or not at all and nobody is turned away for what another one gives back. A bucket
 * that is empty and held by nobody is dropped when its shard has grown. Any thread. Time is handed in.
 */
#ifndef VSR_PROVIDER_LIMIT_TABLE_H
#define VSR_PROVIDER_LIMIT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct limit_bucket;
struct limit_table;

enum {
    LIMIT_TABLE_SHARDS = 64,
    LIMIT_TABLE_SHARD_MAX = 1 << 15, /* buckets of one; about two million in all, 200 bytes each */
};

/* One budget and what is to be taken from it. */
struct limit_need {
    vsr_str key; /* names the bucket */
    double limit;
    uint64_t window_us; /* in which a full bucket empties; 0: it never does, what is taken must be given back */
    double amount;      /* 0: nothing is taken, but the bucket must not be full */
};

/* What there is of a budget. */
struct limit_level {
    double used;       /* with what was taken now; without, when the need was refused */
    uint64_t empty_us; /* from now until nothing is used */
    uint64_t wait_us;  /* refused: from now until the amount fits; UINT64_MAX: never, it is more than the limit */
};

struct limit_table *limit_table_new(void);
/* Nothing may be held. NULL is allowed. */
void limit_table_free(struct limit_table *table);

/*
 * Takes all needs or none. Returns the index of the first that does not fit, -1 when all did. Levels are written in
 * both cases, for all. When taken, `ret_held[i]` is held for each need until limit_table_give(). VSR_E_LIMIT (below
 * -1): too many buckets are in use.
 */
int limit_table_take(struct limit_table *table, const struct limit_need *needs, size_t n, uint64_t now_us,
                     struct limit_bucket **ret_held, struct limit_level *ret_levels);

/* Lets go of a bucket, after putting `delta` into it (below zero: giving back). */
void limit_table_give(struct limit_table *table, struct limit_bucket *bucket, double delta, uint64_t now_us);

/* Buckets that there are, for tests and metrics. */
size_t limit_table_count(struct limit_table *table);

/* ---- arithmetic, shared with those who keep the numbers elsewhere */

/* What is left of `used` after that time. */
double limit_drain(double used, double limit, uint64_t window_us, uint64_t elapsed_us);
bool limit_fits(double used, double limit, double amount);
/* The level of a bucket; `fits` as found. */
struct limit_level limit_level(double used, const struct limit_need *need, bool fits);

#endif
