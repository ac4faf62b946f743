/*
 * jailbreak - attempts to talk the model out of its rules (signals.md §6.10).
 *
 * A classifier judges every chunk of the text, or examples are compared with it, or both (`hybrid`: either match will
 * do). What cannot be checked is not passed: leaves stay unknown unless the configuration says otherwise, and with
 * `prompt_guard.on_error: block` the rule matches. A detection counts whatever else could not be checked.
 *
 * By examples the risk of a chunk is how much nearer the nearest attempt is than the nearest harmless text; none of
 * these counts as a similarity of 0. The two risks are on different scales, so `threshold` is that of the classifier in
 * a hybrid rule.
 */
#include <math.h>

#include "config/global_catalog.h"
#include "config/global_tables.h"
#include "core/arena.h"
#include "signal/chunks.h"
#include "signal/classes.h"
#include "signal/learned.h"
#include "signal/risk.h"
#include "text/chunk.h"

enum method { METHOD_CLASSIFIER, METHOD_CONTRASTIVE, METHOD_HYBRID };
static const char *const methods[] = { "classifier", "contrastive", "hybrid", NULL };

struct jailbreak_config {
    struct config_at at;
    vsr_str name, description;
    int method; /* enum method */
    double threshold;
    bool include_history, include_tool_results;
    struct config_strings jailbreak_patterns, benign_patterns;
    int64_t max_chunks;
};

static const struct field jailbreak_fields[] = {
    RULE_FIELDS(struct jailbreak_config),
    { "method", FIELD_ENUM, offsetof(struct jailbreak_config, method), .fallback = "classifier", .choices = methods,
      .help = "classifier, contrastive (by examples), or hybrid: either of the two." },
    { "threshold", FIELD_NUMBER, offsetof(struct jailbreak_config, threshold), .flags = FIELD_RANGE, .least = 0,
      .greatest = 1,
      .help = "Least risk of a match; 0 or left out: that of prompt_guard, or 0.1 for the contrastive method. Of "
              "method hybrid: that of the classifier." },
    { "include_history", FIELD_BOOL, offsetof(struct jailbreak_config, include_history),
      .help = "Whether earlier turns are checked too." },
    { "include_tool_results", FIELD_BOOL, offsetof(struct jailbreak_config, include_tool_results),
      .help = "Whether what tools returned is checked too." },
    { "jailbreak_patterns", FIELD_STRINGS, offsetof(struct jailbreak_config, jailbreak_patterns),
      .flags = FIELD_NONBLANK, .help = "Examples of attempts, for the contrastive and the hybrid method." },
    { "benign_patterns", FIELD_STRINGS, offsetof(struct jailbreak_config, benign_patterns), .flags = FIELD_NONBLANK,
      .help = "Examples of harmless texts to weigh against." },
    { "max_chunks", FIELD_INT, offsetof(struct jailbreak_config, max_chunks), .flags = FIELD_RANGE, .least = 1,
      .greatest = INFINITY, .fallback = "512",
      .help = "Most pieces of text that are checked, by default some 180,000 tokens of English. Where there are more "
              "the rule is "
              "too_long, unless one of those that were checked matches." },
};

static const struct schema jailbreak_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct jailbreak_config *rule = object;
    bool by_example = rule->method != METHOD_CLASSIFIER;
    learned_check_examples(&jailbreak_schema, rule, "jailbreak_patterns", rule->jailbreak_patterns.n, arena, diag);
    learned_check_examples(&jailbreak_schema, rule, "benign_patterns", rule->benign_patterns.n, arena, diag);
    if (by_example && rule->jailbreak_patterns.n == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(&jailbreak_schema, rule, "jailbreak_patterns", arena),
                   (vsr_str){ 0 }, "jailbreak_patterns is required with method \"%s\"", methods[rule->method]);
    if (by_example && rule->benign_patterns.n == 0)
        diag_warn(diag, "W_NAME", schema_field_at(&jailbreak_schema, rule, "benign_patterns", arena),
                  VSR_STR("add examples of harmless texts"),
                  "without benign_patterns anything near an attempt matches");
    if (!by_example && (rule->jailbreak_patterns.n > 0 || rule->benign_patterns.n > 0))
        diag_warn(diag, "W_UNUSED",
                  schema_field_at(&jailbreak_schema, rule,
                                  rule->jailbreak_patterns.n > 0 ? "jailbreak_patterns" : "benign_patterns", arena),
                  VSR_STR("use method contrastive or hybrid"), "the classifier reads no patterns");
}

static const struct schema jailbreak_schema =
    SCHEMA("jailbreak rule", struct jailbreak_config, jailbreak_fields, .check = check_rule);

