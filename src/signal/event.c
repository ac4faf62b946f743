/*
 * event - operational events in the text: kinds, severities, action codes, urgency (signals.md §5.5).
 *
 * Each of the four lists that a rule configures is one criterion, hit when one of its words stands in the text. A text
 * that is a JSON object is read first: where it has the string or number fields of a criterion (`event`, `type`;
 * `severity`, `level`; `code`), those decide that criterion, and the rest of the text does not: a payload of severity
 * low whose message mentions "critical" is not critical. Urgency is always looked for in the whole text.
 *
 * Words are found by the recipe's one scan. A text longer than the window (signals.md §2.2) is windowed and scanned
 * once more.
 */
#include "core/arena.h"
#include "signal/family.h"
#include "signal/rule_checks.h"
#include "text/fold.h"
#include "text/word.h"

enum event_criterion { EVENT_TYPE, EVENT_SEVERITY, EVENT_ACTION, EVENT_TEMPORAL, EVENT_CRITERIA };

struct event_config {
    struct config_at at;
    vsr_str name, description;
    struct config_strings event_types, severities, action_codes, temporal_words;
    bool temporal;
    vsr_str match;
};

#define TEMPORAL_WORDS "[urgent, immediate, immediately, asap, deadline, time.sensitive, critical.window]"

static const struct field event_fields[] = {
    RULE_FIELDS(struct event_config),
    { "event_types", FIELD_STRINGS, offsetof(struct event_config, event_types),
      .help = "Kinds of events, such as payment_failed; whole words." },
    { "severities", FIELD_STRINGS, offsetof(struct event_config, severities),
      .help = "Of critical, high, medium and low." },
    { "action_codes", FIELD_STRINGS, offsetof(struct event_config, action_codes),
      .help = "Codes, such as TXN_DECLINE; whole words." },
    { "temporal", FIELD_BOOL, offsetof(struct event_config, temporal),
      .help = "Whether words of urgency are a criterion." },
    { "temporal_words", FIELD_STRINGS, offsetof(struct event_config, temporal_words), .fallback = TEMPORAL_WORDS,
      .help = "What counts as urgency; a dot inside a word stands for any one character." },
    { "match", FIELD_STRING, offsetof(struct event_config, match), .fallback = "any",
      .help = "How many of the configured criteria must be hit: any (one), all, or a number." },
};

static const struct schema event_schema;

static bool is_blank(vsr_str text) {
    return str_trim(text).len == 0;
}

static bool is_severity(vsr_str text) {
    static const char *const known[] = { "critical", "high", "medium", "low" };
    for (size_t i = 0; i < VSR_COUNT(known); i++)
        if (str_eq_nocase(str_trim(text), str_from_c(known[i])))
            return true;
    return false;
}

/* Whether the list holds anything, which makes it a criterion; blank entries do not count. */
static bool is_set(const struct config_strings *list) {
    for (size_t i = 0; i < list->n; i++)
        if (!is_blank(list->items[i]))
            return true;
    return false;
}

static bool has_severity(const struct event_config *rule) {
    for (size_t i = 0; i < rule->severities.n; i++)
        if (is_severity(rule->severities.items[i]))
            return true;
    return false;
}

/* Unknown severities are dropped, so a list of nothing else is no criterion. */
static uint32_t count_criteria(const struct event_config *rule) {
    return (uint32_t)is_set(&rule->event_types) + has_severity(rule) + is_set(&rule->action_codes) + rule->temporal;
}

/* How many criteria must be hit, or 0 when the text is no such number. */
static uint64_t needed_hits(const struct event_config *rule) {
    vsr_str text = str_trim(rule->match);
    uint64_t n;
    if (str_eq_nocase(text, VSR_STR("any")))
        return 1;
    if (str_eq_nocase(text, VSR_STR("all")))
        return count_criteria(rule);
    return str_to_u64(text, &n) ? n : 0;
}

static void check_severities(const struct event_config *rule, struct arena *arena, struct diag *diag) {
    for (size_t i = 0; i < rule->severities.n; i++)
        if (!is_blank(rule->severities.items[i]) && !is_severity(rule->severities.items[i]))
            diag_warn(diag, "W_NAME", rule_entry_at(rule, "severities", &rule->severities, i, arena),
                      VSR_STR("expected critical, high, medium or low"), "\"%.*s\" is no severity and is never found",
                      VSR_FMT(rule->severities.items[i]));
}

