/*
 * bits - sets of small integers in 64-bit words.
 *
 * The caller owns the words; BITS_WORDS(n) of them hold the integers below n. Any thread.
 */
#ifndef VSR_CORE_BITS_H
#define VSR_CORE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITS_WORDS(n) (((size_t)(n) + 63) / 64)

static inline bool bits_has(const uint64_t *words, size_t bit) {
    return (words[bit / 64] >> (bit % 64)) & 1;
}

static inline void bits_add(uint64_t *words, size_t bit) {
    words[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static inline void bits_put(uint64_t *words, size_t bit, bool on) {
    if (on)
        bits_add(words, bit);
    else
        words[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}

/* The first member at or behind `from`, or `n` when there is none below `n`. */
static inline size_t bits_next(const uint64_t *words, size_t from, size_t n) {
    while (from < n) {
        uint64_t rest = words[from / 64] >> (from % 64);
        if (rest) {
            from += (size_t)__builtin_ctzll(rest);
            return from < n ? from : n;
        }
        from = (from / 64 + 1) * 64;
    }
    return n;
}

#endif
