#include "provider/pricing.h"

#include "unit/provider/pricing_vectors.h"

TEST(cost_vectors) {
    struct vectors v;
    if (!vectors_open(&v, "pricing.json"))
        skip();
    for (json_ref c = vectors_next(&v, JSON_NONE, "cost"); c != JSON_NONE; c = vectors_next(&v, c, "cost")) {
        const char *name = vectors_text(&v, c, "name");
        json_ref given = vectors_get(&v, c, "given"), want = vectors_get(&v, c, "want");
        struct config_pricing pricing = pricing_of(&v, vectors_get(&v, given, "pricing"));
        struct usage usage = usage_of(&v, vectors_get(&v, given, "usage"));
        vectors_check_number(&v, want, "cost", pricing_cost(&pricing, &usage), name);
        vectors_check_number(&v, want, "input_cost_multiplier", pricing_input_multiplier(&pricing, &usage), name);
        CHECK(pricing_configured(&pricing), name);
    }
    vectors_close(&v);
}

TEST(configured) {
    const struct config_pricing empty = { 0 }, currency = { .currency = VSR_STR_INIT("EUR") },
                                write = { .has_cache_write = true }, rate = { .completion_per_1m = 1 };
    const struct usage usage = { .prompt = 5, .completion = 5 };
    CHECK(!pricing_configured(NULL), "none");
    CHECK(!pricing_configured(&empty), "empty");
    CHECK(pricing_configured(&currency) && pricing_configured(&write) && pricing_configured(&rate), "some");
    CHECK_STR(pricing_currency(&empty), "USD", "default");
    CHECK_STR(pricing_currency(NULL), "USD", "default");
    CHECK_STR(pricing_currency(&currency), "EUR", "written");
    CHECK(pricing_cost(NULL, &usage) == 0 && pricing_input_multiplier(NULL, &usage) == 0, "no price, no cost");
}

RUN_TESTS(T(cost_vectors), T(configured))
