/* The families that read facts only, and what every family must hold to. */
#include "fixture.h"

#include "unit/vectors.h"

extern const struct signal_family signal_context, signal_conversation, signal_language, signal_metadata;

/* ---- context */

TEST(shared_context_bands) {
    VECTORS_EACH(v, "context.json", "context_bands") {
        struct fixture f;
        struct request_facts facts = { .token_floor = (uint64_t)vectors_number(&v, v.given, "count", 0) };
        json_ref rules = vectors_get(&v, v.given, "rules");
        vsr_str matched[16];
        size_t n = 0;
        fixture_make(&f, &signal_context, json_raw(&v.doc, rules));
        fixture_eval(&f, &facts);
        for (uint32_t i = 0; i < f.rules.n; i++)
            if (fixture_matched(&f, i))
                matched[n++] = f.slots.items[i].name;
        vectors_check_list(&v, vectors_get(&v, v.want, "matched"), matched, n, "matched");
        fixture_free(&f);
    }
}

TEST(shared_token_literals) {
    VECTORS_EACH(v, "context.json", "token_literal") {
        int64_t tokens = -1;
        bool ok = schema_tokens(vectors_str(&v, v.given, "literal"), &tokens);
        CHECK_INT(ok, !vectors_bool(&v, v.want, "error"), v.name);
        if (ok)
            CHECK_INT(tokens, vectors_number(&v, v.want, "value", -1), v.name);
    }
}

TEST(context_takes_the_larger_count) {
    struct fixture f;
    struct request_facts facts = {
        .context_text = VSR_STR("1234567890"), .token_floor = 12, .token_floor_input = 2, .output_reserve = 10
    };
    fixture_make(&f, &signal_context,
                 VSR_STR("[{name: a}, {name: b, include_output_reserve: false}, {name: c, max_tokens: 11}]"));
    fixture_eval(&f, &facts);
    CHECK(fixture_value(&f, "a") == 12, "floor");
    CHECK(fixture_value(&f, "b") == 3, "10 bytes by 4, rounded up");
    CHECK(fixture_value(&f, "input_tokens") == 2 && fixture_value(&f, "reserve_tokens") == 10, "beside the rules");
    CHECK(fixture_matched(&f, 0) && fixture_matched(&f, 1) && !fixture_matched(&f, 2), "matches");
    fixture_free(&f);
}

/* ---- conversation */

#include "core/json.h"

TEST(shared_conversation_rules) {
    VECTORS_EACH(v, "conversation.json", "conversation_facts") {
        struct fixture f;
        struct json_doc body;
        struct request_facts facts;
        struct facts_options options = { 0 };
        json_ref rules = vectors_get(&v, v.given, "rules"), wants = vectors_get(&v, v.want, "signals"), rule, want;
        vsr_str list = VSR_STR("["), text = vectors_str(&v, v.given, "body");
        uint32_t index = 0;
        if (rules == JSON_NONE)
            continue;
        for (rule = json_first(&v.doc, rules); rule != JSON_NONE; rule = json_next(&v.doc, rules, rule), index++)
            list = arena_printf(v.arena, "%.*s%s%.*s", VSR_FMT(list), index ? "," : "",
                                VSR_FMT(fixture_name_rule(v.arena, json_raw(&v.doc, rule), index)));
        fixture_make(&f, &signal_conversation, arena_printf(v.arena, "%.*s]", VSR_FMT(list)));
        if (json_get(&v.doc, 0, VSR_STR("model")) == JSON_NONE) /* the facts insist on a model */
            text = arena_printf(v.arena, "{\"model\":\"m\",%.*s", (int)text.len - 1, text.ptr + 1);
        CHECK_INT(json_parse(v.arena, text, &body, NULL), 0, v.name);
        CHECK_INT(facts_read_chat(v.arena, &body, &options, &facts, NULL), 0, v.name);
        fixture_eval(&f, &facts);
        index = 0;
        for (want = json_first(&v.doc, wants); want != JSON_NONE; want = json_next(&v.doc, wants, want), index++) {
            CHECK_INT(fixture_matched(&f, index), vectors_bool(&v, want, "matched"), v.name);
            CHECK_NEAR(&v, f.results.value[index], vectors_number(&v, want, "value", -1), "value");
            CHECK_NEAR(&v, f.results.confidence[index], vectors_number(&v, want, "confidence", -1), "confidence");
        }
        CHECK_INT(index, f.rules.n, v.name);
        fixture_free(&f);
    }
}

