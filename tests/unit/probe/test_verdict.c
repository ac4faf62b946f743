/* Verdicts: one good answer, and for every check an answer or an expectation with which it alone fails. */
#include "suites.h"

#include "probe/verdict.h"

static const char head[] = SUITE_HEAD SUITE_COVERAGE "decisions:\n";

/* What is expected where a case says nothing else: something of every check. */
static const char expectation[] =
    "- {id: d, expected_decision: legal, expected_recipe: main, model: entry, expected_algorithm: static, "
    "expected_plugins: [cache], forbidden_plugins: [rag], expected_alias: big, expected_signals: {keywords: [law], "
    "projection: [hard], complexity: ['depth:hard']}, forbidden_signals: {keywords: [code]}, "
    "variants: [{id: v, query: q}]}\n";

/* The same without what only some checks look at. */
#define EXPECTATION(more) \
    "- {id: d, expected_decision: legal, expected_recipe: main, model: entry, " more " variants: [{id: v, query: " \
    "q}]}\n"

#define RESULT(plugins, signals) \
    "\"decision_result\": {\"decision_name\": \"legal\", \"algorithm\": \"static\", \"plugins\": " plugins \
    ", \"matched_signals\": " signals "}, "
#define SIGNALS "{\"keywords\": [\"law\"], \"projection\": [\"hard\"], \"complexity\": [\"depth:hard\"]}"
#define TRACE \
    "\"eval_trace\": [{\"decision_name\": \"legal\", \"matched\": true}, {\"decision_name\": \"rest\", \"matched\": " \
    "true}], "
#define MODELS "\"recommended_models\": [\"small\", \"big\"], "
#define SELECTION "\"selection_status\": \"selected\", \"selection_method\": \"single\", \"selected_model\": \"big\""
#define HEAD "\"requested_model\": \"entry\", \"recipe\": \"main\", \"routing_decision\": \"legal\", "
#define GOOD \
    "{" HEAD RESULT("[\"cache\"]", SIGNALS) \
    MODELS TRACE SELECTION ", \"signal_errors\": {}}"

struct judged {
    struct suite_fixture f;
    struct probe_verdict verdict;
};

static void judge_with(struct judged *j, const char *expected, const char *document, bool ignore_signal_errors) {
    static const vsr_str decisions[] = { { "legal", 5 }, { "rest", 4 } };
    struct vsr_err err = VSR_ERR_NONE;
    struct json_doc doc;
    struct probe_question question = { .decisions = decisions, .n_decisions = 2 };
    char text[4096];
    snprintf(text, sizeof(text), "%s%s", head, expected ? expected : expectation);
    suite_must_read(&j->f, text);
    CHECK_MSG(json_parse(j->f.arena, str_from_c(document), &doc, &err) == 0, "%s: %s", document, err.text);
    question.suite = j->f.suite;
    question.decision = suite_decision(&j->f, 0);
    question.variant = suite_variant(&j->f, 0, 0);
    question.model = question.decision->model;
    question.ignore_signal_errors = ignore_signal_errors;
    probe_judge(&question, &doc, j->f.arena, &j->verdict);
}

/* The names of the checks that failed, with blanks between. */
static vsr_str failed(struct judged *j) {
    vsr_str names = VSR_STR("");
    for (size_t i = 0; i < j->verdict.n_failures; i++) {
        CHECK_MSG(j->verdict.failures[i].expected.len && j->verdict.failures[i].got.len, "a failure says nothing");
        names = arena_printf(j->f.arena, "%.*s%s%s", VSR_FMT(names), i ? " " : "",
                             probe_check_text(j->verdict.failures[i].check));
    }
    return names;
}

