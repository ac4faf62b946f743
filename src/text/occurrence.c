#include "text/occurrence.h"

#include "core/utf8.h"
#include "text/unicode.h"

struct occurrence_needle occurrence_needle(vsr_str text) {
    struct occurrence_needle needle = { .text = text, .needs_boundary = true };
    for (size_t pos = 0; pos < text.len;)
        if (unicode_is_cjk(utf8_next(text, &pos)))
            needle.needs_boundary = false;
    return needle;
}

static bool blocks(uint32_t cp) {
    return unicode_is_alnum(cp) && !unicode_is_cjk(cp);
}

static bool stands_alone(vsr_str text, size_t from, size_t to) {
    return !(from > 0 && blocks(utf8_prev(text, &from))) && !(to < text.len && blocks(utf8_next(text, &to)));
}

bool occurrence_next(vsr_str text, const struct occurrence_needle *needle, size_t *pos) {
    while (*pos < text.len) {
        const char *found = memmem(text.ptr + *pos, text.len - *pos, needle->text.ptr, needle->text.len);
        size_t from;
        if (!found)
            return false;
        from = (size_t)(found - text.ptr);
        *pos = from + needle->text.len;
        if (!needle->needs_boundary || stands_alone(text, from, *pos))
            return true;
    }
    return false;
}

size_t occurrence_count(vsr_str text, const struct occurrence_needle *needle) {
    size_t n = 0;
    for (size_t pos = 0; occurrence_next(text, needle, &pos);)
        n++;
    return n;
}
