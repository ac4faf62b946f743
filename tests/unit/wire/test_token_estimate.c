#include "wire/token_estimate.h"

#include <pthread.h>

#include "unit/wire/vectors.h"

TEST(estimate_vectors) {
    struct vectors v;
    if (!vectors_open(&v, "context.json"))
        skip();
    for (json_ref c = vectors_next(&v, JSON_NONE, "text_estimate"); c != JSON_NONE;
         c = vectors_next(&v, c, "text_estimate")) {
        const char *name = vectors_text(&v, c, "name");
        json_ref given = vectors_get(&v, c, "given"), want = vectors_get(&v, c, "want");
        json_ref list = vectors_get(&v, given, "observations");
        struct token_estimate *estimate = token_estimate_new();
        struct token_ratio ratio;
        for (json_ref o = json_first(&v.doc, list); o != JSON_NONE; o = json_next(&v.doc, list, o))
            for (int i = 0; i < (int)vectors_number(&v, o, "times", 1); i++)
                token_estimate_observe(estimate, VSR_STR(""), (uint64_t)vectors_number(&v, o, "bytes", 0),
                                       (uint64_t)vectors_number(&v, o, "tokens", 0));
        CHECK(token_estimate_read(estimate, VSR_STR(""), &ratio), name);
        vectors_check_number(&v, want, "mean_ratio", ratio.mean, name);
        vectors_check_number(&v, want, "conservative_ratio", ratio.conservative, name);
        vectors_check_number(&v, want, "samples", (double)ratio.samples, name);
        vectors_check_number(&v, want, "tokens",
                             (double)token_estimate_tokens((uint64_t)vectors_number(&v, given, "bytes", 0),
                                                           token_estimate_ratio(estimate)),
                             name);
        token_estimate_free(estimate);
    }
    vectors_close(&v);
}

TEST(categories_are_bounded) {
    struct token_estimate *estimate = token_estimate_new();
    struct token_ratio ratio;
    char name[32], long_name[TOKEN_ESTIMATE_CATEGORY_LEN_MAX + 1];
    for (int i = 0; i < TOKEN_ESTIMATE_CATEGORIES_MAX + 10; i++) {
        snprintf(name, sizeof(name), "category %d", i);
        token_estimate_observe(estimate, str_from_c(name), 100, 50);
    }
    memset(long_name, 'x', sizeof(long_name));
    token_estimate_observe(estimate, str_make(long_name, sizeof(long_name)), 100, 50);
    CHECK(token_estimate_read(estimate, VSR_STR("category 255"), &ratio), "the last one that fits");
    CHECK_INT(ratio.samples, 1, "samples");
    CHECK(!token_estimate_read(estimate, VSR_STR("category 256"), &ratio), "one past it");
    CHECK(!token_estimate_read(estimate, str_make(long_name, sizeof(long_name)), &ratio), "name too long");
    CHECK(token_estimate_read(estimate, VSR_STR("_default"), &ratio), "default");
    CHECK_INT(ratio.samples, TOKEN_ESTIMATE_CATEGORIES_MAX + 11, "every observation once");
    token_estimate_free(estimate);
}

TEST(categories_are_listed) {
    struct token_estimate *estimate = token_estimate_new();
    static struct token_category list[TOKEN_ESTIMATE_CATEGORIES_MAX + 1];
    CHECK_INT(token_estimate_list(estimate, list), 1, "from the start");
    CHECK(list[0].ratio.samples == 0 && list[0].ratio.conservative == 4, "nothing learned");
    CHECK(token_estimate_observe(estimate, VSR_STR("b"), 20, 10), "kept");
    CHECK(token_estimate_observe(estimate, VSR_STR("a"), 40, 10), "kept");
    CHECK(!token_estimate_observe(estimate, VSR_STR(""), 40, 10), "only the default");
    CHECK(!token_estimate_observe(estimate, VSR_STR("_default"), 40, 10), "not twice");
    CHECK(!token_estimate_observe(estimate, VSR_STR("c"), 0, 10), "ignored");
    CHECK_INT(token_estimate_list(estimate, list), 3, "all");
    CHECK_STR(list[0].name, "_default", "first");
    CHECK_STR(list[1].name, "b", "in order");
    CHECK_STR(list[2].name, "a", "in order");
    CHECK(list[0].ratio.samples == 4 && list[1].ratio.samples == 1 && list[1].ratio.mean == 2, "ratios");
    CHECK(token_estimate_clamp(0.5) == 1 && token_estimate_clamp(9) == 8 && token_estimate_clamp(3) == 3, "clamp");
    token_estimate_free(estimate);
}

static void *observe_many(void *data) {
    for (int i = 0; i < 2000; i++) {
        (void)token_estimate_observe(data, VSR_STR("c"), 300, 100);
        CHECK(token_estimate_ratio(data) >= 3.0 && token_estimate_ratio(data) <= 4.0, "between start and truth");
    }
    return NULL;
}

TEST(threads) {
    struct token_estimate *estimate = token_estimate_new();
    pthread_t threads[4];
    struct token_ratio ratio;
    for (size_t i = 0; i < VSR_COUNT(threads); i++)
        pthread_create(&threads[i], NULL, observe_many, estimate);
    for (size_t i = 0; i < VSR_COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    CHECK(token_estimate_read(estimate, VSR_STR("c"), &ratio), "there");
    CHECK_INT(ratio.samples, 8000, "none lost");
    CHECK(token_estimate_ratio(estimate) == 3.0, "learned");
    token_estimate_free(estimate);
}

RUN_TESTS(T(estimate_vectors), T(categories_are_bounded), T(categories_are_listed), T(threads))
