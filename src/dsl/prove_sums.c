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
    LAYER_MAX = 2048,      /* sums in one layer */
    DIAGRAM_MAX = 1 << 18, /* ways between all layers of all scores: three literals each, about as much as memory */
};

/* One way that an input can be. */
struct way {
    int literal;
    double least, most; /* weighted */
};

void sum_init(struct theory *theory, struct theory_score *score) {
    score->sums = ARENA_NEW(theory->arena, struct theory_sum);
    score->sums[0] = (struct theory_sum){ .literal = theory->solver->yes };
    score->n_sums = 1;
}

/* The node of that sum in the layer; made on the first call. */
static struct theory_sum *node(struct theory *theory, struct map *nodes, struct theory_sum *layer, size_t *n,
                               double least, double most) {
    double ends[2] = { least + 0.0, most + 0.0 }; /* no -0 */
    vsr_str key = str_make((const char *)ends, sizeof(ends));
    struct theory_sum *found = map_get(nodes, key);
    if (found || *n == LAYER_MAX)
        return found;
    found = &layer[(*n)++];
    *found = (struct theory_sum){ solver_var(theory->solver), ends[0], ends[1] };
    map_put(nodes, arena_str(theory->arena, key), found);
    return found;
}

static void give_up(struct theory_score *score) {
    score->sums = NULL;
    score->n_sums = 0;
}

static void add_layer(struct theory *theory, struct theory_score *score, const struct way *ways, size_t n_ways) {
    size_t n_most = score->n_sums * n_ways, n = 0;
    struct theory_sum *layer;
    struct map nodes;
    theory->n_ways += n_most;
    if (theory->n_ways > DIAGRAM_MAX) {
        give_up(score);
        return;
    }
    map_init(&nodes, theory->arena);
    layer = ARENA_ARRAY(theory->arena, struct theory_sum, n_most < LAYER_MAX ? n_most : LAYER_MAX);
    for (size_t i = 0; i < score->n_sums; i++)
        for (size_t k = 0; k < n_ways; k++) {
            const struct theory_sum *from = &score->sums[i],
                                    *to = node(theory, &nodes, layer, &n, from->least + ways[k].least,
                                               from->most + ways[k].most);
            if (!to || isnan(to->least) || isnan(to->most)) {
                give_up(score);
                return;
            }
            SOLVER_CLAUSE(theory->solver, -from->literal, -ways[k].literal, to->literal);
        }
    score->sums = layer;
    score->n_sums = n;
}

/* What is not one number may be a little less or more than its family says. */
static struct way way_of(int literal, double least, double most) {
    bool exact = least == most;
    return (struct way){ literal, exact ? least : least - THEORY_TOLERANCE * (1 + fabs(least)),
                         exact ? most : most + THEORY_TOLERANCE * (1 + fabs(most)) };
}

void sum_add_term(struct theory *theory, struct theory_score *score, const struct theory_term *term) {
    int literal = term->literal ? term->literal : -theory->solver->yes;
    const struct way ways[] = { way_of(-literal, term->off_least, term->off_most),
                                way_of(literal, term->on_least, term->on_most) };
    if (score->n_sums > 0)
        add_layer(theory, score, ways, term->literal ? 2 : 1);
}

void sum_add_score(struct theory *theory, struct theory_score *score, double weight, const struct theory_score *other) {
    size_t n = other && other->n_sums > 0 ? other->n_sums : 1;
    struct way *ways = ARENA_ARRAY(theory->arena, struct way, n);
    struct theory_sum any = { theory->solver->yes, other ? other->least : -INFINITY, other ? other->most : INFINITY };
    const struct theory_sum *sums = other && other->n_sums > 0 ? other->sums : &any;
    for (size_t i = 0; i < n; i++) {
        double a = weight == 0 ? 0 : weight * sums[i].least, b = weight == 0 ? 0 : weight * sums[i].most;
        ways[i] = (struct way){ sums[i].literal, fmin(a, b), fmax(a, b) };
    }
    if (score->n_sums > 0)
        add_layer(theory, score, ways, n);
}

void sum_range(const struct theory_score *score, double *ret_least, double *ret_most) {
    *ret_least = INFINITY;
    *ret_most = -INFINITY;
    for (size_t i = 0; i < score->n_sums; i++) {
        *ret_least = fmin(*ret_least, score->sums[i].least);
        *ret_most = fmax(*ret_most, score->sums[i].most);
    }
}

/* How many cuts it is above: the lowest ones. */
static size_t count_below(const struct number *number, double sum) {
    size_t low = 0, high = number->n_cuts;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct number_cut *cut = &number->cuts[middle];
        if (cut->beyond ? sum > cut->at : sum >= cut->at)
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
