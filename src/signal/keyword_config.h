/*
 * keyword_config - a keyword rule as it is configured (signals.md §5.1, config.md §7.3).
 *
 * Internal to keyword*.c. Several keys read "0 means the default", so whoever wants a number asks the functions below.
 */
#ifndef VSR_SIGNAL_KEYWORD_CONFIG_H
#define VSR_SIGNAL_KEYWORD_CONFIG_H

#include "config/document.h"

enum keyword_operator { KEYWORD_OR, KEYWORD_AND, KEYWORD_NOR };
enum keyword_method { KEYWORD_LITERAL, KEYWORD_REGEX, KEYWORD_BM25, KEYWORD_NGRAM };

struct keyword_config {
    struct config_at at;
    vsr_str name, description;
    int op;     /* as written; keyword_operator_of() */
    int method; /* as written; keyword_method_of() */
    struct config_strings keywords;
    bool case_sensitive;
    bool fuzzy_match;
    int64_t fuzzy_threshold;
    double bm25_threshold, bm25_min_cover;
    double ngram_threshold;
    int64_t ngram_arity;
};

extern const struct schema keyword_schema;

enum keyword_operator keyword_operator_of(const struct keyword_config *config);
enum keyword_method keyword_method_of(const struct keyword_config *config);
/* Whether entries that do not occur are looked for with slips. */
bool keyword_is_fuzzy(const struct keyword_config *config);
uint32_t keyword_fuzzy_threshold(const struct keyword_config *config);
uint32_t keyword_ngram_arity(const struct keyword_config *config);
/* Least score (BM25) or similarity (n-grams); 0 for other methods. */
double keyword_threshold(const struct keyword_config *config);

#endif
