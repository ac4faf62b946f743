/* What models are asked for, what becomes of their verdicts, and of verdicts that do not come. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>

struct verdict {
    const char *key; /* "domain:law" */
    struct route_verdict verdict;
};

#define MATCH(key_, confidence_) \
    { \
        key_, { \
            .matched = true, .has_confidence = true, .confidence = (confidence_) \
        } \
    }
#define VALUE(key_, value_) \
    { \
        key_, { \
            .has_value = true, .value = (value_) \
        } \
    }
#define FAIL(key_, code_) \
    { \
        key_, { \
            .code = (code_), .reason = "the test says so" \
        } \
    }

/* What was asked for, "family:name " one after the other. */
static struct buf asked;

static void answer(struct route_state *state, const struct verdict *verdicts, size_t n_verdicts) {
    size_t n;
    const struct route_need *needs = route_needs(state, &n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < needs[i].n_rules; k++) {
            static const struct route_verdict no_match;
            const struct route_verdict *verdict = &no_match;
            char key[64];
            snprintf(key, sizeof(key), "%s:%.*s", needs[i].family, VSR_FMT(needs[i].rules[k].name));
            buf_printf(&asked, "%s ", key);
            for (size_t v = 0; v < n_verdicts; v++)
                if (strcmp(verdicts[v].key, key) == 0)
                    verdict = &verdicts[v].verdict;
            route_bring(state, needs[i].rules[k].handle, verdict);
        }
}

static const struct route_outcome *evaluate(struct fixture *f, const char *prompt, bool full,
                                            const struct verdict *verdicts, size_t n) {
    struct route_options options = { .full = full, .evidence = ROUTE_EVIDENCE_VERDICTS };
    buf_reset(&asked);
    f->state = route_begin(f->route, f->scratch, f->memory, fixture_prompt(f, str_from_c(prompt)), &options);
    while (route_step(f->state, NULL) == ROUTE_NEEDS_EVIDENCE)
        answer(f->state, verdicts, n);
    return f->outcome = route_outcome(f->state);
}

static bool was_asked(const char *key) {
    return str_find(buf_str(&asked), str_from_c(key)) >= 0;
}

static void check_winner(const struct fixture *f, const char *name, const char *what) {
    vsr_str got = f->outcome->decision ? f->outcome->decision->name : VSR_STR("none");
    CHECK_STR(got, name, what);
}

static void check_trace(const struct fixture *f, const char *part) {
    struct json_writer w;
    struct buf out;
    buf_init(&out, 1 << 20);
    json_write_init(&w, &out);
    route_trace_json(f->state, &w);
    CHECK_MSG(str_find(buf_str(&out), str_from_c(part)) >= 0, "no %s in %.*s", part, (int)out.len, out.ptr);
    buf_done(&out);
}

static const char recipe[] = FIXTURE_HEAD
    "routing:\n"
    "  signals:\n"
    "    keywords: [{name: code, operator: OR, keywords: [code]}, {name: poem, operator: OR, keywords: [poem]}]\n"
    "    domains: [{name: law}, {name: math}, {name: other}]\n"
    "    embeddings:\n"
    "      - {name: e1, threshold: 0.5, candidates: [a]}\n"
    "      - {name: e2, threshold: 0.5, candidates: [b]}\n"
    "      - {name: e3, threshold: 0.5, candidates: [c]}\n"
    "    jailbreak: [{name: j}, {name: unused}]\n"
    "    complexity:\n"
    "      - {name: c, hard: {candidates: [x]}, easy: {candidates: [y]}, composer: {type: domain, name: math}}\n"
    "    user_feedbacks: [{name: wrong_answer}]\n"
    "    classifiers: [{name: tone, type: local, model_path: m, labels: [kind, rude]}]\n"
    "  projections:\n"
    "    partitions:\n"
    "      - {name: topic, semantics: softmax_exclusive, temperature: 0.1, members: [law, math, other], default: "
    "other}\n"
    "    scores: [{name: close, inputs: [{type: embedding, name: e1, weight: 1, value_source: confidence}]}]\n"
    "    mappings: [{name: m, source: close, outputs: [{name: near, gte: 0.5}]}]\n"
    "  decisions:\n"
    "    - {name: blocked, priority: 90, rules: {operator: AND, conditions: [{type: keyword, name: poem}, {type: "
    "jailbreak, name: j}]}}\n"
    "    - {name: coding, priority: 80, rules: {type: keyword, name: code}}\n"
    "    - {name: hard, priority: 70, rules: {type: complexity, name: 'c:hard'}}\n"
    "    - {name: law, priority: 60, rules: {type: domain, name: law}}\n"
    "    - {name: one, priority: 50, rules: {type: embedding, name: e1}}\n"
    "    - {name: two, priority: 40, rules: {type: embedding, name: e2}}\n"
    "    - {name: rude, priority: 30, rules: {type: classifier, name: tone, label: rude, predicate: {gte: 0.5}}}\n"
    "    - {name: wrong, priority: 20, rules: {type: user_feedback, name: wrong_answer}}\n"
    "    - {name: rest, priority: 10, rules: {type: domain, name: other}}\n";

