/*
 * domain - the field of knowledge that the text belongs to (signals.md §6.2).
 *
 * A classifier knows fourteen labels. A rule stands for those that its `mmlu_categories` list, or for the label of its
 * own name; its probability is the sum of theirs. One classification serves all rules. When the classifier is in little
 * doubt (classes_doubt()) the likeliest rule alone can match; else all that reach the threshold do.
 *
 * Rules may share labels. Then all that stand for the likeliest label of the likeliest rule count as that one.
 */
#include "core/arena.h"
#include "signal/classes.h"
#include "signal/learned.h"

static const char *const labels[] = { "biology",   "business",    "chemistry", "computer science",
                                      "economics", "engineering", "health",    "history",
                                      "law",       "math",        "other",     "philosophy",
                                      "physics",   "psychology",  NULL };

struct model_score {
    struct config_at at;
    vsr_str model;
    double score;
    bool use_reasoning;
};

struct domain_config {
    struct config_at at;
    vsr_str name, description;
    struct config_strings mmlu_categories;
    struct config_list model_scores; /* struct model_score */
};

static const struct field model_score_fields[] = {
    { "model", FIELD_STRING, offsetof(struct model_score, model), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Model card or LoRA." },
    { "score", FIELD_NUMBER, offsetof(struct model_score, score), .flags = FIELD_RANGE, .least = 0, .greatest = 1,
      .help = "How good the model is in this domain." },
    { "use_reasoning", FIELD_BOOL, offsetof(struct model_score, use_reasoning),
      .help = "Whether the score was measured with reasoning." },
};
static const struct schema model_score_schema = SCHEMA("model score", struct model_score, model_score_fields);

static const struct field domain_fields[] = {
    RULE_FIELDS(struct domain_config),
    { "mmlu_categories", FIELD_STRINGS, offsetof(struct domain_config, mmlu_categories),
      .help = "Labels of the classifier that stand for this domain; none: the label of the rule's own name." },
    { "model_scores", FIELD_OBJECTS, offsetof(struct domain_config, model_scores), .object = &model_score_schema,
      .help = "How good models are in this domain, for selection." },
};

static const struct schema domain_schema;

static size_t label_names(vsr_str names[static VSR_COUNT(labels)]) {
    size_t n = 0;
    for (; labels[n]; n++)
        names[n] = str_from_c(labels[n]);
    return n;
}

static bool is_label(vsr_str name) {
    for (size_t i = 0; labels[i]; i++)
        if (str_eq_c(name, labels[i]))
            return true;
    return false;
}

/* `computer_science` is the likely slip; else the nearest label. */
static vsr_str suggest_label(vsr_str name, struct arena *arena, struct diag *diag) {
    vsr_str names[VSR_COUNT(labels)], spaced = arena_str_lower(arena, str_trim(name));
    char *bytes = (char *)spaced.ptr; /* our own copy */
    for (size_t i = 0; i < spaced.len; i++)
        if (bytes[i] == '_')
            bytes[i] = ' ';
    if (is_label(spaced))
        return arena_printf(arena, "did you mean \"%.*s\"?", VSR_FMT(spaced));
    return diag_suggest(diag, spaced, names, label_names(names));
}

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct domain_config *rule = object;
    vsr_str all = { 0 };
    for (size_t i = 0; labels[i]; i++)
        all = arena_printf(arena, "%.*s%s%s", VSR_FMT(all), i ? ", " : "", labels[i]);
    for (size_t i = 0; i < rule->mmlu_categories.n; i++) {
        vsr_str name = rule->mmlu_categories.items[i];
        if (!is_label(name))
            diag_error(diag, "E_ENUM", rule_entry_at(rule, "mmlu_categories", &rule->mmlu_categories, i, arena),
                       suggest_label(name, arena, diag), "\"%.*s\" is not one of %.*s", VSR_FMT(name), VSR_FMT(all));
    }
    if (rule->mmlu_categories.n == 0 && !is_label(rule->name))
        diag_warn(
            diag, "W_NEVER", schema_field_at(&domain_schema, rule, "name", arena),
            suggest_label(rule->name, arena, diag),
            "\"%.*s\" is no label of the classifier and has no mmlu_categories: only a classifier with this label "
            "of its own can match it",
            VSR_FMT(rule->name));
}

