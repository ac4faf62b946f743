#include "text/ngram.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/utf8.h"
#include "text/unicode.h"
#include "text/words.h"

struct ngram_entry {
    uint32_t *points;
    uint32_t len;    /* code points */
    uint32_t window; /* words, or code points of CJK */
    uint32_t arity;
    bool lower, cjk;
    double threshold;
    uint32_t index; /* as added */
};

/* An entry has the gram `count` times. */
struct posting {
    uint32_t entry; /* in the class */
    uint32_t count;
};

struct gram {
    const uint32_t *points; /* NULL: free place of the table */
    uint32_t hash;
    uint32_t first, n; /* its postings */
};

/* Entries that are compared with the same windows by the same grams. */
struct ngram_class {
    const struct ngram_entry *entries;
    uint32_t n_entries;
    uint32_t window, arity;
    bool lower, cjk;
    struct gram *grams; /* open addressing */
    uint32_t mask;      /* places - 1 */
    struct posting *postings;
};

struct ngram_set {
    struct ngram_class *classes;
    size_t n_classes;
    size_t n;
};

/* ---- building */

static bool has_cjk(vsr_str text) {
    for (size_t pos = 0; pos < text.len;)
        if (unicode_is_cjk(utf8_next(text, &pos)))
            return true;
    return false;
}

uint32_t ngram_list_add(struct ngram_list *list, vsr_str keyword, const struct ngram_options *options) {
    bool cjk = has_cjk(keyword);
    struct words words;
    if (words_split(list->arena, keyword, WORDS_WIDE, !options->case_sensitive, &words, NULL) < 0 || words.n == 0)
        return NGRAM_NONE;
    list->items = arena_grow(list->arena, list->items, sizeof(*list->items), list->n, &list->cap);
    list->items[list->n] =
        (struct ngram_entry){ .points = words.points,
                              .len = (uint32_t)words.n_points,
                              .window = (uint32_t)(cjk ? words.n_points : words.n),
                              .arity = options->arity < NGRAM_ARITY_MIN ? NGRAM_ARITY_MIN : options->arity,
                              .lower = !options->case_sensitive,
                              .cjk = cjk,
                              .threshold = options->threshold,
                              .index = (uint32_t)list->n };
    return (uint32_t)list->n++;
}

/* Classes are runs of equal keys once sorted. */
static int compare_keys(const struct ngram_entry *a, const struct ngram_entry *b) {
    if (a->cjk != b->cjk)
        return a->cjk ? 1 : -1;
    if (a->lower != b->lower)
        return a->lower ? 1 : -1;
    if (a->arity != b->arity)
        return a->arity < b->arity ? -1 : 1;
    return (a->window > b->window) - (a->window < b->window);
}

