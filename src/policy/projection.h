/*
 * projection - scores over signals, and the bands that scores fall into (signals.md §7.2-7.5).
 *
 * Scores are compiled into dependency order. A score is computed as soon as all of its inputs are there, and its
 * mappings right after it; their outputs are slots like any signal's, so rules and other scores read them the same way.
 * Immutable once built: any thread.
 */
#ifndef VSR_POLICY_PROJECTION_H
#define VSR_POLICY_PROJECTION_H

#include "core/err.h"
#include "policy/view.h"

struct arena;

#define PROJECTION_SLOPE 12.0 /* of a mapping without calibration */

enum { PROJECTION_DEPTH_MAX = 1024 }; /* scores that build on each other; bounds the stack */

enum projection_source {
    PROJECTION_BINARY,     /* match or miss */
    PROJECTION_CONFIDENCE, /* 0 when unmatched */
    PROJECTION_RAW,        /* the value, matched or not */
    PROJECTION_SCORE,      /* another score */
};

struct projection_input {
    const struct config_score_input *config;
    enum projection_source source;
    uint32_t slot;  /* POLICY_SLOT_NONE: reads as unmatched */
    uint32_t score; /* SCORE, or with `of_output`: index in compiled order */
    bool of_output; /* the slot is an output of a mapping of that score */
};

struct projection_mapping {
    const struct config_mapping *config;
    uint32_t *slots; /* per output */
    double slope;
};

struct projection_score {
    const struct config_score *config;
    struct projection_input *inputs;
    size_t n_inputs;
    struct projection_mapping *mappings; /* those that read this score, in declaration order */
    size_t n_mappings;
    uint64_t *needs; /* bit per slot: everything it depends on, through other scores too */
};

struct projections {
    struct projection_score *scores; /* in order of evaluation */
    size_t n_scores;
    size_t n_slots;
};

/*
 * Compiles `config`, which it keeps. Slots of outputs are asked for under type "projection", those of metrics under
 * "kb_metric" with name "kb:metric" in lower case. Fails with VSR_E_INVALID on a cycle or an unknown score, VSR_E_LIMIT
 * on a chain past PROJECTION_DEPTH_MAX.
 */
int projections_build(struct arena *arena, const struct config_projections *config, const struct policy_names *names,
                      struct projections **ret_projections, struct vsr_err *err) VSR_MUST_CHECK;

/* After all slots are given out: finds what each score needs. */
void projections_close(struct projections *projections, struct arena *arena, size_t n_slots);

/* Adds to `wanted` all slots behind an output slot that is in it. */
void projections_want(const struct projections *projections, uint64_t *wanted);

/* ---- one request */

struct projection_result {
    double total;
    bool done;
    bool degraded; /* an input could not be evaluated, here or in a score that this one builds on */
};

/* Computes every score whose inputs are there and which is not done yet. `results` has one entry per score, zeroed at
 * first. */
void projections_run(const struct projections *projections, const struct policy_view *view,
                     struct projection_result *results);

/* Value of one input, once evaluated; also for traces. */
double projection_input_value(const struct projection_input *input, const struct policy_view *view,
                              const struct projection_result *results);

/* ---- one mapping, for tests and traces */

bool mapping_output_holds(const struct config_mapping_output *output, double score);
/* Distance to the nearest of the output's own bounds; 1 without bounds. */
double mapping_distance(const struct config_mapping_output *output, double score);
double mapping_confidence(double slope, double distance);
double mapping_slope(const struct config_mapping *mapping);
/* Calls fn for each output emitted: the first that holds, or all with multi_emit. */
void mapping_emit(const struct config_mapping *mapping, double score,
                  void (*fn)(void *data, size_t output, double confidence), void *data);

#endif
