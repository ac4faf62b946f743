/*
 * pattern_set - which of many literals and regular expressions occur in a text, in one pass.
 *
 * Hyperscan finds all patterns of a recipe at once. Three kinds of comparison live in one database: exact, by simple
 * case folding of both sides, and by lower-casing of both sides. Literals of the latter two are stored folded and
 * compared with ASCII case ignored; the text is folded only where it holds a non-ASCII letter with case, and scanned
 * once more in that form. So for most texts it is one scan, and the result always equals folding both sides by the
 * book.
 *
 * A literal may ask for word boundaries (signals.md §5.1): on a side where its own outermost character is a word
 * character, the neighbour in the text must not be one. Every occurrence is tried.
 *
 * Where the installed engine fails two trials, or does not run on the processor, patterns are searched one by one.
 *
 * Built once, immutable afterwards: any thread, each with its own scratch.
 */
#ifndef VSR_TEXT_PATTERN_SET_H
#define VSR_TEXT_PATTERN_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/map.h"
#include "core/str.h"

struct arena;
struct pattern_scratch;
struct pattern_set;
struct regex;

enum {
    PATTERNS_MAX = 1 << 20,
    PATTERN_LITERAL_LEN_MAX = 2048, /* written as escapes it must stay within the engine's 16,000 bytes */
};

enum pattern_compare {
    PATTERN_EXACT,
    PATTERN_FOLDED,  /* simple case folding of both sides */
    PATTERN_LOWERED, /* lower-casing of both sides */
};

/* Collects patterns. Equal ones get the same index. */
struct pattern_list {
    struct arena *arena; /* keeps */
    struct pattern_item *items;
    size_t n, cap;
    struct map by_key;
};

void pattern_list_init(struct pattern_list *list, struct arena *arena);

/*
 * Adds a literal of at least one byte and returns its index. Keeps nothing of `text`. Fails with VSR_E_INVALID (not
 * UTF-8, empty) or VSR_E_LIMIT.
 */
int pattern_list_literal(struct pattern_list *list, vsr_str text, enum pattern_compare compare, bool whole_word,
                         uint32_t *ret_index, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * Adds a literal that is compared folded and as whole words, in which every '.' between two word characters stands for
 * any one character: `time.sensitive` finds "time-sensitive". Otherwise as above.
 */
int pattern_list_phrase(struct pattern_list *list, vsr_str text, uint32_t *ret_index,
                        struct vsr_err *err) VSR_MUST_CHECK;

/* Adds a regular expression, which must not match the empty string, and keeps it. `name` is its text as written, for
 * messages. */
int pattern_list_regex(struct pattern_list *list, const struct regex *regex, vsr_str name, uint32_t *ret_index,
                       struct vsr_err *err) VSR_MUST_CHECK;

/* Pattern `index` as it was written. */
vsr_str pattern_list_name(const struct pattern_list *list, size_t index);

/*
 * Compiles the list into `arena`, which frees the database. Writes NULL when the list is empty. On failure *ret_bad is
 * the index of the offending pattern, or -1. Fails with VSR_E_INVALID (the engine refuses a pattern).
 */
int pattern_set_build(struct arena *arena, const struct pattern_list *list, struct pattern_set **ret_set, int *ret_bad,
                      struct vsr_err *err) VSR_MUST_CHECK;

size_t pattern_set_count(const struct pattern_set *set);

/* What one thread needs to scan. Not for two scans at once. */
int pattern_scratch_new(const struct pattern_set *set, struct pattern_scratch **ret_scratch,
                        struct vsr_err *err) VSR_MUST_CHECK;
void pattern_scratch_free(struct pattern_scratch *scratch);

/* What a scan found out: a bit per pattern. A pattern is in one of them at most. */
struct pattern_hits {
    uint64_t *found;     /* it occurs */
    uint64_t *undecided; /* it may: telling costs more steps than were left */
};

/*
 * Searches `text`, which must be UTF-8, else VSR_E_INVALID. The hits, and copies of the text where folding needs one,
 * live in `arena`. `*steps` as for regex_count(); patterns that need confirming share them evenly, so that one which is
 * costly on this text leaves the others theirs.
 */
int pattern_set_scan(const struct pattern_set *set, struct pattern_scratch *scratch, struct arena *arena, vsr_str text,
                     size_t *steps, struct pattern_hits *ret_hits, struct vsr_err *err) VSR_MUST_CHECK;

#endif
