/*
 * prove - what holds for every request: routes that nothing reaches, conditions that are never or always true, ties,
 * requests that no route takes, terms without effect, and bands that leave gaps or are never reached (dsl.md §6.5).
 *
 * Works on a loaded document, whatever it was written in. A condition's leaves are what varies; what is known of them
 * is in dsl/prove_theory.h, and three-valued: a leaf may be unknown because its signal could not be evaluated. So
 * "unreachable" and "never" hold for every request, with every signal failing or not. Examples are looked for first
 * among requests with text whose signals could all be evaluated. Each was evaluated as the engine does before it is
 * told, and is one as far as the theory goes.
 *
 *   W401  warning  no request chooses the route: those that win over it take all of its matches. The routes named
 *                  suffice for that, and none of them can be left out.
 *   W402  warning  the condition is never true
 *   W403  warning  the condition is always true
 *   W404  warning  between two bands of a mapping lie scores that neither holds
 *   W405  warning  bands of a mapping overlap: the first one counts
 *   W406  warning  a band is never reached
 *   W407  warning  two routes of one rank and different models can match together: confidence decides, then the name
 *   W408  hint     requests exist that no route takes
 *   W409  hint     a term can be left out of a condition, which stays true for the same requests. Those told for one
 *                  route can be left out together. The route's confidence may change.
 *   W410           (embedding rules that match together) needs vectors of the examples: dsl/prove_examples.h
 *   W411  warning  the analysis of a profile was given up, and why: what was told before holds
 *
 * Costs no more processor time than the budget for each profile; memory is bounded by SOLVER_LITERALS_MAX. One thread.
 */
#ifndef VSR_DSL_PROVE_H
#define VSR_DSL_PROVE_H

#include "config/document.h"

struct arena;
struct findings;

enum {
    PROVE_BUDGET_MS = 2000,  /* of one profile, when nobody says otherwise */
    PROVE_ROUTES_MAX = 5000, /* of one profile; with more it is given up at once */
    PROVE_TERMS_MAX = 4096,  /* of one condition; in a larger one no term is called needless */
};

struct prove_options {
    struct config_families families;
    int64_t budget_ms; /* of one profile; 0: PROVE_BUDGET_MS; negative: no limit of time */
    int conflicts;     /* of one question; 0: SOLVER_CONFLICTS */
    bool ordinary;     /* W407, W408: of requests with text whose signals could all be evaluated, and of no others */
    /* Optional: whether nobody waits for the result any more. Asked often; once it says so, what is left is given up
     * within milliseconds, and the summary is not complete. */
    bool (*stop)(void *data);
    void *stop_data;
};

struct prove_summary {
    size_t n_profiles, n_routes, n_leaves, n_questions;
    bool complete; /* nothing was given up */
};

/* Adds to `findings`, whose prefix it sets and clears. Keeps nothing. `ret_summary` may be NULL. */
void dsl_prove(struct arena *arena, const struct config_document *doc, const struct prove_options *options,
               struct findings *findings, struct prove_summary *ret_summary);

#endif
