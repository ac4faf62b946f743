/*
 * signal_metrics - what is counted of one recipe's signals (signals.md 14): which were looked at, matched, failed or
 * not needed, and what each family took.
 *
 * Series are looked up once, when the recipe is built. Recording: any thread.
 */
#ifndef VSR_SERVE_SIGNAL_METRICS_H
#define VSR_SERVE_SIGNAL_METRICS_H

#include "core/str.h"

struct arena;
struct route;
struct route_state;
struct signal_metrics;
struct telemetry;

/* `global_name` gives the name of a rule where all recipes meet. Lives in `arena`, keeps `route`. */
struct signal_metrics *signal_metrics_new(struct arena *arena, const struct telemetry *telemetry,
                                          const struct route *route,
                                          vsr_str (*global_name)(const void *data, vsr_str name), const void *data);

/* After an evaluation that is done. Times are counted when it was given a clock for them. */
void signal_metrics_record(const struct signal_metrics *metrics, const struct route_state *state);

#endif
