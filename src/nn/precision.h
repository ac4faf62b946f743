/*
 * precision - in which arithmetic a model is run, and the element types of files and arrays.
 */
#ifndef VSR_NN_PRECISION_H
#define VSR_NN_PRECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/str.h"

enum precision {
    PRECISION_F32,
    PRECISION_BF16, /* weights and the input of each product; sums, norms, softmax and the residual stream are f32 */
    PRECISION_INT8, /* weights per output channel, the input of each product per row; the rest as above */
};

#define DTYPES(X) \
    X(F64, 8) \
    X(F32, 4) \
    X(F16, 2) X(BF16, 2) X(I64, 8) X(I32, 4) X(I16, 2) X(I8, 1) X(U8, 1) X(BOOL, 1) X(F8_E4M3, 1) X(F8_E5M2, 1)

enum dtype {
#define X(name, len) DTYPE_##name,
    DTYPES(X)
#undef X
        DTYPES_N
};

/* "f32", "bf16", "int8". */
const char *precision_name(enum precision precision);
bool precision_named(vsr_str name, enum precision *ret_precision);
/* What this processor runs fastest without losing accuracy that anybody would notice: bf16 where it has the unit. */
enum precision precision_default(void);

/* As safetensors spells it. */
const char *dtype_name(enum dtype dtype);
bool dtype_named(vsr_str name, enum dtype *ret_dtype);
size_t dtype_len(enum dtype dtype);

/* To the nearest, ties to even; NaN stays NaN. */
static inline uint16_t bf16_from_f32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float bf16_to_f32(uint16_t value) {
    uint32_t bits = (uint32_t)value << 16;
    float result;
    memcpy(&result, &bits, sizeof(result));
    return result;
}

/* `n` numbers of a file as f32. False for types that are no numbers a weight can have (BOOL). */
bool dtype_to_f32(enum dtype dtype, const void *from, size_t n, float *ret);

#endif