TEST(only_what_can_matter_is_asked_for) {
    struct fixture f;
    fixture_must_load(&f, recipe);
    evaluate(&f, "write code", false, NULL, 0);
    check_winner(&f, "coding", "keyword");
    CHECK_STR(buf_str(&asked), "jailbreak:j ", "a decision of higher rank refers to it, though it cannot match");
    evaluate(&f, "x", false, (struct verdict[]){ MATCH("embedding:e1", 0.9) }, 1);
    check_winner(&f, "one", "embedding");
    CHECK(was_asked("domain:law") && was_asked("complexity:c:hard") && !was_asked("classifier"), "later stage");
    CHECK(!was_asked("jailbreak:unused") && !was_asked("user_feedback"), "unused, or no answer to judge");
    evaluate(&f, "write code", true, NULL, 0);
    CHECK(was_asked("classifier:tone") && was_asked("jailbreak:unused"), "everything");
    fixture_free(&f);
}

TEST(lazy_signals_can_be_switched_off) {
    struct fixture f;
    char *eager;
    size_t head_len = strlen(FIXTURE_HEAD), len = sizeof(recipe) + 64;
    eager = calloc(1, len);
    snprintf(eager, len, "%sglobal: {router: {lazy_signals: off}}\n%s", FIXTURE_HEAD, recipe + head_len);
    fixture_must_load(&f, eager);
    evaluate(&f, "write code", false, NULL, 0);
    check_winner(&f, "coding", "keyword");
    CHECK(was_asked("classifier:tone") && !was_asked("jailbreak:unused"), "all that some decision refers to");
    fixture_free(&f);
    free(eager);
}

TEST(partitions_leave_one_member) {
    struct fixture f;
    fixture_must_load(&f, recipe);
    evaluate(&f, "x", true, (struct verdict[]){ MATCH("domain:law", 0.4), MATCH("domain:math", 0.5) }, 2);
    check_winner(&f, "none", "law lost");
    check_trace(&f, "\"group_name\":\"topic\",\"signal_type\":\"domain\",\"semantics\":\"softmax_exclusive\"");
    check_trace(&f, "\"winner\":\"math\"");
    check_trace(&f, "\"default_used\":false");
    evaluate(&f, "x", true, (struct verdict[]){ MATCH("domain:law", 0.6), MATCH("domain:math", 0.5) }, 2);
    check_winner(&f, "law", "law won");
    CHECK(fabs(f.outcome->confidence - 1 / (1 + exp(-1))) < 1e-12, "softmax over both");
    CHECK_STR(f.outcome->category, "law", "category");
    evaluate(&f, "x", true, NULL, 0);
    check_winner(&f, "rest", "the default");
    CHECK(f.outcome->confidence == 0, "is no evidence");
    check_trace(&f, "\"domain:other:synthesized\":1");
    check_trace(&f, "\"default_used\":true");
    evaluate(&f, "x", true, (struct verdict[]){ FAIL("domain:law", SIGNAL_FAILED) }, 1);
    check_winner(&f, "none", "who knows");
    check_trace(&f, "\"undecided\":true");
    fixture_free(&f);
}

