#include "provider/savings.h"

#include "provider/pricing.h"

/* Is `a` a better baseline than `b`? */
static bool is_dearer(const struct priced_model *a, const struct priced_model *b) {
    double mine = pricing_measure(a->pricing), other = pricing_measure(b->pricing);
    return mine > other || (mine == other && str_cmp(a->name, b->name) < 0);
}

const struct priced_model *savings_dearest(const struct priced_model *models, size_t n, vsr_str currency) {
    const struct priced_model *dearest = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct priced_model *model = &models[i];
        if (!pricing_configured(model->pricing) || !str_eq(pricing_currency(model->pricing), currency))
            continue;
        if (!dearest || is_dearer(model, dearest))
            dearest = model;
    }
    return dearest;
}

bool savings_compute(const struct config_pricing *selected, const struct priced_model *baseline, double overhead,
                     const struct usage *usage, struct savings *ret) {
    if (!pricing_configured(selected) || !baseline || !pricing_configured(baseline->pricing) ||
        !str_eq(pricing_currency(selected), pricing_currency(baseline->pricing)))
        return false;
    *ret = (struct savings){
        .actual_cost = pricing_cost(selected, usage) + overhead,
        .baseline_cost = pricing_cost(baseline->pricing, usage),
        .currency = pricing_currency(selected),
        .baseline = baseline->name,
    };
    ret->saved = ret->baseline_cost - ret->actual_cost;
    return true;
}
