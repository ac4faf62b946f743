/*
 * str - text as a pointer and a length.
 *
 * A vsr_str owns nothing and is passed by value; whoever hands one out says where its bytes live. It is never
 * NUL-terminated unless a function says so. An empty string may have a NULL pointer. Any thread.
 */
#ifndef VSR_CORE_STR_H
#define VSR_CORE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct vsr_str {
    const char *ptr;
    size_t len;
} vsr_str;

#define VSR_STR(lit) ((vsr_str){ "" lit, sizeof(lit) - 1 })
#define VSR_STR_INIT(lit) \
    { "" lit, sizeof(lit) - 1 }          /* for static initialisers, where a compound literal may not stand */
#define VSR_FMT(s) (int)(s).len, (s).ptr /* printf("%.*s", VSR_FMT(name)) */
#define VSR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Borrows the NUL-terminated `text`; NULL gives the empty string. */
static inline vsr_str str_from_c(const char *text) {
    return (vsr_str){ text, text ? strlen(text) : 0 };
}

static inline vsr_str str_make(const char *ptr, size_t len) {
    return (vsr_str){ ptr, len };
}

static inline bool str_eq(vsr_str a, vsr_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_eq_c(vsr_str a, const char *b) {
    return str_eq(a, str_from_c(b));
}

static inline char ascii_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Equal when ASCII letters are compared without case: header names, schemes, hosts. */
bool str_eq_nocase(vsr_str a, vsr_str b);

/* Byte order, shorter first on a common prefix: <0, 0, >0. */
int str_cmp(vsr_str a, vsr_str b);

bool str_starts(vsr_str text, vsr_str prefix);
bool str_ends(vsr_str text, vsr_str suffix);

/* The part from `start` to `end` (exclusive), both clamped to the text. */
vsr_str str_sub(vsr_str text, size_t start, size_t end);

/* Offset of the first `needle`, or -1. An empty needle is found at 0. */
ptrdiff_t str_find(vsr_str text, vsr_str needle);

/* Offset of the first or last byte `c`, or -1. */
ptrdiff_t str_find_char(vsr_str text, char c);
ptrdiff_t str_find_last_char(vsr_str text, char c);

/* Without leading and trailing space, tab, CR and LF. */
vsr_str str_trim(vsr_str text);

/*
 * Cuts `*rest` at the first `sep`: returns what stood before it and moves `*rest` behind it. Without a separator the
 * whole rest is returned and `*rest` becomes empty with a NULL pointer, which ends a loop:
 *     for (vsr_str rest = list; rest.ptr;) { vsr_str part = str_split(&rest, ','); ... }
 */
vsr_str str_split(vsr_str *rest, char sep);

/* Decimal digits only, no sign, no blanks. False when empty, malformed or past UINT64_MAX. */
bool str_to_u64(vsr_str text, uint64_t *ret_value);

/* 64-bit XXH3 hash of the bytes. Not for use against an adversary without the map's random seed. */
uint64_t str_hash(vsr_str text, uint64_t seed);

/* Levenshtein distance over bytes, for "did you mean". Stops early and returns `max + 1` when it is larger than `max`.
 */
size_t str_distance(vsr_str a, vsr_str b, size_t max);

#endif