TEST(the_best_embeddings_stay) {
    struct fixture f;
    fixture_must_load(&f, recipe);
    evaluate(&f, "x", true,
             (struct verdict[]){ MATCH("embedding:e1", 0.6), MATCH("embedding:e2", 0.7), MATCH("embedding:e3", 0.5) },
             3);
    check_winner(&f, "two", "one beaten by two");
    evaluate(&f, "x", true, (struct verdict[]){ MATCH("embedding:e2", 0.7), MATCH("embedding:e1", 0.7) }, 2);
    check_winner(&f, "one", "ties go by name");
    check_trace(&f, "\"projection_scores\":{\"close\":0.7}");
    evaluate(&f, "x", true, (struct verdict[]){ MATCH("embedding:e2", 0.8), MATCH("embedding:e1", 0.7) }, 2);
    check_trace(&f, "\"projection_scores\":{\"close\":0}"); /* scores see what is left */
    fixture_free(&f);
}

TEST(composers_decide_whether_a_level_counts) {
    struct fixture f;
    fixture_must_load(&f, recipe);
    evaluate(&f, "x", true, (struct verdict[]){ MATCH("complexity:c:hard", 0.3), MATCH("domain:math", 0.8) }, 2);
    check_winner(&f, "hard", "math");
    evaluate(&f, "x", true, (struct verdict[]){ MATCH("complexity:c:hard", 0.3), MATCH("domain:law", 0.8) }, 2);
    check_winner(&f, "law", "not math");
    evaluate(&f, "x", true, (struct verdict[]){ MATCH("complexity:c:hard", 0.3), FAIL("domain:math", SIGNAL_TIMEOUT) },
             2);
    check_winner(&f, "none", "who knows");
    check_trace(&f, "\"complexity:*\":\"its composer could not be evaluated\"");
    check_trace(&f, "\"domain:math\":\"timeout\"");
    CHECK(!route_independent(f.state, NULL), "it might have been hard");
    evaluate(&f, "x", true, (struct verdict[]){ FAIL("complexity:c:hard", SIGNAL_FAILED), MATCH("domain:law", 0.8) },
             2);
    check_winner(&f, "law", "hard or not");
    CHECK(route_independent(f.state, f.outcome->decision), "no level can count");
    fixture_free(&f);
}

TEST(labels_are_tested_by_their_score) {
    struct fixture f;
    fixture_must_load(&f, recipe);
    evaluate(&f, "x", true, (struct verdict[]){ VALUE("classifier:tone:rude", 0.5), MATCH("domain:math", 1) }, 2);
    check_winner(&f, "rude", "at the bound");
    evaluate(&f, "x", true, (struct verdict[]){ VALUE("classifier:tone:rude", 0.49), MATCH("domain:math", 1) }, 2);
    check_winner(&f, "none", "below");
    evaluate(&f, "x", true, (struct verdict[]){ FAIL("classifier:tone", SIGNAL_FAILED), MATCH("domain:math", 1) }, 2);
    check_winner(&f, "none", "failed");
    CHECK_INT(f.outcome->n_unknown, 1, "the decision is unknown");
    fixture_free(&f);
}

/* ---- failures */

TEST(rules_without_a_model_are_unavailable) {
    struct fixture f;
    fixture_must_load(&f, recipe);
    fixture_route(&f, fixture_prompt(&f, VSR_STR("write a poem")), true);
    check_trace(&f, "\"domain:*\":\"unavailable\"");
    check_trace(&f, "\"domain:*\":\"no model for domain classification\"");
    CHECK_INT(f.outcome->n_unknown, 2, "blocked and rude: both default to unknown");
    CHECK(!route_independent(f.state, NULL), "anything could match");
    fixture_route(&f, fixture_prompt(&f, VSR_STR("write code")), true);
    check_winner(&f, "coding", "by a keyword");
    CHECK(route_independent(f.state, f.outcome->decision), "whatever the models say");
    CHECK(!route_independent(f.state, NULL), "not without a decision");
    fixture_free(&f);
}

TEST(what_is_not_brought_is_unavailable) {
    struct fixture f;
    struct route_options options = { .full = true, .evidence = ROUTE_EVIDENCE_VERDICTS };
    fixture_must_load(&f, recipe);
    f.state = route_begin(f.route, f.scratch, f.memory, fixture_prompt(&f, VSR_STR("x")), &options);
    while (route_step(f.state, NULL) == ROUTE_NEEDS_EVIDENCE)
        continue;
    check_trace(&f, "\"classifier:*\":\"no model for classification by labels\"");
    fixture_free(&f);
}

