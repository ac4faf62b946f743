#include <pthread.h>

#include "fixture.h"

static const char recipe[] = FIXTURE_HEAD
    "routing:\n"
    "  signals:\n"
    "    keywords:\n"
    "      - {name: refund, operator: OR, keywords: [refund, money back]}\n"
    "      - {name: code, operator: OR, method: regex, keywords: ['\\bdef \\w+\\(', '(?i)segfault']}\n"
    "      - {name: calm, operator: NOR, keywords: [urgent, asap]}\n"
    "    language:\n"
    "      - {name: de}\n"
    "      - {name: en}\n"
    "    context:\n"
    "      - {name: short, min_tokens: 0, max_tokens: 999}\n"
    "      - {name: long, min_tokens: 1K}\n"
    "    structure:\n"
    "      - {name: questions, feature: {type: count, source: {type: regex, pattern: '[?？]'}}, predicate: {gte: 2}}\n"
    "    conversation:\n"
    "      - {name: tools, feature: {type: exists, source: {type: tool_definition}}}\n"
    "    metadata:\n"
    "      - {name: gold, key: plan, predicate: {equals: gold}}\n"
    "  projections:\n"
    "    scores:\n"
    "      - name: weight\n"
    "        method: weighted_sum\n"
    "        inputs:\n"
    "          - {type: structure, name: questions, weight: 0.2, value_source: raw}\n"
    "          - {type: context, name: long, weight: 0.5}\n"
    "    mappings:\n"
    "      - {name: band, source: weight, method: threshold_bands, outputs: [{name: light, lt: 0.5}, {name: heavy, "
    "gte: 0.5}]}\n"
    "  decisions:\n"
    "    - {name: gold_lane, priority: 100, rules: {type: metadata, name: gold}}\n"
    "    - name: refunds\n"
    "      priority: 90\n"
    "      rules:\n"
    "        operator: AND\n"
    "        conditions:\n"
    "          - {type: keyword, name: refund}\n"
    "          - {operator: NOT, conditions: [{type: keyword, name: code}]}\n"
    "    - {name: coding, priority: 80, rules: {type: keyword, name: code}}\n"
    "    - {name: heavy_lane, priority: 70, rules: {type: projection, name: heavy}}\n"
    "    - {name: german, priority: 60, rules: {type: language, name: de}}\n"
    "    - {name: tooling, priority: 50, rules: {type: conversation, name: tools}}\n"
    "    - {name: anything, priority: 0}\n";

static const struct {
    const char *prompt, *decision, *rules;
    double confidence;
} prompts[] = {
    { "I want my MONEY BACK now", "refunds", "keyword:refund", 1.0 },
    { "refund my segfault", "coding", "keyword:code", 1.0 },
    { "def main(argv): pass", "coding", "keyword:code", 1.0 },
    { "What? Why? How?", "heavy_lane", "projection:heavy", 0.7685247834990175 },
    { "Guten Tag, wie funktioniert eine Wärmepumpe im Winter", "german", "language:de", -1 },
    { "Tell me a story about a fox", "anything", "", 0.0 },
    { "refundable", "anything", "", 0.0 },
};

static void join_rules(const struct route_outcome *outcome, struct buf *out) {
    buf_reset(out);
    for (size_t i = 0; i < outcome->n_matched_rules; i++) {
        if (i)
            buf_append_char(out, ' ');
        buf_append(out, outcome->matched_rules[i]);
    }
}

TEST(prompts_find_their_lanes) {
    struct fixture f;
    struct buf rules;
    fixture_must_load(&f, recipe);
    buf_init(&rules, 4096);
    for (size_t i = 0; i < VSR_COUNT(prompts); i++) {
        for (int full = 0; full <= 1; full++) {
            const struct route_outcome *outcome =
                fixture_route(&f, fixture_prompt(&f, str_from_c(prompts[i].prompt)), full);
            CHECK(outcome->decision, prompts[i].prompt);
            CHECK_STR(outcome->decision->name, prompts[i].decision, prompts[i].prompt);
            join_rules(outcome, &rules);
            CHECK_STR(buf_str(&rules), prompts[i].rules, prompts[i].prompt);
            if (prompts[i].confidence >= 0)
                CHECK_MSG(outcome->confidence > prompts[i].confidence - 1e-12 &&
                              outcome->confidence < prompts[i].confidence + 1e-12,
                          "%s: confidence %.17g", prompts[i].prompt, outcome->confidence);
        }
    }
    buf_done(&rules);
    fixture_free(&f);
}

