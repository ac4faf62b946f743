/* The families whose rules a model judges: their tables, and when they have nothing to look at. */
#include "fixture.h"

#include "signal/families.h"

extern const struct signal_family signal_embedding, signal_domain, signal_fact_check, signal_user_feedback,
    signal_reask, signal_preference, signal_complexity, signal_jailbreak, signal_pii, signal_kb, signal_classifier;

/* ---- refusals and warnings */

#define EXAMPLES "hard: {candidates: [a]}, easy: {candidates: [b]}"
#define LOCAL "type: local, model_path: m"

static const struct {
    const struct signal_family *family;
    const char *rules, *problem;
} refused[] = {
    { &signal_embedding, "[{name: a, threshold: 0.7}]", "rules[0].candidates: missing" },
    { &signal_embedding, "[{name: a, threshold: 0.7, candidates: []}]", "E_REQUIRED" },
    { &signal_embedding, "[{name: a, threshold: 0.7, candidates: [' ']}]", "E_REQUIRED" },
    { &signal_embedding, "[{name: a, threshold: 1.2, candidates: [x]}]", "E_RANGE" },
    { &signal_embedding, "[{name: a, threshold: 1, candidates: [x], aggregation_method: median}]",
      "not one of max, mean, any, best" },
    { &signal_embedding, "[{name: a, threshold: 1, candidates: [x], query_modality: audio}]",
      "audio\" is not supported" },
    { &signal_embedding, "[{name: a, threshold: 1, candidates: [x], query_modality: video}]", "E_ENUM" },
    { &signal_embedding, "[{name: a, threshold: 1, candidates: [x], query_modality: image}]",
      "needs an embedding model of type multimodal" },
    { &signal_domain, "[{name: a, mmlu_categories: [computer_science]}]", "did you mean \"computer science\"?" },
    { &signal_domain, "[{name: a, mmlu_categories: [law, fysics]}]",
      "mmlu_categories[1]: \"fysics\" is not one of biology" },
    { &signal_domain, "[{name: a, mmlu_categories: [fysics]}]", "did you mean \"physics\"?" },
    { &signal_domain, "[{name: law, model_scores: [{model: m, score: 2}]}]", "E_RANGE" },
    { &signal_domain, "[{name: law, model_scores: [{score: 1}]}]", "model_scores[0].model: missing" },
    { &signal_fact_check, "[{name: a, threshold: 1}]", "E_UNKNOWN" },
    { &signal_user_feedback, "[{threshold: 1}]", "name: missing" },
    { &signal_reask, "[{name: a, threshold: -0.1}]", "E_RANGE" },
    { &signal_reask, "[{name: a, threshold: 1.1}]", "E_RANGE" },
    { &signal_reask, "[{name: a, lookback_turns: -1}]", "E_RANGE" },
    { &signal_reask, "[{name: a, lookback_turns: 1.5}]", "E_TYPE" },
    { &signal_preference, "[{name: a}]", "a description or an example is required" },
    { &signal_preference, "[{name: a, examples: ['', ' ']}]", "a description or an example is required" },
    { &signal_preference, "[{name: a, description: x, threshold: 2}]", "E_RANGE" },
    { &signal_complexity, "[{name: a, hard: {candidates: [x]}}]", "easy: missing" },
    { &signal_complexity, "[{name: a, hard: {candidates: [x]}, easy: {}}]",
      "at least one of candidates and image_cand" },
    { &signal_complexity, "[{name: a, threshold: -1, " EXAMPLES "}]", "E_RANGE" },
    { &signal_complexity, "[{name: a, hard: {candidates: [x], image_candidates: [y]}, easy: {candidates: [z]}}]",
      "image_candidates needs an embedding model of type multimodal" },
    { &signal_complexity, "[{name: a, composer: {operator: XOR, conditions: []}, " EXAMPLES "}]", "E_ENUM" },
    { &signal_jailbreak, "[{name: a, method: magic}]", "not one of classifier, contrastive, hybrid" },
    { &signal_jailbreak, "[{name: a, method: hybrid, top_k: 3}]", "top_k: unknown key, allowed here: name," },
    { &signal_jailbreak, "[{name: a, method: contrastive}]",
      "jailbreak_patterns is required with method \"contrastive\"" },
    { &signal_jailbreak, "[{name: a, method: hybrid, benign_patterns: [x]}]", "is required with method \"hybrid\"" },
    { &signal_jailbreak, "[{name: a, threshold: 1.5}]", "E_RANGE" },
    { &signal_jailbreak, "[{name: a, max_chunks: 0}]", "E_RANGE" },
    { &signal_jailbreak, "[{name: a, on_error: block}]", "E_UNKNOWN" },
    { &signal_pii, "[{name: a, threshold: 1.5}]", "E_RANGE" },
    { &signal_pii, "[{name: a, on_error: stop}]", "E_ENUM" },
    { &signal_pii, "[{name: a, max_chunks: -3}]", "E_RANGE" },
    { &signal_kb, "[{name: a, kb: k}]", "target: missing" },
    { &signal_kb, "[{name: a, target: {kind: group, value: x}}]", "kb: missing" },
    { &signal_kb, "[{name: a, kb: k, target: {kind: tag, value: x}}]", "not one of label, group" },
    { &signal_kb, "[{name: a, kb: k, target: {kind: label, value: x}, match: first}]", "not one of threshold, best" },
    { &signal_kb, "[{name: a, kb: k, target: {kind: label, value: x}}]", "\"k\" is not declared under global" },
    { &signal_classifier, "[{name: a, labels: [x, y], model_path: m}]", "type: missing" },
    { &signal_classifier, "[{name: a, type: local, labels: [x, y]}]", "model_path is required with type \"local\"" },
    { &signal_classifier, "[{name: a, " LOCAL ", labels: [x]}]", "needs at least 2 labels, found 1" },
    { &signal_classifier, "[{name: a, " LOCAL ", labels: [x, x]}]", "label \"x\" is there twice" },
    { &signal_classifier, "[{name: a, " LOCAL ", labels: [x, 'y:z']}]", "labels[1]: the label must not hold \":\"" },
    { &signal_classifier, "[{name: a, " LOCAL ", labels: [x, ' y']}]", "must not begin or end with blanks" },
    { &signal_classifier, "[{name: a, " LOCAL ", labels: [x, y], model: e}]",
      "model does not belong to type \"local\"" },
    { &signal_classifier, "[{name: a, type: llm, labels: [x], model: e}]",
      "instructions is required with type \"llm\"" },
    { &signal_classifier, "[{name: a, type: llm, labels: [x], model: e, instructions: i, use_cpu: true}]",
      "use_cpu does not belong to type \"llm\"" },
    { &signal_classifier, "[{name: a, type: llm, labels: [x], model: e, instructions: i}]", "\"e\" is not declared" },
    { &signal_classifier, "[{name: aB, " LOCAL ", labels: [x, y]}, {name: Ab, " LOCAL ", labels: [x, y]}]",
      "differs from \"aB\" in case only" },
};

