#include "provider/provider.h"

#include <pthread.h>

#include "provider/outlier.h"
#include "unit/provider/fleet.h"

static const struct provider_result ok = { .status = 200 };
static const struct provider_result bad = { .status = 503 };
static const struct provider_result refused = { .failure = PROVIDER_CONNECT };
static const struct provider_result cancelled = { .failure = PROVIDER_CANCELLED };

static void fleet_of(struct fleet *f, size_t n, int64_t retries, int64_t consecutive) {
    fleet_init(f, NULL);
    for (size_t i = 0; i < n; i++)
        fleet_endpoint(f, 0, 1);
    f->models[0].reliability.retry_count = retries;
    f->models[0].reliability.retry_mask = RETRY_5XX | RETRY_GATEWAY_ERROR | RETRY_CONNECT_FAILURE | RETRY_RESET;
    f->models[0].reliability.consecutive_5xx = consecutive;
    fleet_build(f, 4);
}

/* One attempt with that result; index of the endpoint that took it, -1 without one. */
static int once(struct fleet *f, const struct provider_result *result, uint64_t now_ms) {
    struct provider_call call;
    const struct provider_endpoint *endpoint;
    int index = -1;
    CHECK(provider_call_begin(&call, f->model, 0) == 0, "begin");
    endpoint = provider_call_pick(&call, now_ms);
    if (endpoint) {
        index = (int)endpoint->index;
        provider_call_result(&call, result, now_ms);
    }
    provider_call_end(&call, now_ms);
    return index;
}

/* Fails endpoint `index` until it is out. */
static void fail_until_ejected(struct fleet *f, uint32_t index, uint64_t now_ms) {
    for (int64_t i = 0; i < f->models[0].reliability.consecutive_5xx; i++)
        outlier_report(f->model, &f->model->endpoints[index], true, false, now_ms);
}

static bool ejected(struct fleet *f, size_t index) {
    return atomic_load(&f->model->endpoints[index].state->mode) == ENDPOINT_EJECTED;
}

static void check_idle(struct fleet *f, const char *name) {
    CHECK_INT(atomic_load(&f->model->state->active), 0, name);
    CHECK_INT(atomic_load(&f->model->state->retries), 0, name);
    for (size_t i = 0; i < f->model->n_endpoints; i++)
        CHECK_INT(atomic_load(&f->model->endpoints[i].state->active), 0, name);
}

TEST(retries_avoid_what_was_tried) {
    struct fleet f;
    struct provider_call call;
    bool seen[4] = { false };
    uint64_t delay;
    fleet_of(&f, 4, 3, 0);
    CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
    for (int i = 0; i < 4; i++) {
        const struct provider_endpoint *endpoint = provider_call_pick(&call, 0);
        CHECK(endpoint && !seen[endpoint->index], "a new one each time");
        seen[endpoint->index] = true;
        provider_call_result(&call, i % 2 ? &bad : &refused, 0);
        CHECK_INT(provider_call_retry(&call, &bad, 0, 7, &delay), i < 3, "three retries");
    }
    CHECK_INT(atomic_load(&f.model->state->retries), 1, "one unit of the budget per call");
    provider_call_end(&call, 0);
    provider_call_end(&call, 0);
    check_idle(&f, "after");
    fleet_done(&f, true);
}

/* Its connections are all busy: the others are asked, and nobody is to blame. */
TEST(no_place_is_looked_for_elsewhere) {
    struct fleet f;
    struct provider_call call;
    bool seen[3] = { false };
    uint64_t delay;
    fleet_of(&f, 3, 5, 1);
    CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
    for (int i = 0; i < 3; i++) {
        const struct provider_endpoint *endpoint = provider_call_pick(&call, 0);
        CHECK(endpoint && !seen[endpoint->index], "a new one each time");
        seen[endpoint->index] = true;
        provider_call_result(&call, &cancelled, 0);
        CHECK_INT(provider_call_retry(&call, &cancelled, 0, 7, &delay), i < 2, "as long as there is another one");
    }
    for (size_t i = 0; i < 3; i++) {
        CHECK(!ejected(&f, i), "not ejected");
        CHECK_INT(atomic_load(&f.model->endpoints[i].state->failures_total), 0, "no failure");
    }
    provider_call_end(&call, 0);
    check_idle(&f, "after");
    fleet_done(&f, true);
}

