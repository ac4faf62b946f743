#include "provider/balance.h"

#include <pthread.h>

#include "unit/provider/fleet.h"

static void fleet_of(struct fleet *f, const int64_t *weights, size_t n, int policy, size_t n_workers) {
    fleet_init(f, NULL);
    f->models[0].reliability.lb_policy = policy;
    for (size_t i = 0; i < n; i++)
        fleet_endpoint(f, 0, weights[i]);
    fleet_build(f, n_workers);
}

TEST(smooth_order) {
    static const int64_t weights[] = { 5, 1, 1 };
    struct fleet f;
    bool all[] = { true, true, true };
    char order[15] = { 0 };
    fleet_of(&f, weights, 3, LB_ROUND_ROBIN, 1);
    for (size_t i = 0; i < 14; i++)
        order[i] = (char)('a' + balance_pick(f.model, 0, all, 0));
    CHECK_STR(str_from_c(order), "aabacaaaabacaa", "5:1:1");
    fleet_done(&f, true);
}

static const struct {
    const char *name;
    int policy;
    int64_t weights[4];
    bool eligible[4];
    int want[4]; /* of 1000 */
} shares[] = {
    { "even", LB_ROUND_ROBIN, { 1, 1, 1, 1 }, { 1, 1, 1, 1 }, { 250, 250, 250, 250 } },
    { "weighted", LB_ROUND_ROBIN, { 7, 2, 1, 0 }, { 1, 1, 1, 1 }, { 700, 200, 100, 0 } },
    { "one out", LB_ROUND_ROBIN, { 7, 2, 2, 1 }, { 0, 1, 1, 1 }, { 0, 400, 400, 200 } },
    { "none", LB_ROUND_ROBIN, { 0, 0, 0, 1 }, { 1, 1, 1, 0 }, { 0, 0, 0, 0 } },
    { "idle even", LB_LEAST_REQUEST, { 1, 1, 1, 1 }, { 1, 1, 1, 1 }, { 250, 250, 250, 250 } },
    { "idle weighted", LB_LEAST_REQUEST, { 7, 2, 1, 0 }, { 1, 1, 1, 1 }, { 700, 200, 100, 0 } },
    { "idle, one out", LB_LEAST_REQUEST, { 7, 2, 2, 1 }, { 0, 1, 1, 1 }, { 0, 400, 400, 200 } },
    { "idle, none", LB_LEAST_REQUEST, { 0, 0, 0, 1 }, { 1, 1, 1, 0 }, { 0, 0, 0, 0 } },
};

TEST(shares_follow_weights) {
    for (size_t c = 0; c < VSR_COUNT(shares); c++) {
        struct fleet f;
        int got[4] = { 0 }, slack = shares[c].policy == LB_LEAST_REQUEST ? 60 : 1;
        fleet_of(&f, shares[c].weights, 4, shares[c].policy, 1);
        for (int i = 0; i < 1000; i++) {
            int index = balance_pick(f.model, 0, shares[c].eligible, 0);
            if (index >= 0)
                got[index]++;
        }
        for (int i = 0; i < 4; i++)
            CHECK_MSG(abs(got[i] - shares[c].want[i]) <= slack, "case \"%s\": endpoint %d got %d, want %d",
                      shares[c].name, i, got[i], shares[c].want[i]);
        fleet_done(&f, true);
    }
}

/* Requests that never end: the policy must keep loads in proportion to weights. */
TEST(least_request_levels_load) {
    static const int64_t weights[] = { 2, 1, 1 };
    struct fleet f;
    bool all[] = { true, true, true };
    fleet_of(&f, weights, 3, LB_LEAST_REQUEST, 1);
    atomic_store(&f.model->endpoints[1].state->active, 100);
    for (int i = 0; i < 300; i++)
        atomic_fetch_add(&f.model->endpoints[balance_pick(f.model, 0, all, 0)].state->active, 1);
    for (int i = 0; i < 3; i++) {
        int64_t active = atomic_load(&f.model->endpoints[i].state->active);
        CHECK_MSG(active >= 85 * weights[i] && active <= 130 * weights[i], "endpoint %d has %d", i, (int)active);
    }
    fleet_done(&f, true);
}