/* ---- compiled */

#define THRESHOLD_CLASSIFIER 0.7 /* of a guard that names none */
#define THRESHOLD_CONTRASTIVE 0.1
#define TYPE_CONTRASTIVE VSR_STR("contrastive")
#define TYPE_ERROR VSR_STR("classification_error")

struct jailbreak_rule {
    const struct jailbreak_config *config;
    double classifier_threshold, contrastive_threshold;
    struct signal_bank *attempts, *harmless; /* NULL: no examples */
};

struct jailbreak_state {
    const struct config_prompt_guard *guard;
    struct jailbreak_rule *rules;
    size_t n_rules;
    uint32_t first_slot, source, embedder;
    enum signal_text text;
    struct signal_risk risk;
    bool block;
};

/* A server names what is safe first and what is not second. */
static uint32_t add_chat_guard(struct signal_builder *builder, const struct config_prompt_guard *guard) {
    struct signal_source source = { .kind = SOURCE_HTTP_GUARD, .config = guard->external, .n_labels = 2 };
    struct signal_label *labels = ARENA_ARRAY(builder->arena, struct signal_label, 2);
    if (!guard->external)
        return CLASSES_NO_SOURCE;
    labels[0].name = VSR_STR("benign");
    labels[1].name = guard->positive_labels.n ? guard->positive_labels.items[0] : VSR_STR("jailbreak");
    source.labels = labels;
    source.timeout_ms = guard->external->llm_timeout_seconds * 1000;
    return signal_source_add(builder, &source);
}

static uint32_t add_guard(struct signal_builder *builder, const struct config_prompt_guard *guard,
                          const struct signal_risk *risk) {
    if (!guard->enabled)
        return CLASSES_NO_SOURCE;
    switch ((enum config_guard_protocol)guard->protocol) {
    case GUARD_HTTP_CLASSIFY:
        return classes_server(builder, SOURCE_HTTP_CLASSIFY, guard->external);
    case GUARD_HTTP_CHAT:
        return add_chat_guard(builder, guard);
    case GUARD_LOCAL:
        break;
    }
    return classes_guard(builder, signal_models_guard, risk);
}

/* Every example counts for itself: attempts differ. */
static struct signal_bank *add_bank(struct signal_builder *builder, uint32_t embedder,
                                    const struct config_strings *texts) {
    struct signal_bank_options options = { .source = embedder, .texts = texts->items, .n_texts = texts->n };
    return texts->n ? signal_bank_add(builder, &options) : NULL;
}

static struct jailbreak_rule build_rule(struct signal_builder *builder, const struct jailbreak_state *state,
                                        const struct jailbreak_config *config) {
    struct jailbreak_rule rule = { .config = config, .contrastive_threshold = THRESHOLD_CONTRASTIVE };
    rule.classifier_threshold = state->guard->threshold > 0 ? state->guard->threshold : THRESHOLD_CLASSIFIER;
    if (config->threshold > 0 && config->method == METHOD_CONTRASTIVE)
        rule.contrastive_threshold = config->threshold;
    else if (config->threshold > 0)
        rule.classifier_threshold = config->threshold;
    if (config->method != METHOD_CLASSIFIER) {
        rule.attempts = add_bank(builder, state->embedder, &config->jailbreak_patterns);
        rule.harmless = add_bank(builder, state->embedder, &config->benign_patterns);
    }
    return rule;
}

static bool needs_embedder(const struct config_list *rules) {
    CONFIG_EACH(const struct jailbreak_config, rule, rules)
    if (rule->method != METHOD_CLASSIFIER)
        return true;
    return false;
}

static bool needs_guard(const struct config_list *rules) {
    CONFIG_EACH(const struct jailbreak_config, rule, rules)
    if (rule->method != METHOD_CONTRASTIVE)
        return true;
    return false;
}

static void *build(struct signal_builder *builder) {
    const struct config_prompt_guard *guard = &builder->doc->global.model_catalog.modules.prompt_guard;
    const struct jailbreak_config *rules = builder->rules->items;
    struct jailbreak_state *state = ARENA_NEW(builder->arena, struct jailbreak_state);
    state->guard = guard;
    state->first_slot = builder->first_slot;
    state->text = builder->text;
    state->block = guard->on_error == ON_FAILURE_BLOCK;
    state->risk =
        (struct signal_risk){ .labels = &guard->positive_labels,
                              .written = schema_present(&config_prompt_guard_schema, guard, "positive_labels") };
    state->source = needs_guard(builder->rules) ? add_guard(builder, guard, &state->risk) : CLASSES_NO_SOURCE;
    state->embedder = needs_embedder(builder->rules) ? learned_embedder(builder, false) : CLASSES_NO_SOURCE;
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct jailbreak_rule, state->n_rules);
    for (size_t i = 0; i < state->n_rules; i++)
        state->rules[i] = build_rule(builder, state, &rules[i]);
    return state;
}