TEST(bad_rules_are_refused) {
    for (size_t i = 0; i < VSR_COUNT(refused); i++)
        fixture_must_refuse(refused[i].family, refused[i].rules, refused[i].problem);
}

static const struct {
    const struct signal_family *family;
    const char *rules, *warning; /* NULL: none */
} warned[] = {
    { &signal_embedding, "[{name: a, candidates: [x]}]", "W_ALWAYS" },
    { &signal_embedding, "[{name: a, candidates: [x], threshold: 0.7, aggregation_method: best}]", NULL },
    { &signal_domain, "[{name: computer science}]", NULL },
    { &signal_domain, "[{name: coding}]", "W_NEVER" },
    { &signal_domain, "[{name: Law}]", "did you mean \"law\"?" },
    { &signal_domain, "[{name: coding, mmlu_categories: [computer science]}]", NULL },
    { &signal_fact_check, "[{name: needs_fact_check}, {name: no_fact_check_needed}]", NULL },
    { &signal_fact_check, "[{name: needs_factcheck}]", "did you mean \"needs_fact_check\"?" },
    { &signal_user_feedback, "[{name: wrong_answers}]", "known are satisfied, need_clarification" },
    { &signal_reask, "[{name: a, threshold: 0, lookback_turns: 0}]", NULL },
    { &signal_complexity, "[{name: a, threshold: 0.75, " EXAMPLES "}]", "W_RANGE" },
    { &signal_jailbreak, "[{name: a, jailbreak_patterns: [x]}]", "the classifier reads no patterns" },
    { &signal_jailbreak, "[{name: a, method: hybrid, jailbreak_patterns: [x]}]", "without benign_patterns" },
    { &signal_jailbreak, "[{name: a, method: contrastive, jailbreak_patterns: [x], benign_patterns: [y]}]", NULL },
    { &signal_pii, "[{name: a, pii_types_allowed: [person, Title, NO_PII], on_error: block}]", NULL },
    { &signal_pii, "[{name: a, pii_types_allowed: [PERSONS]}]", "did you mean \"PERSON\"?" },
};

TEST(doubtful_rules_are_warned_about) {
    for (size_t i = 0; i < VSR_COUNT(warned); i++) {
        struct fixture f;
        struct buf out;
        CHECK(fixture_decode(&f, warned[i].family, str_from_c(warned[i].rules)), warned[i].rules);
        buf_init(&out, 1 << 16);
        diag_print(&f.diag, &out, false);
        if (warned[i].warning)
            CHECK_MSG(str_find(buf_str(&out), str_from_c(warned[i].warning)) >= 0, "%s: %.*s", warned[i].rules,
                      (int)out.len, out.ptr);
        else
            CHECK_MSG(out.len == 0, "%s: %.*s", warned[i].rules, (int)out.len, out.ptr);
        buf_done(&out);
        arena_free(f.arena);
    }
}