static const struct {
    const char *name, *expected; /* NULL: `expectation` */
    const char *document, *want; /* checks that fail */
} cases[] = {
    { "good", NULL, GOOD, "" },
    { "nothing", NULL, "{}", "decision model recipe algorithm plugins signals alias trace selection" },
    { "no object", NULL, "[]", "decision model recipe algorithm plugins signals alias trace selection" },
    { "null where there should be more", NULL,
      "{\"requested_model\": null, \"recipe\": 1, \"decision_result\": [], \"eval_trace\": {}, \"signal_errors\": [1]}",
      "decision model recipe algorithm plugins signals alias trace selection" },

    { "decision", NULL,
      "{\"requested_model\": \"entry\", \"recipe\": \"main\", \"routing_decision\": \"rest\", " RESULT("[\"cache\"]",
                                                                                                       SIGNALS)
          MODELS TRACE SELECTION "}",
      "decision" },
    { "decision in its result", NULL,
      "{\"requested_model\": \"entry\", \"recipe\": \"main\", \"routing_decision\": \"\", " RESULT("[\"cache\"]",
                                                                                                   SIGNALS)
          MODELS TRACE SELECTION "}",
      "" },
    { "model", NULL,
      "{\"requested_model\": \"other\", \"recipe\": \"main\", \"routing_decision\": \"legal\", " RESULT("[\"cache\"]",
                                                                                                        SIGNALS)
          MODELS TRACE SELECTION "}",
      "model" },
    { "recipe", NULL,
      "{\"requested_model\": \"entry\", \"recipe\": \"default\", \"routing_decision\": \"legal\", " RESULT(
          "[\"cache\"]", SIGNALS) MODELS TRACE SELECTION "}",
      "recipe" },
    { "algorithm", NULL,
      "{" HEAD
      "\"decision_result\": {\"algorithm\": \"confidence\", \"plugins\": [\"cache\"], \"matched_signals\": " SIGNALS
      "}, " MODELS TRACE SELECTION "}",
      "algorithm" },

    { "plugin missing", NULL, "{" HEAD RESULT("[]", SIGNALS) MODELS TRACE SELECTION "}", "plugins" },
    { "plugin forbidden", NULL, "{" HEAD RESULT("[\"cache\", \"rag\"]", SIGNALS) MODELS TRACE SELECTION "}",
      "plugins" },
    { "another plugin", NULL, "{" HEAD RESULT("[\"cache\", \"tools\"]", SIGNALS) MODELS TRACE SELECTION "}", "" },
    { "another plugin, exactly", EXPECTATION("expected_plugins: [cache], plugin_match: exact,"),
      "{" HEAD RESULT("[\"cache\", \"tools\"]", SIGNALS) MODELS TRACE SELECTION "}", "plugins" },
    { "the same plugins, exactly", EXPECTATION("expected_plugins: [cache, tools], plugin_match: exact,"),
      "{" HEAD RESULT("[\"tools\", \"cache\"]", SIGNALS) MODELS TRACE SELECTION "}", "" },
    { "a plugin expected twice, exactly", EXPECTATION("expected_plugins: [cache, cache], plugin_match: exact,"),
      "{" HEAD RESULT("[\"cache\", \"tools\"]", SIGNALS) MODELS TRACE SELECTION "}", "plugins" },
    { "no plugins, exactly", EXPECTATION("plugin_match: exact,"),
      "{" HEAD RESULT("[\"cache\"]", SIGNALS) MODELS TRACE SELECTION "}", "plugins" },

    { "signal missing", NULL,
      "{" HEAD RESULT("[\"cache\"]", "{\"keywords\": [\"law\"], \"projection\": [], \"complexity\": [\"depth:hard\"]}")
          MODELS TRACE SELECTION "}",
      "signals" },
    { "signal under another key", NULL,
      "{" HEAD RESULT("[\"cache\"]",
                      "{\"context\": [\"law\"], \"projection\": [\"hard\"], \"complexity\": [\"depth:hard\"]}")
          MODELS TRACE SELECTION "}",
      "signals" },
    { "signal at another level", NULL,
      "{" HEAD RESULT("[\"cache\"]",
                      "{\"keywords\": [\"law\"], \"projection\": [\"hard\"], \"complexity\": [\"depth:easy\"]}")
          MODELS TRACE SELECTION "}",
      "signals" },
    { "signal forbidden", NULL,
      "{" HEAD RESULT("[\"cache\"]", "{\"keywords\": [\"law\", \"code\"], \"projection\": [\"hard\"], \"complexity\": "
                                     "[\"depth:hard\"]}") MODELS TRACE SELECTION "}",
      "signals" },
    { "another signal, exactly", EXPECTATION("expected_signals: {keywords: [law]}, signal_match: exact,"),
      "{" HEAD RESULT("[]", "{\"keywords\": [\"law\"], \"context\": [\"long\"]}") MODELS TRACE SELECTION "}",
      "signals" },
    { "the same signals, exactly",
      EXPECTATION("expected_signals: {context: [long], keywords: [law]}, signal_match: exact,"),
      "{" HEAD RESULT("[]", "{\"keywords\": [\"law\"], \"context\": [\"long\"], \"domains\": []}")
          MODELS TRACE SELECTION "}",
      "" },
    { "a signal expected twice, exactly", EXPECTATION("expected_signals: {keywords: [law, law]}, signal_match: exact,"),
      "{" HEAD RESULT("[]", "{\"keywords\": [\"law\", \"code\"]}") MODELS TRACE SELECTION "}", "signals" },

    { "alias", EXPECTATION("expected_alias: huge,"), GOOD, "alias" },

    { "no trace", NULL, "{" HEAD RESULT("[\"cache\"]", SIGNALS) MODELS "\"eval_trace\": [], " SELECTION "}", "trace" },
    { "a decision not traced", NULL,
      "{" HEAD RESULT("[\"cache\"]", SIGNALS) MODELS
      "\"eval_trace\": [{\"decision_name\": \"legal\", \"matched\": true}], " SELECTION "}",
      "trace" },
    { "a decision traced twice in place of another", NULL,
      "{" HEAD RESULT("[\"cache\"]", SIGNALS) MODELS
      "\"eval_trace\": [{\"decision_name\": \"legal\", \"matched\": true}, {\"decision_name\": \"legal\", "
      "\"matched\": false}], " SELECTION "}",
      "trace" },
    { "a decision of another recipe", NULL,
      "{" HEAD RESULT("[\"cache\"]", SIGNALS) MODELS
      "\"eval_trace\": [{\"decision_name\": \"legal\", \"matched\": true}, {\"decision_name\": \"rest\"}, "
      "{\"decision_name\": \"far\"}], " SELECTION "}",
      "trace" },
    { "the expected one not matched", NULL,
      "{" HEAD RESULT("[\"cache\"]", SIGNALS) MODELS
      "\"eval_trace\": [{\"decision_name\": \"legal\", \"matched\": false}, {\"decision_name\": \"rest\", "
      "\"matched\": true}], " SELECTION "}",
      "trace" },
    { "the expected one matched twice", NULL,
      "{" HEAD RESULT("[\"cache\"]", SIGNALS) MODELS
      "\"eval_trace\": [{\"decision_name\": \"legal\", \"matched\": true}, {\"decision_name\": \"legal\", "
      "\"matched\": true}, {\"decision_name\": \"rest\"}], " SELECTION "}",
      "trace" },

    { "signal errors", NULL,
      "{" HEAD RESULT("[\"cache\"]", SIGNALS) MODELS TRACE SELECTION
      ", \"signal_errors\": {\"embedding:x\": {\"code\": \"unavailable\"}}}",
      "signal_errors" },

    { "no selection", NULL, "{" HEAD RESULT("[\"cache\"]", SIGNALS) MODELS TRACE "\"signal_errors\": {}}",
      "selection" },
    { "no selection, none asked for", EXPECTATION(""), "{" HEAD RESULT("[\"cache\"]", SIGNALS) TRACE "\"x\": 1}", "" },
};

