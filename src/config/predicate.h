/*
 * predicate - the bounds of a `{gt, gte, lt, lte}` block: what is wrong with them, and whether a number lies within
 * (signals.md §4.1). Any thread.
 */
#ifndef VSR_CONFIG_PREDICATE_H
#define VSR_CONFIG_PREDICATE_H

#include <math.h>
#include <stdbool.h>

#include "config/document.h"

struct bounds {
    double gt, gte, lt, lte;
    unsigned set; /* BOUND_* */
};

static inline struct bounds bounds_of_predicate(const struct config_predicate *predicate) {
    return (struct bounds){ predicate->gt, predicate->gte, predicate->lt, predicate->lte, predicate->bounds };
}

static inline struct bounds bounds_of_output(const struct config_mapping_output *output) {
    return (struct bounds){ output->gt, output->gte, output->lt, output->lte, output->bounds };
}

/* What is wrong with bounds. */
enum {
    BOUNDS_MISSING = 1,   /* there is none */
    BOUNDS_TWO_LOWER = 2, /* gt and gte */
    BOUNDS_TWO_UPPER = 4, /* lt and lte */
    BOUNDS_EMPTY = 8,     /* no number lies within them; of two lower or upper ones, gt and lt count */
};

static inline unsigned bounds_faults(const struct bounds *bounds) {
    const unsigned lower = BOUND_GT | BOUND_GTE, upper = BOUND_LT | BOUND_LTE;
    double least = bounds->set & BOUND_GT ? bounds->gt : bounds->gte;
    double most = bounds->set & BOUND_LT ? bounds->lt : bounds->lte;
    bool open = bounds->set & (BOUND_GT | BOUND_LT);
    unsigned faults = bounds->set ? 0 : BOUNDS_MISSING;
    if ((bounds->set & lower) == lower)
        faults |= BOUNDS_TWO_LOWER;
    if ((bounds->set & upper) == upper)
        faults |= BOUNDS_TWO_UPPER;
    if ((bounds->set & lower) && (bounds->set & upper) && (least > most || (least == most && open)))
        faults |= BOUNDS_EMPTY;
    return faults;
}

/* NaN and infinities satisfy nothing. */
static inline bool bounds_hold(const struct bounds *bounds, double value) {
    return isfinite(value) && !((bounds->set & BOUND_GT) && !(value > bounds->gt)) &&
           !((bounds->set & BOUND_GTE) && !(value >= bounds->gte)) &&
           !((bounds->set & BOUND_LT) && !(value < bounds->lt)) &&
           !((bounds->set & BOUND_LTE) && !(value <= bounds->lte));
}

#endif
