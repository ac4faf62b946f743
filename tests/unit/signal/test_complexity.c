/* Complexity rules: margins, levels, and what is told beside. */
#include "answered.h"

extern const struct signal_family signal_complexity;

/* One example on each side, so margins are differences of two cosines; those at a bound are exact in floats. */
static const struct {
    const char *name, *rule, *matches;
    double margin, band;
} cases[] = {
    { "hard", "threshold: 0.12, hard: {candidates: ['0.63 a']}, easy: {candidates: ['0.5 b']}", "r:hard 0.13 ", 0.13,
      0.13 / 0.24 },
    { "at the easy bound", "threshold: 0.25, hard: {candidates: ['0.5 a']}, easy: {candidates: ['0.75 b']}",
      "r:medium 0.25 ", -0.25, 0.5 },
    { "at the hard bound", "threshold: 0.25, hard: {candidates: ['0.75 a']}, easy: {candidates: ['0.5 b']}",
      "r:medium 0.25 ", 0.25, 0.5 },
    { "easy", "threshold: 0.12, hard: {candidates: ['0.5 a']}, easy: {candidates: ['0.7 b']}", "r:easy 0.2 ", -0.2,
      0.2 / 0.24 },
    { "far out", "threshold: 0.12, hard: {candidates: ['0.9 a']}, easy: {candidates: ['0.1 b']}", "r:hard 0.8 ", 0.8,
      1 },
    { "alike", "threshold: 0.12, hard: {candidates: ['0.5 a']}, easy: {candidates: ['0.5 b']}", "r:medium 0 ", 0, 0 },
    { "without a threshold", "threshold: 0, hard: {candidates: ['0.51 a']}, easy: {candidates: ['0.5 b']}",
      "r:hard 0.01 ", 0.01, 1 },
    { "blends", "threshold: 0.1, hard: {candidates: ['0.82 a', '0.74 b', '0.60 c']}, easy: {candidates: ['0.5 d']}",
      "r:hard 0.31 ", 0.31, 1 },
};

static void make(struct fixture *f, const char *rule, void (*settle)(struct config_document *doc)) {
    struct arena *arena = arena_new(0, 0);
    vsr_str rules = arena_printf(arena, "[{name: r, %s}]", rule);
    answered_decode_in(f, &signal_complexity, rules.ptr, settle);
    answered_build(f);
    arena_free(arena);
}

TEST(levels_are_bands_of_the_margin) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        make(&f, cases[i].rule, answered_defaults);
        answered_eval(&f, answered_text(&f, "what"), NULL);
        CHECK_STR(answered_matches(&f), cases[i].matches, cases[i].name);
        CHECK_INT(f.asks.n, 1, cases[i].name);
        CHECK_CLOSE(fixture_value(&f, "r:margin"), cases[i].margin, cases[i].name);
        CHECK_CLOSE(fixture_value(&f, "r:text_margin"), cases[i].margin, cases[i].name);
        CHECK_CLOSE(fixture_value(&f, "r:text_hard_score") - fixture_value(&f, "r:text_easy_score"), cases[i].margin,
                    cases[i].name);
        CHECK_CLOSE(fixture_value(&f, "r:band_confidence"), cases[i].band, cases[i].name);
        CHECK(!bits_has(f.results.has_value, answered_slot(&f, "r:image_margin")), cases[i].name);
        fixture_free(&f);
    }
}

/* ---- images */

#define BOTH \
    "threshold: 0.1, hard: {candidates: ['0.5 a'], image_candidates: ['0.9 b']}," \
    " easy: {candidates: ['0.55 c'], image_candidates: ['0.6 d']}"

static void see_images(struct config_document *doc) {
    struct config_semantic *semantic = &doc->global.model_catalog.embeddings.semantic;
    answered_defaults(doc);
    semantic->embedding_config.model_type = EMBEDDING_MULTIMODAL;
    semantic->multimodal_model_path = VSR_STR("both");
}

TEST(the_greater_margin_counts) {
    struct request_facts *facts;
    struct fixture f;
    make(&f, BOTH, see_images);
    facts = answered_text(&f, "what");
    answered_eval(&f, facts, NULL);
    CHECK_STR(answered_matches(&f), "r:hard 0.3 ", "the text, compared with images too");
    CHECK_INT(f.asks.n, 1, "one vector for both");
    CHECK_CLOSE(fixture_value(&f, "r:text_margin"), -0.05, "text");
    CHECK_CLOSE(fixture_value(&f, "r:image_margin"), 0.3, "image");
    CHECK_CLOSE(fixture_value(&f, "r:image_hard_score"), 0.9, "image");
    facts->image_ref = VSR_STR("data:image/png;base64,AAAA");
    answered_eval(&f, facts, NULL);
    CHECK_INT(f.asks.n, 2, "an image of its own");
    CHECK(f.sources.items[f.asks.items[0]->source].images, "asked of who sees images");
    answered_eval(&f, facts, &(struct answered_options){ .fails = facts->image_ref });
    CHECK_STR(answered_matches(&f), "r:hard failed r:medium failed r:easy failed ", "who knows what the image says");
    facts->eval_text = VSR_STR("");
    answered_eval(&f, facts, NULL);
    CHECK_INT(f.asks.n, 1, "an image alone");
    CHECK(!bits_has(f.results.has_value, answered_slot(&f, "r:text_margin")), "there is no text");
    fixture_free(&f);
}

TEST(one_side_alone_is_compared_with_nothing) {
    struct fixture f;
    make(&f, "threshold: 0.1, hard: {candidates: ['0.9 a']}, easy: {image_candidates: ['0.2 b']}", see_images);
    answered_eval(&f, answered_text(&f, "what"), NULL);
    CHECK_STR(answered_matches(&f), "r:medium 0 ", "nobody knows better");
    CHECK_INT(f.banks.n, 0, "nothing to embed");
    fixture_free(&f);
}

/* ---- failures */

static const struct {
    const char *name;
    struct answered_options options;
    const char *matches, *reason;
} failures[] = {
    { "examples that are not embedded yet",
      { .leave_banks = true },
      "r:hard unavailable r:medium unavailable r:easy unavailable ",
      "examples are being embedded" },
    { "a text that could not be",
      { .fails = VSR_STR_INIT("what") },
      "r:hard failed r:medium failed r:easy failed ",
      "the test says so" },
    { "a vector of another size",
      { .dims = 2 },
      "r:hard failed r:medium failed r:easy failed ",
      "the text's vector has another number of dimensions than those of the examples" },
};

TEST(all_levels_fail_together) {
    for (size_t i = 0; i < VSR_COUNT(failures); i++) {
        struct fixture f;
        make(&f, cases[0].rule, answered_defaults);
        answered_eval(&f, answered_text(&f, "what"), &failures[i].options);
        CHECK_STR(answered_matches(&f), failures[i].matches, failures[i].name);
        for (uint32_t level = 0; level < 3; level++)
            CHECK_STR(str_from_c(f.results.reasons[level]), failures[i].reason, failures[i].name);
        fixture_free(&f);
    }
}

RUN_TESTS(T(levels_are_bands_of_the_margin), T(the_greater_margin_counts), T(one_side_alone_is_compared_with_nothing),
          T(all_levels_fail_together))
