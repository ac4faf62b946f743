/* What a tagger found in overlapping pieces, and what has a form, brought together. */
#include "signal/pii_spans.h"

#include "test.h"

#include "core/arena.h"

#define SPAN(type_, start_, end_, confidence_, piece_, margin_) \
    { \
        .type = VSR_STR_INIT(type_), .start = (start_), .end = (end_), .confidence = (confidence_), .piece = (piece_), \
        .margin = (margin_) \
    }
#define FORM(type_, start_, end_) \
    { \
        .type = VSR_STR_INIT(type_), .start = (start_), .end = (end_), .confidence = 1, .by_form = true, \
        .margin = SIZE_MAX \
    }

enum { SPANS_MAX = 5 };

/* "A 0-3 0.90, B 5-9 1.00" */
static const char *told(const struct pii_span *spans, size_t n) {
    static char text[512];
    size_t len = 0;
    text[0] = 0;
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s %zu-%zu %.2f", i ? ", " : "",
                                VSR_FMT(spans[i].type), spans[i].start, spans[i].end, spans[i].confidence);
    return text;
}

static size_t count(const struct pii_span *spans) {
    size_t n = 0;
    while (n < SPANS_MAX && spans[n].end)
        n++;
    return n;
}

static const struct {
    const char *name;
    struct pii_span tagged[SPANS_MAX];
    const char *want;
} merges[] = {
    { "apart", { SPAN("B", 5, 9, .8, 0, 9), SPAN("A", 0, 3, .9, 0, 9) }, "A 0-3 0.90, B 5-9 0.80" },
    { "touching", { SPAN("A", 0, 3, .9, 0, 9), SPAN("A", 3, 5, .8, 0, 9) }, "A 0-3 0.90, A 3-5 0.80" },
    { "found twice", { SPAN("A", 4, 9, .9, 0, 2), SPAN("A", 4, 9, .7, 1, 4) }, "A 4-9 0.70" },
    { "cut at its end", { SPAN("A", 4, 7, .9, 0, 0), SPAN("A", 4, 9, .8, 1, 4) }, "A 4-9 0.80" },
    { "cut at its beginning", { SPAN("A", 4, 9, .8, 0, 6), SPAN("A", 6, 9, .9, 1, 0) }, "A 4-9 0.80" },
    { "cut at both", { SPAN("A", 2, 7, .8, 0, 0), SPAN("A", 4, 9, .9, 1, 0) }, "A 2-9 0.90" },
    { "one in another", { SPAN("A", 2, 9, .8, 0, 5), SPAN("A", 4, 6, .9, 1, 0) }, "A 2-9 0.80" },
    { "the middle knows better", { SPAN("A", 4, 7, .9, 0, 1), SPAN("B", 4, 9, .6, 1, 8) }, "B 4-9 0.60" },
    { "of one piece the surer", { SPAN("A", 4, 7, .9, 0, 1), SPAN("B", 5, 9, .6, 0, 8) }, "A 4-7 0.90" },
    { "no edge near", { SPAN("A", 4, 7, .6, 0, SIZE_MAX), SPAN("B", 5, 9, .9, 1, SIZE_MAX) }, "B 5-9 0.90" },
    { "three", { SPAN("A", 0, 4, .9, 0, 0), SPAN("A", 2, 6, .9, 1, 0), SPAN("A", 5, 9, .9, 2, 0) }, "A 0-9 0.90" },
    { "no mail", { SPAN("EMAIL_ADDRESS", 0, 4, .9, 0, 0) }, "EMAIL_ADDRESS 0-4 0.45" },
};

TEST(pieces_are_merged) {
    const vsr_str contents[] = { VSR_STR("0123456789") };
    for (size_t i = 0; i < VSR_COUNT(merges); i++) {
        struct pii_span spans[SPANS_MAX];
        size_t n;
        memcpy(spans, merges[i].tagged, sizeof(spans));
        n = pii_spans_merge(contents, spans, count(spans));
        CHECK_STR(str_from_c(told(spans, n)), merges[i].want, merges[i].name);
    }
}

