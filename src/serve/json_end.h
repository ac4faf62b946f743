/*
 * json_end - tells when a JSON object or array that comes in pieces is complete, without reading it.
 *
 * A proxy does not always say which piece of a body is the last: when trailers follow it says so only afterwards, and
 * some wait for an answer first. Brackets and strings alone are followed, so text that is no JSON may look complete
 * early or never; whoever parses it later decides. Ten lines of state; one thread.
 */
#ifndef VSR_SERVE_JSON_END_H
#define VSR_SERVE_JSON_END_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct json_end {
    size_t depth;
    bool in_string, escaped;
    bool other; /* it begins as no object and no array: the end of such a text is not looked for */
    bool complete;
    bool more; /* something but white space has come behind the end */
};

/* All zero to begin with. True from the piece on that holds the closing bracket. */
bool json_end_feed(struct json_end *end, vsr_str bytes);

#endif
