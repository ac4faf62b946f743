#include "signal/keyword_config.h"

#include <math.h>

#include "signal/rule_checks.h"
#include "text/edit_distance.h"
#include "text/ngram.h"

enum { FUZZY_THRESHOLD = 2, NGRAM_ARITY = 3 };
#define BM25_THRESHOLD 0.1
#define NGRAM_THRESHOLD 0.4

/* In step with enum keyword_operator, then the empty one: programs of the routing language need not say any. */
static const char *const operators[] = { "OR", "AND", "NOR", "", NULL };

/* In step with `methods_meant`. */
enum { METHOD_NONE, METHOD_EXACT, METHOD_REGEX, METHOD_BM25, METHOD_NGRAM, METHOD_FUZZY };
static const char *const methods[] = { "", "exact", "regex", "bm25", "ngram", "fuzzy", NULL };
static const enum keyword_method methods_meant[] = {
    [METHOD_NONE] = KEYWORD_LITERAL, [METHOD_EXACT] = KEYWORD_LITERAL, [METHOD_REGEX] = KEYWORD_REGEX,
    [METHOD_BM25] = KEYWORD_BM25,    [METHOD_NGRAM] = KEYWORD_NGRAM,   [METHOD_FUZZY] = KEYWORD_LITERAL,
};

static const struct field keyword_fields[] = {
    RULE_FIELDS(struct keyword_config),
    { "operator", FIELD_ENUM, offsetof(struct keyword_config, op), .flags = FIELD_REQUIRED, .choices = operators,
      .help = "OR, or empty: one entry occurs; AND: all do; NOR: none does." },
    { "method", FIELD_ENUM, offsetof(struct keyword_config, method), .flags = FIELD_NOCASE, .choices = methods,
      .help =
          "How entries are found. exact, or left out: literal words and phrases; fuzzy: the same, and with slips of "
          "the keyboard; regex: regular expressions in RE2 syntax; bm25: words in any order and form; ngram: "
          "anything spelled alike." },
    { "keywords", FIELD_STRINGS, offsetof(struct keyword_config, keywords),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK | FIELD_VERBATIM, .help = "What to look for; at least one entry." },
    { "case_sensitive", FIELD_BOOL, offsetof(struct keyword_config, case_sensitive),
      .help = "Whether upper and lower case differ; bm25 and slips never tell them apart." },
    { "fuzzy_match", FIELD_BOOL, offsetof(struct keyword_config, fuzzy_match),
      .help = "Whether entries that do not occur are looked for with slips; methods exact and regex." },
    { "fuzzy_threshold", FIELD_INT, offsetof(struct keyword_config, fuzzy_threshold), .flags = FIELD_RANGE, .least = 0,
      .greatest = EDIT_DISTANCE_MAX, .fallback = "2",
      .help = "Most slips: a letter more, less, replaced, or swapped with its neighbour. Entries of up to 5 characters "
              "allow one, up to 2 none. 0 means 2." },
    { "bm25_threshold", FIELD_NUMBER, offsetof(struct keyword_config, bm25_threshold), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .fallback = "0.1", .help = "Least BM25 score of an entry; 0 means 0.1." },
    { "bm25_min_cover", FIELD_NUMBER, offsetof(struct keyword_config, bm25_min_cover),
      .flags = FIELD_RANGE | FIELD_LEAST_OPEN, .least = 0, .greatest = 1, .fallback = "0.75",
      .help = "Least part of an entry's different words that the text must have." },
    { "ngram_threshold", FIELD_NUMBER, offsetof(struct keyword_config, ngram_threshold), .flags = FIELD_RANGE,
      .least = 0, .greatest = 1, .fallback = "0.4", .help = "Least similarity of an entry; 0 means 0.4." },
    { "ngram_arity", FIELD_INT, offsetof(struct keyword_config, ngram_arity), .flags = FIELD_RANGE, .least = 0,
      .greatest = NGRAM_ARITY_MAX, .fallback = "3", .help = "Characters of an n-gram, at least 2; 0 means 3." },
};

enum keyword_operator keyword_operator_of(const struct keyword_config *config) {
    return config->op > KEYWORD_NOR ? KEYWORD_OR : (enum keyword_operator)config->op;
}

enum keyword_method keyword_method_of(const struct keyword_config *config) {
    return methods_meant[config->method];
}

bool keyword_is_fuzzy(const struct keyword_config *config) {
    enum keyword_method method = keyword_method_of(config);
    return config->method == METHOD_FUZZY ||
           (config->fuzzy_match && (method == KEYWORD_LITERAL || method == KEYWORD_REGEX));
}

uint32_t keyword_fuzzy_threshold(const struct keyword_config *config) {
    return config->fuzzy_threshold > 0 ? (uint32_t)config->fuzzy_threshold : FUZZY_THRESHOLD;
}

uint32_t keyword_ngram_arity(const struct keyword_config *config) {
    if (config->ngram_arity == 0)
        return NGRAM_ARITY;
    return config->ngram_arity < NGRAM_ARITY_MIN ? NGRAM_ARITY_MIN : (uint32_t)config->ngram_arity;
}

double keyword_threshold(const struct keyword_config *config) {
    switch (keyword_method_of(config)) {
    case KEYWORD_BM25:
        return config->bm25_threshold > 0 ? config->bm25_threshold : BM25_THRESHOLD;
    case KEYWORD_NGRAM:
        return config->ngram_threshold > 0 ? config->ngram_threshold : NGRAM_THRESHOLD;
    default:
        return 0;
    }
}

/* ---- checks */

static void warn_ignored(const struct keyword_config *rule, const char *field, struct arena *arena, struct diag *diag) {
    diag_warn(diag, "W_IGNORED", schema_field_at(&keyword_schema, rule, field, arena), (vsr_str){ 0 },
              "%s has no effect with method %s", field, methods[rule->method]);
}

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct keyword_config *rule = object;
    enum keyword_method method = keyword_method_of(rule);
    if (rule->fuzzy_match && (method == KEYWORD_BM25 || method == KEYWORD_NGRAM))
        warn_ignored(rule, "fuzzy_match", arena, diag);
    if (rule->case_sensitive && method == KEYWORD_BM25)
        warn_ignored(rule, "case_sensitive", arena, diag);
    if (method != KEYWORD_REGEX) {
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

const struct schema keyword_schema =
    SCHEMA("keyword rule", struct keyword_config, keyword_fields, .check = check_rule, .verbatim = is_verbatim);
