#include "text/fold.h"

#include <stdbool.h>

#include "core/arena.h"
#include "core/utf8.h"
#include "text/unicode.h"

static uint32_t fold_one(uint32_t cp, enum fold_kind kind) {
    return kind == FOLD_CASE ? unicode_fold(cp) : unicode_lower(cp);
}

/* Offset of the first code point that folding changes, or text.len. */
static size_t first_change(vsr_str text, enum fold_kind kind, bool ascii_too) {
    for (size_t pos = 0; pos < text.len;) {
        size_t start = pos;
        uint32_t cp;
        if (!ascii_too && (uint8_t)text.ptr[pos] < 0x80) {
            pos++;
            continue;
        }
        cp = utf8_next(text, &pos);
        if (cp != UTF8_INVALID && fold_one(cp, kind) != cp)
            return start;
    }
    return text.len;
}

/* A folded letter takes at most one byte more than its original (U+023A, two bytes, folds to three). */
static size_t folded_len_max(size_t len) {
    return len + len / 2 + 4;
}

static vsr_str fold_from(struct arena *arena, vsr_str text, size_t start, enum fold_kind kind, bool ascii_too) {
    char *out = arena_try_alloc_raw(arena, folded_len_max(text.len));
    size_t len = start;
    if (!out)
        return (vsr_str){ 0 };
    memcpy(out, text.ptr, start);
    for (size_t pos = start; pos < text.len;) {
        size_t from = pos;
        uint32_t cp;
        if (!ascii_too && (uint8_t)text.ptr[pos] < 0x80) {
            out[len++] = text.ptr[pos++];
            continue;
        }
        cp = utf8_next(text, &pos);
        if (cp == UTF8_INVALID)
            out[len++] = text.ptr[from];
        else
            len += utf8_encode(fold_one(cp, kind), out + len);
    }
    return str_make(out, len);
}

static vsr_str fold(struct arena *arena, vsr_str text, enum fold_kind kind, bool ascii_too) {
    size_t start = first_change(text, kind, ascii_too);
    return start == text.len ? text : fold_from(arena, text, start, kind, ascii_too);
}

vsr_str fold_text(struct arena *arena, vsr_str text, enum fold_kind kind) {
    return fold(arena, text, kind, true);
}

vsr_str fold_non_ascii(struct arena *arena, vsr_str text, enum fold_kind kind) {
    return fold(arena, text, kind, false);
}