TEST(single_endpoint_is_tried_again) {
    struct fleet f;
    struct provider_call call;
    uint64_t delay = 0;
    fleet_of(&f, 1, 2, 0);
    CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
    for (int i = 0; i < 3; i++) {
        CHECK(provider_call_pick(&call, 0) != NULL, "the same");
        provider_call_result(&call, &refused, 0);
        CHECK_INT(provider_call_retry(&call, &refused, 0, 0, &delay), i < 2, "two retries");
    }
    CHECK_INT(delay, 50, "second back-off");
    provider_call_end(&call, 0);
    fleet_done(&f, true);
}

TEST(retry_budget) {
    struct fleet f;
    struct provider_call calls[10];
    uint64_t delay;
    int n = 0;
    fleet_of(&f, 2, 1, 0);
    for (size_t i = 0; i < VSR_COUNT(calls); i++) {
        CHECK(provider_call_begin(&calls[i], f.model, 0) == 0, "begin");
        CHECK(provider_call_pick(&calls[i], 0) != NULL, "pick");
        provider_call_result(&calls[i], &bad, 0);
    }
    for (size_t i = 0; i < VSR_COUNT(calls); i++)
        n += provider_call_retry(&calls[i], &bad, 0, 0, &delay);
    CHECK_INT(n, 3, "of ten calls");
    for (size_t i = 0; i < VSR_COUNT(calls); i++)
        provider_call_end(&calls[i], 0);
    check_idle(&f, "after");
    fleet_done(&f, true);
}

static const struct {
    const char *name;
    size_t n_endpoints;
    struct provider_result result;
    bool want;
    uint64_t delay_ms;
} asked[] = {
    { "other endpoint", 2, { .status = 429, .has_retry_after = true, .retry_after_ms = 60000 }, true, 25 },
    { "no other, soon", 1, { .status = 429, .has_retry_after = true, .retry_after_ms = 2000 }, true, 2000 },
    { "no other, at once", 1, { .status = 429, .has_retry_after = true, .retry_after_ms = 0 }, true, 25 },
    { "no other, late", 1, { .status = 429, .has_retry_after = true, .retry_after_ms = 2001 }, false, 0 },
    { "no other, unknown", 1, { .status = 429 }, false, 0 },
    { "other status, unknown", 1, { .status = 418 }, true, 25 },
    { "not named", 2, { .status = 404 }, false, 0 },
};

TEST(asked_to_wait) {
    for (size_t i = 0; i < VSR_COUNT(asked); i++) {
        struct fleet f;
        struct provider_call call;
        uint64_t delay = 0;
        fleet_of(&f, asked[i].n_endpoints, 1, 0);
        f.models[0].reliability.retry_status[429 / 64] |= UINT64_C(1) << (429 % 64);
        f.models[0].reliability.retry_status[418 / 64] |= UINT64_C(1) << (418 % 64);
        CHECK(provider_call_begin(&call, f.model, 0) == 0, asked[i].name);
        CHECK(provider_call_pick(&call, 0) != NULL, asked[i].name);
        provider_call_result(&call, &asked[i].result, 0);
        CHECK_INT(provider_call_retry(&call, &asked[i].result, 0, 0, &delay), asked[i].want, asked[i].name);
        CHECK_INT(delay, asked[i].delay_ms, asked[i].name);
        provider_call_end(&call, 0);
        fleet_done(&f, true);
    }
}

/* ---- ejection */

