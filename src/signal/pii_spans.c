#include "signal/pii_spans.h"

#include <stdlib.h>

#include "core/arena.h"
#include "signal/pii_check.h"
#include "signal/pii_find.h"

/* What is left of a confidence when the form is wrong. */
#define REFUTED 0.5

/* ---- types */

vsr_str pii_type_of(vsr_str label) {
    vsr_str type = str_trim(label);
    if (type.len > 2 && type.ptr[1] == '-' && strchr("BIESLU", type.ptr[0]))
        type = str_sub(type, 2, type.len);
    return str_eq_c(type, "O") || str_eq_nocase(type, VSR_STR("NO_PII")) ? (vsr_str){ 0 } : type;
}

/* ---- by form */

static struct pii_span formed_span(uint32_t content, const struct pii_find_span *found) {
    return (struct pii_span){ .content = content,
                              .start = found->start,
                              .end = found->end,
                              .type = str_from_c(pii_form_type(found->form)),
                              .confidence = 1,
                              .by_form = true,
                              .margin = SIZE_MAX };
}

int pii_spans_by_form(struct arena *arena, const vsr_str *contents, size_t n_contents, struct pii_span **ret_spans,
                      size_t *ret_n, struct vsr_err *err) {
    struct pii_span *spans = NULL;
    size_t n = 0, cap = 0;
    for (uint32_t i = 0; i < n_contents; i++) {
        struct pii_find_span *found;
        struct pii_span *more;
        size_t n_found;
        int rc = pii_find(arena, contents[i], &found, &n_found, err);
        if (rc < 0)
            return rc;
        if (n_found == 0)
            continue;
        more = arena_try_grow(arena, spans, sizeof(*spans), n, n_found, &cap); /* many texts: each is copied seldom */
        if (!more)
            return err_set(err, VSR_E_NOMEM, "no memory for the personal data that was found");
        spans = more;
        for (size_t k = 0; k < n_found; k++)
            spans[n++] = formed_span(i, &found[k]);
    }
    *ret_spans = spans;
    *ret_n = n;
    return 0;
}

/* ---- by a tagger */

static int by_place(const void *a, const void *b) {
    const struct pii_span *x = a, *y = b;
    if (x->content != y->content)
        return x->content < y->content ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    if (x->end != y->end)
        return x->end > y->end ? -1 : 1;
    if (x->piece != y->piece)
        return x->piece < y->piece ? -1 : 1;
    return x->confidence > y->confidence ? -1 : x->confidence < y->confidence;
}

/* Whether `a` is to be believed rather than `b`, which overlaps it. */
static bool is_better(const struct pii_span *a, const struct pii_span *b) {
    if (a->piece != b->piece && a->margin != b->margin)
        return a->margin > b->margin;
    return a->confidence >= b->confidence;
}

/* What becomes of `a` when `b`, which begins in it, comes behind. */
static void resolve(struct pii_span *a, const struct pii_span *b) {
    struct pii_span better = is_better(a, b) ? *a : *b;
    if (str_eq_nocase(a->type, b->type)) {
        better.start = a->start;
        better.end = a->end > b->end ? a->end : b->end;
    }
    *a = better;
}

static void weigh(const vsr_str *contents, struct pii_span *span) {
    if (pii_check(span->type, str_sub(contents[span->content], span->start, span->end)) == PII_REFUTED)
        span->confidence *= REFUTED;
}

size_t pii_spans_merge(const vsr_str *contents, struct pii_span *tagged, size_t n) {
    size_t kept = 0;
    if (n > 1)
        qsort(tagged, n, sizeof(*tagged), by_place);
    for (size_t i = 0; i < n; i++) {
        struct pii_span *last = kept ? &tagged[kept - 1] : NULL;
        if (last && last->content == tagged[i].content && tagged[i].start < last->end)
            resolve(last, &tagged[i]);
        else
            tagged[kept++] = tagged[i];
    }
    for (size_t i = 0; i < kept; i++)
        weigh(contents, &tagged[i]);
    return kept;
}

/* ---- both */

static bool is_before(const struct pii_span *a, const struct pii_span *b) {
    return a->content != b->content ? a->content < b->content : a->end <= b->start;
}

static size_t shared(const struct pii_span *a, const struct pii_span *b) {
    size_t start = a->start > b->start ? a->start : b->start, end = a->end < b->end ? a->end : b->end;
    return end > start ? end - start : 0;
}

/*
 * Whether what has a form takes the place of the tagged span: it is of the same type, or it covers half of the span.
 * `from` is the first that is not before it.
 */
static bool is_replaced(const struct pii_span *tagged, const struct pii_span *formed, size_t from, size_t n) {
    size_t covered = 0;
    for (size_t i = from; i < n && !is_before(tagged, &formed[i]); i++) {
        if (str_eq_nocase(tagged->type, formed[i].type))
            return true;
        covered += shared(tagged, &formed[i]);
    }
    return 2 * covered >= tagged->end - tagged->start;
}

size_t pii_spans_fuse(const struct pii_span *formed, size_t n_formed, const struct pii_span *tagged, size_t n_tagged,
                      struct pii_span *ret) {
    size_t n = 0, first = 0;
    for (size_t i = 0; i < n_tagged; i++) {
        while (first < n_formed && is_before(&formed[first], &tagged[i]))
            ret[n++] = formed[first++];
        if (!is_replaced(&tagged[i], formed, first, n_formed))
            ret[n++] = tagged[i];
    }
    while (first < n_formed)
        ret[n++] = formed[first++];
    return n;
}
