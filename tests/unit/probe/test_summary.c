/* Summaries: rates, tags, coverage, latency, complaints; runs with an asker of the test's own; what reports look like.
 */
#include "suites.h"

#include <ctype.h>
#include <string.h>

#include "core/json.h"
#include "core/json_write.h"
#include "plugin/plugin.h"
#include "probe/report.h"
#include "provider/registry.h"
#include "route/route.h"
#include "select/selector.h"
#include "serve/snapshot.h"
#include "serve/telemetry.h"

static const char profile[] = "version: v0.3\n"
                              "listeners: [{name: main, address: 127.0.0.1, port: 8080}]\n"
                              "providers:\n"
                              "  defaults: {default_model: small}\n"
                              "  models: [{name: small, backend_refs: [{endpoint: '127.0.0.1:1'}]}]\n"
                              "entrypoints: [{model_names: [side-door, other-door], recipe: side}]\n"
                              "routing:\n"
                              "  modelCards: [{name: small}]\n"
                              "  signals:\n"
                              "    keywords:\n"
                              "      - {name: law, operator: OR, keywords: [law]}\n"
                              "      - {name: code, operator: OR, keywords: [code]}\n"
                              "  decisions:\n"
                              "    - name: legal\n"
                              "      priority: 2\n"
                              "      rules: {type: keyword, name: law}\n"
                              "      algorithm: {type: static}\n"
                              "      modelRefs: [{model: small}]\n"
                              "    - {name: rest, priority: 1, modelRefs: [{model: small}]}\n"
                              "recipes:\n"
                              "  - name: side\n"
                              "    routing: {decisions: [{name: all, priority: 1, modelRefs: [{model: small}]}]}\n";

struct world {
    struct suite_fixture f;
    struct telemetry *telemetry;
    struct provider_registry *registry;
    struct snapshot *snapshot;
    struct probe_options options;
    struct probe_outcomes outcomes;
    struct probe_summary summary;
};

static void load_profile(struct world *w) {
    struct snapshot_options options = { .n_workers = 4, .generation = 1 };
    struct vsr_err err = VSR_ERR_NONE;
    struct buf problems;
    struct diag diag;
    w->telemetry = telemetry_new();
    w->registry = provider_registry_new();
    options.telemetry = w->telemetry;
    options.registry = w->registry;
    options.load.parts =
        (struct config_parts){ .families = route_families(), .algorithms = select_kinds(), .plugins = plugin_kinds() };
    diag_init(&diag, w->f.arena, VSR_STR("policy.yaml"));
    if (snapshot_load(NULL, str_from_c(profile), VSR_STR("policy.yaml"), &options, &diag, &w->snapshot, &err) == 0)
        return;
    buf_init(&problems, 1 << 20);
    diag_print(&diag, &problems, false);
    fail_msg("the profile does not load: %s %.*s", err.text, (int)problems.len, problems.ptr);
}

static void world_make(struct world *w, const char *suite) {
    *w = (struct world){ 0 };
    suite_must_read(&w->f, suite);
    load_profile(w);
    w->options = (struct probe_options){ .suite = w->f.suite, .snapshot = w->snapshot, .jobs = 1 };
}

static void world_done(struct world *w) {
    probe_outcomes_free(&w->outcomes);
    snapshot_unref(w->snapshot);
    provider_registry_free(w->registry);
    telemetry_free(w->telemetry);
    suite_done(&w->f);
}

/* ---- an asker whose answer is in the question: the first word of the text */

static void write_answer(vsr_str word, vsr_str model, struct buf *out) {
    bool legal = str_eq_c(word, "law") || str_eq_c(word, "dependent");
    buf_append_c(out, "{\"requested_model\": ");
    json_quote(out, model);
    buf_printf(out, ", \"recipe\": \"default\", \"routing_decision\": \"%s\", ", legal ? "legal" : "rest");
    buf_printf(out,
               "\"eval_trace\": [{\"decision_name\": \"legal\", \"matched\": %s}, {\"decision_name\": \"rest\", "
               "\"matched\": true}]",
               legal ? "true" : "false");
    buf_printf(out, "%s}", str_starts(word, VSR_STR("dependent")) ? ", \"signal_errors\": {\"kb:x\": 1}" : "");
}