TEST(conversation_counts_what_it_says) {
    struct fixture f;
    struct request_facts facts = {
        .n_user = 3, .n_assistant = 2, .n_system = 1, .n_developer = 2, .n_tool = 1, .n_images = 4, .n_tool_results = 7
    };
    fixture_make(
        &f, &signal_conversation,
        VSR_STR("[{name: all, feature: {type: count, source: {type: message}}},"
                " {name: others, feature: {type: count, source: {type: message, role: non_user}}, predicate: {gt: 6}},"
                " {name: images, feature: {type: exists, source: {type: image_content}}},"
                " {name: cycles, feature: {type: count, source: {type: assistant_tool_cycle}}}]"));
    fixture_eval(&f, &facts);
    CHECK(fixture_value(&f, "all") == 9 && fixture_matched(&f, 0), "all");
    CHECK(fixture_value(&f, "others") == 6 && !fixture_matched(&f, 1), "others");
    CHECK(fixture_value(&f, "images") == 1 && fixture_matched(&f, 2), "images");
    CHECK(fixture_value(&f, "cycles") == 7, "cycles");
    fixture_free(&f);
}

/* ---- metadata */

TEST(metadata_compares_exactly) {
    struct fixture f;
    struct request_facts facts = { .metadata = { { VSR_STR("plan"), VSR_STR("Gold") } }, .n_metadata = 1 };
    fixture_make(
        &f, &signal_metadata,
        VSR_STR(
            "[{name: eq, key: plan, predicate: {equals: Gold}}, {name: case, key: plan, predicate: {equals: gold}},"
            " {name: in, key: plan, predicate: {in: [Silver, Gold]}}, {name: out, key: plan, predicate: {in: [x]}},"
            " {name: there, key: plan, predicate: {exists: true}}, {name: gone, key: plan, predicate: {exists: false}},"
            " {name: other, key: team, predicate: {exists: false}}, {name: missing, key: team, predicate: {equals: "
            "''}}]"));
    fixture_eval(&f, &facts);
    static const bool want[] = { true, false, true, false, true, false, true, false };
    for (uint32_t i = 0; i < VSR_COUNT(want); i++)
        CHECK_INT(fixture_matched(&f, i), want[i], f.slots.items[i].name.ptr);
    fixture_free(&f);
}

/* ---- language */

TEST(language_rules_have_their_own_floor) {
    struct fixture f;
    fixture_make(&f, &signal_language, VSR_STR("[{name: de}, {name: en, threshold: 1}, {name: zh, threshold: 0.99}]"));
    fixture_eval_text(&f, VSR_STR("Guten Tag, wie funktioniert eine Wärmepumpe im Winter?"));
    CHECK(fixture_matched(&f, 0) && !fixture_matched(&f, 1) && !fixture_matched(&f, 2), "german");
    CHECK(f.results.confidence[0] > 0.3 && !bits_has(f.results.has_confidence, 1), "confidence of the match only");
    fixture_eval_text(&f, VSR_STR("水"));
    CHECK(fixture_matched(&f, 2), "chinese");
    fixture_eval_text(&f, VSR_STR("  "));
    CHECK(!fixture_matched(&f, 0) && bits_has(f.results.evaluated, 0) && !bits_has(f.results.unavailable, 0),
          "undetected is plain false");
    fixture_free(&f);
}

