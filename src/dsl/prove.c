#include "dsl/prove.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/predicate.h"
#include "core/arena.h"
#include "core/buf.h"
#include "dsl/findings.h"
#include "dsl/prove_routes.h"

enum {
    POOL_MAX = 256, /* examples kept, to spare questions that one of them answers */
    POOL_BYTES_MAX = 32 << 20,
    TIES_PER_ROUTE_MAX = 3, /* told of one route */
    SHADOWS_TOLD_MAX = 5,   /* names in one message */
    TEXT_LEN_MAX = 4096,
};

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
    const char *circumstance;
    bool disagreed; /* an example was none when it was evaluated */
};

/* ---- places */

static struct dsl_at place_of(const struct yaml_node *node) {
    struct dsl_at at = { .line = 1, .col = 1 };
    if (!node)
        return at;
    at = (struct dsl_at){ node->start, node->end, node->line, node->col };
    if (at.line > YAML_SECOND_FILE)
        at.line -= YAML_SECOND_FILE;
    return at;
}

static struct dsl_at place_of_rule(const struct prove_route *route, const struct config_rule *rule) {
    return place_of(rule->at.node ? rule->at.node : route->config->at.node);
}

/* ---- questions */

static bool take_example(struct proof *proof) {
    uint8_t *states = proof->pool[proof->n_pool++ % proof->pool_max];
    prove_states(&proof->theory, states);
    proof->states = states;
    if (prove_states_agree(&proof->routes, states))
        return true;
    proof->disagreed = true;
    return false;
}

static enum solver_answer ask(struct proof *proof, const int *assumptions, size_t n) {
    enum solver_answer answer = solver_ask(&proof->solver, assumptions, n);
    if (answer == SOLVER_POSSIBLE && !take_example(proof))
        return SOLVER_UNDECIDED;
    return answer;
}

/* Looks for an example among ordinary requests first, and says in `circumstance` what is odd about the one found. */
static enum solver_answer ask_gently(struct proof *proof, const int *assumptions, size_t n) {
    const struct {
        int literal;
        const char *text;
    } circumstances[] = { { proof->theory.ordinary, "" },
                          { proof->theory.text, " while a signal cannot be evaluated" },
                          { proof->solver.yes, " when there is no text" } };
    int *all = ARENA_ARRAY(proof->arena, int, n + 1);
    enum solver_answer answer = SOLVER_IMPOSSIBLE;
    memcpy(all, assumptions, n * sizeof(*all));
    for (size_t i = 0; i < VSR_COUNT(circumstances) && answer == SOLVER_IMPOSSIBLE; i++) {
        all[n] = circumstances[i].literal;
        proof->circumstance = circumstances[i].text;
        answer = ask(proof, all, n + 1);
    }
    return answer;
}

static vsr_str witness(struct proof *proof, const struct prove_route *const *routes, size_t n) {
    return prove_witness(proof->findings->arena, &proof->theory, routes, n, proof->states);
}

static void set_witness(struct proof *proof, struct finding *finding, const struct prove_route *const *routes,
                        size_t n) {
    if (finding)
        finding->witness = witness(proof, routes, n);
}

/* ---- W402, W403 */

enum truth { TRUTH_VARIES, TRUTH_NEVER, TRUTH_ALWAYS, TRUTH_UNDECIDED };

static bool seen(const struct proof *proof, const struct prove_route *route, bool matching) {
    for (size_t i = 0; i < proof->n_pool && i < proof->pool_max; i++)
        if ((prove_route_state(route, proof->pool[i]) == PROVE_TRUE) == matching)
            return true;
    return false;
}

/* Whether the route can match, or fail to; from the pool when that shows it. */
static enum solver_answer can(struct proof *proof, const struct prove_route *route, bool matching) {
    int literal = matching ? route->rail.is : -route->rail.is;
    return seen(proof, route, matching) ? SOLVER_POSSIBLE : ask(proof, &literal, 1);
}

