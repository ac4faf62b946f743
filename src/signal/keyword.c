/*
 * keyword - words and patterns in the text (signals.md §5.1, §9).
 *
 * A literal obeys Unicode word boundaries on each side where it ends in a word character; a regular expression stands
 * for itself. All of them are found by the recipe's one scan, and a rule only looks at what the scan found of its
 * entries. Entries of the other methods are collected over all rules as well: one pass over the words of the text
 * scores every BM25 keyword, one every n-gram keyword, and one looks for slips in the fuzzy keywords that the scan
 * missed. Each runs when a wanted rule asks for it.
 *
 * An entry that is written twice counts once, for BM25 as well: its corpus are the different entries.
 */
#include <math.h>
#include <stdlib.h>

#include "core/arena.h"
#include "signal/family.h"
#include "signal/keyword_config.h"
#include "signal/rule_checks.h"
#include "text/bm25.h"
#include "text/fuzzy.h"
#include "text/ngram.h"
#include "text/regex.h"
#include "text/stem.h"

struct keyword_entry {
    vsr_str text;       /* as written */
    vsr_str fuzzy_text; /* as reported when a slip away; empty: is not looked for that way */
    uint32_t index;     /* pattern, BM25 keyword or n-gram keyword */
    uint32_t fuzzy;     /* FUZZY_NONE: exact only */
};

struct keyword_rule {
    enum keyword_operator op;
    enum keyword_method method;
    bool fuzzy;
    uint32_t slot, ratio_slot, score_slot; /* score: of BM25 and n-grams */
    struct keyword_entry *entries;
    uint32_t n;        /* equal entries are one */
    uint32_t n_listed; /* as listed */
    double threshold, min_cover;
};

/* Rules by pattern: those of pattern p are rules[first[p]] to rules[first[p + 1]]. */
struct keyword_uses {
    uint32_t *first, *rules;
    size_t n_patterns;
};

struct keyword_state {
    struct keyword_rule *rules;
    size_t n_rules;
    enum signal_text text;
    struct keyword_uses uses;
    struct fuzzy_set *fuzzy;
    struct bm25_set *bm25;
    struct ngram_set *ngrams;
};

/* ---- building */

struct build {
    struct signal_builder *builder;
    struct keyword_state *state;
    struct fuzzy_list fuzzy;
    struct ngram_list ngrams;
    struct bm25_list bm25;
    struct stemmer *stemmer; /* made for the first rule that needs it */
};

static struct diag_at entry_at(const struct build *build, const struct keyword_config *config, size_t index) {
    return rule_entry_at(config, "keywords", &config->keywords, index, build->builder->arena);
}

static int add_pattern(struct build *build, const struct keyword_config *config, size_t index, uint32_t *ret_pattern,
                       struct vsr_err *err) {
    struct signal_builder *builder = build->builder;
    vsr_str text = config->keywords.items[index];
    struct regex *regex;
    if (keyword_method_of(config) == KEYWORD_LITERAL)
        return pattern_list_literal(builder->patterns, text, config->case_sensitive ? PATTERN_EXACT : PATTERN_FOLDED,
                                    true, ret_pattern, err);
    regex =
        rule_parse_regex(text, config->case_sensitive, entry_at(build, config, index), builder->arena, builder->diag);
    return regex ? pattern_list_regex(builder->patterns, regex, text, ret_pattern, err) : VSR_E_INVALID;
}

/* False when the entry is refused, which has been reported. */
static bool build_pattern(struct build *build, const struct keyword_config *config, size_t index,
                          struct keyword_entry *entry) {
    struct vsr_err err = VSR_ERR_NONE;
    if (add_pattern(build, config, index, &entry->index, &err) < 0) {
        if (err.code)
            diag_error(build->builder->diag, "E_TYPE", entry_at(build, config, index), (vsr_str){ 0 },
                       "entry \"%.*s\" is %s", VSR_FMT(entry->text), err.text);
        return false;
    }
    signal_place(build->builder, entry->index, entry_at(build, config, index));
    if (!keyword_is_fuzzy(config))
        return true;
    entry->fuzzy = fuzzy_list_add(&build->fuzzy, entry->text, keyword_fuzzy_threshold(config));
    entry->fuzzy_text = arena_printf(build->builder->arena, "%.*s (fuzzy)", VSR_FMT(entry->text));
    return true;
}

