/*
 * Random policies, random requests, random verdicts of models, random failures: evaluated in stages, the outcome is
 * that of evaluating everything. VSR_TEST_SEED repeats a run, VSR_TEST_LONG makes a long one.
 */
#include "random_policy.h"

#include <stdlib.h>

enum { RECIPES = 150, REQUESTS = 40, RECIPES_LONG = 20000 };

static vsr_str name_of(const struct route_outcome *outcome) {
    return outcome->decision ? outcome->decision->name : VSR_STR("none");
}

static struct route_state *evaluate(struct fixture *f, const struct request_facts *facts, bool full, uint64_t salt,
                                    uint32_t failing, size_t *n_asked) {
    struct route_options options = { .full = full,
                                     .evidence = failing != 1 ? ROUTE_EVIDENCE_VERDICTS : ROUTE_EVIDENCE_NONE };
    struct route_state *state = route_begin(f->route, f->scratch, f->memory, facts, &options);
    while (route_step(state, NULL) == ROUTE_NEEDS_EVIDENCE)
        random_answer(state, salt, failing, n_asked);
    return state;
}

static void explain(const struct buf *recipe, const struct buf *prompt) {
    fwrite(recipe->ptr, 1, recipe->len, stderr);
    fprintf(stderr, "\nprompt: %.*s\n", (int)prompt->len, prompt->ptr);
}

static bool same(const struct route_outcome *a, const struct route_outcome *b) {
    if (a->decision != b->decision || a->confidence != b->confidence || a->n_matched_rules != b->n_matched_rules ||
        !str_eq(a->category, b->category))
        return false;
    for (size_t i = 0; i < a->n_matched_rules; i++)
        if (!str_eq(a->matched_rules[i], b->matched_rules[i]))
            return false;
    return true;
}

/* Whether loading said that the decision can never win. */
static bool is_shadowed(const struct fixture *f, const struct config_decision *decision) {
    for (size_t i = 0; i < f->diag.n_items; i++)
        if (strcmp(f->diag.items[i].code, "W_SHADOWED") == 0 && decision->at.path.len &&
            str_eq(f->diag.items[i].path, decision->at.path))
            return true;
    return false;
}

TEST(staged_is_full) {
    const char *given = getenv("VSR_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20240;
    int recipes = getenv("VSR_TEST_LONG") ? RECIPES_LONG : RECIPES;
    size_t asked_staged = 0, asked_full = 0, n_shadowed = 0;
    struct buf recipe, prompt;
    buf_init(&recipe, 1 << 20);
    buf_init(&prompt, 1 << 16);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < recipes; i++) {
        struct random_source r = { seed + (uint64_t)i };
        struct fixture f;
        random_recipe(&r, &recipe, (struct random_shape){ 3 + random_below(&r, 10), 3 });
        fixture_must_load(&f, recipe.ptr);
        for (size_t k = 0; k < f.diag.n_items; k++)
            n_shadowed += strcmp(f.diag.items[k].code, "W_SHADOWED") == 0;
        for (int k = 0; k < REQUESTS; k++) {
            const struct request_facts *facts = random_facts(&r, &f, &prompt);
            uint64_t salt = random_next(&r);
            uint32_t failing = random_below(&r, 5); /* 0: never, 1: there is no model, else one in so many */
            const struct route_outcome *staged =
                route_outcome(evaluate(&f, facts, false, salt, failing, &asked_staged));
            const struct route_outcome *full = route_outcome(evaluate(&f, facts, true, salt, failing, &asked_full));
            if (full->decision && is_shadowed(&f, full->decision)) {
                explain(&recipe, &prompt);
                fail_msg("VSR_TEST_SEED=%llu: %.*s can never win, it was said",
                         (unsigned long long)(seed + (uint64_t)i), VSR_FMT(name_of(full)));
            }
            if (!same(staged, full)) {
                explain(&recipe, &prompt);
                fail_msg("VSR_TEST_SEED=%llu, request %d: %.*s (%.17g) in stages, %.*s (%.17g) in full",
                         (unsigned long long)(seed + (uint64_t)i), k, VSR_FMT(name_of(staged)), staged->confidence,
                         VSR_FMT(name_of(full)), full->confidence);
            }
        }
        fixture_free(&f);
    }
    print_message("%zu decisions are shadowed\n", n_shadowed);
    CHECK(n_shadowed > 0, "shadows are found");
    print_message("rules asked for: %zu in stages, %zu in full\n", asked_staged, asked_full);
    CHECK(asked_staged < asked_full, "stages save something");
    buf_done(&recipe);
    buf_done(&prompt);
}

RUN_TESTS(T(staged_is_full))
