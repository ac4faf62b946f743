/*
 * complexity - whether a task is easy or hard, by examples of both (signals.md §6.6).
 *
 * A rule reports one of three levels, and leaves name rule and level. Its composer, a rule tree over other signals,
 * says when the rule counts at all; the engine applies it once those are known.
 */
#include "core/arena.h"
#include "signal/learned.h"

static const char *const levels[] = { "hard", "medium", "easy", NULL };
enum { LEVELS = VSR_COUNT(levels) - 1 };

/* Margins of sentence embeddings are small: beyond this everything is medium. */
#define THRESHOLD_SENSIBLE 0.5

struct examples_config {
    struct config_at at;
    struct config_strings candidates, image_candidates;
};

struct complexity_config {
    struct config_at at;
    vsr_str name, description;
    double threshold;
    struct examples_config hard, easy;
    struct config_rule *composer; /* NULL: always */
};

static const struct field examples_fields[] = {
    { "candidates", FIELD_STRINGS, offsetof(struct examples_config, candidates), .flags = FIELD_NONBLANK,
      .help = "Example texts." },
    { "image_candidates", FIELD_STRINGS, offsetof(struct examples_config, image_candidates), .flags = FIELD_NONBLANK,
      .help = "Example images, or texts that describe them; needs a multimodal model." },
};

static void check_examples(const void *object, struct arena *arena, struct diag *diag) {
    const struct examples_config *examples = object;
    (void)arena;
    if (examples->candidates.n == 0 && examples->image_candidates.n == 0)
        diag_error(diag, "E_REQUIRED", schema_at(object), (vsr_str){ 0 },
                   "at least one of candidates and image_candidates is required");
}

static const struct schema examples_schema =
    SCHEMA("examples", struct examples_config, examples_fields, .check = check_examples);

static const struct field complexity_fields[] = {
    RULE_FIELDS(struct complexity_config),
    { "threshold", FIELD_NUMBER, offsetof(struct complexity_config, threshold), .flags = FIELD_RANGE, .fallback = "0.1",
      .least = 0, .greatest = 2,
      .help = "How much closer the text must be to one side; between, the level is medium." },
    { "hard", FIELD_OBJECT, offsetof(struct complexity_config, hard), .flags = FIELD_REQUIRED,
      .object = &examples_schema, .help = "Examples of hard tasks." },
    { "easy", FIELD_OBJECT, offsetof(struct complexity_config, easy), .flags = FIELD_REQUIRED,
      .object = &examples_schema, .help = "Examples of easy tasks." },
    { "composer", FIELD_OPTIONAL, offsetof(struct complexity_config, composer), .object = &config_rule_schema,
      .help = "A rule tree over other signals; when it does not hold, no level matches." },
};

static const struct schema complexity_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct complexity_config *rule = object;
    if (rule->threshold > THRESHOLD_SENSIBLE)
        diag_warn(diag, "W_RANGE", schema_field_at(&complexity_schema, rule, "threshold", arena),
                  VSR_STR("values from 0.1 to 0.2 tell levels apart"),
                  "margins rarely reach %g, so every task would be medium", rule->threshold);
}

static const struct schema complexity_schema =
    SCHEMA("complexity rule", struct complexity_config, complexity_fields, .check = check_rule);

static void check_rules(const struct config_document *doc, const struct config_list *rules, struct arena *arena,
                        struct diag *diag) {
    CONFIG_EACH(const struct complexity_config, rule, rules) {
        const struct examples_config *sides[] = { &rule->hard, &rule->easy };
        for (size_t i = 0; i < VSR_COUNT(sides); i++)
            if (sides[i]->image_candidates.n > 0)
                learned_check_image_model(doc, schema_field_at(&examples_schema, sides[i], "image_candidates", arena),
                                          "image_candidates", diag);
    }
}

static struct config_rule *tree(const void *object) {
    const struct complexity_config *rule = object;
    return rule->composer;
}

/* Every rule at every level, rule by rule. */
static size_t names(const struct config_list *rules, struct arena *arena, vsr_str **ret_names, size_t *ret_n_listed) {
    const struct complexity_config *items = rules->items;
    size_t n = 0;
    *ret_names = ARENA_ARRAY(arena, vsr_str, rules->n * LEVELS);
    for (size_t i = 0; i < rules->n; i++)
        for (size_t k = 0; k < LEVELS; k++)
            (*ret_names)[n++] = arena_printf(arena, "%.*s:%s", VSR_FMT(items[i].name), levels[k]);
    *ret_n_listed = n;
    return n;
}

static size_t rule_of(const void *state, size_t name) {
    (void)state;
    return name / LEVELS;
}

static bool applies(const void *state, const struct request_facts *facts, size_t index) {
    const struct config_list *rules = state;
    const struct complexity_config *rule = (const struct complexity_config *)rules->items + index;
    bool images = rule->hard.image_candidates.n > 0 && rule->easy.image_candidates.n > 0;
    return learned_has_text(state, facts, index) || (images && facts->image_ref.len > 0);
}

const struct signal_family signal_complexity = {
    .config = { .type = "complexity",
                .list_key = "complexity",
                .schema = &complexity_schema,
                .levels = levels,
                .check = check_rules,
                .tree = tree },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .models = signal_models_embedding,
    .confidence_max = 2,
    .value_least = -2,
    .value_greatest = 2,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .names = names,
    .rule_of = rule_of,
    .build = learned_build,
    .applies = applies,
};
