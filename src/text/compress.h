/*
 * compress - the sentences of a long text that say most, for those who cannot read all of it (signals.md §8).
 *
 * Every sentence gets four scores in [0, 1]: how central it is among the others (TextRank), where it stands, how rare
 * its words are (tf-idf), how unlike the average it is (novelty). A budget of tokens is then spent on the first and
 * last sentences and on those with the best weighted sum, in the order of the text.
 *
 * Similarities between all pairs of sentences are never written down: with rows of unit length, the sum of similarities
 * to all sentences is one product with the sum of all rows. So the cost is that of reading the words, a few times over;
 * it is bounded by COMPRESS_SENTENCES_MAX and COMPRESS_WORDS_MAX whatever the text. The result depends on the text and
 * the options alone. Pure: any thread.
 */
#ifndef VSR_TEXT_COMPRESS_H
#define VSR_TEXT_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;

enum {
    COMPRESS_SENTENCES_MAX = 500, /* of more, the first, the last and 498 in even steps between are looked at */
    /* Words that are scored, in equal shares for the sentences; what a sentence has beyond its share scores nothing.
     * Ordinary texts of 1 MB stay below it. */
    COMPRESS_WORDS_MAX = 1 << 18,
};

struct compress_options {
    /* Of the four scores; only their ratios count. All zero or less: equal. */
    double textrank_weight, position_weight, tfidf_weight, novelty_weight;
    double position_depth; /* how much less the middle counts than the ends; clamped to [0, 1] */
    size_t preserve_first_n, preserve_last_n;
    uint64_t max_tokens; /* the budget; 0: texts are left alone */
    size_t min_length;   /* texts of that many bytes or fewer are left alone */
};

/* Weights for kinds of texts; without a budget. */
enum compress_profile {
    COMPRESS_DEFAULT,
    COMPRESS_CODING,
    COMPRESS_MEDICAL,
    COMPRESS_SECURITY,
    COMPRESS_MULTI_TURN,
    COMPRESS_PROFILES,
};
struct compress_options compress_profile(enum compress_profile profile);

/*
 * `text` itself when there is nothing to do: it is short, fits the budget, or is one sentence; also when the budget is
 * smaller than every sentence, because nothing at all would say less than too much. Else the kept sentences, with one
 * space between them, in `arena`. Fails with VSR_E_NOMEM.
 */
int compress_text(struct arena *arena, vsr_str text, const struct compress_options *options, vsr_str *ret_text,
                  struct vsr_err *err) VSR_MUST_CHECK;

struct compress_score {
    double textrank, position, tfidf, novelty;
    double composite; /* their weighted mean */
};

/* The scores of `n` sentences, at most COMPRESS_SENTENCES_MAX. Fails with VSR_E_NOMEM. */
int compress_scores(struct arena *arena, const vsr_str *sentences, size_t n, const struct compress_options *options,
                    struct compress_score *ret_scores, struct vsr_err *err) VSR_MUST_CHECK;

#endif
