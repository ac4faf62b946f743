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
#include "route/compete.h"
#include "signal/family.h"
#include "text/compress.h"

struct route_family {
    const struct signal_family *family;
    const struct config_list *rules; /* NULL: it has none */
    const void *state;
    enum signal_stage stage;  /* as build() said, and not before what its rules' trees read */
    int64_t timeout_ms;       /* 0: none of its own */
    const uint32_t *rule_of;  /* per slot: the rule behind it; NULL: as numbered */
    const uint32_t *first_of; /* with rule_of: the first index of the same rule */
    const uint32_t *asked;    /* whom its rules may ask: sources, each once */
    size_t n_asked;
    const char *missing; /* why its rules are unavailable without a model */
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
    struct signal_sources sources;    /* who is asked */
    struct signal_banks banks;        /* examples */
    bool needs_stemmer;               /* some rule looks for stems */
    struct projections *projections;
    struct compete *compete;
    struct policy *policy;
    uint64_t *wanted;    /* bit per slot: what some decision can need */
    uint64_t *unwanted;  /* bit per slot: what is configured, and no decision can need */
    uint64_t *all;       /* bit per slot: both */
    bool needs_identity; /* a request that does not say who asks is refused */
    bool has_stages;     /* something wanted lies behind the first stage */
    bool keeps_best;     /* some family does */
    bool lazy;           /* stages may be left out */
    /*
     * Per decision: what rules that must not be skipped it refers to, with those of all decisions before it. NULL:
     * there are none.
     */
    uint64_t **unskipped;
};

/* Widens a wish to whole families where their rules go together, and to what projections need. */
void plan_complete(const struct route *route, uint64_t *wanted);

/* The family's rules in a set of slots: whether there is any. */
bool plan_wants(const struct route_family *family, const uint64_t *wanted);

/* The family that reports at the slot; NULL: none, it is a projection's or a value beside a rule. */
const struct route_family *plan_family_at(const struct route *route, uint32_t slot);

/* The rule behind what a family reports at `index`. */
static inline size_t plan_rule_of(const struct route_family *family, uint32_t index) {
    return family->rule_of ? family->rule_of[index] : index;
}

/* While building: slots of a partition's members, and of a value beside a rule (`<name>:<what>`). */
struct plan_member_finder {
    struct route *route;
    int family; /* index in the list of families */
};
uint32_t plan_find_member(void *data, vsr_str name);
uint32_t plan_beside_slot(struct route *route, uint32_t slot, const char *what, struct arena *arena);

#endif
