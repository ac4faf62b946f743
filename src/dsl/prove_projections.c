/*
 * What partitions, scores and mappings guarantee (signals.md §7; the list stands in dsl/prove_theory.h).
 *
 * A score is a weighted sum. Which sums there are, and when, is said beforehand (prove_sums.c). Of a score with too
 * many the formula knows only between which bounds of its bands the sum lies; whether it can lie there, given which
 * inputs match in an example, is looked at when there is one. If not, those inputs that keep it away are told to the
 * solver as a clause, as few of them as suffice, and it looks for another example.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "config/predicate.h"
#include "core/arena.h"
#include "dsl/prove_theory.h"

enum {
    SCORE_DEPTH_MAX = 64,   /* scores that build on each other and are looked into; deeper ones may be anything */
    SCORE_TERMS_MAX = 4096, /* of one score, with those of the scores in it; with more it may be anything */
};

#define SCORE_HUGE 1e290 /* beyond it a sum might not be finite */

/* ---- partitions */

static bool is_shared(const struct theory_scope *scope, const struct config_partition *partition) {
    const char *type = scope->theory->families->items[partition->family].type;
    for (size_t i = 0; i < partition->members.n; i++) {
        vsr_str key = arena_printf(scope->theory->arena, "%s:%.*s", type, VSR_FMT(partition->members.items[i]));
        if ((uintptr_t)map_get(&scope->members, key) > 1)
            return true;
    }
    return false;
}

static void say_partition(struct theory_scope *scope, const struct config_partition *partition) {
    struct solver *solver = scope->theory->solver;
    size_t n = partition->members.n;
    int *matches = ARENA_ARRAY(scope->theory->arena, int, 2 * n);
    if (n < 2 || partition->family < 0 || (size_t)partition->family >= scope->theory->families->n ||
        is_shared(scope, partition))
        return;
    for (size_t i = 0; i < n; i++) {
        struct theory_slot *slot = theory_slot(scope, partition->family, partition->members.items[i]);
        matches[i] = slot->match;
        matches[n + i] = theory_failed(scope->theory, slot);
    }
    solver_at_most_one(solver, matches, n);
    solver_clause(solver, matches, 2 * n);
}

/* ---- scores */

static struct theory_term *add_term(struct theory *theory, struct theory_score *score) {
    score->terms = arena_grow(theory->arena, score->terms, sizeof(*score->terms), score->n_terms, &score->cap);
    return &score->terms[score->n_terms++];
}

static double times(double weight, double value) {
    return weight == 0 ? 0 : weight * value;
}

static void set_range(double weight, double least, double most, double *ret_least, double *ret_most) {
    double a = times(weight, least), b = times(weight, most);
    *ret_least = fmin(a, b);
    *ret_most = fmax(a, b);
}

static void add_key(struct theory *theory, struct theory_score *score, vsr_str part) {
    score->key = arena_printf(theory->arena, "%.*s%.*s", VSR_FMT(score->key), VSR_FMT(part));
}

static void add_signal(struct theory_scope *scope, struct theory_score *score, const struct config_score_input *input) {
    struct theory *theory = scope->theory;
    struct theory_term *term = add_term(theory, score);
    struct theory_limits limits = theory_family_limits(input->type);
    struct theory_slot *slot;
    vsr_str name = input->name;
    if (input->family == CONFIG_KB_METRIC)
        name = arena_printf(theory->arena, "%.*s:%.*s", VSR_FMT(input->kb), VSR_FMT(input->metric));
    slot = theory_slot(scope, input->family, name);
    add_key(theory, score,
            arena_printf(theory->arena, " %u %d %a %a %a", (unsigned)slot->id, input->value_source, input->weight,
                         input->match, input->miss));
    if (input->family == CONFIG_KB_METRIC || input->value_source == VALUE_SOURCE_RAW) {
        double least = fmin(0, limits.value_least), most = fmax(0, limits.value_most);
        if (str_eq_c(input->type, "context") || str_eq_c(input->type, "structure") ||
            str_eq_c(input->type, "conversation"))
            least = 0;
        set_range(input->weight, least, most, &term->off_least, &term->off_most);
        sum_add_term(theory, score, term);
        return;
    }
    term->literal = slot->match;
    if (input->value_source == VALUE_SOURCE_CONFIDENCE) {
        set_range(input->weight, fmin(limits.confidence_least, 0), limits.confidence_most, &term->on_least,
                  &term->on_most);
    } else {
        set_range(input->weight, input->match, input->match, &term->on_least, &term->on_most);
        set_range(input->weight, input->miss, input->miss, &term->off_least, &term->off_most);
    }
    sum_add_term(theory, score, term);
}

