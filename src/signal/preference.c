/*
 * preference - which of the described preferences the request fits best (signals.md §6.7). At most one matches.
 *
 * Either by examples: descriptions and examples are compared with the text, and the best must be good enough, and far
 * enough before the second. Or a chat model elsewhere is shown the preferences and what the user said, and picks one.
 */
#include "config/global_catalog.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_write.h"
#include "signal/learned.h"
#include "text/window.h"

enum {
    TURNS_MAX = 8,                   /* of the user, that a chat model is shown: the latest */
    CONVERSATION_LEN_MAX = 16 << 20, /* of them as JSON; windows are shorter unless they are switched off */
};

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
    CONFIG_EACH(const struct preference_config, rule, rules)
    learned_check_examples(&preference_schema, rule, "examples", rule->examples.n + 1, arena, diag);
    if (catalog && !catalog->modules.classifier.preference.use_contrastive)
        return; /* a language model judges names and descriptions */
    CONFIG_EACH(const struct preference_config, rule, rules)
    if (!has_text(rule))
        diag_error(diag, "E_REQUIRED", schema_at(rule), (vsr_str){ 0 },
                   "a description or an example is required: there is nothing to compare with");
}

/* ---- compiled */

struct preference_rule {
    const struct preference_config *config;
    struct signal_bank *bank; /* NULL: a chat model judges */
    uint32_t best_slot, support_slot, count_slot, margin_slot;
};

struct preference_state {
    struct preference_rule *rules;
    size_t n_rules;
    uint32_t first_slot;
    enum signal_text text;
    uint32_t source;
    bool by_example;
    bool has_source;
    double margin_least; /* 0: the winner need not be ahead */
};

/* The description is an example like the others. */
static struct signal_bank *add_bank(struct signal_builder *builder, uint32_t source,
                                    const struct preference_config *rule) {
    const struct config_modules *modules = &builder->doc->global.model_catalog.modules;
    vsr_str *texts = ARENA_ARRAY(builder->arena, vsr_str, rule->examples.n + 1);
    texts[0] = rule->description;
    for (size_t i = 0; i < rule->examples.n; i++)
        texts[i + 1] = rule->examples.items[i];
    return signal_bank_add(builder,
                           &(struct signal_bank_options){ .source = source,
                                                          .texts = texts,
                                                          .n_texts = rule->examples.n + 1,
                                                          .scoring = &modules->classifier.preference.prototype_scoring,
                                                          .repeats_count = true });
}

static const struct config_external_model *find_judge(const struct config_model_catalog *catalog) {
    CONFIG_EACH(const struct config_external_model, model, &catalog->external)
    if (model->model_role == ROLE_PREFERENCE)
        return model;
    return NULL;
}

static bool add_judge(struct signal_builder *builder, struct preference_state *state) {
    const struct config_external_model *model = find_judge(&builder->doc->global.model_catalog);
    struct signal_label *labels = ARENA_ARRAY(builder->arena, struct signal_label, state->n_rules);
    if (!model)
        return false;
    for (size_t i = 0; i < state->n_rules; i++)
        labels[i] = (struct signal_label){ state->rules[i].config->name, state->rules[i].config->description };
    state->source =
        signal_source_add(builder, &(struct signal_source){ .kind = SOURCE_HTTP_ROUTE,
                                                            .config = model,
                                                            .labels = labels,
                                                            .n_labels = state->n_rules,
                                                            .timeout_ms = model->llm_timeout_seconds * 1000 });
    builder->stage = SIGNAL_STAGE_REMOTE;
    return true;
}

static void build_rule(struct signal_builder *builder, const struct preference_state *state,
                       struct preference_rule *rule) {
    vsr_str name = rule->config->name;
    if (state->by_example)
        rule->bank = add_bank(builder, state->source, rule->config);
    rule->best_slot = learned_beside(builder, "preference", name, "best");
    rule->support_slot = learned_beside(builder, "preference", name, "support");
    rule->count_slot = learned_beside(builder, "preference", name, "prototype_count");
    rule->margin_slot = learned_beside(builder, "preference", name, "margin");
}

