#include "net/http2_guard.h"

#include "test.h"

TEST(bursts_and_rates) {
    struct http2_guard guard = { .at_ms = 1000 };
    for (int i = 0; i < 200; i++)
        CHECK_MSG(http2_guard_take(&guard, HTTP2_RESETS, 1000), "reset %d", i);
    CHECK(!http2_guard_take(&guard, HTTP2_RESETS, 1000), "the burst is used up");
    CHECK(!http2_guard_take(&guard, HTTP2_RESETS, 1049), "20 a second: not after 49 ms");
    CHECK(http2_guard_take(&guard, HTTP2_RESETS, 1050), "after 50 ms");
    CHECK(!http2_guard_take(&guard, HTTP2_RESETS, 1051), "one only");
    CHECK(http2_guard_take(&guard, HTTP2_PINGS, 1051), "buckets are apart");
    for (int i = 0; i < 200; i++)
        CHECK_MSG(http2_guard_take(&guard, HTTP2_RESETS, 20000000), "full again: %d", i);
    CHECK(!http2_guard_take(&guard, HTTP2_RESETS, 20000000), "and no fuller");
}

TEST(a_steady_client_is_left_alone) {
    struct http2_guard guard = { .at_ms = 0 };
    for (uint64_t now = 0; now < 1000000; now += 50)
        CHECK(http2_guard_take(&guard, HTTP2_RESETS, now), "20 a second");
}

TEST(given_back) {
    struct http2_guard guard = { .at_ms = 0 };
    for (int i = 0; i < 100000; i++) {
        CHECK(http2_guard_take(&guard, HTTP2_WINDOW_UPDATES, 0), "answers excuse it");
        CHECK(http2_guard_take(&guard, HTTP2_WINDOW_UPDATES, 0), "twice each");
        http2_guard_give(&guard, HTTP2_WINDOW_UPDATES, 2);
    }
    for (int i = 0; i < 1000; i++)
        CHECK(http2_guard_take(&guard, HTTP2_WINDOW_UPDATES, 0), "no more and no less than was taken");
    CHECK(!http2_guard_take(&guard, HTTP2_WINDOW_UPDATES, 0), "the burst");
}

TEST(what_never_is_right_ends_at_once) {
    struct http2_guard guard = { .at_ms = 5 };
    CHECK(http2_guard_take(&guard, HTTP2_HEADERS, 5), "the first is told apart by who counts");
    CHECK(!http2_guard_take(&guard, HTTP2_HEADERS, 500000000), "never again");
    for (int i = 0; i < HTTP2_CAUSE_COUNT; i++)
        CHECK(http2_cause_name((enum http2_cause)i) != NULL, "named");
}

RUN_TESTS(T(bursts_and_rates), T(a_steady_client_is_left_alone), T(given_back), T(what_never_is_right_ends_at_once))
