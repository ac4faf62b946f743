/*
 * edit_distance - how many typing slips lie between two words.
 *
 * Optimal string alignment over code points: insert, delete, replace and the swap of two neighbours cost 1 each, and no
 * part is edited twice ("ca" to "abc" is 3). Banded: cost is the longer length times `max`. Any thread; no allocation.
 */
#ifndef VSR_TEXT_EDIT_DISTANCE_H
#define VSR_TEXT_EDIT_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

enum { EDIT_DISTANCE_MAX = 100 }; /* greatest `max`: three rows of the band stay on the stack */

/* The distance, or `max + 1` when it is larger than `max`. */
size_t edit_distance(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len, size_t max);

#endif
