/*
 * evidence_metrics - what is counted of asks: by who was asked, and what became of it. Any thread.
 */
#ifndef VSR_EVIDENCE_EVIDENCE_METRICS_H
#define VSR_EVIDENCE_EVIDENCE_METRICS_H

#include <stdint.h>

#include "signal/evidence.h"

struct metrics;

/* Who answers. */
enum evidence_place {
    PLACE_BUILTIN, /* a model of the program itself */
    PLACE_MODEL,   /* one that lies in a directory */
    PLACE_HTTP,
    PLACE_MCP,
    PLACES,
};

enum { EVIDENCE_OUTCOMES = SIGNAL_TOO_LONG + 2 }; /* codes, and "remembered" */

struct evidence_metrics {
    struct metric *asks[PLACES][EVIDENCE_OUTCOMES];
    struct metric *seconds[PLACES];
};

/* `metrics` NULL: nothing is counted. */
void evidence_metrics_init(struct evidence_metrics *ret, struct metrics *metrics);
void evidence_metrics_count(const struct evidence_metrics *metrics, enum evidence_place place,
                            const struct evidence_answer *answer, uint64_t ns);

#endif