TEST(languages_without_a_rule_have_values) {
    struct fixture f;
    fixture_make(&f, &signal_language, VSR_STR("[{name: de}, {name: en}]"));
    fixture_eval_text(&f, VSR_STR("The quick brown fox jumps over the lazy dog\nСъешь же ещё этих мягких булок"));
    CHECK(fixture_value(&f, "ru") >= 0.05 && fixture_value(&f, "en") >= 0.05, "both have their share");
    CHECK(!bits_has(f.results.has_value, 0) && !fixture_matched(&f, 0), "german has none");
    CHECK(!bits_has(f.results.matched, signal_slots_find(&f.slots, VSR_STR("language"), VSR_STR("ru"))), "no rule");
    fixture_free(&f);
}

static const struct {
    const char *name, *rules, *text;
    int match; /* -1: none */
} fallback_cases[] = {
    { "undetected", "[{name: de}, {name: en, fallback: en}]", "12345", 1 },
    { "undetected without", "[{name: de}, {name: en}]", "12345", -1 },
    { "blank", "[{name: en, fallback: en}]", "  ", 0 },
    { "detected and matched", "[{name: de}, {name: en, fallback: en}]", "Wo ist denn hier der Bahnhof, bitte?", 0 },
    { "detected for sure, and of no rule", "[{name: fr}, {name: en, fallback: en}]",
      "Wo ist denn hier der Bahnhof, bitte?", -1 },
    { "not sure enough", "[{name: de, threshold: 1, fallback: en}, {name: en}]", "Wo ist denn hier der Bahnhof, bitte?",
      1 },
    { "a half is not enough", "[{name: en, threshold: 0.6, fallback: en}]", "12345", -1 },
    { "the first decides", "[{name: de, fallback: de}, {name: en, fallback: en}]", "12345", 0 },
};

TEST(language_fallbacks) {
    for (size_t i = 0; i < VSR_COUNT(fallback_cases); i++) {
        struct fixture f;
        fixture_make(&f, &signal_language, str_from_c(fallback_cases[i].rules));
        fixture_eval_text(&f, str_from_c(fallback_cases[i].text));
        for (size_t k = 0; k < f.rules.n; k++)
            CHECK_INT(fixture_matched(&f, (uint32_t)k), (int)k == fallback_cases[i].match, fallback_cases[i].name);
        if (fallback_cases[i].match == 1)
            CHECK(f.results.confidence[1] == 0.5, fallback_cases[i].name);
        CHECK_INT(f.diag.n_warnings, 0, fallback_cases[i].name);
        fixture_free(&f);
    }
}

TEST(fallbacks_need_their_rule) {
    struct fixture f;
    fixture_make(&f, &signal_language, VSR_STR("[{name: de, fallback: en}]"));
    CHECK_INT(f.diag.n_warnings, 1, "nobody is named en");
    fixture_free(&f);
}

/* ---- refusals */

static const struct {
    const struct signal_family *family;
    const char *rules, *problem;
} refused[] = {
    { &signal_context, "[{name: a, min_tokens: 2K, max_tokens: 1K}]", "E_RANGE" },
    { &signal_context, "[{name: a, min_tokens: many}]", "E_TYPE" },
    { &signal_conversation, "[{name: a, feature: {type: exists, source: {type: message}}, predicate: {gt: 1}}]",
      "E_CONFLICT" },
    { &signal_conversation, "[{name: a, feature: {type: count, source: {type: image_content, role: user}}}]",
      "E_CONFLICT" },
    { &signal_conversation, "[{name: a, feature: {type: count, source: {type: message, role: robot}}}]", "E_ENUM" },
    { &signal_metadata, "[{name: a, key: k, predicate: {}}]", "E_REQUIRED" },
    { &signal_metadata, "[{name: a, key: k, predicate: {equals: a, exists: true}}]", "E_CONFLICT" },
    { &signal_metadata, "[{name: a, key: ' k', predicate: {equals: a}}]", "E_RANGE" },
    { &signal_metadata, "[{name: a, key: k, predicate: {in: []}}]", "E_REQUIRED" },
    { &signal_metadata,
      "[{name: Ab, key: k, predicate: {exists: true}}, {name: aB, key: k, predicate: {exists: true}}]", "E_DUP" },
    { &signal_language, "[{name: EN}]", "did you mean \"en\"" },
    { &signal_language, "[{name: tlh}]", "E_ENUM" },
    { &signal_language, "[{name: de, fallback: EN}]", "did you mean \"en\"" },
    { &signal_language, "[{name: de, fallback: none}]", "E_ENUM" },
    { &signal_language, "[{name: en, threshold: 1.5}]", "E_RANGE" },
};

