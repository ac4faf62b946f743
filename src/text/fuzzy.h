/*
 * fuzzy - which keywords stand in a text but for a few typing slips (signals.md §5.1).
 *
 * A keyword of k words, joined by single spaces, is compared with every window of k consecutive words of the text. It
 * is allowed `threshold` edits (edit_distance.h), fewer when it is short: none up to 2 characters, which is never
 * found here, one up to 5. Case does not matter. Of all pairs only those are measured that agree in length and in which
 * characters occur, as far as the allowance demands it.
 *
 * Built once, immutable afterwards: any thread.
 */
#ifndef VSR_TEXT_FUZZY_H
#define VSR_TEXT_FUZZY_H

#include "core/err.h"
#include "core/str.h"

struct arena;
struct fuzzy_set;

#define FUZZY_NONE UINT32_MAX

/*
 * Windows of one text that are held against a keyword, plus cells of distances, in all: at about a nanosecond each
 * 50 ms. A worker serves nobody else meanwhile.
 */
enum { FUZZY_STEPS_MAX = 50 << 20 };

/* Collects keywords; begin with all zero but the arena, which it keeps. */
struct fuzzy_list {
    struct arena *arena;
    struct fuzzy_entry *items;
    size_t n, cap;
};

/*
 * Adds a keyword, which may be anything, and returns its index, or FUZZY_NONE when no slip is allowed in it: it has no
 * letter or digit, or is too short. `threshold` is at most EDIT_DISTANCE_MAX.
 */
uint32_t fuzzy_list_add(struct fuzzy_list *list, vsr_str keyword, uint32_t threshold);

/* Takes the list over into its arena. NULL when it is empty. */
struct fuzzy_set *fuzzy_set_build(struct fuzzy_list *list);

size_t fuzzy_set_count(const struct fuzzy_set *set);

/*
 * Looks for the keywords whose bits are in `open`; those found leave it. Scratch from `arena`, which it gives back.
 * Fails with VSR_E_LIMIT (the text is too long) or VSR_E_NOMEM; then some may have left `open` all the same.
 */
int fuzzy_find(const struct fuzzy_set *set, struct arena *arena, vsr_str text, uint64_t *open,
               struct vsr_err *err) VSR_MUST_CHECK;

#endif
