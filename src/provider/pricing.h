/*
 * pricing - what an answer cost (decisions.md 10). Pure: any thread.
 */
#ifndef VSR_PROVIDER_PRICING_H
#define VSR_PROVIDER_PRICING_H

#include <stdbool.h>

#include "config/document.h"
#include "wire/usage.h"

/* Whether the model has a price, be it zero: some rate, a cache write rate, or a currency was written. NULL: no. */
bool pricing_configured(const struct config_pricing *pricing);

/* In units of the currency. 0 without pricing. Counts below 0 are 0; cached is cut to prompt, cache_write to what is
 * left of it. */
double pricing_cost(const struct config_pricing *pricing, const struct usage *usage);

/* Share of the dearest possible input cost that was paid, in [0, 1]; 0 without prompt tokens or rates. */
double pricing_input_multiplier(const struct config_pricing *pricing, const struct usage *usage);

/* How dear a model is beside others of its currency: its rate of completions and the greater of those of prompts and
 * cache writes, for a million tokens. 0 without pricing. */
double pricing_measure(const struct config_pricing *pricing);

/* Written currency, or USD. */
vsr_str pricing_currency(const struct config_pricing *pricing);

#endif
