/*
 * ngram - which keywords a text holds something like, by the character n-grams they share (signals.md §9.2).
 *
 * Grams are the runs of `arity` code points of a text padded with arity-1 spaces on both sides, counted as often as
 * they occur. Two texts that share `same` of `all` grams are 1 - ((all - same) / all)^2 alike. A keyword of k words,
 * joined by single spaces, is compared with every window of k consecutive words of the text; a keyword that holds a CJK
 * character with every window of as many code points in a run of CJK characters (a shorter run as a whole).
 *
 * An inverted index leads from a gram to the keywords that have it, so cost is in the grams of the text, not in words
 * times keywords, and the best similarity of every keyword is known although only what shares a gram is looked at.
 * Built once, immutable afterwards: any thread.
 */
#ifndef VSR_TEXT_NGRAM_H
#define VSR_TEXT_NGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct ngram_set;

enum { NGRAM_ARITY_MIN = 2, NGRAM_ARITY_MAX = 32 };

/* Grams of windows of one text, plus keywords that have them: at 1 to 4 ns each 100 ms at worst. */
enum { NGRAM_STEPS_MAX = 32 << 20 };
#define NGRAM_NONE UINT32_MAX

/* Collects keywords; begin with all zero but the arena, which it keeps. */
struct ngram_list {
    struct arena *arena;
    struct ngram_entry *items;
    size_t n, cap;
};

struct ngram_options {
    uint32_t arity;
    bool case_sensitive;
    double threshold; /* least similarity of a hit */
};

/* Adds a keyword and returns its index, or NGRAM_NONE when it has no word. */
uint32_t ngram_list_add(struct ngram_list *list, vsr_str keyword, const struct ngram_options *options);

/* Takes the list over into its arena. NULL when it is empty. */
struct ngram_set *ngram_set_build(struct ngram_list *list);

struct ngram_result {
    double best;  /* similarity of the window most alike; 0 without a common gram */
    uint32_t hit; /* where the first window that reaches the threshold begins in the text, in bytes; or NGRAM_NONE */
};

/*
 * One result per keyword, in `arena`, which also lends scratch. Fails with VSR_E_LIMIT (the text is too long) or
 * VSR_E_NOMEM.
 */
int ngram_scan(const struct ngram_set *set, struct arena *arena, vsr_str text, struct ngram_result **ret_results,
               struct vsr_err *err) VSR_MUST_CHECK;

#endif