/* ---- nothing to look at */

static struct texts texts_of(vsr_str *items, size_t n) {
    return (struct texts){ items, n };
}

TEST(rules_apply_when_there_is_something_to_look_at) {
    vsr_str two[] = { VSR_STR("first"), VSR_STR("second") }, blank[] = { VSR_STR(" ") };
    const struct request_facts none = { 0 }, spaces = { .eval_text = VSR_STR(" \n"), .current_user = VSR_STR(" \n") },
                               text = { .eval_text = VSR_STR("x"), .current_user = VSR_STR("x") },
                               image = { .image_ref = VSR_STR("data:") },
                               reply = { .eval_text = VSR_STR("x"),
                                         .current_user = VSR_STR("x"),
                                         .has_assistant_reply = true,
                                         .prior_user = texts_of(two, 2),
                                         .tool_text = texts_of(two, 1) },
                               history = { .non_user = texts_of(two, 1) }, tools = { .tool_text = texts_of(two, 1) },
                               blank_turn = { .eval_text = VSR_STR("x"),
                                              .current_user = VSR_STR("x"),
                                              .prior_user = texts_of(blank, 1) };
    const struct {
        const struct signal_family *family;
        const char *rules;
        const struct request_facts *facts;
        bool applies;
    } cases[] = {
        { &signal_domain, "[{name: law}]", &text, true },
        { &signal_domain, "[{name: law}]", &spaces, false },
        { &signal_domain, "[{name: law}]", &none, false },
        { &signal_embedding, "[{name: a, threshold: 1, candidates: [x]}]", &text, true },
        { &signal_embedding, "[{name: a, threshold: 1, candidates: [x]}]", &image, false },
        { &signal_user_feedback, "[{name: satisfied}]", &text, false },
        { &signal_user_feedback, "[{name: satisfied}]", &reply, true },
        { &signal_reask, "[{name: a}]", &text, false },
        { &signal_reask, "[{name: a}]", &blank_turn, false },
        { &signal_reask, "[{name: a, lookback_turns: 2}]", &reply, true },
        { &signal_reask, "[{name: a, lookback_turns: 3}]", &reply, false },
        { &signal_complexity, "[{name: a, " EXAMPLES "}]", &image, false },
        { &signal_jailbreak, "[{name: a}]", &history, false },
        { &signal_jailbreak, "[{name: a, include_history: true}]", &history, true },
        { &signal_jailbreak, "[{name: a, include_history: true}]", &tools, false },
        { &signal_pii, "[{name: a, include_tool_results: true}]", &tools, true },
        { &signal_pii, "[{name: a}]", &tools, false },
    };
    for (size_t i = 0; i < VSR_COUNT(cases); i++) {
        struct fixture f;
        fixture_make(&f, cases[i].family, str_from_c(cases[i].rules));
        CHECK_MSG(cases[i].family->applies(f.state, cases[i].facts, 0) == cases[i].applies, "case %zu: %s %s", i,
                  cases[i].family->config.type, cases[i].rules);
        fixture_free(&f);
    }
}

/* ---- domains */

TEST(domains_are_implied_by_names) {
    const vsr_str names[] = { VSR_STR("coding"), VSR_STR("law") };
    struct fixture f = { .arena = arena_new(0, 0) };
    uint32_t alternates[2];
    signal_domain.config.imply(names, 2, f.arena, &f.rules);
    CHECK_INT(f.rules.n, 2, "rules");
    CHECK(str_eq_c(rule_name(&f.rules, signal_domain.config.schema, 0), "coding"), "name");
    CHECK_INT(signal_domain.alternates(&f.rules, names[0], alternates), 0, "the label `other` is not declared");
    arena_free(f.arena);
}

TEST(a_domain_stands_for_its_labels) {
    struct fixture f;
    uint32_t alternates[3];
    fixture_make(&f, &signal_domain,
                 VSR_STR("[{name: law}, {name: both, mmlu_categories: [physics, law, biology]},"
                         " {name: physics}]"));
    CHECK_INT(signal_domain.alternates(&f.rules, VSR_STR("both"), alternates), 2, "alternates");
    CHECK(alternates[0] == 0 && alternates[1] == 2, "law and physics");
    CHECK_INT(signal_domain.alternates(&f.rules, VSR_STR("law"), alternates), 0, "no labels");
    fixture_free(&f);
}

RUN_TESTS(T(bad_rules_are_refused), T(doubtful_rules_are_warned_about),
          T(rules_apply_when_there_is_something_to_look_at), T(domains_are_implied_by_names),
          T(a_domain_stands_for_its_labels))
