#include "text/words.h"

#include "core/arena.h"
#include "core/utf8.h"
#include "text/unicode.h"

/* Outside ASCII. */
static bool belongs(uint32_t cp, enum words_kind kind) {
    switch (kind) {
    case WORDS_PLAIN:
        return unicode_is_alnum(cp);
    case WORDS_WIDE:
        return unicode_is_word(cp) || unicode_is_cjk(cp);
    case WORDS_CJK:
        return unicode_is_cjk(cp);
    }
    return false;
}

/* Of ASCII: bit per enum words_kind. */
static uint8_t ascii_kinds(uint8_t c) {
    bool alnum = (c | 32u) - 'a' < 26u || c - (unsigned)'0' < 10u;
    return (uint8_t)((unsigned)alnum << WORDS_PLAIN | (unsigned)(alnum || c == '_' || c == '-') << WORDS_WIDE);
}

/* The character at `*pos`, moved past; UTF8_INVALID when it is no part of a word. */
static uint32_t next_of_word(vsr_str text, size_t *pos, enum words_kind kind, bool lower) {
    uint8_t byte = (uint8_t)text.ptr[*pos];
    uint32_t cp;
    if (byte < 0x80) {
        ++*pos;
        if (!(ascii_kinds(byte) >> kind & 1))
            return UTF8_INVALID;
        return lower ? (uint8_t)ascii_lower((char)byte) : byte;
    }
    cp = utf8_next(text, pos);
    if (cp == UTF8_INVALID || !belongs(cp, kind))
        return UTF8_INVALID;
    return lower ? unicode_lower(cp) : cp;
}

/* Room for the worst case: a text of single letters and separators. */
static bool make_room(struct arena *arena, size_t len, struct words *words) {
    words->points = arena_try_alloc_raw(arena, (len + 1) * sizeof(*words->points));
    words->items = arena_try_alloc_raw(arena, (len / 2 + 1) * sizeof(*words->items));
    return words->points && words->items;
}

int words_split(struct arena *arena, vsr_str text, enum words_kind kind, bool lower, struct words *ret_words,
                struct vsr_err *err) {
    struct words words = { 0 };
    bool inside = false;
    if (text.len > WORDS_TEXT_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "the text is longer than %d bytes", WORDS_TEXT_LEN_MAX);
    if (!make_room(arena, text.len, &words))
        return err_set(err, VSR_E_NOMEM, "no memory for the words of the text");
    for (size_t pos = 0; pos < text.len;) {
        size_t at = pos;
        uint32_t cp = next_of_word(text, &pos, kind, lower);
        if (cp == UTF8_INVALID) {
            inside = false;
            continue;
        }
        if (!inside) {
            if (words.n > 0)
                words.points[words.n_points++] = ' ';
            words.items[words.n++] = (struct word){ (uint32_t)words.n_points, 0, (uint32_t)at };
            inside = true;
        }
        words.points[words.n_points++] = cp;
        words.items[words.n - 1].end = (uint32_t)words.n_points;
    }
    *ret_words = words;
    return 0;
}
