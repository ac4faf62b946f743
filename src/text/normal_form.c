#include "text/normal_form.h"

#include <stdlib.h>

#include <utf8proc.h>

#include "core/arena.h"
#include "core/bits.h"
#include "text/tokenizer_work.h"
#include "text/unicode.h"

enum {
    PLANES_END = 0x30000, /* nothing behind it decomposes, composes or is reordered */
    HANGUL_S = 0xAC00,
    HANGUL_L = 0x1100,
    HANGUL_V = 0x1161,
    HANGUL_T = 0x11A7,
    HANGUL_LS = 19,
    HANGUL_VS = 21,
    HANGUL_TS = 28,
};

struct composition {
    uint32_t first, second, composed;
};

struct normal_form {
    enum normal_form_kind kind;
    struct composition *compositions; /* by first, second */
    size_t n_compositions;
    uint64_t inert[BITS_WORDS(PLANES_END)];
};

static bool composes(enum normal_form_kind kind) {
    return kind == NORMAL_FORM_C || kind == NORMAL_FORM_KC;
}

static bool is_compatible(enum normal_form_kind kind) {
    return kind == NORMAL_FORM_KC || kind == NORMAL_FORM_KD;
}

static unsigned combining_class(uint32_t cp) {
    return cp < 0x300 ? 0 : (unsigned)utf8proc_get_property((utf8proc_int32_t)cp)->combining_class;
}

static size_t decompose(uint32_t cp, bool compatible, uint32_t parts[static UNICODE_DECOMPOSED_MAX]) {
    int boundary = 0;
    utf8proc_ssize_t n;
    int options = UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
    if (cp < 0xA0 || (!compatible && cp < 0xC0)) {
        parts[0] = cp;
        return 1;
    }
    n = utf8proc_decompose_char((utf8proc_int32_t)cp, (utf8proc_int32_t *)parts, UNICODE_DECOMPOSED_MAX,
                                (utf8proc_option_t)options, &boundary);
    if (n < 1 || n > UNICODE_DECOMPOSED_MAX) {
        parts[0] = cp;
        return 1;
    }
    return (size_t)n;
}

