/*
 * keyword - words and patterns in the text (signals.md §5.1).
 *
 * A literal obeys Unicode word boundaries on each side where it ends in a word character; a regular expression stands
 * for itself. All of them are found by the recipe's one scan; a rule only looks at the bits of its entries.
 */
#include "core/arena.h"
#include "signal/family.h"
#include "signal/rule_checks.h"
#include "text/regex.h"

enum keyword_operator { KEYWORD_OR, KEYWORD_AND, KEYWORD_NOR };
enum keyword_method { KEYWORD_LITERAL, KEYWORD_REGEX };

struct keyword_config {
    struct config_at at;
    vsr_str name, description;
    int op;     /* enum keyword_operator */
    int method; /* enum keyword_method */
    struct config_strings keywords;
    bool case_sensitive;
};

static const char *const operators[] = { "OR", "AND", "NOR", NULL };
static const char *const methods[] = { "", "regex", NULL };

static const struct field keyword_fields[] = {
    RULE_FIELDS(struct keyword_config),
    { "operator", FIELD_ENUM, offsetof(struct keyword_config, op), .flags = FIELD_REQUIRED, .choices = operators,
      .help = "OR: one entry occurs; AND: all do; NOR: none does." },
    { "method", FIELD_ENUM, offsetof(struct keyword_config, method), .flags = FIELD_NOCASE, .choices = methods,
      .help = "Left out, entries are literal words and phrases; regex makes them regular expressions in RE2 syntax." },
    { "keywords", FIELD_STRINGS, offsetof(struct keyword_config, keywords),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK | FIELD_VERBATIM, .help = "What to look for; at least one entry." },
    { "case_sensitive", FIELD_BOOL, offsetof(struct keyword_config, case_sensitive),
      .help = "Whether upper and lower case differ." },
};

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct keyword_config *rule = object;
    if (rule->method == KEYWORD_LITERAL) {
        rule_check_literals(rule, "keywords", &rule->keywords, arena, diag);
        return;
    }
    for (size_t i = 0; i < rule->keywords.n; i++)
        (void)rule_parse_regex(rule->keywords.items[i], rule->case_sensitive,
                               rule_entry_at(rule, "keywords", &rule->keywords, i, arena), arena, diag);
}

/* Only regular expressions keep their dollars; in literals the environment is looked up as everywhere. */
static bool is_verbatim(const struct yaml_node *object, const struct field *field) {
    const struct yaml_node *method = yaml_get(object, VSR_STR("method"));
    (void)field;
    return method && str_eq_nocase(str_trim(method->text), VSR_STR("regex"));
}

static const struct schema keyword_schema =
    SCHEMA("keyword rule", struct keyword_config, keyword_fields, .check = check_rule, .verbatim = is_verbatim);

/* ---- compiled */

struct keyword_rule {
    enum keyword_operator op;
    uint32_t slot, ratio_slot;
    uint32_t *patterns;  /* per different entry */
    vsr_str *texts;      /* the entries as written */
    uint32_t n_patterns; /* equal entries are one */
    uint32_t n_entries;  /* as listed */
};

struct keyword_state {
    struct keyword_rule *rules;
    size_t n_rules;
    enum signal_text text;
};

static int add_pattern(struct signal_builder *builder, const struct keyword_config *config, size_t entry,
                       uint32_t *ret_index, struct vsr_err *err) {
    vsr_str text = config->keywords.items[entry];
    struct diag_at at = rule_entry_at(config, "keywords", &config->keywords, entry, builder->arena);
    struct regex *regex;
    if (config->method == KEYWORD_LITERAL)
        return pattern_list_literal(builder->patterns, text, config->case_sensitive ? PATTERN_EXACT : PATTERN_FOLDED,
                                    true, ret_index, err);
    regex = rule_parse_regex(text, config->case_sensitive, at, builder->arena, builder->diag);
    return regex ? pattern_list_regex(builder->patterns, regex, text, ret_index, err) : VSR_E_INVALID;
}

