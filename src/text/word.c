#include "text/word.h"

#include "core/utf8.h"
#include "text/unicode.h"

struct word_edges word_edges(vsr_str literal) {
    size_t first = 0, last = literal.len;
    struct word_edges edges;
    edges.before = unicode_is_word(utf8_next(literal, &first));
    edges.behind = unicode_is_word(utf8_prev(literal, &last));
    return edges;
}

bool word_stands(struct word_edges edges, vsr_str text, size_t from, size_t to) {
    if (edges.before && from > 0 && unicode_is_word(utf8_prev(text, &from)))
        return false;
    return !(edges.behind && to < text.len && unicode_is_word(utf8_next(text, &to)));
}

bool word_occurs(vsr_str literal, vsr_str text) {
    struct word_edges edges = word_edges(literal);
    for (size_t at = 0; at + literal.len <= text.len; at++) {
        const char *found = memmem(text.ptr + at, text.len - at, literal.ptr, literal.len);
        if (!found)
            return false;
        at = (size_t)(found - text.ptr);
        if (word_stands(edges, text, at, at + literal.len))
            return true;
    }
    return false;
}
