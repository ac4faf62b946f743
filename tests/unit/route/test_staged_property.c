/*
 * Random policies, random requests, random failures, random verdicts for rules or random answers of models: evaluated
 * in stages, the outcome is that of evaluating everything. VSR_TEST_SEED repeats a run, VSR_TEST_LONG makes a long one.
 */
#include "random_policy.h"

#include <stdlib.h>

enum { RECIPES = 150, REQUESTS = 40, RECIPES_LONG = 20000 };

static vsr_str name_of(const struct route_outcome *outcome) {
    return outcome->decision ? outcome->decision->name : VSR_STR("none");
}

/* One case, evaluated in two ways. */
struct evaluation {
    enum route_evidence evidence;
    uint64_t salt;
    uint32_t failing; /* 0: never, 1: there is no model, else one in so many */
    size_t n_asked_staged, n_asked_full;
};

static struct route_state *evaluate(struct fixture *f, const struct request_facts *facts, bool full,
                                    struct evaluation *how) {
    struct route_options options = { .full = full,
                                     .evidence = how->failing != 1 ? how->evidence : ROUTE_EVIDENCE_NONE };
    struct route_state *state = route_begin(f->route, f->scratch, f->memory, facts, &options);
    size_t *n_asked = full ? &how->n_asked_full : &how->n_asked_staged;
    while (route_step(state, NULL) == ROUTE_NEEDS_EVIDENCE)
        if (options.evidence == ROUTE_EVIDENCE_VERDICTS)
            random_answer(state, how->salt, how->failing, n_asked);
        else
            random_answers(state, f->route, f->memory, how->salt, how->failing, n_asked);
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

static void check_request(struct fixture *f, struct random_source *r, struct evaluation *how, const struct buf *recipe,
                          struct buf *prompt, uint64_t seed) {
    const struct request_facts *facts = random_facts(r, f, prompt);
    const struct route_outcome *staged, *full;
    how->salt = random_next(r);
    how->failing = random_below(r, 5);
    staged = route_outcome(evaluate(f, facts, false, how));
    full = route_outcome(evaluate(f, facts, true, how));
    if (full->decision && is_shadowed(f, full->decision)) {
        explain(recipe, prompt);
        fail_msg("VSR_TEST_SEED=%llu: %.*s can never win, it was said", (unsigned long long)seed,
                 VSR_FMT(name_of(full)));
    }
    if (!same(staged, full)) {
        explain(recipe, prompt);
        fail_msg("VSR_TEST_SEED=%llu: %.*s (%.17g) in stages, %.*s (%.17g) in full", (unsigned long long)seed,
                 VSR_FMT(name_of(staged)), staged->confidence, VSR_FMT(name_of(full)), full->confidence);
    }
}

static void check_recipes(enum route_evidence evidence) {
    const char *given = getenv("VSR_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20240;
    int recipes = getenv("VSR_TEST_LONG") ? RECIPES_LONG : RECIPES;
    struct evaluation how = { .evidence = evidence };
    size_t n_shadowed = 0;
    struct buf recipe, prompt;
    buf_init(&recipe, 1 << 20);
    buf_init(&prompt, 1 << 16);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < recipes; i++) {
        struct random_source r = { seed + (uint64_t)i };
        struct fixture f;
        random_recipe(&r, &recipe, (struct random_shape){ 3 + random_below(&r, 10), 3 });
        fixture_must_load(&f, recipe.ptr);
        random_fill(f.route, seed + (uint64_t)i, random_below(&r, 2) ? 0 : 4);
        for (size_t k = 0; k < f.diag.n_items; k++)
            n_shadowed += strcmp(f.diag.items[k].code, "W_SHADOWED") == 0;
        for (int k = 0; k < REQUESTS; k++)
            check_request(&f, &r, &how, &recipe, &prompt, seed + (uint64_t)i);
        fixture_free(&f);
    }
    print_message("%zu decisions are shadowed\n", n_shadowed);
    CHECK(n_shadowed > 0, "shadows are found");
    print_message("asked for: %zu in stages, %zu in full\n", how.n_asked_staged, how.n_asked_full);
    CHECK(how.n_asked_staged < how.n_asked_full, "stages save something");
    buf_done(&recipe);
    buf_done(&prompt);
}

TEST(staged_is_full_with_verdicts) {
    check_recipes(ROUTE_EVIDENCE_VERDICTS);
}

TEST(staged_is_full_with_answers) {
    check_recipes(ROUTE_EVIDENCE_ANSWERS);
}

RUN_TESTS(T(staged_is_full_with_verdicts), T(staged_is_full_with_answers))
