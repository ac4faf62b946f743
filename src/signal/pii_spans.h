/*
 * pii_spans - personal data in the texts of a request: what a tagger found in their pieces, and what has a form that
 * says so, brought together (inference.md §10.4).
 *
 * Pieces overlap, so the same may be found twice, and cut off at the edge of a piece: of two that overlap the one
 * farther from the edge of its piece counts, and of one type their union. What has a form (pii_find.h) has confidence
 * 1 and replaces what a tagger found in its place. What a tagger found and whose form is wrong, a card number with a
 * wrong check digit, loses half of its confidence.
 */
#ifndef VSR_SIGNAL_PII_SPANS_H
#define VSR_SIGNAL_PII_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

struct pii_span {
    uint32_t content;  /* which text */
    size_t start, end; /* bytes of it */
    vsr_str type;      /* "EMAIL_ADDRESS"; lives with the answer, or static */
    double confidence;
    bool by_form;
    size_t margin;  /* bytes to the nearest edge of its piece inside of the text; SIZE_MAX: none */
    uint32_t piece; /* that it was found in */
};

/* A label of a tagger as a type: without the part of speech of tagging ("B-PERSON"). Empty: it is no entity. */
vsr_str pii_type_of(vsr_str label);

/* What has a form in `contents`, by content and start. */
int pii_spans_by_form(struct arena *arena, const vsr_str *contents, size_t n_contents, struct pii_span **ret_spans,
                      size_t *ret_n, struct vsr_err *err) VSR_MUST_CHECK;

/* Brings order into what pieces of `contents` were tagged with, in place: by content and start, without overlaps. */
size_t pii_spans_merge(const vsr_str *contents, struct pii_span *tagged, size_t n);

/* Both, each ordered and without overlaps of its own. `ret` has room for both. Returns how many. */
size_t pii_spans_fuse(const struct pii_span *formed, size_t n_formed, const struct pii_span *tagged, size_t n_tagged,
                      struct pii_span *ret);

#endif
