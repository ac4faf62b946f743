#include "provider/savings.h"

#include "provider/pricing.h"
#include "unit/provider/pricing_vectors.h"

enum { MODELS_MAX = 16 };

/* The models of a case; those that its baseline is looked for among come first. */
struct models {
    struct config_pricing pricing[MODELS_MAX];
    struct priced_model all[MODELS_MAX], among[MODELS_MAX];
    size_t n, n_among;
};

static bool lists(const struct vectors *v, json_ref list, vsr_str name) {
    for (json_ref item = json_first(&v->doc, list); item != JSON_NONE; item = json_next(&v->doc, list, item))
        if (json_str_eq(&v->doc, item, name))
            return true;
    return false;
}

static bool is_candidate(const struct vectors *v, json_ref given, vsr_str name) {
    const char *baseline = vectors_text(v, given, "baseline");
    if (!*baseline || strcmp(baseline, "most_expensive") == 0)
        return true;
    if (strcmp(baseline, "decision_max") == 0)
        return lists(v, vectors_get(v, given, "refs"), name);
    return str_eq_c(name, strcmp(baseline, "default_model") == 0 ? vectors_text(v, given, "default") : baseline);
}

static void read_models(const struct vectors *v, json_ref given, struct models *m) {
    json_ref map = vectors_get(v, given, "models");
    for (json_ref key = json_first(&v->doc, map); key != JSON_NONE; m->n++) {
        json_ref value = json_next(&v->doc, map, key);
        vsr_str name = { NULL, 0 };
        CHECK(m->n < MODELS_MAX && json_str(v->arena, &v->doc, key, &name), "a model's name");
        m->pricing[m->n] = pricing_of(v, value);
        m->all[m->n] = (struct priced_model){ name, &m->pricing[m->n] };
        if (is_candidate(v, given, name))
            m->among[m->n_among++] = m->all[m->n];
        key = json_next(&v->doc, map, value);
    }
}

static const struct config_pricing *find(const struct models *m, const char *name) {
    for (size_t i = 0; i < m->n; i++)
        if (str_eq_c(m->all[i].name, name))
            return m->all[i].pricing;
    return NULL;
}

static void check_case(const struct vectors *v, json_ref c) {
    const char *name = vectors_text(v, c, "name");
    json_ref given = vectors_get(v, c, "given"), want = vectors_get(v, c, "want");
    struct usage usage = usage_of(v, vectors_get(v, given, "usage"));
    struct models models = { .n = 0 };
    struct savings savings = { 0 };
    const struct config_pricing *selected;
    bool has;
    read_models(v, given, &models);
    selected = find(&models, vectors_text(v, given, "selected"));
    has = savings_compute(selected, savings_dearest(models.among, models.n_among, pricing_currency(selected)),
                          vectors_number(v, given, "overhead", 0), &usage, &savings);
    vectors_check_number(v, want, "savings_fields", has, name);
    if (!has)
        return;
    vectors_check_number(v, want, "actual_cost", savings.actual_cost, name);
    vectors_check_number(v, want, "baseline_cost", savings.baseline_cost, name);
    vectors_check_number(v, want, "cost_savings", savings.saved, name);
    vectors_check_text(v, want, "baseline_model", savings.baseline, name);
    vectors_check_text(v, want, "currency", savings.currency, name);
}

TEST(vectors) {
    struct vectors v;
    size_t n = 0;
    if (!vectors_open(&v, "pricing.json"))
        skip();
    for (json_ref c = vectors_next(&v, JSON_NONE, "savings"); c != JSON_NONE; c = vectors_next(&v, c, "savings"), n++)
        check_case(&v, c);
    CHECK(n > 0, "there are cases");
    vectors_close(&v);
}

static const struct config_pricing cheap = { .prompt_per_1m = 1, .completion_per_1m = 1 },
                                   writer = { .prompt_per_1m = 1,
                                              .cache_write_per_1m = 5,
                                              .has_cache_write = true,
                                              .completion_per_1m = 1 },
                                   euro = { .currency = VSR_STR_INIT("EUR"), .prompt_per_1m = 100 }, none = { 0 };

TEST(dearest) {
    const struct priced_model models[] = {
        { VSR_STR("b"), &cheap }, { VSR_STR("a"), &cheap }, { VSR_STR("e"), &euro },
        { VSR_STR("n"), &none },  { VSR_STR("x"), NULL },   { VSR_STR("w"), &writer },
    };
    CHECK_STR(savings_dearest(models, 2, VSR_STR("USD"))->name, "a", "of equals the smaller name");
    CHECK_STR(savings_dearest(models, 6, VSR_STR("USD"))->name, "w", "a rate of cache writes counts");
    CHECK_STR(savings_dearest(models, 6, VSR_STR("EUR"))->name, "e", "among its own currency");
    CHECK(!savings_dearest(models, 6, VSR_STR("CHF")), "nobody has that currency");
    CHECK(!savings_dearest(models + 3, 2, VSR_STR("USD")), "nobody has a price");
}

TEST(compared) {
    const struct usage usage = { .prompt = 1000000, .completion = 1000000 };
    const struct priced_model baseline = { VSR_STR("w"), &writer }, foreign = { VSR_STR("e"), &euro },
                              unpriced = { VSR_STR("n"), &none };
    struct savings savings;
    CHECK(savings_compute(&cheap, &baseline, 0.5, &usage, &savings), "both have prices");
    CHECK(savings.actual_cost == 2.5 && savings.baseline_cost == 2 && savings.saved == -0.5, "may be negative");
    CHECK(!savings_compute(&cheap, &foreign, 0, &usage, &savings), "another currency");
    CHECK(!savings_compute(&cheap, &unpriced, 0, &usage, &savings), "a baseline without a price");
    CHECK(!savings_compute(&none, &baseline, 0, &usage, &savings), "no price of its own");
    CHECK(!savings_compute(&cheap, NULL, 0, &usage, &savings), "no baseline");
}

RUN_TESTS(T(vectors), T(dearest), T(compared))