TEST(bad_rules_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++)
        fixture_must_refuse(refused[i].family, refused[i].rules, refused[i].problem);
}

/* ---- the contract of every family */

static const char *sample_rules(const char *type) {
    static const struct {
        const char *type, *rules;
    } samples[] = {
        { "keyword",
          "[{name: a, operator: OR, keywords: [x, Ж]}, {name: b, operator: OR, method: regex, keywords: ['a+b']}]" },
        { "language", "[{name: en}]" },
        { "context", "[{name: a, max_tokens: 10}]" },
        { "structure", "[{name: a, feature: {type: density, source: {type: regex, pattern: 'a.*?b'}}},"
                       " {name: b, feature: {type: sequence, source: {type: sequence, sequences: [[a, b]]}}}]" },
        { "modality", "[{name: AR}, {name: BOTH}]" },
        { "authz", "[{name: a, role: b, subjects: [{kind: User, name: u}]}]" },
        { "conversation", "[{name: a, feature: {type: count, source: {type: message}}}]" },
        { "event", "[{name: a, severities: [high]}, {name: b, event_types: [x], temporal: true, match: all}]" },
        { "metadata", "[{name: a, key: k, predicate: {exists: true}}]" },
    };
    for (size_t i = 0; i < VSR_COUNT(samples); i++)
        if (strcmp(samples[i].type, type) == 0)
            return samples[i].rules;
    return NULL;
}

TEST(families_give_every_rule_a_result) {
    size_t n, huge_len = 1 << 20;
    const struct signal_family *const *families = signal_families(&n);
    char *huge = malloc(huge_len);
    const vsr_str texts[] = { VSR_STR(""), VSR_STR("a x b"), VSR_STR("\xFF\xC3"), { huge, huge_len } };
    memset(huge, 'a', huge_len);
    for (size_t i = 0; i < n; i++) {
        const char *rules = sample_rules(families[i]->config.type);
        struct fixture f;
        if (families[i]->needs_evidence) /* judges what models answer: test_judged.c */
            continue;
        CHECK_MSG(rules, "no sample for %s", families[i]->config.type);
        fixture_make(&f, families[i], str_from_c(rules));
        for (size_t t = 0; t < VSR_COUNT(texts); t++) {
            fixture_eval_text(&f, texts[t]);
            for (uint32_t rule = 0; rule < f.rules.n && f.rc == 0; rule++)
                CHECK_MSG(bits_has(f.results.evaluated, rule), "%s, text %zu, rule %u", families[i]->config.type, t,
                          rule);
        }
        fixture_free(&f);
    }
    free(huge);
}

RUN_TESTS(T(shared_context_bands), T(shared_token_literals), T(context_takes_the_larger_count),
          T(shared_conversation_rules), T(conversation_counts_what_it_says), T(metadata_compares_exactly),
          T(language_rules_have_their_own_floor), T(languages_without_a_rule_have_values), T(language_fallbacks),
          T(fallbacks_need_their_rule), T(bad_rules_are_refused), T(families_give_every_rule_a_result))
