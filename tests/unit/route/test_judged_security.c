/* Jailbreak and pii: all of a request in pieces, what is found in them, and what becomes of what cannot be checked. */
#include "answers.h"

#include <math.h>

#define GUARD "jailbreak-detection"
#define TAGGER "pii-detection"
#define EMBEDDER "embedding"
#define SAFE "benign=.98 jailbreak=.02"

#define RECIPE(modules, signals) \
    FIXTURE_HEAD "global: {model_catalog: {modules: {" modules "}}}\n" \
                 "routing:\n  signals: {" signals "}\n" \
                 "  decisions: [{name: any, priority: 1, rules: {operator: AND, conditions: []}}]\n"

static void check_results(struct fixture *f, const char *want, const char *what) {
    const char *got = answers_results(f);
    CHECK_MSG(strcmp(got, want) == 0, "%s: got \"%s\", want \"%s\"", what, got, want);
}

/* One prompt after the other with one answer of one model. */
struct judged {
    const char *prompt, *answer, *want;
};

static void check_all(const char *yaml, const char *who, const struct judged *cases, size_t n) {
    struct fixture f;
    fixture_must_load(&f, yaml);
    for (size_t i = 0; i < n; i++) {
        struct given given[] = { { who, NULL, cases[i].answer }, { 0 } };
        answers_route(&f, fixture_prompt(&f, str_from_c(cases[i].prompt)), given);
        check_results(&f, cases[i].want, cases[i].prompt);
    }
    fixture_free(&f);
}

/* ---- jailbreak by a classifier */

TEST(guards) {
    static const struct judged cases[] = {
        { "a", "benign=.2 jailbreak=.8", "jailbreak:usual=0.80 jailbreak:eager=0.80 " },
        { "b", "Jailbreak=.5 Benign=.5", "jailbreak:eager=0.50 " },
        { "c", SAFE, "" },
        { "d", "benign=.4 jailbreak=.35 other=.25", "jailbreak:eager=0.35 " },
        { "e", "SAFE=.1 INJECTION=.9", "jailbreak:usual=0.90 jailbreak:eager=0.90 " },
        { "f", "x=.1 y=.9", "jailbreak:usual!unavailable jailbreak:eager!unavailable " },
        { "g", "!timeout", "jailbreak:usual!timeout jailbreak:eager!timeout " },
        { "h", NULL, "jailbreak:usual!unavailable jailbreak:eager!unavailable " },
        { " ", "benign=0 jailbreak=1", "" },
    };
    check_all(RECIPE("", "jailbreak: [{name: usual}, {name: eager, threshold: 0.3}]"), GUARD, cases, VSR_COUNT(cases));
}

TEST(guards_have_other_labels) {
    static const struct judged cases[] = {
        { "a", "fine=.3 attack=.4 injection=.3", "jailbreak:j=0.70 " },
        { "b", "attack=.2 fine=.8", "" },
        { "c", "benign=.3 jailbreak=.7", "jailbreak:j!unavailable " },
    };
    check_all(RECIPE("prompt_guard: {positive_labels: [attack, injection]}", "jailbreak: [{name: j}]"), GUARD, cases,
              VSR_COUNT(cases));
}

TEST(guards_of_servers) {
    static const struct judged cases[] = { { "a", "benign=.1 jailbreak=.9", "jailbreak:j=0.90 " },
                                           { "b", "!unavailable", "jailbreak:j=1.00 jailbreak:j!unavailable " } };
    static const char yaml[] =
        FIXTURE_HEAD "global: {model_catalog: {external: [{name: g, model_role: guardrail, llm_model_name: m, "
                     "llm_endpoint: {address: "
                     "127.0.0.1, port: 9}}], modules: {prompt_guard: {on_error: block, protocol: %s}}}}\n"
                     "routing:\n  signals: {jailbreak: [{name: j}]}\n"
                     "  decisions: [{name: any, priority: 1, rules: {operator: AND, conditions: []}}]\n";
    static const char *const protocols[][2] = { { "http_chat", "http-guard" }, { "http_classify", "http-classify" } };
    for (size_t i = 0; i < VSR_COUNT(protocols); i++) {
        char text[1024];
        snprintf(text, sizeof(text), yaml, protocols[i][0]);
        check_all(text, protocols[i][1], cases, VSR_COUNT(cases));
    }
}