static int ask(void *data, size_t worker, struct arena *arena, vsr_str body, const struct probe_decision *decision,
               struct probe_answer *ret_answer, struct vsr_err *err) {
    struct json_doc doc;
    struct buf out;
    vsr_str text, model = VSR_STR(""), word;
    (void)data;
    (void)worker;
    (void)decision;
    if (json_parse(arena, body, &doc, err) < 0 || !json_str(arena, &doc, json_get(&doc, 0, VSR_STR("text")), &text))
        return err_set(err, VSR_E_INVALID, "the body is not understood");
    (void)json_str(arena, &doc, json_get(&doc, 0, VSR_STR("model")), &model);
    word = str_split(&text, ' ');
    if (str_eq_c(word, "error"))
        return err_set(err, VSR_E_UNAVAILABLE, "nobody <answers> \"at\" \x01 all & ever");
    buf_init(&out, 1 << 16);
    if (str_eq_c(word, "garbage"))
        buf_append_c(&out, "garbage");
    else
        write_answer(word, model, &out);
    ret_answer->document = arena_str(arena, buf_str(&out));
    ret_answer->independent = !str_starts(word, VSR_STR("dependent"));
    ret_answer->incomplete = true;
    ret_answer->time_ns = 1000 * (text.len ? strtoull(arena_c_str(arena, text), NULL, 10) : 1);
    buf_done(&out);
    return 0;
}

static void run(struct world *w, const char *suite, bool by_independence) {
    struct vsr_err err = VSR_ERR_NONE;
    world_make(w, suite);
    w->options.asker.ask = ask;
    w->options.by_independence = by_independence;
    CHECK_MSG(probe_run(&w->options, &w->outcomes, &err) == 0, "%s", err.text);
    probe_summarize(&w->options, &w->outcomes, w->f.arena, &w->summary);
}

static void check_complaints(const struct world *w, const char *const *want, const char *name) {
    size_t n = 0;
    for (; want[n]; n++)
        CHECK_STR(n < w->summary.n_complaints ? w->summary.complaints[n] : VSR_STR("no complaint"), want[n], name);
    CHECK_MSG(n == w->summary.n_complaints, "case \"%s\": complaint \"%.*s\" not expected", name,
              VSR_FMT(w->summary.complaints[n]));
}

/* ---- rates */

#define DECISIONS(legal, rest) \
    "decisions:\n- {id: l, expected_decision: legal, " legal "}\n- {id: r, expected_decision: rest, " rest "}\n"
/* What the second recipe needs; it is not asked by the asker above, which answers as the default one. */
#define SIDE \
    "- {id: s, expected_decision: all, model: side-door, robustness: {min_pass_rate: 0}, expected_recipe: side, " \
    "variants: [{id: v, query: law}]}\n"
#define Q(id, text) "{id: " id ", query: '" text "'}"

TEST(percents) {
    static const struct {
        size_t passed, total;
        double want;
    } cases[] = { { 0, 0, 100 },  { 0, 7, 0 },         { 7, 7, 100 },    { 1, 3, 33.3 },
                  { 2, 3, 66.7 }, { 999, 1000, 99.9 }, { 1, 2000, 0.1 }, { 1, 2001, 0 },
                  { 5, 8, 62.5 }, { 1999, 2000, 100 } /* 99.95, to one decimal */ };
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_MSG(probe_percent((struct probe_rate){ cases[i].passed, cases[i].total }) == cases[i].want, "%zu of %zu",
                  cases[i].passed, cases[i].total);
}

TEST(states_and_rates) {
    static const char *const want[] = { "44.4 % of the probes pass, 100.0 % are asked for",
                                        "66.7 % of the probes of l pass, 100.0 % are asked for",
                                        "40.0 % of the probes of r pass, 50.0 % are asked for", NULL };
    static const int states[] = { PROBE_PASSED, PROBE_PASSED,    PROBE_FAILED,    PROBE_PASSED, PROBE_PASSED,
                                  PROBE_FAILED, PROBE_NOT_ASKED, PROBE_NOT_ASKED, PROBE_FAILED };
    struct world w;
    run(&w,
        SUITE_HEAD SUITE_COVERAGE "acceptance: {min_decision_pass_rate: 100}\n" DECISIONS(
            "variants: [" Q("a", "law") ", " Q("b", "law") ", " Q("c", "other") "]",
            "robustness: {min_pass_rate: 50}, variants: [" Q("a", "x") ", " Q("b", "y") ", " Q("c", "law") ", " Q(
                "d", "error") ", " Q("e", "garbage") "]") SIDE,
        false);
    CHECK_INT(w.outcomes.n, VSR_COUNT(states), "outcomes");
    for (size_t i = 0; i < VSR_COUNT(states); i++)
        CHECK_INT(w.outcomes.items[i].state, states[i], "state");
    CHECK_STR(w.outcomes.items[4].id, "r:b", "id");
    CHECK_STR(w.outcomes.items[6].error, "nobody <answers> \"at\" \x01 all & ever", "error");
    CHECK_INT(w.summary.rate.passed, 4, "passed");
    CHECK_INT(w.summary.rate.total, 9, "total");
    CHECK_INT(w.summary.n_not_asked, 2, "errors");
    check_complaints(&w, want, "decisions with rates of their own");
    world_done(&w);
}

