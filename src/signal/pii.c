/*
 * pii - personal data in the text (signals.md §6.11). A rule matches when a kind of entity is found that it does not
 * allow. What cannot be checked is not passed: leaves stay unknown unless the configuration says otherwise, and with
 * `on_error: block` the rule matches.
 */
#include <math.h>

#include "core/arena.h"
#include "signal/learned.h"

static const char *const on_errors[] = { "", "allow", "block", NULL };
enum { ON_ERROR_UNSET, ON_ERROR_ALLOW, ON_ERROR_BLOCK };

struct pii_config {
    struct config_at at;
    vsr_str name, description;
    double threshold;
    struct config_strings pii_types_allowed;
    bool include_history, include_tool_results;
    int64_t max_chunks;
    int on_error;
};

static const struct field pii_fields[] = {
    RULE_FIELDS(struct pii_config),
    { "threshold", FIELD_NUMBER, offsetof(struct pii_config, threshold), .flags = FIELD_RANGE, .least = 0,
      .greatest = 1, .help = "Least certainty of an entity; 0 or left out: that of the pii module." },
    { "pii_types_allowed", FIELD_STRINGS, offsetof(struct pii_config, pii_types_allowed),
      .help = "Kinds of entities that may occur, such as PERSON; case does not count." },
    { "include_history", FIELD_BOOL, offsetof(struct pii_config, include_history),
      .help = "Whether earlier turns are checked too." },
    { "include_tool_results", FIELD_BOOL, offsetof(struct pii_config, include_tool_results),
      .help = "Whether what tools returned is checked too." },
    { "max_chunks", FIELD_INT, offsetof(struct pii_config, max_chunks), .flags = FIELD_RANGE, .least = 1,
      .greatest = INFINITY, .help = "Most pieces of text that are checked; left out: all. More is an error." },
    { "on_error", FIELD_ENUM, offsetof(struct pii_config, on_error), .choices = on_errors,
      .help = "block: the rule matches when the text cannot be checked; left out: as the pii module says." },
};

static const struct schema pii_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    static const char *const known[] = { "AGE",           "CREDIT_CARD",
                                         "DATE_TIME",     "DOMAIN_NAME",
                                         "EMAIL_ADDRESS", "GPE",
                                         "IBAN_CODE",     "IP_ADDRESS",
                                         "NO_PII",        "NRP",
                                         "ORGANIZATION",  "PERSON",
                                         "PHONE_NUMBER",  "STREET_ADDRESS",
                                         "TITLE",         "US_DRIVER_LICENSE",
                                         "US_SSN",        "ZIP_CODE" };
    const struct pii_config *rule = object;
    vsr_str names[VSR_COUNT(known)];
    for (size_t i = 0; i < VSR_COUNT(known); i++)
        names[i] = str_from_c(known[i]);
    for (size_t i = 0; i < rule->pii_types_allowed.n; i++) {
        vsr_str type = rule->pii_types_allowed.items[i];
        bool found = false;
        for (size_t k = 0; k < VSR_COUNT(known) && !found; k++)
            found = str_eq_nocase(str_trim(type), names[k]);
        if (!found)
            diag_warn(diag, "W_NAME", rule_entry_at(rule, "pii_types_allowed", &rule->pii_types_allowed, i, arena),
                      diag_suggest(diag, type, names, VSR_COUNT(known)), "\"%.*s\" is no kind of entity that is known",
                      VSR_FMT(type));
    }
}

static const struct schema pii_schema = SCHEMA("pii rule", struct pii_config, pii_fields, .check = check_rule);

struct pii_state {
    const struct pii_config *rules;
    bool block;
};

static void *build(struct signal_builder *builder) {
    struct pii_state *state = ARENA_NEW(builder->arena, struct pii_state);
    state->rules = builder->rules->items;
    state->block = builder->doc->global.model_catalog.modules.classifier.pii.on_error == ON_FAILURE_BLOCK;
    return state;
}

static bool applies(const void *data, const struct request_facts *facts, size_t index) {
    const struct pii_state *state = data;
    const struct pii_config *rule = &state->rules[index];
    return learned_has_contents(facts, rule->include_history, rule->include_tool_results);
}

static bool blocks(const void *data, size_t index) {
    const struct pii_state *state = data;
    int own = state->rules[index].on_error;
    return own == ON_ERROR_UNSET ? state->block : own == ON_ERROR_BLOCK;
}

const struct signal_family signal_pii = {
    .config = { .type = "pii", .list_key = "pii", .schema = &pii_schema },
    .stage = SIGNAL_STAGE_CLASSIFY,
    .needs_evidence = "detection of personal data",
    .models = signal_models_pii,
    .never_skipped = true,
    .value_greatest = INFINITY,
    .on_unknown = ON_UNKNOWN_UNKNOWN,
    .build = build,
    .applies = applies,
    .blocks = blocks,
};
