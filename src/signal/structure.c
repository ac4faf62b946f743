/*
 * structure - how often something occurs, how dense it is, whether things come in order (signals.md §5.2).
 *
 * The recipe's one scan tells which patterns and keywords occur at all; only those are counted. Value and confidence
 * are stored for every rule, matched or not, so that a decision may bring its own predicate.
 */
#include <math.h>

#include "config/predicate.h"
#include "core/arena.h"
#include "core/map.h"
#include "signal/family.h"
#include "signal/rule_checks.h"
#include "text/fold.h"
#include "text/occurrence.h"
#include "text/regex.h"
#include "text/unicode.h"

enum feature_type { FEATURE_EXISTS, FEATURE_COUNT, FEATURE_DENSITY, FEATURE_SEQUENCE };
enum source_type { SOURCE_REGEX, SOURCE_KEYWORD_SET, SOURCE_SEQUENCE, SOURCE_TEXT_BYTES };

static const char *const feature_types[] = { "exists", "count", "density", "sequence", NULL };
static const char *const source_types[] = { "regex", "keyword_set", "sequence", "text_bytes", NULL };

/* How fast the confidence of a match grows with its distance from the bound. */
#define CONFIDENCE_SLOPE 4.0

struct source_config {
    struct config_at at;
    int type; /* enum source_type */
    vsr_str pattern;
    struct config_strings keywords;
    struct config_string_lists sequences;
    bool case_sensitive;
};

struct feature_config {
    struct config_at at;
    int type; /* enum feature_type */
    struct source_config source;
};

struct structure_config {
    struct config_at at;
    vsr_str name, description;
    struct feature_config feature;
    struct config_predicate *predicate;
};

static const struct field source_fields[] = {
    { "type", FIELD_ENUM, offsetof(struct source_config, type), .flags = FIELD_REQUIRED, .choices = source_types,
      .help = "What is looked for." },
    { "pattern", FIELD_STRING, offsetof(struct source_config, pattern), .flags = FIELD_NONBLANK | FIELD_VERBATIM,
      .help = "Of source regex: a regular expression in RE2 syntax." },
    { "keywords", FIELD_STRINGS, offsetof(struct source_config, keywords), .flags = FIELD_NONBLANK,
      .help = "Of source keyword_set: words and phrases." },
    { "sequences", FIELD_STRING_LISTS, offsetof(struct source_config, sequences),
      .help = "Of source sequence: lists of markers that come in this order; any list will do." },
    { "case_sensitive", FIELD_BOOL, offsetof(struct source_config, case_sensitive),
      .help = "Whether upper and lower case differ." },
};

static const struct schema source_schema;

static void require(const struct source_config *source, const char *field, struct diag *diag) {
    if (!schema_present(&source_schema, source, field))
        diag_error(diag, "E_REQUIRED", schema_at(source), (vsr_str){ 0 }, "%s is required with type \"%s\"", field,
                   source_types[source->type]);
}

static void check_sequences(const struct source_config *source, struct arena *arena, struct diag *diag) {
    struct diag_at at = schema_field_at(&source_schema, source, "sequences", arena);
    if (source->sequences.n == 0)
        diag_error(diag, "E_REQUIRED", at, (vsr_str){ 0 }, "at least one sequence is required with type \"sequence\"");
    for (size_t i = 0; i < source->sequences.n; i++) {
        const struct config_strings *markers = &source->sequences.items[i];
        if (markers->n < 2)
            diag_error(diag, "E_RANGE", at, (vsr_str){ 0 }, "sequence %zu has %zu markers, at least 2 are needed", i,
                       markers->n);
        for (size_t k = 0; k < markers->n; k++)
            if (str_trim(markers->items[k]).len == 0)
                diag_error(diag, "E_REQUIRED", at, (vsr_str){ 0 }, "marker %zu of sequence %zu is blank", k, i);
    }
}

/* Entries that differ in case only count twice; one published profile relies on it, elsewhere it is a slip. */
static void warn_folding_entries(const struct source_config *source, struct arena *arena, struct diag *diag) {
    struct map seen; /* folded entry -> the first one like it */
    map_init(&seen, arena);
    for (size_t i = 0; i < source->keywords.n; i++) {
        vsr_str *entry = &source->keywords.items[i], folded = fold_text(arena, *entry, FOLD_LOWER);
        const vsr_str *first = map_get(&seen, folded);
        if (!first)
            map_put(&seen, folded, entry);
        else
            diag_warn(diag, "W_DUP", rule_entry_at(source, "keywords", &source->keywords, i, arena),
                      VSR_STR("remove one of them unless this is meant"),
                      "\"%.*s\" and \"%.*s\" are the same without case, and each occurrence counts for both",
                      VSR_FMT(*entry), VSR_FMT(*first));
    }
}

