#include "policy/projection.h"

#include <math.h>

#include "config/predicate.h"
#include "core/arena.h"
#include "core/bits.h"
#include "core/map.h"

/* ---- mappings */

bool mapping_output_holds(const struct config_mapping_output *output, double score) {
    struct bounds bounds = bounds_of_output(output);
    return bounds_hold(&bounds, score);
}

double mapping_distance(const struct config_mapping_output *output, double score) {
    const double values[] = { output->lt, output->lte, output->gt, output->gte };
    const unsigned flags[] = { BOUND_LT, BOUND_LTE, BOUND_GT, BOUND_GTE };
    double nearest = INFINITY;
    for (size_t i = 0; i < VSR_COUNT(values); i++)
        if (output->bounds & flags[i])
            nearest = fmin(nearest, fabs(score - values[i]));
    return isinf(nearest) ? 1.0 : nearest;
}

double mapping_confidence(double slope, double distance) {
    return 1 / (1 + exp(-slope * distance));
}

double mapping_slope(const struct config_mapping *mapping) {
    return mapping->calibration.slope > 0 ? mapping->calibration.slope : PROJECTION_SLOPE;
}

void mapping_emit(const struct config_mapping *mapping, double score,
                  void (*fn)(void *data, size_t output, double confidence), void *data) {
    const struct config_mapping_output *outputs = mapping->outputs.items;
    bool multi = mapping->method == 1;
    for (size_t i = 0; i < mapping->outputs.n; i++) {
        if (!mapping_output_holds(&outputs[i], score))
            continue;
        fn(data, i, mapping_confidence(mapping_slope(mapping), mapping_distance(&outputs[i], score)));
        if (!multi)
            return;
    }
}

/* ---- building: dependency order */

struct builder {
    struct arena *arena;
    const struct config_projections *config;
    const struct policy_names *names;
    const struct policy_type *type; /* of outputs; NULL when nobody knows projections */
    struct projections *out;
    struct map scores;         /* name -> struct config_score */
    struct map output_sources; /* output name -> struct config_score behind it */
    uint32_t *order;           /* per declared score: compiled index + 1 */
    bool *open;                /* per declared score: on the path */
    int depth;
    struct vsr_err *err;
};

static const struct config_score *scores_of(const struct builder *b) {
    return b->config->scores.items;
}

static void index_names(struct builder *b) {
    const struct config_mapping *mappings = b->config->mappings.items;
    map_init(&b->scores, b->arena);
    map_init(&b->output_sources, b->arena);
    for (size_t i = 0; i < b->config->scores.n; i++)
        map_put(&b->scores, scores_of(b)[i].name, (void *)&scores_of(b)[i]);
    for (size_t i = 0; i < b->config->mappings.n; i++) {
        const struct config_mapping_output *outputs = mappings[i].outputs.items;
        void *score = map_get(&b->scores, mappings[i].source);
        for (size_t k = 0; k < mappings[i].outputs.n && score; k++)
            map_put(&b->output_sources, outputs[k].name, score);
    }
}

static bool is_projection(const struct config_score_input *input) {
    return str_eq_nocase(str_trim(input->type), VSR_STR("projection"));
}

static bool reads_score(const struct config_score_input *input) {
    return is_projection(input) &&
           (input->value_source == VALUE_SOURCE_UNSET || input->value_source == VALUE_SOURCE_SCORE);
}

/* The score that must come before one that has this input; NULL: none. */
static const struct config_score *input_dependency(struct builder *b, const struct config_score_input *input) {
    if (!is_projection(input))
        return NULL;
    return map_get(reads_score(input) ? &b->scores : &b->output_sources, input->name);
}

static void build_input(struct builder *b, const struct config_score_input *config, struct projection_input *input) {
    vsr_str type_name = arena_str_lower(b->arena, str_trim(config->type)), name = config->name;
    const struct config_score *before;
    const struct policy_type *type;
    input->config = config;
    input->slot = POLICY_SLOT_NONE;
    if (reads_score(config)) {
        const struct config_score *score = map_get(&b->scores, config->name);
        input->source = PROJECTION_SCORE;
        input->score = b->order[score - scores_of(b)] - 1;
        return;
    }
    if (str_eq_c(type_name, "kb_metric")) {
        input->source = PROJECTION_RAW;
        name = arena_printf(b->arena, "%.*s:%.*s", VSR_FMT(config->kb), VSR_FMT(config->metric));
        name = arena_str_lower(b->arena, str_trim(name));
    } else {
        input->source = config->value_source == VALUE_SOURCE_CONFIDENCE ? PROJECTION_CONFIDENCE
                        : config->value_source == VALUE_SOURCE_RAW      ? PROJECTION_RAW
                                                                        : PROJECTION_BINARY;
    }
    before = input_dependency(b, config);
    if (before) {
        input->of_output = true;
        input->score = b->order[before - scores_of(b)] - 1;
    }
    type = b->names->type(b->names->data, type_name, config->family);
    if (type)
        input->slot = b->names->slot(b->names->data, type, name);
}

