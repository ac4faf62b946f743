/* Embedding rules: which match by their own threshold, which softly, and what is told beside. */
#include "answered.h"

extern const struct signal_family signal_embedding;

#define RULES \
    "[{name: a, threshold: 0.7, candidates: ['0.82 a', '0.74 b', '0.60 c']}," \
    " {name: b, threshold: 0.9, candidates: ['0.75 d']}]"

static const struct {
    const char *name, *rules, *matches;
    bool hard_only;
    double soft_least;
} cases[] = {
    { "by its own threshold", RULES, "a 0.81 ", false, 0 },
    { "at its threshold", "[{name: a, threshold: 0.5, candidates: ['0.5 a']}]", "a 0.5 ", true, 0 },
    { "softly, when nothing does otherwise",
      "[{name: a, threshold: 0.9, candidates: ['0.82 a']}, {name: b, threshold: 0.9, candidates: ['0.4 b']}]",
      "a 0.82 ", false, 0 },
    { "softly at another level", "[{name: a, threshold: 0.9, candidates: ['0.82 a']}]", "", false, 0.85 },
    { "not softly", "[{name: a, threshold: 0.9, candidates: ['0.82 a']}]", "", true, 0 },
    { "mean", "[{name: a, threshold: 0.7, aggregation_method: mean, candidates: ['0.9 a', '0.5 b']}]", "a 0.7 ", false,
      0 },
    { "best", "[{name: a, threshold: 0.7, aggregation_method: best, candidates: ['0.9 a', '0.1 b']}]", "a 0.9 ", false,
      0 },
    { "any is max", "[{name: a, threshold: 0.7, aggregation_method: any, candidates: ['0.9 a', '0.5 b']}]", "a 0.85 ",
      false, 0 },
    { "several", "[{name: a, threshold: 0.6, candidates: ['0.9 a']}, {name: b, threshold: 0.6, candidates: ['0.7 b']}]",
      "a 0.9 b 0.7 ", false, 0 },
};

static void make(struct fixture *f, const char *rules, bool hard_only, double soft_least) {
    struct config_embedding_config *config;
    answered_decode(f, &signal_embedding, rules);
    config = &f->doc.global.model_catalog.embeddings.semantic.embedding_config;
    config->enable_soft_matching = !hard_only;
    if (soft_least > 0)
        config->min_score_threshold = soft_least;
    answered_build(f);
}

TEST(rules_match_by_their_examples) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        make(&f, cases[i].rules, cases[i].hard_only, cases[i].soft_least);
        answered_eval(&f, answered_text(&f, "what"), NULL);
        CHECK_STR(answered_matches(&f), cases[i].matches, cases[i].name);
        CHECK_INT(f.asks.n, 1, cases[i].name);
        fixture_free(&f);
    }
}

TEST(scores_are_told_for_all_rules) {
    struct fixture f;
    make(&f, RULES, false, 0);
    answered_eval(&f, answered_text(&f, "what"), NULL);
    CHECK_CLOSE(fixture_value(&f, "a"), 0.81, "score");
    CHECK_CLOSE(fixture_value(&f, "a:best"), 0.82, "best");
    CHECK_CLOSE(fixture_value(&f, "a:support"), 0.78, "support");
    CHECK_CLOSE(fixture_value(&f, "a:prototype_count"), 3, "prototypes");
    CHECK_CLOSE(fixture_value(&f, "b"), 0.75, "without a match");
    CHECK(!bits_has(f.results.has_confidence, 1), "no confidence without a match");
    fixture_free(&f);
}

static const struct {
    const char *name;
    struct answered_options options;
    const char *matches, *reason;
} failures[] = {
    { "examples that are not embedded yet",
      { .leave_banks = true },
      "a unavailable b unavailable ",
      "examples are being embedded" },
    { "a text that was not embedded", { .leave_asks = true }, "a unavailable b unavailable ", NULL },
    { "a text that could not be", { .fails = VSR_STR_INIT("what") }, "a failed b failed ", "the test says so" },
    { "a vector of another size",
      { .dims = 2 },
      "a failed b failed ",
      "the text's vector has another number of dimensions than those of the examples" },
};

TEST(failures_have_reasons) {
    for (size_t i = 0; i < VSR_COUNT(failures); i++) {
        struct fixture f;
        make(&f, RULES, false, 0);
        answered_eval(&f, answered_text(&f, "what"), &failures[i].options);
        CHECK_STR(answered_matches(&f), failures[i].matches, failures[i].name);
        if (failures[i].reason)
            CHECK_STR(str_from_c(f.results.reasons[0]), failures[i].reason, failures[i].name);
        else
            CHECK(!f.results.reasons, "the engine knows better");
        fixture_free(&f);
    }
}

static void see_images(struct config_document *doc) {
    struct config_semantic *semantic = &doc->global.model_catalog.embeddings.semantic;
    answered_defaults(doc);
    semantic->embedding_config.model_type = EMBEDDING_MULTIMODAL;
    semantic->multimodal_model_path = VSR_STR("both");
}

TEST(images_are_asked_about_apart) {
    struct request_facts *facts;
    struct fixture f;
    answered_decode_in(&f, &signal_embedding,
                       "[{name: t, threshold: 0.9, candidates: ['0.4 a']},"
                       " {name: i, threshold: 0.8, query_modality: image, candidates: ['0.75 b']}]",
                       see_images);
    answered_build(&f);
    CHECK_INT(f.sources.n, 2, "texts and images");
    CHECK(!f.sources.items[0].images && f.sources.items[1].images, "in this order");
    CHECK_STR(f.sources.items[1].model.path, "both", "of the one model");
    facts = answered_text(&f, "what");
    answered_eval(&f, facts, NULL);
    CHECK_STR(answered_matches(&f), "", "no image");
    facts->image_ref = VSR_STR("data:image/png;base64,AAAA");
    answered_eval(&f, facts, NULL);
    CHECK_INT(f.asks.n, 2, "both");
    CHECK_STR(answered_matches(&f), "i 0.75 ", "softly");
    facts->eval_text = VSR_STR("0.4 a");
    answered_eval(&f, facts, NULL);
    CHECK_STR(answered_matches(&f), "t 1 i 0.75 ", "softly, though a text matches by its threshold");
    answered_eval(&f, facts, &(struct answered_options){ .fails = facts->image_ref });
    CHECK_STR(answered_matches(&f), "t 1 i failed ", "by itself");
    fixture_free(&f);
}

TEST(long_texts_are_asked_about_by_their_window) {
    struct fixture f;
    char text[5001];
    vsr_str asked;
    make(&f, RULES, false, 0);
    for (size_t i = 0; i < 5000; i++)
        text[i] = (char)('a' + i % 26);
    text[5000] = '\0';
    answered_eval(&f, answered_text(&f, text), NULL);
    CHECK_INT(f.asks.n, 1, "asks");
    asked = f.asks.items[0]->text;
    CHECK_INT(asked.len, 682 + 5 + 682 + 5 + 684, "signals.md 16, 14");
    CHECK(memcmp(asked.ptr + 682 + 5, text + 2159, 682) == 0, "the middle");
    fixture_free(&f);
}

RUN_TESTS(T(rules_match_by_their_examples), T(scores_are_told_for_all_rules), T(failures_have_reasons),
          T(images_are_asked_about_apart), T(long_texts_are_asked_about_by_their_window))