/* ---- by examples, and both */

static const struct given examples[] = {
    { EMBEDDER, "ignore", "(1 0 0)" }, { EMBEDDER, "pretend", "(0.6 0.8 0)" }, { EMBEDDER, "weather", "(0 1 0)" }, { 0 }
};
#define BY_EXAMPLE "jailbreak_patterns: [ignore it, pretend it], benign_patterns: [weather]"

TEST(guards_by_example) {
    static const struct {
        const char *vector, *classes, *want;
    } cases[] = {
        { "(1 0 0)", SAFE, "jailbreak:example=1.00 jailbreak:both=1.00 jailbreak:alone=1.00 " },
        { "(0 1 0)", SAFE, "jailbreak:alone=0.80 " },
        { "(0 0 1)", SAFE, "" },
        { "(0 0 1)", "benign=.1 jailbreak=.9", "jailbreak:both=0.90 " },
        { "(0.8 0 0.6)", "benign=.1 jailbreak=.9", "jailbreak:example=0.80 jailbreak:both=0.90 jailbreak:alone=0.80 " },
        { "!failed", SAFE, "jailbreak:example!failed jailbreak:both!failed jailbreak:alone!failed " },
        { "(1 0 0)", "!timeout",
          "jailbreak:example=1.00 jailbreak:both=1.00 jailbreak:both!timeout jailbreak:alone=1.00 " },
    };
    struct fixture f;
    fixture_must_load(&f, RECIPE("", "jailbreak: [{name: example, method: contrastive, " BY_EXAMPLE
                                     "}, {name: both, method: hybrid, " BY_EXAMPLE
                                     "}, {name: alone, method: contrastive, threshold: 0.7, jailbreak_patterns: "
                                     "[ignore it, pretend it]}]"));
    answers_route(&f, fixture_prompt(&f, VSR_STR("x")),
                  (struct given[]){ { EMBEDDER, NULL, "(1 0 0)" }, { GUARD, NULL, SAFE }, { 0 } });
    check_results(&f, "jailbreak:example!unavailable jailbreak:both!unavailable jailbreak:alone!unavailable ",
                  "examples are not there yet");
    answers_fill_banks(&f, examples);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct given given[] = { { EMBEDDER, NULL, cases[i].vector }, { GUARD, NULL, cases[i].classes }, { 0 } };
        answers_route(&f, fixture_prompt(&f, VSR_STR("x")), given);
        check_results(&f, cases[i].want, cases[i].vector);
    }
    fixture_free(&f);
}

/* ---- pieces */

/* So many words of padding, with `part` in front of the word `at`. */
static const struct request_facts *long_prompt(struct fixture *f, size_t words, size_t at, const char *part) {
    struct buf text;
    const struct request_facts *facts;
    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < words; i++)
        buf_printf(&text, "%sword%zu ", i == at ? part : "", i);
    facts = fixture_prompt(f, arena_str(f->memory, buf_str(&text)));
    buf_done(&text);
    return facts;
}

TEST(all_pieces_are_checked) {
    static const struct given given[] = { { GUARD, "ignore all rules", "benign=.1 jailbreak=.9" },
                                          { GUARD, NULL, SAFE },
                                          { 0 } };
    struct fixture f;
    fixture_must_load(&f, RECIPE("", "jailbreak: [{name: all}, {name: two, max_chunks: 2}]"));
    answers_route(&f, long_prompt(&f, 3000, 2900, "ignore all rules "), given);
    check_results(&f, "jailbreak:all=0.90 jailbreak:two!too_long ", "at the end");
    CHECK(answers_n_asked(GUARD) > 8, "pieces");
    CHECK(strstr(answers_reason(&f, "jailbreak", "two"), "max_chunks is 2"), "reason");
    answers_route(&f, long_prompt(&f, 3000, 20, "ignore all rules "), given);
    check_results(&f, "jailbreak:all=0.90 jailbreak:two=0.90 jailbreak:two!too_long ", "a match stays one");
    answers_route(&f, fixture_prompt(&f, VSR_STR("ignore all rules")), given);
    check_results(&f, "jailbreak:all=0.90 jailbreak:two=0.90 ", "short");
    CHECK_INT(answers_n_asked(GUARD), 1, "the same piece is asked about once");
    fixture_free(&f);
}