static void check_source(const void *object, struct arena *arena, struct diag *diag) {
    const struct source_config *source = object;
    switch ((enum source_type)source->type) {
    case SOURCE_REGEX:
        require(source, "pattern", diag);
        if (source->pattern.len > 0)
            (void)rule_parse_regex(source->pattern, source->case_sensitive,
                                   schema_field_at(&source_schema, source, "pattern", arena), arena, diag);
        break;
    case SOURCE_KEYWORD_SET:
        require(source, "keywords", diag);
        rule_check_literals(source, "keywords", &source->keywords, arena, diag);
        if (!source->case_sensitive)
            warn_folding_entries(source, arena, diag);
        break;
    case SOURCE_SEQUENCE:
        check_sequences(source, arena, diag);
        break;
    case SOURCE_TEXT_BYTES:
        break;
    }
}

static const struct schema source_schema = SCHEMA("source", struct source_config, source_fields, .check = check_source);

static const struct field feature_fields[] = {
    { "type", FIELD_ENUM, offsetof(struct feature_config, type), .flags = FIELD_REQUIRED, .choices = feature_types,
      .help = "exists, count, density (count per word), or sequence." },
    { "source", FIELD_OBJECT, offsetof(struct feature_config, source), .flags = FIELD_REQUIRED,
      .object = &source_schema, .help = "What is looked for." },
};
static const struct schema feature_schema = SCHEMA("feature", struct feature_config, feature_fields);

static const struct field structure_fields[] = {
    RULE_FIELDS(struct structure_config),
    RULE_FEATURE_FIELDS(struct structure_config, feature_schema,
                        "Bounds that the value must keep; without them any value above 0 matches."),
};

static const struct schema structure_schema;

static void check_rule(const void *object, struct arena *arena, struct diag *diag) {
    const struct structure_config *rule = object;
    int feature = rule->feature.type, source = rule->feature.source.type;
    struct diag_at at = schema_field_at(&feature_schema, &rule->feature, "type", arena);
    if ((feature == FEATURE_SEQUENCE) != (source == SOURCE_SEQUENCE))
        diag_error(diag, "E_CONFLICT", at, (vsr_str){ 0 },
                   "feature.type \"%s\" does not go with source.type \"%s\": sequence needs sequence",
                   feature_types[feature], source_types[source]);
    if (source == SOURCE_TEXT_BYTES && feature != FEATURE_COUNT)
        diag_error(diag, "E_CONFLICT", at, (vsr_str){ 0 },
                   "feature.type \"%s\" does not go with source.type \"text_bytes\": only count does",
                   feature_types[feature]);
    rule_check_exists(rule, &structure_schema, rule->feature.type == FEATURE_EXISTS, rule->predicate, arena, diag);
}

static const struct schema structure_schema =
    SCHEMA("structure rule", struct structure_config, structure_fields, .check = check_rule);

/* ---- compiled */

/* A keyword or marker: the scan's bit says whether it occurs anywhere. */
struct term {
    struct occurrence_needle needle;
    uint32_t pattern;
};

struct term_list {
    struct term *items;
    size_t n;
};

struct structure_rule {
    const struct structure_config *config;
    const struct regex *regex;
    uint32_t pattern; /* of the regular expression */
    struct term_list keywords;
    struct term_list *sequences;
    size_t n_sequences;
};

struct structure_state {
    struct structure_rule *rules;
    size_t n_rules;
    uint32_t first_slot;
    enum signal_text text;
};

static struct term_list build_terms(struct signal_builder *builder, const struct source_config *source,
                                    const struct config_strings *texts) {
    struct term_list terms = { .items = ARENA_ARRAY(builder->arena, struct term, texts->n) };
    for (size_t i = 0; i < texts->n; i++) {
        struct term *term = &terms.items[terms.n];
        struct vsr_err err = VSR_ERR_NONE;
        vsr_str text =
            source->case_sensitive ? texts->items[i] : fold_text(builder->arena, texts->items[i], FOLD_LOWER);
        int rc = pattern_list_literal(builder->patterns, text, source->case_sensitive ? PATTERN_EXACT : PATTERN_LOWERED,
                                      false, &term->pattern, &err);
        if (rc < 0) {
            diag_error(builder->diag, "E_TYPE", schema_at(source), (vsr_str){ 0 }, "\"%.*s\" is %s",
                       VSR_FMT(texts->items[i]), err.text);
            continue;
        }
        signal_place(builder, term->pattern, schema_at(source));
        term->needle = occurrence_needle(text);
        terms.n++;
    }
    return terms;
}

