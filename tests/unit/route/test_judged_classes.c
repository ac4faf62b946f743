/* Domain, fact_check, user_feedback, modality and classifier: what becomes of a classifier's probabilities. */
#include "answers.h"

#define DECISION "  decisions: [{name: any, priority: 1, rules: {operator: AND, conditions: []}}]\n"

struct judged {
    const char *prompt, *answer, *want;
};

/* One recipe, many answers of the one model that is asked. */
static void check_all(const char *yaml, const char *who, const struct judged *cases, size_t n) {
    struct fixture f;
    fixture_must_load(&f, yaml);
    for (size_t i = 0; i < n; i++) {
        struct given given[] = { { who, NULL, cases[i].answer }, { 0 } };
        const char *got;
        answers_route(&f, fixture_prompt(&f, str_from_c(cases[i].prompt)), given);
        got = answers_results(&f);
        CHECK_MSG(strcmp(got, cases[i].want) == 0, "case %zu \"%s\", %s: got \"%s\", want \"%s\"", i, cases[i].prompt,
                  cases[i].answer ? cases[i].answer : "no answer", got, cases[i].want);
    }
    fixture_free(&f);
}

/* ---- domain */

#define DOMAINS(module) \
    FIXTURE_HEAD "global: {model_catalog: {modules: {classifier: {domain: " module "}}}}\n" \
                 "routing:\n" \
                 "  signals:\n" \
                 "    domains:\n" \
                 "      - {name: law}\n" \
                 "      - {name: money, mmlu_categories: [business, economics]}\n" \
                 "      - {name: science, mmlu_categories: [physics, chemistry]}\n" \
                 "      - {name: physics}\n" DECISION

static const struct judged domains[] = {
    { "x", "law=.9 math=.1", "domain:law=0.90 " },
    { "x", "LAW=.9 Math=.1", "domain:law=0.90 " },
    { "x", "law=.4 math=.6", "" },
    { "x", "law=.5 math=.5", "domain:law=0.50 " },
    { "x", "business=.3 economics=.3 law=.4", "domain:money=0.60 " },
    { "x", "math=1", "" },
    { "x", "physics=.7 chemistry=.2 law=.1", "domain:science=0.90 domain:physics=0.70 " },
    { "x", "physics=.96 chemistry=.03 law=.01", "domain:science=0.99 domain:physics=0.96 " },
    { "x", "physics=.03 chemistry=.96 law=.01", "domain:science=0.99 " },
    { "x", "!timeout", "domain:law!timeout domain:money!timeout domain:science!timeout domain:physics!timeout " },
    { "x", NULL,
      "domain:law!unavailable domain:money!unavailable domain:science!unavailable domain:physics!unavailable " },
    { "x", "law=2", "domain:law!failed domain:money!failed domain:science!failed domain:physics!failed " },
    { " ", "law=1", "" },
};

/* signals.md §16 #13, and the same with less doubt. */
#define REST(p) " a=" p " b=" p " c=" p " d=" p " e=" p " f=" p " g=" p " h=" p " i=" p " j=" p " k=" p " l=" p
static const struct judged doubtful[] = {
    { "x", "law=.40 business=.38" REST(".0183"), "domain:law=0.40 domain:money=0.38 " },
    { "x", "law=.46 business=.44" REST(".0083"), "domain:law=0.46 domain:money=0.44 " },
    { "x", "law=.60 business=.36" REST(".0033"), "domain:law=0.60 " },
    { "x", "law=.36 business=.60" REST(".0033"), "domain:money=0.60 " },
};

TEST(domains_by_their_labels) {
    check_all(DOMAINS("{}"), "domain-classification", domains, VSR_COUNT(domains));
    check_all(DOMAINS("{threshold: 0.35}"), "domain-classification", doubtful, VSR_COUNT(doubtful));
}

static const struct judged blocked[] = {
    { "x", "!failed",
      "domain:law=1.00 domain:law!failed domain:money=1.00 domain:money!failed domain:science=1.00 "
      "domain:science!failed domain:physics=1.00 domain:physics!failed " },
    { "x", "law=1 math=0", "domain:law=1.00 " },
};

TEST(domains_may_block) {
    check_all(DOMAINS("{on_error: block}"), "domain-classification", blocked, VSR_COUNT(blocked));
}