TEST(a_rule_that_blocks_matches_when_it_fails) {
    static const char blocking[] =
        FIXTURE_HEAD "global: {model_catalog: {modules: {prompt_guard: {on_error: block}}}}\n"
                     "routing:\n"
                     "  signals:\n"
                     "    jailbreak: [{name: j}]\n"
                     "    pii: [{name: strict, on_error: block}, {name: lax}]\n"
                     "  decisions:\n"
                     "    - {name: lax, priority: 3, rules: {type: pii, name: lax}}\n"
                     "    - {name: strict, priority: 2, rules: {type: pii, name: strict}}\n"
                     "    - {name: jailbreak, priority: 1, rules: {type: jailbreak, name: j}}\n";
    struct fixture f;
    fixture_must_load(&f, blocking);
    fixture_route(&f, fixture_prompt(&f, VSR_STR("x")), true);
    check_winner(&f, "strict", "blocks, the other is unknown");
    CHECK(f.outcome->confidence == 1, "sentinel");
    CHECK(!route_independent(f.state, f.outcome->decision), "a model might have found nothing");
    evaluate(&f, "x", true, (struct verdict[]){ FAIL("jailbreak:j", SIGNAL_TIMEOUT) }, 1);
    check_winner(&f, "jailbreak", "a timeout is a failure");
    fixture_free(&f);
}

/* ---- deadlines */

static uint64_t fake_now;
static uint64_t now(void *data) {
    (void)data;
    return fake_now;
}

static uint64_t late_at_once(void *data) {
    (void)data;
    return fake_now += 100;
}

TEST(late_families_time_out) {
    static const char timed[] = FIXTURE_HEAD
        "global: {router: {signal_timeout_ms: 50, signal_timeouts: {domain: 20, embedding: 80}}}\n"
        "routing:\n"
        "  signals: {domains: [{name: law}], embeddings: [{name: e, threshold: 0.5, candidates: [a]}],\n"
        "    classifiers: [{name: t, type: local, model_path: m, labels: [a, b]}]}\n"
        "  decisions:\n"
        "    - {name: e, priority: 3, rules: {type: embedding, name: e}}\n"
        "    - {name: law, priority: 2, rules: {type: domain, name: law}}\n"
        "    - {name: t, priority: 1, rules: {type: classifier, name: t, label: a, predicate: {gte: 0.5}}}\n";
    struct route_options options = { .full = true, .evidence = ROUTE_EVIDENCE_VERDICTS, .clock = { .now_ms = now } };
    const struct route_need *needs;
    struct fixture f;
    size_t n;
    fixture_must_load(&f, timed);
    fake_now = 1000;
    f.state = route_begin(f.route, f.scratch, f.memory, fixture_prompt(&f, VSR_STR("x")), &options);
    CHECK_INT(route_step(f.state, NULL), ROUTE_NEEDS_EVIDENCE, "embedding");
    needs = route_needs(f.state, &n);
    CHECK(n == 1 && strcmp(needs[0].family, "embedding") == 0 && needs[0].timeout_ms == 50, "the request's limit");
    fake_now += 20;
    CHECK_INT(route_step(f.state, NULL), ROUTE_NEEDS_EVIDENCE, "domain");
    needs = route_needs(f.state, &n);
    CHECK(n == 1 && strcmp(needs[0].family, "domain") == 0 && needs[0].timeout_ms == 20, "its own limit");
    fake_now += 31;
    CHECK_INT(route_step(f.state, NULL), ROUTE_DONE, "too late for more");
    check_trace(&f, "\"embedding:e\":\"unavailable\"");
    check_trace(&f, "\"domain:law\":\"timeout\"");
    check_trace(&f, "\"classifier:*\":\"timeout\"");
    fixture_free(&f);
}

