/*
 * The sums that a score can come to, as a diagram: one layer for each input, in it a node for each sum so far, with the
 * literal that holds when the request gets there.
 *
 *     start 0 --k--> 1 --l--> 2         k, l: keywords of weight 1; the four ways end in three sums
 *              \\----> 0 --l--> 1
 *                      \\-----> 0
 *
 * Every addition is the engine's, in its order and its precision, so a sum is on the same side of a bound as at run
 * time. An input that reports more than match and miss makes an interval of each sum; rounding keeps the order of its
 * ends, which are a little further apart than the input's. Nodes of one interval are one. Weights that are all
 * different double the nodes with each input: a score with too many has no diagram.
 *
 * Literals are implied along the way and never the other way round: one that holds beside the right one only says more.
 */
#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "core/map.h"
#include "dsl/prove_theory.h"

enum {
    LAYER_MAX = 48,      /* sums in one layer: 40 inputs of one weight have 41 */
    NODES_MAX = 1 << 13, /* in the diagrams of all scores */
    STEPS_MAX = 4096,    /* additions that an example takes, with those of the scores in it */
};

/* One way that an input can be. */
struct way {
    int literal;
    double least, most; /* weighted */
};

/* What is not one number may be a little less or more than its family says. */
static struct way way_of(int literal, double least, double most) {
    bool exact = least == most;
    return (struct way){ literal, exact ? least : least - THEORY_TOLERANCE * (1 + fabs(least)),
                         exact ? most : most + THEORY_TOLERANCE * (1 + fabs(most)) };
}

static struct way times(double weight, const struct theory_sum *sum) {
    double a = weight == 0 ? 0 : weight * sum->least, b = weight == 0 ? 0 : weight * sum->most;
    return (struct way){ sum->literal, fmin(a, b), fmax(a, b) };
}

/* ---- inputs */

static void add_input(struct theory *theory, struct theory_score *score, struct theory_input input) {
    score->inputs =
        arena_grow(theory->arena, score->inputs, sizeof(*score->inputs), score->n_inputs, &score->inputs_cap);
    score->inputs[score->n_inputs++] = input;
    score->n_steps++;
}

void sum_add_term(struct theory *theory, struct theory_score *score, const struct theory_term *term) {
    struct way on = way_of(0, term->on_least, term->on_most), off = way_of(0, term->off_least, term->off_most);
    add_input(theory, score, (struct theory_input){ .term = *term });
    score->least += term->literal ? fmin(on.least, off.least) : off.least;
    score->most += term->literal ? fmax(on.most, off.most) : off.most;
}

void sum_add_score(struct theory *theory, struct theory_score *score, double weight, const struct theory_score *other) {
    struct theory_sum any = { 0, other ? other->least : -INFINITY, other ? other->most : INFINITY };
    struct way range = times(weight, &any);
    struct theory_input input = { .weight = weight, .score = other };
    if (!other || score->n_steps + other->n_steps >= STEPS_MAX) /* not looked into */
        input = (struct theory_input){ .term = { .off_least = range.least, .off_most = range.most } };
    else
        score->n_steps += other->n_steps;
    add_input(theory, score, input);
    score->least += range.least;
    score->most += range.most;
}

/* How an input can be. */
static size_t ways_of(struct theory *theory, const struct theory_input *input, struct way **ret_ways) {
    const struct theory_score *score = input->score;
    const struct theory_term *term = &input->term;
    struct theory_sum any = { theory->solver->yes, score ? score->least : 0, score ? score->most : 0 };
    const struct theory_sum *sums = score && score->n_sums > 0 ? score->sums : &any;
    size_t n = !score ? 2 : score->n_sums > 0 ? score->n_sums : 1;
    struct way *ways = *ret_ways = ARENA_ARRAY(theory->arena, struct way, n);
    for (size_t i = 0; i < n && score; i++)
        ways[i] = times(input->weight, &sums[i]);
    if (score)
        return n;
    ways[0] = way_of(term->literal ? -term->literal : theory->solver->yes, term->off_least, term->off_most);
    ways[1] = way_of(term->literal, term->on_least, term->on_most);
    return term->literal ? 2 : 1;
}

/* ---- diagrams */

struct layer {
    struct map nodes; /* two ends, as bytes -> struct theory_sum */
    struct theory_sum *sums;
    size_t n;
};

