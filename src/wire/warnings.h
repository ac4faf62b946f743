/*
 * warnings - what a translation between protocols could not carry over.
 *
 * Unknown or untranslatable parts never fail a request: they are left out and named here, and the client sees them in
 * `x-vsr-protocol-warnings`. Bounded: what comes after WARNINGS_MAX is only counted. One thread.
 */
#ifndef VSR_WIRE_WARNINGS_H
#define VSR_WIRE_WARNINGS_H

#include <stddef.h>

#include "core/str.h"

struct arena;

enum warning_severity {
    WARNING_INFO,  /* carried over by other means, or of no consequence */
    WARNING_LOSSY, /* something that was said is missing */
    WARNING_ERROR, /* something was malformed and had to be left out */
    WARNING_SEVERITY_COUNT
};

enum {
    WARNINGS_MAX = 64,
    WARNINGS_HEADER_LEN_MAX = 4096,
    WARNINGS_TEXT_LEN_MAX = 256, /* of a field or detail; a longer one is cut */
};

struct warning {
    enum warning_severity severity;
    const char *reason; /* a constant word: "tool_result_image_dropped"; a label of metrics */
    vsr_str field;      /* JSON path: "messages.3.content.0" */
    vsr_str detail;     /* for logs; may be empty */
};

struct warnings {
    struct arena *arena;
    struct warning items[WARNINGS_MAX];
    size_t n;
    size_t n_more; /* not kept */
};

/* Keeps `arena`. */
void warnings_init(struct warnings *warnings, struct arena *arena);

/* Copies `field` and `detail`, keeps `reason`. Does nothing when `warnings` is NULL. The same reason at the same field
 * is kept once. */
void warnings_add(struct warnings *warnings, enum warning_severity severity, const char *reason, vsr_str field,
                  vsr_str detail);

const char *warning_severity_name(enum warning_severity severity);

/*
 * The header's value in `arena`: "severity;reason;field" joined by commas; `%`, `;`, `,`, and bytes that may not stand
 * in a header are percent-encoded. What does not fit in WARNINGS_HEADER_LEN_MAX is replaced by a last entry
 * "error;warnings_truncated;count=N". Empty when there are none.
 */
vsr_str warnings_header(const struct warnings *warnings, struct arena *arena);

#endif
