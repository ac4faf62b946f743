#include "text/chunk.h"

#include "core/utf8.h"
#include "text/unicode.h"

enum { UNITS_CJK = 6, UNITS_WORD_BEGIN = 2, UNITS_OTHER = 1 };

/* What the code point costs behind those before it. */
static uint64_t units_of(uint32_t cp, bool *in_word) {
    bool goes_on = *in_word;
    *in_word = false;
    if (unicode_is_cjk(cp))
        return UNITS_CJK;
    if (!unicode_is_alnum(cp))
        return UNITS_OTHER;
    *in_word = true;
    return goes_on ? UNITS_OTHER : UNITS_WORD_BEGIN;
}

uint64_t chunk_units(vsr_str text) {
    uint64_t units = 0;
    bool in_word = false;
    for (size_t pos = 0; pos < text.len;)
        units += units_of(utf8_next(text, &pos), &in_word);
    return units;
}

struct chunker chunker_make(vsr_str text, uint64_t budget, size_t overlap) {
    return (struct chunker){ .text = text, .budget = budget, .overlap = overlap };
}

static bool is_word_end(vsr_str text, size_t at) {
    size_t before = at, after = at;
    return at == text.len || unicode_is_space(utf8_next(text, &after)) || unicode_is_space(utf8_prev(text, &before));
}

/* `end`, or behind the white space that is at most `back` code points before it. */
static size_t whole_words(vsr_str text, size_t end, size_t back) {
    size_t at = end;
    for (size_t i = 0; !is_word_end(text, at); i++) {
        if (i == back)
            return end;
        (void)utf8_prev(text, &at);
    }
    return at;
}

/* Where a chunk that begins at `start` ends. */
static size_t chunk_end(const struct chunker *c, size_t start) {
    uint64_t units = 0;
    bool in_word = false;
    size_t end = start, n = 0;
    for (size_t pos = start; pos < c->text.len; end = pos, n++) {
        units += units_of(utf8_next(c->text, &pos), &in_word);
        if (units > c->budget && end > start)
            break;
    }
    return whole_words(c->text, end, n / 4 < CHUNK_BACK ? n / 4 : CHUNK_BACK);
}

/* The overlap before `end`, but one code point further than `start` at least. */
static size_t next_start(const struct chunker *c, size_t start, size_t end) {
    size_t least = start, pos = end;
    (void)utf8_next(c->text, &least);
    for (size_t i = 0; i < c->overlap && pos > least; i++)
        (void)utf8_prev(c->text, &pos);
    return pos > least ? pos : least;
}

bool chunk_next(struct chunker *c, vsr_str *ret_chunk) {
    size_t end;
    if (c->next >= c->text.len)
        return false;
    end = chunk_end(c, c->next);
    *ret_chunk = str_sub(c->text, c->next, end);
    c->next = end == c->text.len ? end : next_start(c, c->next, end);
    return true;
}
