/*
 * window - the part of a long text that model families look at (signals.md §2.2). Any thread.
 */
#ifndef VSR_TEXT_WINDOW_H
#define VSR_TEXT_WINDOW_H

#include <stddef.h>

#include "core/str.h"

struct arena;

enum { WINDOW_CODE_POINTS = 2048 }; /* default limit */

/* Code points kept, as half-open ranges; one range when the text is short enough. */
struct window_ranges {
    size_t from[3], to[3];
    size_t n;
};

struct window_ranges window_ranges(size_t code_points, size_t limit);

/*
 * The text itself when it has at most `limit` code points or `limit` is 0; else its beginning, middle and end in
 * `arena`, with newline, U+2026, newline between them. NULL pointer without memory.
 */
vsr_str window_text(struct arena *arena, vsr_str text, size_t limit);

#endif
