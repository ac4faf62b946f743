/*
 * pricing_vectors - prices and token counts as vectors/pricing.json writes them.
 */
#ifndef VSR_TESTS_PRICING_VECTORS_H
#define VSR_TESTS_PRICING_VECTORS_H

#include "config/document.h"
#include "unit/wire/vectors.h"
#include "wire/usage.h"

static inline struct config_pricing pricing_of(const struct vectors *v, json_ref given) {
    return (struct config_pricing){
        .currency = str_from_c(vectors_text(v, given, "currency")),
        .prompt_per_1m = vectors_number(v, given, "prompt_per_1m", 0),
        .completion_per_1m = vectors_number(v, given, "completion_per_1m", 0),
        .cached_input_per_1m = vectors_number(v, given, "cached_input_per_1m", 0),
        .cache_write_per_1m = vectors_number(v, given, "cache_write_per_1m", 0),
        .has_cached_input = vectors_get(v, given, "cached_input_per_1m") != JSON_NONE,
        .has_cache_write = vectors_get(v, given, "cache_write_per_1m") != JSON_NONE,
    };
}

static inline struct usage usage_of(const struct vectors *v, json_ref counts) {
    return (struct usage){
        .prompt = (int64_t)vectors_number(v, counts, "prompt", 0),
        .cached = (int64_t)vectors_number(v, counts, "cached", 0),
        .cache_write = (int64_t)vectors_number(v, counts, "cache_write", 0),
        .completion = (int64_t)vectors_number(v, counts, "completion", 0),
    };
}

#endif