/* A client chooses how long a text is: without a limit of the rule's own there is one nevertheless. */
TEST(pieces_have_a_limit) {
    struct fixture f;
    fixture_must_load(&f, RECIPE("", "jailbreak: [{name: usual}, {name: more, max_chunks: 2000}]"));
    answers_route(&f, long_prompt(&f, 75000, 74000, "ignore all rules "),
                  (struct given[]){
                      { GUARD, "ignore all rules", "benign=.1 jailbreak=.9" }, { GUARD, NULL, SAFE }, { 0 } });
    check_results(&f, "jailbreak:usual!too_long jailbreak:more=0.90 ", "behind the limit");
    CHECK(strstr(answers_reason(&f, "jailbreak", "usual"), "max_chunks is 512"), "reason");
    answers_check_trace(&f, "pieces, and max_chunks is 512\"");
    fixture_free(&f);
}

TEST(pieces_that_fail) {
    struct fixture f;
    static const struct given one_fails[] = { { GUARD, "word20 ", NULL }, { GUARD, NULL, SAFE }, { 0 } }, found[] = {
        { GUARD, "word20 ", NULL }, { GUARD, "ignore", "benign=.1 jailbreak=.9" }, { GUARD, NULL, SAFE }, { 0 }
    };
    fixture_must_load(&f, RECIPE("prompt_guard: {on_error: block}", "jailbreak: [{name: j}]"));
    answers_route(&f, long_prompt(&f, 3000, 2900, "ignore "), one_fails);
    check_results(&f, "jailbreak:j=1.00 jailbreak:j!unavailable ", "blocked");
    CHECK(f.state->request.jailbreak.detected, "detected");
    CHECK_STR(f.state->request.jailbreak.type, "classification_error", "type");
    answers_route(&f, long_prompt(&f, 3000, 2900, "ignore "), found);
    check_results(&f, "jailbreak:j=0.90 jailbreak:j!unavailable ", "what was found counts");
    answers_check_trace(&f, "\"jailbreak\":{\"detected\":true,\"type\":\"jailbreak\",\"confidence\":0.8"); /* a float */
    fixture_free(&f);
    fixture_must_load(&f, RECIPE("", "jailbreak: [{name: j}]"));
    answers_route(&f, long_prompt(&f, 3000, 2900, "ignore "), one_fails);
    check_results(&f, "jailbreak:j!unavailable ", "not passed");
    CHECK(!f.state->request.jailbreak.detected, "nothing was detected");
    fixture_free(&f);
}