static size_t count_mappings(const struct builder *b, const struct config_score *score) {
    const struct config_mapping *configs = b->config->mappings.items;
    size_t n = 0;
    for (size_t i = 0; i < b->config->mappings.n; i++)
        n += str_eq(configs[i].source, score->name);
    return n;
}

static void build_mappings(struct builder *b, struct projection_score *score) {
    const struct config_mapping *configs = b->config->mappings.items;
    score->mappings = ARENA_ARRAY(b->arena, struct projection_mapping, count_mappings(b, score->config));
    for (size_t i = 0; i < b->config->mappings.n; i++) {
        const struct config_mapping_output *outputs = configs[i].outputs.items;
        struct projection_mapping *mapping;
        if (!str_eq(configs[i].source, score->config->name))
            continue;
        mapping = &score->mappings[score->n_mappings++];
        mapping->config = &configs[i];
        mapping->slope = mapping_slope(&configs[i]);
        mapping->slots = ARENA_ARRAY(b->arena, uint32_t, configs[i].outputs.n);
        for (size_t k = 0; k < configs[i].outputs.n; k++)
            mapping->slots[k] = b->type ? b->names->slot(b->names->data, b->type, outputs[k].name) : POLICY_SLOT_NONE;
    }
}

static int build_score(struct builder *b, const struct config_score *config) {
    size_t declared = (size_t)(config - scores_of(b));
    const struct config_score_input *inputs = config->inputs.items;
    struct projection_score score = { .config = config, .n_inputs = config->inputs.n };
    if (b->order[declared])
        return 0;
    if (b->open[declared])
        return err_set(b->err, VSR_E_INVALID, "score \"%.*s\" depends on itself", VSR_FMT(config->name));
    if (++b->depth > PROJECTION_DEPTH_MAX)
        return err_set(b->err, VSR_E_LIMIT, "scores depend on each other over more than %d steps",
                       PROJECTION_DEPTH_MAX);
    b->open[declared] = true;
    for (size_t i = 0; i < config->inputs.n; i++) {
        const struct config_score *before = input_dependency(b, &inputs[i]);
        int rc = 0;
        if (before)
            rc = build_score(b, before);
        else if (reads_score(&inputs[i]))
            rc = err_set(b->err, VSR_E_INVALID, "score \"%.*s\" is not declared", VSR_FMT(inputs[i].name));
        if (rc < 0)
            return rc;
    }
    score.inputs = ARENA_ARRAY(b->arena, struct projection_input, score.n_inputs);
    for (size_t i = 0; i < score.n_inputs; i++)
        build_input(b, &inputs[i], &score.inputs[i]);
    build_mappings(b, &score);
    b->out->scores[b->out->n_scores++] = score;
    b->order[declared] = (uint32_t)b->out->n_scores;
    b->depth--;
    return 0;
}

int projections_build(struct arena *arena, const struct config_projections *config, const struct policy_names *names,
                      struct projections **ret_projections, struct vsr_err *err) {
    struct builder b = { .arena = arena, .config = config, .names = names, .err = err };
    b.out = ARENA_NEW(arena, struct projections);
    b.out->scores = ARENA_ARRAY(arena, struct projection_score, config->scores.n);
    b.order = ARENA_ARRAY(arena, uint32_t, config->scores.n);
    b.open = ARENA_ARRAY(arena, bool, config->scores.n);
    b.type = names->type(names->data, VSR_STR("projection"), CONFIG_PROJECTION);
    index_names(&b);
    for (size_t i = 0; i < config->scores.n; i++) {
        int rc = build_score(&b, &scores_of(&b)[i]);
        if (rc < 0)
            return rc;
    }
    *ret_projections = b.out;
    return 0;
}

/* ---- what a score needs */

/* Whether the input builds on another score, whose index is `input->score` then. */
static bool has_score(const struct projection_input *input) {
    return input->source == PROJECTION_SCORE || input->of_output;
}