TEST(a_label_stands_for_the_rule_of_its_name) {
    static const struct judged cases[] = { { "x", "law=.6 math=.4", "domain:law=0.60 " },
                                           { "x", "law=.1 math=.9", "domain:law=1.00 " } };
    static const struct judged sums[] = { { "x", "history=.6 math=.4", "" },
                                          { "x", "law=.3 history=.3 math=.4", "domain:law=0.70 " } };
    check_all(FIXTURE_HEAD
              "routing:\n  signals: {domains: [{name: law, mmlu_categories: [math]}, {name: b}]}\n" DECISION,
              "domain-classification", cases + 1, 1);
    check_all(FIXTURE_HEAD "routing:\n  signals: {domains: [{name: law, mmlu_categories: [math]}]}\n" DECISION,
              "domain-classification", sums, VSR_COUNT(sums));
    check_all(FIXTURE_HEAD "routing:\n  signals: {domains: [{name: law}]}\n" DECISION, "domain-classification", cases,
              1);
}

/* A model of another task, or without names for its classes, would never match: that is no "no". */
TEST(labels_that_mean_nothing) {
    static const struct judged strange[] = {
        { "x", "LABEL_0=.9 LABEL_1=.1", "domain:law!unavailable domain:b!unavailable " },
        { "x", "B=.2 c=.8", "" },       /* of a rule */
        { "x", "HISTORY=.9 c=.1", "" }, /* a domain without a rule */
        { "x", "astrology=1", "" },     /* the one that a tool named */
    };
    struct fixture f;
    check_all(FIXTURE_HEAD
              "routing:\n  signals: {domains: [{name: law, mmlu_categories: [math]}, {name: b}]}\n" DECISION,
              "domain-classification", strange, VSR_COUNT(strange));
    fixture_must_load(&f, FIXTURE_HEAD "routing:\n  signals: {domains: [{name: law}]}\n" DECISION);
    answers_route(&f, fixture_prompt(&f, VSR_STR("x")),
                  (struct given[]){ { "domain-classification", NULL, "AR=.1 BOTH=.9" }, { 0 } });
    CHECK_STR(str_from_c(answers_reason(&f, "domain", "law")),
              "the model's labels are \"AR\", \"BOTH\", and none of them is a domain or a label of a rule", "reason");
    fixture_free(&f);
}

/* Leaves of domains that nobody declared: what is no label stands for what is left over. */
TEST(implied_domains) {
    struct fixture f;
    fixture_must_load(&f, FIXTURE_HEAD "routing:\n  decisions:\n"
                                       "    - {name: l, priority: 2, rules: {type: domain, name: law}}\n"
                                       "    - {name: s, priority: 1, rules: {type: domain, name: small talk}}\n");
    answers_route(&f, fixture_prompt(&f, VSR_STR("x")),
                  (struct given[]){ { "domain-classification", NULL, "law=.1 other=.9" }, { 0 } });
    CHECK_STR(f.outcome->decision->name, "s", "other");
    CHECK_STR(f.outcome->category, "small talk", "category");
    fixture_free(&f);
}

TEST(a_tool_may_say_what_the_domain_is) {
    static const struct judged cases[] = { { "x", "law=.4 math=.1", "" },
                                           { "x", "law=.8 math=.2", "domain:law=0.80 " } };
    check_all(
        FIXTURE_HEAD
        "global: {model_catalog: {modules: {classifier: {domain: {enabled: false}, mcp: {enabled: true, threshold: "
        "0.7, transport_type: http, url: 'http://127.0.0.1:9/mcp'}}}}}\n"
        "routing:\n  signals: {domains: [{name: law}]}\n" DECISION,
        "mcp", cases, VSR_COUNT(cases));
}

TEST(without_a_module_domains_are_unavailable) {
    struct fixture f;
    fixture_must_load(&f, DOMAINS("{enabled: false}"));
    answers_route(&f, fixture_prompt(&f, VSR_STR("x")), (struct given[]){ { 0 } });
    CHECK(strcmp(answers_reason(&f, "domain", "law"), "modules.classifier.domain is switched off") == 0, "reason");
    CHECK_INT(answers_asked.len, 0, "nobody is asked");
    fixture_free(&f);
}

/* ---- fact_check */

#define FACT_CHECK(module) \
    FIXTURE_HEAD "global: {model_catalog: {modules: {hallucination_mitigation: {fact_check: " module "}}}}\n" \
                 "routing:\n" \
                 "  signals: {fact_check: [{name: needs_fact_check}, {name: no_fact_check_needed}]}\n" DECISION
