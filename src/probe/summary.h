/*
 * summary - what a run comes to: pass rates, tags, latency, coverage, and whether the suite is accepted (config.md
 * §18.4, §18.5). Pure; any thread.
 */
#ifndef VSR_PROBE_SUMMARY_H
#define VSR_PROBE_SUMMARY_H

#include "probe/run.h"

struct arena;

struct probe_rate {
    size_t passed, total; /* those that depend on unavailable signals do not count */
};

/* Percent, to one decimal; 100 of nothing. */
double probe_percent(struct probe_rate rate);

struct probe_decision_rate {
    const struct probe_decision *decision;
    struct probe_rate rate;
    double least; /* percent that is asked of it */
};

struct probe_latency {
    double min, p50, p95, p99, max; /* microseconds */
};

struct probe_coverage_rate {
    const char *what; /* "signal" */
    size_t asserted, configured;
    double least; /* percent */
};

enum { PROBE_COVERAGES = 4 };

struct probe_summary {
    const struct probe_options *options;
    const struct probe_outcomes *outcomes;
    struct probe_rate rate;
    size_t n_dependent, n_dependent_passed; /* of a run by independence */
    size_t n_not_asked;
    struct probe_decision_rate *decisions;
    size_t n_decisions;
    struct probe_rate tags[PROBE_TAGS];
    struct probe_latency latency;
    double per_second;
    struct probe_coverage_rate coverage[PROBE_COVERAGES];
    vsr_str *complaints; /* why the suite is not accepted */
    size_t n_complaints;
    bool whole; /* every variant was asked, so coverage and tags count */
};

/* Everything lives in `arena`. */
void probe_summarize(const struct probe_options *options, const struct probe_outcomes *outcomes, struct arena *arena,
                     struct probe_summary *ret_summary);

#endif