static void warn_never(struct build *build, const struct keyword_config *config, size_t index, const char *why) {
    diag_warn(build->builder->diag, "W_NEVER", entry_at(build, config, index), (vsr_str){ 0 },
              "entry \"%.*s\" can never be found: %s", VSR_FMT(config->keywords.items[index]), why);
}

static void build_ngram(struct build *build, const struct keyword_config *config, size_t index,
                        struct keyword_entry *entry) {
    struct ngram_options options = { .arity = keyword_ngram_arity(config),
                                     .case_sensitive = config->case_sensitive,
                                     .threshold = keyword_threshold(config) };
    entry->index = ngram_list_add(&build->ngrams, entry->text, &options);
    if (entry->index == NGRAM_NONE)
        warn_never(build, config, index, "it has no letter or digit");
}

/* Keeps each different entry once. */
static void build_entries(struct build *build, const struct keyword_config *config, struct keyword_rule *rule) {
    struct arena *arena = build->builder->arena;
    struct map seen;
    map_init(&seen, arena);
    rule->entries = ARENA_ARRAY(arena, struct keyword_entry, config->keywords.n);
    rule->n_listed = (uint32_t)config->keywords.n;
    for (size_t i = 0; i < config->keywords.n; i++) {
        struct keyword_entry entry = { .text = config->keywords.items[i], .fuzzy = FUZZY_NONE };
        if (map_get(&seen, entry.text))
            continue;
        map_put(&seen, entry.text, &rule->entries[rule->n]);
        if (rule->method == KEYWORD_NGRAM)
            build_ngram(build, config, i, &entry);
        else if (rule->method != KEYWORD_BM25 && !build_pattern(build, config, i, &entry))
            continue;
        rule->entries[rule->n++] = entry;
    }
}

static size_t listed_at(const struct keyword_config *config, vsr_str text) {
    size_t i = 0;
    while (!str_eq(config->keywords.items[i], text))
        i++;
    return i;
}

static void check_bm25(struct build *build, const struct keyword_config *config, const struct keyword_rule *rule) {
    for (uint32_t i = 0; i < rule->n; i++) {
        const struct keyword_entry *entry = &rule->entries[i];
        double best = bm25_list_best(&build->bm25, entry->index);
        if (best == 0)
            warn_never(build, config, listed_at(config, entry->text), "it has no letter or digit");
        else if (best < rule->threshold)
            diag_warn(build->builder->diag, "W_NEVER", entry_at(build, config, listed_at(config, entry->text)),
                      VSR_STR("lower bm25_threshold"),
                      "entry \"%.*s\" can never be found: its score is at most %.3g, bm25_threshold is %.3g",
                      VSR_FMT(entry->text), best, rule->threshold);
    }
}

static void build_bm25(struct build *build, const struct keyword_config *config, struct keyword_rule *rule) {
    struct arena *arena = build->builder->arena;
    vsr_str *texts = ARENA_ARRAY(arena, vsr_str, rule->n);
    struct vsr_err err = VSR_ERR_NONE;
    uint32_t first;
    if (!build->stemmer && stemmer_new(&build->stemmer, &err) < 0) {
        diag_error(build->builder->diag, "E_RANGE", schema_at(config), (vsr_str){ 0 }, "%s", err.text);
        return;
    }
    for (uint32_t i = 0; i < rule->n; i++)
        texts[i] = rule->entries[i].text;
    first = bm25_list_add(&build->bm25, build->stemmer, texts, rule->n);
    for (uint32_t i = 0; i < rule->n; i++)
        rule->entries[i].index = first + i;
    check_bm25(build, config, rule);
}