static struct theory_score *build_score(struct theory_scope *scope, const struct config_score *config, int depth);

/* A score that is not looked into, or with too many terms. */
static void add_range(struct theory *theory, struct theory_score *score, double weight,
                      const struct theory_score *other) {
    struct theory_term *term = add_term(theory, score);
    set_range(weight, other ? other->least : -INFINITY, other ? other->most : INFINITY, &term->off_least,
              &term->off_most);
}

/* The terms of another score, weighted. */
static void add_score(struct theory_scope *scope, struct theory_score *score, const struct config_score_input *input,
                      int depth) {
    struct theory *theory = scope->theory;
    const struct config_score *config = map_get(&scope->score_configs, input->name);
    const struct theory_score *other = config && depth < SCORE_DEPTH_MAX ? build_score(scope, config, depth + 1) : NULL;
    /* Of what is not looked into, nothing says that it is the same elsewhere. */
    add_key(theory, score,
            arena_printf(theory->arena, " [%a %u]", input->weight, (unsigned)(other ? other->id : theory->n_slots++)));
    sum_add_score(theory, score, input->weight, other);
    if (!other || score->n_terms + other->n_terms > SCORE_TERMS_MAX) {
        add_range(theory, score, input->weight, other);
        return;
    }
    for (size_t i = 0; i < other->n_terms; i++) {
        struct theory_term from = other->terms[i], *term = add_term(theory, score);
        term->literal = from.literal;
        set_range(input->weight, from.on_least, from.on_most, &term->on_least, &term->on_most);
        set_range(input->weight, from.off_least, from.off_most, &term->off_least, &term->off_most);
    }
}

/* Scores of the same inputs in the same order are one number, also those of two documents. */
static uint32_t score_id(struct theory *theory, vsr_str key) {
    uintptr_t id = (uintptr_t)map_get(&theory->score_ids, key);
    if (!id) {
        id = theory->score_ids.n + 1;
        map_put(&theory->score_ids, key, (void *)id);
    }
    return (uint32_t)id;
}

static struct theory_score *build_score(struct theory_scope *scope, const struct config_score *config, int depth) {
    struct theory *theory = scope->theory;
    struct theory_score *score = map_get(&scope->scores, config->name);
    if (score)
        return score;
    score = ARENA_NEW(theory->arena, struct theory_score);
    CONFIG_EACH(const struct config_score_input, input, &config->inputs) {
        bool of_score = input->family == CONFIG_PROJECTION &&
                        (input->value_source == VALUE_SOURCE_UNSET || input->value_source == VALUE_SOURCE_SCORE);
        if (of_score)
            add_score(scope, score, input, depth);
        else
            add_signal(scope, score, input);
    }
    sum_end(theory, score);
    score->id = score_id(theory, score->key);
    map_put(&scope->scores, config->name, score);
    return score;
}

/* ---- mappings */

