/*
 * usage - the token counts that a backend reports for one answer.
 *
 * Reads the `usage` object of Chat Completions, and the names that the Responses and Messages protocols use for the
 * same numbers. A pure reader: any thread.
 */
#ifndef VSR_WIRE_USAGE_H
#define VSR_WIRE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"

struct usage {
    int64_t prompt, completion;  /* prompt includes cached and cache_write */
    int64_t cached, cache_write; /* as reported; not checked against prompt */
    bool has;                    /* prompt or completion was reported as a number */
    bool malformed;              /* some count was there but no number; it was ignored */
};

/*
 * Reads the members of `object`, the `usage` object itself. False when `object` is no object; *ret_usage is then all
 * zero. Numbers with a fraction are cut, numbers out of range clamped.
 */
bool usage_read(const struct json_doc *doc, json_ref object, struct usage *ret_usage);

/* The same for a whole answer: its `usage` member. False when there is none, or null. */
bool usage_read_answer(const struct json_doc *doc, struct usage *ret_usage);

#endif
