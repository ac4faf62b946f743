/*
 * run - all variants of a suite, asked and judged.
 *
 * Whoever is asked is behind one function: the engine in this process (probe_local.h), or a router elsewhere. Workers
 * take variants one after the other; outcomes stand in the order of the suite, whoever finished first.
 */
#ifndef VSR_PROBE_RUN_H
#define VSR_PROBE_RUN_H

#include <stdint.h>

#include "core/err.h"
#include "probe/verdict.h"

struct evidence_lane;
struct snapshot;

/* What came back for one body. */
struct probe_answer {
    vsr_str document; /* JSON; in the arena */
    bool independent; /* proved: no unavailable signal can change the decision */
    bool incomplete;  /* a signal was unavailable */
    uint64_t time_ns; /* of the evaluation alone */
};

/* Asks one body. Called by several threads, each with its own `worker` and arena. */
struct probe_asker {
    int (*ask)(void *data, size_t worker, struct arena *arena, vsr_str body, const struct probe_decision *decision,
               struct probe_answer *ret_answer, struct vsr_err *err);
    void *data;
};

enum probe_state {
    PROBE_PASSED,
    PROBE_FAILED,
    PROBE_NOT_ASKED, /* the request could not be made, or was not answered: a failure as well */
    PROBE_DEPENDENT, /* failed, and needs a signal that is not available: counted apart */
};
const char *probe_state_text(enum probe_state state);

struct probe_outcome {
    const struct probe_decision *decision;
    const struct probe_variant *variant;
    vsr_str id;    /* `decision:variant` */
    vsr_str model; /* that was asked for */
    enum probe_state state;
    bool independent;
    struct probe_verdict verdict;
    vsr_str error; /* NOT_ASKED: why */
    double time_us;
};

struct probe_options {
    const struct probe_suite *suite;
    const struct snapshot *snapshot; /* of the profile: names, decisions */
    const vsr_str *ids;              /* only these; NULL: all */
    size_t n_ids;
    size_t jobs;
    bool by_independence; /* failures that depend on unavailable signals are counted apart */
    struct probe_asker asker;
    void (*progress)(void *data, size_t done, size_t total); /* may be NULL; any thread, one at a time */
    void *progress_data;
};

struct probe_outcomes {
    struct probe_outcome *items;
    size_t n;
    uint64_t time_ns;      /* of the whole run */
    struct arena **arenas; /* [n_arenas]: what the texts live in */
    size_t n_arenas;
};

/* VSR_E_NOT_FOUND when an id names no variant. Free with probe_outcomes_free() in any case. */
int probe_run(const struct probe_options *options, struct probe_outcomes *ret_outcomes,
              struct vsr_err *err) VSR_MUST_CHECK;
void probe_outcomes_free(struct probe_outcomes *outcomes);

/* The engine in this process: a snapshot that has one scratch for each job. */
struct probe_local {
    const struct snapshot *snapshot;
    /* Of job `worker`; NULL: no model is asked. */
    struct evidence_lane *(*lane)(void *data, size_t worker);
    void *data;
};
/* Keeps `local`. */
struct probe_asker probe_local(const struct probe_local *local);

#endif