static const struct schema domain_schema =
    SCHEMA("domain rule", struct domain_config, domain_fields, .check = check_rule);

/* A name that is a label stands for it; any other for what is left over. */
static void imply(const vsr_str *names, size_t n, struct arena *arena, struct config_list *rules) {
    static const vsr_str other = VSR_STR_INIT("other");
    struct domain_config *items = ARENA_ARRAY(arena, struct domain_config, n);
    for (size_t i = 0; i < n; i++) {
        vsr_str *label = arena_alloc(arena, sizeof(*label));
        *label = is_label(names[i]) ? names[i] : other;
        items[i] = (struct domain_config){ .name = names[i],
                                           .description = names[i],
                                           .mmlu_categories = { .items = label, .n = 1 } };
        items[i].at.path = arena_printf(arena, "routing.signals.domains[%.*s]", VSR_FMT(names[i]));
    }
    *rules = (struct config_list){ items, n };
}

/* In a softmax all members share one scale: each must be something that the classifier gives a probability. */
static bool competes(const void *object) {
    const struct domain_config *rule = object;
    return rule->mmlu_categories.n > 0 || is_label(rule->name);
}

/* A leaf also holds when a rule matched that is called like one of the labels of the leaf's own rule. */
static size_t alternates(const struct config_list *rules, vsr_str name, uint32_t *ret_rules) {
    const struct domain_config *items = rules->items, *own = NULL;
    size_t n = 0;
    for (size_t i = 0; i < rules->n; i++)
        if (str_eq(items[i].name, name))
            own = &items[i];
    for (size_t i = 0; own && i < rules->n; i++)
        for (size_t k = 0; k < own->mmlu_categories.n && &items[i] != own; k++)
            if (str_eq(own->mmlu_categories.items[k], items[i].name)) {
                ret_rules[n++] = (uint32_t)i;
                break;
            }
    return n;
}

/* ---- compiled */

struct domain_state {
    const struct domain_config *rules;
    struct classes_asking asking;
    double threshold;
    bool block;
};

/* Where no model of domains is chosen (signal_models_domain()), a tool may say what the category is. */
static uint32_t add_tool(struct signal_builder *builder, double *ret_threshold) {
    const struct config_mcp_classifier *mcp = &builder->doc->global.model_catalog.modules.classifier.mcp;
    struct signal_source source = { .kind = SOURCE_MCP_CLASSIFY,
                                    .config = mcp,
                                    .timeout_ms = mcp->server.timeout_seconds * 1000 };
    if (!mcp->enabled)
        return CLASSES_NO_SOURCE;
    builder->stage = SIGNAL_STAGE_REMOTE;
    if (mcp->threshold > 0)
        *ret_threshold = mcp->threshold;
    return signal_source_add(builder, &source);
}

static void *build(struct signal_builder *builder) {
    const struct config_domain_classifier *domain = &builder->doc->global.model_catalog.modules.classifier.domain;
    struct domain_state *state = ARENA_NEW(builder->arena, struct domain_state);
    uint32_t source = classes_model(builder, signal_models_domain, NULL);
    state->rules = builder->rules->items;
    state->threshold = domain->threshold;
    state->block = domain->on_error == ON_FAILURE_BLOCK;
    if (source == CLASSES_NO_SOURCE)
        source = add_tool(builder, &state->threshold);
    state->asking = classes_asking(builder, source, "modules.classifier.domain is switched off");
    return state;
}

static bool blocks(const void *data, size_t rule) {
    const struct domain_state *state = data;
    (void)rule;
    return state->block;
}

/* ---- judged */

static bool lists(const struct domain_config *rule, vsr_str label) {
    for (size_t i = 0; i < rule->mmlu_categories.n; i++)
        if (str_eq_nocase(rule->mmlu_categories.items[i], label))
            return true;
    return rule->mmlu_categories.n == 0 && str_eq_nocase(rule->name, label);
}

