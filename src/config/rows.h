/*
 * rows - short forms for the rows of field tables. Internal to config/.
 *
 * A table whose keys are named like the members of its struct defines T as that struct and writes
 *
 *     { ROW(enabled, BOOL), .fallback = "true", .help = "..." },
 *     { ROW(port, INT), PORT, .fallback = "6379", .help = "..." },
 */
#ifndef VSR_CONFIG_ROWS_H
#define VSR_CONFIG_ROWS_H

#include <math.h>
#include <stddef.h>

#include "config/schema.h"

#define ROW(member, kind) #member, FIELD_##kind, offsetof(T, member)
/* The nested struct by value, described by that table. */
#define BLOCK(member, schema) #member, FIELD_OBJECT, offsetof(T, member), .object = &(schema)

#define BETWEEN(low, high) .flags = FIELD_RANGE, .least = (low), .greatest = (high)
#define UNIT BETWEEN(0, 1)
#define PORT BETWEEN(1, 65535)
#define PORT_OR_NONE BETWEEN(0, 65535)
#define COUNT BETWEEN(0, INT32_MAX)
#define COUNT_FROM(low) BETWEEN(low, INT32_MAX)
#define SECONDS BETWEEN(0, 315360000) /* ten years: no sum of two of them in milliseconds overflows */
#define NOT_NEGATIVE BETWEEN(0, INFINITY)
#define SECRET .flags = FIELD_SECRET
#define NONBLANK .flags = FIELD_NONBLANK

#endif