static void build_rule(struct build *build, const struct keyword_config *config, struct keyword_rule *rule) {
    struct signal_builder *builder = build->builder;
    rule->op = keyword_operator_of(config);
    rule->method = keyword_method_of(config);
    rule->fuzzy = keyword_is_fuzzy(config);
    rule->threshold = keyword_threshold(config);
    rule->min_cover = config->bm25_min_cover;
    rule->ratio_slot = signal_slots_add(builder->slots, VSR_STR("keyword"),
                                        arena_printf(builder->arena, "%.*s:ratio", VSR_FMT(config->name)));
    build_entries(build, config, rule);
    if (rule->method == KEYWORD_BM25)
        build_bm25(build, config, rule);
    if (rule->method == KEYWORD_BM25 || rule->method == KEYWORD_NGRAM)
        rule->score_slot = signal_slots_add(builder->slots, VSR_STR("keyword"),
                                            arena_printf(builder->arena, "%.*s:score", VSR_FMT(config->name)));
}

static bool uses_patterns(const struct keyword_rule *rule) {
    return rule->method == KEYWORD_LITERAL || rule->method == KEYWORD_REGEX;
}

/* Two different entries of a rule may be one pattern ("Word" and "word"), and then the rule has it twice. */
static void build_uses(struct arena *arena, struct keyword_state *state, size_t n_patterns) {
    struct keyword_uses *uses = &state->uses;
    uses->n_patterns = n_patterns;
    uses->first = ARENA_ARRAY(arena, uint32_t, n_patterns + 2);
    for (size_t i = 0; i < state->n_rules; i++)
        for (uint32_t k = 0; uses_patterns(&state->rules[i]) && k < state->rules[i].n; k++)
            uses->first[state->rules[i].entries[k].index + 2]++;
    for (size_t p = 2; p < n_patterns + 2; p++)
        uses->first[p] += uses->first[p - 1];
    uses->rules = ARENA_ARRAY(arena, uint32_t, uses->first[n_patterns + 1]);
    for (size_t i = 0; i < state->n_rules; i++)
        for (uint32_t k = 0; uses_patterns(&state->rules[i]) && k < state->rules[i].n; k++)
            uses->rules[uses->first[state->rules[i].entries[k].index + 1]++] = (uint32_t)i;
}

static void *build(struct signal_builder *builder) {
    const struct keyword_config *configs = builder->rules->items;
    struct keyword_state *state = ARENA_NEW(builder->arena, struct keyword_state);
    struct build build = { .builder = builder, .state = state };
    build.fuzzy.arena = build.ngrams.arena = builder->arena;
    bm25_list_init(&build.bm25, builder->arena);
    state->n_rules = builder->rules->n;
    state->rules = ARENA_ARRAY(builder->arena, struct keyword_rule, state->n_rules);
    state->text = builder->text;
    for (size_t i = 0; i < state->n_rules; i++) {
        state->rules[i].slot = builder->first_slot + (uint32_t)i;
        build_rule(&build, &configs[i], &state->rules[i]);
    }
    build_uses(builder->arena, state, builder->patterns->n);
    state->fuzzy = fuzzy_set_build(&build.fuzzy);
    state->ngrams = ngram_set_build(&build.ngrams);
    state->bm25 = bm25_set_build(&build.bm25);
    builder->needs_stemmer |= state->bm25 != NULL;
    stemmer_free(build.stemmer);
    return state;
}

/* ---- one request */

/* What was found out about the text, by all methods. Lives in the request's arena. */
struct keyword_findings {
    const struct pattern_hits *hits;
    uint32_t *n_hits, *n_undecided; /* per rule of patterns: entries */
    uint64_t *fuzzy_open;           /* per fuzzy keyword: was looked for and not found */
    uint64_t *fuzzy_undecided;      /* of these, those that the text was too long to look for to the end */
    const struct bm25_result *bm25;
    const struct ngram_result *ngrams;
    bool ngrams_failed; /* the text is too much for it */
};