#define NEEDED(p) "fact_check:needs_fact_check=" p " "
#define NOT_NEEDED(p) "fact_check:no_fact_check_needed=" p " "

static const struct judged facts[] = {
    { "x", "NO_FACT_CHECK_NEEDED=.1 FACT_CHECK_NEEDED=.9", NEEDED("0.90") },
    { "x", "FACT_CHECK_NEEDED=.9 NO_FACT_CHECK_NEEDED=.1", NEEDED("0.90") },
    { "x", "no_fact_check_needed=.45 fact_check_needed=.55", NOT_NEEDED("0.45") },
    { "x", "NO_FACT_CHECK_NEEDED=.8 FACT_CHECK_NEEDED=.2", NOT_NEEDED("0.80") },
    { "x", "LABEL_0=.2 LABEL_1=.8", NEEDED("0.80") },
    { "", "LABEL_0=.2 LABEL_1=.8", NOT_NEEDED("1.00") },
    { "x", "a=.2 b=.3 c=.5", "fact_check:needs_fact_check!unavailable fact_check:no_fact_check_needed!unavailable " },
    { "x", "!timeout", "fact_check:needs_fact_check!timeout fact_check:no_fact_check_needed!timeout " },
};
static const struct judged unset[] = {
    { "x", "LABEL_0=.31 LABEL_1=.69", NOT_NEEDED("0.31") },
    { "x", "LABEL_0=.29 LABEL_1=.71", NEEDED("0.71") },
};
static const struct judged low[] = { { "x", "LABEL_0=.55 LABEL_1=.45", NOT_NEEDED("0.55") } };

TEST(fact_checks) {
    check_all(FACT_CHECK("{}"), "hallucination-sentinel", facts, VSR_COUNT(facts));
    check_all(FACT_CHECK("{threshold: 0}"), "hallucination-sentinel", unset, VSR_COUNT(unset));
    check_all(FACT_CHECK("{threshold: 0.4}"), "hallucination-sentinel", low, VSR_COUNT(low));
}

/* ---- user_feedback */

static const char dialogue[] =
    "{\"model\":\"auto\",\"messages\":[{\"role\":\"user\",\"content\":\"first\"},"
    "{\"role\":\"assistant\",\"content\":\"answer\"},{\"role\":\"user\",\"content\":\"second\"}]}";

TEST(feedback) {
    static const struct judged cases[] = {
        { "", "satisfied=.1 need_clarification=.1 wrong_answer=.75 want_different=.05",
          "user_feedback:wrong_answer=0.75 " },
        { "", "satisfied=.1 need_clarification=.1 wrong_answer=.65 want_different=.15", "" },
        { "", "NEED_CLARIFICATION=.1 SAT=.8 WRONG_ANSWER=.1", "user_feedback:satisfied=0.80 " },
        { "", "need_clarification=.1 SATISFIED=.8 wrong_answer=.1", "user_feedback:satisfied=0.80 " },
        { "", "satisfied=.01 want_different=.99", "" },
        { "", "LABEL_0=.01 LABEL_1=.99",
          "user_feedback:satisfied!unavailable user_feedback:wrong_answer!unavailable " },
        { "", "!failed", "user_feedback:satisfied!failed user_feedback:wrong_answer!failed " },
    };
    struct fixture f;
    fixture_must_load(&f, FIXTURE_HEAD
                      "routing:\n  signals: {user_feedbacks: [{name: satisfied}, {name: wrong_answer}]}\n" DECISION);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct given given[] = { { "feedback-detection", "second", cases[i].answer }, { 0 } };
        answers_route(&f, fixture_facts(&f, str_from_c(dialogue)), given);
        CHECK_MSG(strcmp(answers_results(&f), cases[i].want) == 0, "%s: got \"%s\", want \"%s\"", cases[i].answer,
                  answers_results(&f), cases[i].want);
        CHECK_STR(buf_str(&answers_asked), "feedback-detection|second\n", "the last turn alone");
        answers_route(&f, fixture_prompt(&f, VSR_STR("second")), given);
        CHECK(strcmp(answers_results(&f), "") == 0 && answers_asked.len == 0, "there is no answer to judge");
    }
    fixture_free(&f);
}

/* ---- modality */