TEST(envelope_facts_route_without_text) {
    struct fixture f;
    fixture_must_load(&f, recipe);
    CHECK_STR(fixture_route(
                  &f,
                  fixture_facts(&f, VSR_STR("{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                                            "\"metadata\":{\"plan\":\"gold\"}}")),
                  false)
                  ->decision->name,
              "gold_lane", "metadata");
    CHECK_STR(fixture_route(
                  &f,
                  fixture_facts(&f, VSR_STR("{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                                            "\"tools\":[{\"type\":\"function\"}]}")),
                  false)
                  ->decision->name,
              "tooling", "tools");
    fixture_free(&f);
}

static bool contains(const struct buf *buf, const char *part) {
    return str_find(buf_str(buf), str_from_c(part)) >= 0;
}

TEST(cheap_winner_leaves_language_alone) {
    struct fixture f;
    struct buf out;
    struct json_writer w;
    fixture_must_load(&f, recipe);
    buf_init(&out, 1 << 20);
    fixture_route(&f, fixture_prompt(&f, VSR_STR("refund please, ganz schnell und auf Deutsch")), false);
    json_write_init(&w, &out);
    route_trace_json(f.state, &w);
    CHECK(contains(&out, "\"language:de\",\"language:en\""), "language was not needed");
    buf_reset(&out);
    fixture_route(&f, fixture_prompt(&f, VSR_STR("refund please, ganz schnell und auf Deutsch")), true);
    json_write_init(&w, &out);
    route_trace_json(f.state, &w);
    CHECK(contains(&out, "\"not_evaluated\":[]"), "full evaluates all");
    buf_done(&out);
    fixture_free(&f);
}

TEST(traces_tell_the_story) {
    struct fixture f;
    struct buf out;
    struct json_writer w;
    struct json_doc doc;
    fixture_must_load(&f, recipe);
    buf_init(&out, 1 << 20);
    fixture_route(&f, fixture_prompt(&f, VSR_STR("I want a refund. Why? When? \x1b[31m")), true);
    json_write_init(&w, &out);
    route_trace_json(f.state, &w);
    CHECK_INT(json_parse(f.memory, buf_str(&out), &doc, NULL), 0, "valid JSON");
    CHECK(contains(&out, "\"decision\":\"refunds\""), "decision");
    CHECK(contains(&out, "\"matched_keywords\":{\"refund\":[\"refund\"]}"), "keywords");
    CHECK(contains(&out, "\"structure:questions\":2"), "value");
    CHECK(contains(&out, "\"projection_scores\":{\"weight\":0.4}"), "score");
    CHECK(contains(&out, "\"selected_output\":\"light\""), "band");
    CHECK(contains(&out, "\"node_type\":\"AND\",\"matched\":true"), "tree");
    buf_reset(&out);
    route_trace_text(f.state, false, &out);
    CHECK(contains(&out, "✓ keyword:refund  value 1  \"refund\""), "text: signal");
    CHECK(contains(&out, "✗ gold_lane  (priority 100)  metadata:gold did not match"), "text: reason");
    CHECK(contains(&out, "✓ refunds  (priority 90)  confidence 1"), "text: winner");
    CHECK(!contains(&out, "\033"), "no escapes without colour");
    buf_done(&out);
    fixture_free(&f);
}

TEST(empty_requests_are_skipped) {
    struct fixture f;
    struct request_facts facts = { 0 };
    struct buf out;
    fixture_must_load(&f, recipe);
    CHECK(!fixture_route(&f, &facts, false)->decision, "no decision");
    buf_init(&out, 1 << 16);
    route_trace_text(f.state, true, &out);
    CHECK(contains(&out, "nothing to look at"), "text");
    buf_done(&out);
    fixture_free(&f);
}

