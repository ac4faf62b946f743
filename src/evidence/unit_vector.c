#include "evidence/unit_vector.h"

#include <math.h>

bool unit_vector(float *numbers, size_t n, double *ret_length) {
    double sum = 0, length;
    for (size_t i = 0; i < n; i++)
        sum += (double)numbers[i] * (double)numbers[i];
    length = sqrt(sum);
    *ret_length = length;
    if (!(length > 0) || !isfinite(length))
        return false;
    for (size_t i = 0; i < n; i++)
        numbers[i] = (float)((double)numbers[i] / length);
    return true;
}
