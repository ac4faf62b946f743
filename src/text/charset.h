/*
 * charset - a set of code points as sorted, disjoint ranges.
 *
 * Grows in an arena while ranges are added in any order; charset_normalise() sorts and merges them, and the readers
 * below need that. One thread while building, any thread afterwards.
 */
#ifndef VSR_TEXT_CHARSET_H
#define VSR_TEXT_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define CHARSET_LAST UINT32_C(0x10FFFF)

struct charset_range {
    uint32_t first, last; /* inclusive */
};

struct charset {
    struct arena *arena; /* keeps */
    struct charset_range *ranges;
    size_t n, cap;
};

void charset_init(struct charset *set, struct arena *arena);
void charset_add(struct charset *set, uint32_t first, uint32_t last);
/* Adds every code point that folds together with a member. */
void charset_add_folds(struct charset *set);
void charset_normalise(struct charset *set);
/* Turns the set into its complement over all scalar values. Leaves it normalised. */
void charset_negate(struct charset *set);

bool charset_has(const struct charset *set, uint32_t cp);

#endif
