/*
 * unit_vector - vectors of servers, brought to length 1. Any thread.
 */
#ifndef VSR_EVIDENCE_UNIT_VECTOR_H
#define VSR_EVIDENCE_UNIT_VECTOR_H

#include <stdbool.h>
#include <stddef.h>

/* False when the numbers have no direction: all are zero, or the length, which is told, is not finite. */
bool unit_vector(float *numbers, size_t n, double *ret_length);

#endif
