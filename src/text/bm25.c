#include "text/bm25.h"

#include <math.h>

#include "core/arena.h"
#include "core/bits.h"
#include "core/map.h"
#include "text/stem.h"
#include "text/stop_words.h"
#include "text/tokens.h"

#define BM25_K1 1.2
#define BM25_B 0.75
#define BM25_MEAN_LEN 256.0 /* of a corpus without tokens */

/* One keyword's use of one token of the vocabulary. */
struct posting {
    uint32_t doc;
    bool kept; /* the rule kept this token as a stop word */
    double weight;
};

struct token {
    struct posting *postings;
    uint32_t n;
    size_t cap;
    size_t index; /* in the vocabulary */
};

struct keyword {
    uint32_t tokens; /* distinct ones */
    double best;     /* score of a text that has them all */
};

struct bm25_set {
    struct map vocabulary; /* to struct token; entries in order of first use */
    struct keyword *docs;
    size_t n_docs;
    uint64_t starts[BITS_WORDS(1 << 16)]; /* first two bytes of what can be in the vocabulary, stemmed or not */
    size_t token_len_max;
};

enum { SUFFIX_LEN_MAX = 24 }; /* more than any chain of endings that stemming takes away */

void bm25_list_init(struct bm25_list *list, struct arena *arena) {
    struct bm25_set *set = ARENA_NEW(arena, struct bm25_set);
    *list = (struct bm25_list){ .arena = arena, .set = set };
    map_init(&set->vocabulary, arena);
}

/* ---- the filter over first bytes */

static size_t start_of(vsr_str token) {
    return (size_t)(uint8_t)token.ptr[0] << 8 | (token.len > 1 ? (uint8_t)token.ptr[1] : 0);
}

/*
 * Stemming leaves the first two letters of a word alone, with two exceptions: "dying" and its like turn y into i, and
 * what is left may be one letter ("aed").
 */
static void admit(struct bm25_set *set, vsr_str token) {
    size_t start = start_of(token);
    bits_add(set->starts, start);
    if (token.len > 1 && token.ptr[1] == 'i')
        bits_add(set->starts, (start & 0xFF00) | 'y');
    for (size_t second = 0; token.len == 1 && second < 256; second++)
        bits_add(set->starts, (start & 0xFF00) | second);
    if (token.len > set->token_len_max)
        set->token_len_max = token.len;
}

/* ---- building */

struct doc_token {
    vsr_str text;
    uint32_t count;
};

/* A keyword as tokens: distinct ones with their counts. */
struct doc {
    struct doc_token *tokens;
    uint32_t n;
    uint32_t len;    /* with repeats */
    bool stop_words; /* nothing but those, so they were kept */
};

static void add_token(struct doc *doc, vsr_str text) {
    doc->len++;
    for (uint32_t i = 0; i < doc->n; i++)
        if (str_eq(doc->tokens[i].text, text)) {
            doc->tokens[i].count++;
            return;
        }
    doc->tokens[doc->n++] = (struct doc_token){ text, 1 };
}

/* All tokens of the keyword, stop words left out unless `keep`. */
static void read_tokens(const struct bm25_list *list, struct stemmer *stemmer, vsr_str keyword, bool keep,
                        struct doc *doc) {
    struct tokens tokens;
    tokens_init(&tokens, keyword);
    while (tokens_next(&tokens)) {
        vsr_str token = tokens.token;
        bool stop = tokens.plain && stop_word(token);
        if (stop && !keep)
            continue;
        add_token(doc, arena_str(list->arena, tokens.plain && !stop ? stemmer_stem(stemmer, token) : token));
    }
}

static struct doc read_doc(const struct bm25_list *list, struct stemmer *stemmer, vsr_str keyword) {
    struct doc doc = { .tokens = ARENA_ARRAY(list->arena, struct doc_token, keyword.len) };
    read_tokens(list, stemmer, keyword, false, &doc);
    if (doc.n == 0) {
        doc.stop_words = true;
        read_tokens(list, stemmer, keyword, true, &doc);
    }
    return doc;
}

/* What is the same for all keywords that have a token. */
struct token_use {
    uint32_t n_docs;
    bool kept;
};

static double weight_of(const struct doc *doc, const struct doc_token *token, size_t n_docs, uint32_t n_with,
                        double mean_len) {
    double idf = log(1 + ((double)n_docs - n_with + 0.5) / (n_with + 0.5));
    double tf = token->count;
    return idf * (tf * (BM25_K1 + 1)) / (tf + BM25_K1 * (1 - BM25_B + BM25_B * doc->len / mean_len));
}

