#include "fixture.h"

#include "config/predicate.h"
#include "text/unicode.h"
#include "unit/vectors.h"

extern const struct signal_family signal_structure;

TEST(shared_rules) {
    VECTORS_EACH(v, "structure.json", "structure_rule") {
        struct fixture f;
        vsr_str rule = json_raw(&v.doc, vectors_get(&v, v.given, "rule"));
        fixture_make(&f, &signal_structure,
                     arena_printf(v.arena, "[%.*s]", VSR_FMT(fixture_name_rule(v.arena, rule, 0))));
        fixture_eval_text(&f, vectors_str(&v, v.given, "text"));
        CHECK_INT(fixture_matched(&f, 0), vectors_bool(&v, v.want, "matched"), v.name);
        CHECK_NEAR(&v, fixture_value(&f, "r0"), vectors_number(&v, v.want, "value", -1), "value");
        CHECK(bits_has(f.results.has_confidence, 0), v.name);
        CHECK_NEAR(&v, f.results.confidence[0], vectors_number(&v, v.want, "confidence", -1), "confidence");
        fixture_free(&f);
    }
}

TEST(shared_text_units) {
    VECTORS_EACH(v, "structure.json", "text_units")
    CHECK_INT(unicode_count_units(vectors_str(&v, v.given, "text")), vectors_number(&v, v.want, "units", -1), v.name);
}

TEST(shared_predicates) {
    VECTORS_EACH(v, "structure.json", "numeric_predicate") {
        static const char *const names[] = { "lt", "lte", "gt", "gte" };
        json_ref predicate = vectors_get(&v, v.given, "predicate");
        double values[4];
        struct bounds bounds = { 0 };
        for (unsigned i = 0; i < 4; i++) {
            values[i] = vectors_number(&v, predicate, names[i], 0);
            if (vectors_get(&v, predicate, names[i]) != JSON_NONE)
                bounds.set |= 1u << i;
        }
        bounds.lt = values[0];
        bounds.lte = values[1];
        bounds.gt = values[2];
        bounds.gte = values[3];
        CHECK_INT(bounds_hold(&bounds, vectors_number(&v, v.given, "value", 0)), vectors_bool(&v, v.want, "holds"),
                  v.name);
    }
}

static const struct {
    const char *name, *rule, *text;
    double value;
} cases[] = {
    { "hits do not overlap, counted or not", "source: {type: keyword_set, keywords: [aa]}", "aaaa aa", 1 },
    { "lower-casing only: long s stays", "source: {type: keyword_set, keywords: [so]}", "\xC5\xBFo", 0 },
    { "lower-casing: kelvin", "source: {type: keyword_set, keywords: [k]}", "5 \xE2\x84\xAA", 1 },
    { "keyword with a CJK character", "source: {type: keyword_set, keywords: [a你]}", "xa你y", 1 },
    { "regex over non-ASCII", "source: {type: regex, pattern: 'ж+'}", "ЖЖ ж", 2 },
    { "regex that prefers the first alternative", "source: {type: regex, pattern: 'a|ab|b'}", "abb", 3 },
    { "nothing there", "source: {type: regex, pattern: 'x'}", "abc", 0 },
};

TEST(own_counts) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        char rules[512];
        snprintf(rules, sizeof(rules), "[{name: r, feature: {type: count, %s}}]", cases[i].rule);
        fixture_make(&f, &signal_structure, str_from_c(rules));
        fixture_eval_text(&f, str_from_c(cases[i].text));
        CHECK_MSG(fixture_value(&f, "r") == cases[i].value, "%s: %g", cases[i].name, fixture_value(&f, "r"));
        fixture_free(&f);
    }
}

static const struct {
    const char *rules, *problem;
} refused[] = {
    { "[{name: r, feature: {type: count, source: {type: sequence, sequences: [[a, b]]}}}]", "E_CONFLICT" },
    { "[{name: r, feature: {type: sequence, source: {type: regex, pattern: a}}}]", "E_CONFLICT" },
    { "[{name: r, feature: {type: density, source: {type: text_bytes}}}]", "E_CONFLICT" },
    { "[{name: r, feature: {type: exists, source: {type: regex, pattern: a}}, predicate: {gte: 1}}]", "E_CONFLICT" },
    { "[{name: r, feature: {type: sequence, source: {type: sequence, sequences: [[a]]}}}]", "at least 2" },
    { "[{name: r, feature: {type: sequence, source: {type: sequence, sequences: [[a, '']]}}}]", "blank" },
    { "[{name: r, feature: {type: count, source: {type: regex}}}]", "pattern is required" },
    { "[{name: r, feature: {type: count, source: {type: regex, pattern: '[a'}}}]", "missing closing ]" },
    { "[{name: r, feature: {type: count, source: {type: regex, pattern: 'a?'}}}]", "empty string" },
    { "[{name: r, feature: {type: count, source: {type: keyword_set}}}]", "keywords is required" },
    { "[{name: r, feature: {type: count, source: {type: regex, pattern: a}}, predicate: {}}]", "rules[0].predicate" },
    { "[{name: r, feature: {type: count, source: {type: words}}}]", "E_ENUM" },
    { "[{name: r, normalize_by: x, feature: {type: count, source: {type: text_bytes}}}]", "E_UNKNOWN" },
};

TEST(bad_rules_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++)
        fixture_must_refuse(&signal_structure, refused[i].rules, refused[i].problem);
}

TEST(entries_that_fold_together_are_warned_of) {
    struct fixture f;
    fixture_make(&f, &signal_structure,
                 VSR_STR(
                     "[{name: r, feature: {type: count, source: {type: keyword_set, keywords: [json, xml, JSON]}}}]"));
    CHECK_INT(f.diag.n_warnings, 1, "warnings");
    fixture_free(&f);
}

TEST(costly_pattern_leaves_others_their_steps) {
    enum { PADDING = 1 << 20 };
    struct fixture f;
    struct buf text;
    buf_init(&text, 2 << 20);
    buf_append_c(&text, "why? how? ");
    for (int i = 0; i < PADDING; i++)
        buf_append_char(&text, 'a');
    fixture_make(&f, &signal_structure,
                 VSR_STR("- {name: toil, feature: {type: count, source: {type: regex, pattern: '[^x]{1,900}[?]'}}}\n"
                         "- {name: questions, feature: {type: count, source: {type: regex, pattern: '[?]'}}}\n"));
    fixture_eval_text(&f, buf_str(&text));
    CHECK_INT(f.rc, 0, "the family itself works");
    CHECK(bits_has(f.results.unavailable, 0) && f.results.codes[0] == SIGNAL_TOO_LONG, "too long");
    CHECK(!bits_has(f.results.unavailable, 1) && fixture_value(&f, "questions") == 2, "counted");
    CHECK(f.request.regex_steps < REGEX_STEPS_MAX, "they share one account");
    fixture_free(&f);
    buf_done(&text);
}

RUN_TESTS(T(shared_rules), T(shared_text_units), T(shared_predicates), T(own_counts), T(bad_rules_are_refused),
          T(entries_that_fold_together_are_warned_of), T(costly_pattern_leaves_others_their_steps))
