#include "fixture.h"

#include "unit/vectors.h"

extern const struct signal_family signal_event;

static bool has_value(const struct fixture *f, const char *name) {
    uint32_t slot = signal_slots_find(&f->slots, VSR_STR("event"), str_from_c(name));
    CHECK(slot != SIGNAL_SLOT_NONE, name);
    return bits_has(f->results.has_value, slot);
}

TEST(shared_vectors) {
    VECTORS_EACH(v, "event.json", "event_rule") {
        struct fixture f;
        vsr_str rule = json_raw(&v.doc, vectors_get(&v, v.given, "rule"));
        bool matched = vectors_bool(&v, v.want, "matched");
        fixture_make(&f, &signal_event, arena_printf(v.arena, "[%.*s]", VSR_FMT(fixture_name_rule(v.arena, rule, 0))));
        fixture_eval_text(&f, vectors_str(&v, v.given, "text"));
        CHECK_INT(f.rc, 0, v.name);
        CHECK_INT(fixture_matched(&f, 0), matched, v.name);
        if (matched) {
            CHECK_NEAR(&v, f.results.confidence[0], vectors_number(&v, v.want, "confidence", -1), "confidence");
            CHECK_INT(has_value(&f, "r0:severity"), vectors_bool(&v, v.want, "severity"), v.name);
            CHECK_INT(has_value(&f, "r0:temporal"), vectors_bool(&v, v.want, "temporal"), v.name);
        }
        fixture_free(&f);
    }
}

#define FOUR "event_types: [login], severities: [high], action_codes: [E42], temporal: true"
static const struct {
    const char *name, *rule, *text;
    double confidence; /* 0: no match */
} cases[] = {
    { "severity in any case, trimmed", "{severities: [' HIGH ']}", "High load", 1 },
    { "blank entries are dropped", "{event_types: ['', ' '], temporal: true}", "urgent", 1 },
    { "accented neighbour blocks", "{event_types: [login]}", "éloginé", 0 },
    { "CJK neighbour does not", "{event_types: [login]}", "请login吧", 1 },
    { "any character joins", "{temporal: true}", "a time\xE2\x80\x90sensitive matter", 1 },
    { "a line break joins", "{temporal: true}", "a critical\nwindow", 1 },
    { "exactly one character joins", "{temporal: true}", "time--sensitive", 0 },
    { "no character does not join", "{temporal: true}", "timesensitive", 0 },
    { "joined words are whole words", "{temporal: true}", "time-sensitively", 0 },
    { "joined words are whole at their front", "{temporal: true}", "étime-sensitive", 0 },
    { "long s folds", "{temporal: true}",
      "time \xC5\xBF"
      "ensitive",
      1 },
    { "own words", "{temporal: true, temporal_words: [today, a.s.a.p]}", "urgent", 0 },
    { "own words, dots", "{temporal: true, temporal_words: [today, a.s.a.p]}", "A-S.A P", 1 },
    { "own words, punctuation", "{temporal: true, temporal_words: ['!!!']}", "help!!!", 1 },
    { "any is the default", "{" FOUR "}", "login", 0.625 },
    { "all", "{match: all, " FOUR "}", "login high E42", 0 },
    { "all of them", "{match: all, " FOUR "}", "login high E42 asap", 1 },
    { "two are needed", "{match: 2, " FOUR "}", "login", 0 },
    { "two are there", "{match: 2, " FOUR "}", "login E42", 0.75 },
    { "payload", "{" FOUR "}", "{\"event\":\"login\",\"severity\":\"high\",\"code\":\"e42\"}", 0.875 },
    { "payload, other names", "{" FOUR "}", " {\"type\":\"login\",\"level\":\"HIGH\"} ", 0.75 },
    { "payload's field decides over its words", "{" FOUR "}",
      "{\"severity\":\"low\",\"text\":\"high\",\"event\":\"logout\",\"note\":\"login\",\"code\":\"E1\"}", 0 },
    { "field that is not there leaves it to words", "{severities: [high]}", "{\"text\":\"high\"}", 1 },
    { "field without a text leaves it to words", "{severities: [high]}", "{\"severity\":{\"is\":\"high\"}}", 1 },
    { "words of a field", "{event_types: [login]}", "{\"event\":\"auth.login\"}", 1 },
    { "escapes in a field", "{event_types: [login]}", "{\"event\":\"log\\u0069n\"}", 1 },
    { "part of a field's word", "{event_types: [login]}", "{\"event\":\"logins\"}", 0 },
    { "number as code", "{action_codes: ['42']}", "{\"code\":42}", 1 },
    { "array is no payload", "{severities: [high]}", "[{\"severity\":\"low\"}, \"high\"]", 1 },
    { "broken payload is a text", "{severities: [high]}", "{\"severity\":\"low\", high}", 1 },
    { "urgency is in the words", "{temporal: true}", "{\"severity\":\"low\",\"text\":\"asap\"}", 1 },
    { "empty text", "{temporal: true}", "", 0 },
};