static void *build(struct signal_builder *builder) {
    const struct config_preference_classifier *module =
        &builder->doc->global.model_catalog.modules.classifier.preference;
    const struct preference_config *rules = builder->rules->items;
    struct preference_state *state = ARENA_NEW(builder->arena, struct preference_state);
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct preference_rule, state->n_rules);
    state->first_slot = builder->first_slot;
    state->text = builder->text;
    state->by_example = module->use_contrastive;
    state->margin_least = module->prototype_scoring.margin_threshold;
    for (size_t i = 0; i < state->n_rules; i++)
        state->rules[i].config = &rules[i];
    if (state->by_example)
        state->source = learned_embedder_of(builder, module->embedding_model, false);
    state->has_source = state->by_example || add_judge(builder, state);
    for (size_t i = 0; i < state->n_rules; i++)
        build_rule(builder, state, &state->rules[i]);
    return state;
}

/* ---- what a chat model is shown */

static vsr_str window(struct signal_request *request, vsr_str text) {
    return window_text(request->arena, text, request->window_max);
}

static void write_turn(struct json_writer *w, vsr_str text) {
    json_write_begin_object(w);
    json_write_key(w, VSR_STR("role"));
    json_write_str(w, VSR_STR("user"));
    json_write_key(w, VSR_STR("content"));
    json_write_str(w, text);
    json_write_end(w);
}

/* The latest turns of the user, oldest first: preferences are about what people want, not about what they were told. */
static void write_turns(struct json_writer *w, struct signal_request *request, vsr_str now) {
    const struct texts *prior = &request->facts->prior_user;
    bool is_turn = request->facts->current_user.len > 0;
    json_write_begin_array(w);
    for (size_t i = prior->n < TURNS_MAX ? 0 : prior->n - (TURNS_MAX - 1); is_turn && i < prior->n; i++)
        write_turn(w, window(request, prior->items[i]));
    write_turn(w, now);
    json_write_end(w);
}

static int make_conversation(struct signal_request *request, vsr_str now, vsr_str *text) {
    struct json_writer w;
    struct buf out;
    char *copy;
    int rc;
    buf_init(&out, CONVERSATION_LEN_MAX);
    json_write_init(&w, &out);
    write_turns(&w, request, now);
    rc = buf_failed(&out);
    copy = rc == 0 ? arena_try_alloc_raw(request->arena, out.len) : NULL;
    if (copy) {
        memcpy(copy, out.ptr, out.len);
        *text = str_make(copy, out.len);
    } else if (rc == 0) {
        rc = VSR_E_NOMEM;
    }
    buf_done(&out);
    return rc;
}

/* Once for ask() and eval(). */
static int find_conversation(const struct preference_state *state, struct signal_request *request, vsr_str *ret_text,
                             struct vsr_err *err) {
    vsr_str now, *text = request->memo;
    int rc = text ? 0 : signal_request_window(request, state->text, &now, err);
    if (rc < 0)
        return rc;
    if (!text) {
        text = ARENA_NEW(request->arena, vsr_str);
        rc = make_conversation(request, now, text);
        if (rc < 0)
            return err_set(err, rc, "the conversation is too long to be judged");
        request->memo = text;
    }
    *ret_text = *text;
    return 0;
}

/* ---- judged */

static const struct evidence_answer no_judge = {
    .code = SIGNAL_UNAVAILABLE,
    .reason = "no model of global.model_catalog.external has the model_role preference",
};

static int query(const struct preference_state *state, struct signal_request *request,
                 const struct evidence_answer **ret_answer, struct vsr_err *err) {
    vsr_str text;
    int rc;
    if (state->by_example)
        return learned_ask_window(request, EVIDENCE_VECTOR, state->source, state->text, ret_answer, err);
    *ret_answer = &no_judge;
    if (!state->has_source)
        return 0;
    rc = find_conversation(state, request, &text, err);
    if (rc == 0)
        *ret_answer = &evidence_ask(request->asks, EVIDENCE_CLASSES, state->source, text)->answer;
    return rc;
}

static void ask(const void *state, struct signal_request *request) {
    const struct evidence_answer *answer;
    (void)query(state, request, &answer, NULL); /* eval() meets the same failure, and tells it */
}

static void fail_all(const struct preference_state *state, struct signal_results *results,
                     const struct evidence_answer *answer) {
    for (size_t i = 0; i < state->n_rules; i++)
        learned_fail(results, state->first_slot + (uint32_t)i, answer);
}

