#include "text/charset.h"

#include <stdlib.h>

#include "core/arena.h"
#include "text/unicode.h"

enum { SURROGATE_FIRST = 0xD800, SURROGATE_LAST = 0xDFFF };

void charset_init(struct charset *set, struct arena *arena) {
    *set = (struct charset){ .arena = arena };
}

void charset_add(struct charset *set, uint32_t first, uint32_t last) {
    if (first > last)
        return;
    set->ranges = arena_grow(set->arena, set->ranges, sizeof(*set->ranges), set->n, &set->cap);
    set->ranges[set->n++] = (struct charset_range){ first, last };
}

static int range_cmp(const void *left, const void *right) {
    const struct charset_range *a = left, *b = right;
    return (a->first > b->first) - (a->first < b->first);
}

void charset_normalise(struct charset *set) {
    size_t kept = 0;
    if (set->n == 0)
        return;
    qsort(set->ranges, set->n, sizeof(*set->ranges), range_cmp);
    for (size_t i = 1; i < set->n; i++) {
        struct charset_range *last = &set->ranges[kept];
        if (set->ranges[i].first <= last->last || set->ranges[i].first == last->last + 1) {
            if (set->ranges[i].last > last->last)
                last->last = set->ranges[i].last;
        } else {
            set->ranges[++kept] = set->ranges[i];
        }
    }
    set->n = kept + 1;
}

bool charset_has(const struct charset *set, uint32_t cp) {
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (cp > set->ranges[middle].last)
            low = middle + 1;
        else if (cp < set->ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

/* Folding is a function onto one representative, so two rounds close the set: collect representatives, then all that
 * fold to them. */
struct fold_closure {
    const struct charset *before;
    struct charset folded; /* representatives with a member in `before` */
    struct charset *out;
};

static void collect_representative(void *data, uint32_t cp, uint32_t folded) {
    struct fold_closure *closure = data;
    if (charset_has(closure->before, cp) || charset_has(closure->before, folded))
        charset_add(&closure->folded, folded, folded);
}

static void add_folding(void *data, uint32_t cp, uint32_t folded) {
    struct fold_closure *closure = data;
    if (charset_has(&closure->folded, folded)) {
        charset_add(closure->out, cp, cp);
        charset_add(closure->out, folded, folded);
    }
}

/* One ASCII character, which is what most patterns consist of: its other case, and two letters that fold into ASCII. */
static bool add_ascii_folds(struct charset *set) {
    uint32_t cp = set->ranges[0].first;
    if (set->n != 1 || cp != set->ranges[0].last || cp >= 0x80)
        return false;
    if ((cp | 0x20) - 'a' >= 26)
        return true;
    charset_add(set, cp ^ 0x20, cp ^ 0x20);
    if ((cp | 0x20) == 'k')
        charset_add(set, 0x212A, 0x212A);
    if ((cp | 0x20) == 's')
        charset_add(set, 0x17F, 0x17F);
    charset_normalise(set);
    return true;
}

void charset_add_folds(struct charset *set) {
    struct fold_closure closure = { .out = set };
    struct charset before;
    charset_normalise(set);
    if (set->n == 0 || add_ascii_folds(set))
        return;
    before = *set;
    before.ranges = ARENA_ARRAY(set->arena, struct charset_range, set->n);
    for (size_t i = 0; i < set->n; i++)
        before.ranges[i] = set->ranges[i];
    closure.before = &before;
    charset_init(&closure.folded, set->arena);
    unicode_fold_pairs(collect_representative, &closure);
    charset_normalise(&closure.folded);
    if (closure.folded.n == 0)
        return;
    unicode_fold_pairs(add_folding, &closure);
    charset_normalise(set);
}

void charset_negate(struct charset *set) {
    struct charset out;
    uint32_t next = 0;
    charset_add(set, SURROGATE_FIRST, SURROGATE_LAST); /* no text holds them, so they are outside of both halves */
    charset_normalise(set);
    charset_init(&out, set->arena);
    for (size_t i = 0; i < set->n; i++) {
        if (set->ranges[i].first > next)
            charset_add(&out, next, set->ranges[i].first - 1);
        next = set->ranges[i].last + 1;
    }
    charset_add(&out, next, CHARSET_LAST);
    *set = out;
}