/* Text that is no UTF-8 cannot come from JSON; here it stands for an engine that fails. */
TEST(failed_signals_are_unknown_not_false) {
    static const char yaml[] = FIXTURE_HEAD
        "routing:\n"
        "  signals:\n"
        "    keywords: [{name: bad, operator: OR, keywords: [bad]}]\n"
        "  decisions:\n"
        "    - {name: strict, priority: 3, on_unknown: unknown,\n"
        "       rules: {operator: NOT, conditions: [{type: keyword, name: bad}]}}\n"
        "    - {name: positive, priority: 2, rules: {type: keyword, name: bad}}\n"
        "    - {name: lenient, priority: 1, rules: {operator: NOT, conditions: [{type: keyword, name: bad}]}}\n";
    struct fixture f;
    struct request_facts facts = { .eval_text = VSR_STR("\xFF"), .current_user = VSR_STR("\xFF") };
    struct buf out;
    struct json_writer w;
    const struct route_outcome *outcome;
    fixture_must_load(&f, yaml);
    outcome = fixture_route(&f, &facts, false);
    CHECK_STR(outcome->decision->name, "lenient", "a failure reads as no match unless told otherwise");
    CHECK_INT(outcome->n_unknown, 1, "undecided");
    CHECK_STR(outcome->unknown[0]->name, "strict", "which one");
    buf_init(&out, 1 << 16);
    json_write_init(&w, &out);
    route_trace_json(f.state, &w);
    CHECK(contains(&out, "\"errors\":{\"keyword:bad\":\"failed\"}"), "trace");
    buf_reset(&out);
    route_trace_text(f.state, true, &out);
    CHECK(contains(&out, "keyword:bad  failed") && contains(&out, "keyword:bad is unavailable"), "text");
    buf_done(&out);
    fixture_free(&f);
}

/* ---- one recipe, many threads */

struct worker {
    const struct route *route;
    const struct request_facts *facts[VSR_COUNT(prompts)];
    size_t wrong;
};

static void *work(void *data) {
    struct worker *worker = data;
    struct arena *memory = arena_new(0, 0);
    struct route_scratch *scratch;
    if (route_scratch_new(worker->route, &scratch, NULL) < 0)
        return NULL;
    for (int round = 0; round < 200; round++)
        for (size_t i = 0; i < VSR_COUNT(prompts); i++) {
            struct route_options options = { .full = round % 2 };
            struct route_state *state = route_begin(worker->route, scratch, memory, worker->facts[i], &options);
            worker->wrong += route_step(state, NULL) != ROUTE_DONE ||
                             !str_eq_c(route_outcome(state)->decision->name, prompts[i].decision);
            arena_reset(memory);
        }
    route_scratch_free(scratch);
    arena_free(memory);
    return NULL;
}

TEST(threads_share_a_recipe) {
    struct fixture f;
    struct worker workers[4];
    pthread_t threads[VSR_COUNT(workers)];
    fixture_must_load(&f, recipe);
    for (size_t t = 0; t < VSR_COUNT(workers); t++) {
        workers[t] = (struct worker){ .route = f.route };
        for (size_t i = 0; i < VSR_COUNT(prompts); i++)
            workers[t].facts[i] = fixture_prompt(&f, str_from_c(prompts[i].prompt));
    }
    for (size_t t = 0; t < VSR_COUNT(workers); t++)
        CHECK_INT(pthread_create(&threads[t], NULL, work, &workers[t]), 0, "thread");
    for (size_t t = 0; t < VSR_COUNT(workers); t++) {
        pthread_join(threads[t], NULL);
        CHECK_INT(workers[t].wrong, 0, "outcomes");
    }
    fixture_free(&f);
}

/* ---- what only compiling shows */

TEST(engine_refusals_point_at_the_pattern) {
    static const char yaml[] = FIXTURE_HEAD "routing:\n"
                                            "  signals:\n"
                                            "    keywords:\n"
                                            "      - {name: fine, operator: OR, keywords: [a]}\n"
                                            "      - name: huge\n"
                                            "        operator: OR\n"
                                            "        method: regex\n"
                                            "        keywords: ['ok', '(?:a.{900}b.{900}){2,9}c']\n"
                                            "  decisions: [{name: d, rules: {type: keyword, name: huge}}]\n";
    struct fixture f;
    struct buf out;
    CHECK(fixture_load(&f, yaml) < 0, "refused");
    buf_init(&out, 1 << 16);
    diag_print(&f.diag, &out, false);
    CHECK_MSG(contains(&out, "test.yaml:10:26: error[E_RANGE]") && contains(&out, "(?:a.{900}b.{900}){2,9}c"), "%.*s",
              (int)out.len, out.ptr);
    buf_done(&out);
    fixture_free(&f);
}

/* ---- a text that one pattern is too costly on */

