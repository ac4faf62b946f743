#include "dsl/prove.h"

#include "core/arena.h"
#include "dsl/prove_parts.h"

enum {
    POOL_MAX = 256, /* examples kept, to spare questions that one of them answers */
    POOL_BYTES_MAX = 32 << 20,
};

static void tell_incomplete(struct proof *proof, bool too_many) {
    const struct solver *solver = &proof->solver;
    const char *why = too_many            ? "it has too many routes"
                      : solver->too_large ? "its conditions are too large"
                      : solver->too_late  ? "the time for it is used up"
                      : solver->gave_up   ? "a question was too hard"
                                          : "an example did not hold when it was evaluated";
    proof->findings->decl = (struct dsl_at){ 0 };
    finding_add(proof->findings, FINDING_WARNING, "W411", prove_place_of(proof->profile->routing->at.node),
                "analysis incomplete: %s; what was found holds, and there may be more", why);
}

static void tell_routes(struct proof *proof) {
    enum prove_truth *truths = ARENA_ARRAY(proof->arena, enum prove_truth, proof->routes.n);
    bool *reached = ARENA_ARRAY(proof->arena, bool, proof->routes.n);
    for (size_t i = 0; i < proof->routes.n; i++) {
        const struct prove_route *route = &proof->routes.items[i];
        struct arena_mark mark = arena_mark(proof->arena);
        proof->findings->decl = prove_place_of(route->config->at.node);
        truths[i] = prove_truth(proof, route);
        reached[i] = truths[i] != PROVE_TRUTH_NEVER && prove_reached(proof, route);
        arena_rewind(proof->arena, mark);
    }
    prove_uncaught(proof);
    for (size_t i = 0; i < proof->routes.n; i++) {
        proof->findings->decl = prove_place_of(proof->routes.items[i].config->at.node);
        if (reached[i])
            prove_ties(proof, &proof->routes.items[i]);
    }
    prove_bands(proof);
    for (size_t i = 0; i < proof->routes.n; i++) {
        proof->findings->decl = prove_place_of(proof->routes.items[i].config->at.node);
        if (truths[i] == PROVE_TRUTH_VARIES && proof->routes.items[i].n_nodes <= PROVE_TERMS_MAX)
            prove_terms(proof, &proof->routes.items[i]);
    }
}

void prove_begin(struct proof *proof, const struct prove_options *options) {
    int64_t budget_ms = options->budget_ms ? options->budget_ms : PROVE_BUDGET_MS;
    solver_init(&proof->solver, proof->arena, budget_ms < 0 ? 0 : budget_ms, options->conflicts);
    proof->solver.stop = options->stop;
    proof->solver.stop_data = options->stop_data;
    theory_init(&proof->theory, proof->arena, &proof->solver, &options->families);
    proof->solver.refute = theory_refute;
    proof->solver.refute_data = &proof->theory;
    theory_scope_init(&proof->scope, &proof->theory, proof->doc, proof->profile->routing, false);
    prove_routes_build(&proof->routes, &proof->scope);
    theory_close(&proof->theory);
    proof->pool_max = POOL_BYTES_MAX / (proof->theory.n_leaves + 1);
    proof->pool_max = proof->pool_max > POOL_MAX ? POOL_MAX : proof->pool_max + 1;
    proof->pool = ARENA_ARRAY(proof->arena, uint8_t *, proof->pool_max);
    for (size_t i = 0; i < proof->pool_max; i++)
        proof->pool[i] = ARENA_ARRAY(proof->arena, uint8_t, proof->theory.n_leaves);
    proof->circumstance = "";
    proof->ordinary = options->ordinary;
}

static void prove_profile(struct proof *proof, const struct prove_options *options, struct prove_summary *summary) {
    const struct solver *solver = &proof->solver;
    bool too_many = proof->profile->routing->decisions.n > PROVE_ROUTES_MAX;
    if (!too_many) {
        prove_begin(proof, options);
        tell_routes(proof);
    }
    if (too_many || solver->too_large || solver->too_late || solver->gave_up || proof->disagreed) {
        tell_incomplete(proof, too_many);
        summary->complete = false;
    }
    summary->n_profiles++;
    summary->n_routes += proof->routes.n;
    summary->n_leaves += proof->theory.n_leaves;
    summary->n_questions += solver->n_questions;
}

static bool is_stopped(const struct prove_options *options, struct prove_summary *summary) {
    if (!options->stop || !options->stop(options->stop_data))
        return false;
    summary->complete = false;
    return true;
}

void dsl_prove(struct arena *arena, const struct config_document *doc, const struct prove_options *options,
               struct findings *findings, struct prove_summary *ret_summary) {
    struct prove_summary summary = { .complete = true };
    vsr_str prefix = findings->prefix;
    struct dsl_at decl = findings->decl;
    for (size_t i = 0; i < doc->n_scopes && !is_stopped(options, &summary); i++) {
        const struct config_scope *profile = &doc->scopes[i];
        struct proof proof = { .arena = arena_new(0, 0), .doc = doc, .profile = profile, .findings = findings };
        if (profile->prefix.len)
            findings->prefix = arena_printf(arena, "recipe \"%.*s\": ", VSR_FMT(profile->name));
        prove_profile(&proof, options, &summary);
        findings->prefix = prefix;
        arena_free(proof.arena);
    }
    findings->decl = decl;
    if (ret_summary)
        *ret_summary = summary;
}