TEST(workers_start_apart) {
    static const int64_t weights[] = { 1, 1, 1, 1 };
    struct fleet f;
    bool all[] = { true, true, true, true }, seen[4] = { false };
    fleet_of(&f, weights, 4, LB_ROUND_ROBIN, 4);
    for (size_t w = 0; w < 4; w++)
        seen[balance_pick(f.model, w, all, 0)] = true;
    CHECK(seen[0] && seen[1] && seen[2] && seen[3], "each worker begins elsewhere");
    CHECK_INT((uintptr_t)&f.model->workers[0] % 64, 0, "a cache line each");
    fleet_done(&f, true);
}

TEST(huge_weights) {
    static const int64_t weights[] = { INT64_MAX, INT64_MAX, 1 };
    struct fleet f;
    bool all[] = { true, true, true };
    int got[3] = { 0 };
    fleet_of(&f, weights, 3, LB_ROUND_ROBIN, 1);
    for (int i = 0; i < 1000; i++)
        got[balance_pick(f.model, 0, all, 0)]++;
    CHECK_INT(got[0], 500, "half");
    CHECK_INT(got[1], 500, "half");
    fleet_done(&f, true);
}

/* An endpoint that came back gets its share of the weight as time passes, a tenth at least, by either policy. */
TEST(slow_start) {
    static const struct {
        const char *name;
        uint64_t since_ms;
        int least, most; /* of 1100 choices between two of the same weight */
    } cases[] = {
        { "at once", 0, 90, 110 },   { "a twentieth", 500, 90, 110 },   { "half", 5000, 350, 380 },
        { "over", 10000, 540, 560 }, { "long ago", 1000000, 540, 560 },
    };
    for (size_t i = 0; i < 2 * VSR_COUNT(cases); i++) {
        size_t c = i / 2;
        bool least_request = i % 2, all[] = { true, true };
        struct fleet f;
        int n = 0, slack = least_request ? 80 : 0;
        fleet_init(&f, NULL);
        fleet_endpoint(&f, 0, 3);
        fleet_endpoint(&f, 0, 3);
        f.models[0].reliability.slow_start_ms = 10000;
        f.models[0].reliability.lb_policy = least_request ? LB_LEAST_REQUEST : LB_ROUND_ROBIN;
        fleet_build(&f, 1);
        atomic_store(&f.model->endpoints[1].state->returned_ms, 50000);
        for (int j = 0; j < 1100; j++)
            n += balance_pick(f.model, 0, all, 50000 + cases[c].since_ms) == 1;
        CHECK_MSG(n >= cases[c].least - slack && n <= cases[c].most + slack, "case \"%s\": %d", cases[c].name, n);
        fleet_done(&f, true);
    }
}

struct flapping {
    struct fleet *fleet;
    atomic_bool stop;
};

/* Others eject and let in endpoints while one is chosen: each choice is made of one look at them. */
static void *flap(void *data) {
    struct flapping *flapping = data;
    for (uint64_t i = 0; !atomic_load(&flapping->stop); i++)
        for (size_t e = 0; e < 3; e++)
            atomic_store(&flapping->fleet->model->endpoints[e].state->returned_ms, i % 2 ? 50000 : 0);
    return NULL;
}

TEST(weights_change_meanwhile) {
    struct fleet f;
    struct flapping flapping = { .fleet = &f };
    bool all[] = { true, true, true };
    pthread_t thread;
    int n_outside = 0;
    fleet_init(&f, NULL);
    for (size_t i = 0; i < 3; i++)
        fleet_endpoint(&f, 0, 3);
    f.models[0].reliability.slow_start_ms = 10000;
    f.models[0].reliability.lb_policy = LB_LEAST_REQUEST;
    fleet_build(&f, 1);
    CHECK_INT(pthread_create(&thread, NULL, flap, &flapping), 0, "thread");
    for (int i = 0; i < 300000; i++) {
        int index = balance_pick(f.model, 0, all, 50000);
        n_outside += index < 0 || index > 2;
    }
    atomic_store(&flapping.stop, true);
    (void)pthread_join(thread, NULL);
    CHECK_INT(n_outside, 0, "always one of them");
    fleet_done(&f, true);
}

RUN_TESTS(T(smooth_order), T(shares_follow_weights), T(least_request_levels_load), T(workers_start_apart),
          T(huge_weights), T(slow_start), T(weights_change_meanwhile))
