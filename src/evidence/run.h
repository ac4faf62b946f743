/*
 * run - obtains the answers to several asks at once: each once, many at the same time, each within its time.
 *
 * Loop thread only. What can be answered at once is answered inside evidence_run_start(), and when that is everything
 * there is no run. Otherwise answers come later, in any order, and done() after the last. An ask's time counts from
 * evidence_run_start(); when it is over the ask is answered with SIGNAL_TIMEOUT and whatever still runs for it is
 * cancelled.
 *
 * At most EVIDENCE_FLYING_MAX are in flight, shared evenly among the sources that are asked; the others wait, and their
 * time runs. Those who wait for a model that is being loaded are not in flight, and one look serves them all.
 */
#ifndef VSR_EVIDENCE_RUN_H
#define VSR_EVIDENCE_RUN_H

#include <stdbool.h>

#include "nn/scheduler.h"
#include "signal/evidence.h"

struct evidence_binding;
struct evidence_lane;
struct evidence_run; /* lives in the question's arena */
struct route_state;

enum {
    EVIDENCE_LOAD_WAIT_MS = 30000, /* for a lazy model, when the ask has no time of its own */
    EVIDENCE_LOAD_POLL_MS = 20,
    EVIDENCE_FLYING_MAX = 64,       /* of one run; in batches, so many batches */
    EVIDENCE_INLINE_LEN_MAX = 8192, /* bytes that built-in models read on the caller's thread, of all asks together */
    EVIDENCE_INLINE_TEXTS_MAX = 64, /* and texts: for each, all asks are looked at */
};

struct evidence_question {
    const struct evidence_binding *binding;
    struct evidence_ask *const *asks; /* borrowed; the asks are kept */
    size_t n_asks;
    struct arena *arena; /* kept: where answers go */
    bool in_batches;     /* texts for one server go out together: fewer calls, and they fail together */
    bool in_background;  /* requests come first */
    /* Once for each ask, also from inside evidence_run_start(). */
    void (*answer)(void *data, struct evidence_ask *ask, const struct evidence_answer *answer);
    void *data;
    /* After the last answer, never from inside evidence_run_start(); the run is over then. */
    void (*done)(void *owner);
    void *owner;
};

/* NULL: everything is answered. */
struct evidence_run *evidence_run_start(struct evidence_lane *lane, const struct evidence_question *question);
/* No further answers. NULL is allowed. */
void evidence_run_cancel(struct evidence_run *run);

/* The asks of an evaluation that needs evidence. */
struct evidence_run *evidence_run_route(struct evidence_lane *lane, const struct evidence_binding *binding,
                                        struct route_state *state, struct arena *arena, void (*done)(void *owner),
                                        void *owner);

/*
 * The same on a lane that has a loop of its own: returns when everything is answered, or `*stop` is set by another
 * thread (looked at now and then; NULL: never).
 */
void evidence_run_wait(struct evidence_lane *lane, const struct evidence_question *question, const _Atomic bool *stop);
void evidence_run_wait_route(struct evidence_lane *lane, const struct evidence_binding *binding,
                             struct route_state *state, struct arena *arena);

#endif