TEST(ejects_and_probes) {
    struct fleet f;
    struct provider_call call;
    fleet_of(&f, 2, 0, 3);
    for (int i = 0; i < 2; i++)
        outlier_report(f.model, &f.model->endpoints[0], true, false, 1000);
    outlier_report(f.model, &f.model->endpoints[0], false, false, 1000);
    for (int i = 0; i < 2; i++)
        outlier_report(f.model, &f.model->endpoints[0], true, false, 1000);
    CHECK(!ejected(&f, 0), "a success in between starts the count anew");
    outlier_report(f.model, &f.model->endpoints[0], true, false, 1000);
    CHECK(ejected(&f, 0), "three in a row");
    for (int i = 0; i < 4; i++)
        CHECK_INT(once(&f, &ok, 1000), 1, "the other one takes all");
    CHECK_INT(once(&f, &ok, 30999), 1, "not yet");

    CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
    CHECK_INT(provider_call_pick(&call, 31000)->index, 0, "the probe");
    CHECK(call.probe, "the probe");
    for (int i = 0; i < 4; i++)
        CHECK_INT(once(&f, &ok, 31000), 1, "only one probe at a time");
    provider_call_result(&call, &bad, 31000);
    provider_call_end(&call, 31000);
    CHECK(ejected(&f, 0), "out again");
    CHECK_INT(atomic_load(&f.model->endpoints[0].state->ejected_until_ms), 31000 + 60000, "twice as long");

    CHECK_INT(once(&f, &ok, 91000), 0, "second probe");
    CHECK(!ejected(&f, 0), "back");
    check_idle(&f, "after");
    fleet_done(&f, true);
}

TEST(cancelled_probe_decides_nothing) {
    struct fleet f;
    fleet_of(&f, 2, 0, 1);
    fail_until_ejected(&f, 0, 0);
    CHECK_INT(once(&f, &cancelled, 30000), 0, "probe, cancelled");
    CHECK(ejected(&f, 0), "still out");
    CHECK_INT(once(&f, &ok, 30000), 0, "the next one probes");
    CHECK(!ejected(&f, 0), "back");
    fleet_done(&f, true);
}

/* The head of a long answer settles the question; what comes later is an ordinary failure. */
TEST(head_judges) {
    struct fleet f;
    struct provider_call call;
    const struct provider_result cut = { .failure = PROVIDER_RESET, .status = 200 };
    fleet_of(&f, 2, 0, 2);
    fail_until_ejected(&f, 0, 0);
    CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
    CHECK_INT(provider_call_pick(&call, 30000)->index, 0, "probe");
    provider_call_head(&call, 200, 30000);
    CHECK(!ejected(&f, 0), "the head is enough");
    provider_call_result(&call, &cut, 40000);
    provider_call_end(&call, 40000);
    CHECK(!ejected(&f, 0), "one failure");
    CHECK_INT(atomic_load(&f.model->endpoints[0].state->consecutive_failures), 1, "counted");
    CHECK_INT(atomic_load(&f.model->endpoints[0].state->failures_total), 1, "counted");
    fleet_done(&f, true);
}

TEST(head_and_result_count_once) {
    struct fleet f;
    struct provider_call call;
    fleet_of(&f, 2, 0, 3);
    CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
    CHECK(provider_call_pick(&call, 0) != NULL, "pick");
    provider_call_head(&call, 503, 0);
    provider_call_result(&call, &bad, 0);
    provider_call_end(&call, 0);
    CHECK_INT(atomic_load(&f.model->endpoints[0].state->failures_total) +
                  atomic_load(&f.model->endpoints[1].state->failures_total),
              1, "once");
    fleet_done(&f, true);
}

TEST(ejection_ceiling) {
    static const struct {
        const char *name;
        size_t n_endpoints;
        int64_t percent;
        int want;
    } ceilings[] = {
        { "half of four", 4, 50, 2 },     { "all", 4, 100, 4 },
        { "one may always be", 4, 1, 1 }, { "none", 4, 0, 0 },
        { "single endpoint", 1, 100, 0 }, { "half of three", 3, 50, 1 },
    };
    for (size_t i = 0; i < VSR_COUNT(ceilings); i++) {
        struct fleet f;
        int n = 0;
        fleet_of(&f, ceilings[i].n_endpoints, 0, 1);
        f.models[0].reliability.max_ejection_percent = ceilings[i].percent;
        for (uint32_t e = 0; e < ceilings[i].n_endpoints; e++) {
            fail_until_ejected(&f, e, 0);
            n += ejected(&f, e);
        }
        CHECK_INT(n, ceilings[i].want, ceilings[i].name);
        fleet_done(&f, true);
    }
}

