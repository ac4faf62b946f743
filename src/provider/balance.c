#include "provider/balance.h"

#include "core/arena.h"
#include "provider/provider.h"

enum { WHOLE = 100, LEAST = 10 }; /* shares of a weight, in percent */

/*
 * One choice: of whom, and when. Weights are taken once, because what they depend on changes under the eyes of whoever
 * looks twice.
 */
struct choice {
    const struct provider_model *model;
    uint64_t now_ms;
    int64_t weights[PROVIDER_ENDPOINTS_MAX]; /* 0: not to be chosen */
    int64_t total;
};

/* How much of its weight an endpoint has that came back not long ago. */
static int64_t grown(const struct choice *c, size_t i, uint64_t slow_start_ms) {
    uint64_t returned_ms = atomic_load(&c->model->endpoints[i].state->returned_ms), since_ms;
    int64_t percent;
    if (returned_ms == 0 || c->now_ms < returned_ms)
        return returned_ms == 0 ? WHOLE : LEAST;
    since_ms = c->now_ms - returned_ms;
    if (since_ms >= slow_start_ms)
        return WHOLE;
    percent = (int64_t)(since_ms * WHOLE / slow_start_ms);
    return percent < LEAST ? LEAST : percent;
}

/* In hundredths where endpoints start slowly, else as configured; only their ratios matter. */
static int64_t weight_of(const struct choice *c, size_t i) {
    const struct provider_model *model = c->model;
    int64_t weight = model->endpoints[i].ref->weight, slow_start_ms = model->config->reliability.slow_start_ms;
    if (weight > PROVIDER_WEIGHT_MAX)
        weight = PROVIDER_WEIGHT_MAX;
    return slow_start_ms > 0 ? weight * grown(c, i, (uint64_t)slow_start_ms) : weight;
}

static void choice_init(struct choice *c, const struct provider_model *model, const bool *eligible, uint64_t now_ms) {
    c->model = model;
    c->now_ms = now_ms;
    c->total = 0;
    for (size_t i = 0; i < model->n_endpoints; i++) {
        int64_t weight = eligible[i] ? weight_of(c, i) : 0;
        c->weights[i] = weight > 0 ? weight : 0;
        c->total += c->weights[i];
    }
}

/*
 * Smooth weighted round robin: each endpoint gains its weight, the richest is chosen and pays the sum of all. The order
 * mixes evenly (a 5:1 pair gives aaabaa, not aaaaab) and stays fair when the set of eligible endpoints changes.
 */
static int pick_round_robin(const struct choice *c, struct provider_worker *worker) {
    int best = -1;
    for (size_t i = 0; i < c->model->n_endpoints; i++) {
        if (c->weights[i] == 0)
            continue;
        worker->current[i] += c->weights[i];
        if (best < 0 || worker->current[i] > worker->current[best])
            best = (int)i;
    }
    if (best >= 0)
        worker->current[best] -= c->total;
    return best;
}

/* xorshift64*: good enough to spread load, and needs no lock. */
static uint64_t next_random(struct provider_worker *worker) {
    uint64_t x = worker->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    worker->random = x;
    return x * 0x2545f4914f6cdd1du;
}

/* One endpoint, with probability proportional to its weight. There is a weight above zero. */
static size_t draw(const struct choice *c, struct provider_worker *worker) {
    int64_t at = (int64_t)(next_random(worker) % (uint64_t)c->total);
    size_t i = 0;
    while (at >= c->weights[i])
        at -= c->weights[i++];
    return i;
}

static double load_of(const struct choice *c, size_t i) {
    return (double)atomic_load(&c->model->endpoints[i].state->active) / (double)c->weights[i];
}

/*
 * The less loaded of two weighted draws, load taken relative to weight. Drawing by weight keeps the shares of an idle
 * fleet at the weights; comparing decides under load.
 */
static int pick_least_request(const struct choice *c, struct provider_worker *worker) {
    size_t a, b;
    if (c->total == 0)
        return -1;
    a = draw(c, worker);
    b = draw(c, worker);
    return (int)(load_of(c, b) < load_of(c, a) ? b : a);
}

int balance_pick(struct provider_model *model, size_t worker, const bool *eligible, uint64_t now_ms) {
    struct provider_worker *mine = &model->workers[worker];
    struct choice c;
    choice_init(&c, model, eligible, now_ms);
    if (model->config->reliability.lb_policy == LB_LEAST_REQUEST)
        return pick_least_request(&c, mine);
    return pick_round_robin(&c, mine);
}

/* Moves worker number `turns` that far into the rotation. */
static void skip_turns(struct provider_model *model, struct provider_worker *worker, size_t turns, const bool *all) {
    struct choice c;
    choice_init(&c, model, all, 0);
    for (size_t i = 0; i < turns; i++)
        (void)pick_round_robin(&c, worker); /* -1 when every endpoint is drained: nothing to skip */
}

void balance_init(struct arena *arena, struct provider_model *model, size_t n_workers, uint64_t seed) {
    size_t line = _Alignof(struct provider_worker);
    char *raw = arena_alloc(arena, n_workers * sizeof(struct provider_worker) + line);
    bool *all = ARENA_ARRAY(arena, bool, model->n_endpoints);
    model->workers = (struct provider_worker *)(((uintptr_t)raw + line - 1) / line * line);
    model->n_workers = n_workers;
    for (size_t i = 0; i < model->n_endpoints; i++)
        all[i] = true;
    for (size_t w = 0; w < n_workers; w++) {
        /* Rows of whole cache lines: the weights change with every pick. */
        size_t row = (model->n_endpoints * sizeof(int64_t) + line) / line * line;
        model->workers[w].current = arena_alloc(arena, row + line);
        model->workers[w].random = (seed + w + 1) * 0x9e3779b97f4a7c15u | 1;
        skip_turns(model, &model->workers[w], model->n_endpoints ? w % model->n_endpoints : 0, all);
    }
}