static bool says_nothing(const struct prove_route *route) {
    const struct config_rule *root = route->config->rules;
    return route->n_nodes == 0 || (root->op == OPERATOR_AND && root->conditions.n == 0 && !root->negated);
}

static enum truth tell_truth(struct proof *proof, const struct prove_route *route) {
    vsr_str name = route->config->name;
    enum solver_answer answer;
    if (says_nothing(route))
        return TRUTH_ALWAYS;
    answer = can(proof, route, true);
    if (answer == SOLVER_IMPOSSIBLE) {
        finding_add(proof->findings, FINDING_WARNING, "W402", place_of_rule(route, route->config->rules),
                    "route \"%.*s\": WHEN is never true", VSR_FMT(name));
        return TRUTH_NEVER;
    }
    if (answer == SOLVER_UNDECIDED)
        return TRUTH_UNDECIDED;
    answer = can(proof, route, false);
    if (answer != SOLVER_IMPOSSIBLE)
        return answer == SOLVER_POSSIBLE ? TRUTH_VARIES : TRUTH_UNDECIDED;
    finding_add(proof->findings, FINDING_WARNING, "W403", place_of_rule(route, route->config->rules),
                "route \"%.*s\": WHEN is always true; without it the route says that it takes every request",
                VSR_FMT(name));
    return TRUTH_ALWAYS;
}

/* ---- W401 */

/* Of the routes of lower ranks, a smallest set without which some match would be left. */
static size_t find_shadows(struct proof *proof, const struct prove_route *route,
                           const struct prove_route **ret_shadows) {
    int *assumptions = ARENA_ARRAY(proof->arena, int, proof->routes.n + 1);
    size_t n = 0, n_kept = 0;
    assumptions[n++] = route->rail.is;
    for (size_t i = 0; i < proof->routes.n; i++)
        if (proof->routes.items[i].rank < route->rank) {
            ret_shadows[n - 1] = &proof->routes.items[i];
            assumptions[n++] = -proof->routes.items[i].rail.is;
        }
    if (solver_ask(&proof->solver, assumptions, n) != SOLVER_IMPOSSIBLE)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (solver_blamed(&proof->solver, assumptions[i])) {
            ret_shadows[n_kept++] = ret_shadows[i - 1];
            assumptions[n_kept] = assumptions[i];
        }
    for (size_t i = 0; i < n_kept;) { /* leave one out: is it still impossible? */
        int left_out = assumptions[i + 1];
        assumptions[i + 1] = assumptions[n_kept];
        if (solver_ask(&proof->solver, assumptions, n_kept) == SOLVER_IMPOSSIBLE) {
            memmove(&ret_shadows[i], &ret_shadows[i + 1], (n_kept - i - 1) * sizeof(*ret_shadows));
            for (size_t k = i; k + 1 < n_kept; k++)
                assumptions[k + 1] = -ret_shadows[k]->rail.is;
            n_kept--;
        } else {
            assumptions[i + 1] = left_out;
            i++;
        }
    }
    return n_kept;
}