#define MODALITY(settings) \
    FIXTURE_HEAD "global: {model_catalog: {modules: {modality_detector: {enabled: true, " settings "}}}}\n" \
                 "routing:\n  signals: {modality: [{name: AR}, {name: DIFFUSION}, {name: BOTH}]}\n" DECISION
#define HYBRID \
    "method: hybrid, keywords: [draw], both_keywords: [explain], classifier: {model_path: m}, confidence_threshold: " \
    "0.6," \
    " lower_threshold_ratio: 0.5"

static void check_modalities(const char *yaml, const struct judged *cases, size_t n) {
    struct fixture f;
    fixture_must_load(&f, yaml);
    for (size_t i = 0; i < n; i++) {
        struct given given[] = { { "modality-detection", NULL, cases[i].answer }, { 0 } };
        const char *method = NULL, *label;
        char got[128];
        answers_route(&f, fixture_prompt(&f, str_from_c(cases[i].prompt)), given);
        label = route_modality(f.state, &method);
        snprintf(got, sizeof(got), "%s%s;%s", answers_results(&f), label ? label : "-", method ? method : "-");
        CHECK_MSG(strcmp(got, cases[i].want) == 0, "\"%s\", %s: got \"%s\", want \"%s\"", cases[i].prompt,
                  cases[i].answer ? cases[i].answer : "no answer", got, cases[i].want);
    }
    fixture_free(&f);
}

static const struct judged hybrids[] = {
    { "draw a cat", "AR=.1 DIFFUSION=.8 BOTH=.1", "modality:DIFFUSION=0.80 DIFFUSION;hybrid/classifier" },
    { "hello", "AR=.1 DIFFUSION=.8 BOTH=.1", "modality:DIFFUSION=0.80 DIFFUSION;hybrid/classifier" },
    { "hello", "AR=.5 DIFFUSION=.3 BOTH=.2", "modality:AR=0.65 AR;hybrid/agree" },
    { "hello", "AR=.3 DIFFUSION=.5 BOTH=.2", "modality:DIFFUSION=0.50 DIFFUSION;hybrid/classifier-preferred" },
    { "draw and explain", "AR=.2 DIFFUSION=.1 BOTH=.1", "modality:BOTH=0.75 BOTH;hybrid/keyword-override" },
    { "draw a cat", "!timeout", "modality:DIFFUSION=0.80 DIFFUSION;keyword" },
    { "draw a cat", NULL, "modality:DIFFUSION=0.80 DIFFUSION;keyword" },
    { "draw a cat", "text=.9 image=.1", "modality:DIFFUSION=0.80 DIFFUSION;keyword" },
    { "imagery of a drawer", "AR=.2 DIFFUSION=.1 BOTH=.1", "modality:AR=0.50 AR;hybrid/agree" },
};
static const struct judged classified[] = {
    { "draw a cat", "AR=.4 DIFFUSION=.3 BOTH=.3", "modality:AR=0.40 AR;classifier" },
    { "draw a cat", "ar=.4 diffusion=.3 both=.5", "modality:BOTH=0.50 BOTH;classifier" },
    { "draw a cat", "!timeout", "modality:AR!timeout modality:DIFFUSION!timeout modality:BOTH!timeout -;-" },
    { "draw a cat", "text=1", "modality:AR!failed modality:DIFFUSION!failed modality:BOTH!failed -;-" },
};

TEST(modalities) {
    check_modalities(MODALITY(HYBRID), hybrids, VSR_COUNT(hybrids));
    check_modalities(MODALITY("method: classifier, classifier: {model_path: m}, confidence_threshold: 0.6"), classified,
                     VSR_COUNT(classified));
}

/* A decision that words make certain waits for no model. */
TEST(a_classifier_is_asked_late) {
    const char *method;
    struct fixture f;
    struct route_options options = { .evidence = ROUTE_EVIDENCE_ANSWERS };
    fixture_must_load(&f, FIXTURE_HEAD
                      "global: {model_catalog: {modules: {modality_detector: {enabled: true, " HYBRID "}}}}\n"
                      "routing:\n"
                      "  signals: {modality: [{name: AR}], keywords: [{name: k, operator: OR, keywords: [stop]}]}\n"
                      "  decisions:\n"
                      "    - {name: k, priority: 2, rules: {type: keyword, name: k}}\n"
                      "    - {name: m, priority: 1, rules: {type: modality, name: AR}}\n");
    f.state = route_begin(f.route, f.scratch, f.memory, fixture_prompt(&f, VSR_STR("stop")), &options);
    CHECK_INT(route_step(f.state, NULL), ROUTE_DONE, "nobody is asked");
    CHECK(!route_modality(f.state, &method), "nobody said");
    f.state = route_begin(f.route, f.scratch, f.memory, fixture_prompt(&f, VSR_STR("go")), &options);
    CHECK_INT(route_step(f.state, NULL), ROUTE_NEEDS_EVIDENCE, "the classifier is asked");
    fixture_free(&f);
}