TEST(accepted) {
    static const char *const none[] = { NULL };
    struct world w;
    run(&w,
        SUITE_HEAD SUITE_COVERAGE "acceptance: {min_probe_pass_rate: 66.6}\n" DECISIONS("variants: [" Q("a", "law") "]",
                                                                                        "variants: [" Q("a", "x") "]")
            SIDE,
        false);
    check_complaints(&w, none, "two of three pass, 66.6 % are asked for");
    CHECK(w.summary.whole, "whole");
    world_done(&w);
}

TEST(dependent_probes_are_counted_apart) {
    struct world w;
    run(&w,
        SUITE_HEAD SUITE_COVERAGE DECISIONS(
            "variants: [" Q("a", "law") ", " Q("b", "dependent") ", " Q("c", "dependently") ", " Q("d", "error") "]",
            "variants: [" Q("a", "x") "]") SIDE,
        true);
    CHECK_INT(w.outcomes.items[1].state, PROBE_DEPENDENT, "its signal errors are told");
    CHECK_INT(w.outcomes.items[2].state, PROBE_DEPENDENT, "another decision");
    CHECK_INT(w.outcomes.items[3].state, PROBE_NOT_ASKED, "an error is never excused");
    CHECK_INT(w.summary.n_dependent, 2, "dependent");
    CHECK_INT(w.summary.n_dependent_passed, 0, "dependent that pass");
    CHECK_INT(w.summary.rate.total, 4, "others");
    CHECK_INT(w.summary.rate.passed, 2, "others that pass");
    world_done(&w);
}

/* ---- tags, shapes, coverage */

#define COVERING(coverage, legal) \
    SUITE_HEAD "coverage: {" coverage \
               "}\nacceptance: {min_probe_pass_rate: 0, min_decision_pass_rate: 0}\n" DECISIONS( \
                   legal, "variants: [" Q("a", "x") "]") SIDE

static const struct {
    const char *name, *suite;
    const char *want[4];
} coverages[] = {
    { "nothing asked for", COVERING("", "variants: [" Q("a", "law") "]"), { NULL } },
    { "tags",
      COVERING("min_tag_counts: {language: 2, stress: 1}, min_tag_pass_rate: {language: 50.1, stress: 100}",
               "variants: [{id: a, query: law, tags: [de]}, {id: b, query: x, tags: [en, 'stress:x']}]"),
      { "50.0 % of the probes tagged language pass, 50.1 % are asked for",
        "0.0 % of the probes tagged stress pass, 100.0 % are asked for", NULL } },
    { "too few tags",
      COVERING("min_tag_counts: {language: 2, negative: 0}", "variants: [{id: a, query: law, tags: [de]}]"),
      { "1 probes are tagged language, 2 are asked for", NULL } },
    { "shapes",
      COVERING("required_request_shapes: [text, messages, tools]", "variants: [{id: a, query: law, tools: []}]"),
      { "no probe has the shape messages", "no probe has the shape tools", NULL } },
    { "all shapes",
      COVERING("required_request_shapes: [tools, messages, text]",
               "variants: [{id: a, query: law, tools: [{type: function}]}, {id: b, messages: []}]"),
      { NULL } },
    { "half of the signals",
      COVERING("min_signal_assertion_percent: 50, min_algorithm_assertion_percent: 100",
               "expected_algorithm: static, expected_signals: {keywords: [law]}, variants: [" Q("a", "law") "]"),
      { NULL } },
    { "more than half of the signals",
      COVERING("min_signal_assertion_percent: 50.1, min_algorithm_assertion_percent: 1",
               "forbidden_signals: {keywords: [code]}, variants: [" Q("a", "law") "]"),
      { "1 of 2 signals are asserted, 50.1 % are asked for", "0 of 1 algorithms are asserted, 1.0 % are asked for",
        NULL } },
    { "signals of a variant count",
      COVERING("min_signal_assertion_percent: 100",
               "forbidden_signals: {keywords: [code]}, variants: [{id: a, query: law, "
               "expected_signals: {keywords: [law]}}]"),
      { NULL } },
    { "signals that a variant replaces do not",
      COVERING("min_signal_assertion_percent: 50",
               "expected_signals: {keywords: [law]}, variants: [{id: a, query: law, expected_signals: {}}]"),
      { "0 of 2 signals are asserted, 50.0 % are asked for", NULL } },
    { "signals that are not there",
      COVERING("", "forbidden_signals: {keywords: [cod, 'law:x'], projection: [p]}, variants: [" Q("a", "law") "]"),
      { "the probes speak of keywords cod, which recipe default does not have",
        "the probes speak of projection p, which recipe default does not have", NULL } },
    { "a decision and an entrypoint that no probe asks for",
      SUITE_HEAD SUITE_COVERAGE "acceptance: {min_probe_pass_rate: 0, min_decision_pass_rate: 0}\n"
                                "decisions: [{id: l, expected_decision: legal, variants: [" Q("a", "law") "]}]\n",
      { "no probe expects decision rest of recipe default", "no probe expects decision all of recipe side",
        "no probe asks for the entrypoint of recipe side", NULL } },
};

