/*
 * embedding - how close the text, or an image, is to examples (signals.md §6.1).
 *
 * All rules are scored with one vector of the request, and they compete: of those outside a partition the best `top_k`
 * stay. Examples become prototypes as the global embedding settings say.
 */
#include "core/arena.h"
#include "signal/learned.h"

static const char *const methods[] = { "max", "mean", "any", "best", NULL };

enum modality { MODALITY_TEXT, MODALITY_IMAGE, MODALITY_AUDIO };
static const char *const modalities[] = { "text", "image", "audio", NULL };

struct embedding_config {
    struct config_at at;
    vsr_str name, description;
    double threshold;
    struct config_strings candidates;
    int aggregation_method;
    int query_modality; /* enum modality */
};

static const struct field embedding_fields[] = {
    RULE_FIELDS(struct embedding_config),
    { "threshold", FIELD_NUMBER, offsetof(struct embedding_config, threshold), .flags = FIELD_RANGE, .least = 0,
      .greatest = 1, .help = "Least similarity of a match." },
    { "candidates", FIELD_STRINGS, offsetof(struct embedding_config, candidates),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Examples of what the rule stands for." },
    { "aggregation_method", FIELD_ENUM, offsetof(struct embedding_config, aggregation_method), .fallback = "max",
      .choices = methods,
      .help = "How similarities become a score: max and any blend the best with its support, mean is the average of "
              "all, best is the greatest alone." },
    { "query_modality", FIELD_ENUM, offsetof(struct embedding_config, query_modality), .fallback = "text",
      .choices = modalities, .help = "What of the request is compared: text, or image with a multimodal model." },
};

static const struct schema embedding_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct embedding_config *rule = object;
    if (rule->query_modality == MODALITY_AUDIO)
        diag_error(diag, "E_UNSUPPORTED", schema_field_at(&embedding_schema, rule, "query_modality", arena),
                   VSR_STR("use text or image"), "query_modality \"audio\" is not supported");
    if (rule->threshold <= 0)
        diag_warn(diag, "W_ALWAYS", schema_field_at(&embedding_schema, rule, "threshold", arena),
                  VSR_STR("thresholds lie between 0.5 and 0.9 for most models"),
                  "without a threshold above 0 almost every text matches");
}

static const struct schema embedding_schema =
    SCHEMA("embedding rule", struct embedding_config, embedding_fields, .check = check_rule);

static void check_rules(const struct config_document *doc, const struct config_list *rules, struct arena *arena,
                        struct diag *diag) {
    CONFIG_EACH(const struct embedding_config, rule, rules)
    if (rule->query_modality == MODALITY_IMAGE)
        learned_check_image_model(doc, schema_field_at(&embedding_schema, rule, "query_modality", arena),
                                  "query_modality \"image\"", diag);
}

static bool applies(const void *state, const struct request_facts *facts, size_t index) {
    const struct config_list *rules = state;
    const struct embedding_config *rule = (const struct embedding_config *)rules->items + index;
    return rule->query_modality == MODALITY_IMAGE ? facts->image_ref.len > 0 : learned_has_text(state, facts, index);
}

const struct signal_family signal_embedding = {
    .config = { .type = "embedding",
                .list_key = "embeddings",
                .schema = &embedding_schema,
                .check = check_rules,
                .partition_members = true },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .models = signal_models_embedding,
    .all_or_nothing = true,
    .keeps_best = true,
    .value_least = -1,
    .value_greatest = 1,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .build = learned_build,
    .applies = applies,
};
