/* Buckets that leak: how much fits, when there is room again, and that many threads take no more than there is. */
#include "provider/limit_table.h"

#include <pthread.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/random.h"
#include "test.h"

enum { SECOND = 1000000, MINUTE = 60 * SECOND };

static struct limit_need need(const char *key, double limit, uint64_t window_us, double amount) {
    return (struct limit_need){ .key = str_from_c(key), .limit = limit, .window_us = window_us, .amount = amount };
}

/* Takes one need and lets go of the bucket. */
static int take(struct limit_table *table, struct limit_need want, uint64_t now_us, struct limit_level *ret_level) {
    struct limit_bucket *held;
    int refused = limit_table_take(table, &want, 1, now_us, &held, ret_level);
    if (refused < 0)
        limit_table_give(table, held, 0, now_us);
    return refused;
}

static const struct {
    const char *name;
    double limit, amount;
    uint64_t at_us; /* since the bucket was made full by `limit` takes of 1 */
    int want;
    uint64_t wait_us; /* 0: not looked at */
} cases[] = {
    { "full", 10, 1, 0, 0, 6 * SECOND + 1 },
    { "not yet", 10, 1, 5999999, 0, 2 },
    { "one is back", 10, 1, 6 * SECOND, -1, 0 },
    { "two are not", 10, 2, 6 * SECOND, 0, 6 * SECOND + 1 },
    { "two are back", 10, 2, 12 * SECOND, -1, 0 },
    { "all is back", 10, 10, MINUTE, -1, 0 },
    { "no more than all", 10, 11, 10 * MINUTE, 0, UINT64_MAX },
    { "a look at a full one", 10, 0, 0, 0, 1 },
    { "a look at one with room", 10, 0, SECOND, -1, 0 },
    { "thirds", 3, 1, 20 * SECOND, -1, 0 },
    { "thirds, early", 3, 1, 20 * SECOND - 10, 0, 0 },
    { "sevenths", 7, 7, MINUTE, -1, 0 },
};

TEST(leaks_evenly) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct limit_table *table = limit_table_new();
        struct limit_level level;
        for (int n = 0; n < (int)cases[i].limit; n++)
            CHECK_INT(take(table, need("k", cases[i].limit, MINUTE, 1), SECOND, &level), -1, cases[i].name);
        CHECK_INT(level.empty_us / SECOND, 60, cases[i].name);
        CHECK_INT(take(table, need("k", cases[i].limit, MINUTE, cases[i].amount), SECOND + cases[i].at_us, &level),
                  cases[i].want, cases[i].name);
        if (cases[i].wait_us) /* rounding may make it one more or less */
            CHECK_MSG(level.wait_us - cases[i].wait_us + 1 <= 2, "%s: waits %llu us", cases[i].name,
                      (unsigned long long)level.wait_us);
        limit_table_free(table);
    }
}

/* All or none: what a later need refuses, the earlier ones keep. */
TEST(all_or_none) {
    struct limit_table *table = limit_table_new();
    struct limit_need both[] = { need("a", 2, MINUTE, 1), need("b", 1, MINUTE, 1) };
    struct limit_bucket *held[2];
    struct limit_level levels[2];
    CHECK_INT(limit_table_take(table, both, 2, 0, held, levels), -1, "first");
    limit_table_give(table, held[0], 0, 0);
    limit_table_give(table, held[1], 0, 0);
    CHECK_INT(limit_table_take(table, both, 2, 0, held, levels), 1, "the second bucket is full");
    CHECK_INT((int)levels[0].used, 1, "and the first has lost nothing");
    CHECK_INT(take(table, need("a", 2, MINUTE, 1), 0, &levels[0]), -1, "so there is one more");
    CHECK_INT(take(table, need("a", 2, MINUTE, 1), 0, &levels[0]), 0, "and no other");
    limit_table_free(table);
}

/* One bucket that two rules name counts both. */
TEST(same_bucket_twice) {
    struct limit_table *table = limit_table_new();
    struct limit_need twice[] = { need("a", 1, MINUTE, 1), need("a", 1, MINUTE, 1) };
    struct limit_bucket *held[2];
    struct limit_level levels[2];
    CHECK_INT(limit_table_take(table, twice, 2, 0, held, levels), 1, "there is one, not two");
    CHECK_INT(limit_table_take(table, twice, 1, 0, held, levels), -1, "and it is still there");
    limit_table_give(table, held[0], 0, 0);
    limit_table_free(table);
}

/* More was used than was taken: a debt, paid off by the rate. Less: it is back at once. */
TEST(settled) {
    struct limit_table *table = limit_table_new();
    struct limit_need tokens = need("t", 100, MINUTE, 10);
    struct limit_bucket *held;
    struct limit_level level;
    CHECK_INT(limit_table_take(table, &tokens, 1, 0, &held, &level), -1, "taken");
    limit_table_give(table, held, 140, 0);
    CHECK_INT(take(table, tokens, 30 * SECOND, &level), 0, "150 used, 100 left of it");
    CHECK_INT(level.wait_us, 6 * SECOND + 1, "10 fit six seconds later");
    CHECK_INT(take(table, tokens, 36 * SECOND + 1, &level), -1, "they do");
    CHECK_INT(limit_table_take(table, &tokens, 1, 2 * MINUTE, &held, &level), -1, "taken");
    limit_table_give(table, held, -10, 2 * MINUTE);
    CHECK_INT(take(table, need("t", 100, MINUTE, 100), 2 * MINUTE, &level), -1, "all of it is there");
    limit_table_free(table);
}

