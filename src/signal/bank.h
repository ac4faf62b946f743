/*
 * bank - examples that a text's vector is compared with.
 *
 * Declared by build(); filled later with the vectors of its texts, from any thread, while requests are already
 * evaluated: a bank that is not filled yet, or that could not be, makes the rules that need it unavailable. What was
 * published once stays valid as long as the recipe.
 *
 * Examples become few prototypes (signals.md §4.4): those that are alike are one. Which ones depends on the texts and
 * their vectors alone, not on their order.
 */
#ifndef VSR_SIGNAL_BANK_H
#define VSR_SIGNAL_BANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"
#include "signal/results.h"

struct config_prototype_scoring;
struct evidence_answer;
struct similarity_scale;
struct signal_bank; /* lives in the recipe's arena */
struct signal_builder;

enum { SIGNAL_BANK_TEXTS_MAX = 4096 }; /* every pair of them is compared, once */

struct signal_bank_options {
    uint32_t source;      /* who embeds the texts */
    const vsr_str *texts; /* blank ones are left out */
    size_t n_texts;
    const struct config_prototype_scoring *scoring; /* NULL: every text is its own prototype */
    bool repeats_count; /* a text that is there twice weighs twice; else it is one example */
    size_t dims;        /* vectors are cut to so many numbers; 0: whole */
};

struct signal_banks {
    struct signal_bank **items;
    size_t n, cap;
};

/* Equal ones are one. Keeps the texts and the scoring. At most SIGNAL_BANK_TEXTS_MAX: load checks see to that. */
struct signal_bank *signal_bank_add(struct signal_builder *builder, const struct signal_bank_options *options);

/* ---- for whoever fills it; any thread */

uint32_t signal_bank_source(const struct signal_bank *bank);
/* Never blank; may be empty. In the order of the configuration. */
const vsr_str *signal_bank_texts(const struct signal_bank *bank, size_t *ret_n);
/* It has its prototypes: nothing changes any more. */
bool signal_bank_is_filled(const struct signal_bank *bank);

/*
 * `vectors[i]` belongs to text i and has `dims` numbers; NULL: there is none, and the text is left out. Copies. One
 * thread fills a bank at a time, and once; a bank that was failed may be filled. Without any usable vector, or with one
 * that is zero or not finite, the bank is failed. `scale` says what cosines of these vectors mean (nn/similarity.h), so
 * that examples are grouped by similarities as thresholds know them; NULL: what they are. Copied.
 */
void signal_bank_fill(struct signal_bank *bank, const float *const *vectors, size_t dims,
                      const struct similarity_scale *scale);
/* Says why it is not filled. Copies `reason`. May be said again; has no effect on a bank that is filled. */
void signal_bank_fail(struct signal_bank *bank, enum signal_code code, const char *reason);

/* The similarity of what the prototypes of two banks have in the middle, and whether it is one by a scale or a bare
 * cosine. False: one is not filled, or they cannot be compared. */
bool signal_bank_likeness(const struct signal_bank *a, const struct signal_bank *b, double *ret_similarity,
                          bool *ret_scaled);

/*
 * Whether a text may be as similar as `least_a` to a prototype of `a` and as `least_b` to one of `b`: the caps around
 * two of them meet, which they do where the angle between is at most that of both thresholds together. No rule's score
 * is above its greatest similarity, so where they do not meet no text matches both. Also how similar the nearest two
 * prototypes are. False: one bank is not filled, or they cannot be compared.
 */
bool signal_bank_meet(const struct signal_bank *a, double least_a, const struct signal_bank *b, double least_b,
                      bool *ret_meet, double *ret_similarity);

/* ---- for families */

/* How similarities become a score: as the scoring says (without one: the best), their mean, or the best alone. */
enum signal_bank_method { BANK_BLEND, BANK_MEAN, BANK_BEST };

/* How a text's vector fares. */
struct signal_bank_score {
    double score, best, support;
    size_t n_prototypes;
};

/* Compares the vector of an answered ask. False when that cannot be done: then why. */
bool signal_bank_score(const struct signal_bank *bank, const struct evidence_answer *answer,
                       enum signal_bank_method method, struct signal_bank_score *ret_score, enum signal_code *ret_code,
                       const char **ret_reason);

#endif
