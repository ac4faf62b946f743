/*
 * The family: rules name the verdicts. Words are found by the recipe's one scan; a text longer than the window is
 * scanned once more. A detector that cannot tell leaves the rules unavailable, rather than guessing that text is
 * wanted. With a classifier the family runs at the stage of those; where nobody asks it, a hybrid goes by words.
 */
#include "signal/modality.h"

#include "config/global_modules.h"
#include "core/arena.h"
#include "core/assert.h"
#include "signal/classes.h"
#include "signal/rule_checks.h"

#define CONFIDENCE_ONE_SIDED 0.8
#define CONFIDENCE_BOTH 0.75
#define CONFIDENCE_NO_WORDS 0.5

static const char *const labels[MODALITIES] = { "AR", "DIFFUSION", "BOTH" };

const char *modality_label(enum modality_kind modality) {
    VSR_ASSERT(modality < MODALITIES);
    return labels[modality];
}

/* ---- verdicts */

struct modality_verdict modality_by_words(const struct config_modality_detector *detector, bool has_image_word,
                                          bool has_both_word) {
    if (detector->keywords.n == 0)
        return (struct modality_verdict){ "keyword", MODALITY_AR, CONFIDENCE_NO_WORDS };
    if (!has_image_word)
        return (struct modality_verdict){ "keyword", MODALITY_AR, CONFIDENCE_ONE_SIDED };
    if (has_both_word)
        return (struct modality_verdict){ "keyword", MODALITY_BOTH, CONFIDENCE_BOTH };
    return (struct modality_verdict){ "keyword", MODALITY_DIFFUSION, CONFIDENCE_ONE_SIDED };
}

static struct modality_verdict said_by(const char *method, const struct modality_verdict *verdict) {
    return (struct modality_verdict){ method, verdict->label, verdict->confidence };
}

static struct modality_verdict blend(const struct config_modality_detector *detector,
                                     const struct modality_verdict *words, const struct modality_verdict *model) {
    if (model->confidence >= detector->confidence_threshold)
        return said_by("hybrid/classifier", model);
    if (model->label == words->label)
        return (struct modality_verdict){ "hybrid/agree", model->label, (model->confidence + words->confidence) / 2 };
    if (model->confidence >= detector->confidence_threshold * detector->lower_threshold_ratio)
        return said_by("hybrid/classifier-preferred", model);
    return said_by("hybrid/keyword-override", words);
}

struct modality_verdict modality_decide(const struct config_modality_detector *detector,
                                        const struct modality_verdict *words, const struct modality_verdict *model) {
    switch ((enum config_modality_method)detector->method) {
    case MODALITY_KEYWORD:
        return *words;
    case MODALITY_CLASSIFIER:
        return model ? said_by("classifier", model) : (struct modality_verdict){ 0 };
    case MODALITY_HYBRID:
        if (model)
            return blend(detector, words, model);
        return detector->keywords.n > 0 ? *words : (struct modality_verdict){ 0 };
    case MODALITY_UNSET:
        break;
    }
    return (struct modality_verdict){ 0 };
}

/* ---- rules */

struct modality_config {
    struct config_at at;
    vsr_str name, description;
};

static const struct field modality_fields[] = {
    { "name", FIELD_STRING, offsetof(struct modality_config, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "AR (text), DIFFUSION (an image) or BOTH." },
    { "description", FIELD_STRING, offsetof(struct modality_config, description), .help = "Documentation only." },
};

static const struct schema modality_schema;

static int find_label(vsr_str name) {
    for (int i = 0; i < MODALITIES; i++)
        if (str_eq_c(name, labels[i]))
            return i;
    return -1;
}

static int find_label_nocase(vsr_str name) {
    for (int i = 0; i < MODALITIES; i++)
        if (str_eq_nocase(name, str_from_c(labels[i])))
            return i;
    return -1;
}

static vsr_str suggest_label(vsr_str name, struct arena *arena) {
    for (int i = 0; i < MODALITIES; i++)
        if (str_eq_nocase(str_trim(name), str_from_c(labels[i])))
            return arena_printf(arena, "did you mean \"%s\"?", labels[i]);
    return VSR_STR("AR is text, DIFFUSION an image");
}

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct modality_config *rule = object;
    if (find_label(rule->name) < 0)
        diag_error(diag, "E_ENUM", schema_field_at(&modality_schema, rule, "name", arena),
                   suggest_label(rule->name, arena), "\"%.*s\" is not one of AR, DIFFUSION, BOTH", VSR_FMT(rule->name));
}

static const struct schema modality_schema =
    SCHEMA("modality rule", struct modality_config, modality_fields, .check = check_rule);

/* ---- compiled */

struct word_list {
    uint32_t *patterns;
    size_t n;
};

struct modality_state {
    const struct config_modality_detector *detector;
    struct word_list image_words, both_words;
    enum modality_kind *labels; /* per rule */
    size_t n_rules;
    uint32_t first_slot;
    enum signal_text text;
    uint32_t source; /* CLASSES_NO_SOURCE: words alone */
};

