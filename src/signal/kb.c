/*
 * kb - which label or group of a knowledge base the text belongs to (signals.md §6.12). The bases themselves stand
 * under global.model_catalog.kbs; their metrics are inputs of scores.
 */
#include "core/arena.h"
#include "signal/learned.h"

enum target_kind { TARGET_LABEL, TARGET_GROUP };
static const char *const kinds[] = { "label", "group", NULL };
static const char *const matches[] = { "threshold", "best", NULL };

struct target_config {
    struct config_at at;
    int kind; /* enum target_kind */
    vsr_str value;
};

struct kb_config {
    struct config_at at;
    vsr_str name, description, kb;
    struct target_config target;
    int match; /* 0 threshold, 1 best */
    bool require_threshold;
};

static const struct field target_fields[] = {
    { "kind", FIELD_ENUM, offsetof(struct target_config, kind), .flags = FIELD_REQUIRED, .choices = kinds,
      .help = "label or group." },
    { "value", FIELD_STRING, offsetof(struct target_config, value), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name of the label or group." },
};
static const struct schema target_schema = SCHEMA("target", struct target_config, target_fields);

static const struct field kb_fields[] = {
    RULE_FIELDS(struct kb_config),
    { "kb", FIELD_STRING, offsetof(struct kb_config, kb), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Knowledge base of global.model_catalog.kbs." },
    { "target", FIELD_OBJECT, offsetof(struct kb_config, target), .flags = FIELD_REQUIRED, .object = &target_schema,
      .help = "Label or group that the rule stands for." },
    { "match", FIELD_ENUM, offsetof(struct kb_config, match), .fallback = "threshold", .choices = matches,
      .help = "threshold: the target is close enough; best: no other is closer." },
    { "require_threshold", FIELD_BOOL, offsetof(struct kb_config, require_threshold),
      .help = "With best: the target must be close enough as well." },
};
static const struct schema kb_schema = SCHEMA("kb rule", struct kb_config, kb_fields);

static vsr_str suggest_kb(const struct config_model_catalog *catalog, vsr_str name, struct arena *arena,
                          struct diag *diag) {
    vsr_str *names = ARENA_ARRAY(arena, vsr_str, catalog->kbs.n);
    size_t n = 0;
    CONFIG_EACH(const struct config_kb, kb, &catalog->kbs)
    names[n++] = kb->name;
    return diag_suggest(diag, name, names, n);
}

/* Labels are known once the base's file is read; whoever reads it looks them up. */
static void check_target(const struct kb_config *rule, const struct config_kb *kb, struct arena *arena,
                         struct diag *diag) {
    vsr_str value = rule->target.value;
    if (rule->target.kind != TARGET_GROUP)
        return;
    for (size_t i = 0; i < kb->groups.n; i++)
        if (str_eq(kb->groups.keys[i], value))
            return;
    diag_error(diag, "E_REF", schema_field_at(&target_schema, &rule->target, "value", arena),
               diag_suggest(diag, value, kb->groups.keys, kb->groups.n),
               "knowledge base \"%.*s\" has no group \"%.*s\"", VSR_FMT(kb->name), VSR_FMT(value));
}

static void check_rules(const struct config_document *doc, const struct config_list *rules, struct arena *arena,
                        struct diag *diag) {
    const struct config_model_catalog *catalog = learned_catalog(doc);
    if (!catalog)
        return;
    CONFIG_EACH(const struct kb_config, rule, rules) {
        const struct config_kb *kb = config_kb(catalog, rule->kb);
        if (kb)
            check_target(rule, kb, arena, diag);
        else
            diag_error(diag, "E_REF", schema_field_at(&kb_schema, rule, "kb", arena),
                       suggest_kb(catalog, rule->kb, arena, diag),
                       "knowledge base \"%.*s\" is not declared under global.model_catalog.kbs", VSR_FMT(rule->kb));
    }
}

const struct signal_family signal_kb = {
    .config = { .type = "kb", .list_key = "kb", .schema = &kb_schema, .check = check_rules },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .models = signal_models_embedding,
    .confidence_least = -1, /* a match may be the best of unlike ones */
    .value_least = -1,
    .value_greatest = 1,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .build = learned_build,
    .applies = learned_has_text,
};

/* Not in the list of families: nobody writes rules of it. Its slots are the metrics that scores read. */
const struct signal_family signal_kb_metric = {
    .config = { .type = "kb_metric" },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .models = signal_models_embedding,
    .value_least = -2, /* a margin of two scores */
    .value_greatest = 2,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .applies = learned_has_text,
};