TEST(coverage) {
    for (size_t i = 0; i < VSR_COUNT(coverages); i++) {
        struct world w;
        run(&w, coverages[i].suite, false);
        check_complaints(&w, coverages[i].want, coverages[i].name);
        world_done(&w);
    }
}

/* ---- latency */

TEST(quantiles) {
    struct world w;
    run(&w,
        SUITE_HEAD SUITE_COVERAGE "decisions:\n- {id: l, expected_decision: legal, variants: [" Q("a", "law 40") ", " Q(
            "b", "law 10") ", " Q("c", "law 30") ", " Q("d", "law 20") ", " Q("e", "error 99") "]}\n",
        false);
    CHECK(w.summary.latency.min == 10 && w.summary.latency.max == 40, "ends");
    CHECK(w.summary.latency.p50 == 25, "half way between the middle two");
    CHECK(w.summary.latency.p95 > 38.499 && w.summary.latency.p95 < 38.501, "0.95 * 3 = 2.85");
    CHECK(w.summary.latency.p99 > 39.699 && w.summary.latency.p99 < 39.701, "0.99 * 3 = 2.97");
    world_done(&w);
}

TEST(quantiles_of_one_and_of_none) {
    struct world w;
    run(&w,
        SUITE_HEAD SUITE_COVERAGE "decisions:\n- {id: l, expected_decision: legal, variants: [" Q("a", "law 7") "]}\n",
        false);
    CHECK(w.summary.latency.min == 7 && w.summary.latency.p50 == 7 && w.summary.latency.p99 == 7, "one");
    world_done(&w);
    run(&w,
        SUITE_HEAD SUITE_COVERAGE "decisions:\n- {id: l, expected_decision: legal, variants: [" Q("a", "error") "]}\n",
        false);
    CHECK(w.summary.latency.max == 0, "none");
    world_done(&w);
}

/* ---- runs */

static const char several[] =
    SUITE_HEAD SUITE_COVERAGE DECISIONS("variants: [" Q("a", "law") ", " Q("b", "x") ", " Q("c", "error") "]",
                                        "variants: [" Q("a", "x") ", " Q("b", "y") "]");

static void count(void *data, size_t done, size_t total) {
    size_t *last = data;
    CHECK_INT(done, *last + 1, "progress");
    CHECK_INT(total, 5, "total");
    *last = done;
}

TEST(jobs_change_nothing) {
    struct world one;
    run(&one, several, false);
    for (size_t jobs = 2; jobs <= 64; jobs *= 2) {
        struct vsr_err err = VSR_ERR_NONE;
        struct world w;
        size_t last = 0;
        world_make(&w, several);
        w.options.asker.ask = ask;
        w.options.jobs = jobs;
        w.options.progress = count;
        w.options.progress_data = &last;
        CHECK_INT(probe_run(&w.options, &w.outcomes, &err), 0, "runs");
        CHECK_INT(w.outcomes.n, one.outcomes.n, "outcomes");
        CHECK_INT(last, 5, "progress to the end");
        for (size_t i = 0; i < w.outcomes.n; i++) {
            CHECK(str_eq(w.outcomes.items[i].id, one.outcomes.items[i].id), "order");
            CHECK(str_eq(w.outcomes.items[i].model, one.outcomes.items[i].model), "model");
            CHECK_INT(w.outcomes.items[i].state, one.outcomes.items[i].state, "state");
        }
        world_done(&w);
    }
    world_done(&one);
}

