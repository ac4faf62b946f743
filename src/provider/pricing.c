#include "provider/pricing.h"

#define TOKENS_PER_RATE 1e6

/* Rates with what is unset filled in, and counts cut to fit each other. */
struct bill {
    double prompt_rate, cached_rate, write_rate, completion_rate;
    double prompt, plain, cached, written, completion; /* prompt = plain + cached + written */
};

static double rate_of(double rate) {
    return rate > 0 ? rate : 0;
}

static int64_t clamp(int64_t value, int64_t most) {
    if (value < 0)
        return 0;
    return value > most ? most : value;
}

static struct bill make_bill(const struct config_pricing *pricing, const struct usage *usage) {
    int64_t prompt = clamp(usage->prompt, INT64_MAX);
    int64_t cached = clamp(usage->cached, prompt);
    int64_t written = clamp(usage->cache_write, prompt - cached);
    struct bill bill = {
        .prompt_rate = rate_of(pricing->prompt_per_1m),
        .completion_rate = rate_of(pricing->completion_per_1m),
        .prompt = (double)prompt,
        .plain = (double)(prompt - cached - written),
        .cached = (double)cached,
        .written = (double)written,
        .completion = (double)clamp(usage->completion, INT64_MAX),
    };
    bill.cached_rate = pricing->has_cached_input ? rate_of(pricing->cached_input_per_1m) : bill.prompt_rate;
    bill.write_rate = pricing->has_cache_write ? rate_of(pricing->cache_write_per_1m) : bill.prompt_rate;
    return bill;
}

static double input_sum(const struct bill *bill) {
    return bill->plain * bill->prompt_rate + bill->cached * bill->cached_rate + bill->written * bill->write_rate;
}

bool pricing_configured(const struct config_pricing *pricing) {
    if (!pricing)
        return false;
    if (pricing->prompt_per_1m != 0 || pricing->completion_per_1m != 0 || pricing->cached_input_per_1m != 0 ||
        pricing->has_cache_write)
        return true;
    /* The default currency alone is no price; a written one says "free". */
    return pricing->at.node ? yaml_get(pricing->at.node, VSR_STR("currency")) != NULL : pricing->currency.len > 0;
}

double pricing_cost(const struct config_pricing *pricing, const struct usage *usage) {
    struct bill bill;
    if (!pricing)
        return 0;
    bill = make_bill(pricing, usage);
    return (input_sum(&bill) + bill.completion * bill.completion_rate) / TOKENS_PER_RATE;
}

double pricing_input_multiplier(const struct config_pricing *pricing, const struct usage *usage) {
    struct bill bill;
    double dearest;
    if (!pricing)
        return 0;
    bill = make_bill(pricing, usage);
    dearest = bill.prompt_rate;
    if (bill.cached_rate > dearest)
        dearest = bill.cached_rate;
    if (bill.write_rate > dearest)
        dearest = bill.write_rate;
    return bill.prompt > 0 && dearest > 0 ? input_sum(&bill) / (bill.prompt * dearest) : 0;
}

double pricing_measure(const struct config_pricing *pricing) {
    const struct usage none = { 0 };
    struct bill bill;
    if (!pricing)
        return 0;
    bill = make_bill(pricing, &none);
    return (bill.prompt_rate > bill.write_rate ? bill.prompt_rate : bill.write_rate) + bill.completion_rate;
}

vsr_str pricing_currency(const struct config_pricing *pricing) {
    return pricing && pricing->currency.len > 0 ? pricing->currency : VSR_STR("USD");
}
