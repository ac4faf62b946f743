/*
 * balance - which endpoint takes the next attempt: smooth weighted round robin, or least_request.
 *
 * Each worker has its own state, so choosing takes no lock. Workers start at different places of the rotation, so that
 * a fleet of them does not begin on the same endpoint.
 */
#ifndef VSR_PROVIDER_BALANCE_H
#define VSR_PROVIDER_BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct provider_model;

struct provider_worker {
    int64_t *current;           /* [n_endpoints] smooth round robin weights */
    uint64_t random;            /* xorshift state, never 0 */
} __attribute__((aligned(64))); /* a cache line each: workers do not share */

/* Fills model->workers. */
void balance_init(struct arena *arena, struct provider_model *model, size_t n_workers, uint64_t seed);

/*
 * Index of the chosen endpoint among those where eligible[i] is true and the weight is above zero; -1 when there is
 * none. With `slow_start`, one that came back less than that ago counts with as much of its weight as of that time has
 * passed, a tenth at least. That worker's thread only.
 */
int balance_pick(struct provider_model *model, size_t worker, const bool *eligible, uint64_t now_ms);

#endif
