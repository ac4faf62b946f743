/*
 * utf8 - checking and walking UTF-8 (RFC 3629). Any thread.
 */
#ifndef VSR_CORE_UTF8_H
#define VSR_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

#define UTF8_INVALID UINT32_MAX

/* Offset of the first invalid byte (the start of the first ill-formed sequence), or text.len when all is well. */
size_t utf8_check(vsr_str text);
/* The same without vector instructions: what utf8_check() is on other processors, and the tests' second opinion. */
size_t utf8_check_portable(vsr_str text);

/*
 * Decodes the code point at `*pos` (less than text.len) and moves `*pos` behind it. An invalid byte gives UTF8_INVALID
 * and moves by one.
 */
uint32_t utf8_next(vsr_str text, size_t *pos);

/* The code point that ends at `*pos` (greater than 0); moves `*pos` to its start. */
uint32_t utf8_prev(vsr_str text, size_t *pos);

/* Writes 1 to 4 bytes; returns how many. `cp` must be a scalar value. */
size_t utf8_encode(uint32_t cp, char out[static 4]);

/* Number of code points; an invalid byte counts as one. */
size_t utf8_count(vsr_str text);

/* The longest prefix of at most `max` bytes that does not cut a code point. */
vsr_str utf8_cut(vsr_str text, size_t max);

#endif
