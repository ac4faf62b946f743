/* Reask rules: streaks of turns that resemble the present one. */
#include "answered.h"

extern const struct signal_family signal_reask;

/* Earlier turns newest first, as cosines to the present one: signals.md §16, 20. */
static const struct {
    const char *name, *rules, *turns[5], *matches;
    int streak; /* of the last rule */
    size_t n_asks;
} cases[] = {
    { "the furthest wins",
      "[{name: one, threshold: 0.8}, {name: two, threshold: 0.8, lookback_turns: 2}]",
      { "0.9 a", "0.85 b", "0.4 c" },
      "two 0.85 ",
      2,
      3 },
    { "one turn is enough for one",
      "[{name: one, threshold: 0.8}, {name: two, threshold: 0.8, lookback_turns: 2}]",
      { "0.9 a", "0.7 b", "0.9 c" },
      "one 0.9 ",
      1,
      3 },
    { "the newest breaks the streak", "[{name: one, threshold: 0.8}]", { "0.7 a", "0.9 b" }, "", 0, 2 },
    { "at the threshold", "[{name: one, threshold: 0.5}]", { "0.5 a" }, "one 0.5 ", 1, 2 },
    { "defaults", "[{name: one, threshold: 0, lookback_turns: 0}]", { "0.81 a" }, "one 0.81 ", 1, 2 },
    { "below the default", "[{name: one}]", { "0.79 a" }, "", 0, 2 },
    { "rules that look back as far stay",
      "[{name: one, threshold: 0.8}, {name: low, threshold: 0.6}, {name: two, threshold: 0.95, lookback_turns: 2}]",
      { "0.9 a", "0.9 b" },
      "one 0.9 low 0.9 ",
      0,
      3 },
    { "blank turns do not count",
      "[{name: two, threshold: 0.8, lookback_turns: 2}]",
      { " ", "0.9 a", "", "0.85 b" },
      "two 0.85 ",
      2,
      3 },
    { "the same turn is asked about once",
      "[{name: three, threshold: 0.8, lookback_turns: 3}]",
      { "0.9 a", "0.9 a", "what" },
      "three 0.9 ",
      3,
      2 },
    { "too few turns", "[{name: two, lookback_turns: 2}]", { "0.9 a" }, "", -1, 0 },
    { "turns further back are not asked about", "[{name: one}]", { "0.9 a", "0.9 b", "0.9 c" }, "one 0.9 ", 1, 2 },
};

static struct request_facts *with_turns(struct fixture *f, const char *const *turns) {
    struct request_facts *facts = answered_text(f, "what");
    vsr_str *items = ARENA_ARRAY(f->arena, vsr_str, 5);
    size_t n = 0;
    while (n < 5 && turns[n])
        n++;
    for (size_t i = 0; i < n; i++)
        items[i] = str_from_c(turns[n - 1 - i]);
    facts->prior_user = (struct texts){ items, n };
    return facts;
}

TEST(streaks_are_counted) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        uint32_t last;
        answered_decode(&f, &signal_reask, cases[i].rules);
        answered_build(&f);
        last = f.builder_slots - 1;
        answered_eval(&f, with_turns(&f, cases[i].turns), NULL);
        CHECK_STR(answered_matches(&f), cases[i].matches, cases[i].name);
        CHECK_INT(bits_has(f.results.has_value, last), cases[i].streak >= 0, cases[i].name);
        CHECK(cases[i].streak < 0 || f.results.value[last] == cases[i].streak, cases[i].name);
        if (cases[i].streak >= 0) /* a family without any rule that applies is not asked */
            CHECK_INT(f.asks.n, cases[i].n_asks, cases[i].name);
        fixture_free(&f);
    }
}

TEST(a_turn_that_failed_leaves_longer_streaks_open) {
    static const char *const turns[5] = { "0.9 a", "0.85 b", "0.4 c" };
    const struct answered_options second = { .fails = VSR_STR("0.85 b") }, now = { .fails = VSR_STR("what") };
    struct fixture f;
    answered_decode(&f, &signal_reask,
                    "[{name: one, threshold: 0.8}, {name: two, threshold: 0.8, lookback_turns: 2},"
                    " {name: strict, threshold: 0.95, lookback_turns: 3}]");
    answered_build(&f);
    answered_eval(&f, with_turns(&f, turns), &second);
    CHECK_STR(answered_matches(&f), "one 0.9 two failed ", "the third was broken before");
    answered_eval(&f, with_turns(&f, turns), &now);
    CHECK_STR(answered_matches(&f), "one failed two failed strict failed ", "nothing to compare with");
    CHECK_STR(str_from_c(f.results.reasons[0]), "the test says so", "reason");
    fixture_free(&f);
}

TEST(scores_that_count_streaks_see_them_whole) {
    static const char *const turns[5] = { "0.9 a", "0.85 b", "0.82 c", "0.4 d" };
    struct config_score_input input = { .type = VSR_STR("reask"), .value_source = VALUE_SOURCE_RAW };
    struct config_score score = { .inputs = { &input, 1 } };
    struct config_routing routing = { .projections.scores = { &score, 1 } };
    struct fixture f;
    answered_decode(&f, &signal_reask, "[{name: one, threshold: 0.8}]");
    f.routing = &routing;
    answered_build(&f);
    answered_eval(&f, with_turns(&f, turns), NULL);
    CHECK_STR(answered_matches(&f), "one 0.9 ", "the confidence is of what it looks back");
    CHECK_CLOSE(fixture_value(&f, "one"), 3, "streak");
    fixture_free(&f);
}

TEST(turns_have_windows_of_their_own) {
    struct fixture f;
    struct request_facts *facts;
    char text[5001];
    vsr_str turn = { text, 5000 };
    memset(text, 'x', sizeof(text));
    answered_decode(&f, &signal_reask, "[{name: one}]");
    answered_build(&f);
    facts = answered_text(&f, "what");
    facts->prior_user = (struct texts){ &turn, 1 };
    answered_eval(&f, facts, NULL);
    CHECK_INT(f.asks.n, 2, "asks");
    CHECK_INT(f.asks.items[1]->text.len, 2048 + 10, "the earlier turn");
    fixture_free(&f);
}

RUN_TESTS(T(streaks_are_counted), T(a_turn_that_failed_leaves_longer_streaks_open),
          T(scores_that_count_streaks_see_them_whole), T(turns_have_windows_of_their_own))