/* The score, the bands up to this one, and how sure they are; names do not count. */
vsr_str theory_output_meaning(struct theory_scope *scope, vsr_str name) {
    struct theory *theory = scope->theory;
    const struct config_mapping *mapping = map_get(&scope->mappings, name);
    const struct config_score *config = mapping ? map_get(&scope->score_configs, mapping->source) : NULL;
    const struct theory_score *score;
    vsr_str meaning;
    if (!config || scope->depth >= SCORE_DEPTH_MAX)
        return (vsr_str){ 0 };
    scope->depth++;
    score = build_score(scope, config, scope->depth);
    scope->depth--;
    meaning = arena_printf(theory->arena, "output %u %d %a", (unsigned)score->id, mapping->method,
                           mapping->calibration.slope);
    CONFIG_EACH(const struct config_mapping_output, output, &mapping->outputs) {
        struct bounds b = bounds_of_output(output);
        if (mapping->method == 0 || str_eq(output->name, name))
            meaning =
                arena_printf(theory->arena, "%.*s %u %a %a %a %a", VSR_FMT(meaning), b.set, b.gt, b.gte, b.lt, b.lte);
        if (str_eq(output->name, name))
            break;
    }
    return meaning;
}

static void number_score(struct theory *theory, struct theory_score *score) {
    size_t n_numbers = theory->numbers.n;
    if (score->number)
        return;
    score->number = theory_number(theory, arena_printf(theory->arena, "score %u", (unsigned)score->id), false,
                                  score->least, score->most);
    if (theory->numbers.n == n_numbers)
        return;
    theory->scores =
        arena_grow(theory->arena, theory->scores, sizeof(*theory->scores), theory->n_scores, &theory->scores_cap);
    theory->scores[theory->n_scores++] = score;
}

/* How sure a band is: a function of the score, its bounds and the slope, so bands alike in all are equally sure. */
static struct number *confidence_of(struct theory *theory, const struct theory_score *score,
                                    const struct config_mapping *mapping, const struct bounds *b) {
    vsr_str key = arena_printf(theory->arena, "confidence %u %u %a %a %a %a %a", (unsigned)score->id, b->set, b->gt,
                               b->gte, b->lt, b->lte, mapping->calibration.slope);
    return theory_number(theory, key, false, 0.5, 1);
}

static void say_mapping(struct theory_scope *scope, const struct config_mapping *mapping) {
    struct theory *theory = scope->theory;
    struct solver *solver = theory->solver;
    const struct config_score *config = map_get(&scope->score_configs, mapping->source);
    struct theory_score *score = config ? build_score(scope, config, 0) : NULL;
    int there = solver->yes, earlier = -solver->yes;
    if (!score)
        return;
    number_score(theory, score);
    if (!(fabs(score->least) < SCORE_HUGE && fabs(score->most) < SCORE_HUGE))
        there = solver_var(solver); /* it may be infinite, which no band holds */
    CONFIG_EACH(const struct config_mapping_output, output, &mapping->outputs) {
        struct theory_slot *slot = theory_slot(scope, CONFIG_PROJECTION, output->name);
        struct bounds bounds = bounds_of_output(output);
        int within = number_within(score->number, there, &bounds);
        int emitted = mapping->method == 1 ? within : solver_and2(solver, within, -earlier);
        SOLVER_CLAUSE(solver, -slot->match, emitted);
        SOLVER_CLAUSE(solver, slot->match, -emitted);
        earlier = solver_or2(solver, earlier, within);
        theory_measure(slot, confidence_of(theory, score, mapping, &bounds), slot->match);
    }
}

void theory_say_projections(struct theory_scope *scope) {
    CONFIG_EACH(const struct config_partition, partition, &scope->routing->projections.partitions)
    say_partition(scope, partition);
    CONFIG_EACH(const struct config_mapping, mapping, &scope->routing->projections.mappings)
    say_mapping(scope, mapping);
}

/* ---- examples that no sum allows */

/* How far the sum is kept down (or up, with `sign` -1) by the terms as they are in the example. */
struct reach {
    double most;      /* of `sign` times the sum */
    double tolerance; /* what adding up in another order may make of it */
    double *gains;    /* per term: by how much it would grow were the literal the other way round */
};

