/*
 * verdict - one answer of the evaluation API against what a probe expects: ten checks (config.md §18.3).
 *
 * Works on the document as anybody may read it, so that a router elsewhere is judged like the engine in this process.
 * Pure; any thread.
 */
#ifndef VSR_PROBE_VERDICT_H
#define VSR_PROBE_VERDICT_H

#include "core/json.h"
#include "probe/suite.h"

struct arena;

enum probe_check {
    CHECK_DECISION,
    CHECK_MODEL,
    CHECK_RECIPE,
    CHECK_ALGORITHM,
    CHECK_PLUGINS,
    CHECK_SIGNALS,
    CHECK_ALIAS,
    CHECK_TRACE,
    CHECK_SIGNAL_ERRORS,
    CHECK_SELECTION,
    PROBE_CHECKS,
};
const char *probe_check_text(enum probe_check check);

struct probe_failure {
    enum probe_check check;
    vsr_str expected, got; /* for people */
};

struct probe_verdict {
    vsr_str decision; /* empty: none */
    struct probe_failure failures[PROBE_CHECKS];
    size_t n_failures; /* 0: it passes */
};

struct probe_question {
    const struct probe_suite *suite;
    const struct probe_decision *decision;
    const struct probe_variant *variant;
    vsr_str model;            /* that was asked for; empty: none */
    const vsr_str *decisions; /* of the recipe, for the trace; NULL: not known */
    size_t n_decisions;
    bool ignore_signal_errors; /* the decision was proved not to depend on them; signals that failed are not judged */
};

/* Judges a document; texts live in `arena` or in the document. */
void probe_judge(const struct probe_question *question, const struct json_doc *doc, struct arena *arena,
                 struct probe_verdict *ret_verdict);

#endif