static int compare_entries(const void *left, const void *right) {
    const struct ngram_entry *a = left, *b = right;
    int order = compare_keys(a, b);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

static uint32_t hash_points(const uint32_t *points, uint32_t n) {
    uint64_t hash = n;
    for (uint32_t i = 0; i < n; i++)
        hash = (hash ^ points[i]) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(hash >> 32);
}

/* The gram's place: where it is, or would be. */
static struct gram *find_gram(const struct ngram_class *class, const uint32_t *points) {
    uint32_t hash = hash_points(points, class->arity);
    for (uint32_t i = hash & class->mask;; i = (i + 1) & class->mask) {
        struct gram *gram = &class->grams[i];
        if (!gram->points || (gram->hash == hash && memcmp(gram->points, points, class->arity * sizeof(*points)) == 0))
            return gram;
    }
}

/* The text between its paddings: gram i is points [i, i + arity) of it, and there are len + arity - 1. */
static uint32_t *pad(struct arena *arena, const uint32_t *points, uint32_t len, uint32_t arity) {
    uint32_t *padded = ARENA_ARRAY(arena, uint32_t, (size_t)len + 2 * (arity - 1));
    for (uint32_t i = 0; i + 1 < arity; i++)
        padded[i] = padded[arity - 1 + len + i] = ' ';
    memcpy(padded + arity - 1, points, len * sizeof(*points));
    return padded;
}

struct gram_use {
    struct gram *gram;
    uint32_t entry;
};

static int compare_uses(const void *left, const void *right) {
    const struct gram_use *a = left, *b = right;
    if (a->gram != b->gram)
        return a->gram < b->gram ? -1 : 1;
    return (a->entry > b->entry) - (a->entry < b->entry);
}

/* Enters all grams of all entries into the table, and notes who has which. */
static struct gram_use *collect_uses(struct arena *arena, struct ngram_class *class, size_t n_uses) {
    struct gram_use *uses = ARENA_ARRAY(arena, struct gram_use, n_uses);
    size_t n = 0;
    for (uint32_t i = 0; i < class->n_entries; i++) {
        const struct ngram_entry *entry = &class->entries[i];
        uint32_t *padded = pad(arena, entry->points, entry->len, class->arity);
        for (uint32_t k = 0; k < entry->len + class->arity - 1; k++) {
            struct gram *gram = find_gram(class, padded + k);
            if (!gram->points) {
                gram->points = padded + k;
                gram->hash = hash_points(padded + k, class->arity);
            }
            uses[n++] = (struct gram_use){ gram, i };
        }
    }
    return uses;
}

static void build_class(struct arena *arena, struct ngram_class *class) {
    struct gram_use *uses;
    size_t n_uses = 0, places = 16;
    uint32_t n = 0;
    for (uint32_t i = 0; i < class->n_entries; i++)
        n_uses += class->entries[i].len + class->arity - 1;
    while (places < n_uses * 4) /* most grams of a text are not there, and should find a free place at once */
        places *= 2;
    class->grams = ARENA_ARRAY(arena, struct gram, places);
    class->mask = (uint32_t)(places - 1);
    class->postings = ARENA_ARRAY(arena, struct posting, n_uses);
    uses = collect_uses(arena, class, n_uses);
    qsort(uses, n_uses, sizeof(*uses), compare_uses);
    for (size_t i = 0; i < n_uses; i++) {
        struct gram *gram = uses[i].gram;
        if (gram->n > 0 && class->postings[n - 1].entry == uses[i].entry) {
            class->postings[n - 1].count++;
            continue;
        }
        if (gram->n++ == 0)
            gram->first = n;
        class->postings[n++] = (struct posting){ uses[i].entry, 1 };
    }
}

struct ngram_set *ngram_set_build(struct ngram_list *list) {
    struct ngram_set *set;
    if (list->n == 0)
        return NULL;
    set = ARENA_NEW(list->arena, struct ngram_set);
    set->n = list->n;
    set->classes = ARENA_ARRAY(list->arena, struct ngram_class, list->n);
    qsort(list->items, list->n, sizeof(*list->items), compare_entries);
    for (size_t i = 0; i < list->n; i++) {
        const struct ngram_entry *entry = &list->items[i];
        if (i == 0 || compare_keys(entry - 1, entry) != 0)
            set->classes[set->n_classes++] = (struct ngram_class){ .entries = entry,
                                                                   .window = entry->window,
                                                                   .arity = entry->arity,
                                                                   .lower = entry->lower,
                                                                   .cjk = entry->cjk };
        set->classes[set->n_classes - 1].n_entries++;
    }
    for (size_t i = 0; i < set->n_classes; i++)
        build_class(list->arena, &set->classes[i]);
    return set;
}

/* ---- scanning */

struct scan {
    const struct ngram_class *class;
    const struct words *words;
    struct ngram_result *results;
    const struct gram **inside; /* per point: the gram that begins there, if a keyword has it */
    uint32_t *seen;             /* per place of the table: how often the window has had that gram */
    uint32_t *same;             /* per entry: grams shared with the window */
    uint32_t *touched;          /* entries with same > 0 */
    uint32_t n_touched;
    const struct gram **used; /* grams of the window that keywords have */
    size_t n_used;
    uint32_t *best_same, *best_all; /* per entry, of its best window so far */
    size_t *steps;                  /* left for the text; 0 ends the scan */
};

static void spend(struct scan *scan, size_t steps) {
    *scan->steps -= *scan->steps > steps ? steps : *scan->steps;
}

static void use_gram(struct scan *scan, const struct gram *gram) {
    const struct ngram_class *class = scan->class;
    uint32_t times = ++scan->seen[gram - class->grams];
    scan->used[scan->n_used++] = gram;
    spend(scan, gram->n);
    for (uint32_t i = gram->first; i < gram->first + gram->n; i++) {
        const struct posting *posting = &class->postings[i];
        if (times > posting->count)
            continue;
        if (scan->same[posting->entry]++ == 0)
            scan->touched[scan->n_touched++] = posting->entry;
    }
}

static void look_up(struct scan *scan, const uint32_t *points) {
    const struct gram *gram = find_gram(scan->class, points);
    if (gram->points)
        use_gram(scan, gram);
}

/* A window that is shorter than a padding: its grams reach over both ends. */
static void use_short(struct scan *scan, const uint32_t *points, uint32_t len) {
    uint32_t arity = scan->class->arity, padded[3 * NGRAM_ARITY_MAX];
    for (uint32_t i = 0; i < 2 * (arity - 1) + len; i++)
        padded[i] = i < arity - 1 || i >= arity - 1 + len ? ' ' : points[i - (arity - 1)];
    for (uint32_t i = 0; i < len + arity - 1; i++)
        look_up(scan, padded + i);
}

/* Those that reach over its ends anew, those inside from what was looked up once for all windows. */
static void use_window(struct scan *scan, uint32_t start, uint32_t end) {
    const uint32_t *points = scan->words->points;
    uint32_t arity = scan->class->arity, edge[NGRAM_ARITY_MAX];
    if (end - start < arity) {
        use_short(scan, points + start, end - start);
        return;
    }
    for (uint32_t own = 1; own < arity; own++) {
        for (uint32_t i = 0; i < arity; i++)
            edge[i] = i < arity - own ? ' ' : points[start + i - (arity - own)];
        look_up(scan, edge);
    }
    for (uint32_t i = start; i + arity <= end; i++)
        if (scan->inside[i])
            use_gram(scan, scan->inside[i]);
    for (uint32_t own = arity - 1; own > 0; own--) {
        for (uint32_t i = 0; i < arity; i++)
            edge[i] = i < own ? points[end - own + i] : ' ';
        look_up(scan, edge);
    }
}

static double similarity(uint32_t same, uint32_t all) {
    double apart = (double)(all - same) / all;
    return 1 - apart * apart;
}

static void judge_window(struct scan *scan, uint32_t len, uint32_t at) {
    const struct ngram_class *class = scan->class;
    for (uint32_t i = 0; i < scan->n_touched; i++) {
        uint32_t entry = scan->touched[i], same = scan->same[entry];
        uint32_t all = len + class->entries[entry].len + 2 * (class->arity - 1) - same;
        scan->same[entry] = 0;
        /* Exact: both counts are far below 2^32. */
        if ((uint64_t)same * scan->best_all[entry] > (uint64_t)scan->best_same[entry] * all) {
            struct ngram_result *result = &scan->results[class->entries[entry].index];
            scan->best_same[entry] = same;
            scan->best_all[entry] = all;
            result->best = similarity(same, all);
            if (result->hit == NGRAM_NONE && result->best >= class->entries[entry].threshold)
                result->hit = at;
        }
    }
    for (size_t i = 0; i < scan->n_used; i++)
        scan->seen[scan->used[i] - class->grams] = 0;
    scan->n_touched = 0;
    scan->n_used = 0;
}

static void scan_window(struct scan *scan, uint32_t start, uint32_t end, uint32_t at) {
    spend(scan, end - start);
    use_window(scan, start, end);
    judge_window(scan, end - start, at);
}

static void scan_words(struct scan *scan) {
    uint32_t k = scan->class->window;
    for (size_t i = 0; i + k <= scan->words->n && *scan->steps > 0; i++)
        scan_window(scan, scan->words->items[i].start, scan->words->items[i + k - 1].end, scan->words->items[i].at);
}

/* Every window of a run; offsets inside it are those of its bytes, three or four to a character, and only their order
 * counts. */
static void scan_runs(struct scan *scan) {
    uint32_t k = scan->class->window;
    for (size_t i = 0; i < scan->words->n; i++) {
        const struct word *run = &scan->words->items[i];
        uint32_t start = run->start;
        do {
            uint32_t end = start + k < run->end ? start + k : run->end;
            scan_window(scan, start, end, run->at + (start - run->start));
        } while (++start + k <= run->end && *scan->steps > 0);
    }
}

/* False without memory. */
static bool prepare(struct scan *scan, struct arena *arena) {
    const struct ngram_class *class = scan->class;
    const struct words *words = scan->words;
    size_t longest = 0, n = class->n_entries;
    for (size_t i = 0; i < words->n; i++) {
        size_t last = class->cjk ? i : i + class->window - 1;
        if (last < words->n && words->items[last].end - words->items[i].start > longest)
            longest = words->items[last].end - words->items[i].start;
    }
    scan->inside = arena_try_alloc_raw(arena, (words->n_points + 1) * sizeof(*scan->inside));
    scan->used = arena_try_alloc_raw(arena, (longest + class->arity) * sizeof(*scan->used));
    scan->seen = arena_try_alloc(arena, ((size_t) class->mask + 1) * sizeof(*scan->seen));
    scan->same = arena_try_alloc(arena, n * sizeof(uint32_t));
    scan->touched = arena_try_alloc_raw(arena, n * sizeof(uint32_t));
    scan->best_same = arena_try_alloc(arena, n * sizeof(uint32_t));
    scan->best_all = arena_try_alloc_raw(arena, n * sizeof(uint32_t));
    if (!scan->inside || !scan->used || !scan->seen || !scan->same || !scan->touched || !scan->best_same ||
        !scan->best_all)
        return false;
    for (size_t i = 0; i < n; i++)
        scan->best_all[i] = 1;
    for (size_t i = 0; i + class->arity <= words->n_points; i++) {
        const struct gram *gram = find_gram(class, words->points + i);
        scan->inside[i] = gram->points ? gram : NULL;
    }
    return true;
}

static int scan_class(const struct ngram_class *class, struct arena *arena, const struct words *words, size_t *steps,
                      struct ngram_result *results, struct vsr_err *err) {
    struct arena_mark mark = arena_mark(arena);
    struct scan scan = { .class = class, .words = words, .results = results, .steps = steps };
    int rc = 0;
    if (!prepare(&scan, arena))
        rc = err_set(err, VSR_E_NOMEM, "no memory for the n-grams of the text");
    else if (class->cjk)
        scan_runs(&scan);
    else
        scan_words(&scan);
    if (rc == 0 && *steps == 0)
        rc = err_set(err, VSR_E_LIMIT, "too many n-grams to compare");
    arena_rewind(arena, mark);
    return rc;
}

int ngram_scan(const struct ngram_set *set, struct arena *arena, vsr_str text, struct ngram_result **ret_results,
               struct vsr_err *err) {
    struct ngram_result *results = ARENA_ARRAY(arena, struct ngram_result, set->n);
    size_t steps = NGRAM_STEPS_MAX;
    struct words words;
    int rc = 0;
    for (size_t i = 0; i < set->n; i++)
        results[i] = (struct ngram_result){ 0, NGRAM_NONE };
    for (size_t i = 0; i < set->n_classes && rc == 0; i++) {
        const struct ngram_class *class = &set->classes[i];
        if (i == 0 || class->cjk != class[-1].cjk || class->lower != class[-1].lower)
            rc = words_split(arena, text, class->cjk ? WORDS_CJK : WORDS_WIDE, class->lower, &words, err);
        if (rc == 0)
            rc = scan_class(class, arena, &words, &steps, results, err);
    }
    if (rc == 0)
        *ret_results = results;
    return rc;
}