static void add_needs(uint64_t *needs, const struct projection_score *score, size_t n_words) {
    for (size_t w = 0; w < n_words; w++)
        needs[w] |= score->needs[w];
}

void projections_close(struct projections *projections, struct arena *arena, size_t n_slots) {
    size_t n_words = BITS_WORDS(n_slots);
    projections->n_slots = n_slots;
    for (size_t i = 0; i < projections->n_scores; i++) { /* in order, so dependencies are complete */
        struct projection_score *score = &projections->scores[i];
        score->needs = ARENA_ARRAY(arena, uint64_t, n_words);
        for (size_t k = 0; k < score->n_inputs; k++) {
            const struct projection_input *input = &score->inputs[k];
            if (has_score(input))
                add_needs(score->needs, &projections->scores[input->score], n_words);
            if (input->source != PROJECTION_SCORE && input->slot != POLICY_SLOT_NONE)
                bits_add(score->needs, input->slot);
        }
    }
}

void projections_want(const struct projections *projections, uint64_t *wanted) {
    size_t n_words = BITS_WORDS(projections->n_slots);
    for (size_t i = 0; i < projections->n_scores; i++) {
        const struct projection_score *score = &projections->scores[i];
        bool want = false;
        for (size_t k = 0; k < score->n_mappings; k++)
            for (size_t o = 0; o < score->mappings[k].config->outputs.n; o++)
                want |=
                    score->mappings[k].slots[o] != POLICY_SLOT_NONE && bits_has(wanted, score->mappings[k].slots[o]);
        if (want)
            add_needs(wanted, score, n_words);
    }
}

/* ---- one request */

double projection_input_value(const struct projection_input *input, const struct policy_view *view,
                              const struct projection_result *results) {
    bool matched = policy_slot_in(view->matched, input->slot);
    switch (input->source) {
    case PROJECTION_BINARY:
        return matched ? input->config->match : input->config->miss;
    case PROJECTION_CONFIDENCE:
        if (!matched)
            return 0;
        return bits_has(view->has_confidence, input->slot) ? view->confidence[input->slot] : 1.0;
    case PROJECTION_RAW:
        return policy_slot_in(view->has_value, input->slot) ? view->value[input->slot] : 0;
    case PROJECTION_SCORE:
        return results[input->score].total;
    }
    return 0;
}

static bool is_ready(const struct projection_score *score, const struct policy_view *view,
                     const struct projection_result *results) {
    for (size_t i = 0; i < score->n_inputs; i++) {
        const struct projection_input *input = &score->inputs[i];
        if (input->source == PROJECTION_SCORE
                ? !results[input->score].done
                : input->slot != POLICY_SLOT_NONE && !bits_has(view->evaluated, input->slot))
            return false;
    }
    return true;
}

struct emission {
    const struct projection_mapping *mapping;
    const struct policy_view *view;
};

static void emit_output(void *data, size_t output, double confidence) {
    struct emission *emission = data;
    uint32_t slot = emission->mapping->slots[output];
    if (slot == POLICY_SLOT_NONE)
        return;
    bits_add(emission->view->matched, slot);
    bits_add(emission->view->has_confidence, slot);
    emission->view->confidence[slot] = confidence;
}

static void run_score(const struct projection_score *score, const struct policy_view *view,
                      const struct projection_result *results, struct projection_result *result) {
    for (size_t i = 0; i < score->n_inputs; i++) {
        const struct projection_input *input = &score->inputs[i];
        result->total += input->config->weight * projection_input_value(input, view, results);
        result->degraded |=
            has_score(input) ? results[input->score].degraded : policy_slot_in(view->unavailable, input->slot);
    }
    result->done = true;
    for (size_t i = 0; i < score->n_mappings; i++) {
        struct emission emission = { &score->mappings[i], view };
        for (size_t o = 0; o < score->mappings[i].config->outputs.n; o++)
            if (score->mappings[i].slots[o] != POLICY_SLOT_NONE)
                bits_add(view->evaluated, score->mappings[i].slots[o]);
        mapping_emit(score->mappings[i].config, result->total, emit_output, &emission);
    }
}

void projections_run(const struct projections *projections, const struct policy_view *view,
                     struct projection_result *results) {
    for (size_t i = 0; i < projections->n_scores; i++)
        if (!results[i].done && is_ready(&projections->scores[i], view, results))
            run_score(&projections->scores[i], view, results, &results[i]);
}
