/*
 * prove_parts - what the files of the proofs share. Internal to dsl/.
 */
#ifndef VSR_DSL_PROVE_PARTS_H
#define VSR_DSL_PROVE_PARTS_H

#include "dsl/findings.h"
#include "dsl/prove.h"
#include "dsl/prove_routes.h"

struct proof {
    struct arena *arena;
    const struct config_document *doc;
    const struct config_scope *profile;
    struct findings *findings;
    struct solver solver;
    struct theory theory;
    struct theory_scope scope;
    struct prove_routes routes;
    uint8_t **pool;          /* states of all leaves, per example; a ring */
    size_t n_pool, pool_max; /* how many there were, and how many stay */
    uint8_t *states;         /* of the newest example */
    bool ordinary;           /* as the options say */
    const char *circumstance;
    bool disagreed; /* an example was none when it was evaluated */
};

/* ---- places and questions (prove_questions.c) */

/* Where it stands in its file; the first place when nothing says. */
struct dsl_at prove_place_of(const struct yaml_node *node);
struct dsl_at prove_place_of_rule(const struct prove_route *route, const struct config_rule *rule);

/* Undecided also when the example found is none when it is evaluated. */
enum solver_answer prove_ask(struct proof *proof, const int *assumptions, size_t n);
/* Looks for an example among ordinary requests first, then, unless those are all that is asked for, among others, and
 * says in `circumstance` what is odd about the one found. */
enum solver_answer prove_ask_gently(struct proof *proof, const int *assumptions, size_t n);

/* The newest example, as far as it concerns these routes. `finding` may be NULL. */
void prove_set_witness(struct proof *proof, struct finding *finding, const struct prove_route *const *routes, size_t n);

/* Builds the theory of `profile`; the arena, document, profile and findings are set. */
void prove_begin(struct proof *proof, const struct prove_options *options);

/* ---- winners (prove_winners.c) */

enum prove_truth { PROVE_TRUTH_VARIES, PROVE_TRUTH_NEVER, PROVE_TRUTH_ALWAYS, PROVE_TRUTH_UNDECIDED };

/* W402, W403 */
enum prove_truth prove_truth(struct proof *proof, const struct prove_route *route);
/* W401: whether some request chooses the route. */
bool prove_reached(struct proof *proof, const struct prove_route *route);
/* W408 */
void prove_uncaught(struct proof *proof);
/* W407, with the routes before it. */
void prove_ties(struct proof *proof, const struct prove_route *route);

/* ---- the rest */

void prove_terms(struct proof *proof, struct prove_route *route); /* W409: prove_terms.c */
/* Whether the node's truth is turned round on the way to the root. */
bool prove_is_turned(const struct prove_route *route, int32_t at);
void prove_bands(struct proof *proof); /* W404, W405, W406: prove_bands.c */

#endif