enum entry_state { ENTRY_MISS, ENTRY_HIT, ENTRY_FUZZY, ENTRY_UNDECIDED };

static enum entry_state pattern_state(const struct keyword_entry *entry, const struct keyword_findings *findings) {
    const struct pattern_hits *hits = findings->hits;
    if (hits->found && bits_has(hits->found, entry->index))
        return ENTRY_HIT;
    if (entry->fuzzy != FUZZY_NONE && !bits_has(findings->fuzzy_open, entry->fuzzy))
        return ENTRY_FUZZY;
    if (hits->found && bits_has(hits->undecided, entry->index))
        return ENTRY_UNDECIDED;
    return entry->fuzzy != FUZZY_NONE && bits_has(findings->fuzzy_undecided, entry->fuzzy) ? ENTRY_UNDECIDED
                                                                                           : ENTRY_MISS;
}

/* The small subtraction keeps a product such as 0.55 * 20 from asking for one token more. */
static bool covers(const struct bm25_result *result, double min_cover) {
    return result->covered >= ceil(min_cover * result->tokens - 1e-9);
}

static enum entry_state entry_state(const struct keyword_rule *rule, const struct keyword_entry *entry,
                                    const struct keyword_findings *findings) {
    const struct bm25_result *bm25;
    switch (rule->method) {
    case KEYWORD_BM25:
        if (!findings->bm25)
            return ENTRY_UNDECIDED;
        bm25 = &findings->bm25[entry->index];
        return bm25->covered > 0 && bm25->score >= rule->threshold && covers(bm25, rule->min_cover) ? ENTRY_HIT
                                                                                                    : ENTRY_MISS;
    case KEYWORD_NGRAM:
        if (entry->index == NGRAM_NONE)
            return ENTRY_MISS;
        if (!findings->ngrams)
            return ENTRY_UNDECIDED;
        return findings->ngrams[entry->index].hit != NGRAM_NONE ? ENTRY_HIT : ENTRY_MISS;
    default:
        return pattern_state(entry, findings);
    }
}

/* Whether the rule matches when `n` of its different entries occur. */
static bool matches(const struct keyword_rule *rule, uint32_t n) {
    return rule->op == KEYWORD_OR ? n > 0 : rule->op == KEYWORD_AND ? n == rule->n : n == 0;
}

static double best_score(const struct keyword_rule *rule, const struct keyword_findings *findings) {
    double best = 0;
    for (uint32_t i = 0; i < rule->n; i++) {
        uint32_t index = rule->entries[i].index;
        double score = rule->method == KEYWORD_BM25 ? findings->bm25[index].score
                       : index == NGRAM_NONE        ? 0
                                                    : findings->ngrams[index].best;
        best = score > best ? score : best;
    }
    return best;
}

static bool has_score(const struct keyword_rule *rule, const struct keyword_findings *findings) {
    return rule->method == KEYWORD_BM25 || (rule->method == KEYWORD_NGRAM && !findings->ngrams_failed);
}

/* An undecided entry leaves the count open, which is a failure. A match that it cannot change is one all the same, but
 * without a confidence, which a predicate would read in place of the count. */
static void eval_rule(const struct keyword_rule *rule, uint32_t n, uint32_t n_undecided,
                      struct signal_results *results) {
    if (n_undecided > 0) {
        signal_fail(results, rule->slot, SIGNAL_TOO_LONG);
        if (matches(rule, n) && matches(rule, n + n_undecided))
            bits_add(results->matched, rule->slot);
        return;
    }
    signal_value(results, rule->slot, n);
    signal_value(results, rule->ratio_slot, rule->n_listed ? (double)n / rule->n_listed : 0);
    if (matches(rule, n))
        signal_match(results, rule->slot, 1.0);
}