static vsr_str names_of(struct proof *proof, const struct prove_route *const *routes, size_t n) {
    struct buf out;
    vsr_str text;
    size_t told = n > SHADOWS_TOLD_MAX ? SHADOWS_TOLD_MAX - 1 : n;
    buf_init(&out, TEXT_LEN_MAX);
    for (size_t i = 0; i < told; i++)
        buf_printf(&out, "%s\"%.*s\"", i == 0 ? "" : i + 1 == n ? " or " : ", ", VSR_FMT(routes[i]->config->name));
    if (told < n)
        buf_printf(&out, " or %zu others", n - told);
    text = arena_str(proof->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

/* Whether some request chooses the route. */
static bool tell_unreachable(struct proof *proof, const struct prove_route *route) {
    const struct prove_route **shadows = ARENA_ARRAY(proof->arena, const struct prove_route *, proof->routes.n + 1);
    struct finding *finding;
    vsr_str names;
    size_t n;
    if (ask(proof, &route->wins, 1) != SOLVER_IMPOSSIBLE)
        return true;
    n = find_shadows(proof, route, shadows);
    if (n == 0)
        return true; /* undecided now */
    names = names_of(proof, shadows, n);
    finding = finding_add(proof->findings, FINDING_WARNING, "W401", place_of(route->config->at.node),
                          "route \"%.*s\" is unreachable: every match is taken by %.*s", VSR_FMT(route->config->name),
                          VSR_FMT(names));
    if (ask_gently(proof, &route->rail.is, 1) == SOLVER_POSSIBLE)
        set_witness(proof, finding, &route, 1);
    return false;
}

/* ---- W408 */

static void tell_uncaught(struct proof *proof) {
    const struct prove_route **all = ARENA_ARRAY(proof->arena, const struct prove_route *, proof->routes.n);
    const struct prove_routes *routes = &proof->routes;
    struct finding *finding;
    for (size_t i = 0; i < routes->n; i++)
        all[i] = &routes->items[i];
    if (routes->n == 0 || ask_gently(proof, &routes->clear[routes->n_ranks], 1) != SOLVER_POSSIBLE)
        return;
    proof->findings->decl = (struct dsl_at){ 0 };
    finding = finding_add(proof->findings, FINDING_HINT, "W408", place_of(routes->items[routes->n - 1].config->at.node),
                          "no route takes some requests%s, and the default model answers them; a route without WHEN, "
                          "of the least rank, would take them",
                          proof->circumstance);
    set_witness(proof, finding, all, routes->n);
}

/* ---- W407 */

static bool may_tie(const struct proof *proof, const struct prove_route *a, const struct prove_route *b) {
    return a->rank == b->rank && a->config->priority == b->config->priority &&
           !prove_same_outcome(a->config, b->config) && !proof->routes.by_confidence;
}

static struct finding *add_tie(struct proof *proof, const struct prove_route *a, const struct prove_route *b) {
    return finding_add(proof->findings, FINDING_WARNING, "W407", place_of(b->config->at.node),
                       "routes \"%.*s\" and \"%.*s\" have the same %s and can both match%s: the confidence decides "
                       "between their models, then the name",
                       VSR_FMT(a->config->name), VSR_FMT(b->config->name),
                       b->config->tier > 0 ? "tier and priority" : "priority", proof->circumstance);
}

static void tell_ties(struct proof *proof, const struct prove_route *route) {
    size_t index = (size_t)(route - proof->routes.items), told = 0;
    for (size_t i = 0; i < index && told < TIES_PER_ROUTE_MAX; i++) {
        const struct prove_route *pair[] = { &proof->routes.items[i], route };
        int both[] = { pair[0]->wins, route->wins };
        if (!may_tie(proof, pair[0], route) || ask_gently(proof, both, 2) != SOLVER_POSSIBLE)
            continue;
        set_witness(proof, add_tie(proof, pair[0], route), pair, 2);
        told++;
    }
}

/* ---- W409 */

/* How often the node's truth is turned round on the way to the root: odd or not. */
static bool is_turned(const struct prove_route *route, int32_t at) {
    bool turned = false;
    for (; at != PROVE_NODE_NONE; at = route->nodes[at].parent)
        turned ^= route->nodes[at].rule->negated ^
                  (!route->nodes[at].rule->type.len && route->nodes[at].rule->op == OPERATOR_NOT);
    return turned;
}

static size_t count_left(const struct prove_route *route, int32_t parent) {
    size_t n = 0;
    for (uint32_t child = (uint32_t)parent + 1; child < route->nodes[parent].end; child = route->nodes[child].end)
        n += !route->nodes[child].removed;
    return n;
}

/* An example in which the route matches with the term and not without, or the other way round. */
static bool pool_tells(struct proof *proof, struct prove_route *route, struct prove_node *node) {
    for (size_t i = 0; i < proof->n_pool && i < proof->pool_max; i++) {
        enum prove_state with, without;
        with = prove_route_state(route, proof->pool[i]);
        node->removed = true;
        without = prove_route_state_without(route, proof->pool[i]);
        node->removed = false;
        if ((with == PROVE_TRUE) != (without == PROVE_TRUE))
            return true;
    }
    return false;
}

/*
 * Without a child an AND can only be true more often, and an OR less often; so one direction is asked. `with` is the
 * condition as it stands, without the terms that are removed already.
 */
static bool is_redundant(struct proof *proof, struct prove_route *route, uint32_t at) {
    struct prove_node *node = &route->nodes[at];
    bool grows = (route->nodes[node->parent].rule->op == OPERATOR_AND) != is_turned(route, node->parent);
    struct rail without;
    int question[2];
    if (pool_tells(proof, route, node))
        return false;
    without = prove_route_without(&proof->routes, route, at, false);
    question[0] = grows ? without.is : -without.is;
    question[1] = grows ? -route->rail.is : route->rail.is;
    return ask(proof, question, 2) == SOLVER_IMPOSSIBLE;
}

static bool is_within_removed(const struct prove_route *route, uint32_t at) {
    for (int32_t up = (int32_t)at; up != PROVE_NODE_NONE; up = route->nodes[up].parent)
        if (route->nodes[up].removed)
            return true;
    return false;
}

static vsr_str term_text(struct proof *proof, const struct prove_node *node) {
    const struct config_rule *rule = node->rule;
    const char *before = rule->negated ? "NOT " : "";
    if (rule->type.len)
        return arena_printf(proof->arena, "%s%.*s", before, VSR_FMT(proof->theory.leaves[node->leaf].text));
    if (rule->op == OPERATOR_NOT && rule->conditions.n == 1 && node[1].rule->type.len)
        return arena_printf(proof->arena, "%sNOT %.*s", before, VSR_FMT(proof->theory.leaves[node[1].leaf].text));
    if (rule->op == OPERATOR_NOT)
        return arena_printf(proof->arena, "%sthis NOT", before);
    return arena_printf(proof->arena, "%sthis %s of %zu terms", before, rule->op == OPERATOR_AND ? "AND" : "OR",
                        rule->conditions.n);
}

/* A term that may be left out, and how much there is of it. */
struct term {
    uint32_t at, size;
};

static int term_cmp(const void *left, const void *right) {
    const struct term *a = left, *b = right;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* The largest first: of `a AND (a OR b)` it is the OR that says nothing. */
static size_t find_terms(struct proof *proof, const struct prove_route *route, struct term **ret_terms) {
    struct term *terms = ARENA_ARRAY(proof->arena, struct term, route->n_nodes);
    size_t n = 0;
    for (uint32_t at = 1; at < route->n_nodes; at++)
        if (route->nodes[route->nodes[at].parent].rule->op != OPERATOR_NOT)
            terms[n++] = (struct term){ at, route->nodes[at].end - at };
    qsort(terms, n, sizeof(*terms), term_cmp);
    *ret_terms = terms;
    return n;
}

static void tell_redundant(struct proof *proof, struct prove_route *route) {
    struct term *terms;
    size_t n = find_terms(proof, route, &terms);
    for (size_t i = 0; i < n && !solver_is_over(&proof->solver); i++) {
        struct prove_node *node = &route->nodes[terms[i].at];
        vsr_str text;
        if (count_left(route, node->parent) < 2 || is_within_removed(route, terms[i].at) ||
            !is_redundant(proof, route, terms[i].at))
            continue;
        (void)prove_route_without(&proof->routes, route, terms[i].at, true);
        text = term_text(proof, node);
        finding_add(proof->findings, FINDING_HINT, "W409", place_of_rule(route, node->rule),
                    "route \"%.*s\": %.*s can be left out; WHEN is true for the same requests without it",
                    VSR_FMT(route->config->name), VSR_FMT(text));
    }
    for (uint32_t at = 0; at < route->n_nodes; at++)
        route->nodes[at].removed = false;
}

/* ---- W404, W405, W406 */

/* What a band holds, from `least` to `most`; whether the ends are outside it. */
struct band {
    const struct config_mapping_output *output;
    double least, most;
    bool above_least, below_most;
};

static struct band band_of(const struct config_mapping_output *output) {
    struct band band = { output, -INFINITY, INFINITY, true, true };
    if (output->bounds & (BOUND_GT | BOUND_GTE)) {
        band.above_least = output->bounds & BOUND_GT;
        band.least = band.above_least ? output->gt : output->gte;
    }
    if (output->bounds & (BOUND_LT | BOUND_LTE)) {
        band.below_most = output->bounds & BOUND_LT;
        band.most = band.below_most ? output->lt : output->lte;
    }
    return band;
}

static int band_cmp(const void *left, const void *right) {
    const struct band *a = left, *b = right;
    if (a->least != b->least)
        return a->least < b->least ? -1 : 1;
    if (a->above_least != b->above_least)
        return a->above_least ? 1 : -1;
    return a->output < b->output ? -1 : a->output > b->output;
}

static void tell_gap(struct proof *proof, const struct config_mapping *mapping, const struct band *below,
                     const struct band *above) {
    bool one_point = below->most == above->least;
    if (one_point ? !(below->below_most && above->above_least) : below->most > above->least)
        return;
    finding_add(proof->findings, FINDING_WARNING, "W404", place_of(above->output->at.node),
                one_point ? "PROJECTION mapping %.*s: no band holds the score %g, between \"%.*s\" and \"%.*s\""
                          : "PROJECTION mapping %.*s: no band holds scores from %g, between \"%.*s\" and \"%.*s\"",
                VSR_FMT(mapping->name), below->most, VSR_FMT(below->output->name), VSR_FMT(above->output->name));
}

static void tell_overlap(struct proof *proof, const struct config_mapping *mapping, const struct band *a,
                         const struct band *b) {
    const struct config_mapping_output *first = a->output < b->output ? a->output : b->output;
    double most = fmin(a->most, b->most);
    if (b->least > a->most || (b->least == a->most && (a->below_most || b->above_least)) || mapping->method == 1)
        return;
    if (isinf(most) && isinf(b->least))
        finding_add(proof->findings, FINDING_WARNING, "W405", place_of(b->output->at.node),
                    "PROJECTION mapping %.*s: bands \"%.*s\" and \"%.*s\" hold the same scores; \"%.*s\" counts",
                    VSR_FMT(mapping->name), VSR_FMT(a->output->name), VSR_FMT(b->output->name), VSR_FMT(first->name));
    else
        finding_add(proof->findings, FINDING_WARNING, "W405", place_of(b->output->at.node),
                    "PROJECTION mapping %.*s: bands \"%.*s\" and \"%.*s\" both hold scores %s %g; \"%.*s\" counts",
                    VSR_FMT(mapping->name), VSR_FMT(a->output->name), VSR_FMT(b->output->name),
                    isinf(b->least)    ? "below"
                    : b->least == most ? "of"
                                       : "from",
                    isinf(b->least) ? most : b->least, VSR_FMT(first->name));
}

static void tell_neighbours(struct proof *proof, const struct config_mapping *mapping) {
    struct band *bands = ARENA_ARRAY(proof->arena, struct band, mapping->outputs.n), widest;
    const struct config_mapping_output *outputs = mapping->outputs.items;
    for (size_t i = 0; i < mapping->outputs.n; i++)
        bands[i] = band_of(&outputs[i]);
    qsort(bands, mapping->outputs.n, sizeof(*bands), band_cmp);
    for (size_t i = 1; i < mapping->outputs.n; i++) {
        bool wider;
        if (i == 1)
            widest = bands[0];
        tell_gap(proof, mapping, &widest, &bands[i]);
        tell_overlap(proof, mapping, &widest, &bands[i]);
        wider = bands[i].most > widest.most || (bands[i].most == widest.most && !bands[i].below_most);
        if (wider)
            widest = bands[i];
    }
}

static void tell_unreached(struct proof *proof, const struct config_mapping *mapping) {
    const struct theory_score *score = map_get(&proof->scope.scores, mapping->source);
    CONFIG_EACH(const struct config_mapping_output, output, &mapping->outputs) {
        struct theory_slot *slot = theory_slot(&proof->scope, CONFIG_PROJECTION, output->name);
        if (!score || ask(proof, &slot->match, 1) != SOLVER_IMPOSSIBLE)
            continue;
        finding_add(proof->findings, FINDING_WARNING, "W406", place_of(output->at.node),
                    "PROJECTION mapping %.*s: the band \"%.*s\" is never reached; score \"%.*s\" lies between %.6g and "
                    "%.6g, and earlier bands count first",
                    VSR_FMT(mapping->name), VSR_FMT(output->name), VSR_FMT(mapping->source), score->least, score->most);
    }
}

static void tell_bands(struct proof *proof) {
    CONFIG_EACH(const struct config_mapping, mapping, &proof->profile->routing->projections.mappings) {
        proof->findings->decl = place_of(mapping->at.node);
        tell_neighbours(proof, mapping);
        tell_unreached(proof, mapping);
    }
}

/* ---- a profile */

static void tell_incomplete(struct proof *proof, bool too_many) {
    const struct solver *solver = &proof->solver;
    const char *why = too_many            ? "it has too many routes"
                      : solver->too_large ? "its conditions are too large"
                      : solver->too_late  ? "the time for it is used up"
                      : solver->gave_up   ? "a question was too hard"
                                          : "an example did not hold when it was evaluated";
    proof->findings->decl = (struct dsl_at){ 0 };
    finding_add(proof->findings, FINDING_WARNING, "W411", place_of(proof->profile->routing->at.node),
                "analysis incomplete: %s; what was found holds, and there may be more", why);
}

static void tell_routes(struct proof *proof) {
    enum truth *truths = ARENA_ARRAY(proof->arena, enum truth, proof->routes.n);
    bool *reached = ARENA_ARRAY(proof->arena, bool, proof->routes.n);
    for (size_t i = 0; i < proof->routes.n; i++) {
        const struct prove_route *route = &proof->routes.items[i];
        struct arena_mark mark = arena_mark(proof->arena);
        proof->findings->decl = place_of(route->config->at.node);
        truths[i] = tell_truth(proof, route);
        reached[i] = truths[i] != TRUTH_NEVER && tell_unreachable(proof, route);
        arena_rewind(proof->arena, mark);
    }
    tell_uncaught(proof);
    for (size_t i = 0; i < proof->routes.n; i++) {
        proof->findings->decl = place_of(proof->routes.items[i].config->at.node);
        if (reached[i])
            tell_ties(proof, &proof->routes.items[i]);
    }
    tell_bands(proof);
    for (size_t i = 0; i < proof->routes.n; i++) {
        proof->findings->decl = place_of(proof->routes.items[i].config->at.node);
        if (truths[i] == TRUTH_VARIES && proof->routes.items[i].n_nodes <= PROVE_TERMS_MAX)
            tell_redundant(proof, &proof->routes.items[i]);
    }
}

static void begin(struct proof *proof, const struct prove_options *options) {
    int64_t budget_ms = options->budget_ms ? options->budget_ms : PROVE_BUDGET_MS;
    solver_init(&proof->solver, proof->arena, budget_ms < 0 ? 0 : budget_ms, options->conflicts);
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
}

static void prove_profile(struct proof *proof, const struct prove_options *options, struct prove_summary *summary) {
    const struct solver *solver = &proof->solver;
    bool too_many = proof->profile->routing->decisions.n > PROVE_ROUTES_MAX;
    if (!too_many) {
        begin(proof, options);
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

void dsl_prove(struct arena *arena, const struct config_document *doc, const struct prove_options *options,
               struct findings *findings, struct prove_summary *ret_summary) {
    struct prove_summary summary = { .complete = true };
    vsr_str prefix = findings->prefix;
    struct dsl_at decl = findings->decl;
    for (size_t i = 0; i < doc->n_scopes; i++) {
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