/* What the guard saw of a text counts, and that it did not see the rest is told. */
TEST(pieces_that_are_cut) {
    static const struct judged passed[] = {
        { "a", "<benign=.1 jailbreak=.9", "jailbreak:j=0.90 jailbreak:j!too_long " },
        { "b", "<" SAFE, "jailbreak:j!too_long " },
        { "c", "<x=.1 y=.9", "jailbreak:j!unavailable " },
        { "d", "<!timeout", "jailbreak:j!timeout " },
    };
    static const struct judged blocked[] = {
        { "a", "<benign=.1 jailbreak=.9", "jailbreak:j=0.90 jailbreak:j!too_long " },
        { "b", "<" SAFE, "jailbreak:j=1.00 jailbreak:j!too_long " },
    };
    static const struct given first_is_cut[] = {
        { GUARD, "word20 ", "<" SAFE }, { GUARD, "ignore", "benign=.1 jailbreak=.9" }, { GUARD, NULL, SAFE }, { 0 }
    };
    struct fixture f;
    check_all(RECIPE("", "jailbreak: [{name: j}]"), GUARD, passed, VSR_COUNT(passed));
    check_all(RECIPE("prompt_guard: {on_error: block}", "jailbreak: [{name: j}]"), GUARD, blocked, VSR_COUNT(blocked));
    fixture_must_load(&f, RECIPE("", "jailbreak: [{name: j}]"));
    answers_route(&f, long_prompt(&f, 3000, 2900, "ignore "), first_is_cut);
    check_results(&f, "jailbreak:j=0.90 jailbreak:j!too_long ", "one of many");
    answers_check_trace(&f, ",\"cut\":1}]");
    CHECK_STR(str_from_c(answers_reason(&f, "jailbreak", "j")),
              "the end of a text was left out by test: use long_text: chunk", "reason");
    fixture_free(&f);
}

TEST(data_in_pieces_that_are_cut) {
    static const struct judged cases[] = {
        { "Bob lives here", "<PERSON:Bob=.95", "pii:p=0.95 pii:p!too_long " },
        { "nobody lives here", "<", "pii:p!too_long " },
        { "bob@example.org", "<", "pii:p=1.00 pii:p!too_long " },
        { "Bob again", "PERSON:Bob=.95", "pii:p=0.95 " },
    };
    static const struct judged blocked[] = { { "nobody", "<", "pii:p=1.00 pii:p!too_long " } };
    check_all(RECIPE("", "pii: [{name: p}]"), TAGGER, cases, VSR_COUNT(cases));
    check_all(RECIPE("", "pii: [{name: p, on_error: block}]"), TAGGER, blocked, VSR_COUNT(blocked));
}

/* Of several rules a detection comes before what could not be checked, whichever comes first. */
TEST(the_strongest_rule_is_told) {
    static const char *const orders[] = { "jailbreak: [{name: e, method: contrastive, " BY_EXAMPLE "}, {name: c}]",
                                          "jailbreak: [{name: c}, {name: e, method: contrastive, " BY_EXAMPLE "}]" };
    for (size_t i = 0; i < VSR_COUNT(orders); i++) {
        char yaml[1024];
        struct fixture f;
        snprintf(yaml, sizeof(yaml), RECIPE("prompt_guard: {on_error: block}", "%s"), orders[i]);
        fixture_must_load(&f, yaml);
        answers_route(&f, fixture_prompt(&f, VSR_STR("x")),
                      (struct given[]){ { GUARD, NULL, "benign=.2 jailbreak=.8" }, { 0 } });
        CHECK_STR(f.state->request.jailbreak.type, "jailbreak", orders[i]);
        CHECK(fabs(f.state->request.jailbreak.confidence - 0.8) < 1e-6, orders[i]);
        fixture_free(&f);
    }
}

static const char talk[] =
    "{\"model\":\"auto\",\"messages\":[{\"role\":\"system\",\"content\":\"be good\"},"
    "{\"role\":\"user\",\"content\":\"old turn\"},{\"role\":\"assistant\",\"content\":\"reply\"},"
    "{\"role\":\"user\",\"content\":\"old turn\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":"
    "\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"from a tool\"},{\"role\":\"user\",\"content\":\"now\"}]}";

TEST(earlier_turns_and_tools_by_choice) {
    struct fixture f;
    static const struct given given[] = { { GUARD, "old turn", "benign=0 jailbreak=1" },
                                          { GUARD, "tool", "benign=.2 jailbreak=.8" },
                                          { GUARD, NULL, SAFE },
                                          { 0 } };
    fixture_must_load(&f, RECIPE("", "jailbreak: [{name: now}, {name: old, include_history: true}, {name: tool, "
                                     "include_tool_results: true}, {name: all, include_history: true, "
                                     "include_tool_results: true}]"));
    answers_route(&f, fixture_facts(&f, str_from_c(talk)), given);
    check_results(&f, "jailbreak:old=1.00 jailbreak:tool=0.80 jailbreak:all=1.00 ", "by choice");
    CHECK_STR(buf_str(&answers_asked),
              GUARD "|now\n" GUARD "|be good\n" GUARD "|reply\n" GUARD "|old turn\n" GUARD "|from a tool\n", "asked");
    fixture_free(&f);
}