static void eval_entries(const struct keyword_rule *rule, const struct keyword_findings *findings,
                         struct signal_results *results) {
    uint32_t n = 0, n_undecided = 0;
    for (uint32_t i = 0; i < rule->n; i++) {
        enum entry_state state = entry_state(rule, &rule->entries[i], findings);
        n += state == ENTRY_HIT || state == ENTRY_FUZZY;
        n_undecided += state == ENTRY_UNDECIDED;
    }
    if (has_score(rule, findings))
        signal_value(results, rule->score_slot, best_score(rule, findings));
    eval_rule(rule, n, n_undecided, results);
}

static void count_uses(const struct keyword_uses *uses, const uint64_t *patterns, uint32_t *counts) {
    for (size_t p = bits_next(patterns, 0, uses->n_patterns); p < uses->n_patterns;
         p = bits_next(patterns, p + 1, uses->n_patterns))
        for (uint32_t i = uses->first[p]; i < uses->first[p + 1]; i++)
            counts[uses->rules[i]]++;
}

/* The fuzzy keywords of wanted rules that the scan did not find as they are. */
static bool open_fuzzy(const struct keyword_state *state, const struct signal_request *request,
                       const struct keyword_findings *findings, uint64_t *open) {
    bool any = false;
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct keyword_rule *rule = &state->rules[i];
        for (uint32_t k = 0; rule->fuzzy && k < rule->n && bits_has(request->wanted, rule->slot); k++) {
            const struct keyword_entry *entry = &rule->entries[k];
            if (entry->fuzzy == FUZZY_NONE || (findings->hits->found && bits_has(findings->hits->found, entry->index)))
                continue;
            bits_add(open, entry->fuzzy);
            any = true;
        }
    }
    return any;
}

static int search_fuzzy(const struct keyword_state *state, struct signal_request *request, vsr_str text,
                        struct keyword_findings *findings, struct vsr_err *err) {
    size_t n_words = BITS_WORDS(fuzzy_set_count(state->fuzzy));
    uint64_t *open = ARENA_ARRAY(request->arena, uint64_t, n_words);
    int rc = open_fuzzy(state, request, findings, open) ? fuzzy_find(state->fuzzy, request->arena, text, open, err) : 0;
    for (size_t w = 0; w < n_words; w++) {
        findings->fuzzy_open[w] |= open[w];
        if (rc == VSR_E_LIMIT)
            findings->fuzzy_undecided[w] |= open[w];
    }
    return rc;
}

static bool wants(const struct keyword_state *state, const struct signal_request *request, enum keyword_method method) {
    for (size_t i = 0; i < state->n_rules; i++)
        if (state->rules[i].method == method && bits_has(request->wanted, state->rules[i].slot))
            return true;
    return false;
}

/* Only what a method cannot do with this text is left to the rules; other failures are the family's. */
static int search_words(const struct keyword_state *state, struct signal_request *request, vsr_str text,
                        struct keyword_findings *findings, struct vsr_err *err) {
    int rc = 0;
    if (state->bm25 && !findings->bm25 && wants(state, request, KEYWORD_BM25))
        findings->bm25 = bm25_scan(state->bm25, request->stemmer, request->arena, text);
    if (state->ngrams && !findings->ngrams && !findings->ngrams_failed && wants(state, request, KEYWORD_NGRAM)) {
        struct ngram_result *results = NULL;
        rc = ngram_scan(state->ngrams, request->arena, text, &results, err);
        findings->ngrams = results;
        findings->ngrams_failed = rc == VSR_E_LIMIT;
    }
    if ((rc == 0 || rc == VSR_E_LIMIT) && state->fuzzy)
        rc = search_fuzzy(state, request, text, findings, err);
    return rc == VSR_E_LIMIT ? 0 : rc;
}