static void build_rule(struct signal_builder *builder, const struct structure_config *config,
                       struct structure_rule *rule) {
    const struct source_config *source = &config->feature.source;
    rule->config = config;
    if (source->type == SOURCE_REGEX) {
        struct diag_at at = schema_field_at(&source_schema, source, "pattern", builder->arena);
        struct vsr_err err = VSR_ERR_NONE;
        rule->regex = rule_parse_regex(source->pattern, source->case_sensitive, at, builder->arena, builder->diag);
        if (rule->regex &&
            pattern_list_regex(builder->patterns, rule->regex, source->pattern, &rule->pattern, &err) < 0)
            diag_error(builder->diag, "E_TYPE", at, (vsr_str){ 0 }, "pattern %s", err.text);
        else if (rule->regex)
            signal_place(builder, rule->pattern, at);
    } else if (source->type == SOURCE_KEYWORD_SET) {
        rule->keywords = build_terms(builder, source, &source->keywords);
    } else if (source->type == SOURCE_SEQUENCE) {
        rule->n_sequences = source->sequences.n;
        rule->sequences = ARENA_ARRAY(builder->arena, struct term_list, rule->n_sequences);
        for (size_t i = 0; i < rule->n_sequences; i++)
            rule->sequences[i] = build_terms(builder, source, &source->sequences.items[i]);
    }
}

static void *build(struct signal_builder *builder) {
    const struct structure_config *configs = builder->rules->items;
    struct structure_state *state = ARENA_NEW(builder->arena, struct structure_state);
    state->n_rules = builder->rules->n;
    state->first_slot = builder->first_slot;
    state->text = builder->text;
    state->rules = ARENA_ARRAY(builder->arena, struct structure_rule, state->n_rules);
    for (size_t i = 0; i < state->n_rules; i++)
        build_rule(builder, &configs[i], &state->rules[i]);
    return state;
}

/* ---- evaluated */

/* What the rules of one request share, computed when the first one asks. */
struct measure {
    struct signal_request *request;
    const struct pattern_hits *hits;
    vsr_str text;
    size_t n_uncounted; /* rules that still need regex_count() */
    vsr_str lowered;    /* NULL pointer: not made yet */
    bool has_units;
    size_t units;
};

/* The text as the source compares it. NULL pointer without memory. */
static vsr_str source_text(struct measure *measure, const struct source_config *source) {
    vsr_str text = measure->text;
    if (source->case_sensitive || text.len == 0)
        return text.ptr ? text : VSR_STR("");
    if (!measure->lowered.ptr)
        measure->lowered = fold_text(measure->request->arena, text, FOLD_LOWER);
    return measure->lowered;
}

static size_t count_keywords(const struct measure *measure, const struct structure_rule *rule, vsr_str text) {
    size_t count = 0;
    for (size_t i = 0; i < rule->keywords.n; i++)
        if (bits_has(measure->hits->found, rule->keywords.items[i].pattern))
            count += occurrence_count(text, &rule->keywords.items[i].needle);
    return count;
}

static bool sequence_occurs(const struct measure *measure, const struct term_list *markers, vsr_str text) {
    size_t pos = 0;
    for (size_t i = 0; i < markers->n; i++)
        if (!bits_has(measure->hits->found, markers->items[i].pattern))
            return false;
    for (size_t i = 0; i < markers->n; i++)
        if (!occurrence_next(text, &markers->items[i].needle, &pos))
            return false;
    return markers->n > 0;
}

/* Whether telling that the regular expression occurs is not enough. */
static bool needs_counting(const struct measure *measure, const struct structure_rule *rule) {
    return rule->regex && rule->config->feature.type != FEATURE_EXISTS && bits_has(measure->hits->found, rule->pattern);
}