static void build_rule(struct signal_builder *builder, const struct keyword_config *config, struct keyword_rule *rule) {
    size_t n = config->keywords.n;
    rule->op = (enum keyword_operator)config->op;
    rule->ratio_slot = signal_slots_add(builder->slots, VSR_STR("keyword"),
                                        arena_printf(builder->arena, "%.*s:ratio", VSR_FMT(config->name)));
    rule->patterns = ARENA_ARRAY(builder->arena, uint32_t, n);
    rule->texts = ARENA_ARRAY(builder->arena, vsr_str, n);
    rule->n_entries = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        struct vsr_err err = VSR_ERR_NONE;
        uint32_t index;
        bool repeated = false;
        if (add_pattern(builder, config, i, &index, &err) < 0) {
            if (err.code)
                diag_error(builder->diag, "E_TYPE",
                           rule_entry_at(config, "keywords", &config->keywords, i, builder->arena), (vsr_str){ 0 },
                           "entry \"%.*s\" is %s", VSR_FMT(config->keywords.items[i]), err.text);
            continue;
        }
        for (uint32_t k = 0; k < rule->n_patterns; k++)
            repeated |= str_eq(rule->texts[k], config->keywords.items[i]);
        signal_place(builder, index, rule_entry_at(config, "keywords", &config->keywords, i, builder->arena));
        if (repeated)
            continue;
        rule->patterns[rule->n_patterns] = index;
        rule->texts[rule->n_patterns++] = config->keywords.items[i];
    }
}

static void *build(struct signal_builder *builder) {
    const struct keyword_config *configs = builder->rules->items;
    struct keyword_state *state = ARENA_NEW(builder->arena, struct keyword_state);
    state->n_rules = builder->rules->n;
    state->text = builder->text;
    state->rules = ARENA_ARRAY(builder->arena, struct keyword_rule, state->n_rules);
    for (size_t i = 0; i < state->n_rules; i++) {
        state->rules[i].slot = builder->first_slot + (uint32_t)i;
        build_rule(builder, &configs[i], &state->rules[i]);
    }
    return state;
}

static uint32_t count_in(const struct keyword_rule *rule, const uint64_t *patterns) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < rule->n_patterns; i++)
        n += bits_has(patterns, rule->patterns[i]);
    return n;
}

/* Whether the rule matches when `n` of its different entries occur. */
static bool matches(const struct keyword_rule *rule, uint32_t n) {
    return rule->op == KEYWORD_OR ? n > 0 : rule->op == KEYWORD_AND ? n == rule->n_patterns : n == 0;
}

/* An undecided entry leaves the count open, which is a failure. A match that it cannot change is one all the same, but
 * without a confidence, which a predicate would read in place of the count. */
static void eval_rule(const struct keyword_rule *rule, const struct pattern_hits *hits,
                      struct signal_results *results) {
    uint32_t n = count_in(rule, hits->found), n_undecided = count_in(rule, hits->undecided);
    if (n_undecided > 0) {
        signal_fail(results, rule->slot, SIGNAL_TOO_LONG);
        if (matches(rule, n) && matches(rule, n + n_undecided))
            bits_add(results->matched, rule->slot);
        return;
    }
    signal_value(results, rule->slot, n);
    signal_value(results, rule->ratio_slot, rule->n_entries ? (double)n / rule->n_entries : 0);
    if (matches(rule, n))
        signal_match(results, rule->slot, 1.0);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct keyword_state *state = data;
    const struct pattern_hits *hits;
    int rc = signal_request_hits(request, state->text, &hits, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < state->n_rules; i++)
        if (bits_has(request->wanted, state->rules[i].slot))
            eval_rule(&state->rules[i], hits, results);
    return 0;
}

/* Entries found, in the order of the list; none for NOR. */
static size_t found(const void *data, const struct signal_request *request, size_t index, vsr_str *ret_texts,
                    size_t max) {
    const struct keyword_state *state = data;
    const struct keyword_rule *rule = &state->rules[index];
    const struct pattern_hits *hits = signal_request_hits_so_far(request, state->text);
    size_t n = 0;
    if (rule->op == KEYWORD_NOR || !hits)
        return 0;
    for (uint32_t i = 0; i < rule->n_patterns && n < max; i++)
        if (bits_has(hits->found, rule->patterns[i]))
            ret_texts[n++] = rule->texts[i];
    return n;
}

const struct signal_family signal_keyword = {
    .config = { .type = "keyword", .list_key = "keywords", .schema = &keyword_schema },
    .stage = SIGNAL_STAGE_CHEAP,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    .build = build,
    .eval = eval,
    .found = found,
};