TEST(checks_fail_alone) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct judged j;
        judge_with(&j, cases[i].expected, cases[i].document, false);
        CHECK_STR(failed(&j), cases[i].want, cases[i].name);
        suite_done(&j.f);
    }
}

/* ---- selection: algorithm by status, method and model */

static const struct {
    const char *algorithm, *status, *method, *model;
    bool ok;
} selections[] = {
    { "static", "selected", "static", "big", true },
    { "static", "selected", "single", "big", true },
    { "static", "execution_required", "static", "", true },
    { "static", "execution_required", "static", "big", false },
    { "static", "selected", "static", "", false },
    { "static", "selected", "static", "huge", false }, /* not recommended */
    { "static", "planned_final", "static", "big", false },
    { "static", "selected", "latency_aware", "big", false },
    { "static", "", "static", "big", false },
    { "static", "selected", "", "big", false },
    { "multi_factor", "selected", "multi_factor", "big", true },
    { "multi_factor", "selected", "single", "big", false }, /* `single` is for static */
    { "latency_aware", "execution_required", "latency_aware", "", true },
    { "workflows", "planned_final", "workflows", "big", true },
    { "workflows", "execution_required", "workflows", "", true },
    { "workflows", "selected", "workflows", "big", false },
    { "fusion", "planned_final", "fusion", "", false },
    { "fusion", "planned_final", "fusion", "huge", false },
    { "remom", "planned_final", "remom", "small", true },
    { "confidence", "execution_required", "confidence", "", true },
    { "confidence", "selected", "confidence", "big", false },
    { "confidence", "planned_final", "confidence", "big", false },
};

