/* Preferences: the one that the text fits best, by examples or as a chat model picks. */
#include "answered.h"

extern const struct signal_family signal_preference;

static const struct {
    const char *name, *rules;
    double margin_least;
    const char *matches;
    double margin; /* of rule a */
} cases[] = {
    { "the best", "[{name: a, description: '0.8 a'}, {name: b, description: '0.6 b'}]", 0, "a 0.8 ", 0.2 },
    { "examples count like the description",
      "[{name: b, description: '0.6 b'}, {name: a, description: '0.4 c',"
      " examples: ['0.8 a', ' ']}]",
      0, "a 0.75 ", 0.15 },
    { "equal ones go by name", "[{name: b, description: '0.5 b'}, {name: a, description: '0.5 a'}]", 0, "a 0.5 ", 0 },
    { "below its threshold", "[{name: a, threshold: 0.9, description: '0.8 a'}, {name: b, description: '0.6 b'}]", 0,
      "", 0.2 },
    { "the second does not step in",
      "[{name: a, threshold: 0.9, description: '0.8 a'}, {name: b, threshold: 0.1, description: '0.6 b'}]", 0, "",
      0.2 },
    { "a threshold of nothing always holds", "[{name: a, threshold: -1, description: '0.1 a'}]", 0, "a 0.1 ", 0.1 },
    { "too near to the second", "[{name: a, description: '0.8 a'}, {name: b, description: '0.6 b'}]", 0.25, "", 0.2 },
    { "far enough", "[{name: a, description: '0.8 a'}, {name: b, description: '0.6 b'}]", 0.15, "a 0.8 ", 0.2 },
    { "alone it is as far as its score", "[{name: a, description: '0.8 a'}]", 0.5, "a 0.8 ", 0.8 },
};

TEST(the_best_preference_matches) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        answered_decode(&f, &signal_preference, cases[i].rules);
        f.doc.global.model_catalog.modules.classifier.preference.prototype_scoring.margin_threshold =
            cases[i].margin_least;
        answered_build(&f);
        answered_eval(&f, answered_text(&f, "what"), NULL);
        CHECK_STR(answered_matches(&f), cases[i].matches, cases[i].name);
        CHECK_CLOSE(fixture_value(&f, "a:margin"), cases[i].margin, cases[i].name);
        CHECK_INT(f.asks.n, 1, cases[i].name);
        fixture_free(&f);
    }
}

TEST(all_preferences_have_scores) {
    struct fixture f;
    answered_decode(&f, &signal_preference, cases[1].rules);
    answered_build(&f);
    answered_eval(&f, answered_text(&f, "what"), NULL);
    CHECK_CLOSE(fixture_value(&f, "a"), 0.75, "score");
    CHECK_CLOSE(fixture_value(&f, "a:best"), 0.8, "best");
    CHECK_CLOSE(fixture_value(&f, "a:support"), 0.6, "support");
    CHECK_CLOSE(fixture_value(&f, "a:prototype_count"), 2, "count");
    CHECK_CLOSE(fixture_value(&f, "b"), 0.6, "of who lost");
    CHECK(!bits_has(f.results.has_value, answered_slot(&f, "b:margin")), "margins are the winner's");
    fixture_free(&f);
}

TEST(preferences_fail_together) {
    struct fixture f;
    const float *row;
    float vector[ANSWERED_DIMS];
    answered_decode(&f, &signal_preference, cases[0].rules);
    answered_build(&f);
    answered_eval(&f, answered_text(&f, "what"), &(struct answered_options){ .fails = VSR_STR("what") });
    CHECK_STR(answered_matches(&f), "a failed b failed ", "no vector");
    answered_eval(&f, answered_text(&f, "what"), &(struct answered_options){ .leave_banks = true });
    CHECK_STR(answered_matches(&f), "a 0.8 ", "the banks are filled by now");
    fixture_free(&f);
    answered_decode(&f, &signal_preference, cases[0].rules);
    answered_build(&f);
    answered_vector(VSR_STR("0.8 a"), vector);
    row = vector;
    signal_bank_fill(f.banks.items[0], &row, ANSWERED_DIMS, NULL);
    answered_eval(&f, answered_text(&f, "what"), &(struct answered_options){ .leave_banks = true });
    CHECK_STR(answered_matches(&f), "a unavailable b unavailable ", "the other might have been better");
    fixture_free(&f);
}

/* ---- a chat model picks */

static struct config_external_model judge_model = { .model_role = ROLE_PREFERENCE,
                                                    .llm_model_name = VSR_STR_INIT("judge"),
                                                    .llm_timeout_seconds = 7 };

