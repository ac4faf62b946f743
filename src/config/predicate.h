/*
 * predicate - whether a number lies within the bounds of a `{gt, gte, lt, lte}` block (signals.md §4.1). Any thread.
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

/* NaN and infinities satisfy nothing. */
static inline bool bounds_hold(const struct bounds *bounds, double value) {
    return isfinite(value) && !((bounds->set & BOUND_GT) && !(value > bounds->gt)) &&
           !((bounds->set & BOUND_GTE) && !(value >= bounds->gte)) &&
           !((bounds->set & BOUND_LT) && !(value < bounds->lt)) &&
           !((bounds->set & BOUND_LTE) && !(value <= bounds->lte));
}

#endif