TEST(selection) {
    for (size_t i = 0; i < VSR_COUNT(selections); i++) {
        struct judged j;
        char expected[512], document[2048], name[128];
        snprintf(name, sizeof(name), "%s: %s by %s, %s", selections[i].algorithm, selections[i].status,
                 selections[i].method, selections[i].model);
        snprintf(expected, sizeof(expected),
                 "- {id: d, expected_decision: legal, expected_recipe: main, expected_algorithm: %s, "
                 "variants: [{id: v, query: q}]}\n",
                 selections[i].algorithm);
        snprintf(document, sizeof(document),
                 "{" HEAD "\"decision_result\": {\"algorithm\": \"%s\"}, " MODELS TRACE
                 "\"selection_status\": \"%s\", \"selection_method\": \"%s\", \"selected_model\": \"%s\"}",
                 selections[i].algorithm, selections[i].status, selections[i].method, selections[i].model);
        judge_with(&j, expected, document, false);
        CHECK_STR(failed(&j), selections[i].ok ? "" : "selection", name);
        suite_done(&j.f);
    }
}

/* ---- signals that could not be evaluated */

static const struct {
    const char *name, *errors, *expected_signals;
    bool excused;
} errors[] = {
    { "the rule", "{\"embedding:far\": {}}", "expected_signals: {embeddings: [far]},", true },
    { "its whole family", "{\"embedding:*\": {}}", "expected_signals: {embeddings: [far]},", true },
    { "a level of the rule", "{\"complexity:depth\": {}}", "expected_signals: {complexity: ['depth:hard']},", true },
    { "a rule whose name begins alike", "{\"complexity:dep\": {}}", "expected_signals: {complexity: ['depth:hard']},",
      false },
    { "another rule", "{\"embedding:near\": {}}", "expected_signals: {embeddings: [far]},", false },
    { "another family", "{\"domain:far\": {}}", "expected_signals: {embeddings: [far]},", false },
    { "no error", "{}", "expected_signals: {embeddings: [far]},", false },
    { "a rule that has no error beside one that has", "{\"embedding:far\": {}}",
      "expected_signals: {embeddings: [far], keywords: [law]},", false },
};

TEST(unavailable_signals_are_excused_where_that_is_asked_for) {
    for (size_t i = 0; i < VSR_COUNT(errors); i++) {
        for (int ignore = 0; ignore < 2; ignore++) {
            struct judged j;
            char expected[512], document[2048];
            bool any = errors[i].errors[1] != '}';
            snprintf(expected, sizeof(expected),
                     "- {id: d, expected_decision: legal, expected_recipe: main, %s variants: [{id: v, query: q}]}\n",
                     errors[i].expected_signals);
            snprintf(document, sizeof(document), "{" HEAD "\"decision_result\": {}, " TRACE "\"signal_errors\": %s}",
                     errors[i].errors);
            judge_with(&j, expected, document, ignore);
            CHECK_STR(failed(&j),
                      ignore ? errors[i].excused ? "" : "signals"
                      : any  ? "signals signal_errors"
                             : "signals",
                      errors[i].name);
            suite_done(&j.f);
        }
    }
}

TEST(messages_show_the_beginning) {
    struct judged j;
    struct buf document;
    buf_init(&document, 1 << 20);
    buf_append_c(&document, "{" HEAD "\"recommended_models\": [\"");
    for (int i = 0; i < 10000; i++)
        buf_append_c(&document, "\xc3\xa9");
    buf_append_c(&document, "\"], " TRACE "\"x\": 1}");
    buf_append_char(&document, '\0');
    judge_with(&j, EXPECTATION("expected_alias: big,"), document.ptr, false);
    CHECK_STR(failed(&j), "alias", "alias");
    CHECK_INT(j.verdict.failures[0].got.len, 1024, "as much as fits, no character cut");
    suite_done(&j.f);
    buf_done(&document);
}

RUN_TESTS(T(checks_fail_alone), T(selection), T(unavailable_signals_are_excused_where_that_is_asked_for),
          T(messages_show_the_beginning))
