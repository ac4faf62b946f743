/*
 * json_number - number literals to values and back. Exact, and blind to the locale. Any thread.
 */
#ifndef VSR_CORE_JSON_NUMBER_H
#define VSR_CORE_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum { JSON_NUMBER_LEN_MAX = 32 }; /* the longest that json_number_print() writes is 25 */

/* `literal` is a number that the scan accepted, without point and exponent. False when it does not fit. */
bool json_number_i64(vsr_str literal, int64_t *ret_value);

/* The nearest double (ties to even); false when that is infinite. Cost is linear in the literal. */
bool json_number_double(vsr_str literal, double *ret_value);

/*
 * Writes the shortest literal that reads back to `value`, which is finite, in JavaScript's manner: 100, 0.1, 1e-7,
 * 1e+21. Returns its length.
 */
size_t json_number_print(double value, char out[static JSON_NUMBER_LEN_MAX]);

#endif
