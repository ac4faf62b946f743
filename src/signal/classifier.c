/*
 * classifier - a label set of the user's own, judged by a local model or a language model (signals.md §6.13). Leaves
 * test the score of one label with a predicate.
 *
 * The scores of a local model are its probabilities: by the names of the labels when the model has all of them, else in
 * their order. A language model gives 1 to the label that it picks.
 */
#include "core/arena.h"
#include "core/map.h"
#include "signal/classes.h"
#include "signal/learned.h"

enum classifier_type { CLASSIFIER_LOCAL, CLASSIFIER_LLM };
static const char *const types[] = { "local", "llm", NULL };

enum { LOCAL_LABELS_MIN = 2 };

/* Below it the other labels together are likelier. */
#define LOCAL_BOUND_MIN 0.5

struct classifier_config {
    struct config_at at;
    vsr_str name, description;
    int type; /* enum classifier_type */
    struct config_strings labels;
    vsr_str model_path, model, instructions;
    bool use_cpu;
};

static const struct field classifier_fields[] = {
    RULE_FIELDS(struct classifier_config),
    { "type", FIELD_ENUM, offsetof(struct classifier_config, type), .flags = FIELD_REQUIRED, .choices = types,
      .help = "local: a sequence classifier; llm: a language model that is asked." },
    { "labels", FIELD_STRINGS, offsetof(struct classifier_config, labels), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Labels, in the order of the model's classes." },
    { "model_path", FIELD_STRING, offsetof(struct classifier_config, model_path), .flags = FIELD_NONBLANK,
      .help = "Of type local: folder of the model." },
    { "use_cpu", FIELD_BOOL, offsetof(struct classifier_config, use_cpu), .flags = FIELD_UNSET,
      .help = "Of type local: whether the model runs on the CPU." },
    { "model", FIELD_STRING, offsetof(struct classifier_config, model), .flags = FIELD_NONBLANK,
      .help = "Of type llm: entry of global.model_catalog.external with model_role classification." },
    { "instructions", FIELD_STRING, offsetof(struct classifier_config, instructions), .flags = FIELD_NONBLANK,
      .help = "Of type llm: what the labels mean." },
};

static const struct schema classifier_schema;

static void check_labels(const struct classifier_config *rule, struct arena *arena, struct diag *diag) {
    const struct config_strings *labels = &rule->labels;
    struct map seen;
    map_init(&seen, arena);
    for (size_t i = 0; i < labels->n; i++) {
        vsr_str label = labels->items[i];
        struct diag_at at = rule_entry_at(rule, "labels", labels, i, arena);
        if (str_trim(label).len != label.len)
            diag_error(diag, "E_RANGE", at, (vsr_str){ 0 }, "the label must not begin or end with blanks");
        if (str_find_char(label, ':') >= 0)
            diag_error(diag, "E_RANGE", at, VSR_STR("a colon separates the parts of a reference"),
                       "the label must not hold \":\"");
        if (map_put(&seen, label, (void *)&labels->items[i]))
            diag_error(diag, "E_DUP", at, (vsr_str){ 0 }, "label \"%.*s\" is there twice", VSR_FMT(label));
    }
    if (rule->type == CLASSIFIER_LOCAL && labels->n < LOCAL_LABELS_MIN)
        diag_error(diag, "E_RANGE", schema_field_at(&classifier_schema, rule, "labels", arena), (vsr_str){ 0 },
                   "type \"local\" needs at least %d labels, found %zu", LOCAL_LABELS_MIN, labels->n);
}

/* What belongs to one type and not to the other. */
static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    static const char *const required[][3] = { { "model_path", NULL }, { "model", "instructions", NULL } };
    static const char *const foreign[][3] = { { "model", "instructions", NULL }, { "model_path", "use_cpu", NULL } };
    const struct classifier_config *rule = object;
    for (const char *const *field = required[rule->type]; *field; field++)
        if (!schema_present(&classifier_schema, rule, *field))
            diag_error(diag, "E_REQUIRED", schema_at(rule), (vsr_str){ 0 }, "%s is required with type \"%s\"", *field,
                       types[rule->type]);
    for (const char *const *field = foreign[rule->type]; *field; field++)
        if (schema_present(&classifier_schema, rule, *field))
            diag_error(diag, "E_CONFLICT", schema_field_at(&classifier_schema, rule, *field, arena), (vsr_str){ 0 },
                       "%s does not belong to type \"%s\"", *field, types[rule->type]);
    check_labels(rule, arena, diag);
}

static const struct schema classifier_schema =
    SCHEMA("classifier rule", struct classifier_config, classifier_fields, .check = check_rule);

