#include "text/fuzzy.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/bits.h"
#include "text/edit_distance.h"
#include "text/words.h"

struct fuzzy_entry {
    const uint32_t *points;
    uint32_t len;       /* code points */
    uint32_t n_words;   /* at least 1 */
    uint32_t allowed;   /* edits, at least 1 */
    uint32_t index;     /* as added */
    uint64_t signature; /* of its characters */
};

/* Entries of as many words, by length. */
struct fuzzy_group {
    uint32_t n_words;
    const struct fuzzy_entry *entries;
    size_t n;
    uint32_t allowed_max;
};

struct fuzzy_set {
    struct fuzzy_group *groups;
    size_t n_groups;
    size_t n;
};

/*
 * Which characters occur, folded into 64 bits. One edit adds and removes at most one character each, so signatures of
 * texts `d` edits apart differ in at most 2d bits.
 */
static uint64_t signature_of(const uint32_t *points, size_t len) {
    uint64_t signature = 0;
    for (size_t i = 0; i < len; i++)
        signature |= UINT64_C(1) << ((points[i] * 0x9E3779B1u) >> 26);
    return signature;
}

static uint32_t allowance(size_t len, uint32_t threshold) {
    uint32_t cap = len <= 2 ? 0 : len <= 5 ? 1 : UINT32_MAX;
    return threshold < cap ? threshold : cap;
}

uint32_t fuzzy_list_add(struct fuzzy_list *list, vsr_str keyword, uint32_t threshold) {
    struct words words;
    struct fuzzy_entry *entry;
    if (words_split(list->arena, keyword, WORDS_PLAIN, true, &words, NULL) < 0 ||
        allowance(words.n_points, threshold) == 0)
        return FUZZY_NONE;
    list->items = arena_grow(list->arena, list->items, sizeof(*list->items), list->n, &list->cap);
    entry = &list->items[list->n];
    *entry = (struct fuzzy_entry){ .points = words.points,
                                   .len = (uint32_t)words.n_points,
                                   .n_words = (uint32_t)words.n,
                                   .allowed = allowance(words.n_points, threshold),
                                   .index = (uint32_t)list->n,
                                   .signature = signature_of(words.points, words.n_points) };
    return (uint32_t)list->n++;
}

static int compare_entries(const void *left, const void *right) {
    const struct fuzzy_entry *a = left, *b = right;
    if (a->n_words != b->n_words)
        return a->n_words < b->n_words ? -1 : 1;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

struct fuzzy_set *fuzzy_set_build(struct fuzzy_list *list) {
    struct fuzzy_set *set;
    if (list->n == 0)
        return NULL;
    set = ARENA_NEW(list->arena, struct fuzzy_set);
    set->n = list->n;
    set->groups = ARENA_ARRAY(list->arena, struct fuzzy_group, list->n);
    qsort(list->items, list->n, sizeof(*list->items), compare_entries);
    for (size_t i = 0; i < list->n; i++) {
        const struct fuzzy_entry *entry = &list->items[i];
        struct fuzzy_group *group = set->n_groups ? &set->groups[set->n_groups - 1] : NULL;
        if (!group || group->n_words != entry->n_words) {
            group = &set->groups[set->n_groups++];
            *group = (struct fuzzy_group){ .n_words = entry->n_words, .entries = entry };
        }
        group->n++;
        if (entry->allowed > group->allowed_max)
            group->allowed_max = entry->allowed;
    }
    return set;
}

size_t fuzzy_set_count(const struct fuzzy_set *set) {
    return set ? set->n : 0;
}

/* ---- searching */

enum { RECENT = 4096 };

struct search {
    struct words words;
    uint64_t *open;
    size_t steps;
    uint32_t *recent; /* by hash: first word of the window seen there last, plus 1 */
};

/* The first entry of at least `len` code points. */
static size_t first_of_len(const struct fuzzy_group *group, size_t len) {
    size_t low = 0, high = group->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (group->entries[middle].len < len)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool may_be_within(const struct fuzzy_entry *entry, size_t len, uint64_t signature) {
    size_t apart = entry->len > len ? entry->len - len : len - entry->len;
    return apart <= entry->allowed &&
           (uint32_t)__builtin_popcountll(signature ^ entry->signature) <= 2 * entry->allowed;
}

static bool spend(struct search *search, size_t steps) {
    bool enough = search->steps >= steps;
    search->steps -= enough ? steps : search->steps;
    return enough;
}

/* Texts repeat their words: a window that was just looked at need not be looked at again. */
static bool seen(struct search *search, const struct fuzzy_group *group, size_t first, const uint32_t *points,
                 size_t len) {
    uint32_t *slot, before;
    uint32_t hash = (uint32_t)len;
    const struct word *word;
    size_t start;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ points[i]) * 0x9E3779B1u;
    slot = &search->recent[hash >> 20];
    before = *slot;
    *slot = (uint32_t)first + 1;
    if (before == 0)
        return false;
    word = &search->words.items[before - 1];
    start = word->start;
    return word[group->n_words - 1].end - start == len &&
           memcmp(search->words.points + start, points, len * sizeof(*points)) == 0;
}
_Static_assert(RECENT == 1 << 12, "the hash's upper 12 bits are the index");

static int search_group(const struct fuzzy_group *group, struct search *search) {
    const struct words *words = &search->words;
    memset(search->recent, 0, RECENT * sizeof(*search->recent));
    for (size_t first = 0; first + group->n_words <= words->n; first++) {
        const uint32_t *points = words->points + words->items[first].start;
        size_t len = words->items[first + group->n_words - 1].end - words->items[first].start;
        size_t i = first_of_len(group, len > group->allowed_max ? len - group->allowed_max : 0);
        uint64_t signature;
        if (i == group->n || group->entries[i].len > len + group->allowed_max ||
            seen(search, group, first, points, len))
            continue;
        signature = signature_of(points, len);
        for (; i < group->n && group->entries[i].len <= len + group->allowed_max; i++) {
            const struct fuzzy_entry *entry = &group->entries[i];
            if (!spend(search, 1))
                return VSR_E_LIMIT;
            if (!bits_has(search->open, entry->index) || !may_be_within(entry, len, signature))
                continue;
            if (!spend(search, (size_t)entry->len * (2 * entry->allowed + 1)))
                return VSR_E_LIMIT;
            if (edit_distance(entry->points, entry->len, points, len, entry->allowed) <= entry->allowed)
                bits_put(search->open, entry->index, false);
        }
    }
    return 0;
}

static bool is_open(const struct fuzzy_group *group, const uint64_t *open) {
    for (size_t i = 0; i < group->n; i++)
        if (bits_has(open, group->entries[i].index))
            return true;
    return false;
}

int fuzzy_find(const struct fuzzy_set *set, struct arena *arena, vsr_str text, uint64_t *open, struct vsr_err *err) {
    struct arena_mark mark = arena_mark(arena);
    struct search search = { .open = open, .steps = FUZZY_STEPS_MAX };
    int rc = words_split(arena, text, WORDS_PLAIN, true, &search.words, err);
    if (rc == 0) {
        search.recent = ARENA_ARRAY(arena, uint32_t, RECENT);
        for (size_t i = 0; i < set->n_groups && rc == 0; i++)
            if (is_open(&set->groups[i], open))
                rc = search_group(&set->groups[i], &search);
        if (rc < 0)
            (void)err_set(err, rc, "too many words and keywords to compare");
    }
    arena_rewind(arena, mark);
    return rc;
}
