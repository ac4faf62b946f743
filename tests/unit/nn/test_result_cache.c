#include "nn/result_cache.h"

#include <string.h>

#include "test.h"

static struct result_key key_of(uint64_t n) {
    return result_key_add((struct result_key){ 0 }, &n, sizeof(n));
}

TEST(keeps_and_finds) {
    struct result_cache *cache = result_cache_new(1 << 20);
    float value[3] = { 1, 2, 3 }, got[3] = { 0 };
    CHECK(!result_cache_get(cache, key_of(1), got, sizeof(got)), "nothing yet");
    result_cache_put(cache, key_of(1), value, sizeof(value));
    CHECK(result_cache_get(cache, key_of(1), got, sizeof(got)), "there");
    CHECK(memcmp(got, value, sizeof(got)) == 0, "the same");
    CHECK(!result_cache_get(cache, key_of(1), got, sizeof(got[0])), "another length is another result");
    value[0] = 7;
    result_cache_put(cache, key_of(1), value, sizeof(value));
    CHECK(result_cache_get(cache, key_of(1), got, sizeof(got)) && got[0] == 7, "replaced");
    CHECK_INT(result_cache_stats(cache).entries, 1, "one");
    result_cache_put(cache, key_of(2), NULL, 0);
    CHECK(result_cache_get(cache, key_of(2), NULL, 0), "an empty result is one");
    CHECK_INT(result_cache_stats(cache).hits, 3, "hits");
    CHECK_INT(result_cache_stats(cache).misses, 2, "misses");
    result_cache_free(cache);
    result_cache_free(NULL);
}

TEST(parts_of_keys) {
    struct result_key none = { 0 };
    struct result_key a = result_key_add(result_key_add(none, "ab", 2), "c", 1);
    struct result_key b = result_key_add(result_key_add(none, "a", 1), "bc", 2);
    struct result_key c = result_key_add(result_key_add(none, "ab", 2), "c", 1);
    struct result_key d = result_key_add(result_key_add(none, "", 0), "abc", 3);
    CHECK(a.low != b.low && a.high != b.high, "parts are told apart");
    CHECK(a.low == c.low && a.high == c.high, "repeatable");
    CHECK(a.low != d.low && b.low != d.low, "an empty part counts");
}

TEST(limit) {
    enum { LIMIT = 20000, N = 5000, LEN = 100 };
    struct result_cache *cache = result_cache_new(LIMIT);
    char value[LEN];
    size_t kept = 0;
    for (uint64_t i = 0; i < N; i++) {
        memset(value, (int)(i & 127), sizeof(value));
        result_cache_put(cache, key_of(i), value, sizeof(value));
        CHECK(result_cache_stats(cache).bytes <= LIMIT, "within the limit");
        CHECK(result_cache_get(cache, key_of(0), value, sizeof(value)), "what is used stays");
    }
    for (uint64_t i = 1; i < N; i++) {
        bool there = result_cache_get(cache, key_of(i), value, sizeof(value));
        CHECK(!there || value[0] == (char)(i & 127), "its own value");
        CHECK(there || kept == 0, "the latest remain");
        kept += there;
    }
    CHECK(kept > 50, "room is used");
    CHECK_INT(result_cache_stats(cache).entries, kept + 1, "entries");
    CHECK_INT(result_cache_stats(cache).evicted, N - kept - 1, "evicted");
    result_cache_free(cache);
}

TEST(large_and_none) {
    struct result_cache *cache = result_cache_new(8000);
    char value[4000] = { 0 };
    result_cache_put(cache, key_of(1), value, 100);
    result_cache_put(cache, key_of(2), value, sizeof(value));
    CHECK(!result_cache_get(cache, key_of(2), value, sizeof(value)), "too large a share");
    CHECK(result_cache_get(cache, key_of(1), value, 100), "nobody had to go for it");
    result_cache_put(cache, key_of(1), value, sizeof(value));
    CHECK(!result_cache_get(cache, key_of(1), value, 100), "what is no longer true is gone");
    result_cache_free(cache);
    cache = result_cache_new(0);
    result_cache_put(cache, key_of(1), value, 1);
    CHECK(!result_cache_get(cache, key_of(1), value, 1), "switched off");
    result_cache_free(cache);
}

RUN_TESTS(T(keeps_and_finds), T(parts_of_keys), T(limit), T(large_and_none))