static bool applies(const void *data, const struct request_facts *facts, size_t index) {
    const struct jailbreak_state *state = data;
    const struct jailbreak_config *rule = state->rules[index].config;
    return learned_has_contents(facts, rule->include_history, rule->include_tool_results);
}

static bool blocks(const void *data, size_t rule) {
    const struct jailbreak_state *state = data;
    (void)rule;
    return state->block;
}

/* ---- one chunk */

/* What one way of looking found out about the chunks so far. */
struct finding {
    bool any; /* a chunk was looked at */
    double risk;
    vsr_str type;
    enum signal_code code; /* of the first that could not be */
    const char *reason;
};

static void note_failure(struct finding *finding, enum signal_code code, const char *reason) {
    if (finding->code != SIGNAL_OK)
        return;
    finding->code = code;
    finding->reason = reason;
}

static void note_risk(struct finding *finding, double risk, vsr_str type) {
    if (finding->any && risk <= finding->risk)
        return;
    finding->any = true;
    finding->risk = risk;
    finding->type = type;
}

/* The probability of an attack. False: the labels say nothing. */
static bool find_risk(const struct jailbreak_state *state, const struct signal_request *request,
                      const struct evidence_answer *answer, double *ret_risk) {
    bool *is_risk = ARENA_ARRAY(request->arena, bool, answer->n);
    double risk = 0;
    if (!signal_risk_mark(&state->risk, answer->labels, answer->n, is_risk))
        return false;
    for (size_t i = 0; i < answer->n; i++)
        risk += is_risk[i] ? (double)answer->numbers[i] : 0;
    *ret_risk = fmin(1, risk);
    return true;
}

static void classify(const struct jailbreak_state *state, const struct signal_request *request,
                     const struct evidence_answer *answer, struct finding *finding) {
    struct evidence_answer strange;
    double risk;
    if (answer->code != SIGNAL_OK)
        note_failure(finding, answer->code, answer->reason);
    else if (find_risk(state, request, answer, &risk))
        note_risk(finding, risk, answer->labels[classes_top(answer)]);
    else if (finding->code == SIGNAL_OK) {
        strange = classes_strange(request, answer, "one of prompt_guard.positive_labels");
        note_failure(finding, strange.code, strange.reason);
    }
    if (answer->code == SIGNAL_OK && answer->cut && finding->code == SIGNAL_OK)
        note_failure(finding, SIGNAL_TOO_LONG, classes_cut(request, answer));
}

/* The similarity to the nearest example; 0 without any. */
static bool find_nearest(const struct signal_bank *bank, const struct evidence_answer *answer, double *ret,
                         struct finding *finding) {
    struct signal_bank_score score;
    enum signal_code code;
    const char *reason;
    *ret = 0;
    if (!bank)
        return true;
    if (!signal_bank_score(bank, answer, BANK_BEST, &score, &code, &reason)) {
        note_failure(finding, code, reason);
        return false;
    }
    *ret = score.score;
    return true;
}

static void compare(const struct jailbreak_rule *rule, const struct evidence_answer *answer, struct finding *finding) {
    double attempt, harmless;
    if (find_nearest(rule->attempts, answer, &attempt, finding) &&
        find_nearest(rule->harmless, answer, &harmless, finding))
        note_risk(finding, attempt - harmless, TYPE_CONTRASTIVE);
}

/* ---- one rule */

static int find_chunks(const struct jailbreak_state *state, const struct jailbreak_config *rule,
                       struct signal_request *request, const struct signal_chunks **ret_chunks, size_t *ret_n,
                       struct vsr_err *err) {
    unsigned with =
        (rule->include_history ? CHUNKS_HISTORY : 0) | (rule->include_tool_results ? CHUNKS_TOOL_RESULTS : 0);
    int rc;
    if (!request->memo)
        request->memo = ARENA_NEW(request->arena, struct chunks_memo);
    rc = chunks_of(request->memo, request, state->text, with, CHUNK_UNITS_JAILBREAK, ret_chunks, err);
    if (rc == 0)
        *ret_n = chunks_within(*ret_chunks, rule->max_chunks);
    return rc;
}