TEST(some_probes) {
    vsr_str ids[] = { VSR_STR("r:b"), VSR_STR("l:a") };
    struct vsr_err err = VSR_ERR_NONE;
    struct world all, w;
    run(&all, several, false);
    world_make(&w, several);
    w.options.asker.ask = ask;
    w.options.ids = ids;
    w.options.n_ids = 2;
    CHECK_INT(probe_run(&w.options, &w.outcomes, &err), 0, "runs");
    CHECK_INT(w.outcomes.n, 2, "outcomes");
    CHECK_STR(w.outcomes.items[0].id, "l:a", "the suite's order");
    CHECK_STR(w.outcomes.items[1].id, "r:b", "the suite's order");
    CHECK(str_eq(w.outcomes.items[1].model, all.outcomes.items[4].model), "the same model as among all");
    probe_summarize(&w.options, &w.outcomes, w.f.arena, &w.summary);
    CHECK(!w.summary.whole && w.summary.n_complaints == 0, "coverage does not count");
    world_done(&w);
    world_make(&w, several);
    w.options.asker.ask = ask;
    ids[1] = VSR_STR("l:z");
    w.options.ids = ids;
    w.options.n_ids = 2;
    CHECK_INT(probe_run(&w.options, &w.outcomes, &err), VSR_E_NOT_FOUND, "unknown");
    CHECK_STR(str_from_c(err.text), "the suite has no probe \"l:z\"", "message");
    world_done(&w);
    world_done(&all);
}

TEST(models_in_turn) {
    struct world w;
    run(&w, several, false);
    for (size_t i = 0; i < w.outcomes.n; i++) {
        const struct config_strings *names = &w.snapshot->doc->global.router.auto_model_names;
        CHECK(names->n > 1, "several aliases");
        CHECK(str_eq(w.outcomes.items[i].model, names->items[i % names->n]), "in turn");
    }
    world_done(&w);
}

/* ---- reports */

/* Reads a name; empty when there is none. */
static vsr_str xml_name(vsr_str text, size_t *at) {
    size_t begin = *at;
    while (*at < text.len && (isalnum((unsigned char)text.ptr[*at]) || text.ptr[*at] == '_'))
        ++*at;
    return str_sub(text, begin, *at);
}

/* Reads attributes up to the tag's end; values have no bare `<` or `&`, no control characters. */
static void xml_attributes(vsr_str text, size_t *at) {
    while (*at < text.len && text.ptr[*at] == ' ') {
        ++*at;
        CHECK_MSG(xml_name(text, at).len && str_starts(str_sub(text, *at, text.len), VSR_STR("=\"")), "no attribute");
        for (*at += 2; *at < text.len && text.ptr[*at] != '"'; ++*at) {
            vsr_str rest = str_sub(text, *at, text.len);
            CHECK_MSG((unsigned char)text.ptr[*at] >= ' ' && text.ptr[*at] != '<', "a bare character");
            CHECK_MSG(text.ptr[*at] != '&' || str_starts(rest, VSR_STR("&amp;")) || str_starts(rest, VSR_STR("&lt;")) ||
                          str_starts(rest, VSR_STR("&gt;")) || str_starts(rest, VSR_STR("&quot;")),
                      "an entity");
        }
        ++*at;
    }
}