static void add_posting(struct bm25_list *list, vsr_str text, const struct posting *posting) {
    struct bm25_set *set = list->set;
    struct token *token = map_get(&set->vocabulary, text);
    if (!token) {
        token = ARENA_NEW(list->arena, struct token);
        token->index = set->vocabulary.n;
        map_put(&set->vocabulary, text, token);
        admit(set, text);
    }
    token->postings = arena_grow(list->arena, token->postings, sizeof(*posting), token->n, &token->cap);
    token->postings[token->n++] = *posting;
}

static void add_doc(struct bm25_list *list, const struct doc *docs, size_t n, size_t index, double mean_len,
                    const struct map *uses) {
    struct bm25_set *set = list->set;
    const struct doc *doc = &docs[index];
    struct keyword keyword = { .tokens = doc->n };
    for (uint32_t i = 0; i < doc->n; i++) {
        const struct token_use *use = map_get(uses, doc->tokens[i].text);
        struct posting posting = { .doc = (uint32_t)set->n_docs,
                                   .kept = use->kept,
                                   .weight = weight_of(doc, &doc->tokens[i], n, use->n_docs, mean_len) };
        add_posting(list, doc->tokens[i].text, &posting);
        keyword.best += posting.weight;
    }
    set->docs = arena_grow(list->arena, set->docs, sizeof(*set->docs), set->n_docs, &list->docs_cap);
    set->docs[set->n_docs++] = keyword;
}

/* By a map, because a rule may have thousands of keywords. */
static void count_uses(struct arena *arena, const struct doc *docs, size_t n, struct map *uses) {
    map_init(uses, arena);
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < docs[i].n; k++) {
            struct token_use *use = map_get(uses, docs[i].tokens[k].text);
            if (!use) {
                use = ARENA_NEW(arena, struct token_use);
                map_put(uses, docs[i].tokens[k].text, use);
            }
            use->n_docs++;
            use->kept |= docs[i].stop_words;
        }
}

uint32_t bm25_list_add(struct bm25_list *list, struct stemmer *stemmer, const vsr_str *keywords, size_t n) {
    uint32_t first = (uint32_t)list->set->n_docs;
    struct doc *docs = ARENA_ARRAY(list->arena, struct doc, n);
    double total = 0;
    struct map uses;
    for (size_t i = 0; i < n; i++) {
        docs[i] = read_doc(list, stemmer, keywords[i]);
        total += docs[i].len;
    }
    count_uses(list->arena, docs, n, &uses);
    for (size_t i = 0; i < n; i++)
        add_doc(list, docs, n, i, total > 0 ? total / (double)n : BM25_MEAN_LEN, &uses);
    return first;
}

double bm25_list_best(const struct bm25_list *list, uint32_t index) {
    return list->set->docs[index].best;
}

struct bm25_set *bm25_set_build(struct bm25_list *list) {
    return list->set->n_docs > 0 ? list->set : NULL;
}

/* ---- scanning */

/* How the text has a token: as an ordinary word, as a stop word, or both ("hers" has the stem "her"). */
enum { TEXT_HAS_WORD = 1, TEXT_HAS_STOP_WORD = 2 };

static void note(const struct bm25_set *set, struct stemmer *stemmer, const struct tokens *tokens, uint8_t *how) {
    const struct token *known;
    vsr_str token = tokens->token;
    bool stop;
    if (token.len > set->token_len_max + SUFFIX_LEN_MAX || !bits_has(set->starts, start_of(token)))
        return;
    stop = tokens->plain && stop_word(token);
    if (tokens->plain && !stop)
        token = stemmer_stem(stemmer, token);
    known = map_get(&set->vocabulary, token);
    if (known)
        how[known->index] |= stop ? TEXT_HAS_STOP_WORD : TEXT_HAS_WORD;
}

/* Adds up in the order of the vocabulary, so that sums do not depend on the order of words in the text. */
struct bm25_result *bm25_scan(const struct bm25_set *set, struct stemmer *stemmer, struct arena *arena, vsr_str text) {
    struct bm25_result *results = ARENA_ARRAY(arena, struct bm25_result, set->n_docs);
    uint8_t *how = ARENA_ARRAY(arena, uint8_t, set->vocabulary.n);
    struct tokens tokens;
    for (size_t i = 0; i < set->n_docs; i++)
        results[i].tokens = set->docs[i].tokens;
    tokens_init(&tokens, text);
    while (tokens_next(&tokens))
        note(set, stemmer, &tokens, how);
    for (size_t i = 0; i < set->vocabulary.n; i++) {
        const struct token *token = set->vocabulary.entries[i].value;
        for (uint32_t k = 0; how[i] && k < token->n; k++) {
            const struct posting *posting = &token->postings[k];
            if (!(how[i] & TEXT_HAS_WORD) && !posting->kept)
                continue;
            results[posting->doc].score += posting->weight;
            results[posting->doc].covered++;
        }
    }
    return results;
}