/* Both ways of looking, those that the rule's method has. */
static void look(const struct jailbreak_state *state, const struct jailbreak_rule *rule, struct signal_request *request,
                 vsr_str text, struct finding *classified, struct finding *compared) {
    const struct evidence_ask *asked;
    if (rule->config->method != METHOD_CONTRASTIVE && state->source == CLASSES_NO_SOURCE)
        note_failure(classified, SIGNAL_UNAVAILABLE, "modules.prompt_guard is switched off");
    else if (rule->config->method != METHOD_CONTRASTIVE) {
        asked = evidence_ask(request->asks, EVIDENCE_CLASSES, state->source, text);
        if (asked->answered)
            classify(state, request, &asked->answer, classified);
    }
    if (rule->config->method != METHOD_CLASSIFIER) {
        asked = evidence_ask(request->asks, EVIDENCE_VECTOR, state->embedder, text);
        if (asked->answered)
            compare(rule, &asked->answer, compared);
    }
}

static void ask(const void *data, struct signal_request *request) {
    const struct jailbreak_state *state = data;
    for (size_t i = 0; i < state->n_rules; i++) {
        struct finding classified = { 0 }, compared = { 0 }; /* nothing is answered yet */
        const struct signal_chunks *chunks;
        size_t n;
        if (!bits_has(request->wanted, state->first_slot + i) ||
            find_chunks(state, state->rules[i].config, request, &chunks, &n, NULL) != 0)
            continue; /* eval() fails the same way */
        for (size_t k = 0; k < n; k++)
            look(state, &state->rules[i], request, chunks->items[k].text, &classified, &compared);
    }
}

static void remember(struct signal_request *request, vsr_str type, double confidence) {
    struct signal_jailbreak *jailbreak = &request->jailbreak;
    bool was_error = jailbreak->detected && str_eq(jailbreak->type, TYPE_ERROR), is_error = str_eq(type, TYPE_ERROR);
    if (jailbreak->detected && (was_error == is_error ? confidence <= jailbreak->confidence : is_error))
        return;
    *jailbreak = (struct signal_jailbreak){ true, type, confidence };
}

/* Whatever was found counts, whatever else failed. */
static void settle(const struct jailbreak_state *state, size_t index, struct signal_request *request,
                   const struct finding *classified, const struct finding *compared, struct signal_results *results) {
    const struct jailbreak_rule *rule = &state->rules[index];
    uint32_t slot = state->first_slot + (uint32_t)index;
    bool by_model = classified->any && classified->risk >= rule->classifier_threshold;
    bool by_example = compared->any && compared->risk >= rule->contrastive_threshold;
    const struct finding *failed = classified->code != SIGNAL_OK ? classified : compared;
    const struct finding *best =
        by_model && (!by_example || classified->risk >= compared->risk) ? classified : compared;
    if (by_model || by_example) {
        signal_match(results, slot, best->risk);
        remember(request, best->type, best->risk);
    } else if (failed->code != SIGNAL_OK && state->block)
        remember(request, TYPE_ERROR, 1.0);
    if (failed->code != SIGNAL_OK)
        signal_fail_because(results, slot, failed->code, failed->reason);
}

static int judge(const struct jailbreak_state *state, size_t index, struct signal_request *request,
                 struct signal_results *results, struct vsr_err *err) {
    const struct jailbreak_rule *rule = &state->rules[index];
    struct finding classified = { 0 }, compared = { 0 };
    const struct signal_chunks *chunks;
    size_t n;
    int rc = find_chunks(state, rule->config, request, &chunks, &n, err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < n; i++)
        look(state, rule, request, chunks->items[i].text, &classified, &compared);
    if (n < chunks->n)
        note_failure(&classified, SIGNAL_TOO_LONG, chunks_too_many(request->arena, chunks, n));
    settle(state, index, request, &classified, &compared, results);
    return 0;
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct jailbreak_state *state = data;
    for (size_t i = 0; i < state->n_rules; i++) {
        int rc = bits_has(request->wanted, state->first_slot + i) ? judge(state, i, request, results, err) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void models(const struct config_document *doc, const void *object, signal_model_fn *fn, void *data) {
    const struct jailbreak_config *rule = object;
    if (rule->method != METHOD_CONTRASTIVE)
        signal_models_guard(doc, rule, fn, data);
    if (rule->method != METHOD_CLASSIFIER)
        signal_models_embedding(doc, rule, fn, data);
}

const struct signal_family signal_jailbreak = {
    .config = { .type = "jailbreak", .list_key = "jailbreak", .schema = &jailbreak_schema },
    .stage = SIGNAL_STAGE_CLASSIFY,
    .needs_evidence = "jailbreak detection",
    .never_skipped = true,
    .confidence_max = 2, /* near to an attempt, and away from all that is harmless */
    .on_unknown = ON_UNKNOWN_UNKNOWN,
    SIGNAL_RUNS(.models = models, .build = build, .ask = ask, .eval = eval, .applies = applies, .blocks = blocks),
};
