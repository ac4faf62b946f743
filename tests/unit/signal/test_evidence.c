/* Who is asked, what is asked, and what answers are refused. */
#include "test.h"

#include <math.h>

#include "core/arena.h"
#include "signal/family.h"

/* ---- sources */

TEST(equal_sources_are_one) {
    struct arena *arena = arena_new(0, 0);
    struct signal_sources sources = { 0 };
    struct signal_builder builder = { .arena = arena, .sources = &sources };
    const struct signal_label labels[] = { { VSR_STR_INIT("a"), VSR_STR_INIT("") } };
    struct signal_source model = { .model = { .path = VSR_STR("m"), .type = "embedding" } }, other = model;
    CHECK_INT(signal_source_add(&builder, &model), 0, "first");
    other.model.path = VSR_STR("other");
    CHECK_INT(signal_source_add(&builder, &other), 1, "another path");
    CHECK_INT(signal_source_add(&builder, &model), 0, "the same");
    other = model;
    other.images = true;
    CHECK_INT(signal_source_add(&builder, &other), 2, "images");
    other = model;
    other.labels = labels;
    other.n_labels = 1;
    CHECK_INT(signal_source_add(&builder, &other), 3, "labels");
    CHECK_INT(signal_source_add(&builder, &other), 3, "the same labels");
    other = model;
    other.kind = SOURCE_MCP_CLASSIFY;
    other.config = &other;
    CHECK_INT(signal_source_add(&builder, &other), 4, "another kind");
    arena_free(arena);
}

/* ---- asks */

TEST(asks_are_unique) {
    struct arena *arena = arena_new(0, 0);
    struct evidence_asks asks;
    const struct evidence_ask *first;
    char again[] = "text";
    evidence_asks_init(&asks, arena);
    first = evidence_ask(&asks, EVIDENCE_VECTOR, 0, VSR_STR("text"));
    asks.asker = 3;
    CHECK(evidence_ask(&asks, EVIDENCE_VECTOR, 0, str_from_c(again)) == first, "by content");
    CHECK_INT(first->askers, 1 | 8, "both asked");
    CHECK(evidence_ask(&asks, EVIDENCE_VECTOR, 1, VSR_STR("text")) != first, "another source");
    CHECK(evidence_ask(&asks, EVIDENCE_SPANS, 0, VSR_STR("text")) != first, "another kind");
    CHECK(evidence_ask(&asks, EVIDENCE_VECTOR, 0, VSR_STR("texts")) != first, "another text");
    for (size_t i = 0; i < 1000; i++) {
        vsr_str text = arena_printf(arena, "text %zu", i);
        CHECK(evidence_ask(&asks, EVIDENCE_VECTOR, 0, text) == evidence_ask(&asks, EVIDENCE_VECTOR, 0, text), "many");
    }
    CHECK_INT(asks.n, 1004, "asks");
    CHECK(evidence_ask(&asks, EVIDENCE_VECTOR, 0, VSR_STR("text")) == first, "still there");
    arena_free(arena);
}

TEST(what_is_not_asked_in_time_is_unavailable) {
    struct arena *arena = arena_new(0, 0);
    struct evidence_asks asks;
    const struct evidence_ask *ask;
    evidence_asks_init(&asks, arena);
    asks.closed = true;
    ask = evidence_ask(&asks, EVIDENCE_VECTOR, 0, VSR_STR("text"));
    CHECK(ask->answered && ask->answer.code == SIGNAL_UNAVAILABLE, "closed");
    CHECK_INT(asks.n, 0, "and not kept");
    arena_free(arena);
}

TEST(asks_have_a_limit) {
    struct arena *arena = arena_new(0, 0);
    struct evidence_asks asks;
    const struct evidence_ask *ask = NULL;
    evidence_asks_init(&asks, arena);
    for (uint32_t i = 0; i <= EVIDENCE_ASKS_MAX; i++) {
        ask = evidence_ask(&asks, EVIDENCE_CLASSES, i, VSR_STR("text"));
        if (ask->answered)
            break;
    }
    CHECK_INT(asks.n, EVIDENCE_ASKS_MAX, "at the limit");
    CHECK(ask->answered && ask->answer.code == SIGNAL_TOO_LONG, "one past it");
    arena_free(arena);
}

TEST(asks_without_memory_fail) {
    struct arena *arena = arena_new(4096, 8192);
    struct evidence_asks asks;
    const struct evidence_ask *ask = NULL;
    evidence_asks_init(&asks, arena);
    for (uint32_t i = 0; i < 1000; i++) {
        ask = evidence_ask(&asks, EVIDENCE_CLASSES, i, VSR_STR("text"));
        if (ask->answered)
            break;
    }
    CHECK(ask->answered && ask->answer.code == SIGNAL_FAILED, "no memory");
    CHECK(evidence_ask(&asks, EVIDENCE_CLASSES, 0, VSR_STR("text"))->answered == false, "those before it are there");
    arena_free(arena);
}

/* ---- answers */

static const vsr_str two_labels[] = { VSR_STR_INIT("a"), VSR_STR_INIT("b") };