static double term_most(const struct theory_term *term, bool on, int sign) {
    if (sign > 0)
        return on ? term->on_most : term->off_most;
    return on ? -term->on_least : -term->off_least;
}

static struct reach find_reach(const struct solver *solver, const struct theory_score *score, int sign) {
    struct reach reach = { .gains = ARENA_ARRAY(solver->arena, double, score->n_terms) };
    for (size_t i = 0; i < score->n_terms; i++) {
        const struct theory_term *term = &score->terms[i];
        bool on = term->literal && solver_holds(solver, term->literal);
        double now = term_most(term, on, sign);
        reach.most += now;
        reach.tolerance += THEORY_TOLERANCE * (1 + fmax(fabs(now), fabs(term_most(term, !on, sign))));
        if (term->literal)
            reach.gains[i] = term_most(term, !on, sign) - now;
    }
    for (size_t i = 0; i < score->n_terms; i++) /* what hardly makes less of it may make more when it is rounded */
        if (reach.gains[i] < 0)
            reach.gains[i] = reach.gains[i] >= -2 * reach.tolerance ? DBL_MIN : 0;
    return reach;
}

/*
 * The sum cannot be on the side of the cut that the example says: not all of the terms that keep it away may be as they
 * are. The smallest gains are left out while they do not bridge the `slack`.
 */
static void say_conflict(struct solver *solver, const struct theory_score *score, struct reach *reach, double slack,
                         int side) {
    int *clause = ARENA_ARRAY(solver->arena, int, score->n_terms + 1);
    size_t n = 0;
    for (size_t left = score->n_terms; left > 0; left--) {
        size_t least = score->n_terms;
        for (size_t i = 0; i < score->n_terms; i++)
            if (reach->gains[i] > 0 && (least == score->n_terms || reach->gains[i] < reach->gains[least]))
                least = i;
        if (least == score->n_terms || reach->gains[least] >= slack)
            break;
        slack -= reach->gains[least];
        reach->gains[least] = 0;
    }
    clause[n++] = -side;
    for (size_t i = 0; i < score->n_terms; i++) {
        int literal = score->terms[i].literal;
        if (reach->gains[i] > 0)
            clause[n++] = solver_holds(solver, literal) ? -literal : literal;
    }
    solver_clause(solver, clause, n);
}

/* `sign` 1: the number is above the cut in the example; -1: it is below. */
static bool refute_side(struct solver *solver, const struct theory_score *score, const struct number_cut *cut, int sign,
                        struct reach *ret_reach, double *ret_slack) {
    double least, most;
    sum_in_example(solver, score, &least, &most);
    if (sign > 0 ? sum_is_above(most, cut) : !sum_is_above(least, cut))
        return false;
    *ret_reach = find_reach(solver, score, sign);
    *ret_slack = fmax(0, sign * cut->at - ret_reach->most - ret_reach->tolerance);
    return true;
}

static bool refute_score(struct solver *solver, const struct theory_score *score) {
    const struct number_cut *above, *below;
    struct reach high, low;
    double high_slack = 0, low_slack = 0;
    bool too_high, too_low;
    number_cell(score->number, &above, &below);
    too_high = above && refute_side(solver, score, above, 1, &high, &high_slack);
    too_low = below && refute_side(solver, score, below, -1, &low, &low_slack);
    /* Both before a clause is said: the example ends with the first. */
    if (too_high)
        say_conflict(solver, score, &high, high_slack, above->literal);
    else if (too_low)
        say_conflict(solver, score, &low, low_slack, -below->literal);
    return too_high || too_low;
}

bool theory_refute(void *data) {
    struct theory *theory = data;
    for (size_t i = 0; i < theory->n_scores; i++) {
        struct arena_mark mark = arena_mark(theory->arena);
        bool refuted = theory->scores[i]->n_sums == 0 && refute_score(theory->solver, theory->scores[i]);
        arena_rewind(theory->arena, mark);
        if (refuted)
            return true;
    }
    return false;
}