TEST(ejection_time_grows_and_decays) {
    struct fleet f;
    struct endpoint_state *first;
    uint64_t now = 0;
    fleet_of(&f, 2, 0, 1);
    first = f.model->endpoints[0].state;
    fail_until_ejected(&f, 0, now);
    for (int times = 2; times <= 12; times++) {
        uint64_t rest = (uint64_t)times * 30000 > 300000 ? 300000 : (uint64_t)times * 30000;
        now = atomic_load(&first->ejected_until_ms);
        CHECK_INT(once(&f, &bad, now), 0, "failed probe");
        CHECK_INT(atomic_load(&first->ejected_until_ms), now + rest, "longer each time, to a limit");
    }
    now = atomic_load(&first->ejected_until_ms);
    CHECK_INT(once(&f, &ok, now), 0, "probe");
    now += 20000; /* two sweeps of good standing: 12 becomes 10, and this one is number 11 */
    fail_until_ejected(&f, 0, now);
    CHECK_INT(first->times_ejected, 11, "decayed");
    fleet_done(&f, true);
}

TEST(panic_uses_all) {
    struct fleet f;
    bool seen[2] = { false };
    fleet_of(&f, 2, 0, 1);
    f.models[0].reliability.max_ejection_percent = 100;
    fail_until_ejected(&f, 0, 0);
    fail_until_ejected(&f, 1, 0);
    for (int i = 0; i < 2; i++)
        seen[once(&f, &bad, 10)] = true;
    CHECK(seen[0] && seen[1], "both take traffic");
    CHECK(ejected(&f, 0) && ejected(&f, 1), "failures in panic change nothing");
    CHECK_INT(f.model->endpoints[0].state->times_ejected, 1, "nor lengthen the rest");
    once(&f, &ok, 20);
    CHECK(ejected(&f, 0) != ejected(&f, 1), "a success in panic brings its endpoint back");
    fleet_done(&f, true);
}

TEST(drained_and_unhealthy) {
    struct fleet f;
    struct provider_call call;
    fleet_of(&f, 2, 1, 0);
    f.refs[0][0].weight = 0;
    for (int i = 0; i < 4; i++)
        CHECK_INT(once(&f, &ok, 0), 1, "weight 0 takes nothing");
    atomic_store(&f.model->endpoints[1].state->unhealthy, true);
    CHECK(provider_endpoint_available(&f.model->endpoints[1]), "an old verdict without checks does not count");
    f.model->endpoints[1].checked = true;
    CHECK(!provider_endpoint_available(&f.model->endpoints[1]), "unhealthy");
    CHECK_INT(once(&f, &ok, 0), 1, "panic, but never the drained one");
    f.refs[0][1].weight = 0;
    CHECK_INT(provider_call_begin(&call, f.model, 0), VSR_E_UNAVAILABLE, "all drained");
    provider_call_end(&call, 0);
    CHECK_INT(provider_call_begin(&call, provider_set_at(f.set, 1), 0), VSR_E_UNAVAILABLE, "no endpoints at all");
    check_idle(&f, "after");
    fleet_done(&f, true);
}

TEST(too_many_requests) {
    struct fleet f;
    struct provider_call call;
    fleet_of(&f, 1, 1, 0);
    atomic_store(&f.model->state->active, FLEET_REQUESTS_MAX - 1);
    CHECK_INT(provider_call_begin(&call, f.model, 0), 0, "at the limit");
    CHECK_INT(provider_call_begin(&call, f.model, 0), VSR_E_LIMIT, "past it");
    CHECK_INT(atomic_load(&f.model->state->active), FLEET_REQUESTS_MAX, "not counted");
    f.models[0].reliability.retry_count = 0;
    CHECK_INT(provider_call_begin(&call, f.model, 0), 0, "no limits without retries and ejection");
    fleet_done(&f, true);
}

