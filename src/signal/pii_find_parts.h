/*
 * pii_find_parts - what pii_find tries at a place of a text. Internal to pii_find*.c.
 *
 * Each returns where that which begins at `pos` ends, 0 when nothing does.
 */
#ifndef VSR_SIGNAL_PII_FIND_PARTS_H
#define VSR_SIGNAL_PII_FIND_PARTS_H

#include <stdbool.h>

#include "core/str.h"

size_t pii_find_email(vsr_str text, size_t pos);
size_t pii_find_domain(vsr_str text, size_t pos);
size_t pii_find_ipv4(vsr_str text, size_t pos);
size_t pii_find_ipv6(vsr_str text, size_t pos);
size_t pii_find_iban(vsr_str text, size_t pos);
size_t pii_find_card(vsr_str text, size_t pos);
size_t pii_find_ssn(vsr_str text, size_t pos);
size_t pii_find_phone(vsr_str text, size_t pos);

static inline bool pii_is_letter(char c) {
    char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'z';
}

static inline bool pii_is_alnum(char c) {
    return pii_is_letter(c) || ascii_is_digit(c);
}

static inline bool pii_is_word(char c) {
    return pii_is_alnum(c) || c == '_';
}

/* The byte at `pos`, or a blank outside of the text. */
static inline char pii_byte(vsr_str text, size_t pos) {
    return pos < text.len ? text.ptr[pos] : ' ';
}

static inline char pii_byte_before(vsr_str text, size_t pos) {
    return pos > 0 ? text.ptr[pos - 1] : ' ';
}

static inline bool pii_is_one_of(char c, const char *chars) {
    return c && strchr(chars, c);
}

/*
 * Whether any of `words` (NULL-terminated, lower case) is in the `window` bytes before `pos`: as a whole word, or
 * anywhere when it is not ASCII. Without regard to the case of ASCII letters. A word before another number belongs to
 * that one.
 */
bool pii_preceded_by(vsr_str text, size_t pos, size_t window, const char *const *words);

#endif
