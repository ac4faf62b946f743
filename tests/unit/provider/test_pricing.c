#include "provider/pricing.h"

#include "unit/wire/vectors.h"

static struct config_pricing pricing_of(const struct vectors *v, json_ref given) {
    struct config_pricing pricing = {
        .currency = str_from_c(vectors_text(v, given, "currency")),
        .prompt_per_1m = vectors_number(v, given, "prompt_per_1m", 0),
        .completion_per_1m = vectors_number(v, given, "completion_per_1m", 0),
        .cached_input_per_1m = vectors_number(v, given, "cached_input_per_1m", 0),
        .cache_write_per_1m = vectors_number(v, given, "cache_write_per_1m", 0),
        .has_cached_input = vectors_get(v, given, "cached_input_per_1m") != JSON_NONE,
        .has_cache_write = vectors_get(v, given, "cache_write_per_1m") != JSON_NONE,
    };
    return pricing;
}

TEST(cost_vectors) {
    struct vectors v;
    if (!vectors_open(&v, "pricing.json"))
        skip();
    for (json_ref c = vectors_next(&v, JSON_NONE, "cost"); c != JSON_NONE; c = vectors_next(&v, c, "cost")) {
        const char *name = vectors_text(&v, c, "name");
        json_ref given = vectors_get(&v, c, "given"), want = vectors_get(&v, c, "want");
        json_ref counts = vectors_get(&v, given, "usage");
        struct config_pricing pricing = pricing_of(&v, vectors_get(&v, given, "pricing"));
        struct usage usage = {
            .prompt = (int64_t)vectors_number(&v, counts, "prompt", 0),
            .cached = (int64_t)vectors_number(&v, counts, "cached", 0),
            .cache_write = (int64_t)vectors_number(&v, counts, "cache_write", 0),
            .completion = (int64_t)vectors_number(&v, counts, "completion", 0),
        };
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