TEST(own_cases) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        char rules[512];
        snprintf(rules, sizeof(rules), "[{name: r, %s]", cases[i].rule + 1);
        fixture_make(&f, &signal_event, str_from_c(rules));
        fixture_eval_text(&f, str_from_c(cases[i].text));
        CHECK_INT(f.rc, 0, cases[i].name);
        CHECK_INT(fixture_matched(&f, 0), cases[i].confidence > 0, cases[i].name);
        if (cases[i].confidence > 0)
            CHECK_MSG(f.results.confidence[0] == cases[i].confidence, "case \"%s\": %g", cases[i].name,
                      f.results.confidence[0]);
        fixture_free(&f);
    }
}

TEST(only_the_window_is_read) {
    struct fixture f;
    struct buf text;
    buf_init(&text, 1 << 16);
    for (int i = 0; i < 900; i++)
        buf_append_c(&text, i == 0 ? "high " : i == 200 ? "asap " : "word ");
    fixture_make(&f, &signal_event, VSR_STR("[{name: a, severities: [high]}, {name: b, temporal: true}]"));
    fixture_eval_text(&f, buf_str(&text));
    CHECK(fixture_matched(&f, 0), "the beginning is in the window");
    CHECK(!fixture_matched(&f, 1), "what lies between its parts is not");
    fixture_free(&f);
    buf_done(&text);
}

TEST(found_names_a_word_per_criterion) {
    struct fixture f;
    vsr_str found[8];
    fixture_make(&f, &signal_event, VSR_STR("[{name: r, event_types: [x, login, logout], temporal: true}]"));
    fixture_eval_text(&f, VSR_STR("logout and login, a Time-Sensitive thing"));
    CHECK_INT(signal_event.found(f.state, &f.request, 0, found, 8), 2, "two criteria");
    CHECK_STR(found[0], "login", "first in the list");
    CHECK_STR(found[1], "time.sensitive", "as written");
    CHECK_INT(signal_event.found(f.state, &f.request, 0, found, 1), 1, "room for one");
    fixture_free(&f);
}

static const struct {
    const char *rules, *problem;
} refused[] = {
    { "[{name: r}]", "E_REQUIRED" },
    { "[{name: r, event_types: ['  ']}]", "one of event_types" },
    { "[{name: r, temporal: true, temporal_words: []}]", "because temporal is true" },
    { "[{name: r, temporal: true, match: some}]", "expected any, all or a number from 1" },
    { "[{name: r, temporal: true, match: 0}]", "E_ENUM" },
    { "[{name: r, temporal: true, match: 2}]", "can never be reached: the rule has 1 criterion" },
    { "[{name: r, severity: [high]}]", "severities" },
};

TEST(bad_rules_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++)
        fixture_must_refuse(&signal_event, refused[i].rules, refused[i].problem);
}

RUN_TESTS(T(shared_vectors), T(own_cases), T(only_the_window_is_read), T(found_names_a_word_per_criterion),
          T(bad_rules_are_refused))
