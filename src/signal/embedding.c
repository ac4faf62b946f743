/*
 * embedding - how close the text, or an image, is to examples (signals.md §6.1).
 *
 * All rules are scored with one vector of the request, and they compete: of those outside a partition the best `top_k`
 * stay. Examples become prototypes as the global embedding settings say.
 */
#include "config/global_catalog.h"
#include "config/global_tables.h"
#include "core/arena.h"
#include "signal/learned.h"

static const char *const methods[] = { "max", "mean", "any", "best", NULL };
static const enum signal_bank_method bank_methods[] = { BANK_BLEND, BANK_MEAN, BANK_BLEND, BANK_BEST };

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
      .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help =
          "Examples of what the rule stands for. With query_modality image: texts that describe a picture, pictures "
          "(PNG, JPEG, WebP, GIF) as data URI or base64, and files: /PATH, or ./PATH beside the configuration." },
    { "aggregation_method", FIELD_ENUM, offsetof(struct embedding_config, aggregation_method), .fallback = "max",
      .choices = methods,
      .help = "How similarities become a score: max and any blend the best with its support, mean is the average of "
              "all, best is the greatest alone." },
    { "query_modality", FIELD_ENUM, offsetof(struct embedding_config, query_modality), .fallback = "text",
      .choices = modalities,
      .help =
          "What of the request is compared: text, or image with a multimodal model: the first picture that the last "
          "user message holds inline, else the last one before it. Addresses are not fetched." },
};

static const struct schema embedding_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct embedding_config *rule = object;
    learned_check_examples(&embedding_schema, rule, "candidates", rule->candidates.n, arena, diag);
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
    if (rule->query_modality == MODALITY_IMAGE) {
        learned_check_image_model(doc, schema_field_at(&embedding_schema, rule, "query_modality", arena),
                                  "query_modality \"image\"", diag);
        learned_check_images(&embedding_schema, rule, "candidates", &rule->candidates, arena, diag);
    }
}

/* ---- compiled */

struct embedding_rule {
    const struct embedding_config *config;
    struct signal_bank *bank;
    uint32_t best_slot, support_slot, count_slot;
};

struct embedding_state {
    struct embedding_rule *rules;
    size_t n_rules;
    uint32_t first_slot;
    enum signal_text text;
    uint32_t text_source, image_source;
    bool soft;
    double soft_least;
};

/* Vectors are whole unless the document says otherwise: its default is the size of one model. */
static size_t dims_of(const struct config_semantic *semantic) {
    const struct config_embedding_config *config = &semantic->embedding_config;
    bool written = schema_present(&config_embedding_config_schema, config, "target_dimension");
    return written && config->target_dimension > 0 ? (size_t)config->target_dimension : 0;
}

static void build_rule(struct signal_builder *builder, const struct embedding_state *state,
                       const struct embedding_config *config, struct embedding_rule *rule) {
    const struct config_semantic *semantic = &builder->doc->global.model_catalog.embeddings.semantic;
    rule->config = config;
    rule->bank = signal_bank_add(builder, &(struct signal_bank_options){
                                              .source = config->query_modality == MODALITY_IMAGE ? state->image_source
                                                                                                 : state->text_source,
                                              .texts = config->candidates.items,
                                              .n_texts = config->candidates.n,
                                              .scoring = &semantic->embedding_config.prototype_scoring,
                                              .dims = dims_of(semantic) });
    rule->best_slot = learned_beside(builder, "embedding", config->name, "best");
    rule->support_slot = learned_beside(builder, "embedding", config->name, "support");
    rule->count_slot = learned_beside(builder, "embedding", config->name, "prototype_count");
}

static void *build(struct signal_builder *builder) {
    const struct config_embedding_config *config =
        &builder->doc->global.model_catalog.embeddings.semantic.embedding_config;
    const struct embedding_config *rules = builder->rules->items;
    struct embedding_state *state = ARENA_NEW(builder->arena, struct embedding_state);
    bool images = false;
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct embedding_rule, state->n_rules);
    state->first_slot = builder->first_slot;
    state->text = builder->text;
    state->soft = config->enable_soft_matching;
    state->soft_least = config->min_score_threshold;
    for (size_t i = 0; i < state->n_rules; i++)
        images |= rules[i].query_modality == MODALITY_IMAGE;
    state->text_source = learned_embedder(builder, false);
    state->image_source = images ? learned_embedder(builder, true) : state->text_source;
    for (size_t i = 0; i < state->n_rules; i++)
        build_rule(builder, state, &rules[i], &state->rules[i]);
    return state;
}

static const struct signal_bank *bank_of(const void *data, size_t rule) {
    const struct embedding_state *state = data;
    return state->rules[rule].bank;
}