static int search_patterns(const struct keyword_state *state, struct signal_request *request,
                           struct keyword_findings *findings, struct vsr_err *err) {
    size_t n_words = BITS_WORDS(fuzzy_set_count(state->fuzzy));
    int rc = signal_request_hits(request, state->text, &findings->hits, err);
    if (rc < 0)
        return rc;
    findings->fuzzy_open = ARENA_ARRAY(request->arena, uint64_t, 2 * n_words);
    findings->fuzzy_undecided = findings->fuzzy_open + n_words;
    findings->n_hits = ARENA_ARRAY(request->arena, uint32_t, 2 * state->n_rules);
    findings->n_undecided = findings->n_hits + state->n_rules;
    if (findings->hits->found) {
        count_uses(&state->uses, findings->hits->found, findings->n_hits);
        count_uses(&state->uses, findings->hits->undecided, findings->n_undecided);
    }
    return 0;
}

/* What was found before stays found. */
static int search(const struct keyword_state *state, struct signal_request *request, struct vsr_err *err) {
    struct keyword_findings *findings = request->keywords;
    vsr_str text;
    int rc;
    if (!findings) {
        findings = ARENA_NEW(request->arena, struct keyword_findings);
        rc = search_patterns(state, request, findings, err);
        if (rc < 0)
            return rc;
        request->keywords = findings;
    }
    if (!state->bm25 && !state->ngrams && !state->fuzzy)
        return 0;
    rc = signal_request_text(request, state->text, &text, err);
    return rc < 0 ? rc : search_words(state, request, text, findings, err);
}

static int eval(const void *data, struct signal_request *request, struct signal_results *results, struct vsr_err *err) {
    const struct keyword_state *state = data;
    const struct keyword_findings *findings;
    int rc = search(state, request, err);
    if (rc < 0)
        return rc;
    findings = request->keywords;
    for (size_t i = 0; i < state->n_rules; i++) {
        const struct keyword_rule *rule = &state->rules[i];
        if (!bits_has(request->wanted, rule->slot))
            continue;
        if (uses_patterns(rule) && !rule->fuzzy)
            eval_rule(rule, findings->n_hits[i], findings->n_undecided[i], results);
        else
            eval_entries(rule, findings, results);
    }
    return 0;
}

/* ---- what was found */

struct finding {
    vsr_str text;
    double score;    /* BM25: higher first */
    uint32_t at;     /* n-grams: where in the text */
    uint32_t listed; /* place in the list */
};

static int compare_findings(const void *left, const void *right) {
    const struct finding *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->listed > b->listed) - (a->listed < b->listed);
}

/* BM25 by score, n-grams by where they first stand, the others in the order of the list; none for NOR. */
static size_t found(const void *data, const struct signal_request *request, size_t index, vsr_str *ret_texts,
                    size_t max) {
    const struct keyword_state *state = data;
    const struct keyword_rule *rule = &state->rules[index];
    const struct keyword_findings *findings = request->keywords;
    struct finding *list;
    size_t n = 0;
    if (rule->op == KEYWORD_NOR || !findings)
        return 0;
    list = ARENA_ARRAY(request->arena, struct finding, rule->n);
    for (uint32_t i = 0; i < rule->n; i++) {
        const struct keyword_entry *entry = &rule->entries[i];
        enum entry_state entry_is = entry_state(rule, entry, findings);
        if (entry_is != ENTRY_HIT && entry_is != ENTRY_FUZZY)
            continue;
        list[n] = (struct finding){ .text = entry_is == ENTRY_FUZZY ? entry->fuzzy_text : entry->text, .listed = i };
        if (rule->method == KEYWORD_BM25)
            list[n].score = findings->bm25[entry->index].score;
        if (rule->method == KEYWORD_NGRAM)
            list[n].at = findings->ngrams[entry->index].hit;
        n++;
    }
    qsort(list, n, sizeof(*list), compare_findings);
    n = n < max ? n : max;
    for (size_t i = 0; i < n; i++)
        ret_texts[i] = list[i].text;
    return n;
}

const struct signal_family signal_keyword = {
    .config = { .type = "keyword", .list_key = "keywords", .schema = &keyword_schema },
    .stage = SIGNAL_STAGE_CHEAP,
    .on_unknown = ON_UNKNOWN_NO_MATCH,
    SIGNAL_RUNS(.build = build, .eval = eval, .found = found),
};