static const char costly[] =
    FIXTURE_HEAD "routing:\n"
                 "  signals:\n"
                 "    keywords:\n"
                 "      - {name: refund, operator: OR, keywords: [refund]}\n"
                 "      - {name: odd, operator: OR, method: regex, keywords: ['\\p{L}{1,40}[\\p{L}\\p{Nd}]{1,40}@@']}\n"
                 "    structure:\n"
                 "      - {name: questions, feature: {type: count, source: {type: regex, pattern: '[?]'}}}\n"
                 "  decisions:\n"
                 "    - {name: odd_lane, priority: 30, on_unknown: unknown, rules: {type: keyword, name: odd}}\n"
                 "    - {name: refunds, priority: 20, rules: {type: keyword, name: refund}}\n"
                 "    - {name: asking, priority: 10, rules: {type: structure, name: questions}}\n"
                 "    - {name: anything, priority: 0}\n";

/* `words`, then two symbols and @@ that only look like a hit, then two megabytes that the automaton toils on. */
static vsr_str costly_text(struct fixture *f, const char *words) {
    enum { PADDING = 2 << 20 };
    struct buf text;
    vsr_str copy;
    buf_init(&text, PADDING + 4096);
    buf_printf(&text, "%s \xE2\x82\xAC\xE2\x82\xAC@@ ", words);
    for (int i = 0; i < PADDING; i++)
        buf_append_char(&text, 'a');
    copy = arena_str(f->memory, buf_str(&text));
    buf_done(&text);
    return copy;
}

TEST(costly_pattern_takes_no_other_rule_along) {
    struct fixture f;
    struct buf out;
    struct json_writer w;
    fixture_must_load(&f, costly);
    CHECK_STR(fixture_route(&f, fixture_prompt(&f, VSR_STR("refund me")), false)->decision->name, "refunds", "short");
    CHECK_STR(fixture_route(&f, fixture_prompt(&f, VSR_STR("refund ab12@@")), false)->decision->name, "odd_lane",
              "odd");
    for (int full = 0; full <= 1; full++) {
        const struct route_outcome *outcome;
        CHECK_STR(fixture_route(&f, fixture_prompt(&f, costly_text(&f, "why? ")), full)->decision->name, "asking", "?");
        outcome = fixture_route(&f, fixture_prompt(&f, costly_text(&f, "refund me")), full);
        CHECK_STR(outcome->decision->name, "refunds", "the same lane with two megabytes behind it");
        CHECK_INT(outcome->n_unknown, 1, "the costly one is undecided");
    }
    buf_init(&out, 1 << 20);
    json_write_init(&w, &out);
    route_trace_json(f.state, &w);
    CHECK(contains(&out, "\"errors\":{\"keyword:odd\":\"too_long\"}"), "only that rule is reported");
    buf_done(&out);
    fixture_free(&f);
}

/* config.md §3: only regular expressions keep their dollars. */
TEST(literal_keywords_take_variables) {
    static const char yaml[] =
        FIXTURE_HEAD "routing:\n"
                     "  signals:\n"
                     "    keywords:\n"
                     "      - {name: literal, operator: OR, keywords: ['${TEST_WORD}', '$${TEST_WORD}']}\n"
                     "      - {name: pattern, method: Regex, operator: OR, keywords: ['\\$TEST_WORD|no', 'end$$']}\n"
                     "  decisions:\n"
                     "    - {name: by_literal, priority: 2, rules: {type: keyword, name: literal}}\n"
                     "    - {name: by_pattern, priority: 1, rules: {type: keyword, name: pattern}}\n"
                     "    - {name: rest, priority: 0}\n";
    static const struct {
        const char *prompt, *decision;
    } cases[] = {
        { "one voucher", "by_literal" }, { "one ${TEST_WORD}", "by_literal" },
        { "$TEST_WORD", "by_pattern" },  { "the end", "by_pattern" },
        { "the end$", "rest" },          { "no", "by_pattern" },
    };
    struct fixture f;
    CHECK_INT(setenv("TEST_WORD", "voucher", 1), 0, "setenv");
    fixture_must_load(&f, yaml);
    CHECK_INT(unsetenv("TEST_WORD"), 0, "unsetenv");
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_STR(fixture_route(&f, fixture_prompt(&f, str_from_c(cases[i].prompt)), false)->decision->name,
                  cases[i].decision, cases[i].prompt);
    fixture_free(&f);
}

RUN_TESTS(T(prompts_find_their_lanes), T(envelope_facts_route_without_text), T(cheap_winner_leaves_language_alone),
          T(traces_tell_the_story), T(empty_requests_are_skipped), T(failed_signals_are_unknown_not_false),
          T(threads_share_a_recipe), T(engine_refusals_point_at_the_pattern),
          T(costly_pattern_takes_no_other_rule_along), T(literal_keywords_take_variables))
