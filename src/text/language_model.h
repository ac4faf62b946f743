/*
 * language_model - tells the languages of one script apart by the n-grams of their words.
 *
 * The built-in model (models/language/) has a vector for each bucket of n-grams and one for each language of a script
 * ("head"). A text is the sum of the vectors of its words' n-grams; a language's score is the product of its head with
 * that sum, and the scores of the heads of one script become probabilities by softmax. All sums and products are of
 * integers, so that the same text has the same scores on every platform.
 *
 *     word "na"  ->  " n" "na" "a " " na" "na " " na " ...  ->  hash  ->  bucket  ->  8-bit vector, added up
 *
 * The model is constant data of the program. Any thread. Cost: about 5 ns for each of a word's five n-grams per letter.
 */
#ifndef VSR_TEXT_LANGUAGE_MODEL_H
#define VSR_TEXT_LANGUAGE_MODEL_H

#include "text/language.h"
#include "text/language_words.h"

enum {
    LANGUAGE_DIMS = 32,
    LANGUAGE_NGRAM_LEN_MAX = 5,
    LANGUAGE_PADDED_LEN_MAX = LANGUAGE_WORD_LEN_MAX + 2,
    LANGUAGE_NGRAMS_MAX = LANGUAGE_PADDED_LEN_MAX * LANGUAGE_NGRAM_LEN_MAX + 1,
    LANGUAGE_HEADS_MAX = 128,
    LANGUAGE_VECTOR_ZERO = 128, /* what a vector's byte holds for zero */
};
_Static_assert(LANGUAGE_NGRAMS_MAX * 255 <= UINT16_MAX, "the vectors of one word are added up in 16 bits");

/* Scripts that several languages share. */
enum language_group { GROUP_LATIN, GROUP_CYRILLIC, GROUP_ARABIC, GROUP_DEVANAGARI, LANGUAGE_GROUPS, GROUP_NONE = 255 };
enum language_group language_group_of(enum unicode_script script);

/*
 * The file: this header, `n_heads` heads sorted by group, zeros up to a multiple of 64 bytes, then `n_buckets` vectors
 * of LANGUAGE_DIMS bytes, each in one cache line. Numbers are little-endian.
 */
#define LANGUAGE_MODEL_MAGIC "vsrlang1"
struct language_head {
    char code[2]; /* ISO 639-1 */
    uint8_t group;
    uint8_t language; /* place in LANGUAGES */
    int16_t weights[LANGUAGE_DIMS];
};
struct language_model_header {
    char magic[8];
    uint32_t n_dims, n_buckets, n_heads, reserved;
    double scale;    /* of products */
    double exponent; /* a sum of n vectors counts as divided by n to the power of this ... */
    double n_max;    /* ... up to this n, and like the mean beyond */
};

static inline size_t language_vectors_at(size_t n_heads) {
    size_t end = sizeof(struct language_model_header) + n_heads * sizeof(struct language_head);
    return (end + 63) / 64 * 64;
}

/* The words of one script. All zero: none yet. */
struct language_sum {
    int32_t dims[LANGUAGE_DIMS];
    uint32_t n; /* n-grams */
};

/* Hashes of the word's n-grams, LANGUAGE_NGRAMS_MAX at most. Returns how many. */
size_t language_ngrams(const struct language_word *word, uint32_t hashes[static LANGUAGE_NGRAMS_MAX]);
static inline uint32_t language_bucket(uint32_t hash, uint32_t n_buckets) {
    return (uint32_t)(((uint64_t)hash * n_buckets) >> 32);
}

/* By what a sum of `n` n-grams is multiplied. */
double language_sum_scale(const struct language_model_header *header, size_t n);

void language_sum_add_word(struct language_sum *sum, const struct language_word *word);
void language_sum_add(struct language_sum *sum, const struct language_sum *other);

/* Adds `share`, divided among the languages of the group, to `p` of each language. An empty sum adds nothing. */
void language_sum_divide(const struct language_sum *sum, enum language_group group, double share,
                         double p[static LANGUAGE_COUNT]);

/* What the model holds, for tests. */
const struct language_model_header *language_model_header(void);
const struct language_head *language_model_heads(void);
size_t language_model_len(void);

/* Reads all of it once. The sum keeps the reading from being optimised away. */
unsigned language_model_touch(void);

#endif
