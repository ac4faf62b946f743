/* Bands of mappings, their gaps and overlaps, and those that are never reached: W404, W405 and W406. */
#include <math.h>
#include <stdlib.h>

#include "config/predicate.h"
#include "core/arena.h"
#include "dsl/prove_parts.h"

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
    finding_add(proof->findings, FINDING_WARNING, "W404", prove_place_of(above->output->at.node),
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
        finding_add(proof->findings, FINDING_WARNING, "W405", prove_place_of(b->output->at.node),
                    "PROJECTION mapping %.*s: bands \"%.*s\" and \"%.*s\" hold the same scores; \"%.*s\" counts",
                    VSR_FMT(mapping->name), VSR_FMT(a->output->name), VSR_FMT(b->output->name), VSR_FMT(first->name));
    else
        finding_add(proof->findings, FINDING_WARNING, "W405", prove_place_of(b->output->at.node),
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

/* An end of the score's range; what it may be more or less by is not worth a digit. */
static double shown(const struct theory_score *score, double end) {
    return fabs(end) < 100 * THEORY_TOLERANCE * (score->most - score->least) ? 0 : end;
}

static void tell_unreached(struct proof *proof, const struct config_mapping *mapping) {
    const struct theory_score *score = map_get(&proof->scope.scores, mapping->source);
    CONFIG_EACH(const struct config_mapping_output, output, &mapping->outputs) {
        struct theory_slot *slot = theory_slot(&proof->scope, CONFIG_PROJECTION, output->name);
        if (!score || prove_ask(proof, &slot->match, 1) != SOLVER_IMPOSSIBLE)
            continue;
        finding_add(proof->findings, FINDING_WARNING, "W406", prove_place_of(output->at.node),
                    "PROJECTION mapping %.*s: the band \"%.*s\" is never reached; score \"%.*s\" lies between %.6g and "
                    "%.6g, and earlier bands count first",
                    VSR_FMT(mapping->name), VSR_FMT(output->name), VSR_FMT(mapping->source), shown(score, score->least),
                    shown(score, score->most));
    }
}

void prove_bands(struct proof *proof) {
    CONFIG_EACH(const struct config_mapping, mapping, &proof->profile->routing->projections.mappings) {
        proof->findings->decl = prove_place_of(mapping->at.node);
        tell_neighbours(proof, mapping);
        tell_unreached(proof, mapping);
    }
}