static vsr_str suggest_model(const struct config_model_catalog *catalog, vsr_str name, struct arena *arena,
                             struct diag *diag) {
    vsr_str *names = ARENA_ARRAY(arena, vsr_str, catalog->external.n);
    size_t n = 0;
    CONFIG_EACH(const struct config_external_model, model, &catalog->external)
    names[n++] = model->name;
    return diag_suggest(diag, name, names, n);
}

static void check_model(const struct config_model_catalog *catalog, const struct classifier_config *rule,
                        struct arena *arena, struct diag *diag) {
    struct diag_at at = schema_field_at(&classifier_schema, rule, "model", arena);
    const struct config_external_model *model = config_external_model(catalog, rule->model);
    if (!model)
        diag_error(diag, "E_REF", at, suggest_model(catalog, rule->model, arena, diag),
                   "\"%.*s\" is not declared under global.model_catalog.external", VSR_FMT(rule->model));
    else if (model->model_role != ROLE_CLASSIFICATION)
        diag_error(diag, "E_REF", at, VSR_STR("set its model_role to classification"),
                   "external model \"%.*s\" has another model_role", VSR_FMT(rule->model));
    else if (model->llm_endpoint.address.len == 0 || model->llm_endpoint.port == 0 || model->llm_model_name.len == 0)
        diag_error(diag, "E_REF", at, VSR_STR("it needs llm_endpoint.address, llm_endpoint.port and llm_model_name"),
                   "external model \"%.*s\" cannot be called", VSR_FMT(rule->model));
}

static void check_rules(const struct config_document *doc, const struct config_list *rules, struct arena *arena,
                        struct diag *diag) {
    const struct config_model_catalog *catalog = learned_catalog(doc);
    rule_check_case_names(rules, &classifier_schema, arena, diag);
    CONFIG_EACH(const struct classifier_config, rule, rules)
    if (catalog && rule->type == CLASSIFIER_LLM)
        check_model(catalog, rule, arena, diag);
}

static const struct config_strings *labels_of(const void *object) {
    const struct classifier_config *rule = object;
    return &rule->labels;
}

static const char *refuses(const void *object, const struct config_predicate *predicate) {
    const struct classifier_config *rule = object;
    if (rule->type == CLASSIFIER_LOCAL && (predicate->bounds != BOUND_GTE || predicate->gte < LOCAL_BOUND_MIN))
        return "a local classifier is tested with gte alone, of at least 0.5";
    return NULL;
}

/* Every label of every rule; then the rules themselves, under which failures are told. */
static size_t names(const struct config_list *rules, struct arena *arena, vsr_str **ret_names, size_t *ret_n_listed) {
    const struct classifier_config *items = rules->items;
    size_t n = 0, n_all = rules->n;
    for (size_t i = 0; i < rules->n; i++)
        n_all += items[i].labels.n;
    *ret_names = ARENA_ARRAY(arena, vsr_str, n_all);
    for (size_t i = 0; i < rules->n; i++)
        for (size_t k = 0; k < items[i].labels.n; k++)
            (*ret_names)[n++] =
                arena_printf(arena, "%.*s:%.*s", VSR_FMT(items[i].name), VSR_FMT(items[i].labels.items[k]));
    *ret_n_listed = n;
    for (size_t i = 0; i < rules->n; i++)
        (*ret_names)[n++] = items[i].name;
    return n;
}

/* ---- compiled */

struct classifier_rule {
    const struct classifier_config *config;
    uint32_t source;
    uint32_t first_label, slot; /* of its first label, and its own */
};

struct classifier_state {
    struct classifier_rule *rules;
    size_t n_rules;
    enum signal_text text;
};

static size_t rule_of(const void *data, size_t name) {
    const struct classifier_state *state = data;
    for (size_t i = 0; i < state->n_rules; i++) {
        size_t n = state->rules[i].config->labels.n;
        if (name < n)
            return i;
        name -= n;
    }
    return name;
}

static void models(const struct config_document *doc, const void *object, signal_model_fn *fn, void *data) {
    const struct classifier_config *rule = object;
    const struct signal_model model = { .path = rule->model_path, .type = "classifier" };
    (void)doc;
    if (rule->type == CLASSIFIER_LOCAL)
        fn(data, &model);
}

static uint32_t add_language_model(struct signal_builder *builder, const struct classifier_config *rule) {
    const struct config_external_model *model = config_external_model(&builder->doc->global.model_catalog, rule->model);
    struct signal_source source = { .kind = SOURCE_HTTP_LABEL, .config = model, .instructions = rule->instructions };
    if (!model)
        return CLASSES_NO_SOURCE;
    source.labels = signal_labels_from(builder, &rule->labels);
    source.n_labels = rule->labels.n;
    source.timeout_ms = model->llm_timeout_seconds * 1000;
    return signal_source_add(builder, &source);
}

