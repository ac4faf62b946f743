/*
 * occurrence - where a word or phrase stands in a text, one place after the other.
 *
 * Boundaries are those of structure rules (signals.md §5.2): neighbours must not be letters or digits, except CJK ones;
 * a needle that holds a CJK character needs no boundary. Occurrences do not overlap: the search goes on behind each,
 * also behind one that fails its boundary. Texts are compared byte by byte, so fold both sides first. Pure: any thread.
 */
#ifndef VSR_TEXT_OCCURRENCE_H
#define VSR_TEXT_OCCURRENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"

struct occurrence_needle {
    vsr_str text; /* not empty */
    bool needs_boundary;
};

/* Keeps `text`. */
struct occurrence_needle occurrence_needle(vsr_str text);

/* Finds the next occurrence at or behind `*pos` and moves `*pos` behind it. False when there is none. */
bool occurrence_next(vsr_str text, const struct occurrence_needle *needle, size_t *pos);

size_t occurrence_count(vsr_str text, const struct occurrence_needle *needle);

#endif
