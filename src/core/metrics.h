/*
 * metrics - counters, gauges and histograms with fixed label sets, printed as Prometheus text.
 *
 * A family has a name, a help text, label names and a ceiling for its series; past the ceiling everything goes to one
 * series whose label values are "other", so no client can grow the registry. A series keeps one cell per thread slot:
 * adding is one relaxed store to a cell that only this thread writes, and reading sums the cells. Code on the request
 * path resolves its series once (at load) and keeps the pointer. Series live as long as the registry.
 *
 * Threads call metrics_thread_slot() implicitly; slots past METRICS_SLOTS share the last one with atomic adds.
 */
#ifndef VSR_CORE_METRICS_H
#define VSR_CORE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct buf;
struct metrics;
struct metric_family;
struct metric;

enum { METRICS_SLOTS = 32, METRICS_LABELS_MAX = 6, METRICS_BUCKETS_MAX = 32 };

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* Registering the same name again returns the first family. `labels` and texts are kept, so they are literals. Any
 * thread. */
struct metric_family *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                                      const char *const *labels, size_t n_labels, size_t series_max);
struct metric_family *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                                    const char *const *labels, size_t n_labels, size_t series_max);
/* `bounds` are upper bounds, ascending, without +Inf; kept. */
struct metric_family *metrics_histogram(struct metrics *metrics, const char *name, const char *help,
                                        const char *const *labels, size_t n_labels, size_t series_max,
                                        const double *bounds, size_t n_bounds);

/* The series with these label values (copied), made when absent. Takes a lock: resolve once, keep the pointer. Any
 * thread. */
struct metric *metric_with(struct metric_family *family, const vsr_str *values, size_t n_values);

void metric_add(struct metric *metric, double delta); /* counter, gauge */
static inline void metric_inc(struct metric *metric) {
    metric_add(metric, 1);
}
void metric_observe(struct metric *metric, double value); /* histogram */
double metric_value(const struct metric *metric);         /* counter, gauge: the sum; histogram: the count */

/* Appends everything in Prometheus text format 0.0.4, families in order of registration. */
void metrics_print(struct metrics *metrics, struct buf *out);

#endif