static const struct {
    const char *name;
    enum evidence_kind kind;
    float numbers[3];
    size_t n, n_labels;
    struct evidence_span spans[2];
    size_t n_spans;
    const char *reason; /* NULL: it is taken */
} answers[] = {
    { "a vector", EVIDENCE_VECTOR, { 0.6F, 0.8F }, 2, 0, { { 0 } }, 0, NULL },
    { "a long vector", EVIDENCE_VECTOR, { 3, 4 }, 2, 0, { { 0 } }, 0, NULL },
    { "no vector", EVIDENCE_VECTOR, { 0 }, 0, 0, { { 0 } }, 0, "without direction" },
    { "a zero vector", EVIDENCE_VECTOR, { 0, 0 }, 2, 0, { { 0 } }, 0, "without direction" },
    { "a vector of none", EVIDENCE_VECTOR, { NAN, 1 }, 2, 0, { { 0 } }, 0, "no finite number" },
    { "an endless vector", EVIDENCE_VECTOR, { INFINITY, 1 }, 2, 0, { { 0 } }, 0, "no finite number" },
    { "classes", EVIDENCE_CLASSES, { 0.25F, 0.75F }, 2, 2, { { 0 } }, 0, NULL },
    { "a pick of none", EVIDENCE_CLASSES, { 0, 0 }, 2, 2, { { 0 } }, 0, NULL },
    { "a class too few", EVIDENCE_CLASSES, { 1 }, 1, 2, { { 0 } }, 0, "another number of probabilities" },
    { "no classes", EVIDENCE_CLASSES, { 0 }, 0, 0, { { 0 } }, 0, "another number of probabilities" },
    { "a negative class", EVIDENCE_CLASSES, { -0.5F, 0.5F }, 2, 2, { { 0 } }, 0, "no probability" },
    { "a great class", EVIDENCE_CLASSES, { 1.5F, 0.5F }, 2, 2, { { 0 } }, 0, "no probability" },
    { "a class past one by rounding", EVIDENCE_CLASSES, { 1.0005F, 0 }, 2, 2, { { 0 } }, 0, NULL },
    { "a class of none", EVIDENCE_CLASSES, { NAN, 0.5F }, 2, 2, { { 0 } }, 0, "no finite number" },
    { "no spans", EVIDENCE_SPANS, { 0 }, 0, 2, { { 0 } }, 0, NULL },
    { "spans", EVIDENCE_SPANS, { 0 }, 0, 2, { { 0, 4, 1, 0.5 }, { 1, 2, 0, 1 } }, 2, NULL },
    { "a span behind the text", EVIDENCE_SPANS, { 0 }, 0, 2, { { 0, 5, 1, 0.5 } }, 1, "outside the text" },
    { "an empty span", EVIDENCE_SPANS, { 0 }, 0, 2, { { 2, 2, 1, 0.5 } }, 1, "outside the text" },
    { "a span of no label", EVIDENCE_SPANS, { 0 }, 0, 2, { { 0, 1, 2, 0.5 } }, 1, "outside the text" },
    { "a span of no number", EVIDENCE_SPANS, { 0 }, 0, 2, { { 0, 1, 1, NAN } }, 1, "no finite number" },
};

TEST(answers_that_break_their_promise_are_failures) {
    for (size_t i = 0; i < VSR_COUNT(answers); i++) {
        struct arena *arena = arena_new(0, 0);
        struct evidence_answer answer = { .numbers = answers[i].numbers,
                                          .n = answers[i].n,
                                          .labels = two_labels,
                                          .n_labels = answers[i].n_labels,
                                          .spans = answers[i].spans,
                                          .n_spans = answers[i].n_spans,
                                          .model = "m",
                                          .cut = true };
        struct evidence_asks asks;
        struct evidence_ask *ask;
        evidence_asks_init(&asks, arena);
        (void)evidence_ask(&asks, answers[i].kind, 0, VSR_STR("text"));
        ask = asks.items[0];
        evidence_take(&asks, ask, &answer);
        CHECK(ask->answered && strcmp(ask->answer.model, "m") == 0, answers[i].name);
        CHECK(ask->answer.cut, "who said what about which part stays told");
        CHECK_INT(ask->answer.code, answers[i].reason ? SIGNAL_FAILED : SIGNAL_OK, answers[i].name);
        CHECK(!answers[i].reason || str_find(str_from_c(ask->answer.reason), str_from_c(answers[i].reason)) >= 0,
              answers[i].name);
        if (answers[i].kind == EVIDENCE_VECTOR && !answers[i].reason)
            CHECK(fabs(ask->answer.numbers[0] - 0.6) < 1e-6 && fabs(ask->answer.numbers[1] - 0.8) < 1e-6,
                  "of length one");
        if (answers[i].kind == EVIDENCE_CLASSES && !answers[i].reason)
            CHECK(ask->answer.numbers[0] <= 1, "a probability");
        arena_free(arena);
    }
}

RUN_TESTS(T(equal_sources_are_one), T(asks_are_unique), T(what_is_not_asked_in_time_is_unavailable),
          T(asks_have_a_limit), T(asks_without_memory_fail), T(answers_that_break_their_promise_are_failures))