/* ---- classifier */

#define CLASSIFIERS \
    FIXTURE_HEAD \
    "global: {model_catalog: {external: [{name: big, model_role: classification, llm_model_name: m, " \
    "llm_endpoint: {address: 127.0.0.1, port: 9}}]}}\n" \
    "routing:\n" \
    "  signals:\n" \
    "    classifiers:\n" \
    "      - {name: tone, type: local, model_path: m1, labels: [kind, rude, flat]}\n" \
    "      - {name: same, type: local, model_path: m1, labels: [k, r, f]}\n" \
    "      - {name: asked, type: llm, model: big, labels: [yes, no], instructions: is it}\n" \
    "  decisions:\n" \
    "    - {name: rude, priority: 3, rules: {type: classifier, name: tone, label: rude, predicate: {gte: " \
    "0.5}}}\n" \
    "    - {name: flat, priority: 2, rules: {type: classifier, name: tone, label: flat, predicate: {gte: " \
    "0.5}, on_error: match}}\n" \
    "    - {name: rest, priority: 1, rules: {operator: AND, conditions: []}}\n"

TEST(classifiers) {
    static const struct {
        const char *local, *remote, *want, *decision;
    } cases[] = {
        { "kind=.1 rude=.7 flat=.2", "yes=1 no=0",
          "classifier:tone:rude=0.70 classifier:same:r=0.70 classifier:asked:yes=1.00 ", "rude" },
        { "flat=.6 kind=.3 rude=.1", "yes=0 no=1",
          "classifier:tone:flat=0.60 classifier:same:k=0.60 classifier:asked:no=1.00 ", "flat" },
        { "LABEL_0=.4 LABEL_1=.4 LABEL_2=.2", "yes=0 no=1",
          "classifier:tone:kind=0.40 classifier:same:k=0.40 classifier:asked:no=1.00 ", "rest" },
        { "a=.5 b=.5", "!timeout",
          "classifier:tone:kind!failed classifier:tone:rude!failed classifier:tone:flat!failed "
          "classifier:same:k!failed classifier:same:r!failed classifier:same:f!failed classifier:asked:yes!timeout "
          "classifier:asked:no!timeout classifier:tone!failed classifier:same!failed classifier:asked!timeout ",
          "flat" },
    };
    struct fixture f;
    fixture_must_load(&f, CLASSIFIERS);
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct given given[] = { { "classifier", NULL, cases[i].local },
                                 { "http-label", NULL, cases[i].remote },
                                 { 0 } };
        answers_route(&f, fixture_prompt(&f, VSR_STR("x")), given);
        CHECK_MSG(strcmp(answers_results(&f), cases[i].want) == 0, "%s: got \"%s\", want \"%s\"", cases[i].local,
                  answers_results(&f), cases[i].want);
        CHECK_STR(f.outcome->decision->name, cases[i].decision, cases[i].local);
        CHECK_STR(buf_str(&answers_asked), "classifier|x\nhttp-label|x\n", "one model is asked once");
        if (i == 0) {
            CHECK(answers_value(&f, "classifier", "tone:kind") < 0.11 &&
                      answers_value(&f, "classifier", "tone:rude") > 0.69,
                  "every label has its score");
            CHECK(answers_value(&f, "classifier", "asked:no") >= 0, "0 is one");
        }
    }
    CHECK(strcmp(answers_reason(&f, "classifier", "tone"), "the model has 2 classes, and the rule 3 labels") == 0,
          "reason");
    fixture_free(&f);
}

RUN_TESTS(T(domains_by_their_labels), T(domains_may_block), T(a_label_stands_for_the_rule_of_its_name),
          T(labels_that_mean_nothing), T(implied_domains), T(a_tool_may_say_what_the_domain_is),
          T(without_a_module_domains_are_unavailable), T(fact_checks), T(feedback), T(modalities),
          T(a_classifier_is_asked_late), T(classifiers))
