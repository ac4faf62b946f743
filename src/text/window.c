#include "text/window.h"

#include "core/arena.h"
#include "core/utf8.h"

/* Says that something is missing without being words of any language. */
static const vsr_str marker = VSR_STR_INIT("\n\xE2\x80\xA6\n");

struct window_ranges window_ranges(size_t code_points, size_t limit) {
    size_t third = limit / 3, last = limit - 2 * third, middle;
    if (limit == 0 || code_points <= limit)
        return (struct window_ranges){ .to = { code_points }, .n = 1 };
    middle = (code_points - third) / 2;
    return (struct window_ranges){ .from = { 0, middle, code_points - last },
                                   .to = { third, middle + third, code_points },
                                   .n = 3 };
}

vsr_str window_text(struct arena *arena, vsr_str text, size_t limit) {
    struct window_ranges ranges;
    size_t pos = 0, index = 0, len = 0, code_points;
    char *out;
    if (limit == 0 || text.len <= limit)
        return text;
    code_points = utf8_count(text);
    if (code_points <= limit)
        return text;
    ranges = window_ranges(code_points, limit);
    out = arena_try_alloc_raw(arena, limit * 4 + 2 * marker.len);
    if (!out)
        return (vsr_str){ 0 };
    for (size_t i = 0; i < ranges.n; i++) {
        size_t start;
        for (; index < ranges.from[i]; index++)
            (void)utf8_next(text, &pos);
        start = pos;
        for (; index < ranges.to[i]; index++)
            (void)utf8_next(text, &pos);
        if (i > 0) {
            memcpy(out + len, marker.ptr, marker.len);
            len += marker.len;
        }
        memcpy(out + len, text.ptr + start, pos - start);
        len += pos - start;
    }
    return str_make(out, len);
}