static void *build(struct signal_builder *builder) {
    const struct classifier_config *rules = builder->rules->items;
    struct classifier_state *state = ARENA_NEW(builder->arena, struct classifier_state);
    uint32_t next = builder->first_slot;
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct classifier_rule, state->n_rules);
    state->text = builder->text;
    for (size_t i = 0; i < state->n_rules; i++) {
        uint32_t source = rules[i].type == CLASSIFIER_LOCAL ? classes_model(builder, models, &rules[i])
                                                            : add_language_model(builder, &rules[i]);
        state->rules[i] = (struct classifier_rule){ .config = &rules[i], .source = source, .first_label = next };
        next += (uint32_t)rules[i].labels.n;
    }
    for (size_t i = 0; i < state->n_rules; i++)
        state->rules[i].slot = next++;
    return state;
}

/* ---- judged */

static bool is_wanted(const struct classifier_rule *rule, const struct signal_request *request) {
    bool wanted = bits_has(request->wanted, rule->slot);
    for (size_t i = 0; i < rule->config->labels.n; i++)
        wanted |= bits_has(request->wanted, rule->first_label + i);
    return wanted;
}

static bool knows_all(const struct evidence_answer *answer, const struct config_strings *labels) {
    for (size_t i = 0; i < labels->n; i++)
        if (classes_find(answer, labels->items[i]) < 0)
            return false;
    return true;
}

static void judge(const struct classifier_rule *rule, const struct signal_request *request,
                  const struct evidence_answer *answer, struct signal_results *results) {
    const struct config_strings *labels = &rule->config->labels;
    bool by_name = knows_all(answer, labels);
    double best_score = -1;
    size_t best = 0;
    for (size_t i = 0; i < labels->n; i++) {
        size_t class = by_name ? (size_t)classes_find(answer, labels->items[i]) : i;
        double score = answer->numbers[class];
        uint32_t slot = rule->first_label + (uint32_t)i;
        if (score > best_score) {
            best_score = score;
            best = i;
        }
        if (!bits_has(request->wanted, slot))
            continue;
        signal_value(results, slot, score);
        signal_confidence(results, slot, score);
    }
    if (bits_has(request->wanted, rule->first_label + best))
        signal_match(results, rule->first_label + (uint32_t)best, best_score);
    if (bits_has(request->wanted, rule->slot))
        signal_no_match(results, rule->slot);
}

static void fail(const struct classifier_rule *rule, const struct signal_request *request,
                 const struct evidence_answer *answer, struct signal_results *results) {
    classes_fail(request, results, rule->first_label, rule->config->labels.n, answer);
    classes_fail(request, results, rule->slot, 1, answer);
}

static void ask(const void *data, struct signal_request *request) {
    const struct classifier_state *state = data;
    vsr_str text;
    if (signal_request_text(request, state->text, &text, NULL) < 0)
        return; /* eval() fails the same way */
    for (size_t i = 0; i < state->n_rules; i++)
        if (is_wanted(&state->rules[i], request) && state->rules[i].source != CLASSES_NO_SOURCE)
            (void)evidence_ask(request->asks, EVIDENCE_CLASSES, state->rules[i].source, text);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    static const struct evidence_answer nobody = { .code = SIGNAL_UNAVAILABLE, .reason = "it names no model" };
    const struct classifier_state *state = data;
    vsr_str text;
    int rc = signal_request_text(request, state->text, &text, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct classifier_rule *rule = &state->rules[i];
        const struct evidence_answer *answer = &nobody;
        struct evidence_answer odd = { .code = SIGNAL_FAILED };
        if (!is_wanted(rule, request))
            continue;
        if (rule->source != CLASSES_NO_SOURCE)
            answer = &evidence_ask(request->asks, EVIDENCE_CLASSES, rule->source, text)->answer;
        if (answer->code == SIGNAL_OK && answer->n != rule->config->labels.n) {
            odd.reason = arena_printf(request->arena, "the model has %zu classes, and the rule %zu labels", answer->n,
                                      rule->config->labels.n)
                             .ptr;
            answer = &odd;
        }
        if (answer->code == SIGNAL_OK)
            judge(rule, request, answer, results);
        else
            fail(rule, request, answer, results);
    }
    return 0;
}

const struct signal_family signal_classifier = {
    .config = { .type = "classifier",
                .list_key = "classifiers",
                .schema = &classifier_schema,
                .check = TABLE_CHECK(check_rules),
                .labels = true,
                .labels_of = labels_of,
                .refuses = refuses },
    .stage = SIGNAL_STAGE_REMOTE,
    .needs_evidence = "classification by labels",
    .value_greatest = 1,
    .on_unknown = ON_UNKNOWN_UNKNOWN,
    SIGNAL_RUNS(.models = models, .names = names, .rule_of = rule_of, .build = build, .ask = ask, .eval = eval,
                .applies = learned_has_text),
};