/* Rules share the steps evenly: one that is costly on this text leaves the others theirs. */
static int count_regex(struct measure *measure, const struct structure_rule *rule, size_t *ret_count,
                       struct vsr_err *err) {
    struct signal_request *request = measure->request;
    size_t share, left;
    int rc;
    if (bits_has(measure->hits->undecided, rule->pattern))
        return err_set(err, VSR_E_LIMIT, "searching for a pattern takes too long on this text");
    if (!needs_counting(measure, rule)) {
        *ret_count = bits_has(measure->hits->found, rule->pattern);
        return 0;
    }
    left = share = request->regex_steps / measure->n_uncounted--;
    rc = regex_count(rule->regex, request->arena, measure->text, &left, ret_count, err);
    request->regex_steps -= share - left;
    return rc;
}

/* How often the source occurs; for sequences 1 or 0. */
static int count_source(struct measure *measure, const struct structure_rule *rule, double *ret_count,
                        struct vsr_err *err) {
    const struct source_config *source = &rule->config->feature.source;
    size_t count = 0;
    vsr_str text;
    int rc = 0;
    switch ((enum source_type)source->type) {
    case SOURCE_TEXT_BYTES:
        count = measure->request->facts->current_user.len;
        break;
    case SOURCE_REGEX:
        rc = count_regex(measure, rule, &count, err);
        break;
    case SOURCE_KEYWORD_SET:
        text = source_text(measure, source);
        if (!text.ptr)
            return err_set(err, VSR_E_NOMEM, "no memory to fold the text");
        count = count_keywords(measure, rule, text);
        break;
    case SOURCE_SEQUENCE:
        text = source_text(measure, source);
        if (!text.ptr)
            return err_set(err, VSR_E_NOMEM, "no memory to fold the text");
        for (size_t i = 0; i < rule->n_sequences && count == 0; i++)
            count = sequence_occurs(measure, &rule->sequences[i], text);
        break;
    }
    *ret_count = (double)count;
    return rc;
}

static double feature_value(struct measure *measure, enum feature_type type, double count) {
    if (type == FEATURE_COUNT || type == FEATURE_SEQUENCE)
        return count;
    if (type == FEATURE_EXISTS)
        return count > 0;
    if (!measure->has_units) {
        measure->units = unicode_count_units(measure->text);
        measure->has_units = true;
    }
    return measure->units ? count / (double)measure->units : 0;
}

/* Distance from the bound that the predicate names first: the lower one if there is one. */
static double bound_distance(const struct bounds *bounds, double value) {
    double bound = bounds->set & BOUND_GT    ? bounds->gt
                   : bounds->set & BOUND_GTE ? bounds->gte
                   : bounds->set & BOUND_LT  ? bounds->lt
                                             : bounds->lte;
    return fabs(value - bound);
}

static void report(const struct structure_rule *rule, uint32_t slot, double value, struct signal_results *results) {
    bool match = value > 0;
    double confidence = match;
    if (rule->config->predicate) {
        struct bounds bounds = bounds_of_predicate(rule->config->predicate);
        match = bounds_hold(&bounds, value);
        confidence = match ? fmax(0.5, 1 / (1 + exp(-CONFIDENCE_SLOPE * bound_distance(&bounds, value)))) : 0;
    }
    signal_value(results, slot, value);
    signal_confidence(results, slot, confidence);
    if (match)
        signal_match(results, slot, confidence);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct structure_state *state = data;
    struct measure measure = { .request = request };
    int rc = signal_request_text(request, state->text, &measure.text, err);
    if (rc == 0)
        rc = signal_request_hits(request, state->text, &measure.hits, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < state->n_rules; i++)
        measure.n_uncounted +=
            bits_has(request->wanted, state->first_slot + i) && needs_counting(&measure, &state->rules[i]);
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct structure_rule *rule = &state->rules[i];
        uint32_t slot = state->first_slot + (uint32_t)i;
        double count = 0;
        if (!bits_has(request->wanted, slot))
            continue;
        rc = count_source(&measure, rule, &count, err);
        if (rc < 0)
            signal_fail(results, slot, rc == VSR_E_LIMIT ? SIGNAL_TOO_LONG : SIGNAL_FAILED);
        else
            report(rule, slot, feature_value(&measure, (enum feature_type)rule->config->feature.type, count), results);
    }
    return 0;
}

const struct signal_family signal_structure = {
    .config = { .type = "structure", .list_key = "structure", .schema = &structure_schema },
    .stage = SIGNAL_STAGE_CHEAP,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.build = build, .eval = eval),
};