static void build_words(struct signal_builder *builder, const struct config_modality_detector *detector,
                        const char *field, const struct config_strings *strings, struct word_list *list) {
    list->patterns = ARENA_ARRAY(builder->arena, uint32_t, strings->n);
    for (size_t i = 0; i < strings->n; i++) {
        vsr_str word = str_trim(strings->items[i]);
        struct diag_at at = rule_entry_at(detector, field, strings, i, builder->arena);
        struct vsr_err err = VSR_ERR_NONE;
        if (word.len == 0)
            continue;
        if (pattern_list_literal(builder->patterns, word, PATTERN_FOLDED, true, &list->patterns[list->n], &err) < 0) {
            diag_error(builder->diag, "E_TYPE", at, (vsr_str){ 0 }, "entry \"%.*s\" is %s", VSR_FMT(word), err.text);
            continue;
        }
        signal_place(builder, list->patterns[list->n++], at);
    }
}

static void *build(struct signal_builder *builder) {
    const struct config_modality_detector *detector = &builder->doc->global.model_catalog.modules.modality_detector;
    const struct modality_config *rules = builder->rules->items;
    struct modality_state *state = ARENA_NEW(builder->arena, struct modality_state);
    state->detector = detector;
    state->n_rules = builder->rules->n;
    state->first_slot = builder->first_slot;
    state->text = builder->text;
    state->source = classes_model(builder, signal_models_modality, NULL);
    if (state->source != CLASSES_NO_SOURCE)
        builder->stage = SIGNAL_STAGE_CLASSIFY;
    state->labels = ARENA_ARRAY(builder->arena, enum modality_kind, state->n_rules);
    for (size_t i = 0; i < state->n_rules; i++)
        state->labels[i] = (enum modality_kind)find_label(rules[i].name);
    if (detector->enabled) {
        build_words(builder, detector, "keywords", &detector->keywords, &state->image_words);
        build_words(builder, detector, "both_keywords", &detector->both_keywords, &state->both_words);
    }
    return state;
}

/* ---- evaluated */

static bool any_found(const struct word_list *list, const struct pattern_hits *hits) {
    for (size_t i = 0; i < list->n; i++)
        if (bits_has(hits->found, list->patterns[i]))
            return true;
    return false;
}

/* What the classifier says. Null method: it cannot tell, or its labels mean nothing to us; `ret_failure` says why. */
static struct modality_verdict classify(const struct modality_state *state, struct signal_request *request,
                                        vsr_str text, const struct evidence_answer **ret_failure) {
    static const struct evidence_answer unknown = { .code = SIGNAL_FAILED,
                                                    .reason = "the model's label is none of AR, DIFFUSION and BOTH" };
    const struct evidence_ask *asked = evidence_ask(request->asks, EVIDENCE_CLASSES, state->source, text);
    size_t top;
    int label;
    *ret_failure = &asked->answer;
    if (asked->answer.code != SIGNAL_OK)
        return (struct modality_verdict){ 0 };
    top = classes_top(&asked->answer);
    label = find_label_nocase(asked->answer.labels[top]);
    *ret_failure = label < 0 ? &unknown : NULL;
    if (label < 0)
        return (struct modality_verdict){ 0 };
    return (struct modality_verdict){ "classifier", (enum modality_kind)label, asked->answer.numbers[top] };
}

static int judge(const struct modality_state *state, struct signal_request *request,
                 struct modality_verdict *ret_verdict, const struct evidence_answer **ret_failure,
                 struct vsr_err *err) {
    const struct pattern_hits *hits;
    struct modality_verdict words, model = { 0 };
    vsr_str text;
    int rc = signal_request_window(request, state->text, &text, err);
    if (rc < 0)
        return rc;
    rc = signal_request_window_hits(request, state->text, &hits, err);
    if (rc < 0)
        return rc;
    if (str_trim(text).len == 0) {
        *ret_verdict = (struct modality_verdict){ "default", MODALITY_AR, 1.0 };
        return 0;
    }
    words =
        modality_by_words(state->detector, any_found(&state->image_words, hits), any_found(&state->both_words, hits));
    if (state->source != CLASSES_NO_SOURCE)
        model = classify(state, request, text, ret_failure);
    *ret_verdict = modality_decide(state->detector, &words, model.method ? &model : NULL);
    return 0;
}

static void ask(const void *data, struct signal_request *request) {
    const struct modality_state *state = data;
    vsr_str text;
    if (state->source != CLASSES_NO_SOURCE && signal_request_window(request, state->text, &text, NULL) == 0 &&
        str_trim(text).len > 0)
        (void)evidence_ask(request->asks, EVIDENCE_CLASSES, state->source, text);
}

static void fail(struct signal_results *results, uint32_t slot, const struct evidence_answer *failure) {
    if (failure)
        signal_fail_because(results, slot, failure->code, failure->reason);
    else
        signal_fail(results, slot, SIGNAL_UNAVAILABLE);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct modality_state *state = data;
    const struct evidence_answer *failure = NULL;
    int rc = state->detector->enabled ? judge(state, request, &request->modality, &failure, err) : 0;
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < state->n_rules; i++) {
        uint32_t slot = state->first_slot + i;
        if (!request->modality.method)
            fail(results, slot, failure);
        else if (state->labels[i] == request->modality.label)
            signal_match(results, slot, request->modality.confidence);
        else
            signal_no_match(results, slot);
    }
    return 0;
}

const struct signal_family signal_modality = {
    .config = { .type = "modality", .list_key = "modality", .schema = &modality_schema },
    .stage = SIGNAL_STAGE_CHEAP,
    .all_or_nothing = true, /* one detection serves every rule */
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.models = signal_models_modality, .build = build, .ask = ask, .eval = eval),
};
