/*
 * encoder_lanes - what a pass over a base and its adapters computes once, and from where on each goes alone.
 *
 * A lane is the rows of one text through the layers. Sequences of the same tokens begin as one lane, which is the
 * base's; before the first layer that an adapter changes, the adapter's lane is born as a copy of it. So the base, and
 * an adapter that begins late, share what they have in common, and twice the same sequence is one lane:
 *
 *     stage                      0  1  2  3  4        0 is the embedding, 1 + i layer i; stages as in encoder_model.h
 *     lane 0    text 1           ====|=========       the base's, until the adapter that differs last takes it over
 *     lane 1    text 2           ==============
 *     lane 2    text 1, late              \====       a copy of lane 0
 *
 * Lanes stand in the order in which they are born, those of one adapter side by side: the lanes of a stage are the
 * first few of all. Planned once for a pass. One thread; grows to the largest batch and keeps it.
 */
#ifndef VSR_NN_ENCODER_LANES_H
#define VSR_NN_ENCODER_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/encoder.h"
#include "nn/pages.h"

struct encoder_lane {
    const struct encoder_adapter *adapter; /* that it ends as; NULL: the base */
    size_t stage;                          /* from here on it is the adapter's; STAGE_NEVER without one */
    size_t birth;                          /* 0: it is computed from its tokens, else it is a copy */
    uint32_t origin;                       /* the lane that it copies */
    uint32_t sequence;                     /* of the batch: one that has its tokens */
};

struct encoder_lanes {
    struct pages lanes;  /* struct encoder_lane [n] */
    struct pages starts; /* u32 [n + 1]: rows of each lane */
    struct pages of;     /* u32 [sequences]: the lane of each */
    struct pages ids, types, scratch;
    size_t n;
    bool in_order; /* lane i is sequence i */
    bool has_types;
};

void encoder_lanes_done(struct encoder_lanes *lanes);

/* Of a batch with adapters, valid and borrowed, for a pass through `layers` layers. VSR_E_NOMEM. */
int encoder_lanes_plan(struct encoder_lanes *lanes, const struct encoder_batch *batch, size_t layers,
                       struct vsr_err *err) VSR_MUST_CHECK;

/* Lanes that there are at a stage. */
size_t encoder_lanes_alive(const struct encoder_lanes *lanes, size_t stage);

/* The first `n` lanes as a batch; with tokens only where they are not copies. */
struct encoder_batch encoder_lanes_batch(const struct encoder_lanes *lanes, size_t n);

static inline const struct encoder_lane *encoder_lane(const struct encoder_lanes *lanes, size_t i) {
    return (const struct encoder_lane *)lanes->lanes.data + i;
}

#endif