static bool applies(const void *data, const struct request_facts *facts, size_t index) {
    const struct embedding_state *state = data;
    return state->rules[index].config->query_modality == MODALITY_IMAGE ? facts->image_ref.len > 0
                                                                        : learned_has_text(state, facts, index);
}

/* ---- judged */

static bool wants(const struct embedding_state *state, const struct signal_request *request, size_t rule,
                  int modality) {
    return state->rules[rule].config->query_modality == modality && bits_has(request->wanted, state->first_slot + rule);
}

static bool wants_any(const struct embedding_state *state, const struct signal_request *request, int modality) {
    for (size_t i = 0; i < state->n_rules; i++)
        if (wants(state, request, i, modality))
            return true;
    return false;
}

/* The vector that the rules of one modality compare. */
static int query(const struct embedding_state *state, struct signal_request *request, int modality,
                 const struct evidence_answer **ret_answer, struct vsr_err *err) {
    if (modality == MODALITY_TEXT)
        return learned_ask_window(request, EVIDENCE_VECTOR, state->text_source, state->text, ret_answer, err);
    *ret_answer = &evidence_ask(request->asks, EVIDENCE_VECTOR, state->image_source, request->facts->image_ref)->answer;
    return 0;
}

static void ask(const void *data, struct signal_request *request) {
    const struct embedding_state *state = data;
    const struct evidence_answer *answer;
    for (int modality = MODALITY_TEXT; modality <= MODALITY_IMAGE; modality++)
        if (wants_any(state, request, modality))
            (void)query(state, request, modality, &answer, NULL); /* eval() meets the same failure, and tells it */
}

static void write_values(const struct embedding_state *state, size_t index, const struct signal_bank_score *score,
                         struct signal_results *results) {
    const struct embedding_rule *rule = &state->rules[index];
    signal_value(results, state->first_slot + (uint32_t)index, score->score);
    signal_value(results, rule->best_slot, score->best);
    signal_value(results, rule->support_slot, score->support);
    signal_value(results, rule->count_slot, (double)score->n_prototypes);
}

/* A rule where none is known to match by its own threshold. `failed`: one that might; SIGNAL_SLOT_NONE: none can. */
static void judge_soft(const struct embedding_state *state, uint32_t slot, double score, uint32_t failed,
                       struct signal_results *results) {
    if (!state->soft || score < state->soft_least)
        return;
    if (failed == SIGNAL_SLOT_NONE)
        signal_match(results, slot, score);
    else
        learned_fail(results, slot,
                     &(struct evidence_answer){ .code = (enum signal_code)results->codes[failed],
                                                .reason = results->reasons ? results->reasons[failed] : NULL });
}

/*
 * A match is soft only where nothing of its modality reaches its own threshold. Whether that is so stays open where a
 * rule could not be compared.
 */
static void judge(const struct embedding_state *state, struct signal_request *request,
                  const struct evidence_answer *answer, int modality, struct signal_results *results) {
    struct signal_bank_score *scores = ARENA_ARRAY(request->arena, struct signal_bank_score, state->n_rules);
    bool *scored = ARENA_ARRAY(request->arena, bool, state->n_rules), hard = false;
    uint32_t failed = SIGNAL_SLOT_NONE; /* a rule that could not be compared */
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct embedding_rule *rule = &state->rules[i];
        uint32_t slot = state->first_slot + (uint32_t)i;
        if (!wants(state, request, i, modality))
            continue;
        if (!learned_score(rule->bank, answer, bank_methods[rule->config->aggregation_method], results, slot,
                           &scores[i])) {
            failed = slot;
            continue;
        }
        scored[i] = true;
        write_values(state, i, &scores[i], results);
        hard |= scores[i].score >= rule->config->threshold;
    }
    for (size_t i = 0; i < state->n_rules; i++) {
        uint32_t slot = state->first_slot + (uint32_t)i;
        if (scored[i] && hard && scores[i].score >= state->rules[i].config->threshold)
            signal_match(results, slot, scores[i].score);
        else if (scored[i] && !hard)
            judge_soft(state, slot, scores[i].score, failed, results);
    }
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct embedding_state *state = data;
    const struct evidence_answer *answer;
    int rc = 0;
    for (int modality = MODALITY_TEXT; modality <= MODALITY_IMAGE && rc == 0; modality++) {
        if (!wants_any(state, request, modality))
            continue;
        rc = query(state, request, modality, &answer, err);
        if (rc == 0)
            judge(state, request, answer, modality, results);
    }
    return rc;
}

const struct signal_family signal_embedding = {
    .config = { .type = "embedding",
                .list_key = "embeddings",
                .schema = &embedding_schema,
                .check = TABLE_CHECK(check_rules),
                .partition_members = true },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .all_or_nothing = true,
    .keeps_best = true,
    .value_least = -1,
    .value_greatest = 1,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.models = signal_models_embedding, .build = build, .ask = ask, .eval = eval, .applies = applies,
                .bank = bank_of),
};
