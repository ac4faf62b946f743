#include "core/str.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

bool str_eq_nocase(vsr_str a, vsr_str b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
            return false;
    }
    return true;
}

int str_cmp(vsr_str a, vsr_str b) {
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(vsr_str text, vsr_str prefix) {
    return text.len >= prefix.len && str_eq(str_make(text.ptr, prefix.len), prefix);
}

bool str_ends(vsr_str text, vsr_str suffix) {
    return suffix.len == 0 ||
           (text.len >= suffix.len && str_eq(str_make(text.ptr + (text.len - suffix.len), suffix.len), suffix));
}

vsr_str str_sub(vsr_str text, size_t start, size_t end) {
    if (end > text.len)
        end = text.len;
    if (start > end)
        start = end;
    return str_make(text.ptr ? text.ptr + start : NULL, end - start); /* NULL + 0 is undefined */
}

ptrdiff_t str_find(vsr_str text, vsr_str needle) {
    const char *hit;
    if (needle.len == 0)
        return 0;
    if (text.len < needle.len)
        return -1;
    hit = memmem(text.ptr, text.len, needle.ptr, needle.len);
    return hit ? hit - text.ptr : -1;
}

ptrdiff_t str_find_char(vsr_str text, char c) {
    const char *hit = text.len ? memchr(text.ptr, c, text.len) : NULL;
    return hit ? hit - text.ptr : -1;
}

ptrdiff_t str_find_last_char(vsr_str text, char c) {
    const char *hit = text.len ? memrchr(text.ptr, c, text.len) : NULL;
    return hit ? hit - text.ptr : -1;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

vsr_str str_trim(vsr_str text) {
    while (text.len && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && is_blank(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

vsr_str str_split(vsr_str *rest, char sep) {
    vsr_str part = *rest;
    ptrdiff_t at = str_find_char(*rest, sep);
    if (at < 0) {
        *rest = (vsr_str){ NULL, 0 };
        return part;
    }
    part.len = (size_t)at;
    rest->ptr += at + 1;
    rest->len -= (size_t)at + 1;
    return part;
}

bool str_to_u64(vsr_str text, uint64_t *ret_value) {
    uint64_t value = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_digit(text.ptr[i]))
            return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

uint64_t str_hash(vsr_str text, uint64_t seed) {
    return XXH3_64bits_withSeed(text.ptr, text.len, seed);
}

enum { DISTANCE_LEN_MAX = 128 }; /* longer names are not worth a suggestion; bounds the row on the stack */

size_t str_distance(vsr_str a, vsr_str b, size_t max) {
    size_t row[DISTANCE_LEN_MAX + 1];
    size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (gap > max || a.len > DISTANCE_LEN_MAX || b.len > DISTANCE_LEN_MAX)
        return max + 1;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0], least;
        row[0] = least = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replace = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            size_t remove = row[j] + 1, insert = row[j - 1] + 1;
            size_t best = replace < remove ? replace : remove;
            diagonal = row[j];
            row[j] = best < insert ? best : insert;
            if (row[j] < least)
                least = row[j];
        }
        if (least > max)
            return max + 1;
    }
    return row[b.len] > max ? max + 1 : row[b.len];
}