/* ---- pii */

#define PII_RULES \
    "pii: [{name: any}, {name: people, pii_types_allowed: [person, ' Title '], threshold: 0.5}, {name: old, " \
    "include_history: true, threshold: 0.5}]"

TEST(tagged_data) {
    static const struct judged cases[] = {
        { "I am Bob", "PERSON:Bob=.95", "pii:any=0.95 pii:old=0.95 " },
        { "I am Bob", "PERSON:Bob=.85", "pii:old=0.85 " },
        { "Bob of Bern", "PERSON:Bob=.95 GPE:Bern=.7", "pii:any=0.95 pii:people=0.70 pii:old=0.95 " },
        { "Bob of Bern", "B-PERSON:Bob=.95 I-GPE:Bern=.7 O:of=1", "pii:any=0.95 pii:people=0.70 pii:old=0.95 " },
        { "hello", "", "" },
        { "hello", "!failed", "pii:any!failed pii:people!failed pii:old!failed " },
        { "I am bob@example.org", "!failed",
          "pii:any=1.00 pii:any!failed pii:people=1.00 pii:people!failed pii:old=1.00 pii:old!failed " },
        { "I am bob@example.org", "PERSON:bob=.6", "pii:any=1.00 pii:people=1.00 pii:old=1.00 " },
        { "card 4111 1111 1111 1112", "CREDIT_CARD:4111~1111~1111~1112=.98", "" },
        { "no 4111 1111 1111 1111", "CREDIT_CARD:4111~1111=.6", "pii:any=1.00 pii:people=1.00 pii:old=1.00 " },
        { "", "", "" },
    };
    check_all(RECIPE("", PII_RULES), TAGGER, cases, VSR_COUNT(cases));
}

TEST(data_is_counted_and_named) {
    struct fixture f;
    fixture_must_load(&f, RECIPE("", PII_RULES));
    answers_route(&f, fixture_prompt(&f, VSR_STR("Bob and Ann, bob@example.org, ann@example.org, 10.1.2.30")),
                  (struct given[]){ { TAGGER, NULL, "PERSON:Bob=.95 PERSON:Ann=.95 EMAIL_ADDRESS:bob@example.org=.4" },
                                    { 0 } });
    CHECK_INT(answers_value(&f, "pii", "any"), 5, "spans");
    CHECK_INT(answers_value(&f, "pii", "people"), 3, "without persons");
    answers_check_trace(&f,
                        "\"pii\":{\"detected\":true,\"entity_types\":[\"EMAIL_ADDRESS\",\"IP_ADDRESS\",\"PERSON\"]}");
    fixture_free(&f);
}

TEST(forms_need_no_model) {
    struct fixture f;
    struct route_options options = { .full = true };
    fixture_must_load(&f, RECIPE("", "pii: [{name: p}, {name: mail, pii_types_allowed: [EMAIL_ADDRESS]}]"));
    f.state = route_begin(f.route, f.scratch, f.memory, fixture_prompt(&f, VSR_STR("I am bob@example.org")), &options);
    CHECK_INT(route_step(f.state, NULL), ROUTE_DONE, "nobody is asked");
    check_results(&f, "pii:p=1.00 pii:p!unavailable pii:mail!unavailable ", "no model");
    fixture_free(&f);
}

#define ONLY_FORMS "AGE, DATE_TIME, GPE, NRP, ORGANIZATION, PERSON, STREET_ADDRESS, TITLE, US_DRIVER_LICENSE, ZIP_CODE"

