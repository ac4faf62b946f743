/*
 * trace_parts - what both forms of a trace walk over. Internal to route/.
 */
#ifndef VSR_ROUTE_TRACE_PARTS_H
#define VSR_ROUTE_TRACE_PARTS_H

#include "route/state.h"

enum { TRACE_FOUND_MAX = 64 }; /* entries shown of one rule */

/* State of a decision as evaluated so far. */
enum rule_state trace_decision_state(const struct route_state *state, size_t decision);
double trace_confidence(const struct route_state *state, uint32_t node);
/* Entries of rule `index` that were found in the text. Returns how many. */
size_t trace_found(const struct route_state *state, const struct route_family *family, size_t index,
                   vsr_str found[static TRACE_FOUND_MAX]);

/* One of those whom a family asked. */
struct trace_source {
    const struct signal_source *source;
    const char *model, *version; /* as it called itself; NULL: not known */
    size_t n_asked, n_failed, n_remembered, n_cut;
};
/* In the order of asking; lives in the request's arena. Returns how many. */
size_t trace_sources(const struct route_state *state, const struct route_family *family,
                     struct trace_source **ret_sources);

#endif
