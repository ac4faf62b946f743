#include "nn/word_signs.h"

#include <string.h>

#include "nn/mixer_file.h"

enum {
    WORD_BITS = 64,
    HALF_BITS = 32,
    PERCENT = 100,
};

int word_signs_read(struct mixer_file *file, size_t n_words, struct word_signs *ret) {
    size_t dims = 0, percent = 0;
    int rc;
    *ret = (struct word_signs){ .dims = 0 };
    if (!mixer_file_has(file, "signs.weight"))
        return 0;
    rc = mixer_file_vector(file, "signs.weight", n_words, &ret->weight);
    if (rc == 0)
        rc = mixer_file_number(file, "signs.dims", 0, WORD_BITS, WORD_SIGNS_DIMS_MAX, &dims);
    if (rc == 0)
        rc = mixer_file_number(file, "signs.percent", 0, 1, PERCENT - 1, &percent);
    if (rc < 0)
        return rc;
    if (dims == 0 || dims % WORD_BITS != 0 || percent == 0)
        return err_set(file->err, VSR_E_INVALID,
                       "tensor \"signs.weight\" needs metadata \"signs.dims\", a multiple of %d, and \"signs.percent\"",
                       WORD_BITS);
    ret->dims = dims;
    ret->share = (float)percent / PERCENT;
    return 0;
}

/* SplitMix64 (Steele, Lea and Flood 2014): the x-th number of the generator that begins at 0. */
static uint64_t splitmix(uint64_t x) {
    x = (x + 1) * 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* Written so that a compiler takes the places side by side. */
static void add_signs(uint32_t bits, float weight, float *sum) {
    for (unsigned i = 0; i < HALF_BITS; i++)
        sum[i] += bits & (1u << i) ? weight : -weight;
}

void word_signs_sum(const struct word_signs *signs, const uint32_t *ids, size_t n, float *ret) {
    size_t words = signs->dims / WORD_BITS;
    memset(ret, 0, signs->dims * sizeof(*ret));
    for (size_t i = 0; i < n; i++) {
        float weight = signs->weight[ids[i]];
        for (size_t w = 0; w < words; w++) {
            uint64_t bits = splitmix(ids[i] * words + w);
            float *at = ret + w * WORD_BITS;
            add_signs((uint32_t)bits, weight, at);
            add_signs((uint32_t)(bits >> HALF_BITS), weight, at + HALF_BITS);
        }
    }
}