/* What has nothing to look at is no failure, however late it is. */
TEST(lateness_does_not_matter_to_what_does_not_apply) {
    static const char timed[] = FIXTURE_HEAD
        "global: {router: {signal_timeout_ms: 50}}\n"
        "routing:\n"
        "  signals: {domains: [{name: law}], user_feedbacks: [{name: wrong_answer}], jailbreak: [{name: j}]}\n"
        "  decisions:\n"
        "    - {name: law, priority: 3, rules: {type: domain, name: law}}\n"
        "    - {name: wrong, priority: 2, rules: {operator: AND, conditions: [\n"
        "        {type: user_feedback, name: wrong_answer}, {type: jailbreak, name: j}]}}\n";
    struct route_options options = { .full = true,
                                     .evidence = ROUTE_EVIDENCE_VERDICTS,
                                     .clock = { .now_ms = late_at_once } };
    struct fixture f;
    fixture_must_load(&f, timed);
    fake_now = 1000;
    f.state = route_begin(f.route, f.scratch, f.memory, fixture_prompt(&f, VSR_STR("x")), &options);
    CHECK_INT(route_step(f.state, NULL), ROUTE_DONE, "nothing is asked for any more");
    f.outcome = route_outcome(f.state);
    check_trace(&f, "\"errors\":{\"domain:law\":\"timeout\",\"jailbreak:j\":\"timeout\"}");
    CHECK_INT(f.outcome->n_unknown, 0, "the first user turn is no feedback");
    fixture_free(&f);
}

TEST(numbers_that_are_none_are_failures) {
    struct route_verdict verdicts[] = { { .matched = true, .has_confidence = true, .confidence = NAN },
                                        { .matched = true, .has_confidence = true, .confidence = INFINITY },
                                        { .matched = true, .has_value = true, .value = NAN } };
    struct fixture f;
    fixture_must_load(&f, recipe);
    for (size_t i = 0; i < VSR_COUNT(verdicts); i++) {
        evaluate(&f, "x", true, (struct verdict[]){ { "embedding:e1", verdicts[i] } }, 1);
        CHECK(!f.outcome->decision || !str_eq_c(f.outcome->decision->name, "one"), "no match");
        check_trace(&f, "\"errors\":{\"embedding:e1\":\"failed\"}");
    }
    fixture_free(&f);
}

/* ---- names */

TEST(domains_are_implied) {
    struct fixture f;
    fixture_must_load(
        &f, FIXTURE_HEAD
        "routing:\n"
        "  decisions:\n"
        "    - {name: law, priority: 2, rules: {type: domain, name: law}}\n"
        "    - {name: odd, priority: 1, rules: {operator: NOT, conditions: [{type: domain, name: odd}]}}\n");
    evaluate(&f, "x", true, (struct verdict[]){ MATCH("domain:law", 0.7) }, 1);
    check_winner(&f, "law", "a label");
    CHECK(was_asked("domain:odd"), "stands for what is left over");
    fixture_free(&f);
}

TEST(a_leaf_matches_by_labels_of_its_domain) {
    struct fixture f;
    fixture_must_load(&f,
                      FIXTURE_HEAD "routing:\n"
                                   "  signals: {domains: [{name: law}, {name: exact, mmlu_categories: [math, law]}]}\n"
                                   "  decisions: [{name: d, rules: {type: domain, name: exact}}]\n");
    evaluate(&f, "x", true, (struct verdict[]){ MATCH("domain:law", 0.7) }, 1);
    check_winner(&f, "d", "by a label");
    evaluate(&f, "x", true, (struct verdict[]){ FAIL("domain:law", SIGNAL_FAILED) }, 1);
    CHECK(!route_independent(f.state, NULL), "law might have matched");
    fixture_free(&f);
}

static int setup(void **state) {
    (void)state;
    buf_init(&asked, 1 << 16);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    buf_done(&asked);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_can_matter_is_asked_for),
        cmocka_unit_test(lazy_signals_can_be_switched_off),
        cmocka_unit_test(partitions_leave_one_member),
        cmocka_unit_test(the_best_embeddings_stay),
        cmocka_unit_test(composers_decide_whether_a_level_counts),
        cmocka_unit_test(labels_are_tested_by_their_score),
        cmocka_unit_test(rules_without_a_model_are_unavailable),
        cmocka_unit_test(what_is_not_brought_is_unavailable),
        cmocka_unit_test(a_rule_that_blocks_matches_when_it_fails),
        cmocka_unit_test(late_families_time_out),
        cmocka_unit_test(lateness_does_not_matter_to_what_does_not_apply),
        cmocka_unit_test(numbers_that_are_none_are_failures),
        cmocka_unit_test(domains_are_implied),
        cmocka_unit_test(a_leaf_matches_by_labels_of_its_domain),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