/* A label that no rule lists stands for the rule of its name, whatever that one lists. */
static bool stands_for(const struct domain_state *state, size_t rule, vsr_str label) {
    if (lists(&state->rules[rule], label))
        return true;
    for (size_t i = 0; i < state->asking.n_rules; i++)
        if (lists(&state->rules[i], label))
            return false;
    return str_eq_nocase(state->rules[rule].name, label);
}

struct standing {
    double sum;  /* of the probabilities of its labels */
    size_t best; /* the likeliest of them */
    bool any;
};

static struct standing standing_of(const struct domain_state *state, size_t rule,
                                   const struct evidence_answer *answer) {
    struct standing standing = { 0 };
    for (size_t i = 0; i < answer->n; i++) {
        if (!stands_for(state, rule, answer->labels[i]))
            continue;
        if (!standing.any || answer->numbers[i] > answer->numbers[standing.best])
            standing.best = i;
        standing.sum += (double)answer->numbers[i];
        standing.any = true;
    }
    if (standing.sum > 1) /* by the last digits of floats */
        standing.sum = 1;
    return standing;
}

static size_t likeliest(const struct standing *standings, size_t n) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (standings[i].sum > standings[best].sum)
            best = i;
    return best;
}

static void judge(const struct domain_state *state, struct signal_request *request,
                  const struct evidence_answer *answer, struct signal_results *results) {
    bool certain = classes_doubt(classes_entropy(answer->numbers, answer->n)) <= DOUBT_LOW;
    struct standing *standings = ARENA_ARRAY(request->arena, struct standing, state->asking.n_rules);
    vsr_str top;
    for (size_t i = 0; i < state->asking.n_rules; i++)
        standings[i] = standing_of(state, i, answer);
    top = answer->labels[standings[likeliest(standings, state->asking.n_rules)].best];
    for (size_t i = 0; i < state->asking.n_rules; i++) {
        uint32_t slot = state->asking.first_slot + (uint32_t)i;
        if (!bits_has(request->wanted, slot))
            continue;
        if (standings[i].any && standings[i].sum >= state->threshold && (!certain || stands_for(state, i, top)))
            signal_match(results, slot, standings[i].sum);
        else
            signal_no_match(results, slot);
    }
}

static void ask(const void *data, struct signal_request *request) {
    const struct domain_state *state = data;
    classes_ask(&state->asking, request);
}

/*
 * Whether the model speaks of domains at all. Labels that no rule stands for may be domains nevertheless; a model whose
 * labels are LABEL_0 and so on, or of another task, would never match anything. One label alone is what a tool without
 * a list named, and says nothing about those that it could have.
 */
static bool is_of_domains(const struct domain_state *state, const struct evidence_answer *answer) {
    for (size_t i = 0; i < answer->n_labels; i++) {
        for (size_t k = 0; labels[k]; k++)
            if (str_eq_nocase(answer->labels[i], str_from_c(labels[k])))
                return true;
        for (size_t k = 0; k < state->asking.n_rules; k++)
            if (stands_for(state, k, answer->labels[i]))
                return true;
    }
    return answer->n_labels == 1;
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct domain_state *state = data;
    const struct evidence_answer *answer;
    struct evidence_answer strange;
    int rc = classes_answer(&state->asking, request, results, &answer, err);
    if (rc < 0 || !answer)
        return rc;
    if (is_of_domains(state, answer)) {
        judge(state, request, answer, results);
        return 0;
    }
    strange = classes_strange(request, answer, "a domain or a label of a rule");
    classes_fail(request, results, state->asking.first_slot, state->asking.n_rules, &strange);
    return 0;
}

const struct signal_family signal_domain = {
    .config = { .type = "domain",
                .list_key = "domains",
                .schema = &domain_schema,
                .imply = imply,
                .partition_members = true,
                .competes = competes },
    .stage = SIGNAL_STAGE_CLASSIFY,
    .needs_evidence = "domain classification",
    .all_or_nothing = true, /* one classification serves every rule */
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.models = signal_models_domain, .build = build, .ask = ask, .eval = eval, .applies = learned_has_text,
                .blocks = blocks, .alternates = alternates),
};
