/*
 * health - active checks of endpoints whose model has a health_check_path.
 *
 * Lives on one loop (the control thread's) with a client of its own. Every health_check_interval each endpoint is
 * asked; three failures make it unhealthy, one success healthy again; the verdict goes to the registry, where all
 * workers see it. Loop thread only.
 */
#ifndef VSR_PROVIDER_HEALTH_H
#define VSR_PROVIDER_HEALTH_H

#include <stdbool.h>

#include "core/err.h"

struct client;
struct health;
struct loop;
struct provider_endpoint;
struct provider_model;
struct provider_set;

enum {
    HEALTH_FAILURES_MAX = 3,
    HEALTH_STATUS_OK = 200,
};

/* Keeps `loop` and `client`. Checks nothing until health_watch(). Free with health_free(), on the same thread. */
struct health *health_new(struct loop *loop, struct client *client);
void health_free(struct health *health);

/* Checks the endpoints of `set` from now on, and no longer those of the set before. `set` must stay until the next
 * call. NULL: none. */
void health_watch(struct health *health, const struct provider_set *set);

/* One verdict of a check. Changes the endpoint's state at the third failure in a row and at the first success. Any
 * thread. */
void health_report(struct provider_model *model, const struct provider_endpoint *endpoint, bool ok, uint64_t now_ms);

#endif
