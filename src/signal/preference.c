/*
 * preference - which of the described preferences the request fits best (signals.md §6.7). At most one matches.
 */
#include "core/arena.h"
#include "signal/learned.h"

struct preference_config {
    struct config_at at;
    vsr_str name, description;
    struct config_strings examples;
    double threshold;
};

static const struct field preference_fields[] = {
    { "name", FIELD_STRING, offsetof(struct preference_config, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name that decisions and projections use." },
    { "description", FIELD_STRING, offsetof(struct preference_config, description),
      .help = "What the preference is about; compared with the text like an example." },
    { "examples", FIELD_STRINGS, offsetof(struct preference_config, examples),
      .help = "Texts that show the preference; blank ones are passed over." },
    { "threshold", FIELD_NUMBER, offsetof(struct preference_config, threshold), .flags = FIELD_RANGE, .least = -1,
      .greatest = 1, .help = "Least score of a match; not above 0: the best always matches." },
};
static const struct schema preference_schema = SCHEMA("preference rule", struct preference_config, preference_fields);

static bool has_text(const struct preference_config *rule) {
    if (str_trim(rule->description).len > 0)
        return true;
    for (size_t i = 0; i < rule->examples.n; i++)
        if (str_trim(rule->examples.items[i]).len > 0)
            return true;
    return false;
}

static void check_rules(const struct config_document *doc, const struct config_list *rules, struct arena *arena,
                        struct diag *diag) {
    const struct config_model_catalog *catalog = learned_catalog(doc);
    (void)arena;
    if (catalog && !catalog->modules.classifier.preference.use_contrastive)
        return; /* a language model judges names and descriptions */
    CONFIG_EACH(const struct preference_config, rule, rules)
    if (!has_text(rule))
        diag_error(diag, "E_REQUIRED", schema_at(rule), (vsr_str){ 0 },
                   "a description or an example is required: there is nothing to compare with");
}

const struct signal_family signal_preference = {
    .config = { .type = "preference", .list_key = "preferences", .schema = &preference_schema, .check = check_rules },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .models = signal_models_preference,
    .all_or_nothing = true, /* rules compete */
    .confidence_least = -1, /* a match may be the best of unlike ones */
    .value_least = -1,
    .value_greatest = 1,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .build = learned_build,
    .applies = learned_has_text,
};