TEST(other_texts_are_apart) {
    const vsr_str contents[] = { VSR_STR("0123456789"), VSR_STR("0123456789") };
    struct pii_span spans[] = { SPAN("A", 4, 7, .9, 1, 1), SPAN("A", 4, 7, .9, 0, 1) };
    spans[0].content = 1;
    CHECK_INT(pii_spans_merge(contents, spans, 2), 2, "both stay");
    CHECK(spans[0].content == 0 && spans[1].content == 1, "in order");
}

static const struct {
    const char *name;
    struct pii_span formed[SPANS_MAX], tagged[SPANS_MAX];
    const char *want;
} fusions[] = {
    { "nothing", { { 0 } }, { { 0 } }, "" },
    { "in turn",
      { FORM("F", 2, 4), FORM("F", 8, 9) },
      { SPAN("T", 0, 2, .9, 0, 0), SPAN("T", 5, 7, .9, 0, 0) },
      "T 0-2 0.90, F 2-4 1.00, T 5-7 0.90, F 8-9 1.00" },
    { "the same", { FORM("F", 2, 4) }, { SPAN("F", 2, 4, .5, 0, 0) }, "F 2-4 1.00" },
    { "a wider one of its type", { FORM("F", 2, 4) }, { SPAN("f", 0, 9, .9, 0, 0) }, "F 2-4 1.00" },
    { "half of another", { FORM("F", 2, 4) }, { SPAN("T", 0, 4, .9, 0, 0) }, "F 2-4 1.00" },
    { "less than half", { FORM("F", 2, 4) }, { SPAN("T", 0, 5, .9, 0, 0) }, "T 0-5 0.90, F 2-4 1.00" },
    { "two halves", { FORM("F", 0, 2), FORM("F", 6, 8) }, { SPAN("T", 0, 8, .9, 0, 0) }, "F 0-2 1.00, F 6-8 1.00" },
    { "two in one",
      { FORM("F", 3, 5) },
      { SPAN("T", 0, 4, .9, 0, 0), SPAN("T", 4, 9, .9, 0, 0) },
      "T 0-4 0.90, T 4-9 0.90, F 3-5 1.00" },
};

TEST(forms_come_before_tags) {
    for (size_t i = 0; i < VSR_COUNT(fusions); i++) {
        struct pii_span all[2 * SPANS_MAX];
        size_t n = pii_spans_fuse(fusions[i].formed, count(fusions[i].formed), fusions[i].tagged,
                                  count(fusions[i].tagged), all);
        CHECK_STR(str_from_c(told(all, n)), fusions[i].want, fusions[i].name);
    }
}

TEST(labels_of_taggers) {
    static const char *const cases[][2] = { { "B-PERSON", "PERSON" },
                                            { "I-US_SSN", "US_SSN" },
                                            { "PERSON", "PERSON" },
                                            { " E-GPE ", "GPE" },
                                            { "O", "" },
                                            { "no_pii", "" },
                                            { "", "" },
                                            { "X-RAY", "X-RAY" },
                                            { "B-", "B-" } };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(pii_type_of(str_from_c(cases[i][0])), cases[i][1], cases[i][0]);
}

TEST(forms_of_several_texts) {
    const vsr_str contents[] = { VSR_STR("a@b.de"), VSR_STR("nothing"), VSR_STR("at c@d.org and e@f.net") };
    struct arena *arena = arena_new(0, 0);
    struct pii_span *spans;
    size_t n;
    CHECK_INT(pii_spans_by_form(arena, contents, 3, &spans, &n, NULL), 0, "memory");
    CHECK_INT(n, 3, "found");
    CHECK(spans[0].content == 0 && spans[1].content == 2 && spans[2].content == 2, "texts");
    CHECK(spans[1].start == 3 && spans[1].end == 10 && spans[1].by_form, "bytes");
    arena_free(arena);
}

RUN_TESTS(T(pieces_are_merged), T(other_texts_are_apart), T(forms_come_before_tags), T(labels_of_taggers),
          T(forms_of_several_texts))
