/*
 * complexity - whether a task is easy or hard, by examples of both (signals.md §6.6).
 *
 * A rule reports one of three levels, and leaves name rule and level. Its composer, a rule tree over other signals,
 * says when the rule counts at all; the engine applies it once those are known.
 */
#include <math.h>

#include "config/global_catalog.h"
#include "core/arena.h"
#include "signal/learned.h"

static const char *const levels[] = { "hard", "medium", "easy", NULL };
enum level { HARD, MEDIUM, EASY, LEVELS };
_Static_assert(VSR_COUNT(levels) == LEVELS + 1, "a name for each level");

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
      .help = "Example images (PNG, JPEG, WebP, GIF: data URI, base64, /PATH, or ./PATH beside the configuration), or "
              "texts that describe them; needs a multimodal model." },
};

static const struct schema examples_schema;

static void check_examples(const void *object, struct arena *arena, struct diag *diag) {
    const struct examples_config *examples = object;
    learned_check_examples(&examples_schema, examples, "candidates", examples->candidates.n, arena, diag);
    learned_check_examples(&examples_schema, examples, "image_candidates", examples->image_candidates.n, arena, diag);
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
            if (sides[i]->image_candidates.n > 0) {
                learned_check_image_model(doc, schema_field_at(&examples_schema, sides[i], "image_candidates", arena),
                                          "image_candidates", diag);
                learned_check_images(&examples_schema, sides[i], "image_candidates", &sides[i]->image_candidates, arena,
                                     diag);
            }
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

/* ---- compiled */

/* Examples of both ends, of texts or of images. */
struct sides {
    struct signal_bank *hard, *easy; /* NULL: one end has none, so there is nothing to compare */
    uint32_t hard_slot, easy_slot, margin_slot;
};

struct complexity_rule {
    const struct complexity_config *config;
    struct sides text, image;
    uint32_t margin_slot, band_slot;
};

struct complexity_state {
    struct complexity_rule *rules;
    size_t n_rules;
    uint32_t first_slot;
    enum signal_text text;
    uint32_t text_source, image_source;
};

static struct signal_bank *add_bank(struct signal_builder *builder, uint32_t source,
                                    const struct config_strings *texts) {
    return signal_bank_add(builder,
                           &(struct signal_bank_options){
                               .source = source,
                               .texts = texts->items,
                               .n_texts = texts->n,
                               .scoring = &builder->doc->global.model_catalog.modules.complexity.prototype_scoring });
}

static uint32_t beside(struct signal_builder *builder, const struct complexity_config *rule, const char *what) {
    return learned_beside(builder, "complexity", rule->name, what);
}

static void build_rule(struct signal_builder *builder, const struct complexity_state *state,
                       const struct complexity_config *config, struct complexity_rule *rule) {
    const struct examples_config *hard = &config->hard, *easy = &config->easy;
    rule->config = config;
    rule->margin_slot = beside(builder, config, "margin");
    rule->band_slot = beside(builder, config, "band_confidence");
    rule->text.hard_slot = beside(builder, config, "text_hard_score");
    rule->text.easy_slot = beside(builder, config, "text_easy_score");
    rule->text.margin_slot = beside(builder, config, "text_margin");
    rule->image.hard_slot = beside(builder, config, "image_hard_score");
    rule->image.easy_slot = beside(builder, config, "image_easy_score");
    rule->image.margin_slot = beside(builder, config, "image_margin");
    if (hard->candidates.n > 0 && easy->candidates.n > 0) {
        rule->text.hard = add_bank(builder, state->text_source, &hard->candidates);
        rule->text.easy = add_bank(builder, state->text_source, &easy->candidates);
    }
    if (hard->image_candidates.n > 0 && easy->image_candidates.n > 0) {
        rule->image.hard = add_bank(builder, state->image_source, &hard->image_candidates);
        rule->image.easy = add_bank(builder, state->image_source, &easy->image_candidates);
    }
}

static void *build(struct signal_builder *builder) {
    const struct complexity_config *rules = builder->rules->items;
    struct complexity_state *state = ARENA_NEW(builder->arena, struct complexity_state);
    bool images = false;
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct complexity_rule, state->n_rules);
    state->first_slot = builder->first_slot;
    state->text = builder->text;
    for (size_t i = 0; i < state->n_rules; i++)
        images |= rules[i].hard.image_candidates.n > 0 && rules[i].easy.image_candidates.n > 0;
    state->text_source = learned_embedder(builder, false);
    state->image_source = images ? learned_embedder(builder, true) : state->text_source;
    for (size_t i = 0; i < state->n_rules; i++)
        build_rule(builder, state, &rules[i], &state->rules[i]);
    return state;
}

static bool applies(const void *data, const struct request_facts *facts, size_t index) {
    const struct complexity_state *state = data;
    return learned_has_text(state, facts, index) || (state->rules[index].image.hard && facts->image_ref.len > 0);
}

