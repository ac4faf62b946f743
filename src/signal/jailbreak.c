/*
 * jailbreak - attempts to talk the model out of its rules (signals.md §6.10).
 *
 * A classifier judges every chunk of the text, or examples are compared with it, or both (`hybrid`: either match will
 * do). What cannot be checked is not passed: leaves stay unknown unless the configuration says otherwise, and with
 * `prompt_guard.on_error: block` the rule matches.
 */
#include <math.h>

#include "core/arena.h"
#include "signal/learned.h"

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
      .help = "Least risk of a match; 0 or left out: that of prompt_guard, or 0.1 for the contrastive method." },
    { "include_history", FIELD_BOOL, offsetof(struct jailbreak_config, include_history),
      .help = "Whether earlier turns are checked too." },
    { "include_tool_results", FIELD_BOOL, offsetof(struct jailbreak_config, include_tool_results),
      .help = "Whether what tools returned is checked too." },
    { "jailbreak_patterns", FIELD_STRINGS, offsetof(struct jailbreak_config, jailbreak_patterns),
      .flags = FIELD_NONBLANK, .help = "Examples of attempts, for the contrastive and the hybrid method." },
    { "benign_patterns", FIELD_STRINGS, offsetof(struct jailbreak_config, benign_patterns), .flags = FIELD_NONBLANK,
      .help = "Examples of harmless texts to weigh against." },
    { "max_chunks", FIELD_INT, offsetof(struct jailbreak_config, max_chunks), .flags = FIELD_RANGE, .least = 1,
      .greatest = INFINITY, .help = "Most pieces of text that are checked; left out: all. More is an error." },
};

static const struct schema jailbreak_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct jailbreak_config *rule = object;
    bool by_example = rule->method != METHOD_CLASSIFIER;
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

struct jailbreak_state {
    const struct jailbreak_config *rules;
    bool block;
};

static void *build(struct signal_builder *builder) {
    struct jailbreak_state *state = ARENA_NEW(builder->arena, struct jailbreak_state);
    state->rules = builder->rules->items;
    state->block = builder->doc->global.model_catalog.modules.prompt_guard.on_error == ON_FAILURE_BLOCK;
    return state;
}

static bool applies(const void *data, const struct request_facts *facts, size_t index) {
    const struct jailbreak_state *state = data;
    const struct jailbreak_config *rule = &state->rules[index];
    return learned_has_contents(facts, rule->include_history, rule->include_tool_results);
}

static bool blocks(const void *data, size_t rule) {
    const struct jailbreak_state *state = data;
    (void)rule;
    return state->block;
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
    .models = models,
    .never_skipped = true,
    .on_unknown = ON_UNKNOWN_UNKNOWN,
    .build = build,
    .applies = applies,
    .blocks = blocks,
};
