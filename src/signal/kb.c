/*
 * kb - which label or group of a knowledge base the text belongs to (signals.md §6.12). The bases themselves stand
 * under global.model_catalog.kbs; their metrics are inputs of scores.
 */
#include "config/global_catalog.h"
#include "core/arena.h"
#include "signal/kb_base.h"
#include "signal/learned.h"

enum target_kind { TARGET_LABEL, TARGET_GROUP };
static const char *const kinds[] = { "label", "group", NULL };
enum match { MATCH_THRESHOLD, MATCH_BEST };
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
    int match; /* enum match */
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

/* ---- compiled */

/* Of a base whose file was not read. */
static const struct evidence_answer not_read = {
    .code = SIGNAL_UNAVAILABLE,
    .reason = "the file of the knowledge base was not read",
};

struct kb_rule {
    const struct kb_config *config;
    const struct kb_base *base; /* NULL: its file was not read */
    size_t target;              /* label or group of the base; KB_NONE: there is none of that name */
};

struct kb_state {
    struct kb_rule *rules;
    size_t n_rules;
    uint32_t first_slot;
};

/* One compiled base for all who name it. */
static const struct kb_base *find_base(struct signal_builder *builder, const struct kb_state *state, size_t n,
                                       vsr_str name) {
    const struct config_kb *kb = config_kb(&builder->doc->global.model_catalog, name);
    for (size_t i = 0; i < n; i++)
        if (str_eq(state->rules[i].config->kb, name))
            return state->rules[i].base;
    return kb ? kb_base_build(builder, kb) : NULL;
}

static void *build(struct signal_builder *builder) {
    const struct kb_config *rules = builder->rules->items;
    struct kb_state *state = ARENA_NEW(builder->arena, struct kb_state);
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct kb_rule, state->n_rules);
    state->first_slot = builder->first_slot;
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct target_config *target = &rules[i].target;
        struct kb_rule *rule = &state->rules[i];
        rule->config = &rules[i];
        rule->base = find_base(builder, state, i, rules[i].kb);
        rule->target = !rule->base                    ? KB_NONE
                       : target->kind == TARGET_GROUP ? kb_base_group(rule->base, target->value)
                                                      : kb_base_label(rule->base, target->value);
    }
    return state;
}

/* ---- judged */

static void ask(const void *data, struct signal_request *request) {
    const struct kb_state *state = data;
    const struct evidence_answer *answer;
    for (size_t i = 0; i < state->n_rules; i++)
        if (bits_has(request->wanted, state->first_slot + i) && state->rules[i].base &&
            kb_base_ask(state->rules[i].base, request, &answer, NULL) < 0)
            return; /* eval() meets the same failure, and tells it */
}

static void judge(const struct kb_rule *rule, const struct kb_verdict *verdict, struct signal_results *results,
                  uint32_t slot) {
    bool group = rule->config->target.kind == TARGET_GROUP, by_rank = rule->config->match == MATCH_BEST, reached, best;
    double score;
    if (rule->target == KB_NONE)
        return;
    score = group ? verdict->groups[rule->target] : verdict->labels[rule->target];
    reached = group ? verdict->group_matched[rule->target] : verdict->label_matched[rule->target];
    best = rule->target == (group ? verdict->best_group : verdict->best_label);
    signal_value(results, slot, score);
    if (by_rank ? best && (reached || !rule->config->require_threshold) : reached)
        signal_match(results, slot, score);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct kb_state *state = data;
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct kb_rule *rule = &state->rules[i];
        uint32_t slot = state->first_slot + (uint32_t)i;
        const struct kb_result *result;
        int rc;
        if (!bits_has(request->wanted, slot))
            continue;
        if (!rule->base) {
            learned_fail(results, slot, &not_read);
            continue;
        }
        rc = kb_base_compare(rule->base, request, &result, err);
        if (rc < 0)
            return rc;
        if (result->verdict)
            judge(rule, result->verdict, results, slot);
        else
            learned_fail(results, slot, &result->failure);
    }
    return 0;
}

/* ---- metrics */

enum metric_kind { METRIC_BEST, METRIC_BEST_MATCHED, METRIC_MARGIN };

struct metric {
    const struct kb_base *base; /* NULL: its file was not read */
    enum metric_kind kind;
    size_t positive, negative; /* groups, of METRIC_MARGIN */
};

struct metric_state {
    struct metric *metrics; /* by slot */
    size_t n_metrics;
    uint32_t first_slot;
};

