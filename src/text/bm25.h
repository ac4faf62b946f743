/*
 * bm25 - how well keywords answer a text, each rule's keywords being a corpus of their own (signals.md §9.1).
 *
 * A keyword is a document, the text is the query. Tokens are those of tokens.h, without stop words, stemmed where they
 * are English-looking (a-z). A keyword of nothing but stop words keeps them; a stop word of the text then counts for
 * the rules that have such a keyword. k1 = 1.2, b = 0.75; each distinct token of the text counts once.
 *
 * All rules share one vocabulary. Most words of a text are in none, which their first two bytes tell already: only the
 * others are stemmed and looked up. Built once, immutable afterwards: any thread, each with its own stemmer.
 */
#ifndef VSR_TEXT_BM25_H
#define VSR_TEXT_BM25_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct bm25_set;
struct stemmer;

/* Collects keywords. */
struct bm25_list {
    struct arena *arena; /* keeps */
    struct bm25_set *set;
    size_t docs_cap;
};

void bm25_list_init(struct bm25_list *list, struct arena *arena);

/*
 * Adds the keywords of one rule; they get consecutive indexes, and the first one is returned. Keeps nothing of the
 * texts.
 */
uint32_t bm25_list_add(struct bm25_list *list, struct stemmer *stemmer, const vsr_str *keywords, size_t n);

/* The greatest score of a keyword: 0 when it has no token and can never be found. */
double bm25_list_best(const struct bm25_list *list, uint32_t index);

/* NULL when the list is empty. Lives in its arena. */
struct bm25_set *bm25_set_build(struct bm25_list *list);

/* Per keyword. */
struct bm25_result {
    double score;
    uint32_t covered; /* how many of its distinct tokens the text has */
    uint32_t tokens;  /* distinct ones */
};

/* One result per keyword, in `arena`. */
struct bm25_result *bm25_scan(const struct bm25_set *set, struct stemmer *stemmer, struct arena *arena, vsr_str text);

#endif