static void check_match(const struct event_config *rule, struct arena *arena, struct diag *diag) {
    uint32_t n = count_criteria(rule);
    uint64_t needed = needed_hits(rule);
    struct diag_at at = schema_field_at(&event_schema, rule, "match", arena);
    if (n == 0) /* reported as such */
        return;
    if (needed == 0)
        diag_error(diag, "E_ENUM", at, VSR_STR("expected any, all or a number from 1"), "\"%.*s\" is not allowed here",
                   VSR_FMT(rule->match));
    else if (needed > n)
        diag_error(diag, "E_RANGE", at, (vsr_str){ 0 }, "match %llu can never be reached: the rule has %u %s",
                   (unsigned long long)needed, n, n == 1 ? "criterion" : "criteria");
}

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct event_config *rule = object;
    if (!is_set(&rule->event_types) && !is_set(&rule->severities) && !is_set(&rule->action_codes) && !rule->temporal)
        diag_error(diag, "E_REQUIRED", schema_at(rule), (vsr_str){ 0 },
                   "one of event_types, severities, action_codes and temporal is required");
    else if (count_criteria(rule) == 0)
        diag_warn(diag, "W_NEVER", schema_at(rule), (vsr_str){ 0 },
                  "the rule can never match: it has no criterion left");
    if (rule->temporal && !is_set(&rule->temporal_words))
        diag_error(diag, "E_REQUIRED", schema_field_at(&event_schema, rule, "temporal_words", arena), (vsr_str){ 0 },
                   "at least one entry is required, because temporal is true");
    rule_check_literals(rule, "event_types", &rule->event_types, arena, diag);
    rule_check_literals(rule, "action_codes", &rule->action_codes, arena, diag);
    rule_check_literals(rule, "temporal_words", &rule->temporal_words, arena, diag);
    check_severities(rule, arena, diag);
    check_match(rule, arena, diag);
}

static const struct schema event_schema = SCHEMA("event rule", struct event_config, event_fields, .check = check_rule);

/* ---- compiled */

struct event_word {
    vsr_str text;   /* as written, trimmed */
    vsr_str folded; /* for fields of a payload */
    uint32_t pattern;
};

struct event_list {
    struct event_word *words; /* none: not a criterion */
    uint32_t n;
};

struct event_rule {
    struct event_list criteria[EVENT_CRITERIA];
    uint32_t slot, severity_slot, temporal_slot;
    uint32_t n_criteria, n_needed;
};

struct event_state {
    struct event_rule *rules;
    size_t n_rules;
    enum signal_text text;
};

static int add_word(struct signal_builder *builder, enum event_criterion criterion, struct event_word *word,
                    struct vsr_err *err) {
    if (criterion == EVENT_TEMPORAL)
        return pattern_list_phrase(builder->patterns, word->text, &word->pattern, err);
    return pattern_list_literal(builder->patterns, word->text, PATTERN_FOLDED, true, &word->pattern, err);
}

static void build_list(struct signal_builder *builder, const struct event_config *config, const char *field,
                       const struct config_strings *strings, enum event_criterion criterion, struct event_list *list) {
    list->words = ARENA_ARRAY(builder->arena, struct event_word, strings->n);
    for (size_t i = 0; i < strings->n; i++) {
        struct event_word word = { .text = str_trim(strings->items[i]) };
        struct diag_at at = rule_entry_at(config, field, strings, i, builder->arena);
        struct vsr_err err = VSR_ERR_NONE;
        if (is_blank(word.text) || (criterion == EVENT_SEVERITY && !is_severity(word.text)))
            continue;
        if (add_word(builder, criterion, &word, &err) < 0) {
            diag_error(builder->diag, "E_TYPE", at, (vsr_str){ 0 }, "entry \"%.*s\" is %s", VSR_FMT(word.text),
                       err.text);
            continue;
        }
        signal_place(builder, word.pattern, at);
        word.folded = fold_text(builder->arena, word.text, FOLD_CASE);
        list->words[list->n++] = word;
    }
}

static uint32_t value_slot(struct signal_builder *builder, const struct event_config *config, const char *part) {
    return signal_slots_add(builder->slots, VSR_STR("event"),
                            arena_printf(builder->arena, "%.*s:%s", VSR_FMT(config->name), part));
}

static void build_rule(struct signal_builder *builder, const struct event_config *config, struct event_rule *rule) {
    struct event_list *criteria = rule->criteria;
    build_list(builder, config, "event_types", &config->event_types, EVENT_TYPE, &criteria[EVENT_TYPE]);
    build_list(builder, config, "severities", &config->severities, EVENT_SEVERITY, &criteria[EVENT_SEVERITY]);
    build_list(builder, config, "action_codes", &config->action_codes, EVENT_ACTION, &criteria[EVENT_ACTION]);
    if (config->temporal)
        build_list(builder, config, "temporal_words", &config->temporal_words, EVENT_TEMPORAL,
                   &criteria[EVENT_TEMPORAL]);
    rule->severity_slot = value_slot(builder, config, "severity");
    rule->temporal_slot = value_slot(builder, config, "temporal");
    rule->n_criteria = count_criteria(config);
    rule->n_needed = (uint32_t)needed_hits(config);
}

static void *build(struct signal_builder *builder) {
    const struct event_config *configs = builder->rules->items;
    struct event_state *state = ARENA_NEW(builder->arena, struct event_state);
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct event_rule, state->n_rules);
    state->text = builder->text;
    for (size_t i = 0; i < state->n_rules; i++) {
        state->rules[i].slot = builder->first_slot + (uint32_t)i;
        build_rule(builder, &configs[i], &state->rules[i]);
    }
    return state;
}