/* What utf8proc composes `n` parts to, when that is one code point; else 0. Changes `parts`. */
static uint32_t composed_of(uint32_t *parts, size_t n) {
    utf8proc_ssize_t left =
        utf8proc_normalize_utf32((utf8proc_int32_t *)parts, (utf8proc_ssize_t)n, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    return left == 1 ? parts[0] : 0;
}

static bool is_hangul_syllable(uint32_t cp) {
    return cp - HANGUL_S < HANGUL_LS * HANGUL_VS * HANGUL_TS;
}

static int compare(const void *a, const void *b) {
    const struct composition *left = a, *right = b;
    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return left->second < right->second ? -1 : left->second > right->second;
}

/* A code point is a composition when composing what it decomposes to gives it back. */
static void collect_compositions(struct normal_form *form, struct arena *arena, uint64_t *seconds) {
    size_t cap = 0;
    for (uint32_t cp = 0xC0; cp < PLANES_END; cp++) {
        uint32_t parts[UNICODE_DECOMPOSED_MAX], all[UNICODE_DECOMPOSED_MAX], first;
        size_t n;
        if (is_hangul_syllable(cp) || (n = decompose(cp, false, parts)) < 2)
            continue;
        memcpy(all, parts, sizeof(all));
        if (composed_of(all, n) != cp)
            continue;
        memcpy(all, parts, sizeof(all));
        first = composed_of(all, n - 1);
        form->compositions =
            arena_grow(arena, form->compositions, sizeof(struct composition), form->n_compositions, &cap);
        form->compositions[form->n_compositions++] = (struct composition){ first, parts[n - 1], cp };
        bits_add(seconds, parts[n - 1]);
    }
    qsort(form->compositions, form->n_compositions, sizeof(struct composition), compare);
    for (uint32_t v = 0; v < HANGUL_VS; v++)
        bits_add(seconds, HANGUL_V + v);
    for (uint32_t t = 1; t < HANGUL_TS; t++)
        bits_add(seconds, HANGUL_T + t);
}

static bool is_unchanged(const struct normal_form *form, uint32_t cp) {
    uint32_t parts[UNICODE_DECOMPOSED_MAX];
    size_t n = decompose(cp, is_compatible(form->kind), parts);
    if (n == 1)
        return parts[0] == cp;
    return composes(form->kind) && (is_hangul_syllable(cp) || composed_of(parts, n) == cp);
}

struct normal_form *normal_form_build(struct arena *arena, enum normal_form_kind kind) {
    struct normal_form *form = ARENA_NEW(arena, struct normal_form);
    struct arena *own = arena_new(0, 0);
    uint64_t *seconds = ARENA_ARRAY(own, uint64_t, BITS_WORDS(PLANES_END));
    form->kind = kind;
    if (composes(kind))
        collect_compositions(form, arena, seconds);
    for (uint32_t cp = 0; cp < PLANES_END; cp++)
        if (cp - 0xD800 < 0x800 || (combining_class(cp) == 0 && !bits_has(seconds, cp) && is_unchanged(form, cp)))
            bits_add(form->inert, cp);
    arena_free(own);
    return form;
}

static uint32_t compose(const struct normal_form *form, uint32_t first, uint32_t second) {
    size_t low = 0, high = form->n_compositions;
    if (first - HANGUL_L < HANGUL_LS && second - HANGUL_V < HANGUL_VS)
        return HANGUL_S + ((first - HANGUL_L) * HANGUL_VS + (second - HANGUL_V)) * HANGUL_TS;
    if (is_hangul_syllable(first) && (first - HANGUL_S) % HANGUL_TS == 0 && second - HANGUL_T - 1 < HANGUL_TS - 1)
        return first + (second - HANGUL_T);
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct composition *c = &form->compositions[middle];
        if (c->first == first && c->second == second)
            return c->composed;
        if (c->first < first || (c->first == first && c->second < second))
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* In the lists of what came out, `start` and `end` of a token_char are not a range but two other facts. */
#define CHANGE start /* how many more code points came out than went in: 1 for an additional one */
#define CLASS end    /* its combining class */

/* Stable: marks of one class keep their order. */
static void sort_marks(struct token_char *marks, size_t n) {
    for (size_t i = 1; i < n; i++) {
        struct token_char mark = marks[i];
        size_t k = i;
        for (; k > 0 && marks[k - 1].CLASS > mark.CLASS; k--)
            marks[k] = marks[k - 1];
        marks[k] = mark;
    }
}

enum { MARKS_INSERTION = 64 };

/* Long runs of marks are an attack, not a language: they are sorted class by class. */
static void sort_many_marks(struct tokenizer_work *work, struct token_chars *out, size_t first) {
    size_t n = out->n - first, at = out->n;
    struct token_char *marks;
    if (!token_chars_reserve(work, out, out->n + n))
        return;
    marks = out->at + first;
    for (unsigned class = 1; class < 256; class ++)
        for (size_t i = 0; i < n; i++)
            if (marks[i].CLASS == class)
                out->at[at++] = marks[i];
    memcpy(marks, out->at + out->n, n * sizeof(*marks));
}

static void sort_pending(struct tokenizer_work *work, struct token_chars *out, size_t first) {
    if (out->n - first < 2)
        return;
    if (out->n - first > MARKS_INSERTION)
        sort_many_marks(work, out, first);
    else
        sort_marks(out->at + first, out->n - first);
}

static void decompose_all(const struct normal_form *form, struct tokenizer_work *work, const struct token_chars *in,
                          struct token_chars *out) {
    size_t first_mark = 0;
    out->n = 0;
    for (size_t i = 0; i < in->n; i++) {
        uint32_t parts[UNICODE_DECOMPOSED_MAX];
        size_t n = decompose(in->at[i].cp, is_compatible(form->kind), parts);
        for (size_t k = 0; k < n; k++) {
            unsigned class = combining_class(parts[k]);
            if (class == 0)
                sort_pending(work, out, first_mark);
            token_chars_push(work, out, (struct token_char){ parts[k], k > 0, class });
            if (class == 0)
                first_mark = out->n;
        }
    }
    sort_pending(work, out, first_mark);
}

static void compose_all(const struct normal_form *form, struct token_chars *chars) {
    size_t starter = SIZE_MAX, n = 0;
    int last_class = -1;
    for (size_t i = 0; i < chars->n; i++) {
        struct token_char c = chars->at[i];
        uint32_t composed = 0;
        if (starter != SIZE_MAX && last_class < (int)c.CLASS)
            composed = compose(form, chars->at[starter].cp, c.cp);
        if (composed) {
            chars->at[starter].cp = composed;
            chars->at[starter].CHANGE += c.CHANGE - 1;
            continue;
        }
        if (c.CLASS == 0) {
            starter = n;
            last_class = -1;
        } else {
            last_class = (int)c.CLASS;
        }
        chars->at[n++] = c;
    }
    chars->n = n;
}

static void write_run(struct tokenizer_work *work, const struct token_chars *from, const struct token_chars *to,
                      struct token_out *out) {
    size_t at = 0;
    struct token_char c = { 0 };
    for (size_t i = 0; i < to->n; i++) {
        int32_t changed = (int32_t)to->at[i].CHANGE;
        if ((changed <= 0 || i == 0) && at < from->n) {
            c = from->at[at];
            at += (size_t)(1 - (changed < 0 ? changed : 0));
        }
        c.cp = to->at[i].cp;
        token_out_char(work, out, c);
    }
}
#undef CHANGE
#undef CLASS

static bool is_inert(const struct normal_form *form, uint32_t cp) {
    return cp >= PLANES_END || bits_has(form->inert, cp);
}

/* Start of the first code point from `from` on that is not inert, or the end. */
static size_t first_active(const struct normal_form *form, const struct token_text *text, size_t from) {
    while (from < text->len) {
        size_t at = from;
        if ((uint8_t)text->ptr[from] < 0x80)
            from++;
        else if (!is_inert(form, token_decode(text->ptr, &from)))
            return at;
    }
    return text->len;
}

static void apply_run(const struct normal_form *form, struct tokenizer_work *work, const struct token_text *text,
                      size_t start, size_t end, struct token_out *out) {
    struct token_chars *from = &work->chars[0], *to = &work->chars[1];
    from->n = 0;
    for (size_t pos = start; pos < end;) {
        size_t at = pos;
        uint32_t cp = token_decode(text->ptr, &pos);
        token_chars_push(work, from,
                         (struct token_char){ cp, token_text_start(text, at), token_text_end(text, pos - 1) });
    }
    decompose_all(form, work, from, to);
    if (composes(form->kind))
        compose_all(form, to);
    write_run(work, from, to, out);
}

void normal_form_apply(const struct normal_form *form, struct tokenizer_work *work, struct token_text *text) {
    size_t done = 0, active = first_active(form, text, 0);
    struct token_out *out;
    if (active == text->len)
        return;
    out = token_out_next(work);
    while (active < text->len && !work->failed) {
        size_t start = active, end = active;
        while (start > done && ((uint8_t)text->ptr[--start] & 0xC0) == 0x80) { /* the character before may take part */
        }
        while (end < text->len) {
            size_t next = end;
            uint32_t cp = token_decode(text->ptr, &next);
            if (is_inert(form, cp))
                break;
            end = next;
        }
        token_out_copy(work, out, text, done, start);
        apply_run(form, work, text, start, end, out);
        done = end;
        active = first_active(form, text, end);
    }
    token_out_copy(work, out, text, done, text->len);
    *text = token_out_text(out);
}