TEST(end_cancels_the_attempt) {
    struct fleet f;
    struct provider_call call;
    fleet_of(&f, 2, 1, 1);
    CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
    CHECK(provider_call_pick(&call, 0) != NULL, "pick");
    provider_call_end(&call, 0);
    check_idle(&f, "after");
    CHECK(!ejected(&f, 0) && !ejected(&f, 1), "no verdict");
    fleet_done(&f, true);
}

/* ---- threads */

struct worker {
    struct fleet *fleet;
    size_t index;
};

/* Endpoint 0 fails for a while, so that threads eject, probe and return it under each other's feet. */
static void *work(void *data) {
    struct worker *w = data;
    for (uint64_t i = 0; i < 5000; i++) {
        struct provider_call call;
        const struct provider_endpoint *endpoint;
        uint64_t delay;
        if (provider_call_begin(&call, w->fleet->model, w->index) < 0)
            continue;
        while ((endpoint = provider_call_pick(&call, i * 20))) {
            bool fails = endpoint->index == 0 && i < 4000;
            const struct provider_result *result = i % 17 == 0 ? &cancelled : fails ? &bad : &ok;
            if (i % 3 == 0 && result != &cancelled)
                provider_call_head(&call, result->status, i * 20);
            provider_call_result(&call, result, i * 20);
            if (!provider_call_retry(&call, result, i * 20, i, &delay))
                break;
        }
        provider_call_end(&call, i * 20);
    }
    return NULL;
}

