/*
 * plan - a recipe compiled: families with their states, slots, patterns, projections and decisions, and what is needed
 * at all.
 *
 * Internal to route/. Built once, read-only afterwards: any thread.
 */
#ifndef VSR_ROUTE_PLAN_H
#define VSR_ROUTE_PLAN_H

#include "policy/decision.h"
#include "policy/projection.h"
#include "signal/family.h"
#include "text/compress.h"

struct route_family {
    const struct signal_family *family;
    const void *state;
    uint32_t first_slot; /* of what it reports, one after the other */
    uint32_t n_slots;
    uint32_t n_listed; /* the first of them are what matches are listed by */
};

struct route {
    const struct config_document *doc;
    const struct config_scope *scope;
    const struct config_routing *routing; /* of the scope */
    struct signal_slots slots;
    struct route_family *families; /* those with rules, in catalogue order, then the metrics of knowledge bases */
    size_t n_families;
    uint32_t first_output, n_outputs; /* slots of projection outputs */
    size_t window_max;                /* code points that windowed families read */
    struct compress_options compress; /* how long texts are shortened */
    bool compresses;                  /* whether they are */
    struct pattern_set *patterns;     /* NULL: none */
    struct projections *projections;
    struct policy *policy;
    uint64_t *wanted;    /* bit per slot: what some decision can need */
    uint64_t *all;       /* bit per slot: everything configured */
    bool needs_identity; /* a request that does not say who asks is refused */
    bool has_stages;     /* something wanted lies behind the first stage */
};

/* Widens a wish to whole families where their rules go together, and to what projections need. */
void plan_complete(const struct route *route, uint64_t *wanted);

/* The family's rules in a set of slots: whether there is any. */
bool plan_wants(const struct route_family *family, const uint64_t *wanted);

#endif
