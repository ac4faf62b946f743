/*
 * route_time - how long routing takes, for `vsr route --time` and the benchmarks.
 */
#ifndef VSR_CLI_ROUTE_TIME_H
#define VSR_CLI_ROUTE_TIME_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct buf;
struct json_writer;
struct request_facts;

enum { ROUTE_TIME_DEFAULT = 1000 };

/* Microseconds. */
struct route_spread {
    double least, median, mean, p99;
};

struct route_times {
    uint64_t repetitions;
    struct route_spread route; /* from facts to a decision */
    struct route_spread total; /* from the bytes of the body */
};

struct profile;
struct snapshot_recipe;

/*
 * Routes `body` by one recipe of the profile `repetitions` times (0: ROUTE_TIME_DEFAULT), after a tenth as many that
 * do not count, without a trace, as the gateway does it, models included.
 * `caller` says who asks; nothing else of it is read.
 */
int route_time(const struct profile *profile, const struct snapshot_recipe *recipe, vsr_str body,
               const struct request_facts *caller, uint64_t repetitions, struct route_times *ret_times,
               struct vsr_err *err) VSR_MUST_CHECK;

void route_times_json(const struct route_times *times, struct json_writer *w);
void route_times_text(const struct route_times *times, struct buf *out);

#endif
