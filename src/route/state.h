/*
 * state - one evaluation. Internal to route/. One thread; everything lives in the request's arena.
 */
#ifndef VSR_ROUTE_STATE_H
#define VSR_ROUTE_STATE_H

#include "route/plan.h"
#include "route/route.h"

struct route_state {
    const struct route *route;
    struct arena *arena;
    bool full;
    bool skipped; /* nothing in the request to look at, or it is refused */
    bool begun, done;
    bool waiting; /* for evidence */
    enum route_evidence evidence;
    bool settled;           /* the winner cannot change any more */
    int stage;              /* enum signal_stage: the next one, or the one that waits */
    const uint64_t *wanted; /* what the stages ahead evaluate */
    struct route_clock clock;
    uint64_t begun_ms;
    int64_t timeout_ms; /* for all signals; 0: none */
    uint64_t (*now_ns)(void);
    uint64_t *family_ns;      /* per family; NULL without a clock */
    struct route_need *needs; /* with verdicts */
    size_t n_needs;
    struct evidence_asks asks;  /* with answers */
    size_t first_ask;           /* of this stage */
    struct evidence_ask **open; /* those without an answer */
    size_t n_open;
    uint64_t *pending; /* bit per slot: to be judged once the asks of the stage are answered */
    void **memos;      /* per family */
    struct compete_state compete;
    struct signal_request request;
    struct signal_results results;
    struct policy_view view;               /* the results, as policy sees them */
    struct projection_result *projections; /* per score */
    uint8_t *leaves;                       /* enum rule_state per leaf */
    struct route_outcome outcome;
};

#endif