/* Without a window nothing leaks: requests at once. */
TEST(places) {
    struct limit_table *table = limit_table_new();
    struct limit_need place = need("c", 2, 0, 1);
    struct limit_bucket *held[3];
    struct limit_level level;
    CHECK_INT(limit_table_take(table, &place, 1, 0, &held[0], &level), -1, "one");
    CHECK_INT(limit_table_take(table, &place, 1, 0, &held[1], &level), -1, "two");
    CHECK_INT(limit_table_take(table, &place, 1, 60 * (uint64_t)MINUTE, &held[2], &level), 0, "an hour later");
    limit_table_give(table, held[0], -1, 60 * (uint64_t)MINUTE);
    CHECK_INT(limit_table_take(table, &place, 1, 60 * (uint64_t)MINUTE, &held[2], &level), -1, "one left");
    limit_table_give(table, held[1], -1, 61 * (uint64_t)MINUTE);
    limit_table_give(table, held[2], -1, 61 * (uint64_t)MINUTE);
    limit_table_free(table);
}

/* Limits of a new generation hold at once for what was used under the old one. */
TEST(limit_changes) {
    struct limit_table *table = limit_table_new();
    struct limit_level level;
    for (int i = 0; i < 10; i++)
        CHECK_INT(take(table, need("k", 10, MINUTE, 1), 0, &level), -1, "ten");
    CHECK_INT(take(table, need("k", 12, MINUTE, 2), 0, &level), -1, "two more");
    CHECK_INT(take(table, need("k", 12, MINUTE, 1), 0, &level), 0, "no third");
    CHECK_INT(take(table, need("k", 5, MINUTE, 1), 30 * SECOND, &level), 0, "12 - 6 of the old rate is over 5");
    limit_table_free(table);
}

TEST(idle_buckets_leave) {
    enum { CALLERS = 100000 };
    struct limit_table *table = limit_table_new();
    struct limit_level level;
    char key[32];
    for (int i = 0; i < CALLERS; i++) {
        snprintf(key, sizeof(key), "user-%d", i);
        CHECK_INT(take(table, need(key, 10, SECOND, 1), (uint64_t)i * 1000, &level), -1, key);
    }
    CHECK_MSG(limit_table_count(table) < CALLERS / 2, "%zu are remembered", limit_table_count(table));
    limit_table_free(table);
}

enum { THREADS = 4, TRIES = 20000, PLACES = 777 };

static void *take_many(void *data) {
    struct limit_table *table = data;
    size_t n = 0;
    for (int i = 0; i < TRIES; i++) {
        struct limit_need needs[] = { need("shared", PLACES, UINT64_MAX, 1), need(i % 2 ? "x" : "y", 1e9, MINUTE, 1) };
        struct limit_bucket *held[2];
        struct limit_level levels[2];
        if (limit_table_take(table, needs, 2, 0, held, levels) >= 0)
            continue;
        limit_table_give(table, held[0], 0, 0);
        limit_table_give(table, held[1], 0, 0);
        n++;
    }
    return (void *)n;
}

TEST(threads_take_no_more_than_there_is) {
    struct limit_table *table = limit_table_new();
    pthread_t threads[THREADS];
    size_t n = 0;
    for (size_t i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, take_many, table), 0, "thread");
    for (size_t i = 0; i < THREADS; i++) {
        void *took;
        CHECK_INT(pthread_join(threads[i], &took), 0, "thread");
        n += (size_t)took;
    }
    CHECK_INT(n, PLACES, "all of it, and nothing twice");
    limit_table_free(table);
}

/* However requests come, no window has more than twice the limit, and long runs keep to the rate. */
TEST(long_runs_keep_to_the_rate) {
    enum { LIMIT = 50, MINUTES = 200 };
    struct limit_table *table = limit_table_new();
    struct limit_level level;
    struct random random = { { 1, 2, 3, 4 } };
    uint64_t now_us = 0;
    size_t n = 0;
    while (now_us < MINUTES * (uint64_t)MINUTE) {
        n += take(table, need("k", LIMIT, MINUTE, 1), now_us, &level) < 0;
        now_us += random_next(&random) % (SECOND / 2);
    }
    CHECK_MSG(n <= LIMIT * (MINUTES + 1) && n >= LIMIT * MINUTES, "%zu", n);
    limit_table_free(table);
}

RUN_TESTS(T(leaks_evenly), T(all_or_none), T(same_bucket_twice), T(settled), T(places), T(limit_changes),
          T(idle_buckets_leave), T(threads_take_no_more_than_there_is), T(long_runs_keep_to_the_rate))
