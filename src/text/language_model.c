#include "text/language_model.h"

#include <math.h>

#include "core/assert.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the model file is read as it lies");
_Static_assert(sizeof(struct language_head) == 68 && sizeof(struct language_model_header) == 48, "no padding");

/* From language_model_data.S. */
extern const char language_model_file[], language_model_file_end[];

const struct language_model_header *language_model_header(void) {
    return (const struct language_model_header *)(const void *)language_model_file;
}

const struct language_head *language_model_heads(void) {
    return (const struct language_head *)(const void *)(language_model_header() + 1);
}

size_t language_model_len(void) {
    return (size_t)(language_model_file_end - language_model_file);
}

static const uint8_t *bucket_vectors(void) {
    return (const uint8_t *)language_model_file + language_vectors_at(language_model_header()->n_heads);
}

enum language_group language_group_of(enum unicode_script script) {
    switch (script) {
    case SCRIPT_LATIN:
        return GROUP_LATIN;
    case SCRIPT_CYRILLIC:
        return GROUP_CYRILLIC;
    case SCRIPT_ARABIC:
        return GROUP_ARABIC;
    case SCRIPT_DEVANAGARI:
        return GROUP_DEVANAGARI;
    default:
        return GROUP_NONE;
    }
}

/* ---- n-grams */

static inline uint32_t mix(uint32_t hash, uint32_t c) {
    hash = (hash ^ c) * 0x9E3779B1u;
    return hash ^ (hash >> 15);
}

/* N-grams of 1 to 5 characters of the word between two blanks, and the whole of a longer word. A lone blank is none. */
size_t language_ngrams(const struct language_word *word, uint32_t hashes[static LANGUAGE_NGRAMS_MAX]) {
    enum { NGRAM_SEED = 0x811C9DC5, WORD_SEED = 0x01234567 };
    uint32_t padded[LANGUAGE_PADDED_LEN_MAX];
    size_t len = word->n + 2, n = 0;
    padded[0] = padded[len - 1] = ' ';
    memcpy(padded + 1, word->chars, word->n * sizeof(*padded));
    for (size_t i = 0; i < len; i++) {
        size_t max = len - i < LANGUAGE_NGRAM_LEN_MAX ? len - i : LANGUAGE_NGRAM_LEN_MAX;
        uint32_t hash = NGRAM_SEED;
        for (size_t k = 0; k < max; k++) {
            hash = mix(hash, padded[i + k]);
            hashes[n] = hash;
            n += k > 0 || padded[i] != ' ';
        }
    }
    if (len > LANGUAGE_NGRAM_LEN_MAX) {
        uint32_t hash = WORD_SEED;
        for (size_t i = 0; i < len; i++)
            hash = mix(hash, padded[i]);
        hashes[n++] = hash;
    }
    return n;
}

/* Half of a vector, as stored and as added up. The compiler maps these to the vectors of the processor. */
typedef uint8_t stored_half __attribute__((vector_size(LANGUAGE_DIMS / 2)));
typedef uint16_t added_half __attribute__((vector_size(LANGUAGE_DIMS)));

void language_sum_add_word(struct language_sum *sum, const struct language_word *word) {
    uint32_t hashes[LANGUAGE_NGRAMS_MAX], n_buckets = language_model_header()->n_buckets;
    const uint8_t *vectors = bucket_vectors();
    added_half low = { 0 }, high = { 0 };
    size_t n = language_ngrams(word, hashes);
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(vectors + (size_t)language_bucket(hashes[i], n_buckets) * LANGUAGE_DIMS);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *vector = vectors + (size_t)language_bucket(hashes[i], n_buckets) * LANGUAGE_DIMS;
        stored_half halves[2];
        memcpy(halves, vector, sizeof(halves));
        low += __builtin_convertvector(halves[0], added_half);
        high += __builtin_convertvector(halves[1], added_half);
    }
    for (int d = 0; d < LANGUAGE_DIMS / 2; d++) {
        sum->dims[d] += low[d] - (int32_t)n * LANGUAGE_VECTOR_ZERO;
        sum->dims[d + LANGUAGE_DIMS / 2] += high[d] - (int32_t)n * LANGUAGE_VECTOR_ZERO;
    }
    sum->n += (uint32_t)n;
}

void language_sum_add(struct language_sum *sum, const struct language_sum *other) {
    for (int d = 0; d < LANGUAGE_DIMS; d++)
        sum->dims[d] += other->dims[d];
    sum->n += other->n;
}

/* ---- scores */

double language_sum_scale(const struct language_model_header *header, size_t n) {
    double known = fmin((double)n, header->n_max);
    return header->scale * pow(known, 1 - header->exponent) / (double)n;
}

static int64_t product(const struct language_head *head, const struct language_sum *sum) {
    int64_t total = 0;
    for (int d = 0; d < LANGUAGE_DIMS; d++)
        total += (int64_t)head->weights[d] * sum->dims[d];
    return total;
}

void language_sum_divide(const struct language_sum *sum, enum language_group group, double share,
                         double p[static LANGUAGE_COUNT]) {
    const struct language_model_header *header = language_model_header();
    const struct language_head *heads = language_model_heads();
    int64_t products[LANGUAGE_HEADS_MAX], most = INT64_MIN;
    double parts[LANGUAGE_HEADS_MAX], total = 0, scale;
    VSR_DEBUG_ASSERT(header->n_heads <= LANGUAGE_HEADS_MAX);
    if (sum->n == 0)
        return;
    scale = language_sum_scale(header, sum->n);
    for (size_t i = 0; i < header->n_heads; i++) {
        products[i] = heads[i].group == group ? product(&heads[i], sum) : INT64_MIN;
        most = products[i] > most ? products[i] : most;
    }
    for (size_t i = 0; i < header->n_heads; i++)
        total += parts[i] = heads[i].group == group ? exp((double)(products[i] - most) * scale) : 0;
    for (size_t i = 0; i < header->n_heads; i++) {
        if (heads[i].group == group)
            p[heads[i].language] += share * parts[i] / total;
    }
}

unsigned language_model_touch(void) {
    enum { PAGE_LEN = 4096 };
    unsigned sum = 0;
    for (const volatile char *at = language_model_file; at < language_model_file_end; at += PAGE_LEN)
        sum += (unsigned char)*at;
    return sum;
}