static void run_threads(int policy) {
    struct fleet f;
    struct worker workers[4];
    pthread_t threads[4];
    fleet_of(&f, 3, 2, 3);
    f.models[0].reliability.lb_policy = policy;
    for (size_t i = 0; i < VSR_COUNT(threads); i++) {
        workers[i] = (struct worker){ .fleet = &f, .index = i };
        pthread_create(&threads[i], NULL, work, &workers[i]);
    }
    for (size_t i = 0; i < VSR_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    check_idle(&f, "threads");
    CHECK(atomic_load(&f.model->endpoints[0].state->ejections_total) > 0, "it was ejected");
    fleet_done(&f, true);
}

TEST(threads) {
    run_threads(LB_ROUND_ROBIN);
    run_threads(LB_LEAST_REQUEST);
}

static void hedging(struct fleet *f, size_t n, int64_t percent, struct config_hedge *hedge) {
    fleet_of(f, n, 1, 0);
    *hedge = (struct config_hedge){ .after_ms = 100, .max_percent = percent };
    f->models[0].reliability.hedge = hedge;
}

TEST(hedge_wins_and_loses) {
    static const struct {
        const char *name;
        enum provider_attempt dropped;
        const struct provider_result *how;
        int failures; /* of the one that was dropped */
    } cases[] = {
        { "the second one wins", PROVIDER_FIRST, NULL, 0 },
        { "the first one wins", PROVIDER_HEDGE, NULL, 0 },
        { "the first one fails", PROVIDER_FIRST, &bad, 1 },
        { "the second one fails", PROVIDER_HEDGE, &refused, 1 },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        const char *name = cases[i].name;
        struct config_hedge hedge;
        struct fleet f;
        struct provider_call call;
        const struct provider_endpoint *first, *second = NULL, *third = NULL, *lost, *won;
        uint64_t delay;
        hedging(&f, 2, 100, &hedge);
        CHECK(provider_call_begin(&call, f.model, 0) == 0, name);
        first = provider_call_pick(&call, 0);
        CHECK(!provider_call_hedge(&call, 99, 99, &second), "too early");
        CHECK(provider_call_hedge(&call, 100, 100, &second) && second != first, "another one");
        CHECK(!provider_call_hedge(&call, 200, 200, &third), "one is enough");
        CHECK_INT(atomic_load(&f.model->state->retries), 1, "a unit of the budget");
        CHECK_INT(atomic_load(&second->state->active), 1, name);
        lost = cases[i].dropped == PROVIDER_FIRST ? first : second;
        won = lost == first ? second : first;
        provider_call_drop(&call, cases[i].dropped, cases[i].how, 200);
        CHECK(call.endpoint == won && !call.hedge, name);
        CHECK_INT(atomic_load(&lost->state->active), 0, name);
        CHECK_INT(atomic_load(&lost->state->failures_total), cases[i].failures, name);
        provider_call_head(&call, 503, 300);
        provider_call_result(&call, &bad, 300);
        CHECK_INT(atomic_load(&won->state->failures_total), 1, name);
        CHECK(provider_call_retry(&call, &bad, 300, 0, &delay), "a second attempt beside the first is no retry");
        CHECK(provider_call_pick(&call, 300) != NULL, name);
        provider_call_result(&call, &ok, 300);
        provider_call_end(&call, 300);
        check_idle(&f, name);
        fleet_done(&f, true);
    }
}

TEST(hedge_ends_with_its_call) {
    struct config_hedge hedge;
    struct fleet f;
    struct provider_call call;
    const struct provider_endpoint *second;
    hedging(&f, 3, 100, &hedge);
    CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
    CHECK(provider_call_pick(&call, 0) != NULL && provider_call_hedge(&call, 100, 100, &second), "two");
    provider_call_end(&call, 200);
    check_idle(&f, "after");
    fleet_done(&f, true);
}

/* Five in the hundred, however slow all of them are. */
TEST(hedge_budget) {
    struct config_hedge hedge;
    struct fleet f;
    int n = 0;
    hedging(&f, 2, 5, &hedge);
    for (int i = 0; i < 1000; i++) {
        struct provider_call call;
        const struct provider_endpoint *second;
        CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
        CHECK(provider_call_pick(&call, 0) != NULL, "pick");
        n += provider_call_hedge(&call, 100, 100, &second);
        provider_call_end(&call, 200);
    }
    CHECK_INT(n, 50, "of a thousand calls");
    check_idle(&f, "after");
    fleet_done(&f, true);
}

TEST(no_hedge) {
    struct config_hedge hedge;
    struct fleet f;
    struct provider_call call;
    const struct provider_endpoint *second;
    hedging(&f, 2, 100, &hedge);
    atomic_store(&f.model->endpoints[1].state->mode, ENDPOINT_EJECTED);
    atomic_store(&f.model->endpoints[1].state->ejected_until_ms, 1000);
    CHECK(provider_call_begin(&call, f.model, 0) == 0, "begin");
    CHECK(provider_call_pick(&call, 0) == &f.model->endpoints[0], "the one that is left");
    CHECK(!provider_call_hedge(&call, 100, 100, &second), "nowhere to go");
    CHECK(!provider_call_hedge(&call, 100, 2000, &second), "no probe either");
    atomic_store(&f.model->endpoints[1].state->mode, ENDPOINT_CLOSED);
    provider_call_head(&call, 200, 100);
    CHECK(!provider_call_hedge(&call, 100, 100, &second), "it has answered");
    provider_call_end(&call, 0);
    f.models[0].reliability.hedge = NULL;
    CHECK(provider_call_begin(&call, f.model, 0) == 0 && provider_call_pick(&call, 0), "begin");
    CHECK(!provider_call_hedge(&call, 100, 100, &second), "not asked for");
    provider_call_end(&call, 0);
    check_idle(&f, "after");
    fleet_done(&f, true);
}

RUN_TESTS(T(retries_avoid_what_was_tried), T(no_place_is_looked_for_elsewhere), T(single_endpoint_is_tried_again),
          T(retry_budget), T(asked_to_wait), T(ejects_and_probes), T(cancelled_probe_decides_nothing), T(head_judges),
          T(head_and_result_count_once), T(ejection_ceiling), T(ejection_time_grows_and_decays), T(panic_uses_all),
          T(drained_and_unhealthy), T(too_many_requests), T(end_cancels_the_attempt), T(threads),
          T(hedge_wins_and_loses), T(hedge_ends_with_its_call), T(hedge_budget), T(no_hedge))