/* Whether rule `a` comes before rule `b`. */
static bool is_before(const struct preference_state *state, const double *scores, size_t a, size_t b) {
    if (scores[a] != scores[b])
        return scores[a] > scores[b];
    return str_cmp(state->rules[a].config->name, state->rules[b].config->name) < 0;
}

/* The best rule, and how far it is before the second; alone it is as far as its score. */
static size_t find_winner(const struct preference_state *state, const double *scores, double *ret_margin) {
    size_t best = 0, second = SIZE_MAX;
    for (size_t i = 1; i < state->n_rules; i++) {
        if (is_before(state, scores, i, best)) {
            second = best;
            best = i;
        } else if (second == SIZE_MAX || is_before(state, scores, i, second)) {
            second = i;
        }
    }
    *ret_margin = second == SIZE_MAX ? scores[best] : scores[best] - scores[second];
    return best;
}

static void match_winner(const struct preference_state *state, size_t winner, double score, double margin,
                         double margin_least, struct signal_results *results) {
    const struct preference_rule *rule = &state->rules[winner];
    signal_value(results, rule->margin_slot, margin);
    if ((rule->config->threshold <= 0 || score >= rule->config->threshold) &&
        (margin_least <= 0 || margin >= margin_least))
        signal_match(results, state->first_slot + (uint32_t)winner, score);
}

/* One rule that cannot be compared leaves open which is the best, so all fail. */
static void judge_examples(const struct preference_state *state, struct signal_request *request,
                           const struct evidence_answer *answer, struct signal_results *results) {
    double *scores = ARENA_ARRAY(request->arena, double, state->n_rules), margin;
    size_t winner;
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct preference_rule *rule = &state->rules[i];
        uint32_t slot = state->first_slot + (uint32_t)i;
        struct signal_bank_score score;
        if (!learned_score(rule->bank, answer, BANK_BLEND, results, slot, &score)) {
            struct evidence_answer why = { .code = (enum signal_code)results->codes[slot],
                                           .reason = results->reasons ? results->reasons[slot] : NULL };
            fail_all(state, results, &why);
            return;
        }
        scores[i] = score.score;
        signal_value(results, slot, score.score);
        signal_value(results, rule->best_slot, score.best);
        signal_value(results, rule->support_slot, score.support);
        signal_value(results, rule->count_slot, (double)score.n_prototypes);
    }
    winner = find_winner(state, scores, &margin);
    match_winner(state, winner, scores[winner], margin, state->margin_least, results);
}

/* A pick of none of ours is no match. */
static void judge_pick(const struct preference_state *state, struct signal_request *request,
                       const struct evidence_answer *answer, struct signal_results *results) {
    double *scores = ARENA_ARRAY(request->arena, double, state->n_rules), margin;
    size_t winner;
    for (size_t i = 0; i < state->n_rules; i++) {
        for (size_t k = 0; k < answer->n_labels; k++)
            if (str_eq(answer->labels[k], state->rules[i].config->name))
                scores[i] = answer->numbers[k];
        signal_value(results, state->first_slot + (uint32_t)i, scores[i]);
    }
    winner = find_winner(state, scores, &margin);
    if (scores[winner] > 0)
        match_winner(state, winner, scores[winner], margin, 0, results);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct preference_state *state = data;
    const struct evidence_answer *answer;
    int rc = query(state, request, &answer, err);
    if (rc < 0)
        return rc;
    if (answer->code != SIGNAL_OK)
        fail_all(state, results, answer);
    else if (state->by_example)
        judge_examples(state, request, answer, results);
    else
        judge_pick(state, request, answer, results);
    return 0;
}

const struct signal_family signal_preference = {
    .config = { .type = "preference",
                .list_key = "preferences",
                .schema = &preference_schema,
                .check = TABLE_CHECK(check_rules) },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .all_or_nothing = true, /* rules compete */
    .confidence_least = -1, /* a match may be the best of unlike ones */
    .value_least = -1,
    .value_greatest = 1,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.models = signal_models_preference, .build = build, .ask = ask, .eval = eval,
                .applies = learned_has_text),
};
