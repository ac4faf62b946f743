/*
 * compete - what becomes of matches when rules depend on each other: partitions of which one member stays, composers
 * that let a rule count or not, and families of which only the best stay (signals.md §3.4).
 *
 * Runs behind every stage, before scores. Internal to route/. Built once, read-only afterwards: any thread.
 *
 * A partition that cannot tell who won, because a member could not be evaluated and no other matched, has no default
 * either: "nothing matched" would be a guess. A composer reads what could not be evaluated as unknown, whatever the
 * family's default says: then the rule that it belongs to is unavailable itself. Where the composer is false, no level
 * matches for sure, and the rule's own failure does not count.
 */
#ifndef VSR_ROUTE_COMPETE_H
#define VSR_ROUTE_COMPETE_H

#include "policy/partition.h"
#include "policy/rule.h"

struct route;
struct route_state;

struct compete_partition {
    struct partition partition; /* members are slots */
    const struct config_partition *config;
    uint32_t synthesized_slot; /* value that tells a default from a match */
};

/* The rule tree of a signal rule, and what the rule reports under. */
struct compete_composer {
    uint32_t root;
    uint32_t first_slot, n_slots;
};

struct compete {
    struct compete_partition *partitions; /* those with enough members, in declaration order */
    size_t n_partitions;
    struct rule_set rules; /* of the composers */
    struct compete_composer *composers;
    size_t n_composers;
    uint64_t *members; /* bit per slot: in a partition */
    size_t top_k;      /* of families that keep their best; 0: all */
};

/* Once all slots of rules are given out; adds those of defaults. */
struct compete *compete_build(struct arena *arena, struct route *route, const struct policy_names *names);
/* Once no slot will be added any more. */
void compete_close(struct compete *compete, struct arena *arena, size_t n_slots);

/* Adds what composers of wanted rules read. Returns whether anything was new. */
bool compete_want(const struct compete *compete, uint64_t *wanted);

/* ---- one request */

struct compete_result {
    bool done;
    bool decided; /* the trace says who won */
    struct partition_trace trace;
};

struct compete_state {
    struct compete_result *partitions;
    bool *composed;                 /* per composer */
    bool *ranked;                   /* per family */
    uint64_t *beaten, *synthesized; /* bit per slot: matched and lost; matches without matching */
};

void compete_begin(struct compete_state *compete, const struct route *route, struct arena *arena);
/* Decides whatever can be decided with what has been evaluated. */
void compete_run(struct route_state *state);

#endif