/* ---- one request */

enum { PAYLOAD_FIELDS = 2 };

/* What is known of the text. `fields` are the folded values of a JSON payload, by criterion. */
struct event_view {
    const struct pattern_hits *hits;
    vsr_str fields[EVENT_CRITERIA][PAYLOAD_FIELDS];
    size_t n_fields[EVENT_CRITERIA];
};

static void read_field(struct arena *arena, const struct json_doc *doc, const char *key, enum event_criterion criterion,
                       struct event_view *view) {
    json_ref ref = json_get(doc, 0, str_from_c(key));
    vsr_str text;
    if (json_is(doc, ref, JSON_NUMBER))
        text = json_raw(doc, ref);
    else if (!json_is(doc, ref, JSON_STRING) || !json_str(arena, doc, ref, &text) || is_blank(text))
        return;
    text = fold_text(arena, text, FOLD_CASE);
    if (text.ptr)
        view->fields[criterion][view->n_fields[criterion]++] = text;
}

/* Reads the text as a payload if it is one; anything else leaves the words to decide. */
static void read_payload(struct arena *arena, vsr_str text, struct event_view *view) {
    struct json_doc doc;
    text = str_trim(text);
    if (text.len < 2 || text.ptr[0] != '{' || text.ptr[text.len - 1] != '}' || json_parse(arena, text, &doc, NULL) < 0)
        return;
    read_field(arena, &doc, "event", EVENT_TYPE, view);
    read_field(arena, &doc, "type", EVENT_TYPE, view);
    read_field(arena, &doc, "severity", EVENT_SEVERITY, view);
    read_field(arena, &doc, "level", EVENT_SEVERITY, view);
    read_field(arena, &doc, "code", EVENT_ACTION, view);
}

/* A payload is read as it came, however long: its fields are found by name, and shortening would break it. */
static int view_text(const struct event_state *state, struct signal_request *request, struct event_view *ret_view,
                     struct vsr_err *err) {
    vsr_str payload;
    int rc = signal_request_text(request, SIGNAL_TEXT_FULL, &payload, err);
    *ret_view = (struct event_view){ 0 };
    if (rc < 0)
        return rc;
    read_payload(request->arena, payload, ret_view);
    return signal_request_window_hits(request, state->text, &ret_view->hits, err);
}

static bool has_pattern(const struct pattern_hits *hits, uint32_t pattern) {
    return hits->found && bits_has(hits->found, pattern);
}

static bool word_hit(const struct event_view *view, enum event_criterion criterion, const struct event_word *word) {
    if (view->n_fields[criterion] == 0)
        return has_pattern(view->hits, word->pattern);
    for (size_t i = 0; i < view->n_fields[criterion]; i++)
        if (word_occurs(word->folded, view->fields[criterion][i]))
            return true;
    return false;
}

/* The first word of the criterion that is there; NULL: no hit. */
static const struct event_word *first_hit(const struct event_view *view, const struct event_rule *rule,
                                          enum event_criterion criterion) {
    const struct event_list *list = &rule->criteria[criterion];
    for (uint32_t i = 0; i < list->n; i++)
        if (word_hit(view, criterion, &list->words[i]))
            return &list->words[i];
    return NULL;
}

static void eval_rule(const struct event_rule *rule, const struct event_view *view, struct signal_results *results) {
    uint32_t n = 0;
    signal_no_match(results, rule->slot);
    for (int i = 0; i < EVENT_CRITERIA; i++) {
        if (!first_hit(view, rule, (enum event_criterion)i))
            continue;
        n++;
        if (i == EVENT_SEVERITY)
            signal_value(results, rule->severity_slot, 1);
        if (i == EVENT_TEMPORAL)
            signal_value(results, rule->temporal_slot, 1);
    }
    if (n > 0 && n >= rule->n_needed)
        signal_match(results, rule->slot, 0.5 + 0.5 * n / rule->n_criteria);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct event_state *state = data;
    struct event_view view;
    int rc = view_text(state, request, &view, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < state->n_rules; i++)
        if (bits_has(request->wanted, state->rules[i].slot))
            eval_rule(&state->rules[i], &view, results);
    return 0;
}

/* One word per criterion that was hit. Looks again, which only traces pay for. */
static size_t found(const void *data, const struct signal_request *request, size_t index, vsr_str *ret_texts,
                    size_t max) {
    const struct event_state *state = data;
    struct signal_request again = *request;
    struct event_view view;
    size_t n = 0;
    if (view_text(state, &again, &view, NULL) < 0)
        return 0;
    for (int i = 0; i < EVENT_CRITERIA && n < max; i++) {
        const struct event_word *word = first_hit(&view, &state->rules[index], (enum event_criterion)i);
        if (word)
            ret_texts[n++] = word->text;
    }
    return n;
}

const struct signal_family signal_event = {
    .config = { .type = "event", .list_key = "events", .schema = &event_schema },
    .stage = SIGNAL_STAGE_CHEAP,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.build = build, .eval = eval, .found = found),
};