/* Elements open and close in order. Returns how many there are. */
static size_t check_xml(vsr_str text) {
    static const char declaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    vsr_str open[8];
    size_t n_open = 0, n = 0, at = sizeof(declaration) - 1;
    CHECK_MSG(str_starts(text, VSR_STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")), "the declaration");
    while (at < text.len) {
        bool close;
        vsr_str name;
        if (text.ptr[at] != '<') {
            CHECK_MSG(isspace((unsigned char)text.ptr[at]), "text between elements");
            at++;
            continue;
        }
        close = text.ptr[++at] == '/';
        at += close;
        name = xml_name(text, &at);
        CHECK_MSG(name.len && n_open < 8, "an element");
        xml_attributes(text, &at);
        if (close) {
            CHECK_MSG(n_open > 0 && str_eq(open[n_open - 1], name), "</%.*s>", VSR_FMT(name));
            n_open--;
        } else {
            n++;
            if (text.ptr[at] == '/')
                at++;
            else
                open[n_open++] = name;
        }
        CHECK_MSG(text.ptr[at] == '>', "the end of <%.*s", VSR_FMT(name));
        at++;
    }
    CHECK_INT(n_open, 0, "all closed");
    return n;
}

static const char reported[] =
    "schema_version: v1\nname: 'a <b> & \"c\"'\nrouting_assets: {yaml: c, dsl: d}\ncoverage: {}\ndecisions:\n"
    "- {id: 'l<\"&>\xc3\xa9\xef\xbf\xbe', expected_decision: legal, variants: [" Q("'\\'", "law") ", " Q(
        "b", "x") ", " Q("c", "error") ", " Q("d", "dependent") "]}\n";

TEST(junit_is_well_formed) {
    struct world w;
    struct buf out;
    run(&w, reported, true);
    buf_init(&out, 1 << 20);
    probe_report_junit(&w.summary, &out);
    CHECK_INT(check_xml(buf_str(&out)), 2 + 4 + 2 + 1 + 1, "elements: suites, suite, cases, failures, error, skipped");
    CHECK(str_find(buf_str(&out), VSR_STR("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\"")) >= 0, "counts");
    CHECK(str_find(buf_str(&out), VSR_STR("nobody &lt;answers&gt; &quot;at&quot;   all &amp; ever")) >= 0, "error");
    CHECK(str_find(buf_str(&out), VSR_STR("l&lt;&quot;&amp;&gt;\xc3\xa9 \"")) >= 0, "what XML cannot have is a blank");
    CHECK(str_find(buf_str(&out), VSR_STR("<failure type=\"decision\" message=\"expected legal, got rest\"/>")) >= 0,
          "failure");
    buf_done(&out);
    world_done(&w);
}

TEST(json_report) {
    struct vsr_err err = VSR_ERR_NONE;
    struct json_writer writer;
    struct json_doc doc;
    struct world w;
    struct buf out;
    json_ref probes;
    run(&w, reported, true);
    buf_init(&out, 1 << 20);
    json_write_init(&writer, &out);
    probe_report_json(&w.summary, &writer);
    CHECK_MSG(json_parse(w.f.arena, buf_str(&out), &doc, &err) == 0, "%s", err.text);
    CHECK_STR(json_raw(&doc, json_get(&doc, 0, VSR_STR("accepted"))), "false", "accepted");
    CHECK_STR(json_raw(&doc, json_get(&doc, 0, VSR_STR("pass_rate"))), "33.3", "pass_rate");
    CHECK_STR(json_raw(&doc, json_get(&doc, 0, VSR_STR("errors"))), "1", "errors");
    CHECK_STR(json_raw(&doc, json_get(&doc, 0, VSR_STR("dependent"))), "1", "dependent");
    probes = json_get(&doc, 0, VSR_STR("probes"));
    CHECK_INT(json_count(&doc, probes), 4, "probes");
    CHECK_STR(json_raw(&doc, json_get(&doc, json_at(&doc, probes, 3), VSR_STR("state"))), "\"dependent\"", "state");
    buf_done(&out);
    world_done(&w);
}

TEST(text_report) {
    struct world w;
    struct buf out;
    run(&w, several, false);
    buf_init(&out, 1 << 20);
    probe_report_text(&w.summary, false, &out);
    CHECK(str_find(buf_str(&out), VSR_STR("failed\n  l:b\n    decision      expected legal, got rest\n")) >= 0,
          "failed");
    CHECK(str_find(buf_str(&out), VSR_STR("not answered\n  l:c\n    nobody <answers>")) >= 0, "not answered");
    CHECK(str_find(buf_str(&out), VSR_STR("\n3 of 5 probes pass\n")) >= 0, "rate");
    CHECK(str_find(buf_str(&out), VSR_STR("not accepted: 60.0 % of the probes pass, 100.0 % are asked for\n")) >= 0,
          "complaint");
    CHECK(str_find(buf_str(&out), VSR_STR("\033")) < 0, "no colour");
    buf_reset(&out);
    probe_report_text(&w.summary, true, &out);
    CHECK(str_find(buf_str(&out), VSR_STR("\033[31ml:b\033[0m")) >= 0, "colour");
    buf_done(&out);
    world_done(&w);
}

RUN_TESTS(T(percents), T(states_and_rates), T(accepted), T(dependent_probes_are_counted_apart), T(coverage),
          T(quantiles), T(quantiles_of_one_and_of_none), T(jobs_change_nothing), T(some_probes), T(models_in_turn),
          T(junit_is_well_formed), T(json_report), T(text_report))
