/*
 * trace_context - W3C Trace Context: which distributed trace a request belongs to.
 *
 * A valid `traceparent` is continued: the backend gets the same trace id and flags under an id of our own, and
 * `tracestate` as it came. A request without one stays without one. To begin a trace would decide about sampling for
 * whoever is behind: its tracer takes a parent that is not sampled as an order to record nothing, and one that is
 * sampled as an order to record everything. An invalid one is removed, with its tracestate: a backend that reads it
 * less strictly would join a trace that nobody else knows. Pure; any thread.
 */
#ifndef VSR_WIRE_TRACE_CONTEXT_H
#define VSR_WIRE_TRACE_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

enum {
    TRACE_ID_LEN = 32,
    TRACE_SPAN_LEN = 16,
    TRACE_PARENT_LEN = 55, /* 00-<32>-<16>-<2> */
    TRACE_STATE_LEN_MAX = 512,
};

struct trace_context {
    bool has;
    char parent[TRACE_PARENT_LEN]; /* as the backend gets it: version 00, our span id */
    vsr_str state;                 /* borrows; empty: none, or too long to pass */
};

/*
 * Reads the two headers as they came; empty: absent. Of a version above 00 the first four parts are read. `span` is a
 * random number. False, and ret_trace->has with it: there is no trace to continue.
 */
bool trace_context_read(vsr_str traceparent, vsr_str tracestate, uint64_t span, struct trace_context *ret_trace);

/* Slices of ret_trace->parent. */
vsr_str trace_context_id(const struct trace_context *trace);
vsr_str trace_context_parent(const struct trace_context *trace);

#endif
