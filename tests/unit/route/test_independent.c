/*
 * What is proven independent is: every completion of the missing verdicts or answers that is tried gives the proven
 * decision.
 * VSR_TEST_SEED repeats a run, VSR_TEST_LONG makes a long one.
 */
#include "random_policy.h"

#include <stdlib.h>

enum { RECIPES = 120, REQUESTS = 12, COMPLETIONS = 48, RECIPES_LONG = 6000 };

/* Which rules have no verdict: those of some families, and some single ones. Of answers: those of some models. */
struct gaps {
    enum route_evidence evidence;
    uint64_t salt;
    uint32_t families, rules; /* one in so many */
};

static uint32_t lot(uint64_t salt, const char *text, size_t len, uint32_t n) {
    struct random_source r = { salt };
    for (size_t i = 0; i < len; i++)
        r.state = (r.state ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
    return random_below(&r, n);
}

static bool is_gap(const struct gaps *gaps, const char *family, vsr_str name) {
    return lot(gaps->salt, family, strlen(family), gaps->families) == 0 ||
           lot(gaps->salt + 1, name.ptr, name.len, gaps->rules) == 0;
}

static void bring_verdicts(struct route_state *state, const struct gaps *gaps, uint64_t salt, uint64_t filling) {
    size_t n;
    const struct route_need *needs = route_needs(state, &n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < needs[i].n_rules; k++) {
            const struct route_question *rule = &needs[i].rules[k];
            bool gap = is_gap(gaps, needs[i].family, rule->name);
            struct route_verdict verdict = random_verdict(gap ? filling : salt, needs[i].family, rule->name, 0);
            if (gap && !filling)
                verdict = (struct route_verdict){ .code = SIGNAL_UNAVAILABLE };
            route_bring(state, rule->handle, &verdict);
        }
}

static void give_answers(struct route_state *state, struct fixture *f, const struct gaps *gaps, uint64_t salt,
                         uint64_t filling) {
    size_t n, n_sources;
    const struct signal_source *sources = route_sources(f->route, &n_sources);
    struct evidence_ask *const *asks = route_asks(state, &n);
    for (size_t i = 0; i < n; i++) {
        const char *type = sources[asks[i]->source].model.type;
        bool gap = is_gap(gaps, type, asks[i]->text);
        struct random_source r = { str_hash(asks[i]->text, (gap ? filling : salt) + asks[i]->source) };
        struct evidence_answer answer = random_numbers(&r, f->memory, gap ? filling : salt, asks[i], type);
        if (!gap || filling)
            route_answer(state, asks[i], &answer);
    }
}

/* What is no gap is told by `salt`; gaps fail, or are told by `filling`. */
static struct route_state *evaluate(struct fixture *f, const struct request_facts *facts, const struct gaps *gaps,
                                    uint64_t salt, uint64_t filling) {
    struct route_options options = { .full = true, .evidence = gaps->evidence };
    struct route_state *state = route_begin(f->route, f->scratch, f->memory, facts, &options);
    while (route_step(state, NULL) == ROUTE_NEEDS_EVIDENCE)
        if (gaps->evidence == ROUTE_EVIDENCE_VERDICTS)
            bring_verdicts(state, gaps, salt, filling);
        else
            give_answers(state, f, gaps, salt, filling);
    return state;
}

/* The decision that is proven, if any. */
static bool find_proof(struct fixture *f, const struct route_state *state, const struct config_decision **ret) {
    const struct config_list *decisions = &f->doc->routing.decisions;
    size_t n = 0;
    if (route_independent(state, NULL)) {
        *ret = NULL;
        n++;
    }
    CONFIG_EACH(const struct config_decision, decision, decisions)
    if (route_independent(state, decision)) {
        *ret = decision;
        n++;
    }
    CHECK(n <= 1, "one decision at most is proven");
    return n == 1;
}

struct tally {
    enum route_evidence evidence;
    size_t cases, proven, constant;
};

static void try_case(struct fixture *f, const struct request_facts *facts, struct random_source *r, struct tally *tally,
                     uint64_t seed, const struct buf *recipe) {
    struct gaps gaps = { tally->evidence, random_next(r), 2 + random_below(r, 5), 2 + random_below(r, 20) };
    uint64_t salt = random_next(r);
    const struct config_decision *proof = NULL, *first = NULL;
    bool proven = find_proof(f, evaluate(f, facts, &gaps, salt, 0), &proof), constant = true;
    for (int i = 0; i < COMPLETIONS; i++) {
        const struct config_decision *winner =
            route_outcome(evaluate(f, facts, &gaps, salt, random_next(r) | 1))->decision;
        if (i == 0)
            first = winner;
        constant &= winner == first;
        if (proven && winner != proof) {
            fwrite(recipe->ptr, 1, recipe->len, stderr);
            fail_msg("VSR_TEST_SEED=%llu: %.*s was proven, %.*s won", (unsigned long long)seed,
                     VSR_FMT(proof ? proof->name : VSR_STR("none")), VSR_FMT(winner ? winner->name : VSR_STR("none")));
        }
    }
    tally->cases++;
    tally->proven += proven;
    tally->constant += constant;
}

static void check_proofs(enum route_evidence evidence) {
    const char *given = getenv("VSR_TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 7000;
    int recipes = getenv("VSR_TEST_LONG") ? RECIPES_LONG : RECIPES;
    struct tally tally = { .evidence = evidence };
    struct buf recipe, prompt;
    buf_init(&recipe, 1 << 20);
    buf_init(&prompt, 1 << 16);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < recipes; i++) {
        struct random_source r = { seed + (uint64_t)i };
        struct fixture f;
        random_recipe(&r, &recipe, (struct random_shape){ 1 + random_below(&r, 5), 2 });
        fixture_must_load(&f, recipe.ptr);
        random_fill(f.route, seed + (uint64_t)i, 0);
        for (int k = 0; k < REQUESTS; k++) {
            struct arena_mark mark = arena_mark(f.memory);
            try_case(&f, random_facts(&r, &f, &prompt), &r, &tally, seed + (uint64_t)i, &recipe);
            arena_rewind(f.memory, mark);
        }
        fixture_free(&f);
    }
    print_message("%zu cases, %zu the same in all completions, %zu proven\n", tally.cases, tally.constant,
                  tally.proven);
    CHECK(tally.proven * 2 > tally.constant, "proofs are found");
    buf_done(&recipe);
    buf_done(&prompt);
}

TEST(proofs_hold_for_verdicts) {
    check_proofs(ROUTE_EVIDENCE_VERDICTS);
}

TEST(proofs_hold_for_answers) {
    check_proofs(ROUTE_EVIDENCE_ANSWERS);
}

RUN_TESTS(T(proofs_hold_for_verdicts), T(proofs_hold_for_answers))