static bool names_metric(struct arena *arena, vsr_str slot, const struct config_kb *kb, vsr_str metric) {
    struct arena_mark mark = arena_mark(arena);
    vsr_str name = arena_str_lower(arena, arena_printf(arena, "%.*s:%.*s", VSR_FMT(kb->name), VSR_FMT(metric)));
    bool same = str_eq(slot, name);
    arena_rewind(arena, mark);
    return same;
}

/* Whether the slot is a metric of this base. */
static bool find_metric(struct signal_builder *builder, vsr_str slot, const struct config_kb *kb, struct metric *ret) {
    static const vsr_str best = VSR_STR_INIT("best_score"), best_matched = VSR_STR_INIT("best_matched_score");
    const struct config_kb_metric *found = NULL;
    ret->kind = names_metric(builder->arena, slot, kb, best_matched) ? METRIC_BEST_MATCHED : METRIC_BEST;
    if (ret->kind == METRIC_BEST && !names_metric(builder->arena, slot, kb, best)) {
        CONFIG_EACH(const struct config_kb_metric, metric, &kb->metrics)
        if (names_metric(builder->arena, slot, kb, metric->name))
            found = metric;
        if (!found)
            return false;
    }
    ret->base = kb_base_build(builder, kb);
    if (!ret->base || !found)
        return true;
    ret->kind = METRIC_MARGIN;
    ret->positive = kb_base_group(ret->base, found->positive_group);
    ret->negative = kb_base_group(ret->base, found->negative_group);
    return true;
}

static void *build_metrics(struct signal_builder *builder) {
    struct metric_state *state = ARENA_NEW(builder->arena, struct metric_state);
    state->n_metrics = builder->n_slots;
    state->metrics = ARENA_ARRAY(builder->arena, struct metric, state->n_metrics);
    state->first_slot = builder->first_slot;
    for (size_t i = 0; i < state->n_metrics; i++) {
        vsr_str slot = builder->slots->items[builder->first_slot + i].name;
        CONFIG_EACH(const struct config_kb, kb, &builder->doc->global.model_catalog.kbs)
        if (find_metric(builder, slot, kb, &state->metrics[i]))
            break;
    }
    return state;
}

static void ask_metrics(const void *data, struct signal_request *request) {
    const struct metric_state *state = data;
    const struct evidence_answer *answer;
    for (size_t i = 0; i < state->n_metrics; i++)
        if (bits_has(request->wanted, state->first_slot + i) && state->metrics[i].base &&
            kb_base_ask(state->metrics[i].base, request, &answer, NULL) < 0)
            return; /* eval() meets the same failure, and tells it */
}

/* What is not there counts as 0, like a group that nothing is near to. */
static double measure(const struct metric *metric, const struct kb_verdict *verdict) {
    switch (metric->kind) {
    case METRIC_BEST:
        return verdict->best_score;
    case METRIC_BEST_MATCHED:
        return verdict->best_matched == KB_NONE ? 0 : verdict->labels[verdict->best_matched];
    case METRIC_MARGIN:
        return (metric->positive == KB_NONE ? 0 : verdict->groups[metric->positive]) -
               (metric->negative == KB_NONE ? 0 : verdict->groups[metric->negative]);
    }
    return 0;
}

static int eval_metrics(const void *data, struct signal_request *request, struct signal_results *results,
                        struct vsr_err *err) {
    const struct metric_state *state = data;
    for (size_t i = 0; i < state->n_metrics; i++) {
        uint32_t slot = state->first_slot + (uint32_t)i;
        const struct kb_result *result;
        int rc;
        if (!bits_has(request->wanted, slot))
            continue;
        if (!state->metrics[i].base) {
            learned_fail(results, slot, &not_read);
            continue;
        }
        rc = kb_base_compare(state->metrics[i].base, request, &result, err);
        if (rc < 0)
            return rc;
        if (result->verdict)
            signal_value(results, slot, measure(&state->metrics[i], result->verdict));
        else
            learned_fail(results, slot, &result->failure);
    }
    return 0;
}

const struct signal_family signal_kb = {
    .config = { .type = "kb", .list_key = "kb", .schema = &kb_schema, .check = TABLE_CHECK(check_rules) },
    .stage = SIGNAL_STAGE_EMBED,
    .needs_evidence = "text embeddings",
    .confidence_least = -1, /* a match may be the best of unlike ones */
    .value_least = -1,
    .value_greatest = 1,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.models = signal_models_embedding, .build = build, .ask = ask, .eval = eval,
                .applies = learned_has_text),
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
    .build = build_metrics,
    .ask = ask_metrics,
    .eval = eval_metrics,
    .applies = learned_has_text,
};