TEST(forms_alone) {
    static const struct judged cases[] = {
        { "I am Bob", NULL, "pii:all!unavailable " },
        { "I am bob@example.org", NULL, "pii:all=1.00 pii:all!unavailable pii:forms=1.00 " },
    };
    check_all(RECIPE("classifier: {pii: {enabled: false}}",
                     "pii: [{name: all}, {name: forms, pii_types_allowed: [" ONLY_FORMS "]}]"),
              TAGGER, cases, VSR_COUNT(cases));
}

TEST(data_may_block) {
    static const struct judged cases[] = {
        { "I am Bob", "!failed", "pii:a=1.00 pii:a!failed pii:b!failed " },
        { "I am Bob", "PERSON:Bob=1", "pii:a=1.00 pii:b=1.00 " },
        { "I am", "", "" },
    };
    check_all(RECIPE("classifier: {pii: {on_error: block}}", "pii: [{name: a}, {name: b, on_error: allow}]"), TAGGER,
              cases, VSR_COUNT(cases));
}

TEST(data_of_earlier_turns) {
    struct fixture f;
    fixture_must_load(&f, RECIPE("", PII_RULES));
    answers_route(&f, fixture_facts(&f, str_from_c(talk)),
                  (struct given[]){ { TAGGER, "old turn", "PERSON:old=.95" }, { TAGGER, NULL, "" }, { 0 } });
    check_results(&f, "pii:old=0.95 ", "by choice");
    CHECK_INT(answers_value(&f, "pii", "old"), 1, "the same turn counts once");
    fixture_free(&f);
}

/* What one rule does not look at another may. */
TEST(data_within_the_limit) {
    struct fixture f;
    fixture_must_load(&f, RECIPE("", "pii: [{name: one, max_chunks: 1}, {name: all}]"));
    answers_route(&f, long_prompt(&f, 400, 350, "Bob "),
                  (struct given[]){ { TAGGER, "Bob", "PERSON:Bob=.95" }, { TAGGER, NULL, "" }, { 0 } });
    check_results(&f, "pii:one!too_long pii:all=0.95 ", "behind the first piece");
    answers_route(&f, long_prompt(&f, 400, 350, "bob@example.org "), (struct given[]){ { TAGGER, NULL, "" }, { 0 } });
    check_results(&f, "pii:one=1.00 pii:one!too_long pii:all=1.00 ", "forms are looked for everywhere");
    fixture_free(&f);
}

/* What lies where two pieces overlap is found twice, and counts once; a part that a piece cuts off does not. */
TEST(data_between_pieces) {
    struct fixture f;
    size_t n_pieces = 0;
    fixture_must_load(&f, RECIPE("", "pii: [{name: p, threshold: 0.5}]"));
    for (size_t at = 60; at < 90; at++) {
        answers_route(&f, long_prompt(&f, 150, at, "Bob Smith "),
                      (struct given[]){ { TAGGER, "Bob Smith", "PERSON:Bob~Smith=.9" },
                                        { TAGGER, "Bob", "TITLE:Bob=.99" },
                                        { TAGGER, "Smith", "GPE:Smith=.95" },
                                        { TAGGER, NULL, "" },
                                        { 0 } });
        n_pieces += answers_n_asked(TAGGER);
        check_results(&f, "pii:p=0.90 ", "found");
        CHECK_INT(answers_value(&f, "pii", "p"), 1, "once");
    }
    CHECK(n_pieces >= 60, "pieces");
    fixture_free(&f);
}

RUN_TESTS(T(guards), T(guards_have_other_labels), T(guards_of_servers), T(guards_by_example), T(all_pieces_are_checked),
          T(pieces_have_a_limit), T(pieces_that_fail), T(pieces_that_are_cut), T(data_in_pieces_that_are_cut),
          T(earlier_turns_and_tools_by_choice), T(tagged_data), T(data_is_counted_and_named), T(forms_need_no_model),
          T(forms_alone), T(data_may_block), T(data_of_earlier_turns), T(data_within_the_limit),
          T(the_strongest_rule_is_told), T(data_between_pieces))
