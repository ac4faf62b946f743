/*
 * savings - what an answer would have cost from a baseline model (decisions.md 10.5). Pure: any thread.
 *
 * The baseline pays for the same tokens at its own rates: had every request stayed on one model, its cache would have
 * been at least as warm. Currencies are never compared with each other.
 */
#ifndef VSR_PROVIDER_SAVINGS_H
#define VSR_PROVIDER_SAVINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"
#include "wire/usage.h"

struct config_pricing;

struct priced_model {
    vsr_str name;
    const struct config_pricing *pricing; /* NULL: none */
};

struct savings {
    double actual_cost, baseline_cost; /* in units of `currency` */
    double saved;                      /* negative when the baseline would have been cheaper */
    vsr_str currency;
    vsr_str baseline;
};

/*
 * The one that would cost most, by its rate of completions and the greater of those of prompts and cache writes, among
 * those with a price in `currency`; of equals, the smaller name. NULL: none has one.
 */
const struct priced_model *savings_dearest(const struct priced_model *models, size_t n, vsr_str currency);

/* `overhead`: what routing itself cost, such as calls to other models. False: one of the two has no price (`baseline`
 * may be NULL), or their currencies differ. */
bool savings_compute(const struct config_pricing *selected, const struct priced_model *baseline, double overhead,
                     const struct usage *usage, struct savings *ret);

#endif