/* ---- judged */

/* What a rule's examples are compared with; NULL: nothing of the kind, or not asked for. */
struct queries {
    const struct evidence_answer *text, *image;
};

static bool wants(const struct complexity_state *state, const struct signal_request *request, size_t rule) {
    size_t first = state->first_slot + rule * LEVELS;
    return bits_next(request->wanted, first, first + LEVELS) < first + LEVELS;
}

/* With image examples the text is compared with them too, unless there is an image. */
static int query(const struct complexity_state *state, struct signal_request *request, struct queries *ret,
                 struct vsr_err *err) {
    bool text = false, image = false, has_text = learned_has_text(state, request->facts, 0);
    vsr_str image_ref = request->facts->image_ref;
    int rc = 0;
    for (size_t i = 0; i < state->n_rules; i++)
        if (wants(state, request, i)) {
            text |= has_text && state->rules[i].text.hard;
            image |= state->rules[i].image.hard != NULL;
        }
    *ret = (struct queries){ 0 };
    if (image && image_ref.len > 0)
        ret->image = &evidence_ask(request->asks, EVIDENCE_VECTOR, state->image_source, image_ref)->answer;
    if (text)
        rc = learned_ask_window(request, EVIDENCE_VECTOR, state->text_source, state->text, &ret->text, err);
    if (image && image_ref.len == 0 && rc == 0)
        rc = learned_ask_window(request, EVIDENCE_VECTOR, state->text_source, state->text, &ret->image, err);
    return rc;
}

static void ask(const void *state, struct signal_request *request) {
    struct queries queries;
    (void)query(state, request, &queries, NULL); /* eval() meets the same failure, and tells it */
}

/* How much closer the vector is to the hard side. False: the rule at the slot has failed. */
static bool compare(const struct sides *sides, const struct evidence_answer *answer, struct signal_results *results,
                    uint32_t slot, double *ret_margin) {
    struct signal_bank_score hard, easy;
    if (!learned_score(sides->hard, answer, BANK_BLEND, results, slot, &hard) ||
        !learned_score(sides->easy, answer, BANK_BLEND, results, slot, &easy))
        return false;
    *ret_margin = hard.score - easy.score;
    signal_value(results, sides->hard_slot, hard.score);
    signal_value(results, sides->easy_slot, easy.score);
    signal_value(results, sides->margin_slot, *ret_margin);
    return true;
}

static bool find_margin(const struct complexity_rule *rule, const struct queries *queries,
                        struct signal_results *results, uint32_t slot, double *ret_margin) {
    double image = 0;
    *ret_margin = 0;
    if (rule->text.hard && queries->text && !compare(&rule->text, queries->text, results, slot, ret_margin))
        return false;
    if (rule->image.hard && queries->image && !compare(&rule->image, queries->image, results, slot, &image))
        return false;
    if (fabs(image) > fabs(*ret_margin))
        *ret_margin = image;
    return true;
}

static enum level level_of(double margin, double threshold) {
    return margin > threshold ? HARD : margin < -threshold ? EASY : MEDIUM;
}

/* How far into its band the margin is, comparable between rules. */
static double band_confidence(double margin, double threshold) {
    return threshold > 0 ? fmin(1, fabs(margin) / (2 * threshold)) : margin != 0;
}

static void fail_levels(struct signal_results *results, uint32_t first) {
    const char *reason = results->reasons ? results->reasons[first] : NULL;
    for (uint32_t level = 1; level < LEVELS; level++)
        learned_fail(results, first + level,
                     &(struct evidence_answer){ .code = (enum signal_code)results->codes[first], .reason = reason });
}

static void judge(const struct complexity_rule *rule, const struct queries *queries, struct signal_results *results,
                  uint32_t first) {
    double margin, threshold = rule->config->threshold;
    if (!find_margin(rule, queries, results, first, &margin)) {
        fail_levels(results, first);
        return;
    }
    signal_value(results, rule->margin_slot, margin);
    signal_value(results, rule->band_slot, band_confidence(margin, threshold));
    signal_match(results, first + level_of(margin, threshold), fabs(margin));
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct complexity_state *state = data;
    struct queries queries;
    int rc = query(state, request, &queries, err);
    for (size_t i = 0; i < state->n_rules && rc == 0; i++)
        if (wants(state, request, i))
            judge(&state->rules[i], &queries, results, state->first_slot + (uint32_t)(i * LEVELS));
    return rc;
}

const struct signal_family signal_complexity = {
    .config = { .type = "complexity",
                .list_key = "complexity",
                .schema = &complexity_schema,
                .levels = levels,
                .check = TABLE_CHECK(check_rules),
                .tree = tree },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .confidence_max = 2,
    .value_least = -2,
    .value_greatest = 2,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.models = signal_models_embedding, .names = names, .rule_of = rule_of, .build = build, .ask = ask,
                .eval = eval, .applies = applies),
};
