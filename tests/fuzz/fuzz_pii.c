/* links: signal */
/*
 * Any text: what is found by its form is in order and of its form, pieces cover the text, and what a tagger may say
 * about them comes out ordered, without overlaps, and no surer than it was said.
 */
#include <stdlib.h>

#include "core/arena.h"
#include "core/assert.h"
#include "signal/chunks.h"
#include "signal/pii_check.h"
#include "signal/pii_find.h"
#include "signal/pii_spans.h"
#include "text/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Digits and letters of the text alone. */
static vsr_str compact(struct arena *arena, vsr_str text) {
    char *out = arena_alloc(arena, text.len);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        if (ascii_is_digit(text.ptr[i]) || (ascii_lower(text.ptr[i]) >= 'a' && ascii_lower(text.ptr[i]) <= 'z'))
            out[n++] = text.ptr[i];
    return str_make(out, n);
}

static void check_form(struct arena *arena, vsr_str text, const struct pii_find_span *span) {
    vsr_str part = str_sub(text, span->start, span->end), all = compact(arena, part);
    switch (span->form) {
    case PII_EMAIL:
        VSR_ASSERT(str_find_char(part, '@') > 0 && str_find_char(part, '.') > 0);
        break;
    case PII_IBAN:
        VSR_ASSERT(pii_is_iban(all));
        break;
    case PII_CARD:
        VSR_ASSERT(all.len >= PII_CARD_MIN && all.len <= PII_CARD_MAX && pii_luhn(all));
        break;
    case PII_SSN:
        VSR_ASSERT(pii_is_us_ssn(all));
        break;
    case PII_PHONE:
        VSR_ASSERT(all.len >= 7 && all.len <= 15);
        break;
    default:
        break;
    }
}

static void check_find(struct arena *arena, vsr_str text) {
    struct pii_find_span *spans;
    size_t n, at = 0;
    if (pii_find(arena, text, &spans, &n, NULL) < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        VSR_ASSERT(spans[i].start >= at && spans[i].start < spans[i].end && spans[i].end <= text.len);
        check_form(arena, text, &spans[i]);
        (void)pii_check(str_from_c(pii_form_type(spans[i].form)), str_sub(text, spans[i].start, spans[i].end));
        at = spans[i].end;
    }
}

/* Spans that the bytes of the text make up, some in each piece. */
static size_t make_spans(const struct signal_chunks *chunks, struct pii_span *spans, size_t max) {
    static const char *const types[] = { "PERSON", "CREDIT_CARD", "EMAIL_ADDRESS", "PHONE_NUMBER" };
    size_t n = 0;
    for (size_t i = 0; i < chunks->n; i++) {
        const struct signal_chunk *chunk = &chunks->items[i];
        for (size_t k = 0; k + 1 < chunk->text.len && n < max; k += 7) {
            unsigned byte = (unsigned char)chunk->text.ptr[k];
            size_t end = k + 1 + byte % 29 < chunk->text.len ? k + 1 + byte % 29 : chunk->text.len;
            spans[n++] = (struct pii_span){ .content = chunk->content,
                                            .start = chunk->base + k,
                                            .end = chunk->base + end,
                                            .type = str_from_c(types[byte % VSR_COUNT(types)]),
                                            .confidence = (byte % 101) / 100.0,
                                            .margin = k,
                                            .piece = (uint32_t)i };
        }
    }
    return n;
}

static void check_pieces(struct arena *arena, vsr_str text, uint64_t budget) {
    enum { SPANS_MAX = 512 };
    struct request_facts facts = { .eval_text = text, .current_user = text };
    struct signal_request request = { .arena = arena, .facts = &facts };
    struct pii_span tagged[SPANS_MAX], *formed, *all;
    struct signal_chunks chunks;
    size_t n_formed, n_tagged, n;
    if (chunks_make(&request, SIGNAL_TEXT_FULL, 0, budget, &chunks, NULL) < 0 ||
        pii_spans_by_form(arena, chunks.contents, chunks.n_contents, &formed, &n_formed, NULL) < 0)
        return;
    for (size_t i = 0; i < chunks.n; i++)
        VSR_ASSERT(chunks.items[i].base + chunks.items[i].text.len <= text.len);
    n_tagged = pii_spans_merge(chunks.contents, tagged, make_spans(&chunks, tagged, SPANS_MAX));
    for (size_t i = 0; i < n_tagged; i++) {
        VSR_ASSERT(tagged[i].start < tagged[i].end && tagged[i].end <= text.len && tagged[i].confidence <= 1);
        VSR_ASSERT(i == 0 || tagged[i].start >= tagged[i - 1].end);
    }
    all = ARENA_ARRAY(arena, struct pii_span, n_formed + n_tagged);
    n = pii_spans_fuse(formed, n_formed, tagged, n_tagged, all);
    VSR_ASSERT(n >= n_formed && n <= n_formed + n_tagged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 64 << 20);
    vsr_str text = str_make((const char *)data, size);
    check_find(arena, text);
    check_pieces(arena, text, size > 0 ? 1 + data[0] : 1);
    arena_free(arena);
    return 0;
}
