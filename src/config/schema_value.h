/*
 * schema_value - what the text of one scalar means as a bool, integer or number (config.md §2).
 *
 * Typing is schema-directed: text becomes a number only because the field is one. Any thread.
 */
#ifndef VSR_CONFIG_SCHEMA_VALUE_H
#define VSR_CONFIG_SCHEMA_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

enum value_fit {
    VALUE_OK,
    VALUE_TYPE, /* not of that kind */
    VALUE_RANGE /* of that kind, but it cannot be represented; infinities and NaN */
};

/* true and false in any case; yes, no, on and off as well, which `*ret_old` tells. */
enum value_fit value_bool(vsr_str text, bool *ret_value, bool *ret_old);

/* Decimal, 0x and 0o, underscores between digits; a float whose fraction is zero. */
enum value_fit value_int(vsr_str text, int64_t *ret_value);

/* Decimal with optional fraction and exponent. */
enum value_fit value_number(vsr_str text, double *ret_value);

#endif