static void ask_judge(struct config_document *doc) {
    doc->global.model_catalog.modules.classifier.preference.use_contrastive = false;
    doc->global.model_catalog.external = (struct config_list){ &judge_model, 1 };
}

static void ask_nobody(struct config_document *doc) {
    doc->global.model_catalog.modules.classifier.preference.use_contrastive = false;
}

#define PICKS "[{name: code, description: programs}, {name: prose, threshold: 0.5}]"

static const struct {
    const char *name;
    const vsr_str labels[3];
    float numbers[3];
    size_t n;
    const char *matches;
} picks[] = {
    { "a pick", { VSR_STR_INIT("code"), VSR_STR_INIT("prose") }, { 1, 0 }, 2, "code 1 " },
    { "in another order", { VSR_STR_INIT("prose"), VSR_STR_INIT("code") }, { 1, 0 }, 2, "prose 1 " },
    { "not sure enough", { VSR_STR_INIT("code"), VSR_STR_INIT("prose") }, { 0, 0.4F }, 2, "" },
    { "none of them", { VSR_STR_INIT("code"), VSR_STR_INIT("prose") }, { 0, 0 }, 2, "" },
    { "one that is not ours", { VSR_STR_INIT("other") }, { 1 }, 1, "" },
};

TEST(a_pick_matches) {
    for (size_t i = 0; i < VSR_COUNT(picks); i++) {
        struct evidence_answer answer = {
            .numbers = picks[i].numbers, .n = picks[i].n, .labels = picks[i].labels, .n_labels = picks[i].n
        };
        struct fixture f;
        answered_decode_in(&f, &signal_preference, PICKS, ask_judge);
        answered_build(&f);
        answered_eval(&f, answered_text(&f, "what"), &(struct answered_options){ .all = &answer });
        CHECK_STR(answered_matches(&f), picks[i].matches, picks[i].name);
        fixture_free(&f);
    }
}

static size_t count(vsr_str text, vsr_str part) {
    size_t n = 0;
    for (ptrdiff_t at; (at = str_find(text, part)) >= 0; n++)
        text = str_sub(text, (size_t)at + part.len, text.len);
    return n;
}

TEST(the_judge_is_shown_routes_and_turns) {
    vsr_str turns[9];
    const struct signal_source *source;
    struct request_facts *facts;
    struct fixture f;
    for (size_t i = 0; i < VSR_COUNT(turns); i++)
        turns[i] = i == 8 ? VSR_STR("say \"x\"") : VSR_STR("old");
    answered_decode_in(&f, &signal_preference, PICKS, ask_judge);
    answered_build(&f);
    facts = answered_text(&f, "what");
    facts->prior_user = (struct texts){ turns + 8, 1 };
    answered_eval(&f, facts, &(struct answered_options){ .leave_asks = true });
    CHECK_INT(f.asks.n, 1, "asks");
    CHECK_INT(f.asks.items[0]->kind, EVIDENCE_CLASSES, "kind");
    CHECK_STR(f.asks.items[0]->text,
              "[{\"role\":\"user\",\"content\":\"say \\\"x\\\"\"},{\"role\":\"user\",\"content\":\"what\"}]", "text");
    source = &f.sources.items[f.asks.items[0]->source];
    CHECK(source->kind == SOURCE_HTTP_ROUTE && source->config == &judge_model, "who");
    CHECK_INT(source->timeout_ms, 7000, "how long");
    CHECK_INT(source->n_labels, 2, "routes");
    CHECK_STR(source->labels[0].description, "programs", "description");
    CHECK_STR(answered_matches(&f), "code unavailable prose unavailable ", "no answer");
    facts->prior_user = (struct texts){ turns, 9 };
    answered_eval(&f, facts, &(struct answered_options){ .leave_asks = true });
    CHECK_INT(count(f.asks.items[0]->text, VSR_STR("\"role\"")), 8, "the latest ones");
    CHECK_INT(count(f.asks.items[0]->text, VSR_STR("\"old\"")), 6, "of earlier ones");
    fixture_free(&f);
}

TEST(without_a_judge_preferences_are_unavailable) {
    struct fixture f;
    answered_decode_in(&f, &signal_preference, PICKS, ask_nobody);
    answered_build(&f);
    answered_eval(&f, answered_text(&f, "what"), NULL);
    CHECK_STR(answered_matches(&f), "code unavailable prose unavailable ", "nobody");
    CHECK(str_find(str_from_c(f.results.reasons[0]), VSR_STR("model_role preference")) >= 0, "says so");
    fixture_free(&f);
}

RUN_TESTS(T(the_best_preference_matches), T(all_preferences_have_scores), T(preferences_fail_together),
          T(a_pick_matches), T(the_judge_is_shown_routes_and_turns), T(without_a_judge_preferences_are_unavailable))