/* The node of that sum; made on the first call. NULL: there are too many, or it is no number. */
static struct theory_sum *node(struct theory *theory, struct layer *layer, double least, double most, bool saying) {
    double ends[2] = { least + 0.0, most + 0.0 }; /* no -0 */
    vsr_str key = str_make((const char *)ends, sizeof(ends));
    struct theory_sum *found = map_get(&layer->nodes, key);
    if (found || layer->n == LAYER_MAX || isnan(least) || isnan(most))
        return found;
    found = &layer->sums[layer->n++];
    *found = (struct theory_sum){ saying ? solver_var(theory->solver) : 0, ends[0], ends[1] };
    map_put(&layer->nodes, arena_str(theory->arena, key), found);
    return found;
}

static bool next_layer(struct theory *theory, const struct layer *from, const struct theory_input *input, bool saying,
                       struct layer *ret_layer) {
    struct way *ways;
    size_t n = ways_of(theory, input, &ways);
    map_init(&ret_layer->nodes, theory->arena);
    ret_layer->sums = ARENA_ARRAY(theory->arena, struct theory_sum, LAYER_MAX);
    ret_layer->n = 0;
    for (size_t i = 0; i < from->n; i++)
        for (size_t k = 0; k < n; k++) {
            const struct theory_sum *sum = &from->sums[i];
            const struct theory_sum *to =
                node(theory, ret_layer, sum->least + ways[k].least, sum->most + ways[k].most, saying);
            if (!to)
                return false;
            if (saying)
                SOLVER_CLAUSE(theory->solver, -sum->literal, -ways[k].literal, to->literal);
        }
    return true;
}

/* Layer by layer, first without `saying` it: of a diagram that is too large nothing is left. */
static bool build(struct theory *theory, const struct theory_score *score, bool saying, struct layer *ret_layer) {
    struct theory_sum start = { .literal = theory->solver->yes };
    size_t n_nodes = theory->n_nodes;
    *ret_layer = (struct layer){ .sums = &start, .n = 1 };
    for (size_t i = 0; i < score->n_inputs; i++) {
        struct layer from = *ret_layer;
        if (!next_layer(theory, &from, &score->inputs[i], saying, ret_layer))
            return false;
        n_nodes += ret_layer->n;
        if (n_nodes > NODES_MAX)
            return false;
    }
    if (saying)
        theory->n_nodes = n_nodes;
    return score->n_inputs > 0;
}

void sum_end(struct theory *theory, struct theory_score *score) {
    struct arena_mark mark = arena_mark(theory->arena);
    struct layer layer;
    bool fits = build(theory, score, false, &layer);
    arena_rewind(theory->arena, mark);
    if (!fits || !build(theory, score, true, &layer))
        return;
    score->sums = layer.sums;
    score->n_sums = layer.n;
    score->least = INFINITY;
    score->most = -INFINITY;
    for (size_t i = 0; i < layer.n; i++) { /* an input that is in it twice makes less of it than the ranges */
        score->least = fmin(score->least, layer.sums[i].least);
        score->most = fmax(score->most, layer.sums[i].most);
    }
}

/* ---- examples */

void sum_in_example(const struct solver *solver, const struct theory_score *score, double *ret_least,
                    double *ret_most) {
    *ret_least = *ret_most = 0;
    for (size_t i = 0; i < score->n_inputs; i++) {
        const struct theory_input *input = &score->inputs[i];
        const struct theory_term *term = &input->term;
        struct way way;
        if (input->score) {
            struct theory_sum sum = { 0 };
            sum_in_example(solver, input->score, &sum.least, &sum.most);
            way = times(input->weight, &sum);
        } else if (term->literal && solver_holds(solver, term->literal)) {
            way = way_of(0, term->on_least, term->on_most);
        } else {
            way = way_of(0, term->off_least, term->off_most);
        }
        *ret_least += way.least;
        *ret_most += way.most;
    }
}

bool sum_is_above(double sum, const struct number_cut *cut) {
    return cut->beyond ? sum > cut->at : sum >= cut->at;
}

/* How many cuts it is above: the lowest ones. */
static size_t count_below(const struct number *number, double sum) {
    size_t low = 0, high = number->n_cuts;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct number_cut *cut = &number->cuts[middle];
        if (sum_is_above(sum, cut))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whoever is above a cut is above those below it, so that two say it all. */
void sum_close(const struct theory *theory, const struct theory_score *score) {
    const struct number *number = score->number;
    for (size_t i = 0; i < score->n_sums; i++) {
        size_t least = count_below(number, score->sums[i].least), most = count_below(number, score->sums[i].most);
        if (least > 0)
            SOLVER_CLAUSE(theory->solver, -score->sums[i].literal, number->cuts[least - 1].literal);
        if (most < number->n_cuts)
            SOLVER_CLAUSE(theory->solver, -score->sums[i].literal, -number->cuts[most].literal);
    }
}
